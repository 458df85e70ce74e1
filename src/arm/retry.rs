//! Whether to send a request again, and when. Pure: it reads the answer, not the network.
//!
//! What passes by itself (throttling, contention) is tried until the operation's own timeout; what
//! may never pass (a server error, a name that cannot be resolved) only for a while, because the
//! user is waiting for the reason.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Clock;
use super::azure_error::AzureError;
use super::error_texts::{self, Cause};
use super::http::Broken;
use super::memory::Memory;
use super::request::{Kind, Request};

/// What has been tried so far for one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Tries {
    seen: BTreeMap<Reason, (u32, Instant)>,
    /// An attempt may have been acted on without our hearing of it.
    pub lost: bool,
    /// A new token was tried already.
    pub renewed_token: bool,
    /// The resource provider was registered already.
    pub registered: bool,
    /// The pause before another try of a request that ages is over.
    pub passed: bool,
}

/// Why to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// 429 with a budget behind it: the wait is mandatory.
    Throttled,
    /// 408, 503, 504: the service is away for a moment.
    Unavailable,
    /// 500 and the like: may be a mistake that stays.
    Failing,
    /// The request never left.
    NotSent,
    /// The answer never came.
    Lost,
    Contention,
    NotYet,
    Releasing,
    Replication,
    /// 412 though we set no condition.
    Precondition,
}

impl Tries {
    /// How long to wait before sending again after no answer came; `None` to give up.
    pub(super) fn after_silence(
        &mut self,
        request: &Request,
        broken: &Broken,
        clock: &Clock,
    ) -> Option<Duration> {
        let reason = match broken {
            Broken::Hopeless(_) => return None,
            Broken::NotSent(_) => Reason::NotSent,
            Broken::Lost(_) => {
                self.lost = true;
                if !request.repeatable() {
                    return None;
                }
                Reason::Lost
            }
        };
        self.next(reason, None, clock)
    }

    /// How long to wait before sending again after an error answer; `None` to give up.
    pub(super) fn after_error(
        &mut self,
        request: &Request,
        error: &AzureError,
        retry_after: Option<Duration>,
        memory: &Memory,
        clock: &Clock,
    ) -> Option<(Reason, Duration)> {
        let reason = reason(request, error, memory)?;
        // A gateway's timeout says nothing about what became of the request behind it.
        self.lost |= matches!(error.status, 500 | 502 | 504) && !error.operation;
        self.next(reason, retry_after, clock)
            .map(|wait| (reason, wait))
    }

    fn next(
        &mut self,
        reason: Reason,
        retry_after: Option<Duration>,
        clock: &Clock,
    ) -> Option<Duration> {
        let now = clock.now();
        let (count, first) = self.seen.entry(reason).or_insert((0, now));
        *count += 1;
        if reason
            .patience()
            .is_some_and(|patience| now.saturating_duration_since(*first) > patience)
        {
            return None;
        }
        Some(
            retry_after
                .filter(|_| reason.heeds_retry_after())
                .unwrap_or_else(|| reason.pause(*count)),
        )
    }
}

/// Why an error answer is worth another try, if it is.
fn reason(request: &Request, error: &AzureError, memory: &Memory) -> Option<Reason> {
    let cause = error_texts::cause(error);
    if error.status == 429 {
        // Network answers 429 when another operation holds a lock, which is no matter of budgets.
        return Some(if cause == Some(Cause::Contention) {
            Reason::Contention
        } else {
            Reason::Throttled
        });
    }
    let missing_is_news = || {
        let Some(id) = &request.id else { return false };
        match request.kind {
            Kind::Get | Kind::Delete => memory.may_be_invisible(id),
            _ => {
                let group_missing = error
                    .code
                    .as_deref()
                    .is_some_and(|code| code.eq_ignore_ascii_case("ResourceGroupNotFound"));
                memory.refers_to_new(id, request.body.as_ref(), group_missing)
            }
        }
    };
    match cause {
        Some(Cause::Contention) => return Some(Reason::Contention),
        Some(Cause::Replication) => return Some(Reason::Replication),
        Some(Cause::Releasing) => {
            return memory
                .deleted_lately(request.subscription_id())
                .then_some(Reason::Releasing);
        }
        Some(Cause::NotYet) => return missing_is_news().then_some(Reason::NotYet),
        Some(Cause::NotRegistered) => return None,
        None => {}
    }
    if error.operation {
        return None;
    }
    match error.status {
        // A code that the table does not know says more than that something is missing.
        404 if error.code.is_none() => missing_is_news().then_some(Reason::NotYet),
        412 if !request.create_only => Some(Reason::Precondition),
        503 => Some(Reason::Unavailable),
        408 | 504 => request.repeatable().then_some(Reason::Unavailable),
        424 | 500..=599 => request.repeatable().then_some(Reason::Failing),
        _ => None,
    }
}

impl Reason {
    /// How long it is worth trying; `None` until the operation's timeout.
    fn patience(self) -> Option<Duration> {
        let seconds = match self {
            Self::Throttled | Self::Unavailable | Self::Contention => return None,
            Self::Failing | Self::Lost | Self::Releasing => 300,
            Self::Replication => 180,
            Self::NotYet => 120,
            Self::NotSent => 30,
            Self::Precondition => 10,
        };
        Some(Duration::from_secs(seconds))
    }

