#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod rights;
mod subnets;

use serde_json::json;
use tfplugin_rs::schema::Severity;

use super::*;
use crate::provider::parts::{Ledger, check_alone, check_writable, differ, reduced};
use crate::provider::roles;

const SUB: &str = "00000000-0000-0000-0000-000000000001";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-aks")
}

fn id() -> ArmId {
    group().resource(Cluster::ANCHOR, "fk-aks")
}

fn network() -> ArmId {
    group().resource("Microsoft.Network/virtualNetworks", "fk-vnet-aks")
}

fn subnet() -> ArmId {
    network().child("subnets", "fk-subnet-aks")
}

fn own_identity() -> ArmId {
    group().resource(IDENTITY, "fk-aks-identity")
}

fn system_pool() -> Json {
    json!({
        "mode": "System", "vm_size": "Standard_D4ds_v5", "node_count": 2,
        "auto_scaling_enabled": false, "vnet_subnet_id": subnet(), "priority": "Regular",
        "host_encryption_enabled": false, "fips_enabled": false, "node_public_ip_enabled": false,
    })
}

/// The arguments as a user writes them, with the schema's defaults.
fn config(arguments: Json) -> Json {
    let mut config = json!({
        "name": "fk-aks", "resource_group_id": group(), "location": "West Europe",
        "dns_prefix": "fk-aks", "node_resource_group": "MC_rg-aks_fk-aks_westeurope",
        "sku_tier": "Free", "automatic_upgrade_channel": "none",
        "node_os_upgrade_channel": "NodeImage", "private_cluster_enabled": true,
        "private_dns_zone_id": "system", "private_cluster_public_fqdn_enabled": false,
        "run_command_enabled": true, "network_plugin": "azure", "network_plugin_mode": "overlay",
        "network_policy": "none", "network_data_plane": "azure", "service_cidr": "10.0.0.0/16",
        "pod_cidr": "10.244.0.0/16", "outbound_type": "load_balancer",
        "manage_role_assignments": true, "local_account_disabled": true,
    });
    let more = json!({
        "azure_rbac_enabled": true, "oidc_issuer_enabled": true,
        "workload_identity_enabled": true, "deletion_protection": true,
        "node_pools": {"system": system_pool()},
    });
    for part in [more, arguments] {
        let Json::Object(part) = part else {
            panic!("arguments are an object")
        };
        config.as_object_mut().unwrap().extend(part);
    }
    config
}

fn input(arguments: Json) -> Input {
    serde_json::from_value(config(arguments)).unwrap()
}

fn value(arguments: Json) -> Value {
    Cluster::SCHEMA.value_from_json(&arguments).unwrap()
}

/// A cluster as Azure answers it: what was sent, and what Azure adds.
fn found(input: &Input) -> Json {
    let mut body = body::of(input, None, None, None);
    let pools = pools::inline(input)["properties"]["agentPoolProfiles"].clone();
    body["properties"]["agentPoolProfiles"] = pools;
    body["properties"]["provisioningState"] = "Succeeded".into();
    body["properties"]["kubernetesVersion"] = "1.34".into();
    body["properties"]["currentKubernetesVersion"] = "1.34.2".into();
    body["identity"]["userAssignedIdentities"][own_identity().as_str().to_uppercase().as_str()] =
        json!({"clientId": "c", "principalId": "p"});
    let identities = body["identity"]["userAssignedIdentities"]
        .as_object_mut()
        .unwrap();
    identities.remove(own_identity().as_str());
    body
}

fn pool_json(input: &Input, name: &str) -> Json {
    let cluster = found(input);
    let pools = pools::within(&id(), &cluster);
    pools
        .into_iter()
        .find(|(id, _)| id.name() == name)
        .unwrap()
        .1
}

/// What the plan refuses; what `seen` does not have is not there.
fn errors(planned: Json, seen: Seen) -> Vec<(String, String)> {
    refused(planned, None, seen)
}

fn refused(planned: Json, prior: Option<&Value>, mut seen: Seen) -> Vec<(String, String)> {
    let planned = value(planned);
    let diagnostics = loop {
        match check_alone::<Cluster>(&planned, prior, &seen) {
            Ok(diagnostics) => break diagnostics,
            Err(Unread) => seen.leave_out_what_is_missing(),
        }
    };
    diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (found.summary.clone(), found.detail.clone()))
        .collect()
}

