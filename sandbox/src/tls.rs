//! A certificate authority of the sandbox's own and a certificate for localhost, 127.0.0.1 and the hosts
//! that it serves as a proxy. With `--tls` both stay in the folder, so clients that trust `ca.pem` trust
//! the next start too; without it they are of the moment.

use std::io::{Error, Result};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

/// The hosts that the proxy leads to.
const HOSTS: &[&str] = &[
    "*.azurecr.io",
    "*.azurecr.us",
    "*.azurecr.cn",
    "api.loganalytics.azure.com",
    "api.loganalytics.io",
];

/// What the server shows of itself.
pub struct Identity {
    /// Accepts connections with the certificate.
    pub acceptor: TlsAcceptor,
    /// The authority that clients trust.
    pub ca_pem: String,
}

/// The authority, the certificate and its key, as PEM.
type Pems = [String; 3];

/// The identity in the folder; makes the certificates when they are not there.
///
/// # Errors
/// The folder cannot be used, or what is in it is no certificate.
pub fn of_folder(folder: &Path) -> Result<Identity> {
    std::fs::create_dir_all(folder)?;
    // The second and third have other names than they had before the proxy had hosts.
    let paths = ["ca.pem", "hosts.pem", "hosts-key.pem"].map(|name| folder.join(name));
    if !paths.iter().all(|path| path.exists()) {
        for (path, pem) in paths.iter().zip(generate()?) {
            std::fs::write(path, pem)?;
        }
    }
    let [ca, chain, key] = &paths;
    let read = std::fs::read_to_string;
    identity([read(ca)?, read(chain)?, read(key)?])
}

/// An identity that goes with the process.
///
/// # Errors
/// The certificates cannot be made.
pub fn of_the_moment() -> Result<Identity> {
    identity(generate()?)
}

fn identity([ca_pem, chain, key]: Pems) -> Result<Identity> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_pem,
    })
}

fn generate() -> Result<Pems> {
    let now = OffsetDateTime::now_utc();
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "fkaks sandbox");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    authority.not_before = now - Duration::days(1);
    authority.not_after = now + Duration::days(820);
    let authority_key = KeyPair::generate().map_err(Error::other)?;
    let root = authority
        .self_signed(&authority_key)
        .map_err(Error::other)?;

    let names = std::iter::once(&"localhost").chain(HOSTS);
    let names: Vec<String> = names.map(|name| (*name).to_owned()).collect();
    let mut server = CertificateParams::new(names).map_err(Error::other)?;
    server
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    server
        .subject_alt_names
        .push(SanType::IpAddress(std::net::IpAddr::from([127, 0, 0, 1])));
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    server.not_before = now - Duration::days(1);
    server.not_after = now + Duration::days(800);
    let server_key = KeyPair::generate().map_err(Error::other)?;
    let issuer = Issuer::new(authority, authority_key);
    let certificate = server
        .signed_by(&server_key, &issuer)
        .map_err(Error::other)?;

    Ok([root.pem(), certificate.pem(), server_key.serialize_pem()])
}
