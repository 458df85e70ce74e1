//! What a plan places, knows and refuses.

use super::*;

pub(super) fn config(subnets: Json) -> Value {
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

pub(super) fn problems(config: &Value, prior: &Value, seen: &Seen) -> Vec<(Path, String, String)> {
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
pub(super) fn state(subnets: &Json) -> Value {
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
