//! Federated tokens: what a CI system or cluster says about the identity of a job or pod, which
//! Entra takes as the assertion of a service principal. Read or asked for anew at each use, because
//! they live for minutes and runners rotate them.

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Ask, Failure};
use crate::arm::Secret;
use crate::arm::http::{Wire, bearer, busy, headers, secure_address};

/// Where a federated token comes from.
pub(super) enum Source {
    /// Given in the settings.
    Given(Secret),
    /// A file, such as AKS and runners write.
    File(String),
    /// GitHub Actions: `ACTIONS_ID_TOKEN_REQUEST_URL` and `..._TOKEN`.
    GitHub { url: String, token: Secret },
    /// Azure Pipelines: `SYSTEM_OIDCREQUESTURI`, `SYSTEM_ACCESSTOKEN` and a service connection.
    AzurePipelines {
        url: String,
        token: Secret,
        service_connection_id: String,
    },
}

/// Whom the federated token is for: Entra's token exchange.
const AUDIENCE: &str = "api://AzureADTokenExchange";

impl Source {
    /// The federated token.
    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Secret, Failure> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::File(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                    Failure::reason(format!("the token file {path} cannot be read: {error}"))
                })?;
                match text.trim() {
                    "" => Err(Failure::reason(format!("the token file {path} is empty"))),
                    token => Ok(Secret::new(token)),
                }
            }
            Self::GitHub { url, token } => {
                let parameters = [("audience", AUDIENCE)];
                request(
                    ask,
                    "GitHub Actions",
                    Method::GET,
                    url,
                    &parameters,
                    token,
                    "value",
                )
                .await
            }
            Self::AzurePipelines {
                url,
                token,
                service_connection_id,
            } => {
                let parameters = [
                    ("api-version", "7.1"),
                    ("serviceConnectionId", service_connection_id.as_str()),
                    ("audience", AUDIENCE),
                ];
                request(
                    ask,
                    "Azure Pipelines",
                    Method::POST,
                    url,
                    &parameters,
                    token,
                    "oidcToken",
                )
                .await
            }
        }
    }
}

async fn request(
    ask: &Ask<'_>,
    service: &str,
    method: Method,
    address: &str,
    parameters: &[(&str, &str)],
    token: &Secret,
    field: &str,
) -> Result<Secret, Failure> {
    // The address has a query of its own, so only its beginning is checked.
    let (base, _) = address.split_once('?').unwrap_or((address, ""));
    secure_address("oidc_request_url", base)?;
    let mut url = Url::parse(address)
        .map_err(|error| Failure::reason(format!("oidc_request_url is no address: {error}")))?;
    for (name, value) in parameters {
        if !url.query_pairs().any(|(given, _)| given == *name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    let headers = headers([
        ("authorization", bearer(token)?),
        ("accept", HeaderValue::from_static("application/json")),
        ("content-type", HeaderValue::from_static("application/json")),
    ]);
    let body = (method == Method::POST).then(Vec::new);
    let answer = ask
        .http
        .send_patiently(
            ask.call,
            Wire {
                method,
                url,
                headers,
                body,
            },
            busy,
        )
        .await?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match said[field].as_str() {
        Some(token) if answer.status == 200 && !token.is_empty() => Ok(Secret::new(token)),
        _ => Err(Failure::reason(format!(
            "{service} gave no federated token: it answered {}{}",
            answer.status,
            said["message"]
                .as_str()
                .map(|m| format!(" {m}"))
                .unwrap_or_default()
        ))),
    }
}
