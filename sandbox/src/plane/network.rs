//! By which way a client comes to a registry, and whether the registry lets it in. A client says where it
//! stands: a public address, a private one of a subnet, the id of a subnet, or `trusted-service`. From a
//! subnet it goes where its network's private zone leads (Microsoft Learn, "Connect privately to an Azure container
//! registry": without a linked zone the public address is found), else out to the world.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::container_registry::{connections, rules};
use crate::types::network::private_endpoints as endpoints;
use crate::types::network::subnets;
use crate::types::network::virtual_network_peerings as peerings;
use crate::types::network::{addresses, network_of};
use crate::types::private_dns::links;

/// Where clients come from who do not say it: somewhere in the internet.
const SOMEWHERE: &str = "198.51.100.10";
/// Where the trusted services of Azure come from, such as Defender.
const TRUSTED_ADDRESS: &str = "192.0.2.53";
/// The place of a trusted service.
const TRUSTED: &str = "trusted-service";
/// The zone in which registries have their private addresses.
const ZONE: &str = "privatelink.azurecr.io";

/// The address at which Azure resolves names for a network.
const AZURE_DNS: &str = "168.63.129.16";

/// Why a client does not get in.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The registry denies this address.
    Denied(String),
    /// No connection comes about: its name or address leads nowhere from there.
    Unreachable(String),
}

/// How a client comes.
enum Way {
    /// Over a private endpoint, with an address of its network.
    Private(String),
    /// Over the internet, with this address.
    Public(String),
}

/// The address with which a registry sees who comes from a place.
///
/// # Errors
/// The registry does not let it in, or it does not find the registry.
pub fn admits(world: &World, registry: &Resource, place: &str) -> Result<String, Refusal> {
    if place == TRUSTED {
        let open = rules_admit(registry, None);
        let bypass = !rules::is(registry, "networkRuleBypassOptions", "None");
        return match open || bypass {
            true => Ok(TRUSTED_ADDRESS.to_owned()),
            false => Err(Refusal::Denied(TRUSTED_ADDRESS.to_owned())),
        };
    }
    match way(world, registry, place)? {
        Way::Private(address) => Ok(address),
        Way::Public(address) if rules_admit(registry, address.parse().ok()) => Ok(address),
        Way::Public(address) => Err(Refusal::Denied(address)),
    }
}

fn way(world: &World, registry: &Resource, place: &str) -> Result<Way, Refusal> {
    if place.starts_with("/subscriptions/") {
        let subnet = world
            .get(place)
            .ok_or_else(|| Refusal::Unreachable(format!("there is no subnet {place}")))?;
        return from_subnet(world, registry, subnet);
    }
    let text = if place.is_empty() { SOMEWHERE } else { place };
    let address = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_private() => IpAddr::V4(address),
        Ok(_) => return Ok(Way::Public(text.to_owned())),
        Err(_) => return Err(Refusal::Denied(text.to_owned())),
    };
    let around = subnets_with(world, address);
    let ways = around
        .into_iter()
        .map(|subnet| from_subnet(world, registry, subnet));
    // Networks may share addresses: one of them has to lead there. An address of none stands at the other
    // end of a gateway, and whichever endpoint there is was found for it.
    let best = ways.reduce(|best, way| match best {
        Ok(Way::Private(_)) => best,
        _ => way,
    });
    match best {
        Some(Ok(Way::Private(_))) => Ok(Way::Private(text.to_owned())),
        Some(other) => other,
        None if approved(world, registry).next().is_some() => Ok(Way::Private(text.to_owned())),
        None => Err(Refusal::Denied(text.to_owned())),
    }
}

fn subnets_with(world: &World, address: IpAddr) -> Vec<&Resource> {
    let holds = |subnet: &&Resource| {
        let ranges = addresses::of_subnet(subnet).unwrap_or_default();
        ranges.iter().any(|range| range.contains(&address))
    };
    world.of_type(subnets::NAME).filter(holds).collect()
}

fn approved<'a>(world: &'a World, registry: &Resource) -> impl Iterator<Item = &'a Resource> {
    world
        .list(registry.id.as_str(), connections::NAME)
        .filter(|connection| {
            connection.text("/properties/privateLinkServiceConnectionState/status")
                == Some("Approved")
        })
}

/// What the public rules say to an address; to none they say whether all are let in.
fn rules_admit(registry: &Resource, address: Option<IpAddr>) -> bool {
    let listed = |address: IpAddr| {
        registry
            .items("/properties/networkRuleSet/ipRules")
            .iter()
            .filter_map(|rule| rule["value"].as_str())
            .filter_map(|range| {
                let single = || range.parse::<IpAddr>().ok().map(IpNet::from);
                range.parse::<IpNet>().ok().or_else(single)
            })
            .any(|range| range.contains(&address))
    };
    !rules::is(registry, "publicNetworkAccess", "Disabled")
        && (!rules::is(registry, "networkRuleSet/defaultAction", "Deny")
            || address.is_some_and(listed))
}

