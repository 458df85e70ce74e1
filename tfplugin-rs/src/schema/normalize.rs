//! Gives a provider's answer the whole shape of its schema, so that authors need not name what they do not set.

use std::collections::BTreeMap;

use super::shape::Shape;
use super::{Nesting, Schema, Usage};
use crate::value::Value;

/// The same value with every attribute and block of the schema: what is missing becomes null, or no blocks; write-only
/// values, which nothing may store, become null.
#[must_use]
pub fn normalize(schema: &Schema, value: Value) -> Value {
    object(schema.into(), value, true)
}

/// The same value with every attribute and block of the schema, and what is write-only as it was.
pub(super) fn complete(schema: &Schema, value: Value) -> Value {
    object(schema.into(), value, false)
}

/// The configuration that a state may have come from: what only the provider sets is left out.
#[must_use]
pub fn configuration_of(schema: &Schema, state: Value) -> Value {
    written(schema.into(), normalize(schema, state))
}

fn written(shape: Shape, value: Value) -> Value {
    let Value::Map(mut members) = value else {
        return value;
    };
    for attribute in shape.attributes {
        let member = members.entry(attribute.name.to_owned()).or_default();
        if matches!(attribute.usage, Usage::Computed(_)) {
            *member = Value::Null;
        } else if let Some((nesting, shape)) = Shape::nested(&attribute.kind) {
            *member = each(nesting, std::mem::take(member), |element| {
                written(shape, element)
            });
        }
    }
    for block in shape.blocks {
        let member = members.entry(block.name.to_owned()).or_default();
        *member = each(block.nesting, std::mem::take(member), |element| {
            written(block.into(), element)
        });
    }
    Value::Map(members)
}

fn object(shape: Shape, value: Value, forget: bool) -> Value {
    let Value::Map(mut members) = value else {
        return value;
    };
    for attribute in shape.attributes {
        let member = members.entry(attribute.name.to_owned()).or_default();
        if attribute.write_only && forget {
            *member = Value::Null;
        } else if let Some((nesting, shape)) = Shape::nested(&attribute.kind) {
            *member = collection(nesting, shape, std::mem::take(member), forget);
        }
    }
    for block in shape.blocks {
        let member = members.entry(block.name.to_owned()).or_default();
        *member = match (block.nesting, std::mem::take(member)) {
            (Nesting::List, Value::Null) => Value::List(Vec::new()),
            (Nesting::Set, Value::Null) => Value::Set(Vec::new()),
            (Nesting::Map, Value::Null) => Value::Map(BTreeMap::new()),
            (nesting, value) => collection(nesting, block.into(), value, forget),
        };
    }
    Value::Map(members)
}

fn collection(nesting: Nesting, shape: Shape, value: Value, forget: bool) -> Value {
    each(nesting, value, |element| object(shape, element, forget))
}

/// Changes each element of nested objects or blocks.
fn each(nesting: Nesting, value: Value, change: impl Fn(Value) -> Value) -> Value {
    match (nesting, value) {
        (Nesting::Single, value) => change(value),
        (Nesting::Map, Value::Map(members)) => Value::Map(
            members
                .into_iter()
                .map(|(key, element)| (key, change(element)))
                .collect(),
        ),
        (_, Value::List(items)) => Value::List(items.into_iter().map(change).collect()),
        (_, Value::Set(items)) => Value::Set(items.into_iter().map(change).collect()),
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Block, Computed, Kind};

    const SCHEMA: Schema = Schema {
        blocks: &[Block {
            name: "rule",
            nesting: Nesting::List,
            attributes: &[],
            blocks: &[],
            min_items: 0,
            max_items: 0,
            description: "",
        }],
        ..Schema::new(
            "",
            &[
                Attribute::optional("secret", Kind::String).write_only(),
                Attribute::optional(
                    "parts",
                    Kind::Nested(Nesting::Map, &[Attribute::optional("name", Kind::String)]),
                ),
            ],
        )
    };

    #[test]
    fn what_is_missing_becomes_null_and_what_is_secret_goes() {
        let parts = Value::object([("a", Value::Map(BTreeMap::new()))]);
        let value = Value::object([("secret", Value::from("x")), ("parts", parts)]);
        let expected = Value::object([
            ("secret", Value::Null),
            (
                "parts",
                Value::object([("a", Value::object([("name", Value::Null)]))]),
            ),
            ("rule", Value::List(Vec::new())),
        ]);
        assert_eq!(normalize(&SCHEMA, value), expected);
    }

    #[test]
    fn a_configuration_has_nothing_that_only_the_provider_sets() {
        const SCHEMA: Schema = Schema::new(
            "",
            &[
                Attribute::required("name", Kind::String),
                Attribute::computed("id", Kind::String, Computed::Fixed),
                Attribute::optional(
                    "parts",
                    Kind::Nested(
                        Nesting::List,
                        &[Attribute::computed("ip", Kind::String, Computed::Fixed)],
                    ),
                ),
            ],
        );
        let part = |ip: Value| Value::List(vec![Value::object([("ip", ip)])]);
        let object = |id: Value, ip: Value| {
            Value::object([("name", Value::from("a")), ("id", id), ("parts", part(ip))])
        };
        let state = object("/a".into(), "10.0.0.4".into());
        assert_eq!(
            configuration_of(&SCHEMA, state),
            object(Value::Null, Value::Null)
        );
    }
}
