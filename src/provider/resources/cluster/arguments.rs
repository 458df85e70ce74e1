//! The arguments that a cluster itself shows, in the user's spelling.

use std::collections::BTreeSet;

use super::body::dns_service_ip;
use super::{ApiServer, Bootstrap, Input, LoadBalancer, Outbound, default_dns_prefix, version};
use crate::arm::{ArmId, Json};
use crate::network::aks;
use crate::provider::parts::{Seen, spelled, spelled_id};

/// The arguments that the cluster itself shows.
pub fn arguments(id: &ArmId, found: &Json, prior: Option<&Input>, seen: &Seen) -> Input {
    let properties = &found["properties"];
    let network = &properties["networkProfile"];
    let api_server = &properties["apiServerAccessProfile"];
    let or = |json: &Json, default: &str| text(json).unwrap_or_else(|| default.to_owned());
    let group = prior
        .map(|prior| prior.resource_group_id.clone())
        .or_else(|| id.resource_group_id());
    let channel = or(&properties["autoUpgradeProfile"]["upgradeChannel"], "none");
    let moves = !matches!(channel.as_str(), "none" | "node-image");
    let private = api_server["enablePrivateCluster"] == true;
    let prefix = text(&properties["dnsPrefix"]).or_else(|| text(&properties["fqdnSubdomain"]));
    let location = spelled(
        prior.map(|prior| prior.location.as_str()),
        &found["location"],
    );
    let mut input = Input {
        name: prior.map_or_else(|| or(&found["name"], id.name()), |prior| prior.name.clone()),
        resource_group_id: group.unwrap_or_else(|| ArmId::subscription(id.subscription_id())),
        location,
        dns_prefix: prefix.or_else(|| Some(default_dns_prefix(id.name()))),
        node_resource_group: text(&properties["nodeResourceGroup"]).map(|found| {
            let own = prior.and_then(|prior| prior.node_resource_group.clone());
            own.filter(|own| own.eq_ignore_ascii_case(&found))
                .unwrap_or(found)
        }),
        kubernetes_version: match prior {
            None => text(&properties["kubernetesVersion"]),
            Some(prior) => version::to_show(
                prior.kubernetes_version.as_deref(),
                &properties["kubernetesVersion"],
                &properties["currentKubernetesVersion"],
                moves,
            ),
        },
        sku_tier: or(&found["sku"]["tier"], "Free"),
        automatic_upgrade_channel: channel,
        node_os_upgrade_channel: or(
            &properties["autoUpgradeProfile"]["nodeOSUpgradeChannel"],
            "NodeImage",
        ),
        maintenance_window_auto_upgrade: None,
        maintenance_window_node_os: None,
        private_cluster_enabled: private,
        private_dns_zone_id: zone_argument(api_server, prior),
        // Without a private API server there is nothing but the public name.
        private_cluster_public_fqdn_enabled: match prior {
            Some(prior) if !private => prior.private_cluster_public_fqdn_enabled,
            _ => api_server["enablePrivateClusterPublicFQDN"] == true,
        },
        run_command_enabled: api_server["disableRunCommand"] != true,
        api_server_access_profile: api_server_argument(
            api_server,
            prior.map(|prior| prior.api_server_access_profile.as_ref()),
        ),
        network_plugin: or(&network["networkPlugin"], "azure"),
        network_plugin_mode: mode(found, prior),
        network_policy: or(&network["networkPolicy"], "none"),
        network_data_plane: or(&network["networkDataplane"], "azure"),
        service_cidr: or(&network["serviceCidr"], "10.0.0.0/16"),
        dns_service_ip: None,
        pod_cidr: text(&network["podCidr"])
            .or_else(|| prior.map(|prior| prior.pod_cidr.clone()))
            .unwrap_or_else(|| "10.244.0.0/16".to_owned()),
        outbound_type: Outbound::of(network["outboundType"].as_str()),
        load_balancer_profile: load_balancer(
            &network["loadBalancerProfile"],
            prior.map(|prior| prior.load_balancer_profile.as_ref()),
        ),
        bootstrap_profile: bootstrap(&properties["bootstrapProfile"], prior),
        identity_id: identity_argument(id, found, prior),
        kubelet_identity_id: kubelet_argument(properties, prior),
        manage_role_assignments: prior.is_none_or(|prior| prior.manage_role_assignments),
        local_account_disabled: properties["disableLocalAccounts"] == true,
        azure_rbac_enabled: properties["aadProfile"]["enableAzureRBAC"] == true,
        admin_group_object_ids: set(
            &properties["aadProfile"]["adminGroupObjectIDs"],
            prior.is_some_and(|prior| prior.admin_group_object_ids.is_some()),
        ),
        oidc_issuer_enabled: properties["oidcIssuerProfile"]["enabled"] == true,
        workload_identity_enabled: properties["securityProfile"]["workloadIdentity"]["enabled"]
            == true,
        azure_policy_enabled: None,
        image_cleaner_enabled: None,
        image_cleaner_interval_hours: None,
        microsoft_defender: None,
        oms_agent: None,
        key_vault_secrets_provider: None,
        node_pools: prior
            .map(|prior| prior.node_pools.clone())
            .unwrap_or_default(),
        deletion_protection: prior.is_none_or(|prior| prior.deletion_protection),
        tags: seen
            .tag_policy()
            .observed(found, prior.and_then(|prior| prior.tags.as_ref())),
    };
    let written = prior.is_some_and(|prior| prior.dns_service_ip.is_some());
    let address = text(&network["dnsServiceIP"]);
    if written || address != dns_service_ip(&input) {
        input.dns_service_ip = address;
    }
    input
}

