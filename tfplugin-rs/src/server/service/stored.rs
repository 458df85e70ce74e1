//! State that someone stored: upgraded from older versions, taken over from other types, turned into a configuration.

use super::resource::managed;
use crate::framework::{Move, conformance};
use crate::schema::{Diagnostics, configuration_of};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Managed, Registry};
use crate::server::wire;
use crate::value::{Path, Value, json};

pub(super) fn upgrade(
    registry: &Registry,
    request: &pb::upgrade_resource_state::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::upgrade_resource_state::Response> {
    let managed = managed(registry, &request.type_name, diagnostics)?;
    let state = upgraded(managed, request)
        .map_err(|problem| refuse(&request.type_name, problem, diagnostics))
        .ok()?;
    let state = managed.complete(state.clone(), &state);
    if conformance::CHECKED {
        conformance::report(
            &request.type_name,
            conformance::check_state(managed.schema(), &state),
            diagnostics,
        );
    }
    Some(pb::upgrade_resource_state::Response {
        upgraded_state: managed.encode(&state, "upgraded state", diagnostics),
        ..Default::default()
    })
}

fn upgraded(
    managed: &Managed,
    request: &pb::upgrade_resource_state::Request,
) -> Result<Value, String> {
    let stored = raw(request.raw_state.as_ref())?;
    let (from, to) = (request.version, managed.schema().version);
    let stored = match from {
        _ if from > to => {
            return Err(format!(
                "It was written by a newer version of this provider (schema version {from}, and this one has {to}). \
                 Use that version."
            ));
        }
        _ if from == to => stored,
        _ => managed.resource().upgrade(from, stored)?,
    };
    json::decode(&managed.entry.kind, &stored).map_err(|error| error.to_string())
}

/// The JSON of a state. Terraform before 0.12 stored flat maps, and no version of this provider is that old.
fn raw(raw: Option<&pb::RawState>) -> Result<serde_json::Value, String> {
    match raw {
        Some(raw) if !raw.json.is_empty() => {
            serde_json::from_slice(&raw.json).map_err(|error| error.to_string())
        }
        Some(raw) if !raw.flatmap.is_empty() => Err(
            "It is in the format of Terraform 0.11 and older, which this provider does not know."
                .to_owned(),
        ),
        _ => Err("There is nothing in it.".to_owned()),
    }
}

fn refuse(type_name: &str, problem: String, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        Path::root(),
        format!("The stored state of {type_name} cannot be used"),
        problem,
    );
}

pub(super) fn upgrade_identity(
    registry: &Registry,
    request: &pb::upgrade_resource_identity::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::upgrade_resource_identity::Response> {
    let managed = managed(registry, &request.type_name, diagnostics)?;
    let decoded = raw(request.raw_identity.as_ref()).and_then(|stored| {
        if request.version == managed.identity.version {
            json::decode(&managed.identity_kind, &stored).map_err(|error| error.to_string())
        } else {
            let (from, to) = (request.version, managed.identity.version);
            Err(format!(
                "Its identity has version {from}, and this provider knows version {to} alone."
            ))
        }
    });
    let identity = decoded
        .map_err(|problem| refuse(&request.type_name, problem, diagnostics))
        .ok()?;
    let identity_data = wire::encode(&managed.identity_kind, &identity, "identity", diagnostics);
    Some(pb::upgrade_resource_identity::Response {
        upgraded_identity: Some(pb::ResourceIdentityData { identity_data }),
        ..Default::default()
    })
}

pub(super) fn move_state(
    registry: &Registry,
    request: &pb::move_resource_state::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::move_resource_state::Response> {
    let managed = managed(registry, &request.target_type_name, diagnostics)?;
    let moved = raw(request.source_state.as_ref()).and_then(|source_state| {
        managed.resource().move_from(&Move {
            source_provider: request.source_provider_address.clone(),
            source_type: request.source_type_name.clone(),
            source_version: request.source_schema_version,
            source_state,
        })
    });
    let (target, source) = (&request.target_type_name, &request.source_type_name);
    let imported = match moved {
        Ok(Some(imported)) => imported,
        Ok(None) => {
            diagnostics.error(
                Path::root(),
                format!("{target} cannot take over the state of {source}"),
                format!(
                    "There is no way from {source} of {}. Fix: remove the `moved` block, take the old resource out of \
                     the state with a `removed` block, and import the new one.",
                    request.source_provider_address
                ),
            );
            return None;
        }
        Err(problem) => {
            diagnostics.error(
                Path::root(),
                format!("{target} cannot take over this state of {source}"),
                problem,
            );
            return None;
        }
    };
    let state = managed.complete(imported.state, &Value::Null);
    Some(pb::move_resource_state::Response {
        target_identity: managed.identity(&state, diagnostics),
        target_state: managed.encode(&state, "moved state", diagnostics),
        target_private: imported.private.to_bytes(),
        ..Default::default()
    })
}

pub(super) fn generate_config(
    registry: &Registry,
    request: &pb::generate_resource_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::generate_resource_config::Response> {
    let managed = managed(registry, &request.type_name, diagnostics)?;
    let state = managed.decode(request.state.as_ref(), "state", diagnostics)?;
    let config = configuration_of(managed.schema(), state);
    Some(pb::generate_resource_config::Response {
        config: managed.encode(&config, "configuration", diagnostics),
        ..Default::default()
    })
}
