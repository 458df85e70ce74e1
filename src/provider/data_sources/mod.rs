//! The data sources: one file each, named without the prefix `fkaks_`.

mod cluster;
mod cluster_egress;
mod network;
mod registry;

pub use cluster::Cluster;
pub use cluster_egress::ClusterEgress;
pub use network::Network;
pub use registry::Registry;
