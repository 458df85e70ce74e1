//! Microsoft.Authorization/permissions: what the caller may do at a scope. It may do everything but what
//! the setting `callerNotActions` takes from it; the front door asks here before it lets a request in.

use serde_json::{Value, json};

use super::{VERSIONS, rights};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::store::World;
use crate::table::{Place, Type};

/// The row.
pub const PERMISSIONS: Type = Type {
    place: Place::None,
    writable: false,
    creating: None,
    collection: Some(list),
    ..Type::new("Microsoft.Authorization/permissions", VERSIONS)
};

fn list(world: &mut World, _: &str, _: &Request) -> ArmResult<Vec<Value>> {
    Ok(vec![json!({
        "actions": ["*"],
        "notActions": world.caller_not_actions,
        "dataActions": [],
        "notDataActions": [],
    })])
}

/// Refuses an action that was taken from the caller.
///
/// # Errors
/// 403 `AuthorizationFailed`.
pub fn check(world: &World, action: &str, scope: &str) -> ArmResult<()> {
    if !world
        .caller_not_actions
        .iter()
        .any(|pattern| rights::matches(pattern, action))
    {
        return Ok(());
    }
    Err(ArmError::new(
        403,
        "AuthorizationFailed",
        format!(
            "The client does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        ),
    ))
}
