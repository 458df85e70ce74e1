//! Policy definitions, assignments, exemptions and what they do to writes, over real sockets.

use crate::support::{Arm, SUB, group, id};
use reqwest::Method;
use serde_json::{Value, json};

const POLICY: &str = "2022-06-01";
const REGISTRY: &str = "2025-11-01";
const OPEN: &str = "d0793b48-0edc-4296-a390-4c75d1bdfd71";
const PUBLIC: &str = "0fdf0491-d080-4575-b627-ad0e843cba0f";
const NO_ADMIN: &str = "79fdfe03-ffcb-4e55-b4d0-b925b8241759";

fn built_in(guid: &str) -> String {
    format!("/providers/Microsoft.Authorization/policyDefinitions/{guid}")
}

fn assignment(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/policyAssignments/{name}")
}

fn registry(name: &str) -> String {
    id(&format!("Microsoft.ContainerRegistry/registries/{name}"))
}

fn premium(properties: Value) -> Value {
    json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": properties })
}

fn with_effect(guid: &str, effect: &str) -> Value {
    json!({ "properties": {
        "policyDefinitionId": built_in(guid),
        "parameters": { "effect": { "value": effect } },
    } })
}

#[tokio::test]
async fn built_in_definitions_belong_to_the_tenant_and_show_parameters_and_roles() {
    let arm = Arm::start().await;
    let found = arm.get(&built_in(NO_ADMIN), POLICY).await.expect(200).body;
    let properties = &found["properties"];
    assert_eq!(properties["policyType"], "BuiltIn");
    assert_eq!(
        properties["parameters"]["effect"]["allowedValues"],
        json!(["Modify", "Disabled"])
    );
    let roles = &properties["policyRule"]["then"]["details"]["roleDefinitionIds"];
    assert!(
        roles[0]
            .as_str()
            .unwrap()
            .ends_with("b24988ac-6180-42a0-ab88-20f7382dd24c")
    );
    let list = "/providers/Microsoft.Authorization/policyDefinitions";
    let all = arm.get(list, POLICY).await.expect(200).body;
    assert_eq!(all["value"].as_array().unwrap().len(), 6);
    let here = format!("/subscriptions/{SUB}{}", built_in(OPEN));
    assert_eq!(arm.get(&here, POLICY).await.expect(200).body["name"], OPEN);
    let none = built_in("00000000-0000-0000-0000-000000000000");
    arm.get(&none, POLICY)
        .await
        .refused(404, "PolicyDefinitionNotFound");
    let body = json!({ "properties": { "policyRule": {} } });
    arm.put(&built_in(OPEN), POLICY, body)
        .await
        .refused(400, "InvalidCreatePolicyDefinitionRequest");
}

