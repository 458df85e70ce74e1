//! What can go wrong on the way to Azure and back, with predicates for whoever decides. What Azure
//! itself says is an [`AzureError`].

use std::fmt;
use std::time::Duration;

use super::azure_error::{AzureError, Detail};
use super::credentials::CredentialError;
use super::error_texts::{self, HeldPod};

/// An error of the ARM client. Decide with the predicates, never by the text.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Azure answered with an error, at once or as the end of a long-running operation.
    #[error("{0}")]
    Azure(Box<AzureError>),
    /// No access token could be had.
    #[error("{0}")]
    Credentials(Box<CredentialError>),
    /// The subscription does not use a resource provider, and registering it is not allowed.
    #[error(
        "the subscription {subscription_id} is not registered to use the resource provider {namespace}. \
         Register it once with: {command}"
    )]
    NotRegistered {
        /// The resource provider, such as `Microsoft.ContainerRegistry`.
        namespace: String,
        /// The subscription that lacks it.
        subscription_id: String,
        /// The command that registers it.
        command: String,
        /// What Azure said.
        answer: Box<AzureError>,
    },
    /// No answer came: name resolution, connection, TLS, or a connection that broke.
    #[error("{method} {about}: {message}")]
    Transport {
        /// The HTTP method.
        method: String,
        /// The id or address that it was about.
        about: String,
        /// What broke, down to the cause.
        message: String,
    },
    /// The answer does not have the shape that ARM promises.
    #[error("{method} {about}: {message}")]
    Protocol {
        /// The HTTP method.
        method: String,
        /// The id or address that it was about.
        about: String,
        /// What is wrong with the answer.
        message: String,
    },
    /// The settings of the client are wrong.
    #[error("{0}")]
    Settings(String),
    /// The timeout of the operation has expired.
    #[error("{}", Expired(timeout, waiting_for.as_deref(), last.as_deref()))]
    Timeout {
        /// The timeout as the user set it.
        timeout: Duration,
        /// What was being waited for.
        waiting_for: Option<String>,
        /// The last error that Azure gave, which is most likely the reason.
        last: Option<Box<Error>>,
    },
    /// The user asked to stop.
    #[error("the operation was stopped{}", waiting_for.as_deref().map(|w| format!(" while waiting for {w}")).unwrap_or_default())]
    Stopped {
        /// What was being waited for.
        waiting_for: Option<String>,
    },
}

impl Error {
    /// The error answer of Azure, if this is one or carries one as its last word.
    pub fn azure(&self) -> Option<&AzureError> {
        match self {
            Self::Azure(error) => Some(error),
            Self::NotRegistered { answer, .. } => Some(answer),
            Self::Timeout {
                last: Some(last), ..
            } => last.azure(),
            _ => None,
        }
    }

    /// Azure says that the object does not exist. Never true for a timeout or a failed operation,
    /// nor where the 404 is about the subscription or type, or comes from something that is not
    /// ARM: from those nobody may conclude that an object is gone.
    pub fn is_not_found(&self) -> bool {
        let Self::Azure(error) = self else {
            return false;
        };
        let misdirected = [
            "SubscriptionNotFound",
            "InvalidResourceType",
            "InvalidResourceNamespace",
        ];
        error.status == 404
            && !error.operation
            && (error.code.is_some() || error.request_id.is_some())
            && !misdirected.iter().any(|code| self.has_code(code))
    }

