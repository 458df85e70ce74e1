//! What has been read from Azure so far, as pure functions see it.
//!
//! A function that decides asks [`Seen`] for what it needs. What was not read yet is noted and
//! the function ends with [`Unread`]; the engine then reads all that was noted, at the same
//! time, and calls it again. So decisions stay free of I/O, and reads go in as few waves as the
//! facts allow: ask for everything first, and use `?` after.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::deed::Hidden;
use crate::arm::{ArmId, Cloud, Command, Error, Json};

/// What reading one object gave.
#[derive(Debug, Clone)]
pub enum Look<T = Arc<Json>> {
    /// It is there.
    Found(T),
    /// It is not there.
    Absent,
    /// The caller may not read it; with Azure's answer.
    Denied(Arc<Error>),
}

impl<T: std::ops::Deref<Target = Json>> Look<T> {
    /// Whether Azure is deleting it: it is still there and cannot be used any more.
    pub fn is_leaving(&self) -> bool {
        matches!(self, Self::Found(json) if json["properties"]["provisioningState"] == "Deleting")
    }
}

/// Something is missing that a decision needs. What it was has been noted in [`Seen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread;

/// Something to be found out that is no reading of an object or of a list of children.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// An action that changes nothing, with the text of its JSON body.
    Action {
        /// The object.
        id: ArmId,
        /// The action, such as `listUsages`, or `providers/<type>/<action>` of another namespace.
        action: String,
        /// The body; empty for none.
        body: String,
    },
    /// What the data plane of a registry holds of these images. The answer is an
    /// [`Images`](crate::arm::Images), also where nothing can be seen from here.
    Images {
        /// The login server.
        login_server: String,
        /// `repository:tag` or `repository@digest`.
        references: BTreeSet<String>,
    },
    /// A command in a cluster that only looks. The answer is what it ended with; Azure's refusal to run
    /// it, whatever the reason, says nothing of what is inside and so is [`Look::Denied`].
    Command(Command),
    /// A query over a workspace of Log Analytics: `{"rows": [..], "partial": ..}`.
    Logs {
        /// The workspace's customer id.
        workspace: String,
        /// The query.
        query: String,
        /// The span of time, in ISO 8601.
        timespan: String,
    },
}

impl Question {
    /// An action that changes nothing.
    #[must_use]
    pub fn action(id: &ArmId, action: impl Into<String>, body: &Json) -> Self {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        Self::Action {
            id: id.clone(),
            action: action.into(),
            body,
        }
    }
}

/// Facts about where the provider runs, which every decision may use.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The cloud, for suffixes and zone names.
    pub cloud: Cloud,
    /// The provider's own subscription.
    pub subscription_id: Option<String>,
    /// Which tags are added and which are left alone.
    pub tags: super::tags::TagPolicy,
    /// When the operation began, for what lasts a limited time.
    pub now: OffsetDateTime,
    /// What the resources of this plan will add to objects of others.
    pub additions: Additions,
}

/// What the resources of one plan will add to objects of others, so that what is too much only together
/// is found. The same said twice is said once, since a resource may be planned more than once.
#[derive(Debug, Clone, Default)]
pub struct Additions(Arc<Mutex<BTreeMap<ArmId, BTreeSet<String>>>>);

impl Additions {
    /// Adds what one resource will add to that object, and gives all that is known to be added to it.
    pub fn with(&self, id: &ArmId, more: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(id.clone()).or_default();
        known.extend(more);
        known.clone()
    }
}

impl Default for Surroundings {
    /// The public cloud, and nothing else known: before the provider is configured.
    fn default() -> Self {
        Self {
            cloud: Cloud::public(),
            subscription_id: None,
            tags: super::tags::TagPolicy::default(),
            now: OffsetDateTime::UNIX_EPOCH,
            additions: Additions::default(),
        }
    }
}

/// The facts at hand, and a note of those that were asked for in vain.
#[derive(Debug, Default)]
pub struct Seen {
    pub(super) objects: BTreeMap<ArmId, Look>,
    pub(super) lists: BTreeMap<(ArmId, String), Look<Arc<Vec<Json>>>>,
    pub(super) answers: BTreeMap<Question, Look>,
    pub(super) notes: Hidden,
    pub(super) finished: BTreeSet<&'static str>,
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) prior: Option<Arc<Json>>,
    pub(super) owned: BTreeSet<ArmId>,
    pub(super) missing: RefCell<Missing>,
}

