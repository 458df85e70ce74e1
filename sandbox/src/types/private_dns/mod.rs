//! Microsoft.Network/privateDnsZones: zones, their links to virtual networks, and record sets.
//! A service of its own with its own API versions, in the namespace of the network provider.

pub mod links;
pub mod record_data;
pub mod records;
pub mod zones;

use crate::errors::ArmError;
use crate::table::Type;

/// API versions of private DNS that clients send.
pub const VERSIONS: &[&str] = &[
    "2018-09-01",
    "2020-01-01",
    "2020-06-01",
    "2024-06-01",
    "2026-06-01-preview",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    zones::ZONES,
    links::LINKS,
    records::A,
    records::AAAA,
    records::CNAME,
    records::MX,
    records::PTR,
    records::SOA,
    records::SRV,
    records::TXT,
];

/// How private DNS refuses most things.
fn bad_request(message: impl Into<String>) -> ArmError {
    ArmError::bad("BadRequest", message)
}

/// True for a label of a domain name: 1 to 63 letters, digits, `-` or `_`, no `-` at either end.
fn is_label(label: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=63).contains(&label.len())
        && label.chars().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
