//! Sends one request to ARM until it has an answer that stays: token, budget, attempt, verdict.

use std::time::Duration;

use super::answer;
use super::azure_error::AzureError;
use super::error_texts::{self, Cause};
use super::http::{ATTEMPT, Answer, Broken};
use super::request::Request;
use super::retry::{Reason, Tries};
use super::{Call, Client, Error, Json, Secret};

/// How long a write that has already left may take to be answered after a stop or timeout: what
/// became of it is worth knowing, since its object may exist.
const GRACE: Duration = Duration::from_secs(5);

/// A success answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub answer: Answer,
    pub body: Json,
}

impl Client {
    /// Sends a request, again as long as that is worth it. Success is any 2xx answer.
    pub(super) async fn send(
        &self,
        call: &Call,
        request: &Request,
        tries: &mut Tries,
    ) -> Result<Reply, Error> {
        let lane = request.lane();
        let (method, about) = (request.method(), request.about.as_str());
        let waiting = format!("{method} {about}");
        let mut last: Option<Error> = None;
        loop {
            let ready = async {
                self.0.throttle.admit(call, &lane).await?;
                self.attempt(call, request).await
            };
            let (token, sent) = ready
                .await
                .map_err(|error| error.while_waiting(&waiting, last.as_ref()))?;
            let (error, pause) = match sent {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    let body = answer::json(method.as_str(), about, &answer)?;
                    return Ok(Reply { answer, body });
                }
                Ok(answer) => {
                    let mut error = answer::error(method.as_str(), about, &answer);
                    error.after_loss = tries.lost;
                    if error.status == 401 && !tries.renewed_token {
                        // Revoked, or expired on its way: once more with a new one.
                        tries.renewed_token = true;
                        self.0.tokens.drop_token(&token);
                        last = Some(error.into());
                        continue;
                    }
                    if error_texts::cause(&error) == Some(Cause::NotRegistered) && !tries.registered
                    {
                        tries.registered = true;
                        self.register(call, request, &error).await?;
                        last = Some(error.into());
                        continue;
                    }
                    let again = tries.after_error(
                        request,
                        &error,
                        answer.retry_after(),
                        &self.0.memory,
                        &self.0.clock,
                    );
                    if let Some((Reason::Throttled, pause)) = again {
                        // The lane makes every request of this kind wait, this one included.
                        self.0.throttle.hold(&lane, pause);
                    }
                    (error.into(), again.map(|(_, pause)| pause))
                }
                Err(broken) => {
                    let pause = tries.after_silence(request, &broken, &self.0.clock);
                    let message = broken.into_message();
                    (
                        Error::Transport {
                            method: method.to_string(),
                            about: about.to_owned(),
                            message,
                        },
                        pause,
                    )
                }
            };
            let Some(pause) = pause else {
                return Err(error);
            };
            tracing::debug!(%method, about, pause_ms = pause.as_millis(), %error, "trying again");
            call.sleep(pause)
                .await
                .map_err(|ended| ended.while_waiting(&waiting, Some(&error)))?;
            if request.ages {
                tries.passed = true;
                return Err(error);
            }
            last = Some(error);
        }
    }

    /// One attempt, with the token that it used.
    async fn attempt(
        &self,
        call: &Call,
        request: &Request,
    ) -> Result<(Secret, Result<Answer, Broken>), Error> {
        let cloud = self.discover(call).await?;
        let (tokens, http) = (&self.0.tokens, &self.0.http);
        let (token, auxiliary) = tokio::try_join!(
            tokens.token(call, http, cloud),
            tokens.auxiliary(call, http, cloud)
        )?;
        let wire = request.wire(
            &cloud.resource_manager,
            &token,
            &auxiliary,
            self.0.correlation.as_ref(),
        )?;
        let _permit = call.bound(self.0.permits.acquire()).await?;
        call.check()?;
        let began = self.0.clock.now();
        let sent = http.send(wire);
        tokio::pin!(sent);
        let answer = tokio::select! {
            biased;
            answer = &mut sent => answer,
            ended = call.ended() => {
                if !request.writes() {
                    return Err(ended);
                }
                tokio::select! {
                    answer = &mut sent => answer,
                    () = self.0.clock.sleep_for_peer(GRACE) => return Err(ended),
                }
            }
            () = self.0.clock.sleep_for_peer(ATTEMPT) => Err(Broken::no_answer()),
        };
        self.note(request, &answer, self.0.clock.since(began));
        Ok((token, answer))
    }

    /// One line for each exchange: no query (operation addresses are signed), no headers but ids,
    /// no body.
    fn note(&self, request: &Request, answer: &Result<Answer, Broken>, took: Duration) {
        let (method, about, ms) = (request.method(), &request.about, took.as_millis());
        match answer {
            Ok(answer) => tracing::debug!(
                %method,
                about,
                ms,
                status = answer.status,
                request_id = answer.header("x-ms-request-id"),
                correlation_id = answer.header("x-ms-correlation-request-id"),
                routing_id = answer.header("x-ms-routing-request-id"),
                "ARM answered"
            ),
            Err(broken) => tracing::debug!(%method, about, ms, ?broken, "ARM did not answer"),
        }
    }

    async fn register(
        &self,
        call: &Call,
        request: &Request,
        error: &AzureError,
    ) -> Result<(), Error> {
        // Registration sends requests of its own, so the future refers to its own kind.
        Box::pin(self.0.registrations.register(self, call, request, error)).await
    }
}
