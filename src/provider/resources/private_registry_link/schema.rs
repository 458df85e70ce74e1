//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use crate::network::names;
use crate::provider::parts::{ARM_ID, DRIFT, ID, OBJECTS, Page, same_id, same_region};

/// Whatever may move the endpoint or its addresses.
const ENDPOINT: Computed = Computed::Follows(&[
    "registry_id",
    "subnet_id",
    "location",
    "static_ips",
    "network_interface_name",
    "manual_approval",
    "drift",
]);

const DNS: &[Attribute] = &[
    Attribute::required("virtual_network_ids", Kind::Map(&Kind::String))
        .describe(
            "The networks that resolve the registry privately, by a key of your own; may be empty. \
             Each gets a link to the zone, named by this resource's name and the key. Leave out \
             networks that someone else has linked already.",
        )
        .checked(&[Check::Each(&ARM_ID), Check::Keys(&LINK_KEY)])
            .same_when(same_id),
    Attribute::optional("zone_id", Kind::String)
        .describe(
            "An existing zone, `privatelink.azurecr.io`, in any subscription; a hub's, say. Without \
             it the zone is made beside the endpoint, and owned.",
        )
        .checked(&[ARM_ID])
            .same_when(same_id),
    Attribute::optional("records", Kind::String)
        .describe(
            "Who writes the A records: `zone_group` (Azure does, through the endpoint's zone group), \
             `explicit` (this resource does), or `policy` (an Azure Policy attaches a zone group: it \
             is waited for, checked and never deleted; coming from `zone_group`, the group is handed \
             over and stays).",
        )
        .checked(&[Check::OneOf(&["zone_group", "explicit", "policy"])])
        .default_to(Literal::String("zone_group")),
    Attribute::optional("zone_group_name", Kind::String)
        .describe("The name of the endpoint's zone group.")
        .checked(&[Check::Text(names::NETWORK_RESOURCE, names::private_dns_zone_group)])
        .default_to(Literal::String("default")),
    Attribute::optional("resolution_policy", Kind::String)
        .describe(
            "What a linked network does with a name that the zone does not have: `Default` (it does \
             not exist, which cuts the network off from private registries of others that have no \
             record there) or `NxDomainRedirect` (it asks the internet).",
        )
        .checked(&[Check::OneOf(&["Default", "NxDomainRedirect"])])
        .default_to(Literal::String("Default")),
];

const LINK_KEY: Check = Check::Text(
    "letters, digits, underscores, periods and hyphens, since it becomes part of the link's name",
    |key| names::virtual_network_link(&format!("l-{key}")),
);

