//! What a change will lead to, worked out from the configuration and the prior state alone, so that planning twice gives
//! the same: core does plan twice, and compares.
//!
//! Arguments are what the user wrote, or their defaults. Computed values stay what they were unless their rule says that
//! this change may touch them; then they are unknown, as they all are at creation.

use std::collections::{BTreeMap, BTreeSet};

use super::shape::Shape;
use super::{Attribute, Computed, Kind, Nesting, Replace, Schema};
use crate::value::{Path, Value};

/// A planned creation or change.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What there will be.
    pub planned: Value,
    /// What cannot be changed in place.
    pub requires_replace: Vec<Path>,
}

/// Plans a creation (`prior` is `None`) or a change.
#[must_use]
pub fn plan(schema: &Schema, config: &Value, prior: Option<&Value>) -> Planned {
    let shape = Shape::from(schema);
    let Some(prior) = prior else {
        let planned = Planner::default().object(shape, config, None);
        return Planned {
            planned,
            requires_replace: Vec::new(),
        };
    };
    // A value that follows another may be followed itself, so this goes on until nothing more changes.
    let mut planner = Planner::default();
    let planned = loop {
        let planned = planner.object(shape, config, Some(prior));
        let changed = changed_members(shape, &planned, prior);
        if changed.is_subset(&planner.changed) {
            break planned;
        }
        planner.changed.extend(changed);
    };
    let mut requires_replace = Vec::new();
    replacements(shape, &planned, prior, &Path::root(), &mut requires_replace);
    Planned {
        planned,
        requires_replace,
    }
}

fn changed_members(shape: Shape, planned: &Value, prior: &Value) -> BTreeSet<&'static str> {
    let attributes = shape.attributes.iter().map(|attribute| attribute.name);
    let blocks = shape.blocks.iter().map(|block| block.name);
    attributes
        .chain(blocks)
        .filter(|name| planned.get(name) != prior.get(name))
        .collect()
}

/// Merges configuration and prior state.
#[derive(Debug, Default)]
struct Planner {
    /// The top-level attributes and blocks that this change is known to change so far.
    changed: BTreeSet<&'static str>,
}

impl Planner {
    fn object(&self, shape: Shape, config: &Value, prior: Option<&Value>) -> Value {
        let Value::Map(_) = config else {
            return config.clone();
        };
        let prior = prior.filter(|prior| matches!(prior, Value::Map(_)));
        let mut members = BTreeMap::new();
        for attribute in shape.attributes {
            let name = attribute.name;
            let value = self.attribute(
                attribute,
                config.get(name),
                prior.map(|prior| prior.get(name)),
            );
            members.insert(name.to_owned(), value);
        }
        for block in shape.blocks {
            let name = block.name;
            let prior = prior.map(|prior| prior.get(name));
            let value = self.collection(block.nesting, block.into(), config.get(name), prior);
            members.insert(name.to_owned(), value);
        }
        Value::Map(members)
    }

    fn attribute(&self, attribute: &Attribute, config: &Value, prior: Option<&Value>) -> Value {
        if attribute.write_only {
            return Value::Null;
        }
        if !config.is_null() {
            return match Shape::nested(&attribute.kind) {
                Some((nesting, shape)) => self.collection(nesting, shape, config, prior),
                None => match (attribute.same, prior) {
                    (Some(same), Some(prior)) if means_the_same(config, prior, same) => {
                        prior.clone()
                    }
                    _ => config.clone(),
                },
            };
        }
        if let Some(default) = attribute.default_value() {
            return default;
        }
        match (attribute.computed_rule(), prior) {
            (None, _) => Value::Null,
            (Some(Computed::Always(value)), _) => attribute.literal(value),
            (Some(_), None) => Value::unknown(),
            (Some(rule), Some(prior)) if self.keeps(rule) => prior.clone(),
            (Some(_), Some(_)) => Value::unknown(),
        }
    }

    fn keeps(&self, rule: Computed) -> bool {
        match rule {
            Computed::Fixed | Computed::Always(_) => true,
            Computed::Follows(names) => !names.iter().any(|name| self.changed.contains(name)),
            Computed::Volatile => self.changed.is_empty(),
        }
    }

