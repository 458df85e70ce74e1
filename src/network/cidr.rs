//! Arithmetic on address prefixes, and the ranges that Azure keeps for itself.
//!
//! Facts: "Azure Virtual Network frequently asked questions" (ranges that cannot be used, five
//! reserved addresses in each subnet, IPv4 subnets of /2 to /29, IPv6 subnets of /64).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

/// The longest prefix that an IPv4 subnet can have: eight addresses, three of them usable.
pub const SMALLEST_SUBNET: u8 = 29;

/// The only prefix length that an IPv6 subnet can have.
pub const IPV6_SUBNET: u8 = 64;

/// How many addresses Azure keeps in each subnet: the first four and the last one.
pub const RESERVED_ADDRESSES: u32 = 5;

/// A range that no address space may touch, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusable {
    /// The range.
    pub range: Ipv4Net,
    /// What it is for.
    pub what: &'static str,
}

/// The ranges that Azure refuses in the address space of a network.
pub const UNUSABLE: [Unusable; 5] = [
    unusable([224, 0, 0, 0], 4, "multicast"),
    unusable([255, 255, 255, 255], 32, "broadcast"),
    unusable([127, 0, 0, 0], 8, "loopback"),
    unusable([169, 254, 0, 0], 16, "link-local"),
    unusable([168, 63, 129, 16], 32, "Azure's own DNS and health probes"),
];

/// The ranges that AKS refuses for the subnets of a cluster, beside those of [`UNUSABLE`]
/// (Microsoft Learn, "Configure Azure CNI networking in AKS", prerequisites).
pub const UNUSABLE_FOR_AKS: [Unusable; 3] = [
    unusable([172, 30, 0, 0], 16, "kept by AKS"),
    unusable([172, 31, 0, 0], 16, "kept by AKS"),
    unusable([192, 0, 2, 0], 24, "kept by AKS"),
];

/// Where blocks for something new are looked for: the private ranges (RFC 1918).
const PRIVATE: [IpNet; 3] = [
    IpNet::V4(range([10, 0, 0, 0], 8)),
    IpNet::V4(range([172, 16, 0, 0], 12)),
    IpNet::V4(range([192, 168, 0, 0], 16)),
];

const fn unusable(octets: [u8; 4], length: u8, what: &'static str) -> Unusable {
    Unusable {
        range: range(octets, length),
        what,
    }
}

const fn range(octets: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// Why a text is no address prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// It is a resource id.
    #[error("{0:?} is the id of a resource, not an address prefix such as \"10.0.0.0/24\"")]
    ResourceId(String),
    /// It is an address without a length.
    #[error("{text:?} is a single address; as a prefix it is {meant}")]
    NoLength {
        /// What was written.
        text: String,
        /// That address alone.
        meant: IpNet,
    },
    /// It has bits set behind its length.
    #[error(
        "{text:?} has host bits set: a /{} that holds {} is {meant}",
        meant.prefix_len(),
        address_of(text)
    )]
    HostBits {
        /// What was written.
        text: String,
        /// The prefix of that length which holds the address.
        meant: IpNet,
    },
    /// It is nothing of the kind.
    #[error("{0:?} is no address prefix; write one such as \"10.0.0.0/24\"")]
    NotAPrefix(String),
}

impl CidrError {
    /// The prefix that was probably meant.
    #[must_use]
    pub const fn meant(&self) -> Option<IpNet> {
        match self {
            Self::NoLength { meant, .. } | Self::HostBits { meant, .. } => Some(*meant),
            Self::ResourceId(_) | Self::NotAPrefix(_) => None,
        }
    }
}

/// Reads an address prefix whose host bits are zero, as Azure demands it.
///
/// # Errors
/// When it is anything else; the error says which prefix was probably meant.
pub fn parse(text: &str) -> Result<IpNet, CidrError> {
    if text
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/"))
    {
        return Err(CidrError::ResourceId(text.to_owned()));
    }
    if let Some(net) = read(text) {
        let meant = net.trunc();
        return if meant == net {
            Ok(net)
        } else {
            Err(CidrError::HostBits {
                text: text.to_owned(),
                meant,
            })
        };
    }
    match text.parse::<IpAddr>() {
        Ok(address) => Err(CidrError::NoLength {
            text: text.to_owned(),
            meant: IpNet::from(address),
        }),
        Err(_) => Err(CidrError::NotAPrefix(text.to_owned())),
    }
}

/// An address and a length. Leading zeros are refused: some programs read them as octal.
fn read(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let plain = length.bytes().all(|byte| byte.is_ascii_digit())
        && (length == "0" || !length.starts_with('0'));
    IpNet::new(
        address.parse().ok()?,
        length.parse().ok().filter(|_| plain)?,
    )
    .ok()
}

/// [`parse`] as a check of a schema's attribute.
///
/// # Errors
/// Those of [`parse`], as text.
pub fn check(text: &str) -> Result<(), String> {
    parse(text).map(drop).map_err(|error| error.to_string())
}

/// Whether two prefixes share an address. Of two prefixes that do, one contains the other.
#[must_use]
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The positions of all pairs that share an address, the smaller first, in order.
#[must_use]
pub fn overlaps(prefixes: &[IpNet]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (i, a) in prefixes.iter().enumerate() {
        for (j, b) in prefixes.iter().enumerate().skip(i + 1) {
            if overlap(a, b) {
                pairs.push((i, j));
            }
        }
    }
    pairs
}

