//! Whole lives of resources, and every other call, over a real socket in one process.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod calls;
#[path = "../support/kinds/mod.rs"]
mod kinds;
mod stored;

use std::sync::Arc;

use kinds::Kinds;
use serde_json::{Value as Json, json};
use tfplugin_rs::framework::{Diagnostics, audit};
use tfplugin_rs::server::proto::tfplugin6 as pb;
use tfplugin_rs::testing::{Action, Core, Instance, Outcome};
use tfplugin_rs::value::{Type, Value, msgpack};

const TYPE: &str = "kinds_all";

async fn core() -> Core {
    let core = Core::start(Kinds).await.unwrap();
    assert_told(&core.configure(&json!({})).await, &[]);
    core
}

fn told(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|it| format!("{:?} {}: {}", it.severity, it.path, it.summary))
        .collect()
}

#[track_caller]
fn assert_told(diagnostics: &Diagnostics, expected: &[&str]) {
    assert_eq!(told(diagnostics), expected, "{diagnostics:#?}");
}

async fn apply(core: &Core, config: Json, prior: Option<Instance>) -> Outcome {
    let config = core.config(TYPE, &config).unwrap();
    core.apply(TYPE, &config, prior).await
}

#[track_caller]
fn done(outcome: Outcome) -> Instance {
    assert_told(&outcome.diagnostics, &[]);
    outcome.instance.expect("nothing is in the state")
}

fn everything() -> Json {
    let part = |size: f64| json!({"size": size, "note": null});
    json!({
        "name": "a", "number": 0.1, "whole": 3, "flag": false, "anything": {"a": [1, true, null]}, "key": "k",
        "secret": "hush", "list": ["b", "a"], "set": ["b", "a"], "map": {"x": 1.5, "y": 2},
        "single": part(1.0), "parts": [part(1.0), part(2.0)], "members": {"one": part(1.0)},
        "bag": [part(1.0), part(2.0)], "timeouts": {"create": "5m"},
        "rule": [{"x": "1"}, {"x": "2"}], "choice": [{"x": "1"}], "zone": {"z": {"x": "1"}}, "limit": {"x": "1"},
    })
}

#[test]
fn the_schemas_satisfy_both_clis() {
    assert_eq!(audit(&Kinds), Vec::<String>::new());
}

#[tokio::test]
async fn a_resource_with_everything_lives_and_goes() {
    let core = core().await;
    let made = done(apply(&core, everything(), None).await);
    assert_eq!(
        made.state.get("secret"),
        &Value::Null,
        "a write-only value is stored"
    );
    assert_eq!(made.state.get("exposure"), &Value::from("private"));
    assert_eq!(made.state.get("url"), &Value::from("made"));
    assert_eq!(made.state.get("single").get("weight"), &Value::from(1));
    assert_eq!(made.state.get("timeouts").get("create"), &Value::from("5m"));
    let read = done(core.refresh(made.clone()).await);
    assert_eq!(read.state, made.state);
    let again = apply(&core, everything(), Some(read)).await;
    assert_eq!(again.action, Action::Nothing);
    let gone = core.destroy(done(again)).await;
    assert_told(&gone.diagnostics, &[]);
    assert!(gone.instance.is_none());
}

#[tokio::test]
async fn a_change_of_something_else_leaves_computed_values_known() {
    let core = core().await;
    let made = done(apply(&core, json!({"name": "a"}), None).await);
    let config = core
        .config(TYPE, &json!({"name": "a", "number": 2}))
        .unwrap();
    let planned = core.plan(TYPE, &config, Some(&made)).await;
    assert_eq!(planned.action, Action::Update);
    assert_eq!(planned.planned.get("url"), &Value::from("made"));
    assert!(planned.planned.get("revision").is_unknown());
    let changed = done(core.apply(TYPE, &config, Some(made)).await);
    assert_eq!(changed.state.get("number"), &Value::from(2));
}

