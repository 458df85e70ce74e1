//! Microsoft.Authorization: who may do what at which scope. Locks are with Resource Manager's own types.

pub mod assignments;
pub mod built_in;
pub mod conditions;
pub mod definitions;
pub mod permissions;
pub mod principals;
pub mod rights;

use crate::errors::{ArmError, ArmResult};
use crate::table::Type;

pub use rights::{has_data_right, has_right};

/// API versions of role assignments and role definitions that clients send.
pub const VERSIONS: &[&str] = &[
    "2015-07-01",
    "2017-10-01-preview",
    "2018-01-01-preview",
    "2018-07-01",
    "2018-09-01-preview",
    "2020-03-01-preview",
    "2020-04-01-preview",
    "2020-08-01-preview",
    "2020-10-01-preview",
    "2021-04-01-preview",
    "2022-01-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    assignments::ASSIGNMENTS,
    definitions::DEFINITIONS,
    permissions::PERMISSIONS,
];

fn unknown_filter<T>(filter: &str) -> ArmResult<T> {
    Err(ArmError::bad(
        "UnsupportedQuery",
        format!("The filter '{filter}' is not supported."),
    ))
}
