//! Long-running operations: from "accepted" to the end, in every style that ARM has.
//!
//! Services announce an operation by `Azure-AsyncOperation` (a status document), by `Location`
//! (202 until it is done), or by `provisioningState` in the resource alone. The first is preferred
//! where both headers are there. Source: Microsoft Learn, "Track asynchronous Azure operations".

mod next;

use std::time::{Duration, Instant};

use self::next::{Next, Style, announced};
use super::answer::{self, covers, provisioning_state};
use super::azure_error::AzureError;
use super::http::Answer;
use super::poll::{End, end_of, interval};
use super::request::{Kind, Request};
use super::retry::Tries;
use super::send::Reply;
use super::{ArmId, Call, Client, Error, Json};

/// A write that Azure has accepted, and that may still be under way.
#[derive(Debug)]
#[must_use = "an accepted write may still fail: wait for it"]
pub struct Pending {
    client: Client,
    request: Request,
    next: Next,
    accepted: Json,
    since: Instant,
    tries: Tries,
}

/// The attempts at a request that is made anew for each of them.
#[derive(Debug, Default)]
pub struct Attempts(Tries);

impl Attempts {
    /// Whether one of them may have been acted on, although it did not end well.
    pub fn may_have_acted(&self) -> bool {
        self.0.lost
    }
}

impl Pending {
    /// Sends a write until Azure accepts or refuses it.
    pub(super) async fn send(
        client: &Client,
        call: &Call,
        request: Request,
    ) -> Result<Self, Error> {
        let mut pending = Self::new(client, request, Tries::default());
        pending.start(call).await?;
        Ok(pending)
    }

    fn new(client: &Client, request: Request, tries: Tries) -> Self {
        Self {
            client: client.clone(),
            next: Next::Done(Json::Null),
            accepted: Json::Null,
            since: client.0.clock.now(),
            tries,
            request,
        }
    }

