//! Tests of CIDR arithmetic: examples, and properties of any prefix.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

fn net(text: &str) -> IpNet {
    parse(text).unwrap()
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| net(text)).collect()
}

#[test]
fn host_bits_are_refused_with_the_prefix_that_was_meant() {
    let error = parse("10.10.10.0/22").unwrap_err();
    assert_eq!(error.meant(), Some(net("10.10.8.0/22")));
    assert_eq!(
        error.to_string(),
        "\"10.10.10.0/22\" has host bits set: a /22 that holds 10.10.10.0 is 10.10.8.0/22"
    );
}

#[test]
fn a_lone_address_a_resource_id_and_nonsense_each_have_their_own_message() {
    assert_eq!(
        check("10.0.0.4").unwrap_err(),
        "\"10.0.0.4\" is a single address; as a prefix it is 10.0.0.4/32"
    );
    assert!(
        check("/Subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg")
            .unwrap_err()
            .contains("is the id of a resource")
    );
    for text in [
        "",
        "/",
        "10.0.0.0/33",
        " 10.0.0.0/24",
        "10.0.0.010/24",
        "10.0.0.0/024",
        "10.0.0.0/+24",
        "ten",
    ] {
        assert!(
            matches!(parse(text), Err(CidrError::NotAPrefix(_))),
            "{text:?} was taken for something else"
        );
    }
}

#[test]
fn all_pairs_that_overlap_are_found() {
    let prefixes = nets(&["10.0.0.0/16", "10.0.1.0/24", "10.1.0.0/16", "10.1.0.0/16"]);
    assert_eq!(overlaps(&prefixes), [(0, 1), (2, 3)]);
    assert_eq!(overlaps(&nets(&["10.0.0.0/8", "fd00::/8"])), []);
}

#[test]
fn a_prefix_that_spans_two_neighbours_is_within_neither() {
    let space = nets(&["10.0.0.0/24", "10.0.1.0/24"]);
    assert!(!within(&space, &net("10.0.0.0/23")));
    assert!(within(&space, &net("10.0.1.128/25")));
}

#[test]
fn azure_s_own_ranges_are_recognised_from_inside_and_outside() {
    assert_eq!(
        touches(&UNUSABLE, &net("168.63.0.0/16")).unwrap().what,
        "Azure's own DNS and health probes"
    );
    assert_eq!(
        touches(&UNUSABLE, &net("169.254.7.0/24")).unwrap().what,
        "link-local"
    );
    assert!(touches(&UNUSABLE, &net("10.0.0.0/8")).is_none());
    assert!(touches(&UNUSABLE, &net("fe80::/10")).is_none());
}

#[test]
fn five_addresses_of_each_subnet_are_azure_s() {
    assert_eq!(usable_addresses(&net("10.10.8.0/22")), 1019);
    assert_eq!(usable_addresses(&net("10.0.0.0/29")), 3);
    assert_eq!(usable_addresses(&net("10.0.0.0/30")), 0);
    assert_eq!(usable_addresses(&net("fd00::/64")), (1 << 64) - 5);
    let subnet = net("10.0.0.0/29");
    let given: Vec<_> = (0..8)
        .filter_map(|n| address(&subnet, n))
        .filter(|address| is_assignable(&subnet, address))
        .map(|address| address.to_string())
        .collect();
    assert_eq!(given, ["10.0.0.4", "10.0.0.5", "10.0.0.6"]);
}

#[test]
fn the_length_for_a_number_of_addresses_counts_the_reserved_ones() {
    assert_eq!(length_for(0), Some(29));
    assert_eq!(length_for(3), Some(29));
    assert_eq!(length_for(4), Some(28));
    assert_eq!(length_for(251), Some(24));
    assert_eq!(length_for(252), Some(23));
    assert_eq!(length_for(u32::MAX), None);
}

