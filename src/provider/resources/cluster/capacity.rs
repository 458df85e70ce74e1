//! Whether the subnets of a cluster, and the range of its pods, have room for its pools: their
//! nodes at most, what an upgrade takes besides, and a pool that is made anew while the old one
//! still stands.

use std::collections::BTreeMap;

use ipnet::IpNet;
use tfplugin_rs::value::Path;

use super::Input;
use crate::arm::{ArmId, Json};
use crate::network::aks::{self, Demand, Networking};
use crate::network::cidr;
use crate::provider::parts::{Check, Look, Unread};
use crate::provider::resources::network::addresses;

/// Where the nodes or pods of some pools are.
struct Place<'a> {
    argument: &'static str,
    pools: Vec<(&'a str, aks::Pool)>,
}

/// Checks the subnets and the range of pods.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let networking = input.networking();
    let pools = at_most(check, input)?;
    let mut subnets: BTreeMap<ArmId, Place<'_>> = BTreeMap::new();
    for (name, sizes) in &pools {
        let Some(pool) = input.node_pools.get(*name) else {
            continue;
        };
        let mut add = |id: &ArmId, argument| {
            subnets
                .entry(id.clone())
                .or_insert_with(|| Place {
                    argument,
                    pools: Vec::new(),
                })
                .pools
                .push((name, sizes.clone()));
        };
        add(&pool.vnet_subnet_id, "vnet_subnet_id");
        if let Some(pods) = &pool.pod_subnet_id {
            add(pods, "pod_subnet_id");
        }
    }
    let first = first_subnet(input);
    let looks: Vec<_> = subnets
        .iter()
        .map(|(id, place)| (id, place, check.seen.look(id)))
        .collect();
    for (id, place, look) in looks {
        let Look::Found(subnet) = look? else { continue };
        let sizes = place.pools.iter().map(|(_, sizes)| sizes);
        let demand = if place.argument == "pod_subnet_id" {
            aks::pod_subnet(sizes)
        } else {
            let endpoint = Some(id) == first.as_ref();
            aks::node_subnet(networking, sizes)
                .and(endpoint.into(), "the private endpoint of the API server")
        };
        subnet_has_room(check, input, id, subnet, place, &demand);
    }
    if networking.has_pod_range() {
        range_has_room(check, input, &pools, networking);
    }
    Ok(())
}

/// The subnet in which the API server's private endpoint is: that of the first system pool.
fn first_subnet(input: &Input) -> Option<ArmId> {
    let has_endpoint = input.private_cluster_enabled && !input.has_vnet_integration();
    let mut pools = input.node_pools.values().filter(|pool| pool.is_system());
    pools
        .next()
        .filter(|_| has_endpoint)
        .map(|pool| pool.vnet_subnet_id.clone())
}

/// The pools with their most nodes; one that will be made anew counts twice, because both stand
/// for a while.
fn at_most<'a>(check: &Check<'_>, input: &'a Input) -> Result<Vec<(&'a str, aks::Pool)>, Unread> {
    let cluster = input.id();
    let mut pools = Vec::new();
    let looks: Vec<_> = input
        .node_pools
        .iter()
        .map(|(name, pool)| {
            let look = match check.prior {
                Some(_) => check.look(&cluster.child("agentPools", name)),
                None => Ok(None),
            };
            (name, pool, look)
        })
        .collect();
    for (name, pool, look) in looks {
        let sizes = pool.sizes(name);
        if look?.is_some_and(|found| !pool.anew(name, found).is_empty()) {
            let beside = aks::Pool {
                name: format!("{name}, while it is made anew"),
                ..sizes.clone()
            };
            pools.push((name.as_str(), beside));
        }
        pools.push((name.as_str(), sizes));
    }
    Ok(pools)
}

fn subnet_has_room(
    check: &mut Check<'_>,
    input: &Input,
    id: &ArmId,
    subnet: &Json,
    place: &Place<'_>,
    demand: &Demand,
) {
    let prefixes = addresses::found_prefixes(subnet);
    let prefixes: Vec<IpNet> = addresses::parsed(&prefixes)
        .into_iter()
        .filter(cidr::is_ipv4)
        .collect();
    if prefixes.is_empty() {
        return;
    }
    let usable: u128 = prefixes.iter().map(cidr::usable_addresses).sum();
    let others = others(subnet, input);
    let needed = u128::from(demand.addresses) + u128::from(others);
    if needed <= usable {
        return;
    }
    let name = id.name();
    let all = demand.clone().and(others, "what others have there");
    let fits = all.prefix_length().map_or_else(
        || "No subnet is that large: fewer nodes, or fewer pods on each.".to_owned(),
        |length| {
            format!(
                "Fix: the smallest prefix that fits is a /{length}. Give the subnet one, or have fewer nodes \
                 (node_count, max_count), {}a smaller surge.",
                match input.networking() {
                    Networking::NodeSubnet => "fewer pods on each (max_pods), ",
                    _ => "",
                }
            )
        },
    );
    let shown: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
    let pool = place.pools.first().map_or("", |(name, _)| name);
    check.error(
        Path::attribute("node_pools").key(pool).then(place.argument),
        format!("subnet {name} is too small: {needed} addresses are needed, and it has {usable}"),
        format!(
            "- {id}\n- {} has {usable} addresses, since Azure keeps five\n{all}= {needed}\n\n{fits}",
            shown.join(", ")
        ),
    );
}

/// How many addresses of a subnet others have: everything but what is in the nodes' group, which
/// is the cluster's own.
fn others(subnet: &Json, input: &Input) -> u64 {
    let nodes = ArmId::group(
        input.resource_group_id.subscription_id(),
        &input.node_group(),
    );
    let entries = subnet["properties"]["ipConfigurations"].as_array();
    let others = entries.into_iter().flatten().filter(|entry| {
        let id = entry["id"].as_str().and_then(|id| ArmId::parse(id).ok());
        !id.is_some_and(|id| id.is_within(&nodes))
    });
    others.count().try_into().unwrap_or(u64::MAX)
}

fn range_has_room(
    check: &mut Check<'_>,
    input: &Input,
    pools: &[(&str, aks::Pool)],
    networking: Networking,
) {
    let Ok(range) = cidr::parse(&input.pod_cidr) else {
        return;
    };
    let demand = aks::pod_range(pools.iter().map(|(_, sizes)| sizes));
    let room = aks::nodes_in(range.prefix_len());
    if demand.addresses <= room {
        return;
    }
    let fits = aks::pod_range_length(demand.addresses);
    check.error(
        Path::attribute("pod_cidr"),
        format!(
            "pod_cidr {range} has room for {room} nodes, and {} may come",
            demand.addresses
        ),
        format!(
            "Each node takes a /24 with {}.\n{demand}= {}\n\nFix: the smallest prefix that fits is a /{}. Azure \
             does not change the range of a cluster that exists.",
            match networking {
                Networking::Kubenet => "kubenet",
                _ => "overlay",
            },
            demand.addresses,
            fits.unwrap_or(1)
        ),
    );
}
