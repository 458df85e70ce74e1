//! What bounds one Terraform operation: its timeout, and the user's wish to stop.
//!
//! Every request, poll and pause in `arm` takes a [`Call`], so nothing can outlast it. Time spent
//! waiting for one of our own locks is given back, because the user's timeout is about Azure.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Clock, Error};

/// The bounds of one operation. Cheap to clone; clones share the same deadline.
#[derive(Clone, Debug)]
pub struct Call(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    timeout: Duration,
    started: Instant,
    pauses: Mutex<Pauses>,
    stop: CancellationToken,
}

/// Pauses may overlap, since the parts of a resource run at the same time: what counts is the
/// time in which at least one of them waited.
#[derive(Debug, Default)]
struct Pauses {
    open: u32,
    since: Option<Instant>,
    spent: Duration,
}

impl Call {
    /// Bounds that begin now.
    pub fn new(clock: &Clock, timeout: Duration, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            clock: clock.clone(),
            timeout,
            started: clock.now(),
            pauses: Mutex::default(),
            stop,
        }))
    }

    /// The clock that this call's time is measured with.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The timeout as the user set it.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// The token that says the user wants to stop.
    pub fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// When the operation must have ended; moves away while a pause lasts.
    pub fn deadline(&self) -> Instant {
        let pauses = self.pauses();
        let open = pauses
            .since
            .map_or(Duration::ZERO, |since| self.0.clock.since(since));
        self.0.started + self.0.timeout + pauses.spent + open
    }

    /// How much time is left.
    pub fn remaining(&self) -> Duration {
        self.0.clock.until(self.deadline())
    }

    /// Whether the call may go on.
    ///
    /// # Errors
    /// [`Error::is_stopped`] after a stop, [`Error::is_timeout`] after the deadline.
    pub fn check(&self) -> Result<(), Error> {
        if self.0.stop.is_cancelled() {
            Err(Error::stopped())
        } else if self.remaining().is_zero() {
            Err(Error::timeout(self.0.timeout))
        } else {
            Ok(())
        }
    }

    /// Waits, but not beyond the end of the call.
    ///
    /// # Errors
    /// As [`Call::check`]: at once on a stop, and at the deadline if that comes first.
    pub async fn sleep(&self, span: Duration) -> Result<(), Error> {
        self.bound(self.0.clock.sleep(span)).await
    }

    /// Runs a future, but not beyond the end of the call.
    ///
    /// # Errors
    /// As [`Call::check`]; the future is dropped then.
    pub async fn bound<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        self.check()?;
        tokio::select! {
            biased;
            error = self.ended() => Err(error),
            output = future => Ok(output),
        }
    }

    /// Waits for one of our own locks without using up the timeout. Ends early on a stop.
    ///
    /// # Errors
    /// Only [`Error::is_stopped`].
    pub async fn paused<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        let _pause = Pause::begin(&self.0);
        tokio::select! {
            biased;
            () = self.0.stop.cancelled() => Err(Error::stopped()),
            output = future => Ok(output),
        }
    }

    /// Resolves when the call has to end, with the reason.
    pub(super) async fn ended(&self) -> Error {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            // A pause may have moved the deadline meanwhile: look again when the time has come.
            tokio::select! {
                biased;
                () = self.0.stop.cancelled() => {}
                () = self.0.clock.sleep(self.remaining()) => {}
            }
        }
    }

    fn pauses(&self) -> MutexGuard<'_, Pauses> {
        self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a pause when dropped, so that a cancelled wait gives no time away.
struct Pause<'a>(&'a Inner);

impl<'a> Pause<'a> {
    fn begin(inner: &'a Inner) -> Self {
        let mut pauses = inner.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.open += 1;
        pauses.since.get_or_insert_with(|| inner.clock.now());
        Self(inner)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut pauses = self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.open -= 1;
        if pauses.open == 0
            && let Some(since) = pauses.since.take()
        {
            pauses.spent += self.0.clock.since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(clock: &Clock, seconds: u64) -> (Call, CancellationToken) {
        let stop = CancellationToken::new();
        (
            Call::new(clock, Duration::from_secs(seconds), stop.clone()),
            stop,
        )
    }

    #[tokio::test]
    async fn a_sleep_ends_at_the_deadline_with_a_timeout() {
        let clock = Clock::fast(100);
        let (call, _stop) = call(&clock, 2);
        let Err(error) = call.sleep(Duration::from_secs(3600)).await else {
            panic!("slept on")
        };
        assert!(error.is_timeout(), "{error}");
        assert!(clock.since(call.0.started) < Duration::from_secs(600));
    }

    #[tokio::test]
    async fn a_stop_ends_a_sleep_and_a_pause_at_once() {
        let (call, stop) = call(&Clock::real(), 3600);
        let (sleep, pause, ()) = tokio::join!(
            call.sleep(Duration::from_secs(3600)),
            call.paused(std::future::pending::<()>()),
            async { stop.cancel() }
        );
        assert!(sleep.is_err_and(|e| e.is_stopped()));
        assert!(pause.is_err_and(|e| e.is_stopped()));
    }

    #[tokio::test]
    async fn waiting_for_a_lock_does_not_use_up_the_timeout_even_when_two_wait_at_once() {
        let clock = Clock::fast(100);
        let (call, _stop) = call(&clock, 20);
        let wait = || call.paused(clock.sleep(Duration::from_secs(30)));
        let (a, b) = tokio::join!(wait(), wait());
        assert!(a.is_ok() && b.is_ok());
        assert!(call.check().is_ok(), "the pause was charged to the timeout");
        assert!(
            call.remaining() <= Duration::from_secs(20),
            "two pauses at once counted twice"
        );
        assert!(
            call.sleep(Duration::from_secs(40))
                .await
                .is_err_and(|e| e.is_timeout())
        );
    }
}
