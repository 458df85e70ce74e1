//! Microsoft.ManagedIdentity: user-assigned identities and the federated credentials of each.

pub mod assigned;
pub mod credentials;
pub mod identities;

use crate::table::Type;

/// API versions of Microsoft.ManagedIdentity that clients send.
pub const VERSIONS: &[&str] = &[
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[identities::IDENTITIES, credentials::CREDENTIALS];
