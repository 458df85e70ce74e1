//! How the nodes' network resolves the registry's names: whom it asks, which zone that one asks,
//! and what the zone says.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::endpoints::Endpoint;
use super::finding::{Check, Finding, Verdict, hidden};
use crate::arm::{ArmId, Json};
use crate::network::private_link::{self, Member};
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::network;
use crate::provider::resources::network_peering::peerings_of;
use crate::provider::resources::private_registry_link::way;
use crate::provider::zones::{Link, Zones};

/// Where the login server's name leads to from a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// To these private addresses.
    Private(Vec<String>),
    /// To the public address.
    Public,
    /// To nothing: the private zone is asked, and has no such name.
    Nowhere,
    /// Nobody knows from here.
    Unknown,
}

/// Azure's own DNS, as a network is told it by hand ("What is IP address 168.63.129.16?").
const AZURE_DNS: &str = "168.63.129.16";

/// The registry's names: the login server and its members.
pub struct Names<'a> {
    /// The login server.
    pub login_server: &'a str,
    /// The registry's API and the data endpoint of each region.
    pub members: &'a [Member],
}

/// The networks that ask for the nodes, and what that says: their own, or where the DNS servers are
/// that they were given.
pub fn askers(id: &ArmId, found: &Json, cluster: &Json) -> (Vec<ArmId>, Finding) {
    let check = Check::DnsServers;
    let servers = network::texts(&found["properties"]["dhcpOptions"]["dnsServers"]);
    let custom: Vec<&String> = servers
        .iter()
        .filter(|server| *server != AZURE_DNS)
        .collect();
    if custom.is_empty() {
        let finding = Finding::ok(check, "The nodes' network asks Azure DNS.").evidence([id]);
        return (vec![id.clone()], finding);
    }
    let mut holders = BTreeSet::new();
    let mut lines = Vec::new();
    for server in custom {
        let holder = holder(server, id, found);
        lines.push(match &holder {
            Some(holder) => format!("DNS server {server}, in {holder}"),
            None => format!("DNS server {server}, in no network that is seen from here"),
        });
        holders.extend(holder);
    }
    let pools = cluster["properties"]["agentPoolProfiles"].as_array();
    for pool in pools.into_iter().flatten() {
        let mode = pool["localDNSProfile"]["mode"].as_str();
        if let Some(mode) = mode.filter(|mode| *mode != "Disabled") {
            let name = pool["name"].as_str().unwrap_or_default();
            lines.push(format!(
                "pool {name}: LocalDNS is {mode} and may ask others than the network's servers"
            ));
        }
    }
    let finding = Finding::unknown(
        check,
        "The nodes' network asks DNS servers of its own. They answer with the private address only where they \
         pass the question on to Azure DNS, from a network that is linked to the zone.",
    )
    .evidence([id])
    .evidence(lines)
    .fix(
        "Forward the registry's domain to 168.63.129.16 on those servers (or to the inbound endpoint of a DNS private \
         resolver), and link the zone to the network where they are.",
    );
    let asking = if holders.is_empty() {
        vec![id.clone()]
    } else {
        holders.into_iter().collect()
    };
    (asking, finding)
}

/// The network that an address is in: this one, or one that it is peered with.
fn holder(address: &str, id: &ArmId, found: &Json) -> Option<ArmId> {
    let address: IpAddr = address.parse().ok()?;
    let within = |space: &Json| {
        let prefixes = network::texts(&space["addressPrefixes"]).into_iter();
        prefixes
            .filter_map(|prefix| prefix.parse::<IpNet>().ok())
            .any(|prefix| prefix.contains(&address))
    };
    if within(&found["properties"]["addressSpace"]) {
        return Some(id.clone());
    }
    let mut peerings = peerings_of(found);
    peerings
        .find(|(_, _, peering)| within(&peering["properties"]["remoteAddressSpace"]))
        .and_then(|(_, leads_to, _)| leads_to)
}

