//! Images of registries: what is told of them, and imports with the rights that their source asks for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::plane::{Plane, SERVER};
use crate::support::{Arm, Reply, id};

const ACR: &str = "2025-11-01";

fn registry(name: &str) -> String {
    id(&format!("Microsoft.ContainerRegistry/registries/{name}"))
}

/// The registries `fkacr`, which holds `team/web:1`, and `fktarget`.
async fn stage() -> Arm {
    let arm = Arm::with_group().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" } });
    for name in ["fkacr", "fktarget"] {
        arm.create(&registry(name), ACR, body.clone()).await;
    }
    let source = json!({ "registryUri": "docker.io", "sourceImage": "library/nginx:1.27" });
    let body = json!({ "source": source, "targetTags": ["team/web:1"] });
    let reply = import(&arm, "fkacr", body).await.expect(202);
    arm.finish(&reply).await.expect(200);
    arm
}

async fn import(arm: &Arm, target: &str, body: Value) -> Reply {
    arm.post(&format!("{}/importImage", registry(target)), ACR, body)
        .await
}

/// An import of `team/web:1` of `fkacr` into `fktarget`, from this source, to a tag of its own.
async fn from_ours(arm: &Arm, tag: &str, source: Value) -> Reply {
    let mut source = source;
    source["sourceImage"] = json!("team/web:1");
    import(
        arm,
        "fktarget",
        json!({ "source": source, "targetTags": [tag] }),
    )
    .await
}

async fn set(arm: &Arm, properties: Value) {
    let path = format!("/_sandbox/resources{}", registry("fkacr"));
    arm.control("PATCH", &path, json!({ "properties": properties }));
}

fn by_id() -> Value {
    json!({ "resourceId": registry("fkacr") })
}

fn by_name(credentials: &Value) -> Value {
    json!({ "registryUri": SERVER, "credentials": credentials })
}

fn held(arm: &Arm, name: &str) -> Value {
    let path = format!("/_sandbox/images{}", registry(name));
    arm.control("GET", &path, json!({}))
}

#[tokio::test]
async fn an_import_by_id_copies_the_image_with_the_rights_of_the_caller() {
    let arm = stage().await;
    let reply = from_ours(&arm, "copy:1", by_id()).await.expect(202);
    arm.finish(&reply).await.expect(200);
    let digest = held(&arm, "fkacr")["team/web"]["tags"]["1"].clone();
    assert_eq!(held(&arm, "fktarget")["copy"]["tags"]["1"], digest);

    let pull = json!({ "callerNotActions": ["Microsoft.ContainerRegistry/registries/pull/read"] });
    arm.control("PATCH", "/_sandbox/settings", pull);
    from_ours(&arm, "copy:2", by_id())
        .await
        .refused(403, "AuthorizationFailed");
    arm.control(
        "PATCH",
        "/_sandbox/settings",
        json!({ "callerNotActions": [] }),
    );
    // Where data actions decide, owning everything is not enough.
    set(
        &arm,
        json!({ "roleAssignmentMode": "AbacRepositoryPermissions" }),
    )
    .await;
    from_ours(&arm, "copy:2", by_id())
        .await
        .refused(403, "AuthorizationFailed");
}

#[tokio::test]
async fn an_import_by_name_needs_credentials_that_open_the_repository() {
    let arm = stage().await;
    let map = format!("{}/scopeMaps/other-pull", registry("fkacr"));
    let actions = |repository: &str| json!({ "properties": { "actions": [format!("repositories/{repository}/content/read")] } });
    arm.create(&map, ACR, actions("other")).await;
    let token = format!("{}/tokens/importer", registry("fkacr"));
    arm.create(&token, ACR, json!({ "properties": { "scopeMapId": map } }))
        .await;
    let path = format!("{}/generateCredentials", registry("fkacr"));
    let reply = arm.post(&path, ACR, json!({ "tokenId": token })).await;
    let made = arm.finish(&reply).await.expect(200).body;
    let right = json!({ "username": "importer", "password": made["passwords"][1]["value"] });
    for refused in [
        Value::Null,
        json!({ "username": "importer", "password": "made-up" }),
        right.clone(),
    ] {
        from_ours(&arm, "copy:1", by_name(&refused))
            .await
            .refused(401, "SourceRegistryUnauthorized");
    }
    arm.create(&map, ACR, actions("team/web")).await;
    let reply = from_ours(&arm, "copy:1", by_name(&right)).await.expect(202);
    arm.finish(&reply).await.expect(200);
    assert!(held(&arm, "fktarget")["copy"]["tags"]["1"].is_string());
}

