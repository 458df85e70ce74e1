//! The data sources: one file each, named without the prefix `fkaks_`.

mod cluster;
mod cluster_egress;
mod image_path;
mod network;
mod registry;
mod registry_callers;

pub use cluster::Cluster;
pub use cluster_egress::ClusterEgress;
pub use image_path::ImagePath;
pub use network::Network;
pub use registry::Registry;
pub use registry_callers::RegistryCallers;