#[test]
fn addresses_are_counted_from_either_end() {
    let prefix = net("10.0.0.0/30");
    assert_eq!(address(&prefix, -1), "10.0.0.3".parse().ok());
    assert_eq!(address(&prefix, -4), "10.0.0.0".parse().ok());
    assert_eq!(address(&prefix, -5), None);
    assert_eq!(address(&prefix, 4), None);
    assert_eq!(
        address(&net("0.0.0.0/0"), -1),
        "255.255.255.255".parse().ok()
    );
}

#[test]
fn the_next_free_block_is_the_lowest_that_is_aligned() {
    let space = net("10.0.0.0/22");
    let taken = nets(&["10.0.0.0/26", "10.0.1.0/24"]);
    assert_eq!(next_free(&space, &taken, 24), Some(net("10.0.2.0/24")));
    assert_eq!(next_free(&space, &taken, 26), Some(net("10.0.0.64/26")));
    assert_eq!(next_free(&space, &taken, 23), Some(net("10.0.2.0/23")));
    assert_eq!(next_free(&space, &taken, 22), None);
    assert_eq!(next_free(&space, &taken, 21), None);
    assert_eq!(largest_free(&[space], &taken), Some(23));
}

#[test]
fn the_ends_of_the_address_range_do_not_overflow() {
    let all = net("0.0.0.0/0");
    assert_eq!(next_free(&all, &[], 0), Some(all));
    assert_eq!(next_free(&all, &[all], 8), None);
    let everything = net("::/0");
    assert_eq!(next_free(&everything, &[], 0), Some(everything));
    assert_eq!(next_free(&everything, &[everything], 64), None);
    assert_eq!(
        next_free(&net("255.255.255.0/24"), &nets(&["255.255.255.0/25"]), 25),
        Some(net("255.255.255.128/25"))
    );
}

fn any_prefix() -> impl Strategy<Value = IpNet> {
    (any::<u32>(), 0u8..=32).prop_map(|(bits, length)| {
        IpNet::new(IpAddr::V4(Ipv4Addr::from_bits(bits)), length)
            .unwrap()
            .trunc()
    })
}

proptest! {
    #[test]
    fn canonical_prefixes_survive_reading_and_writing(prefix in any_prefix()) {
        prop_assert_eq!(parse(&prefix.to_string()), Ok(prefix));
    }

    #[test]
    fn what_was_meant_holds_the_address_that_was_written(bits in any::<u32>(), length in 0u8..=32) {
        let text = format!("{}/{length}", Ipv4Addr::from_bits(bits));
        match parse(&text) {
            Ok(prefix) => prop_assert_eq!(prefix.to_string(), text),
            Err(error) => {
                let meant = error.meant().unwrap();
                prop_assert!(meant.contains(&IpAddr::V4(Ipv4Addr::from_bits(bits))));
                prop_assert_eq!(parse(&meant.to_string()), Ok(meant));
            }
        }
    }

    #[test]
    fn two_prefixes_overlap_when_an_end_of_one_lies_in_the_other(a in any_prefix(), b in any_prefix()) {
        let shares = first(&a) <= last(&b) && first(&b) <= last(&a);
        prop_assert_eq!(overlap(&a, &b), shares);
    }

    #[test]
    fn the_next_free_block_is_the_one_that_trying_all_finds(
        taken in prop::collection::vec((any::<u8>(), 24u8..=32), 0..12),
        length in 22u8..=32,
    ) {
        let space = net("10.0.0.0/24");
        let taken: Vec<_> = taken
            .into_iter()
            .map(|(low, length)| IpNet::new(IpAddr::from([10, 0, 0, low]), length).unwrap().trunc())
            .collect();
        let tried = space
            .subnets(length)
            .ok()
            .and_then(|mut blocks| blocks.find(|block| !taken.iter().any(|net| overlap(net, block))));
        prop_assert_eq!(next_free(&space, &taken, length), tried);
    }
}