    /// One attempt of a request that ages, to its end. `None` where another is worth it, after the
    /// pause before it.
    pub(super) async fn once(
        client: &Client,
        call: &Call,
        request: Request,
        attempts: &mut Attempts,
    ) -> Result<Option<Json>, Error> {
        let mut pending = Self::new(client, request, std::mem::take(&mut attempts.0));
        let end = match pending.start(call).await {
            Ok(()) => pending.end(call).await,
            Err(error) => Err(error),
        };
        attempts.0 = pending.tries;
        match end {
            Ok(end) => Ok(Some(end)),
            Err(_) if std::mem::take(&mut attempts.0.passed) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What Azure answered when it accepted the request. For most types that is the object as it
    /// begins to exist.
    pub fn accepted(&self) -> &Json {
        &self.accepted
    }

    /// Follows the operation to its end. PUT and PATCH give the final state of the object, POST the
    /// body of the final answer, DELETE `Null`. An operation that failed for a reason that passes
    /// by itself is started again.
    ///
    /// # Errors
    /// Azure's; [`Error::is_failed_operation`] for a failure after the acceptance.
    pub async fn wait(mut self, call: &Call) -> Result<Json, Error> {
        self.end(call).await
    }

    async fn end(&mut self, call: &Call) -> Result<Json, Error> {
        loop {
            let error = match self.follow(call).await {
                Ok(end) => return Ok(end),
                Err(error) => error,
            };
            let (memory, clock) = (&self.client.0.memory, &self.client.0.clock);
            let pause = match &error {
                Error::Azure(azure) if azure.operation => self
                    .tries
                    .after_error(&self.request, azure, None, memory, clock)
                    .map(|(_, pause)| pause),
                _ => None,
            };
            let Some(pause) = pause else {
                return self.reconcile(call, error).await;
            };
            tracing::debug!(%error, "the operation failed for a reason that passes: starting it again");
            call.sleep(pause)
                .await
                .map_err(|ended| ended.while_waiting(&self.waiting(None), Some(&error)))?;
            if self.request.ages {
                (self.tries.passed, self.tries.lost) = (true, true);
                return Err(error);
            }
            // Azure accepted this object once, so it may exist by now, and it is ours.
            self.request.create_only = false;
            self.start(call)
                .await
                .map_err(|ended| ended.while_waiting(&self.waiting(None), Some(&error)))?;
        }
    }

    /// Sends the request and reads from the answer how to go on.
    async fn start(&mut self, call: &Call) -> Result<(), Error> {
        let memory = &self.client.0.memory;
        let reply = loop {
            match self.client.send(call, &self.request, &mut self.tries).await {
                Ok(reply) => break reply,
                Err(error) if self.request.kind == Kind::Delete && error.is_not_found() => {
                    self.next = Next::Done(Json::Null);
                    return Ok(());
                }
                Err(error) if self.request.create_only && error.is_precondition_failed() => {
                    match self.already_made(call, error).await? {
                        Some(next) => {
                            self.next = next;
                            return Ok(());
                        }
                        // It existed, and is gone again: once more.
                        None => continue,
                    }
                }
                Err(error) => return Err(error),
            }
        };
        if let (Kind::Put, Some(id)) = (self.request.kind, &self.request.id) {
            memory.wrote(id);
        }
        self.since = self.client.0.clock.now();
        self.next = self.begin(&reply)?;
        self.accepted = reply.body;
        Ok(())
    }

    /// "Exists already" after an attempt whose answer was lost: if the object is as we wanted it,
    /// that attempt made it. `None` if nothing is there.
    async fn already_made(&self, call: &Call, error: Error) -> Result<Option<Next>, Error> {
        let (Some(id), Some(wanted)) = (&self.request.id, &self.request.body) else {
            return Err(error);
        };
        match self.client.get(call, id).await {
            Ok(found) if self.tries.lost && covers(&found, wanted) => {
                self.client.0.memory.wrote(id);
                self.client.0.memory.saw(id);
                Ok(Some(Next::Object { hint: None }))
            }
            Err(missing) if missing.is_not_found() => {
                call.sleep(Duration::from_millis(500))
                    .await
                    .map_err(|e| e.while_waiting(&self.waiting(None), Some(&error)))?;
                Ok(None)
            }
            Ok(_) => Err(error),
            Err(ended) => Err(ended.while_waiting(&self.waiting(None), Some(&error))),
        }
    }

    /// The same for services that look at the condition only when the operation runs.
    async fn reconcile(&mut self, call: &Call, error: Error) -> Result<Json, Error> {
        let ours = self.request.create_only && error.is_precondition_failed() && self.tries.lost;
        if ours && let Some(next) = self.already_made(call, error.clone()).await? {
            self.next = next;
            return self.follow(call).await;
        }
        Err(error)
    }

    /// How to go on after the first answer.
    fn begin(&self, reply: &Reply) -> Result<Next, Error> {
        let Reply { answer, body } = reply;
        let hint = answer.retry_after();
        if let Some(next) = announced(self.client.cloud(), &self.request, answer, None) {
            return Ok(next);
        }
        match provisioning_state(body).map(end_of) {
            // A PATCH may leave an older failure standing, which is not its own.
            Some(End::Failed) if self.request.kind == Kind::Put => {
                Err(self.failed(answer, body, provisioning_state(body)))
            }
            Some(End::Running) if !matches!(self.request.kind, Kind::Post { .. }) => {
                Ok(Next::Object { hint })
            }
            _ if answer.status == 202 && !matches!(self.request.kind, Kind::Post { .. }) => {
                Ok(Next::Object { hint })
            }
            _ => Ok(Next::Done(body.clone())),
        }
    }

    /// Asks until the operation has ended.
    async fn follow(&mut self, call: &Call) -> Result<Json, Error> {
        let mut state = None;
        loop {
            match self.next.clone() {
                Next::Done(body) => return self.finish(call, body).await,
                Next::Object { hint } => return self.settle(call, hint).await,
                Next::Poll { style, path, hint } => {
                    self.pause(call, hint, state.as_deref()).await?;
                    let request = self.request.follow(path);
                    match self
                        .client
                        .send(call, &request, &mut Tries::default())
                        .await
                    {
                        Ok(reply) => state = self.read(style, &reply)?,
                        Err(error) => self.unreadable(
                            error.about_waiting(&self.waiting(state.as_deref())),
                            hint,
                        )?,
                    }
                }
            }
        }
    }

    /// Reads a poll's answer: the state to wait on in, or with `self.next` set to the end.
    fn read(&mut self, style: Style, reply: &Reply) -> Result<Option<String>, Error> {
        let Reply { answer, body } = reply;
        let hint = answer.retry_after();
        let status = answer::get(body, "status").and_then(Json::as_str);
        let state = match style {
            Style::AsyncOperation => status.or_else(|| provisioning_state(body)),
            // The body of an action's result may be anything, so only a failure counts in it.
            Style::Location if matches!(self.request.kind, Kind::Post { .. }) => {
                status.filter(|s| end_of(s) == End::Failed && answer::error_in(body).is_some())
            }
            Style::Location => provisioning_state(body).or(status),
        };
        let running = match state.map(end_of) {
            Some(End::Failed) => return Err(self.failed(answer, body, state)),
            Some(End::Running) => true,
            Some(End::Succeeded) => false,
            None => answer.status == 202,
        };
        if running || (style == Style::Location && answer.status == 202) {
            let moved = announced(self.client.cloud(), &self.request, answer, Some(style));
            if let (Next::Poll { hint: old, .. }, None) = (&mut self.next, &moved) {
                *old = hint;
            }
            self.next = moved.unwrap_or_else(|| self.next.clone());
            return Ok(Some(state.unwrap_or("running").to_owned()));
        }
        self.next = match (style, self.request.kind) {
            // The status document is no object; for an action it may hold the result.
            (Style::AsyncOperation, Kind::Post { .. }) => {
                Next::Done(answer::get(body, "properties").cloned().unwrap_or_default())
            }
            (Style::AsyncOperation, _) => Next::Done(Json::Null),
            (Style::Location, _) => Next::Done(body.clone()),
        };
        Ok(None)
    }

    /// What to make of an operation that cannot be asked.
    fn unreadable(&mut self, error: Error, hint: Option<Duration>) -> Result<(), Error> {
        let Error::Azure(mut azure) = error else {
            return Err(error);
        };
        let is_action = matches!(self.request.kind, Kind::Post { .. });
        match azure.status {
            // Not visible yet in the region that answered, as go-azure-sdk takes it too. If it
            // stays so, the object itself knows.
            404 if self.request.kind != Kind::Delete
                && self.elapsed() < Duration::from_secs(30) => {}
            404 | 403 if !is_action => self.next = Next::Object { hint },
            // Another 4xx is the operation's own end.
            400..=499 if !matches!(azure.status, 401 | 403 | 404 | 408 | 429) => {
                azure.operation = true;
                azure.method = self.request.method().to_string();
                return Err(Error::Azure(azure));
            }
            _ => return Err(Error::Azure(azure)),
        }
        Ok(())
    }

    /// The end of a successful operation.
    async fn finish(&self, call: &Call, body: Json) -> Result<Json, Error> {
        match (self.request.kind, &self.request.id) {
            (Kind::Delete, Some(id)) => {
                self.client.0.memory.deleted(id);
                Ok(Json::Null)
            }
            (Kind::Put | Kind::Patch, Some(id)) => {
                let carried = body["id"]
                    .as_str()
                    .and_then(|text| ArmId::parse(text).ok())
                    .is_some_and(|found| found == *id);
                let ended =
                    provisioning_state(&body).is_none_or(|state| end_of(state) != End::Running);
                if carried && ended {
                    Ok(body)
                } else {
                    self.settle(call, None).await
                }
            }
            _ => Ok(body),
        }
    }

    /// Reads the object until it is at rest, or until it is gone.
    async fn settle(&self, call: &Call, mut hint: Option<Duration>) -> Result<Json, Error> {
        let Some(id) = &self.request.id else {
            return Ok(Json::Null);
        };
        // Without an address to ask, nothing can have ended yet; after one, most likely all has.
        let mut look_first = matches!(self.next, Next::Done(_));
        let mut state: Option<String> = None;
        loop {
            if !std::mem::take(&mut look_first) {
                self.pause(call, hint, state.as_deref()).await?;
            }
            let found = self.client.get(call, id).await;
            let found = found.map_err(|error| error.about_waiting(&self.waiting(state.as_deref())));
            if self.request.kind == Kind::Delete {
                match found {
                    Err(error) if error.is_not_found() => {
                        self.client.0.memory.deleted(id);
                        return Ok(Json::Null);
                    }
                    Err(error) => return Err(error),
                    Ok(body) => {
                        let now = provisioning_state(&body)
                            .unwrap_or("still there")
                            .to_owned();
                        if end_of(&now) == End::Failed && self.elapsed() > Duration::from_secs(10) {
                            return Err(self.failed_state(&body, &now));
                        }
                        state = Some(now);
                    }
                }
            } else {
                let body = found?;
                match provisioning_state(&body).map(|s| (end_of(s), s.to_owned())) {
                    Some((End::Running, now)) => state = Some(now),
                    // An operation that succeeded leaves no failure of its own behind.
                    Some((End::Failed, now)) if !matches!(self.next, Next::Done(_)) => {
                        return Err(self.failed_state(&body, &now));
                    }
                    _ => return Ok(body),
                }
            }
            hint = None;
        }
    }

    fn failed(&self, answer: &Answer, body: &Json, state: Option<&str>) -> Error {
        let mut error = answer::error_in(body).unwrap_or_else(|| AzureError {
            message: format!("Azure reports the state {}", state.unwrap_or("Failed")),
            ..AzureError::default()
        });
        error.code = error.code.or_else(|| state.map(str::to_owned));
        error.method = self.request.method().to_string();
        error.about.clone_from(&self.request.about);
        error.status = answer.status;
        error.request_id = answer.header("x-ms-request-id").map(str::to_owned);
        error.correlation_id = answer
            .header("x-ms-correlation-request-id")
            .map(str::to_owned);
        error.operation = true;
        error.into()
    }

    fn failed_state(&self, body: &Json, state: &str) -> Error {
        let answer = Answer {
            status: 200,
            headers: Default::default(),
            body: Vec::new(),
        };
        self.failed(&answer, body, Some(state))
    }

    /// Waits before the next question. Early questions find short operations soon; the wait grows
    /// with the age of the operation, so that none is seen more than a quarter too late, up to
    /// what Azure suggests or ten seconds. On an accepted operation `Retry-After` is only a
    /// suggestion; on 429 the sender keeps to it.
    async fn pause(
        &self,
        call: &Call,
        hint: Option<Duration>,
        state: Option<&str>,
    ) -> Result<(), Error> {
        let left = self
            .client
            .0
            .throttle
            .left(&self.request.follow(String::new()).lane());
        call.sleep(interval(self.elapsed(), hint, left))
            .await
            .map_err(|ended| ended.while_waiting(&self.waiting(state), None))
    }

    fn elapsed(&self) -> Duration {
        self.client.0.clock.since(self.since)
    }

    fn waiting(&self, state: Option<&str>) -> String {
        let Request { about, .. } = &self.request;
        let state = state
            .map(|state| format!(" (its state is {state})"))
            .unwrap_or_default();
        format!("{} {about} to finish{state}", self.request.method())
    }
}
