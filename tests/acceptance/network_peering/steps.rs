//! A peering over two subscriptions: overlaps, sides that are deleted, address spaces and flags that
//! change, one side alone, the hub's gateway, names, import.

use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_cannot_be_peered_is_refused_before_the_first_write",
        run: refused,
    },
    Step {
        name: "a_side_that_was_deleted_is_drift_and_both_are_made_anew",
        run: deleted,
    },
    Step {
        name: "a_changed_address_space_is_synced_and_nothing_is_deleted",
        run: synced,
    },
    Step {
        name: "a_flag_that_was_turned_is_turned_back_in_place",
        run: turned,
    },
    Step {
        name: "the_local_side_alone_tells_what_the_other_owner_has_to_do",
        run: local_alone,
    },
    Step {
        name: "the_other_side_is_handed_over_and_stays",
        run: handed_over,
    },
    Step {
        name: "the_gateway_of_the_hub_is_used_and_left_in_the_right_order",
        run: gateway,
    },
    Step {
        name: "another_name_of_the_other_side_is_one_apply",
        run: renamed,
    },
    Step {
        name: "a_peering_of_someone_else_is_refused_and_then_imported_with_its_other_side",
        run: import,
    },
];

const PEERING: &str = "fkaks_network_peering.hub";
const APP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/vnet-aks";
const HUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub";
const VERSION: &str = "2025-05-01";

fn near() -> String {
    format!("{APP}/virtualNetworkPeerings/to-hub")
}

fn far() -> String {
    format!("{HUB}/virtualNetworkPeerings/vnet-aks")
}

fn leading_to(network: &str) -> Value {
    json!({ "properties": { "remoteVirtualNetwork": { "id": network } } })
}

fn state(session: &Session, id: &str) -> String {
    let found = session.sandbox.get(id, VERSION);
    let state = &found["properties"]["peeringState"];
    state.as_str().unwrap_or("absent").to_owned()
}

/// The deletions and writes of peerings since the log was emptied, as `METHOD name`.
fn writes(session: &Session) -> Vec<String> {
    let requests = session.sandbox.requests();
    let ours = requests.iter().filter(|request| {
        let path = request["path"].as_str().unwrap();
        request["status"].as_u64() < Some(300)
            && matches!(request["method"].as_str(), Some("PUT" | "DELETE"))
            && path.to_lowercase().contains("/virtualnetworkpeerings/")
    });
    ours.map(|request| {
        let name = request["path"].as_str().unwrap().rsplit('/').next();
        format!("{} {}", request["method"].as_str().unwrap(), name.unwrap())
    })
    .collect()
}

fn refused(session: &mut Session) {
    session.set("hub", APP);
    session
        .run(&["plan"])
        .must_fail_saying(&["a network cannot be peered with itself"]);
    session.set("hub", HUB);
    session.set("manage", "local");
    session.set("remote", "{}");
    session
        .run(&["plan"])
        .must_fail_saying(&["the other side is not managed here"]);
    session.set("manage", "both");
    session.set("use_remote_gateways", "true");
    session
        .run(&["plan"])
        .must_fail_saying(&["the side with the gateway does not let the other use it"]);
    session.set("use_remote_gateways", "false");
    session.set("remote", "null");

    session
        .run(&["apply", "-auto-approve", "-target=fkaks_network.app"])
        .must_succeed();
    let before = session.sandbox.writes();
    session.set("hub", &HUB.replace("/hub", "/twin"));
    session.run(&["plan"]).must_fail_saying(&[
        "the address spaces of the two networks overlap: 10.10.0.0/16 and 10.10.128.0/17",
        "remote_virtual_network_id",
        "vnet-aks: 10.0.0.0/16 instead of 10.10.0.0/16",
    ]);
    assert_eq!(session.sandbox.writes(), before, "nothing was written");
    // The hub is peered with the twin, so that the twin's addresses lead there already.
    let twin = HUB.replace("/hub", "/twin");
    let to_twin = format!("{HUB}/virtualNetworkPeerings/to-twin");
    session.sandbox.put(&to_twin, VERSION, &leading_to(&twin));
    session.set("hub", HUB);
    session.run(&["plan"]).must_fail_saying(&[
        "the address space of vnet-aks overlaps that of a network that hub is peered with",
        "10.10.0.0/16 and 10.10.128.0/17",
        &to_twin,
    ]);
    session.sandbox.delete(&to_twin, VERSION);
    session.apply();
}