    /// Azure refused the request, and nothing of it has happened. Not true where an earlier attempt
    /// was not answered, nor for a timeout, whatever Azure said last.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Azure(error) => {
                (400..500).contains(&error.status)
                    && error.status != 408
                    && !error.operation
                    && !error.after_loss
            }
            Self::NotRegistered { answer, .. } => !answer.after_loss,
            Self::Credentials(_) | Self::Settings(_) => true,
            _ => false,
        }
    }

    /// The caller lacks a permission, or a policy forbids the request.
    pub fn is_forbidden(&self) -> bool {
        self.has_status(403)
    }

    /// Azure refused the caller's token.
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(401)
    }

    /// The request conflicts with the state of the object (409).
    pub fn is_conflict(&self) -> bool {
        self.has_status(409)
    }

    /// A condition did not hold: with "create only", the object exists already (412).
    pub fn is_precondition_failed(&self) -> bool {
        self.has_status(412)
            || matches!(self, Self::Azure(e) if e.operation && e.code.as_deref() == Some("PreconditionFailed"))
    }

    /// Too many requests (429).
    pub fn is_throttled(&self) -> bool {
        self.has_status(429)
    }

    /// The subscription has not registered a resource provider, and may not here.
    pub fn is_not_registered(&self) -> bool {
        matches!(self, Self::NotRegistered { .. })
    }

    /// No access token could be had.
    pub fn is_credentials(&self) -> bool {
        matches!(self, Self::Credentials(_))
    }

    /// The timeout expired.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// The user asked to stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }

    /// No answer came at all.
    pub fn is_transport(&self) -> bool {
        matches!(self, Self::Transport { .. })
    }

    /// The request was accepted, and failed later as a long-running operation.
    pub fn is_failed_operation(&self) -> bool {
        matches!(self, Self::Azure(e) if e.operation)
    }

    /// The pods that kept nodes of a cluster from being drained, where the operation failed for
    /// them; empty where Azure names none.
    pub fn undrained(&self) -> Option<Vec<HeldPod>> {
        self.azure().and_then(error_texts::undrained)
    }

    /// Azure's code; after a timeout, that of its last error.
    pub fn code(&self) -> Option<&str> {
        self.azure().and_then(|e| e.code.as_deref())
    }

    /// Whether Azure's code is this one, in any case.
    pub fn has_code(&self, code: &str) -> bool {
        self.code().is_some_and(|c| c.eq_ignore_ascii_case(code))
    }

    /// What went wrong in words: Azure's message where there is one.
    pub fn message(&self) -> String {
        match self.azure() {
            Some(error) => error.message.clone(),
            None => self.to_string(),
        }
    }

    /// Azure's further errors.
    pub fn details(&self) -> &[Detail] {
        self.azure().map_or(&[], |e| &e.details)
    }

    /// The HTTP status of Azure's answer.
    pub fn status(&self) -> Option<u16> {
        self.azure().map(|e| e.status)
    }

    /// `x-ms-request-id`.
    pub fn request_id(&self) -> Option<&str> {
        self.azure().and_then(|e| e.request_id.as_deref())
    }

    /// `x-ms-correlation-request-id`.
    pub fn correlation_id(&self) -> Option<&str> {
        self.azure().and_then(|e| e.correlation_id.as_deref())
    }

    /// The HTTP method of the request that failed.
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Transport { method, .. } | Self::Protocol { method, .. } => Some(method),
            Self::Timeout {
                last: Some(last), ..
            } => last.method(),
            other => other.azure().map(|e| e.method.as_str()),
        }
    }

    /// The id or path that the failed request was about.
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::Transport { about, .. } | Self::Protocol { about, .. } => Some(about),
            Self::Timeout {
                last: Some(last), ..
            } => last.about(),
            other => other.azure().map(|e| e.about.as_str()),
        }
    }

    pub(super) fn timeout(timeout: Duration) -> Self {
        Self::Timeout {
            timeout,
            waiting_for: None,
            last: None,
        }
    }

    pub(super) fn stopped() -> Self {
        Self::Stopped { waiting_for: None }
    }

    /// Adds to a stop or timeout what was waited for and what Azure said last.
    pub(super) fn while_waiting(self, what: &str, seen: Option<&Self>) -> Self {
        match self {
            Self::Timeout {
                timeout,
                waiting_for,
                last,
            } => Self::Timeout {
                timeout,
                waiting_for: waiting_for.or_else(|| Some(what.to_owned())),
                last: last.or_else(|| seen.cloned().map(Box::new)),
            },
            Self::Stopped { waiting_for } => Self::Stopped {
                waiting_for: waiting_for.or_else(|| Some(what.to_owned())),
            },
            other => other,
        }
    }

    /// Names the operation that a stop or timeout interrupted, instead of the request.
    pub(super) fn about_waiting(mut self, what: &str) -> Self {
        if let Self::Timeout { waiting_for, .. } | Self::Stopped { waiting_for } = &mut self {
            *waiting_for = Some(what.to_owned());
        }
        self
    }

    fn has_status(&self, status: u16) -> bool {
        matches!(self, Self::Azure(e) if e.status == status)
    }
}

/// The words of a timeout.
struct Expired<'a>(&'a Duration, Option<&'a str>, Option<&'a Error>);

impl fmt::Display for Expired<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(timeout, waiting_for, last) = self;
        write!(f, "the timeout of {} expired", Span(**timeout))?;
        if let Some(what) = waiting_for {
            write!(f, " while waiting for {what}")?;
        }
        match last {
            Some(last) => write!(f, ". The last error was: {last}"),
            None => Ok(()),
        }
    }
}

/// A span as people write it: `30m`, `1h30m`, `45s`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds == 0 {
            return write!(f, "{}ms", self.0.as_millis());
        }
        for (unit, value) in [
            ("h", seconds / 3600),
            ("m", seconds / 60 % 60),
            ("s", seconds % 60),
        ] {
            if value > 0 {
                write!(f, "{value}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn azure(status: u16, code: &str) -> Error {
        AzureError {
            method: "PUT".into(),
            about: "/subscriptions/s".into(),
            status,
            code: Some(code.into()),
            message: "No.".into(),
            request_id: Some("r-1".into()),
            ..AzureError::default()
        }
        .into()
    }

    #[test]
    fn a_timeout_reads_as_the_last_error_of_azure_and_is_never_gone() {
        let last = azure(404, "ResourceNotFound");
        let error =
            Error::timeout(Duration::from_secs(5400)).while_waiting("the zone", Some(&last));
        assert_eq!(
            error.to_string(),
            "the timeout of 1h30m expired while waiting for the zone. The last error was: \
             PUT /subscriptions/s: 404 ResourceNotFound: No. (request id r-1)"
        );
        assert!(error.is_timeout() && !error.is_not_found());
        assert_eq!(
            (error.code(), error.request_id()),
            (Some("ResourceNotFound"), Some("r-1"))
        );
        assert!(last.is_not_found() && last.has_code("resourcenotfound"));
    }

    #[test]
    fn a_404_that_is_not_about_the_object_is_not_not_found() {
        assert!(!azure(404, "SubscriptionNotFound").is_not_found());
        let page = AzureError {
            status: 404,
            message: "<html>".into(),
            ..AzureError::default()
        };
        assert!(!Error::from(page).is_not_found());
        assert!(azure(404, "NotFound").is_not_found());
    }

    #[test]
    fn a_create_only_operation_that_found_the_object_is_a_failed_precondition() {
        let Error::Azure(mut error) = azure(200, "PreconditionFailed") else {
            panic!()
        };
        error.operation = true;
        assert!(Error::Azure(error).is_precondition_failed());
        assert!(azure(412, "x").is_precondition_failed());
    }
}
