//! Which method of authentication the settings ask for. The order is azurerm's: certificate,
//! secret, federated token, Azure Pipelines, GitHub Actions, managed identity, Azure CLI.
//!
//! The first method that is configured is the one: if Entra refuses it, no later one is tried,
//! because the user would act as somebody else without noticing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::certificate::{Algorithm, Certificate};
use super::cli::Cli;
use super::entra::{self, Proof};
use super::managed_identity::ManagedIdentity;
use super::oidc::Source;
use super::{Ask, Attempt, Failure, Token};
use crate::arm::{Error, Secret, Settings};

/// The method in use, and why those before it are not.
pub(super) struct Choice {
    pub method: Option<(&'static str, Method)>,
    pub passed_over: Vec<Attempt>,
}

/// A configured method of authentication.
pub(super) enum Method {
    ServicePrincipal {
        tenant_id: String,
        client_id: String,
        identity: Identity,
    },
    ManagedIdentity(ManagedIdentity),
    Cli(Cli),
}

/// What a service principal proves its identity with.
pub(super) enum Identity {
    Secret(Secret),
    Certificate {
        content: CertificateContent,
        password: Option<Secret>,
    },
    Federated(Source),
}

pub(super) enum CertificateContent {
    /// In base64.
    Given(Secret),
    File(String),
}

impl Choice {
    /// Decides by the settings alone; files that hold an id, secret or token are read to compare.
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let who = Who::new(settings)?;
        let mut choice = Self {
            method: None,
            passed_over: Vec::new(),
        };
        let rows: [(&'static str, Maker); 7] = [
            ("client certificate", client_certificate),
            ("client secret", client_secret),
            ("OIDC token", oidc_token),
            ("OIDC in Azure Pipelines", azure_pipelines),
            ("OIDC in GitHub Actions", github_actions),
            ("managed identity", managed_identity),
            ("Azure CLI", cli),
        ];
        for (name, make) in rows {
            match make(settings, &who) {
                Ok(method) => {
                    choice.method = Some((name, method));
                    break;
                }
                Err(reason) => choice.passed_over.push(Attempt {
                    method: name,
                    reason,
                }),
            }
        }
        Ok(choice)
    }
}

impl Method {
    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Token, Failure> {
        match self {
            Self::ManagedIdentity(identity) => match ask.auxiliary_tenant {
                Some(_) => Err(Failure::reason(
                    "a managed identity has no token for another tenant",
                )),
                None => identity.token(ask).await,
            },
            Self::Cli(cli) => cli.token(ask).await,
            Self::ServicePrincipal {
                tenant_id,
                client_id,
                identity,
            } => {
                let tenant = ask.tenant(Some(tenant_id)).unwrap_or(tenant_id);
                let proof = identity.proof(ask, tenant, client_id).await?;
                entra::token(ask, tenant, client_id, proof).await
            }
        }
    }
}

impl Identity {
    async fn proof(&self, ask: &Ask<'_>, tenant: &str, client_id: &str) -> Result<Proof, Failure> {
        match self {
            Self::Secret(secret) => Ok(Proof::Password(secret.clone())),
            Self::Federated(source) => source.token(ask).await.map(Proof::Assertion),
            Self::Certificate { content, password } => {
                let (name, bytes) = match content {
                    CertificateContent::Given(base64) => {
                        let text: String = base64.expose().split_whitespace().collect();
                        let bytes = STANDARD
                            .decode(text)
                            .map_err(|_| Failure::reason("client_certificate is not in base64"))?;
                        ("client_certificate", bytes)
                    }
                    CertificateContent::File(path) => {
                        let bytes = tokio::fs::read(path).await.map_err(|error| {
                            Failure::reason(format!(
                                "the certificate {path} cannot be read: {error}"
                            ))
                        })?;
                        (path.as_str(), bytes)
                    }
                };
                let algorithm = if tenant.eq_ignore_ascii_case("adfs") {
                    Algorithm::Rs256
                } else {
                    Algorithm::Ps256
                };
                Certificate::read(&bytes, password.as_ref())
                    .and_then(|c| {
                        c.assertion(
                            &entra::token_address(ask.authority, tenant),
                            client_id,
                            algorithm,
                        )
                    })
                    .map(Proof::Assertion)
                    .map_err(|problem| Failure::reason(format!("{name}: {problem}")))
            }
        }
    }
}

type Maker = fn(&Settings, &Who) -> Result<Method, String>;

/// What several methods need: values that may come directly, from a file, or from AKS.
struct Who {
    tenant_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    token: Option<Secret>,
    token_file_path: Option<String>,
}

impl Who {
    fn new(settings: &Settings) -> Result<Self, Error> {
        let aks = settings.use_aks_workload_identity == Some(true);
        let of_aks = |value: &Option<String>| value.clone().filter(|_| aks);
        let aks_identity = &settings.aks_workload_identity;
        let client_id = agree(
            ("client_id", settings.client_id.clone()),
            (
                "client_id_file_path",
                settings
                    .client_id_file_path
                    .as_deref()
                    .map(read)
                    .transpose()?,
            ),
        )?;
        let client_id = agree(
            ("client_id", client_id),
            ("AZURE_CLIENT_ID", of_aks(&aks_identity.client_id)),
        )?;
        let tenant_id = agree(
            ("tenant_id", settings.tenant_id.clone()),
            ("AZURE_TENANT_ID", of_aks(&aks_identity.tenant_id)),
        )?;
        let client_secret = agree(
            (
                "client_secret",
                settings
                    .client_secret
                    .as_ref()
                    .map(|s| s.expose().to_owned()),
            ),
            (
                "client_secret_file_path",
                settings
                    .client_secret_file_path
                    .as_deref()
                    .map(read)
                    .transpose()?,
            ),
        )?;
        let token_file_path = agree(
            (
                "oidc_token_file_path",
                settings.oidc_token_file_path.clone(),
            ),
            (
                "AZURE_FEDERATED_TOKEN_FILE",
                of_aks(&aks_identity.token_file_path),
            ),
        )?;
        if let (Some(token), Some(path)) = (&settings.oidc_token, &token_file_path) {
            agree(
                ("oidc_token", Some(token.expose().to_owned())),
                ("oidc_token_file_path", Some(read(path)?)),
            )?;
        }
        Ok(Self {
            tenant_id,
            client_id,
            client_secret: client_secret.map(Secret::from),
            token: settings.oidc_token.clone(),
            token_file_path,
        })
    }