    fn heeds_retry_after(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Unavailable | Self::Failing | Self::Contention
        )
    }

    /// The pause before a try, counted from one.
    fn pause(self, count: u32) -> Duration {
        let doubling =
            |first: f64, most: f64| first * 2f64.powi(count.min(16) as i32 - 1).min(most / first);
        let seconds = match self {
            Self::Throttled | Self::Replication => doubling(1.0, 30.0),
            Self::Unavailable | Self::Failing | Self::NotSent | Self::Lost => doubling(0.5, 30.0),
            Self::NotYet | Self::Precondition => doubling(0.5, 5.0),
            Self::Releasing => doubling(1.0, 10.0),
            // Those who wait for the same lock must not come back at the same time.
            Self::Contention if count == 1 => 0.5 + jitter(),
            Self::Contention => 2.0 + 3.0 * jitter(),
        };
        Duration::from_secs_f64(seconds)
    }
}

/// A number from 0 to 1 that differs between requests.
fn jitter() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::arm::ArmId;

    fn zone() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "g")
            .resource("Microsoft.Network/privateDnsZones", "z")
    }

    fn error(status: u16, code: &str) -> AzureError {
        AzureError {
            status,
            code: Some(code.into()),
            ..AzureError::default()
        }
    }

    fn judge(kind: Kind, error: &AzureError, memory: &Memory) -> Option<Reason> {
        reason(
            &Request::on(kind, &zone(), "1", &[]).with_body(&json!({})),
            error,
            memory,
        )
    }

    #[test]
    fn contention_is_told_apart_from_a_used_up_budget() {
        let memory = Memory::new(&Clock::real());
        assert_eq!(
            judge(Kind::Put, &error(429, "RetryableError"), &memory),
            Some(Reason::Contention)
        );
        assert_eq!(
            judge(Kind::Put, &error(429, "TooManyRequests"), &memory),
            Some(Reason::Throttled)
        );
        assert_eq!(
            judge(
                Kind::Put,
                &error(409, "AnotherOperationInProgress"),
                &memory
            ),
            Some(Reason::Contention)
        );
        assert_eq!(
            judge(Kind::Put, &error(409, "NameNotAvailable"), &memory),
            None
        );
        assert_eq!(
            judge(Kind::Put, &error(403, "RequestDisallowedByPolicy"), &memory),
            None
        );
        assert_eq!(
            judge(Kind::Put, &error(400, "InvalidRequest"), &memory),
            None
        );
    }

    #[test]
    fn not_found_is_doubted_only_for_what_we_made_just_now() {
        let memory = Memory::new(&Clock::real());
        let missing = error(404, "ResourceNotFound");
        assert_eq!(judge(Kind::Get, &missing, &memory), None);
        memory.wrote(&zone());
        assert_eq!(judge(Kind::Get, &missing, &memory), Some(Reason::NotYet));
        memory.saw(&zone());
        assert_eq!(judge(Kind::Get, &missing, &memory), None);
        assert_eq!(
            judge(Kind::Put, &error(404, "InvalidResourceType"), &memory),
            None
        );
        let link = Request::on(
            Kind::Put,
            &zone().child("virtualNetworkLinks", "l"),
            "1",
            &[],
        );
        assert_eq!(
            reason(&link, &error(404, "ParentResourceNotFound"), &memory),
            Some(Reason::NotYet)
        );
        let read = Request {
            kind: Kind::Get,
            ..link
        };
        assert_eq!(
            reason(&read, &error(404, "ParentResourceNotFound"), &memory),
            None
        );
    }

    #[test]
    fn still_in_use_is_doubted_only_after_we_deleted_something() {
        let memory = Memory::new(&Clock::real());
        let in_use = error(409, "CannotDeleteResource");
        assert_eq!(judge(Kind::Delete, &in_use, &memory), None);
        memory.deleted(&zone().child("virtualNetworkLinks", "l"));
        assert_eq!(
            judge(Kind::Delete, &in_use, &memory),
            Some(Reason::Releasing)
        );
    }

    #[test]
    fn an_action_is_not_run_twice_on_a_guess() {
        let request = Request::on(Kind::Post { repeatable: false }, &zone(), "1", &[]);
        let clock = Clock::real();
        let mut tries = Tries::default();
        assert_eq!(
            tries.after_silence(&request, &Broken::Lost(String::new()), &clock),
            None
        );
        assert!(
            tries
                .after_silence(&request, &Broken::NotSent(String::new()), &clock)
                .is_some()
        );
        assert_eq!(
            reason(&request, &error(500, "x"), &Memory::new(&clock)),
            None
        );
        assert_eq!(
            reason(&request, &error(503, "x"), &Memory::new(&clock)),
            Some(Reason::Unavailable)
        );
    }

    #[tokio::test]
    async fn a_server_error_is_tried_for_minutes_and_throttling_until_the_timeout() {
        let clock = Clock::fast(10_000);
        let (request, memory) = (
            Request::on(Kind::Get, &zone(), "1", &[]),
            Memory::new(&clock),
        );
        let mut tries = Tries::default();
        let mut again =
            |status| tries.after_error(&request, &error(status, "x"), None, &memory, &clock);
        assert!(again(500).is_some() && again(429).is_some());
        clock.sleep(Duration::from_secs(400)).await;
        assert!(again(500).is_none() && again(429).is_some());
    }

    #[test]
    fn pauses_grow_to_a_limit_and_a_wait_that_azure_asks_for_is_kept() {
        assert_eq!(Reason::Unavailable.pause(1), Duration::from_millis(500));
        assert_eq!(Reason::Unavailable.pause(40), Duration::from_secs(30));
        let clock = Clock::real();
        let asked = Some(Duration::from_secs(17));
        assert_eq!(
            Tries::default().next(Reason::Throttled, asked, &clock),
            asked
        );
        let contention = Reason::Contention.pause(5).as_secs_f64();
        assert!((2.0..=5.0).contains(&contention), "{contention}");
    }
}
