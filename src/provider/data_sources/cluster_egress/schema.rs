//! What users may write and what they get, and what the page says beyond that.

use tfplugin_rs::schema::{Attribute, Kind, Nesting, Schema};

use crate::provider::parts::{ARM_ID, Page, answer};

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

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "The addresses from which a cluster reaches the world, for each outbound type, in a form that firewalls \
     take. Where they cannot be known, it says so and why, and never with an empty list.",
    &[
        Attribute::required("cluster_id", Kind::String)
            .describe("The cluster.")
            .checked(&[ARM_ID]),
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

/// The page.
pub const PAGE: Page = Page {
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
            "on the node subnets, for `nat_gateway` and `user_defined_routing`; otherwise to warn of a subnet that \
             leads elsewhere",
        ),
        (
            "Microsoft.Network/natGateways/read",
            "on their NAT gateways, for `nat_gateway`",
        ),
        (
            "Microsoft.Network/routeTables/read",
            "on their route tables, likewise",
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
            "cluster ... does not leave by its own addresses",
            "A default route or a NAT gateway of the node subnets wins over the load balancer. The addresses of \
             the outbound type are told all the same.",
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
