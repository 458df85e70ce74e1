//! What can be found wrong at plan with Azure's facts: a tightening that would cut clients off, a
//! replica that has no address to take, a tier that cannot be left.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::value::{Path, Value};

use super::body::{ip_rules, stripped};
use super::standing::{Standing, ways};
use super::{Exposure, PREMIUM, connections, is_home, tier};
use crate::arm::{ArmId, Json, normalize};
use crate::provider::parts::{Check, Look, Unread};
use crate::provider::resources::private_registry_link::free_addresses;

/// Checks a plan.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    advise(check);
    let id = |value: &Value| ArmId::parse(value.get("id").as_str()?).ok();
    let Some(id) = check.prior.and_then(id) else {
        return Ok(());
    };
    let replicas = check.seen.list(&id, "replications");
    let Some(found) = check.look(&id)? else {
        return Ok(());
    };
    let replicas = replicas?.found().unwrap_or_default();
    lower_tier(check, found, replicas);
    let results = [
        tightening(check, &id, found),
        addresses(check, found, replicas),
    ];
    results.into_iter().collect()
}

/// What is no mistake, and surprises people.
fn advise(check: &mut Check<'_>) {
    let (planned, prior) = (check.planned, check.prior);
    let turns = |name: &str| {
        let value = planned.get(name);
        prior
            .is_none_or(|prior| prior.get(name) != value)
            .then_some(value)
    };
    if turns("arm_audience_authentication_enabled").and_then(Value::as_bool) == Some(false) {
        check.warning(
            Path::attribute("arm_audience_authentication_enabled"),
            "AKS nodes may lose their pulls",
            "The credential provider of AKS nodes logs in with tokens that were made for Azure Resource \
             Manager (Azure/AKS issue 4560), which the registry will refuse. Pull from every cluster in a test \
             first.",
        );
    }
    if !check.is_creation()
        && turns("role_assignment_mode").and_then(Value::as_str)
            == Some("AbacRepositoryPermissions")
    {
        check.warning(
            Path::attribute("role_assignment_mode"),
            "AcrPull, AcrPush and AcrDelete count for nothing in this mode",
            "Clusters that pull with the role AcrPull lose their pulls.\n\nFix: first assign Container Registry \
             Repository Reader (b93aa761-3e63-49ed-ac28-beffa264f7ac) to each of their kubelet identities on this \
             registry.",
        );
    }
    let closed = check
        .planned
        .get("exposure")
        .as_str()
        .is_some_and(|exposure| exposure != "public");
    if closed && turns("trusted_services_enabled").and_then(Value::as_bool) == Some(false) {
        check.warning(
            Path::attribute("trusted_services_enabled"),
            "Defender for Containers cannot scan this registry",
            "It comes as a trusted service, and the registry is not public.\n\nFix, if images are to be scanned:\n\n  \
             trusted_services_enabled = true",
        );
    }
}

/// A registry in use is closed only when another way to it is seen to stand.
fn tightening(check: &mut Check<'_>, id: &ArmId, found: &Json) -> Result<(), Unread> {
    let is = Exposure::of(found);
    let wanted = match check.planned.get("exposure").as_str() {
        Some("private") => Exposure::Private,
        Some("allowlist") => Exposure::Allowlist,
        _ => return Ok(()),
    };
    if wanted >= is || check.planned.get("tighten_unverified").as_bool() == Some(true) {
        return Ok(());
    }
    match wanted {
        Exposure::Private => close(check, id, found, is),
        _ => {
            allow(check, id, found);
            Ok(())
        }
    }
}

