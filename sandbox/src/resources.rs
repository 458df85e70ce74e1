//! The one handler for every resource type: GET, list, PUT, PATCH, DELETE and actions over the store,
//! steered by the type's row. What Azure Resource Manager checks itself is in `guards.rs` and
//! `bodies.rs`; what a provider checks is in the row's `check`.

use serde_json::{Value, json};

use crate::actions;
use crate::bodies::{accepted_body, patched_body, without_nulls};
use crate::errors::{ArmError, ArmResult, group_not_found, not_found, parent_not_found};
use crate::exchange::{Answer, Request};
use crate::guards::{exists, exists_group, located, locked, precondition, touch_etag};
use crate::id::ResourceId;
use crate::operations::{self, Accepted, Pace, set_state, work_of};
use crate::store::{Resource, World};
use crate::table::{Change, Etags, Patch, Style, Type, Verb};
use crate::types::policy::enforcement;

/// What the handler needs besides the world.
pub struct Context<'a> {
    /// The request.
    pub request: &'a Request,
    /// How long operations take.
    pub pace: Pace,
    /// The first read after a creation answers 404.
    pub eventual_consistency: bool,
    /// Most entries on a page of a list.
    pub page_size: Option<usize>,
    /// An injected failure for the operation that this request starts.
    pub failure: Option<ArmError>,
    /// False for requests of actors.
    pub watched: bool,
}

/// GET of one resource.
pub fn get(
    world: &mut World,
    kind: &Type,
    id: &ResourceId,
    request: &Request,
) -> ArmResult<Answer> {
    if let Some(computed) = kind.computed {
        let parent = id.parent().unwrap_or_else(|| id.clone());
        let members = computed(world, world.require(&parent)?);
        let member = members
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(id.name()));
        return member
            .map(|(_, body)| Answer::json(200, body))
            .ok_or_else(|| not_found(id, kind.not_found));
    }
    if let Some(provided) = (kind.provided)(world, id) {
        return Ok(Answer::json(200, provided));
    }
    exists(world, id, kind)?;
    if world
        .get(id.as_str())
        .is_some_and(|resource| resource.hidden_reads > 0)
    {
        if let Some(resource) = world.get_mut(id.as_str()) {
            resource.hidden_reads -= 1;
        }
        return Err(not_found(id, kind.not_found));
    }
    operations::observe(world, id);
    let resource = world.require(id)?;
    if (kind.pending)(resource) {
        let here = format!("{}{}?{}", request.base, request.path, request.query);
        let running = Answer::json(202, world.view(resource));
        return Ok(running.header("location", here).retry());
    }
    let answer = Answer::json(200, world.view(resource));
    Ok(with_etag(answer, kind, resource))
}

/// HEAD of one resource: 204 or 404, without a body.
pub fn head(world: &World, kind: &Type, id: &ResourceId) -> Answer {
    let there = match kind.computed {
        Some(_) => false,
        None => world
            .get(id.as_str())
            .is_some_and(|resource| resource.hidden_reads == 0),
    };
    Answer::empty(if there { 204 } else { 404 })
}

/// GET of a collection: everything of the type below the scope.
pub fn list(
    world: &mut World,
    kind: &Type,
    scope: &str,
    context: &Context<'_>,
) -> ArmResult<Answer> {
    if let Some(scope) = ResourceId::parse(scope).filter(|scope| scope.group().is_some()) {
        match world.get(scope.as_str()) {
            Some(_) => {}
            None if scope.type_name().ends_with("/resourceGroups") => {
                return Err(group_not_found(scope.name()));
            }
            None => {
                exists_group(world, &scope)?;
                world.require(&scope)?;
            }
        }
    }
    if let Some(collection) = kind.collection {
        let values = collection(world, scope, context.request)?;
        return Ok(page(values, context));
    }
    let values: Vec<Value> = match kind.computed {
        Some(computed) => match world.get(scope) {
            Some(parent) => computed(world, parent)
                .into_iter()
                .map(|(_, body)| body)
                .collect(),
            None => Vec::new(),
        },
        None => world
            .list(scope, kind.name)
            .map(|resource| world.view(resource))
            .collect(),
    };
    Ok(page(values, context))
}

/// A list answer, cut into pages when the sandbox pages or the client asks with `$top`.
#[must_use]
pub fn page(values: Vec<Value>, context: &Context<'_>) -> Answer {
    cut(values, context.request, context.page_size)
}

