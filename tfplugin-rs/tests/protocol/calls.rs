//! Every call that is not about the life of a resource.

use std::sync::Arc;

use serde_json::json;
use tfplugin_rs::server::proto::tfplugin6 as pb;
use tfplugin_rs::testing::{Core, Host};
use tfplugin_rs::value::{Type, Value, msgpack};

use super::kinds::Kinds;
use super::{TYPE, assert_told, core};

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
