//! The local Azure of one test: a `fkaks-sandbox serve` process of its own, over TLS, and its remote control.
//!
//! The test binary starts itself again as the sandbox's process, so that the sandbox is never an older build.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::{Client, ClientBuilder, Method, Proxy, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Set for the process that is to be the sandbox.
const MARK: &str = "FKAKS_ACCEPTANCE_SANDBOX";
/// The identity that the provider and the tests use; the sandbox takes any.
pub const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";
/// A second one, which the provider reaches by full ids alone.
const OTHER_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000002";
pub const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
pub const SECRET: &str = "sandbox-secret";
/// The public address that the commands come from, as the sandbox is told.
const PLACE: &str = "203.0.113.7";

/// The arguments of `fkaks-sandbox` when this process was started to be it.
pub fn sandbox_arguments() -> Option<Vec<OsString>> {
    std::env::var_os(MARK)?;
    Some(std::env::args_os().collect())
}

/// A running sandbox; it ends when this is dropped.
pub struct Sandbox {
    process: Child,
    url: String,
    certificate: PathBuf,
    client: Client,
    token: String,
}

impl Sandbox {
    /// Starts one on a free port, with its certificates in `folder` and these options of the command.
    pub fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", "--listen", "127.0.0.1:0", "--exit-with-stdin"]);
        command.args(["--tenant", TENANT, "--subscription", SUBSCRIPTION]);
        command.args(["--subscription", OTHER_SUBSCRIPTION]);
        command.arg("--tls").arg(folder).args(options);
        command.env(MARK, "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| address(&line.ok()?))
            .unwrap_or_else(|| {
                panic!(
                    "the sandbox ended before it told its address: {:?}",
                    process.wait()
                );
            });
        std::thread::spawn(move || lines.count()); // A full pipe would stop the sandbox.
        let certificate = folder.join("ca.pem");
        let mut sandbox = Self {
            process,
            client: client(&certificate, ClientBuilder::no_proxy),
            url,
            certificate,
            token: String::new(),
        };
        sandbox.token = sandbox.sign_in();
        sandbox
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("https://")
    }

    /// The sandbox as a proxy, for someone who comes from that public address.
    pub fn proxy(&self) -> String {
        proxy(&self.url, PLACE)
    }

    /// The certificate authority that signs for the sandbox.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The ids of all that exists.
    pub fn resources(&self) -> BTreeSet<String> {
        let list = self.control(Method::GET, "/resources", None);
        items(&list)
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }

    /// The requests so far in the order of their answers: the entries of the sandbox's log.
    pub fn requests(&self) -> Vec<Value> {
        items(&self.control(Method::GET, "/requests", None)).to_vec()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.control(Method::DELETE, "/requests", None);
    }

    /// The number of requests so far that write.
    pub fn writes(&self) -> usize {
        let is_write = |request: &&Value| {
            request["kind"] == "arm" && request["method"] != "GET" && request["method"] != "HEAD"
        };
        self.requests().iter().filter(is_write).count()
    }

    /// Makes later requests fail, as the sandbox's documentation says.
    pub fn fault(&self, fault: &Value) {
        self.control(Method::POST, "/faults", Some(fault));
    }

