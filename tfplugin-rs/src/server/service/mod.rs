//! Every call of the protocol, each handed to the code for its kind of thing. State stores are not offered; their calls
//! answer that they are not implemented, which is how the protocol says so.

mod action;
mod change;
mod data;
mod ephemeral;
mod function;
mod list;
mod provider;
mod resource;
mod stored;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::call::Call;
use super::lifecycle::Lifecycle;
use super::proto::tfplugin6 as pb;
use super::proto::tfplugin6::provider_server::Provider as Protocol;
use super::registry::Registry;
use crate::framework::{Context, Provider};
use crate::schema::Diagnostics;

/// How long a call may take that no resource sets a time for.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// A provider as the protocol sees it.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inner>);

pub(crate) struct Inner {
    provider: Arc<dyn Provider>,
    registry: OnceLock<Registry>,
    lifecycle: Arc<Lifecycle>,
}

impl Service {
    pub(crate) fn new(provider: Arc<dyn Provider>, lifecycle: Arc<Lifecycle>) -> Self {
        Self(Arc::new(Inner {
            provider,
            registry: OnceLock::new(),
            lifecycle,
        }))
    }

    fn call(&self, rpc: &'static str, type_name: &str) -> Call {
        Call::new(rpc, self.0.provider.name(), type_name)
    }
}

