//! Carries what the credentials of `azure_identity` send over the one HTTP client, so that proxies,
//! certificate authorities, attempts, the clock, the deadline and Stop are those of every other
//! request, and keeps what came back, because the crate's errors tell less than the answer does.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request, RetryOptions, Transport,
};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, USER_AGENT};

use super::{Ask, Failure, Token, words};
use crate::arm::Call;
use crate::arm::http::{Answer, Http, Wire, sensitive};

/// Where a credential's request is to go, and how its answer is understood.
pub(super) struct Route {
    /// The address (without a query) that the credential must ask for. Anything else it asks for,
    /// such as an address from the process environment, is refused, because secrets go there.
    pub expected: Url,
    /// The address that is asked in its place. The crate insists on https, knows no AD FS, and has
    /// the address of the metadata service built in.
    pub actual: Url,
    /// Whether the service wants to be asked later, and when.
    pub busy: fn(&Answer) -> Option<Duration>,
    /// What an answer without a token says to the user.
    pub refusal: fn(&Url, &Answer) -> String,
}

impl Route {
    /// A token by way of a credential that is made for this one request: the crate's credentials
    /// keep tokens, and would give one that Azure has just refused once more.
    pub(super) async fn token(
        self,
        ask: &Ask<'_>,
        make: impl FnOnce(ClientOptions) -> azure_core::Result<Arc<dyn TokenCredential>>,
    ) -> Result<Token, Failure> {
        let carrier = Arc::new(Carrier {
            call: ask.call.clone(),
            http: ask.http.clone(),
            route: self,
            outcome: Mutex::default(),
        });
        let options = ClientOptions {
            // Trying again is the carrier's.
            retry: RetryOptions::none(),
            transport: Some(Transport::new(carrier.clone())),
            ..ClientOptions::default()
        };
        let credential = make(options).map_err(|error| Failure::reason(words(&error)))?;
        let said = ask
            .call
            .bound(credential.get_token(&[ask.scope], None))
            .await?;
        let Route {
            actual, refusal, ..
        } = &carrier.route;
        match (said, carrier.take()) {
            (_, Some(Outcome::Failed(failure))) => Err(failure),
            (Ok(token), _) if !token.token.secret().is_empty() => Ok(ask.received(&token)),
            (said, Some(Outcome::Answered(answer))) if answer.status == 200 => {
                let why = said.err().map(|error| format!(" ({})", words(&error)));
                Err(Failure::reason(format!(
                    "{actual} answered 200 without a token{}",
                    why.unwrap_or_default()
                )))
            }
            (_, Some(Outcome::Answered(answer))) => Err(Failure::reason(refusal(actual, &answer))),
            (Err(error), None) => Err(Failure::reason(words(&error))),
            (Ok(_), None) => Err(Failure::reason(format!("{actual} was not asked"))),
        }
    }
}

/// The transport of one credential.
struct Carrier {
    call: Call,
    http: Http,
    route: Route,
    outcome: Mutex<Option<Outcome>>,
}

/// What became of the request.
enum Outcome {
    Answered(Answer),
    Failed(Failure),
}

#[async_trait]
impl HttpClient for Carrier {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let wire = self.wire(request)?;
        let sent = self
            .http
            .send_patiently(&self.call, wire, self.route.busy)
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                let error = Failure::from(error);
                self.keep(Outcome::Failed(error));
                return Err(hopeless("no answer came"));
            }
        };
        let busy = (self.route.busy)(&answer).is_some();
        let response =
            AsyncRawResponse::from_bytes(answer.status.into(), Headers::new(), answer.body.clone());
        self.keep(Outcome::Answered(answer));
        if busy {
            // The credential of the metadata service tries again on a clock of its own otherwise.
            return Err(hopeless("the service was asked often enough"));
        }
        Ok(response)
    }
}

impl Carrier {
    fn wire(&self, request: &Request) -> azure_core::Result<Wire> {
        let mut asked = request.url().clone();
        asked.set_query(None);
        if asked != self.route.expected {
            self.keep(Outcome::Failed(Failure::reason(format!(
                "the credential asked {asked} instead of {}, which it may not",
                self.route.expected
            ))));
            return Err(hopeless("an address that was not given"));
        }
        let mut url = self.route.actual.clone();
        url.set_query(request.url().query());
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            other => return Err(hopeless(&format!("{other} asks for no token"))),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers().iter() {
            let name = HeaderName::from_bytes(name.as_str().as_bytes())
                .map_err(|error| azure_core::Error::new(ErrorKind::DataConversion, error))?;
            let value = sensitive(value.as_str())
                .map_err(|error| azure_core::Error::new(ErrorKind::DataConversion, error))?;
            // This program has a name of its own, which the client adds.
            if name != USER_AGENT {
                headers.insert(name, value);
            }
        }
        let body = match request.body() {
            Body::Bytes(bytes) if bytes.is_empty() => None,
            Body::Bytes(bytes) => Some(bytes.to_vec()),
            Body::SeekableStream(_) => return Err(hopeless("token requests are not streams")),
        };
        Ok(Wire {
            method,
            url,
            headers,
            body,
        })
    }

    fn keep(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    fn take(&self) -> Option<Outcome> {
        self.outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier")
            .field("to", &self.route.actual.as_str())
            .finish_non_exhaustive()
    }
}

/// An error of a kind that the crate does not try again.
fn hopeless(words: &str) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Other, words.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use azure_core::http::{Context, Pipeline};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::arm::{Clock, Settings};

    #[tokio::test]
    async fn nothing_is_sent_to_an_address_that_was_not_given() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let there = format!("http://{}/token", listener.local_addr().unwrap());
        let there = Url::parse(&there).unwrap();
        let carrier = Arc::new(Carrier {
            call: Call::new(
                &Clock::real(),
                Duration::from_secs(60),
                CancellationToken::new(),
            ),
            http: Http::new(&Settings::default()),
            route: Route {
                expected: Url::parse("https://login.example/token").unwrap(),
                actual: there.clone(),
                busy: |_| None,
                refusal: |_, _| String::new(),
            },
            outcome: Mutex::default(),
        });
        let options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(carrier.clone())),
            ..ClientOptions::default()
        };
        let pipeline = Pipeline::new(None, None, options, vec![], vec![], None);
        for address in [there.as_str(), "https://login.example.org/token"] {
            let mut request = Request::new(Url::parse(address).unwrap(), Method::Post);
            request.set_body("client_secret=x");
            let sent = pipeline.send(&Context::new(), &mut request, None).await;
            assert!(sent.is_err());
            let Some(Outcome::Failed(Failure::Reason(reason))) = carrier.take() else {
                panic!("no reason for {address}")
            };
            assert!(reason.contains(address), "{reason}");
        }
        assert!(listener.accept().is_err(), "somebody was asked");
    }
}
