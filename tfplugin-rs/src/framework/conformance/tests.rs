#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::schema::{Attribute, Block, Computed, Kind, Nesting, normalize, plan};
use crate::value::Refinement;

const SCHEMA: Schema = Schema {
    blocks: &[Block {
        name: "rule",
        nesting: Nesting::List,
        attributes: &[Attribute::optional("port", Kind::Integer)],
        blocks: &[],
        min_items: 0,
        max_items: 0,
        description: "",
    }],
    ..Schema::new(
        "",
        &[
            Attribute::required("name", Kind::String),
            Attribute::optional("sku", Kind::String),
            Attribute::optional("key", Kind::String).sensitive(),
            Attribute::optional("secret", Kind::String).write_only(),
            Attribute::computed("id", Kind::String, Computed::Fixed),
            Attribute::optional("zones", Kind::Set(&Kind::String)),
            Attribute::optional(
                "parts",
                Kind::Nested(
                    Nesting::Map,
                    &[
                        Attribute::required("size", Kind::Integer),
                        Attribute::computed("ip", Kind::String, Computed::Fixed),
                    ],
                ),
            ),
        ],
    )
};

fn value(members: Vec<(&str, Value)>) -> Value {
    normalize(&SCHEMA, Value::object(members))
}

fn parts(size: i64, ip: Value) -> Value {
    Value::object([(
        "a",
        Value::object([("size", Value::from(size)), ("ip", ip)]),
    )])
}

fn rules(violations: &[Violation]) -> Vec<String> {
    violations
        .iter()
        .map(|violation| format!("{} {}", violation.rule, violation.path))
        .collect()
}

#[test]
fn the_frameworks_own_plans_keep_the_rules() {
    let zones = Value::Set(vec![Value::from("1"), Value::unknown()]);
    let config = value(vec![
        ("name", Value::unknown()),
        ("zones", zones),
        ("parts", parts(1, Value::Null)),
        (
            "rule",
            Value::List(vec![Value::object([("port", Value::from(1))])]),
        ),
    ]);
    let first = plan(&SCHEMA, &config, None).planned;
    assert_eq!(check_plan(&SCHEMA, &config, None, &first, &[]), []);
    let prior = value(vec![
        ("name", "a".into()),
        ("id", "/a".into()),
        ("sku", "x".into()),
    ]);
    let second = plan(&SCHEMA, &config, Some(&prior));
    assert_eq!(
        check_plan(
            &SCHEMA,
            &config,
            Some(&prior),
            &second.planned,
            &second.requires_replace
        ),
        []
    );
}

#[test]
fn plans_that_core_would_refuse_are_named() {
    let config = value(vec![("name", "a".into()), ("parts", parts(1, Value::Null))]);
    let good = plan(&SCHEMA, &config, None).planned;
    for (name, planned, expected) in [
        ("name", Value::from("b"), "P3 name"),
        ("sku", Value::from("b"), "P4 sku"),
        ("secret", Value::from("b"), "P8 secret"),
        ("parts", Value::unknown(), "P5 parts"),
        ("parts", Value::object([("b", Value::Null)]), "P5 parts"),
        ("parts", parts(2, Value::unknown()), "P3 parts[\"a\"].size"),
        ("rule", Value::Null, "P6 rule"),
        ("rule", Value::List(vec![Value::Null]), "P6 rule"),
    ] {
        let mut bad = good.clone();
        bad.set(name, planned);
        assert_eq!(
            rules(&check_plan(&SCHEMA, &config, None, &bad, &[])),
            [expected],
            "{name}"
        );
    }
    let nowhere = [Path::attribute("nowhere")];
    assert_eq!(
        rules(&check_plan(&SCHEMA, &config, None, &good, &nowhere)),
        ["P9 nowhere"]
    );
}

#[test]
fn results_that_core_would_refuse_are_named() {
    let zones = |zones: &[&str]| Value::Set(zones.iter().map(|zone| Value::from(*zone)).collect());
    let refined = Refinement {
        prefix: Some("/sub".to_owned()),
        not_null: true,
        ..Refinement::default()
    };
    let mut planned = value(vec![
        ("name", "a".into()),
        ("zones", zones(&["1", "2"])),
        ("key", "k".into()),
    ]);
    planned.set("id", Value::Unknown(refined));
    let mut good = planned.clone();
    good.set("id", "/sub/1".into());
    assert_eq!(check_applied(&SCHEMA, &planned, Some(&good)), []);
    for (name, came, expected) in [
        ("name", Value::from("b"), "A2 name"),
        ("sku", Value::from("b"), "A2 sku"),
        ("id", Value::from("other"), "A2 id"),
        ("id", Value::Null, "A2 id"),
        ("zones", zones(&["1", "2", "3"]), "A2 zones"),
        ("zones", zones(&["1", "3"]), "A2 zones"),
        ("zones", zones(&["1"]), "A2 zones"),
    ] {
        let mut bad = good.clone();
        bad.set(name, came);
        assert_eq!(
            rules(&check_applied(&SCHEMA, &planned, Some(&bad))),
            [expected],
            "{name}"
        );
    }
    let mut bad = good.clone();
    bad.set("secret", "x".into());
    assert_eq!(
        rules(&check_applied(&SCHEMA, &planned, Some(&bad))),
        ["A4 secret", "A2 secret"]
    );
    assert_eq!(rules(&check_applied(&SCHEMA, &planned, None)), ["A3 "]);
    let mut unknown = good.clone();
    unknown.set("id", Value::unknown());
    assert_eq!(
        rules(&check_applied(&SCHEMA, &planned, Some(&unknown))),
        ["A1 id"]
    );
    assert_eq!(rules(&check_state(&SCHEMA, &unknown)), ["R1 id"]);
}

#[test]
fn secrets_are_not_shown() {
    let planned = value(vec![("name", "a".into()), ("key", "hunter2".into())]);
    let came = value(vec![("name", "a".into()), ("key", "hunter3".into())]);
    let found = check_applied(&SCHEMA, &planned, Some(&came));
    assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
}

#[test]
fn a_second_plan_may_know_more_and_must_not_know_otherwise() {
    let first = value(vec![("name", "a".into()), ("id", Value::unknown())]);
    assert_eq!(check_second_plan(&SCHEMA, &first, &first), []);
    let known = value(vec![("name", "a".into()), ("id", "/a".into())]);
    assert_eq!(check_second_plan(&SCHEMA, &first, &known), []);
    assert_eq!(
        rules(&check_second_plan(&SCHEMA, &known, &first)),
        ["F1 id"]
    );
}
