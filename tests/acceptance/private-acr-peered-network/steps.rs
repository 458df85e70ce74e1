//! The architecture `private-acr-peered-network` under what others do to it.

use reqwest::Method;

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
    assert_eq!(session.state(PATH)["privately"], true);
    assert_eq!(pull(session, None), Some(200), "the nodes pull");
    assert_eq!(pull(session, Some(STRANGER)), Some(403), "nobody else does");
    // Someone deletes the side of the registry's network: no packet passes any more.
    let remote = session.state(PEERING)["remote_id"].clone();
    session
        .sandbox
        .delete(remote.as_str().unwrap(), "2025-05-01");
    assert_eq!(pull(session, None), None, "the endpoint is not reached");
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    session.apply();
    session
        .plan()
        .must_be_empty("a peering that had lost a side");
    assert_eq!(session.state(PATH)["privately"], true);
    assert_eq!(pull(session, None), Some(200), "the nodes pull again");
}

/// What the registry answers who pulls the image with the password in the vault, from the nodes' subnet or from
/// somewhere else.
fn pull(session: &Session, place: Option<&str>) -> Option<u16> {
    let secret = session.state(TOKEN)["secrets"]["password"]["id"].clone();
    let path = format!("/secrets{}", secret.as_str().unwrap());
    let answer = session.sandbox.control(Method::GET, &path, None);
    let login = ("nginx-pull", answer["value"].as_str().unwrap());
    let nodes = session.state(NETWORK)["subnet_ids"]["nodes"].clone();
    let place = place.unwrap_or(nodes.as_str().unwrap());
    let server = session.state(REGISTRY)["login_server"].clone();
    let server = server.as_str().unwrap();
    session
        .sandbox
        .pull_from(place, server, "nginx", "1.27", login)
}
