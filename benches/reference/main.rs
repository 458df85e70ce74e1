//! `make bench`: what the provider costs, measured and not judged, so that no test depends on the machine's load.
//!
//! Start, schema, memory and size of the real binary; then each architecture's apply, unchanged plan and destroy under
//! a real command against the sandbox, at each latency and operation time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod calls;
#[path = "../../tests/driver/mod.rs"]
mod driver;
mod process;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use calls::Calls;
use driver::Session;
use driver::cli::Cli;

/// Milliseconds that every request waits, and milliseconds that every long-running operation takes.
const SETTINGS: &[(u32, u32)] = &[(50, 0), (0, 3000), (50, 3000)];
/// The architecture that `validate` is measured with.
const REFERENCE: &str = "private-registry";
/// How often a short measurement is repeated; the median is told.
const REPEATS: usize = 15;

fn main() -> ExitCode {
    if let Some(arguments) = driver::sandbox_arguments() {
        return fkaks_sandbox::main(arguments);
    }
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-fkaks"));
    let commands = driver::cli::from_environment();
    let Some(command) = commands
        .iter()
        .find(|command| command.product == "OpenTofu")
    else {
        println!("OpenTofu was not found. Fix: make bench");
        return ExitCode::FAILURE;
    };
    println!(
        "{} on {} cores",
        command.label(),
        std::thread::available_parallelism().unwrap()
    );
    alone(provider);
    validate(command, &architectures().join(REFERENCE));
    for example in examples() {
        for (latency, operation_time) in SETTINGS {
            life(provider, command, &example, *latency, *operation_time);
        }
    }
    ExitCode::SUCCESS
}

/// What the binary costs without a command.
fn alone(provider: &Path) {
    let start = median(|| process::start(provider, true));
    println!(
        "start to handshake line, mutual TLS   {:>9} ms",
        milliseconds(start)
    );
    let (mut bytes, mut memory) = (0, 0);
    let schema = median(|| {
        let measured = process::schema(provider);
        (bytes, memory) = (measured.bytes, measured.peak_memory);
        measured.time
    });
    println!(
        "schema                                {:>9} ms",
        milliseconds(schema)
    );
    println!(
        "schema                                {:>9.1} KB",
        kilo(bytes)
    );
    println!(
        "peak memory with the schema read      {:>9.1} MB",
        kilo(memory) / 1000.0
    );
    let size = std::fs::metadata(provider).unwrap().len();
    println!(
        "binary                                {:>9.1} MB",
        kilo(size) / 1000.0
    );
}

/// `validate` of the example, and of a configuration without a provider: the command's own time.
fn validate(command: &Cli, example: &Path) {
    let nothing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance/driver");
    let measure = |scenario: &Path| {
        let session = Session::start(scenario, command, &[]);
        let time = median(|| timed(|| session.validate()));
        session.finish();
        time
    };
    let (own, with_provider) = (measure(&nothing), measure(example));
    let more = with_provider.saturating_sub(own);
    println!(
        "validate                              {:>9} ms, of which the provider {} ms",
        milliseconds(with_provider),
        milliseconds(more)
    );
}

/// One life of an architecture.
fn life(provider: &Path, command: &Cli, example: &Path, latency: u32, operation_time: u32) {
    let name = example.file_name().unwrap_or_default().to_string_lossy();
    println!("\n{name}: latency {latency} ms, operations {operation_time} ms");
    println!(
        "{:<16} {:>8} {:>8}   {:<44} {:>6}",
        "", "s", "peak MB", "ARM calls", "chain"
    );
    let (latency, operation_time) = (latency.to_string(), operation_time.to_string());
    let options = [
        "--latency",
        &latency,
        "--operation-time",
        &operation_time,
        "--retry-after",
        "none",
    ];
    let session = Session::start(example, command, &options);
    let phase = |name: &str, run: &dyn Fn()| {
        session.sandbox.forget_requests();
        let watch = process::Watch::start(provider);
        let time = timed(run);
        let memory = watch.peak_memory();
        let calls = Calls::of(&session.sandbox.requests());
        println!(
            "{name:<16} {:>8.2} {:>8.1}   {:<44} {:>6}",
            time.as_secs_f64(),
            kilo(memory) / 1000.0,
            calls.by_method(),
            calls.longest_chain()
        );
    };
    phase("apply", &|| {
        session.apply();
    });
    phase("unchanged plan", &|| {
        session
            .plan()
            .must_be_empty("after an apply nothing is left to do");
    });
    phase("destroy", &|| session.destroy());
    session.finish();
}

fn architectures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/architectures")
}

/// Every architecture, by name.
fn examples() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(architectures()).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn timed(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..REPEATS).map(|_| measure()).collect();
    times.sort();
    times[REPEATS / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

#[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn kilo(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}