/// How pods get their addresses; a pool with a pod subnet shows it.
fn mode(found: &Json, prior: Option<&Input>) -> String {
    let network = &found["properties"]["networkProfile"];
    if network["networkPlugin"].as_str() != Some("azure") {
        return prior.map_or_else(
            || "overlay".to_owned(),
            |prior| prior.network_plugin_mode.clone(),
        );
    }
    let pools = found["properties"]["agentPoolProfiles"].as_array();
    let has_pod_subnet = pools
        .into_iter()
        .flatten()
        .any(|pool| pool["podSubnetID"].is_string());
    let name = match aks::Networking::of(
        "azure",
        network["networkPluginMode"].as_str(),
        has_pod_subnet,
    ) {
        aks::Networking::Overlay => "overlay",
        aks::Networking::PodSubnet => "pod_subnet",
        _ => "node_subnet",
    };
    name.to_owned()
}

fn zone_argument(api_server: &Json, prior: Option<&Input>) -> String {
    let found = text(&api_server["privateDNSZone"]);
    let written = prior.map(|prior| prior.private_dns_zone_id.clone());
    match (found, written) {
        (Some(found), Some(written)) if found.eq_ignore_ascii_case(&written) => written,
        (Some(found), _) => found,
        (None, Some(written)) => written,
        (None, None) => "system".to_owned(),
    }
}

fn api_server_argument(found: &Json, written: Option<Option<&ApiServer>>) -> Option<ApiServer> {
    let prior = written.flatten();
    let there = ApiServer {
        authorized_ip_ranges: ranges(
            &found["authorizedIPRanges"],
            prior.and_then(|prior| prior.authorized_ip_ranges.as_ref()),
        ),
        virtual_network_integration_enabled: found["enableVnetIntegration"] == true,
        subnet_id: spelled_id(
            prior.and_then(|prior| prior.subnet_id.as_ref()),
            &found["subnetId"],
        ),
    };
    let says = there.virtual_network_integration_enabled
        || there.subnet_id.is_some()
        || there
            .authorized_ip_ranges
            .as_ref()
            .is_some_and(|ranges| !ranges.is_empty());
    (says || prior.is_some()).then_some(there)
}

/// The ranges in the user's spelling: Azure writes the length of a single address.
fn ranges(found: &Json, written: Option<&BTreeSet<String>>) -> Option<BTreeSet<String>> {
    let same =
        |a: &str, b: &str| a.strip_suffix("/32").unwrap_or(a) == b.strip_suffix("/32").unwrap_or(b);
    let found: BTreeSet<String> = found
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(|range| {
            let own = written.into_iter().flatten().find(|own| same(own, range));
            own.cloned().unwrap_or_else(|| range.to_owned())
        })
        .collect();
    (!found.is_empty() || written.is_some()).then_some(found)
}

fn set(found: &Json, written: bool) -> Option<BTreeSet<String>> {
    let items = found.as_array().into_iter().flatten();
    let items: BTreeSet<String> = items.filter_map(text).collect();
    (!items.is_empty() || written).then_some(items)
}

