//! Several allowlists on one registry, in step with a cluster; what expires; and the mistakes.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_cluster_with_more_addresses_is_followed_and_nobody_elses_rule_is_touched",
        run: follows,
    },
    Step {
        name: "a_rule_that_was_taken_away_is_drift_and_comes_back",
        run: taken_away,
    },
    Step {
        name: "rules_that_another_process_writes_meanwhile_stay_beside_ours",
        run: written_over,
    },
    Step {
        name: "a_cluster_that_is_gone_is_told_of",
        run: gone,
    },
    Step {
        name: "allowlists_of_one_plan_are_counted_together",
        run: together,
    },
    Step {
        name: "an_address_that_cannot_be_read_keeps_its_rule",
        run: unreadable,
    },
    Step {
        name: "what_was_allowed_for_a_while_goes_and_does_not_come_back",
        run: expires,
    },
    Step {
        name: "a_registry_without_public_access_is_refused_at_plan",
        run: refused,
    },
    Step {
        name: "a_registry_that_the_same_apply_makes_private_is_refused_before_a_rule_is_written",
        run: made_private,
    },
    Step {
        name: "an_import_takes_over_the_rules_and_none_goes_before_an_apply_has_named_it",
        run: import,
    },
];

const NODES: &str = "fkaks_registry_allowlist.nodes";
const OFFICE: &str = "fkaks_registry_allowlist.office";
const CLUSTER: &str = "fkaks_cluster.aks";
const REGISTRY: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/fkacrpublic";
const VERSION: &str = "2025-11-01";

fn rules(session: &Session) -> BTreeSet<String> {
    let registry = session.sandbox.get(REGISTRY, VERSION);
    let rules = registry["properties"]["networkRuleSet"]["ipRules"].as_array();
    let rules = rules.unwrap().iter();
    rules
        .map(|rule| rule["value"].as_str().unwrap().to_owned())
        .collect()
}

fn egress(session: &Session) -> BTreeSet<String> {
    let state = session.state(CLUSTER);
    let addresses = state["egress_ips"].as_array().unwrap().iter();
    addresses
        .map(|address| address.as_str().unwrap().to_owned())
        .collect()
}

fn expected(session: &Session, plain: &[&str]) -> BTreeSet<String> {
    let plain = plain.iter().map(|&range| range.to_owned());
    egress(session).into_iter().chain(plain).collect()
}

fn follows(session: &mut Session) {
    session.apply();
    let office = ["192.0.2.1", "198.51.100.0/24", "203.0.113.7"];
    assert_eq!(rules(session), expected(session, &office));
    session.set("outbound_ip_count", "3");
    session.apply();
    // The cluster's new addresses are there only when its own change is through.
    session.apply();
    assert_eq!(egress(session).len(), 3);
    assert_eq!(rules(session), expected(session, &office));
    session
        .plan()
        .must_be_empty("a cluster with more addresses");
    session.set("outbound_ip_count", "1");
    session.apply();
    session.apply();
    assert_eq!(
        rules(session),
        expected(session, &office),
        "what it lost is no longer allowed"
    );
    session.destroy();
    assert_eq!(
        rules(session),
        BTreeSet::from(["192.0.2.1".to_owned()]),
        "the rule of someone else stays"
    );
}

fn taken_away(session: &mut Session) {
    session.apply();
    let edit = json!({ "properties": { "networkRuleSet": { "ipRules": [{ "action": "Allow", "value": "203.0.113.7" }] } } });
    session
        .sandbox
        .control(Method::PATCH, &format!("/resources{REGISTRY}"), Some(&edit));
    let plan = session.plan();
    plan.must(action::UPDATE, NODES);
    plan.must(action::UPDATE, OFFICE);
    session
        .run(&["plan"])
        .must_say(&["198.51.100.0/24 of ip_ranges is not allowed"]);
    session.apply();
    assert_eq!(
        rules(session),
        expected(session, &["198.51.100.0/24", "203.0.113.7"])
    );
    session.plan().must_be_empty("rules that came back");
}

