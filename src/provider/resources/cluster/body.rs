//! The body of the managed cluster: every property that an argument has, without the pools, which
//! are merged back as they stand.

use serde_json::{Map, json};

use super::{Input, LoadBalancer, Outbound, addons, version};
use crate::arm::{ArmId, Json, normalize};
use crate::network::{aks, cidr};
use crate::provider::resources::registry::body::leave_out;

/// The body. `kubelet` is the identity of the nodes, where one is given and the cluster is new.
pub fn of(
    input: &Input,
    found: Option<&Json>,
    before: Option<&Json>,
    kubelet: Option<&Json>,
) -> Json {
    let none = Json::Null;
    let there = found.map_or(&none, |found| &found["properties"]);
    let mut properties = json!({
        "disableLocalAccounts": input.local_account_disabled,
        "aadProfile": {
            "managed": true,
            "enableAzureRBAC": input.azure_rbac_enabled,
            "adminGroupObjectIDs": input.admin_group_object_ids.clone().unwrap_or_default(),
        },
        "oidcIssuerProfile": {"enabled": input.oidc_issuer_enabled},
        "autoUpgradeProfile": {
            "upgradeChannel": input.automatic_upgrade_channel,
            "nodeOSUpgradeChannel": input.node_os_upgrade_channel,
        },
        "apiServerAccessProfile": api_server(input, there),
        "networkProfile": network(input, there),
        "securityProfile": addons::security(input, before),
        "addonProfiles": addons::addons(input, before),
    });
    let version = version::to_write(
        input.kubernetes_version.as_deref(),
        &there["kubernetesVersion"],
        &there["currentKubernetesVersion"],
        input.upgrades_itself(),
    );
    if let Some(version) = version {
        properties["kubernetesVersion"] = version.into();
    }
    if let Some(bootstrap) = bootstrap(input, there, before) {
        properties["bootstrapProfile"] = bootstrap;
    }
    if found.is_none() {
        // A given zone takes the name as it is; otherwise AKS adds letters of its own to it.
        let prefix = if input.zone_id().is_some() {
            "fqdnSubdomain"
        } else {
            "dnsPrefix"
        };
        properties[prefix] = json!(input.dns_prefix);
        properties["nodeResourceGroup"] = json!(input.node_group());
        properties["enableRBAC"] = true.into();
        if let Some(id) = &input.kubelet_identity_id {
            let facts = kubelet.map_or(&none, |kubelet| &kubelet["properties"]);
            properties["identityProfile"] = json!({"kubeletidentity": {
                "resourceId": id,
                "clientId": facts["clientId"],
                "objectId": facts["principalId"],
            }});
        }
    }
    let mut body = json!({
        "location": normalize(&input.location),
        "sku": {"name": "Base", "tier": input.sku_tier},
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": identities(&input.control_plane_id(), found),
        },
        "properties": properties,
    });
    if let Some(found) = found {
        leave_out(&defaults(), &mut body, found);
    }
    body
}

/// What Azure has where it says nothing.
fn defaults() -> Json {
    json!({
        "sku": {"tier": "Free"},
        "properties": {
            "disableLocalAccounts": false,
            "aadProfile": {"enableAzureRBAC": false},
            "oidcIssuerProfile": {"enabled": false},
            "autoUpgradeProfile": {
                "upgradeChannel": "none",
                "nodeOSUpgradeChannel": "NodeImage",
            },
            "apiServerAccessProfile": {
                "enablePrivateCluster": false,
                "disableRunCommand": false,
                "enableVnetIntegration": false,
            },
            "networkProfile": {
                "networkPolicy": "none",
                "networkDataplane": "azure",
                "loadBalancerProfile": {
                    "allocatedOutboundPorts": 0,
                    "idleTimeoutInMinutes": 30,
                    "backendPoolType": "NodeIPConfiguration",
                },
            },
            "securityProfile": {
                "workloadIdentity": {"enabled": false},
                "imageCleaner": {"enabled": false},
            },
            "addonProfiles": {
                "azurepolicy": {"enabled": false},
                "omsagent": {"enabled": false},
                "azureKeyvaultSecretsProvider": {"enabled": false},
            },
            "bootstrapProfile": {"artifactSource": "Direct"},
        },
    })
}

