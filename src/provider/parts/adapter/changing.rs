//! Creation and change: an apply, and the true state after it, however it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use tfplugin_rs::framework::{Applied, Change, Context, Diagnostics};
use tfplugin_rs::value::{Path, Value, to_json};
use tokio_util::sync::CancellationToken;

use super::{Managed, input_of_state, ledger_of, named_by, reading, report, unreadable, warn};
use crate::arm::{ArmId, Call, Json};
use crate::provider::failure::Doing;
use crate::provider::parts::apply::{Adopt, Apply};
use crate::provider::parts::deed::Notes;
use crate::provider::parts::ledger::Ledger;
use crate::provider::parts::plan::{self, without_unknowns};
use crate::provider::parts::remove::undone;
use crate::provider::parts::survey::{Subject, Survey, survey};
use crate::provider::parts::takeover::Takeover;
use crate::provider::parts::world::{Halt, World};
use crate::provider::parts::{Attributes, Composite};
use crate::provider::session::Session;

/// How long reading the truth may take after the operation itself has no time left.
const AFTERMATH: Duration = Duration::from_secs(120);

/// What a look after an operation knows of it.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// The state before.
    prior: Option<Json>,
    /// What its deeds have noted.
    notes: Notes,
}

impl<C: Composite> Managed<C> {
    /// What there is, after an operation: with its own facts, or, when it was stopped or has
    /// failed, read anew with a little time of its own.
    pub(super) async fn truth(
        session: &Session,
        id: &ArmId,
        input: Option<&C::Input>,
        ledger: &Ledger,
        takeover: Takeover,
        memory: &Memory,
        world: Option<World>,
    ) -> Result<Survey, Halt> {
        let anew = || async {
            let Memory { prior, notes } = memory.clone();
            let world = Self::world_after(session).await;
            world.with_prior(prior).with_notes(notes)
        };
        let subject = Subject {
            id,
            prior: input,
            ledger,
            takeover,
            known: &[],
        };
        let world = match world {
            Some(world) => world,
            None => anew().await,
        };
        let first = Self::surveyed(&world, &subject).await;
        if first.as_ref().is_ok_and(|found| found.drift.is_empty()) {
            return first;
        }
        // A fact may have been read before what changed it, what is missing went with the
        // operation itself, and one refusal must not make the state forget what was done: look
        // once more, as the next reading will.
        let known = first.as_ref().map_or(ledger, |found| &found.ledger).clone();
        let subject = Subject {
            ledger: &known,
            ..subject
        };
        let second = Self::surveyed(&anew().await, &subject).await;
        if second.is_ok() { second } else { first }
    }

    /// A world of its own, for a look after an operation that may have no time left.
    async fn world_after(session: &Session) -> World {
        let call = Call::new(session.client.clock(), AFTERMATH, CancellationToken::new());
        Self::world(session, call).await
    }

    /// Whether nothing is left of what deeds have done, by a look of its own.
    pub(super) async fn is_undone(session: &Session, input: Option<&C::Input>) -> bool {
        let Some(input) = input else {
            return true;
        };
        undone::<C>(&Self::world_after(session).await, input).await
    }

    async fn surveyed(world: &World, subject: &Subject<'_, C::Input>) -> Result<Survey, Halt> {
        world.own(subject.ledger.iter().map(|(_, id)| id));
        for part in C::PARTS {
            world.finish(part.name);
        }
        let found = world.resolve(|seen| survey::<C>(subject, seen)).await?;
        Ok(found.value)
    }

