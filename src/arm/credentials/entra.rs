//! Tokens of service principals, from `azure_identity`: a password through its
//! `ClientSecretCredential`, every kind of assertion through its `ClientAssertionCredential`.
//! Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use reqwest::Url;
use serde_json::Value;

use super::carrier::Route;
use super::{Ask, Failure, Token};
use crate::arm::Secret;
use crate::arm::http::{Answer, busy, secure_address};

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
    proof: Proof,
) -> Result<Token, Failure> {
    let address = secure_address("authority_host", &token_address(ask.authority, tenant))?;
    let invalid = |error| Failure::reason(format!("{address}: {error}"));
    let actual = Url::parse(&address).map_err(invalid)?;
    // What the crate makes of the authority: always https, and the tenant directly below the host.
    let mut authority = actual.clone();
    authority.set_path("");
    // Between http and https this cannot fail.
    let _ = authority.set_scheme("https");
    let expected = authority
        .join(&format!("/{tenant}/oauth2/v2.0/token"))
        .map_err(invalid)?;
    let route = Route {
        expected,
        actual,
        busy,
        refusal,
    };
    let (tenant, client_id) = (tenant.to_owned(), client_id.to_owned());
    route
        .token(ask, |client_options| {
            let client_options = at(&authority, client_options);
            Ok(match proof {
                Proof::Password(secret) => {
                    let secret = secret.expose().to_owned().into();
                    let options = ClientSecretCredentialOptions { client_options };
                    ClientSecretCredential::new(&tenant, client_id, secret, Some(options))?
                        as Arc<dyn TokenCredential>
                }
                Proof::Assertion(jwt) => {
                    let options = ClientAssertionCredentialOptions { client_options };
                    ClientAssertionCredential::new(
                        tenant,
                        client_id,
                        Assertion(jwt),
                        Some(options),
                    )?
                }
            })
        })
        .await
}

/// An assertion that is at hand: certificates sign, and federated tokens are fetched or read, anew
/// for each credential.
#[derive(Debug)]
struct Assertion(Secret);

#[async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose().to_owned())
    }
}

/// Names the authority, so that the crate does not look for `AZURE_AUTHORITY_HOST`.
fn at(authority: &Url, options: ClientOptions) -> ClientOptions {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = authority.to_string();
    ClientOptions {
        cloud: Some(Arc::new(cloud.into())),
        ..options
    }
}

/// What Entra said, without the lines of ids and times that it appends to each message.
fn refusal(address: &Url, answer: &Answer) -> String {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let description = said["error_description"].as_str().unwrap_or_default();
    let line = description.split(['\r', '\n']).next().unwrap_or_default();
    let line = line.split(" Trace ID:").next().unwrap_or_default().trim();
    let status = answer.status;
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
