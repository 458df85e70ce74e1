//! Client certificates: what is signed, and what is said of those that cannot be used.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use sha2::{Digest, Sha256};

use super::credentials::{file, fine, form_of};
use super::*;

/// A self-signed certificate: PEM of both, PFX with a password, and the certificate as DER.
struct Identity {
    pem: String,
    pfx: Vec<u8>,
    der: Vec<u8>,
    public: Vec<u8>,
}

fn identity() -> Identity {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(vec!["app".into()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let chain = p12_keystore::PrivateKeyChain::new(
        "1",
        p12_keystore::PrivateKey::from_der(&key.serialize_der()).unwrap(),
        [p12_keystore::Certificate::from_der(certificate.der()).unwrap()],
    );
    let mut store = p12_keystore::KeyStore::new();
    store.add_entry("app", p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
    Identity {
        pem: format!("{}{}", key.serialize_pem(), certificate.pem()),
        pfx: store.writer("pfx-password").write().unwrap(),
        der: certificate.der().to_vec(),
        public: key.public_key_raw().to_vec(),
    }
}

fn check(
    jwt: &str,
    identity: &Identity,
    algorithm: &'static dyn VerificationAlgorithm,
    name: &str,
    audience: &str,
) {
    let parts: Vec<_> = jwt.split('.').collect();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Json = serde_json::from_slice(&decode(parts[0])).unwrap();
    let claims: Json = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(header["alg"], name);
    assert_eq!(
        header["x5t#S256"],
        URL_SAFE_NO_PAD.encode(Sha256::digest(&identity.der))
    );
    assert_eq!(header["x5c"][0], STANDARD.encode(&identity.der));
    assert_eq!(
        (
            claims["iss"].as_str(),
            claims["sub"].as_str(),
            claims["aud"].as_str()
        ),
        (Some("app-1"), Some("app-1"), Some(audience))
    );
    assert!(claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap() <= 900);
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(algorithm, &identity.public)
        .verify(signed.as_bytes(), &decode(parts[2]))
        .expect("the signature");
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_from_pem_and_from_pfx() {
    let (azure, identity) = (fine().await, identity());
    let ((_a, pem), (_b, pfx)) = (file(&identity.pem), file(&identity.pfx));
    let password = || Some(Secret::new("pfx-password"));
    for settings in [
        Settings {
            client_certificate_path: Some(pem.clone()),
            ..bare(&azure)
        },
        Settings {
            client_certificate_path: Some(pfx.clone()),
            client_certificate_password: password(),
            ..bare(&azure)
        },
        Settings {
            client_certificate: Some(Secret::new(STANDARD.encode(&identity.pfx))),
            client_certificate_password: password(),
            ..bare(&azure)
        },
    ] {
        let form = form_of(&azure, settings).await;
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let audience = format!("{}{TOKEN_PATH}", azure.address);
        check(
            &form["client_assertion"],
            &identity,
            &RSA_PSS_2048_8192_SHA256,
            "PS256",
            &audience,
        );
    }
    // AD FS: another address, and the older signature.
    let azure = Azure::start(|seen, _| {
        if seen.path.ends_with("/token") {
            token("t", 60)
        } else {
            say(200, json!({}))
        }
    })
    .await;
    let form = form_of(
        &azure,
        Settings {
            tenant_id: Some("adfs".into()),
            client_certificate_path: Some(pem),
            ..bare(&azure)
        },
    )
    .await;
    let audience = format!("{}/adfs/oauth2/token", azure.address);
    check(
        &form["client_assertion"],
        &identity,
        &RSA_PKCS1_2048_8192_SHA256,
        "RS256",
        &audience,
    );
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_says_why() {
    let (azure, identity) = (fine().await, identity());
    let ec = KeyPair::generate().unwrap();
    let ec_pem = format!(
        "{}{}",
        ec.serialize_pem(),
        CertificateParams::new(vec!["app".into()])
            .unwrap()
            .self_signed(&ec)
            .unwrap()
            .pem()
    );
    let other = KeyPair::generate_for(&PKCS_RSA_SHA256)
        .unwrap()
        .serialize_pem();
    let stranger = identity.pem.replace(
        identity.pem.split("-----BEGIN CERT").next().unwrap(),
        &other,
    );
    let encrypted = identity.pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (content, words) in [
        (identity.pfx.clone(), "no password is given"),
        (ec_pem.into_bytes(), "no RSA key"),
        (stranger.into_bytes(), "belongs to its private key"),
        (encrypted.into_bytes(), "encrypted"),
        (
            identity
                .pem
                .split("-----BEGIN CERT")
                .next()
                .unwrap()
                .as_bytes()
                .to_vec(),
            "no certificate",
        ),
        (b"rubbish".to_vec(), "not readable"),
    ] {
        let (_file, path) = file(content);
        let client = Client::new(Settings {
            client_certificate_path: Some(path.clone()),
            ..bare(&azure)
        })
        .unwrap();
        let error = client
            .get(&call(&client, 600), &endpoint())
            .await
            .unwrap_err();
        assert!(
            error.is_credentials()
                && error.to_string().contains(words)
                && error.to_string().contains(&path),
            "{words}: {error}"
        );
    }
}
