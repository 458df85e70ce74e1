//! What Terraform's core does with a provider where something changes: validate, plan twice, apply.

use std::io;
use std::sync::Arc;

use serde_json::Value as Json;
use tonic::{Response, Status};

use super::host::Host;
use crate::framework::{Private, Provider, conformance};
use crate::schema::Diagnostics;
use crate::server::proto::tfplugin6 as pb;
use crate::server::{Managed, Registry, Tells, wire};
use crate::value::{BridgeError, Path, Value};

/// What a plan means to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the second plan of what did not change.
    Nothing,
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Remove it and make another.
    Replace,
}

/// A planned creation or change.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What it means to do.
    pub action: Action,
    /// What there will be.
    pub planned: Value,
    /// What asks for replacement.
    pub requires_replace: Vec<Path>,
    /// What the user is told.
    pub diagnostics: Diagnostics,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<pb::ResourceIdentityData>,
}

/// A resource in the state.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its type.
    pub type_name: String,
    /// The stored attributes.
    pub state: Value,
    /// Whether a failed creation left it; the next apply replaces it.
    pub tainted: bool,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<pb::ResourceIdentityData>,
}

impl Instance {
    /// The private data that is kept beside the state.
    #[must_use]
    pub fn private(&self) -> Private {
        Private::from_bytes(&self.private)
    }
}

/// What an operation leaves.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is in the state now.
    pub instance: Option<Instance>,
    /// What was done.
    pub action: Action,
    /// What the user is told.
    pub diagnostics: Diagnostics,
}

/// A small core, with one configured provider.
pub struct Core {
    pub(super) host: Host,
    pub(super) registry: Registry,
}

