//! Deletes what a resource owns: dependants first, the rest at the same time, and nothing at
//! all where something must be kept.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

use super::apply::{Deeds, End};
use super::ledger::Ledger;
use super::locks::{Lock, Locks};
use super::seen::{Seen, Unread};
use super::world::{Halt, World};
use super::{Composite, Part, Removal};
use crate::arm::{ArmId, Error};
use crate::provider::failure::{Cause, Doing, Failure};

/// Deletes everything in the ledger, attempted ids too. What stays in the returned ledger
/// could not be deleted; the failures say why.
pub async fn remove<C: Composite>(
    world: &World,
    locks: &Locks,
    input: Option<&C::Input>,
    ledger: Ledger,
) -> (Ledger, Vec<Failure>) {
    let kept = objections::<C>(world, &ledger).await;
    if !kept.is_empty() {
        return (ledger, kept);
    }
    let ledger = Mutex::new(ledger);
    // Parts that this version of the provider does not know have no dependants among the others.
    let known: BTreeSet<&str> = C::PARTS.iter().map(|part| part.name).collect();
    let strangers: Vec<ArmId> = lock(&ledger)
        .iter()
        .filter(|(part, _)| !known.contains(part))
        .map(|(_, id)| id.clone())
        .collect();
    let mut failures = delete_all(world, locks, &ledger, &strangers, |_| Vec::new()).await;

    let ends = join_all(C::PARTS.iter().map(|part| async {
        let dependants: BTreeSet<&'static str> = C::PARTS
            .iter()
            .filter(|other| other.after.contains(&part.name))
            .map(|other| other.name)
            .collect();
        match world.wait_for(&dependants).await {
            Ok(()) => {}
            Err(halt) => {
                world.fail(part.name);
                return match halt {
                    Halt::Azure(error) => stopped::<C>(&ledger, part, error),
                    Halt::Skipped | Halt::Stuck | Halt::Endless(_) => Vec::new(),
                };
            }
        }
        if let Some(input) = input
            && let Err(end) = undo(world, locks, part, input).await
        {
            world.fail(part.name);
            return match end {
                End::Failed(failure) => vec![*failure],
                End::Halted(halt) => {
                    vec![objecting(&anchor_of::<C>(input, world), undecided(halt))]
                }
            };
        }
        let ids: Vec<ArmId> = {
            let ledger = lock(&ledger);
            let goes_along = |id: &ArmId| {
                part.goes_with_parent && id.parent().is_some_and(|parent| ledger.contains(&parent))
            };
            let ids = ledger.of(part.name).filter(|id| !goes_along(id));
            ids.cloned().collect()
        };
        let locks_of = |id: &ArmId| {
            input
                .map(|input| (part.locks)(input, id))
                .unwrap_or_default()
        };
        let failures = delete_all(world, locks, &ledger, &ids, locks_of).await;
        if failures.is_empty() {
            world.finish(part.name);
        } else {
            world.fail(part.name);
        }
        failures
    }))
    .await;
    failures.extend(ends.into_iter().flatten());
    let ledger = lock(&ledger).clone();
    (ledger, failures)
}

/// Undoes what a part has done beside the writing of its objects.
async fn undo<I>(world: &World, locks: &Locks, part: &Part<I>, input: &I) -> Result<(), End>
where
    I: Sync,
{
    let doing = Deeds {
        world,
        locks,
        doing: Doing::Deleting,
        begun: &|| (),
    };
    let locks_of = |deed: &super::Deed| (part.locks)(input, &deed.id);
    doing.run(|seen| (part.undoes)(input, seen), locks_of).await
}

/// Whether nothing is left to undo, by facts that are read now.
pub async fn undone<C: Composite>(world: &World, input: &C::Input) -> bool {
    for part in C::PARTS {
        let left = world.resolve(|seen| (part.undoes)(input, seen)).await;
        if !left.is_ok_and(|left| left.value.is_none()) {
            return false;
        }
    }
    true
}

