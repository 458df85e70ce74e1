//! Addresses between three worlds: what the user writes (perhaps unknown), what the planner takes,
//! and what Azure answers.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use tfplugin_rs::value::Value;

use crate::arm::Json;
use crate::network::plan::{Size, Subnet, Wanted, subnet_name};
use crate::network::purpose::Attachment;
use crate::network::{Purpose, cidr};

/// The prefixes of subnets that are not ours, by name.
pub type Others = BTreeMap<String, Vec<IpNet>>;

/// The prefixes of a subnet as Azure answers them: one alone, or a list.
pub fn found_prefixes(subnet: &Json) -> Vec<String> {
    let properties = &subnet["properties"];
    let many = texts(&properties["addressPrefixes"]);
    if many.is_empty() {
        let one = properties["addressPrefix"].as_str();
        return one.map(str::to_owned).into_iter().collect();
    }
    many
}

/// The texts of a list.
pub fn texts(list: &Json) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// What of the texts are prefixes.
pub fn parsed(texts: &[String]) -> Vec<IpNet> {
    texts
        .iter()
        .filter_map(|text| cidr::parse(text).ok())
        .collect()
}

/// Whether two lists have the same prefixes, in any order and spelling.
pub fn same(a: &[String], b: &[String]) -> bool {
    let set = |texts: &[String]| -> BTreeSet<String> {
        let canonical = |text: &String| match cidr::parse(text) {
            Ok(prefix) => prefix.to_string(),
            Err(_) => text.clone(),
        };
        texts.iter().map(canonical).collect()
    };
    set(a) == set(b)
}

/// Whether two values are the same prefix; unknown ones may be any.
pub fn same_prefix(a: &Value, b: &Value) -> bool {
    match (a.as_str().map(cidr::parse), b.as_str().map(cidr::parse)) {
        (Some(Ok(a)), Some(Ok(b))) => a == b,
        _ => a == b,
    }
}

/// Azure's prefixes, in the user's order and spelling where they are the same.
pub fn spelled(prior: Option<&Vec<String>>, found: Vec<String>) -> Vec<String> {
    match prior {
        Some(prior) if same(prior, &found) => prior.clone(),
        _ => found,
    }
}

/// The length of the prefix, where there is exactly one.
pub fn length_of(prefixes: &[String]) -> Option<u8> {
    match parsed(prefixes).as_slice() {
        [one] if prefixes.len() == 1 => Some(one.prefix_len()),
        _ => None,
    }
}

/// How many IPv4 addresses a subnet gives out, and how many of them nobody has. Azure lists each
/// address in use as an IP configuration.
pub fn counts(prefixes: &[String], subnet: &Json) -> (u64, u64) {
    let usable: u128 = parsed(prefixes)
        .iter()
        .filter(|prefix| cidr::is_ipv4(prefix))
        .map(cidr::usable_addresses)
        .sum();
    let usable = u64::try_from(usable).unwrap_or(u64::MAX);
    let used = subnet["properties"]["ipConfigurations"]
        .as_array()
        .map_or(0, Vec::len);
    (usable, usable.saturating_sub(used as u64))
}

/// The question to the planner that a configuration asks. `prior` is the state, which says where
/// the standing subnets are.
pub fn question(config: &Value, prior: Option<&Value>, others: Others) -> Wanted {
    let standing = prior.map(standing).unwrap_or_default();
    let reserved = config.get("reserved_prefixes");
    let subnets = config.get("subnets").as_map().into_iter().flatten();
    Wanted {
        address_space: strings(config.get("address_space")),
        reserved: if reserved.is_null() {
            Some(Vec::new())
        } else {
            strings(reserved)
        },
        subnets: subnets
            .map(|(key, config)| {
                let mut subnet = subnet_question(key, config);
                let name = subnet.name.as_deref().map(str::to_lowercase);
                subnet.previous = name
                    .and_then(|name| standing.get(&name).cloned())
                    .unwrap_or_default();
                (key.clone(), subnet)
            })
            .collect(),
        others,
    }
}

/// The part of the question that one subnet asks.
pub fn subnet_question(key: &str, config: &Value) -> Subnet {
    Subnet {
        name: known_name(key, config),
        purpose: purpose(config),
        size: size(config.get("address_prefixes"), config.get("prefix_length")),
        previous: Vec::new(),
        attachments: [
            Attachment::NetworkSecurityGroup,
            Attachment::RouteTable,
            Attachment::NatGateway,
            Attachment::Delegation,
        ]
        .into_iter()
        .filter(|attachment| match config.get(attachment.argument()) {
            Value::Null => false,
            value => value.as_items().is_none_or(|items| !items.is_empty()),
        })
        .collect(),
    }
}

/// A subnet's name in Azure, where it is known.
pub fn known_name(key: &str, subnet: &Value) -> Option<String> {
    match subnet.get("name") {
        Value::Null => Some(subnet_name(key, None, purpose(subnet)?).to_owned()),
        name => name.as_str().map(str::to_owned),
    }
}

fn purpose(subnet: &Value) -> Option<Purpose> {
    subnet.get("purpose").as_str()?.parse().ok()
}

fn size(prefixes: &Value, length: &Value) -> Size {
    match (prefixes, length) {
        (Value::Null, Value::Null) => Size::Missing,
        (Value::Null, Value::Number(length)) => length
            .as_i64()
            .and_then(|length| u8::try_from(length).ok())
            .map_or(Size::Unknown, Size::Length),
        (Value::Null, _) => Size::Unknown,
        (prefixes, Value::Null) => strings(prefixes).map_or(Size::Unknown, Size::Prefixes),
        _ => Size::Both,
    }
}

