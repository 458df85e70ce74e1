//! How a world comes to its facts: everything that is missing is read at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join_all;

use super::{Halt, World, lock};
use crate::arm::{ArmId, Error, Json};
use crate::provider::parts::seen::{Look, Missing, Question};

impl World {
    pub(super) async fn read(&self, missing: &Missing) -> Result<(), Halt> {
        if missing.reads_nothing() && missing.parts.is_empty() {
            return Err(Halt::Stuck);
        }
        // What comes within its parent is looked for there first, and by itself in the next round.
        let alone = |id: &&ArmId| {
            let carried = self.embedding.types.iter().any(|kind| id.is(kind));
            let parent = || id.parent().is_some_and(|id| missing.objects.contains(&id));
            !(carried && parent())
        };
        let objects = missing.objects.iter().filter(alone);
        let objects = join_all(objects.map(|id| self.look(id)));
        let lists = join_all(missing.lists.iter().map(|key| self.look_list(key)));
        let questions = join_all(missing.questions.iter().map(|question| self.ask(question)));
        let (objects, lists, answers) = futures::join!(objects, lists, questions);
        objects.into_iter().try_for_each(|look| look.map(drop))?;
        lists
            .into_iter()
            .chain(answers)
            .collect::<Result<(), _>>()?;
        self.wait_for(&missing.parts).await
    }

    async fn look_list(&self, key: &(ArmId, String)) -> Result<(), Error> {
        let cell = Arc::clone(lock(&self.lists).entry(key.clone()).or_default());
        let read = || async {
            let answer = self.client.list(&self.call, &key.0, &key.1).await;
            self.fact(answer, Arc::new)
        };
        cell.get_or_try_init(read).await?;
        Ok(())
    }

    async fn ask(&self, question: &Question) -> Result<(), Error> {
        let cell = Arc::clone(lock(&self.answers).entry(question.clone()).or_default());
        let ask = || async {
            match self.answer(question).await {
                Err(error) if is_unrun(question, &error) => {
                    self.refused.store(true, Ordering::Relaxed);
                    Ok(Look::Denied(Arc::new(error)))
                }
                answer => self.fact(answer, Arc::new),
            }
        };
        cell.get_or_try_init(ask).await?;
        Ok(())
    }

    /// A 404 and a 403 are facts; every other error is a failure.
    pub(super) fn fact<T, U>(
        &self,
        answer: Result<T, Error>,
        keep: impl Fn(T) -> U,
    ) -> Result<Look<U>, Error> {
        match answer {
            Ok(found) => Ok(Look::Found(keep(found))),
            Err(error) if error.is_forbidden() || (self.among_strangers && is_strange(&error)) => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(Look::Denied(Arc::new(error)))
            }
            Err(error) if error.is_not_found() => Ok(Look::Absent),
            Err(error) => Err(error),
        }
    }

    async fn answer(&self, question: &Question) -> Result<Json, Error> {
        let (client, call) = (&self.client, &self.call);
        match question {
            Question::Action { id, action, body } => {
                let body = serde_json::from_str(body).unwrap_or(Json::Null);
                client.ask(call, id, action, &body).await?.wait(call).await
            }
            Question::Command(command) => client.ask_cluster(call, command).await,
            Question::Images {
                login_server,
                references,
            } => {
                let images = client.images(call, login_server, references).await?;
                Ok(serde_json::to_value(images).unwrap_or_default())
            }
            Question::Logs {
                workspace,
                query,
                timespan,
            } => client.query_logs(call, workspace, query, timespan).await,
        }
    }
}

/// A command that Azure did not run: a cluster that is stopped refuses it, one without a node ends the
/// operation, and nothing of it says what the cluster holds.
fn is_unrun(question: &Question, error: &Error) -> bool {
    let refused = error.is_refusal() || error.is_failed_operation();
    matches!(question, Question::Command(_)) && refused
}

/// Azure does not show the subscription to the caller, or it is another tenant's.
fn is_strange(error: &Error) -> bool {
    let codes = ["SubscriptionNotFound", "InvalidAuthenticationTokenTenant"];
    codes.iter().any(|code| error.has_code(code)) && !error.is_timeout()
}
