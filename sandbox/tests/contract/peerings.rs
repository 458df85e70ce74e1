//! Network peerings over sockets: their states, address spaces, refusals, and what goes with what.

use crate::support::{Arm, NETWORK, RESOURCES, SUB, group, id};
use fkaks_sandbox::{Options, Settings};
use serde_json::{Value, json};

const OTHER_SUB: &str = "00000000-0000-0000-0000-000000000002";

fn network(name: &str) -> String {
    id(&format!("Microsoft.Network/virtualNetworks/{name}"))
}

fn side(network: &str, name: &str) -> String {
    format!("{network}/virtualNetworkPeerings/{name}")
}

fn space(prefixes: &[&str]) -> Value {
    json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": prefixes } } })
}

fn to(remote: &str) -> Value {
    json!({ "properties": { "remoteVirtualNetwork": { "id": remote } } })
}

/// A sandbox with the networks `app` (10.1.0.0/16) and `hub` (10.2.0.0/16).
async fn two_networks() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(&network("app"), NETWORK, space(&["10.1.0.0/16"]))
        .await;
    arm.create(&network("hub"), NETWORK, space(&["10.2.0.0/16"]))
        .await;
    arm
}

/// The same, peered both ways; the ids of both sides.
async fn peered() -> (Arm, String, String) {
    let arm = two_networks().await;
    let (app, hub) = (network("app"), network("hub"));
    let (near, far) = (side(&app, "to-hub"), side(&hub, "to-app"));
    arm.create(&near, NETWORK, to(&hub)).await;
    arm.create(&far, NETWORK, to(&app)).await;
    (arm, near, far)
}

async fn state(arm: &Arm, peering: &str) -> (String, String) {
    let body = arm.get(peering, NETWORK).await.expect(200).body;
    let text = |name: &str| body["properties"][name].as_str().unwrap().to_owned();
    (text("peeringState"), text("peeringSyncLevel"))
}

fn is(state: &str, level: &str) -> (String, String) {
    (state.to_owned(), level.to_owned())
}

#[tokio::test]
async fn one_side_is_initiated_and_two_are_connected() {
    let arm = two_networks().await;
    let (near, far) = (
        side(&network("app"), "to-hub"),
        side(&network("hub"), "to-app"),
    );
    let reply = arm
        .put(&near, NETWORK, to(&network("hub")))
        .await
        .expect(201);
    assert_eq!(reply.state(), "Updating");
    arm.finish(&reply).await;
    let made = arm.get(&near, NETWORK).await.expect(200).body;
    assert_eq!(made["name"], "to-hub");
    let mut properties = made["properties"].clone();
    properties.as_object_mut().unwrap().remove("resourceGuid");
    assert_eq!(
        properties,
        json!({
            "allowVirtualNetworkAccess": true,
            "allowForwardedTraffic": false,
            "allowGatewayTransit": false,
            "useRemoteGateways": false,
            "doNotVerifyRemoteGateways": false,
            "peerCompleteVnets": true,
            "remoteVirtualNetwork": { "id": network("hub") },
            "remoteAddressSpace": { "addressPrefixes": ["10.2.0.0/16"] },
            "remoteVirtualNetworkAddressSpace": { "addressPrefixes": ["10.2.0.0/16"] },
            "peeringState": "Initiated",
            "peeringSyncLevel": "FullyInSync",
            "provisioningState": "Succeeded",
        })
    );
    arm.create(&far, NETWORK, to(&network("app"))).await;
    assert_eq!(state(&arm, &near).await, is("Connected", "FullyInSync"));
    assert_eq!(state(&arm, &far).await, is("Connected", "FullyInSync"));
    let list = format!("{}/virtualNetworkPeerings", network("app"));
    let list = arm.get(&list, NETWORK).await.expect(200).body;
    assert_eq!(list["value"][0]["id"], near);
    let app = arm.get(&network("app"), NETWORK).await.expect(200).body;
    assert_eq!(
        app["properties"]["virtualNetworkPeerings"], list["value"],
        "a network shows its peerings"
    );
}

