//! The user's spelling of what Azure says in its own.

use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Json, same_location};

/// Azure's region, in the user's spelling where it is the same.
#[must_use]
pub fn spelled(prior: Option<&str>, found: &Json) -> String {
    let found = found.as_str().unwrap_or_default();
    match prior {
        Some(prior) if found.is_empty() || same_location(prior, found) => prior.to_owned(),
        _ => found.to_owned(),
    }
}

/// Azure's id, in the user's spelling where it is the same.
#[must_use]
pub fn spelled_id(prior: Option<&ArmId>, found: &Json) -> Option<ArmId> {
    let found = found.as_str().and_then(|text| ArmId::parse(text).ok());
    match (prior, found) {
        (Some(prior), Some(found)) if *prior == found => Some(prior.clone()),
        (_, found) => found,
    }
}

/// Whether two values name the same region; unknown ones may be any.
#[must_use]
pub fn same_region(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => same_location(a, b),
        _ => a == b,
    }
}

/// Whether two values are the same id; unknown ones may be any.
#[must_use]
pub fn same_id(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}
