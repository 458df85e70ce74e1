//! Microsoft.Network/privateEndpoints/privateDnsZoneGroups. The group writes an A record for each address
//! of its endpoint into the zones that it names, and takes them away when it goes. Two endpoints that write
//! the same record overwrite each other, and the group that goes first takes the record with it (arm.md, section 4).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::private_endpoints;
use crate::errors::{ArmError, ArmResult, invalid_reference};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};
use crate::types::private_dns::{records, zones};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";
/// Seconds; what Azure writes.
const TTL: u32 = 10;

/// The row.
pub const PRIVATE_DNS_ZONE_GROUPS: Type = Type {
    properties: &["privateDnsZoneConfigs"],
    check,
    fill,
    settle: write_records,
    on_delete: |world, group| {
        withdraw(world, &records_of(group));
        Ok(())
    },
    render: |_, _, body| {
        if let Value::Object(properties) = &mut body["properties"] {
            properties.remove("withdrawn");
        }
    },
    locks: super::parent_lock,
    ..super::child(NAME)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        return Ok(());
    }
    super::check_name(change, 80)?;
    let endpoint = new.id.parent().unwrap_or_else(|| new.id.clone());
    if let Some(other) = world
        .list(endpoint.as_str(), NAME)
        .find(|other| !other.id.same(new.id.as_str()))
    {
        return Err(ArmError::bad(
            "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
            format!(
                "Private endpoint {endpoint} already has the private DNS zone group {}. Only one is allowed.",
                other.id.name()
            ),
        ));
    }
    if world
        .get(endpoint.as_str())
        .is_some_and(|endpoint| endpoint.state() == "Failed")
    {
        return Err(ArmError::conflict(
            "ReferencedResourceNotProvisioned",
            format!(
                "Cannot proceed with operation because resource {endpoint} used by resource {} is not in Succeeded state.",
                new.id
            ),
        ));
    }
    let configs = new.items("/properties/privateDnsZoneConfigs");
    if configs.is_empty() || configs.len() > 5 {
        return Err(ArmError::bad(
            "InvalidPrivateDnsZoneConfigCount",
            format!(
                "Private DNS zone group {} must have one to five zone configurations.",
                new.id
            ),
        ));
    }
    let mut zones = BTreeSet::new();
    for config in configs {
        let name = config_name(config);
        let text = zone_of(config);
        let zone = ResourceId::parse(text)
            .filter(|id| id.type_name().eq_ignore_ascii_case(zones::NAME))
            .ok_or_else(|| {
                ArmError::bad(
                    "InvalidPrivateDnsZoneIds",
                    format!(
                        "Private DNS zone group {} has the invalid private DNS zone id '{text}'.",
                        new.id
                    ),
                )
            })?;
        if world.get(zone.as_str()).is_none() {
            return Err(invalid_reference(text, &new.id));
        }
        if !zones.insert(zone.name().to_lowercase()) {
            return Err(ArmError::bad(
                "PrivateDnsZoneGroupCannotHaveDuplicateZones",
                format!(
                    "Private DNS zone group {} names the zone {} twice.",
                    new.id,
                    zone.name()
                ),
            ));
        }
        let before = change.old.and_then(|old| {
            old.items("/properties/privateDnsZoneConfigs")
                .iter()
                .find(|old| config_name(old).eq_ignore_ascii_case(name))
        });
        if before.is_some_and(|before| !zone.same(zone_of(before))) {
            return Err(ArmError::bad(
                "UpdatingPrivateDnsZoneIdNotAllowed",
                format!(
                    "The private DNS zone of configuration {name} in private DNS zone group {} cannot be changed. Delete the group and make it again.",
                    new.id
                ),
            ));
        }
    }
    Ok(())
}

