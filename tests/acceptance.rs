//! Acceptance: the real provider binary under real Terraform and OpenTofu commands, against the sandbox over TLS.
//!
//! Every folder `tests/acceptance/<scenario>/` with a configuration, and every architecture among the examples, is
//! run with every command in turn: its `*.tftest.hcl` files, its life from apply to destroy, and the Rust steps in its
//! `steps.rs`, listed here. What an architecture finds in Azure and a user fills in stands in the folder of its name.
//! `make test` and `make test-matrix` say which commands; each scenario, step and command is one reported test with a
//! sandbox of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod driver;

#[path = "acceptance/allowlisted-acr/steps.rs"]
mod allowlisted_acr;
#[path = "acceptance/beside_azurerm/steps.rs"]
mod beside_azurerm_steps;
#[path = "acceptance/cluster/steps.rs"]
mod cluster_steps;
#[path = "acceptance/data_sources/steps.rs"]
mod data_sources_steps;
#[path = "acceptance/driver/steps.rs"]
mod driver_steps;
#[path = "acceptance/key_vault/steps.rs"]
mod key_vault_steps;
#[path = "acceptance/network_peering/steps.rs"]
mod network_peering_steps;
#[path = "acceptance/network/steps.rs"]
mod network_steps;
#[path = "acceptance/private-acr-peered-network/steps.rs"]
mod private_acr_peered_network;
#[path = "acceptance/private-acr-same-network/steps.rs"]
mod private_acr_same_network;
#[path = "acceptance/private-aks-acr/steps.rs"]
mod private_aks_acr;
#[path = "acceptance/private_registry_link/steps.rs"]
mod private_registry_link_steps;
#[path = "acceptance/pull_secret/steps.rs"]
mod pull_secret_steps;
#[path = "acceptance/registry_access/steps.rs"]
mod registry_access_steps;
#[path = "acceptance/registry_allowlist/steps.rs"]
mod registry_allowlist_steps;
#[path = "acceptance/registry_audit/steps.rs"]
mod registry_audit_steps;
#[path = "acceptance/registry_defender/steps.rs"]
mod registry_defender_steps;
#[path = "acceptance/registry_guardrails/steps.rs"]
mod registry_guardrails_steps;
#[path = "acceptance/registry_image/steps.rs"]
mod registry_image_steps;
#[path = "acceptance/registry/steps.rs"]
mod registry_steps;
#[path = "acceptance/registry_token/steps.rs"]
mod registry_token_steps;
#[path = "acceptance/resource_group/steps.rs"]
mod resource_group_steps;
#[path = "acceptance/subnet/steps.rs"]
mod subnet_steps;

use std::process::ExitCode;

use driver::{Scenario, Step};

/// The Rust steps of the scenarios that have some, by folder.
const STEPS: &[(&str, &[Step])] = &[
    ("allowlisted-acr", allowlisted_acr::STEPS),
    ("beside_azurerm", beside_azurerm_steps::STEPS),
    ("cluster", cluster_steps::STEPS),
    ("data_sources", data_sources_steps::STEPS),
    ("driver", driver_steps::STEPS),
    (
        "private-acr-peered-network",
        private_acr_peered_network::STEPS,
    ),
    ("private-acr-same-network", private_acr_same_network::STEPS),
    ("private-aks-acr", private_aks_acr::STEPS),
    ("private_registry_link", private_registry_link_steps::STEPS),
    ("key_vault", key_vault_steps::STEPS),
    ("network", network_steps::STEPS),
    ("network_peering", network_peering_steps::STEPS),
    ("pull_secret", pull_secret_steps::STEPS),
    ("registry", registry_steps::STEPS),
    ("registry_access", registry_access_steps::STEPS),
    ("registry_allowlist", registry_allowlist_steps::STEPS),
    ("registry_audit", registry_audit_steps::STEPS),
    ("registry_defender", registry_defender_steps::STEPS),
    ("registry_guardrails", registry_guardrails_steps::STEPS),
    ("registry_image", registry_image_steps::STEPS),
    ("registry_token", registry_token_steps::STEPS),
    ("resource_group", resource_group_steps::STEPS),
    ("subnet", subnet_steps::STEPS),
];

fn main() -> ExitCode {
    if let Some(arguments) = driver::sandbox_arguments() {
        return fkaks_sandbox::main(arguments);
    }
    let mut arguments = libtest_mimic::Arguments::from_args();
    // A command mostly waits: for the provider, for operations, for its own steps.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(2 * processors);
    let scenarios = Scenario::all(STEPS);
    libtest_mimic::run(&arguments, driver::trials(&scenarios)).exit_code()
}
