//! Actors: others who act later. A policy attaches a zone group some requests after an endpoint was
//! made, an approver approves a connection. What an actor does is an ARM request of its own, a raw
//! change of a stored resource, or one of the named deeds of `types::DEEDS`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::faults::Selector;
use crate::exchange::Request;

/// How often a deed that is refused is tried again, once for each further request.
const ATTEMPTS: u32 = 50;

/// One actor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Actor {
    /// Given by the sandbox.
    #[serde(default)]
    pub id: u64,
    /// The requests that wake it, once they are answered with 2xx.
    pub on: Selector,
    /// The status of the answer that wakes it, where that is none of 2xx: a fault's, for example.
    #[serde(default)]
    pub answered: Option<u16>,
    /// How many ARM requests later it acts.
    #[serde(default)]
    pub after_requests: u64,
    /// How many milliseconds later it acts.
    #[serde(default)]
    pub after_ms: u64,
    /// How often it wakes; `null` for always.
    #[serde(default = "once")]
    pub count: Option<u32>,
    /// What it does. `{id}`, `{name}`, `{group}`, `{subscription}` stand for parts of the waking request's path.
    #[serde(rename = "do")]
    pub deed: Deed,
    /// How often it woke.
    #[serde(default)]
    pub woke: u32,
}

#[allow(clippy::unnecessary_wraps)] // serde wants the type of the field
fn once() -> Option<u32> {
    Some(1)
}

/// What an actor does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// An ARM request, with all checks; its operation needs no watching.
    #[serde(rename_all = "camelCase")]
    Request {
        /// `PUT`, `DELETE`...
        method: String,
        /// The path with its query; the api-version may be left out.
        path: String,
        /// The body.
        #[serde(default)]
        body: Value,
    },
    /// A merge patch of a stored resource, past all checks.
    Edit {
        /// The resource.
        id: String,
        /// The patch of the whole body (RFC 7396).
        patch: Value,
    },
    /// A named deed on the resource of the waking request.
    Run {
        /// Its name, such as `approve`.
        name: String,
        /// Its arguments.
        #[serde(default)]
        args: Value,
    },
}

/// A deed that waits for its time.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The actor.
    pub actor: u64,
    /// The number of the ARM request from which it may act.
    pub from_request: u64,
    /// The time from which it may act, in milliseconds since 1970.
    pub from_ms: u64,
    /// The resource of the waking request.
    pub target: String,
    /// What it does, its placeholders replaced.
    pub deed: Deed,
    /// How often it was refused.
    pub attempts: u32,
    /// The last refusal.
    pub last_error: Option<String>,
}

/// All actors and what waits.
#[derive(Debug, Default)]
pub struct Actors {
    list: Vec<Actor>,
    pending: Vec<Pending>,
    given_up: Vec<Pending>,
    last: u64,
}

impl Actors {
    /// Adds an actor and returns its id.
    ///
    /// # Errors
    /// The selector is not understood, or the deed has no such name.
    pub fn add(&mut self, mut actor: Actor) -> Result<u64, String> {
        actor.on.validate()?;
        if let Deed::Run { name, .. } = &actor.deed
            && !crate::types::DEEDS.iter().any(|(known, _)| known == name)
        {
            return Err(format!("there is no deed '{name}'"));
        }
        self.last += 1;
        (actor.id, actor.woke) = (self.last, 0);
        self.list.push(actor);
        Ok(self.last)
    }

    /// Actors, deeds that wait, and deeds that were refused too often.
    #[must_use]
    pub fn list(&self) -> Value {
        json!({ "value": self.list, "pending": self.pending, "givenUp": self.given_up })
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self {
            last: self.last,
            ..Self::default()
        };
    }

    /// Wakes the actors that look for this request and the status of its answer.
    pub fn wake(&mut self, request: &Request, status: u16, number: u64, now: u64) {
        for actor in &mut self.list {
            let left = actor.count.is_none_or(|count| actor.woke < count);
            let answered = actor
                .answered
                .map_or((200..300).contains(&status), |wanted| wanted == status);
            if !left || !answered || !actor.on.matches(request, true) {
                continue;
            }
            actor.woke += 1;
            self.pending.push(Pending {
                actor: actor.id,
                from_request: number + 1 + actor.after_requests,
                from_ms: now + actor.after_ms,
                target: request.path.clone(),
                deed: filled(&actor.deed, &request.path),
                attempts: 0,
                last_error: None,
            });
        }
    }

    /// Takes the deeds whose time has come.
    pub fn due(&mut self, number: u64, now: u64) -> Vec<Pending> {
        let (due, later) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| number >= pending.from_request && now >= pending.from_ms);
        self.pending = later;
        due
    }

    /// Puts back a deed that was refused.
    pub fn refused(&mut self, mut pending: Pending, error: String) {
        pending.attempts += 1;
        pending.last_error = Some(error);
        if pending.attempts < ATTEMPTS {
            self.pending.push(pending);
        } else {
            self.given_up.push(pending);
        }
    }
}

/// The deed with its placeholders replaced by parts of the path.
fn filled(deed: &Deed, path: &str) -> Deed {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let part = |at: usize| segments.get(at).copied().unwrap_or_default();
    let fill = |text: &str| {
        text.replace("{id}", path)
            .replace("{name}", segments.last().copied().unwrap_or_default())
            .replace("{group}", part(3))
            .replace("{subscription}", part(1))
    };
    match deed {
        Deed::Request { method, path, body } => Deed::Request {
            method: method.clone(),
            path: fill(path),
            body: each_text(body, &fill),
        },
        Deed::Edit { id, patch } => Deed::Edit {
            id: fill(id),
            patch: each_text(patch, &fill),
        },
        Deed::Run { name, args } => Deed::Run {
            name: name.clone(),
            args: each_text(args, &fill),
        },
    }
}

fn each_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| each_text(item, change)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), each_text(value, change)))
            .collect(),
        other => other.clone(),
    }
}
