//! The data plane of registries: images, tokens and network rules, as a client sees them through the
//! sandbox as its proxy.

use reqwest::Method;
use serde_json::json;

use crate::support::plane::{HOST, Plane};
use crate::support::{Arm, id};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries/fkacr";
const VERSION: &str = "2025-11-01";

#[tokio::test]
async fn an_import_is_seen_at_its_tags_and_one_without_force_leaves_what_is_there() {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" } });
    arm.create(&id(REGISTRY), VERSION, body).await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let source = json!({ "registryUri": "docker.io", "sourceImage": "library/nginx:1.27" });
    let wanted = json!({ "source": source, "targetTags": ["team/nginx:1", "team/nginx:2"] });
    let path = format!("{}/importImage", id(REGISTRY));
    let reply = arm.post(&path, VERSION, wanted.clone()).await.expect(202);
    arm.finish(&reply).await;
    arm.post(&path, VERSION, wanted.clone())
        .await
        .refused(409, "Conflict");
    let mut forced = wanted;
    forced["mode"] = json!("Force");
    arm.post(&path, VERSION, forced).await.expect(202);

    let scope = "repository:team/nginx:pull,metadata_read,delete";
    let (_, access) = plane.entra(&arm.token, scope).await;
    let manifest = "/v2/team/nginx/manifests/1";
    let (status, digest, _) = plane.ask(Method::HEAD, manifest, &access).await;
    assert!(
        status == 200 && digest.starts_with("sha256:") && digest.len() == 71,
        "{digest}"
    );
    let (status, again, _) = plane
        .ask(
            Method::GET,
            &format!("/v2/team/nginx/manifests/{digest}"),
            &access,
        )
        .await;
    assert_eq!((status, &again), (200, &digest));
    let (_, _, tags) = plane
        .ask(Method::GET, "/v2/team/nginx/tags/list", &access)
        .await;
    assert_eq!(tags["tags"], json!(["1", "2"]));

    // A tag goes alone, a manifest with all its tags.
    let untag = plane
        .ask(Method::DELETE, "/acr/v1/team/nginx/_tags/1", &access)
        .await;
    assert_eq!(untag.0, 202);
    assert_eq!(plane.ask(Method::HEAD, manifest, &access).await.0, 404);
    let gone = plane
        .ask(
            Method::DELETE,
            &format!("/v2/team/nginx/manifests/{digest}"),
            &access,
        )
        .await;
    assert_eq!(gone.0, 202);
    let (status, _, body) = plane
        .ask(Method::GET, "/v2/team/nginx/manifests/2", &access)
        .await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (404, &json!("MANIFEST_UNKNOWN"))
    );
    // What the registry holds is no property of it.
    let shown = arm.get(&id(REGISTRY), VERSION).await.expect(200).body;
    assert!(shown.get("images").is_none(), "{shown}");
}

#[tokio::test]
async fn a_registry_asks_for_its_own_tokens_and_gives_them_for_the_right_audience_alone() {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": {
        "policies": { "azureADAuthenticationAsArmPolicy": { "status": "disabled" } } } });
    arm.create(&id(REGISTRY), VERSION, body).await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let answer = plane.http.get(format!("{HOST}/v2/")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let ask = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        ask.contains("https://fkacr.azurecr.io/oauth2/token"),
        "{ask}"
    );
    // The token of the test is one for Resource Manager.
    let scope = "registry:catalog:*";
    assert_eq!(plane.entra(&arm.token, scope).await.0, 401);
    let path = "/_sandbox/token?audience=https://containerregistry.azure.net";
    let own = arm.control("GET", path, json!({}));
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(plane.entra(own, scope).await.0, 200);
    assert_eq!(plane.ask(Method::GET, "/v2/", "made.up").await.0, 401);
}

#[tokio::test]
async fn network_rules_judge_the_address_that_the_client_comes_from() {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": {
        "networkRuleSet": { "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.0/24" }] } } });
    arm.create(&id(REGISTRY), VERSION, body).await;
    let status = async |place: &str| Plane::from(&arm, place).knock().await;
    assert_eq!(status("203.0.113.7").await.0, 401);
    let (denied, text) = status("198.51.100.7").await;
    assert!(
        denied == 403 && text.contains("client with IP '198.51.100.7' is not allowed access"),
        "{text}"
    );
    // Nobody has connected a private endpoint.
    assert_eq!(status("10.0.0.4").await.0, 403);
    let closed = json!({ "properties": { "publicNetworkAccess": "Disabled" } });
    let reply = arm.patch(&id(REGISTRY), VERSION, closed).await;
    arm.finish(&reply).await;
    assert_eq!(status("203.0.113.7").await.0, 403);
}

#[tokio::test]
async fn the_proxy_leads_to_no_other_host() {
    let arm = Arm::with_group().await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let answer = plane.http.get("https://example.com/").send().await;
    assert!(answer.is_err());
}
