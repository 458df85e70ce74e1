//! Microsoft.PolicyInsights/remediations: a task that brings resources which an assignment with a Modify
//! effect finds wrong into line. It is accepted at once and goes on without a URL of an operation: its
//! `provisioningState` tells how far it is.

use serde_json::{Value, json};

use super::{INSIGHTS_VERSIONS, assignments, definitions, effects, remediation, word};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Action, Change, Place, Style, Type, Verb};
use crate::types::management::{reaches, scope_exists};

/// The type's name.
pub const NAME: &str = "Microsoft.PolicyInsights/remediations";

/// The row.
pub const REMEDIATIONS: Type = Type {
    place: Place::None,
    tenant: true,
    put: Style::Unannounced,
    creating: Some("Accepted"),
    updating: |_, _| "Accepted",
    deleted_body: true,
    properties: &[
        "policyAssignmentId",
        "policyDefinitionReferenceId",
        "resourceDiscoveryMode",
        "provisioningState",
        "createdOn",
        "lastUpdatedOn",
        "filters",
        "deploymentStatus",
        "statusMessage",
        "correlationId",
        "resourceCount",
        "parallelDeployments",
        "failureThreshold",
    ],
    read_only: &[
        "createdOn",
        "lastUpdatedOn",
        "deploymentStatus",
        "statusMessage",
        "correlationId",
    ],
    check,
    fill,
    settle: remediation::run,
    render,
    busy: |_, change| {
        ArmError::bad(
            "InvalidDeleteRemediationRequest",
            format!(
                "The remediation '{}' cannot be changed or deleted while it runs.",
                change.new.id.name()
            ),
        )
    },
    actions: &[
        Action {
            method: "POST",
            name: "cancel",
            style: Style::Immediate,
            run: cancel,
        },
        Action {
            method: "POST",
            name: "listDeployments",
            style: Style::Immediate,
            run: deployments,
        },
    ],
    ..Type::new(NAME, INSIGHTS_VERSIONS)
};

/// What each deployment of a task did; shown by `listDeployments` only.
pub const DEPLOYMENTS: &str = "/deployments";
/// `deploymentStatus`.
pub const STATUS: &str = "/properties/deploymentStatus";
const MODE: &str = "/properties/resourceDiscoveryMode";

fn invalid(new: &Resource, problem: &str) -> ArmError {
    ArmError::bad(
        "InvalidCreateRemediationRequest",
        format!(
            "The remediation '{}' request is invalid. {problem}",
            new.id.name()
        ),
    )
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let Some(scope) = new.id.parent() else {
        return Err(invalid(new, "A remediation needs a scope."));
    };
    scope_exists(world, &scope)?;
    word(new, MODE, &["ExistingNonCompliant", "ReEvaluateCompliance"])?;
    let Some(id) = new.text("/properties/policyAssignmentId") else {
        return Err(invalid(
            new,
            "The property 'policyAssignmentId' is required.",
        ));
    };
    let assignment = assignments::find(world, id)?;
    let definition = definitions::find(world, assignments::definition_id(assignment))?;
    let effect = effects::of(assignment, &definition);
    if !effects::writes(&effect) {
        return Err(invalid(
            new,
            &format!(
                "The effect '{effect}' of the policy assignment '{id}' has nothing to remediate: it is not 'modify' or 'deployIfNotExists'."
            ),
        ));
    }
    let at = assignment.id.parent();
    let reached = at.is_some_and(|at| reaches(world, at.as_str(), scope.as_str()));
    if !reached {
        return Err(invalid(
            new,
            &format!(
                "The scope '{scope}' is not at or below the scope of the policy assignment '{id}'."
            ),
        ));
    }
    match change
        .old
        .map(|old| old.text("/properties/policyAssignmentId"))
    {
        Some(before) if !before.is_some_and(|before| before.eq_ignore_ascii_case(id)) => {
            Err(invalid(
                new,
                "The policy assignment of a remediation cannot be changed.",
            ))
        }
        _ => Ok(()),
    }
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let now = world.timestamp();
    let created = old
        .and_then(|old| old.text("/properties/createdOn"))
        .map_or_else(|| now.clone(), ToOwned::to_owned);
    new.set("/properties/createdOn", created);
    new.set("/properties/lastUpdatedOn", now);
    new.set("/properties/correlationId", world.guid());
    new.default(MODE, "ExistingNonCompliant");
    new.default("/properties/resourceCount", 500);
    new.default("/properties/parallelDeployments", 10);
    new.default("/properties/failureThreshold/percentage", 1.0);
    new.set(
        STATUS,
        json!({ "totalDeployments": 0, "successfulDeployments": 0, "failedDeployments": 0 }),
    );
    Ok(())
}

fn render(_: &World, remediation: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove(DEPLOYMENTS.trim_start_matches('/'));
    }
    let failed = remediation
        .at(&format!("{STATUS}/failedDeployments"))
        .and_then(Value::as_u64);
    if remediation.state() == "Succeeded" && failed.is_some_and(|failed| failed > 0) {
        body["properties"]["provisioningState"] = json!("Failed");
    }
}

/// A task that runs is stopped; one that has ended cannot be.
fn cancel(world: &mut World, remediation: &Resource, _: &Request) -> ArmResult<Answer> {
    let id: &ResourceId = &remediation.id;
    let running: Vec<String> = world
        .operations
        .values()
        .filter(|operation| operation.outcome.is_none() && operation.target.same(id.as_str()))
        .map(|operation| operation.id.clone())
        .collect();
    if running.is_empty() {
        return Err(ArmError::bad(
            "InvalidCancelRemediationRequest",
            format!(
                "The remediation '{}' has ended and cannot be cancelled.",
                id.name()
            ),
        ));
    }
    for operation in running {
        world.operations.remove(&operation);
    }
    if let Some(stored) = world.get_mut(id.as_str()) {
        stored.set("/properties/provisioningState", "Canceled");
    }
    let stored = world.require(id)?;
    Ok(Answer::json(200, world.view(stored)))
}

fn deployments(_: &mut World, remediation: &Resource, _: &Request) -> ArmResult<Answer> {
    let value = remediation.items(DEPLOYMENTS);
    Ok(Answer::json(200, json!({ "value": value })))
}
