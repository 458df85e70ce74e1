//! Microsoft.Network: virtual networks and what lives in them.

pub mod application_security_groups;

use serde_json::Value;

use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Etags, NamespaceAction, Patch, Place, Style, Type, Verb};

/// API versions of Microsoft.Network (private DNS apart) that clients send.
pub const VERSIONS: &[&str] = &[
    "2018-01-01",
    "2018-02-01",
    "2018-04-01",
    "2018-06-01",
    "2018-07-01",
    "2018-08-01",
    "2018-10-01",
    "2018-11-01",
    "2018-12-01",
    "2019-02-01",
    "2019-04-01",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-09-01",
    "2019-11-01",
    "2019-12-01",
    "2020-03-01",
    "2020-04-01",
    "2020-05-01",
    "2020-06-01",
    "2020-07-01",
    "2020-08-01",
    "2020-11-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2022-01-01",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
    "2025-07-01",
    "2025-09-01",
    "2026-01-01",
    "2026-03-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[application_security_groups::APPLICATION_SECURITY_GROUPS];

/// Actions of the namespace.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[];

/// A type of the network provider that stands for itself: PUT with `Azure-AsyncOperation`, PATCH of
/// tags, DELETE with `Location`, etags that are shown and not checked.
#[must_use]
pub const fn top_level(name: &'static str) -> Type {
    Type {
        put: Style::AsyncOperation,
        patch: Patch::Tags,
        delete: Style::Location,
        etags: Etags::Shown,
        members: &["extendedLocation"],
        ..Type::new(name, VERSIONS)
    }
}

/// A child of a network resource: no location, no PATCH, and 404 is `NotFound`.
#[must_use]
pub const fn child(name: &'static str) -> Type {
    Type {
        place: Place::None,
        patch: Patch::No,
        not_found: "NotFound",
        ..top_level(name)
    }
}

/// Gives the resource the `resourceGuid` of its life.
pub fn resource_guid(
    world: &mut World,
    new: &mut Resource,
    old: Option<&Resource>,
) -> ArmResult<()> {
    let guid = match old.and_then(|old| old.text("/properties/resourceGuid")) {
        Some(guid) => guid.to_owned(),
        None => world.guid(),
    };
    new.set("/properties/resourceGuid", guid);
    Ok(())
}

/// Names of network resources: up to `limit` characters, letters, digits, `.`, `_`, `-`.
///
/// # Errors
/// `InvalidResourceName`.
pub fn check_name(change: &Change<'_>, limit: usize) -> ArmResult<()> {
    let name = change.new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inside = name.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(word);
    if change.verb == Verb::Delete || (inside && ends && name.len() <= limit) {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to {limit} characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    ))
}

/// The resources whose bodies refer to `id`, whatever the property: back references are found, not stored.
pub fn users<'a>(world: &'a World, id: &'a ResourceId) -> impl Iterator<Item = &'a Resource> {
    world
        .all()
        .filter(move |other| !other.id.same(id.as_str()) && refers(&other.body, id))
}

/// True when some member `id` of the value names the resource.
#[must_use]
pub fn refers(value: &Value, id: &ResourceId) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| match value {
            Value::String(text) => name == "id" && id.same(text),
            other => refers(other, id),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, id)),
        _ => false,
    }
}
