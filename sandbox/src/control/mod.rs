//! `/_sandbox`: the remote control of tests. It needs no token. See `README.md` for every path.

pub mod actors;
pub mod faults;
pub mod log;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::auth::{self, Subject};
use crate::bodies;
use crate::engine::Inner;
use crate::exchange::{Answer, Request};
use crate::guards;
use crate::id::ResourceId;
use crate::login;
use crate::record;
use crate::settings::Settings;
use crate::store::{Registration, Resource};
use crate::table::{self, Type};
use crate::types::authorization::principals::{KINDS, Principal};
use crate::types::container_registry::images;
use crate::types::container_service::{kubernetes, run_command};
use crate::types::key_vault;
use crate::types::operational_insights::{tables, timespan};

/// Answers a request to the remote control.
pub fn handle(inner: &mut Inner, request: &Request) -> Answer {
    respond(inner, request).unwrap_or_else(|problem| {
        Answer::json(
            400,
            json!({ "error": { "code": "BadControlRequest", "message": problem } }),
        )
    })
}

fn respond(inner: &mut Inner, request: &Request) -> Result<Answer, String> {
    let segments = request.segments();
    let rest = segments.get(1..).unwrap_or_default();
    let ok = |body: Value| Ok(Answer::json(200, body));
    match (request.method.as_str(), rest) {
        ("GET", ["health"]) => ok(json!({ "status": "ok" })),
        ("POST", ["reset"]) => {
            inner.reset();
            ok(json!({}))
        }
        ("POST", ["faults"]) => {
            let fault: faults::Fault = body(request)?;
            ok(json!({ "id": inner.faults.add(fault)? }))
        }
        ("GET", ["faults"]) => ok(json!({ "value": inner.faults.list() })),
        ("DELETE", ["faults"]) => {
            inner.faults.clear();
            ok(json!({}))
        }
        ("POST", ["actors"]) => {
            let actor: actors::Actor = body(request)?;
            ok(json!({ "id": inner.actors.add(actor)? }))
        }
        ("GET", ["actors"]) => ok(inner.actors.list()),
        ("DELETE", ["actors"]) => {
            inner.actors.clear();
            ok(json!({}))
        }
        ("GET", ["requests"]) => ok(json!({ "value": inner.log.entries() })),
        ("DELETE", ["requests"]) => {
            inner.log.clear();
            ok(json!({}))
        }
        ("GET", ["settings"]) => ok(json!(inner.settings)),
        ("PATCH", ["settings"]) => {
            let mut merged = json!(inner.settings);
            for (name, value) in body::<serde_json::Map<String, Value>>(request)? {
                if merged.get(&name).is_none() {
                    return Err(format!("there is no setting '{name}'"));
                }
                merged[&name] = value;
            }
            inner.settings =
                serde_json::from_value::<Settings>(merged).map_err(|error| error.to_string())?;
            ok(json!(inner.settings))
        }
        ("POST", ["tokens", "expire"]) => {
            inner.world.token_generation += 1;
            ok(json!({ "generation": inner.world.token_generation }))
        }
        ("GET" | "POST", ["token"]) => {
            let audience = request.param("audience");
            let subject = Subject {
                tenant: &inner.world.tenant,
                client: "sandbox-control",
                audience: audience
                    .as_deref()
                    .unwrap_or("https://management.azure.com/"),
            };
            ok(
                json!({ "access_token": auth::issue(&inner.world, &subject, inner.settings.token_lifetime) }),
            )
        }
        ("GET", ["oidc", "github"]) => Ok(login::federated_token(&inner.world, request, true)),
        ("POST", ["oidc", "ado"]) => Ok(login::federated_token(&inner.world, request, false)),
        ("GET", ["operations"]) => {
            let all = json!({ "value": inner.world.operations.values().collect::<Vec<_>>() });
            ok(record::redacted(&all))
        }
        ("POST", ["operations", "complete"]) => {
            inner.complete_all();
            ok(json!({}))
        }
        ("PUT", ["registrations", subscription, namespace]) => {
            let state = match body::<Value>(request)?["state"].as_str() {
                Some("Registered") => Registration::Registered,
                Some("NotRegistered") => Registration::NotRegistered,
                Some("Unregistered") => Registration::Unregistered,
                _ => return Err("state is Registered, NotRegistered or Unregistered".into()),
            };
            inner
                .world
                .registrations
                .insert(format!("{subscription}/{namespace}").to_lowercase(), state);
            ok(json!({}))
        }
        ("PUT", ["principals", object]) => {
            let mut principal: Principal = body(request)?;
            if !KINDS.contains(&principal.kind.as_str()) {
                return Err(format!("type is one of {}", KINDS.join(", ")));
            }
            principal.since = inner.world.now;
            inner
                .world
                .principals
                .insert(object.to_lowercase(), principal);
            ok(json!({}))
        }
        ("GET", ["principals"]) => ok(json!(inner.world.principals)),
        ("DELETE", ["principals", object]) => {
            inner.world.principals.remove(&object.to_lowercase());
            ok(json!({}))
        }
        ("GET", ["resources"]) => {
            let full = request.param("full").is_some();
            let value: Vec<Value> = inner
                .world
                .all()
                // What is left of a command is its answer, and no resource.
                .filter(|resource| resource.type_name != run_command::NAME)
                .map(|resource| {
                    if full {
                        inner.world.view(resource)
                    } else {
                        json!(resource.id.as_str())
                    }
                })
                .collect();
            ok(json!({ "value": value }))
        }
        (method, ["resources", ..]) => edit(inner, method, request),
        ("GET" | "PATCH", ["kubernetes", ..]) => inside(inner, request),
        ("POST", ["logs", ..]) => happened(inner, request),
        ("GET", ["images", ..]) => {
            let text = request.path.splitn(4, '/').nth(3).unwrap_or_default();
            let registry = inner.world.get(&format!("/{text}"));
            let registry = registry.ok_or_else(|| format!("there is no registry /{text}"))?;
            ok(registry
                .at(images::KEY)
                .cloned()
                .unwrap_or_else(|| json!({})))
        }
        ("GET", ["secrets", ..]) => {
            let id = format!(
                "/{}",
                request.path.splitn(4, '/').nth(3).unwrap_or_default()
            );
            match key_vault::secret_value(&inner.world, &id) {
                Some(value) => ok(json!({ "value": value })),
                None => Err(format!("there is no secret {id} that is in force")),
            }
        }
        (method, _) => Err(format!(
            "the remote control does not know {method} {}",
            request.path
        )),
    }
}