/// Whether there is a zone, and whether it is asked; with the link, where there is one.
pub fn zone<'z>(
    asking: &[ArmId],
    name: &str,
    zones: &'z Zones,
    looked_in: &BTreeSet<String>,
) -> (Option<&'z Link>, Vec<Finding>) {
    let link = zones
        .links
        .iter()
        .find(|link| asking.contains(&link.network));
    if let Some(link) = link {
        let state = link.body["properties"]["virtualNetworkLinkState"].as_str();
        let zone =
            Finding::ok(Check::Zone, format!("There is a zone {name}.")).evidence([&link.zone]);
        let stands = state.is_none_or(|state| state == "Completed");
        let finding = if stands {
            Finding::ok(Check::ZoneLink, "The zone is asked.")
        } else {
            Finding::unknown(Check::ZoneLink, "The link to the zone is still being made.")
        };
        return (
            Some(link),
            vec![zone, finding.evidence([&link.id, &link.network])],
        );
    }
    let hidden = || zones.hidden.iter().cloned();
    if zones.zones.is_empty() {
        let zone = if zones.hidden.is_empty() {
            Finding::problem(
                Check::Zone,
                format!("No zone {name} is to be seen."),
                "fkaks_private_registry_link makes one, with its link and its records. If there is one elsewhere, \
                 say so:\n\n  private_dns_zone_id = \"/subscriptions/...\"",
            )
        } else {
            Finding::unknown(
                Check::Zone,
                format!("No zone {name} is to be seen, and not all may be."),
            )
        };
        let zone = zone.evidence(
            looked_in
                .iter()
                .map(|id| format!("looked for in subscription {id}")),
        );
        let link = Finding {
            check: Check::ZoneLink,
            ..zone.clone()
        };
        let link = Finding {
            summary: "There is no zone to be linked to.".to_owned(),
            ..link
        };
        return (None, vec![zone.evidence(hidden()), link.evidence(hidden())]);
    }
    let zone = Finding::ok(Check::Zone, format!("There is a zone {name}.")).evidence(&zones.zones);
    let link = if zones.hidden.is_empty() {
        Finding::problem(
            Check::ZoneLink,
            format!(
                "The nodes' network is not linked to the zone {name}, and so resolves the registry publicly."
            ),
            format!(
                "dns = {{\n  virtual_network_ids = {{ nodes = \"{}\" }} # in fkaks_private_registry_link\n}}",
                asking.first().map_or("", ArmId::as_str)
            ),
        )
    } else {
        Finding::unknown(
            Check::ZoneLink,
            format!("Whether the nodes' network is linked to a zone {name} may not be looked up."),
        )
    };
    (None, vec![zone, link.evidence(asking).evidence(hidden())])
}

/// What the zone says: the records of the login server and of the data endpoints; and where the
/// former leads to.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn records(
    link: Option<&Link>,
    zones: &Zones,
    names: &Names<'_>,
    endpoints: &[Endpoint],
    seen: &Seen,
) -> Result<(Resolution, Vec<Finding>), Unread> {
    // Where the link may not be seen, the only zone of the name is the one that counts, if any.
    let only = || zones.zones.iter().next().filter(|_| zones.zones.len() == 1);
    let hidden_link = link.is_none() && !zones.hidden.is_empty();
    let Some(zone) = link
        .map(|link| &link.zone)
        .or_else(|| only().filter(|_| hidden_link))
    else {
        let (resolution, login, data) = if hidden_link {
            let what = "Without the zone its records cannot be read.";
            (
                Resolution::Unknown,
                Finding::unknown(Check::LoginRecord, what),
                Finding::unknown(Check::DataRecords, what),
            )
        } else {
            let what = "No zone is asked, so that no record counts.";
            let fix = "Link the zone first.";
            (
                Resolution::Public,
                Finding::problem(Check::LoginRecord, what, fix),
                Finding::problem(Check::DataRecords, what, fix),
            )
        };
        return Ok((resolution, vec![login, data]));
    };
    let falls_back =
        link.is_some_and(|link| link.body["properties"]["resolutionPolicy"] == "NxDomainRedirect");
    let looks: Vec<_> = names
        .members
        .iter()
        .map(|member| {
            let id = zone.child("A", &member.record_name(names.login_server));
            let look = seen.look(&id);
            (member, id, look)
        })
        .collect();
    let mut resolution = Resolution::Unknown;
    let mut login = None;
    let mut data = Vec::new();
    for (member, id, look) in looks {
        let look = look?;
        let finding = record(member, &id, &look, names, endpoints, falls_back);
        if member.region().is_some() {
            data.push(finding);
            continue;
        }
        resolution = match &look {
            Look::Found(found) => Resolution::Private(way::record_addresses(found)),
            Look::Absent if falls_back => Resolution::Public,
            Look::Absent => Resolution::Nowhere,
            Look::Denied(_) => Resolution::Unknown,
        };
        login = Some(finding);
    }
    // With a link that may not be seen, nobody knows whether these records are asked for at all.
    if link.is_none() {
        resolution = Resolution::Unknown;
    }
    let login =
        login.unwrap_or_else(|| Finding::unknown(Check::LoginRecord, "The registry has no name."));
    let mut findings = vec![login];
    findings.push(all_regions(data));
    Ok((resolution, findings))
}

