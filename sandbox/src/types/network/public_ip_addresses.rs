//! Microsoft.Network/publicIPAddresses. A static address is there as soon as the resource is.

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The row.
pub const PUBLIC_IP_ADDRESSES: Type = Type {
    members: &["sku", "zones", "extendedLocation"],
    properties: &[
        "publicIPAllocationMethod",
        "publicIPAddressVersion",
        "dnsSettings",
        "ddosSettings",
        "ipTags",
        "ipAddress",
        "publicIPPrefix",
        "idleTimeoutInMinutes",
        "servicePublicIPAddress",
        "natGateway",
        "migrationPhase",
        "linkedPublicIPAddress",
        "deleteOption",
    ],
    read_only: &["ipConfiguration", "resourceGuid", "upgradedToV2"],
    check,
    fill,
    render,
    ..super::top_level("Microsoft.Network/publicIPAddresses")
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        let user = super::users(world, &new.id).next();
        return user.map_or(Ok(()), |user| Err(ArmError::bad("PublicIPAddressCannotBeDeleted", format!(
            "Public IP address {} can not be deleted since it is still allocated to resource {}. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.", new.id, user.id))));
    }
    super::check_name(change, 80)?;
    let sku = new.text("/sku/name").unwrap_or("Basic");
    if !["Basic", "Standard", "StandardV2"].contains(&sku) {
        return Err(super::cannot_parse(&format!(
            "Error converting value \"{sku}\" to type 'PublicIPAddressSkuName'. Path 'sku.name'."
        )));
    }
    super::one_of(
        new,
        "/properties/publicIPAllocationMethod",
        &["Static", "Dynamic"],
    )?;
    super::one_of(new, "/properties/publicIPAddressVersion", &["IPv4", "IPv6"])?;
    if sku != "Basic" && new.text("/properties/publicIPAllocationMethod") != Some("Static") {
        return Err(ArmError::bad(
            "PublicIPAddressWithStandardSkuMustUseStaticAllocation",
            format!(
                "Standard sku publicIp {} must have AllocationMethod set to Static.",
                new.id
            ),
        ));
    }
    if let Some(minutes) = new
        .at("/properties/idleTimeoutInMinutes")
        .and_then(Value::as_i64)
        .filter(|minutes| !(4..=30).contains(minutes))
    {
        return Err(ArmError::bad(
            "PublicIPAddressIdleTimeoutIsOutOfRange",
            format!("The idle timeout of {minutes} minutes is not between 4 and 30."),
        ));
    }
    if let Some(old) = change
        .old
        .filter(|old| old.text("/sku/name") != new.text("/sku/name"))
    {
        return Err(ArmError::bad(
            "SkuCannotBeChangedOnUpdate",
            format!(
                "Sku property of {} cannot be changed from {} to {sku}.",
                new.id,
                old.text("/sku/name").unwrap_or("Basic")
            ),
        ));
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/sku/name", "Basic");
    new.default("/sku/tier", "Regional");
    new.default("/properties/publicIPAllocationMethod", "Dynamic");
    new.default("/properties/publicIPAddressVersion", "IPv4");
    new.default("/properties/idleTimeoutInMinutes", 4);
    new.default("/properties/ipTags", json!([]));
    new.default(
        "/properties/ddosSettings",
        json!({ "protectionMode": "VirtualNetworkInherited" }),
    );
    new.unset("/properties/ipAddress");
    if new.text("/properties/publicIPAllocationMethod") == Some("Static") {
        let address = match old.and_then(|old| old.text("/properties/ipAddress")) {
            Some(address) => address.to_owned(),
            // 203.0.113.0/24 is for documentation; tests need more, so the benchmarking range 198.18.0.0/15 it is.
            None => {
                let number = world.number();
                format!("198.18.{}.{}", number / 250 % 256, number % 250 + 1)
            }
        };
        new.set("/properties/ipAddress", address);
    }
    if let Some(label) = new
        .text("/properties/dnsSettings/domainNameLabel")
        .map(ToOwned::to_owned)
    {
        let region = new.text("/location").unwrap_or_default().to_owned();
        new.set(
            "/properties/dnsSettings/fqdn",
            format!("{label}.{region}.cloudapp.azure.com"),
        );
    }
    Ok(())
}

fn render(world: &World, address: &Resource, body: &mut Value) {
    for user in super::users(world, &address.id) {
        if user.type_name == "Microsoft.Network/natGateways" {
            body["properties"]["natGateway"] = json!({ "id": user.id.as_str() });
        }
        let configuration = user
            .items("/properties/ipConfigurations")
            .iter()
            .find(|ip| super::refers(ip, &address.id));
        if let Some(id) = configuration.and_then(|ip| ip.get("id")) {
            body["properties"]["ipConfiguration"] = json!({ "id": id });
        }
    }
}
