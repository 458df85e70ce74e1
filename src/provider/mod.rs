//! What the registry sees: the provider, its configuration, and the lists of what it offers.
//!
//! A resource is one file in `resources/`, a line in [`resources`], an example and an acceptance
//! scenario; a data source the same in `data_sources/` and [`data_sources`]. The tests over these
//! lists name what is missing.

mod config;
mod data_sources;
mod egress;
mod failure;
mod parts;
mod resources;
mod roles;
mod routes;
mod session;
mod zones;

use std::sync::Arc;

use tfplugin_rs::async_trait;
use tfplugin_rs::framework::{
    Configuration, Context, DataSource, Diagnostics, Provider, Resource, Timeouts,
};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use crate::arm::{Clock, Environment};
use parts::{Asked, Composite, Inquiry, Managed};
use session::SessionSlot;

pub use parts::Page;

/// The version of this build, without a leading `v`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A resource in the provider's list.
pub struct Listed {
    /// The whole type name.
    pub name: &'static str,
    /// The schema, without `timeouts`.
    pub schema: Schema,
    /// What the documentation says beyond the schema.
    pub page: Page,
    /// The default timeouts.
    pub timeouts: Timeouts,
    /// The ARM type whose id imports it.
    pub anchor: &'static str,
    /// Makes the resource for a provider.
    make: fn(SessionSlot) -> Arc<dyn Resource>,
}

/// Every managed resource, in alphabetical order.
#[must_use]
pub fn resources() -> Vec<Listed> {
    vec![
        listed::<resources::Cluster>(),
        listed::<resources::KeyVault>(),
        listed::<resources::Network>(),
        listed::<resources::NetworkPeering>(),
        listed::<resources::PrivateRegistryLink>(),
        listed::<resources::PullSecret>(),
        listed::<resources::Registry>(),
        listed::<resources::RegistryAccess>(),
        listed::<resources::RegistryAllowlist>(),
        listed::<resources::RegistryAudit>(),
        listed::<resources::RegistryDefender>(),
        listed::<resources::RegistryGuardrails>(),
        listed::<resources::RegistryImage>(),
        listed::<resources::RegistryToken>(),
        listed::<resources::ResourceGroup>(),
        listed::<resources::Subnet>(),
    ]
}

fn listed<C: Composite>() -> Listed {
    Listed {
        name: C::NAME,
        schema: C::SCHEMA,
        page: C::PAGE,
        timeouts: C::TIMEOUTS,
        anchor: C::ANCHOR,
        make: Managed::<C>::on,
    }
}

/// A data source in the provider's list.
pub struct ListedDataSource {
    /// The whole type name.
    pub name: &'static str,
    /// The schema, without `timeouts`.
    pub schema: Schema,
    /// What the documentation says beyond the schema.
    pub page: Page,
    /// The default timeouts.
    pub timeouts: Timeouts,
    /// Makes the data source for a provider.
    make: fn(SessionSlot) -> Arc<dyn DataSource>,
}

/// Every data source, in alphabetical order.
#[must_use]
pub fn data_sources() -> Vec<ListedDataSource> {
    vec![
        listed_data_source::<data_sources::Cluster>(),
        listed_data_source::<data_sources::ClusterEgress>(),
        listed_data_source::<data_sources::ImagePath>(),
        listed_data_source::<data_sources::Network>(),
        listed_data_source::<data_sources::Registry>(),
        listed_data_source::<data_sources::RegistryCallers>(),
    ]
}

fn listed_data_source<I: Inquiry>() -> ListedDataSource {
    ListedDataSource {
        name: I::NAME,
        schema: I::SCHEMA,
        page: I::PAGE,
        timeouts: I::TIMEOUTS,
        make: Asked::<I>::on,
    }
}

/// The provider.
#[derive(Debug, Clone)]
pub struct Fkaks {
    session: SessionSlot,
    clock: Clock,
    environment: Environment,
}

impl Fkaks {
    /// The provider of this process: the real clock, and the environment of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Clock::real(), Environment::of_process())
    }

    /// A provider with a clock and an environment of its own, for tests in process.
    #[must_use]
    pub fn with(clock: Clock, environment: Environment) -> Self {
        Self {
            session: SessionSlot::default(),
            clock,
            environment,
        }
    }
}

impl Default for Fkaks {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for Fkaks {
    fn name(&self) -> &'static str {
        "fkaks"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn schema(&self) -> Schema {
        config::SCHEMA
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        config::validate(config, diagnostics);
    }

    async fn configure(&self, _: &Context, request: Configuration, diagnostics: &mut Diagnostics) {
        config::configure(self, &request, diagnostics);
    }

    fn resources(&self) -> Vec<Arc<dyn Resource>> {
        resources()
            .into_iter()
            .map(|listed| (listed.make)(self.session.clone()))
            .collect()
    }

    fn data_sources(&self) -> Vec<Arc<dyn DataSource>> {
        data_sources()
            .into_iter()
            .map(|listed| (listed.make)(self.session.clone()))
            .collect()
    }
}
