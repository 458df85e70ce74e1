//! A small Terraform for tests: it asks a provider over a real socket what Terraform's core asks, in core's order, and
//! keeps the state between the calls. With it whole lives of resources run in one process, and thousands of them a
//! minute.

mod core;
mod host;
mod stored;

pub use self::core::{Action, Core, Instance, Outcome, Planned};
pub use host::Host;
