//! An ephemeral resource: open for the time of one run, and stored nowhere.

use std::time::SystemTime;

use async_trait::async_trait;

use super::{Context, Diagnostics, Private};
use crate::schema::Schema;
use crate::value::Value;

/// An opened ephemeral resource.
#[derive(Debug)]
pub struct Opened {
    /// Its values.
    pub result: Value,
    /// When it must be renewed.
    pub renew_at: Option<SystemTime>,
    /// What renewing and closing need.
    pub private: Private,
}

/// A renewed ephemeral resource.
#[derive(Debug)]
pub struct Renewed {
    /// When it must be renewed again.
    pub renew_at: Option<SystemTime>,
    /// What renewing and closing need from now on.
    pub private: Private,
}

/// An ephemeral resource. Closing must work with the private data of opening as well as with
/// that of the latest renewal, because the CLIs differ in which they send.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// The whole type name.
    fn type_name(&self) -> &'static str;

    /// The schema.
    fn schema(&self) -> Schema;

    /// Checks across attributes; values may be unknown.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Opens it. `None` needs an error among the diagnostics.
    async fn open(
        &self,
        cx: &Context,
        config: Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<Opened>;

    /// Renews it.
    async fn renew(
        &self,
        cx: &Context,
        private: Private,
        diagnostics: &mut Diagnostics,
    ) -> Renewed {
        let _ = (cx, diagnostics);
        Renewed {
            renew_at: None,
            private,
        }
    }

    /// Closes it.
    async fn close(&self, cx: &Context, private: Private, diagnostics: &mut Diagnostics) {
        let _ = (cx, private, diagnostics);
    }
}
