//! What users may write of networks and subnets, and what the network's page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::addresses::same_prefix;
use crate::arm::ArmId;
use crate::network::purpose::DEFAULT_NETWORK_POLICIES;
use crate::network::{Purpose, names};
use crate::provider::parts::{DRIFT, ID, OBJECTS, Page, same_id, same_region};

/// Whether a text is the id of an object of that type.
pub fn id_of(kind: &str, text: &str) -> Result<(), String> {
    match ArmId::parse(text) {
        Ok(id) if id.is(kind) => Ok(()),
        Ok(id) => Err(format!(
            "An id of {kind} is needed here, and {id} is one of {}.",
            id.resource_type()
        )),
        Err(error) => Err(error.to_string()),
    }
}

const GROUP_ID: Check = Check::Text("the id of a resource group", |text| {
    id_of("Microsoft.Resources/resourceGroups", text)
});

const DNS_SERVER: Check = Check::Text("an IP address", |text| {
    match text.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{text:?} is no IP address.")),
    }
});

const SERVICE: Check = Check::Text(
    "the name of a service, such as `Microsoft.Storage`",
    |text| {
        if text.contains('.') && !text.starts_with('/') {
            Ok(())
        } else {
            Err(format!(
                "{text:?} is no service; services are named such as \"Microsoft.Storage\" or \
             \"Microsoft.ContainerService/managedClusters\"."
            ))
        }
    },
);

/// `purpose`
pub const PURPOSE: Attribute = Attribute::required("purpose", Kind::String)
    .describe(
        "What the subnet is for. Its size, name, delegations and attachments are checked by it: \
         `aks_nodes`, `aks_pods`, `aks_api_server`, `private_endpoints`, `bastion`, `jumpbox`, \
         `agents`, `firewall`, `gateway`, `dns_resolver_inbound`, `dns_resolver_outbound` or \
         `general`.",
    )
    .checked(&[Check::OneOf(&Purpose::NAMES)]);

/// `address_prefixes`
pub const ADDRESS_PREFIXES: Attribute = Attribute::optional_computed(
    "address_prefixes",
    Kind::List(&Kind::String),
    Computed::Fixed,
)
.same_when(same_prefix)
.describe(
    "The prefixes of the subnet; one IPv4 prefix, several, or one with an IPv6 prefix (/64). \
     Either this or `prefix_length`.",
);

/// `prefix_length`
pub const PREFIX_LENGTH: Attribute =
    Attribute::optional_computed("prefix_length", Kind::Integer, Computed::Fixed)
        .describe(
            "The length of the IPv4 prefix that the subnet is to have, such as 24. It is then \
             placed: the first free block, and stable from then on when others come and go. Either \
             this or `address_prefixes`.",
        )
        .checked(&[Check::Range(1, 64)]);

/// `service_endpoints`
pub const SERVICE_ENDPOINTS: Attribute =
    Attribute::optional("service_endpoints", Kind::Set(&Kind::String))
        .describe(
            "The services that are reached through service endpoints, such as `Microsoft.Storage`.",
        )
        .checked(&[Check::Each(&SERVICE)]);

/// `delegations`
pub const DELEGATIONS: Attribute = Attribute::optional("delegations", Kind::Set(&Kind::String))
    .describe(
        "The services that the subnet is delegated to, such as \
         `Microsoft.ContainerService/managedClusters`. Unset: those of the purpose.",
    )
    .checked(&[Check::Each(&SERVICE)]);

/// `private_endpoint_network_policies`
pub const POLICIES: Attribute =
    Attribute::optional("private_endpoint_network_policies", Kind::String)
        .describe(
            "Whether security groups and route tables apply to private endpoints: `Disabled`, \
             `Enabled`, `NetworkSecurityGroupEnabled` or `RouteTableEnabled`.",
        )
        .checked(&[Check::OneOf(&[
            "Disabled",
            "Enabled",
            "NetworkSecurityGroupEnabled",
            "RouteTableEnabled",
        ])])
        .default_to(Literal::String(DEFAULT_NETWORK_POLICIES));

/// `network_security_group_id`
pub const SECURITY_GROUP: Attribute =
    Attribute::optional("network_security_group_id", Kind::String)
        .same_when(same_id)
        .describe(
            "The network security group. Unset from the start: whatever others attach is left \
             alone. Removed later: what was attached here is detached.",
        )
        .checked(&[Check::Text("the id of a network security group", |text| {
            id_of("Microsoft.Network/networkSecurityGroups", text)
        })]);

/// `route_table_id`
pub const ROUTE_TABLE: Attribute = Attribute::optional("route_table_id", Kind::String)
    .same_when(same_id)
    .describe("The route table; unset and removed as for the network security group.")
    .checked(&[Check::Text("the id of a route table", |text| {
        id_of("Microsoft.Network/routeTables", text)
    })]);

