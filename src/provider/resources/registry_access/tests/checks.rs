//! What is refused and told before anything is written, without Azure and with it.

use tfplugin_rs::framework::Diagnostics;

use super::*;
use crate::provider::parts::check_alone;

fn planned(change: &Json) -> Value {
    let mut arguments = arguments();
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    RegistryAccess::SCHEMA.value_from_json(&arguments).unwrap()
}

fn told(diagnostics: &Diagnostics) -> String {
    let all = diagnostics.iter();
    all.map(|one| format!("{}\n{}\n", one.summary, one.detail))
        .collect()
}

const IDENTITIES: &str = "providers/Microsoft.ManagedIdentity/userAssignedIdentities";
const PERMISSIONS: &str = "providers/Microsoft.Authorization/permissions";

fn checked(change: &Json, seen: Seen, actions: &[&str]) -> String {
    let identity = json!({"id": "/subscriptions/x/identity", "properties": {"clientId": OTHER, "principalId": CI}});
    let seen = seen
        .with_list(&ArmId::subscription(SUB), IDENTITIES, vec![identity])
        .with_list(
            &registry(),
            PERMISSIONS,
            vec![json!({"actions": actions, "notActions": []})],
        );
    told(&check_alone::<RegistryAccess>(&planned(change), None, &seen).unwrap())
}

#[test]
fn a_client_id_is_told_from_an_object_id() {
    let seen = world("LegacyRegistryPermissions", OTHER, &[]);
    let told = checked(&json!({"principal_ids": {"ci": OTHER}}), seen, &["*"]);
    assert!(
        told.contains("is a client id") && told.contains(&format!("ci = \"{CI}\"")),
        "{told}"
    );
    assert_eq!(checked(&json!({}), legacy(&[]), &["*"]), "");
}

#[test]
fn a_caller_who_may_not_assign_roles_is_told_the_command() {
    let told = checked(&json!({}), legacy(&[]), &["Microsoft.ContainerRegistry/*"]);
    assert!(
        told.contains("Role Based Access Control Administrator"),
        "{told}"
    );
    let theirs = [assignment(&group(), "a", "AcrPull")];
    assert_eq!(
        checked(&json!({}), legacy(&theirs), &[]),
        "",
        "nothing has to be assigned"
    );
}

#[test]
fn a_grant_that_is_refused_is_named() {
    let theirs = [assignment(
        &registry(),
        "44444444-2222-4333-8444-555555555555",
        "AcrPull",
    )];
    let told = checked(&json!({"existing": "refuse"}), legacy(&theirs), &["*"]);
    assert!(
        told.contains(theirs[0]["id"].as_str().unwrap()) && told.contains("import {"),
        "{told}"
    );
}

#[test]
fn what_the_mode_of_the_registry_cannot_do_is_refused_all_at_once() {
    let told = checked(
        &json!({"repositories": ["a"], "permissions": ["catalog"]}),
        legacy(&[]),
        &["*"],
    );
    assert!(
        told.contains("cannot be narrowed") && told.contains("\"pull\", \"catalog\""),
        "{told}"
    );
    let told = checked(
        &json!({"permissions": ["pull", "delete", "sign"]}),
        abac(&[]),
        &["*"],
    );
    assert!(
        told.contains("No role deletes without pushing") && told.contains("content trust"),
        "{told}"
    );
    let told = checked(
        &json!({}),
        abac(&[assignment(&registry(), "a", "AcrPull")]),
        &["*"],
    );
    assert!(told.contains("AcrPull opens no image"), "{told}");
}

#[test]
fn validation_needs_a_cluster_or_principals_and_each_of_them_once() {
    let told_of = |change: Json| {
        let mut diagnostics = Diagnostics::new();
        RegistryAccess::validate(&planned(&change), &mut diagnostics);
        told(&diagnostics)
    };
    assert!(told_of(json!({"principal_ids": null})).contains("nobody is given access"));
    assert!(told_of(json!({"cluster_id": cluster()})).contains("do not go together"));
    assert!(told_of(json!({"principal_ids": {"a": CI, "b": CI}})).contains("named once"));
    assert!(told_of(json!({"registry_id": cluster()})).contains("is an id of"));
    assert!(
        told_of(json!({"principal_ids": null, "cluster_id": cluster(), "principal_type": "User"}))
            .contains("is no User")
    );
    assert_eq!(told_of(json!({})), "");
}
