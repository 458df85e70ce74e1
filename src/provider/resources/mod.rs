//! The managed resources: one file each, named without the prefix `fkaks_`.

pub(super) mod cluster;
mod key_vault;
pub(super) mod network;
pub(super) mod network_peering;
pub(super) mod private_registry_link;
mod pull_secret;
pub(super) mod registry;
pub(super) mod registry_access;
mod registry_allowlist;
mod registry_audit;
mod registry_defender;
mod registry_guardrails;
mod registry_image;
mod registry_token;
mod resource_group;
mod subnet;

pub use cluster::Cluster;
pub use key_vault::KeyVault;
pub use network::Network;
pub use network_peering::NetworkPeering;
pub use private_registry_link::PrivateRegistryLink;
pub use pull_secret::PullSecret;
pub use registry::Registry;
pub use registry_access::RegistryAccess;
pub use registry_allowlist::RegistryAllowlist;
pub use registry_audit::RegistryAudit;
pub use registry_defender::RegistryDefender;
pub use registry_guardrails::RegistryGuardrails;
pub use registry_image::RegistryImage;
pub use registry_token::RegistryToken;
pub use resource_group::ResourceGroup;
pub use subnet::Subnet;
