//! An error answer of Azure: code, message, details and the ids that Azure's support asks for, and
//! how it reads.

use std::fmt;

use super::Error;

/// An error answer of Azure, in whichever of its shapes it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureError {
    /// The HTTP method of the request.
    pub method: String,
    /// The id (or path) that the request was about.
    pub about: String,
    /// The HTTP status; 200 where a long-running operation reported its failure in a body.
    pub status: u16,
    /// Azure's code, such as `AnotherOperationInProgress`.
    pub code: Option<String>,
    /// Azure's message.
    pub message: String,
    /// What the message is about, where Azure says so.
    pub target: Option<String>,
    /// Further errors below this one.
    pub details: Vec<Detail>,
    /// Names of the policy assignments and definitions that refused the request.
    pub policies: Vec<String>,
    /// `x-ms-request-id`, which Azure support asks for.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<String>,
    /// Whether the request was accepted first, and failed later as a long-running operation.
    pub operation: bool,
    /// Whether an earlier attempt of the same write may have been acted on unheard.
    pub after_loss: bool,
}

/// One of the errors below an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Azure's code.
    pub code: Option<String>,
    /// Azure's message.
    pub message: String,
    /// What it is about.
    pub target: Option<String>,
}

impl From<AzureError> for Error {
    fn from(error: AzureError) -> Self {
        Self::Azure(Box::new(error))
    }
}

impl fmt::Display for AzureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.method, self.about)?;
        match (&self.code, self.operation) {
            (Some(code), true) => write!(f, "the operation failed with {code}")?,
            (None, true) => f.write_str("the operation failed")?,
            (Some(code), false) => write!(f, "{} {code}", self.status)?,
            (None, false) => write!(f, "{}", self.status)?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        for detail in &self.details {
            write!(f, " [{detail}]")?;
        }
        if !self.policies.is_empty() {
            write!(f, " (policy: {})", self.policies.join(", "))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
