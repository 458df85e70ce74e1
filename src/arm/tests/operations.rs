//! Long-running operations of every style.

use super::*;

const OPERATION: &str = "/subscriptions/s/providers/Microsoft.Network/locations/we/operations/op";

/// The address of an operation on the server that was asked, signed as Azure signs it.
fn operation(seen: &Seen) -> String {
    format!(
        "http://{}{OPERATION}?api-version=2025-05-01&t=6388&c=MII%2Bx&s=a_b-c&h=~",
        seen.headers["host"].to_str().unwrap()
    )
}

async fn put(azure: &Azure, id: &ArmId) -> Result<Json, Error> {
    let client = azure.client();
    let call = call(&client, 600);
    client
        .put(&call, id, &json!({"location": "x"}), Write::default())
        .await?
        .wait(&call)
        .await
}

#[tokio::test]
async fn an_async_operation_is_polled_verbatim_and_then_the_object_is_read() {
    let azure = Azure::start(arm(|seen, before| match seen.method.as_str() {
        "PUT" => say(201, object(&endpoint(), "Updating"))
            .with("azure-asyncoperation", operation(seen))
            .with("location", "https://evil.example"),
        _ if seen.path.starts_with(OPERATION) => say(
            200,
            json!({"status": if before < 2 { "InProgress" } else { "Succeeded" }}),
        ),
        _ => say(
            200,
            object(
                &endpoint(),
                if before == 0 { "Updating" } else { "Succeeded" },
            ),
        ),
    }))
    .await;
    let body = put(&azure, &endpoint()).await.unwrap();
    assert_eq!(body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        azure.asked(),
        ["PUT pe", "GET op", "GET op", "GET op", "GET pe", "GET pe"]
    );
    assert!(
        azure.requests()[1]
            .path
            .ends_with("op?api-version=2025-05-01&t=6388&c=MII%2Bx&s=a_b-c&h=~")
    );
}

#[tokio::test]
async fn a_location_is_polled_until_it_is_no_202_and_its_object_saves_the_last_read() {
    let azure = Azure::start(arm(|seen, before| match seen.method.as_str() {
        "PUT" => say(202, Json::Null)
            .with("location", operation(seen))
            .with("retry-after", "1"),
        _ if before < 2 => say(202, Json::Null).with("location", operation(seen)),
        _ => say(200, object(&zone(), "Succeeded")),
    }))
    .await;
    assert_eq!(put(&azure, &zone()).await.unwrap()["id"], zone().as_str());
    assert_eq!(azure.asked()[1..], ["GET op", "GET op", "GET op"]);
}

#[tokio::test]
async fn a_synchronous_answer_costs_no_further_request() {
    let azure = Azure::start(arm(|_, _| {
        say(
            201,
            json!({"id": zone().as_str().to_uppercase(), "properties": {}}),
        )
    }))
    .await;
    put(&azure, &zone()).await.unwrap();
    assert_eq!(azure.asked().len(), 1);
}

#[tokio::test]
async fn without_any_header_the_object_itself_is_asked_until_it_is_at_rest() {
    for (status, body) in [(200, object(&endpoint(), "Creating")), (202, Json::Null)] {
        let azure = Azure::start(arm(move |seen, before| {
            match (seen.method.as_str(), before) {
                ("PUT", _) => say(status, body.clone()),
                (_, 0) => say(200, object(&endpoint(), "Creating")),
                _ => say(200, object(&endpoint(), "Succeeded")),
            }
        }))
        .await;
        put(&azure, &endpoint()).await.unwrap();
        assert_eq!(azure.asked(), ["PUT pe", "GET pe", "GET pe"]);
    }
}

#[tokio::test]
async fn an_operation_on_a_foreign_host_is_not_asked_there() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("PUT", _) => say(201, object(&endpoint(), "Updating"))
            .with("azure-asyncoperation", "https://evil.example/op"),
        (_, 0) => say(200, object(&endpoint(), "Updating")),
        _ => say(200, object(&endpoint(), "Succeeded")),
    }))
    .await;
    put(&azure, &endpoint()).await.unwrap();
    assert_eq!(azure.asked(), ["PUT pe", "GET pe", "GET pe"]);
}

