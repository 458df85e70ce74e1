//! No address may lead two ways: what a network is peered with, and what of that would be there twice.

use ipnet::IpNet;
use tfplugin_rs::value::Path;

use super::check::Networks;
use super::observe::peerings_of;
use super::standing::{prefixes, state_of};
use crate::arm::{ArmId, Json};
use crate::network::cidr;
use crate::provider::parts::Check;

/// Another network, as a network's own body tells of it.
pub struct Peer {
    /// The peering that leads there.
    pub by: ArmId,
    /// Its id, where it is one of a network.
    pub id: Option<ArmId>,
    /// What it has: as last synced, and as it is now.
    pub space: Vec<IpNet>,
    /// Whether all of both networks is peered, and not some of their subnets alone. Other subnets of such
    /// networks may share addresses (Microsoft Learn, "How to configure subnet peering").
    pub is_complete: bool,
    is_disconnected: bool,
}

impl Peer {
    fn of(by: ArmId, id: Option<ArmId>, peering: &Json) -> Self {
        let properties = &peering["properties"];
        let is_complete = properties["peerCompleteVnets"] != false;
        let mut space = parsed(&properties["remoteAddressSpace"]);
        if is_complete {
            let now = parsed(&properties["remoteVirtualNetworkAddressSpace"]);
            for prefix in now {
                if !space.contains(&prefix) {
                    space.push(prefix);
                }
            }
        }
        Self {
            by,
            id,
            space,
            is_complete,
            is_disconnected: state_of(peering) == "Disconnected",
        }
    }

    /// Its id as text.
    pub fn shown(&self) -> String {
        let id = self.id.as_ref();
        id.map_or_else(|| "another network".to_owned(), ToString::to_string)
    }

    /// What helps where the peering itself is of no use any more.
    pub fn out_of_the_way(&self) -> Option<String> {
        self.is_disconnected.then(|| {
            format!(
                "Fix: that peering is Disconnected and only in the way: have it deleted where it is managed, \
                 or with\n\n  az network vnet peering delete --ids {}",
                self.by
            )
        })
    }
}

/// What a network is peered with.
pub fn peers_of(network: &Json) -> impl Iterator<Item = Peer> {
    peerings_of(network).map(|(by, id, peering)| Peer::of(by, id, peering))
}

fn parsed(space: &Json) -> Vec<IpNet> {
    let texts = prefixes(space);
    let prefixes = texts.iter().filter_map(|text| cidr::parse(text).ok());
    prefixes.collect()
}

/// The address space in a network's body.
pub fn space_of(network: &Json) -> Vec<IpNet> {
    parsed(&network["properties"]["addressSpace"])
}

fn common(a: &[IpNet], b: &[IpNet]) -> Option<(IpNet, IpNet)> {
    a.iter().find_map(|a| {
        let other = b.iter().find(|b| cidr::overlap(a, b))?;
        Some((*a, *other))
    })
}

/// Addresses are apart between the two networks, and between one of them and what the other is peered
/// with.
pub fn overlaps(check: &mut Check<'_>, networks: &Networks<'_>) {
    let space = |network: Option<&Json>| network.map(space_of).unwrap_or_default();
    let peers =
        |network: Option<&Json>| -> Vec<Peer> { network.into_iter().flat_map(peers_of).collect() };
    let (near, far) = (space(networks.near), space(networks.far));
    let (near_peers, far_peers) = (peers(networks.near), peers(networks.far));
    let others = near_peers.iter().chain(&far_peers);
    let taken: Vec<IpNet> = near
        .iter()
        .chain(&far)
        .chain(others.flat_map(|peer| &peer.space))
        .copied()
        .collect();
    let path = || Path::attribute("remote_virtual_network_id");
    let (near_id, far_id) = (&networks.near_id, &networks.far_id);
    if let Some((a, b)) = common(&near, &far) {
        check.error(
            path(),
            format!("the address spaces of the two networks overlap: {a} and {b}"),
            format!(
                "- {near_id}: {a}\n- {far_id}: {b}\n\nAzure peers no networks whose addresses could be \
                 meant either way.\n\nFix: give one of them another range:\n\n{}{}\nA prefix without \
                 subnets can be taken out of `address_space` in an apply of its own, before this one.",
                offer(near_id, &a, &taken),
                offer(far_id, &b, &taken),
            ),
        );
        return;
    }
    for (peers, space, (peered_id, other_id)) in [
        (near_peers, &far, (near_id, far_id)),
        (far_peers, &near, (far_id, near_id)),
    ] {
        for peer in peers {
            if peer.id.as_ref() == Some(other_id) {
                continue;
            }
            let Some((a, b)) = common(space, &peer.space) else {
                continue;
            };
            let remedy = peer.out_of_the_way().unwrap_or_else(|| {
                let offer = offer(other_id, &a, &taken);
                format!("Fix: give one of the two networks another range:\n\n{offer}")
            });
            check.error(
                path(),
                format!(
                    "the address space of {} overlaps that of a network that {} is peered with: {a} and {b}",
                    other_id.name(),
                    peered_id.name()
                ),
                format!(
                    "- {other_id}: {a}\n- {}: {b}\n- peered by {}\n\nIn {}, these addresses already lead \
                     elsewhere.\n\n{remedy}",
                    peer.shown(),
                    peer.by,
                    peered_id.name()
                ),
            );
        }
    }
}

/// A line that offers a network a block which is free in both and in all that they are peered with.
fn offer(network: &ArmId, instead_of: &IpNet, taken: &[IpNet]) -> String {
    let block = cidr::private_instead_of(instead_of, taken);
    let block = block.map_or_else(
        || "another range; no private block of that size is free".to_owned(),
        |block| block.to_string(),
    );
    format!("  {}: {block} instead of {instead_of}\n", network.name())
}
