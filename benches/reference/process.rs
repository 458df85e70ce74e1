//! The provider's process, measured from outside: without a command, and as the child of one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;

/// The cookie of go-plugin's hosts: a plugin refuses to start without it.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// What reading the schema cost.
pub struct Schema {
    /// From the start of the process to the whole answer.
    pub time: Duration,
    /// The answer's message.
    pub bytes: u64,
    /// The process's most resident memory.
    pub peak_memory: u64,
}

/// The time from the start of the process to its handshake line.
pub fn start(provider: &Path, mutual_tls: bool) -> Duration {
    let started = Instant::now();
    let (mut child, _) = handshake(provider, mutual_tls);
    let time = started.elapsed();
    end(&mut child);
    time
}

/// Starts the provider and reads its schema as a command would, but without TLS.
pub fn schema(provider: &Path) -> Schema {
    let started = Instant::now();
    let (mut child, address) = handshake(provider, false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bytes = runtime.block_on(ask_for_schema(&address));
    let time = started.elapsed();
    let peak_memory = peak_memory(child.id()).unwrap_or_default();
    end(&mut child);
    Schema {
        time,
        bytes,
        peak_memory,
    }
}

/// GetProviderSchema's request is an empty message: five bytes of gRPC framing and nothing more.
async fn ask_for_schema(socket: &str) -> u64 {
    let stream = TokioIo::new(UnixStream::connect(socket).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::post("http://localhost/tfplugin6.Provider/GetProviderSchema")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from_static(&[0; 5])))
        .unwrap();
    let answer = sender
        .send_request(request)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    let status = answer
        .trailers()
        .and_then(|trailers| trailers.get("grpc-status"))
        .cloned();
    assert_eq!(status.unwrap(), "0", "GetProviderSchema failed");
    answer.to_bytes().len() as u64 - 5
}

/// Starts the provider and reads its handshake line; returns the address of its socket, too.
fn handshake(provider: &Path, mutual_tls: bool) -> (Child, String) {
    let mut command = Command::new(provider);
    command
        .env_clear()
        .envs([COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "5,6")]);
    if mutual_tls {
        command.env("PLUGIN_CLIENT_CERT", client_certificate());
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .split('|')
        .nth(3)
        .unwrap_or_else(|| panic!("no handshake line: {line:?}"));
    let address = address.to_owned();
    (child, address)
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A certificate like that of go-plugin's hosts: P-521, self-signed, its own authority.
fn client_certificate() -> &'static str {
    static CERTIFICATE: OnceLock<String> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.self_signed(&key).unwrap().pem()
    })
}

/// Watches every process of a program while a command runs, for the most memory that one of them took.
pub struct Watch {
    thread: JoinHandle<()>,
    ended: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
}

impl Watch {
    /// Starts to watch.
    pub fn start(program: &Path) -> Self {
        let program = program.canonicalize().unwrap();
        let (ended, peak) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (until, seen) = (Arc::clone(&ended), Arc::clone(&peak));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                for id in processes_of(&program) {
                    seen.fetch_max(peak_memory(id).unwrap_or_default(), Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self {
            thread,
            ended,
            peak,
        }
    }

    /// Ends watching; bytes, 0 where there is no `/proc`.
    pub fn peak_memory(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.peak.load(Ordering::Relaxed)
    }
}

/// The processes that run this program, on Linux.
fn processes_of(program: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let id = |path: PathBuf| path.file_name()?.to_str()?.parse().ok();
    let runs =
        |id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == program);
    entries
        .flatten()
        .filter_map(|entry| id(entry.path()))
        .filter(runs)
        .collect()
}

/// The most resident memory of a process so far, on Linux.
fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
