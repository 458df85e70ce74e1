//! Data sources.

use super::Inner;
use crate::framework::{DataSource, conformance};
use crate::schema::{Diagnostics, normalize, validate as validate_config};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::{Entry, Registry, find};
use crate::server::wire;
use crate::value::Path;

fn source<'r>(
    registry: &'r Registry,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'r Entry<dyn DataSource>> {
    find(&registry.data_sources, "data source", name, diagnostics)
}

pub(super) fn validate(
    registry: &Registry,
    request: &pb::validate_data_resource_config::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::validate_data_resource_config::Response> {
    let source = source(registry, &request.type_name, diagnostics)?;
    let config = wire::decode(
        &source.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    validate_config(&source.schema, &config, true, diagnostics);
    source.it.validate(&config, diagnostics);
    None
}

pub(super) async fn read(
    inner: &Inner,
    request: pb::read_data_source::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::read_data_source::Response> {
    let source = source(inner.registry(), &request.type_name, diagnostics)?;
    let config = wire::decode(
        &source.kind,
        request.config.as_ref(),
        "configuration",
        diagnostics,
    )?;
    let timeouts = config.get("timeouts").clone();
    let cx = inner.context(source.it.timeouts().of("read", &config));
    let Some(found) = source.it.read(&cx, config, diagnostics).await else {
        if !diagnostics.has_errors() {
            let summary = format!("{} found nothing", request.type_name);
            diagnostics.error(
                Path::root(),
                summary,
                "There is nothing that the configuration describes.",
            );
        }
        return None;
    };
    let mut state = normalize(&source.schema, found);
    if source.schema.attribute("timeouts").is_some() {
        state.set("timeouts", timeouts);
    }
    if conformance::CHECKED && !diagnostics.has_errors() {
        conformance::report(
            &request.type_name,
            conformance::check_state(&source.schema, &state),
            diagnostics,
        );
    }
    Some(pb::read_data_source::Response {
        state: wire::encode(&source.kind, &state, "data that was read", diagnostics),
        ..Default::default()
    })
}
