//! Microsoft.Network/natGateways. A creation is answered with 202 and `Azure-AsyncOperation`.

use serde_json::Value;

use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Style, Type, Verb};

/// The row.
pub const NAT_GATEWAYS: Type = Type {
    put: Style::AsyncAccepted,
    members: &["sku", "zones"],
    properties: &[
        "idleTimeoutInMinutes",
        "publicIpAddresses",
        "publicIpAddressesV6",
        "publicIpPrefixes",
        "publicIpPrefixesV6",
        "sourceVirtualNetwork",
        "serviceGateway",
        "nat64",
    ],
    read_only: &["subnets", "resourceGuid"],
    check,
    fill,
    render,
    ..super::top_level("Microsoft.Network/natGateways")
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        let user = super::users(world, &new.id).next();
        return user.map_or(Ok(()), |user| {
            Err(ArmError::bad(
                "InUseNatGatewayCannotBeDeleted",
                format!(
                    "NAT gateway {} is in use by {} and cannot be deleted.",
                    new.id.name(),
                    user.id
                ),
            ))
        });
    }
    super::check_name(change, 80)?;
    if !matches!(new.text("/sku/name"), Some("Standard" | "StandardV2")) {
        return Err(ArmError::bad(
            "NatGatewaySkuInvalid",
            "The SKU of a NAT gateway is Standard or StandardV2.",
        ));
    }
    if let Some(minutes) = new
        .at("/properties/idleTimeoutInMinutes")
        .and_then(Value::as_i64)
        .filter(|minutes| !(4..=120).contains(minutes))
    {
        return Err(ArmError::bad(
            "NatGatewayIdleTimeoutInvalid",
            format!("The idle timeout of {minutes} minutes is not between 4 and 120."),
        ));
    }
    for at in 0..new.items("/properties/publicIpAddresses").len() {
        let pointer = format!("/properties/publicIpAddresses/{at}/id");
        super::reference(
            world,
            new,
            &pointer,
            "Microsoft.Network/publicIPAddresses",
            new.text("/location"),
        )?;
        let address = new.text(&pointer).and_then(|id| world.get(id));
        if let Some(address) = address.filter(|address| address.text("/sku/name") == Some("Basic"))
        {
            return Err(ArmError::bad(
                "NatGatewayCannotUseBasicPublicIp",
                format!(
                    "NAT gateway {} cannot use the public IP address {} of SKU Basic.",
                    new.id.name(),
                    address.id
                ),
            ));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/properties/idleTimeoutInMinutes", 4);
    new.default("/sku/tier", "Regional");
    Ok(())
}

fn render(world: &World, gateway: &Resource, body: &mut Value) {
    super::back_references(world, gateway, body, &[("subnets", super::subnets::NAME)]);
}
