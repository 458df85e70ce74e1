//! Microsoft.Network/virtualNetworkGateways, as far as peerings and subnets need them: a gateway stands
//! in the `GatewaySubnet` of a network, which then has one that its peers may use.

use serde_json::{Value, json};

use super::{cannot_parse, network_of};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The type's name.
const NAME: &str = "Microsoft.Network/virtualNetworkGateways";

/// The row.
pub const VIRTUAL_NETWORK_GATEWAYS: Type = Type {
    members: &["extendedLocation", "identity"],
    read_only: &["resourceGuid", "inboundDnsForwardingEndpoint"],
    check,
    fill,
    ..super::top_level(NAME)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    super::check_name(change, 80)?;
    super::one_of(
        new,
        "/properties/gatewayType",
        &["Vpn", "ExpressRoute", "LocalGateway"],
    )?;
    let configurations = new.items("/properties/ipConfigurations");
    if configurations.is_empty() {
        return Err(cannot_parse(
            "Required property 'ipConfigurations' not found in JSON. Path 'properties'.",
        ));
    }
    for at in 0..configurations.len() {
        let pointer =
            |rest: &str| format!("/properties/ipConfigurations/{at}/properties/{rest}/id");
        let (subnet, address) = (pointer("subnet"), pointer("publicIPAddress"));
        super::reference(world, new, &subnet, super::subnets::NAME, None)?;
        super::reference(
            world,
            new,
            &address,
            "Microsoft.Network/publicIPAddresses",
            new.text("/location"),
        )?;
        let id = new.text(&subnet).and_then(ResourceId::parse);
        if !id.is_some_and(|id| id.name().eq_ignore_ascii_case("GatewaySubnet")) {
            return Err(ArmError::bad(
                "SubnetNameNotGatewaySubnet",
                format!(
                    "The subnet of virtual network gateway {} must be named GatewaySubnet.",
                    new.id.name()
                ),
            ));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    let id = new.id.clone();
    if let Some(Value::Array(configurations)) = new.body.pointer_mut("/properties/ipConfigurations")
    {
        for configuration in configurations {
            let name = configuration["name"]
                .as_str()
                .unwrap_or("default")
                .to_owned();
            configuration["id"] = json!(id.child("ipConfigurations", &name).as_str());
            configuration["type"] = json!(format!("{NAME}/ipConfigurations"));
            configuration["properties"]["provisioningState"] = json!("Succeeded");
        }
    }
    Ok(())
}

/// The IP configurations of gateways that lie in a subnet.
pub fn configurations<'a>(
    world: &'a World,
    subnet: &'a ResourceId,
) -> impl Iterator<Item = &'a Value> {
    world
        .of_type(NAME)
        .flat_map(|gateway| gateway.items("/properties/ipConfigurations"))
        .filter(|configuration| stands_in(configuration).is_some_and(|id| subnet.same(id.as_str())))
}

/// True when a finished gateway stands in the network.
#[must_use]
pub fn in_network(world: &World, network: &ResourceId) -> bool {
    world
        .of_type(NAME)
        .filter(|gateway| gateway.state() == "Succeeded")
        .flat_map(|gateway| gateway.items("/properties/ipConfigurations"))
        .filter_map(stands_in)
        .any(|subnet| network_of(&subnet).same(network.as_str()))
}

fn stands_in(configuration: &Value) -> Option<ResourceId> {
    ResourceId::parse(configuration.pointer("/properties/subnet/id")?.as_str()?)
}
