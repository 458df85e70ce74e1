//! A container registry by its exposure: who can reach it, and not which of several switches is
//! set. Two ARM types (`Microsoft.ContainerRegistry/registries` with `replications`), and one
//! resource, because replicas, exposure and tier depend on each other's order.

pub(super) mod body;
mod changes;
mod check;
mod observe;
mod schema;
mod standing;
pub(super) mod validate;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

pub use self::body::ip_rules;
use self::body::{former_rules, unassigned_identity};
use crate::arm::{ArmId, Json, normalize, same_location};
use crate::network::private_link::Member;
use crate::provider::parts::{
    Check, Composite, Evidence, Lock, Look, Observed, Page, Part, Seen, Surroundings, Tags, Unread,
    Wanted,
};

/// `fkaks_registry`
pub struct Registry;

/// What the user wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    name: String,
    resource_group_id: ArmId,
    location: String,
    sku: String,
    exposure: Exposure,
    allowed_ip_ranges: Option<BTreeSet<String>>,
    trusted_services_enabled: bool,
    tasks_bypass_enabled: bool,
    tighten_unverified: bool,
    admin_enabled: bool,
    anonymous_pull_enabled: bool,
    arm_audience_authentication_enabled: bool,
    role_assignment_mode: String,
    export_policy_enabled: bool,
    quarantine_policy_enabled: bool,
    retention_policy_in_days: Option<i64>,
    data_endpoint_enabled: bool,
    georeplications: Option<BTreeMap<String, Georeplication>>,
    identity: Option<Identity>,
    customer_managed_key: Option<CustomerManagedKey>,
    deletion_protection: bool,
    tags: Option<Tags>,
}

/// Who can reach the registry; the tighter, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// Private endpoints alone.
    Private,
    /// Private endpoints and the allowed addresses.
    Allowlist,
    /// Everyone.
    Public,
}

/// A replica in another region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Georeplication {
    regional_endpoint_enabled: bool,
    tags: Option<Tags>,
}

/// Who the registry is towards other services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "type")]
    kind: String,
    identity_ids: Option<BTreeSet<ArmId>>,
    principal_id: Option<String>,
    tenant_id: Option<String>,
}

/// The key that encrypts the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CustomerManagedKey {
    key_vault_key_id: String,
    identity_client_id: String,
    version_pinned: bool,
    versioned_key_id: Option<String>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    login_server: String,
    data_endpoint_host_names: BTreeSet<String>,
    private_endpoint_connections: Vec<Connection>,
}

/// A private endpoint that is connected, or wants to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Connection {
    /// The endpoint.
    pub private_endpoint_id: Option<ArmId>,
    /// `Approved`, `Pending`, `Rejected` or `Disconnected`.
    pub state: String,
    name: String,
}

impl Composite for Registry {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry";
    const ANCHOR: &'static str = "Microsoft.ContainerRegistry/registries";
    const TIMEOUTS: Timeouts = Timeouts::minutes(60, 5, 60, 60);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("registry", registry).locks(one_at_a_time),
        Part::new("replications", replications)
            .after(&["registry"])
            .until(host_names_are_complete)
            .existing(a_replica_of_others)
            .locks(one_at_a_time),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(
        plan: &Value,
        prior: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let Some(name) = plan.get("name").as_str() else {
            return Vec::new();
        };
        let mut known = Vec::new();
        let group = plan.get("resource_group_id").as_str();
        if let Some(group) = group.and_then(|id| ArmId::parse(id).ok()) {
            known.push((
                "id",
                Value::from(group.resource(Self::ANCHOR, name).as_str()),
            ));
        }
        // What this resource creates has no domain name label, so that its host is its name. It
        // is read all the same, because a registry that others made may have one.
        let host = login_server(name, surroundings);
        if prior.is_none() {
            if let Some(names) = host_names_of(plan, &host) {
                let names = names.into_iter().map(Value::from).collect();
                known.push(("data_endpoint_host_names", Value::Set(names)));
            }
            known.push(("login_server", Value::from(host)));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.resource_group_id
            .resource(Registry::ANCHOR, &self.name)
    }

    fn is_premium(&self) -> bool {
        tier(&self.sku) == PREMIUM
    }

    /// The replicas by their ids.
    fn replicas(&self) -> impl Iterator<Item = (ArmId, &str, &Georeplication)> {
        let id = self.id();
        let replicas = self.georeplications.iter().flatten();
        replicas
            .map(move |(region, replica)| (replication_id(&id, region), region.as_str(), replica))
    }
}

impl Exposure {
    /// `publicNetworkAccess`, and the default action of the network rules.
    pub const fn switches(self) -> (&'static str, &'static str) {
        match self {
            Self::Private => ("Disabled", "Deny"),
            Self::Allowlist => ("Enabled", "Deny"),
            Self::Public => ("Enabled", "Allow"),
        }
    }

    /// Its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Allowlist => "allowlist",
            Self::Public => "public",
        }
    }

    /// The exposure of a registry. Without public access the default action says nothing.
    pub fn of(registry: &Json) -> Self {
        let properties = &registry["properties"];
        if properties["publicNetworkAccess"] == "Disabled" {
            Self::Private
        } else if properties["networkRuleSet"]["defaultAction"] == "Deny" {
            Self::Allowlist
        } else {
            Self::Public
        }
    }
}

const PREMIUM: u8 = 3;
const STANDARD: u8 = 2;

