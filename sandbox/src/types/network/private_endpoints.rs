//! Microsoft.Network/privateEndpoints. A completed write takes an address for every member of the target,
//! makes the network interface, and appears on the target as a connection: approved, or pending when
//! it was asked for manually. The state that an endpoint shows is always that of its connection.

use serde_json::{Value, json};

use super::network_interfaces::own_addresses;
use super::private_endpoint_checks::{
    Connection, check, connection, link_of, members, statics, subnet,
};
use super::{addresses, network_of, private_dns_zone_groups};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Member, Patch, Type};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/privateEndpoints";

/// The row.
pub const PRIVATE_ENDPOINTS: Type = Type {
    patch: Patch::No,
    properties: &[
        "subnet",
        "ipVersionType",
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
        "applicationSecurityGroups",
        "ipConfigurations",
        "customNetworkInterfaceName",
        "billingSku",
    ],
    read_only: &["networkInterfaces", "customDnsConfigs", "resourceGuid"],
    check,
    fill,
    settle: |world, id| connect(world, id),
    on_delete,
    render,
    locks,
    ..super::top_level(NAME)
};

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    let interfaces = old
        .and_then(|old| old.at("/properties/networkInterfaces"))
        .cloned()
        .unwrap_or_else(|| json!([]));
    new.set("/properties/networkInterfaces", interfaces);
    for member in [
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
        "ipConfigurations",
        "applicationSecurityGroups",
        "customDnsConfigs",
    ] {
        new.default(&format!("/properties/{member}"), json!([]));
    }
    new.default("/properties/customNetworkInterfaceName", "");
    new.default("/properties/ipVersionType", "IPv4");
    let id = new.id.clone();
    for member in [
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
    ] {
        if let Some(Value::Array(connections)) =
            new.body.pointer_mut(&format!("/properties/{member}"))
        {
            for connection in connections {
                let name = connection["name"].as_str().unwrap_or(id.name()).to_owned();
                connection["id"] = json!(id.child(member, &name).as_str());
                connection["name"] = json!(name);
                connection["type"] = json!(format!("{NAME}/{member}"));
                connection["properties"]["provisioningState"] = json!("Succeeded");
            }
        }
    }
    Ok(())
}

/// Does what a completed write does; can be repeated.
///
/// # Errors
/// The target is gone or takes no endpoint, or the subnet is full.
pub fn connect(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let endpoint = world.require(id)?.clone();
    let wanted = connection(&endpoint)?;
    let members = members(world, &endpoint, &wanted)?;
    // Only a first connection asks the target; one that the target removed stays disconnected.
    let first = nic_of(world, &endpoint).is_none();
    interface(world, &endpoint, &wanted, &members)?;
    let approved =
        json!({ "status": "Approved", "description": "Auto-Approved", "actionsRequired": "None" });
    let pending = json!({ "status": "Pending", "description": wanted.message.clone().unwrap_or_default(), "actionsRequired": "None" });
    if let Some(link) = link_of(&wanted.target).filter(|_| first) {
        let guid = world.guid();
        let segment = link
            .connections
            .rsplit_once('/')
            .map_or("privateEndpointConnections", |(_, last)| last);
        let state = if wanted.manual { pending } else { approved };
        world.insert(Resource::new(wanted.target.child(segment, &format!("{}.{guid}", id.name())), link.connections, json!({
                "properties": { "privateEndpoint": { "id": id.as_str() }, "privateLinkServiceConnectionState": state, "provisioningState": "Succeeded" },
            })));
    }
    private_dns_zone_groups::refresh(world, id)
}

