//! The core over real sockets: errors, resource groups, locks, registration, operations, faults, actors.

use crate::support::{Arm, RESOURCES, SUB, group, id};
use fkaks_sandbox::{Options, Settings};
use reqwest::Method;
use serde_json::json;

const LOCKS: &str = "2020-05-01";

#[tokio::test]
async fn requests_without_a_version_a_token_or_a_known_subscription_get_arms_errors() {
    let arm = Arm::start().await;
    arm.send(Method::GET, "/subscriptions", None)
        .await
        .refused(400, "MissingApiVersionParameter");
    arm.get("/subscriptions", "soon")
        .await
        .refused(400, "InvalidApiVersionParameter");
    let reply = arm
        .get("/subscriptions", "2099-01-01")
        .await
        .refused(400, "InvalidApiVersionParameter");
    assert!(
        reply.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("2022-12-01"),
        "{}",
        reply.body
    );
    arm.get(
        "/subscriptions/00000000-0000-0000-0000-0000000000ff",
        RESOURCES,
    )
    .await
    .refused(404, "SubscriptionNotFound");
    arm.get("/subscriptions/x", RESOURCES)
        .await
        .refused(400, "InvalidSubscriptionId");
    arm.get(
        &format!("/subscriptions/{SUB}/providers/Microsoft.Nothing/things"),
        RESOURCES,
    )
    .await
    .refused(404, "InvalidResourceNamespace");
    arm.get(&id("Microsoft.Network/nothings/n"), RESOURCES)
        .await
        .refused(404, "InvalidResourceType");
    arm.get(&id("Microsoft.Authorization/locks/n"), "1999-01-01")
        .await
        .refused(400, "NoRegisteredProviderFound");

    let url = format!(
        "{}/subscriptions?api-version={RESOURCES}",
        arm.sandbox.base_url
    );
    let reply = arm.http.get(&url).send().await.unwrap();
    assert_eq!(reply.status(), 401);
    assert!(
        reply.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer authorization_uri=")
    );
    arm.get("/subscriptions", RESOURCES).await.expect(200);
    arm.control("POST", "/_sandbox/tokens/expire", json!({}));
    arm.get("/subscriptions", RESOURCES)
        .await
        .refused(401, "ExpiredAuthenticationToken");
}

#[tokio::test]
async fn a_group_is_made_found_in_any_spelling_changed_and_deleted() {
    let arm = Arm::start().await;
    let made = arm
        .put(
            &group().replace("resourceGroups", "resourcegroups"),
            RESOURCES,
            json!({ "location": "West Europe", "tags": { "a": "1" } }),
        )
        .await
        .expect(201);
    assert_eq!(made.body["id"], group());
    assert_eq!(made.body["location"], "westeurope");
    assert_eq!(made.state(), "Succeeded");
    assert_eq!(made.body["type"], "Microsoft.Resources/resourceGroups");
    let found = arm
        .get(
            &group()
                .to_uppercase()
                .replace("SUBSCRIPTIONS", "subscriptions"),
            RESOURCES,
        )
        .await
        .expect(200);
    assert_eq!(found.body["name"], "rg");
    arm.put(&group(), RESOURCES, json!({ "location": "westeurope" }))
        .await
        .expect(200);
    arm.put(&group(), RESOURCES, json!({ "location": "eastus" }))
        .await
        .refused(409, "InvalidResourceGroupLocation");
    arm.put(&group(), RESOURCES, json!({})).await.expect(200);
    arm.put(&group(), RESOURCES, json!({ "location": "atlantis" }))
        .await
        .refused(400, "LocationNotAvailableForResourceGroup");
    arm.put(
        &group(),
        RESOURCES,
        json!({ "location": "westeurope", "colour": "red" }),
    )
    .await
    .refused(400, "InvalidRequestContent");
    let patched = arm
        .patch(&group(), RESOURCES, json!({ "tags": { "b": "2" } }))
        .await
        .expect(200);
    assert_eq!(patched.body["tags"], json!({ "b": "2" }));
    assert_eq!(
        arm.send(
            Method::HEAD,
            &format!("{}?api-version={RESOURCES}", group()),
            None
        )
        .await
        .status,
        204
    );
    let list = arm
        .get(&format!("/subscriptions/{SUB}/resourcegroups"), RESOURCES)
        .await
        .expect(200);
    assert_eq!(list.body["value"].as_array().unwrap().len(), 1);

    let deleting = arm.delete(&group(), RESOURCES).await.expect(202);
    assert_eq!(deleting.header("retry-after"), "1");
    assert_eq!(arm.get(&group(), RESOURCES).await.state(), "Deleting");
    arm.put(
        &id("Microsoft.Authorization/locks/l"),
        LOCKS,
        json!({ "properties": { "level": "ReadOnly" } }),
    )
    .await
    .refused(409, "ResourceGroupBeingDeleted");
    arm.finish(&deleting).await;
    arm.get(&group(), RESOURCES)
        .await
        .refused(404, "ResourceGroupNotFound");
    arm.delete(&group(), RESOURCES)
        .await
        .refused(404, "ResourceGroupNotFound");
    assert_eq!(
        arm.send(
            Method::HEAD,
            &format!("{}?api-version={RESOURCES}", group()),
            None
        )
        .await
        .status,
        404
    );
}

