//! The member `identity` of a resource: a principal of its own, user-assigned identities, or both.

use serde_json::{Value, json};

use crate::errors::{ArmResult, invalid_content};
use crate::store::{Resource, World};

const GIVEN: &str = "/identity/userAssignedIdentities";

/// Refuses an identity of an unknown kind, or one that is user-assigned and names none.
///
/// # Errors
/// `InvalidRequestContent`.
pub fn check(new: &Resource) -> ArmResult<()> {
    let Some(kind) = new.text("/identity/type") else {
        return match new.at("/identity") {
            Some(_) => Err(invalid_content(
                "Required property 'type' not found in JSON. Path 'identity'",
            )),
            None => Ok(()),
        };
    };
    let words = words(kind);
    let known = words
        .iter()
        .all(|word| ["none", "systemassigned", "userassigned"].contains(&word.as_str()));
    if !known || (words.iter().any(|word| word == "userassigned") && new.at(GIVEN).is_none()) {
        return Err(invalid_content(format!(
            "The identity type '{kind}' is invalid or names no user-assigned identity. Path 'identity.type'"
        )));
    }
    Ok(())
}

/// Principals are given once and stay for as long as the identity does; those of user-assigned identities
/// are what the identities are in the directory.
pub fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) {
    let words = new.text("/identity/type").map(words).unwrap_or_default();
    let has = |word: &str| words.iter().any(|other| other == word);
    let kept = |pointer: &str| old.and_then(|old| old.text(pointer)).map(ToOwned::to_owned);
    let kind = match (has("systemassigned"), has("userassigned")) {
        (false, false) => {
            new.unset("/identity");
            return;
        }
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (true, true) => "SystemAssigned, UserAssigned",
    };
    let mut identity = json!({ "type": kind });
    if has("systemassigned") {
        let principal = kept("/identity/principalId").unwrap_or_else(|| world.guid());
        identity["principalId"] = json!(principal);
        identity["tenantId"] = json!(world.tenant);
    }
    if has("userassigned") {
        let names: Vec<String> = new
            .at(GIVEN)
            .and_then(Value::as_object)
            .map(|map| map.keys().cloned().collect())
            .unwrap_or_default();
        let before = old.and_then(|old| old.at(GIVEN));
        for name in names {
            let known = world.get(&name).map(|found| {
                json!({
                    "principalId": found.text("/properties/principalId"),
                    "clientId": found.text("/properties/clientId"),
                })
            });
            let kept = before.and_then(|before| before.get(&name)).cloned();
            identity["userAssignedIdentities"][&name] = known.or(kept).unwrap_or_else(
                || json!({ "principalId": world.guid(), "clientId": world.guid() }),
            );
        }
    }
    new.set("/identity", identity);
}

/// The object ids of everything that the resource can act as.
#[must_use]
pub fn principals(resource: &Resource) -> Vec<String> {
    let own = resource.text("/identity/principalId");
    let given = resource.at(GIVEN).and_then(Value::as_object);
    own.into_iter()
        .chain(
            given
                .into_iter()
                .flat_map(|map| map.values())
                .filter_map(|identity| identity["principalId"].as_str()),
        )
        .map(ToOwned::to_owned)
        .collect()
}

fn words(kind: &str) -> Vec<String> {
    kind.split(',')
        .map(|word| word.trim().to_lowercase())
        .collect()
}
