//! The managed resources: one file each, named without the prefix `fkaks_`.

mod private_registry_link;
mod resource_group;

pub use private_registry_link::PrivateRegistryLink;
pub use resource_group::ResourceGroup;
