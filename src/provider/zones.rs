//! Private DNS zones and the networks that ask them, as they are found in subscriptions.

use std::collections::BTreeSet;

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::parts::{Look, Seen, Unread, is_of};
use crate::arm::{ArmId, Json};
use crate::network::private_link;

/// The ARM type of a private DNS zone.
pub const ZONE: &str = "Microsoft.Network/privateDnsZones";
const LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";

/// Checks that an id, where it is known, is that of a zone of private registries.
pub fn of_registries(value: &Value, path: Path, diagnostics: &mut Diagnostics) {
    is_of(ZONE, value, path.clone(), diagnostics);
    let id = value.as_str().and_then(|text| ArmId::parse(text).ok());
    let Some(zone) = id.filter(|id| id.is(ZONE)) else {
        return;
    };
    let mut suffixes = private_link::REGISTRY_SUFFIXES.iter();
    if !suffixes.any(|suffix| private_link::check_zone(zone.name(), suffix).is_ok()) {
        let why = private_link::check_zone(zone.name(), private_link::REGISTRY_SUFFIXES[0]);
        diagnostics.error(
            path,
            format!("{} is not the zone of private registries", zone.name()),
            why.err().unwrap_or_default(),
        );
    }
}

/// Zones with their links.
#[derive(Debug, Default)]
pub struct Zones {
    /// Each link, with its zone and its network.
    pub links: Vec<Link>,
    /// The zones of which the links were listed.
    pub zones: BTreeSet<ArmId>,
    /// What may not be listed: a sentence each, with the missing action.
    pub hidden: Vec<String>,
}

/// A network that asks a zone.
#[derive(Debug, Clone)]
pub struct Link {
    /// The zone.
    pub zone: ArmId,
    /// The link.
    pub id: ArmId,
    /// The network.
    pub network: ArmId,
    /// The link's body.
    pub body: Json,
}

/// The zones in these subscriptions whose name the function accepts, and those that are given, with
/// their links. What is absent has none.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn find(
    subscriptions: &BTreeSet<String>,
    given: BTreeSet<ArmId>,
    accepts: &dyn Fn(&str) -> bool,
    seen: &Seen,
) -> Result<Zones, Unread> {
    let lists: Vec<_> = subscriptions
        .iter()
        .map(|subscription| {
            let parent = ArmId::subscription(subscription);
            let list = seen.list(&parent, &format!("providers/{ZONE}"));
            (parent, list)
        })
        .collect();
    let mut found = Zones {
        zones: given,
        ..Zones::default()
    };
    let mut unread = false;
    for (subscription, list) in lists {
        match list {
            Err(Unread) => unread = true,
            Ok(Look::Denied(_)) => found.hidden.push(hidden(&subscription, "zones", ZONE)),
            Ok(list) => {
                let zones = list.found().unwrap_or_default().iter();
                let zones = zones.filter_map(|zone| ArmId::parse(zone["id"].as_str()?).ok());
                found
                    .zones
                    .extend(zones.filter(|zone| accepts(zone.name())));
            }
        }
    }
    let zones: Vec<_> = found
        .zones
        .iter()
        .map(|zone| (zone, seen.list(zone, "virtualNetworkLinks")))
        .collect();
    for (zone, list) in zones {
        match list {
            Err(Unread) => unread = true,
            Ok(Look::Denied(_)) => found.hidden.push(hidden(zone, "links", LINK)),
            Ok(list) => {
                let links = list.found().unwrap_or_default().iter();
                found.links.extend(links.filter_map(|link| {
                    let network = link["properties"]["virtualNetwork"]["id"].as_str()?;
                    Some(Link {
                        zone: zone.clone(),
                        id: ArmId::parse(link["id"].as_str()?).ok()?,
                        network: ArmId::parse(network).ok()?,
                        body: link.clone(),
                    })
                }));
            }
        }
    }
    if unread { Err(Unread) } else { Ok(found) }
}

fn hidden(parent: &ArmId, what: &str, kind: &str) -> String {
    format!("the {what} of {parent} may not be listed, which takes the action `{kind}/read`")
}
