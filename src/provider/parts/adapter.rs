//! How the framework's calls become apply, survey, remove and plan.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Applied, Change, Context, Diagnostics, Import, Imported, Plan, Private, Resource, Stored,
    Timeouts,
};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::{Path, Value, to_json};
use tokio_util::sync::CancellationToken;

use super::Composite;
use super::apply::{Adopt, Apply, ids_in};
use super::ledger::Ledger;
use super::plan::{self, without_unknowns};
use super::remove::remove;
use super::survey::{Subject, Survey, survey};
use super::world::{Embedding, Halt, World};
use crate::arm::{ArmId, Call, Error, Json};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::session::{Session, SessionSlot};

/// Private data of a resource that was imported and not applied since.
const IMPORTED: &str = "imported";

/// Private data of the first round of a replacement, for the second: what will go.
const REPLACED: &str = "replaced";

/// How long reading the truth may take after the operation itself has no time left.
const AFTERMATH: Duration = Duration::from_secs(120);

/// A composite as the framework sees it.
pub struct Managed<C> {
    session: SessionSlot,
    composite: PhantomData<fn() -> C>,
}

impl<C: Composite> Managed<C> {
    /// The resource, on the provider's session.
    pub fn on(session: SessionSlot) -> Arc<dyn Resource> {
        Arc::new(Self {
            session,
            composite: PhantomData,
        })
    }

    fn session(&self, diagnostics: &mut Diagnostics) -> Option<Arc<Session>> {
        match self.session.get() {
            Ok(session) => Some(session),
            Err(why) => {
                diagnostics.error(Path::root(), why.summary, why.detail);
                None
            }
        }
    }

    async fn world(session: &Session, call: Call) -> World {
        let surroundings = session.surroundings(&call).await;
        World::new(
            session.client.clone(),
            call,
            surroundings,
            Embedding {
                types: C::EMBEDDED,
                within: C::embedded,
            },
        )
    }

    fn call(session: &Session, cx: &Context) -> Call {
        Call::new(session.client.clock(), cx.timeout, cx.stop.clone())
    }

