//! Microsoft.Authorization/roleAssignments, at a subscription, a group or any resource. A principal has a
//! role at a scope once: the same under another GUID is refused. A new assignment is missing from lists
//! that ask for a principal as often as the setting `roleListReads` says, as Azure's replicas lag.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{VERSIONS, conditions, definitions, principals, unknown_filter};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::odata::{equals, terms};
use crate::store::{Resource, World};
use crate::table::{Change, Place, Type, Verb};
use crate::types::management::{reaches, scope_exists};

/// The type's name.
pub const NAME: &str = "Microsoft.Authorization/roleAssignments";

/// The row.
pub const ASSIGNMENTS: Type = Type {
    place: Place::None,
    creating: None,
    not_found: "RoleAssignmentNotFound",
    properties: &[
        "scope",
        "roleDefinitionId",
        "principalId",
        "principalType",
        "description",
        "condition",
        "conditionVersion",
        "delegatedManagedIdentityResourceId",
        "createdOn",
        "updatedOn",
        "createdBy",
        "updatedBy",
        // Of older versions; ignored.
        "canDelegate",
    ],
    read_only: &[
        "scope",
        "createdOn",
        "updatedOn",
        "createdBy",
        "updatedBy",
        "canDelegate",
    ],
    tenant: true,
    collection: Some(list),
    deleted_body: true,
    check,
    fill,
    render,
    ..Type::new(NAME, VERSIONS)
};

const ROLE: &str = "/properties/roleDefinitionId";
const PRINCIPAL: &str = "/properties/principalId";
const KIND: &str = "/properties/principalType";
const CONDITION: &str = "/properties/condition";
const CONDITION_VERSION: &str = "/properties/conditionVersion";
const DELEGATED: &str = "/properties/delegatedManagedIdentityResourceId";
/// How many lists by principal still leave the assignment out; never shown.
const HIDDEN: &str = "/hiddenLists";

/// The scope of an assignment: what its id hangs on.
#[must_use]
pub fn scope(assignment: &Resource) -> Option<ResourceId> {
    assignment.id.parent()
}

/// The GUID of the role that is assigned, in lower case.
#[must_use]
pub fn role_guid(assignment: &Resource) -> String {
    assignment.text(ROLE).and_then(guid_of).unwrap_or_default()
}

fn guid_of(role: &str) -> Option<String> {
    let role = role.trim_end_matches('/').to_lowercase();
    let (before, guid) = role.rsplit_once('/')?;
    let is_role = before.ends_with("/providers/microsoft.authorization/roledefinitions");
    (is_role && Uuid::parse_str(guid).is_ok()).then(|| guid.to_owned())
}

