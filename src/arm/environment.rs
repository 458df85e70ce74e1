//! The only place that reads environment variables: the `ARM_*` names that azurerm's and azapi's
//! users know, and what CI systems, AKS and App Service provide. Explicit settings win.
//!
//! The variables come in as a map, so that tests need not change those of their process.

use std::collections::BTreeMap;

use super::settings::{AksWorkloadIdentity, AppServiceIdentity, Proxy};
use super::{Error, Secret, Settings};

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Those that are not valid Unicode are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The first of these that is set.
    fn text(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| self.get(name))
            .map(str::to_owned)
    }

    fn secret(&self, names: &[&str]) -> Option<Secret> {
        self.text(names).map(Secret::from)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(Some(true)),
            "false" | "f" | "0" => Ok(Some(false)),
            _ => Err(Error::Settings(format!(
                "the environment variable {name} is {value:?}; it must be true or false"
            ))),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names only: values may be secrets.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// Fills what these settings leave open from the environment.
    ///
    /// # Errors
    /// [`Error::Settings`] for a switch that is neither true nor false.
    pub fn or_environment(mut self, env: &Environment) -> Result<Self, Error> {
        fn fill<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
            if slot.is_none() {
                *slot = value();
            }
        }
        let text = |slot: &mut Option<String>, names: &[&str]| fill(slot, || env.text(names));
        let secret = |slot: &mut Option<Secret>, names: &[&str]| fill(slot, || env.secret(names));
        let flag = |slot: &mut Option<bool>, name: &str| {
            if slot.is_none() {
                *slot = env.flag(name)?;
            }
            Ok::<_, Error>(())
        };

        text(&mut self.subscription_id, &["ARM_SUBSCRIPTION_ID"]);
        text(&mut self.tenant_id, &["ARM_TENANT_ID"]);
        if self.auxiliary_tenant_ids.is_empty() {
            let list = env.get("ARM_AUXILIARY_TENANT_IDS").unwrap_or_default();
            self.auxiliary_tenant_ids = list
                .split(';')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect();
        }
        text(&mut self.client_id, &["ARM_CLIENT_ID"]);
        text(&mut self.client_id_file_path, &["ARM_CLIENT_ID_FILE_PATH"]);
        secret(&mut self.client_secret, &["ARM_CLIENT_SECRET"]);
        text(
            &mut self.client_secret_file_path,
            &["ARM_CLIENT_SECRET_FILE_PATH"],
        );
        secret(&mut self.client_certificate, &["ARM_CLIENT_CERTIFICATE"]);
        text(
            &mut self.client_certificate_path,
            &["ARM_CLIENT_CERTIFICATE_PATH"],
        );
        secret(
            &mut self.client_certificate_password,
            &["ARM_CLIENT_CERTIFICATE_PASSWORD"],
        );
        flag(&mut self.use_oidc, "ARM_USE_OIDC")?;
        secret(&mut self.oidc_token, &["ARM_OIDC_TOKEN"]);
        text(
            &mut self.oidc_token_file_path,
            &["ARM_OIDC_TOKEN_FILE_PATH"],
        );
        secret(
            &mut self.oidc_request_token,
            &[
                "ARM_OIDC_REQUEST_TOKEN",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "SYSTEM_ACCESSTOKEN",
            ],
        );
        text(
            &mut self.oidc_request_url,
            &[
                "ARM_OIDC_REQUEST_URL",
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "SYSTEM_OIDCREQUESTURI",
            ],
        );
        text(
            &mut self.ado_pipeline_service_connection_id,
            &[
                "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
                "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
            ],
        );
        flag(
            &mut self.use_aks_workload_identity,
            "ARM_USE_AKS_WORKLOAD_IDENTITY",
        )?;
        let AksWorkloadIdentity {
            client_id,
            tenant_id,
            token_file_path,
        } = &mut self.aks_workload_identity;
        text(client_id, &["AZURE_CLIENT_ID"]);
        text(tenant_id, &["AZURE_TENANT_ID"]);
        text(token_file_path, &["AZURE_FEDERATED_TOKEN_FILE"]);
        flag(&mut self.use_msi, "ARM_USE_MSI")?;
        text(&mut self.msi_endpoint, &["ARM_MSI_ENDPOINT"]);
        text(&mut self.msi_api_version, &["ARM_MSI_API_VERSION"]);
        fill(&mut self.app_service_identity, || {
            let (endpoint, header) = (
                env.text(&["IDENTITY_ENDPOINT"])?,
                env.secret(&["IDENTITY_HEADER"])?,
            );
            Some(AppServiceIdentity { endpoint, header })
        });
        flag(&mut self.use_cli, "ARM_USE_CLI")?;

        text(&mut self.environment, &["ARM_ENVIRONMENT"]);
        text(
            &mut self.metadata_host,
            &["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"],
        );
        text(
            &mut self.resource_manager_endpoint,
            &["ARM_RESOURCE_MANAGER_ENDPOINT"],
        );
        text(
            &mut self.resource_manager_audience,
            &["ARM_RESOURCE_MANAGER_AUDIENCE"],
        );
        text(
            &mut self.authority_host,
            &["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"],
        );
        text(&mut self.ssl_cert_file, &["SSL_CERT_FILE"]);
        let Proxy {
            https,
            http,
            exceptions,
        } = &mut self.proxy;
        secret(
            https,
            &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        );
        // A CGI program's HTTP_PROXY is a request header of its caller ("httpoxy").
        let http_names: &[&str] = match env.get("REQUEST_METHOD") {
            Some(_) => &["http_proxy", "all_proxy"],
            None => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        secret(http, http_names);
        text(exceptions, &["NO_PROXY", "no_proxy"]);

        text(
            &mut self.resource_provider_registrations,
            &["ARM_RESOURCE_PROVIDER_REGISTRATIONS"],
        );
        text(&mut self.partner_id, &["ARM_PARTNER_ID"]);
        text(
            &mut self.correlation_request_id,
            &["ARM_CORRELATION_REQUEST_ID"],
        );
        flag(
            &mut self.disable_correlation_request_id,
            "ARM_DISABLE_CORRELATION_REQUEST_ID",
        )?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Environment {
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn explicit_settings_win_and_empty_variables_are_unset() {
        let given = Settings {
            tenant_id: Some("mine".into()),
            use_oidc: Some(false),
            ..Settings::default()
        };
        let settings = given
            .or_environment(&env(&[
                ("ARM_TENANT_ID", "theirs"),
                ("ARM_USE_OIDC", "true"),
                ("ARM_CLIENT_ID", ""),
                ("ARM_USE_MSI", "1"),
            ]))
            .unwrap();
        assert_eq!(settings.tenant_id.as_deref(), Some("mine"));
        assert_eq!(settings.client_id, None);
        assert_eq!(
            (settings.use_oidc, settings.use_msi),
            (Some(false), Some(true))
        );
    }

    #[test]
    fn ci_names_are_found_in_the_order_that_azurerm_uses() {
        let settings = Settings::default()
            .or_environment(&env(&[
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "gh"),
                ("SYSTEM_ACCESSTOKEN", "ado"),
                ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/x"),
                ("ARM_AUXILIARY_TENANT_IDS", "a; b;"),
                ("https_proxy", "http://user:pass@proxy:1"),
            ]))
            .unwrap();
        assert_eq!(settings.oidc_request_token.as_ref().unwrap().expose(), "gh");
        assert_eq!(
            settings.oidc_request_url.as_deref(),
            Some("https://dev.azure.com/x")
        );
        assert_eq!(settings.auxiliary_tenant_ids, ["a", "b"]);
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("user:pass") && !shown.contains("\"gh\""),
            "{shown}"
        );
    }

    #[test]
    fn a_switch_that_is_neither_true_nor_false_is_an_error() {
        let error = Settings::default()
            .or_environment(&env(&[("ARM_USE_MSI", "maybe")]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("ARM_USE_MSI") && error.contains("maybe"),
            "{error}"
        );
    }
}
