//! `GET .../resources`: the resources of every type with a location, filtered as the Azure CLI and the
//! azurerm provider ask: `resourceType eq 'x' and name eq 'y'`, tags, `substringof`.

use serde_json::{Value, json};

use crate::errors::{ArmResult, group_not_found};
use crate::exchange::Answer;
use crate::id::ResourceId;
use crate::odata;
use crate::resources::{self, Context};
use crate::store::{Resource, World, timestamp};
use crate::table::{self, Place};

/// Answers the list below a subscription or a group.
///
/// # Errors
/// 404 for a missing group, 400 for a filter that is not understood.
pub fn resources(world: &World, scope: &str, context: &Context<'_>) -> ArmResult<Answer> {
    if let Some(group) = ResourceId::parse(scope).filter(|id| id.group().is_some())
        && world.get(group.as_str()).is_none()
    {
        return Err(group_not_found(group.name()));
    }
    let filter = Filter::parse(
        context
            .request
            .param("$filter")
            .as_deref()
            .unwrap_or_default(),
    )?;
    let expand = context.request.param("$expand").unwrap_or_default();
    let values = world
        .below(scope)
        .filter(|resource| tracked(resource))
        .filter(|resource| filter.matches(resource))
        .map(|resource| brief(resource, &expand))
        .collect();
    Ok(resources::page(values, context))
}

/// True for what Resource Manager lists: resources with a location, without groups and extensions.
#[must_use]
pub fn tracked(resource: &Resource) -> bool {
    !resource.type_name.ends_with("/resourceGroups")
        && resource.text("/location").is_some()
        && table::find(&resource.type_name).is_none_or(|kind| kind.place != Place::Optional)
}

fn brief(resource: &Resource, expand: &str) -> Value {
    let mut body = json!({ "id": resource.id.as_str(), "name": resource.id.names().join("/"), "type": resource.type_name });
    for name in [
        "location",
        "tags",
        "sku",
        "kind",
        "identity",
        "managedBy",
        "zones",
    ] {
        if let Some(value) = resource.body.get(name) {
            body[name] = value.clone();
        }
    }
    if expand.contains("createdTime") {
        body["createdTime"] = json!(timestamp(resource.created));
    }
    if expand.contains("changedTime") {
        body["changedTime"] = json!(timestamp(resource.changed));
    }
    if expand.contains("provisioningState") && !resource.state().is_empty() {
        body["provisioningState"] = json!(resource.state());
    }
    body
}

/// A conjunction of simple terms.
struct Filter(Vec<Term>);

enum Term {
    Is(String, String),
    IsNot(String, String),
    Contains(String, String),
}

impl Filter {
    fn parse(text: &str) -> ArmResult<Self> {
        let invalid = || odata::invalid(text);
        let mut terms = Vec::new();
        for part in odata::terms(text) {
            let part = part.trim_start_matches('(').trim_end_matches(')').trim();
            let quoted = |value: &str| {
                value
                    .trim()
                    .strip_prefix('\'')
                    .and_then(|value| value.strip_suffix('\''))
                    .map(|value| value.replace("''", "'"))
            };
            let term = if let Some(inner) = part.strip_prefix("substringof(") {
                let (value, name) = inner.split_once(',').ok_or_else(invalid)?;
                Term::Contains(name.trim().to_owned(), quoted(value).ok_or_else(invalid)?)
            } else if let Some((name, value)) = part.split_once(" eq ") {
                Term::Is(name.trim().to_owned(), quoted(value).ok_or_else(invalid)?)
            } else if let Some((name, value)) = part.split_once(" ne ") {
                Term::IsNot(name.trim().to_owned(), quoted(value).ok_or_else(invalid)?)
            } else {
                return Err(invalid());
            };
            let (Term::Is(name, _) | Term::IsNot(name, _) | Term::Contains(name, _)) = &term;
            let known = [
                "resourceType",
                "name",
                "location",
                "resourceGroup",
                "tagName",
                "tagValue",
            ];
            if !known.iter().any(|word| word.eq_ignore_ascii_case(name)) {
                return Err(invalid());
            }
            terms.push(term);
        }
        Ok(Self(terms))
    }

    fn matches(&self, resource: &Resource) -> bool {
        let tag = self.0.iter().find_map(|term| match term {
            Term::Is(name, value) if name.eq_ignore_ascii_case("tagName") => Some(value.clone()),
            _ => None,
        });
        self.0.iter().all(|term| match term {
            Term::Is(name, value) => fields(resource, name, tag.as_deref())
                .iter()
                .any(|have| have.eq_ignore_ascii_case(value)),
            Term::IsNot(name, value) => !fields(resource, name, tag.as_deref())
                .iter()
                .any(|have| have.eq_ignore_ascii_case(value)),
            Term::Contains(name, value) => fields(resource, name, tag.as_deref())
                .iter()
                .any(|have| have.to_lowercase().contains(&value.to_lowercase())),
        })
    }
}

fn fields(resource: &Resource, name: &str, tag: Option<&str>) -> Vec<String> {
    let tags = resource.at("/tags").and_then(Value::as_object);
    match name.to_lowercase().as_str() {
        "resourcetype" => vec![resource.type_name.clone()],
        "name" => vec![resource.id.names().join("/"), resource.id.name().to_owned()],
        "location" => resource
            .text("/location")
            .map(ToOwned::to_owned)
            .into_iter()
            .collect(),
        "resourcegroup" => resource
            .id
            .group()
            .map(ToOwned::to_owned)
            .into_iter()
            .collect(),
        "tagname" => tags
            .map(|tags| tags.keys().cloned().collect())
            .unwrap_or_default(),
        _ => tags
            .map(|tags| {
                tags.iter()
                    .filter(|(key, _)| tag.is_none_or(|tag| key.eq_ignore_ascii_case(tag)))
                    .filter_map(|(_, value)| value.as_str().map(ToOwned::to_owned))
                    .collect()
            })
            .unwrap_or_default(),
    }
}
