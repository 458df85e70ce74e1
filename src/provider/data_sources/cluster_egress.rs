//! The addresses from which a cluster reaches the world, for firewalls that let it in.

mod schema;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::{Path, Value};

use crate::arm::{ArmId, Json};
use crate::provider::egress::{self, Egress, Gap, Why};
use crate::provider::parts::{
    Answer, Composite, Inquiry, Look, Page, Seen, Unanswered, Unread, is_of, lacking, need, refused,
};
use crate::provider::{resources, routes};

const CLUSTER: &str = resources::Cluster::ANCHOR;

/// `fkaks_cluster_egress`
pub struct ClusterEgress;

/// What the user wrote.
#[derive(Debug, Deserialize)]
pub struct Input {
    cluster_id: ArmId,
}

/// What is answered.
#[derive(Debug, Default, Serialize)]
pub struct Output {
    outbound_type: String,
    known: bool,
    reason: Option<String>,
    ip_ranges: Option<BTreeSet<String>>,
    addresses: Option<Vec<Address>>,
    next_hops: Vec<NextHop>,
}

/// An address or a range, and where it comes from.
#[derive(Debug, Serialize)]
struct Address {
    ip_range: String,
    public_ip_id: ArmId,
    nat_gateway_id: Option<ArmId>,
}

/// Where the route table of a node subnet leads by default.
#[derive(Debug, PartialEq, Serialize)]
struct NextHop {
    subnet_id: ArmId,
    route_table_id: Option<ArmId>,
    route_name: Option<String>,
    next_hop_type: Option<String>,
    next_hop_ip_address: Option<String>,
}

impl Inquiry for ClusterEgress {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_cluster_egress";
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        let path = Path::attribute("cluster_id");
        is_of(CLUSTER, config.get("cluster_id"), path, diagnostics);
    }

    fn answer(input: &Input, seen: &Seen) -> Result<Answer<Output>, Unanswered> {
        let id = &input.cluster_id;
        let cluster = need(seen, id, "cluster_id")?;
        let outbound_type = outbound_type(cluster);
        let unknown = |reason: &str| Output {
            outbound_type: outbound_type.clone(),
            reason: Some(reason.to_owned()),
            ..Output::default()
        };
        let hops = next_hops(cluster, seen);
        let detours = detours(cluster, seen);
        let output = match egress::of(id, cluster, seen)? {
            Egress::Known(addresses) => {
                let ranges = addresses.iter().map(|one| one.range.to_string());
                let output = Output {
                    known: true,
                    ip_ranges: Some(ranges.collect()),
                    addresses: Some(addresses.into_iter().map(Address::from).collect()),
                    outbound_type,
                    ..Output::default()
                };
                let warning = elsewhere(id, &output.outbound_type, &hops?.0, &detours?);
                return Ok(Answer {
                    output,
                    warnings: warning.into_iter().collect(),
                });
            }
            Egress::Closed => unknown(
                "The cluster has no way out: its outbound type is none, so that it reaches what is in its \
                 networks alone.",
            ),
            Egress::Routed => {
                let (next_hops, unread) = hops?;
                let mut output = unknown(
                    "The route table of the node subnets decides, and the address that the next hop puts in \
                     the place of the nodes' is not known to Azure Resource Manager: ask whoever runs the \
                     firewall.",
                );
                if let (Some(reason), false) = (&mut output.reason, unread.is_empty()) {
                    reason.push_str(" Not all of the route tables could be read: ");
                    reason.push_str(&unread.join("; "));
                }
                output.next_hops = next_hops;
                output
            }
            // A part of the addresses, or none, would pass for all of them.
            Egress::Unfound(gaps) => return Err(unfound(id, &gaps)),
        };
        Ok(Answer::of(output))
    }
}

impl From<egress::Address> for Address {
    fn from(address: egress::Address) -> Self {
        Self {
            ip_range: address.range.to_string(),
            public_ip_id: address.id,
            nat_gateway_id: address.nat_gateway_id,
        }
    }
}

/// Azure's outbound type in the words of this provider.
fn outbound_type(cluster: &Json) -> String {
    let network = &cluster["properties"]["networkProfile"];
    let found = network["outboundType"].as_str().unwrap_or_default();
    let known = [
        ("loadBalancer", "load_balancer"),
        ("managedNATGateway", "managed_nat_gateway"),
        ("userAssignedNATGateway", "nat_gateway"),
        ("userDefinedRouting", "user_defined_routing"),
    ];
    let word = known
        .iter()
        .find(|(azure, _)| azure.eq_ignore_ascii_case(found));
    word.map_or(found, |(_, word)| word).to_owned()
}

