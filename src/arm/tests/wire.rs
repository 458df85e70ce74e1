//! What leaves the machine and what is written down: proxies, and logs without secrets.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::*;

#[tokio::test]
async fn https_goes_through_the_proxy_and_this_machine_does_not() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://user:pass@{}", proxy.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = proxy.accept().await.unwrap();
        let mut text = vec![0; 2000];
        let length = stream.read(&mut text).await.unwrap();
        stream.write_all(b"HTTP/1.1 502 No\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    });
    let azure = Azure::start(arm(|_, _| say(200, json!({})))).await;
    let mut settings = azure.settings();
    settings.proxy.https = Some(Secret::new(address));
    settings.proxy.http.clone_from(&settings.proxy.https);
    settings.resource_manager_endpoint = Some("https://arm.invalid".into());
    let client = Client::new(settings).unwrap();
    let error = client
        .get(&call(&client, 600), &endpoint())
        .await
        .unwrap_err();
    assert!(
        error.is_transport() && !error.to_string().contains("pass@"),
        "{error}"
    );
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("CONNECT arm.invalid:443"), "{asked}");
    assert!(
        asked.to_lowercase().contains("proxy-authorization: basic"),
        "{asked}"
    );
    assert_eq!(
        azure.token_requests().len(),
        1,
        "the token request to this machine did not go straight"
    );
}

/// Writes every event and span down with all its fields, at every level.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Visit for Everything {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = writeln!(self.0.lock().unwrap(), "{field}={value:?}");
    }
}

impl<S: tracing::Subscriber> Layer<S> for Everything {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }

    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _: &tracing::Id,
        _: Context<'_, S>,
    ) {
        attributes.record(&mut self.clone());
    }
}

/// Runs something, and gives what was written down meanwhile on this thread.
async fn logged(run: impl Future<Output = ()>) -> String {
    let log = Everything::default();
    // With a single subscriber `tracing` lets the first thread that comes by decide for all whether
    // an event is wanted; with a second one it asks ours, whichever test comes first.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(log.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    run.await;
    drop(guard);
    log.0.lock().unwrap().clone()
}

#[tokio::test]
async fn no_secret_of_any_method_of_authentication_is_in_any_log_at_any_level() {
    use credentials::file;
    let script = |seen: &Seen, before: usize| match (seen.path.split('?').next().unwrap(), before) {
        // The first of each is refused, since what goes wrong is logged too.
        (TOKEN_PATH, 0) => say(
            400,
            json!({"error": "invalid_client", "error_description": "AADSTS1: No."}),
        ),
        (TOKEN_PATH, 1) => error(503, "x"),
        (TOKEN_PATH, _) => token("secret-token", 3600),
        ("/github", _) => say(200, json!({"value": "secret-federated"})),
        ("/metadata" | "/msi", 0) => error(400, "x"),
        ("/metadata" | "/msi", _) => say(
            200,
            json!({"access_token": "secret-machine", "expires_in": "3600", "resource": "r",
                   "expires_on": "4102444800", "token_type": "Bearer"}),
        ),
        _ => say(200, json!({})),
    };
    let tls = tls::Tls::start(script).await;
    let (_file, path) = file("secret-file");
    let text = logged(async {
        for azure in [Azure::start(script).await, tls.azure.clone()] {
            let plain = || Settings {
                ca_certificate_file: Some(tls.path()),
                ..bare(&azure)
            };
            let oidc = || Settings {
                use_oidc: Some(true),
                ..plain()
            };
            let msi = || Settings {
                use_msi: Some(true),
                ..plain()
            };
            let mut all = vec![
                Settings {
                    client_secret: Some(Secret::new("secret-password")),
                    ..plain()
                },
                Settings {
                    oidc_token: Some(Secret::new("secret-given")),
                    ..oidc()
                },
                Settings {
                    oidc_token_file_path: Some(path.clone()),
                    ..oidc()
                },
                Settings {
                    oidc_request_token: Some(Secret::new("secret-runner")),
                    oidc_request_url: Some(format!("{}/github?x=secret-query", azure.address)),
                    ..oidc()
                },
                Settings {
                    metadata_service: Some(format!("{}/metadata", azure.address)),
                    ..msi()
                },
                Settings {
                    app_service_identity: Some(AppServiceIdentity {
                        endpoint: format!("{}/msi", azure.address),
                        header: Secret::new("secret-header"),
                    }),
                    ..msi()
                },
            ];
            #[cfg(unix)]
            let (_directory, search_path) = machine::az(
                "echo '{\"accessToken\": \"secret-cli\", \"expires_on\": 4102444800, \"tokenType\": \"Bearer\"}'",
            );
            #[cfg(unix)]
            all.push(Settings {
                ca_certificate_file: Some(tls.path()),
                ..machine::cli(&azure, search_path)
            });
            for settings in all {
                // A client remembers a refusal for a while, so the second try is another's.
                for _ in 0..2 {
                    let client = Client::new(settings.clone()).unwrap();
                    if let Err(error) = client.get(&call(&client, 600), &endpoint()).await {
                        assert!(error.is_credentials(), "{error}");
                        tracing::warn!(%error, ?error, ?client, "as the provider tells it");
                    }
                }
                let client = Client::new(settings).unwrap();
                client.get(&call(&client, 600), &endpoint()).await.unwrap();
            }
        }
    })
    .await;
    for told in ["got an access token", "AADSTS1", "==> Request"] {
        assert!(text.contains(told), "{told} was not logged: {text}");
    }
    assert!(!text.contains("secret-"), "{text}");
}

#[tokio::test]
async fn no_secret_is_in_any_log_at_any_level() {
    let script = |seen: &Seen, before: usize| match (seen.path.as_str(), before) {
        (TOKEN_PATH, _) => token("secret-token", 3600),
        ("/tenant-b/oauth2/v2.0/token", _) => token("secret-auxiliary", 3600),
        (_, 0) => error(503, "x"),
        _ => say(200, json!({"passwords": [{"value": "secret-answer"}]})),
    };
    let tls = tls::Tls::start(script).await;
    // Once over HTTP/1.1 and once over HTTP/2, whose libraries log for themselves.
    let text = logged(async {
        for azure in [Azure::start(script).await, tls.azure.clone()] {
            let settings = Settings {
                client_secret: Some(Secret::new("secret-password")),
                auxiliary_tenant_ids: vec!["tenant-b".into()],
                ca_certificate_file: Some(tls.path()),
                ..azure.settings()
            };
            let client = Client::new(settings).unwrap();
            let body = json!({"properties": {"password": "secret-body"}});
            let call = call(&client, 600);
            client
                .put(&call, &endpoint(), &body, Write::default())
                .await
                .unwrap()
                .wait(&call)
                .await
                .unwrap();
        }
    })
    .await;
    assert!(
        text.contains("ARM answered") && text.contains("trying again"),
        "nothing was logged"
    );
    assert!(!text.contains("secret-"), "{text}");
}
