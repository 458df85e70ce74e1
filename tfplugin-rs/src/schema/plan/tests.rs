#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::schema::{Kind, Literal, normalize};

const SCHEMA: Schema = Schema::new(
    "",
    &[
        Attribute::required("name", Kind::String).replaces(),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::optional("exposure", Kind::String).default_to(Literal::String("private")),
        Attribute::optional("password", Kind::String).write_only(),
        Attribute::optional("size", Kind::Integer).replaces_when("it shrinks", |prior, planned| {
            planned.as_i64() < prior.as_i64()
        }),
        Attribute::optional("open", Kind::Bool).replaces_beside("it is large", |prior, _| {
            prior.get("size").as_i64() > Some(100)
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
    let opened = |size: i64| {
        let config = vec![
            ("name", "a".into()),
            ("size", size.into()),
            ("open", true.into()),
        ];
        replaced(config, &prior(vec![("size", size.into())]))
    };
    assert_eq!(opened(10), [""; 0], "what stands beside it allows it");
    assert_eq!(opened(200), ["open"]);
    assert_eq!(
        replaced(
            vec![("name", "a".into()), ("location", "there".into())],
            &prior(vec![])
        ),
        ["location"]
    );
    let subnets =
        |purpose: &str| Value::object([("x", Value::object([("purpose", Value::from(purpose))]))]);
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
