//! What is asked wrongly or may not be read, and what a cluster's pulls look like as things break.

use serde_json::{Value, json};

use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_does_not_exist_is_an_error_with_a_fix",
        run: absent,
    },
    Step {
        name: "what_may_not_be_read_is_an_error_with_the_missing_permission",
        run: forbidden,
    },
    Step {
        name: "two_ways_to_name_something_are_refused",
        run: two_ways,
    },
    Step {
        name: "a_read_has_a_time_that_the_user_may_set",
        run: slow,
    },
    Step {
        name: "a_pull_that_is_no_longer_private_is_seen_with_its_reason",
        run: image_path,
    },
    Step {
        name: "callers_are_expected_or_told",
        run: callers,
    },
];

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks";

fn absent(session: &mut Session) {
    session.apply();
    session.set("registry_name", "elsewhere");
    session.run(&["plan"]).must_fail_saying(&[
        "registry elsewhere cannot be read: it does not exist",
        &format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/elsewhere"),
        "Fix:",
    ]);
    session.set("registry_name", "fkacrread");
    session.plan().must_be_empty("the right name");
}

fn forbidden(session: &mut Session) {
    session.apply();
    session.sandbox.fault(&json!({
        "match": { "method": "GET", "path": format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrread/replications") },
        "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "No." } },
    }));
    let refused = session.run(&["plan", "-refresh=false"]);
    refused.must_fail_saying(&[
        "cannot be read: a permission is missing",
        "Microsoft.ContainerRegistry/registries/replications/read",
        "role_definition_name = \"Reader\"",
        "Azure said:",
    ]);
    session
        .sandbox
        .control(reqwest::Method::DELETE, "/faults", None);
}

fn two_ways(session: &mut Session) {
    session.apply();
    session.set(
        "registry_id",
        &format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrread"),
    );
    session.run(&["plan"]).must_fail_saying(&[
        "the id says it all, and name does not go with it",
        "the id says it all, and resource_group_id does not go with it",
    ]);
    session.set("registry_id", "");
}

fn slow(session: &mut Session) {
    session.set("timeout", "2s");
    session.apply();
    session.sandbox.control(
        reqwest::Method::PATCH,
        "/settings",
        Some(&json!({ "latencyMs": 3000 })),
    );
    session.run(&["plan", "-refresh=false"]).must_fail_saying(&[
        "registry fkacrread cannot be read: its timeout has expired",
        "read = \"15m\"",
    ]);
    session.sandbox.control(
        reqwest::Method::PATCH,
        "/settings",
        Some(&json!({ "latencyMs": 0 })),
    );
}

/// What the path of the images looks like now, whatever else changed. A plan tells it: Terraform 1.8
/// refuses to apply one that refreshes nothing but data.
fn path_now(session: &Session) -> Value {
    session
        .run(&["plan", "-refresh-only", "-out=path.plan"])
        .must_succeed();
    let shown = session.run(&["show", "-json", "path.plan"]).must_succeed();
    let plan: Value = serde_json::from_str(&shown.stdout).unwrap();
    let resources = &plan["prior_state"]["values"]["root_module"]["resources"];
    let mut resources = resources.as_array().unwrap().iter();
    let found = resources.find(|resource| resource["address"] == "data.fkaks_image_path.aks");
    found.unwrap()["values"].clone()
}

fn finding(path: &Value, check: &str) -> Value {
    let findings = path["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("{check} in {path}")).clone()
}

fn image_path(session: &mut Session) {
    session.apply();
    let right = path_now(session);
    assert_eq!(
        (&right["can_pull"], &right["privately"]),
        (&json!(true), &json!(true)),
        "{right}"
    );

    // The link of the network goes: the nodes ask in public, where nobody is let in.
    let link = session.state("fkaks_private_registry_link.acr")["objects"]["zone_links"][0].clone();
    session.sandbox.delete(link.as_str().unwrap(), "2024-06-01");
    let unlinked = path_now(session);
    assert_eq!(
        (&unlinked["can_pull"], &unlinked["privately"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        finding(&unlinked, "zone_link")["verdict"],
        "problem",
        "{unlinked}"
    );
    assert_eq!(finding(&unlinked, "public_access")["verdict"], "problem");
    session.apply();

    // Someone points the record elsewhere.
    let zone = session.state("fkaks_private_registry_link.acr")["zone_id"].clone();
    let record = format!("{}/A/fkacrread", zone.as_str().unwrap());
    let elsewhere =
        json!({ "properties": { "ttl": 60, "aRecords": [{ "ipv4Address": "10.99.0.4" }] } });
    session.sandbox.put(&record, "2024-06-01", &elsewhere);
    let misled = path_now(session);
    assert_eq!(misled["privately"], false);
    let found = finding(&misled, "login_record");
    assert!(
        found["evidence"].to_string().contains("10.99.0.4"),
        "{found}"
    );
    session.apply();

    // The nodes' grant goes: it is still private, and of no use.
    let grant = session.state("fkaks_registry_access.nodes")["objects"]["grants"][0].clone();
    session
        .sandbox
        .delete(grant.as_str().unwrap(), "2022-04-01");
    let refused = path_now(session);
    assert_eq!(
        (&refused["can_pull"], &refused["privately"]),
        (&json!(false), &json!(true))
    );
    assert!(
        finding(&refused, "role")["fix"]
            .to_string()
            .contains("fkaks_registry_access")
    );
    session.apply();

    // A hub's zone may not be read: nobody knows, and it is said what is missing.
    session.sandbox.fault(&json!({
        "match": { "method": "GET", "regex": "privateDnsZones/[^/]+/A/" },
        "count": null,
        "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "No." } },
    }));
    let hidden = path_now(session);
    assert_eq!(
        (&hidden["can_pull"], &hidden["privately"]),
        (&Value::Null, &Value::Null),
        "{hidden}"
    );
    let missing = finding(&hidden, "login_record")["evidence"].to_string();
    assert!(
        missing.contains("Microsoft.Network/privateDnsZones/A/read"),
        "{missing}"
    );
    session
        .sandbox
        .control(reqwest::Method::DELETE, "/faults", None);
    session.apply();
}

fn callers(session: &mut Session) {
    session.apply();
    let registry = format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrread");
    let workspace = GROUP.replace("rg-aks", "rg-logs")
        + "/providers/Microsoft.OperationalInsights/workspaces/logs";
    let setting = format!("{registry}/providers/Microsoft.Insights/diagnosticSettings/audit");
    let version = "2021-05-01-preview";
    let body = json!({ "properties": {
        "workspaceId": workspace,
        "logs": [{ "category": "ContainerRegistryRepositoryEvents", "enabled": true }],
    } });
    session.sandbox.put(&setting, version, &body);
    let cluster = session.state("fkaks_cluster.aks");
    let kubelet = cluster["kubelet_identity"]["object_id"].clone();
    let event = |address: &str, identity: &Value| json!({ "CallerIpAddress": address, "ArtifactType": "Tag", "OperationName": "Pull", "Identity": identity });
    let stranger = json!("0e2b2b0c-0000-4000-8000-000000000001");
    let events = json!({ "category": "ContainerRegistryRepositoryEvents", "events": [
        event(cluster["egress_ips"][0].as_str().unwrap(), &stranger),
        event("10.10.8.5", &kubelet),
        event("198.51.100.7", &stranger),
        event("192.0.2.1", &json!("b21cb118-5a59-4628-bab0-3c3f0e434cg6")),
        event("192.0.2.9", &stranger),
        event("192.0.2.9", &stranger),
    ] });
    session.sandbox.control(
        reqwest::Method::POST,
        &format!("/logs{registry}"),
        Some(&events),
    );
    session.apply();
    let told = session.state("data.fkaks_registry_callers.acr");
    assert_eq!(told["callers"].as_array().unwrap().len(), 5, "{told}");
    let unexpected = told["unexpected"].as_array().unwrap();
    assert_eq!(unexpected.len(), 1, "{told}");
    assert_eq!(unexpected[0]["ip_address"], "192.0.2.9");
    assert_eq!(unexpected[0]["count"], 2);
    session.sandbox.delete(&setting, version);
}
