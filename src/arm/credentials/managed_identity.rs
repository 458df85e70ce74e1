//! Managed identities. Virtual machines: `ManagedIdentityCredential` of `azure_identity`, which
//! asks the instance metadata service. An endpoint that the settings name (`ARM_MSI_ENDPOINT`, or
//! the one of App Service, Functions and Container Apps): a request of our own, since the crate
//! takes neither an endpoint nor an API version, and App Service's only from the process.
//! Sources: Microsoft Learn, "How to use managed identities on an Azure VM to acquire an access
//! token" and "How to use managed identities for App Service".

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use azure_core::credentials::TokenCredential;
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::Value;

use super::carrier::Route;
use super::{Ask, Failure, Token, words};
use crate::arm::http::{Answer, Wire, headers, is_link_local, is_loopback, sensitive};
use crate::arm::{AppServiceIdentity, Settings};

const METADATA_SERVICE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// How to reach the identity service.
pub(super) struct ManagedIdentity {
    service: Service,
    /// Of a user-assigned identity, or its resource id; the system-assigned one otherwise.
    client_id: Option<String>,
}

enum Service {
    /// The one of this virtual machine, at this address.
    Machine(String),
    Named {
        endpoint: String,
        api_version: String,
        app_service: Option<AppServiceIdentity>,
    },
}

impl ManagedIdentity {
    pub(super) fn new(settings: &Settings, client_id: Option<String>) -> Self {
        let named = |endpoint: &str, version: &str, app_service| Service::Named {
            endpoint: endpoint.to_owned(),
            api_version: settings
                .msi_api_version
                .clone()
                .unwrap_or_else(|| version.to_owned()),
            app_service,
        };
        let machine = settings.metadata_service.as_deref();
        let machine = machine.unwrap_or(METADATA_SERVICE);
        let service = match (&settings.msi_endpoint, &settings.app_service_identity) {
            (Some(endpoint), _) => named(endpoint, "2018-02-01", None),
            (None, Some(app)) => named(&app.endpoint, "2019-08-01", Some(app.clone())),
            (None, None) => match &settings.msi_api_version {
                Some(version) => named(machine, version, None),
                None => Service::Machine(machine.to_owned()),
            },
        };
        Self { service, client_id }
    }

    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Token, Failure> {
        match &self.service {
            Service::Machine(address) => self.of_machine(ask, address).await,
            Service::Named {
                endpoint,
                api_version,
                app_service,
            } => {
                self.of_endpoint(ask, endpoint, api_version, app_service.as_ref())
                    .await
            }
        }
    }

    async fn of_machine(&self, ask: &Ask<'_>, address: &str) -> Result<Token, Failure> {
        let route = Route {
            expected: local(METADATA_SERVICE)?,
            actual: local(address)?,
            busy,
            refusal,
        };
        let user_assigned_id = self.client_id.clone().map(|id| {
            if id.starts_with('/') {
                UserAssignedId::ResourceId(id)
            } else {
                UserAssignedId::ClientId(id)
            }
        });
        route
            .token(ask, |client_options| {
                // The crate goes by the process environment here, and only here.
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id,
                    client_options,
                };
                match ManagedIdentityCredential::new(Some(options)) {
                    Ok(credential) => Ok(credential as Arc<dyn TokenCredential>),
                    // Azure Arc, Cloud Shell and others that the crate recognizes and cannot serve.
                    Err(error) => Err(azure_core::Error::with_message(
                        error.kind().clone(),
                        format!(
                            "{}. To name the address to ask, set msi_endpoint (ARM_MSI_ENDPOINT)",
                            words(&error)
                        ),
                    )),
                }
            })
            .await
    }

    async fn of_endpoint(
        &self,
        ask: &Ask<'_>,
        endpoint: &str,
        api_version: &str,
        app_service: Option<&AppServiceIdentity>,
    ) -> Result<Token, Failure> {
        let address = local(endpoint)?;
        let mut url = address.clone();
        let resource = ask.scope.strip_suffix("/.default").unwrap_or(ask.scope);
        url.query_pairs_mut()
            .append_pair("api-version", api_version)
            .append_pair("resource", resource);
        if let Some(id) = &self.client_id {
            let name = if id.starts_with('/') {
                "msi_res_id"
            } else {
                "client_id"
            };
            url.query_pairs_mut().append_pair(name, id);
        }
        let mut headers = headers([
            ("metadata", HeaderValue::from_static("true")),
            ("accept", HeaderValue::from_static("application/json")),
        ]);
        if let Some(identity) = app_service {
            headers.insert("x-identity-header", sensitive(identity.header.expose())?);
        }
        let wire = Wire {
            method: Method::GET,
            url,
            headers,
            body: None,
        };
        let answer = ask.http.send_patiently(ask.call, wire, busy).await?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said["access_token"].as_str() {
            Some(token) if answer.status == 200 => {
                Ok(ask.token(token, Duration::from_secs(seconds(&said))))
            }
            _ => Err(Failure::reason(refusal(&address, &answer))),
        }
    }
}

/// An address that the token of a machine comes from: https, or http that does not leave it.
fn local(address: &str) -> Result<Url, Failure> {
    let url =
        Url::parse(address).map_err(|error| Failure::reason(format!("{address}: {error}")))?;
    if url.scheme() != "https" && !is_loopback(&url) && !is_link_local(&url) {
        return Err(Failure::reason(format!(
            "{address} must use https: http is allowed for this machine and for link-local addresses only"
        )));
    }
    Ok(url)
}

fn refusal(address: &Url, answer: &Answer) -> String {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let words = said["error_description"]
        .as_str()
        .or(said["message"].as_str())
        .unwrap_or_default();
    let error = said["error"].as_str().unwrap_or_default();
    format!("{address} answered {} {error} {words}", answer.status)
        .trim_end()
        .to_owned()
}

/// The metadata service is being updated when it answers 410, for up to 70 seconds; it says 404
/// while it starts. Both are documented as worth another try.
fn busy(answer: &Answer) -> Option<Duration> {
    match answer.status {
        410 => Some(Duration::from_secs(70)),
        404 | 429 | 500..=599 => Some(answer.retry_after().unwrap_or_default()),
        _ => None,
    }
}

/// How long the token lives: `expires_in`, or `expires_on` in seconds since 1970 (App Service).
fn seconds(said: &Value) -> u64 {
    number(said.get("expires_in"))
        .or_else(|| number(said.get("expires_on")).map(seconds_until))
        .unwrap_or(3600)
}

/// A number that services write as a number or as a string.
fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    }
}

fn seconds_until(epoch_seconds: u64) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    epoch_seconds.saturating_sub(now.as_secs())
}
