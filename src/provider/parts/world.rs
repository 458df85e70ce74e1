//! Reads Azure for the pure functions: each object once, all that is missing at the same time.

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use super::deed::Notes;
use super::seen::{Look, Missing, Question, Seen, Surroundings, Unread};
use crate::arm::{ArmId, Call, Client, Error, Json};

/// The objects that the body of another carries within it, so that they need no reading of
/// their own: a network's answer has its subnets.
#[derive(Debug, Clone, Copy)]
pub struct Embedding {
    /// The types of such objects.
    pub types: &'static [&'static str],
    /// Lists those in the body of the object with that id.
    pub within: fn(&ArmId, &Json) -> Vec<(ArmId, Json)>,
}

type Cells<K, T> = Mutex<BTreeMap<K, Arc<OnceCell<Look<T>>>>>;

/// Azure as far as one operation has seen it.
pub struct World {
    client: Client,
    call: Call,
    surroundings: Arc<Surroundings>,
    embedding: Embedding,
    prior: Option<Arc<Json>>,
    among_strangers: bool,
    owned: Mutex<BTreeSet<ArmId>>,
    objects: Cells<ArmId, Arc<Json>>,
    lists: Cells<(ArmId, String), Arc<Vec<Json>>>,
    answers: Cells<Question, Arc<Json>>,
    notes: Notes,
    made: Mutex<BTreeSet<ArmId>>,
    doubted: Mutex<BTreeSet<ArmId>>,
    refused: AtomicBool,
    progress: watch::Sender<Progress>,
}

/// How far the parts of the resource are.
#[derive(Debug, Default)]
struct Progress {
    finished: BTreeSet<&'static str>,
    failed: BTreeSet<&'static str>,
}

/// Why something did not come to its end.
#[derive(Debug, Clone)]
pub enum Halt {
    /// Azure, or the way there.
    Azure(Error),
    /// A part that it needs has failed, and says why itself.
    Skipped,
    /// A decision asked for nothing and still could not be made: a mistake in this provider.
    Stuck,
    /// A part was never content with what it did, this at last: a mistake in this provider.
    Endless(String),
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Azure(error) => error.fmt(f),
            Self::Skipped => f.write_str("a part that it needs has failed"),
            Self::Stuck => f.write_str("a decision asked for nothing and was not made"),
            Self::Endless(last) => {
                write!(
                    f,
                    "this was done again and again, and something always remained: {last}"
                )
            }
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Azure(error)
    }
}

/// A value that pure functions found, and what they asked for on the way.
pub struct Resolved<T> {
    /// The value.
    pub value: T,
    /// What it was made of.
    pub asked: Missing,
}

/// The pauses between looks at what has not come about yet, in milliseconds; the last one
/// repeats. The first look again is at once, since facts may just have been read too early.
const PAUSES: [u64; 6] = [0, 250, 500, 1000, 2000, 5000];

/// The pause after so many looks.
pub fn pause(round: usize) -> Duration {
    let pause = PAUSES.get(round).or(PAUSES.last());
    Duration::from_millis(pause.copied().unwrap_or_default())
}

impl World {
    /// Nothing seen yet.
    pub fn new(
        client: Client,
        call: Call,
        surroundings: Arc<Surroundings>,
        embedding: Embedding,
    ) -> Self {
        Self {
            client,
            call,
            surroundings,
            embedding,
            prior: None,
            among_strangers: false,
            owned: Mutex::default(),
            objects: Mutex::default(),
            lists: Mutex::default(),
            answers: Mutex::default(),
            notes: Notes::default(),
            made: Mutex::default(),
            doubted: Mutex::default(),
            refused: AtomicBool::default(),
            progress: watch::Sender::default(),
        }
    }

    /// With the state before the change that is being applied.
    #[must_use]
    pub fn with_prior(mut self, prior: Option<Json>) -> Self {
        self.prior = prior.map(Arc::new);
        self
    }

    /// With what deeds have noted before, and will note from now on.
    #[must_use]
    pub fn with_notes(mut self, notes: Notes) -> Self {
        self.notes = notes;
        self
    }

    /// What deeds have noted.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Where it leads to subscriptions of others: one that the caller cannot see, or that is another
    /// tenant's, is one that he may not read.
    #[must_use]
    pub fn among_strangers(mut self) -> Self {
        self.among_strangers = true;
        self
    }

