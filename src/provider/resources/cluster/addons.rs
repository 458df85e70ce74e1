//! What runs in a cluster besides itself: add-ons and security features. An argument that is not
//! set is left alone, because an Azure Policy may have turned the add-on on; one that was set
//! before is turned off.

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::Input;
use crate::arm::{ArmId, Json};
use crate::provider::parts::spelled_id;

/// Microsoft Defender for Containers' sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defender {
    pub log_analytics_workspace_id: ArmId,
}

/// Container insights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OmsAgent {
    pub log_analytics_workspace_id: ArmId,
    pub msi_auth_for_monitoring_enabled: bool,
}

/// The secrets store driver with Azure Key Vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyVaultSecrets {
    pub secret_rotation_enabled: bool,
    pub secret_rotation_interval: String,
}

const POLICY: &str = "azurepolicy";
const MONITORING: &str = "omsagent";
const SECRETS: &str = "azureKeyvaultSecretsProvider";
const WORKSPACE: &str = "logAnalyticsWorkspaceResourceID";

/// The add-ons that are ours to set.
pub fn addons(input: &Input, before: Option<&Json>) -> Json {
    let was = |argument: &str| before.is_some_and(|before| !before[argument].is_null());
    let off = || json!({"enabled": false, "config": null});
    let mut addons = Map::new();
    match input.azure_policy_enabled {
        Some(enabled) => {
            addons.insert(POLICY.into(), json!({ "enabled": enabled }));
        }
        None if was("azure_policy_enabled") => {
            addons.insert(POLICY.into(), json!({"enabled": false}));
        }
        None => {}
    }
    match &input.oms_agent {
        Some(agent) => {
            let config = json!({
                WORKSPACE: agent.log_analytics_workspace_id,
                "useAADAuth": agent.msi_auth_for_monitoring_enabled.to_string(),
            });
            addons.insert(
                MONITORING.into(),
                json!({"enabled": true, "config": config}),
            );
        }
        None if was("oms_agent") => {
            addons.insert(MONITORING.into(), off());
        }
        None => {}
    }
    match &input.key_vault_secrets_provider {
        Some(provider) => {
            let config = json!({
                "enableSecretRotation": provider.secret_rotation_enabled.to_string(),
                "rotationPollInterval": provider.secret_rotation_interval,
            });
            addons.insert(SECRETS.into(), json!({"enabled": true, "config": config}));
        }
        None if was("key_vault_secrets_provider") => {
            addons.insert(SECRETS.into(), off());
        }
        None => {}
    }
    Json::Object(addons)
}

/// The security features.
pub fn security(input: &Input, before: Option<&Json>) -> Json {
    let was = |argument: &str| before.is_some_and(|before| !before[argument].is_null());
    let mut security = json!({"workloadIdentity": {"enabled": input.workload_identity_enabled}});
    match input.image_cleaner_enabled {
        Some(enabled) => {
            security["imageCleaner"] = json!({ "enabled": enabled });
            let hours = input.image_cleaner_interval_hours;
            if enabled && (hours.is_some() || was("image_cleaner_interval_hours")) {
                security["imageCleaner"]["intervalHours"] = json!(hours);
            }
        }
        None if was("image_cleaner_enabled") => {
            security["imageCleaner"] = json!({"enabled": false});
        }
        None => {}
    }
    match &input.microsoft_defender {
        Some(defender) => {
            security["defender"] = json!({
                "logAnalyticsWorkspaceResourceId": defender.log_analytics_workspace_id,
                "securityMonitoring": {"enabled": true},
            });
        }
        None if was("microsoft_defender") => {
            security["defender"] = json!({
                "logAnalyticsWorkspaceResourceId": null,
                "securityMonitoring": {"enabled": false},
            });
        }
        None => {}
    }
    security
}

/// Sets the arguments as they are in Azure: those that were written, and after an import all
/// that are on.
pub fn observe(input: &mut Input, found: &Json, prior: Option<&Input>) {
    let properties = &found["properties"];
    let addons = &properties["addonProfiles"];
    let security = &properties["securityProfile"];
    let is_on = |json: &Json| json["enabled"] == true;
    let shown = |written: bool, is_on: bool| (prior.is_none() && is_on) || written;

    let policy = is_on(&addons[POLICY]);
    let written = prior.is_some_and(|prior| prior.azure_policy_enabled.is_some());
    input.azure_policy_enabled = shown(written, policy).then_some(policy);

    let cleaner = &security["imageCleaner"];
    let written = prior.is_some_and(|prior| prior.image_cleaner_enabled.is_some());
    input.image_cleaner_enabled = shown(written, is_on(cleaner)).then_some(is_on(cleaner));
    let written = prior.is_some_and(|prior| prior.image_cleaner_interval_hours.is_some());
    input.image_cleaner_interval_hours = match prior {
        // Turned off, it has no interval, which is no news.
        Some(prior) if !is_on(cleaner) => prior.image_cleaner_interval_hours,
        _ => shown(written, is_on(cleaner))
            .then(|| cleaner["intervalHours"].as_i64())
            .flatten(),
    };

    let defender = &security["defender"];
    let on = is_on(&defender["securityMonitoring"]);
    let written = prior.and_then(|prior| prior.microsoft_defender.as_ref());
    let workspace = spelled_id(
        written.map(|written| &written.log_analytics_workspace_id),
        &defender["logAnalyticsWorkspaceResourceId"],
    );
    input.microsoft_defender = (on && shown(written.is_some(), on))
        .then_some(workspace)
        .flatten()
        .map(|log_analytics_workspace_id| Defender {
            log_analytics_workspace_id,
        });

    let agent = &addons[MONITORING];
    let written = prior.and_then(|prior| prior.oms_agent.as_ref());
    let workspace = spelled_id(
        written.map(|written| &written.log_analytics_workspace_id),
        &agent["config"][WORKSPACE],
    );
    input.oms_agent = (is_on(agent) && shown(written.is_some(), true))
        .then_some(workspace)
        .flatten()
        .map(|log_analytics_workspace_id| OmsAgent {
            log_analytics_workspace_id,
            msi_auth_for_monitoring_enabled: agent["config"]["useAADAuth"] == "true",
        });

    let secrets = &addons[SECRETS];
    let written = prior.is_some_and(|prior| prior.key_vault_secrets_provider.is_some());
    input.key_vault_secrets_provider =
        (is_on(secrets) && shown(written, true)).then(|| KeyVaultSecrets {
            secret_rotation_enabled: secrets["config"]["enableSecretRotation"] == "true",
            secret_rotation_interval: secrets["config"]["rotationPollInterval"]
                .as_str()
                .unwrap_or("2m")
                .to_owned(),
        });
}
