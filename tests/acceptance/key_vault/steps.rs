//! `fkaks_key_vault`: what others do to it, how it goes and comes back, and what it refuses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_is_changed_outside_is_shown_and_repaired",
        run: what_is_changed_outside_is_shown_and_repaired,
    },
    Step {
        name: "its_exposure_changes_in_place",
        run: its_exposure_changes_in_place,
    },
    Step {
        name: "a_subnet_is_allowed_only_with_its_service_endpoint",
        run: a_subnet_is_allowed_only_with_its_service_endpoint,
    },
    Step {
        name: "what_was_destroyed_is_recovered_and_then_changed",
        run: what_was_destroyed_is_recovered_and_then_changed,
    },
    Step {
        name: "what_a_deleted_vault_keeps_is_refused_at_plan",
        run: what_a_deleted_vault_keeps_is_refused_at_plan,
    },
    Step {
        name: "a_name_that_is_not_free_is_refused_at_plan",
        run: a_name_that_is_not_free_is_refused_at_plan,
    },
    Step {
        name: "what_is_fixed_for_life_is_refused_at_plan",
        run: what_is_fixed_for_life_is_refused_at_plan,
    },
    Step {
        name: "it_is_protected_from_destroy_and_replacement",
        run: it_is_protected_from_destroy_and_replacement,
    },
    Step {
        name: "one_of_someone_else_is_refused_and_then_imported",
        run: one_of_someone_else_is_refused_and_then_imported,
    },
    Step {
        name: "mistakes_are_found_without_azure_and_all_at_once",
        run: mistakes_are_found_without_azure_and_all_at_once,
    },
];

const VAULT: &str = "fkaks_key_vault.pull";
const API: &str = "2026-02-01";
const SUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000000";

fn id() -> String {
    format!("{SUB}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-pull")
}

fn of_others() -> String {
    format!("{SUB}/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-taken")
}

fn properties(session: &Session) -> Value {
    session.sandbox.get(&id(), API)["properties"].clone()
}

/// Someone changes the vault behind Terraform's back.
fn change(session: &Session, body: &Value) {
    let path = format!("/resources{}", id());
    session.sandbox.control(Method::PATCH, &path, Some(body));
}

/// The plan changes the vault in place, and after the apply nothing is left to do.
fn changes_in_place(session: &Session, sentence: &str) {
    session.plan().must(action::UPDATE, VAULT);
    session.apply();
    session.plan().must_be_empty(sentence);
}

fn what_is_changed_outside_is_shown_and_repaired(session: &mut Session) {
    session.apply();
    session.plan().must_be_empty("the vault stands");
    let policy = json!({
        "tenantId": "11111111-1111-1111-1111-111111111111",
        "objectId": "22222222-2222-2222-2222-222222222222",
        "permissions": { "secrets": ["get"] },
    });
    change(
        session,
        &json!({ "properties": { "enableRbacAuthorization": false, "accessPolicies": [policy] } }),
    );
    let plan = session.plan();
    plan.must(action::UPDATE, VAULT);
    for part in [
        "key vault kv-pull: properties.enableRbacAuthorization is false, and should be true",
        "properties.accessPolicies",
    ] {
        assert!(plan.words().contains(part), "{}", plan.words());
    }
    session.apply();
    session.plan().must_be_empty("roles alone count again");
    let repaired = properties(session);
    assert_eq!(repaired["enableRbacAuthorization"], true);
    assert_eq!(repaired["accessPolicies"], json!([]));

    change(
        session,
        &json!({ "tags": { "by": "someone" }, "properties": {
            "publicNetworkAccess": "Enabled", "enabledForDeployment": true,
            "networkAcls": { "bypass": "None", "defaultAction": "Allow", "ipRules": [{ "value": "203.0.113.9/32" }] },
        } }),
    );
    changes_in_place(session, "the vault is private again");
    let repaired = properties(session);
    assert_eq!(repaired["publicNetworkAccess"], "Disabled");
    assert_eq!(repaired["networkAcls"]["bypass"], "AzureServices");
    assert_eq!(repaired["networkAcls"]["ipRules"], json!([]));
    assert_eq!(
        repaired["enabledForDeployment"], true,
        "what has no argument is left alone"
    );
    // Deleted outside, it is recovered.
    session.sandbox.delete(&id(), API);
    session.plan().must(action::CREATE, VAULT);
    session.apply();
    session.plan().must_be_empty("the vault is back");
}

