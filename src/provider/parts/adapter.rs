//! How the framework's calls become apply, survey, remove and plan.

mod changing;

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use futures::future::join_all;
use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Applied, Change, Context, Diagnostics, Import, Imported, Plan, Private, Resource, Stored,
    Timeouts,
};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::{Path, Value, to_json};

use super::Composite;
use super::apply::ids_in;
use super::ledger::Ledger;
use super::plan::{self, without_unknowns};
use super::remove::remove;
use super::survey::{Subject, Survey, survey};
use super::takeover::Takeover;
use super::world::{Embedding, Halt, World};
use crate::arm::{ArmId, Call, Error};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::session::{Session, SessionSlot};
use changing::Memory;

/// Private data of the first round of a replacement, for the second: what will go.
const REPLACED: &str = "replaced";

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

    /// What there is once the deletions that are under way have come to their end: what is on its
    /// way out is neither there nor gone.
    async fn at_rest(world: &World, subject: &Subject<'_, C::Input>) -> Result<Survey, Halt> {
        world.own(subject.ledger.iter().map(|(_, id)| id));
        let found = world.resolve(|seen| survey::<C>(subject, seen)).await?;
        if found.value.leaving.is_empty() {
            return Ok(found.value);
        }
        let ends = found.value.leaving.iter().map(|id| world.until_gone(id));
        if join_all(ends).await.iter().any(Result::is_err) {
            return Ok(found.value);
        }
        world.forget(&found.asked);
        let found = world.resolve(|seen| survey::<C>(subject, seen)).await?;
        Ok(found.value)
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
        plan::reopen::<C>(plan);
        if let Some(session) = &session {
            plan::follow::<C>(plan, &|id| session.client.has_made(id));
        }
        let former = received(plan);
        plan::foresee::<C>(plan, &surroundings);
        if former.is_some() {
            plan::renew_identity::<C>(plan, &surroundings);
        }
        hand_over(plan);
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
        let takeover = Takeover::of(&private);
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
        let fresh = takeover == Takeover::Open && state.get("drift").is_null();
        let input = if fresh {
            None
        } else {
            input_of_state::<C>(&state)
        };
        let ledger = ledger_of(&state);
        let mut world = Self::world(&session, Self::call(&session, cx)).await;
        if fresh && !ledger.is_empty() {
            world = world.with_prior(to_json(&state).ok());
        }
        for part in C::PARTS {
            world.finish(part.name);
        }
        let known = C::known_by(&state);
        let subject = Subject {
            id: &id,
            prior: input.as_ref(),
            ledger: &ledger,
            takeover,
            known: &known,
        };
        let found = match Self::at_rest(&world, &subject).await {
            Ok(found) => found,
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
        // What is tainted, or named by `-replace`, is planned without its prior state, so this is where it is seen.
        plan::protect::<C>(&state, plan::REPLACED, diagnostics);
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
            Some(id) => Self::truth(
                &session,
                &id,
                input.as_ref(),
                &left,
                Takeover::Done,
                &Memory::default(),
                None,
            )
            .await
            .ok(),
            None => None,
        };
        let truth = truth.filter(|found| found.denied.is_empty());
        // A deletion whose end nobody heard of may have come to it all the same.
        let nothing = |found: &Survey| found.gone || found.ledger.is_empty();
        if truth.as_ref().is_some_and(nothing) && Self::is_undone(&session, input.as_ref()).await {
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
        let json = match ArmId::parse(&text) {
            Ok(id) => match C::imported(&id) {
                Some(json) => json,
                None => {
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
            },
            Err(error) => {
                diagnostics.error(
                    Path::root(),
                    format!("{} cannot be imported: the id is not an ARM id", C::NAME),
                    format!("{error}\n\nFix: give the id of a {} object.", C::ANCHOR),
                );
                return None;
            }
        };
        let mut private = Private::default();
        Takeover::Open.note(&mut private);
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

/// What a replaced resource owns, in the plan of its successor: core plans a replacement twice, as a
/// change, and then as a creation, which is given the private data of the first plan. That it had been
/// imported is not handed over, because its successor must not adopt anything.
fn received(plan: &mut Plan) -> Option<Ledger> {
    if plan.prior.is_some() {
        return None;
    }
    Takeover::Done.note(&mut plan.private);
    Some(Ledger::from_json(&plan.private.remove(REPLACED)?))
}

/// Hands what will go to the second plan of a replacement.
fn hand_over(plan: &mut Plan) {
    if let Some(prior) = &plan.prior
        && !plan.requires_replace.is_empty()
    {
        plan.private.set(REPLACED, ledger_of(prior).to_json());
    }
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
        other => Cause::Bug(other.to_string()),
    };
    Failure {
        doing,
        id: id.clone(),
        argument: "",
        cause,
    }
}
