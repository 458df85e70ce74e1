//! The public addresses from which a cluster reaches the world, as far as Azure knows them.
//!
//! The answer says which of four things it is, so that nobody takes one for another: addresses,
//! none that Azure could know, none because there is no way out, or a read that failed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;

use super::parts::{Look, Seen, Unread};
use crate::arm::{ArmId, Error, Json};

/// From where a cluster reaches the world.
#[derive(Debug, Clone)]
pub enum Egress {
    /// From these, and no others: at least one, in order, each once.
    Known(Vec<Address>),
    /// Wherever the route table of the node subnets leads: Azure Resource Manager cannot know the
    /// address that a firewall puts in its place.
    Routed,
    /// From nowhere: the cluster has no way out.
    Closed,
    /// Some of it could not be found out, so nothing is said of the rest: a part of the addresses
    /// would pass for all of them.
    Unfound(Vec<Gap>),
}

/// A public address, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The range; of a single address the whole length.
    pub range: IpNet,
    /// The public IP address or prefix that has it.
    pub id: ArmId,
    /// The NAT gateway that uses it, where the user gave the subnets one.
    pub nat_gateway_id: Option<ArmId>,
}

/// Something that had to be known, and is not.
#[derive(Debug, Clone)]
pub struct Gap {
    /// What was read, or would have been.
    pub id: ArmId,
    /// Why it tells nothing.
    pub why: Why,
}

/// Why an object tells nothing of the addresses.
#[derive(Debug, Clone)]
pub enum Why {
    /// It is not there.
    Absent,
    /// The caller may not read it; with Azure's answer.
    Denied(Arc<Error>),
    /// It is there and says nothing of them, in these words.
    Silent(String),
}

impl Egress {
    /// Nothing is known, because of what one object does not tell.
    #[must_use]
    pub fn unfound(id: &ArmId, why: Why) -> Self {
        Self::Unfound(vec![Gap {
            id: id.clone(),
            why,
        }])
    }

    /// The addresses as Azure writes them, where all are known: single ones without a length.
    #[must_use]
    pub fn texts(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::Known(addresses) => Some(addresses.iter().map(Address::text).collect()),
            Self::Routed | Self::Closed | Self::Unfound(_) => None,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Absent => write!(f, "{}: it does not exist", self.id),
            Why::Denied(error) => write!(
                f,
                "{}: the caller may not read it ({}), which takes the action `{}/read`",
                self.id,
                error.code().unwrap_or("403"),
                self.id.resource_type()
            ),
            Why::Silent(what) => write!(f, "{}: {what}", self.id),
        }
    }
}

impl Address {
    /// The address as Azure writes it: a single one without a length.
    #[must_use]
    pub fn text(&self) -> String {
        if self.range.prefix_len() == self.range.max_prefix_len() {
            self.range.addr().to_string()
        } else {
            self.range.to_string()
        }
    }
}

/// From where the cluster with that id and body reaches the world.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn of(id: &ArmId, cluster: &Json, seen: &Seen) -> Result<Egress, Unread> {
    let network = &cluster["properties"]["networkProfile"];
    let outbound = network["outboundType"].as_str().unwrap_or_default();
    // The values of `outboundType` of Microsoft.ContainerService 2026-04-01; `block` is a preview.
    match outbound.to_lowercase().as_str() {
        "loadbalancer" => effective(id, &network["loadBalancerProfile"], seen),
        "managednatgateway" => effective(id, &network["natGatewayProfile"], seen),
        "userassignednatgateway" => of_gateways(id, cluster, seen),
        "userdefinedrouting" => Ok(Egress::Routed),
        "none" | "block" => Ok(Egress::Closed),
        _ => {
            let gap = silent(id, format!("its outbound type is {outbound:?}"));
            Ok(Egress::Unfound(vec![gap]))
        }
    }
}

/// The addresses that AKS itself lists, of its load balancer or its own NAT gateway.
fn effective(id: &ArmId, profile: &Json, seen: &Seen) -> Result<Egress, Unread> {
    let holders = ids(&profile["effectiveOutboundIPs"]);
    if holders.is_empty() {
        let gap = silent(id, "it lists no outbound addresses");
        return Ok(Egress::Unfound(vec![gap]));
    }
    held(&holders.into_iter().map(|id| (id, None)).collect(), seen)
}