fn its_exposure_changes_in_place(session: &mut Session) {
    session.set("exposure", "public");
    session.apply();
    let open = properties(session);
    assert_eq!(open["publicNetworkAccess"], "Enabled");
    assert_eq!(open["networkAcls"]["defaultAction"], "Allow");

    session.set("exposure", "allowlist");
    session.set("allowed_ip_ranges", "[\"203.0.113.7\"]");
    session.set("allowed_subnets", "[\"nodes\"]");
    changes_in_place(session, "the allowlist stands");
    let listed = properties(session)["networkAcls"].clone();
    assert_eq!(listed["defaultAction"], "Deny");
    assert_eq!(listed["ipRules"], json!([{ "value": "203.0.113.7/32" }]));
    assert_eq!(listed["virtualNetworkRules"].as_array().unwrap().len(), 1);

    session.set("exposure", "private");
    session.set("allowed_ip_ranges", "null");
    session.set("allowed_subnets", "[]");
    session.run(&["plan"]).must_succeed().must_say(&[
        "no private endpoint leads to the vault that is closed",
        "is allowlist today",
    ]);
    changes_in_place(session, "the vault is closed");
    let closed = properties(session);
    assert_eq!(closed["publicNetworkAccess"], "Disabled");
    assert_eq!(closed["networkAcls"]["virtualNetworkRules"], json!([]));
}

fn a_subnet_is_allowed_only_with_its_service_endpoint(session: &mut Session) {
    session.set("exposure", "allowlist");
    session.set("allowed_subnets", "[\"nodes\", \"plain\"]");
    session.run(&["plan"]).must_succeed().must_say(&[
        "subnets can be allowed only with a service endpoint",
        "/subnets/plain",
    ]);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "subnets cannot be allowed yet",
        "/subnets/plain",
        "service_endpoints = [\"Microsoft.KeyVault\"]",
    ]);
    assert!(session.sandbox.get(&id(), API).is_null(), "nothing is made");
}

fn what_was_destroyed_is_recovered_and_then_changed(session: &mut Session) {
    session.set("exposure", "public");
    session.set("tags", "{ env = \"test\" }");
    session.apply();
    let secret = format!("{}/secrets/kept", id());
    session.sandbox.put(
        &secret,
        API,
        &json!({ "properties": { "value": "of-before" } }),
    );
    session.destroy();
    assert!(session.sandbox.get(&id(), API).is_null(), "it is gone");

    session.set("exposure", "private");
    session.set("tags", "{ env = \"prod\" }");
    session.run(&["plan"]).must_succeed().must_say(&[
        "a deleted vault is recovered",
        &id(),
        "kept until",
    ]);
    session.apply();
    session
        .plan()
        .must_be_empty("what was recovered is as configured");
    let vault = session.sandbox.get(&id(), API);
    assert_eq!(vault["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(vault["tags"], json!({ "env": "prod" }));
    assert!(
        !session.sandbox.get(&secret, API).is_null(),
        "its secrets are back"
    );
    // A replacement finds the vault that it has just deleted.
    session
        .run(&["apply", "-auto-approve", &format!("-replace={VAULT}")])
        .must_succeed();
    assert!(!session.sandbox.get(&secret, API).is_null(), "and again");
}

fn what_a_deleted_vault_keeps_is_refused_at_plan(session: &mut Session) {
    session.set("soft_delete_retention_days", "7");
    session.set("purge_protection_enabled", "true");
    session.apply();
    session.destroy();
    session.set("soft_delete_retention_days", "30");
    session.set("purge_protection_enabled", "false");
    session.run(&["plan"]).must_fail_saying(&[
        "the vault that is recovered keeps its own retention",
        "soft_delete_retention_days = 7",
        "the vault that is recovered keeps its purge protection",
        "purge_protection_enabled = true",
    ]);
    session.set("recover_deleted", "false");
    session.run(&["plan"]).must_fail_saying(&[
        "the name kv-pull is held by a deleted vault",
        "with purge protection",
        "kept until",
        "recover_deleted = true",
    ]);
    session.set("recover_deleted", "true");
    session.set("location", "northeurope");
    session.run(&["plan"]).must_fail_saying(&[
        "the name kv-pull is held by a deleted vault",
        "in westeurope",
        "location          = \"westeurope\"",
        "choose another name",
    ]);
    session.set("location", "westeurope");
    session.set("soft_delete_retention_days", "7");
    session.set("purge_protection_enabled", "true");
    session.apply();
    session.plan().must_be_empty("it is recovered");
}

fn a_name_that_is_not_free_is_refused_at_plan(session: &mut Session) {
    session.set("name", "kv-taken");
    session
        .run(&["plan"])
        .must_fail_saying(&["the name kv-taken is taken", &of_others()]);
    session.sandbox.delete(&of_others(), API);
    session.run(&["plan"]).must_fail_saying(&[
        "the name kv-taken is held by a deleted vault",
        "resource_group_id = ",
        "az keyvault purge --name kv-taken --location westeurope",
    ]);
    // Where the caller may not look, Azure's refusal is explained.
    for path in ["deletedVaults", "checkNameAvailability"] {
        session.sandbox.fault(&json!({
            "match": { "regex": path },
            "count": null,
            "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "No." } },
        }));
    }
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "key vault kv-taken cannot be created",
        "az keyvault list-deleted",
        "Microsoft.KeyVault/deletedVaults/read",
    ]);
    session.set("name", "kv-pull");
    // Theirs goes back to where it was.
    session.sandbox.put(
        &of_others(),
        API,
        &json!({ "location": "westeurope", "properties": {
            "createMode": "recover",
            "tenantId": "11111111-1111-1111-1111-111111111111",
            "sku": { "family": "A", "name": "standard" },
        } }),
    );
}

