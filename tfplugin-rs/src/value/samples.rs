//! Types and values for the tests of the codecs.

#![allow(clippy::expect_used)]

use proptest::prelude::*;

use super::{Refinement, Type, Value};

/// The schema of the golden vectors: `id` computed; `name`, `wo`, `num`, `dyn`, `set`; nested attribute and block.
pub(crate) fn wire_type() -> Type {
    let object = |members: &[(&str, Type)]| {
        Type::Object(
            members
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), kind.clone()))
                .collect(),
        )
    };
    object(&[
        ("id", Type::String),
        ("name", Type::String),
        ("wo", Type::String),
        ("num", Type::Number),
        ("dyn", Type::Dynamic),
        ("set", Type::Set(Box::new(Type::String))),
        (
            "nested",
            Type::List(Box::new(object(&[
                ("a", Type::String),
                ("b", Type::String),
            ]))),
        ),
        ("blk", Type::List(Box::new(object(&[("x", Type::String)])))),
    ])
}

/// Types, each with a value of it.
pub(crate) fn typed_values() -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(|kind| (Just(kind.clone()), value_of(&kind)))
}

fn types() -> impl Strategy<Value = Type> {
    let scalar = prop_oneof![
        Just(Type::Bool),
        Just(Type::Number),
        Just(Type::String),
        Just(Type::Dynamic)
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.clone().prop_map(Type::Set),
            boxed.prop_map(Type::Map),
            prop::collection::btree_map("[a-z_]{1,4}", inner.clone(), 0..4).prop_map(Type::Object),
            prop::collection::vec(inner, 0..3).prop_map(Type::Tuple),
        ]
    })
}

fn value_of(kind: &Type) -> BoxedStrategy<Value> {
    let known: BoxedStrategy<Value> = match kind {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => prop_oneof![
            any::<i64>().prop_map(Value::from),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{0,20}[1-9])?"
                .prop_map(|text| Value::Number(text.parse().expect("a number"))),
        ]
        .boxed(),
        Type::String => "[a-zé€ \\\\\"\n]{0,6}".prop_map(Value::String).boxed(),
        Type::Dynamic => prop_oneof![
            "[a-z]{0,3}"
                .prop_map(|text| Value::Dynamic(Box::new((Type::String, Value::String(text))))),
            any::<i64>().prop_map(|number| {
                let kind = Type::Tuple(vec![Type::Number, Type::Bool]);
                let held = Value::List(vec![Value::from(number), Value::Null]);
                Value::Dynamic(Box::new((kind, held)))
            }),
        ]
        .boxed(),
        Type::List(element) => prop::collection::vec(value_of(element), 0..3)
            .prop_map(Value::List)
            .boxed(),
        Type::Set(element) => prop::collection::vec(value_of(element), 0..3)
            .prop_map(|items| {
                let mut distinct: Vec<Value> = Vec::new();
                for item in items {
                    if !distinct.contains(&item) {
                        distinct.push(item);
                    }
                }
                Value::Set(distinct)
            })
            .boxed(),
        Type::Map(element) => prop::collection::btree_map("[a-z]{0,3}", value_of(element), 0..3)
            .prop_map(Value::Map)
            .boxed(),
        Type::Object(attributes) => attributes
            .iter()
            .map(|(name, kind)| (Just(name.clone()), value_of(kind)))
            .collect::<Vec<_>>()
            .prop_map(|members| Value::Map(members.into_iter().collect()))
            .boxed(),
        Type::Tuple(kinds) => kinds
            .iter()
            .map(value_of)
            .collect::<Vec<_>>()
            .prop_map(Value::List)
            .boxed(),
    };
    prop_oneof![8 => known, 1 => Just(Value::Null), 1 => unknown()].boxed()
}

fn unknown() -> impl Strategy<Value = Value> {
    (
        any::<bool>(),
        prop::option::of("[a-z]{0,3}"),
        prop::option::of(0_u64..9),
    )
        .prop_map(|(not_null, prefix, least)| {
            Value::Unknown(Refinement {
                not_null,
                prefix,
                min_length: least,
                ..Refinement::default()
            })
        })
}