/// Reads or changes a stored resource past all checks, as someone else's tool would have done it.
fn edit(inner: &mut Inner, method: &str, request: &Request) -> Result<Answer, String> {
    let text = request
        .path
        .splitn(4, '/')
        .nth(3)
        .map(|rest| format!("/{rest}"))
        .unwrap_or_default();
    let id = ResourceId::parse(&text).ok_or_else(|| format!("'{text}' is not a resource id"))?;
    let kind = table::find(&id.type_name())
        .ok_or_else(|| format!("there is no type {}", id.type_name()))?;
    let world = &mut inner.world;
    let stored = world.get(id.as_str()).cloned();
    match method {
        "GET" => {}
        "PUT" => store(
            inner,
            kind,
            Resource::new(id.clone(), kind.name, body(request)?),
        ),
        "PATCH" => {
            let mut resource = stored.ok_or_else(|| format!("{id} does not exist"))?;
            bodies::merge(&mut resource.body, body(request)?);
            store(inner, kind, resource);
        }
        "DELETE" => {
            let raw = request.param("raw").is_some();
            if !raw {
                let mut draft = world.clone();
                draft.delete(&id).map_err(|error| error.to_string())?;
                *world = draft;
            } else {
                world.remove(id.as_str());
            }
            return Ok(Answer::json(
                if stored.is_some() { 200 } else { 404 },
                json!({}),
            ));
        }
        _ => return Err(format!("{method} is not possible on a stored resource")),
    }
    match inner.world.get(id.as_str()) {
        Some(resource) => Ok(Answer::json(200, inner.world.view(resource))),
        None => Ok(Answer::json(
            404,
            json!({ "error": { "code": "NotStored", "message": format!("{id} does not exist") } }),
        )),
    }
}

/// What lives inside a cluster: its Kubernetes objects, and the answers laid down for run commands.
fn inside(inner: &mut Inner, request: &Request) -> Result<Answer, String> {
    let text = request.path.splitn(4, '/').nth(3).unwrap_or_default();
    let id = format!("/{text}");
    if request.method == "PATCH" && !kubernetes::merge(&mut inner.world, &id, body(request)?) {
        return Err(format!("there is no cluster {id}"));
    }
    let held = kubernetes::read(&inner.world, &id);
    held.map(|held| Answer::json(200, held))
        .ok_or_else(|| format!("there is no cluster {id}"))
}

/// Events of a resource, as its own traffic would have made them: its diagnostic settings send them.
fn happened(inner: &mut Inner, request: &Request) -> Result<Answer, String> {
    let id = format!(
        "/{}",
        request.path.splitn(4, '/').nth(3).unwrap_or_default()
    );
    let body: Value = body(request)?;
    let category = body["category"].as_str().ok_or("the category is missing")?;
    if inner.world.get(&id).is_none() {
        return Err(format!("{id} does not exist"));
    }
    let before = inner.world.log_rows.len();
    for event in body["events"].as_array().into_iter().flatten() {
        let time = match event["TimeGenerated"].as_str() {
            None => inner.world.now,
            Some(text) => timespan::instant(text).ok_or("TimeGenerated is no time")?,
        };
        tables::send(&mut inner.world, &id, category, event, time);
    }
    Ok(Answer::json(
        200,
        json!({ "sent": inner.world.log_rows.len() - before }),
    ))
}

fn store(inner: &mut Inner, kind: &Type, mut resource: Resource) {
    for name in ["id", "name", "type"] {
        resource.unset(&format!("/{name}"));
    }
    guards::touch_etag(&mut inner.world, kind, &mut resource);
    inner.world.insert(resource);
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body)
        .map_err(|error| format!("the body is not understood: {error}"))
}
