//! Repositories as the OCI distribution specification lets clients read and write them: manifests, tags,
//! layers, and uploads of layers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::attributes::{self, Query};
use super::{Visit, events, refused, tokens};
use crate::exchange::Answer;
use crate::store::{Resource, World};
use crate::types::container_registry::contents::{self, Part};
use crate::types::container_registry::{images, scope_maps};

/// What a request does to a repository.
pub enum Deed {
    /// Reads a manifest.
    Read(String),
    /// Writes one, under a tag or its digest.
    Write(String),
    /// Deletes one with all its tags.
    Delete(String),
    /// Takes one tag away.
    Untag(String),
    /// Lists the tags.
    Tags,
    /// Reads a layer or a configuration.
    Blob(String),
    /// Begins an upload; with a digest in the query it is the whole of it.
    Begin,
    /// Adds to an upload.
    Add(String),
    /// Ends one.
    End(String),
    /// Asks about the repository.
    Ask(Query),
    /// Deletes it with all that it has.
    DeleteAll,
}

/// The name of a repository in its parts, the right that is needed, and the deed.
pub type Route<'a> = (&'a [&'a str], &'static str, Deed);

/// The repository, the right that is needed, and the deed of a path.
pub fn route(method: &str, segments: &[&str]) -> Option<(String, &'static str, Deed)> {
    let (repository, action, deed) = match segments {
        ["v2", path @ ..] => distribution(method, path)?,
        ["acr", "v1", path @ ..] => attributes::route(method, path)?,
        _ => return None,
    };
    let repository = repository.join("/");
    scope_maps::repository(&repository).then_some((repository, action, deed))
}

