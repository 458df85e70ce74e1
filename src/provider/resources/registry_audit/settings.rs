//! Which of a registry's events get to the workspace, and by whose diagnostic setting.
//!
//! Sources: Microsoft.Insights 2021-05-01-preview; Microsoft Learn, "Supported logs for
//! Microsoft.ContainerRegistry/registries" and "Diagnostic settings in Azure Monitor".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Existing, Input};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread};

/// The ARM type of diagnostic settings.
pub const SETTING: &str = "Microsoft.Insights/diagnosticSettings";
/// How many of them a resource may have.
pub const MOST: usize = 5;

const SETTINGS: &str = "providers/Microsoft.Insights/diagnosticSettings";
const CATEGORIES: &str = "providers/Microsoft.Insights/diagnosticSettingsCategories";

/// What a registry tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Who logged in, from where, with what success.
    Login,
    /// Pushes, pulls, deletions, and the like.
    Repository,
    /// Numbers: pulls, pushes, storage.
    Metrics,
}

impl Stream {
    /// Those that are events.
    pub const EVENTS: [Self; 2] = [Self::Login, Self::Repository];

    /// Azure's name of it.
    pub fn category(self) -> &'static str {
        match self {
            Self::Login => "ContainerRegistryLoginEvents",
            Self::Repository => "ContainerRegistryRepositoryEvents",
            Self::Metrics => "AllMetrics",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Login => "login events",
            Self::Repository => "repository events",
            Self::Metrics => "metrics",
        }
    }

    /// The list of a setting in which it stands.
    fn list(self) -> &'static str {
        match self {
            Self::Login | Self::Repository => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// A setting that sends something to the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The setting.
    pub id: ArmId,
    /// Whether it is this resource's.
    pub owned: bool,
}

/// Who sends what to the workspace, this resource's own setting first. Nothing where the registry or its
/// settings cannot be seen.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn senders(
    input: &Input,
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Result<BTreeMap<Stream, Sender>, Unread> {
    let list = seen.list(&input.registry_id, SETTINGS)?.found();
    let mut senders: BTreeMap<Stream, Sender> = BTreeMap::new();
    let Some(target) = input.target() else {
        return Ok(senders);
    };
    for setting in list.unwrap_or_default() {
        let Some(listed) = id_of(setting).filter(|_| goes_to(setting, &target)) else {
            continue;
        };
        // Azure writes most of it in lower case.
        let id = input.registry_id.resource(SETTING, listed.name());
        let owned = owns(&id);
        for stream in [Stream::Login, Stream::Repository, Stream::Metrics] {
            let first = !senders.contains_key(&stream) || owned;
            if first && sends(setting, stream, &input.registry_id, seen)? {
                let id = id.clone();
                senders.insert(stream, Sender { id, owned });
            }
        }
    }
    Ok(senders)
}

/// What this resource's own setting has to send.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn own(
    input: &Input,
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Result<BTreeSet<Stream>, Unread> {
    let senders = senders(input, seen, owns)?;
    let by_others = |stream: &Stream| senders.get(stream).is_some_and(|sender| !sender.owned);
    let mut own = input.streams();
    if input.existing == Existing::Accept {
        own.retain(|stream| !by_others(stream));
    }
    Ok(own)
}

/// Where what gets to the workspace is not what shall get there, a sentence each. What this resource's own
/// setting still sends counts too: a list that shows it was read before the setting was changed.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn disagreements(
    input: &Input,
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Result<Vec<String>, Unread> {
    let senders = senders(input, seen, owns)?;
    let own = own(input, seen, owns)?;
    // Whoever may not list them takes Azure's answer to the write as evidence.
    if let Look::Denied(_) = seen.list(&input.registry_id, SETTINGS)? {
        return Ok(Vec::new());
    }
    let target = input.target();
    let target = target.as_ref().map_or("its workspace", ArmId::name);
    let registry = input.registry_id.name();
    let counts = |sender: &Sender| sender.owned || input.existing == Existing::Accept;
    let lacking = input
        .streams()
        .into_iter()
        .filter(|stream| !senders.get(stream).is_some_and(counts))
        .map(|stream| (stream, "are not sent"));
    let too_much = senders
        .iter()
        .filter(|(stream, sender)| sender.owned && !own.contains(stream))
        .map(|(stream, _)| (*stream, "are still sent"));
    let lines = lacking.chain(too_much).map(|(stream, what)| {
        let noun = stream.noun();
        format!("the {noun} of registry {registry} {what} to workspace {target}")
    });
    Ok(lines.collect())
}

