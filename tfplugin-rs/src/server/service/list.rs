//! List resources: a query's answers as a stream of events.

use super::{DEFAULT_TIMEOUT, Inner};
use crate::framework::{ListResource, Listed};
use crate::schema::{Diagnostics, normalize, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Entry, Registry, find};
use crate::server::wire;

/// What core asks for when the user does not say.
const DEFAULT_LIMIT: usize = 100;

fn list_resource<'r>(
    registry: &'r Registry,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r Entry<dyn ListResource>> {
    find(&registry.list_resources, "list resource", name, diagnostics)
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_list_resource_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_list_resource_config::Response> {
    let list = list_resource(registry, &request.type_name, diagnostics)?;
    let config = wire::decode(
        &list.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    validate_config(&list.schema, &config, true, diagnostics);
    list.it.validate(&config, diagnostics);
    None
}

pub(super) async fn list(
    inner: &Inner,
    request: pb::list_resource::Request,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<pb::list_resource::Event>> {
    let registry = inner.registry();
    let list = list_resource(registry, &request.type_name, diagnostics)?;
    let managed = super::resource::managed(registry, &request.type_name, diagnostics)?;
    let config = wire::decode(
        &list.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    let limit = usize::try_from(request.limit)
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(DEFAULT_LIMIT);
    let cx = inner.context(DEFAULT_TIMEOUT);
    let found = list
        .it
        .list(
            &cx,
            config,
            request.include_resource_object,
            limit,
            diagnostics,
        )
        .await;
    let mut event = |Listed {
                         identity,
                         display_name,
                         resource,
                     }| {
        let identity_data =
            wire::encode(&managed.identity_kind, &identity, "identity", diagnostics)?;
        let resource_object = resource
            .map(|state| normalize(managed.schema(), state))
            .and_then(|state| managed.encode(&state, "listed resource", diagnostics));
        Some(pb::list_resource::Event {
            identity: Some(pb::ResourceIdentityData {
                identity_data: Some(identity_data),
            }),
            display_name,
            resource_object,
            diagnostic: Vec::new(),
        })
    };
    Some(
        found
            .into_iter()
            .take(limit)
            .filter_map(&mut event)
            .collect(),
    )
}
