//! The log of requests: what came when, and how it was answered. Bodies of ARM writes are kept, so
//! that a test can look at them; headers and login requests' bodies are not.

use serde::Serialize;
use serde_json::Value;

/// Entries kept; older ones are dropped.
const LIMIT: usize = 100_000;

/// One request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// 1, 2, 3... in the order of arrival.
    pub number: u64,
    /// `arm`, `login` or `logs`.
    pub kind: &'static str,
    /// The method.
    pub method: String,
    /// The path, decoded.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// The API version of the query.
    pub api_version: Option<String>,
    /// The status; 0 when no answer was sent.
    pub status: u16,
    /// The error code of the answer.
    pub code: Option<String>,
    /// `x-ms-client-request-id`.
    pub client_request_id: Option<String>,
    /// `x-ms-correlation-request-id` of the request.
    pub correlation_request_id: Option<String>,
    /// `x-ms-request-id` of the answer.
    pub request_id: String,
    /// `user-agent`.
    pub user_agent: Option<String>,
    /// The body of an ARM write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Microseconds since the sandbox started.
    pub started_us: u64,
    /// Microseconds since the sandbox started.
    pub ended_us: u64,
    /// The fault that hit it.
    pub fault: Option<u64>,
}

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
}

impl Log {
    /// Adds an answered request.
    pub fn add(&mut self, entry: Entry) {
        if self.entries.len() >= LIMIT {
            self.entries.drain(..LIMIT / 10);
        }
        self.entries.push(entry);
    }

    /// The requests in the order in which they were answered.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
