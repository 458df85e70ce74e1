//! Scope maps, tokens and their passwords over sockets, and what a token opens in the data plane.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::plane::{HOST, Plane};
use crate::support::{Arm, id};

const VERSION: &str = "2025-11-01";

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkacr")
}

fn map(name: &str) -> String {
    format!("{}/scopeMaps/{name}", registry())
}

fn token() -> String {
    format!("{}/tokens/cluster-pull", registry())
}

async fn stage() -> Arm {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" } });
    arm.create(&registry(), VERSION, body).await;
    let actions = json!(["repositories/team/*/content/read"]);
    let body = json!({ "properties": { "description": "Pulls", "actions": actions } });
    arm.create(&map("team-pull"), VERSION, body).await;
    let body = json!({ "properties": { "scopeMapId": map("team-pull"), "status": "enabled" } });
    arm.create(&token(), VERSION, body).await;
    arm
}

/// Makes passwords and returns the answer.
async fn generate(arm: &Arm, mut body: Value) -> Value {
    body["tokenId"] = json!(token());
    let path = format!("{}/generateCredentials", registry());
    let reply = arm.post(&path, VERSION, body).await.expect(202);
    assert!(!reply.header("location").is_empty());
    arm.finish(&reply).await.expect(200).body
}

async fn import(arm: &Arm, tag: &str) {
    let source = json!({ "registryUri": "docker.io", "sourceImage": "library/nginx:1.27" });
    let body = json!({ "source": source, "targetTags": [tag] });
    let path = format!("{}/importImage", registry());
    let reply = arm.post(&path, VERSION, body).await.expect(202);
    arm.finish(&reply).await.expect(200);
}

#[tokio::test]
async fn the_system_s_scope_maps_are_there_and_stay_as_they_are() {
    let arm = stage().await;
    let list = arm
        .get(&format!("{}/scopeMaps", registry()), VERSION)
        .await
        .expect(200);
    let names: Vec<&str> = list.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|map| map["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "_repositories_admin",
            "_repositories_pull",
            "_repositories_pull_metadata_read",
            "_repositories_push",
            "_repositories_push_metadata_write",
            "team-pull",
        ]
    );
    let pull = arm
        .get(&map("_repositories_pull"), VERSION)
        .await
        .expect(200);
    assert_eq!(pull.body["properties"]["type"], "SystemDefined");
    let change = json!({ "properties": { "actions": ["repositories/web/content/read"] } });
    arm.put(&map("_repositories_pull"), VERSION, change.clone())
        .await
        .refused(400, "SystemScopeMapReadOnly");
    arm.patch(&map("_repositories_pull"), VERSION, change)
        .await
        .refused(400, "SystemScopeMapReadOnly");
    arm.delete(&map("_repositories_pull"), VERSION)
        .await
        .refused(400, "SystemScopeMapReadOnly");
}

#[tokio::test]
async fn a_scope_map_has_valid_actions_and_outlives_its_tokens() {
    let arm = stage().await;
    for actions in [
        json!([]),
        json!(["repositories/web/contentRead"]),
        json!(["web"]),
    ] {
        arm.put(
            &map("wrong"),
            VERSION,
            json!({ "properties": { "actions": actions } }),
        )
        .await
        .refused(400, "InvalidScopeMapActions");
    }
    arm.delete(&map("team-pull"), VERSION)
        .await
        .refused(409, "ScopeMapInUse");
    let elsewhere = json!({ "properties": { "scopeMapId": map("nowhere") } });
    arm.patch(&token(), VERSION, elsewhere)
        .await
        .refused(400, "ScopeMapNotFound");
    // Neither holds the registry while it is written.
    let other = json!({ "properties": { "actions": ["repositories/web/content/read"] } });
    let reply = arm.put(&map("other"), VERSION, other).await.expect(201);
    assert_eq!(arm.get(&registry(), VERSION).await.state(), "Succeeded");
    arm.finish(&reply).await;
    let usages = arm
        .get(&format!("{}/listUsages", registry()), VERSION)
        .await
        .expect(200);
    let used = |name: &str| {
        let usages = usages.body["value"].as_array().unwrap();
        let found = usages.iter().find(|usage| usage["name"] == name);
        found.map(|usage| usage["currentValue"].clone())
    };
    assert_eq!(used("ScopeMaps"), Some(json!(2)));
    assert_eq!(used("Tokens"), Some(json!(1)));
    arm.remove(&token(), VERSION).await;
    arm.remove(&map("team-pull"), VERSION).await;
}

