//! What a registry tells of repositories beyond the OCI distribution specification: their attributes, tags
//! and manifests, and the deletion of a repository as a whole (REST documentation of the data plane,
//! `/acr/v1/`; `az acr repository` asks there). Times are not told: a test that lays images down gives none.

use serde_json::{Value, json};

use super::content::{Deed, Route, removed, unknown};
use super::{Visit, host_of, refused};
use crate::exchange::Answer;
use crate::store::{Resource, World};
use crate::types::container_registry::{contents, images};

/// What is asked about a repository.
pub enum Query {
    /// How much it has.
    Repository,
    /// Its tags, or the one of this name.
    Tags(Option<String>),
    /// Its manifests, or the one of this digest.
    Manifests(Option<String>),
}

/// The route of a path below `/acr/v1/`.
pub fn route<'a>(method: &str, path: &'a [&'a str]) -> Option<Route<'a>> {
    let ask = |query| ("metadata_read", Deed::Ask(query));
    let (repository, (action, deed)) = match (method, path) {
        ("GET", [name @ .., "_tags"]) => (name, ask(Query::Tags(None))),
        ("GET", [name @ .., "_tags", tag]) => (name, ask(Query::Tags(Some((*tag).to_owned())))),
        ("DELETE", [name @ .., "_tags", tag]) => (name, ("delete", Deed::Untag((*tag).to_owned()))),
        ("GET", [name @ .., "_manifests"]) => (name, ask(Query::Manifests(None))),
        ("GET", [name @ .., "_manifests", digest]) => {
            let digest = Some((*digest).to_owned());
            (name, ask(Query::Manifests(digest)))
        }
        ("GET", name) => (name, ask(Query::Repository)),
        ("DELETE", name) => (name, ("delete", Deed::DeleteAll)),
        _ => return None,
    };
    Some((repository, action, deed))
}

/// Answers what is asked.
pub fn answer(registry: &Resource, repository: &str, query: &Query) -> Answer {
    let Some(held) = images::held(registry, repository) else {
        return unknown_repository();
    };
    let tags = || held["tags"].as_object().into_iter().flatten();
    let tag = |(name, digest): (&String, &Value)| json!({ "name": name, "digest": digest, "signed": false, "changeableAttributes": changeable() });
    let manifests = || held["manifests"].as_array().into_iter().flatten();
    let manifest = |digest: &Value| {
        let part = digest
            .as_str()
            .and_then(|digest| contents::find(registry, digest));
        let named = tags().filter(|(_, at)| *at == digest);
        let names: Vec<&String> = named.map(|(name, _)| name).collect();
        json!({
            "digest": digest,
            "mediaType": part.as_ref().map(|part| &part.kind),
            "imageSize": part.as_ref().map(|part| part.bytes.len()),
            "tags": names,
            "changeableAttributes": changeable(),
        })
    };
    let found = match query {
        Query::Repository => Some((
            "changeableAttributes",
            json!({ "deleteEnabled": true, "writeEnabled": true, "readEnabled": true, "listEnabled": true, "teleportEnabled": false }),
        )),
        Query::Tags(None) => Some(("tags", tags().map(tag).collect())),
        Query::Tags(Some(name)) => tags()
            .find(|(known, _)| *known == name)
            .map(|found| ("tag", tag(found))),
        Query::Manifests(None) => Some(("manifests", manifests().map(manifest).collect())),
        Query::Manifests(Some(digest)) => manifests()
            .find(|known| *known == digest.as_str())
            .map(|found| ("manifest", manifest(found))),
    };
    let Some((name, value)) = found else {
        let (Query::Tags(named) | Query::Manifests(named)) = query else {
            return unknown_repository();
        };
        return unknown(named.as_deref().unwrap_or_default());
    };
    let mut body = json!({ "registry": host_of(registry), "imageName": repository, name: value });
    if matches!(query, Query::Repository) {
        body["tagCount"] = json!(tags().count());
        body["manifestCount"] = json!(manifests().count());
    }
    Answer::json(200, body)
}

/// Deletes a repository with all that it has.
pub fn delete(world: &mut World, visit: &Visit<'_>, repository: &str) -> Answer {
    let Some(held) = images::held(&visit.registry, repository).cloned() else {
        return unknown_repository();
    };
    let manifests = held["manifests"].as_array().into_iter().flatten();
    for digest in manifests.filter_map(Value::as_str) {
        removed(world, visit, "Delete", repository, (digest, digest));
    }
    if let Some(stored) = world.get_mut(visit.registry.id.as_str()) {
        images::forget(stored, repository);
    }
    let tags = held["tags"].as_object().into_iter().flatten();
    let tags: Vec<&String> = tags.map(|(name, _)| name).collect();
    Answer::json(
        202,
        json!({ "manifestsDeleted": held["manifests"], "tagsDeleted": tags }),
    )
}

fn changeable() -> Value {
    json!({ "deleteEnabled": true, "writeEnabled": true, "readEnabled": true, "listEnabled": true })
}

fn unknown_repository() -> Answer {
    refused(404, "NAME_UNKNOWN", "repository name not known to registry")
}
