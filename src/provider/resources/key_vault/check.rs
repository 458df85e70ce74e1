//! What can be found wrong at plan with Azure's facts: a name that another vault has or a deleted one holds,
//! what is fixed for a vault's life, and who would be shut out.

use serde_json::json;
use tfplugin_rs::value::{Path, Value};

use super::deleted::{self, Deleted};
use super::{VAULT, exposure_of, planned_id, rules};
use crate::arm::{ArmId, Json, same_location};
use crate::provider::parts::{Check, Look, Question, Unread};
use crate::provider::resources::registry::Exposure;

/// Checks a plan.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    fixed(check);
    let results = [name(check), tightening(check), subnets(check, false)];
    results.into_iter().collect()
}

/// Checks what the same apply has made before: a subnet's service endpoints.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
    subnets(check, true)
}

/// What Azure never changes. (Microsoft Learn, "Azure Key Vault soft-delete overview".)
fn fixed(check: &mut Check<'_>) {
    let Some(prior) = check.prior else {
        return;
    };
    let planned = check.planned;
    let id = prior.get("id").as_str().unwrap_or_default();
    if prior.get("purge_protection_enabled").as_bool() == Some(true)
        && planned.get("purge_protection_enabled").as_bool() == Some(false)
    {
        check.error(
            Path::attribute("purge_protection_enabled"),
            "purge protection can never be turned off again",
            format!(
                "- {id}\n\nOnce it is on, nobody can turn it off, Microsoft included.\n\nFix: keep\n\n  \
                 purge_protection_enabled = true"
            ),
        );
    }
    let days = |value: &Value| value.get("soft_delete_retention_days").as_i64();
    if let (Some(is), Some(wanted)) = (days(prior), days(planned))
        && is != wanted
    {
        check.error(
            Path::attribute("soft_delete_retention_days"),
            "the retention of a vault is fixed when it is created",
            format!(
                "- {id} has {is} days, and {wanted} are wanted\n\nA replacement would not help: a deleted vault \
                 comes back as it was.\n\nFix: keep\n\n  soft_delete_retention_days = {is}\n\nor give the vault another \
                 name."
            ),
        );
    }
}

/// One name is one vault in all of Azure, deleted ones included.
fn name(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(id) = planned_id(check.planned).filter(|_| check.is_creation()) else {
        return Ok(());
    };
    if replaced(check, &id) {
        return Ok(());
    }
    let subscription = ArmId::subscription(id.subscription_id());
    let question = json!({ "name": id.name(), "type": VAULT });
    let action = "providers/Microsoft.KeyVault/checkNameAvailability";
    // Asked for together, so that they are read at the same time.
    let look = check.seen.look(&id);
    let free = check
        .seen
        .ask(&Question::action(&subscription, action, &question));
    let vaults = check
        .seen
        .list(&subscription, &format!("providers/{VAULT}"));
    let gone = deleted::of_name(id.name(), &subscription, check.seen);
    // One of this very id is told of as any object that stands already.
    if let Look::Found(_) = look? {
        return Ok(());
    }
    let (vaults, gone) = (vaults?.found().unwrap_or_default(), gone?);
    let free = free?;
    let standing = vaults.iter().find_map(|vault| {
        let other = ArmId::parse(vault["id"].as_str()?).ok()?;
        other
            .name()
            .eq_ignore_ascii_case(id.name())
            .then_some(other)
    });
    if let Some(other) = standing {
        taken(
            check,
            &id,
            &format!("- {other}: a vault of this subscription"),
        );
    } else if let Some(gone) = gone {
        held(check, &id, gone);
    } else if let Look::Found(answer) = free
        && answer["nameAvailable"] == false
    {
        let message = answer["message"].as_str().unwrap_or_default();
        if answer["reason"] == "AlreadyExists" {
            let where_not = format!(
                "- no vault of {subscription} that the caller may see has it, nor a deleted one: it is in another \
                 subscription\n- Azure: {message}"
            );
            taken(check, &id, &where_not);
        } else {
            check.error(
                Path::attribute("name"),
                format!("Azure takes no vault by the name {}", id.name()),
                format!("- Azure: {message}\n\nFix: choose another name."),
            );
        }
    }
    Ok(())
}

