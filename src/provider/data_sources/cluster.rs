//! An AKS cluster that exists, in the terms of the resource `fkaks_cluster`.

use std::collections::BTreeSet;

use serde_json::json;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Kind, Nesting, Schema};
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Answer, Attributes, BY_GROUP, BY_ID, BY_NAME, BY_SUBSCRIPTION, Composite, Inquiry, Named, Page,
    Seen, Unanswered, answer, of_kind,
};
use crate::provider::resources;

const CLUSTER: &str = resources::Cluster::ANCHOR;

/// `fkaks_cluster`
pub struct Cluster;

impl Inquiry for Cluster {
    type Input = Named;
    type Output = Attributes;

    const NAME: &'static str = "fkaks_cluster";
    const SCHEMA: Schema = SCHEMA;
    const PAGE: Page = PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        of_kind(CLUSTER, config, diagnostics);
    }

    fn answer(input: &Named, seen: &Seen) -> Result<Answer<Attributes>, Unanswered> {
        let (id, found) = input.find(CLUSTER, seen)?;
        let properties = &found["properties"];
        let mut output = resources::cluster::shown(&id, found, seen);
        let subnets = subnets(found);
        let networks: BTreeSet<ArmId> = subnets.iter().filter_map(ArmId::parent).collect();
        let tags = match &found["tags"] {
            Json::Null => json!({}),
            tags => tags.clone(),
        };
        for (name, value) in [
            ("id", json!(id)),
            ("identity", identity(found)),
            (
                "provisioning_state",
                properties["provisioningState"].clone(),
            ),
            ("power_state", properties["powerState"]["code"].clone()),
            ("node_pools", pools(output.get("node_pools"), properties)),
            ("subnet_ids", json!(subnets)),
            ("virtual_network_ids", json!(networks)),
            ("tags", tags),
        ] {
            output.insert(name.to_owned(), value);
        }
        Ok(Answer::of(output))
    }
}

/// The subnets of nodes, pods and the API server.
fn subnets(cluster: &Json) -> BTreeSet<ArmId> {
    let properties = &cluster["properties"];
    let pools = properties["agentPoolProfiles"].as_array();
    let of_pools = pools
        .into_iter()
        .flatten()
        .flat_map(|pool| [&pool["vnetSubnetID"], &pool["podSubnetID"]]);
    of_pools
        .chain([&properties["apiServerAccessProfile"]["subnetId"]])
        .filter_map(|id| ArmId::parse(id.as_str()?).ok())
        .collect()
}

/// The identity that the cluster manages its network with, of whichever kind.
fn identity(cluster: &Json) -> Json {
    let identity = &cluster["identity"];
    let users = identity["userAssignedIdentities"].as_object();
    match users.and_then(|users| users.iter().next()) {
        Some((id, user)) => json!({
            "type": identity["type"], "id": id, "tenant_id": identity["tenantId"],
            "principal_id": user["principalId"], "client_id": user["clientId"],
        }),
        None if identity["principalId"].is_string() => json!({
            "type": identity["type"], "tenant_id": identity["tenantId"],
            "principal_id": identity["principalId"],
        }),
        None => Json::Null,
    }
}

/// The pools with what no argument shows: what runs, and a subnet only where one is named.
fn pools(shown: Option<&Json>, properties: &Json) -> Json {
    let mut pools = shown.cloned().unwrap_or_default();
    let profiles = properties["agentPoolProfiles"].as_array();
    for profile in profiles.into_iter().flatten() {
        let name = profile["name"].as_str().unwrap_or_default();
        if let Some(pool) = pools.get_mut(name).and_then(Json::as_object_mut) {
            for (name, property) in [
                ("vnet_subnet_id", "vnetSubnetID"),
                ("current_orchestrator_version", "currentOrchestratorVersion"),
                ("node_image_version", "nodeImageVersion"),
                ("os_type", "osType"),
            ] {
                pool.insert(name.to_owned(), profile[property].clone());
            }
        }
    }
    pools
}

