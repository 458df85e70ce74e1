//! The overlaps of all with all: given, placed and reserved prefixes, and those of others.

use super::super::cidr;
use super::{Finding, Owner, Place, Planner, Size};

impl Planner<'_> {
    /// All pairs of claims that share addresses, where one of them is ours.
    pub(super) fn check_overlaps(&mut self) {
        let claims = self.claims.clone();
        let prefixes: Vec<_> = claims.iter().map(|claim| claim.prefix).collect();
        for (i, j) in cidr::overlaps(&prefixes) {
            // Subnets are claimed last and in the order of their keys, those with given prefixes
            // before those that were placed. The later of two subnets with given prefixes gives
            // way; so does the given one before the placed one, which may be in use.
            let (Some(a), Some(b)) = (claims.get(i), claims.get(j)) else {
                continue;
            };
            let Owner::Subnet(b_key) = &b.owner else {
                continue;
            };
            let (ours, key, theirs) = match &a.owner {
                Owner::Subnet(a_key) if self.is_placed(b_key) => (a, a_key, b),
                _ => (b, b_key, a),
            };
            let place = if !self.is_placed(key) {
                Place::subnet(key, "address_prefixes")
            } else if theirs.owner == Owner::Reserved {
                Place::ReservedPrefixes
            } else {
                Place::subnet(key, "prefix_length")
            };
            let instead = if place == Place::ReservedPrefixes {
                None
            } else {
                self.suggest(key, &ours.prefix, ours.prefix.prefix_len(), false)
            };
            let (prefix, with, other) = if place == Place::ReservedPrefixes {
                (theirs.prefix, ours.owner.clone(), ours.prefix)
            } else {
                (ours.prefix, theirs.owner.clone(), theirs.prefix)
            };
            self.find(
                place,
                Finding::Overlap {
                    prefix,
                    with,
                    other,
                    instead,
                },
            );
        }
    }

    fn is_placed(&self, key: &str) -> bool {
        self.wanted
            .subnets
            .get(key)
            .is_some_and(|subnet| matches!(subnet.size, Size::Length(_)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::super::purpose::Purpose;
    use super::super::Subnet;
    use super::super::fixture::{one, subnet, told};
    use super::*;

    #[test]
    fn an_overlap_names_both_ranges_and_the_next_free_block() {
        let (summary, detail) = one(
            &["10.10.0.0/16"],
            &["10.10.2.0/24"],
            vec![
                ("a", subnet(Purpose::General, &["10.10.0.0/23"])),
                ("b", subnet(Purpose::General, &["10.10.1.0/24"])),
            ],
        );
        assert_eq!(
            summary,
            "Subnet \"b\": 10.10.1.0/24 overlaps 10.10.0.0/23 of subnet \"a\""
        );
        assert_eq!(
            detail,
            "- Subnet \"b\": 10.10.1.0/24 (10.10.1.0 to 10.10.1.255)\n\
             - subnet \"a\": 10.10.0.0/23 (10.10.0.0 to 10.10.1.255)\n\n\
             Fix: in subnet \"b\" set\n\n    address_prefixes = [\"10.10.3.0/24\"]"
        );
    }

    #[test]
    fn what_stands_is_protected_from_what_is_new() {
        let standing = Subnet {
            size: Size::Length(24),
            previous: vec![cidr::parse("10.10.0.0/24").unwrap()],
            ..subnet(Purpose::General, &[])
        };
        let (summary, _) = one(
            &["10.10.0.0/16"],
            &[],
            vec![
                ("given", subnet(Purpose::General, &["10.10.0.0/25"])),
                ("a", standing.clone()),
            ],
        );
        assert_eq!(
            summary,
            "Subnet \"given\": 10.10.0.0/25 overlaps 10.10.0.0/24 of subnet \"a\""
        );
        let (summary, detail) = one(&["10.10.0.0/16"], &["10.10.0.0/20"], vec![("a", standing)]);
        assert_eq!(
            summary,
            "The reserved prefixes: 10.10.0.0/20 overlaps 10.10.0.0/24 of subnet \"a\""
        );
        assert!(detail.ends_with("or move the subnet first"), "{detail}");
        let (summary, _) = one(
            &["10.10.0.0/16"],
            &[],
            vec![("new", subnet(Purpose::General, &["10.10.255.128/25"]))],
        );
        assert!(summary.ends_with("of subnet \"theirs\", which is managed elsewhere"));
    }

    #[test]
    fn parts_of_an_address_space_do_not_overlap_and_have_room() {
        let summaries: Vec<_> = told(&["10.10.0.0/16", "10.10.8.0/30"], &[], vec![])
            .into_iter()
            .map(|(summary, _)| summary)
            .collect();
        assert_eq!(
            summaries,
            [
                "The address space: 10.10.8.0/30 is too small for any subnet",
                "The address space: 10.10.8.0/30 overlaps 10.10.0.0/16 of the address space",
            ]
        );
        assert_eq!(one(&[], &[], vec![]).0, "The network has no address space");
    }
}
