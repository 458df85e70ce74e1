//! ISO 8601 time spans of queries: a duration that ends now, two times, or a time and a duration.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The first and the last millisecond since 1970.
#[must_use]
pub fn parse(text: &str, now: u64) -> Option<(u64, u64)> {
    let Some((first, second)) = text.split_once('/') else {
        let length = duration(text)?;
        return Some((now.saturating_sub(length), now));
    };
    match (instant(first), instant(second)) {
        (Some(begin), Some(end)) => (begin <= end).then_some((begin, end)),
        (Some(begin), None) => Some((begin, begin.saturating_add(duration(second)?))),
        (None, Some(end)) => Some((end.saturating_sub(duration(first)?), end)),
        (None, None) => None,
    }
}

/// A time, with or without its offset, or a day, in milliseconds since 1970.
#[must_use]
pub fn instant(text: &str) -> Option<u64> {
    let with_zone = match (text.contains('T'), text.len()) {
        (false, 10) => format!("{text}T00:00:00Z"),
        (true, _) if text.ends_with('Z') || text.rsplit('T').next()?.contains(['+', '-']) => {
            text.to_owned()
        }
        (true, _) => format!("{text}Z"),
        _ => return None,
    };
    let time = OffsetDateTime::parse(&with_zone, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// `P1D`, `PT1H30M`, `P2W`; months and years are no fixed length.
fn duration(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, times) = rest.split_once('T').unwrap_or((rest, ""));
    if rest.is_empty() || rest.ends_with('T') {
        return None;
    }
    let units = |text: &str, units: &[(char, u64)]| -> Option<u64> {
        let mut total = 0_u64;
        let mut digits = String::new();
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let (_, seconds) = units.iter().find(|(unit, _)| *unit == c)?;
            total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
            digits.clear();
        }
        digits.is_empty().then_some(total)
    };
    let seconds = units(days, &[('W', 604_800), ('D', 86_400)])?
        .checked_add(units(times, &[('H', 3600), ('M', 60), ('S', 1)])?)?;
    seconds.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_every_form() {
        let hour = 3_600_000;
        let begin = 1_767_225_600_000; // 2026-01-01
        for (text, expected) in [
            ("PT1H", Some((9 * hour, 10 * hour))),
            ("P1D", Some((0, 10 * hour))),
            (
                "2026-01-01/2026-01-01T01:00:00Z",
                Some((begin, begin + hour)),
            ),
            ("2026-01-01T00:00:00/PT1H", Some((begin, begin + hour))),
            (
                "PT1H/2026-01-01T02:00:00+01:00",
                Some((begin, begin + hour)),
            ),
            ("2026-01-02/2026-01-01", None),
            ("1h", None),
            ("P", None),
            ("PT", None),
            ("P1M", None),
            ("PT5", None),
        ] {
            assert_eq!(parse(text, 10 * hour), expected, "{text}");
        }
    }
}
