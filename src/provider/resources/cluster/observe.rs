//! What there is, in the user's terms: his spelling, his choice of what to manage, versions and
//! counts that Azure moves by itself as he wrote them, and the pools that others made.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::{arguments, text};
use super::pool::Pool;
use super::{Cluster, ControlPlane, Input, Kubelet, Output, addons, grants, maintenance, pools};
use crate::arm::{ArmId, Json};
use crate::provider::egress;
use crate::provider::parts::{Attributes, Look, Observed, Seen, Unread, spelled_id};

/// Observes the cluster of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<Cluster>, Unread> {
    // Asked for together, so that they are read at the same time.
    let windows = maintenance::observe(id, prior, seen);
    let found = match (seen.look(id)?, prior) {
        (Look::Found(found), _) => found,
        (_, Some(prior)) => return Ok(Observed::new(prior.clone(), nothing())),
        (_, None) => &Json::Null,
    };
    let pools = pools_of(id, found, prior, seen);
    let mut input = arguments(id, found, prior, seen);
    addons::observe(&mut input, found, prior);
    let egress = egress::of(id, found, seen);
    let identity = seen.look(&input.control_plane_id());
    let (identity, pools, windows) = (identity?.found(), pools?, windows?);
    let addresses = egress?.texts();
    input.node_pools = pools;
    (
        input.maintenance_window_auto_upgrade,
        input.maintenance_window_node_os,
    ) = windows;
    let output = output(&input, found, identity, addresses);
    let stand_ins = pools::standing_in(&input, id, found);
    let drift = stand_ins.iter().map(pools::left_behind).collect();
    let warning = others(id, found, &input);
    let mut observed: Observed<Cluster> = Observed::new(input, output);
    observed.drift = drift;
    observed.regained = stand_ins
        .into_iter()
        .map(|id| (pools::STAND_INS, id))
        .collect();
    observed.warnings.extend(warning);
    Ok(observed)
}

/// What a cluster itself shows in the terms of the resource, and of others all pools; without what
/// has to be read beside it.
pub fn shown(id: &ArmId, found: &Json, seen: &Seen) -> Attributes {
    let mut input = arguments(id, found, None, seen);
    addons::observe(&mut input, found, None);
    input.node_pools = all_pools(id, found);
    let output = output(&input, found, None, None);
    Observed::<Cluster>::new(input, output).attributes()
}

/// What is known of a cluster that is not there.
fn nothing() -> Output {
    Output {
        identity: None,
        kubelet_identity: None,
        fqdn: None,
        private_fqdn: None,
        portal_fqdn: None,
        current_kubernetes_version: None,
        node_resource_group_id: None,
        oidc_issuer_url: None,
        private_zone_id: None,
        egress_ips: None,
    }
}

fn output(
    input: &Input,
    found: &Json,
    identity: Option<&Json>,
    egress_ips: Option<BTreeSet<String>>,
) -> Output {
    let properties = &found["properties"];
    let kubelet = &properties["identityProfile"]["kubeletidentity"];
    let nodes = ArmId::group(
        input.resource_group_id.subscription_id(),
        &input.node_group(),
    );
    let private_fqdn = text(&properties["privateFQDN"]);
    Output {
        identity: identity.map(|identity| ControlPlane {
            id: input.control_plane_id(),
            principal_id: grants::principal(Some(identity)).map(str::to_owned),
            client_id: text(&identity["properties"]["clientId"]),
        }),
        kubelet_identity: kubelet.is_object().then(|| Kubelet {
            id: spelled_id(input.kubelet_identity_id.as_ref(), &kubelet["resourceId"]),
            object_id: text(&kubelet["objectId"]),
            client_id: text(&kubelet["clientId"]),
        }),
        fqdn: text(&properties["fqdn"]),
        portal_fqdn: text(&properties["azurePortalFQDN"]),
        current_kubernetes_version: text(&properties["currentKubernetesVersion"])
            .or_else(|| text(&properties["kubernetesVersion"])),
        private_zone_id: zone(input, private_fqdn.as_deref(), &nodes),
        private_fqdn,
        node_resource_group_id: Some(nodes),
        oidc_issuer_url: text(&properties["oidcIssuerProfile"]["issuerURL"]),
        egress_ips,
    }
}

/// The zone of the API server's private name: the given one, or the one that AKS made beside the
/// nodes, which is the name without its first label.
fn zone(input: &Input, private_fqdn: Option<&str>, nodes: &ArmId) -> Option<ArmId> {
    if !input.private_cluster_enabled {
        return None;
    }
    input.zone_id().or_else(|| {
        let is_system = input.private_dns_zone_id.eq_ignore_ascii_case("system");
        let (_, zone) = private_fqdn.filter(|_| is_system)?.split_once('.')?;
        Some(nodes.resource("Microsoft.Network/privateDnsZones", zone))
    })
}

/// The pools as they are: those that were written, and after an import all.
fn pools_of(
    id: &ArmId,
    found: &Json,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<BTreeMap<String, Pool>, Unread> {
    let Some(prior) = prior else {
        return Ok(all_pools(id, found));
    };
    let pools = prior.node_pools.iter().map(|(name, written)| {
        let look = seen.look(&id.child("agentPools", name));
        (name, written, look)
    });
    let pools: Vec<_> = pools.collect();
    pools
        .into_iter()
        .map(|(name, written, look)| {
            let pool = match look? {
                Look::Found(found) => Pool::observed(Some(written), found, Some(prior)),
                // One that is not there stays as it was written: its absence is drift of its own.
                Look::Absent | Look::Denied(_) => written.clone(),
            };
            Ok((name.clone(), pool))
        })
        .collect()
}

/// Every pool of a cluster, whoever made it.
fn all_pools(id: &ArmId, found: &Json) -> BTreeMap<String, Pool> {
    let pools = pools::within(id, found).into_iter();
    pools
        .map(|(id, found)| (id.name().to_owned(), Pool::observed(None, &found, None)))
        .collect()
}

/// Pools that this resource did not make are left alone, and told of.
fn others(id: &ArmId, found: &Json, input: &Input) -> Option<(String, String)> {
    let names: Vec<String> = pools::within(id, found)
        .into_iter()
        .map(|(id, _)| id.name().to_owned())
        .filter(|name| !input.node_pools.contains_key(name))
        .filter(|name| {
            let mut own = input.node_pools.keys();
            !own.any(|own| pools::temporary_name(own) == *name)
        })
        .collect();
    if names.is_empty() {
        return None;
    }
    Some((
        format!(
            "cluster {} has node pools that this resource did not make",
            id.name()
        ),
        format!(
            "They are left alone:\n- {}\n\nEach takes addresses of the subnets that it is in. A destroy is \
             refused while they are there.",
            names.join("\n- ")
        ),
    ))
}
