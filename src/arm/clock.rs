//! The one clock that all waiting goes through. Tests run it faster than real time, so that a
//! thirty-minute timeout or a five-minute back-off costs them a moment.

use std::time::{Duration, Instant};

/// Where time comes from. Cheap to clone; clones agree on the time.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    factor: u32,
}

impl Clock {
    /// The clock on the wall.
    pub fn real() -> Self {
        Self::fast(1)
    }

    /// A clock that runs `factor` times as fast as the one on the wall (0 counts as 1).
    /// Everything that is measured with it, a round trip included, seems to take that much longer.
    pub fn fast(factor: u32) -> Self {
        Self {
            origin: Instant::now(),
            factor: factor.max(1),
        }
    }

    /// The time now, as an instant of this clock. Only compare it with instants of the same clock.
    pub fn now(&self) -> Instant {
        self.origin + self.origin.elapsed() * self.factor
    }

    /// Waits for a span of this clock's time.
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span / self.factor).await;
    }

    /// Waits for a span of this clock's time, but at least ten seconds by the one on the wall: for
    /// a peer that owes an answer, and whose time does not run faster because ours does.
    pub(super) async fn sleep_for_peer(&self, span: Duration) {
        tokio::time::sleep((span / self.factor).max(span.min(Duration::from_secs(10)))).await;
    }

    /// How long ago an instant of this clock was; zero if it is still to come.
    pub fn since(&self, instant: Instant) -> Duration {
        self.now().saturating_duration_since(instant)
    }

    /// How long until an instant of this clock; zero if it has passed.
    pub fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fast_clock_sleeps_a_minute_in_a_moment_and_says_so() {
        let clock = Clock::fast(6000);
        let (began, wall) = (clock.now(), Instant::now());
        clock.sleep(Duration::from_secs(60)).await;
        assert!(clock.since(began) >= Duration::from_secs(60));
        assert!(wall.elapsed() < Duration::from_secs(5));
        assert_eq!(clock.until(began), Duration::ZERO);
    }
}