impl Inner {
    fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| Registry::new(&self.provider))
    }

    fn context(&self, timeout: Duration) -> Context {
        Context {
            stop: self.lifecycle.call(),
            timeout,
        }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Protocol for Service {
    async fn get_metadata(
        &self,
        _: Request<pb::get_metadata::Request>,
    ) -> Answer<pb::get_metadata::Response> {
        let call = self.call("GetMetadata", "");
        let diagnostics = Diagnostics::new();
        let answer = call
            .run(async { provider::metadata(self.0.registry()) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn get_provider_schema(
        &self,
        _: Request<pb::get_provider_schema::Request>,
    ) -> Answer<pb::get_provider_schema::Response> {
        let call = self.call("GetProviderSchema", "");
        let diagnostics = Diagnostics::new();
        let answer = call
            .run(async { provider::schema(self.0.registry()) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_provider_config(
        &self,
        request: Request<pb::validate_provider_config::Request>,
    ) -> Answer<pb::validate_provider_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateProviderConfig", "");
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { provider::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn configure_provider(
        &self,
        request: Request<pb::configure_provider::Request>,
    ) -> Answer<pb::configure_provider::Response> {
        let request = request.into_inner();
        let call = self.call("ConfigureProvider", "");
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(provider::configure(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_resource_config(
        &self,
        request: Request<pb::validate_resource_config::Request>,
    ) -> Answer<pb::validate_resource_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateResourceConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { resource::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn read_resource(
        &self,
        request: Request<pb::read_resource::Request>,
    ) -> Answer<pb::read_resource::Response> {
        let request = request.into_inner();
        let call = self.call("ReadResource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(resource::read(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn import_resource_state(
        &self,
        request: Request<pb::import_resource_state::Request>,
    ) -> Answer<pb::import_resource_state::Response> {
        let request = request.into_inner();
        let call = self.call("ImportResourceState", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(resource::import(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn plan_resource_change(
        &self,
        request: Request<pb::plan_resource_change::Request>,
    ) -> Answer<pb::plan_resource_change::Response> {
        let request = request.into_inner();
        let call = self.call("PlanResourceChange", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(change::plan(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<pb::upgrade_resource_state::Request>,
    ) -> Answer<pb::upgrade_resource_state::Response> {
        let request = request.into_inner();
        let call = self.call("UpgradeResourceState", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { stored::upgrade(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<pb::get_resource_identity_schemas::Request>,
    ) -> Answer<pb::get_resource_identity_schemas::Response> {
        let call = self.call("GetResourceIdentitySchemas", "");
        let diagnostics = Diagnostics::new();
        let answer = call
            .run(async { provider::identity_schemas(self.0.registry()) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<pb::upgrade_resource_identity::Request>,
    ) -> Answer<pb::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        let call = self.call("UpgradeResourceIdentity", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { stored::upgrade_identity(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn move_resource_state(
        &self,
        request: Request<pb::move_resource_state::Request>,
    ) -> Answer<pb::move_resource_state::Response> {
        let request = request.into_inner();
        let call = self.call("MoveResourceState", &request.target_type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { stored::move_state(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn generate_resource_config(
        &self,
        request: Request<pb::generate_resource_config::Request>,
    ) -> Answer<pb::generate_resource_config::Response> {
        let request = request.into_inner();
        let call = self.call("GenerateResourceConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { stored::generate_config(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<pb::validate_data_resource_config::Request>,
    ) -> Answer<pb::validate_data_resource_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateDataResourceConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { data::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn read_data_source(
        &self,
        request: Request<pb::read_data_source::Request>,
    ) -> Answer<pb::read_data_source::Response> {
        let request = request.into_inner();
        let call = self.call("ReadDataSource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(data::read(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<pb::validate_ephemeral_resource_config::Request>,
    ) -> Answer<pb::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateEphemeralResourceConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { ephemeral::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<pb::open_ephemeral_resource::Request>,
    ) -> Answer<pb::open_ephemeral_resource::Response> {
        let request = request.into_inner();
        let call = self.call("OpenEphemeralResource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(ephemeral::open(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<pb::renew_ephemeral_resource::Request>,
    ) -> Answer<pb::renew_ephemeral_resource::Response> {
        let request = request.into_inner();
        let call = self.call("RenewEphemeralResource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(ephemeral::renew(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<pb::close_ephemeral_resource::Request>,
    ) -> Answer<pb::close_ephemeral_resource::Response> {
        let request = request.into_inner();
        let call = self.call("CloseEphemeralResource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(ephemeral::close(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<pb::validate_list_resource_config::Request>,
    ) -> Answer<pb::validate_list_resource_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateListResourceConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { list::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn get_functions(
        &self,
        _: Request<pb::get_functions::Request>,
    ) -> Answer<pb::get_functions::Response> {
        let call = self.call("GetFunctions", "");
        let diagnostics = Diagnostics::new();
        let answer = call.run(async { function::all(self.0.registry()) }).await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn validate_action_config(
        &self,
        request: Request<pb::validate_action_config::Request>,
    ) -> Answer<pb::validate_action_config::Response> {
        let request = request.into_inner();
        let call = self.call("ValidateActionConfig", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(async { action::validate(self.0.registry(), &request, &mut diagnostics) })
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    async fn plan_action(
        &self,
        request: Request<pb::plan_action::Request>,
    ) -> Answer<pb::plan_action::Response> {
        let request = request.into_inner();
        let call = self.call("PlanAction", &request.action_type);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(action::plan(&self.0, request, &mut diagnostics))
            .await;
        Ok(call.finish(answer, diagnostics))
    }

    /// Not bound to the connection: what a call has begun to change is brought to its end and its answer, even if
    /// nobody listens any more.
    async fn apply_resource_change(
        &self,
        request: Request<pb::apply_resource_change::Request>,
    ) -> Answer<pb::apply_resource_change::Response> {
        let (service, request) = (self.clone(), request.into_inner());
        let applied = tokio::spawn(async move {
            let call = service.call("ApplyResourceChange", &request.type_name);
            let mut diagnostics = Diagnostics::new();
            let answer = call
                .run(change::apply(&service.0, request, &mut diagnostics))
                .await;
            call.finish(answer, diagnostics)
        });
        applied
            .await
            .map_err(|error| Status::internal(error.to_string()))
    }

    async fn call_function(
        &self,
        request: Request<pb::call_function::Request>,
    ) -> Answer<pb::call_function::Response> {
        let request = request.into_inner();
        let call = self.call("CallFunction", "");
        let answer = call
            .run(async { function::call(self.0.registry(), &request) })
            .await;
        Ok(Response::new(answer.unwrap_or_else(|panic| {
            function::crashed(&request.name, &panic)
        })))
    }

    async fn list_resource(
        &self,
        request: Request<pb::list_resource::Request>,
    ) -> Answer<BoxStream<pb::list_resource::Event>> {
        let request = request.into_inner();
        let call = self.call("ListResource", &request.type_name);
        let mut diagnostics = Diagnostics::new();
        let answer = call
            .run(list::list(&self.0, request, &mut diagnostics))
            .await;
        let events = call.finish(answer, diagnostics);
        Ok(events.map(|events| {
            Box::pin(futures::stream::iter(events.into_iter().map(Ok))) as BoxStream<_>
        }))
    }

    async fn invoke_action(
        &self,
        request: Request<pb::invoke_action::Request>,
    ) -> Answer<BoxStream<pb::invoke_action::Event>> {
        Ok(Response::new(action::invoke(
            self.clone(),
            request.into_inner(),
        )))
    }

    async fn stop_provider(
        &self,
        _: Request<pb::stop_provider::Request>,
    ) -> Answer<pb::stop_provider::Response> {
        tracing::debug!("running calls are asked to stop");
        self.0.lifecycle.stop_calls();
        Ok(Response::new(pb::stop_provider::Response {
            error: String::new(),
        }))
    }
}
