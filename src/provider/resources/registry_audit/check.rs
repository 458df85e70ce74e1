//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value, to_json};

use super::settings::{self, MOST, SETTING, Sender};
use super::workspace::{RESERVATION, SoftDeleted, WORKSPACE};
use super::{Existing, Input};
use crate::arm::{ArmId, Json, same_location};
use crate::provider::parts::{Check, Look, Unread, without_unknowns};

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let (given, made) = (config.get("workspace_id"), config.get("workspace"));
    // What is not known yet may still be left out.
    let known = |value: &Value| !value.is_null() && !value.is_unknown();
    match (given.is_null(), made.is_null()) {
        (true, true) => diagnostics.error(
            Path::root(),
            "the events have nowhere to go",
            "Fix: name a workspace that stands already, or have one made:\n\n  workspace_id = \
             azurerm_log_analytics_workspace.example.id\n\nor\n\n  workspace = {\n    name = \"log-images\"\n  }",
        ),
        (false, false) if known(given) && known(made) => diagnostics.error(
            Path::attribute("workspace_id"),
            "a given workspace and one that is made do not go together",
            "Fix: remove workspace_id or workspace.",
        ),
        _ => {}
    }
    let reserved = made.get("capacity_reservation_gb_per_day");
    let path = || Path::attribute("workspace").then("capacity_reservation_gb_per_day");
    let by_reservation = match made.get("sku") {
        sku if made.is_null() || sku.is_unknown() => return,
        sku => sku.as_str() == Some(RESERVATION),
    };
    match (by_reservation, reserved.is_null()) {
        (true, true) => diagnostics.error(
            path(),
            format!("the plan {RESERVATION} needs an amount"),
            "Fix: say how many gigabytes a day are reserved:\n\n  capacity_reservation_gb_per_day = 100",
        ),
        (false, false) => diagnostics.error(
            path(),
            format!("only the plan {RESERVATION} reserves an amount"),
            format!("Fix: leave it out, or choose the plan:\n\n  sku = \"{RESERVATION}\""),
        ),
        _ => {}
    }
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    // Ask for everything first.
    let settings = settings::all(&input, check.seen);
    let senders = settings::senders(&input, check.seen, &|id| check.is_ours(id));
    let workspace = soft_deleted(&input, check);
    let found = input.target().map(|id| check.look(&id));
    let settings = settings?;
    let senders = senders?;
    let ours = input.setting_id();
    if input.existing == Existing::Refuse {
        for stream in input.streams() {
            // The very setting that this resource would make is perhaps its own, of an earlier life that
            // failed and is replaced now, which a plan cannot tell. The apply can.
            let theirs = |sender: &&Sender| !sender.owned && sender.id != ours;
            let Some(other) = senders.get(&stream).filter(theirs) else {
                continue;
            };
            check.error(
                Path::attribute("existing"),
                format!("someone else's setting sends {} already", stream.category()),
                format!(
                    "- {}\n\nAzure refuses two settings that send the same to the same workspace.\n\nFix: let it \
                     count:\n\n  existing = \"accept\"\n\nOr delete it where it is managed, or take it over:\n\n  \
                     import {{\n    to = fkaks_registry_audit.example\n    id = \"{0}\"\n  }}",
                    other.id
                ),
            );
        }
    }
    let is_there = settings
        .iter()
        .filter_map(settings::id_of)
        .any(|id| id == ours);
    let needed = settings::own(&input, check.seen, &|id| check.is_ours(id))?;
    if settings.len() >= MOST && !is_there && !needed.is_empty() {
        let names: Vec<String> = settings
            .iter()
            .filter_map(settings::id_of)
            .map(|id| format!("- {id}"))
            .collect();
        check.error(
            Path::attribute("registry_id"),
            format!("the registry has {MOST} diagnostic settings already, and room for no more"),
            format!(
                "{}\n\nFix: delete one that nobody needs, or have one of them send the events to the workspace, \
                 which then counts here.",
                names.join("\n")
            ),
        );
    }
    workspace?;
    if let (Some(found), Some(id)) = (found, input.target()) {
        moved(&input, &id, found?, check);
    }
    Ok(())
}

