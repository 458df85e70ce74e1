//! Container registries over sockets: defaults, names, SKUs, updates, identities.

use crate::support::{Arm, SUB, group, id};
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
async fn a_premium_registry_is_made_with_the_services_defaults() {
    let arm = Arm::with_group().await;
    let reply = arm
        .put(&registry(), ACR, body("premium", json!({})))
        .await
        .expect(201);
    assert_eq!(reply.state(), "Creating");
    assert!(!reply.header("azure-asyncoperation").is_empty());
    assert_eq!(reply.body["name"], "fkAcrPrivate");
    arm.finish(&reply).await;
    let mut made = arm.get(&registry(), ACR).await.expect(200).body;
    assert_eq!(made["sku"], json!({ "name": "Premium", "tier": "Premium" }));
    let properties = made["properties"].as_object_mut().unwrap();
    assert!(properties.remove("creationDate").unwrap().is_string());
    assert!(
        properties["policies"]["retentionPolicy"]
            .as_object_mut()
            .unwrap()
            .remove("lastUpdatedTime")
            .unwrap()
            .is_string()
    );
    assert_eq!(
        json!(properties),
        json!({
            "loginServer": "fkacrprivate.azurecr.io",
            "provisioningState": "Succeeded",
            "adminUserEnabled": false,
            "networkRuleSet": { "defaultAction": "Allow", "ipRules": [] },
            "policies": {
                "quarantinePolicy": { "status": "disabled" },
                "trustPolicy": { "type": "Notary", "status": "disabled" },
                "retentionPolicy": { "days": 7, "status": "disabled" },
                "exportPolicy": { "status": "enabled" },
                "azureADAuthenticationAsArmPolicy": { "status": "enabled" },
            },
            "encryption": { "status": "disabled" },
            "dataEndpointEnabled": false,
            "dataEndpointHostNames": [],
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": false,
            "zoneRedundancy": "Disabled",
            "anonymousPullEnabled": false,
            "roleAssignmentMode": "LegacyRegistryPermissions",
        })
    );
    let link = arm
        .get(
            &format!("{}/privateLinkResources", registry()),
            "2019-12-01-preview",
        )
        .await
        .expect(200);
    assert_eq!(link.body["value"][0]["name"], "registry");
    let resource = arm
        .get(
            &format!("{}/privateLinkResources/registry", registry()),
            ACR,
        )
        .await
        .expect(200);
    assert_eq!(
        resource.body["properties"],
        json!({ "groupId": "registry", "requiredMembers": ["registry", "registry_data_westeurope"], "requiredZoneNames": ["privatelink.azurecr.io"] })
    );
    let reply = arm.delete(&registry(), ACR).await.expect(202);
    assert_eq!(arm.get(&registry(), ACR).await.state(), "Deleting");
    assert!(!reply.header("location").is_empty());
    arm.finish(&reply).await;
    assert_eq!(arm.stored(), [group()]);
}

