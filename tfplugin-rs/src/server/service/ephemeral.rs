//! Ephemeral resources.

use super::{DEFAULT_TIMEOUT, Inner};
use crate::framework::{EphemeralResource, Private, conformance};
use crate::schema::{Diagnostics, normalize, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Entry, Registry, find};
use crate::server::wire;

fn ephemeral<'r>(
    registry: &'r Registry,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r Entry<dyn EphemeralResource>> {
    find(
        &registry.ephemeral_resources,
        "ephemeral resource",
        name,
        diagnostics,
    )
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_ephemeral_resource_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_ephemeral_resource_config::Response> {
    let ephemeral = ephemeral(registry, &request.type_name, diagnostics)?;
    let config = wire::decode(
        &ephemeral.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    validate_config(&ephemeral.schema, &config, true, diagnostics);
    ephemeral.it.validate(&config, diagnostics);
    None
}

pub(super) async fn open(
    inner: &Inner,
    request: pb::open_ephemeral_resource::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::open_ephemeral_resource::Response> {
    let ephemeral = ephemeral(inner.registry(), &request.type_name, diagnostics)?;
    let config = wire::decode(
        &ephemeral.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    let opened = ephemeral
        .it
        .open(&inner.context(DEFAULT_TIMEOUT), config, diagnostics)
        .await?;
    let result = normalize(&ephemeral.schema, opened.result);
    if conformance::CHECKED && !diagnostics.has_errors() {
        conformance::report(
            &request.type_name,
            conformance::check_state(&ephemeral.schema, &result),
            diagnostics,
        );
    }
    Some(pb::open_ephemeral_resource::Response {
        result: wire::encode(&ephemeral.kind, &result, "result", diagnostics),
        renew_at: opened.renew_at.map(Into::into),
        private: Some(opened.private.to_bytes()),
        ..Default::default()
    })
}

pub(super) async fn renew(
    inner: &Inner,
    request: pb::renew_ephemeral_resource::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::renew_ephemeral_resource::Response> {
    let ephemeral = ephemeral(inner.registry(), &request.type_name, diagnostics)?;
    let private = Private::from_bytes(&request.private.unwrap_or_default());
    let renewed = ephemeral
        .it
        .renew(&inner.context(DEFAULT_TIMEOUT), private, diagnostics)
        .await;
    Some(pb::renew_ephemeral_resource::Response {
        renew_at: renewed.renew_at.map(Into::into),
        private: Some(renewed.private.to_bytes()),
        ..Default::default()
    })
}

pub(super) async fn close(
    inner: &Inner,
    request: pb::close_ephemeral_resource::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::close_ephemeral_resource::Response> {
    let ephemeral = ephemeral(inner.registry(), &request.type_name, diagnostics)?;
    let private = Private::from_bytes(&request.private.unwrap_or_default());
    ephemeral
        .it
        .close(&inner.context(DEFAULT_TIMEOUT), private, diagnostics)
        .await;
    None
}
