//! What a part does that is no writing of an object of its own: an action (POST), or a change of an
//! object that is someone else's, such as one more address on a registry's firewall.
//!
//! A part says what remains to be done, one request at a time; the engine sends it, reads again
//! what the decision was made of, and asks once more, until nothing remains. So a deed that was
//! interrupted, or whose answer was lost, is decided anew over what Azure shows now.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::arm::{ArmId, Json};

/// One request that remains to be made.
pub struct Deed {
    /// The object that it is about.
    pub id: ArmId,
    /// What is sent.
    pub request: Request,
    /// The argument that an error of it is about.
    pub argument: &'static str,
    /// What is noted, and under which name, once the request may have reached Azure.
    pub note: Option<(&'static str, Json)>,
    /// The name under which Azure's last answer is noted, where it is needed later.
    pub answer: Option<&'static str>,
    /// Whether doing it twice is the same as once, so that it is sent again when its answer is lost.
    pub repeatable: bool,
}

/// What a deed sends.
#[allow(dead_code, reason = "resources that are being written use it")]
pub enum Request {
    /// A PATCH with this body.
    Patch(Json),
    /// A PUT of this body, which may hold secrets; the object is not owned by it.
    Put(Json),
    /// An action with this body; `Null` for none.
    Post(String, Json),
    /// Nothing: it may not be done, for this reason.
    Refuse(Refusal),
}

/// Why something may not be done, by the facts of now.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// In a few words.
    pub why: String,
    /// What shows it, a line each.
    pub evidence: Vec<String>,
    /// The way out.
    pub fix: String,
}

#[allow(dead_code, reason = "resources that are being written use it")]
impl Deed {
    /// A PATCH of that object.
    #[must_use]
    pub fn patch(id: ArmId, body: Json) -> Self {
        Self::new(id, Request::Patch(body))
    }

    /// A PUT of that object.
    #[must_use]
    pub fn put(id: ArmId, body: Json) -> Self {
        Self::new(id, Request::Put(body))
    }

    /// An action of that object.
    #[must_use]
    pub fn post(id: ArmId, action: impl Into<String>, body: Json) -> Self {
        Self::new(id, Request::Post(action.into(), body))
    }

    /// Nothing is sent, and the apply fails for this reason.
    #[must_use]
    pub fn refused(id: ArmId, refusal: Refusal) -> Self {
        Self::new(id, Request::Refuse(refusal))
    }

    fn new(id: ArmId, request: Request) -> Self {
        Self {
            id,
            request,
            argument: "",
            note: None,
            answer: None,
            repeatable: false,
        }
    }

    /// Errors of it are about that argument.
    #[must_use]
    pub fn argument(mut self, argument: &'static str) -> Self {
        self.argument = argument;
        self
    }

    /// This is noted under that name once the request may have reached Azure.
    #[must_use]
    pub fn noting(mut self, name: &'static str, what: Json) -> Self {
        self.note = Some((name, what));
        self
    }

    /// Doing it twice is the same as once.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Azure's last answer is noted under that name.
    #[must_use]
    pub fn answering(mut self, name: &'static str) -> Self {
        self.answer = Some(name);
        self
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Request::Patch(_) => write!(f, "PATCH {}", self.id),
            Request::Put(_) => write!(f, "PUT {}", self.id),
            Request::Post(action, _) => write!(f, "POST {}/{action}", self.id),
            Request::Refuse(refusal) => write!(f, "{}: {}", self.id, refusal.why),
        }
    }
}

/// What was noted of the deeds of one operation, in the order of their doing. May hold secrets, so
/// it has no debug output; it goes with the operation.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

type Noted = BTreeMap<&'static str, Vec<Json>>;

impl Notes {
    /// Notes something.
    pub fn note(&self, name: &'static str, what: Json) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.entry(name).or_default().push(what);
    }

    /// Everything that was noted so far.
    pub fn all(&self) -> Hidden {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Hidden(notes.clone())
    }
}

/// Notes as a decision sees them: kept out of debug output.
#[derive(Clone, Default)]
pub struct Hidden(Noted);

impl Hidden {
    /// What was noted under that name, first things first.
    pub fn of(&self, name: &str) -> &[Json] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds a note, for tests.
    #[cfg(test)]
    pub(super) fn add(&mut self, name: &'static str, what: Json) {
        self.0.entry(name).or_default().push(what);
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
