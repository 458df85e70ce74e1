//! What can be found wrong before anything is made: at validate without Azure, at plan with the two
//! networks and the peerings that they have already.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::observe::{leading_to, peerings_of};
use super::overlap::overlaps;
use super::standing::state_of;
use super::{NETWORK, planned_id, planned_remote_id};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Unread};

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let id = |name: &str| ArmId::parse(config.get(name).as_str()?).ok();
    if let (Some(near), Some(far)) = (id("virtual_network_id"), id("remote_virtual_network_id"))
        && near == far
    {
        diagnostics.error(
            Path::attribute("remote_virtual_network_id"),
            "a network cannot be peered with itself",
            format!("- {near}\n\nFix: give the id of the other network."),
        );
    }
    let remote = config.get("remote");
    if config.get("manage").as_str() == Some("local") && !remote.is_null() {
        diagnostics.error(
            Path::attribute("remote"),
            "the other side is not managed here",
            "With `manage = \"local\"`, the owner of the other network says what its side lets \
             through.\n\nFix: leave `remote` out, or manage both sides:\n\n  manage = \"both\"",
        );
        return;
    }
    let far = Path::attribute("remote");
    one_way(config, &Path::root(), diagnostics);
    one_way(remote, &far, diagnostics);
    if config.get("manage").as_str() == Some("local") || remote.is_unknown() {
        return;
    }
    let (near_uses, far_uses) = (is(config, USE, false), is(remote, USE, false));
    if near_uses == Some(true) && far_uses == Some(true) {
        diagnostics.error(
            far.then(USE),
            "two networks cannot use each other's gateways",
            "One of the two has the gateway, and the other uses it.\n\nFix: set `use_remote_gateways` \
             on the side of the network without a gateway alone.",
        );
        return;
    }
    for (uses, other, path, block) in [
        (near_uses, remote, far.then(TRANSIT), true),
        (far_uses, config, Path::attribute(TRANSIT), false),
    ] {
        if uses == Some(true) && is(other, TRANSIT, false) == Some(false) {
            let path = if block && remote.is_null() {
                Path::attribute("remote")
            } else {
                path
            };
            let fix = if block {
                "  remote = {\n    allow_gateway_transit = true\n  }"
            } else {
                "  allow_gateway_transit = true"
            };
            diagnostics.error(
                path,
                "the side with the gateway does not let the other use it",
                format!(
                    "`use_remote_gateways` of one side needs `allow_gateway_transit` of the \
                     other.\n\nFix:\n\n{fix}"
                ),
            );
        }
    }
}

const USE: &str = "use_remote_gateways";
const TRANSIT: &str = "allow_gateway_transit";

/// A flag of one side; `None` while it is not known.
fn is(side: &Value, name: &str, default: bool) -> Option<bool> {
    let value = side.get(name);
    if value.is_null() {
        Some(default)
    } else {
        value.as_bool()
    }
}

fn one_way(side: &Value, at: &Path, diagnostics: &mut Diagnostics) {
    if is(side, USE, false) == Some(true) && is(side, TRANSIT, false) == Some(true) {
        diagnostics.error(
            at.then(USE),
            "a side either uses the other network's gateways or lets the other use its own",
            "Azure refuses a peering with both.\n\nFix: leave `allow_gateway_transit` out on this side, \
             and set it on the other.",
        );
    }
}

/// The two networks as far as they are there and can be read.
pub struct Networks<'a> {
    /// The one in `virtual_network_id`.
    pub near_id: ArmId,
    /// The one in `remote_virtual_network_id`.
    pub far_id: ArmId,
    /// The body of the near one.
    pub near: Option<&'a Json>,
    /// The body of the far one.
    pub far: Option<&'a Json>,
}

/// Checks with Azure's facts. A network that is not there yet has no peerings, and what it will have
/// is looked at before the first write.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(networks) = networks(check)? else {
        return Ok(());
    };
    overlaps(check, &networks);
    others_of_this_pair(check, &networks);
    renamed(check);
    gateways(check, &networks);
    Ok(())
}

