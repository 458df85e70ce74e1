//! Resource providers of a subscription: what types and API versions there are, and their registration.
//! `register` answers at once with `Registering`; the next two reads still say so, then `Registered`.

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult};
use crate::exchange::Answer;
use crate::regions;
use crate::store::{Registration, World};
use crate::table::{self, Place, Type};

/// How many reads after `register` still answer `Registering`.
const READS: u8 = 2;

/// The registration of a namespace. Microsoft.Resources and Microsoft.Authorization need none.
#[must_use]
pub fn state(world: &World, subscription: &str, namespace: &str) -> Registration {
    let always = ["Microsoft.Resources", "Microsoft.Authorization"];
    if always
        .iter()
        .any(|name| name.eq_ignore_ascii_case(namespace))
    {
        return Registration::Registered;
    }
    world
        .registrations
        .get(&key(subscription, namespace))
        .copied()
        .unwrap_or(Registration::Registered)
}

/// `POST .../register` and `.../unregister`.
///
/// # Errors
/// 404 `InvalidResourceNamespace`; 409 when resources of the namespace are still there.
pub fn register(
    world: &mut World,
    subscription: &str,
    namespace: &str,
    register: bool,
) -> ArmResult<Answer> {
    let namespace = spelled(namespace)?;
    let now = state(world, subscription, namespace);
    if register {
        if !matches!(now, Registration::Registered | Registration::Registering(_)) {
            world.registrations.insert(
                key(subscription, namespace),
                Registration::Registering(READS),
            );
        }
    } else {
        let scope = format!("/subscriptions/{subscription}");
        let used = world
            .below(&scope)
            .any(|resource| resource.id.namespace().eq_ignore_ascii_case(namespace));
        if used {
            return Err(ArmError::conflict(
                "SubscriptionUnregistrationFailed",
                format!(
                    "Cannot unregister the subscription from '{namespace}': there are still resources of it."
                ),
            ));
        }
        world
            .registrations
            .insert(key(subscription, namespace), Registration::Unregistered);
    }
    Ok(Answer::json(
        200,
        body(world, Some(subscription), namespace),
    ))
}

/// `GET .../providers/{namespace}`.
///
/// # Errors
/// 404 `InvalidResourceNamespace`.
pub fn get(world: &mut World, subscription: Option<&str>, namespace: &str) -> ArmResult<Answer> {
    let namespace = spelled(namespace)?;
    let answer = Answer::json(200, body(world, subscription, namespace));
    if let Some(Registration::Registering(left)) =
        subscription.and_then(|id| world.registrations.get_mut(&key(id, namespace)))
    {
        if *left > 1 {
            *left -= 1;
        } else if let Some(id) = subscription {
            world
                .registrations
                .insert(key(id, namespace), Registration::Registered);
        }
    }
    Ok(answer)
}

/// `GET .../providers`.
#[must_use]
pub fn list(world: &World, subscription: Option<&str>) -> Answer {
    let value: Vec<Value> = table::namespaces()
        .into_iter()
        .map(|name| body(world, subscription, name))
        .collect();
    Answer::json(200, json!({ "value": value }))
}

fn spelled(namespace: &str) -> ArmResult<&'static str> {
    table::namespaces()
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(namespace))
        .ok_or_else(|| {
            ArmError::new(
                404,
                "InvalidResourceNamespace",
                format!("The resource namespace '{namespace}' is invalid."),
            )
        })
}

fn key(subscription: &str, namespace: &str) -> String {
    format!("{subscription}/{namespace}").to_lowercase()
}

fn body(world: &World, subscription: Option<&str>, namespace: &str) -> Value {
    let types: Vec<Value> = table::of_namespace(namespace).map(resource_type).collect();
    let mut body = json!({ "namespace": namespace, "resourceTypes": types });
    if let Some(id) = subscription {
        let state = match state(world, id, namespace) {
            Registration::NotRegistered => "NotRegistered",
            Registration::Registering(_) => "Registering",
            Registration::Registered => "Registered",
            Registration::Unregistered => "Unregistered",
        };
        body["id"] = json!(format!("/subscriptions/{id}/providers/{namespace}"));
        body["registrationPolicy"] = json!("RegistrationRequired");
        body["registrationState"] = json!(state);
    }
    body
}

fn resource_type(kind: &Type) -> Value {
    let locations = match kind.place {
        Place::Regional | Place::Optional => json!(regions::display_names()),
        Place::Global => json!(["global"]),
        Place::None => json!([]),
    };
    let mut versions = kind.versions.to_vec();
    versions.reverse();
    json!({
        "resourceType": kind.short(),
        "locations": locations,
        "apiVersions": versions,
        "defaultApiVersion": versions.first(),
        "capabilities": if kind.place == Place::None { "None" } else { "SupportsTags, SupportsLocation" },
    })
}
