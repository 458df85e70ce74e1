//! How the one HTTP client is made: TLS with the machine's certificate authorities and the user's,
//! HTTP/2 where the server speaks it, proxies; and what broke when a connection could not be had.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use reqwest::NoProxy;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::Error;
use super::http::Broken;
use super::settings::Proxy;

/// Never through a proxy: this machine, and the link-local address of the metadata service.
const DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16";

/// Makes the client. Reads files, so it may take some milliseconds.
pub(super) fn build(
    roots: &[(&'static str, String)],
    proxy: &Proxy,
    user_agent: &str,
) -> Result<reqwest::Client, Error> {
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = |error: rustls::Error| Error::Settings(format!("TLS could not be set up: {error}"));
    let verifier = Verifier::new_with_extra_roots(read_roots(roots)?, crypto.clone()).map_err(|error| {
        Error::Settings(format!(
            "no certificate authority to trust was found: {error}. Install the system's (the package \
             ca-certificates), or name a PEM file in ca_certificate_file or SSL_CERT_FILE"
        ))
    })?;
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

/// What a failed request means for sending it again.
pub(super) fn broken(error: reqwest::Error) -> Broken {
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
        if let Some(rustls::Error::InvalidCertificate(reason)) = cause.downcast_ref() {
            return Some(reason.to_string());
        }
        // An I/O error does not name what it wraps as its source.
        let wrapped = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// An error with all its causes, each told once.
pub(super) fn causes(error: &dyn StdError) -> String {
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
