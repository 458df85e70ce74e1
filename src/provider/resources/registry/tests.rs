#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod checks;
mod requests;

use serde_json::json;
use tfplugin_rs::schema::Severity;

use super::changes::changes;
use super::*;
use crate::provider::parts::{Change, Gap, check_alone, check_writable, differ, reduced};

const SUB: &str = "00000000-0000-0000-0000-000000000001";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-app")
}

fn id() -> ArmId {
    group().resource(Registry::ANCHOR, "fkacrprivate")
}

/// The arguments as a user writes them, with the schema's defaults.
fn config(arguments: Json) -> Json {
    let mut config = json!({
        "name": "fkacrprivate",
        "resource_group_id": group(),
        "location": "West Europe",
        "sku": "Premium",
        "exposure": "private",
        "trusted_services_enabled": true,
        "tasks_bypass_enabled": false,
        "tighten_unverified": false,
        "admin_enabled": false,
        "anonymous_pull_enabled": false,
        "arm_audience_authentication_enabled": true,
        "role_assignment_mode": "LegacyRegistryPermissions",
        "export_policy_enabled": true,
        "quarantine_policy_enabled": false,
        "data_endpoint_enabled": false,
        "deletion_protection": true,
    });
    let Json::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    config.as_object_mut().unwrap().extend(arguments);
    config
}

fn input(arguments: Json) -> Input {
    serde_json::from_value(config(arguments)).unwrap()
}

fn value(arguments: Json) -> Value {
    Registry::SCHEMA.value_from_json(&arguments).unwrap()
}

/// A registry as Azure answers it, by its tier and exposure.
fn found(sku: &str, public_access: &str, default_action: &str) -> Json {
    json!({
        "id": id(), "name": "fkacrprivate", "location": "westeurope",
        "sku": {"name": sku, "tier": sku},
        "properties": {
            "loginServer": "fkacrprivate.azurecr.io",
            "provisioningState": "Succeeded",
            "adminUserEnabled": false,
            "networkRuleSet": {"defaultAction": default_action, "ipRules": []},
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "trustPolicy": {"type": "Notary", "status": "disabled"},
                "retentionPolicy": {"days": 7, "lastUpdatedTime": "2026-01-01", "status": "disabled"},
                "exportPolicy": {"status": "enabled"},
                "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            },
            "encryption": {"status": "disabled"},
            "dataEndpointEnabled": false,
            "dataEndpointHostNames": [],
            "privateEndpointConnections": [],
            "publicNetworkAccess": public_access,
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": false,
            "zoneRedundancy": "Disabled",
            "anonymousPullEnabled": false,
            "roleAssignmentMode": "LegacyRegistryPermissions",
        }
    })
}

fn merge(mut into: Json, from: Json) -> Json {
    fn walk(into: &mut Json, from: Json) {
        match (into, from) {
            (Json::Object(into), Json::Object(from)) => {
                for (name, value) in from {
                    walk(into.entry(name).or_insert(Json::Null), value);
                }
            }
            (into, from) => *into = from,
        }
    }
    walk(&mut into, from);
    into
}

fn seen(registry: Json) -> Seen {
    Seen::of([(id(), Some(registry))]).with_list(&id(), "replications", Vec::new())
}

/// The requests that lead from what was found to what is wanted.
fn requests(wanted: &Input, found: &Json, prior: Option<Json>) -> Vec<Json> {
    let mut seen = seen(found.clone());
    if let Some(prior) = prior {
        seen = seen.with_prior(prior);
    }
    let wanted = registry(wanted, &seen).unwrap().remove(0);
    let body = wanted.full_body(seen.tag_policy()).unwrap();
    let differences = differ(&wanted, &body, found);
    check_writable(&id(), &body).unwrap();
    let gap = Gap {
        found: &reduced(&id(), found),
        wanted: &body,
        differences: &differences,
    };
    changes(&gap)
        .into_iter()
        .map(|change| match change {
            Change::Patch(body) => {
                check_writable(&id(), &body).unwrap();
                body
            }
            Change::Put(_) => json!("PUT"),
        })
        .collect()
}

#[test]
fn exposure_maps_to_both_switches_and_back() {
    for (exposure, public_access, default_action) in [
        (Exposure::Private, "Disabled", "Deny"),
        (Exposure::Allowlist, "Enabled", "Deny"),
        (Exposure::Public, "Enabled", "Allow"),
    ] {
        let body = body::of(&input(json!({"exposure": exposure})), None, None);
        assert_eq!(body["properties"]["publicNetworkAccess"], public_access);
        assert_eq!(
            body["properties"]["networkRuleSet"]["defaultAction"],
            default_action
        );
        assert_eq!(
            Exposure::of(&found("Premium", public_access, default_action)),
            exposure
        );
    }
    assert_eq!(
        Exposure::of(&found("Premium", "Disabled", "Allow")),
        Exposure::Private
    );
    assert!(Exposure::Private < Exposure::Allowlist && Exposure::Allowlist < Exposure::Public);
}

