//! Points in time and durations, as Azure and users write them.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// A point in time that Azure wrote.
pub fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// A point in time for people.
pub fn shown(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.to_string())
}

/// Whether two texts are the same point in time.
pub fn same_moment(a: &str, b: &str) -> bool {
    a == b || moment(a).is_some_and(|time| moment(b) == Some(time))
}

/// A duration as in `timeouts`; `0s` is one here.
///
/// # Errors
/// What is wrong.
pub fn duration(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s" | "0m" | "0h") {
        return Ok(Duration::ZERO);
    }
    let parsed = tfplugin_rs::schema::parse_duration(text)?;
    Duration::try_from(parsed).map_err(|error| format!("`{text}`: {error}"))
}
