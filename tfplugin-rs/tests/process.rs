//! The process itself, from its start to its end, as a host sees it: the handshake, mutual TLS, signals, debug mode.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tfplugin_rs::server::proto::plugin::Empty;
use tfplugin_rs::server::proto::plugin::grpc_controller_client::GrpcControllerClient;
use tfplugin_rs::server::proto::plugin::grpc_stdio_client::GrpcStdioClient;
use tfplugin_rs::server::proto::tfplugin6 as pb;
use tfplugin_rs::server::proto::tfplugin6::provider_client::ProviderClient;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::{Service, http::Uri};
use tonic::transport::{Channel, Endpoint};

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

fn command() -> Command {
    let mut command = Command::new(binary::binary("terraform-provider-kinds"));
    for name in [
        "TF_PLUGIN_MAGIC_COOKIE",
        "TF_LOG",
        "TF_LOG_PROVIDER",
        "TF_LOG_PROVIDER_KINDS",
        "PLUGIN_CLIENT_CERT",
    ] {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What go-plugin's host presents: a certificate on the curve P-521 that is its own authority.
struct Identity {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Identity {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }
}

/// A started provider, and what its handshake line says.
struct Plugin {
    process: Child,
    stdout: BufReader<ChildStdout>,
    fields: Vec<String>,
}

impl Plugin {
    fn start(host: &Identity, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = command();
        command
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_CLIENT_CERT", host.certificate.pem());
        change(&mut command);
        Self::of(command.spawn().unwrap())
    }

    fn of(mut process: Child) -> Self {
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let fields = line
            .trim_end_matches('\n')
            .split('|')
            .map(str::to_owned)
            .collect();
        Self {
            process,
            stdout,
            fields,
        }
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(&self.fields[3])
    }

    async fn connect(&self, client: &Identity) -> Result<Channel, tonic::transport::Error> {
        let der = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(&self.fields[5])
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(der)).unwrap();
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![client.certificate.der().clone()],
                PrivatePkcs8KeyDer::from(client.key.serialize_der()).into(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = Connector {
            path: self.socket(),
            tls: TlsConnector::from(Arc::new(config)),
        };
        Endpoint::from_static("http://localhost")
            .connect_with_connector(connector)
            .await
    }

    fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    /// Waits for the end, which has to come by itself.
    fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > deadline {
                self.process.kill().unwrap();
                panic!("the provider did not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn signal(process: u32, name: &str) {
    assert!(
        Command::new("kill")
            .args([format!("-{name}"), process.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[derive(Clone)]
struct Connector {
    path: PathBuf,
    tls: TlsConnector,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<UnixStream>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { path, tls } = self.clone();
        Box::pin(async move {
            let stream = UnixStream::connect(path).await?;
            let stream = tls
                .connect(ServerName::try_from("localhost").unwrap(), stream)
                .await?;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
            Ok(TokioIo::new(stream))
        })
    }
}

#[test]
fn started_by_hand_it_says_what_it_is() {
    let output = command().output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("This binary is a plugin. These are not meant to be executed directly."),
        "{text}"
    );
    assert!(text.contains("tfplugin/kinds"), "{text}");
    let output = command().arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "terraform-provider-kinds 1.2.3\n"
    );
}

#[tokio::test]
async fn a_host_is_served_over_mutual_tls_until_it_shuts_the_provider_down() {
    let host = Identity::new();
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(&host, |command| {
        command.env("PLUGIN_UNIX_SOCKET_DIR", folder.path());
    });
    assert_eq!(plugin.fields.len(), 6, "{:?}", plugin.fields);
    assert_eq!(plugin.fields[..3], ["1", "6", "unix"]);
    assert!(plugin.socket().starts_with(folder.path()));
    assert!(!plugin.fields[5].contains('='));
    let channel = plugin.connect(&host).await.unwrap();
    let mut streams = GrpcStdioClient::new(channel.clone());
    let mut silence = streams.stream_stdio(()).await.unwrap().into_inner();
    let mut provider = ProviderClient::new(channel.clone());
    let schema = provider
        .get_provider_schema(pb::get_provider_schema::Request {})
        .await
        .unwrap();
    assert!(
        schema
            .into_inner()
            .resource_schemas
            .contains_key("kinds_all")
    );
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    let request = tonic_health::pb::HealthCheckRequest {
        service: "plugin".to_owned(),
    };
    assert_eq!(
        health.check(request).await.unwrap().into_inner().status,
        1,
        "not serving"
    );
    let socket = plugin.socket();
    let asked = Instant::now();
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    assert!(
        silence.message().await.unwrap_or_default().is_none(),
        "something was printed"
    );
    let mut printed = String::new();
    plugin.stdout.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "", "standard output is for the handshake alone");
    assert!(plugin.end().success());
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "go-plugin would have killed it"
    );
    assert!(!socket.exists(), "the socket is left behind");
}

#[tokio::test]
async fn another_client_is_refused_and_the_right_one_still_gets_in() {
    let host = Identity::new();
    let plugin = Plugin::start(&host, |_| {});
    let stranger = plugin.connect(&Identity::new()).await;
    if let Ok(channel) = stranger {
        // In TLS 1.3 a client learns that it was refused when it first reads.
        let answer = ProviderClient::new(channel)
            .get_metadata(pb::get_metadata::Request {})
            .await;
        assert!(answer.is_err(), "a stranger was answered");
    }
    // Whoever does not even speak TLS changes nothing either.
    drop(UnixStream::connect(plugin.socket()).await.unwrap());
    let channel = plugin.connect(&host).await.unwrap();
    ProviderClient::new(channel.clone())
        .get_metadata(pb::get_metadata::Request {})
        .await
        .unwrap();
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    assert!(plugin.end().success());
}

#[tokio::test]
async fn an_interrupt_does_not_end_it() {
    let host = Identity::new();
    let plugin = Plugin::start(&host, |_| {});
    plugin.signal("INT");
    let channel = plugin.connect(&host).await.unwrap();
    plugin.signal("INT");
    ProviderClient::new(channel.clone())
        .get_metadata(pb::get_metadata::Request {})
        .await
        .unwrap();
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    assert!(plugin.end().success());
}

#[tokio::test]
async fn a_call_that_never_ends_does_not_outlive_the_shutdown() {
    let host = Identity::new();
    let plugin = Plugin::start(&host, |_| {});
    let channel = plugin.connect(&host).await.unwrap();
    let mut controller = GrpcControllerClient::new(channel.clone());
    // Both streams stay open for ever if nobody ends them.
    let open = GrpcStdioClient::new(channel)
        .stream_stdio(())
        .await
        .unwrap();
    let asked = Instant::now();
    controller.shutdown(Empty {}).await.unwrap();
    assert!(plugin.end().success());
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "go-plugin would have killed it"
    );
    drop(open);
}

#[test]
fn a_provider_whose_host_was_killed_ends_by_itself() {
    let host = Identity::new();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "\"$0\" & wait"])
        .arg(binary::binary("terraform-provider-kinds"))
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_CLIENT_CERT", host.certificate.pem())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut plugin = Plugin::of(shell.spawn().unwrap());
    let socket = plugin.socket();
    assert!(socket.exists());
    plugin.signal("KILL");
    plugin.process.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while socket.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!socket.exists(), "the provider is still there");
}

