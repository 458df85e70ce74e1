#![allow(clippy::unwrap_used)]

use serde_json::json;
use tfplugin_rs::framework::Diagnostics;

use super::*;
use crate::provider::parts::{Ledger, Removal, check_alone, check_writable, differ};

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const SETTINGS: &str = "providers/Microsoft.Insights/diagnosticSettings";
const CATEGORIES: &str = "providers/Microsoft.Insights/diagnosticSettingsCategories";
const DELETED: &str = "providers/Microsoft.OperationalInsights/deletedWorkspaces";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-images")
}

fn registry() -> ArmId {
    group().resource(REGISTRY, "images")
}

fn workspace() -> ArmId {
    group().resource(WORKSPACE, "log-images")
}

fn own() -> ArmId {
    registry().resource(SETTING, NAME)
}

fn arguments(change: &Json) -> Json {
    let mut arguments = json!({
        "registry_id": registry(), "name": NAME, "workspace_id": workspace(), "metrics_enabled": false,
        "existing": "accept"
    });
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

fn input(change: &Json) -> Input {
    serde_json::from_value(arguments(change)).unwrap()
}

fn made() -> Json {
    json!({"workspace_id": null, "workspace": {
        "name": "log-images", "sku": "PerGB2018", "retention_in_days": 90, "internet_ingestion_enabled": true,
        "internet_query_enabled": false, "local_authentication_enabled": false, "soft_deleted": "restore"
    }})
}

fn sending(name: &str, logs: &Json) -> Json {
    json!({
        "id": registry().resource(SETTING, name).as_str().to_lowercase(),
        "properties": {"workspaceId": workspace().as_str().to_uppercase(), "logs": logs, "metrics": []}
    })
}

fn category(stream: Stream) -> Json {
    json!({"category": stream.category(), "enabled": true})
}

fn world(settings: Vec<Json>) -> Seen {
    let found = settings
        .iter()
        .find(|setting| settings::id_of(setting) == Some(own()))
        .cloned();
    let location = json!({"location": "westeurope"});
    let customer = json!({
        "id": workspace(), "location": "westeurope", "properties": {"customerId": "c-1", "retentionInDays": 30}
    });
    Seen::of([
        (own(), found),
        (registry(), Some(location)),
        (workspace(), Some(customer)),
    ])
    .with_list(&registry(), SETTINGS, settings)
    .with_list(&group(), DELETED, Vec::new())
}

fn bodies(input: &Input, seen: &Seen) -> Vec<Json> {
    let wants = setting(input, seen).unwrap();
    let bodies = wants.into_iter().map(|wanted| {
        let body = wanted.body.unwrap();
        check_writable(&wanted.id, &body).unwrap();
        body
    });
    bodies.collect()
}

#[test]
fn both_kinds_of_events_go_to_the_workspace_and_metrics_only_when_asked_for() {
    let body = &bodies(&input(&json!({})), &world(Vec::new()))[0]["properties"];
    assert_eq!(body["workspaceId"], json!(workspace()));
    assert_eq!(
        body["logs"],
        json!([category(Stream::Login), category(Stream::Repository)])
    );
    assert_eq!(body["metrics"], json!([]));
    let some = input(&json!({"events": ["login"], "metrics_enabled": true}));
    let body = &bodies(&some, &world(Vec::new()))[0]["properties"];
    assert_eq!(body["logs"], json!([category(Stream::Login)]));
    assert_eq!(body["metrics"], json!([category(Stream::Metrics)]));
}

#[test]
fn what_another_setting_sends_to_the_same_workspace_is_not_sent_again() {
    let theirs = sending("policy", &json!([category(Stream::Login)]));
    let body = &bodies(&input(&json!({})), &world(vec![theirs.clone()]))[0];
    assert_eq!(
        body["properties"]["logs"],
        json!([category(Stream::Repository)])
    );
    let all = sending(
        "policy",
        &json!([{"categoryGroup": "allLogs", "enabled": true}]),
    );
    let seen = world(vec![all]);
    assert!(bodies(&input(&json!({})), &seen).is_empty());
    assert_eq!(all_is_sent(&input(&json!({})), &seen), Ok(Evidence::Done));
    let refusing = input(&json!({"existing": "refuse"}));
    assert_eq!(
        bodies(&refusing, &world(vec![theirs]))[0]["properties"]["logs"],
        json!([category(Stream::Login), category(Stream::Repository)])
    );
}

#[test]
fn a_setting_to_another_workspace_or_one_that_is_off_does_not_count() {
    let mut elsewhere = sending("other", &json!([category(Stream::Login)]));
    elsewhere["properties"]["workspaceId"] = json!(group().resource(WORKSPACE, "elsewhere"));
    let mut off = category(Stream::Repository);
    off["enabled"] = json!(false);
    let seen = world(vec![elsewhere, sending("off", &json!([off]))]);
    assert_eq!(
        bodies(&input(&json!({})), &seen)[0]["properties"]["logs"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let Ok(Evidence::Waiting(why)) = all_is_sent(&input(&json!({})), &seen) else {
        panic!("it should wait");
    };
    assert!(why.contains("login events of registry images"), "{why}");
}

#[test]
fn a_group_counts_when_azure_says_that_the_category_is_in_it() {
    let group = sending(
        "policy",
        &json!([{"categoryGroup": "audit", "enabled": true}]),
    );
    let seen = world(vec![group]);
    assert_eq!(setting(&input(&json!({})), &seen).err(), Some(Unread));
    let listed = json!({
        "name": Stream::Login.category(), "properties": {"categoryGroups": ["allLogs", "audit"]}
    });
    let seen = seen.with_list(&registry(), CATEGORIES, vec![listed]);
    assert_eq!(
        bodies(&input(&json!({})), &seen)[0]["properties"]["logs"],
        json!([category(Stream::Repository)])
    );
}

#[test]
fn the_own_setting_is_settled_whatever_else_azure_lists_as_off() {
    let mut listed = sending(
        NAME,
        &json!([
            {"category": "Another", "enabled": false},
            category(Stream::Repository),
            category(Stream::Login)
        ]),
    );
    listed["properties"]["metrics"] = json!([{"category": "AllMetrics", "enabled": false}]);
    let seen = world(vec![listed.clone()]).with_owned(&own());
    let wanted = setting(&input(&json!({})), &seen).unwrap().remove(0);
    let body = wanted.body.clone().unwrap();
    assert_eq!(differ(&wanted, &body, &listed), []);
    listed["properties"]["logs"][0]["enabled"] = json!(true);
    let seen = world(vec![listed.clone()]).with_owned(&own());
    let wanted = setting(&input(&json!({})), &seen).unwrap().remove(0);
    let body = wanted.body.clone().unwrap();
    let found = differ(&wanted, &body, &listed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].pointer.ends_with("Another"), "{found:?}");
}

#[test]
fn a_workspace_that_is_made_lies_beside_the_registry_and_has_its_plan_and_access() {
    let id = workspace();
    let seen = Seen::of([
        (id.clone(), None),
        (registry(), Some(json!({"location": "West Europe"}))),
    ]);
    let wanted = workspace::wanted(&input(&made()), &seen).unwrap().remove(0);
    assert_eq!(wanted.id, id);
    let body = wanted.body.unwrap();
    check_writable(&id, &body).unwrap();
    assert_eq!(body["location"], "westeurope");
    assert_eq!(body["properties"]["retentionInDays"], 90);
    assert_eq!(
        body["properties"]["publicNetworkAccessForQuery"],
        "Disabled"
    );
    assert_eq!(body["properties"]["features"]["disableLocalAuth"], true);
    assert!(
        workspace::wanted(&input(&json!({})), &seen)
            .unwrap()
            .is_empty()
    );
}

/// What a workspace's end is decided by, with those settings of the subscription's objects.
fn around(registries: &[Json], tables: Vec<Json>) -> Seen {
    let subscription = ArmId::subscription(SUB);
    let mut seen = world(Vec::new())
        .with_list(&subscription, SETTINGS, Vec::new())
        .with_list(
            &subscription,
            "providers/Microsoft.ContainerService/managedClusters",
            vec![
                json!({"id": "/c", "properties": {"addonProfiles": {"omsagent": {"config": {
                    "logAnalyticsWorkspaceResourceID": group().resource(WORKSPACE, "log-images-2")
                }}}}}),
            ],
        )
        .with_list(&workspace(), "tables", tables)
        .with_list(&workspace(), "dataExports", Vec::new())
        .with_list(&workspace(), "linkedServices", Vec::new());
    let listed: Vec<Json> = registries
        .iter()
        .map(|entry| json!({"id": entry["id"]}))
        .collect();
    seen = seen.with_list(&subscription, "resources", listed);
    for entry in registries {
        let id = ArmId::parse(entry["id"].as_str().unwrap()).unwrap();
        let settings = entry["settings"].as_array().unwrap().clone();
        seen = seen.with_list(&id, SETTINGS, settings);
    }
    seen
}

#[test]
fn a_workspace_goes_with_its_own_setting_and_stays_with_that_of_someone_else() {
    let mut ledger = Ledger::default();
    ledger.own(PART, &own());
    ledger.own("workspace", &workspace());
    let id = workspace();
    let removal = Removal {
        id: &id,
        ledger: &ledger,
    };
    let logs = json!([category(Stream::Login)]);
    let alone = json!({"id": registry(), "settings": [sending(NAME, &logs)]});
    let own_table = json!({"id": "t", "properties": {"schema": {"tableType": "Microsoft"}}});
    let seen = around(std::slice::from_ref(&alone), vec![own_table]);
    assert_eq!(workspace::is_used(&removal, &seen), Ok(Vec::new()));

    let other = group().resource(REGISTRY, "other");
    let mut theirs = sending("theirs", &logs);
    theirs["id"] = json!(other.resource(SETTING, "theirs"));
    let shared = json!({"id": other, "settings": [theirs]});
    let table = json!({"id": "/t/Own_CL", "properties": {"schema": {"tableType": "CustomLog"}}});
    let reasons = workspace::is_used(&removal, &around(&[alone, shared], vec![table])).unwrap();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons[0].contains("Own_CL"), "{reasons:?}");
    assert!(reasons[1].contains("other/providers"), "{reasons:?}");
    assert!(reasons[2].contains("workspace_id = "), "{reasons:?}");
}

#[test]
fn what_is_collected_is_shown_with_whose_it_is() {
    let logs = json!([category(Stream::Repository)]);
    let theirs = sending("policy", &json!([category(Stream::Login)]));
    let seen = world(vec![theirs, sending(NAME, &logs)]).with_owned(&own());
    let observed = RegistryAudit::observe(&registry(), Some(&input(&json!({}))), &seen).unwrap();
    assert_eq!(
        observed.output.workspace_customer_id.as_deref(),
        Some("c-1")
    );
    let shown = &observed.output.collected;
    assert!(!shown[&Stream::Login].owned && shown[&Stream::Repository].owned);
    assert!(!shown.contains_key(&Stream::Metrics));
}

#[test]
fn an_import_by_the_registry_takes_the_setting_of_the_usual_name() {
    let logs = json!([category(Stream::Login)]);
    let other = sending("policy", &json!([category(Stream::Repository)]));
    let seen = world(vec![other, sending(NAME, &logs)]);
    let observed = RegistryAudit::observe(&registry(), None, &seen).unwrap();
    let found = &observed.input;
    assert_eq!(found.adopted, Some(own()));
    assert_eq!(found.events, Some([Stream::Login].into()));
    assert_eq!(found.workspace_id, Some(workspace()));
    assert!(observed.warnings.is_empty());
    let two = world(vec![
        sending("a", &json!([category(Stream::Login)])),
        sending("b", &json!([category(Stream::Repository)])),
    ]);
    let observed = RegistryAudit::observe(&registry(), None, &two).unwrap();
    assert_eq!(observed.input.adopted, None);
    assert!(
        observed.warnings[0]
            .1
            .contains("import by the id of the setting")
    );
}

#[test]
fn an_id_of_another_type_imports_nothing() {
    assert!(RegistryAudit::imported(&own()).is_some());
    assert!(RegistryAudit::imported(&registry()).is_some());
    assert!(RegistryAudit::imported(&workspace()).is_none());
    let elsewhere = workspace().resource(SETTING, "x");
    assert!(RegistryAudit::imported(&elsewhere).is_none());
}

fn planned(change: &Json) -> Value {
    schema::SCHEMA.value_from_json(&arguments(change)).unwrap()
}

fn told(change: &Json, seen: &Seen) -> String {
    let found = check_alone::<RegistryAudit>(&planned(change), None, seen).unwrap();
    shown(&found)
}

fn shown(found: &Diagnostics) -> String {
    let lines = found.iter().map(|one| format!("{one:?}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_second_setting_for_the_same_is_refused_at_plan_with_the_way_out() {
    let theirs = sending("policy", &json!([category(Stream::Login)]));
    let seen = world(vec![theirs]);
    let found = told(&json!({"existing": "refuse"}), &seen);
    assert!(
        found.contains("policy") && found.contains("existing = "),
        "{found}"
    );
    assert_eq!(told(&json!({}), &seen), "");
}

#[test]
fn a_sixth_setting_is_refused_at_plan() {
    let five: Vec<Json> = (0..5)
        .map(|n| {
            let mut setting = sending(&format!("s{n}"), &json!([]));
            setting["properties"]["workspaceId"] = Json::Null;
            setting
        })
        .collect();
    let found = told(&json!({}), &world(five));
    assert!(
        found.contains("room for no more") && found.contains("s4"),
        "{found}"
    );
}

#[test]
fn a_deleted_workspace_that_would_come_back_is_told() {
    let mut objects = world(Vec::new());
    let deleted = json!({"name": "LOG-images", "properties": {"customerId": "c-9"}});
    objects = objects.with_list(&group(), DELETED, vec![deleted]);
    assert_eq!(told(&made(), &objects), "", "it stands");
    let gone = Seen::of([(own(), None), (registry(), None), (workspace(), None)]).with_list(
        &registry(),
        SETTINGS,
        Vec::new(),
    );
    let deleted = json!({"name": "LOG-images", "properties": {"customerId": "c-9"}});
    let gone = gone.with_list(&group(), DELETED, vec![deleted]);
    let found = told(&made(), &gone);
    assert!(
        found.contains("Warning") && found.contains("c-9"),
        "{found}"
    );
    let mut refusing = made();
    refusing["workspace"]["soft_deleted"] = json!("refuse");
    let found = told(&refusing, &gone);
    assert!(
        found.contains("Error") && found.contains("choose another name"),
        "{found}"
    );
}

#[test]
fn a_workspace_cannot_move() {
    let mut moving = made();
    moving["workspace"]["location"] = json!("northeurope");
    let found = told(&moving, &world(Vec::new()));
    assert!(
        found.contains("stands in westeurope and cannot move"),
        "{found}"
    );
}

#[test]
fn mistakes_without_azure_are_all_told_at_once() {
    let told = |change: &Json| {
        let mut diagnostics = Diagnostics::new();
        RegistryAudit::validate(&planned(change), &mut diagnostics);
        shown(&diagnostics)
    };
    assert!(told(&json!({"workspace_id": null})).contains("nowhere to go"));
    let mut both = made();
    both["workspace_id"] = json!(workspace());
    both["workspace"]["sku"] = json!("CapacityReservation");
    let found = told(&both);
    assert!(
        found.contains("do not go together") && found.contains("needs an amount"),
        "{found}"
    );
    let mut reserved = made();
    reserved["workspace"]["capacity_reservation_gb_per_day"] = json!(100);
    assert!(told(&reserved).contains("only the plan"));
    assert_eq!(told(&made()), "");
    assert!(check::setting_name("service").is_err() && check::setting_name("a/b").is_err());
    assert!(check::workspace_name("log").is_err() && check::workspace_name("log-1").is_ok());
}
