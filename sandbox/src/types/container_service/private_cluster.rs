//! A private cluster: its API server answers at a private endpoint in the first pool's subnet, under a name
//! in a private zone that the cluster makes, or that the user gives, or in none. With network integration
//! the API server has an address of a delegated subnet instead of an endpoint.

use serde_json::json;

use super::node_group::{id as group_of, managed_subnet, member, put};
use super::{VERSIONS, agent_pools, clusters, identities, on};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Member, Place, PrivateLink, Style, Type};
use crate::types::authorization::rights::has_right;
use crate::types::container_registry::connections;
use crate::types::network::{addresses, load_balancers, network_of, private_endpoints};
use crate::types::private_dns::{links, records, zones};

/// The row of the connections of private endpoints, the cluster's own and those of users.
pub const CONNECTIONS: Type = Type {
    place: Place::None,
    delete: Style::AsyncOperation,
    creating: Some("Creating"),
    properties: &["privateEndpoint", "privateLinkServiceConnectionState"],
    check: connections::check,
    fill: connections::fill,
    ..Type::new(
        "Microsoft.ContainerService/managedClusters/privateEndpointConnections",
        VERSIONS,
    )
};

/// What private endpoints connect to: the group `management` with one member.
pub const LINK: PrivateLink = PrivateLink {
    members: |_, cluster, group| {
        if !is_private(cluster) || integrated(cluster) {
            return Err(ArmError::bad(
                "BadRequest",
                format!("The cluster {} has no private link resource.", cluster.id),
            ));
        }
        if !group.eq_ignore_ascii_case("management") {
            return Err(ArmError::bad(
                "PrivateLinkServiceGroupIdInvalid",
                format!(
                    "The group id '{group}' is invalid for {}. The group ids are 'management'.",
                    cluster.id
                ),
            ));
        }
        let (record, zone) = record(cluster).unwrap_or_default();
        Ok(vec![Member {
            name: "management".into(),
            fqdn: format!("{record}.{zone}"),
            zone,
            record,
        }])
    },
    connections: CONNECTIONS.name,
};

/// The group `management`, in the service's own shape.
pub const LINK_RESOURCES: Type = Type::computed(
    "Microsoft.ContainerService/managedClusters/privateLinkResources",
    VERSIONS,
    |_, cluster| {
        if !is_private(cluster) || integrated(cluster) {
            return Vec::new();
        }
        let body = json!({
            "id": cluster.id.child("privateLinkResources", "management").as_str(),
            "name": "management",
            "type": "Microsoft.ContainerService/managedClusters/privateLinkResources",
            "groupId": "management", "requiredMembers": ["management"], "privateLinkServiceID": cluster.id.as_str(),
        });
        vec![("management".to_owned(), body)]
    },
);

const ACCESS: &str = "/properties/apiServerAccessProfile";

/// True for a cluster whose API server is private.
#[must_use]
pub fn is_private(cluster: &Resource) -> bool {
    on(cluster, &format!("{ACCESS}/enablePrivateCluster"))
}

/// True for an API server that lives in a subnet.
#[must_use]
pub fn integrated(cluster: &Resource) -> bool {
    on(cluster, &format!("{ACCESS}/enableVnetIntegration"))
}

fn mode(cluster: &Resource) -> &str {
    cluster
        .text(&format!("{ACCESS}/privateDNSZone"))
        .unwrap_or("system")
}

/// The record set and the zone of the private name; `None` without a zone.
fn record(cluster: &Resource) -> Option<(String, String)> {
    let region = cluster.text("/location").unwrap_or_default();
    let zone = match mode(cluster) {
        "none" => return None,
        "system" if integrated(cluster) => format!("{}.private.{region}.azmk8s.io", guid(cluster)),
        "system" => format!("{}.privatelink.{region}.azmk8s.io", guid(cluster)),
        id => ResourceId::parse(id)?.name().to_owned(),
    };
    let record = match cluster.text("/properties/fqdnSubdomain") {
        Some(subdomain) => subdomain.to_owned(),
        None => format!(
            "{}-{}",
            cluster.text("/properties/dnsPrefix").unwrap_or_default(),
            clusters::hash(cluster, "private")
        ),
    };
    Some((record, zone))
}

