//! Microsoft.ContainerRegistry/registries/scopeMaps: what a token may do with which repositories. Every
//! registry has five of the system, which Azure provides and nobody changes.

use serde_json::{Value, json};

use super::{VERSIONS, tokens};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.ContainerRegistry/registries/scopeMaps";

/// Most actions of one map (documentation of repository-scoped permissions: 500 repositories and actions).
const MOST_ACTIONS: usize = 500;
/// Longest description (`az acr scope-map create`: up to 256 characters).
const LONGEST_DESCRIPTION: usize = 256;

/// The row.
pub const SCOPE_MAPS: Type = Type {
    place: Place::None,
    put: Style::AsyncCreated,
    patch: Patch::Merge(Style::AsyncCreated),
    delete: Style::Location,
    creating: Some("Creating"),
    properties: &["description", "actions", "type", "creationDate"],
    read_only: &["type", "creationDate"],
    provided,
    collection: Some(list),
    check,
    fill,
    ..Type::new(NAME, VERSIONS)
};

const SYSTEM: &[(&str, &str, &[&str])] = &[
    (
        "_repositories_admin",
        "Can perform all read, write and delete operations on the registry",
        &[
            "repositories/*/metadata/read",
            "repositories/*/metadata/write",
            "repositories/*/content/read",
            "repositories/*/content/write",
            "repositories/*/content/delete",
        ],
    ),
    (
        "_repositories_pull",
        "Can pull any repository of the registry",
        &["repositories/*/content/read"],
    ),
    (
        "_repositories_pull_metadata_read",
        "Can perform all read operations on the registry",
        &[
            "repositories/*/content/read",
            "repositories/*/metadata/read",
        ],
    ),
    (
        "_repositories_push",
        "Can push to any repository of the registry",
        &[
            "repositories/*/content/read",
            "repositories/*/content/write",
        ],
    ),
    (
        "_repositories_push_metadata_write",
        "Can perform all read and write operations on the registry",
        &[
            "repositories/*/metadata/read",
            "repositories/*/metadata/write",
            "repositories/*/content/read",
            "repositories/*/content/write",
        ],
    ),
];

/// The actions of a scope map of the registry or of the system; `None` when there is no such map.
#[must_use]
pub fn actions(world: &World, id: &str) -> Option<Vec<String>> {
    let id = ResourceId::parse(id)?;
    if let Some((_, _, actions)) = system(world, &id) {
        return Some(actions.iter().map(|action| (*action).to_owned()).collect());
    }
    let map = world
        .get(id.as_str())
        .filter(|map| map.type_name.eq_ignore_ascii_case(NAME))?;
    Some(
        map.items("/properties/actions")
            .iter()
            .filter_map(|action| action.as_str().map(ToOwned::to_owned))
            .collect(),
    )
}

/// How many maps of its own a registry has.
#[must_use]
pub fn count(world: &World, registry: &Resource) -> usize {
    world.list(registry.id.as_str(), NAME).count()
}

fn system(
    world: &World,
    id: &ResourceId,
) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
    if !id.type_name().eq_ignore_ascii_case(NAME) {
        return None;
    }
    world.get(id.parent()?.as_str())?;
    SYSTEM
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(id.name()))
}

fn provided(world: &World, id: &ResourceId) -> Option<Value> {
    let registry = world.get(id.parent()?.as_str())?;
    let (name, description, actions) = system(world, id)?;
    Some(json!({
        "id": registry.id.child("scopeMaps", name).as_str(),
        "name": name,
        "type": NAME,
        "properties": {
            "description": description,
            "type": "SystemDefined",
            "creationDate": registry.at("/properties/creationDate"),
            "actions": actions,
            "provisioningState": "Succeeded",
        },
    }))
}

fn list(world: &mut World, scope: &str, _: &Request) -> ArmResult<Vec<Value>> {
    let registry = ResourceId::parse(scope);
    let systems = SYSTEM.iter().filter_map(|(name, ..)| {
        let registry = registry.as_ref()?;
        provided(world, &registry.child("scopeMaps", name))
    });
    let own = world.list(scope, NAME).map(|map| world.view(map));
    Ok(systems.chain(own).collect())
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let name = new.id.name();
    if system(world, &new.id).is_some() {
        return Err(ArmError::bad(
            "SystemScopeMapReadOnly",
            format!("The scope map '{name}' is defined by the system and cannot be changed."),
        ));
    }
    if change.verb == Verb::Delete {
        return in_use(world, new);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !(5..=50).contains(&name.len()) || !name.chars().all(word) {
        return Err(ArmError::bad(
            "InvalidResourceName",
            format!(
                "The scope map name '{name}' is invalid. Resource names may contain alpha numeric characters, '-' and '_' only and must be between 5 and 50 characters."
            ),
        ));
    }
    let description = new.text("/properties/description").unwrap_or_default();
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(ArmError::bad(
            "InvalidScopeMapDescription",
            format!("The description has more than {LONGEST_DESCRIPTION} characters."),
        ));
    }
    if new.at("/properties/actions").is_none_or(|v| !v.is_array()) {
        return Err(invalid_content(
            "Required property 'actions' not found in JSON. Path 'properties'",
        ));
    }
    let actions = new.items("/properties/actions");
    if actions.is_empty() || actions.len() > MOST_ACTIONS {
        return Err(ArmError::bad(
            "InvalidScopeMapActions",
            format!(
                "The scope map '{name}' has {} actions; it has at least one and at most {MOST_ACTIONS}.",
                actions.len()
            ),
        ));
    }
    let wrong = actions
        .iter()
        .find(|action| !action.as_str().is_some_and(valid));
    wrong.map_or(Ok(()), |action| {
        Err(ArmError::bad(
            "InvalidScopeMapActions",
            format!(
                "The action {action} of the scope map '{name}' is invalid. Actions have the form 'repositories/<repository>/content/read'; the actions on a repository are {}.",
                DEEDS.join(", ")
            ),
        ))
    })
}