/// Makes the interface, or gives the one that is there an address for each new member.
fn interface(
    world: &mut World,
    endpoint: &Resource,
    wanted: &Connection,
    members: &[Member],
) -> ArmResult<()> {
    let subnet = subnet(world, endpoint)?;
    let mut nic = match nic_of(world, endpoint) {
        Some(nic) => nic.clone(),
        None => {
            let guid = world.guid();
            let custom = endpoint
                .text("/properties/customNetworkInterfaceName")
                .filter(|name| !name.is_empty());
            let name = custom.map_or_else(
                || format!("{}.nic.{guid}", endpoint.id.name()),
                ToOwned::to_owned,
            );
            new_interface(
                endpoint,
                endpoint.id.sibling(super::network_interfaces::NAME, &name),
                &guid,
            )
        }
    };
    let old: Vec<Value> = nic.items("/properties/ipConfigurations").to_vec();
    let required = |ip: &Value| {
        ip.pointer("/properties/privateLinkConnectionProperties/requiredMemberName")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let missing = members
        .iter()
        .filter(|member| {
            !old.iter()
                .any(|ip| required(ip).as_deref() == Some(&member.name))
        })
        .count();
    let fixed = statics(endpoint);
    let mut free = addresses::free(world, &subnet)
        .take(missing)
        .collect::<Vec<_>>()
        .into_iter();
    let mut configurations = Vec::new();
    for (at, member) in members.iter().enumerate() {
        if let Some(kept) = old
            .iter()
            .find(|ip| required(ip).as_deref() == Some(&member.name))
        {
            configurations.push(kept.clone());
            continue;
        }
        let chosen = endpoint
            .items("/properties/ipConfigurations")
            .iter()
            .find(|item| {
                item["properties"]["memberName"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(&member.name))
            });
        let (name, address, method) = match chosen {
            Some(item) => {
                let name = item["name"].as_str().unwrap_or(&member.name).to_owned();
                (
                    name,
                    item["properties"]["privateIPAddress"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    "Static",
                )
            }
            None if !fixed.is_empty() => {
                return Err(ArmError::bad(
                    "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps",
                    format!(
                        "Private endpoint {} is missing IP configurations for member names {} that the target requires.",
                        endpoint.id, member.name
                    ),
                ));
            }
            None => {
                let address = free
                    .next()
                    .ok_or_else(|| addresses::full(&subnet, missing))?;
                (
                    format!("privateEndpointIpConfig.{}", world.guid()),
                    address.to_string(),
                    "Dynamic",
                )
            }
        };
        configurations.push(json!({
            "name": name,
            "id": nic.id.child("ipConfigurations", &name).as_str(),
            "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
            "etag": nic.body["etag"],
            "properties": {
                "provisioningState": "Succeeded", "privateIPAddress": address, "privateIPAllocationMethod": method,
                "subnet": { "id": subnet.id.as_str() }, "primary": at == 0, "privateIPAddressVersion": "IPv4",
                "privateLinkConnectionProperties": {
                    "groupId": if wanted.group.is_empty() { &member.name } else { &wanted.group },
                    "requiredMemberName": member.name, "fqdns": [member.fqdn],
                },
            },
        }));
    }
    nic.set("/properties/ipConfigurations", configurations);
    let link = json!([{ "id": nic.id.as_str() }]);
    world.insert(nic);
    if let Some(endpoint) = world.get_mut(endpoint.id.as_str()) {
        endpoint.set("/properties/networkInterfaces", link);
    }
    Ok(())
}

fn new_interface(endpoint: &Resource, id: ResourceId, guid: &str) -> Resource {
    Resource::new(
        id,
        super::network_interfaces::NAME,
        json!({
            "location": endpoint.text("/location"),
            "etag": format!("W/\"{guid}\""),
            "properties": {
                "provisioningState": "Succeeded", "resourceGuid": guid, "ipConfigurations": [],
                "dnsSettings": { "dnsServers": [], "appliedDnsServers": [] }, "macAddress": "", "enableAcceleratedNetworking": false,
                "disableTcpStateTracking": false, "enableIPForwarding": false, "vnetEncryptionSupported": false, "hostedWorkloads": [],
                "tapConfigurations": [], "nicType": "Standard", "allowPort25Out": false, "privateEndpoint": { "id": endpoint.id.as_str() },
            },
        }),
    )
}

/// The interface of an endpoint, once it has one.
#[must_use]
pub fn nic_of<'a>(world: &'a World, endpoint: &Resource) -> Option<&'a Resource> {
    world.get(endpoint.text("/properties/networkInterfaces/0/id")?)
}

/// The connection of an endpoint as its target holds it.
#[must_use]
pub fn connection_on_target<'a>(world: &'a World, endpoint: &Resource) -> Option<&'a Resource> {
    let target = connection(endpoint).ok()?.target;
    let link = link_of(&target)?;
    world
        .list(target.as_str(), link.connections)
        .find(|connection| {
            connection
                .text("/properties/privateEndpoint/id")
                .is_some_and(|id| endpoint.id.same(id))
        })
}

/// Member, address and where its record belongs, for each address of an endpoint.
#[must_use]
pub fn endpoint_map(world: &World, endpoint: &Resource) -> Vec<(Member, String)> {
    let Ok(wanted) = connection(endpoint) else {
        return Vec::new();
    };
    let members = members(world, endpoint, &wanted).unwrap_or_default();
    let configurations = nic_of(world, endpoint)
        .map(|nic| nic.items("/properties/ipConfigurations"))
        .unwrap_or_default();
    members
        .into_iter()
        .filter_map(|member| {
            let ip = configurations.iter().find(|ip| {
                ip.pointer("/properties/privateLinkConnectionProperties/requiredMemberName")
                    .and_then(Value::as_str)
                    == Some(&member.name)
            })?;
            let address = ip
                .pointer("/properties/privateIPAddress")?
                .as_str()?
                .to_owned();
            Some((member, address))
        })
        .collect()
}

