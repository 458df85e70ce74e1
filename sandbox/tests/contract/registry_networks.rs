//! Network rules of a registry's data plane: who comes over the internet, and who over a private endpoint,
//! which zone, link, record, endpoint and peering must lead to.

use serde_json::{Value, json};

use crate::support::plane::Plane;
use crate::support::{Arm, NETWORK, id};

const ACR: &str = "2025-11-01";
const DNS: &str = "2024-06-01";

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkacr")
}

fn network(name: &str) -> String {
    id(&format!("Microsoft.Network/virtualNetworks/{name}"))
}

fn subnet(network_name: &str) -> String {
    format!("{}/subnets/nodes", network(network_name))
}

fn endpoint() -> String {
    id("Microsoft.Network/privateEndpoints/fk-acr-pe")
}

fn zone() -> String {
    id("Microsoft.Network/privateDnsZones/privatelink.azurecr.io")
}

fn link(name: &str) -> String {
    format!("{}/virtualNetworkLinks/{name}", zone())
}

async fn with_registry(properties: Value) -> Arm {
    let arm = Arm::with_group().await;
    let body =
        json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": properties });
    arm.create(&registry(), ACR, body).await;
    arm
}

async fn change(arm: &Arm, properties: Value) {
    let reply = arm
        .patch(&registry(), ACR, json!({ "properties": properties }))
        .await;
    arm.finish(&reply).await;
}

async fn with_network(arm: &Arm, name: &str, prefix: &str) {
    let subnets = json!([{ "name": "nodes", "properties": { "addressPrefix": prefix } }]);
    let space = json!({ "addressPrefixes": [prefix] });
    let body = json!({ "location": "westeurope", "properties": { "addressSpace": space, "subnets": subnets } });
    arm.create(&network(name), NETWORK, body).await;
}

async fn with_link(arm: &Arm, name: &str, properties: &[(&str, &str)]) {
    let mut body = json!({ "location": "global", "properties": {
        "registrationEnabled": false, "virtualNetwork": { "id": network(name) } } });
    for (name, value) in properties {
        body["properties"][name] = json!(value);
    }
    arm.create(&link(name), DNS, body).await;
}

async fn peer(arm: &Arm, from: &str, to: &str) {
    let body = json!({ "properties": { "remoteVirtualNetwork": { "id": network(to) } } });
    let side = format!("{}/virtualNetworkPeerings/{to}", network(from));
    arm.create(&side, NETWORK, body).await;
}

/// A registry that is private alone: its endpoint in the network `hub`, with zone and records, and the
/// network `hub` linked.
async fn private() -> Arm {
    let arm = with_registry(json!({ "publicNetworkAccess": "Disabled" })).await;
    with_network(&arm, "hub", "10.1.0.0/24").await;
    with_network(&arm, "app", "10.2.0.0/24").await;
    let connection = json!([{ "name": "c", "properties": {
        "privateLinkServiceId": registry(), "groupIds": ["registry"] } }]);
    let body = json!({ "location": "westeurope", "properties": {
        "subnet": { "id": subnet("hub") }, "privateLinkServiceConnections": connection } });
    arm.create(&endpoint(), NETWORK, body).await;
    arm.create(&zone(), DNS, json!({ "location": "global" }))
        .await;
    with_link(&arm, "hub", &[]).await;
    let configs = json!([{ "name": "acr", "properties": { "privateDnsZoneId": zone() } }]);
    let group = format!("{}/privateDnsZoneGroups/default", endpoint());
    let body = json!({ "properties": { "privateDnsZoneConfigs": configs } });
    arm.create(&group, NETWORK, body).await;
    arm
}

/// 401: let in, and asked for a token; 403: denied; 0: no connection.
async fn knock(arm: &Arm, place: &str) -> u16 {
    Plane::from(arm, place).knock().await.0
}

#[tokio::test]
async fn a_registry_that_denies_by_default_lets_its_ranges_in_and_says_whom_it_kept_out() {
    let rules = json!({ "defaultAction": "Deny", "ipRules": [
        { "value": "203.0.113.0/28" }, { "value": "198.51.100.20" }] });
    let arm = with_registry(json!({ "networkRuleSet": rules })).await;
    for inside in ["203.0.113.0", "203.0.113.15", "198.51.100.20"] {
        assert_eq!(knock(&arm, inside).await, 401, "{inside}");
    }
    for outside in ["203.0.113.16", "198.51.100.21"] {
        let (status, text) = Plane::from(&arm, outside).knock().await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (403, &json!("DENIED"))
        );
        let why = format!("client with IP '{outside}' is not allowed access");
        assert!(text.contains(&why), "{text}");
        // Nobody outside gets as far as a login.
        let plane = Plane::from(&arm, outside);
        assert_eq!(plane.entra(&arm.token, "registry:catalog:*").await.0, 403);
    }
    // A rule that is taken away counts from then on, and so does an open door.
    let fewer = json!({ "defaultAction": "Deny", "ipRules": [{ "value": "198.51.100.20" }] });
    change(&arm, json!({ "networkRuleSet": fewer })).await;
    assert_eq!(knock(&arm, "203.0.113.0").await, 403);
    change(
        &arm,
        json!({ "networkRuleSet": { "defaultAction": "Allow", "ipRules": [] } }),
    )
    .await;
    assert_eq!(knock(&arm, "203.0.113.0").await, 401);
}

