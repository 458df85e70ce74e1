//! Compliance and remediation of registries, over real sockets.

use crate::support::{Arm, SUB, group, id};
use reqwest::Method;
use serde_json::{Value, json};

const POLICY: &str = "2022-06-01";
const INSIGHTS: &str = "2024-10-01";
const REMEDIATION: &str = "2021-10-01";
const REGISTRY: &str = "2025-11-01";
const PRIVATE_LINK: &str = "e8eef0a8-67cf-4eb4-9386-14b0e78733d4";
const NO_ADMIN: &str = "79fdfe03-ffcb-4e55-b4d0-b925b8241759";
const PUBLIC: &str = "0fdf0491-d080-4575-b627-ad0e843cba0f";

fn assignment(name: &str) -> String {
    format!(
        "{}/providers/Microsoft.Authorization/policyAssignments/{name}",
        group()
    )
}

fn registry(name: &str) -> String {
    id(&format!("Microsoft.ContainerRegistry/registries/{name}"))
}

async fn assign(arm: &Arm, name: &str, guid: &str, effect: &str) -> Value {
    let body = json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "policyDefinitionId": format!("/providers/Microsoft.Authorization/policyDefinitions/{guid}"),
            "parameters": { "effect": { "value": effect } },
        },
    });
    arm.put(&assignment(name), POLICY, body)
        .await
        .expect(201)
        .body
}

/// A group with the registries `fkaksone` (admin on) and `fkakstwo` (public access off).
async fn with_registries() -> Arm {
    let arm = Arm::with_group().await;
    for (name, properties) in [
        ("fkaksone", json!({ "adminUserEnabled": true })),
        ("fkakstwo", json!({ "publicNetworkAccess": "Disabled" })),
    ] {
        let body = json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": properties });
        arm.create(&registry(name), REGISTRY, body).await;
    }
    arm
}

async fn states(arm: &Arm, scope: &str, filter: &str) -> Vec<(String, String)> {
    let url = format!(
        "{scope}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?$filter={filter}"
    );
    let body = arm.post(&url, INSIGHTS, json!({})).await.expect(200).body;
    let value = body["value"].as_array().unwrap();
    assert_eq!(body["@odata.count"], value.len());
    value
        .iter()
        .map(|state| {
            let text = |name: &str| state[name].as_str().unwrap().to_owned();
            (
                text("resourceId").rsplit('/').next().unwrap().to_owned(),
                text("complianceState"),
            )
        })
        .collect()
}

fn pair(name: &str, state: &str) -> (String, String) {
    (name.into(), state.into())
}

#[tokio::test]
async fn states_follow_the_registries_as_they_are() {
    let arm = with_registries().await;
    assign(&arm, "no-public", PUBLIC, "Audit").await;
    let all = states(&arm, &group(), "").await;
    assert_eq!(
        all,
        [
            pair("fkaksone", "NonCompliant"),
            pair("fkakstwo", "Compliant")
        ]
    );
    let wrong = states(
        &arm,
        &format!("/subscriptions/{SUB}"),
        "complianceState eq 'NonCompliant'",
    )
    .await;
    assert_eq!(wrong, [pair("fkaksone", "NonCompliant")]);
    assert_eq!(states(&arm, &registry("fkakstwo"), "").await.len(), 1);
    let off = json!({ "properties": { "publicNetworkAccess": "Disabled" } });
    let reply = arm
        .patch(&registry("fkaksone"), REGISTRY, off)
        .await
        .expect(201);
    arm.finish(&reply).await;
    assert_eq!(
        states(&arm, &assignment("no-public"), "isCompliant eq false").await,
        []
    );
    let exemption = format!(
        "{}/providers/Microsoft.Authorization/policyExemptions/x",
        registry("fkaksone")
    );
    let body = json!({ "properties": { "policyAssignmentId": assignment("no-public"), "exemptionCategory": "Mitigated" } });
    arm.put(&exemption, "2022-07-01-preview", body)
        .await
        .expect(201);
    assert_eq!(
        states(&arm, &registry("fkaksone"), "").await,
        [pair("fkaksone", "Exempt")]
    );
    assign(&arm, "no-public", PUBLIC, "Disabled").await;
    assert_eq!(states(&arm, &group(), "").await, []);
    let none = format!(
        "{}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults",
        assignment("none")
    );
    arm.post(&none, INSIGHTS, json!({}))
        .await
        .refused(404, "PolicyAssignmentNotFound");
}

