//! A data source.

use async_trait::async_trait;

use super::{Context, Diagnostics};
use crate::schema::{Schema, Timeouts};
use crate::value::Value;

/// Something that is looked up and not managed.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// The whole type name.
    fn type_name(&self) -> &'static str;

    /// The schema, without `timeouts`, which the framework adds.
    fn schema(&self) -> Schema;

    /// How long reading may take by default; other operations it has none.
    fn timeouts(&self) -> Timeouts {
        Timeouts::minutes(0, 5, 0, 0)
    }

    /// Checks across attributes; values may be unknown.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Looks it up. `None` needs an error among the diagnostics.
    async fn read(
        &self,
        cx: &Context,
        config: Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value>;
}
