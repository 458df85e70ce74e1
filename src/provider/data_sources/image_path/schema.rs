//! What users may write and what they get, and what the page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Kind, Nesting, Schema};

use crate::provider::parts::{ARM_ID, Page, answer};

const FINDING: &[Attribute] = &[
    answer("check", Kind::String).describe("Which check; the list stands below."),
    answer("verdict", Kind::String).describe("`ok`, `problem` or `unknown`."),
    answer("summary", Kind::String).describe("What was found, in a sentence or two."),
    answer("evidence", Kind::List(&Kind::String))
        .describe("What shows it: ids, addresses, and actions that the caller lacks."),
    answer("fix", Kind::String).describe("What to do; null where there is nothing to do."),
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "Does this cluster pull from this registry privately? Answered from Azure Resource Manager alone, before the \
     first pod waits for its image: identity, role and mode, DNS zone, link and records, endpoint, peering, \
     public access, each with its verdict and what shows it.",
    &[
        Attribute::required("cluster_id", Kind::String)
            .describe("The cluster.")
            .checked(&[ARM_ID]),
        Attribute::required("registry_id", Kind::String)
            .describe("The registry, in any subscription.")
            .checked(&[ARM_ID]),
        Attribute::optional("repositories", Kind::Set(&Kind::String))
            .describe(
                "The repositories that are pulled, as `repositories` of `fkaks_registry_access` has them: a grant \
                 with that very condition counts. Without it a grant must open all repositories to count.",
            )
            .checked(&[Check::Items(1, 50)]),
        Attribute::optional("private_dns_zone_id", Kind::String)
            .describe(
                "The zone of the registry's private names, where it is in a subscription that nothing else here \
                 names. Zones that the endpoints' zone groups name, and those in the subscriptions of cluster, \
                 network, registry, endpoints and provider, are found without it.",
            )
            .checked(&[ARM_ID]),
        answer("login_server", Kind::String).describe("The name that the nodes ask for."),
        answer("can_pull", Kind::Bool).describe(
            "Whether the nodes reach the registry, privately or not, and may pull; null where that cannot be \
             told.",
        ),
        answer("privately", Kind::Bool).describe(
            "Whether the registry's names lead the nodes to an approved private endpoint that they reach; null \
             where that cannot be told.",
        ),
        answer("findings", Kind::Nested(Nesting::List, FINDING))
            .describe("What each check found, always all of them, in the order of the list below."),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Private registry",
    permissions: &[
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to read the cluster; without it there is no answer",
        ),
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to read the registry; without it there is no answer",
        ),
        (
            "Microsoft.ContainerRegistry/registries/replications/read",
            "for the regions of the data endpoints",
        ),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "at the registry, for the role",
        ),
        (
            "Microsoft.Authorization/roleDefinitions/read",
            "to see whether another role suffices",
        ),
        (
            "Microsoft.Network/virtualNetworks/read",
            "on the nodes' network, and on networks that it is peered with",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "on the subnets of nodes and endpoints",
        ),
        (
            "Microsoft.Network/privateEndpoints/read",
            "on the registry's endpoints",
        ),
        (
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read",
            "likewise",
        ),
        (
            "Microsoft.Network/networkInterfaces/read",
            "for the endpoints' addresses",
        ),
        ("Microsoft.Network/privateDnsZones/read", "to find the zone"),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
            "for its links",
        ),
        (
            "Microsoft.Network/privateDnsZones/A/read",
            "for its records",
        ),
        (
            "Microsoft.Network/networkSecurityGroups/read",
            "for the rules on the way",
        ),
        (
            "Microsoft.Network/routeTables/read",
            "for the routes on the way",
        ),
        (
            "Microsoft.Network/publicIPAddresses/read",
            "for the nodes' addresses, where they ask in public and only some are allowed",
        ),
    ],
    failures: &[
        (
            "`can_pull` or `privately` is null",
            "Something cannot be told: the findings with the verdict `unknown` say what, and name the action that \
             the caller lacks. In a condition write `== true`, so that null fails it.",
        ),
        (
            "everything is `ok`, and a pull fails all the same",
            "It is what Azure Resource Manager knows. A role takes some minutes to count everywhere; a firewall \
             in the way, DNS servers of one's own and network policies within the cluster are not seen from \
             here.",
        ),
        (
            "a role is missed that the identity has through a group",
            "Azure lists assignments of a principal without those of its groups. Assign the role directly, which \
             also counts sooner.",
        ),
    ],
    notes: "## Checks\n\n\
            | `check` | Question |\n\
            |---|---|\n\
            | `kubelet_identity` | Which identity pulls? |\n\
            | `role` | Does it have the role that counts in the registry's mode? AcrPull opens nothing in \
            `AbacRepositoryPermissions` |\n\
            | `token_audience` | Does the registry take the tokens of the nodes? A note |\n\
            | `dns_servers` | Does the nodes' network ask Azure DNS, or servers of its own? |\n\
            | `zone` | Is there a private zone of registries? |\n\
            | `zone_link` | Is the network that asks linked to it? |\n\
            | `login_record` | Does the login server's record lead to an endpoint of this registry? |\n\
            | `data_records` | Do the data endpoints' records, of every region? |\n\
            | `endpoint` | Is the endpoint approved? |\n\
            | `peering` | Does the nodes' network reach the endpoint's? |\n\
            | `security_group` | Does a rule stand in the way of port 443? A note |\n\
            | `route` | Does a route lead elsewhere, or by a firewall? A note |\n\
            | `public_access` | Who reaches the registry in public? |\n\n\
            A note that is `unknown` leaves `can_pull` and `privately` as they are; as a `problem` it counts. That \
            everyone reaches the registry in public is a `problem` of its own, and does not make a private pull \
            less private.\n\n\
            Nothing is asked of the data plane: no name is resolved and no connection made, so that it works from \
            anywhere.",
};
