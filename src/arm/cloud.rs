//! What differs between Azure's clouds: addresses, audiences, and the names of DNS zones.
//! Source: Microsoft Learn, "Azure Government endpoints", "Azure in China endpoints", and
//! "Private endpoint DNS zone values".

use super::{Error, location};

/// One of Azure's clouds, or one of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud`, or what the metadata says.
    pub name: String,
    /// The address of Azure Resource Manager, without a slash at the end.
    pub resource_manager: String,
    /// What tokens for it are made for, without `/.default`.
    pub audience: String,
    /// The address of Entra, without a slash at the end.
    pub authority: String,
    /// `azurecr.io`: the login server of a registry is its name, a dot and this.
    pub registry_suffix: String,
    /// `vault.azure.net`
    pub key_vault_suffix: String,
    /// `core.windows.net`
    pub storage_suffix: String,
    /// The address of the query API of Log Analytics, without a slash at the end.
    pub log_analytics: String,
    /// What tokens for it are made for, without `/.default`.
    pub(super) log_analytics_audience: &'static str,
    /// The zone of private AKS API servers, where `{region}` stands for the region.
    aks_zone: &'static str,
    /// The zone of private key vaults.
    key_vault_zone: &'static str,
}

impl Cloud {
    /// The cloud that azurerm's users call by this name; any case.
    ///
    /// # Errors
    /// [`Error::Settings`] that lists the names.
    pub fn named(environment: &str) -> Result<Self, Error> {
        match environment.to_ascii_lowercase().as_str() {
            "" | "public" | "global" | "azurecloud" | "azurepubliccloud" => Ok(Self::public()),
            "usgovernment"
            | "usgovernmentl4"
            | "dod"
            | "usgovernmentl5"
            | "azureusgovernment"
            | "azureusgovernmentcloud" => Ok(Self::us_government()),
            "china" | "azurechinacloud" => Ok(Self::china()),
            _ => Err(Error::Settings(format!(
                "environment: {environment:?} is no Azure cloud that is known here. Use \"public\", \"usgovernment\" or \
                 \"china\"; for a cloud of your own set metadata_host, or resource_manager_endpoint and authority_host"
            ))),
        }
    }

    /// The public cloud.
    pub fn public() -> Self {
        Self {
            name: "AzureCloud".into(),
            resource_manager: "https://management.azure.com".into(),
            audience: "https://management.azure.com".into(),
            authority: "https://login.microsoftonline.com".into(),
            registry_suffix: "azurecr.io".into(),
            key_vault_suffix: "vault.azure.net".into(),
            storage_suffix: "core.windows.net".into(),
            log_analytics: "https://api.loganalytics.azure.com".into(),
            log_analytics_audience: "https://api.loganalytics.io",
            aks_zone: "privatelink.{region}.azmk8s.io",
            key_vault_zone: "privatelink.vaultcore.azure.net",
        }
    }

    /// The cloud of the US Government.
    pub fn us_government() -> Self {
        Self {
            name: "AzureUSGovernment".into(),
            resource_manager: "https://management.usgovcloudapi.net".into(),
            audience: "https://management.usgovcloudapi.net".into(),
            authority: "https://login.microsoftonline.us".into(),
            registry_suffix: "azurecr.us".into(),
            key_vault_suffix: "vault.usgovcloudapi.net".into(),
            storage_suffix: "core.usgovcloudapi.net".into(),
            log_analytics: "https://api.loganalytics.us".into(),
            log_analytics_audience: "https://api.loganalytics.us",
            aks_zone: "privatelink.{region}.cx.aks.containerservice.azure.us",
            key_vault_zone: "privatelink.vaultcore.usgovcloudapi.net",
        }
    }

