#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::json;
use tfplugin_rs::schema;

use super::*;

const NETWORK_ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub";

fn network() -> ArmId {
    ArmId::parse(NETWORK_ID).unwrap()
}

fn input(prefixes: Option<&str>) -> Input {
    serde_json::from_value(json!({
        "virtual_network_id": NETWORK_ID,
        "name": "pe",
        "purpose": "private_endpoints",
        "address_prefixes": prefixes.map(|prefix| [prefix]),
        "prefix_length": 27,
        "private_endpoint_network_policies": "Disabled",
        "default_outbound_access_enabled": true,
    }))
    .unwrap()
}

fn hub(subnets: &[(&str, &str)]) -> Json {
    let subnets: Vec<Json> = subnets
        .iter()
        .map(|(name, prefix)| json!({"name": name, "properties": {"addressPrefix": prefix}}))
        .collect();
    json!({"properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/24"]}, "subnets": subnets
    }})
}

#[test]
fn an_input_goes_to_json_and_back() {
    let json = serde_json::to_value(input(None)).unwrap();
    assert_eq!(json["name"], "pe");
    assert_eq!(json["prefix_length"], 27);
    let back: Input = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(back).unwrap(), json);
}

#[test]
fn a_size_is_placed_around_what_stands_and_decided_under_the_network_s_lock() {
    let input = input(None);
    let hub = hub(&[("a", "10.0.0.0/27"), ("b", "10.0.0.64/26")]);
    let seen = Seen::of([(network(), Some(hub)), (input.id(), None)]);
    let wants = subnet(&input, &seen).unwrap();
    let body = wants[0].body.as_ref().unwrap();
    assert_eq!(body["properties"]["addressPrefix"], "10.0.0.32/27");
    assert!(wants[0].under_lock);
    assert!(subnet(&input, &Seen::of([])).unwrap()[0].body.is_err());
}

#[test]
fn what_is_wanted_shows_as_what_was_wanted_and_nothing_is_left_to_write() {
    let input = input(Some("10.0.0.32/27"));
    let nothing = Seen::of([(input.id(), None)]);
    let made = subnet(&input, &nothing).unwrap()[0].body.clone().unwrap();
    let seen = Seen::of([(input.id(), Some(made))]);
    let observed = Subnet::observe(&input.id(), Some(&input), &seen).unwrap();
    assert_eq!(
        serde_json::to_value(&observed.input).unwrap(),
        serde_json::to_value(&input).unwrap()
    );
    assert_eq!(observed.output.free_addresses, Some(27));
    let imported = Subnet::observe(&input.id(), None, &seen).unwrap().input;
    assert_eq!(imported.virtual_network_id, network());
    assert_eq!(imported.name, "pe");
}

fn config(arguments: Json) -> Value {
    let mut all = json!({
        "virtual_network_id": NETWORK_ID, "name": "pe", "purpose": "private_endpoints"
    });
    for (name, value) in arguments.as_object().unwrap() {
        all[name] = value.clone();
    }
    Subnet::SCHEMA.value_from_json(&all).unwrap()
}

fn planned(config: &Value, prior: Option<&Value>) -> Value {
    let mut planned = schema::plan(&Subnet::SCHEMA, config, prior).planned;
    Subnet::complete(config, &mut planned, prior, &Surroundings::default());
    planned
}

#[test]
fn a_place_is_kept_while_the_size_is_and_found_anew_when_it_changes() {
    let sized = |length: u8| config(json!({ "prefix_length": length }));
    assert!(
        planned(&sized(27), None)
            .get("address_prefixes")
            .is_unknown()
    );
    let state = config(json!({"prefix_length": 27, "address_prefixes": ["10.0.0.32/27"]}));
    assert_eq!(
        planned(&sized(27), Some(&state)).get("address_prefixes"),
        state.get("address_prefixes")
    );
    assert!(
        planned(&sized(26), Some(&state))
            .get("address_prefixes")
            .is_unknown()
    );
    let given = config(json!({"address_prefixes": ["10.0.0.0/28"]}));
    assert_eq!(
        planned(&given, Some(&state)).get("prefix_length").as_i64(),
        Some(28)
    );
}

fn problems(config: &Value, seen: &Seen) -> Vec<(String, String)> {
    let planned = planned(config, None);
    let mut diagnostics = Diagnostics::new();
    let mut check = Check {
        config,
        planned: &planned,
        prior: None,
        replaced: None,
        seen,
        diagnostics: &mut diagnostics,
    };
    Subnet::check(&mut check).unwrap();
    diagnostics
        .into_iter()
        .map(|found| (found.path.to_string(), found.summary))
        .collect()
}

#[test]
fn the_place_is_checked_against_the_network_at_plan() {
    let seen = Seen::of([(network(), Some(hub(&[("a", "10.0.0.0/25")])))]);
    let told = problems(
        &config(json!({"address_prefixes": ["10.0.0.64/27"]})),
        &seen,
    );
    assert_eq!(
        told,
        [(
            "address_prefixes".to_owned(),
            "Subnet \"pe\": 10.0.0.64/27 overlaps 10.0.0.0/25 of subnet \"a\", which is managed elsewhere"
                .to_owned()
        )]
    );
    let told = problems(&config(json!({"prefix_length": 24})), &seen);
    assert_eq!(told[0].0, "prefix_length");
    assert!(told[0].1.contains("no free /24"), "{told:?}");
    let elsewhere = problems(&config(json!({"address_prefixes": ["10.9.0.0/27"]})), &seen);
    assert!(
        elsewhere[0].1.contains("outside the network"),
        "{elsewhere:?}"
    );
}
