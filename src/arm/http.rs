//! The wire: one `reqwest` client for everything, made at the first request.
//!
//! Reading the machine's certificate authorities takes longer than the whole start of the
//! provider, so it waits until something is really sent. The TLS configuration is our own, because
//! the process has one crypto provider (`aws-lc-rs`) and the roots of the user come on top.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use tokio::sync::OnceCell;

use super::connect::{broken, build, causes};
use super::settings::Proxy;
use super::{Call, Error, Secret, Settings};

/// What a request may take before its answer counts as lost. ARM itself gives up after a minute.
pub(super) const ATTEMPT: Duration = Duration::from_secs(120);

/// A lazily made HTTP client. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    roots: Vec<(&'static str, String)>,
    proxy: Proxy,
    user_agent: String,
    client: Arc<OnceCell<reqwest::Client>>,
}

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
}

/// An answer as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// How long to go on with a request that changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How often it is sent at most.
    pub tries: u32,
    /// How long each attempt may take.
    pub attempt: Duration,
}

impl Patience {
    const USUAL: Self = Self {
        tries: 4,
        attempt: ATTEMPT,
    };
}

/// Why no answer came.
#[derive(Clone, Debug)]
pub(super) enum Broken {
    /// The request never left, so sending it again is always safe.
    NotSent(String),
    /// The request may have been acted on.
    Lost(String),
    /// Sending it again would end the same: a certificate that is not trusted, wrong settings.
    Hopeless(String),
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Self {
        let file = |name, path: &Option<String>| path.clone().map(|path| (name, path));
        Self {
            roots: [
                file("ca_certificate_file", &settings.ca_certificate_file),
                file("SSL_CERT_FILE", &settings.ssl_cert_file),
            ]
            .into_iter()
            .flatten()
            .collect(),
            proxy: settings.proxy.clone(),
            user_agent: user_agent(settings),
            client: Arc::default(),
        }
    }

    /// Sends a request once and reads its whole answer. Redirects are answers like any other.
    pub(super) async fn send(&self, wire: Wire) -> Result<Answer, Broken> {
        let client = self
            .client()
            .await
            .map_err(|error| Broken::Hopeless(error.to_string()))?;
        let mut request = reqwest::Request::new(wire.method, wire.url);
        *request.headers_mut() = wire.headers;
        *request.body_mut() = wire.body.map(Into::into);
        let response = client.execute(request).await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| Broken::Lost(causes(&error.without_url())))?;
        Ok(Answer {
            status,
            headers,
            body: body.to_vec(),
        })
    }

    /// Sends a request that changes nothing, such as one for a token, again when it breaks or when
    /// `busy` says that the service wants to be asked later, four times in all.
    pub(super) async fn send_patiently(
        &self,
        call: &Call,
        wire: Wire,
        busy: impl Fn(&Answer) -> Option<Duration>,
    ) -> Result<Answer, Error> {
        self.send_within(call, wire, busy, Patience::USUAL).await
    }

    /// The same, with another patience.
    pub(super) async fn send_within(
        &self,
        call: &Call,
        wire: Wire,
        busy: impl Fn(&Answer) -> Option<Duration>,
        patience: Patience,
    ) -> Result<Answer, Error> {
        let mut pause = Duration::from_secs(1);
        let mut tries_left = patience.tries;
        loop {
            tries_left -= 1;
            let attempt = async {
                tokio::select! {
                    sent = self.send(wire.clone()) => sent,
                    () = call.clock().sleep_for_peer(patience.attempt) => {
                        Err(Broken::no_answer_within(patience.attempt))
                    }
                }
            };
            let wait = match call.bound(attempt).await? {
                Ok(answer) => match busy(&answer) {
                    Some(wait) if tries_left > 0 => wait.max(pause),
                    _ => return Ok(answer),
                },
                Err(broken) if tries_left == 0 || matches!(broken, Broken::Hopeless(_)) => {
                    let mut url = wire.url;
                    url.set_query(None);
                    let (method, about, message) = (
                        wire.method.to_string(),
                        url.to_string(),
                        broken.into_message(),
                    );
                    return Err(Error::Transport {
                        method,
                        about,
                        message,
                    });
                }
                Err(_) => pause,
            };
            call.sleep(wait).await?;
            pause *= 2;
        }
    }

    async fn client(&self) -> Result<&reqwest::Client, Error> {
        self.client
            .get_or_try_init(|| async {
                let (roots, proxy, user_agent) = (
                    self.roots.clone(),
                    self.proxy.clone(),
                    self.user_agent.clone(),
                );
                // Reading and parsing some hundred certificates is no work for an async thread.
                tokio::task::spawn_blocking(move || build(&roots, &proxy, &user_agent))
                    .await
                    .map_err(|error| {
                        Error::Settings(format!("the HTTP client could not be made: {error}"))
                    })?
            })
            .await
    }
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
    }

    /// `Retry-After` in seconds; ARM sends no dates.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs)
    }
}

