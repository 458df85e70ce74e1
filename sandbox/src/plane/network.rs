//! Whom a registry's network rules let in.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::store::{Resource, World};
use crate::types::container_registry::connections;

/// Where clients come from who do not say it: somewhere in the internet.
const SOMEWHERE: &str = "198.51.100.10";

/// The address of who says that he comes from there.
#[must_use]
pub fn address(place: &str) -> &str {
    if place.is_empty() { SOMEWHERE } else { place }
}

/// Whether a registry lets in who comes from there.
///
/// # Errors
/// The address that it does not let in.
pub fn admits(world: &World, registry: &Resource, place: &str) -> Result<(), String> {
    let text = address(place);
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err(text.to_owned());
    };
    let private = matches!(address, IpAddr::V4(address) if address.is_private());
    let admitted = if private {
        // A private address has no other way than a private endpoint.
        world
            .list(registry.id.as_str(), connections::NAME)
            .any(|connection| {
                connection.text("/properties/privateLinkServiceConnectionState/status")
                    == Some("Approved")
            })
    } else {
        let rules = "/properties/networkRuleSet";
        let open = registry.text("/properties/publicNetworkAccess") != Some("Disabled");
        let denies = registry.text(&format!("{rules}/defaultAction")) == Some("Deny");
        let listed = || {
            let allowed = registry.items(&format!("{rules}/ipRules"));
            allowed
                .iter()
                .filter_map(|rule| rule["value"].as_str())
                .filter_map(|range| {
                    let single = || range.parse::<IpAddr>().ok().map(IpNet::from);
                    range.parse::<IpNet>().ok().or_else(single)
                })
                .any(|range| range.contains(&address))
        };
        open && (!denies || listed())
    };
    if admitted {
        Ok(())
    } else {
        Err(address.to_string())
    }
}
