//! `fkaks_registry`: how it is closed, what it refuses, and what others do to it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "it_is_closed_only_when_a_private_way_stands",
        run: it_is_closed_only_when_a_private_way_stands,
    },
    Step {
        name: "it_is_not_closed_while_a_record_leads_elsewhere",
        run: it_is_not_closed_while_a_record_leads_elsewhere,
    },
    Step {
        name: "it_is_put_behind_its_allowlist_only_with_an_address",
        run: it_is_put_behind_its_allowlist_only_with_an_address,
    },
    Step {
        name: "exports_end_and_come_back_with_public_access",
        run: exports_end_and_come_back_with_public_access,
    },
    Step {
        name: "its_images_are_protected_from_destroy_and_replacement",
        run: its_images_are_protected,
    },
    Step {
        name: "one_of_someone_else_is_refused_and_then_imported",
        run: one_of_someone_else_is_refused_and_then_imported,
    },
    Step {
        name: "a_taken_name_is_explained",
        run: a_taken_name_is_explained,
    },
    Step {
        name: "what_is_changed_outside_is_shown_and_repaired",
        run: what_is_changed_outside_is_shown_and_repaired,
    },
    Step {
        name: "rules_and_replicas_of_others_are_left_alone",
        run: rules_and_replicas_of_others_are_left_alone,
    },
    Step {
        name: "a_replica_without_an_address_is_refused_at_plan",
        run: a_replica_without_an_address_is_refused_at_plan,
    },
    Step {
        name: "a_tier_is_left_only_when_nothing_needs_it",
        run: a_tier_is_left_only_when_nothing_needs_it,
    },
    Step {
        name: "mistakes_are_found_without_azure_and_all_at_once",
        run: mistakes_are_found_without_azure_and_all_at_once,
    },
];

const REGISTRY: &str = "fkaks_registry.acr";
const API: &str = "2025-11-01";
const GROUP: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-app/providers";

fn id() -> String {
    format!("{GROUP}/Microsoft.ContainerRegistry/registries/fkacrprivate")
}

fn properties(session: &Session) -> Value {
    session.sandbox.get(&id(), API)["properties"].clone()
}

/// Someone changes the registry behind Terraform's back.
fn change(session: &Session, body: &Value) {
    let path = format!("/resources{}", id());
    session.sandbox.control(Method::PATCH, &path, Some(body));
}

/// The plan changes the registry in place, and after the apply nothing is left to do.
fn changes_in_place(session: &Session, sentence: &str) {
    session.plan().must(action::UPDATE, REGISTRY);
    session.apply();
    session.plan().must_be_empty(sentence);
}

fn it_is_closed_only_when_a_private_way_stands(session: &mut Session) {
    session.set("exposure", "public");
    session.apply();
    session.set("exposure", "private");
    session.run(&["plan"]).must_fail_saying(&[
        "the registry cannot be made private yet: no private way to it stands",
        "it has no private endpoint",
        "take two applies",
    ]);
    assert_eq!(properties(session)["publicNetworkAccess"], "Enabled");

    session.set("exposure", "public");
    session.set("linked", "true");
    session.apply();
    session.set("exposure", "private");
    changes_in_place(session, "the registry is closed");
    let closed = properties(session);
    assert_eq!(closed["publicNetworkAccess"], "Disabled");
    assert_eq!(closed["networkRuleSet"]["defaultAction"], "Deny");
}

fn it_is_not_closed_while_a_record_leads_elsewhere(session: &mut Session) {
    session.set("exposure", "public");
    session.set("linked", "true");
    session.apply();
    let record =
        format!("{GROUP}/Microsoft.Network/privateDnsZones/privatelink.azurecr.io/A/fkacrprivate");
    let wrong =
        json!({ "properties": { "ttl": 10, "aRecords": [{ "ipv4Address": "10.99.0.1" }] } });
    session.sandbox.put(&record, "2024-06-01", &wrong);
    session.set("exposure", "private");
    session.run(&["plan"]).must_fail_saying(&[
        "no private way to it stands",
        "fkacrprivate.azurecr.io leads to 10.99.0.1",
    ]);
    session.set("tighten_unverified", "true");
    changes_in_place(session, "the registry is closed without looking");
}

