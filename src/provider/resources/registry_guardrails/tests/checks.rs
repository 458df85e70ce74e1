//! What is found wrong, or told, before anything is made.

use super::*;
use crate::provider::parts::check_alone;

const LIST: &str = "providers/Microsoft.ContainerRegistry/registries";
const PERMISSIONS: &str = "providers/Microsoft.Authorization/permissions";

fn planned(change: &Json) -> Value {
    schema::SCHEMA.value_from_json(&arguments(change)).unwrap()
}

fn shown(found: &Diagnostics) -> String {
    let lines = found.iter().map(|one| format!("{one:?}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn told(change: &Json, registries: Vec<Json>) -> String {
    let input = input(change);
    let grant = objects::grant_id(&input, Kind::AdminAccountOff, policies::CONTRIBUTOR);
    let reader = json!({"actions": ["*/read"], "notActions": []});
    let seen = nothing_there([grant])
        .with_list(&group(), LIST, registries)
        .with_list(&group(), PERMISSIONS, vec![reader]);
    shown(&check_alone::<RegistryGuardrails>(&planned(change), None, &seen).unwrap())
}

#[test]
fn the_plan_warns_of_registries_whose_next_change_would_be_denied() {
    let open = json!({"id": registry("open"), "properties": {}});
    let deny = json!({"unrestricted_network_access": policy("Deny")});
    let found = told(&deny, vec![open.clone()]);
    assert!(
        found.contains("Warning") && found.contains("registries/open"),
        "{found}"
    );
    assert!(found.contains("exposure = "), "{found}");
    let audit = json!({"unrestricted_network_access": policy("Audit")});
    assert_eq!(told(&audit, vec![open.clone()]), "");
    let mut exempt = deny.clone();
    exempt["exemptions"] = json!({"open": {
        "scope_id": registry("OPEN"), "category": "Waiver", "reason": "r"
    }});
    assert_eq!(told(&exempt, vec![open.clone()]), "");
    let mut excluded = deny;
    excluded["unrestricted_network_access"]["excluded_scope_ids"] = json!([registry("open")]);
    assert_eq!(told(&excluded, vec![open]), "");
}

#[test]
fn the_plan_tells_of_admin_users_that_go_and_of_a_caller_who_may_not_assign_roles() {
    let admin = json!({"id": registry("old"), "properties": {"adminUserEnabled": true}});
    let found = told(&modifying(), vec![admin]);
    assert!(
        found.contains("the admin user of registries at the scope is turned off"),
        "{found}"
    );
    assert!(
        found.contains("may not assign roles at the scope"),
        "{found}"
    );
    assert!(found.contains("role_assignment_enabled = false"), "{found}");
}

#[test]
fn mistakes_without_azure_are_all_told_at_once() {
    let told = |change: &Json| {
        let mut diagnostics = Diagnostics::new();
        RegistryGuardrails::validate(&planned(change), &mut diagnostics);
        shown(&diagnostics)
    };
    assert!(told(&json!({})).contains("no policy is assigned"));
    let mut wrong = modifying();
    wrong["scope_id"] = json!(ArmId::subscription(SUB));
    wrong["admin_account_off"]["effect"] = json!("Disabled");
    wrong["exemptions"] = json!({"x": {
        "scope_id": "/subscriptions/00000000-0000-0000-0000-000000000002", "policies": ["exports"],
        "category": "Waiver", "reason": "r"
    }});
    let found = told(&wrong);
    for part in [
        "needs a region",
        "remediates nothing",
        "lies outside",
        "exports is exempted from and not assigned",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let mut corp = modifying();
    corp["scope_id"] = json!("/providers/Microsoft.Management/managementGroups/corp");
    corp["location"] = json!("westeurope");
    corp["name"] = json!("corporate-rules");
    let found = told(&corp);
    assert!(found.contains("characters at most"), "{found}");
    assert!(check::instant("2027-01-31T00:00:00Z").is_ok());
    assert!(check::instant("2027-13-31T00:00:00Z").is_err() && check::instant("tomorrow").is_err());
    assert!(check::word("-a").is_err() && check::scope_id(registry("a").as_str()).is_ok());
    let network = group().resource("Microsoft.Network/virtualNetworks", "v");
    assert!(check::scope_id(network.as_str()).is_err());
}
