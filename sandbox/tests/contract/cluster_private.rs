//! Private clusters and their identities over sockets: endpoint, zone, record, link, and the rights they need.

use crate::support::{Arm, NETWORK, SUB, id};
use serde_json::{Value, json};

const AKS: &str = "2026-05-01";
const MSI: &str = "2024-11-30";
const DNS: &str = "2024-06-01";
const NETWORK_CONTRIBUTOR: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7";
const ZONE_CONTRIBUTOR: &str = "b12aa53e-6015-4669-85d0-8515ebb3ae7f";
const IDENTITY_OPERATOR: &str = "f1a07417-d97a-45cb-824c-7a7467783830";

fn cluster() -> String {
    id("Microsoft.ContainerService/managedClusters/aks")
}

fn network() -> String {
    id("Microsoft.Network/virtualNetworks/net")
}

fn identity(name: &str) -> String {
    id(&format!(
        "Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    ))
}

fn in_nodes(rest: &str) -> String {
    format!("/subscriptions/{SUB}/resourceGroups/MC_rg_aks_westeurope/providers/{rest}")
}

async fn ready() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(
        &network(),
        NETWORK,
        json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.10.0.0/16"] }, "subnets": [
            { "name": "nodes", "properties": { "addressPrefix": "10.10.8.0/22" } },
            { "name": "api", "properties": { "addressPrefix": "10.10.16.0/28", "delegations": [{ "name": "aks", "properties": { "serviceName": "Microsoft.ContainerService/managedClusters" } }] } },
        ] } }),
    )
    .await;
    arm
}

fn body(access: Value) -> Value {
    json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk",
            "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": format!("{}/subnets/nodes", network()) }],
            "networkProfile": { "networkPlugin": "azure", "networkPluginMode": "overlay" },
            "apiServerAccessProfile": access,
        },
    })
}

fn with_identity(mut body: Value, name: &str) -> Value {
    body["identity"] =
        json!({ "type": "UserAssigned", "userAssignedIdentities": { identity(name): {} } });
    body
}

async fn grant(arm: &Arm, scope: &str, role: &str, principal: &Value, number: u32) {
    let url = format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-{number:012}"
    );
    let role =
        format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    arm.put(&url, "2022-04-01", json!({ "properties": { "roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal" } }))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_private_cluster_has_an_endpoint_and_a_zone_of_its_own() {
    let arm = ready().await;
    let made = arm
        .create(
            &cluster(),
            AKS,
            body(json!({ "enablePrivateCluster": true })),
        )
        .await;
    let properties = &made["properties"];
    assert_eq!(
        properties["apiServerAccessProfile"],
        json!({ "enablePrivateCluster": true, "privateDNSZone": "system", "enablePrivateClusterPublicFQDN": true })
    );
    let name = properties["privateFQDN"].as_str().unwrap();
    assert!(
        name.ends_with(".privatelink.westeurope.azmk8s.io") && properties["fqdn"].is_string(),
        "{name}"
    );
    let endpoint = arm
        .get(
            &in_nodes("Microsoft.Network/privateEndpoints/kube-apiserver"),
            NETWORK,
        )
        .await
        .expect(200)
        .body;
    let nic = endpoint["properties"]["networkInterfaces"][0]["id"]
        .as_str()
        .unwrap();
    let nic = arm.get(nic, NETWORK).await.expect(200).body;
    let address = &nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"];
    assert_eq!(address, "10.10.8.4");
    let (record, zone) = name.split_once('.').unwrap();
    let zone = in_nodes(&format!("Microsoft.Network/privateDnsZones/{zone}"));
    let record = arm
        .get(&format!("{zone}/A/{record}"), DNS)
        .await
        .expect(200)
        .body;
    assert_eq!(record["properties"]["aRecords"][0]["ipv4Address"], *address);
    let links = arm
        .get(&format!("{zone}/virtualNetworkLinks"), DNS)
        .await
        .expect(200)
        .body;
    assert_eq!(
        links["value"][0]["properties"]["virtualNetwork"]["id"],
        network()
    );
    let connections = arm
        .get(&format!("{}/privateEndpointConnections", cluster()), AKS)
        .await
        .expect(200)
        .body;
    assert_eq!(
        connections["value"][0]["properties"]["privateLinkServiceConnectionState"]["status"],
        "Approved"
    );
    let resources = arm
        .get(&format!("{}/privateLinkResources", cluster()), AKS)
        .await
        .expect(200)
        .body;
    assert_eq!(resources["value"][0]["groupId"], "management");
    // A user's own endpoint connects to it too.
    let own = id("Microsoft.Network/privateEndpoints/pe");
    arm.create(&own, NETWORK, json!({ "location": "westeurope", "properties": { "subnet": { "id": format!("{}/subnets/nodes", network()) }, "privateLinkServiceConnections": [{ "name": "pe", "properties": { "privateLinkServiceId": cluster(), "groupIds": ["management"] } }] } })).await;
    arm.remove(&own, NETWORK).await;
    arm.remove(&cluster(), AKS).await;
    assert!(!arm.stored().iter().any(|id| id.contains("MC_rg")));
    arm.remove(&network(), NETWORK).await;
}