/// Checks with what the same apply has made of the two networks.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
    if let Some(networks) = networks(check)? {
        overlaps(check, &networks);
    }
    Ok(())
}

/// The two networks, where their ids are known.
fn networks<'a>(check: &Check<'a>) -> Result<Option<Networks<'a>>, Unread> {
    let network = |name| check.id(name).filter(|id: &ArmId| id.is(NETWORK));
    let ids = (
        network("virtual_network_id"),
        network("remote_virtual_network_id"),
    );
    let (Some(near_id), Some(far_id)) = ids else {
        return Ok(None);
    };
    if near_id == far_id {
        return Ok(None);
    }
    let (near, far) = (check.look(&near_id), check.look(&far_id));
    Ok(Some(Networks {
        near: near?,
        far: far?,
        near_id,
        far_id,
    }))
}

/// Two networks have one peering in each direction. What stands under the very ids that are planned
/// may be this resource's own, tainted; if it is not, it is refused before the first write.
fn others_of_this_pair(check: &mut Check<'_>, networks: &Networks<'_>) {
    let path = || Path::attribute("remote_virtual_network_id");
    let (near_id, far_id) = (&networks.near_id, &networks.far_id);
    let near = networks
        .near
        .and_then(|near| leading_to(near, far_id).next());
    let far = networks.far.and_then(|far| leading_to(far, near_id).next());
    let manage = check.planned.get("manage").as_str();

    let stranger = near
        .as_ref()
        .map(|(id, _)| id)
        .filter(|id| !check.is_ours(id) && planned_id(check.planned).as_ref() != Some(*id));
    if let Some(id) = stranger {
        check.error(
            path(),
            format!("these networks are peered already, by {}", id.name()),
            format!(
                "- {id}\n\nAzure has one peering for a pair of networks, and nothing is adopted \
                 silently.\n\nFix: take it over with an import block (and your resource's \
                 address):\n\n  import {{\n    to = fkaks_network_peering.example\n    id = \"{id}\"\n  \
                 }}\n\nand name it as it is named there:\n\n  name = \"{}\"",
                id.name()
            ),
        );
        return;
    }
    let Some((id, peering)) = far else { return };
    if manage == Some("both") {
        let new = planned_remote_id(check.planned);
        let imported = known_before(check, "remote_id").as_ref() == Some(&id);
        let ours = check.is_ours(&id) || imported || new.as_ref() == Some(&id);
        if let Some(new) = new.filter(|_| !ours) {
            check.error(
                path(),
                format!(
                    "{} has a peering to this network already, {}",
                    far_id.name(),
                    id.name()
                ),
                format!(
                    "- {id}\n- made here would be {new}\n\nAzure has one peering for a pair of networks, and \
                     nothing is adopted silently.\n\nFix: if the owner of that network keeps that side, \
                     manage the local one alone:\n\n  manage = \"local\"\n\nOr delete it there, and let \
                     this resource make both sides."
                ),
            );
        }
    } else if manage == Some("local")
        && state_of(peering) == "Disconnected"
        && near.is_none_or(|(_, own)| state_of(own) == "Disconnected")
    {
        check.error(
            path(),
            format!("the other side of this peering, {}, is Disconnected", id.name()),
            format!(
                "- {id}\n\nAzure makes no side while the other is Disconnected, and that one is not \
                 managed here.\n\nFix: ask the owner of {far_id} to delete it; apply here; then they \
                 make it anew. With the Azure CLI, they run\n\n  az network vnet peering delete --ids {id}"
            ),
        );
    }
}

/// What an attribute of the state before named: also what an import has found and not owned yet.
fn known_before(check: &Check<'_>, attribute: &str) -> Option<ArmId> {
    ArmId::parse(check.prior?.get(attribute).as_str()?).ok()
}

