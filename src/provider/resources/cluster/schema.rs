//! What users may write about a cluster.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};
use tfplugin_rs::value::Value;

use super::maintenance::WINDOW;
use super::pool_schema::POOL;
use super::{text_rules, version};
use crate::network::names;
use crate::provider::parts::{ARM_ID, DRIFT, ID, OBJECTS, same_id, same_region};

/// An ARM id.
const CIDR: Check = Check::Text(
    "an address prefix such as `10.0.0.0/16`",
    crate::network::cidr::check,
);

const API_SERVER: &[Attribute] = &[
    Attribute::optional("authorized_ip_ranges", Kind::Set(&Kind::String))
        .describe("The public addresses and ranges that may reach an API server that is not private.")
        .checked(&[
            Check::Items(0, 200),
            Check::Each(&Check::Text(
                "an IPv4 address or range, such as `203.0.113.7` or `203.0.113.0/24`",
                text_rules::range,
            )),
        ]),
    Attribute::optional("virtual_network_integration_enabled", Kind::Bool)
        .describe("Whether the API server has an address in `subnet_id` instead of a private endpoint. It cannot be turned off again.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("subnet_id", Kind::String)
        .describe("The subnet of the API server, delegated to `Microsoft.ContainerService/managedClusters`.")
        .checked(&[ARM_ID])
        .same_when(same_id),
];

const LOAD_BALANCER: &[Attribute] = &[
    Attribute::optional("managed_outbound_ip_count", Kind::Integer)
        .describe("How many addresses AKS makes; 1 where no addresses of the user's own are given.")
        .checked(&[Check::Range(1, 100)]),
    Attribute::optional("outbound_ip_address_ids", Kind::Set(&Kind::String))
        .describe("Public addresses of the user's own.")
        .checked(&[Check::Each(&ARM_ID)])
        .same_when(same_id),
    Attribute::optional("outbound_ip_prefix_ids", Kind::Set(&Kind::String))
        .describe("Public prefixes of the user's own.")
        .checked(&[Check::Each(&ARM_ID)])
        .same_when(same_id),
    Attribute::optional("outbound_ports_allocated", Kind::Integer)
        .describe("How many ports each node gets; 0 lets Azure decide. A multiple of 8.")
        .checked(&[Check::Range(0, 64000)])
        .default_to(Literal::Integer(0)),
    Attribute::optional("idle_timeout_in_minutes", Kind::Integer)
        .describe("After how long a silent connection is forgotten.")
        .checked(&[Check::Range(4, 120)])
        .default_to(Literal::Integer(30)),
    Attribute::optional("backend_pool_type", Kind::String)
        .describe("`NodeIPConfiguration` or `NodeIP`.")
        .checked(&[Check::OneOf(&["NodeIPConfiguration", "NodeIP"])])
        .default_to(Literal::String("NodeIPConfiguration")),
];

const BOOTSTRAP: &[Attribute] = &[
    Attribute::optional("artifact_source", Kind::String)
        .describe("`Cache` (a registry) or `Direct` (Microsoft's).")
        .checked(&[Check::OneOf(&["Cache", "Direct"])])
        .default_to(Literal::String("Cache")),
    Attribute::optional("container_registry_id", Kind::String)
        .describe(
            "The registry with a cache rule for `mcr.microsoft.com/*`, which the nodes reach privately and \
             may pull from. Unless set, AKS makes one.",
        )
        .checked(&[ARM_ID])
        .same_when(same_id),
];

const DEFENDER: &[Attribute] = &[
    Attribute::required("log_analytics_workspace_id", Kind::String)
        .describe("The workspace that it reports to.")
        .checked(&[ARM_ID])
        .same_when(same_id),
];

const OMS_AGENT: &[Attribute] = &[
    Attribute::required("log_analytics_workspace_id", Kind::String)
        .describe("The workspace that it writes to.")
        .checked(&[ARM_ID])
        .same_when(same_id),
    Attribute::optional("msi_auth_for_monitoring_enabled", Kind::Bool)
        .describe("Whether it logs in with its managed identity.")
        .default_to(Literal::Bool(true)),
];

const SECRETS: &[Attribute] = &[
    Attribute::optional("secret_rotation_enabled", Kind::Bool)
        .describe("Whether mounted secrets follow their vault.")
        .default_to(Literal::Bool(true)),
    Attribute::optional("secret_rotation_interval", Kind::String)
        .describe("How often it looks, such as `2m`.")
        .default_to(Literal::String("2m")),
];

const CONTROL_PLANE: &[Attribute] = &[
    Attribute::computed("id", Kind::String, Computed::Volatile).describe("The identity."),
    Attribute::computed("principal_id", Kind::String, Computed::Volatile)
        .describe("Its object id, which roles are assigned to."),
    Attribute::computed("client_id", Kind::String, Computed::Volatile).describe("Its client id."),
];

const KUBELET: &[Attribute] = &[
    Attribute::computed("id", Kind::String, Computed::Volatile).describe("The identity."),
    Attribute::computed("object_id", Kind::String, Computed::Volatile)
        .describe("Its object id, to which a registry's pull role is assigned."),
    Attribute::computed("client_id", Kind::String, Computed::Volatile).describe("Its client id."),
];

/// The private name changes with the API server's place, and goes where it becomes public.
const PRIVATE_NAME: Computed = Computed::Follows(&[
    "private_cluster_enabled",
    "private_dns_zone_id",
    "api_server_access_profile",
]);

/// A change of the zone, the plugin and so on needs another cluster.
fn changed(prior: &Value, planned: &Value) -> bool {
    prior != planned
}

/// Azure turns a cluster private or public in place only when its API server is in the network
/// (Microsoft Learn, "Create an AKS cluster with API Server VNet Integration").
fn privacy_is_fixed(prior: &Value, planned: &Value) -> bool {
    let integrated = |cluster: &Value| {
        let profile = cluster.get("api_server_access_profile");
        let integration = profile.get("virtual_network_integration_enabled");
        profile.is_unknown() || integration.is_unknown() || integration.as_bool() == Some(true)
    };
    !integrated(prior) && !integrated(planned)
}

/// A zone serves a private API server; without one it says nothing.
fn zone_changed(prior: &Value, planned: &Value) -> bool {
    let is_private =
        |cluster: &Value| cluster.get("private_cluster_enabled").as_bool() != Some(false);
    if !is_private(prior) || !is_private(planned) {
        return false;
    }
    let zone = |cluster: &Value| cluster.get("private_dns_zone_id").clone();
    match (zone(prior).as_str(), zone(planned).as_str()) {
        (Some(prior), Some(planned)) => !prior.eq_ignore_ascii_case(planned),
        _ => changed(&zone(prior), &zone(planned)),
    }
}

/// Kubenet and Azure CNI become overlay in place; nothing leads back.
fn plugin_changed(prior: &Value, planned: &Value) -> bool {
    prior != planned && (prior.as_str(), planned.as_str()) != (Some("kubenet"), Some("azure"))
}

fn mode_changed(prior: &Value, planned: &Value) -> bool {
    prior != planned && planned.as_str() != Some("overlay")
}

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "An AKS cluster, private by default, with its node pools, the identity that it acts with, and the role \
     assignments that this one needs before the cluster is made.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name.")
            .checked(&[Check::Text(names::CLUSTER, names::cluster)])
            .same_when(same_id)
            .replaces(),
        Attribute::required("resource_group_id", Kind::String)
            .describe("The resource group.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("location", Kind::String)
            .describe("The region, such as `westeurope`: that of its network.")
            .same_when(same_region)
            .replaces(),
        Attribute::optional_computed("dns_prefix", Kind::String, Computed::Fixed)
            .describe(
                "How the host of the API server begins; the name unless set. With a zone of the user's own it \
                 is the whole first label.",
            )
            .checked(&[Check::Text(
                "1 to 54 letters, digits and hyphens; the first and the last are no hyphen",
                text_rules::dns_prefix,
            )])
            .replaces(),
        Attribute::optional_computed("node_resource_group", Kind::String, Computed::Fixed)
            .describe("The name of the group that AKS makes for the nodes; `MC_<group>_<name>_<region>` unless set.")
            .checked(&[Check::Length(1, 80)])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("kubernetes_version", Kind::String)
            .describe(
                "The version of Kubernetes, such as `1.33` (its newest patch) or `1.33.2`, of the control plane \
                 and of every pool that names none. While `automatic_upgrade_channel` moves it, it is the least \
                 version. Unless set, Azure decides, and it is left alone.",
            )
            .checked(&[Check::Text(version::RULE, version::check)]),
        Attribute::optional("sku_tier", Kind::String)
            .describe("`Free`, `Standard` (with an uptime SLA) or `Premium` (with long-term support).")
            .checked(&[Check::OneOf(&["Free", "Standard", "Premium"])])
            .default_to(Literal::String("Free")),
        Attribute::optional("automatic_upgrade_channel", Kind::String)
            .describe("Which upgrades of Kubernetes come by themselves: `none`, `patch`, `stable`, `rapid` or `node-image`.")
            .checked(&[Check::OneOf(&["node-image", "none", "patch", "rapid", "stable"])])
            .default_to(Literal::String("none")),
        Attribute::optional("node_os_upgrade_channel", Kind::String)
            .describe("Which upgrades of the nodes' images come by themselves: `NodeImage`, `SecurityPatch`, `Unmanaged` or `None`.")
            .checked(&[Check::OneOf(&["NodeImage", "None", "SecurityPatch", "Unmanaged"])])
            .default_to(Literal::String("NodeImage")),
        Attribute::optional("maintenance_window_auto_upgrade", Kind::Nested(Nesting::Single, WINDOW))
            .describe("When Kubernetes may be upgraded."),
        Attribute::optional("maintenance_window_node_os", Kind::Nested(Nesting::Single, WINDOW))
            .describe("When the nodes' images may be upgraded."),
        Attribute::optional("private_cluster_enabled", Kind::Bool)
            .describe("Whether the API server is reached only from the cluster's network, and from those that its zone is linked with.")
            .default_to(Literal::Bool(true))
            .replaces_beside("the API server is not in the network (`virtual_network_integration_enabled`)", privacy_is_fixed),
        Attribute::optional("private_dns_zone_id", Kind::String)
            .describe(
                "Where the private name of the API server stands: `system` (a zone that AKS makes beside the \
                 nodes), `none` (nowhere; needs `private_cluster_public_fqdn_enabled`), or the id of a zone such \
                 as `privatelink.westeurope.azmk8s.io`.",
            )
            .checked(&[Check::Text("`system`, `none`, or the id of a private DNS zone", text_rules::zone)])
            .same_when(same_id)
            .default_to(Literal::String("system"))
            .replaces_beside("the zone is another one, and the API server is and stays private", zone_changed),
        Attribute::optional("private_cluster_public_fqdn_enabled", Kind::Bool)
            .describe("Whether a public name leads to the API server's private address, too.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("run_command_enabled", Kind::Bool)
            .describe("Whether commands can be run in the cluster through Azure (`az aks command invoke`), without a way to its API server.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("api_server_access_profile", Kind::Nested(Nesting::Single, API_SERVER))
            .describe("Who reaches the API server, and where it is."),
        Attribute::optional("network_plugin", Kind::String)
            .describe("`azure`, `kubenet`, or `none` (a plugin of the user's own).")
            .checked(&[Check::OneOf(&["azure", "kubenet", "none"])])
            .default_to(Literal::String("azure"))
            .replaces_when("unless from `kubenet` to `azure`", plugin_changed),
        Attribute::optional("network_plugin_mode", Kind::String)
            .describe(
                "Where pods get their addresses with `azure`: `overlay` (of `pod_cidr`), `node_subnet` (of the \
                 nodes' subnet) or `pod_subnet` (of `pod_subnet_id` of their pool).",
            )
            .checked(&[Check::OneOf(&["node_subnet", "overlay", "pod_subnet"])])
            .default_to(Literal::String("overlay"))
            .replaces_when("unless to `overlay`", mode_changed),
        Attribute::optional("network_policy", Kind::String)
            .describe("Who enforces network policies: `azure`, `calico`, `cilium`, or `none`.")
            .checked(&[Check::OneOf(&["azure", "calico", "cilium", "none"])])
            .default_to(Literal::String("none")),
        Attribute::optional("network_data_plane", Kind::String)
            .describe("`azure` or `cilium`, which `network_policy = \"cilium\"` needs.")
            .checked(&[Check::OneOf(&["azure", "cilium"])])
            .default_to(Literal::String("azure")),
        Attribute::optional("service_cidr", Kind::String)
            .describe("The addresses of services. No network that the cluster talks to may have any of them.")
            .checked(&[CIDR])
            .default_to(Literal::String("10.0.0.0/16"))
            .replaces(),
        Attribute::optional("dns_service_ip", Kind::String)
            .describe("The address of cluster DNS in `service_cidr`; its tenth unless set.")
            .replaces_when("from one address to another", |prior, planned| {
                !prior.is_null() && !planned.is_null() && prior != planned
            }),
        Attribute::optional("pod_cidr", Kind::String)
            .describe("The addresses of pods with `overlay` and `kubenet`; a /24 of it for each node. Otherwise it says nothing.")
            .checked(&[CIDR])
            .default_to(Literal::String("10.244.0.0/16"))
            .replaces(),
        Attribute::optional("outbound_type", Kind::String)
            .describe(
                "How the cluster reaches the world: `load_balancer`, `nat_gateway` (the user's own, of the nodes' \
                 subnets: AKS makes a gateway of its own only in networks of its own, and pools have \
                 `vnet_subnet_id` here), \
                 `user_defined_routing` (the route table of the nodes' subnets) or `none` (not at all: system \
                 images come from a registry's cache).",
            )
            .checked(&[Check::OneOf(&[
                "load_balancer",
                "nat_gateway",
                "none",
                "user_defined_routing",
            ])])
            .default_to(Literal::String("load_balancer")),
        Attribute::optional("load_balancer_profile", Kind::Nested(Nesting::Single, LOAD_BALANCER))
            .describe("The addresses of the load balancer. Without it, AKS makes one."),
        Attribute::optional("bootstrap_profile", Kind::Nested(Nesting::Single, BOOTSTRAP))
            .describe("Where system images come from."),
        Attribute::optional("identity_id", Kind::String)
            .describe("The user-assigned identity of the control plane. Unless set, `<name>-identity` is made beside the cluster.")
            .checked(&[ARM_ID])
            .same_when(same_id),
        Attribute::optional("kubelet_identity_id", Kind::String)
            .describe("The user-assigned identity with which nodes pull images. Unless set, AKS makes one beside the nodes.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("manage_role_assignments", Kind::Bool)
            .describe(
                "Whether the roles that the control plane needs are assigned here. With `false` the plan only \
                 looks whether `identity_id` has them.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("local_account_disabled", Kind::Bool)
            .describe("Whether only Entra ID opens the cluster, and no certificate.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("azure_rbac_enabled", Kind::Bool)
            .describe("Whether Azure's role assignments say who may do what in the cluster.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("admin_group_object_ids", Kind::Set(&Kind::String))
            .describe("The object ids of the Entra groups that may do everything in the cluster.")
            .checked(&[Check::Each(&Check::Text("an object id", text_rules::object_id))]),
        Attribute::optional("oidc_issuer_enabled", Kind::Bool)
            .describe("Whether the cluster is an OIDC issuer. Azure never turns it off again.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("workload_identity_enabled", Kind::Bool)
            .describe("Whether pods log in to Azure with service accounts; needs `oidc_issuer_enabled`.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("azure_policy_enabled", Kind::Bool)
            .describe("Whether Azure Policy looks into the cluster. Unset: left alone, as a policy may have set it."),
        Attribute::optional("image_cleaner_enabled", Kind::Bool)
            .describe("Whether unused images with known weaknesses are removed from nodes. Unset: left alone."),
        Attribute::optional("image_cleaner_interval_hours", Kind::Integer)
            .describe("How often.")
            .checked(&[Check::Range(24, 2160)]),
        Attribute::optional("microsoft_defender", Kind::Nested(Nesting::Single, DEFENDER))
            .describe("The sensor of Defender for Containers. Unset: left alone."),
        Attribute::optional("oms_agent", Kind::Nested(Nesting::Single, OMS_AGENT))
            .describe("Container insights. Unset: left alone."),
        Attribute::optional("key_vault_secrets_provider", Kind::Nested(Nesting::Single, SECRETS))
            .describe("Secrets of a key vault as volumes of pods. Unset: left alone."),
        Attribute::required("node_pools", Kind::Nested(Nesting::Map, POOL))
            .describe(
                "The node pools by name. Pools of others are left alone and reported; one that is removed here is \
                 drained and deleted.",
            )
            .checked(&[Check::Keys(&Check::Text(names::NODE_POOL, names::node_pool))]),
        Attribute::optional("deletion_protection", Kind::Bool)
            .describe(
                "Refuses to delete or replace the cluster and all that runs in it. To delete it, apply `false` \
                 first.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("tags", Kind::Map(&Kind::String))
            .describe("The tags of the cluster, and of the identity that is made for it."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed(
            "identity",
            Kind::Nested(Nesting::Single, CONTROL_PLANE),
            Computed::Follows(&["identity_id"]),
        )
        .describe("The identity of the control plane."),
        Attribute::computed(
            "kubelet_identity",
            Kind::Nested(Nesting::Single, KUBELET),
            Computed::Fixed,
        )
        .describe("The identity with which nodes pull images."),
        Attribute::computed(
            "fqdn",
            Kind::String,
            Computed::Follows(&["private_cluster_public_fqdn_enabled", "private_cluster_enabled"]),
        )
        .describe("The public name of the API server, where it has one."),
        Attribute::computed("private_fqdn", Kind::String, PRIVATE_NAME)
            .describe("Its private name."),
        Attribute::computed("portal_fqdn", Kind::String, PRIVATE_NAME)
            .describe("The name that the portal uses."),
        Attribute::computed(
            "current_kubernetes_version",
            Kind::String,
            Computed::Follows(&["kubernetes_version", "automatic_upgrade_channel"]),
        )
        .describe("The version that runs."),
        Attribute::computed("node_resource_group_id", Kind::String, Computed::Fixed)
            .describe("The group of the nodes."),
        Attribute::computed(
            "oidc_issuer_url",
            Kind::String,
            Computed::Follows(&["oidc_issuer_enabled"]),
        )
        .describe("The OIDC issuer, for federated credentials."),
        Attribute::computed("private_zone_id", Kind::String, PRIVATE_NAME)
            .describe("The zone of the API server's private name: the given one, or that which AKS made."),
        Attribute::computed(
            "egress_ips",
            Kind::Set(&Kind::String),
            Computed::Follows(&["outbound_type", "load_balancer_profile", "node_pools", "drift"]),
        )
        .describe(
            "The public addresses from which the cluster reaches the world. Null where Azure does not know \
             them (`user_defined_routing`, `none`), or the caller may not read all of them.",
        ),
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