fn what_is_fixed_for_life_is_refused_at_plan(session: &mut Session) {
    session.set("soft_delete_retention_days", "30");
    session.apply();
    session.set("purge_protection_enabled", "true");
    changes_in_place(session, "purge protection is on");
    assert_eq!(properties(session)["enablePurgeProtection"], true);

    session.set("purge_protection_enabled", "false");
    session.set("soft_delete_retention_days", "7");
    session.run(&["plan"]).must_fail_saying(&[
        "purge protection can never be turned off again",
        "purge_protection_enabled = true",
        "the retention of a vault is fixed when it is created",
        "soft_delete_retention_days = 30",
    ]);
    session.set("purge_protection_enabled", "true");
    session.set("soft_delete_retention_days", "30");
    session.set("location", "northeurope");
    session.run(&["plan"]).must_fail_saying(&[
        "a vault cannot be moved under its name",
        "in westeurope",
        "another name",
    ]);
    session.set("name", "kv-north");
    session.plan().must(action::REPLACE, VAULT);
    session.apply();
    session.plan().must_be_empty("another vault stands");
}

fn it_is_protected_from_destroy_and_replacement(session: &mut Session) {
    session.set("deletion_protection", "true");
    session.apply();
    let refusal = [
        "fkaks_key_vault is protected from deletion",
        "deletion_protection = false",
    ];
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&refusal);
    session.set("name", "kv-other");
    session.run(&["plan"]).must_fail_saying(&refusal);
    assert!(!session.sandbox.get(&id(), API).is_null(), "it stands");
    session.set("name", "kv-pull");
    session.set("deletion_protection", "false");
    session.apply();
}

fn one_of_someone_else_is_refused_and_then_imported(session: &mut Session) {
    session.set("exposure", "allowlist");
    session.set("allowed_ip_ranges", "[\"203.0.113.7\"]");
    session.set("tags", "{ env = \"test\" }");
    session.apply();
    session.forget(VAULT);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "key vault kv-pull cannot be created: it exists already",
        "to = fkaks_key_vault.example",
        &id(),
    ]);
    session.import(VAULT, &id().replace("resourceGroups", "resourcegroups"));
    let state = session.state(VAULT);
    assert_eq!(state["deletion_protection"], true);
    assert_eq!(state["exposure"], "allowlist");
    session.apply();
    session
        .plan()
        .must_be_empty("an import converges in one apply");
}

fn mistakes_are_found_without_azure_and_all_at_once(session: &mut Session) {
    session.sandbox.forget_requests();
    session.write(
        "bad.tf",
        r#"
        resource "fkaks_key_vault" "bad" {
          name                       = "kv--bad"
          resource_group_id          = fkaks_resource_group.app.id
          location                   = "westeurope"
          sku                        = "Premium"
          allowed_ip_ranges          = ["203.0.113.7/24", "10.0.0.0/8", "2001:db8::1"]
          allowed_subnet_ids         = ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-app"]
          soft_delete_retention_days = 6
        }
        "#,
    );
    session.run(&["validate"]).must_fail_saying(&[
        "two hyphens that follow each other",
        "\"premium\"",
        "203.0.113.0/24",
        "private range",
        "only IPv4 addresses can be allowed",
        "an id of Microsoft.Network/virtualNetworks/subnets is needed here",
        "soft_delete_retention_days",
        "allowed_ip_ranges opens nothing: the vault is private",
    ]);
    session.remove("bad.tf");
    assert_eq!(session.sandbox.requests().len(), 0, "Azure was asked");
}