fn close(check: &mut Check<'_>, id: &ArmId, found: &Json, is: Exposure) -> Result<(), Unread> {
    let ways = ways(id, found, check.seen)?;
    if ways
        .iter()
        .any(|(_, standing)| *standing == Standing::Stands)
    {
        return Ok(());
    }
    let path = Path::attribute("exposure");
    let approved = ways.iter().find_map(|(endpoint, standing)| match standing {
        Standing::Approved(why) => Some((endpoint, why)),
        _ => None,
    });
    if let Some((endpoint, why)) = approved {
        check.warning(
            path,
            "the registry is closed on the word of its connection alone",
            format!(
                "A private endpoint is approved, but whether the registry's names lead to it cannot be seen: \
                 {why}.\n- {endpoint}\n\nFix: give the caller the role Reader on the endpoint, its network \
                 interface and its DNS zone, or look yourself before applying."
            ),
        );
        return Ok(());
    }
    let mut evidence = vec![format!("- registry {} is {} today", id.name(), is.name())];
    for (endpoint, standing) in &ways {
        let Standing::Missing(reasons) = standing else {
            continue;
        };
        evidence.extend(
            reasons
                .iter()
                .map(|reason| format!("- {endpoint}: {reason}")),
        );
    }
    if ways.is_empty() {
        evidence.push("- it has no private endpoint".to_owned());
    }
    let is = is.name();
    check.error(
        path,
        "the registry cannot be made private yet: no private way to it stands",
        format!(
            "{}\n\nWho pulls through its public address would be cut off.\n\nFix: take two applies. First make the \
             way, while the registry stays open:\n\n  exposure = \"{is}\"\n\n  resource \"fkaks_private_registry_link\" \
             \"example\" {{\n    registry_id = fkaks_registry.example.id\n    # name, resource_group_id, subnet_id, dns\n  }}\n\nand when \
             that is applied, close it:\n\n  exposure = \"private\"\n\nTo close it without looking:\n\n  \
             tighten_unverified = true",
            evidence.join("\n")
        ),
    );
    Ok(())
}

fn allow(check: &mut Check<'_>, id: &ArmId, found: &Json) {
    let planned = check.planned.get("allowed_ip_ranges");
    let allowed = match planned {
        // What this resource allowed before goes with the argument.
        Value::Null => {
            let former = check.prior.map(|prior| prior.get("allowed_ip_ranges"));
            let former = former.and_then(Value::as_items).unwrap_or_default();
            let is_ours = |rule: &str| {
                let mut former = former.iter().filter_map(Value::as_str);
                former.any(|own| stripped(own) == stripped(rule))
            };
            ip_rules(found).into_iter().any(|rule| !is_ours(rule))
        }
        Value::Unknown(_) => true,
        ranges => ranges.as_items().is_some_and(|ranges| !ranges.is_empty()),
    };
    if allowed {
        return;
    }
    check.error(
        Path::attribute("exposure"),
        "the registry cannot be put behind its allowlist yet: no address is allowed",
        format!(
            "- registry {} is public today\n\nWho pulls through its public address would be cut off.\n\nFix: name the \
             addresses that clients come from, such as those of a cluster's load balancer or NAT gateway:\n\n  \
             allowed_ip_ranges = [\"203.0.113.7\"]\n\nIf they are rules that something else writes, take two applies: \
             keep exposure = \"public\" until it has written them. To close the registry without looking:\n\n  \
             tighten_unverified = true",
            id.name()
        ),
    );
}

/// The regions in an argument, in Azure's spelling.
fn regions(value: &Value) -> BTreeSet<String> {
    let members = value.get("georeplications").as_map();
    members
        .into_iter()
        .flatten()
        .map(|(region, _)| normalize(region))
        .collect()
}

/// Regions in which the registry is, without its own.
fn replicated(found: &Json, replicas: &[Json]) -> BTreeSet<String> {
    let regions = replicas
        .iter()
        .filter_map(|replica| replica["location"].as_str());
    regions
        .map(normalize)
        .filter(|region| !is_home(found, region))
        .collect()
}

