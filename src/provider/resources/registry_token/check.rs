//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value, to_json};

use super::copies::Found;
use super::scope::{PERMISSIONS, SYSTEM_MAPS, repository};
use super::standing::{Need, Standing};
use super::times::{duration, shown};
use super::{Input, Place, REGISTRY, SCOPE_MAP, VAULT};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Look, Unread, is_of, without_unknowns};
use crate::provider::roles::caller_may;

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let place = config.get("key_vault_secret");
    let vault_path = || Path::attribute("key_vault_secret").then("vault_id");
    for (value, path, kind) in [
        (
            config.get("registry_id"),
            Path::attribute("registry_id"),
            REGISTRY,
        ),
        (
            config.get("scope_map_id"),
            Path::attribute("scope_map_id"),
            SCOPE_MAP,
        ),
        (place.get("vault_id"), vault_path(), VAULT),
    ] {
        is_of(kind, value, path, diagnostics);
    }
    scopes(config, diagnostics);
    durations(config, diagnostics);
    let in_state = config.get("password_in_state");
    if place.is_null() && !in_state.is_unknown() && in_state.as_bool() != Some(true) {
        diagnostics.error(
            Path::root(),
            "the password would be kept nowhere",
            "Azure shows it once, when it is made.\n\nFix: name a secret of a key vault; a private one does, \
             too:\n\n  key_vault_secret = {\n    vault_id = azurerm_key_vault.example.id\n    name     = \
             \"registry-password\"\n  }\n\nOr have it in the state, where everybody can read it who can read \
             the state:\n\n  password_in_state = true",
        );
    }
    if let (Some(name), Some(other)) = (
        place.get("name").as_str(),
        place.get("docker_config_name").as_str(),
    ) && name.eq_ignore_ascii_case(other)
    {
        diagnostics.error(
            Path::attribute("key_vault_secret").then("docker_config_name"),
            "the two forms of the password need two secrets",
            format!("Both are named {name:?}.\n\nFix: give one of them another name."),
        );
    }
}

fn scopes(config: &Value, diagnostics: &mut Diagnostics) {
    let (scope, map) = (config.get("scope"), config.get("scope_map_id"));
    match (scope.is_null(), map.is_null()) {
        (true, true) => diagnostics.error(
            Path::root(),
            "the token would open nothing",
            "Fix: name repositories and what may be done with them:\n\n  scope = {\n    \"team/*\" = \
             [\"content/read\"]\n  }\n\nOr take a scope map that there is, such as one of the registry's \
             own:\n\n  scope_map_id = \"${fkaks_registry.example.id}/scopeMaps/_repositories_pull\"",
        ),
        (false, false) => diagnostics.error(
            Path::attribute("scope_map_id"),
            "a token has one scope map",
            "With `scope` it is this resource's own.\n\nFix: remove one of the two.",
        ),
        _ => {}
    }
    if scope.is_null() && !config.get("description").is_null() {
        diagnostics.error(
            Path::attribute("description"),
            "only a scope map of this resource's own is described",
            "Fix: use it with `scope`, or remove it.",
        );
    }
    if let Some(Ok(id)) = map.as_str().map(ArmId::parse)
        && id.name().starts_with('_')
        && !SYSTEM_MAPS
            .iter()
            .any(|name| id.name().eq_ignore_ascii_case(name))
    {
        diagnostics.error(
            Path::attribute("scope_map_id"),
            format!("no registry has a scope map {} of its own", id.name()),
            format!(
                "Those of a registry's own are:\n- {}",
                SYSTEM_MAPS.join("\n- ")
            ),
        );
    }
    if let (Some(Ok(map)), Some(Ok(registry))) = (
        map.as_str().map(ArmId::parse),
        config.get("registry_id").as_str().map(ArmId::parse),
    ) && map.is(SCOPE_MAP)
        && map.parent().is_some_and(|parent| parent != registry)
    {
        diagnostics.error(
            Path::attribute("scope_map_id"),
            "the scope map is of another registry",
            format!("- {map}\n- {registry}\n\nFix: take one of the token's own registry, or use `scope`."),
        );
    }
    let Some(scope) = scope.as_map() else {
        return;
    };
    if scope.is_empty() {
        diagnostics.error(
            Path::attribute("scope"),
            "the token would open nothing",
            "Fix: name at least one repository.",
        );
    }
    for (name, permissions) in scope {
        let path = Path::attribute("scope").key(name);
        if let Err(why) = repository(name) {
            diagnostics.error(path.clone(), "this is no repository", why);
        }
        let given = permissions.as_items();
        if given.is_some_and(<[Value]>::is_empty) {
            diagnostics.error(
                path.clone(),
                format!("nothing may be done with {name}"),
                format!(
                    "Fix: give one or more of {}, or remove it.",
                    PERMISSIONS.join(", ")
                ),
            );
        }
        let unknown: Vec<&str> = given
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|text| !PERMISSIONS.contains(text))
            .collect();
        if !unknown.is_empty() {
            diagnostics.error(
                path,
                format!("{} is no permission on a repository", unknown.join(", ")),
                format!(
                    "There are {}. To pull takes `content/read`; to push takes `content/read` and \
                     `content/write`.",
                    PERMISSIONS.join(", ")
                ),
            );
        }
    }
}