/// The input as far as it is known.
fn planned(check: &Check<'_>) -> Option<Input> {
    let registry = check.id("registry_id")?;
    // Whatever is unknown of these decides what is compared here.
    let decisive = ["name", "workspace", "events", "metrics_enabled", "existing"];
    if decisive
        .iter()
        .any(|name| !check.planned.get(name).is_wholly_known())
    {
        return None;
    }
    let mut json = to_json(&without_unknowns(check.planned)).ok()?;
    json["registry_id"] = registry.as_str().into();
    serde_json::from_value(json).ok()
}

/// A workspace that was deleted less than two weeks ago comes back with its data when one of its name is
/// made (Microsoft Learn, "Delete and recover an Azure Log Analytics workspace").
fn soft_deleted(input: &Input, check: &mut Check<'_>) -> Result<(), Unread> {
    let (Some(workspace), Some(id)) = (&input.workspace, input.target()) else {
        return Ok(());
    };
    let Some(group) = id.resource_group_id() else {
        return Ok(());
    };
    let list = check.seen.list(
        &group,
        "providers/Microsoft.OperationalInsights/deletedWorkspaces",
    );
    if check.look(&id)?.is_some() {
        return Ok(());
    }
    let Look::Found(deleted) = list? else {
        return Ok(());
    };
    let is = |item: &&Json| {
        item["name"]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(id.name()))
    };
    let Some(found) = deleted.iter().find(is) else {
        return Ok(());
    };
    let customer = found["properties"]["customerId"]
        .as_str()
        .unwrap_or("unknown");
    let evidence = format!("- {id}\n- customer id: {customer}");
    let path = Path::attribute("workspace").then("soft_deleted");
    match workspace.soft_deleted {
        SoftDeleted::Restore => check.warning(
            path,
            format!("workspace {} was deleted and will come back", id.name()),
            format!(
                "{evidence}\n\nIt was deleted less than two weeks ago, and Azure restores it with its data and \
                 its customer id when a workspace of its name is made.\n\nWhere its data must not come back, \
                 choose another name, or refuse:\n\n  soft_deleted = \"refuse\""
            ),
        ),
        SoftDeleted::Refuse => check.error(
            path,
            format!("workspace {} was deleted and would come back with its data", id.name()),
            format!(
                "{evidence}\n\nFix: choose another name, delete it for good (az monitor log-analytics workspace \
                 delete --force), or let it come back:\n\n  soft_deleted = \"restore\""
            ),
        ),
    }
    Ok(())
}

/// A workspace stays in its region.
fn moved(input: &Input, id: &ArmId, found: Option<&Json>, check: &mut Check<'_>) {
    let wanted = input
        .workspace
        .as_ref()
        .and_then(|own| own.location.as_deref());
    let (Some(wanted), Some(found)) = (wanted, found) else {
        return;
    };
    let is = found["location"].as_str().unwrap_or_default();
    if !same_location(wanted, is) {
        check.error(
            Path::attribute("workspace").then("location"),
            format!("workspace {} stands in {is} and cannot move", id.name()),
            format!(
                "- {id}\n\nFix: leave it there, or give the one in {wanted} another name; the events go there, and \
                 the old one is deleted where nobody else uses it:\n\n  location = \"{is}\""
            ),
        );
    }
}

/// Whether all ids that the arguments name are of the right type, for the schema.
pub fn workspace_id(text: &str) -> Result<(), String> {
    crate::provider::resources::network::schema::id_of(WORKSPACE, text)
}

/// The names that Azure takes for a setting.
pub fn setting_name(text: &str) -> Result<(), String> {
    let wrong = |c: char| {
        matches!(
            c,
            '<' | '>' | '*' | '%' | '&' | ':' | '\\' | '?' | '+' | '/'
        )
    };
    if text.eq_ignore_ascii_case("service") {
        return Err(format!(
            "{text:?} cannot be deleted again in Azure ({SETTING} keeps a setting of that name)"
        ));
    }
    if (1..=260).contains(&text.chars().count()) && !text.contains(wrong) && !text.ends_with('.') {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name of a diagnostic setting: 1 to 260 characters, none of <>*%&:\\?+/"
        ))
    }
}

/// The names that Azure takes for a workspace.
pub fn workspace_name(text: &str) -> Result<(), String> {
    let word = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| word(c) || c == '-';
    if (4..=63).contains(&text.len())
        && text.chars().all(inner)
        && text.starts_with(word)
        && text.ends_with(word)
    {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name of a workspace: 4 to 63 letters, digits and hyphens, no hyphen at either end"
        ))
    }
}
