//! Microsoft.Resources/resourceGroups: made at once, deleted with everything inside as one operation.
//! A group whose contents are used from outside cannot go: the operation fails and what could not go stays.

use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{self, Change, Patch, Style, Type, Verb};

/// The row.
pub const GROUPS: Type = Type {
    put: Style::Immediate,
    patch: Patch::Merge(Style::Immediate),
    delete: Style::Location,
    members: &["managedBy"],
    check,
    // A group is held by its deletion alone; resources inside are written side by side.
    ..Type::new("Microsoft.Resources/resourceGroups", super::VERSIONS)
};

fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let name = change.new.id.name();
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')');
    if name.chars().count() > 90 {
        return Err(ArmError::bad(
            "InvalidResourceGroup",
            format!(
                "The provided resource group name '{name}' has a length of '{}' which exceeds the maximum length of '90'.",
                name.len()
            ),
        ));
    }
    if !name.chars().all(valid) || name.ends_with('.') {
        return Err(ArmError::bad(
            "InvalidResourceGroup",
            format!(
                "The provided resource group name '{name}' has invalid characters. The name can only be a letter, digit, '-', '.', '(', ')' or '_', and cannot end with '.'."
            ),
        ));
    }
    Ok(())
}

/// Deletes what the group holds in an order that every type accepts.
///
/// # Errors
/// `ResourceGroupDeletionBlocked` naming what is used from outside the group.
pub fn empty(world: &mut World, group: &ResourceId) -> ArmResult<()> {
    loop {
        let doomed: Vec<Resource> = world.below(group.as_str()).cloned().collect();
        let mut refusals = Vec::new();
        let mut progress = false;
        for resource in &doomed {
            if world.get(resource.id.as_str()).is_none() {
                continue;
            }
            let refused = table::find(&resource.type_name).and_then(|kind| {
                // A child goes with its parent.
                let change = Change {
                    verb: Verb::Delete,
                    old: Some(resource),
                    new: resource,
                };
                (kind.check)(world, &change).err()
            });
            match refused {
                Some(error) if resource.id.is_child() => drop(error),
                Some(error) => refusals.push(error),
                None => {
                    world.delete(&resource.id)?;
                    progress = true;
                }
            }
        }
        if doomed.is_empty() {
            return Ok(());
        }
        if !progress {
            let mut blocked = ArmError::conflict(
                "ResourceGroupDeletionBlocked",
                format!(
                    "Deletion of resource group '{}' failed as resources with identifiers in the details could not be deleted. The provisioning state of the resource group will be rolled back.",
                    group.name()
                ),
            );
            blocked.details = refusals;
            return Err(blocked);
        }
    }
}
