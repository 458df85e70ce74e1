//! Microsoft.OperationalInsights: workspaces, where resources send their logs, what was deleted of them, and
//! the query API over their rows.

pub mod contents;
pub mod kql;
pub mod query;
pub mod tables;
pub mod timespan;
pub mod workspaces;

use crate::table::Type;

/// API versions of workspaces that clients send.
pub const VERSIONS: &[&str] = &[
    "2015-03-20",
    "2015-11-01-preview",
    "2020-03-01-preview",
    "2020-08-01",
    "2020-10-01",
    "2021-06-01",
    "2021-12-01-preview",
    "2022-10-01",
    "2023-09-01",
    "2025-02-01",
    "2025-07-01",
    "2026-03-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    workspaces::WORKSPACES,
    workspaces::DELETED,
    contents::TABLES,
    contents::EXPORTS,
    contents::LINKED,
];
