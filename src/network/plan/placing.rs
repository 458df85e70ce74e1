//! Gives subnets their blocks: what stands keeps its place, what is new takes the first that fits.

use ipnet::IpNet;

use super::super::cidr;
use super::{Claim, Finding, Owner, Place, Planner, Size, Subnet, replaced};

impl Planner<'_> {
    /// Gives a block to each subnet that asks for a size: first those that stand keep theirs,
    /// then the others follow, the largest first, so that little is lost between them.
    pub(super) fn place(&mut self) {
        let mut waiting = Vec::new();
        for (key, subnet) in &self.wanted.subnets {
            let Size::Length(length) = subnet.size else {
                continue;
            };
            match self.kept(subnet, length) {
                Some(prefix) => self.give(key, prefix),
                None => waiting.push((length, key, subnet)),
            }
        }
        waiting.sort_by_key(|(length, key, _)| (*length, *key));
        let undecided = self.wanted.reserved.is_none()
            || self
                .wanted
                .subnets
                .values()
                .any(|subnet| subnet.size == Size::Unknown);
        let Some(space) = self.space.clone() else {
            return;
        };
        if undecided {
            return;
        }
        for (length, key, subnet) in waiting {
            let near = subnet.previous.first().copied();
            match self.block(&space, length, near, None) {
                Some(prefix) => self.give(key, prefix),
                None if length <= cidr::SMALLEST_SUBNET => {
                    let taken = self.taken(None);
                    self.find(
                        Place::subnet(key, "prefix_length"),
                        Finding::NoRoom {
                            length,
                            largest: cidr::largest_free(&space, &taken),
                            more: more_space(&space, &taken, length),
                            space: space.clone(),
                        },
                    );
                }
                None => {} // its length is a problem of its own
            }
        }
    }

    /// The block that a standing subnet keeps: one of the size that it asks for, where the
    /// network still has it.
    fn kept(&self, subnet: &Subnet, length: u8) -> Option<IpNet> {
        let [previous] = subnet.previous.as_slice() else {
            return None;
        };
        let stands = match &self.space {
            Some(space) => cidr::within(space, previous),
            None => true,
        };
        (stands && cidr::is_ipv4(previous) && previous.prefix_len() == length).then_some(*previous)
    }

    fn give(&mut self, key: &str, prefix: IpNet) {
        self.claim(Owner::Subnet(key.to_owned()), prefix);
        self.layout.insert(key.to_owned(), Some(vec![prefix]));
    }

    /// A free block of that length: around or within `near` if possible, else the lowest.
    fn block(
        &self,
        space: &[IpNet],
        length: u8,
        near: Option<IpNet>,
        without: Option<&Claim>,
    ) -> Option<IpNet> {
        let taken = self.taken(without);
        near.filter(cidr::is_ipv4)
            .and_then(|near| IpNet::new(near.network(), length).ok())
            .map(|near| near.trunc())
            .filter(|near| {
                cidr::within(space, near) && !taken.iter().any(|net| cidr::overlap(net, near))
            })
            .or_else(|| cidr::next_free_in(space, &taken, length))
    }

    /// The prefixes of a subnet with one of them replaced by a free block of that length.
    pub(super) fn suggest(
        &mut self,
        key: &str,
        bad: &IpNet,
        length: u8,
        near: bool,
    ) -> Option<Vec<String>> {
        let space = self.space.clone()?;
        if !cidr::is_ipv4(bad) {
            return None;
        }
        let claim = Claim {
            owner: Owner::Subnet(key.to_owned()),
            prefix: *bad,
        };
        let block = self.block(&space, length, near.then_some(*bad), Some(&claim))?;
        self.suggested.push(block);
        match self.wanted.subnets.get(key).map(|subnet| &subnet.size) {
            Some(Size::Prefixes(texts)) => Some(replaced(texts, &bad.to_string(), block)),
            _ => Some(vec![block.to_string()]),
        }
    }
}