#[tokio::test]
async fn a_source_that_is_shut_or_exports_nothing_gives_no_image() {
    let arm = stage().await;
    set(&arm, json!({ "publicNetworkAccess": "Disabled" })).await;
    let reply = from_ours(&arm, "copy:1", by_id()).await.expect(202);
    arm.finish(&reply).await.expect(200);
    set(&arm, json!({ "networkRuleBypassOptions": "None" })).await;
    from_ours(&arm, "copy:2", by_id())
        .await
        .refused(403, "SourceRegistryAccessDenied");
    set(
        &arm,
        json!({ "networkRuleBypassOptions": "AzureServices", "policies": { "exportPolicy": { "status": "disabled" } } }),
    )
    .await;
    from_ours(&arm, "copy:2", by_id())
        .await
        .refused(403, "ExportDisabled");
}

#[tokio::test]
async fn an_import_that_is_going_to_fail_leaves_nothing() {
    let arm = stage().await;
    arm.fault(
        json!({ "match": { "method": "POST", "path": "*/importImage" },
        "effect": { "failedOperation": { "code": "ImportFailed", "message": "no" } } }),
    );
    let reply = from_ours(&arm, "copy:1", by_id()).await.expect(202);
    let end = arm.finish(&reply).await;
    assert_eq!(end.code(), "ImportFailed", "{} {}", end.status, end.body);
    assert!(held(&arm, "fktarget")["copy"].is_null());
}

#[tokio::test]
async fn a_layer_is_read_only_where_an_image_has_it() {
    let arm = stage().await;
    let source = json!({ "registryUri": "docker.io", "sourceImage": "library/nginx:1.28" });
    let body = json!({ "source": source, "targetTags": ["other/app:1"] });
    let reply = import(&arm, "fkacr", body).await.expect(202);
    arm.finish(&reply).await.expect(200);
    let plane = Plane::from(&arm, "203.0.113.7");
    let get = async |repository: &str, rest: &str| {
        let scope = format!("repository:{repository}:pull");
        let (_, token) = plane.entra(&arm.token, &scope).await;
        let path = format!("/v2/{repository}/{rest}");
        plane.ask(Method::GET, &path, &token).await
    };
    let (_, _, manifest) = get("other/app", "manifests/1").await;
    let theirs = format!("blobs/{}", manifest["config"]["digest"].as_str().unwrap());
    assert_eq!(get("other/app", &theirs).await.0, 200);
    assert_eq!(get("team/web", &theirs).await.0, 404);
}

#[tokio::test]
async fn a_registry_tells_of_its_repositories_and_deletes_them() {
    let arm = stage().await;
    let plane = Plane::from(&arm, "203.0.113.7");
    let scope = "repository:team/web:metadata_read,delete";
    let (_, token) = plane.entra(&arm.token, scope).await;
    let get = async |path: &str| plane.ask(Method::GET, path, &token).await;
    let (_, _, tags) = get("/acr/v1/team/web/_tags").await;
    assert_eq!(tags["registry"], SERVER);
    let digest = tags["tags"][0]["digest"].as_str().unwrap().to_owned();
    let (_, _, tag) = get("/acr/v1/team/web/_tags/1").await;
    assert_eq!(tag["tag"]["digest"], digest.as_str());
    let (_, _, manifests) = get("/acr/v1/team/web/_manifests").await;
    assert_eq!(manifests["manifests"][0]["tags"], json!(["1"]));
    let path = format!("/acr/v1/team/web/_manifests/{digest}");
    let (_, _, manifest) = get(&path).await;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    assert_eq!(manifest["manifest"]["mediaType"], kind);
    let (_, _, whole) = get("/acr/v1/team/web").await;
    assert_eq!(
        (&whole["tagCount"], &whole["manifestCount"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(get("/acr/v1/team/web/_tags/2").await.0, 404);
    assert_eq!(get("/acr/v1/other/_tags").await.0, 401);
    let (status, _, gone) = plane.ask(Method::DELETE, "/acr/v1/team/web", &token).await;
    assert_eq!((status, &gone["tagsDeleted"]), (202, &json!(["1"])));
    assert_eq!(get("/acr/v1/team/web").await.0, 404);
    assert_eq!(held(&arm, "fkacr"), json!({}));
}
