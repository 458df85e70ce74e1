//! The `provider` block: where Azure is, how to log in, and what holds for every resource.
//!
//! The arguments and the `ARM_*` environment variables are those that users of azurerm know; an
//! argument wins over its variable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use tfplugin_rs::framework::{Configuration, Diagnostics};
use tfplugin_rs::schema::{Attribute, Check, Kind, Nesting, Schema};
use tfplugin_rs::value::{Path, Value, to_json};

use super::parts::{Locks, Surroundings, TagPolicy, Tags};
use super::session::Session;
use super::{Fkaks, VERSION};
use crate::arm::{Client, Secret, Settings};

const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute::optional(name, Kind::String).describe(description)
}

const fn secret(name: &'static str, description: &'static str) -> Attribute {
    text(name, description).sensitive()
}

const fn flag(name: &'static str, description: &'static str) -> Attribute {
    Attribute::optional(name, Kind::Bool).describe(description)
}

/// The schema of the block.
pub const SCHEMA: Schema = Schema::new(
    "Secure image pulls on Azure: AKS clusters that pull from a container registry over private \
     endpoints and private DNS.",
    &[
        text("subscription_id", "The subscription of resources that name none. `ARM_SUBSCRIPTION_ID`."),
        text("tenant_id", "The Entra tenant that tokens come from. `ARM_TENANT_ID`."),
        Attribute::optional("auxiliary_tenant_ids", Kind::List(&Kind::String))
            .describe("Up to three further tenants, for references across tenants. `ARM_AUXILIARY_TENANT_IDS`.")
            .checked(&[Check::Items(0, 3)]),
        text("client_id", "The application (client) id. `ARM_CLIENT_ID`."),
        text("client_id_file_path", "A file that holds the client id. `ARM_CLIENT_ID_FILE_PATH`."),
        secret("client_secret", "The password of the service principal. `ARM_CLIENT_SECRET`."),
        text("client_secret_file_path", "A file that holds it. `ARM_CLIENT_SECRET_FILE_PATH`."),
        secret(
            "client_certificate",
            "A certificate with its private key, PFX or PEM, in base64. `ARM_CLIENT_CERTIFICATE`.",
        ),
        text("client_certificate_path", "A PFX or PEM file. `ARM_CLIENT_CERTIFICATE_PATH`."),
        secret(
            "client_certificate_password",
            "The password of the PFX file. `ARM_CLIENT_CERTIFICATE_PASSWORD`.",
        ),
        flag("use_oidc", "Whether to log in with federated tokens. `ARM_USE_OIDC`; false by default."),
        secret("oidc_token", "A federated token. `ARM_OIDC_TOKEN`."),
        text(
            "oidc_token_file_path",
            "A file that holds one, read again at each use. `ARM_OIDC_TOKEN_FILE_PATH`.",
        ),
        secret(
            "oidc_request_token",
            "The token that asks GitHub Actions or Azure Pipelines for a federated token. \
             `ARM_OIDC_REQUEST_TOKEN`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN` or `SYSTEM_ACCESSTOKEN`.",
        ),
        text(
            "oidc_request_url",
            "Where to ask for it. `ARM_OIDC_REQUEST_URL`, `ACTIONS_ID_TOKEN_REQUEST_URL` or \
             `SYSTEM_OIDCREQUESTURI`.",
        ),
        text(
            "ado_pipeline_service_connection_id",
            "The service connection of Azure Pipelines. `ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID` or \
             `ARM_OIDC_AZURE_SERVICE_CONNECTION_ID`.",
        ),
        flag("use_msi", "Whether to use a managed identity. `ARM_USE_MSI`; false by default."),
        text("msi_endpoint", "The address of the managed identity service. `ARM_MSI_ENDPOINT`."),
        text("msi_api_version", "The API version to use there. `ARM_MSI_API_VERSION`."),
        flag(
            "use_aks_workload_identity",
            "Whether to use the workload identity of the AKS pod that this runs in. \
             `ARM_USE_AKS_WORKLOAD_IDENTITY`; false by default.",
        ),
        flag("use_cli", "Whether to use the Azure CLI's account. `ARM_USE_CLI`; true by default."),
        text(
            "environment",
            "The cloud: `public`, `usgovernment` or `china`. `ARM_ENVIRONMENT`; `public` by default.",
        ),
        text(
            "metadata_host",
            "The host that describes a cloud of one's own. `ARM_METADATA_HOSTNAME`.",
        ),
        text(
            "resource_manager_endpoint",
            "The address of Azure Resource Manager, instead of the cloud's. \
             `ARM_RESOURCE_MANAGER_ENDPOINT`.",
        ),
        text(
            "resource_manager_audience",
            "What tokens for it are made for; its address by default. `ARM_RESOURCE_MANAGER_AUDIENCE`.",
        ),
        text(
            "authority_host",
            "The address of Entra, instead of the cloud's. `ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST`.",
        ),
        text(
            "ca_certificate_file",
            "A PEM file of further certificate authorities to trust. `SSL_CERT_FILE` is honoured too.",
        ),
        Attribute::optional("api_versions", Kind::Map(&Kind::String)).describe(
            "API versions to use instead of the provider's own, by resource type \
             (`Microsoft.Network/privateEndpoints`) or by namespace (`Microsoft.Network`).",
        ),
        text(
            "resource_provider_registrations",
            "`none` (the default), or `core`, `extended`, `all` or `legacy`: any of these lets the \
             provider register a resource provider when Azure says that a request needs it. \
             `ARM_RESOURCE_PROVIDER_REGISTRATIONS`.",
        )
        .checked(&[Check::OneOf(&["none", "core", "extended", "all", "legacy"])]),
        text("partner_id", "A partner's GUID for Azure's usage attribution. `ARM_PARTNER_ID`."),
        flag(
            "disable_correlation_request_id",
            "Whether to send no `x-ms-correlation-request-id`. `ARM_DISABLE_CORRELATION_REQUEST_ID`.",
        ),
        Attribute::optional("default_tags", Kind::Map(&Kind::String))
            .describe("Tags that every taggable resource gets; a resource's own tag of the name wins."),
        Attribute::optional(
            "ignore_tags",
            Kind::Nested(
                Nesting::Single,
                &[
                    Attribute::optional("names", Kind::Set(&Kind::String))
                        .describe("Names of tags that others own."),
                    Attribute::optional("prefixes", Kind::Set(&Kind::String))
                        .describe("Beginnings of names of tags that others own."),
                ],
            ),
        )
        .describe("Tags that others own: neither compared nor removed."),
    ],
);

