//! Who a client of a registry is, and what it may do there: a principal of the directory by its roles, a
//! repository token by its scope map, the admin user everything, and nobody at all where anonymous pulls
//! are allowed. (Microsoft Learn, "Authenticate with an Azure container registry".)

use crate::auth;
use crate::store::{Resource, World};
use crate::types::authorization::{principals, rights::matches};
use crate::types::container_registry::rights::{self, Deed};
use crate::types::container_registry::{credentials, scope_maps, tokens};

/// The user name of who logs in with a refresh token (`az acr login`).
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A client of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A principal of the directory, by its object id.
    Principal(String),
    /// A repository token, by its name.
    Token(String),
    /// The admin user.
    Admin,
    /// Someone who did not say.
    Anonymous,
}

/// Every action on a repository.
pub const ACTIONS: &[&str] = &["pull", "push", "delete", "metadata_read", "metadata_write"];

impl Who {
    /// As it stands in tokens.
    pub fn text(&self) -> String {
        match self {
            Self::Principal(id) => format!("principal:{id}"),
            Self::Token(name) => format!("token:{name}"),
            Self::Admin => "admin:".to_owned(),
            Self::Anonymous => "anonymous:".to_owned(),
        }
    }

    /// Reads what `text` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':')?;
        Some(match kind {
            "principal" => Self::Principal(name.to_owned()),
            "token" => Self::Token(name.to_owned()),
            "admin" => Self::Admin,
            _ => Self::Anonymous,
        })
    }

    /// As registry events name it.
    pub fn identity(&self, registry: &Resource) -> String {
        match self {
            Self::Principal(name) | Self::Token(name) => name.clone(),
            Self::Admin => registry.id.name().to_lowercase(),
            Self::Anonymous => String::new(),
        }
    }

    /// Whether it may do an action to a repository; `catalog` is the list of all repositories.
    pub fn may(&self, world: &World, registry: &Resource, repository: &str, action: &str) -> bool {
        match self {
            Self::Admin => admin_enabled(registry),
            Self::Anonymous => {
                registry.at("/properties/anonymousPullEnabled") == Some(&true.into())
                    && matches!(action, "pull" | "metadata_read")
            }
            Self::Token(name) => token_may(world, registry, name, repository, action),
            Self::Principal(id) => principal_may(world, registry, id, repository, action),
        }
    }
}

/// Who logs in with a user name and a password; `None` when they open nothing.
pub fn login(world: &World, registry: &Resource, name: &str, password: &str) -> Option<Who> {
    if let Some(token) = tokens::login(world, registry, name, password) {
        return Some(Who::Token(token.id.name().to_owned()));
    }
    if credentials::opens(world, registry, name, password) {
        return Some(Who::Admin);
    }
    // A service principal: as at the login endpoint, any secret but `invalid` is right.
    let service = uuid::Uuid::parse_str(name).is_ok() && name != NOBODY && password != "invalid";
    service.then(|| Who::Principal(auth::object_id(world, name)))
}

/// True for the user name whose password is a refresh token.
pub fn is_refresh_user(name: &str) -> bool {
    name == NOBODY
}

fn admin_enabled(registry: &Resource) -> bool {
    registry.at("/properties/adminUserEnabled") == Some(&true.into())
}

fn token_may(
    world: &World,
    registry: &Resource,
    name: &str,
    repository: &str,
    action: &str,
) -> bool {
    let deed = match action {
        "pull" => "content/read",
        "push" => "content/write",
        "delete" => "content/delete",
        "metadata_read" => "metadata/read",
        "metadata_write" => "metadata/write",
        _ => return false,
    };
    tokens::of_registry(world, registry.id.as_str())
        .into_iter()
        .find(|token| token.id.name().eq_ignore_ascii_case(name))
        .filter(|token| tokens::enabled(token))
        .and_then(|token| scope_maps::actions(world, token.text("/properties/scopeMapId")?))
        .is_some_and(|actions| {
            actions
                .iter()
                .any(|action| scope_maps::covers(action, repository, deed))
        })
}

/// Principals that the directory knows have the rights of their roles. The caller of Resource Manager, whom
/// it does not know, owns everything: that opens images in the legacy mode alone, and only as far as the
/// setting `callerNotActions` leaves it.
fn principal_may(
    world: &World,
    registry: &Resource,
    id: &str,
    repository: &str,
    action: &str,
) -> bool {
    let deed = match action {
        "pull" | "metadata_read" => Deed::Pull,
        "push" | "metadata_write" => Deed::Push,
        "delete" => Deed::Delete,
        "catalog" => Deed::List,
        _ => return false,
    };
    if rights::may(world, id, registry, repository, deed) {
        return true;
    }
    let Some(right) = rights::action(registry, deed) else {
        return false;
    };
    principals::find(world, id).is_none()
        && !world
            .caller_not_actions
            .iter()
            .any(|pattern| matches(pattern, &right))
}
