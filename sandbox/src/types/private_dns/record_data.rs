//! The data of record sets: what each record type holds and what of it is valid.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{bad_request, is_label};
use crate::errors::ArmResult;
use crate::store::Resource;

/// Most records in a set (Azure DNS limits).
const MAX_RECORDS: usize = 20;

/// The member that lists the records; `None` for types with a single record.
#[must_use]
pub fn list_name(kind: &str) -> Option<&'static str> {
    match kind {
        "A" => Some("aRecords"),
        "AAAA" => Some("aaaaRecords"),
        "MX" => Some("mxRecords"),
        "PTR" => Some("ptrRecords"),
        "SRV" => Some("srvRecords"),
        "TXT" => Some("txtRecords"),
        _ => None,
    }
}

/// Refuses data that the type does not take. An empty list is fine.
///
/// # Errors
/// 400 `BadRequest` naming the record.
pub fn check_data(kind: &str, name: &str, set: &Resource) -> ArmResult<()> {
    let Some(list) = list_name(kind) else {
        return check_single(kind, name, set);
    };
    let value = set.at(&format!("/properties/{list}"));
    if value.is_some_and(|value| !value.is_array()) {
        return Err(bad_request(format!("The member '{list}' is not a list.")));
    }
    let records = set.items(&format!("/properties/{list}"));
    if records.len() > MAX_RECORDS {
        return Err(bad_request(format!(
            "The record set '{name}' has {} records; the limit is {MAX_RECORDS}.",
            records.len()
        )));
    }
    for (at, record) in records.iter().enumerate() {
        if !valid(kind, record) {
            return Err(bad_request(format!(
                "The value '{record}' provided for the {kind} record in the record set '{name}' is not valid."
            )));
        }
        // Azure refuses the same record twice.
        if records[..at].contains(record) {
            return Err(bad_request(format!(
                "The record set '{name}' contains the {kind} record '{record}' more than once."
            )));
        }
    }
    Ok(())
}

fn check_single(kind: &str, name: &str, set: &Resource) -> ArmResult<()> {
    let right = match kind {
        "CNAME" => set
            .at("/properties/cnameRecord")
            .is_none_or(|record| host(&record["cname"])),
        // Only these may be changed; host and serial number are the service's.
        _ => [
            "refreshTime",
            "retryTime",
            "expireTime",
            "minimumTtl",
            "minimumTTL",
        ]
        .iter()
        .filter_map(|name| set.at(&format!("/properties/soaRecord/{name}")))
        .all(|value| value.as_i64().is_some_and(|seconds| seconds >= 0)),
    };
    if right {
        return Ok(());
    }
    Err(bad_request(format!(
        "The {kind} record of the record set '{name}' is not valid."
    )))
}

fn valid(kind: &str, record: &Value) -> bool {
    let number = |name: &str| {
        record[name]
            .as_i64()
            .is_some_and(|number| (0..=65535).contains(&number))
    };
    match kind {
        "A" => parses::<Ipv4Addr>(&record["ipv4Address"]),
        "AAAA" => parses::<Ipv6Addr>(&record["ipv6Address"]),
        "MX" => number("preference") && host(&record["exchange"]),
        "PTR" => host(&record["ptrdname"]),
        "SRV" => {
            number("priority") && number("weight") && number("port") && host(&record["target"])
        }
        "TXT" => record["value"].as_array().is_some_and(|texts| {
            let length = |text: &Value| text.as_str().map_or(usize::MAX, str::len);
            texts.iter().all(|text| length(text) <= 1024)
        }),
        _ => false,
    }
}

fn parses<T: std::str::FromStr>(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<T>().is_ok())
}

fn host(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let name = text.trim_end_matches('.');
        name.len() <= 253 && name.split('.').all(is_label)
    })
}

/// Completes a written SOA: host and serial number stay, what is not named keeps its value.
pub fn keep_authority(new: &mut Resource, old: Option<&Resource>) {
    let at = |name: &str| format!("/properties/soaRecord/{name}");
    if let Some(minimum) = new.at(&at("minimumTTL")).cloned() {
        new.unset(&at("minimumTTL"));
        new.set(&at("minimumTtl"), minimum);
    }
    let Some(old) = old.and_then(|old| old.at("/properties/soaRecord")).cloned() else {
        return;
    };
    for (name, value) in old.as_object().into_iter().flatten() {
        if matches!(name.as_str(), "host" | "serialNumber") {
            new.set(&at(name), value.clone());
        } else {
            new.default(&at(name), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
    use super::*;
    use crate::id::ResourceId;
    use serde_json::json;

    fn set(kind: &str, properties: Value) -> ArmResult<()> {
        let id = ResourceId::parse(&format!(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/z.io/{kind}/r"
        ))
        .unwrap();
        let resource = Resource::new(id, kind, json!({ "properties": properties }));
        check_data(kind, "r", &resource)
    }

    #[test]
    fn each_type_takes_its_own_data_and_nothing_else() {
        let good = [
            ("A", json!({ "aRecords": [{ "ipv4Address": "10.0.0.4" }] })),
            ("A", json!({})),
            (
                "AAAA",
                json!({ "aaaaRecords": [{ "ipv6Address": "fd00::4" }] }),
            ),
            (
                "MX",
                json!({ "mxRecords": [{ "preference": 0, "exchange": "mail.example.com" }] }),
            ),
            (
                "PTR",
                json!({ "ptrRecords": [{ "ptrdname": "localhost" }] }),
            ),
            (
                "SRV",
                json!({ "srvRecords": [{ "priority": 0, "weight": 10, "port": 80, "target": "example.com." }] }),
            ),
            (
                "TXT",
                json!({ "txtRecords": [{ "value": ["one", "two"] }] }),
            ),
            (
                "CNAME",
                json!({ "cnameRecord": { "cname": "example.com" } }),
            ),
        ];
        for (kind, properties) in good {
            assert!(set(kind, properties.clone()).is_ok(), "{kind} {properties}");
        }
        let bad = [
            ("A", json!({ "aRecords": [{ "ipv4Address": "10.0.0" }] })),
            ("A", json!({ "aRecords": [{ "ipv4Address": "fd00::4" }] })),
            ("A", json!({ "aRecords": {} })),
            (
                "A",
                json!({ "aRecords": [{ "ipv4Address": "10.0.0.4" }, { "ipv4Address": "10.0.0.4" }] }),
            ),
            (
                "AAAA",
                json!({ "aaaaRecords": [{ "ipv6Address": "10.0.0.4" }] }),
            ),
            (
                "MX",
                json!({ "mxRecords": [{ "preference": 70000, "exchange": "mail.example.com" }] }),
            ),
            (
                "SRV",
                json!({ "srvRecords": [{ "priority": 0, "weight": 10, "target": "example.com" }] }),
            ),
            ("TXT", json!({ "txtRecords": [{ "value": "one" }] })),
            ("CNAME", json!({ "cnameRecord": { "cname": "a b" } })),
        ];
        for (kind, properties) in bad {
            assert_eq!(
                set(kind, properties.clone()).unwrap_err().code,
                "BadRequest",
                "{kind} {properties}"
            );
        }
    }
}
