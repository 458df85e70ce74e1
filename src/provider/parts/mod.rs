//! The engine: a resource is a list of parts, each part some ARM objects that it wants.
//!
//! An author writes pure functions ([`Composite`], [`Part`], [`Wanted`]); everything that takes
//! time or can fail is here. Read `apply` for creation and change, `survey` for reading, drift
//! and import, `remove` for deletion, `plan` for what is known before, `adapter` for how the
//! framework's calls become those four, and `inquiry` for data sources.

mod adapter;
mod apply;
mod attributes;
mod check;
mod compare;
mod deed;
mod inquiry;
mod ledger;
mod locks;
mod plan;
mod remove;
mod seen;
mod spelling;
mod survey;
mod tags;
mod takeover;
mod wanted;
mod world;
mod writable;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

pub use adapter::Managed;
pub use attributes::{ARM_ID, drift, objects};
pub use check::{Check, is_of};
#[cfg(test)]
pub(crate) use deed::Request;
pub use deed::{Deed, Refusal};
pub use inquiry::{
    Answer, Asked, BY_GROUP, BY_ID, BY_NAME, BY_SUBSCRIPTION, Inquiry, Named, Unanswered, answer,
    both, lacking, need, need_list, of_kind, refused,
};
pub use ledger::Ledger;
pub use locks::{Lock, Locks};
pub use plan::without_unknowns;
pub use seen::{Look, Question, Seen, Surroundings, Unread};
pub use spelling::{same_id, same_region, spelled, spelled_id};
pub use tags::{TagPolicy, Tags};
pub use wanted::{Change, Gap, Wanted};

#[cfg(test)]
pub(crate) use writable::{check as check_writable, reduced};

use crate::arm::{ArmId, Json};

/// A resource that is made of ARM objects.
pub trait Composite: Send + Sync + Sized + 'static {
    /// What the user wrote. Decoded from configuration and defaults; what Azure chose for an
    /// unset argument is `None` at creation.
    type Input: DeserializeOwned + Serialize + Clone + Send + Sync + 'static;
    /// What Azure answers beyond that: the computed attributes, without `objects` and `drift`.
    type Output: Serialize + Send + 'static;

    /// The whole type name, such as `fkaks_network`.
    const NAME: &'static str;
    /// What users may write. Has `id`, `objects` and `drift` ([`ID`], [`OBJECTS`], [`DRIFT`]).
    const SCHEMA: Schema;
    /// The default timeouts.
    const TIMEOUTS: Timeouts;
    /// The ARM type of the object whose id is the resource's id; see [`Composite::anchor`].
    const ANCHOR: &'static str;
    /// Whether the anchor is someone else's, who gave its id: it is read, and never written, owned
    /// or deleted. Such a resource lasts as long as its anchor, whatever becomes of its own
    /// objects: what is missing of them is drift.
    const ANCHOR_IS_GIVEN: bool = false;
    /// The parts, in reading order.
    const PARTS: &'static [Part<Self::Input>];
    /// What the documentation says beyond the schema.
    const PAGE: Page;

    /// The id of the anchor, by the resource's. Another one where Azure does not know the resource's,
    /// because what it names lies within something that Resource Manager does not look into.
    fn anchor(id: &ArmId) -> ArmId {
        id.clone()
    }

    /// The id, where it can be known before anything exists.
    fn id(input: &Self::Input, surroundings: &Surroundings) -> Option<ArmId>;

    /// What the state of an import begins with, by the id that the user gave: `id`, and `objects`
    /// where it is an object of this resource and not its anchor. `None` for an id that does not
    /// import this resource.
    fn imported(id: &ArmId) -> Option<Json> {
        id.is(Self::ANCHOR)
            .then(|| serde_json::json!({ "id": id.as_str() }))
    }

    /// What there is, in the user's terms and spelling. Without a prior input it is an import:
    /// everything comes from Azure.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    fn observe(
        id: &ArmId,
        prior: Option<&Self::Input>,
        seen: &Seen,
    ) -> Result<Observed<Self>, Unread>;

    /// Makes known what can be of computed values within nested attributes, which the schema's
    /// rules cannot reach. Only called for a creation or a change.
    fn complete(
        config: &Value,
        planned: &mut Value,
        prior: Option<&Value>,
        surroundings: &Surroundings,
    ) {
        let _ = (config, planned, prior, surroundings);
    }

    /// Objects that reading will need and that the state names already, so that they are read in
    /// the first wave.
    fn known_by(state: &Value) -> Vec<ArmId> {
        let _ = state;
        Vec::new()
    }

    /// Computed attributes that are known before anything exists. The plan may have unknown
    /// values; what is not returned stays as the plan has it.
    fn foresee(
        plan: &Value,
        prior: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let _ = (plan, prior, surroundings);
        Vec::new()
    }

    /// Finds mistakes across attributes without Azure; values may be unknown.
    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Finds mistakes at plan, with Azure's help; values may be unknown.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        let _ = check;
        Ok(())
    }

    /// Finds, before anything is written, what the plan could not: mistakes that show only in what
    /// the same apply has made before. Everything is known, and only errors count.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        let _ = check;
        Ok(())
    }

    /// The types whose objects come within the body of their parent, so that they are looked for
    /// there before they are read by themselves.
    const EMBEDDED: &'static [&'static str] = &[];

    /// Objects that the body of another carries within it.
    fn embedded(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
        let _ = (id, body);
        Vec::new()
    }
}

