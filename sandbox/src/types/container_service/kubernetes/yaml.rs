//! YAML manifests as JSON and back. Several documents of one text are several values.

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlEmitter, YamlLoader};

/// The documents of a manifest, `List`s taken apart; JSON is YAML.
///
/// # Errors
/// The text is not YAML.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let loaded = YamlLoader::load_from_str(text)
        .map_err(|error| format!("error parsing manifest: {error}"))?;
    let mut found = Vec::new();
    for document in &loaded {
        let value = to_json(document);
        if value.is_null() {
            continue;
        }
        match value.get("items").and_then(Value::as_array) {
            Some(items)
                if value["kind"]
                    .as_str()
                    .is_some_and(|kind| kind.ends_with("List")) =>
            {
                found.extend(items.iter().cloned());
            }
            _ => found.push(value),
        }
    }
    Ok(found)
}

fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Real(text) => text
            .parse::<f64>()
            .map_or_else(|_| Value::from(text.as_str()), Value::from),
        Yaml::Boolean(flag) => Value::from(*flag),
        Yaml::Array(items) => items.iter().map(to_json).collect(),
        Yaml::Hash(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let key = match key {
                        Yaml::String(text) | Yaml::Real(text) => text.clone(),
                        other => to_json(other).to_string(),
                    };
                    (key, to_json(value))
                })
                .collect::<Map<String, Value>>(),
        ),
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

/// A value as YAML, as `kubectl -o yaml` prints it.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    let yaml = from_json(value);
    if YamlEmitter::new(&mut out).dump(&yaml).is_err() {
        return String::new();
    }
    format!("{}\n", out.trim_start_matches("---\n"))
}

fn from_json(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(flag) => Yaml::Boolean(*flag),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Yaml::Real(number.to_string()), Yaml::Integer),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => Yaml::Array(items.iter().map(from_json).collect()),
        Value::Object(map) => Yaml::Hash(
            map.iter()
                .map(|(key, value)| (Yaml::String(key.clone()), from_json(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn manifests_are_read_from_yaml_and_json_and_written_back() {
        let text = "apiVersion: v1\nkind: Secret\ndata: {a: Yg==}\n---\nkind: Namespace\nmetadata:\n  name: x\n";
        let found = documents(text).unwrap();
        assert_eq!(found[0]["data"]["a"], "Yg==");
        assert_eq!(found[1]["metadata"]["name"], "x");
        let list = json!({ "kind": "List", "items": found });
        assert_eq!(documents(&list.to_string()).unwrap(), found);
        assert_eq!(documents(&super::text(&found[0])).unwrap(), found[..1]);
        assert!(documents("a: [").is_err());
    }
}
