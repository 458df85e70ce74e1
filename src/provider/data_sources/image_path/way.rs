//! The way of the packets: from the nodes' network to the endpoint's, past security groups and
//! routes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::endpoints::Endpoint;
use super::finding::{Check, Finding, hidden};
use crate::arm::{ArmId, Json};
use crate::provider::egress::{Gap, look_at_all};
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::network_peering::peerings_of;
use crate::provider::routes;

/// From where the nodes come.
pub struct Nodes<'a> {
    /// Their network.
    pub network: &'a ArmId,
    /// Its body.
    pub found: &'a Json,
    /// Their subnets.
    pub subnets: Vec<ArmId>,
}

/// Whether the nodes' network reaches the endpoint's.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn peering(
    nodes: &Nodes<'_>,
    endpoint: Option<&Endpoint>,
    seen: &Seen,
) -> Result<Finding, Unread> {
    let check = Check::Peering;
    let Some(endpoint) = endpoint else {
        let summary = "There is no endpoint to which the nodes' network could lead.";
        return Ok(Finding::unknown(check, summary));
    };
    let Some(there) = endpoint.network() else {
        let summary = "In which network the endpoint stands is not seen.";
        return Ok(Finding::unknown(check, summary).evidence(endpoint.hidden.clone()));
    };
    if there == *nodes.network {
        return Ok(
            Finding::ok(check, "The endpoint stands in the nodes' own network.").evidence([there]),
        );
    }
    let fix = format!(
        "resource \"fkaks_network_peering\" \"example\" {{\n  virtual_network_id        = \"{}\"\n  \
         remote_virtual_network_id = \"{there}\"\n}}",
        nodes.network
    );
    let direct =
        peerings_of(nodes.found).find(|(_, leads_to, _)| leads_to.as_ref() == Some(&there));
    if let Some((id, _, peering)) = direct {
        let properties = &peering["properties"];
        let state = properties["peeringState"].as_str().unwrap_or_default();
        let finding = if state != "Connected" {
            let summary = format!(
                "The peering with the endpoint's network is {state}, so that nothing passes."
            );
            Finding::problem(check, summary, fix)
        } else if properties["allowVirtualNetworkAccess"] == false {
            Finding::problem(
                check,
                "The peering with the endpoint's network lets the two networks not reach each other.",
                "allow_virtual_network_access = true # in fkaks_network_peering",
            )
        } else {
            Finding::ok(check, "The nodes' network is peered with the endpoint's.")
        };
        return Ok(finding.evidence([id.to_string(), format!("{state}, to {there}")]));
    }
    through_others(nodes, &there, fix, seen)
}

/// Peering is not transitive; a third network may lead on, with a firewall or a gateway in it.
fn through_others(
    nodes: &Nodes<'_>,
    there: &ArmId,
    fix: String,
    seen: &Seen,
) -> Result<Finding, Unread> {
    let check = Check::Peering;
    let connected = peerings_of(nodes.found)
        .filter(|(_, _, peering)| peering["properties"]["peeringState"] == "Connected");
    let others: Vec<_> = connected
        .filter_map(|(id, leads_to, peering)| {
            let leads_to = leads_to?;
            let look = seen.look(&leads_to);
            Some((id, leads_to, peering, look))
        })
        .collect();
    let mut perhaps = Vec::new();
    for (id, leads_to, peering, look) in others {
        let uses_gateway = peering["properties"]["useRemoteGateways"] == true;
        match look? {
            Look::Found(hub) => {
                let mut on = peerings_of(hub);
                if uses_gateway || on.any(|(_, further, _)| further.as_ref() == Some(there)) {
                    perhaps.push(format!("{id}, by {leads_to}"));
                }
            }
            Look::Denied(_) => perhaps.push(hidden(&leads_to)),
            Look::Absent => {}
        }
    }
    if perhaps.is_empty() {
        let summary = "The nodes' network is not peered with the endpoint's, and no other is seen to lead there.";
        let both = [nodes.network.to_string(), there.to_string()];
        return Ok(Finding::problem(check, summary, fix).evidence(both));
    }
    Ok(Finding::unknown(
        check,
        "The nodes' network is not peered with the endpoint's. Another one lies between them, and whether it \
         passes packets on is not seen from here.",
    )
    .evidence(perhaps)
    .fix(fix))
}

