//! The ranges of a cluster's services and pods: no network that it talks to may have their
//! addresses, and a free block is offered where one does.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::cidr::{self, UNUSABLE, UNUSABLE_FOR_AKS};

/// A range, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Whose it is, as in "the network vnet-aks".
    pub what: String,
    /// The range.
    pub prefix: IpNet,
}

/// Two ranges that share addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The position of the range that gives way, among our own.
    pub own: usize,
    /// The range that it meets.
    pub with: Range,
    /// A free block of the same size.
    pub instead: Option<IpNet>,
}

/// What service and pod ranges have in common with each other, with other ranges, and with those
/// that Azure or AKS keep.
#[must_use]
pub fn conflicts(own: &[Range], others: &[Range]) -> Vec<Conflict> {
    let kept = UNUSABLE.iter().chain(&UNUSABLE_FOR_AKS).map(|kept| Range {
        what: format!("a range {}", kept.what),
        prefix: IpNet::V4(kept.range),
    });
    let others: Vec<Range> = others.iter().cloned().chain(kept).collect();
    let mut found = Vec::new();
    for (position, range) in own.iter().enumerate() {
        let earlier = own.iter().take(position);
        for with in others.iter().chain(earlier) {
            if !cidr::overlap(&range.prefix, &with.prefix) {
                continue;
            }
            let taken: Vec<IpNet> = others
                .iter()
                .chain(own.iter().filter(|other| *other != range))
                .map(|other| other.prefix)
                .collect();
            found.push(Conflict {
                own: position,
                with: with.clone(),
                instead: cidr::private_instead_of(&range.prefix, &taken),
            });
        }
    }
    found
}

/// The address of cluster DNS when nobody says: the tenth of the service range.
#[must_use]
pub fn default_dns_service_ip(services: &IpNet) -> Option<IpAddr> {
    cidr::address(services, 10)
}

/// Why an address cannot be that of cluster DNS, if it cannot: Kubernetes keeps the first for
/// its own API, and the ends are no addresses.
#[must_use]
pub fn dns_service_ip_problem(services: &IpNet, address: &IpAddr) -> Option<String> {
    if !services.contains(address) {
        return Some(format!("{address} is not in the service range {services}"));
    }
    let is = |n| cidr::address(services, n).as_ref() == Some(address);
    if is(0) || is(-1) {
        return Some(format!("{address} is an end of {services}, and no address"));
    }
    is(1)
        .then(|| format!("{address} is the first address of {services}, which is the API server's"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn range(what: &str, prefix: &str) -> Range {
        Range {
            what: what.into(),
            prefix: cidr::parse(prefix).unwrap(),
        }
    }

    #[test]
    fn services_and_pods_meet_networks_and_each_other_and_a_free_block_is_offered() {
        let own = [
            range("services", "10.0.0.0/16"),
            range("pods", "10.0.0.0/14"),
        ];
        let others = [range("the network", "10.0.0.0/16")];
        let found = conflicts(&own, &others);
        assert_eq!(found.len(), 3);
        let first = found.first().unwrap();
        assert_eq!((first.own, first.with.what.as_str()), (0, "the network"));
        assert_eq!(first.instead, cidr::parse("10.4.0.0/16").ok());
        let last = found.last().unwrap();
        assert_eq!((last.own, last.with.what.as_str()), (1, "services"));
        assert_eq!(last.instead, cidr::parse("10.4.0.0/14").ok());
    }

    #[test]
    fn what_aks_keeps_for_itself_is_refused() {
        let found = conflicts(&[range("pods", "172.16.0.0/12")], &[]);
        let with: Vec<_> = found.iter().map(|conflict| conflict.with.prefix).collect();
        assert_eq!(
            with,
            ["172.30.0.0/16", "172.31.0.0/16"].map(|text| cidr::parse(text).unwrap())
        );
        assert!(conflicts(&[range("pods", "10.244.0.0/16")], &[]).is_empty());
    }

    #[test]
    fn cluster_dns_has_an_address_of_the_service_range_that_nothing_else_needs() {
        let services = cidr::parse("10.0.0.0/16").unwrap();
        let problem = |text: &str| dns_service_ip_problem(&services, &text.parse().unwrap());
        assert_eq!(
            default_dns_service_ip(&services),
            Some("10.0.0.10".parse().unwrap())
        );
        assert_eq!(problem("10.0.0.10"), None);
        for (address, why) in [
            ("10.1.0.10", "not in the service range"),
            ("10.0.0.0", "an end of"),
            ("10.0.255.255", "an end of"),
            ("10.0.0.1", "the API server's"),
        ] {
            assert!(problem(address).unwrap().contains(why), "{address}");
        }
    }
}
