//! What Azure Kubernetes Service asks of networks: how many addresses a cluster takes, which ranges
//! its services and pods may have, and how its private zone is called. No I/O.
//!
//! Sources, all Microsoft Learn: "Configure Azure CNI networking in AKS", "Azure CNI Overlay
//! networking", "Azure CNI Pod Subnet", "Create a private AKS cluster", and "Customize node surge
//! upgrade" for the surge.

mod ranges;

pub use ranges::{Conflict, Range, conflicts, default_dns_service_ip, dns_service_ip_problem};

use std::fmt;

use super::cidr;

/// Where pods get their addresses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Networking {
    /// Azure CNI: pods have addresses of the node subnet, all of them from the node's start on.
    NodeSubnet,
    /// Azure CNI with a subnet of the pods' own, in batches of 16.
    PodSubnet,
    /// Azure CNI Overlay: each node has a /24 of the pod range.
    Overlay,
    /// Kubenet: each node has a /24 of the pod range, and a route to it.
    Kubenet,
    /// The user brings a plugin; nothing is known of its pods.
    Bring,
}

/// How many addresses a node has in the pod range of an overlay.
const NODE_BLOCK: u8 = 24;

/// How many addresses a node takes from a pod subnet at a time.
const BATCH: u64 = 16;

/// The surge that AKS takes for an upgrade unless it is told otherwise.
pub const DEFAULT_SURGE: &str = "10%";

impl Networking {
    /// The networking of a plugin (`azure`, `kubenet`, `none`), its mode and its pod subnet.
    #[must_use]
    pub fn of(plugin: &str, mode: Option<&str>, has_pod_subnet: bool) -> Self {
        match (plugin, mode, has_pod_subnet) {
            ("kubenet", ..) => Self::Kubenet,
            ("none", ..) => Self::Bring,
            (_, Some("overlay"), _) => Self::Overlay,
            (_, _, true) => Self::PodSubnet,
            (_, _, false) => Self::NodeSubnet,
        }
    }

    /// How many pods a node may have when nobody says ("Configure Azure CNI networking", default
    /// maximum pods per node).
    #[must_use]
    pub const fn default_max_pods(self) -> u32 {
        match self {
            Self::NodeSubnet => 30,
            Self::Kubenet => 110,
            Self::PodSubnet | Self::Overlay | Self::Bring => 250,
        }
    }

    /// Whether pods have addresses of a range that no network knows.
    #[must_use]
    pub const fn has_pod_range(self) -> bool {
        matches!(self, Self::Overlay | Self::Kubenet)
    }
}

/// A pool of nodes, as far as addresses go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name, for messages.
    pub name: String,
    /// How many nodes it may have: its count, or its maximum where it scales.
    pub nodes: u32,
    /// How many pods a node may have, where that was said.
    pub max_pods: Option<u32>,
    /// `max_surge`: a number of nodes, or a percentage of them.
    pub max_surge: String,
}

/// How many addresses are needed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    /// All together.
    pub addresses: u64,
    /// A line for each part of the sum.
    pub lines: Vec<String>,
}

impl Pool {
    /// How many nodes come in addition while the pool is upgraded. A percentage is rounded up, and
    /// at least one node comes.
    #[must_use]
    pub fn surge(&self) -> u32 {
        match self.max_surge.strip_suffix('%') {
            Some(percent) => {
                let percent: u32 = percent.trim().parse().unwrap_or(10);
                self.nodes.saturating_mul(percent).div_ceil(100).max(1)
            }
            None => self.max_surge.trim().parse().unwrap_or(1),
        }
    }

    fn most_nodes(&self) -> u64 {
        u64::from(self.nodes) + u64::from(self.surge())
    }

    fn pods(&self, networking: Networking) -> u64 {
        u64::from(
            self.max_pods
                .unwrap_or_else(|| networking.default_max_pods()),
        )
    }

    fn nodes_text(&self) -> String {
        format!(
            "pool {:?}: ({} nodes + {} for upgrades)",
            self.name,
            self.nodes,
            self.surge()
        )
    }
}

