//! Microsoft.Network/networkInterfaces: addresses from subnets. The interface of a private endpoint
//! belongs to the endpoint; nobody else writes or deletes it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::{addresses, network_of};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/networkInterfaces";

/// The row.
pub const NETWORK_INTERFACES: Type = Type {
    properties: &[
        "networkSecurityGroup",
        "ipConfigurations",
        "dnsSettings",
        "enableAcceleratedNetworking",
        "disableTcpStateTracking",
        "enableIPForwarding",
        "workloadType",
        "nicType",
        "privateLinkService",
        "migrationPhase",
        "auxiliaryMode",
        "auxiliarySku",
    ],
    read_only: &[
        "virtualMachine",
        "privateEndpoint",
        "tapConfigurations",
        "macAddress",
        "primary",
        "vnetEncryptionSupported",
        "defaultOutboundConnectivityEnabled",
        "hostedWorkloads",
        "dscpConfiguration",
        "resourceGuid",
        "allowPort25Out",
    ],
    check,
    fill,
    locks,
    busy: super::busy,
    ..super::top_level(NAME)
};

/// The configurations as a read-only child type.
pub const IP_CONFIGURATIONS: Type = Type {
    not_found: "NotFound",
    ..Type::computed(
        "Microsoft.Network/networkInterfaces/ipConfigurations",
        super::VERSIONS,
        |_, nic| {
            let configurations = nic.items("/properties/ipConfigurations").iter();
            configurations
                .map(|ip| {
                    (
                        ip["name"].as_str().unwrap_or_default().to_owned(),
                        ip.clone(),
                    )
                })
                .collect()
        },
    )
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let endpoint = change
        .old
        .and_then(|old| old.text("/properties/privateEndpoint/id"));
    if let Some(endpoint) = endpoint.filter(|id| world.get(id).is_some()) {
        return Err(ArmError::bad(
            "NicInUseWithPrivateEndpoint",
            format!(
                "Network interface {} is in use with private endpoint {endpoint} and cannot be changed or deleted.",
                new.id
            ),
        ));
    }
    if change.verb == Verb::Delete {
        return Ok(());
    }
    super::check_name(change, 80)?;
    super::reference(
        world,
        new,
        "/properties/networkSecurityGroup/id",
        "Microsoft.Network/networkSecurityGroups",
        new.text("/location"),
    )?;
    let configurations = new.items("/properties/ipConfigurations");
    if configurations.is_empty() {
        return Err(ArmError::bad(
            "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
            format!(
                "Network interface {} must have one or more IP configurations.",
                new.id
            ),
        ));
    }
    let mine = own_addresses(change.old);
    let mut needed = 0;
    for (at, configuration) in configurations.iter().enumerate() {
        if configuration.get("name").and_then(Value::as_str).is_none() {
            return Err(super::cannot_parse(
                "Required property 'name' not found in JSON. Path 'properties.ipConfigurations'.",
            ));
        }
        let pointer = format!("/properties/ipConfigurations/{at}/properties");
        let Some(subnet) = new.text(&format!("{pointer}/subnet/id")) else {
            return Err(ArmError::bad(
                "SubnetMissingInIpConfiguration",
                format!(
                    "An IP configuration of network interface {} has no subnet.",
                    new.id
                ),
            ));
        };
        super::reference(
            world,
            new,
            &format!("{pointer}/subnet/id"),
            super::subnets::NAME,
            None,
        )?;
        super::reference(
            world,
            new,
            &format!("{pointer}/publicIPAddress/id"),
            "Microsoft.Network/publicIPAddresses",
            new.text("/location"),
        )?;
        let Some(subnet) = world.get(subnet) else {
            continue;
        };
        match new
            .text(&format!("{pointer}/privateIPAddress"))
            .filter(|_| is_static(configuration))
        {
            Some(address) => {
                addresses::check_static(world, subnet, address, &mine)?;
            }
            None => needed += 1,
        }
        if needed > addresses::free(world, subnet).take(needed).count() + mine.len() {
            return Err(addresses::full(subnet, needed));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/properties/enableAcceleratedNetworking", false);
    new.default("/properties/enableIPForwarding", false);
    new.default("/properties/disableTcpStateTracking", false);
    new.default(
        "/properties/dnsSettings",
        json!({ "dnsServers": [], "appliedDnsServers": [] }),
    );
    new.set("/properties/nicType", "Standard");
    new.set("/properties/hostedWorkloads", json!([]));
    new.set("/properties/tapConfigurations", json!([]));
    let mut configurations = new.items("/properties/ipConfigurations").to_vec();
    let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
    for (at, configuration) in configurations.iter_mut().enumerate() {
        let name = configuration["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let before = old.and_then(|old| {
            let same = old
                .items("/properties/ipConfigurations")
                .iter()
                .find(|ip| ip["name"] == name.as_str())?;
            (same.pointer("/properties/subnet/id")
                == configuration.pointer("/properties/subnet/id"))
            .then(|| {
                same.pointer("/properties/privateIPAddress")?
                    .as_str()
                    .map(ToOwned::to_owned)
            })?
        });
        let fixed = is_static(configuration);
        let address = match (fixed, before) {
            (true, _) => configuration
                .pointer("/properties/privateIPAddress")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
            (false, Some(before)) => Some(before),
            (false, None) => {
                let subnet = configuration
                    .pointer("/properties/subnet/id")
                    .and_then(Value::as_str)
                    .and_then(|id| world.get(id));
                subnet
                    .and_then(|subnet| {
                        addresses::free(world, subnet)
                            .find(|free| !taken.contains(&IpAddr::V4(*free)))
                    })
                    .map(|free| free.to_string())
            }
        };
        taken.extend(
            address
                .as_deref()
                .and_then(|text| text.parse::<IpAddr>().ok()),
        );
        configuration["id"] = json!(new.id.child("ipConfigurations", &name).as_str());
        configuration["type"] = json!(format!("{NAME}/ipConfigurations"));
        let properties = &mut configuration["properties"];
        properties["provisioningState"] = json!("Succeeded");
        properties["privateIPAllocationMethod"] = json!(if fixed { "Static" } else { "Dynamic" });
        properties["privateIPAddress"] = json!(address);
        if properties.get("primary").is_none() {
            properties["primary"] = json!(at == 0);
        }
        if properties.get("privateIPAddressVersion").is_none() {
            properties["privateIPAddressVersion"] = json!("IPv4");
        }
    }
    new.set("/properties/ipConfigurations", configurations);
    Ok(())
}

fn is_static(configuration: &Value) -> bool {
    configuration
        .pointer("/properties/privateIPAllocationMethod")
        .and_then(Value::as_str)
        .is_some_and(|method| method.eq_ignore_ascii_case("Static"))
}

/// The addresses that an interface has already.
#[must_use]
pub fn own_addresses(nic: Option<&Resource>) -> BTreeSet<IpAddr> {
    let configurations = nic
        .map(|nic| nic.items("/properties/ipConfigurations"))
        .unwrap_or_default();
    configurations
        .iter()
        .filter_map(addresses::address)
        .collect()
}

/// An interface holds itself and the networks of its subnets.
fn locks(_: &World, nic: &Resource) -> Vec<String> {
    let subnets = nic
        .items("/properties/ipConfigurations")
        .iter()
        .filter_map(|ip| ip.pointer("/properties/subnet/id")?.as_str());
    let mut locks: Vec<String> = subnets
        .filter_map(ResourceId::parse)
        .map(|subnet| network_of(&subnet).key())
        .collect();
    locks.push(nic.id.key());
    locks.dedup();
    locks
}
