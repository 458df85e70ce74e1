//! The objects that guardrails are made of: policy assignments, the role of the one that changes
//! registries, exemptions, and a remediation of what stood before.
//!
//! Sources: Microsoft.Authorization 2025-03-01 (assignments) and 2022-07-01-preview (exemptions),
//! Microsoft.PolicyInsights 2024-10-01.

use serde_json::json;
use uuid::Uuid;

use super::policies::Kind;
use super::{ASSIGNMENT, EXEMPTION, Exemption, Input, MANAGEMENT_GROUP, Policy};
use crate::arm::{ArmId, Json, normalize};
use crate::provider::parts::{Evidence, Look, Seen, Unread, Wanted};

/// The ARM type of role assignments.
const ROLE_ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
/// The ARM type of remediations.
const REMEDIATION: &str = "Microsoft.PolicyInsights/remediations";

/// The namespace of the names that role assignments of this resource get.
const NAMES: Uuid = Uuid::from_u128(0x2c9d_1e54_7b0a_5f3e_8d42_66a1_90f7_c318);

/// The assignments, one for each policy.
pub fn assignments(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let wanted = input.policies().map(|(kind, policy)| {
        let id = input.assignment_id(kind);
        let look = seen.look(&id).map(Look::found);
        let rewrite = match &look {
            Ok(Some(found)) => unassigned(input, kind, found),
            _ => None,
        };
        let body = look.and_then(|found| assignment(input, kind, policy, found, seen));
        Wanted::new(id, body)
            .immutable(&["/location", "/properties/policyDefinitionId"])
            .rewrite(rewrite)
            .argument(kind.facts().argument)
    });
    Ok(wanted.collect())
}

fn assignment(
    input: &Input,
    kind: Kind,
    policy: &Policy,
    found: Option<&Json>,
    seen: &Seen,
) -> Result<Json, Unread> {
    let facts = kind.facts();
    let messages = policy
        .message
        .iter()
        .map(|message| json!({"message": message}));
    let mut body = json!({"properties": {
        "policyDefinitionId": kind.definition_id(),
        "displayName": facts.title,
        "enforcementMode": if policy.enforcement_enabled { "Default" } else { "DoNotEnforce" },
        "parameters": {"effect": {"value": policy.effect}},
        "nonComplianceMessages": messages.collect::<Vec<_>>(),
        "notScopes": policy.excluded_scope_ids.iter().flatten().collect::<Vec<_>>(),
    }});
    if facts.role.is_some() {
        body["location"] = json!(location(input, seen)?);
        body["identity"] = identity(input, found);
    }
    Ok(body)
}

/// The identity of an assignment that changes registries, and no other: in the spelling that a given
/// one has there.
fn identity(input: &Input, found: Option<&Json>) -> Json {
    let Some(own) = &input.identity_id else {
        return json!({"type": "SystemAssigned"});
    };
    let there = found.and_then(|found| found["identity"]["userAssignedIdentities"].as_object());
    let mut users = serde_json::Map::new();
    let mut spelled = own.as_str();
    for (id, _) in there.into_iter().flatten() {
        if id.eq_ignore_ascii_case(own.as_str()) {
            spelled = id;
        } else {
            users.insert(id.clone(), Json::Null);
        }
    }
    users.insert(spelled.to_owned(), json!({}));
    json!({"type": "UserAssigned", "userAssignedIdentities": users})
}

/// Why the identity must be written, where it is missing: its body is empty, so that comparing bodies
/// cannot tell.
fn unassigned(input: &Input, kind: Kind, found: &Json) -> Option<String> {
    let own = input.identity_id.as_ref()?;
    kind.facts().role?;
    let there = found["identity"]["userAssignedIdentities"].as_object();
    let mut there = there.into_iter().flatten();
    let is_there = there.any(|(id, _)| id.eq_ignore_ascii_case(own.as_str()));
    (!is_there).then(|| {
        let name = input.assignment_name(kind);
        format!("policy assignment {name}: the identity {own} is not assigned")
    })
}

