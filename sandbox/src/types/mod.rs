//! The table of resource types: one folder for each namespace, one file for each type, one row each.

pub mod authorization;
pub mod container_registry;
pub mod container_service;
pub mod insights;
pub mod key_vault;
pub mod managed_identity;
pub mod management;
pub mod network;
pub mod operational_insights;
pub mod policy;
pub mod private_dns;
pub mod resources;
pub mod security;

use serde_json::Value;

use crate::errors::ArmResult;
use crate::id::ResourceId;
use crate::store::World;
use crate::table::{NamespaceAction, Type};

/// The rows of all namespaces.
pub static TYPES: &[&[Type]] = &[
    resources::TYPES,
    network::TYPES,
    private_dns::TYPES,
    container_registry::TYPES,
    container_service::TYPES,
    managed_identity::TYPES,
    authorization::TYPES,
    operational_insights::TYPES,
    insights::TYPES,
    security::TYPES,
    management::TYPES,
    policy::TYPES,
    key_vault::TYPES,
];

/// Actions below a namespace that belong to no resource.
pub static NAMESPACE_ACTIONS: &[&[NamespaceAction]] = &[
    network::NAMESPACE_ACTIONS,
    container_registry::NAMESPACE_ACTIONS,
    container_service::NAMESPACE_ACTIONS,
    policy::NAMESPACE_ACTIONS,
    key_vault::NAMESPACE_ACTIONS,
];

/// What a named deed of an actor does to the resource that woke it.
pub type Deed = fn(&mut World, &ResourceId, &Value) -> ArmResult<()>;

/// Named deeds of actors.
pub static DEEDS: &[(&str, Deed)] = &[
    // Sets the state of a private endpoint's connection on its target.
    ("approve", network::private_endpoints::set_connection),
];
