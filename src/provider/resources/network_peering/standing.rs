//! How one side of a peering stands, and what is wrong with it.

use serde_json::json;

use super::{Input, Manage};
use crate::arm::{ArmId, Json};
use crate::provider::parts::Seen;

/// `peeringState`.
pub fn state_of(peering: &Json) -> &str {
    let state = &peering["properties"]["peeringState"];
    state.as_str().unwrap_or_default()
}

/// Why a side must be made anew: the other one was deleted, or its network was.
pub fn disconnected(input: &Input, id: &ArmId, found: &Json) -> Option<String> {
    if state_of(found) != "Disconnected" {
        return None;
    }
    let name = id.name();
    Some(match input.manage {
        Manage::Both => format!(
            "peering {name} is Disconnected, because its other side or the other network was \
             deleted; both sides are made anew"
        ),
        Manage::Local => format!(
            "peering {name} is Disconnected, because its other side or the other network was \
             deleted; it is made anew, and then the owner of {} has to make the other side anew",
            input.remote_virtual_network_id
        ),
    })
}

/// Why a side must be made anew: it leads to another network than it should.
pub fn leads_elsewhere(id: &ArmId, found: &Json, leads_to: &ArmId) -> Option<String> {
    let there = found["properties"]["remoteVirtualNetwork"]["id"].as_str()?;
    if ArmId::parse(there).is_ok_and(|there| there == *leads_to) {
        return None;
    }
    Some(format!(
        "peering {}: it leads to {there}, and should lead to {leads_to}",
        id.name()
    ))
}

/// Why a side must be synced: the other network's address space has changed.
pub fn stale(id: &ArmId, found: &Json) -> Option<String> {
    let properties = &found["properties"];
    let level = properties["peeringSyncLevel"].as_str();
    if !matches!(level, Some("LocalNotInSync" | "LocalAndRemoteNotInSync")) {
        return None;
    }
    let shown = |name: &str| prefixes(&properties[name]).join(", ");
    Some(format!(
        "peering {}: the address space of the network that it leads to has changed: it has {}, and \
         the network {}",
        id.name(),
        shown("remoteAddressSpace"),
        shown("remoteVirtualNetworkAddressSpace")
    ))
}

/// A change of `triggers` syncs, whatever Azure says at the moment: what changed the address space in
/// the same apply may not show yet.
pub fn triggered(input: &Input, seen: &Seen, id: &ArmId) -> Option<String> {
    let before = &seen.prior()?["triggers"];
    let now = json!(input.triggers);
    (before.is_object() && *before != now)
        .then(|| format!("peering {}: its triggers have changed", id.name()))
}

/// The prefixes of an address space.
pub fn prefixes(space: &Json) -> Vec<String> {
    let prefixes = space["addressPrefixes"].as_array().into_iter().flatten();
    prefixes
        .filter_map(|prefix| Some(prefix.as_str()?.to_owned()))
        .collect()
}