fn api_server(input: &Input, there: &Json) -> Json {
    let there = &there["apiServerAccessProfile"];
    let profile = input.api_server_access_profile.as_ref();
    let private = input.private_cluster_enabled;
    let ranges = profile.and_then(|profile| profile.authorized_ip_ranges.clone());
    let mut body = json!({
        "enablePrivateCluster": private,
        "disableRunCommand": !input.run_command_enabled,
        "authorizedIPRanges": ranges.unwrap_or_default(),
    });
    if private {
        let zone = &input.private_dns_zone_id;
        // `System` and `None`, as other tools write them, are the same.
        let zone = match input.zone_id() {
            Some(zone) => zone.to_string(),
            None => zone.to_lowercase(),
        };
        body["privateDNSZone"] = zone.into();
        body["enablePrivateClusterPublicFQDN"] = input.private_cluster_public_fqdn_enabled.into();
    }
    if input.has_vnet_integration() || there["enableVnetIntegration"] == true {
        body["enableVnetIntegration"] = input.has_vnet_integration().into();
        if let Some(subnet) = profile.and_then(|profile| profile.subnet_id.as_ref()) {
            body["subnetId"] = json!(subnet);
        }
    }
    body
}

fn network(input: &Input, there: &Json) -> Json {
    let there = &there["networkProfile"];
    let networking = input.networking();
    let mut body = json!({
        "networkPlugin": input.network_plugin,
        "networkPolicy": input.network_policy,
        "networkDataplane": input.network_data_plane,
        "serviceCidr": input.service_cidr,
        "dnsServiceIP": dns_service_ip(input),
        "outboundType": input.outbound_type.name(),
    });
    if there.is_null() {
        body["loadBalancerSku"] = "standard".into();
    }
    let overlay = networking == aks::Networking::Overlay;
    if overlay || !there["networkPluginMode"].is_null() {
        body["networkPluginMode"] = if overlay {
            "overlay".into()
        } else {
            Json::Null
        };
    }
    if networking.has_pod_range() {
        body["podCidr"] = input.pod_cidr.as_str().into();
    }
    if input.outbound_type == Outbound::LoadBalancer {
        body["loadBalancerProfile"] = load_balancer(
            input.load_balancer_profile.as_ref(),
            &there["loadBalancerProfile"],
        );
    } else if there["outboundType"].as_str() == Some(Outbound::LoadBalancer.name()) {
        body["loadBalancerProfile"] = Json::Null;
    }
    if input.outbound_type != Outbound::NatGateway && there["natGatewayProfile"].is_object() {
        body["natGatewayProfile"] = Json::Null;
    }
    body
}

/// The address of cluster DNS: as written, or the tenth of the service range.
pub fn dns_service_ip(input: &Input) -> Option<String> {
    let default = || {
        let services = cidr::parse(&input.service_cidr).ok()?;
        aks::default_dns_service_ip(&services).map(|address| address.to_string())
    };
    input.dns_service_ip.clone().or_else(default)
}

/// Azure takes exactly one kind of outbound addresses.
fn load_balancer(profile: Option<&LoadBalancer>, there: &Json) -> Json {
    let ids = |ids: Option<&std::collections::BTreeSet<ArmId>>| -> Vec<Json> {
        let ids = ids.into_iter().flatten();
        ids.map(|id| json!({ "id": id })).collect()
    };
    let addresses = ids(profile.and_then(|profile| profile.outbound_ip_address_ids.as_ref()));
    let prefixes = ids(profile.and_then(|profile| profile.outbound_ip_prefix_ids.as_ref()));
    let managed = addresses.is_empty() && prefixes.is_empty();
    let count = profile.and_then(|profile| profile.managed_outbound_ip_count);
    let some = |name: &str, list: Vec<Json>| match list.is_empty() {
        true => Json::Null,
        false => json!({ name: list }),
    };
    let backend = profile.map_or("NodeIPConfiguration", |profile| {
        profile.backend_pool_type.as_str()
    });
    // Azure answers in other letters.
    let spelled = there["backendPoolType"].as_str();
    let backend = spelled
        .filter(|spelled| spelled.eq_ignore_ascii_case(backend))
        .unwrap_or(backend);
    json!({
        "managedOutboundIPs": managed.then(|| json!({"count": count.unwrap_or(1)})),
        "outboundIPs": some("publicIPs", addresses),
        "outboundIPPrefixes": some("publicIPPrefixes", prefixes),
        "allocatedOutboundPorts": profile.map_or(0, |profile| profile.outbound_ports_allocated),
        "idleTimeoutInMinutes": profile.map_or(30, |profile| profile.idle_timeout_in_minutes),
        "backendPoolType": backend,
    })
}

