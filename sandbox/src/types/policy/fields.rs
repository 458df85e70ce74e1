//! What a policy rule looks at: `type`, `name`, tags, and aliases such as
//! `Microsoft.ContainerRegistry/registries/networkRuleSet.defaultAction`, which name a property.

use serde_json::{Map, Value, json};

use crate::store::{Resource, set};

/// The body of a resource with its id, name and type, as rules see it.
#[must_use]
pub fn seen(resource: &Resource) -> Value {
    let mut body = resource.body.clone();
    body["id"] = json!(resource.id.as_str());
    body["name"] = json!(resource.id.name());
    body["type"] = json!(resource.type_name);
    body
}

/// The values of a field: one, none when it is not there, or one for each element behind `[*]`.
#[must_use]
pub fn values(resource: &Value, field: &str) -> Vec<Value> {
    let kind = resource["type"].as_str().unwrap_or_default();
    let Some(path) = alias(kind, field) else {
        return plain(resource, field).into_iter().collect();
    };
    let properties = walk(&resource["properties"], &path);
    match properties.is_empty() {
        false => properties,
        true => walk(resource, &path),
    }
}

/// The path of a member below an element, for the conditions of a `count`.
#[must_use]
pub fn below<'a>(field: &'a str, counted: &str) -> Option<&'a str> {
    let rest = field.get(..counted.len())?;
    let rest = rest
        .eq_ignore_ascii_case(counted)
        .then(|| &field[counted.len()..])?;
    Some(rest.trim_start_matches('.'))
}

/// The values at a dotted path of an element.
#[must_use]
pub fn inside(element: &Value, path: &str) -> Vec<Value> {
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    let properties = walk(&element["properties"], &parts);
    match properties.is_empty() {
        false => properties,
        true => walk(element, &parts),
    }
}

/// Sets or removes what an alias names.
pub fn write(resource: &mut Resource, field: &str, value: Option<Value>) {
    let Some(path) = alias(&resource.type_name, field) else {
        return;
    };
    let pointer = format!("/properties/{}", path.join("/"));
    match value {
        Some(value) => set(&mut resource.body, &pointer, value),
        None => resource.unset(&pointer),
    }
}

/// The property path of an alias of the type; `None` for a plain field or another type's alias.
fn alias<'a>(kind: &str, field: &'a str) -> Option<Vec<&'a str>> {
    let head = field.get(..kind.len())?;
    let rest = field.get(kind.len()..)?.strip_prefix('/')?;
    head.eq_ignore_ascii_case(kind)
        .then(|| rest.split('.').collect())
}

fn plain(resource: &Value, field: &str) -> Option<Value> {
    if field.contains('/') {
        return None;
    }
    let lower = field.to_lowercase();
    if let Some(rest) = lower.strip_prefix("tags") {
        let name = rest.trim_matches(|c| matches!(c, '.' | '[' | ']' | '\'' | '"'));
        let tags = &resource["tags"];
        return match name {
            "" => Some(tags.clone()).filter(|tags| !tags.is_null()),
            name => member(tags, name).cloned(),
        };
    }
    if lower == "fullname" {
        return Some(resource["name"].clone());
    }
    walk(resource, &field.split('.').collect::<Vec<_>>())
        .into_iter()
        .next()
}

fn walk(value: &Value, path: &[&str]) -> Vec<Value> {
    let Some((first, rest)) = path.split_first() else {
        return vec![value.clone()];
    };
    let (name, each) = match first.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (*first, false),
    };
    match (member(value, name), each) {
        (Some(Value::Array(items)), true) => items
            .iter()
            .flat_map(|item| inside_path(item, rest))
            .collect(),
        (Some(_), true) | (None, _) => Vec::new(),
        (Some(found), false) => walk(found, rest),
    }
}

/// Elements that are resources of their own have their members under `properties`.
fn inside_path(item: &Value, rest: &[&str]) -> Vec<Value> {
    let direct = walk(item, rest);
    match direct.is_empty() && item["properties"].is_object() {
        true => walk(&item["properties"], rest),
        false => direct,
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map: &Map<String, Value> = value.as_object()?;
    map.iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_name_properties_and_elements() {
        let resource = json!({
            "type": "Microsoft.X/things", "name": "n", "tags": { "Env": "prod" },
            "sku": { "name": "Premium" },
            "properties": { "a": { "B": 1 }, "list": [{ "properties": { "state": "on" } }, { "state": "off" }] },
        });
        let all = |field: &str| values(&resource, field);
        assert_eq!(all("microsoft.x/Things/a.b"), [json!(1)]);
        assert_eq!(all("Microsoft.X/things/sku.name"), [json!("Premium")]);
        assert_eq!(
            all("Microsoft.X/things/list[*].state"),
            [json!("on"), json!("off")]
        );
        assert_eq!(all("tags['env']"), [json!("prod")]);
        assert_eq!(all("tags.env"), [json!("prod")]);
        assert_eq!(all("type"), [json!("Microsoft.X/things")]);
        assert!(all("Microsoft.Y/things/a.b").is_empty());
        assert!(all("Microsoft.X/things/none").is_empty());
    }
}
