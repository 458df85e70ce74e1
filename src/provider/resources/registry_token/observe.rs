//! What there is, in the user's terms. Scope map and token are read from Azure; of the password Azure
//! shows when it was made, and the secret's tags which one it keeps. What does not fit together is
//! drift, with its reason, and so is a rotation that is due.

use std::collections::BTreeMap;

use super::copies::{Copy, Found};
use super::scope;
use super::standing::{Need, Record, Standing};
use super::times::shown;
use super::{Input, Known, Output, RegistryToken, Stored};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled_id};

/// Observes the token of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<RegistryToken>, Unread> {
    let input = prior.cloned().unwrap_or_else(|| blank(id));
    // Ask for everything first.
    let token = seen.look(id);
    let registry = seen.look(&input.registry_id);
    let own_map = seen.look(&input.own_scope_map_id());
    let standing = Standing::of(&input, None, seen);
    let token = token?.found();
    let own_map = own_map?.found();
    let standing = standing?;
    let (login_server, copies) = (login_server(registry?), secrets(&standing, seen)?);

    let active = standing.whole().or_else(|| standing.by_state());
    let password = match (&active, input.password_in_state) {
        (Some(active), true) => standing.value_of(active),
        _ => None,
    };
    let until = standing.previous().and_then(|(_, until)| until);
    let output = Output {
        user_name: input.name.clone(),
        login_server,
        active_slot: active.as_ref().map(|record| record.slot.clone()),
        rotated_at: active.as_ref().map(|record| record.made.clone()),
        rotated_for: active.as_ref().map(|record| record.reasons.clone()),
        rotation_due: active
            .as_ref()
            .is_some_and(|record| standing.is_due(record)),
        previous_password_until: until.map(shown),
        pending_slot: standing.pending(),
        password,
        secrets: copies,
    };
    let drift = match prior {
        Some(_) => drift(&input, &standing),
        None => Vec::new(),
    };
    let denied: Vec<&Copy> = standing
        .copies
        .iter()
        .filter(|copy| copy.found == Found::Denied)
        .collect();
    let mut warnings: Vec<(String, String)> = denied.into_iter().map(unseen).collect();
    if prior.is_none() && !standing.slots.is_empty() {
        warnings.push(of_import(id, &standing));
    }
    let mut observed = Observed::new(as_found(input, token, own_map), output);
    observed.drift = drift;
    observed.warnings = warnings;
    Ok(observed)
}

/// The arguments as Azure has them.
fn as_found(mut input: Input, token: Option<&Json>, own_map: Option<&Json>) -> Input {
    let Some(token) = token else {
        return input;
    };
    let properties = &token["properties"];
    if let Some(status) = properties["status"].as_str() {
        input.status = status.to_lowercase();
    }
    if let Some(map) = own_map.filter(|_| uses_own(&input, properties)) {
        let properties = &map["properties"];
        input.scope = Some(scope::of_actions(&properties["actions"]));
        let description = properties["description"].as_str();
        input.description = description
            .filter(|text| !text.is_empty() || input.description.is_some())
            .map(ToOwned::to_owned);
    }
    input.scope_map_id = spelled_id(input.scope_map_id.as_ref(), &properties["scopeMapId"]);
    input
}

/// Whether the scope map that is named like the token is this resource's: by what the user wrote, or,
/// at an import, because the token uses it.
fn uses_own(input: &Input, token: &Json) -> bool {
    let used = token["scopeMapId"]
        .as_str()
        .and_then(|id| ArmId::parse(id).ok());
    input.scope.is_some()
        || (input.scope_map_id.is_none() && used == Some(input.own_scope_map_id()))
}

/// What an import knows before anything is read.
fn blank(id: &ArmId) -> Input {
    Input {
        registry_id: id.parent().unwrap_or_else(|| id.clone()),
        name: id.name().to_owned(),
        scope: None,
        scope_map_id: None,
        description: None,
        status: "enabled".to_owned(),
        key_vault_secret: None,
        password_in_state: false,
        rotate_when_changed: None,
        rotate_after: None,
        overlap: super::schema::OVERLAP.to_owned(),
        known: Known::default(),
    }
}

fn login_server(registry: Look<&Json>) -> Option<String> {
    let registry = registry.found()?;
    let server = registry["properties"]["loginServer"].as_str();
    server.map(ToOwned::to_owned)
}

