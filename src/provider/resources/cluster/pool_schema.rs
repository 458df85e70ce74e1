//! What users may write about a node pool.

use tfplugin_rs::schema::{Attribute, Check, Kind, Literal, Nesting};

use super::{text_rules, version};
use crate::provider::parts::ARM_ID;

const UPGRADE_SETTINGS: &[Attribute] = &[
    Attribute::optional("max_surge", Kind::String)
        .describe("How many nodes come in addition: a number, or a percentage such as `33%`. AKS takes `10%`.")
        .checked(&[Check::Text(
            "a number of nodes, or a percentage such as `33%`",
            text_rules::surge,
        )]),
    Attribute::optional("drain_timeout_in_minutes", Kind::Integer)
        .describe("How long pods may take to leave a node.")
        .checked(&[Check::Range(1, 1440)]),
    Attribute::optional("node_soak_duration_in_minutes", Kind::Integer)
        .describe("How long to wait after a node before the next.")
        .checked(&[Check::Range(0, 30)]),
];

/// The attributes of a pool. "Anew" in a description stands for the way of a change that only a
/// new pool can have.
pub const POOL: &[Attribute] = &[
    Attribute::optional("mode", Kind::String)
        .describe("`System` (runs the cluster's own pods; there is always one such pool) or `User`.")
        .checked(&[Check::OneOf(&["System", "User"])])
        .default_to(Literal::String("User")),
    Attribute::required("vm_size", Kind::String)
        .describe("The size of the nodes, such as `Standard_D4ds_v5`. A change makes the pool anew."),
    Attribute::optional("node_count", Kind::Integer)
        .describe("How many nodes; where the pool scales by itself, how many it begins with.")
        .checked(&[Check::Range(0, 1000)])
        .default_to(Literal::Integer(1)),
    Attribute::optional("auto_scaling_enabled", Kind::Bool)
        .describe("Whether the cluster autoscaler decides the count, between `min_count` and `max_count`.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("min_count", Kind::Integer)
        .describe("The fewest nodes.")
        .checked(&[Check::Range(0, 1000)]),
    Attribute::optional("max_count", Kind::Integer)
        .describe("The most nodes.")
        .checked(&[Check::Range(1, 1000)]),
    Attribute::required("vnet_subnet_id", Kind::String)
        .describe("The subnet of the nodes. A change makes the pool anew.")
        .checked(&[ARM_ID])
        .same_when(crate::provider::parts::same_id),
    Attribute::optional("pod_subnet_id", Kind::String)
        .describe(
            "The subnet of the pods, with `network_plugin_mode = \"pod_subnet\"`. A change makes the pool \
             anew.",
        )
        .checked(&[ARM_ID])
        .same_when(crate::provider::parts::same_id),
    Attribute::optional("max_pods", Kind::Integer)
        .describe(
            "How many pods a node may have. Unless set, AKS takes 250 (`overlay`, `pod_subnet`), 30 \
             (`node_subnet`) or 110 (`kubenet`). A change makes the pool anew.",
        )
        .checked(&[Check::Range(10, 250)]),
    Attribute::optional("zones", Kind::Set(&Kind::String))
        .describe("The availability zones, such as `[\"1\", \"2\", \"3\"]`. A change makes the pool anew."),
    Attribute::optional("node_labels", Kind::Map(&Kind::String)).describe("The labels of the nodes."),
    Attribute::optional("node_taints", Kind::Set(&Kind::String))
        .describe("The taints of the nodes, such as `workload=batch:NoSchedule`.")
        .checked(&[Check::Each(&Check::Text(
            "a taint such as `workload=batch:NoSchedule`",
            text_rules::taint,
        ))]),
    Attribute::optional("os_disk_size_gb", Kind::Integer)
        .describe("The size of the nodes' disks. A change makes the pool anew; unset is Azure's choice.")
        .checked(&[Check::Range(30, 2048)]),
    Attribute::optional("os_disk_type", Kind::String)
        .describe("`Ephemeral` or `Managed`. A change makes the pool anew; unset is Azure's choice.")
        .checked(&[Check::OneOf(&["Ephemeral", "Managed"])]),
    Attribute::optional("os_sku", Kind::String)
        .describe("The Linux of the nodes. A change reimages them, one after another; unset is Azure's choice.")
        .checked(&[Check::OneOf(&[
            "AzureLinux",
            "AzureLinux3",
            "Ubuntu",
            "Ubuntu2204",
            "Ubuntu2404",
        ])]),
    Attribute::optional("orchestrator_version", Kind::String)
        .describe("The version of Kubernetes on the nodes; `kubernetes_version` unless set.")
        .checked(&[Check::Text(version::RULE, version::check)]),
    Attribute::optional("priority", Kind::String)
        .describe("`Regular` or `Spot`. A change makes the pool anew.")
        .checked(&[Check::OneOf(&["Regular", "Spot"])])
        .default_to(Literal::String("Regular")),
    Attribute::optional("eviction_policy", Kind::String)
        .describe("What becomes of evicted spot nodes: `Delete` (unless set) or `Deallocate`.")
        .checked(&[Check::OneOf(&["Delete", "Deallocate"])]),
    Attribute::optional("host_encryption_enabled", Kind::Bool)
        .describe("Whether the host encrypts temporary disks and caches. A change makes the pool anew.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("fips_enabled", Kind::Bool)
        .describe("Whether the nodes use FIPS-validated cryptography. A change makes the pool anew.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("node_public_ip_enabled", Kind::Bool)
        .describe("Whether each node has a public address. A change makes the pool anew.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("upgrade_settings", Kind::Nested(Nesting::Single, UPGRADE_SETTINGS))
        .describe("How the pool is upgraded."),
    Attribute::optional("tags", Kind::Map(&Kind::String))
        .describe("The tags of the pool's machines."),
];