#[tokio::test]
async fn a_side_that_lost_the_other_is_made_anew_and_never_updated() {
    let (arm, near, far) = peered().await;
    let (app, hub) = (network("app"), network("hub"));
    arm.remove(&far, NETWORK).await;
    assert_eq!(state(&arm, &near).await, is("Disconnected", "FullyInSync"));
    arm.put(&near, NETWORK, to(&hub))
        .await
        .refused(400, "RemotePeeringIsDisconnected");
    let refused = arm
        .put(&far, NETWORK, to(&app))
        .await
        .refused(400, "RemotePeeringIsDisconnected");
    let said = refused.body["error"]["message"].as_str().unwrap();
    assert!(said.contains(&format!("remote peering {near}")), "{said}");
    arm.remove(&near, NETWORK).await;
    arm.create(&near, NETWORK, to(&hub)).await;
    assert_eq!(state(&arm, &near).await, is("Initiated", "FullyInSync"));
    arm.create(&far, NETWORK, to(&app)).await;
    assert_eq!(state(&arm, &near).await, is("Connected", "FullyInSync"));
    arm.delete(&near.replace("to-hub", "none"), NETWORK)
        .await
        .expect(204);
}

#[tokio::test]
async fn a_network_that_goes_disconnects_its_peers_and_its_successor_stays_apart() {
    let (arm, near, far) = peered().await;
    arm.remove(&network("hub"), NETWORK).await;
    arm.get(&far, NETWORK).await.expect(404);
    assert_eq!(state(&arm, &near).await, is("Disconnected", "FullyInSync"));
    arm.create(&network("hub"), NETWORK, space(&["10.2.0.0/16"]))
        .await;
    assert_eq!(state(&arm, &near).await, is("Disconnected", "FullyInSync"));
}

#[tokio::test]
async fn a_changed_address_space_is_synced_on_each_side_by_a_flag_in_the_query() {
    let (arm, near, far) = peered().await;
    let (app, hub) = (network("app"), network("hub"));
    arm.create(&hub, NETWORK, space(&["10.2.0.0/16", "10.3.0.0/16"]))
        .await;
    assert_eq!(state(&arm, &near).await, is("Connected", "LocalNotInSync"));
    assert_eq!(state(&arm, &far).await, is("Connected", "RemoteNotInSync"));
    arm.create(&app, NETWORK, space(&["10.1.0.0/16", "10.4.0.0/16"]))
        .await;
    let both = is("Connected", "LocalAndRemoteNotInSync");
    assert_eq!(state(&arm, &near).await, both);
    assert_eq!(state(&arm, &far).await, both);

    // What was read is sent back whole, as the Azure CLI does.
    let read = arm.get(&near, NETWORK).await.expect(200).body;
    let plain = arm.create(&near, NETWORK, read.clone()).await;
    let peered = |body: &Value| body["properties"]["remoteAddressSpace"]["addressPrefixes"].clone();
    assert_eq!(peered(&plain), json!(["10.2.0.0/16"]));
    assert_eq!(
        plain["properties"]["remoteVirtualNetworkAddressSpace"]["addressPrefixes"],
        json!(["10.2.0.0/16", "10.3.0.0/16"])
    );
    let sync = format!("{near}?syncRemoteAddressSpace=true");
    let reply = arm.put(&sync, NETWORK, read).await.expect(200);
    arm.finish(&reply).await;
    let synced = arm.get(&near, NETWORK).await.expect(200).body;
    assert_eq!(peered(&synced), json!(["10.2.0.0/16", "10.3.0.0/16"]));
    assert_eq!(state(&arm, &near).await, is("Connected", "RemoteNotInSync"));
    assert_eq!(state(&arm, &far).await, is("Connected", "LocalNotInSync"));
}