const IDENTITY: &[Attribute] = &[
    answer("type", Kind::String).describe("`SystemAssigned` or `UserAssigned`."),
    answer("id", Kind::String)
        .describe("The user-assigned identity; null for a system-assigned one."),
    answer("principal_id", Kind::String).describe("Its object id, which roles are assigned to."),
    answer("client_id", Kind::String)
        .describe("Its client id, which it logs in with; null for a system-assigned one."),
    answer("tenant_id", Kind::String).describe("The tenant of a system-assigned identity."),
];

const KUBELET: &[Attribute] = &[
    answer("id", Kind::String).describe("The user-assigned identity."),
    answer("object_id", Kind::String)
        .describe("Its object id. Roles such as AcrPull go to this one."),
    answer("client_id", Kind::String).describe("Its client id, which it logs in with."),
];

const API_SERVER: &[Attribute] = &[
    answer("authorized_ip_ranges", Kind::Set(&Kind::String))
        .describe("Who may reach a public API server; null for everyone."),
    answer("virtual_network_integration_enabled", Kind::Bool)
        .describe("Whether the API server stands in a subnet of the network."),
    answer("subnet_id", Kind::String).describe("That subnet."),
];

const POOL: &[Attribute] = &[
    answer("mode", Kind::String).describe("`System` or `User`."),
    answer("vm_size", Kind::String).describe("The size of the virtual machines."),
    answer("node_count", Kind::Integer).describe("How many nodes there are."),
    answer("auto_scaling_enabled", Kind::Bool).describe("Whether the autoscaler decides that."),
    answer("min_count", Kind::Integer).describe("The fewest nodes under the autoscaler."),
    answer("max_count", Kind::Integer).describe("The most nodes under the autoscaler."),
    answer("vnet_subnet_id", Kind::String)
        .describe("The subnet of the nodes; null in a network that AKS made."),
    answer("pod_subnet_id", Kind::String).describe("The subnet of the pods, where they have one."),
    answer("max_pods", Kind::Integer).describe("The most pods of a node."),
    answer("zones", Kind::Set(&Kind::String)).describe("The availability zones."),
    answer("node_labels", Kind::Map(&Kind::String)).describe("The labels of the nodes."),
    answer("node_taints", Kind::Set(&Kind::String)).describe("The taints of the nodes."),
    answer("os_type", Kind::String).describe("`Linux` or `Windows`."),
    answer("os_sku", Kind::String).describe("The distribution."),
    answer("priority", Kind::String).describe("`Regular` or `Spot`."),
    answer("orchestrator_version", Kind::String).describe("The version that was asked for."),
    answer("current_orchestrator_version", Kind::String).describe("The version that runs."),
    answer("node_image_version", Kind::String).describe("The image of the nodes."),
];

