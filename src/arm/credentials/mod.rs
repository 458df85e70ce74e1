//! Access tokens: which method of authentication, in azurerm's order, and how each works.
//!
//! Tokens come from `azure_identity` (1.0) where it has the method: client secrets
//! (`ClientSecretCredential`), everything that is an assertion (`ClientAssertionCredential`), the
//! managed identity of a virtual machine (`ManagedIdentityCredential`) and the Azure CLI
//! (`AzureCliCredential`). Ours is what it lacks, or has in another way than users of azurerm know:
//!
//! - `choose`: which method the settings ask for. The crate has no chain for that.
//! - `certificate`: the assertion of a client certificate, from PFX or PEM; the crate's needs
//!   OpenSSL and reads no PEM.
//! - `oidc`: where federated tokens come from. The crate knows no GitHub Actions, asks Azure
//!   Pipelines by environment variables alone, and its `WorkloadIdentityCredential` for AKS is the
//!   same `ClientAssertionCredential`, with a file that it keeps for ten minutes, does not trim,
//!   and takes when it is empty.
//! - `managed_identity`: an endpoint or API version of the user's, and App Service's by the settings.
//! - `carrier`: the requests of the crate go over the one HTTP client, with our attempts, clock,
//!   deadline and Stop, to the address of the settings and to no other. The crate itself tries
//!   nothing again and reads no `AZURE_*` variable of the process.
//! - `cache`: tokens are kept here and nowhere else, with one request under way for each scope. A
//!   credential of the crate is made for the one token, since it would keep a revoked one.
//!
//! What is said of a refusal is taken from the answer itself, in Entra's words.

mod cache;
mod carrier;
mod certificate;
mod choose;
mod cli;
mod entra;
mod managed_identity;
mod oidc;

use std::fmt;
use std::time::{Duration, Instant};

use azure_core::credentials::AccessToken;
use azure_core::time::OffsetDateTime;

pub(super) use cache::{Tokens, claims};

use super::connect::causes;
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
    /// A token that lives for so long from now.
    fn token(&self, secret: &str, life: Duration) -> Token {
        let obtained = self.call.clock().now();
        Token {
            secret: Secret::new(secret),
            obtained,
            expires: obtained + life,
        }
    }

    /// A token of `azure_identity`, which says by the clock on the wall when it expires.
    fn received(&self, token: &AccessToken) -> Token {
        let life = token.expires_on - OffsetDateTime::now_utc();
        // Negative where it has expired on its way.
        let life = Duration::try_from(life).unwrap_or_default();
        self.token(token.token.secret(), life)
    }

    /// The tenant to ask: the auxiliary one, else the configured one.
    fn tenant<'a>(&'a self, configured: Option<&'a str>) -> Option<&'a str> {
        self.auxiliary_tenant.or(configured)
    }
}

/// What an error of `azure_identity` says, without the name of the credential and the link to the
/// crate's own instructions that it puts around: its cause is what happened.
fn words(error: &azure_core::Error) -> String {
    causes(error.downcast_ref::<azure_core::Error>().unwrap_or(error))
}
