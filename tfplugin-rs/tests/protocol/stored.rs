//! State that is imported, upgraded or taken over.

use tfplugin_rs::server::proto::tfplugin6 as pb;
use tfplugin_rs::value::{Value, msgpack};

use super::{TYPE, assert_told, core, done, wire_type};

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
