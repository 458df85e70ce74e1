//! Requests and answers as plain values: the handler below knows nothing of sockets.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::id::ResourceId;

/// A request as it was read from the socket.
#[derive(Clone, Debug)]
pub struct Request {
    /// Upper-case method.
    pub method: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// `https://127.0.0.1:8443`: scheme and authority as the client named them.
    pub base: String,
    /// Where the client says that it comes from, when it uses the sandbox as its proxy; may be empty.
    pub place: Option<String>,
}

impl Request {
    /// A query parameter by its name in any case, decoded.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The API version of the query.
    #[must_use]
    pub fn api_version(&self) -> Option<String> {
        self.param("api-version")
            .filter(|version| !version.is_empty())
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// `InvalidRequestContent` when it is no JSON object, as Resource Manager answers.
    pub fn object(&self) -> ArmResult<Value> {
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|error| invalid_content(format!("The body is not valid JSON: {error}")))?;
        if value.is_object() {
            Ok(value)
        } else {
            Err(invalid_content("The body is not a JSON object"))
        }
    }

    /// The segments of the path.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    }
}

/// An answer before it is written.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beyond the ones that every answer has.
    pub headers: Vec<(String, String)>,
    /// The body; `None` writes none.
    pub body: Option<Value>,
    /// A body that is no JSON of ours: its media type, and it itself.
    pub bytes: Option<Box<(String, Bytes)>>,
    /// The configured `Retry-After` is to be added.
    pub retry_after: bool,
    /// The resource whose `settle` completes what an action began.
    pub started: Option<ResourceId>,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            ..Self::default()
        }
    }

    /// An answer with these very bytes.
    #[must_use]
    pub fn bytes(status: u16, kind: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status,
            bytes: Some(Box::new((kind.to_owned(), bytes.into()))),
            ..Self::default()
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same answer with the configured `Retry-After`.
    #[must_use]
    pub fn retry(mut self) -> Self {
        self.retry_after = true;
        self
    }
}

impl From<ArmError> for Answer {
    fn from(error: ArmError) -> Self {
        let body = match error.bare {
            true => error.inner(),
            false => serde_json::json!({ "error": error.inner() }),
        };
        Self {
            status: error.status,
            headers: vec![("x-ms-failure-cause".into(), "gateway".into())],
            body: Some(body),
            retry_after: error.retry,
            ..Self::default()
        }
    }
}