    /// The cloud in China, run by 21Vianet.
    pub fn china() -> Self {
        Self {
            name: "AzureChinaCloud".into(),
            resource_manager: "https://management.chinacloudapi.cn".into(),
            audience: "https://management.chinacloudapi.cn".into(),
            authority: "https://login.chinacloudapi.cn".into(),
            registry_suffix: "azurecr.cn".into(),
            key_vault_suffix: "vault.azure.cn".into(),
            storage_suffix: "core.chinacloudapi.cn".into(),
            log_analytics: "https://api.loganalytics.azure.cn".into(),
            log_analytics_audience: "https://api.loganalytics.azure.cn",
            aks_zone: "privatelink.{region}.cx.prod.service.azk8s.cn",
            key_vault_zone: "privatelink.vaultcore.azure.cn",
        }
    }

    /// The private DNS zone of registries: `privatelink.azurecr.io`.
    pub fn registry_zone(&self) -> String {
        format!("privatelink.{}", self.registry_suffix)
    }

    /// The private DNS zone of blob storage: `privatelink.blob.core.windows.net`.
    pub fn blob_zone(&self) -> String {
        format!("privatelink.blob.{}", self.storage_suffix)
    }

    /// The private DNS zone of key vaults: `privatelink.vaultcore.azure.net`.
    pub fn key_vault_zone(&self) -> String {
        self.key_vault_zone.to_owned()
    }

    /// The private DNS zone of AKS API servers in a region.
    pub fn aks_zone(&self, region: &str) -> String {
        self.aks_zone
            .replace("{region}", &location::normalize(region))
    }

    /// The scope to ask a token for.
    pub(super) fn scope(&self) -> String {
        scope(&self.audience)
    }

    /// The scopes of tokens that a registry exchanges, in the order in which they are tried. Its own
    /// audience is one for all clouds and always accepted; tokens for Resource Manager only while the
    /// registry's `azureADAuthenticationAsArmPolicy` is enabled. (Azure CLI, command module `acr`.)
    pub(super) fn registry_scopes(&self) -> [String; 2] {
        [scope("https://containerregistry.azure.net"), self.scope()]
    }

    /// The scope of tokens for the query API of Log Analytics.
    pub(super) fn log_analytics_scope(&self) -> String {
        scope(self.log_analytics_audience)
    }

    /// Whether a host is the login server of a registry of this cloud, or one of its data endpoints:
    /// only such hosts are given a token.
    pub fn is_registry(&self, host: &str) -> bool {
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        host.strip_suffix(&self.registry_suffix)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|rest| rest.split('.').all(label))
    }
}

/// The scope that stands for all rights at an audience.
fn scope(audience: &str) -> String {
    format!("{}/.default", audience.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn zones_follow_the_cloud() {
        let public = Cloud::named("public").unwrap();
        assert_eq!(public.registry_zone(), "privatelink.azurecr.io");
        assert_eq!(
            public.aks_zone("West Europe"),
            "privatelink.westeurope.azmk8s.io"
        );
        assert_eq!(
            Cloud::named("china").unwrap().registry_zone(),
            "privatelink.azurecr.cn"
        );
        assert_eq!(
            Cloud::named("USGovernment").unwrap().blob_zone(),
            "privatelink.blob.core.usgovcloudapi.net"
        );
        assert_eq!(public.scope(), "https://management.azure.com/.default");
    }

    #[test]
    fn only_hosts_below_the_suffix_are_registries() {
        let public = Cloud::public();
        for host in [
            "fkacr.azurecr.io",
            "fkacr-x1y2.azurecr.io",
            "fkacr.westeurope.data.azurecr.io",
        ] {
            assert!(public.is_registry(host), "{host}");
        }
        for host in [
            "azurecr.io",
            ".azurecr.io",
            "fkacrazurecr.io",
            "fkacr.azurecr.io.evil.example",
            "evil.example/x.azurecr.io",
            "evil.example:1#.azurecr.io",
            "user@fkacr.azurecr.io",
            "fkacr.azurecr.cn",
        ] {
            assert!(!public.is_registry(host), "{host}");
        }
    }

    #[test]
    fn an_unknown_cloud_is_an_error_that_lists_the_known_ones() {
        let error = Cloud::named("germany").unwrap_err().to_string();
        assert!(
            error.contains("germany")
                && error.contains("usgovernment")
                && error.contains("metadata_host")
        );
    }
}
