//! Microsoft.Management: management groups. The tenant has a root group with the tenant's own id, in which
//! every subscription is until it is put into another group.

pub mod groups;

use crate::errors::ArmResult;
use crate::id::ResourceId;
use crate::store::World;
use crate::table::Type;

/// API versions of management groups that clients send.
pub const VERSIONS: &[&str] = &[
    "2018-03-01-preview",
    "2019-11-01",
    "2020-02-01",
    "2020-05-01",
    "2020-10-01",
    "2021-04-01",
    "2023-04-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[groups::GROUPS, groups::SUBSCRIPTIONS];

/// True when what is assigned at a scope concerns another: it is the same, below it, or lies in a
/// subscription of the management group.
#[must_use]
pub fn reaches(world: &World, at: &str, scope: &str) -> bool {
    let at = at.trim_end_matches('/').to_lowercase();
    let scope = scope.trim_end_matches('/').to_lowercase();
    if scope == at || scope.starts_with(&format!("{at}/")) {
        return true;
    }
    let group = |key: &str| {
        ResourceId::parse(key).is_some_and(|id| id.type_name().eq_ignore_ascii_case(groups::NAME))
    };
    group(&at) && groups::above(world, &scope).contains(&at)
}

/// The scope that something is assigned at must be there.
///
/// # Errors
/// 404 for a missing management group, resource group or resource.
pub fn scope_exists(world: &World, scope: &ResourceId) -> ArmResult<()> {
    if scope.subscription().is_empty() {
        return match groups::exists(world, scope) {
            true => Ok(()),
            false => Err(groups::missing(scope.name())),
        };
    }
    match scope.group() {
        None => Ok(()),
        Some(_) => world.require(scope).map(|_| ()),
    }
}
