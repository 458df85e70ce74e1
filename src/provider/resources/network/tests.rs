#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

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

fn config(subnets: Json) -> Value {
    Network::SCHEMA
        .value_from_json(&json!({
            "name": "fk-vnet", "resource_group_id": GROUP, "location": "westeurope",
            "address_space": ["10.10.0.0/16"], "subnets": subnets,
        }))
        .unwrap()
}

fn planned(config: &Value, prior: Option<&Value>) -> Value {
    let mut planned = schema::plan(&Network::SCHEMA, config, prior).planned;
    Network::complete(config, &mut planned, prior, &Surroundings::default());
    for (name, value) in Network::foresee(&planned, prior, &Surroundings::default()) {
        planned.set(name, value);
    }
    planned
}

#[test]
fn subnets_by_size_are_placed_at_plan_and_stay_when_others_come() {
    let first = planned(
        &config(json!({
            "nodes": {"purpose": "aks_nodes", "prefix_length": 22},
            "bastion": {"purpose": "bastion", "prefix_length": 26},
        })),
        None,
    );
    let prefixes = to_json(first.get("subnet_address_prefixes")).unwrap();
    assert_eq!(
        prefixes,
        json!({"nodes": ["10.10.0.0/22"], "bastion": ["10.10.4.0/26"]})
    );
    let ids = to_json(first.get("subnet_ids")).unwrap();
    assert!(
        ids["bastion"]
            .as_str()
            .unwrap()
            .ends_with("/subnets/AzureBastionSubnet")
    );

    let mut prior = first;
    let other = json!({"theirs": {"id": "x", "address_prefixes": ["10.10.5.0/24"]}});
    let kind = Network::SCHEMA
        .value_from_json(&json!({ "other_subnets": other }))
        .unwrap();
    prior.set("other_subnets", kind.get("other_subnets").clone());
    let second = planned(
        &config(json!({
            "nodes": {"purpose": "aks_nodes", "prefix_length": 22},
            "agents": {"purpose": "agents", "prefix_length": 24},
            "pods": {"purpose": "aks_pods", "prefix_length": 20},
            "bastion": {"purpose": "bastion", "prefix_length": 26},
        })),
        Some(&prior),
    );
    assert_eq!(
        to_json(second.get("subnet_address_prefixes")).unwrap(),
        json!({
            "nodes": ["10.10.0.0/22"], "bastion": ["10.10.4.0/26"],
            "agents": ["10.10.6.0/24"], "pods": ["10.10.16.0/20"],
        })
    );
}

#[test]
fn either_way_of_giving_addresses_has_nothing_to_do_after_an_import() {
    let network = network_json(
        &["10.10.0.0/16"],
        &[("a", json!({"addressPrefix": "10.10.0.0/24"}))],
    );
    let id = input(json!({})).id();
    let observed = Network::observe(&id, None, &seen(network)).unwrap();
    let subnets = serde_json::to_value(&observed.input.subnets).unwrap();
    let prior = config(subnets);
    for given in [
        json!({"a": {"purpose": "general", "prefix_length": 24}}),
        json!({"a": {"purpose": "general", "address_prefixes": ["10.10.0.0/24"]}}),
    ] {
        let planned = planned(&config(given), Some(&prior));
        assert_eq!(planned.get("subnets"), prior.get("subnets"));
    }
}

#[test]
fn an_unknown_address_space_leaves_only_the_places_unknown() {
    let mut config = config(json!({"nodes": {"purpose": "aks_nodes", "prefix_length": 22}}));
    config.set("address_space", Value::unknown());
    let planned = planned(&config, None);
    let nodes = planned.get("subnets").get("nodes");
    assert!(nodes.get("address_prefixes").is_unknown());
    assert_eq!(nodes.get("prefix_length").as_i64(), Some(22));
    assert!(planned.get("subnet_ids").is_wholly_known());
    assert!(
        planned
            .get("subnet_address_prefixes")
            .get("nodes")
            .is_unknown()
    );
}

#[test]
fn a_place_that_the_plan_could_not_know_is_found_when_the_network_is_made() {
    let mut nodes = subnet("aks_nodes", "");
    nodes["address_prefixes"] = Json::Null;
    nodes["prefix_length"] = 22.into();
    let input = input(json!({ "nodes": nodes }));
    assert_eq!(placed(&input, &Seen::of([])), Err(Unread));
    let placed = placed(&input, &Seen::of([(input.id(), None)])).unwrap();
    assert_eq!(placed["nodes"], ["10.10.0.0/22"]);
}

#[test]
fn every_problem_of_the_addresses_is_told_at_once_on_its_argument() {
    let mut diagnostics = Diagnostics::new();
    let config = config(json!({
        "aks": {"purpose": "aks_nodes", "address_prefixes": ["10.10.10.0/22"]},
        "bastion": {"purpose": "bastion", "prefix_length": 27},
        "dns": {"purpose": "dns_resolver_inbound", "address_prefixes": ["10.9.0.0/28"]},
    }));
    Network::validate(&config, &mut diagnostics);
    let paths: Vec<String> = diagnostics
        .iter()
        .map(|found| found.path.to_string())
        .collect();
    assert_eq!(
        paths,
        [
            "subnets[\"aks\"].address_prefixes",
            "subnets[\"bastion\"].prefix_length",
            "subnets[\"dns\"].address_prefixes",
        ]
    );
}