fn taken(check: &mut Check<'_>, id: &ArmId, evidence: &str) {
    check.error(
        Path::attribute("name"),
        format!("the name {} is taken", id.name()),
        format!(
            "{evidence}\n\nA vault's name becomes a host name, and so is unique in all of Azure.\n\nFix: choose \
             another name."
        ),
    );
}

/// The name is a deleted vault's: this resource brings it back, or cannot be made.
fn held(check: &mut Check<'_>, id: &ArmId, gone: Deleted<'_>) {
    let location = check.planned.get("location");
    let (Some(location), Some(recovers)) = (
        location.as_str(),
        check.planned.get("recover_deleted").as_bool(),
    ) else {
        return;
    };
    let comes_back = gone.comes_back_as(id, location);
    if comes_back && recovers {
        recovered(check, gone);
        return;
    }
    let mut fixes = Vec::new();
    if comes_back {
        fixes.push(
            "have it recovered, with all that is in it:\n\n  recover_deleted = true".to_owned(),
        );
    } else if let Some(group) = gone.vault_id().and_then(|id| id.resource_group_id()) {
        fixes.push(format!(
            "have it recovered to where it was, with all that is in it:\n\n  resource_group_id = \"{group}\"\n  \
             location          = \"{}\"\n  recover_deleted   = true",
            gone.location()
        ));
    }
    fixes.push("choose another name".to_owned());
    if !gone.is_protected() {
        fixes.push(format!(
            "have it purged, for ever:\n\n  az keyvault purge --name {} --location {}",
            id.name(),
            gone.location()
        ));
    }
    let path = match comes_back {
        true => Path::attribute("recover_deleted"),
        false => Path::attribute("name"),
    };
    check.error(
        path,
        format!("the name {} is held by a deleted vault", id.name()),
        format!("{}\n\nFix: {}.", gone.evidence(), fixes.join(".\n\nOr ")),
    );
}

/// A deleted vault comes back with what is fixed for its life.
fn recovered(check: &mut Check<'_>, gone: Deleted<'_>) {
    let planned = check.planned;
    let wanted = planned.get("soft_delete_retention_days").as_i64();
    if let (Some(is), Some(wanted)) = (gone.retention_days(), wanted)
        && is != wanted
    {
        check.error(
            Path::attribute("soft_delete_retention_days"),
            "the vault that is recovered keeps its own retention",
            format!(
                "{}\n\nIt is fixed when a vault is created: {is} days, and {wanted} are wanted.\n\nFix: set\n\n  \
                 soft_delete_retention_days = {is}\n\nor give the vault another name.",
                gone.evidence()
            ),
        );
    }
    if gone.is_protected() && planned.get("purge_protection_enabled").as_bool() == Some(false) {
        check.error(
            Path::attribute("purge_protection_enabled"),
            "the vault that is recovered keeps its purge protection",
            format!(
                "{}\n\nIt can never be turned off again.\n\nFix: set\n\n  purge_protection_enabled = true\n\nor give the \
                 vault another name.",
                gone.evidence()
            ),
        );
    }
    check.warning(
        Path::root(),
        "a deleted vault is recovered",
        format!(
            "{}\n\nIt comes back with its secrets, keys and certificates, and is then changed to what is configured \
             here. To be told instead:\n\n  recover_deleted = false",
            gone.evidence()
        ),
    );
}

/// A replacement under the same name finds the name held by the vault that it has just deleted.
/// True when the creation replaces a vault of that name, so that there is nothing more to be said.
fn replaced(check: &mut Check<'_>, id: &ArmId) -> bool {
    let replaced = check.replaced.as_ref();
    let former = replaced.and_then(|ledger| {
        let mut ids = ledger.iter().map(|(_, id)| id);
        ids.find(|former| former.is(VAULT) && former.name().eq_ignore_ascii_case(id.name()))
            .cloned()
    });
    let Some(former) = former else {
        return false;
    };
    let found = check.seen.look(&former).ok().and_then(Look::found);
    let home = found.and_then(|found| found["location"].as_str());
    let moves = former != *id
        || check
            .planned
            .get("location")
            .as_str()
            .zip(home)
            .is_some_and(|(location, home)| !same_location(location, home));
    if moves {
        check.error(
            Path::attribute("name"),
            "a vault cannot be moved under its name",
            format!(
                "- {former}{}\n\nOnce it is deleted it holds its name, and Azure recovers it only to where it \
                 was.\n\nFix: give the vault in the new place another name.",
                home.map(|home| format!(" in {home}")).unwrap_or_default()
            ),
        );
    } else if check.planned.get("recover_deleted").as_bool() == Some(false) {
        check.error(
            Path::attribute("recover_deleted"),
            "the replacement finds its name held by the vault that it replaces",
            format!(
                "- {former}\n\nFix: have it recovered when it has been deleted:\n\n  recover_deleted = true\n\nor give \
                 the vault another name."
            ),
        );
    }
    true
}

