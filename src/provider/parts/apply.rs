//! Brings about what is wanted: the creation and the change of a resource.
//!
//! All parts run at the same time, each as soon as the parts that it waits for are finished.
//! An id is in the ledger before its PUT leaves; what exists and is not in the ledger is left
//! alone. When one part fails, those that do not depend on it come to their own end.

mod clearing;
mod deeds;
mod writing;

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;

pub use deeds::{Deeds, End};

use super::ledger::Ledger;
use super::locks::Locks;
use super::seen::{Look, Seen};
use super::wanted::Wanted;
use super::world::{Halt, Resolved, World, pause};
use super::{Composite, Evidence, Part};
use crate::arm::{ArmId, Error, Json};
use crate::provider::failure::{Cause, Doing, Failure};

/// One creation or change.
pub struct Apply<'a, C: Composite> {
    world: &'a World,
    locks: &'a Locks,
    input: &'a C::Input,
    anchor: ArmId,
    adopt: Adopt,
    ledger: Mutex<Ledger>,
    created: Mutex<BTreeSet<ArmId>>,
    acted: Mutex<bool>,
    composite: PhantomData<C>,
}

/// How an apply ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the resource owns now.
    pub ledger: Ledger,
    /// Whether a deed was begun, which no ledger shows.
    pub acted: bool,
    /// What could not be done.
    pub failures: Vec<Failure>,
    /// Evidence that did not come in time: the part and what it waits for.
    pub late: Vec<(&'static str, String)>,
}

/// Which of the wanted objects become ours although they exist already.
#[derive(Debug)]
pub enum Adopt {
    /// All: the resource has just been imported, and its plan has named them.
    All,
    /// Those that the prior state names: what was given before is owned from now on.
    Given(BTreeSet<ArmId>),
}

enum Stop {
    Failed(Vec<Failure>),
    Late(String),
    Skipped,
}

impl<'a, C: Composite> Apply<'a, C> {
    /// An apply of that input.
    pub fn new(
        world: &'a World,
        locks: &'a Locks,
        input: &'a C::Input,
        anchor: ArmId,
        ledger: Ledger,
        adopt: Adopt,
    ) -> Self {
        world.own(ledger.iter().map(|(_, id)| id));
        Self {
            world,
            locks,
            input,
            anchor,
            adopt,
            ledger: Mutex::new(ledger),
            created: Mutex::default(),
            acted: Mutex::default(),
            composite: PhantomData,
        }
    }

    /// Does it.
    pub async fn run(self) -> Outcome {
        if let Some(taken) = self.taken().await {
            return Outcome {
                ledger: self.ledger().clone(),
                acted: false,
                failures: vec![taken],
                late: Vec::new(),
            };
        }
        let ends = join_all(C::PARTS.iter().map(|part| async {
            let end = self.part(part).await;
            match &end {
                Ok(()) | Err(Stop::Late(_)) => self.world.finish(part.name),
                Err(Stop::Failed(_) | Stop::Skipped) => self.world.fail(part.name),
            }
            (part.name, end)
        }))
        .await;
        let mut outcome = Outcome::default();
        for (name, end) in ends {
            match end {
                Ok(()) | Err(Stop::Skipped) => {}
                Err(Stop::Failed(failures)) => outcome.failures.extend(failures),
                Err(Stop::Late(why)) => outcome.late.push((name, why)),
            }
        }
        if outcome.failures.is_empty() {
            outcome.failures = self.remove_obsolete().await;
        }
        if outcome.failures.is_empty() {
            let passed_on = C::PARTS.iter().filter(|part| part.transient);
            passed_on.for_each(|part| self.ledger().forget_part(part.name));
        }
        outcome.ledger = self.ledger().clone();
        outcome.acted = *lock(&self.acted);
        outcome
    }

    /// The resource's own object, where it exists and is not ours: then nothing is made that would
    /// only be there for it.
    async fn taken(&self) -> Option<Failure> {
        if self.ledger().contains(&self.anchor) || self.may_adopt(&self.anchor) {
            return None;
        }
        if self.has_new_parent(&self.anchor) {
            self.world.enter(&self.anchor, Look::Absent);
            return None;
        }
        // A resource may be named by an object that it never makes.
        let nothing = Seen {
            surroundings: self.world.surroundings().clone().into(),
            ..Seen::default()
        };
        let makes_it = |part: &Part<C::Input>| {
            let wants = (part.wants)(self.input, &nothing).unwrap_or_default();
            wants.iter().any(|wanted| wanted.id == self.anchor)
        };
        if !C::PARTS.iter().any(makes_it) {
            return None;
        }
        match self.world.look(&self.anchor).await {
            Ok(found @ Look::Found(_)) if !found.is_leaving() => {}
            _ => return None,
        }
        let mut parts = C::PARTS.iter();
        Some(Failure {
            doing: Doing::Creating,
            id: self.anchor.clone(),
            argument: "",
            cause: Cause::Exists {
                resource: C::NAME,
                importable: true,
                remedy: parts.find_map(|part| (part.existing)(&self.anchor)),
            },
        })
    }

