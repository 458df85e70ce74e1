//! What a part does that is no writing of an object of its own: an action (POST), or a change of an
//! object that is someone else's, such as one more address on a registry's firewall.
//!
//! A part says what remains to be done, one request at a time; the engine sends it, reads again
//! what the decision was made of, and asks once more, until nothing remains. So a deed that was
//! interrupted, or whose answer was lost, is decided anew over what Azure shows now.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::arm::{ArmId, Command, Error, Json, Secret};
use crate::provider::failure::Doing;

/// One request that remains to be made.
pub struct Deed {
    /// The object that it is about.
    pub id: ArmId,
    /// What is sent.
    pub request: Request,
    /// The argument that an error of it is about.
    pub argument: &'static str,
    /// What an error says was being done, where that is nothing that is done to the object itself.
    pub doing: Option<Doing>,
    /// What is noted, and under which name, once the request may have reached Azure.
    pub note: Option<(&'static str, Json)>,
    /// The name under which Azure's last answer is noted, where it is needed later.
    pub answer: Option<&'static str>,
    /// What is noted, and under which name, once it has been done.
    pub done: Option<Note>,
    /// The error that means that it needs no doing, and what is noted then.
    pub needless: Option<(Needless, Note)>,
    /// Whether doing it twice is the same as once, so that it is sent again when its answer is lost.
    pub repeatable: bool,
    /// Whether the body of a PATCH holds what others have written too.
    pub beside_others: bool,
}

/// Whether an error means that a deed needs no doing.
pub type Needless = fn(&Error) -> bool;

/// Something to be noted, and its name.
pub type Note = (&'static str, Json);

/// What a deed sends.
pub enum Request {
    /// A PATCH with this body.
    Patch(Json),
    /// A PUT of this body, which may hold secrets; the object is not owned by it.
    Put(Json),
    /// An action with this body; `Null` for none.
    Post(String, Json),
    /// A command in a cluster, with the zip file in base64 that is unpacked beside it. Done twice it is
    /// the same as once.
    Run(Command, Secret),
    /// Nothing: it may not be done, for this reason.
    Refuse(Refusal),
    /// The deletion of `repository:tag`, or of the manifest `repository@digest` unless it has tags, in
    /// the data plane of the registry with this login server.
    DeleteImage(String, String),
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

    /// The deletion of an image in the registry with that id and login server.
    #[must_use]
    pub fn delete_image(id: ArmId, login_server: &str, reference: &str) -> Self {
        let request = Request::DeleteImage(login_server.to_owned(), reference.to_owned());
        let mut deed = Self::new(id, request);
        deed.doing = Some(Doing::DeletingImage);
        deed
    }

    /// An import of an image (`importImage`) into the registry with that id. Done twice it is the same
    /// as once.
    #[must_use]
    pub fn import_image(id: ArmId, body: Json) -> Self {
        let mut deed = Self::post(id, "importImage", body);
        deed.doing = Some(Doing::ImportingImage);
        deed.repeatable = true;
        deed
    }

    /// A command in a cluster.
    #[must_use]
    pub fn run(command: Command, context: Secret) -> Self {
        let mut deed = Self::new(command.cluster.clone(), Request::Run(command, context));
        deed.doing = Some(Doing::RunningCommand);
        deed
    }

    fn new(id: ArmId, request: Request) -> Self {
        Self {
            id,
            request,
            argument: "",
            doing: None,
            note: None,
            answer: None,
            done: None,
            needless: None,
            repeatable: false,
            beside_others: false,
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

    /// The body of the PATCH holds what others have written too, and Azure has no condition for it. So it
    /// is decided anew instead of being sent again, and what came of it is read: another may have
    /// written over it.
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.beside_others = true;
        self
    }

    /// This is noted under that name once it has been done.
    #[must_use]
    pub fn done(mut self, name: &'static str, what: Json) -> Self {
        self.done = Some((name, what));
        self
    }

    /// Such an error means that it needs no doing, and this is noted under that name.
    #[must_use]
    pub fn needless(mut self, when: fn(&Error) -> bool, name: &'static str, what: Json) -> Self {
        self.needless = Some((when, (name, what)));
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
            Request::Run(command, _) => write!(f, "POST {}/runCommand", command.cluster),
            Request::DeleteImage(host, reference) => write!(f, "DELETE {reference} of {host}"),
        }
    }
}

/// What was noted of the deeds of one operation, in the order of their doing. May hold secrets, so
/// it has no debug output; it goes with the operation.
#[derive(Clone, Default)]
pub struct Notes {
    noted: Arc<Mutex<Noted>>,
    answered: Arc<Mutex<Noted>>,
}

type Noted = BTreeMap<&'static str, Vec<Json>>;

impl Notes {
    /// Notes something.
    pub fn note(&self, name: &'static str, what: Json) {
        lock(&self.noted).entry(name).or_default().push(what);
    }

    /// Notes what Azure answered.
    pub fn answer(&self, name: &'static str, what: Json) {
        lock(&self.answered).entry(name).or_default().push(what);
    }

    /// The notes without Azure's answers, which a later reading will not know either.
    #[must_use]
    pub fn without_answers(&self) -> Self {
        Self {
            noted: Arc::clone(&self.noted),
            answered: Arc::default(),
        }
    }

    /// Everything that was noted so far.
    pub fn all(&self) -> Hidden {
        let mut all = lock(&self.noted).clone();
        for (name, answers) in lock(&self.answered).iter() {
            all.entry(name).or_default().extend(answers.iter().cloned());
        }
        Hidden(all)
    }
}

fn lock(notes: &Mutex<Noted>) -> MutexGuard<'_, Noted> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
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
    pub fn add(&mut self, name: &'static str, what: Json) {
        self.0.entry(name).or_default().push(what);
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
