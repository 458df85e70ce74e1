//! What becomes of the events of a registry: a diagnostic setting (`Microsoft.Insights/diagnosticSettings`)
//! that sends logins and repository events to a workspace (`Microsoft.OperationalInsights/workspaces`), given
//! or made here. One resource, because a setting is right only together with what others send already: Azure
//! refuses a second setting for the same events and workspace, and a policy may have made the first one. The
//! registry is its anchor, and someone else's: it is only read.

mod check;
mod observe;
mod schema;
mod settings;
mod workspace;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::settings::{MOST, SETTING, Stream};
use self::workspace::{WORKSPACE, Workspace};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Check, Composite, Evidence, Lock, Look, Observed, Page, Part, Seen, Surroundings, Unread,
    Wanted,
};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const PART: &str = "setting";

/// The name of the diagnostic setting unless the user gives another.
const NAME: &str = "fkaks-audit";

/// `fkaks_registry_audit`
pub struct RegistryAudit;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    name: String,
    workspace_id: Option<ArmId>,
    workspace: Option<Workspace>,
    events: Option<BTreeSet<Stream>>,
    metrics_enabled: bool,
    existing: Existing,
    /// At an import: the diagnostic setting that becomes this resource's.
    #[serde(skip)]
    adopted: Option<ArmId>,
}

/// What is done about settings that someone else made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Existing {
    /// What they send to the workspace need not be sent again.
    Accept,
    /// Only this resource's setting counts.
    Refuse,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    workspace_customer_id: Option<String>,
    collected: std::collections::BTreeMap<Stream, Collected>,
}

/// How one kind of event gets to the workspace.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Collected {
    setting_id: String,
    owned: bool,
}

impl Composite for RegistryAudit {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_audit";
    const ANCHOR: &'static str = REGISTRY;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("workspace", workspace::wanted)
            .keep(workspace::is_used)
            .existing(use_the_workspace),
        Part::new(PART, setting)
            .after(&["workspace"])
            .until(all_is_sent)
            .existing(count_it)
            .locks(one_at_a_time),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.registry_id.clone())
    }

    fn imported(id: &ArmId) -> Option<Json> {
        if id.is(REGISTRY) {
            return Some(json!({ "id": id }));
        }
        let registry = id.parent().filter(|scope| scope.is(REGISTRY))?;
        id.is(SETTING)
            .then(|| json!({ "id": registry, "objects": { PART: [id] } }))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn known_by(state: &Value) -> Vec<ArmId> {
        let workspace = state.get("workspace_id").as_str();
        let workspace = workspace.and_then(|id| ArmId::parse(id).ok());
        workspace.into_iter().collect()
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        let Some(registry) = plan.get("registry_id").as_str() else {
            return known;
        };
        known.push(("id", Value::from(registry)));
        let workspace = plan.get("workspace");
        let group = match workspace.get("resource_group_id") {
            Value::Null => ArmId::parse(registry)
                .ok()
                .and_then(|id| id.resource_group_id()),
            given => given.as_str().and_then(|id| ArmId::parse(id).ok()),
        };
        if let (Some(group), Some(name)) = (group, workspace.get("name").as_str()) {
            let id = group.resource(WORKSPACE, name);
            known.push(("workspace_id", Value::from(id.as_str())));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    /// Where the events go: the workspace that is made here, or the one that was given.
    fn target(&self) -> Option<ArmId> {
        match &self.workspace {
            Some(workspace) => workspace.id(&self.registry_id),
            None => self.workspace_id.clone(),
        }
    }

    fn setting_id(&self) -> ArmId {
        self.registry_id.resource(SETTING, &self.name)
    }

    /// What shall get there.
    fn streams(&self) -> BTreeSet<Stream> {
        let events = self.events.clone();
        let mut streams = events.unwrap_or_else(|| Stream::EVENTS.into());
        if self.metrics_enabled {
            streams.insert(Stream::Metrics);
        }
        streams
    }

    fn owns(&self, seen: &Seen, id: &ArmId) -> bool {
        seen.owns(id) || self.adopted.as_ref() == Some(id)
    }
}

/// A setting for what nobody else sends.
fn setting(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.setting_id();
    let look = seen.look(&id).map(Look::found);
    let own = settings::own(input, seen, &|id| input.owns(seen, id))?;
    let Some(workspace) = input.target().filter(|_| !own.is_empty()) else {
        return Ok(Vec::new());
    };
    let body = look.map(|found| settings::body(&workspace, &own, found));
    Ok(vec![Wanted::new(id, body).argument("name")])
}

/// A setting counts when the registry's list shows what it sends: Azure's answers to a write and to a
/// reading right after it may come from different places (azure-rest-api-specs issue 30249).
fn all_is_sent(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let found = settings::disagreements(input, seen, &|id| input.owns(seen, id))?;
    Ok(if found.is_empty() {
        Evidence::Done
    } else {
        Evidence::Waiting(found.join("; "))
    })
}

/// A registry has few settings, and Azure compares each new one with the others.
fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![Lock::on(&input.registry_id, "diagnostics", 1)]
}

fn count_it(id: &ArmId) -> Option<String> {
    Some(format!(
        "where it sends what is asked for to the same workspace, let it count, without owning it:\n\n  existing \
         = \"accept\"\n\nOtherwise give this resource's setting another name, or take the setting over:\n\n  \
         import {{\n    to = fkaks_registry_audit.example\n    id = \"{id}\"\n  }}\n\nA registry has room for \
         {MOST} settings."
    ))
}

fn use_the_workspace(id: &ArmId) -> Option<String> {
    Some(format!(
        "send the events there without owning it, in place of `workspace`:\n\n  workspace_id = \"{id}\""
    ))
}

#[cfg(test)]
mod tests;
