//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::validate;
use crate::network::names;
use crate::provider::parts::{ARM_ID, DRIFT, ID, OBJECTS, Page, same_id, same_region};

const GEOREPLICATION: &[Attribute] = &[
    Attribute::optional("regional_endpoint_enabled", Kind::Bool)
        .describe("Whether pulls and pushes are routed to this replica.")
        .default_to(Literal::Bool(true)),
    Attribute::optional("tags", Kind::Map(&Kind::String)).describe("The tags of the replica."),
];

const IDENTITY: &[Attribute] = &[
    Attribute::required("type", Kind::String)
        .describe("`SystemAssigned`, `UserAssigned` or `SystemAssigned, UserAssigned`.")
        .checked(&[Check::OneOf(&[
            "SystemAssigned",
            "UserAssigned",
            "SystemAssigned, UserAssigned",
        ])]),
    Attribute::optional("identity_ids", Kind::Set(&Kind::String))
        .describe("The user-assigned identities.")
        .checked(&[Check::Each(&ARM_ID)]),
    Attribute::computed(
        "principal_id",
        Kind::String,
        Computed::Follows(&["identity"]),
    )
    .describe("The object id of the system-assigned identity."),
    Attribute::computed("tenant_id", Kind::String, Computed::Follows(&["identity"]))
        .describe("Its tenant."),
];

