//! Microsoft.Network/virtualNetworks/subnets. A write holds the whole network. What uses a subnet
//! (interfaces, private endpoints) is found in the other resources when it is shown.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{addresses, network_of, virtual_network_gateways};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/virtualNetworks/subnets";

/// The row.
pub const SUBNETS: Type = Type {
    properties: &[
        "addressPrefix",
        "addressPrefixes",
        "networkSecurityGroup",
        "routeTable",
        "natGateway",
        "serviceEndpoints",
        "serviceEndpointPolicies",
        "ipAllocations",
        "delegations",
        "privateEndpointNetworkPolicies",
        "privateLinkServiceNetworkPolicies",
        "applicationGatewayIPConfigurations",
        "applicationGatewayIpConfigurations",
        "sharingScope",
        "defaultOutboundAccess",
        "ipamPoolPrefixAllocations",
        "serviceGateway",
    ],
    read_only: &[
        "privateEndpoints",
        "ipConfigurations",
        "ipConfigurationProfiles",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
        "purpose",
    ],
    members: &["location"],
    check,
    fill,
    render,
    locks: |_, subnet| vec![network_of(&subnet.id).key()],
    ..super::child(NAME)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let Some(network) = change.new.id.parent().and_then(|id| world.get(id.as_str())) else {
        return Ok(());
    };
    if change.verb == Verb::Delete {
        return unused(world, change.new);
    }
    super::check_name(change, 80)?;
    let mut all: Vec<Resource> = world
        .list(network.id.as_str(), NAME)
        .filter(|other| !other.id.same(change.new.id.as_str()))
        .cloned()
        .collect();
    all.push(change.new.clone());
    placed(network, &all)?;
    valid(
        world,
        change.new,
        change.old,
        network.text("/location").unwrap_or_default(),
    )
}

/// Checks the ranges of all subnets of a network: inside the address space, apart from each other.
///
/// # Errors
/// `InvalidCIDRNotation`, `NetcfgInvalidSubnet`, `NetcfgSubnetRangesOverlap`.
pub fn placed(network: &Resource, subnets: &[Resource]) -> ArmResult<()> {
    let space = space(network)?;
    let mut placed: Vec<(&str, IpNet)> = Vec::new();
    for subnet in subnets {
        let name = subnet.id.name();
        for net in addresses::of_subnet(subnet)? {
            let longest = if matches!(net, IpNet::V4(_)) { 29 } else { 64 };
            if !space.iter().any(|outer| outer.contains(&net)) || net.prefix_len() > longest {
                return Err(ArmError::bad(
                    "NetcfgInvalidSubnet",
                    format!(
                        "Subnet '{name}' is not valid in virtual network '{}'.",
                        network.id.name()
                    ),
                ));
            }
            if placed
                .iter()
                .any(|(_, other)| addresses::overlap(other, &net))
            {
                return Err(ArmError::bad(
                    "NetcfgSubnetRangesOverlap",
                    format!(
                        "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '{}'.",
                        network.id.name()
                    ),
                ));
            }
            placed.push((name, net));
        }
    }
    Ok(())
}

/// The address space of a network.
///
/// # Errors
/// As `addresses::prefix`.
pub fn space(network: &Resource) -> ArmResult<Vec<IpNet>> {
    let prefixes = network.items("/properties/addressSpace/addressPrefixes");
    prefixes
        .iter()
        .filter_map(Value::as_str)
        .map(|text| addresses::prefix(text, network.id.as_str()))
        .collect()
}

