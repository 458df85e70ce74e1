//! TLS with a certificate authority of one's own, as the sandbox and private clouds have it.

use std::io::Write as _;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivateKeyDer;

use super::*;

/// The scripted server over HTTPS, with a certificate authority of its own.
pub(super) struct Tls {
    pub azure: Azure,
    ca: tempfile::NamedTempFile,
}

impl Tls {
    pub async fn start(script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".into()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let azure = Azure {
            address: format!(
                "https://localhost:{}",
                listener.local_addr().unwrap().port()
            ),
            seen: Arc::default(),
        };
        let script: Arc<Script> = Arc::new(Box::new(script));
        let this = azure.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, this) = (acceptor.clone(), script.clone(), this.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        this.serve(stream, script).await;
                    }
                });
            }
        });
        Self { azure, ca: file }
    }

    /// The file with the certificate authority.
    pub fn path(&self) -> String {
        self.ca.path().to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_certificate_authority_of_ones_own_is_trusted_when_named_and_http_2_is_spoken() {
    let tls = Tls::start(arm(|_, _| say(200, json!({"fine": true})))).await;
    let path = Some(tls.path());
    for settings in [
        Settings {
            ca_certificate_file: path.clone(),
            ..tls.azure.settings()
        },
        Settings {
            ssl_cert_file: path.clone(),
            ..tls.azure.settings()
        },
    ] {
        let client = Client::new(settings).unwrap();
        assert_eq!(
            client.get(&call(&client, 600), &endpoint()).await.unwrap()["fine"],
            true
        );
    }
    // Over HTTP/2 the host is in the address, and there is no Host header.
    assert!(
        tls.azure
            .requests()
            .iter()
            .all(|seen| !seen.headers.contains_key("host")),
        "HTTP/1.1 was spoken"
    );
}

#[tokio::test]
async fn an_unknown_certificate_authority_is_refused_at_once_with_the_way_out() {
    let tls = Tls::start(arm(|_, _| say(200, json!({"fine": true})))).await;
    let client = Client::new(tls.azure.settings()).unwrap();
    let error = client
        .get(&call(&client, 600), &endpoint())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ca_certificate_file"), "{error}");
    assert!(tls.azure.requests().is_empty());
}
