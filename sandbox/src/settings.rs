//! Settings: what the command line sets at the start and the remote control can change while it runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::operations::Pace;
use crate::store::World;

/// The subscription of a sandbox that was given none.
pub const DEFAULT_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
/// The tenant of a sandbox that was given none.
pub const DEFAULT_TENANT: &str = "00000000-0000-0000-0000-00000000aaaa";

/// How the sandbox starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Serves HTTPS and keeps its certificates in this folder; `ca.pem` is what clients trust.
    pub tls: Option<PathBuf>,
    /// The world at the start, as [`crate::Running::world`] gave it; that of a state file goes before it.
    pub world: Option<World>,
    /// Keeps the world in this file.
    pub state: Option<PathBuf>,
    /// Writes each exchange into this folder.
    pub record: Option<PathBuf>,
    /// The subscriptions; at least one.
    pub subscriptions: Vec<String>,
    /// The Entra tenant.
    pub tenant: String,
    /// Namespaces that are not registered at the start.
    pub unregistered: Vec<String>,
    /// What can change later.
    pub settings: Settings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            world: None,
            state: None,
            record: None,
            subscriptions: vec![DEFAULT_SUBSCRIPTION.to_owned()],
            tenant: DEFAULT_TENANT.to_owned(),
            unregistered: Vec::new(),
            settings: Settings::default(),
        }
    }
}

/// What can change while the sandbox runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds that every ARM request waits.
    pub latency_ms: u64,
    /// The least time of a long-running operation. It is seen running twice even when this is 0.
    pub operation_time_ms: u64,
    /// How long an operation goes on that nobody polls.
    pub unwatched_ms: u64,
    /// Seconds of `Retry-After` on accepted operations; none when `null`.
    pub retry_after: Option<u32>,
    /// The first read after a creation answers 404.
    pub eventual_consistency: bool,
    /// Most entries on a page of a list; all when `null`.
    pub page_size: Option<usize>,
    /// Seconds that a token lives.
    pub token_lifetime: u64,
    /// Milliseconds until role assignments know a new principal.
    pub principal_delay_ms: u64,
    /// Milliseconds until a new role assignment is in effect.
    pub role_effect_ms: u64,
    /// How many lists by principal leave a new role assignment out.
    pub role_list_reads: u32,
    /// Actions that the caller may not do: `Microsoft.Authorization/*/write`. It may do all others.
    pub caller_not_actions: Vec<String>,
}

/// How far the authorization service lags behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct RolePace {
    /// `principalDelayMs`.
    pub principal_ms: u64,
    /// `roleEffectMs`.
    pub effect_ms: u64,
    /// `roleListReads`.
    pub list_reads: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            operation_time_ms: 0,
            unwatched_ms: 3000,
            retry_after: Some(1),
            eventual_consistency: false,
            page_size: None,
            token_lifetime: 3599,
            principal_delay_ms: 0,
            role_effect_ms: 0,
            role_list_reads: 1,
            caller_not_actions: Vec::new(),
        }
    }
}

impl Settings {
    /// How long operations take.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            operation_time: Duration::from_millis(self.operation_time_ms),
            unwatched: Duration::from_millis(self.unwatched_ms),
        }
    }

    /// How far the authorization service lags behind.
    #[must_use]
    pub fn role_pace(&self) -> RolePace {
        RolePace {
            principal_ms: self.principal_delay_ms,
            effect_ms: self.role_effect_ms,
            list_reads: self.role_list_reads,
        }
    }
}
