//! Microsoft.Security: the Defender plans of a subscription.

pub mod plans;
pub mod pricings;

use crate::table::Type;

/// API versions of pricings that clients send.
pub const VERSIONS: &[&str] = &[
    "2017-08-01-preview",
    "2018-06-01",
    "2022-03-01",
    "2023-01-01",
    "2024-01-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[pricings::PRICINGS];
