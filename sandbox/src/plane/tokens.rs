//! Tokens of a registry: one of Entra, or a password, is exchanged for a refresh token or for an access
//! token that names what it permits. (Azure/acr, "AAD-OAuth"; REST documentation, "Access Tokens".)

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use uuid::Uuid;

use super::who::{self, ACTIONS, Who};
use super::{host_of, refused, unauthorized};
use crate::auth;
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};

/// The audience of registries, in every cloud.
const AUDIENCE: &str = "https://containerregistry.azure.net";
/// Milliseconds that a refresh token lives, and an access token (Azure/acr, "AAD-OAuth").
const REFRESH_LIFE: u64 = 3 * 60 * 60 * 1000;
const ACCESS_LIFE: u64 = 75 * 60 * 1000;

/// The client of a request, and what its token permits; a login with a password is not limited to scopes.
pub struct Client {
    /// Who it is.
    pub who: Who,
    scopes: Option<BTreeSet<String>>,
}

impl Client {
    /// Whether it may do an action to a repository here and now.
    pub fn may(&self, world: &World, registry: &Resource, repository: &str, action: &str) -> bool {
        match &self.scopes {
            Some(scopes) => scopes.contains(&scope(repository, action)),
            None => self.who.may(world, registry, repository, action),
        }
    }
}

/// A scope as challenges and tokens write it.
pub fn scope(repository: &str, action: &str) -> String {
    match action {
        "catalog" => "registry:catalog:*".to_owned(),
        _ => format!("repository:{repository}:{action}"),
    }
}

/// The client that a request's header names; `None` without a valid one.
pub fn client(world: &World, registry: &Resource, request: &Request) -> Option<Client> {
    if let Some((name, password)) = basic(request) {
        let who = password_login(world, registry, &name, &password)?;
        return Some(Client { who, scopes: None });
    }
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    let text = opened(world, registry, "access", token)?;
    let mut parts = text.split(' ');
    let who = Who::parse(parts.next()?)?;
    let scopes = parts.map(ToOwned::to_owned).collect();
    Some(Client {
        who,
        scopes: Some(scopes),
    })
}

/// `POST /oauth2/exchange`: a token of Entra for a refresh token.
///
/// # Errors
/// What the registry answers instead.
pub fn exchange(
    world: &World,
    registry: &Resource,
    request: &Request,
) -> Result<(Who, Answer), Answer> {
    let form = Form::of(request);
    let grants = ["access_token", "access_token_refresh_token"];
    let problem = if !grants.contains(&form.first("grant_type")) {
        Some("grant_type")
    } else if !form
        .first("service")
        .eq_ignore_ascii_case(host_of(registry))
    {
        Some("service")
    } else {
        None
    };
    if let Some(name) = problem {
        let message = format!("The request's '{name}' is invalid.");
        return Err(refused(400, "BAD_REQUEST", &message));
    }
    let claims = auth::valid(world, form.first("access_token"))
        .ok_or_else(|| refused(401, "UNAUTHORIZED", "The access token is invalid."))?;
    let audience = claims["aud"].as_str().unwrap_or_default();
    let by_arm = registry.text("/properties/policies/azureADAuthenticationAsArmPolicy/status");
    let accepted = audience.trim_end_matches('/') == AUDIENCE
        || (by_arm != Some("disabled") && auth::accepted_audience(audience, &request.base));
    if !accepted {
        return Err(refused(
            401,
            "UNAUTHORIZED",
            "The access token has been obtained for wrong audience.",
        ));
    }
    let who = Who::Principal(claims["oid"].as_str().unwrap_or_default().to_owned());
    let refresh = sealed(world, registry, "refresh", REFRESH_LIFE, &who.text());
    Ok((who, Answer::json(200, json!({ "refresh_token": refresh }))))
}