/// The addresses and prefixes of the NAT gateways of all node subnets.
fn of_gateways(id: &ArmId, cluster: &Json, seen: &Seen) -> Result<Egress, Unread> {
    let subnets = node_subnets(cluster);
    if subnets.is_empty() {
        let gap = silent(id, "none of its pools names a subnet");
        return Ok(Egress::Unfound(vec![gap]));
    }
    let mut gaps = Vec::new();
    let mut gateways = BTreeSet::new();
    for (subnet, found) in look_at_all(subnets, seen, &mut gaps)? {
        let gateway = found["properties"]["natGateway"]["id"].as_str();
        match gateway.and_then(|id| ArmId::parse(id).ok()) {
            Some(gateway) => drop(gateways.insert(gateway)),
            None => gaps.push(silent(&subnet, "it has no NAT gateway")),
        }
    }
    match of_nat_gateways(&gateways, seen)? {
        Egress::Unfound(more) => gaps.extend(more),
        known if gaps.is_empty() => return Ok(known),
        _ => {}
    }
    Ok(Egress::Unfound(gaps))
}

/// The addresses and prefixes of NAT gateways.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn of_nat_gateways(gateways: &BTreeSet<ArmId>, seen: &Seen) -> Result<Egress, Unread> {
    let mut gaps = Vec::new();
    let mut holders = BTreeSet::new();
    for (gateway, found) in look_at_all(gateways.clone(), seen, &mut gaps)? {
        let properties = &found["properties"];
        let lists = ["publicIpAddresses", "publicIpPrefixes"]
            .into_iter()
            // The IPv6 lists of a NAT gateway of the SKU StandardV2 (Microsoft.Network 2025-05-01).
            .chain(["publicIpAddressesV6", "publicIpPrefixesV6"]);
        let own: Vec<_> = lists.flat_map(|list| ids(&properties[list])).collect();
        if own.is_empty() {
            gaps.push(silent(&gateway, "it has no public address"));
        }
        holders.extend(own.into_iter().map(|id| (id, Some(gateway.clone()))));
    }
    match held(&holders, seen)? {
        Egress::Unfound(more) => gaps.extend(more),
        known if gaps.is_empty() => return Ok(known),
        _ => {}
    }
    Ok(Egress::Unfound(gaps))
}

/// The addresses that public IP addresses and prefixes have.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn of_public_addresses(ids: &BTreeSet<ArmId>, seen: &Seen) -> Result<Egress, Unread> {
    let holders: BTreeSet<_> = ids.iter().map(|id| (id.clone(), None)).collect();
    held(&holders, seen)
}

fn held(holders: &BTreeSet<(ArmId, Option<ArmId>)>, seen: &Seen) -> Result<Egress, Unread> {
    let mut gaps = Vec::new();
    let ids: BTreeSet<ArmId> = holders.iter().map(|(id, _)| id.clone()).collect();
    let found = look_at_all(ids, seen, &mut gaps)?;
    let mut addresses = Vec::new();
    for (id, holder) in found {
        let properties = &holder["properties"];
        let text = properties["ipAddress"]
            .as_str()
            .or(properties["ipPrefix"].as_str());
        let range = text.and_then(|text| {
            let single = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
            text.parse().ok().or_else(single)
        });
        let Some(range) = range else {
            gaps.push(silent(&id, "no address has been assigned to it"));
            continue;
        };
        let users = holders.iter().filter(|(holder, _)| *holder == id);
        addresses.extend(users.map(|(id, gateway)| Address {
            range,
            id: id.clone(),
            nat_gateway_id: gateway.clone(),
        }));
    }
    addresses.sort();
    Ok(if gaps.is_empty() && !addresses.is_empty() {
        Egress::Known(addresses)
    } else {
        Egress::Unfound(gaps)
    })
}

/// The subnets of a cluster's nodes, each once; a pool in a network of AKS's own names none.
#[must_use]
pub fn node_subnets(cluster: &Json) -> BTreeSet<ArmId> {
    let pools = cluster["properties"]["agentPoolProfiles"].as_array();
    pools
        .into_iter()
        .flatten()
        .filter_map(|pool| ArmId::parse(pool["vnetSubnetID"].as_str()?).ok())
        .collect()
}

/// Looks at all of them at the same time. What is not there to be seen becomes a gap.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn look_at_all<'a>(
    ids: BTreeSet<ArmId>,
    seen: &'a Seen,
    gaps: &mut Vec<Gap>,
) -> Result<Vec<(ArmId, &'a Json)>, Unread> {
    let looks: Vec<_> = ids.iter().map(|id| seen.look(id)).collect();
    let mut found = Vec::new();
    for (id, look) in ids.into_iter().zip(looks) {
        let why = match look? {
            Look::Found(json) => {
                found.push((id, json));
                continue;
            }
            Look::Absent => Why::Absent,
            Look::Denied(error) => Why::Denied(error),
        };
        gaps.push(Gap { id, why });
    }
    Ok(found)
}

/// Something that is there and does not tell.
fn silent(id: &ArmId, what: impl Into<String>) -> Gap {
    Gap {
        id: id.clone(),
        why: Why::Silent(what.into()),
    }
}

fn ids(list: &Json) -> BTreeSet<ArmId> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| ArmId::parse(item["id"].as_str()?).ok())
        .collect()
}

#[cfg(test)]
mod tests;