/// Whether one of the prefixes of an address space contains the whole prefix. Azure does not
/// join neighbours: a subnet lies within one of them.
#[must_use]
pub fn within(space: &[IpNet], prefix: &IpNet) -> bool {
    space.iter().any(|part| part.contains(prefix))
}

/// The first of these ranges that the prefix touches.
#[must_use]
pub fn touches<'a>(ranges: &'a [Unusable], prefix: &IpNet) -> Option<&'a Unusable> {
    ranges
        .iter()
        .find(|unusable| overlap(&IpNet::V4(unusable.range), prefix))
}

/// How many addresses of a subnet Azure gives out. Never negative.
#[must_use]
pub fn usable_addresses(subnet: &IpNet) -> u128 {
    let size = last(subnet) - first(subnet);
    size.saturating_add(1)
        .saturating_sub(u128::from(RESERVED_ADDRESSES))
}

/// The longest prefix of an IPv4 subnet that has at least so many usable addresses.
#[must_use]
pub fn length_for(addresses: u32) -> Option<u8> {
    let needed = u64::from(addresses) + u64::from(RESERVED_ADDRESSES);
    (2..=SMALLEST_SUBNET)
        .rev()
        .find(|length| 1u64 << (32 - length) >= needed)
}

/// Whether Azure gives that address of the subnet to anyone.
#[must_use]
pub fn is_assignable(subnet: &IpNet, address: &IpAddr) -> bool {
    subnet.contains(address) && {
        let number = address_bits(address);
        number - first(subnet) >= 4 && number != last(subnet)
    }
}

/// The n-th address of a prefix, counted from 0; negative numbers count from its end, so that
/// -1 is the last. `None` when it has no such address.
#[must_use]
pub fn address(prefix: &IpNet, n: i128) -> Option<IpAddr> {
    let number = if n < 0 {
        last(prefix).checked_sub(n.unsigned_abs() - 1)?
    } else {
        first(prefix).checked_add(n.unsigned_abs())?
    };
    (first(prefix)..=last(prefix))
        .contains(&number)
        .then(|| address_from(prefix, number))
}

/// The lowest block of that length within the space which touches nothing that is taken.
#[must_use]
pub fn next_free(space: &IpNet, taken: &[IpNet], length: u8) -> Option<IpNet> {
    if length < space.prefix_len() || length > space.max_prefix_len() {
        return None;
    }
    // The size of a block less one: all ones below the prefix length.
    let mask = u128::MAX
        .checked_shr(128 - u32::from(space.max_prefix_len() - length))
        .unwrap_or(0);
    let mut candidate = first(space);
    loop {
        let end = candidate
            .checked_add(mask)
            .filter(|end| *end <= last(space))?;
        let blocker = taken
            .iter()
            .filter(|net| net.max_prefix_len() == space.max_prefix_len())
            .filter(|net| first(net) <= end && last(net) >= candidate)
            .map(last)
            .max();
        match blocker {
            None => return IpNet::new(address_from(space, candidate), length).ok(),
            Some(last) => candidate = last.max(end).checked_add(1)?.checked_add(mask)? & !mask,
        }
    }
}

/// [`next_free`] over all prefixes of an address space, in their order.
#[must_use]
pub fn next_free_in(space: &[IpNet], taken: &[IpNet], length: u8) -> Option<IpNet> {
    space
        .iter()
        .filter(|part| is_ipv4(part))
        .find_map(|part| next_free(part, taken, length))
}

/// A private block of the size of that prefix which touches nothing that is taken, and nothing that
/// Azure or AKS keep. There is none for an IPv6 prefix.
#[must_use]
pub fn private_instead_of(prefix: &IpNet, taken: &[IpNet]) -> Option<IpNet> {
    if !is_ipv4(prefix) {
        return None;
    }
    let kept = UNUSABLE.iter().chain(&UNUSABLE_FOR_AKS);
    let kept = kept.map(|unusable| IpNet::V4(unusable.range));
    let taken: Vec<IpNet> = taken.iter().copied().chain(kept).collect();
    next_free_in(&PRIVATE, &taken, prefix.prefix_len())
}

/// The shortest prefix length of which the IPv4 part of an address space has a free block.
#[must_use]
pub fn largest_free(space: &[IpNet], taken: &[IpNet]) -> Option<u8> {
    (0..=SMALLEST_SUBNET).find(|length| next_free_in(space, taken, *length).is_some())
}

/// Whether it is an IPv4 prefix.
#[must_use]
pub const fn is_ipv4(prefix: &IpNet) -> bool {
    matches!(prefix, IpNet::V4(_))
}

fn first(net: &IpNet) -> u128 {
    address_bits(&net.network())
}

fn last(net: &IpNet) -> u128 {
    address_bits(&net.broadcast())
}

fn address_bits(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of that number in the family of the prefix.
fn address_from(family: &IpNet, number: u128) -> IpAddr {
    match family {
        // Callers stay within the prefix, so that the number fits.
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(
            u32::try_from(number).unwrap_or(u32::MAX),
        )),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

fn address_of(text: &str) -> &str {
    text.split_once('/').map_or(text, |(address, _)| address)
}

#[cfg(test)]
mod tests;
