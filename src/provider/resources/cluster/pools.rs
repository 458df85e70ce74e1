//! The parts of the node pools, and of the temporary pool that carries the load while one of them
//! is made anew.
//!
//! A pool with a change that Azure takes only at creation goes in four steps, so that its pods
//! always have a place: a temporary pool of the new kind, the deletion of the old one (by which
//! AKS cordons and drains its nodes within the disruption budgets), the pool again under its
//! name, the deletion of the temporary one. Its name, and with it the label that pods may select,
//! stays. Each step is in the ledger, so that an interrupted one is gone on with.

use serde_json::{Map, json};
use uuid::Uuid;

use super::pool::Pool;
use super::{Cluster, Input};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Composite, Ledger, Look, Seen, Unread, Wanted};

/// The part of the temporary pools.
pub const STAND_INS: &str = "temporary_pools";

/// The ARM type of a node pool.
pub const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

/// The pools in the body of a cluster, each as it answers for itself.
pub fn within(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
    if !id.is(<Cluster as Composite>::ANCHOR) {
        return Vec::new();
    }
    let profiles = body["properties"]["agentPoolProfiles"].as_array();
    profiles
        .into_iter()
        .flatten()
        .filter_map(|profile| {
            let name = profile["name"].as_str()?;
            let id = id.child("agentPools", name);
            let body = json!({"id": id, "name": name, "properties": profile});
            Some((id, body))
        })
        .collect()
}

/// A new cluster goes with its pools, those of the system first: the API server's endpoint is in
/// the subnet of the first.
pub fn inline(input: &Input) -> Json {
    let mut pools: Vec<(&String, &Pool)> = input.node_pools.iter().collect();
    pools.sort_by_key(|(_, pool)| !pool.is_system());
    let profiles = pools.into_iter().map(|(name, pool)| {
        let mut profile = pool.properties(input, None, None);
        profile.insert("name".to_owned(), name.as_str().into());
        Json::Object(profile)
    });
    json!({"properties": {"agentPoolProfiles": profiles.collect::<Vec<_>>()}})
}

/// The part of the pools.
pub fn pools(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let cluster = input.id();
    let pools = input.node_pools.iter().map(|(name, pool)| {
        let id = cluster.child("agentPools", name);
        let look = seen.look(&id).map(Look::found);
        let anew = match look {
            Ok(Some(found)) => pool.anew(name, found),
            _ => Vec::new(),
        };
        let before = seen
            .prior()
            .map(|prior| &prior["node_pools"][name.as_str()]);
        let body = look.map(|found| {
            // A pool that is made anew has as many nodes as it had.
            let properties = if anew.is_empty() {
                pool.properties(input, found, before)
            } else {
                anew_properties(pool, input, found)
            };
            json!({ "properties": properties })
        });
        Wanted::new(id, body)
            .remake(anew.into_iter().next())
            .argument("node_pools")
    });
    Ok(pools.collect())
}

fn anew_properties(pool: &Pool, input: &Input, found: Option<&Json>) -> Map<String, Json> {
    let mut properties = pool.properties(input, None, None);
    let there = found.and_then(|found| found["properties"]["count"].as_i64());
    if let (true, Some(count)) = (pool.auto_scaling_enabled, there) {
        let (least, most) = (
            pool.min_count.unwrap_or(count),
            pool.max_count.unwrap_or(count),
        );
        properties.insert(
            "count".to_owned(),
            count.clamp(least, most.max(least)).into(),
        );
    }
    properties
}

/// The name of the pool that stands in for another while that is made anew.
pub fn temporary_name(name: &str) -> String {
    let hash = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("fkaks-pool-{name}").as_bytes(),
    );
    let digits: String = hash.simple().to_string().chars().take(8).collect();
    format!("tmp{digits}")
}

/// The part of the temporary pools: one for each pool that is to be made anew, and for each that
/// was being made anew when an apply was interrupted.
pub fn temporary(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let cluster = input.id();
    let ledger = seen
        .prior()
        .map(|prior| Ledger::from_json(&prior["objects"]))
        .unwrap_or_default();
    let looks: Vec<_> = input
        .node_pools
        .iter()
        .map(|(name, pool)| {
            let id = cluster.child("agentPools", &temporary_name(name));
            (
                id,
                name,
                pool,
                seen.look(&cluster.child("agentPools", name)),
            )
        })
        .collect();
    let mut wants = Vec::new();
    for (id, name, pool, look) in looks {
        // Before anything can be read, no pool is known to need one.
        let found = match look {
            Ok(Look::Found(found)) if !pool.anew(name, found).is_empty() => Some(found),
            Ok(Look::Absent) if ledger.contains(&id) => None,
            _ => continue,
        };
        let body = json!({ "properties": anew_properties(pool, input, found) });
        // It only has to be there: what it is follows its pool.
        let standing = seen.look(&id).map(Look::found);
        let body = standing.map(|standing| match standing {
            Some(_) => json!({"properties": {}}),
            None => body,
        });
        wants.push(Wanted::new(id, body).argument("node_pools"));
    }
    Ok(wants)
}

/// The temporary pools that stand in a cluster. Their names are of this resource's making, so that
/// one which an interrupted apply left is known, and goes.
pub fn standing_in(input: &Input, id: &ArmId, cluster: &Json) -> Vec<ArmId> {
    let names: Vec<String> = input
        .node_pools
        .keys()
        .map(|name| temporary_name(name))
        .collect();
    within(id, cluster)
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| names.iter().any(|own| own == id.name()))
        .collect()
}

/// What is to be said of one.
pub fn left_behind(id: &ArmId) -> String {
    format!(
        "node pool {}: it stood in for another, and is not needed any more",
        id.name()
    )
}

/// What to do about a pool that someone else made.
pub fn someone_elses(id: &ArmId) -> Option<String> {
    let cluster = id.parent()?;
    Some(format!(
        "leave {name:?} out of node_pools, and it stays as it is; or import the cluster, which takes over \
         all of its pools; or delete the pool:\n\n  az aks nodepool delete --resource-group {} \
         --cluster-name {} --name {name}",
        cluster.resource_group().unwrap_or_default(),
        cluster.name(),
        name = id.name(),
    ))
}