/// How much a tier can do, from 1; 0 for one that is unknown.
fn tier(sku: &str) -> u8 {
    match sku.to_ascii_lowercase().as_str() {
        "premium" => PREMIUM,
        "standard" => STANDARD,
        "basic" => 1,
        _ => 0,
    }
}

fn replication_id(registry: &ArmId, region: &str) -> ArmId {
    registry.child("replications", &normalize(region))
}

fn login_server(name: &str, surroundings: &Surroundings) -> String {
    format!(
        "{}.{}",
        name.to_lowercase(),
        surroundings.cloud.registry_suffix
    )
}

/// The data endpoints of a registry that is planned and does not exist yet, if they are known.
fn host_names_of(plan: &Value, login_server: &str) -> Option<BTreeSet<String>> {
    if !plan.get("data_endpoint_enabled").as_bool()? {
        return Some(BTreeSet::new());
    }
    let home = plan.get("location").as_str()?;
    let replicas = plan.get("georeplications");
    if replicas.is_unknown() {
        return None;
    }
    let replicas = replicas.as_map().into_iter().flatten();
    let regions = replicas.map(|(region, _)| region.as_str()).chain([home]);
    Some(host_names(regions, login_server))
}

fn host_names<'a>(
    regions: impl IntoIterator<Item = &'a str>,
    login_server: &str,
) -> BTreeSet<String> {
    let members = Member::all(regions).into_iter();
    members
        .filter(|member| member.region().is_some())
        .map(|member| member.fqdn(login_server))
        .collect()
}

fn registry(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let look = seen.look(&id);
    let found = look.as_ref().ok().and_then(|look| look.clone().found());
    let body = look.map(|_| body::of(input, found, seen.prior()));
    // Rules that others made stay when this resource has none of its own.
    let others = input.allowed_ip_ranges.is_none()
        && former_rules(seen.prior()).is_empty()
        && found.is_some_and(|found| !ip_rules(found).is_empty());
    let shared: &'static [&'static str] = if others {
        &["/properties/networkRuleSet/ipRules"]
    } else {
        &[]
    };
    // A lower tier has no replicas, so those that we made go before it is asked for.
    let mut former = Vec::new();
    if let (false, Some(prior)) = (input.is_premium(), seen.prior()) {
        let regions = prior["georeplications"].as_object().into_iter().flatten();
        former.extend(regions.map(|(region, _)| replication_id(&id, region)));
    }
    let rewrite = found.and_then(|found| unassigned_identity(input, found));
    Ok(vec![
        Wanted::new(id, body)
            .tagged(input.tags.as_ref())
            .immutable(&["/location"])
            .shared(shared)
            .rewrite(rewrite)
            .instead_of(former)
            .changed_by(changes::changes)
            .argument(""),
    ])
}

/// The connections of private endpoints, sorted.
pub fn connections(registry: &Json) -> Vec<Connection> {
    let list = registry["properties"]["privateEndpointConnections"].as_array();
    let mut connections: Vec<Connection> = list
        .into_iter()
        .flatten()
        .map(|connection| {
            let properties = &connection["properties"];
            let state = properties["privateLinkServiceConnectionState"]["status"].as_str();
            let endpoint = properties["privateEndpoint"]["id"].as_str();
            Connection {
                private_endpoint_id: endpoint.and_then(|id| ArmId::parse(id).ok()),
                state: state.unwrap_or_default().to_owned(),
                name: connection["name"].as_str().unwrap_or_default().to_owned(),
            }
        })
        .collect();
    connections.sort();
    connections
}

fn replications(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    let replicas = input.replicas().map(|(id, region, replica)| {
        let body = json!({
            "location": normalize(region),
            "properties": {"regionEndpointEnabled": replica.regional_endpoint_enabled},
        });
        Wanted::new(id, Ok(body))
            .tagged(replica.tags.as_ref())
            .immutable(&["/location"])
            .argument("georeplications")
    });
    Ok(replicas.collect())
}

/// The registry's own answer names the data endpoint of a new replica a little later.
fn host_names_are_complete(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    if !input.data_endpoint_enabled {
        return Ok(Evidence::Done);
    }
    let Look::Found(found) = seen.look(&input.id())? else {
        return Ok(Evidence::Done);
    };
    let names = observe::host_names(found);
    let missing = input.replicas().find(|(_, region, _)| {
        let part = format!(".{}.data.", normalize(region));
        !names.iter().any(|name| name.contains(&part))
    });
    Ok(match missing {
        None => Evidence::Done,
        Some((_, region, _)) => Evidence::Waiting(format!(
            "registry {} does not name the data endpoint of {region} yet",
            input.name
        )),
    })
}

/// Everything that makes the registry busy happens after one another, connecting endpoints too.
fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    let id = input.id();
    vec![
        Lock::on(&id, "connections", 1),
        Lock::on(&id, "replications", 1),
    ]
}

fn a_replica_of_others(id: &ArmId) -> Option<String> {
    let registry = id.parent()?;
    Some(format!(
        "leave {:?} out of georeplications, and it stays as it is; or delete the replica that someone \
         else made, which takes its region's pulls elsewhere:\n\n  az acr replication delete --registry {} \
         --name {}",
        id.name(),
        registry.name(),
        id.name()
    ))
}

/// Whether a region is the registry's own.
fn is_home(registry: &Json, region: &str) -> bool {
    let home = registry["location"].as_str();
    home.is_some_and(|home| same_location(home, region))
}

#[cfg(test)]
mod tests;
