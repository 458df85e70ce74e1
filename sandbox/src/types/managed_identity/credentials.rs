//! Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials: which tokens of
//! another issuer may be exchanged for one of the identity. Issuer and subject are unique in an identity.

use serde_json::{Value, json};

use super::{VERSIONS, identities};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::store::{Resource, World};
use crate::table::{Change, Place, Type, Verb};

/// The type's name.
pub const NAME: &str =
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

/// The most credentials of one identity (Microsoft Learn, workload identity federation considerations).
const MOST: usize = 20;

/// The row.
pub const CREDENTIALS: Type = Type {
    place: Place::None,
    creating: None,
    properties: &["issuer", "subject", "audiences"],
    check,
    render,
    ..Type::new(NAME, VERSIONS)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let name = new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || !name.chars().all(word) || !(3..=120).contains(&name.len()) {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "The federated identity credential name '{name}' is invalid: 3 to 120 letters, digits, '-' and '_'."
            ),
        ));
    }
    for member in ["issuer", "subject", "audiences"] {
        if new.at(&format!("/properties/{member}")).is_none() {
            return Err(invalid_content(format!(
                "Required property '{member}' not found in JSON. Path 'properties'"
            )));
        }
    }
    if new.items("/properties/audiences").len() != 1 {
        return Err(ArmError::bad(
            "BadRequest",
            "A federated identity credential has exactly one audience.",
        ));
    }
    let Some(identity) = new.id.parent() else {
        return Ok(());
    };
    let others: Vec<&Resource> = world
        .list(identity.as_str(), NAME)
        .filter(|other| !other.id.same(new.id.as_str()))
        .collect();
    let same = |other: &&&Resource| {
        ["/properties/issuer", "/properties/subject"]
            .iter()
            .all(|pointer| other.text(pointer) == new.text(pointer))
    };
    if let Some(other) = others.iter().find(same) {
        return Err(ArmError::conflict(
            "Conflict",
            format!(
                "Issuer and subject combination already exists for this Managed Identity: '{}'.",
                other.id.name()
            ),
        ));
    }
    if change.old.is_none() && others.len() >= MOST {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "Too many Federated Identity Credentials on this Managed Identity: at most {MOST}."
            ),
        ));
    }
    Ok(())
}

fn render(_: &World, resource: &Resource, body: &mut Value) {
    body["id"] = json!(identities::answered_id(resource.id.as_str()));
}
