//! The `timeouts` attribute that every managed resource has, and the durations that users write in it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Attribute, Check, Kind, Nesting, Schema};
use crate::value::Value;

/// The name of the attribute.
const NAME: &str = "timeouts";

/// The times of creation, reading, change and deletion.
type Times = [Duration; 4];

/// How long each operation may take by default. A zero leaves the operation out of `timeouts`.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For creation.
    pub create: Duration,
    /// For reading.
    pub read: Duration,
    /// For changes in place.
    pub update: Duration,
    /// For deletion.
    pub delete: Duration,
}

impl Timeouts {
    /// Defaults in minutes: create, read, update, delete.
    #[must_use]
    pub const fn minutes(create: u64, read: u64, update: u64, delete: u64) -> Self {
        Self {
            create: Duration::from_secs(create * 60),
            read: Duration::from_secs(read * 60),
            update: Duration::from_secs(update * 60),
            delete: Duration::from_secs(delete * 60),
        }
    }

    fn times(&self) -> Times {
        [self.create, self.read, self.update, self.delete]
    }

    /// The attribute, which lives as long as the process.
    fn attribute(&self) -> Attribute {
        let operations: Vec<Attribute> = self
            .operations()
            .map(|(name, default)| {
                let text = format!(
                    "How long to {name} may take, such as `90s`, `30m` or `1h30m`. Default `{}`.",
                    short(default)
                );
                Attribute::optional(name, Kind::String)
                    .describe(text.leak())
                    .checked(CHECKS)
            })
            .collect();
        Attribute::optional(NAME, Kind::Nested(Nesting::Single, operations.leak()))
            .describe("How long operations may take before they fail.")
    }

    /// The operations that a user may give a time for, each with its default.
    fn operations(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        [
            ("create", self.create),
            ("read", self.read),
            ("update", self.update),
            ("delete", self.delete),
        ]
        .into_iter()
        .filter(|(_, default)| !default.is_zero())
    }

    /// The operations that a user may give a time for, each with its default as users write it.
    pub(super) fn texts(&self) -> Vec<(&'static str, String)> {
        self.operations()
            .map(|(name, default)| (name, short(default)))
            .collect()
    }

    /// The time for an operation: what `timeouts` in a configuration or a state says, or the default.
    #[must_use]
    pub fn of(&self, operation: &str, value: &Value) -> Duration {
        value
            .get(NAME)
            .get(operation)
            .as_str()
            .and_then(|text| parse_duration(text).ok())
            .or_else(|| {
                self.operations()
                    .find(|(name, _)| *name == operation)
                    .map(|(_, default)| default)
            })
            .unwrap_or(Duration::MAX)
    }
}

impl Schema {
    /// The schema with the attribute `timeouts`.
    ///
    /// Schemas are tables that live as long as the process, and so does the table that is made here: one for each
    /// table and times, however often it is asked for.
    #[must_use]
    pub fn with_timeouts(self, timeouts: &Timeouts) -> Self {
        /// The place and the length of a table, and the times.
        type Key = (usize, usize, Times);
        static MADE: Mutex<BTreeMap<Key, &[Attribute]>> = Mutex::new(BTreeMap::new());
        if timeouts.operations().next().is_none() {
            return self;
        }
        // A static table is known by its place.
        let (place, length) = (self.attributes.as_ptr().addr(), self.attributes.len());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let attributes = made
            .entry((place, length, timeouts.times()))
            .or_insert_with(|| {
                let mut attributes = self.attributes.to_vec();
                attributes.push(timeouts.attribute());
                attributes.leak()
            });
        Self { attributes, ..self }
    }
}

const CHECKS: &[Check] = &[Check::Text(
    "a duration such as `90s`, `30m` or `1h30m`",
    |text| parse_duration(text).map(|_| ()),
)];

/// A duration as Go and so Terraform's users write it: `90s`, `30m`, `1h30m`, `1.5h`, `500ms`.
///
/// # Errors
/// When the text is no duration, or none longer than nothing.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let error = || {
        format!(
            "`{text}` is no duration. Write a number and a unit, such as `90s`, `30m` or `1h30m`."
        )
    };
    let mut rest = text;
    let mut seconds = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(error)?;
        let number: f64 = rest[..digits].parse().map_err(|_| error())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return Err(error()),
        };
        rest = &rest[letters..];
        seconds += number * unit;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(error)
}

/// A duration as users write it.
fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_timeouts_is_made_once_however_often_it_is_asked_for() {
        static TABLE: &[Attribute] = &[Attribute::optional("name", Kind::String)];
        let schema = |minutes| {
            Schema::new("A thing.", TABLE).with_timeouts(&Timeouts::minutes(minutes, 5, 5, 5))
        };
        assert!(std::ptr::eq(schema(30).attributes, schema(30).attributes));
        assert!(!std::ptr::eq(schema(30).attributes, schema(31).attributes));
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
        for text in [
            "",
            "30",
            "m",
            "30 m",
            "-5m",
            "5d",
            "0s",
            "1e9h",
            "é",
            "99999999999999999999h",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_resource_offers_the_operations_that_have_a_default() {
        let schema = Schema::new("", &[]).with_timeouts(&Timeouts::minutes(90, 0, 5, 0));
        let Kind::Nested(Nesting::Single, operations) = schema.attribute(NAME).unwrap().kind else {
            panic!("no nested attribute")
        };
        assert_eq!(
            operations
                .iter()
                .map(|operation| operation.name)
                .collect::<Vec<_>>(),
            ["create", "update"]
        );
        assert!(
            operations[0].description.ends_with("Default `1h30m`."),
            "{}",
            operations[0].description
        );
    }

    #[test]
    fn the_users_time_counts_before_the_default() {
        let timeouts = Timeouts::minutes(30, 5, 30, 30);
        let value = Value::object([(NAME, Value::object([("create", Value::from("2h"))]))]);
        assert_eq!(timeouts.of("create", &value), Duration::from_secs(7200));
        assert_eq!(timeouts.of("read", &value), Duration::from_secs(300));
    }
}
