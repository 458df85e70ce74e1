//! What a principal may do with the images of a registry. The registry's `roleAssignmentMode` decides
//! which roles count: in the legacy mode actions (`AcrPull`, and also `Reader` with its `*/read`); in
//! `AbacRepositoryPermissions` data actions alone (`Container Registry Repository Reader`), which
//! conditions may narrow to repositories. `AcrPull` and `Owner` open no image there.

use super::registries::NAME;
use crate::store::{Resource, World};
use crate::types::authorization::{has_data_right, has_right};

/// What is done with an image or the registry's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Read manifests and layers.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
    /// List the registry's repositories.
    List,
}

/// The attribute that conditions compare with a repository's name.
pub const REPOSITORY: &str = "Microsoft.ContainerRegistry/registries/repositories:name";

/// True when the principal may do this with a repository of the registry.
#[must_use]
pub fn may(
    world: &World,
    principal: &str,
    registry: &Resource,
    repository: &str,
    deed: Deed,
) -> bool {
    let scope = registry.id.as_str();
    if let Some(action) = action(registry, deed) {
        return has_right(world, principal, &action, scope);
    }
    let action = match deed {
        Deed::Pull => "repositories/content/read",
        Deed::Push => "repositories/content/write",
        Deed::Delete => "repositories/content/delete",
        Deed::List => "catalog/read",
    };
    has_data_right(
        world,
        principal,
        &format!("{NAME}/{action}"),
        scope,
        &[(REPOSITORY, repository)],
    )
}

/// The action of Resource Manager that a deed needs; `None` where data actions decide.
#[must_use]
pub fn action(registry: &Resource, deed: Deed) -> Option<String> {
    if registry.text("/properties/roleAssignmentMode") == Some("AbacRepositoryPermissions") {
        return None;
    }
    let action = match deed {
        Deed::Pull | Deed::List => "pull/read",
        Deed::Push => "push/write",
        Deed::Delete => "artifacts/delete",
    };
    Some(format!("{NAME}/{action}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::id::ResourceId;

    const REGISTRY: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/shop";
    const WHO: &str = "11111111-2222-3333-4444-555555555555";

    fn world(mode: &str, role: &str, properties: &Value) -> World {
        let mut world = World::new("t", &["s".into()], Uuid::nil());
        let mut add = |id: &str, body: Value| {
            let id = ResourceId::parse(id).unwrap();
            let kind = id.type_name();
            world.insert(Resource::new(id, &kind, body));
        };
        add(
            REGISTRY,
            json!({ "properties": { "roleAssignmentMode": mode } }),
        );
        let mut body = json!({ "properties": { "principalId": WHO,
            "roleDefinitionId": format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}") } });
        for (name, value) in properties.as_object().unwrap() {
            body["properties"][name] = value.clone();
        }
        add(
            &format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/{WHO}"
            ),
            body,
        );
        world
    }

    fn asks(world: &World, repository: &str, deed: Deed) -> bool {
        may(world, WHO, world.get(REGISTRY).unwrap(), repository, deed)
    }

    const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
    const WRITER: &str = "2a1e307c-b015-4ebd-883e-5b7698a07328";
    const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

    #[test]
    fn the_mode_of_the_registry_decides_which_roles_open_images() {
        let legacy = world("LegacyRegistryPermissions", PULL, &json!({}));
        assert!(asks(&legacy, "web", Deed::Pull) && !asks(&legacy, "web", Deed::Push));
        let owner = world("LegacyRegistryPermissions", OWNER, &json!({}));
        assert!(asks(&owner, "web", Deed::Delete));
        for role in [PULL, OWNER] {
            let abac = world("AbacRepositoryPermissions", role, &json!({}));
            assert!(
                !asks(&abac, "web", Deed::Pull),
                "{role} opens no image there"
            );
        }
        let writer = world("AbacRepositoryPermissions", WRITER, &json!({}));
        assert!(asks(&writer, "web", Deed::Push) && !asks(&writer, "web", Deed::Delete));
        assert!(
            !asks(&writer, "", Deed::List),
            "the catalog has a role of its own"
        );
        let useless = world("LegacyRegistryPermissions", WRITER, &json!({}));
        assert!(!asks(&useless, "web", Deed::Pull));
    }

    #[test]
    fn a_condition_narrows_a_role_to_repositories() {
        let condition = format!("(@Request[{REPOSITORY}] StringEqualsIgnoreCase 'web')");
        let narrow = world(
            "AbacRepositoryPermissions",
            WRITER,
            &json!({ "condition": condition }),
        );
        assert!(asks(&narrow, "web", Deed::Pull));
        assert!(!asks(&narrow, "other", Deed::Pull));
    }
}