/// The address space with one more block, of that length, in the same private range.
fn more_space(space: &[IpNet], taken: &[IpNet], length: u8) -> Option<Vec<String>> {
    const PRIVATE: [&str; 4] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    ];
    let taken: Vec<_> = space.iter().chain(taken).copied().collect();
    let private: Vec<_> = PRIVATE
        .iter()
        .filter_map(|text| cidr::parse(text).ok())
        .filter(|range| space.iter().any(|part| range.contains(part)))
        .collect();
    let block = cidr::next_free_in(&private, &taken, length)?;
    Some(
        space
            .iter()
            .chain([&block])
            .map(ToString::to_string)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::super::purpose::Purpose;
    use super::super::{Layout, Wanted, plan, subnet_name};
    use super::*;

    fn sized(length: u8, previous: &[&str]) -> Subnet {
        Subnet {
            name: None,
            purpose: Some(Purpose::General),
            size: Size::Length(length),
            previous: previous
                .iter()
                .map(|text| cidr::parse(text).unwrap())
                .collect(),
            attachments: BTreeSet::new(),
        }
    }

    fn fixed(prefix: &str) -> Subnet {
        Subnet {
            size: Size::Prefixes(vec![prefix.to_owned()]),
            ..sized(24, &[])
        }
    }

    fn wanted(subnets: Vec<(&str, Subnet)>) -> Wanted {
        Wanted {
            address_space: Some(vec!["10.10.0.0/16".to_owned()]),
            reserved: Some(Vec::new()),
            subnets: subnets
                .into_iter()
                .map(|(key, subnet)| (key.to_owned(), subnet))
                .collect(),
            others: BTreeMap::new(),
        }
    }

    fn placed(layout: &Layout, key: &str) -> Option<String> {
        let prefixes = layout.prefixes.get(key).unwrap().as_ref()?;
        Some(
            prefixes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    #[test]
    fn new_subnets_are_placed_around_what_is_given_the_largest_first() {
        let mut wanted = wanted(vec![
            ("aks", sized(22, &[])),
            ("bastion", sized(26, &[])),
            ("endpoints", fixed("10.10.4.0/24")),
            ("pods", sized(20, &[])),
        ]);
        wanted.reserved = Some(vec!["10.10.0.0/22".to_owned()]);
        wanted.others.insert(
            "theirs".to_owned(),
            vec![cidr::parse("10.10.5.0/26").unwrap()],
        );
        let layout = plan(&wanted);
        assert_eq!(layout.problems, []);
        assert_eq!(placed(&layout, "pods").unwrap(), "10.10.16.0/20");
        assert_eq!(placed(&layout, "aks").unwrap(), "10.10.8.0/22");
        assert_eq!(placed(&layout, "bastion").unwrap(), "10.10.5.64/26");
        assert_eq!(placed(&layout, "endpoints").unwrap(), "10.10.4.0/24");
    }

    #[test]
    fn a_subnet_that_grows_stays_around_its_old_place_if_it_can() {
        let layout = plan(&wanted(vec![("a", sized(24, &["10.10.7.64/26"]))]));
        assert_eq!(placed(&layout, "a").unwrap(), "10.10.7.0/24");
        let crowded = plan(&wanted(vec![
            ("a", sized(24, &["10.10.7.64/26"])),
            ("b", fixed("10.10.7.128/26")),
        ]));
        assert_eq!(placed(&crowded, "a").unwrap(), "10.10.0.0/24");
    }

    #[test]
    fn a_subnet_outside_a_changed_address_space_is_placed_anew() {
        let layout = plan(&wanted(vec![("a", sized(24, &["192.168.0.0/24"]))]));
        assert_eq!(placed(&layout, "a").unwrap(), "10.10.0.0/24");
    }

    #[test]
    fn what_is_unknown_leaves_only_new_subnets_undecided() {
        let mut unknown = wanted(vec![
            ("new", sized(24, &[])),
            ("old", sized(24, &["10.10.3.0/24"])),
            ("given", fixed("10.10.4.0/24")),
            (
                "unknown",
                Subnet {
                    size: Size::Unknown,
                    ..sized(24, &[])
                },
            ),
        ]);
        let layout = plan(&unknown);
        assert_eq!(layout.problems, []);
        assert_eq!(placed(&layout, "new"), None);
        assert_eq!(placed(&layout, "old").unwrap(), "10.10.3.0/24");
        assert_eq!(placed(&layout, "given").unwrap(), "10.10.4.0/24");
        unknown.address_space = None;
        assert_eq!(placed(&plan(&unknown), "old").unwrap(), "10.10.3.0/24");
    }

    #[test]
    fn a_subnet_without_room_is_told_what_would_fit() {
        let full = wanted(vec![
            ("a", fixed("10.10.0.0/17")),
            ("b", sized(17, &[])),
            ("c", sized(18, &[])),
        ]);
        let layout = plan(&full);
        assert_eq!(placed(&layout, "c"), None);
        let [problem] = layout.problems.as_slice() else {
            panic!("one problem, not {:?}", layout.problems);
        };
        assert_eq!(
            problem.summary(),
            "Subnet \"c\": the network has no free /18 left"
        );
        assert_eq!(
            problem.detail(),
            "- address space: 10.10.0.0/16\n\
             - nothing in it is free\n\n\
             Fix: widen the network\n\n    address_space = [\"10.10.0.0/16\", \"10.0.0.0/18\"]"
        );
    }

    #[test]
    fn the_name_is_the_given_one_then_azure_s_then_the_key() {
        assert_eq!(subnet_name("a", None, Purpose::General), "a");
        assert_eq!(
            subnet_name("a", None, Purpose::Bastion),
            "AzureBastionSubnet"
        );
        assert_eq!(subnet_name("a", Some("b"), Purpose::Bastion), "b");
    }

    fn lengths() -> impl Strategy<Value = BTreeMap<String, u8>> {
        prop::collection::btree_map("[a-z]{1,3}", 20u8..=29, 0..10)
    }

    fn apply(layout: &Layout, keys: &BTreeMap<String, u8>) -> Wanted {
        Wanted {
            subnets: keys
                .iter()
                .map(|(key, length)| {
                    let previous = layout
                        .prefixes
                        .get(key)
                        .cloned()
                        .flatten()
                        .unwrap_or_default();
                    (
                        key.clone(),
                        Subnet {
                            previous,
                            ..sized(*length, &[])
                        },
                    )
                })
                .collect(),
            ..wanted(vec![])
        }
    }

    proptest! {
        #[test]
        fn placed_subnets_fit_and_never_touch(keys in lengths()) {
            let layout = plan(&apply(&Layout::default(), &keys));
            prop_assert_eq!(&layout.problems, &[]);
            let all: Vec<_> = layout.prefixes.values().flatten().flatten().copied().collect();
            prop_assert_eq!(all.len(), keys.len());
            prop_assert_eq!(cidr::overlaps(&all), []);
            let space = [cidr::parse("10.10.0.0/16").unwrap()];
            for (key, prefix) in keys.keys().zip(&all) {
                prop_assert!(cidr::within(&space, prefix));
                prop_assert_eq!(prefix.prefix_len(), keys[key]);
            }
        }

        #[test]
        fn those_that_stay_never_move_when_others_come_and_go(before in lengths(), mut after in lengths()) {
            let first = plan(&apply(&Layout::default(), &before));
            for (key, length) in &mut after {
                if let Some(same) = before.get(key) {
                    *length = *same;
                }
            }
            let second = plan(&apply(&first, &after));
            prop_assert_eq!(&second.problems, &[]);
            for key in after.keys().filter(|key| before.contains_key(*key)) {
                prop_assert_eq!(&first.prefixes[key], &second.prefixes[key]);
            }
        }
    }
}
