//! A local Azure Resource Manager: faithful answers without an Azure account.
//!
//! Reading order: `table.rs` says what a resource type is, `resources.rs` handles every type,
//! `types/` holds one file for each; `engine.rs` is the way of a request, `control/` the remote
//! control of tests. `README.md` tells how to use it and how to add a type.

pub mod actions;
pub mod arm;
pub mod auth;
pub mod bodies;
mod command;
pub mod control;
pub mod engine;
pub mod errors;
pub mod exchange;
pub mod guards;
pub mod id;
pub mod login;
pub mod metadata;
pub mod odata;
pub mod operations;
pub mod persist;
pub mod plane;
pub mod record;
pub mod regions;
pub mod resources;
pub mod route;
mod server;
pub mod settings;
pub mod store;
pub mod table;
mod tls;
pub mod types;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use command::main;
use engine::Engine;
pub use settings::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, Options, Settings};
pub use store::World;

/// Starts sandboxes.
pub struct Sandbox;

impl Sandbox {
    /// Listens and serves on the present Tokio runtime until the result is stopped or dropped.
    ///
    /// # Errors
    /// The address is taken, or a folder or file of the options cannot be used.
    pub async fn start(options: Options) -> std::io::Result<Running> {
        let engine = Arc::new(Engine::new(&options)?);
        let (identity, tls) = match options.tls.as_deref() {
            Some(folder) => (tls::of_folder(folder)?, true),
            None => (tls::of_the_moment()?, false),
        };
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let scheme = if tls { "https" } else { "http" };
        let server = server::Server {
            engine: Arc::clone(&engine),
            acceptor: identity.acceptor,
            tls,
        };
        let task = tokio::spawn(server.serve(listener));
        Ok(Running {
            base_url: format!("{scheme}://{address}"),
            ca_file: options.tls.map(|folder| folder.join("ca.pem")),
            ca_pem: identity.ca_pem,
            engine,
            task,
        })
    }
}

/// A running sandbox.
pub struct Running {
    /// `http://127.0.0.1:PORT`, or `https` with TLS.
    pub base_url: String,
    /// The certificate authority that clients trust, with TLS.
    pub ca_file: Option<PathBuf>,
    /// The same authority as PEM, also without TLS: it signs for the hosts behind the proxy.
    pub ca_pem: String,
    engine: Arc<Engine>,
    task: JoinHandle<()>,
}

impl Running {
    /// A request to the remote control without a socket: `control("POST", "/_sandbox/faults", Some(&fault))`.
    /// Returns the status and the body.
    #[must_use]
    pub fn control(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.engine.control(method, path, body);
        (answer.status, answer.body.unwrap_or_default())
    }

    /// Everything as it is now, to start another sandbox from it.
    #[must_use]
    pub fn world(&self) -> World {
        self.engine.world()
    }

    /// Closes the listener and every connection.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Serves until the task ends, which it does only when it is stopped.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