fn guid(cluster: &Resource) -> String {
    let seed = clusters::hash(cluster, "zone");
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, seed.as_bytes()).to_string()
}

/// Sets the private name when a write is accepted.
pub fn fill(new: &mut Resource) {
    match record(new).filter(|_| is_private(new)) {
        Some((record, zone)) => new.set("/properties/privateFQDN", format!("{record}.{zone}")),
        None => new.unset("/properties/privateFQDN"),
    }
}

/// The zone with its record, and where the API server is.
///
/// # Errors
/// `CustomPrivateDNSZoneMissingPermissionError`, `CreateOrUpdateVirtualNetworkLinkFailed`, a full subnet.
pub fn settle(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    if integrated(cluster) {
        load_balancer(world, cluster)?;
    }
    if !is_private(cluster) {
        return Ok(());
    }
    permitted(world, cluster)?;
    let subnet = node_subnet(world, cluster);
    if !integrated(cluster) {
        endpoint(world, cluster, &subnet)?;
    }
    let Some((name, zone)) = record(cluster) else {
        return Ok(());
    };
    let zone_id = zone_id(cluster, &zone);
    if world.get(zone_id.as_str()).is_none() {
        put(
            world,
            &zone_id,
            zones::NAME,
            json!({ "location": "global" }),
        )?;
    }
    link(world, cluster, &zone_id, &network_of(&subnet))?;
    let address = address(world, cluster).unwrap_or_default();
    put(
        world,
        &zone_id.child("A", &name),
        records::A.name,
        json!({ "properties": { "ttl": 300, "aRecords": [{ "ipv4Address": address }] } }),
    )
}

fn zone_id(cluster: &Resource, zone: &str) -> ResourceId {
    match mode(cluster) {
        "system" => member(cluster, zones::NAME, zone),
        id => ResourceId::parse(id).unwrap_or_else(|| member(cluster, zones::NAME, zone)),
    }
}

/// A zone of the user's needs rights of the control plane on it and on the network.
fn permitted(world: &World, cluster: &Resource) -> ArmResult<()> {
    let zone = mode(cluster);
    if !zone.starts_with('/') {
        return Ok(());
    }
    let principal = identities::principal(world, cluster).unwrap_or_default();
    let network = network_of(&node_subnet(world, cluster));
    for (action, scope) in [
        ("Microsoft.Network/privateDnsZones/read", zone),
        ("Microsoft.Network/privateDnsZones/write", zone),
        ("Microsoft.Network/privateDnsZones/A/write", zone),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
            zone,
        ),
        (
            "Microsoft.Network/virtualNetworks/join/action",
            network.as_str(),
        ),
    ] {
        if !has_right(world, &principal, action, scope) {
            return Err(ArmError::bad(
                "CustomPrivateDNSZoneMissingPermissionError",
                format!(
                    "Service principal or user-assigned identity must be given permission to read and write to custom private dns zone {zone}. Check access result not allowed for action {action}."
                ),
            ));
        }
    }
    Ok(())
}

/// The subnet of the first pool's nodes.
fn node_subnet(world: &World, cluster: &Resource) -> ResourceId {
    agent_pools::of(world, &cluster.id)
        .first()
        .and_then(|pool| pool.text("/properties/vnetSubnetID"))
        .and_then(ResourceId::parse)
        .unwrap_or_else(|| managed_subnet(cluster))
}

fn endpoint(world: &mut World, cluster: &Resource, subnet: &ResourceId) -> ArmResult<()> {
    let id = member(cluster, private_endpoints::NAME, "kube-apiserver");
    if world.get(id.as_str()).is_some() {
        return Ok(());
    }
    let body = json!({
        "location": cluster.text("/location"),
        "properties": {
            "subnet": { "id": subnet.as_str() },
            "privateLinkServiceConnections": [{
                "name": "kube-apiserver",
                "properties": { "privateLinkServiceId": cluster.id.as_str(), "groupIds": ["management"] },
            }],
        },
    });
    put(world, &id, private_endpoints::NAME, body)
}

