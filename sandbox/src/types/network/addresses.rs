//! Prefixes and addresses: parsing with Azure's refusals, what a subnet has in use, and the next free address.
//! Azure keeps the first four addresses and the last one of each subnet prefix for itself.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use serde_json::Value;

use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::container_service::capacity;

/// Addresses that Azure keeps in each subnet prefix.
pub const RESERVED: usize = 5;

/// A prefix as the network provider takes it: no host bits.
///
/// # Errors
/// `InvalidCIDRNotation`, naming the prefix that was probably meant.
pub fn prefix(text: &str, owner: &str) -> ArmResult<IpNet> {
    let parsed: Option<IpNet> = text.parse().ok();
    match parsed {
        Some(net) if net.trunc() == net => Ok(net),
        Some(net) => Err(ArmError::bad(
            "InvalidCIDRNotation",
            format!(
                "The address prefix {text} in resource {owner} has an invalid CIDR notation. For the given prefix length, the address prefix should be {}.",
                net.trunc()
            ),
        )),
        None => Err(ArmError::bad(
            "InvalidAddressPrefixFormat",
            format!(
                "Address prefix {text} of resource {owner} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24."
            ),
        )),
    }
}

/// The prefixes of a subnet, from `addressPrefix` or `addressPrefixes`.
///
/// # Errors
/// As `prefix`, or when the subnet has none.
pub fn of_subnet(subnet: &Resource) -> ArmResult<Vec<IpNet>> {
    let single = subnet.text("/properties/addressPrefix").into_iter();
    let several = subnet
        .items("/properties/addressPrefixes")
        .iter()
        .filter_map(|item| item.as_str());
    let mut texts: Vec<&str> = several.chain(single).collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.is_empty() {
        return Err(ArmError::bad(
            "NoAddressPrefixOrPoolProvided",
            format!(
                "Subnet {} must have an address prefix or an IPAM pool.",
                subnet.id.name()
            ),
        ));
    }
    texts
        .into_iter()
        .map(|text| prefix(text, subnet.id.as_str()))
        .collect()
}

/// True when the two ranges share an address.
#[must_use]
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The addresses of a subnet that somebody has.
#[must_use]
pub fn used(world: &World, subnet: &ResourceId) -> BTreeSet<IpAddr> {
    configurations(world, subnet).filter_map(address).collect()
}

/// The IP configurations that lie in a subnet: those of network interfaces, of the nodes and pods of
/// clusters, and of internal load balancers.
pub fn configurations<'a>(
    world: &'a World,
    subnet: &'a ResourceId,
) -> impl Iterator<Item = &'a Value> {
    world
        .of_type("Microsoft.Network/networkInterfaces")
        .flat_map(|nic| nic.items("/properties/ipConfigurations"))
        .chain(capacity::configurations(world))
        .chain(
            world
                .of_type(super::load_balancers::NAME)
                .flat_map(|balancer| balancer.items("/properties/frontendIPConfigurations")),
        )
        .filter(|ip| {
            ip.pointer("/properties/subnet/id")
                .and_then(Value::as_str)
                .is_some_and(|id| subnet.same(id))
        })
}

/// The private address of an IP configuration.
#[must_use]
pub fn address(configuration: &Value) -> Option<IpAddr> {
    configuration
        .pointer("/properties/privateIPAddress")?
        .as_str()?
        .parse()
        .ok()
}

/// The free addresses of a subnet's IPv4 prefixes, lowest first.
pub fn free(world: &World, subnet: &Resource) -> impl Iterator<Item = Ipv4Addr> {
    let used = used(world, &subnet.id);
    let prefixes: Vec<Ipv4Net> = of_subnet(subnet)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|net| match net {
            IpNet::V4(net) => Some(net),
            IpNet::V6(_) => None,
        })
        .collect();
    prefixes
        .into_iter()
        .flat_map(usable)
        .filter(move |address| !used.contains(&IpAddr::V4(*address)))
}

/// The addresses of a prefix without those that Azure keeps.
fn usable(net: Ipv4Net) -> impl Iterator<Item = Ipv4Addr> {
    let first = u32::from(net.network()).saturating_add(4);
    let last = u32::from(net.broadcast());
    (first..last).map(Ipv4Addr::from)
}

/// How many addresses of a subnet resources can have.
#[must_use]
pub fn capacity(subnet: &Resource) -> usize {
    of_subnet(subnet)
        .unwrap_or_default()
        .iter()
        .map(|net| match net {
            IpNet::V4(net) => usable(*net).count(),
            IpNet::V6(_) => 0,
        })
        .sum()
}

