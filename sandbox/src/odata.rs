//! The few words of OData that Azure's lists take in `$filter`: terms joined by `and`, `name eq 'value'`.

use crate::errors::ArmError;

/// The terms of a `$filter`: parts joined by `and`, each trimmed.
#[must_use]
pub fn terms(filter: &str) -> Vec<String> {
    filter
        .split(" and ")
        .map(|term| term.trim().to_owned())
        .filter(|term| !term.is_empty())
        .collect()
}

/// The value of a term `name eq 'value'`.
#[must_use]
pub fn equals(term: &str, name: &str) -> Option<String> {
    let (left, right) = term.split_once(" eq ")?;
    left.trim()
        .eq_ignore_ascii_case(name)
        .then(|| right.trim().trim_matches('\'').to_owned())
}

/// 400 for a filter that Resource Manager does not understand.
#[must_use]
pub fn invalid(filter: &str) -> ArmError {
    ArmError::bad(
        "InvalidFilterInQueryString",
        format!("Invalid $filter '{filter}' specified in the query string."),
    )
}
