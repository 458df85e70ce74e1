//! A list resource: finds existing things that could be imported.

use async_trait::async_trait;

use super::{Context, Diagnostics};
use crate::schema::Schema;
use crate::value::Value;

/// One thing found.
#[derive(Debug)]
pub struct Listed {
    /// Its identity.
    pub identity: Value,
    /// A name for people.
    pub display_name: String,
    /// Its state, when that was asked for.
    pub resource: Option<Value>,
}

/// A list resource; its type name is that of a managed resource with an identity.
#[async_trait]
pub trait ListResource: Send + Sync + 'static {
    /// The whole type name.
    fn type_name(&self) -> &'static str;

    /// The schema of the query's `config` block.
    fn schema(&self) -> Schema;

    /// Checks across attributes; values may be unknown.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Finds at most `limit` things.
    async fn list(
        &self,
        cx: &Context,
        config: Value,
        include_resource: bool,
        limit: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Listed>;
}