/// What security groups say to a connection from the nodes to the endpoint: the one of the nodes'
/// subnets as it leaves, and the one of the endpoint's subnet as it comes, where that one counts.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn security_groups(
    nodes: &Nodes<'_>,
    endpoint: Option<&Endpoint>,
    seen: &Seen,
) -> Result<Finding, Unread> {
    let check = Check::SecurityGroup;
    let Some((ip, endpoint)) = target(endpoint) else {
        let summary = "There is no address to which a rule could be compared.";
        return Ok(Finding::unknown(check, summary));
    };
    let mut ends = ends(nodes, endpoint, seen)?;
    let leaving = attached(&ends.nodes, "networkSecurityGroup");
    let counts = ends.has_policies("NetworkSecurityGroupEnabled");
    let there: Vec<&Json> = ends.there.filter(|_| counts).into_iter().collect();
    let coming = attached(&there, "networkSecurityGroup");
    let leaving = look_at_all(leaving, seen, &mut ends.gaps);
    let coming = look_at_all(coming, seen, &mut ends.gaps);
    let (leaving, coming) = (leaving?, coming?);
    let leaving = leaving.into_iter().map(|group| (group, "Outbound"));
    let groups = leaving.chain(coming.into_iter().map(|group| (group, "Inbound")));
    let mut passed = Vec::new();
    let mut open = Vec::new();
    for ((id, group), direction) in groups {
        match decides(group, direction, &ip) {
            Decision::Allowed => passed.push(id),
            Decision::Depends(rule) => {
                open.push(format!("{id}: {rule} names service tags or groups"));
            }
            Decision::Denied(rule) => {
                let end = match direction {
                    "Outbound" => "leave the nodes",
                    _ => "reach the endpoint",
                };
                let summary = format!(
                    "The rule {rule} of a network security group lets nothing {end} on port 443."
                );
                let fix = format!(
                    "Allow it with a rule of a smaller priority number: {direction}, Tcp, destination {ip}, \
                     port 443."
                );
                let finding = Finding::problem(check, summary, fix);
                return Ok(finding.evidence([format!("{id}: {rule}")]));
            }
        }
    }
    if ends.gaps.is_empty() && open.is_empty() {
        let summary = "No network security group stands in the way.";
        return Ok(Finding::ok(check, summary).evidence(passed));
    }
    let summary =
        "Whether network security groups let the nodes' connections pass cannot be told for sure.";
    let finding = Finding::unknown(check, summary).evidence(open);
    Ok(finding.evidence(ends.gaps))
}

/// The subnets at both ends of the way.
struct Ends<'s> {
    /// Those of the nodes.
    nodes: Vec<&'s Json>,
    /// That of the endpoint.
    there: Option<&'s Json>,
    /// What of them could not be read.
    gaps: Vec<Gap>,
}

impl Ends<'_> {
    /// Whether rules or routes count for endpoints in their subnet; by themselves they do not
    /// ("Manage network policies for private endpoints").
    fn has_policies(&self, kind: &str) -> bool {
        let policies = |subnet: &&Json| {
            let policies = subnet["properties"]["privateEndpointNetworkPolicies"].as_str();
            policies.is_some_and(|policies| policies == "Enabled" || policies == kind)
        };
        self.there.as_ref().is_some_and(policies)
    }
}

fn ends<'s>(nodes: &Nodes<'_>, endpoint: &Endpoint, seen: &'s Seen) -> Result<Ends<'s>, Unread> {
    let mut gaps = Vec::new();
    let there = endpoint.subnet.iter().cloned().collect();
    let own = nodes.subnets.iter().cloned().collect();
    let there = look_at_all(there, seen, &mut gaps);
    let own = look_at_all(own, seen, &mut gaps);
    let (there, own) = (there?, own?);
    Ok(Ends {
        nodes: own.into_iter().map(|(_, subnet)| subnet).collect(),
        there: there.into_iter().map(|(_, subnet)| subnet).next(),
        gaps,
    })
}

/// What hangs on these subnets at that property.
fn attached(subnets: &[&Json], property: &str) -> BTreeSet<ArmId> {
    let ids = subnets
        .iter()
        .filter_map(|subnet| subnet["properties"][property]["id"].as_str());
    ids.filter_map(|id| ArmId::parse(id).ok()).collect()
}

enum Decision {
    Allowed,
    Denied(String),
    Depends(String),
}

/// The first rule by priority that fits decides; behind the user's own, Azure's default rules let
/// networks and what they are peered with reach each other ("Network security groups").
fn decides(group: &Json, direction: &str, ip: &IpAddr) -> Decision {
    let list = group["properties"]["securityRules"].as_array();
    let mut rules: Vec<&Json> = list
        .into_iter()
        .flatten()
        .filter(|rule| rule["properties"]["direction"] == direction)
        .collect();
    rules.sort_by_key(|rule| rule["properties"]["priority"].as_i64());
    for rule in rules {
        let name = rule["name"].as_str().unwrap_or_default().to_owned();
        let properties = &rule["properties"];
        let protocol = properties["protocol"].as_str().unwrap_or("*");
        let tcp = protocol == "*" || protocol.eq_ignore_ascii_case("tcp");
        if !tcp || !texts(properties, "destinationPortRange").any(has_443) {
            continue;
        }
        let destinations = texts(properties, "destinationAddressPrefix").map(|text| fits(text, ip));
        let by_group = !properties["destinationApplicationSecurityGroups"].is_null();
        let best = destinations
            .max()
            .unwrap_or(if by_group { Fit::Perhaps } else { Fit::No });
        match (best, properties["access"] == "Deny") {
            (Fit::No, _) => {}
            (Fit::Perhaps, _) => return Decision::Depends(name),
            (Fit::Yes, true) => return Decision::Denied(name),
            (Fit::Yes, false) => return Decision::Allowed,
        }
    }
    Decision::Allowed
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    Perhaps,
    Yes,
}