/// Where the identity of an assignment lives: as the user says, or where the scope is.
fn location(input: &Input, seen: &Seen) -> Result<String, Unread> {
    if let Some(location) = &input.location {
        return Ok(normalize(location));
    }
    Ok(match seen.look(&input.scope_id)? {
        Look::Found(scope) => normalize(scope["location"].as_str().unwrap_or_default()),
        Look::Absent | Look::Denied(_) => String::new(),
    })
}

/// Exactly the role that a policy needs to change registries, at the scope of its assignment.
pub fn grants(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let mut wants = Vec::new();
    for (kind, _) in input.policies() {
        let Some(role) = kind.facts().role.filter(|_| input.role_assignment_enabled) else {
            continue;
        };
        let id = grant_id(input, kind, role);
        let principal = principal(input, kind, seen);
        if let (Some(_), Some(principal)) = (&input.identity_id, principal.clone()?)
            && given_by_others(input, &id, role, &principal, seen)?
        {
            continue;
        }
        let body = principal.map(|principal| {
            let name = input.assignment_name(kind);
            json!({"properties": {
                "roleDefinitionId": role_id(&input.scope_id, role),
                "principalId": principal,
                "principalType": "ServicePrincipal",
                "description": format!("fkaks_registry_guardrails: {name}"),
            }})
        });
        let wanted = Wanted::new(id, body).immutable(&[
            "/properties/principalId",
            "/properties/principalType",
            "/properties/roleDefinitionId",
        ]);
        wants.push(wanted.argument(kind.facts().argument));
    }
    Ok(wants)
}

/// The id of the role assignment for a policy that changes registries.
pub fn grant_id(input: &Input, kind: Kind, role: &str) -> ArmId {
    let subject = format!("{}|{role}", input.assignment_id(kind));
    let name = Uuid::new_v5(&NAMES, subject.to_lowercase().as_bytes());
    input.scope_id.resource(ROLE_ASSIGNMENT, &name.to_string())
}

fn role_id(scope: &ArmId, role: &str) -> String {
    let rest = format!("providers/Microsoft.Authorization/roleDefinitions/{role}");
    if scope.is(MANAGEMENT_GROUP) {
        format!("/{rest}")
    } else {
        format!("{}/{rest}", ArmId::subscription(scope.subscription_id()))
    }
}

/// The object id of the identity with which a policy changes registries.
///
/// # Errors
/// [`Unread`] while it is not known.
pub fn principal(input: &Input, kind: Kind, seen: &Seen) -> Result<Option<String>, Unread> {
    let (look, at) = match &input.identity_id {
        Some(identity) => (seen.look(identity)?, "/properties/principalId"),
        None => (
            seen.look(&input.assignment_id(kind))?,
            "/identity/principalId",
        ),
    };
    let found = look.found().and_then(|found| found.pointer(at));
    Ok(found.and_then(Json::as_str).map(str::to_owned))
}

/// Whether a given identity has the role at the scope already, so that Azure would refuse a second
/// assignment of it.
fn given_by_others(
    input: &Input,
    own: &ArmId,
    role: &str,
    principal: &str,
    seen: &Seen,
) -> Result<bool, Unread> {
    let question = format!("providers/{ROLE_ASSIGNMENT}?$filter=principalId%20eq%20'{principal}'");
    let list = seen.list(&input.scope_id, &question)?.found();
    Ok(list.unwrap_or_default().iter().any(|assignment| {
        let id = assignment["id"].as_str().unwrap_or_default();
        let definition = assignment["properties"]["roleDefinitionId"].as_str();
        let conditional = assignment["properties"]["condition"].as_str().is_some();
        !id.eq_ignore_ascii_case(own.as_str())
            && !conditional
            && definition.is_some_and(|id| id.to_lowercase().ends_with(role))
    }))
}