const KEY: &[Attribute] = &[
    Attribute::required("key_vault_key_id", Kind::String)
        .describe(
            "The key, `https://<vault>/keys/<name>`. A version behind it is left out, so that the key \
             rotates by itself, unless `version_pinned` is set.",
        )
        .checked(&[Check::Text(
            "the address of a key, `https://<vault>/keys/<name>`",
            validate::key_address,
        )]),
    Attribute::required("identity_client_id", Kind::String).describe(
        "The client id of the user-assigned identity that reads the key; one of `identity.identity_ids`.",
    ),
    Attribute::optional("version_pinned", Kind::Bool)
        .describe("Keeps the version that is written, which stops rotation.")
        .default_to(Literal::Bool(false)),
    Attribute::computed("versioned_key_id", Kind::String, Computed::Volatile)
        .describe("The key with the version in use."),
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "A container registry by its exposure: `private`, `allowlist` or `public`, instead of the separate \
     switches that make it so. A registry that exists is closed only when another way to it stands.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name, unique in all of Azure: it becomes the host `<name>.azurecr.io`.")
            .checked(&[Check::Text(names::REGISTRY, names::registry)])
            .same_when(same_id)
            .replaces(),
        Attribute::required("resource_group_id", Kind::String)
            .describe("The resource group.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("location", Kind::String)
            .describe("The region, such as `westeurope`.")
            .same_when(same_region)
            .replaces(),
        Attribute::optional("sku", Kind::String)
            .describe(
                "The tier: `Premium`, or `Standard` or `Basic` for a registry that is public. Private \
                 endpoints, address rules, replicas and the policies need `Premium`.",
            )
            .checked(&[Check::OneOf(&["Basic", "Standard", "Premium"])])
            .default_to(Literal::String("Premium")),
        Attribute::optional("exposure", Kind::String)
            .describe(
                "Who can reach the registry: `private` (private endpoints alone: public access is off, and \
                 the default action is to deny), `allowlist` (the addresses of `allowed_ip_ranges` too) or \
                 `public` (everyone; they still must log in). A new registry is made so at once. One that \
                 exists is tightened only when a private endpoint is approved and its DNS records stand \
                 (`private`), or an address is allowed (`allowlist`).",
            )
            .checked(&[Check::OneOf(&["private", "allowlist", "public"])])
            .default_to(Literal::String("private")),
        Attribute::optional("allowed_ip_ranges", Kind::Set(&Kind::String))
            .describe(
                "The public IPv4 addresses and ranges that may reach the registry when its exposure is \
                 `allowlist`; up to 100. They are kept, without effect, while it is `private`. When it is \
                 not set, the rules that others made are left alone (and those that it had are removed); `[]` \
                 removes all.",
            )
            .checked(&[
                Check::Items(0, 100),
                Check::Each(&Check::Text(
                    "a public IPv4 address or range, such as `203.0.113.7` or `203.0.113.0/24`",
                    validate::ip_range,
                )),
            ])
            .same_when(validate::same_ranges),
        Attribute::optional("trusted_services_enabled", Kind::Bool)
            .describe(
                "Whether trusted Microsoft services pass the network rules. Defender for Containers needs \
                 it to scan the images of a registry that is not public.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("tasks_bypass_enabled", Kind::Bool)
            .describe(
                "Whether ACR Tasks pass the network rules. They are no part of the trusted services and \
                 have this switch of their own.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("tighten_unverified", Kind::Bool)
            .describe("Tightens an existing registry without looking for another way to it first.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("admin_enabled", Kind::Bool)
            .describe("Whether the admin user, one name with two passwords, may log in.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("anonymous_pull_enabled", Kind::Bool)
            .describe("Whether everyone who reaches the registry may pull without logging in; not on `Basic`.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("arm_audience_authentication_enabled", Kind::Bool)
            .describe(
                "Whether tokens that were made for Azure Resource Manager are accepted. Clusters whose nodes \
                 use such tokens cannot pull without it.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("role_assignment_mode", Kind::String)
            .describe(
                "`LegacyRegistryPermissions` (the roles AcrPull and AcrPush count) or \
                 `AbacRepositoryPermissions` (roles such as Container Registry Repository Reader count \
                 instead, and can be limited to repositories).",
            )
            .checked(&[Check::OneOf(&[
                "AbacRepositoryPermissions",
                "LegacyRegistryPermissions",
            ])])
            .default_to(Literal::String("LegacyRegistryPermissions")),
        Attribute::optional("export_policy_enabled", Kind::Bool)
            .describe("Whether images may be exported from the registry; `false` needs `exposure = \"private\"`.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("quarantine_policy_enabled", Kind::Bool)
            .describe("Whether pushed images stay in quarantine until a scanner releases them.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("retention_policy_in_days", Kind::Integer)
            .describe(
                "After how many days untagged manifests are deleted, 0 to 365. Without it they are kept.",
            )
            .checked(&[Check::Range(0, 365)]),
        Attribute::optional("data_endpoint_enabled", Kind::Bool)
            .describe(
                "Whether layers are served from hosts of the registry's own, `<name>.<region>.data.azurecr.io`. \
                 A registry with private endpoints has them in any case.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("georeplications", Kind::Nested(Nesting::Map, GEOREPLICATION))
            .describe(
                "Replicas by region, such as `{ northeurope = {} }`. Each takes one address more in the subnet \
                 of every private endpoint of the registry. Replicas that others made are left alone and \
                 reported.",
            ),
        Attribute::optional("identity", Kind::Nested(Nesting::Single, IDENTITY))
            .describe("The managed identities of the registry."),
        Attribute::optional("customer_managed_key", Kind::Nested(Nesting::Single, KEY))
            .describe("The key of yours that encrypts the registry. Azure takes one only at creation.")
            .replaces_when("to a key from none, or to none", |prior, planned| {
                prior.is_null() != planned.is_null()
            }),
        Attribute::optional("deletion_protection", Kind::Bool)
            .describe(
                "Refuses to delete or replace the registry, whose images cannot be restored. To delete it, \
                 apply `false` first.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("tags", Kind::Map(&Kind::String)).describe("The tags of the registry."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed("login_server", Kind::String, Computed::Fixed)
            .describe("The host to log in to and to name images by, such as `images.azurecr.io`."),
        Attribute::computed("data_endpoint_host_names", Kind::Set(&Kind::String), Computed::Volatile)
            .describe("The hosts that serve layers, one for each region, where the registry has its own."),
        Attribute::computed(
            "private_endpoint_connections",
            Kind::Nested(Nesting::List, CONNECTION),
            Computed::Volatile,
        )
        .describe("The private endpoints that are connected or want to be."),
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

const CONNECTION: &[Attribute] = &[
    Attribute::computed("private_endpoint_id", Kind::String, Computed::Volatile)
        .describe("The private endpoint."),
    Attribute::computed("state", Kind::String, Computed::Volatile)
        .describe("`Approved`, `Pending`, `Rejected` or `Disconnected`."),
    Attribute::computed("name", Kind::String, Computed::Volatile)
        .describe("The name of the connection."),
];

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Private registry",
    permissions: &[
        ("Microsoft.ContainerRegistry/registries/read", "to read it"),
        (
            "Microsoft.ContainerRegistry/registries/write",
            "to create and change it",
        ),
        (
            "Microsoft.ContainerRegistry/registries/delete",
            "to delete it",
        ),
        (
            "Microsoft.ContainerRegistry/registries/replications/read",
            "to read the replicas",
        ),
        (
            "Microsoft.ContainerRegistry/registries/replications/write",
            "for `georeplications`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/replications/delete",
            "for `georeplications`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/operationStatuses/read",
            "to follow its operations",
        ),
        (
            "Microsoft.Network/privateEndpoints/privateLinkServiceProxies/write",
            "on the connected private endpoints, to add a replica",
        ),
        (
            "Microsoft.Network/privateEndpoints/read",
            "on the connected endpoints, to check a tightening or a new replica at plan",
        ),
        (
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read",
            "likewise",
        ),
        ("Microsoft.Network/networkInterfaces/read", "likewise"),
        ("Microsoft.Network/virtualNetworks/subnets/read", "likewise"),
        (
            "Microsoft.Network/privateDnsZones/A/read",
            "on the zone of the endpoints' records, likewise",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "on each of `identity.identity_ids`",
        ),
    ],
    failures: &[
        (
            "the registry cannot be closed to the public yet",
            "Nothing else is seen to lead to it, and closing it would cut its clients off. Keep the former \
             exposure, make the private link or allow an address, apply, and tighten with a second apply. \
             With `tighten_unverified = true` it is done all the same.",
        ),
        (
            "the name is taken",
            "A registry's name is unique in all of Azure, since it becomes a host name. Whether it is free is \
             known only when the registry is created: `az acr check-name --name <name>` tells before.",
        ),
        (
            "the registry is protected from deletion",
            "Set `deletion_protection = false` and apply, then destroy or replace it.",
        ),
        (
            "a replica needs an address that a subnet does not have",
            "Each private endpoint of the registry takes one address more in its subnet for each replica. The \
             message names the subnets and counts; Azure itself rolls back and names none. Enlarge them \
             first.",
        ),
        (
            "the tier cannot be lowered",
            "Private endpoints, a customer-managed key or replicas need Premium. The message lists what is \
             in the way.",
        ),
        (
            "pulls fail after `role_assignment_mode` has changed",
            "AcrPull counts for nothing in `AbacRepositoryPermissions`: assign Container Registry Repository \
             Reader.",
        ),
    ],
    notes: "## Exposure\n\n\
            | `exposure` | `publicNetworkAccess` | `networkRuleSet.defaultAction` | who gets in |\n\
            |---|---|---|---|\n\
            | `private` | `Disabled` | `Deny` | private endpoints |\n\
            | `allowlist` | `Enabled` | `Deny` | private endpoints, `allowed_ip_ranges` |\n\
            | `public` | `Enabled` | `Allow` | everyone |\n\n\
            Trusted Microsoft services and ACR Tasks pass in addition, where their switches are on.\n\n\
            ## Closing a registry that is in use\n\n\
            Take two applies. In the first the registry stays as open as it is, and the private link (or the \
            allowed addresses) is made. The second sets the tighter `exposure`; its plan looks whether the \
            connection is approved and the DNS records stand, and refuses otherwise.\n\n\
            ## Zone redundancy\n\n\
            It is no argument: where a region has zones, Azure uses them, whatever the property says.\n\n\
            ## Import\n\n\
            An import by the registry's id takes over the registry and all of its replicas.",
};