/// `POST /oauth2/token` with a refresh token or a password, and `GET` with basic credentials or none.
///
/// # Errors
/// What the registry answers instead.
pub fn access(
    world: &World,
    registry: &Resource,
    request: &Request,
) -> Result<(Who, Answer), Answer> {
    let form = Form::of(request);
    let who = match (request.method.as_str(), form.first("grant_type")) {
        ("POST", "refresh_token") => {
            opened(world, registry, "refresh", form.first("refresh_token"))
                .and_then(|text| Who::parse(&text))
        }
        ("POST", "password") => password_login(
            world,
            registry,
            form.first("username"),
            form.first("password"),
        ),
        ("POST", _) => {
            let message = "The request's 'grant_type' is invalid.";
            return Err(refused(400, "BAD_REQUEST", message));
        }
        _ => match basic(request) {
            Some((name, password)) => password_login(world, registry, &name, &password),
            None => Some(Who::Anonymous).filter(|who| who.may(world, registry, "", "pull")),
        },
    };
    let who = who.ok_or_else(unauthorized)?;
    let scopes: Vec<&str> = form
        .all("scope")
        .flat_map(|scope| scope.split(' '))
        .filter(|scope| !scope.is_empty())
        .collect();
    let mut granted = Vec::new();
    for asked in scopes {
        let Some(wanted) = parts(asked) else {
            let message = format!("The request's 'scope' is invalid: {asked}");
            return Err(refused(400, "BAD_REQUEST", &message));
        };
        granted.extend(
            wanted
                .into_iter()
                .filter(|(repository, action)| who.may(world, registry, repository, action))
                .map(|(repository, action)| scope(repository, action)),
        );
    }
    let text = format!("{} {}", who.text(), granted.join(" "));
    let token = sealed(world, registry, "access", ACCESS_LIFE, text.trim_end());
    Ok((who, Answer::json(200, json!({ "access_token": token }))))
}

/// Whether an access token is asked for with a refresh token.
pub fn is_refresh(request: &Request) -> bool {
    let refresh_user = || basic(request).is_some_and(|(name, _)| who::is_refresh_user(&name));
    Form::of(request).first("grant_type") == "refresh_token" || refresh_user()
}

/// Repository and action of each part of a scope.
fn parts(scope: &str) -> Option<Vec<(&str, &str)>> {
    if scope == "registry:catalog:*" {
        return Some(vec![("", "catalog")]);
    }
    let (repository, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let each = actions.split(',').flat_map(move |action| match action {
        "*" => ACTIONS.to_vec(),
        action => vec![action],
    });
    Some(each.map(|action| (repository, action)).collect())
}

fn password_login(world: &World, registry: &Resource, name: &str, password: &str) -> Option<Who> {
    if who::is_refresh_user(name) {
        return Who::parse(&opened(world, registry, "refresh", password)?);
    }
    who::login(world, registry, name, password)
}

fn basic(request: &Request) -> Option<(String, String)> {
    let text = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The fields of a form, or of the query of a GET; some come more than once.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(request: &Request) -> Self {
        let text: &[u8] = match request.method.as_str() {
            "POST" => &request.body,
            _ => request.query.as_bytes(),
        };
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn first<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }
}

/// A text of ours that nobody else could have made, until it expires.
fn sealed(world: &World, registry: &Resource, kind: &str, life: u64, text: &str) -> String {
    let end = world.now + life;
    let text = format!("{end} {} {text}", world.token_generation);
    let seal = seal(world, registry, kind, &text);
    format!("{}.{seal}", URL_SAFE_NO_PAD.encode(text))
}

fn opened(world: &World, registry: &Resource, kind: &str, token: &str) -> Option<String> {
    let (text, end) = token.split_once('.')?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    if seal(world, registry, kind, &text) != end {
        return None;
    }
    let mut parts = text.splitn(3, ' ');
    let until: u64 = parts.next()?.parse().ok()?;
    let generation: u64 = parts.next()?.parse().ok()?;
    let valid = until > world.now && generation >= world.token_generation;
    parts.next().filter(|_| valid).map(ToOwned::to_owned)
}

fn seal(world: &World, registry: &Resource, kind: &str, text: &str) -> String {
    let sealed = format!("{} {kind} {text}", registry.id.key());
    let secret = Uuid::new_v5(&world.seed, b"registry secret");
    Uuid::new_v5(&secret, sealed.as_bytes())
        .simple()
        .to_string()
}
