//! How a cluster's nodes reach the world: a load balancer or a NAT gateway in the node resource group with
//! public addresses, managed ones or the user's. Other outbound types need nothing of the cluster.

use serde_json::{Value, json};

use super::node_group::{managed_subnet, member, put};
use super::number;
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::network::load_balancers::NAME as BALANCERS;

const ADDRESSES: &str = "Microsoft.Network/publicIPAddresses";
const GATEWAYS: &str = "Microsoft.Network/natGateways";
const PROFILE: &str = "/properties/networkProfile";
/// The tag by which the service knows the addresses that it made itself.
const MANAGED: &str = "aks-managed-type";

/// Checks the public addresses that the user gives.
///
/// # Errors
/// `LoadBalancerProfileOutboundIP...`.
pub fn check(world: &World, cluster: &Resource) -> ArmResult<()> {
    let target = "networkProfile.loadBalancerProfile.outboundIPs";
    for given in given(cluster, "outboundIPs/publicIPs") {
        let Some(found) = world
            .get(&given)
            .filter(|found| found.type_name == ADDRESSES)
        else {
            return Err(ArmError::bad(
                "LoadBalancerProfileOutboundIPNotExist",
                format!("The public IP {given} in outboundIPs does not exist."),
            )
            .at(target));
        };
        if found.text("/location") != cluster.text("/location") {
            return Err(ArmError::bad(
                "LoadBalancerProfileOutboundIPNotInTheSameRegion",
                format!(
                    "The public IP {given} in outboundIPs is not in the region of the cluster."
                ),
            )
            .at(target));
        }
        if found.text("/sku/name") != Some("Standard") {
            return Err(ArmError::bad(
                "LoadBalancerProfileOutboundIPNotStandardSKU",
                format!("The public IP {given} in outboundIPs is not of SKU Standard."),
            )
            .at(target));
        }
        let id = found.id.clone();
        let balancer = balancer(cluster);
        let other = crate::types::network::users(world, &id)
            .find(|user| !user.id.same(cluster.id.as_str()) && !user.id.same(balancer.as_str()));
        if let Some(other) = other {
            return Err(ArmError::bad(
                "LoadBalancerProfileOutboundIPAttachedToAnotherIPConfiguration",
                format!(
                    "The public IP {given} in outboundIPs is attached to {} already.",
                    other.id
                ),
            )
            .at(target));
        }
    }
    for given in given(cluster, "outboundIPPrefixes/publicIPPrefixes") {
        if world.get(&given).is_none() {
            return Err(ArmError::bad(
                "LoadBalancerProfileOutboundIPPrefixNotExist",
                format!("The public IP prefix {given} in outboundIPPrefixes does not exist."),
            )
            .at(target));
        }
    }
    Ok(())
}

fn given(cluster: &Resource, list: &str) -> Vec<String> {
    cluster
        .items(&format!("{PROFILE}/loadBalancerProfile/{list}"))
        .iter()
        .filter_map(|item| item["id"].as_str().map(ToOwned::to_owned))
        .collect()
}

fn balancer(cluster: &Resource) -> ResourceId {
    member(cluster, BALANCERS, "kubernetes")
}

fn gateway(cluster: &Resource) -> ResourceId {
    member(cluster, GATEWAYS, "aks-nat-gateway")
}

/// Makes, changes or removes load balancer, gateway and managed addresses.
///
/// # Errors
/// The types refuse, which they do not.
pub fn settle(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    let outbound = cluster
        .text(&format!("{PROFILE}/outboundType"))
        .unwrap_or_default()
        .to_owned();
    let balanced = outbound == "loadBalancer";
    let translated = outbound == "managedNATGateway";
    // First what uses addresses, then the addresses themselves.
    if !translated {
        detach(world, cluster);
        world.remove(gateway(cluster).as_str());
    }
    if !balanced {
        world.remove(balancer(cluster).as_str());
    }
    let managed = |name: &str| number(cluster, &format!("{PROFILE}/{name}/count"), 0);
    let wanted = match outbound.as_str() {
        "loadBalancer" => managed("loadBalancerProfile/managedOutboundIPs"),
        "managedNATGateway" => managed("natGatewayProfile/managedOutboundIPProfile"),
        _ => 0,
    };
    let addresses = addresses(world, cluster, usize::try_from(wanted).unwrap_or(0))?;
    if balanced {
        balance(world, cluster, &addresses)?;
    }
    if translated {
        translate(world, cluster, &addresses)?;
    }
    surplus(world, cluster, &addresses);
    Ok(())
}

fn managed_addresses(world: &World, cluster: &Resource) -> Vec<ResourceId> {
    let group = super::node_group::id(cluster);
    let mut found: Vec<&Resource> = world
        .list(group.as_str(), ADDRESSES)
        .filter(|address| address.at(&format!("/tags/{MANAGED}")).is_some())
        .collect();
    found.sort_by_key(|address| address.order);
    found
        .into_iter()
        .map(|address| address.id.clone())
        .collect()
}

