//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::NETWORK;
use crate::network::names;
use crate::provider::parts::{DRIFT, ID, OBJECTS, Page, same_id};
use crate::provider::resources::network::schema::id_of;

const NETWORK_ID: Check = Check::Text("the id of a virtual network", |text| id_of(NETWORK, text));
const NAME: Check = Check::Text(names::NETWORK_RESOURCE, names::peering);

const ACCESS: Attribute = Attribute::optional("allow_virtual_network_access", Kind::Bool)
    .describe("Whether the two networks reach each other from this side.")
    .default_to(Literal::Bool(true));
const FORWARDED: Attribute = Attribute::optional("allow_forwarded_traffic", Kind::Bool)
    .describe(
        "Whether traffic is accepted that the other network forwards and that did not begin there, from \
         a firewall of a hub, say.",
    )
    .default_to(Literal::Bool(false));
const TRANSIT: Attribute = Attribute::optional("allow_gateway_transit", Kind::Bool)
    .describe("Whether the other network may use the gateway of this one.")
    .default_to(Literal::Bool(false));
const USE: Attribute = Attribute::optional("use_remote_gateways", Kind::Bool)
    .describe(
        "Whether this network uses the gateway of the other, which must have one and allow it. One \
         peering of a network may, and only where the network has no gateway itself.",
    )
    .default_to(Literal::Bool(false));

const REMOTE: &[Attribute] = &[
    Attribute::optional("name", Kind::String)
        .describe(
            "The name of the peering in the remote network; by default that of the local network. \
             Changing it makes both sides anew, in place.",
        )
        .checked(&[NAME]),
    ACCESS,
    FORWARDED,
    TRANSIT,
    USE,
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "The peering of two virtual networks, in any subscriptions: both directions as one, or the local \
     side alone. It is finished when both sides show that they are connected; an address space that \
     changes later, a side that is deleted and a flag that is turned show as drift and are repaired in \
     place.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name of the peering in the local network.")
            .checked(&[NAME])
            .replaces(),
        Attribute::required("virtual_network_id", Kind::String)
            .describe("The local network.")
            .checked(&[NETWORK_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("remote_virtual_network_id", Kind::String)
            .describe("The network that it is peered with.")
            .checked(&[NETWORK_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("manage", Kind::String)
            .describe(
                "`both` makes the two sides. `local` makes the one in `virtual_network_id`, where the \
                 owner of the other network makes theirs; coming from `both`, the other side stays.",
            )
            .checked(&[Check::OneOf(&["both", "local"])])
            .default_to(Literal::String("both")),
        ACCESS,
        FORWARDED,
        TRANSIT,
        USE,
        Attribute::optional("remote", Kind::Nested(Nesting::Single, REMOTE)).describe(
            "The side in the remote network, seen from there: its name and what it lets through. Not \
             with `manage = \"local\"`.",
        ),
        Attribute::optional("triggers", Kind::Map(&Kind::String)).describe(
            "Any change of these values syncs the peering in the same apply. Name the address spaces \
             here; without it, a changed one is synced by the next apply.",
        ),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed(
            "remote_id",
            Kind::String,
            Computed::Follows(&["manage", "remote"]),
        )
        .describe("The ARM id of the side in the remote network; null with `manage = \"local\"`."),
        Attribute::computed(
            "peering_state",
            Kind::String,
            Computed::Follows(&["manage", "remote", "drift"]),
        )
        .describe(
            "`Connected`; `Initiated` while the other side does not stand; or `Disconnected`, when that \
             was deleted.",
        ),
        Attribute::computed(
            "peering_sync_level",
            Kind::String,
            Computed::Follows(&["manage", "remote", "triggers", "drift"]),
        )
        .describe(
            "`FullyInSync`, or which side does not know the other network's address space of now: \
             `LocalNotInSync`, `RemoteNotInSync`, `LocalAndRemoteNotInSync`.",
        ),
        Attribute::computed(
            "remote_address_space",
            Kind::List(&Kind::String),
            Computed::Follows(&["manage", "remote", "triggers", "drift"]),
        )
        .describe("The prefixes that lead to the remote network."),
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
    subcategory: "Network",
    permissions: &[
        (
            "Microsoft.Network/virtualNetworks/read",
            "to check both networks at plan",
        ),
        (
            "Microsoft.Network/virtualNetworks/peer/action",
            "on both networks, also with `manage = \"local\"`",
        ),
        (
            "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
            "on the networks whose side is managed here",
        ),
        (
            "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
            "on the networks whose side is managed here",
        ),
        (
            "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
            "on the networks whose side is managed here",
        ),
    ],
    failures: &[
        (
            "the address spaces of the two networks overlap",
            "The plan names both prefixes and a free block. Networks of the same configuration are compared \
             when both stand, before the peering is written. Azure refuses this also between one network and those that the \
             other is peered with, even by a Disconnected peering that nobody uses any more.",
        ),
        (
            "these networks are peered already",
            "Azure has one peering for a pair of networks. The message has its id and the import block.",
        ),
        (
            "a peering is Disconnected",
            "The other side was deleted, or its network was, even if one of the same name stands again. \
             The plan shows it as drift; applying makes both sides anew. With `manage = \"local\"` it \
             makes the local one anew, and the owner of the other network has to do the same with \
             theirs: delete it before the apply, make it after.",
        ),
        (
            "the address space of the network that it leads to has changed",
            "Traffic to what is new does not flow until the peering is synced. Applying syncs it in place \
             and interrupts nothing. With `manage = \"local\"` a warning says when the other side has to \
             be synced by its owner.",
        ),
        (
            "a peering cannot use remote gateways",
            "The other network needs a virtual network gateway that stands, and `allow_gateway_transit` on \
             its side; this one may have no gateway of its own and no second peering that uses one. \
             Gateways take long to be made: wait for them with `depends_on`.",
        ),
        (
            "LinkedAuthorizationFailed",
            "The caller needs `Microsoft.Network/virtualNetworks/peer/action` on the other network too. If \
             that is in another tenant, add this to `auxiliary_tenant_ids` of the provider.",
        ),
    ],
    notes: "## Import\n\nAn import by the id of the local side finds the other one in the remote network. \
            Where there is one, `manage` is `both`, and the other side becomes owned at the first apply, \
            whose plan names it in `objects`; with `manage = \"local\"` in the configuration it stays \
            its owner's.\n\n\
            ## Address spaces that change\n\nA peering leads to the address space that the other network \
            had when it was last synced. With the address spaces in `triggers`, one apply changes a network \
            and syncs the peering:\n\n```terraform\n  triggers = {\n    spaces = jsonencode([\n      \
            fkaks_network.app.address_space,\n      fkaks_network.hub.address_space,\n    ])\n  }\n```",
};