/// A vault in use that loses its public address.
fn tightening(check: &mut Check<'_>) -> Result<(), Unread> {
    let id = check.prior.and_then(|prior| prior.get("id").as_str());
    let Some(Ok(id)) = id.map(ArmId::parse) else {
        return Ok(());
    };
    if check.planned.get("exposure").as_str() != Some(Exposure::Private.name()) {
        return Ok(());
    }
    let Some(found) = check.look(&id)? else {
        return Ok(());
    };
    let is = exposure_of(found);
    if is == Exposure::Private || has_private_way(found) {
        return Ok(());
    }
    check.warning(
        Path::attribute("exposure"),
        "no private endpoint leads to the vault that is closed",
        format!(
            "- {id} is {} today, and has no approved private endpoint\n\nWhoever reads secrets through its public \
             address is cut off. What Azure Resource Manager does, such as writing a registry token's password, goes \
             on.\n\nFix, if it has readers: make a private endpoint for it first, then close it.",
            is.name()
        ),
    );
    Ok(())
}

fn has_private_way(vault: &Json) -> bool {
    let connections = vault["properties"]["privateEndpointConnections"].as_array();
    connections.into_iter().flatten().any(|connection| {
        connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    })
}

/// A subnet is allowed only when its service endpoint is there. One that is to be made or changed first may
/// get it in the same apply, so that it is refused only right before the vault is written.
fn subnets(check: &mut Check<'_>, refuse: bool) -> Result<(), Unread> {
    let ids: Vec<ArmId> = check
        .planned
        .get("allowed_subnet_ids")
        .as_items()
        .into_iter()
        .flatten()
        .filter_map(|id| ArmId::parse(id.as_str()?).ok())
        .collect();
    let vault = planned_id(check.planned);
    let vault = vault.map(|id| check.look(&id)).transpose()?.flatten();
    let allowed = vault.map(|vault| rules(vault, "virtualNetworkRules", "id"));
    let is_new = |id: &&ArmId| {
        let mut allowed = allowed.iter().flatten();
        !allowed.any(|allowed| allowed.eq_ignore_ascii_case(id.as_str()))
    };
    let looks: Vec<_> = ids
        .iter()
        .filter(is_new)
        .map(|id| (check.seen.look(id), id))
        .collect();
    let mut lacking = Vec::new();
    for (look, id) in looks {
        if let Look::Found(subnet) = look?
            && !has_service_endpoint(subnet)
        {
            lacking.push(format!("- {id}"));
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let path = Path::attribute("allowed_subnet_ids");
    let detail = format!(
        "They have no service endpoint Microsoft.KeyVault, so that their traffic does not come as theirs, and Azure \
         refuses the rule:\n{}\n\nFix: add it to each of them first:\n\n  service_endpoints = [\"Microsoft.KeyVault\"]",
        lacking.join("\n")
    );
    if refuse {
        check.error(path, "subnets cannot be allowed yet", detail);
    } else {
        check.warning(
            path,
            "subnets can be allowed only with a service endpoint",
            detail,
        );
    }
    Ok(())
}

fn has_service_endpoint(subnet: &Json) -> bool {
    let endpoints = subnet["properties"]["serviceEndpoints"].as_array();
    let mut endpoints = endpoints.into_iter().flatten();
    endpoints.any(|endpoint| {
        endpoint["service"]
            .as_str()
            .is_some_and(|service| service.eq_ignore_ascii_case("Microsoft.KeyVault"))
    })
}
