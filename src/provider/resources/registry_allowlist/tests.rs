#![allow(clippy::unwrap_used)]
use serde_json::{Value as Json, json};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::provider::parts::check_alone;

const GROUP: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers";

fn id(rest: &str) -> ArmId {
    ArmId::parse(&format!("{GROUP}/{rest}")).unwrap()
}

fn registry_id() -> ArmId {
    id("Microsoft.ContainerRegistry/registries/fkacr")
}

fn public_ip() -> ArmId {
    id("Microsoft.Network/publicIPAddresses/pip")
}

fn registry(rules: &[&str]) -> Json {
    let rules: Vec<Json> = rules
        .iter()
        .map(|rule| json!({"action": "Allow", "value": rule}))
        .collect();
    json!({"sku": {"name": "Premium"}, "properties": {
        "publicNetworkAccess": "Enabled",
        "networkRuleSet": {"defaultAction": "Deny", "ipRules": rules},
    }})
}

fn input(more: &Json) -> Input {
    let mut json = json!({"registry_id": registry_id()});
    json.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn seen(rules: &[&str], address: Option<&str>) -> Seen {
    let ip = address.map(|address| json!({"properties": {"ipAddress": address}}));
    Seen::of([(registry_id(), Some(registry(rules))), (public_ip(), ip)])
}

/// The rules that a deed would write.
fn written(deed: Option<Deed>) -> Option<Vec<String>> {
    let crate::provider::parts::Request::Patch(body) = deed?.request else {
        panic!("rules are written by PATCH");
    };
    let rules = body["properties"]["networkRuleSet"]["ipRules"]
        .as_array()
        .unwrap()
        .clone();
    Some(
        rules
            .iter()
            .map(|rule| rule["value"].as_str().unwrap().to_owned())
            .collect(),
    )
}

fn next(input: &Input, seen: &Seen) -> Option<Vec<String>> {
    written(open_then_close(input, seen).unwrap())
}

#[test]
fn what_is_missing_is_added_beside_what_others_have() {
    let input = input(
        &json!({"public_ip_ids": [public_ip()], "ip_ranges": ["198.51.100.0/24", "192.0.2.9/32"]}),
    );
    let seen = seen(&["192.0.2.1"], Some("203.0.113.7"));
    let rules = next(&input, &seen).unwrap();
    assert_eq!(
        rules,
        ["192.0.2.1", "192.0.2.9", "198.51.100.0/24", "203.0.113.7"]
    );
}

#[test]
fn a_new_address_is_allowed_before_the_old_one_goes() {
    let mut input = input(&json!({"public_ip_ids": [public_ip()]}));
    let source = public_ip().to_string();
    input.entries =
        serde_json::from_value(json!({"203.0.113.7": {"sources": [source], "owned": true}}))
            .unwrap();
    let opened = next(&input, &seen(&["203.0.113.7"], Some("203.0.113.8")));
    assert_eq!(opened.unwrap(), ["203.0.113.7", "203.0.113.8"]);
    let closed = next(
        &input,
        &seen(&["203.0.113.7", "203.0.113.8"], Some("203.0.113.8")),
    );
    assert_eq!(closed.unwrap(), ["203.0.113.8"]);
}

#[test]
fn an_address_that_cannot_be_read_or_is_empty_keeps_its_rule() {
    let mut input = input(&json!({"public_ip_ids": [public_ip()]}));
    let source = public_ip().to_string();
    input.entries =
        serde_json::from_value(json!({"203.0.113.7": {"sources": [source], "owned": true}}))
            .unwrap();
    for facts in [
        seen(&["203.0.113.7"], None),
        Seen::of([
            (registry_id(), Some(registry(&["203.0.113.7"]))),
            (public_ip(), Some(json!({"properties": {}}))),
        ]),
    ] {
        assert_eq!(next(&input, &facts), None);
        let reckoning = Reckoning::of(&input, &facts).unwrap();
        assert!(reckoning.reasons().is_empty(), "{:?}", reckoning.reasons());
        assert_eq!(reckoning.silent().len(), 1);
    }
}

#[test]
fn what_others_had_allowed_before_counts_and_stays() {
    let input = input(&json!({"ip_ranges": ["203.0.113.7"]}));
    let facts = seen(&["203.0.113.7"], None);
    assert_eq!(next(&input, &facts), None);
    let entries = Reckoning::of(&input, &facts).unwrap().entries();
    assert!(!entries["203.0.113.7"].owned);
    let mut going = input.clone();
    going.entries = Some(entries);
    assert_eq!(written(close(&going, &facts).unwrap()), None);
}

#[test]
fn only_what_was_added_goes_with_the_resource() {
    let mut input = input(&json!({"ip_ranges": ["203.0.113.7", "203.0.113.8"]}));
    input.entries = serde_json::from_value(json!({
        "203.0.113.7": {"sources": ["ip_ranges"], "owned": true},
        "203.0.113.8": {"sources": ["ip_ranges"], "owned": false},
    }))
    .unwrap();
    let facts = seen(&["192.0.2.1", "203.0.113.7", "203.0.113.8"], None);
    let left = written(close(&input, &facts).unwrap()).unwrap();
    assert_eq!(left, ["192.0.2.1", "203.0.113.8"]);
}

#[test]
fn what_an_import_found_and_nobody_asks_for_stays() {
    let facts = seen(&["192.0.2.1", "203.0.113.7"], None);
    let state = RegistryAllowlist::observe(&registry_id(), None, &facts).unwrap();
    let entries = json!(state.output.entries);
    assert_eq!(
        entries["192.0.2.1"]["sources"],
        json!(["import", "ip_ranges"])
    );
    let input = input(&json!({"ip_ranges": ["203.0.113.7"]}));
    let facts = facts.with_prior(json!({"entries": entries}));
    assert_eq!(next(&input, &facts), None);
    let left = Reckoning::of(&input, &facts).unwrap().entries();
    assert_eq!(
        json!(left),
        json!({"203.0.113.7": {"sources": ["ip_ranges"], "owned": true}})
    );
}

fn at(now: OffsetDateTime, rules: &[&str]) -> Seen {
    let surroundings = Surroundings {
        now,
        ..Surroundings::default()
    };
    seen(rules, None).with_surroundings(surroundings)
}

#[test]
fn what_is_allowed_for_a_while_goes_when_its_time_is_over_and_does_not_come_back() {
    let begin = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let temporary =
        json!({"temporary": {"night": {"ip_ranges": ["203.0.113.7"], "expires_after": "8h"}}});
    let mut input = input(&temporary);
    assert_eq!(next(&input, &at(begin, &[])).unwrap(), ["203.0.113.7"]);
    let standing = Reckoning::of(&input, &at(begin, &["203.0.113.7"])).unwrap();
    input.expiry = Some(standing.expiry());
    input.entries = serde_json::from_value(json!({
        "203.0.113.7": {"sources": ["temporary.night"], "owned": true},
    }))
    .unwrap();
    assert_eq!(
        next(&input, &at(begin + Duration::hours(7), &["203.0.113.7"])),
        None
    );

    let late = at(begin + Duration::hours(8), &["203.0.113.7"]);
    assert_eq!(next(&input, &late).unwrap(), Vec::<String>::new());
    let reckoning = Reckoning::of(&input, &late).unwrap();
    assert_eq!(
        reckoning.reasons(),
        ["203.0.113.7 of temporary.night is still allowed, and its time is over"]
    );
    assert!(reckoning.expiry()["night"].expired);

    input.entries = None;
    assert_eq!(next(&input, &at(begin + Duration::hours(9), &[])), None);
}

fn value(input: &Json) -> Value {
    RegistryAllowlist::SCHEMA.value_from_json(input).unwrap()
}

fn said(config: &Json, seen: &Seen) -> String {
    let value = value(config);
    let found = check_alone::<RegistryAllowlist>(&value, None, seen).unwrap();
    found.iter().map(|found| format!("{found:?}\n")).collect()
}

#[test]
fn a_private_registry_and_a_cluster_behind_a_firewall_are_refused_together() {
    let cluster = id("Microsoft.ContainerService/managedClusters/aks");
    let config = json!({"registry_id": registry_id(), "cluster_ids": [cluster]});
    let mut private = registry(&[]);
    private["properties"]["publicNetworkAccess"] = json!("Disabled");
    let routed = json!({"properties": {"networkProfile": {"outboundType": "userDefinedRouting"}}});
    let seen = Seen::of([(registry_id(), Some(private)), (cluster, Some(routed))]).with_list(
        &registry_id(),
        "listUsages",
        Vec::new(),
    );
    let said = said(&config, &seen);
    assert!(said.contains("has no public access"), "{said}");
    assert!(said.contains("are not known to Azure"), "{said}");
}

#[test]
fn more_rules_than_the_registry_takes_are_refused() {
    let theirs: Vec<String> = (1..=100).map(|last| format!("192.0.2.{last}")).collect();
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let config = json!({"registry_id": registry_id(), "ip_ranges": ["203.0.113.7"]});
    let usage = json!({"name": "IPRules", "limit": 100});
    let facts = seen(&theirs, None).with_list(&registry_id(), "listUsages", vec![usage]);
    let said = said(&config, &facts);
    assert!(said.contains("101 of 100"), "{said}");
}

#[test]
fn two_allowlists_of_one_plan_are_counted_together_and_each_once() {
    let theirs: Vec<String> = (1..=98).map(|last| format!("192.0.2.{last}")).collect();
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let plan = Surroundings::default();
    let said_of = |ranges: &[&str]| {
        let facts = seen(&theirs, None)
            .with_list(&registry_id(), "listUsages", Vec::new())
            .with_surroundings(plan.clone());
        said(
            &json!({"registry_id": registry_id(), "ip_ranges": ranges}),
            &facts,
        )
    };
    let first = ["203.0.113.7", "203.0.113.8"];
    assert_eq!(said_of(&first), "");
    assert_eq!(said_of(&first), "", "planned twice, it is one");
    assert_eq!(said_of(&["203.0.113.7"]), "", "an address is one rule");
    let together = said_of(&["203.0.113.9"]);
    assert!(together.contains("101 of 100"), "{together}");
    let others = "other allowlists of this plan add 2 more";
    assert!(together.contains(others), "{together}");
}

#[test]
fn a_cluster_that_is_not_there_is_told_of_and_keeps_its_rules() {
    let cluster = id("Microsoft.ContainerService/managedClusters/gone");
    let config = json!({"registry_id": registry_id(), "cluster_ids": [cluster]});
    let facts = Seen::of([
        (registry_id(), Some(registry(&["203.0.113.7"]))),
        (cluster.clone(), None),
    ])
    .with_list(&registry_id(), "listUsages", Vec::new());
    let said = said(&config, &facts);
    let gone = format!("{cluster}: it does not exist");
    assert!(said.contains(&gone), "{said}");
    assert!(said.contains("stays allowed"), "{said}");

    let mut input = input(&config);
    input.entries = serde_json::from_value(json!({
        "203.0.113.7": {"sources": [cluster.to_string()], "owned": true},
    }))
    .unwrap();
    assert_eq!(next(&input, &facts), None);
}

#[test]
fn an_allowlist_of_nothing_is_refused() {
    let mut diagnostics = Diagnostics::new();
    let config = value(&json!({"registry_id": registry_id(), "ip_ranges": []}));
    check::validate(&config, &mut diagnostics);
    let found: Vec<_> = diagnostics.iter().collect();
    assert_eq!(found.len(), 1, "{found:?}");
}