#[tokio::test]
async fn an_operation_url_must_come_back_as_it_was_given() {
    let arm = Arm::with_group().await;
    let deleting = arm.delete(&group(), RESOURCES).await.expect(202);
    let url = deleting.header("location").to_owned();
    assert!(
        url.starts_with(&arm.sandbox.base_url) && url.contains("%3D"),
        "{url}"
    );
    arm.send(Method::GET, &url.replace("%3D", "="), None)
        .await
        .refused(400, "InvalidOperationUrl");
    arm.send(Method::GET, url.split('?').next().unwrap(), None)
        .await
        .refused(400, "InvalidOperationUrl");
    arm.finish(&deleting).await;
}

#[tokio::test]
async fn a_lock_keeps_a_group_from_deletion_and_a_read_only_one_from_change() {
    let arm = Arm::with_group().await;
    let lock = format!("{}/providers/Microsoft.Authorization/locks/keep", group());
    arm.put(
        &lock,
        LOCKS,
        json!({ "properties": { "level": "Sometimes" } }),
    )
    .await
    .refused(400, "InvalidLockLevel");
    arm.put(
        &lock,
        LOCKS,
        json!({ "properties": { "level": "CanNotDelete", "notes": "n" } }),
    )
    .await
    .expect(201);
    let list = arm
        .get(
            &format!("{}/providers/Microsoft.Authorization/locks", group()),
            LOCKS,
        )
        .await
        .expect(200);
    assert_eq!(list.body["value"][0]["name"], "keep");
    arm.delete(&group(), RESOURCES)
        .await
        .refused(409, "ScopeLocked");
    arm.patch(&group(), RESOURCES, json!({ "tags": {} }))
        .await
        .expect(200);
    arm.put(
        &lock,
        LOCKS,
        json!({ "properties": { "level": "ReadOnly" } }),
    )
    .await
    .expect(200);
    arm.patch(&group(), RESOURCES, json!({ "tags": {} }))
        .await
        .refused(409, "ScopeLocked");
    arm.delete(&lock, LOCKS).await.expect(200);
    arm.delete(&lock, LOCKS).await.expect(204);
    arm.remove(&group(), RESOURCES).await;
    assert!(arm.stored().is_empty());
}

