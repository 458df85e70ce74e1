//! What the caller of Resource Manager may do, as far as Azure tells: what it lacks is found at plan,
//! and not half way through an apply.

use tfplugin_rs::value::Path;

use super::ASSIGNMENT;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Look, Seen, Unread};

/// Refuses at plan what needs role assignments where the caller may not make them, all such scopes at
/// once. `or` is a way without that right.
///
/// # Errors
/// [`Unread`] while its permissions have not been read.
pub fn may_assign(
    scopes: &[&ArmId],
    argument: &'static str,
    summary: &str,
    or: &str,
    check: &mut Check<'_>,
) -> Result<(), Unread> {
    let action = format!("{ASSIGNMENT}/write");
    let answers: Vec<_> = scopes
        .iter()
        .map(|scope| (scope, caller_may(check.seen, scope, &action)))
        .collect();
    let mut refused = Vec::new();
    for (scope, may) in answers {
        if !may? {
            refused.push(scope);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = refused.iter().map(|scope| format!("- {scope}")).collect();
    let commands: Vec<String> = refused
        .iter()
        .map(|scope| {
            format!(
                "  az role assignment create --role \"Role Based Access Control Administrator\" \\\n    \
                 --assignee-object-id <object id of the caller> --assignee-principal-type ServicePrincipal \
                 \\\n    --scope {scope}"
            )
        })
        .collect();
    check.error(
        Path::attribute(argument),
        summary,
        format!(
            "{}\n\nIt has no role with the action `{action}` there; Contributor has not.\n\nFix: have an owner \
             give it the role that may assign roles and nothing else there:\n\n{}\n\n{or}",
            lines.join("\n"),
            commands.join("\n")
        ),
    );
    Ok(())
}

/// Whether the caller may do that there: what Azure does not tell is no refusal.
///
/// # Errors
/// [`Unread`] while its permissions have not been read.
pub fn caller_may(seen: &Seen, scope: &ArmId, action: &str) -> Result<bool, Unread> {
    let list = seen.list(scope, "providers/Microsoft.Authorization/permissions")?;
    Ok(match list {
        Look::Found(blocks) => {
            blocks.is_empty() || permits(blocks, action, "actions", "notActions")
        }
        Look::Absent | Look::Denied(_) => true,
    })
}

/// Whether permissions, as Azure answers them for the caller or in a role's definition, allow that by
/// one of their blocks: `allowed` and `excepted` are the lists of actions, or of data actions.
pub fn permits(blocks: &[Json], action: &str, allowed: &str, excepted: &str) -> bool {
    blocks.iter().any(|block| {
        let any = |list: &str| {
            let patterns = block[list].as_array().into_iter().flatten();
            patterns
                .filter_map(Json::as_str)
                .any(|pattern| matches(pattern, action))
        };
        any(allowed) && !any(excepted)
    })
}

/// `*` in a pattern of actions stands for any text; case does not count.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    match pattern.split_once('*') {
        None => pattern == action,
        Some((start, rest)) => action.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .any(|at| matches(rest, &tail[at..]))
        }),
    }
}