    async fn part(&self, part: &Part<C::Input>) -> Result<(), Stop> {
        let after: BTreeSet<&'static str> = part.after.iter().copied().collect();
        self.world
            .wait_for(&after)
            .await
            .map_err(|halt| self.halted(halt))?;
        let wants = self.wants(part).await?.value;
        if part.clears_first {
            let failures = self.remove_obsolete_of(part, &wants).await;
            if !failures.is_empty() {
                return Err(Stop::Failed(failures));
            }
        }
        let ends = join_all(wants.iter().map(|wanted| self.bring_about(part, wanted))).await;
        let failures: Vec<Failure> = ends.into_iter().filter_map(Result::err).collect();
        if !failures.is_empty() {
            return Err(Stop::Failed(failures));
        }
        self.deeds(part).await?;
        self.wait_for_evidence(part).await
    }

    async fn wants(&self, part: &Part<C::Input>) -> Result<Resolved<Vec<Wanted>>, Stop> {
        let decide = |seen: &Seen| {
            let wants = (part.wants)(self.input, seen)?;
            let bodies = wants
                .iter()
                .map(|wanted| wanted.full_body(seen.tag_policy()));
            bodies
                .collect::<Vec<_>>()
                .into_iter()
                .try_for_each(|body| body.map(drop))?;
            Ok(wants)
        };
        let resolved = self.world.resolve(decide).await;
        resolved.map_err(|halt| self.halted(halt))
    }

    /// What is wanted of one object by the facts of now, which others may have changed.
    async fn wanted_now(&self, part: &Part<C::Input>, id: &ArmId) -> Result<Wanted, Failure> {
        let stopped = |stop| {
            let first = match stop {
                Stop::Failed(failures) => failures.into_iter().next(),
                Stop::Late(_) | Stop::Skipped => None,
            };
            first.unwrap_or_else(|| Failure {
                doing: Doing::Changing,
                id: id.clone(),
                argument: "",
                cause: Cause::Bug("what is wanted could not be decided again".to_owned()),
            })
        };
        let before = self.wants(part).await.map_err(stopped)?;
        self.world.forget(&before.asked);
        let now = self.wants(part).await.map_err(stopped)?.value;
        now.into_iter()
            .find(|wanted| wanted.id == *id)
            .ok_or_else(|| stopped(Stop::Skipped))
    }

    async fn wait_for_evidence(&self, part: &Part<C::Input>) -> Result<(), Stop> {
        let call = self.world.call();
        // What comes after this part needs time of its own: it must not fail because this is late.
        let last = C::PARTS
            .iter()
            .all(|other| !other.after.contains(&part.name));
        let reserve = if last {
            Duration::ZERO
        } else {
            call.timeout() / 10
        };
        for round in 0_usize.. {
            let decide = |seen: &Seen| (part.until)(self.input, seen);
            let resolved = self
                .world
                .resolve(decide)
                .await
                .map_err(|halt| self.halted(halt))?;
            let why = match resolved.value {
                Evidence::Done => break,
                Evidence::Waiting(why) | Evidence::UnderWay(why) => why,
            };
            tracing::debug!(part = part.name, why, "evidence is not there yet");
            // What has been found is as it was, most likely: what was missing is looked for first.
            if round == 0 {
                self.world.forget_absent(&resolved.asked);
            } else {
                self.world.forget(&resolved.asked);
            }
            let pause = pause(round);
            if !last && call.remaining() < reserve + pause {
                return Err(Stop::Late(why));
            }
            match call.sleep(pause).await {
                Ok(()) => {}
                Err(error) if error.is_timeout() => return Err(Stop::Late(why)),
                Err(error) => return Err(self.halted(error.into())),
            }
        }
        Ok(())
    }

