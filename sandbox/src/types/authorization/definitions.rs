//! Microsoft.Authorization/roleDefinitions: the built-in roles of `built_in.rs` and custom ones. A custom
//! role belongs to the tenant: whatever scope a request names, it is the subscription's role.

use serde_json::Value;

use super::{VERSIONS, assignments, built_in, unknown_filter};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::odata::{equals, terms};
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Authorization/roleDefinitions";

/// The row.
pub const DEFINITIONS: Type = Type {
    place: Place::None,
    creating: None,
    // Creates and updates are both answered with 201.
    put: Style::Created,
    not_found: "RoleDefinitionDoesNotExist",
    properties: &[
        "roleName",
        "description",
        "type",
        "permissions",
        "assignableScopes",
        "createdOn",
        "updatedOn",
        "createdBy",
        "updatedBy",
    ],
    read_only: &["createdOn", "updatedOn", "createdBy", "updatedBy"],
    tenant: true,
    home,
    provided,
    collection: Some(list),
    deleted_body: true,
    check,
    fill,
    ..Type::new(NAME, VERSIONS)
};

/// What a role permits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Control plane.
    pub actions: Vec<String>,
    /// Taken from `actions`.
    pub not_actions: Vec<String>,
    /// Data plane.
    pub data_actions: Vec<String>,
    /// Taken from `data_actions`.
    pub not_data_actions: Vec<String>,
}

/// The permissions of the role with this GUID, built-in or custom.
#[must_use]
pub fn permissions(world: &World, guid: &str) -> Option<Vec<Permissions>> {
    if let Some(role) = built_in::find(guid) {
        return Some(vec![role.permissions()]);
    }
    let custom = custom(world, guid)?;
    let texts = |permission: &Value, member: &str| -> Vec<String> {
        permission
            .get(member)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(ToOwned::to_owned))
            .collect()
    };
    Some(
        custom
            .items("/properties/permissions")
            .iter()
            .map(|permission| Permissions {
                actions: texts(permission, "actions"),
                not_actions: texts(permission, "notActions"),
                data_actions: texts(permission, "dataActions"),
                not_data_actions: texts(permission, "notDataActions"),
            })
            .collect(),
    )
}

/// True when the role exists and may be assigned at the scope.
#[must_use]
pub fn assignable(world: &World, guid: &str, scope: &ResourceId) -> bool {
    if built_in::find(guid).is_some() {
        return true;
    }
    let key = scope.key();
    custom(world, guid).is_some_and(|role| {
        role.items("/properties/assignableScopes")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_lowercase)
            .any(|allowed| {
                allowed == "/" || key == allowed || key.starts_with(&format!("{allowed}/"))
            })
    })
}

/// The error of a role that is not there: 404 when it is read, 400 when it is assigned.
#[must_use]
pub fn does_not_exist(status: u16, guid: &str) -> ArmError {
    ArmError::new(
        status,
        "RoleDefinitionDoesNotExist",
        format!(
            "The specified role definition with ID '{}' does not exist.",
            guid.replace('-', "")
        ),
    )
}

fn custom<'a>(world: &'a World, guid: &str) -> Option<&'a Resource> {
    world
        .of_type(NAME)
        .find(|role| role.id.name().eq_ignore_ascii_case(guid))
}

fn home(id: &ResourceId) -> ResourceId {
    if id.subscription().is_empty() {
        return id.clone();
    }
    ResourceId::subscription_of(id.subscription())
        .child("providers", NAME.split('/').next().unwrap_or_default())
        .child("roleDefinitions", id.name())
}

fn provided(world: &World, id: &ResourceId) -> Option<Value> {
    if let Some(role) = built_in::find(id.name()) {
        return Some(role.body(id.subscription()));
    }
    // A custom role of another subscription is seen here when it can be assigned here.
    let elsewhere = custom(world, id.name()).filter(|role| !role.id.same(id.as_str()))?;
    let scope = ResourceId::subscription_of(id.subscription());
    assignable(world, id.name(), &scope).then(|| world.view(elsewhere))
}

fn list(world: &mut World, scope: &str, request: &Request) -> ArmResult<Vec<Value>> {
    let filter = request.param("$filter").unwrap_or_default();
    let (mut name, mut kind) = (None, None);
    for term in terms(&filter) {
        if let Some(value) = equals(&term, "roleName") {
            name = Some(value);
        } else if let Some(value) = equals(&term, "type") {
            kind = Some(value);
        } else if !term.eq_ignore_ascii_case("atScopeAndBelow()") {
            return unknown_filter(&filter);
        }
    }
    let scope = ResourceId::parse(scope);
    let subscription = scope.as_ref().map_or("", ResourceId::subscription);
    let mut values: Vec<Value> = built_in::ROLES
        .iter()
        .map(|role| role.body(subscription))
        .collect();
    if let Some(scope) = &scope {
        values.extend(
            world
                .of_type(NAME)
                .filter(|role| assignable(world, role.id.name(), scope))
                .map(|role| world.view(role)),
        );
    }
    let is = |value: &Value, member: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| {
            value["properties"][member]
                .as_str()
                .is_some_and(|have| have.eq_ignore_ascii_case(wanted))
        })
    };
    values.retain(|value| is(value, "roleName", &name) && is(value, "type", &kind));
    Ok(values)
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let role = change.new;
    if change.verb == Verb::Delete {
        let used = world.of_type(assignments::NAME).find(|assignment| {
            assignment
                .text("/properties/roleDefinitionId")
                .is_some_and(|id| id.ends_with(&role.id.name().to_lowercase()))
        });
        return used.map_or(Ok(()), |_| {
            Err(ArmError::bad(
                "RoleDefinitionHasAssignments",
                format!(
                    "There are existing role assignments referencing role (code: {}).",
                    role.id.name()
                ),
            ))
        });
    }
    if uuid::Uuid::parse_str(role.id.name()).is_err() {
        return Err(ArmError::bad(
            "InvalidRoleDefinitionId",
            format!(
                "The role definition ID '{}' is not valid. The role definition ID must be a GUID.",
                role.id.name()
            ),
        ));
    }
    if role.id.subscription().is_empty() || built_in::find(role.id.name()).is_some() {
        return Err(ArmError::bad(
            "RoleDefinitionUpdateNotPermitted",
            format!(
                "The built-in role definition '{}' cannot be changed.",
                role.id.name()
            ),
        ));
    }
    let Some(name) = role
        .text("/properties/roleName")
        .filter(|name| !name.is_empty())
    else {
        return Err(invalid_content(
            "Required property 'roleName' not found in JSON. Path 'properties'",
        ));
    };
    if role.items("/properties/assignableScopes").is_empty() {
        return Err(ArmError::bad(
            "InvalidRoleDefinitionAssignableScopes",
            "A custom role needs at least one assignable scope.",
        ));
    }
    let taken = world.of_type(NAME).any(|other| {
        !other.id.same(role.id.as_str()) && other.text("/properties/roleName") == Some(name)
    });
    if taken || built_in::ROLES.iter().any(|built_in| built_in.name == name) {
        return Err(ArmError::conflict(
            "RoleDefinitionWithSameNameExists",
            format!("A custom role with the same name already exists in this directory: '{name}'."),
        ));
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    new.set("/properties/type", "CustomRole");
    let created = old
        .and_then(|old| old.text("/properties/createdOn"))
        .map(ToOwned::to_owned);
    new.set(
        "/properties/createdOn",
        created.unwrap_or_else(|| world.timestamp()),
    );
    new.set("/properties/updatedOn", world.timestamp());
    Ok(())
}
