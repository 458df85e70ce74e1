//! What can be found wrong before anything is changed: at validate without Azure, at plan with it.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::reckoning::Reckoning;
use super::{CLUSTER, Input, REGISTRY, Temporary};
use crate::arm::{ArmId, Json};
use crate::provider::egress::{self, Egress};
use crate::provider::parts::{Check, Look, Unread};
use crate::provider::resources::registry::body::stripped;

/// The arguments that name objects, and the types that they may be of.
const NAMED: &[(&str, &[&str])] = &[
    ("cluster_ids", &[CLUSTER]),
    ("nat_gateway_ids", &["Microsoft.Network/natGateways"]),
    (
        "public_ip_ids",
        &[
            "Microsoft.Network/publicIPAddresses",
            "Microsoft.Network/publicIPPrefixes",
        ],
    ),
];

/// How many rules a registry takes where its usages do not say (Azure Container Registry service
/// tiers: 100 with Premium).
const RULES: u64 = 100;

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let registry = config.get("registry_id").as_str();
    if let Some(id) = registry.and_then(|id| ArmId::parse(id).ok()) {
        kind(
            Path::attribute("registry_id"),
            &id,
            &[REGISTRY],
            diagnostics,
        );
    }
    for (argument, kinds) in NAMED {
        for id in config.get(argument).as_items().into_iter().flatten() {
            if let Some(id) = id.as_str().and_then(|id| ArmId::parse(id).ok()) {
                kind(Path::attribute(*argument), &id, kinds, diagnostics);
            }
        }
    }
    let arguments = NAMED.iter().map(|(argument, _)| *argument);
    let mut arguments = arguments.chain(["ip_ranges", "temporary"]);
    if arguments.all(|argument| is_empty(config.get(argument))) {
        diagnostics.error(
            Path::root(),
            "there is nothing to allow",
            "Fix: name whose addresses are allowed:\n\n  cluster_ids = [fkaks_cluster.example.id]\n\nor the \
             addresses themselves:\n\n  ip_ranges = [\"203.0.113.7\"]",
        );
    }
    twice(
        config.get("ip_ranges"),
        &Path::attribute("ip_ranges"),
        diagnostics,
    );
    for (key, temporary) in config.get("temporary").as_map().into_iter().flatten() {
        let path = Path::attribute("temporary").key(key).then("ip_ranges");
        twice(temporary.get("ip_ranges"), &path, diagnostics);
    }
}

fn kind(path: Path, id: &ArmId, kinds: &[&str], diagnostics: &mut Diagnostics) {
    if !kinds.iter().any(|kind| id.is(kind)) {
        diagnostics.error(
            path,
            format!("an id of {} is needed here", kinds.join(" or ")),
            format!("- {id} is an id of {}", id.resource_type()),
        );
    }
}

/// Whether a collection has nothing in it; one that is not known yet may have.
fn is_empty(value: &Value) -> bool {
    value.is_null()
        || value.as_items().is_some_and(<[_]>::is_empty)
        || value.as_map().is_some_and(BTreeMap::is_empty)
}

fn twice(ranges: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    let mut known = BTreeMap::new();
    let ranges = ranges.as_items().into_iter().flatten();
    for range in ranges.filter_map(Value::as_str) {
        if let Some(other) = known.insert(stripped(range), range) {
            diagnostics.error(
                path.clone(),
                "an address is allowed once",
                format!("{other:?} and {range:?} are the same.\n\nFix: remove one of them."),
            );
        }
    }
}

/// Checks with Azure's help.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    // Ask for everything first.
    let registry = check.look(&input.registry_id);
    let usages = check.seen.list(&input.registry_id, "listUsages");
    let clusters = unknowable(&input, check);
    let reckoning = Reckoning::of(&input, check.seen);
    for (cluster, why) in clusters? {
        check.error(
            Path::attribute("cluster_ids"),
            format!("the addresses of cluster {} are not known to Azure", cluster.name()),
            format!(
                "- {cluster}\n- {why}\n\nFix: leave it out of cluster_ids, and name the public addresses from \
                 which its traffic comes:\n\n  ip_ranges = [\"<the public address of the firewall>\"]"
            ),
        );
    }
    let registry = registry?;
    let reckoning = reckoning?;
    let usages = usages?;
    if let Some(registry) = registry {
        standing(&input, registry, check);
    }
    for (source, why) in reckoning.silent() {
        check.warning(
            Path::root(),
            "some addresses cannot be found out now".to_owned(),
            format!(
                "- {source}\n- {why}\n\nWhat was allowed for it stays allowed; nothing new is until it can be \
                 read."
            ),
        );
    }
    room(&input, &reckoning, limit(usages.found()), check);
    Ok(())
}

/// Whether the registry takes what is missing here, together with what the other allowlists of this plan
/// add to it.
fn room(input: &Input, reckoning: &Reckoning, limit: u64, check: &mut Check<'_>) {
    let missing = reckoning.missing();
    let additions = check.seen.additions();
    let all = additions.with(&input.registry_id, missing.iter().cloned());
    let total = reckoning.total_with(&all) as u64;
    if total <= limit || missing.is_empty() {
        return;
    }
    let others = match all.difference(&missing).count() {
        0 => String::new(),
        count => format!("\n- other allowlists of this plan add {count} more"),
    };
    check.error(
        Path::attribute("registry_id"),
        format!("the rules would be more than the registry takes: {total} of {limit}"),
        format!(
            "- {}\n- it has {} rules, and {} are to be added{others}\n\nFix: allow a range instead of its single \
             addresses, a public IP prefix for example; or let several clusters leave through one NAT \
             gateway.",
            input.registry_id,
            reckoning.standing(),
            missing.len()
        ),
    );
}