impl Demand {
    fn add(&mut self, addresses: u64, line: String) {
        self.addresses = self.addresses.saturating_add(addresses);
        self.lines.push(line);
    }

    /// With one address more, and what it is for.
    #[must_use]
    pub fn and(mut self, addresses: u64, what: &str) -> Self {
        if addresses > 0 {
            self.add(addresses, format!("{what}: {addresses}"));
        }
        self
    }

    /// The longest prefix of a subnet that has so many addresses besides those that Azure keeps.
    #[must_use]
    pub fn prefix_length(&self) -> Option<u8> {
        cidr::length_for(u32::try_from(self.addresses).ok()?)
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "- {line}")?;
        }
        Ok(())
    }
}

/// What the pools take of the subnet that their nodes are in.
#[must_use]
pub fn node_subnet<'a>(networking: Networking, pools: impl Iterator<Item = &'a Pool>) -> Demand {
    let mut demand = Demand::default();
    for pool in pools {
        if networking == Networking::NodeSubnet {
            let each = pool.pods(networking) + 1;
            let sum = pool.most_nodes().saturating_mul(each);
            let nodes = pool.nodes_text();
            let line = format!("{nodes} x ({} pods + 1) = {sum}", pool.pods(networking));
            demand.add(sum, line);
        } else {
            let sum = pool.most_nodes();
            demand.add(sum, format!("{} = {sum}", pool.nodes_text()));
        }
    }
    demand
}

/// What the pools take of the subnet that their pods are in.
#[must_use]
pub fn pod_subnet<'a>(pools: impl Iterator<Item = &'a Pool>) -> Demand {
    let mut demand = Demand::default();
    for pool in pools {
        let pods = pool.pods(Networking::PodSubnet);
        let batches = pods.div_ceil(BATCH);
        let sum = pool.most_nodes().saturating_mul(batches * BATCH);
        let line = format!(
            "{} x {batches} batches of {BATCH} for {pods} pods = {sum}",
            pool.nodes_text()
        );
        demand.add(sum, line);
    }
    demand
}

/// What the pools take of the pod range of an overlay, in nodes of a /24 each.
#[must_use]
pub fn pod_range<'a>(pools: impl Iterator<Item = &'a Pool>) -> Demand {
    let mut demand = Demand::default();
    for pool in pools {
        let sum = pool.most_nodes();
        let line = format!("{} x /{NODE_BLOCK} = {sum} blocks", pool.nodes_text());
        demand.add(sum, line);
    }
    demand
}

/// How many nodes a pod range has room for.
#[must_use]
pub const fn nodes_in(pod_range_length: u8) -> u64 {
    if pod_range_length > NODE_BLOCK {
        0
    } else {
        1 << (NODE_BLOCK - pod_range_length)
    }
}

/// The longest prefix of a pod range that has room for so many nodes.
#[must_use]
pub fn pod_range_length(nodes: u64) -> Option<u8> {
    (1..=NODE_BLOCK)
        .rev()
        .find(|length| nodes_in(*length) >= nodes)
}