fn it_is_put_behind_its_allowlist_only_with_an_address(session: &mut Session) {
    session.set("exposure", "public");
    session.apply();
    session.set("exposure", "allowlist");
    session.run(&["plan"]).must_fail_saying(&[
        "the registry cannot be put behind its allowlist yet: no address is allowed",
        "allowed_ip_ranges = [\"203.0.113.7\"]",
    ]);
    session.set("allowed_ip_ranges", "[\"203.0.113.7/32\"]");
    changes_in_place(session, "the allowlist stands");
    let rules = &properties(session)["networkRuleSet"];
    assert_eq!(rules["defaultAction"], "Deny");
    assert_eq!(rules["ipRules"][0]["value"], "203.0.113.7");
}

fn exports_end_and_come_back_with_public_access(session: &mut Session) {
    session.set("export_policy_enabled", "false");
    session.apply();
    session.plan().must_be_empty("exports have ended");
    session.set("export_policy_enabled", "true");
    session.set("exposure", "public");
    changes_in_place(session, "exports are back");
    let open = properties(session);
    assert_eq!(open["policies"]["exportPolicy"]["status"], "enabled");
    session.set("export_policy_enabled", "false");
    session.set("exposure", "private");
    session.set("tighten_unverified", "true");
    changes_in_place(session, "exports have ended together with public access");
}

fn its_images_are_protected(session: &mut Session) {
    session.set("deletion_protection", "true");
    session.apply();
    let refusal = [
        "fkaks_registry is protected from deletion",
        "deletion_protection = false",
    ];
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&refusal);
    session.set("location", "northeurope");
    session.run(&["plan"]).must_fail_saying(&refusal);
    session.set("location", "westeurope");
    session.run(&["taint", REGISTRY]).must_succeed();
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&refusal);
    session.run(&["untaint", REGISTRY]).must_succeed();
    assert!(!session.sandbox.get(&id(), API).is_null(), "it stands");

    session.set("deletion_protection", "false");
    session.apply();
    session.set("location", "northeurope");
    session.plan().must(action::REPLACE, REGISTRY);
    session.apply();
    assert_eq!(session.sandbox.get(&id(), API)["location"], "northeurope");
}

fn one_of_someone_else_is_refused_and_then_imported(session: &mut Session) {
    session.set("georeplications", "{ northeurope = {} }");
    session.set("tags", "{ env = \"test\" }");
    session.apply();
    session.forget(REGISTRY);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "registry fkacrprivate cannot be created: it exists already",
        "to = fkaks_registry.example",
        &id(),
    ]);
    // As it stands in portals and scripts, in any case.
    session.import(REGISTRY, &id().replace("resourceGroups", "resourcegroups"));
    let owned = session.state(REGISTRY)["objects"].clone();
    assert!(
        owned["replications"][0].is_string(),
        "an import owns the replicas: {owned}"
    );
    assert_eq!(session.state(REGISTRY)["deletion_protection"], true);
    session.apply();
    session
        .plan()
        .must_be_empty("an import converges in one apply");
}

fn a_taken_name_is_explained(session: &mut Session) {
    session.set("name", "fkacrtaken");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "registry fkacrtaken cannot be created",
        "choose another name",
        "az acr check-name --name fkacrtaken",
    ]);
}

fn what_is_changed_outside_is_shown_and_repaired(session: &mut Session) {
    session.set("linked", "true");
    session.set("georeplications", "{ northeurope = {} }");
    session.apply();
    change(
        session,
        &json!({ "properties": { "publicNetworkAccess": "Enabled", "adminUserEnabled": true } }),
    );
    changes_in_place(session, "switches are put back");
    let properties = properties(session);
    assert_eq!(properties["publicNetworkAccess"], "Disabled");
    assert_eq!(properties["adminUserEnabled"], false);

    session
        .sandbox
        .delete(&format!("{}/replications/northeurope", id()), API);
    let plan = session.plan();
    plan.must(action::UPDATE, REGISTRY);
    assert!(
        plan.words().contains("replication was deleted outside"),
        "{}",
        plan.words()
    );
    session.apply();
    session.run(&["refresh"]).must_succeed();
    session.plan().must_be_empty("the replica is back");
}

