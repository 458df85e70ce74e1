//! What a remediation does when it runs: for each resource that its assignment finds wrong, the operations of
//! the Modify effect, with the rights of the assignment's identity.

use serde_json::{Value, json};

use super::compliance::{self, Verdict};
use super::remediations::{DEPLOYMENTS, STATUS};
use super::{assignments, enforcement};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::authorization::has_right;
use crate::types::managed_identity::assigned;
use crate::types::management::reaches;

/// Runs a task; it is the `settle` of its type.
///
/// # Errors
/// The assignment is gone.
pub fn run(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let task = world.require(id)?.clone();
    let assignment = task
        .text("/properties/policyAssignmentId")
        .unwrap_or_default();
    let assignment = assignments::find(world, assignment)?.clone();
    let wrong: Vec<ResourceId> =
        compliance::states(world, &|resource| concerned(world, &task, resource))
            .into_iter()
            .filter(|state| state.applied.assignment.id.same(assignment.id.as_str()))
            .filter(|state| state.verdict == Verdict::NonCompliant)
            .map(|state| state.resource.id.clone())
            .collect();
    let most = task
        .at("/properties/resourceCount")
        .and_then(Value::as_u64)
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(500);
    let mut done = Vec::new();
    let mut failed = 0;
    for target in wrong.iter().take(most) {
        let outcome = bring_into_line(world, &assignment, target);
        failed += u32::from(outcome.is_err());
        let name = world.guid();
        done.push(deployment(world, target, &name, outcome));
    }
    let total = done.len();
    let now = world.timestamp();
    if let Some(task) = world.get_mut(id.as_str()) {
        task.set(DEPLOYMENTS, done);
        task.set("/properties/lastUpdatedOn", now);
        task.set(
            STATUS,
            json!({
                "totalDeployments": total,
                "successfulDeployments": total - failed as usize,
                "failedDeployments": failed,
            }),
        );
    }
    Ok(())
}

fn concerned(world: &World, task: &Resource, resource: &Resource) -> bool {
    let scope = task.id.parent();
    let listed = |name: &str, have: &str| {
        let words = task.items(&format!("/properties/filters/{name}"));
        words.is_empty()
            || words
                .iter()
                .filter_map(Value::as_str)
                .any(|word| word.eq_ignore_ascii_case(have))
    };
    scope.is_some_and(|scope| reaches(world, scope.as_str(), resource.id.as_str()))
        && listed("locations", resource.text("/location").unwrap_or_default())
        && listed("resourceIds", resource.id.as_str())
}

fn bring_into_line(world: &mut World, assignment: &Resource, target: &ResourceId) -> ArmResult<()> {
    let resource = world.require(target)?.clone();
    let action = format!("{}/write", resource.type_name);
    let principals = assigned::principals(assignment);
    let may = principals
        .iter()
        .any(|principal| has_right(world, principal, &action, target.as_str()));
    if !may {
        return Err(ArmError::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{}' does not have authorization to perform action '{action}' over scope '{target}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
                principals.join(", ")
            ),
        ));
    }
    let mut changed = resource.clone();
    for applied in super::effects::in_force(world, &resource) {
        if applied.assignment.id.same(assignment.id.as_str()) {
            enforcement::modify(&mut changed, &applied);
        }
    }
    world.insert(changed);
    Ok(())
}

fn deployment(world: &World, target: &ResourceId, name: &str, outcome: ArmResult<()>) -> Value {
    let scope = ResourceId::group_of(target.subscription(), target.group().unwrap_or_default());
    let mut body = json!({
        "remediatedResourceId": target.as_str(),
        "deploymentId": format!("{scope}/providers/Microsoft.Resources/deployments/PolicyDeployment_{name}"),
        "status": if outcome.is_ok() { "Succeeded" } else { "Failed" },
        "resourceLocation": world.get(target.as_str()).and_then(|found| found.text("/location")),
        "createdOn": world.timestamp(),
        "lastUpdatedOn": world.timestamp(),
    });
    if let Err(error) = outcome {
        body["error"] = error.inner();
    }
    body
}