/// `nat_gateway_id`
pub const NAT_GATEWAY: Attribute = Attribute::optional("nat_gateway_id", Kind::String)
    .same_when(same_id)
    .describe("The NAT gateway; unset and removed as for the network security group.")
    .checked(&[Check::Text("the id of a NAT gateway", |text| {
        id_of("Microsoft.Network/natGateways", text)
    })]);

/// `default_outbound_access_enabled`
pub const OUTBOUND: Attribute = Attribute::optional("default_outbound_access_enabled", Kind::Bool)
    .describe(
        "Whether machines without a way out of their own reach the internet through an address \
             of Azure's. `false` makes the subnet private.",
    )
    .default_to(Literal::Bool(true));

const SUBNETS: &[Attribute] = &[
    PURPOSE,
    Attribute::optional("name", Kind::String).describe(
        "The name in Azure. By default the one that Azure demands for the purpose, such as \
         `AzureBastionSubnet`, else the key. A change makes another subnet and deletes this one.",
    ),
    ADDRESS_PREFIXES,
    PREFIX_LENGTH,
    SERVICE_ENDPOINTS,
    DELEGATIONS,
    POLICIES,
    SECURITY_GROUP,
    ROUTE_TABLE,
    NAT_GATEWAY,
    OUTBOUND,
];

