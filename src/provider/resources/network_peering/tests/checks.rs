//! What is refused, without Azure and with it.

use super::*;
use crate::provider::parts::check_alone;

fn validated(more: &Json) -> Vec<(String, String)> {
    let mut diagnostics = Diagnostics::new();
    NetworkPeering::validate(&config(more), &mut diagnostics);
    told(diagnostics)
}

fn told(diagnostics: Diagnostics) -> Vec<(String, String)> {
    diagnostics
        .into_iter()
        .map(|found| {
            (
                found.path.to_string(),
                format!("{}\n{}", found.summary, found.detail),
            )
        })
        .collect()
}

#[test]
fn what_can_be_known_wrong_without_azure_is_refused_on_the_argument() {
    let wrong = [
        (
            json!({"remote_virtual_network_id": network("APP")}),
            "remote_virtual_network_id",
            "cannot be peered with itself",
        ),
        (
            json!({"manage": "local", "remote": {}}),
            "remote",
            "not managed here",
        ),
        (
            json!({"manage": "local", "use_remote_gateways": true, "allow_gateway_transit": true}),
            "use_remote_gateways",
            "either uses",
        ),
        (
            json!({"use_remote_gateways": true}),
            "remote",
            "does not let the other use it",
        ),
        (
            json!({"use_remote_gateways": true, "remote": {"name": "x"}}),
            "remote.allow_gateway_transit",
            "does not let the other use it",
        ),
        (
            json!({"remote": {"use_remote_gateways": true}}),
            "allow_gateway_transit",
            "does not let the other use it",
        ),
        (
            json!({"use_remote_gateways": true, "remote": {"use_remote_gateways": true}}),
            "remote.use_remote_gateways",
            "each other's gateways",
        ),
    ];
    for (more, path, text) in wrong {
        let found = validated(&more);
        assert_eq!(found.len(), 1, "{more}: {found:?}");
        assert_eq!(found[0].0, path, "{more}");
        assert!(found[0].1.contains(text), "{more}: {found:?}");
    }
    let right = json!({"use_remote_gateways": true, "remote": {"allow_gateway_transit": true}});
    assert_eq!(validated(&right), []);
}

fn checked(more: &Json, app: &Json, hub: &Json) -> Vec<(String, String)> {
    let seen = Seen::of([
        (network("app"), Some(app.clone())),
        (network("hub"), Some(hub.clone())),
    ]);
    let planned = planned(&config(more), None);
    told(check_alone::<NetworkPeering>(&planned, None, &seen).unwrap())
}

fn standing(prefixes: &[&str], peerings: Json) -> Json {
    json!({"properties": {
        "addressSpace": {"addressPrefixes": prefixes}, "virtualNetworkPeerings": peerings
    }})
}

/// A peering within a network's body.
fn within(id: &ArmId, to: &str, state: &str, space: &str) -> Json {
    let mut body = peering(&network(to), state, "FullyInSync");
    body["id"] = json!(id);
    for of in ["remoteAddressSpace", "remoteVirtualNetworkAddressSpace"] {
        body["properties"][of]["addressPrefixes"] = json!([space]);
    }
    body
}

#[test]
fn addresses_that_would_lead_two_ways_are_refused_with_both_prefixes() {
    let app = standing(&["10.1.0.0/16", "10.2.3.0/24"], json!([]));
    let hub = standing(&["10.2.0.0/16"], json!([]));
    let found = checked(&json!({}), &app, &hub);
    assert_eq!(found[0].0, "remote_virtual_network_id");
    assert!(
        found[0].1.contains("overlap: 10.2.3.0/24 and 10.2.0.0/16"),
        "{found:?}"
    );
    for free in [
        "app: 10.0.0.0/24 instead of 10.2.3.0/24",
        "hub: 10.0.0.0/16 instead of 10.2.0.0/16",
    ] {
        assert!(found[0].1.contains(free), "{found:?}");
    }

    let app = standing(&["10.1.0.0/16"], json!([]));
    let third = side(&network("hub"), "to-third");
    let taken = within(&third, "third", "Disconnected", "10.1.0.0/24");
    let hub = standing(&["10.2.0.0/16"], json!([taken]));
    let found = checked(&json!({}), &app, &hub);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].1.contains("10.1.0.0/16 and 10.1.0.0/24"),
        "{found:?}"
    );
    assert!(
        found[0].1.contains(&format!("delete --ids {third}")),
        "{found:?}"
    );
}

#[test]
fn the_free_block_is_free_in_what_either_network_is_peered_with() {
    let app = standing(&["10.1.0.0/16"], json!([]));
    let third = within(
        &side(&network("hub"), "to-third"),
        "third",
        "Connected",
        "10.1.0.0/24",
    );
    let fourth = within(
        &side(&network("hub"), "to-fourth"),
        "fourth",
        "Connected",
        "10.0.0.0/24",
    );
    let hub = standing(&["10.2.0.0/16"], json!([third, fourth]));
    let found = checked(&json!({}), &app, &hub);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0]
            .1
            .contains("app: 10.3.0.0/16 instead of 10.1.0.0/16"),
        "{found:?}"
    );
}

