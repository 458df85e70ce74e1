#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn group() -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
}

fn cluster_id() -> ArmId {
    group().resource("Microsoft.ContainerService/managedClusters", "aks")
}

fn network(kind: &str, name: &str) -> ArmId {
    group().resource(&format!("Microsoft.Network/{kind}"), name)
}

fn subnet(name: &str) -> ArmId {
    network("virtualNetworks", "vnet").child("subnets", name)
}

fn ip(name: &str) -> ArmId {
    network("publicIPAddresses", name)
}

fn with_ip(text: &str) -> Option<Json> {
    Some(json!({"properties": {"ipAddress": text}}))
}

/// A cluster of that outbound type, whose lists of effective addresses have these.
fn cluster(outbound: &str, effective: &[ArmId]) -> Json {
    let ids: Vec<_> = effective.iter().map(|id| json!({"id": id})).collect();
    json!({"properties": {
        "agentPoolProfiles": [{"vnetSubnetID": subnet("a")}, {"vnetSubnetID": subnet("b")}, {}],
        "networkProfile": {
            "outboundType": outbound,
            "loadBalancerProfile": {"effectiveOutboundIPs": ids},
            "natGatewayProfile": {"effectiveOutboundIPs": ids},
        },
    }})
}

fn with_gateway(gateway: &ArmId) -> Option<Json> {
    Some(json!({"properties": {"natGateway": {"id": gateway}}}))
}

fn gaps(egress: Egress) -> Vec<String> {
    let Egress::Unfound(gaps) = egress else {
        panic!("{egress:?}")
    };
    gaps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_load_balancers_and_a_managed_gateways_addresses_come_from_what_aks_lists() {
    let seen = Seen::of([
        (ip("1"), with_ip("203.0.113.9")),
        (ip("2"), with_ip("203.0.113.1")),
    ]);
    for outbound in ["loadBalancer", "managedNATGateway"] {
        let egress = of(
            &cluster_id(),
            &cluster(outbound, &[ip("1"), ip("2")]),
            &seen,
        );
        let Egress::Known(addresses) = egress.unwrap() else {
            panic!("{outbound}")
        };
        let found: Vec<_> = addresses
            .iter()
            .map(|found| (found.range.to_string(), found.text(), found.id.clone()))
            .collect();
        assert_eq!(
            found,
            [
                ("203.0.113.1/32".into(), "203.0.113.1".into(), ip("2")),
                ("203.0.113.9/32".into(), "203.0.113.9".into(), ip("1")),
            ]
        );
    }
}

#[test]
fn a_gateway_of_the_users_own_is_found_by_the_subnets_with_its_addresses_and_prefixes() {
    let gateway = network("natGateways", "nat");
    let prefix = network("publicIPPrefixes", "p");
    let seen = Seen::of([
        (subnet("a"), with_gateway(&gateway)),
        (subnet("b"), with_gateway(&gateway)),
        (
            gateway.clone(),
            Some(json!({"properties": {
                "publicIpAddresses": [{"id": ip("1")}],
                "publicIpPrefixes": [{"id": prefix}],
            }})),
        ),
        (ip("1"), with_ip("203.0.113.1")),
        (
            prefix.clone(),
            Some(json!({"properties": {"ipPrefix": "198.51.100.0/30"}})),
        ),
    ]);
    let egress = of(
        &cluster_id(),
        &cluster("userAssignedNATGateway", &[]),
        &seen,
    )
    .unwrap();
    let Egress::Known(addresses) = &egress else {
        panic!("{egress:?}")
    };
    assert!(
        addresses
            .iter()
            .all(|address| address.nat_gateway_id.as_ref() == Some(&gateway))
    );
    assert_eq!(addresses[0].id, prefix);
    let texts: Vec<_> = egress.texts().unwrap().into_iter().collect();
    assert_eq!(texts, ["198.51.100.0/30", "203.0.113.1"]);
}

#[test]
fn what_azure_cannot_know_is_told_apart_from_no_way_out() {
    let seen = Seen::default();
    let of = |outbound| of(&cluster_id(), &cluster(outbound, &[ip("1")]), &seen).unwrap();
    assert!(matches!(of("userDefinedRouting"), Egress::Routed));
    assert!(matches!(of("none"), Egress::Closed));
    assert!(of("none").texts().is_none());
    assert_eq!(
        gaps(of("carrierPigeon")),
        [format!(
            "{}: its outbound type is \"carrierPigeon\"",
            cluster_id()
        )]
    );
}

#[test]
fn addresses_are_all_or_none_and_every_gap_is_named() {
    let listed = cluster("loadBalancer", &[ip("1"), ip("2"), ip("3")]);
    let seen = Seen::of([
        (ip("1"), with_ip("203.0.113.1")),
        (ip("2"), None),
        (ip("3"), Some(json!({"properties": {}}))),
    ]);
    let egress = of(&cluster_id(), &listed, &seen).unwrap();
    assert_eq!(egress.texts(), None);
    assert_eq!(
        gaps(egress),
        [
            format!("{}: it does not exist", ip("2")),
            format!("{}: no address has been assigned to it", ip("3")),
        ]
    );
    let nothing = of(&cluster_id(), &cluster("loadBalancer", &[]), &seen).unwrap();
    assert_eq!(
        gaps(nothing),
        [format!("{}: it lists no outbound addresses", cluster_id())]
    );
}

#[test]
fn a_subnet_without_a_gateway_leaves_the_addresses_unfound() {
    let gateway = network("natGateways", "nat");
    let seen = Seen::of([
        (subnet("a"), with_gateway(&gateway)),
        (subnet("b"), Some(json!({"properties": {}}))),
        (
            gateway.clone(),
            Some(json!({"properties": {"publicIpAddresses": [{"id": ip("1")}]}})),
        ),
        (ip("1"), with_ip("203.0.113.1")),
    ]);
    let egress = of(
        &cluster_id(),
        &cluster("userAssignedNATGateway", &[]),
        &seen,
    )
    .unwrap();
    assert_eq!(
        gaps(egress),
        [format!("{}: it has no NAT gateway", subnet("b"))]
    );
}

#[test]
fn nothing_is_decided_before_everything_is_read() {
    let listed = cluster("loadBalancer", &[ip("1"), ip("2")]);
    let seen = Seen::of([(ip("1"), with_ip("203.0.113.1"))]);
    assert!(of(&cluster_id(), &listed, &seen).is_err());
}
