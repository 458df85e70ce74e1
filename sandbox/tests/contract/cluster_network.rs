//! A cluster in a network, over sockets: addresses of nodes and pods, ranges, ways out and who may use them.

use crate::support::cluster::{AKS, body, cluster, network, put, subnet, used};
use crate::support::{NETWORK, id};
use serde_json::json;

#[tokio::test]
async fn nodes_and_pods_take_addresses_of_a_flat_network_and_give_them_back() {
    let arm = network().await;
    arm.create(&cluster(), AKS, body(json!({}), json!({})))
        .await;
    // Two nodes with thirty pods each, and no address for the node that an upgrade would add.
    assert_eq!(used(&arm, "nodes").await, 2 * 31);
    let shown = arm.get(&subnet("nodes"), NETWORK).await.body;
    let first = shown["properties"]["ipConfigurations"][0]["id"]
        .as_str()
        .unwrap();
    assert!(
        first.contains("virtualMachineScaleSets/aks-system-"),
        "{first}"
    );
    arm.delete(&subnet("nodes"), NETWORK)
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");
    let mut pool = arm
        .get(&format!("{}/agentPools/system", cluster()), AKS)
        .await
        .body;
    pool["properties"]["count"] = json!(4);
    let reply = arm
        .put(&format!("{}/agentPools/system", cluster()), AKS, pool)
        .await
        .expect(200);
    arm.finish(&reply).await;
    assert_eq!(used(&arm, "nodes").await, 4 * 31);
    arm.remove(&cluster(), AKS).await;
    assert_eq!(used(&arm, "nodes").await, 0);
    arm.remove(&subnet("nodes"), NETWORK).await;
}

#[tokio::test]
async fn an_overlay_takes_one_address_a_node_and_a_pod_subnet_takes_batches() {
    let arm = network().await;
    let overlay = json!({ "networkPluginMode": "overlay" });
    let made = arm.create(&cluster(), AKS, body(json!({}), overlay)).await;
    assert_eq!(used(&arm, "nodes").await, 2);
    assert_eq!(made["properties"]["agentPoolProfiles"][0]["maxPods"], 250);
    assert_eq!(
        made["properties"]["networkProfile"]["podCidr"],
        "10.244.0.0/16"
    );
    arm.remove(&cluster(), AKS).await;
    let made = arm
        .create(
            &cluster(),
            AKS,
            body(json!({ "podSubnetID": subnet("pods") }), json!({})),
        )
        .await;
    assert!(
        made["properties"]["networkProfile"]
            .get("podCidr")
            .is_none()
    );
    assert_eq!(
        (used(&arm, "nodes").await, used(&arm, "pods").await),
        (2, 32)
    );
    let pods = arm.get(&subnet("pods"), NETWORK).await.body;
    assert_eq!(
        pods["properties"]["delegations"][0]["properties"]["serviceName"],
        "Microsoft.ContainerService/managedClusters"
    );
}

#[tokio::test]
async fn a_subnet_that_is_too_small_is_refused_with_the_numbers() {
    let arm = network().await;
    // (8 + 1) nodes with 31 addresses each are 279, and the subnet has 251.
    let reply = put(&arm, json!({ "count": 8 }), json!({})).await;
    let message = reply.body["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("Pre-allocated IPs 279 exceeds IPs available 251 in Subnet Cidr 10.10.8.0/24, Subnet Name nodes"),
        "{message}"
    );
    reply.refused(400, "InsufficientSubnetSize");
    for (pool, profile) in [
        // The upper bound of the autoscaler counts.
        (
            json!({ "count": 1, "enableAutoScaling": true, "minCount": 1, "maxCount": 9 }),
            json!({}),
        ),
        (json!({ "maxPods": 110 }), json!({})),
        (
            json!({ "count": 5, "upgradeSettings": { "maxSurge": "80%" } }),
            json!({}),
        ),
        // Each node of an overlay has a /24 of the pod range.
        (
            json!({ "count": 4 }),
            json!({ "networkPluginMode": "overlay", "podCidr": "192.168.0.0/22" }),
        ),
        (
            json!({ "vnetSubnetID": subnet("tiny"), "count": 11 }),
            json!({ "networkPluginMode": "overlay" }),
        ),
        (
            json!({ "podSubnetID": subnet("pods"), "count": 15 }),
            json!({}),
        ),
    ] {
        put(&arm, pool, profile)
            .await
            .refused(400, "InsufficientSubnetSize");
    }
}

