//! The routes of a route table, as far as they decide where a packet goes.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::arm::Json;

/// A route of a user's route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Where it leads to.
    pub prefix: IpNet,
    /// `VirtualAppliance`, `VirtualNetworkGateway`, `VnetLocal`, `Internet` or `None`.
    pub next_hop_type: String,
    /// The address of the appliance.
    pub next_hop_ip_address: Option<String>,
}

impl Route {
    /// Whether it is for all that no other route is for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.prefix.prefix_len() == 0
    }
}

/// The routes of a table with a range as their destination; those for service tags lead to no
/// address that could be compared.
pub fn routes(table: &Json) -> Vec<Route> {
    let list = table["properties"]["routes"].as_array();
    let route = |route: &Json| {
        let properties = &route["properties"];
        let text = |name: &str| properties[name].as_str().map(str::to_owned);
        Some(Route {
            name: route["name"].as_str().unwrap_or_default().to_owned(),
            prefix: properties["addressPrefix"].as_str()?.parse().ok()?,
            next_hop_type: text("nextHopType").unwrap_or_default(),
            next_hop_ip_address: text("nextHopIpAddress"),
        })
    };
    list.into_iter().flatten().filter_map(route).collect()
}

/// The route of a table that a packet to that address takes: the one with the longest prefix
/// (Microsoft Learn, "Virtual network traffic routing").
#[must_use]
pub fn taken(table: &Json, to: &IpAddr) -> Option<Route> {
    let all = routes(table).into_iter();
    all.filter(|route| route.prefix.contains(to))
        .max_by_key(|route| route.prefix.prefix_len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_service_tags_are_left_out() {
        let route = |name: &str, prefix: &str, hop: &str| {
            json!({"name": name, "properties": {
                "addressPrefix": prefix, "nextHopType": hop, "nextHopIpAddress": "10.0.0.4",
            }})
        };
        let table = json!({"properties": {"routes": [
            route("all", "0.0.0.0/0", "VirtualAppliance"),
            route("endpoint", "10.1.0.4/32", "None"),
            route("tag", "AzureCloud", "Internet"),
        ]}});
        let to = |text: &str| taken(&table, &text.parse().unwrap()).map(|route| route.name);
        assert_eq!(to("10.1.0.4").unwrap(), "endpoint");
        assert_eq!(to("10.1.0.5").unwrap(), "all");
        assert_eq!(to("fd00::1"), None);
        assert!(routes(&table)[0].is_default());
        assert_eq!(routes(&table).len(), 2);
    }
}
