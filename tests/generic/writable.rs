//! The committed table of writable properties, read anew here: request bodies are held against it
//! by other code than the provider's own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use terraform_provider_fkaks::arm::ArmId;

const TABLE: &str = include_str!("../../src/provider/parts/writable.txt");

/// The first property of a body that may not be written to the object of that id.
pub fn stray(id: &str, body: &Json) -> Option<String> {
    let id = ArmId::parse(id).ok()?;
    let kind = id.resource_type().to_lowercase();
    let paths = paths();
    let Some(paths) = paths.get(&kind) else {
        return Some(format!("{kind} is not in the table"));
    };
    let mut found = Vec::new();
    leaves("", body, &mut found);
    found
        .into_iter()
        .find(|path| !paths.contains(path.as_str()) && !is_open(path, paths))
}

fn is_open(path: &str, paths: &BTreeSet<&str>) -> bool {
    path.match_indices('.')
        .any(|(at, _)| paths.contains(format!("{}.*", &path[..at]).as_str()))
}

fn leaves(at: &str, json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                let at = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                found.push(at.clone());
                leaves(&at, value, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| leaves(at, item, found)),
        _ => {}
    }
}

fn paths() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut types: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut current = String::new();
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(header) = line.strip_prefix("# ") {
            current = header.split('@').next().unwrap_or_default().to_lowercase();
        } else {
            types.entry(current.clone()).or_default().insert(line);
        }
    }
    types
}
