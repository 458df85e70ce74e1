//! The managed resources: one file each, named without the prefix `fkaks_`.

mod network;
mod private_registry_link;
mod registry;
mod resource_group;
mod subnet;

pub use network::Network;
pub use private_registry_link::PrivateRegistryLink;
pub use registry::Registry;
pub use resource_group::ResourceGroup;
pub use subnet::Subnet;
