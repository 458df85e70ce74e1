//! Reads the way that a registry's names take: endpoint, interface, addresses, records.

use crate::arm::{ArmId, Json};
use crate::network::private_link::Member;
use crate::provider::parts::{Ledger, Look, Seen, Unread};

use super::Input;
use super::evidence::suffix_of;

/// An address of the endpoint's network interface, found by its member and never by position.
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    /// Such as `registry` or `registry_data_westeurope`.
    pub member: String,
    /// The region of a data endpoint.
    pub region: Option<String>,
    /// The address.
    pub ip: String,
    /// The public names that it stands for.
    pub fqdns: Vec<String>,
}

/// A record that the zone should have.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name in the zone.
    pub name: String,
    /// The zone's name.
    pub zone: String,
    /// Where it should lead.
    pub ip: String,
    /// The public name.
    pub fqdn: String,
    /// The address that it is for.
    pub address: Address,
}

/// The endpoint's connection, whichever way it is approved.
pub fn connection(endpoint: &Json) -> Option<&Json> {
    [
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
    ]
    .into_iter()
    .find_map(|list| endpoint["properties"][list].as_array()?.first())
}

/// `Approved`, `Pending`, `Rejected` or `Disconnected`; empty where Azure says nothing.
pub fn connection_state(endpoint: &Json) -> &str {
    connection(endpoint)
        .and_then(|connection| {
            connection["properties"]["privateLinkServiceConnectionState"]["status"].as_str()
        })
        .unwrap_or_default()
}

/// The network interface that holds the endpoint's addresses.
pub fn interface_id(endpoint: &Json) -> Option<ArmId> {
    let interfaces = endpoint["properties"]["networkInterfaces"].as_array()?;
    ArmId::parse(interfaces.first()?["id"].as_str()?).ok()
}

/// The addresses of the interface, by member.
pub fn addresses(interface: &Json) -> Vec<Address> {
    let configurations = interface["properties"]["ipConfigurations"].as_array();
    let mut addresses: Vec<Address> = configurations
        .into_iter()
        .flatten()
        .filter_map(|configuration| {
            let properties = &configuration["properties"];
            let link = &properties["privateLinkConnectionProperties"];
            let member = link["requiredMemberName"].as_str()?.to_owned();
            let region =
                Member::parse(&member).and_then(|member| member.region().map(str::to_owned));
            let fqdns = link["fqdns"].as_array().into_iter().flatten();
            Some(Address {
                region,
                member,
                ip: properties["privateIPAddress"].as_str()?.to_owned(),
                fqdns: fqdns
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
            })
        })
        .collect();
    addresses.sort_by(|a, b| a.member.cmp(&b.member));
    addresses
}

/// The records that the endpoint's addresses need. None while the endpoint or its interface is
/// not there; where the interface may not be read, those that the zone group names.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn records(input: &Input, seen: &Seen) -> Result<Vec<Record>, Unread> {
    let Look::Found(endpoint) = seen.look(&input.id())? else {
        return Ok(Vec::new());
    };
    let Some(interface) = interface_id(endpoint) else {
        return Ok(Vec::new());
    };
    let Look::Found(interface) = seen.look(&interface)? else {
        return Ok(Vec::new());
    };
    let zone = input.zone_id(seen);
    let suffix = format!(".{}", suffix_of(&zone));
    Ok(addresses(interface)
        .into_iter()
        .flat_map(|address| {
            address
                .fqdns
                .clone()
                .into_iter()
                .map(move |fqdn| (address.clone(), fqdn))
        })
        .filter_map(|(address, fqdn)| {
            let name = fqdn.strip_suffix(&suffix)?.to_owned();
            Some(Record {
                id: zone.child("A", &name),
                name,
                zone: zone.name().to_owned(),
                ip: address.ip.clone(),
                fqdn: fqdn.clone(),
                address,
            })
        })
        .collect())
}

/// The addresses that a record leads to.
pub fn record_addresses(record: &Json) -> Vec<String> {
    // The published name is `aRecords`; some answers spell it `ARecords`.
    let list = ["aRecords", "ARecords"]
        .into_iter()
        .find_map(|name| record["properties"][name].as_array());
    list.into_iter()
        .flatten()
        .filter_map(|item| item["ipv4Address"].as_str().map(str::to_owned))
        .collect()
}

