//! The only code that knows gRPC and go-plugin: how a host starts, trusts, asks and ends a provider. It translates
//! between the messages of the protocol and the framework, and holds no rule of its own.

mod call;
mod debug;
mod go_plugin;
mod handshake;
mod lifecycle;
mod listener;
mod log;
mod panics;
pub mod proto;
mod registry;
mod serve;
mod service;
mod tls;
pub(crate) mod wire;

pub(crate) use call::Tells;
pub(crate) use handshake::Address;
pub(crate) use lifecycle::Lifecycle;
pub(crate) use listener::Listener;
pub(crate) use registry::{Managed, Registry};
pub(crate) use serve::{MESSAGE_LIMIT, answer};
pub(crate) use service::Service;

use std::process::ExitCode;
use std::sync::Arc;

use crate::framework::Provider;

/// A provider's `main`. Started by Terraform or OpenTofu it serves them to their end; with `-debug` it serves whoever
/// is told of it, until Ctrl-C; with `--version` it says its version; started by hand it says what it is.
#[must_use]
pub fn serve(provider: impl Provider) -> ExitCode {
    let provider: Arc<dyn Provider> = Arc::new(provider);
    let about = serve::About::of(provider.as_ref());
    serve::serve(&about, |lifecycle| Service::new(provider, lifecycle))
}
