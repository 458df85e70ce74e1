//! The addresses from which a cluster reaches the world, for firewalls that let it in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Nesting, Schema};
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
    const SCHEMA: Schema = SCHEMA;
    const PAGE: Page = PAGE;

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
        Ok(Answer::of(match egress::of(id, cluster, seen)? {
            Egress::Known(addresses) => Output {
                outbound_type,
                known: true,
                ip_ranges: Some(addresses.iter().map(|one| one.range.to_string()).collect()),
                addresses: Some(addresses.into_iter().map(Address::from).collect()),
                ..Output::default()
            },
            Egress::Closed => unknown(
                "The cluster has no way out: its outbound type is none, so that it reaches what is in its \
                 networks alone.",
            ),
            Egress::Routed => {
                let (next_hops, unread) = next_hops(cluster, seen)?;
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
        }))
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

const fn answer(name: &'static str, kind: Kind) -> Attribute {
    Attribute::computed(name, kind, Computed::Volatile)
}

const ADDRESS: &[Attribute] = &[
    answer("ip_range", Kind::String)
        .describe("The range; of a single address with its whole length, `203.0.113.7/32`."),
    answer("public_ip_id", Kind::String)
        .describe("The public IP address or public IP prefix that has it."),
    answer("nat_gateway_id", Kind::String)
        .describe("The NAT gateway that uses it, where the subnets were given one."),
];

const NEXT_HOP: &[Attribute] = &[
    answer("subnet_id", Kind::String).describe("The subnet of nodes."),
    answer("route_table_id", Kind::String).describe("Its route table; null where it has none."),
    answer("route_name", Kind::String)
        .describe("The route for `0.0.0.0/0`; null where there is none."),
    answer("next_hop_type", Kind::String).describe(
        "Where it leads: `VirtualAppliance`, `VirtualNetworkGateway`, `Internet` or `None`.",
    ),
    answer("next_hop_ip_address", Kind::String).describe("The address of the appliance."),
];

const SCHEMA: Schema = Schema::new(
    "The addresses from which a cluster reaches the world, for each outbound type, in a form that firewalls \
     take. Where they cannot be known, it says so and why, and never with an empty list.",
    &[
        Attribute::required("cluster_id", Kind::String)
            .describe("The cluster.")
            .checked(&[Check::Text("an ARM id", |text| {
                ArmId::parse(text)
                    .map(drop)
                    .map_err(|error| error.to_string())
            })]),
        answer("outbound_type", Kind::String).describe(
            "How the cluster reaches the world: `load_balancer`, `managed_nat_gateway`, `nat_gateway`, \
             `user_defined_routing` or `none`.",
        ),
        answer("known", Kind::Bool).describe(
            "Whether the addresses are known. They never are for `user_defined_routing` and `none`. What \
             could be known and cannot be read is an error.",
        ),
        answer("reason", Kind::String).describe("Why they are not known; null where they are."),
        answer("ip_ranges", Kind::Set(&Kind::String)).describe(
            "The addresses as ranges, such as `203.0.113.7/32`; null where they are not known, so that \
             nothing is built on an empty list.",
        ),
        answer("addresses", Kind::Nested(Nesting::List, ADDRESS))
            .describe("The same, each with where it comes from; null where they are not known."),
        answer("next_hops", Kind::Nested(Nesting::List, NEXT_HOP)).describe(
            "For `user_defined_routing`: where the route table of each node subnet leads by default.",
        ),
    ],
);

const PAGE: Page = Page {
    subcategory: "Cluster",
    permissions: &[
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to read the cluster",
        ),
        (
            "Microsoft.Network/publicIPAddresses/read",
            "on the addresses: for `load_balancer` and `managed_nat_gateway` in the node resource group",
        ),
        ("Microsoft.Network/publicIPPrefixes/read", "likewise"),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "on the node subnets, for `nat_gateway` and `user_defined_routing`",
        ),
        (
            "Microsoft.Network/natGateways/read",
            "on their NAT gateways, for `nat_gateway`",
        ),
        (
            "Microsoft.Network/routeTables/read",
            "on their route tables, for `user_defined_routing`",
        ),
    ],
    failures: &[
        (
            "a permission is missing",
            "A part of the addresses would pass for all of them, so one that may not be read is an error. The \
             message names the action and the scope, which is often the node resource group.",
        ),
        (
            "it lists no outbound addresses",
            "The cluster is being created, or its last operation failed before it had a load balancer.",
        ),
        (
            "`known` is false",
            "`reason` says why, and `next_hops` where the traffic goes: the firewall there decides the address. \
             Give its public address by hand to whoever must let the cluster in.",
        ),
    ],
    notes: "## In step\n\nA data source is read at every plan. Addresses that AKS adds or replaces (more \
            outbound addresses, another load balancer) show in the next one.",
};

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