/// A cluster without a way out takes its system images from a registry's cache.
fn bootstrap(input: &Input, there: &Json, before: Option<&Json>) -> Option<Json> {
    let profile = input.bootstrap_profile.as_ref();
    let source = match (profile, input.outbound_type) {
        (Some(profile), _) => profile.artifact_source.as_str(),
        (None, Outbound::None) => "Cache",
        (None, _) if there["bootstrapProfile"]["artifactSource"] == "Cache" => "Direct",
        (None, _) => return None,
    };
    let mut body = Map::new();
    body.insert("artifactSource".into(), source.into());
    if let Some(registry) = profile.and_then(|profile| profile.container_registry_id.as_ref()) {
        body.insert("containerRegistryId".into(), json!(registry));
    } else if there.is_object() && (source == "Direct" || gave_registry(before)) {
        body.insert("containerRegistryId".into(), Json::Null);
    }
    Some(Json::Object(body))
}

/// Whether the user gave the registry of the cache: one that AKS made stays.
fn gave_registry(before: Option<&Json>) -> bool {
    let before = before.map_or(&Json::Null, |before| &before["bootstrap_profile"]);
    before["container_registry_id"].is_string()
}

/// The identity of the control plane, in the spelling that it has there, and no other.
fn identities(own: &ArmId, found: Option<&Json>) -> Json {
    let assigned = || {
        let found = found.map(|found| &found["identity"]["userAssignedIdentities"]);
        let members = found.and_then(Json::as_object).into_iter().flatten();
        members.map(|(id, _)| id)
    };
    let spelled = assigned().find(|id| id.eq_ignore_ascii_case(own.as_str()));
    let mut members = Map::new();
    for other in assigned().filter(|id| !id.eq_ignore_ascii_case(own.as_str())) {
        members.insert(other.clone(), Json::Null);
    }
    let own = spelled.map_or_else(|| own.to_string(), Clone::clone);
    members.insert(own, json!({}));
    Json::Object(members)
}

/// Why the identity must be written, where it is missing. Its body is empty, so that comparing
/// bodies cannot tell.
pub fn unassigned_identity(input: &Input, found: &Json) -> Option<String> {
    let own = input.control_plane_id();
    let assigned = found["identity"]["userAssignedIdentities"].as_object();
    let mut assigned = assigned.into_iter().flatten();
    let is_there = assigned.any(|(id, _)| id.eq_ignore_ascii_case(own.as_str()));
    (!is_there).then(|| {
        format!(
            "cluster {}: its control plane does not act as {own}",
            input.name
        )
    })
}

impl Outbound {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoadBalancer => "loadBalancer",
            Self::NatGateway => "userAssignedNATGateway",
            Self::UserDefinedRouting => "userDefinedRouting",
            Self::None => "none",
        }
    }

    /// That of the API's name; a NAT gateway that AKS manages is one too.
    pub fn of(name: Option<&str>) -> Self {
        match name {
            Some("userAssignedNATGateway" | "managedNATGateway") => Self::NatGateway,
            Some("userDefinedRouting") => Self::UserDefinedRouting,
            Some("none" | "block") => Self::None,
            _ => Self::LoadBalancer,
        }
    }
}
