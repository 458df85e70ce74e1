//! What a part does beside the writing of its objects: each deed is decided over fresh facts, under
//! the locks of its object, and done, until nothing remains.

use super::{Apply, Stop, lock};
use crate::arm::{Attempts, Error, Json};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::parts::deed::{Deed, Refusal, Request};
use crate::provider::parts::locks::{Lock, Locks};
use crate::provider::parts::seen::{Look, Missing, Seen, Unread};
use crate::provider::parts::world::{Halt, Resolved, World};
use crate::provider::parts::{Composite, Part, writable};

/// More requests than any part needs: a decision that is never content is a mistake.
const MOST: usize = 200;

impl<C: Composite> Apply<'_, C> {
    /// Does what remains of a part.
    pub(super) async fn deeds(&self, part: &Part<C::Input>) -> Result<(), Stop> {
        let decide = |seen: &Seen| (part.does)(self.input, seen);
        let locks = |deed: &Deed| (part.locks)(self.input, &deed.id);
        let doing = Deeds {
            world: self.world,
            locks: self.locks,
            doing: Doing::Changing,
            begun: &|| *lock(&self.acted) = true,
        };
        doing.run(decide, locks).await.map_err(|end| match end {
            End::Halted(halt) => self.halted(halt),
            End::Failed(failure) => Stop::Failed(vec![*failure]),
        })
    }
}

/// Deeds of one part, in an apply or in a removal.
pub struct Deeds<'a> {
    /// Azure as far as it has been seen.
    pub world: &'a World,
    /// The locks of the process.
    pub locks: &'a Locks,
    /// What errors say was being done.
    pub doing: Doing,
    /// Told before each request leaves.
    pub begun: &'a (dyn Fn() + Sync),
}

/// Why deeds did not come to their end.
pub enum End {
    /// A decision could not be made.
    Halted(Halt),
    /// A request failed.
    Failed(Box<Failure>),
}