/// What [`Composite::observe`] finds.
#[derive(Debug)]
pub struct Observed<C: Composite> {
    /// Azure's value for each argument that has a counterpart there, in the user's spelling.
    pub input: C::Input,
    /// The computed attributes.
    pub output: C::Output,
    /// What no attribute can show, each with its reason.
    pub drift: Vec<String>,
    /// Whether what an import asks for is there, where only questions tell; an anchor that was given
    /// stands in any case.
    pub found: bool,
    /// What others have taken over: it is left to them, and never deleted.
    pub released: Vec<ArmId>,
    /// What an apply made that was lost before it could save its state, by part: only this resource
    /// makes objects of such names, so it is owned, and goes when nothing wants it.
    pub regained: Vec<(&'static str, ArmId)>,
    /// What the user should know and the provider does not fight: summary and detail.
    pub warnings: Vec<(String, String)>,
}

impl<C: Composite> Observed<C> {
    /// An observation without drift and warnings.
    pub fn new(input: C::Input, output: C::Output) -> Self {
        Self {
            input,
            output,
            drift: Vec::new(),
            found: true,
            released: Vec::new(),
            regained: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The arguments and the computed attributes together.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = attributes_of(&self.input);
        attributes.extend(attributes_of(&self.output));
        attributes
    }
}

/// A part of a resource: some ARM objects that belong together.
pub struct Part<I: 'static> {
    /// Its name in `objects`.
    pub name: &'static str,
    /// The parts that must be finished before it begins, and begin to go only after it has.
    pub after: &'static [&'static str],
    /// The ARM objects that it wants.
    pub wants: fn(&I, &Seen) -> Result<Vec<Wanted>, Unread>,
    /// What remains to be done beside the writing of its objects, one request at a time.
    pub does: fn(&I, &Seen) -> Result<Option<Deed>, Unread>,
    /// Whether it has deeds at all.
    pub acts: bool,
    /// What remains to be undone when the resource goes, before the objects of the part do.
    pub undoes: fn(&I, &Seen) -> Result<Option<Deed>, Unread>,
    /// Whether what was wanted has come about.
    pub until: fn(&I, &Seen) -> Result<Evidence, Unread>,
    /// Why its objects may not be deleted, where they may not: a line for each reason.
    pub keep: fn(&Removal<'_>, &Seen) -> Result<Vec<String>, Unread>,
    /// What to do about an object of this id that exists and is not ours.
    pub existing: fn(&ArmId) -> Option<String>,
    /// Whether an object that is no longer wanted is left to others instead of deleted.
    pub leaves: fn(&I, &ArmId) -> bool,
    /// What is serialised in this process while an object is written or deleted, or a deed is
    /// decided and done.
    pub locks: fn(&I, &ArmId) -> Vec<Lock>,
    /// Whether its objects pass into other hands when the apply ends, and so are owned only until
    /// then, or until the apply after one that failed.
    pub transient: bool,
    /// Whether what is no longer wanted goes before anything is written, instead of last.
    pub clears_first: bool,
    /// Whether its objects go with the parent that they lie in, and need no deletion of their own.
    pub goes_with_parent: bool,
}

/// Whether a part is finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It is.
    Done,
    /// It is not, because of this.
    Waiting(String),
    /// It is not, because this runs on by itself. An apply waits for it; there is nothing to repair, so
    /// that a plan has nothing to do.
    UnderWay(String),
}

/// A deletion that is about to begin.
#[derive(Debug)]
pub struct Removal<'a> {
    /// The object that would go.
    pub id: &'a ArmId,
    /// Everything that the resource owns, and so would go too.
    pub ledger: &'a Ledger,
}

impl<I> Part<I> {
    /// A part with that name, which wants those objects.
    #[must_use]
    pub const fn new(
        name: &'static str,
        wants: fn(&I, &Seen) -> Result<Vec<Wanted>, Unread>,
    ) -> Self {
        Self {
            name,
            after: &[],
            wants,
            does: |_, _| Ok(None),
            acts: false,
            undoes: |_, _| Ok(None),
            until: |_, _| Ok(Evidence::Done),
            keep: |_, _| Ok(Vec::new()),
            existing: |_| None,
            leaves: |_, _| false,
            locks: |_, _| Vec::new(),
            transient: false,
            clears_first: false,
            goes_with_parent: false,
        }
    }

