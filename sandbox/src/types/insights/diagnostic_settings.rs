//! Microsoft.Insights/diagnosticSettings, an extension of any resource. Azure Monitor answers its errors
//! without the member `error` around them, writes the id of the resource in lower case, and shows every
//! member, null where nothing was given. A setting in which nothing is enabled is no setting: the PUT is
//! answered with 200, and then there is none.

use serde_json::{Map, Value, json};

use super::VERSIONS;
use super::categories::{self, GROUPS, Sends};
use crate::errors::{ArmError, ArmResult, not_found};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};
use crate::types::operational_insights::workspaces as log_analytics;

/// The type's name.
pub const NAME: &str = "Microsoft.Insights/diagnosticSettings";

/// The row.
pub const SETTINGS: Type = Type {
    place: Place::None,
    put: Style::Replaced,
    creating: None,
    members: &["kind", "identity"],
    properties: &[
        "storageAccountId",
        "serviceBusRuleId",
        "eventHubAuthorizationRuleId",
        "eventHubName",
        "metrics",
        "logs",
        "workspaceId",
        "marketplacePartnerId",
        "logAnalyticsDestinationType",
    ],
    check,
    fill,
    vanishes: |setting| !anything_enabled(setting),
    render,
    ..Type::new(NAME, VERSIONS)
};

/// Most settings of one resource (documentation of diagnostic settings).
const MOST: usize = 5;
const WORKSPACE: &str = "/properties/workspaceId";
const LOGS: &str = "/properties/logs";
const METRICS: &str = "/properties/metrics";
/// Where a setting can send, in the order of Azure's answers.
const DESTINATIONS: &[&str] = &[
    "storageAccountId",
    "serviceBusRuleId",
    "workspaceId",
    "eventHubAuthorizationRuleId",
    "marketplacePartnerId",
];

/// The workspaces (ids) to which the resource's events of a category go.
#[must_use]
pub fn workspaces(world: &World, resource: &Resource, category: &str) -> Vec<String> {
    let Some(sends) = categories::of(&resource.type_name) else {
        return Vec::new();
    };
    world
        .list(resource.id.as_str(), NAME)
        .filter(|setting| {
            let own = setting.id.parent();
            own.is_some_and(|target| target.same(resource.id.as_str()))
                && setting
                    .items(LOGS)
                    .iter()
                    .filter(|entry| on(entry))
                    .any(|entry| meant(sends, entry).contains(&category))
        })
        .filter_map(|setting| setting.text(WORKSPACE).map(ToOwned::to_owned))
        .collect()
}

fn on(entry: &Value) -> bool {
    entry["enabled"].as_bool().unwrap_or(false)
}

fn meant(sends: &Sends, entry: &Value) -> Vec<&'static str> {
    sends.expanded(entry["category"].as_str(), entry["categoryGroup"].as_str())
}

fn anything_enabled(setting: &Resource) -> bool {
    [LOGS, METRICS]
        .iter()
        .any(|pointer| setting.items(pointer).iter().any(on))
}

fn bad(message: impl Into<String>) -> ArmError {
    ArmError::bad("BadRequest", message).bare()
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let target = new.id.parent().unwrap_or_else(|| new.id.clone());
    if target.group().is_some() {
        world.require(&target)?;
    }
    let Some(sends) = categories::of(&target.type_name()) else {
        return Err(ArmError::bad(
            "ResourceTypeNotSupported",
            format!(
                "The resource type '{}' does not support diagnostic settings.",
                target.type_name().to_lowercase()
            ),
        )
        .bare());
    };
    let given = |name: &&&str| {
        new.text(&format!("/properties/{name}"))
            .is_some_and(|text| !text.is_empty())
    };
    if !DESTINATIONS.iter().any(|name| given(&name)) {
        return Err(bad("At least one data sink needs to be specified."));
    }
    check_workspace(world, new)?;
    check_entries(new, sends)?;
    let others: Vec<&Resource> = world
        .list(target.as_str(), NAME)
        .filter(|other| other.id.parent().is_some_and(|at| at.same(target.as_str())))
        .filter(|other| !other.id.same(new.id.as_str()))
        .collect();
    if others.len() >= MOST && anything_enabled(new) {
        return Err(bad(format!(
            "The resource '{target}' has {MOST} diagnostic settings, which is the most that a resource can have."
        )));
    }
    others
        .iter()
        .try_for_each(|other| distinct(new, other, sends))
}

fn check_workspace(world: &World, new: &Resource) -> ArmResult<()> {
    let Some(text) = new.text(WORKSPACE) else {
        return Ok(());
    };
    let id = ResourceId::parse(text)
        .filter(|id| id.type_name().eq_ignore_ascii_case(log_analytics::NAME))
        .ok_or_else(|| bad(format!("The workspace id '{text}' is not valid.")))?;
    match world.get(id.as_str()) {
        Some(_) => Ok(()),
        None => Err(not_found(&id, "ResourceNotFound").bare()),
    }
}