/// Whether a destination of a rule is that private address.
fn fits(destination: &str, ip: &IpAddr) -> Fit {
    if destination == "*" || destination.eq_ignore_ascii_case("VirtualNetwork") {
        return Fit::Yes;
    }
    let range = destination.parse::<IpNet>().ok();
    let range = range.or_else(|| destination.parse::<IpAddr>().ok().map(IpNet::from));
    match range {
        Some(range) if range.contains(ip) => Fit::Yes,
        // A private address is in no service's public ranges.
        Some(_) => Fit::No,
        None if destination.eq_ignore_ascii_case("Internet") => Fit::No,
        None => Fit::Perhaps,
    }
}

/// The texts of a property that stands alone or as a list of the plural name.
fn texts<'a>(properties: &'a Json, name: &str) -> impl Iterator<Item = &'a str> {
    let one = properties[name].as_str().filter(|text| !text.is_empty());
    let plural = match name.strip_suffix("Prefix") {
        Some(stem) => format!("{stem}Prefixes"),
        None => format!("{name}s"),
    };
    let many = properties[plural.as_str()].as_array();
    one.into_iter()
        .chain(many.into_iter().flatten().filter_map(Json::as_str))
}

fn has_443(ports: &str) -> bool {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    match ports.split_once('-') {
        _ if ports == "*" => true,
        Some((from, to)) => number(from)
            .zip(number(to))
            .is_some_and(|(from, to)| (from..=to).contains(&443)),
        None => number(ports) == Some(443),
    }
}

/// Whether a route of the nodes' subnets leads the packets elsewhere. An endpoint has a route of
/// its own, with the whole address, in its network and in those that are peered with it: only a
/// route as long wins over it, and a shorter one where the endpoint's subnet has route policies on
/// ("Manage network policies for private endpoints").
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn routes(
    nodes: &Nodes<'_>,
    endpoint: Option<&Endpoint>,
    seen: &Seen,
) -> Result<Finding, Unread> {
    let check = Check::Route;
    let Some((ip, endpoint)) = target(endpoint) else {
        let summary = "There is no address to which a route could lead.";
        return Ok(Finding::unknown(check, summary));
    };
    let mut ends = ends(nodes, endpoint, seen)?;
    let shorter_count = ends.has_policies("RouteTableEnabled");
    let tables = attached(&ends.nodes, "routeTable");
    let mut over = Vec::new();
    for (table, body) in look_at_all(tables, seen, &mut ends.gaps)? {
        let Some(route) = routes::taken(body, &ip) else {
            continue;
        };
        let line = format!(
            "{table}: {} to {} by {}",
            route.name, route.prefix, route.next_hop_type
        );
        let whole = route.prefix.prefix_len() == route.prefix.max_prefix_len();
        if !(whole || (shorter_count && !route.is_default())) {
            over.push(format!("{line}, which the endpoint's own route wins over"));
            continue;
        }
        match (route.next_hop_type.as_str(), route.next_hop_ip_address) {
            ("VirtualAppliance", hop) => {
                let hop = hop.unwrap_or_default();
                let summary = format!(
                    "Packets to the endpoint go by the appliance {hop}, whose rules are not seen."
                );
                let fix = format!(
                    "Have {hop} pass TCP 443 from the nodes to {ip}, and the answers back."
                );
                let finding = Finding::unknown(check, summary).fix(fix);
                return Ok(finding.evidence([line]));
            }
            ("None", _) => {
                let summary = "A route drops the packets to the endpoint.";
                let fix = format!("Remove the route {} from the route table.", route.name);
                return Ok(Finding::problem(check, summary, fix).evidence([line]));
            }
            _ => over.push(line),
        }
    }
    let finding = match ends.gaps.is_empty() {
        true => Finding::ok(check, "No route leads elsewhere."),
        false => Finding::unknown(check, "Whether a route leads elsewhere cannot be told."),
    };
    Ok(finding.evidence(over).evidence(ends.gaps))
}

/// The address to which the nodes connect, and the endpoint that has it.
fn target(endpoint: Option<&Endpoint>) -> Option<(IpAddr, &Endpoint)> {
    let endpoint = endpoint?;
    Some((endpoint.address()?.parse().ok()?, endpoint))
}
