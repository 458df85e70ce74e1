//! The token request of service principals: one for a password and for every kind of assertion.
//! Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Ask, Failure, Token, number};
use crate::arm::Secret;
use crate::arm::http::{Wire, busy, headers, secure_address};

/// What proves the identity of a service principal.
pub(super) enum Proof {
    Password(Secret),
    /// A JWT: signed with the certificate, or a federated token.
    Assertion(Secret),
}

/// The address that tokens of a tenant come from; also the audience of signed assertions.
pub(super) fn token_address(authority: &str, tenant: &str) -> String {
    // AD FS, as Azure Stack uses it, is its own tenant and has no version in its address.
    if tenant.eq_ignore_ascii_case("adfs") {
        format!("{authority}/adfs/oauth2/token")
    } else {
        format!("{authority}/{tenant}/oauth2/v2.0/token")
    }
}

/// Asks Entra for a token.
pub(super) async fn token(
    ask: &Ask<'_>,
    tenant: &str,
    client_id: &str,
    proof: &Proof,
) -> Result<Token, Failure> {
    let address = secure_address("authority_host", &token_address(ask.authority, tenant))?;
    let url =
        Url::parse(&address).map_err(|error| Failure::reason(format!("{address}: {error}")))?;
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("scope", ask.scope),
    ];
    match proof {
        Proof::Password(secret) => form.push(("client_secret", secret.expose())),
        Proof::Assertion(jwt) => {
            form.push((
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ));
            form.push(("client_assertion", jwt.expose()));
        }
    }
    // Only the query serializer of `Url` is at hand for form encoding; the address is a scratch one.
    let mut scratch = url.clone();
    scratch.query_pairs_mut().clear().extend_pairs(form);
    let body = scratch.query().unwrap_or_default().as_bytes().to_vec();
    let headers = headers([
        (
            "content-type",
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        ),
        ("accept", HeaderValue::from_static("application/json")),
    ]);
    let answer = ask
        .http
        .send_patiently(
            ask.call,
            Wire {
                method: Method::POST,
                url,
                headers,
                body: Some(body),
            },
            busy,
        )
        .await?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, said["access_token"].as_str()) {
        (200, Some(token)) => Ok(ask.token(token, number(said.get("expires_in")).unwrap_or(3600))),
        (status, _) => Err(Failure::reason(refusal(&address, status, &said))),
    }
}

/// What Entra said, without the lines of ids and times that it appends to each message.
fn refusal(address: &str, status: u16, said: &Value) -> String {
    let description = said["error_description"].as_str().unwrap_or_default();
    let line = description.split(['\r', '\n']).next().unwrap_or_default();
    let line = line.split(" Trace ID:").next().unwrap_or_default().trim();
    let mut text = match (said["error"].as_str(), line) {
        (Some(error), "") => format!("{address} answered {status} {error}"),
        (Some(error), line) => format!("{error}: {line}"),
        (None, _) => format!("{address} answered {status} without a token"),
    };
    for (words, name) in [
        ("trace id", "trace_id"),
        ("correlation id", "correlation_id"),
    ] {
        if let Some(id) = said[name].as_str().filter(|id| !id.is_empty()) {
            text = format!("{text} ({words} {id})");
        }
    }
    text
}
