//! A changed address space against those of the networks that this one is peered with. The network's
//! own body tells of them.

use ipnet::IpNet;
use tfplugin_rs::value::Path;

use super::super::network_peering::{Peer, peers_of, space_of};
use super::addresses;
use crate::arm::Json;
use crate::network::{cidr, plan};
use crate::provider::parts::Check;

/// Refuses what would come into the address space and is a peer's already. What stands was taken by
/// Azure, and peerings of single subnets leave the rest of a network alone.
pub fn overlaps(check: &mut Check<'_>, question: &plan::Wanted, network: Option<&Json>) {
    let (Some(wanted), Some(network)) = (&question.address_space, network) else {
        return;
    };
    let wanted = addresses::parsed(wanted);
    let standing = space_of(network);
    let all: Vec<Peer> = peers_of(network).collect();
    let complete = || all.iter().filter(|peer| peer.is_complete);
    let mut found = Vec::new();
    for prefix in wanted.iter().filter(|new| !cidr::within(&standing, new)) {
        for peer in complete() {
            let theirs = peer
                .space
                .iter()
                .find(|theirs| cidr::overlap(prefix, theirs));
            found.extend(theirs.map(|theirs| (*prefix, peer, *theirs)));
        }
    }
    if found.is_empty() {
        return;
    }
    let reserved = addresses::parsed(question.reserved.as_deref().unwrap_or_default());
    let theirs = all.iter().flat_map(|peer| &peer.space);
    let mut taken: Vec<IpNet> = wanted
        .iter()
        .chain(&standing)
        .chain(&reserved)
        .chain(theirs)
        .copied()
        .collect();
    // The whole list to paste, where there is a block for each that is refused.
    let instead: Option<Vec<String>> = wanted
        .iter()
        .map(|prefix| {
            if !found.iter().any(|(refused, ..)| refused == prefix) {
                return Some(prefix.to_string());
            }
            let block = cidr::private_instead_of(prefix, &taken)?;
            taken.push(block);
            Some(block.to_string())
        })
        .collect();
    let free = instead.map_or_else(
        || "Fix: take another range; no private block of that size is free.".to_owned(),
        |space| format!("Fix: take a free block:\n\n  address_space = {space:?}"),
    );
    for (prefix, peer, theirs) in found {
        let name = peer.id.as_ref().map_or("without an id", |id| id.name());
        let remedy = peer.out_of_the_way().unwrap_or_else(|| {
            format!(
                "{free}\n\nIf it is the peering that goes, or the other network that changes, apply that \
                 first, and sync what stays."
            )
        });
        check.error(
            Path::attribute("address_space"),
            format!("address_space {prefix} overlaps {theirs} of the peered network {name}"),
            format!(
                "- {}: {theirs}\n- peered by {}\n\nAzure peers no networks whose addresses could be meant \
                 either way.\n\n{remedy}",
                peer.shown(),
                peer.by
            ),
        );
    }
}
