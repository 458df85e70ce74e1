//! Microsoft.ContainerService/managedClusters/agentPools: sets of equal nodes. A pool is a resource of its
//! own and shows in its cluster's body too. The cluster takes one write at a time, its pools included.

use serde_json::{Value, json};

use super::{
    VERSIONS, actions, busy, capacity, kubernetes, network_rules, node_group, number, on,
    pool_defaults, pool_rules, schema, subnet_rules,
};
use crate::errors::ArmResult;
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Action, Change, Etags, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerService/managedClusters/agentPools";

/// Set while a pool is being deleted whatever the disruption budgets say; never shown.
const FORCED: &str = "/ignoresDisruptionBudgets";

/// The row.
pub const AGENT_POOLS: Type = Type {
    place: Place::None,
    put: Style::AsyncOperation,
    patch: Patch::No,
    delete: Style::AsyncOperation,
    etags: Etags::Mismatch,
    creating: Some("Creating"),
    updating: |old, new| what_changes(old, new),
    not_found: "NotFound",
    properties: schema::POOL,
    read_only: schema::POOL_READ_ONLY,
    query,
    check,
    fill,
    settle: |world, id| node_group::nodes(world, id),
    on_delete,
    render,
    locks: |_, pool| pool.id.parent().iter().map(ResourceId::key).collect(),
    busy,
    actions: &[Action {
        method: "POST",
        name: "upgradeNodeImageVersion",
        style: Style::AsyncOperation,
        run: actions::upgrade_node_image,
    }],
    ..Type::new(NAME, VERSIONS)
};

/// The pools of a cluster in the order in which they were made.
#[must_use]
pub fn of<'a>(world: &'a World, cluster: &ResourceId) -> Vec<&'a Resource> {
    let mut pools: Vec<&Resource> = world.list(cluster.as_str(), NAME).collect();
    pools.sort_by_key(|pool| pool.order);
    pools
}

/// The cluster of a pool.
///
/// # Errors
/// 404 when it is gone.
pub fn cluster<'a>(world: &'a World, pool: &ResourceId) -> ArmResult<&'a Resource> {
    world.require(&pool.parent().unwrap_or_else(|| pool.clone()))
}

fn what_changes(old: &Resource, new: &Resource) -> &'static str {
    let differs = |name: &str| {
        let pointer = format!("/properties/{name}");
        old.at(&pointer) != new.at(&pointer)
    };
    if differs("currentOrchestratorVersion") {
        "Upgrading"
    } else if differs("count") {
        "Scaling"
    } else {
        "Updating"
    }
}

fn query(request: &Request, pool: &mut Resource) {
    let flag = request.param("ignore-pod-disruption-budget");
    match flag.is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
        true => pool.set(FORCED, true),
        false => pool.unset(FORCED),
    }
}

/// The nodes are drained first, except where the whole cluster goes.
fn on_delete(world: &mut World, pool: &Resource) -> ArmResult<()> {
    match cluster(world, &pool.id) {
        Ok(cluster) if cluster.state() != "Deleting" => {
            kubernetes::drain::pool(world, pool, !on(pool, FORCED))
        }
        _ => Ok(()),
    }
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let cluster = cluster(world, &change.new.id)?;
    if cluster.text("/properties/powerState/code") == Some("Stopped") {
        return Err(super::not_allowed(format!(
            "The managed cluster is in (Stopped) power state, managed cluster {} must be started before its agent pools are changed.",
            cluster.id.name()
        )));
    }
    if change.verb == Verb::Delete {
        // What goes with its cluster is not asked.
        return pool_rules::removable(world, cluster, change.new);
    }
    let mut pool = change.new.clone();
    same_subnet(world, cluster, &mut pool, change.old);
    pool_defaults::complete(&mut pool, cluster, change.old);
    if let Some(old) = change.old {
        pool_rules::unchanged(old, &pool, "properties")?;
    }
    let mut pools: Vec<Resource> = of(world, &cluster.id)
        .into_iter()
        .filter(|other| !other.id.same(pool.id.as_str()))
        .cloned()
        .collect();
    let at = change.old.and_then(|_| {
        of(world, &cluster.id)
            .iter()
            .position(|other| other.id.same(pool.id.as_str()))
    });
    pools.insert(at.unwrap_or(pools.len()).min(pools.len()), pool.clone());
    pool_rules::valid(cluster, &pool, change.old)?;
    pool_rules::together(&pools)?;
    network_rules::valid(cluster, &pools)?;
    subnet_rules::valid(world, cluster, &pools)?;
    capacity::check(world, cluster, &pools)
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let cluster = cluster(world, &new.id)?.clone();
    same_subnet(world, &cluster, new, old);
    pool_defaults::complete(new, &cluster, old);
    Ok(())
}

/// A pool that is added without a subnet joins that of the first pool.
fn same_subnet(world: &World, cluster: &Resource, new: &mut Resource, old: Option<&Resource>) {
    const SUBNET: &str = "/properties/vnetSubnetID";
    let first = of(world, &cluster.id)
        .first()
        .and_then(|pool| pool.at(SUBNET))
        .cloned();
    if let Some(first) = first.filter(|_| old.is_none()) {
        new.default(SUBNET, first);
    }
}

/// Stores a pool that came in its cluster's body.
pub fn store(world: &mut World, mut pool: Resource, state: &str) {
    crate::guards::touch_etag(world, &AGENT_POOLS, &mut pool);
    pool.set("/properties/provisioningState", state);
    world.insert(pool);
}

/// The most nodes that a pool can have: its count, or the upper bound of its autoscaler.
#[must_use]
pub fn most_nodes(pool: &Resource) -> i64 {
    let count = number(pool, "/properties/count", 0);
    if on(pool, "/properties/enableAutoScaling") {
        number(pool, "/properties/maxCount", count).max(count)
    } else {
        count
    }
}

/// True for a pool that runs the cluster's own pods.
#[must_use]
pub fn is_system(pool: &Resource) -> bool {
    pool.text("/properties/mode") == Some("System")
}

fn render(world: &World, pool: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove("ipConfigurations");
        map.remove(FORCED.trim_start_matches('/'));
        let etag = map.remove("etag");
        if let Some(etag) = etag {
            body["properties"]["eTag"] = etag;
        }
    }
    let Ok(cluster) = cluster(world, &pool.id) else {
        return;
    };
    // A pool made with its cluster fails and goes with it.
    let passing = !matches!(pool.state(), "Succeeded" | "Failed" | "Canceled");
    match cluster.state() {
        "Failed" if passing => body["properties"]["provisioningState"] = json!("Failed"),
        "Deleting" => body["properties"]["provisioningState"] = json!("Deleting"),
        _ => {}
    }
}

/// The pool as it shows in its cluster's body.
#[must_use]
pub fn profile(world: &World, pool: &Resource) -> Value {
    let mut view = world.view(pool);
    let mut profile = view["properties"].take();
    profile["name"] = json!(pool.id.name());
    profile
}
