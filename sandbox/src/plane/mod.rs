//! The data plane of registries: `/v2/` and the exchange of tokens, at the login servers themselves.
//! Clients reach it through the sandbox as their HTTPS proxy; the proxy's user is the place that they
//! come from (`HTTPS_PROXY=http://203.0.113.7@127.0.0.1:8443`), which the registry's network rules judge.
//! Or they ask the sandbox itself with the login server as `Host`, and say the place in `x-sandbox-from`.
//! (Azure/acr, "AAD-OAuth"; OCI distribution specification; Microsoft Learn, "Configure public IP
//! network rules".)

mod attributes;
mod content;
mod events;
mod network;
mod tokens;
mod who;

use serde_json::json;

use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};
use crate::types::container_registry::registries;
use crate::types::operational_insights::query;
use network::Refusal;

/// The domains below which login servers live.
const DOMAINS: &[&str] = &["azurecr.io", "azurecr.us", "azurecr.cn"];
/// Where a client says that it comes from when it asks without the proxy.
const FROM: &str = "x-sandbox-from";

/// The host of a login server that a request is for.
#[must_use]
pub fn login_server(request: &Request) -> Option<&str> {
    let host = request.base.split_once("://")?.1.split(':').next()?;
    is_login_server(host).then_some(host)
}

/// Whether the proxy leads to a host.
#[must_use]
pub fn serves(host: &str) -> bool {
    query::HOSTS.contains(&host) || is_login_server(host)
}

fn is_login_server(host: &str) -> bool {
    let below = |domain: &&str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    DOMAINS.iter().any(below)
}

/// One request to one registry.
struct Visit<'a> {
    request: &'a Request,
    registry: Resource,
    /// The address that the registry sees.
    address: String,
}

/// Answers a request to a login server. `None` where no connection comes about.
#[must_use]
pub fn handle(world: &mut World, request: &Request, host: &str) -> Option<Answer> {
    let found = world.of_type(registries::NAME).find(|registry| {
        registry
            .text("/properties/loginServer")
            .is_some_and(|server| server.eq_ignore_ascii_case(host))
    });
    let Some(registry) = found.cloned() else {
        let message = "There is no registry of that name.";
        return Some(refused(404, "NAME_UNKNOWN", message));
    };
    let place = request.place.as_deref().or_else(|| request.header(FROM));
    let address = match network::admits(world, &registry, place.unwrap_or_default()) {
        Ok(address) => address,
        Err(Refusal::Denied(address)) => {
            let message = format!(
                "client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
            );
            return Some(refused(403, "DENIED", &message));
        }
        Err(Refusal::Unreachable(why)) => {
            tracing::info!(host, why, "no connection to a registry");
            return None;
        }
    };
    let visit = Visit {
        request,
        registry,
        address,
    };
    Some(visit.answer(world))
}

impl Visit<'_> {
    fn answer(&self, world: &mut World) -> Answer {
        let (request, registry) = (self.request, &self.registry);
        let segments = request.segments();
        let login = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["oauth2", "exchange"]) => tokens::exchange(world, registry, request),
            ("POST" | "GET", ["oauth2", "token"]) => tokens::access(world, registry, request),
            _ => return self.content(world, &segments),
        };
        match login {
            Ok((who, answer)) => {
                // A refresh token was a login when it was made.
                if segments[1] == "exchange" || !tokens::is_refresh(request) {
                    events::login(world, self, &who);
                }
                answer
            }
            Err(answer) => answer,
        }
    }

    fn content(&self, world: &mut World, segments: &[&str]) -> Answer {
        let client = tokens::client(world, &self.registry, self.request);
        match (self.request.method.as_str(), segments) {
            ("GET", ["v2"]) => match client {
                Some(_) => Answer::json(200, json!({}))
                    .header("docker-distribution-api-version", "registry/2.0"),
                None => self.challenge(None),
            },
            ("GET", ["v2", "_catalog"] | ["acr", "v1", "_catalog"]) => {
                match self.allows(world, "", "catalog") {
                    true => content::catalog(&self.registry),
                    false => self.challenge(Some(("", "catalog"))),
                }
            }
            (method, segments) => match content::route(method, segments) {
                Some((repository, action, deed)) => {
                    if !self.allows(world, &repository, action) {
                        return self.challenge(Some((&repository, action)));
                    }
                    content::act(world, self, &repository, &deed)
                }
                None => refused(404, "NOT_FOUND", "There is no such page."),
            },
        }
    }

    /// Whether who asks may do that; nobody in particular may where anonymous pulls are allowed.
    fn allows(&self, world: &World, repository: &str, action: &str) -> bool {
        match tokens::client(world, &self.registry, self.request) {
            Some(client) => client.may(world, &self.registry, repository, action),
            None => false,
        }
    }

    /// The request for a token, for what was asked.
    fn challenge(&self, wanted: Option<(&str, &str)>) -> Answer {
        let host = host_of(&self.registry);
        let mut ask = format!("Bearer realm=\"https://{host}/oauth2/token\",service=\"{host}\"");
        if let Some((repository, action)) = wanted {
            let scope = tokens::scope(repository, action);
            ask.push_str(&format!(",scope=\"{scope}\""));
        }
        unauthorized().header("www-authenticate", ask)
    }
}

fn host_of(registry: &Resource) -> &str {
    registry.text("/properties/loginServer").unwrap_or_default()
}

fn unauthorized() -> Answer {
    let message =
        "authentication required, visit https://aka.ms/acr/authorization for more information.";
    refused(401, "UNAUTHORIZED", message)
}

/// An error in the shape of the OCI distribution specification.
fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({ "errors": [{ "code": code, "message": message }] }),
    )
}
