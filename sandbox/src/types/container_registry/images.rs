//! What a registry holds: repositories with manifests and tags. It lies within the registry's resource
//! and shows in the data plane alone; `importImage` copies into it, as Resource Manager does itself.
//!
//! Public registries are not asked: every image of theirs exists, and its digest follows from its name.

use serde_json::{Value, json};
use uuid::Uuid;

use super::registries;
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};

/// Where the registry keeps them; never shown.
pub const KEY: &str = "/images";

/// The digest of a tag or of a digest itself, where the repository holds it.
#[must_use]
pub fn digest(registry: &Resource, repository: &str, reference: &str) -> Option<String> {
    let held = held(registry, repository)?;
    if reference.contains(':') {
        let manifests = held["manifests"].as_array()?;
        return manifests
            .iter()
            .any(|known| known == reference)
            .then(|| reference.to_owned());
    }
    held["tags"][reference].as_str().map(ToOwned::to_owned)
}

/// The tags of a repository, sorted; `None` where there is no such repository.
#[must_use]
pub fn tags(registry: &Resource, repository: &str) -> Option<Vec<String>> {
    let tags = held(registry, repository)?["tags"].as_object()?.clone();
    Some(tags.into_iter().map(|(tag, _)| tag).collect())
}

fn held<'a>(registry: &'a Resource, repository: &str) -> Option<&'a Value> {
    registry.at(KEY)?.get(repository)
}

/// Puts a manifest into a repository, under a tag where one is given.
pub fn put(registry: &mut Resource, repository: &str, tag: Option<&str>, digest: &str) {
    change(registry, repository, |held| {
        let manifests = held["manifests"].as_array_mut();
        if let Some(manifests) = manifests.filter(|known| known.iter().all(|one| one != digest)) {
            manifests.push(json!(digest));
        }
        if let Some(tag) = tag {
            held["tags"][tag] = json!(digest);
        }
    });
}

/// Takes a tag away, or a manifest with all its tags. Says whether it was there.
pub fn remove(registry: &mut Resource, repository: &str, reference: &str) -> bool {
    if digest(registry, repository, reference).is_none() {
        return false;
    }
    change(registry, repository, |held| {
        if let Some(tags) = held["tags"].as_object_mut() {
            tags.retain(|tag, at| tag != reference && at != reference);
        }
        if let Some(manifests) = held["manifests"].as_array_mut() {
            manifests.retain(|known| known != reference);
        }
    });
    true
}

fn change(registry: &mut Resource, repository: &str, change: impl FnOnce(&mut Value)) {
    let mut all = registry.at(KEY).cloned().unwrap_or_else(|| json!({}));
    if all[repository].is_null() {
        all[repository] = json!({ "tags": {}, "manifests": [] });
    }
    change(&mut all[repository]);
    registry.set(KEY, all);
}

/// The digest of an image of a registry that the sandbox does not have: always the same for a name.
#[must_use]
pub fn made_up(name: &str) -> String {
    let half = |part: &str| {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{part} {name}").as_bytes())
            .simple()
            .to_string()
    };
    format!("sha256:{}{}", half("first"), half("second"))
}

/// `POST .../importImage` (REST documentation, "Registries - Import Image").
///
/// # Errors
/// A body that Azure refuses, a source that is not there or lets nobody in, a tag that exists.
pub fn import(world: &mut World, registry: &Resource, request: &Request) -> ArmResult<Answer> {
    let body = request.object()?;
    let source = &body["source"];
    let Some(image) = source["sourceImage"].as_str() else {
        return Err(invalid_content(
            "Required property 'sourceImage' not found in JSON. Path 'source'",
        ));
    };
    let force = match body["mode"].as_str() {
        None | Some("NoForce") => false,
        Some("Force") => true,
        Some(other) => {
            return Err(invalid_content(format!(
                "The import mode '{other}' is none of 'NoForce' and 'Force'. Path 'mode'"
            )));
        }
    };
    let texts = |name: &str| -> Vec<String> {
        let items = body[name].as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    };
    let (tags, untagged) = (texts("targetTags"), texts("untaggedTargetRepositories"));
    let digest = match source["resourceId"].as_str() {
        Some(id) => of_registry(world, id, image)?,
        None => of_host(source, image)?,
    };
    let stored = world.require(&registry.id)?.clone();
    for tag in &tags {
        let (repository, name) = split(tag)?;
        let there = self::digest(&stored, repository, name).is_some();
        if there && !force {
            return Err(ArmError::conflict(
                "Conflict",
                format!(
                    "Tag {tag} already exists in target registry {}.",
                    registry.id.name()
                ),
            ));
        }
    }
    if let Some(target) = world.get_mut(registry.id.as_str()) {
        for tag in &tags {
            let (repository, name) = split(tag)?;
            put(target, repository, Some(name), &digest);
        }
        for repository in &untagged {
            put(target, repository, None, &digest);
        }
        if tags.is_empty() && untagged.is_empty() {
            let (repository, name) = split(image)?;
            put(target, repository, Some(name), &digest);
        }
    }
    Ok(Answer::empty(202))
}

/// An image of another registry of the sandbox, read with the caller's own rights.
fn of_registry(world: &World, id: &str, image: &str) -> ArmResult<String> {
    let id = ResourceId::parse(id)
        .filter(|id| id.type_name().eq_ignore_ascii_case(registries::NAME))
        .ok_or_else(|| {
            invalid_content("The source's 'resourceId' is no registry. Path 'source'")
        })?;
    let registry = world.require(&id)?;
    let text = |pointer: &str| registry.text(pointer).unwrap_or_default();
    let closed = text("/properties/publicNetworkAccess") == "Disabled"
        || text("/properties/networkRuleSet/defaultAction") == "Deny";
    if closed && text("/properties/networkRuleBypassOptions") == "None" {
        return Err(ArmError::new(
            403,
            "SourceRegistryAccessDenied",
            format!(
                "The source registry {} denies access to trusted services.",
                id.name()
            ),
        ));
    }
    let (repository, name) = split(image)?;
    digest(registry, repository, name).ok_or_else(|| {
        ArmError::new(
            404,
            "ImageNotFound",
            format!(
                "Image {image} was not found in the source registry {}.",
                id.name()
            ),
        )
    })
}

/// An image of a public registry, or of a private one with a password.
fn of_host(source: &Value, image: &str) -> ArmResult<String> {
    let Some(host) = source["registryUri"]
        .as_str()
        .filter(|host| !host.is_empty())
    else {
        return Err(invalid_content(
            "One of the properties 'resourceId' and 'registryUri' is required. Path 'source'",
        ));
    };
    if source["credentials"]["password"] == "invalid" {
        return Err(ArmError::new(
            401,
            "SourceRegistryUnauthorized",
            format!("The source registry {host} refused the credentials."),
        ));
    }
    match image.split_once('@') {
        Some((_, digest)) => Ok(digest.to_owned()),
        None => Ok(made_up(&format!("{host}/{image}"))),
    }
}

/// Repository, and tag or digest.
fn split(image: &str) -> ArmResult<(&str, &str)> {
    image
        .split_once('@')
        .or_else(|| image.rsplit_once(':'))
        .ok_or_else(|| invalid_content(format!("The image '{image}' has no tag and no digest")))
}