/// The secrets as the state shows them. What someone else did to one is not taken over: it would not be
/// seen again.
fn secrets(standing: &Standing<'_>, seen: &Seen) -> Result<BTreeMap<String, Stored>, Unread> {
    let mut all = BTreeMap::new();
    for copy in &standing.copies {
        let key = copy.kind.key();
        let was = standing
            .known
            .secrets
            .as_ref()
            .and_then(|known| known.get(key));
        let was = was.filter(|was| was.id == copy.id).cloned();
        let stored = match (&copy.found, seen.look(&copy.id)?) {
            (Found::Ours(_), Look::Found(secret)) => Some(Stored {
                id: copy.id.clone(),
                uri: secret["properties"]["secretUri"]
                    .as_str()
                    .map(ToOwned::to_owned),
                versioned_uri: copy.version.clone(),
            }),
            // Nobody lets the caller see it; where it is, is known all the same.
            (Found::Denied, _) => Some(was.unwrap_or_else(|| Stored {
                id: copy.id.clone(),
                uri: None,
                versioned_uri: None,
            })),
            _ => was,
        };
        all.extend(stored.map(|stored| (key.to_owned(), stored)));
    }
    Ok(all)
}

/// Why the password is not as it should be: a line for each reason.
fn drift(input: &Input, standing: &Standing<'_>) -> Vec<String> {
    let mut lines: Vec<String> = standing
        .copies
        .iter()
        .filter_map(|copy| spoiled(copy, standing))
        .collect();
    let active = standing.whole();
    if let Some(record) = active.or_else(|| standing.by_state()) {
        lines.extend(dead(&record, standing));
        if standing.is_due(&record)
            && let (Some(due), Some(age)) = (standing.due_at(&record), &input.rotate_after)
        {
            lines.push(format!(
                "a rotation is due since {}: the password in {} was made at {}, and rotate_after is {age}",
                shown(due),
                record.slot,
                record.made
            ));
        }
    }
    match standing.need() {
        Some(Need::Reasons) => lines.push(
            "the password was made for other values of rotate_when_changed than the state has"
                .to_owned(),
        ),
        Some(Need::Lost) if lines.is_empty() => lines.push(
            "no password of the token is where it should be kept: one is made, and stored"
                .to_owned(),
        ),
        _ => {}
    }
    if let Some(slot) = standing.outlived() {
        lines.push(match standing.previous() {
            Some((_, Some(until))) => format!(
                "{}, the password before, has outlived its overlap since {}: it is removed",
                slot.name,
                shown(until)
            ),
            _ => format!(
                "{} was made at {}, and nobody who should knows that password: it is removed",
                slot.name, slot.made
            ),
        });
    }
    lines
}

fn spoiled(copy: &Copy, standing: &Standing<'_>) -> Option<String> {
    let id = &copy.id;
    match &copy.found {
        Found::Spoiled(_, why) => Some(format!(
            "the key vault secret cannot be relied on, {why}: {id}"
        )),
        Found::Free => Some(format!("the key vault secret is not there: {id}")),
        Found::Foreign => Some(format!("the key vault secret is not of this token: {id}")),
        Found::Ours(record) if !standing.lives(record) => Some(format!(
            "the key vault secret has a password that opens nothing any more, that of {} from {}: {id}",
            record.slot, record.made
        )),
        Found::Ours(_) | Found::Denied => None,
    }
}

/// Why the active password opens nothing, where it does not.
fn dead(record: &Record, standing: &Standing<'_>) -> Option<String> {
    if standing.lives(record) {
        return None;
    }
    let slot = &record.slot;
    Some(match standing.slot(slot) {
        None => format!("{slot} was removed outside"),
        Some(held) if held.made != record.made => {
            format!("{slot} was made anew outside, at {}", held.made)
        }
        Some(held) => format!(
            "{slot} has ended at {}",
            held.expiry.as_deref().unwrap_or_default()
        ),
    })
}

fn unseen(copy: &Copy) -> (String, String) {
    (
        "the key vault secret cannot be read, so its drift is not seen".to_owned(),
        format!(
            "- {}\n\nThe state keeps what was known of it.\n\nFix: give the caller a role with the action \
             `Microsoft.KeyVault/vaults/secrets/read` on the vault; the secret's value is not read by it.",
            copy.id
        ),
    )
}

fn of_import(id: &ArmId, standing: &Standing<'_>) -> (String, String) {
    let slots: Vec<String> = standing
        .slots
        .iter()
        .map(|slot| format!("- {}, made at {}", slot.name, slot.made))
        .collect();
    (
        "an imported token has no password that is known".to_owned(),
        format!(
            "Azure shows a password once, when it is made:\n- {id}\n{}\n\nWhere key_vault_secret names the secret \
             that an earlier life of this resource has written, its password is used on. Otherwise the first \
             apply makes one in {}, and the password in the other slot, if there is one, is removed after \
             `overlap`.",
            slots.join("\n"),
            standing.target().slot
        ),
    )
}
