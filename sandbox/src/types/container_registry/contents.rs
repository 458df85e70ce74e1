//! What the manifests and layers of a registry say, by digest, so that any client can pull what it holds
//! and finds that the digests are right. An image of a registry that the sandbox does not have is made up:
//! the same name always gives the same bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::images;
use crate::store::Resource;

/// Where the registry keeps them; never shown.
pub const KEY: &str = "/contents";
/// The repositories to which a part was pushed by itself.
const PUSHED: &str = "repositories";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A manifest, a configuration or a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The media type.
    pub kind: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Part {
    fn new(kind: &str, bytes: Vec<u8>) -> Self {
        Self {
            kind: kind.to_owned(),
            bytes,
        }
    }

    /// `sha256:` and the hash in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.bytes)
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.kind, "digest": self.digest(), "size": self.bytes.len() })
    }
}

/// The digest of bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| {
        format!("{text}{byte:02x}")
    })
}

/// The manifest of the image with this name, then its configuration and its one layer, an empty archive.
#[must_use]
pub fn made_up(name: &str) -> [Part; 3] {
    let layer = Part::new(LAYER, vec![0; 1024]);
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Labels": { "org.opencontainers.image.ref.name": name } },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest()] },
    });
    let config = Part::new(CONFIG, config.to_string().into_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    });
    let manifest = Part::new(MANIFEST, manifest.to_string().into_bytes());
    [manifest, config, layer]
}

/// Keeps a part.
pub fn store(registry: &mut Resource, part: &Part) {
    let at = format!("{KEY}/{}", part.digest());
    registry.set(&format!("{at}/mediaType"), part.kind.clone());
    registry.set(&format!("{at}/data"), STANDARD.encode(&part.bytes));
}

/// Keeps a layer or a configuration that was pushed to a repository.
pub fn push(registry: &mut Resource, repository: &str, part: &Part) {
    let digest = part.digest();
    if find(registry, &digest).is_none() {
        store(registry, part);
    }
    let known = format!("{KEY}/{digest}/{PUSHED}");
    let mut to = registry.items(&known).to_vec();
    if to.iter().all(|other| other != repository) {
        to.push(json!(repository));
        registry.set(&known, to);
    }
}

/// The part with this digest, where the registry has it.
#[must_use]
pub fn find(registry: &Resource, digest: &str) -> Option<Part> {
    let held = registry.at(KEY)?.get(digest)?;
    Some(Part {
        kind: held["mediaType"].as_str()?.to_owned(),
        bytes: STANDARD.decode(held["data"].as_str()?).ok()?,
    })
}

/// The part with this digest, where the repository has it: it was pushed there, or an image there needs it.
/// What other repositories have is none of its business, though the bytes be the same.
#[must_use]
pub fn of_repository(registry: &Resource, repository: &str, digest: &str) -> Option<Part> {
    let held = registry.at(KEY)?.get(digest)?;
    let to = held[PUSHED].as_array().into_iter().flatten();
    let images = images::held(registry, repository);
    let images = images.and_then(|held| held["manifests"].as_array());
    let mut images = images.into_iter().flatten().filter_map(Value::as_str);
    let has = to.into_iter().any(|other| other == repository)
        || images.any(|image| needs(registry, image, digest));
    has.then(|| find(registry, digest)).flatten()
}

fn needs(registry: &Resource, manifest: &str, digest: &str) -> bool {
    manifest == digest
        || find(registry, manifest).is_some_and(|part| {
            let parts = references(&part);
            parts.iter().any(|part| needs(registry, part, digest))
        })
}

/// What a manifest needs: its configuration and layers, or the manifests of an index.
#[must_use]
pub fn references(manifest: &Part) -> Vec<String> {
    let value: Value = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
    let lists = ["layers", "manifests"].into_iter();
    std::iter::once(&value["config"])
        .chain(lists.flat_map(|name| value[name].as_array().into_iter().flatten()))
        .filter_map(|descriptor| descriptor["digest"].as_str().map(ToOwned::to_owned))
        .collect()
}

/// Copies a manifest and all that it needs, as far as the source has it.
pub fn copy(from: &Resource, to: &mut Resource, digest: &str) {
    let Some(part) = find(from, digest) else {
        return;
    };
    for needed in references(&part) {
        copy(from, to, &needed);
    }
    store(to, &part);
}

/// How many bytes a registry holds.
#[must_use]
pub fn size(registry: &Resource) -> usize {
    let parts = registry.at(KEY).and_then(Value::as_object);
    parts
        .into_iter()
        .flat_map(|parts| parts.keys())
        .filter_map(|digest| find(registry, digest))
        .map(|part| part.bytes.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_gives_the_same_image_and_its_digests_are_right() {
        let [manifest, config, layer] = made_up("docker.io/library/nginx:1.27");
        assert_eq!(made_up("docker.io/library/nginx:1.27")[0], manifest);
        assert_ne!(made_up("docker.io/library/nginx:1.28")[0], manifest);
        assert_eq!(references(&manifest), [config.digest(), layer.digest()]);
        assert_eq!(
            digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