#[tokio::test]
async fn pools_share_one_subnet_and_what_others_use_counts() {
    let arm = network().await;
    arm.create(&cluster(), AKS, body(json!({}), json!({})))
        .await;
    let pool = |count: u32, subnet_name: &str| json!({ "properties": { "mode": "User", "count": count, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": subnet(subnet_name) } });
    let url = format!("{}/agentPools/work", cluster());
    // (2 + 1) and (5 + 1) nodes with 31 addresses each are 279.
    arm.put(&url, AKS, pool(5, "nodes"))
        .await
        .refused(400, "InsufficientSubnetSize");
    arm.create(&url, AKS, pool(4, "nodes")).await;
    let other = id("Microsoft.Network/virtualNetworks/other");
    arm.create(&other, NETWORK, json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.20.0.0/16"] }, "subnets": [{ "name": "a", "properties": { "addressPrefix": "10.20.0.0/24" } }] } })).await;
    let mut elsewhere = pool(1, "nodes");
    elsewhere["properties"]["vnetSubnetID"] = json!(format!("{other}/subnets/a"));
    arm.put(&format!("{}/agentPools/more", cluster()), AKS, elsewhere)
        .await
        .refused(400, "InvalidParameter");
    let without = json!({ "properties": { "mode": "User", "vmSize": "Standard_D4ds_v5" } });
    let url = format!("{}/agentPools/more", cluster());
    arm.put(&url, AKS, without.clone())
        .await
        .refused(400, "InsufficientSubnetSize");
    arm.remove(&format!("{}/agentPools/work", cluster()), AKS)
        .await;
    let joined = arm.create(&url, AKS, without).await;
    assert_eq!(joined["properties"]["vnetSubnetID"], subnet("nodes"));
}

/// Microsoft Learn, "Configure Azure CNI Powered by Cilium in Azure Kubernetes Service (AKS)": addresses from an
/// overlay, from a pod subnet, or from the nodes' own subnet.
#[tokio::test]
async fn cilium_takes_pods_in_the_subnet_of_the_nodes() {
    let arm = network().await;
    let plane = json!({ "networkDataplane": "cilium", "networkPolicy": "cilium" });
    let made = arm.create(&cluster(), AKS, body(json!({}), plane)).await;
    let profile = &made["properties"]["networkProfile"];
    assert_eq!(profile["networkDataplane"], "cilium");
    assert_eq!(profile["networkPolicy"], "cilium");
    assert_eq!(profile["networkPlugin"], "azure");
    assert!(profile.get("networkPluginMode").is_none(), "{profile}");
    // Two nodes and the 30 pods of each.
    assert_eq!(used(&arm, "nodes").await, 62);
}

#[tokio::test]
async fn ranges_plugins_and_subnets_are_checked() {
    let arm = network().await;
    for (profile, code) in [
        (
            json!({ "serviceCidr": "10.10.0.0/16", "dnsServiceIP": "10.10.0.10" }),
            "ServiceCidrOverlapExistingSubnetsCidr",
        ),
        (
            json!({ "serviceCidr": "172.16.0.0/16" }),
            "DnsServiceIpOutOfServiceCidr",
        ),
        (
            json!({ "dnsServiceIP": "10.0.0.1" }),
            "DnsServiceIpConflicting",
        ),
        (
            json!({ "serviceCidr": "172.30.0.0/16", "dnsServiceIP": "172.30.0.10" }),
            "InvalidParameter",
        ),
        (
            json!({ "networkPluginMode": "overlay", "podCidr": "10.0.128.0/17" }),
            "PodCidrOverlapServiceCidr",
        ),
        (
            json!({ "networkPluginMode": "overlay", "podCidr": "10.10.0.0/17" }),
            "PodCidrOverlapExistingSubnetsCidr",
        ),
        (json!({ "serviceCidr": "x" }), "CidrStringParseError"),
        (
            json!({ "networkPlugin": "kubenet", "networkPolicy": "azure" }),
            "NetworkPolicyAzureNotSupportedForKubenet",
        ),
        (
            json!({ "networkPlugin": "kubenet", "networkPolicy": "cilium" }),
            "NetworkPolicyNotSupported",
        ),
        (
            json!({ "networkPlugin": "kubenet", "networkPluginMode": "overlay" }),
            "InvalidParameter",
        ),
        (
            json!({ "outboundType": "block" }),
            "UnsupportedOutboundType",
        ),
        (
            json!({ "outboundType": "managedNATGateway" }),
            "ManagedNATGatewayWithCustomVNetNotAllowed",
        ),
        (
            json!({ "outboundType": "userAssignedNATGateway" }),
            "SubnetNotAssociatedWithNATGateway",
        ),
        (
            json!({ "outboundType": "userDefinedRouting" }),
            "ExistingRouteTableNotAssociatedWithSubnet",
        ),
        (
            json!({ "loadBalancerProfile": { "managedOutboundIPs": { "count": 1 }, "outboundIPs": { "publicIPs": [{ "id": "/x" }] } } }),
            "InvalidLoadBalancerProfile",
        ),
        (
            json!({ "loadBalancerProfile": { "outboundIPs": { "publicIPs": [] } } }),
            "InvalidLoadBalancerProfileOutboundIPs",
        ),
        (
            json!({ "loadBalancerProfile": { "allocatedOutboundPorts": 64000 } }),
            "InsufficientOutboundPorts",
        ),
    ] {
        let reply = put(&arm, json!({}), profile.clone()).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, code),
            "{profile}: {}",
            reply.body
        );
    }
    for (pool, code) in [
        (json!({ "vnetSubnetID": subnet("none") }), "SubnetNotFound"),
        (json!({ "vnetSubnetID": "/x" }), "InvalidParameter"),
    ] {
        put(&arm, pool, json!({})).await.refused(400, code);
    }
    arm.create(&subnet("nodes"), NETWORK, json!({ "properties": { "addressPrefix": "10.10.8.0/24", "delegations": [{ "name": "d", "properties": { "serviceName": "Microsoft.Web/serverFarms" } }] } })).await;
    put(&arm, json!({}), json!({}))
        .await
        .refused(400, "SubnetIsDelegated");
}

#[tokio::test]
async fn the_network_of_a_cluster_changes_only_where_azure_lets_it() {
    let arm = network().await;
    let made = arm
        .create(&cluster(), AKS, body(json!({}), json!({})))
        .await;
    for (name, value, code) in [
        (
            "networkPlugin",
            json!("kubenet"),
            "PropertyChangeNotAllowed",
        ),
        (
            "serviceCidr",
            json!("10.1.0.0/16"),
            "PropertyChangeNotAllowed",
        ),
        (
            "dnsServiceIP",
            json!("10.0.0.11"),
            "PropertyChangeNotAllowed",
        ),
        (
            "outboundType",
            json!("managedNATGateway"),
            "UpdatingOutboundTypeNotAllowed",
        ),
    ] {
        let mut next = made.clone();
        next["properties"]["networkProfile"][name] = value;
        if name == "serviceCidr" {
            next["properties"]["networkProfile"]["dnsServiceIP"] = json!("10.1.0.10");
        }
        if name == "outboundType" {
            next["properties"]["networkProfile"]
                .as_object_mut()
                .unwrap()
                .remove("loadBalancerProfile");
        }
        arm.put(&cluster(), AKS, next).await.refused(400, code);
    }
    let mut next = made;
    next["properties"]["networkProfile"]["networkPluginMode"] = json!("overlay");
    let reply = arm.put(&cluster(), AKS, next).await.expect(200);
    arm.finish(&reply).await;
    let after = arm.get(&cluster(), AKS).await.body;
    assert_eq!(
        after["properties"]["networkProfile"]["podCidr"],
        "10.244.0.0/16"
    );
}
