//! Data that a provider keeps beside a resource's state and users do not see.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A resource's private data: JSON by key. It is not sticky on the wire, so the framework hands
/// back what was there unless a call changes it. It goes to the successor when a resource is
/// replaced; keep nothing there that must not survive that.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Private(BTreeMap<String, Json>);

impl Private {
    /// What is kept under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.get(key)
    }

    /// Keeps a value under a key.
    pub fn set(&mut self, key: &str, value: Json) {
        self.0.insert(key.to_owned(), value);
    }

    /// Forgets what is kept under a key.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        self.0.remove(key)
    }

    /// The bytes for the wire; none at all when nothing is kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            Vec::new()
        } else {
            serde_json::to_vec(&self.0).unwrap_or_default()
        }
    }

    /// Reads the bytes of the wire. Bytes of another provider's making are passed over.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).map(Self).unwrap_or_default()
    }
}
