#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod peers;
mod planning;

use serde_json::json;
use tfplugin_rs::schema;
use tfplugin_rs::value::{Path, to_json};

use super::*;
use crate::provider::parts::Ledger;

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app";

fn input(subnets: Json) -> Input {
    serde_json::from_value(json!({
        "name": "fk-vnet",
        "resource_group_id": GROUP,
        "location": "West Europe",
        "address_space": ["10.10.0.0/16"],
        "subnets": subnets,
    }))
    .unwrap()
}

fn subnet(purpose: &str, prefix: &str) -> Json {
    json!({
        "purpose": purpose,
        "address_prefixes": [prefix],
        "prefix_length": null,
        "private_endpoint_network_policies": "Disabled",
        "default_outbound_access_enabled": true,
    })
}

fn with(mut subnet: Json, argument: &str, value: Json) -> Json {
    subnet[argument] = value;
    subnet
}

fn group(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{name}")
}

/// A network in Azure, with subnets by name and properties.
fn network_json(space: &[&str], subnets: &[(&str, Json)]) -> Json {
    let subnets: Vec<Json> = subnets
        .iter()
        .map(|(name, properties)| json!({"name": name, "properties": properties}))
        .collect();
    json!({
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": space},
            "enableDdosProtection": false,
            "subnets": subnets,
        }
    })
}

/// The facts of one read of the network: its subnets come within it.
fn seen(network: Json) -> Seen {
    let id = input(json!({})).id();
    let mut objects: Vec<(ArmId, Option<Json>)> = Network::embedded(&id, &network)
        .into_iter()
        .map(|(id, subnet)| (id, Some(subnet)))
        .collect();
    objects.push((id, Some(network)));
    Seen::of(objects)
}

fn bodies(wants: &[Wanted]) -> BTreeMap<String, Json> {
    wants
        .iter()
        .map(|wanted| (wanted.id.name().to_owned(), wanted.body.clone().unwrap()))
        .collect()
}

#[test]
fn a_new_network_goes_with_its_subnets_under_the_names_that_azure_demands() {
    let input = input(json!({
        "api": subnet("aks_api_server", "10.10.0.0/28"),
        "bastion": subnet("bastion", "10.10.1.0/26"),
    }));
    let wants = network(&input, &Seen::of([(input.id(), None)])).unwrap();
    let creation = wants[0].creation.as_ref().unwrap();
    let made = &creation.body["properties"]["subnets"];
    assert_eq!(made[0]["name"], "api");
    assert_eq!(made[0]["properties"]["addressPrefix"], "10.10.0.0/28");
    assert_eq!(
        made[0]["properties"]["delegations"][0]["properties"]["serviceName"],
        "Microsoft.ContainerService/managedClusters"
    );
    assert_eq!(made[1]["name"], "AzureBastionSubnet");
    let brought: Vec<&str> = creation.brings.iter().map(|(_, id)| id.name()).collect();
    assert_eq!(brought, ["api", "AzureBastionSubnet"]);
    assert_eq!(wants[0].body.as_ref().unwrap()["location"], "westeurope");
}

