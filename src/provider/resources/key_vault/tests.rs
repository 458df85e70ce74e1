#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::json;
use tfplugin_rs::schema::Severity;

use super::*;
use crate::provider::parts::{Question, check_alone, check_writable, differ};

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const TENANT: &str = "00000000-0000-0000-0000-0000000000aa";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-app")
}

fn id() -> ArmId {
    group().resource(VAULT, "kv-images")
}

fn subscription() -> ArmId {
    ArmId::subscription(SUB)
}

/// The arguments as a user writes them, with the schema's defaults.
fn config(arguments: &Json) -> Json {
    let mut config = json!({
        "name": "kv-images",
        "resource_group_id": group(),
        "location": "West Europe",
        "sku": "standard",
        "exposure": "private",
        "trusted_services_enabled": true,
        "soft_delete_retention_days": 90,
        "purge_protection_enabled": false,
        "recover_deleted": true,
        "deletion_protection": true,
    });
    let arguments = arguments.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(arguments);
    config
}

fn input(arguments: &Json) -> Input {
    serde_json::from_value(config(arguments)).unwrap()
}

fn value(config: &Json) -> Value {
    KeyVault::SCHEMA.value_from_json(config).unwrap()
}

/// A vault as Azure answers it.
fn found(acls: Json) -> Json {
    json!({
        "id": id(), "name": "kv-images", "location": "westeurope",
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [],
            "enableRbacAuthorization": true,
            "enableSoftDelete": true,
            "softDeleteRetentionInDays": 90,
            "publicNetworkAccess": "Enabled",
            "networkAcls": acls,
            "vaultUri": "https://kv-images.vault.azure.net/",
            "provisioningState": "Succeeded",
        },
    })
}

fn deleted_vault(id: &ArmId, days: i64) -> Json {
    let until = match days {
        7 => "2026-11-08T10:00:07Z",
        _ => "2027-01-30T10:00:07Z",
    };
    json!({"name": id.name(), "properties": {
        "vaultId": id, "location": "westeurope",
        "deletionDate": "2026-11-01T10:00:05Z", "scheduledPurgeDate": until,
    }})
}

/// Facts about a subscription with these vaults and deleted vaults, and without the vault of this test.
fn facts(vaults: Vec<Json>, deleted: Vec<Json>, available: Json) -> Seen {
    let question = json!({"name": "kv-images", "type": VAULT});
    let action = "providers/Microsoft.KeyVault/checkNameAvailability";
    let tenant = json!({"tenantId": TENANT});
    Seen::of([(id(), None), (subscription(), Some(tenant))])
        .with_list(
            &subscription(),
            "providers/Microsoft.KeyVault/vaults",
            vaults,
        )
        .with_list(
            &subscription(),
            "providers/Microsoft.KeyVault/deletedVaults",
            deleted,
        )
        .with_answer(
            Question::action(&subscription(), action, &question),
            available,
        )
}

fn free() -> Json {
    json!({"nameAvailable": true})
}

fn held() -> Json {
    json!({"nameAvailable": false, "reason": "AlreadyExists", "message": "It is in use."})
}

/// What a plan is told, errors and warnings.
fn told(arguments: &Json, prior: Option<&Json>, seen: &Seen) -> Vec<(Severity, String, String)> {
    let prior = prior.map(value);
    let told = check_alone::<KeyVault>(&value(&config(arguments)), prior.as_ref(), seen).unwrap();
    told.into_iter()
        .map(|diagnostic| (diagnostic.severity, diagnostic.summary, diagnostic.detail))
        .collect()
}

fn summaries(told: Vec<(Severity, String, String)>) -> Vec<String> {
    told.into_iter().map(|(_, summary, _)| summary).collect()
}

fn wanted(input: &Input, seen: &Seen) -> Wanted {
    vault(input, seen).unwrap().remove(0)
}

#[test]
fn a_new_vault_is_of_the_subscriptions_tenant_and_has_roles_alone() {
    let input = input(&json!({"allowed_ip_ranges": null}));
    let made = wanted(&input, &facts(vec![], vec![], free()));
    assert!(made.creation.is_none());
    let body = made.body.unwrap();
    check_writable(&id(), &body).unwrap();
    let properties = &body["properties"];
    assert_eq!(properties["tenantId"], TENANT);
    assert_eq!(properties["enableRbacAuthorization"], true);
    assert_eq!(properties["publicNetworkAccess"], "Disabled");
    assert_eq!(properties["networkAcls"]["defaultAction"], "Deny");
    assert!(
        properties.get("enablePurgeProtection").is_none(),
        "Azure takes no false"
    );
}

#[test]
fn only_a_deleted_vault_of_this_id_and_region_is_recovered_and_only_if_asked_for() {
    let mode = |arguments: &Json, gone: &ArmId| {
        let seen = facts(vec![], vec![deleted_vault(gone, 90)], held());
        wanted(&input(arguments), &seen)
            .creation
            .map(|creation| creation.body["properties"]["createMode"].clone())
    };
    assert_eq!(mode(&json!({}), &id()), Some(json!("recover")));
    assert_eq!(mode(&json!({"recover_deleted": false}), &id()), None);
    assert_eq!(mode(&json!({"location": "northeurope"}), &id()), None);
    let elsewhere = ArmId::group(SUB, "rg-other").resource(VAULT, "kv-images");
    assert_eq!(mode(&json!({}), &elsewhere), None);
}