fn rules_and_replicas_of_others_are_left_alone(session: &mut Session) {
    session.set("exposure", "public");
    session.apply();
    change(
        session,
        &json!({ "properties": { "networkRuleSet": {
            "defaultAction": "Allow", "ipRules": [{ "action": "Allow", "value": "203.0.113.9" }]
        } } }),
    );
    let replica = format!("{}/replications/uksouth", id());
    session.sandbox.put(
        &replica,
        API,
        &json!({ "location": "uksouth", "properties": {} }),
    );
    let plan = session.plan();
    plan.must_be_empty("rules and replicas of others are no change");
    assert!(
        plan.words()
            .contains("has replicas that this resource did not make"),
        "{}",
        plan.words()
    );
    // Rules that others made are enough to go behind the allowlist, and stay.
    session.set("exposure", "allowlist");
    changes_in_place(session, "the rules of others stay");
    assert_eq!(
        properties(session)["networkRuleSet"]["ipRules"][0]["value"],
        "203.0.113.9"
    );
    session.set("allowed_ip_ranges", "[\"203.0.113.7\"]");
    changes_in_place(session, "rules that are managed are exactly those");
    let rules = |session: &Session| -> Vec<Value> {
        let rules = properties(session)["networkRuleSet"]["ipRules"].clone();
        rules
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["value"].clone())
            .collect()
    };
    assert_eq!(rules(session), ["203.0.113.7"]);
    // Someone adds one, and the argument is left out from now on: ours goes, theirs stays.
    change(
        session,
        &json!({ "properties": { "networkRuleSet": { "defaultAction": "Deny", "ipRules": [
            { "action": "Allow", "value": "203.0.113.7" }, { "action": "Allow", "value": "203.0.113.9" }
        ] } } }),
    );
    session.set("allowed_ip_ranges", "null");
    session
        .run(&["apply", "-auto-approve", "-refresh=false"])
        .must_succeed();
    assert_eq!(rules(session), ["203.0.113.9"]);
    assert!(
        !session.sandbox.get(&replica, API).is_null(),
        "the replica of others stands"
    );

    session.set("georeplications", "{ uksouth = {} }");
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&["replication uksouth cannot be created: it exists already"]);
    session.set("georeplications", "null");
}

fn a_replica_without_an_address_is_refused_at_plan(session: &mut Session) {
    session.set("linked", "true");
    session.set("subnet", "narrow");
    session.apply();
    session.set("georeplications", "{ northeurope = {}, uksouth = {} }");
    session.run(&["plan"]).must_fail_saying(&[
        "a subnet has no free address for the new replicas",
        "has 1 free, needs 2",
    ]);
    session.set("georeplications", "{ northeurope = {} }");
    session.apply();
    session.run(&["refresh"]).must_succeed();
    let link = session.state("fkaks_private_registry_link.acr[0]");
    assert_eq!(link["endpoints"].as_object().unwrap().len(), 3);
}

fn a_tier_is_left_only_when_nothing_needs_it(session: &mut Session) {
    session.set("exposure", "public");
    session.set("linked", "true");
    session.set("georeplications", "{ northeurope = {} }");
    session.set("data_endpoint_enabled", "true");
    session.apply();
    session.set("sku", "Standard");
    session.set("georeplications", "null");
    session.set("data_endpoint_enabled", "false");
    session.run(&["plan"]).must_fail_saying(&[
        "the registry cannot go from Premium to Standard: it uses what only Premium has",
        "a private endpoint",
    ]);
    session.set("sku", "Premium");
    session.set("linked", "false");
    session.set("georeplications", "{ northeurope = {} }");
    session.set("data_endpoint_enabled", "true");
    session.apply();
    // All of it goes in one apply, in Azure's order.
    session.set("sku", "Basic");
    session.set("georeplications", "null");
    session.set("data_endpoint_enabled", "false");
    changes_in_place(session, "the tier is lower");
    session.set("sku", "Premium");
    session.set("retention_policy_in_days", "7");
    changes_in_place(session, "the tier is back, and what needs it came after");
}

fn mistakes_are_found_without_azure_and_all_at_once(session: &mut Session) {
    session.sandbox.forget_requests();
    session.write(
        "bad.tf",
        r#"
        resource "fkaks_registry" "bad" {
          name                     = "my-registry"
          resource_group_id        = fkaks_resource_group.app.id
          location                 = "westeurope"
          sku                      = "Basic"
          allowed_ip_ranges        = ["203.0.113.7/24", "10.0.0.0/8"]
          retention_policy_in_days = 400
          georeplications          = { "West Europe" = {} }
        }
        "#,
    );
    session.run(&["validate"]).must_fail_saying(&[
        "letters and digits",
        "a Basic registry is always public",
        "203.0.113.0/24",
        "private range",
        "retention_policy_in_days",
        "a Basic registry has no georeplications",
        "is the registry's own region",
    ]);
    session.remove("bad.tf");
    assert_eq!(session.sandbox.requests().len(), 0, "Azure was asked");
}
