//! What the page of a cluster says beyond its schema.

use crate::provider::parts::Page;

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Cluster",
    permissions: &[
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to read it",
        ),
        (
            "Microsoft.ContainerService/managedClusters/write",
            "to create and change it",
        ),
        (
            "Microsoft.ContainerService/managedClusters/delete",
            "to delete it",
        ),
        (
            "Microsoft.ContainerService/managedClusters/agentPools/read",
            "to read its pools",
        ),
        (
            "Microsoft.ContainerService/managedClusters/agentPools/write",
            "to add and change them",
        ),
        (
            "Microsoft.ContainerService/managedClusters/agentPools/delete",
            "to remove them, and to make one anew",
        ),
        (
            "Microsoft.ContainerService/managedClusters/maintenanceConfigurations/*",
            "for the maintenance windows",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "on the identities",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/write",
            "to make the control plane's identity; likewise `delete`",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "on the identities",
        ),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "on subnets, zone, route tables and identities",
        ),
        (
            "Microsoft.Authorization/roleAssignments/write",
            "there, unless `manage_role_assignments` is `false`; likewise `delete`",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "on the subnets",
        ),
        (
            "Microsoft.Network/virtualNetworks/read",
            "to check sizes and overlaps at plan; likewise `subnets/read`",
        ),
        (
            "Microsoft.Network/publicIPAddresses/read",
            "in the nodes' group, for `egress_ips`",
        ),
    ],
    failures: &[
        (
            "the subnet is too small",
            "Each node takes an address, with `node_subnet` one for each pod that it may have besides, and an \
             upgrade takes more nodes for a while. The message shows the sum and the smallest prefix that \
             fits.",
        ),
        (
            "services or pods overlap a network",
            "Addresses of `service_cidr` and `pod_cidr` lead into the cluster, so that whatever has them \
             outside cannot be reached from it. The message offers the next free block.",
        ),
        (
            "the zone's permissions are missing",
            "With a zone of the user's own, Azure checks while the cluster is made that its identity may write \
             there and join the network. A role takes minutes to count; the apply waits and tries again.",
        ),
        (
            "the role assignments cannot be written",
            "The caller needs `Microsoft.Authorization/roleAssignments/write` on subnets, zone and identities, and \
             the plan tells where it has not. Where it may not have that, set `manage_role_assignments = false` \
             with an `identity_id` that has the roles; the plan shows the commands for those that are missing.",
        ),
        (
            "the cluster was made in part, or its last operation failed",
            "A failed cluster is written again, never replaced: after a failed creation `untaint` it, as the \
             message says, and apply.",
        ),
        (
            "a pool cannot be drained",
            "AKS moves the pods of a pool within their disruption budgets before it is deleted, and gives up where a \
             budget allows no disruption. The message names budget and pod, and how to let it go. Both pools stay \
             and are in the state; the next apply deletes the one that is left.",
        ),
    ],
    notes: "## Node pools\n\n\
            Pools are added, scaled, relabelled and upgraded in place, one at a time. What Azure takes only at \
            the creation of a pool (its arguments say \"makes the pool anew\") goes like this: a temporary pool of \
            the new kind is made, the old one is cordoned, drained and deleted, the pool is made again under its \
            name, and the temporary one is drained and deleted. The cluster is never replaced for it. The subnets \
            need room for both meanwhile.\n\n\
            To move only once, write the new pool under another name and remove the old one in the same change: new \
            pools are made first.\n\n\
            ## Identities and roles\n\n\
            The control plane acts as a user-assigned identity, because only one that exists before the cluster can \
            be allowed anything before. It is assigned Network Contributor on the subnets of nodes, pods and API \
            server; with a zone of the user's own on their network instead, and Private DNS Zone Contributor on the \
            zone; with `user_defined_routing` or `kubenet` Network Contributor on the route tables; and Managed \
            Identity Operator on `kubelet_identity_id`. An identity that has a sufficient role already is \
            assigned none.\n\n\
            ## What Azure or a policy moves\n\n\
            Counts of pools that scale, versions under an upgrade channel, and add-ons that are not written here \
            are no drift.\n\n\
            ## Import\n\n\
            An import by the cluster's id takes over the cluster and all of its pools. Its control plane must act \
            as a user-assigned identity; one with a system-assigned identity is given one by the first apply.",
};
