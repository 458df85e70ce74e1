//! Microsoft.Management/managementGroups and the subscriptions in them.

use serde_json::{Value, json};

use super::VERSIONS;
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Management/managementGroups";
const SUBSCRIPTION: &str = "Microsoft.Management/managementGroups/subscriptions";
const PARENT: &str = "/properties/details/parent/id";

/// The row of the groups.
pub const GROUPS: Type = Type {
    place: Place::None,
    tenant: true,
    put: Style::Replaced,
    patch: Patch::Merge(Style::Immediate),
    creating: None,
    not_found: "NotFound",
    properties: &["tenantId", "displayName", "details"],
    read_only: &["tenantId"],
    check,
    fill,
    provided,
    collection: Some(list),
    ..Type::new(NAME, VERSIONS)
};

/// The row of their subscriptions.
pub const SUBSCRIPTIONS: Type = Type {
    place: Place::None,
    tenant: true,
    put: Style::Replaced,
    creating: None,
    check: check_subscription,
    fill: move_subscription,
    ..Type::new(SUBSCRIPTION, VERSIONS)
};

/// True when the management group is there.
#[must_use]
pub fn exists(world: &World, id: &ResourceId) -> bool {
    id.type_name().eq_ignore_ascii_case(NAME)
        && (id.name().eq_ignore_ascii_case(&world.tenant) || world.get(id.as_str()).is_some())
}

/// The keys of the management groups above a scope, nearest first.
#[must_use]
pub fn above(world: &World, scope: &str) -> Vec<String> {
    let Some(id) = ResourceId::parse(scope) else {
        return Vec::new();
    };
    let root = format!("/providers/{NAME}/{}", world.tenant).to_lowercase();
    let mut at = match id.subscription() {
        "" => match id.type_name().eq_ignore_ascii_case(NAME) {
            true => parent(world, &id.key()),
            // What is assigned at a group lies below it by its id; the groups above come on top.
            false => id.parent().map(|group| group.key()),
        },
        subscription => Some(
            world
                .of_type(SUBSCRIPTION)
                .find(|member| member.id.name().eq_ignore_ascii_case(subscription))
                .and_then(|member| member.id.parent())
                .map_or_else(|| root.clone(), |group| group.key()),
        ),
    };
    let mut groups = Vec::new();
    while let Some(key) = at {
        at = parent(world, &key);
        groups.push(key);
    }
    groups
}

fn parent(world: &World, key: &str) -> Option<String> {
    let group = world.get(key)?;
    group.text(PARENT).map(str::to_lowercase)
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        let key = new.id.key();
        let children = world
            .of_type(NAME)
            .any(|group| parent(world, &group.id.key()).as_ref() == Some(&key));
        if children || world.list(&key, SUBSCRIPTION).next().is_some() {
            return Err(ArmError::bad(
                "BadRequest",
                format!(
                    "The management group '{}' has children and cannot be deleted.",
                    new.id.name()
                ),
            ));
        }
        return Ok(());
    }
    if new.id.name().eq_ignore_ascii_case(&world.tenant) {
        return Err(ArmError::bad(
            "BadRequest",
            "The root management group cannot be changed.",
        ));
    }
    match new.text(PARENT).and_then(ResourceId::parse) {
        Some(parent) if !exists(world, &parent) => Err(missing(parent.name())),
        None if new.at(PARENT).is_some() => Err(missing(new.text(PARENT).unwrap_or_default())),
        _ => Ok(()),
    }
}

/// 404 for a management group that is not there.
#[must_use]
pub fn missing(name: &str) -> ArmError {
    ArmError::new(
        404,
        "NotFound",
        format!("The management group '{name}' cannot be found."),
    )
}

fn fill(world: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    let name = new.id.name().to_owned();
    new.default("/properties/displayName", name);
    new.set("/properties/tenantId", world.tenant.clone());
    new.default(PARENT, format!("/providers/{NAME}/{}", world.tenant));
    Ok(())
}

fn root(world: &World) -> Value {
    json!({
        "id": format!("/providers/{NAME}/{}", world.tenant),
        "name": world.tenant,
        "type": NAME,
        "properties": {
            "tenantId": world.tenant,
            "displayName": "Tenant Root Group",
            "details": { "parent": null },
        },
    })
}

fn provided(world: &World, id: &ResourceId) -> Option<Value> {
    id.name()
        .eq_ignore_ascii_case(&world.tenant)
        .then(|| root(world))
}

fn list(world: &mut World, _: &str, _: &Request) -> ArmResult<Vec<Value>> {
    let mut groups = vec![root(world)];
    groups.extend(world.of_type(NAME).map(|group| world.view(group)));
    Ok(groups)
}

fn check_subscription(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let name = change.new.id.name();
    let known = world
        .subscriptions
        .iter()
        .any(|id| id.eq_ignore_ascii_case(name));
    match known || change.verb == Verb::Delete {
        true => Ok(()),
        false => Err(ArmError::new(
            404,
            "NotFound",
            format!("The subscription '{name}' cannot be found."),
        )),
    }
}

/// A subscription is in one group.
fn move_subscription(world: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    let others: Vec<String> = world
        .of_type(SUBSCRIPTION)
        .filter(|member| member.id.name().eq_ignore_ascii_case(new.id.name()))
        .filter(|member| !member.id.same(new.id.as_str()))
        .map(|member| member.id.key())
        .collect();
    for other in others {
        world.remove(&other);
    }
    Ok(())
}
