//! When Azure may upgrade Kubernetes, and when the images of the nodes: the two planned
//! maintenance configurations that AKS knows by name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use tfplugin_rs::schema::{Attribute, Check, Kind, Literal, Nesting};

use super::Input;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread, Wanted};

/// The name of the configuration for upgrades of Kubernetes.
const UPGRADES: &str = "aksManagedAutoUpgradeSchedule";
/// The name of the configuration for upgrades of the nodes' images.
const NODE_IMAGES: &str = "aksManagedNodeOSUpgradeSchedule";

/// A window of time that comes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    pub frequency: Frequency,
    pub interval: i64,
    pub duration: i64,
    pub day_of_week: Option<String>,
    pub day_of_month: Option<i64>,
    pub week_index: Option<String>,
    pub start_time: String,
    pub utc_offset: String,
    pub start_date: Option<String>,
    pub not_allowed: Option<Vec<Span>>,
}

/// How often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frequency {
    Daily,
    Weekly,
    AbsoluteMonthly,
    RelativeMonthly,
}

/// Days on which it does not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub start: String,
    pub end: String,
}

const DAYS: &[&str] = &[
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const SPAN: &[Attribute] = &[
    Attribute::required("start", Kind::String).describe("The first day, such as `2026-12-20`."),
    Attribute::required("end", Kind::String).describe("The last day."),
];

/// The attributes of a window.
pub const WINDOW: &[Attribute] = &[
    Attribute::required("frequency", Kind::String)
        .describe(
            "`Daily`, `Weekly` (needs `day_of_week`), `AbsoluteMonthly` (needs `day_of_month`) or \
             `RelativeMonthly` (needs `week_index` and `day_of_week`).",
        )
        .checked(&[Check::OneOf(&[
            "Daily",
            "Weekly",
            "AbsoluteMonthly",
            "RelativeMonthly",
        ])]),
    Attribute::required("interval", Kind::Integer)
        .describe("After how many days, weeks or months it comes again.")
        .checked(&[Check::Range(1, 7)]),
    Attribute::required("duration", Kind::Integer)
        .describe("How many hours it lasts, 4 to 24.")
        .checked(&[Check::Range(4, 24)]),
    Attribute::optional("day_of_week", Kind::String)
        .describe("The day, such as `Sunday`.")
        .checked(&[Check::OneOf(DAYS)]),
    Attribute::optional("day_of_month", Kind::Integer)
        .describe("The day of the month, 1 to 31.")
        .checked(&[Check::Range(1, 31)]),
    Attribute::optional("week_index", Kind::String)
        .describe("`First`, `Second`, `Third`, `Fourth` or `Last`.")
        .checked(&[Check::OneOf(&[
            "First", "Second", "Third", "Fourth", "Last",
        ])]),
    Attribute::required("start_time", Kind::String)
        .describe("When it begins, such as `22:00`.")
        .checked(&[Check::Text("a time such as `22:00`", time_of_day)]),
    Attribute::optional("utc_offset", Kind::String)
        .describe("The offset of `start_time` from UTC, such as `+02:00`.")
        .checked(&[Check::Text("an offset such as `+02:00`", offset)])
        .default_to(Literal::String("+00:00")),
    Attribute::optional("start_date", Kind::String).describe(
        "The first day on which it counts. Azure takes the present one unless it is set.",
    ),
    Attribute::optional("not_allowed", Kind::Nested(Nesting::List, SPAN))
        .describe("Days on which it does not come."),
];

fn time_of_day(text: &str) -> Result<(), String> {
    let valid = text.split_once(':').is_some_and(|(hours, minutes)| {
        let number = |text: &str, most: u8| {
            text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number <= most)
        };
        number(hours, 23) && number(minutes, 59)
    });
    valid
        .then_some(())
        .ok_or_else(|| format!("{text:?} is no time; write one such as \"22:00\""))
}

fn offset(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix(['+', '-']);
    match rest.map(time_of_day) {
        Some(Ok(())) => Ok(()),
        _ => Err(format!(
            "{text:?} is no offset; write one such as \"+02:00\""
        )),
    }
}

