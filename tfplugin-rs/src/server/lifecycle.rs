//! When calls are asked to stop, and when the process ends: the two signals that a host has, kept apart because the
//! first must not end the server and the second must end it within two seconds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// go-plugin kills what has not ended 2 s after its call of `Shutdown`.
const GRACE: Duration = Duration::from_millis(1_200);
/// How often a process without any connection looks whether its host still lives.
const HOST_CHECK: Duration = Duration::from_secs(1);

/// Shared by every service of one server.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    shutdown: CancellationToken,
    calls: Mutex<CancellationToken>,
    connections: AtomicUsize,
    disconnected: Notify,
}

impl Lifecycle {
    /// A token for one call: cancelled when the host asks running calls to stop, or when the process ends.
    pub(crate) fn call(&self) -> CancellationToken {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child_token()
    }

    /// Asks the calls that run now to end early. Later calls are not touched.
    pub(crate) fn stop_calls(&self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls).cancel();
    }

    /// Ends the server, and with it the process.
    pub(crate) fn shut_down(&self) {
        self.stop_calls();
        self.shutdown.cancel();
    }

    /// Resolves once the server has to end.
    pub(crate) async fn shutting_down(&self) {
        self.shutdown.cancelled().await;
    }

    /// Resolves when calls that still run have had the time that the host gives them.
    pub(crate) async fn grace_is_over(&self) {
        self.shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Counts a connection for as long as the guard lives.
    pub(crate) fn connected(self: &Arc<Self>) -> ConnectionGuard {
        self.connections.fetch_add(1, Ordering::SeqCst);
        ConnectionGuard(Arc::clone(self))
    }

    /// Shuts down once the host, the parent that this process was born to, is dead. A host that is killed cannot call `Shutdown`, and nobody else would end
    /// this process.
    #[cfg(unix)]
    pub(crate) async fn outlive_no_host(self: Arc<Self>, host: u32) {
        loop {
            while self.connections.load(Ordering::SeqCst) == 0 {
                if std::os::unix::process::parent_id() != host {
                    self.shut_down();
                    return;
                }
                tokio::time::sleep(HOST_CHECK).await;
            }
            self.disconnected.notified().await;
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<Lifecycle>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
        self.0.disconnected.notify_one();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn stop_cancels_the_calls_that_run_and_spares_later_ones() {
        let lifecycle = Lifecycle::default();
        let (first, second) = (lifecycle.call(), lifecycle.call());
        lifecycle.stop_calls();
        assert!(first.is_cancelled() && second.is_cancelled());
        assert!(!lifecycle.call().is_cancelled());
        assert!(!lifecycle.shutdown.is_cancelled());
    }

    #[test]
    fn shutting_down_cancels_the_calls_too() {
        let lifecycle = Lifecycle::default();
        let call = lifecycle.call();
        lifecycle.shut_down();
        assert!(call.is_cancelled() && lifecycle.shutdown.is_cancelled());
    }
}
