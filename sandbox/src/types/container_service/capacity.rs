//! How many addresses the nodes and pods of a cluster need, whether its subnets have them, and which ones
//! each node gets. With a flat network every pod has an address of the subnet; else only nodes have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::agent_pools::{self, most_nodes, of};
use super::defaults::{Plugin, plugin};
use super::{clusters, network_rules, number, pool_rules};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::network::addresses;

/// Pod addresses are handed to nodes in batches of 16 (AKS documentation, dynamic IP allocation).
const BATCH: i64 = 16;
/// The part of the pod range that each node has in an overlay or with kubenet: a /24.
const NODE_RANGE: i64 = 256;

/// The addresses of one node in its own subnet.
fn of_node(cluster: &Resource, pool: &Resource) -> i64 {
    let pods = number(pool, "/properties/maxPods", 30);
    match plugin(cluster) {
        Plugin::Flat if pool.at("/properties/podSubnetID").is_none() => 1 + pods,
        _ => 1,
    }
}

/// The addresses of one node's pods in the pod subnet: one batch, or all its blocks when they are static.
fn of_pods(pool: &Resource) -> i64 {
    if pool.text("/properties/podIPAllocationMode") == Some("StaticBlock") {
        let pods = number(pool, "/properties/maxPods", 250);
        (pods + BATCH - 1) / BATCH * BATCH
    } else {
        BATCH
    }
}

/// The most nodes of a pool, those that an upgrade adds included.
fn nodes(pool: &Resource) -> i64 {
    let most = most_nodes(pool);
    most + if most == 0 {
        0
    } else {
        pool_rules::surge_nodes(pool, most)
    }
}

/// Checks that the subnets and the pod range have room for all pools of a cluster.
///
/// # Errors
/// `InsufficientSubnetSize`.
pub fn check(world: &World, cluster: &Resource, pools: &[Resource]) -> ArmResult<()> {
    let mut needs: BTreeMap<String, i64> = BTreeMap::new();
    for pool in pools {
        for (name, each) in [
            ("vnetSubnetID", of_node(cluster, pool)),
            ("podSubnetID", of_pods(pool)),
        ] {
            if let Some(id) = pool.text(&format!("/properties/{name}")) {
                *needs.entry(id.to_lowercase()).or_default() += nodes(pool) * each;
            }
        }
    }
    let mine = own_configurations(world, cluster);
    for (id, need) in needs {
        let Some(subnet) = world.get(&id) else {
            continue;
        };
        let others = addresses::configurations(world, &subnet.id)
            .filter(|ip| !ip["id"].as_str().is_some_and(|id| mine.contains(id)))
            .count();
        let free =
            i64::try_from(addresses::capacity(subnet).saturating_sub(others)).unwrap_or(i64::MAX);
        if need > free {
            let prefix = addresses::of_subnet(subnet)?
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            return Err(insufficient(
                need,
                free,
                &prefix,
                subnet.id.name(),
                "agentPoolProfile.count",
            ));
        }
    }
    let (_, pod) = network_rules::own_ranges(cluster)?;
    if let Some(IpNet::V4(range)) = pod {
        let need = pools.iter().map(nodes).sum::<i64>() * NODE_RANGE;
        let has = 1_i64 << (32 - range.prefix_len());
        if need > has {
            return Err(insufficient(
                need,
                has,
                &range.to_string(),
                "networkProfile.podCIDR",
                "networkProfile.podCIDR",
            ));
        }
    }
    Ok(())
}

fn insufficient(need: i64, has: i64, range: &str, name: &str, target: &str) -> ArmError {
    ArmError::bad(
        "InsufficientSubnetSize",
        format!(
            "Pre-allocated IPs {need} exceeds IPs available {has} in Subnet Cidr {range}, Subnet Name {name}. If Autoscaler is enabled, the max-count from each nodepool is counted towards this total (which means that pre-allocated IPs count represents a theoretical max value, not the actual number of IPs requested). http://aka.ms/aks/insufficientsubnetsize"
        ),
    )
    .at(target)
}

fn own_configurations(world: &World, cluster: &Resource) -> BTreeSet<String> {
    of(world, &cluster.id)
        .into_iter()
        .flat_map(|pool| pool.items(CONFIGURATIONS))
        .filter_map(|ip| ip["id"].as_str().map(ToOwned::to_owned))
        .collect()
}

