//! `fkaks-sandbox serve`: the sandbox as a command. Prints one line with its address once it listens.
//!
//! It is part of the library so that a test program can start itself again as this command.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, Options, Sandbox, Settings};
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// A local Azure Resource Manager.
#[derive(Parser)]
#[command(name = "fkaks-sandbox", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is stopped.
    Serve(Serve),
}

#[derive(clap::Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Serve HTTPS for localhost and 127.0.0.1; write ca.pem and the certificates into this folder.
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Keep all resources in this file.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Milliseconds that every request of Resource Manager waits.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// The least milliseconds of a long-running operation.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    operation_time: u64,
    /// The Retry-After of accepted operations, or none.
    #[arg(long, value_name = "SECONDS|none", default_value = "1", value_parser = retry_after)]
    retry_after: RetryAfter,
    /// Write one JSON file for each exchange into this folder.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// A subscription; can be repeated.
    #[arg(long = "subscription", value_name = "ID", default_value = DEFAULT_SUBSCRIPTION)]
    subscriptions: Vec<String>,
    /// The Entra tenant.
    #[arg(long, value_name = "ID", default_value = DEFAULT_TENANT)]
    tenant: String,
    /// A namespace that is not registered at the start; can be repeated.
    #[arg(long = "unregistered", value_name = "NAMESPACE")]
    unregistered: Vec<String>,
    /// Seconds that a token lives.
    #[arg(long, value_name = "SECONDS", default_value_t = 3599)]
    token_lifetime: u64,
    /// Answer the first read after a creation with 404.
    #[arg(long)]
    eventual_consistency: bool,
    /// Stop when standard input closes, so that the sandbox never outlives the process that started it.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// clap treats `Option<u32>` as "may be absent", so the two cases have a type of their own.
#[derive(Clone, Copy)]
struct RetryAfter(Option<u32>);

fn retry_after(text: &str) -> Result<RetryAfter, String> {
    if text == "none" {
        return Ok(RetryAfter(None));
    }
    text.parse()
        .map(|seconds| RetryAfter(Some(seconds)))
        .map_err(|_| "seconds or none".to_owned())
}

/// Runs the command with these arguments, the program's name first, until the sandbox is stopped.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let filter =
        EnvFilter::try_from_env("FKAKS_SANDBOX_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let Cli {
        command: Command::Serve(serve),
    } = Cli::parse_from(arguments);
    let served = tokio::runtime::Runtime::new().and_then(|runtime| {
        let served = runtime.block_on(run(serve));
        runtime.shutdown_background(); // A read of standard input cannot be cancelled: do not wait for it.
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot start");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> std::io::Result<()> {
    let options = Options {
        listen: serve.listen,
        tls: serve.tls,
        world: None,
        state: serve.state,
        record: serve.record,
        subscriptions: serve.subscriptions,
        tenant: serve.tenant,
        unregistered: serve.unregistered,
        settings: Settings {
            latency_ms: serve.latency,
            operation_time_ms: serve.operation_time,
            retry_after: serve.retry_after.0,
            eventual_consistency: serve.eventual_consistency,
            token_lifetime: serve.token_lifetime,
            ..Settings::default()
        },
    };
    let running = Sandbox::start(options).await?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on {}", running.base_url)?;
        out.flush()?;
    }
    tokio::select! {
        () = stdin_closed(), if serve.exit_with_stdin => {}
        signal = tokio::signal::ctrl_c() => signal?,
        () = terminated() => {}
    }
    running.stop().await;
    Ok(())
}

async fn stdin_closed() {
    use tokio::io::AsyncReadExt as _;
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 256];
    while input.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

#[cfg(unix)]
async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
