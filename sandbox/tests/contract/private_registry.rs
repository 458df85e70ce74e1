//! A registry behind private endpoints, end to end: network, registry, endpoint, zone, zone group,
//! link and replica, and what each does to the others.

use crate::support::{Arm, NETWORK, RESOURCES, group, id};
use serde_json::{Value, json};

const ACR: &str = "2025-11-01";
const DNS: &str = "2024-06-01";

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkacr")
}

fn replication(region: &str) -> String {
    format!("{}/replications/{region}", registry())
}

fn endpoint(name: &str) -> String {
    id(&format!("Microsoft.Network/privateEndpoints/{name}"))
}

fn zone() -> String {
    id("Microsoft.Network/privateDnsZones/privatelink.azurecr.io")
}

fn network() -> String {
    id("Microsoft.Network/virtualNetworks/net")
}

fn endpoint_body(subnet: &str, manual: bool) -> Value {
    let list = if manual {
        "manualPrivateLinkServiceConnections"
    } else {
        "privateLinkServiceConnections"
    };
    json!({ "location": "westeurope", "properties": {
        "subnet": { "id": format!("{}/subnets/{subnet}", network()) },
        list: [{ "name": "c", "properties": { "privateLinkServiceId": registry(), "groupIds": ["registry"], "requestMessage": "please" } }],
    } })
}

fn replica(region: &str) -> Value {
    json!({ "location": region })
}

/// A network with subnets of 11 and of 3 free addresses, a Premium registry without public access.
async fn stage() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(
        &network(),
        NETWORK,
        json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [
            { "name": "endpoints", "properties": { "addressPrefix": "10.0.1.0/28" } },
            { "name": "tight", "properties": { "addressPrefix": "10.0.2.0/29" } },
        ] } }),
    )
    .await;
    arm.create(
        &registry(),
        ACR,
        json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": { "publicNetworkAccess": "Disabled" } }),
    )
    .await;
    arm
}

async fn with_zone_group(arm: &Arm, name: &str) -> String {
    let group = format!("{}/privateDnsZoneGroups/default", endpoint(name));
    let configs = json!({ "properties": { "privateDnsZoneConfigs": [{ "name": "acr", "properties": { "privateDnsZoneId": zone() } }] } });
    arm.create(&group, NETWORK, configs).await;
    group
}

/// Member and address of every address of an endpoint, sorted by member.
async fn addresses(arm: &Arm, name: &str) -> Vec<(String, String)> {
    let endpoint = arm.get(&endpoint(name), NETWORK).await.expect(200).body;
    let nic = endpoint["properties"]["networkInterfaces"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let nic = arm.get(&nic, NETWORK).await.expect(200).body;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<(String, String)> = nic["properties"]["ipConfigurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ip| {
            let ip = &ip["properties"];
            (
                text(&ip["privateLinkConnectionProperties"]["requiredMemberName"]),
                text(&ip["privateIPAddress"]),
            )
        })
        .collect();
    found.sort();
    found
}

