//! How one object becomes what is wanted: created, changed in steps, or replaced.

use super::{Apply, failure, lock};
use crate::arm::{Error, Json, Write};
use crate::provider::failure::{Cause, Doing, Failure};
use crate::provider::parts::compare::{
    Difference, Lists, differences, is_empty, merged, without_nulls,
};
use crate::provider::parts::seen::Look;
use crate::provider::parts::tags::{keep_ignored_tags, without_ignored_tags};
use crate::provider::parts::wanted::{Change, Gap, Wanted};
use crate::provider::parts::{Composite, Part, writable};

impl<C: Composite> Apply<'_, C> {
    /// Makes what is not there, or brings it back as it was and then makes it what is wanted.
    pub(super) async fn bring_into_being(
        &self,
        part: &Part<C::Input>,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        self.create(part, wanted).await?;
        let creation = wanted.creation.as_ref();
        if !creation.is_some_and(|creation| creation.as_it_was) {
            return Ok(());
        }
        match self.world.look(&wanted.id).await {
            Ok(Look::Found(made)) => self.change(part, wanted, &made).await,
            Ok(Look::Absent | Look::Denied(_)) => Ok(()),
            Err(error) => Err(failure(Doing::Reading, wanted, error)),
        }
    }

    pub(super) async fn create(
        &self,
        part: &Part<C::Input>,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        self.make_way(wanted).await?;
        let mut body = self.body(wanted)?;
        if let Some(creation) = &wanted.creation {
            body = merged(&creation.body, &body, Lists::default());
        }
        let body = without_nulls(&body);
        writable::check(&wanted.id, &body).map_err(|what| bug(wanted, what))?;
        let brings = || wanted.creation.iter().flat_map(|creation| &creation.brings);

        self.ledger().attempt(part.name, &wanted.id);
        brings().for_each(|(part, id)| self.ledger().attempt(part, id));
        let client = self.world.client();
        let call = self.world.call();
        tracing::info!(id = %wanted.id, "creating");
        let accepted = client.put(call, &wanted.id, &body, Write::default()).await;
        let pending = match accepted {
            Ok(pending) => pending,
            Err(error) => {
                // A refusal is certain; anything else leaves the object's fate open.
                if error.is_refusal() {
                    self.ledger().remove(&wanted.id);
                    brings().for_each(|(_, id)| self.ledger().remove(id));
                    if (wanted.needless)(&error) {
                        tracing::info!(id = %wanted.id, %error, "someone else's serves as well");
                        return Ok(());
                    }
                }
                return Err(failure(Doing::Creating, wanted, error));
            }
        };
        self.ledger().own(part.name, &wanted.id);
        self.world.own([&wanted.id]);
        brings().for_each(|(part, id)| self.ledger().own(part, id));
        let mut end = pending.wait(call).await;
        if wanted.reconciled && end.as_ref().is_err_and(Error::is_failed_operation) {
            tracing::info!(id = %wanted.id, "its creation failed: writing it once more");
            end = match client.put(call, &wanted.id, &body, Write::default()).await {
                Ok(pending) => pending.wait(call).await,
                // Why the creation failed says more than why it cannot be repeated.
                Err(_) => end,
            };
        }
        let created = match end {
            Ok(created) => created,
            Err(error) => {
                // What an operation that failed leaves behind, the next look tells.
                self.ledger().doubt(part.name, &wanted.id);
                brings().for_each(|(part, id)| self.ledger().doubt(part, id));
                return Err(failure(Doing::Creating, wanted, error));
            }
        };
        // A parent that carries it within its own body has changed with it.
        if C::EMBEDDED.iter().any(|kind| wanted.id.is(kind))
            && let Some(parent) = wanted
                .id
                .parent()
                .filter(|parent| self.ledger().contains(parent))
        {
            self.world.forget_object(&parent);
        }
        lock(&self.created).insert(wanted.id.clone());
        self.world.made(&wanted.id);
        client.made(&wanted.id);
        self.world.enter(&wanted.id, Look::Found(created));
        Ok(())
    }

    pub(super) async fn change(
        &self,
        part: &Part<C::Input>,
        wanted: &Wanted,
        found: &Json,
    ) -> Result<(), Failure> {
        let mut body = self.body(wanted)?;
        let lists = lists_of(wanted);
        let differences = self.gap(wanted, &body, found);
        keep_ignored_tags(&mut body, found, &self.world.surroundings().tags);
        let must_go = wanted.remake.is_some()
            || wanted.immutable.iter().any(|pointer| {
                differences
                    .iter()
                    .any(|difference| difference.pointer.starts_with(pointer))
            });
        if must_go {
            tracing::info!(id = %wanted.id, reason = wanted.remake, "replacing");
            self.delete_with_children(&wanted.id, wanted.argument)
                .await?;
            return self.create(part, wanted).await;
        }
        let failed = found["properties"]["provisioningState"] == "Failed";
        if differences.is_empty() && wanted.rewrite.is_none() && !failed {
            return Ok(());
        }
        tracing::info!(
            id = %wanted.id,
            differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            "changing"
        );
        self.make_way(wanted).await?;
        let changes = match wanted.steps {
            Some(steps) => steps(&Gap {
                found: &writable::reduced(&wanted.id, found),
                wanted: &body,
                differences: &differences,
            }),
            None => vec![Change::Put(Vec::new())],
        };
        let mut current = found.clone();
        for change in changes {
            current = self.write(wanted, &body, &current, lists, change).await?;
        }
        self.world.enter(&wanted.id, Look::Found(current));
        Ok(())
    }

    /// Where an object differs from what is wanted of it.
    pub(super) fn gap(&self, wanted: &Wanted, body: &Json, found: &Json) -> Vec<Difference> {
        let visible = without_ignored_tags(found, &self.world.surroundings().tags);
        differences(body, &visible, lists_of(wanted))
    }

    async fn write(
        &self,
        wanted: &Wanted,
        body: &Json,
        current: &Json,
        lists: Lists,
        change: Change,
    ) -> Result<Json, Failure> {
        let fail = |error| failure(Doing::Changing, wanted, error);
        let (client, call) = (self.world.client(), self.world.call());
        let pending = match change {
            Change::Patch(patch) => {
                writable::check(&wanted.id, &patch).map_err(|what| bug(wanted, what))?;
                client.patch(call, &wanted.id, &patch).await
            }
            Change::Put(query) => {
                let base = writable::reduced(&wanted.id, current);
                let whole = merged(body, &base, lists);
                writable::check(&wanted.id, &whole).map_err(|what| bug(wanted, what))?;
                let write = Write {
                    query,
                    ..Write::default()
                };
                client.put(call, &wanted.id, &whole, write).await
            }
        };
        pending.map_err(fail)?.wait(call).await.map_err(fail)
    }

    pub(super) fn body(&self, wanted: &Wanted) -> Result<Json, Failure> {
        let policy = &self.world.surroundings().tags;
        let body = wanted.full_body(policy);
        body.map_err(|_| {
            bug(
                wanted,
                "the body was not known when it had to be written".to_owned(),
            )
        })
        .map(|body| {
            if is_empty(&body) {
                serde_json::json!({})
            } else {
                body
            }
        })
    }
}

fn lists_of(wanted: &Wanted) -> Lists {
    Lists {
        ordered: wanted.ordered,
        shared: wanted.shared,
    }
}

fn bug(wanted: &Wanted, what: String) -> Failure {
    Failure {
        doing: Doing::Changing,
        id: wanted.id.clone(),
        argument: wanted.argument,
        cause: Cause::Bug(what),
    }
}