/// The record of one name against the addresses of the endpoints.
fn record(
    member: &Member,
    id: &ArmId,
    look: &Look<&Json>,
    names: &Names<'_>,
    endpoints: &[Endpoint],
    falls_back: bool,
) -> Finding {
    let check = match member {
        Member::Registry => Check::LoginRecord,
        Member::Data { .. } => Check::DataRecords,
    };
    let name = member.fqdn(names.login_server);
    let member_name = member.name();
    let of_member = |endpoint: &Endpoint| {
        let own = endpoint.addresses.iter();
        own.filter(|address| address.member.eq_ignore_ascii_case(&member_name))
            .map(|address| address.ip.clone())
            .collect::<Vec<_>>()
    };
    let expected: Vec<String> = endpoints.iter().flat_map(of_member).collect();
    let unseen: Vec<String> = endpoints
        .iter()
        .flat_map(|one| one.hidden.clone())
        .collect();
    match look {
        Look::Denied(_) => {
            let host = member.record_name(names.login_server);
            let named = endpoints.iter().any(|endpoint| {
                let ips = of_member(endpoint);
                ips.iter()
                    .any(|ip| way::group_names(&endpoint.groups, &host, ip))
            });
            let told = "the endpoint's own DNS zone group says that it wrote the record";
            Finding::unknown(check, format!("The record of {name} may not be read."))
                .evidence([hidden(id)])
                .evidence(named.then_some(told))
        }
        Look::Absent => {
            let outcome = if falls_back {
                "so that the name is asked for in public"
            } else {
                "so that the name does not exist for the nodes"
            };
            Finding::problem(
                check,
                format!("The zone has no record of {name}, {outcome}."),
                "fkaks_private_registry_link writes the records of every region and keeps them; of an endpoint \
                 that someone else made, attach a DNS zone group.",
            )
            .evidence([id.to_string()])
            .evidence(expected.iter().map(|ip| format!("the endpoint has {ip} for it")))
        }
        Look::Found(found) => {
            let stands = way::record_addresses(found);
            let right = !stands.is_empty() && stands.iter().all(|ip| expected.contains(ip));
            let line = format!("{id}: {}", stands.join(", "));
            if right {
                return Finding::ok(check, format!("{name} leads to the private endpoint."))
                    .evidence([line]);
            }
            let finding = if unseen.is_empty() {
                Finding::problem(
                    check,
                    format!("{name} leads elsewhere than to an endpoint of the registry."),
                    "Whoever wrote the record last wins. Give each network a zone of its own, or delete the \
                     record and let the endpoint's zone group write it anew.",
                )
            } else {
                Finding::unknown(
                    check,
                    format!("Whether {name} leads to an endpoint of the registry cannot be told."),
                )
            };
            let creator = found["properties"]["metadata"]["creator"].as_str();
            finding
                .evidence([line])
                .evidence(creator.map(|creator| format!("the record was {creator}")))
                .evidence(endpoints.iter().map(Endpoint::line))
                .evidence(unseen)
        }
    }
}

/// One finding for the data endpoints of all regions.
fn all_regions(findings: Vec<Finding>) -> Finding {
    let worst = findings.iter().map(|finding| finding.verdict).min();
    if worst == Some(Verdict::Ok) {
        let evidence: Vec<String> = findings
            .into_iter()
            .flat_map(|finding| finding.evidence)
            .collect();
        let summary = "The data endpoints of all regions lead to the private endpoint.";
        return Finding::ok(Check::DataRecords, summary).evidence(evidence);
    }
    let bad = findings
        .into_iter()
        .filter(|finding| finding.verdict != Verdict::Ok);
    let mut merged = super::finding::merged(bad.collect());
    merged
        .pop()
        .unwrap_or_else(|| Finding::unknown(Check::DataRecords, "The registry shows no region."))
}

/// The registry's members: its API, and the data endpoint of its own region and of each replica.
pub fn members(registry: &Json, replicas: &[Json]) -> Vec<Member> {
    let home = registry["location"].as_str();
    let regions = replicas
        .iter()
        .filter_map(|replica| replica["location"].as_str());
    Member::all(home.into_iter().chain(regions))
}

/// The zone of the registry's private names.
pub fn zone_name(login_server: &str) -> String {
    private_link::zone_of(login_server)
}
