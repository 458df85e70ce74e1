//! Small actions of a registry: the two passwords of its admin user, and how much of its limits it uses.
//! Passwords are derived from how often they were made, so none is stored.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{connections, contents, host, replications, rules, scope_maps, tokens};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};

/// Where the registry remembers how often each password was made; never shown.
pub const KEY: &str = "/credentials";

const NAMES: &[&str] = &["password", "password2"];

/// `POST .../listCredentials`.
///
/// # Errors
/// The admin user is off.
pub fn list(world: &mut World, registry: &Resource, _: &Request) -> ArmResult<Answer> {
    answer(world, registry)
}

/// `POST .../regenerateCredential` with `{"name": "password"}`.
///
/// # Errors
/// The admin user is off, or there is no such password.
pub fn regenerate(world: &mut World, registry: &Resource, request: &Request) -> ArmResult<Answer> {
    let body = request.object()?;
    let name = body["name"].as_str().unwrap_or_default();
    if !NAMES.contains(&name) {
        return Err(invalid_content(format!(
            "The name '{name}' is none of 'password' and 'password2'. Path 'name'"
        )));
    }
    answer(world, registry)?;
    let pointer = format!("{KEY}/{name}");
    let times = times(registry, name) + 1;
    let changed = match world.get_mut(registry.id.as_str()) {
        Some(stored) => {
            stored.set(&pointer, times);
            stored.clone()
        }
        None => registry.clone(),
    };
    answer(world, &changed)
}

fn times(registry: &Resource, name: &str) -> u64 {
    registry
        .at(&format!("{KEY}/{name}"))
        .and_then(Value::as_u64)
        .unwrap_or(0)
}

fn answer(world: &World, registry: &Resource) -> ArmResult<Answer> {
    if registry.at("/properties/adminUserEnabled") != Some(&Value::Bool(true)) {
        return Err(ArmError::bad(
            "UnAuthorizedForCredentialOperations",
            format!(
                "Cannot perform credential operations for {} as admin user is disabled. Kindly enable the admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
                registry.id
            ),
        ));
    }
    let passwords: Vec<Value> = NAMES
        .iter()
        .map(|name| json!({ "name": name, "value": value(world, registry, name) }))
        .collect();
    Ok(Answer::json(
        200,
        json!({ "username": host(registry), "passwords": passwords }),
    ))
}

/// True when the name and the password are those of the admin user, and it is on.
#[must_use]
pub fn opens(world: &World, registry: &Resource, name: &str, password: &str) -> bool {
    registry.at("/properties/adminUserEnabled") == Some(&Value::Bool(true))
        && name.eq_ignore_ascii_case(host(registry))
        && NAMES
            .iter()
            .any(|slot| value(world, registry, slot) == password)
}

fn value(world: &World, registry: &Resource, name: &str) -> String {
    let text = format!(
        "{} {} {name} {}",
        registry.id.key(),
        registry
            .text("/properties/creationDate")
            .unwrap_or_default(),
        times(registry, name)
    );
    Uuid::new_v5(&world.seed, text.as_bytes())
        .simple()
        .to_string()
}

/// `GET .../listUsages` (documentation of service tiers: what is in each of them).
///
/// # Errors
/// None.
pub fn usages(world: &mut World, registry: &Resource, _: &Request) -> ArmResult<Answer> {
    const GIB: u64 = 1 << 30;
    let (size, webhooks) = match rules::sku(registry) {
        "Premium" => (500 * GIB, 500),
        "Standard" => (100 * GIB, 10),
        _ => (10 * GIB, 2),
    };
    let usage = |name: &str, limit: Value, used: usize, unit: &str| json!({ "name": name, "limit": limit, "currentValue": used, "unit": unit });
    // Limits of tokens and scope maps: "Repository-scoped permissions" in the table of service tiers.
    let scoped = match rules::sku(registry) {
        "Premium" => 50_000,
        "Standard" => 500,
        _ => 100,
    };
    let held = contents::size(registry);
    let maps = scope_maps::count(world, registry);
    let logins = tokens::of_registry(world, registry.id.as_str()).len();
    let mut value = vec![
        usage("Size", json!(size), held, "Bytes"),
        usage("Webhooks", json!(webhooks), 0, "Count"),
        usage("ScopeMaps", json!(scoped), maps, "Count"),
        usage("Tokens", json!(scoped), logins, "Count"),
    ];
    if rules::premium(registry) {
        let rules = registry.items("/properties/networkRuleSet/ipRules").len();
        let endpoints = world.list(registry.id.as_str(), connections::NAME).count();
        value.extend([
            usage(
                "Geo-replications",
                json!(-1),
                replications::count(world, registry),
                "Count",
            ),
            usage("IPRules", json!(100), rules, "Count"),
            usage("VNetRules", json!(100), 0, "Count"),
            usage("PrivateEndpoints", json!(200), endpoints, "Count"),
        ]);
    }
    Ok(Answer::json(200, json!({ "value": value })))
}