fn check_entries(new: &Resource, sends: &Sends) -> ArmResult<()> {
    let logs = new.items(LOGS);
    let named = |name: &str| logs.iter().any(|entry| entry[name].is_string());
    if named("category") && named("categoryGroup") {
        return Err(bad(
            "A diagnostic setting names log categories or log category groups, not both.",
        ));
    }
    for entry in logs {
        if !entry["enabled"].is_boolean() {
            return Err(bad("A log entry needs the member 'enabled'."));
        }
        match (entry["category"].as_str(), entry["categoryGroup"].as_str()) {
            (None, None) => return Err(bad("A log entry needs a category or a category group.")),
            (_, Some(group)) if !known(GROUPS, group) => {
                return Err(bad(format!("Category group '{group}' is not supported.")));
            }
            (Some(category), _) if meant(sends, entry).is_empty() => {
                return Err(bad(format!("Category '{category}' is not supported.")));
            }
            _ => {}
        }
    }
    for entry in new.items(METRICS) {
        let category = entry["category"].as_str().unwrap_or_default();
        if !known(sends.metrics, category) {
            return Err(bad(format!(
                "Metric category '{category}' is not supported."
            )));
        }
    }
    // Retention is what a storage account's lifecycle does since September 2023.
    let retention = logs.iter().chain(new.items(METRICS)).any(|entry| {
        entry["retentionPolicy"]["enabled"] == Value::Bool(true)
            && entry["retentionPolicy"]["days"] != json!(0)
    });
    match retention {
        true => Err(bad(
            "Diagnostic settings does not support retention for new diagnostic settings.",
        )),
        false => Ok(()),
    }
}

fn known(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Two settings of a resource do not send the same category to the same destination.
fn distinct(new: &Resource, other: &Resource, sends: &Sends) -> ArmResult<()> {
    let shared = DESTINATIONS.iter().find_map(|name| {
        let pointer = format!("/properties/{name}");
        let sink = new.text(&pointer)?;
        other
            .text(&pointer)
            .filter(|theirs| theirs.eq_ignore_ascii_case(sink))
            .map(|_| sink)
    });
    let Some(sink) = shared else { return Ok(()) };
    let categories = |setting: &Resource| -> Vec<&'static str> {
        let logs = setting.items(LOGS).iter().filter(|entry| on(entry));
        let metrics = setting.items(METRICS).iter().filter(|entry| on(entry));
        logs.flat_map(|entry| meant(sends, entry))
            .chain(metrics.filter_map(|entry| {
                let category = entry["category"].as_str()?;
                sends
                    .metrics
                    .iter()
                    .copied()
                    .find(|known| known.eq_ignore_ascii_case(category))
            }))
            .collect()
    };
    let theirs = categories(other);
    match categories(new).into_iter().find(|own| theirs.contains(own)) {
        None => Ok(()),
        Some(category) => Err(ArmError::conflict(
            "Conflict",
            format!(
                "Data sink '{sink}' is already used in diagnostic setting '{}' for category '{category}'. Data sinks can't be reused in different settings on the same category for the same resource.",
                other.id.name()
            ),
        )
        .bare()),
    }
}

fn fill(_: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    for pointer in [LOGS, METRICS] {
        let entries: Vec<Value> = new
            .items(pointer)
            .iter()
            .map(|entry| {
                let mut entry = entry.clone();
                if entry["retentionPolicy"].is_null() {
                    entry["retentionPolicy"] = json!({ "enabled": false, "days": 0 });
                }
                entry
            })
            .collect();
        new.set(pointer, entries);
    }
    Ok(())
}

fn render(_: &World, setting: &Resource, body: &mut Value) {
    let target = setting.id.parent().map(|id| id.key()).unwrap_or_default();
    body["id"] = json!(format!(
        "{target}/providers/microsoft.insights/diagnosticSettings/{}",
        setting.id.name()
    ));
    for name in ["location", "kind", "tags", "identity"] {
        body[name] = Value::Null;
    }
    let mut properties = Map::new();
    for name in [
        "storageAccountId",
        "serviceBusRuleId",
        "workspaceId",
        "eventHubAuthorizationRuleId",
        "eventHubName",
        "metrics",
        "logs",
        "logAnalyticsDestinationType",
        "marketplacePartnerId",
    ] {
        properties.insert(name.to_owned(), body["properties"][name].clone());
    }
    for (name, key) in [("logs", "category"), ("logs", "categoryGroup")] {
        if let Some(Value::Array(entries)) = properties.get_mut(name) {
            for entry in entries {
                entry[key] = entry[key].clone();
            }
        }
    }
    body["properties"] = Value::Object(properties);
}