fn durations(config: &Value, diagnostics: &mut Diagnostics) {
    let after = config
        .get("rotate_after")
        .as_str()
        .and_then(|text| duration(text).ok());
    let overlap = match config.get("overlap") {
        Value::Null => Some(super::schema::OVERLAP),
        given => given.as_str(),
    };
    let overlap = overlap.and_then(|text| duration(text).ok());
    if let (Some(after), Some(overlap)) = (after, overlap)
        && after <= overlap
    {
        diagnostics.error(
            Path::attribute("rotate_after"),
            "the password would be rotated while the one before still lives",
            format!(
                "A token has two slots: rotate_after ({after}) must be longer than overlap ({overlap}).\n\n\
                 Fix: raise the one or lower the other."
            ),
        );
    }
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    let prior = check
        .prior
        .and_then(|prior| to_json(&without_unknowns(prior)).ok());
    // Ask for everything first.
    let vault = match &input.key_vault_secret {
        Some(place) => Some((&place.vault_id, check.seen.look(&place.vault_id))),
        None => None,
    };
    let standing = Standing::of(&input, prior.as_ref(), check.seen);
    let may_generate = caller_may(
        check.seen,
        &input.registry_id,
        &format!("{REGISTRY}/generateCredentials/action"),
    );
    let may_store = match &vault {
        Some((id, _)) => caller_may(check.seen, id, &format!("{VAULT}/secrets/write")),
        None => Ok(true),
    };
    let (may_generate, may_store) = (may_generate?, may_store?);
    let standing = standing?;
    if let Some((id, look)) = vault
        && !usable(id, look?, check)
    {
        return Ok(());
    }
    secrets(&standing, check);
    let Some(need) = standing.need() else {
        return Ok(());
    };
    if !may_generate {
        lacks(
            check,
            "registry_id",
            &input.registry_id,
            &format!("{REGISTRY}/generateCredentials/action"),
            "Contributor",
        );
    }
    if let Some(place) = input.key_vault_secret.as_ref().filter(|_| !may_store) {
        lacks(
            check,
            "key_vault_secret",
            &place.vault_id,
            &format!("{VAULT}/secrets/write"),
            "Key Vault Contributor",
        );
    }
    // What triggers may not be known yet, and then nobody knows whether it changes.
    let known = check.planned.get("rotate_when_changed").is_wholly_known();
    if need != Need::Reasons || known {
        in_overlap(&input, &standing, &need, check);
    }
    Ok(())
}

fn planned(check: &Check<'_>) -> Option<Input> {
    let json = to_json(&without_unknowns(check.planned)).ok()?;
    serde_json::from_value(json).ok()
}