#[tokio::test]
async fn registration_takes_a_while() {
    let arm = Arm::with(Options {
        unregistered: vec!["Microsoft.Network".into()],
        ..Options::default()
    })
    .await;
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.Network");
    let state = |reply: &crate::support::Reply| {
        reply.body["registrationState"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(state(&arm.get(&provider, RESOURCES).await), "NotRegistered");
    assert_eq!(
        state(
            &arm.post(&format!("{provider}/register"), RESOURCES, json!({}))
                .await
                .expect(200)
        ),
        "Registering"
    );
    assert_eq!(state(&arm.get(&provider, RESOURCES).await), "Registering");
    assert_eq!(state(&arm.get(&provider, RESOURCES).await), "Registering");
    assert_eq!(state(&arm.get(&provider, RESOURCES).await), "Registered");
    arm.get(
        &format!("/subscriptions/{SUB}/providers/Microsoft.Nothing"),
        RESOURCES,
    )
    .await
    .refused(404, "InvalidResourceNamespace");
}

#[tokio::test]
async fn faults_answer_drop_lose_and_fail() {
    let arm = Arm::start().await;
    arm.fault(
        json!({ "match": { "method": "PUT", "path": "*/resourceGroups/rg" }, "after": 1, "count": 2,
        "effect": { "answer": { "status": 503, "code": "ServerBusy", "retryAfter": 7 } } }),
    );
    let make = json!({ "location": "westeurope" });
    arm.put(&group(), RESOURCES, make.clone()).await.expect(201);
    let busy = arm
        .put(&group(), RESOURCES, make.clone())
        .await
        .refused(503, "ServerBusy");
    assert_eq!(busy.header("retry-after"), "7");
    arm.put(&group(), RESOURCES, make.clone())
        .await
        .refused(503, "ServerBusy");
    arm.put(&group(), RESOURCES, make.clone()).await.expect(200);

    let other = group().replace("/rg", "/other");
    let url = format!("{other}?api-version={RESOURCES}");
    arm.fault(
        json!({ "match": { "method": "PUT", "regex": "/other$" }, "effect": "dropConnection" }),
    );
    assert!(
        arm.try_send(Method::PUT, &url, Some(&make)).await.is_err(),
        "the connection is dropped"
    );
    arm.get(&other, RESOURCES)
        .await
        .refused(404, "ResourceGroupNotFound");
    arm.fault(json!({ "match": { "method": "PUT", "regex": "/other$" }, "effect": "lostAnswer" }));
    assert!(
        arm.try_send(Method::PUT, &url, Some(&make)).await.is_err(),
        "the answer is lost"
    );
    arm.get(&other, RESOURCES).await.expect(200);

    arm.fault(json!({ "match": { "method": "DELETE" }, "effect": { "failedOperation": { "code": "Oops" } } }));
    let deleting = arm.delete(&other, RESOURCES).await.expect(202);
    assert_eq!(arm.finish(&deleting).await.code(), "Oops");
    assert_eq!(
        arm.get(&other, RESOURCES).await.expect(200).state(),
        "Failed"
    );

    let log = arm.control("GET", "/_sandbox/requests", json!({}));
    let lost = log["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == 0)
        .count();
    assert_eq!(lost, 2, "{log}");
}

#[tokio::test]
async fn an_actor_acts_some_requests_later() {
    let arm = Arm::start().await;
    arm.control("POST", "/_sandbox/actors", json!({
        "on": { "method": "PUT", "path": "*/resourceGroups/rg" }, "afterRequests": 1,
        "do": { "request": { "method": "PUT", "path": "{id}/providers/Microsoft.Authorization/locks/policy", "body": { "properties": { "level": "CanNotDelete" } } } },
    }));
    arm.put(&group(), RESOURCES, json!({ "location": "westeurope" }))
        .await
        .expect(201);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/policy", group());
    arm.get(&lock, LOCKS).await.expect(404);
    arm.get(&lock, LOCKS).await.expect(200);
}

#[tokio::test]
async fn the_remote_control_changes_things_behind_the_clients_back() {
    let arm = Arm::with_group().await;
    arm.control(
        "PATCH",
        &format!("/_sandbox/resources{}", group()),
        json!({ "tags": { "by": "hand" } }),
    );
    assert_eq!(
        arm.get(&group(), RESOURCES).await.body["tags"]["by"],
        "hand"
    );
    arm.control(
        "DELETE",
        &format!("/_sandbox/resources{}", group()),
        json!({}),
    );
    arm.get(&group(), RESOURCES).await.expect(404);
    let (status, _) = arm.sandbox.control("POST", "/_sandbox/nonsense", None);
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_read_right_after_a_creation_may_not_find_it() {
    let arm = Arm::with(Options {
        settings: Settings {
            eventual_consistency: true,
            ..Settings::default()
        },
        ..Options::default()
    })
    .await;
    arm.put(&group(), RESOURCES, json!({ "location": "westeurope" }))
        .await
        .expect(201);
    arm.get(&group(), RESOURCES)
        .await
        .refused(404, "ResourceGroupNotFound");
    arm.get(&group(), RESOURCES).await.expect(200);
}

#[tokio::test]
async fn correlation_and_client_ids_come_back() {
    let arm = Arm::start().await;
    let url = format!(
        "{}/subscriptions?api-version={RESOURCES}",
        arm.sandbox.base_url
    );
    let reply = arm
        .http
        .get(url)
        .bearer_auth(&arm.token)
        .header("x-ms-correlation-request-id", "corr")
        .header("x-ms-client-request-id", "mine")
        .header("x-ms-return-client-request-id", "true")
        .send()
        .await
        .unwrap();
    let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-ms-correlation-request-id"), "corr");
    assert_eq!(header("x-ms-client-request-id"), "mine");
    assert!(
        !header("x-ms-request-id").is_empty()
            && !header("x-ms-ratelimit-remaining-subscription-reads").is_empty()
    );
}

#[tokio::test]
async fn lists_are_paged_when_asked() {
    let arm = Arm::start().await;
    for name in ["a", "b", "c"] {
        arm.put(
            &group().replace("/rg", &format!("/{name}")),
            RESOURCES,
            json!({ "location": "westeurope" }),
        )
        .await
        .expect(201);
    }
    let mut url = format!("/subscriptions/{SUB}/resourcegroups?$top=2&api-version={RESOURCES}");
    let mut names = Vec::new();
    loop {
        let page = arm.send(Method::GET, &url, None).await.expect(200);
        names.extend(
            page.body["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|group| group["name"].as_str().unwrap().to_owned()),
        );
        match page.body["nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_request_whose_client_gave_up_is_handled_all_the_same() {
    let arm = Arm::start().await;
    arm.fault(json!({ "match": { "method": "PUT" }, "effect": { "delay": { "ms": 150 } } }));
    let url = format!(
        "{}{}?api-version={RESOURCES}",
        arm.sandbox.base_url,
        group()
    );
    let put = arm
        .http
        .put(url)
        .bearer_auth(&arm.token)
        .json(&json!({ "location": "westeurope" }));
    let gave_up = put
        .timeout(std::time::Duration::from_millis(30))
        .send()
        .await;
    assert!(gave_up.is_err_and(|error| error.is_timeout()));
    // The log tells when the request was handled; waiting for it is waiting for the event.
    loop {
        let log = arm.control("GET", "/_sandbox/requests", json!({}));
        if log["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["method"] == "PUT")
        {
            break;
        }
        tokio::task::yield_now().await;
    }
    arm.get(&group(), RESOURCES).await.expect(200);
}