/// The resource's id, for messages about no object in particular.
fn anchor_of<C: Composite>(input: &C::Input, world: &World) -> ArmId {
    C::id(input, world.surroundings()).unwrap_or_else(|| ArmId::subscription("unknown"))
}

/// Why the resource may not be deleted, one failure for each object that must be kept. All are
/// asked at once, so that what the answers need is read at once.
async fn objections<C: Composite>(world: &World, ledger: &Ledger) -> Vec<Failure> {
    let decide = |seen: &Seen| {
        let owned = C::PARTS.iter().flat_map(|part| {
            let ids = ledger.of(part.name);
            ids.map(move |id| (id, (part.keep)(&Removal { id, ledger }, seen)))
        });
        let answers: Vec<_> = owned.collect();
        answers
            .into_iter()
            .map(|(id, reasons)| Ok((id.clone(), reasons?)))
            .collect::<Result<Vec<_>, Unread>>()
    };
    match world.resolve(decide).await {
        Ok(resolved) => {
            let kept = resolved.value.into_iter();
            kept.filter(|(_, reasons)| !reasons.is_empty())
                .map(|(id, reasons)| objecting(&id, Cause::Kept(reasons)))
                .collect()
        }
        Err(halt) => {
            let first = ledger.iter().next();
            first
                .map(|(_, id)| objecting(id, undecided(halt)))
                .into_iter()
                .collect()
        }
    }
}

/// Why one object may not be deleted, where it may not.
pub async fn objection<I>(
    world: &World,
    part: &Part<I>,
    id: &ArmId,
    ledger: &Ledger,
) -> Option<Failure> {
    let decide = |seen: &Seen| (part.keep)(&Removal { id, ledger }, seen);
    let cause = match world.resolve(decide).await {
        Ok(resolved) if resolved.value.is_empty() => return None,
        Ok(resolved) => Cause::Kept(resolved.value),
        Err(halt) => undecided(halt),
    };
    Some(objecting(id, cause))
}

fn undecided(halt: Halt) -> Cause {
    match halt {
        Halt::Azure(error) => Cause::Azure(error),
        Halt::Skipped | Halt::Stuck | Halt::Endless(_) => Cause::Bug(halt.to_string()),
    }
}

fn objecting(id: &ArmId, cause: Cause) -> Failure {
    Failure {
        doing: Doing::Deleting,
        id: id.clone(),
        argument: "",
        cause,
    }
}

async fn delete_all(
    world: &World,
    locks: &Locks,
    ledger: &Mutex<Ledger>,
    ids: &[ArmId],
    locks_of: impl Fn(&ArmId) -> Vec<Lock>,
) -> Vec<Failure> {
    // Children that others will delete first are not this list's business: ids of one part do
    // not lie within each other.
    let ends = join_all(ids.iter().map(|id| {
        let wanted = locks_of(id);
        async move {
            let delete = async {
                let _held = locks.take(world.call(), &wanted).await?;
                tracing::info!(%id, "deleting");
                world
                    .client()
                    .delete(world.call(), id)
                    .await?
                    .wait(world.call())
                    .await
            };
            match delete.await {
                Ok(_) => {
                    lock(ledger).remove_all(id);
                    None
                }
                Err(error) if error.is_not_found() => {
                    lock(ledger).remove_all(id);
                    None
                }
                Err(error) => Some(deletion(id, error)),
            }
        }
    }))
    .await;
    ends.into_iter().flatten().collect()
}

fn stopped<C: Composite>(
    ledger: &Mutex<Ledger>,
    part: &Part<C::Input>,
    error: Error,
) -> Vec<Failure> {
    lock(ledger)
        .of(part.name)
        .next()
        .map(|id| deletion(id, error))
        .into_iter()
        .collect()
}

fn deletion(id: &ArmId, error: Error) -> Failure {
    objecting(id, Cause::Azure(error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