fn in_use(world: &World, map: &Resource) -> ArmResult<()> {
    let users: Vec<&str> = map
        .id
        .parent()
        .iter()
        .flat_map(|registry| tokens::of_registry(world, registry.as_str()))
        .filter(|token| {
            token
                .text("/properties/scopeMapId")
                .is_some_and(|id| map.id.same(id))
        })
        .map(|token| token.id.name())
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    Err(ArmError::conflict(
        "ScopeMapInUse",
        format!(
            "The scope map '{}' cannot be deleted: it is associated with the tokens {}.",
            map.id.name(),
            users.join(", ")
        ),
    ))
}

/// What can be done with a repository (`az acr scope-map create`).
pub const DEEDS: &[&str] = &[
    "content/read",
    "content/write",
    "content/delete",
    "metadata/read",
    "metadata/write",
];
/// What can be done with a connected registry.
const GATEWAY_DEEDS: &[&str] = &[
    "config/read",
    "config/write",
    "message/read",
    "message/write",
];

fn valid(action: &str) -> bool {
    let Some((scope, rest)) = action.split_once('/') else {
        return false;
    };
    let deeds = match scope {
        "repositories" => DEEDS,
        "gateway" => GATEWAY_DEEDS,
        _ => return false,
    };
    let name = deeds
        .iter()
        .find_map(|deed| rest.strip_suffix(deed)?.strip_suffix('/'));
    name.is_some_and(|name| match scope {
        "gateway" => !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()),
        // A wildcard stands for all repositories, or for all below a root path.
        _ => name == "*" || repository(name.strip_suffix("/*").unwrap_or(name)),
    })
}

/// True for a repository's name: components of small letters and digits, joined by `.`, `_`, `__` and `-`
/// (OCI distribution specification, "Pulling manifests").
#[must_use]
pub fn repository(name: &str) -> bool {
    let component = |part: &str| {
        let edge =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(part.chars().next())
            && edge(part.chars().last())
            && part.chars().all(|c| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
            })
            && !["..", "___", "._", "_.", "-.", ".-", "-_", "_-"]
                .iter()
                .any(|wrong| part.contains(wrong))
    };
    (1..=255).contains(&name.len()) && name.split('/').all(component)
}

/// True when an action of a scope map covers this deed on this repository.
#[must_use]
pub fn covers(action: &str, repository: &str, deed: &str) -> bool {
    let Some(name) = action
        .strip_prefix("repositories/")
        .and_then(|rest| rest.strip_suffix(deed))
        .and_then(|rest| rest.strip_suffix('/'))
    else {
        return false;
    };
    match name.strip_suffix('*') {
        Some(root) => repository.starts_with(root),
        None => name == repository,
    }
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let created = old
        .and_then(|old| old.text("/properties/creationDate"))
        .map_or_else(|| world.timestamp(), ToOwned::to_owned);
    new.set("/properties/creationDate", created);
    new.set("/properties/type", "UserDefined");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_name_a_repository_or_all_below_a_path() {
        for (action, right) in [
            ("repositories/web/content/read", true),
            ("repositories/team/web-app/metadata/write", true),
            ("repositories/team/*/content/delete", true),
            ("repositories/*/content/read", true),
            ("gateway/edge1/config/read", true),
            ("repositories/web/contentRead", false),
            ("repositories/web/content/list", false),
            ("repositories//content/read", false),
            ("repositories/Web/content/read", false),
            ("repositories/we*/content/read", false),
            ("repositories/web_/content/read", false),
            ("registry/catalog/read", false),
            ("content/read", false),
        ] {
            assert_eq!(valid(action), right, "{action}");
        }
    }

    #[test]
    fn a_wildcard_covers_what_lies_below_it_and_nothing_beside() {
        assert!(covers(
            "repositories/a/*/content/read",
            "a/b",
            "content/read"
        ));
        assert!(!covers(
            "repositories/a/*/content/read",
            "ab",
            "content/read"
        ));
        assert!(!covers(
            "repositories/a/content/read",
            "a/b",
            "content/read"
        ));
        assert!(!covers("repositories/a/content/read", "a", "content/write"));
        assert!(covers(
            "repositories/*/content/read",
            "any/thing",
            "content/read"
        ));
    }
}
