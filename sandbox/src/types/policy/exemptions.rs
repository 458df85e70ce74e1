//! Microsoft.Authorization/policyExemptions: what takes a scope out of an assignment, for good or until a day.

use serde_json::Value;

use super::{assignments, selectors, word};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::Request;
use crate::odata;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};
use crate::types::management::{reaches, scope_exists};

/// The type's name.
pub const NAME: &str = "Microsoft.Authorization/policyExemptions";

/// The row.
pub const EXEMPTIONS: Type = Type {
    place: Place::None,
    tenant: true,
    patch: Patch::Merge(Style::Immediate),
    creating: None,
    not_found: "PolicyExemptionNotFound",
    properties: &[
        "policyAssignmentId",
        "policyDefinitionReferenceIds",
        "exemptionCategory",
        "expiresOn",
        "displayName",
        "description",
        "metadata",
        "resourceSelectors",
        "assignmentScopeValidation",
    ],
    check,
    fill: |_, new, _| {
        new.default("/properties/assignmentScopeValidation", "Default");
        Ok(())
    },
    collection: Some(list),
    ..Type::new(
        NAME,
        &[
            "2020-07-01-preview",
            "2022-07-01-preview",
            "2024-12-01-preview",
            "2026-01-01-preview",
            "2026-07-01",
        ],
    )
};

const ASSIGNMENT: &str = "/properties/policyAssignmentId";
const EXPIRES: &str = "/properties/expiresOn";
const CATEGORY: &str = "/properties/exemptionCategory";

/// The exemption that takes the resource out of the assignment now.
#[must_use]
pub fn of<'a>(
    world: &'a World,
    assignment: &Resource,
    resource: &Resource,
) -> Option<&'a Resource> {
    world.of_type(NAME).find(|exemption| {
        let concerned = exemption
            .text(ASSIGNMENT)
            .is_some_and(|id| assignment.id.same(id));
        let scope = exemption.id.parent();
        concerned
            && scope.is_some_and(|scope| reaches(world, scope.as_str(), resource.id.as_str()))
            && selectors::chosen(exemption.items("/properties/resourceSelectors"), resource)
            && exemption
                .text(EXPIRES)
                .and_then(time_of)
                .is_none_or(|end| i128::from(world.now) < end)
    })
}

/// Milliseconds since 1970 of a time with its offset.
fn time_of(text: &str) -> Option<i128> {
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .ok()
        .map(|time| time.unix_timestamp_nanos() / 1_000_000)
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let invalid = |problem: String| {
        ArmError::bad(
            "InvalidCreatePolicyExemptionRequest",
            format!(
                "The policy exemption '{}' request is invalid. {problem}",
                new.id.name()
            ),
        )
    };
    let Some(scope) = new.id.parent() else {
        return Err(invalid("A policy exemption needs a scope.".into()));
    };
    scope_exists(world, &scope)?;
    word(new, CATEGORY, &["Waiver", "Mitigated"])?;
    if new.text(CATEGORY).is_none() {
        return Err(invalid_content(
            "Required property 'exemptionCategory' not found in JSON. Path 'properties'",
        ));
    }
    word(
        new,
        "/properties/assignmentScopeValidation",
        &["Default", "DoNotValidate"],
    )?;
    if let Some(end) = new.text(EXPIRES).filter(|end| time_of(end).is_none()) {
        return Err(invalid_content(format!(
            "Could not convert string to DateTime: {end}. Path 'properties.expiresOn'"
        )));
    }
    let Some(id) = new.text(ASSIGNMENT) else {
        return Err(invalid(
            "The property 'policyAssignmentId' is required.".into(),
        ));
    };
    let assignment = assignments::find(world, id)?;
    let at = assignment.id.parent();
    let reached = at.is_some_and(|at| reaches(world, at.as_str(), scope.as_str()));
    let unvalidated = new.text("/properties/assignmentScopeValidation") == Some("DoNotValidate");
    match reached || unvalidated {
        true => Ok(()),
        false => Err(invalid(format!(
            "The scope '{scope}' is not at or below the scope of the policy assignment '{id}'."
        ))),
    }
}

/// Those at a scope and above it, and below it unless the filter is `atScope()`.
fn list(world: &mut World, scope: &str, request: &Request) -> ArmResult<Vec<Value>> {
    let filter = request.param("$filter").unwrap_or_default();
    let assignment = odata::equals(&filter, "policyAssignmentId");
    let below = filter.is_empty() || assignment.is_some();
    if !below && !filter.trim().eq_ignore_ascii_case("atScope()") {
        return Err(odata::invalid(&filter));
    }
    Ok(world
        .of_type(NAME)
        .filter(|exemption| {
            let Some(at) = exemption.id.parent() else {
                return false;
            };
            let named = assignment.as_ref().is_none_or(|id| {
                exemption
                    .text(ASSIGNMENT)
                    .is_some_and(|have| have.eq_ignore_ascii_case(id))
            });
            let reached =
                reaches(world, at.as_str(), scope) || (below && reaches(world, scope, at.as_str()));
            named && reached
        })
        .map(|exemption| world.view(exemption))
        .collect())
}