#[tokio::test]
async fn an_approved_private_endpoint_makes_a_registry_compliant() {
    let arm = with_registries().await;
    assign(&arm, "private", PRIVATE_LINK, "Audit").await;
    let net = id("Microsoft.Network/virtualNetworks/net");
    let body = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "pe", "properties": { "addressPrefix": "10.0.1.0/24" } }],
    } });
    arm.create(&net, crate::support::NETWORK, body).await;
    let body = json!({ "location": "westeurope", "properties": {
        "subnet": { "id": format!("{net}/subnets/pe") },
        "privateLinkServiceConnections": [{ "name": "c", "properties": {
            "privateLinkServiceId": registry("fkaksone"), "groupIds": ["registry"],
        } }],
    } });
    arm.create(
        &id("Microsoft.Network/privateEndpoints/pe"),
        crate::support::NETWORK,
        body,
    )
    .await;
    let all = states(&arm, &group(), "").await;
    assert_eq!(
        all,
        [
            pair("fkaksone", "Compliant"),
            pair("fkakstwo", "NonCompliant")
        ]
    );
}

#[tokio::test]
async fn a_summary_counts_resources_and_policies() {
    let arm = with_registries().await;
    assign(&arm, "no-public", PUBLIC, "Deny").await;
    assign(&arm, "private", PRIVATE_LINK, "Audit").await;
    let url = format!(
        "{}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize",
        group()
    );
    let body = arm.post(&url, INSIGHTS, json!({})).await.expect(200).body;
    let summary = &body["value"][0];
    assert_eq!(summary["results"]["nonCompliantResources"], 2);
    assert_eq!(summary["results"]["nonCompliantPolicies"], 2);
    let assignments = summary["policyAssignments"].as_array().unwrap();
    assert_eq!(assignments.len(), 2);
    assert_eq!(
        assignments[0]["policyAssignmentId"],
        json!(assignment("no-public").to_lowercase())
    );
    assert_eq!(
        assignments[0]["results"]["resourceDetails"],
        json!([
            { "complianceState": "compliant", "count": 1 },
            { "complianceState": "noncompliant", "count": 1 },
        ])
    );
    assert_eq!(assignments[0]["policyDefinitions"][0]["effect"], "deny");
    let one = format!(
        "{}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize",
        assignment("private")
    );
    let body = arm.post(&one, INSIGHTS, json!({})).await.expect(200).body;
    assert_eq!(body["value"][0]["results"]["nonCompliantResources"], 2);
}

#[tokio::test]
async fn an_evaluation_on_demand_is_an_operation() {
    let arm = with_registries().await;
    let url = |scope: &str| {
        format!(
            "{scope}/providers/Microsoft.PolicyInsights/policyStates/latest/triggerEvaluation?api-version={INSIGHTS}"
        )
    };
    let started = arm
        .send(Method::POST, &url(&group()), None)
        .await
        .expect(202);
    arm.finish(&started).await.expect(200);
    let none = format!("/subscriptions/{SUB}/resourceGroups/none");
    arm.send(Method::POST, &url(&none), None)
        .await
        .refused(404, "ResourceGroupNotFound");
}

fn remediation(name: &str) -> String {
    format!(
        "{}/providers/Microsoft.PolicyInsights/remediations/{name}",
        group()
    )
}

fn task(of: &str) -> Value {
    json!({ "properties": { "policyAssignmentId": assignment(of) } })
}

