//! Managed resources where nothing is changed: validation, reading, import.

use super::Inner;
use crate::framework::{Import, Private, Stored, conformance};
use crate::schema::{Diagnostics, normalize, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Managed, Registry, find};
use crate::server::wire;
use crate::value::{Path, Value};

const WHAT: &str = "resource";

pub(super) fn managed<'r>(
    registry: &'r Registry,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r Managed> {
    find(&registry.resources, WHAT, name, diagnostics)
}

impl Managed {
    /// A state in the whole shape of the schema. `timeouts` is the user's, and no author has to carry it along.
    pub(super) fn complete(&self, state: Value, timeouts_of: &Value) -> Value {
        let mut state = normalize(self.schema(), state);
        if self.schema().attribute("timeouts").is_some() {
            state.set("timeouts", timeouts_of.get("timeouts").clone());
        }
        state
    }

    /// The message for the identity of a state; none where the state does not yet hold all of it.
    pub(super) fn identity(
        &self,
        state: &Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<pb::ResourceIdentityData> {
        let identity = self.resource().identity(state);
        let missing = |name: &str| identity.get(name).is_null();
        let whole = identity.is_wholly_known()
            && !self
                .identity
                .attributes
                .iter()
                .any(|attribute| attribute.required && missing(attribute.name));
        if !whole {
            return None;
        }
        let identity_data = wire::encode(&self.identity_kind, &identity, "identity", diagnostics)?;
        Some(pb::ResourceIdentityData {
            identity_data: Some(identity_data),
        })
    }
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_resource_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_resource_config::Response> {
    let managed = managed(registry, &request.type_name, diagnostics)?;
    let config = managed.decode(request.config.as_ref(), "configuration", diagnostics)?;
    let write_only_allowed = request
        .client_capabilities
        .is_some_and(|client| client.write_only_attributes_allowed);
    validate_config(managed.schema(), &config, write_only_allowed, diagnostics);
    managed.resource().validate(&config, diagnostics);
    None
}

pub(super) async fn read(
    inner: &Inner,
    request: pb::read_resource::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::read_resource::Response> {
    let managed = managed(inner.registry(), &request.type_name, diagnostics)?;
    let prior = managed.decode(request.current_state.as_ref(), "state", diagnostics)?;
    let cx = inner.context(managed.resource().timeouts().of("read", &prior));
    let stored = Stored {
        state: prior.clone(),
        private: Private::from_bytes(&request.private),
    };
    let found = managed.resource().read(&cx, stored, diagnostics).await;
    let state = found.state.map(|state| managed.complete(state, &prior));
    if let Some(state) = state
        .as_ref()
        .filter(|_| conformance::CHECKED && !diagnostics.has_errors())
    {
        conformance::report(
            &request.type_name,
            conformance::check_state(managed.schema(), state),
            diagnostics,
        );
    }
    Some(pb::read_resource::Response {
        new_identity: state
            .as_ref()
            .and_then(|state| managed.identity(state, diagnostics)),
        new_state: managed.encode(
            &state.unwrap_or_default(),
            "state that was read",
            diagnostics,
        ),
        private: found.private.to_bytes(),
        ..Default::default()
    })
}

/// Core reads what was imported at once, so this does not.
pub(super) async fn import(
    inner: &Inner,
    request: pb::import_resource_state::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::import_resource_state::Response> {
    let managed = managed(inner.registry(), &request.type_name, diagnostics)?;
    let given = request.identity.and_then(|identity| identity.identity_data);
    let import = match &given {
        Some(_) => Import::Identity(wire::decode(
            &managed.identity_kind,
            given.as_ref(),
            "identity",
            diagnostics,
        )?),
        None => Import::Id(request.id.clone()),
    };
    let cx = inner.context(managed.resource().timeouts().of("read", &Value::Null));
    let Some(imported) = managed.resource().import(&cx, import, diagnostics).await else {
        if !diagnostics.has_errors() {
            let summary = format!("There is no {} to import", request.type_name);
            diagnostics.error(
                Path::root(),
                summary,
                format!("Nothing was found for `{}`.", request.id),
            );
        }
        return None;
    };
    let state = managed.complete(imported.state, &Value::Null);
    if conformance::CHECKED && !diagnostics.has_errors() {
        conformance::report(
            &request.type_name,
            conformance::check_state(managed.schema(), &state),
            diagnostics,
        );
    }
    let identity = managed.identity(&state, diagnostics);
    let imported = pb::import_resource_state::ImportedResource {
        type_name: request.type_name,
        state: managed.encode(&state, "imported state", diagnostics),
        private: imported.private.to_bytes(),
        // Core needs one where the import was by identity, and then the user's own is the one.
        identity: identity.or_else(|| {
            given.map(|given| pb::ResourceIdentityData {
                identity_data: Some(given),
            })
        }),
    };
    Some(pb::import_resource_state::Response {
        imported_resources: vec![imported],
        ..Default::default()
    })
}
