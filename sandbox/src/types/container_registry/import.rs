//! `POST .../importImage`: Resource Manager copies an image into a registry itself, whatever the target's
//! network rules say. A source of the sandbox is read with the caller's rights, or with the credentials
//! that the body gives; other registries are not asked: every image of theirs exists, and what it says
//! follows from its name. (REST documentation, "Registries - Import Image"; Microsoft Learn, "Import
//! container images to a container registry".)

use serde_json::Value;

use super::rights::{self, Deed};
use super::{contents, credentials, images, registries, rules, scope_maps, tokens};
use crate::auth;
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::authorization::permissions;

/// Where the image comes from.
enum Source {
    /// A registry of the sandbox, and the digest.
    Registry(Box<Resource>, String),
    /// An image that is made up.
    MadeUp([contents::Part; 3]),
    /// A digest of which nothing is known.
    Digest(String),
}

/// Imports.
///
/// # Errors
/// A body that Azure refuses, a source that is not there or lets nobody in, a tag that exists.
pub fn run(world: &mut World, registry: &Resource, request: &Request) -> ArmResult<Answer> {
    let body = request.object()?;
    let Some(image) = body["source"]["sourceImage"].as_str() else {
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
    let texts = |name: &str| -> Vec<&str> {
        let items = body[name].as_array().map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str).collect()
    };
    let untagged = texts("untaggedTargetRepositories");
    let (name, reference) = split(image);
    // A target without a tag has the source's, or `latest`.
    let source_tag = if reference.contains(':') {
        "latest"
    } else {
        reference
    };
    let mut tags: Vec<(&str, &str)> = texts("targetTags")
        .into_iter()
        .map(|tag| tag.rsplit_once(':').unwrap_or((tag, source_tag)))
        .collect();
    if tags.is_empty() && untagged.is_empty() {
        tags.push((name, source_tag));
    }
    let targets = tags.iter().map(|(repository, _)| repository);
    if let Some(wrong) = targets
        .chain(&untagged)
        .find(|repository| !scope_maps::repository(repository))
    {
        return Err(invalid_content(format!(
            "The repository name '{wrong}' is invalid. Path 'targetTags'"
        )));
    }
    let source = find(world, &body["source"], image, request)?;
    let stored = world.require(&registry.id)?.clone();
    for (repository, tag) in &tags {
        if !force && images::digest(&stored, repository, tag).is_some() {
            return Err(ArmError::conflict(
                "Conflict",
                format!(
                    "Tag {repository}:{tag} already exists in target registry {}.",
                    registry.id.name()
                ),
            ));
        }
    }
    let mut target = stored;
    let digest = keep(&mut target, source);
    for (repository, tag) in tags {
        images::put(&mut target, repository, Some(tag), &digest);
    }
    for repository in untagged {
        images::put(&mut target, repository, None, &digest);
    }
    world.insert(target);
    Ok(Answer::empty(202))
}

/// Keeps what the image says, and tells its digest.
fn keep(target: &mut Resource, source: Source) -> String {
    match source {
        Source::Registry(from, digest) => {
            contents::copy(&from, target, &digest);
            digest
        }
        Source::MadeUp(parts) => {
            for part in &parts {
                contents::store(target, part);
            }
            parts[0].digest()
        }
        Source::Digest(digest) => digest,
    }
}