    /// Notes what the resource owns.
    pub fn own<'a>(&self, ids: impl IntoIterator<Item = &'a ArmId>) {
        lock(&self.owned).extend(ids.into_iter().cloned());
    }

    /// The client to write with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What bounds the operation.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Facts about where the provider runs.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Calls a pure function until it has all that it asks for.
    ///
    /// # Errors
    /// When reading fails (a 404 and a 403 are facts and no failures), or when a part fails that
    /// the function waits for.
    pub async fn resolve<T>(
        &self,
        decide: impl Fn(&Seen) -> Result<T, Unread>,
    ) -> Result<Resolved<T>, Halt> {
        loop {
            let seen = self.snapshot();
            let decision = decide(&seen);
            let asked = seen.into_missing();
            match decision {
                // A decision may do without a fact while nothing can be read, as a plan without
                // Azure does; here it is read, and the decision made with it.
                Ok(value) if asked.reads_nothing() => {
                    return Ok(Resolved { value, asked });
                }
                Ok(_) | Err(Unread) => self.read(&asked).await?,
            }
        }
    }

    /// Reads one object, unless it has been read.
    ///
    /// # Errors
    /// When reading fails; a 404 and a 403 are facts and no failures.
    pub async fn look(&self, id: &ArmId) -> Result<Look, Error> {
        let cell = Arc::clone(lock(&self.objects).entry(id.clone()).or_default());
        let look = cell.get_or_try_init(|| async {
            if self.cannot_be_there(id) {
                return Ok(Look::Absent);
            }
            self.fact(self.client.get(&self.call, id).await, Arc::new)
        });
        let look = look.await?.clone();
        if let Look::Found(json) = &look {
            self.embed(id, json);
        }
        Ok(look)
    }

    /// Waits until a deletion that has begun before comes to its end.
    ///
    /// # Errors
    /// When reading fails, or the call ends before.
    pub async fn until_gone(&self, id: &ArmId) -> Result<(), Error> {
        for round in 0_usize.. {
            self.forget_object(id);
            if !self.look(id).await?.is_leaving() {
                break;
            }
            self.call.sleep(pause(round)).await?;
        }
        Ok(())
    }

    /// Enters what a write answered.
    pub fn enter(&self, id: &ArmId, look: Look<Json>) {
        let look = match look {
            Look::Found(json) => {
                self.embed_anew(id, &json);
                Look::Found(Arc::new(json))
            }
            Look::Absent => Look::Absent,
            Look::Denied(error) => Look::Denied(error),
        };
        lock(&self.objects).insert(id.clone(), Arc::new(OnceCell::new_with(Some(look))));
    }

    /// Notes that an object was just made, so that nothing can lie below it yet.
    pub fn made(&self, id: &ArmId) {
        lock(&self.made).insert(id.clone());
    }

    fn cannot_be_there(&self, id: &ArmId) -> bool {
        let fresh = id
            .parent()
            .is_some_and(|parent| lock(&self.made).contains(&parent));
        fresh && !lock(&self.doubted).contains(id)
    }

    /// Whether Azure has refused to show something that was asked for: what was decided without it
    /// may lack something.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Forgets facts that may have changed, so that they are read again.
    pub fn forget(&self, asked: &Missing) {
        lock(&self.doubted).extend(asked.asked.iter().cloned());
        lock(&self.objects).retain(|id, _| !asked.asked.contains(id));
        lock(&self.lists).retain(|key, _| !asked.asked_lists.contains(key));
        lock(&self.answers).retain(|key, _| !asked.asked_questions.contains(key));
    }

    /// Forgets which of these objects were not there, every list, and every answer.
    pub fn forget_absent(&self, asked: &Missing) {
        let mut objects = lock(&self.objects);
        objects.retain(|id, cell| {
            let absent = matches!(cell.get(), Some(Look::Absent));
            let stays = !(absent && asked.asked.contains(id));
            if !stays {
                lock(&self.doubted).insert(id.clone());
            }
            stays
        });
        lock(&self.lists).retain(|key, _| !asked.asked_lists.contains(key));
        lock(&self.answers).retain(|key, _| !asked.asked_questions.contains(key));
    }

    /// Forgets one object, every list of what lies below or beside it, and every answer.
    pub fn forget_object(&self, id: &ArmId) {
        lock(&self.doubted).insert(id.clone());
        lock(&self.objects).remove(id);
        lock(&self.lists).clear();
        lock(&self.answers).clear();
    }

    /// Notes that a part is finished, for those that wait for it.
    pub fn finish(&self, part: &'static str) {
        self.progress.send_modify(|progress| {
            progress.finished.insert(part);
        });
    }

    /// Notes that a part has failed, for those that wait for it.
    pub fn fail(&self, part: &'static str) {
        self.progress.send_modify(|progress| {
            progress.failed.insert(part);
        });
    }

    /// Waits until all of these parts are finished.
    ///
    /// # Errors
    /// When one of them fails, or the call ends before.
    pub async fn wait_for(&self, parts: &BTreeSet<&'static str>) -> Result<(), Halt> {
        let mut progress = self.progress.subscribe();
        let decided = progress.wait_for(|progress| {
            parts.is_subset(&progress.finished) || !parts.is_disjoint(&progress.failed)
        });
        // The sender lives as long as this world, so that waiting ends only with the parts.
        let failed = self
            .call
            .bound(decided)
            .await?
            .map_or(true, |progress| !parts.is_disjoint(&progress.failed));
        if failed { Err(Halt::Skipped) } else { Ok(()) }
    }

    fn snapshot(&self) -> Seen {
        let objects = lock(&self.objects)
            .iter()
            .filter_map(|(id, cell)| Some((id.clone(), cell.get()?.clone())))
            .collect();
        let lists = lock(&self.lists)
            .iter()
            .filter_map(|(key, cell)| Some((key.clone(), cell.get()?.clone())))
            .collect();
        let answers = lock(&self.answers)
            .iter()
            .filter_map(|(question, cell)| Some((question.clone(), cell.get()?.clone())))
            .collect();
        Seen {
            objects,
            lists,
            answers,
            notes: self.notes.all(),
            finished: self.progress.borrow().finished.clone(),
            surroundings: Arc::clone(&self.surroundings),
            prior: self.prior.clone(),
            owned: lock(&self.owned).clone(),
            ..Seen::default()
        }
    }

    fn embed(&self, id: &ArmId, json: &Json) {
        let mut objects = lock(&self.objects);
        for (id, json) in (self.embedding.within)(id, json) {
            let cell = objects.entry(id).or_default();
            // Whoever read the object by itself knows it at least as well.
            let _ = cell.set(Look::Found(Arc::new(json)));
        }
    }

    fn embed_anew(&self, id: &ArmId, json: &Json) {
        let mut objects = lock(&self.objects);
        for (id, json) in (self.embedding.within)(id, json) {
            objects.insert(
                id,
                Arc::new(OnceCell::new_with(Some(Look::Found(Arc::new(json))))),
            );
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::arm::{Clock, Settings};

    /// A world that can read nothing, because its call was stopped before it began.
    fn unreadable() -> World {
        let stop = CancellationToken::new();
        stop.cancel();
        World::new(
            Client::new(Settings::default()).unwrap(),
            Call::new(&Clock::real(), Duration::from_secs(1), stop),
            Arc::default(),
            Embedding {
                types: &[],
                within: |_, _| Vec::new(),
            },
        )
    }

    #[tokio::test]
    async fn a_subscription_of_others_is_one_that_may_not_be_read_where_a_question_leads_there() {
        let missing = || {
            let error = crate::arm::AzureError {
                status: 404,
                code: Some("SubscriptionNotFound".to_owned()),
                ..crate::arm::AzureError::default()
            };
            Err::<Json, Error>(error.into())
        };
        assert!(unreadable().fact(missing(), |json| json).is_err());
        let look = unreadable().among_strangers().fact(missing(), |json| json);
        assert!(matches!(look, Ok(Look::Denied(_))));
    }

    #[tokio::test]
    async fn a_fact_that_a_decision_would_do_without_is_read_all_the_same() {
        let id = ArmId::group("00000000-0000-0000-0000-000000000001", "rg");
        let decide = |seen: &Seen| Ok(seen.look(&id).is_ok());
        let halt = unreadable().resolve(decide).await.map(|found| found.value);
        assert!(
            matches!(&halt, Err(Halt::Azure(error)) if error.is_stopped()),
            "it was decided without looking: {halt:?}"
        );
        let world = unreadable();
        world.enter(&id, Look::Absent);
        assert!(world.resolve(decide).await.unwrap().value);
    }
}