    /// Makes one object what is wanted.
    async fn bring_about(&self, part: &Part<C::Input>, wanted: &Wanted) -> Result<(), Failure> {
        let fail = |doing, cause: Error| failure(doing, wanted, cause);
        let locks = (part.locks)(self.input, &wanted.id);
        let held = self.locks.take(self.world.call(), &locks).await;
        let _held = held.map_err(|error| fail(Doing::Changing, error))?;
        let now;
        let wanted = if wanted.under_lock {
            now = self.wanted_now(part, &wanted.id).await?;
            &now
        } else {
            wanted
        };
        let mut found = if self.has_new_parent(&wanted.id) && !self.ledger().contains(&wanted.id) {
            Look::Absent
        } else {
            self.world
                .look(&wanted.id)
                .await
                .map_err(|error| fail(Doing::Reading, error))?
        };
        if found.is_leaving() {
            self.world
                .until_gone(&wanted.id)
                .await
                .map_err(|error| fail(Doing::Reading, error))?;
            let again = self.world.look(&wanted.id).await;
            found = again.map_err(|error| fail(Doing::Reading, error))?;
        }
        // Another resource may have written while this one waited for the lock: what is about to
        // be changed beside others is read once more.
        if let Look::Found(json) = &found
            && !wanted.shared.is_empty()
            && !self.gap(wanted, &self.body(wanted)?, json).is_empty()
        {
            self.world.forget_object(&wanted.id);
            let again = self.world.look(&wanted.id).await;
            found = again.map_err(|error| fail(Doing::Reading, error))?;
        }
        match found {
            Look::Denied(error) => Err(fail(Doing::Reading, (*error).clone())),
            Look::Absent => self.bring_into_being(part, wanted).await,
            Look::Found(found) => {
                let known = part.transient || self.ledger().contains(&wanted.id);
                if !known && !self.may_adopt(&wanted.id) {
                    return Err(self.exists(part, wanted));
                }
                // What is about to pass into other hands is ours only where we made it.
                if !part.transient {
                    self.ledger().own(part.name, &wanted.id);
                    self.world.own([&wanted.id]);
                }
                if !self.make_way(wanted).await? {
                    return self.change(part, wanted, &found).await;
                }
                // It may have changed or gone along with what made way.
                self.world.forget_object(&wanted.id);
                let again = self.world.look(&wanted.id).await;
                match again.map_err(|error| fail(Doing::Reading, error))? {
                    Look::Found(found) => self.change(part, wanted, &found).await,
                    Look::Absent => self.bring_into_being(part, wanted).await,
                    Look::Denied(error) => Err(fail(Doing::Reading, (*error).clone())),
                }
            }
        }
    }

    fn exists(&self, part: &Part<C::Input>, wanted: &Wanted) -> Failure {
        Failure {
            doing: Doing::Creating,
            id: wanted.id.clone(),
            argument: wanted.argument,
            cause: Cause::Exists {
                resource: C::NAME,
                importable: wanted.id == self.anchor,
                remedy: (part.existing)(&wanted.id),
            },
        }
    }

    fn may_adopt(&self, id: &ArmId) -> bool {
        match &self.adopt {
            Adopt::All => true,
            Adopt::Given(given) => given.contains(id),
        }
    }

    fn has_new_parent(&self, id: &ArmId) -> bool {
        let here = |parent| lock(&self.created).contains(&parent);
        id.parent().is_some_and(here) || self.world.client().lies_in_new(id)
    }

    fn halted(&self, halt: Halt) -> Stop {
        let fail = |cause| {
            Stop::Failed(vec![Failure {
                doing: Doing::Reading,
                id: self.anchor.clone(),
                argument: "",
                cause,
            }])
        };
        match halt {
            Halt::Skipped => Stop::Skipped,
            Halt::Azure(error) => fail(Cause::Azure(error)),
            other => fail(Cause::Bug(other.to_string())),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }
}

/// All ARM ids that stand in a document as texts.
pub fn ids_in(json: &Json) -> BTreeSet<ArmId> {
    match json {
        Json::String(text) => ArmId::parse(text).into_iter().collect(),
        Json::Array(items) => items.iter().flat_map(ids_in).collect(),
        Json::Object(members) => members.values().flat_map(ids_in).collect(),
        _ => BTreeSet::new(),
    }
}

fn failure(doing: Doing, wanted: &Wanted, error: Error) -> Failure {
    Failure {
        doing,
        id: wanted.id.clone(),
        argument: wanted.argument,
        cause: Cause::Azure(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
