//! Virtual networks and what belongs to them, over sockets: shapes, refusals, contention.

use crate::support::{Arm, NETWORK, RESOURCES, SUB, group, id};
use serde_json::{Value, json};

fn vnet() -> String {
    id("Microsoft.Network/virtualNetworks/net")
}

fn subnet(name: &str) -> String {
    format!("{}/subnets/{name}", vnet())
}

fn network(subnets: &[(&str, &str)]) -> Value {
    let subnets: Vec<Value> = subnets
        .iter()
        .map(|(name, prefix)| json!({ "name": name, "properties": { "addressPrefix": prefix } }))
        .collect();
    json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": subnets } })
}

#[tokio::test]
async fn a_network_is_made_with_its_subnets_in_one_operation() {
    let arm = Arm::with_group().await;
    let made = arm
        .put(
            &vnet(),
            NETWORK,
            network(&[("nodes", "10.0.0.0/20"), ("endpoints", "10.0.16.0/27")]),
        )
        .await
        .expect(201);
    assert_eq!(made.state(), "Updating");
    assert_eq!(made.header("retry-after"), "1");
    assert_eq!(arm.get(&vnet(), NETWORK).await.state(), "Updating");
    let end = arm.finish(&made).await;
    assert_eq!(end.body, json!({ "status": "Succeeded" }));
    let network = arm.get(&vnet(), NETWORK).await.expect(200).body;
    assert_eq!(network["properties"]["provisioningState"], "Succeeded");
    assert_eq!(network["type"], "Microsoft.Network/virtualNetworks");
    let names: Vec<&str> = network["properties"]["subnets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["nodes", "endpoints"]);
    assert!(network["etag"].as_str().unwrap().starts_with("W/\""));
    let nodes = arm.get(&subnet("NODES"), NETWORK).await.expect(200).body;
    assert_eq!(
        nodes["properties"]["privateEndpointNetworkPolicies"],
        "Disabled"
    );
    assert_eq!(nodes["id"], subnet("nodes"));
    let list = arm
        .get(&format!("{}/subnets", vnet()), NETWORK)
        .await
        .expect(200);
    assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
    let all = arm
        .get(
            &format!("/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks"),
            NETWORK,
        )
        .await
        .expect(200);
    assert_eq!(all.body["value"].as_array().unwrap().len(), 1);
    let resources = arm.get(&format!("{}/resources?$filter=resourceType eq 'microsoft.network/virtualnetworks' and name eq 'net'", group()), RESOURCES).await.expect(200);
    assert_eq!(resources.body["value"][0]["id"], vnet());
    arm.get(
        &format!("{}/resources?$filter=colour eq 'red'", group()),
        RESOURCES,
    )
    .await
    .refused(400, "InvalidFilterInQueryString");
}

#[tokio::test]
async fn wrong_prefixes_get_azures_codes() {
    let arm = Arm::with_group().await;
    arm.put(&vnet(), NETWORK, network(&[("a", "10.0.0.1/24")]))
        .await
        .refused(400, "InvalidCIDRNotation");
    arm.put(&vnet(), NETWORK, network(&[("a", "10.1.0.0/24")]))
        .await
        .refused(400, "NetcfgInvalidSubnet");
    arm.put(&vnet(), NETWORK, network(&[("a", "10.0.0.0/30")]))
        .await
        .refused(400, "NetcfgInvalidSubnet");
    arm.put(
        &vnet(),
        NETWORK,
        network(&[("a", "10.0.0.0/24"), ("b", "10.0.0.128/25")]),
    )
    .await
    .refused(400, "NetcfgSubnetRangesOverlap");
    let mut overlapping = network(&[]);
    overlapping["properties"]["addressSpace"]["addressPrefixes"] =
        json!(["10.0.0.0/16", "10.0.1.0/24"]);
    arm.put(&vnet(), NETWORK, overlapping)
        .await
        .refused(400, "NetcfgInvalidVirtualNetworkAddressPrefixes");
    let mut reserved = network(&[]);
    reserved["properties"]["addressSpace"]["addressPrefixes"] = json!(["169.254.0.0/24"]);
    arm.put(&vnet(), NETWORK, reserved)
        .await
        .refused(400, "NetcfgInvalidVirtualNetworkAddressPrefixes");
    arm.put(
        &vnet(),
        NETWORK,
        json!({ "location": "westeurope", "properties": {} }),
    )
    .await
    .refused(400, "NoAddressPrefixOrPoolProvided");
    arm.put(&vnet(), NETWORK, json!({ "properties": {} }))
        .await
        .refused(400, "LocationRequired");
    arm.put(&vnet(), NETWORK, json!({ "location": "atlantis" }))
        .await
        .refused(400, "LocationNotAvailableForResourceType");
    let mut unknown = network(&[]);
    unknown["properties"]["colour"] = json!("red");
    arm.put(&vnet(), NETWORK, unknown)
        .await
        .refused(400, "InvalidRequestContent");
    arm.put(&vnet(), "2001-01-01", network(&[]))
        .await
        .refused(400, "NoRegisteredProviderFound");
    arm.put(
        &id("Microsoft.Network/virtualNetworks/-net-"),
        NETWORK,
        network(&[]),
    )
    .await
    .refused(400, "InvalidResourceName");
    arm.put(&vnet().replace("/rg/", "/other/"), NETWORK, network(&[]))
        .await
        .refused(404, "ResourceGroupNotFound");
    assert_eq!(arm.stored(), [group()], "a refused write leaves nothing");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_its_deletion_204() {
    let arm = Arm::with_group().await;
    arm.get(&vnet(), NETWORK)
        .await
        .refused(404, "ResourceNotFound");
    arm.get(&subnet("a"), NETWORK)
        .await
        .refused(404, "ResourceNotFound");
    arm.put(
        &subnet("a"),
        NETWORK,
        json!({ "properties": { "addressPrefix": "10.0.0.0/24" } }),
    )
    .await
    .refused(404, "ParentResourceNotFound");
    arm.delete(&vnet(), NETWORK).await.expect(204);
    arm.create(&vnet(), NETWORK, network(&[])).await;
    arm.get(&subnet("a"), NETWORK)
        .await
        .refused(404, "NotFound");
    arm.put(&vnet(), NETWORK, json!({ "location": "eastus", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } })).await.refused(409, "InvalidResourceLocation");
    arm.patch(&subnet("a"), NETWORK, json!({}))
        .await
        .expect(405);
    let tagged = arm
        .patch(&vnet(), NETWORK, json!({ "tags": { "a": "b" } }))
        .await
        .expect(200);
    assert_eq!(tagged.body["tags"]["a"], "b");
    arm.patch(&vnet(), NETWORK, json!({ "properties": {} }))
        .await
        .refused(400, "InvalidRequestContent");
}

#[tokio::test]
async fn two_writes_on_one_network_contend() {
    let arm = Arm::with_group().await;
    arm.create(&vnet(), NETWORK, network(&[("a", "10.0.0.0/24")]))
        .await;
    let body = |prefix| json!({ "properties": { "addressPrefix": prefix } });
    let first = arm
        .put(&subnet("b"), NETWORK, body("10.0.1.0/24"))
        .await
        .expect(201);
    let second = arm
        .put(&subnet("c"), NETWORK, body("10.0.2.0/24"))
        .await
        .refused(429, "RetryableError");
    assert_eq!(
        second.body["error"]["details"][0]["code"],
        "ReferencedResourceNotProvisioned"
    );
    arm.delete(&subnet("a"), NETWORK)
        .await
        .refused(409, "AnotherOperationInProgress");
    arm.finish(&first).await;
    arm.create(&subnet("c"), NETWORK, body("10.0.2.0/24")).await;
    arm.put(&subnet("d"), NETWORK, body("10.0.2.128/25"))
        .await
        .refused(400, "NetcfgSubnetRangesOverlap");
    // A second write of the network without b and c takes them away.
    let put = arm
        .put(&vnet(), NETWORK, network(&[("a", "10.0.0.0/24")]))
        .await
        .expect(200);
    arm.finish(&put).await;
    arm.get(&subnet("b"), NETWORK).await.expect(404);
    arm.remove(&subnet("a"), NETWORK).await;
    arm.remove(&vnet(), NETWORK).await;
}

#[tokio::test]
async fn an_abandoned_operation_ends_after_it_made_others_wait() {
    let arm = Arm::with_group().await;
    arm.put(&vnet(), NETWORK, network(&[])).await.expect(201);
    let body = json!({ "properties": { "addressPrefix": "10.0.1.0/24" } });
    for _ in 0..3 {
        arm.put(&subnet("b"), NETWORK, body.clone())
            .await
            .refused(429, "RetryableError");
    }
    arm.create(&subnet("b"), NETWORK, body).await;
}

#[tokio::test]
async fn an_interface_takes_an_address_and_keeps_its_subnet_in_use() {
    let arm = Arm::with_group().await;
    arm.create(&vnet(), NETWORK, network(&[("a", "10.0.0.0/29")]))
        .await;
    let nic = |name: &str| id(&format!("Microsoft.Network/networkInterfaces/{name}"));
    let body = |address: Option<&str>| {
        let mut properties = json!({ "subnet": { "id": subnet("a") } });
        if let Some(address) = address {
            properties["privateIPAllocationMethod"] = json!("Static");
            properties["privateIPAddress"] = json!(address);
        }
        json!({ "location": "westeurope", "properties": { "ipConfigurations": [{ "name": "one", "properties": properties }] } })
    };
    let made = arm.create(&nic("n1"), NETWORK, body(None)).await;
    assert_eq!(
        made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"],
        "10.0.0.4"
    );
    arm.put(&nic("n2"), NETWORK, body(Some("10.0.0.4")))
        .await
        .refused(400, "PrivateIPAddressIsAllocated");
    arm.put(&nic("n2"), NETWORK, body(Some("10.0.0.1")))
        .await
        .refused(400, "PrivateIPAddressInReservedRange");
    arm.create(&nic("n2"), NETWORK, body(Some("10.0.0.6")))
        .await;
    arm.create(&nic("n3"), NETWORK, body(None)).await;
    arm.put(&nic("n4"), NETWORK, body(None))
        .await
        .refused(400, "SubnetIsFull");
    let shown = arm.get(&subnet("a"), NETWORK).await.body;
    assert_eq!(
        shown["properties"]["ipConfigurations"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    arm.delete(&subnet("a"), NETWORK)
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");
    arm.delete(&vnet(), NETWORK)
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");
    arm.put(&vnet(), NETWORK, network(&[]))
        .await
        .refused(400, "InUseSubnetCannotBeDeleted");
    arm.put(
        &subnet("a"),
        NETWORK,
        json!({ "properties": { "addressPrefix": "10.0.9.0/29" } }),
    )
    .await
    .refused(400, "InUsePrefixCannotBeDeleted");
    let check = arm
        .get(
            &format!("{}/checkIPAddressAvailability?ipAddress=10.0.0.4", vnet()),
            NETWORK,
        )
        .await
        .expect(200);
    assert_eq!(check.body["available"], false);
    arm.get(
        &format!("{}/checkIPAddressAvailability?ipAddress=10.9.0.4", vnet()),
        NETWORK,
    )
    .await
    .refused(400, "PrivateIPAddressNotInAnySubnet");
    let usages = arm
        .get(&format!("{}/usages", vnet()), NETWORK)
        .await
        .expect(200);
    assert_eq!(
        (
            &usages.body["value"][0]["currentValue"],
            &usages.body["value"][0]["limit"]
        ),
        (&json!(3), &json!(3))
    );
    // The group goes with all of it, in whatever order that takes.
    arm.remove(&group(), RESOURCES).await;
    assert!(arm.stored().is_empty(), "{:?}", arm.stored());
}

#[tokio::test]
async fn a_security_group_a_table_and_a_gateway_are_attached_and_then_in_use() {
    let arm = Arm::with_group().await;
    let nsg = id("Microsoft.Network/networkSecurityGroups/nsg");
    let table = id("Microsoft.Network/routeTables/table");
    let address = id("Microsoft.Network/publicIPAddresses/out");
    let gateway = id("Microsoft.Network/natGateways/gateway");
    let rule = |priority: u32| {
        json!({ "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority,
        "sourcePortRange": "*", "destinationPortRange": "443", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*" })
    };
    let group_body = json!({ "location": "westeurope", "properties": { "securityRules": [{ "name": "https", "properties": rule(100) }] } });
    let made = arm.create(&nsg, NETWORK, group_body.clone()).await;
    assert_eq!(
        made["properties"]["defaultSecurityRules"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    assert_eq!(
        made["properties"]["securityRules"][0]["properties"]["priority"],
        100
    );
    arm.put(
        &format!("{nsg}/securityRules/two"),
        NETWORK,
        json!({ "properties": rule(100) }),
    )
    .await
    .refused(400, "SecurityRuleConflict");
    arm.put(
        &format!("{nsg}/securityRules/two"),
        NETWORK,
        json!({ "properties": rule(5000) }),
    )
    .await
    .refused(400, "SecurityRuleInvalidPriority");
    arm.create(
        &format!("{nsg}/securityRules/two"),
        NETWORK,
        json!({ "properties": rule(200) }),
    )
    .await;
    assert_eq!(
        arm.get(
            &format!("{nsg}/defaultSecurityRules/DenyAllInBound"),
            NETWORK
        )
        .await
        .expect(200)
        .body["properties"]["access"],
        "Deny"
    );

    let route = json!({ "name": "out", "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance" } });
    arm.put(
        &table,
        NETWORK,
        json!({ "location": "westeurope", "properties": { "routes": [route] } }),
    )
    .await
    .refused(400, "NextHopIpAddressMissing");
    arm.create(
        &table,
        NETWORK,
        json!({ "location": "westeurope", "properties": {} }),
    )
    .await;
    arm.create(&format!("{table}/routes/out"), NETWORK, json!({ "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4" } })).await;

    arm.put(
        &address,
        NETWORK,
        json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": {} }),
    )
    .await
    .refused(400, "PublicIPAddressWithStandardSkuMustUseStaticAllocation");
    let ip = arm.create(&address, NETWORK, json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } })).await;
    assert!(ip["properties"]["ipAddress"].is_string());
    let accepted = arm.put(&gateway, NETWORK, json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": { "publicIpAddresses": [{ "id": address }] } })).await.expect(202);
    arm.finish(&accepted).await;
    arm.delete(&address, NETWORK)
        .await
        .refused(400, "PublicIPAddressCannotBeDeleted");

    let mut body = network(&[("a", "10.0.0.0/24")]);
    body["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = json!({ "id": nsg });
    body["properties"]["subnets"][0]["properties"]["routeTable"] =
        json!({ "id": id("Microsoft.Network/routeTables/nothing") });
    arm.put(&vnet(), NETWORK, body.clone())
        .await
        .refused(400, "InvalidResourceReference");
    body["properties"]["subnets"][0]["properties"]["routeTable"] = json!({ "id": table });
    body["properties"]["subnets"][0]["properties"]["natGateway"] = json!({ "id": gateway });
    arm.create(&vnet(), NETWORK, body).await;
    for (owner, code) in [
        (&nsg, "InUseNetworkSecurityGroupCannotBeDeleted"),
        (&table, "InUseRouteTableCannotBeDeleted"),
        (&gateway, "InUseNatGatewayCannotBeDeleted"),
    ] {
        assert_eq!(
            arm.get(owner, NETWORK).await.body["properties"]["subnets"][0]["id"],
            subnet("a")
        );
        arm.delete(owner, NETWORK).await.refused(400, code);
    }
    // A subnet PUT without them detaches them.
    arm.create(
        &subnet("a"),
        NETWORK,
        json!({ "properties": { "addressPrefix": "10.0.0.0/24" } }),
    )
    .await;
    for owner in [&nsg, &table, &gateway, &address] {
        arm.remove(owner, NETWORK).await;
    }
}

#[tokio::test]
async fn what_a_client_reads_it_can_put_back() {
    let arm = Arm::with_group().await;
    let mut body = network(&[("a", "10.0.0.0/24")]);
    body["properties"]["subnets"][0]["properties"]["delegations"] = json!([{ "name": "d", "properties": { "serviceName": "Microsoft.ContainerService/managedClusters" } }]);
    body["properties"]["subnets"][0]["properties"]["serviceEndpoints"] =
        json!([{ "service": "Microsoft.Storage" }]);
    let before = arm.create(&vnet(), NETWORK, body).await;
    let after = arm.create(&vnet(), NETWORK, before.clone()).await;
    let strip = |mut value: Value| {
        value.as_object_mut().unwrap().remove("etag");
        value["properties"]["subnets"][0]
            .as_object_mut()
            .unwrap()
            .remove("etag");
        value
    };
    assert_eq!(strip(before), strip(after));
}

#[tokio::test]
async fn a_failed_operation_leaves_the_resource_failed_and_a_second_put_repairs_it() {
    let arm = Arm::with_group().await;
    arm.fault(json!({ "match": { "method": "PUT", "path": "*/virtualNetworks/net" }, "effect": { "failedOperation": { "code": "InternalServerError" } } }));
    let made = arm.put(&vnet(), NETWORK, network(&[])).await.expect(201);
    let end = arm.finish(&made).await;
    assert_eq!(
        (&end.body["status"], &end.body["error"]["code"]),
        (&json!("Failed"), &json!("InternalServerError"))
    );
    assert_eq!(
        arm.get(&vnet(), NETWORK).await.expect(200).state(),
        "Failed"
    );
    assert_eq!(
        arm.create(&vnet(), NETWORK, network(&[])).await["properties"]["provisioningState"],
        "Succeeded"
    );
}

#[tokio::test]
async fn writes_need_the_registration_of_their_namespace() {
    let arm = Arm::with_group().await;
    arm.control(
        "PUT",
        &format!("/_sandbox/registrations/{SUB}/Microsoft.Network"),
        json!({ "state": "NotRegistered" }),
    );
    let refused = arm
        .put(&vnet(), NETWORK, network(&[]))
        .await
        .refused(409, "MissingSubscriptionRegistration");
    assert_eq!(
        refused.body["error"]["details"][0]["target"],
        "Microsoft.Network"
    );
    arm.post(
        &format!("/subscriptions/{SUB}/providers/Microsoft.Network/register"),
        RESOURCES,
        json!({}),
    )
    .await
    .expect(200);
    arm.create(&vnet(), NETWORK, network(&[])).await;
}
