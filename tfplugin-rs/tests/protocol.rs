//! Whole lives of resources, and every other call, over a real socket in one process.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "support/kinds.rs"]
mod kinds;

use std::sync::Arc;

use kinds::Kinds;
use serde_json::{Value as Json, json};
use tfplugin_rs::framework::{Diagnostics, audit};
use tfplugin_rs::server::proto::tfplugin6 as pb;
use tfplugin_rs::testing::{Action, Core, Host, Instance, Outcome};
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
    kinds::SCHEMA
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
    assert!(detail.starts_with("the author forgot panics\n"), "{detail}");
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

#[tokio::test]
async fn import_is_by_id_and_by_identity() {
    let core = core().await;
    assert_eq!(
        done(core.import(TYPE, "/x").await).state.get("id"),
        &Value::from("/x")
    );
    let identity = Value::object([("id", Value::from("/y"))]);
    assert_eq!(
        done(core.import_by_identity(TYPE, &identity).await)
            .state
            .get("id"),
        &Value::from("/y")
    );
    let outcome = core.import(TYPE, "nowhere").await;
    assert_told(
        &outcome.diagnostics,
        &["Error : There is no kinds_all to import"],
    );
}

#[tokio::test]
async fn stored_states_of_older_versions_are_brought_up_to_date() {
    let core = core().await;
    let upgrade = async |version: i64, raw: pb::RawState| {
        let request = pb::upgrade_resource_state::Request {
            type_name: TYPE.to_owned(),
            version,
            raw_state: Some(raw),
        };
        core.host()
            .client()
            .upgrade_resource_state(request)
            .await
            .unwrap()
            .into_inner()
    };
    let json = |text: &str| pb::RawState {
        json: text.as_bytes().to_vec(),
        ..Default::default()
    };
    let answer = upgrade(0, json(r#"{"title":"a","gone":[1],"secret":"x"}"#)).await;
    assert!(answer.diagnostics.is_empty(), "{answer:?}");
    let state = msgpack::decode(&wire_type(), &answer.upgraded_state.unwrap().msgpack).unwrap();
    assert_eq!(state.get("name"), &Value::from("a"));
    assert_eq!(state.get("secret"), &Value::Null);
    assert_eq!(state.get("rule"), &Value::List(Vec::new()));
    let flat = pb::RawState {
        flatmap: [("name".to_owned(), "a".to_owned())].into(),
        ..Default::default()
    };
    for (version, raw, expected) in [
        (2, json("{}"), "newer version"),
        (-1, json("{}"), "never was"),
        (1, flat, "0.11"),
        (1, json("x"), "expected"),
    ] {
        let answer = upgrade(version, raw).await;
        assert!(
            answer.diagnostics[0].detail.contains(expected),
            "{version}: {answer:?}"
        );
        assert!(answer.upgraded_state.is_none());
    }
}

#[tokio::test]
async fn types_that_are_not_there_are_named() {
    let core = core().await;
    let mut client = core.host().client();
    let type_name = "kinds_nothing".to_owned();
    let request = pb::read_resource::Request {
        type_name: type_name.clone(),
        ..Default::default()
    };
    let answer = client.read_resource(request).await.unwrap().into_inner();
    assert_eq!(
        answer.diagnostics[0].summary,
        "This provider has no resource `kinds_nothing`"
    );
    let request = pb::read_data_source::Request {
        type_name: type_name.clone(),
        ..Default::default()
    };
    let answer = client.read_data_source(request).await.unwrap().into_inner();
    assert_eq!(
        answer.diagnostics[0].summary,
        "This provider has no data source `kinds_nothing`"
    );
    let request = pb::open_ephemeral_resource::Request {
        type_name: type_name.clone(),
        ..Default::default()
    };
    let answer = client
        .open_ephemeral_resource(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answer.diagnostics[0].summary,
        "This provider has no ephemeral resource `kinds_nothing`"
    );
    let request = pb::plan_action::Request {
        action_type: type_name,
        ..Default::default()
    };
    let answer = client.plan_action(request).await.unwrap().into_inner();
    assert_eq!(
        answer.diagnostics[0].summary,
        "This provider has no action `kinds_nothing`"
    );
    let request = pb::call_function::Request {
        name: "nothing".to_owned(),
        arguments: Vec::new(),
    };
    let answer = client.call_function(request).await.unwrap().into_inner();
    assert_eq!(
        answer.error.unwrap().text,
        "This provider has no function `nothing`."
    );
}

#[tokio::test]
async fn state_stores_are_not_offered() {
    let core = core().await;
    let answer = core
        .host()
        .client()
        .get_states(pb::get_states::Request {
            type_name: String::new(),
        })
        .await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn the_provider_says_what_it_offers() {
    let host = Host::start(Arc::new(Kinds)).await.unwrap();
    let mut client = host.client();
    let schema = client
        .get_provider_schema(pb::get_provider_schema::Request {})
        .await
        .unwrap()
        .into_inner();
    assert!(schema.provider.is_some() && schema.diagnostics.is_empty());
    let all = schema.resource_schemas[TYPE].block.clone().unwrap();
    for attribute in &all.attributes {
        let forms = usize::from(!attribute.r#type.is_empty())
            + usize::from(attribute.nested_type.is_some());
        assert_eq!(forms, 1, "{}", attribute.name);
        assert_eq!(
            attribute.deprecated,
            !attribute.deprecation_message.is_empty(),
            "{}",
            attribute.name
        );
    }
    let by_name = |name: &str| {
        all.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .unwrap()
    };
    assert!(
        by_name("exposure").optional && by_name("exposure").computed,
        "a default is optional and computed"
    );
    assert!(by_name("timeouts").optional && by_name("timeouts").nested_type.is_some());
    assert!(by_name("secret").write_only && by_name("key").sensitive);
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
    let metadata = client
        .get_metadata(pb::get_metadata::Request {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.resources[0].type_name, TYPE);
    let identities = client
        .get_resource_identity_schemas(pb::get_resource_identity_schemas::Request {})
        .await;
    let identities = identities.unwrap().into_inner().identity_schemas;
    assert_eq!(
        identities[TYPE].identity_attributes[0].r#type,
        b"\"string\""
    );
    assert!(identities[TYPE].identity_attributes[0].required_for_import);
}

#[tokio::test]
async fn functions_join_and_say_which_argument_is_wrong() {
    let core = core().await;
    let call = async |texts: &[Option<&str>]| {
        let arguments = texts.iter().map(|text| match text {
            Some(text) => pb::DynamicValue {
                msgpack: msgpack::encode(&Type::String, &Value::from(*text)).unwrap(),
                ..Default::default()
            },
            // OpenTofu sends nothing at all for null.
            None => pb::DynamicValue::default(),
        });
        let request = pb::call_function::Request {
            name: "join".to_owned(),
            arguments: arguments.collect(),
        };
        core.host()
            .client()
            .call_function(request)
            .await
            .unwrap()
            .into_inner()
    };
    let joined = call(&[Some("-"), Some("a"), Some("b")])
        .await
        .result
        .unwrap()
        .msgpack;
    assert_eq!(
        msgpack::decode(&Type::String, &joined).unwrap(),
        Value::from("a-b")
    );
    assert_eq!(
        call(&[Some("-"), Some("a"), None])
            .await
            .error
            .unwrap()
            .function_argument,
        Some(2)
    );
    assert_eq!(
        call(&[Some("-")]).await.error.unwrap().function_argument,
        Some(0)
    );
    assert_eq!(
        call(&[]).await.error.unwrap().text,
        "`join` takes 1 arguments."
    );
    assert!(
        call(&[Some("panic"), Some("a")])
            .await
            .error
            .unwrap()
            .text
            .contains("no way to join")
    );
}

fn dynamic(kind: &Type, value: &Value) -> Option<pb::DynamicValue> {
    Some(pb::DynamicValue {
        msgpack: msgpack::encode(kind, value).unwrap(),
        json: Vec::new(),
    })
}

fn object(members: &[(&str, Type)]) -> Type {
    Type::Object(
        members
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), kind.clone()))
            .collect(),
    )
}

#[tokio::test]
async fn ephemeral_resources_open_renew_and_close() {
    let core = core().await;
    let mut client = core.host().client();
    let kind = object(&[("audience", Type::String), ("token", Type::String)]);
    let type_name = "kinds_token".to_owned();
    let config = dynamic(&kind, &Value::object([("audience", Value::from("me"))]));
    let request = pb::validate_ephemeral_resource_config::Request {
        type_name: type_name.clone(),
        config: config.clone(),
    };
    let answer = client
        .validate_ephemeral_resource_config(request)
        .await
        .unwrap()
        .into_inner();
    assert!(answer.diagnostics.is_empty());
    let request = pb::open_ephemeral_resource::Request {
        type_name: type_name.clone(),
        config,
        ..Default::default()
    };
    let opened = client
        .open_ephemeral_resource(request)
        .await
        .unwrap()
        .into_inner();
    let result = msgpack::decode(&kind, &opened.result.unwrap().msgpack).unwrap();
    assert_eq!(result.get("token"), &Value::from("t0k3n"));
    assert_eq!(opened.renew_at.unwrap().seconds, 60);
    let request = pb::renew_ephemeral_resource::Request {
        type_name: type_name.clone(),
        private: opened.private,
    };
    let renewed = client
        .renew_ephemeral_resource(request)
        .await
        .unwrap()
        .into_inner();
    let request = pb::close_ephemeral_resource::Request {
        type_name,
        private: renewed.private,
    };
    assert!(
        client
            .close_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner()
            .diagnostics
            .is_empty()
    );
}

#[tokio::test]
async fn actions_tell_their_progress_and_complete_once() {
    use pb::invoke_action::event::Type as Event;
    let core = core().await;
    let kind = object(&[("times", Type::Number)]);
    for (times, lines, told) in [(2, 2, 0), (0, 0, 1), (13, 13, 1)] {
        let request = pb::invoke_action::Request {
            action_type: "kinds_ping".to_owned(),
            config: dynamic(&kind, &Value::object([("times", Value::from(times))])),
            ..Default::default()
        };
        let mut events = core
            .host()
            .client()
            .invoke_action(request)
            .await
            .unwrap()
            .into_inner();
        let mut progress = 0;
        let mut completed = None;
        while let Some(event) = events.message().await.unwrap() {
            assert!(completed.is_none(), "something came after the completion");
            match event.r#type.unwrap() {
                Event::Progress(_) => progress += 1,
                Event::Completed(event) => completed = Some(event),
            }
        }
        assert_eq!(
            (progress, completed.unwrap().diagnostics.len()),
            (lines, told),
            "{times}"
        );
    }
}

#[tokio::test]
async fn list_resources_stop_at_the_limit() {
    let core = core().await;
    let kind = object(&[("prefix", Type::String)]);
    let request = pb::list_resource::Request {
        type_name: TYPE.to_owned(),
        config: dynamic(&kind, &Value::object([("prefix", Value::from("n"))])),
        include_resource_object: true,
        limit: 3,
    };
    let mut events = core
        .host()
        .client()
        .list_resource(request)
        .await
        .unwrap()
        .into_inner();
    let mut names = Vec::new();
    let mut warnings = 0;
    while let Some(event) = events.message().await.unwrap() {
        warnings += event.diagnostic.len();
        if event.identity.is_some() {
            assert!(event.resource_object.is_some());
            names.push(event.display_name);
        }
    }
    assert_eq!(
        (names, warnings),
        (
            vec![
                "number 0".to_owned(),
                "number 1".to_owned(),
                "number 2".to_owned()
            ],
            1
        )
    );
}

#[tokio::test]
async fn states_are_taken_over_and_turned_into_configurations() {
    let core = core().await;
    let mut client = core.host().client();
    let request = |source: &str| pb::move_resource_state::Request {
        source_provider_address: "registry.terraform.io/other/other".to_owned(),
        source_type_name: source.to_owned(),
        source_state: Some(pb::RawState {
            json: b"{}".to_vec(),
            ..Default::default()
        }),
        target_type_name: TYPE.to_owned(),
        ..Default::default()
    };
    let moved = client
        .move_resource_state(request("other_all"))
        .await
        .unwrap()
        .into_inner();
    assert!(
        moved.target_state.is_some() && moved.target_identity.is_some(),
        "{moved:?}"
    );
    let refused = client
        .move_resource_state(request("other_none"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        refused.diagnostics[0].summary,
        "kinds_all cannot take over the state of other_none"
    );
    let request = pb::generate_resource_config::Request {
        type_name: TYPE.to_owned(),
        state: moved.target_state,
    };
    let config = client
        .generate_resource_config(request)
        .await
        .unwrap()
        .into_inner()
        .config
        .unwrap();
    let config = msgpack::decode(&wire_type(), &config.msgpack).unwrap();
    assert_eq!(
        (config.get("name"), config.get("id")),
        (&Value::from("moved"), &Value::Null)
    );
}

#[tokio::test]
async fn data_of_any_type_comes_back_as_it_went() {
    let core = core().await;
    let input = json!({"n": 0.1, "l": [1, "x", null], "o": {"deep": true}});
    let (state, diagnostics) = core.read_data("kinds_echo", &json!({"input": input})).await;
    assert_told(&diagnostics, &[]);
    let state = state.unwrap();
    assert_eq!(state.get("input"), state.get("output"));
    let (_, diagnostics) = core.read_data("kinds_echo", &json!({})).await;
    assert_told(&diagnostics, &["Error input: `input` is missing"]);
}

#[tokio::test]
async fn the_provider_block_is_checked_and_heard() {
    let core = Core::start(Kinds).await.unwrap();
    assert_told(
        &core.configure(&json!({"mode": "strange"})).await,
        &["Error mode: `mode` is not valid"],
    );
    assert_told(
        &core.configure(&json!({"mode": "odd"})).await,
        &["Warning mode: This is odd"],
    );
}