#[test]
fn what_is_wanted_is_observed_as_it_was_wanted() {
    let identity = group().resource("Microsoft.ManagedIdentity/userAssignedIdentities", "acr");
    for wanted in [
        json!({}),
        json!({"sku": "Basic", "exposure": "public"}),
        json!({"sku": "Standard", "exposure": "public", "anonymous_pull_enabled": true}),
        json!({
            "exposure": "allowlist", "allowed_ip_ranges": ["203.0.113.7/32", "198.51.100.0/24"],
            "tasks_bypass_enabled": true, "trusted_services_enabled": false, "admin_enabled": true,
            "retention_policy_in_days": 30, "quarantine_policy_enabled": true,
            "data_endpoint_enabled": true, "arm_audience_authentication_enabled": false,
            "role_assignment_mode": "AbacRepositoryPermissions", "tags": {"env": "test"},
        }),
        json!({"allowed_ip_ranges": [], "export_policy_enabled": false}),
        json!({
            "identity": {"type": "UserAssigned", "identity_ids": [identity]},
            "customer_managed_key": {
                "key_vault_key_id": "https://v.vault.azure.net/keys/k/0123456789abcdef",
                "identity_client_id": "00000000-0000-0000-0000-0000000000cc", "version_pinned": false,
            }
        }),
    ] {
        let wanted = input(wanted);
        let nothing = Seen::of([(id(), None)]);
        let made = registry(&wanted, &nothing).unwrap().remove(0);
        let mut made = made.full_body(nothing.tag_policy()).unwrap();
        // Azure leaves out the length of a single address.
        assert!(!made.to_string().contains("/32"));
        made["id"] = json!(id());
        let seen = seen(made.clone());
        let observed = observe::observe(&id(), Some(&wanted), &seen).unwrap();
        assert_eq!(observed.input, wanted);
        let again = registry(&wanted, &seen).unwrap().remove(0);
        let body = again.full_body(seen.tag_policy()).unwrap();
        assert_eq!(differ(&again, &body, &made), []);
        assert_eq!(again.rewrite, None);
    }
}

#[test]
fn what_azure_does_not_say_is_its_default_and_no_difference() {
    let old = json!({
        "location": "westeurope", "sku": {"name": "Basic"},
        "properties": {"adminUserEnabled": false, "policies": null}
    });
    let wanted = input(json!({"sku": "Basic", "exposure": "public"}));
    let seen = seen(old.clone());
    let body = body::of(&wanted, Some(&old), None);
    assert_eq!(
        differ(&registry(&wanted, &seen).unwrap()[0], &body, &old),
        []
    );
    let observed = observe::observe(&id(), Some(&wanted), &seen).unwrap();
    assert_eq!(observed.input, wanted);
}

#[test]
fn data_endpoints_that_a_private_endpoint_brings_are_no_drift() {
    let connected = merge(
        found("Premium", "Disabled", "Deny"),
        json!({"properties": {
            "dataEndpointEnabled": true,
            "privateEndpointConnections": [{"name": "pe.1", "properties": {
                "privateEndpoint": {"id": group().resource("Microsoft.Network/privateEndpoints", "pe")},
                "privateLinkServiceConnectionState": {"status": "Approved"}
            }}]
        }}),
    );
    let wanted = input(json!({}));
    let observed = observe::observe(&id(), Some(&wanted), &seen(connected.clone())).unwrap();
    assert!(!observed.input.data_endpoint_enabled);
    assert_eq!(
        observed.output.private_endpoint_connections[0].state,
        "Approved"
    );
    assert_eq!(requests(&wanted, &connected, None), [json!("PUT")]);
    // What we turned on ourselves is ours to turn off.
    assert_eq!(
        requests(
            &wanted,
            &connected,
            Some(json!({"data_endpoint_enabled": true}))
        ),
        [json!({"properties": {"dataEndpointEnabled": false}})]
    );
    let asked_for = input(json!({"data_endpoint_enabled": true}));
    let observed = observe::observe(&id(), Some(&asked_for), &seen(connected)).unwrap();
    assert!(observed.input.data_endpoint_enabled);
}

