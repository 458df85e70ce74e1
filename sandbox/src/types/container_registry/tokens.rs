//! Microsoft.ContainerRegistry/registries/tokens: logins that a scope map confines to repositories, each
//! with two passwords. A password is shown by the operation that makes it and never again; its value is
//! derived from a number of its own, so that the token has no secret. A PATCH of `credentials.passwords` keeps
//! the slots that it names and removes the others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::{VERSIONS, rules, scope_maps};
use crate::errors::{ArmError, ArmResult, invalid_content, not_found};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerRegistry/registries/tokens";

/// The row.
pub const TOKENS: Type = Type {
    place: Place::None,
    put: Style::AsyncCreated,
    patch: Patch::Merge(Style::AsyncCreated),
    delete: Style::Location,
    creating: Some("Creating"),
    properties: &["scopeMapId", "status", "credentials", "creationDate"],
    read_only: &["creationDate"],
    check,
    fill,
    render,
    ..Type::new(NAME, VERSIONS)
};

/// Where a token remembers the number of each password; never shown.
const NUMBERS: &str = "/numbers";
const PASSWORDS: &str = "/properties/credentials/passwords";
const SLOTS: [&str; 2] = ["password1", "password2"];

/// The tokens of a registry.
pub fn of_registry<'a>(world: &'a World, registry: &str) -> Vec<&'a Resource> {
    world.list(registry, NAME).collect()
}

/// The token that this name and password open: enabled, its password there and not expired.
#[must_use]
pub fn login<'a>(
    world: &'a World,
    registry: &Resource,
    name: &str,
    password: &str,
) -> Option<&'a Resource> {
    let token = of_registry(world, registry.id.as_str())
        .into_iter()
        .find(|token| token.id.name().eq_ignore_ascii_case(name))?;
    let opens = token.items(PASSWORDS).iter().any(|slot| {
        let slot_name = slot["name"].as_str().unwrap_or_default();
        let expired = slot["expiry"]
            .as_str()
            .and_then(moment)
            .is_some_and(|end| end <= world.now);
        !expired && value(world, token, slot_name).as_deref() == Some(password)
    });
    (opens && enabled(token)).then_some(token)
}

/// True while the token can be used at all.
#[must_use]
pub fn enabled(token: &Resource) -> bool {
    rules::is(token, "status", "enabled")
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let name = new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(5..=50).contains(&name.len()) || !name.chars().all(word) {
        return Err(ArmError::bad(
            "InvalidResourceName",
            format!(
                "The token name '{name}' is invalid. Resource names may contain alpha numeric characters and '-' only and must be between 5 and 50 characters."
            ),
        ));
    }
    let Some(map) = new.text("/properties/scopeMapId") else {
        return Err(invalid_content(
            "Required property 'scopeMapId' not found in JSON. Path 'properties'",
        ));
    };
    let same_registry = ResourceId::parse(map)
        .and_then(|map| map.parent())
        .zip(new.id.parent())
        .is_some_and(|(map, own)| map.same(own.as_str()));
    if !same_registry || scope_maps::actions(world, map).is_none() {
        return Err(ArmError::bad(
            "ScopeMapNotFound",
            format!("The scope map '{map}' of the token '{name}' could not be found."),
        ));
    }
    let status = new.at("/properties/status");
    let known = status.is_none()
        || rules::is(new, "status", "enabled")
        || rules::is(new, "status", "disabled");
    if !known {
        return Err(invalid_content(
            "Error converting value to type 'TokenStatus'. Path 'properties.status'",
        ));
    }
    if !new.items("/properties/credentials/certificates").is_empty() {
        // Certificates are for connected registries, which the sandbox does not have.
        return Err(ArmError::bad(
            "CertificatesNotSupported",
            format!("Certificates are not supported for the token '{name}'."),
        ));
    }
    let strange = new.items(PASSWORDS).iter().find(|slot| {
        !slot["name"]
            .as_str()
            .is_some_and(|name| SLOTS.contains(&name))
    });
    strange.map_or(Ok(()), |_| {
        Err(wrong_slot("properties.credentials.passwords"))
    })
}

