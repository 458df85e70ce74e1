//! What a registry holds: repositories with manifests and tags. It lies within the registry's resource
//! and shows in the data plane alone.

use serde_json::{Value, json};

use crate::store::Resource;

/// Where the registry keeps them; never shown.
pub const KEY: &str = "/images";
/// Where it keeps uploads that have not ended; never shown.
pub const UPLOADS: &str = "/uploads";

/// The digest of a tag or of a digest itself, where the repository holds it.
#[must_use]
pub fn digest(registry: &Resource, repository: &str, reference: &str) -> Option<String> {
    let held = held(registry, repository)?;
    if reference.contains(':') {
        let manifests = held["manifests"].as_array()?;
        return manifests
            .iter()
            .any(|known| known == reference)
            .then(|| reference.to_owned());
    }
    held["tags"][reference].as_str().map(ToOwned::to_owned)
}

/// The tags of a repository, sorted; `None` where there is no such repository.
#[must_use]
pub fn tags(registry: &Resource, repository: &str) -> Option<Vec<String>> {
    let tags = held(registry, repository)?["tags"].as_object()?.clone();
    Some(tags.into_iter().map(|(tag, _)| tag).collect())
}

/// A repository: its tags with their digests, and its manifests.
#[must_use]
pub fn held<'a>(registry: &'a Resource, repository: &str) -> Option<&'a Value> {
    registry.at(KEY)?.get(repository)
}

/// Puts a manifest into a repository, under a tag where one is given.
pub fn put(registry: &mut Resource, repository: &str, tag: Option<&str>, digest: &str) {
    change(registry, repository, |held| {
        let manifests = held["manifests"].as_array_mut();
        if let Some(manifests) = manifests.filter(|known| known.iter().all(|one| one != digest)) {
            manifests.push(json!(digest));
        }
        if let Some(tag) = tag {
            held["tags"][tag] = json!(digest);
        }
    });
}

/// Takes a tag away, or a manifest with all its tags. Says whether it was there.
pub fn remove(registry: &mut Resource, repository: &str, reference: &str) -> bool {
    if digest(registry, repository, reference).is_none() {
        return false;
    }
    change(registry, repository, |held| {
        if let Some(tags) = held["tags"].as_object_mut() {
            tags.retain(|tag, at| tag != reference && at != reference);
        }
        if let Some(manifests) = held["manifests"].as_array_mut() {
            manifests.retain(|known| known != reference);
        }
    });
    true
}

/// Takes a repository away with all that it has.
pub fn forget(registry: &mut Resource, repository: &str) {
    let mut all = registry.at(KEY).cloned().unwrap_or_else(|| json!({}));
    if let Some(all) = all.as_object_mut() {
        all.remove(repository);
    }
    registry.set(KEY, all);
}

fn change(registry: &mut Resource, repository: &str, change: impl FnOnce(&mut Value)) {
    let mut all = registry.at(KEY).cloned().unwrap_or_else(|| json!({}));
    if all[repository].is_null() {
        all[repository] = json!({ "tags": {}, "manifests": [] });
    }
    change(&mut all[repository]);
    registry.set(KEY, all);
}
