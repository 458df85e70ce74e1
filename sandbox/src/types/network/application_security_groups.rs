//! Microsoft.Network/applicationSecurityGroups: a name that network interfaces and rules refer to.

use crate::errors::{ArmError, ArmResult};
use crate::store::World;
use crate::table::{Change, Type, Verb};

/// The row.
pub const APPLICATION_SECURITY_GROUPS: Type = Type {
    properties: &["resourceGuid"],
    read_only: &["resourceGuid"],
    check,
    fill: super::resource_guid,
    ..super::top_level("Microsoft.Network/applicationSecurityGroups")
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    super::check_name(change, 80)?;
    if change.verb != Verb::Delete {
        return Ok(());
    }
    let id = &change.new.id;
    let user = super::users(world, id).next();
    user.map_or(Ok(()), |user| {
        Err(ArmError::bad(
            "InUseApplicationSecurityGroupCannotBeDeleted",
            format!(
                "Application security group {id} cannot be deleted because it is in use by {}.",
                user.id
            ),
        ))
    })
}
