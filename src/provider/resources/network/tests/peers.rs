//! A changed address space against the networks that this one is peered with.

use super::planning::{config, problems, state};
use super::*;

fn peering(name: &str, state: &str, synced: &str, now: &str, complete: bool) -> Json {
    let networks = format!("{GROUP}/providers/Microsoft.Network/virtualNetworks");
    json!({
        "id": format!("{networks}/fk-vnet/virtualNetworkPeerings/to-{name}"),
        "properties": {
            "remoteVirtualNetwork": {"id": format!("{networks}/{name}")},
            "peeringState": state,
            "peerCompleteVnets": complete,
            "remoteAddressSpace": {"addressPrefixes": [synced]},
            "remoteVirtualNetworkAddressSpace": {"addressPrefixes": [now]},
        }
    })
}

/// What is told of an address space, where 10.10.0.0/16 stands with these peerings.
fn told(space: &[&str], peerings: Json) -> Vec<(Path, String, String)> {
    let mut network = network_json(&["10.10.0.0/16"], &[]);
    network["properties"]["virtualNetworkPeerings"] = peerings;
    let mut config = config(json!({}));
    let space = space.iter().map(|prefix| Value::from(*prefix));
    config.set("address_space", Value::List(space.collect()));
    problems(&config, &state(&json!({})), &seen(network))
}

#[test]
fn what_a_peer_has_does_not_come_into_the_address_space_and_a_free_block_is_offered() {
    let hub = || peering("hub", "Connected", "10.0.0.0/16", "10.1.0.0/16", true);
    let found = told(
        &[
            "10.10.0.0/16",
            "10.0.128.0/17",
            "10.1.0.0/16",
            "10.5.0.0/16",
        ],
        json!([hub()]),
    );
    let summaries: Vec<&str> = found
        .iter()
        .map(|(_, summary, _)| summary.as_str())
        .collect();
    assert_eq!(
        summaries,
        [
            "address_space 10.0.128.0/17 overlaps 10.0.0.0/16 of the peered network hub",
            "address_space 10.1.0.0/16 overlaps 10.1.0.0/16 of the peered network hub",
        ]
    );
    let free =
        "address_space = [\"10.10.0.0/16\", \"10.2.0.0/17\", \"10.3.0.0/16\", \"10.5.0.0/16\"]";
    for (path, _, detail) in &found {
        assert_eq!(*path, Path::attribute("address_space"));
        assert!(detail.contains(free), "{detail}");
        assert!(detail.contains("peered by /subscriptions/"), "{detail}");
        assert!(detail.contains("virtualNetworkPeerings/to-hub"), "{detail}");
    }
    assert_eq!(told(&["10.10.0.0/16", "10.2.0.0/16"], json!([hub()])), []);
}

#[test]
fn what_stands_and_networks_of_which_subnets_alone_are_peered_are_left_alone() {
    let twin = peering("twin", "Connected", "10.10.0.0/16", "10.10.0.0/16", true);
    assert_eq!(told(&["10.10.0.0/17", "10.10.128.0/17"], json!([twin])), []);
    let partly = peering("partly", "Connected", "10.0.0.0/24", "10.0.0.0/16", false);
    assert_eq!(told(&["10.10.0.0/16", "10.0.0.0/16"], json!([partly])), []);
}

#[test]
fn a_disconnected_peering_in_the_way_is_to_be_deleted() {
    let gone = peering("gone", "Disconnected", "10.0.0.0/16", "10.0.0.0/16", true);
    let found = told(&["10.10.0.0/16", "10.0.0.0/16"], json!([gone]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].2.contains("az network vnet peering delete --ids"),
        "{found:?}"
    );
}