/// What was asked for and is not known yet.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Objects to read.
    pub objects: BTreeSet<ArmId>,
    /// Lists of children to read.
    pub lists: BTreeSet<(ArmId, String)>,
    /// Questions to ask.
    pub questions: BTreeSet<Question>,
    /// Parts to wait for.
    pub parts: BTreeSet<&'static str>,
    /// Everything that was asked for, known or not: what to read again while waiting.
    pub asked: BTreeSet<ArmId>,
    /// Lists that were asked for, known or not.
    pub asked_lists: BTreeSet<(ArmId, String)>,
    /// Questions that were asked, answered or not.
    pub asked_questions: BTreeSet<Question>,
}

impl Missing {
    /// Whether nothing needs to be read or asked.
    pub fn reads_nothing(&self) -> bool {
        self.objects.is_empty() && self.lists.is_empty() && self.questions.is_empty()
    }
}

impl Seen {
    /// The object with that id.
    ///
    /// # Errors
    /// [`Unread`] when it has not been read yet.
    pub fn look(&self, id: &ArmId) -> Result<Look<&Json>, Unread> {
        self.missing.borrow_mut().asked.insert(id.clone());
        match self.objects.get(id) {
            Some(Look::Found(json)) => Ok(Look::Found(json)),
            Some(Look::Absent) => Ok(Look::Absent),
            Some(Look::Denied(error)) => Ok(Look::Denied(Arc::clone(error))),
            None => {
                self.missing.borrow_mut().objects.insert(id.clone());
                Err(Unread)
            }
        }
    }

    /// The children of one type below an object, as `look`; an unreadable or absent parent has
    /// none that can be seen.
    ///
    /// # Errors
    /// [`Unread`] when they have not been listed yet.
    pub fn list(&self, parent: &ArmId, child_type: &str) -> Result<Look<&[Json]>, Unread> {
        let key = (parent.clone(), child_type.to_owned());
        self.missing.borrow_mut().asked_lists.insert(key.clone());
        match self.lists.get(&key) {
            Some(Look::Found(items)) => Ok(Look::Found(items)),
            Some(Look::Absent) => Ok(Look::Absent),
            Some(Look::Denied(error)) => Ok(Look::Denied(Arc::clone(error))),
            None => {
                self.missing.borrow_mut().lists.insert(key);
                Err(Unread)
            }
        }
    }

    /// Azure's answer to a question; one about something that does not exist is `Absent`.
    ///
    /// # Errors
    /// [`Unread`] when it has not been asked yet.
    pub fn ask(&self, question: &Question) -> Result<Look<&Json>, Unread> {
        let mut missing = self.missing.borrow_mut();
        missing.asked_questions.insert(question.clone());
        match self.answers.get(question) {
            Some(Look::Found(json)) => Ok(Look::Found(json)),
            Some(Look::Absent) => Ok(Look::Absent),
            Some(Look::Denied(error)) => Ok(Look::Denied(Arc::clone(error))),
            None => {
                missing.questions.insert(question.clone());
                Err(Unread)
            }
        }
    }

    /// What this operation's deeds have noted under that name, first things first.
    #[must_use]
    pub fn noted(&self, name: &str) -> &[Json] {
        self.notes.of(name)
    }

    /// Goes on only when another part of this resource is finished, which counts also where
    /// nothing is being applied.
    ///
    /// # Errors
    /// [`Unread`] while it is not.
    pub fn after(&self, part: &'static str) -> Result<(), Unread> {
        if self.finished.contains(part) {
            Ok(())
        } else {
            self.missing.borrow_mut().parts.insert(part);
            Err(Unread)
        }
    }

    /// Whether the resource owns the object, or has tried to make it: what tells ours from what
    /// others made alike.
    #[must_use]
    pub fn owns(&self, id: &ArmId) -> bool {
        self.owned.contains(id)
    }

    /// The state before this change; only while a change is applied. It tells what we attached
    /// from what others did. While an import by an object of the resource is read for the first
    /// time, it is what the import began with.
    #[must_use]
    pub fn prior(&self) -> Option<&Json> {
        self.prior.as_deref()
    }

