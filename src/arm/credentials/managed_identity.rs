//! Managed identities: the instance metadata service of virtual machines, an endpoint of the
//! user's (`ARM_MSI_ENDPOINT`), and the one of App Service, Functions and Container Apps.
//! Source: Microsoft Learn, "How to use managed identities on an Azure VM to acquire an access
//! token" and "How to use managed identities for App Service".

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Ask, Failure, Token, number};
use crate::arm::http::{Answer, Wire, headers, is_link_local, is_loopback, sensitive};
use crate::arm::{AppServiceIdentity, Settings};

const METADATA_SERVICE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// How to reach the identity service.
pub(super) struct ManagedIdentity {
    endpoint: String,
    api_version: String,
    app_service: Option<AppServiceIdentity>,
    /// Of a user-assigned identity; the system-assigned one otherwise.
    client_id: Option<String>,
}

impl ManagedIdentity {
    pub(super) fn new(settings: &Settings, client_id: Option<String>) -> Self {
        let app_service = settings
            .app_service_identity
            .clone()
            .filter(|_| settings.msi_endpoint.is_none());
        let (endpoint, version) = match (&settings.msi_endpoint, &app_service) {
            (Some(endpoint), _) => (endpoint.clone(), "2018-02-01"),
            (None, Some(identity)) => (identity.endpoint.clone(), "2019-08-01"),
            (None, None) => (METADATA_SERVICE.to_owned(), "2018-02-01"),
        };
        let api_version = settings
            .msi_api_version
            .clone()
            .unwrap_or_else(|| version.to_owned());
        Self {
            endpoint,
            api_version,
            app_service,
            client_id,
        }
    }

    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Token, Failure> {
        let mut url = Url::parse(&self.endpoint)
            .map_err(|error| Failure::reason(format!("{}: {error}", self.endpoint)))?;
        if url.scheme() != "https" && !is_loopback(&url) && !is_link_local(&url) {
            return Err(Failure::reason(format!(
                "{} must use https: http is allowed for this machine and for link-local addresses only",
                self.endpoint
            )));
        }
        let resource = ask.scope.strip_suffix("/.default").unwrap_or(ask.scope);
        url.query_pairs_mut()
            .append_pair("api-version", &self.api_version)
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
        if let Some(identity) = &self.app_service {
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
        match (answer.status, said["access_token"].as_str()) {
            (200, Some(token)) => Ok(ask.token(token, seconds(&said))),
            (status, _) => {
                let words = said["error_description"]
                    .as_str()
                    .or(said["message"].as_str())
                    .unwrap_or_default();
                let error = said["error"].as_str().unwrap_or_default();
                Err(Failure::reason(
                    format!("{} answered {status} {error} {words}", self.endpoint)
                        .trim_end()
                        .to_owned(),
                ))
            }
        }
    }
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
        .or_else(|| number(said.get("expires_on")).map(super::seconds_until))
        .unwrap_or(3600)
}
