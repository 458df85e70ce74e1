//! POST actions that change a cluster or a pool: start, stop, a newer node image, and what tells the id of
//! the private link service. Each is an operation like a write, and waits for others like one.

use serde_json::json;

use super::{agent_pools, node_group, not_allowed, versions};
use crate::errors::ArmResult;
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};

/// The power state that a running operation leads to; never shown.
const TOWARDS: &str = "/towards";
const POWER: &str = "/properties/powerState/code";

/// `POST .../stop`.
///
/// # Errors
/// None; a stopped cluster answers 204.
pub fn stop(world: &mut World, cluster: &Resource, _: &Request) -> ArmResult<Answer> {
    power(world, cluster, "Stopped", "Stopping")
}

/// `POST .../start`.
///
/// # Errors
/// None; a running cluster answers 204.
pub fn start(world: &mut World, cluster: &Resource, _: &Request) -> ArmResult<Answer> {
    power(world, cluster, "Running", "Starting")
}

fn power(world: &mut World, cluster: &Resource, towards: &str, state: &str) -> ArmResult<Answer> {
    if cluster.text(TOWARDS).is_none() && cluster.text(POWER) == Some(towards) {
        return Ok(Answer::empty(204));
    }
    if let Some(stored) = world.get_mut(cluster.id.as_str()) {
        stored.set("/properties/provisioningState", state);
        stored.set(TOWARDS, towards);
    }
    Ok(started(Answer::empty(202), &cluster.id))
}

fn started(mut answer: Answer, id: &ResourceId) -> Answer {
    answer.started = Some(id.clone());
    answer
}

/// What completes with any operation of a cluster.
///
/// # Errors
/// As `node_group::settle`.
pub fn settle(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let towards = world.require(id)?.text(TOWARDS).map(ToOwned::to_owned);
    let Some(towards) = towards else {
        return node_group::settle(world, id);
    };
    let pools: Vec<ResourceId> = agent_pools::of(world, id)
        .iter()
        .map(|pool| pool.id.clone())
        .collect();
    for target in pools.iter().chain([id]) {
        if let Some(target) = world.get_mut(target.as_str()) {
            target.set(POWER, towards.clone());
            target.unset(TOWARDS);
        }
    }
    Ok(())
}

/// `POST .../agentPools/{pool}/upgradeNodeImageVersion`: 200 when the image is the newest, else 202.
///
/// # Errors
/// The pool is stopped.
pub fn upgrade_node_image(world: &mut World, pool: &Resource, _: &Request) -> ArmResult<Answer> {
    if pool.text(POWER) == Some("Stopped") {
        return Err(not_allowed(format!(
            "The agent pool {} is stopped.",
            pool.id.name()
        )));
    }
    let newest = versions::node_image(pool.text("/properties/osSKU").unwrap_or_default());
    if pool.text("/properties/nodeImageVersion") == Some(newest.as_str()) {
        return Ok(Answer::json(200, world.view(pool)));
    }
    if let Some(stored) = world.get_mut(pool.id.as_str()) {
        stored.set("/properties/provisioningState", "UpgradingNodeImageVersion");
        stored.set("/properties/nodeImageVersion", newest);
    }
    let view = world.view(world.require(&pool.id)?);
    Ok(started(Answer::json(202, view), &pool.id))
}

/// `POST .../resolvePrivateLinkServiceId`.
///
/// # Errors
/// The body is no JSON.
pub fn private_link_service(
    _: &mut World,
    cluster: &Resource,
    request: &Request,
) -> ArmResult<Answer> {
    let body = request.object()?;
    Ok(Answer::json(
        200,
        json!({ "name": body["name"], "groupId": "management", "privateLinkServiceID": cluster.id.as_str() }),
    ))
}
