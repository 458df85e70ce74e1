//! `POST .../runCommand` and its results. A command runs when its result is due: it acts on the objects of
//! the cluster, or gives the answer that a test laid down for it (`/_sandbox/kubernetes{id}`).

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use super::kubernetes::objects::Objects;
use super::kubernetes::shell::{self, Files, Pod};
use super::kubernetes::web::Web;
use super::kubernetes::{self, Outcome};
use super::{VERSIONS, invalid, not_allowed, on};
use crate::auth;
use crate::errors::ArmResult;
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Place, Type};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerService/managedClusters/commandResults";

/// The row: 202 with its own URL while the command runs, then the result.
pub const COMMAND_RESULTS: Type = Type {
    place: Place::None,
    writable: false,
    creating: Some("Running"),
    pending: |result| result.text(LOGS).is_none() && result.state() != "Failed",
    settle: execute,
    render,
    ..Type::new(NAME, VERSIONS)
};

const LOGS: &str = "/properties/logs";
/// The request of a result; never shown.
const REQUEST: &str = "/request";
/// The largest part of a context that is unpacked.
const LARGEST: u64 = 4 << 20;

/// Accepts a command.
///
/// # Errors
/// Run command is disabled; the cluster does not run; the context is no zip; a cluster with Entra for its
/// users is given no token for it.
pub fn run(world: &mut World, cluster: &Resource, request: &Request) -> ArmResult<Answer> {
    if on(
        cluster,
        "/properties/apiServerAccessProfile/disableRunCommand",
    ) {
        return Err(not_allowed(format!(
            "Run command is disabled for the managed cluster {} (apiServerAccessProfile.disableRunCommand).",
            cluster.id.name()
        )));
    }
    if cluster.text("/properties/powerState/code") == Some("Stopped")
        || cluster.state() == "Creating"
    {
        return Err(not_allowed(format!(
            "The managed cluster {} is not running, so it runs no command.",
            cluster.id.name()
        )));
    }
    let body = request.object()?;
    let command = body["command"].as_str().unwrap_or_default();
    if command.trim().is_empty() {
        return Err(invalid("command", "A command is required"));
    }
    let context = body["context"].as_str().unwrap_or_default();
    unpack(context)?;
    let token = body["clusterToken"].as_str().unwrap_or_default();
    if on(cluster, "/properties/aadProfile/managed") && !opens(world, token) {
        return Err(invalid(
            "clusterToken",
            "A cluster with Microsoft Entra ID runs a command as its caller and needs a token for the AKS server application",
        ));
    }
    let id = cluster
        .id
        .child("commandResults", &world.guid().replace('-', ""));
    let now = world.timestamp();
    world.insert(Resource::new(
        id.clone(),
        NAME,
        json!({ "properties": { "provisioningState": "Running", "startedAt": now }, "request": { "command": command, "context": context } }),
    ));
    let version = request.api_version().unwrap_or_default();
    let mut answer = Answer::empty(202).header(
        "location",
        format!("{}{id}?api-version={version}", request.base),
    );
    answer.started = Some(id);
    Ok(answer)
}

/// The server application of clusters with Entra for their users, the same for all of them
/// (Microsoft Learn, "Use kubelogin to authenticate users in Azure Kubernetes Service").
const SERVER_APPLICATION: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// Whether a token is one for clusters.
fn opens(world: &World, token: &str) -> bool {
    auth::valid(world, token).is_some_and(|claims| claims["aud"] == SERVER_APPLICATION)
}

/// The files of a context: a zip in base64.
fn unpack(context: &str) -> ArmResult<Files> {
    let mut files = Files::new();
    if context.is_empty() {
        return Ok(files);
    }
    let wrong = |why: String| {
        invalid(
            "context",
            format!("The context is not a zip file in base64: {why}"),
        )
    };
    let bytes = STANDARD
        .decode(context)
        .map_err(|error| wrong(error.to_string()))?;
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
    for at in 0..archive.len() {
        let entry = archive
            .by_index(at)
            .map_err(|error| wrong(error.to_string()))?;
        if entry.is_dir() {
            continue;
        }
        let name = entry
            .name()
            .map_err(|error| wrong(error.to_string()))?
            .trim_start_matches("./")
            .to_owned();
        let mut content = Vec::new();
        entry
            .take(LARGEST)
            .read_to_end(&mut content)
            .map_err(|error| wrong(error.to_string()))?;
        files.insert(name, content);
    }
    Ok(files)
}

/// Runs the command of a result.
fn execute(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let result = world.require(id)?.clone();
    let cluster = id.parent().unwrap_or_else(|| id.clone());
    let text = |pointer: &str| {
        result
            .text(&format!("{REQUEST}/{pointer}"))
            .unwrap_or_default()
            .to_owned()
    };
    let command = text("command");
    let mut store = kubernetes::read(world, cluster.as_str()).unwrap_or_else(|| json!({}));
    let (outcome, state, reason) = match laid_down(&mut store, &command) {
        Some(answer) => answer,
        None => {
            let files = unpack(&text("context"))?;
            let mut none = Map::new();
            let map = store["objects"].as_object_mut().unwrap_or(&mut none);
            let mut pod = Pod {
                files: &files,
                objects: Objects::new(map, &world.timestamp()),
                web: Web {
                    world,
                    cluster: &cluster,
                },
            };
            let outcome = shell::run(&command, &mut pod);
            (outcome, "Succeeded".to_owned(), None)
        }
    };
    if let Some(cluster) = world.get_mut(cluster.as_str()) {
        cluster.set(kubernetes::STORE, store);
    }
    let now = world.timestamp();
    if let Some(result) = world.get_mut(id.as_str()) {
        result.set("/properties/provisioningState", state);
        result.set("/properties/exitCode", outcome.code);
        result.set(LOGS, outcome.logs);
        result.set("/properties/finishedAt", now);
        if let Some(reason) = reason {
            result.set("/properties/reason", reason);
        }
        result.unset(REQUEST);
    }
    Ok(())
}

/// The first answer of a test that fits to the command; it is used up when it has a `count`.
fn laid_down(store: &mut Value, command: &str) -> Option<(Outcome, String, Option<String>)> {
    let answers = store["answers"].as_array_mut()?;
    let at = answers.iter().position(|answer| {
        let pattern = answer["match"].as_str().unwrap_or_default();
        Regex::new(pattern).is_ok_and(|regex| regex.is_match(command))
            && answer["count"].as_u64() != Some(0)
    })?;
    let answer = &mut answers[at];
    if let Some(count) = answer["count"].as_u64() {
        answer["count"] = json!(count - 1);
    }
    let outcome = Outcome {
        code: answer["exitCode"].as_i64().unwrap_or(0),
        logs: answer["logs"].as_str().unwrap_or_default().to_owned(),
    };
    let state = answer["provisioningState"]
        .as_str()
        .unwrap_or("Succeeded")
        .to_owned();
    Some((
        outcome,
        state,
        answer["reason"].as_str().map(ToOwned::to_owned),
    ))
}

/// `{"id": "...", "properties": {...}}`, as the service answers.
fn render(_: &World, result: &Resource, body: &mut Value) {
    let mut properties = body["properties"].take();
    if let Value::Object(map) = &mut properties {
        map.retain(|_, value| !value.is_null());
    }
    *body = json!({ "id": result.id.name(), "properties": properties });
}