    fn collection(
        &self,
        nesting: Nesting,
        shape: Shape,
        config: &Value,
        prior: Option<&Value>,
    ) -> Value {
        match (nesting, config) {
            (Nesting::Single, Value::Map(_)) => self.object(shape, config, prior),
            (Nesting::Map, Value::Map(members)) => {
                let prior = prior.and_then(Value::as_map);
                let members = members.iter().map(|(key, element)| {
                    let prior = prior.and_then(|prior| prior.get(key));
                    (key.clone(), self.object(shape, element, prior))
                });
                Value::Map(members.collect())
            }
            (_, Value::List(items)) => {
                let prior = prior.and_then(Value::as_items);
                let items = items.iter().enumerate().map(|(index, element)| {
                    self.object(shape, element, prior.and_then(|prior| prior.get(index)))
                });
                Value::List(items.collect())
            }
            (_, Value::Set(items)) => {
                let mut candidates: Vec<&Value> = prior
                    .and_then(Value::as_items)
                    .unwrap_or_default()
                    .iter()
                    .collect();
                let items = items.iter().map(|element| {
                    let found = candidates
                        .iter()
                        .position(|candidate| came_from(shape, element, candidate));
                    self.object(shape, element, found.map(|found| candidates.remove(found)))
                });
                Value::Set(items.collect())
            }
            // Null, unknown, or blocks that core carries as a dynamic value, which have no rules of their own.
            _ => config.clone(),
        }
    }
}

/// Whether two values mean the same: each element of collections has its partner. Core takes either the configured or
/// the stored value as a whole, never a mixture.
fn means_the_same(config: &Value, prior: &Value, same: fn(&Value, &Value) -> bool) -> bool {
    match (config, prior) {
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.get(key)
                        .is_some_and(|other| means_the_same(value, other, same))
                })
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(a, b, same))
        }
        (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|a| b.iter().any(|b| means_the_same(a, b, same)))
                && b.iter()
                    .all(|b| a.iter().any(|a| means_the_same(a, b, same)))
        }
        (Value::Unknown(_) | Value::Null, _) | (_, Value::Unknown(_) | Value::Null) => false,
        (config, prior) => same(config, prior),
    }
}

/// Whether an element of a prior set may have come from this element of a configuration: they agree in all that the
/// configuration says.
fn came_from(shape: Shape, config: &Value, prior: &Value) -> bool {
    shape.attributes.iter().all(|attribute| {
        let (wanted, found) = (config.get(attribute.name), prior.get(attribute.name));
        match (wanted, Shape::nested(&attribute.kind)) {
            _ if attribute.write_only => true,
            (Value::Null, _) => match attribute.default_value() {
                Some(default) => default == *found,
                None => attribute.is_computed() || found.is_null(),
            },
            (Value::Map(_), Some((Nesting::Single, shape))) => came_from(shape, wanted, found),
            _ => {
                wanted == found
                    || attribute
                        .same
                        .is_some_and(|same| means_the_same(wanted, found, same))
            }
        }
    })
}

/// Collects the paths whose change needs another resource. Elements of sets have no path, so theirs is the set's.
fn replacements(shape: Shape, planned: &Value, prior: &Value, path: &Path, found: &mut Vec<Path>) {
    for attribute in shape.attributes {
        let path = path.then(attribute.name);
        let (planned, prior) = (planned.get(attribute.name), prior.get(attribute.name));
        if planned == prior {
            continue;
        }
        let replaces = match attribute.replace {
            Replace::Never => false,
            Replace::OnChange => true,
            Replace::When(_, condition) => condition(prior, planned),
        };
        if replaces {
            found.push(path);
        } else if let Kind::Nested(nesting, attributes) = attribute.kind {
            inner_replacements(
                nesting,
                Shape {
                    attributes,
                    blocks: &[],
                },
                planned,
                prior,
                &path,
                found,
            );
        }
    }
    for block in shape.blocks {
        let path = path.then(block.name);
        let (planned, prior) = (planned.get(block.name), prior.get(block.name));
        inner_replacements(block.nesting, block.into(), planned, prior, &path, found);
    }
}

