//! Private endpoints against a registry: addresses, interface, connection, records, repair, contention.

use crate::support::{Arm, NETWORK, RESOURCES, Reply, group, id};
use serde_json::{Value, json};

const ACR: &str = "2025-11-01";
const DNS: &str = "2024-06-01";

fn subnet() -> String {
    id("Microsoft.Network/virtualNetworks/net/subnets/endpoints")
}
fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/shop42")
}
fn zone() -> String {
    id("Microsoft.Network/privateDnsZones/privatelink.azurecr.io")
}
fn endpoint(name: &str) -> String {
    id(&format!("Microsoft.Network/privateEndpoints/{name}"))
}
fn record(name: &str) -> String {
    format!("{}/A/{name}", zone())
}

/// Group, network, Premium registry and zone.
async fn world(prefix: &str) -> Arm {
    let arm = Arm::with_group().await;
    arm.create(
        &id("Microsoft.Network/virtualNetworks/net"),
        NETWORK,
        json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "endpoints", "properties": { "addressPrefix": prefix } }] } }),
    )
    .await;
    arm.create(
        &registry(),
        ACR,
        json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": {} }),
    )
    .await;
    arm.create(&zone(), DNS, json!({ "location": "global" }))
        .await;
    arm
}

fn body(manual: bool) -> Value {
    let connection = json!({ "name": "c", "properties": { "privateLinkServiceId": registry(), "groupIds": ["registry"], "requestMessage": "please" } });
    let member = if manual {
        "manualPrivateLinkServiceConnections"
    } else {
        "privateLinkServiceConnections"
    };
    json!({ "location": "westeurope", "properties": { "subnet": { "id": subnet() }, member: [connection] } })
}

fn zone_group() -> Value {
    json!({ "properties": { "privateDnsZoneConfigs": [{ "name": "acr", "properties": { "privateDnsZoneId": zone() } }] } })
}