#[tokio::test]
async fn a_change_of_the_name_replaces_in_one_apply_and_private_data_goes_along() {
    let core = core().await;
    let made = done(apply(&core, json!({"name": "a"}), None).await);
    let outcome = apply(&core, json!({"name": "b"}), Some(made)).await;
    assert_eq!(outcome.action, Action::Replace);
    let heir = done(outcome);
    assert_eq!(heir.state.get("name"), &Value::from("b"));
    assert_eq!(heir.private().get("count"), Some(&json!(2)));
}

#[tokio::test]
async fn drift_is_planned_away() {
    let core = core().await;
    let made = done(apply(&core, json!({"name": "a", "location": "drifting"}), None).await);
    let read = done(core.refresh(made).await);
    assert_eq!(
        read.state.get("drift"),
        &Value::List(vec!["it moved".into()])
    );
    let repaired = apply(
        &core,
        json!({"name": "a", "location": "drifting"}),
        Some(read),
    )
    .await;
    assert_eq!(repaired.action, Action::Update);
    assert_eq!(done(repaired).state.get("drift"), &Value::List(Vec::new()));
}

#[tokio::test]
async fn what_is_gone_leaves_the_state() {
    let core = core().await;
    let made = done(apply(&core, json!({"name": "a", "location": "gone"}), None).await);
    let read = core.refresh(made).await;
    assert_told(&read.diagnostics, &[]);
    assert!(read.instance.is_none());
}

#[tokio::test]
async fn values_that_are_not_known_yet_are_planned_as_such() {
    let core = core().await;
    let mut config = core.config(TYPE, &everything()).unwrap();
    for name in [
        "name", "number", "anything", "list", "set", "map", "single", "parts", "members", "bag",
        "rule",
    ] {
        config.set(name, Value::unknown());
        let planned = core.plan(TYPE, &config, None).await;
        assert_told(&planned.diagnostics, &[]);
        assert!(planned.planned.get(name).is_unknown(), "{name}");
    }
    config.set("set", Value::Set(vec!["a".into(), Value::unknown()]));
    config.set("members", Value::object([("one", Value::unknown())]));
    assert_told(&core.plan(TYPE, &config, None).await.diagnostics, &[]);
}

#[tokio::test]
async fn all_mistakes_of_a_configuration_are_told_at_once() {
    let core = core().await;
    let config = json!({"number": 1, "whole": 10, "flag": true, "id": "x", "old": "o", "parts": [{}],
        "timeouts": {"create": "soon"}});
    let config = core.config(TYPE, &config).unwrap();
    let mut found = told(&core.validate(TYPE, &config).await);
    found.sort();
    assert_eq!(
        found,
        [
            "Error id: `id` cannot be set",
            "Error key: `key` is missing",
            "Error name: `name` is missing",
            "Error parts[0].size: `parts[0].size` is missing",
            "Error timeouts.create: `timeouts.create` is not valid",
            "Error whole: `whole` is not valid",
            "Warning old: `old` is deprecated",
        ]
    );
}

#[tokio::test]
async fn write_only_values_are_refused_where_they_would_be_stored() {
    let core = core().await;
    let config = core
        .config(TYPE, &json!({"name": "a", "secret": "hush"}))
        .unwrap();
    let config = msgpack::encode(&wire_type(), &config).unwrap();
    let request = pb::validate_resource_config::Request {
        type_name: TYPE.to_owned(),
        config: Some(pb::DynamicValue {
            msgpack: config,
            ..Default::default()
        }),
        client_capabilities: None,
    };
    let answer = core
        .host()
        .client()
        .validate_resource_config(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.diagnostics.len(), 1, "{answer:?}");
    assert!(!answer.diagnostics[0].detail.contains("hush"));
}

/// What the resource has on the wire: its schema, and the `timeouts` that the framework adds.
fn wire_type() -> Type {
    kinds::all::SCHEMA
        .with_timeouts(&tfplugin_rs::framework::Timeouts::minutes(30, 5, 30, 30))
        .value_type()
}