/// Checks what a subnet refers to and what of it is in use.
///
/// # Errors
/// `InvalidResourceReference`, `InUsePrefixCannotBeDeleted`, `InvalidRequestFormat`.
pub fn valid(world: &World, new: &Resource, old: Option<&Resource>, region: &str) -> ArmResult<()> {
    for (pointer, kind) in [
        (
            "/properties/networkSecurityGroup/id",
            "Microsoft.Network/networkSecurityGroups",
        ),
        ("/properties/routeTable/id", "Microsoft.Network/routeTables"),
        ("/properties/natGateway/id", "Microsoft.Network/natGateways"),
    ] {
        super::reference(world, new, pointer, kind, Some(region))?;
    }
    super::one_of(
        new,
        "/properties/privateEndpointNetworkPolicies",
        &[
            "Enabled",
            "Disabled",
            "NetworkSecurityGroupEnabled",
            "RouteTableEnabled",
        ],
    )?;
    super::one_of(
        new,
        "/properties/privateLinkServiceNetworkPolicies",
        &["Enabled", "Disabled"],
    )?;
    super::one_of(
        new,
        "/properties/sharingScope",
        &["Tenant", "DelegatedServices"],
    )?;
    for delegation in new.items("/properties/delegations") {
        if delegation.get("name").and_then(Value::as_str).is_none()
            || delegation
                .pointer("/properties/serviceName")
                .and_then(Value::as_str)
                .is_none()
        {
            return Err(super::cannot_parse(
                "Required property 'serviceName' not found in JSON. Path 'properties.delegations'.",
            ));
        }
    }
    let Some(old) = old else { return Ok(()) };
    let nets = addresses::of_subnet(new)?;
    if let Some(lost) = addresses::used(world, &old.id)
        .into_iter()
        .find(|address| !nets.iter().any(|net| net.contains(address)))
    {
        let prefix = addresses::of_subnet(old)?
            .into_iter()
            .find(|net| net.contains(&lost));
        return Err(ArmError::bad(
            "InUsePrefixCannotBeDeleted",
            format!(
                "IpPrefix {} on Subnet {} has active allocations and cannot be deleted.",
                prefix.map(|net| net.to_string()).unwrap_or_default(),
                old.id.name()
            ),
        ));
    }
    Ok(())
}

/// Refuses the deletion of a subnet that something uses.
///
/// # Errors
/// `InUseSubnetCannotBeDeleted`, naming a user.
pub fn unused(world: &World, subnet: &Resource) -> ArmResult<()> {
    let Some(user) = configurations(world, &subnet.id)
        .into_iter()
        .chain(endpoints(world, &subnet.id))
        .next()
    else {
        return Ok(());
    };
    Err(ArmError::bad(
        "InUseSubnetCannotBeDeleted",
        format!(
            "Subnet {} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            subnet.id.name()
        ),
    ))
}

fn fill(_: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    new.unset("/location");
    new.default("/properties/privateEndpointNetworkPolicies", "Disabled");
    new.default("/properties/privateLinkServiceNetworkPolicies", "Enabled");
    new.default("/properties/delegations", json!([]));
    let id = new.id.clone();
    if let Some(Value::Array(delegations)) = new.body.pointer_mut("/properties/delegations") {
        for delegation in delegations {
            let name = delegation["name"].as_str().unwrap_or_default().to_owned();
            delegation["id"] = json!(id.child("delegations", &name).as_str());
            delegation["type"] = json!(format!("{NAME}/delegations"));
            delegation["properties"]["provisioningState"] = json!("Succeeded");
            if delegation["properties"].get("actions").is_none() {
                delegation["properties"]["actions"] =
                    json!(["Microsoft.Network/virtualNetworks/subnets/join/action"]);
            }
        }
    }
    if let Some(Value::Array(endpoints)) = new.body.pointer_mut("/properties/serviceEndpoints") {
        for endpoint in endpoints {
            endpoint["provisioningState"] = json!("Succeeded");
        }
    }
    Ok(())
}

fn render(world: &World, subnet: &Resource, body: &mut Value) {
    // A subnet may be made in the body of its network, whose region is known only then.
    if let Some(Value::Array(endpoints)) = body.pointer_mut("/properties/serviceEndpoints") {
        let network = world.get(network_of(&subnet.id).as_str());
        let region = network.and_then(|network| network.text("/location"));
        for endpoint in endpoints {
            if endpoint.get("locations").is_none() {
                endpoint["locations"] = json!([region.unwrap_or("*")]);
            }
        }
    }
    let configurations = configurations(world, &subnet.id);
    if !configurations.is_empty() {
        body["properties"]["ipConfigurations"] = ids(&configurations);
    }
    let endpoints = endpoints(world, &subnet.id);
    if !endpoints.is_empty() {
        body["properties"]["privateEndpoints"] = ids(&endpoints);
        body["properties"]["purpose"] = json!("PrivateEndpoints");
    }
}

fn ids(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

/// The ids of the IP configurations that have an address in the subnet.
fn configurations(world: &World, subnet: &ResourceId) -> Vec<String> {
    let interfaces = addresses::configurations(world, subnet);
    interfaces
        .chain(virtual_network_gateways::configurations(world, subnet))
        .filter_map(|ip| ip.get("id")?.as_str().map(ToOwned::to_owned))
        .collect()
}

fn endpoints(world: &World, subnet: &ResourceId) -> Vec<String> {
    world
        .of_type("Microsoft.Network/privateEndpoints")
        .filter(|endpoint| {
            endpoint
                .text("/properties/subnet/id")
                .is_some_and(|id| subnet.same(id))
        })
        .map(|endpoint| endpoint.id.as_str().to_owned())
        .collect()
}