async fn connections(arm: &Arm) -> Vec<Value> {
    arm.get(&format!("{}/privateEndpointConnections", registry()), ACR)
        .await
        .expect(200)
        .body["value"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn an_endpoint_gets_an_interface_a_connection_and_the_names_of_the_registry() {
    let arm = world("10.0.16.0/27").await;
    let made = arm
        .put(&endpoint("pe"), NETWORK, body(false))
        .await
        .expect(201);
    assert_eq!(made.state(), "Updating");
    arm.finish(&made).await;
    let pe = arm.get(&endpoint("pe"), NETWORK).await.expect(200).body;
    assert_eq!(
        pe["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"]
            ["status"],
        "Approved"
    );
    assert_eq!(
        pe["properties"]["manualPrivateLinkServiceConnections"],
        json!([])
    );
    assert_eq!(
        pe["properties"]["customDnsConfigs"],
        json!([
            { "fqdn": "shop42.azurecr.io", "ipAddresses": ["10.0.16.4"] },
            { "fqdn": "shop42.westeurope.data.azurecr.io", "ipAddresses": ["10.0.16.5"] },
        ])
    );
    let nic = arm
        .get(
            pe["properties"]["networkInterfaces"][0]["id"]
                .as_str()
                .unwrap(),
            NETWORK,
        )
        .await
        .expect(200)
        .body;
    let members: Vec<&Value> = nic["properties"]["ipConfigurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ip| &ip["properties"]["privateLinkConnectionProperties"])
        .collect();
    assert_eq!(
        members[1],
        &json!({ "groupId": "registry", "requiredMemberName": "registry_data_westeurope", "fqdns": ["shop42.westeurope.data.azurecr.io"] })
    );
    assert_eq!(nic["properties"]["privateEndpoint"]["id"], endpoint("pe"));
    arm.delete(nic["id"].as_str().unwrap(), NETWORK)
        .await
        .refused(400, "NicInUseWithPrivateEndpoint");

    let connections = connections(&arm).await;
    assert_eq!(connections.len(), 1);
    assert_eq!(
        connections[0]["properties"]["privateEndpoint"]["id"],
        endpoint("pe")
    );
    let shown = arm.get(&subnet(), NETWORK).await.body;
    assert_eq!(
        shown["properties"]["privateEndpoints"],
        json!([{ "id": endpoint("pe") }])
    );
    arm.delete(&subnet(), NETWORK)
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");

    arm.remove(&endpoint("pe"), NETWORK).await;
    arm.get(nic["id"].as_str().unwrap(), NETWORK)
        .await
        .expect(404);
    assert!(self::connections(&arm).await.is_empty());
    arm.remove(&subnet(), NETWORK).await;
}

#[tokio::test]
async fn a_zone_group_writes_records_and_takes_them_away() {
    let arm = world("10.0.16.0/27").await;
    arm.create(&endpoint("pe"), NETWORK, body(false)).await;
    let group_id = format!("{}/privateDnsZoneGroups/default", endpoint("pe"));
    let mut missing = zone_group();
    missing["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"] =
        json!(zone().replace("azurecr", "nothing"));
    arm.put(&group_id, NETWORK, missing)
        .await
        .refused(400, "InvalidResourceReference");
    let written_group = arm.create(&group_id, NETWORK, zone_group()).await;
    let sets = &written_group["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"];
    assert_eq!(sets[0]["fqdn"], "shop42.privatelink.azurecr.io");
    assert_eq!(
        (&sets[1]["recordSetName"], &sets[1]["ipAddresses"]),
        (&json!("shop42.westeurope.data"), &json!(["10.0.16.5"]))
    );
    let written = arm.get(&record("shop42"), DNS).await.expect(200).body;
    assert_eq!(written["properties"]["ttl"], 10);
    assert_eq!(
        written["properties"]["aRecords"],
        json!([{ "ipv4Address": "10.0.16.4" }])
    );
    assert!(
        written["properties"]["metadata"]["creator"]
            .as_str()
            .unwrap()
            .starts_with("created by private endpoint pe with resource guid ")
    );
    assert_eq!(
        arm.get(&endpoint("pe"), NETWORK).await.body["properties"]["customDnsConfigs"],
        json!([])
    );
    arm.put(
        &group_id.replace("/default", "/second"),
        NETWORK,
        zone_group(),
    )
    .await
    .refused(
        400,
        "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
    );

    arm.remove(&group_id, NETWORK).await;
    arm.get(&record("shop42"), DNS).await.expect(404);
    arm.create(&group_id, NETWORK, zone_group()).await;
    arm.remove(&endpoint("pe"), NETWORK).await;
    arm.get(&record("shop42.westeurope.data"), DNS)
        .await
        .expect(404);
    arm.remove(&group(), RESOURCES).await;
    assert!(arm.stored().is_empty(), "{:?}", arm.stored());
}

#[tokio::test]
async fn wrong_endpoints_are_refused() {
    let arm = world("10.0.16.0/29").await;
    let refused = |change: fn(&mut Value)| {
        let mut body = body(false);
        change(&mut body);
        body
    };
    let put = |body: Value| {
        let arm = &arm;
        async move { arm.put(&endpoint("pe"), NETWORK, body).await }
    };
    put(refused(|b| b["location"] = json!("eastus")))
        .await
        .refused(400, "InvalidResourceReference");
    put(refused(|b| {
        b["properties"]["privateLinkServiceConnections"] = json!([]);
    }))
    .await
    .refused(
        400,
        "PrivateEndpointMustHaveOnePrivateLinkServiceConnection",
    );
    put(refused(|b| {
        b["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"] =
            json!("nonsense");
    }))
    .await
    .refused(400, "LinkedInvalidPropertyId");
    put(refused(|b| {
        b["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"] =
            json!(registry().replace("shop42", "gone"));
    }))
    .await
    .refused(400, "InvalidResourceReference");
    put(refused(|b| {
        b["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"] =
            json!(subnet());
    }))
    .await
    .refused(400, "PrivateLinkServiceIdNotSupported");
    let one = |address: &str, member: &str| json!({ "name": member, "properties": { "groupId": "registry", "memberName": member, "privateIPAddress": address } });
    let fixed = |items: Value| {
        let mut body = body(false);
        body["properties"]["ipConfigurations"] = items;
        body
    };
    let reply: Reply = put(fixed(json!([one("10.0.16.4", "registry")])))
        .await
        .refused(
            400,
            "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps",
        );
    assert!(
        reply.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("registry_data_westeurope"),
        "{}",
        reply.body
    );
    put(fixed(json!([
        one("10.0.16.1", "registry"),
        one("10.0.16.5", "registry_data_westeurope")
    ])))
    .await
    .refused(400, "PrivateIPAddressInReservedRange");
    let pe = arm
        .create(
            &endpoint("pe"),
            NETWORK,
            fixed(json!([
                one("10.0.16.5", "registry"),
                one("10.0.16.4", "registry_data_westeurope")
            ])),
        )
        .await;
    assert_eq!(
        pe["properties"]["customDnsConfigs"][0],
        json!({ "fqdn": "shop42.azurecr.io", "ipAddresses": ["10.0.16.5"] })
    );
    // Three usable addresses, two are taken.
    arm.put(&endpoint("two"), NETWORK, body(false))
        .await
        .refused(400, "SubnetIsFull");
    let mut moved = fixed(json!([
        one("10.0.16.5", "registry"),
        one("10.0.16.6", "registry_data_westeurope")
    ]));
    arm.put(&endpoint("pe"), NETWORK, moved.clone())
        .await
        .refused(400, "CannotChangeIpConfigurationsOnPrivateEndpoint");
    moved["properties"]["ipConfigurations"] = pe["properties"]["ipConfigurations"].clone();
    arm.create(&endpoint("pe"), NETWORK, moved).await;
}

#[tokio::test]
async fn a_manual_connection_waits_for_the_approver() {
    let arm = world("10.0.16.0/27").await;
    arm.control("POST", "/_sandbox/actors", json!({ "on": { "method": "PUT", "path": "*/privateEndpoints/pe" }, "afterRequests": 6, "do": { "run": { "name": "approve" } } }));
    let pe = arm.create(&endpoint("pe"), NETWORK, body(true)).await;
    let state = |pe: &Value| {
        pe["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"].clone()
    };
    assert_eq!(
        state(&pe),
        json!({ "status": "Pending", "description": "please", "actionsRequired": "None" })
    );
    assert_eq!(pe["properties"]["provisioningState"], "Succeeded");
    for _ in 0..4 {
        arm.get(&endpoint("pe"), NETWORK).await;
    }
    assert_eq!(
        state(&arm.get(&endpoint("pe"), NETWORK).await.body)["status"],
        "Approved"
    );
    // The owner removes the connection: the endpoint stays, disconnected, also after another PUT.
    let connection = connections(&arm).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    arm.remove(&connection, ACR).await;
    assert_eq!(
        state(&arm.get(&endpoint("pe"), NETWORK).await.body)["status"],
        "Disconnected"
    );
    assert_eq!(
        state(&arm.create(&endpoint("pe"), NETWORK, body(true)).await)["status"],
        "Disconnected"
    );
}

#[tokio::test]
async fn an_endpoint_holds_its_network_and_its_registry_while_it_is_made() {
    let arm = world("10.0.16.0/27").await;
    let made = arm
        .put(&endpoint("pe"), NETWORK, body(false))
        .await
        .expect(201);
    arm.put(&endpoint("two"), NETWORK, body(false))
        .await
        .refused(429, "RetryableError");
    let refused = arm
        .patch(&registry(), ACR, json!({ "tags": { "a": "b" } }))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    arm.finish(&made).await;
    arm.create(&endpoint("two"), NETWORK, body(false)).await;
}

#[tokio::test]
async fn a_policy_attaches_a_zone_group_later() {
    let arm = world("10.0.16.0/27").await;
    arm.control("POST", "/_sandbox/actors", json!({ "on": { "method": "PUT", "path": "*/privateEndpoints/pe" }, "afterRequests": 1,
        "do": { "request": { "method": "PUT", "path": "{id}/privateDnsZoneGroups/policy", "body": zone_group() } } }));
    arm.create(&endpoint("pe"), NETWORK, body(false)).await;
    arm.get(&endpoint("pe"), NETWORK).await;
    arm.get(&endpoint("pe"), NETWORK).await;
    arm.get(&record("shop42"), DNS).await.expect(200);
}

#[tokio::test]
async fn an_endpoint_whose_operation_failed_is_repaired_by_the_same_put() {
    let arm = world("10.0.16.0/27").await;
    arm.fault(json!({ "match": { "method": "PUT", "path": "*/privateEndpoints/pe" }, "effect": { "failedOperation": { "code": "RetryableError" } } }));
    let made = arm
        .put(&endpoint("pe"), NETWORK, body(false))
        .await
        .expect(201);
    assert_eq!(
        arm.finish(&made).await.body["error"]["code"],
        "RetryableError"
    );
    assert_eq!(arm.get(&endpoint("pe"), NETWORK).await.state(), "Failed");
    let pe = arm.create(&endpoint("pe"), NETWORK, body(false)).await;
    assert_eq!(
        pe["properties"]["customDnsConfigs"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn every_replica_takes_an_address_in_every_endpoint_and_gets_a_record() {
    let arm = world("10.0.16.0/29").await;
    arm.create(&endpoint("pe"), NETWORK, body(false)).await;
    arm.create(
        &format!("{}/privateDnsZoneGroups/default", endpoint("pe")),
        NETWORK,
        zone_group(),
    )
    .await;
    let replica = |region: &str| format!("{}/replications/{region}", registry());
    arm.create(
        &replica("northeurope"),
        ACR,
        json!({ "location": "northeurope", "properties": {} }),
    )
    .await;
    assert_eq!(
        arm.get(&record("shop42.northeurope.data"), DNS)
            .await
            .expect(200)
            .body["properties"]["aRecords"],
        json!([{ "ipv4Address": "10.0.16.6" }])
    );
    // The subnet is full now: the next replica fails and vanishes.
    let full = arm
        .put(
            &replica("uksouth"),
            ACR,
            json!({ "location": "uksouth", "properties": {} }),
        )
        .await
        .expect(201);
    assert_eq!(arm.finish(&full).await.body["status"], "Failed");
    arm.get(&replica("uksouth"), ACR).await.expect(404);
    arm.remove(&replica("northeurope"), ACR).await;
    arm.get(&record("shop42.northeurope.data"), DNS)
        .await
        .expect(404);
}