fn load_balancer(found: &Json, written: Option<Option<&LoadBalancer>>) -> Option<LoadBalancer> {
    let prior = written.flatten();
    if !found.is_object() {
        return prior.cloned();
    }
    let ids = |list: &Json, prior: Option<&BTreeSet<ArmId>>| -> Option<BTreeSet<ArmId>> {
        let items = list.as_array().into_iter().flatten();
        let ids: BTreeSet<ArmId> = items
            .filter_map(|item| {
                let id = ArmId::parse(item["id"].as_str()?).ok()?;
                let own = prior.and_then(|prior| prior.get(&id)).cloned();
                Some(own.unwrap_or(id))
            })
            .collect();
        (!ids.is_empty() || prior.is_some()).then_some(ids)
    };
    let managed = found["managedOutboundIPs"]["count"].as_i64();
    let there = LoadBalancer {
        managed_outbound_ip_count: match prior {
            // One is Azure's own choice.
            Some(prior) if prior.managed_outbound_ip_count.is_none() => {
                managed.filter(|count| *count != 1)
            }
            _ => managed,
        },
        outbound_ip_address_ids: ids(
            &found["outboundIPs"]["publicIPs"],
            prior.and_then(|prior| prior.outbound_ip_address_ids.as_ref()),
        ),
        outbound_ip_prefix_ids: ids(
            &found["outboundIPPrefixes"]["publicIPPrefixes"],
            prior.and_then(|prior| prior.outbound_ip_prefix_ids.as_ref()),
        ),
        outbound_ports_allocated: found["allocatedOutboundPorts"].as_i64().unwrap_or(0),
        idle_timeout_in_minutes: found["idleTimeoutInMinutes"].as_i64().unwrap_or(30),
        backend_pool_type: if found["backendPoolType"]
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("NodeIP"))
        {
            "NodeIP".to_owned()
        } else {
            "NodeIPConfiguration".to_owned()
        },
    };
    let default = LoadBalancer {
        managed_outbound_ip_count: there.managed_outbound_ip_count.filter(|count| *count == 1),
        outbound_ip_address_ids: None,
        outbound_ip_prefix_ids: None,
        outbound_ports_allocated: 0,
        idle_timeout_in_minutes: 30,
        backend_pool_type: "NodeIPConfiguration".to_owned(),
    };
    (prior.is_some() || there != default).then_some(there)
}

fn bootstrap(found: &Json, prior: Option<&Input>) -> Option<Bootstrap> {
    let written = prior.and_then(|prior| prior.bootstrap_profile.as_ref());
    let source = text(&found["artifactSource"]).unwrap_or_else(|| "Direct".to_owned());
    let registry = spelled_id(
        written.and_then(|written| written.container_registry_id.as_ref()),
        &found["containerRegistryId"],
    );
    // A registry that AKS made is not the user's to write.
    let registry = match written {
        Some(written) if written.container_registry_id.is_none() => None,
        _ => registry,
    };
    let isolated = prior.is_some_and(|prior| prior.outbound_type == Outbound::None);
    match written {
        Some(_) => {}
        None if source == "Direct" || isolated => return None,
        None => {}
    }
    Some(Bootstrap {
        artifact_source: source,
        container_registry_id: registry,
    })
}

/// The identity of the nodes, where it is not the one that AKS makes beside them.
fn kubelet_argument(properties: &Json, prior: Option<&Input>) -> Option<ArmId> {
    if let Some(prior) = prior {
        return prior.kubelet_identity_id.clone();
    }
    let found = &properties["identityProfile"]["kubeletidentity"]["resourceId"];
    let id = ArmId::parse(found.as_str()?).ok()?;
    let nodes = properties["nodeResourceGroup"].as_str()?;
    (!id.resource_group()?.eq_ignore_ascii_case(nodes)).then_some(id)
}

/// The identity of the control plane, where it is not the one that we make.
fn identity_argument(id: &ArmId, found: &Json, prior: Option<&Input>) -> Option<ArmId> {
    let own = format!("{}-identity", id.name());
    let group = id.resource_group_id();
    let assigned = found["identity"]["userAssignedIdentities"].as_object();
    let assigned: Vec<ArmId> = assigned
        .into_iter()
        .flatten()
        .filter_map(|(id, _)| ArmId::parse(id).ok())
        .collect();
    match prior {
        Some(prior) => {
            let wanted = prior.control_plane_id();
            // Another identity shows as drift of its own.
            if assigned.contains(&wanted) || assigned.is_empty() {
                return prior.identity_id.clone();
            }
            assigned.into_iter().next()
        }
        None => assigned.into_iter().find(|assigned| {
            !(assigned.name().eq_ignore_ascii_case(&own) && assigned.resource_group_id() == group)
        }),
    }
}

/// A text that says something.
pub fn text(json: &Json) -> Option<String> {
    json.as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