/// The same for lists that an action answers.
#[must_use]
pub fn cut(values: Vec<Value>, request: &Request, page_size: Option<usize>) -> Answer {
    let number = |name: &str| {
        request
            .param(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let skip = number("$skipToken").unwrap_or(0);
    let size = number("$top").or(page_size).unwrap_or(usize::MAX).max(1);
    let more = values.len().saturating_sub(skip) > size;
    let mut body = json!({ "value": values.into_iter().skip(skip).take(size).collect::<Vec<_>>() });
    if more {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
            if !name.eq_ignore_ascii_case("$skipToken") {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair("$skipToken", &(skip + size).to_string());
        body["nextLink"] = json!(format!(
            "{}{}?{}",
            request.base,
            request.path,
            query.finish()
        ));
    }
    Answer::json(200, body)
}

/// PUT and PATCH.
pub fn write(
    world: &mut World,
    kind: &Type,
    id: &ResourceId,
    verb: Verb,
    context: &Context<'_>,
) -> ArmResult<Answer> {
    let patch = match (verb, kind.patch) {
        (Verb::Patch, Patch::No) => return Err(method_not_allowed(id, "PATCH")),
        _ if !kind.writable => return Err(method_not_allowed(id, &context.request.method)),
        (Verb::Patch, patch) => Some(patch),
        _ => None,
    };
    exists_group(world, id)?;
    locked(world, id, "write", &["ReadOnly"])?;
    let body = context.request.object()?;
    let old = world.get(id.as_str()).cloned();
    let id = old
        .as_ref()
        .map_or_else(|| id.clone(), |old| old.id.clone());
    if old.is_none() && verb == Verb::Patch {
        provided(world, kind, &id, verb)?;
        return Err(not_found(&id, kind.not_found));
    }
    if id.is_child() {
        let parent = id.parent().unwrap_or_else(|| id.clone());
        if world.get(parent.as_str()).is_none() {
            return Err(parent_not_found(&id, &parent));
        }
    }
    let body = match patch {
        None => {
            // A member that is null is one that is not there.
            let mut body = accepted_body(kind, body)?;
            without_nulls(&mut body);
            body
        }
        Some(patch) => patched_body(kind, patch, body, old.as_ref())?,
    };
    let mut new = Resource::new(id.clone(), kind.name, body);
    located(kind, &mut new, old.as_ref())?;
    enforcement::act(world, &mut new)?;
    (kind.query)(context.request, &mut new);
    let condition = precondition(kind, old.as_ref(), context.request);
    if matches!(kind.etags, Etags::Checked | Etags::Mismatch) {
        condition.clone()?;
    }

    let later = matches!(kind.put, Style::LocationOfCreate | Style::Unannounced);
    let style = match patch {
        Some(Patch::Merge(style) | Patch::TagsLater(style)) => style,
        _ if later && old.is_some() => Style::Immediate,
        _ => kind.put,
    };
    if let Err(failure) = condition {
        // It is accepted, its operation fails, and nothing changes.
        return Ok(actions::later(world, id, style, Some(failure), context));
    }

    // A PATCH of tags alone disturbs no operation and starts none.
    if patch == Some(Patch::Tags) {
        touch_etag(world, kind, &mut new);
        world.insert(new);
        let resource = world.require(&id)?;
        return Ok(Answer::json(200, world.view(resource)));
    }

    let change = Change {
        verb,
        old: old.as_ref(),
        new: &new,
    };
    let locks = (kind.locks)(world, &new);
    if let Some(busy) = operations::busy(world, &locks) {
        return Err((kind.busy)(&busy, &change));
    }
    (kind.check)(world, &change)?;

    let mut draft = world.clone();
    touch_etag(&mut draft, kind, &mut new);
    (kind.fill)(&mut draft, &mut new, old.as_ref())?;
    let created = old.is_none();
    // What is always there, such as a plan of a subscription, is never looked for in vain.
    let appears = created && (kind.provided)(world, &id).is_none();
    if appears && context.eventual_consistency {
        new.hidden_reads = 1;
    }
    draft.insert(new);

    let answer = if matches!(style, Style::Immediate | Style::Created | Style::Replaced) {
        if let Some(failure) = &context.failure {
            return Err(failure.clone());
        }
        set_state(&mut draft, &id, "Succeeded");
        (kind.settle)(&mut draft, &id)?;
        let new = style == Style::Created || (created && style == Style::Immediate);
        finished(&draft, kind, &id, if new { 201 } else { 200 })?
    } else {
        let state = match (&old, draft.get(id.as_str())) {
            (Some(old), Some(new)) => (kind.updating)(old, new),
            _ => kind.creating.unwrap_or("Updating"),
        };
        set_state(&mut draft, &id, state);
        let operation = operations::accept(
            &mut draft,
            &context.pace,
            Accepted {
                target: id.clone(),
                work: work_of(verb, created),
                style,
                locks,
                failure: context.failure.clone(),
                result: None,
                watched: context.watched,
                version: context.request.api_version().unwrap_or_default(),
            },
        );
        let status = match style {
            Style::AsyncOperation => {
                if created {
                    201
                } else {
                    200
                }
            }
            Style::AsyncCreated | Style::LocationOfCreate | Style::Unannounced => 201,
            _ => 202,
        };
        let answer = finished(&draft, kind, &id, status)?;
        match style {
            Style::Unannounced => answer,
            _ => operations::announce(&draft, &operation, context.request, answer),
        }
    };
    if draft.get(id.as_str()).is_some_and(kind.vanishes) {
        draft.remove(id.as_str());
    }
    *world = draft;
    Ok(answer)
}

/// DELETE. What is not there is 204.
pub fn delete(
    world: &mut World,
    kind: &Type,
    id: &ResourceId,
    context: &Context<'_>,
) -> ArmResult<Answer> {
    if !kind.writable || !kind.deletable {
        return Err(method_not_allowed(id, "DELETE"));
    }
    if kind.name != "Microsoft.Resources/resourceGroups" {
        exists_group(world, id)?;
    }
    let Some(mut resource) = world.get(id.as_str()).cloned() else {
        if kind.name == "Microsoft.Resources/resourceGroups" {
            return Err(group_not_found(id.name()));
        }
        provided(world, kind, id, Verb::Delete)?;
        return Ok(Answer::empty(204));
    };
    locked(world, &resource.id, "delete", &["ReadOnly", "CanNotDelete"])?;
    let condition = precondition(kind, Some(&resource), context.request);
    condition?;
    (kind.query)(context.request, &mut resource);
    let change = Change {
        verb: Verb::Delete,
        old: Some(&resource),
        new: &resource,
    };
    let locks = (kind.locks)(world, &resource);
    if let Some(busy) = operations::busy(world, &locks) {
        return Err((kind.busy)(&busy, &change));
    }
    (kind.check)(world, &change)?;
    let mut draft = world.clone();
    draft.insert(resource.clone());
    let answer = if kind.delete == Style::Immediate {
        let view = draft.view(&resource);
        draft.delete(&resource.id)?;
        match kind.deleted_body {
            true => Answer::json(200, view),
            false => Answer::empty(200),
        }
    } else {
        set_state(&mut draft, &resource.id, "Deleting");
        let operation = operations::accept(
            &mut draft,
            &context.pace,
            Accepted {
                target: resource.id.clone(),
                work: operations::Work::Delete,
                style: kind.delete,
                locks,
                failure: context.failure.clone(),
                result: None,
                watched: context.watched,
                version: context.request.api_version().unwrap_or_default(),
            },
        );
        operations::announce(&draft, &operation, context.request, Answer::empty(202))
    };
    *world = draft;
    Ok(answer)
}

/// Asks the type's check about a change of what Azure itself provides.
fn provided(world: &World, kind: &Type, id: &ResourceId, verb: Verb) -> ArmResult<()> {
    let Some(body) = (kind.provided)(world, id) else {
        return Ok(());
    };
    let resource = Resource::new(id.clone(), kind.name, body);
    (kind.check)(
        world,
        &Change {
            verb,
            old: Some(&resource),
            new: &resource,
        },
    )
}

fn finished(world: &World, kind: &Type, id: &ResourceId, status: u16) -> ArmResult<Answer> {
    let resource = world.require(id)?;
    Ok(with_etag(
        Answer::json(status, world.view(resource)),
        kind,
        resource,
    ))
}

fn with_etag(answer: Answer, kind: &Type, resource: &Resource) -> Answer {
    match resource.text("/etag") {
        Some(etag) if kind.etags != Etags::None => {
            let quoted = if etag.contains('"') {
                etag.to_owned()
            } else {
                format!("\"{etag}\"")
            };
            answer.header("etag", quoted)
        }
        _ => answer,
    }
}

fn method_not_allowed(id: &ResourceId, method: &str) -> ArmError {
    ArmError::new(
        405,
        "HttpMethodNotSupported",
        format!("The HTTP method '{method}' is not supported at scope '{id}'."),
    )
}
