//! What there is of a peering, in the user's terms.

use serde_json::json;

use super::standing::{disconnected, prefixes, state_of};
use super::{Flags, Input, Manage, NETWORK, NetworkPeering, Output, Remote};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled_id};

/// Azure's answers as arguments and attributes; without a prior input, the other side is looked for
/// in the remote network.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<NetworkPeering>, Unread> {
    let found = seen.look(id).map(Look::found);
    let input = match prior {
        Some(prior) => known(prior, found, seen)?,
        None => imported(id, found?, seen)?,
    };
    let found = found?;
    let text = |name: &str| {
        let value = found?["properties"][name].as_str()?;
        Some(value.to_owned())
    };
    let output = Output {
        remote_id: input.remote_id(),
        peering_state: text("peeringState"),
        peering_sync_level: text("peeringSyncLevel"),
        remote_address_space: found
            .map(|found| prefixes(&found["properties"]["remoteAddressSpace"]))
            .unwrap_or_default(),
    };
    let warnings = found.and_then(|found| waiting_for_others(id, &input, found));
    let mut observed = Observed::new(input, output);
    observed.warnings.extend(warnings);
    Ok(observed)
}

fn known(
    prior: &Input,
    found: Result<Option<&Json>, Unread>,
    seen: &Seen,
) -> Result<Input, Unread> {
    let remote = prior.remote_id().map(|id| seen.look(&id).map(Look::found));
    let (found, remote) = (found?, remote.transpose()?.flatten());
    let mut input = prior.clone();
    if let Some(found) = found {
        let there = &found["properties"]["remoteVirtualNetwork"]["id"];
        if let Some(there) = spelled_id(Some(&prior.remote_virtual_network_id), there) {
            input.remote_virtual_network_id = there;
        }
        input.flags = Flags::of(found);
    }
    if let Some(remote) = remote {
        let name = prior.remote.as_ref().and_then(|own| own.name.clone());
        input.remote = remote_side(name, Flags::of(remote), prior.remote.is_some());
    }
    Ok(input)
}

fn imported(id: &ArmId, found: Option<&Json>, seen: &Seen) -> Result<Input, Unread> {
    let own = id.parent().unwrap_or_else(|| id.clone());
    let there = found
        .and_then(|found| spelled_id(None, &found["properties"]["remoteVirtualNetwork"]["id"]));
    let other = match &there {
        Some(there) => seen.look(there)?.found().and_then(|network| {
            leading_to(network, &own)
                .next()
                .map(|(id, peering)| (id, peering.clone()))
        }),
        None => None,
    };
    let remote = other.as_ref().and_then(|(id, peering)| {
        let default = id.name().eq_ignore_ascii_case(own.name());
        let name = (!default).then(|| id.name().to_owned());
        let named = name.is_some();
        remote_side(name, Flags::of(peering), named)
    });
    Ok(Input {
        name: id.name().to_owned(),
        remote_virtual_network_id: there.unwrap_or_else(|| own.clone()),
        virtual_network_id: own,
        manage: if other.is_some() {
            Manage::Both
        } else {
            Manage::Local
        },
        flags: found.map(Flags::of).unwrap_or_default(),
        remote,
        triggers: None,
    })
}

/// The argument `remote`, which is left out where it would say nothing.
fn remote_side(name: Option<String>, flags: Flags, written: bool) -> Option<Remote> {
    (written || flags != Flags::default()).then_some(Remote { name, flags })
}

/// The peerings in a network's body that lead to that network.
pub fn leading_to<'a>(
    network: &'a Json,
    to: &ArmId,
) -> impl Iterator<Item = (ArmId, &'a Json)> + use<'a> {
    let to = to.clone();
    peerings_of(network).filter_map(move |(id, leads_to, peering)| {
        (leads_to.as_ref() == Some(&to)).then_some((id, peering))
    })
}

/// The peerings in a network's body: the id, the network that each leads to, and its body.
pub fn peerings_of(network: &Json) -> impl Iterator<Item = (ArmId, Option<ArmId>, &Json)> {
    let peerings = network["properties"]["virtualNetworkPeerings"].as_array();
    peerings.into_iter().flatten().filter_map(|peering| {
        let id = ArmId::parse(peering["id"].as_str()?).ok()?;
        let leads_to = peering["properties"]["remoteVirtualNetwork"]["id"].as_str();
        let leads_to = leads_to.and_then(|id| ArmId::parse(id).ok());
        let leads_to = leads_to.filter(|id| id.is(NETWORK));
        Some((id, leads_to, peering))
    })
}

/// One side of a peering in the terms of the resource.
pub fn shown(id: &ArmId, leads_to: Option<&ArmId>, peering: &Json) -> Json {
    let properties = &peering["properties"];
    let mut shown = json!(Flags::of(peering));
    shown["id"] = json!(id);
    shown["remote_virtual_network_id"] = json!(leads_to);
    shown["peering_state"] = properties["peeringState"].clone();
    shown["peering_sync_level"] = properties["peeringSyncLevel"].clone();
    shown["remote_address_space"] = json!(prefixes(&properties["remoteAddressSpace"]));
    shown
}

/// What the owner of the other network has to do, where that side is not managed here.
fn waiting_for_others(id: &ArmId, input: &Input, found: &Json) -> Option<(String, String)> {
    if input.manage == Manage::Both || disconnected(input, id, found).is_some() {
        return None;
    }
    let (own, far) = (&input.virtual_network_id, &input.remote_virtual_network_id);
    let group = far.resource_group().unwrap_or_default();
    let place = format!(
        "--subscription {} --resource-group {group} --vnet-name {}",
        far.subscription_id(),
        far.name()
    );
    if state_of(found) == "Initiated" {
        return Some((
            format!("Peering {} waits for its other side", id.name()),
            format!(
                "- {id} is Initiated\n- {far} has no peering back yet\n\nNo traffic flows until its owner \
                 makes one:\n\n  az network vnet peering create {place} \\\n    --name {} --remote-vnet \
                 {own} --allow-vnet-access",
                own.name()
            ),
        ));
    }
    if found["properties"]["peeringSyncLevel"] == "RemoteNotInSync" {
        return Some((
            format!(
                "The other side of peering {} does not know the address space of {}",
                id.name(),
                own.name()
            ),
            format!(
                "- {id} is RemoteNotInSync\n\nTraffic to what is new does not flow until the owner of \
                 {far} syncs that side:\n\n  az network vnet peering sync {place} --name <its name>"
            ),
        ));
    }
    None
}