/// As many managed addresses as wanted; the ones that are there stay.
fn addresses(world: &mut World, cluster: &Resource, wanted: usize) -> ArmResult<Vec<ResourceId>> {
    let mut found = managed_addresses(world, cluster);
    found.truncate(wanted);
    while found.len() < wanted {
        let name = world.guid();
        let id = member(cluster, ADDRESSES, &name);
        let body = json!({
            "location": cluster.text("/location"), "sku": { "name": "Standard", "tier": "Regional" },
            "tags": {
                MANAGED: "aks-slb-managed-outbound-ip", "aks-managed-cluster-name": cluster.id.name(),
                "aks-managed-cluster-rg": cluster.id.group(),
            },
            "properties": { "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "idleTimeoutInMinutes": 30 },
        });
        put(world, &id, ADDRESSES, body)?;
        found.push(id);
    }
    Ok(found)
}

/// Removes managed addresses that are no longer wanted.
fn surplus(world: &mut World, cluster: &Resource, wanted: &[ResourceId]) {
    for id in managed_addresses(world, cluster) {
        if !wanted.iter().any(|kept| kept.same(id.as_str())) {
            world.remove(id.as_str());
        }
    }
}

fn balance(world: &mut World, cluster: &Resource, managed: &[ResourceId]) -> ArmResult<()> {
    let id = balancer(cluster);
    let own = given(cluster, "outboundIPs/publicIPs");
    let prefixes = given(cluster, "outboundIPPrefixes/publicIPPrefixes");
    let sources = managed
        .iter()
        .map(|id| ("publicIPAddress", id.as_str().to_owned()))
        .chain(own.into_iter().map(|id| ("publicIPAddress", id)))
        .chain(prefixes.into_iter().map(|id| ("publicIPPrefix", id)));
    let frontends: Vec<Value> = sources
        .map(|(member, source)| {
            let name = source.rsplit('/').next().unwrap_or_default().to_owned();
            json!({
                "name": name, "id": id.child("frontendIPConfigurations", &name).as_str(),
                "type": format!("{BALANCERS}/frontendIPConfigurations"),
                "properties": {
                    "provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", member: { "id": source },
                    "outboundRules": [{ "id": id.child("outboundRules", "aksOutboundRule").as_str() }],
                },
            })
        })
        .collect();
    let fronts: Vec<Value> = frontends
        .iter()
        .map(|front| json!({ "id": front["id"] }))
        .collect();
    let pool = id.child("backendAddressPools", "aksOutboundBackendPool");
    let profile = format!("{PROFILE}/loadBalancerProfile");
    let body = json!({
        "location": cluster.text("/location"), "sku": { "name": "Standard", "tier": "Regional" },
        "tags": { "aks-managed-cluster-name": cluster.id.name(), "aks-managed-cluster-rg": cluster.id.group() },
        "properties": {
            "frontendIPConfigurations": frontends,
            "backendAddressPools": [
                { "name": "aksOutboundBackendPool", "id": pool.as_str(), "properties": { "provisioningState": "Succeeded" } },
                { "name": "kubernetes", "id": id.child("backendAddressPools", "kubernetes").as_str(), "properties": { "provisioningState": "Succeeded" } },
            ],
            "outboundRules": [{
                "name": "aksOutboundRule", "id": id.child("outboundRules", "aksOutboundRule").as_str(),
                "properties": {
                    "provisioningState": "Succeeded", "protocol": "All", "enableTcpReset": true, "backendAddressPool": { "id": pool.as_str() },
                    "frontendIPConfigurations": fronts,
                    "allocatedOutboundPorts": number(cluster, &format!("{profile}/allocatedOutboundPorts"), 0),
                    "idleTimeoutInMinutes": number(cluster, &format!("{profile}/idleTimeoutInMinutes"), 30),
                },
            }],
        },
    });
    put(world, &id, BALANCERS, body)
}

fn translate(world: &mut World, cluster: &Resource, managed: &[ResourceId]) -> ArmResult<()> {
    let id = gateway(cluster);
    let references: Vec<Value> = managed
        .iter()
        .map(|id| json!({ "id": id.as_str() }))
        .collect();
    let body = json!({
        "location": cluster.text("/location"), "sku": { "name": "Standard" },
        "properties": {
            "publicIpAddresses": references,
            "idleTimeoutInMinutes": number(cluster, &format!("{PROFILE}/natGatewayProfile/idleTimeoutInMinutes"), 4),
        },
    });
    put(world, &id, GATEWAYS, body)?;
    let subnet = managed_subnet(cluster);
    if let Some(subnet) = world.get_mut(subnet.as_str()) {
        subnet.set("/properties/natGateway/id", id.as_str());
    }
    Ok(())
}

fn detach(world: &mut World, cluster: &Resource) {
    let subnet = managed_subnet(cluster);
    let gateway = gateway(cluster);
    if let Some(subnet) = world.get_mut(subnet.as_str())
        && subnet
            .text("/properties/natGateway/id")
            .is_some_and(|id| gateway.same(id))
    {
        subnet.unset("/properties/natGateway");
    }
}

/// Shows the addresses from which the cluster reaches the world.
pub fn render(world: &World, cluster: &Resource, body: &mut Value) {
    let at = |name: &str| format!("{PROFILE}/{name}");
    let (profile, ids) = match cluster.text(&at("outboundType")) {
        Some("loadBalancer") => {
            let balancer = world.get(balancer(cluster).as_str());
            let fronts = balancer
                .map(|found| found.items("/properties/frontendIPConfigurations"))
                .unwrap_or_default();
            let ids: Vec<Value> = fronts
                .iter()
                .filter_map(|front| {
                    front
                        .pointer("/properties/publicIPAddress/id")
                        .or_else(|| front.pointer("/properties/publicIPPrefix/id"))
                })
                .map(|id| json!({ "id": id }))
                .collect();
            ("loadBalancerProfile", ids)
        }
        Some("managedNATGateway") => {
            let gateway = world.get(gateway(cluster).as_str());
            (
                "natGatewayProfile",
                gateway
                    .map(|found| found.items("/properties/publicIpAddresses").to_vec())
                    .unwrap_or_default(),
            )
        }
        _ => return,
    };
    if !ids.is_empty() && body.pointer(&at(profile)).is_some() {
        body["properties"]["networkProfile"][profile]["effectiveOutboundIPs"] = json!(ids);
    }
}