impl Window {
    fn body(&self) -> Json {
        let mut schedule: Map<String, Json> =
            ["daily", "weekly", "absoluteMonthly", "relativeMonthly"]
                .into_iter()
                .map(|name| (name.to_owned(), Json::Null))
                .collect();
        let (name, value) = match self.frequency {
            Frequency::Daily => ("daily", json!({"intervalDays": self.interval})),
            Frequency::Weekly => (
                "weekly",
                json!({"intervalWeeks": self.interval, "dayOfWeek": self.day_of_week}),
            ),
            Frequency::AbsoluteMonthly => (
                "absoluteMonthly",
                json!({"intervalMonths": self.interval, "dayOfMonth": self.day_of_month}),
            ),
            Frequency::RelativeMonthly => (
                "relativeMonthly",
                json!({
                    "intervalMonths": self.interval,
                    "weekIndex": self.week_index,
                    "dayOfWeek": self.day_of_week,
                }),
            ),
        };
        schedule.insert(name.to_owned(), value);
        let spans = self.not_allowed.iter().flatten();
        let mut window = json!({
            "schedule": schedule,
            "durationHours": self.duration,
            "utcOffset": self.utc_offset,
            "startTime": self.start_time,
            "notAllowedDates": spans
                .map(|span| json!({"start": span.start, "end": span.end}))
                .collect::<Vec<_>>(),
        });
        if let Some(date) = &self.start_date {
            window["startDate"] = date.as_str().into();
        }
        json!({"properties": {"maintenanceWindow": window}})
    }

    fn observed(prior: Option<&Self>, found: &Json) -> Option<Self> {
        let window = &found["properties"]["maintenanceWindow"];
        let schedule = &window["schedule"];
        let kinds = [
            ("daily", Frequency::Daily, "intervalDays"),
            ("weekly", Frequency::Weekly, "intervalWeeks"),
            (
                "absoluteMonthly",
                Frequency::AbsoluteMonthly,
                "intervalMonths",
            ),
            (
                "relativeMonthly",
                Frequency::RelativeMonthly,
                "intervalMonths",
            ),
        ];
        let (kind, frequency, interval) = kinds
            .into_iter()
            .find(|(name, ..)| schedule[*name].is_object())?;
        let kind = &schedule[kind];
        let text = |json: &Json| json.as_str().map(str::to_owned);
        let spans: Vec<Span> = window["notAllowedDates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|span| {
                Some(Span {
                    start: text(&span["start"])?,
                    end: text(&span["end"])?,
                })
            })
            .collect();
        let has_date = prior.is_none_or(|prior| prior.start_date.is_some());
        let has_spans = prior.is_some_and(|prior| prior.not_allowed.is_some());
        Some(Self {
            frequency,
            interval: kind[interval].as_i64().unwrap_or(1),
            duration: window["durationHours"].as_i64().unwrap_or_default(),
            day_of_week: text(&kind["dayOfWeek"]),
            day_of_month: kind["dayOfMonth"].as_i64(),
            week_index: text(&kind["weekIndex"]),
            start_time: text(&window["startTime"]).unwrap_or_default(),
            utc_offset: text(&window["utcOffset"]).unwrap_or_else(|| "+00:00".to_owned()),
            start_date: has_date.then(|| text(&window["startDate"])).flatten(),
            not_allowed: (!spans.is_empty() || has_spans).then_some(spans),
        })
    }
}

fn id(cluster: &ArmId, name: &str) -> ArmId {
    cluster.child("maintenanceConfigurations", name)
}

/// The part of the windows.
pub fn windows(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    let cluster = input.id();
    let windows = [
        (
            UPGRADES,
            &input.maintenance_window_auto_upgrade,
            "maintenance_window_auto_upgrade",
        ),
        (
            NODE_IMAGES,
            &input.maintenance_window_node_os,
            "maintenance_window_node_os",
        ),
    ];
    let wants = windows.into_iter().filter_map(|(name, window, argument)| {
        let body = window.as_ref()?.body();
        Some(Wanted::new(id(&cluster, name), Ok(body)).argument(argument))
    });
    Ok(wants.collect())
}

/// The windows as they are: those that were written, and after an import all.
///
/// # Errors
/// [`Unread`] when they have not been read yet.
pub fn observe(
    cluster: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<(Option<Window>, Option<Window>), Unread> {
    let of = |name: &str, written: Option<Option<&Window>>| {
        let written = match written {
            Some(None) => return Ok(None),
            Some(written) => written,
            None => None,
        };
        Ok(match seen.look(&id(cluster, name))? {
            Look::Found(found) => Window::observed(written, found),
            // One that is not there stays as it was written: its absence is drift of its own.
            Look::Absent | Look::Denied(_) => written.cloned(),
        })
    };
    let upgrades = of(
        UPGRADES,
        prior.map(|prior| prior.maintenance_window_auto_upgrade.as_ref()),
    );
    let images = of(
        NODE_IMAGES,
        prior.map(|prior| prior.maintenance_window_node_os.as_ref()),
    );
    Ok((upgrades?, images?))
}
