//! An AKS cluster, private by default: its control plane, its node pools by name, the identity
//! that it acts with and the grants which that one needs before the cluster is made. Four ARM
//! types (`managedClusters` with `agentPools`, `userAssignedIdentities`, `roleAssignments`), and
//! one resource, because a cluster without its grants fails half way, and because pools change
//! one at a time under the cluster's own operations.

mod addons;
mod api_server_check;
mod arguments;
mod body;
mod capacity;
mod check;
mod grants;
mod maintenance;
mod network_check;
mod observe;
mod page;
mod pool;
mod pool_observed;
mod pool_schema;
mod pools;
mod rights;
mod schema;
mod subnet_check;
mod text_rules;
mod validate;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::addons::{Defender, KeyVaultSecrets, OmsAgent};
use self::maintenance::Window;
pub use self::observe::shown;
use self::pool::Pool;
use crate::arm::{ArmId, Json, normalize};
use crate::network::aks::Networking;
use crate::provider::parts::{
    Check, Composite, Evidence, Lock, Look, Observed, Page, Part, Removal, Seen, Surroundings,
    Tags, Unread, Wanted,
};

/// `fkaks_cluster`
pub struct Cluster;

/// The ARM type of a user-assigned identity.
const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

/// What the user wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    name: String,
    resource_group_id: ArmId,
    location: String,
    dns_prefix: Option<String>,
    node_resource_group: Option<String>,
    kubernetes_version: Option<String>,
    sku_tier: String,
    automatic_upgrade_channel: String,
    node_os_upgrade_channel: String,
    maintenance_window_auto_upgrade: Option<Window>,
    maintenance_window_node_os: Option<Window>,
    private_cluster_enabled: bool,
    private_dns_zone_id: String,
    private_cluster_public_fqdn_enabled: bool,
    run_command_enabled: bool,
    api_server_access_profile: Option<ApiServer>,
    network_plugin: String,
    network_plugin_mode: String,
    network_policy: String,
    network_data_plane: String,
    service_cidr: String,
    dns_service_ip: Option<String>,
    pod_cidr: String,
    outbound_type: Outbound,
    load_balancer_profile: Option<LoadBalancer>,
    bootstrap_profile: Option<Bootstrap>,
    identity_id: Option<ArmId>,
    kubelet_identity_id: Option<ArmId>,
    manage_role_assignments: bool,
    local_account_disabled: bool,
    azure_rbac_enabled: bool,
    admin_group_object_ids: Option<BTreeSet<String>>,
    oidc_issuer_enabled: bool,
    workload_identity_enabled: bool,
    azure_policy_enabled: Option<bool>,
    image_cleaner_enabled: Option<bool>,
    image_cleaner_interval_hours: Option<i64>,
    microsoft_defender: Option<Defender>,
    oms_agent: Option<OmsAgent>,
    key_vault_secrets_provider: Option<KeyVaultSecrets>,
    node_pools: BTreeMap<String, Pool>,
    deletion_protection: bool,
    tags: Option<Tags>,
}

/// Who reaches the API server, beyond whether it is private.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ApiServer {
    authorized_ip_ranges: Option<BTreeSet<String>>,
    virtual_network_integration_enabled: bool,
    subnet_id: Option<ArmId>,
}

/// How the cluster reaches the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound {
    /// Through the public addresses of its load balancer.
    LoadBalancer,
    /// Through the NAT gateway of the node subnets.
    NatGateway,
    /// Wherever the route table of the node subnets leads.
    UserDefinedRouting,
    /// Not at all: system images come from a registry's cache.
    None,
}

/// The public addresses of the load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LoadBalancer {
    managed_outbound_ip_count: Option<i64>,
    outbound_ip_address_ids: Option<BTreeSet<ArmId>>,
    outbound_ip_prefix_ids: Option<BTreeSet<ArmId>>,
    outbound_ports_allocated: i64,
    idle_timeout_in_minutes: i64,
    backend_pool_type: String,
}

