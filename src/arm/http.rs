//! The wire: one `reqwest` client for everything, made at the first request.
//!
//! Reading the machine's certificate authorities takes longer than the whole start of the
//! provider, so it waits until something is really sent. The TLS configuration is our own, because
//! the process has one crypto provider (`aws-lc-rs`) and the roots of the user come on top.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, NoProxy, Url};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::OnceCell;

use super::settings::Proxy;
use super::{Call, Error, Secret, Settings};

/// What a request may take before its answer counts as lost. ARM itself gives up after a minute.
pub(super) const ATTEMPT: Duration = Duration::from_secs(120);

/// Never through a proxy: this machine, and the link-local address of the metadata service.
const DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16";

/// A lazily made HTTP client.
#[derive(Debug)]
pub(super) struct Http {
    roots: Vec<(&'static str, String)>,
    proxy: Proxy,
    user_agent: String,
    client: OnceCell<reqwest::Client>,
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
            client: OnceCell::new(),
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
        let mut pause = Duration::from_secs(1);
        let mut tries_left = 4;
        loop {
            tries_left -= 1;
            let attempt = async {
                tokio::select! {
                    sent = self.send(wire.clone()) => sent,
                    () = call.clock().sleep(ATTEMPT) => Err(Broken::no_answer()),
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
        Self::Lost(format!("no answer within {} seconds", ATTEMPT.as_secs()))
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
    let mut text = match settings.user_agent.as_deref() {
        Some(given) => format!("{given} {own}"),
        None => own.to_owned(),
    };
    if let Some(partner) = &settings.partner_id {
        text = format!("{text} pid-{partner}");
    }
    text
}

fn build(
    roots: &[(&'static str, String)],
    proxy: &Proxy,
    user_agent: &str,
) -> Result<reqwest::Client, Error> {
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = |error: rustls::Error| Error::Settings(format!("TLS could not be set up: {error}"));
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
        read_roots(roots)?,
        crypto.clone(),
    )
    .map_err(tls)?;
    let mut config = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(20))
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(90))
        .no_proxy();
    let exceptions = format!(
        "{DIRECT},{}",
        proxy.exceptions.as_deref().unwrap_or_default()
    );
    let given = [
        (
            "HTTPS_PROXY",
            proxy
                .https
                .as_ref()
                .map(|address| reqwest::Proxy::https(address.expose())),
        ),
        (
            "HTTP_PROXY",
            proxy
                .http
                .as_ref()
                .map(|address| reqwest::Proxy::http(address.expose())),
        ),
    ];
    for (name, given) in given {
        let Some(given) = given else { continue };
        // The address may hold a password, so the error does not repeat it.
        let given =
            given.map_err(|_| Error::Settings(format!("{name} is not the address of a proxy")))?;
        builder = builder.proxy(given.no_proxy(NoProxy::from_string(&exceptions)));
    }
    builder.build().map_err(|error| {
        Error::Settings(format!(
            "the HTTP client could not be made: {}",
            causes(&error)
        ))
    })
}

fn read_roots(files: &[(&'static str, String)]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut roots = Vec::new();
    for (setting, path) in files {
        let wrong = |problem: String| Error::Settings(format!("{setting}: {path}: {problem}"));
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            roots
                .push(certificate.map_err(|error| wrong(format!("not readable as PEM: {error}")))?);
        }
        if roots.len() == before {
            return Err(wrong(
                "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".into(),
            ));
        }
    }
    Ok(roots)
}

fn broken(error: reqwest::Error) -> Broken {
    let error = error.without_url();
    let message = causes(&error);
    if error.is_builder() {
        Broken::Hopeless(message)
    } else if let Some(reason) = untrusted(&error) {
        Broken::Hopeless(format!(
            "the server's certificate is not trusted: {reason}. If a proxy or private cloud has its own certificate \
             authority, name its PEM file in ca_certificate_file or SSL_CERT_FILE"
        ))
    } else if error.is_connect() {
        Broken::NotSent(message)
    } else {
        Broken::Lost(message)
    }
}

/// The reason for which the server's certificate was refused, if that is what broke.
fn untrusted(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        let tls = cause.downcast_ref::<rustls::Error>().or_else(|| {
            cause
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .and_then(|inner| inner.downcast_ref())
        });
        if let Some(rustls::Error::InvalidCertificate(reason)) = tls {
            return Some(reason.to_string());
        }
        next = cause.source();
    }
    None
}

/// An error with all its causes, each told once.
fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
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

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let error = read_roots(&[("ca_certificate_file", path.clone())])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&path) && error.contains("no certificate"),
            "{error}"
        );
        let error = read_roots(&[("SSL_CERT_FILE", "/nowhere.pem".into())])
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere.pem"), "{error}");
    }
}
