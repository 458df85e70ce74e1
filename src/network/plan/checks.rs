//! The checks of names, sizes, attachments and containment. Each finding carries a free block
//! where one would mend it.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::super::cidr::{self, UNUSABLE, UNUSABLE_FOR_AKS, Unusable};
use super::super::names;
use super::super::purpose::Purpose;
use super::{Finding, Owner, Place, Planner, Size, Subnet};

impl Planner<'_> {
    /// Finds everything that is wrong, once all that can be placed is placed.
    pub(super) fn check(&mut self) {
        self.check_names();
        self.check_address_space();
        for (key, subnet) in &self.wanted.subnets {
            self.check_size(key, subnet);
            self.check_attachments(key, subnet);
        }
        self.check_overlaps();
    }

    fn check_names(&mut self) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, subnet) in &self.wanted.subnets {
            let Some(name) = &subnet.name else { continue };
            let place = Place::subnet(key, "name");
            if let Err(error) = names::subnet(name) {
                self.find(place.clone(), Finding::BadName { error });
            }
            if let Some(other) = seen.insert(name.to_lowercase(), key) {
                let finding = Finding::NameTwice {
                    name: name.clone(),
                    other: other.to_owned(),
                };
                self.find(place.clone(), finding);
            }
            let Some(purpose) = subnet.purpose else {
                continue;
            };
            match (purpose.rules().subnet_name, Purpose::of_subnet_name(name)) {
                (Some(demanded), _) if demanded != name => self.find(
                    place,
                    Finding::WrongName {
                        name: name.clone(),
                        purpose,
                        demanded,
                    },
                ),
                (None, Some(owner)) => self.find(
                    place,
                    Finding::NameOfPurpose {
                        name: name.clone(),
                        purpose: owner,
                    },
                ),
                _ => {}
            }
        }
    }

    fn check_address_space(&mut self) {
        let space = self.space.clone().unwrap_or_default();
        if self
            .wanted
            .address_space
            .as_ref()
            .is_some_and(Vec::is_empty)
        {
            self.find(Place::AddressSpace, Finding::NoAddressSpace);
        }
        for prefix in &space {
            self.check_usable(&Place::AddressSpace, prefix, &UNUSABLE, None);
            if cidr::is_ipv4(prefix) && prefix.prefix_len() > cidr::SMALLEST_SUBNET {
                self.find(
                    Place::AddressSpace,
                    Finding::SpaceTooSmall { prefix: *prefix },
                );
            }
        }
        for (a, b) in cidr::overlaps(&space) {
            if let (Some(a), Some(b)) = (space.get(a), space.get(b)) {
                self.find(
                    Place::AddressSpace,
                    Finding::Overlap {
                        prefix: *b,
                        with: Owner::AddressSpace,
                        other: *a,
                        instead: None,
                    },
                );
            }
        }
    }

    fn check_usable(
        &mut self,
        place: &Place,
        prefix: &IpNet,
        ranges: &[Unusable],
        instead: Option<Vec<String>>,
    ) -> bool {
        let Some(unusable) = cidr::touches(ranges, prefix) else {
            return true;
        };
        self.find(
            place.clone(),
            Finding::Unusable {
                prefix: *prefix,
                unusable: *unusable,
                instead,
            },
        );
        false
    }

    /// The size of a subnet for its purpose, and its place in the network.
    fn check_size(&mut self, key: &str, subnet: &Subnet) {
        match &subnet.size {
            Size::Unknown => {}
            Size::Missing | Size::Both => {
                let longest = subnet.purpose.map(|purpose| purpose.rules().longest);
                let both = subnet.size == Size::Both;
                let finding = Finding::Size { both, longest };
                self.find(Place::subnet(key, "prefix_length"), finding);
            }
            Size::Length(length) => {
                let place = Place::subnet(key, "prefix_length");
                self.check_length(&place, subnet.purpose, *length, None);
            }
            Size::Prefixes(texts) => {
                let place = Place::subnet(key, "address_prefixes");
                if texts.is_empty() {
                    let finding = Finding::Size {
                        both: false,
                        longest: None,
                    };
                    self.find(place.clone(), finding);
                }
                for prefix in texts.iter().filter_map(|text| cidr::parse(text).ok()) {
                    self.check_prefix(key, subnet, &place, &prefix);
                }
            }
        }
    }

    fn check_prefix(&mut self, key: &str, subnet: &Subnet, place: &Place, prefix: &IpNet) {
        let length = prefix.prefix_len();
        if !cidr::is_ipv4(prefix) {
            if length != cidr::IPV6_SUBNET {
                self.find(place.clone(), Finding::Ipv6Length { prefix: *prefix });
            }
        } else if self.limit_broken(subnet.purpose, length).is_some() {
            let limit = self.limit_broken(subnet.purpose, length).unwrap_or(length);
            let instead = self.suggest(key, prefix, limit, true);
            self.check_length(place, subnet.purpose, length, instead);
        }
        if subnet.purpose.is_some_and(Purpose::is_aks)
            && cidr::touches(&UNUSABLE_FOR_AKS, prefix).is_some()
        {
            let instead = self.suggest(key, prefix, length, false);
            self.check_usable(place, prefix, &UNUSABLE_FOR_AKS, instead);
        }
        if let Some(space) = self.space.clone()
            && !cidr::within(&space, prefix)
        {
            let instead = self.suggest(key, prefix, length, false);
            self.find(
                place.clone(),
                Finding::Outside {
                    prefix: *prefix,
                    space,
                    instead,
                },
            );
        }
    }

    /// The limit that an IPv4 prefix length breaks.
    fn limit_broken(&self, purpose: Option<Purpose>, length: u8) -> Option<u8> {
        let rules = purpose.unwrap_or(Purpose::General).rules();
        if length > rules.longest {
            Some(rules.longest)
        } else {
            rules.shortest.filter(|shortest| length < *shortest)
        }
    }

    fn check_length(
        &mut self,
        place: &Place,
        purpose: Option<Purpose>,
        length: u8,
        instead: Option<Vec<String>>,
    ) {
        if let Some(limit) = self.limit_broken(purpose, length) {
            self.find(
                place.clone(),
                Finding::WrongLength {
                    purpose: purpose.unwrap_or(Purpose::General),
                    length,
                    limit,
                    instead,
                },
            );
        }
    }

    fn check_attachments(&mut self, key: &str, subnet: &Subnet) {
        let Some(purpose) = subnet.purpose else {
            return;
        };
        for attachment in &subnet.attachments {
            if let Some(refusal) = purpose.refuses(*attachment) {
                self.find(
                    Place::subnet(key, attachment.argument()),
                    Finding::Refused {
                        purpose,
                        refusal: *refusal,
                    },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::super::purpose::Attachment;
    use super::super::fixture::{one, subnet, told};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_problems_are_told_at_once_in_the_order_of_the_arguments() {
        let mut twice = subnet(Purpose::General, &["10.11.0.0/24"]);
        twice.name = Some("AKS".to_owned());
        let mut aks = subnet(Purpose::AksNodes, &["10.10.10.0/22"]);
        aks.name = Some("aks".to_owned());
        let summaries: Vec<_> = told(
            &["10.10.0.0/16", "169.254.0.0/24"],
            &["10.10.10.0"],
            vec![
                ("aks", aks),
                ("bastion", subnet(Purpose::Bastion, &["10.10.20.0/27"])),
                ("general", twice),
            ],
        )
        .into_iter()
        .map(|(summary, _)| summary)
        .collect();
        assert_eq!(
            summaries,
            [
                "The address space cannot use 169.254.0.0/24: 169.254.0.0/16 is link-local",
                "The reserved prefixes: \"10.10.10.0\" is a single address; as a prefix it is 10.10.10.0/32",
                "Subnet \"aks\": \"10.10.10.0/22\" has host bits set: a /22 that holds 10.10.10.0 is 10.10.8.0/22",
                "Subnet \"bastion\": a /27 is too small for Azure Bastion; it must be a /26 or larger",
                "Subnet \"general\": 10.11.0.0/24 is outside the network's address space",
                "Subnet \"general\" has the name \"AKS\", which subnet \"aks\" has already",
            ]
        );
    }

    #[test]
    fn each_of_two_misplaced_subnets_is_offered_a_block_of_its_own() {
        let details: Vec<_> = told(
            &["10.10.0.0/16"],
            &[],
            vec![
                ("a", subnet(Purpose::General, &["10.9.0.0/24"])),
                ("b", subnet(Purpose::General, &["10.9.1.0/24"])),
            ],
        )
        .into_iter()
        .map(|(_, detail)| detail)
        .collect();
        assert!(details[0].ends_with("[\"10.10.0.0/24\"]"), "{details:?}");
        assert!(details[1].ends_with("[\"10.10.1.0/24\"]"), "{details:?}");
    }

    #[test]
    fn too_small_a_subnet_is_offered_the_block_around_it_if_that_is_free() {
        let small = || subnet(Purpose::Bastion, &["10.10.20.32/27"]);
        let (_, free) = one(&["10.10.0.0/16"], &[], vec![("b", small())]);
        assert!(free.ends_with("[\"10.10.20.0/26\"]"), "{free}");
        let (_, crowded) = one(
            &["10.10.0.0/16"],
            &[],
            vec![
                ("a", subnet(Purpose::General, &["10.10.20.0/27"])),
                ("b", small()),
            ],
        );
        assert!(crowded.ends_with("[\"10.10.0.0/26\"]"), "{crowded}");
    }

    #[test]
    fn a_resolver_s_subnet_has_limits_on_both_sides() {
        let size = |prefix: &str| {
            one(
                &["10.10.0.0/16"],
                &[],
                vec![("dns", subnet(Purpose::DnsResolverInbound, &[prefix]))],
            )
            .0
        };
        assert!(size("10.10.0.0/29").contains("too small"));
        assert!(size("10.10.0.0/23").ends_with("it must be a /24 or smaller"));
    }

    #[test]
    fn names_that_azure_demands_and_keeps_are_known() {
        let mut wrong = subnet(Purpose::Firewall, &["10.10.0.0/26"]);
        wrong.name = Some("firewall".to_owned());
        let (summary, detail) = one(&["10.10.0.0/16"], &[], vec![("fw", wrong)]);
        assert_eq!(
            summary,
            "Subnet \"fw\" must be named \"AzureFirewallSubnet\": Azure runs Azure Firewall in no other"
        );
        assert!(detail.ends_with("name = \"AzureFirewallSubnet\""));
        let mut kept = subnet(Purpose::General, &["10.10.0.0/26"]);
        kept.name = Some("GatewaySubnet".to_owned());
        let (_, detail) = one(&["10.10.0.0/16"], &[], vec![("gw", kept)]);
        assert!(detail.ends_with("purpose = \"gateway\""), "{detail}");
    }

    #[test]
    fn attachments_that_a_purpose_cannot_bear_are_refused_with_the_reason() {
        let mut firewall = subnet(Purpose::Firewall, &["10.10.0.0/26"]);
        firewall.attachments =
            BTreeSet::from([Attachment::NetworkSecurityGroup, Attachment::RouteTable]);
        let (summary, detail) = one(&["10.10.0.0/16"], &[], vec![("fw", firewall)]);
        assert!(
            summary.contains("cannot have a network security group"),
            "{summary}"
        );
        assert!(
            detail.contains("remove network_security_group_id"),
            "{detail}"
        );
    }

    #[test]
    fn a_size_is_needed_once() {
        let mut subnet = subnet(Purpose::Bastion, &[]);
        for (size, ending) in [
            (Size::Missing, "prefix_length = 24"),
            (Size::Both, "a free block of that size"),
            (Size::Prefixes(vec![]), "prefix_length = 24"),
        ] {
            subnet.size = size;
            let (_, detail) = one(&["10.10.0.0/16"], &[], vec![("b", subnet.clone())]);
            assert!(detail.ends_with(ending), "{detail}");
        }
    }

    #[test]
    fn aks_keeps_ranges_of_its_own() {
        let nodes = subnet(Purpose::AksNodes, &["172.30.4.0/22"]);
        let (summary, detail) = one(&["172.16.0.0/12"], &[], vec![("aks", nodes)]);
        assert_eq!(
            summary,
            "Subnet \"aks\" cannot use 172.30.4.0/22: 172.30.0.0/16 is kept by AKS"
        );
        assert!(detail.ends_with("[\"172.16.0.0/22\"]"), "{detail}");
    }

    #[test]
    fn ipv6_subnets_have_one_size() {
        let dual = subnet(Purpose::General, &["10.10.0.0/24", "fd00:db8::/64"]);
        assert_eq!(
            told(&["10.10.0.0/16", "fd00:db8::/48"], &[], vec![("a", dual)]),
            []
        );
        let (summary, detail) = one(
            &["10.10.0.0/16", "fd00:db8::/48"],
            &[],
            vec![("a", subnet(Purpose::General, &["fd00:db8::/56"]))],
        );
        assert!(summary.contains("is no /64"), "{summary}");
        assert!(detail.ends_with("[\"fd00:db8::/64\"]"), "{detail}");
    }
}
