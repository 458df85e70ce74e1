//! The client against a scripted server over real sockets, on a fast clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value
)]

mod certificates;
mod credentials;
mod logs;
mod machine;
mod operations;
mod registry;
mod requests;
mod retries;
mod tls;
mod tokens;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const TENANT: &str = "00000000-0000-0000-0000-00000000000a";
const TOKEN_PATH: &str = "/00000000-0000-0000-0000-00000000000a/oauth2/v2.0/token";

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    /// With its query.
    path: String,
    headers: axum::http::HeaderMap,
    body: String,
}

/// What the server says.
enum Say {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Closes the connection instead of answering.
    Nothing,
    /// Answers after a while of real time.
    Late(Duration, Box<Say>),
}

fn say(status: u16, body: Json) -> Say {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    Say::Answer(status, vec![], body)
}

fn error(status: u16, code: &str) -> Say {
    say(
        status,
        json!({"error": {"code": code, "message": format!("{code}!")}}),
    )
}

impl Say {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// Answers a request; the number is how often the same method and path came before.
type Script = Box<dyn Fn(&Seen, usize) -> Say + Send + Sync>;

/// A server that plays Entra (unless the script does) and Azure Resource Manager.
#[derive(Clone)]
struct Azure {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Azure {
    async fn start(script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let azure = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
        };
        let (script, this): (Arc<Script>, _) = (Arc::new(Box::new(script)), azure.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, this) = (script.clone(), this.clone());
                tokio::spawn(async move { this.serve(stream, script).await });
            }
        });
        azure
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        self,
        stream: S,
        script: Arc<Script>,
    ) {
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (this, script) = (self.clone(), script.clone());
            async move { this.answer(request, &script).await.ok_or("no answer") }
        });
        // An error of the service closes the connection, as a script that says nothing wants it.
        let _ = Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(
        &self,
        request: hyper::Request<hyper::body::Incoming>,
        script: &Script,
    ) -> Option<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.ok()?;
        let seen = Seen {
            method: parts.method.to_string(),
            path: parts.uri.path_and_query()?.to_string(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let before = {
            let mut log = self.seen.lock().unwrap();
            let same = |other: &&Seen| other.method == seen.method && other.path == seen.path;
            let before = log.iter().filter(same).count();
            log.push(seen.clone());
            before
        };
        let mut said = script(&seen, before);
        if let Say::Late(span, then) = said {
            tokio::time::sleep(span).await;
            said = *then;
        }
        let Say::Answer(status, headers, text) = said else {
            return None;
        };
        let mut response = Response::builder()
            .status(status)
            .header("x-ms-request-id", "r-1");
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(Body::from(text)).ok()
    }

    /// Method and path (without query) of what ARM was asked, in order.
    fn asked(&self) -> Vec<String> {
        let short = |seen: &Seen| {
            let path = seen.path.split('?').next().unwrap_or_default();
            format!(
                "{} {}",
                seen.method,
                path.rsplit('/').next().unwrap_or_default()
            )
        };
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| !seen.path.ends_with("/token"))
            .map(short)
            .collect()
    }

    fn requests(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| !seen.path.ends_with("/token"))
            .cloned()
            .collect()
    }

    fn token_requests(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.path.ends_with("/token"))
            .cloned()
            .collect()
    }

    /// Settings of a service principal with a secret, on a clock a hundred times as fast.
    fn settings(&self) -> Settings {
        Settings {
            tenant_id: Some(TENANT.into()),
            client_id: Some("app-1".into()),
            client_secret: Some(Secret::new("hunter2")),
            resource_manager_endpoint: Some(self.address.clone()),
            authority_host: Some(self.address.clone()),
            clock: Some(Clock::fast(100)),
            ..Settings::default()
        }
    }

    fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }
}

/// Answers token requests, and the rest by the script.
fn arm(
    script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Say + Send + Sync + 'static {
    move |seen, before| {
        if seen.path == TOKEN_PATH {
            token("token-1", 3600)
        } else {
            script(seen, before)
        }
    }
}

fn token(text: &str, seconds: u64) -> Say {
    say(
        200,
        json!({"access_token": text, "expires_in": seconds, "token_type": "Bearer"}),
    )
}

/// A call with this many seconds of the client's clock.
fn call(client: &Client, seconds: u64) -> Call {
    Call::new(
        client.clock(),
        Duration::from_secs(seconds),
        CancellationToken::new(),
    )
}

fn zone() -> ArmId {
    ArmId::group(SUB, "g").resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.azurecr.io",
    )
}

fn endpoint() -> ArmId {
    ArmId::group(SUB, "g").resource("Microsoft.Network/privateEndpoints", "pe")
}

fn object(id: &ArmId, state: &str) -> Json {
    json!({"id": id.as_str(), "name": id.name(), "properties": {"provisioningState": state}})
}

/// Settings with no credentials at all, the Azure CLI off.
fn bare(azure: &Azure) -> Settings {
    Settings {
        client_secret: None,
        use_cli: Some(false),
        ..azure.settings()
    }
}
