//! What plan time can find wrong with Azure's help: subnets without room, ranges that meet
//! networks, a zone that cannot serve, and steps that Azure does not take.

use tfplugin_rs::value::{Path, Value, to_json};

use super::{Cluster, Input, capacity, network_check, rights, subnet_check, version};
use crate::arm::{ArmId, Json, same_location};
use crate::network::aks::{self, Range};
use crate::network::cidr;
use crate::provider::parts::{Check, Composite, Look, Unread, without_unknowns};

/// Checks the plan.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    one_way_steps(check);
    // What depends on ids that are not known yet is found when they are.
    let Some(input) = input_of(check.planned) else {
        return Ok(());
    };
    zone_name(check, &input);
    // Each asks for what it needs, and all of it is read at once.
    let findings = [
        networks(check, &input),
        subnet_check::check(check, &input),
        capacity::check(check, &input),
        identity_exists(check, &input),
        rights::missing_roles(check, &input),
        rights::may_assign_roles(check, &input),
        versions(check, &input),
        pool_versions(check, &input),
    ];
    findings.into_iter().collect()
}

/// Checks once more against the networks and subnets that the same apply has made, which no plan
/// can read: before the first write, so that nothing is left half way.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = input_of(check.planned) else {
        return Ok(());
    };
    zone_name(check, &input);
    let findings = [
        networks(check, &input),
        subnet_check::check(check, &input),
        capacity::check(check, &input),
        rights::missing_roles(check, &input),
        rights::may_assign_roles(check, &input),
    ];
    findings.into_iter().collect()
}

/// The arguments of a plan, where all that must be known is.
fn input_of(planned: &Value) -> Option<Input> {
    let json = to_json(&without_unknowns(planned)).ok()?;
    serde_json::from_value(json).ok()
}

/// What Azure does in one direction only.
fn one_way_steps(check: &mut Check<'_>) {
    let Some(prior) = check.prior else { return };
    let planned = check.planned;
    let was = |name: &str| prior.get(name).as_bool() == Some(true);
    let goes = |name: &str| planned.get(name).as_bool() == Some(false);
    if was("oidc_issuer_enabled") && goes("oidc_issuer_enabled") {
        check.error(
            Path::attribute("oidc_issuer_enabled"),
            "Azure never turns the OIDC issuer of a cluster off",
            "Fix: set oidc_issuer_enabled = true.",
        );
    }
    let integrated = |value: &Value| {
        let profile = value.get("api_server_access_profile");
        profile.get("virtual_network_integration_enabled").as_bool() == Some(true)
    };
    if integrated(prior)
        && !integrated(planned)
        && !planned.get("api_server_access_profile").is_unknown()
    {
        check.error(
            Path::attribute("api_server_access_profile"),
            "Azure does not take an API server out of the network again",
            "Fix: keep virtual_network_integration_enabled = true with its subnet_id.",
        );
    }
    let policy = |value: &Value| value.get("network_policy").as_str().map(str::to_owned);
    if let (Some(from), Some(to)) = (policy(prior), policy(planned))
        && from == "cilium"
        && to != "cilium"
    {
        check.error(
            Path::attribute("network_policy"),
            "Azure does not go back from the network policy cilium",
            "Fix: keep network_policy = \"cilium\".",
        );
    }
}

fn zone_name(check: &mut Check<'_>, input: &Input) {
    let Some(zone) = input.zone_id() else { return };
    let standard = check.seen.cloud().aks_zone(&input.location);
    let problem = aks::zone_problem(zone.name(), &standard, input.has_vnet_integration());
    if let Some(problem) = problem {
        check.error(
            Path::attribute("private_dns_zone_id"),
            format!(
                "zone {} cannot serve a cluster in {}",
                zone.name(),
                input.location
            ),
            format!("- {zone}\n- {problem}\n\nFix: use a zone {standard}."),
        );
    }
}

/// The network of the nodes and its peers: their addresses and their region.
fn networks(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let networks: std::collections::BTreeSet<ArmId> = input
        .subnets()
        .into_iter()
        .filter_map(ArmId::parent)
        .collect();
    let looks: Vec<_> = networks
        .iter()
        .map(|id| (id, check.seen.look(id)))
        .collect();
    let mut ranges = Vec::new();
    for (id, look) in looks {
        let Look::Found(network) = look? else {
            continue;
        };
        let location = network["location"].as_str().unwrap_or_default();
        if !same_location(location, &input.location) {
            check.error(
                Path::attribute("location"),
                format!("the cluster is in {}, and its network in {location}", input.location),
                format!("- {id}\n\nNodes are where their network is.\n\nFix: set location = {location:?}."),
            );
        }
        ranges.extend(ranges_of(id, network));
    }
    // Ranges are chosen at the creation, and another one is another creation.
    network_check::others(check.planned, &ranges, check.diagnostics);
    Ok(())
}