fn mistakes(arguments: Json) -> Vec<String> {
    let mut diagnostics = Diagnostics::new();
    Cluster::validate(&value(config(arguments)), &mut diagnostics);
    diagnostics
        .iter()
        .map(|found| found.summary.clone())
        .collect()
}

fn network_json(location: &str, subnet_properties: Json) -> [(ArmId, Option<Json>); 2] {
    [
        (
            network(),
            Some(json!({"location": location, "properties": {
                "addressSpace": {"addressPrefixes": ["10.10.0.0/16"]},
                "virtualNetworkPeerings": [{"properties": {
                    "remoteVirtualNetwork": {"id": "/x/hub"},
                    "remoteAddressSpace": {"addressPrefixes": ["10.50.0.0/16"]}
                }}]
            }})),
        ),
        (subnet(), Some(json!({ "properties": subnet_properties }))),
    ]
}

#[test]
fn what_is_wanted_is_found_again_and_nothing_read_only_leaves() {
    let input = input(json!({}));
    let there = found(&input);
    let seen = Seen::of([(id(), Some(there.clone()))]);
    let wanted = cluster(&input, &seen).unwrap().remove(0);
    let body = wanted.body.clone().unwrap();
    assert_eq!(differ(&wanted, &body, &there), []);
    assert_eq!(
        wanted.rewrite, None,
        "the identity is there, in other letters"
    );
    check_writable(&id(), &reduced(&id(), &there)).unwrap();
    let first = cluster(&input, &Seen::of([(id(), None)]))
        .unwrap()
        .remove(0);
    check_writable(&id(), &first.body.unwrap()).unwrap();
    check_writable(&id(), &first.creation.unwrap().body).unwrap();
}

#[test]
fn another_identity_is_written_and_the_former_one_goes() {
    let other = group().resource(IDENTITY, "other");
    let there = found(&input(json!({})));
    let changed = input(json!({"identity_id": other}));
    let seen = Seen::of([(id(), Some(there))]);
    let wanted = cluster(&changed, &seen).unwrap().remove(0);
    let body = wanted.body.unwrap();
    let identities = &body["identity"]["userAssignedIdentities"];
    assert_eq!(identities[other.as_str()], json!({}));
    assert!(identities[own_identity().as_str().to_uppercase().as_str()].is_null());
    assert!(wanted.rewrite.is_some());
}

#[test]
fn the_autoscaler_decides_the_count_within_its_limits() {
    let scaling = |count: i64| {
        let mut pool = system_pool();
        pool["auto_scaling_enabled"] = true.into();
        pool["node_count"] = count.into();
        pool["min_count"] = 1.into();
        pool["max_count"] = 5.into();
        input(json!({"node_pools": {"system": pool}}))
    };
    let input = scaling(3);
    let mut there = pool_json(&input, "system");
    there["properties"]["count"] = 5.into();
    let pool = &input.node_pools["system"];
    assert!(
        pool.properties(&input, Some(&there), None)
            .get("count")
            .is_none()
    );
    let observed = Pool::observed(Some(pool), &there, Some(&input));
    assert_eq!(observed.node_count, 3, "as it was written");
    there["properties"]["count"] = 9.into();
    assert_eq!(pool.properties(&input, Some(&there), None)["count"], 5);
}

#[test]
fn a_pool_is_made_anew_only_for_what_azure_takes_at_its_creation() {
    let before = input(json!({}));
    let there = pool_json(&before, "system");
    let anew = |name: &str, value: Json| {
        let mut pool = system_pool();
        pool[name] = value;
        let input = input(json!({"node_pools": {"system": pool}}));
        input.node_pools["system"].anew("system", &there)
    };
    for (name, value) in [
        ("node_count", json!(5)),
        ("mode", json!("User")),
        ("node_labels", json!({"a": "b"})),
        ("os_sku", json!("AzureLinux")),
        ("vm_size", json!("standard_d4ds_V5")),
    ] {
        assert!(anew(name, value).is_empty(), "{name}");
    }
    for (name, value) in [
        ("vm_size", json!("Standard_D8ds_v5")),
        ("max_pods", json!(50)),
        ("zones", json!(["1"])),
        ("priority", json!("Spot")),
        ("host_encryption_enabled", json!(true)),
    ] {
        assert!(!anew(name, value).is_empty(), "{name}");
    }
}

