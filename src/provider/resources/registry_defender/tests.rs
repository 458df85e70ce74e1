#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::provider::parts::{check_alone, check_writable};

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const SCAN: &str = "ContainerRegistriesVulnerabilityAssessments";
const SENSOR: &str = "ContainerSensor";

fn id() -> ArmId {
    plan_of(SUB)
}

fn arguments(change: &Json) -> Json {
    let mut arguments = json!({
        "subscription_id": SUB, "registry_vulnerability_assessment_enabled": true, "existing": "accept",
        "on_destroy": "restore", "id": id()
    });
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

fn input(change: &Json) -> Input {
    serde_json::from_value(arguments(change)).unwrap()
}

fn pricing(tier: &str, scan: &str, sensor: &str) -> Json {
    json!({"id": id(), "properties": {
        "pricingTier": tier, "enforce": "False", "freeTrialRemainingTime": "PT0S",
        "extensions": [
            {"name": SCAN, "isEnabled": scan},
            {"name": SENSOR, "isEnabled": sensor, "additionalExtensionProperties": {"a": "b"}}
        ]
    }})
}

fn seen(found: &Json) -> Seen {
    Seen::of([(id(), Some(found.clone()))])
}

fn put(deed: Option<Deed>) -> Option<Json> {
    match deed?.request {
        crate::provider::parts::Request::Put(body) => {
            check_writable(&id(), &body).unwrap();
            Some(body)
        }
        _ => panic!("it should be a PUT"),
    }
}

#[test]
fn a_plan_that_is_off_is_turned_on_and_remembered() {
    let deed = turn_on(
        &input(&json!({})),
        &seen(&pricing("Free", "False", "False")),
    )
    .unwrap();
    let note = deed.as_ref().and_then(|deed| deed.note.clone()).unwrap();
    assert_eq!(note.0, PREVIOUS);
    assert_eq!(note.1["pricing_tier"], "Free");
    let body = put(deed).unwrap();
    assert_eq!(body["properties"]["pricingTier"], "Standard");
    // What is not named is Azure's to turn on.
    assert_eq!(
        body["properties"]["extensions"],
        json!([{"name": SCAN, "isEnabled": "True"}])
    );
}

#[test]
fn a_plan_of_someone_else_that_is_as_asked_for_is_left_alone() {
    let on = seen(&pricing("Standard", "True", "False"));
    for existing in ["accept", "adopt"] {
        let input = input(&json!({"existing": existing}));
        assert!(turn_on(&input, &on).unwrap().is_none());
        assert!(
            put_back(&input, &on).unwrap().is_none(),
            "and never turned off"
        );
    }
}

#[test]
fn a_plan_of_someone_else_is_changed_only_knowingly_and_put_back() {
    let found = pricing("Standard", "False", "True");
    let on = seen(&found);
    assert!(turn_on(&input(&json!({})), &on).unwrap().is_none());
    let adopting = input(&json!({"existing": "adopt"}));
    let deed = turn_on(&adopting, &on).unwrap();
    let note = deed.as_ref().and_then(|deed| deed.note.clone()).unwrap().1;
    let body = put(deed).unwrap();
    assert_eq!(
        body["properties"]["extensions"],
        json!([
            {"name": SCAN, "isEnabled": "True"},
            {"name": SENSOR, "isEnabled": "True", "additionalExtensionProperties": {"a": "b"}}
        ])
    );
    let ours = input(&json!({"existing": "adopt", "previous": note}));
    let changed = seen(&pricing("Standard", "True", "True"));
    let back = put(put_back(&ours, &changed).unwrap()).unwrap();
    assert_eq!(back["properties"]["pricingTier"], "Standard");
    assert_eq!(back["properties"]["extensions"][0]["isEnabled"], "False");
    assert!(
        put_back(&ours, &seen(&found)).unwrap().is_none(),
        "it is as it was"
    );
}

#[test]
fn in_the_end_it_is_off_again_or_left() {
    let free = json!({"pricing_tier": "Free", "sub_plan": null, "extensions": {SCAN: false}});
    let on = seen(&pricing("Standard", "True", "True"));
    let ours = input(&json!({"previous": free}));
    let back = put(put_back(&ours, &on).unwrap()).unwrap();
    assert_eq!(
        back,
        json!({"properties": {"pricingTier": "Free", "enforce": "False"}})
    );
    let off = seen(&pricing("Free", "False", "False"));
    assert!(put_back(&ours, &off).unwrap().is_none());
    let leaving = input(&json!({"previous": free, "on_destroy": "leave"}));
    assert!(put_back(&leaving, &on).unwrap().is_none());
}

#[test]
fn a_plan_that_may_not_be_read_is_not_taken_for_put_back() {
    let free = json!({"pricing_tier": "Free", "sub_plan": null, "extensions": {}});
    let mut denied = Seen::default();
    denied.deny(&id());
    let back = put(put_back(&input(&json!({"previous": free})), &denied).unwrap());
    assert_eq!(back, Some(json!({"properties": {"pricingTier": "Free"}})));
    assert!(turn_on(&input(&json!({})), &denied).unwrap().is_none());
}

#[test]
fn someone_who_turns_it_off_makes_drift_and_what_it_was_is_not_forgotten() {
    let free = json!({"pricing_tier": "Free", "sub_plan": null, "extensions": {}});
    let off = seen(&pricing("Free", "False", "False"));
    let ours = input(&json!({"previous": free}));
    let observed = RegistryDefender::observe(&id(), Some(&ours), &off).unwrap();
    assert!(observed.drift[0].contains("is Free, and should be Standard"));
    assert_eq!(json!(observed.input.previous), free);
    let again = turn_on(&ours, &off).unwrap().unwrap();
    assert!(again.note.is_none(), "what was before is known");
    let prior = off.with_prior(json!({"previous": free}));
    let unknown = input(&json!({}));
    assert!(turn_on(&unknown, &prior).unwrap().unwrap().note.is_none());
}

#[test]
fn an_extension_that_was_changed_shows_in_its_argument() {
    let on = seen(&pricing("Standard", "False", "True"));
    let observed = RegistryDefender::observe(&id(), Some(&input(&json!({}))), &on).unwrap();
    let shown = serde_json::to_value(&observed.input).unwrap();
    assert_eq!(shown["registry_vulnerability_assessment_enabled"], false);
    assert_eq!(shown["sensor_enabled"], Json::Null, "nobody asked for it");
    let imported = RegistryDefender::observe(&id(), None, &on).unwrap();
    let shown = serde_json::to_value(&imported.input).unwrap();
    assert_eq!(shown["sensor_enabled"], true);
    assert_eq!(shown["previous"], Json::Null);
}

fn told(change: &Json, prior: Option<&Json>, found: &Json) -> String {
    let value = |json: &Json| schema::SCHEMA.value_from_json(&arguments(json)).unwrap();
    let prior = prior.map(value);
    let found = check_alone::<RegistryDefender>(&value(change), prior.as_ref(), &seen(found));
    let lines: Vec<String> = found
        .unwrap()
        .iter()
        .map(|one| format!("{one:?}"))
        .collect();
    lines.join("\n")
}

#[test]
fn the_plan_tells_what_is_turned_on_and_what_is_someone_elses() {
    let found = told(&json!({}), None, &pricing("Free", "False", "False"));
    assert!(
        found.contains("Warning") && found.contains("it is Free now"),
        "{found}"
    );
    let differs = pricing("Standard", "False", "True");
    let found = told(&json!({}), None, &differs);
    assert!(
        found.contains("Error") && found.contains("existing = "),
        "{found}"
    );
    assert!(
        found.contains("registry_vulnerability_assessment_enabled is false"),
        "{found}"
    );
    let found = told(&json!({"existing": "adopt"}), None, &differs);
    assert!(
        found.contains("Warning") && !found.contains("Error"),
        "{found}"
    );
    let ours = json!({"previous": {"pricing_tier": "Free", "sub_plan": null, "extensions": {}}});
    assert_eq!(
        told(&json!({}), Some(&ours), &differs),
        "",
        "it is ours to change"
    );
    assert_eq!(
        told(&json!({}), None, &pricing("Standard", "True", "True")),
        ""
    );
}

#[test]
fn only_the_plan_for_containers_is_imported() {
    assert!(RegistryDefender::imported(&id()).is_some());
    let other = ArmId::subscription(SUB).resource(PRICING, "KeyVaults");
    assert!(RegistryDefender::imported(&other).is_none());
}
