//! The data plane of registries: `/v2/` and the exchange of tokens, at the login servers themselves.
//! Clients reach it through the sandbox as their HTTPS proxy; the proxy's user is the address that they
//! come from (`HTTPS_PROXY=http://203.0.113.7@127.0.0.1:8443`), which the registry's network rules judge.
//! (Azure/acr, "AAD-OAuth"; OCI distribution specification; Microsoft Learn, "Configure public IP
//! network rules".)

mod network;
mod tokens;

use serde_json::json;

use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};
use crate::types::container_registry::{images, registries};
use crate::types::operational_insights::{query, tables};

/// The domains below which login servers live.
const DOMAINS: &[&str] = &["azurecr.io", "azurecr.us", "azurecr.cn"];

/// The host of a login server that a request is for, when it came through the proxy.
#[must_use]
pub fn login_server(request: &Request) -> Option<&str> {
    request.place.as_ref()?;
    let host = request.base.split_once("://")?.1.split(':').next()?;
    let known = |domain: &&&str| {
        host.strip_suffix(**domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    DOMAINS.iter().find(known).map(|_| host)
}

/// Whether the proxy leads to a host.
#[must_use]
pub fn serves(host: &str) -> bool {
    let known = |domain: &&str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    query::HOSTS.contains(&host) || DOMAINS.iter().any(known)
}

/// Answers a request to a login server.
#[must_use]
pub fn handle(world: &mut World, request: &Request, host: &str) -> Answer {
    let found = world.of_type(registries::NAME).find(|registry| {
        registry
            .text("/properties/loginServer")
            .is_some_and(|server| server.eq_ignore_ascii_case(host))
    });
    let Some(registry) = found.cloned() else {
        return refused(404, "NAME_UNKNOWN", "There is no registry of that name.");
    };
    let place = request.place.as_deref().unwrap_or_default();
    if let Err(address) = network::admits(world, &registry, place) {
        let message = format!(
            "client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
        );
        return refused(403, "DENIED", &message);
    }
    let answer = answered(world, request, &registry, host);
    record(world, request, &registry, &answer);
    answer
}

/// Sends what happened to where the registry's diagnostic settings say: a login, a pull, a deletion.
/// (Columns: Azure Monitor reference, "ContainerRegistryLoginEvents" and "...RepositoryEvents".)
fn record(world: &mut World, request: &Request, registry: &Resource, answer: &Answer) {
    if answer.status >= 300 {
        return;
    }
    let segments = request.segments();
    let (category, operation, name) = match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["oauth2", "exchange"]) => ("ContainerRegistryLoginEvents", "Login", None),
        ("GET", ["v2", repository @ .., "manifests", name]) => {
            let name = Some((repository.join("/"), *name));
            ("ContainerRegistryRepositoryEvents", "Pull", name)
        }
        ("DELETE", ["v2", repository @ .., "manifests", name])
        | ("DELETE", ["acr", "v1", repository @ .., "_tags", name]) => {
            let name = Some((repository.join("/"), *name));
            ("ContainerRegistryRepositoryEvents", "Delete", name)
        }
        _ => return,
    };
    let place = request.place.as_deref().unwrap_or_default();
    let mut columns = json!({
        "OperationName": operation,
        "CallerIpAddress": network::address(place),
        "Identity": tokens::identity(world, registry, request).unwrap_or_default(),
        "LoginServer": host_of(registry),
    });
    if let Some((repository, name)) = name {
        columns["ArtifactType"] = json!("Tag");
        columns["Repository"] = json!(repository);
        let field = if name.contains(':') { "Digest" } else { "Tag" };
        columns[field] = json!(name);
    }
    let time = world.now;
    tables::send(world, registry.id.as_str(), category, &columns, time);
}

fn answered(world: &mut World, request: &Request, registry: &Resource, host: &str) -> Answer {
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["oauth2", "exchange"]) => tokens::exchange(world, registry, request),
        ("POST", ["oauth2", "token"]) => tokens::access(world, registry, request),
        ("GET", ["v2"]) => match tokens::granted(world, registry, request) {
            Some(_) => Answer::json(200, json!({})),
            None => challenge(host, ""),
        },
        ("GET" | "HEAD", ["v2", repository @ .., "manifests", reference]) => {
            let repository = repository.join("/");
            with(world, registry, request, &repository, "pull", |_| {
                manifest(registry, &repository, reference)
            })
        }
        ("GET", ["v2", repository @ .., "tags", "list"]) => {
            let repository = repository.join("/");
            with(
                world,
                registry,
                request,
                &repository,
                "metadata_read",
                |_| match images::tags(registry, &repository) {
                    Some(tags) => Answer::json(200, json!({ "name": repository, "tags": tags })),
                    None => refused(404, "NAME_UNKNOWN", "The repository is not known."),
                },
            )
        }
        ("DELETE", ["v2", repository @ .., "manifests", reference])
        | ("DELETE", ["acr", "v1", repository @ .., "_tags", reference]) => {
            let repository = repository.join("/");
            with(world, registry, request, &repository, "delete", |world| {
                let registry = world.get_mut(registry.id.as_str());
                match registry.is_some_and(|it| images::remove(it, &repository, reference)) {
                    true => Answer::empty(202),
                    false => refused(404, "MANIFEST_UNKNOWN", "The manifest is not known."),
                }
            })
        }
        _ => refused(404, "NOT_FOUND", "There is no such page."),
    }
}

/// Runs it where the request's token gives that action on the repository.
fn with(
    world: &mut World,
    registry: &Resource,
    request: &Request,
    repository: &str,
    action: &str,
    run: impl FnOnce(&mut World) -> Answer,
) -> Answer {
    let wanted = format!("repository:{repository}:{action}");
    match tokens::granted(world, registry, request) {
        Some(grants) if grants.contains(&wanted) => run(world),
        _ => challenge(host_of(registry), &wanted),
    }
}

fn host_of(registry: &Resource) -> &str {
    registry.text("/properties/loginServer").unwrap_or_default()
}

fn manifest(registry: &Resource, repository: &str, reference: &str) -> Answer {
    let Some(digest) = images::digest(registry, repository, reference) else {
        let message = format!("manifest {reference} is not found");
        return refused(404, "MANIFEST_UNKNOWN", &message);
    };
    let kind = "application/vnd.oci.image.index.v1+json";
    Answer::json(
        200,
        json!({ "schemaVersion": 2, "mediaType": kind, "manifests": [] }),
    )
    .header("docker-content-digest", digest)
}

fn challenge(host: &str, scope: &str) -> Answer {
    let mut ask = format!("Bearer realm=\"https://{host}/oauth2/token\",service=\"{host}\"");
    if !scope.is_empty() {
        ask.push_str(&format!(",scope=\"{scope}\""));
    }
    let message =
        "authentication required, visit https://aka.ms/acr/authorization for more information.";
    refused(401, "UNAUTHORIZED", message).header("www-authenticate", ask)
}

/// An error in the shape of the OCI distribution specification.
fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({ "errors": [{ "code": code, "message": message }] }),
    )
}
