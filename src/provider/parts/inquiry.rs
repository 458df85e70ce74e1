//! A data source: a question that is answered from what Azure says, and nothing else.
//!
//! An author writes a pure function ([`Inquiry::answer`]) that asks for what it needs; the reads
//! and the reports are here. Read `adapter` for how the framework's call becomes that function,
//! and `named` for how users name what exists.

mod adapter;
mod named;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::{Attribute, Computed, Kind, Schema};
use tfplugin_rs::value::Value;

pub use adapter::Asked;
pub use named::{BY_GROUP, BY_ID, BY_NAME, BY_SUBSCRIPTION, Named, of_kind};

use super::{Look, Page, Seen, Unread};
use crate::arm::{ArmId, Error, Json};
use crate::provider::failure::{Cause, Doing, Failure};

/// A data source that is answered by reading ARM objects.
pub trait Inquiry: Send + Sync + Sized + 'static {
    /// What the user wrote.
    type Input: DeserializeOwned + Send + Sync + 'static;
    /// What is answered: every attribute that the user may leave to the provider.
    type Output: Serialize + Send + 'static;

    /// The whole type name, such as `fkaks_network`.
    const NAME: &'static str;
    /// What users may write, and what they get.
    const SCHEMA: Schema;
    /// How long the reads may take by default.
    const TIMEOUTS: Timeouts = Timeouts::minutes(0, 5, 0, 0);
    /// What the documentation says beyond the schema.
    const PAGE: Page;

    /// Finds mistakes across attributes without Azure; values may be unknown.
    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// The answer.
    ///
    /// # Errors
    /// [`Unanswered`] when more must be read first, or when it cannot be told at all.
    fn answer(input: &Self::Input, seen: &Seen) -> Result<Answer<Self::Output>, Unanswered>;
}

/// An attribute that a data source answers.
pub const fn answer(name: &'static str, kind: Kind) -> Attribute {
    Attribute::computed(name, kind, Computed::Volatile)
}

/// What a data source tells.
#[derive(Debug)]
pub struct Answer<T> {
    /// The attributes.
    pub output: T,
    /// What the user should know, too: summary and detail.
    pub warnings: Vec<(String, String)>,
}

impl<T> Answer<T> {
    /// An answer without warnings.
    pub const fn of(output: T) -> Self {
        Self {
            output,
            warnings: Vec::new(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone)]
pub enum Unanswered {
    /// Something must be read first. What it was has been noted in [`Seen`].
    Unread,
    /// It cannot be told, for each of these reasons.
    Failed(Vec<Failure>),
}

impl From<Unread> for Unanswered {
    fn from(_: Unread) -> Self {
        Self::Unread
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(vec![failure])
    }
}

/// Both of two facts. What is unread counts first, so that all failures are told together.
///
/// # Errors
/// As the two.
pub fn both<A, B>(
    a: Result<A, Unanswered>,
    b: Result<B, Unanswered>,
) -> Result<(A, B), Unanswered> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Unanswered::Unread), _) | (_, Err(Unanswered::Unread)) => Err(Unanswered::Unread),
        (Err(Unanswered::Failed(mut failures)), Err(Unanswered::Failed(more))) => {
            failures.extend(more);
            Err(Unanswered::Failed(failures))
        }
        (Err(failed), Ok(_)) | (Ok(_), Err(failed)) => Err(failed),
    }
}

/// The object with that id, without which there is no answer. The argument is the one that names
/// it; empty where none does.
///
/// # Errors
/// [`Unanswered`] while it is unread, and when it is not there or may not be read.
pub fn need<'a>(
    seen: &'a Seen,
    id: &ArmId,
    argument: &'static str,
) -> Result<&'a Json, Unanswered> {
    let cause = match seen.look(id)? {
        Look::Found(json) => return Ok(json),
        Look::Absent => absent(),
        Look::Denied(error) => Cause::Azure((*error).clone()),
    };
    Err(failed(id.clone(), argument, cause))
}

/// The children of one type below an object, without which there is no answer; that the object
/// itself exists is known.
///
/// # Errors
/// [`Unanswered`] while they are unread, and when they may not be listed.
pub fn need_list<'a>(
    seen: &'a Seen,
    parent: &ArmId,
    child_type: &str,
    argument: &'static str,
) -> Result<&'a [Json], Unanswered> {
    let cause = match seen.list(parent, child_type)? {
        Look::Found(items) => return Ok(items),
        Look::Absent => absent(),
        Look::Denied(error) => Cause::Azure((*error).clone()),
    };
    // Its type is what a role would have to name; its own name is not known.
    let some = match child_type.strip_prefix("providers/") {
        Some(kind) => parent.resource(kind, "*"),
        None => parent.child(child_type, "*"),
    };
    Err(failed(some, argument, cause))
}

/// That something cannot be told, for a reason of ours: in a few words, with evidence, and the way
/// out.
pub fn refused(
    id: ArmId,
    argument: &'static str,
    why: impl Into<String>,
    evidence: Vec<String>,
    fix: impl Into<String>,
) -> Unanswered {
    let cause = Cause::Plain {
        why: why.into(),
        evidence,
        fix: fix.into(),
    };
    failed(id, argument, cause)
}

/// That something may not be read.
pub fn lacking(id: ArmId, argument: &'static str, error: &Error) -> Unanswered {
    failed(id, argument, Cause::Azure(error.clone()))
}

fn absent() -> Cause {
    Cause::Plain {
        why: "it does not exist".to_owned(),
        evidence: Vec::new(),
        fix:
            "compare the id with what there is; upper and lower case make no difference. If it is \
              made in the same configuration, write a reference instead of a text, so that it is \
              read after it was made:\n\n  <type>.<name>.id # of the resource that makes it"
                .to_owned(),
    }
}

fn failed(id: ArmId, argument: &'static str, cause: Cause) -> Unanswered {
    Unanswered::Failed(vec![Failure {
        doing: Doing::Reading,
        id,
        argument,
        cause,
    }])
}