fn fill(_: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let id = new.id.clone();
    if let Some(Value::Array(configs)) = new.body.pointer_mut("/properties/privateDnsZoneConfigs") {
        for config in configs {
            let name = config_name(config).to_owned();
            let before = old.and_then(|old| {
                old.items("/properties/privateDnsZoneConfigs")
                    .iter()
                    .find(|old| config_name(old).eq_ignore_ascii_case(&name))
            });
            config["properties"]["recordSets"] = before.map_or_else(
                || json!([]),
                |before| before["properties"]["recordSets"].clone(),
            );
            config["id"] = json!(id.child("privateDnsZoneConfigs", &name).as_str());
            config["name"] = json!(name);
            config["type"] = json!(format!("{NAME}/privateDnsZoneConfigs"));
            config["properties"]["provisioningState"] = json!("Succeeded");
        }
    }
    // Records of a configuration that is dropped go when the write completes.
    let dropped: Vec<String> = old
        .map(|old| {
            records_of(old)
                .into_iter()
                .filter(|record| !records_of(new).contains(record))
                .collect()
        })
        .unwrap_or_default();
    new.set("/properties/withdrawn", dropped);
    Ok(())
}

/// Writes the records of a group's endpoint into its zones.
fn write_records(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let mut group = world.require(id)?.clone();
    let endpoint_id = id.parent().unwrap_or_else(|| id.clone());
    let endpoint = world.require(&endpoint_id)?.clone();
    let map = private_endpoints::endpoint_map(world, &endpoint);
    let mut stale: BTreeSet<String> = records_of(&group).into_iter().collect();
    stale.extend(
        group
            .items("/properties/withdrawn")
            .iter()
            .filter_map(|record| record.as_str().map(ToOwned::to_owned)),
    );
    group.unset("/properties/withdrawn");
    let creator = format!(
        "created by private endpoint {} with resource guid {}",
        endpoint_id.name(),
        endpoint
            .text("/properties/resourceGuid")
            .unwrap_or_default()
    );
    let mut configs = group.items("/properties/privateDnsZoneConfigs").to_vec();
    for config in &mut configs {
        let Some(zone) = world.get(zone_of(config)).map(|zone| zone.id.clone()) else {
            continue;
        };
        let mut sets = Vec::new();
        for (member, address) in map
            .iter()
            .filter(|(member, _)| member.zone.eq_ignore_ascii_case(zone.name()))
        {
            let record = zone.child("A", &member.record);
            stale.retain(|other| !record.same(other));
            let body = json!({ "properties": {
                "ttl": TTL, "metadata": { "creator": creator }, "aRecords": [{ "ipv4Address": address }],
            } });
            records::store(world, Resource::new(record, records::A.name, body));
            sets.push(json!({
                "recordType": "A", "recordSetName": member.record, "fqdn": format!("{}.{}", member.record, zone.name()),
                "ttl": TTL, "ipAddresses": [address], "provisioningState": "Succeeded",
            }));
        }
        config["properties"]["recordSets"] = json!(sets);
    }
    withdraw(world, &stale.into_iter().collect::<Vec<_>>());
    group.set("/properties/privateDnsZoneConfigs", configs);
    world.insert(group);
    Ok(())
}

/// Writes the records of an endpoint's group anew, after its addresses changed.
///
/// # Errors
/// The group is gone meanwhile.
pub fn refresh(world: &mut World, endpoint: &ResourceId) -> ArmResult<()> {
    let group = world
        .list(endpoint.as_str(), NAME)
        .next()
        .map(|group| group.id.clone());
    group.map_or(Ok(()), |group| write_records(world, &group))
}

/// The ids of the record sets that a group wrote.
fn records_of(group: &Resource) -> Vec<String> {
    group
        .items("/properties/privateDnsZoneConfigs")
        .iter()
        .filter_map(|config| {
            Some((
                ResourceId::parse(zone_of(config))?,
                config.pointer("/properties/recordSets")?.as_array()?,
            ))
        })
        .flat_map(|(zone, sets)| {
            sets.iter()
                .filter_map(move |set| {
                    Some(
                        zone.child("A", set["recordSetName"].as_str()?)
                            .as_str()
                            .to_owned(),
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn withdraw(world: &mut World, records: &[String]) {
    for record in records {
        world.remove(record);
    }
}

fn config_name(config: &Value) -> &str {
    config["name"].as_str().unwrap_or("default")
}

fn zone_of(config: &Value) -> &str {
    config
        .pointer("/properties/privateDnsZoneId")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
