//! The architecture `allowlisted-acr` under what others do to it.

use reqwest::Method;
use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[Step {
    name: "what_others_change_is_shown_and_repaired",
    run: drift,
}];

/// An address that nobody has allowed.
const STRANGER: &str = "192.0.2.200";
const CLUSTER: &str = "fkaks_cluster.aks";
const REGISTRY: &str = "fkaks_registry.acr";
const OTHERS: &str = "fkaks_registry_allowlist.others";
const ACCESS: &str = "fkaks_registry_access.nodes";
const AUDIT: &str = "fkaks_registry_audit.acr";

fn drift(session: &mut Session) {
    session.apply();
    let lets_in = |session: &Session, place: &str| {
        let server = session.state(REGISTRY)["login_server"].clone();
        session.sandbox.lets_in(place, server.as_str().unwrap())
    };
    let egress = session.state(CLUSTER)["egress_ips"][0].clone();
    assert!(
        lets_in(session, egress.as_str().unwrap()),
        "the nodes come in"
    );
    assert!(!lets_in(session, STRANGER), "nobody else does");
    // Someone opens the registry to everyone, and takes the addresses of the build agents from its list.
    let id = session.state(REGISTRY)["id"].as_str().unwrap().to_owned();
    let rules = |session: &Session| {
        let found = session.sandbox.get(&id, "2025-11-01");
        found["properties"]["networkRuleSet"].clone()
    };
    let mut opened = rules(session);
    opened["defaultAction"] = json!("Allow");
    let list = opened["ipRules"].as_array_mut().unwrap();
    list.retain(|rule| rule["value"] != "198.51.100.0/24");
    assert_eq!(list.len(), 1, "the cluster's address stays");
    let edit = json!({ "properties": { "networkRuleSet": opened } });
    let path = format!("/resources{id}");
    session.sandbox.control(Method::PATCH, &path, Some(&edit));
    let plan = session.plan();
    plan.must(action::UPDATE, REGISTRY);
    plan.must(action::UPDATE, OTHERS);
    assert!(lets_in(session, STRANGER), "it is open");
    session.apply();
    session.plan().must_be_empty("a registry that was opened");
    assert!(!lets_in(session, STRANGER), "it is closed again");
    let repaired = rules(session);
    assert_eq!(repaired["defaultAction"], "Deny");
    assert_eq!(
        repaired["ipRules"].as_array().unwrap().len(),
        2,
        "{repaired}"
    );

    // Someone takes the nodes' grant and the collection of events away.
    let owned = |address: &str, part: &str| {
        let id = session.state(address)["objects"][part][0].clone();
        id.as_str().unwrap().to_owned()
    };
    session
        .sandbox
        .delete(&owned(ACCESS, "grants"), "2022-04-01");
    session
        .sandbox
        .delete(&owned(AUDIT, "setting"), "2021-05-01-preview");
    let plan = session.plan();
    plan.must(action::UPDATE, ACCESS);
    plan.must(action::UPDATE, AUDIT);
    session.apply();
    session
        .plan()
        .must_be_empty("a grant and a setting that were taken away");
}
