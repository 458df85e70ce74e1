//! Access tokens.

use std::fmt;

/// No method of authentication gave a token: each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialError {
    /// In the order in which they were tried.
    pub attempts: Vec<Attempt>,
}

/// One method of authentication and why it gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// "client secret", "Azure CLI", ...
    pub method: &'static str,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no access token for Azure could be had. Tried, in this order:")?;
        for attempt in &self.attempts {
            write!(f, "\n  - {}: {}", attempt.method, attempt.reason)?;
        }
        Ok(())
    }
}