    pub(super) async fn bring_about(
        &self,
        cx: &Context,
        change: Change,
        doing: Doing,
        diagnostics: &mut Diagnostics,
    ) -> Applied {
        let Change {
            config,
            prior,
            planned,
            mut private,
        } = change;
        let unchanged = |private| Applied {
            state: prior.clone(),
            private,
        };
        let Some(session) = self.session(diagnostics) else {
            return unchanged(private);
        };
        let input = match plan::input_of::<C>(&planned, &config) {
            Ok(input) => input,
            Err(error) => {
                diagnostics.error(
                    Path::root(),
                    format!("the configuration of {} cannot be understood", C::NAME),
                    error,
                );
                return unchanged(private);
            }
        };
        let world = Self::world(&session, Self::call(&session, cx)).await;
        let Some(id) = plan::id_of::<C>(&input, &planned, world.surroundings()) else {
            diagnostics.error(
                Path::root(),
                format!("the id of {} is not known", C::NAME),
                "Fix: give the provider a subscription, with `subscription_id` in its block or \
                 ARM_SUBSCRIPTION_ID in the environment.",
            );
            return unchanged(private);
        };
        let refused =
            plan::check_before_writing::<C>(&config, &planned, prior.as_ref(), &world).await;
        if refused.has_errors() {
            diagnostics.extend(refused);
            return unchanged(private);
        }
        let before = prior.as_ref().map(ledger_of).unwrap_or_default();
        let takeover = Takeover::of(&private);
        let adopt = match takeover.is_under_way() {
            true => Adopt::All,
            false => Adopt::Given(prior.as_ref().map(named_by).unwrap_or_default()),
        };
        let before_json = prior
            .as_ref()
            .and_then(|prior| to_json(&without_unknowns(prior)).ok());
        let world = world.with_prior(before_json.clone());
        let memory = Memory {
            prior: before_json,
            notes: world.notes().clone(),
        };
        let apply = Apply::<C>::new(
            &world,
            &session.locks,
            &input,
            id.clone(),
            before.clone(),
            adopt,
        );
        let outcome = apply.run().await;

        report(&outcome.failures, &session, diagnostics);
        let clean = outcome.failures.is_empty();
        let stands = C::ANCHOR_IS_GIVEN || outcome.ledger.owns(&id) || before.owns(&id);
        for (part, why) in &outcome.late {
            late(C::NAME, part, why, stands, cx.timeout, diagnostics);
        }
        if outcome.ledger.is_empty() && !clean && !outcome.acted {
            // Nothing came into being, or all of it went: there is nothing to own.
            let state = prior.map(|mut state| {
                state.set("objects", Value::Map(BTreeMap::new()));
                state
            });
            return Applied { state, private };
        }
        let refused_a_fact = world.was_refused();
        let world = (clean && outcome.late.is_empty()).then_some(world);
        let promised = clean && !diagnostics.has_errors();
        let takeover = match promised {
            true => takeover.applied(refused_a_fact),
            false => takeover,
        };
        takeover.note(&mut private);
        // What no property in Azure shows is as it was before a change that has failed, so that
        // the next plan shows the change again and knows where it started.
        let before = prior.as_ref().filter(|_| !promised);
        let basis = before
            .and_then(input_of_state::<C>)
            .unwrap_or(input.clone());
        // What an apply has begun and not come through with is read as the next reading will.
        let memory = match promised {
            true => memory,
            false => Memory {
                prior: None,
                notes: memory.notes.without_answers(),
            },
        };
        let own_facts = world.is_some();
        let mut truth = Self::truth(
            &session,
            &id,
            Some(&basis),
            &outcome.ledger,
            takeover,
            &memory,
            world,
        )
        .await;
        if own_facts && !truth.as_ref().is_ok_and(|found| found.denied.is_empty()) {
            truth = Self::truth(
                &session,
                &id,
                Some(&basis),
                &outcome.ledger,
                takeover,
                &memory,
                None,
            )
            .await;
        }
        let state = match truth {
            Ok(found) if found.denied.is_empty() => {
                warn(&found, diagnostics);
                if promised && !found.drift.is_empty() && outcome.late.is_empty() {
                    diagnostics.warning(
                        Path::root(),
                        format!("{} is not yet as it should be", C::NAME),
                        format!(
                            "- {}\n\nThe next plan shows it again.",
                            found.drift.join("\n- ")
                        ),
                    );
                }
                // A plan promises that no drift is left, and what was planned as owned is owned.
                let drift = if promised { &[][..] } else { &found.drift[..] };
                let ledger = if promised {
                    outcome.ledger.clone()
                } else {
                    // Nobody answered for these, so they may come into being after this look.
                    found.ledger.with_attempts_of(&outcome.ledger)
                };
                let keep = before.unwrap_or(&planned);
                plan::state_of::<C>(&found.attributes, &ledger, drift, keep)
            }
            unread => {
                // Without a look, what was promised is what there is, unless something failed.
                let keep = before.unwrap_or(&planned);
                let mut known = Attributes::new();
                known.insert("id".to_owned(), id.as_str().into());
                let why = match unread {
                    Err(halt) => vec![unreadable(&id, doing, halt)],
                    Ok(found) => found
                        .denied
                        .iter()
                        .map(|error| reading(Some(id.clone()), (**error).clone()))
                        .collect(),
                };
                if clean {
                    report(&why, &session, diagnostics);
                }
                plan::state_of::<C>(&known, &outcome.ledger, &[], keep)
            }
        };
        let state = match state {
            Ok(state) if promised => Ok(plan::as_promised(state, &planned)),
            state => state,
        };
        if !clean && prior.is_none() && state.as_ref().is_ok_and(|it| ledger_of(it).owns(&id)) {
            untaint_hint(C::NAME, diagnostics);
        }
        match state {
            Ok(state) => Applied {
                state: Some(state),
                private,
            },
            Err(error) => {
                diagnostics.error(Path::root(), "the provider made a mistake", error);
                Applied {
                    state: prior,
                    private,
                }
            }
        }
    }
}

/// Once the primary object stands, evidence that is late is a warning: an error would taint a
/// creation, and the next apply only has to look again.
fn late(
    name: &str,
    part: &str,
    why: &str,
    stands: bool,
    timeout: Duration,
    diagnostics: &mut Diagnostics,
) {
    let minutes = timeout.as_secs() / 60;
    let summary = format!("{name}: the evidence for {part} did not come within {minutes} minutes");
    let detail = format!(
        "Everything was written, and Azure accepted it, but:\n- {why}\n\nThe next plan looks again."
    );
    if stands {
        diagnostics.warning(Path::root(), summary, detail);
    } else {
        diagnostics.error(Path::root(), summary, detail);
    }
}

fn untaint_hint(name: &str, diagnostics: &mut Diagnostics) {
    diagnostics.warning(
        Path::root(),
        format!("{name} was created in part"),
        "Terraform marks it as tainted and would replace all of it. What was made is in the state; \
         when the cause is mended, go on from there instead:\n\n  tofu untaint ADDRESS   (or: \
         terraform untaint ADDRESS)\n  tofu apply",
    );
}