/// What may touch where subnets are.
const PLACES: Computed =
    Computed::Follows(&["address_space", "reserved_prefixes", "subnets", "drift"]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "A virtual network and its subnets as one intent. Each subnet says what it is for; sizes, \
     names, overlaps and reserved ranges are checked before Azure is asked, and a subnet can be \
     given a size instead of addresses. Subnets that others add are left alone and reported.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name of the network.")
            .checked(&[Check::Text(names::VIRTUAL_NETWORK, names::virtual_network)])
            .replaces(),
        Attribute::required("resource_group_id", Kind::String)
            .describe("The group of the network.")
            .checked(&[GROUP_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("location", Kind::String)
            .describe("The region, such as `westeurope`.")
            .same_when(same_region)
            .replaces(),
        Attribute::required("address_space", Kind::List(&Kind::String))
            .same_when(same_prefix)
            .describe("The prefixes of the network, such as `[\"10.10.0.0/16\"]`."),
        Attribute::optional("dns_servers", Kind::List(&Kind::String))
            .describe(
                "The DNS servers that machines in the network ask, in order; by default Azure's, \
                 which private DNS zones need.",
            )
            .checked(&[Check::Each(&DNS_SERVER)]),
        Attribute::optional("ddos_protection_plan_id", Kind::String)
            .same_when(same_id)
            .describe("The DDoS protection plan of the network.")
            .checked(&[Check::Text("the id of a DDoS protection plan", |text| {
                id_of("Microsoft.Network/ddosProtectionPlans", text)
            })]),
        Attribute::optional("reserved_prefixes", Kind::List(&Kind::String)).describe(
            "Prefixes that no subnet here may use: what is kept for later, or for others.",
        ),
        Attribute::optional("subnets", Kind::Nested(Nesting::Map, SUBNETS))
            .describe("The subnets, by a key of your own."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).describe("The tags."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed(
            "subnet_ids",
            Kind::Map(&Kind::String),
            Computed::Follows(&["name", "resource_group_id", "subnets"]),
        )
        .describe("The ids of the subnets, by key. Known at plan."),
        Attribute::computed(
            "subnet_address_prefixes",
            Kind::Map(&Kind::List(&Kind::String)),
            PLACES,
        )
        .describe("The prefixes of the subnets, by key; known at plan, placed ones too."),
        Attribute::computed(
            "subnet_addresses",
            Kind::Nested(
                Nesting::Map,
                &[
                    Attribute::computed("usable", Kind::Integer, Computed::Volatile).describe(
                        "The IPv4 addresses that Azure gives out; it keeps five of each prefix.",
                    ),
                    Attribute::computed("free", Kind::Integer, Computed::Volatile)
                        .describe("Those that nobody has."),
                ],
            ),
            Computed::Volatile,
        )
        .describe("How many addresses the subnets have, by key."),
        Attribute::computed(
            "other_subnets",
            Kind::Nested(
                Nesting::Map,
                &[
                    Attribute::computed("id", Kind::String, Computed::Volatile).describe(ID),
                    Attribute::computed(
                        "address_prefixes",
                        Kind::List(&Kind::String),
                        Computed::Volatile,
                    )
                    .describe("Its prefixes."),
                ],
            ),
            Computed::Volatile,
        )
        .describe(
            "The subnets of the network that others added, by name. They are left alone, and new \
             subnets are placed around them.",
        ),
        Attribute::computed(
            "objects",
            Kind::Map(&Kind::List(&Kind::String)),
            Computed::Volatile,
        )
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
    subcategory: "Network",
    permissions: &[
        ("Microsoft.Network/virtualNetworks/read", "to read it"),
        (
            "Microsoft.Network/virtualNetworks/write",
            "to create and change it",
        ),
        ("Microsoft.Network/virtualNetworks/delete", "to delete it"),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "to read a subnet again before it is changed",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/write",
            "to add and change subnets",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/delete",
            "to remove subnets",
        ),
        (
            "Microsoft.Network/networkSecurityGroups/join/action",
            "on the security groups, for `network_security_group_id`",
        ),
        (
            "Microsoft.Network/routeTables/join/action",
            "on the route tables, for `route_table_id`",
        ),
        (
            "Microsoft.Network/natGateways/join/action",
            "on the NAT gateways, for `nat_gateway_id`",
        ),
        (
            "Microsoft.Network/ddosProtectionPlans/join/action",
            "on the plan, for `ddos_protection_plan_id`",
        ),
        (
            "Microsoft.Network/networkInterfaces/read",
            "to name the users of a subnet that is to be removed",
        ),
        (
            "Microsoft.Network/privateEndpoints/read",
            "to name the users of a subnet that is to be removed",
        ),
    ],
    failures: &[
        (
            "a prefix has host bits set, overlaps another, or lies outside the address space",
            "The plan says which, and offers a free block to paste. All such mistakes are told at once.",
        ),
        (
            "address_space overlaps a peered network",
            "The plan names the peering, both prefixes, and a free block to paste.",
        ),
        (
            "the network has no free block left",
            "The message names the largest free block and the address space that would do.",
        ),
        (
            "a subnet cannot be removed or renamed: it is in use",
            "The plan names its users. Move them to another subnet first; Azure never deletes a subnet \
             that is in use.",
        ),
        (
            "the network has a subnet of that name, which is managed elsewhere",
            "Someone else added it. Choose another key or `name`, or import the whole network.",
        ),
        (
            "the virtual network cannot be deleted: something else still depends on it",
            "It holds subnets or peerings that others made, which the message lists.",
        ),
    ],
    notes: "## Purposes\n\n\
            | Purpose | What it means |\n\
            | --- | --- |\n\
            | `aks_nodes` | Nodes of an AKS cluster, and its pods where these have no network of their own. Not delegated, and not shared with private endpoints. |\n\
            | `aks_pods` | Pods of an AKS cluster with a subnet of their own. AKS delegates it to itself; that delegation is left alone. |\n\
            | `aks_api_server` | The API server of an AKS cluster with VNet integration. At least /28, for this alone, delegated to `Microsoft.ContainerService/managedClusters`. |\n\
            | `private_endpoints` | Private endpoints. A registry takes one address, and one more for each region that it is in. Not delegated. |\n\
            | `bastion` | Azure Bastion. At least /26; Azure demands the name `AzureBastionSubnet` and takes no route table there. |\n\
            | `jumpbox` | Virtual machines to work from inside the network. |\n\
            | `agents` | Build agents that reach a private registry from inside the network. |\n\
            | `firewall` | Azure Firewall. At least /26; Azure demands the name `AzureFirewallSubnet` and takes no network security group there. |\n\
            | `gateway` | VPN and ExpressRoute gateways. At least /27; Azure demands the name `GatewaySubnet` and takes neither a network security group nor a NAT gateway there. |\n\
            | `dns_resolver_inbound` | Inbound endpoints of a DNS private resolver. /28 to /24, for this alone, delegated to `Microsoft.Network/dnsResolvers`. |\n\
            | `dns_resolver_outbound` | Outbound endpoints of a DNS private resolver. /28 to /24, for this alone, delegated to `Microsoft.Network/dnsResolvers`. |\n\
            | `general` | Anything that Azure asks nothing special for. |\n\n\
            ## Beside other configurations\n\n\
            Subnets that others add to this network (`fkaks_subnet`, `azurerm_subnet`, AKS) stay as they \
            are and show in `other_subnets`. Security groups, route tables and NAT gateways that others \
            attach to subnets of this resource stay too, while the argument is not set here. Changes go \
            subnet by subnet, each read again right before it is written.\n\n\
            ## Import\n\n\
            An import by the network's id takes over the network and every subnet in it, by name. The \
            purpose is read from the name that Azure demands or from the delegation, else it is `general`; \
            correcting it in the configuration changes nothing in Azure. What is attached to a subnet \
            shows, and leaving it out of the configuration detaches it, as the plan says.",
};
