//! What remains to be done in the cluster: one command that writes the secret, or one that deletes it;
//! and the look after it must show that it did.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::inside::{self, Closed, Held, Inside};
use super::{Input, Known, script};
use crate::arm::{ArmId, Json, Secret};
use crate::provider::parts::{Deed, Look, Refusal, Seen, Unread};

/// Azure's answers to the commands of this operation.
const RESULT: &str = "result";
/// The file of the context that has the manifest.
const FILE: &str = "secret.json";

/// What comes next.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn next(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    // Ask for everything first.
    let source = inside::source(input, seen);
    let cluster = inside::cluster(&input.cluster_id, seen);
    let found = match inside::look(input, seen)? {
        Ok(found) => found,
        Err(closed) => return Ok(Some(refused(input, "cluster_id", closed))),
    };
    let (Some(source), Some(cluster)) = (source?, cluster?) else {
        return Ok(Some(no_source(input)));
    };
    let state = seen.prior().map(Known::of);
    let held = found.secret.as_ref();
    let runs = seen.noted(RESULT);
    // What was just written has a checksum that nobody knows yet.
    let known = match runs {
        [] => state.clone(),
        _ => Some(Known::default()),
    };
    let faults = held
        .zip(known)
        .map(|(held, known)| held.faults(&known, Some(&source)));
    if faults.as_ref().is_some_and(Vec::is_empty) && !has_failed(runs) {
        return Ok(None);
    }
    if let Some(refusal) = given_up(input, runs, faults) {
        return Ok(Some(refusal));
    }
    let ours = held.is_none_or(|held| {
        let known = state.is_some_and(|state| held.is_ours(&state));
        known || (!runs.is_empty() && held.owner == inside::OWNER)
    });
    if let Some(refusal) = in_the_way(input, &found, ours) {
        return Ok(Some(refusal));
    }
    let makes_namespace = !found.has_namespace;
    let (text, context) = match (&input.key_vault_secret_id, &input.docker_config_json_wo) {
        (Some(id), _) => {
            // What was not known at plan is checked here: a token goes there.
            if !inside::is_version_of(&source, id) {
                let other = other_secret(&source, id);
                return Ok(Some(refused(input, "key_vault_secret_uri", other)));
            }
            let client = input.identity_client_id.as_deref();
            let client = client.or(inside::kubelet(cluster));
            let (Some(client), Some(audience)) = (client, inside::audience(&source)) else {
                return Ok(Some(no_identity(input)));
            };
            let text = script::from_vault(input, &source, client, &audience, makes_namespace);
            (text, Secret::default())
        }
        (None, Some(value)) => {
            let Some(context) = context(input, &source, value) else {
                return Ok(Some(no_source(input)));
            };
            (script::from_file(input, FILE, makes_namespace), context)
        }
        (None, None) => return Ok(Some(no_source(input))),
    };
    let text = match held.is_some_and(|held| held.kind != script::TYPE) {
        true => script::after_deletion(input, &text),
        false => text,
    };
    let command = inside::command(input, cluster, text);
    Ok(Some(Deed::run(command, context).answering(RESULT)))
}

/// Deletes the secret, if it is ours.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn remove(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let cluster = match seen.look(&input.cluster_id)? {
        Look::Found(cluster) => cluster,
        Look::Absent => return Ok(None),
        Look::Denied(_) => &Json::Null,
    };
    let found = match inside::look(input, seen)? {
        Ok(found) => found,
        Err(closed) => return Ok(Some(refused(input, "cluster_id", left_there(closed)))),
    };
    let ours = |held: &Held| held.is_ours(&input.known);
    if !found.secret.as_ref().is_some_and(ours) {
        return Ok(None);
    }
    let runs = seen.noted(RESULT);
    Ok(Some(given_up(input, runs, None).unwrap_or_else(|| {
        let command = inside::command(input, cluster, script::delete(input));
        Deed::run(command, Secret::default()).answering(RESULT)
    })))
}

/// Whether the last command went wrong in the cluster.
fn has_failed(runs: &[Json]) -> bool {
    runs.last()
        .is_some_and(|result| inside::exit_code(result) != Some(0))
}

/// Why no other command is worth a try: the last one went wrong, or several went well in vain. One that
/// was sent twice, because its first answer was lost, may come late and undo what came after it.
fn given_up(input: &Input, runs: &[Json], faults: Option<Vec<String>>) -> Option<Deed> {
    const MOST: usize = 3;
    let result = runs.last()?;
    (has_failed(runs) || runs.len() >= MOST).then(|| failed(input, result, faults))
}