#[derive(Deserialize)]
struct Block {
    subscription_id: Option<String>,
    tenant_id: Option<String>,
    auxiliary_tenant_ids: Option<Vec<String>>,
    client_id: Option<String>,
    client_id_file_path: Option<String>,
    client_secret: Option<String>,
    client_secret_file_path: Option<String>,
    client_certificate: Option<String>,
    client_certificate_path: Option<String>,
    client_certificate_password: Option<String>,
    use_oidc: Option<bool>,
    oidc_token: Option<String>,
    oidc_token_file_path: Option<String>,
    oidc_request_token: Option<String>,
    oidc_request_url: Option<String>,
    ado_pipeline_service_connection_id: Option<String>,
    use_msi: Option<bool>,
    msi_endpoint: Option<String>,
    msi_api_version: Option<String>,
    use_aks_workload_identity: Option<bool>,
    use_cli: Option<bool>,
    environment: Option<String>,
    metadata_host: Option<String>,
    resource_manager_endpoint: Option<String>,
    resource_manager_audience: Option<String>,
    authority_host: Option<String>,
    ca_certificate_file: Option<String>,
    api_versions: Option<BTreeMap<String, String>>,
    resource_provider_registrations: Option<String>,
    partner_id: Option<String>,
    disable_correlation_request_id: Option<bool>,
    default_tags: Option<Tags>,
    ignore_tags: Option<IgnoreTags>,
}

#[derive(Deserialize, Default)]
struct IgnoreTags {
    names: Option<BTreeSet<String>>,
    prefixes: Option<BTreeSet<String>>,
}

