//! Defender plans of a subscription, over real sockets.

use crate::support::{Arm, SUB};
use reqwest::Method;
use serde_json::{Value, json};

const SECURITY: &str = "2024-01-01";

fn plan(name: &str) -> String {
    format!("/subscriptions/{SUB}/providers/Microsoft.Security/pricings/{name}")
}

#[tokio::test]
async fn every_plan_is_there_and_free_until_it_is_turned_on() {
    let arm = Arm::start().await;
    let free = arm
        .get(&plan("containers"), SECURITY)
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&free["name"], &free["properties"]["pricingTier"]),
        (&json!("Containers"), &json!("Free"))
    );
    assert_eq!(free["properties"]["freeTrialRemainingTime"], "P30D");
    let on = arm
        .put(
            &plan("Containers"),
            SECURITY,
            json!({ "properties": { "pricingTier": "Standard" } }),
        )
        .await
        .expect(200)
        .body;
    assert_eq!(on["properties"]["enforce"], "False");
    assert!(on["properties"]["enablementTime"].is_string());
    let state = |body: &Value, name: &str| {
        let extensions = body["properties"]["extensions"].as_array().unwrap().clone();
        extensions
            .into_iter()
            .find(|one| one["name"] == name)
            .unwrap()["isEnabled"]
            .clone()
    };
    assert_eq!(
        state(&on, "ContainerRegistriesVulnerabilityAssessments"),
        "True"
    );
    let off = json!({ "properties": { "pricingTier": "Standard", "extensions": [
        { "name": "ContainerRegistriesVulnerabilityAssessments", "isEnabled": "False" },
    ] } });
    arm.put(&plan("Containers"), SECURITY, off)
        .await
        .expect(200);
    let found = arm
        .get(&plan("Containers"), SECURITY)
        .await
        .expect(200)
        .body;
    assert_eq!(
        state(&found, "ContainerRegistriesVulnerabilityAssessments"),
        "False"
    );
    assert_eq!(state(&found, "AgentlessDiscoveryForKubernetes"), "True");
    let list = format!("/subscriptions/{SUB}/providers/Microsoft.Security/pricings");
    let list = arm.get(&list, SECURITY).await.expect(200).body;
    let tiers: Vec<_> = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["properties"]["pricingTier"] == "Standard")
        .collect();
    assert_eq!(tiers.len(), 1);
    let free = json!({ "properties": { "pricingTier": "Free" } });
    let off = arm
        .put(&plan("Containers"), SECURITY, free)
        .await
        .expect(200)
        .body;
    assert_eq!(state(&off, "AgentlessDiscoveryForKubernetes"), "False");
    assert!(arm.stored().is_empty());
}

#[tokio::test]
async fn plans_are_not_deleted_and_wrong_ones_are_refused() {
    let arm = Arm::with_group().await;
    let put = async |name: &str, properties: Value| {
        arm.put(&plan(name), SECURITY, json!({ "properties": properties }))
            .await
    };
    put("Nothing", json!({ "pricingTier": "Standard" }))
        .await
        .refused(400, "InvalidPricingName");
    put("Containers", json!({ "pricingTier": "Best" }))
        .await
        .refused(400, "InvalidPricingTier");
    put("Containers", json!({}))
        .await
        .refused(400, "InvalidRequestContent");
    put(
        "Containers",
        json!({ "pricingTier": "Standard", "subPlan": "P1" }),
    )
    .await
    .refused(400, "InvalidSubPlan");
    let wrong = json!({ "pricingTier": "Standard", "extensions": [{ "name": "Sensor", "isEnabled": "True" }] });
    put("Containers", wrong)
        .await
        .refused(400, "InvalidExtension");
    arm.delete(&plan("Containers"), SECURITY)
        .await
        .refused(405, "HttpMethodNotSupported");
    arm.get(&plan("Nothing"), SECURITY).await.expect(404);
    let servers = put(
        "VirtualMachines",
        json!({ "pricingTier": "Standard", "subPlan": "p1" }),
    )
    .await
    .expect(200)
    .body;
    assert_eq!(servers["properties"]["subPlan"], "P1");
    let old = arm
        .get(&plan("ContainerRegistry"), SECURITY)
        .await
        .expect(200)
        .body;
    assert_eq!(old["properties"]["replacedBy"], json!(["Containers"]));
    let outside = "/providers/Microsoft.Security/pricings/Containers";
    arm.send(
        Method::GET,
        &format!("{outside}?api-version={SECURITY}"),
        None,
    )
    .await
    .refused(404, "MissingSubscription");
}
