//! Whether a private way to the registry stands: an approved endpoint whose addresses the DNS
//! records lead to, as far as the caller can see.

use super::connections;
use crate::arm::{ArmId, Json};
use crate::network::private_link::ZONE_PREFIX;
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::private_registry_link::way;

const ZONE: &str = "Microsoft.Network/privateDnsZones";

/// What is seen of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Approved, and every name of the registry leads to it.
    Stands,
    /// Approved, and the caller may not look further.
    Approved(String),
    /// It is no way to the registry, for these reasons.
    Missing(Vec<String>),
}

/// Every connection of a registry, and how it stands.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn ways(registry: &ArmId, found: &Json, seen: &Seen) -> Result<Vec<(ArmId, Standing)>, Unread> {
    let ways = connections(found).into_iter().filter_map(|connection| {
        let endpoint = connection.private_endpoint_id?;
        let standing = if connection.state == "Approved" {
            endpoint_stands(registry, &endpoint, seen)
        } else {
            let state = format!("its connection is {}", connection.state);
            Ok(Standing::Missing(vec![state]))
        };
        Some((endpoint, standing))
    });
    // All are asked before any is waited for.
    let ways: Vec<_> = ways.collect();
    ways.into_iter()
        .map(|(endpoint, standing)| Ok((endpoint, standing?)))
        .collect()
}

fn endpoint_stands(registry: &ArmId, id: &ArmId, seen: &Seen) -> Result<Standing, Unread> {
    let missing = |why: &str| Ok(Standing::Missing(vec![why.to_owned()]));
    let unreadable = |what: &str| {
        Ok(Standing::Approved(format!(
            "{what} of {} may not be read",
            id.name()
        )))
    };
    let groups = seen.list(id, "privateDnsZoneGroups");
    let endpoint = match seen.look(id)? {
        Look::Found(endpoint) => endpoint,
        Look::Absent => return missing("the endpoint does not exist any more"),
        Look::Denied(_) => return Ok(Standing::Approved(format!("{} may not be read", id.name()))),
    };
    let Some(interface) = way::interface_id(endpoint) else {
        return missing("it has no network interface yet");
    };
    let interface = match seen.look(&interface)? {
        Look::Found(interface) => way::addresses(interface),
        Look::Absent => return missing("its network interface does not exist"),
        Look::Denied(_) => return unreadable("the network interface"),
    };
    let groups = groups?.found().unwrap_or_default();
    let zones = zones(groups, [registry, id], seen)?;
    if zones.is_empty() {
        return missing(&format!(
            "it has no DNS zone group, and no zone {} with records can be seen",
            seen.cloud().registry_zone()
        ));
    }
    let mut reasons = Vec::new();
    let mut unread = false;
    for address in interface {
        for name in &address.fqdns {
            match leads_there(name, &address.ip, &zones, groups, seen) {
                Ok(None) => {}
                Ok(Some(reason)) => reasons.push(reason),
                Err(Unread) => unread = true,
            }
        }
    }
    match (unread, reasons.is_empty()) {
        (true, _) => Err(Unread),
        (false, true) => Ok(Standing::Stands),
        (false, false) => Ok(Standing::Missing(reasons)),
    }
}

/// The zones that may hold the records: those of the zone groups, else all of the right name in
/// the subscriptions of the registry and its endpoint.
fn zones(groups: &[Json], ids: [&ArmId; 2], seen: &Seen) -> Result<Vec<ArmId>, Unread> {
    let configs = groups
        .iter()
        .filter_map(|group| group["properties"]["privateDnsZoneConfigs"].as_array())
        .flatten();
    let given: Vec<ArmId> = configs
        .filter_map(|config| ArmId::parse(config["properties"]["privateDnsZoneId"].as_str()?).ok())
        .collect();
    if !given.is_empty() {
        return Ok(given);
    }
    let name = seen.cloud().registry_zone();
    let lists: Vec<_> = ids
        .iter()
        .map(|id| ArmId::subscription(&id.subscription_id().to_lowercase()))
        .map(|subscription| seen.list(&subscription, &format!("providers/{ZONE}")))
        .collect();
    let mut zones = Vec::new();
    for list in lists {
        let found = list?.found().unwrap_or_default().iter();
        zones.extend(
            found
                .filter_map(|zone| ArmId::parse(zone["id"].as_str()?).ok())
                .filter(|zone| zone.name().eq_ignore_ascii_case(&name)),
        );
    }
    zones.sort();
    zones.dedup();
    Ok(zones)
}

/// Why a name does not lead to an address in any of these zones, if it does not.
fn leads_there(
    fqdn: &str,
    ip: &str,
    zones: &[ArmId],
    groups: &[Json],
    seen: &Seen,
) -> Result<Option<String>, Unread> {
    let records = zones.iter().filter_map(|zone| {
        let suffix = zone.name().strip_prefix(ZONE_PREFIX).unwrap_or(zone.name());
        let name = fqdn.strip_suffix(suffix)?.strip_suffix('.')?;
        Some(zone.child("A", name))
    });
    let records: Vec<_> = records.map(|record| (seen.look(&record), record)).collect();
    let mut reason = format!("there is no record for {fqdn}, which should lead to {ip}");
    for (look, record) in records {
        match look? {
            Look::Found(found) => {
                let addresses = way::record_addresses(found);
                if addresses.iter().any(|address| address == ip) {
                    return Ok(None);
                }
                reason = format!(
                    "{fqdn} leads to {}, and the endpoint has {ip} ({record})",
                    addresses.join(", ")
                );
            }
            // Where the zone may not be read, what the zone group wrote is the evidence.
            Look::Denied(_) if way::group_names(groups, fqdn, ip) => return Ok(None),
            Look::Denied(_) => {
                reason = format!("{fqdn} has no record in the endpoint's DNS zone group yet");
            }
            Look::Absent => {}
        }
    }
    Ok(Some(reason))
}
