//! Mutual TLS as go-plugin does it: each side makes a certificate for this one run, and each side trusts exactly the
//! certificate that the other announced beforehand.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature,
    verify_tls13_signature,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use time::{Duration, OffsetDateTime};

/// What the server presents, and whom it lets in.
#[derive(Debug)]
pub(crate) struct MutualTls {
    /// Goes into the handshake line; the host trusts nothing else.
    pub(crate) certificate: CertificateDer<'static>,
    /// Accepts the one client certificate that the host announced.
    pub(crate) config: Arc<ServerConfig>,
}

/// Mutual TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("PLUGIN_CLIENT_CERT holds no certificate in PEM: {0}")]
    ClientCertificate(#[from] rustls_pki_types::pem::Error),
    #[error("making the server's certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("setting up TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

impl MutualTls {
    /// Makes a certificate for this process, and a server that admits the holder of `client_pem` alone.
    pub(crate) fn new(client_pem: &str) -> Result<Self, TlsError> {
        let client = CertificateDer::from_pem_slice(client_pem.as_bytes())?;
        let (certificate, key) = server_certificate()?;
        let crypto = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(PinnedClient::new(client, &crypto));
        let mut config = ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.clone()], key)?;
        // grpc-go refuses a server that does not negotiate HTTP/2 by name.
        config.alpn_protocols = vec![b"h2".to_vec()];
        // Each process serves one connection, so tickets for later ones would be wasted.
        config.send_tls13_tickets = 0;
        Ok(Self {
            certificate,
            config: Arc::new(config),
        })
    }
}

fn server_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    let now = OffsetDateTime::now_utc();
    // The host compares with its own clock, which may be read a moment later and still show less.
    params.not_before = now - Duration::seconds(30);
    params.not_after = now + Duration::days(365 * 30);
    let certificate = params.self_signed(&key)?;
    Ok((
        certificate.der().clone(),
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    ))
}

/// Admits one certificate by its bytes. The usual chain building would refuse it: go-plugin's client certificate is
/// its own authority, which no end entity may be.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedClient {
    fn new(certificate: CertificateDer<'static>, crypto: &CryptoProvider) -> Self {
        Self {
            certificate,
            algorithms: crypto.signature_verification_algorithms,
        }
    }
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(
                rustls::CertificateError::UnknownIssuer,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_client_may_sign_with_p521_as_go_plugin_does() {
        let crypto = aws_lc_rs::default_provider();
        let schemes =
            PinnedClient::new(CertificateDer::from(Vec::new()), &crypto).supported_verify_schemes();
        assert!(
            schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512),
            "offered: {schemes:?}"
        );
    }

    #[test]
    fn a_client_certificate_that_is_no_pem_is_refused() {
        assert!(matches!(
            MutualTls::new("not a certificate"),
            Err(TlsError::ClientCertificate(_))
        ));
    }

    #[test]
    fn another_certificate_is_refused() {
        let (own, _) = server_certificate().unwrap();
        let (other, _) = server_certificate().unwrap();
        let verifier = PinnedClient::new(own.clone(), &aws_lc_rs::default_provider());
        assert!(
            verifier
                .verify_client_cert(&own, &[], UnixTime::now())
                .is_ok()
        );
        assert!(
            verifier
                .verify_client_cert(&other, &[], UnixTime::now())
                .is_err()
        );
    }
}
