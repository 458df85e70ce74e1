//! Microsoft.Network/privateDnsZones/{A, AAAA, CNAME, MX, PTR, SOA, SRV, TXT}: record sets, written at once.
//! `If-Match` and `If-None-Match` are checked. Every zone has one SOA, which cannot go before its zone.

use serde_json::{Value, json};

use super::record_data::{self, check_data};
use super::{VERSIONS, bad_request, is_label, zones};
use crate::errors::ArmResult;
use crate::guards::touch_etag;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{self, Change, Etags, Patch, Place, Style, Type, Verb};

/// The rows.
pub const A: Type = record_set(
    "Microsoft.Network/privateDnsZones/A",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "aRecords"],
);
/// IPv6 addresses.
pub const AAAA: Type = record_set(
    "Microsoft.Network/privateDnsZones/AAAA",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "aaaaRecords"],
);
/// Another name.
pub const CNAME: Type = record_set(
    "Microsoft.Network/privateDnsZones/CNAME",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "cnameRecord"],
);
/// Mail exchanges.
pub const MX: Type = record_set(
    "Microsoft.Network/privateDnsZones/MX",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "mxRecords"],
);
/// Names of addresses.
pub const PTR: Type = record_set(
    "Microsoft.Network/privateDnsZones/PTR",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "ptrRecords"],
);
/// The start of authority.
pub const SOA: Type = record_set(
    "Microsoft.Network/privateDnsZones/SOA",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "soaRecord"],
);
/// Services.
pub const SRV: Type = record_set(
    "Microsoft.Network/privateDnsZones/SRV",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "srvRecords"],
);
/// Texts.
pub const TXT: Type = record_set(
    "Microsoft.Network/privateDnsZones/TXT",
    &["metadata", "ttl", "fqdn", "isAutoRegistered", "txtRecords"],
);

const TYPES: &[&str] = &[
    A.name, AAAA.name, CNAME.name, MX.name, PTR.name, SOA.name, SRV.name, TXT.name,
];

const fn record_set(name: &'static str, properties: &'static [&'static str]) -> Type {
    Type {
        place: Place::None,
        put: Style::Immediate,
        patch: Patch::Merge(Style::Immediate),
        delete: Style::Immediate,
        etags: Etags::Checked,
        creating: None,
        properties,
        read_only: &["fqdn", "isAutoRegistered"],
        check,
        fill,
        ..Type::new(name, VERSIONS)
    }
}

/// The record sets of a zone: all A sets, then AAAA and so on.
pub fn of_zone<'a>(world: &'a World, zone: &ResourceId) -> impl Iterator<Item = &'a Resource> {
    world
        .below(zone.as_str())
        .filter(|resource| TYPES.contains(&resource.type_name.as_str()))
}

/// Gives a zone its start of authority unless it has one. The values are those of every new zone.
pub fn add_authority(world: &mut World, zone: &ResourceId) {
    let id = zone.child("SOA", "@");
    if world.get(id.as_str()).is_some() {
        return;
    }
    let set = Resource::new(
        id,
        SOA.name,
        json!({ "properties": { "ttl": 3600, "soaRecord": {
            "email": "azureprivatedns-host.microsoft.com",
            "expireTime": 2_419_200,
            "host": "azureprivatedns.net",
            "minimumTtl": 10,
            "refreshTime": 3600,
            "retryTime": 300,
            "serialNumber": 1,
        } } }),
    );
    store(world, set);
}

/// Stores a record set that the service itself writes.
pub fn store(world: &mut World, mut set: Resource) {
    complete(&mut set);
    if let Some(kind) = table::find(&set.type_name) {
        touch_etag(world, kind, &mut set);
    }
    world.insert(set);
}

