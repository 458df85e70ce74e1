//! What `kubectl -o` prints of an object.

use serde_json::{Map, Value};

use super::yaml;

/// Prints an object as `-o` asks: json, yaml, name, jsonpath, or a line of a table.
///
/// # Errors
/// There is no such format.
pub fn print(output: &str, object: &Value) -> Result<String, String> {
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    match output {
        "json" => Ok(format!("{object:#}\n")),
        "yaml" => Ok(yaml::text(object)),
        "name" => Ok(format!("{kind}/{name}\n")),
        "" | "wide" => Ok(match kind.as_str() {
            "secret" => format!(
                "{name}   {}   {}\n",
                object["type"].as_str().unwrap_or("Opaque"),
                object["data"].as_object().map_or(0, Map::len)
            ),
            _ => format!("{name}\n"),
        }),
        other => match other.strip_prefix("jsonpath=") {
            Some(path) => Ok(json_path(path, object)),
            None => Err(format!(
                "error: unable to match a printer suitable for the output format \"{other}\""
            )),
        },
    }
}

/// `{.data.\.dockerconfigjson}`, `{.metadata.annotations['a.b/c']}` and `{"\n"}`; text outside braces stays.
fn json_path(template: &str, object: &Value) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((path, behind)) = after.split_once('}') else {
            break;
        };
        rest = behind;
        if let Some(text) = path
            .strip_prefix('"')
            .and_then(|path| path.strip_suffix('"'))
        {
            out.push_str(&text.replace("\\n", "\n").replace("\\t", "\t"));
            continue;
        }
        let mut at = object;
        let quoted = path
            .replace("\\.", "\u{1}")
            .replace("['", ".")
            .replace("']", "")
            .replace("[\"", ".")
            .replace("\"]", "");
        let bracketed = path.contains('[');
        let names: Vec<String> = if bracketed {
            // Names in brackets keep their dots.
            path.split(['[', ']'])
                .flat_map(|piece| {
                    let bare = piece.trim_matches(['\'', '"']);
                    if bare.len() == piece.len() {
                        piece.split('.').map(ToOwned::to_owned).collect::<Vec<_>>()
                    } else {
                        vec![bare.to_owned()]
                    }
                })
                .collect()
        } else {
            quoted
                .split('.')
                .map(|name| name.replace('\u{1}', "."))
                .collect()
        };
        for name in names.iter().filter(|name| !name.is_empty()) {
            at = &at[name.as_str()];
        }
        match at {
            Value::Null => {}
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
    }
    out.push_str(rest);
    out
}