/// Another process, which has read the list before ours came onto it: it writes while our write waits for
/// the registry, and right after our write.
fn written_over(session: &mut Session) {
    session.apply();
    let theirs = |others: &[&str]| {
        let rules = others
            .iter()
            .map(|rule| json!({ "action": "Allow", "value": rule }));
        let rules: Vec<_> = rules.collect();
        json!({ "edit": { "id": REGISTRY, "patch": { "properties": { "networkRuleSet": { "ipRules": rules } } } } })
    };
    let on = json!({ "method": "PATCH", "path": "*/registries/fkacrpublic" });
    let busy = json!({ "match": on, "effect": { "answer": {
        "status": 409, "code": "Conflict", "message": "Another operation is in progress." } } });
    session.sandbox.fault(&busy);
    for actor in [
        json!({ "on": on, "answered": 409, "do": theirs(&["192.0.2.1", "192.0.2.50"]) }),
        json!({ "on": on, "do": theirs(&["192.0.2.1", "192.0.2.50", "192.0.2.60"]) }),
    ] {
        let add = Some(&actor);
        session.sandbox.control(Method::POST, "/actors", add);
    }
    session.set("ranges", "[\"198.51.100.0/24\", \"203.0.113.20\"]");
    let target = format!("-target={OFFICE}");
    session
        .run(&["apply", "-auto-approve", &target])
        .must_succeed();
    let actors = session.sandbox.control(Method::GET, "/actors", None);
    let woke: Vec<_> = (0..2)
        .map(|at| actors["value"][at]["woke"].clone())
        .collect();
    assert_eq!(woke, [1, 1], "both have written: {actors}");
    let standing = rules(session);
    for rule in [
        "192.0.2.1",
        "192.0.2.50",
        "192.0.2.60",
        "198.51.100.0/24",
        "203.0.113.20",
    ] {
        assert!(standing.contains(rule), "{rule} in {standing:?}");
    }
    session.set("ranges", "[\"198.51.100.0/24\", \"203.0.113.7\"]");
    session.apply();
    session.plan().must_be_empty("nobody's rules are lost");
}

fn gone(session: &mut Session) {
    session.apply();
    let before = rules(session);
    let cluster = session.state(CLUSTER)["id"].as_str().unwrap().to_owned();
    session.write(
        "gone.tf",
        &format!(
            "resource \"fkaks_registry_allowlist\" \"gone\" {{\n  registry_id = \"{REGISTRY}\"\n  cluster_ids = \
             [\"{cluster}-gone\"]\n  ip_ranges   = [\"203.0.113.77\"]\n}}\n"
        ),
    );
    session
        .run(&["plan"])
        .must_say(&["some addresses cannot be found out now", "aks-allowed-gone"]);
    session.run(&["apply", "-auto-approve"]).must_succeed();
    let mut expected = before.clone();
    expected.insert("203.0.113.77".to_owned());
    assert_eq!(rules(session), expected);
    session.remove("gone.tf");
    session.apply();
    assert_eq!(rules(session), before);
}

fn together(session: &mut Session) {
    session.apply();
    let list = |name: &str, third: u32| {
        let ranges = (1..=60).map(|last| format!("\"198.18.{third}.{last}\""));
        let ranges: Vec<String> = ranges.collect();
        format!(
            "resource \"fkaks_registry_allowlist\" \"{name}\" {{\n  registry_id = \"{REGISTRY}\"\n  ip_ranges   = \
             [{}]\n}}\n",
            ranges.join(", ")
        )
    };
    session.write("first.tf", &list("first", 1));
    session.run(&["plan"]).must_succeed();
    session.write("second.tf", &list("second", 2));
    session.run(&["plan"]).must_fail_saying(&[
        "the rules would be more than the registry takes",
        "other allowlists of this plan add 60 more",
    ]);
    session.remove("first.tf");
    session.remove("second.tf");
}