/// `A`, `SOA`.
fn record_type(set: &Resource) -> &str {
    set.type_name.rsplit('/').next().unwrap_or_default()
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let set = change.new;
    let (kind, name) = (record_type(set), set.id.name());
    if change.verb == Verb::Delete {
        if kind == "SOA" {
            return Err(bad_request(
                "The record set of type 'SOA' cannot be deleted: it goes with its zone.",
            ));
        }
        return Ok(());
    }
    if change.old.is_none() {
        check_name(kind, &set.id)?;
        check_neighbours(world, kind, &set.id)?;
    }
    check_ttl(set)?;
    check_metadata(set)?;
    check_data(kind, name, set)
}

/// `@`, `*` or labels; the whole name has up to 253 characters.
fn check_name(kind: &str, id: &ResourceId) -> ArmResult<()> {
    let name = id.name();
    let labels = name == "@"
        || name
            .split('.')
            .enumerate()
            .all(|(at, label)| is_label(label) || (at == 0 && label == "*"));
    if !labels || fqdn(id).len() > 254 {
        return Err(bad_request(format!(
            "The record set name '{name}' is invalid: '@', or labels of up to 63 letters, digits, '-' and '_' separated by '.'; the first may be '*'."
        )));
    }
    match (kind, name) {
        ("SOA", other) if other != "@" => Err(bad_request(
            "The record set of type 'SOA' has the name '@' and no other.",
        )),
        ("CNAME", "@") => Err(bad_request(
            "A record set of type 'CNAME' cannot be created at the zone's apex '@'.",
        )),
        _ => Ok(()),
    }
}

/// A CNAME stands alone under its name.
fn check_neighbours(world: &World, kind: &str, id: &ResourceId) -> ArmResult<()> {
    let Some(zone) = id.parent() else {
        return Ok(());
    };
    let clash = of_zone(world, &zone).find(|other| {
        other.id.name().eq_ignore_ascii_case(id.name())
            && (kind == "CNAME" || record_type(other) == "CNAME")
            && !other.id.same(id.as_str())
    });
    clash.map_or(Ok(()), |other| {
        Err(bad_request(format!(
            "The record could not be created because a {} record with the same name already exists in this zone.",
            record_type(other)
        )))
    })
}

fn check_ttl(set: &Resource) -> ArmResult<()> {
    let ttl = set.at("/properties/ttl").and_then(Value::as_i64);
    if ttl.is_some_and(|ttl| (1..=i64::from(i32::MAX)).contains(&ttl)) {
        return Ok(());
    }
    Err(bad_request(
        "The record set TTL is missing or invalid: it must be in the range 1 to 2147483647 seconds.",
    ))
}

fn check_metadata(set: &Resource) -> ArmResult<()> {
    match set.at("/properties/metadata") {
        None => Ok(()),
        Some(Value::Object(map)) if map.len() <= 10 && map.values().all(Value::is_string) => Ok(()),
        Some(_) => Err(bad_request(
            "The metadata of a record set are up to 10 texts by name.",
        )),
    }
}

fn fill(_: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    // The service keeps names of record sets in lower case.
    if let Some(zone) = new.id.parent() {
        new.id = zone.child(record_type(new), &new.id.name().to_lowercase());
    }
    if record_type(new) == "SOA" {
        record_data::keep_authority(new, old);
    }
    complete(new);
    Ok(())
}

/// What the service adds to every record set.
fn complete(set: &mut Resource) {
    set.set("/properties/fqdn", fqdn(&set.id));
    set.set("/properties/isAutoRegistered", false);
    if let Some(list) = record_data::list_name(record_type(set)) {
        set.default(&format!("/properties/{list}"), json!([]));
    }
}

/// `shop.privatelink.azurecr.io.`, the zone alone for `@`.
fn fqdn(id: &ResourceId) -> String {
    let zone = id
        .parent()
        .filter(|zone| zone.type_name().eq_ignore_ascii_case(zones::NAME))
        .map(|zone| zone.name().to_owned())
        .unwrap_or_default();
    match id.name() {
        "@" => format!("{zone}."),
        name => format!("{}.{zone}.", name.to_lowercase()),
    }
}
