#![allow(clippy::unwrap_used)]

mod checks;

use serde_json::json;

use super::*;
use crate::provider::parts::{Evidence, Wanted, check_writable, differ};

const SUB: &str = "00000000-0000-0000-0000-000000000001";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-images")
}

fn registry(name: &str) -> ArmId {
    group().resource(REGISTRY, name)
}

fn arguments(change: &Json) -> Json {
    let mut arguments =
        json!({"scope_id": group(), "name": "fkaks", "role_assignment_enabled": true});
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

fn input(change: &Json) -> Input {
    serde_json::from_value(arguments(change)).unwrap()
}

fn policy(effect: &str) -> Json {
    json!({"effect": effect, "enforcement_enabled": true})
}

fn modifying() -> Json {
    let mut policy = policy("Modify");
    policy["remediate"] = json!(true);
    json!({"admin_account_off": policy})
}

fn nothing_there(ids: impl IntoIterator<Item = ArmId>) -> Seen {
    let scope = (group(), Some(json!({"location": "West Europe"})));
    Seen::of(ids.into_iter().map(|id| (id, None)).chain([scope]))
}

fn body(wanted: &Wanted) -> Json {
    let body = wanted.body.clone().unwrap();
    check_writable(&wanted.id, &body).unwrap();
    body
}

#[test]
fn each_policy_is_assigned_with_its_own_effect_message_and_exclusions() {
    let mut denying = policy("Deny");
    denying["message"] = json!("No open registries.");
    denying["excluded_scope_ids"] = json!([registry("old")]);
    let mut silent = policy("Audit");
    silent["enforcement_enabled"] = json!(false);
    let input = input(&json!({"unrestricted_network_access": denying, "private_link": silent}));
    let seen = nothing_there(Kind::ALL.map(|kind| input.assignment_id(kind)));
    let wants = objects::assignments(&input, &seen).unwrap();
    assert_eq!(wants.len(), 2);
    assert_eq!(wants[0].id.name(), "fkaks-network");
    let first = body(&wants[0]);
    assert_eq!(
        first["properties"]["parameters"],
        json!({"effect": {"value": "Deny"}})
    );
    assert_eq!(
        first["properties"]["nonComplianceMessages"],
        json!([{"message": "No open registries."}])
    );
    assert_eq!(first["properties"]["notScopes"], json!([registry("old")]));
    assert_eq!(first["properties"]["enforcementMode"], "Default");
    assert!(first.get("identity").is_none() && first.get("location").is_none());
    let second = body(&wants[1]);
    assert_eq!(second["properties"]["enforcementMode"], "DoNotEnforce");
    assert!(
        second["properties"]["policyDefinitionId"]
            .as_str()
            .unwrap()
            .ends_with("e8eef0a8-67cf-4eb4-9386-14b0e78733d4")
    );
}

#[test]
fn the_policy_that_changes_registries_has_an_identity_where_the_scope_is() {
    let input = input(&modifying());
    let id = input.assignment_id(Kind::AdminAccountOff);
    let wanted = objects::assignments(&input, &nothing_there([id]))
        .unwrap()
        .remove(0);
    let body = body(&wanted);
    assert_eq!(body["identity"], json!({"type": "SystemAssigned"}));
    assert_eq!(body["location"], "westeurope");
}

#[test]
fn a_given_identity_replaces_another_one_in_the_spelling_that_it_has_there() {
    let identity = group().resource("Microsoft.ManagedIdentity/userAssignedIdentities", "Policy");
    let mut arguments = modifying();
    arguments["identity_id"] = json!(identity);
    let input = input(&arguments);
    let id = input.assignment_id(Kind::AdminAccountOff);
    let other = identity.as_str().replace("Policy", "other");
    let found = json!({"location": "westeurope", "identity": {"userAssignedIdentities": {
        other.as_str(): {"clientId": "c"}
    }}});
    let mut seen = nothing_there([]);
    seen.insert(&id, found.clone());
    let wanted = objects::assignments(&input, &seen).unwrap().remove(0);
    assert!(wanted.rewrite.as_ref().unwrap().contains("is not assigned"));
    let body = wanted.body.clone().unwrap();
    let users = &body["identity"]["userAssignedIdentities"];
    assert_eq!(users[identity.as_str()], json!({}));
    assert_eq!(users[other.as_str()], Json::Null);
    let lower = identity.as_str().to_lowercase();
    seen.insert(
        &id,
        json!({"location": "westeurope", "identity": {"type": "UserAssigned", "userAssignedIdentities": {
            lower.as_str(): {"clientId": "c", "principalId": "p"}
        }}}),
    );
    let wanted = objects::assignments(&input, &seen).unwrap().remove(0);
    assert_eq!(wanted.rewrite, None);
    let body = wanted.body.clone().unwrap();
    assert_eq!(
        differ(&wanted, &body["identity"], &seen_identity(&seen, &id)),
        []
    );
}

fn seen_identity(seen: &Seen, id: &ArmId) -> Json {
    seen.look(id).unwrap().found().unwrap()["identity"].clone()
}

#[test]
fn exactly_the_role_that_the_policy_needs_is_given_to_its_identity_at_the_scope() {
    let input = input(&modifying());
    let id = input.assignment_id(Kind::AdminAccountOff);
    let foreseen = objects::grants(&input, &Seen::default());
    assert!(
        foreseen.is_err(),
        "the identity is not known before the assignment"
    );
    let mut seen = nothing_there([]);
    seen.insert(&id, json!({"identity": {"principalId": "p-1"}}));
    let wanted = objects::grants(&input, &seen).unwrap().remove(0);
    assert_eq!(wanted.id.parent(), Some(group()));
    let body = body(&wanted);
    assert_eq!(body["properties"]["principalId"], "p-1");
    assert_eq!(body["properties"]["principalType"], "ServicePrincipal");
    let role = body["properties"]["roleDefinitionId"].as_str().unwrap();
    assert!(role.ends_with(policies::CONTRIBUTOR), "{role}");
    let mut arguments = modifying();
    arguments["role_assignment_enabled"] = json!(false);
    let without = tests::input(&arguments);
    assert!(objects::grants(&without, &seen).unwrap().is_empty());
    let auditing = tests::input(&json!({"admin_account": policy("Audit")}));
    assert!(objects::grants(&auditing, &seen).unwrap().is_empty());
}

#[test]
fn a_given_identity_that_has_the_role_already_gets_it_from_nobody_else() {
    let identity = group().resource("Microsoft.ManagedIdentity/userAssignedIdentities", "policy");
    let mut arguments = modifying();
    arguments["identity_id"] = json!(identity);
    let input = input(&arguments);
    let question =
        "providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'p-2'";
    let world = |list: Vec<Json>| {
        let mut seen = nothing_there([]).with_list(&group(), question, list);
        seen.insert(&identity, json!({"properties": {"principalId": "p-2"}}));
        seen
    };
    assert_eq!(
        objects::grants(&input, &world(Vec::new())).unwrap().len(),
        1
    );
    let role = format!(
        "/x/roleDefinitions/{}",
        policies::CONTRIBUTOR.to_uppercase()
    );
    let theirs = json!({"id": "/theirs", "properties": {"roleDefinitionId": role}});
    assert!(
        objects::grants(&input, &world(vec![theirs]))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_exemption_is_an_object_for_each_policy_that_it_names() {
    let exempt = |policies: Json| {
        json!({
            "admin_account": policy("Deny"), "exports": policy("Audit"),
            "exemptions": {"build": {
                "scope_id": registry("build"), "policies": policies, "category": "Waiver",
                "expires_on": "2027-01-31T00:00:00Z", "reason": "Moves in January."
            }}
        })
    };
    let all = input(&exempt(Json::Null));
    let ids = [Kind::AdminAccount, Kind::Exports].map(|kind| {
        let exemption = &all.exemptions.as_ref().unwrap()["build"];
        all.exemption_id("build", exemption, kind)
    });
    let seen = nothing_there(ids.clone());
    let wants = objects::exemptions(&all, &seen).unwrap();
    let names: Vec<&str> = wants.iter().map(|wanted| wanted.id.name()).collect();
    assert_eq!(names, ["fkaks-admin-build", "fkaks-exports-build"]);
    assert_eq!(wants[0].id.parent(), Some(registry("build")));
    let one = body(&wants[0]);
    assert_eq!(
        one["properties"]["policyAssignmentId"],
        json!(all.assignment_id(Kind::AdminAccount))
    );
    assert_eq!(one["properties"]["description"], "Moves in January.");
    let some = input(&exempt(json!(["exports"])));
    assert_eq!(objects::exemptions(&some, &seen).unwrap().len(), 1);
    // Azure adds a fraction to the time.
    let mut there = nothing_there(ids.clone());
    let mut found = one.clone();
    found["properties"]["expiresOn"] = json!("2027-01-31T00:00:00.0000000Z");
    there.insert(&ids[0], found.clone());
    let wanted = objects::exemptions(&all, &there).unwrap().remove(0);
    assert_eq!(differ(&wanted, &wanted.body.clone().unwrap(), &found), []);
}

#[test]
fn a_remediation_is_waited_for_and_evaluates_anew_where_azure_can() {
    let input = input(&modifying());
    let wanted = objects::remediations(&input, &Seen::default())
        .unwrap()
        .remove(0);
    assert_eq!(
        body(&wanted)["properties"]["resourceDiscoveryMode"],
        "ReEvaluateCompliance"
    );
    let mut seen = nothing_there([]);
    seen.insert(
        &wanted.id,
        json!({"properties": {"provisioningState": "Evaluating"}}),
    );
    let Ok(Evidence::UnderWay(why)) = objects::remediated(&input, &seen) else {
        panic!("it should wait");
    };
    assert!(why.contains("is Evaluating"), "{why}");
    seen.insert(
        &wanted.id,
        json!({"properties": {"provisioningState": "Succeeded"}}),
    );
    assert_eq!(objects::remediated(&input, &seen), Ok(Evidence::Done));
    let mut corp = modifying();
    corp["scope_id"] = json!("/providers/Microsoft.Management/managementGroups/corp");
    let wanted = objects::remediations(&tests::input(&corp), &Seen::default()).unwrap();
    assert_eq!(
        body(&wanted[0])["properties"]["resourceDiscoveryMode"],
        "ExistingNonCompliant"
    );
}

#[test]
fn the_rules_are_those_of_the_definitions() {
    let of = |properties: Json| json!({"properties": properties});
    let open = of(json!({}));
    let allowlist =
        of(json!({"publicNetworkAccess": "Enabled", "networkRuleSet": {"defaultAction": "Deny"}}));
    let private = of(json!({
        "publicNetworkAccess": "Disabled", "networkRuleSet": {"defaultAction": "Allow"},
        "policies": {"exportPolicy": {"status": "disabled"}},
        "privateEndpointConnections": [{"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]
    }));
    let admin = of(json!({"adminUserEnabled": true}));
    let met = |registry: &Json| Kind::ALL.map(|kind| kind.is_met_by(registry));
    assert_eq!(met(&open), [false, false, false, true, true, false]);
    assert_eq!(met(&allowlist), [true, false, false, true, true, false]);
    assert_eq!(met(&private), [true, true, true, true, true, true]);
    assert_eq!(met(&admin), [false, false, false, false, false, false]);
}

#[test]
fn compliance_counts_registries_and_names_those_that_do_not_meet_it() {
    let state = |name: &str, state: &str| json!({"resourceId": registry(name).as_str().to_lowercase(), "complianceState": state});
    let other = json!({"resourceId": group().resource("Microsoft.Network/virtualNetworks", "v"),
        "complianceState": "NonCompliant"});
    let states = json!({"value": [
        state("a", "Compliant"), state("b", "NonCompliant"), state("c", "Exempt"), other
    ]});
    let found = Compliance::of(&states);
    assert_eq!(
        (found.compliant, found.non_compliant, found.exempt),
        (1, 1, 1)
    );
    assert_eq!(found.non_compliant_ids, [registry("b")].into());
}

#[test]
fn what_is_assigned_shows_in_the_arguments_and_compliance_beside_it() {
    let input = input(&json!({"admin_account": policy("Deny")}));
    let id = input.assignment_id(Kind::AdminAccount);
    let found = json!({"properties": {
        "parameters": {"effect": {"value": "Audit"}}, "enforcementMode": "DoNotEnforce",
        "nonComplianceMessages": [{"message": "m"}], "notScopes": [registry("x")]
    }});
    let states =
        json!({"value": [{"resourceId": registry("b"), "complianceState": "NonCompliant"}]});
    let mut seen =
        nothing_there([]).with_answer(compliance::question(&input, Kind::AdminAccount), states);
    seen.insert(&id, found);
    let observed = RegistryGuardrails::observe(&group(), Some(&input), &seen).unwrap();
    let shown = observed.input.admin_account.unwrap();
    assert_eq!(
        (shown.effect.as_str(), shown.enforcement_enabled),
        ("Audit", false)
    );
    assert_eq!(shown.message.as_deref(), Some("m"));
    assert_eq!(shown.excluded_scope_ids, Some([registry("x")].into()));
    assert_eq!(observed.output.compliance["admin_account"].non_compliant, 1);
    assert_eq!(observed.output.assignment_ids["admin_account"], id);
}

#[test]
fn an_import_takes_over_all_that_begin_alike() {
    let assigned = |name: &str, kind: Kind, effect: &str| {
        json!({
            "id": group().resource(ASSIGNMENT, name), "location": "westeurope",
            "properties": {
                "policyDefinitionId": kind.definition_id(),
                "parameters": {"effect": {"value": effect}}, "enforcementMode": "Default"
            }
        })
    };
    let list = vec![
        assigned("corp-admin-off", Kind::AdminAccountOff, "Modify"),
        assigned("corp-exports", Kind::Exports, "Deny"),
        assigned("other-exports", Kind::Exports, "Audit"),
    ];
    let start = json!({"objects": {PART: [group().resource(ASSIGNMENT, "corp-exports")]}});
    let exemption = json!({
        "id": registry("build").resource(EXEMPTION, "corp-exports-build"),
        "properties": {
            "policyAssignmentId": group().resource(ASSIGNMENT, "corp-exports"),
            "exemptionCategory": "Waiver", "description": "why"
        }
    });
    let named = input(&json!({"name": "corp"}));
    let mut seen = nothing_there([objects::remediation_id(&named, Kind::AdminAccountOff)])
        .with_prior(start)
        .with_list(&group(), &format!("providers/{EXEMPTION}"), vec![exemption])
        .with_list(
            &group(),
            &format!("providers/{ASSIGNMENT}?$filter=atExactScope()"),
            list.clone(),
        );
    for assignment in &list {
        let id = ArmId::parse(assignment["id"].as_str().unwrap()).unwrap();
        seen.insert(&id, assignment.clone());
    }
    for kind in [Kind::AdminAccountOff, Kind::Exports] {
        seen = seen.with_answer(compliance::question(&named, kind), json!({"value": []}));
    }
    let observed = RegistryGuardrails::observe(&group(), None, &seen).unwrap();
    let found = observed.input;
    assert_eq!(found.name, "corp");
    assert_eq!(found.exports.unwrap().effect, "Deny");
    assert_eq!(found.admin_account_off.unwrap().remediate, Some(false));
    assert_eq!(found.location.as_deref(), Some("westeurope"));
    let exempt = &found.exemptions.unwrap()["build"];
    assert_eq!(exempt.policies, Some(["exports".to_owned()].into()));
    assert_eq!(exempt.scope_id, registry("build"));
}

#[test]
fn every_suffix_fits_where_names_are_shortest() {
    let longest = Kind::ALL
        .iter()
        .map(|kind| kind.facts().suffix.len() + 1)
        .max();
    assert_eq!(longest, Some(policies::LONGEST_SUFFIX));
    assert!(
        Kind::ALL
            .iter()
            .all(|kind| Kind::of(kind.facts().argument) == Some(*kind))
    );
}
