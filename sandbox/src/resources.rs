//! The one handler for every resource type: GET, list, PUT, PATCH, DELETE and actions over the store,
//! steered by the type's row. What Azure Resource Manager checks itself is checked here; what a
//! provider checks is in the row's `check`.

use serde_json::{Map, Value, json};

use crate::errors::{
    ArmError, ArmResult, group_not_found, invalid_content, not_found, parent_not_found,
};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::operations::{self, Accepted, Pace, set_state, work_of};
use crate::regions;
use crate::store::{Resource, World};
use crate::table::{Action, Change, Etags, Patch, Place, Style, Type, Verb};

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
pub fn get(world: &mut World, kind: &Type, id: &ResourceId) -> ArmResult<Answer> {
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
pub fn list(world: &World, kind: &Type, scope: &str, context: &Context<'_>) -> ArmResult<Answer> {
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
    let request = context.request;
    let number = |name: &str| {
        request
            .param(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let skip = number("$skipToken").unwrap_or(0);
    let size = number("$top")
        .or(context.page_size)
        .unwrap_or(usize::MAX)
        .max(1);
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
        return Err(not_found(&id, kind.not_found));
    }
    if id.is_child() {
        let parent = id.parent().unwrap_or_else(|| id.clone());
        if world.get(parent.as_str()).is_none() {
            return Err(parent_not_found(&id, &parent));
        }
    }
    let body = match patch {
        None => accepted_body(kind, body)?,
        Some(patch) => patched_body(kind, patch, body, old.as_ref())?,
    };
    let mut new = Resource::new(id.clone(), kind.name, body);
    located(kind, &mut new, old.as_ref())?;
    let condition = precondition(kind, old.as_ref(), context.request);
    if kind.etags == Etags::Checked {
        condition.clone()?;
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
    if created && context.eventual_consistency {
        new.hidden_reads = 1;
    }
    let style = match patch {
        Some(Patch::Merge(style)) => style,
        _ => kind.put,
    };
    draft.insert(new);

    let answer = if style == Style::Immediate {
        if let Some(failure) = &context.failure {
            return Err(failure.clone());
        }
        set_state(&mut draft, &id, "Succeeded");
        (kind.settle)(&mut draft, &id)?;
        finished(&draft, kind, &id, if created { 201 } else { 200 })?
    } else {
        let state = kind.creating.unwrap_or("Updating");
        set_state(&mut draft, &id, if created { state } else { "Updating" });
        let operation = operations::accept(
            &mut draft,
            &context.pace,
            Accepted {
                target: id.clone(),
                work: work_of(verb, created),
                style,
                locks,
                failure: context.failure.clone().or(condition.err()),
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
            Style::AsyncCreated => 201,
            _ => 202,
        };
        let answer = finished(&draft, kind, &id, status)?;
        operations::announce(&draft, &operation, context.request, answer)
    };
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
    if !kind.writable {
        return Err(method_not_allowed(id, "DELETE"));
    }
    if kind.name != "Microsoft.Resources/resourceGroups" {
        exists_group(world, id)?;
    }
    let Some(resource) = world.get(id.as_str()).cloned() else {
        if kind.name == "Microsoft.Resources/resourceGroups" {
            return Err(group_not_found(id.name()));
        }
        return Ok(Answer::empty(204));
    };
    locked(world, &resource.id, "delete", &["ReadOnly", "CanNotDelete"])?;
    let condition = precondition(kind, Some(&resource), context.request);
    condition?;
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
    let answer = if kind.delete == Style::Immediate {
        draft.delete(&resource.id)?;
        Answer::empty(200)
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
    if action.style != Style::Immediate {
        let operation = operations::accept(
            &mut draft,
            &context.pace,
            Accepted {
                target: id.clone(),
                work: operations::Work::Action,
                style: action.style,
                locks: Vec::new(),
                failure: context.failure.clone(),
                result: answer.body.take(),
                watched: context.watched,
                version: context.request.api_version().unwrap_or_default(),
            },
        );
        answer = operations::announce(&draft, &operation, context.request, Answer::empty(202));
    }
    *world = draft;
    Ok(answer)
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

/// Gives the resource the etag of its next state: `W/"guid"` in the network provider, a GUID elsewhere.
pub fn touch_etag(world: &mut World, kind: &Type, resource: &mut Resource) {
    match kind.etags {
        Etags::None => {}
        Etags::Shown => {
            let guid = world.guid();
            resource.set("/etag", format!("W/\"{guid}\""));
        }
        Etags::Checked | Etags::CheckedLate => {
            let guid = world.guid();
            resource.set("/etag", guid);
        }
    }
}

fn precondition(kind: &Type, old: Option<&Resource>, request: &Request) -> ArmResult<()> {
    if !matches!(kind.etags, Etags::Checked | Etags::CheckedLate) {
        return Ok(());
    }
    let etag = old.and_then(|old| old.text("/etag")).unwrap_or_default();
    let fails = |what: &str| {
        Err(ArmError::new(
            412,
            "PreconditionFailed",
            format!("The condition '{what}' in the request header was not satisfied."),
        ))
    };
    if let Some(wanted) = request.header("if-match").filter(|text| !text.is_empty()) {
        let matches =
            old.is_some() && (wanted == "*" || wanted.trim_matches('"') == etag.trim_matches('"'));
        if !matches {
            return fails("If-Match");
        }
    }
    if request.header("if-none-match") == Some("*") && old.is_some() {
        return fails("If-None-Match");
    }
    Ok(())
}

/// The group of the id must be there and not on its way out.
fn exists_group(world: &World, id: &ResourceId) -> ArmResult<()> {
    let Some(group) = id.group() else {
        return Ok(());
    };
    let group_id = ResourceId::group_of(id.subscription(), group);
    if group_id.same(id.as_str()) {
        return Ok(());
    }
    let found = world
        .get(group_id.as_str())
        .ok_or_else(|| group_not_found(group))?;
    if found.state() == "Deleting" && world.get(id.as_str()).is_none() {
        return Err(ArmError::conflict(
            "ResourceGroupBeingDeleted",
            format!(
                "The resource group '{group}' is in deprovisioning state and cannot perform this operation."
            ),
        ));
    }
    Ok(())
}

/// Group and parents of a resource that is read must be there; the error names the outermost missing one.
fn exists(world: &World, id: &ResourceId, kind: &Type) -> ArmResult<()> {
    if world.get(id.as_str()).is_some()
        || id.group().is_none()
        || kind.name == "Microsoft.Resources/resourceGroups"
    {
        return Ok(());
    }
    let group = id.group().unwrap_or_default();
    if world
        .get(ResourceId::group_of(id.subscription(), group).as_str())
        .is_none()
    {
        return Err(group_not_found(group));
    }
    if id.is_child() {
        if let Some(parent) = id.parent() {
            world.require(&parent)?;
        }
    }
    Ok(())
}

/// Refuses what a lock on the resource or on a scope above it forbids.
fn locked(world: &World, id: &ResourceId, operation: &str, levels: &[&str]) -> ArmResult<()> {
    if id
        .type_name()
        .eq_ignore_ascii_case("Microsoft.Authorization/locks")
    {
        return Ok(());
    }
    let key = id.key();
    let mut scopes: Vec<String> = world
        .of_type("Microsoft.Authorization/locks")
        .filter(|lock| {
            lock.text("/properties/level")
                .is_some_and(|level| levels.contains(&level))
        })
        .filter_map(|lock| lock.id.parent())
        .filter(|scope| {
            let scope = scope.key();
            let above = key == scope || key.starts_with(&format!("{scope}/"));
            // A delete takes what lies below with it, locks included.
            above || (operation == "delete" && scope.starts_with(&format!("{key}/")))
        })
        .map(|scope| format!("'{scope}'"))
        .collect();
    if scopes.is_empty() {
        return Ok(());
    }
    scopes.sort();
    scopes.dedup();
    Err(ArmError::conflict(
        "ScopeLocked",
        format!(
            "The scope '{id}' cannot perform {operation} operation because following scope(s) are locked: {}. Please remove the lock and try again.",
            scopes.join(",")
        ),
    ))
}

/// The body of a PUT without what only the service sets; unknown members are refused.
fn accepted_body(kind: &Type, mut body: Value) -> ArmResult<Value> {
    let Value::Object(map) = &mut body else {
        return Err(invalid_content("The body is not a JSON object"));
    };
    for name in ["id", "name", "type", "etag", "systemData", "apiVersion"] {
        map.remove(name);
    }
    map.retain(|_, value| !value.is_null());
    for name in map.keys() {
        let common = ["location", "tags", "properties"].contains(&name.as_str());
        if !common && !kind.members.contains(&name.as_str()) {
            return Err(invalid_content(format!(
                "Could not find member '{name}' on object of type 'ResourceDefinition'. Path '{name}'"
            )));
        }
    }
    check_tags(map.get("tags"))?;
    match map.get_mut("properties") {
        None => {}
        Some(Value::Object(properties)) => {
            properties.remove("provisioningState");
            for name in kind.read_only {
                properties.remove(*name);
            }
            properties.retain(|_, value| !value.is_null());
            if let Some(name) = properties.keys().find(|name| !known(kind.properties, name)) {
                return Err(invalid_content(format!(
                    "Could not find member '{name}' on object of type '{}'. Path 'properties.{name}'",
                    kind.short()
                )));
            }
        }
        Some(_) => {
            return Err(invalid_content(
                "Error converting value to type 'Properties'. Path 'properties'",
            ));
        }
    }
    Ok(body)
}

fn known(names: &[&str], name: &str) -> bool {
    names.is_empty() || names.contains(&name)
}

/// The stored body with a PATCH applied.
fn patched_body(
    kind: &Type,
    patch: Patch,
    body: Value,
    old: Option<&Resource>,
) -> ArmResult<Value> {
    let mut merged = old.map_or_else(|| json!({}), |old| old.body.clone());
    if patch == Patch::Tags {
        let Value::Object(map) = &body else {
            return Err(invalid_content("The body is not a JSON object"));
        };
        if let Some(name) = map.keys().find(|name| *name != "tags") {
            return Err(invalid_content(format!(
                "Could not find member '{name}' on object of type 'TagsObject'. Path '{name}'"
            )));
        }
        check_tags(map.get("tags"))?;
        merged["tags"] = map.get("tags").cloned().unwrap_or_else(|| json!({}));
        return Ok(merged);
    }
    let body = accepted_body(kind, body)?;
    merge(&mut merged, body);
    if let Value::Object(map) = &mut merged {
        map.remove("etag");
    }
    Ok(merged)
}

/// RFC 7396 for objects; tags are replaced as a whole, as Resource Manager's PATCH does.
pub fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    target.remove(&name);
                } else if name == "tags" {
                    target.insert(name, value);
                } else {
                    merge(target.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

fn check_tags(tags: Option<&Value>) -> ArmResult<()> {
    let Some(tags) = tags else { return Ok(()) };
    let Value::Object(tags) = tags else {
        return Err(invalid_content(
            "Error converting value to type 'InsensitiveDictionary'. Path 'tags'",
        ));
    };
    if tags.len() > 50 {
        return Err(ArmError::bad(
            "InvalidTags",
            "The number of tags exceeds the limit of 50.",
        ));
    }
    for (name, value) in tags {
        let Some(value) = value.as_str() else {
            return Err(ArmError::bad(
                "InvalidTagValue",
                format!("The value of tag '{name}' is not a string."),
            ));
        };
        if name.len() > 512 || value.len() > 256 {
            return Err(ArmError::bad(
                "InvalidTagNameOrValue",
                format!(
                    "Tag '{name}' is too long: names have up to 512 characters, values up to 256."
                ),
            ));
        }
        if name.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            return Err(ArmError::bad(
                "InvalidTagNameCharacters",
                format!("The tag name '{name}' has reserved characters '<,>,%,&,\\,?,/'."),
            ));
        }
    }
    Ok(())
}

/// Checks and normalises `location`.
fn located(kind: &Type, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let given = new
        .text("/location")
        .map(regions::normalize)
        .filter(|text| !text.is_empty());
    let existing = old
        .and_then(|old| old.text("/location"))
        .map(ToOwned::to_owned);
    match kind.place {
        Place::None => {
            // Children take the location of their parent; a body that names one is accepted and not stored.
            new.unset("/location");
        }
        Place::Global | Place::Regional => {
            let Some(location) = given.or_else(|| existing.clone()) else {
                return Err(ArmError::bad(
                    "LocationRequired",
                    "The location property is required for this definition.",
                ));
            };
            let right = if kind.place == Place::Global {
                location == "global"
            } else {
                regions::known(&location)
            };
            if !right {
                return Err(unknown_location(kind, &location));
            }
            if let Some(existing) = existing.filter(|existing| *existing != location) {
                return Err(moved(kind, new, &existing, &location));
            }
            new.set("/location", location);
        }
    }
    Ok(())
}

fn unknown_location(kind: &Type, location: &str) -> ArmError {
    let list = if kind.place == Place::Global {
        "global".to_owned()
    } else {
        regions::REGIONS
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>()
            .join(",")
    };
    if kind.name == "Microsoft.Resources/resourceGroups" {
        return ArmError::bad(
            "LocationNotAvailableForResourceGroup",
            format!(
                "The provided location '{location}' is not available for resource group. List of available regions is '{list}'."
            ),
        );
    }
    ArmError::bad(
        "LocationNotAvailableForResourceType",
        format!(
            "The provided location '{location}' is not available for resource type '{}'. List of available regions for the resource type is '{list}'.",
            kind.name
        ),
    )
}

fn moved(kind: &Type, new: &Resource, existing: &str, location: &str) -> ArmError {
    let name = new.id.name();
    if kind.name == "Microsoft.Resources/resourceGroups" {
        return ArmError::conflict(
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{existing}'."
            ),
        );
    }
    ArmError::conflict(
        "InvalidResourceLocation",
        format!(
            "The resource '{name}' already exists in location '{existing}' in resource group '{}'. A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
            new.id.group().unwrap_or_default()
        ),
    )
}

fn method_not_allowed(id: &ResourceId, method: &str) -> ArmError {
    ArmError::new(
        405,
        "HttpMethodNotSupported",
        format!("The HTTP method '{method}' is not supported at scope '{id}'."),
    )
}

/// Removes null members everywhere, as services drop them when they store a body.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The members of an object, or none.
#[must_use]
pub fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
