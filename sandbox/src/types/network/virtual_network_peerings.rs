//! Microsoft.Network/virtualNetworks/virtualNetworkPeerings: one side of a peering. It is `Initiated`
//! until the other network has a side of its own; then both are `Connected`. When one goes, the other
//! is `Disconnected` for good. Each side keeps the address space that the other network had when the
//! side was made or last synced. What Azure refuses is in `virtual_network_peering_checks`.

use serde_json::{Value, json};

use super::virtual_network_peering_checks::valid;
use super::{addresses, inline, network_of, subnets};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";

/// The row.
pub const PEERINGS: Type = Type {
    properties: &[
        "remoteVirtualNetwork",
        "allowVirtualNetworkAccess",
        "allowForwardedTraffic",
        "allowGatewayTransit",
        "useRemoteGateways",
        "doNotVerifyRemoteGateways",
        "peerCompleteVnets",
        "enableOnlyIPv6Peering",
        "localSubnetNames",
        "remoteSubnetNames",
    ],
    // Clients send back what they read, these among it (`az network vnet peering sync`).
    read_only: &[
        "peeringState",
        "peeringSyncLevel",
        "localAddressSpace",
        "localVirtualNetworkAddressSpace",
        "remoteAddressSpace",
        "remoteVirtualNetworkAddressSpace",
        "remoteBgpCommunities",
        "remoteVirtualNetworkEncryption",
        "resourceGuid",
    ],
    query,
    check,
    fill,
    settle,
    on_delete,
    render,
    locks,
    ..super::child(NAME)
};

/// Where a PUT with `syncRemoteAddressSpace=true` is noted between `query` and `fill`.
const SYNC: &str = "/syncRemoteAddressSpace";

fn query(request: &Request, new: &mut Resource) {
    let wanted = request.param("syncRemoteAddressSpace").unwrap_or_default();
    if wanted.eq_ignore_ascii_case("true") {
        new.set(SYNC, true);
    }
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let network = network_of(&change.new.id);
    match world.get(network.as_str()) {
        Some(network) if change.verb != Verb::Delete => {
            valid(world, network, change, syncs(change))
        }
        _ => Ok(()),
    }
}

/// True when a write takes over the remote network's address space as it is now.
fn syncs(change: &Change<'_>) -> bool {
    change.old.is_none() || change.new.at(SYNC).is_some()
}

