//! What Azure refuses of a peering. The codes of overlaps, of a second peering, of a disconnected one,
//! of a changed remote network and of a missing gateway, and their messages, are Azure's as issues of
//! azurerm, bicep and the Azure CLI quote them; no source has those of the other gateway rules
//! (Microsoft Learn, "Configure VPN gateway transit for virtual network peering"), so they are ours.

use ipnet::IpNet;
use serde_json::json;

use super::virtual_network_peerings::{NAME, counterpart, remote, state};
use super::{addresses, subnets, virtual_network_gateways};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::Change;

/// Checks one side of a peering, which lies in `network`; `syncs` when it takes over the remote
/// address space of now.
///
/// # Errors
/// See the head of this file.
pub fn valid(world: &World, network: &Resource, change: &Change<'_>, syncs: bool) -> ArmResult<()> {
    let new = change.new;
    super::check_name(change, 80)?;
    let Some(far) = remote(new) else {
        return Err(super::cannot_parse(
            "Required property 'remoteVirtualNetwork' not found in JSON. Path 'properties'.",
        ));
    };
    if far.same(network.id.as_str()) {
        return Err(super::cannot_parse(&format!(
            "Virtual network {far} cannot be peered with itself. Path 'properties.remoteVirtualNetwork'."
        )));
    }
    if !world
        .subscriptions
        .iter()
        .any(|known| known.eq_ignore_ascii_case(far.subscription()))
    {
        return Err(not_authorized(new, &far));
    }
    super::reference(
        world,
        new,
        "/properties/remoteVirtualNetwork/id",
        "Microsoft.Network/virtualNetworks",
        None,
    )?;
    standing(world, network, change, &far)?;
    if syncs && let Some(far) = world.get(far.as_str()) {
        apart(world, new, network, far)?;
    }
    gateways(world, network, new, &far)
}

/// Resource Manager's refusal when the caller cannot reach what a body refers to.
fn not_authorized(by: &Resource, far: &ResourceId) -> ArmError {
    ArmError::new(
        403,
        "LinkedAuthorizationFailed",
        format!(
            "The client has permission to perform action 'Microsoft.Network/virtualNetworks/peer/action' on scope '{}', however the current tenant is not authorized to access linked subscription '{}'.",
            by.id,
            far.subscription()
        ),
    )
}

/// The rules about peerings that stand already.
fn standing(
    world: &World,
    network: &Resource,
    change: &Change<'_>,
    far: &ResourceId,
) -> ArmResult<()> {
    let new = change.new;
    if let Some(old) = change.old {
        if remote(old).is_some_and(|old| !old.same(far.as_str())) {
            return Err(ArmError::bad(
                "ChangingRemoteVirtualNetworkNotAllowed",
                format!(
                    "Remote virtual network of peering {} cannot be changed once the peering is created.",
                    new.id
                ),
            ));
        }
        // Microsoft Learn, "Create, change, or delete a virtual network peering": a disconnected one
        // is deleted and made anew.
        if state(old) == "Disconnected" {
            return Err(ArmError::bad(
                "RemotePeeringIsDisconnected",
                format!(
                    "Cannot create or update peering {} because it is in Disconnected state. Delete and re-create the peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created.",
                    new.id
                ),
            ));
        }
    }
    let second = world.list(network.id.as_str(), NAME).find(|other| {
        !other.id.same(new.id.as_str()) && remote(other).is_some_and(|id| id.same(far.as_str()))
    });
    if let Some(other) = second {
        return Err(ArmError::bad(
            "AnotherPeeringAlreadyReferencesRemoteVnet",
            format!(
                "Peering {} already references remote virtual network {far}. Cannot add another peering {} referencing the same remote virtual network.",
                other.id, new.id
            ),
        ));
    }
    let other = counterpart(world, new).filter(|other| state(other) == "Disconnected");
    other.map_or(Ok(()), |other| {
        Err(ArmError::bad(
            "RemotePeeringIsDisconnected",
            format!(
                "Cannot create or update peering {} because remote peering {} referencing parent virtual network {} is in Disconnected state. Update or re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created.",
                new.id, other.id, network.id
            ),
        ))
    })
}