/// Checks across the block's arguments; there is nothing that one argument does not say alone.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let has = |name: &str| !config.get(name).is_null();
    for (value, file) in [
        ("client_id", "client_id_file_path"),
        ("client_secret", "client_secret_file_path"),
    ] {
        if has(value) && has(file) {
            diagnostics.error(
                Path::attribute(file),
                format!("{value} and {file} cannot both be set"),
                "Each gives the same value.\n\nFix: remove one of them.",
            );
        }
    }
    if has("metadata_host") && has("resource_manager_endpoint") {
        diagnostics.error(
            Path::attribute("metadata_host"),
            "metadata_host and resource_manager_endpoint cannot both be set",
            "Each says where Azure is.\n\nFix: remove one of them.",
        );
    }
}

/// Fills the provider's session. No network: it is reached when it is first needed.
pub fn configure(provider: &Fkaks, request: &Configuration, diagnostics: &mut Diagnostics) {
    let unknown: Vec<String> = request
        .config
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_wholly_known())
        .map(|(name, _)| name.clone())
        .collect();
    if !unknown.is_empty() {
        provider.session.defer(unknown);
        return;
    }
    let block = to_json(&request.config).map_err(|error| error.to_string());
    let block = block
        .and_then(|json| serde_json::from_value::<Block>(json).map_err(|error| error.to_string()));
    let block = match block {
        Ok(block) => block,
        Err(error) => {
            diagnostics.error(
                Path::root(),
                "the provider block cannot be understood",
                error,
            );
            return;
        }
    };
    let ignored = block.ignore_tags.as_ref();
    let tags = TagPolicy {
        defaults: block.default_tags.clone().unwrap_or_default(),
        ignored: ignored
            .and_then(|ignored| ignored.names.clone())
            .unwrap_or_default(),
        ignored_prefixes: ignored
            .and_then(|ignored| ignored.prefixes.clone())
            .unwrap_or_default(),
    };
    let settings = settings(block, provider, &request.terraform_version);
    match settings
        .or_environment(&provider.environment)
        .and_then(Client::new)
    {
        Ok(client) => provider.session.fill(Session {
            surroundings: Arc::new(Surroundings {
                cloud: client.cloud().clone(),
                subscription_id: client.default_subscription_id().map(str::to_owned),
                tags,
                ..Surroundings::default()
            }),
            client,
            locks: Locks::default(),
        }),
        Err(error) => {
            diagnostics.error(
                Path::root(),
                "the provider cannot be configured",
                error.to_string(),
            );
        }
    }
}

fn settings(block: Block, provider: &Fkaks, terraform_version: &str) -> Settings {
    Settings {
        subscription_id: block.subscription_id,
        tenant_id: block.tenant_id,
        auxiliary_tenant_ids: block.auxiliary_tenant_ids.unwrap_or_default(),
        client_id: block.client_id,
        client_id_file_path: block.client_id_file_path,
        client_secret: block.client_secret.map(Secret::new),
        client_secret_file_path: block.client_secret_file_path,
        client_certificate: block.client_certificate.map(Secret::new),
        client_certificate_path: block.client_certificate_path,
        client_certificate_password: block.client_certificate_password.map(Secret::new),
        use_oidc: block.use_oidc,
        oidc_token: block.oidc_token.map(Secret::new),
        oidc_token_file_path: block.oidc_token_file_path,
        oidc_request_token: block.oidc_request_token.map(Secret::new),
        oidc_request_url: block.oidc_request_url,
        ado_pipeline_service_connection_id: block.ado_pipeline_service_connection_id,
        use_msi: block.use_msi,
        msi_endpoint: block.msi_endpoint,
        msi_api_version: block.msi_api_version,
        use_aks_workload_identity: block.use_aks_workload_identity,
        use_cli: block.use_cli,
        environment: block.environment,
        metadata_host: block.metadata_host,
        resource_manager_endpoint: block.resource_manager_endpoint,
        resource_manager_audience: block.resource_manager_audience,
        authority_host: block.authority_host,
        ca_certificate_file: block.ca_certificate_file,
        api_versions: block.api_versions.unwrap_or_default(),
        resource_provider_registrations: block.resource_provider_registrations,
        partner_id: block.partner_id,
        disable_correlation_request_id: block.disable_correlation_request_id,
        user_agent: Some(format!(
            "terraform-provider-fkaks/{VERSION} (terraform {terraform_version})"
        )),
        clock: Some(provider.clock.clone()),
        ..Settings::default()
    }
}