#[test]
fn a_temporary_pool_stands_in_until_its_pool_is_back() {
    let before = input(json!({}));
    let mut pool = system_pool();
    pool["vm_size"] = "Standard_D8ds_v5".into();
    let after = input(json!({"node_pools": {"system": pool}}));
    let stands = id().child("agentPools", "system");
    let beside = id().child("agentPools", &pools::temporary_name("system"));
    let mut ledger = Ledger::default();
    ledger.own("temporary_pools", &beside);

    let seen = Seen::of([
        (stands.clone(), Some(pool_json(&before, "system"))),
        (beside.clone(), None),
    ]);
    let wanted = pools::temporary(&after, &seen).unwrap();
    assert_eq!(wanted[0].id, beside);
    let body = wanted[0].body.clone().unwrap();
    assert_eq!(body["properties"]["vmSize"], "Standard_D8ds_v5");
    assert!(pools::pools(&after, &seen).unwrap()[0].remake.is_some());

    // Interrupted after the old pool had gone.
    let seen = Seen::of([(stands.clone(), None), (beside.clone(), Some(json!({})))])
        .with_prior(json!({"objects": ledger.to_json()}));
    assert_eq!(pools::temporary(&after, &seen).unwrap().len(), 1);

    let seen = Seen::of([(stands, Some(pool_json(&after, "system")))])
        .with_prior(json!({"objects": ledger.to_json()}));
    assert!(pools::temporary(&after, &seen).unwrap().is_empty());
}

#[test]
fn the_control_plane_is_granted_what_its_network_needs() {
    let needs = |arguments: Json, seen: &Seen| -> Vec<(String, &'static str)> {
        let needs = grants::needs(&input(arguments), seen).unwrap();
        needs
            .into_iter()
            .map(|need| (need.scope.name().to_owned(), need.role.name))
            .collect()
    };
    let nothing = Seen::of([]);
    assert_eq!(
        needs(json!({}), &nothing),
        [("fk-subnet-aks".to_owned(), "Network Contributor")]
    );
    let zone = group().resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.westeurope.azmk8s.io",
    );
    let kubelet = group().resource(IDENTITY, "kubelet");
    assert_eq!(
        needs(
            json!({"private_dns_zone_id": zone, "kubelet_identity_id": kubelet}),
            &nothing
        ),
        [
            ("kubelet".to_owned(), "Managed Identity Operator"),
            (zone.name().to_owned(), "Private DNS Zone Contributor"),
            ("fk-vnet-aks".to_owned(), "Network Contributor"),
        ]
    );
    let table = group().resource("Microsoft.Network/routeTables", "egress");
    let routed = Seen::of([(
        subnet(),
        Some(json!({"properties": {"routeTable": {"id": table}}})),
    )]);
    assert_eq!(
        needs(json!({"outbound_type": "user_defined_routing"}), &routed),
        [
            ("egress".to_owned(), "Network Contributor"),
            ("fk-subnet-aks".to_owned(), "Network Contributor"),
        ]
    );
}

#[test]
fn a_sufficient_role_of_a_given_identity_is_not_assigned_again() {
    let identity = group().resource(IDENTITY, "theirs");
    let input = input(json!({"identity_id": identity}));
    let need = grants::needs(&input, &Seen::of([])).unwrap().remove(0);
    let list = "providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'p'";
    let facts = |scope: &str, role: &str, own: bool| {
        let assignment = json!({"id": "/x", "properties": {
            "principalId": "p", "scope": scope,
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}")
        }});
        Seen::of([
            (
                identity.clone(),
                Some(json!({"properties": {"principalId": "p"}})),
            ),
            (need.id(&identity), own.then(|| json!({}))),
        ])
        .with_list(&subnet(), list, vec![assignment])
    };
    let contributor = roles::NETWORK_CONTRIBUTOR.definition;
    let wanted = |seen: &Seen| grants::grants(&input, seen).unwrap().len();
    assert_eq!(wanted(&facts(network().as_str(), contributor, false)), 0);
    assert_eq!(
        wanted(&facts(network().as_str(), contributor, true)),
        1,
        "ours stays"
    );
    let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    assert_eq!(
        wanted(&facts(&format!("/subscriptions/{SUB}"), owner, false)),
        0
    );
    let elsewhere = format!("{}x", network());
    assert_eq!(wanted(&facts(&elsewhere, contributor, false)), 1);
    let zone = roles::ZONE_CONTRIBUTOR.definition;
    assert_eq!(wanted(&facts(subnet().as_str(), zone, false)), 1);
}