#[tokio::test]
async fn trusted_services_come_in_past_the_rules_unless_they_are_shut_out() {
    let arm = with_registry(json!({ "networkRuleSet": { "defaultAction": "Deny" } })).await;
    assert_eq!(knock(&arm, "trusted-service").await, 401);
    change(&arm, json!({ "networkRuleBypassOptions": "None" })).await;
    assert_eq!(knock(&arm, "trusted-service").await, 403);
    change(
        &arm,
        json!({ "networkRuleSet": { "defaultAction": "Allow" } }),
    )
    .await;
    assert_eq!(knock(&arm, "trusted-service").await, 401);
}

#[tokio::test]
async fn a_private_registry_is_reached_where_zone_link_record_and_endpoint_lead_to_it() {
    let arm = private().await;
    assert_eq!(knock(&arm, "203.0.113.7").await, 403, "the internet");
    assert_eq!(knock(&arm, &subnet("hub")).await, 401);
    // An address tells the subnet that it lies in as well.
    assert_eq!(knock(&arm, "10.1.0.77").await, 401);
    // This network does not resolve through the zone: it finds the public address, which is shut.
    assert_eq!(knock(&arm, &subnet("app")).await, 403);
    assert_eq!(knock(&arm, "10.2.0.77").await, 403);

    // Without the record the name leads nowhere, and with a wrong one to nobody.
    let record = format!("{}/A/fkacr", zone());
    let right = arm.get(&record, DNS).await.expect(200).body;
    let wrong = json!({ "properties": { "aRecords": [{ "ipv4Address": "10.1.0.200" }] } });
    arm.control("PATCH", &format!("/_sandbox/resources{record}"), wrong);
    assert_eq!(knock(&arm, &subnet("hub")).await, 0);
    let again = json!({ "properties": { "aRecords": right["properties"]["aRecords"] } });
    arm.control("PATCH", &format!("/_sandbox/resources{record}"), again);
    assert_eq!(knock(&arm, &subnet("hub")).await, 401);
    arm.remove(&record, DNS).await;
    assert_eq!(knock(&arm, &subnet("hub")).await, 0);
    // A link that falls back to the internet finds the public address instead.
    with_link(&arm, "hub", &[("resolutionPolicy", "NxDomainRedirect")]).await;
    assert_eq!(knock(&arm, &subnet("hub")).await, 403);
}

#[tokio::test]
async fn an_endpoint_that_is_not_approved_leads_to_nothing() {
    let arm = private().await;
    let list = arm
        .get(&format!("{}/privateEndpointConnections", registry()), ACR)
        .await
        .expect(200);
    let connection = list.body["value"][0].clone();
    let mut body = json!({ "properties": connection["properties"] });
    body["properties"]["privateLinkServiceConnectionState"]["status"] = json!("Rejected");
    let reply = arm.put(connection["id"].as_str().unwrap(), ACR, body).await;
    assert!(reply.status < 300, "{}", reply.body);
    arm.control("POST", "/_sandbox/operations/complete", json!({}));
    assert_eq!(knock(&arm, &subnet("hub")).await, 403);
}

#[tokio::test]
async fn a_network_beside_needs_a_link_and_a_peering_that_is_connected() {
    let arm = private().await;
    with_link(&arm, "app", &[]).await;
    // It finds the private address, to which no way leads.
    assert_eq!(knock(&arm, &subnet("app")).await, 0);
    peer(&arm, "app", "hub").await;
    assert_eq!(
        knock(&arm, &subnet("app")).await,
        0,
        "one side is initiated"
    );
    peer(&arm, "hub", "app").await;
    assert_eq!(knock(&arm, &subnet("app")).await, 401);
    arm.remove(&link("app"), DNS).await;
    assert_eq!(knock(&arm, &subnet("app")).await, 403, "public again");
}

#[tokio::test]
async fn a_network_with_servers_of_its_own_resolves_where_these_stand() {
    let arm = private().await;
    with_link(&arm, "app", &[]).await;
    peer(&arm, "app", "hub").await;
    peer(&arm, "hub", "app").await;
    let servers = async |addresses: &[&str]| {
        let options = json!({ "properties": { "dhcpOptions": { "dnsServers": addresses } } });
        let path = format!("/_sandbox/resources{}", network("app"));
        arm.control("PATCH", &path, options);
    };
    // A server that is nowhere in Azure knows nothing of zones.
    servers(&["192.168.7.7"]).await;
    assert_eq!(knock(&arm, &subnet("app")).await, 403);
    servers(&["10.1.0.50"]).await;
    assert_eq!(knock(&arm, &subnet("app")).await, 401);
    arm.remove(&link("hub"), DNS).await;
    assert_eq!(
        knock(&arm, &subnet("app")).await,
        403,
        "its own link is no help"
    );
    servers(&["168.63.129.16"]).await;
    assert_eq!(knock(&arm, &subnet("app")).await, 401);
}
