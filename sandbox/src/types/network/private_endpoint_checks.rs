//! What a private endpoint's body must hold, and what of it cannot change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::network_interfaces::own_addresses;
use super::private_endpoints::nic_of;
use super::{addresses, network_of};
use crate::errors::{ArmError, ArmResult, invalid_reference};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{self, Change, Member, PrivateLink, Verb};

/// The row's check.
///
/// # Errors
/// What Azure refuses at once.
pub fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    if change.verb == Verb::Delete {
        return Ok(());
    }
    super::check_name(change, 80)?;
    let subnet = subnet(world, new)?;
    super::one_of(
        new,
        "/properties/ipVersionType",
        &["IPv4", "IPv6", "DualStack"],
    )?;
    for at in 0..new.items("/properties/applicationSecurityGroups").len() {
        super::reference(
            world,
            new,
            &format!("/properties/applicationSecurityGroups/{at}/id"),
            "Microsoft.Network/applicationSecurityGroups",
            new.text("/location"),
        )?;
    }
    let connection = connection(new)?;
    if let Some(old) = change.old {
        unchanged(old, new)?;
    }
    let members = members(world, new, &connection)?;
    if change.old.is_none() {
        has_room(world, &connection.target)?;
    }
    if connection
        .message
        .as_deref()
        .is_some_and(|message| message.len() > 140)
    {
        return Err(ArmError::bad(
            "PrivateLinkServiceConnectionRequestMessageTooLong",
            format!(
                "The request message of private endpoint {} is longer than 140 characters.",
                new.id
            ),
        ));
    }
    if !subnet.items("/properties/delegations").is_empty() && change.old.is_none() {
        return Err(ArmError::bad(
            "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
            format!(
                "Private endpoint {} cannot be created in subnet {} since it is delegated.",
                new.id, subnet.id
            ),
        ));
    }
    check_static(world, new, &subnet, &members, change.old)?;
    let nic = change.old.and_then(|old| nic_of(world, old));
    let missing = members.len().saturating_sub(own_addresses(nic).len());
    if new.items("/properties/ipConfigurations").is_empty()
        && addresses::free(world, &subnet).take(missing).count() < missing
    {
        return Err(addresses::full(&subnet, missing));
    }
    Ok(())
}

/// A target takes 200 endpoints (Azure Container Registry documentation, service limits).
fn has_room(world: &World, target: &ResourceId) -> ArmResult<()> {
    const MOST: usize = 200;
    let used = link_of(target).map_or(0, |link| {
        world.list(target.as_str(), link.connections).count()
    });
    if used < MOST {
        return Ok(());
    }
    Err(ArmError::bad(
        "MaxPrivateEndpointConnectionsReached",
        format!("{target} has {used} private endpoint connections; the limit is {MOST}."),
    ))
}

/// Most of an endpoint cannot change once it is made.
fn unchanged(old: &Resource, new: &Resource) -> ArmResult<()> {
    let refuse = |code: &str, what: &str| {
        Err(ArmError::bad(
            code,
            format!(
                "The {what} of private endpoint {} cannot be changed.",
                new.id
            ),
        ))
    };
    let same = |a: Option<&str>, b: Option<&str>| {
        a.unwrap_or_default()
            .eq_ignore_ascii_case(b.unwrap_or_default())
    };
    if !same(
        old.text("/properties/subnet/id"),
        new.text("/properties/subnet/id"),
    ) {
        return refuse("CannotChangeSubnetOnPrivateEndpoint", "subnet");
    }
    let (before, after) = (connection(old)?, connection(new)?);
    if !before.target.same(after.target.as_str())
        || !before.group.eq_ignore_ascii_case(&after.group)
        || before.manual != after.manual
    {
        return refuse(
            "CannotChangePrivateLinkConnectionOnPrivateEndpoint",
            "private link service connection",
        );
    }
    if !same(
        old.text("/properties/customNetworkInterfaceName"),
        new.text("/properties/customNetworkInterfaceName"),
    ) {
        return refuse(
            "CannotChangeCustomNetworkInterfaceNameOnPrivateEndpoint",
            "network interface name",
        );
    }
    if statics(old) != statics(new) && old.state() != "Failed" {
        return refuse(
            "CannotChangeIpConfigurationsOnPrivateEndpoint",
            "list of IP configurations",
        );
    }
    Ok(())
}

/// Group, member and address of each static configuration, sorted.
pub fn statics(endpoint: &Resource) -> BTreeSet<(String, String, String)> {
    let text = |item: &Value, name: &str| {
        item["properties"][name]
            .as_str()
            .unwrap_or_default()
            .to_lowercase()
    };
    let items = endpoint.items("/properties/ipConfigurations").iter();
    items
        .map(|item| {
            (
                text(item, "groupId"),
                text(item, "memberName"),
                text(item, "privateIPAddress"),
            )
        })
        .collect()
}

