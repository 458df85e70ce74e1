//! Private DNS zones and the networks that ask them, as they are found in subscriptions.

use std::collections::BTreeSet;

use super::parts::{Look, Seen, Unread};
use crate::arm::{ArmId, Json};

/// The ARM type of a private DNS zone.
pub const ZONE: &str = "Microsoft.Network/privateDnsZones";
const LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";

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