/// Checks the peerings that come with a network's body, and those that stand against its address space.
///
/// # Errors
/// As `valid`, and `VnetAddressSpacesOverlap` for a new prefix that a peer has already.
pub fn check_network(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let network = change.new;
    for peering in inline::read(network, &PEERINGS)? {
        let each = Change {
            verb: Verb::Put,
            old: world.get(peering.id.as_str()),
            new: &peering,
        };
        // Who writes a network back as it was read changes nothing of its peerings.
        if each.old.is_some_and(|old| says_nothing_new(old, &peering)) {
            continue;
        }
        valid(world, network, &each, each.old.is_none())?;
    }
    let Some(old) = change.old else { return Ok(()) };
    // The remote control may have put there what is no address space; then all of the new one is new.
    let standing = subnets::space(old).unwrap_or_default();
    for peering in world.list(network.id.as_str(), NAME) {
        for new in subnets::space(network)? {
            if standing.contains(&new) {
                continue;
            }
            let taken = prefixes(peering, "/properties/remoteAddressSpace");
            let taken = taken.iter().filter_map(|text| text.parse().ok());
            if let Some(other) = taken.into_iter().find(|net| addresses::overlap(net, &new)) {
                return Err(ArmError::bad(
                    "VnetAddressSpacesOverlap",
                    format!(
                        "Cannot update virtual network {}. Its address space overlaps with the address space of virtual network {} peered with it. Overlapping address prefixes: {new}, {other}",
                        network.id,
                        remote(peering).map_or_else(String::new, |id| id.to_string()),
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn says_nothing_new(old: &Resource, new: &Resource) -> bool {
    let said = new.at("/properties").and_then(Value::as_object);
    said.into_iter()
        .flatten()
        .all(|(name, value)| old.at(&format!("/properties/{name}")) == Some(value))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    let sync = new.at(SYNC).is_some();
    new.unset(SYNC);
    for (name, value) in [
        ("allowVirtualNetworkAccess", true),
        ("allowForwardedTraffic", false),
        ("allowGatewayTransit", false),
        ("useRemoteGateways", false),
        ("doNotVerifyRemoteGateways", false),
        ("peerCompleteVnets", true),
    ] {
        new.default(&format!("/properties/{name}"), value);
    }
    let peered = old.and_then(|old| old.at("/properties/remoteAddressSpace"));
    let peered = match peered {
        Some(peered) if !sync => peered.clone(),
        _ => json!({ "addressPrefixes": remote_space(world, new) }),
    };
    new.set("/properties/remoteAddressSpace", peered);
    let state = old.and_then(|old| old.text("/properties/peeringState"));
    new.set("/properties/peeringState", state.unwrap_or("Initiated"));
    Ok(())
}

/// Two sides that stand are connected.
fn settle(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let Some(peering) = world.get(id.as_str()) else {
        return Ok(());
    };
    let Some(other) = counterpart(world, peering).filter(|other| state(other) != "Disconnected")
    else {
        return Ok(());
    };
    let other = other.id.clone();
    for side in [id, &other] {
        if let Some(side) = world.get_mut(side.as_str()) {
            side.set("/properties/peeringState", "Connected");
        }
    }
    Ok(())
}

fn on_delete(world: &mut World, peering: &Resource) -> ArmResult<()> {
    let other = counterpart(world, peering).filter(|other| state(other) == "Connected");
    if let Some(other) = other.map(|other| other.id.clone()) {
        disconnect(world, &other);
    }
    Ok(())
}

/// The peerings that lead to a network which goes are disconnected, also from its successor of the
/// same id.
///
/// # Errors
/// None; the type of a table's function.
pub fn network_gone(world: &mut World, network: &Resource) -> ArmResult<()> {
    let led: Vec<ResourceId> = world
        .of_type(NAME)
        .filter(|peering| remote(peering).is_some_and(|id| id.same(network.id.as_str())))
        .map(|peering| peering.id.clone())
        .collect();
    for id in led {
        disconnect(world, &id);
    }
    Ok(())
}

fn disconnect(world: &mut World, id: &ResourceId) {
    if let Some(side) = world.get_mut(id.as_str()) {
        side.set("/properties/peeringState", "Disconnected");
    }
}

fn render(world: &World, peering: &Resource, body: &mut Value) {
    let there = remote(peering).is_some_and(|id| world.get(id.as_str()).is_some());
    let current = if there {
        remote_space(world, peering)
    } else {
        prefixes(peering, "/properties/remoteAddressSpace")
    };
    body["properties"]["remoteVirtualNetworkAddressSpace"] = json!({ "addressPrefixes": current });
    let local = there && !in_sync(world, peering);
    let far = counterpart(world, peering).is_some_and(|other| !in_sync(world, other));
    body["properties"]["peeringSyncLevel"] = json!(match (local, far) {
        (false, false) => "FullyInSync",
        (true, false) => "LocalNotInSync",
        (false, true) => "RemoteNotInSync",
        (true, true) => "LocalAndRemoteNotInSync",
    });
}

/// A write holds both networks: Azure refuses a second one on either while it runs.
fn locks(_: &World, peering: &Resource) -> Vec<String> {
    let own = network_of(&peering.id).key();
    let mut locks = vec![own];
    locks.extend(remote(peering).map(|id| id.key()));
    locks
}

/// True when a side has the remote network's address space of now.
fn in_sync(world: &World, peering: &Resource) -> bool {
    let sorted = |mut prefixes: Vec<String>| {
        prefixes.sort();
        prefixes
    };
    sorted(prefixes(peering, "/properties/remoteAddressSpace"))
        == sorted(remote_space(world, peering))
}

/// What of the remote network a side leads to: all of it, or some of its subnets.
fn remote_space(world: &World, peering: &Resource) -> Vec<String> {
    let Some(network) = remote(peering).and_then(|id| world.get(id.as_str())) else {
        return Vec::new();
    };
    if peering.at("/properties/peerCompleteVnets") != Some(&json!(false)) {
        return prefixes(network, "/properties/addressSpace");
    }
    let names = peering.items("/properties/remoteSubnetNames").iter();
    names
        .filter_map(|name| world.get(network.id.child("subnets", name.as_str()?).as_str()))
        .flat_map(|subnet| addresses::of_subnet(subnet).unwrap_or_default())
        .map(|net| net.to_string())
        .collect()
}

fn prefixes(resource: &Resource, pointer: &str) -> Vec<String> {
    let texts = resource.items(&format!("{pointer}/addressPrefixes")).iter();
    texts
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect()
}

/// The other network's side of a peering.
#[must_use]
pub fn counterpart<'a>(world: &'a World, peering: &Resource) -> Option<&'a Resource> {
    let own = network_of(&peering.id);
    let far = remote(peering)?;
    world
        .list(far.as_str(), NAME)
        .find(|other| remote(other).is_some_and(|id| id.same(own.as_str())))
}

/// The network that a side leads to.
#[must_use]
pub fn remote(peering: &Resource) -> Option<ResourceId> {
    ResourceId::parse(peering.text("/properties/remoteVirtualNetwork/id")?)
}

/// `peeringState`.
#[must_use]
pub fn state(peering: &Resource) -> &str {
    peering.text("/properties/peeringState").unwrap_or_default()
}