#[tokio::test]
async fn a_password_is_shown_when_it_is_made_and_a_patch_removes_its_slot() {
    let arm = stage().await;
    let both = generate(&arm, json!({})).await;
    assert_eq!(both["username"], "cluster-pull");
    let first = both["passwords"][0]["value"].as_str().unwrap().to_owned();
    assert!(both["passwords"][1]["value"].is_string());
    let one = generate(
        &arm,
        json!({ "name": "password2", "expiry": "2999-01-01T00:00:00Z" }),
    )
    .await;
    assert!(one["passwords"][0].get("value").is_none(), "{one}");
    assert_eq!(one["passwords"][1]["expiry"], "2999-01-01T00:00:00Z");
    assert_ne!(one["passwords"][1]["value"], both["passwords"][1]["value"]);
    let shown = arm.get(&token(), VERSION).await.expect(200).body;
    assert!(!shown.to_string().contains(&first), "{shown}");
    assert!(shown.get("numbers").is_none());

    let keep =
        json!({ "properties": { "credentials": { "passwords": [{ "name": "password2" }] } } });
    let reply = arm.patch(&token(), VERSION, keep).await.expect(201);
    arm.finish(&reply).await;
    let left = arm.get(&token(), VERSION).await.expect(200).body;
    let left = left["properties"]["credentials"]["passwords"]
        .as_array()
        .unwrap();
    assert_eq!((left.len(), &left[0]["name"]), (1, &json!("password2")));

    let past = json!({ "tokenId": token(), "expiry": "2001-01-01T00:00:00Z" });
    let path = format!("{}/generateCredentials", registry());
    arm.post(&path, VERSION, past)
        .await
        .refused(400, "InvalidExpiry");
    // No log of the sandbox knows a password.
    let log = arm
        .control("GET", "/_sandbox/requests", json!({}))
        .to_string();
    assert!(!log.contains(&first));
    let operations = arm
        .control("GET", "/_sandbox/operations", json!({}))
        .to_string();
    assert!(!operations.contains(&first));
}

#[tokio::test]
async fn a_token_opens_what_its_scope_map_names_while_it_is_enabled() {
    let arm = stage().await;
    import(&arm, "team/web:1").await;
    import(&arm, "other/web:1").await;
    let made = generate(&arm, json!({})).await;
    let password = made["passwords"][0]["value"].as_str().unwrap().to_owned();
    let plane = Plane::from(&arm, "203.0.113.7");
    let access =
        async |password: &str, scope: &str| plane.basic("cluster-pull", password, scope).await;
    let scope = "repository:team/web:pull,push";
    let (status, team) = access(&password, scope).await;
    assert_eq!(status, 200);
    let (_, other) = access(&password, "repository:other/web:pull").await;
    let ask = async |path: &str, token: &str| plane.ask(Method::GET, path, token).await.0;
    assert_eq!(ask("/v2/team/web/manifests/1", &team).await, 200);
    assert_eq!(ask("/v2/other/web/manifests/1", &other).await, 401);
    assert_eq!(ask("/v2/team/web/tags/list", &team).await, 401);
    assert_eq!(ask("/v2/_catalog", &team).await, 401);
    assert_eq!(access("made-up", scope).await.0, 401);
    let (name, direct) = ("cluster-pull", password.as_str());
    let sent = plane.http.get(format!("{HOST}/v2/team/web/manifests/1"));
    let direct = sent.basic_auth(name, Some(direct)).send().await.unwrap();
    assert_eq!(direct.status(), 200);

    // The other slot lives on when this one is made anew.
    let second = made["passwords"][1]["value"].as_str().unwrap();
    generate(&arm, json!({ "name": "password1" })).await;
    assert_eq!(access(&password, scope).await.0, 401);
    assert_eq!(access(second, scope).await.0, 200);
    let off = json!({ "properties": { "status": "disabled" } });
    let reply = arm.patch(&token(), VERSION, off).await.expect(201);
    arm.finish(&reply).await;
    assert_eq!(access(second, scope).await.0, 401);
}

#[tokio::test]
async fn a_password_expires_at_its_time() {
    let arm = stage().await;
    let path = format!("/_sandbox/resources{}", token());
    let made = generate(&arm, json!({ "expiry": "2999-01-01T00:00:00Z" })).await;
    let password = made["passwords"][0]["value"].as_str().unwrap();
    let plane = Plane::from(&arm, "203.0.113.7");
    let scope = "repository:team/web:pull";
    assert_eq!(plane.basic("cluster-pull", password, scope).await.0, 200);
    let slots = json!([{ "name": "password1", "expiry": "2001-01-01T00:00:00Z" }]);
    let past = json!({ "properties": { "credentials": { "passwords": slots } } });
    arm.control("PATCH", &path, past);
    assert_eq!(plane.basic("cluster-pull", password, scope).await.0, 401);
}

#[tokio::test]
async fn the_admin_user_and_anonymous_pulls_count_when_they_are_on() {
    let arm = stage().await;
    import(&arm, "team/web:1").await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let scope = "repository:team/web:pull";
    assert_eq!(plane.anonymous(scope).await.0, 401);
    let on = json!({ "properties": { "adminUserEnabled": true, "anonymousPullEnabled": true } });
    let reply = arm.patch(&registry(), VERSION, on).await.expect(201);
    arm.finish(&reply).await;
    let (status, token) = plane.anonymous(scope).await;
    assert_eq!(status, 200);
    let manifest = "/v2/team/web/manifests/1";
    assert_eq!(plane.ask(Method::GET, manifest, &token).await.0, 200);
    assert_eq!(plane.ask(Method::DELETE, manifest, &token).await.0, 401);
    let path = format!("{}/listCredentials", registry());
    let admin = arm.post(&path, VERSION, json!({})).await.expect(200).body;
    let password = admin["passwords"][1]["value"].as_str().unwrap();
    let all = "registry:catalog:*";
    let (status, token) = plane.basic("fkacr", password, all).await;
    assert_eq!(status, 200);
    let (_, _, catalog) = plane.ask(Method::GET, "/v2/_catalog", &token).await;
    assert_eq!(catalog["repositories"], json!(["team/web"]));
    let off = json!({ "properties": { "adminUserEnabled": false } });
    let reply = arm.patch(&registry(), VERSION, off).await.expect(201);
    arm.finish(&reply).await;
    assert_eq!(plane.basic("fkacr", password, all).await.0, 401);
}
