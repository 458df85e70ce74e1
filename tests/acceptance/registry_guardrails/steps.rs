//! Policies at a group: what a denial would stop, an exemption, the one that changes registries, and import.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "the_plan_warns_of_what_would_be_denied_and_an_exemption_ends_it",
        run: denied,
    },
    Step {
        name: "the_admin_user_is_turned_off_with_exactly_the_role_that_it_takes",
        run: modified,
    },
    Step {
        name: "an_assignment_that_vanished_or_was_changed_is_drift_and_comes_back",
        run: drift,
    },
    Step {
        name: "the_effects_are_those_of_each_policy",
        run: effects,
    },
    Step {
        name: "assignments_are_imported_by_one_of_them_and_by_the_scope",
        run: import,
    },
];

const RULES: &str = "fkaks_registry_guardrails.images";
const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images";
const VERSION: &str = "2025-03-01";

fn open() -> String {
    format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacropen")
}

fn assignment(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Authorization/policyAssignments/{name}")
}

fn denied(session: &mut Session) {
    session.apply();
    session.set("effect", "Deny");
    session.run(&["plan"]).must_say(&[
        "registries at the scope would be denied their next change",
        "fkacropen",
    ]);
    session.apply();
    session.plan().must_be_empty("a denial");
    session.set("exempt", "true");
    session.apply();
    let shown = session.state(RULES)["objects"]["exemptions"].clone();
    let id = shown[0].as_str().unwrap();
    assert!(
        id.starts_with(&open()) && id.ends_with("fkaks-network-open"),
        "{id}"
    );
    session.plan().must_be_empty("an exemption");
    session.set("exempt", "false");
    session.apply();
    assert!(!session.sandbox.resources().contains(id));
}

fn modified(session: &mut Session) {
    session.set("admin_off", "true");
    session
        .run(&["plan"])
        .must_say(&["the admin user of registries at the scope is turned off"]);
    session.apply();
    let shown = session.state(RULES);
    assert_eq!(
        shown["principal_id"].as_str().map(str::len),
        Some(36),
        "{shown}"
    );
    let grant = shown["objects"]["grants"][0].as_str().unwrap().to_owned();
    let grant = session.sandbox.get(&grant, "2022-04-01");
    let role = grant["properties"]["roleDefinitionId"].as_str().unwrap();
    assert!(
        role.ends_with("b24988ac-6180-42a0-ab88-20f7382dd24c"),
        "{role}"
    );
    assert_eq!(grant["properties"]["principalId"], shown["principal_id"]);
    let registry = session.sandbox.get(&open(), "2025-11-01");
    assert_eq!(registry["properties"]["adminUserEnabled"], false);
    session.plan().must_be_empty("a remediation");
    session.set("admin_off", "false");
    session.apply();
    assert!(session.state(RULES)["objects"]["grants"].is_null());
}

fn drift(session: &mut Session) {
    session.apply();
    let id = assignment("fkaks-network");
    session.sandbox.delete(&id, VERSION);
    session.plan().must(action::UPDATE, RULES);
    session
        .run(&["plan"])
        .must_say(&["policy assignment was deleted outside"]);
    session.apply();
    let mut changed = session.sandbox.get(&id, VERSION);
    let edit = json!({ "properties": {
        "policyDefinitionId": changed["properties"]["policyDefinitionId"].take(),
        "parameters": { "effect": { "value": "Disabled" } },
    } });
    session.sandbox.put(&id, VERSION, &edit);
    session.run(&["plan"]).must_say(&["Disabled", "Audit"]);
    session.apply();
    session.plan().must_be_empty("rules that were mended");
}

fn effects(session: &mut Session) {
    session.write(
        "wrong.tf",
        "resource \"fkaks_registry_guardrails\" \"wrong\" {\n  scope_id = local.group\n  name = \"wrong\"\n  \
         private_link = { effect = \"Deny\" }\n  admin_account_off = { effect = \"Audit\" }\n}\n",
    );
    session
        .run(&["validate"])
        .must_fail_saying(&["private_link", "admin_account_off", "Modify"]);
    session.remove("wrong.tf");
}

fn import(session: &mut Session) {
    session.apply();
    session.forget(RULES);
    session.import(RULES, &assignment("fkaks-private-link"));
    session.plan().must_be_empty("an import by an assignment");
    session.forget(RULES);
    session.import(RULES, GROUP);
    session.plan().must_be_empty("an import by the scope");
    session.destroy();
    assert!(
        !session
            .sandbox
            .resources()
            .contains(&assignment("fkaks-network"))
    );
}
