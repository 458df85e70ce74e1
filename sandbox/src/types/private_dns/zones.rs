//! Microsoft.Network/privateDnsZones: a global zone with a start of authority of its own.
//! Its counters follow from what is in it; it goes with its record sets, and not while it has links.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{VERSIONS, bad_request, is_label, links, records};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Action, Change, Etags, Patch, Place, Style, Type, Verb};
use crate::{bodies, resources};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/privateDnsZones";

/// The row.
pub const ZONES: Type = Type {
    place: Place::Global,
    put: Style::Location,
    patch: Patch::Merge(Style::Location),
    delete: Style::Location,
    etags: Etags::CheckedLate,
    creating: Some("Creating"),
    properties: COUNTERS,
    read_only: COUNTERS,
    check,
    fill,
    settle,
    render,
    actions: &[
        Action {
            method: "GET",
            name: "ALL",
            style: Style::Immediate,
            run: all_record_sets,
        },
        Action {
            method: "GET",
            name: "recordsets",
            style: Style::Immediate,
            run: all_record_sets,
        },
    ],
    ..Type::new(NAME, VERSIONS)
};

/// Everything under `properties`; clients may send none of it.
const COUNTERS: &[&str] = &[
    "maxNumberOfRecordSets",
    "numberOfRecordSets",
    "maxNumberOfVirtualNetworkLinks",
    "numberOfVirtualNetworkLinks",
    "maxNumberOfVirtualNetworkLinksWithRegistration",
    "numberOfVirtualNetworkLinksWithRegistration",
    "provisioningState",
    "internalId",
];

/// Most links of a zone, and most links with registration (Azure DNS limits).
const MAX_LINKS: u32 = 1000;
const MAX_REGISTRATION_LINKS: u32 = 100;
const MAX_RECORD_SETS: u32 = 25_000;

/// Zones that belong to Azure (documentation of private DNS zones, "Restrictions").
const RESERVED: &[&str] = &[
    "azclient.ms",
    "azure.com",
    "cloudapp.net",
    "core.windows.net",
    "microsoft.com",
    "msidentity.com",
    "trafficmanager.net",
    "windows.net",
];

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let zone = &change.new.id;
    if change.verb == Verb::Delete {
        return has_no_links(world, zone);
    }
    if change.old.is_some() {
        return Ok(());
    }
    let name = zone.name();
    let labels: Vec<&str> = name.split('.').collect();
    let fits = (2..=34).contains(&labels.len()) && name.len() <= 253;
    if !fits || !labels.iter().all(|label| is_label(label)) {
        return Err(bad_request(format!(
            "The zone name '{name}' is invalid: a private zone's name has 2 to 34 labels of letters, digits, '-' and '_', separated by '.'."
        )));
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) {
        return Err(bad_request(format!(
            "The zone name '{name}' is reserved and cannot be used for a private zone."
        )));
    }
    Ok(())
}

/// 409 `CannotDeleteResource`, as Azure words it, while a link is below the zone.
fn has_no_links(world: &World, zone: &ResourceId) -> ArmResult<()> {
    let nested: Vec<String> = world
        .list(zone.as_str(), links::NAME)
        .map(|link| {
            format!(
                "'{NAME}/{}/virtualNetworkLinks/{}'",
                zone.name(),
                link.id.name()
            )
        })
        .collect();
    if nested.is_empty() {
        return Ok(());
    }
    Err(ArmError::conflict(
        "CannotDeleteResource",
        format!(
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: {}. Please delete all nested resources before deleting this resource.",
            nested.join(", ")
        ),
    ))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let internal = match old.and_then(|old| old.text("/properties/internalId")) {
        Some(internal) => internal.to_owned(),
        None => STANDARD.encode(format!("ImmutableZoneIdentity;{};0", world.guid())),
    };
    new.set("/properties/internalId", internal);
    Ok(())
}

fn settle(world: &mut World, zone: &ResourceId) -> ArmResult<()> {
    records::add_authority(world, zone);
    Ok(())
}

fn render(world: &World, zone: &Resource, body: &mut Value) {
    let links: Vec<&Resource> = world.list(zone.id.as_str(), links::NAME).collect();
    let registering = links.iter().filter(|link| links::registers(link)).count();
    let counters = json!({
        "maxNumberOfRecordSets": MAX_RECORD_SETS,
        "numberOfRecordSets": records::of_zone(world, &zone.id).count(),
        "maxNumberOfVirtualNetworkLinks": MAX_LINKS,
        "numberOfVirtualNetworkLinks": links.len(),
        "maxNumberOfVirtualNetworkLinksWithRegistration": MAX_REGISTRATION_LINKS,
        "numberOfVirtualNetworkLinksWithRegistration": registering,
    });
    bodies::merge(&mut body["properties"], counters);
}

/// `GET .../ALL`: every record set; `$recordsetnamesuffix` keeps the names that end so.
fn all_record_sets(world: &mut World, zone: &Resource, request: &Request) -> ArmResult<Answer> {
    let suffix = request
        .param("$recordsetnamesuffix")
        .unwrap_or_default()
        .to_lowercase();
    let values = records::of_zone(world, &zone.id)
        .filter(|set| set.id.name().to_lowercase().ends_with(&suffix))
        .map(|set| world.view(set))
        .collect();
    Ok(resources::cut(values, request, None))
}
