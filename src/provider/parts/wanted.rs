//! One ARM object that a part wants to exist, and how it may be brought about.

use serde_json::json;

use super::compare::Difference;
use super::seen::Unread;
use super::tags::Tags;
use crate::arm::{ArmId, Error, Json};

/// A wanted ARM object. Built by a chain: the id, the body, then what is special about it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its id.
    pub id: ArmId,
    /// The body of its PUT, naming every property that the resource can set; or not known yet.
    pub body: Result<Json, Unread>,
    /// The user's tags, where the object has tags.
    pub tags: Option<Option<Tags>>,
    /// JSON pointers of what cannot change in place: another value needs another object.
    pub immutable: &'static [&'static str],
    /// JSON pointers of lists or maps in which others have entries of their own. An object that
    /// has any is read once more right before it is changed, so that nothing of theirs is lost.
    pub shared: &'static [&'static str],
    /// JSON pointers of lists whose order matters.
    pub ordered: &'static [&'static str],
    /// Why it must be deleted and made anew, where it must.
    pub remake: Option<String>,
    /// Why it must be written again although it looks right, where it must.
    pub rewrite: Option<String>,
    /// Objects of ours that must be gone before this one is made or changed.
    pub instead_of: Vec<ArmId>,
    /// What the body has besides when the object is made, and which objects come with that.
    pub creation: Option<Creation>,
    /// How an existing object gets to the wanted body, where one PUT is not the way.
    pub steps: Option<fn(&Gap<'_>) -> Vec<Change>>,
    /// Whether a failed creation is written once more, because what failed goes on from where it
    /// was, and nothing better is to be had by deleting it.
    pub reconciled: bool,
    /// The refusals of its creation that tell of an object of someone else which serves as well.
    pub needless: fn(&Error) -> bool,
    /// Whether the decision depends on what others write under the same locks.
    pub under_lock: bool,
    /// The argument that an error of this object is about.
    pub argument: &'static str,
}

/// What comes into being with an object.
#[derive(Debug, Clone)]
pub struct Creation {
    /// Merged over the body of the first PUT.
    pub body: Json,
    /// The objects that it makes: the part that owns each, and its id.
    pub brings: Vec<(&'static str, ArmId)>,
    /// Whether it brings back an object as that was, whatever the body says, so that the object is
    /// compared and changed after it.
    pub as_it_was: bool,
}

/// One request on the way from what there is to what is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A PATCH with this body.
    Patch(Json),
    /// A PUT of the merged body with these query parameters.
    Put(Vec<(String, String)>),
}

/// What lies between an object as it was found and as it is wanted.
#[derive(Debug)]
pub struct Gap<'a> {
    /// What was found, reduced to what may be written back.
    pub found: &'a Json,
    /// What is wanted, with the tags that others own.
    pub wanted: &'a Json,
    /// Where the two differ.
    pub differences: &'a [Difference],
}

impl Gap<'_> {
    /// Whether something differs at this JSON pointer or below it.
    #[must_use]
    pub fn touches(&self, pointer: &str) -> bool {
        self.differences.iter().any(|difference| {
            difference
                .pointer
                .strip_prefix(pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl Wanted {
    /// An object with that id and body.
    #[must_use]
    pub fn new(id: ArmId, body: Result<Json, Unread>) -> Self {
        Self {
            id,
            body,
            tags: None,
            immutable: &[],
            shared: &[],
            ordered: &[],
            remake: None,
            rewrite: None,
            instead_of: Vec::new(),
            creation: None,
            steps: None,
            reconciled: false,
            needless: |_| false,
            under_lock: false,
            argument: "",
        }
    }

    /// It has tags: these of the user, over the provider's defaults.
    #[must_use]
    pub fn tagged(mut self, tags: Option<&Tags>) -> Self {
        self.tags = Some(tags.cloned());
        self
    }

    /// These values cannot change in place.
    #[must_use]
    pub fn immutable(mut self, pointers: &'static [&'static str]) -> Self {
        self.immutable = pointers;
        self
    }

    /// Others have entries of their own in these lists.
    #[must_use]
    pub fn shared(mut self, pointers: &'static [&'static str]) -> Self {
        self.shared = pointers;
        self
    }

    /// The order of these lists matters.
    #[must_use]
    pub fn ordered(mut self, pointers: &'static [&'static str]) -> Self {
        self.ordered = pointers;
        self
    }

    /// It must be made anew, if there is a reason.
    #[must_use]
    pub fn remake(mut self, reason: Option<String>) -> Self {
        self.remake = reason;
        self
    }

    /// It must be written again, if there is a reason.
    #[must_use]
    pub fn rewrite(mut self, reason: Option<String>) -> Self {
        self.rewrite = reason;
        self
    }

    /// These must be gone first, where they are ours.
    #[must_use]
    pub fn instead_of(mut self, ids: Vec<ArmId>) -> Self {
        self.instead_of = ids;
        self
    }

    /// The first PUT has more, and makes more.
    #[must_use]
    pub fn creating(mut self, body: Json, brings: Vec<(&'static str, ArmId)>) -> Self {
        self.creation = Some(Creation {
            body,
            brings,
            as_it_was: false,
        });
        self
    }

    /// Where there is such an addition to the first PUT, it brings back an object that was deleted, and
    /// what differs then is changed.
    #[must_use]
    pub fn recovered(mut self, body: Option<Json>) -> Self {
        self.creation = body.map(|body| Creation {
            body,
            brings: Vec::new(),
            as_it_was: true,
        });
        self
    }

    /// An existing object is changed by these requests.
    #[must_use]
    pub fn changed_by(mut self, steps: fn(&Gap<'_>) -> Vec<Change>) -> Self {
        self.steps = Some(steps);
        self
    }

    /// A failed creation is written once more.
    #[must_use]
    pub fn reconciled(mut self) -> Self {
        self.reconciled = true;
        self
    }

    /// It is not needed where Azure refuses its creation so, because someone else's object serves as well,
    /// which the part's evidence has to show.
    #[must_use]
    pub fn needless_when(mut self, told: fn(&Error) -> bool) -> Self {
        self.needless = told;
        self
    }

    /// What is wanted depends on what others write under the same locks, so it is decided again
    /// once they are held.
    #[must_use]
    pub fn decided_under_lock(mut self) -> Self {
        self.under_lock = true;
        self
    }

    /// Errors about this object are about that argument.
    #[must_use]
    pub fn argument(mut self, argument: &'static str) -> Self {
        self.argument = argument;
        self
    }

    /// The body with the tags that the policy makes of the user's.
    ///
    /// # Errors
    /// [`Unread`] when the body is not known yet.
    pub fn full_body(&self, policy: &super::tags::TagPolicy) -> Result<Json, Unread> {
        let mut body = self.body.clone()?;
        if let Some(own) = &self.tags
            && let Some(members) = body.as_object_mut()
        {
            members.insert("tags".to_owned(), json!(policy.wanted(own.as_ref())));
        }
        Ok(body)
    }
}
