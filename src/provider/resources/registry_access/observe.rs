//! What there is, in the user's terms. The arguments are what the user wrote: no property in Azure
//! shows them as a whole. What they ask for and Azure does not give is drift. Only an import reads
//! them from the role assignments.

use std::collections::{BTreeMap, BTreeSet};

use super::grants::{self, Standing};
use super::roles::{self, Mode, Permission};
use super::{Existing, Input, MARK, Output, PART, RegistryAccess, Shown};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread};

/// Observes the access to the registry of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<RegistryAccess>, Unread> {
    let (mut input, warnings) = match prior {
        Some(prior) => (prior.clone(), Vec::new()),
        None => imported(id, seen)?,
    };
    let registry = seen.look(&input.registry_id);
    let principals = grants::principals(&input, seen);
    let grants = grants::grants(&input, seen, &|id| input.owns(seen, id));
    let mode = match registry? {
        Look::Found(registry) => Some(Mode::of(registry).to_string()),
        Look::Absent | Look::Denied(_) => input.role_assignment_mode.clone(),
    };
    let shown = grants?.into_iter().map(|grant| {
        let (assignment, owned) = match &grant.standing {
            Standing::Ours(id) => (Some(id), true),
            Standing::Theirs(id) => (Some(id), false),
            Standing::Missing | Standing::InTheWay(_) => (None, false),
        };
        let shown = Shown {
            principal_id: grant.principal.clone(),
            role: grant.role.name.to_owned(),
            role_assignment_id: assignment.map(ToString::to_string),
            owned,
        };
        (grant.name(), shown)
    });
    let output = Output {
        grants: shown.collect(),
        principals: principals?,
    };
    input.role_assignment_mode = mode;
    let mut observed = Observed::new(input, output);
    observed.warnings = warnings;
    Ok(observed)
}

type Warnings = Vec<(String, String)>;

/// What an import takes over: the assignment that it was given, or all at the registry that carry
/// this resource's mark.
fn imported(registry: &ArmId, seen: &Seen) -> Result<(Input, Warnings), Unread> {
    let given = seen.prior().map(|start| &start["objects"][PART]);
    let given: Vec<ArmId> = given
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| ArmId::parse(id.as_str()?).ok())
        .collect();
    let found: Vec<&Json> = if given.is_empty() {
        let list = format!("providers/{}?$filter=atScope()", grants::ASSIGNMENT);
        let list = seen.list(registry, &list)?.found().unwrap_or_default();
        list.iter()
            .filter(|assignment| grants::is_at(assignment, registry) && mark(assignment).is_some())
            .collect()
    } else {
        let looks: Vec<_> = given.iter().map(|id| seen.look(id)).collect();
        let found: Result<Vec<_>, Unread> =
            looks.into_iter().map(|look| Ok(look?.found())).collect();
        found?.into_iter().flatten().collect()
    };
    Ok(of_assignments(registry, &found))
}

/// The arguments that lead to these assignments.
fn of_assignments(registry: &ArmId, found: &[&Json]) -> (Input, Warnings) {
    let mut input = Input {
        registry_id: registry.clone(),
        cluster_id: None,
        principal_ids: None,
        principal_type: "ServicePrincipal".to_owned(),
        permissions: BTreeSet::new(),
        repositories: None,
        existing: Existing::Accept,
        role_assignment_mode: None,
        coming_mode: None,
        adopted: BTreeSet::new(),
    };
    let mut principals = BTreeMap::new();
    let mut clusters = BTreeSet::new();
    let mut sets: BTreeSet<Vec<Permission>> = BTreeSet::new();
    let mut warnings = Vec::new();
    for assignment in found {
        let properties = &assignment["properties"];
        let (Some(id), Some(principal)) = (
            grants::id_of(assignment),
            properties["principalId"].as_str(),
        ) else {
            continue;
        };
        let guid = grants::guid_of(properties["roleDefinitionId"].as_str().unwrap_or_default());
        let Some(role) = roles::with_guid(&guid) else {
            warnings.push((
                "a role assignment that is imported is none of the roles for images".to_owned(),
                format!(
                    "- {id}\n- role definition: {guid}\n\nThe next apply makes the role that `permissions` \
                     needs, and deletes this assignment, which is owned from now on.\n\nFix: leave it out of \
                     the import, when it should stay."
                ),
            ));
            continue;
        };
        let (key, cluster) = mark(assignment).unwrap_or((principal, None));
        principals.insert(key.to_owned(), principal.to_owned());
        clusters.insert(cluster);
        sets.insert(role.gives.to_vec());
        input.permissions.extend(role.gives);
        if let Some(kind) = properties["principalType"].as_str() {
            kind.clone_into(&mut input.principal_type);
        }
        if let Some(condition) = properties["condition"].as_str()
            && let Some(names) = roles::repositories_of(role, condition)
        {
            input.repositories = Some(names);
        }
        input.adopted.insert(id);
    }
    // Those of one cluster are named by the cluster, where it is known; all others by themselves.
    match clusters.into_iter().collect::<Vec<_>>().as_slice() {
        [Some(cluster)] => input.cluster_id = Some(cluster.clone()),
        _ => input.principal_ids = Some(principals),
    }
    if sets.len() > 1
        && input
            .principal_ids
            .as_ref()
            .is_some_and(|all| all.len() > 1)
    {
        warnings.push((
            "the role assignments that are imported give different permissions".to_owned(),
            format!(
                "Several resources may have made them:\n- {registry}\n\nFix: import by the id of one role \
                 assignment into each."
            ),
        ));
    }
    (input, warnings)
}

/// The key, and the cluster if there is one, that an assignment of this resource is marked with.
fn mark(assignment: &Json) -> Option<(&str, Option<ArmId>)> {
    let text = assignment["properties"]["description"].as_str()?;
    let marked = text.strip_prefix(MARK)?;
    Some(match marked.rsplit_once(" of ") {
        Some((key, cluster)) => match ArmId::parse(cluster) {
            Ok(cluster) => (key, Some(cluster)),
            Err(_) => (marked, None),
        },
        None => (marked, None),
    })
}