const SCHEMA: Schema = Schema::new(
    "An AKS cluster that exists, by its id or its name, in the terms of the resource `fkaks_cluster`: who it \
     is, where its nodes are, how it is reached and how it reaches the world. No credentials.",
    &[
        BY_ID,
        BY_NAME,
        BY_GROUP,
        BY_SUBSCRIPTION,
        answer("location", Kind::String).describe("The region."),
        answer("sku_tier", Kind::String).describe("`Free`, `Standard` or `Premium`."),
        answer("provisioning_state", Kind::String).describe("How its last operation ended."),
        answer("power_state", Kind::String).describe("`Running` or `Stopped`."),
        answer("kubernetes_version", Kind::String)
            .describe("The version that was asked for, such as `1.34`."),
        answer("current_kubernetes_version", Kind::String)
            .describe("The version that runs, such as `1.34.2`."),
        answer("automatic_upgrade_channel", Kind::String)
            .describe("How Kubernetes is upgraded by itself; `none` where it is not."),
        answer("node_os_upgrade_channel", Kind::String)
            .describe("How the nodes' images are upgraded by themselves."),
        answer("dns_prefix", Kind::String).describe("The first label of the API server's host."),
        answer("fqdn", Kind::String).describe("The API server's public host, where it has one."),
        answer("private_fqdn", Kind::String)
            .describe("The API server's private host, where it has one."),
        answer("portal_fqdn", Kind::String).describe("The host that the portal uses."),
        answer("private_cluster_enabled", Kind::Bool)
            .describe("Whether the API server has a private address alone."),
        answer("private_cluster_public_fqdn_enabled", Kind::Bool)
            .describe("Whether that address has a public name too."),
        answer("private_dns_zone_id", Kind::String)
            .describe("`system`, `none`, or the id of the zone that was given."),
        answer("private_zone_id", Kind::String)
            .describe("The zone of the API server's private name, given or made by AKS."),
        answer("api_server_access_profile", Kind::Nested(Nesting::Single, API_SERVER))
            .describe("Who reaches the API server, beyond that; null where nothing is set."),
        answer("run_command_enabled", Kind::Bool)
            .describe("Whether commands may be run in the cluster through Azure."),
        answer("node_resource_group", Kind::String)
            .describe("The name of the group of nodes, load balancer and addresses."),
        answer("node_resource_group_id", Kind::String).describe("Its id."),
        answer("network_plugin", Kind::String).describe("`azure`, `kubenet` or `none`."),
        answer("network_plugin_mode", Kind::String)
            .describe("Where pods have their addresses: `overlay`, `node_subnet` or `pod_subnet`."),
        answer("network_policy", Kind::String).describe("Who enforces network policies."),
        answer("network_data_plane", Kind::String).describe("`azure` or `cilium`."),
        answer("service_cidr", Kind::String).describe("The range of services."),
        answer("dns_service_ip", Kind::String)
            .describe("The address of the cluster's DNS, where it is not the tenth of the range."),
        answer("pod_cidr", Kind::String).describe("The range of pods, where they have one."),
        answer("outbound_type", Kind::String).describe(
            "How it reaches the world: `load_balancer`, `nat_gateway`, `user_defined_routing` or `none`. The \
             addresses are those of the data source `fkaks_cluster_egress`.",
        ),
        answer("identity", Kind::Nested(Nesting::Single, IDENTITY))
            .describe("The identity that the cluster manages its network with."),
        answer("kubelet_identity", Kind::Nested(Nesting::Single, KUBELET))
            .describe("The identity that its nodes pull images with, which is another one."),
        answer("local_account_disabled", Kind::Bool)
            .describe("Whether everyone logs in through Entra ID."),
        answer("azure_rbac_enabled", Kind::Bool)
            .describe("Whether Azure roles decide what one may do in the cluster."),
        answer("admin_group_object_ids", Kind::Set(&Kind::String))
            .describe("The Entra ID groups of administrators."),
        answer("oidc_issuer_enabled", Kind::Bool).describe("Whether it issues OIDC tokens."),
        answer("oidc_issuer_url", Kind::String)
            .describe("The issuer, for federated credentials of workload identities."),
        answer("workload_identity_enabled", Kind::Bool)
            .describe("Whether pods get tokens of workload identities."),
        answer("node_pools", Kind::Nested(Nesting::Map, POOL)).describe("The pools, by name."),
        answer("subnet_ids", Kind::Set(&Kind::String))
            .describe("The subnets of its nodes, its pods and its API server."),
        answer("virtual_network_ids", Kind::Set(&Kind::String))
            .describe("The networks of those subnets."),
        answer("tags", Kind::Map(&Kind::String)).describe("The tags."),
    ],
);

