//! The architecture `private-acr-peered-network` under what others do to it.

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[Step {
    name: "the_nodes_pull_through_the_peering_and_one_that_lost_a_side_is_repaired",
    run: drift,
}];

/// An address on the internet that nobody has allowed.
const STRANGER: &str = "198.51.100.200";
const NETWORK: &str = "fkaks_network.aks";
const REGISTRY: &str = "fkaks_registry.acr";
const TOKEN: &str = "fkaks_registry_token.pull";
const PEERING: &str = "fkaks_network_peering.registry";
const PATH: &str = "data.fkaks_image_path.nginx";

fn drift(session: &mut Session) {
    session.apply();
    let nodes = session.state(NETWORK)["subnet_ids"]["nodes"].clone();
    let nodes = nodes.as_str().unwrap();
    assert_eq!(session.state(PATH)["privately"], true);
    assert_eq!(
        session.pull(REGISTRY, TOKEN, nodes),
        Some(200),
        "the nodes pull"
    );
    assert_eq!(
        session.pull(REGISTRY, TOKEN, STRANGER),
        Some(403),
        "nobody else does"
    );
    // Someone deletes the side of the registry's network: no packet passes any more.
    let remote = session.state(PEERING)["remote_id"].clone();
    session
        .sandbox
        .delete(remote.as_str().unwrap(), "2025-05-01");
    assert_eq!(
        session.pull(REGISTRY, TOKEN, nodes),
        None,
        "the endpoint is not reached"
    );
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    session.apply();
    session
        .plan()
        .must_be_empty("a peering that had lost a side");
    assert_eq!(session.state(PATH)["privately"], true);
    assert_eq!(
        session.pull(REGISTRY, TOKEN, nodes),
        Some(200),
        "the nodes pull again"
    );
}
