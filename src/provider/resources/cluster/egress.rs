//! The public addresses from which a cluster reaches the world, as far as Azure knows them.

use std::collections::BTreeSet;

use super::{Input, Outbound};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread};

/// The addresses: those of the load balancer, or of the subnets' NAT gateways. `None` where they
/// are not known: behind a firewall, without a way out, or when one of them may not be read. It
/// is never a part of them.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn addresses(
    input: &Input,
    cluster: &Json,
    seen: &Seen,
) -> Result<Option<BTreeSet<String>>, Unread> {
    let holders = match input.outbound_type {
        Outbound::UserDefinedRouting | Outbound::None => return Ok(None),
        Outbound::LoadBalancer => {
            let profile = &cluster["properties"]["networkProfile"]["loadBalancerProfile"];
            ids(&profile["effectiveOutboundIPs"])
        }
        Outbound::NatGateway => match of_gateways(input, seen)? {
            Some(holders) => holders,
            None => return Ok(None),
        },
    };
    let looks: Vec<_> = holders.iter().map(|id| seen.look(id)).collect();
    let mut addresses = BTreeSet::new();
    for look in looks {
        let Look::Found(holder) = look? else {
            return Ok(None);
        };
        let properties = &holder["properties"];
        let address = properties["ipAddress"]
            .as_str()
            .or(properties["ipPrefix"].as_str());
        match address {
            Some(address) => addresses.insert(address.to_owned()),
            None => return Ok(None),
        };
    }
    Ok((!addresses.is_empty()).then_some(addresses))
}

/// The addresses and prefixes of the NAT gateways of all node subnets.
fn of_gateways(input: &Input, seen: &Seen) -> Result<Option<Vec<ArmId>>, Unread> {
    let subnets = input.node_subnets().into_iter();
    let looks: Vec<_> = subnets.map(|id| seen.look(id)).collect();
    let mut gateways = BTreeSet::new();
    for look in looks {
        let gateway = look?
            .found()
            .and_then(|subnet| subnet["properties"]["natGateway"]["id"].as_str())
            .and_then(|id| ArmId::parse(id).ok());
        match gateway {
            Some(gateway) => gateways.insert(gateway),
            None => return Ok(None),
        };
    }
    let looks: Vec<_> = gateways.iter().map(|id| seen.look(id)).collect();
    let mut holders = Vec::new();
    for look in looks {
        let Look::Found(gateway) = look? else {
            return Ok(None);
        };
        holders.extend(ids(&gateway["properties"]["publicIpAddresses"]));
        holders.extend(ids(&gateway["properties"]["publicIpPrefixes"]));
    }
    Ok(Some(holders))
}

fn ids(list: &Json) -> Vec<ArmId> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| ArmId::parse(item["id"].as_str()?).ok())
        .collect()
}
