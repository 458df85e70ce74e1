//! Long-running operations: how one is accepted, polled and completed.
//! Nothing runs in the background. Each request first completes what is due, so the same requests give
//! the same answers. An operation is due when its time has passed and someone saw it running twice;
//! one that nobody watches completes after a while by itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::World;
use crate::table::{self, FailedCreate, Style, Verb};

/// Refused writes after which an unwatched operation completes.
const REFUSALS: u32 = 3;
/// Polls of its URL that see an operation running.
const POLLS: u32 = 2;
/// Reads of its target that see it running, for clients that do not poll the URL.
const VIEWS: u32 = 3;

/// How it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// It went well.
    Succeeded,
    /// It failed with this error.
    Failed(ArmError),
}

/// What an operation does to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// It creates the target.
    Create,
    /// It changes the target.
    Update,
    /// It deletes the target.
    Delete,
    /// It is a POST action, done already; only its answer waits.
    Action,
}

/// One long-running operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// A GUID, the last segment of its URL.
    pub id: String,
    /// The resource it works on.
    pub target: ResourceId,
    /// What it does.
    pub work: Work,
    /// True when it answers at a `Location` URL, false for `Azure-AsyncOperation`.
    pub location: bool,
    /// The lower-case ids that it holds.
    pub locks: Vec<String>,
    /// Milliseconds since 1970 when it was accepted.
    pub started: u64,
    /// Milliseconds since 1970 before which it does not complete.
    pub ready: u64,
    /// When somebody last looked.
    touched: u64,
    /// How often its URL was polled while it ran.
    polls: u32,
    /// How often its target was read while it ran.
    #[serde(default)]
    views: u32,
    /// How many writes it made the service refuse.
    refusals: u32,
    /// False for operations of actors: they need no watching.
    watched: bool,
    /// The query of its URL, signed-looking; it must come back verbatim.
    query: String,
    /// An injected failure.
    failure: Option<ArmError>,
    /// The body of an action's result.
    result: Option<Value>,
    /// `None` while it runs.
    pub outcome: Option<Outcome>,
}

/// How long operations take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The least time of an operation.
    pub operation_time: Duration,
    /// How long an operation that nobody looks at goes on beyond that.
    pub unwatched: Duration,
}

/// What `accept` needs to know.
pub struct Accepted {
    /// The resource that it works on.
    pub target: ResourceId,
    /// What it does.
    pub work: Work,
    /// How it is answered.
    pub style: Style,
    /// The ids that it holds.
    pub locks: Vec<String>,
    /// An injected failure.
    pub failure: Option<ArmError>,
    /// The result of an action.
    pub result: Option<Value>,
    /// False for operations of actors.
    pub watched: bool,
    /// The API version of the request, for the URL.
    pub version: String,
}

/// Starts an operation and returns its id.
pub fn accept(world: &mut World, pace: &Pace, new: Accepted) -> String {
    let id = world.guid();
    let signature = world.guid().replace('-', "");
    let query = format!(
        "api-version={}&t={}&c={}&s={}%3D%3D&h={}",
        new.version,
        638_000_000_000_000_000 + world.number(),
        URL_SAFE_NO_PAD.encode(format!("{signature}{id}")),
        URL_SAFE_NO_PAD.encode(format!("{id}{signature}~")),
        URL_SAFE_NO_PAD.encode(&signature),
    );
    let operation = Operation {
        id: id.clone(),
        target: new.target,
        work: new.work,
        location: matches!(new.style, Style::Location | Style::LocationOfCreate),
        locks: new.locks,
        started: world.now,
        ready: world.now + millis(pace.operation_time),
        touched: world.now,
        polls: 0,
        views: 0,
        refusals: 0,
        watched: new.watched,
        query,
        failure: new.failure,
        result: new.result,
        outcome: None,
    };
    world.operations.insert(id.clone(), operation);
    id
}

/// The answer that tells the client where to poll.
pub fn announce(world: &World, id: &str, request: &Request, answer: Answer) -> Answer {
    let Some(operation) = world.operations.get(id) else {
        return answer;
    };
    let location = operation_region(world, &operation.target);
    let url = |segment: &str| {
        format!(
            "{}/subscriptions/{}/providers/{}/locations/{location}/{segment}/{id}?{}",
            request.base,
            operation.target.subscription(),
            operation.target.namespace(),
            operation.query,
        )
    };
    let answer = if operation.location {
        answer.header("location", url("operationResults"))
    } else {
        answer.header("azure-asyncoperation", url("operations"))
    };
    answer.retry()
}

fn operation_region(world: &World, target: &ResourceId) -> String {
    let mut at = Some(target.clone());
    while let Some(id) = at {
        if let Some(location) = world
            .get(id.as_str())
            .and_then(|resource| resource.text("/location"))
        {
            return location.to_owned();
        }
        at = id.parent();
    }
    "global".to_owned()
}