impl Core {
    /// Serves a provider in this process.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub async fn start(provider: impl Provider) -> io::Result<Self> {
        let provider: Arc<dyn Provider> = Arc::new(provider);
        let registry = Registry::new(&provider);
        Ok(Self {
            host: Host::start(provider).await?,
            registry,
        })
    }

    /// The provider's own connection, for calls that this has no word for.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The configuration of a resource type from plain JSON.
    ///
    /// # Errors
    /// When the JSON has another shape than the schema.
    pub fn config(&self, type_name: &str, config: &Json) -> Result<Value, BridgeError> {
        match self.registry.resources.get(type_name) {
            Some(managed) => managed.entry.schema.value_from_json(config),
            None => Ok(Value::Null),
        }
    }

    /// Validates the `provider` block and configures the provider.
    pub async fn configure(&self, config: &Json) -> Diagnostics {
        let mut told = Diagnostics::new();
        let provider = &self.registry.provider;
        let config = match provider.schema.value_from_json(config) {
            Ok(config) => config,
            Err(error) => {
                told.error(
                    Path::root(),
                    "The provider configuration has another shape",
                    error.to_string(),
                );
                return told;
            }
        };
        let config = wire::encode(&provider.kind, &config, "provider configuration", &mut told);
        let request = pb::validate_provider_config::Request {
            config: config.clone(),
        };
        let answer = self.host.client().validate_provider_config(request).await;
        if hear(answer, &mut told).is_none() || told.has_errors() {
            return told;
        }
        let request = pb::configure_provider::Request {
            terraform_version: "1.13.0".to_owned(),
            config,
            ..Default::default()
        };
        let answer = self.host.client().configure_provider(request).await;
        hear(answer, &mut told);
        told
    }

    /// Asks running calls to end early, as Ctrl-C does.
    pub async fn stop(&self) -> Diagnostics {
        let mut told = Diagnostics::new();
        if let Err(status) = self
            .host
            .client()
            .stop_provider(pb::stop_provider::Request {})
            .await
        {
            broken(&status, &mut told);
        }
        told
    }

    /// Validates a configuration.
    pub async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut told = Diagnostics::new();
        let Some(managed) = self.managed(type_name, &mut told) else {
            return told;
        };
        let request = pb::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: managed.encode(config, "configuration", &mut told),
            client_capabilities: Some(pb::ClientCapabilities {
                write_only_attributes_allowed: true,
                ..Default::default()
            }),
        };
        let answer = self.host.client().validate_resource_config(request).await;
        hear(answer, &mut told);
        told
    }

    /// Plans a creation or a change, as one call of core would.
    pub async fn plan(&self, type_name: &str, config: &Value, prior: Option<&Instance>) -> Planned {
        let mut told = self.validate(type_name, config).await;
        let nothing = Planned {
            action: Action::Nothing,
            planned: Value::Null,
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::new(),
            private: Vec::new(),
            identity: None,
        };
        let managed = self
            .managed(type_name, &mut told)
            .filter(|_| !told.has_errors());
        let Some(managed) = managed else {
            return Planned {
                diagnostics: told,
                ..nothing
            };
        };
        let known = prior.filter(|prior| !prior.tainted);
        let mut planned = self.ask_plan(managed, type_name, config, known).await;
        if planned.action == Action::Replace || prior.is_some_and(|prior| prior.tainted) {
            // The successor gets the private data, and nothing else of what is replaced.
            let heir = Instance {
                type_name: type_name.to_owned(),
                state: Value::Null,
                tainted: false,
                private: planned.private.clone(),
                identity: planned.identity.clone(),
            };
            let requires_replace = planned.requires_replace;
            let diagnostics = planned.diagnostics;
            planned = self.ask_plan(managed, type_name, config, Some(&heir)).await;
            planned.diagnostics.extend(diagnostics);
            planned.requires_replace = requires_replace;
            planned.action = Action::Replace;
        }
        told.extend(std::mem::take(&mut planned.diagnostics));
        Planned {
            diagnostics: told,
            ..planned
        }
    }

    async fn ask_plan(
        &self,
        managed: &Managed,
        type_name: &str,
        config: &Value,
        prior: Option<&Instance>,
    ) -> Planned {
        let mut told = Diagnostics::new();
        let state = prior.map_or(Value::Null, |prior| prior.state.clone());
        let request = pb::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: managed.encode(&state, "prior state", &mut told),
            proposed_new_state: managed.encode(config, "configuration", &mut told),
            config: managed.encode(config, "configuration", &mut told),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            prior_identity: prior.and_then(|prior| prior.identity.clone()),
            ..Default::default()
        };
        let answer = self.host.client().plan_resource_change(request).await;
        let answer = hear(answer, &mut told).unwrap_or_default();
        let planned = managed
            .decode(answer.planned_state.as_ref(), "plan", &mut told)
            .unwrap_or_default();
        let requires_replace: Vec<Path> =
            answer.requires_replace.iter().map(wire::path_of).collect();
        let counts = |path: &&Path| planned.at(path) != state.at(path);
        let action = match () {
            () if state.is_null() => Action::Create,
            () if requires_replace.iter().any(|path| counts(&path)) => Action::Replace,
            () if planned == state => Action::Nothing,
            () => Action::Update,
        };
        Planned {
            action,
            planned,
            requires_replace,
            diagnostics: told,
            private: answer.planned_private,
            identity: answer.planned_identity,
        }
    }

    /// Plans, plans again and applies; replaces where the plan says so.
    pub async fn apply(&self, type_name: &str, config: &Value, prior: Option<Instance>) -> Outcome {
        let first = self.plan(type_name, config, prior.as_ref()).await;
        let mut told = first.diagnostics.clone();
        let action = first.action;
        let outcome = |instance, diagnostics| Outcome {
            instance,
            action,
            diagnostics,
        };
        if told.has_errors() || action == Action::Nothing {
            return outcome(prior, told);
        }
        let Some(managed) = self.managed(type_name, &mut told) else {
            return outcome(prior, told);
        };
        let mut prior = prior;
        if action == Action::Replace
            && let Some(old) = prior.take()
        {
            let removed = self.destroy(old).await;
            told.extend(removed.diagnostics);
            if told.has_errors() {
                return outcome(removed.instance, told);
            }
        }
        let again = match (&prior, action) {
            (None, Action::Replace) => {
                let heir = Instance {
                    type_name: type_name.to_owned(),
                    state: Value::Null,
                    tainted: false,
                    private: first.private.clone(),
                    identity: None,
                };
                self.ask_plan(managed, type_name, config, Some(&heir)).await
            }
            (prior, _) => self.plan(type_name, config, prior.as_ref()).await,
        };
        told.extend(again.diagnostics);
        if config.is_wholly_known() {
            let found =
                conformance::check_second_plan(managed.schema(), &first.planned, &again.planned);
            conformance::report(type_name, found, &mut told);
        }
        if told.has_errors() {
            return outcome(prior, told);
        }
        let state = prior
            .as_ref()
            .map_or(Value::Null, |prior| prior.state.clone());
        let request = pb::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: managed.encode(&state, "prior state", &mut told),
            planned_state: managed.encode(&again.planned, "plan", &mut told),
            config: managed.encode(config, "configuration", &mut told),
            planned_private: again.private,
            planned_identity: again.identity,
            ..Default::default()
        };
        let answer = self.host.client().apply_resource_change(request).await;
        let answer = hear(answer, &mut told).unwrap_or_default();
        let state = managed
            .decode(answer.new_state.as_ref(), "new state", &mut told)
            .unwrap_or_default();
        if state.is_null() {
            // Nothing was said of it, so what there was is kept.
            return outcome(prior, told);
        }
        let instance = Instance {
            type_name: type_name.to_owned(),
            tainted: prior.is_none() && told.has_errors(),
            state,
            private: answer.private,
            identity: answer.new_identity,
        };
        outcome(Some(instance), told)
    }

    pub(super) fn managed(&self, type_name: &str, told: &mut Diagnostics) -> Option<&Managed> {
        let managed = self.registry.resources.get(type_name);
        if managed.is_none() {
            told.error(
                Path::root(),
                format!("There is no resource type `{type_name}`"),
                "",
            );
        }
        managed
    }
}

/// Takes what the user is told out of an answer, and the answer itself.
pub(super) fn hear<R: Tells>(
    answer: Result<Response<R>, Status>,
    told: &mut Diagnostics,
) -> Option<R> {
    match answer {
        Ok(answer) => {
            let mut answer = answer.into_inner();
            told.extend(wire::heard(answer.heard()));
            Some(answer)
        }
        Err(status) => {
            broken(&status, told);
            None
        }
    }
}

fn broken(status: &Status, told: &mut Diagnostics) {
    told.error(Path::root(), "Plugin did not respond", status.to_string());
}
