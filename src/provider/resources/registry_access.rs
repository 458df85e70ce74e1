//! Who may do what with the images of a registry: role assignments
//! (`Microsoft.Authorization/roleAssignments`) at the registry, one for each principal and role.
//! One resource, because the right role follows from the registry (its role assignment mode) and
//! the right principal from the cluster (the identity of its kubelets, not its own), and both are
//! what goes wrong by hand. The registry is its anchor, and someone else's: it is only read.

mod check;
mod grants;
mod observe;
mod roles;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::grants::ASSIGNMENT;
pub use self::grants::{Grant, Standing, assignments_of, narrowed_pull, useless};
use self::roles::{Mode, Permission};
pub(super) use self::schema::repository;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Check, Composite, Evidence, Look, Observed, Page, Part, Seen, Surroundings, Unread, Wanted,
};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const PART: &str = "grants";

/// `fkaks_registry_access`
pub struct RegistryAccess;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    cluster_id: Option<ArmId>,
    principal_ids: Option<BTreeMap<String, String>>,
    principal_type: String,
    permissions: BTreeSet<Permission>,
    repositories: Option<BTreeSet<String>>,
    existing: Existing,
    /// The registry's mode: as it is, or at an apply as the user gives it.
    role_assignment_mode: Option<String>,
    /// While planning: the mode that the user gives, which the registry may only get in this apply.
    #[serde(skip)]
    coming_mode: Option<Mode>,
    /// At an import by the registry: the role assignments that say that they are of this resource.
    #[serde(skip)]
    adopted: BTreeSet<ArmId>,
}

/// What is done about a grant that someone else made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Existing {
    /// It counts, when it suffices.
    Accept,
    /// Only grants of this resource count.
    Refuse,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    principals: BTreeMap<String, String>,
    grants: BTreeMap<String, Shown>,
}

/// One role of one principal.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Shown {
    principal_id: String,
    role: String,
    role_assignment_id: Option<String>,
    owned: bool,
}

impl Composite for RegistryAccess {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_access";
    const ANCHOR: &'static str = REGISTRY;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(15, 5, 15, 15);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[Part::new(PART, assignments)
        .until(two_lists_agree)
        .existing(count_it)];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.registry_id.clone())
    }

    fn imported(id: &ArmId) -> Option<Json> {
        if id.is(REGISTRY) {
            return Some(json!({ "id": id }));
        }
        let registry = id.parent().filter(|scope| scope.is(REGISTRY))?;
        id.is(ASSIGNMENT)
            .then(|| json!({ "id": registry, "objects": { PART: [id] } }))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let registry = plan.get("registry_id").as_str().map(Value::from);
        registry.map(|id| ("id", id)).into_iter().collect()
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::mode_is_as_given(check)
    }
}

impl Input {
    /// The argument that names the principals.
    fn argument(&self) -> &'static str {
        if self.cluster_id.is_some() {
            "cluster_id"
        } else {
            "principal_ids"
        }
    }

    /// The mode that decides the roles.
    fn mode(&self, registry: &Json) -> Mode {
        self.coming_mode.unwrap_or_else(|| Mode::of(registry))
    }

    fn owns(&self, seen: &Seen, id: &ArmId) -> bool {
        seen.owns(id) || self.adopted.contains(id)
    }
}

/// The roles that the nodes of a cluster need to pull from a registry, and whether somebody gives
/// them.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn pulls(
    registry_id: &ArmId,
    cluster_id: &ArmId,
    repositories: Option<&BTreeSet<String>>,
    seen: &Seen,
) -> Result<Vec<Grant>, Unread> {
    let input = Input {
        registry_id: registry_id.clone(),
        cluster_id: Some(cluster_id.clone()),
        principal_ids: None,
        principal_type: "ServicePrincipal".to_owned(),
        permissions: BTreeSet::from([Permission::Pull]),
        repositories: repositories.cloned(),
        existing: Existing::Accept,
        role_assignment_mode: None,
        coming_mode: None,
        adopted: BTreeSet::new(),
    };
    grants::grants(&input, seen, &|_| false)
}

/// How a registry takes role assignments, as Azure names it.
pub fn mode(registry: &Json) -> String {
    Mode::of(registry).to_string()
}

/// A role assignment for each grant that nobody else has made.
fn assignments(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let found = grants::grants(input, seen, &|id| input.owns(seen, id))?;
    let ours = found.iter().filter_map(|grant| match &grant.standing {
        Standing::Ours(id) => Some((grant, id.clone())),
        Standing::Missing => Some((grant, grant.own_id(input))),
        // Azure has room for one, and this one is someone else's: wanting it has it refused by name.
        Standing::InTheWay(id) => Some((grant, id.clone())),
        Standing::Theirs(_) => None,
    });
    Ok(ours
        .map(|(grant, id)| {
            let look = seen.look(&id).map(Look::found);
            let body = look.map(|found| grant.body(input, found));
            Wanted::new(id, body)
                .immutable(&[
                    "/properties/roleDefinitionId",
                    "/properties/principalId",
                    "/properties/principalType",
                ])
                .argument(input.argument())
        })
        .collect())
}

/// A grant is in force for a reader of the registry's assignments when two lists by principal, asked
/// one after the other, both have it: one alone may come from a replica that is ahead.
fn two_lists_agree(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let lacking = grants::lacking(input, seen, &|id| input.owns(seen, id))?;
    Ok(match lacking.first() {
        None => Evidence::Done,
        Some(_) => Evidence::Waiting(lacking.join("; ")),
    })
}

fn count_it(_: &ArmId) -> Option<String> {
    Some(
        "where it gives what is asked for, let it count, without owning it:\n\n  existing = \"accept\"\n\n\
         Otherwise change or delete it where it is managed, or import it into this resource by its own \
         id; Azure assigns a role to a principal once at a scope."
            .to_owned(),
    )
}

/// How this resource marks the assignments that it makes, so that an import finds key and cluster
/// again.
const MARK: &str = "fkaks_registry_access: ";

/// The description of a grant's assignment.
fn description(input: &Input, key: &str) -> String {
    match &input.cluster_id {
        Some(cluster) => format!("{MARK}{key} of {cluster}"),
        None => format!("{MARK}{key}"),
    }
}

#[cfg(test)]
mod tests;
