//! Role assignments and definitions over sockets: any scope, the directory's delay, duplicates, lists.

use crate::support::{Arm, RESOURCES, SUB, group, id};
use serde_json::{Value, json};

const V: &str = "2022-04-01";
const MSI: &str = "2024-11-30";
const ACR: &str = "2025-11-01";
const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";
const SOMEBODY: &str = "11111111-2222-3333-4444-555555555555";

fn assignment(scope: &str, number: u32) -> String {
    format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-{number:012}"
    )
}

fn role(guid: &str) -> String {
    format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}")
}

fn body(guid: &str, principal: &str) -> Value {
    json!({ "properties": { "roleDefinitionId": role(guid), "principalId": principal, "principalType": "ServicePrincipal" } })
}

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/shopregistry")
}

async fn with_registry() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(
        &registry(),
        ACR,
        json!({ "location": "westeurope", "sku": { "name": "Premium" } }),
    )
    .await;
    arm
}

async fn identity(arm: &Arm, name: &str) -> Value {
    let id = id(&format!(
        "Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    ));
    arm.put(&id, MSI, json!({ "location": "westeurope" }))
        .await
        .expect(201)
        .body
}

fn principal(identity: &Value) -> String {
    identity["properties"]["principalId"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn listed(arm: &Arm, scope: &str, filter: &str) -> Vec<String> {
    let query = match filter {
        "" => String::new(),
        filter => format!(
            "?$filter={}",
            filter.replace(' ', "%20").replace('\'', "%27")
        ),
    };
    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments{query}");
    let answer = arm.get(&list, V).await.expect(200).body;
    let value = answer["value"].as_array().unwrap();
    value
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_role_is_assigned_once_at_a_scope_and_only_its_description_and_condition_change() {
    let arm = with_registry().await;
    let reader = identity(&arm, "kubelet").await;
    let mine = assignment(&registry(), 1);
    let made = arm
        .put(&mine, V, body(PULL, &principal(&reader)))
        .await
        .expect(201)
        .body;
    assert_eq!(made["id"], mine);
    assert_eq!(made["type"], "Microsoft.Authorization/roleAssignments");
    let properties = &made["properties"];
    assert_eq!(properties["scope"], registry());
    assert_eq!(properties["roleDefinitionId"], role(PULL));
    assert_eq!(properties["condition"], Value::Null);
    assert!(properties["createdOn"].is_string());

    arm.put(&mine, V, body(PULL, &principal(&reader)))
        .await
        .expect(200);
    let mut described = body(PULL, &principal(&reader));
    described["properties"]["description"] = json!("pulls");
    let changed = arm.put(&mine, V, described).await.expect(200).body;
    assert_eq!(changed["properties"]["description"], "pulls");
    assert_eq!(changed["properties"]["createdOn"], properties["createdOn"]);

    arm.put(&mine, V, body(PULL, SOMEBODY))
        .await
        .refused(400, "RoleAssignmentUpdateNotPermitted");
    arm.put(&mine, V, body(READER, &principal(&reader)))
        .await
        .refused(400, "RoleAssignmentUpdateNotPermitted");
    // The GUID is taken in the whole tenant, not only here.
    arm.put(&assignment(&group(), 1), V, body(PULL, SOMEBODY))
        .await
        .refused(400, "RoleAssignmentUpdateNotPermitted");
    let twice = arm
        .put(
            &assignment(&registry(), 2),
            V,
            body(PULL, &principal(&reader)),
        )
        .await
        .refused(409, "RoleAssignmentExists");
    assert!(
        twice.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("00000000000040008000000000000001")
    );

    let gone = arm.delete(&mine, V).await.expect(200);
    assert_eq!(gone.body["id"], mine, "the answer shows what was deleted");
    arm.delete(&mine, V).await.expect(204);
    arm.get(&mine, V)
        .await
        .refused(404, "RoleAssignmentNotFound");
}

#[tokio::test]
async fn a_new_principal_is_unknown_for_a_while_unless_its_type_is_given() {
    let arm = with_registry().await;
    arm.control(
        "PATCH",
        "/_sandbox/settings",
        json!({ "principalDelayMs": 600_000 }),
    );
    let fresh = principal(&identity(&arm, "kubelet").await);
    let mut untyped = body(PULL, &fresh);
    untyped["properties"]
        .as_object_mut()
        .unwrap()
        .remove("principalType");
    let refused = arm
        .put(&assignment(&registry(), 1), V, untyped.clone())
        .await
        .refused(400, "PrincipalNotFound");
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("does not exist in the directory")
    );
    arm.put(&assignment(&registry(), 1), V, body(PULL, &fresh))
        .await
        .expect(201);
    // With a type the directory is not asked: even an id that nobody has is accepted.
    arm.put(&assignment(&registry(), 2), V, body(PULL, SOMEBODY))
        .await
        .expect(201);

    arm.control(
        "PATCH",
        "/_sandbox/settings",
        json!({ "principalDelayMs": 0 }),
    );
    arm.delete(&assignment(&registry(), 1), V).await.expect(200);
    let made = arm
        .put(&assignment(&registry(), 1), V, untyped)
        .await
        .expect(201);
    assert_eq!(
        made.body["properties"]["principalType"], "ServicePrincipal",
        "the directory knows it by now"
    );

    let user = "99999999-2222-3333-4444-555555555555";
    arm.control(
        "PUT",
        &format!("/_sandbox/principals/{user}"),
        json!({ "type": "User" }),
    );
    arm.put(&assignment(&registry(), 3), V, body(PULL, user))
        .await
        .refused(400, "UnmatchedPrincipalType");
    let mut right = body(PULL, user);
    right["properties"]["principalType"] = json!("User");
    arm.put(&assignment(&registry(), 3), V, right)
        .await
        .expect(201);
}

#[tokio::test]
async fn bad_assignments_are_refused_with_azures_codes() {
    let arm = with_registry().await;
    let at = |name: &str| {
        format!(
            "{}/providers/Microsoft.Authorization/roleAssignments/{name}",
            registry()
        )
    };
    arm.put(&at("pull"), V, body(PULL, SOMEBODY))
        .await
        .refused(400, "InvalidRoleAssignmentId");
    arm.put(&assignment(&registry(), 1), V, body(PULL, "me"))
        .await
        .refused(400, "InvalidPrincipalId");
    arm.put(&assignment(&registry(), 1), V, body(SOMEBODY, SOMEBODY))
        .await
        .refused(400, "RoleDefinitionDoesNotExist");
    let missing = id("Microsoft.ContainerRegistry/registries/nothere");
    arm.put(&assignment(&missing, 1), V, body(PULL, SOMEBODY))
        .await
        .refused(404, "ResourceNotFound");
    let mut conditional = body(READER, SOMEBODY);
    conditional["properties"]["condition"] = json!("(@Request[a:b] StringEquals 'x')");
    arm.put(&assignment(&registry(), 1), V, conditional.clone())
        .await
        .refused(400, "InvalidConditionVersion");
    conditional["properties"]["conditionVersion"] = json!("2.0");
    arm.put(&assignment(&registry(), 1), V, conditional.clone())
        .await
        .expect(201);
    conditional["properties"]["condition"] = json!("StringEquals 'x'");
    arm.put(&assignment(&registry(), 1), V, conditional)
        .await
        .refused(400, "InvalidCondition");
    arm.put(
        &assignment(&registry(), 2),
        "2031-01-01",
        body(PULL, SOMEBODY),
    )
    .await
    .refused(400, "NoRegisteredProviderFound");
}

#[tokio::test]
async fn lists_inherit_from_above_and_a_list_by_principal_lags() {
    let arm = with_registry().await;
    let subscription = format!("/subscriptions/{SUB}");
    let ids: Vec<String> = [(&subscription, 1), (&group(), 2), (&registry(), 3)]
        .iter()
        .map(|(scope, number)| assignment(scope, *number))
        .collect();
    for made in &ids {
        arm.put(made, V, body(PULL, SOMEBODY)).await.expect(201);
    }
    arm.put(
        &assignment(&registry(), 4),
        V,
        body(PULL, "22222222-2222-3333-4444-555555555555"),
    )
    .await
    .expect(201);

    let by = format!("principalId eq '{SOMEBODY}'");
    assert!(
        listed(&arm, &registry(), &by).await.is_empty(),
        "the first list by principal lags"
    );
    let mut found = listed(&arm, &registry(), &by).await;
    found.sort();
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(found, expected, "inherited ones are listed at the registry");
    assert_eq!(
        listed(
            &arm,
            &registry(),
            &format!("atScope() and assignedTo('{SOMEBODY}')")
        )
        .await
        .len(),
        3
    );
    assert_eq!(
        listed(&arm, &group(), "atScope()").await.len(),
        2,
        "nothing from below"
    );
    assert_eq!(
        listed(&arm, &group(), "").await.len(),
        4,
        "without a filter what is below is listed too"
    );
    assert_eq!(
        listed(&arm, &subscription, "atScope()").await,
        [ids[0].clone()]
    );
    let odd = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments?$filter=canDelegate%20eq%20true",
        group()
    );
    arm.get(&odd, V).await.refused(400, "UnsupportedQuery");
}

#[tokio::test]
async fn what_is_assigned_at_a_scope_goes_with_it() {
    let arm = with_registry().await;
    arm.put(&assignment(&registry(), 1), V, body(PULL, SOMEBODY))
        .await
        .expect(201);
    arm.put(&assignment(&group(), 2), V, body(PULL, SOMEBODY))
        .await
        .expect(201);
    arm.remove(&registry(), ACR).await;
    assert_eq!(arm.stored(), [group(), assignment(&group(), 2)]);
    arm.remove(&group(), RESOURCES).await;
    assert!(arm.stored().is_empty());
}

#[tokio::test]
async fn built_in_roles_are_found_by_name_and_custom_ones_belong_to_the_subscription() {
    let arm = with_registry().await;
    let list = |scope: &str, filter: &str| {
        format!("{scope}/providers/Microsoft.Authorization/roleDefinitions?$filter={filter}")
    };
    let found = arm
        .get(&list(&registry(), "roleName%20eq%20%27AcrPull%27"), V)
        .await
        .expect(200)
        .body;
    assert_eq!(found["value"][0]["name"], PULL);
    assert_eq!(
        found["value"][0]["properties"]["permissions"][0]["actions"],
        json!(["Microsoft.ContainerRegistry/registries/pull/read"])
    );
    let tenant = format!("/providers/Microsoft.Authorization/roleDefinitions/{PULL}");
    assert_eq!(arm.get(&tenant, V).await.expect(200).body["id"], tenant);

    let guid = "33333333-2222-4333-8444-555555555555";
    let at_group = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        group()
    );
    let custom = json!({ "properties": {
        "roleName": "Zone writer", "description": "", "type": "CustomRole", "assignableScopes": [group()],
        "permissions": [{ "actions": ["Microsoft.Network/privateDnsZones/*"], "notActions": [] }] } });
    let made = arm.put(&at_group, V, custom.clone()).await.expect(201).body;
    assert_eq!(
        made["id"],
        role(guid),
        "a custom role is the subscription's"
    );
    arm.put(&at_group, V, custom).await.expect(201);
    arm.put(&assignment(&group(), 1), V, body(guid, SOMEBODY))
        .await
        .expect(201);
    arm.put(
        &assignment(&format!("/subscriptions/{SUB}"), 2),
        V,
        body(guid, SOMEBODY),
    )
    .await
    .refused(400, "RoleDefinitionDoesNotExist");
    arm.delete(&role(guid), V)
        .await
        .refused(400, "RoleDefinitionHasAssignments");
    arm.delete(&assignment(&group(), 1), V).await.expect(200);
    assert_eq!(
        arm.delete(&role(guid), V).await.expect(200).body["properties"]["roleName"],
        "Zone writer"
    );
    arm.get(&role(guid), V)
        .await
        .refused(404, "RoleDefinitionDoesNotExist");
}

#[tokio::test]
async fn what_is_taken_from_the_caller_is_refused_and_shows_among_its_permissions() {
    let arm = with_registry().await;
    let taken = json!(["Microsoft.Authorization/*/write"]);
    arm.control(
        "PATCH",
        "/_sandbox/settings",
        json!({ "callerNotActions": taken }),
    );
    let refused = arm
        .put(&assignment(&registry(), 1), V, body(PULL, SOMEBODY))
        .await
        .refused(403, "AuthorizationFailed");
    let message = refused.body["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("Microsoft.Authorization/roleAssignments/write"),
        "{message}"
    );
    let list = format!(
        "{}/providers/Microsoft.Authorization/permissions",
        registry()
    );
    let list = arm.get(&list, V).await.expect(200).body;
    assert_eq!(list["value"][0]["notActions"], taken);
    assert!(
        listed(&arm, &registry(), "").await.is_empty(),
        "reading is not taken"
    );
}
