//! Deleted vaults: they keep their name and their secrets until they are recovered (a PUT with `createMode`
//! `recover`), purged, or their retention is over. Purge protection leaves only time.

use serde_json::{Value, json};

use super::vaults::{PURGE_PROTECTION, RETENTION};
use super::{NAMESPACE, vaults};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World, timestamp};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// The deleted vault with this name, while its retention lasts.
#[must_use]
pub fn by_name<'a>(world: &'a World, name: &str) -> Option<&'a Resource> {
    all(world).find(|vault| vault.id.name().eq_ignore_ascii_case(name))
}

fn all(world: &World) -> impl Iterator<Item = &Resource> {
    world
        .deleted
        .values()
        .filter_map(|gone| gone.first())
        .filter(|gone| gone.type_name == vaults::NAME)
        .filter(|gone| world.now < purge_time(gone))
}

fn purge_time(gone: &Resource) -> u64 {
    let days = gone.at(RETENTION).and_then(Value::as_u64).unwrap_or(90);
    gone.changed.saturating_add(days * DAY_MS)
}

/// 404 for a deleted vault that is not there.
#[must_use]
pub fn not_found(name: &str) -> ArmError {
    ArmError::new(
        404,
        "DeletedVaultNotFound",
        format!("The specified deleted vault '{name}' does not exist."),
    )
}

fn view(gone: &Resource) -> Value {
    let location = gone.text("/location").unwrap_or_default();
    json!({
        "id": id(gone).as_str(),
        "name": gone.id.name(),
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": gone.id.as_str(),
            "location": location,
            "tags": gone.at("/tags").cloned().unwrap_or_else(|| json!({})),
            "deletionDate": timestamp(gone.changed),
            "scheduledPurgeDate": timestamp(purge_time(gone)),
            "purgeProtectionEnabled": gone.at(PURGE_PROTECTION),
        },
    })
}

fn id(gone: &Resource) -> ResourceId {
    let location = gone.text("/location").unwrap_or_default();
    ResourceId::subscription_of(gone.id.subscription())
        .child("providers", NAMESPACE)
        .child("locations", location)
        .child("deletedVaults", gone.id.name())
}

/// `GET .../deletedVaults`.
///
/// # Errors
/// None.
pub fn list(
    world: &mut World,
    subscription: &str,
    _: &[String],
    request: &Request,
) -> ArmResult<Answer> {
    let values = all(world)
        .filter(|gone| gone.id.subscription().eq_ignore_ascii_case(subscription))
        .map(view)
        .collect();
    Ok(crate::resources::cut(values, request, None))
}

fn find<'a>(world: &'a World, subscription: &str, path: &[String]) -> ArmResult<&'a Resource> {
    let (location, name) = match path {
        [_, location, _, name, ..] => (location.as_str(), name.as_str()),
        _ => ("", ""),
    };
    by_name(world, name)
        .filter(|gone| gone.id.subscription().eq_ignore_ascii_case(subscription))
        .filter(|gone| gone.text("/location") == Some(&crate::regions::normalize(location)))
        .ok_or_else(|| not_found(name))
}

/// `GET .../locations/{location}/deletedVaults/{name}`.
///
/// # Errors
/// 404 `DeletedVaultNotFound`.
pub fn get(
    world: &mut World,
    subscription: &str,
    path: &[String],
    _: &Request,
) -> ArmResult<Answer> {
    Ok(Answer::json(200, view(find(world, subscription, path)?)))
}

/// `POST .../locations/{location}/deletedVaults/{name}/purge`.
///
/// # Errors
/// 404 `DeletedVaultNotFound`, 405 for a vault with purge protection.
pub fn purge(
    world: &mut World,
    subscription: &str,
    path: &[String],
    _: &Request,
) -> ArmResult<Answer> {
    let gone = find(world, subscription, path)?;
    if gone.at(PURGE_PROTECTION) == Some(&Value::Bool(true)) {
        return Err(ArmError::new(
            405,
            "MethodNotAllowed",
            "Operation 'DeletedVaultPurge' is not allowed.",
        ));
    }
    let (key, target) = (gone.id.key(), id(gone));
    world.deleted.remove(&key);
    let mut answer = Answer::empty(202);
    answer.started = Some(target);
    Ok(answer)
}
