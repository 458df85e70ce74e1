//! Tokens: opaque to the clients, yet shaped as the JSON web tokens that some of them look into.
//! The signature is derived from a secret of this sandbox, so a token survives a restart with `--state`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::errors::ArmError;
use crate::exchange::{Answer, Request};
use crate::store::World;
use crate::types::authorization::principals;
use crate::types::managed_identity::identities;

/// What a token is issued for.
pub struct Subject<'a> {
    /// The tenant of the request, or the sandbox's own.
    pub tenant: &'a str,
    /// The application or identity.
    pub client: &'a str,
    /// Who may read it: a resource's URL.
    pub audience: &'a str,
}

/// Makes a token that lives for `lifetime` seconds.
#[must_use]
pub fn issue(world: &World, subject: &Subject<'_>, lifetime: u64) -> String {
    let now = world.now / 1000;
    let object = object_id(world, subject.client);
    let claims = json!({
        "aud": subject.audience,
        "iss": format!("https://sts.windows.net/{}/", subject.tenant),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "appid": subject.client,
        "appidacr": "1",
        "idtyp": "app",
        "oid": object,
        "sub": object,
        "tid": subject.tenant,
        "ver": "1.0",
        "xms_generation": world.token_generation,
    });
    sign(world, &claims)
}

/// The object id of a client: that of an identity in the sandbox, which may be named by its client id, its
/// principal or its resource, or of a principal that a test declared; else one that follows from the name.
#[must_use]
pub fn object_id(world: &World, client: &str) -> String {
    let same = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case(client));
    let identity = world.of_type(identities::NAME).find(|identity| {
        identity.id.same(client)
            || same(identity.text("/properties/clientId"))
            || same(identity.text("/properties/principalId"))
    });
    if let Some(id) = identity.and_then(|found| found.text("/properties/principalId")) {
        return id.to_owned();
    }
    if principals::find(world, client).is_some() {
        return client.to_lowercase();
    }
    Uuid::new_v5(&world.seed, format!("object {client}").as_bytes()).to_string()
}

/// A token of some other issuer, as GitHub's or Azure DevOps' OIDC endpoint gives out.
#[must_use]
pub fn federated(world: &World, issuer: &str, subject: &str, audience: &str) -> String {
    let now = world.now / 1000;
    sign(
        world,
        &json!({ "iss": issuer, "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + 600 }),
    )
}

fn sign(world: &World, claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": "sandbox", "typ": "JWT" });
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = signature(world, &signed);
    format!("{signed}.{signature}")
}

fn signature(world: &World, signed: &str) -> String {
    let secret = Uuid::new_v5(&world.seed, b"token secret");
    URL_SAFE_NO_PAD.encode(Uuid::new_v5(&secret, signed.as_bytes()).as_bytes())
}

/// The claims of a token of any issuer; `None` when it is no JSON web token.
#[must_use]
pub fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let text = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Value>(&text)
        .ok()
        .filter(Value::is_object)
}

/// The claims of a token that this sandbox signed and that has not expired.
#[must_use]
pub fn valid(world: &World, token: &str) -> Option<Value> {
    claims(token).filter(|claims| is_ours(world, token) && is_fresh(world, claims))
}

fn is_fresh(world: &World, claims: &Value) -> bool {
    let number = |name: &str| claims[name].as_u64().unwrap_or(0);
    number("exp") * 1000 > world.now && number("xms_generation") >= world.token_generation
}

/// Whether a token was signed by this sandbox.
fn is_ours(world: &World, token: &str) -> bool {
    token
        .rsplit_once('.')
        .is_some_and(|(signed, end)| signature(world, signed) == end)
}

/// Checks the token of an ARM request.
///
/// # Errors
/// The 401 answer of Resource Manager, with its challenge.
pub fn check(world: &World, request: &Request) -> Result<(), Answer> {
    let accepted = |audience: &str| accepted_audience(audience, &request.base);
    verify(world, request, &accepted).map_err(|(code, message)| {
        let challenge = format!(
            "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", error_description=\"{message}\"",
            request.base, world.tenant
        );
        Answer::from(ArmError::new(401, code, message)).header("www-authenticate", challenge)
    })
}

/// Checks the token of a request for an audience.
///
/// # Errors
/// Azure's code and what it says.
pub fn verify(
    world: &World,
    request: &Request,
    accepted: &dyn Fn(&str) -> bool,
) -> Result<(), (&'static str, &'static str)> {
    let Some(header) = request.header("authorization") else {
        return Err((
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ));
    };
    let Some(token) = header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("bearer "))
    else {
        return Err((
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        ));
    };
    let Some(claims) = claims(token) else {
        return Err(("InvalidAuthenticationToken", "The access token is invalid."));
    };
    if !is_ours(world, token) {
        return Err((
            "InvalidAuthenticationToken",
            "The access token is invalid. The signature could not be verified.",
        ));
    }
    if !is_fresh(world, &claims) {
        return Err((
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.",
        ));
    }
    if !accepted(claims["aud"].as_str().unwrap_or_default()) {
        return Err((
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences.",
        ));
    }
    Ok(())
}

/// Resource Manager's audiences, and the sandbox under any of its names.
#[must_use]
pub fn accepted_audience(audience: &str, base: &str) -> bool {
    let audience = audience.trim_end_matches('/');
    let known = [
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn",
    ];
    let host = audience
        .split_once("://")
        .map(|(_, rest)| rest.split([':', '/']).next().unwrap_or_default());
    known.contains(&audience) || audience == base || matches!(host, Some("localhost" | "127.0.0.1"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hyper::HeaderMap;

    fn request(token: Option<&str>) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Request {
            method: "GET".into(),
            path: "/subscriptions".into(),
            query: String::new(),
            headers,
            body: hyper::body::Bytes::new(),
            base: "https://localhost:1".into(),
            place: None,
        }
    }

    fn code(world: &World, token: Option<&str>) -> String {
        check(world, &request(token))
            .err()
            .map_or_else(String::new, |answer| {
                answer.body.unwrap()["error"]["code"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
    }

    #[test]
    fn only_a_fresh_token_of_this_sandbox_for_resource_manager_is_taken() {
        let mut world = World::new("tenant", &[], Uuid::from_u128(1));
        world.now = 1_000_000;
        let subject = |audience| Subject {
            tenant: "tenant",
            client: "app",
            audience,
        };
        let token = issue(&world, &subject("https://management.azure.com/"), 60);
        assert_eq!(code(&world, Some(&token)), "");
        assert_eq!(code(&world, None), "AuthenticationFailed");
        assert_eq!(code(&world, Some("abc")), "InvalidAuthenticationToken");
        assert_eq!(
            code(&world, Some(&format!("{token}x"))),
            "InvalidAuthenticationToken"
        );
        let graph = issue(&world, &subject("https://graph.microsoft.com"), 60);
        assert_eq!(
            code(&world, Some(&graph)),
            "InvalidAuthenticationTokenAudience"
        );
        world.now += 61_000;
        assert_eq!(code(&world, Some(&token)), "ExpiredAuthenticationToken");
        world.now -= 61_000;
        world.token_generation += 1;
        assert_eq!(code(&world, Some(&token)), "ExpiredAuthenticationToken");
        let other = World::new("tenant", &[], Uuid::from_u128(2));
        assert_eq!(code(&other, Some(&token)), "InvalidAuthenticationToken");
    }
}