    /// It begins after these.
    #[must_use]
    pub const fn after(mut self, parts: &'static [&'static str]) -> Self {
        self.after = parts;
        self
    }

    /// A part without objects of its own: it does what this says, and undoes what that says.
    #[must_use]
    pub const fn deeds(
        name: &'static str,
        does: fn(&I, &Seen) -> Result<Option<Deed>, Unread>,
        undoes: fn(&I, &Seen) -> Result<Option<Deed>, Unread>,
    ) -> Self {
        let mut part = Self::new(name, |_, _| Ok(Vec::new()));
        part.acts = true;
        part.does = does;
        part.undoes = undoes;
        part
    }

    /// It is finished when this says so.
    #[must_use]
    pub const fn until(mut self, until: fn(&I, &Seen) -> Result<Evidence, Unread>) -> Self {
        self.until = until;
        self
    }

    /// Its objects are kept when this gives reasons.
    #[must_use]
    pub const fn keep(
        mut self,
        keep: fn(&Removal<'_>, &Seen) -> Result<Vec<String>, Unread>,
    ) -> Self {
        self.keep = keep;
        self
    }

    /// What is no longer wanted is left to others when this says so.
    #[must_use]
    pub const fn leaves(mut self, leaves: fn(&I, &ArmId) -> bool) -> Self {
        self.leaves = leaves;
        self
    }

    /// Its objects pass into other hands before the apply ends.
    #[must_use]
    pub const fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// These locks are held while an object is written or deleted.
    #[must_use]
    pub const fn locks(mut self, locks: fn(&I, &ArmId) -> Vec<Lock>) -> Self {
        self.locks = locks;
        self
    }

    /// What is no longer wanted goes before anything is written: what comes takes its place.
    #[must_use]
    pub const fn clears_first(mut self) -> Self {
        self.clears_first = true;
        self
    }

    /// Its objects go with the parent that they lie in, when that is deleted too.
    #[must_use]
    pub const fn goes_with_parent(mut self) -> Self {
        self.goes_with_parent = true;
        self
    }

    /// What to do about an object that exists and is not ours.
    #[must_use]
    pub const fn existing(mut self, existing: fn(&ArmId) -> Option<String>) -> Self {
        self.existing = existing;
        self
    }
}

/// What a resource's documentation page says beyond its schema.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The section of the registry's navigation.
    pub subcategory: &'static str,
    /// The actions of a custom role that may manage it, each with what it is for.
    pub permissions: &'static [(&'static str, &'static str)],
    /// What can go wrong, and what to do: symptom and remedy.
    pub failures: &'static [(&'static str, &'static str)],
    /// Further Markdown after the attributes.
    pub notes: &'static str,
}

/// The description of `id`, the same in all resources.
pub const ID: &str = "The ARM id.";
/// The description of `objects`, the same in all resources.
pub const OBJECTS: &str = "The ARM objects that this resource owns, by part: what it made or was \
     given by import, and what goes when it is destroyed.";
/// The description of `drift`, the same in all resources.
pub const DRIFT: &str = "What was changed outside and no other attribute shows, each with its \
     reason. Every plan promises an empty list, so that anything in it plans its own repair.";

/// Where an object differs from what is wanted, for tests of steps.
#[cfg(test)]
pub(crate) fn differ(wanted: &Wanted, body: &Json, found: &Json) -> Vec<compare::Difference> {
    let lists = compare::Lists {
        ordered: wanted.ordered,
        shared: wanted.shared,
    };
    compare::differences(body, found, lists)
}

/// A plan-time check on given facts, for tests.
#[cfg(test)]
pub(crate) fn check_alone<C: Composite>(
    planned: &Value,
    prior: Option<&Value>,
    seen: &Seen,
) -> Result<Diagnostics, Unread> {
    let mut diagnostics = Diagnostics::new();
    C::check(&mut Check {
        config: planned,
        planned,
        prior,
        replaced: None,
        seen,
        diagnostics: &mut diagnostics,
    })?;
    Ok(diagnostics)
}

/// Attributes as JSON, by name.
pub type Attributes = BTreeMap<String, Json>;

/// The JSON of a struct's fields; anything else has none.
fn attributes_of(fields: &impl Serialize) -> Attributes {
    match serde_json::to_value(fields) {
        Ok(Json::Object(members)) => members.into_iter().collect(),
        _ => Attributes::new(),
    }
}