fn ranges_of(id: &ArmId, network: &Json) -> Vec<Range> {
    let properties = &network["properties"];
    let parsed = |list: &Json| {
        let items = list.as_array().into_iter().flatten();
        items
            .filter_map(|item| cidr::parse(item.as_str()?).ok())
            .collect::<Vec<_>>()
    };
    let range = |what: String, prefix| Range { what, prefix };
    let mut ranges: Vec<Range> = parsed(&properties["addressSpace"]["addressPrefixes"])
        .into_iter()
        .map(|prefix| range(format!("the network {}", id.name()), prefix))
        .collect();
    let peerings = properties["virtualNetworkPeerings"].as_array();
    for peering in peerings.into_iter().flatten() {
        let properties = &peering["properties"];
        let remote = properties["remoteVirtualNetwork"]["id"].as_str();
        let name = remote.and_then(|id| id.rsplit('/').next());
        let space = ["remoteVirtualNetworkAddressSpace", "remoteAddressSpace"]
            .into_iter()
            .map(|space| parsed(&properties[space]["addressPrefixes"]))
            .find(|space| !space.is_empty());
        for prefix in space.into_iter().flatten() {
            let what = format!("the peered network {}", name.unwrap_or("of another"));
            ranges.push(range(what, prefix));
        }
    }
    ranges
}

/// A given identity that is not there can be one that the same plan makes, so it is only told of
/// where nothing else would.
fn identity_exists(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let given = [
        ("identity_id", input.identity_id.as_ref()),
        ("kubelet_identity_id", input.kubelet_identity_id.as_ref()),
    ];
    let looks: Vec<_> = given
        .into_iter()
        .filter_map(|(argument, id)| Some((argument, id?, check.seen.look(id?))))
        .collect();
    for (argument, id, look) in looks {
        if let Look::Denied(_) = look? {
            check.warning(
                Path::attribute(argument),
                format!("identity {} cannot be read", id.name()),
                format!(
                    "- {id}\n\nIts roles cannot be checked, nor assigned. The caller needs the action \
                     `Microsoft.ManagedIdentity/userAssignedIdentities/read` on it."
                ),
            );
        }
    }
    Ok(())
}

/// Versions go up, one minor version at a time.
fn versions(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let Some(wanted) = input.kubernetes_version.as_deref() else {
        return Ok(());
    };
    let Some(found) = standing(check, input)? else {
        return Ok(());
    };
    let properties = &found["properties"];
    let (specified, current) = (
        &properties["kubernetesVersion"],
        &properties["currentKubernetesVersion"],
    );
    if version::satisfied(wanted, specified, current, input.upgrades_itself()) {
        return Ok(());
    }
    let Some(from) = current.as_str().or(specified.as_str()) else {
        return Ok(());
    };
    if let Some(problem) = version::step_problem(from, wanted) {
        check.error(
            Path::attribute("kubernetes_version"),
            format!("the cluster cannot go from Kubernetes {from} to {wanted}"),
            problem,
        );
    }
    Ok(())
}

/// The cluster as it is, where this plan changes one.
fn standing<'a>(check: &Check<'a>, input: &Input) -> Result<Option<&'a Json>, Unread> {
    let prior = check.prior.and_then(|prior| prior.get("id").as_str());
    let id = prior.and_then(|id| ArmId::parse(id).ok());
    match id.filter(|id| *id == input.id() && id.is(<Cluster as Composite>::ANCHOR)) {
        Some(id) => check.look(&id),
        None => Ok(None),
    }
}

/// Nodes are never newer than their control plane (Microsoft Learn, "Create node pools for a cluster in
/// AKS": the validation rules of node pools).
fn pool_versions(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let wanted = input.node_pools.iter();
    let wanted: Vec<_> = wanted
        .filter_map(|(name, pool)| Some((name, pool.orchestrator_version.as_deref()?)))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    // An upgrade channel may have brought it further than what is written.
    let running = standing(check, input)?
        .and_then(|found| found["properties"]["currentKubernetesVersion"].as_str());
    let control: Vec<&str> = [input.kubernetes_version.as_deref(), running]
        .into_iter()
        .flatten()
        .collect();
    let newest = |one, other| {
        if version::is_newer(other, one) {
            other
        } else {
            one
        }
    };
    let Some(newest) = control.iter().copied().reduce(newest) else {
        return Ok(());
    };
    for (name, pool) in wanted {
        if !control
            .iter()
            .all(|control| version::is_newer(pool, control))
        {
            continue;
        }
        let path = Path::attribute("node_pools").key(name.as_str());
        check.error(
            path.then("orchestrator_version"),
            format!("pool {name:?} is newer than its control plane: {pool}, and {newest}"),
            format!(
                "Azure takes no nodes whose version is above that of the control plane.\n\nFix: leave \
                 orchestrator_version out, and the pool follows kubernetes_version, or upgrade the control plane \
                 too:\n\n  kubernetes_version = {pool:?}"
            ),
        );
    }
    Ok(())
}
