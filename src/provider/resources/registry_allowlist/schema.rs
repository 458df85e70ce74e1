//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Nesting, Schema, parse_duration};

use crate::provider::parts::{self, ARM_ID, Page, same_id};
use crate::provider::resources::registry::validate::ip_range;

const RANGE: Check = Check::Text(
    "a public IPv4 address or range, such as `203.0.113.7` or `203.0.113.0/24`",
    ip_range,
);

const KEY: Check = Check::Text("1 to 64 letters, digits, `-` and `_`", |text| {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match (1..=64).contains(&text.len()) && text.chars().all(word) {
        true => Ok(()),
        false => Err(format!(
            "{text:?} is no key: 1 to 64 letters, digits, `-` and `_`"
        )),
    }
});

const TEMPORARY: &[Attribute] = &[
    Attribute::required("ip_ranges", Kind::Set(&Kind::String))
        .describe("The public IPv4 addresses and ranges.")
        .checked(&[Check::Items(1, 100), Check::Each(&RANGE)]),
    Attribute::required("expires_after", Kind::String)
        .describe(
            "How long they are allowed, counted from the apply that first allowed them, such as `8h`. The \
             first plan after that time removes them; nothing does so by itself.",
        )
        .checked(&[Check::Text("a duration such as `30m` or `8h`", |text| {
            parse_duration(text).map(drop)
        })]),
];

const FOLLOWS: Computed = Computed::Follows(&[
    "registry_id",
    "cluster_ids",
    "nat_gateway_ids",
    "public_ip_ids",
    "ip_ranges",
    "temporary",
    "drift",
]);

const ENTRY: &[Attribute] = &[
    Attribute::computed("sources", Kind::Set(&Kind::String), FOLLOWS).describe(
        "For whom it is allowed: the id of a cluster, NAT gateway or public IP address, `ip_ranges`, or \
         `temporary.` and the key; `import` until an apply says so.",
    ),
    Attribute::computed("owned", Kind::Bool, FOLLOWS)
        .describe("Whether this resource added it, and so removes it, and not someone else."),
];

const WINDOW: &[Attribute] = &[
    Attribute::computed("since", Kind::String, FOLLOWS).describe("When it was first allowed."),
    Attribute::computed("expires_at", Kind::String, FOLLOWS).describe("When that ends."),
    Attribute::computed("expired", Kind::Bool, FOLLOWS).describe("Whether it has ended."),
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "Addresses on a registry's firewall, in step with the clusters, NAT gateways and public IP addresses \
     that they belong to. New ones are allowed before old ones go. Several of these may serve one registry: \
     each adds and removes only its own.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry, in any subscription. Its exposure should be `allowlist`.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("cluster_ids", Kind::Set(&Kind::String))
            .describe(
                "Clusters whose outbound addresses are allowed: those of their load balancer, or of their NAT \
                 gateways. A cluster that leaves by a route table or not at all has none that Azure knows: \
                 name the firewall's addresses in `ip_ranges`.",
            )
            .checked(&[Check::Each(&ARM_ID)])
            .same_when(same_id),
        Attribute::optional("nat_gateway_ids", Kind::Set(&Kind::String))
            .describe("NAT gateways whose public addresses and prefixes are allowed.")
            .checked(&[Check::Each(&ARM_ID)])
            .same_when(same_id),
        Attribute::optional("public_ip_ids", Kind::Set(&Kind::String))
            .describe("Public IP addresses and public IP prefixes that are allowed.")
            .checked(&[Check::Each(&ARM_ID)])
            .same_when(same_id),
        Attribute::optional("ip_ranges", Kind::Set(&Kind::String))
            .describe("Public IPv4 addresses and ranges that are allowed.")
            .checked(&[Check::Items(0, 100), Check::Each(&RANGE)]),
        Attribute::optional("temporary", Kind::Nested(Nesting::Map, TEMPORARY))
            .describe(
                "Ranges that are allowed for a while, by a key of your own: a way in for an emergency. A key \
                 that has expired stays expired; another key begins anew.",
            )
            .checked(&[Check::Keys(&KEY)]),
        Attribute::computed("id", Kind::String, Computed::Fixed)
            .describe("The registry's id: no object in Azure stands for an address alone."),
        Attribute::computed("entries", Kind::Nested(Nesting::Map, ENTRY), FOLLOWS)
            .describe("The allowed addresses of this resource, by address or range."),
        Attribute::computed("expiry", Kind::Nested(Nesting::Map, WINDOW), FOLLOWS)
            .describe("For how long what is `temporary` is allowed, by its key."),
        parts::objects(),
        parts::drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Registry",
    permissions: &[
        (
            "Microsoft.ContainerRegistry/registries/read",
            "look at the rules",
        ),
        (
            "Microsoft.ContainerRegistry/registries/write",
            "change the rules",
        ),
        (
            "Microsoft.ContainerRegistry/registries/listUsages/read",
            "read the limit of rules while planning",
        ),
        (
            "Microsoft.ContainerService/managedClusters/read",
            "find a cluster's outbound addresses",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "find the NAT gateway of a cluster's subnets",
        ),
        (
            "Microsoft.Network/natGateways/read",
            "find the addresses of NAT gateways",
        ),
        (
            "Microsoft.Network/publicIPAddresses/read",
            "read public IP addresses",
        ),
        (
            "Microsoft.Network/publicIPPrefixes/read",
            "read public IP prefixes",
        ),
    ],
    failures: &[
        (
            "registry ... has no public access, so its rules let nobody in",
            "Give the registry `exposure = \"allowlist\"`, or use a private endpoint.",
        ),
        (
            "the addresses of ... are not known to Azure",
            "The cluster leaves by a route table, or not at all. Name the addresses of its firewall in \
             `ip_ranges`, and leave the cluster out.",
        ),
        (
            "the rules would be more than the registry takes",
            "A registry takes 100 rules. Allow a public IP prefix instead of single addresses, or several \
             clusters behind one NAT gateway.",
        ),
    ],
    notes: "## What belongs to whom\n\n\
            An address that is on the list already when this resource needs it counts, and stays when this \
            resource goes: `owned` tells. Where two of these resources need one address, the first to add it \
            owns it; when that one goes, the other one sees the address missing at its next plan and adds it. \
            Leave `allowed_ip_ranges` of `fkaks_registry` unset: set, it wants the whole list for itself.\n\n\
            ## What is never removed\n\n\
            A cluster, gateway or address that cannot be read, or that shows no address, keeps what was \
            allowed for it, with a warning. Only what has another address, or is no longer named here, loses \
            the old one, and that after the new one is allowed.\n\n\
            ## In the same apply\n\nWhat a change of a cluster does to its outbound addresses shows only when it is \
            through, and so at the next plan. To have it followed in the same apply, name the addresses beside \
            the cluster: `ip_ranges = fkaks_cluster.example.egress_ips`.\n\n\
            ## Import\n\nBy the registry's id: all its rules are found, as `ip_ranges`. Those that the first apply after it \
            asks for become this resource's own; the others stay as they are.",
};
