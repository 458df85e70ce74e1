//! The architecture `private-aks-acr` under what others do to it.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_others_change_is_shown_and_repaired",
        run: drift,
    },
    Step {
        name: "a_cluster_that_is_replaced_has_its_new_grant_in_the_same_apply",
        run: replaced,
    },
];

const CLUSTER: &str = "fkaks_cluster.aks";
const REGISTRY: &str = "fkaks_registry.acr";
const LINK: &str = "fkaks_private_registry_link.acr";
const ACCESS: &str = "fkaks_registry_access.nodes";

fn drift(session: &mut Session) {
    session.apply();
    // Someone opens the registry to the internet.
    let id = session.state(REGISTRY)["id"].as_str().unwrap().to_owned();
    let opened = json!({
        "location": "westeurope", "sku": {"name": "Premium"}, "tags": {"environment": "example"},
        "properties": {"publicNetworkAccess": "Enabled"},
    });
    session.sandbox.put(&id, "2025-11-01", &opened);
    session.sandbox.wait_until("the registry is open", || {
        let registry = session.sandbox.get(&id, "2025-11-01");
        registry["properties"]["publicNetworkAccess"] == "Enabled"
            && registry["properties"]["provisioningState"] == "Succeeded"
    });
    session.plan().must(action::UPDATE, REGISTRY);
    session.apply();
    session.plan().must_be_empty("a registry that was opened");

    // Someone takes the nodes' grant and the network's link to the zone away.
    let owned = |address: &str, part: &str| {
        let id = session.state(address)["objects"][part][0].clone();
        id.as_str().unwrap().to_owned()
    };
    session
        .sandbox
        .delete(&owned(ACCESS, "grants"), "2022-04-01");
    session
        .sandbox
        .delete(&owned(LINK, "zone_links"), "2024-06-01");
    let plan = session.plan();
    plan.must(action::UPDATE, ACCESS);
    plan.must(action::UPDATE, LINK);
    session.apply();
    session
        .plan()
        .must_be_empty("a grant and a link that were taken away");
}

fn replaced(session: &mut Session) {
    session.apply();
    let kubelet =
        |session: &Session| session.state(CLUSTER)["kubelet_identity"]["object_id"].clone();
    let first = kubelet(session);
    // Azure cannot change how the host of the API server begins.
    session.write(
        "cluster_override.tf",
        "resource \"fkaks_cluster\" \"aks\" {\n  dns_prefix = \"anew\"\n}\n",
    );
    let plan = session.plan();
    plan.must(action::REPLACE, CLUSTER);
    plan.must(action::UPDATE, ACCESS);
    session.apply();
    let second = kubelet(session);
    assert_ne!(first, second, "a new cluster has a new identity");
    let grants = session.state(ACCESS)["grants"].clone();
    let grants = grants.as_object().unwrap();
    assert!(!grants.is_empty());
    for grant in grants.values() {
        let id = grant["role_assignment_id"].as_str().unwrap();
        let assigned = session.sandbox.get(id, "2022-04-01");
        assert_eq!(
            assigned["properties"]["principalId"], second,
            "{grants:#?}, once {first}"
        );
    }
    session.plan().must_be_empty("a cluster that was replaced");
}
