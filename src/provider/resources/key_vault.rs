//! A key vault by its exposure, for what a registry's clients need and nobody should read: one ARM object,
//! `Microsoft.KeyVault/vaults`. Who may read in it is a matter of roles alone; access policies stay empty.

mod check;
mod deleted;
mod observe;
mod schema;
mod validate;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::deleted::Deleted;
use super::registry::Exposure;
use super::registry::body::{leave_out, stripped};
use crate::arm::{ArmId, normalize};
use crate::provider::parts::{
    Check, Composite, Look, Observed, Page, Part, Seen, Surroundings, Tags, Unread, Wanted,
};

/// `fkaks_key_vault`
pub struct KeyVault;

/// What the user wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    name: String,
    resource_group_id: ArmId,
    location: String,
    sku: String,
    exposure: Exposure,
    allowed_ip_ranges: Option<BTreeSet<String>>,
    allowed_subnet_ids: Option<BTreeSet<ArmId>>,
    trusted_services_enabled: bool,
    soft_delete_retention_days: i64,
    purge_protection_enabled: bool,
    recover_deleted: bool,
    deletion_protection: bool,
    tags: Option<Tags>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    vault_uri: String,
    tenant_id: Option<String>,
}

const VAULT: &str = "Microsoft.KeyVault/vaults";

impl Composite for KeyVault {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_key_vault";
    const ANCHOR: &'static str = VAULT;
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;
    const PARTS: &'static [Part<Input>] = &[Part::new("vault", vault)];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(
        plan: &Value,
        prior: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        let Some(name) = plan.get("name").as_str() else {
            return known;
        };
        if let Some(id) = planned_id(plan) {
            known.push(("id", Value::from(id.as_str())));
        }
        if prior.is_none() {
            let suffix = &surroundings.cloud.key_vault_suffix;
            known.push(("vault_uri", Value::from(vault_uri(name, suffix))));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check_before_writing(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.resource_group_id.resource(VAULT, &self.name)
    }
}

/// The id that a plan will have, where it is known.
fn planned_id(plan: &Value) -> Option<ArmId> {
    let group = ArmId::parse(plan.get("resource_group_id").as_str()?).ok()?;
    Some(group.resource(VAULT, plan.get("name").as_str()?))
}

fn vault_uri(name: &str, suffix: &str) -> String {
    format!("https://{}.{suffix}/", name.to_lowercase())
}

/// The exposure of a vault. Without public access the default action says nothing.
fn exposure_of(vault: &Json) -> Exposure {
    let properties = &vault["properties"];
    let access = properties["publicNetworkAccess"].as_str();
    if access.is_some_and(|access| access.eq_ignore_ascii_case("Disabled")) {
        Exposure::Private
    } else if properties["networkAcls"]["defaultAction"] == "Deny" {
        Exposure::Allowlist
    } else {
        Exposure::Public
    }
}

/// The entries of a list of the vault's network rules, by their member of that name.
fn rules<'a>(vault: &'a Json, list: &str, member: &str) -> Vec<&'a str> {
    let rules = vault["properties"]["networkAcls"][list].as_array();
    let rules = rules.into_iter().flatten();
    rules.filter_map(|rule| rule[member].as_str()).collect()
}

fn vault(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let found = seen.look(&id).map(Look::found);
    // Of what stands, the tenant and the spelling are taken; what does not stand may be a deleted vault.
    let (body, recovery) = match found {
        Ok(Some(found)) => (Ok(body(input, Some(found), &found["properties"])), None),
        Ok(None) => making(input, &id, seen)
            .map_or((Err(Unread), None), |(body, recovery)| (Ok(body), recovery)),
        Err(Unread) => (Err(Unread), None),
    };
    Ok(vec![
        Wanted::new(id, body)
            .tagged(input.tags.as_ref())
            .immutable(&["/location"])
            .recovered(recovery),
    ])
}

/// The body of a vault that is to be made, and what brings the deleted one of its name back, where there is
/// one. Azure then takes nothing of the body (Azure/azure-rest-api-specs issue 21306).
fn making(input: &Input, id: &ArmId, seen: &Seen) -> Result<(Json, Option<Json>), Unread> {
    let subscription = ArmId::subscription(id.subscription_id());
    let look = seen.look(&subscription);
    let gone = deleted::of_name(&input.name, &subscription, seen)?;
    let tenant = look?.found().unwrap_or(&Json::Null);
    let recovers = input.recover_deleted
        && gone.is_some_and(|gone: Deleted<'_>| gone.comes_back_as(id, &input.location));
    let recovery = recovers.then(|| json!({"properties": {"createMode": "recover"}}));
    Ok((body(input, None, tenant), recovery))
}

/// The body of the vault; `tenant` has its `tenantId`.
fn body(input: &Input, found: Option<&Json>, tenant: &Json) -> Json {
    let (public_access, default_action) = input.exposure.switches();
    let there = |list, member| found.map_or_else(Vec::new, |found| rules(found, list, member));
    let (ranges, subnets) = (
        there("ipRules", "value"),
        there("virtualNetworkRules", "id"),
    );
    let ranges = input.allowed_ip_ranges.iter().flatten().map(|range| {
        let known = ranges
            .iter()
            .find(|known| stripped(known) == stripped(range));
        let value = known.map_or_else(|| with_length(range), |known| (*known).to_owned());
        json!({ "value": value })
    });
    let subnets = input.allowed_subnet_ids.iter().flatten().map(|id| {
        let known = subnets
            .iter()
            .find(|known| known.eq_ignore_ascii_case(id.as_str()));
        json!({ "id": known.map_or(id.as_str(), |known| known) })
    });
    let mut properties = json!({
        "tenantId": tenant["tenantId"],
        "sku": {"family": "A", "name": input.sku},
        "accessPolicies": [],
        "enableRbacAuthorization": true,
        "softDeleteRetentionInDays": input.soft_delete_retention_days,
        "publicNetworkAccess": public_access,
        "networkAcls": {
            "bypass": if input.trusted_services_enabled { "AzureServices" } else { "None" },
            "defaultAction": default_action,
            "ipRules": ranges.collect::<Vec<_>>(),
            "virtualNetworkRules": subnets.collect::<Vec<_>>(),
        },
    });
    // Azure takes no false: it is not on, or it is on for ever.
    if input.purge_protection_enabled {
        properties["enablePurgeProtection"] = true.into();
    }
    let mut body = json!({"location": normalize(&input.location), "properties": properties});
    if let Some(found) = found {
        leave_out(&defaults(), &mut body, found);
    }
    body
}

/// What Azure has where it says nothing: a vault that never had network rules shows none.
fn defaults() -> Json {
    json!({"properties": {
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
    }})
}

/// A range as Azure stores it: with the length of a single address.
fn with_length(range: &str) -> String {
    match range.contains('/') {
        true => range.to_owned(),
        false => format!("{range}/32"),
    }
}

#[cfg(test)]
mod tests;
