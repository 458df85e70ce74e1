//! Addresses on a registry's firewall (`properties.networkRuleSet.ipRules` of
//! `Microsoft.ContainerRegistry/registries`), in step with the clusters, NAT gateways and public IP
//! addresses that they belong to. One resource, because a list that is copied by hand goes stale
//! with the next outbound address. The registry is its anchor, and someone else's; several may
//! serve one registry, each with its own addresses, so an address belongs to the one that added it.

mod check;
mod reckoning;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::reckoning::{Reckoning, rules_of};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Check, Composite, Deed, Evidence, Lock, Look, Observed, Page, Part, Seen, Surroundings, Unread,
};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";

/// The name under which an apply notes what it has added.
const ADDED: &str = "added";

/// The source of rules that an import found and no apply has named since.
const IMPORT: &str = "import";

/// `fkaks_registry_allowlist`
pub struct RegistryAllowlist;

/// What the user wrote, and what was added for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    cluster_ids: Option<BTreeSet<ArmId>>,
    nat_gateway_ids: Option<BTreeSet<ArmId>>,
    public_ip_ids: Option<BTreeSet<ArmId>>,
    ip_ranges: Option<BTreeSet<String>>,
    temporary: Option<BTreeMap<String, Temporary>>,
    /// What the state says of each address; it is written from what is found, not from here.
    #[serde(default, skip_serializing)]
    entries: Option<BTreeMap<String, Entry>>,
    /// What the state says of what is allowed for a while; likewise.
    #[serde(default, skip_serializing)]
    expiry: Option<BTreeMap<String, Window>>,
}

/// Ranges that are allowed for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Temporary {
    ip_ranges: BTreeSet<String>,
    expires_after: String,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    entries: BTreeMap<String, Entry>,
    expiry: BTreeMap<String, Window>,
}

/// An address that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Entry {
    /// For whom: an id, `ip_ranges`, or `temporary.` and the key.
    sources: BTreeSet<String>,
    /// Whether this resource added it, and so takes it away.
    owned: bool,
}

/// For how long something is allowed. It is kept when that time is over, so that nothing that has
/// expired comes back with the next apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    /// When it was first allowed (RFC 3339).
    since: String,
    /// When that ends.
    expires_at: String,
    /// Whether it has ended.
    expired: bool,
}

impl Composite for RegistryAllowlist {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_allowlist";
    const ANCHOR: &'static str = REGISTRY;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(15, 5, 15, 15);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[Part::deeds("rules", open_then_close, close)
        .until(all_are_allowed)
        .locks(one_at_a_time)];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.registry_id.clone())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        let imported = || imported(id, seen);
        let input = prior.map_or_else(imported, |prior| Ok(prior.clone()))?;
        let reckoning = Reckoning::of(&input, seen)?;
        let output = Output {
            entries: reckoning.entries(),
            expiry: reckoning.expiry(),
        };
        Ok(Observed::new(input, output))
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let registry = plan.get("registry_id").as_str().map(Value::from);
        registry.map(|id| ("id", id)).into_iter().collect()
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::registry_has_a_list(check)
    }
}

/// The next change of the rules: everything that is missing is added at once, and only when
/// nothing is missing any more, what has lost its source goes.
fn open_then_close(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let Look::Found(registry) = seen.look(&input.registry_id)? else {
        return Ok(None);
    };
    let reckoning = Reckoning::of(input, seen)?;
    let missing = reckoning.missing();
    let mut rules = rules_of(registry);
    if !missing.is_empty() {
        rules.extend(missing.iter().cloned());
        return Ok(Some(write(input, &rules).noting(ADDED, json!(missing))));
    }
    let obsolete = reckoning.obsolete();
    rules.retain(|rule| !obsolete.contains(rule));
    Ok((!obsolete.is_empty()).then(|| write(input, &rules)))
}

/// What this resource has added goes with it.
fn close(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let Look::Found(registry) = seen.look(&input.registry_id)? else {
        return Ok(None);
    };
    let entries = input.entries.iter().flatten();
    let ours: BTreeSet<&String> = entries
        .filter(|(_, entry)| entry.owned && !entry.is_found())
        .map(|(address, _)| address)
        .collect();
    let rules = rules_of(registry);
    let left: BTreeSet<String> = rules
        .iter()
        .filter(|rule| !ours.contains(rule))
        .cloned()
        .collect();
    Ok((left.len() < rules.len()).then(|| write(input, &left)))
}

/// A PATCH of nothing but the rules.
fn write(input: &Input, rules: &BTreeSet<String>) -> Deed {
    let rules: Vec<Json> = rules
        .iter()
        .map(|rule| json!({ "action": "Allow", "value": rule }))
        .collect();
    let body = json!({ "properties": { "networkRuleSet": { "ipRules": rules } } });
    Deed::patch(input.registry_id.clone(), body)
        .argument("registry_id")
        .beside_others()
}

fn all_are_allowed(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    if let Look::Absent = seen.look(&input.registry_id)? {
        let why = format!("registry {} does not exist", input.registry_id);
        return Ok(Evidence::Waiting(why));
    }
    let reasons = Reckoning::of(input, seen)?.reasons();
    Ok(match reasons.is_empty() {
        true => Evidence::Done,
        false => Evidence::Waiting(reasons.join("; ")),
    })
}

/// A registry takes one write at a time, whatever it is about.
fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![Lock::on(&input.registry_id, "connections", 1)]
}

/// An import finds all rules of the registry, as plain ranges. Those that the first apply after it
/// names become this resource's own; the others are left as they are.
fn imported(registry: &ArmId, seen: &Seen) -> Result<Input, Unread> {
    let rules = match seen.look(registry)? {
        Look::Found(registry) => rules_of(registry),
        Look::Absent | Look::Denied(_) => BTreeSet::new(),
    };
    let entry = |rule: &String| {
        let entry = Entry {
            sources: [IMPORT.to_owned()].into(),
            owned: true,
        };
        (rule.clone(), entry)
    };
    Ok(Input {
        registry_id: registry.clone(),
        cluster_ids: None,
        nat_gateway_ids: None,
        public_ip_ids: None,
        entries: Some(rules.iter().map(entry).collect()),
        ip_ranges: Some(rules),
        temporary: None,
        expiry: None,
    })
}

#[cfg(test)]
mod tests;
