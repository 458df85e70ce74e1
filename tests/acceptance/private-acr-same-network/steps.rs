//! The architecture `private-acr-same-network` under what others do to it.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[Step {
    name: "the_nodes_pull_with_the_token_and_what_others_change_is_shown_and_repaired",
    run: drift,
}];

/// An address on the internet that nobody has allowed.
const STRANGER: &str = "198.51.100.200";
const NETWORK: &str = "fkaks_network.aks";
const REGISTRY: &str = "fkaks_registry.acr";
const TOKEN: &str = "fkaks_registry_token.pull";
const LINK: &str = "fkaks_private_registry_link.acr";

fn drift(session: &mut Session) {
    session.apply();
    let nodes = session.state(NETWORK)["subnet_ids"]["nodes"].clone();
    let nodes = nodes.as_str().unwrap();
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
    // Someone switches the token off, and takes the network's link to the zone away.
    let token = session.state(TOKEN)["id"].as_str().unwrap().to_owned();
    let mut body = session.sandbox.get(&token, "2025-11-01");
    body["properties"]["status"] = json!("disabled");
    session.sandbox.put(&token, "2025-11-01", &body);
    session.sandbox.wait_until("the token is off", || {
        let token = session.sandbox.get(&token, "2025-11-01");
        token["properties"]["status"] == "disabled"
            && token["properties"]["provisioningState"] == "Succeeded"
    });
    let link = session.state(LINK)["objects"]["zone_links"][0].clone();
    session.sandbox.delete(link.as_str().unwrap(), "2024-06-01");
    assert_ne!(
        session.pull(REGISTRY, TOKEN, nodes),
        Some(200),
        "the way is gone"
    );
    let plan = session.plan();
    plan.must(action::UPDATE, TOKEN);
    plan.must(action::UPDATE, LINK);
    session.apply();
    session
        .plan()
        .must_be_empty("a token that was off and a link that was gone");
    assert_eq!(
        session.pull(REGISTRY, TOKEN, nodes),
        Some(200),
        "the nodes pull again"
    );
}