/// A peering has no new name: it is made anew under that.
fn renamed(check: &mut Check<'_>) {
    let (Some(prior), Some(new)) = (check.prior, planned_remote_id(check.planned)) else {
        return;
    };
    let same_pair = planned_id(prior) == planned_id(check.planned);
    let both = check.planned.get("manage").as_str() == Some("both");
    let former = known_before(check, "remote_id").filter(|former| *former != new);
    if let Some(former) =
        former.filter(|_| both && same_pair && known_before(check, "id").is_some())
    {
        check.warning(
            Path::attribute("remote").then("name"),
            "the peering is made anew, on both sides",
            format!(
                "- {former}\n- becomes {new}\n\nA peering cannot be renamed, and a side without the other \
                 does not connect. No traffic flows between the networks for about a minute."
            ),
        );
    }
}

/// The gateways of networks, and who uses them.
fn gateways(check: &mut Check<'_>, networks: &Networks<'_>) {
    let (near_id, far_id) = (&networks.near_id, &networks.far_id);
    let planned = check.planned;
    let both = planned.get("manage").as_str() == Some("both");
    let far_uses = planned.get("remote").get(USE).as_bool().filter(|_| both);
    let sides = [
        (
            planned.get(USE).as_bool(),
            Path::attribute(USE),
            networks.near,
            far_id,
            networks.far,
        ),
        (
            far_uses,
            Path::attribute("remote").then(USE),
            networks.far,
            near_id,
            networks.near,
        ),
    ];
    for (uses, path, user, owner_id, owner) in sides {
        if uses != Some(true) {
            continue;
        }
        if let Some(gateway) = user.and_then(gateway_of) {
            check.error(
                path.clone(),
                "a network with a gateway of its own uses no other's",
                format!(
                    "- {gateway}\n\nFix: leave `use_remote_gateways` out, and set \
                     `allow_gateway_transit` if the other network should use this gateway."
                ),
            );
        }
        let mut peers = user.into_iter().flat_map(peerings_of);
        let second = peers.find(|(_, leads_to, peering)| {
            leads_to.as_ref() != Some(owner_id)
                && peering["properties"]["useRemoteGateways"] == true
        });
        if let Some((id, ..)) = second {
            check.error(
                path.clone(),
                "another peering of this network uses remote gateways already",
                format!(
                    "- {id}\n\nOne peering of a network may.\n\nFix: turn `use_remote_gateways` off there \
                     and apply that first, or leave it out here."
                ),
            );
        }
        if owner.is_some_and(|owner| gateway_of(owner).is_none()) {
            check.warning(
                path.clone(),
                format!("{} has no gateway yet", owner_id.name()),
                format!(
                    "- {owner_id}\n\nAzure refuses `use_remote_gateways` until a virtual network gateway \
                     stands in its GatewaySubnet. If it is made in the same configuration, have this \
                     resource wait for it with `depends_on`."
                ),
            );
        }
        if let Some(other) = owner.filter(|_| !both)
            && let Some((id, peering)) = leading_to(other, near_id).next()
            && peering["properties"]["allowGatewayTransit"] != true
        {
            check.error(
                path,
                "the other side does not allow gateway transit",
                format!(
                    "- {id}\n\nThat side is not managed here.\n\nFix: ask its owner to allow it first:\n\n  \
                     az network vnet peering update --ids {id} --set allowGatewayTransit=true"
                ),
            );
        }
    }
}

/// The gateway that stands in a network.
fn gateway_of(network: &Json) -> Option<ArmId> {
    let subnets = network["properties"]["subnets"].as_array()?;
    let gateways = subnets.iter().find(|subnet| {
        let name = subnet["name"].as_str().unwrap_or_default();
        name.eq_ignore_ascii_case("GatewaySubnet")
    })?;
    let configurations = gateways["properties"]["ipConfigurations"].as_array()?;
    configurations
        .iter()
        .filter_map(|configuration| ArmId::parse(configuration["id"].as_str()?).ok()?.parent())
        .find(|id| id.is("Microsoft.Network/virtualNetworkGateways"))
}
