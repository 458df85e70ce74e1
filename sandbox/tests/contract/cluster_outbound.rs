//! How a cluster reaches the world, over sockets: load balancer, NAT gateway, route table, and who may use them.

use crate::support::cluster::{AKS, MSI, NODES, body, cluster, in_nodes, network, subnet};
use crate::support::{Arm, NETWORK, SUB, id};
use serde_json::{Value, json};

#[tokio::test]
async fn a_load_balancer_has_as_many_managed_addresses_as_asked() {
    let arm = network().await;
    let mut made = arm
        .create(
            &cluster(),
            AKS,
            body(
                json!({}),
                json!({ "loadBalancerProfile": { "managedOutboundIPs": { "count": 2 } } }),
            ),
        )
        .await;
    let effective = |body: &Value| -> Vec<String> {
        body["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = effective(&made);
    assert_eq!(first.len(), 2);
    for id in &first {
        assert!(id.contains(NODES), "{id}");
        let address = arm.get(id, NETWORK).await.expect(200).body;
        assert!(address["properties"]["ipAddress"].is_string());
        arm.delete(id, NETWORK)
            .await
            .refused(400, "PublicIPAddressCannotBeDeleted");
    }
    let group = format!("/subscriptions/{SUB}/resourceGroups/{NODES}");
    let group = arm
        .get(&group, crate::support::RESOURCES)
        .await
        .expect(200)
        .body;
    assert_eq!(group["managedBy"], cluster());
    let balancer = in_nodes("Microsoft.Network/loadBalancers/kubernetes");
    let balancer = arm.get(&balancer, NETWORK).await.expect(200).body;
    assert_eq!(
        balancer["properties"]["frontendIPConfigurations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // One more keeps the two that are there; the user's own addresses replace them all.
    made["properties"]["networkProfile"]["loadBalancerProfile"]["managedOutboundIPs"]["count"] =
        json!(3);
    let reply = arm.put(&cluster(), AKS, made.clone()).await.expect(200);
    arm.finish(&reply).await;
    let after = arm.get(&cluster(), AKS).await.body;
    assert_eq!(effective(&after)[..2], first);
    let own = id("Microsoft.Network/publicIPAddresses/out");
    arm.create(&own, NETWORK, json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } })).await;
    made["properties"]["networkProfile"]["loadBalancerProfile"] =
        json!({ "outboundIPs": { "publicIPs": [{ "id": own }] } });
    let reply = arm.put(&cluster(), AKS, made.clone()).await.expect(200);
    arm.finish(&reply).await;
    let after = arm.get(&cluster(), AKS).await.body;
    assert_eq!(effective(&after), std::slice::from_ref(&own));
    assert!(!arm.stored().iter().any(|id| first.contains(id)));
    made["properties"]["networkProfile"]["loadBalancerProfile"] =
        json!({ "outboundIPs": { "publicIPs": [{ "id": format!("{own}2") }] } });
    arm.put(&cluster(), AKS, made)
        .await
        .refused(400, "LoadBalancerProfileOutboundIPNotExist");
    arm.remove(&cluster(), AKS).await;
    assert!(!arm.stored().iter().any(|id| id.contains(NODES)));
    arm.remove(&own, NETWORK).await;
}

#[tokio::test]
async fn a_load_balancer_may_have_a_prefix_of_the_users() {
    let arm = network().await;
    let prefix = id("Microsoft.Network/publicIPPrefixes/out");
    let made = arm
        .create(
            &prefix,
            NETWORK,
            json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": { "prefixLength": 30 } }),
        )
        .await;
    assert!(
        made["properties"]["ipPrefix"]
            .as_str()
            .unwrap()
            .ends_with("/30")
    );
    let profile = |id: &str| json!({ "loadBalancerProfile": { "outboundIPPrefixes": { "publicIPPrefixes": [{ "id": id }] } } });
    arm.put(&cluster(), AKS, body(json!({}), profile("/none")))
        .await
        .refused(400, "LoadBalancerProfileOutboundIPPrefixNotExist");
    let made = arm
        .create(&cluster(), AKS, body(json!({}), profile(&prefix)))
        .await;
    assert_eq!(
        made["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"],
        json!([{ "id": prefix }])
    );
    arm.delete(&prefix, NETWORK)
        .await
        .refused(400, "InUsePublicIpPrefixCannotBeDeleted");
    arm.remove(&cluster(), AKS).await;
    arm.remove(&prefix, NETWORK).await;
}

#[tokio::test]
async fn a_cluster_without_a_network_makes_its_own_and_may_have_a_nat_gateway() {
    let arm = Arm::with_group().await;
    let mut own = body(
        json!({}),
        json!({ "outboundType": "managedNATGateway", "natGatewayProfile": { "managedOutboundIPProfile": { "count": 2 } } }),
    );
    own["properties"]["agentPoolProfiles"][0]
        .as_object_mut()
        .unwrap()
        .remove("vnetSubnetID");
    let made = arm.create(&cluster(), AKS, own.clone()).await;
    let addresses =
        &made["properties"]["networkProfile"]["natGatewayProfile"]["effectiveOutboundIPs"];
    assert_eq!(addresses.as_array().unwrap().len(), 2, "{made}");
    let stored = arm.stored();
    let network = stored
        .iter()
        .find(|id| id.ends_with("/subnets/aks-subnet"))
        .unwrap();
    let shown = arm.get(network, NETWORK).await.expect(200).body;
    assert!(shown["properties"]["natGateway"]["id"].is_string());
    // Back to a load balancer: the gateway goes.
    let mut next = made;
    next["properties"]["networkProfile"] = json!({ "outboundType": "loadBalancer" });
    let reply = arm.put(&cluster(), AKS, next).await.expect(200);
    arm.finish(&reply).await;
    let stored = arm.stored();
    assert!(!stored.iter().any(|id| id.contains("/natGateways/")));
    assert!(
        stored
            .iter()
            .any(|id| id.ends_with("/loadBalancers/kubernetes"))
    );
    arm.remove(&cluster(), AKS).await;
    assert_eq!(arm.stored(), [crate::support::group()]);
    own["properties"]["networkProfile"] =
        json!({ "networkPlugin": "azure", "outboundType": "userAssignedNATGateway" });
    arm.put(&cluster(), AKS, own)
        .await
        .refused(400, "UserAssignedNATGatewayWithManagedVNetNotAllowed");
}

#[tokio::test]
async fn a_route_table_of_the_users_needs_a_right_of_the_control_plane() {
    let arm = network().await;
    let table = id("Microsoft.Network/routeTables/rt");
    arm.create(&table, NETWORK, json!({ "location": "westeurope" }))
        .await;
    arm.create(
        &subnet("nodes"),
        NETWORK,
        json!({ "properties": { "addressPrefix": "10.10.8.0/24", "routeTable": { "id": table } } }),
    )
    .await;
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities/control");
    let made = arm
        .create(&identity, MSI, json!({ "location": "westeurope" }))
        .await;
    let mut own = body(json!({}), json!({ "outboundType": "userDefinedRouting" }));
    own["identity"] =
        json!({ "type": "UserAssigned", "userAssignedIdentities": { &identity: {} } });
    arm.put(&cluster(), AKS, own.clone())
        .await
        .refused(400, "CustomRouteTableMissingPermission");
    let grant = format!(
        "{table}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000a1"
    );
    let role = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
    );
    arm.put(&grant, "2022-04-01", json!({ "properties": { "roleDefinitionId": role, "principalId": made["properties"]["principalId"], "principalType": "ServicePrincipal" } }))
        .await
        .expect(201);
    let cluster_body = arm.create(&cluster(), AKS, own).await;
    assert_eq!(
        cluster_body["identity"]["userAssignedIdentities"][&identity]["principalId"],
        made["properties"]["principalId"]
    );
    let stored = arm.stored();
    assert!(!stored.iter().any(|id| id.contains("loadBalancers")));
    let mut kubenet = body(json!({}), json!({ "networkPlugin": "kubenet" }));
    kubenet["properties"]["dnsPrefix"] = json!("other");
    arm.put(&format!("{}2", cluster()), AKS, kubenet)
        .await
        .refused(400, "CustomRouteTableWithUnsupportedMSIType");
}