/// Answers a poll of an operation's URL.
pub fn poll(world: &mut World, id: &str, request: &Request) -> ArmResult<Answer> {
    let now = world.now;
    let missing = || {
        ArmError::new(
            404,
            "ResourceNotFound",
            format!("The operation '{id}' could not be found."),
        )
    };
    let operation = world.operations.get_mut(id).ok_or_else(missing)?;
    if operation.query != request.query {
        return Err(ArmError::bad(
            "InvalidOperationUrl",
            format!(
                "The URL of operation '{id}' was not sent back as it was given: the query is part of its signature."
            ),
        ));
    }
    let wrong_kind =
        request.path.to_lowercase().contains("/operationresults/") != operation.location;
    if wrong_kind {
        return Err(missing());
    }
    let Some(outcome) = &operation.outcome else {
        operation.polls += 1;
        operation.touched = now;
        return Ok(if operation.location {
            let back = format!("{}{}?{}", request.base, request.path, request.query);
            Answer::empty(202).header("location", back).retry()
        } else {
            Answer::json(200, json!({ "status": "InProgress" })).retry()
        });
    };
    Ok(match (outcome, operation.location) {
        (Outcome::Succeeded, false) => {
            let mut body = json!({ "status": "Succeeded" });
            if let Some(result) = &operation.result {
                body["properties"] = result.clone();
            }
            Answer::json(200, body)
        }
        (Outcome::Failed(error), false) => {
            Answer::json(200, json!({ "status": "Failed", "error": error.inner() }))
        }
        (Outcome::Failed(error), true) => Answer::from(error.clone()),
        (Outcome::Succeeded, true) => match (operation.work, &operation.result) {
            (Work::Delete, _) => Answer::empty(204),
            (Work::Action, Some(result)) => Answer::json(200, result.clone()),
            (Work::Action, None) => Answer::empty(200),
            _ => {
                let target = operation.target.clone();
                let resource = world.require(&target)?;
                Answer::json(200, world.view(resource))
            }
        },
    })
}

/// Notes that somebody read the target and saw it at work.
pub fn observe(world: &mut World, target: &ResourceId) {
    let now = world.now;
    for operation in world.operations.values_mut() {
        if operation.outcome.is_none() && operation.target.same(target.as_str()) {
            operation.views += 1;
            operation.touched = now;
        }
    }
}

/// The target of a running operation that holds one of these ids; counts the refusal.
pub fn busy(world: &mut World, locks: &[String]) -> Option<ResourceId> {
    let running = world.operations.values_mut().find(|operation| {
        operation.outcome.is_none() && operation.locks.iter().any(|held| locks.contains(held))
    })?;
    running.refusals += 1;
    Some(running.target.clone())
}

/// Completes every operation that is due. True when something changed.
pub fn sweep(world: &mut World, pace: &Pace) -> bool {
    let now = world.now;
    let mut due: Vec<(u64, String)> = world
        .operations
        .values()
        .filter(|operation| operation.outcome.is_none() && operation.due(now, pace))
        .map(|operation| (operation.ready, operation.id.clone()))
        .collect();
    due.sort();
    for (_, id) in &due {
        complete(world, id);
    }
    !due.is_empty()
}

impl Operation {
    fn due(&self, now: u64, pace: &Pace) -> bool {
        let seen = !self.watched
            || self.polls >= POLLS
            || self.views >= VIEWS
            || self.refusals >= REFUSALS;
        now >= self.ready && (seen || now >= self.touched.max(self.ready) + millis(pace.unwatched))
    }
}

fn complete(world: &mut World, id: &str) {
    let Some(operation) = world.operations.get(id).cloned() else {
        return;
    };
    let outcome = match operation.failure.clone() {
        Some(error) => Err(error),
        None => attempt(world, &operation),
    };
    if let Err(error) = &outcome {
        tracing::info!(target = %operation.target, code = %error.code, "operation failed");
        failed(world, &operation);
    }
    if let Some(operation) = world.operations.get_mut(id) {
        operation.outcome = Some(match outcome {
            Ok(()) => Outcome::Succeeded,
            Err(error) => Outcome::Failed(error),
        });
    }
}

/// Does the rest of the work on a copy, so that a failure leaves nothing half done.
fn attempt(world: &mut World, operation: &Operation) -> ArmResult<()> {
    let target = &operation.target;
    let mut draft = world.clone();
    match operation.work {
        Work::Action => {}
        Work::Delete => {
            if draft.get(target.as_str()).is_some() {
                draft.delete(target)?;
            }
        }
        Work::Create | Work::Update => {
            let Some(resource) = draft.get(target.as_str()) else {
                return Err(ArmError::conflict(
                    "OperationPreempted",
                    format!("{target} was deleted meanwhile."),
                ));
            };
            if let Some(kind) = table::find(&resource.type_name) {
                set_state(&mut draft, target, "Succeeded");
                (kind.settle)(&mut draft, target)?;
            }
        }
    }
    *world = draft;
    Ok(())
}

fn failed(world: &mut World, operation: &Operation) {
    if operation.work == Work::Action {
        return;
    }
    let target = &operation.target;
    let kind = world
        .get(target.as_str())
        .and_then(|resource| table::find(&resource.type_name));
    let vanishes = kind.is_some_and(|kind| kind.failed_create == FailedCreate::Vanishes);
    if operation.work == Work::Create && vanishes {
        world.remove(target.as_str());
    } else {
        set_state(world, target, "Failed");
    }
}

/// Sets `provisioningState` of a type that has one.
pub fn set_state(world: &mut World, id: &ResourceId, state: &str) {
    let Some(resource) = world.get_mut(id.as_str()) else {
        return;
    };
    if table::find(&resource.type_name).is_some_and(|kind| kind.creating.is_some()) {
        resource.set("/properties/provisioningState", state);
    }
}

/// The work that a verb stands for.
#[must_use]
pub fn work_of(verb: Verb, created: bool) -> Work {
    match (verb, created) {
        (Verb::Delete, _) => Work::Delete,
        (_, true) => Work::Create,
        _ => Work::Update,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