fn lacks(check: &mut Check<'_>, argument: &str, id: &ArmId, action: &str, role: &str) {
    check.error(
        Path::attribute(argument),
        format!("the caller lacks the action {action}"),
        format!(
            "- {id}\n\nFix: have an owner give it a role with that action:\n\n  az role assignment create --role \
             \"{role}\" \\\n    --assignee-object-id <object id of the caller> --assignee-principal-type \
             ServicePrincipal \\\n    --scope {id}"
        ),
    );
}

/// Whether there is a vault to store a password in, before one is made that nobody could see again.
///
/// # Errors
/// [`Unread`] when it has not been read yet.
pub fn has_vault(check: &mut Check<'_>) -> Result<(), Unread> {
    let place = planned(check).and_then(|input| input.key_vault_secret);
    let Some(Place { vault_id: id, .. }) = place else {
        return Ok(());
    };
    if !matches!(check.seen.look(&id)?, Look::Absent) {
        return Ok(());
    }
    check.error(
        Path::attribute("key_vault_secret").then("vault_id"),
        "there is no such key vault",
        format!(
            "- {id}\n\nFix: give the id of one that there is. Where it is made in the same configuration, refer to it, so \
             that it is made before:\n\n  vault_id = fkaks_key_vault.example.id"
        ),
    );
    Ok(())
}

/// Whether the vault is there and can be seen.
fn usable(id: &ArmId, look: Look<&Json>, check: &mut Check<'_>) -> bool {
    let path = Path::attribute("key_vault_secret").then("vault_id");
    match look {
        Look::Found(_) => true,
        // The same apply may make it.
        Look::Absent => false,
        Look::Denied(error) => {
            check.error(
                path,
                "the key vault cannot be read",
                format!(
                    "- {id}\n\nFix: give the caller a role with the actions `{VAULT}/read`, `{VAULT}/secrets/read` \
                     and `{VAULT}/secrets/write`, Key Vault Contributor for example. None of them reads a \
                     secret's value.\n\nAzure said: {error}"
                ),
            );
            false
        }
    }
}

fn secrets(standing: &Standing<'_>, check: &mut Check<'_>) {
    for copy in &standing.copies {
        let path = Path::attribute("key_vault_secret");
        match &copy.found {
            Found::Foreign => check.error(
                path,
                format!("the secret {} is someone else's", copy.id.name()),
                format!(
                    "It exists, and does not say that it is of this token:\n- {}\n\nNothing is overwritten that this \
                     token did not write.\n\nFix: choose another name for the secret.",
                    copy.id
                ),
            ),
            Found::Denied => check.error(
                path,
                format!("the secret {} cannot be read", copy.id.name()),
                format!(
                    "Nobody knows whose it is:\n- {}\n\nFix: give the caller a role with the action \
                     `{VAULT}/secrets/read`, Key Vault Contributor for example. It does not read the value.",
                    copy.id
                ),
            ),
            Found::Free | Found::Ours(_) | Found::Spoiled(..) => {}
        }
    }
}

/// No password is overwritten that someone may still use.
fn in_overlap(input: &Input, standing: &Standing<'_>, need: &Need, check: &mut Check<'_>) {
    let target = standing.target();
    let Some(until) = target.used_until else {
        return;
    };
    let (argument, why) = match need {
        Need::Reasons => ("rotate_when_changed", "rotate_when_changed is changed"),
        Need::Age => ("rotate_after", "rotate_after has passed"),
        Need::Lost => (
            "key_vault_secret",
            "the password has to be made anew, since its value is lost or was never known here",
        ),
    };
    check.error(
        Path::attribute(argument),
        format!("a second rotation is possible from {} on", shown(until)),
        format!(
            "Here {why}, and the slot for a new password, {}, still has the one before, which lives for overlap = \
             {:?} after the last rotation:\n- {}\n- last rotation: {}\n\nFix: apply it then. Or, if nobody uses \
             the password before any more:\n\n  overlap = \"0s\"",
            target.slot,
            input.overlap,
            input.token_id(),
            standing.whole().or_else(|| standing.by_state()).map(|record| record.made).unwrap_or_default(),
        ),
    );
}
