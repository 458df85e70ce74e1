//! Everything that a client can be told, as plain data. The provider block fills it, the
//! environment fills what is left (`environment.rs`), and the client reads nothing else.

use std::collections::BTreeMap;

use super::{Clock, Secret};

/// The settings of a [`super::Client`]. `None` and empty mean "not given".
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The subscription of resources that name none.
    pub subscription_id: Option<String>,
    /// The Entra tenant that tokens come from.
    pub tenant_id: Option<String>,
    /// Up to three further tenants whose tokens go along, for cross-tenant references.
    pub auxiliary_tenant_ids: Vec<String>,
    /// The application (client) id of the service principal or managed identity.
    pub client_id: Option<String>,
    /// A file that holds the client id.
    pub client_id_file_path: Option<String>,
    /// The password of the service principal.
    pub client_secret: Option<Secret>,
    /// A file that holds it.
    pub client_secret_file_path: Option<String>,
    /// A certificate with its private key: PFX or PEM, in base64.
    pub client_certificate: Option<Secret>,
    /// A PFX or PEM file.
    pub client_certificate_path: Option<String>,
    /// The password of the PFX file.
    pub client_certificate_password: Option<Secret>,
    /// Whether to use federated (OIDC) tokens; false by default.
    pub use_oidc: Option<bool>,
    /// A federated token.
    pub oidc_token: Option<Secret>,
    /// A file that holds one; read again at each use, because runners rotate it.
    pub oidc_token_file_path: Option<String>,
    /// The token that asks GitHub Actions or Azure Pipelines for a federated token.
    pub oidc_request_token: Option<Secret>,
    /// Where to ask for it.
    pub oidc_request_url: Option<String>,
    /// The service connection of Azure Pipelines whose federated token to ask for.
    pub ado_pipeline_service_connection_id: Option<String>,
    /// Whether to use the workload identity of the AKS pod that this runs in; false by default.
    pub use_aks_workload_identity: Option<bool>,
    /// `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE`: what AKS gives a pod.
    pub aks_workload_identity: AksWorkloadIdentity,
    /// Whether to use a managed identity; false by default.
    pub use_msi: Option<bool>,
    /// The address of the managed identity service; the instance metadata service by default.
    pub msi_endpoint: Option<String>,
    /// The API version to use there.
    pub msi_api_version: Option<String>,
    /// The identity endpoint that App Service, Functions and Container Apps give their programs.
    pub app_service_identity: Option<AppServiceIdentity>,
    /// The address of the instance metadata service; tests put another here.
    pub metadata_service: Option<String>,
    /// Whether to use the Azure CLI's account; true by default.
    pub use_cli: Option<bool>,
    /// The directories in which `az` is looked for, instead of PATH; tests put another here.
    pub cli_search_path: Option<String>,

    /// The cloud: `public`, `usgovernment` or `china`; `public` by default.
    pub environment: Option<String>,
    /// The host that describes the cloud (`/metadata/endpoints`), for clouds of one's own.
    pub metadata_host: Option<String>,
    /// The address of Azure Resource Manager, instead of the cloud's.
    pub resource_manager_endpoint: Option<String>,
    /// The audience that tokens for it are made for; its address by default.
    pub resource_manager_audience: Option<String>,
    /// The address of Entra, instead of the cloud's.
    pub authority_host: Option<String>,
    /// A PEM file of further certificate authorities to trust.
    pub ca_certificate_file: Option<String>,
    /// `SSL_CERT_FILE`: likewise.
    pub ssl_cert_file: Option<String>,
    /// The proxies of the environment.
    pub proxy: Proxy,

    /// API versions to use instead of the table's, by resource type or by namespace.
    pub api_versions: BTreeMap<String, String>,
    /// `none` (the default) or one of azurerm's sets; any set lets the client register a resource
    /// provider when Azure says that a request needs it.
    pub resource_provider_registrations: Option<String>,
    /// A partner's GUID for Azure's usage attribution.
    pub partner_id: Option<String>,
    /// Sent as `x-ms-correlation-request-id`; a random one for each client by default.
    pub correlation_request_id: Option<String>,
    /// Whether to send none.
    pub disable_correlation_request_id: Option<bool>,
    /// What the provider calls itself: product/version tokens.
    pub user_agent: Option<String>,
    /// The clock; the real one by default.
    pub clock: Option<Clock>,
    /// How many requests may be under way at once; 32 by default.
    pub max_parallel: Option<usize>,
}

/// What AKS workload identity puts into the environment of a pod.
#[derive(Clone, Debug, Default)]
pub struct AksWorkloadIdentity {
    /// `AZURE_CLIENT_ID`
    pub client_id: Option<String>,
    /// `AZURE_TENANT_ID`
    pub tenant_id: Option<String>,
    /// `AZURE_FEDERATED_TOKEN_FILE`
    pub token_file_path: Option<String>,
}

/// What App Service and its relatives put into the environment of a program.
#[derive(Clone, Debug)]
pub struct AppServiceIdentity {
    /// `IDENTITY_ENDPOINT`
    pub endpoint: String,
    /// `IDENTITY_HEADER`, which proves that the caller runs there.
    pub header: Secret,
}

/// The proxy variables; values may hold a user and password, so they are secrets.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`
    pub https: Option<Secret>,
    /// `HTTP_PROXY`, else `ALL_PROXY`
    pub http: Option<Secret>,
    /// `NO_PROXY`
    pub exceptions: Option<String>,
}
