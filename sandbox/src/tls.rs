//! `--tls`: a certificate authority of the sandbox's own and a certificate for localhost and 127.0.0.1.
//! Both stay in the folder, so clients that trust `ca.pem` trust the next start too.

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

/// The server's configuration from the folder; makes the certificates when they are not there.
///
/// # Errors
/// The folder cannot be used, or what is in it is no certificate.
pub fn configure(folder: &Path) -> Result<Arc<ServerConfig>> {
    std::fs::create_dir_all(folder)?;
    let names = ["ca.pem", "server.pem", "server-key.pem"];
    if !names.iter().all(|name| folder.join(name).exists()) {
        generate(folder)?;
    }
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(folder.join("server.pem"))
            .and_then(Iterator::collect)
            .map_err(Error::other)?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server-key.pem")).map_err(Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn generate(folder: &Path) -> Result<()> {
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

    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).map_err(Error::other)?;
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

    std::fs::write(folder.join("ca.pem"), root.pem())?;
    std::fs::write(folder.join("server.pem"), certificate.pem())?;
    std::fs::write(folder.join("server-key.pem"), server_key.serialize_pem())
}
