//! What is inside a cluster, as far as run commands need it: a store of Kubernetes objects on which
//! `kubectl` acts, and the small shell in which commands run. `shell.rs` reads a command line, `kubectl.rs`
//! does what it asks of the objects of `objects.rs`, and `curl.rs` what it asks of the network in `web.rs`.
//! `drain.rs` is what a node pool meets that is deleted.

pub mod curl;
pub mod drain;
pub mod jq;
pub mod kubectl;
pub mod objects;
pub mod print;
pub mod shell;
pub mod web;
pub mod yaml;

use serde_json::{Value, json};

use crate::store::World;

/// Where a cluster remembers its objects and the answers that a test gave; never shown.
pub const STORE: &str = "/kubernetes";

/// What a command left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code; 0 when it went well.
    pub code: i64,
    /// What it printed, errors included.
    pub logs: String,
}

/// What a cluster holds, for the remote control: `{"objects": {"Secret/default/x": {...}}, "answers": [...]}`.
#[must_use]
pub fn read(world: &World, cluster: &str) -> Option<Value> {
    let stored = world.get(cluster)?;
    let mut view = stored.at(STORE).cloned().unwrap_or_else(|| json!({}));
    for name in ["objects", "answers"] {
        if view.get(name).is_none() {
            view[name] = if name == "objects" {
                json!({})
            } else {
                json!([])
            };
        }
    }
    Some(view)
}

/// Merges a change into what a cluster holds (RFC 7396): what someone else's `kubectl` did.
/// False when there is no such cluster.
pub fn merge(world: &mut World, cluster: &str, patch: Value) -> bool {
    let Some(mut view) = read(world, cluster) else {
        return false;
    };
    objects::merge(&mut view, patch);
    if let Some(stored) = world.get_mut(cluster) {
        stored.set(STORE, view);
    }
    true
}
