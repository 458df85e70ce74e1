//! A client for the tests: tokens, the api-version, polling, and the remote control.

pub mod cluster;
pub mod plane;

use fkaks_sandbox::{Options, Running, Sandbox, Settings};
use reqwest::{Client, Method};
use serde_json::{Value, json};

pub const SUB: &str = fkaks_sandbox::DEFAULT_SUBSCRIPTION;
pub const NETWORK: &str = "2025-05-01";
pub const RESOURCES: &str = "2025-04-01";

/// A running sandbox and a client with a token.
pub struct Arm {
    pub sandbox: Running,
    pub http: Client,
    pub token: String,
}

/// An answer with its headers.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
    pub fn state(&self) -> &str {
        self.body["properties"]["provisioningState"]
            .as_str()
            .unwrap_or_default()
    }
    /// Asserts the status and returns the body.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
    /// Asserts an error's status and code.
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
        self
    }
}

/// The id of something in the group `rg`.
pub fn id(rest: &str) -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/{rest}")
}

pub fn group() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg")
}

impl Arm {
    pub async fn start() -> Self {
        Self::with(Options {
            settings: Settings {
                unwatched_ms: 60_000,
                ..Settings::default()
            },
            ..Options::default()
        })
        .await
    }

    pub async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let (_, token) = sandbox.control("POST", "/_sandbox/token", None);
        let token = token["access_token"].as_str().unwrap().to_owned();
        // The provider feature is off in this workspace, so a process-wide provider is chosen here.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            sandbox,
            http: Client::builder().no_proxy().build().unwrap(),
            token,
        }
    }

    /// A sandbox with the group `rg` in westeurope.
    pub async fn with_group() -> Self {
        let arm = Self::start().await;
        arm.put(&group(), RESOURCES, json!({ "location": "westeurope" }))
            .await
            .expect(201);
        arm
    }

    pub async fn send(&self, method: Method, url: &str, body: Option<&Value>) -> Reply {
        self.try_send(method, url, body)
            .await
            .expect("the sandbox answers")
    }

    pub async fn try_send(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Reply, reqwest::Error> {
        let url = if url.starts_with("http") {
            url.to_owned()
        } else {
            format!("{}{url}", self.sandbox.base_url)
        };
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    pub async fn get(&self, id: &str, version: &str) -> Reply {
        self.send(Method::GET, &with_version(id, version), None)
            .await
    }
    pub async fn put(&self, id: &str, version: &str, body: Value) -> Reply {
        self.send(Method::PUT, &with_version(id, version), Some(&body))
            .await
    }
    pub async fn patch(&self, id: &str, version: &str, body: Value) -> Reply {
        self.send(Method::PATCH, &with_version(id, version), Some(&body))
            .await
    }
    pub async fn post(&self, id: &str, version: &str, body: Value) -> Reply {
        self.send(Method::POST, &with_version(id, version), Some(&body))
            .await
    }
    pub async fn delete(&self, id: &str, version: &str) -> Reply {
        self.send(Method::DELETE, &with_version(id, version), None)
            .await
    }

    /// Polls the operation of an accepted write to its end and returns the last poll.
    /// Asserts that it was seen running at least twice.
    pub async fn finish(&self, reply: &Reply) -> Reply {
        let (url, location) = match reply.header("azure-asyncoperation") {
            "" => (reply.header("location").to_owned(), true),
            url => (url.to_owned(), false),
        };
        assert!(
            !url.is_empty(),
            "the answer {} names no operation: {}",
            reply.status,
            reply.body
        );
        for polls in 0..50 {
            let poll = self.send(Method::GET, &url, None).await;
            let running = if location {
                poll.status == 202
            } else {
                poll.body["status"] == "InProgress"
            };
            if !running {
                assert!(
                    polls >= 2,
                    "the operation was seen running {polls} times only"
                );
                return poll;
            }
        }
        panic!("the operation does not end");
    }

    /// PUT, wait, and the resource as it then is.
    pub async fn create(&self, id: &str, version: &str, body: Value) -> Value {
        let reply = self.put(id, version, body).await;
        assert!(
            matches!(reply.status, 200..=202),
            "{} {}",
            reply.status,
            reply.body
        );
        if reply.header("azure-asyncoperation").is_empty() && reply.header("location").is_empty() {
            return reply.body;
        }
        let end = self.finish(&reply).await;
        assert!(
            end.status < 300 && end.body["status"] != "Failed",
            "{}",
            end.body
        );
        self.get(id, version).await.expect(200).body
    }

    /// DELETE and wait.
    pub async fn remove(&self, id: &str, version: &str) {
        let reply = self.delete(id, version).await;
        assert!(
            matches!(reply.status, 200 | 202 | 204),
            "{} {}",
            reply.status,
            reply.body
        );
        if reply.status == 202 {
            let end = self.finish(&reply).await;
            assert!(
                end.status < 300 && end.body["status"] != "Failed",
                "{}",
                end.body
            );
        }
    }

    pub fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.sandbox.control(method, path, Some(&body));
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    pub fn fault(&self, fault: Value) {
        self.control("POST", "/_sandbox/faults", fault);
    }

    /// The ids of everything that is stored.
    pub fn stored(&self) -> Vec<String> {
        let answer = self.control("GET", "/_sandbox/resources", json!({}));
        answer["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }
}

fn with_version(id: &str, version: &str) -> String {
    let sign = if id.contains('?') { '&' } else { '?' };
    format!("{id}{sign}api-version={version}")
}
