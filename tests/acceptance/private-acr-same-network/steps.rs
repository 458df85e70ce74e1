//! The architecture `private-acr-same-network` under what others do to it.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "the_nodes_pull_with_the_token_and_what_others_change_is_shown_and_repaired",
        run: drift,
    },
    Step {
        name: "what_was_destroyed_is_applied_again_with_the_vault_that_azure_kept",
        run: again,
    },
];

/// An address on the internet that nobody has allowed.
const STRANGER: &str = "198.51.100.200";
const NETWORK: &str = "fkaks_network.aks";
const REGISTRY: &str = "fkaks_registry.acr";
const TOKEN: &str = "fkaks_registry_token.pull";
const LINK: &str = "fkaks_private_registry_link.acr";

const VAULT: &str = "fkaks_key_vault.passwords";

fn again(session: &mut Session) {
    session.apply();
    session.destroy();
    session
        .run(&["plan"])
        .must_say(&["a deleted vault is recovered"]);
    session.apply();
    let nodes = session.state(NETWORK)["subnet_ids"]["nodes"].clone();
    let nodes = nodes.as_str().unwrap();
    assert_eq!(session.pull(REGISTRY, TOKEN, nodes), Some(200));
    session.plan().must_be_empty("the second life");

    // Someone lets the internet into the vault.
    let vault = session.state(VAULT)["id"].as_str().unwrap().to_owned();
    let mut body = session.sandbox.get(&vault, "2026-02-01");
    body["properties"]["networkAcls"]["defaultAction"] = json!("Allow");
    session.sandbox.put(&vault, "2026-02-01", &body);
    session.plan().must(action::UPDATE, VAULT);
    session.apply();
    session.plan().must_be_empty("a vault that was opened");
}

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
