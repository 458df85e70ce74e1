//! The subnets that pools name: they exist in one network of the cluster's region, belong to no other
//! service, do not overlap with the cluster's own ranges, and lead out as the outbound type needs.

use serde_json::Value;

use super::defaults::{Plugin, plugin};
use super::{identities, invalid, network_rules};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::authorization::rights::has_right;
use crate::types::network::addresses::overlap;
use crate::types::network::{addresses, network_of, subnets};

/// The service to which pod and API server subnets are delegated.
pub const SERVICE: &str = "Microsoft.ContainerService/managedClusters";

/// Checks the subnets of all pools of a completed cluster.
///
/// # Errors
/// Azure's code for each rule.
pub fn valid(world: &World, cluster: &Resource, pools: &[Resource]) -> ArmResult<()> {
    let with = |pool: &&Resource| pool.text("/properties/vnetSubnetID").is_some();
    let own: Vec<&Resource> = pools.iter().filter(with).collect();
    if let Some(without) = pools.iter().find(|pool| !with(pool) && !own.is_empty()) {
        return Err(ArmError::bad(
            "AgentPoolsWithEmptySubnetError",
            format!(
                "The Agentpool {} does not have subnet defined.",
                without.id.name()
            ),
        )
        .at("agentPoolProfile.vnetSubnetID"));
    }
    way_out(cluster, !own.is_empty())?;
    let mut network: Option<ResourceId> = None;
    for pool in own {
        for name in ["vnetSubnetID", "podSubnetID"] {
            let Some(text) = pool.text(&format!("/properties/{name}")) else {
                continue;
            };
            let subnet = find(world, cluster, text, &format!("agentPoolProfile.{name}"))?;
            delegated(subnet, name == "podSubnetID")?;
            let home = network_of(&subnet.id);
            if network
                .as_ref()
                .is_some_and(|network| !network.same(home.as_str()))
            {
                return Err(invalid(
                    &format!("agentPoolProfile.{name}"),
                    format!(
                        "All agent pools of a cluster must be in the same virtual network; {text} is in another one"
                    ),
                ));
            }
            network = Some(home);
            if name == "vnetSubnetID" {
                leads_out(world, cluster, subnet)?;
            }
        }
        if pool.at("/properties/podSubnetID").is_some()
            && super::pool_rules::same(
                pool.at("/properties/podSubnetID"),
                pool.at("/properties/vnetSubnetID"),
            )
        {
            return Err(invalid(
                "agentPoolProfile.podSubnetID",
                "Nodes and pods need subnets of their own",
            ));
        }
    }
    network.map_or(Ok(()), |network| apart(world, cluster, &network))
}

/// A subnet by its id, in the region of the cluster.
///
/// # Errors
/// `InvalidParameter`, `GetVnetError`, `SubnetNotFound`.
pub fn find<'a>(
    world: &'a World,
    cluster: &Resource,
    text: &str,
    target: &str,
) -> ArmResult<&'a Resource> {
    let id = ResourceId::parse(text)
        .filter(|id| id.type_name().eq_ignore_ascii_case(subnets::NAME))
        .ok_or_else(|| invalid(target, format!("{text} is not the id of a subnet")))?;
    let network = world.get(network_of(&id).as_str()).ok_or_else(|| {
        ArmError::bad(
            "GetVnetError",
            format!("Get virtual network error. The virtual network of {text} was not found."),
        )
        .at(target)
    })?;
    if network.text("/location") != cluster.text("/location") {
        return Err(invalid(
            target,
            format!(
                "The virtual network {} is in {}, the cluster in {}",
                network.id,
                network.text("/location").unwrap_or_default(),
                cluster.text("/location").unwrap_or_default()
            ),
        ));
    }
    world.get(id.as_str()).ok_or_else(|| {
        ArmError::bad(
            "SubnetNotFound",
            format!("The subnet {text} was not found in its virtual network."),
        )
        .at(target)
    })
}

fn delegated(subnet: &Resource, pods: bool) -> ArmResult<()> {
    let other = subnet
        .items("/properties/delegations")
        .iter()
        .filter_map(|delegation| delegation.pointer("/properties/serviceName")?.as_str())
        .find(|service| !pods || !service.eq_ignore_ascii_case(SERVICE));
    other.map_or(Ok(()), |service| {
        Err(ArmError::bad(
            "SubnetIsDelegated",
            format!(
                "Subnet {} is delegated to {service} and cannot be used for the agent pool.",
                subnet.id
            ),
        )
        .at("agentPoolProfile.vnetSubnetID"))
    })
}

/// The outbound type fits to whose network it is.
fn way_out(cluster: &Resource, own: bool) -> ArmResult<()> {
    let refuse =
        |code: &str, why: &str| Err(ArmError::bad(code, why).at("networkProfile.outboundType"));
    match (cluster.text("/properties/networkProfile/outboundType"), own) {
        (Some("managedNATGateway"), true) => refuse(
            "ManagedNATGatewayWithCustomVNetNotAllowed",
            "The outbound type managedNATGateway is not allowed for agent pools in a custom virtual network. Use userAssignedNATGateway.",
        ),
        (Some("userAssignedNATGateway"), false) => refuse(
            "UserAssignedNATGatewayWithManagedVNetNotAllowed",
            "The outbound type userAssignedNATGateway needs agent pools in a custom virtual network.",
        ),
        (Some("userDefinedRouting"), false) => refuse(
            "AgentPoolsWithEmptySubnetError",
            "The outbound type userDefinedRouting needs agent pools in a custom virtual network whose subnets have a route table.",
        ),
        _ => Ok(()),
    }
}

