//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value, to_json};

use super::inside::{self, OWNER};
use super::{CLUSTER, Input, VAULT_SECRET, grants, writing};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Look, Unread, is_of, without_unknowns};

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    for (argument, kind) in [
        ("cluster_id", CLUSTER),
        ("key_vault_secret_id", VAULT_SECRET),
    ] {
        is_of(
            kind,
            config.get(argument),
            Path::attribute(argument),
            diagnostics,
        );
    }
    let (vault, value) = (
        config.get("key_vault_secret_id"),
        config.get("docker_config_json_wo"),
    );
    let version = config.get("docker_config_json_wo_version");
    match (vault.is_null(), value.is_null()) {
        (true, true) => diagnostics.error(
            Path::root(),
            "the secret would have nothing in it",
            "Fix: name the key vault secret that has the Docker configuration; a pod in the cluster fetches it:\n\n  \
             key_vault_secret_id = fkaks_registry_token.example.secrets[\"dockerconfigjson\"].id\n\nOr give it as a \
             write-only value:\n\n  docker_config_json_wo         = ephemeral.example.value\n  \
             docker_config_json_wo_version = 1",
        ),
        (false, false) => diagnostics.error(
            Path::attribute("docker_config_json_wo"),
            "a key vault secret and a value do not go together",
            "Fix: remove one of the two.",
        ),
        _ => {}
    }
    if value.is_null() != version.is_null() && !value.is_unknown() && !version.is_unknown() {
        diagnostics.error(
            Path::attribute("docker_config_json_wo_version"),
            "a write-only value and its version go together",
            "The value is in no state, so only another version tells that it is another one.\n\nFix: set both, and raise \
             the version with each change of the value.",
        );
    }
    for argument in ["identity_client_id", "key_vault_secret_uri"] {
        if vault.is_null() && !config.get(argument).is_null() {
            diagnostics.error(
                Path::attribute(argument),
                format!("{argument} is about a key vault secret, and there is none"),
                "Fix: remove it, or use it with key_vault_secret_id.",
            );
        }
    }
    let id = vault.as_str().and_then(|text| ArmId::parse(text).ok());
    let uri = config.get("key_vault_secret_uri").as_str();
    if let (Some(id), Some(uri)) = (id.filter(|id| id.is(VAULT_SECRET)), uri)
        && !inside::is_version_of(uri, &id)
    {
        let other = writing::other_secret(uri, &id);
        diagnostics.error(
            Path::attribute("key_vault_secret_uri"),
            other.why,
            format!("- {uri}\n- {id}\n\nFix: {}", other.fix),
        );
    }
    if let Some(text) = value.as_str()
        && !is_docker_config(text)
    {
        diagnostics.error(
            Path::attribute("docker_config_json_wo"),
            "this is no Docker configuration",
            "It is a JSON object whose `auths` has an entry for each registry. The value is not shown here.\n\nFix:\n\n  \
             docker_config_json_wo = jsonencode({\n    auths = {\n      \"fkacrprivate.azurecr.io\" = {\n        username = \
             \"team-pull\"\n        password = var.password\n        auth     = \
             base64encode(\"team-pull:${var.password}\")\n      }\n    }\n  })",
        );
    }
}

fn is_docker_config(text: &str) -> bool {
    serde_json::from_str::<Json>(text).is_ok_and(|json| {
        json["auths"]
            .as_object()
            .is_some_and(|auths| !auths.is_empty() && auths.values().all(Json::is_object))
    })
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let input = to_json(&without_unknowns(check.planned)).ok();
    let Some(input) = input.and_then(|json| serde_json::from_value::<Input>(json).ok()) else {
        return Ok(());
    };
    // Ask for everything first.
    let vault = input
        .key_vault_secret_id
        .as_ref()
        .filter(|_| check.planned.get("key_vault_secret_uri").is_null())
        .map(|id| (id, check.seen.look(id)));
    let granted = grants::check(check, &input);
    let Look::Found(cluster) = check.seen.look(&input.cluster_id)? else {
        return Ok(());
    };
    granted?;
    if let Some((id, look)) = vault {
        let path = Path::attribute("key_vault_secret_id");
        match look? {
            Look::Found(secret) if secret["properties"]["attributes"]["enabled"] == false => check.error(
                path,
                "the key vault secret is disabled",
                format!("- {id}\n\nFix: enable it, or name another one."),
            ),
            // One that is not there may be made by the same apply.
            Look::Found(_) | Look::Absent => {}
            Look::Denied(error) => check.error(
                path,
                "the key vault secret cannot be read",
                format!(
                    "- {id}\n\nIts version tells when the cluster needs a new one; its value is not read here.\n\nFix: give \
                     the caller a role with the action `{VAULT_SECRET}/read`, Key Vault Contributor for example. Or say which \
                     version it is:\n\n  key_vault_secret_uri = \
                     fkaks_registry_token.example.secrets[\"dockerconfigjson\"].versioned_uri\n\nAzure said: {error}"
                ),
            ),
        }
    }
    if let Some(closed) = inside::closed(cluster) {
        check.error(
            Path::attribute("cluster_id"),
            closed.why,
            format!("- {}\n\nFix: {}", input.cluster_id, closed.fix),
        );
        return Ok(());
    }
    if !check.is_creation() {
        return Ok(());
    }
    // One that carries our mark may be of an earlier life that failed, which goes before this one comes.
    let Ok(found) = inside::look(&input, check.seen)? else {
        return Ok(());
    };
    if !found.has_namespace && !input.create_namespace {
        // It may be made by the same apply, and the one that is replaced goes before that shows.
        check.warning(
            Path::attribute("namespace"),
            format!("the cluster has no namespace {} yet", input.namespace),
            format!(
                "- {}\n\nUnless this very apply makes it before, the secret cannot be written, and one that it replaces \
                 is gone by then.\n\nFix:\n\n  create_namespace = true",
                input.cluster_id
            ),
        );
    }
    if found.secret.is_some_and(|held| held.owner != OWNER) {
        let exists = writing::exists(&input, false);
        check.error(
            Path::attribute("name"),
            exists.why,
            format!("- {}\n\nFix: {}", input.cluster_id, exists.fix),
        );
    }
    Ok(())
}
