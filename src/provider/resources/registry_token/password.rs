//! What remains to be done about a token's password, one request at a time: make it in the idle slot,
//! store it, take the former one away when its overlap is over. And, at the end, leave the secrets.
//!
//! The order keeps a living password in every place at every moment: a slot is made anew while the
//! places still have the other one, and only then are they written. Where an answer is lost, or a
//! write fails, nobody knows what the new slot holds, and the next apply makes it anew.

use serde_json::json;

use super::copies::{self, Found, Kind};
use super::standing::{ASKED, MADE, STORED, Standing};
use super::{Input, Place, REGISTRY, bodies};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Deed, Look, Refusal, Seen, Unread};

/// What comes next.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn next(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    // Ask for everything first.
    let registry = seen.look(&input.registry_id);
    let left = left_places(input, seen);
    let standing = Standing::of(input, None, seen)?;
    let registry = registry?;
    if let Some(need) = standing.need() {
        if let Some(refused) = unwritable(&standing) {
            return Ok(Some(refused));
        }
        let target = standing.target();
        if let Some(until) = target.used_until {
            tracing::info!(?need, %until, "a rotation waits for the end of the overlap");
            return Ok(None);
        }
        let body = json!({ "tokenId": input.token_id(), "name": target.slot });
        return Ok(Some(
            Deed::post(input.registry_id.clone(), "generateCredentials", body)
                .argument("key_vault_secret")
                .noting(ASKED, target.slot.into())
                // Made twice in the slot that nobody uses, it is still the one that is answered last.
                .repeatable()
                .answering(MADE),
        ));
    }
    if let Some((record, password)) = standing.at_hand() {
        let lacks = |found: &Found| !matches!(found, Found::Ours(other) if other.is(&record));
        if let Some(copy) = standing.copies.iter().find(|copy| lacks(&copy.found)) {
            if let Some(refused) = unwritable(&standing) {
                return Ok(Some(refused));
            }
            let server = match registry {
                Look::Found(registry) => registry["properties"]["loginServer"].as_str(),
                Look::Absent | Look::Denied(_) => None,
            };
            let Some(server) = server.or(match copy.kind {
                Kind::Password => Some(""),
                Kind::DockerConfig => None,
            }) else {
                return Ok(Some(no_login_server(input)));
            };
            let body = bodies::secret(input, copy.kind, &record, password, server, seen);
            return Ok(Some(
                Deed::put(copy.id.clone(), body)
                    .argument("key_vault_secret")
                    .noting(STORED, copy.id.as_str().into()),
            ));
        }
    }
    if let Some(id) = left?.into_iter().next() {
        return Ok(Some(
            Deed::patch(id, bodies::released(input)).argument("key_vault_secret"),
        ));
    }
    Ok(standing.outlived().map(|slot| {
        // A PATCH of the passwords keeps those that it names (`az acr token credential delete`).
        let kept: Vec<Json> = standing
            .slots
            .iter()
            .filter(|other| other.name != slot.name)
            .map(|kept| match &kept.expiry {
                Some(end) => json!({ "name": kept.name, "creationTime": kept.made, "expiry": end }),
                None => json!({ "name": kept.name, "creationTime": kept.made }),
            })
            .collect();
        let body = json!({ "properties": { "credentials": { "passwords": kept } } });
        Deed::patch(input.token_id(), body).argument("overlap")
    }))
}

/// Leaves the secrets, when the token goes.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn release(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let copies = input.copies();
    let held = held(input, copies.into_iter().map(|(_, id)| id).collect(), seen)?;
    let first = held.into_iter().next();
    Ok(first.map(|id| Deed::patch(id, bodies::released(input)).argument("key_vault_secret")))
}

/// The secrets of ours where the password was kept before this change, and is not any more.
fn left_places(input: &Input, seen: &Seen) -> Result<Vec<ArmId>, Unread> {
    let before = seen.prior().map(|prior| &prior["key_vault_secret"]);
    let before = before.and_then(|place| serde_json::from_value::<Place>(place.clone()).ok());
    let now: Vec<ArmId> = input.copies().into_iter().map(|(_, id)| id).collect();
    let left = before.iter().flat_map(Place::copies).map(|(_, id)| id);
    held(input, left.filter(|id| !now.contains(id)).collect(), seen)
}

/// Those of the secrets that say that they are of this token.
fn held(input: &Input, ids: Vec<ArmId>, seen: &Seen) -> Result<Vec<ArmId>, Unread> {
    let looks: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let look = seen.look(&id);
            (id, look)
        })
        .collect();
    let mut held = Vec::new();
    for (id, look) in looks {
        if let Look::Found(secret) = look?
            && copies::is_of(input, secret)
        {
            held.push(id);
        }
    }
    Ok(held)
}

/// Why the password cannot be stored, where it cannot: it is not made then, either.
fn unwritable(standing: &Standing<'_>) -> Option<Deed> {
    standing.copies.iter().find_map(|copy| {
        let (why, fix) = match copy.found {
            Found::Foreign => (
                "it exists, and is not of this token",
                "choose another name for the secret. Nothing is overwritten that this token did not write:\n\n  \
                 key_vault_secret = {\n    vault_id = ...\n    name     = \"another-name\"\n  }",
            ),
            Found::Denied => (
                "the caller may not read it, so nobody knows whose it is",
                "give the caller a role with the actions `Microsoft.KeyVault/vaults/secrets/read` and \
                 `Microsoft.KeyVault/vaults/secrets/write` on the vault, Key Vault Contributor for example.",
            ),
            Found::Free | Found::Ours(_) | Found::Spoiled(..) => return None,
        };
        let refusal = Refusal {
            why: why.to_owned(),
            evidence: Vec::new(),
            fix: fix.to_owned(),
        };
        Some(Deed::refused(copy.id.clone(), refusal).argument("key_vault_secret"))
    })
}

fn no_login_server(input: &Input) -> Deed {
    let refusal = Refusal {
        why: "its login server cannot be read, which belongs into the Docker configuration"
            .to_owned(),
        evidence: Vec::new(),
        fix: format!(
            "give the caller a role with the action `{REGISTRY}/read`, Reader for example."
        ),
    };
    Deed::refused(input.registry_id.clone(), refusal).argument("registry_id")
}
