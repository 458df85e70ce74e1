//! An image pull secret in a namespace of a cluster (`kubernetes.io/dockerconfigjson`), written by run
//! command, so that a private cluster needs no way in. The Docker configuration comes from a Key Vault
//! secret, which a pod in the cluster fetches, or from a write-only argument.
//!
//! The secret is no object of Resource Manager: its id is the cluster's with namespace and name behind
//! it, and it stands as long as the cluster does. Of Resource Manager there is only the role with which
//! the nodes read the vault. What is inside the cluster is asked by a run
//! command that prints no data, only a checksum of it.

mod check;
mod grants;
mod inside;
mod observe;
mod schema;
mod script;
mod writing;

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Json, Secret};
use crate::provider::parts::{Check, Composite, Observed, Page, Part, Seen, Surroundings, Unread};

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const ANCHOR: &str = "Microsoft.ContainerService/managedClusters/namespaces/secrets";
const VAULT_SECRET: &str = "Microsoft.KeyVault/vaults/secrets";

/// `fkaks_pull_secret`
pub struct PullSecret;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    cluster_id: ArmId,
    namespace: String,
    name: String,
    create_namespace: bool,
    key_vault_secret_id: Option<ArmId>,
    key_vault_secret_uri: Option<String>,
    identity_client_id: Option<String>,
    manage_role_assignments: bool,
    #[serde(default, skip_serializing)]
    docker_config_json_wo: Option<Secret>,
    docker_config_json_wo_version: Option<i64>,
    /// What the state or the plan knows of the secret.
    #[serde(flatten, skip_serializing)]
    known: Known,
}

/// The computed attributes: what was written. They stay so when someone else writes, which is drift.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    uid: Option<String>,
    source: Option<String>,
    checksum: Option<String>,
}

impl Known {
    /// What a state knows.
    fn of(state: &Json) -> Self {
        Self::deserialize(state).unwrap_or_default()
    }
}

impl Composite for PullSecret {
    type Input = Input;
    type Output = Known;

    const NAME: &'static str = "fkaks_pull_secret";
    const ANCHOR: &'static str = ANCHOR;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(15, 10, 15, 15);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("grants", grants::grants)
            .until(grants::in_force)
            .existing(grants::left_over),
        Part::deeds("secret", writing::next, writing::remove).after(&["grants"]),
    ];

    fn anchor(id: &ArmId) -> ArmId {
        of_id(id).map_or_else(|| id.clone(), |(cluster, ..)| cluster)
    }

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn imported(id: &ArmId) -> Option<Json> {
        of_id(id).map(|_| serde_json::json!({ "id": id }))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let text = |name: &str| plan.get(name).as_str();
        let (Some(Ok(cluster)), Some(namespace), Some(name)) = (
            text("cluster_id").map(ArmId::parse),
            text("namespace"),
            text("name"),
        ) else {
            return Vec::new();
        };
        let id = id_of(&cluster, namespace, name);
        vec![("id", Value::from(id.as_str()))]
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        id_of(&self.cluster_id, &self.namespace, &self.name)
    }

    /// That secret, of which nothing else is known.
    fn of(cluster_id: ArmId, namespace: String, name: String) -> Self {
        Self {
            cluster_id,
            namespace,
            name,
            create_namespace: false,
            key_vault_secret_id: None,
            key_vault_secret_uri: None,
            identity_client_id: None,
            manage_role_assignments: true,
            docker_config_json_wo: None,
            docker_config_json_wo_version: None,
            known: Known::default(),
        }
    }
}

fn id_of(cluster: &ArmId, namespace: &str, name: &str) -> ArmId {
    cluster
        .child("namespaces", namespace)
        .child("secrets", name)
}

/// Cluster, namespace and name of an id.
fn of_id(id: &ArmId) -> Option<(ArmId, String, String)> {
    let namespace = id.parent().filter(|_| id.is(ANCHOR))?;
    let cluster = namespace.parent()?;
    let fits = schema::name(id.name()).is_ok() && schema::namespace(namespace.name()).is_ok();
    fits.then(|| (cluster, namespace.name().to_owned(), id.name().to_owned()))
}

#[cfg(test)]
mod tests;