#[test]
fn an_overlap_that_the_same_apply_has_made_is_refused_before_the_first_write() {
    let config = planned(&config(&json!({})), None);
    let before_writing = |hub: &str| {
        let seen = Seen::of([
            (network("app"), Some(standing(&["10.1.0.0/16"], json!([])))),
            (network("hub"), Some(standing(&[hub], json!([])))),
        ]);
        let mut diagnostics = Diagnostics::new();
        let mut check = Check {
            config: &config,
            planned: &config,
            prior: None,
            replaced: None,
            seen: &seen,
            diagnostics: &mut diagnostics,
        };
        NetworkPeering::check_before_writing(&mut check).unwrap();
        told(diagnostics)
    };
    assert_eq!(before_writing("10.2.0.0/16"), []);
    let found = before_writing("10.1.128.0/17");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "remote_virtual_network_id");
    assert!(
        found[0]
            .1
            .contains("overlap: 10.1.0.0/16 and 10.1.128.0/17"),
        "{found:?}"
    );
}

#[test]
fn another_peering_of_the_pair_is_refused_with_its_id_and_the_way_out() {
    let app_has = |id: &ArmId| {
        standing(
            &["10.1.0.0/16"],
            json!([within(id, "hub", "Initiated", "10.2.0.0/16")]),
        )
    };
    let hub_has = |id: &ArmId, state: &str| {
        standing(
            &["10.2.0.0/16"],
            json!([within(id, "app", state, "10.1.0.0/16")]),
        )
    };
    let empty = |space: &str| standing(&[space], json!([]));
    let (app, hub) = (empty("10.1.0.0/16"), empty("10.2.0.0/16"));
    assert_eq!(checked(&json!({}), &app, &hub), []);

    let theirs = side(&network("app"), "theirs");
    let found = checked(&json!({}), &app_has(&theirs), &hub);
    assert!(
        found[0].1.contains("import {") && found[0].1.contains(theirs.as_str()),
        "{found:?}"
    );
    let theirs = side(&network("hub"), "theirs");
    let found = checked(&json!({}), &app, &hub_has(&theirs, "Initiated"));
    assert!(found[0].1.contains("manage = \"local\""), "{found:?}");
    // Under the planned ids it may be ours, tainted; then it is for the apply to tell.
    assert_eq!(
        checked(&json!({}), &app_has(&near()), &hub_has(&far(), "Initiated")),
        []
    );
    let local = json!({"manage": "local"});
    assert_eq!(checked(&local, &app, &hub_has(&far(), "Initiated")), []);
    let found = checked(&local, &app, &hub_has(&far(), "Disconnected"));
    assert!(found[0].1.contains("ask the owner"), "{found:?}");
}

#[test]
fn gateways_that_cannot_be_used_are_told_on_the_flag() {
    let uses = json!({"use_remote_gateways": true, "remote": {"allow_gateway_transit": true}});
    let with_gateway = |space: &str, peerings: Json| {
        let mut network = standing(&[space], peerings);
        let gateway = format!("{RG}/x").replace("virtualNetworks/x", "virtualNetworkGateways/vpn");
        network["properties"]["subnets"] = json!([{"name": "GatewaySubnet", "properties": {
            "ipConfigurations": [{"id": format!("{gateway}/ipConfigurations/default")}]
        }}]);
        network
    };
    let plain = |space: &str| standing(&[space], json!([]));
    let (app, hub) = ("10.1.0.0/16", "10.2.0.0/16");
    assert_eq!(
        checked(&uses, &plain(app), &with_gateway(hub, json!([]))),
        []
    );
    let found = checked(&uses, &plain(app), &plain(hub));
    assert!(
        found[0].1.starts_with("hub has no gateway yet"),
        "{found:?}"
    );
    let found = checked(
        &uses,
        &with_gateway(app, json!([])),
        &with_gateway(hub, json!([])),
    );
    assert!(
        found[0]
            .1
            .starts_with("a network with a gateway of its own"),
        "{found:?}"
    );
    let mut second = within(
        &side(&network("app"), "x"),
        "third",
        "Connected",
        "10.9.0.0/16",
    );
    second["properties"]["useRemoteGateways"] = json!(true);
    let found = checked(
        &uses,
        &standing(&[app], json!([second])),
        &with_gateway(hub, json!([])),
    );
    assert!(
        found[0].1.starts_with("another peering of this network"),
        "{found:?}"
    );
    let closed = within(&far(), "app", "Initiated", app);
    let found = checked(
        &json!({"manage": "local", "use_remote_gateways": true}),
        &plain(app),
        &with_gateway(hub, json!([closed])),
    );
    assert!(
        found[0].1.contains("does not allow gateway transit"),
        "{found:?}"
    );
    assert_eq!(found[0].0, "use_remote_gateways");
}