fn inner_replacements(
    nesting: Nesting,
    shape: Shape,
    planned: &Value,
    prior: &Value,
    path: &Path,
    found: &mut Vec<Path>,
) {
    if planned == prior {
        return;
    }
    match nesting {
        Nesting::Single => replacements(shape, planned, prior, path, found),
        Nesting::Set => {
            if shape.any(&|attribute| matches!(attribute.replace, Replace::OnChange)) {
                found.push(path.clone());
            }
        }
        Nesting::List => {
            let (planned, prior) = (
                planned.as_items().unwrap_or_default(),
                prior.as_items().unwrap_or_default(),
            );
            for index in 0..planned.len().max(prior.len()) {
                let element = |items: &[Value]| items.get(index).cloned().unwrap_or_default();
                replacements(
                    shape,
                    &element(planned),
                    &element(prior),
                    &path.index(index),
                    found,
                );
            }
        }
        Nesting::Map => {
            let keys: BTreeSet<&String> = [planned, prior]
                .iter()
                .filter_map(|value| value.as_map())
                .flat_map(BTreeMap::keys)
                .collect();
            for key in keys {
                replacements(
                    shape,
                    planned.get(key),
                    prior.get(key),
                    &path.key(key),
                    found,
                );
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::schema::{Literal, normalize};

    const SCHEMA: Schema = Schema::new(
        "",
        &[
            Attribute::required("name", Kind::String).replaces(),
            Attribute::optional("tags", Kind::Map(&Kind::String)),
            Attribute::optional("exposure", Kind::String).default_to(Literal::String("private")),
            Attribute::optional("password", Kind::String).write_only(),
            Attribute::optional("size", Kind::Integer)
                .replaces_when("it shrinks", |prior, planned| {
                    planned.as_i64() < prior.as_i64()
                }),
            Attribute::optional_computed("location", Kind::String, Computed::Fixed).replaces(),
            Attribute::computed("id", Kind::String, Computed::Fixed),
            Attribute::computed(
                "login_server",
                Kind::String,
                Computed::Follows(&["name", "exposure"]),
            ),
            Attribute::computed("url", Kind::String, Computed::Follows(&["login_server"])),
            Attribute::computed("etag", Kind::String, Computed::Volatile),
            Attribute::computed(
                "drift",
                Kind::List(&Kind::String),
                Computed::Always(Literal::EmptyList),
            ),
            Attribute::optional(
                "subnets",
                Kind::Nested(
                    Nesting::Map,
                    &[
                        Attribute::required("purpose", Kind::String).replaces(),
                        Attribute::optional_computed("prefix", Kind::String, Computed::Fixed),
                        Attribute::computed("id", Kind::String, Computed::Fixed),
                    ],
                ),
            ),
            Attribute::optional(
                "rules",
                Kind::Nested(
                    Nesting::Set,
                    &[
                        Attribute::required("port", Kind::Integer),
                        Attribute::computed("id", Kind::String, Computed::Fixed),
                    ],
                ),
            ),
        ],
    );

    fn value(members: Vec<(&str, Value)>) -> Value {
        normalize(&SCHEMA, Value::object(members))
    }

    fn prior(members: Vec<(&str, Value)>) -> Value {
        let mut state = value(vec![
            ("name", "a".into()),
            ("exposure", "private".into()),
            ("location", "here".into()),
            ("id", "/a".into()),
            ("login_server", "a.io".into()),
            ("url", "https://a.io".into()),
            ("etag", "1".into()),
            ("drift", Value::List(Vec::new())),
        ]);
        for (name, member) in members {
            state.set(name, member);
        }
        state
    }

    fn unknown_in(planned: &Value) -> Vec<&str> {
        planned
            .as_map()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.is_unknown())
            .map(|(name, _)| name.as_str())
            .collect()
    }

    #[test]
    fn at_creation_arguments_and_defaults_are_known_and_computed_values_are_not() {
        let config = Value::object([("name", Value::from("a")), ("password", Value::from("x"))]);
        let Planned {
            planned,
            requires_replace,
        } = plan(&SCHEMA, &config, None);
        assert_eq!(
            unknown_in(&planned),
            ["etag", "id", "location", "login_server", "url"]
        );
        assert_eq!(planned.get("exposure"), &Value::from("private"));
        assert_eq!(planned.get("password"), &Value::Null);
        assert_eq!(planned.get("drift"), &Value::List(Vec::new()));
        assert!(requires_replace.is_empty());
    }

    #[test]
    fn without_a_change_everything_stays() {
        let prior = prior(vec![]);
        let planned = plan(&SCHEMA, &value(vec![("name", "a".into())]), Some(&prior));
        assert_eq!(
            planned,
            Planned {
                planned: prior,
                requires_replace: Vec::new()
            }
        );
    }

    #[test]
    fn another_spelling_of_the_same_keeps_the_stored_one_and_is_no_change() {
        const LETTERS: fn(&Value, &Value) -> bool = |a, b| match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        };
        const SCHEMA: Schema = Schema::new(
            "",
            &[
                Attribute::required("one", Kind::String)
                    .same_when(LETTERS)
                    .replaces(),
                Attribute::optional("all", Kind::Set(&Kind::String)).same_when(LETTERS),
            ],
        );
        let value = |one: &str, all: &[&str]| {
            let all = all.iter().map(|text| Value::from(*text)).collect();
            Value::object([("one", Value::from(one)), ("all", Value::Set(all))])
        };
        let prior = value("/Sub", &["/A", "/b"]);
        let same = plan(&SCHEMA, &value("/SUB", &["/B", "/a"]), Some(&prior));
        assert_eq!(
            same,
            Planned {
                planned: prior.clone(),
                requires_replace: Vec::new()
            }
        );
        let other = plan(&SCHEMA, &value("/SUB", &["/B", "/c"]), Some(&prior));
        assert_eq!(other.planned, value("/Sub", &["/B", "/c"]));
    }

    #[test]
    fn a_change_of_tags_touches_only_what_may_always_change() {
        let tags = Value::object([("a", Value::from("b"))]);
        let planned = plan(
            &SCHEMA,
            &value(vec![("name", "a".into()), ("tags", tags)]),
            Some(&prior(vec![])),
        );
        assert_eq!(unknown_in(&planned.planned), ["etag"]);
    }

    #[test]
    fn what_follows_a_changed_value_is_unknown_and_what_follows_that_too() {
        let config = value(vec![("name", "a".into()), ("exposure", "public".into())]);
        let planned = plan(&SCHEMA, &config, Some(&prior(vec![])));
        assert_eq!(
            unknown_in(&planned.planned),
            ["etag", "login_server", "url"]
        );
    }

    #[test]
    fn drift_plans_its_own_repair() {
        let drift = Value::List(vec![Value::from("the record is gone")]);
        let planned = plan(
            &SCHEMA,
            &value(vec![("name", "a".into())]),
            Some(&prior(vec![("drift", drift)])),
        );
        assert_eq!(planned.planned.get("drift"), &Value::List(Vec::new()));
        assert_eq!(unknown_in(&planned.planned), ["etag"]);
    }

    #[test]
    fn replacement_is_asked_for_on_the_changed_paths() {
        let replaced = |config: Vec<(&str, Value)>, prior: &Value| -> Vec<String> {
            plan(&SCHEMA, &value(config), Some(prior))
                .requires_replace
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        let state = prior(vec![("size", Value::from(10))]);
        assert_eq!(
            replaced(vec![("name", "b".into()), ("size", 10.into())], &state),
            ["name"]
        );
        assert_eq!(
            replaced(
                vec![("name", Value::unknown()), ("size", 10.into())],
                &state
            ),
            ["name"]
        );
        assert_eq!(
            replaced(vec![("name", "a".into()), ("size", 9.into())], &state),
            ["size"]
        );
        assert_eq!(
            replaced(vec![("name", "a".into()), ("size", 11.into())], &state),
            [""; 0]
        );
        assert_eq!(
            replaced(
                vec![("name", "a".into()), ("location", "there".into())],
                &prior(vec![])
            ),
            ["location"]
        );
        let subnets = |purpose: &str| {
            Value::object([("x", Value::object([("purpose", Value::from(purpose))]))])
        };
        let state = prior(vec![(
            "subnets",
            value(vec![("subnets", subnets("aks"))])
                .get("subnets")
                .clone(),
        )]);
        assert_eq!(
            replaced(
                vec![("name", "a".into()), ("subnets", subnets("other"))],
                &state
            ),
            ["subnets[\"x\"].purpose"]
        );
    }

    #[test]
    fn elements_keep_their_own_computed_values_and_new_ones_have_none() {
        let element = |purpose: &str| Value::object([("purpose", Value::from(purpose))]);
        let known = Value::object([
            ("purpose", Value::from("aks")),
            ("prefix", Value::from("10.0.0.0/24")),
            ("id", Value::from("/x")),
        ]);
        let state = prior(vec![("subnets", Value::object([("x", known.clone())]))]);
        let config = value(vec![
            ("name", "a".into()),
            (
                "subnets",
                Value::object([("x", element("aks")), ("y", element("aks"))]),
            ),
        ]);
        let planned = plan(&SCHEMA, &config, Some(&state)).planned;
        assert_eq!(planned.get("subnets").get("x"), &known);
        assert!(planned.get("subnets").get("y").get("id").is_unknown());
        assert!(planned.get("subnets").get("y").get("prefix").is_unknown());
    }

    #[test]
    fn elements_of_sets_are_known_again_by_what_the_user_wrote() {
        let rule = |port: i64, id: Value| Value::object([("port", Value::from(port)), ("id", id)]);
        let state = prior(vec![(
            "rules",
            Value::Set(vec![rule(1, "/1".into()), rule(2, "/2".into())]),
        )]);
        let rules = Value::Set(vec![rule(2, Value::Null), rule(3, Value::Null)]);
        let planned = plan(
            &SCHEMA,
            &value(vec![("name", "a".into()), ("rules", rules)]),
            Some(&state),
        )
        .planned;
        assert_eq!(
            planned.get("rules"),
            &Value::Set(vec![rule(2, "/2".into()), rule(3, Value::unknown())])
        );
    }
}
