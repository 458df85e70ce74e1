//! Microsoft.Authorization/policyAssignments, at a management group, a subscription, a group or any
//! resource. One whose effect writes needs an identity and a location for it.

use serde_json::{Value, json};

use super::{VERSIONS, definitions, effects, not_found, parameters, stamp, word};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::odata;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};
use crate::types::managed_identity::assigned;
use crate::types::management::{reaches, scope_exists};

/// The type's name.
pub const NAME: &str = "Microsoft.Authorization/policyAssignments";

/// The row.
pub const ASSIGNMENTS: Type = Type {
    place: Place::Optional,
    tenant: true,
    put: Style::Created,
    patch: Patch::Merge(Style::Immediate),
    creating: None,
    not_found: "PolicyAssignmentNotFound",
    members: &["identity", "sku"],
    properties: &[
        "displayName",
        "policyDefinitionId",
        "definitionVersion",
        "latestDefinitionVersion",
        "effectiveDefinitionVersion",
        "scope",
        "notScopes",
        "parameters",
        "description",
        "metadata",
        "enforcementMode",
        "nonComplianceMessages",
        "resourceSelectors",
        "overrides",
        "assignmentType",
        "instanceId",
    ],
    read_only: &[
        "scope",
        "instanceId",
        "latestDefinitionVersion",
        "effectiveDefinitionVersion",
    ],
    deleted_body: true,
    check,
    fill,
    collection: Some(list),
    ..Type::new(NAME, VERSIONS)
};

const DEFINITION: &str = "/properties/policyDefinitionId";
const VERSION: &str = "/properties/definitionVersion";
const GIVEN: &str = "/identity/userAssignedIdentities";

/// The id of the definition that is assigned.
#[must_use]
pub fn definition_id(assignment: &Resource) -> &str {
    assignment.text(DEFINITION).unwrap_or_default()
}

/// The assignment with this id.
///
/// # Errors
/// 404 `PolicyAssignmentNotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> ArmResult<&'a Resource> {
    world
        .get(id)
        .filter(|found| found.type_name == NAME)
        .ok_or_else(|| not_found("PolicyAssignmentNotFound", "policy assignment", id))
}

fn invalid(name: &str, problem: &str) -> ArmError {
    ArmError::bad(
        "InvalidCreatePolicyAssignmentRequest",
        format!("The policy assignment '{name}' request is invalid. {problem}"),
    )
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let name = new.id.name();
    let Some(scope) = new.id.parent() else {
        return Err(invalid(name, "A policy assignment needs a scope."));
    };
    scope_exists(world, &scope)?;
    let longest = if scope.subscription().is_empty() {
        24
    } else {
        64
    };
    if name.chars().count() > longest {
        return Err(ArmError::bad(
            "InvalidPolicyAssignmentName",
            format!(
                "The policy assignment name '{name}' is invalid. The policy assignment name length must not exceed '{longest}' characters."
            ),
        ));
    }
    let Some(definition) = new.text(DEFINITION) else {
        return Err(invalid(
            name,
            "The property 'policyDefinitionId' is required.",
        ));
    };
    let definition = definitions::find(world, definition)?;
    if let Some(old) = change.old {
        check_update(old, new)?;
    }
    within(world, name, &definition, &scope)?;
    check_version(new, &definition)?;
    parameters::check_given(name, new.at("/properties/parameters"), &definition)?;
    word(
        new,
        "/properties/enforcementMode",
        &["Default", "DoNotEnforce", "Enroll"],
    )?;
    for not in new.items("/properties/notScopes") {
        let not = not.as_str().unwrap_or_default();
        if !reaches(world, scope.as_str(), not) {
            return Err(invalid(
                name,
                &format!("The not scope '{not}' is not a child of the scope '{scope}'."),
            ));
        }
    }
    for message in new.items("/properties/nonComplianceMessages") {
        if message["message"].as_str().is_none_or(str::is_empty) {
            return Err(invalid(name, "A non-compliance message needs a text."));
        }
        if !message["policyDefinitionReferenceId"].is_null() {
            return Err(invalid(
                name,
                "A non-compliance message of a single policy definition cannot have a policy definition reference ID.",
            ));
        }
    }
    check_identity(world, new, &definition)
}

/// An assignment goes on to assign what it assigns (as the issue Azure/Azure-Landing-Zones 2581 shows it).
fn check_update(old: &Resource, new: &Resource) -> ArmResult<()> {
    let (was, is) = (definition_id(old), definition_id(new));
    if was.eq_ignore_ascii_case(is) {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidPolicyDefinitionIdUpdate",
        format!(
            "The policy assignment '{}' create request is invalid. Cannot update existing assignment's policy definition '{was}' with new policy definition '{is}'.",
            new.id.name()
        ),
    ))
}

