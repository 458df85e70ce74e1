//! Subnets that cannot serve, and what is replaced when the API server's place changes.

use super::*;

fn api_subnet() -> ArmId {
    network().child("subnets", "api")
}

fn integrated(private: bool) -> Json {
    config(json!({
        "private_cluster_enabled": private,
        "api_server_access_profile": {
            "virtual_network_integration_enabled": true, "subnet_id": api_subnet(),
        },
    }))
}

fn summaries(planned: Json, seen: Seen) -> Vec<String> {
    let found = errors(planned, seen).into_iter();
    found.map(|(summary, _)| summary).collect()
}

#[test]
fn a_subnet_that_takes_no_api_server_is_refused_for_all_its_reasons_at_once() {
    let mut facts = network_json("westeurope", json!({"addressPrefix": "10.10.8.0/22"})).to_vec();
    facts.push((
        api_subnet(),
        Some(json!({"properties": {
            "addressPrefix": "10.10.0.0/29",
            "delegations": [{"properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
        }})),
    ));
    let seen = Seen::of(facts);
    let found = errors(integrated(true), seen);
    let all = format!("{found:?}");
    for line in [
        "subnet api takes no API server: it is not delegated",
        "it is delegated to Microsoft.Web/serverFarms",
        "subnet api is too small for an API server: 10.10.0.0/29",
        "the smallest prefix that fits is a /28",
    ] {
        assert!(all.contains(line), "{line} in {all}");
    }
    let shared = mistakes(json!({"api_server_access_profile": {
        "virtual_network_integration_enabled": true, "subnet_id": subnet(),
    }}));
    assert_eq!(
        shared,
        ["the API server shares no subnet with pool \"system\""]
    );
}

#[test]
fn a_gateway_without_an_address_leads_nowhere() {
    let gateway = group().resource("Microsoft.Network/natGateways", "ng");
    let subnet_json =
        json!({"addressPrefix": "10.10.8.0/22", "natGateway": {"id": gateway.as_str()}});
    let check = |gateway_json: Json| {
        let mut facts = network_json("westeurope", subnet_json.clone()).to_vec();
        facts.push((gateway.clone(), Some(gateway_json)));
        let planned = config(json!({"outbound_type": "nat_gateway"}));
        summaries(planned, Seen::of(facts))
    };
    assert_eq!(
        check(json!({"properties": {}})),
        ["NAT gateway ng has no public address, and leads nowhere"]
    );
    let with = json!({"properties": {"publicIpAddresses": [{"id": "/x"}]}});
    assert!(check(with).is_empty());
}

#[test]
fn only_an_api_server_in_the_network_becomes_private_or_public_in_place() {
    let replaces = |prior: Json, planned: Json| -> Vec<&str> {
        let (prior, planned) = (value(prior), value(planned));
        ["private_cluster_enabled", "private_dns_zone_id"]
            .into_iter()
            .filter(|name| prior.get(name) != planned.get(name))
            .filter(|name| {
                let attribute = Cluster::SCHEMA.attribute(name).unwrap();
                let tfplugin_rs::schema::Replace::Beside(_, condition) = attribute.replace else {
                    panic!("{name} is replaced by what stands beside it")
                };
                condition(&prior, &planned)
            })
            .collect()
    };
    let public = || config(json!({"private_cluster_enabled": false}));
    let zoned = |private: bool, zone: &str| {
        config(json!({"private_cluster_enabled": private, "private_dns_zone_id": zone}))
    };
    assert_eq!(
        replaces(config(json!({})), public()),
        ["private_cluster_enabled"]
    );
    assert!(replaces(integrated(true), integrated(false)).is_empty());
    assert!(replaces(public(), integrated(true)).is_empty());
    assert_eq!(
        replaces(zoned(true, "system"), zoned(true, "none")),
        ["private_dns_zone_id"]
    );
    assert!(replaces(zoned(false, "system"), zoned(false, "none")).is_empty());
    assert!(replaces(zoned(true, "System"), zoned(true, "system")).is_empty());
}
