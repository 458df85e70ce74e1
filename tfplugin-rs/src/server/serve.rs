//! A provider's `main`: started by a host it shakes hands and serves over mutual TLS, with `-debug` it serves anyone in
//! the clear, and started by hand it says what it is.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tonic::transport::Server;

use super::go_plugin::GoPlugin;
use super::handshake::{self, Host, NotAPlugin};
use super::lifecycle::Lifecycle;
use super::listener::Listener;
use super::proto::plugin::grpc_broker_server::GrpcBrokerServer;
use super::proto::plugin::grpc_controller_server::GrpcControllerServer;
use super::proto::plugin::grpc_stdio_server::GrpcStdioServer;
use super::proto::tfplugin6::provider_server::{Provider as Service, ProviderServer};
use super::tls::{MutualTls, TlsError};
use super::{debug, log, panics};
use crate::framework::Provider;

/// What hosts of Go providers allow too; the 4 MiB of the gRPC library are too few for a large state.
pub(crate) const MESSAGE_LIMIT: usize = 256 * 1024 * 1024;
/// Calls wait for the network more than they compute.
const WORKERS: usize = 2;

/// What a provider is, before any call.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// The name in type names and in `TF_LOG_PROVIDER_<NAME>`.
    pub(crate) name: &'static str,
    /// `namespace/name`, as in `required_providers`.
    pub(crate) address: String,
    pub(crate) version: &'static str,
}

impl About {
    pub(crate) fn of(provider: &dyn Provider) -> Self {
        let (name, version) = (provider.name(), provider.version());
        Self {
            name,
            address: provider.address(),
            version,
        }
    }

    /// The crate of the provider's binary, whose log lines of every level are written.
    fn crate_name(&self) -> String {
        format!("terraform_provider_{}", self.name.replace('-', "_"))
    }
}

/// How a provider was started.
#[derive(Debug, PartialEq, Eq)]
enum Mode {
    Plugin,
    Debug,
    Version,
}

impl Mode {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        arguments
            .filter_map(|argument| match argument.as_str() {
                "-debug" | "--debug" => Some(Self::Debug),
                "-version" | "--version" => Some(Self::Version),
                _ => None,
            })
            .last()
            .unwrap_or(Self::Plugin)
    }
}

/// Why a provider could not be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Does what the arguments and the environment of this process ask for, to its end.
pub(crate) fn serve<S: Service>(
    about: &About,
    service: impl FnOnce(Arc<Lifecycle>) -> S,
) -> ExitCode {
    let done = match Mode::of(std::env::args().skip(1)) {
        Mode::Version => say(
            &mut io::stdout(),
            &format!("terraform-provider-{} {}\n", about.name, about.version),
        ),
        Mode::Debug => serve_anyone(about, service),
        Mode::Plugin => match Host::from_environment() {
            Ok(host) => serve_host(about, &host, service),
            Err(NotAPlugin) => {
                // Where standard error is closed there is nobody to tell.
                let _ = say(&mut io::stderr(), &by_hand(about));
                return ExitCode::FAILURE;
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = say(
                &mut io::stderr(),
                &format!("[ERROR] the provider could not be served: {error}\n"),
            );
            ExitCode::FAILURE
        }
    }
}

fn by_hand(about: &About) -> String {
    let About {
        name,
        address,
        version,
        ..
    } = about;
    format!(
        "This is the {name} provider {version} for Terraform and OpenTofu.\n\n\
         This binary is a plugin. These are not meant to be executed directly. Please execute the program that\n\
         consumes these plugins, which will load any plugins automatically: name {address} in required_providers,\n\
         then run `terraform init` or `tofu init`.\n\n\
         To run it under a debugger start it with -debug, and do what it says.\n"
    )
}

fn say(to: &mut impl io::Write, text: &str) -> Result<(), ServeError> {
    to.write_all(text.as_bytes())?;
    Ok(to.flush()?)
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
}

fn serve_host<S: Service>(
    about: &About,
    host: &Host,
    service: impl FnOnce(Arc<Lifecycle>) -> S,
) -> Result<(), ServeError> {
    // Read before anybody knows of this process: later its parent may be another.
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    panics::install_hook(panics::Reader::Host);
    log::install(about.name, &[&about.crate_name()]);
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let listener = Listener::bind(host).await?;
        let tls = host
            .client_certificate
            .as_deref()
            .map(MutualTls::new)
            .transpose()?;
        // Ctrl-C reaches the whole group of processes. The host then calls StopProvider; dying here would lose what
        // the running calls have made.
        let _interrupts = interrupts()?;
        let line = handshake::line(
            host,
            listener.address(),
            tls.as_ref().map(|tls| &tls.certificate),
        );
        say(&mut io::stdout(), &format!("{line}\n"))?;
        let lifecycle = Arc::new(Lifecycle::default());
        #[cfg(unix)]
        tokio::spawn(Arc::clone(&lifecycle).outlive_no_host(parent));
        let incoming = listener.incoming(tls.map(|tls| tls.config), &lifecycle);
        answer(service(Arc::clone(&lifecycle)), incoming, &lifecycle).await
    });
    // Work that did not end when asked must not keep the process.
    runtime.shutdown_background();
    served
}

fn serve_anyone<S: Service>(
    about: &About,
    service: impl FnOnce(Arc<Lifecycle>) -> S,
) -> Result<(), ServeError> {
    panics::install_hook(panics::Reader::Person);
    log::install(about.name, &[&about.crate_name()]);
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let listener = Listener::bind(&Host::default()).await?;
        let mut interrupts = interrupts()?;
        say(
            &mut io::stdout(),
            &debug::instructions(about, listener.address()),
        )?;
        let lifecycle = Arc::new(Lifecycle::default());
        let ends = Arc::clone(&lifecycle);
        tokio::spawn(async move {
            interrupts.recv().await;
            ends.shut_down();
        });
        let incoming = listener.incoming(None, &lifecycle);
        answer(service(Arc::clone(&lifecycle)), incoming, &lifecycle).await
    });
    runtime.shutdown_background();
    served
}

/// Serves the provider and go-plugin's services until the host says that it is over.
pub(crate) async fn answer<S: Service>(
    service: S,
    incoming: impl futures::Stream<Item = io::Result<super::listener::Connection>>,
    lifecycle: &Arc<Lifecycle>,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_service_status("plugin", tonic_health::ServingStatus::Serving)
        .await;
    let plugin = GoPlugin(Arc::clone(lifecycle));
    let provider = ProviderServer::new(service)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let serving = Server::builder()
        .add_service(provider)
        .add_service(GrpcControllerServer::new(plugin.clone()))
        .add_service(GrpcStdioServer::new(plugin.clone()))
        .add_service(GrpcBrokerServer::new(plugin))
        .add_service(health_service)
        .serve_with_incoming_shutdown(incoming, lifecycle.shutting_down());
    tokio::select! {
        served = serving => Ok(served?),
        () = lifecycle.grace_is_over() => Ok(()),
    }
}

#[cfg(unix)]
fn interrupts() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_choose_the_mode() {
        let mode = |arguments: &[&str]| Mode::of(arguments.iter().map(ToString::to_string));
        assert_eq!(mode(&[]), Mode::Plugin);
        assert_eq!(mode(&["-debug"]), Mode::Debug);
        assert_eq!(mode(&["--debug"]), Mode::Debug);
        assert_eq!(mode(&["--version"]), Mode::Version);
    }
}
