//! Workspaces and diagnostic settings, over real sockets.

use crate::support::{Arm, SUB, id};
use serde_json::{Value, json};

const LOGS: &str = "2025-07-01";
const INSIGHTS: &str = "2021-05-01-preview";
const REGISTRY: &str = "2025-11-01";

fn workspace(name: &str) -> String {
    id(&format!("Microsoft.OperationalInsights/workspaces/{name}"))
}

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkaksshop")
}

fn setting(name: &str) -> String {
    format!(
        "{}/providers/Microsoft.Insights/diagnosticSettings/{name}",
        registry()
    )
}

async fn with_workspace() -> (Arm, Value) {
    let arm = Arm::with_group().await;
    let body = arm
        .create(
            &workspace("logs"),
            LOGS,
            json!({ "location": "West Europe" }),
        )
        .await;
    (arm, body)
}

async fn with_registry() -> Arm {
    let (arm, _) = with_workspace().await;
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium" } });
    arm.create(&registry(), REGISTRY, body).await;
    arm
}

fn to_workspace(category: &str) -> Value {
    json!({ "properties": {
        "workspaceId": workspace("logs"),
        "logs": [{ "category": category, "enabled": true }],
    } })
}

#[tokio::test]
async fn a_workspace_is_made_with_an_operation_and_shows_its_defaults() {
    let arm = Arm::with_group().await;
    let url = workspace("logs");
    let body = json!({ "location": "westeurope", "tags": { "a": "b" }, "properties": { "customerId": "mine" } });
    let made = arm.put(&url, LOGS, body).await.expect(201);
    assert_eq!(made.state(), "Creating");
    assert!(made.header("location").contains("/operationResults/"));
    arm.finish(&made).await.expect(200);
    let found = arm.get(&url, LOGS).await.expect(200).body;
    let properties = &found["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["sku"]["name"], "PerGB2018");
    assert_eq!(properties["retentionInDays"], 30);
    assert_eq!(properties["publicNetworkAccessForQuery"], "Enabled");
    assert_eq!(
        properties["features"]["enableLogAccessUsingOnlyResourcePermissions"],
        true
    );
    let customer = properties["customerId"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(customer).is_ok(), "{customer}");

    let body = json!({ "location": "westeurope", "properties": { "retentionInDays": 90 } });
    let changed = arm.put(&url, LOGS, body).await.expect(200);
    assert_eq!(changed.state(), "Succeeded");
    assert_eq!(changed.body["properties"]["customerId"], customer);
    let patch = json!({ "properties": { "features": { "disableLocalAuth": true } } });
    let patched = arm.patch(&url, LOGS, patch).await.expect(200).body;
    assert_eq!(patched["properties"]["retentionInDays"], 90);
    assert_eq!(patched["properties"]["features"]["disableLocalAuth"], true);
    let keys = arm
        .post(&format!("{url}/sharedKeys"), "2020-08-01", json!({}))
        .await
        .expect(200)
        .body;
    assert_ne!(keys["primarySharedKey"], keys["secondarySharedKey"]);
}

#[tokio::test]
async fn what_a_workspace_cannot_be_is_refused() {
    let arm = Arm::with_group().await;
    let put = async |name: &str, properties: Value| {
        let body = json!({ "location": "westeurope", "properties": properties });
        arm.put(&workspace(name), LOGS, body).await
    };
    put("abc", json!({}))
        .await
        .refused(400, "InvalidResourceName");
    put("-abcd", json!({}))
        .await
        .refused(400, "InvalidResourceName");
    put("logs", json!({ "retentionInDays": 29 }))
        .await
        .refused(400, "InvalidParameter");
    put("logs", json!({ "retentionInDays": 731 }))
        .await
        .refused(400, "InvalidParameter");
    put("logs", json!({ "sku": { "name": "Best" } }))
        .await
        .refused(400, "InvalidParameter");
    let wrong = json!({ "publicNetworkAccessForQuery": "Sometimes" });
    put("logs", wrong).await.refused(400, "InvalidParameter");
    arm.put(&workspace("logs"), LOGS, json!({}))
        .await
        .refused(400, "LocationRequired");
    arm.patch(&workspace("logs"), LOGS, json!({ "tags": {} }))
        .await
        .refused(404, "ResourceNotFound");
    arm.delete(&workspace("logs"), LOGS).await.expect(204);
}

#[tokio::test]
async fn a_deleted_workspace_comes_back_with_its_customer_id_unless_it_was_deleted_with_force() {
    let (arm, first) = with_workspace().await;
    let url = workspace("logs");
    let customer = first["properties"]["customerId"].clone();
    arm.remove(&url, LOGS).await;
    arm.get(&url, LOGS).await.refused(404, "ResourceNotFound");
    let deleted =
        format!("/subscriptions/{SUB}/providers/Microsoft.OperationalInsights/deletedWorkspaces");
    let list = arm.get(&deleted, LOGS).await.expect(200).body;
    assert_eq!(list["value"][0]["name"], "logs");
    assert!(list["value"][0]["properties"]["deletedDate"].is_string());
    let elsewhere = json!({ "location": "northeurope" });
    arm.put(&url, LOGS, elsewhere)
        .await
        .refused(409, "Conflict");
    let back = arm
        .create(&url, LOGS, json!({ "location": "westeurope" }))
        .await;
    assert_eq!(back["properties"]["customerId"], customer);
    assert_eq!(arm.get(&deleted, LOGS).await.body["value"], json!([]));

    arm.remove(&format!("{url}?force=true"), LOGS).await;
    assert_eq!(arm.get(&deleted, LOGS).await.body["value"], json!([]));
    let new = arm
        .create(&url, LOGS, json!({ "location": "northeurope" }))
        .await;
    assert_ne!(new["properties"]["customerId"], customer);
    assert!(new.get("forceDelete").is_none());
}

#[tokio::test]
async fn a_diagnostic_setting_is_answered_as_azure_monitor_does() {
    let arm = with_registry().await;
    let made = arm
        .put(
            &setting("audit"),
            INSIGHTS,
            to_workspace("ContainerRegistryLoginEvents"),
        )
        .await
        .expect(200)
        .body;
    let lower = format!(
        "{}/providers/microsoft.insights/diagnosticSettings/audit",
        registry().to_lowercase()
    );
    assert_eq!(made["id"], json!(lower));
    assert_eq!(made["properties"]["storageAccountId"], Value::Null);
    assert_eq!(
        made["properties"]["logs"],
        json!([{
            "category": "ContainerRegistryLoginEvents", "categoryGroup": null, "enabled": true,
            "retentionPolicy": { "enabled": false, "days": 0 },
        }])
    );
    let url = format!(
        "{}/providers/Microsoft.Insights/diagnosticSettings",
        registry()
    );
    let list = arm.get(&url, INSIGHTS).await.expect(200).body;
    assert_eq!(list["value"], json!([made]));
    assert_eq!(
        arm.get(&setting("AUDIT"), INSIGHTS).await.expect(200).body,
        made
    );
    arm.delete(&setting("audit"), INSIGHTS).await.expect(200);
    arm.delete(&setting("audit"), INSIGHTS).await.expect(204);
}

#[tokio::test]
async fn a_setting_with_nothing_enabled_is_accepted_and_is_not_there() {
    let arm = with_registry().await;
    let url = setting("audit");
    arm.put(&url, INSIGHTS, to_workspace("ContainerRegistryLoginEvents"))
        .await
        .expect(200);
    let off = json!({ "properties": {
        "workspaceId": workspace("logs"),
        "logs": [{ "categoryGroup": "allLogs", "enabled": false }],
        "metrics": [{ "category": "AllMetrics", "enabled": false }],
    } });
    arm.put(&url, INSIGHTS, off).await.expect(200);
    arm.get(&url, INSIGHTS).await.expect(404);
}

#[tokio::test]
async fn what_a_setting_cannot_be_is_refused_with_bare_errors() {
    let arm = with_registry().await;
    let refused = async |name: &str, body: Value, status: u16, code: &str| {
        let reply = arm.put(&setting(name), INSIGHTS, body).await;
        assert_eq!(
            (reply.status, reply.body["code"].as_str().unwrap()),
            (status, code),
            "{}",
            reply.body
        );
        reply.body["message"].as_str().unwrap().to_owned()
    };
    let bad = async |properties: Value| {
        refused(
            "audit",
            json!({ "properties": properties }),
            400,
            "BadRequest",
        )
        .await
    };
    let logs = workspace("logs");
    assert!(
        bad(json!({ "logs": [] }))
            .await
            .contains("At least one data sink")
    );
    let message = bad(
        json!({ "workspaceId": logs, "logs": [{ "category": "kube-audit", "enabled": true }] }),
    )
    .await;
    assert_eq!(message, "Category 'kube-audit' is not supported.");
    bad(json!({ "workspaceId": logs, "logs": [{ "categoryGroup": "some", "enabled": true }] }))
        .await;
    bad(json!({ "workspaceId": logs, "metrics": [{ "category": "Some", "enabled": true }] })).await;
    bad(json!({ "workspaceId": logs, "logs": [{ "category": "ContainerRegistryLoginEvents" }] }))
        .await;
    bad(json!({ "workspaceId": logs, "logs": [
        { "category": "ContainerRegistryLoginEvents", "enabled": true },
        { "categoryGroup": "audit", "enabled": true },
    ] }))
    .await;
    let kept = json!({ "workspaceId": logs, "logs": [
        { "categoryGroup": "audit", "enabled": true, "retentionPolicy": { "enabled": true, "days": 7 } },
    ] });
    assert!(bad(kept).await.contains("does not support retention"));
    let nowhere = json!({ "properties": { "workspaceId": workspace("none"), "logs": [
        { "categoryGroup": "audit", "enabled": true },
    ] } });
    refused("audit", nowhere, 404, "ResourceNotFound").await;

    arm.put(
        &setting("audit"),
        INSIGHTS,
        to_workspace("ContainerRegistryLoginEvents"),
    )
    .await
    .expect(200);
    let all = json!({ "properties": { "workspaceId": logs.to_uppercase(), "logs": [
        { "categoryGroup": "allLogs", "enabled": true },
    ] } });
    let message = refused("second", all, 409, "Conflict").await;
    assert!(
        message.contains(
            "already used in diagnostic setting 'audit' for category 'ContainerRegistryLoginEvents'"
        ),
        "{message}"
    );
    arm.put(
        &setting("second"),
        INSIGHTS,
        to_workspace("ContainerRegistryRepositoryEvents"),
    )
    .await
    .expect(200);
    let log = arm.control("GET", "/_sandbox/requests", json!({}));
    assert!(
        log["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["code"] == "Conflict")
    );
}

#[tokio::test]
async fn a_setting_needs_its_resource_and_a_type_that_sends() {
    let arm = with_registry().await;
    let of = |target: &str| {
        format!(
            "{}/providers/Microsoft.Insights/diagnosticSettings/audit",
            id(target)
        )
    };
    let body = to_workspace("ContainerRegistryLoginEvents");
    let none = of("Microsoft.ContainerRegistry/registries/none");
    arm.put(&none, INSIGHTS, body.clone())
        .await
        .refused(404, "ResourceNotFound");
    let zone = id("Microsoft.ManagedIdentity/userAssignedIdentities/who");
    arm.create(&zone, "2024-11-30", json!({ "location": "westeurope" }))
        .await;
    let reply = arm
        .put(
            &of("Microsoft.ManagedIdentity/userAssignedIdentities/who"),
            INSIGHTS,
            body,
        )
        .await;
    assert_eq!(
        (reply.status, &reply.body["code"]),
        (400, &json!("ResourceTypeNotSupported"))
    );

    let categories = format!(
        "{}/providers/microsoft.insights/diagnosticSettingsCategories",
        registry()
    );
    let list = arm.get(&categories, INSIGHTS).await.expect(200).body;
    let names: Vec<_> = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "AllMetrics",
            "ContainerRegistryLoginEvents",
            "ContainerRegistryRepositoryEvents"
        ]
    );
    let one = arm
        .get(
            &format!("{categories}/ContainerRegistryLoginEvents"),
            INSIGHTS,
        )
        .await
        .expect(200)
        .body;
    assert_eq!(
        one["properties"],
        json!({ "categoryType": "Logs", "categoryGroups": ["audit", "allLogs"] })
    );
}