    /// What there is, after an operation: with its own facts, or, when it was stopped or has
    /// failed, read anew with a little time of its own.
    async fn truth(
        session: &Session,
        id: &ArmId,
        input: Option<&C::Input>,
        ledger: &Ledger,
        world: Option<World>,
    ) -> Result<Survey, Halt> {
        let anew = || {
            let call = Call::new(session.client.clock(), AFTERMATH, CancellationToken::new());
            Self::world(session, call)
        };
        let subject = Subject {
            id,
            prior: input,
            ledger,
            imported: false,
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

    async fn surveyed(world: &World, subject: &Subject<'_, C::Input>) -> Result<Survey, Halt> {
        for part in C::PARTS {
            world.finish(part.name);
        }
        let found = world.resolve(|seen| survey::<C>(subject, seen)).await?;
        Ok(found.value)
    }

    async fn bring_about(
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
        let before = prior.as_ref().map(ledger_of).unwrap_or_default();
        let adopt = match private.get(IMPORTED) {
            Some(_) => Adopt::All,
            None => Adopt::Given(prior.as_ref().map(named_by).unwrap_or_default()),
        };
        let before_json = prior
            .as_ref()
            .and_then(|prior| to_json(&without_unknowns(prior)).ok());
        let world = world.with_prior(before_json);
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
        let stands = outcome.ledger.owns(&id) || before.owns(&id);
        for (part, why) in &outcome.late {
            late(C::NAME, part, why, stands, cx.timeout, diagnostics);
        }
        if !clean && prior.is_none() && stands {
            untaint_hint(C::NAME, diagnostics);
        }
        if outcome.ledger.is_empty() && !clean {
            // Nothing came into being: there is nothing to remember.
            return Applied {
                state: prior.is_some().then(|| plan_or_prior(&prior)),
                private,
            };
        }
        let world = (clean && outcome.late.is_empty()).then_some(world);
        let promised = clean && !diagnostics.has_errors();
        if promised {
            // Until one apply has come through, the next one adopts what this one did not.
            private.remove(IMPORTED);
        }
        // What no property in Azure shows is as it was before a change that has failed, so that
        // the next plan shows the change again and knows where it started.
        let before = prior.as_ref().filter(|_| !promised);
        let basis = before
            .and_then(input_of_state::<C>)
            .unwrap_or(input.clone());
        let own_facts = world.is_some();
        let mut truth = Self::truth(&session, &id, Some(&basis), &outcome.ledger, world).await;
        if own_facts && !truth.as_ref().is_ok_and(|found| found.denied.is_empty()) {
            truth = Self::truth(&session, &id, Some(&basis), &outcome.ledger, None).await;
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
                let mut known = super::Attributes::new();
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

#[async_trait]
impl<C: Composite> Resource for Managed<C> {
    fn type_name(&self) -> &'static str {
        C::NAME
    }

    fn schema(&self) -> Schema {
        C::SCHEMA
    }

    fn timeouts(&self) -> Timeouts {
        C::TIMEOUTS
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        C::validate(config, diagnostics);
    }

    async fn plan(&self, cx: &Context, plan: &mut Plan, diagnostics: &mut Diagnostics) {
        let session = self.session.get().ok();
        let surroundings = match &session {
            Some(session) => session.surroundings(&Self::call(session, cx)).await,
            None => Arc::default(),
        };
        plan::foresee::<C>(plan, &surroundings);
        let former = hand_over(plan);
        let replaced = plan
            .prior
            .as_ref()
            .filter(|_| !plan.requires_replace.is_empty());
        if let Some(prior) = replaced {
            let arguments: Vec<String> = plan
                .requires_replace
                .iter()
                .map(ToString::to_string)
                .collect();
            let why = format!(
                "The change of {} would delete and recreate it:",
                arguments.join(", ")
            );
            plan::protect::<C>(prior, &why, diagnostics);
        }
        if plan
            .prior
            .as_ref()
            .is_some_and(|prior| *prior == plan.planned)
        {
            return;
        }
        let found = match &session {
            None => plan::check_offline::<C>(plan, &surroundings),
            Some(session) => {
                let world = Self::world(session, Self::call(session, cx)).await;
                match plan::check::<C>(plan, former.as_ref(), &world).await {
                    Ok(found) => found,
                    Err(error) => {
                        let id = id_of(&plan.planned);
                        report(&[reading(id, error)], session, diagnostics);
                        return;
                    }
                }
            }
        };
        diagnostics.extend(found);
    }

    async fn plan_delete(&self, _: &Context, stored: &Stored, diagnostics: &mut Diagnostics) {
        plan::protect::<C>(&stored.state, "The plan would delete it:", diagnostics);
    }

    async fn create(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        self.bring_about(cx, change, Doing::Creating, diagnostics)
            .await
    }

    async fn update(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied {
        self.bring_about(cx, change, Doing::Changing, diagnostics)
            .await
    }

    async fn read(&self, cx: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied {
        let Stored { state, private } = stored;
        let Some(session) = self.session(diagnostics) else {
            return Applied {
                state: Some(state),
                private,
            };
        };
        let imported = private.get(IMPORTED).is_some();
        let Some(id) = id_of(&state) else {
            diagnostics.error(
                Path::attribute("id"),
                format!("the state of {} has no id", C::NAME),
                "Fix: remove it from the state and import it again.",
            );
            return Applied {
                state: Some(state),
                private,
            };
        };
        let fresh = imported && state.get("drift").is_null();
        let input = if fresh {
            None
        } else {
            input_of_state::<C>(&state)
        };
        let ledger = ledger_of(&state);
        let world = Self::world(&session, Self::call(&session, cx)).await;
        for part in C::PARTS {
            world.finish(part.name);
        }
        let known = C::known_by(&state);
        let subject = Subject {
            id: &id,
            prior: input.as_ref(),
            ledger: &ledger,
            imported,
            known: &known,
        };
        let found = match world.resolve(|seen| survey::<C>(&subject, seen)).await {
            Ok(resolved) => resolved.value,
            Err(halt) => {
                report(
                    &[unreadable(&id, Doing::Reading, halt)],
                    &session,
                    diagnostics,
                );
                return Applied {
                    state: Some(state),
                    private,
                };
            }
        };
        for error in &found.denied {
            report(
                &[reading(Some(id.clone()), (**error).clone())],
                &session,
                diagnostics,
            );
        }
        if !found.denied.is_empty() {
            return Applied {
                state: Some(state),
                private,
            };
        }
        if found.gone {
            return Applied {
                state: None,
                private,
            };
        }
        warn(&found, diagnostics);
        match plan::state_of::<C>(&found.attributes, &found.ledger, &found.drift, &state) {
            Ok(state) => Applied {
                state: Some(state),
                private,
            },
            Err(error) => {
                diagnostics.error(Path::root(), "the provider made a mistake", error);
                Applied {
                    state: Some(state),
                    private,
                }
            }
        }
    }

    async fn delete(&self, cx: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied {
        let Stored { state, private } = stored;
        // A tainted resource is planned without its prior state, so this is where it is seen.
        plan::protect::<C>(&state, "It was about to be deleted:", diagnostics);
        let session = self.session(diagnostics);
        let Some(session) = session.filter(|_| !diagnostics.has_errors()) else {
            return Applied {
                state: Some(state),
                private,
            };
        };
        let ledger = ledger_of(&state);
        let input = input_of_state::<C>(&state);
        let world = Self::world(&session, Self::call(&session, cx)).await;
        let (left, failures) = remove::<C>(&world, &session.locks, input.as_ref(), ledger).await;
        if left.is_empty() && failures.is_empty() {
            return Applied {
                state: None,
                private,
            };
        }
        let truth = match id_of(&state) {
            Some(id) => Self::truth(&session, &id, input.as_ref(), &left, None)
                .await
                .ok(),
            None => None,
        };
        let truth = truth.filter(|found| found.denied.is_empty());
        // A deletion whose end nobody heard of may have come to it all the same.
        if truth.as_ref().is_some_and(|found| found.gone) {
            return Applied {
                state: None,
                private,
            };
        }
        report(&failures, &session, diagnostics);
        let left = match truth {
            Some(found) => {
                plan::state_of::<C>(&found.attributes, &found.ledger, &found.drift, &state)
            }
            None => plan::state_of::<C>(&super::Attributes::new(), &left, &[], &state),
        };
        Applied {
            state: Some(left.unwrap_or(state)),
            private,
        }
    }

    async fn import(
        &self,
        _cx: &Context,
        import: Import,
        diagnostics: &mut Diagnostics,
    ) -> Option<Imported> {
        let text = match &import {
            Import::Id(id) => id.clone(),
            Import::Identity(identity) => {
                identity.get("id").as_str().unwrap_or_default().to_owned()
            }
        };
        let id = match ArmId::parse(&text) {
            Ok(id) if id.is(C::ANCHOR) => id,
            Ok(id) => {
                diagnostics.error(
                    Path::root(),
                    format!(
                        "{} is not imported by an id of {}",
                        C::NAME,
                        id.resource_type()
                    ),
                    format!("- {id}\n\nFix: give the id of a {} object.", C::ANCHOR),
                );
                return None;
            }
            Err(error) => {
                diagnostics.error(
                    Path::root(),
                    format!("{} cannot be imported: the id is not an ARM id", C::NAME),
                    format!("{error}\n\nFix: give the id of a {} object.", C::ANCHOR),
                );
                return None;
            }
        };
        let json = serde_json::json!({ "id": id.as_str() });
        let mut private = Private::default();
        private.set(IMPORTED, Json::Bool(true));
        match C::SCHEMA.value_from_json(&json) {
            Ok(state) => Some(Imported { state, private }),
            Err(error) => {
                diagnostics.error(
                    Path::root(),
                    "the provider made a mistake",
                    error.to_string(),
                );
                None
            }
        }
    }
}

/// Core plans a replacement twice: as a change, and then as a creation, which is given the
/// private data of the first plan. What goes is handed over that way; that it had been imported
/// is not, because its successor must not adopt anything.
fn hand_over(plan: &mut Plan) -> Option<Ledger> {
    match &plan.prior {
        None => {
            plan.private.remove(IMPORTED);
            Some(Ledger::from_json(&plan.private.remove(REPLACED)?))
        }
        Some(prior) => {
            if !plan.requires_replace.is_empty() {
                plan.private.set(REPLACED, ledger_of(prior).to_json());
            }
            None
        }
    }
}

fn plan_or_prior(prior: &Option<Value>) -> Value {
    prior.clone().unwrap_or_default()
}

/// The ids that a state names, but for those in its ledger.
fn named_by(state: &Value) -> BTreeSet<ArmId> {
    let mut state = state.clone();
    state.set("objects", Value::Null);
    to_json(&without_unknowns(&state))
        .map(|json| ids_in(&json))
        .unwrap_or_default()
}

fn id_of(state: &Value) -> Option<ArmId> {
    ArmId::parse(state.get("id").as_str()?).ok()
}

fn ledger_of(state: &Value) -> Ledger {
    to_json(state.get("objects"))
        .map(|json| Ledger::from_json(&json))
        .unwrap_or_default()
}

fn input_of_state<C: Composite>(state: &Value) -> Option<C::Input> {
    let json = to_json(&without_unknowns(state)).ok()?;
    serde_json::from_value(json).ok()
}

fn report(failures: &[Failure], session: &Session, diagnostics: &mut Diagnostics) {
    let caller = session.client.caller();
    for failure in failures {
        failure.report(caller.as_ref(), diagnostics);
    }
}

fn warn(found: &Survey, diagnostics: &mut Diagnostics) {
    for (summary, detail) in &found.warnings {
        diagnostics.warning(Path::root(), summary, detail);
    }
}

fn reading(id: Option<ArmId>, error: Error) -> Failure {
    let id = id.unwrap_or_else(|| ArmId::subscription("unknown"));
    Failure {
        doing: Doing::Reading,
        id,
        argument: "",
        cause: Cause::Azure(error),
    }
}

fn unreadable(id: &ArmId, doing: Doing, halt: Halt) -> Failure {
    let cause = match halt {
        Halt::Azure(error) => Cause::Azure(error),
        Halt::Skipped | Halt::Stuck => {
            Cause::Bug("a decision asked for nothing and was not made".to_owned())
        }
    };
    Failure {
        doing,
        id: id.clone(),
        argument: "",
        cause,
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