fn from_subnet(world: &World, registry: &Resource, subnet: &Resource) -> Result<Way, Refusal> {
    let network = network_of(&subnet.id);
    let server = registry.text("/properties/loginServer").unwrap_or_default();
    let link = resolvers(world, &network)
        .iter()
        .find_map(|resolver| links::of_network(world, resolver, ZONE));
    // A registry without endpoints has no alias below the zone: its name leads to its public address.
    let Some(link) = link.filter(|_| approved(world, registry).next().is_some()) else {
        return Ok(Way::Public(egress(world, subnet)));
    };
    let label = server.split_once('.').map_or(server, |(label, _)| label);
    let record = link
        .id
        .parent()
        .and_then(|zone| world.get(zone.child("A", label).as_str()));
    let Some(address) = record
        .and_then(|set| set.items("/properties/aRecords").first())
        .and_then(|record| record["ipv4Address"].as_str())
    else {
        return match rules::is(link, "resolutionPolicy", "NxDomainRedirect") {
            true => Ok(Way::Public(egress(world, subnet))),
            false => Err(Refusal::Unreachable(format!(
                "{server} has no record in the zone {ZONE} that {network} resolves through"
            ))),
        };
    };
    let leads = world.of_type(endpoints::NAME).any(|endpoint| {
        let ours = endpoints::connection_on_target(world, endpoint).is_some_and(|connection| {
            connection
                .id
                .parent()
                .is_some_and(|target| target.same(registry.id.as_str()))
                && rules::is(
                    connection,
                    "privateLinkServiceConnectionState/status",
                    "Approved",
                )
        });
        let there = endpoint
            .text("/properties/subnet/id")
            .and_then(ResourceId::parse)
            .is_some_and(|at| reaches(world, &network, &network_of(&at)));
        ours && there
            && endpoints::endpoint_map(world, endpoint)
                .iter()
                .any(|(member, own)| member.name == "registry" && own == address)
    });
    if !leads {
        return Err(Refusal::Unreachable(format!(
            "{address}, to which {server} leads in {network}, is no approved endpoint of the registry in reach"
        )));
    }
    let own = addresses::free(world, subnet).next();
    Ok(Way::Private(own.map_or_else(
        || SOMEWHERE.to_owned(),
        |own| own.to_string(),
    )))
}

/// The networks whose links to zones count for who asks in a network: its own, or, when it has DNS servers
/// of its own, those in which these stand (Microsoft Learn, "Azure Private Endpoint private DNS zone values":
/// a DNS server in a network forwards to 168.63.129.16, which resolves as that network does).
fn resolvers(world: &World, network: &ResourceId) -> Vec<ResourceId> {
    let servers = world.get(network.as_str()).map_or(&[][..], |network| {
        network.items("/properties/dhcpOptions/dnsServers")
    });
    if servers.is_empty() {
        return vec![network.clone()];
    }
    servers
        .iter()
        .filter_map(|server| server.as_str()?.parse::<IpAddr>().ok())
        .flat_map(|server| match server.to_string().as_str() {
            AZURE_DNS => vec![network.clone()],
            _ => subnets_with(world, server)
                .into_iter()
                .map(|subnet| network_of(&subnet.id))
                .collect(),
        })
        .collect()
}

/// The same network, or one that a connected peering leads to.
fn reaches(world: &World, from: &ResourceId, to: &ResourceId) -> bool {
    from.same(to.as_str())
        || world.list(from.as_str(), peerings::NAME).any(|peering| {
            peerings::state(peering) == "Connected"
                && peering.at("/properties/allowVirtualNetworkAccess") != Some(&false.into())
                && peerings::remote(peering).is_some_and(|remote| remote.same(to.as_str()))
        })
}

/// The public address of what stands in a subnet: its NAT gateway's, or that of a cluster's load balancer.
fn egress(world: &World, subnet: &Resource) -> String {
    let of_gateway = || {
        let gateway = world.get(subnet.text("/properties/natGateway/id")?)?;
        gateway.text("/properties/publicIpAddresses/0/id")
    };
    let of_cluster = || {
        let pool = world.all().find(|pool| {
            pool.text("/properties/vnetSubnetID")
                .is_some_and(|id| subnet.id.same(id))
        })?;
        let cluster = world.view(world.get(pool.id.parent()?.as_str())?);
        ["loadBalancerProfile", "natGatewayProfile"]
            .iter()
            .find_map(|profile| {
                let path =
                    format!("/properties/networkProfile/{profile}/effectiveOutboundIPs/0/id");
                cluster.pointer(&path)?.as_str().map(ToOwned::to_owned)
            })
    };
    of_gateway()
        .map(ToOwned::to_owned)
        .or_else(of_cluster)
        .and_then(|id| world.get(&id)?.text("/properties/ipAddress"))
        .unwrap_or(SOMEWHERE)
        .to_owned()
}
