//! POST actions and GETs below a resource that are no type: done at once, answered later, or begun as work
//! on a resource that waits and completes as a write does.

use crate::errors::{ArmError, ArmResult};
use crate::exchange::Answer;
use crate::guards::{exists_group, locked};
use crate::id::ResourceId;
use crate::operations::{self, Accepted};
use crate::resources::Context;
use crate::store::World;
use crate::table::{self, Action, Change, Style, Verb};

/// An operation that changes nothing: its end, good or bad, waits at the URL that the answer names.
pub fn later(
    world: &mut World,
    target: ResourceId,
    style: Style,
    failure: Option<ArmError>,
    context: &Context<'_>,
) -> Answer {
    let operation = operations::accept(
        world,
        &context.pace,
        Accepted {
            target,
            work: operations::Work::Action,
            style,
            locks: Vec::new(),
            failure,
            result: None,
            watched: context.watched,
            version: context.request.api_version().unwrap_or_default(),
        },
    );
    operations::announce(world, &operation, context.request, Answer::empty(202))
}

/// A POST action, or a GET below a resource that is not a type.
pub fn act(
    world: &mut World,
    action: &Action,
    id: &ResourceId,
    context: &Context<'_>,
) -> ArmResult<Answer> {
    exists_group(world, id)?;
    let resource = world.require(id)?.clone();
    if action.method == "POST" {
        locked(world, id, "action", &["ReadOnly"])?;
    }
    let mut draft = world.clone();
    let mut answer = (action.run)(&mut draft, &resource, context.request)?;
    let started = answer.started.take();
    // An action that may start something and did not is done, too.
    let idle = started.is_none() && action.style == Style::AsyncOperation;
    let done = action.style == Style::Immediate || answer.status == 204 || idle;
    if !done {
        // What an action starts on a resource waits for the resource's other operations, as a write does.
        let target = started.clone().unwrap_or_else(|| id.clone());
        let mut locks = Vec::new();
        if let Some(kind) = started
            .as_ref()
            .and_then(|target| table::find(&target.type_name()))
        {
            let at_work = draft.require(&target)?;
            locks = (kind.locks)(&draft, at_work);
            if let Some(busy) = operations::busy(world, &locks) {
                let change = Change {
                    verb: Verb::Put,
                    old: Some(&resource),
                    new: &resource,
                };
                return Err((kind.busy)(&busy, &change));
            }
        }
        let work = match started {
            Some(_) => operations::Work::Update,
            None => operations::Work::Action,
        };
        let mut body = answer.body.take();
        if context.failure.is_some() && work == operations::Work::Action {
            // What is going to fail did nothing.
            draft = world.clone();
            body = None;
        }
        let operation = operations::accept(
            &mut draft,
            &context.pace,
            Accepted {
                target,
                work,
                style: action.style,
                locks,
                failure: context.failure.clone(),
                result: body.clone().filter(|_| work == operations::Work::Action),
                watched: context.watched,
                version: context.request.api_version().unwrap_or_default(),
            },
        );
        answer.status = 202;
        answer.body = body.filter(|_| work == operations::Work::Update);
        let told = answer.headers.iter().any(|(name, _)| name == "location");
        answer = if told {
            answer.retry()
        } else {
            operations::announce(&draft, &operation, context.request, answer)
        };
    }
    *world = draft;
    Ok(answer)
}
