//! The only code that speaks HTTP to Azure. Knows no Terraform.
//!
//! Read [`Client`] first: five verbs on ids, each bounded by a [`Call`]. A write resolves when
//! Azure has accepted it; [`Pending::wait`] follows it to its end. Below that lie tokens
//! (`credentials`), clouds (`cloud`, `metadata`), the wire (`http`, `request`), and the three
//! things that make ARM hard: what to try again (`retry`, `error_texts`), how often to ask
//! (`throttle`), and when an operation has ended (`operation`). Beside ARM lie the data plane of
//! registries (`registry`) and the query API of Log Analytics (`logs`), each with tokens of its own;
//! a command in a cluster (`run_command`) carries a token for the cluster.

mod answer;
mod api_versions;
mod azure_error;
mod call;
mod client;
mod clock;
mod cloud;
mod connect;
mod credentials;
mod environment;
mod error;
mod error_texts;
mod http;
mod id;
mod id_error;
mod location;
mod logs;
mod memory;
mod metadata;
mod operation;
mod poll;
mod registration;
mod registry;
mod request;
mod retry;
mod run_command;
mod secret;
mod send;
mod settings;
#[cfg(test)]
mod tests;
mod throttle;

pub use azure_error::{AzureError, Detail};
pub use call::Call;
pub use client::{Caller, Client, Write};
pub use clock::Clock;
pub use cloud::Cloud;
pub use credentials::{Attempt, CredentialError};
pub use environment::Environment;
pub use error::Error;
pub use error_texts::HeldPod;
pub use id::ArmId;
pub use id_error::IdError;
pub use location::{normalize, same_location};
pub use operation::{Attempts, Pending};
pub use registry::Images;
pub use run_command::Command;
pub use secret::Secret;
pub use settings::{AksWorkloadIdentity, AppServiceIdentity, Proxy, Settings};

/// A JSON document, as Azure takes and gives them.
pub type Json = serde_json::Value;