#[tokio::test]
async fn an_assignment_is_answered_with_201_and_its_defaults() {
    let arm = Arm::with_group().await;
    let url = assignment(&group(), "no-open");
    let made = arm
        .put(&url, POLICY, with_effect(OPEN, "Deny"))
        .await
        .expect(201)
        .body;
    let properties = &made["properties"];
    assert_eq!(properties["scope"], json!(group()));
    assert_eq!(properties["enforcementMode"], "Default");
    assert_eq!(properties["definitionVersion"], "2.*.*");
    assert!(properties["metadata"]["createdOn"].is_string());
    assert!(made.get("identity").is_none());
    arm.put(&url, POLICY, with_effect(OPEN, "Audit"))
        .await
        .expect(201);
    let deleted = arm.delete(&url, POLICY).await.expect(200).body;
    assert_eq!(
        deleted["properties"]["parameters"]["effect"]["value"],
        "Audit"
    );
    arm.delete(&url, POLICY).await.expect(204);
    arm.get(&url, POLICY)
        .await
        .refused(404, "PolicyAssignmentNotFound");
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused_with_azures_codes() {
    let arm = Arm::with_group().await;
    let put = async |body: Value| arm.put(&assignment(&group(), "a"), POLICY, body).await;
    let reply = put(with_effect(NO_ADMIN, "Deny"))
        .await
        .refused(400, "PolicyParameterValueNotAllowed");
    assert_eq!(
        reply.body["error"]["message"],
        format!(
            "The value 'Deny' is not allowed for policy parameter 'effect' in policy definition '{NO_ADMIN}'. The allowed values are 'Modify, Disabled'."
        )
    );
    put(with_effect(OPEN, "deny"))
        .await
        .refused(400, "PolicyParameterValueNotAllowed");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["parameters"]["other"] = json!({ "value": 1 });
    put(body).await.refused(400, "UndefinedPolicyParameter");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["parameters"]["effect"] = json!({ "value": 1 });
    put(body).await.refused(400, "InvalidPolicyParameters");
    put(with_effect("00000000-0000-0000-0000-000000000000", "Deny"))
        .await
        .refused(404, "PolicyDefinitionNotFound");
    put(json!({ "properties": {} }))
        .await
        .refused(400, "InvalidCreatePolicyAssignmentRequest");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["definitionVersion"] = json!("1.*.*");
    put(body)
        .await
        .refused(404, "PolicyDefinitionVersionNotFound");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["notScopes"] = json!([format!("/subscriptions/{SUB}")]);
    put(body)
        .await
        .refused(400, "InvalidCreatePolicyAssignmentRequest");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["enforcementMode"] = json!("Sometimes");
    put(body).await.refused(400, "InvalidRequestContent");
    let elsewhere = assignment(&registry("none"), "a");
    arm.put(&elsewhere, POLICY, with_effect(OPEN, "Deny"))
        .await
        .refused(404, "ResourceNotFound");
}

#[tokio::test]
async fn a_modify_assignment_needs_an_identity_with_a_location_which_is_a_principal() {
    let arm = Arm::with_group().await;
    let url = assignment(&group(), "no-admin");
    arm.put(&url, POLICY, with_effect(NO_ADMIN, "Modify"))
        .await
        .refused(400, "ResourceIdentityRequired");
    arm.put(&url, POLICY, with_effect(NO_ADMIN, "Disabled"))
        .await
        .expect(201);
    let mut body = with_effect(NO_ADMIN, "Modify");
    body["identity"] = json!({ "type": "SystemAssigned" });
    arm.put(&url, POLICY, body.clone())
        .await
        .refused(400, "LocationRequired");
    body["location"] = json!("West Europe");
    let made = arm.put(&url, POLICY, body).await.expect(201).body;
    let principal = made["identity"]["principalId"].as_str().unwrap().to_owned();
    assert_eq!(made["location"], "westeurope");
    let role = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-1111-1111-111111111111",
        group()
    );
    let contributor = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
    );
    let grant =
        json!({ "properties": { "roleDefinitionId": contributor, "principalId": principal } });
    let granted = arm.put(&role, "2022-04-01", grant).await.expect(201).body;
    assert_eq!(granted["properties"]["principalType"], "ServicePrincipal");

    let who = id("Microsoft.ManagedIdentity/userAssignedIdentities/who");
    let made = arm
        .create(&who, "2024-11-30", json!({ "location": "westeurope" }))
        .await;
    let patch = json!({ "location": "westeurope", "identity": { "type": "UserAssigned", "userAssignedIdentities": { who.clone(): {} } } });
    let patched = arm.patch(&url, POLICY, patch).await.expect(200).body;
    let shown = &patched["identity"]["userAssignedIdentities"][&who];
    assert_eq!(shown["principalId"], made["properties"]["principalId"]);
    let resources = format!("/subscriptions/{SUB}/resources");
    let list = arm.get(&resources, "2025-04-01").await.expect(200).body;
    assert_eq!(
        list["value"].as_array().unwrap().len(),
        1,
        "an assignment is no resource of the list"
    );
}

#[tokio::test]
async fn what_is_assigned_cannot_be_changed() {
    let arm = Arm::with_group().await;
    let url = assignment(&group(), "rules");
    for effect in ["Audit", "Deny"] {
        arm.put(&url, POLICY, with_effect(OPEN, effect))
            .await
            .expect(201);
    }
    arm.put(&url, POLICY, with_effect(PUBLIC, "Deny"))
        .await
        .refused(400, "InvalidPolicyDefinitionIdUpdate");
}