impl Deeds<'_> {
    /// Decides and does, until nothing remains.
    pub async fn run(
        &self,
        decide: impl Fn(&Seen) -> Result<Option<Deed>, Unread>,
        locks: impl Fn(&Deed) -> Vec<Lock>,
    ) -> Result<(), End> {
        let mut last = String::new();
        let mut attempts = Attempts::default();
        let mut done = 0;
        while done < MOST {
            let Resolved { value, asked } = self.resolve(&decide).await?;
            let Some(deed) = value else {
                return Ok(());
            };
            let needed = locks(&deed);
            if needed.is_empty() {
                done += 1;
                last = self.perform(deed, &asked).await?;
                continue;
            }
            let held = self.locks.take(self.world.call(), &needed).await;
            let _held = held.map_err(|error| self.failed(&deed, Cause::Azure(error)))?;
            // Others may have written while this one waited, in this process or outside of it.
            self.world.forget(&asked);
            let Resolved { value, asked } = self.resolve(&decide).await?;
            let Some(deed) = value else {
                continue;
            };
            if !deed.beside_others {
                done += 1;
                last = self.perform(deed, &asked).await?;
            } else if let Some(what) = self.change(deed, &asked, &mut attempts).await? {
                (done, last) = (done + 1, what);
                attempts = Attempts::default();
            }
        }
        Err(End::Halted(Halt::Endless(last)))
    }

    async fn resolve(
        &self,
        decide: impl Fn(&Seen) -> Result<Option<Deed>, Unread>,
    ) -> Result<Resolved<Option<Deed>>, End> {
        self.world.resolve(decide).await.map_err(End::Halted)
    }

    /// Sends one request, and enters or forgets what it has changed. Tells what it was.
    async fn perform(&self, deed: Deed, asked: &Missing) -> Result<String, End> {
        let what = deed.to_string();
        if let Request::Refuse(refusal) = &deed.request {
            let Refusal { why, evidence, fix } = refusal.clone();
            return Err(self.failed(&deed, Cause::Plain { why, evidence, fix }));
        }
        tracing::info!(deed = what, "doing");
        let (client, call) = (self.world.client(), self.world.call());
        let body = match &deed.request {
            Request::Patch(body) | Request::Put(body) => Some(body),
            Request::Post(..)
            | Request::DeleteImage(..)
            | Request::Run(..)
            | Request::Refuse(_) => None,
        };
        if let Some(Err(stray)) = body.map(|body| writable::check(&deed.id, body)) {
            return Err(self.failed(&deed, Cause::Bug(stray)));
        }
        (self.begun)();
        let sent = match &deed.request {
            Request::Patch(body) => client.patch(call, &deed.id, body).await,
            Request::Put(body) => client.put(call, &deed.id, body, Default::default()).await,
            Request::Post(action, body) if deed.repeatable => {
                client.ask(call, &deed.id, action, body).await
            }
            Request::Post(action, body) => client.post(call, &deed.id, action, body).await,
            Request::Refuse(_) => return Ok(what),
            Request::Run(command, context) => {
                let end = client.run_command(call, command, context).await;
                return self.ended(deed, asked, end).map(|()| what);
            }
            Request::DeleteImage(host, reference) => {
                let end = client.delete_image(call, host, reference).await;
                return self
                    .ended(deed, asked, end.map(|()| Json::Null))
                    .map(|()| what);
            }
        };
        let refused = sent.as_ref().is_err_and(Error::is_refusal);
        if let Some((name, note)) = deed.note.clone().filter(|_| !refused) {
            self.world.notes().note(name, note);
        }
        let end = match sent {
            Ok(pending) => pending.wait(call).await,
            Err(error) => Err(error),
        };
        self.ended(deed, asked, end).map(|()| what)
    }

    /// Changes an object that others change too. Tells what it was; nothing where it must be decided
    /// anew.
    async fn change(
        &self,
        deed: Deed,
        asked: &Missing,
        attempts: &mut Attempts,
    ) -> Result<Option<String>, End> {
        let Request::Patch(body) = &deed.request else {
            return self.perform(deed, asked).await.map(Some);
        };
        if let Err(stray) = writable::check(&deed.id, body) {
            return Err(self.failed(&deed, Cause::Bug(stray)));
        }
        let what = deed.to_string();
        tracing::info!(deed = what, "doing");
        (self.begun)();
        let (client, call) = (self.world.client(), self.world.call());
        let end = client.patch_once(call, &deed.id, body, attempts).await;
        let refused = match &end {
            Ok(Some(_)) => false,
            Ok(None) => !attempts.may_have_acted(),
            Err(error) => error.is_refusal(),
        };
        if let Some((name, note)) = deed.note.clone().filter(|_| !refused) {
            self.world.notes().note(name, note);
        }
        self.world.forget(asked);
        self.world.forget_object(&deed.id);
        match end {
            Ok(done) => Ok(done.map(|_| what)),
            Err(error) => Err(self.failed(&deed, Cause::Azure(error))),
        }
    }

    /// Notes how a request ended, and forgets what it has changed.
    fn ended(&self, deed: Deed, asked: &Missing, end: Result<Json, Error>) -> Result<(), End> {
        self.world.forget(asked);
        self.world.forget_object(&deed.id);
        let answer = match end {
            Ok(answer) => answer,
            Err(error) => {
                let needless = deed.needless.as_ref().filter(|(when, _)| when(&error));
                let Some((_, (name, note))) = needless else {
                    return Err(self.failed(&deed, Cause::Azure(error)));
                };
                // What an attempt of our own has done that was not answered is our doing.
                let ours = error.azure().is_some_and(|azure| azure.after_loss);
                let (name, note) = deed
                    .done
                    .as_ref()
                    .filter(|_| ours)
                    .map_or((*name, note), |(name, note)| (*name, note));
                self.world.notes().note(name, note.clone());
                return Ok(());
            }
        };
        if let Some((name, note)) = deed.done {
            self.world.notes().note(name, note);
        }
        if let Some(name) = deed.answer {
            self.world.notes().answer(name, answer.clone());
        }
        // What a write ended with is the newest that there is to know of its object.
        if matches!(deed.request, Request::Patch(_) | Request::Put(_)) && answer.is_object() {
            self.world.enter(&deed.id, Look::Found(answer));
        }
        Ok(())
    }

    fn failed(&self, deed: &Deed, cause: Cause) -> End {
        End::Failed(Box::new(Failure {
            doing: deed.doing.unwrap_or(self.doing),
            id: deed.id.clone(),
            argument: deed.argument,
            cause,
        }))
    }
}
