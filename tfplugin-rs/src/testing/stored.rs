//! What Terraform's core does with what is in its state or should be: refresh, import, destroy, read data.

use serde_json::Value as Json;

use super::core::{Action, Core, Instance, Outcome, hear};
use crate::schema::Diagnostics;
use crate::server::proto::tfplugin6 as pb;
use crate::server::wire;
use crate::value::{Path, Value, json};

impl Core {
    /// Reads what the state file would hold, brings it up to date, and finds out what there is.
    pub async fn refresh(&self, instance: Instance) -> Outcome {
        let mut told = Diagnostics::new();
        let outcome = |instance, diagnostics| Outcome {
            instance,
            action: Action::Nothing,
            diagnostics,
        };
        let Some(managed) = self.managed(&instance.type_name, &mut told) else {
            return outcome(Some(instance), told);
        };
        let stored = match json::encode(&instance.state) {
            Ok(stored) => stored.to_string(),
            Err(error) => {
                told.error(
                    Path::root(),
                    "The state cannot be stored",
                    error.to_string(),
                );
                return outcome(Some(instance), told);
            }
        };
        let request = pb::upgrade_resource_state::Request {
            type_name: instance.type_name.clone(),
            version: managed.schema().version,
            raw_state: Some(pb::RawState {
                json: stored.into_bytes(),
                ..Default::default()
            }),
        };
        let answer = self.host.client().upgrade_resource_state(request).await;
        let answer = hear(answer, &mut told);
        let Some(answer) = answer.filter(|_| !told.has_errors()) else {
            return outcome(Some(instance), told);
        };
        let request = pb::read_resource::Request {
            type_name: instance.type_name.clone(),
            current_state: answer.upgraded_state,
            private: instance.private.clone(),
            current_identity: instance.identity.clone(),
            ..Default::default()
        };
        let answer = self.host.client().read_resource(request).await;
        let answer = hear(answer, &mut told);
        let Some(answer) = answer.filter(|_| !told.has_errors()) else {
            return outcome(Some(instance), told);
        };
        let state = managed
            .decode(answer.new_state.as_ref(), "new state", &mut told)
            .unwrap_or_default();
        let read = (!state.is_null()).then_some(Instance {
            state,
            private: answer.private,
            identity: answer.new_identity,
            ..instance
        });
        outcome(read, told)
    }

    /// Imports by an id, and reads what was imported.
    pub async fn import(&self, type_name: &str, id: &str) -> Outcome {
        let request = pb::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            ..Default::default()
        };
        self.import_with(type_name, request).await
    }

    /// Imports by an identity, and reads what was imported.
    pub async fn import_by_identity(&self, type_name: &str, identity: &Value) -> Outcome {
        let mut told = Diagnostics::new();
        let identity_data = self.managed(type_name, &mut told).and_then(|managed| {
            wire::encode(&managed.identity_kind, identity, "identity", &mut told)
        });
        let request = pb::import_resource_state::Request {
            type_name: type_name.to_owned(),
            identity: Some(pb::ResourceIdentityData { identity_data }),
            ..Default::default()
        };
        let mut outcome = self.import_with(type_name, request).await;
        outcome.diagnostics.extend(told);
        outcome
    }

    async fn import_with(
        &self,
        type_name: &str,
        request: pb::import_resource_state::Request,
    ) -> Outcome {
        let mut told = Diagnostics::new();
        let answer = self.host.client().import_resource_state(request).await;
        let answer = hear(answer, &mut told).unwrap_or_default();
        let imported = answer
            .imported_resources
            .into_iter()
            .next()
            .filter(|_| !told.has_errors());
        let (Some(imported), Some(managed)) = (imported, self.managed(type_name, &mut told)) else {
            return Outcome {
                instance: None,
                action: Action::Nothing,
                diagnostics: told,
            };
        };
        let instance = Instance {
            type_name: type_name.to_owned(),
            state: managed
                .decode(imported.state.as_ref(), "imported state", &mut told)
                .unwrap_or_default(),
            tainted: false,
            private: imported.private,
            identity: imported.identity,
        };
        let mut read = self.refresh(instance).await;
        if read.instance.is_none() && !read.diagnostics.has_errors() {
            read.diagnostics.error(
                Path::root(),
                "Cannot import non-existent remote object",
                "Read found nothing.",
            );
        }
        read.diagnostics.extend(told);
        read
    }

    /// Plans and applies the removal.
    pub async fn destroy(&self, instance: Instance) -> Outcome {
        let mut told = Diagnostics::new();
        let outcome = |instance, diagnostics| Outcome {
            instance,
            action: Action::Nothing,
            diagnostics,
        };
        let Some(managed) = self.managed(&instance.type_name, &mut told) else {
            return outcome(Some(instance), told);
        };
        let null = managed.encode(&Value::Null, "plan", &mut told);
        let prior_state = managed.encode(&instance.state, "prior state", &mut told);
        let request = pb::plan_resource_change::Request {
            type_name: instance.type_name.clone(),
            prior_state: prior_state.clone(),
            proposed_new_state: null.clone(),
            config: null.clone(),
            prior_private: instance.private.clone(),
            prior_identity: instance.identity.clone(),
            ..Default::default()
        };
        let answer = self.host.client().plan_resource_change(request).await;
        let planned = hear(answer, &mut told).unwrap_or_default();
        if told.has_errors() {
            return outcome(Some(instance), told);
        }
        let request = pb::apply_resource_change::Request {
            type_name: instance.type_name.clone(),
            prior_state,
            planned_state: null.clone(),
            config: null,
            planned_private: planned.planned_private,
            planned_identity: planned.planned_identity,
            ..Default::default()
        };
        let answer = self.host.client().apply_resource_change(request).await;
        let Some(answer) = hear(answer, &mut told) else {
            return outcome(Some(instance), told);
        };
        let state = managed
            .decode(answer.new_state.as_ref(), "new state", &mut told)
            .unwrap_or_default();
        let left = match state {
            // After an error, nothing said of it keeps what there was.
            Value::Null if told.has_errors() => Some(instance),
            Value::Null => None,
            state => Some(Instance {
                state,
                private: answer.private,
                identity: answer.new_identity,
                ..instance
            }),
        };
        outcome(left, told)
    }

    /// Reads a data source.
    pub async fn read_data(&self, type_name: &str, config: &Json) -> (Option<Value>, Diagnostics) {
        let mut told = Diagnostics::new();
        let Some(source) = self.registry.data_sources.get(type_name) else {
            told.error(
                Path::root(),
                format!("There is no data source `{type_name}`"),
                "",
            );
            return (None, told);
        };
        let config = match source.schema.value_from_json(config) {
            Ok(config) => wire::encode(&source.kind, &config, "configuration", &mut told),
            Err(error) => {
                told.error(
                    Path::root(),
                    "The configuration has another shape",
                    error.to_string(),
                );
                return (None, told);
            }
        };
        let request = pb::validate_data_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config.clone(),
        };
        let answer = self
            .host
            .client()
            .validate_data_resource_config(request)
            .await;
        hear(answer, &mut told);
        if told.has_errors() {
            return (None, told);
        }
        let request = pb::read_data_source::Request {
            type_name: type_name.to_owned(),
            config,
            ..Default::default()
        };
        let answer = self.host.client().read_data_source(request).await;
        let state = hear(answer, &mut told)
            .filter(|_| !told.has_errors())
            .and_then(|answer| {
                wire::decode(&source.kind, answer.state.as_ref(), "data", &mut told)
            });
        (state, told)
    }
}
