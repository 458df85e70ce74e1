//! The one cache of tokens: one request under way for each scope and tenant, renewed before they
//! expire, and while a renewal runs the others go on with the old token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::choose::Choice;
use super::{Ask, Attempt, CredentialError, Failure, Token};
use crate::arm::http::Http;
use crate::arm::{Call, Caller, Clock, Cloud, Error, Secret, Settings};

/// A token is renewed this long before it expires, or at half its life if that is later.
const EARLY: Duration = Duration::from_secs(20 * 60);
/// A token that lives no longer than this may expire on its way to Azure.
const TOO_LATE: Duration = Duration::from_secs(30);
/// How long a refusal is remembered, so that parts that run at the same time share it.
const REFUSED: Duration = Duration::from_secs(10);

/// The tokens of one client.
pub(in crate::arm) struct Tokens {
    choice: Choice,
    clock: Clock,
    auxiliary_tenant_ids: Vec<String>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    caller: Mutex<Option<Caller>>,
}

/// An auxiliary tenant, and a scope.
type Key = (Option<String>, String);

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Held by whoever asks for a token.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    refused: Option<(Instant, Error)>,
}

impl Tokens {
    /// Decides on the method of authentication. No network I/O.
    pub(in crate::arm) fn new(settings: &Settings, clock: &Clock) -> Result<Self, Error> {
        if settings.auxiliary_tenant_ids.len() > 3 {
            return Err(Error::Settings(
                "auxiliary_tenant_ids: Azure takes at most three".into(),
            ));
        }
        Ok(Self {
            choice: Choice::new(settings)?,
            clock: clock.clone(),
            auxiliary_tenant_ids: settings.auxiliary_tenant_ids.clone(),
            slots: Mutex::default(),
            caller: Mutex::default(),
        })
    }

    /// The token for Azure Resource Manager.
    pub(in crate::arm) async fn token(
        &self,
        call: &Call,
        http: &Http,
        cloud: &Cloud,
    ) -> Result<Secret, Error> {
        let token = self.get(call, http, cloud, None, &cloud.scope()).await?;
        let mut caller = lock(&self.caller);
        if caller.is_none() {
            *caller = claims(&token);
        }
        Ok(token)
    }

    /// The token for another service of Azure.
    pub(in crate::arm) async fn token_for(
        &self,
        call: &Call,
        http: &Http,
        cloud: &Cloud,
        scope: &str,
    ) -> Result<Secret, Error> {
        self.get(call, http, cloud, None, scope).await
    }

    /// The tokens of the auxiliary tenants, in the order of the settings.
    pub(in crate::arm) async fn auxiliary(
        &self,
        call: &Call,
        http: &Http,
        cloud: &Cloud,
    ) -> Result<Vec<Secret>, Error> {
        let scope = cloud.scope();
        futures::future::try_join_all(
            self.auxiliary_tenant_ids
                .iter()
                .map(|tenant| self.get(call, http, cloud, Some(tenant), &scope)),
        )
        .await
    }

    /// Azure refused a token, so the next request gets a new one, unless there is one already.
    pub(in crate::arm) fn drop_token(&self, refused: &Secret) {
        for slot in lock(&self.slots).values() {
            let mut state = lock(&slot.state);
            if state
                .token
                .as_ref()
                .is_some_and(|token| token.secret == *refused)
            {
                state.token = None;
            }
        }
    }

    /// Whom the tokens speak for, once there is one.
    pub(in crate::arm) fn caller(&self) -> Option<Caller> {
        lock(&self.caller).clone()
    }

    async fn get(
        &self,
        call: &Call,
        http: &Http,
        cloud: &Cloud,
        tenant: Option<&str>,
        scope: &str,
    ) -> Result<Secret, Error> {
        let slot = lock(&self.slots)
            .entry((tenant.map(str::to_owned), scope.to_owned()))
            .or_default()
            .clone();
        match self.look(&slot) {
            Some(Found::Fresh(token)) => return Ok(token),
            Some(Found::Refused(error)) => return Err(error),
            Some(Found::Old(token)) => {
                // Somebody renews it already: this one still serves.
                let Ok(_asking) = slot.asking.try_lock() else {
                    return Ok(token);
                };
                return match self.ask(call, http, cloud, tenant, scope, &slot).await {
                    Err(error) if !error.is_stopped() => {
                        tracing::warn!(%error, "the access token could not be renewed; the old one is still valid");
                        Ok(token)
                    }
                    renewed => renewed,
                };
            }
            None => {}
        }
        let _asking = call.bound(slot.asking.lock()).await?;
        match self.look(&slot) {
            Some(Found::Fresh(token) | Found::Old(token)) => Ok(token),
            Some(Found::Refused(error)) => Err(error),
            None => self.ask(call, http, cloud, tenant, scope, &slot).await,
        }
    }

    fn look(&self, slot: &Slot) -> Option<Found> {
        let state = lock(&slot.state);
        let now = self.clock.now();
        if let Some(token) = &state.token {
            let left = token.expires.saturating_duration_since(now);
            let early = EARLY.min(token.expires.saturating_duration_since(token.obtained) / 2);
            if left > early.max(TOO_LATE) {
                return Some(Found::Fresh(token.secret.clone()));
            }
            if left > TOO_LATE {
                return Some(Found::Old(token.secret.clone()));
            }
        }
        let (when, error) = state.refused.as_ref()?;
        (self.clock.since(*when) < REFUSED).then(|| Found::Refused(error.clone()))
    }

    async fn ask(
        &self,
        call: &Call,
        http: &Http,
        cloud: &Cloud,
        tenant: Option<&str>,
        scope: &str,
        slot: &Slot,
    ) -> Result<Secret, Error> {
        let ask = Ask {
            call,
            http,
            authority: &cloud.authority,
            scope,
            auxiliary_tenant: tenant,
        };
        let mut attempts = self.choice.passed_over.clone();
        let error = match &self.choice.method {
            None => Error::Credentials(Box::new(CredentialError { attempts })),
            Some((name, method)) => match method.token(&ask).await {
                Ok(token) => {
                    tracing::debug!(method = name, "got an access token");
                    let secret = token.secret.clone();
                    *lock(&slot.state) = State {
                        token: Some(token),
                        refused: None,
                    };
                    return Ok(secret);
                }
                Err(Failure::Ended(error)) => {
                    return Err(error.while_waiting("an access token", None));
                }
                Err(Failure::Reason(reason)) => {
                    let reason = match tenant {
                        Some(tenant) => format!("for the auxiliary tenant {tenant}: {reason}"),
                        None => reason,
                    };
                    attempts.push(Attempt {
                        method: name,
                        reason,
                    });
                    Error::Credentials(Box::new(CredentialError { attempts }))
                }
            },
        };
        lock(&slot.state).refused = Some((self.clock.now(), error.clone()));
        Err(error)
    }
}

enum Found {
    Fresh(Secret),
    /// Valid, but to be renewed.
    Old(Secret),
    Refused(Error),
}

/// What an access token says about its bearer. For messages, and to name the tenant to a service that
/// checks the token itself: nothing is decided by it, so its signature is not checked.
pub(in crate::arm) fn claims(token: &Secret) -> Option<Caller> {
    let payload = token.expose().split('.').nth(1)?;
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?)
            .ok()?;
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| claims[*name].as_str())
            .map(str::to_owned)
    };
    Some(Caller {
        object_id: text(&["oid"]),
        client_id: text(&["appid", "azp"]),
        tenant_id: text(&["tid"]),
        user_name: text(&["upn", "preferred_username", "unique_name"]),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("method", &self.choice.method.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}
