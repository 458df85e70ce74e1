//! What a change will lead to, worked out from the configuration and the prior state alone, so that planning twice gives
//! the same: core does plan twice, and compares.
//!
//! Arguments are what the user wrote, or their defaults. Computed values stay what they were unless their rule says that
//! this change may touch them; then they are unknown, as they all are at creation.

mod replace;

use std::collections::{BTreeMap, BTreeSet};

use super::shape::Shape;
use super::{Attribute, Computed, Nesting, Schema};
use crate::value::{Path, Value};
use replace::replacements;

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

#[cfg(test)]
mod tests;
