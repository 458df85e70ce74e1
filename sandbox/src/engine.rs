//! One request from its arrival to its answer: faults, latency, the token, Resource Manager or the
//! login endpoints, actors, then the log and the recording. The world is behind one lock, which is
//! never held while waiting.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;
use uuid::Uuid;

use crate::bodies;
use crate::control;
use crate::control::actors::{Actors, Deed, Pending};
use crate::control::faults::{Effect, Faults};
use crate::control::log::{Entry, Log};
use crate::errors::ArmError;
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::operations::{self, Pace};
use crate::record::{self, Recorder};
use crate::resources::Context;
use crate::settings::{Options, Settings};
use crate::store::{Registration, World};
use crate::types::operational_insights::query;
use crate::{arm, auth, login, persist, plane, table, types};

/// Everything behind the lock.
pub struct Inner {
    /// The world.
    pub world: World,
    /// Faults of the remote control.
    pub faults: Faults,
    /// Actors of the remote control.
    pub actors: Actors,
    /// The request log.
    pub log: Log,
    /// What can change while it runs.
    pub settings: Settings,
    arrived: u64,
    arm_requests: u64,
    saved: Vec<u8>,
}

/// The sandbox without its sockets.
pub struct Engine {
    inner: Mutex<Inner>,
    state: Option<PathBuf>,
    recorder: Option<Recorder>,
    started: Instant,
}

impl Engine {
    /// Makes the engine, with the world of the state file if there is one.
    ///
    /// # Errors
    /// The state file or the folder of recordings cannot be used.
    pub fn new(options: &Options) -> std::io::Result<Self> {
        let world = match &options.state {
            Some(path) => persist::load(path)?,
            None => None,
        };
        let world = world.or_else(|| options.world.clone());
        let mut world = world.unwrap_or_else(|| fresh(options));
        for subscription in &options.subscriptions {
            if !world.subscriptions.contains(subscription) {
                world.subscriptions.push(subscription.clone());
            }
        }
        let recorder = options.record.as_deref().map(Recorder::new).transpose()?;
        let inner = Inner {
            world,
            faults: Faults::default(),
            actors: Actors::default(),
            log: Log::default(),
            settings: options.settings.clone(),
            arrived: 0,
            arm_requests: 0,
            saved: Vec::new(),
        };
        Ok(Self {
            inner: Mutex::new(inner),
            state: options.state.clone(),
            recorder,
            started: Instant::now(),
        })
    }

    /// Handles a request. `None`: the connection is to be closed without an answer.
    pub async fn handle(&self, request: Request) -> Option<Answer> {
        if request.path.starts_with("/_sandbox") {
            let mut inner = self.lock();
            inner.tick();
            let answer = control::handle(&mut inner, &request);
            self.save(&mut inner);
            return Some(answer);
        }
        let started_us = self.micros();
        let (number, fault, latency, arm) = {
            let mut inner = self.lock();
            inner.arrived += 1;
            let arm = plane::login_server(&request).is_none() && !is_login(&request.path);
            let latency = if arm { inner.settings.latency_ms } else { 0 };
            (inner.arrived, inner.faults.hit(&request, arm), latency, arm)
        };
        let effect = fault.as_ref().map(|(_, effect)| effect.clone());
        let delay = match &effect {
            Some(Effect::Delay { ms }) => latency + ms,
            _ => latency,
        };
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let answer = match &effect {
            Some(Effect::DropConnection) => None,
            Some(effect @ Effect::Answer { .. }) => {
                let answer = effect.answer();
                if let (Some(answer), true) = (&answer, arm) {
                    let inner = &mut *self.lock();
                    let (number, now) = (inner.arm_requests, inner.world.now);
                    inner.actors.wake(&request, answer.status, number, now);
                }
                answer
            }
            other => self.process(&request, arm, other.as_ref().and_then(Effect::failure)),
        };
        let sent = answer.filter(|_| !matches!(effect, Some(Effect::LostAnswer)));
        self.finish(
            number,
            &request,
            arm,
            started_us,
            fault.map(|(id, _)| id),
            sent,
        )
    }

