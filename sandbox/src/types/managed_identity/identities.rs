//! Microsoft.ManagedIdentity/userAssignedIdentities. An identity is a service principal of the tenant:
//! its `principalId` is what roles are assigned to, its `clientId` is what tokens are asked for.
//! The service answers ids with `resourcegroups` in lower case, as its published examples show.

use serde_json::{Value, json};

use super::VERSIONS;
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

/// The row.
pub const IDENTITIES: Type = Type {
    patch: Patch::Merge(Style::Immediate),
    creating: None,
    properties: &["isolationScope", "tenantId", "principalId", "clientId"],
    read_only: &["tenantId", "principalId", "clientId"],
    check,
    fill,
    render,
    ..Type::new(NAME, VERSIONS)
};

const SERVICE_VALUES: [&str; 3] = [
    "/properties/tenantId",
    "/properties/principalId",
    "/properties/clientId",
];

fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let name = change.new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || !name.chars().all(word) || !(3..=128).contains(&name.len()) {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "The identity name '{name}' is invalid: 3 to 128 letters, digits, '-' and '_', and it begins with a letter or a digit."
            ),
        ));
    }
    match change.new.text("/properties/isolationScope") {
        None | Some("None" | "Regional") => Ok(()),
        Some(other) => Err(invalid_content(format!(
            "Error converting value '{other}' to type 'IsolationScope'. Path 'properties.isolationScope'"
        ))),
    }
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    if let Some(old) = old {
        for pointer in SERVICE_VALUES {
            if let Some(value) = old.at(pointer) {
                new.set(pointer, value.clone());
            }
        }
        return Ok(());
    }
    new.set("/properties/tenantId", world.tenant.clone());
    let id = new.id.as_str().to_owned();
    new.set("/properties/principalId", world.directory_id(&id, "object"));
    new.set("/properties/clientId", world.directory_id(&id, "client"));
    Ok(())
}

fn render(_: &World, resource: &Resource, body: &mut Value) {
    body["id"] = json!(answered_id(resource.id.as_str()));
}

/// The id as this provider writes it.
pub(super) fn answered_id(id: &str) -> String {
    id.replacen("/resourceGroups/", "/resourcegroups/", 1)
}