/// For the type of a target whose members changed (a registry got or lost a replica): every connected
/// endpoint gets or gives up its address, and the zone groups write their records anew. A manual
/// connection goes back to Pending when members are added.
///
/// # Errors
/// `SubnetIsFull` when one endpoint finds no address; `PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps`
/// when one has static addresses and none for the new member. The caller decides what its client reads.
pub fn members_changed(world: &mut World, target: &ResourceId) -> ArmResult<()> {
    let endpoints: Vec<Resource> = world
        .of_type(NAME)
        .filter(|endpoint| {
            connection(endpoint).is_ok_and(|wanted| wanted.target.same(target.as_str()))
        })
        .filter(|endpoint| {
            connection_on_target(world, endpoint).is_some() && nic_of(world, endpoint).is_some()
        })
        .cloned()
        .collect();
    for endpoint in endpoints {
        let before = own_addresses(nic_of(world, &endpoint)).len();
        connect(world, &endpoint.id)?;
        let grown = own_addresses(nic_of(world, &endpoint)).len() > before;
        let manual = connection(&endpoint).is_ok_and(|wanted| wanted.manual);
        if grown && manual {
            set_connection(world, &endpoint.id, &json!({ "status": "Pending" }))?;
        }
    }
    Ok(())
}

/// The deed `approve` of actors, and of owners that reject: sets the state of the endpoint's connection on
/// its target. `args` may hold `status` (Approved by default) and `description`.
///
/// # Errors
/// The endpoint has no connection yet.
pub fn set_connection(world: &mut World, endpoint: &ResourceId, args: &Value) -> ArmResult<()> {
    let endpoint = world.require(endpoint)?.clone();
    let connection = connection_on_target(world, &endpoint).map(|connection| connection.id.clone());
    let connection = connection.ok_or_else(|| {
        ArmError::new(
            404,
            "ConnectionNotFound",
            format!("{} has no connection on its target.", endpoint.id),
        )
    })?;
    if let Some(connection) = world.get_mut(connection.as_str()) {
        connection.set(
            "/properties/privateLinkServiceConnectionState/status",
            args["status"].as_str().unwrap_or("Approved"),
        );
        if let Some(description) = args["description"].as_str() {
            connection.set(
                "/properties/privateLinkServiceConnectionState/description",
                description,
            );
        }
    }
    Ok(())
}

fn on_delete(world: &mut World, endpoint: &Resource) -> ArmResult<()> {
    if let Some(nic) = nic_of(world, endpoint).map(|nic| nic.id.clone()) {
        world.remove(nic.as_str());
    }
    if let Some(connection) =
        connection_on_target(world, endpoint).map(|connection| connection.id.clone())
    {
        world.remove(connection.as_str());
    }
    Ok(())
}

fn render(world: &World, endpoint: &Resource, body: &mut Value) {
    let connected = nic_of(world, endpoint).is_some();
    let state = connection_on_target(world, endpoint).and_then(|connection| {
        connection
            .at("/properties/privateLinkServiceConnectionState")
            .cloned()
    });
    let gone = json!({ "status": "Disconnected", "description": "The private endpoint connection was removed from the target.", "actionsRequired": "None" });
    for (member, first) in [
        ("privateLinkServiceConnections", "Approved"),
        ("manualPrivateLinkServiceConnections", "Pending"),
    ] {
        let Some(Value::Array(connections)) = body.pointer_mut(&format!("/properties/{member}"))
        else {
            continue;
        };
        for connection in connections {
            connection["properties"]["privateLinkServiceConnectionState"] =
                match (&state, connected) {
                    (Some(state), _) => state.clone(),
                    (None, true) => gone.clone(),
                    (None, false) => {
                        json!({ "status": first, "description": "", "actionsRequired": "None" })
                    }
                };
        }
    }
    let grouped = world
        .list(endpoint.id.as_str(), private_dns_zone_groups::NAME)
        .next()
        .is_some();
    if !grouped {
        let configs: Vec<Value> = endpoint_map(world, endpoint)
            .into_iter()
            .map(|(member, address)| json!({ "fqdn": member.fqdn, "ipAddresses": [address] }))
            .collect();
        body["properties"]["customDnsConfigs"] = json!(configs);
    }
    if let Value::Object(properties) = &mut body["properties"] {
        properties.remove("resourceGuid");
    }
}

/// An endpoint holds itself, the network of its subnet, and its target.
fn locks(_: &World, endpoint: &Resource) -> Vec<String> {
    let network = endpoint
        .text("/properties/subnet/id")
        .and_then(ResourceId::parse)
        .map(|subnet| network_of(&subnet).key());
    let target = connection(endpoint)
        .ok()
        .map(|connection| connection.target.key());
    std::iter::once(endpoint.id.key())
        .chain(network)
        .chain(target)
        .collect()
}
