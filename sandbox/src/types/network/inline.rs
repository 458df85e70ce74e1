//! Children that can be written with their parent: the subnets of a network, the rules of a security
//! group, the routes of a table. They are stored as resources of their own; the parent's body shows them.
//! A PUT of a network replaces its subnets, and leaves its peerings when it does not name them.

use serde_json::{Value, json};

use crate::bodies::without_nulls;
use crate::errors::{ArmResult, invalid_content};
use crate::guards::touch_etag;
use crate::operations;
use crate::store::{Resource, World};
use crate::table::Type;

/// The children of a parent's body as resources.
///
/// # Errors
/// A child without a name, twice the same name, or an unknown member.
pub fn read(parent: &Resource, kind: &Type) -> ArmResult<Vec<Resource>> {
    let segment = segment(kind);
    let mut children: Vec<Resource> = Vec::new();
    for item in parent.items(&format!("/properties/{segment}")) {
        let Some(name) = item
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
        else {
            return Err(invalid_content(format!(
                "Required property 'name' not found in JSON. Path 'properties.{segment}'"
            )));
        };
        let mut properties = item.get("properties").cloned().unwrap_or_else(|| json!({}));
        without_nulls(&mut properties);
        if let Value::Object(map) = &mut properties {
            map.remove("provisioningState");
            for name in kind.read_only {
                map.remove(*name);
            }
            if let Some(unknown) = map.keys().find(|name| {
                !kind.properties.is_empty() && !kind.properties.contains(&name.as_str())
            }) {
                return Err(invalid_content(format!(
                    "Could not find member '{unknown}' on object of type '{}'. Path 'properties.{segment}.properties.{unknown}'",
                    kind.short()
                )));
            }
        }
        let child = Resource::new(
            parent.id.child(segment, name),
            kind.name,
            json!({ "properties": properties }),
        );
        if children
            .iter()
            .any(|other| other.id.same(child.id.as_str()))
        {
            return Err(invalid_content(format!(
                "The name '{name}' appears twice in 'properties.{segment}'"
            )));
        }
        children.push(child);
    }
    Ok(children)
}

/// Moves the children of a parent's body into the world; those that the body does not name are deleted.
///
/// # Errors
/// As `read`, and what the children's own functions refuse.
pub fn replace(world: &mut World, parent: &mut Resource, kind: &Type) -> ArmResult<()> {
    let children = read(parent, kind)?;
    parent.unset(&format!("/properties/{}", segment(kind)));
    let gone: Vec<_> = world
        .list(parent.id.as_str(), kind.name)
        .filter(|old| !children.iter().any(|child| child.id.same(old.id.as_str())))
        .map(|old| old.id.clone())
        .collect();
    for id in gone {
        world.delete(&id)?;
    }
    place(world, children, kind)
}

/// Moves the children of a parent's body into the world; those that the body does not name stay.
///
/// # Errors
/// As `read`, and what the children's own functions refuse.
pub fn add(world: &mut World, parent: &mut Resource, kind: &Type) -> ArmResult<()> {
    let children = read(parent, kind)?;
    parent.unset(&format!("/properties/{}", segment(kind)));
    place(world, children, kind)
}

fn place(world: &mut World, children: Vec<Resource>, kind: &Type) -> ArmResult<()> {
    for mut child in children {
        let old = world.get(child.id.as_str()).cloned();
        touch_etag(world, kind, &mut child);
        (kind.fill)(world, &mut child, old.as_ref())?;
        let id = child.id.clone();
        world.insert(child);
        operations::set_state(world, &id, "Succeeded");
        (kind.settle)(world, &id)?;
    }
    Ok(())
}

/// Shows the children in the parent's answer, in the order of their creation.
pub fn show(world: &World, parent: &Resource, kind: &Type, body: &mut Value) {
    let mut children: Vec<&Resource> = world.list(parent.id.as_str(), kind.name).collect();
    children.sort_by_key(|child| child.order);
    let views: Vec<Value> = children
        .into_iter()
        .map(|child| world.view(child))
        .collect();
    body["properties"][segment(kind)] = json!(views);
}

fn segment(kind: &Type) -> &'static str {
    kind.name
        .rsplit_once('/')
        .map_or(kind.name, |(_, last)| last)
}
