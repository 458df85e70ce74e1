//! How often Azure may be asked. A 429 holds back every request of its kind in that subscription,
//! because a request before `Retry-After` is not processed and only makes the wait longer.
//! Private DNS allows 500 reads in five minutes for a subscription, so those are counted.
//! Source: Microsoft Learn, "Throttling Resource Manager requests" and "Network throttling limits".

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Call, Clock, Error};

/// Somewhat below Azure's 500, since other programs read too.
const DNS_READS: usize = 450;
const DNS_WINDOW: Duration = Duration::from_secs(300);

/// What is counted and held back together: a subscription and a kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub subscription_id: String,
    pub kind: LaneKind,
}

/// Azure keeps a budget for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LaneKind {
    Read,
    Write,
    Delete,
    DnsRead,
}

/// The state of all lanes.
#[derive(Debug)]
pub(super) struct Throttle {
    clock: Clock,
    held: Mutex<HashMap<Lane, Instant>>,
    dns: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Throttle {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            held: Mutex::default(),
            dns: Mutex::default(),
        }
    }

    /// Waits until a request may be sent, and counts it.
    pub(super) async fn admit(&self, call: &Call, lane: &Lane) -> Result<(), Error> {
        loop {
            let held = self
                .held()
                .get(lane)
                .map_or(Duration::ZERO, |until| self.clock.until(*until));
            let wait = if held.is_zero() {
                self.count_dns(lane)
            } else {
                held
            };
            if wait.is_zero() {
                return Ok(());
            }
            let waiting = format!(
                "Azure's limit on {} requests in subscription {}",
                lane.words(),
                lane.subscription_id
            );
            call.sleep(wait)
                .await
                .map_err(|error| error.while_waiting(&waiting, None))?;
        }
    }

    /// Azure answered 429: nothing more in this lane for so long.
    pub(super) fn hold(&self, lane: &Lane, span: Duration) {
        let until = self.clock.now() + span;
        let mut held = self.held();
        let entry = held.entry(lane.clone()).or_insert(until);
        *entry = until.max(*entry);
    }

    /// The share of the budget that is left, from 0 to 1; only private DNS reads are counted.
    pub(super) fn left(&self, lane: &Lane) -> f64 {
        if lane.kind != LaneKind::DnsRead {
            return 1.0;
        }
        let mut dns = self.dns();
        let used = dns
            .get_mut(&lane.subscription_id)
            .map_or(0, |reads| self.forget_old(reads));
        1.0 - used as f64 / DNS_READS as f64
    }

    /// Counts a DNS read, or says how long to wait for the next free place.
    fn count_dns(&self, lane: &Lane) -> Duration {
        if lane.kind != LaneKind::DnsRead {
            return Duration::ZERO;
        }
        let mut dns = self.dns();
        let reads = dns.entry(lane.subscription_id.clone()).or_default();
        if self.forget_old(reads) < DNS_READS {
            reads.push_back(self.clock.now());
            return Duration::ZERO;
        }
        // At least a moment, so that rounding cannot make the caller spin.
        reads
            .front()
            .map_or(Duration::ZERO, |oldest| {
                self.clock.until(*oldest + DNS_WINDOW)
            })
            .max(Duration::from_millis(50))
    }

    fn forget_old(&self, reads: &mut VecDeque<Instant>) -> usize {
        while reads
            .front()
            .is_some_and(|read| self.clock.since(*read) >= DNS_WINDOW)
        {
            reads.pop_front();
        }
        reads.len()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Lane, Instant>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dns(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Instant>>> {
        self.dns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn words(&self) -> &'static str {
        match self.kind {
            LaneKind::Read => "read",
            LaneKind::Write => "write",
            LaneKind::Delete => "delete",
            LaneKind::DnsRead => "private DNS read",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio_util::sync::CancellationToken;

    use super::*;

    fn lane(kind: LaneKind) -> Lane {
        Lane {
            subscription_id: "s".into(),
            kind,
        }
    }

    #[tokio::test]
    async fn private_dns_reads_wait_once_the_budget_of_five_minutes_is_used_up() {
        let clock = Clock::fast(1000);
        let (throttle, call) = (
            Throttle::new(&clock),
            Call::new(&clock, Duration::from_secs(3600), CancellationToken::new()),
        );
        let began = clock.now();
        for _ in 0..DNS_READS {
            throttle
                .admit(&call, &lane(LaneKind::DnsRead))
                .await
                .unwrap();
        }
        assert!(throttle.left(&lane(LaneKind::DnsRead)) < 0.5);
        throttle
            .admit(&call, &lane(LaneKind::DnsRead))
            .await
            .unwrap();
        assert!(
            clock.since(began) >= DNS_WINDOW,
            "the read did not wait: {:?}",
            clock.since(began)
        );
        assert_eq!(throttle.left(&lane(LaneKind::Read)), 1.0);
    }

    #[tokio::test]
    async fn a_lane_that_is_held_holds_no_other() {
        let clock = Clock::fast(100);
        let (throttle, call) = (
            Throttle::new(&clock),
            Call::new(&clock, Duration::from_secs(5), CancellationToken::new()),
        );
        throttle.hold(&lane(LaneKind::Read), Duration::from_secs(600));
        throttle.admit(&call, &lane(LaneKind::Write)).await.unwrap();
        let error = throttle
            .admit(&call, &lane(LaneKind::Read))
            .await
            .unwrap_err();
        assert!(
            error.is_timeout() && error.to_string().contains("limit on read requests"),
            "{error}"
        );
    }
}
