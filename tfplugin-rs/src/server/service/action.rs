//! Actions: progress line by line, and one completion at the end.

use pb::invoke_action::Event;
use pb::invoke_action::event::{Completed, Progress, Type};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Response;
use tonic::codegen::BoxStream;

use super::{DEFAULT_TIMEOUT, Inner, Service};
use crate::framework::Action;
use crate::schema::{Diagnostics, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Entry, Registry, find};
use crate::server::wire;

fn action<'r>(
    registry: &'r Registry,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r Entry<dyn Action>> {
    find(&registry.actions, "action", name, diagnostics)
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_action_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_action_config::Response> {
    let action = action(registry, &request.type_name, diagnostics)?;
    let config = wire::decode(
        &action.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    validate_config(&action.schema, &config, true, diagnostics);
    action.it.validate(&config, diagnostics);
    None
}

pub(super) async fn plan(
    inner: &Inner,
    request: pb::plan_action::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::plan_action::Response> {
    let action = action(inner.registry(), &request.action_type, diagnostics)?;
    let config = wire::decode(
        &action.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    action
        .it
        .plan(&inner.context(DEFAULT_TIMEOUT), &config, diagnostics)
        .await;
    None
}

/// Not bound to the connection, as applying is not.
pub(super) fn invoke(service: Service, request: pb::invoke_action::Request) -> BoxStream<Event> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        let call = service.call("InvokeAction", &request.action_type);
        let mut diagnostics = Diagnostics::new();
        let done = call
            .run(perform(&service.0, request, &sender, &mut diagnostics))
            .await;
        let completed: Response<Completed> = call.finish(done, diagnostics);
        send(&sender, Type::Completed(completed.into_inner()));
    });
    Box::pin(UnboundedReceiverStream::new(receiver).map(Ok))
}

async fn perform(
    inner: &Inner,
    request: pb::invoke_action::Request,
    sender: &UnboundedSender<Event>,
    diagnostics: &mut Diagnostics,
) -> Option<Completed> {
    let action = action(inner.registry(), &request.action_type, diagnostics)?;
    let config = wire::decode(
        &action.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    let progress = |message: String| send(sender, Type::Progress(Progress { message }));
    action
        .it
        .invoke(
            &inner.context(DEFAULT_TIMEOUT),
            config,
            &progress,
            diagnostics,
        )
        .await;
    None
}

fn send(sender: &UnboundedSender<Event>, event: Type) {
    // Whoever asked may be gone; the action goes on all the same.
    let _ = sender.send(Event {
        r#type: Some(event),
    });
}