#[test]
fn rules_that_others_made_stay_when_none_are_managed_and_go_when_they_are() {
    let rule = json!({"action": "Allow", "value": "203.0.113.7"});
    let open = merge(
        found("Premium", "Enabled", "Allow"),
        json!({"properties": {"networkRuleSet": {"ipRules": [rule]}}}),
    );
    let allowlist =
        |ranges: Json| input(json!({"exposure": "allowlist", "allowed_ip_ranges": ranges}));
    let rules = |rules: Json| json!([{"properties": {"networkRuleSet": {"defaultAction": "Deny", "ipRules": rules}}}]);
    for (wanted, expected) in [
        (json!(null), json!([rule])),
        (json!(["203.0.113.7/32"]), json!([rule])),
        (json!([]), json!([])),
    ] {
        assert_eq!(
            json!(requests(&allowlist(wanted), &open, None)),
            rules(expected)
        );
    }
    // Left out after it was managed: ours goes, theirs stays.
    let both = merge(
        open.clone(),
        json!({"properties": {"networkRuleSet": {"ipRules": [rule, {"action": "Allow", "value": "203.0.113.9"}]}}}),
    );
    let prior = json!({"allowed_ip_ranges": ["203.0.113.7/32"]});
    assert_eq!(
        json!(requests(&allowlist(json!(null)), &both, Some(prior))),
        rules(json!([{"action": "Allow", "value": "203.0.113.9"}]))
    );
    let unmanaged = allowlist(json!(null));
    let observed = observe::observe(&id(), Some(&unmanaged), &seen(open)).unwrap();
    assert_eq!(observed.input.allowed_ip_ranges, None);
}

#[test]
fn a_key_is_sent_without_its_version_unless_it_is_pinned() {
    let key = |pinned: bool| CustomerManagedKey {
        key_vault_key_id: "https://v.vault.azure.net/keys/k/0123".to_owned(),
        identity_client_id: String::new(),
        version_pinned: pinned,
        versioned_key_id: None,
    };
    assert_eq!(key(false).sent(None), "https://v.vault.azure.net/keys/k");
    assert_eq!(
        key(true).sent(None),
        "https://v.vault.azure.net/keys/k/0123"
    );
    let found = json!({"keyIdentifier": "https://V.vault.azure.net/keys/k"});
    assert_eq!(
        key(false).sent(Some(&found)),
        "https://V.vault.azure.net/keys/k"
    );
}

#[test]
fn replicas_are_observed_in_the_users_spelling_and_those_of_others_are_told_of() {
    let replica = |region: &str, enabled: bool| json!({"name": region, "location": region, "properties": {"regionEndpointEnabled": enabled}});
    let wanted =
        input(json!({"georeplications": {"North Europe": {"regional_endpoint_enabled": true}}}));
    let replicas = vec![
        replica("westeurope", true),
        replica("northeurope", false),
        replica("uksouth", true),
    ];
    let seen = Seen::of([(id(), Some(found("Premium", "Disabled", "Deny")))]).with_list(
        &id(),
        "replications",
        replicas,
    );
    let observed = observe::observe(&id(), Some(&wanted), &seen).unwrap();
    let entries = observed.input.georeplications.unwrap();
    assert!(!entries["North Europe"].regional_endpoint_enabled);
    assert_eq!(entries.len(), 1);
    assert!(observed.warnings[0].1.contains("- uksouth"));
    assert!(!observed.warnings[0].1.contains("- westeurope"));

    let imported = observe::observe(&id(), None, &seen).unwrap();
    let regions: Vec<_> = imported
        .input
        .georeplications
        .unwrap()
        .into_keys()
        .collect();
    assert_eq!(regions, ["northeurope", "uksouth"]);
    assert_eq!(
        replications(&wanted, &seen).unwrap()[0].id,
        id().child("replications", "northeurope")
    );
}

#[test]
fn replicas_of_ours_go_before_the_tier_is_lowered() {
    let seen = seen(found("Premium", "Enabled", "Allow"))
        .with_prior(json!({"georeplications": {"North Europe": {}}}));
    let lower = registry(
        &input(json!({"sku": "Standard", "exposure": "public"})),
        &seen,
    )
    .unwrap();
    assert_eq!(
        lower[0].instead_of,
        [id().child("replications", "northeurope")]
    );
    assert!(
        registry(&input(json!({})), &seen).unwrap()[0]
            .instead_of
            .is_empty()
    );
}

#[test]
fn hosts_are_known_before_the_registry_exists() {
    let plan = value(config(json!({
        "name": "FkAcr", "data_endpoint_enabled": true, "georeplications": {"North Europe": {}}
    })));
    let known: BTreeMap<_, _> = Registry::foresee(&plan, None, &Surroundings::default())
        .into_iter()
        .collect();
    assert_eq!(known["login_server"], Value::from("fkacr.azurecr.io"));
    assert_eq!(
        known["data_endpoint_host_names"],
        Value::Set(vec![
            Value::from("fkacr.northeurope.data.azurecr.io"),
            Value::from("fkacr.westeurope.data.azurecr.io"),
        ])
    );
    assert_eq!(
        known["id"].as_str(),
        Some(group().resource(Registry::ANCHOR, "FkAcr").as_str())
    );
}
