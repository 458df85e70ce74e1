//! What belongs to a container registry, over sockets: replications and the admin user.

use crate::support::{Arm, id};
use serde_json::{Value, json};

const ACR: &str = "2025-11-01";

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkAcrPrivate")
}

fn replication(region: &str) -> String {
    format!("{}/replications/{region}", registry())
}

fn body(sku: &str, properties: Value) -> Value {
    json!({ "location": "westeurope", "sku": { "name": sku }, "properties": properties })
}

async fn with(sku: &str, properties: Value) -> Arm {
    let arm = Arm::with_group().await;
    arm.create(&registry(), ACR, body(sku, properties)).await;
    arm
}

/// PATCH, wait, and the registry as it then is.
async fn update(arm: &Arm, patch: Value) -> Value {
    let reply = arm.patch(&registry(), ACR, patch).await.expect(201);
    let end = arm.finish(&reply).await;
    assert_eq!(end.body["status"], "Succeeded", "{}", end.body);
    arm.get(&registry(), ACR).await.expect(200).body
}

#[tokio::test]
async fn replications_are_written_one_at_a_time_and_listed_with_the_home_region() {
    let arm = with("Premium", json!({ "dataEndpointEnabled": true })).await;
    let body = json!({ "location": "North Europe", "tags": { "a": "1" } });
    let reply = arm
        .put(&replication("northeurope"), ACR, body)
        .await
        .expect(201);
    assert_eq!(reply.state(), "Creating");
    assert_eq!(
        reply.body["properties"]["status"]["displayStatus"],
        "Provisioning"
    );
    assert_eq!(arm.get(&registry(), ACR).await.state(), "Updating");
    arm.put(&replication("eastus"), ACR, json!({ "location": "eastus" }))
        .await
        .refused(409, "AnotherOperationInProgress");
    arm.patch(&registry(), ACR, json!({ "tags": {} }))
        .await
        .refused(409, "AnotherOperationInProgress");
    let end = arm.finish(&reply).await;
    assert_eq!(end.body, json!({ "status": "Succeeded" }));
    let made = arm
        .get(&replication("northeurope"), ACR)
        .await
        .expect(200)
        .body;
    assert_eq!(made["location"], "northeurope");
    assert_eq!(made["properties"]["regionEndpointEnabled"], true);
    assert_eq!(made["properties"]["zoneRedundancy"], "Disabled");
    assert_eq!(made["properties"]["status"]["displayStatus"], "Ready");
    let list = arm
        .get(&format!("{}/replications", registry()), ACR)
        .await
        .expect(200);
    let names: Vec<&str> = list.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["northeurope", "westeurope"]);
    let now = arm.get(&registry(), ACR).await.expect(200);
    assert_eq!(now.state(), "Succeeded");
    assert_eq!(
        now.body["properties"]["dataEndpointHostNames"],
        json!([
            "fkacrprivate.westeurope.data.azurecr.io",
            "fkacrprivate.northeurope.data.azurecr.io"
        ])
    );
    let usage = arm
        .get(&format!("{}/listUsages", registry()), "2026-09-01-preview")
        .await
        .expect(200);
    assert!(
        usage.body["value"].as_array().unwrap().contains(
            &json!({ "name": "Geo-replications", "limit": -1, "currentValue": 1, "unit": "Count" })
        ),
        "{}",
        usage.body
    );
    arm.put(
        &replication("otherName"),
        ACR,
        json!({ "location": "northeurope" }),
    )
    .await
    .refused(409, "ReplicationAlreadyExists");
    arm.put(
        &replication("home1"),
        ACR,
        json!({ "location": "westeurope" }),
    )
    .await
    .refused(409, "ReplicationAlreadyExists");
    arm.put(
        &replication("nowhere"),
        ACR,
        json!({ "location": "atlantis" }),
    )
    .await
    .refused(400, "LocationNotAvailableForResourceType");
    arm.patch(
        &replication("northeurope"),
        ACR,
        json!({ "properties": { "zoneRedundancy": "Enabled" } }),
    )
    .await
    .refused(400, "ZoneRedundancyCannotBeChanged");
    let patched = arm
        .patch(
            &replication("northeurope"),
            ACR,
            json!({ "properties": { "regionEndpointEnabled": false } }),
        )
        .await
        .expect(201);
    arm.finish(&patched).await;
    arm.delete(&replication("westeurope"), ACR)
        .await
        .refused(400, "HomeReplicationCannotBeDeleted");
    arm.patch(
        &registry(),
        ACR,
        json!({ "sku": { "name": "Basic" }, "properties": { "dataEndpointEnabled": false } }),
    )
    .await
    .refused(409, "SkuDowngradeNotSupported");
    arm.remove(&replication("northeurope"), ACR).await;
    arm.delete(&replication("northeurope"), ACR)
        .await
        .expect(204);
    update(
        &arm,
        json!({ "sku": { "name": "Basic" }, "properties": { "dataEndpointEnabled": false } }),
    )
    .await;
    let list = arm
        .get(&format!("{}/replications", registry()), ACR)
        .await
        .expect(200);
    assert_eq!(list.body["value"], json!([]));
}

#[tokio::test]
async fn the_admin_user_has_two_passwords_while_it_is_on() {
    let arm = with("Standard", json!({})).await;
    let list = async || {
        arm.post(&format!("{}/listCredentials", registry()), ACR, json!({}))
            .await
    };
    list()
        .await
        .refused(400, "UnAuthorizedForCredentialOperations");
    update(&arm, json!({ "properties": { "adminUserEnabled": true } })).await;
    let first = list().await.expect(200).body;
    assert_eq!(first["username"], "fkacrprivate");
    assert_eq!(first["passwords"].as_array().unwrap().len(), 2);
    assert_ne!(
        first["passwords"][0]["value"],
        first["passwords"][1]["value"]
    );
    let again = arm
        .post(
            &format!("{}/regenerateCredential", registry()),
            ACR,
            json!({ "name": "password2" }),
        )
        .await
        .expect(200)
        .body;
    assert_eq!(again["passwords"][0], first["passwords"][0]);
    assert_ne!(again["passwords"][1], first["passwords"][1]);
    assert_eq!(list().await.body, again);
    arm.post(
        &format!("{}/regenerateCredential", registry()),
        ACR,
        json!({ "name": "third" }),
    )
    .await
    .refused(400, "InvalidRequestContent");
    assert!(arm.get(&registry(), ACR).await.body["credentials"].is_null());
    let replaced = arm
        .create(
            &registry(),
            ACR,
            body("Standard", json!({ "adminUserEnabled": true })),
        )
        .await;
    assert!(replaced["credentials"].is_null());
    assert_eq!(
        list().await.body,
        again,
        "replacing the registry keeps its passwords"
    );
}