/// The address spaces of the two networks, and of all networks that either is peered with, are apart.
fn apart(world: &World, new: &Resource, near: &Resource, far: &Resource) -> ArmResult<()> {
    let (own, theirs) = (subnets::space(near)?, subnets::space(far)?);
    if let Some((a, b)) = common(&own, &theirs) {
        return Err(ArmError::bad(
            "VnetAddressSpacesOverlap",
            format!(
                "Cannot create or update peering {}. Virtual networks {} and {} cannot be peered because their address spaces overlap. Overlapping address prefixes: {a}, {b}",
                new.id, near.id, far.id
            ),
        ));
    }
    for (first, space, second) in [(near, &own, far), (far, &theirs, near)] {
        for peering in world.list(second.id.as_str(), NAME) {
            let Some(third) = remote(peering).filter(|id| !id.same(first.id.as_str())) else {
                continue;
            };
            // A peering counts by what it leads to, also when it is disconnected.
            let taken: Vec<IpNet> = peering
                .items("/properties/remoteAddressSpace/addressPrefixes")
                .iter()
                .filter_map(|text| text.as_str()?.parse().ok())
                .collect();
            if let Some((a, _)) = common(space, &taken) {
                return Err(ArmError::bad(
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    format!(
                        "Cannot create or update peering {}. Virtual networks {} and {} cannot be peered because address space of the first virtual network overlaps with address space of virtual network {third} already peered with the second virtual network. Overlapping address prefixes: {a}.",
                        new.id, first.id, second.id
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn common<'a>(a: &'a [IpNet], b: &'a [IpNet]) -> Option<(&'a IpNet, &'a IpNet)> {
    a.iter()
        .find_map(|a| b.iter().find(|b| addresses::overlap(a, b)).map(|b| (a, b)))
}

fn gateways(world: &World, network: &Resource, new: &Resource, far: &ResourceId) -> ArmResult<()> {
    let on = |peering: &Resource, name: &str| {
        peering.at(&format!("/properties/{name}")) == Some(&json!(true))
    };
    let other = counterpart(world, new);
    if !on(new, "useRemoteGateways") {
        let user = other.filter(|other| on(other, "useRemoteGateways"));
        return match user {
            Some(user) if !on(new, "allowGatewayTransit") => Err(ArmError::bad(
                "RemotePeeringUsesGateways",
                format!(
                    "Peering {} cannot have AllowGatewayTransit flag set to false because remote peering {} has UseRemoteGateways flag set to true.",
                    new.id, user.id
                ),
            )),
            _ => Ok(()),
        };
    }
    let refuse = |code: &str, why: String| {
        Err(ArmError::bad(
            code,
            format!(
                "Peering {} cannot have UseRemoteGateway flag set to true because {why}.",
                new.id
            ),
        ))
    };
    if on(new, "allowGatewayTransit") {
        return refuse(
            "AllowGatewayTransitAndUseRemoteGatewaysBothSet",
            "it has AllowGatewayTransit flag set to true".to_owned(),
        );
    }
    let user = world
        .list(network.id.as_str(), NAME)
        .find(|peer| !peer.id.same(new.id.as_str()) && on(peer, "useRemoteGateways"));
    if let Some(user) = user {
        return refuse(
            "AnotherPeeringAlreadyUsesRemoteGateways",
            format!(
                "peering {} of the same virtual network has it set to true",
                user.id
            ),
        );
    }
    if virtual_network_gateways::in_network(world, &network.id) {
        return refuse(
            "VnetHasGateways",
            format!("virtual network {} has gateways of its own", network.id),
        );
    }
    if !virtual_network_gateways::in_network(world, far) {
        return refuse(
            "RemoteVnetHasNoGateways",
            format!(
                "remote virtual network {far} referenced by the peering does not have any gateways"
            ),
        );
    }
    match other.filter(|other| !on(other, "allowGatewayTransit")) {
        Some(other) => refuse(
            "RemotePeeringDoesNotAllowGatewayTransit",
            format!(
                "remote peering {} has AllowGatewayTransit flag set to false",
                other.id
            ),
        ),
        None => Ok(()),
    }
}