fn unreadable(session: &mut Session) {
    session.apply();
    let before = rules(session);
    let fault = json!({
        "match": { "method": "GET", "path": "*/publicIPAddresses/*" }, "count": null,
        "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "no" } },
    });
    session.sandbox.fault(&fault);
    session.set("ranges", "[\"198.51.100.0/24\"]");
    session.run(&["apply", "-auto-approve"]);
    let office = BTreeSet::from(["203.0.113.7".to_owned()]);
    assert_eq!(
        rules(session),
        before.difference(&office).cloned().collect()
    );
    session.sandbox.control(Method::DELETE, "/faults", None);
    session.apply();
}

fn expires(session: &mut Session) {
    session.set(
        "temporary",
        "{ night = { ip_ranges = [\"203.0.113.99\"], expires_after = \"10s\" } }",
    );
    session.apply();
    assert!(rules(session).contains("203.0.113.99"));
    session.plan().must_be_empty("within its time");
    // The time that the user wrote has to pass on the wall, since both sides read the real clock.
    std::thread::sleep(Duration::from_secs(11));
    session
        .run(&["plan"])
        .must_say(&["203.0.113.99 of temporary.night is still allowed, and its time is over"]);
    session.apply();
    assert!(!rules(session).contains("203.0.113.99"));
    assert_eq!(session.state(NODES)["expiry"]["night"]["expired"], true);
    session.plan().must_be_empty("what has expired stays so");
}

fn refused(session: &mut Session) {
    session.apply();
    session.set("registry", "fkacrclosed");
    session.run(&["plan"]).must_fail_saying(&[
        "registry fkacrclosed has no public access, so its rules let nobody in",
        "exposure = \"allowlist\"",
    ]);
    session.set("registry", "fkacrmissing");
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&["registry fkacrmissing does not exist"]);
    session.set("registry", "fkacrpublic");
    session.set("ranges", "[\"10.0.0.0/8\"]");
    session.run(&["validate"]).must_succeed();
    session
        .run(&["plan"])
        .must_fail_saying(&["is a private range"]);
    session.set("ranges", "[\"203.0.113.7\"]");
    session.apply();
}

fn import(session: &mut Session) {
    session.apply();
    session.forget(NODES);
    session.import(NODES, REGISTRY);
    let state = session.state(NODES);
    assert_eq!(
        state["entries"].as_object().unwrap().len(),
        rules(session).len()
    );
    // Nobody has said yet which of them are this resource's.
    let before = rules(session);
    let target = format!("-target={NODES}");
    session
        .run(&["destroy", "-auto-approve", &target])
        .must_succeed();
    assert_eq!(rules(session), before, "others' rules are theirs");
}

fn made_private(session: &mut Session) {
    session.write(
        "private.tf",
        "resource \"fkaks_registry\" \"private\" {\n  name                = \"fkacrmadeprivate\"\n  \
         resource_group_id   = local.group\n  location            = \"westeurope\"\n  sku                 = \
         \"Premium\"\n  exposure            = \"private\"\n  deletion_protection = false\n}\n\nresource \
         \"fkaks_registry_allowlist\" \"private\" {\n  registry_id = fkaks_registry.private.id\n  ip_ranges   = \
         [\"198.51.100.0/24\"]\n}\n",
    );
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "registry fkacrmadeprivate has no public access",
        "exposure = \"allowlist\"",
    ]);
    let made = format!("{}/fkacrmadeprivate", REGISTRY.rsplit_once('/').unwrap().0);
    let registry = session.sandbox.get(&made, VERSION);
    let rules = &registry["properties"]["networkRuleSet"]["ipRules"];
    assert!(
        rules.as_array().is_none_or(Vec::is_empty),
        "a rule was written: {rules}"
    );
    session.remove("private.tf");
    session.apply();
}
