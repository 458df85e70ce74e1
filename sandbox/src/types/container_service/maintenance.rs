//! Microsoft.ContainerService/managedClusters/maintenanceConfigurations: when upgrades may run. Written at
//! once. `default` has weekly hours; the two schedules have a maintenance window.

use serde_json::{Value, json};

use super::{VERSIONS, invalid, number};
use crate::errors::ArmResult;
use crate::store::{Resource, World};
use crate::table::{Change, Place, Type, Verb};

/// The row.
pub const MAINTENANCE: Type = Type {
    place: Place::None,
    creating: None,
    not_found: "NotFound",
    properties: &["timeInWeek", "notAllowedTime", "maintenanceWindow"],
    check,
    fill,
    ..Type::new(
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        VERSIONS,
    )
};

const WINDOW: &str = "/properties/maintenanceWindow";
const DAYS: &[&str] = &[
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    match new.id.name() {
        "default" => hours(new),
        "aksManagedAutoUpgradeSchedule" | "aksManagedNodeOSUpgradeSchedule" => window(new),
        other => Err(invalid(
            "maintenanceConfiguration.name",
            format!(
                "{other} is none of default, aksManagedAutoUpgradeSchedule, aksManagedNodeOSUpgradeSchedule"
            ),
        )),
    }
}

fn hours(new: &Resource) -> ArmResult<()> {
    if new.at(WINDOW).is_some() {
        return Err(invalid(
            "maintenanceWindow",
            "The configuration default has timeInWeek and notAllowedTime, no maintenance window",
        ));
    }
    for time in new.items("/properties/timeInWeek") {
        let hours = time["hourSlots"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let right = hours
            .iter()
            .all(|hour| hour.as_i64().is_some_and(|hour| (0..24).contains(&hour)));
        if !time["day"].as_str().is_some_and(|day| DAYS.contains(&day))
            || hours.is_empty()
            || !right
        {
            return Err(invalid(
                "timeInWeek",
                format!("{time} is not a day of the week with hours from 0 to 23"),
            ));
        }
    }
    Ok(())
}

fn window(new: &Resource) -> ArmResult<()> {
    let target = "maintenanceWindow";
    let schedules: Vec<&String> = new
        .at(&format!("{WINDOW}/schedule"))
        .and_then(Value::as_object)
        .map(|map| map.keys().collect())
        .unwrap_or_default();
    if schedules.len() != 1
        || !["daily", "weekly", "absoluteMonthly", "relativeMonthly"]
            .contains(&schedules[0].as_str())
    {
        return Err(invalid(
            target,
            "schedule must be exactly one of daily, weekly, absoluteMonthly and relativeMonthly",
        ));
    }
    let duration = number(new, &format!("{WINDOW}/durationHours"), 0);
    if !(4..=24).contains(&duration) {
        return Err(invalid(
            target,
            format!("durationHours {duration} is not between 4 and 24"),
        ));
    }
    let clock = |text: &str| {
        let mut parts = text.splitn(2, ':').map(str::parse::<u32>);
        matches!(
            (parts.next(), parts.next()),
            (Some(Ok(0..24)), Some(Ok(0..60)))
        ) && text.len() == 5
    };
    let start = new.text(&format!("{WINDOW}/startTime")).unwrap_or_default();
    if !clock(start) {
        return Err(invalid(
            target,
            format!("startTime '{start}' is not a time such as 08:30"),
        ));
    }
    let offset = new.text(&format!("{WINDOW}/utcOffset")).unwrap_or("+00:00");
    if !offset.strip_prefix(['+', '-']).is_some_and(clock) {
        return Err(invalid(
            target,
            format!("utcOffset '{offset}' is not an offset such as +05:30"),
        ));
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    if new.at(WINDOW).is_some() {
        let today = world.timestamp().chars().take(10).collect::<String>();
        new.default(&format!("{WINDOW}/startDate"), today);
        new.default(&format!("{WINDOW}/utcOffset"), "+00:00");
        new.default(&format!("{WINDOW}/notAllowedDates"), json!([]));
    }
    Ok(())
}