fn deleted(session: &mut Session) {
    session.apply();
    for gone in [far(), near()] {
        session.sandbox.delete(&gone, VERSION);
        session.sandbox.forget_requests();
        let plan = session.plan();
        plan.must(action::UPDATE, PEERING);
        let words = plan.words();
        assert!(words.contains("was deleted outside"), "{words}");
        session.apply();
        let left = if gone == far() { "to-hub" } else { "vnet-aks" };
        assert_eq!(
            writes(session),
            [&format!("DELETE {left}"), "PUT to-hub", "PUT vnet-aks",],
            "what is disconnected goes first"
        );
        assert_eq!(state(session, &near()), "Connected");
        assert_eq!(state(session, &far()), "Connected");
        session.plan().must_be_empty("both sides stand again");
    }
}

fn synced(session: &mut Session) {
    session.apply();
    // The hub's owner adds a prefix: drift, with its reason.
    let space = json!({ "location": "northeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/20", "10.1.0.0/20"] }
    } });
    session.sandbox.put(HUB, VERSION, &space);
    session.sandbox.forget_requests();
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    let words = plan.words();
    assert!(
        words.contains("it has 10.0.0.0/20, and the network 10.0.0.0/20, 10.1.0.0/20"),
        "{words}"
    );
    session.apply();
    assert_eq!(writes(session), ["PUT to-hub"], "a sync is one PUT");
    assert_eq!(
        session.state(PEERING)["remote_address_space"],
        json!(["10.0.0.0/20", "10.1.0.0/20"])
    );
    session.plan().must_be_empty("a synced peering");
    // The own network changes, and with `triggers` one apply does it all.
    session.set("address_space", "[\"10.10.0.0/16\", \"10.11.0.0/16\"]");
    session.sandbox.forget_requests();
    session.apply();
    assert_eq!(writes(session), ["PUT to-hub", "PUT vnet-aks"]);
    let other = session.sandbox.get(&far(), VERSION);
    assert_eq!(
        other["properties"]["remoteAddressSpace"]["addressPrefixes"],
        json!(["10.10.0.0/16", "10.11.0.0/16"])
    );
    assert_eq!(other["properties"]["peeringSyncLevel"], "FullyInSync");
    session.plan().must_be_empty("one apply was enough");
    // What the hub has does not come into it.
    let before = session.sandbox.writes();
    session.set("address_space", "[\"10.10.0.0/16\", \"10.1.0.0/20\"]");
    session.run(&["plan"]).must_fail_saying(&[
        "address_space 10.1.0.0/20 overlaps 10.1.0.0/20 of the peered network hub",
        &near(),
        "Fix: take a free block",
        "address_space = [\"10.10.0.0/16\", \"10.0.16.0/20\"]",
    ]);
    assert_eq!(session.sandbox.writes(), before, "nothing was written");
    session.set("address_space", "[\"10.10.0.0/16\", \"10.11.0.0/16\"]");
}

fn turned(session: &mut Session) {
    session.apply();
    let mut own = session.sandbox.get(&near(), VERSION);
    own["properties"]["allowForwardedTraffic"] = json!(false);
    session.sandbox.put(&near(), VERSION, &own);
    let mut other = session.sandbox.get(&far(), VERSION);
    other["properties"]["allowVirtualNetworkAccess"] = json!(false);
    session.sandbox.put(&far(), VERSION, &other);
    session.sandbox.forget_requests();
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    let words = plan.words();
    assert!(words.contains("allow_forwarded_traffic"), "{words}");
    assert!(words.contains("allow_virtual_network_access"), "{words}");
    session.apply();
    assert_eq!(writes(session), ["PUT to-hub", "PUT vnet-aks"]);
    session.plan().must_be_empty("flags that were turned back");
}

