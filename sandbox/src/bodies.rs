//! Bodies of writes: what a PUT may hold, and how a PATCH merges into what is stored.

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::store::Resource;
use crate::table::{Patch, Type};

/// The body of a PUT without what only the service sets; unknown members are refused.
pub fn accepted_body(kind: &Type, mut body: Value) -> ArmResult<Value> {
    let Value::Object(map) = &mut body else {
        return Err(invalid_content("The body is not a JSON object"));
    };
    for name in ["id", "name", "type", "etag", "systemData", "apiVersion"] {
        map.remove(name);
    }
    map.retain(|_, value| !value.is_null());
    for name in map.keys() {
        let common = ["location", "tags", "properties"].contains(&name.as_str());
        if !common && !kind.members.contains(&name.as_str()) {
            return Err(invalid_content(format!(
                "Could not find member '{name}' on object of type 'ResourceDefinition'. Path '{name}'"
            )));
        }
    }
    check_tags(map.get("tags"))?;
    match map.get_mut("properties") {
        None => {}
        Some(Value::Object(properties)) => {
            properties.remove("provisioningState");
            for name in kind.read_only {
                properties.remove(*name);
            }
            properties.retain(|_, value| !value.is_null());
            if let Some(name) = properties.keys().find(|name| !known(kind.properties, name)) {
                return Err(invalid_content(format!(
                    "Could not find member '{name}' on object of type '{}'. Path 'properties.{name}'",
                    kind.short()
                )));
            }
        }
        Some(_) => {
            return Err(invalid_content(
                "Error converting value to type 'Properties'. Path 'properties'",
            ));
        }
    }
    Ok(body)
}

/// The stored body with a PATCH applied.
pub fn patched_body(
    kind: &Type,
    patch: Patch,
    body: Value,
    old: Option<&Resource>,
) -> ArmResult<Value> {
    let mut merged = old.map_or_else(|| json!({}), |old| old.body.clone());
    if matches!(patch, Patch::Tags | Patch::TagsLater(_)) {
        let Value::Object(map) = &body else {
            return Err(invalid_content("The body is not a JSON object"));
        };
        if let Some(name) = map.keys().find(|name| *name != "tags") {
            return Err(invalid_content(format!(
                "Could not find member '{name}' on object of type 'TagsObject'. Path '{name}'"
            )));
        }
        check_tags(map.get("tags"))?;
        merged["tags"] = map.get("tags").cloned().unwrap_or_else(|| json!({}));
        return Ok(merged);
    }
    let body = accepted_body(kind, body)?;
    merge(&mut merged, body);
    if let Value::Object(map) = &mut merged {
        map.remove("etag");
    }
    Ok(merged)
}

/// RFC 7396 for objects; tags, and the metadata of record sets, are replaced as a whole, as Azure's PATCH does.
pub fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    target.remove(&name);
                } else if name == "tags" || name == "metadata" {
                    target.insert(name, value);
                } else {
                    merge(target.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

/// Removes null members everywhere, as services drop them when they store a body.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn known(names: &[&str], name: &str) -> bool {
    names.is_empty() || names.contains(&name)
}

fn check_tags(tags: Option<&Value>) -> ArmResult<()> {
    let Some(tags) = tags else { return Ok(()) };
    let Value::Object(tags) = tags else {
        return Err(invalid_content(
            "Error converting value to type 'InsensitiveDictionary'. Path 'tags'",
        ));
    };
    if tags.len() > 50 {
        return Err(ArmError::bad(
            "InvalidTags",
            "The number of tags exceeds the limit of 50.",
        ));
    }
    for (name, value) in tags {
        let Some(value) = value.as_str() else {
            return Err(ArmError::bad(
                "InvalidTagValue",
                format!("The value of tag '{name}' is not a string."),
            ));
        };
        if name.len() > 512 || value.len() > 256 {
            return Err(ArmError::bad(
                "InvalidTagNameOrValue",
                format!(
                    "Tag '{name}' is too long: names have up to 512 characters, values up to 256."
                ),
            ));
        }
        if name.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            return Err(ArmError::bad(
                "InvalidTagNameCharacters",
                format!("The tag name '{name}' has reserved characters '<,>,%,&,\\,?,/'."),
            ));
        }
    }
    Ok(())
}