#[tokio::test]
async fn a_failure_is_told_with_its_code_however_it_comes() {
    let failed = || json!({"status": "Failed", "error": {"code": "SubnetFull", "message": "No address is left."}});
    let as_status = Azure::start(arm(move |seen, _| match seen.method.as_str() {
        "PUT" => say(201, Json::Null).with("azure-asyncoperation", operation(seen)),
        _ => say(200, failed()),
    }))
    .await;
    let as_status_of_location = Azure::start(arm(move |seen, _| match seen.method.as_str() {
        "PUT" => say(202, Json::Null).with("location", operation(seen)),
        _ => say(200, failed()),
    }))
    .await;
    let as_refusal = Azure::start(arm(|seen, _| match seen.method.as_str() {
        "PUT" => say(202, Json::Null).with("location", operation(seen)),
        _ => error(400, "SubnetFull"),
    }))
    .await;
    for azure in [as_status, as_status_of_location, as_refusal] {
        let error = put(&azure, &endpoint()).await.unwrap_err();
        assert_eq!(error.code(), Some("SubnetFull"), "{error}");
        assert!(error.is_failed_operation() && !error.is_not_found());
        assert_eq!(
            (error.method(), error.about(), error.request_id()),
            (Some("PUT"), Some(endpoint().as_str()), Some("r-1"))
        );
    }
    let as_state = Azure::start(arm(|_, _| say(200, object(&endpoint(), "Failed")))).await;
    let error = put(&as_state, &endpoint()).await.unwrap_err();
    assert!(
        error.is_failed_operation() && error.to_string().contains("Failed"),
        "{error}"
    );
}

#[tokio::test]
async fn an_operation_that_failed_for_contention_is_started_again() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("PUT", _) => say(201, Json::Null).with("azure-asyncoperation", operation(seen)),
        _ if !seen.path.starts_with(OPERATION) => say(200, object(&endpoint(), "Succeeded")),
        (_, 0) => say(200, json!({"status": "Failed", "error": {"code": "ReferencedResourceNotProvisioned", "message": "PutSubnetOperation"}})),
        _ => say(200, json!({"status": "Succeeded"})),
    }))
    .await;
    put(&azure, &endpoint()).await.unwrap();
    assert_eq!(
        azure.asked(),
        ["PUT pe", "GET op", "PUT pe", "GET op", "GET pe"]
    );
}

#[tokio::test]
async fn an_operation_that_is_not_visible_yet_or_not_readable_is_no_failure() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("PUT", _) => say(201, Json::Null).with("azure-asyncoperation", operation(seen)),
        _ if !seen.path.starts_with(OPERATION) => say(200, object(&endpoint(), "Succeeded")),
        (_, 0) => error(404, "OperationNotFound"),
        _ => error(403, "AuthorizationFailed"),
    }))
    .await;
    put(&azure, &endpoint()).await.unwrap();
    assert_eq!(azure.asked(), ["PUT pe", "GET op", "GET op", "GET pe"]);
}

#[tokio::test]
async fn a_deletion_follows_its_operation_and_what_is_gone_counts_as_deleted() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("DELETE", _) if seen.path.contains("gone") => error(404, "ResourceNotFound"),
        ("DELETE", _) if seen.path.contains("none") => say(204, Json::Null),
        ("DELETE", _) if seen.path.contains("bare") => say(202, Json::Null),
        ("DELETE", _) => say(202, Json::Null).with("location", operation(seen)),
        (_, 0) => say(
            if seen.path.contains("bare") { 200 } else { 202 },
            Json::Null,
        ),
        _ if seen.path.contains("bare") => error(404, "ResourceNotFound"),
        _ => say(204, Json::Null),
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 600);
    for name in ["pe", "gone", "none", "bare"] {
        let id = ArmId::group(SUB, "g").resource("Microsoft.Network/privateEndpoints", name);
        assert_eq!(
            client
                .delete(&call, &id)
                .await
                .unwrap()
                .wait(&call)
                .await
                .unwrap(),
            Json::Null,
            "{name}"
        );
    }
    assert_eq!(
        azure.asked(),
        [
            "DELETE pe",
            "GET op",
            "GET op",
            "DELETE gone",
            "DELETE none",
            "DELETE bare",
            "GET bare",
            "GET bare"
        ]
    );
}