#[tokio::test]
async fn a_denied_registry_is_refused_with_the_violation() {
    let arm = Arm::with_group().await;
    let url = assignment(&format!("/subscriptions/{SUB}"), "no-open");
    let mut body = with_effect(OPEN, "Deny");
    body["properties"]["displayName"] = json!("No open registries");
    arm.put(&url, POLICY, body.clone()).await.expect(201);
    let shop = registry("fkaksshop");
    let refused = arm
        .put(&shop, REGISTRY, premium(json!({})))
        .await
        .refused(403, "RequestDisallowedByPolicy");
    let error = &refused.body["error"];
    assert_eq!(error["target"], "fkaksshop");
    assert!(error["message"].as_str().unwrap().starts_with("Resource 'fkaksshop' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{"));
    let info = &error["additionalInfo"][0];
    assert_eq!(info["type"], "PolicyViolation");
    let info = &info["info"];
    assert_eq!(info["policyAssignmentId"], json!(url));
    assert_eq!(info["policyAssignmentDisplayName"], "No open registries");
    assert_eq!(info["policyDefinitionEffect"], "Deny");
    assert_eq!(
        info["evaluationDetails"]["evaluatedExpressions"][0]["expression"],
        "type"
    );
    arm.get(&shop, REGISTRY).await.expect(404);

    // Closed in the first PUT is accepted; opening it later is not.
    let closed = premium(json!({ "networkRuleSet": { "defaultAction": "Deny" } }));
    arm.create(&shop, REGISTRY, closed).await;
    let open = json!({ "properties": { "networkRuleSet": { "defaultAction": "Allow" } } });
    arm.patch(&shop, REGISTRY, open.clone())
        .await
        .refused(403, "RequestDisallowedByPolicy");
    body["properties"]["nonComplianceMessages"] = json!([{ "message": "Ask the platform team" }]);
    arm.put(&url, POLICY, body.clone()).await.expect(201);
    let refused = arm.patch(&shop, REGISTRY, open.clone()).await;
    assert_eq!(
        refused.body["error"]["message"],
        "Resource 'fkaksshop' was disallowed by policy. Reasons: 'Ask the platform team'. See error details for policy resource IDs."
    );
    for change in [
        json!({ "enforcementMode": "DoNotEnforce" }),
        json!({ "notScopes": [group()] }),
        json!({ "resourceSelectors": [{ "name": "s", "selectors": [{ "kind": "resourceLocation", "in": ["northeurope"] }] }] }),
        json!({ "overrides": [{ "kind": "policyEffect", "value": "Disabled" }] }),
    ] {
        let mut body = body.clone();
        for (name, value) in change.as_object().unwrap() {
            body["properties"][name] = value.clone();
        }
        arm.put(&url, POLICY, body).await.expect(201);
        let reply = arm.patch(&shop, REGISTRY, open.clone()).await.expect(201);
        arm.finish(&reply).await;
    }
}

#[tokio::test]
async fn an_exemption_lets_its_resource_through_until_it_expires() {
    let arm = Arm::with_group().await;
    let url = assignment(&group(), "no-public");
    let shop = registry("fkaksshop");
    arm.create(&shop, REGISTRY, premium(json!({}))).await;
    arm.put(&url, POLICY, with_effect(PUBLIC, "Deny"))
        .await
        .expect(201);
    let change = json!({ "tags": { "a": "b" } });
    arm.patch(&shop, REGISTRY, change.clone())
        .await
        .refused(403, "RequestDisallowedByPolicy");
    let exemption = format!("{shop}/providers/Microsoft.Authorization/policyExemptions/x");
    let body = |end: &str| {
        json!({ "properties": {
        "policyAssignmentId": url, "exemptionCategory": "Waiver", "expiresOn": end,
    } })
    };
    let versions = "2022-07-01-preview";
    arm.put(&exemption, versions, body("2999-01-01T00:00:00Z"))
        .await
        .expect(201);
    let reply = arm.patch(&shop, REGISTRY, change.clone()).await.expect(201);
    arm.finish(&reply).await;
    arm.put(&exemption, versions, body("2020-01-01T00:00:00Z"))
        .await
        .expect(200);
    arm.patch(&shop, REGISTRY, change)
        .await
        .refused(403, "RequestDisallowedByPolicy");

    let mut wrong = body("2999-01-01T00:00:00Z");
    wrong["properties"]["exemptionCategory"] = json!("Because");
    arm.put(&exemption, versions, wrong)
        .await
        .refused(400, "InvalidRequestContent");
    let mut wrong = body("2999-01-01T00:00:00Z");
    wrong["properties"]["policyAssignmentId"] = json!(assignment(&group(), "none"));
    arm.put(&exemption, versions, wrong)
        .await
        .refused(404, "PolicyAssignmentNotFound");
    let above =
        format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/policyExemptions/x");
    arm.put(&above, versions, body("2999-01-01T00:00:00Z"))
        .await
        .refused(400, "InvalidCreatePolicyExemptionRequest");
}

