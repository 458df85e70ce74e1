//! Client certificates: read from PFX or PEM, and sign the assertion that Entra takes for a
//! password. RSA with `aws-lc-rs`; no OpenSSL.
//! Source: Microsoft identity platform, "Application authentication certificate credentials".

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p12_keystore::Pkcs12Archive;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::arm::Secret;

/// A certificate with its private key.
pub(super) struct Certificate {
    key: RsaKeyPair,
    /// The certificate first, then those that signed it, as far as the file has them.
    chain: Vec<Vec<u8>>,
}

/// How assertions are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// What Entra recommends.
    Ps256,
    /// For AD FS, which knows no PSS.
    Rs256,
}

impl Certificate {
    /// Reads a PFX or PEM file; the content tells which. Errors are sentences for the user.
    pub(super) fn read(content: &[u8], password: Option<&Secret>) -> Result<Self, String> {
        let (keys, certificates) = if content.windows(11).any(|window| window == b"-----BEGIN ") {
            read_pem(content)?
        } else {
            read_pfx(content, password)?
        };
        let mut reasons = Vec::new();
        for der in &keys {
            let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
            let Ok(key) = key else {
                reasons.push("its private key is no RSA key, and Entra takes no other");
                continue;
            };
            // A certificate holds its public key as the same bytes that the key pair gives.
            let public = key.public_key().as_ref().to_vec();
            let own = |der: &&Vec<u8>| der.windows(public.len()).any(|window| window == public);
            if let Some(leaf) = certificates.iter().find(own) {
                let mut chain = vec![leaf.clone()];
                chain.extend(certificates.iter().filter(|der| *der != leaf).cloned());
                return Ok(Self { key, chain });
            }
            reasons.push("none of its certificates belongs to its private key");
        }
        Err(match (reasons.first(), certificates.is_empty()) {
            (Some(reason), false) => (*reason).to_owned(),
            (Some(_), true) => "it holds no certificate".into(),
            (None, _) => "it holds no private key".into(),
        })
    }

    /// Signs an assertion that this client is who it says, for ten minutes.
    pub(super) fn assertion(
        &self,
        audience: &str,
        client_id: &str,
        algorithm: Algorithm,
    ) -> Result<Secret, String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| "the clock of this machine is before 1970")?
            .as_secs();
        let (alg, padding): (_, &dyn RsaEncoding) = match algorithm {
            Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
            Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
        };
        let header = json!({
            "alg": alg,
            "typ": "JWT",
            "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.chain[0])),
            // With the chain, Entra can go by subject name and issuer, so that certificates rotate.
            "x5c": self.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>(),
        });
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": uuid::Uuid::new_v4().to_string(),
            // A clock that runs a little ahead must not make the assertion one of the future.
            "nbf": now.saturating_sub(300), "iat": now.saturating_sub(300), "exp": now + 600,
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                padding,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| "the private key cannot sign")?;
        Ok(Secret::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}

type KeysAndCertificates = (Vec<Vec<u8>>, Vec<Vec<u8>>);

fn read_pem(content: &[u8]) -> Result<KeysAndCertificates, String> {
    if content
        .windows(21)
        .any(|window| window == b"ENCRYPTED PRIVATE KEY")
    {
        return Err("its private key is encrypted, which PEM files must not be here: use a PFX file with a password".into());
    }
    let keys = PrivateKeyDer::pem_slice_iter(content)
        .map(|key| key.map(|key| key.secret_der().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("not readable as PEM: {error}"))?;
    let certificates = CertificateDer::pem_slice_iter(content)
        .map(|certificate| certificate.map(|c| c.as_ref().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("not readable as PEM: {error}"))?;
    Ok((keys, certificates))
}

fn read_pfx(content: &[u8], password: Option<&Secret>) -> Result<KeysAndCertificates, String> {
    let password = password.map_or("", |p| p.expose());
    let archive = Pkcs12Archive::from_pkcs12(content, password).map_err(|error| {
        let hint = if password.is_empty() {
            "no password is given"
        } else {
            "is the password right?"
        };
        format!("not readable as PFX ({hint}): {error}")
    })?;
    let keys = archive
        .keys
        .iter()
        .map(|entry| entry.key.as_der().to_vec())
        .collect();
    let certificates = archive
        .certs
        .iter()
        .map(|entry| entry.cert.as_der().to_vec())
        .collect();
    Ok((keys, certificates))
}