impl Broken {
    /// The answer took too long.
    pub(super) fn no_answer() -> Self {
        Self::no_answer_within(ATTEMPT)
    }

    fn no_answer_within(span: Duration) -> Self {
        Self::Lost(format!("no answer within {} seconds", span.as_secs()))
    }

    pub(super) fn into_message(self) -> String {
        match self {
            Self::NotSent(message) | Self::Lost(message) | Self::Hopeless(message) => message,
        }
    }
}

/// Busy in the usual way: 408, 429 and 5xx, with the wait that the service asks for.
pub(super) fn busy(answer: &Answer) -> Option<Duration> {
    matches!(answer.status, 408 | 429 | 500..=599).then(|| answer.retry_after().unwrap_or_default())
}

/// A header whose value must not be logged by any layer below.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {}", token.expose()))
}

/// A header value that debug output shows as "Sensitive".
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::Settings("a token or header holds characters that no HTTP header can carry".into())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Headers from constant names.
pub(super) fn headers<const N: usize>(pairs: [(&'static str, HeaderValue); N]) -> HeaderMap {
    pairs
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), value))
        .collect()
}

/// Checks an address that secrets are sent to: https, or http to this machine alone.
/// The result has no path, query or slash at the end unless the given address has a path.
pub(super) fn secure_address(setting: &str, address: &str) -> Result<String, Error> {
    let wrong = |problem: &str| Error::Settings(format!("{setting}: {address:?} {problem}"));
    let with_scheme = if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    };
    let url =
        Url::parse(&with_scheme).map_err(|error| wrong(&format!("is no address: {error}")))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("must be a plain address: no user, query or fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(wrong(
                "must use https: http is allowed for this machine only (localhost, 127.0.0.1, [::1])",
            ));
        }
        _ => return Err(wrong("must use https")),
    }
    Ok(with_scheme.trim_end_matches('/').to_owned())
}

/// Whether an address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    host_ip(url).map_or_else(
        || url.host_str() == Some("localhost"),
        |ip| ip.is_loopback(),
    )
}

/// Whether an address is link-local, as the instance metadata service is.
pub(super) fn is_link_local(url: &Url) -> bool {
    matches!(host_ip(url), Some(IpAddr::V4(ip)) if ip.is_link_local())
}

fn host_ip(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

fn user_agent(settings: &Settings) -> String {
    let own = concat!("terraform-provider-fkaks/", env!("CARGO_PKG_VERSION"));
    let mut text = settings
        .user_agent
        .clone()
        .unwrap_or_else(|| own.to_owned());
    if let Some(partner) = &settings.partner_id {
        text = format!("{text} pid-{partner}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn http_is_for_this_machine_alone() {
        for fine in [
            "https://arm.example",
            "http://127.0.0.1:8080/",
            "http://localhost:1",
            "http://[::1]:1",
            "arm.example",
        ] {
            assert!(secure_address("x", fine).is_ok(), "{fine}");
        }
        assert_eq!(
            secure_address("x", "arm.example/").unwrap(),
            "https://arm.example"
        );
        for (wrong, why) in [
            ("http://arm.example", "https"),
            ("http://127.0.0.1.example", "https"),
            ("ftp://arm.example", "https"),
            ("https://user:pass@arm.example", "plain address"),
            ("https://", "no address"),
        ] {
            let error = secure_address("metadata_host", wrong)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(why) && error.starts_with("metadata_host"),
                "{wrong}: {error}"
            );
        }
    }
}
