//! Names of vaults: their form, and that one name is one vault in all of Azure, deleted ones included.

use serde_json::json;

use super::{deleted, vaults};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::World;

/// Refuses a name that a new vault cannot have.
///
/// # Errors
/// `VaultNameNotValid`, `VaultAlreadyExists`, `ConflictError` for a name that a deleted vault holds.
pub fn check(world: &World, id: &ResourceId, recover: bool) -> ArmResult<()> {
    let name = id.name();
    if !valid(name) {
        return Err(ArmError::bad("VaultNameNotValid", invalid(name)));
    }
    if elsewhere(world, id) {
        return Err(ArmError::conflict("VaultAlreadyExists", taken(name)));
    }
    let gone = deleted::by_name(world, name);
    match (recover, gone) {
        (false, Some(_)) => Err(ArmError::conflict(
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        )),
        (true, None) => Err(deleted::not_found(name)),
        (true, Some(gone)) if !gone.id.same(id.as_str()) => Err(deleted::not_found(name)),
        _ => Ok(()),
    }
}

fn elsewhere(world: &World, id: &ResourceId) -> bool {
    world
        .of_type(vaults::NAME)
        .any(|other| other.id.name().eq_ignore_ascii_case(id.name()) && !other.id.same(id.as_str()))
}

fn valid(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (3..=24).contains(&name.len())
        && name.chars().all(inside)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
}

fn invalid(name: &str) -> String {
    format!(
        "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    )
}

fn taken(name: &str) -> String {
    format!(
        "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information on soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
    )
}

/// `POST .../checkNameAvailability`.
///
/// # Errors
/// The body is not what the action takes.
pub fn check_name_availability(
    world: &mut World,
    _: &str,
    _: &[String],
    request: &Request,
) -> ArmResult<Answer> {
    let body = request.object()?;
    let name = body["name"].as_str().unwrap_or_default();
    let kind = body["type"].as_str().unwrap_or_default();
    if name.is_empty() || !kind.eq_ignore_ascii_case(vaults::NAME) {
        return Err(invalid_content(
            "The members 'name' and 'type' ('Microsoft.KeyVault/vaults') are required",
        ));
    }
    let mut answer = json!({ "nameAvailable": true });
    let used = world
        .of_type(vaults::NAME)
        .any(|vault| vault.id.name().eq_ignore_ascii_case(name));
    if !valid(name) {
        answer = json!({
            "nameAvailable": false,
            "reason": "AccountNameInvalid",
            "message": invalid(name),
        });
    } else if used || deleted::by_name(world, name).is_some() {
        answer =
            json!({ "nameAvailable": false, "reason": "AlreadyExists", "message": taken(name) });
    }
    Ok(Answer::json(200, answer))
}