#[test]
fn what_is_wanted_shows_as_what_was_wanted() {
    let mut nodes = subnet("aks_nodes", "10.10.8.0/22");
    nodes["network_security_group_id"] = group("nodes").into();
    nodes["service_endpoints"] = json!(["Microsoft.Storage"]);
    nodes["default_outbound_access_enabled"] = false.into();
    let mut input = input(json!({
        "nodes": nodes,
        "api": subnet("aks_api_server", "10.10.0.0/28"),
        "pods": with(subnet("general", "10.10.4.0/24"), "delegations", json!(["Some.Service/x"])),
    }));
    input.dns_servers = Some(vec!["10.0.0.5".into(), "10.0.0.4".into()]);
    let nothing = Seen::of([(input.id(), None)]);
    let wants = network(&input, &nothing).unwrap();
    let mut made = wants[0].body.clone().unwrap();
    made["properties"]["subnets"] =
        wants[0].creation.as_ref().unwrap().body["properties"]["subnets"].clone();
    let seen = seen(made);
    let observed = Network::observe(&input.id(), Some(&input), &seen).unwrap();
    let lengths = |mut json: Json| {
        // The state says the length of every single prefix, written or not.
        for (_, subnet) in json["subnets"].as_object_mut().unwrap() {
            subnet["prefix_length"] = Json::Null;
        }
        json
    };
    assert_eq!(
        lengths(serde_json::to_value(&observed.input).unwrap()),
        lengths(serde_json::to_value(&input).unwrap())
    );
    // And nothing is left to write.
    for (name, body) in bodies(&subnets(&observed.input, &seen).unwrap()) {
        assert_eq!(body["properties"]["addressPrefix"], Json::Null, "{name}");
        let found = seen
            .look(&input.id().child("subnets", &name))
            .unwrap()
            .found()
            .unwrap();
        assert_eq!(
            body["properties"]["delegations"],
            found["properties"]["delegations"]
        );
    }
}

#[test]
fn what_others_attached_stays_and_what_we_attached_is_detached() {
    let network = network_json(
        &["10.10.0.0/16"],
        &[
            (
                "a",
                json!({"addressPrefix": "10.10.0.0/24", "networkSecurityGroup": {"id": group("theirs")}}),
            ),
            (
                "b",
                json!({"addressPrefix": "10.10.1.0/24", "networkSecurityGroup": {"id": group("ours")}}),
            ),
        ],
    );
    let input = input(json!({
        "a": subnet("general", "10.10.0.0/24"),
        "b": subnet("general", "10.10.1.0/24"),
    }));
    let prior = json!({"subnets": {
        "a": subnet("general", "10.10.0.0/24"),
        "b": with(subnet("general", "10.10.1.0/24"), "network_security_group_id", group("ours").into()),
    }});
    let bodies = bodies(&subnets(&input, &seen(network).with_prior(prior)).unwrap());
    let attached = |name: &str| {
        bodies[name]["properties"]
            .get("networkSecurityGroup")
            .cloned()
    };
    assert_eq!(attached("a"), None, "others attached it");
    assert_eq!(attached("b"), Some(Json::Null), "we attached it");
}

#[test]
fn azure_s_own_names_and_spellings_are_kept() {
    let network = network_json(
        &["10.10.0.0/16"],
        &[(
            "api",
            json!({
                "addressPrefixes": ["10.10.0.0/28"],
                "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope"]}],
                "delegations": [{
                    "name": "0",
                    "properties": {"serviceName": "microsoft.containerservice/managedclusters"}
                }]
            }),
        )],
    );
    let api = with(
        subnet("aks_api_server", "10.10.0.0/28"),
        "service_endpoints",
        json!(["microsoft.storage"]),
    );
    let input = input(json!({ "api": api }));
    let seen = seen(network);
    let body = &bodies(&subnets(&input, &seen).unwrap())["api"]["properties"];
    assert_eq!(body["delegations"][0]["name"], "0");
    assert_eq!(
        body["delegations"][0]["properties"]["serviceName"],
        "microsoft.containerservice/managedclusters"
    );
    assert_eq!(body["serviceEndpoints"][0]["service"], "Microsoft.Storage");
    assert!(body.get("addressPrefix").is_none() && body.get("addressPrefixes").is_none());
    let observed = Network::observe(&input.id(), Some(&input), &seen).unwrap();
    let api = &observed.input.subnets.unwrap()["api"];
    assert_eq!(api.delegations, None, "it is the purpose's own");
    assert_eq!(
        api.service_endpoints,
        Some(["microsoft.storage".to_owned()].into())
    );
}