    /// The world as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        let mut inner = self.lock();
        inner.tick();
        inner.world.clone()
    }

    /// Handles a request of the remote control without a socket.
    #[must_use]
    pub fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: body
                .map(|body| Bytes::from(body.to_string()))
                .unwrap_or_default(),
            base: String::new(),
            place: None,
        };
        let mut inner = self.lock();
        inner.tick();
        let answer = control::handle(&mut inner, &request);
        self.save(&mut inner);
        answer
    }

    /// `None`: no connection comes about.
    fn process(&self, request: &Request, arm: bool, failure: Option<ArmError>) -> Option<Answer> {
        let mut inner = self.lock();
        inner.arm_requests += u64::from(arm);
        inner.tick();
        let inner = &mut *inner;
        if let Some(host) = plane::login_server(request) {
            let answer = plane::handle(&mut inner.world, request, host);
            self.save(inner);
            return answer;
        }
        if query::is_for(request) {
            return Some(query::handle(&inner.world, request));
        }
        if !arm {
            let found = login::handle(&inner.world, request, inner.settings.token_lifetime);
            return Some(found.unwrap_or_else(|| {
                Answer::from(ArmError::new(404, "NotFound", "There is no such page."))
            }));
        }
        if let Err(answer) = auth::check(&inner.world, request) {
            return Some(answer);
        }
        let context = inner.settings.context(request, failure, true);
        let answer = arm::handle(&mut inner.world, &context);
        let (number, now) = (inner.arm_requests, inner.world.now);
        inner.actors.wake(request, answer.status, number, now);
        self.save(inner);
        Some(answer)
    }

    /// Adds the headers of every answer, writes log and recording.
    fn finish(
        &self,
        number: u64,
        request: &Request,
        arm: bool,
        started_us: u64,
        fault: Option<u64>,
        answer: Option<Answer>,
    ) -> Option<Answer> {
        let request_id = Uuid::new_v4().to_string();
        let retry = self.lock().settings.retry_after;
        let answer = answer.map(|answer| dressed(answer, request, arm, &request_id, retry));
        let text = |name: &str| request.header(name).map(ToOwned::to_owned);
        let code = answer.as_ref().and_then(|answer| {
            let body = answer.body.as_ref().filter(|_| answer.status >= 400)?;
            let code = body.pointer("/error/code").or_else(|| body.get("code"))?;
            code.as_str().map(ToOwned::to_owned)
        });
        let entry = Entry {
            number,
            kind: match (plane::login_server(request), arm, query::is_for(request)) {
                (Some(_), ..) => "registry",
                (None, true, _) => "arm",
                (None, _, true) => "logs",
                _ => "login",
            },
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            api_version: request.api_version(),
            status: answer.as_ref().map_or(0, |answer| answer.status),
            code,
            client_request_id: text("x-ms-client-request-id"),
            correlation_request_id: text("x-ms-correlation-request-id"),
            request_id,
            user_agent: text("user-agent"),
            body: if arm || query::is_for(request) {
                serde_json::from_slice(&request.body)
                    .ok()
                    .map(|body| record::redacted(&body))
            } else {
                None
            },
            started_us,
            ended_us: self.micros(),
            fault,
        };
        self.lock().log.add(entry);
        if let (Some(recorder), Some(answer)) = (&self.recorder, &answer) {
            recorder.write(
                number,
                request,
                answer.status,
                &answer.headers,
                answer.body.as_ref(),
            );
        }
        answer
    }

    /// Saves the world when it changed since the last time.
    fn save(&self, inner: &mut Inner) {
        let Some(path) = &self.state else { return };
        match persist::bytes(&inner.world) {
            Ok(bytes) if bytes == inner.saved => {}
            Ok(bytes) => match persist::save(path, &bytes) {
                Ok(()) => inner.saved = bytes,
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "cannot save the state");
                }
            },
            Err(error) => tracing::error!(%error, "cannot write the state"),
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A handler that panicked worked on a copy, so the world behind a poisoned lock is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Lets time pass: operations complete, actors act.
    fn tick(&mut self) {
        self.world.now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        self.world.roles = self.settings.role_pace();
        self.world.caller_not_actions = self.settings.caller_not_actions.clone();
        let pace = self.settings.pace();
        operations::sweep(&mut self.world, &pace);
        for pending in self.actors.due(self.arm_requests, self.world.now) {
            if let Err(error) = self.act(&pending) {
                self.actors.refused(pending, error);
            }
        }
    }

    fn act(&mut self, pending: &Pending) -> Result<(), String> {
        match &pending.deed {
            Deed::Request { method, path, body } => {
                let (path, query) = path.split_once('?').unwrap_or((path, ""));
                let mut request = Request {
                    method: method.to_uppercase(),
                    path: path.to_owned(),
                    query: query.to_owned(),
                    headers: HeaderMap::new(),
                    body: if body.is_null() {
                        Bytes::new()
                    } else {
                        Bytes::from(body.to_string())
                    },
                    base: String::new(),
                    place: None,
                };
                if request.api_version().is_none() {
                    let newest = ResourceId::parse(path)
                        .and_then(|id| table::find(&id.type_name()))
                        .and_then(|kind| kind.versions.last());
                    request.query = format!("api-version={}", newest.copied().unwrap_or_default());
                }
                let context = self.settings.context(&request, None, false);
                let answer = arm::handle(&mut self.world, &context);
                if answer.status < 300 {
                    Ok(())
                } else {
                    Err(answer.body.unwrap_or_default().to_string())
                }
            }
            Deed::Edit { id, patch } => {
                let resource = self
                    .world
                    .get_mut(id)
                    .ok_or_else(|| format!("{id} does not exist"))?;
                bodies::merge(&mut resource.body, patch.clone());
                Ok(())
            }
            Deed::Run { name, args } => {
                let id = ResourceId::parse(&pending.target)
                    .ok_or("the waking request has no resource")?;
                let (_, run) = types::DEEDS
                    .iter()
                    .find(|(known, _)| known == name)
                    .ok_or("there is no such deed")?;
                let mut draft = self.world.clone();
                run(&mut draft, &id, args).map_err(|error| error.to_string())?;
                self.world = draft;
                Ok(())
            }
        }
    }

    /// Completes every running operation now.
    pub fn complete_all(&mut self) {
        for operation in self.world.operations.values_mut() {
            operation.ready = 0;
        }
        let pace = Pace {
            operation_time: Duration::ZERO,
            unwatched: Duration::ZERO,
        };
        operations::sweep(&mut self.world, &pace);
    }

    /// Back to the start: no resources, faults, actors or log. Settings and tokens stay.
    pub fn reset(&mut self) {
        self.world.clear();
        self.faults.clear();
        self.actors.clear();
        self.log.clear();
    }
}