/// The address of the API server: that of the endpoint, or of the load balancer in its subnet.
fn address(world: &World, cluster: &Resource) -> Option<String> {
    if integrated(cluster) {
        let balancer = member(cluster, load_balancers::NAME, "kube-apiserver");
        return world
            .get(balancer.as_str())?
            .text("/properties/frontendIPConfigurations/0/properties/privateIPAddress")
            .map(ToOwned::to_owned);
    }
    let endpoint =
        world.get(member(cluster, private_endpoints::NAME, "kube-apiserver").as_str())?;
    private_endpoints::nic_of(world, endpoint)?
        .text("/properties/ipConfigurations/0/properties/privateIPAddress")
        .map(ToOwned::to_owned)
}

/// The internal load balancer of an API server in a subnet.
fn load_balancer(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    let id = member(cluster, load_balancers::NAME, "kube-apiserver");
    if world.get(id.as_str()).is_some() {
        return Ok(());
    }
    let subnet = cluster.text(&format!("{ACCESS}/subnetId")).map_or_else(
        || managed_subnet(cluster).as_str().to_owned(),
        ToOwned::to_owned,
    );
    let Some(found) = world.get(&subnet) else {
        return Ok(());
    };
    let free = addresses::free(world, found)
        .next()
        .ok_or_else(|| addresses::full(found, 1))?;
    let front = id.child("frontendIPConfigurations", "kube-apiserver-frontend");
    let body = json!({
        "location": cluster.text("/location"), "sku": { "name": "Standard", "tier": "Regional" },
        "properties": { "frontendIPConfigurations": [{
            "name": front.name(), "id": front.as_str(),
            "properties": {
                "provisioningState": "Succeeded", "privateIPAllocationMethod": "Static",
                "privateIPAddress": free.to_string(), "subnet": { "id": found.id.as_str() },
            },
        }] },
    });
    put(world, &id, load_balancers::NAME, body)
}

/// Links the zone to the nodes' network. A link that others made to the same network collides.
fn link(
    world: &mut World,
    cluster: &Resource,
    zone: &ResourceId,
    network: &ResourceId,
) -> ArmResult<()> {
    let id = zone.child("virtualNetworkLinks", &link_name(cluster));
    if world
        .get(id.as_str())
        .is_some_and(|link| link.state() == "Succeeded")
    {
        return Ok(());
    }
    let body = json!({
        "location": "global",
        "properties": { "virtualNetwork": { "id": network.as_str() }, "registrationEnabled": false },
    });
    put(world, &id, links::NAME, body).map_err(|error| {
        ArmError::bad(
            "CreateOrUpdateVirtualNetworkLinkFailed",
            format!("Create or update virtual network link failed. Private DNS zone: {zone}; virtual network: {network}. {}: {}", error.code, error.message),
        )
        .with(error)
    })
}

fn link_name(cluster: &Resource) -> String {
    let prefix = cluster
        .text("/properties/dnsPrefix")
        .or_else(|| cluster.text("/properties/fqdnSubdomain"));
    format!(
        "{}-{}",
        prefix.unwrap_or_default(),
        clusters::hash(cluster, "private")
    )
}

/// Takes back what the cluster wrote into a zone of the user's. The zone stays.
///
/// # Errors
/// None.
pub fn remove(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    let Some((name, zone)) = record(cluster).filter(|_| is_private(cluster)) else {
        return Ok(());
    };
    let zone = zone_id(cluster, &zone);
    if zone
        .group()
        .is_some_and(|group| group.eq_ignore_ascii_case(group_of(cluster).name()))
    {
        return Ok(());
    }
    for id in [
        zone.child("A", &name),
        zone.child("virtualNetworkLinks", &link_name(cluster)),
    ] {
        if world.get(id.as_str()).is_some() {
            world.delete(&id)?;
        }
    }
    Ok(())
}