fn wrong_slot(path: &str) -> ArmError {
    invalid_content(format!(
        "The name of a password is 'password1' or 'password2'. Path '{path}'"
    ))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let created = old
        .and_then(|old| old.text("/properties/creationDate"))
        .map_or_else(|| world.timestamp(), ToOwned::to_owned);
    new.set("/properties/creationDate", created);
    let status = if rules::is(new, "status", "disabled") {
        "disabled"
    } else {
        "enabled"
    };
    new.set("/properties/status", status);
    let named: Option<Vec<String>> = new.at(PASSWORDS).is_some().then(|| {
        new.items(PASSWORDS)
            .iter()
            .filter_map(|slot| slot["name"].as_str().map(ToOwned::to_owned))
            .collect()
    });
    let kept: Vec<Value> = old
        .map_or(&[][..], |old| old.items(PASSWORDS))
        .iter()
        .filter(|slot| {
            named
                .as_ref()
                .is_none_or(|named| named.iter().any(|name| slot["name"] == name.as_str()))
        })
        .cloned()
        .collect();
    let mut numbers = json!({});
    for slot in &kept {
        let name = slot["name"].as_str().unwrap_or_default();
        if let Some(number) = old.and_then(|old| old.at(&format!("{NUMBERS}/{name}"))) {
            numbers[name] = number.clone();
        }
    }
    new.set(NUMBERS, numbers);
    new.set("/properties/credentials", json!({ "passwords": kept }));
    Ok(())
}

fn render(_: &World, _: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove(NUMBERS.trim_start_matches('/'));
    }
}

/// The value of a password that was made; in the alphabet of Azure's, which needs escaping in URLs.
fn value(world: &World, token: &Resource, slot: &str) -> Option<String> {
    let number = token.at(&format!("{NUMBERS}/{slot}"))?;
    let half = |which: &str| {
        let text = format!("{} {slot} {number} {which}", token.id.key());
        *Uuid::new_v5(&world.seed, text.as_bytes()).as_bytes()
    };
    let bytes: Vec<u8> = half("first").into_iter().chain(half("second")).collect();
    Some(STANDARD.encode(bytes))
}

fn moment(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// `POST .../generateCredentials` with `{"tokenId", "expiry"?, "name"?}`: makes the named password anew, or
/// both. The answer has both slots, and values for what was made.
///
/// # Errors
/// No token of this registry, a wrong name, an expiry that is none or is past.
pub fn generate(world: &mut World, registry: &Resource, request: &Request) -> ArmResult<Answer> {
    let body = request.object()?;
    let Some(id) = body["tokenId"].as_str() else {
        return Err(invalid_content(
            "Required property 'tokenId' not found in JSON. Path ''",
        ));
    };
    let made: Vec<&str> = match &body["name"] {
        Value::Null => SLOTS.to_vec(),
        Value::String(name) => vec![
            SLOTS
                .into_iter()
                .find(|slot| slot.eq_ignore_ascii_case(name))
                .ok_or_else(|| wrong_slot("name"))?,
        ],
        _ => return Err(wrong_slot("name")),
    };
    let expiry = match &body["expiry"] {
        Value::Null => None,
        given => {
            let end = given.as_str().and_then(moment).ok_or_else(|| {
                invalid_content("Error converting value to a date and time. Path 'expiry'")
            })?;
            if end <= world.now {
                return Err(ArmError::bad(
                    "InvalidExpiry",
                    format!("The expiry {given} is in the past."),
                ));
            }
            Some(given.clone())
        }
    };
    let id = ResourceId::parse(id)
        .filter(|id| {
            id.parent()
                .is_some_and(|own| own.same(registry.id.as_str()))
        })
        .ok_or_else(|| {
            ArmError::bad(
                "InvalidTokenId",
                format!(
                    "'{id}' is not the id of a token of the registry '{}'.",
                    registry.id
                ),
            )
        })?;
    let mut token = world
        .get(id.as_str())
        .filter(|token| token.type_name == NAME)
        .cloned()
        .ok_or_else(|| not_found(&id, "ResourceNotFound"))?;
    let now = world.timestamp();
    let mut slots = token.items(PASSWORDS).to_vec();
    for name in &made {
        token.set(&format!("{NUMBERS}/{name}"), world.number());
        slots.retain(|slot| slot["name"] != *name);
        let mut slot = json!({ "name": name, "creationTime": now });
        if let Some(expiry) = &expiry {
            slot["expiry"] = expiry.clone();
        }
        slots.push(slot);
    }
    slots.sort_by_key(|slot| slot["name"].to_string());
    token.set(PASSWORDS, slots.clone());
    let passwords: Vec<Value> = slots
        .into_iter()
        .map(|mut slot| {
            let name = slot["name"].as_str().unwrap_or_default().to_owned();
            if made.contains(&name.as_str()) {
                slot["value"] = json!(value(world, &token, &name));
            }
            slot
        })
        .collect();
    let username = token.id.name().to_owned();
    world.insert(token);
    Ok(Answer::json(
        202,
        json!({ "username": username, "passwords": passwords }),
    ))
}