fn same(a: &Resource, b: &Resource, pointer: &str) -> bool {
    match (a.text(pointer), b.text(pointer)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    if Uuid::parse_str(new.id.name()).is_err() {
        return Err(ArmError::bad(
            "InvalidRoleAssignmentId",
            format!(
                "The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.",
                new.id.name()
            ),
        ));
    }
    let Some(scope) = scope(new) else {
        return Err(unknown_scope(new.id.as_str()));
    };
    scope_exists(world, &scope)?;
    let role = new.text(ROLE).unwrap_or_default();
    let Some(role) = guid_of(role) else {
        return Err(ArmError::bad(
            "InvalidRoleDefinitionId",
            format!("The role definition ID '{role}' is malformed."),
        ));
    };
    if !definitions::assignable(world, &role, &scope) {
        return Err(definitions::does_not_exist(400, &role));
    }
    let principal = new.text(PRINCIPAL).unwrap_or_default();
    if Uuid::parse_str(principal).is_err() {
        return Err(ArmError::bad(
            "InvalidPrincipalId",
            "A valid principal ID must be provided for role assignment.",
        ));
    }
    check_kind(world, new, principal)?;
    check_condition(new)?;
    match change.old {
        Some(old) => unchanged(old, new, &role),
        None => unique(world, new, &scope, &role),
    }
}

fn check_kind(world: &World, new: &Resource, principal: &str) -> ArmResult<()> {
    match new.text(KIND) {
        None => principals::replicated(world, principal).map(|_| ()).ok_or_else(|| {
            ArmError::bad(
                "PrincipalNotFound",
                format!(
                    "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
                    principal.replace('-', ""), world.tenant
                ),
            )
        }),
        Some(kind) if !principals::KINDS.contains(&kind) => Err(ArmError::bad(
            "InvalidPrincipalType",
            format!("The principal type '{kind}' is not valid."),
        )),
        // With a type the directory is not asked, so an id that nobody has is accepted too.
        Some(kind) => match principals::replicated(world, principal) {
            Some(found) if found.kind != kind => Err(ArmError::bad(
                "UnmatchedPrincipalType",
                format!(
                    "The PrincipalId '{}' has type '{}' , which is different from specified PrinciaplType '{kind}'.",
                    principal.replace('-', ""), found.kind
                ),
            )),
            _ => Ok(()),
        },
    }
}

/// The codes of these two refusals are in no document; the rules are (conditions need version 2.0).
fn check_condition(new: &Resource) -> ArmResult<()> {
    let Some(condition) = new.text(CONDITION) else {
        return match new.text(CONDITION_VERSION) {
            Some(_) => Err(ArmError::bad(
                "InvalidConditionVersion",
                "A condition version is given without a condition.",
            )),
            None => Ok(()),
        };
    };
    if new.text(CONDITION_VERSION) != Some("2.0") {
        return Err(ArmError::bad(
            "InvalidConditionVersion",
            "The condition version of a role assignment is '2.0'.",
        ));
    }
    conditions::parse(condition).map(|_| ()).map_err(|problem| {
        ArmError::bad(
            "InvalidCondition",
            format!("The condition is not valid: {problem}."),
        )
    })
}

/// Description and condition are all that changes.
fn unchanged(old: &Resource, new: &Resource, role: &str) -> ArmResult<()> {
    let kind = new.text(KIND).is_none() || same(old, new, KIND);
    if kind && role_guid(old) == role && same(old, new, PRINCIPAL) && same(old, new, DELEGATED) {
        return Ok(());
    }
    Err(not_permitted())
}

fn unique(world: &World, new: &Resource, scope: &ResourceId, role: &str) -> ArmResult<()> {
    for other in world.of_type(NAME) {
        // The GUID is unique in the tenant, whatever the scope.
        if other.id.name().eq_ignore_ascii_case(new.id.name()) {
            return Err(not_permitted());
        }
        let there = other.id.parent().is_some_and(|at| at.same(scope.as_str()));
        if there && role_guid(other) == role && same(other, new, PRINCIPAL) {
            return Err(ArmError::conflict(
                "RoleAssignmentExists",
                format!(
                    "The role assignment already exists. The ID of the existing role assignment is {}.",
                    other.id.name().replace('-', "")
                ),
            ));
        }
    }
    Ok(())
}

fn not_permitted() -> ArmError {
    ArmError::bad(
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    )
}

fn unknown_scope(id: &str) -> ArmError {
    ArmError::bad("InvalidScope", format!("The scope of '{id}' is not valid."))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let role = role_guid(new);
    let home = match new.id.subscription() {
        "" => String::new(),
        subscription => format!("/subscriptions/{subscription}"),
    };
    new.set(
        ROLE,
        format!("{home}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
    );
    let principal = new.text(PRINCIPAL).unwrap_or_default().to_owned();
    if new.text(KIND).is_none()
        && let Some(found) = principals::find(world, &principal)
    {
        new.set(KIND, found.kind);
    }
    if let Some(scope) = scope(new) {
        new.set("/properties/scope", scope.as_str());
    }
    let by = Uuid::new_v5(&world.seed, b"object of the caller").to_string();
    let kept = |pointer: &str| old.and_then(|old| old.text(pointer)).map(ToOwned::to_owned);
    let created = kept("/properties/createdOn").unwrap_or_else(|| world.timestamp());
    new.set("/properties/createdOn", created);
    new.set(
        "/properties/createdBy",
        kept("/properties/createdBy").unwrap_or_else(|| by.clone()),
    );
    new.set("/properties/updatedOn", world.timestamp());
    new.set("/properties/updatedBy", by);
    let hidden = match old {
        Some(old) => old.at(HIDDEN).and_then(Value::as_u64).unwrap_or(0),
        None => u64::from(world.roles.list_reads),
    };
    if hidden > 0 {
        new.set(HIDDEN, hidden);
    }
    Ok(())
}

fn render(world: &World, resource: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove("hiddenLists");
        // What someone wrote past the service (a test) is shown as the service would show it.
        let properties = map.entry("properties").or_insert_with(|| json!({}));
        for name in [
            "condition",
            "conditionVersion",
            "description",
            "delegatedManagedIdentityResourceId",
        ] {
            if properties.get(name).is_none() {
                properties[name] = Value::Null;
            }
        }
        if properties.get("scope").is_none() {
            properties["scope"] = json!(scope(resource).map(|scope| scope.as_str().to_owned()));
        }
        if properties.get("principalType").is_none() {
            let principal = resource.text(PRINCIPAL).unwrap_or_default();
            properties["principalType"] =
                json!(principals::find(world, principal).map(|found| found.kind));
        }
    }
}

/// Which assignments a list asks for.
#[derive(Default)]
struct Filter {
    /// Leaves out what lies below the scope.
    at_scope: bool,
    principal: Option<String>,
}

impl Filter {
    fn parse(text: &str) -> ArmResult<Self> {
        let mut filter = Self::default();
        for term in terms(text) {
            let lower = term.to_lowercase();
            if lower == "atscope()" {
                filter.at_scope = true;
            } else if let Some(principal) = equals(&term, "principalId") {
                filter.principal = Some(principal);
            } else if let Some(inner) = lower
                .strip_prefix("assignedto(")
                .and_then(|rest| rest.strip_suffix(')'))
            {
                filter.principal = Some(inner.trim().trim_matches('\'').to_owned());
            } else {
                return unknown_filter(text);
            }
        }
        Ok(filter)
    }
}

/// Assignments at the scope and above it, and below it unless the filter says otherwise.
fn list(world: &mut World, scope: &str, request: &Request) -> ArmResult<Vec<Value>> {
    let filter = Filter::parse(&request.param("$filter").unwrap_or_default())?;
    let key = scope.trim_end_matches('/').to_lowercase();
    let concerns = |assignment: &Resource| {
        let Some(at) = assignment.id.parent().map(|at| at.key()) else {
            return false;
        };
        let above = reaches(world, &at, &key);
        let below = !filter.at_scope && at.starts_with(&format!("{key}/"));
        let principal = filter.principal.as_ref().is_none_or(|principal| {
            assignment
                .text(PRINCIPAL)
                .is_some_and(|id| id.eq_ignore_ascii_case(principal))
        });
        (above || below) && principal
    };
    let found: Vec<ResourceId> = world
        .of_type(NAME)
        .filter(|assignment| concerns(assignment))
        .map(|assignment| assignment.id.clone())
        .collect();
    let mut values = Vec::new();
    for id in found {
        let Some(assignment) = world.get(id.as_str()) else {
            continue;
        };
        let hidden = assignment.at(HIDDEN).and_then(Value::as_u64).unwrap_or(0);
        if filter.principal.is_some() && hidden > 0 {
            if let Some(assignment) = world.get_mut(id.as_str()) {
                assignment.set(HIDDEN, hidden - 1);
            }
            continue;
        }
        values.push(world.view(assignment));
    }
    Ok(values)
}
