//! The node resource group: made with the cluster, managed by it, gone with it. It holds what the cluster
//! consists of. Everything here can be repeated: an update brings the group to what the cluster now is.

use serde_json::{Value, json};

use super::{agent_pools, capacity, identities, outbound, private_cluster, subnet_rules};
use crate::errors::ArmResult;
use crate::guards::touch_etag;
use crate::id::ResourceId;
use crate::operations::set_state;
use crate::store::{Resource, World};
use crate::table;
use crate::types::network::virtual_networks;

/// The address space and the node subnet of a network that the cluster makes itself.
const SPACE: &str = "10.224.0.0/12";
const SUBNET: &str = "10.224.0.0/16";

/// The id of the group.
#[must_use]
pub fn id(cluster: &Resource) -> ResourceId {
    let name = cluster
        .text("/properties/nodeResourceGroup")
        .unwrap_or_default();
    ResourceId::group_of(cluster.id.subscription(), name)
}

/// The id of something in the group.
#[must_use]
pub fn member(cluster: &Resource, type_name: &str, name: &str) -> ResourceId {
    id(cluster).sibling(type_name, name)
}

/// The subnet of the network that the cluster makes when its pools name none.
#[must_use]
pub fn managed_subnet(cluster: &Resource) -> ResourceId {
    member(cluster, virtual_networks::NAME, &network_name(cluster)).child("subnets", "aks-subnet")
}

fn network_name(cluster: &Resource) -> String {
    format!("aks-vnet-{}", super::clusters::hash(cluster, "network"))
}

/// Stores a resource as its own service would: defaults, etag, effects.
///
/// # Errors
/// What the type's own functions refuse.
pub fn put(world: &mut World, id: &ResourceId, type_name: &str, body: Value) -> ArmResult<()> {
    let Some(kind) = table::find(type_name) else {
        return Ok(());
    };
    let old = world.get(id.as_str()).cloned();
    let mut new = Resource::new(id.clone(), kind.name, body);
    touch_etag(world, kind, &mut new);
    (kind.fill)(world, &mut new, old.as_ref())?;
    world.insert(new);
    set_state(world, id, "Succeeded");
    (kind.settle)(world, id)
}

/// Brings the group to what the cluster is.
///
/// # Errors
/// A subnet is full; the identity may not write to a zone; a zone link collides.
pub fn settle(world: &mut World, cluster: &ResourceId) -> ArmResult<()> {
    let read = |world: &World| world.require(cluster).cloned();
    let stored = read(world)?;
    let group = id(&stored);
    if world.get(group.as_str()).is_none() {
        let body = json!({
            "location": stored.text("/location"), "managedBy": stored.id.as_str(),
            "tags": { "aks-managed-cluster-name": stored.id.name(), "aks-managed-cluster-rg": stored.id.group() },
        });
        put(world, &group, "Microsoft.Resources/resourceGroups", body)?;
    }
    identities::make(world, &stored)?;
    let pools: Vec<ResourceId> = agent_pools::of(world, cluster)
        .iter()
        .map(|pool| pool.id.clone())
        .collect();
    network(world, &stored, &pools)?;
    private_cluster::settle(world, &read(world)?)?;
    for pool in &pools {
        nodes(world, pool)?;
    }
    outbound::settle(world, &read(world)?)
}

/// Brings a pool's nodes to its count.
///
/// # Errors
/// The subnet is full.
pub fn nodes(world: &mut World, pool: &ResourceId) -> ArmResult<()> {
    let cluster = agent_pools::cluster(world, pool)?.clone();
    let managed = managed_subnet(&cluster);
    capacity::allocate(world, &cluster, pool, managed.as_str())?;
    let pods = world
        .get(pool.as_str())
        .and_then(|pool| pool.text("/properties/podSubnetID"))
        .map(ToOwned::to_owned);
    if let Some(pods) = pods {
        subnet_rules::delegate(world, &pods);
    }
    if let Some(pool) = world.get_mut(pool.as_str()) {
        pool.set("/properties/provisioningState", "Succeeded");
    }
    Ok(())
}

/// The cluster's own network, security group and, for kubenet, route table.
fn network(world: &mut World, cluster: &Resource, pools: &[ResourceId]) -> ArmResult<()> {
    let location = json!(cluster.text("/location"));
    let digits = super::clusters::hash(cluster, "nodes");
    let guard = member(
        cluster,
        "Microsoft.Network/networkSecurityGroups",
        &format!("aks-agentpool-{digits}-nsg"),
    );
    if world.get(guard.as_str()).is_none() {
        put(
            world,
            &guard,
            "Microsoft.Network/networkSecurityGroups",
            json!({ "location": location }),
        )?;
    }
    let own = pools.iter().any(|pool| {
        world
            .get(pool.as_str())
            .is_some_and(|pool| pool.at("/properties/vnetSubnetID").is_some())
    });
    if own {
        return Ok(());
    }
    let subnet = managed_subnet(cluster);
    if world.get(subnet.as_str()).is_some() {
        return Ok(());
    }
    let id = member(cluster, virtual_networks::NAME, &network_name(cluster));
    let body = json!({
        "location": location,
        "properties": {
            "addressSpace": { "addressPrefixes": [SPACE] },
            "subnets": [{ "name": "aks-subnet", "properties": { "addressPrefix": SUBNET, "networkSecurityGroup": { "id": guard.as_str() } } }],
        },
    });
    put(world, &id, virtual_networks::NAME, body)
}

/// Deletes the group with everything in it, and what the cluster wrote elsewhere.
///
/// # Errors
/// Something outside uses what is in the group.
pub fn remove(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    private_cluster::remove(world, cluster)?;
    let group = id(cluster);
    if world.get(group.as_str()).is_some() {
        world.delete(&group)?;
    }
    Ok(())
}
