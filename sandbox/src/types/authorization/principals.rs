//! The directory, as far as role assignments need it: the object ids of identities and of resources that
//! have one, and those that a test declares. A new principal takes a while to reach the authorization
//! service (`principalDelayMs`); an assignment without `principalType` is refused until then.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::World;
use crate::types::managed_identity::identities;

/// An object of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `User`, `Group` or `ServicePrincipal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Milliseconds since 1970 of its creation.
    #[serde(default)]
    pub since: u64,
}

/// The kinds of principals that an assignment may name.
pub const KINDS: &[&str] = &[
    "User",
    "Group",
    "ServicePrincipal",
    "ForeignGroup",
    "Device",
];

/// The principal with this object id, replicated or not.
#[must_use]
pub fn find(world: &World, object_id: &str) -> Option<Principal> {
    if let Some(declared) = world.principals.get(&object_id.to_lowercase()) {
        return Some(declared.clone());
    }
    let same = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .is_some_and(|id| id.eq_ignore_ascii_case(object_id))
    };
    let owner = world.all().find(|resource| {
        if resource.type_name == identities::NAME {
            return same(resource.at("/properties/principalId"));
        }
        // A system-assigned identity, and what a cluster made for its nodes and add-ons.
        same(resource.at("/identity/principalId"))
            || resource
                .at("/properties/identityProfile")
                .and_then(Value::as_object)
                .is_some_and(|profile| {
                    profile
                        .values()
                        .any(|identity| same(identity.get("objectId")))
                })
    })?;
    Some(Principal {
        kind: "ServicePrincipal".to_owned(),
        since: owner.created,
    })
}

/// The principal, once the authorization service can see it.
#[must_use]
pub fn replicated(world: &World, object_id: &str) -> Option<Principal> {
    find(world, object_id)
        .filter(|found| world.now >= found.since.saturating_add(world.roles.principal_ms))
}