/// Where system images come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bootstrap {
    artifact_source: String,
    container_registry_id: Option<ArmId>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    identity: Option<ControlPlane>,
    kubelet_identity: Option<Kubelet>,
    fqdn: Option<String>,
    private_fqdn: Option<String>,
    portal_fqdn: Option<String>,
    current_kubernetes_version: Option<String>,
    node_resource_group_id: Option<ArmId>,
    oidc_issuer_url: Option<String>,
    private_zone_id: Option<ArmId>,
    egress_ips: Option<BTreeSet<String>>,
}

/// The identity that the cluster manages its network with.
#[derive(Debug, Serialize)]
struct ControlPlane {
    id: ArmId,
    principal_id: Option<String>,
    client_id: Option<String>,
}

/// The identity that its nodes pull images with.
#[derive(Debug, Serialize)]
struct Kubelet {
    id: Option<ArmId>,
    object_id: Option<String>,
    client_id: Option<String>,
}

impl Composite for Cluster {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_cluster";
    const ANCHOR: &'static str = "Microsoft.ContainerService/managedClusters";
    const TIMEOUTS: Timeouts = Timeouts::minutes(90, 5, 120, 90);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = page::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("identity", identity),
        // Azure checks what the identity may do while the cluster is made.
        Part::new("grants", grants::grants)
            .after(&["identity"])
            .existing(grants::left_over),
        Part::new("cluster", cluster)
            .after(&["grants"])
            .until(is_made)
            .keep(holds_others)
            .locks(one_at_a_time),
        // What a pool cannot change in place is done by a pool beside it, which stays until the
        // pool is back.
        Part::new(pools::STAND_INS, pools::temporary)
            .after(&["cluster"])
            .locks(one_at_a_time)
            .goes_with_parent(),
        Part::new("pools", pools::pools)
            .after(&["cluster", pools::STAND_INS])
            .existing(pools::someone_elses)
            .locks(one_at_a_time)
            .goes_with_parent(),
        Part::new("maintenance", maintenance::windows)
            .after(&["cluster"])
            .goes_with_parent(),
    ];

    const EMBEDDED: &'static [&'static str] = &[pools::POOL];

    fn embedded(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
        pools::within(id, body)
    }

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn known_by(state: &Value) -> Vec<ArmId> {
        let identity = state.get("identity").get("id").as_str();
        identity
            .and_then(|id| ArmId::parse(id).ok())
            .into_iter()
            .collect()
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        let Some(name) = plan.get("name").as_str() else {
            return known;
        };
        known.push(("dns_prefix", Value::from(default_dns_prefix(name))));
        let group = plan.get("resource_group_id").as_str();
        let Some(group) = group.and_then(|id| ArmId::parse(id).ok()) else {
            return known;
        };
        let id = group.resource(Self::ANCHOR, name);
        known.push(("id", Value::from(id.as_str())));
        let given = plan.get("node_resource_group");
        let nodes = match (given.as_str(), plan.get("location").as_str()) {
            (Some(given), _) => Some(given.to_owned()),
            (None, Some(location)) => Some(default_node_group(&group, name, location)),
            (None, None) => None,
        };
        if let Some(nodes) = nodes {
            let id = ArmId::group(group.subscription_id(), &nodes);
            known.push(("node_resource_group", Value::from(nodes)));
            known.push(("node_resource_group_id", Value::from(id.as_str())));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::before_writing(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.resource_group_id.resource(Cluster::ANCHOR, &self.name)
    }

    /// The identity of the control plane: the given one, or ours beside the cluster.
    fn control_plane_id(&self) -> ArmId {
        let own = || {
            let name = format!("{}-identity", self.name);
            self.resource_group_id.resource(IDENTITY, &name)
        };
        self.identity_id.clone().unwrap_or_else(own)
    }

    /// The zone of the API server, where one was given.
    fn zone_id(&self) -> Option<ArmId> {
        let zone = self
            .private_cluster_enabled
            .then_some(&self.private_dns_zone_id);
        zone.and_then(|zone| ArmId::parse(zone).ok())
    }

    fn networking(&self) -> Networking {
        Networking::of(
            &self.network_plugin,
            Some(self.network_plugin_mode.as_str()),
            self.network_plugin_mode == "pod_subnet",
        )
    }

    fn has_vnet_integration(&self) -> bool {
        let profile = self.api_server_access_profile.as_ref();
        profile.is_some_and(|profile| profile.virtual_network_integration_enabled)
    }

    /// The name of the group of the nodes.
    fn node_group(&self) -> String {
        let default = || default_node_group(&self.resource_group_id, &self.name, &self.location);
        self.node_resource_group.clone().unwrap_or_else(default)
    }

    /// Whether Azure itself upgrades Kubernetes, so that versions move without us.
    fn upgrades_itself(&self) -> bool {
        !matches!(
            self.automatic_upgrade_channel.as_str(),
            "none" | "node-image"
        )
    }

    /// The subnets of nodes, pods and the API server, each once.
    fn subnets(&self) -> BTreeSet<&ArmId> {
        let api_server = self.api_server_access_profile.as_ref();
        let pools = self.node_pools.values();
        pools
            .flat_map(|pool| [Some(&pool.vnet_subnet_id), pool.pod_subnet_id.as_ref()])
            .chain([api_server.and_then(|profile| profile.subnet_id.as_ref())])
            .flatten()
            .collect()
    }

    fn node_subnets(&self) -> BTreeSet<&ArmId> {
        self.node_pools
            .values()
            .map(|pool| &pool.vnet_subnet_id)
            .collect()
    }
}

/// The first label of the API server's host, where the user gives none.
fn default_dns_prefix(name: &str) -> String {
    let prefix: String = name.replace('_', "-").chars().take(54).collect();
    prefix.trim_end_matches('-').to_owned()
}

/// The group that AKS makes for the nodes, where the user names none (Microsoft Learn, "AKS
/// frequently asked questions"). A group's name has 80 characters at most there.
fn default_node_group(group: &ArmId, name: &str, location: &str) -> String {
    let whole = format!("MC_{}_{name}_{}", group.name(), normalize(location));
    whole.chars().take(80).collect()
}

fn identity(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    if input.identity_id.is_some() {
        return Ok(Vec::new());
    }
    let body = json!({"location": normalize(&input.location)});
    let wanted = Wanted::new(input.control_plane_id(), Ok(body)).immutable(&["/location"]);
    Ok(vec![
        wanted.tagged(input.tags.as_ref()).argument("identity_id"),
    ])
}

fn cluster(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let look = seen.look(&id).map(Look::found);
    let found = look.ok().flatten();
    let body = look.and_then(|found| {
        let kubelet = match (&input.kubelet_identity_id, found) {
            (Some(kubelet), None) => seen.look(kubelet)?.found(),
            _ => None,
        };
        Ok(body::of(input, found, seen.prior(), kubelet))
    });
    let rewrite = found.and_then(|found| body::unassigned_identity(input, found));
    let brings = input
        .node_pools
        .keys()
        .map(|name| ("pools", id.child("agentPools", name)));
    Ok(vec![
        Wanted::new(id.clone(), body)
            .tagged(input.tags.as_ref())
            .shared(&["/properties/agentPoolProfiles"])
            .rewrite(rewrite)
            .creating(pools::inline(input), brings.collect())
            .reconciled()
            .argument(""),
    ])
}

/// A creation that was interrupted may still be under way, and nobody hears of its end. An upgrade
/// that Azure has begun by itself is no business of ours.
fn is_made(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let Look::Found(cluster) = seen.look(&input.id())? else {
        return Ok(Evidence::Done);
    };
    Ok(match cluster["properties"]["provisioningState"].as_str() {
        Some("Creating") => {
            Evidence::Waiting(format!("cluster {} is still being created", input.name))
        }
        _ => Evidence::Done,
    })
}

/// A cluster goes with all of its pools, so it is kept while someone else has one in it.
fn holds_others(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    let Look::Found(cluster) = seen.look(removal.id)? else {
        return Ok(Vec::new());
    };
    let pools = pools::within(removal.id, cluster).into_iter();
    Ok(pools
        .filter(|(id, _)| !removal.ledger.contains(id))
        .map(|(id, _)| id.to_string())
        .collect())
}

/// AKS does one thing to a cluster at a time; a second one may even cancel the first.
fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![Lock::on(&input.id(), "cluster", 1)]
}

#[cfg(test)]
mod tests;