#[test]
fn what_azure_spells_otherwise_is_no_difference() {
    let subnet = group()
        .resource("Microsoft.Network/virtualNetworks", "app")
        .child("subnets", "nodes");
    let input = input(&json!({
        "exposure": "allowlist", "allowed_ip_ranges": ["203.0.113.7"], "allowed_subnet_ids": [subnet],
    }));
    let acls = json!({
        "bypass": "AzureServices", "defaultAction": "Deny",
        "ipRules": [{"value": "203.0.113.7/32"}],
        "virtualNetworkRules": [{"id": subnet.as_str().to_lowercase(), "ignoreMissingVnetServiceEndpoint": false}],
    });
    let found = found(acls);
    let seen = Seen::of([(id(), Some(found.clone()))]);
    let wanted = wanted(&input, &seen);
    let body = wanted.body.clone().unwrap();
    assert_eq!(differ(&wanted, &body, &found), []);
    let observed = KeyVault::observe(&id(), Some(&input), &seen).unwrap();
    assert_eq!(observed.input, input);
    let imported = KeyVault::observe(&id(), None, &seen).unwrap().input;
    assert_eq!(imported.exposure, Exposure::Allowlist);
    assert_eq!(imported.allowed_ip_ranges.unwrap().len(), 1);
}

#[test]
fn a_public_vault_that_never_had_rules_needs_none() {
    let input = input(&json!({"exposure": "public"}));
    let found = found(Json::Null);
    let seen = Seen::of([(id(), Some(found.clone()))]);
    let wanted = wanted(&input, &seen);
    let body = wanted.body.clone().unwrap();
    assert_eq!(differ(&wanted, &body, &found), []);
    let observed = KeyVault::observe(&id(), Some(&input), &seen).unwrap();
    assert_eq!(observed.input, input);
}

#[test]
fn a_name_is_told_apart_by_who_has_it() {
    let said = |vaults, deleted, available, arguments: &Json| {
        summaries(told(arguments, None, &facts(vaults, deleted, available)))
    };
    let nothing = json!({});
    assert!(said(vec![], vec![], free(), &nothing).is_empty());
    let elsewhere = ArmId::group(SUB, "rg-other").resource(VAULT, "KV-images");
    assert_eq!(
        said(vec![json!({"id": elsewhere})], vec![], held(), &nothing),
        ["the name kv-images is taken"]
    );
    assert_eq!(
        said(vec![], vec![], held(), &nothing),
        ["the name kv-images is taken"]
    );
    let gone = || vec![deleted_vault(&id(), 90)];
    assert_eq!(
        said(vec![], gone(), held(), &nothing),
        ["a deleted vault is recovered"]
    );
    assert_eq!(
        said(vec![], gone(), held(), &json!({"recover_deleted": false})),
        ["the name kv-images is held by a deleted vault"]
    );
    let invalid = json!({"nameAvailable": false, "reason": "AccountNameInvalid", "message": "No."});
    assert_eq!(
        said(vec![], vec![], invalid, &nothing),
        ["Azure takes no vault by the name kv-images"]
    );
}

#[test]
fn what_a_recovered_vault_keeps_is_compared_with_what_is_wanted() {
    let mut gone = deleted_vault(&id(), 7);
    gone["properties"]["purgeProtectionEnabled"] = true.into();
    let seen = facts(vec![], vec![gone], held());
    let said = told(&json!({}), None, &seen);
    assert!(
        said[0].2.contains("soft_delete_retention_days = 7"),
        "{said:?}"
    );
    assert_eq!(
        summaries(said),
        [
            "the vault that is recovered keeps its own retention",
            "the vault that is recovered keeps its purge protection",
            "a deleted vault is recovered",
        ]
    );
    let keeps = json!({"soft_delete_retention_days": 7, "purge_protection_enabled": true});
    assert_eq!(
        summaries(told(&keeps, None, &seen)),
        ["a deleted vault is recovered"]
    );
}

#[test]
fn a_vault_with_a_private_endpoint_is_closed_without_a_word() {
    let mut prior = config(&json!({"exposure": "public"}));
    prior["id"] = json!(id());
    let mut found = found(Json::Null);
    let said = |found: &Json| {
        let seen = Seen::of([(id(), Some(found.clone()))]);
        summaries(told(&json!({}), Some(&prior), &seen))
    };
    assert_eq!(
        said(&found),
        ["no private endpoint leads to the vault that is closed"]
    );
    found["properties"]["privateEndpointConnections"] = json!([{"properties": {
        "privateLinkServiceConnectionState": {"status": "Approved"},
    }}]);
    assert!(said(&found).is_empty());
}