/// The context with the manifest. The value goes this way, and not in the command, which is in the pod's
/// description for whoever may read pods.
fn context(input: &Input, source: &str, value: &Secret) -> Option<Secret> {
    let data = STANDARD.encode(value.expose());
    let manifest = script::manifest(input, source, &data);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file(FILE, SimpleFileOptions::default())
        .ok()?;
    archive.write_all(manifest.as_bytes()).ok()?;
    let bytes = archive.finish().ok()?.into_inner();
    Some(STANDARD.encode(bytes).into())
}

/// What forbids to write: no namespace, or a secret of someone else.
fn in_the_way(input: &Input, found: &Inside, ours: bool) -> Option<Deed> {
    let Some(held) = &found.secret else {
        return (!found.has_namespace && !input.create_namespace).then(|| {
            let closed = Closed {
                why: format!("the cluster has no namespace {}", input.namespace),
                fix: "have it made here:\n\n  create_namespace = true\n\nOr make it before."
                    .to_owned(),
            };
            refused(input, "namespace", closed)
        });
    };
    (!ours).then(|| refused(input, "name", exists(input, held.owner == inside::OWNER)))
}

/// What to do about a secret that is there already.
pub fn exists(input: &Input, marked: bool) -> Closed {
    let whose = match marked {
        true => "it exists already, made by this provider, and this resource does not know it",
        false => "it exists already, and is someone else's",
    };
    Closed {
        why: format!("the secret {} in {}: {whose}", input.name, input.namespace),
        fix: format!(
            "choose another name; or take it over, and have it overwritten by the first apply:\n\n  import {{\n    to = \
             fkaks_pull_secret.example\n    id = \"{}\"\n  }}",
            input.id()
        ),
    }
}

/// What to do about an address that is not one of the secret.
pub fn other_secret(uri: &str, id: &ArmId) -> Closed {
    Closed {
        why: "this is no version of the key vault secret".to_owned(),
        fix: format!(
            "{uri} is none of {id}. Refer to the same secret in both:\n\n  key_vault_secret_id  = \
             fkaks_registry_token.example.secrets[\"dockerconfigjson\"].id\n  key_vault_secret_uri = \
             fkaks_registry_token.example.secrets[\"dockerconfigjson\"].versioned_uri"
        ),
    }
}

fn left_there(closed: Closed) -> Closed {
    Closed {
        fix: format!(
            "{}\n\nOr leave the secret in the cluster, and forget it here:\n\n  tofu state rm ADDRESS",
            closed.fix
        ),
        ..closed
    }
}

fn failed(input: &Input, result: &Json, faults: Option<Vec<String>>) -> Deed {
    let went_well = inside::exit_code(result) == Some(0);
    let refusal = Refusal {
        why: match went_well {
            true => "the command went well, and the cluster does not show what it should have done"
                .to_owned(),
            false => "the command in the cluster failed".to_owned(),
        },
        evidence: match went_well {
            true => faults.unwrap_or_default(),
            false => inside::complaints(result),
        },
        fix: match (&input.key_vault_secret_id, went_well) {
            (Some(id), false) => format!(
                "see that the pods of the cluster reach the vault (a private one by its endpoint, and the zone \
                 privatelink.vaultcore.azure.net linked to the cluster's network), and that the identity may read the \
                 secret; 403 is a missing role:\n\n  az role assignment create --role \"Key Vault Secrets User\" \\\n    \
                 --assignee-object-id <object id of the kubelet identity> --assignee-principal-type ServicePrincipal \
                 \\\n    --scope {id}"
            ),
            _ => format!("{}, and apply again.", inside::COMPLAINED),
        },
    };
    Deed::refused(input.id(), refusal).argument("cluster_id")
}

fn refused(input: &Input, argument: &'static str, closed: Closed) -> Deed {
    let refusal = Refusal {
        why: closed.why,
        evidence: vec![input.cluster_id.to_string()],
        fix: closed.fix,
    };
    Deed::refused(input.id(), refusal).argument(argument)
}

fn no_source(input: &Input) -> Deed {
    let (argument, fix) = match &input.key_vault_secret_id {
        Some(id) => (
            "key_vault_secret_id",
            format!(
                "see that the secret is there, and give the caller a role with the action `{}/read`: {id}",
                super::VAULT_SECRET
            ),
        ),
        None => (
            "docker_config_json_wo",
            "give the value, and its version:\n\n  docker_config_json_wo         = ...\n  \
             docker_config_json_wo_version = 2"
                .to_owned(),
        ),
    };
    let closed = Closed {
        why: "what it should have is not known".to_owned(),
        fix,
    };
    refused(input, argument, closed)
}

fn no_identity(input: &Input) -> Deed {
    let closed = Closed {
        why: "the cluster shows no kubelet identity that could read the vault".to_owned(),
        fix: "name an identity that the nodes have:\n\n  identity_client_id = \
              azurerm_user_assigned_identity.example.client_id"
            .to_owned(),
    };
    refused(input, "identity_client_id", closed)
}