const PAGE: Page = Page {
    subcategory: "Cluster",
    permissions: &[(
        "Microsoft.ContainerService/managedClusters/read",
        "to read it, and to find it by its name",
    )],
    failures: &[
        (
            "there are several of that name",
            "Clusters of different groups may share a name. The message lists them: give `id`, or \
             `resource_group_id` beside the name.",
        ),
        (
            "pulls fail with a role that was assigned to `identity.principal_id`",
            "Nodes pull with another identity: roles go to `kubelet_identity.object_id`. \
             `fkaks_registry_access` finds it by `cluster_id`.",
        ),
    ],
    notes: "## What is not here\n\nNo credentials: `az aks get-credentials` fetches them for whoever may have \
            them, and no state file needs them.",
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn id() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg").resource(CLUSTER, "aks")
    }

    fn subnet(name: &str) -> ArmId {
        let group = ArmId::group("00000000-0000-0000-0000-000000000001", "net");
        let network = group.resource("Microsoft.Network/virtualNetworks", "vnet");
        network.child("subnets", name)
    }

    fn answer_of(cluster: Json) -> Attributes {
        let seen = Seen::of([(id(), Some(cluster))]);
        let named = serde_json::from_value(json!({"id": id()})).unwrap();
        Cluster::answer(&named, &seen).unwrap().output
    }

    fn cluster() -> Json {
        json!({
            "name": "aks", "location": "westeurope", "sku": {"tier": "Standard"},
            "identity": {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"},
            "properties": {
                "provisioningState": "Succeeded", "powerState": {"code": "Running"},
                "kubernetesVersion": "1.34", "currentKubernetesVersion": "1.34.2",
                "nodeResourceGroup": "MC_rg_aks_westeurope", "privateFQDN": "aks-1.abc.privatelink.westeurope.azmk8s.io",
                "apiServerAccessProfile": {"enablePrivateCluster": true, "privateDNSZone": "system"},
                "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "outboundType": "userAssignedNATGateway"},
                "identityProfile": {"kubeletidentity": {"objectId": "o", "clientId": "c", "resourceId": id()}},
                "oidcIssuerProfile": {"enabled": true, "issuerURL": "https://issuer/"},
                "agentPoolProfiles": [
                    {"name": "system", "mode": "System", "count": 2, "vnetSubnetID": subnet("a"), "osType": "Linux"},
                    {"name": "apps", "mode": "User", "count": 0, "vnetSubnetID": subnet("b"), "podSubnetID": subnet("p")},
                ],
            },
        })
    }

    #[test]
    fn it_answers_in_the_terms_of_the_resource_and_fills_every_attribute() {
        let output = answer_of(cluster());
        assert_eq!(output["outbound_type"], "nat_gateway");
        assert_eq!(output["kubelet_identity"]["object_id"], "o");
        assert_eq!(output["identity"]["principal_id"], "p");
        assert_eq!(output["node_pools"]["system"]["node_count"], 2);
        assert_eq!(output["node_pools"]["system"]["os_type"], "Linux");
        assert_eq!(
            output["subnet_ids"],
            json!([subnet("a"), subnet("b"), subnet("p")])
        );
        assert_eq!(output["virtual_network_ids"], json!([subnet("a").parent()]));
        let zone = output["private_zone_id"].as_str().unwrap();
        assert!(
            zone.ends_with("/privateDnsZones/abc.privatelink.westeurope.azmk8s.io"),
            "{zone}"
        );
        for attribute in SCHEMA.attributes {
            let known = output.contains_key(attribute.name) || attribute.name == "subscription_id";
            assert!(known, "nothing fills in {}", attribute.name);
        }
        for attribute in POOL {
            let pool = output["node_pools"]["system"].as_object().unwrap();
            assert!(
                pool.contains_key(attribute.name),
                "nothing fills in {}",
                attribute.name
            );
        }
    }

    #[test]
    fn a_user_assigned_identity_shows_with_all_its_ids_and_no_subnet_is_none() {
        let mut given = cluster();
        given["identity"] = json!({"type": "UserAssigned", "userAssignedIdentities": {
            "/subscriptions/s/x": {"principalId": "u", "clientId": "v"},
        }});
        given["properties"]["agentPoolProfiles"] = json!([{"name": "system", "mode": "System"}]);
        let output = answer_of(given);
        assert_eq!(output["identity"]["principal_id"], "u");
        assert_eq!(output["identity"]["client_id"], "v");
        assert_eq!(output["node_pools"]["system"]["vnet_subnet_id"], Json::Null);
        assert_eq!(output["subnet_ids"], json!([]));
    }
}
