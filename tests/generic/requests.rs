//! Requests to Resource Manager, and places in a sequence of them.

use std::fmt;

use serde_json::Value as Json;

/// One request to Resource Manager.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub body: Json,
}

/// A place in a sequence of requests: the nth of this method on this path. The random ids of
/// operations are `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub method: String,
    pub path: String,
    pub nth: u32,
    /// Whether the request changes something.
    pub writes: bool,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (time {})", self.method, self.path, self.nth + 1)
    }
}

impl Exchange {
    /// Whether the request changes something. Azure Policy takes questions as POST, and a command in a
    /// cluster may look only.
    pub fn writes(&self) -> bool {
        let path = self.path.to_lowercase();
        let text = self.body["command"].as_str().unwrap_or_default();
        let mut commands = text.split("kubectl ").skip(1);
        let looks = commands.all(|command| command.starts_with("get "));
        let asks = path.contains("/policystates/") || (path.ends_with("/runcommand") && looks);
        self.method != "GET" && !asks
    }
}

impl Point {
    /// Whether the request changes something.
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Whether it asks an operation how far it is.
    pub fn polls(&self) -> bool {
        self.path.contains('*')
    }
}