/// Name and address of every A record of the zone.
async fn records(arm: &Arm) -> Vec<(String, String)> {
    let list = arm.get(&format!("{}/A", zone()), DNS).await.expect(200);
    list.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| {
            let address = &set["properties"]["aRecords"][0]["ipv4Address"];
            (
                set["name"].as_str().unwrap().to_owned(),
                address.as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

async fn status(arm: &Arm, name: &str) -> String {
    let body = arm.get(&endpoint(name), NETWORK).await.expect(200).body;
    let all = [
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
    ];
    all.iter()
        .find_map(|list| {
            body["properties"][list][0]["properties"]["privateLinkServiceConnectionState"]["status"]
                .as_str()
        })
        .unwrap()
        .to_owned()
}

async fn connection_of(arm: &Arm, name: &str) -> Value {
    let list = arm
        .get(&format!("{}/privateEndpointConnections", registry()), ACR)
        .await
        .expect(200);
    list.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|connection| connection["properties"]["privateEndpoint"]["id"] == endpoint(name))
        .cloned()
        .unwrap()
}

async fn answer(arm: &Arm, connection: &Value, status: &str) -> crate::support::Reply {
    let id = connection["id"].as_str().unwrap();
    let mut body = json!({ "properties": connection["properties"] });
    body["properties"]["privateLinkServiceConnectionState"] =
        json!({ "status": status, "description": "by the owner" });
    arm.put(id, ACR, body).await
}

#[tokio::test]
async fn a_private_registry_is_built_grows_by_a_replica_and_is_taken_down_in_order() {
    let arm = stage().await;
    let made = arm
        .create(&endpoint("pe"), NETWORK, endpoint_body("endpoints", false))
        .await;
    let dns = &made["properties"]["customDnsConfigs"];
    assert_eq!(dns.as_array().unwrap().len(), 2, "{dns}");
    arm.create(&zone(), DNS, json!({ "location": "global" }))
        .await;
    let link = format!("{}/virtualNetworkLinks/aks", zone());
    arm.create(
        &link,
        DNS,
        json!({ "location": "global", "properties": { "virtualNetwork": { "id": network() }, "registrationEnabled": false } }),
    )
    .await;
    let zone_group = with_zone_group(&arm, "pe").await;
    let before = addresses(&arm, "pe").await;
    assert_eq!(
        before
            .iter()
            .map(|(member, _)| member.as_str())
            .collect::<Vec<_>>(),
        ["registry", "registry_data_westeurope"]
    );
    assert_eq!(
        records(&arm).await,
        [
            ("fkacr".to_owned(), before[0].1.clone()),
            ("fkacr.westeurope.data".to_owned(), before[1].1.clone()),
        ]
    );
    let record = arm
        .get(&format!("{}/A/fkacr", zone()), DNS)
        .await
        .expect(200)
        .body;
    assert_eq!(record["properties"]["ttl"], 10);
    assert_eq!(
        record["properties"]["fqdn"],
        "fkacr.privatelink.azurecr.io."
    );
    let creator = record["properties"]["metadata"]["creator"]
        .as_str()
        .unwrap();
    assert!(
        creator.starts_with("created by private endpoint pe with resource guid "),
        "{creator}"
    );
    assert!(record["properties"]["provisioningState"].is_null());

    let owner = arm.get(&registry(), ACR).await.expect(200).body;
    let connections = owner["properties"]["privateEndpointConnections"]
        .as_array()
        .unwrap();
    assert_eq!(connections.len(), 1);
    assert!(connections[0]["name"].as_str().unwrap().starts_with("pe."));
    assert_eq!(
        connections[0]["properties"]["privateLinkServiceConnectionState"],
        json!({ "status": "Approved", "description": "Auto-Approved", "actionsRequired": "None" })
    );
    assert_eq!(status(&arm, "pe").await, "Approved");
    arm.patch(
        &registry(),
        ACR,
        json!({ "sku": { "name": "Basic" }, "properties": { "publicNetworkAccess": "Enabled" } }),
    )
    .await
    .refused(409, "SkuDowngradeNotSupported");

    // A replica takes an address more, and its record appears.
    arm.create(&replication("northeurope"), ACR, replica("northeurope"))
        .await;
    let grown = addresses(&arm, "pe").await;
    assert_eq!(grown.len(), 3);
    assert_eq!(grown[1].0, "registry_data_northeurope");
    assert_eq!(
        (&grown[0], &grown[2]),
        (&before[0], &before[1]),
        "addresses stay"
    );
    assert!(
        records(&arm)
            .await
            .contains(&("fkacr.northeurope.data".to_owned(), grown[1].1.clone()))
    );
    let groups = arm.get(&zone_group, NETWORK).await.expect(200).body;
    let sets = &groups["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"];
    assert_eq!(sets.as_array().unwrap().len(), 3, "{sets}");

    // Down again, from the outside in.
    arm.remove(&replication("northeurope"), ACR).await;
    assert_eq!(addresses(&arm, "pe").await, before);
    assert_eq!(records(&arm).await.len(), 2);
    arm.remove(&zone_group, NETWORK).await;
    assert_eq!(records(&arm).await, []);
    arm.remove(&endpoint("pe"), NETWORK).await;
    let owner = arm.get(&registry(), ACR).await.expect(200).body;
    assert_eq!(owner["properties"]["privateEndpointConnections"], json!([]));
    arm.delete(&zone(), DNS)
        .await
        .refused(409, "CannotDeleteResource");
    for (id, version) in [
        (&link, DNS),
        (&zone(), DNS),
        (&registry(), ACR),
        (&network(), NETWORK),
    ] {
        arm.remove(id, version).await;
    }
    assert_eq!(arm.stored(), [group()]);
    arm.remove(&group(), RESOURCES).await;
}

#[tokio::test]
async fn one_free_address_too_few_fails_the_replica_and_rolls_everything_back() {
    let arm = stage().await;
    // Two endpoints: one with room, one whose subnet has a single address left.
    arm.create(
        &endpoint("wide"),
        NETWORK,
        endpoint_body("endpoints", false),
    )
    .await;
    arm.create(&endpoint("tight"), NETWORK, endpoint_body("tight", false))
        .await;
    arm.create(&replication("northeurope"), ACR, replica("northeurope"))
        .await;
    let before = (
        addresses(&arm, "wide").await,
        addresses(&arm, "tight").await,
    );
    assert_eq!((before.0.len(), before.1.len()), (3, 3));
    let reply = arm
        .put(&replication("eastus"), ACR, replica("eastus"))
        .await
        .expect(201);
    let end = arm.finish(&reply).await.expect(200);
    assert_eq!(end.body["status"], "Failed");
    assert_eq!(end.body["error"]["code"], "ReplicationProvisioningFailed");
    let message = end.body["error"]["message"].as_str().unwrap();
    assert!(
        !message.contains("tight"),
        "the error names no subnet: {message}"
    );
    arm.get(&replication("eastus"), ACR)
        .await
        .refused(404, "ResourceNotFound");
    assert_eq!(addresses(&arm, "wide").await, before.0);
    assert_eq!(addresses(&arm, "tight").await, before.1);
    assert_eq!(arm.get(&registry(), ACR).await.state(), "Succeeded");
    // With the tight endpoint gone there is room.
    arm.remove(&endpoint("tight"), NETWORK).await;
    arm.create(&replication("eastus"), ACR, replica("eastus"))
        .await;
    assert_eq!(addresses(&arm, "wide").await.len(), 4);
}

#[tokio::test]
async fn a_manual_connection_waits_for_the_owner_and_again_after_each_new_replica() {
    let arm = stage().await;
    arm.create(&endpoint("pe"), NETWORK, endpoint_body("endpoints", true))
        .await;
    assert_eq!(status(&arm, "pe").await, "Pending");
    let connection = connection_of(&arm, "pe").await;
    assert_eq!(
        connection["properties"]["privateLinkServiceConnectionState"]["description"],
        "please"
    );
    let reply = answer(&arm, &connection, "approved").await.expect(201);
    arm.put(&replication("eastus"), ACR, replica("eastus"))
        .await
        .refused(409, "AnotherOperationInProgress");
    arm.finish(&reply).await;
    assert_eq!(status(&arm, "pe").await, "Approved");
    arm.create(&replication("northeurope"), ACR, replica("northeurope"))
        .await;
    assert_eq!(status(&arm, "pe").await, "Pending");
    let patched = arm
        .patch(
            &replication("northeurope"),
            ACR,
            json!({ "tags": { "a": "1" } }),
        )
        .await
        .expect(201);
    let connection = {
        arm.finish(&patched).await;
        connection_of(&arm, "pe").await
    };
    let reply = answer(&arm, &connection, "Rejected").await.expect(201);
    arm.finish(&reply).await;
    assert_eq!(status(&arm, "pe").await, "Rejected");
    answer(&arm, &connection, "Approved")
        .await
        .refused(400, "BadRequest");
    answer(&arm, &connection, "Disconnected")
        .await
        .refused(400, "BadRequest");
    let unknown = format!("{}/privateEndpointConnections/nobody", registry());
    arm.put(
        &unknown,
        ACR,
        json!({ "properties": { "privateLinkServiceConnectionState": { "status": "Approved" } } }),
    )
    .await
    .refused(404, "ResourceNotFound");
}

#[tokio::test]
async fn an_endpoint_is_disconnected_when_its_connection_or_its_registry_goes() {
    let arm = stage().await;
    for name in ["one", "two"] {
        arm.create(&endpoint(name), NETWORK, endpoint_body("endpoints", false))
            .await;
    }
    arm.create(&replication("northeurope"), ACR, replica("northeurope"))
        .await;
    let connection = connection_of(&arm, "one").await;
    arm.remove(connection["id"].as_str().unwrap(), ACR).await;
    assert_eq!(status(&arm, "one").await, "Disconnected");
    assert_eq!(status(&arm, "two").await, "Approved");
    let before = addresses(&arm, "two").await;
    arm.remove(&registry(), ACR).await;
    assert_eq!(status(&arm, "two").await, "Disconnected");
    assert_eq!(
        addresses(&arm, "two").await,
        before,
        "a disconnected endpoint keeps its addresses"
    );
    // A registry of the same name is another one.
    arm.create(
        &registry(),
        ACR,
        json!({ "location": "westeurope", "sku": { "name": "Premium" } }),
    )
    .await;
    assert_eq!(status(&arm, "two").await, "Disconnected");
    for name in ["one", "two"] {
        arm.remove(&endpoint(name), NETWORK).await;
    }
    // However the registry goes, its endpoints keep their addresses.
    arm.create(&endpoint("two"), NETWORK, endpoint_body("endpoints", false))
        .await;
    arm.create(&replication("northeurope"), ACR, replica("northeurope"))
        .await;
    let before = addresses(&arm, "two").await;
    assert_eq!(before.len(), 3);
    arm.control(
        "DELETE",
        &format!("/_sandbox/resources{}", registry()),
        json!({}),
    );
    assert_eq!(status(&arm, "two").await, "Disconnected");
    assert_eq!(addresses(&arm, "two").await, before);
    arm.remove(&endpoint("two"), NETWORK).await;
    assert!(
        !arm.stored()
            .iter()
            .any(|id| id.contains("networkInterfaces"))
    );
}

#[tokio::test]
async fn endpoints_need_a_premium_registry_a_known_group_and_room() {
    let arm = stage().await;
    let mut wrong = endpoint_body("endpoints", false);
    wrong["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] =
        json!(["blob"]);
    arm.put(&endpoint("pe"), NETWORK, wrong)
        .await
        .refused(400, "PrivateLinkServiceGroupIdInvalid");
    let basic = id("Microsoft.ContainerRegistry/registries/fkbasic");
    arm.create(
        &basic,
        ACR,
        json!({ "location": "westeurope", "sku": { "name": "Basic" } }),
    )
    .await;
    let mut cheap = endpoint_body("endpoints", false);
    cheap["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"] =
        json!(basic);
    arm.put(&endpoint("pe"), NETWORK, cheap)
        .await
        .refused(400, "PrivateEndpointNotSupported");
    for number in 0..200 {
        let connection = format!("{}/privateEndpointConnections/other{number}", registry());
        arm.control(
            "PUT",
            &format!("/_sandbox/resources{connection}"),
            json!({ "properties": { "privateEndpoint": { "id": endpoint(&format!("other{number}")) } } }),
        );
    }
    arm.put(&endpoint("pe"), NETWORK, endpoint_body("endpoints", false))
        .await
        .refused(400, "MaxPrivateEndpointConnectionsReached");
}