/// The other living endpoint that a record belongs to, by its metadata. Azure's zone groups
/// write `creator: created by private endpoint NAME with resource guid GUID`.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn owner_elsewhere(
    record: &Record,
    input: &Input,
    seen: &Seen,
) -> Result<Option<ArmId>, Unread> {
    let Look::Found(found) = seen.look(&record.id)? else {
        return Ok(None);
    };
    owner(found, &input.id(), &input.registry_id, seen)
}

/// The living endpoint, other than `own`, that a record's metadata names.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn owner(
    record: &Json,
    own: &ArmId,
    registry: &ArmId,
    seen: &Seen,
) -> Result<Option<ArmId>, Unread> {
    let metadata = &record["properties"]["metadata"];
    if let Some(other) = metadata["endpoint"]
        .as_str()
        .and_then(|id| ArmId::parse(id).ok())
    {
        let lives = other != *own && matches!(seen.look(&other)?, Look::Found(_));
        return Ok(lives.then_some(other));
    }
    let creator = metadata["creator"].as_str().unwrap_or_default();
    let Some(name) = creator
        .strip_prefix("created by private endpoint ")
        .and_then(|rest| rest.split(" with resource guid").next())
    else {
        return Ok(None);
    };
    if name.eq_ignore_ascii_case(own.name()) {
        return Ok(None);
    }
    let Look::Found(registry) = seen.look(registry)? else {
        return Ok(None);
    };
    let connections = registry["properties"]["privateEndpointConnections"].as_array();
    Ok(connections
        .into_iter()
        .flatten()
        .filter(|connection| {
            connection["properties"]["privateLinkServiceConnectionState"]["status"]
                != "Disconnected"
        })
        .filter_map(|connection| {
            ArmId::parse(connection["properties"]["privateEndpoint"]["id"].as_str()?).ok()
        })
        .find(|endpoint| endpoint.name().eq_ignore_ascii_case(name) && endpoint != own))
}

/// What the zone group itself says of a record, where the zone may not be read.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn group_evidence(
    input: &Input,
    record: &Record,
    seen: &Seen,
) -> Result<Option<String>, Unread> {
    let Look::Found(groups) = seen.list(&input.id(), "privateDnsZoneGroups")? else {
        return Ok(None);
    };
    let stands = group_names(groups, &record.name, &record.ip);
    Ok((!stands).then(|| {
        format!(
            "the DNS zone group does not name {} for {} yet",
            record.ip, record.fqdn
        )
    }))
}

/// Whether one of these zone groups names the address for a host, given by its name or a record's.
pub fn group_names(groups: &[Json], name: &str, ip: &str) -> bool {
    let host = name.split('.').next();
    groups.iter().flat_map(record_sets).any(|set| {
        set["fqdn"]
            .as_str()
            .is_some_and(|name| name.split('.').next() == host)
            && set["ipAddresses"]
                .as_array()
                .is_some_and(|addresses| addresses.iter().any(|address| address == ip))
    })
}

/// The names of the records that the zone groups among these objects wrote.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn records_of_groups(ledger: &Ledger, seen: &Seen) -> Result<Vec<String>, Unread> {
    let mut names = Vec::new();
    for (_, id) in ledger.iter() {
        if id.is("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            && let Look::Found(group) = seen.look(id)?
        {
            names.extend(
                record_sets(group)
                    .filter_map(|set| set["recordSetName"].as_str().map(str::to_owned)),
            );
        }
    }
    Ok(names)
}

fn record_sets(group: &Json) -> impl Iterator<Item = &Json> {
    group["properties"]["privateDnsZoneConfigs"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|config| {
            config["properties"]["recordSets"]
                .as_array()
                .into_iter()
                .flatten()
        })
}

/// The configuration of a zone in a zone group.
pub fn configuration_of<'a>(group: &'a Json, zone: &ArmId) -> Option<&'a Json> {
    let configurations = group["properties"]["privateDnsZoneConfigs"].as_array()?;
    configurations.iter().find(|configuration| {
        configuration["properties"]["privateDnsZoneId"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(zone.as_str()))
    })
}

/// Whether a zone group writes into that zone, or into none yet. A configuration cannot be
/// pointed at another zone, and a group has one zone of a name.
pub fn names_zone(group: &Json, zone: &ArmId) -> bool {
    let configurations = group["properties"]["privateDnsZoneConfigs"].as_array();
    configurations.is_none_or(Vec::is_empty) || configuration_of(group, zone).is_some()
}
