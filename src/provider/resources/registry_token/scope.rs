//! Repositories and permissions as users write them, and the actions of a scope map.

use std::collections::{BTreeMap, BTreeSet};

use crate::arm::Json;

/// What may be done with a repository (Azure Container Registry, "Token-based repository permissions").
pub const PERMISSIONS: &[&str] = &[
    "content/delete",
    "content/read",
    "content/write",
    "metadata/read",
    "metadata/write",
];

/// The scope maps that every registry has.
pub const SYSTEM_MAPS: &[&str] = &[
    "_repositories_admin",
    "_repositories_pull",
    "_repositories_pull_metadata_read",
    "_repositories_push",
    "_repositories_push_metadata_write",
];

/// Permissions by repository.
pub type Scope = BTreeMap<String, BTreeSet<String>>;

/// The actions that stand for a scope.
pub fn actions(scope: &Scope) -> Vec<String> {
    scope
        .iter()
        .flat_map(|(repository, permissions)| {
            permissions
                .iter()
                .map(move |permission| format!("repositories/{repository}/{permission}"))
        })
        .collect()
}

/// The scope that actions stand for, without those that are no permission on a repository.
pub fn of_actions(actions: &Json) -> Scope {
    let mut scope = Scope::new();
    for action in actions.as_array().into_iter().flatten() {
        let rest = action
            .as_str()
            .and_then(|text| text.strip_prefix("repositories/"));
        let known = rest.and_then(|rest| {
            PERMISSIONS
                .iter()
                .find_map(|deed| Some((rest.strip_suffix(deed)?.strip_suffix('/')?, *deed)))
        });
        if let Some((repository, deed)) = known {
            scope
                .entry(repository.to_owned())
                .or_default()
                .insert(deed.to_owned());
        }
    }
    scope
}

/// What is wrong with a repository of a scope, if something is: `*` stands for all of them.
///
/// # Errors
/// What is wrong.
pub fn repository(text: &str) -> Result<(), String> {
    match text {
        "*" => Ok(()),
        _ => crate::provider::resources::registry_access::repository(text),
    }
}
