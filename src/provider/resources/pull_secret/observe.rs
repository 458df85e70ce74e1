//! What there is, in the user's terms: the arguments are what the user wrote; the marks and checksums that
//! a look inside the cluster shows are compared with what should be.

use super::inside::{self, Closed, Inside};
use super::{Input, Known, PullSecret, of_id};
use crate::arm::ArmId;
use crate::provider::parts::{Look, Observed, Seen, Unread};

/// Observes the secret of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<PullSecret>, Unread> {
    let asked = of_id(id).map(|(cluster, namespace, name)| Input::of(cluster, namespace, name));
    let Some(input) = prior.cloned().or(asked) else {
        return Err(Unread);
    };
    // Ask for everything first.
    let source = inside::source(&input, seen);
    let cluster = inside::cluster(&input.cluster_id, seen);
    let mut known = input.known.clone();
    if cluster?.is_none() {
        let gone = matches!(seen.look(&input.cluster_id)?, Look::Absent);
        let why = format!("the cluster is not there: {}", input.cluster_id);
        let mut observed = Observed::new(input, known);
        // The role in the vault outlives it, and so does this resource until that is gone.
        observed.drift = gone.then_some(why).into_iter().collect();
        return Ok(observed);
    }
    let found = inside::look(&input, seen)?;
    let source = source?;
    let (mut drift, mut warnings) = (Vec::new(), Vec::new());
    let mut is_there = true;
    match found {
        // Nobody can tell that it is not there.
        Err(closed) => {
            known = seen.prior().map_or(known, Known::of);
            warnings.push(unseen(id, &closed));
        }
        Ok(Inside { secret: None, .. }) => {
            is_there = false;
            drift.push(format!(
                "the secret {} is not in the namespace {}",
                input.name, input.namespace
            ));
        }
        Ok(Inside {
            secret: Some(held), ..
        }) => {
            if prior.is_some() {
                drift = held.faults(&known, source.as_deref());
            }
            // What is known was written. Someone else's data is drift, which stays until the next write.
            known.uid.get_or_insert(held.uid);
            known.checksum.get_or_insert(held.checksum);
            known.source = Some(held.source);
        }
    }
    if input.key_vault_secret_id.is_some() && source.is_none() {
        warnings.push(no_vault(&input));
    }
    let mut observed = Observed::new(input, known);
    observed.found = is_there;
    observed.drift = drift;
    observed.warnings = warnings;
    Ok(observed)
}

fn unseen(id: &ArmId, closed: &Closed) -> (String, String) {
    (
        format!(
            "the pull secret {} could not be looked at, and the state is kept",
            id.name()
        ),
        format!("- {id}\n- {}\n\nFix: {}", closed.why, closed.fix),
    )
}

fn no_vault(input: &Input) -> (String, String) {
    (
        format!(
            "whether the key vault has a newer version for {} is not seen",
            input.name
        ),
        format!(
            "- {}\n\nFix: see that the secret is there, and give the caller a role with the action `{}/read`; it does \
             not read the value.",
            input
                .key_vault_secret_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            super::VAULT_SECRET
        ),
    )
}