/// Checks before the first rule is written, on the registry as the same apply has left it.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn registry_has_a_list(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    match check.seen.look(&input.registry_id)? {
        Look::Found(registry) => standing(&input, registry, check),
        Look::Absent => check.error(
            Path::attribute("registry_id"),
            format!("registry {} does not exist", input.registry_id.name()),
            format!(
                "- {}\n\nFix: see that name, group and subscription are right; or let this follow the registry that \
                 the same configuration makes:\n\n  registry_id = fkaks_registry.example.id",
                input.registry_id
            ),
        ),
        Look::Denied(_) => {}
    }
    Ok(())
}

/// Whether rules have an effect on the registry as it is.
fn standing(input: &Input, registry: &Json, check: &mut Check<'_>) {
    let name = input.registry_id.name();
    let properties = &registry["properties"];
    let path = Path::attribute("registry_id");
    let sku = registry["sku"]["name"].as_str().unwrap_or_default();
    let is = |value: &Json, text: &str| {
        value
            .as_str()
            .is_some_and(|is| is.eq_ignore_ascii_case(text))
    };
    if !sku.eq_ignore_ascii_case("Premium") {
        check.error(
            path,
            format!("registry {name} has no firewall: it is {sku}"),
            format!(
                "- {}\n\nFix: address rules need Premium:\n\n  sku      = \"Premium\"\n  exposure = \"allowlist\"",
                input.registry_id
            ),
        );
    } else if is(&properties["publicNetworkAccess"], "Disabled") {
        check.error(
            path,
            format!("registry {name} has no public access, so its rules let nobody in"),
            format!(
                "- {}\n- publicNetworkAccess is Disabled\n\nFix: open it to the addresses on its list\n\n  \
                 exposure = \"allowlist\"\n\nor leave it private, and reach it by fkaks_private_registry_link.",
                input.registry_id
            ),
        );
    } else if !is(&properties["networkRuleSet"]["defaultAction"], "Deny") {
        check.warning(
            path,
            format!("registry {name} lets everyone in, so its rules change nothing yet"),
            format!(
                "- {}\n- the default action is Allow\n\nFix, once the rules stand:\n\n  exposure = \"allowlist\"",
                input.registry_id
            ),
        );
    }
}

/// The clusters whose addresses Azure cannot know, and why.
fn unknowable(input: &Input, check: &Check<'_>) -> Result<Vec<(ArmId, &'static str)>, Unread> {
    let ids: Vec<&ArmId> = input.cluster_ids.iter().flatten().collect();
    let looks: Vec<_> = ids.iter().map(|id| check.look(id)).collect();
    let mut found = Vec::new();
    for (id, look) in ids.into_iter().zip(looks) {
        let Some(cluster) = look? else {
            continue;
        };
        match egress::of(id, cluster, check.seen)? {
            Egress::Routed => found.push((
                id.clone(),
                "its outbound type is userDefinedRouting: its traffic leaves where the route table leads, \
                 behind a firewall for example",
            )),
            Egress::Closed => found.push((
                id.clone(),
                "its outbound type is none: it does not reach the internet at all",
            )),
            Egress::Known(_) | Egress::Unfound(_) => {}
        }
    }
    Ok(found)
}

fn limit(usages: Option<&[Json]>) -> u64 {
    let mut usages = usages.into_iter().flatten();
    let rules = usages.find(|usage| usage["name"] == "IPRules");
    rules
        .and_then(|usage| usage["limit"].as_u64())
        .unwrap_or(RULES)
}

/// The input as far as it is known: what is not is left out.
fn planned(check: &Check<'_>) -> Option<Input> {
    let ids = |argument: &str| -> BTreeSet<ArmId> {
        let items = check.planned.get(argument).as_items().into_iter().flatten();
        items
            .filter_map(|id| ArmId::parse(id.as_str()?).ok())
            .collect()
    };
    let texts = |value: &Value| -> BTreeSet<String> {
        let items = value.as_items().into_iter().flatten();
        items
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    };
    let temporary = check
        .planned
        .get("temporary")
        .as_map()
        .into_iter()
        .flatten();
    let temporary = temporary.filter_map(|(key, value)| {
        let temporary = Temporary {
            ip_ranges: texts(value.get("ip_ranges")),
            expires_after: value.get("expires_after").as_str()?.to_owned(),
        };
        Some((key.clone(), temporary))
    });
    let state = |name: &str| {
        check
            .prior
            .and_then(|prior| tfplugin_rs::value::to_json(prior.get(name)).ok())
    };
    Some(Input {
        registry_id: check.id("registry_id")?,
        cluster_ids: Some(ids("cluster_ids")),
        nat_gateway_ids: Some(ids("nat_gateway_ids")),
        public_ip_ids: Some(ids("public_ip_ids")),
        ip_ranges: Some(texts(check.planned.get("ip_ranges"))),
        temporary: Some(temporary.collect()),
        entries: state("entries").and_then(|entries| serde_json::from_value(entries).ok()),
        expiry: state("expiry").and_then(|expiry| serde_json::from_value(expiry).ok()),
    })
}
