//! The endpoint, and the way of the packets to it.

use serde_json::json;

use super::*;

#[test]
fn an_endpoint_that_is_not_approved_leads_nowhere() {
    for (state, words) in [
        ("Disconnected", "deleted and made anew"),
        ("Pending", "waits for the approval"),
        ("Rejected", "has rejected"),
    ] {
        let output = broken(
            |azure| {
                azure.body(&registry())["properties"]["privateEndpointConnections"][0]["properties"]
                    ["privateLinkServiceConnectionState"]["status"] = json!(state);
            },
            Check::Endpoint,
            Verdict::Problem,
            words,
        );
        assert_eq!(
            (output.can_pull, output.privately),
            (Some(false), Some(false))
        );
    }
    broken(
        |azure| {
            azure.body(&registry())["properties"]["privateEndpointConnections"] = json!([]);
        },
        Check::Endpoint,
        Verdict::Problem,
        "has no private endpoint",
    );
}

/// Moves the endpoint into a network of its own; the peering is what the function makes of it.
fn elsewhere(azure: &mut Azure, peering: Option<Json>) {
    let there = network_of("hub").child("subnets", "endpoints");
    azure.body(&endpoint("pe"))["properties"]["subnet"]["id"] = json!(there);
    azure
        .objects
        .insert(there.clone(), Some(json!({"id": there, "properties": {}})));
    let mut properties = json!({
        "peeringState": "Connected", "remoteVirtualNetwork": {"id": network_of("hub")},
        "allowVirtualNetworkAccess": true,
    });
    let Some(change) = peering else { return };
    for (name, value) in change.as_object().unwrap() {
        properties[name] = value.clone();
    }
    azure.body(&network_of("vnet"))["properties"]["virtualNetworkPeerings"] = json!([{
        "id": network_of("vnet").child("virtualNetworkPeerings", "hub"), "properties": properties,
    }]);
}

#[test]
fn an_endpoint_in_another_network_needs_a_peering_that_stands() {
    let right = broken(
        |azure| elsewhere(azure, Some(json!({}))),
        Check::Peering,
        Verdict::Ok,
        "Connected, to",
    );
    assert_eq!(right.privately, Some(true));
    let none = broken(
        |azure| elsewhere(azure, None),
        Check::Peering,
        Verdict::Problem,
        "not peered with the endpoint's",
    );
    assert_eq!((none.can_pull, none.privately), (Some(false), Some(false)));
    broken(
        |azure| elsewhere(azure, Some(json!({"peeringState": "Initiated"}))),
        Check::Peering,
        Verdict::Problem,
        "is Initiated",
    );
    broken(
        |azure| elsewhere(azure, Some(json!({"allowVirtualNetworkAccess": false}))),
        Check::Peering,
        Verdict::Problem,
        "not reach each other",
    );
    let through = broken(
        |azure| {
            let third = network_of("third");
            elsewhere(azure, Some(json!({"remoteVirtualNetwork": {"id": third}})));
            azure.objects.insert(
                third.clone(),
                Some(json!({"properties": {"virtualNetworkPeerings": [{
                    "id": third.child("virtualNetworkPeerings", "hub"),
                    "properties": {"remoteVirtualNetwork": {"id": network_of("hub")}},
                }]}})),
            );
        },
        Check::Peering,
        Verdict::Unknown,
        "Another one lies between them",
    );
    assert_eq!((through.can_pull, through.privately), (None, None));
}

fn guarded(azure: &mut Azure, rule: &Json) {
    let group = group("rg").resource("Microsoft.Network/networkSecurityGroups", "nsg");
    azure.body(&nodes())["properties"]["networkSecurityGroup"] = json!({"id": group});
    let mut properties = json!({
        "direction": "Outbound", "priority": 100, "protocol": "*", "access": "Deny",
        "destinationPortRange": "*",
    });
    for (name, value) in rule.as_object().unwrap() {
        properties[name] = value.clone();
    }
    let rule = json!({"name": "closed", "properties": properties});
    azure.objects.insert(
        group,
        Some(json!({"properties": {"securityRules": [rule]}})),
    );
}

#[test]
fn a_security_rule_in_the_way_is_a_problem_and_one_that_depends_is_a_note() {
    let deny = |to: Json| move |azure: &mut Azure| guarded(azure, &to);
    let closed = broken(
        deny(json!({"destinationAddressPrefix": "10.10.20.0/24"})),
        Check::SecurityGroup,
        Verdict::Problem,
        "The rule closed",
    );
    assert_eq!(
        (closed.can_pull, closed.privately),
        (Some(false), Some(false))
    );
    let depends = broken(
        deny(json!({"destinationAddressPrefix": "AzureContainerRegistry"})),
        Check::SecurityGroup,
        Verdict::Unknown,
        "closed names service tags",
    );
    assert_eq!(depends.privately, Some(true));
    for other in [
        json!({"destinationAddressPrefix": "Internet"}),
        json!({"destinationAddressPrefix": "*", "destinationPortRange": "80"}),
        json!({"destinationAddressPrefix": "*", "protocol": "Udp"}),
        json!({"destinationAddressPrefixes": ["10.99.0.0/16"]}),
        json!({"destinationAddressPrefix": "*", "direction": "Inbound"}),
    ] {
        broken(
            deny(other),
            Check::SecurityGroup,
            Verdict::Ok,
            "No network security group",
        );
    }
    broken(
        deny(
            json!({"destinationAddressPrefix": "*", "destinationPortRanges": ["400-500"], "destinationPortRange": ""}),
        ),
        Check::SecurityGroup,
        Verdict::Problem,
        "port 443",
    );
}

fn routed(azure: &mut Azure, prefix: &str, hop: &str) {
    let table = group("rg").resource("Microsoft.Network/routeTables", "rt");
    azure.body(&nodes())["properties"]["routeTable"] = json!({"id": table});
    let route = json!({"name": "way", "properties": {
        "addressPrefix": prefix, "nextHopType": hop, "nextHopIpAddress": "10.0.0.4",
    }});
    azure
        .objects
        .insert(table, Some(json!({"properties": {"routes": [route]}})));
}

#[test]
fn only_a_route_that_wins_over_the_endpoints_own_leads_elsewhere() {
    broken(
        |azure| routed(azure, "0.0.0.0/0", "VirtualAppliance"),
        Check::Route,
        Verdict::Ok,
        "the endpoint's own route wins over",
    );
    let note = broken(
        |azure| routed(azure, "10.10.20.4/32", "VirtualAppliance"),
        Check::Route,
        Verdict::Unknown,
        "the appliance 10.0.0.4",
    );
    assert_eq!(note.privately, Some(true));
    let dropped = broken(
        |azure| routed(azure, "10.10.20.4/32", "None"),
        Check::Route,
        Verdict::Problem,
        "drops the packets",
    );
    assert_eq!(dropped.privately, Some(false));
    let with_policies = |azure: &mut Azure| {
        routed(azure, "10.10.0.0/16", "None");
        let place = network_of("vnet").child("subnets", "endpoints");
        azure.body(&place)["properties"]["privateEndpointNetworkPolicies"] =
            json!("RouteTableEnabled");
    };
    broken(
        with_policies,
        Check::Route,
        Verdict::Problem,
        "drops the packets",
    );
}
