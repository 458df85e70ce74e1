//! Microsoft.Authorization/locks, on a subscription, a group or a resource. The generic handler obeys them.

use crate::errors::{ArmError, ArmResult, parent_not_found};
use crate::store::World;
use crate::table::{Change, Place, Type, Verb};

/// API versions of locks.
const VERSIONS: &[&str] = &["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"];

/// The row.
pub const LOCKS: Type = Type {
    place: Place::None,
    creating: None,
    properties: &["level", "notes", "owners"],
    check,
    ..Type::new("Microsoft.Authorization/locks", VERSIONS)
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let scope = change.new.id.parent();
    if let Some(scope) =
        scope.filter(|scope| scope.group().is_some() && world.get(scope.as_str()).is_none())
    {
        return Err(parent_not_found(&change.new.id, &scope));
    }
    match change.new.text("/properties/level") {
        Some("CanNotDelete" | "ReadOnly") => Ok(()),
        level => Err(ArmError::bad(
            "InvalidLockLevel",
            format!(
                "The lock level '{}' is invalid. It is 'CanNotDelete' or 'ReadOnly'.",
                level.unwrap_or_default()
            ),
        )),
    }
}
