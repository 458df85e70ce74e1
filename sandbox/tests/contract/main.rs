//! What the sandbox promises, over sockets, as Azure's documentation has it: a file for each type or behaviour.
//!
//! One binary: each more would link the whole sandbox again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value
)]

mod support;

mod authorization;
mod cluster;
mod cluster_commands;
mod cluster_network;
mod cluster_outbound;
mod cluster_pools;
mod cluster_private;
mod command;
mod compliance;
mod core;
mod key_vault;
mod log_queries;
mod login;
mod logs;
mod managed_identity;
mod network;
mod peerings;
mod plane;
mod plans;
mod policy;
mod private_dns;
mod private_dns_links;
mod private_endpoints;
mod private_registry;
mod registry;
mod registry_images;
mod registry_networks;
mod registry_roles;
mod registry_tokens;
mod replication;