/// The route of a path below `/v2/`.
fn distribution<'a>(method: &str, path: &'a [&'a str]) -> Option<Route<'a>> {
    Some(match (method, path) {
        ("GET" | "HEAD", [name @ .., "manifests", reference]) => {
            (name, "pull", Deed::Read((*reference).to_owned()))
        }
        ("PUT", [name @ .., "manifests", reference]) => {
            (name, "push", Deed::Write((*reference).to_owned()))
        }
        ("DELETE", [name @ .., "manifests", reference]) => {
            (name, "delete", Deed::Delete((*reference).to_owned()))
        }
        ("GET", [name @ .., "tags", "list"]) => (name, "metadata_read", Deed::Tags),
        ("POST", [name @ .., "blobs", "uploads"]) => (name, "push", Deed::Begin),
        ("PATCH", [name @ .., "blobs", "uploads", id]) => {
            (name, "push", Deed::Add((*id).to_owned()))
        }
        ("PUT", [name @ .., "blobs", "uploads", id]) => (name, "push", Deed::End((*id).to_owned())),
        ("GET" | "HEAD", [name @ .., "blobs", digest]) => {
            (name, "pull", Deed::Blob((*digest).to_owned()))
        }
        _ => return None,
    })
}

/// The names of all repositories.
pub fn catalog(registry: &Resource) -> Answer {
    let held = registry.at(images::KEY).and_then(|all| all.as_object());
    let names: Vec<&String> = held.into_iter().flat_map(|all| all.keys()).collect();
    Answer::json(200, json!({ "repositories": names }))
}

/// Does it, for a client that may.
pub fn act(world: &mut World, visit: &Visit<'_>, repository: &str, deed: &Deed) -> Answer {
    let registry = &visit.registry;
    match deed {
        Deed::Read(reference) => read(world, visit, repository, reference),
        Deed::Write(reference) => write(world, visit, repository, reference),
        Deed::Delete(reference) => remove(world, visit, repository, reference, "Delete"),
        Deed::Untag(tag) => remove(world, visit, repository, tag, "Untag"),
        Deed::Tags => match images::tags(registry, repository) {
            Some(tags) => Answer::json(200, json!({ "name": repository, "tags": tags })),
            None => refused(404, "NAME_UNKNOWN", "The repository is not known."),
        },
        Deed::Blob(digest) => match contents::of_repository(registry, repository, digest) {
            Some(part) => Answer::bytes(200, "application/octet-stream", part.bytes)
                .header("docker-content-digest", digest),
            None => refused(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        },
        Deed::Ask(query) => attributes::answer(registry, repository, query),
        Deed::DeleteAll => attributes::delete(world, visit, repository),
        Deed::Begin => match visit.request.param("digest") {
            Some(digest) => finish(world, visit, repository, &[], &digest),
            None => {
                let id = world.guid();
                upload(world, visit, repository, &id, &[])
            }
        },
        Deed::Add(id) => match so_far(registry, id) {
            Some(mut bytes) => {
                bytes.extend_from_slice(&visit.request.body);
                upload(world, visit, repository, id, &bytes)
            }
            None => unknown_upload(),
        },
        Deed::End(id) => match (so_far(registry, id), visit.request.param("digest")) {
            (Some(bytes), Some(digest)) => {
                let answer = finish(world, visit, repository, &bytes, &digest);
                if let Some(stored) = world.get_mut(registry.id.as_str()) {
                    stored.unset(&format!("{}/{id}", images::UPLOADS));
                }
                answer
            }
            (Some(_), None) => digest_invalid(),
            (None, _) => unknown_upload(),
        },
    }
}

fn read(world: &mut World, visit: &Visit<'_>, repository: &str, reference: &str) -> Answer {
    let Some(digest) = images::digest(&visit.registry, repository, reference) else {
        return unknown(reference);
    };
    // What a test says to be there without bytes has a manifest that says nothing.
    let part = contents::find(&visit.registry, &digest).unwrap_or_else(|| Part {
        kind: "application/vnd.oci.image.index.v1+json".to_owned(),
        bytes: json!({ "schemaVersion": 2, "manifests": [] })
            .to_string()
            .into_bytes(),
    });
    if visit.request.method == "GET" {
        report(
            world,
            visit,
            "Pull",
            repository,
            reference,
            (&digest, &part),
        );
    }
    Answer::bytes(200, &part.kind, part.bytes).header("docker-content-digest", digest)
}

fn write(world: &mut World, visit: &Visit<'_>, repository: &str, reference: &str) -> Answer {
    let kind = visit.request.header("content-type");
    let part = Part {
        kind: kind
            .unwrap_or("application/vnd.oci.image.manifest.v1+json")
            .to_owned(),
        bytes: visit.request.body.to_vec(),
    };
    let digest = part.digest();
    let by_digest = reference.contains(':');
    if by_digest && reference != digest {
        return digest_invalid();
    }
    let is_object = serde_json::from_slice::<serde_json::Value>(&part.bytes)
        .is_ok_and(|value| value.is_object());
    if !is_object {
        return refused(400, "MANIFEST_INVALID", "manifest invalid");
    }
    let missing = contents::references(&part)
        .into_iter()
        .find(|needed| contents::of_repository(&visit.registry, repository, needed).is_none());
    if let Some(missing) = missing {
        let message = format!("blob unknown to registry: {missing}");
        return refused(404, "MANIFEST_BLOB_UNKNOWN", &message);
    }
    if let Some(stored) = world.get_mut(visit.registry.id.as_str()) {
        contents::store(stored, &part);
        let tag = (!by_digest).then_some(reference);
        images::put(stored, repository, tag, &digest);
    }
    report(
        world,
        visit,
        "Push",
        repository,
        reference,
        (&digest, &part),
    );
    Answer::empty(201)
        .header("location", format!("/v2/{repository}/manifests/{digest}"))
        .header("docker-content-digest", digest)
}

fn remove(
    world: &mut World,
    visit: &Visit<'_>,
    repository: &str,
    reference: &str,
    operation: &str,
) -> Answer {
    let Some(digest) = images::digest(&visit.registry, repository, reference) else {
        return unknown(reference);
    };
    // Deleting a manifest by its tag deletes the manifest.
    let what = if operation == "Untag" {
        reference
    } else {
        &digest
    };
    if let Some(stored) = world.get_mut(visit.registry.id.as_str()) {
        images::remove(stored, repository, what);
    }
    removed(world, visit, operation, repository, (reference, &digest));
    Answer::empty(202)
}

/// Leaves an event of a manifest or a tag that went.
pub fn removed(
    world: &mut World,
    visit: &Visit<'_>,
    operation: &str,
    repository: &str,
    (reference, digest): (&str, &str),
) {
    let part = contents::find(&visit.registry, digest).unwrap_or_else(|| Part {
        kind: String::new(),
        bytes: Vec::new(),
    });
    report(
        world,
        visit,
        operation,
        repository,
        reference,
        (digest, &part),
    );
}

/// Leaves an event of what the client did.
fn report(
    world: &mut World,
    visit: &Visit<'_>,
    operation: &str,
    repository: &str,
    reference: &str,
    (digest, part): (&str, &Part),
) {
    let Some(client) = tokens::client(world, &visit.registry, visit.request) else {
        return;
    };
    let deed = events::Deed {
        operation,
        repository,
        tag: (!reference.contains(':')).then_some(reference),
        digest,
        kind: &part.kind,
        size: part.bytes.len(),
    };
    events::repository(world, visit, &client.who, &deed);
}

fn so_far(registry: &Resource, id: &str) -> Option<Vec<u8>> {
    let text = registry.at(images::UPLOADS)?.get(id)?.as_str()?;
    STANDARD.decode(text).ok()
}

fn upload(
    world: &mut World,
    visit: &Visit<'_>,
    repository: &str,
    id: &str,
    bytes: &[u8],
) -> Answer {
    if let Some(stored) = world.get_mut(visit.registry.id.as_str()) {
        stored.set(&format!("{}/{id}", images::UPLOADS), STANDARD.encode(bytes));
    }
    Answer::empty(202)
        .header("location", format!("/v2/{repository}/blobs/uploads/{id}"))
        .header("docker-upload-uuid", id)
        .header("range", format!("0-{}", bytes.len().saturating_sub(1)))
}

/// The bytes of an upload with those of its last request become a blob, when the digest is theirs.
fn finish(
    world: &mut World,
    visit: &Visit<'_>,
    repository: &str,
    before: &[u8],
    digest: &str,
) -> Answer {
    let part = Part {
        kind: "application/octet-stream".to_owned(),
        bytes: [before, &visit.request.body].concat(),
    };
    if part.digest() != digest {
        return digest_invalid();
    }
    if let Some(stored) = world.get_mut(visit.registry.id.as_str()) {
        contents::push(stored, repository, &part);
    }
    Answer::empty(201)
        .header("location", format!("/v2/{repository}/blobs/{digest}"))
        .header("docker-content-digest", digest)
}

/// No such tag or manifest.
pub fn unknown(reference: &str) -> Answer {
    let message = format!("manifest {reference} is not found");
    refused(404, "MANIFEST_UNKNOWN", &message)
}

fn digest_invalid() -> Answer {
    let message = "provided digest did not match uploaded content";
    refused(400, "DIGEST_INVALID", message)
}

fn unknown_upload() -> Answer {
    refused(
        404,
        "BLOB_UPLOAD_UNKNOWN",
        "blob upload unknown to registry",
    )
}