#[test]
fn an_import_reads_purposes_from_names_and_delegations() {
    let network = network_json(
        &["10.10.0.0/16"],
        &[
            (
                "AzureBastionSubnet",
                json!({"addressPrefix": "10.10.0.0/26"}),
            ),
            (
                "dns",
                json!({
                    "addressPrefix": "10.10.1.0/28",
                    "delegations": [{"name": "x", "properties": {"serviceName": "Microsoft.Network/dnsResolvers"}}],
                }),
            ),
            (
                "other",
                json!({
                    "addressPrefixes": ["10.10.2.0/24", "fd00::/64"],
                    "networkSecurityGroup": {"id": group("g")},
                }),
            ),
        ],
    );
    let id = input(json!({})).id();
    let observed = Network::observe(&id, None, &seen(network)).unwrap();
    assert_eq!(observed.input.location, "westeurope");
    assert_eq!(observed.output.other_subnets, BTreeMap::new());
    let subnets = serde_json::to_value(observed.input.subnets).unwrap();
    assert_eq!(subnets["AzureBastionSubnet"]["purpose"], "bastion");
    assert_eq!(subnets["AzureBastionSubnet"]["prefix_length"], 26);
    assert_eq!(subnets["dns"]["purpose"], "dns_resolver_inbound");
    assert_eq!(subnets["dns"]["delegations"], Json::Null);
    assert_eq!(subnets["other"]["purpose"], "general");
    assert_eq!(subnets["other"]["prefix_length"], Json::Null);
    assert_eq!(subnets["other"]["network_security_group_id"], group("g"));
}

#[test]
fn subnets_of_others_are_reported_and_keep_the_network() {
    let network = network_json(
        &["10.10.0.0/16"],
        &[
            (
                "a",
                json!({"addressPrefix": "10.10.0.0/28", "ipConfigurations": [{"id": "x"}]}),
            ),
            ("theirs", json!({"addressPrefix": "10.10.1.0/24"})),
        ],
    );
    let input = input(json!({"a": subnet("general", "10.10.0.0/28")}));
    let seen = seen(network);
    let observed = Network::observe(&input.id(), Some(&input), &seen).unwrap();
    let theirs = input.id().child("subnets", "theirs");
    assert_eq!(
        observed.output.other_subnets["theirs"],
        Other {
            id: theirs.clone(),
            address_prefixes: vec!["10.10.1.0/24".into()]
        }
    );
    assert_eq!(
        observed.output.subnet_addresses["a"],
        Addresses {
            usable: 11,
            free: 10
        }
    );
    let mut ledger = Ledger::default();
    ledger.own("network", &input.id());
    ledger.own("subnets", &input.id().child("subnets", "a"));
    let removal = Removal {
        id: &input.id(),
        ledger: &ledger,
    };
    assert_eq!(holds_others(&removal, &seen).unwrap(), [theirs.to_string()]);
}

#[test]
fn a_prefix_leaves_the_network_after_its_subnets() {
    let network_in_azure = network_json(
        &["10.10.0.0/16", "10.11.0.0/16"],
        &[("a", json!({"addressPrefix": "10.11.0.0/24"}))],
    );
    let input = input(json!({"a": subnet("general", "10.10.0.0/24")}));
    let before = seen(network_in_azure);
    let first = network(&input, &before).unwrap()[0].body.clone().unwrap();
    assert_eq!(
        first["properties"].get("addressSpace"),
        None,
        "both stay while they are used"
    );
    let last = address_space(&input, &before).unwrap();
    assert_eq!(
        last[0].body.as_ref().unwrap()["properties"]["addressSpace"]["addressPrefixes"],
        json!(["10.10.0.0/16"])
    );
    let after = seen(network_json(&["10.10.0.0/16"], &[]));
    assert!(address_space(&input, &after).unwrap().is_empty());
}

#[test]
fn a_network_without_settings_of_its_own_asks_for_none_to_be_changed() {
    let input = input(json!({}));
    let found = network_json(&["10.10.0.0/16"], &[]);
    assert_eq!(
        network_body(&input, &["10.10.0.0/16".to_owned()], Some(&found)),
        json!({
            "location": "westeurope",
            "properties": {"dhcpOptions": {"dnsServers": []}, "ddosProtectionPlan": null}
        })
    );
}
