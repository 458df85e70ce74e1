//! What roles open in a registry's data plane, in both of its modes, for principals with tokens of Entra.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::plane::{HOST, Plane};
use crate::support::{Arm, SUB, id};

const ACR: &str = "2025-11-01";
const AUTHORIZATION: &str = "2022-04-01";
const MSI: &str = "2024-11-30";
const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const PUSH: &str = "8311e382-0749-4cb8-b61a-304f252e45ec";
const REPOSITORY_READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";
const CATALOG_LISTER: &str = "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7";
const WHO: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/kubelet";

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkacr")
}

/// A registry with this role mode that holds `team/web:1` and `other/web:1`, and an identity.
async fn stage(mode: &str) -> Arm {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" },
        "properties": { "roleAssignmentMode": mode } });
    arm.create(&registry(), ACR, body).await;
    let source = json!({ "registryUri": "docker.io", "sourceImage": "library/nginx:1.27" });
    let body = json!({ "source": source, "targetTags": ["team/web:1", "other/web:1"] });
    let path = format!("{}/importImage", registry());
    let reply = arm.post(&path, ACR, body).await.expect(202);
    arm.finish(&reply).await;
    let body = json!({ "location": "westeurope" });
    arm.put(&id(WHO), MSI, body).await.expect(201);
    arm
}

async fn identity(arm: &Arm, property: &str) -> String {
    let identity = arm.get(&id(WHO), MSI).await.expect(200).body;
    identity["properties"][property]
        .as_str()
        .unwrap()
        .to_owned()
}

fn assignment(number: u32) -> String {
    format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-{number:012}",
        registry()
    )
}

async fn assign(arm: &Arm, number: u32, role: &str, condition: Option<&str>) {
    let mut body = json!({ "properties": {
        "roleDefinitionId": format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": identity(arm, "principalId").await,
        "principalType": "ServicePrincipal",
    } });
    if let Some(condition) = condition {
        body["properties"]["condition"] = json!(condition);
        body["properties"]["conditionVersion"] = json!("2.0");
    }
    let id = assignment(number);
    arm.put(&id, AUTHORIZATION, body).await.expect(201);
}

/// A token of Entra for the identity.
async fn signed_in(arm: &Arm) -> String {
    let client = identity(arm, "clientId").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", "any"),
        ("scope", "https://containerregistry.azure.net/.default"),
    ];
    let url = format!("{}/common/oauth2/v2.0/token", arm.sandbox.base_url);
    let answer = arm.http.post(url).form(&form).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// The status of a request with an access token for that scope; none has no access token at all.
async fn asks(arm: &Arm, method: Method, path: &str, scope: &str) -> u16 {
    let plane = Plane::from(arm, "203.0.113.7");
    let (status, token) = plane.entra(&signed_in(arm).await, scope).await;
    assert_eq!(
        status, 200,
        "whoever signs in may ask, and gets what is theirs"
    );
    plane.ask(method, path, &token).await.0
}

async fn pulls(arm: &Arm, repository: &str) -> u16 {
    let path = format!("/v2/{repository}/manifests/1");
    let scope = format!("repository:{repository}:pull");
    asks(arm, Method::GET, &path, &scope).await
}

async fn pushes(arm: &Arm, repository: &str) -> u16 {
    let path = format!("/v2/{repository}/blobs/uploads/");
    let scope = format!("repository:{repository}:pull,push");
    asks(arm, Method::POST, &path, &scope).await
}

async fn deletes(arm: &Arm, repository: &str) -> u16 {
    let path = format!("/v2/{repository}/manifests/1");
    let scope = format!("repository:{repository}:delete");
    asks(arm, Method::DELETE, &path, &scope).await
}

async fn lists(arm: &Arm) -> u16 {
    asks(arm, Method::GET, "/v2/_catalog", "registry:catalog:*").await
}

#[tokio::test]
async fn acr_pull_reads_and_acr_push_also_writes_and_neither_deletes() {
    let arm = stage("LegacyRegistryPermissions").await;
    assert_eq!(pulls(&arm, "team/web").await, 401);
    assert_eq!(lists(&arm).await, 401);
    assign(&arm, 1, PULL, None).await;
    assert_eq!(pulls(&arm, "team/web").await, 200);
    assert_eq!(pushes(&arm, "team/web").await, 401);
    assert_eq!(lists(&arm).await, 200);
    assign(&arm, 2, PUSH, None).await;
    assert_eq!(pushes(&arm, "team/web").await, 202);
    assert_eq!(deletes(&arm, "team/web").await, 401);
    for number in [1, 2] {
        let gone = assignment(number);
        arm.delete(&gone, AUTHORIZATION).await.expect(200);
    }
    assert_eq!(pulls(&arm, "team/web").await, 401);
}