/// Checks an address that a client chose.
///
/// # Errors
/// It is no address, not in the subnet, kept by Azure, or taken by another interface than `mine`.
pub fn check_static(
    world: &World,
    subnet: &Resource,
    text: &str,
    mine: &BTreeSet<IpAddr>,
) -> ArmResult<Ipv4Addr> {
    let Ok(address) = text.parse::<Ipv4Addr>() else {
        return Err(ArmError::bad(
            "InvalidIPAddressFormat",
            format!("'{text}' is not a valid IPv4 address."),
        ));
    };
    let nets = of_subnet(subnet)?;
    let home = nets.iter().find_map(|net| match net {
        IpNet::V4(net) if net.contains(&address) => Some(*net),
        _ => None,
    });
    let Some(home) = home else {
        return Err(ArmError::bad(
            "PrivateIPAddressNotInSubnet",
            format!(
                "Private static IP address {address} does not belong to the range of subnet prefix {}.",
                nets.iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ));
    };
    if !usable(home).any(|free| free == address) {
        return Err(ArmError::bad(
            "PrivateIPAddressInReservedRange",
            format!(
                "Private static IP address {address} falls within reserved IP range of subnet prefix {home}."
            ),
        ));
    }
    let address = IpAddr::V4(address);
    if used(world, &subnet.id).contains(&address) && !mine.contains(&address) {
        return Err(ArmError::bad(
            "PrivateIPAddressIsAllocated",
            format!(
                "IP configuration is using the private IP address {address} which is already allocated to another resource."
            ),
        ));
    }
    match address {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => Err(ArmError::bad(
            "InvalidIPAddressFormat",
            "An IPv4 address is needed.",
        )),
    }
}

/// The refusal of a subnet that has too few free addresses.
#[must_use]
pub fn full(subnet: &Resource, needed: usize) -> ArmError {
    let prefixes = of_subnet(subnet)
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    ArmError::bad(
        "SubnetIsFull",
        format!(
            "Subnet {} with address prefix {prefixes} does not have enough capacity for {needed} IP addresses.",
            subnet.id.name()
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn subnet(prefix: &str) -> Resource {
        let id = ResourceId::parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a").unwrap();
        Resource::new(
            id,
            "Microsoft.Network/virtualNetworks/subnets",
            json!({ "properties": { "addressPrefix": prefix } }),
        )
    }

    #[test]
    fn a_prefix_of_29_has_three_addresses_and_the_fourth_is_the_first() {
        let world = World::new("t", &[], uuid::Uuid::nil());
        let subnet = subnet("10.0.0.0/29");
        assert_eq!(capacity(&subnet), 3);
        assert_eq!(
            free(&world, &subnet)
                .map(|a| a.to_string())
                .collect::<Vec<_>>(),
            ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
        );
        let code = |text| {
            check_static(&world, &subnet, text, &BTreeSet::new())
                .err()
                .map(|error| error.code)
        };
        assert_eq!(
            code("10.0.0.3").as_deref(),
            Some("PrivateIPAddressInReservedRange")
        );
        assert_eq!(
            code("10.0.0.7").as_deref(),
            Some("PrivateIPAddressInReservedRange")
        );
        assert_eq!(
            code("10.0.0.8").as_deref(),
            Some("PrivateIPAddressNotInSubnet")
        );
        assert_eq!(code("ten").as_deref(), Some("InvalidIPAddressFormat"));
        assert_eq!(code("10.0.0.6"), None);
    }

    #[test]
    fn host_bits_are_refused_with_what_was_meant() {
        let error = prefix("10.0.0.1/24", "x").unwrap_err();
        assert_eq!(error.code, "InvalidCIDRNotation");
        assert!(error.message.contains("10.0.0.0/24"), "{}", error.message);
        assert_eq!(
            prefix("10.0.0.0", "x").unwrap_err().code,
            "InvalidAddressPrefixFormat"
        );
    }

    proptest! {
        #[test]
        fn every_subnet_keeps_five_addresses(bits in any::<u32>(), length in 20u8..=29) {
            let net = Ipv4Net::new(Ipv4Addr::from(bits), length).unwrap().trunc();
            prop_assert_eq!(capacity(&subnet(&net.to_string())) + RESERVED, 1 << (32 - length));
        }
    }
}