/// Where the route tables of the node subnets lead by default, and what of them could not be read.
fn next_hops(cluster: &Json, seen: &Seen) -> Result<(Vec<NextHop>, Vec<String>), Unread> {
    let subnets = egress::node_subnets(cluster);
    let (mut gaps, mut tables) = (Vec::new(), Vec::new());
    for (id, subnet) in egress::look_at_all(subnets, seen, &mut gaps)? {
        let table = subnet["properties"]["routeTable"]["id"].as_str();
        tables.push((id, table.and_then(|table| ArmId::parse(table).ok())));
    }
    let looks: Vec<_> = tables
        .iter()
        .map(|(_, table)| table.as_ref().map(|table| seen.look(table)))
        .collect();
    let mut hops = Vec::new();
    for ((subnet_id, route_table_id), look) in tables.into_iter().zip(looks) {
        let route = match (look.transpose()?, &route_table_id) {
            (Some(Look::Found(table)), _) => {
                let all = routes::routes(table).into_iter();
                all.filter(routes::Route::is_default)
                    .find(|route| route.prefix.addr().is_ipv4())
            }
            (Some(Look::Denied(error)), Some(id)) => {
                let (id, why) = (id.clone(), Why::Denied(error));
                gaps.push(Gap { id, why });
                None
            }
            _ => None,
        };
        hops.push(NextHop {
            subnet_id,
            route_table_id,
            route_name: route.as_ref().map(|route| route.name.clone()),
            next_hop_type: route.as_ref().map(|route| route.next_hop_type.clone()),
            next_hop_ip_address: route.and_then(|route| route.next_hop_ip_address),
        });
    }
    Ok((hops, gaps.iter().map(ToString::to_string).collect()))
}

/// The NAT gateways of the node subnets, as far as they may be read.
fn detours(cluster: &Json, seen: &Seen) -> Result<Vec<String>, Unread> {
    let subnets = egress::look_at_all(egress::node_subnets(cluster), seen, &mut Vec::new())?;
    let gateways = subnets.into_iter().filter_map(|(id, subnet)| {
        let gateway = subnet["properties"]["natGateway"]["id"].as_str()?;
        Some(format!("{id}: NAT gateway {gateway}"))
    });
    Ok(gateways.collect())
}

/// That the cluster's own addresses are not those that the traffic leaves by: a default route wins
/// over all, and a subnet's NAT gateway over the load balancer (Microsoft Learn, "What is Azure NAT
/// Gateway?").
fn elsewhere(
    cluster: &ArmId,
    outbound_type: &str,
    hops: &[NextHop],
    gateways: &[String],
) -> Option<(String, String)> {
    let routes = hops.iter().filter_map(|hop| {
        let kind = hop
            .next_hop_type
            .as_deref()
            .filter(|kind| *kind != "Internet")?;
        let address = hop.next_hop_ip_address.as_deref().unwrap_or_default();
        let text = format!("{}: a default route by {kind} {address}", hop.subnet_id);
        Some(text.trim_end().to_owned())
    });
    let mut lines: Vec<String> = routes.collect();
    if outbound_type == "load_balancer" {
        lines.extend_from_slice(gateways);
    }
    if lines.is_empty() {
        return None;
    }
    Some((
        format!(
            "cluster {} does not leave by its own addresses",
            cluster.name()
        ),
        format!(
            "Its outbound type is {outbound_type}, whose addresses are told here, and yet the node subnets lead \
             elsewhere:\n- {}\n\nFix: let firewalls know the address of that way instead, or take the route \
             table or gateway from the subnets.",
            lines.join("\n- ")
        ),
    ))
}

