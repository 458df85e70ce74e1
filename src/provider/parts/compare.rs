//! What is wanted against what was found, and the body that leads from one to the other.
//!
//! The walk follows the wanted body only. Ids, names and regions are equal without case; lists of
//! scalars are sets unless declared ordered; lists of objects are matched by `name` or `id`;
//! null, `""`, `[]`, `{}` and absent are equal.

use std::fmt;

use serde_json::Map;

use crate::arm::{ArmId, Json, same_location};

/// One place where what was found is not what is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON pointer into the body; elements of lists of objects are named by their name.
    pub pointer: String,
    /// What is wanted there.
    pub wanted: Json,
    /// What was found there.
    pub found: Json,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.pointer.trim_start_matches('/').replace('/', ".");
        write!(
            f,
            "{} is {}, and should be {}",
            name,
            short(&self.found),
            short(&self.wanted)
        )
    }
}

fn short(json: &Json) -> String {
    if is_empty(json) {
        return "not set".to_owned();
    }
    let text = json.to_string();
    if text.chars().count() <= 160 {
        return text;
    }
    text.chars().take(157).chain("...".chars()).collect()
}

/// How lists at certain places are to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lists {
    /// Pointers of lists whose order matters.
    pub ordered: &'static [&'static str],
    /// Pointers of lists or maps in which others have entries of their own.
    pub shared: &'static [&'static str],
}

/// All places where `found` is not what `wanted` says.
#[must_use]
pub fn differences(wanted: &Json, found: &Json, lists: Lists) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare("", wanted, found, lists, &mut differences);
    differences
}

fn compare(at: &str, wanted: &Json, found: &Json, lists: Lists, into: &mut Vec<Difference>) {
    let differ = |into: &mut Vec<Difference>| {
        into.push(Difference {
            pointer: at.to_owned(),
            wanted: wanted.clone(),
            found: found.clone(),
        });
    };
    match (wanted, found) {
        (wanted, found) if is_empty(wanted) && is_empty(found) => {}
        (Json::Object(wanted), Json::Object(_) | Json::Null) => {
            for (name, wanted) in wanted {
                compare(
                    &format!("{at}/{name}"),
                    wanted,
                    &found[name.as_str()],
                    lists,
                    into,
                );
            }
            // In a map of the user's own, such as tags, what is not wanted should not be there.
            if at == "/tags" && !lists.shared.contains(&at) {
                for (name, found) in found.as_object().into_iter().flatten() {
                    if !wanted.keys().any(|own| own.eq_ignore_ascii_case(name)) {
                        compare(&format!("{at}/{name}"), &Json::Null, found, lists, into);
                    }
                }
            }
        }
        (Json::Array(wanted), Json::Array(_) | Json::Null)
            if wanted.iter().any(Json::is_object) =>
        {
            compare_objects(at, wanted, found, lists, into);
        }
        (Json::Array(wanted), Json::Array(found)) => {
            let shared = lists.shared.contains(&at);
            let same = if lists.ordered.contains(&at) {
                wanted.len() == found.len()
                    && wanted.iter().zip(found).all(|(a, b)| same_scalar(at, a, b))
            } else {
                wanted
                    .iter()
                    .all(|a| found.iter().any(|b| same_scalar(at, a, b)))
                    && (shared
                        || found
                            .iter()
                            .all(|b| wanted.iter().any(|a| same_scalar(at, a, b))))
            };
            if !same {
                differ(into);
            }
        }
        (wanted, found) => {
            if !same_scalar(at, wanted, found) {
                differ(into);
            }
        }
    }
}

fn compare_objects(
    at: &str,
    wanted: &[Json],
    found: &Json,
    lists: Lists,
    into: &mut Vec<Difference>,
) {
    let none = Vec::new();
    let found = found.as_array().unwrap_or(&none);
    for (position, item) in wanted.iter().enumerate() {
        let label = key_of(item).map_or_else(|| position.to_string(), |(_, key)| key.to_owned());
        let at = format!("{at}/{label}");
        match partner(item, position, found) {
            Some(found) => compare(&at, item, found, lists, into),
            None => {
                into.push(Difference {
                    pointer: at,
                    wanted: item.clone(),
                    found: Json::Null,
                });
            }
        }
    }
    if !lists.shared.contains(&at) {
        for (position, item) in found.iter().enumerate() {
            if partner(item, position, wanted).is_none() {
                let label =
                    key_of(item).map_or_else(|| position.to_string(), |(_, key)| key.to_owned());
                into.push(Difference {
                    pointer: format!("{at}/{label}"),
                    wanted: Json::Null,
                    found: item.clone(),
                });
            }
        }
    }
}

/// What tells the elements of a list of objects apart.
fn key_of(item: &Json) -> Option<(&'static str, &str)> {
    const KEYS: [&str; 7] = [
        "name",
        "id",
        "value",
        "service",
        "serviceName",
        "category",
        "categoryGroup",
    ];
    KEYS.into_iter()
        .find_map(|key| item[key].as_str().map(|text| (key, text)))
}

fn partner<'a>(item: &Json, position: usize, others: &'a [Json]) -> Option<&'a Json> {
    match key_of(item) {
        Some((key, text)) => others.iter().find(|other| {
            other[key]
                .as_str()
                .is_some_and(|other| other.eq_ignore_ascii_case(text))
        }),
        None => others.get(position).filter(|other| key_of(other).is_none()),
    }
}

