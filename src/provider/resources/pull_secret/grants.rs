//! The role with which the kubelets' identity reads the secret in the vault: on that secret and nothing
//! else, made unless somebody else has given it. Without it a pod would try in vain for minutes, so it is
//! checked at plan whether it can be given.
//!
//! Source: Microsoft Learn, "Provide access to Key Vault keys, certificates, and secrets with Azure
//! role-based access control" (the role, and single secrets as scopes).

use tfplugin_rs::value::Path;

use super::{Input, inside};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Evidence, Look, Seen, Unread, Wanted};
use crate::provider::roles::{
    Covered, Need, SECRETS_USER, covered, is_assigned, is_served, may_assign,
};

const ARGUMENT: &str = "manage_role_assignments";

/// Who reads what.
struct Reader<'a> {
    /// The secret and the role on it.
    need: Need,
    /// The object id of the kubelets' identity.
    principal: &'a str,
    /// How the vault decides who may.
    admission: Admission,
}

/// How a vault decides who may read its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// By role assignments.
    Roles,
    /// By its access policies; whether one of them admits the identity.
    Policies(bool),
    /// Nobody lets the caller see that.
    Unseen,
}

/// Who reads the vault's secret. `None` where there is none, and for an identity of which only the
/// client id is known: a role needs its object id.
fn reader<'a>(input: &Input, seen: &'a Seen) -> Result<Option<Reader<'a>>, Unread> {
    let Some(secret) = &input.key_vault_secret_id else {
        return Ok(None);
    };
    // Ask for everything first.
    let vault = secret.parent().map(|vault| seen.look(&vault));
    let Some(cluster) = inside::cluster(&input.cluster_id, seen)? else {
        return Ok(None);
    };
    let given = input.identity_client_id.as_deref();
    let is_kubelet = |client: &str| {
        inside::kubelet(cluster).is_some_and(|kubelet| kubelet.eq_ignore_ascii_case(client))
    };
    let Some(principal) = object_id(cluster).filter(|_| given.is_none_or(is_kubelet)) else {
        return Ok(None);
    };
    let admission = match vault.transpose()? {
        Some(Look::Found(vault)) => admission(vault, principal),
        Some(Look::Denied(_)) => Admission::Unseen,
        // One that the same apply makes is as new vaults are.
        Some(Look::Absent) | None => Admission::Roles,
    };
    Ok(Some(Reader {
        need: Need {
            scope: secret.clone(),
            role: SECRETS_USER,
            why: "to read the secret in the vault",
        },
        principal,
        admission,
    }))
}

fn object_id(cluster: &Json) -> Option<&str> {
    cluster["properties"]["identityProfile"]["kubeletidentity"]["objectId"].as_str()
}

fn admission(vault: &Json, principal: &str) -> Admission {
    let properties = &vault["properties"];
    if properties["enableRbacAuthorization"] == true {
        return Admission::Roles;
    }
    let policies = properties["accessPolicies"].as_array();
    Admission::Policies(policies.into_iter().flatten().any(|policy| {
        let his = policy["objectId"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(principal));
        let words = policy["permissions"]["secrets"].as_array();
        let reads =
            |word: &str| word.eq_ignore_ascii_case("get") || word.eq_ignore_ascii_case("all");
        his && words
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .any(reads)
    }))
}

/// The part of the role: its assignment, where this resource gives it.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn grants(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    if !input.manage_role_assignments {
        return Ok(Vec::new());
    }
    let Some(reader) = reader(input, seen)? else {
        return Ok(Vec::new());
    };
    let holder = input.id();
    let wants = match reader.admission {
        Admission::Roles => !is_served(&reader.need, &holder, reader.principal, seen)?,
        // What was given stays.
        Admission::Unseen => seen.owns(&reader.need.id(&holder)),
        Admission::Policies(_) => false,
    };
    if !wants {
        return Ok(Vec::new());
    }
    let principal = Ok(Some(reader.principal.to_owned()));
    let wanted = reader.need.wanted(&holder, principal);
    // Another pull secret of the same cluster may give the same role at the same time, and Azure has room
    // for one.
    Ok(vec![wanted.needless_when(is_assigned)])
}

/// The role is in force when its assignment shows: ours, or that of others, which lists show a little
/// later.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn in_force(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let looks: Vec<_> = grants(input, seen)?
        .into_iter()
        .map(|wanted| seen.look(&wanted.id))
        .collect();
    for look in looks {
        if matches!(look?, Look::Absent) {
            let why = "the nodes do not have the role that reads the secret in the vault";
            return Ok(Evidence::Waiting(why.to_owned()));
        }
    }
    Ok(Evidence::Done)
}