#[tokio::test]
async fn a_basic_registry_has_no_network_rules_and_refuses_what_needs_premium() {
    let arm = with(
        "Basic",
        json!({ "networkRuleSet": { "defaultAction": "Allow" } }),
    )
    .await;
    let made = arm.get(&registry(), ACR).await.body;
    assert!(made["properties"]["networkRuleSet"].is_null(), "{made}");
    assert_eq!(
        made["properties"]["policies"]["exportPolicy"]["status"],
        "enabled"
    );
    let patch = |properties: Value| json!({ "properties": properties });
    for (properties, code) in [
        (
            json!({ "publicNetworkAccess": "Disabled" }),
            "DisablingPublicNetworkAccessNotSupported",
        ),
        (
            json!({ "networkRuleSet": { "defaultAction": "Deny" } }),
            "NetworkRuleNotSupported",
        ),
        (
            json!({ "dataEndpointEnabled": true }),
            "DataEndpointNotSupported",
        ),
        (
            json!({ "anonymousPullEnabled": true }),
            "AnonymousPullNotSupported",
        ),
        (json!({ "colour": "red" }), "InvalidRequestContent"),
        (
            json!({ "policies": { "colourPolicy": {} } }),
            "InvalidRequestContent",
        ),
        (
            json!({ "publicNetworkAccess": "Perhaps" }),
            "InvalidRequestContent",
        ),
        (
            json!({ "adminUserEnabled": "yes" }),
            "InvalidRequestContent",
        ),
    ] {
        arm.patch(&registry(), ACR, patch(properties))
            .await
            .refused(400, code);
    }
    arm.put(
        &replication("northeurope"),
        ACR,
        json!({ "location": "northeurope" }),
    )
    .await
    .refused(400, "ResourceTypeNotSupported");
    let list = arm
        .get(&format!("{}/replications", registry()), ACR)
        .await
        .expect(200);
    assert_eq!(list.body["value"], json!([]));
    // Premium first, then its features.
    update(&arm, json!({ "sku": { "name": "Premium" } })).await;
    let private = update(&arm, patch(json!({ "publicNetworkAccess": "disabled", "networkRuleSet": { "defaultAction": "Deny" } }))).await;
    assert_eq!(private["properties"]["publicNetworkAccess"], "Disabled");
    arm.patch(&registry(), ACR, json!({ "sku": { "name": "Standard" } }))
        .await
        .refused(400, "DisablingPublicNetworkAccessNotSupported");
    let open = update(&arm, json!({ "sku": { "name": "Standard" }, "properties": { "publicNetworkAccess": "Enabled", "networkRuleSet": { "defaultAction": "Allow" } } })).await;
    assert_eq!(open["sku"]["tier"], "Standard");
}