#[tokio::test]
async fn debug_mode_serves_in_the_clear_until_an_interrupt() {
    let mut process = command().arg("-debug").spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("TF_REATTACH_PROVIDERS=") {
        line.clear();
        assert_ne!(
            stdout.read_line(&mut line).unwrap(),
            0,
            "the variable was not printed"
        );
    }
    let attach: serde_json::Value =
        serde_json::from_str(line.trim().split('\'').nth(1).unwrap()).unwrap();
    let attach = &attach["tfplugin/kinds"];
    assert_eq!(
        (attach["Test"].as_bool(), attach["ProtocolVersion"].as_i64()),
        (Some(true), Some(6))
    );
    assert_eq!(attach["Pid"].as_u64(), Some(process.id().into()));
    let socket = attach["Addr"]["String"].as_str().unwrap().to_owned();
    let channel = Endpoint::from_shared(format!("unix://{socket}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    ProviderClient::new(channel)
        .get_metadata(pb::get_metadata::Request {})
        .await
        .unwrap();
    signal(process.id(), "INT");
    assert!(process.wait().unwrap().success());
    assert!(!Path::new(&socket).exists(), "the socket is left behind");
}

#[tokio::test]
async fn logs_are_lines_of_json_with_the_fields_that_hosts_know() {
    let host = Identity::new();
    let mut plugin = Plugin::start(&host, |command| {
        command.env("TF_LOG", "TRACE");
    });
    let channel = plugin.connect(&host).await.unwrap();
    let request = pb::read_resource::Request {
        type_name: "kinds_none".to_owned(),
        ..Default::default()
    };
    ProviderClient::new(channel.clone())
        .read_resource(request)
        .await
        .unwrap();
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    let mut text = String::new();
    plugin
        .process
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line["@message"].is_string() && line["@level"].is_string()),
        "{text}"
    );
    let of_call = |line: &&serde_json::Value| {
        line["tf_rpc"] == "ReadResource" && line["tf_resource_type"] == "kinds_none"
    };
    assert!(
        lines
            .iter()
            .filter(of_call)
            .any(|line| line["tf_req_duration_ms"].is_u64()),
        "{text}"
    );
    assert!(
        lines
            .iter()
            .filter(of_call)
            .any(|line| line["@level"] == "error"),
        "{text}"
    );
    assert!(plugin.end().success());
}

#[tokio::test]
async fn a_panic_is_printed_as_hosts_expect_it() {
    let host = Identity::new();
    let mut plugin = Plugin::start(&host, |_| {});
    let channel = plugin.connect(&host).await.unwrap();
    let kind = tfplugin_rs::value::Type::Object(
        [("times".to_owned(), tfplugin_rs::value::Type::Number)].into(),
    );
    let config = tfplugin_rs::value::Value::object([("times", 13.into())]);
    let request = pb::invoke_action::Request {
        action_type: "kinds_ping".to_owned(),
        config: Some(pb::DynamicValue {
            msgpack: tfplugin_rs::value::msgpack::encode(&kind, &config).unwrap(),
            json: Vec::new(),
        }),
        ..Default::default()
    };
    let mut events = ProviderClient::new(channel.clone())
        .invoke_action(request)
        .await
        .unwrap()
        .into_inner();
    while events.message().await.unwrap().is_some() {}
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    let mut text = String::new();
    plugin
        .process
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).expect(&text);
    assert_eq!(
        (first["@message"].as_str(), first["@level"].as_str()),
        (Some("panic: no luck"), Some("debug"))
    );
    assert!(plugin.end().success());
}
