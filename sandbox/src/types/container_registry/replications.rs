//! Microsoft.ContainerRegistry/registries/replications: one for each region, the home region included.
//! A new one takes an address more in the subnet of every endpoint of the registry. When one subnet
//! has none left the operation fails, everything is rolled back, and the error names no subnet.

use serde_json::{Value, json};

use super::{VERSIONS, registry_lock, rules};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, FailedCreate, Patch, Style, Type, Verb};
use crate::types::network::private_endpoints;

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerRegistry/registries/replications";

/// The row.
pub const REPLICATIONS: Type = Type {
    put: Style::AsyncCreated,
    patch: Patch::Merge(Style::AsyncCreated),
    delete: Style::Location,
    creating: Some("Creating"),
    failed_create: FailedCreate::Vanishes,
    properties: &[
        "provisioningState",
        "status",
        "regionEndpointEnabled",
        "zoneRedundancy",
    ],
    read_only: &["status"],
    check,
    fill,
    settle,
    on_delete,
    locks: registry_lock,
    ..Type::new(NAME, VERSIONS)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let Some(registry) = new.id.parent().and_then(|id| world.get(id.as_str())) else {
        return Ok(());
    };
    let (name, region) = (new.id.name(), new.text("/location").unwrap_or_default());
    let home = registry.text("/location") == Some(region);
    if change.verb == Verb::Delete {
        return if home && rules::premium(registry) {
            Err(ArmError::bad(
                "HomeReplicationCannotBeDeleted",
                format!(
                    "The replication '{name}' is in the home region of the registry '{}' and cannot be deleted.",
                    registry.id.name()
                ),
            ))
        } else {
            Ok(())
        };
    }
    if !rules::premium(registry) {
        return Err(ArmError::bad(
            "ResourceTypeNotSupported",
            format!(
                "The resource type replications is not supported for the registry {} in SKU {}.",
                registry.id.name(),
                rules::sku(registry)
            ),
        ));
    }
    if !(5..=50).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(ArmError::bad(
            "InvalidResourceName",
            format!(
                "The replication name '{name}' is invalid. Resource names may contain alpha numeric characters only and must be between 5 and 50 characters."
            ),
        ));
    }
    let other = world
        .list(registry.id.as_str(), NAME)
        .find(|other| other.text("/location") == Some(region) && !other.id.same(new.id.as_str()));
    if let Some(other) = other {
        return Err(ArmError::conflict(
            "ReplicationAlreadyExists",
            format!(
                "The registry '{}' already has the replication '{}' in the location '{region}'.",
                registry.id.name(),
                other.id.name()
            ),
        ));
    }
    check_values(change)
}

fn check_values(change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let zones = new.text("/properties/zoneRedundancy");
    let before = change
        .old
        .and_then(|old| old.text("/properties/zoneRedundancy"));
    let changed = zones
        .zip(before)
        .is_some_and(|(new, old)| !new.eq_ignore_ascii_case(old));
    if changed {
        return Err(ArmError::bad(
            "ZoneRedundancyCannotBeChanged",
            format!(
                "The zone redundancy of the replication '{}' cannot be changed after it was created.",
                new.id.name()
            ),
        ));
    }
    let known = zones.is_none_or(|word| canonical(word).is_some());
    let switch = new
        .at("/properties/regionEndpointEnabled")
        .is_none_or(Value::is_boolean);
    if known && switch {
        return Ok(());
    }
    Err(invalid_content("Error converting value. Path 'properties'"))
}

fn canonical(word: &str) -> Option<&'static str> {
    ["Enabled", "Disabled"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let zones = new
        .text("/properties/zoneRedundancy")
        .or_else(|| old.and_then(|old| old.text("/properties/zoneRedundancy")))
        .and_then(canonical)
        .unwrap_or("Disabled");
    new.set("/properties/zoneRedundancy", zones);
    new.default("/properties/regionEndpointEnabled", true);
    let status = match old.and_then(|old| old.at("/properties/status")) {
        Some(status) => status.clone(),
        None => status(world, "Provisioning", "The replication is provisioning."),
    };
    new.set("/properties/status", status);
    Ok(())
}

fn settle(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let ready = status(world, "Ready", "The replication is ready.");
    let Some(replication) = world.get_mut(id.as_str()) else {
        return Ok(());
    };
    if replication.text("/properties/status/displayStatus") == Some("Ready") {
        return Ok(());
    }
    replication.set("/properties/status", ready);
    let Some(registry) = id.parent() else {
        return Ok(());
    };
    private_endpoints::members_changed(world, &registry).map_err(|cause| {
        tracing::info!(replication = %id, %cause, "no address for the data endpoint of a new region");
        ArmError::bad(
            "ReplicationProvisioningFailed",
            format!(
                "Failed to provision the replication '{}' of the registry '{}': the private endpoints of the registry could not be updated with the data endpoint of the new region. Please make sure that there are available private IP addresses in the subnets of the private endpoints.",
                id.name(),
                registry.name()
            ),
        )
    })
}

/// The endpoints give up the region's address and record. When the registry itself goes they keep
/// everything and are merely disconnected.
fn on_delete(world: &mut World, replication: &Resource) -> ArmResult<()> {
    let Some(registry) = replication.id.parent() else {
        return Ok(());
    };
    if world
        .get(registry.as_str())
        .is_none_or(|registry| registry.state() == "Deleting")
    {
        return Ok(());
    }
    world.remove(replication.id.as_str());
    private_endpoints::members_changed(world, &registry)
}

/// A Premium registry has a replication in its home region, others have none.
pub fn keep_home(world: &mut World, registry: &ResourceId) {
    let Some(owner) = world.get(registry.as_str()) else {
        return;
    };
    let region = owner.text("/location").unwrap_or_default().to_owned();
    let (premium, zones) = (
        rules::premium(owner),
        owner.at("/properties/zoneRedundancy").cloned(),
    );
    let id = registry.child("replications", &region);
    let there = world.get(id.as_str()).is_some();
    if !premium {
        world.remove(id.as_str());
    } else if !there {
        let status = status(world, "Ready", "The replication is ready.");
        world.insert(Resource::new(
            id,
            NAME,
            json!({ "location": region, "tags": {}, "properties": {
                "provisioningState": "Succeeded",
                "status": status,
                "regionEndpointEnabled": true,
                "zoneRedundancy": zones,
            } }),
        ));
    }
}

fn status(world: &World, word: &str, message: &str) -> Value {
    json!({ "displayStatus": word, "message": message, "timestamp": world.timestamp() })
}

/// How many replications a registry has besides the one at home.
#[must_use]
pub fn count(world: &World, registry: &Resource) -> usize {
    let home = registry.text("/location");
    world
        .list(registry.id.as_str(), NAME)
        .filter(|replication| replication.text("/location") != home)
        .count()
}
