//! Microsoft.ContainerRegistry/registries/privateEndpointConnections: what the owner of the registry says to
//! an endpoint. The endpoint makes the connection; here it is approved, rejected or removed. An
//! endpoint shows the state of its connection, and `Disconnected` once that is gone.

use serde_json::Value;

use super::{VERSIONS, registry_lock};
use crate::errors::{ArmError, ArmResult, not_found};
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerRegistry/registries/privateEndpointConnections";

/// The row.
pub const CONNECTIONS: Type = Type {
    place: Place::None,
    put: Style::AsyncCreated,
    delete: Style::Location,
    creating: Some("Creating"),
    properties: &[
        "privateEndpoint",
        "privateLinkServiceConnectionState",
        "provisioningState",
    ],
    check,
    fill,
    locks: registry_lock,
    ..Type::new(NAME, VERSIONS)
};

const STATE: &str = "/properties/privateLinkServiceConnectionState";
const ENDPOINT: &str = "/properties/privateEndpoint";

/// Refuses what the owner of a target cannot say to an endpoint.
///
/// # Errors
/// 404 for a connection that no endpoint made; `BadRequest` for another endpoint or status.
pub fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let Some(old) = change.old else {
        return Err(not_found(&new.id, "ResourceNotFound"));
    };
    let status = |connection: &Resource| {
        connection
            .text(&format!("{STATE}/status"))
            .unwrap_or_default()
            .to_lowercase()
    };
    let refuse = |message: String| Err(ArmError::bad("BadRequest", message));
    match (status(old).as_str(), status(new).as_str()) {
        ("rejected", "approved") => {
            refuse("Approving rejected private endpoint connections is not supported.".into())
        }
        (_, "approved" | "rejected") => other_endpoint(old, new),
        (before, after) if before == after => other_endpoint(old, new),
        (_, after) => refuse(format!(
            "The status '{after}' of the private endpoint connection '{}' is invalid: it can be set to Approved or Rejected.",
            new.id.name()
        )),
    }
}

fn other_endpoint(old: &Resource, new: &Resource) -> ArmResult<()> {
    let id = format!("{ENDPOINT}/id");
    let same = new
        .text(&id)
        .zip(old.text(&id))
        .is_none_or(|(new, old)| new.eq_ignore_ascii_case(old));
    if same {
        return Ok(());
    }
    Err(ArmError::bad(
        "BadRequest",
        format!(
            "The private endpoint of the connection '{}' cannot be changed.",
            new.id.name()
        ),
    ))
}

/// Completes a connection.
///
/// # Errors
/// None.
pub fn fill(_: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    if let Some(endpoint) = old.and_then(|old| old.at(ENDPOINT)) {
        new.set(ENDPOINT, endpoint.clone());
    }
    let word = match new
        .text(&format!("{STATE}/status"))
        .unwrap_or_default()
        .to_lowercase()
        .as_str()
    {
        "approved" => "Approved",
        "rejected" => "Rejected",
        _ => "Pending",
    };
    new.set(&format!("{STATE}/status"), word);
    new.default(&format!("{STATE}/description"), "");
    new.default(&format!("{STATE}/actionsRequired"), Value::from("None"));
    Ok(())
}
