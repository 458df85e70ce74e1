//! Faults: what a test makes go wrong, on which request, how often.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::errors::ArmError;
use crate::exchange::{Answer, Request};

/// Which requests something looks at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// A method, or several with commas; any when absent.
    pub method: Option<String>,
    /// A pattern of the path without case: `*` stands for any text. Any when absent.
    pub path: Option<String>,
    /// A regular expression that the path must contain, without case.
    pub regex: Option<String>,
    /// `arm` (default), `login` or `any`.
    #[serde(default)]
    pub scope: Scope,
}

/// Which part of the sandbox a selector looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Azure Resource Manager, polls of operations included.
    #[default]
    Arm,
    /// Token and metadata endpoints.
    Login,
    /// Both.
    Any,
}

impl Selector {
    /// True when the request is one of those meant.
    #[must_use]
    pub fn matches(&self, request: &Request, arm: bool) -> bool {
        let scope = match self.scope {
            Scope::Arm => arm,
            Scope::Login => !arm,
            Scope::Any => true,
        };
        let method = self.method.as_deref().is_none_or(|methods| {
            methods.split(',').any(|method| {
                method.trim() == "*" || method.trim().eq_ignore_ascii_case(&request.method)
            })
        });
        let path = self
            .path
            .as_deref()
            .is_none_or(|pattern| glob(&pattern.to_lowercase(), &request.path.to_lowercase()));
        let regex = self
            .regex
            .as_deref()
            .is_none_or(|text| compile(text).is_ok_and(|regex| regex.is_match(&request.path)));
        scope && method && path && regex
    }

    /// Says what is wrong with the selector.
    ///
    /// # Errors
    /// The regular expression does not compile.
    pub fn validate(&self) -> Result<(), String> {
        self.regex.as_deref().map_or(Ok(()), |text| {
            compile(text).map(|_| ()).map_err(|error| error.to_string())
        })
    }
}

fn compile(text: &str) -> Result<Regex, regex_lite::Error> {
    regex_lite::RegexBuilder::new(text)
        .case_insensitive(true)
        .build()
}

/// `*` matches any text, slashes included.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What a fault does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// This answer instead of handling the request.
    #[serde(rename_all = "camelCase")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// The error code, `InternalServerError` when absent.
        code: Option<String>,
        /// The message.
        message: Option<String>,
        /// A `Retry-After` header in seconds.
        retry_after: Option<u32>,
        /// A whole body instead of an ARM error.
        body: Option<Value>,
    },
    /// The request is accepted, and its operation fails with this error.
    FailedOperation {
        /// The error code.
        code: String,
        /// The message.
        message: Option<String>,
    },
    /// The connection is closed before the request is handled.
    DropConnection,
    /// The request is handled and the connection closed instead of answering.
    LostAnswer,
    /// The request is handled later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
}

/// One fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Given by the sandbox.
    #[serde(default)]
    pub id: u64,
    /// Which requests.
    #[serde(default, rename = "match")]
    pub selector: Selector,
    /// How many matching requests pass first.
    #[serde(default)]
    pub after: u32,
    /// How many requests it hits; `null` for all.
    #[serde(default = "once")]
    pub count: Option<u32>,
    /// What happens.
    pub effect: Effect,
    /// How many matching requests came.
    #[serde(default)]
    pub seen: u32,
    /// How many it hit.
    #[serde(default)]
    pub hit: u32,
}

#[allow(clippy::unnecessary_wraps)] // serde wants the type of the field
fn once() -> Option<u32> {
    Some(1)
}

/// The faults that are set.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    last: u64,
}

impl Faults {
    /// Adds a fault and returns its id.
    ///
    /// # Errors
    /// The selector is not understood.
    pub fn add(&mut self, mut fault: Fault) -> Result<u64, String> {
        fault.selector.validate()?;
        self.last += 1;
        (fault.id, fault.seen, fault.hit) = (self.last, 0, 0);
        self.list.push(fault);
        Ok(self.last)
    }

    /// All faults with their counts.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The first fault that hits this request. Every fault that matches counts it.
    pub fn hit(&mut self, request: &Request, arm: bool) -> Option<(u64, Effect)> {
        let mut found = None;
        for fault in &mut self.list {
            if !fault.selector.matches(request, arm) {
                continue;
            }
            fault.seen += 1;
            let left = fault.count.is_none_or(|count| fault.hit < count);
            if found.is_none() && fault.seen > fault.after && left {
                fault.hit += 1;
                found = Some((fault.id, fault.effect.clone()));
            }
        }
        found
    }
}

impl Effect {
    /// The answer of an `Answer` effect.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let Self::Answer {
            status,
            code,
            message,
            retry_after,
            body,
        } = self
        else {
            return None;
        };
        let code = code.as_deref().unwrap_or("InternalServerError");
        let message = message
            .as_deref()
            .unwrap_or("The sandbox was told to answer so.");
        let body = body
            .clone()
            .unwrap_or_else(|| json!({ "error": { "code": code, "message": message } }));
        let answer = Answer::json(*status, body);
        Some(match retry_after {
            Some(seconds) => answer.header("retry-after", seconds.to_string()),
            None => answer,
        })
    }

    /// The error of a `FailedOperation` effect.
    #[must_use]
    pub fn failure(&self) -> Option<ArmError> {
        let Self::FailedOperation { code, message } = self else {
            return None;
        };
        Some(ArmError::conflict(
            code,
            message
                .as_deref()
                .unwrap_or("The sandbox was told to fail the operation."),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_whole_paths() {
        assert!(glob(
            "*/privateendpoints/*",
            "/subscriptions/s/privateendpoints/pe"
        ));
        assert!(glob("*/privateendpoints/pe", "/x/privateendpoints/pe"));
        assert!(!glob(
            "*/privateendpoints/pe",
            "/x/privateendpoints/pe/privatednszonegroups/g"
        ));
        assert!(glob("/a", "/a") && !glob("/a", "/ab") && glob("*", "/anything"));
        assert!(!glob("*a*ba", "/aba/b"));
    }
}
