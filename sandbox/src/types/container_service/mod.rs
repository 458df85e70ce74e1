//! Microsoft.ContainerService: managed Kubernetes clusters with their agent pools and maintenance windows.
//!
//! Reading order: `clusters.rs` and `agent_pools.rs` are the rows; `defaults.rs` completes a cluster and
//! `pool_defaults.rs` a pool; `rules.rs`, `network_rules.rs` and `pool_rules.rs` say what is refused;
//! `node_group.rs` makes what a finished cluster consists of. Codes are those that the AKS
//! troubleshooting pages and users' error reports name.

mod actions;
pub mod agent_pools;
mod api_server_rules;
pub mod capacity;
pub mod clusters;
pub mod credentials;
pub mod defaults;
pub mod identities;
pub mod kubernetes;
mod maintenance;
mod network_rules;
pub mod node_group;
pub mod outbound;
pub mod pool_defaults;
mod pool_rules;
pub mod private_cluster;
mod rules;
pub mod run_command;
pub mod schema;
mod subnet_rules;
pub mod versions;

use serde_json::Value;

use crate::errors::ArmError;
use crate::id::ResourceId;
use crate::store::Resource;
use crate::table::{Change, NamespaceAction, Type, Verb};

/// API versions of Microsoft.ContainerService that clients send.
pub const VERSIONS: &[&str] = &[
    "2019-08-01",
    "2019-11-01",
    "2020-03-01",
    "2020-09-01",
    "2020-11-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2022-01-01",
    "2022-04-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-01-01",
    "2023-02-01",
    "2023-03-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-07-01",
    "2023-08-01",
    "2023-09-01",
    "2023-10-01",
    "2023-11-01",
    "2024-01-01",
    "2024-02-01",
    "2024-05-01",
    "2024-06-02-preview",
    "2024-07-01",
    "2024-08-01",
    "2024-09-01",
    "2024-09-02-preview",
    "2024-10-01",
    "2025-01-01",
    "2025-02-01",
    "2025-03-01",
    "2025-04-01",
    "2025-05-01",
    "2025-06-01",
    "2025-07-01",
    "2025-08-01",
    "2025-09-01",
    "2025-10-01",
    "2025-11-01",
    "2026-01-01",
    "2026-02-01",
    "2026-03-01",
    "2026-04-01",
    "2026-05-01",
    "2026-06-01",
    "2026-07-01",
    "2026-08-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    clusters::CLUSTERS,
    agent_pools::AGENT_POOLS,
    maintenance::MAINTENANCE,
    run_command::COMMAND_RESULTS,
    private_cluster::CONNECTIONS,
    private_cluster::LINK_RESOURCES,
    versions::UPGRADE_PROFILES,
    versions::POOL_UPGRADE_PROFILES,
];

/// Actions of the namespace.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[NamespaceAction {
    method: "GET",
    namespace: "Microsoft.ContainerService",
    path: &["locations", "*", "kubernetesVersions"],
    versions: VERSIONS,
    run: versions::kubernetes_versions,
}];

/// 400 for a value that AKS does not take.
#[must_use]
fn invalid(target: &str, why: impl AsRef<str>) -> ArmError {
    ArmError::bad(
        "InvalidParameter",
        format!(
            "The value of parameter {target} is invalid. Error details: {}. Please see https://aka.ms/aks-naming-rules for more details.",
            why.as_ref()
        ),
    )
    .at(target)
}

/// 400 for a property that cannot change once it is set.
#[must_use]
fn change_not_allowed(target: &str) -> ArmError {
    ArmError::bad(
        "PropertyChangeNotAllowed",
        format!("Changing property '{target}' is not allowed."),
    )
    .at(target)
}

/// 400 for an operation that the present state does not allow.
#[must_use]
fn not_allowed(why: impl Into<String>) -> ArmError {
    ArmError::bad("OperationNotAllowed", why)
}

/// 409 for a write while another operation runs on the cluster: it takes one at a time, pools included.
#[must_use]
fn busy(busy: &ResourceId, change: &Change<'_>) -> ArmError {
    let running = if busy.is_child() {
        format!("Another agentpool operation ({})", busy.name())
    } else {
        let what = match (change.old, change.verb) {
            (_, Verb::Delete) => "Deleting",
            (Some(old), _) if !old.id.is_child() => state_or(old, "Updating"),
            _ => "Updating",
        };
        format!("Another operation ({what})")
    };
    let mut error = ArmError::conflict(
        "OperationNotAllowed",
        format!(
            "Operation is not allowed: {running} is in progress, please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details"
        ),
    );
    error.retry = true;
    error
}

fn state_or<'a>(resource: &'a Resource, otherwise: &'a str) -> &'a str {
    match resource.state() {
        "" => otherwise,
        state => state,
    }
}

/// True when the value at the pointer is `true`.
fn on(resource: &Resource, pointer: &str) -> bool {
    resource.at(pointer).and_then(Value::as_bool) == Some(true)
}

/// The number at the pointer, or `otherwise`.
fn number(resource: &Resource, pointer: &str, otherwise: i64) -> i64 {
    resource
        .at(pointer)
        .and_then(Value::as_i64)
        .unwrap_or(otherwise)
}