    /// The cloud that the provider talks to.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.surroundings.cloud
    }

    /// The provider's own subscription, where it is configured.
    #[must_use]
    pub fn subscription_id(&self) -> Option<&str> {
        self.surroundings.subscription_id.as_deref()
    }

    /// What the resources of this plan will add to objects of others.
    #[must_use]
    pub fn additions(&self) -> &Additions {
        &self.surroundings.additions
    }

    /// When the operation began. Nothing that is planned may follow from it; what is read may.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.surroundings.now
    }

    /// Which tags are added and which are left alone.
    #[must_use]
    pub fn tag_policy(&self) -> &super::tags::TagPolicy {
        &self.surroundings.tags
    }

    /// What was asked for.
    pub(super) fn into_missing(self) -> Missing {
        self.missing.into_inner()
    }

    /// Facts for tests, without Azure: objects by id, everything else absent.
    #[cfg(test)]
    pub(crate) fn of(objects: impl IntoIterator<Item = (ArmId, Option<Json>)>) -> Self {
        Self {
            objects: objects
                .into_iter()
                .map(|(id, json)| {
                    (
                        id,
                        json.map_or(Look::Absent, |json| Look::Found(Arc::new(json))),
                    )
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Adds the state before a change to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_prior(mut self, prior: Json) -> Self {
        self.prior = Some(Arc::new(prior));
        self
    }

    /// Adds where and when the provider runs to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_surroundings(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = Arc::new(surroundings);
        self
    }

    /// Adds an object to facts for tests.
    #[cfg(test)]
    pub(crate) fn insert(&mut self, id: &ArmId, json: Json) {
        self.objects.insert(id.clone(), Look::Found(Arc::new(json)));
    }

    /// Makes an object one that is not there, for tests.
    #[cfg(test)]
    pub(crate) fn leave_out(&mut self, id: &ArmId) {
        self.objects.insert(id.clone(), Look::Absent);
    }

    /// Makes an object one that the caller may not read, for tests.
    #[cfg(test)]
    pub(crate) fn deny(&mut self, id: &ArmId) {
        self.objects.insert(id.clone(), Look::Denied(refusal()));
    }

    /// Makes a list one that the caller may not read, for tests.
    #[cfg(test)]
    pub(crate) fn deny_list(&mut self, parent: &ArmId, child: &str) {
        let key = (parent.clone(), child.to_owned());
        self.lists.insert(key, Look::Denied(refusal()));
    }

    /// What was asked for in vain is not there, for tests.
    #[cfg(test)]
    pub(crate) fn leave_out_what_is_missing(&mut self) {
        let missing = self.missing.take();
        for id in missing.objects {
            self.objects.insert(id, Look::Absent);
        }
        for key in missing.lists {
            self.lists.insert(key, Look::Absent);
        }
    }

    /// Adds a finished part to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_finished(mut self, part: &'static str) -> Self {
        self.finished.insert(part);
        self
    }

    /// Adds what deeds have noted to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_note(mut self, name: &'static str, what: Json) -> Self {
        self.notes.add(name, what);
        self
    }

    /// Adds an object that the resource owns to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_owned(mut self, id: &ArmId) -> Self {
        self.owned.insert(id.clone());
        self
    }

    /// Adds the answer to a question to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_answer(mut self, question: Question, answer: Json) -> Self {
        self.answers.insert(question, Look::Found(Arc::new(answer)));
        self
    }

    /// Makes a question one that Azure refuses to answer, for tests.
    #[cfg(test)]
    pub(crate) fn deny_answer(&mut self, question: Question) {
        self.answers.insert(question, Look::Denied(refusal()));
    }

    /// Adds a list to facts for tests.
    #[cfg(test)]
    pub(crate) fn with_list(mut self, parent: &ArmId, child: &str, items: Vec<Json>) -> Self {
        self.lists.insert(
            (parent.clone(), child.to_owned()),
            Look::Found(Arc::new(items)),
        );
        self
    }
}

/// Azure's refusal to let the caller read something.
#[cfg(test)]
fn refusal() -> Arc<Error> {
    let error = crate::arm::AzureError {
        status: 403,
        code: Some("AuthorizationFailed".to_owned()),
        ..crate::arm::AzureError::default()
    };
    Arc::new(error.into())
}

impl<T> Look<T> {
    /// The object, when it is there.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Denied(_) => None,
        }
    }
}
