//! What an apply deletes: what must make way for something new, and what is wanted no more.

use futures::future::join_all;

use super::{Apply, Stop, ids_in};
use crate::arm::{ArmId, Error};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::parts::remove::objection;
use crate::provider::parts::seen::Look;
use crate::provider::parts::wanted::Wanted;
use crate::provider::parts::{Composite, Part};

impl<C: Composite> Apply<'_, C> {
    /// Deletes what must be gone before an object is written; whether there was something.
    pub(super) async fn make_way(&self, wanted: &Wanted) -> Result<bool, Failure> {
        let ours = |id: &&ArmId| self.ledger().contains(id);
        let gone: Vec<&ArmId> = wanted.instead_of.iter().filter(ours).collect();
        for id in &gone {
            self.delete(id, wanted.argument).await?;
        }
        Ok(!gone.is_empty())
    }

    /// What the resource owns and wants no more goes last, dependants first.
    pub(super) async fn remove_obsolete(&self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for part in C::PARTS.iter().rev() {
            if self.ledger().of(part.name).next().is_none() {
                continue;
            }
            match self.wants(part).await {
                Ok(wants) => failures.extend(self.remove_obsolete_of(part, &wants.value).await),
                // What is not known to be wanted is not known to be obsolete either.
                Err(Stop::Failed(why)) => failures.extend(why),
                Err(Stop::Late(_) | Stop::Skipped) => {}
            }
        }
        failures
    }

    /// What one part owns and wants no more goes.
    pub(super) async fn remove_obsolete_of(
        &self,
        part: &Part<C::Input>,
        wants: &[Wanted],
    ) -> Vec<Failure> {
        let given = ids_in(&serde_json::to_value(self.input).unwrap_or_default());
        let mut obsolete: Vec<ArmId> = self.ledger().of(part.name).cloned().collect();
        obsolete.retain(|id| wants.iter().all(|wanted| wanted.id != *id));
        // What is given from now on, or handed over, is no longer ours and stays.
        obsolete.retain(|id| {
            let stays = given.contains(id) || (part.leaves)(self.input, id);
            if stays {
                self.ledger().remove(id);
            }
            !stays
        });
        let argument = wants.first().map_or("", |wanted| wanted.argument);
        let ends = join_all(obsolete.iter().map(|id| async move {
            let locks = (part.locks)(self.input, id);
            let held = self.locks.take(self.world.call(), &locks).await;
            let _held = held.map_err(|error| deletion(id, argument, error))?;
            let ledger = self.ledger().clone();
            match objection(self.world, part, id, &ledger).await {
                Some(kept) => Err(Failure { argument, ..kept }),
                None => self.delete(id, argument).await,
            }
        }));
        ends.await.into_iter().filter_map(Result::err).collect()
    }

    pub(super) async fn delete_with_children(
        &self,
        id: &ArmId,
        argument: &'static str,
    ) -> Result<(), Failure> {
        let children: Vec<ArmId> = self
            .ledger()
            .iter()
            .map(|(_, other)| other.clone())
            .filter(|other| other != id && other.is_within(id))
            .collect();
        for child in &children {
            self.delete(child, argument).await?;
        }
        self.delete(id, argument).await
    }

    async fn delete(&self, id: &ArmId, argument: &'static str) -> Result<(), Failure> {
        let fail = |error| deletion(id, argument, error);
        tracing::info!(%id, "deleting");
        let call = self.world.call();
        let pending = self.world.client().delete(call, id).await.map_err(fail)?;
        pending.wait(call).await.map_err(fail)?;
        self.ledger().remove(id);
        self.world.forget_object(id);
        self.world.enter(id, Look::Absent);
        // What the object lay in may show that it has gone.
        if let Some(parent) = id.parent().filter(|parent| self.ledger().contains(parent)) {
            self.world.forget_object(&parent);
        }
        Ok(())
    }
}

fn deletion(id: &ArmId, argument: &'static str, error: Error) -> Failure {
    Failure {
        doing: Doing::Deleting,
        id: id.clone(),
        argument,
        cause: Cause::Azure(error),
    }
}