#[tokio::test]
async fn a_failed_creation_keeps_what_is_there_and_is_replaced_next_time() {
    let core = core().await;
    let outcome = apply(&core, json!({"name": "fails"}), None).await;
    assert_told(&outcome.diagnostics, &["Error name: It failed"]);
    let left = outcome.instance.unwrap();
    assert!(left.tainted && left.state.get("url").is_null(), "{left:?}");
    let outcome = apply(&core, json!({"name": "works"}), Some(left)).await;
    assert_eq!(outcome.action, Action::Replace);
    assert!(!done(outcome).tainted);
    let outcome = apply(&core, json!({"name": "vanishes"}), None).await;
    assert_told(&outcome.diagnostics, &["Error : It failed at once"]);
    assert!(outcome.instance.is_none());
}

#[tokio::test]
async fn a_panic_fails_its_own_call_alone() {
    let core = core().await;
    let outcome = apply(&core, json!({"name": "panics"}), None).await;
    assert_told(
        &outcome.diagnostics,
        &["Error : The provider crashed in ApplyResourceChange"],
    );
    let detail = outcome.diagnostics.iter().next().unwrap().detail.clone();
    assert!(detail.starts_with("the author forgot panics"), "{detail}");
    done(apply(&core, json!({"name": "a"}), None).await);
}

#[tokio::test]
async fn stop_ends_the_calls_that_run_and_not_the_server() {
    let core = Arc::new(core().await);
    let waiting = tokio::spawn({
        let core = Arc::clone(&core);
        async move { apply(&core, json!({"name": "waits"}), None).await }
    });
    // Stop only reaches calls that have begun, so it is asked for until the call has ended.
    while !waiting.is_finished() {
        assert_told(&core.stop().await, &[]);
        tokio::task::yield_now().await;
    }
    let outcome = waiting.await.unwrap();
    assert_told(&outcome.diagnostics, &["Error : Interrupted"]);
    assert!(outcome.instance.unwrap().tainted);
    done(apply(&core, json!({"name": "a"}), None).await);
}

#[tokio::test]
async fn mistakes_of_the_provider_are_named_by_the_rule_that_core_would_apply() {
    let core = core().await;
    let outcome = apply(&core, json!({"name": "lies"}), None).await;
    assert_told(
        &outcome.diagnostics,
        &["Error exposure: kinds_all breaks rule A2 of Terraform's core"],
    );
    let outcome = apply(
        &core,
        json!({"name": "promises", "exposure": "private"}),
        None,
    )
    .await;
    assert_told(
        &outcome.diagnostics,
        &["Error exposure: kinds_all breaks rule P3 of Terraform's core"],
    );
}

#[tokio::test]
async fn a_write_only_value_is_taken_out_of_every_state() {
    let core = core().await;
    let made = done(apply(&core, json!({"name": "tells", "secret": "hush"}), None).await);
    assert_eq!(made.state.get("secret"), &Value::Null);
}

#[tokio::test]
async fn plans_are_improved_and_refused_by_the_author() {
    let core = core().await;
    let config = core.config(TYPE, &json!({"name": "foreseen"})).unwrap();
    assert_eq!(
        core.plan(TYPE, &config, None).await.planned.get("id"),
        &Value::from("foreseen")
    );
    let outcome = apply(&core, json!({"name": "refused"}), None).await;
    assert_told(&outcome.diagnostics, &["Error name: It will not do"]);
    let protected = done(apply(&core, json!({"name": "protected"}), None).await);
    let outcome = core.destroy(protected).await;
    assert_told(&outcome.diagnostics, &["Error : It is protected"]);
    assert!(outcome.instance.is_some());
    let stays = done(apply(&core, json!({"name": "stays"}), None).await);
    let outcome = core.destroy(stays).await;
    assert_told(&outcome.diagnostics, &["Error : It stays"]);
    assert!(outcome.instance.is_some());
}