#[tokio::test]
async fn a_zone_that_still_counts_the_links_we_deleted_is_tried_again_and_one_with_foreign_links_is_not()
 {
    let azure = Azure::start(arm(|seen, before| match before {
        0 if !seen.path.contains("virtualNetworkLinks") => error(409, "CannotDeleteResource"),
        _ => say(200, Json::Null),
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 600);
    assert!(
        client
            .delete(&call, &zone())
            .await
            .unwrap_err()
            .has_code("CannotDeleteResource")
    );

    let azure = Azure::start(arm(|seen, before| match before {
        0 if !seen.path.contains("virtualNetworkLinks") => error(409, "CannotDeleteResource"),
        _ => say(200, Json::Null),
    }))
    .await;
    let client = azure.client();
    client
        .delete(&call, &zone().child("virtualNetworkLinks", "l"))
        .await
        .unwrap()
        .wait(&call)
        .await
        .unwrap();
    client
        .delete(&call, &zone())
        .await
        .unwrap()
        .wait(&call)
        .await
        .unwrap();
    assert_eq!(azure.asked().len(), 3);
}

#[tokio::test]
async fn an_action_gives_the_body_of_its_final_answer() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("POST", _) => say(202, Json::Null).with("location", operation(seen)),
        (_, 0) => say(202, Json::Null),
        _ => say(200, json!({"username": "u", "status": "Running"})),
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 600);
    let pending = client
        .post(
            &call,
            &endpoint(),
            "generateCredentials",
            &json!({"tokenId": "t"}),
        )
        .await
        .unwrap();
    assert_eq!(pending.wait(&call).await.unwrap()["username"], "u");
}

#[tokio::test]
async fn a_timeout_while_waiting_says_for_what_and_in_which_state() {
    let azure = Azure::start(arm(|seen, _| match seen.method.as_str() {
        "PUT" => say(201, Json::Null).with("azure-asyncoperation", operation(seen)),
        _ => say(200, json!({"status": "InProgress"})),
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 20);
    let pending = client
        .put(&call, &endpoint(), &json!({}), Write::default())
        .await
        .unwrap();
    let error = pending.wait(&call).await.unwrap_err();
    assert!(
        error.is_timeout()
            && error.to_string().contains("InProgress")
            && error.to_string().contains(endpoint().as_str()),
        "{error}"
    );
}

#[tokio::test]
async fn a_short_operation_is_seen_to_end_soon_whatever_azure_suggests() {
    let began = std::sync::OnceLock::new();
    let azure = Azure::start(arm(move |seen, _| {
        let began = *began.get_or_init(std::time::Instant::now);
        match seen.method.as_str() {
            "PUT" => say(201, Json::Null).with("azure-asyncoperation", operation(seen)).with("retry-after", "15"),
            _ if !seen.path.starts_with(OPERATION) => say(200, object(&endpoint(), "Succeeded")),
            // Three seconds on a clock ten times as fast.
            _ => say(200, json!({"status": if began.elapsed().as_millis() < 300 { "InProgress" } else { "Succeeded" }})),
        }
    }))
    .await;
    let client = Client::new(Settings {
        clock: Some(Clock::fast(10)),
        ..azure.settings()
    })
    .unwrap();
    let (call, began) = (call(&client, 600), client.clock().now());
    client
        .put(&call, &endpoint(), &json!({}), Write::default())
        .await
        .unwrap()
        .wait(&call)
        .await
        .unwrap();
    let took = client.clock().since(began);
    assert!(
        took < Duration::from_secs(6),
        "an operation of three seconds was seen to end after {took:?}"
    );
}
