//! Sockets: HTTP/1.1 and HTTP/2, in the clear or over TLS, and a proxy (CONNECT) to the hosts that the
//! sandbox plays. Everything else happens in `engine.rs`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::engine::Engine;
use crate::exchange::{Answer, Request};
use crate::plane;

/// Resource Manager takes bodies up to 4 MB.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox was told to drop this connection")]
struct Dropped;

/// What a connection needs to be served.
#[derive(Clone)]
pub struct Server {
    /// The sandbox.
    pub engine: Arc<Engine>,
    /// Accepts TLS.
    pub acceptor: TlsAcceptor,
    /// Whether Resource Manager is served over TLS. Proxies are asked in the clear all the same.
    pub tls: bool,
}

/// Through what a request came.
#[derive(Clone)]
struct Way {
    /// Scheme and authority of the server.
    base: String,
    /// Where the client of a tunnel says that it comes from.
    place: Option<String>,
    /// Whether nothing but tunnels may be asked for.
    proxy_only: bool,
}

impl Server {
    /// Accepts connections until it is dropped; the connections end with it.
    pub async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let local = listener
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        loop {
            while connections.try_join_next().is_some() {}
            let socket = match listener.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            let _ = socket.set_nodelay(true);
            let (server, local) = (self.clone(), local.clone());
            connections.spawn(async move {
                // The first byte of a TLS handshake is 22.
                let mut first = [0];
                let greets =
                    socket.peek(&mut first).await.is_ok_and(|read| read == 1) && first == [22];
                let scheme = if greets { "https" } else { "http" };
                let way = Way {
                    base: format!("{scheme}://{local}"),
                    place: None,
                    proxy_only: server.tls && !greets,
                };
                if greets {
                    server.secure(socket, way).await;
                } else {
                    server.connection(socket, way).await;
                }
            });
        }
    }

    async fn secure<S>(&self, stream: S, way: Way)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.acceptor.accept(stream).await {
            Ok(stream) => self.connection(stream, way).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    async fn connection<S>(&self, stream: S, way: Way)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (server, way) = (self.clone(), way.clone());
            async move {
                if request.method() == hyper::Method::CONNECT {
                    return Ok(server.tunnel(request));
                }
                if way.proxy_only {
                    return Ok(plain(hyper::StatusCode::BAD_REQUEST));
                }
                let request = read(request, &way).await.map_err(|_| Dropped)?;
                let head = request.method == "HEAD";
                let engine = server.engine;
                // A client that hangs up cannot take its request back.
                let answer = tokio::spawn(async move { engine.handle(request).await }).await;
                answer
                    .ok()
                    .flatten()
                    .map(|answer| write(answer, head))
                    .ok_or(Dropped)
            }
        });
        if let Err(error) = Builder::new(TokioExecutor::new())
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .await
        {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    /// Opens a tunnel to a host that the sandbox plays, and to no other.
    fn tunnel(&self, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
        let Some(host) = request.uri().host().map(str::to_lowercase) else {
            return plain(hyper::StatusCode::BAD_REQUEST);
        };
        if !plane::serves(&host) {
            return plain(hyper::StatusCode::BAD_GATEWAY);
        }
        let way = Way {
            base: format!("https://{host}"),
            place: Some(place(request.headers())),
            proxy_only: false,
        };
        let server = self.clone();
        // Boxed, because what is served in the tunnel is a connection again.
        let serving: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            match hyper::upgrade::on(request).await {
                Ok(stream) => server.secure(TokioIo::new(stream), way).await,
                Err(error) => tracing::debug!(%error, "a tunnel was not opened"),
            }
        });
        tokio::spawn(serving);
        plain(hyper::StatusCode::OK)
    }
}

/// The user of `Proxy-Authorization: Basic`: the place that a client says it comes from.
fn place(headers: &HeaderMap) -> String {
    let given = headers.get("proxy-authorization");
    let basic = given.and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let decoded = basic.and_then(|text| STANDARD.decode(text).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let user = text.as_deref().and_then(|text| text.split(':').next());
    let user = user.map(|user| percent_decode_str(user).decode_utf8_lossy().into_owned());
    user.unwrap_or_default()
}

/// An answer without a body.
fn plain(status: hyper::StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

async fn read(
    request: hyper::Request<Incoming>,
    way: &Way,
) -> Result<Request, Box<dyn std::error::Error + Send + Sync>> {
    let base = &way.base;
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await?.to_bytes();
    let host = parts
        .uri
        .authority()
        .map(ToString::to_string)
        .or_else(|| host(&parts.headers));
    let scheme = base.split_once("://").map_or("http", |(scheme, _)| scheme);
    Ok(Request {
        method: parts.method.to_string(),
        path: percent_decode_str(parts.uri.path())
            .decode_utf8_lossy()
            .into_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        base: host.map_or_else(|| base.to_owned(), |host| format!("{scheme}://{host}")),
        place: way.place.clone(),
    })
}

fn host(headers: &HeaderMap) -> Option<String> {
    headers
        .get("host")
        .and_then(|value| value.to_str().ok())
        .map(ToOwned::to_owned)
}

fn write(answer: Answer, head: bool) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    let body = match (answer.bytes.map(|bytes| *bytes), answer.body) {
        (Some((kind, bytes)), _) => {
            // What a HEAD tells of a manifest is its length as well.
            builder = builder
                .header("content-type", kind)
                .header("content-length", bytes.len());
            if head { Bytes::new() } else { bytes }
        }
        (None, Some(body)) if !head => {
            builder = builder.header("content-type", "application/json; charset=utf-8");
            Bytes::from(body.to_string())
        }
        _ => Bytes::new(),
    };
    builder.body(Full::new(body)).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        plain(hyper::StatusCode::INTERNAL_SERVER_ERROR)
    })
}