/// Reads the task until it has ended.
async fn ended(arm: &Arm, name: &str) -> Value {
    for _ in 0..10 {
        let found = arm
            .get(&remediation(name), REMEDIATION)
            .await
            .expect(200)
            .body;
        if found["properties"]["provisioningState"] != "Accepted" {
            return found;
        }
    }
    panic!("the remediation does not end");
}

#[tokio::test]
async fn a_remediation_brings_registries_into_line_when_the_identity_may() {
    let arm = with_registries().await;
    let made = assign(&arm, "no-admin", NO_ADMIN, "Modify").await;
    assert_eq!(
        states(&arm, &group(), "").await,
        [
            pair("fkaksone", "NonCompliant"),
            pair("fkakstwo", "Compliant")
        ]
    );
    let accepted = arm
        .put(&remediation("first"), REMEDIATION, task("no-admin"))
        .await
        .expect(201);
    assert_eq!(
        (accepted.state(), accepted.header("azure-asyncoperation")),
        ("Accepted", "")
    );
    arm.delete(&remediation("first"), REMEDIATION)
        .await
        .refused(400, "InvalidDeleteRemediationRequest");
    let failed = ended(&arm, "first").await;
    assert_eq!(failed["properties"]["provisioningState"], "Failed");
    assert_eq!(
        failed["properties"]["deploymentStatus"]["failedDeployments"],
        1
    );
    let url = format!("{}/listDeployments", remediation("first"));
    let deployments = arm
        .post(&url, REMEDIATION, json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        deployments["value"][0]["error"]["code"],
        "AuthorizationFailed"
    );

    let role = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-1111-1111-111111111111",
        group()
    );
    let contributor = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
    );
    let grant = json!({ "properties": { "roleDefinitionId": contributor, "principalId": made["identity"]["principalId"], "principalType": "ServicePrincipal" } });
    arm.put(&role, "2022-04-01", grant).await.expect(201);
    arm.put(&remediation("second"), REMEDIATION, task("no-admin"))
        .await
        .expect(201);
    let done = ended(&arm, "second").await;
    assert_eq!(done["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        done["properties"]["deploymentStatus"]["successfulDeployments"],
        1
    );
    let found = arm
        .get(&registry("fkaksone"), REGISTRY)
        .await
        .expect(200)
        .body;
    assert_eq!(found["properties"]["adminUserEnabled"], false);
    assert_eq!(states(&arm, &group(), "isCompliant eq false").await, []);
    arm.delete(&remediation("second"), REMEDIATION)
        .await
        .expect(200);
    arm.delete(&remediation("second"), REMEDIATION)
        .await
        .expect(204);
}

#[tokio::test]
async fn a_remediation_needs_an_assignment_that_writes_and_can_be_cancelled() {
    let arm = with_registries().await;
    arm.put(&remediation("r"), REMEDIATION, task("none"))
        .await
        .refused(404, "PolicyAssignmentNotFound");
    assign(&arm, "no-public", PUBLIC, "Audit").await;
    arm.put(&remediation("r"), REMEDIATION, task("no-public"))
        .await
        .refused(400, "InvalidCreateRemediationRequest");
    assign(&arm, "no-admin", NO_ADMIN, "Modify").await;
    let above = format!("/subscriptions/{SUB}/providers/Microsoft.PolicyInsights/remediations/r");
    arm.put(&above, REMEDIATION, task("no-admin"))
        .await
        .refused(400, "InvalidCreateRemediationRequest");
    arm.put(&remediation("r"), REMEDIATION, task("no-admin"))
        .await
        .expect(201);
    let cancel = format!("{}/cancel?api-version={REMEDIATION}", remediation("r"));
    let stopped = arm.send(Method::POST, &cancel, None).await.expect(200);
    assert_eq!(stopped.state(), "Canceled");
    arm.send(Method::POST, &cancel, None)
        .await
        .refused(400, "InvalidCancelRemediationRequest");
}