#[tokio::test]
async fn a_zone_of_the_users_needs_rights_and_the_cluster_is_repaired_by_a_second_put() {
    let arm = ready().await;
    let zone = id("Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io");
    arm.create(&zone, DNS, json!({ "location": "global" }))
        .await;
    let access = json!({ "enablePrivateCluster": true, "privateDNSZone": zone, "enablePrivateClusterPublicFQDN": false });
    arm.put(&cluster(), AKS, body(access.clone()))
        .await
        .refused(
            400,
            "SystemAssignedIdentityNotSupportedForCustomPrivateDNSZone",
        );
    let control = arm
        .create(
            &identity("control"),
            MSI,
            json!({ "location": "westeurope" }),
        )
        .await;
    let principal = &control["properties"]["principalId"];
    let wanted = with_identity(body(access), "control");
    let reply = arm.put(&cluster(), AKS, wanted.clone()).await.expect(201);
    let end = arm.finish(&reply).await;
    assert_eq!(
        end.body["error"]["code"], "CustomPrivateDNSZoneMissingPermissionError",
        "{}",
        end.body
    );
    let failed = arm.get(&cluster(), AKS).await.expect(200);
    assert_eq!(failed.state(), "Failed");
    assert_eq!(
        failed.body["properties"]["agentPoolProfiles"][0]["provisioningState"],
        "Failed"
    );
    grant(&arm, &zone, ZONE_CONTRIBUTOR, principal, 1).await;
    grant(&arm, &network(), NETWORK_CONTRIBUTOR, principal, 2).await;
    let made = arm.create(&cluster(), AKS, wanted).await;
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert!(made["properties"].get("fqdn").is_none());
    let name = made["properties"]["privateFQDN"]
        .as_str()
        .unwrap()
        .to_owned();
    let record = name.split_once('.').unwrap().0;
    arm.get(&format!("{zone}/A/{record}"), DNS)
        .await
        .expect(200);
    // Another zone is another cluster.
    let mut moved = made.clone();
    moved["identity"] =
        json!({ "type": "UserAssigned", "userAssignedIdentities": { identity("control"): {} } });
    moved["properties"]["apiServerAccessProfile"]["privateDNSZone"] = json!("system");
    arm.put(&cluster(), AKS, moved)
        .await
        .refused(400, "PropertyChangeNotAllowed");
    arm.remove(&cluster(), AKS).await;
    arm.get(&format!("{zone}/A/{record}"), DNS)
        .await
        .expect(404);
    arm.remove(&zone, DNS).await;
}

#[tokio::test]
async fn a_link_that_is_there_already_fails_the_cluster() {
    let arm = ready().await;
    let zone = id("Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io");
    arm.create(&zone, DNS, json!({ "location": "global" }))
        .await;
    arm.create(&format!("{zone}/virtualNetworkLinks/mine"), DNS, json!({ "location": "global", "properties": { "virtualNetwork": { "id": network() }, "registrationEnabled": false } })).await;
    let control = arm
        .create(
            &identity("control"),
            MSI,
            json!({ "location": "westeurope" }),
        )
        .await;
    let principal = &control["properties"]["principalId"];
    grant(
        &arm,
        &crate::support::group(),
        NETWORK_CONTRIBUTOR,
        principal,
        1,
    )
    .await;
    let wanted = with_identity(
        body(json!({ "enablePrivateCluster": true, "privateDNSZone": zone })),
        "control",
    );
    let reply = arm.put(&cluster(), AKS, wanted).await.expect(201);
    let end = arm.finish(&reply).await;
    assert_eq!(
        end.body["error"]["code"], "CreateOrUpdateVirtualNetworkLinkFailed",
        "{}",
        end.body
    );
}

#[tokio::test]
async fn an_api_server_in_the_network_has_an_address_of_its_subnet() {
    let arm = ready().await;
    let api = format!("{}/subnets/api", network());
    let access = json!({ "enablePrivateCluster": true, "enableVnetIntegration": true, "subnetId": api, "privateDNSZone": "system" });
    let made = arm.create(&cluster(), AKS, body(access)).await;
    let name = made["properties"]["privateFQDN"].as_str().unwrap();
    let (record, zone) = name.split_once('.').unwrap();
    assert!(zone.contains(".private.westeurope."), "{zone}");
    let record = in_nodes(&format!(
        "Microsoft.Network/privateDnsZones/{zone}/A/{record}"
    ));
    let record = arm.get(&record, DNS).await.expect(200).body;
    assert_eq!(
        record["properties"]["aRecords"][0]["ipv4Address"],
        "10.10.16.4"
    );
    assert!(
        !arm.stored()
            .iter()
            .any(|id| id.contains("privateEndpoints"))
    );
    // With integration the private mode can be turned off.
    let mut public = made;
    public["properties"]["apiServerAccessProfile"]["enablePrivateCluster"] = json!(false);
    let reply = arm.put(&cluster(), AKS, public).await.expect(200);
    arm.finish(&reply).await;
}