/// All settings of the registry.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn all<'a>(input: &Input, seen: &'a Seen) -> Result<&'a [Json], Unread> {
    let list = seen.list(&input.registry_id, SETTINGS)?;
    Ok(list.found().unwrap_or_default())
}

/// Whether a setting sends something to that workspace.
pub fn goes_to(setting: &Json, workspace: &ArmId) -> bool {
    let target = setting["properties"]["workspaceId"].as_str();
    target
        .and_then(|id| ArmId::parse(id).ok())
        .is_some_and(|id| id == *workspace)
}

/// The settings of any object.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn of<'a>(object: &ArmId, seen: &'a Seen) -> Result<Look<&'a [Json]>, Unread> {
    seen.list(object, SETTINGS)
}

/// The id of a setting in a list. Azure answers there with ids in lower case.
pub fn id_of(setting: &Json) -> Option<ArmId> {
    ArmId::parse(setting["id"].as_str()?).ok()
}

/// Whether a setting sends this, by its category or by a group of categories.
fn sends(setting: &Json, stream: Stream, registry: &ArmId, seen: &Seen) -> Result<bool, Unread> {
    let entries = setting["properties"][stream.list()].as_array();
    for entry in entries.into_iter().flatten() {
        if entry["enabled"] != true {
            continue;
        }
        let is = |name: &str, value: &str| {
            entry[name]
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        if is("category", stream.category()) {
            return Ok(true);
        }
        let Some(group) = entry["categoryGroup"].as_str() else {
            continue;
        };
        if stream != Stream::Metrics
            && (group.eq_ignore_ascii_case("allLogs") || has(group, stream, registry, seen)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a group of categories has this one in it: Azure says so for each category.
fn has(group: &str, stream: Stream, registry: &ArmId, seen: &Seen) -> Result<bool, Unread> {
    let categories = seen.list(registry, CATEGORIES)?.found();
    Ok(categories.unwrap_or_default().iter().any(|category| {
        let groups = category["properties"]["categoryGroups"].as_array();
        let named = category["name"]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(stream.category()));
        let mut groups = groups.into_iter().flatten().filter_map(Json::as_str);
        named && groups.any(|own| own.eq_ignore_ascii_case(group))
    }))
}

/// The body of the own setting. Azure may list what is not sent as `enabled: false`; that is left as it is.
pub fn body(workspace: &ArmId, own: &BTreeSet<Stream>, found: Option<&Json>) -> Json {
    let entries = |list: &str, streams: &[Stream]| -> Vec<Json> {
        let wanted = streams.iter().filter(|stream| own.contains(stream));
        let wanted: Vec<&str> = wanted.map(|stream| stream.category()).collect();
        let off = found.and_then(|found| found["properties"][list].as_array());
        let off = off.into_iter().flatten().filter(|entry| {
            let category = entry["category"].as_str();
            entry["enabled"] == false
                && category.is_some_and(|name| {
                    wanted.iter().all(|other| !other.eq_ignore_ascii_case(name))
                })
        });
        let off = off.map(|entry| json!({"category": entry["category"], "enabled": false}));
        let on = wanted.iter();
        let on = on.map(|category| json!({"category": category, "enabled": true}));
        on.chain(off).collect()
    };
    json!({"properties": {
        "workspaceId": workspace,
        "logs": entries("logs", &Stream::EVENTS),
        "metrics": entries("metrics", &[Stream::Metrics]),
    }})
}