    fn principal(&self, identity: Identity) -> Result<Method, String> {
        match (&self.tenant_id, &self.client_id) {
            (Some(tenant_id), Some(client_id)) => Ok(Method::ServicePrincipal {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                identity,
            }),
            (None, Some(_)) => Err("tenant_id (ARM_TENANT_ID) is missing".into()),
            (Some(_), None) => Err("client_id (ARM_CLIENT_ID) is missing".into()),
            (None, None) => {
                Err("tenant_id (ARM_TENANT_ID) and client_id (ARM_CLIENT_ID) are missing".into())
            }
        }
    }
}

/// Two sources of one value: either, or both if they say the same. The values may be secrets, so
/// the error shows none.
fn agree(a: (&str, Option<String>), b: (&str, Option<String>)) -> Result<Option<String>, Error> {
    match (a, b) {
        ((name, Some(value)), (other, Some(value_too))) if value != value_too => {
            Err(Error::Settings(format!(
                "{name} and {other} are both given and differ: remove one of them"
            )))
        }
        ((_, a), (_, b)) => Ok(a.or(b)),
    }
}

fn read(path: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::Settings(format!("{path} cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(Error::Settings(format!("{path} is empty"))),
        text => Ok(text.to_owned()),
    }
}

fn client_certificate(settings: &Settings, who: &Who) -> Result<Method, String> {
    let content = match (
        &settings.client_certificate,
        &settings.client_certificate_path,
    ) {
        (Some(given), _) => CertificateContent::Given(given.clone()),
        (None, Some(path)) => CertificateContent::File(path.clone()),
        (None, None) => {
            return Err("neither client_certificate_path (ARM_CLIENT_CERTIFICATE_PATH) nor client_certificate is set".into());
        }
    };
    who.principal(Identity::Certificate {
        content,
        password: settings.client_certificate_password.clone(),
    })
}

fn client_secret(_: &Settings, who: &Who) -> Result<Method, String> {
    match &who.client_secret {
        Some(secret) => who.principal(Identity::Secret(secret.clone())),
        None => Err("client_secret (ARM_CLIENT_SECRET) is not set".into()),
    }
}

fn oidc_token(settings: &Settings, who: &Who) -> Result<Method, String> {
    if settings.use_oidc != Some(true) && settings.use_aks_workload_identity != Some(true) {
        return Err("neither use_oidc (ARM_USE_OIDC) nor use_aks_workload_identity is true".into());
    }
    // The file is preferred where both are given: it is the one that is rotated.
    match (&who.token_file_path, &who.token) {
        (Some(path), _) => who.principal(Identity::Federated(Source::File(path.clone()))),
        (None, Some(token)) => who.principal(Identity::Federated(Source::Given(token.clone()))),
        (None, None) => Err("neither oidc_token (ARM_OIDC_TOKEN) nor oidc_token_file_path (ARM_OIDC_TOKEN_FILE_PATH, or \
                             AZURE_FEDERATED_TOKEN_FILE in AKS) is set"
            .into()),
    }
}

fn azure_pipelines(settings: &Settings, who: &Who) -> Result<Method, String> {
    if settings.use_oidc != Some(true) {
        return Err("use_oidc (ARM_USE_OIDC) is not true".into());
    }
    let Some(service_connection_id) = settings.ado_pipeline_service_connection_id.clone() else {
        return Err("ado_pipeline_service_connection_id (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID) is not set".into());
    };
    let (url, token) = request_of_runner(settings, "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN")?;
    who.principal(Identity::Federated(Source::AzurePipelines {
        url,
        token,
        service_connection_id,
    }))
}

fn github_actions(settings: &Settings, who: &Who) -> Result<Method, String> {
    if settings.use_oidc != Some(true) {
        return Err("use_oidc (ARM_USE_OIDC) is not true".into());
    }
    let (url, token) = request_of_runner(
        settings,
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    )?;
    who.principal(Identity::Federated(Source::GitHub { url, token }))
}

fn request_of_runner(
    settings: &Settings,
    url: &str,
    token: &str,
) -> Result<(String, Secret), String> {
    match (&settings.oidc_request_url, &settings.oidc_request_token) {
        (Some(url), Some(token)) => Ok((url.clone(), token.clone())),
        (None, _) => Err(format!(
            "oidc_request_url (ARM_OIDC_REQUEST_URL or {url}) is not set"
        )),
        (Some(_), None) => Err(format!(
            "oidc_request_token (ARM_OIDC_REQUEST_TOKEN or {token}) is not set"
        )),
    }
}

fn managed_identity(settings: &Settings, who: &Who) -> Result<Method, String> {
    if settings.use_msi != Some(true) {
        return Err("use_msi (ARM_USE_MSI) is not true".into());
    }
    Ok(Method::ManagedIdentity(ManagedIdentity::new(
        settings,
        who.client_id.clone(),
    )))
}

fn cli(settings: &Settings, who: &Who) -> Result<Method, String> {
    if settings.use_cli == Some(false) {
        return Err("use_cli (ARM_USE_CLI) is false".into());
    }
    Ok(Method::Cli(Cli {
        search_path: settings.cli_search_path.clone(),
        tenant_id: who.tenant_id.clone(),
        subscription_id: settings.subscription_id.clone(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::arm::AksWorkloadIdentity;

    fn chosen(settings: &Settings) -> &'static str {
        Choice::new(settings)
            .unwrap()
            .method
            .map_or("none", |(name, _)| name)
    }

    #[test]
    fn the_order_is_that_of_azurerm() {
        let mut settings = Settings {
            tenant_id: Some("t".into()),
            client_id: Some("c".into()),
            client_certificate_path: Some("/a.pfx".into()),
            client_secret: Some(Secret::new("s")),
            use_oidc: Some(true),
            oidc_token: Some(Secret::new("o")),
            oidc_request_url: Some("https://runner".into()),
            oidc_request_token: Some(Secret::new("r")),
            ado_pipeline_service_connection_id: Some("sc".into()),
            use_msi: Some(true),
            ..Settings::default()
        };
        assert_eq!(chosen(&settings), "client certificate");
        settings.client_certificate_path = None;
        assert_eq!(chosen(&settings), "client secret");
        settings.client_secret = None;
        assert_eq!(chosen(&settings), "OIDC token");
        settings.oidc_token = None;
        assert_eq!(chosen(&settings), "OIDC in Azure Pipelines");
        settings.ado_pipeline_service_connection_id = None;
        assert_eq!(chosen(&settings), "OIDC in GitHub Actions");
        settings.use_oidc = Some(false);
        assert_eq!(chosen(&settings), "managed identity");
        settings.use_msi = None;
        assert_eq!(chosen(&settings), "Azure CLI");
        settings.use_cli = Some(false);
        assert_eq!(chosen(&settings), "none");
    }

    #[test]
    fn the_identity_of_a_pod_counts_only_when_asked_for() {
        let mut settings = Settings {
            aks_workload_identity: AksWorkloadIdentity {
                client_id: Some("c".into()),
                tenant_id: Some("t".into()),
                token_file_path: Some("/var/run/token".into()),
            },
            ..Settings::default()
        };
        assert_eq!(chosen(&settings), "Azure CLI");
        settings.use_aks_workload_identity = Some(true);
        assert_eq!(chosen(&settings), "OIDC token");
        settings.tenant_id = Some("another".into());
        let error = Choice::new(&settings).err().unwrap().to_string();
        assert!(error.contains("tenant_id and AZURE_TENANT_ID"), "{error}");
    }
}