fn local_alone(session: &mut Session) {
    session.set("manage", "local");
    session.apply().must_say(&[
        "Peering to-hub waits for its other side",
        "az network vnet peering create",
    ]);
    assert_eq!(session.state(PEERING)["peering_state"], "Initiated");
    session.plan().must_be_empty("one side, as it should be");
    // The hub's owner makes theirs, and later deletes it.
    let theirs = format!("{HUB}/virtualNetworkPeerings/theirs");
    session.sandbox.put(&theirs, VERSION, &leading_to(APP));
    session.apply();
    assert_eq!(session.state(PEERING)["peering_state"], "Connected");
    session.sandbox.delete(&theirs, VERSION);
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    let words = plan.words();
    assert!(words.contains("is Disconnected"), "{words}");
    assert!(words.contains("then the owner of"), "{words}");
    session.apply();
    assert_eq!(state(session, &near()), "Initiated");
    // The other way round, the hub's owner has to act first.
    session.sandbox.put(&theirs, VERSION, &leading_to(APP));
    session.sandbox.delete(&near(), VERSION);
    session.run(&["plan"]).must_fail_saying(&[
        "the other side of this peering, theirs, is Disconnected",
        &format!("az network vnet peering delete --ids {theirs}"),
    ]);
    session.sandbox.delete(&theirs, VERSION);
    session.apply();
    assert_eq!(state(session, &near()), "Initiated");
}

fn handed_over(session: &mut Session) {
    session.apply();
    session.set("manage", "local");
    session.sandbox.forget_requests();
    session.apply();
    assert_eq!(writes(session), Vec::<String>::new());
    assert_eq!(
        state(session, &far()),
        "Connected",
        "it is left to its network's owner"
    );
    assert_eq!(
        session.state(PEERING)["objects"],
        json!({ "local": [near()] })
    );
    assert!(session.state(PEERING)["remote_id"].is_null());
    session.set("manage", "both");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "peering vnet-aks cannot be created: it exists already",
        &far(),
        "manage = \"local\"",
    ]);
    session.set("manage", "local");
    session.destroy();
    assert_eq!(state(session, &far()), "Disconnected");
    session.sandbox.delete(&far(), VERSION);
}

fn gateway(session: &mut Session) {
    session.set("use_remote_gateways", "true");
    session.set("remote", "{ allow_gateway_transit = true }");
    session.run(&["plan"]).must_say(&["hub has no gateway yet"]);
    let subnet = format!("{HUB}/subnets/GatewaySubnet");
    let prefix = json!({ "properties": { "addressPrefix": "10.0.0.0/27" } });
    session.sandbox.put(&subnet, VERSION, &prefix);
    let vpn = HUB.replace("virtualNetworks/hub", "virtualNetworkGateways/vpn");
    let body = json!({ "location": "northeurope", "properties": {
        "gatewayType": "Vpn",
        "ipConfigurations": [{ "name": "default", "properties": { "subnet": { "id": subnet } } }]
    } });
    session.sandbox.put(&vpn, VERSION, &body);
    session.sandbox.forget_requests();
    session.apply();
    assert_eq!(
        writes(session),
        ["PUT vnet-aks", "PUT to-hub"],
        "the side that allows it comes first"
    );
    session.plan().must_be_empty("a gateway in use");
    session.set("use_remote_gateways", "false");
    session.set("remote", "null");
    session.sandbox.forget_requests();
    session.apply();
    assert_eq!(
        writes(session),
        ["PUT to-hub", "PUT vnet-aks"],
        "the side that uses it stops first"
    );
    session.sandbox.delete(&vpn, VERSION);
    session.sandbox.delete(&subnet, VERSION);
    session.plan().must_be_empty("a gateway in use no more");
}

fn renamed(session: &mut Session) {
    session.apply();
    session.set("remote", "{ name = \"spoke\" }");
    session.sandbox.forget_requests();
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    let words = plan.words();
    assert!(
        words.contains("the peering is made anew, on both sides"),
        "{words}"
    );
    session.apply();
    assert_eq!(
        writes(session),
        [
            "DELETE vnet-aks",
            "DELETE to-hub",
            "PUT to-hub",
            "PUT spoke"
        ]
    );
    assert_eq!(state(session, &near()), "Connected");
    session.plan().must_be_empty("another name");
}

fn import(session: &mut Session) {
    session.apply();
    session.forget(PEERING);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "peering to-hub cannot be created: it exists already",
        &near(),
        "to = fkaks_network_peering.example",
    ]);
    session.import(PEERING, &near());
    assert_eq!(session.state(PEERING)["manage"], "both");
    assert_eq!(session.state(PEERING)["remote_id"], far());
    let before = session.sandbox.writes();
    session.apply();
    assert_eq!(session.sandbox.writes(), before, "an import writes nothing");
    assert_eq!(
        session.state(PEERING)["objects"],
        json!({ "local": [near()], "remote": [far()] })
    );
    session.plan().must_be_empty("an imported peering");
}
