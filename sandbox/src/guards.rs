//! What Azure Resource Manager itself refuses before a provider sees the request: missing groups and
//! parents, locks, locations, failed conditions.

use crate::errors::{ArmError, ArmResult, group_not_found};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::regions;
use crate::store::{Resource, World};
use crate::table::{Etags, Place, Type};

/// The group of the id must be there and not on its way out.
pub fn exists_group(world: &World, id: &ResourceId) -> ArmResult<()> {
    let Some(group) = id.group() else {
        return Ok(());
    };
    let group_id = ResourceId::group_of(id.subscription(), group);
    if group_id.same(id.as_str()) {
        return Ok(());
    }
    let found = world
        .get(group_id.as_str())
        .ok_or_else(|| group_not_found(group))?;
    if found.state() == "Deleting" && world.get(id.as_str()).is_none() {
        return Err(ArmError::conflict(
            "ResourceGroupBeingDeleted",
            format!(
                "The resource group '{group}' is in deprovisioning state and cannot perform this operation."
            ),
        ));
    }
    Ok(())
}

/// Group and parents of a resource that is read must be there; the error names the outermost missing one.
pub fn exists(world: &World, id: &ResourceId, kind: &Type) -> ArmResult<()> {
    if world.get(id.as_str()).is_some()
        || id.group().is_none()
        || kind.name == "Microsoft.Resources/resourceGroups"
    {
        return Ok(());
    }
    let group = id.group().unwrap_or_default();
    if world
        .get(ResourceId::group_of(id.subscription(), group).as_str())
        .is_none()
    {
        return Err(group_not_found(group));
    }
    if id.is_child()
        && let Some(parent) = id.parent()
    {
        world.require(&parent)?;
    }
    Ok(())
}

/// Refuses what a lock on the resource or on a scope above it forbids.
pub fn locked(world: &World, id: &ResourceId, operation: &str, levels: &[&str]) -> ArmResult<()> {
    if id
        .type_name()
        .eq_ignore_ascii_case("Microsoft.Authorization/locks")
    {
        return Ok(());
    }
    let key = id.key();
    let mut scopes: Vec<String> = world
        .of_type("Microsoft.Authorization/locks")
        .filter(|lock| {
            lock.text("/properties/level")
                .is_some_and(|level| levels.contains(&level))
        })
        .filter_map(|lock| lock.id.parent())
        .filter(|scope| {
            let scope = scope.key();
            let above = key == scope || key.starts_with(&format!("{scope}/"));
            // A delete takes what lies below with it, locks included.
            above || (operation == "delete" && scope.starts_with(&format!("{key}/")))
        })
        .map(|scope| format!("'{scope}'"))
        .collect();
    if scopes.is_empty() {
        return Ok(());
    }
    scopes.sort();
    scopes.dedup();
    Err(ArmError::conflict(
        "ScopeLocked",
        format!(
            "The scope '{id}' cannot perform {operation} operation because following scope(s) are locked: {}. Please remove the lock and try again.",
            scopes.join(",")
        ),
    ))
}

/// Checks and normalises `location`.
pub fn located(kind: &Type, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let given = new
        .text("/location")
        .map(regions::normalize)
        .filter(|text| !text.is_empty());
    let existing = old
        .and_then(|old| old.text("/location"))
        .map(ToOwned::to_owned);
    match kind.place {
        Place::None => {
            // Children take the location of their parent; a body that names one is accepted and not stored.
            new.unset("/location");
        }
        Place::Optional if given.is_none() && existing.is_none() => {}
        Place::Global | Place::Regional | Place::Optional => {
            let Some(location) = given.or_else(|| existing.clone()) else {
                return Err(ArmError::bad(
                    "LocationRequired",
                    "The location property is required for this definition.",
                ));
            };
            let right = if kind.place == Place::Global {
                location == "global"
            } else {
                regions::known(&location)
            };
            if !right {
                return Err(unknown_location(kind, &location));
            }
            if let Some(existing) = existing.filter(|existing| *existing != location) {
                return Err(moved(kind, new, &existing, &location));
            }
            new.set("/location", location);
        }
    }
    Ok(())
}

/// Checks `If-Match` and `If-None-Match` for types that obey them.
///
/// # Errors
/// 412 `PreconditionFailed`, or 409 `EtagMismatch`.
pub fn precondition(kind: &Type, old: Option<&Resource>, request: &Request) -> ArmResult<()> {
    if !matches!(
        kind.etags,
        Etags::Checked | Etags::CheckedLate | Etags::Mismatch
    ) {
        return Ok(());
    }
    let etag = old.and_then(|old| old.text("/etag")).unwrap_or_default();
    let fails = |what: &str| {
        Err(ArmError::new(
            412,
            "PreconditionFailed",
            format!("The condition '{what}' in the request header was not satisfied."),
        ))
    };
    if let Some(wanted) = request.header("if-match").filter(|text| !text.is_empty()) {
        let matches =
            old.is_some() && (wanted == "*" || wanted.trim_matches('"') == etag.trim_matches('"'));
        if !matches && kind.etags == Etags::Mismatch && old.is_some() {
            return Err(ArmError::conflict(
                "EtagMismatch",
                format!(
                    "Operation is not allowed: Etag mismatch detected. Provided etag: {}, current etag: {etag}.",
                    wanted.trim_matches('"')
                ),
            ));
        }
        if !matches {
            return fails("If-Match");
        }
    }
    if request.header("if-none-match") == Some("*") && old.is_some() {
        return fails("If-None-Match");
    }
    Ok(())
}

/// Gives the resource the etag of its next state: `W/"guid"` in the network provider, a GUID elsewhere.
pub fn touch_etag(world: &mut World, kind: &Type, resource: &mut Resource) {
    match kind.etags {
        Etags::None => {}
        Etags::Shown => {
            let guid = world.guid();
            resource.set("/etag", format!("W/\"{guid}\""));
        }
        Etags::Checked | Etags::CheckedLate | Etags::Mismatch => {
            let guid = world.guid();
            resource.set("/etag", guid);
        }
    }
}

fn unknown_location(kind: &Type, location: &str) -> ArmError {
    let list = if kind.place == Place::Global {
        "global".to_owned()
    } else {
        regions::REGIONS
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>()
            .join(",")
    };
    if kind.name == "Microsoft.Resources/resourceGroups" {
        return ArmError::bad(
            "LocationNotAvailableForResourceGroup",
            format!(
                "The provided location '{location}' is not available for resource group. List of available regions is '{list}'."
            ),
        );
    }
    ArmError::bad(
        "LocationNotAvailableForResourceType",
        format!(
            "The provided location '{location}' is not available for resource type '{}'. List of available regions for the resource type is '{list}'.",
            kind.name
        ),
    )
}

fn moved(kind: &Type, new: &Resource, existing: &str, location: &str) -> ArmError {
    let name = new.id.name();
    if kind.name == "Microsoft.Resources/resourceGroups" {
        return ArmError::conflict(
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{existing}'."
            ),
        );
    }
    ArmError::conflict(
        "InvalidResourceLocation",
        format!(
            "The resource '{name}' already exists in location '{existing}' in resource group '{}'. A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
            new.id.group().unwrap_or_default()
        ),
    )
}
