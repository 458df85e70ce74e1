//! What every call gets beside its arguments.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The circumstances of one call.
#[derive(Debug, Clone)]
pub struct Context {
    /// Cancelled when the user interrupts: stop starting new work, and return what is true.
    pub stop: CancellationToken,
    /// How long the whole call may take, from the resource's `timeouts` or its defaults.
    pub timeout: Duration,
}