/// What to do about an assignment of our name that we do not own.
pub fn left_over(id: &ArmId) -> Option<String> {
    Some(format!(
        "it was left by an earlier life of this pull secret. If nothing needs it any more, delete it:\n\n  az \
         role assignment delete --ids {id}"
    ))
}

/// Finds at plan that the identity may not read the secret, and that nothing here would change that.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let Some(reader) = reader(input, check.seen)? else {
        return Ok(());
    };
    match reader.admission {
        Admission::Policies(true) => Ok(()),
        Admission::Policies(false) => {
            no_policy(check, &reader);
            Ok(())
        }
        Admission::Unseen => {
            if input.manage_role_assignments && check.changes("key_vault_secret_id") {
                unseen(check, &reader);
            }
            Ok(())
        }
        Admission::Roles if input.manage_role_assignments => may_give(check, input, &reader),
        Admission::Roles => is_given(check, input, &reader),
    }
}

fn unseen(check: &mut Check<'_>, reader: &Reader<'_>) {
    let secret = &reader.need.scope;
    let Some(vault) = secret.parent() else { return };
    check.error(
        Path::attribute("key_vault_secret_id"),
        "the caller may not see whether the vault asks for roles",
        format!(
            "- {vault}\n\nFix: give the caller a role with the action `Microsoft.KeyVault/vaults/read`, Reader for \
             example. Or see to it that the nodes may read the secret, and let no role be given \
             here:\n\n  {ARGUMENT} = false"
        ),
    );
}

fn no_policy(check: &mut Check<'_>, reader: &Reader<'_>) {
    let secret = &reader.need.scope;
    let vault = secret
        .parent()
        .filter(|_| check.changes("key_vault_secret_id"));
    let Some(vault) = vault else { return };
    // A policy may be of a group that has the identity, which nobody tells here.
    check.warning(
        Path::attribute("key_vault_secret_id"),
        "the vault has access policies, and none lets the nodes read its secrets",
        format!(
            "- {vault}\n- the kubelet identity {}\n\nRole assignments do not count in such a vault, and a policy of a \
             group that the identity is in is not seen here.\n\nFix: let the vault ask for roles, and have the role given \
             here:\n\n  az keyvault update --ids {vault} --enable-rbac-authorization true\n\nOr give the \
             identity a policy, which opens all secrets of the vault to it:\n\n  az keyvault set-policy --name {} --object-id {} --secret-permissions get",
            reader.principal,
            vault.name(),
            reader.principal
        ),
    );
}

/// Whether the caller may give the role, where it is not there yet.
fn may_give(check: &mut Check<'_>, input: &Input, reader: &Reader<'_>) -> Result<(), Unread> {
    let (need, holder) = (&reader.need, input.id());
    let vault = need.scope.parent();
    // Ask for everything first.
    let own = check.seen.look(&need.id(&holder));
    let secret = check.seen.look(&need.scope);
    let vault = vault.as_ref().map(|vault| (vault, check.seen.look(vault)));
    if is_served(need, &holder, reader.principal, check.seen)? {
        return Ok(());
    }
    let own_stays = matches!(own?, Look::Found(_)) && check.replaced.is_none();
    if own_stays {
        return Ok(());
    }
    let mut scope = matches!(secret?, Look::Found(_)).then_some(&need.scope);
    // A secret that the same apply makes inherits from its vault what the caller may do.
    if let (None, Some((vault, look))) = (scope, vault) {
        scope = matches!(look?, Look::Found(_)).then_some(vault);
    }
    let Some(scope) = scope else { return Ok(()) };
    let or = format!(
        "Or have the owner give the role to the nodes:\n\n  {}\n\nand let none be given here:\n\n  {ARGUMENT} = false",
        need.command(reader.principal)
    );
    may_assign(
        &[scope],
        ARGUMENT,
        "the caller may not assign the role with which the nodes read the secret",
        &or,
        check,
    )
}

/// Whether the role is there already, where it is not to be given here.
fn is_given(check: &mut Check<'_>, input: &Input, reader: &Reader<'_>) -> Result<(), Unread> {
    let need = &reader.need;
    // What exists has read the secret once.
    if !check.is_creation()
        || covered(need, &input.id(), reader.principal, check.seen)? != Covered::No
    {
        return Ok(());
    }
    check.warning(
        Path::attribute(ARGUMENT),
        "no role assignment of their own lets the nodes read the secret",
        format!(
            "- {}\n- the kubelet identity {}\n\nRoles by way of a group are not seen here.\n\nFix: have someone who may \
             assign roles run\n\n  {}\n\nor let it be done here:\n\n  {ARGUMENT} = true",
            need.scope,
            reader.principal,
            need.command(reader.principal)
        ),
    );
    Ok(())
}
