//! What assignments do to a write before the provider sees it: Modify changes it, then Deny refuses it.

use serde_json::{Value, json};

use super::effects::{self, Applied};
use super::{fields, rules};
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};

/// Lets the assignments act on a resource as it shall be.
///
/// # Errors
/// 403 `RequestDisallowedByPolicy` with a violation for each assignment that denies it.
pub fn act(world: &World, new: &mut Resource) -> ArmResult<()> {
    let applied = effects::in_force(world, new);
    for one in applied
        .iter()
        .filter(|one| one.enforced() && one.is("modify"))
    {
        if one.holds(&fields::seen(new), &mut Vec::new()) {
            modify(new, one);
        }
    }
    let seen = fields::seen(new);
    let mut violations = Vec::new();
    for one in applied
        .iter()
        .filter(|one| one.enforced() && one.is("deny"))
    {
        let mut looked = Vec::new();
        if one.holds(&seen, &mut looked) {
            violations.push((one, looked));
        }
    }
    match violations.is_empty() {
        true => Ok(()),
        false => Err(refusal(new, &violations)),
    }
}

/// Does the operations of a Modify effect to a resource.
pub fn modify(resource: &mut Resource, applied: &Applied<'_>) {
    let details = applied.details();
    for operation in details["operations"].as_array().into_iter().flatten() {
        let field = operation["field"].as_str().unwrap_or_default();
        let value = rules::resolved(&operation["value"], &applied.parameters);
        let there = !fields::values(&fields::seen(resource), field).is_empty();
        match operation["operation"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase()
            .as_str()
        {
            "addorreplace" => fields::write(resource, field, Some(value)),
            "add" if !there => fields::write(resource, field, Some(value)),
            "remove" => fields::write(resource, field, None),
            _ => {}
        }
    }
}

/// The message that an assignment has for its violations.
#[must_use]
pub fn message(assignment: &Resource) -> Option<&str> {
    assignment
        .items("/properties/nonComplianceMessages")
        .first()
        .and_then(|message| message["message"].as_str())
}

fn refusal(new: &Resource, violations: &[(&Applied<'_>, Vec<rules::Looked>)]) -> ArmError {
    let name = new.id.name();
    let identifiers: Vec<Value> = violations
        .iter()
        .map(|(applied, _)| {
            json!({
                "policyAssignment": {
                    "name": title(applied.assignment),
                    "id": applied.assignment.id.as_str(),
                },
                "policyDefinition": {
                    "name": applied.definition["properties"]["displayName"],
                    "id": applied.definition["id"],
                },
            })
        })
        .collect();
    let reasons: Vec<String> = violations
        .iter()
        .filter_map(|(applied, _)| message(applied.assignment))
        .map(|reason| format!("'{reason}'"))
        .collect();
    let text = match reasons.is_empty() {
        true => format!(
            "Resource '{name}' was disallowed by policy. Policy identifiers: '{}'.",
            json!(identifiers)
        ),
        false => format!(
            "Resource '{name}' was disallowed by policy. Reasons: {}. See error details for policy resource IDs.",
            reasons.join(", ")
        ),
    };
    let info: Vec<Value> = violations
        .iter()
        .map(|(applied, looked)| json!({ "type": "PolicyViolation", "info": violation(applied, looked) }))
        .collect();
    let mut error = ArmError::new(403, "RequestDisallowedByPolicy", text).at(name);
    error.additional_info = Some(Box::new(json!(info)));
    error
}

fn title(assignment: &Resource) -> &str {
    assignment
        .text("/properties/displayName")
        .unwrap_or_else(|| assignment.id.name())
}

fn violation(applied: &Applied<'_>, looked: &[rules::Looked]) -> Value {
    let assignment = applied.assignment;
    let expressions: Vec<Value> = looked.iter().map(rules::Looked::body).collect();
    let mut info = json!({
        "evaluationDetails": { "evaluatedExpressions": expressions },
        "policyDefinitionId": applied.definition["id"],
        "policyDefinitionName": applied.definition["name"],
        "policyDefinitionDisplayName": applied.definition["properties"]["displayName"],
        "policyDefinitionVersion": applied.definition["properties"]["version"],
        "policyDefinitionEffect": applied.effect,
        "policyAssignmentId": assignment.id.as_str(),
        "policyAssignmentName": assignment.id.name(),
        "policyAssignmentDisplayName": title(assignment),
        "policyAssignmentScope": assignment.text("/properties/scope"),
        "policyAssignmentParameters": assignment.at("/properties/parameters"),
        "policyExemptionIds": [],
    });
    if let Some(message) = message(assignment) {
        info["nonComplianceMessage"] = json!(message);
    }
    info
}
