//! What others have in the zone or on the networks that this link would meet.

use std::collections::BTreeSet;

use tfplugin_rs::value::Path;

use super::super::{PrivateRegistryLink, way};
use super::{id, zone};
use crate::arm::ArmId;
use crate::provider::parts::{Check, Composite, Unread};
use crate::provider::zones;

/// A second endpoint that writes the same record set in one zone would overwrite the first's.
pub fn records_of_others(check: &mut Check<'_>) -> Result<(), Unread> {
    let (Some(zone), Some(registry)) = (zone(check), check.id("registry_id")) else {
        return Ok(());
    };
    let (Some(group), Some(name)) = (
        check.id("resource_group_id"),
        check.planned.get("name").as_str(),
    ) else {
        return Ok(());
    };
    let own = group.resource(PrivateRegistryLink::ANCHOR, name);
    let record = zone.child("A", &registry.name().to_lowercase());
    let facts = check.look(&registry);
    let Some(found) = check.look(&record)? else {
        return Ok(());
    };
    facts?;
    if let Some(other) = way::owner(found, &own, &registry, check.seen)?
        && !check.is_ours(&other)
    {
        check.error(
            Path::attribute("dns"),
            format!("another endpoint writes the records of {} in this zone", registry.name()),
            format!(
                "Whichever is written last wins, and deleting one takes the other's records along.\n\
                 - record: {record}\n- its endpoint: {other}\n\nFix: link your networks to that zone and use \
                 its endpoint, or give this one a zone of its own in another resource group:\n\n  dns = {{\n    \
                 zone_id = <the id of another zone named {}>\n  }}",
                zone.name()
            ),
        );
    }
    Ok(())
}

/// A network asks one zone of a name: links to other zones are found in every subscription that
/// the configuration names.
pub fn other_links(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(zone) = zone(check) else {
        return Ok(());
    };
    let Some(networks) = check.planned.get("dns").get("virtual_network_ids").as_map() else {
        return Ok(());
    };
    let networks: Vec<(&String, ArmId)> = networks
        .iter()
        .filter_map(|(key, network)| Some((key, id(network)?)))
        .collect();
    if networks.is_empty() {
        return Ok(());
    }
    let subscriptions = networks
        .iter()
        .map(|(_, network)| network.subscription_id().to_lowercase())
        .chain([zone.subscription_id().to_lowercase()])
        .collect();
    let named = |name: &str| name.eq_ignore_ascii_case(zone.name());
    let found = zones::find(&subscriptions, BTreeSet::new(), &named, check.seen)?;
    for link in found.links {
        let Some((key, network)) = networks.iter().find(|(_, own)| *own == link.network) else {
            continue;
        };
        if !check.is_ours(&link.id) {
            already_linked(check, key, network, &zone, &link.zone, &link.id);
        }
    }
    Ok(())
}

fn already_linked(
    check: &mut Check<'_>,
    key: &str,
    network: &ArmId,
    zone: &ArmId,
    other: &ArmId,
    link: &ArmId,
) {
    let name = format!(
        "{}-{key}",
        check.planned.get("name").as_str().unwrap_or_default()
    );
    if other == zone && link.name().eq_ignore_ascii_case(&name) {
        // Of this name in this zone: apply refuses it with the import block, or adopts it.
        return;
    }
    let fix = if other == zone {
        format!("leave {key:?} out of dns.virtual_network_ids: the network asks this zone already.")
    } else {
        format!(
            "use the zone that the network asks, and leave the network out here:\n\n  dns = {{\n    zone_id             \
             = \"{other}\"\n    virtual_network_ids = {{}}\n  }}"
        )
    };
    check.error(
        Path::attribute("dns").then("virtual_network_ids").key(key),
        format!("the network {} is already linked to a zone named {}", network.name(), other.name()),
        format!(
            "Azure links a network to one zone of a name.\n- network: {network}\n- link: {link}\n- zone: \
             {other}\n\nFix: {fix}"
        ),
    );
}

/// Networks move from zone to zone one by one, and each asks neither for a moment.
pub fn moving_zone(check: &mut Check<'_>) {
    let Some(prior) = check.prior else { return };
    let (Some(before), Some(zone)) = (id(prior.get("zone_id")), zone(check)) else {
        return;
    };
    let links = prior
        .get("dns")
        .get("virtual_network_ids")
        .as_map()
        .map_or(0, |map| map.len());
    if before != zone && links > 0 {
        check.warning(
            Path::attribute("dns").then("zone_id"),
            "networks resolve the registry publicly for a moment while the zone changes",
            format!(
                "All records are written in the new zone first; then each network's link moves, and between \
                 the old link's end and the new one's the network has no private answer.\n- from: {before}\n\
                 - to: {zone}\n- networks that move: {links}"
            ),
        );
    }
}