#[tokio::test]
async fn a_modify_assignment_changes_what_is_written() {
    let arm = Arm::with_group().await;
    let mut body = with_effect(NO_ADMIN, "Modify");
    body["identity"] = json!({ "type": "SystemAssigned" });
    body["location"] = json!("westeurope");
    arm.put(&assignment(&group(), "no-admin"), POLICY, body)
        .await
        .expect(201);
    let made = arm
        .create(
            &registry("fkaksshop"),
            REGISTRY,
            premium(json!({ "adminUserEnabled": true })),
        )
        .await;
    assert_eq!(made["properties"]["adminUserEnabled"], false);
}

#[tokio::test]
async fn what_is_assigned_at_a_management_group_reaches_its_subscriptions() {
    let arm = Arm::with_group().await;
    let root = format!(
        "/providers/Microsoft.Management/managementGroups/{}",
        fkaks_sandbox::DEFAULT_TENANT
    );
    let child = "/providers/Microsoft.Management/managementGroups/shop";
    let management = "2023-04-01";
    assert_eq!(
        arm.get(&root, management).await.expect(200).body["properties"]["displayName"],
        "Tenant Root Group"
    );
    arm.put(child, management, json!({})).await.expect(200);
    let long = assignment(child, &"a".repeat(25));
    arm.put(&long, POLICY, with_effect(PUBLIC, "Deny"))
        .await
        .refused(400, "InvalidPolicyAssignmentName");
    let none = assignment("/providers/Microsoft.Management/managementGroups/none", "a");
    arm.put(&none, POLICY, with_effect(PUBLIC, "Deny"))
        .await
        .refused(404, "NotFound");

    let at_child = assignment(child, "no-public");
    arm.put(&at_child, POLICY, with_effect(PUBLIC, "Deny"))
        .await
        .expect(201);
    arm.create(&registry("fkaksshop"), REGISTRY, premium(json!({})))
        .await;
    arm.put(
        &format!("{child}/subscriptions/{SUB}"),
        management,
        json!({}),
    )
    .await
    .expect(200);
    arm.put(&registry("fkaksother"), REGISTRY, premium(json!({})))
        .await
        .refused(403, "RequestDisallowedByPolicy");

    let list = assignment(&group(), "").trim_end_matches('/').to_owned();
    let names = async |filter: &str| {
        let url = format!("{list}?api-version={POLICY}&$filter={filter}");
        let reply = arm.send(Method::GET, &url, None).await.expect(200);
        reply.body["value"].as_array().unwrap().len()
    };
    arm.put(
        &assignment(&registry("fkaksshop"), "here"),
        POLICY,
        with_effect(OPEN, "Audit"),
    )
    .await
    .expect(201);
    assert_eq!(
        (
            names("").await,
            names("atScope()").await,
            names("atExactScope()").await
        ),
        (2, 1, 0)
    );
    arm.delete(child, management)
        .await
        .refused(400, "BadRequest");
}

#[tokio::test]
async fn custom_definitions_are_evaluated_and_refused_when_they_cannot_be() {
    let arm = Arm::with_group().await;
    let url = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/policyDefinitions/needs-tag"
    );
    let definition = |condition: Value| {
        json!({ "properties": {
        "parameters": { "tag": { "type": "String" } },
        "policyRule": { "if": condition, "then": { "effect": "deny" } },
    } })
    };
    let wrong = definition(
        json!({ "field": "[concat('tags[', parameters('tag'), ']')]", "exists": false }),
    );
    arm.put(&url, POLICY, wrong)
        .await
        .refused(400, "InvalidPolicyRule");
    let rule = json!({ "allOf": [
        { "field": "type", "equals": "Microsoft.ContainerRegistry/registries" },
        { "not": { "field": "tags['team']", "equals": "[parameters('tag')]" } },
    ] });
    arm.put(&url, POLICY, definition(rule)).await.expect(201);
    let at = assignment(&group(), "needs-tag");
    let body = json!({ "properties": { "policyDefinitionId": url } });
    arm.put(&at, POLICY, body.clone())
        .await
        .refused(400, "MissingPolicyParameter");
    let mut given = body;
    given["properties"]["parameters"] = json!({ "tag": { "value": "shop" } });
    arm.put(&at, POLICY, given).await.expect(201);
    arm.put(&registry("fkaksshop"), REGISTRY, premium(json!({})))
        .await
        .refused(403, "RequestDisallowedByPolicy");
    let mut tagged = premium(json!({}));
    tagged["tags"] = json!({ "team": "Shop" });
    arm.create(&registry("fkaksshop"), REGISTRY, tagged).await;
    arm.delete(&url, POLICY)
        .await
        .refused(409, "PolicyDefinitionInUse");
}
