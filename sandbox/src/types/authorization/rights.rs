//! Who may do what: the question that other types ask before they act for an identity. An assignment
//! counts at its scope and below, as soon as it is in effect (`roleEffectMs` after it was made).

use super::{assignments, conditions, definitions};
use crate::store::{Resource, World};
use crate::types::management::reaches;

/// True when the principal may do a control-plane action, such as
/// `Microsoft.Network/privateDnsZones/A/write`, at the scope (an id).
#[must_use]
pub fn has_right(world: &World, principal: &str, action: &str, scope: &str) -> bool {
    in_effect(world, principal, scope).any(|assignment| {
        permits(world, assignment, |role| {
            allowed(action, &role.actions, &role.not_actions)
        }) && holds(assignment, action, &[])
    })
}

/// True when the principal may do a data action at the scope. `attributes` are what conditions look at,
/// such as `Microsoft.ContainerRegistry/registries/repositories:name`.
#[must_use]
pub fn has_data_right(
    world: &World,
    principal: &str,
    action: &str,
    scope: &str,
    attributes: &[(&str, &str)],
) -> bool {
    in_effect(world, principal, scope).any(|assignment| {
        permits(world, assignment, |role| {
            allowed(action, &role.data_actions, &role.not_data_actions)
        }) && holds(assignment, action, attributes)
    })
}

fn in_effect<'a>(
    world: &'a World,
    principal: &'a str,
    scope: &str,
) -> impl Iterator<Item = &'a Resource> {
    let key = scope.trim_end_matches('/').to_lowercase();
    world.of_type(assignments::NAME).filter(move |assignment| {
        let mine = assignment
            .text("/properties/principalId")
            .is_some_and(|id| id.eq_ignore_ascii_case(principal));
        let above =
            assignments::scope(assignment).is_some_and(|at| reaches(world, at.as_str(), &key));
        mine && above && world.now >= assignment.created.saturating_add(world.roles.effect_ms)
    })
}

fn permits(
    world: &World,
    assignment: &Resource,
    test: impl Fn(&definitions::Permissions) -> bool,
) -> bool {
    definitions::permissions(world, &assignments::role_guid(assignment))
        .unwrap_or_default()
        .iter()
        .any(test)
}

fn holds(assignment: &Resource, action: &str, attributes: &[(&str, &str)]) -> bool {
    assignment.text("/properties/condition").is_none_or(|text| {
        conditions::parse(text).is_ok_and(|condition| condition.holds(action, attributes))
    })
}

fn allowed(action: &str, yes: &[String], no: &[String]) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
    any(yes) && !any(no)
}

/// `*` in a pattern stands for any text, slashes included; case does not count.
#[must_use]
pub fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| action.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_case_does_not_count() {
        for (pattern, action, expected) in [
            ("*", "Microsoft.Network/x/read", true),
            (
                "*/read",
                "Microsoft.ContainerRegistry/registries/pull/READ",
                true,
            ),
            (
                "*/read",
                "Microsoft.ContainerRegistry/registries/push/write",
                false,
            ),
            (
                "Microsoft.Network/privateDnsZones/*",
                "microsoft.network/privatednszones/A/write",
                true,
            ),
            (
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/roleAssignments/delete",
                true,
            ),
            ("Microsoft.Network/a/read", "Microsoft.Network/a/read", true),
            (
                "Microsoft.Network/a/read",
                "Microsoft.Network/a/read/more",
                false,
            ),
        ] {
            assert_eq!(matches(pattern, action), expected, "{pattern} on {action}");
        }
    }
}