/// A definition of a subscription is assigned in it, one of a management group below the group.
fn within(world: &World, name: &str, definition: &Value, scope: &ResourceId) -> ArmResult<()> {
    let home = definition["id"]
        .as_str()
        .and_then(ResourceId::parse)
        .and_then(|id| id.parent());
    match home {
        Some(home) if !reaches(world, home.as_str(), scope.as_str()) => Err(invalid(
            name,
            "The policy definition specified in the policy assignment is out of scope. Policy definitions should be specified only at or above the policy assignment scope.",
        )),
        _ => Ok(()),
    }
}

/// `1.*.*` or `1.0.*` of a version that the definition has.
fn check_version(new: &Resource, definition: &Value) -> ArmResult<()> {
    let Some(wanted) = new.text(VERSION) else {
        return Ok(());
    };
    let have = version(definition);
    let fits = wanted.split('.').count() == 3
        && wanted
            .trim_end_matches("-preview")
            .split('.')
            .zip(have.split('.'))
            .all(|(wanted, have)| wanted == "*" || wanted == have);
    match fits {
        true => Ok(()),
        false => Err(ArmError::new(
            404,
            "PolicyDefinitionVersionNotFound",
            format!(
                "The version '{wanted}' of the policy definition '{}' could not be found. Its version is '{have}'.",
                definition["name"].as_str().unwrap_or_default()
            ),
        )),
    }
}

fn version(definition: &Value) -> String {
    definition["properties"]["version"]
        .as_str()
        .unwrap_or("1.0.0")
        .to_owned()
}

fn check_identity(world: &World, new: &Resource, definition: &Value) -> ArmResult<()> {
    let name = new.id.name();
    assigned::check(new)?;
    let kind = new.text("/identity/type").unwrap_or("None");
    let effect = effects::of(new, definition);
    if kind.eq_ignore_ascii_case("None") {
        return match effects::writes(&effect) {
            false => Ok(()),
            true => Err(ArmError::bad(
                "ResourceIdentityRequired",
                format!(
                    "The policy assignment '{name}' request is invalid. Policy assignments must include a resource identity when assigning '{effect}' policy definitions."
                ),
            )),
        };
    }
    if new.text("/location").is_none() {
        return Err(ArmError::bad(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    }
    let given = new.at(GIVEN).and_then(Value::as_object);
    for id in given.into_iter().flat_map(|given| given.keys()) {
        if world.get(id).is_none() {
            return Err(ArmError::bad(
                "FailedIdentityOperation",
                format!(
                    "Identity operation for resource '{}' failed: the user-assigned identity '{id}' was not found.",
                    new.id
                ),
            ));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    assigned::fill(world, new, old);
    let definition = definitions::find(world, definition_id(new))?;
    let version = version(&definition);
    let major = version.split('.').next().unwrap_or("1");
    new.default(VERSION, format!("{major}.*.*"));
    new.set("/properties/latestDefinitionVersion", version.clone());
    new.set("/properties/effectiveDefinitionVersion", version);
    if let Some(scope) = new.id.parent() {
        new.set("/properties/scope", scope.as_str());
    }
    new.default("/properties/enforcementMode", "Default");
    new.default("/properties/parameters", json!({}));
    new.default("/properties/assignmentType", "Custom");
    let instance = old
        .and_then(|old| old.text("/properties/instanceId"))
        .map_or_else(|| world.guid(), ToOwned::to_owned);
    new.set("/properties/instanceId", instance);
    stamp(world, new, old);
    Ok(())
}

/// What applies at a scope: assigned there or above it, and below it unless the filter says otherwise.
fn list(world: &mut World, scope: &str, request: &Request) -> ArmResult<Vec<Value>> {
    let filter = request.param("$filter").unwrap_or_default();
    let lower = filter.trim().to_lowercase();
    let wanted = odata::equals(&filter, "policyDefinitionId");
    let unfiltered = lower.is_empty() || wanted.is_some();
    if !unfiltered && lower != "atscope()" && lower != "atexactscope()" {
        return Err(odata::invalid(&filter));
    }
    let concerns = |assignment: &Resource| {
        let Some(at) = assignment.id.parent() else {
            return false;
        };
        let here = at.same(scope);
        let above = reaches(world, at.as_str(), scope);
        let below = unfiltered && reaches(world, scope, at.as_str());
        let defined = wanted
            .as_ref()
            .is_none_or(|id| definition_id(assignment).eq_ignore_ascii_case(id));
        defined && (here || (lower != "atexactscope()" && (above || below)))
    };
    Ok(world
        .of_type(NAME)
        .filter(|assignment| concerns(assignment))
        .map(|assignment| world.view(assignment))
        .collect())
}
