#![allow(clippy::unwrap_used)]

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::standing::{ASKED, MADE, Standing, reasons};
use super::*;
use crate::arm::Json;
use crate::provider::parts::{Deed, Request, check_alone, check_writable};

mod scopes;

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const FIRST: &str = "2026-11-01T10:00:00.1234567+00:00";
const SECOND: &str = "2026-11-20T10:00:00.7654321+00:00";
const VALUE: &str = "p4ssw0rd-that-nobody-may-see";

fn registry() -> ArmId {
    ArmId::group(SUB, "rg-app").resource(REGISTRY, "fkacrprivate")
}

fn vault() -> ArmId {
    ArmId::group(SUB, "rg-app").resource(VAULT, "kv-app")
}

fn token_id() -> ArmId {
    registry().child("tokens", "ci-pull")
}

fn secret_id(name: &str) -> ArmId {
    vault().child("secrets", name)
}

fn arguments() -> Json {
    json!({
        "registry_id": registry(), "name": "ci-pull", "scope": { "team/*": ["content/read"] },
        "status": "enabled", "password_in_state": false, "overlap": "24h",
        "key_vault_secret": { "vault_id": vault(), "name": "pull", "docker_config_name": "pull-docker" },
    })
}

fn input(change: &Json) -> Input {
    let mut all = arguments();
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn plain() -> Input {
    input(&json!({}))
}

/// The token with these slots and times.
fn token_with(slots: &[(&str, &str)]) -> Json {
    let slots: Vec<Json> = slots
        .iter()
        .map(|(name, made)| json!({ "name": name, "creationTime": made }))
        .collect();
    json!({ "properties": {
        "scopeMapId": registry().child("scopeMaps", "ci-pull"), "status": "enabled",
        "credentials": { "passwords": slots },
    } })
}

fn secret(slot: &str, made: &str) -> Json {
    json!({
        "tags": {
            "fkaks-token": format!("{SUB}/rg-app/fkacrprivate/ci-pull"),
            "fkaks-slot": slot, "fkaks-made": made, "fkaks-for": "",
        },
        "properties": { "attributes": { "enabled": true }, "secretUriWithVersion": format!("https://kv/{made}") },
    })
}

/// A world at that many hours after the second password was made.
fn world(hours: i64, slots: &[(&str, &str)], secrets: [Option<Json>; 2]) -> Seen {
    let [password, docker] = secrets;
    let registry_body = json!({ "properties": { "loginServer": "fkacrprivate.azurecr.io" } });
    let now = times::moment(SECOND).unwrap() + Duration::hours(hours);
    Seen::of([
        (registry(), Some(registry_body)),
        (vault(), Some(json!({}))),
        (token_id(), Some(token_with(slots))),
        (registry().child("scopeMaps", "ci-pull"), None),
        (secret_id("pull"), password),
        (secret_id("pull-docker"), docker),
    ])
    .with_surroundings(at(now))
    .with_list(&registry(), PERMISSIONS, Vec::new())
    .with_list(&vault(), PERMISSIONS, Vec::new())
}

const PERMISSIONS: &str = "providers/Microsoft.Authorization/permissions";

fn at(now: OffsetDateTime) -> Surroundings {
    Surroundings {
        now,
        ..Surroundings::default()
    }
}

fn both(slot: &str, made: &str) -> [Option<Json>; 2] {
    [Some(secret(slot, made)), Some(secret(slot, made))]
}

fn next(input: &Input, seen: &Seen) -> Option<Deed> {
    let deed = password::next(input, seen).unwrap();
    if let Some(Deed {
        id,
        request: Request::Put(body) | Request::Patch(body),
        ..
    }) = &deed
    {
        check_writable(id, body).unwrap();
    }
    deed
}

fn slot_asked_for(deed: Option<Deed>) -> Option<String> {
    match deed?.request {
        Request::Post(_, body) => Some(body["name"].as_str()?.to_owned()),
        _ => None,
    }
}

/// The answer of generateCredentials.
fn answer(slot: &str, made: &str) -> Json {
    json!({ "username": "ci-pull", "passwords": [
        { "name": slot, "creationTime": made, "value": VALUE },
        { "name": standing::other(slot), "creationTime": FIRST },
    ] })
}

/// The state in which that password is the active one.
fn state(slot: &str, made: &str) -> Json {
    let mut state = arguments();
    for (name, value) in [
        ("active_slot", json!(slot)),
        ("rotated_at", json!(made)),
        ("rotated_for", json!("")),
        ("rotation_due", json!(false)),
        (
            "secrets",
            json!({
                "password": { "id": secret_id("pull"), "uri": null, "versioned_uri": format!("https://kv/{made}") },
                "dockerconfigjson": { "id": secret_id("pull-docker"), "uri": null, "versioned_uri": format!("https://kv/{made}") },
            }),
        ),
    ] {
        state[name] = value;
    }
    state
}

fn observed(input: &Input, seen: &Seen) -> Observed<RegistryToken> {
    RegistryToken::observe(&token_id(), Some(input), seen).unwrap()
}

#[test]
fn the_first_password_is_made_in_the_first_slot() {
    let deed = next(&plain(), &world(0, &[], [None, None]));
    assert_eq!(slot_asked_for(deed).as_deref(), Some("password1"));
}

#[test]
fn a_password_that_was_made_is_written_to_every_place_and_named_in_tags() {
    let seen = |secrets| {
        world(0, &[("password1", FIRST), ("password2", SECOND)], secrets)
            .with_note(ASKED, json!("password2"))
            .with_note(MADE, answer("password2", SECOND))
    };
    let old = || secret("password1", FIRST);
    let input = input(&json!({ "rotate_when_changed": { "release": "2" } }));
    let first = next(&input, &seen([Some(old()), Some(old())])).unwrap();
    assert_eq!(first.id, secret_id("pull"));
    let Request::Put(body) = first.request else {
        panic!("a PUT");
    };
    assert_eq!(body["properties"]["value"], VALUE);
    assert_eq!(body["tags"]["fkaks-slot"], "password2");
    assert_eq!(body["tags"]["fkaks-made"], SECOND);
    assert_eq!(body["tags"]["fkaks-for"], reasons(&input));
    assert!(!body["tags"].to_string().contains(VALUE));

    let mut new = secret("password2", SECOND);
    new["tags"]["fkaks-for"] = reasons(&input).into();
    let second = next(&input, &seen([Some(new.clone()), Some(old())])).unwrap();
    assert_eq!(second.id, secret_id("pull-docker"));
    let Request::Put(body) = second.request else {
        panic!("a PUT");
    };
    let config: Json = serde_json::from_str(body["properties"]["value"].as_str().unwrap()).unwrap();
    let auth = &config["auths"]["fkacrprivate.azurecr.io"];
    assert_eq!(auth["username"], "ci-pull");
    assert_eq!(auth["password"], VALUE);
    assert!(next(&input, &seen([Some(new.clone()), Some(new)])).is_none());
}

#[test]
fn a_rotation_renews_the_idle_slot_only() {
    let input = input(&json!({ "rotate_when_changed": { "release": "2" } }));
    for (active, idle) in [("password1", "password2"), ("password2", "password1")] {
        let seen = world(0, &[(active, SECOND)], both(active, SECOND));
        assert_eq!(slot_asked_for(next(&input, &seen)).as_deref(), Some(idle));
    }
}

#[test]
fn a_second_rotation_in_the_overlap_is_refused_at_plan_and_not_done() {
    let change = json!({ "rotate_when_changed": { "release": "2" } });
    let slots = [("password1", FIRST), ("password2", SECOND)];
    let told = |hours| {
        let seen = world(hours, &slots, both("password2", SECOND));
        let planned = RegistryToken::SCHEMA
            .value_from_json(&serde_json::to_value(input(&change)).unwrap())
            .unwrap();
        let prior = RegistryToken::SCHEMA
            .value_from_json(&state("password2", SECOND))
            .unwrap();
        check_alone::<RegistryToken>(&planned, Some(&prior), &seen).unwrap()
    };
    let early = told(23);
    let error = early.iter().next().unwrap();
    assert!(
        error.summary.contains("from 2026-11-21T10:00:00Z on"),
        "{}",
        error.summary
    );
    assert!(error.detail.contains("overlap = \"0s\""));
    assert_eq!(
        error.path,
        tfplugin_rs::value::Path::attribute("rotate_when_changed")
    );
    assert!(!told(25).has_errors());
    let seen = world(23, &slots, both("password2", SECOND));
    assert!(next(&input(&change), &seen).is_none());
    let seen = world(25, &slots, both("password2", SECOND));
    assert_eq!(
        slot_asked_for(next(&input(&change), &seen)).as_deref(),
        Some("password1")
    );
}

#[test]
fn the_password_before_is_removed_when_its_overlap_is_over() {
    let slots = [("password1", FIRST), ("password2", SECOND)];
    let during = world(23, &slots, both("password2", SECOND));
    assert!(next(&plain(), &during).is_none());
    let found = observed(&plain(), &during);
    assert_eq!(
        found.output.previous_password_until.as_deref(),
        Some("2026-11-21T10:00:00Z")
    );
    assert_eq!(found.drift, Vec::<String>::new());
    let after = world(25, &slots, both("password2", SECOND));
    assert!(
        observed(&plain(), &after).drift[0]
            .contains("password1, the password before, has outlived")
    );
    let deed = next(&plain(), &after).unwrap();
    let Request::Patch(body) = deed.request else {
        panic!("a PATCH");
    };
    let kept = &body["properties"]["credentials"]["passwords"];
    assert_eq!(
        *kept,
        json!([{ "name": "password2", "creationTime": SECOND }])
    );
}

#[test]
fn what_was_made_and_not_stored_is_made_anew_in_the_same_slot() {
    // At creation: nobody knows the first one.
    let lost = input(&json!({ "pending_slot": "password1" }));
    let seen = world(0, &[("password1", SECOND)], [None, None]);
    assert_eq!(
        slot_asked_for(next(&lost, &seen)).as_deref(),
        Some("password1")
    );
    // At a rotation: the vault still has the one before, which is younger than the overlap, too.
    let rotated = input(&json!({ "rotate_when_changed": { "release": "2" } }));
    let seen = world(
        0,
        &[("password1", FIRST), ("password2", SECOND)],
        both("password1", FIRST),
    );
    assert_eq!(
        slot_asked_for(next(&rotated, &seen)).as_deref(),
        Some("password2")
    );
    // Half stored: the same slot again, since nobody can have it yet.
    let half = [
        Some(secret("password2", SECOND)),
        Some(secret("password1", FIRST)),
    ];
    let seen = world(0, &[("password1", FIRST), ("password2", SECOND)], half)
        .with_prior(state("password1", FIRST));
    assert_eq!(
        slot_asked_for(next(&rotated, &seen)).as_deref(),
        Some("password2")
    );
}

#[test]
fn a_lost_answer_is_noted_in_the_state() {
    let seen =
        world(0, &[("password1", SECOND)], [None, None]).with_note(ASKED, json!("password1"));
    let found = observed(&plain(), &seen);
    assert_eq!(found.output.pending_slot.as_deref(), Some("password1"));
    assert_eq!(found.output.active_slot, None);
}

#[test]
fn what_others_do_to_the_password_is_drift_with_its_reason() {
    let known =
        |slot: &str, made: &str| -> Input { serde_json::from_value(state(slot, made)).unwrap() };
    let slots = [("password1", SECOND)];
    let drift = |slots: &[(&str, &str)], secrets| {
        observed(&known("password1", SECOND), &world(1, slots, secrets))
            .drift
            .join("\n")
    };
    assert_eq!(drift(&slots, both("password1", SECOND)), "");
    let mut disabled = both("password1", SECOND);
    disabled[0].as_mut().unwrap()["properties"]["attributes"]["enabled"] = json!(false);
    assert!(drift(&slots, disabled).contains("it is disabled"));
    let mut overwritten = both("password1", SECOND);
    overwritten[1].as_mut().unwrap()["properties"]["secretUriWithVersion"] =
        json!("https://kv/other");
    assert!(drift(&slots, overwritten).contains("someone wrote another version"));
    let mut bare = both("password1", SECOND);
    bare[0].as_mut().unwrap()["tags"] = json!({});
    assert!(drift(&slots, bare).contains("someone wrote another version"));
    assert!(drift(&slots, [None, Some(secret("password1", SECOND))]).contains("is not there"));
    assert!(
        drift(&[("password1", FIRST)], both("password1", SECOND)).contains("made anew outside")
    );
    assert!(drift(&[], both("password1", SECOND)).contains("password1 was removed outside"));
    let stray = [("password1", FIRST), ("password2", SECOND)];
    let found = observed(
        &known("password1", FIRST),
        &world(1, &stray, both("password1", FIRST)),
    );
    assert!(
        found.drift[0].contains("nobody who should knows"),
        "{:?}",
        found.drift
    );
}

#[test]
fn a_due_rotation_is_read_and_only_then_done() {
    let aged = json!({ "rotate_after": "48h" });
    let slots = [("password1", SECOND)];
    let mut before = input(&aged);
    let seen = || world(49, &slots, both("password1", SECOND));
    assert!(next(&before, &seen()).is_none(), "no plan has shown it");
    let found = observed(&before, &seen());
    assert!(found.output.rotation_due);
    assert!(found.drift[0].contains("a rotation is due since 2026-11-22T10:00:00Z"));
    before.known.rotation_due = Some(true);
    assert_eq!(
        slot_asked_for(next(&before, &seen())).as_deref(),
        Some("password2")
    );
    assert!(
        !observed(&before, &world(47, &slots, both("password1", SECOND)))
            .output
            .rotation_due
    );
}

#[test]
fn a_secret_of_someone_else_is_never_written() {
    let foreign = json!({ "properties": { "attributes": { "enabled": true } } });
    let seen = world(0, &[], [Some(foreign.clone()), None]);
    let deed = next(&plain(), &seen).unwrap();
    assert!(matches!(deed.request, Request::Refuse(_)), "{deed}");
    let planned = RegistryToken::SCHEMA.value_from_json(&arguments()).unwrap();
    let told = check_alone::<RegistryToken>(&planned, None, &seen).unwrap();
    assert!(
        told.iter()
            .any(|one| one.summary.contains("the secret pull is someone else's"))
    );
    // One that an earlier token has left is free.
    let left = json!({
        "tags": { "fkaks-released": "x" }, "properties": { "attributes": { "enabled": false } },
    });
    let seen = world(0, &[], [Some(left), None]);
    assert!(slot_asked_for(next(&plain(), &seen)).is_some());
}

#[test]
fn an_imported_token_goes_on_with_the_password_of_its_earlier_life_or_gets_a_new_one() {
    let slots = [("password1", FIRST), ("password2", SECOND)];
    let seen = world(30, &slots, both("password2", SECOND));
    let deed = next(&plain(), &seen).unwrap();
    assert!(
        matches!(deed.request, Request::Patch(_)),
        "only the one before goes: {deed}"
    );
    let unknown = world(30, &slots, [None, None]);
    assert_eq!(
        slot_asked_for(next(&plain(), &unknown)).as_deref(),
        Some("password1"),
        "the older one"
    );
    let found = RegistryToken::observe(&token_id(), None, &unknown).unwrap();
    assert!(found.warnings[0].0.contains("no password that is known"));
    assert_eq!(found.drift, Vec::<String>::new());
}

#[test]
fn with_the_password_in_the_state_no_vault_is_needed() {
    let alone = json!({ "key_vault_secret": null, "password_in_state": true });
    let seen = world(0, &[("password1", SECOND)], [None, None])
        .with_note(ASKED, json!("password1"))
        .with_note(MADE, answer("password1", SECOND));
    let input = input(&alone);
    assert!(next(&input, &seen).is_none());
    let output = serde_json::to_value(observed(&input, &seen).output).unwrap();
    assert_eq!(output["password"], VALUE);
    assert!(!format!("{:?}", observed(&input, &seen).output).contains(VALUE));
    let hidden = serde_json::to_value(observed(&plain(), &seen).output).unwrap();
    assert_eq!(hidden["password"], Json::Null);
}

#[test]
fn another_place_needs_another_password_and_the_one_before_is_released() {
    let mut prior = state("password1", SECOND);
    prior["key_vault_secret"] = json!({ "vault_id": vault(), "name": "pull" });
    let moved = input(&json!({ "key_vault_secret": { "vault_id": vault(), "name": "elsewhere" } }));
    let mut seen =
        world(1, &[("password1", SECOND)], both("password1", SECOND)).with_prior(prior.clone());
    seen.insert(&secret_id("elsewhere"), json!({ "tags": { "fkaks-released": "x" }, "properties": { "attributes": { "enabled": false } } }));
    assert_eq!(
        slot_asked_for(next(&moved, &seen)).as_deref(),
        Some("password2")
    );
    seen.insert(&secret_id("elsewhere"), secret("password1", SECOND));
    let deed = next(&moved, &seen).unwrap();
    assert_eq!(deed.id, secret_id("pull"));
    let Request::Patch(body) = deed.request else {
        panic!("a PATCH");
    };
    assert_eq!(body["properties"]["attributes"]["enabled"], false);
    assert!(
        Standing::of(&moved, Some(&prior), &seen)
            .unwrap()
            .need()
            .is_none()
    );
}