const ENDPOINTS: &[Attribute] = &[
    Attribute::computed("ip", Kind::String, Computed::Volatile).describe("The private address."),
    Attribute::computed("member", Kind::String, Computed::Volatile)
        .describe("What answers there: `registry`, or `registry_data_<region>`."),
    Attribute::computed("region", Kind::String, Computed::Volatile)
        .describe("The region of a data endpoint."),
    Attribute::computed("record_id", Kind::String, Computed::Volatile)
        .describe("The A record that leads there."),
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "The private way to a container registry: a private endpoint, the DNS zone, its links to \
     networks, and the A records, as one. It is finished when the endpoint's network interface, \
     the records and the links agree, and each way in which they may disagree later shows as drift \
     with its reason.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name of the private endpoint.")
            .checked(&[Check::Text(names::NETWORK_RESOURCE, names::private_endpoint)])
            .replaces(),
        Attribute::required("resource_group_id", Kind::String)
            .describe("The group of the endpoint and, unless one is given, of the zone.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional_computed("location", Kind::String, Computed::Follows(&["subnet_id"]))
            .describe("The region of the endpoint; by default, and in Azure always, the network's.")
            .same_when(same_region)
            .replaces_when("to another region", |_, planned| !planned.is_unknown()),
        Attribute::required("registry_id", Kind::String)
            .describe("The registry; Premium. Changing it replaces the endpoint in place.")
            .checked(&[ARM_ID])
            .same_when(same_id),
        Attribute::required("subnet_id", Kind::String)
            .describe("The subnet that the addresses come from. Changing it replaces the endpoint in place.")
            .checked(&[ARM_ID])
            .same_when(same_id),
        Attribute::required("dns", Kind::Nested(Nesting::Single, DNS))
            .describe("How the registry's names are resolved privately."),
        Attribute::optional("static_ips", Kind::Map(&Kind::String)).describe(
            "Fixed addresses by member: `registry`, and `registry_data_<region>` for the registry's \
             own region and each replica; all of them or none. Changing it replaces the endpoint in \
             place.",
        ),
        Attribute::optional("network_interface_name", Kind::String)
            .describe("The name of the endpoint's network interface. Changing it replaces the endpoint in place.")
            .checked(&[Check::Text(names::NETWORK_RESOURCE, names::network_interface)]),
        Attribute::optional(
            "manual_approval",
            Kind::Nested(
                Nesting::Single,
                &[Attribute::optional("message", Kind::String)
                    .describe("What the registry's owner reads, up to 140 characters.")
                    .checked(&[Check::Length(1, 140)])],
            ),
        )
        .describe(
            "Set it, `{}` say, when the registry's owner approves by hand. `connection_state` then \
             is `Pending` until they do.",
        ),
        Attribute::optional("application_security_group_ids", Kind::Set(&Kind::String))
            .describe("The application security groups of the endpoint.")
            .checked(&[Check::Each(&ARM_ID)])
            .same_when(same_id),
        Attribute::optional("allow_shared_subnet", Kind::Bool)
            .describe("Allows a subnet that holds cluster nodes or is delegated.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("tags", Kind::Map(&Kind::String))
            .describe("The tags of the endpoint, the zone and the links."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed("zone_id", Kind::String, Computed::Follows(&["dns"]))
            .describe("The zone that holds the records, given or made."),
        Attribute::computed("connection_state", Kind::String, ENDPOINT)
            .describe("`Approved`, `Pending`, `Rejected` or `Disconnected`."),
        Attribute::computed("network_interface_id", Kind::String, ENDPOINT)
            .describe("The endpoint's network interface."),
        Attribute::computed(
            "endpoints",
            Kind::Nested(Nesting::Map, ENDPOINTS),
            Computed::Follows(&[
                "registry_id",
                "subnet_id",
                "location",
                "static_ips",
                "network_interface_name",
                "manual_approval",
                "dns",
                "drift",
            ]),
        )
        .describe("Every name of the registry, and where it leads, as the network interface has it."),
        Attribute::computed("objects", Kind::Map(&Kind::List(&Kind::String)), Computed::Volatile)
            .describe(OBJECTS),
        Attribute::computed(
            "drift",
            Kind::List(&Kind::String),
            Computed::Always(Literal::EmptyList),
        )
        .describe(DRIFT),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Private registry",
    permissions: &[
        (
            "Microsoft.Network/privateEndpoints/read",
            "to read the endpoint",
        ),
        (
            "Microsoft.Network/privateEndpoints/write",
            "to create and change it",
        ),
        ("Microsoft.Network/privateEndpoints/delete", "to delete it"),
        (
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read",
            "to read the zone group",
        ),
        (
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/write",
            "for `records = \"zone_group\"`",
        ),
        (
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/delete",
            "for `records = \"zone_group\"`",
        ),
        (
            "Microsoft.Network/networkInterfaces/read",
            "to find the addresses by member",
        ),
        (
            "Microsoft.Network/virtualNetworks/read",
            "to find the region, on the network",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "to check the subnet at plan",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "on the subnet",
        ),
        (
            "Microsoft.Network/virtualNetworks/join/action",
            "on each linked network",
        ),
        (
            "Microsoft.Network/privateDnsZones/read",
            "to read the zone and find conflicts",
        ),
        (
            "Microsoft.Network/privateDnsZones/write",
            "to make the zone; not for a given one",
        ),
        (
            "Microsoft.Network/privateDnsZones/delete",
            "to delete it; not for a given one",
        ),
        (
            "Microsoft.Network/privateDnsZones/join/action",
            "for `records = \"zone_group\"`, on the zone",
        ),
        (
            "Microsoft.Network/privateDnsZones/A/read",
            "to prove the records",
        ),
        (
            "Microsoft.Network/privateDnsZones/A/write",
            "for `records = \"explicit\"`",
        ),
        (
            "Microsoft.Network/privateDnsZones/A/delete",
            "for `records = \"explicit\"`",
        ),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
            "on the zone",
        ),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
            "on the zone",
        ),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/delete",
            "on the zone",
        ),
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to check the registry at plan",
        ),
        (
            "Microsoft.ContainerRegistry/registries/privateLinkResources/read",
            "to check `static_ips`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/privateEndpointConnectionsApproval/action",
            "to connect without approval by hand, on the registry",
        ),
    ],
    failures: &[
        (
            "the network is already linked to a zone of that name",
            "A network asks one zone of a name. The message shows the link and its zone: use that \
             zone with `dns.zone_id` and leave the network out of `dns.virtual_network_ids`.",
        ),
        (
            "the connection is Disconnected",
            "The registry was deleted and made anew, or its owner removed the connection. The plan \
             shows it as drift; applying replaces the endpoint alone and writes the records again.",
        ),
        (
            "the owner of the registry has rejected the endpoint",
            "A person decided so; it is reported and not fought. After talking to them, replace the \
             endpoint with `-replace`.",
        ),
        (
            "an A record leads elsewhere",
            "Someone overwrote it. The plan shows it as drift and applying writes it back, unless the \
             record's metadata names another endpoint that lives: then give one of the two a zone of \
             its own.",
        ),
        (
            "the subnet has too few free addresses",
            "An endpoint takes one address for the registry, one for its own region's data endpoint \
             and one for each replica. The message counts them.",
        ),
        (
            "the DNS zone group of a policy does not come",
            "With `records = \"policy\"`, the endpoint is ready and the policy assignment has not \
             acted within the timeout. The next plan looks again. Policies pass over endpoints with \
             manual approval.",
        ),
    ],
    notes: "## Import\n\nAn import by the endpoint's id takes over the endpoint and its zone group. A zone \
            beside the endpoint and links that carry this resource's names become owned at the first \
            apply, whose plan names them in `objects`; others stay foreign.",
};
