//! Access tokens: which method of authentication, in azurerm's order, and how each works.
//!
//! One code path of our own instead of `azure_identity` (1.0): of the methods that users of
//! azurerm expect, it lacks client certificates without OpenSSL, PEM files, GitHub Actions, static
//! federated tokens and `ARM_MSI_ENDPOINT`; its Entra requests insist on https, read the process
//! environment, retry on a clock of their own and cannot be stopped. What was left (the Azure CLI
//! and the metadata service) is some sixty lines, less than the adapters to it would be. Every
//! service principal here asks Entra through the same request (`entra`), whatever proves its
//! identity, and every request goes through the one HTTP client, clock and deadline.

mod cache;
mod certificate;
mod choose;
mod cli;
mod entra;
mod managed_identity;
mod oidc;

use std::fmt;
use std::time::{Duration, Instant};

pub(super) use cache::Tokens;

use super::http::Http;
use super::{Call, Error, Secret};

/// No method of authentication gave a token: each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialError {
    /// In the order in which they were tried.
    pub attempts: Vec<Attempt>,
}

/// One method of authentication and why it gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// "client secret", "Azure CLI", ...
    pub method: &'static str,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no access token for Azure could be had. Tried, in this order:")?;
        for attempt in &self.attempts {
            write!(f, "\n  - {}: {}", attempt.method, attempt.reason)?;
        }
        Ok(())
    }
}

/// An access token.
#[derive(Clone, Debug)]
struct Token {
    secret: Secret,
    obtained: Instant,
    expires: Instant,
}

/// What a token is asked for.
struct Ask<'a> {
    call: &'a Call,
    http: &'a Http,
    /// The address of Entra.
    authority: &'a str,
    /// `https://management.azure.com/.default`
    scope: &'a str,
    /// Another tenant than the configured one.
    auxiliary_tenant: Option<&'a str>,
}

/// Why a method gave no token.
enum Failure {
    /// The reason for the user.
    Reason(String),
    /// The operation ended meanwhile: stopped or timed out.
    Ended(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Stopped { .. } | Error::Timeout { .. } => Self::Ended(error),
            other => Self::Reason(other.to_string()),
        }
    }
}

impl Failure {
    fn reason(text: impl Into<String>) -> Self {
        Self::Reason(text.into())
    }
}

impl Ask<'_> {
    /// A token that lives for so many seconds from now.
    fn token(&self, secret: &str, seconds: u64) -> Token {
        let obtained = self.call.clock().now();
        Token {
            secret: Secret::new(secret),
            obtained,
            expires: obtained + Duration::from_secs(seconds),
        }
    }

    /// The tenant to ask: the auxiliary one, else the configured one.
    fn tenant<'a>(&'a self, configured: Option<&'a str>) -> Option<&'a str> {
        self.auxiliary_tenant.or(configured)
    }
}

/// A number that services write as a number or as a string.
fn number(value: Option<&serde_json::Value>) -> Option<u64> {
    match value? {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    }
}

/// How many seconds from now until a moment in seconds since 1970.
fn seconds_until(epoch_seconds: u64) -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    epoch_seconds.saturating_sub(now.as_secs())
}
