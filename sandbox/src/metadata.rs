//! Metadata: the endpoints of the cloud, and a managed identity's tokens (IMDS).

use serde_json::json;

use crate::auth::{self, Subject};
use crate::exchange::{Answer, Request};
use crate::store::World;

/// Cloud metadata. 2022-09-01 is one object; 2019-05-01 and 2020-06-01 list the clouds; 2015-01-01 is the oldest shape.
#[must_use]
pub fn clouds(request: &Request) -> Answer {
    let base = &request.base;
    let version = request.api_version().unwrap_or_default();
    let audiences = json!([
        "https://management.core.windows.net/",
        "https://management.azure.com/"
    ]);
    if version.as_str() < "2019" {
        return Answer::json(
            200,
            json!({
                "galleryEndpoint": format!("{base}/gallery/"),
                "graphEndpoint": "https://graph.windows.net/",
                "portalEndpoint": "https://portal.azure.com/",
                "authentication": { "loginEndpoint": base, "audiences": audiences },
            }),
        );
    }
    let cloud = json!({
        "name": "AzureCloud",
        "portal": "https://portal.azure.com",
        "authentication": { "loginEndpoint": base, "audiences": audiences, "tenant": "common", "identityProvider": "AAD" },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "resourceManager": base,
        "gallery": format!("{base}/gallery/"),
        "batch": "https://batch.core.windows.net/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
        "attestationResourceId": "https://attest.azure.net",
        "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "suffixes": {
            "acrLoginServer": "azurecr.io",
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "mhsmDns": "managedhsm.azure.net",
            "storageSyncEndpointSuffix": "afs.azure.net",
            "sqlServerHostname": "database.windows.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "synapseAnalytics": "dev.azuresynapse.net",
            "attestationEndpoint": "attest.azure.net",
        },
    });
    Answer::json(
        200,
        if version.as_str() < "2022" {
            json!([cloud])
        } else {
            cloud
        },
    )
}

/// A managed identity's token, as 169.254.169.254 gives it to a virtual machine.
#[must_use]
pub fn identity(world: &World, request: &Request, lifetime: u64) -> Answer {
    let refuse = |error: &str, message: &str| {
        Answer::json(400, json!({ "error": error, "error_description": message }))
    };
    if request.header("metadata") != Some("true") {
        return refuse("invalid_request", "Required metadata header not specified");
    }
    if request.header("x-forwarded-for").is_some() {
        return refuse("invalid_request", "Proxied requests are not allowed");
    }
    if request
        .api_version()
        .is_none_or(|version| version.as_str() < "2018-02-01")
    {
        return refuse(
            "invalid_request",
            "Required query variable 'api-version' is missing or too old",
        );
    }
    let Some(resource) = request.param("resource") else {
        return refuse(
            "invalid_request",
            "Required query variable 'resource' is missing",
        );
    };
    let client = request
        .param("client_id")
        .or_else(|| request.param("object_id"))
        .or_else(|| request.param("msi_res_id"))
        .or_else(|| request.param("mi_res_id"))
        .unwrap_or_else(|| "system-assigned".into());
    let access = auth::issue(
        world,
        &Subject {
            tenant: &world.tenant,
            client: &client,
            audience: &resource,
        },
        lifetime,
    );
    Answer::json(
        200,
        json!({
            "access_token": access, "client_id": client, "expires_in": lifetime.to_string(),
            "expires_on": (world.now / 1000 + lifetime).to_string(), "ext_expires_in": lifetime.to_string(),
            "not_before": (world.now / 1000).to_string(), "resource": resource, "token_type": "Bearer",
        }),
    )
}
