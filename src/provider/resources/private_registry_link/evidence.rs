//! When the link is done: its endpoint has its addresses, and the zone answers with them.

use super::way::{self, owner_elsewhere};
use super::{Input, Records};
use crate::arm::ArmId;
use crate::network::private_link::{self, GROUP_ID};
use crate::provider::parts::{Evidence, Look, Seen, Unread};

pub fn endpoint_stands(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let waiting = |what: &str| Evidence::Waiting(format!("private endpoint {} {what}", input.name));
    let Look::Found(endpoint) = seen.look(&input.id())? else {
        return Ok(waiting("does not show yet"));
    };
    let Some(interface) = way::interface_id(endpoint) else {
        return Ok(waiting("has no network interface yet"));
    };
    Ok(match seen.look(&interface)? {
        Look::Denied(_) => Evidence::Done,
        Look::Absent => waiting("has a network interface that does not show yet"),
        Look::Found(interface) => {
            let addresses = way::addresses(interface);
            if addresses.iter().any(|address| address.member == GROUP_ID) {
                Evidence::Done
            } else {
                waiting("has no address for the registry yet")
            }
        }
    })
}

pub fn records_agree(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    if input.dns.records == Records::Policy {
        let groups = seen
            .list(&input.id(), "privateDnsZoneGroups")?
            .found()
            .unwrap_or_default();
        if groups.is_empty() {
            return Ok(Evidence::Waiting(format!(
                "no Azure Policy has attached a DNS zone group to private endpoint {} yet",
                input.name
            )));
        }
    }
    Ok(disagreement(input, seen)?.map_or(Evidence::Done, Evidence::Waiting))
}

/// Why the zone does not answer with the endpoint's addresses, if it does not. A record that
/// belongs to another living endpoint is no disagreement that could be repaired here.
pub fn disagreement(input: &Input, seen: &Seen) -> Result<Option<String>, Unread> {
    let mut first = None;
    for record in way::records(input, seen)? {
        let why = match seen.look(&record.id) {
            Err(Unread) => {
                first = Some(Err(Unread));
                continue;
            }
            Ok(Look::Denied(_)) => way::group_evidence(input, &record, seen)?,
            Ok(Look::Absent) => Some(format!(
                "A record {} is missing in {}",
                record.name, record.zone
            )),
            Ok(Look::Found(found)) => {
                let stands = way::record_addresses(found);
                let same = stands == [record.ip.clone()];
                if same || owner_elsewhere(&record, input, seen)?.is_some() {
                    None
                } else {
                    Some(format!(
                        "A record {} in {} leads to {}, and the endpoint has {}",
                        record.name,
                        record.zone,
                        if stands.is_empty() {
                            "nothing".to_owned()
                        } else {
                            stands.join(", ")
                        },
                        record.ip
                    ))
                }
            }
        };
        if first.is_none() {
            first = why.map(Ok);
        }
    }
    first.transpose()
}

/// The DNS suffix of registries in a zone: `azurecr.io` for `privatelink.azurecr.io`.
pub fn suffix_of(zone: &ArmId) -> &str {
    zone.name()
        .strip_prefix(private_link::ZONE_PREFIX)
        .unwrap_or(zone.name())
}
