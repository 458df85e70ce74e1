#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value
)]

mod checks;

use serde_json::json;
use tfplugin_rs::schema;

use super::*;

const RG: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks";

fn network(name: &str) -> ArmId {
    ArmId::parse(&format!("{RG}/{name}")).unwrap()
}

fn near() -> ArmId {
    side(&network("app"), "to-hub")
}

fn far() -> ArmId {
    side(&network("hub"), "app")
}

fn config(more: &Json) -> Value {
    let mut all = json!({
        "name": "to-hub",
        "virtual_network_id": network("app"),
        "remote_virtual_network_id": network("hub"),
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    NetworkPeering::SCHEMA.value_from_json(&all).unwrap()
}

fn planned(config: &Value, prior: Option<&Value>) -> Value {
    schema::plan(&NetworkPeering::SCHEMA, config, prior).planned
}

fn input(more: &Json) -> Input {
    let mut planned = planned(&config(more), None);
    for attribute in NetworkPeering::SCHEMA.attributes {
        if planned.get(attribute.name).is_unknown() {
            planned.set(attribute.name, Value::Null);
        }
    }
    let json = tfplugin_rs::value::to_json(&planned).unwrap();
    serde_json::from_value(json).unwrap()
}

fn peering(to: &ArmId, state: &str, level: &str) -> Json {
    json!({"properties": {
        "remoteVirtualNetwork": {"id": to},
        "allowVirtualNetworkAccess": true,
        "peeringState": state,
        "peeringSyncLevel": level,
        "remoteAddressSpace": {"addressPrefixes": ["10.2.0.0/16"]},
        "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.2.0.0/16", "10.3.0.0/16"]},
    }})
}

/// Facts: our two sides in these states; `None` is one that is not there.
fn sides(own: Option<&str>, other: Option<&str>) -> Seen {
    let of = |to: &str, state: Option<&str>| {
        state.map(|state| peering(&network(to), state, "FullyInSync"))
    };
    Seen::of([(near(), of("hub", own)), (far(), of("app", other))])
}

