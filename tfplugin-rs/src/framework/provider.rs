//! A provider: its own configuration, and the lists of what it offers.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Action, Context, DataSource, Diagnostics, EphemeralResource, Function, ListResource, Resource,
};
use crate::schema::Schema;
use crate::value::Value;

/// What a user's `provider` block says.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The block's values; at plan some may be unknown.
    pub config: Value,
    /// The version that the CLI gives; it does not tell OpenTofu from Terraform.
    pub terraform_version: String,
}

/// A provider.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The type name, such as `fkaks`: the prefix of every resource type.
    fn name(&self) -> &'static str;

    /// The version, without a leading `v`.
    fn version(&self) -> &'static str;

    /// Its address in registries, `namespace/name`: what `required_providers` has as `source`.
    fn address(&self) -> String {
        format!("{0}/{0}", self.name())
    }

    /// The schema of the `provider` block.
    fn schema(&self) -> Schema;

    /// The schema of `provider_meta`, where modules may have one.
    fn meta_schema(&self) -> Option<Schema> {
        None
    }

    /// Checks across the attributes of the `provider` block; values may be unknown.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Takes the configuration. No network here: the process is started many times a plan.
    async fn configure(&self, cx: &Context, request: Configuration, diagnostics: &mut Diagnostics);

    /// The managed resources.
    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        Vec::new()
    }

    /// The data sources.
    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        Vec::new()
    }

    /// The functions.
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        Vec::new()
    }

    /// The ephemeral resources.
    fn ephemeral_resources(&self) -> Vec<Arc<dyn EphemeralResource>> {
        Vec::new()
    }

    /// The actions.
    fn actions(&self) -> Vec<Arc<dyn Action>> {
        Vec::new()
    }

    /// The list resources.
    fn list_resources(&self) -> Vec<Arc<dyn ListResource>> {
        Vec::new()
    }
}