/// Static addresses must be given for every member that the target requires, and be free.
fn check_static(
    world: &World,
    new: &Resource,
    subnet: &Resource,
    members: &[Member],
    old: Option<&Resource>,
) -> ArmResult<()> {
    let items = statics(new);
    if items.is_empty() {
        return Ok(());
    }
    let given: BTreeSet<&str> = items.iter().map(|(_, member, _)| member.as_str()).collect();
    let missing: Vec<&str> = members
        .iter()
        .map(|member| member.name.as_str())
        .filter(|name| !given.contains(name.to_lowercase().as_str()))
        .collect();
    if !missing.is_empty() {
        return Err(ArmError::bad(
            "PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps",
            format!(
                "Private endpoint {} is missing IP configurations for member names {} that the target requires.",
                new.id,
                missing.join(", ")
            ),
        ));
    }
    if let Some(unknown) = given.iter().find(|name| {
        !members
            .iter()
            .any(|member| member.name.eq_ignore_ascii_case(name))
    }) {
        return Err(ArmError::bad(
            "PrivateEndpointIpConfigurationInvalidMemberName",
            format!(
                "Member name {unknown} of private endpoint {} is not one of the target's.",
                new.id
            ),
        ));
    }
    let distinct: BTreeSet<&str> = items
        .iter()
        .map(|(_, _, address)| address.as_str())
        .collect();
    if distinct.len() != items.len() {
        return Err(ArmError::bad(
            "PrivateIPAddressIsAllocated",
            format!("Private endpoint {} names an IP address twice.", new.id),
        ));
    }
    let mine = own_addresses(old.and_then(|old| nic_of(world, old)));
    items.iter().try_for_each(|(_, _, address)| {
        addresses::check_static(world, subnet, address, &mine).map(|_| ())
    })
}

/// The subnet of an endpoint, in the endpoint's region.
///
/// # Errors
/// `InvalidResourceReference`.
pub fn subnet(world: &World, endpoint: &Resource) -> ArmResult<Resource> {
    let Some(text) = endpoint.text("/properties/subnet/id") else {
        return Err(super::cannot_parse(
            "Required property 'id' not found in JSON. Path 'properties.subnet'.",
        ));
    };
    super::reference(
        world,
        endpoint,
        "/properties/subnet/id",
        super::subnets::NAME,
        None,
    )?;
    let subnet = world
        .get(text)
        .cloned()
        .ok_or_else(|| invalid_reference(text, &endpoint.id))?;
    let network = world.get(network_of(&subnet.id).as_str());
    if network.and_then(|network| network.text("/location")) != endpoint.text("/location") {
        return Err(invalid_reference(text, &endpoint.id));
    }
    Ok(subnet)
}

/// One connection of an endpoint's body.
pub struct Connection {
    /// The resource that it connects to.
    pub target: ResourceId,
    /// The group id, such as `registry`.
    pub group: String,
    /// True when the owner of the target has to approve it.
    pub manual: bool,
    /// What the owner reads.
    pub message: Option<String>,
}

/// The one connection of the body.
pub fn connection(endpoint: &Resource) -> ArmResult<Connection> {
    let auto = endpoint.items("/properties/privateLinkServiceConnections");
    let manual = endpoint.items("/properties/manualPrivateLinkServiceConnections");
    let (item, manual) = match (auto, manual) {
        ([item], []) => (item, false),
        ([], [item]) => (item, true),
        _ => {
            return Err(ArmError::bad(
                "PrivateEndpointMustHaveOnePrivateLinkServiceConnection",
                format!(
                    "Private endpoint {} must have exactly one private link service connection, automatic or manual.",
                    endpoint.id
                ),
            ));
        }
    };
    let text = item
        .pointer("/properties/privateLinkServiceId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let target = ResourceId::parse(text).ok_or_else(|| {
        ArmError::bad("LinkedInvalidPropertyId", format!(
            "Property id '{text}' at path 'properties.privateLinkServiceConnections[0].properties.privateLinkServiceId' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."))
    })?;
    let group = item
        .pointer("/properties/groupIds/0")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let message = item
        .pointer("/properties/requestMessage")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned);
    Ok(Connection {
        target,
        group,
        manual,
        message,
    })
}

/// What a type offers to private endpoints.
pub fn link_of(target: &ResourceId) -> Option<&'static PrivateLink> {
    table::find(&target.type_name()).and_then(|kind| kind.private_link.as_ref())
}

/// The members that an endpoint needs for its target.
///
/// # Errors
/// The target is not there, takes no endpoint, or has no such group.
pub fn members(
    world: &World,
    endpoint: &Resource,
    connection: &Connection,
) -> ArmResult<Vec<Member>> {
    let target = world
        .get(connection.target.as_str())
        .ok_or_else(|| invalid_reference(connection.target.as_str(), &endpoint.id))?;
    let link = link_of(&connection.target).ok_or_else(|| ArmError::bad("PrivateLinkServiceIdNotSupported", format!(
        "Private endpoint {} cannot connect to {}: resources of type {} take no private endpoints.", endpoint.id, connection.target, target.type_name)))?;
    (link.members)(world, target, &connection.group)
}