    /// A request to the remote control, which must succeed.
    pub fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.send(method, &format!("/_sandbox{path}"), body);
        assert!(status.is_success(), "/_sandbox{path}: {status} {answer}");
        answer
    }

    /// Reads an object as another client of Azure would; null when it is not there.
    pub fn get(&self, id: &str, api_version: &str) -> Value {
        let (status, answer) = self.send(
            Method::GET,
            &format!("{id}?api-version={api_version}"),
            None,
        );
        if status == StatusCode::NOT_FOUND {
            Value::Null
        } else {
            answer
        }
    }

    /// Creates or replaces an object as another client of Azure would, and waits until it stands.
    pub fn put(&self, id: &str, api_version: &str, body: &Value) -> Value {
        let (status, answer) = self.send(
            Method::PUT,
            &format!("{id}?api-version={api_version}"),
            Some(body),
        );
        assert!(status.is_success(), "PUT {id}: {status} {answer}");
        self.wait_until(&format!("{id} stands"), || {
            let state = &self.get(id, api_version)["properties"]["provisioningState"];
            matches!(state.as_str(), None | Some("Succeeded"))
        });
        self.get(id, api_version)
    }

    /// Deletes an object as another client of Azure would, and waits until it is gone.
    pub fn delete(&self, id: &str, api_version: &str) {
        let (status, answer) = self.send(
            Method::DELETE,
            &format!("{id}?api-version={api_version}"),
            None,
        );
        assert!(status.is_success(), "DELETE {id}: {status} {answer}");
        self.wait_until(&format!("{id} is gone"), || {
            self.get(id, api_version).is_null()
        });
    }

    /// Does an action as another client of Azure would, without waiting for its end.
    pub fn post(&self, path: &str, api_version: &str, body: &Value) {
        let url = format!("{path}?api-version={api_version}");
        let (status, answer) = self.send(Method::POST, &url, Some(body));
        assert!(status.is_success(), "POST {path}: {status} {answer}");
    }

    /// Pulls a manifest of a registry, as a container runtime does that comes from where the commands come
    /// from. The status of the answer that ended it.
    pub fn pull(&self, server: &str, image: &str, tag: &str, login: (&str, &str)) -> u16 {
        let status = self.pull_from(PLACE, server, image, tag, login);
        status.unwrap_or_else(|| panic!("{server} is not reached"))
    }

    /// Pulls a manifest of a registry from a place, the id of a subnet or an address: with a token for the
    /// image, which it gets for the user name and password. The status of the answer that ended it; `None`
    /// where there is no connection.
    pub fn pull_from(
        &self,
        place: &str,
        server: &str,
        image: &str,
        tag: &str,
        login: (&str, &str),
    ) -> Option<u16> {
        let token = format!("https://{server}/oauth2/token");
        let scope = format!("repository:{image}:pull");
        let manifest = format!("https://{server}/v2/{image}/manifests/{tag}");
        let query = [("service", server), ("scope", scope.as_str())];
        let visitor = self.visitor(place);
        block_on(async {
            let asked = visitor.get(token).query(&query);
            let answer = asked.basic_auth(login.0, Some(login.1)).send().await.ok()?;
            if !answer.status().is_success() {
                return Some(answer.status().as_u16());
            }
            let answer: Value = answer.json().await.ok()?;
            let bearer = answer["access_token"].as_str().unwrap_or_default();
            let asked = visitor.get(manifest).bearer_auth(bearer);
            let answer = asked.send().await.ok()?;
            Some(answer.status().as_u16())
        })
    }

    /// Whether a registry lets a client in that comes from that place, whoever he is.
    pub fn lets_in(&self, place: &str, server: &str) -> bool {
        let asked = self.visitor(place).get(format!("https://{server}/v2/"));
        let answer = block_on(async { asked.send().await.ok() });
        answer.is_some_and(|answer| answer.status() == StatusCode::UNAUTHORIZED)
    }

    /// Who comes from a place, the id of a subnet or an address, and asks through the sandbox as a proxy.
    fn visitor(&self, place: &str) -> Client {
        let way = Proxy::https(proxy(&self.url, place)).unwrap();
        client(&self.certificate, |builder| builder.proxy(way))
    }

    /// Asks again and again until it holds; panics after half a minute.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(
                Instant::now() < end,
                "waited for half a minute, but not: {what}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn sign_in(&self) -> String {
        let url = format!("{}/{TENANT}/oauth2/v2.0/token", self.url);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
            ("scope", "https://management.azure.com/.default"),
        ];
        let answer: Value =
            block_on(async { self.client.post(url).form(&form).send().await?.json().await })
                .unwrap();
        answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token: {answer}"))
            .to_owned()
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, text) = block_on(async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
        })
        .unwrap_or_else(|error| panic!("{path}: {error:?}"));
        (status, serde_json::from_str(&text).unwrap_or(json!(text)))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Nothing is lost with the process: the sandbox of a test keeps no state file.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a future on the one runtime of the driver.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().unwrap())
        .block_on(future)
}

/// What a list of the remote control holds.
fn items(list: &Value) -> &[Value] {
    list["value"]
        .as_array()
        .unwrap_or_else(|| panic!("no list: {list}"))
}

/// The address in the line that the sandbox prints once it listens; its certificate is for `localhost`, too.
fn address(line: &str) -> Option<String> {
    let start = line.find("https://")?;
    let url = line[start..]
        .split(|c: char| c.is_whitespace() || c == '"')
        .next()?;
    let port = url.trim_end_matches('/').rsplit(':').next()?;
    Some(format!("https://localhost:{port}"))
}

fn proxy(url: &str, place: &str) -> String {
    let port = url.rsplit(':').next().unwrap_or_default();
    format!("http://{}@127.0.0.1:{port}", place.replace('/', "%2F"))
}

fn client(certificate: &Path, way: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .unwrap();
    });
    let authority = reqwest::Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    way(Client::builder().tls_certs_only([authority]))
        .build()
        .unwrap()
}