#[test]
fn both_sides_are_wanted_each_after_the_other_and_the_ids_are_known_before() {
    let input = input(&json!({"remote": {"allow_forwarded_traffic": true}}));
    let nothing = Seen::of([]);
    let ids = |wants: Vec<Wanted>| {
        wants
            .into_iter()
            .map(|wanted| wanted.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(local(&input, &nothing).unwrap()), [near()]);
    assert_eq!(ids(remote(&input, &nothing).unwrap()), [far()]);
    assert!(local(&input, &nothing).unwrap()[0].body.is_err());

    let seen = sides(None, None);
    let first = local(&input, &seen).unwrap().remove(0).body.unwrap();
    assert_eq!(first["properties"]["allowForwardedTraffic"], false);
    assert!(
        remote(&input, &seen).unwrap()[0].body.is_err(),
        "the local side comes first"
    );
    let seen = sides(Some("Initiated"), None).with_finished("local");
    let second = remote(&input, &seen).unwrap().remove(0).body.unwrap();
    assert_eq!(second["properties"]["allowForwardedTraffic"], true);
    assert_eq!(
        second["properties"]["remoteVirtualNetwork"]["id"],
        network("app").as_str()
    );
}

#[test]
fn the_side_that_lets_the_other_use_its_gateway_is_written_first_and_stops_last() {
    let uses = input(&json!({
        "use_remote_gateways": true, "remote": {"allow_gateway_transit": true}
    }));
    let ours = |seen: Seen| seen.with_owned(&near()).with_owned(&far());
    let seen = ours(sides(Some("Connected"), Some("Connected")));
    assert!(local(&uses, &seen).unwrap()[0].body.is_err());
    assert!(remote(&uses, &seen).unwrap()[0].body.is_ok());
    // The remote side uses ours and shall not any more: it stops before we do.
    let mut other = peering(&network("app"), "Connected", "FullyInSync");
    other["properties"]["useRemoteGateways"] = json!(true);
    let seen = ours(Seen::of([
        (
            near(),
            Some(peering(&network("hub"), "Connected", "FullyInSync")),
        ),
        (far(), Some(other)),
    ]));
    let plain = input(&json!({}));
    assert!(local(&plain, &seen).unwrap()[0].body.is_err());
    assert!(remote(&plain, &seen).unwrap()[0].body.is_ok());
}

#[test]
fn a_side_that_is_not_ours_is_met_before_ours_connects_to_it() {
    let input = input(&json!({}));
    let seen = sides(None, Some("Initiated"));
    assert!(local(&input, &seen).unwrap()[0].body.is_err());
    assert!(remote(&input, &seen).unwrap()[0].body.is_ok());
    let seen = sides(None, Some("Initiated")).with_owned(&far());
    assert!(local(&input, &seen).unwrap()[0].body.is_ok());
}

#[test]
fn a_disconnected_side_is_made_anew_and_a_connected_one_never() {
    let input = input(&json!({}));
    let healthy = sides(Some("Connected"), Some("Connected"));
    let wanted = &local(&input, &healthy).unwrap()[0];
    assert_eq!((&wanted.remake, wanted.instead_of.len()), (&None, 0));
    assert_eq!(connected(&input, &healthy), Ok(Evidence::Done));

    // The other side was deleted: this one is made anew.
    let lost = sides(Some("Disconnected"), None);
    let wanted = &local(&input, &lost).unwrap()[0];
    assert!(wanted.remake.as_ref().unwrap().contains("is Disconnected"));
    assert!(
        wanted.instead_of.is_empty(),
        "what is not there need not go"
    );
    // This side was deleted: the other must go before this one can come.
    let lost = sides(None, Some("Disconnected"));
    let wanted = &local(&input, &lost).unwrap()[0];
    assert_eq!(wanted.instead_of, [far()]);
    assert!(matches!(connected(&input, &lost), Ok(Evidence::Waiting(_))));
    // Both are: both go, and then come.
    let lost = sides(Some("Disconnected"), Some("Disconnected"));
    let wanted = &local(&input, &lost).unwrap()[0];
    assert_eq!(
        (wanted.remake.is_some(), wanted.instead_of.clone()),
        (true, vec![far()])
    );
}

#[test]
fn the_local_side_alone_never_touches_the_other_and_may_wait_for_it() {
    let input = input(&json!({"manage": "local"}));
    assert!(remote(&input, &Seen::of([])).unwrap().is_empty());
    assert!(handed_over(&input, &far()));
    let seen = Seen::of([(
        near(),
        Some(peering(&network("hub"), "Initiated", "FullyInSync")),
    )]);
    assert_eq!(connected(&input, &seen), Ok(Evidence::Done));
    let observed = NetworkPeering::observe(&near(), Some(&input), &seen).unwrap();
    assert_eq!(observed.output.remote_id, None);
    let (summary, detail) = &observed.warnings[0];
    assert_eq!(summary, "Peering to-hub waits for its other side");
    assert!(
        detail.contains("az network vnet peering create"),
        "{detail}"
    );

    let seen = Seen::of([(
        near(),
        Some(peering(&network("hub"), "Disconnected", "FullyInSync")),
    )]);
    let remake = local(&input, &seen).unwrap().remove(0).remake.unwrap();
    assert!(
        remake.contains("the owner of") && remake.contains("/hub"),
        "{remake}"
    );
}

#[test]
fn a_side_that_does_not_know_the_other_network_s_address_space_is_synced_in_place() {
    let input = input(&json!({}));
    let of = |own: &str, other: &str| {
        Seen::of([
            (near(), Some(peering(&network("hub"), "Connected", own))),
            (far(), Some(peering(&network("app"), "Connected", other))),
        ])
        .with_finished("local")
    };
    let seen = of("LocalNotInSync", "RemoteNotInSync");
    let wanted = &local(&input, &seen).unwrap()[0];
    assert_eq!(wanted.remake, None, "a connected peering is never deleted");
    let why = wanted.rewrite.as_ref().unwrap();
    assert!(
        why.contains("it has 10.2.0.0/16, and the network 10.2.0.0/16, 10.3.0.0/16"),
        "{why}"
    );
    assert_eq!(remote(&input, &seen).unwrap()[0].rewrite, None);
    let steps = wanted.steps.unwrap();
    let gap = crate::provider::parts::Gap {
        found: &Json::Null,
        wanted: &Json::Null,
        differences: &[],
    };
    let sync = ("syncRemoteAddressSpace".to_owned(), "true".to_owned());
    assert_eq!(steps(&gap), [Change::Put(vec![sync])]);

    let in_sync = of("FullyInSync", "FullyInSync").with_prior(json!({"triggers": {"a": "1"}}));
    let wanted = &local(&input, &in_sync).unwrap()[0];
    assert!(wanted.rewrite.as_ref().unwrap().contains("triggers"));
}

#[test]
fn another_name_of_the_other_side_makes_both_anew_and_only_once() {
    let input = input(&json!({"remote": {"name": "spoke"}}));
    let new = side(&network("hub"), "spoke");
    let prior = json!({"remote_id": far()});
    let mut facts = vec![
        (
            near(),
            Some(peering(&network("hub"), "Connected", "FullyInSync")),
        ),
        (
            far(),
            Some(peering(&network("app"), "Connected", "FullyInSync")),
        ),
        (new.clone(), None),
    ];
    let before = Seen::of(facts.clone()).with_prior(prior.clone());
    let wanted = &local(&input, &before).unwrap()[0];
    assert!(wanted.remake.as_ref().unwrap().contains("is renamed"));
    assert_eq!(wanted.instead_of, [far()], "what is not there need not go");
    // Then the former side is gone, and ours is new.
    facts[0].1 = Some(peering(&network("hub"), "Initiated", "FullyInSync"));
    facts[1].1 = None;
    let after = Seen::of(facts).with_prior(prior).with_finished("local");
    let wanted = &remote(&input, &after).unwrap()[0];
    assert_eq!((&wanted.id, &wanted.remake), (&new, &None));
    assert!(wanted.instead_of.is_empty());
}

#[test]
fn what_is_wanted_shows_as_what_was_wanted() {
    for more in [
        json!({}),
        json!({"allow_forwarded_traffic": true, "remote": {"allow_gateway_transit": true}}),
        json!({"manage": "local", "allow_virtual_network_access": false, "triggers": {"a": "b"}}),
    ] {
        let input = input(&more);
        let nothing = sides(None, None).with_finished("local");
        let mut facts = Vec::new();
        for wanted in [local(&input, &nothing), remote(&input, &nothing)].concat_all() {
            facts.push((wanted.id, Some(wanted.body.unwrap())));
        }
        let seen = Seen::of(facts);
        let observed = NetworkPeering::observe(&near(), Some(&input), &seen).unwrap();
        assert_eq!(
            serde_json::to_value(&observed.input).unwrap(),
            serde_json::to_value(&input).unwrap()
        );
    }
}

/// Both results of the parts as one list.
trait ConcatAll {
    fn concat_all(self) -> Vec<Wanted>;
}

impl ConcatAll for [Result<Vec<Wanted>, Unread>; 2] {
    fn concat_all(self) -> Vec<Wanted> {
        self.into_iter().flat_map(Result::unwrap).collect()
    }
}

#[test]
fn a_flag_that_was_turned_shows_and_an_import_finds_the_other_side() {
    let input = input(&json!({}));
    let mut other = peering(&network("app"), "Connected", "FullyInSync");
    other["properties"]["allowForwardedTraffic"] = json!(true);
    let own = peering(&network("hub"), "Connected", "FullyInSync");
    let mut seen = Seen::of([(near(), Some(own)), (far(), Some(other.clone()))]);
    let observed = NetworkPeering::observe(&near(), Some(&input), &seen).unwrap();
    assert!(observed.input.remote.unwrap().flags.allow_forwarded_traffic);

    let unread = NetworkPeering::observe(&near(), None, &seen);
    assert_eq!(
        unread.err(),
        Some(Unread),
        "the remote network is asked for"
    );
    other["id"] = json!(side(&network("hub"), "theirs"));
    let hub = json!({"properties": {"virtualNetworkPeerings": [other]}});
    seen.insert(&network("hub"), hub);
    let imported = NetworkPeering::observe(&near(), None, &seen).unwrap();
    assert_eq!(imported.input.manage, Manage::Both);
    assert_eq!(
        imported.output.remote_id,
        Some(side(&network("hub"), "theirs"))
    );
    assert_eq!(
        imported.input.remote.unwrap().name.as_deref(),
        Some("theirs")
    );
    seen.insert(&network("hub"), json!({"properties": {}}));
    let imported = NetworkPeering::observe(&near(), None, &seen).unwrap();
    assert_eq!(imported.input.manage, Manage::Local);
}