#[test]
fn a_subnet_without_room_is_refused_with_the_sum_and_the_prefix_that_fits() {
    let mut pool = system_pool();
    pool["node_count"] = 32.into();
    let planned =
        config(json!({"network_plugin_mode": "node_subnet", "node_pools": {"system": pool}}));
    let theirs = network().child("subnets", "x");
    let seen = Seen::of(network_json(
        "westeurope",
        json!({"addressPrefix": "10.10.8.0/22", "ipConfigurations": [{"id": theirs}]}),
    ));
    let found = errors(planned, seen);
    let (summary, detail) = found.first().unwrap();
    assert_eq!(
        summary,
        "subnet fk-subnet-aks is too small: 1118 addresses are needed, and it has 1019"
    );
    for line in [
        "(32 nodes + 4 for upgrades) x (30 pods + 1) = 1116",
        "the private endpoint of the API server: 1",
        "what others have there: 1",
        "the smallest prefix that fits is a /21",
    ] {
        assert!(detail.contains(line), "{line} in {detail}");
    }
}

#[test]
fn ranges_regions_and_attachments_are_checked_against_the_network() {
    let seen = Seen::of(network_json(
        "northeurope",
        json!({"addressPrefix": "10.10.8.0/22"}),
    ));
    let planned = config(json!({
        "service_cidr": "10.50.0.0/20", "outbound_type": "user_defined_routing"
    }));
    let summaries: Vec<String> = errors(planned, seen)
        .into_iter()
        .map(|(summary, _)| summary)
        .collect();
    for expected in [
        "the cluster is in West Europe, and its network in northeurope",
        "service_cidr 10.50.0.0/20 overlaps 10.50.0.0/16 of the peered network hub",
        "subnet fk-subnet-aks has no route table",
    ] {
        assert!(
            summaries
                .iter()
                .any(|summary| summary.starts_with(expected)),
            "{expected} in {summaries:?}"
        );
    }
}

#[test]
fn combinations_that_azure_refuses_are_refused_at_validation() {
    for (arguments, expected) in [
        (
            json!({"network_plugin": "kubenet", "network_policy": "azure"}),
            "kubenet has no network policy",
        ),
        (
            json!({"network_policy": "cilium"}),
            "needs the data plane cilium",
        ),
        (
            json!({"network_plugin_mode": "pod_subnet"}),
            "needs a subnet for its pods",
        ),
        (
            json!({"pod_cidr": "10.0.0.0/14"}),
            "pod_cidr 10.0.0.0/14 overlaps 10.0.0.0/16 of the services",
        ),
        (json!({"pod_cidr": "172.30.0.0/16"}), "kept by AKS"),
        (
            json!({"dns_service_ip": "10.1.0.10"}),
            "is not in the service range",
        ),
        (
            json!({"private_dns_zone_id": "none"}),
            "nobody finds the API server",
        ),
        (
            json!({"outbound_type": "none", "kubernetes_version": "1.29"}),
            "1.30 or later",
        ),
        (
            json!({"outbound_type": "nat_gateway", "load_balancer_profile": {"managed_outbound_ip_count": 1}}),
            "there are no addresses of a load balancer",
        ),
        (
            json!({"oidc_issuer_enabled": false}),
            "workload identity needs the OIDC issuer",
        ),
        (
            json!({"manage_role_assignments": false}),
            "has only the roles that are assigned here",
        ),
    ] {
        let found = mistakes(arguments.clone());
        assert!(
            found.iter().any(|summary| summary.contains(expected)),
            "{expected} for {arguments} in {found:?}"
        );
    }
    assert!(mistakes(json!({})).is_empty());
    let in_node_subnet = json!({"network_policy": "cilium", "network_data_plane": "cilium", "network_plugin_mode": "node_subnet"});
    assert!(mistakes(in_node_subnet).is_empty());
}