#[tokio::test]
async fn the_access_profile_is_checked() {
    let arm = ready().await;
    for (access, code) in [
        (
            json!({ "enablePrivateCluster": true, "authorizedIPRanges": ["203.0.113.0/24"] }),
            "InvalidParameter",
        ),
        (
            json!({ "authorizedIPRanges": ["everyone"] }),
            "InvalidParameter",
        ),
        (
            json!({ "enablePrivateCluster": true, "privateDNSZone": "mine" }),
            "InvalidPrivateDNSZoneMode",
        ),
        (
            json!({ "enablePrivateCluster": true, "privateDNSZone": "none", "enablePrivateClusterPublicFQDN": false }),
            "NonePrivateDNSZonePublicFQDNDisabledError",
        ),
        (
            json!({ "enablePrivateCluster": true, "privateDNSZone": id("Microsoft.Network/privateDnsZones/privatelink.azurecr.io") }),
            "InvalidPrivateDNSZoneResourceID",
        ),
        (
            json!({ "enablePrivateCluster": true, "privateDNSZone": id("Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io") }),
            "PrivateDNSZoneResourceNotFoundError",
        ),
        (
            json!({ "enableVnetIntegration": true, "subnetId": format!("{}/subnets/nodes", network()) }),
            "ApiserverSubnetConfigError",
        ),
    ] {
        let reply = arm.put(&cluster(), AKS, body(access.clone())).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, code),
            "{access}: {}",
            reply.body
        );
    }
    let made = arm
        .create(
            &cluster(),
            AKS,
            body(json!({ "authorizedIPRanges": ["203.0.113.0/24"] })),
        )
        .await;
    let mut private = made;
    private["properties"]["apiServerAccessProfile"] = json!({ "enablePrivateCluster": true });
    arm.put(&cluster(), AKS, private)
        .await
        .refused(400, "PropertyChangeNotAllowed");
}

#[tokio::test]
async fn a_kubelet_identity_is_made_or_given_with_the_right_to_assign_it() {
    let arm = ready().await;
    let made = arm.create(&cluster(), AKS, body(json!({}))).await;
    let kubelet = &made["properties"]["identityProfile"]["kubeletidentity"];
    assert_eq!(
        kubelet["resourceId"],
        in_nodes("Microsoft.ManagedIdentity/userAssignedIdentities/aks-agentpool")
    );
    let stored = arm
        .get(kubelet["resourceId"].as_str().unwrap(), MSI)
        .await
        .expect(200)
        .body;
    assert_eq!(stored["properties"]["principalId"], kubelet["objectId"]);
    assert_eq!(stored["properties"]["clientId"], kubelet["clientId"]);
    arm.remove(&cluster(), AKS).await;

    let control = arm
        .create(
            &identity("control"),
            MSI,
            json!({ "location": "westeurope" }),
        )
        .await;
    arm.create(
        &identity("kubelet"),
        MSI,
        json!({ "location": "westeurope" }),
    )
    .await;
    let mut wanted = body(json!({}));
    wanted["properties"]["identityProfile"] =
        json!({ "kubeletidentity": { "resourceId": identity("kubelet") } });
    arm.put(&cluster(), AKS, wanted.clone()).await.refused(
        400,
        "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
    );
    let wanted = with_identity(wanted, "control");
    arm.put(&cluster(), AKS, wanted.clone())
        .await
        .refused(400, "CustomKubeletIdentityMissingPermissionError");
    grant(
        &arm,
        &identity("kubelet"),
        IDENTITY_OPERATOR,
        &control["properties"]["principalId"],
        1,
    )
    .await;
    let made = arm.create(&cluster(), AKS, wanted.clone()).await;
    assert!(made["properties"]["identityProfile"]["kubeletidentity"]["objectId"].is_string());
    // What a GET shows of the identity cannot be sent back.
    arm.put(&cluster(), AKS, made)
        .await
        .refused(400, "InvalidIdentityValues");
    let other = with_identity(wanted, "nobody");
    arm.put(&cluster(), AKS, other)
        .await
        .refused(400, "FailedIdentityOperation");
}

#[tokio::test]
async fn add_ons_have_identities_of_their_own() {
    let arm = ready().await;
    let mut wanted = body(json!({}));
    wanted["properties"]["addonProfiles"] = json!({ "azurePolicy": { "enabled": true }, "azureKeyvaultSecretsProvider": { "enabled": true, "config": { "enableSecretRotation": "true" } } });
    let made = arm.create(&cluster(), AKS, wanted).await;
    let add_ons = &made["properties"]["addonProfiles"];
    assert!(
        add_ons["azurepolicy"]["identity"]["objectId"].is_string(),
        "{add_ons}"
    );
    assert_eq!(
        add_ons["azureKeyvaultSecretsProvider"]["config"],
        json!({ "enableSecretRotation": "true", "rotationPollInterval": "2m" })
    );
}
