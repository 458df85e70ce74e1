//! Whether the roles that the control plane needs are there, or can be assigned: both are known at
//! plan, and Azure would tell of them half way through the apply.

use tfplugin_rs::value::Path;

use super::{Input, grants};
use crate::arm::ArmId;
use crate::provider::parts::{Check, Look, Unread};
use crate::provider::roles::{Covered, Need, ZONE_CONTRIBUTOR, covered, may_assign};

/// With `manage_role_assignments = true` the caller assigns what is missing, which it must be allowed
/// where each assignment goes.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn may_assign_roles(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let identity = input.control_plane_id();
    let needs = grants::unserved(input, check.seen)?;
    let (there, missing) = by_assignment(check, &identity, &needs)?;
    if missing.is_empty() {
        return Ok(());
    }
    // Ask for everything first.
    let look = check.seen.look(&identity);
    let scopes: Vec<_> = missing
        .iter()
        .map(|need| (&need.scope, check.seen.look(&need.scope)))
        .collect();
    let principal = match look? {
        Look::Found(found) => grants::principal(Some(found)),
        // The check of the identity says so. Perhaps it has its roles.
        Look::Denied(_) if input.identity_id.is_some() => return Ok(()),
        Look::Absent | Look::Denied(_) => None,
    };
    let mut known = Vec::new();
    for (scope, look) in scopes {
        // What the same apply makes is asked about once it is there, before the first write.
        if matches!(look?, Look::Found(_)) && !known.contains(&scope) {
            known.push(scope);
        }
    }
    let or = way_without(input, principal, &missing, there.is_empty());
    may_assign(
        &known,
        "manage_role_assignments",
        "the caller may not assign the roles that the cluster needs",
        &or,
        check,
    )
}

/// The needs whose assignment is there and stays, and those for which it is to be made.
fn by_assignment<'n>(
    check: &Check<'_>,
    identity: &ArmId,
    needs: &'n [Need],
) -> Result<(Vec<&'n Need>, Vec<&'n Need>), Unread> {
    let looks: Vec<_> = needs
        .iter()
        .map(|need| {
            let id = need.id(identity);
            let look = check.seen.look(&id);
            (need, id, look)
        })
        .collect();
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for (need, id, look) in looks {
        let replaced = check.replaced.as_ref();
        let goes = replaced.is_some_and(|ledger| ledger.contains(&id));
        match look? {
            Look::Found(_) if !goes => there.push(need),
            Look::Found(_) | Look::Absent => missing.push(need),
            Look::Denied(_) => {}
        }
    }
    Ok((there, missing))
}

/// What an owner does where the caller is not to assign roles: assignments count only for an identity
/// that is given, because one of ours is made in the apply.
fn way_without(
    input: &Input,
    principal: Option<&str>,
    missing: &[&Need],
    none_is_ours: bool,
) -> String {
    let principal = match &input.identity_id {
        Some(_) => principal.unwrap_or("<principal id of the identity>"),
        None => "<principal id of the identity>",
    };
    let commands: Vec<String> = missing.iter().map(|need| need.command(principal)).collect();
    let commands = commands.join("\n  ");
    match &input.identity_id {
        Some(_) if none_is_ours => format!(
            "Or have the owner assign them:\n\n  {commands}\n\nand let none be assigned here:\n\n  \
             manage_role_assignments = false"
        ),
        // Without the right to manage them, those that are there would go.
        Some(_) => format!("Or have the owner assign them, which counts here:\n\n  {commands}"),
        None => format!(
            "Or give the cluster an identity to which the owner assigns them:\n\n  {commands}\n\nand let \
             none be assigned here:\n\n  identity_id             = \
             azurerm_user_assigned_identity.example.id\n  manage_role_assignments = false"
        ),
    }
}

/// With `manage_role_assignments = false` the roles of the identity are only looked at.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn missing_roles(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let Some(identity) = input
        .identity_id
        .as_ref()
        .filter(|_| !input.manage_role_assignments)
    else {
        return Ok(());
    };
    let needs = grants::needs(input, check.seen);
    let Look::Found(found) = check.seen.look(identity)? else {
        return Ok(());
    };
    let Some(principal) = grants::principal(Some(found)) else {
        return Ok(());
    };
    let needs = needs?;
    let answers: Vec<_> = needs
        .iter()
        .map(|need| covered(need, identity, principal, check.seen))
        .collect();
    let (mut missing, mut unreadable) = (Vec::new(), Vec::new());
    for (need, answer) in needs.iter().zip(answers) {
        match answer? {
            Covered::No => missing.push(need),
            Covered::Unreadable => unreadable.push(need),
            Covered::Yes | Covered::Perhaps => {}
        }
    }
    let line = |need: &&Need| format!("- {} on {}, {}", need.role.name, need.scope, need.why);
    if !missing.is_empty() {
        let lines: Vec<String> = missing.iter().map(line).collect();
        let commands: Vec<String> = missing.iter().map(|need| need.command(principal)).collect();
        let argument = if missing.iter().any(|need| need.role == ZONE_CONTRIBUTOR) {
            "private_dns_zone_id"
        } else {
            "identity_id"
        };
        check.error(
            Path::attribute(argument),
            format!(
                "identity {} may not do what the cluster needs",
                identity.name()
            ),
            format!(
                "{}\n\nFix: have someone who may assign roles run\n\n  {}\n\nor let it be done \
                 here:\n\n  manage_role_assignments = true",
                lines.join("\n"),
                commands.join("\n  ")
            ),
        );
    }
    if !unreadable.is_empty() {
        let lines: Vec<String> = unreadable.iter().map(line).collect();
        check.warning(
            Path::attribute("identity_id"),
            format!("the roles of identity {} cannot be checked", identity.name()),
            format!(
                "{}\n\nThe caller needs the action `Microsoft.Authorization/roleAssignments/read` there.",
                lines.join("\n")
            ),
        );
    }
    Ok(())
}