fn same_scalar(at: &str, wanted: &Json, found: &Json) -> bool {
    match (wanted, found) {
        (Json::String(a), Json::String(b)) => {
            a == b
                || (a.starts_with('/')
                    && b.starts_with('/')
                    && is_id(a)
                    && a.eq_ignore_ascii_case(b))
                || (at.ends_with("/location") && same_location(a, b))
                || (at.ends_with("/name") && a.eq_ignore_ascii_case(b))
        }
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b || (is_empty(a) && is_empty(b)),
    }
}

fn is_id(text: &str) -> bool {
    ArmId::parse(text).is_ok() || text.to_lowercase().starts_with("/providers/")
}

/// Whether a value is as good as absent.
#[must_use]
pub fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// The body to PUT over an existing object: what was found, with what is wanted over it.
/// `found` must have been reduced to what may be written. Nulls remove; lists replace, except
/// where others have entries of their own.
#[must_use]
pub fn merged(wanted: &Json, found: &Json, lists: Lists) -> Json {
    merge("", wanted, found, lists)
}

fn merge(at: &str, wanted: &Json, found: &Json, lists: Lists) -> Json {
    match (wanted, found) {
        (Json::Object(wanted), Json::Object(found)) => {
            let mut members: Map<String, Json> = if at == "/tags" && !lists.shared.contains(&at) {
                Map::new()
            } else {
                found.clone()
            };
            for (name, wanted) in wanted {
                let at = format!("{at}/{name}");
                let value = merge(&at, wanted, found.get(name).unwrap_or(&Json::Null), lists);
                if value.is_null() {
                    members.remove(name);
                } else {
                    members.insert(name.clone(), value);
                }
            }
            Json::Object(members)
        }
        (Json::Array(wanted), Json::Array(found)) => {
            let mut items: Vec<Json> = wanted
                .iter()
                .enumerate()
                .map(|(position, item)| match partner(item, position, found) {
                    Some(found) => merge(&format!("{at}/*"), item, found, lists),
                    None => without_nulls(item),
                })
                .collect();
            if lists.shared.contains(&at) {
                let foreign = found.iter().enumerate().filter(|(position, item)| {
                    if item.is_object() {
                        partner(item, *position, wanted).is_none()
                    } else {
                        !wanted.iter().any(|own| same_scalar(at, own, item))
                    }
                });
                items.extend(foreign.map(|(_, item)| item.clone()));
            }
            Json::Array(items)
        }
        (wanted, _) => without_nulls(wanted),
    }
}

/// The body of a first PUT: nulls are left out, since ARM's types know no null there.
#[must_use]
pub fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SUBNET: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s";

    fn differ(wanted: &Json, found: &Json) -> Vec<String> {
        differences(wanted, found, Lists::default())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn ids_and_regions_are_equal_without_case_and_nothing_else_is() {
        let wanted =
            json!({"location": "West Europe", "properties": {"subnet": {"id": SUBNET}, "x": "On"}});
        let found = json!({"location": "westeurope", "properties": {"subnet": {"id": SUBNET.to_uppercase()}, "x": "on"}});
        assert_eq!(
            differ(&wanted, &found),
            ["properties.x is \"on\", and should be \"On\""]
        );
    }

    #[test]
    fn null_and_empty_and_absent_are_equal_and_a_null_over_a_value_is_a_difference() {
        let wanted = json!({"a": null, "b": [], "c": {}, "d": {"e": null}});
        assert_eq!(differ(&wanted, &json!({"b": null})), Vec::<String>::new());
        assert_eq!(
            differ(&wanted, &json!({"a": 1})),
            ["a is 1, and should be not set"]
        );
    }

    #[test]
    fn lists_of_scalars_are_sets_and_lists_of_objects_go_by_name() {
        let wanted = json!({"p": ["a", "b"], "o": [{"name": "x", "v": 1}, {"name": "y", "v": 2}]});
        let found =
            json!({"p": ["b", "a"], "o": [{"name": "Y", "v": 2, "ro": 3}, {"name": "x", "v": 9}]});
        assert_eq!(differ(&wanted, &found), ["o.x.v is 9, and should be 1"]);
    }

    #[test]
    fn entries_of_others_are_a_difference_only_where_the_list_is_ours_alone() {
        let wanted = json!({"o": [{"name": "x"}]});
        let found = json!({"o": [{"name": "x"}, {"name": "theirs"}]});
        assert_eq!(differ(&wanted, &found).len(), 1);
        let shared = Lists {
            shared: &["/o"],
            ordered: &[],
        };
        assert!(differences(&wanted, &found, shared).is_empty());
        assert_eq!(
            merged(&wanted, &found, shared)["o"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
        assert_eq!(
            merged(&wanted, &found, Lists::default())["o"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }

    #[test]
    fn a_merge_keeps_what_is_not_named_removes_nulls_and_takes_tags_whole() {
        let wanted = json!({"tags": {"a": "1"}, "properties": {"gone": null, "kept": {"x": 1}}});
        let found =
            json!({"tags": {"b": "2"}, "properties": {"gone": 1, "kept": {"y": 2}, "other": 3}});
        assert_eq!(
            merged(&wanted, &found, Lists::default()),
            json!({"tags": {"a": "1"}, "properties": {"kept": {"x": 1, "y": 2}, "other": 3}})
        );
    }
}