#[tokio::test]
async fn a_registry_is_changed_by_patch_and_replaced_by_put() {
    let arm = with("Premium", json!({})).await;
    let rules =
        json!([{ "value": "203.0.113.7/32" }, { "action": "Allow", "value": "198.51.100.0/24" }]);
    let changed = update(
        &arm,
        json!({
            "tags": { "a": "1" },
            "properties": {
                "adminUserEnabled": true, "dataEndpointEnabled": true,
                "networkRuleSet": { "defaultAction": "Deny", "ipRules": rules },
                "policies": { "retentionPolicy": { "days": 30, "status": "enabled" } },
            },
        }),
    )
    .await;
    let properties = &changed["properties"];
    assert_eq!(
        properties["networkRuleSet"],
        json!({ "defaultAction": "Deny", "ipRules": [{ "action": "Allow", "value": "203.0.113.7" }, { "action": "Allow", "value": "198.51.100.0/24" }] })
    );
    assert_eq!(
        properties["dataEndpointHostNames"],
        json!(["fkacrprivate.westeurope.data.azurecr.io"])
    );
    assert_eq!(properties["policies"]["retentionPolicy"]["days"], 30);
    assert_eq!(properties["policies"]["exportPolicy"]["status"], "enabled");
    // Public access and rules go together in one PATCH; rules are kept while nothing reads them.
    let private = update(
        &arm,
        json!({ "properties": { "publicNetworkAccess": "Disabled", "policies": { "exportPolicy": { "status": "disabled" } } } }),
    )
    .await;
    assert_eq!(
        private["properties"]["networkRuleSet"]["ipRules"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let refused = arm
        .patch(
            &registry(),
            ACR,
            json!({ "properties": { "publicNetworkAccess": "Enabled" } }),
        )
        .await
        .refused(400, "BadRequest");
    assert_eq!(
        refused.body["error"]["message"],
        "Enabling public network access is not supported because the registry 'fkAcrPrivate' has exports disabled."
    );
    arm.patch(
        &registry(),
        ACR,
        json!({ "properties": { "zoneRedundancy": "Enabled" } }),
    )
    .await
    .refused(400, "ZoneRedundancyCannotBeChanged");
    arm.put(
        &registry(),
        ACR,
        json!({ "location": "northeurope", "sku": { "name": "Premium" } }),
    )
    .await
    .refused(409, "InvalidResourceLocation");
    let before = arm.get(&registry(), ACR).await.body["properties"]["creationDate"].clone();
    let replaced = arm
        .create(&registry(), ACR, body("Premium", json!({})))
        .await;
    assert_eq!(replaced["properties"]["creationDate"], before);
    assert_eq!(replaced["properties"]["publicNetworkAccess"], "Enabled");
    assert_eq!(replaced["properties"]["adminUserEnabled"], false);
    assert!(replaced["tags"].is_null());
}

#[tokio::test]
async fn names_are_unique_in_all_subscriptions() {
    let arm = Arm::with(fkaks_sandbox::Options {
        subscriptions: vec![SUB.into(), "00000000-0000-0000-0000-000000000002".into()],
        ..fkaks_sandbox::Options::default()
    })
    .await;
    let elsewhere = group().replace(SUB, "00000000-0000-0000-0000-000000000002");
    for group in [group(), elsewhere.clone()] {
        arm.put(&group, "2025-04-01", json!({ "location": "westeurope" }))
            .await
            .expect(201);
    }
    let ask = async |name: &str| {
        let body = json!({ "name": name, "type": "Microsoft.ContainerRegistry/registries" });
        let path = format!("{elsewhere}/providers");
        let path = path.split("/resourceGroups").next().unwrap();
        arm.post(
            &format!("{path}/providers/Microsoft.ContainerRegistry/checkNameAvailability"),
            ACR,
            body,
        )
        .await
        .expect(200)
        .body
    };
    assert_eq!(ask("fkacrprivate").await, json!({ "nameAvailable": true }));
    arm.create(&registry(), ACR, body("Basic", json!({}))).await;
    let taken = ask("FKacrprivate").await;
    assert_eq!(taken["reason"], "AlreadyExists");
    assert_eq!(
        taken["message"],
        "The registry FKacrprivate is already in use."
    );
    assert_eq!(ask("no-dash").await["reason"], "Invalid");
    let twin = format!("{elsewhere}/providers/Microsoft.ContainerRegistry/registries/FKACRPRIVATE");
    arm.put(&twin, ACR, body("Basic", json!({})))
        .await
        .refused(409, "AlreadyInUse");
    let mut scoped = body(
        "Basic",
        json!({ "autoGeneratedDomainNameLabelScope": "TenantReuse" }),
    );
    scoped["location"] = json!("eastus");
    let made = arm.create(&twin, "2026-09-01-preview", scoped).await;
    let server = made["properties"]["loginServer"].as_str().unwrap();
    assert!(
        server.starts_with("fkacrprivate-") && server.ends_with(".azurecr.io"),
        "{server}"
    );
    let at = |name: &str| id(&format!("Microsoft.ContainerRegistry/registries/{name}"));
    arm.put(&at("abcd"), ACR, body("Basic", json!({})))
        .await
        .refused(400, "InvalidResourceName");
    arm.put(&at("mymicrosoftacr"), ACR, body("Basic", json!({})))
        .await
        .refused(400, "ReservedResourceName");
    arm.put(&at("fkacrnosku"), ACR, json!({ "location": "westeurope" }))
        .await
        .refused(400, "InvalidRequestContent");
}

#[tokio::test]
async fn a_registry_can_have_identities_and_a_key_of_its_own() {
    let arm = Arm::with_group().await;
    let user = id("Microsoft.ManagedIdentity/userAssignedIdentities/acr");
    let mut wanted = body(
        "Premium",
        json!({ "encryption": { "status": "enabled", "keyVaultProperties": {
        "keyIdentifier": "https://kv.vault.azure.net/keys/acr", "identity": "11111111-1111-1111-1111-111111111111" } } }),
    );
    arm.put(&registry(), ACR, wanted.clone())
        .await
        .refused(400, "InvalidEncryption");
    wanted["identity"] = json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { (user.clone()): {} } });
    let made = arm.create(&registry(), ACR, wanted).await;
    let principal = made["identity"]["principalId"].clone();
    assert!(principal.is_string() && made["identity"]["tenantId"].is_string());
    assert!(made["identity"]["userAssignedIdentities"][&user]["clientId"].is_string());
    let key = &made["properties"]["encryption"]["keyVaultProperties"];
    assert_eq!(key["keyRotationEnabled"], true);
    assert!(
        key["versionedKeyIdentifier"]
            .as_str()
            .unwrap()
            .starts_with("https://kv.vault.azure.net/keys/acr/")
    );
    let same = update(&arm, json!({ "tags": { "a": "1" } })).await;
    assert_eq!(same["identity"]["principalId"], principal);
    arm.patch(
        &registry(),
        ACR,
        json!({ "properties": { "encryption": { "status": "disabled" } } }),
    )
    .await
    .refused(400, "InvalidEncryption");
}
