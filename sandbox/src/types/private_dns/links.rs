//! Microsoft.Network/privateDnsZones/virtualNetworkLinks: which networks resolve through the zone.
//! A network links to one zone of a name and registers in one zone. Azure finds that out while the
//! operation runs, so these conflicts fail the operation and not the request.

use serde_json::Value;

use super::{VERSIONS, bad_request};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Etags, FailedCreate, Patch, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";

/// The row.
pub const LINKS: Type = Type {
    place: Place::Global,
    put: Style::Location,
    patch: Patch::Merge(Style::Location),
    delete: Style::Location,
    etags: Etags::CheckedLate,
    creating: Some("Creating"),
    failed_create: FailedCreate::Vanishes,
    properties: &[
        "virtualNetwork",
        "registrationEnabled",
        "resolutionPolicy",
        "virtualNetworkLinkState",
        "provisioningState",
    ],
    read_only: &["virtualNetworkLinkState"],
    check,
    fill,
    settle,
    render,
    ..Type::new(NAME, VERSIONS)
};

const NETWORK: &str = "/properties/virtualNetwork/id";
const STATE: &str = "/properties/virtualNetworkLinkState";
const POLICY: &str = "/properties/resolutionPolicy";
/// The `resourceGuid` that the network had when it was linked; never shown. A network that was made
/// again under the same id has another one.
const GUID: &str = "/networkGuid";

/// True when the link registers the network's machines in its zone.
#[must_use]
pub fn registers(link: &Resource) -> bool {
    link.at("/properties/registrationEnabled")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// The link through which a network resolves names of a zone: one that is completed, and was made for this
/// very network and not for one before it of the same id.
#[must_use]
pub fn of_network<'a>(world: &'a World, network: &ResourceId, zone: &str) -> Option<&'a Resource> {
    world.of_type(NAME).find(|link| {
        zone_name(&link.id).eq_ignore_ascii_case(zone)
            && link.text(STATE) == Some("Completed")
            && link.text(NETWORK).is_some_and(|id| network.same(id))
            && link.text(GUID) == guid_of(world, network.as_str()).as_deref()
    })
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let link = change.new;
    if change.old.is_none() {
        check_name(link.id.name())?;
    }
    let network = network_of(link)?;
    if !link
        .at("/properties/registrationEnabled")
        .is_some_and(Value::is_boolean)
    {
        return Err(bad_request(
            "The specified virtual network link registration setting is invalid.",
        ));
    }
    match change.old.and_then(|old| old.text(NETWORK)) {
        Some(linked) if !network.same(linked) => {
            return Err(bad_request(format!(
                "The virtual network of the link '{}' cannot be changed: it links '{linked}'.",
                link.id.name()
            )));
        }
        Some(_) => {}
        None if world.get(network.as_str()).is_none() => {
            return Err(bad_request(format!(
                "Virtual network resource not found for '{network}'"
            )));
        }
        None => {}
    }
    match link.text(POLICY) {
        None | Some("Default") => Ok(()),
        Some("NxDomainRedirect") if private_link_zone(&link.id) => Ok(()),
        Some("NxDomainRedirect") => Err(bad_request(format!(
            "The resolution policy 'NxDomainRedirect' is supported for private link zones only; '{}' is none.",
            zone_name(&link.id)
        ))),
        Some(other) => Err(bad_request(format!(
            "The resolution policy '{other}' is invalid: it is 'Default' or 'NxDomainRedirect'."
        ))),
    }
}

fn check_name(name: &str) -> ArmResult<()> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inside = name.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(word);
    if inside && ends && name.len() <= 80 {
        return Ok(());
    }
    Err(bad_request(format!(
        "The virtual network link name '{name}' is invalid: up to 80 letters, digits, '.', '_' and '-'; it begins with a letter or digit and ends with one or with '_'."
    )))
}

fn network_of(link: &Resource) -> ArmResult<ResourceId> {
    link.text(NETWORK)
        .and_then(ResourceId::parse)
        .filter(|id| {
            id.type_name()
                .eq_ignore_ascii_case("Microsoft.Network/virtualNetworks")
        })
        .ok_or_else(|| bad_request("The specified virtual network resource ID is invalid."))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    if private_link_zone(&new.id) {
        new.default(POLICY, "Default");
    }
    match old {
        Some(old) => {
            for pointer in [NETWORK, GUID, STATE] {
                if let Some(value) = old.at(pointer) {
                    new.set(pointer, value.clone());
                }
            }
        }
        None => {
            new.set(STATE, "InProgress");
            let guid = network_of(new)
                .ok()
                .and_then(|network| guid_of(world, network.as_str()));
            if let Some(guid) = guid {
                new.set(GUID, guid);
            }
        }
    }
    Ok(())
}

fn settle(world: &mut World, id: &ResourceId) -> ArmResult<()> {
    let Some(link) = world.get(id.as_str()) else {
        return Ok(());
    };
    let network = network_of(link)?;
    let others = world.of_type(NAME).filter(|other| {
        !other.id.same(id.as_str())
            && other.text(STATE) == Some("Completed")
            && other
                .text(NETWORK)
                .is_some_and(|linked| network.same(linked))
    });
    for other in others {
        conflict(world, link, other, &network)?;
    }
    if let Some(link) = world.get_mut(id.as_str()) {
        link.set(STATE, "Completed");
    }
    Ok(())
}

/// The errors of two links of one network, in Azure's words.
fn conflict(
    world: &World,
    link: &Resource,
    other: &Resource,
    network: &ResourceId,
) -> ArmResult<()> {
    let (mine, theirs) = (zone_name(&link.id), zone_name(&other.id));
    if other.text(GUID) != guid_of(world, network.as_str()).as_deref() {
        return Err(ArmError::conflict(
            "Conflict",
            format!(
                "Virtual network resource identity '{network}' already in use. This is possible in case the virtual network was moved, or re-created. Please contact support."
            ),
        ));
    }
    let same_zone = link
        .id
        .parent()
        .zip(other.id.parent())
        .is_some_and(|(mine, theirs)| mine.same(theirs.as_str()));
    if same_zone {
        return Err(ArmError::conflict(
            "Conflict",
            format!("Private zone '{mine}' is already linked to the virtual network '{network}'."),
        ));
    }
    if mine.eq_ignore_ascii_case(theirs) {
        return Err(bad_request(format!(
            "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network with '{mine}' and '{theirs}' zones."
        )));
    }
    if registers(link) && registers(other) {
        return Err(bad_request(format!(
            "A virtual network can only be linked to 1 Private DNS zone(s) with auto registration enabled; conflicting Private DNS zone is '{theirs}'."
        )));
    }
    Ok(())
}

fn render(_: &World, _: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove("networkGuid");
    }
}

fn guid_of(world: &World, network: &str) -> Option<String> {
    world
        .get(network)?
        .text("/properties/resourceGuid")
        .map(ToOwned::to_owned)
}

fn zone_name(link: &ResourceId) -> &str {
    link.names().first().copied().unwrap_or_default()
}

/// Zones of private link services have the label `privatelink`.
fn private_link_zone(link: &ResourceId) -> bool {
    zone_name(link)
        .split('.')
        .any(|label| label.eq_ignore_ascii_case("privatelink"))
}
