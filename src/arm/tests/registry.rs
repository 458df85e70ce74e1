//! The data plane of a registry: how the client gets in, what it sees, and to whom tokens go.

use std::collections::BTreeSet;

use super::super::registry::Plane;
use super::credentials::fields;
use super::*;

const HOST: &str = "fkacr.azurecr.io";
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn references(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A registry that holds `app:1` and lets in who has the registries' own audience.
fn registry(seen: &Seen, _: usize) -> Say {
    let authorization = seen.headers.get("authorization");
    let bearer = authorization.map(|value| value.to_str().unwrap());
    match (seen.method.as_str(), seen.path.as_str()) {
        (_, TOKEN_PATH) if seen.body.contains("containerregistry.azure.net") => {
            token("for-registries", 3600)
        }
        (_, TOKEN_PATH) => token("for-arm", 3600),
        ("GET", "/v2/") => challenge(),
        ("POST", "/oauth2/exchange") => match fields(&seen.body)["access_token"].as_str() {
            "for-registries" => say(200, json!({ "refresh_token": "refresh" })),
            _ => denied(401, "UNAUTHORIZED"),
        },
        ("POST", "/oauth2/token") => {
            let scope = fields(&seen.body)["scope"].clone();
            say(200, json!({ "access_token": scope }))
        }
        ("HEAD", "/v2/team/app/manifests/1")
            if bearer.is_some_and(|token| token.starts_with("Bearer repository:team/app:pull")) =>
        {
            say(200, Json::Null).with("docker-content-digest", DIGEST)
        }
        ("GET", "/v2/team/app/tags/list?n=200") => say(200, json!({ "tags": ["1"] })),
        ("DELETE", _) if bearer.is_some_and(|token| token.ends_with(",delete")) => {
            say(202, Json::Null)
        }
        _ => denied(404, "MANIFEST_UNKNOWN"),
    }
}

fn challenge() -> Say {
    let ask = format!("Bearer realm=\"https://{HOST}/oauth2/token\",service=\"{HOST}\"");
    denied(401, "UNAUTHORIZED").with("www-authenticate", ask)
}

fn denied(status: u16, code: &str) -> Say {
    say(
        status,
        json!({ "errors": [{ "code": code, "message": "client with IP '198.51.100.7' is not allowed access." }] }),
    )
}

#[tokio::test]
async fn a_tag_that_is_there_has_its_digest_and_one_that_is_not_has_none() {
    let azure = Azure::start(registry).await;
    let client = azure.client();
    let call = call(&client, 600);
    let plane = Plane::at(&client, &call, HOST, azure.address.clone());
    let found = plane
        .images(&references(&["team/app:1", "team/app:2"]))
        .await
        .unwrap();
    assert_eq!(found.unseen, None);
    assert_eq!(found.digests["team/app:1"].as_deref(), Some(DIGEST));
    assert_eq!(found.digests["team/app:2"], None);
    // One way in, and one token for the repository.
    let count = |path: &str| {
        azure
            .requests()
            .iter()
            .filter(|seen| seen.path == path)
            .count()
    };
    assert_eq!((count("/oauth2/exchange"), count("/v2/")), (1, 1));
}

#[tokio::test]
async fn a_token_for_arm_is_tried_where_the_tenant_has_none_for_registries() {
    let azure = Azure::start(|seen: &Seen, before| match seen.path.as_str() {
        TOKEN_PATH if seen.body.contains("containerregistry.azure.net") => say(
            400,
            json!({ "error": "invalid_resource", "error_description": "AADSTS500011: not found" }),
        ),
        "/oauth2/exchange" => match fields(&seen.body)["access_token"].as_str() {
            "for-arm" => say(200, json!({ "refresh_token": "refresh" })),
            _ => denied(401, "UNAUTHORIZED"),
        },
        _ => registry(seen, before),
    })
    .await;
    let client = azure.client();
    let call = call(&client, 600);
    let plane = Plane::at(&client, &call, HOST, azure.address.clone());
    let found = plane.images(&references(&["team/app:1"])).await.unwrap();
    assert_eq!(found.digests["team/app:1"].as_deref(), Some(DIGEST));
}

#[tokio::test]
async fn a_firewall_a_broken_connection_and_a_missing_right_are_facts_with_their_reasons() {
    let firewall = Azure::start(arm(|_, _| denied(403, "DENIED"))).await;
    let client = firewall.client();
    let bounds = call(&client, 600);
    let plane = Plane::at(&client, &bounds, HOST, firewall.address.clone());
    let found = plane.images(&references(&["team/app:1"])).await.unwrap();
    let why = found.unseen.unwrap();
    assert!(
        why.contains(HOST) && why.contains("403") && why.contains("client with IP '198.51.100.7'"),
        "{why}"
    );

    let nobody = Plane::at(&client, &bounds, HOST, "http://127.0.0.1:1".into());
    let found = nobody.images(&references(&["team/app:1"])).await.unwrap();
    let why = found.unseen.unwrap();
    assert!(why.contains("cannot be reached"), "{why}");

    let refused = Azure::start(|seen: &Seen, before| match seen.method.as_str() {
        "HEAD" => say(401, Json::Null),
        _ => registry(seen, before),
    })
    .await;
    let client = refused.client();
    let bounds = call(&client, 600);
    let plane = Plane::at(&client, &bounds, HOST, refused.address.clone());
    let found = plane.images(&references(&["team/app:1"])).await.unwrap();
    assert!(found.unseen.unwrap().contains("401"));
}

#[tokio::test]
async fn a_tag_and_a_manifest_without_tags_are_deleted_at_their_addresses_and_what_is_gone_is_gone()
{
    let azure = Azure::start(registry).await;
    let client = azure.client();
    let call = call(&client, 600);
    let plane = Plane::at(&client, &call, HOST, azure.address.clone());
    plane.delete("team/app:1").await.unwrap();
    plane.delete(&format!("team/app@{DIGEST}")).await.unwrap();
    let bare = DIGEST.replace('1', "2");
    plane.delete(&format!("team/app@{bare}")).await.unwrap();
    plane.delete("other:1").await.unwrap();
    let deleted: Vec<String> = azure
        .requests()
        .into_iter()
        .filter(|seen| seen.method == "DELETE")
        .map(|seen| seen.path)
        .collect();
    assert_eq!(
        deleted,
        [
            "/acr/v1/team/app/_tags/1".to_owned(),
            format!("/v2/team/app/manifests/{bare}"),
            "/acr/v1/other/_tags/1".to_owned()
        ]
    );
}

#[tokio::test]
async fn no_token_goes_to_a_host_that_is_no_registry() {
    let azure = Azure::start(registry).await;
    let client = azure.client();
    let call = call(&client, 600);
    for host in ["fkacr.example", "azurecr.io", "evil.example/.azurecr.io"] {
        let error = client
            .images(&call, host, &references(&["app:1"]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no token is sent"), "{error}");
    }
    assert!(azure.requests().is_empty() && azure.token_requests().is_empty());
}