#[tokio::test]
async fn address_spaces_of_peers_and_of_their_peers_are_apart() {
    let (arm, near, _) = peered().await;
    let (app, hub) = (network("app"), network("hub"));
    let same = network("same");
    arm.create(&same, NETWORK, space(&["10.9.0.0/16", "10.1.128.0/17"]))
        .await;
    let refused = arm
        .put(&side(&app, "x"), NETWORK, to(&same))
        .await
        .refused(400, "VnetAddressSpacesOverlap");
    let said = refused.body["error"]["message"].as_str().unwrap();
    assert!(
        said.ends_with("Overlapping address prefixes: 10.1.0.0/16, 10.1.128.0/17"),
        "{said}"
    );
    let refused = arm
        .put(&side(&same, "to-hub"), NETWORK, to(&hub))
        .await
        .refused(400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet");
    let said = refused.body["error"]["message"].as_str().unwrap();
    assert!(said.contains(&format!("virtual network {app} already peered")));
    arm.put(&side(&hub, "to-same"), NETWORK, to(&same))
        .await
        .refused(400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet");
    arm.put(&app, NETWORK, space(&["10.1.0.0/16", "10.2.0.0/24"]))
        .await
        .refused(400, "VnetAddressSpacesOverlap");
    // What a disconnected peering led to counts until it is deleted.
    arm.remove(&app, NETWORK).await;
    arm.put(&side(&same, "to-hub"), NETWORK, to(&hub))
        .await
        .refused(400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet");
    assert!(!arm.stored().contains(&near));
}

#[tokio::test]
async fn what_a_peering_may_not_be_gets_azures_codes() {
    let (arm, near, _) = peered().await;
    let (app, hub) = (network("app"), network("hub"));
    arm.create(&network("third"), NETWORK, space(&["10.3.0.0/16"]))
        .await;
    arm.put(&side(&app, "again"), NETWORK, to(&hub))
        .await
        .refused(400, "AnotherPeeringAlreadyReferencesRemoteVnet");
    arm.put(&near, NETWORK, to(&network("third")))
        .await
        .refused(400, "ChangingRemoteVirtualNetworkNotAllowed");
    arm.put(&side(&app, "self"), NETWORK, to(&app))
        .await
        .refused(400, "InvalidRequestFormat");
    arm.put(&side(&app, "none"), NETWORK, json!({ "properties": {} }))
        .await
        .refused(400, "InvalidRequestFormat");
    arm.put(&side(&app, "gone"), NETWORK, to(&network("gone")))
        .await
        .refused(400, "InvalidResourceReference");
    let stranger = network("hub").replace(SUB, "00000000-0000-0000-0000-0000000000ff");
    arm.put(&side(&app, "stranger"), NETWORK, to(&stranger))
        .await
        .refused(403, "LinkedAuthorizationFailed");
    arm.put(&side(&app, "-x-"), NETWORK, to(&network("third")))
        .await
        .refused(400, "InvalidResourceName");
    arm.put(&side(&network("gone"), "x"), NETWORK, to(&hub))
        .await
        .refused(404, "ParentResourceNotFound");
    arm.patch(&near, NETWORK, json!({ "tags": {} }))
        .await
        .expect(405);
}

#[tokio::test]
async fn networks_of_two_subscriptions_are_peered() {
    let arm = Arm::with(Options {
        subscriptions: vec![SUB.to_owned(), OTHER_SUB.to_owned()],
        settings: Settings {
            unwatched_ms: 60_000,
            ..Settings::default()
        },
        ..Options::default()
    })
    .await;
    let there = |id: String| id.replace(SUB, OTHER_SUB);
    for group in [group(), there(group())] {
        arm.create(&group, RESOURCES, json!({ "location": "westeurope" }))
            .await;
    }
    let (app, hub) = (network("app"), there(network("hub")));
    arm.create(&app, NETWORK, space(&["10.1.0.0/16"])).await;
    let mut elsewhere = space(&["10.2.0.0/16"]);
    elsewhere["location"] = json!("northeurope");
    arm.create(&hub, NETWORK, elsewhere).await;
    let (near, far) = (side(&app, "to-hub"), side(&hub, "to-app"));
    arm.create(&near, NETWORK, to(&hub)).await;
    arm.create(&far, NETWORK, to(&app)).await;
    assert_eq!(state(&arm, &near).await, is("Connected", "FullyInSync"));
    arm.remove(&group(), RESOURCES).await;
    assert_eq!(state(&arm, &far).await, is("Disconnected", "FullyInSync"));
}

#[tokio::test]
async fn a_network_s_body_may_bring_peerings_and_leaves_those_that_it_does_not_name() {
    let (arm, near, far) = peered().await;
    let app = network("app");
    arm.create(&app, NETWORK, space(&["10.1.0.0/16"])).await;
    assert_eq!(state(&arm, &near).await, is("Connected", "FullyInSync"));
    // A client that reads a network and writes it back sends its peerings along.
    let read = arm.get(&app, NETWORK).await.expect(200).body;
    arm.create(&app, NETWORK, read).await;
    assert_eq!(state(&arm, &far).await, is("Connected", "FullyInSync"));

    arm.remove(&far, NETWORK).await;
    let read = arm.get(&app, NETWORK).await.expect(200).body;
    arm.create(&app, NETWORK, read).await;
    assert_eq!(state(&arm, &near).await, is("Disconnected", "FullyInSync"));

    let mut third = space(&["10.3.0.0/16"]);
    let mut peering = to(&network("hub"));
    peering["name"] = json!("to-hub");
    third["properties"]["virtualNetworkPeerings"] = json!([peering]);
    let made = arm.create(&network("third"), NETWORK, third.clone()).await;
    let shown = &made["properties"]["virtualNetworkPeerings"][0];
    assert_eq!(shown["properties"]["peeringState"], "Initiated");
    third["properties"]["virtualNetworkPeerings"][0]["properties"]["remoteVirtualNetwork"]["id"] =
        json!(network("third"));
    arm.put(&network("third"), NETWORK, third)
        .await
        .refused(400, "InvalidRequestFormat");
}

#[tokio::test]
async fn a_write_holds_both_networks() {
    let arm = two_networks().await;
    let (app, hub) = (network("app"), network("hub"));
    let reply = arm
        .put(&side(&app, "to-hub"), NETWORK, to(&hub))
        .await
        .expect(201);
    arm.put(&side(&hub, "to-app"), NETWORK, to(&app))
        .await
        .refused(429, "RetryableError");
    arm.delete(&app, NETWORK)
        .await
        .refused(409, "AnotherOperationInProgress");
    arm.finish(&reply).await;
    arm.create(&side(&hub, "to-app"), NETWORK, to(&app)).await;
}

#[tokio::test]
async fn gateways_are_used_only_where_they_are_and_where_the_other_side_lets() {
    let (arm, near, far) = peered().await;
    let (app, hub) = (network("app"), network("hub"));
    let with = |remote: &str, transit: bool, use_remote: bool| {
        let mut body = to(remote);
        body["properties"]["allowGatewayTransit"] = json!(transit);
        body["properties"]["useRemoteGateways"] = json!(use_remote);
        body
    };
    arm.put(&near, NETWORK, with(&hub, true, true))
        .await
        .refused(400, "AllowGatewayTransitAndUseRemoteGatewaysBothSet");
    arm.put(&near, NETWORK, with(&hub, false, true))
        .await
        .refused(400, "RemoteVnetHasNoGateways");
    let subnet = format!("{hub}/subnets/GatewaySubnet");
    let gateway = id("Microsoft.Network/virtualNetworkGateways/vpn");
    let body = json!({ "location": "westeurope", "properties": {
        "gatewayType": "Vpn",
        "ipConfigurations": [{ "name": "default", "properties": { "subnet": { "id": subnet } } }],
    } });
    arm.put(&gateway, NETWORK, body.clone())
        .await
        .refused(400, "InvalidResourceReference");
    arm.create(
        &subnet,
        NETWORK,
        json!({ "properties": { "addressPrefix": "10.2.0.0/27" } }),
    )
    .await;
    arm.create(&gateway, NETWORK, body).await;
    let found = arm.get(&subnet, NETWORK).await.expect(200).body;
    assert_eq!(
        found["properties"]["ipConfigurations"][0]["id"],
        format!("{gateway}/ipConfigurations/default")
    );
    arm.delete(&subnet, NETWORK)
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");

    arm.put(&near, NETWORK, with(&hub, false, true))
        .await
        .refused(400, "RemotePeeringDoesNotAllowGatewayTransit");
    arm.create(&far, NETWORK, with(&app, true, false)).await;
    arm.create(&near, NETWORK, with(&hub, false, true)).await;
    arm.put(&far, NETWORK, with(&app, false, false))
        .await
        .refused(400, "RemotePeeringUsesGateways");
    arm.create(&network("third"), NETWORK, space(&["10.3.0.0/16"]))
        .await;
    arm.put(
        &side(&app, "to-third"),
        NETWORK,
        with(&network("third"), false, true),
    )
    .await
    .refused(400, "AnotherPeeringAlreadyUsesRemoteGateways");
    arm.put(
        &side(&hub, "to-third"),
        NETWORK,
        with(&network("third"), false, true),
    )
    .await
    .refused(400, "VnetHasGateways");
}