/// Each replica takes an address in the subnet of every connected endpoint; where one is missing,
/// Azure rolls the replica back and does not say which.
fn addresses(check: &mut Check<'_>, found: &Json, replicas: &[Json]) -> Result<(), Unread> {
    let there = replicated(found, replicas);
    let new: BTreeSet<String> = regions(check.planned).difference(&there).cloned().collect();
    let connected = connections(found);
    let endpoints: Vec<ArmId> = connected
        .iter()
        .filter(|connection| ["Approved", "Pending"].contains(&connection.state.as_str()))
        .filter_map(|connection| connection.private_endpoint_id.clone())
        .collect();
    if new.is_empty() || endpoints.is_empty() {
        return Ok(());
    }
    let looks: Vec<_> = endpoints.iter().map(|id| check.seen.look(id)).collect();
    let (mut users, mut hidden, mut manual, mut fixed) = (
        BTreeMap::<ArmId, u128>::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
    );
    for (id, look) in endpoints.iter().zip(looks) {
        match look? {
            Look::Absent => {}
            Look::Denied(_) => hidden.push(id.to_string()),
            Look::Found(endpoint) => {
                let properties = &endpoint["properties"];
                let has = |list: &str| {
                    properties[list]
                        .as_array()
                        .is_some_and(|list| !list.is_empty())
                };
                if has("manualPrivateLinkServiceConnections") {
                    manual.push(id.to_string());
                }
                if has("ipConfigurations") {
                    fixed.push(id.to_string());
                }
                if let Some(Ok(subnet)) = properties["subnet"]["id"].as_str().map(ArmId::parse) {
                    *users.entry(subnet).or_default() += 1;
                }
            }
        }
    }
    let looks: Vec<_> = users
        .into_iter()
        .map(|(id, users)| (check.seen.look(&id), id, users))
        .collect();
    let mut short = Vec::new();
    for (look, id, users) in looks {
        let needed = users * new.len() as u128;
        match look? {
            Look::Absent => {}
            Look::Denied(_) => hidden.push(id.to_string()),
            Look::Found(subnet) => {
                if let Some(free) = free_addresses(&subnet["properties"])
                    && free < needed
                {
                    short.push(format!("- {id} has {free} free, needs {needed}"));
                }
            }
        }
    }
    let path = || Path::attribute("georeplications");
    let new = new.into_iter().collect::<Vec<_>>().join(", ");
    if !short.is_empty() {
        check.error(
            path(),
            "a subnet has no free address for the new replicas",
            format!(
                "Each replica takes one address in the subnet of every private endpoint of the registry. Azure \
                 would roll it back without saying which subnet is full.\n- new: {new}\n{}\n\nFix: add a prefix \
                 to each of these subnets, or free addresses in it, before the replica is added.",
                short.join("\n")
            ),
        );
    }
    if !hidden.is_empty() {
        check.warning(
            path(),
            "whether the new replicas find addresses cannot be seen",
            format!(
                "Each takes one in the subnet of every private endpoint. These may not be read:\n- {}\n\nFix: give \
                 the caller the actions `Microsoft.Network/privateEndpoints/read` and \
                 `Microsoft.Network/virtualNetworks/subnets/read` there, for example with the role Reader.",
                hidden.join("\n- ")
            ),
        );
    }
    if !manual.is_empty() {
        check.warning(
            path(),
            "endpoints with manual approval wait for it again",
            format!(
                "A new replica puts their connections back to Pending, and they must be approved again:\n- {}",
                manual.join("\n- ")
            ),
        );
    }
    if !fixed.is_empty() {
        check.warning(
            path(),
            "endpoints with fixed addresses have none for the new replicas",
            format!(
                "Azure may refuse the replicas, because these endpoints name the address of each member:\n- {}\n\n\
                 Fix: give their `static_ips` an address for each of registry_data_<region> of {new}.",
                fixed.join("\n- ")
            ),
        );
    }
    Ok(())
}

/// A tier is left only when nothing that it alone has is in use. What this resource turned on, it
/// turns off on the way.
fn lower_tier(check: &mut Check<'_>, found: &Json, replicas: &[Json]) {
    let is = found["sku"]["name"].as_str().unwrap_or_default();
    let Some(wanted) = check.planned.get("sku").as_str() else {
        return;
    };
    if tier(is) < PREMIUM || tier(wanted) >= PREMIUM {
        return;
    }
    let endpoints = connections(found).into_iter().map(|connection| {
        let id = connection.private_endpoint_id.map(|id| id.to_string());
        format!("a private endpoint: {}", id.unwrap_or(connection.name))
    });
    let mut used: Vec<String> = endpoints.collect();
    let own = check.prior.map(regions).unwrap_or_default();
    let foreign = replicated(found, replicas)
        .into_iter()
        .filter(|region| !own.contains(region));
    used.extend(
        foreign.map(|region| format!("a replica that this resource did not make: {region}")),
    );
    if found["properties"]["encryption"]["status"] == "enabled" {
        used.push("a customer-managed key, which stays for life".to_owned());
    }
    let rules = ip_rules(found);
    if check.planned.get("allowed_ip_ranges").is_null()
        && check
            .prior
            .is_some_and(|prior| prior.get("allowed_ip_ranges").is_null())
        && !rules.is_empty()
    {
        used.push(format!(
            "addresses that others allowed: {}",
            rules.join(", ")
        ));
    }
    if used.is_empty() {
        return;
    }
    check.error(
        Path::attribute("sku"),
        format!("the registry cannot go from {is} to {wanted}: it uses what only Premium has"),
        format!(
            "- {}\n\nFix: remove these first, or keep\n\n  sku = \"{is}\"",
            used.join("\n- ")
        ),
    );
}
