//! What an implementer writes against: a [`Provider`] with its lists of [`Resource`]s and the
//! other kinds of things that the protocol knows.
//!
//! The server calls these traits; everything that can be done once for all (decoding, defaults,
//! validation, unknown marking, replace rules, timeouts, core's own rules) is done around them.

mod action;
mod audit;
pub mod conformance;
mod context;
mod data_source;
mod ephemeral;
mod function;
mod list_resource;
mod private;
mod provider;
mod resource;

pub use crate::schema::{Diagnostic, Diagnostics, Severity, Timeouts};
pub use action::Action;
pub use audit::audit;
pub use context::Context;
pub use data_source::DataSource;
pub use ephemeral::{EphemeralResource, Opened, Renewed};
pub use function::{Function, FunctionError, FunctionSignature, Parameter};
pub use list_resource::{ListResource, Listed};
pub use private::Private;
pub use provider::{Configuration, Provider};
pub use resource::{
    Applied, Change, IdentityAttribute, IdentitySchema, Import, Imported, Move, Plan, Resource,
    Stored,
};
