//! What there is, compared with what is wanted: the one function behind reading, import, drift
//! and the state that an apply leaves behind.

use std::sync::Arc;

use super::compare::{Lists, differences};
use super::ledger::Ledger;
use super::seen::{Look, Seen, Unread};
use super::tags::without_ignored_tags;
use super::takeover::Takeover;
use super::wanted::Wanted;
use super::{Attributes, Composite, Evidence};
use crate::arm::{ArmId, Error, Json};

/// What a survey looks at.
pub struct Subject<'a, I> {
    /// The resource's id.
    pub id: &'a ArmId,
    /// What the user wrote; `None` right after an import.
    pub prior: Option<&'a I>,
    /// What the resource owns so far.
    pub ledger: &'a Ledger,
    /// Whether it has been imported and not wholly taken over: what lies within its anchor is its own.
    pub takeover: Takeover,
    /// Objects that will be needed, as far as they are known before.
    pub known: &'a [ArmId],
}

/// What a survey found.
pub struct Survey {
    /// Arguments and computed attributes, without `objects` and `drift`.
    pub attributes: Attributes,
    /// What the resource owns now.
    pub ledger: Ledger,
    /// What was changed outside, with reasons.
    pub drift: Vec<String>,
    /// Summary and detail of what the user should know.
    pub warnings: Vec<(String, String)>,
    /// Whether nothing of the resource exists any more.
    pub gone: bool,
    /// What the resource owns and Azure is deleting.
    pub leaving: Vec<ArmId>,
    /// Azure's refusals to let the caller read what the resource owns.
    pub denied: Vec<Arc<Error>>,
}

/// Surveys a resource.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn survey<C: Composite>(
    subject: &Subject<'_, C::Input>,
    seen: &Seen,
) -> Result<Survey, Unread> {
    // Ask for everything at once; only then see what is still missing.
    for id in subject.known {
        let _ = seen.look(id);
    }
    let anchor = seen.look(&C::anchor(subject.id));
    let owned: Vec<_> = subject
        .ledger
        .iter()
        .map(|(part, id)| (part, id, seen.look(id)))
        .collect();
    let observed = C::observe(subject.id, subject.prior, seen);

    let mut ledger = subject.ledger.clone();
    let mut denied = Vec::new();
    let mut missing = Vec::new();
    let mut leaving = Vec::new();
    for (part, id, look) in owned {
        let look = look?;
        if look.is_leaving() {
            leaving.push(id.clone());
        }
        match look {
            Look::Found(_) => ledger.own(part, id),
            Look::Absent => {
                if ledger.owns(id) && !is_transient::<C>(part) {
                    missing.push(id.clone());
                }
                ledger.remove(id);
            }
            Look::Denied(error) => denied.push(error),
        }
    }
    let observed = observed?;
    let mut attributes = observed.attributes();
    for (part, id) in &observed.regained {
        ledger.own(part, id);
    }
    for id in &observed.released {
        ledger.remove(id);
    }
    let mut stands = false;
    match anchor? {
        Look::Denied(error) => denied.push(error),
        Look::Absent => {}
        // Of an import it is the objects themselves that are looked for, unless what the resource
        // does shows in the anchor alone.
        Look::Found(_) if C::ANCHOR_IS_GIVEN => {
            let acts = C::PARTS.iter().any(|part| part.acts);
            let sought =
                || Ok(observed.found && (acts || wants_what_stands::<C>(&observed.input, seen)?));
            stands = !subject.takeover.is_under_way() || sought()?;
        }
        Look::Found(_) if subject.takeover.is_under_way() => {
            if let Some(part) = C::PARTS.iter().find(|part| {
                (part.wants)(&observed.input, seen)
                    .is_ok_and(|wants| wants.iter().any(|wanted| wanted.id == *subject.id))
            }) {
                ledger.own(part.name, subject.id);
            }
        }
        Look::Found(_) => {}
    }
    let gone = ledger.is_empty() && denied.is_empty() && !stands;

    let mut drift = observed.drift;
    if !gone {
        for id in &missing {
            drift.push(format!(
                "{} was deleted outside: {id}",
                crate::provider::failure::noun(id)
            ));
        }
        for part in C::PARTS {
            let wants = (part.wants)(&observed.input, seen)?;
            for wanted in &wants {
                if subject.takeover.is_under_way()
                    && wanted.id.is_within(subject.id)
                    && matches!(seen.look(&wanted.id)?, Look::Found(_))
                {
                    ledger.own(part.name, &wanted.id);
                }
                // An apply that failed, or that was refused a fact, may not have come as far as this
                // one. Right after an import there was none.
                if subject.takeover.was_applied()
                    && !ledger.contains(&wanted.id)
                    && !missing.contains(&wanted.id)
                {
                    let noun = crate::provider::failure::noun(&wanted.id);
                    match seen.look(&wanted.id)? {
                        Look::Absent => {
                            drift.push(format!("{noun} was not made yet: {}", wanted.id));
                        }
                        Look::Found(_) if subject.takeover.is_under_way() => {
                            drift.push(format!("{noun} was not taken over yet: {}", wanted.id));
                        }
                        Look::Found(_) | Look::Denied(_) => {}
                    }
                }
                if ledger.contains(&wanted.id)
                    && let Look::Found(found) = seen.look(&wanted.id)?
                {
                    drift.extend(drift_of(wanted, found, seen)?);
                }
            }
            if missing.is_empty()
                && let Evidence::Waiting(why) = (part.until)(&observed.input, seen)?
                && !drift.contains(&why)
            {
                drift.push(why);
            }
        }
    }
    drift.dedup();

    attributes.insert("id".to_owned(), subject.id.as_str().into());
    Ok(Survey {
        attributes,
        ledger,
        drift,
        warnings: observed.warnings,
        gone,
        leaving,
        denied,
    })
}

/// Whether something stands already that an imported resource wants. One that wants no objects at all
/// is there wherever its anchor is.
fn wants_what_stands<C: Composite>(input: &C::Input, seen: &Seen) -> Result<bool, Unread> {
    let mut wants_nothing = true;
    for part in C::PARTS {
        for wanted in (part.wants)(input, seen)? {
            wants_nothing = false;
            if matches!(seen.look(&wanted.id)?, Look::Found(_)) {
                return Ok(true);
            }
        }
    }
    Ok(wants_nothing)
}

fn is_transient<C: Composite>(part: &str) -> bool {
    let mut parts = C::PARTS.iter();
    parts.any(|known| known.transient && known.name == part)
}

/// Why an object that is there is not as it is wanted: a line for each reason.
pub(super) fn drift_of(wanted: &Wanted, found: &Json, seen: &Seen) -> Result<Vec<String>, Unread> {
    let name = format!(
        "{} {}",
        crate::provider::failure::noun(&wanted.id),
        wanted.id.name()
    );
    if let Some(reason) = wanted.remake.as_ref().or(wanted.rewrite.as_ref()) {
        return Ok(vec![reason.clone()]);
    }
    if found["properties"]["provisioningState"] == "Failed" {
        return Ok(vec![format!("{name}: its last operation failed in Azure")]);
    }
    let body = wanted.full_body(seen.tag_policy())?;
    let found = without_ignored_tags(found, seen.tag_policy());
    let lists = Lists {
        ordered: wanted.ordered,
        shared: wanted.shared,
    };
    Ok(differences(&body, &found, lists)
        .iter()
        .map(|difference| format!("{name}: {difference}"))
        .collect())
}
