//! Sockets: HTTP/1.1 and HTTP/2, in the clear or over TLS. Everything else happens in `engine.rs`.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use percent_encoding::percent_decode_str;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::engine::Engine;
use crate::exchange::{Answer, Request};

/// Resource Manager takes bodies up to 4 MB.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox was told to drop this connection")]
struct Dropped;

/// Accepts connections until it is dropped; the connections end with it.
pub async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, engine: Arc<Engine>) {
    let mut connections = JoinSet::new();
    let acceptor = tls.map(TlsAcceptor::from);
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
        let (engine, acceptor, local) = (Arc::clone(&engine), acceptor.clone(), local.clone());
        connections.spawn(async move {
            match acceptor {
                None => connection(socket, engine, format!("http://{local}")).await,
                Some(acceptor) => match acceptor.accept(socket).await {
                    Ok(stream) => connection(stream, engine, format!("https://{local}")).await,
                    Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                },
            }
        });
    }
}

async fn connection<S>(stream: S, engine: Arc<Engine>, base: String)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (engine, base) = (Arc::clone(&engine), base.clone());
        async move {
            let request = read(request, &base).await.map_err(|_| Dropped)?;
            let head = request.method == "HEAD";
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
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn read(
    request: hyper::Request<Incoming>,
    base: &str,
) -> Result<Request, Box<dyn std::error::Error + Send + Sync>> {
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
    let body = match answer.body {
        Some(body) if !head => {
            builder = builder.header("content-type", "application/json; charset=utf-8");
            Bytes::from(body.to_string())
        }
        _ => Bytes::new(),
    };
    builder.body(Full::new(body)).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