/// Why a zone of that name cannot serve a private cluster of the region, whose own zone name is
/// `standard` (`privatelink.<region>.azmk8s.io`), if it cannot.
#[must_use]
pub fn zone_problem(name: &str, standard: &str, vnet_integration: bool) -> Option<String> {
    let name = name.to_lowercase();
    let mut names = vec![standard.to_owned()];
    if vnet_integration && let Some(rest) = standard.strip_prefix("privatelink.") {
        names.push(format!("private.{rest}"));
    }
    let fits = |wanted: &String| {
        name == *wanted
            || name
                .strip_suffix(wanted.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|sub| !sub.is_empty() && sub.len() <= 32 && !sub.contains('.'))
    };
    if names.iter().any(fits) {
        return None;
    }
    let all: Vec<String> = names
        .iter()
        .flat_map(|name| [name.clone(), format!("<up to 32 characters>.{name}")])
        .collect();
    Some(format!("AKS takes {}", all.join(" or ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pool(nodes: u32, max_pods: Option<u32>, max_surge: &str) -> Pool {
        Pool {
            name: "system".into(),
            nodes,
            max_pods,
            max_surge: max_surge.into(),
        }
    }

    #[test]
    fn a_surge_is_a_number_or_a_share_rounded_up_and_at_least_one() {
        assert_eq!(pool(10, None, "33%").surge(), 4);
        assert_eq!(pool(1, None, "10%").surge(), 1);
        assert_eq!(pool(0, None, "10%").surge(), 1);
        assert_eq!(pool(10, None, "3").surge(), 3);
    }

    #[test]
    fn a_22_has_room_for_31_nodes_of_30_pods_with_one_for_upgrades_and_a_21_is_next() {
        let fits = node_subnet(Networking::NodeSubnet, [pool(31, None, "1")].iter());
        assert_eq!(fits.addresses, 32 * 31);
        assert_eq!(fits.prefix_length(), Some(22));
        let more = node_subnet(Networking::NodeSubnet, [pool(32, Some(30), "1")].iter());
        assert_eq!(more.prefix_length(), Some(21));
        assert_eq!(
            more.to_string(),
            "- pool \"system\": (32 nodes + 1 for upgrades) x (30 pods + 1) = 1023\n"
        );
        let dense = node_subnet(Networking::NodeSubnet, [pool(8, Some(110), "1")].iter());
        assert_eq!(dense.prefix_length(), Some(22));
    }

    #[test]
    fn an_overlay_takes_an_address_for_each_node_and_a_24_of_the_pod_range() {
        let pools = [pool(100, None, "10%")];
        assert_eq!(
            node_subnet(Networking::Overlay, pools.iter()).addresses,
            110
        );
        assert_eq!(pod_range(pools.iter()).addresses, 110);
        assert_eq!(nodes_in(17), 128);
        assert_eq!(nodes_in(25), 0);
        assert_eq!(pod_range_length(110), Some(17));
        assert_eq!(pod_range_length(129), Some(16));
    }

    #[test]
    fn a_pod_subnet_is_taken_in_batches_of_16() {
        let demand = pod_subnet([pool(3, Some(30), "1")].iter());
        assert_eq!(demand.addresses, 4 * 32);
        assert_eq!(
            demand.to_string(),
            "- pool \"system\": (3 nodes + 1 for upgrades) x 2 batches of 16 for 30 pods = 128\n"
        );
    }

    #[test]
    fn the_api_servers_endpoint_counts_too() {
        let demand = node_subnet(Networking::Overlay, [pool(1, None, "1")].iter());
        let demand = demand.and(1, "the API server's private endpoint");
        assert_eq!(demand.addresses, 3);
        assert_eq!(demand.prefix_length(), Some(29));
    }

    #[test]
    fn a_private_zone_has_the_regions_name_or_one_label_before_it() {
        let standard = "privatelink.westeurope.azmk8s.io";
        assert_eq!(zone_problem(standard, standard, false), None);
        assert_eq!(
            zone_problem("Prod.privatelink.westeurope.azmk8s.io", standard, false),
            None
        );
        assert_eq!(
            zone_problem("private.westeurope.azmk8s.io", standard, true),
            None
        );
        for wrong in [
            "private.westeurope.azmk8s.io",
            "privatelink.northeurope.azmk8s.io",
            "a.b.privatelink.westeurope.azmk8s.io",
            "privatelink.azurecr.io",
        ] {
            assert!(zone_problem(wrong, standard, false).is_some(), "{wrong}");
        }
    }

    #[test]
    fn pods_get_their_addresses_by_plugin_and_mode() {
        use Networking::{Bring, Kubenet, NodeSubnet, Overlay, PodSubnet};
        assert_eq!(Networking::of("azure", Some("overlay"), false), Overlay);
        assert_eq!(Networking::of("azure", None, false), NodeSubnet);
        assert_eq!(Networking::of("azure", None, true), PodSubnet);
        assert_eq!(Networking::of("kubenet", None, false), Kubenet);
        assert_eq!(Networking::of("none", None, false), Bring);
    }
}