/// Where a pool remembers the addresses of its nodes and pods; never shown. `network::addresses` counts them.
pub const CONFIGURATIONS: &str = "/ipConfigurations";

/// Gives the nodes that a pool has now their addresses, and takes back those of nodes that are gone.
///
/// # Errors
/// `InsufficientSubnetSize` when others took the addresses meanwhile.
pub fn allocate(
    world: &mut World,
    cluster: &Resource,
    pool: &ResourceId,
    managed: &str,
) -> ArmResult<()> {
    let Some(stored) = world.get(pool.as_str()).cloned() else {
        return Ok(());
    };
    let subnet = stored
        .text("/properties/vnetSubnetID")
        .unwrap_or(managed)
        .to_owned();
    let count = number(&stored, "/properties/count", 1);
    let mut configurations = Vec::new();
    for (subnet, each, first) in [
        (Some(subnet), of_node(cluster, &stored), "ipconfig"),
        (
            stored
                .text("/properties/podSubnetID")
                .map(ToOwned::to_owned),
            of_pods(&stored),
            "podconfig",
        ),
    ] {
        let Some(subnet) = subnet else { continue };
        configurations.extend(in_subnet(
            world,
            cluster,
            &stored,
            &subnet,
            count * each,
            each,
            first,
        )?);
    }
    if let Some(pool) = world.get_mut(pool.as_str()) {
        pool.set(CONFIGURATIONS, configurations);
    }
    Ok(())
}

/// The configurations of a pool in one subnet: those that it has, then new ones.
fn in_subnet(
    world: &World,
    cluster: &Resource,
    pool: &Resource,
    subnet: &str,
    need: i64,
    each: i64,
    word: &str,
) -> ArmResult<Vec<Value>> {
    let Some(subnet) = world.get(subnet) else {
        return Ok(Vec::new());
    };
    let need = usize::try_from(need).unwrap_or(0);
    let mut kept: Vec<Value> = pool
        .items(CONFIGURATIONS)
        .iter()
        .filter(|ip| {
            ip.pointer("/properties/subnet/id")
                .and_then(Value::as_str)
                .is_some_and(|id| subnet.id.same(id))
        })
        .take(need)
        .cloned()
        .collect();
    let missing = need - kept.len();
    let free: Vec<Ipv4Addr> = addresses::free(world, subnet).take(missing).collect();
    if free.len() < missing {
        let prefix = addresses::of_subnet(subnet)?
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (need, has) = (need, kept.len() + free.len());
        return Err(insufficient(
            i64::try_from(need).unwrap_or(i64::MAX),
            i64::try_from(has).unwrap_or(i64::MAX),
            &prefix,
            subnet.id.name(),
            "agentPoolProfile.count",
        ));
    }
    let set = scale_set(cluster, pool);
    let each = usize::try_from(each).unwrap_or(1).max(1);
    for address in free {
        let (node, at) = (kept.len() / each, kept.len() % each + 1);
        let name = format!("{word}{at}");
        kept.push(json!({
            "id": format!("{set}/virtualMachines/{node}/networkInterfaces/{}/ipConfigurations/{name}", pool.id.name()),
            "name": name,
            "properties": { "privateIPAddress": address.to_string(), "subnet": { "id": subnet.id.as_str() } },
        }));
    }
    Ok(kept)
}

/// The id of the scale set in which a pool's nodes are.
fn scale_set(cluster: &Resource, pool: &Resource) -> String {
    let group = cluster
        .text("/properties/nodeResourceGroup")
        .unwrap_or_default();
    let digits: String = clusters::hash(cluster, "nodes")
        .chars()
        .map(|c| char::from_digit(c.to_digit(16).unwrap_or(0) % 10, 10).unwrap_or('0'))
        .collect();
    format!(
        "{}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-{}-{digits}-vmss",
        ResourceId::group_of(cluster.id.subscription(), group),
        pool.id.name()
    )
}

/// All configurations of all pools, for `network::addresses`.
pub fn configurations(world: &World) -> impl Iterator<Item = &Value> {
    world
        .of_type(agent_pools::NAME)
        .flat_map(|pool| pool.items(CONFIGURATIONS))
}