/// The texts of a list or set, when all of it is known.
pub fn strings(value: &Value) -> Option<Vec<String>> {
    let items = value.as_items()?.iter();
    items.map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Where the subnets of a state are, by their names in lower case.
fn standing(state: &Value) -> BTreeMap<String, Vec<IpNet>> {
    let subnets = state.get("subnets").as_map().into_iter().flatten();
    subnets
        .filter_map(|(key, subnet)| {
            let prefixes = strings(subnet.get("address_prefixes"))?;
            Some((known_name(key, subnet)?.to_lowercase(), parsed(&prefixes)))
        })
        .collect()
}

/// The subnets of others that a state reports.
pub fn reported(state: Option<&Value>) -> Others {
    let others = state.map(|state| state.get("other_subnets"));
    let others = others.and_then(Value::as_map).into_iter().flatten();
    others
        .map(|(name, other)| {
            let prefixes = strings(other.get("address_prefixes")).unwrap_or_default();
            (name.clone(), parsed(&prefixes))
        })
        .collect()
}

/// Fills in what of a planned subnet the user did not write: the prefixes that the planner gave
/// it, and the length of a single one.
pub fn fill(planned: &mut Value, config: &Value, placed: Option<&[IpNet]>) {
    if !matches!(planned, Value::Map(_)) {
        return;
    }
    if config.get("address_prefixes").is_null() {
        let texts = |prefixes: &[IpNet]| {
            let texts = prefixes
                .iter()
                .map(|prefix| Value::from(prefix.to_string().as_str()));
            Value::List(texts.collect())
        };
        planned.set(
            "address_prefixes",
            placed.map_or_else(Value::unknown, texts),
        );
    }
    if config.get("prefix_length").is_null() {
        let length = match strings(planned.get("address_prefixes")) {
            None => Value::unknown(),
            Some(prefixes) => length_of(&prefixes).map_or(Value::Null, |length| {
                Value::Number(i64::from(length).into())
            }),
        };
        planned.set("prefix_length", length);
    }
}

/// The order in which subnets can be written one by one, so that none comes where another still
/// is; and those that wait for each other in a circle, for which there is no such order.
pub fn order(
    new: &BTreeMap<String, Vec<IpNet>>,
    current: &BTreeMap<String, Vec<IpNet>>,
) -> (Vec<String>, Vec<String>) {
    let none = Vec::new();
    let mut ordered = Vec::new();
    let mut waiting: BTreeSet<&String> = new.keys().collect();
    loop {
        let blocked = |key: &String| {
            waiting.iter().filter(|other| **other != key).any(|other| {
                let there = current.get(*other).unwrap_or(&none);
                let wanted = new.get(key).unwrap_or(&none);
                wanted
                    .iter()
                    .any(|a| there.iter().any(|b| cidr::overlap(a, b)))
            })
        };
        let ready: Vec<&String> = waiting
            .iter()
            .copied()
            .filter(|key| !blocked(key))
            .collect();
        if ready.is_empty() {
            break;
        }
        for key in ready {
            waiting.remove(key);
            ordered.push(key.clone());
        }
    }
    (ordered, waiting.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nets(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<IpNet>> {
        pairs
            .iter()
            .map(|(key, net)| ((*key).to_owned(), parsed(&[(*net).to_owned()])))
            .collect()
    }

    #[test]
    fn prefixes_are_the_same_in_any_order_and_spelling() {
        let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let user = list(&["FD00:0db8::/64", "10.0.0.0/24"]);
        let azure = list(&["10.0.0.0/24", "fd00:db8::/64"]);
        assert_eq!(spelled(Some(&user), azure.clone()), user);
        assert_eq!(spelled(Some(&list(&["10.0.1.0/24"])), azure.clone()), azure);
        assert_eq!(length_of(&azure), None);
        assert_eq!(length_of(&list(&["10.0.0.0/24"])), Some(24));
    }

    #[test]
    fn both_forms_of_azure_s_answer_are_read_and_its_addresses_counted() {
        let one = json!({"properties": {
            "addressPrefix": "10.0.0.0/28", "ipConfigurations": [{"id": "a"}, {"id": "b"}]
        }});
        let many = json!({"properties": {"addressPrefixes": ["10.0.0.0/28", "fd00::/64"]}});
        assert_eq!(found_prefixes(&one), ["10.0.0.0/28"]);
        assert_eq!(found_prefixes(&many).len(), 2);
        assert_eq!(counts(&found_prefixes(&one), &one), (11, 9));
        assert_eq!(counts(&found_prefixes(&many), &many), (11, 11));
    }

    #[test]
    fn a_subnet_that_takes_another_s_place_is_written_after_it_has_left() {
        let current = nets(&[("a", "10.0.0.0/24"), ("b", "10.0.1.0/24")]);
        let (order_of_move, circle) = order(
            &nets(&[
                ("a", "10.0.1.0/24"),
                ("b", "10.0.2.0/24"),
                ("c", "10.0.0.0/25"),
            ]),
            &current,
        );
        assert_eq!(order_of_move, ["b", "a", "c"]);
        assert!(circle.is_empty());
        let (_, circle) = order(
            &nets(&[("a", "10.0.1.0/24"), ("b", "10.0.0.0/24")]),
            &current,
        );
        assert_eq!(circle, ["a", "b"]);
    }
}
