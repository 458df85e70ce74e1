//! An action: something done at a moment, that leaves no state.

use async_trait::async_trait;

use super::{Context, Diagnostics};
use crate::schema::Schema;
use crate::value::Value;

/// An action.
#[async_trait]
pub trait Action: Send + Sync + 'static {
    /// The whole type name.
    fn type_name(&self) -> &'static str;

    /// The schema.
    fn schema(&self) -> Schema;

    /// Checks across attributes; values may be unknown.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Objects while it is planned; values may be unknown.
    async fn plan(&self, cx: &Context, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (cx, config, diagnostics);
    }

    /// Does it, telling its progress line by line.
    async fn invoke(
        &self,
        cx: &Context,
        config: Value,
        progress: &(dyn Fn(String) + Send + Sync),
        diagnostics: &mut Diagnostics,
    );
}
