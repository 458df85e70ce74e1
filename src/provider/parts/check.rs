//! What a plan-time check is given: the configuration with its unknown values, what was there
//! before, Azure's facts, and a place for what is found wrong.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value, to_json};

use super::ledger::Ledger;
use super::seen::{Look, Seen, Unread};
use crate::arm::{ArmId, Json};

/// A plan-time check in progress. It runs again whenever it has asked for something new, so it
/// only ever adds to `diagnostics`.
pub struct Check<'a> {
    /// What the user wrote.
    pub config: &'a Value,
    /// What is planned: configuration, defaults and what is known of the rest.
    pub planned: &'a Value,
    /// What there is; `None` at creation.
    pub prior: Option<&'a Value>,
    /// At a creation that replaces another resource: what that one owns, which will be gone by
    /// then.
    pub replaced: Option<Ledger>,
    /// What Azure knows; 404 means that it is not made yet.
    pub seen: &'a Seen,
    /// What the user is told.
    pub diagnostics: &'a mut Diagnostics,
}

/// Checks that an id, where it is known and one, is of that type.
pub fn is_of(kind: &str, value: &Value, path: Path, diagnostics: &mut Diagnostics) {
    let id = value.as_str().and_then(|text| ArmId::parse(text).ok());
    if let Some(id) = id.filter(|id| !id.is(kind)) {
        diagnostics.error(
            path,
            format!("an id of {kind} is needed here"),
            format!("- {id} is an id of {}", id.resource_type()),
        );
    }
}

impl<'a> Check<'a> {
    /// The id at a top-level argument, when it is known and one.
    #[must_use]
    pub fn id(&self, argument: &str) -> Option<ArmId> {
        ArmId::parse(self.planned.get(argument).as_str()?).ok()
    }

    /// The object with that id: `None` while it does not exist or may not be read, which is no
    /// error at plan.
    ///
    /// # Errors
    /// [`Unread`] when it has not been read yet.
    pub fn look(&self, id: &ArmId) -> Result<Option<&'a Json>, Unread> {
        Ok(match self.seen.look(id)? {
            Look::Found(json) => Some(json),
            Look::Absent | Look::Denied(_) => None,
        })
    }

    /// Whether this resource owns the object, or the one that it replaces does.
    #[must_use]
    pub fn is_ours(&self, id: &ArmId) -> bool {
        let prior = self
            .prior
            .and_then(|prior| to_json(prior.get("objects")).ok());
        prior.is_some_and(|objects| Ledger::from_json(&objects).contains(id))
            || self
                .replaced
                .as_ref()
                .is_some_and(|ledger| ledger.contains(id))
    }

    /// Whether the resource is being created.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.prior.is_none()
    }

    /// Whether a top-level attribute is planned to change, or is new.
    #[must_use]
    pub fn changes(&self, argument: &str) -> bool {
        self.prior
            .is_none_or(|prior| prior.get(argument) != self.planned.get(argument))
    }

    /// Says that something cannot be done.
    pub fn error(&mut self, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.diagnostics.error(path, summary, detail);
    }

    /// Says what the user should know.
    pub fn warning(&mut self, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.diagnostics.warning(path, summary, detail);
    }
}
