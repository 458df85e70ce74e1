//! Managed resources where something changes: planning, and applying the plan.

use super::Inner;
use super::resource::managed;
use crate::framework::{Applied, Change, Plan, Private, Stored, conformance};
use crate::schema::{Diagnostics, plan as plan_from_schema};
use crate::server::proto::tfplugin6 as pb;
use crate::server::registry::Managed;
use crate::server::wire;
use crate::value::{Path, Value};

pub(super) async fn plan(
    inner: &Inner,
    request: pb::plan_resource_change::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::plan_resource_change::Response> {
    let managed = managed(inner.registry(), &request.type_name, diagnostics)?;
    let prior = managed.decode(request.prior_state.as_ref(), "prior state", diagnostics)?;
    let proposed = managed.decode(
        request.proposed_new_state.as_ref(),
        "proposed state",
        diagnostics,
    )?;
    let private = Private::from_bytes(&request.prior_private);
    let cx = inner.context(managed.resource().timeouts().of("read", &prior));
    if proposed.is_null() {
        let stored = Stored {
            state: prior,
            private,
        };
        managed
            .resource()
            .plan_delete(&cx, &stored, diagnostics)
            .await;
        return Some(pb::plan_resource_change::Response {
            planned_state: managed.encode(&Value::Null, "plan", diagnostics),
            planned_private: request.prior_private,
            planned_identity: request.prior_identity,
            ..Default::default()
        });
    }
    let config = managed.decode(request.config.as_ref(), "configuration", diagnostics)?;
    let prior = Some(prior).filter(|prior| !prior.is_null());
    let first = plan_from_schema(managed.schema(), &config, prior.as_ref());
    let mut plan = Plan {
        config,
        prior,
        planned: first.planned,
        requires_replace: first.requires_replace,
        private,
    };
    managed.resource().plan(&cx, &mut plan, diagnostics).await;
    let Plan {
        config,
        prior,
        planned,
        mut requires_replace,
        private,
    } = plan;
    let planned = managed.complete(planned, &config);
    requires_replace.sort();
    requires_replace.dedup();
    if conformance::CHECKED && !diagnostics.has_errors() {
        let found = conformance::check_plan(
            managed.schema(),
            &config,
            prior.as_ref(),
            &planned,
            &requires_replace,
        );
        conformance::report(&request.type_name, found, diagnostics);
    }
    // A change in place keeps the identity; anything else makes one that is not known before apply.
    let kept = requires_replace.is_empty() && prior.is_some();
    let planned_identity = if kept && request.prior_identity.is_some() {
        request.prior_identity
    } else {
        managed.identity(&planned, diagnostics)
    };
    Some(pb::plan_resource_change::Response {
        planned_state: managed.encode(&planned, "plan", diagnostics),
        requires_replace: requires_replace.iter().map(wire::path).collect(),
        planned_private: private.to_bytes(),
        planned_identity,
        ..Default::default()
    })
}

pub(super) async fn apply(
    inner: &Inner,
    request: pb::apply_resource_change::Request,
    diagnostics: &mut Diagnostics,
) -> Option<pb::apply_resource_change::Response> {
    let managed = managed(inner.registry(), &request.type_name, diagnostics)?;
    let prior = managed.decode(request.prior_state.as_ref(), "prior state", diagnostics)?;
    let planned = managed.decode(request.planned_state.as_ref(), "planned state", diagnostics)?;
    let config = managed.decode(request.config.as_ref(), "configuration", diagnostics)?;
    let private = Private::from_bytes(&request.planned_private);
    let (resource, timeouts) = (managed.resource(), managed.resource().timeouts());
    let applied = if planned.is_null() {
        let cx = inner.context(timeouts.of("delete", &prior));
        let left = resource
            .delete(
                &cx,
                Stored {
                    state: prior.clone(),
                    private,
                },
                diagnostics,
            )
            .await;
        if left.state.is_some() && !diagnostics.has_errors() {
            let summary = format!("{} was deleted, and is still there", request.type_name);
            diagnostics.error(
                Path::root(),
                summary,
                "This is a bug in the provider; please report it.",
            );
        }
        finish(managed, left, &prior, diagnostics)
    } else {
        let prior = Some(prior).filter(|prior| !prior.is_null());
        let operation = if prior.is_some() { "update" } else { "create" };
        let cx = inner.context(timeouts.of(operation, &planned));
        let change = Change {
            config,
            prior,
            planned: planned.clone(),
            private,
        };
        let applied = match change.prior {
            Some(_) => resource.update(&cx, change, diagnostics).await,
            None => resource.create(&cx, change, diagnostics).await,
        };
        let applied = finish(managed, applied, &planned, diagnostics);
        if conformance::CHECKED && !diagnostics.has_errors() {
            let found =
                conformance::check_applied(managed.schema(), &planned, applied.state.as_ref());
            conformance::report(&request.type_name, found, diagnostics);
        }
        applied
    };
    Some(pb::apply_resource_change::Response {
        new_identity: applied
            .state
            .as_ref()
            .and_then(|state| managed.identity(state, diagnostics)),
        new_state: managed.encode(&applied.state.unwrap_or_default(), "new state", diagnostics),
        private: applied.private.to_bytes(),
        ..Default::default()
    })
}

/// Completes what a call left behind. After an error what is still unknown is stored as null: core would do the same,
/// and add an error of its own.
fn finish(
    managed: &Managed,
    applied: Applied,
    timeouts_of: &Value,
    diagnostics: &Diagnostics,
) -> Applied {
    let state = applied.state.map(|state| {
        let state = managed.complete(state, timeouts_of);
        if diagnostics.has_errors() {
            without_unknown(state)
        } else {
            state
        }
    });
    Applied {
        state,
        private: applied.private,
    }
}

fn without_unknown(value: Value) -> Value {
    match value {
        Value::Unknown(_) => Value::Null,
        Value::List(items) => Value::List(items.into_iter().map(without_unknown).collect()),
        Value::Set(items) => Value::Set(items.into_iter().filter(Value::is_wholly_known).collect()),
        Value::Map(members) => Value::Map(
            members
                .into_iter()
                .map(|(name, member)| (name, without_unknown(member)))
                .collect(),
        ),
        Value::Dynamic(inner) if !inner.1.is_wholly_known() => Value::Null,
        known => known,
    }
}