impl Settings {
    fn context<'a>(
        &self,
        request: &'a Request,
        failure: Option<ArmError>,
        watched: bool,
    ) -> Context<'a> {
        Context {
            request,
            pace: self.pace(),
            eventual_consistency: self.eventual_consistency,
            page_size: self.page_size,
            failure,
            watched,
        }
    }
}

fn fresh(options: &Options) -> World {
    let mut world = World::new(&options.tenant, &options.subscriptions, Uuid::new_v4());
    for subscription in &options.subscriptions {
        for namespace in &options.unregistered {
            world.registrations.insert(
                format!("{subscription}/{namespace}").to_lowercase(),
                Registration::NotRegistered,
            );
        }
    }
    world
}

/// Everything that is not Resource Manager's: metadata, discovery, tokens.
fn is_login(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next().unwrap_or_default().to_lowercase();
    !matches!(first.as_str(), "subscriptions" | "providers" | "tenants")
}

fn dressed(
    answer: Answer,
    request: &Request,
    arm: bool,
    request_id: &str,
    retry: Option<u32>,
) -> Answer {
    let mut answer = answer;
    let correlation = request
        .header("x-ms-correlation-request-id")
        .unwrap_or(request_id)
        .to_owned();
    if answer.retry_after
        && let Some(seconds) = retry
    {
        answer = answer.header("retry-after", seconds.to_string());
    }
    answer = answer
        .header("cache-control", "no-cache")
        .header("x-ms-request-id", request_id);
    if !arm {
        return answer;
    }
    if request
        .header("x-ms-return-client-request-id")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        && let Some(id) = request.header("x-ms-client-request-id")
    {
        answer = answer.header("x-ms-client-request-id", id);
    }
    let remaining = match request.method.as_str() {
        "GET" | "HEAD" => ("reads", "249"),
        "DELETE" => ("deletes", "199"),
        _ => ("writes", "199"),
    };
    answer
        .header("x-ms-correlation-request-id", correlation)
        .header("x-ms-routing-request-id", format!("SANDBOX:{request_id}"))
        .header(
            &format!("x-ms-ratelimit-remaining-subscription-{}", remaining.0),
            remaining.1,
        )
        .header(
            &format!(
                "x-ms-ratelimit-remaining-subscription-global-{}",
                remaining.0
            ),
            "3749",
        )
        .header(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        )
        .header("x-content-type-options", "nosniff")
}