/// Everything that stands between the question and its answer.
fn unfound(cluster: &ArmId, gaps: &[Gap]) -> Unanswered {
    let mut all = Vec::new();
    for gap in gaps {
        let unanswered = match &gap.why {
            Why::Denied(error) => lacking(gap.id.clone(), "cluster_id", error),
            Why::Absent | Why::Silent(_) => {
                let what = match &gap.why {
                    Why::Silent(what) => what.clone(),
                    _ => "it does not exist".to_owned(),
                };
                refused(
                    gap.id.clone(),
                    "cluster_id",
                    what,
                    vec![format!("of the cluster {cluster}")],
                    "wait until the cluster's own operation has ended, and look at what its outbound \
                     profile names:\n\n  az aks show --ids <the cluster> --query networkProfile",
                )
            }
        };
        if let Unanswered::Failed(failures) = unanswered {
            all.extend(failures);
        }
    }
    Unanswered::Failed(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn group() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
    }

    fn id() -> ArmId {
        group().resource(CLUSTER, "aks")
    }

    fn subnet() -> ArmId {
        let network = group().resource("Microsoft.Network/virtualNetworks", "vnet");
        network.child("subnets", "nodes")
    }

    fn cluster(outbound: &str, addresses: &[&ArmId]) -> Json {
        let ids: Vec<_> = addresses.iter().map(|id| json!({"id": id})).collect();
        json!({"properties": {
            "agentPoolProfiles": [{"vnetSubnetID": subnet()}],
            "networkProfile": {
                "outboundType": outbound, "loadBalancerProfile": {"effectiveOutboundIPs": ids},
            },
        }})
    }

    fn ask(seen: &Seen) -> Result<Output, Unanswered> {
        let input = Input { cluster_id: id() };
        ClusterEgress::answer(&input, seen).map(|answer| answer.output)
    }

    #[test]
    fn addresses_are_ranges_with_where_they_come_from() {
        let ip = group().resource("Microsoft.Network/publicIPAddresses", "a");
        let seen = Seen::of([
            (id(), Some(cluster("loadBalancer", &[&ip]))),
            (
                ip.clone(),
                Some(json!({"properties": {"ipAddress": "203.0.113.7"}})),
            ),
            (subnet(), Some(json!({"properties": {}}))),
        ]);
        let output = ask(&seen).unwrap();
        assert!(output.known && output.reason.is_none());
        assert_eq!(
            output.ip_ranges.unwrap().into_iter().collect::<Vec<_>>(),
            ["203.0.113.7/32"]
        );
        assert_eq!(output.addresses.unwrap()[0].public_ip_id, ip);
    }

    #[test]
    fn a_subnet_that_leads_elsewhere_is_warned_of() {
        let group = group();
        let ip = group.resource("Microsoft.Network/publicIPAddresses", "a");
        let table = group.resource("Microsoft.Network/routeTables", "rt");
        let gateway = group.resource("Microsoft.Network/natGateways", "nat");
        let warnings = |properties: Json| {
            let route = json!({"name": "all", "properties": {
                "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4",
            }});
            let seen = Seen::of([
                (id(), Some(cluster("loadBalancer", &[&ip]))),
                (
                    ip.clone(),
                    Some(json!({"properties": {"ipAddress": "203.0.113.7"}})),
                ),
                (subnet(), Some(json!({"properties": properties}))),
                (
                    table.clone(),
                    Some(json!({"properties": {"routes": [route]}})),
                ),
            ]);
            let input = Input { cluster_id: id() };
            ClusterEgress::answer(&input, &seen).unwrap().warnings
        };
        assert!(warnings(json!({})).is_empty());
        let routed = warnings(json!({"routeTable": {"id": table}}));
        assert!(
            routed[0].1.contains("by VirtualAppliance 10.0.0.4"),
            "{routed:?}"
        );
        let gateway = warnings(json!({"natGateway": {"id": gateway}}));
        assert!(gateway[0].1.contains("natGateways/nat"), "{gateway:?}");
    }

    #[test]
    fn a_route_table_leaves_them_unknown_with_its_next_hop_as_evidence() {
        let table = group().resource("Microsoft.Network/routeTables", "rt");
        let route = json!({"name": "all", "properties": {
            "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4",
        }});
        let seen = Seen::of([
            (id(), Some(cluster("userDefinedRouting", &[]))),
            (
                subnet(),
                Some(json!({"properties": {"routeTable": {"id": table}}})),
            ),
            (
                table.clone(),
                Some(json!({"properties": {"routes": [route]}})),
            ),
        ]);
        let output = ask(&seen).unwrap();
        assert!(!output.known && output.ip_ranges.is_none() && output.addresses.is_none());
        assert!(
            output
                .reason
                .unwrap()
                .contains("not known to Azure Resource Manager")
        );
        assert_eq!(output.next_hops[0].route_table_id, Some(table));
        assert_eq!(
            output.next_hops[0].next_hop_ip_address.as_deref(),
            Some("10.0.0.4")
        );
    }

    #[test]
    fn without_a_way_out_there_is_a_reason_and_no_list() {
        let output = ask(&Seen::of([(id(), Some(cluster("none", &[])))])).unwrap();
        assert!(!output.known && output.ip_ranges.is_none());
        assert!(output.reason.unwrap().contains("no way out"));
    }

    #[test]
    fn what_cannot_be_found_out_is_an_error_for_each_gap() {
        let (a, b) = ("a", "b");
        let ip = |name: &str| group().resource("Microsoft.Network/publicIPAddresses", name);
        let seen = Seen::of([
            (id(), Some(cluster("loadBalancer", &[&ip(a), &ip(b)]))),
            (ip(a), None),
            (ip(b), None),
        ]);
        let Unanswered::Failed(failures) = ask(&seen).unwrap_err() else {
            panic!("nothing is unread")
        };
        assert_eq!(failures.len(), 2);
    }
}