/// The exemptions: of each scope, from each policy that is named.
pub fn exemptions(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let mut wants = Vec::new();
    for (key, exemption) in input.exemptions.iter().flatten() {
        for kind in input.exempted(exemption) {
            let id = input.exemption_id(key, exemption, kind);
            let look = seen.look(&id).map(Look::found);
            let body = look.map(|found| exemption_body(input, key, exemption, kind, found));
            wants.push(Wanted::new(id, body).argument("exemptions"));
        }
    }
    Ok(wants)
}

fn exemption_body(
    input: &Input,
    key: &str,
    exemption: &Exemption,
    kind: Kind,
    found: Option<&Json>,
) -> Json {
    let there = found.and_then(|found| found["properties"]["expiresOn"].as_str());
    let end = exemption.expires_on.as_deref().map(|own| match there {
        Some(there) if same_instant(own, there) => there,
        _ => own,
    });
    json!({"properties": {
        "policyAssignmentId": input.assignment_id(kind),
        "exemptionCategory": exemption.category,
        "displayName": key,
        "description": exemption.reason,
        "expiresOn": end,
    }})
}

/// Whether two times in UTC are the same: Azure adds a fraction of zeros.
pub fn same_instant(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let text = text.to_ascii_uppercase();
        let text = text
            .trim_end_matches('Z')
            .trim_end_matches("+00:00")
            .to_owned();
        match text.split_once('.') {
            Some((whole, fraction)) if fraction.chars().all(|c| c == '0') => whole.to_owned(),
            _ => text,
        }
    };
    plain(a) == plain(b)
}

/// A remediation of what stood before the policy that changes registries.
pub fn remediations(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    let wanted = input.policies().filter(|(_, policy)| policy.remediates());
    Ok(wanted
        .map(|(kind, _)| {
            // What was assigned a moment ago has not been evaluated yet, and is so by the remediation
            // itself, which Azure offers below management groups only.
            let mode = if input.scope_id.is(MANAGEMENT_GROUP) {
                "ExistingNonCompliant"
            } else {
                "ReEvaluateCompliance"
            };
            let body = json!({"properties": {
                "policyAssignmentId": input.assignment_id(kind),
                "resourceDiscoveryMode": mode,
            }});
            Wanted::new(remediation_id(input, kind), Ok(body))
                .immutable(&["/properties/policyAssignmentId"])
                .argument(kind.facts().argument)
        })
        .collect())
}

/// The id of the remediation of a policy.
pub fn remediation_id(input: &Input, kind: Kind) -> ArmId {
    let name = input.assignment_name(kind);
    input.scope_id.resource(REMEDIATION, &name)
}

/// A remediation is finished when Azure says that it has ended. One that runs does so by itself, for hours
/// where there is much to change; one that failed is drift.
pub fn remediated(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    for wanted in remediations(input, seen)? {
        let Look::Found(found) = seen.look(&wanted.id)? else {
            continue;
        };
        let state = found["properties"]["provisioningState"].as_str();
        let state = state.unwrap_or("Succeeded");
        if !["Succeeded", "Complete", "Failed", "Canceled"].contains(&state) {
            let name = wanted.id.name();
            return Ok(Evidence::UnderWay(format!("remediation {name} is {state}")));
        }
    }
    Ok(Evidence::Done)
}

/// What to do about an object of this name that someone else made.
pub fn another_name(id: &ArmId) -> Option<String> {
    if id.is(ASSIGNMENT) {
        return Some(format!(
            "give the assignments of this resource another beginning:\n\n  name = \"mine\"\n\nOr take over all \
             that stand at the scope under this one:\n\n  import {{\n    to = \
             fkaks_registry_guardrails.example\n    id = \"{id}\"\n  }}"
        ));
    }
    let what = if id.is(EXEMPTION) {
        "key of the exemption"
    } else {
        "name"
    };
    Some(format!(
        "delete it where it is managed, or give it another {what} here. Its name follows from `name` and the \
         keys."
    ))
}
