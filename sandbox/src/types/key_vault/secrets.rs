//! Microsoft.KeyVault/vaults/secrets. Resource Manager writes a secret and never tells its value; each PUT makes
//! a version. It has no DELETE: secrets are deleted in the data plane.

use serde_json::{Value, json};

use super::{VERSIONS, bad, vaults};
use crate::errors::ArmResult;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.KeyVault/vaults/secrets";

/// The row.
pub const SECRETS: Type = Type {
    place: Place::None,
    patch: Patch::Merge(Style::Immediate),
    creating: None,
    deletable: false,
    properties: &[
        "value",
        "contentType",
        "attributes",
        "secretUri",
        "secretUriWithVersion",
    ],
    read_only: &["secretUri", "secretUriWithVersion"],
    check,
    fill,
    on_delete,
    render,
    ..Type::new(NAME, VERSIONS)
};

/// What the body gives.
const GIVEN: &str = "/properties/value";
/// Where it is kept; never shown.
const KEPT: &str = "/secretValue";
const VERSION: &str = "/secretVersion";
const ATTRIBUTES: &str = "/properties/attributes";
/// The largest value in bytes (documentation of secrets).
const LARGEST: usize = 25_600;

/// The value of a secret.
#[must_use]
pub fn value(secret: &Resource) -> Option<&str> {
    // A test that writes past the service writes the property.
    secret.text(GIVEN).or_else(|| secret.text(KEPT))
}

/// True when the secret is enabled and neither too new nor expired.
#[must_use]
pub fn in_force(world: &World, secret: &Resource) -> bool {
    let now = world.now / 1000;
    let time = |name: &str| {
        secret
            .at(&format!("{ATTRIBUTES}/{name}"))
            .and_then(Value::as_u64)
    };
    secret.at(&format!("{ATTRIBUTES}/enabled")) != Some(&Value::Bool(false))
        && time("nbf").is_none_or(|begin| begin <= now)
        && time("exp").is_none_or(|end| now < end)
}

/// No refusal may repeat the value.
fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let name = new.id.name();
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(1..=127).contains(&name.len()) || !name.chars().all(inside) {
        return Err(bad(format!(
            "The secret name '{name}' is invalid: 1 to 127 letters, digits and hyphens."
        )));
    }
    match new.at(GIVEN) {
        Some(Value::String(text)) if text.len() > LARGEST => {
            return Err(bad(format!(
                "The value of the secret '{name}' is larger than {LARGEST} bytes."
            )));
        }
        Some(Value::String(_)) => {}
        Some(_) => return Err(bad(format!("The value of the secret '{name}' is no text."))),
        None if change.verb == Verb::Put => {
            return Err(bad(format!("The secret '{name}' has no value.")));
        }
        None => {}
    }
    let attributes = new.at(ATTRIBUTES).and_then(Value::as_object);
    for (attribute, value) in attributes.into_iter().flatten() {
        let right = match attribute.as_str() {
            "enabled" => value.is_boolean(),
            "nbf" | "exp" | "created" | "updated" => value.is_u64(),
            _ => false,
        };
        if !right {
            return Err(bad(format!(
                "Invalid value found at properties.attributes.{attribute}."
            )));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let kept = |pointer: &str| old.and_then(|old| old.at(pointer)).cloned();
    let given = new.at(GIVEN).cloned();
    new.unset(GIVEN);
    let now = world.now / 1000;
    let version = match (&given, kept(VERSION)) {
        (None, Some(version)) => version,
        _ => json!(world.guid().replace('-', "")),
    };
    if let Some(value) = given.clone().or_else(|| kept(KEPT)) {
        new.set(KEPT, value);
    }
    let created = match given {
        Some(_) => json!(now),
        None => kept(&format!("{ATTRIBUTES}/created")).unwrap_or_else(|| json!(now)),
    };
    new.default(&format!("{ATTRIBUTES}/enabled"), true);
    new.set(&format!("{ATTRIBUTES}/created"), created);
    new.set(&format!("{ATTRIBUTES}/updated"), now);
    let vault = new.id.parent().unwrap_or_else(|| new.id.clone());
    let uri = format!(
        "https://{}.vault.azure.net/secrets/{}",
        vault.name().to_lowercase(),
        new.id.name()
    );
    let versioned = format!("{uri}/{}", version.as_str().unwrap_or_default());
    new.set("/properties/secretUri", uri);
    new.set("/properties/secretUriWithVersion", versioned);
    new.set(VERSION, version);
    Ok(())
}

/// A secret goes with its vault only, and comes back with it.
fn on_delete(world: &mut World, secret: &Resource) -> ArmResult<()> {
    let vault = secret.id.parent().map(|vault: ResourceId| vault.key());
    let entry = world.deleted.entry(vault.unwrap_or_default());
    entry.or_default().push(secret.clone());
    Ok(())
}

fn render(world: &World, secret: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove(KEPT.trim_start_matches('/'));
        map.remove(VERSION.trim_start_matches('/'));
    }
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.remove("value");
    }
    let vault = secret.id.parent();
    let found = vault.and_then(|vault| world.get(vault.as_str()));
    body["location"] = json!(
        found
            .filter(|vault| vault.type_name == vaults::NAME)
            .and_then(|vault| vault.text("/location"))
    );
}
