//! What cloud is this? `GET {host}/metadata/endpoints` describes any Azure cloud: its Entra, its
//! resource manager and its DNS suffixes. Asked once, before the first request, if the settings
//! name a metadata host. Source: go-azure-sdk's environments, API version 2022-09-01.

use reqwest::{Method, Url};

use super::http::{Http, Wire, busy, headers, secure_address};
use super::{Call, Cloud, Error, Json, answer};

/// Describes the cloud behind a metadata host; what it leaves out is as in `preset`.
pub(super) async fn discover(
    call: &Call,
    http: &Http,
    host: &str,
    preset: &Cloud,
) -> Result<Cloud, Error> {
    let address = format!("{host}/metadata/endpoints?api-version=2022-09-01");
    let wrong = |problem: &str| Error::Settings(format!("metadata_host: {host} {problem}"));
    let url = Url::parse(&address).map_err(|error| wrong(&error.to_string()))?;
    let wire = Wire {
        method: Method::GET,
        url,
        headers: headers([]),
        body: None,
    };
    let said = http.send_patiently(call, wire, busy).await?;
    if said.status != 200 {
        return Err(answer::error("GET", &address, &said).into());
    }
    let body = answer::json("GET", &address, &said)?;
    // Older versions answer with a list of clouds; the one that this host belongs to counts.
    let described = match body.as_array() {
        None => Some(&body),
        Some(clouds) => clouds
            .iter()
            .find(|cloud| {
                field(cloud, &["resourceManager"])
                    .is_some_and(|arm| arm.trim_end_matches('/') == host)
            })
            .or_else(|| {
                clouds
                    .iter()
                    .find(|cloud| field(cloud, &["name"]) == Some(&preset.name))
            })
            .or_else(|| clouds.first()),
    };
    let described = described.ok_or_else(|| wrong("describes no cloud"))?;
    cloud(described, preset)
        .map_err(|error| wrong(&format!("describes a cloud that cannot be used: {error}")))
}

fn cloud(described: &Json, preset: &Cloud) -> Result<Cloud, Error> {
    let required = |path: &[&str]| {
        field(described, path)
            .ok_or_else(|| Error::Settings(format!("{} is missing", path.join("."))))
    };
    let resource_manager = secure_address("resourceManager", required(&["resourceManager"])?)?;
    let authority = secure_address(
        "authentication.loginEndpoint",
        required(&["authentication", "loginEndpoint"])?,
    )?;
    let audiences = answer::get(described, "authentication")
        .and_then(|authentication| answer::get(authentication, "audiences"))
        .and_then(Json::as_array);
    let mut audiences = audiences
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(plain);
    // Any of them will do; the manager's own address is the one that is documented for it.
    let first = audiences
        .clone()
        .next()
        .unwrap_or(&resource_manager)
        .to_owned();
    let audience = audiences
        .find(|audience| *audience == resource_manager)
        .map_or(first, str::to_owned);
    let suffix = |name: &str, default: &str| {
        field(described, &["suffixes", name])
            .unwrap_or(default)
            .trim_start_matches('.')
            .to_owned()
    };
    let mut cloud = preset.clone();
    if let Some(name) = field(described, &["name"]) {
        cloud.name = name.to_owned();
    }
    cloud.audience = audience;
    cloud.registry_suffix = suffix("acrLoginServer", &preset.registry_suffix);
    cloud.key_vault_suffix = suffix("keyVaultDns", &preset.key_vault_suffix);
    cloud.storage_suffix = suffix("storage", &preset.storage_suffix);
    cloud.resource_manager = resource_manager;
    cloud.authority = authority;
    Ok(cloud)
}

fn plain(address: &str) -> &str {
    address.trim_end_matches('/')
}

fn field<'a>(value: &'a Json, path: &[&str]) -> Option<&'a str> {
    path.iter()
        .try_fold(value, |value, name| answer::get(value, name))?
        .as_str()
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_metadata_says_wins_over_the_preset() {
        let described = json!({
            "name": "Contoso", "resourceManager": "https://arm.contoso.example/",
            "authentication": {"loginEndpoint": "https://login.contoso.example/", "audiences": ["https://aud.contoso.example/", "x"]},
            "suffixes": {"acrLoginServer": "cr.contoso.example", "storage": "blobs.contoso.example"}});
        let cloud = cloud(&described, &Cloud::public()).unwrap();
        assert_eq!(cloud.resource_manager, "https://arm.contoso.example");
        assert_eq!(cloud.authority, "https://login.contoso.example");
        assert_eq!(cloud.scope(), "https://aud.contoso.example/.default");
        assert_eq!(cloud.registry_zone(), "privatelink.cr.contoso.example");
        assert_eq!(cloud.key_vault_suffix, "vault.azure.net");
    }

    #[test]
    fn among_several_audiences_the_manager_s_own_address_is_taken() {
        let described = json!({"resourceManager": "https://management.azure.com/", "authentication": {
            "loginEndpoint": "https://login.microsoftonline.com",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"]}});
        let cloud = cloud(&described, &Cloud::public()).unwrap();
        assert_eq!(cloud.scope(), "https://management.azure.com/.default");
    }

    #[test]
    fn a_cloud_without_encryption_is_refused() {
        let described = json!({"resourceManager": "http://arm.contoso.example", "authentication": {"loginEndpoint": "https://l"}});
        assert!(
            cloud(&described, &Cloud::public())
                .unwrap_err()
                .to_string()
                .contains("https")
        );
    }
}
