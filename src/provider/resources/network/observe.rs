//! What there is, in the user's terms: the network's arguments, its subnets by key, and the
//! subnets that others added.

use std::collections::BTreeMap;

use super::subnets::Subnet;
use super::{Addresses, Input, Network, Other, Output, addresses, subnets_within};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled, spelled_id};

/// Observes the network of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<Network>, Unread> {
    let own: Vec<(String, Option<&Subnet>, ArmId)> = match prior {
        Some(prior) => prior
            .subnets()
            .into_iter()
            .map(|(key, (_, subnet))| {
                let id = id.child("subnets", subnet.name(key));
                (key.to_owned(), Some(subnet), id)
            })
            .collect(),
        None => {
            let network = seen.look(id)?.found();
            let found = network.map(|network| subnets_within(id, network));
            found
                .unwrap_or_default()
                .into_iter()
                .map(|(id, _)| (id.name().to_owned(), None, id))
                .collect()
        }
    };
    // Everything is asked for before anything is used.
    let looks: Vec<_> = own.iter().map(|(_, _, id)| seen.look(id)).collect();
    let network = seen.look(id)?.found();
    let mut subnets = BTreeMap::new();
    let mut output = Output {
        subnet_ids: BTreeMap::new(),
        subnet_address_prefixes: BTreeMap::new(),
        subnet_addresses: BTreeMap::new(),
        other_subnets: others(id, network, &own, seen)?,
    };
    for ((key, prior, id), look) in own.into_iter().zip(looks) {
        // One that is missing keeps its arguments: it shows as drift with its own reason.
        let subnet = match look? {
            Look::Found(found) => {
                let subnet = Subnet::observed(prior, id.name(), found);
                let prefixes = subnet.address_prefixes.as_deref().unwrap_or_default();
                let (usable, free) = addresses::counts(prefixes, found);
                let counts = Addresses { usable, free };
                output.subnet_addresses.insert(key.clone(), counts);
                subnet
            }
            Look::Absent | Look::Denied(_) => match prior {
                Some(prior) => prior.clone(),
                None => continue,
            },
        };
        let prefixes = subnet.address_prefixes.clone().unwrap_or_default();
        output.subnet_address_prefixes.insert(key.clone(), prefixes);
        output.subnet_ids.insert(key.clone(), id);
        subnets.insert(key, subnet);
    }
    let subnets = match prior {
        Some(prior) => prior.subnets.as_ref().map(|_| subnets),
        None => (!subnets.is_empty()).then_some(subnets),
    };
    let input = match (network, prior) {
        (Some(network), _) => arguments(id, prior, network, subnets, seen),
        (None, Some(prior)) => Input {
            subnets,
            ..prior.clone()
        },
        (None, None) => arguments(id, None, &Json::Null, subnets, seen),
    };
    Ok(Observed::new(input, output))
}

/// The subnets that are not in the user's map. One that was deleted a moment ago may still stand
/// in an older answer of the network.
fn others(
    id: &ArmId,
    network: Option<&Json>,
    own: &[(String, Option<&Subnet>, ArmId)],
    seen: &Seen,
) -> Result<BTreeMap<String, Other>, Unread> {
    let mut others = BTreeMap::new();
    let found = network.map(|network| subnets_within(id, network));
    for (id, _) in found.unwrap_or_default() {
        if own.iter().any(|(_, _, own)| *own == id) {
            continue;
        }
        if let Look::Found(subnet) = seen.look(&id)? {
            let address_prefixes = addresses::found_prefixes(subnet);
            let name = id.name().to_owned();
            others.insert(
                name,
                Other {
                    id,
                    address_prefixes,
                },
            );
        }
    }
    Ok(others)
}

fn arguments(
    id: &ArmId,
    prior: Option<&Input>,
    network: &Json,
    subnets: Option<BTreeMap<String, Subnet>>,
    seen: &Seen,
) -> Input {
    let properties = &network["properties"];
    let space = addresses::texts(&properties["addressSpace"]["addressPrefixes"]);
    let servers = addresses::texts(&properties["dhcpOptions"]["dnsServers"]);
    let unset = prior.is_none_or(|prior| prior.dns_servers.is_none());
    let plan = &properties["ddosProtectionPlan"]["id"];
    let group = prior
        .map(|prior| prior.resource_group_id.clone())
        .or_else(|| id.resource_group_id());
    Input {
        name: prior.map_or_else(|| id.name().to_owned(), |prior| prior.name.clone()),
        resource_group_id: group.unwrap_or_else(|| ArmId::subscription(id.subscription_id())),
        location: spelled(
            prior.map(|prior| prior.location.as_str()),
            &network["location"],
        ),
        address_space: addresses::spelled(prior.map(|prior| &prior.address_space), space),
        dns_servers: (!(servers.is_empty() && unset)).then_some(servers),
        ddos_protection_plan_id: spelled_id(
            prior.and_then(|prior| prior.ddos_protection_plan_id.as_ref()),
            plan,
        ),
        reserved_prefixes: prior.and_then(|prior| prior.reserved_prefixes.clone()),
        subnets,
        tags: seen
            .tag_policy()
            .observed(network, prior.and_then(|prior| prior.tags.as_ref())),
    }
}
