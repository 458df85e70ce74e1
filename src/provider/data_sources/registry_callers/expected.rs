//! Whom a user expects to call a registry, and by what a caller is recognised.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Caller, Expected};
use crate::arm::{ArmId, Json};
use crate::provider::egress::{self, Egress};
use crate::provider::parts::{Look, Seen, Unread};

/// Whoever is expected, by address and by identity, each with the reason.
#[derive(Debug, Default)]
pub struct Expectations {
    ranges: Vec<(IpNet, String)>,
    identities: BTreeMap<String, String>,
    defender: bool,
    /// What could not be found out.
    pub gaps: Vec<String>,
}

impl Expectations {
    /// What the user expects, with the addresses and identities of clusters.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    pub fn of(expected: Option<&Expected>, seen: &Seen) -> Result<Self, Unread> {
        let mut all = Self::default();
        let Some(expected) = expected else {
            return Ok(all);
        };
        for text in expected.ip_ranges.iter().flatten() {
            let range = range(text).map(|range| (range, format!("within {text}")));
            all.ranges.extend(range);
        }
        for service in expected.trusted_services.iter().flatten() {
            if service.eq_ignore_ascii_case("defender") {
                all.defender = true;
            } else {
                let reason = format!("the trusted service {service}");
                all.identities.insert(service.to_lowercase(), reason);
            }
        }
        let clusters = expected.cluster_ids.iter().flatten();
        let read: Vec<_> = clusters.map(|id| all.cluster(id, seen)).collect();
        read.into_iter().collect::<Result<Vec<()>, Unread>>()?;
        Ok(all)
    }

    fn cluster(&mut self, id: &ArmId, seen: &Seen) -> Result<(), Unread> {
        let cluster = match seen.look(id)? {
            Look::Found(cluster) => cluster,
            Look::Absent => {
                self.gaps.push(format!("{id}: it does not exist"));
                return Ok(());
            }
            Look::Denied(error) => {
                self.gaps.push(format!(
                    "{id}: the caller may not read it ({}), which takes the action `{}/read`",
                    error.code().unwrap_or("403"),
                    id.resource_type()
                ));
                return Ok(());
            }
        };
        let name = id.name();
        let identities = cluster["properties"]["identityProfile"].as_object();
        for (role, identity) in identities.into_iter().flatten() {
            // A registry's events have the object id, or the application's.
            for field in ["objectId", "clientId"] {
                if let Some(text) = identity[field].as_str() {
                    let reason = format!("the identity {role} of the cluster {name}");
                    self.identities.insert(text.to_lowercase(), reason);
                }
            }
        }
        match egress::of(id, cluster, seen)? {
            Egress::Known(addresses) => {
                let reason = format!("an outbound address of the cluster {name}");
                let ranges = addresses
                    .iter()
                    .map(|address| (address.range, reason.clone()));
                self.ranges.extend(ranges);
            }
            // Over a private endpoint, or behind a firewall, the identity alone tells.
            Egress::Routed | Egress::Closed => {}
            Egress::Unfound(gaps) => {
                self.gaps.extend(gaps.iter().map(ToString::to_string));
            }
        }
        Ok(())
    }

    /// A row of the answer, with what is thought of it.
    pub fn judged(&self, row: &Json) -> Caller {
        let text = |name: &str| {
            let value = row[name].as_str().filter(|text| !text.is_empty());
            value.map(str::to_owned)
        };
        let (ip_address, identity) = (text("CallerIpAddress"), text("Identity"));
        let reason = self.reason(ip_address.as_deref(), identity.as_deref());
        Caller {
            artifact_type: text("ArtifactType"),
            operation: text("OperationName"),
            count: number(&row["Events"]),
            last_seen: text("LastSeen"),
            expected: reason.is_some(),
            reason: reason
                .unwrap_or_else(|| "neither its address nor its identity is expected".to_owned()),
            ip_address,
            identity,
        }
    }

    /// What covers a caller.
    fn reason(&self, address: Option<&str>, identity: Option<&str>) -> Option<String> {
        let address = address.and_then(|text| text.parse::<IpAddr>().ok());
        let within = address.and_then(|address| {
            let mut ranges = self.ranges.iter();
            ranges.find(|(range, _)| range.contains(&address))
        });
        if let Some((_, reason)) = within {
            return Some(reason.clone());
        }
        let identity = identity?.to_lowercase();
        if let Some(reason) = self.identities.get(&identity) {
            return Some(reason.clone());
        }
        (self.defender && is_defender(&identity))
            .then(|| "Microsoft Defender for Containers".to_owned())
    }

    /// What the user should know of what could not be found out.
    pub fn warnings(&self) -> Vec<(String, String)> {
        if self.gaps.is_empty() {
            return Vec::new();
        }
        vec![(
            "not all that is expected could be found out".to_owned(),
            format!(
                "Callers from there may be told as unexpected:\n- {}",
                self.gaps.join("\n- ")
            ),
        )]
    }
}

/// An address, or a range of them.
pub fn range(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(single)
}

/// The alphanumeric id that Defender's events are documented to come with: in the groups of a GUID, and
/// none. (Microsoft Learn, "Scan registry images with Microsoft Defender for Cloud".)
fn is_defender(identity: &str) -> bool {
    let groups: Vec<usize> = identity.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && identity
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && uuid::Uuid::parse_str(identity).is_err()
}

fn number(value: &Json) -> u64 {
    let text = || value.as_str()?.parse().ok();
    value.as_u64().or_else(text).unwrap_or_default()
}
