//! The provider itself: what it offers, and its configuration.

use super::{DEFAULT_TIMEOUT, Inner};
use crate::framework::Configuration;
use crate::schema::{Diagnostics, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::Registry;
use crate::server::wire;

fn capabilities() -> pb::ServerCapabilities {
    pb::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        // No resource takes over the state of another type yet, and core's own guess at a configuration is as good.
        move_resource_state: false,
        generate_resource_config: false,
    }
}

pub(super) fn schema(registry: &Registry) -> Option<pb::get_provider_schema::Response> {
    let actions = registry.actions.iter().map(|(name, action)| {
        let schema = wire::schema(&action.schema);
        (
            (*name).to_owned(),
            pb::ActionSchema {
                schema: Some(schema),
            },
        )
    });
    Some(pb::get_provider_schema::Response {
        provider: Some(wire::schema(&registry.provider.schema)),
        provider_meta: registry.meta.as_ref().map(wire::schema),
        resource_schemas: registry
            .resources
            .iter()
            .map(|(name, managed)| ((*name).to_owned(), wire::schema(&managed.entry.schema)))
            .collect(),
        data_source_schemas: registry
            .data_sources
            .iter()
            .map(|(name, entry)| ((*name).to_owned(), wire::schema(&entry.schema)))
            .collect(),
        ephemeral_resource_schemas: registry
            .ephemeral_resources
            .iter()
            .map(|(name, entry)| ((*name).to_owned(), wire::schema(&entry.schema)))
            .collect(),
        list_resource_schemas: registry
            .list_resources
            .iter()
            .map(|(name, entry)| ((*name).to_owned(), wire::schema(&entry.schema)))
            .collect(),
        functions: super::function::messages(registry),
        action_schemas: actions.collect(),
        server_capabilities: Some(capabilities()),
        ..Default::default()
    })
}

pub(super) fn metadata(registry: &Registry) -> Option<pb::get_metadata::Response> {
    use pb::get_metadata::{
        ActionMetadata, DataSourceMetadata, EphemeralMetadata, FunctionMetadata,
        ListResourceMetadata, ResourceMetadata,
    };
    fn names<T, M>(
        things: &std::collections::BTreeMap<&'static str, T>,
        message: fn(String) -> M,
    ) -> Vec<M> {
        things
            .keys()
            .map(|name| message((*name).to_owned()))
            .collect()
    }
    Some(pb::get_metadata::Response {
        server_capabilities: Some(capabilities()),
        resources: names(&registry.resources, |type_name| ResourceMetadata {
            type_name,
        }),
        data_sources: names(&registry.data_sources, |type_name| DataSourceMetadata {
            type_name,
        }),
        functions: names(&registry.functions, |name| FunctionMetadata { name }),
        ephemeral_resources: names(&registry.ephemeral_resources, |type_name| {
            EphemeralMetadata { type_name }
        }),
        list_resources: names(&registry.list_resources, |type_name| ListResourceMetadata {
            type_name,
        }),
        actions: names(&registry.actions, |type_name| ActionMetadata { type_name }),
        ..Default::default()
    })
}

pub(super) fn identity_schemas(
    registry: &Registry,
) -> Option<pb::get_resource_identity_schemas::Response> {
    let schemas = registry
        .resources
        .iter()
        .map(|(name, managed)| ((*name).to_owned(), wire::identity_schema(&managed.identity)));
    Some(pb::get_resource_identity_schemas::Response {
        identity_schemas: schemas.collect(),
        diagnostics: Vec::new(),
    })
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_provider_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_provider_config::Response> {
    let provider = &registry.provider;
    let config = wire::decode(
        &provider.kind,
        request.config.as_ref(),
        "provider configuration",
        diagnostics,
    )?;
    validate_config(&provider.schema, &config, true, diagnostics);
    provider.it.validate(&config, diagnostics);
    None
}

pub(super) async fn configure(
    inner: &Inner,
    request: pb::configure_provider::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::configure_provider::Response> {
    let provider = &inner.registry().provider;
    let config = wire::decode(
        &provider.kind,
        request.config.as_ref(),
        "provider configuration",
        diagnostics,
    )?;
    let configuration = Configuration {
        config,
        terraform_version: request.terraform_version,
    };
    provider
        .it
        .configure(&inner.context(DEFAULT_TIMEOUT), configuration, diagnostics)
        .await;
    None
}