fn find(world: &World, source: &Value, image: &str, request: &Request) -> ArmResult<Source> {
    if let Some(id) = source["resourceId"].as_str() {
        let id = ResourceId::parse(id)
            .filter(|id| id.type_name().eq_ignore_ascii_case(registries::NAME))
            .ok_or_else(|| {
                invalid_content("The source's 'resourceId' is no registry. Path 'source'")
            })?;
        let registry = world.require(&id)?;
        check_caller(world, registry, split(image).0, request)?;
        return of_registry(registry, image);
    }
    let Some(host) = source["registryUri"]
        .as_str()
        .map(|host| host.trim_start_matches("https://").trim_end_matches('/'))
        .filter(|host| !host.is_empty())
    else {
        return Err(invalid_content(
            "One of the properties 'resourceId' and 'registryUri' is required. Path 'source'",
        ));
    };
    let given = &source["credentials"];
    let own = world.of_type(registries::NAME).find(|registry| {
        registry
            .text("/properties/loginServer")
            .is_some_and(|server| server.eq_ignore_ascii_case(host))
    });
    let welcome = match own {
        Some(registry) => opens(world, registry, split(image).0, given),
        None => given["password"] != "invalid",
    };
    if !welcome {
        return Err(ArmError::new(
            401,
            "SourceRegistryUnauthorized",
            format!("The source registry {host} refused the credentials."),
        ));
    }
    match (own, image.split_once('@')) {
        (Some(registry), _) => of_registry(registry, image),
        (None, Some((_, digest))) => Ok(Source::Digest(digest.to_owned())),
        (None, None) => Ok(Source::MadeUp(contents::made_up(&format!(
            "{host}/{image}"
        )))),
    }
}

/// The caller of Resource Manager owns everything but what `callerNotActions` takes; where data actions
/// decide, it needs a role of its own.
fn check_caller(
    world: &World,
    registry: &Resource,
    repository: &str,
    request: &Request,
) -> ArmResult<()> {
    if let Some(action) = rights::action(registry, Deed::Pull) {
        return permissions::check(world, &action, registry.id.as_str());
    }
    let token = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "));
    let caller = token.and_then(auth::claims).unwrap_or_default();
    let caller = caller["oid"].as_str().unwrap_or_default();
    if rights::may(world, caller, registry, repository, Deed::Pull) {
        return Ok(());
    }
    Err(ArmError::new(
        403,
        "AuthorizationFailed",
        format!(
            "The client '{caller}' may not read the repository '{repository}' of the source registry {}, whose role assignment mode is AbacRepositoryPermissions.",
            registry.id.name()
        ),
    ))
}

/// Whether a repository of a registry opens to credentials, or to anybody.
fn opens(world: &World, registry: &Resource, repository: &str, given: &Value) -> bool {
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let (name, password) = (text("username"), text("password"));
    let token = tokens::login(world, registry, name, password);
    let by_token = token
        .and_then(|token| scope_maps::actions(world, token.text("/properties/scopeMapId")?))
        .is_some_and(|actions| {
            actions
                .iter()
                .any(|action| scope_maps::covers(action, repository, "content/read"))
        });
    by_token
        || credentials::opens(world, registry, name, password)
        || (given.is_null()
            && registry.at("/properties/anonymousPullEnabled") == Some(&true.into()))
}

/// An image of another registry of the sandbox. The service reaches one with network rules only as a
/// trusted service, and none that lets nothing be exported.
fn of_registry(registry: &Resource, image: &str) -> ArmResult<Source> {
    let name = registry.id.name();
    let closed = rules::is(registry, "publicNetworkAccess", "Disabled")
        || rules::is(registry, "networkRuleSet/defaultAction", "Deny");
    if closed && rules::is(registry, "networkRuleBypassOptions", "None") {
        return Err(ArmError::new(
            403,
            "SourceRegistryAccessDenied",
            format!("The source registry {name} denies access to trusted services."),
        ));
    }
    if rules::is(registry, "policies/exportPolicy/status", "disabled") {
        return Err(ArmError::new(
            403,
            "ExportDisabled",
            format!("The source registry {name} has exports disabled."),
        ));
    }
    let (repository, reference) = split(image);
    let digest = images::digest(registry, repository, reference).ok_or_else(|| {
        ArmError::new(
            404,
            "ImageNotFound",
            format!("Image {image} was not found in the source registry {name}."),
        )
    })?;
    Ok(Source::Registry(Box::new(registry.clone()), digest))
}

/// Repository, and tag or digest; `latest` when the image names neither.
fn split(image: &str) -> (&str, &str) {
    image
        .split_once('@')
        .or_else(|| image.rsplit_once(':'))
        .unwrap_or((image, "latest"))
}