#[tokio::test]
async fn in_the_mode_of_repositories_acr_pull_opens_nothing_and_a_condition_narrows_the_reader() {
    let arm = stage("AbacRepositoryPermissions").await;
    assign(&arm, 1, PULL, None).await;
    assert_eq!(pulls(&arm, "team/web").await, 401);
    let attribute = "Microsoft.ContainerRegistry/registries/repositories:name";
    let condition = format!("(@Request[{attribute}] StringStartsWithIgnoreCase 'team/')");
    assign(&arm, 2, REPOSITORY_READER, Some(&condition)).await;
    assert_eq!(pulls(&arm, "team/web").await, 200);
    assert_eq!(pulls(&arm, "other/web").await, 401);
    assert_eq!(pushes(&arm, "team/web").await, 401);
    assert_eq!(lists(&arm).await, 401);
    assign(&arm, 3, CATALOG_LISTER, None).await;
    assert_eq!(lists(&arm).await, 200);
}

#[tokio::test]
async fn a_change_of_the_mode_changes_who_pulls() {
    let arm = stage("LegacyRegistryPermissions").await;
    assign(&arm, 1, PULL, None).await;
    assert_eq!(pulls(&arm, "team/web").await, 200);
    let mode = json!({ "properties": { "roleAssignmentMode": "AbacRepositoryPermissions" } });
    let reply = arm.patch(&registry(), ACR, mode).await;
    arm.finish(&reply).await;
    assert_eq!(pulls(&arm, "team/web").await, 401);
    assign(&arm, 2, REPOSITORY_READER, None).await;
    assert_eq!(pulls(&arm, "team/web").await, 200);
}

#[tokio::test]
async fn a_role_counts_after_its_delay() {
    let arm = stage("LegacyRegistryPermissions").await;
    arm.control(
        "PATCH",
        "/_sandbox/settings",
        json!({ "roleEffectMs": 3_600_000 }),
    );
    assign(&arm, 1, PULL, None).await;
    assert_eq!(pulls(&arm, "team/web").await, 401);
    arm.control("PATCH", "/_sandbox/settings", json!({ "roleEffectMs": 0 }));
    assert_eq!(pulls(&arm, "team/web").await, 200);
}

#[tokio::test]
async fn a_push_is_pulled_again_by_its_true_digest() {
    let arm = stage("LegacyRegistryPermissions").await;
    assign(&arm, 1, PUSH, None).await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let scope = "repository:team/new:pull,push,metadata_read";
    let (_, token) = plane.entra(&signed_in(&arm).await, scope).await;
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let put = async |path: String, body: &'static str| {
        let sent = plane.http.put(format!("{HOST}{path}")).body(body);
        sent.bearer_auth(&token).send().await.unwrap()
    };
    let manifest = r#"{"schemaVersion":2,"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;
    let early = put("/v2/team/new/manifests/1".into(), manifest).await;
    assert_eq!(early.status(), 404, "what it needs is not there yet");
    let begin = plane
        .http
        .post(format!("{HOST}/v2/team/new/blobs/uploads/"));
    let begun = begin.bearer_auth(&token).send().await.unwrap();
    let upload = begun.headers()["location"].to_str().unwrap().to_owned();
    let wrong = format!("{upload}?digest=sha256:{}", "0".repeat(64));
    assert_eq!(put(wrong, "{}").await.status(), 400);
    let begin = plane
        .http
        .post(format!("{HOST}/v2/team/new/blobs/uploads/"));
    let begun = begin.bearer_auth(&token).send().await.unwrap();
    let upload = begun.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(
        put(format!("{upload}?digest={digest}"), "{}")
            .await
            .status(),
        201
    );
    let pushed = put("/v2/team/new/manifests/1".into(), manifest).await;
    assert_eq!(pushed.status(), 201);
    let own = pushed.headers()["docker-content-digest"].to_str().unwrap();
    let by_digest = format!("/v2/team/new/manifests/{own}");
    let (status, again, body) = plane.ask(Method::GET, &by_digest, &token).await;
    assert_eq!((status, again.as_str()), (200, own));
    assert_eq!(body["config"]["digest"], digest);
    let (_, _, tags) = plane
        .ask(Method::GET, "/v2/team/new/tags/list", &token)
        .await;
    assert_eq!(tags["tags"], json!(["1"]));
    assert_eq!(
        put("/v2/team/new/manifests/2".into(), "[]").await.status(),
        400
    );
}