/// What a node subnet must have for the outbound type, and what the cluster's identity may do with it.
fn leads_out(world: &World, cluster: &Resource, subnet: &Resource) -> ArmResult<()> {
    let outbound = cluster.text("/properties/networkProfile/outboundType");
    let table = subnet.text("/properties/routeTable/id");
    if outbound == Some("userDefinedRouting") && table.is_none() {
        return Err(ArmError::bad(
            "ExistingRouteTableNotAssociatedWithSubnet",
            format!("An existing route table has not been associated with subnet {}. Please update the route table association", subnet.id),
        )
        .at("networkProfile.outboundType"));
    }
    if outbound == Some("userAssignedNATGateway") {
        let gateway = subnet.text("/properties/natGateway/id").ok_or_else(|| {
            ArmError::bad(
                "SubnetNotAssociatedWithNATGateway",
                format!("Subnet {} is not associated with a NAT gateway.", subnet.id),
            )
            .at("networkProfile.outboundType")
        })?;
        let addresses = world.get(gateway).is_some_and(|gateway| {
            [
                "publicIpAddresses",
                "publicIpPrefixes",
                "publicIpAddressesV6",
            ]
            .iter()
            .any(|name| !gateway.items(&format!("/properties/{name}")).is_empty())
        });
        if !addresses {
            return Err(ArmError::bad(
                "NATGatewayNotAssociatedWithPublicIPOrIPPrefix",
                format!("NAT gateway {gateway} is not associated with any public IP or IP prefix."),
            )
            .at("networkProfile.outboundType"));
        }
    }
    let Some(table) = table else { return Ok(()) };
    let kubenet = plugin(cluster) == Plugin::Kubenet;
    if !kubenet && outbound != Some("userDefinedRouting") {
        return Ok(());
    }
    match cluster.text("/identity/type") {
        Some("SystemAssigned") if kubenet => Err(ArmError::bad(
            "CustomRouteTableWithUnsupportedMSIType",
            "Clusters using managed identity type SystemAssigned do not support bringing your own route table. Please see https://aka.ms/aks/customrt for more information",
        )),
        Some("UserAssigned") => {
            let principal = identities::principal(world, cluster).unwrap_or_default();
            let both = ["read", "write"].iter().all(|verb| {
                has_right(
                    world,
                    &principal,
                    &format!("Microsoft.Network/routeTables/{verb}"),
                    table,
                )
            });
            if both {
                return Ok(());
            }
            Err(ArmError::bad(
                "CustomRouteTableMissingPermission",
                format!(
                    "Managed identity or service principal must be given permission to read and write to custom route table {table}. Please see https://aka.ms/aks/customrt for more information"
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// The cluster's own ranges lie apart from the subnets of the network.
fn apart(world: &World, cluster: &Resource, network: &ResourceId) -> ArmResult<()> {
    let (service, pod) = network_rules::own_ranges(cluster)?;
    for subnet in world.list(network.as_str(), subnets::NAME) {
        for net in addresses::of_subnet(subnet).unwrap_or_default() {
            for (own, code, what, target) in [
                (
                    service,
                    "ServiceCidrOverlapExistingSubnetsCidr",
                    "service",
                    "networkProfile.serviceCIDR",
                ),
                (
                    pod,
                    "PodCidrOverlapExistingSubnetsCidr",
                    "pod",
                    "networkProfile.podCIDR",
                ),
            ] {
                if let Some(own) = own.filter(|own| overlap(own, &net)) {
                    return Err(ArmError::bad(
                        code,
                        format!("The specified {what} CIDR {own} is conflicted with an existing subnet CIDR {net}"),
                    )
                    .at(target));
                }
            }
        }
    }
    Ok(())
}

/// Delegates the subnets of pods, as the service does when it first uses them.
pub fn delegate(world: &mut World, subnet: &str) {
    let Some(found) = world.get_mut(subnet) else {
        return;
    };
    let done = found
        .items("/properties/delegations")
        .iter()
        .any(|delegation| {
            delegation
                .pointer("/properties/serviceName")
                .and_then(Value::as_str)
                .is_some_and(|name| name.eq_ignore_ascii_case(SERVICE))
        });
    if done {
        return;
    }
    let mut delegations = found.items("/properties/delegations").to_vec();
    delegations.push(serde_json::json!({
        "name": "aks-delegation",
        "id": found.id.child("delegations", "aks-delegation").as_str(),
        "type": format!("{}/delegations", subnets::NAME),
        "properties": {
            "serviceName": SERVICE, "provisioningState": "Succeeded",
            "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"],
        },
    }));
    found.set("/properties/delegations", delegations);
}
