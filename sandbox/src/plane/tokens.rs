//! Tokens of a registry: one of Entra is exchanged for a refresh token, and that for access tokens that
//! name what they permit.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use super::refused;
use crate::auth;
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};

/// The audience of registries, in every cloud.
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// Which action of Resource Manager gives which one of the data plane.
const RIGHTS: &[(&str, &str)] = &[
    ("pull", "Microsoft.ContainerRegistry/registries/pull/read"),
    (
        "metadata_read",
        "Microsoft.ContainerRegistry/registries/pull/read",
    ),
    (
        "delete",
        "Microsoft.ContainerRegistry/registries/artifacts/delete",
    ),
];

/// `POST /oauth2/exchange`
pub fn exchange(world: &World, registry: &Resource, request: &Request) -> Answer {
    let form = form(request);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let problem = if field("grant_type") != "access_token" {
        Some("grant_type")
    } else if !field("service").eq_ignore_ascii_case(super::host_of(registry)) {
        Some("service")
    } else {
        None
    };
    if let Some(name) = problem {
        let message = format!("The request's '{name}' is invalid.");
        return refused(400, "BAD_REQUEST", &message);
    }
    let token = field("access_token");
    let claims = auth::claims(token).filter(|_| auth::is_ours(world, token));
    let Some(claims) = claims else {
        return refused(401, "UNAUTHORIZED", "The access token is invalid.");
    };
    let audience = claims["aud"].as_str().unwrap_or_default();
    let by_arm = registry.text("/properties/policies/azureADAuthenticationAsArmPolicy/status");
    let accepted = audience.trim_end_matches('/') == AUDIENCE
        || (by_arm != Some("disabled") && auth::accepted_audience(audience, &request.base));
    if !accepted {
        return refused(
            401,
            "UNAUTHORIZED",
            "The access token has been obtained for wrong audience.",
        );
    }
    let subject = claims["oid"].as_str().unwrap_or_default();
    let refresh = sealed(world, registry, "refresh", subject);
    Answer::json(200, json!({ "refresh_token": refresh }))
}

/// `POST /oauth2/token`
pub fn access(world: &World, registry: &Resource, request: &Request) -> Answer {
    let form = form(request);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let Some(subject) = opened(world, registry, "refresh", field("refresh_token")) else {
        return refused(401, "UNAUTHORIZED", "The refresh token is invalid.");
    };
    let scope = field("scope");
    let Some((repository, actions)) = scope
        .strip_prefix("repository:")
        .and_then(|scope| scope.rsplit_once(':'))
    else {
        return refused(400, "BAD_REQUEST", "The request's 'scope' is invalid.");
    };
    let granted: Vec<String> = actions
        .split(',')
        .filter(|action| may(world, action))
        .map(|action| format!("repository:{repository}:{action}"))
        .collect();
    let token = sealed(
        world,
        registry,
        "access",
        &format!("{subject} {}", granted.join(" ")),
    );
    Answer::json(200, json!({ "access_token": token }))
}

/// What the request's access token permits; `None` without a token of this registry.
pub fn granted(world: &World, registry: &Resource, request: &Request) -> Option<BTreeSet<String>> {
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    let granted = opened(world, registry, "access", token)?;
    Some(granted.split(' ').skip(1).map(ToOwned::to_owned).collect())
}

/// Who the bearer of the request's token is, or who exchanges one.
pub fn identity(world: &World, registry: &Resource, request: &Request) -> Option<String> {
    if let Some(token) = form(request).get("access_token") {
        return auth::claims(token)?["oid"].as_str().map(ToOwned::to_owned);
    }
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    let granted = opened(world, registry, "access", token)?;
    granted.split(' ').next().map(ToOwned::to_owned)
}

fn may(world: &World, action: &str) -> bool {
    let right = RIGHTS.iter().find(|(name, _)| *name == action);
    right.is_some_and(|(_, right)| {
        let taken = &world.caller_not_actions;
        !taken
            .iter()
            .any(|action| action.eq_ignore_ascii_case(right))
    })
}

fn form(request: &Request) -> BTreeMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

/// A text of ours that nobody else could have made.
fn sealed(world: &World, registry: &Resource, kind: &str, text: &str) -> String {
    let seal = seal(world, registry, kind, text);
    format!("{}.{seal}", URL_SAFE_NO_PAD.encode(text))
}

fn opened(world: &World, registry: &Resource, kind: &str, token: &str) -> Option<String> {
    let (text, end) = token.split_once('.')?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    (seal(world, registry, kind, &text) == end).then_some(text)
}

fn seal(world: &World, registry: &Resource, kind: &str, text: &str) -> String {
    let sealed = format!("{} {kind} {text}", registry.id.key());
    let secret = Uuid::new_v5(&world.seed, b"registry secret");
    Uuid::new_v5(&secret, sealed.as_bytes())
        .simple()
        .to_string()
}