fn problems(config: &Value, prior: &Value, seen: &Seen) -> Vec<(Path, String, String)> {
    let planned = planned(config, Some(prior));
    let mut diagnostics = Diagnostics::new();
    let mut check = Check {
        config,
        planned: &planned,
        prior: Some(prior),
        replaced: None,
        seen,
        diagnostics: &mut diagnostics,
    };
    Network::check(&mut check).unwrap();
    diagnostics
        .into_iter()
        .map(|found| (found.path, found.summary, found.detail))
        .collect()
}

/// The state of a network with these subnets, all owned.
fn state(subnets: &Json) -> Value {
    let id = input(json!({})).id();
    let owned: Vec<String> = subnets
        .as_object()
        .unwrap()
        .keys()
        .map(|key| id.child("subnets", key).to_string())
        .collect();
    Network::SCHEMA
        .value_from_json(&json!({
            "id": id, "name": "fk-vnet", "resource_group_id": GROUP, "location": "westeurope",
            "address_space": ["10.10.0.0/16"], "subnets": subnets,
            "objects": {"network": [id], "subnets": owned}, "drift": [],
        }))
        .unwrap()
}

#[test]
fn a_subnet_in_use_is_neither_removed_nor_renamed_nor_moved() {
    let nic = ArmId::parse(GROUP)
        .unwrap()
        .resource("Microsoft.Network/networkInterfaces", "n");
    let used = |prefix: &str| json!({"addressPrefix": prefix, "ipConfigurations": [{"id": nic.child("ipConfigurations", "x")}]});
    let mut seen = seen(network_json(
        &["10.10.0.0/16"],
        &[
            ("a", used("10.10.0.0/24")),
            ("b", used("10.10.1.0/24")),
            ("c", used("10.10.2.0/24")),
        ],
    ));
    seen.insert(&nic, json!({}));
    let prior = state(&json!({
        "a": subnet("general", "10.10.0.0/24"),
        "b": subnet("general", "10.10.1.0/24"),
        "c": subnet("general", "10.10.2.0/24"),
    }));
    let config = config(json!({
        "b": {"purpose": "general", "name": "new", "address_prefixes": ["10.10.1.0/24"]},
        "c": {"purpose": "general", "address_prefixes": ["10.10.9.0/24"]},
    }));
    let problems = problems(&config, &prior, &seen);
    let told: Vec<(String, &str)> = problems
        .iter()
        .map(|(path, summary, _)| (path.to_string(), summary.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "subnets".to_owned(),
                "Subnet \"a\" cannot be removed: it is in use"
            ),
            (
                "subnets[\"b\"].name".to_owned(),
                "Subnet \"b\" cannot be renamed to \"new\": it is in use"
            ),
            (
                "subnets[\"c\"]".to_owned(),
                "Subnet \"c\" cannot move to 10.10.9.0/24: it is in use"
            ),
        ]
    );
    assert!(
        problems
            .iter()
            .all(|(_, _, detail)| detail.contains(nic.as_str())),
        "{problems:?}"
    );
}

#[test]
fn subnets_of_others_are_known_at_plan() {
    let seen = seen(network_json(
        &["10.10.0.0/16", "10.11.0.0/16"],
        &[
            ("a", json!({"addressPrefix": "10.10.0.0/24"})),
            ("theirs", json!({"addressPrefix": "10.10.1.0/24"})),
            ("far", json!({"addressPrefix": "10.11.1.0/24"})),
        ],
    ));
    let prior = state(&json!({"a": subnet("general", "10.10.0.0/24")}));
    let config = config(json!({
        "a": {"purpose": "general", "address_prefixes": ["10.10.0.0/24"]},
        "b": {"purpose": "general", "address_prefixes": ["10.10.1.128/25"]},
        "c": {"purpose": "general", "name": "far", "prefix_length": 24},
    }));
    let summaries: Vec<String> = problems(&config, &prior, &seen)
        .into_iter()
        .map(|(_, summary, _)| summary)
        .collect();
    assert_eq!(
        summaries,
        [
            "Subnet \"b\": 10.10.1.128/25 overlaps 10.10.1.0/24 of subnet \"theirs\", which is managed elsewhere",
            "The address space leaves out 10.11.1.0/24 of subnet \"far\", which is managed elsewhere",
            "Subnet \"c\" cannot be made: the network has a subnet of that name, which is managed elsewhere",
        ]
    );
}

#[test]
fn subnets_do_not_change_places_in_one_apply() {
    let seen = seen(network_json(
        &["10.10.0.0/16"],
        &[
            ("a", json!({"addressPrefix": "10.10.0.0/24"})),
            ("b", json!({"addressPrefix": "10.10.1.0/24"})),
        ],
    ));
    let prior = state(&json!({
        "a": subnet("general", "10.10.0.0/24"),
        "b": subnet("general", "10.10.1.0/24"),
    }));
    let config = config(json!({
        "a": {"purpose": "general", "address_prefixes": ["10.10.1.0/24"]},
        "b": {"purpose": "general", "address_prefixes": ["10.10.0.0/24"]},
    }));
    let problems = problems(&config, &prior, &seen);
    assert_eq!(
        problems[0].1,
        "Subnets a, b cannot change places in one apply"
    );
}

#[test]
fn the_page_says_what_every_purpose_means() {
    for purpose in crate::network::Purpose::ALL {
        let rules = purpose.rules();
        let row = format!("| `{}` | {} |", rules.name, rules.summary);
        assert!(
            Network::PAGE.notes.contains(&row),
            "missing on the page: {row}"
        );
    }
}
