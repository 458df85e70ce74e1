//! Which principal shall have which role, and how that stands: made here, made by someone else, or
//! missing. Everything is decided over Azure's lists of role assignments by principal, which at a
//! registry have the inherited ones too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use uuid::Uuid;

use super::roles::{self, Role};
use super::{Existing, Input, description};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread};

/// The ARM type of role assignments.
pub const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
const DEFINITION: &str = "Microsoft.Authorization/roleDefinitions";

/// The namespace of the names that role assignments of this resource get, so that the same grant
/// has the same name in every run.
const NAMES: Uuid = Uuid::from_u128(0x6b1f_7c3a_2f0e_5d44_9a51_0d7e_8c65_b2f3);

/// One role that one principal shall have.
#[derive(Debug)]
pub struct Grant {
    /// The key of the principal.
    pub key: String,
    /// Its object id.
    pub principal: String,
    /// The role.
    pub role: &'static Role,
    /// What narrows the role.
    pub condition: Option<String>,
    /// How it stands.
    pub standing: Standing,
}

/// How a grant stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This role assignment of ours gives it.
    Ours(ArmId),
    /// This one of someone else gives it, or more.
    Theirs(ArmId),
    /// Nobody gives it.
    Missing,
    /// Someone else's assignment of the same role to the principal at the registry does not count,
    /// and Azure allows only one.
    InTheWay(ArmId),
}

impl Grant {
    /// The name under which it shows.
    pub fn name(&self) -> String {
        format!("{}/{}", self.key, self.role.name)
    }

    /// The id of the assignment that this resource makes for it.
    pub fn own_id(&self, input: &Input) -> ArmId {
        let subject = format!(
            "{}|{}|{}",
            input.registry_id, self.principal, self.role.guid
        );
        let name = Uuid::new_v5(&NAMES, subject.to_lowercase().as_bytes());
        input.registry_id.resource(ASSIGNMENT, &name.to_string())
    }

    /// The body of its assignment, in the spelling of the one that is there.
    pub fn body(&self, input: &Input, found: Option<&Json>) -> Json {
        let found = found.map(|found| &found["properties"]);
        let role = ArmId::subscription(input.registry_id.subscription_id())
            .resource(DEFINITION, self.role.guid)
            .to_string();
        let spelled = |name: &str, own: &str, same: fn(&str, &str) -> bool| {
            let theirs = found.and_then(|found| found[name].as_str());
            theirs
                .filter(|theirs| same(theirs, own))
                .unwrap_or(own)
                .to_owned()
        };
        // The same role is named with a subscription, or without one.
        let same_role = |a: &str, b: &str| guid_of(a) == guid_of(b);
        json!({"properties": {
            "roleDefinitionId": spelled("roleDefinitionId", &role, same_role),
            "principalId": spelled("principalId", &self.principal, str::eq_ignore_ascii_case),
            "principalType": input.principal_type,
            "description": description(input, &self.key),
            "condition": self.condition,
            "conditionVersion": self.condition.as_ref().map(|_| "2.0"),
        }})
    }
}

/// The principals: of the cluster, or as they are given. Two keys for one are one.
///
/// # Errors
/// [`Unread`] while the cluster has not been read.
pub fn principals(input: &Input, seen: &Seen) -> Result<BTreeMap<String, String>, Unread> {
    if let Some(cluster) = &input.cluster_id {
        return Ok(match seen.look(cluster)? {
            Look::Found(cluster) => of_cluster(cluster),
            Look::Absent | Look::Denied(_) => BTreeMap::new(),
        });
    }
    let mut known = BTreeSet::new();
    let given = input.principal_ids.iter().flatten();
    Ok(given
        .filter(|(_, principal)| known.insert(principal.to_lowercase()))
        .map(|(key, principal)| (key.clone(), principal.clone()))
        .collect())
}

/// The identities with which a cluster's nodes pull. Azure has one for all pools, `kubeletidentity`
/// (Microsoft.ContainerService 2026-04-01: "only one user assigned identity is allowed"); should a
/// profile name more, those pull too.
fn of_cluster(cluster: &Json) -> BTreeMap<String, String> {
    let profile = cluster["properties"]["identityProfile"].as_object();
    profile
        .into_iter()
        .flatten()
        .filter_map(|(name, identity)| {
            let object = identity["objectId"].as_str()?;
            let key = name.strip_suffix("identity").unwrap_or(name);
            Some((key.to_owned(), object.to_owned()))
        })
        .collect()
}

/// The question for the role assignments of a principal. The second one is the same in another
/// spelling, so that Azure is asked twice.
fn question(principal: &str, second: bool) -> String {
    let quote = if second { "'" } else { "%27" };
    format!("providers/{ASSIGNMENT}?$filter=principalId%20eq%20{quote}{principal}{quote}")
}

/// Every grant that is asked for, and how it stands. `owns` tells our assignments from others.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn grants(
    input: &Input,
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Result<Vec<Grant>, Unread> {
    let registry = seen.look(&input.registry_id);
    let principals = principals(input, seen)?;
    let lists: Vec<_> = principals
        .values()
        .map(|principal| seen.list(&input.registry_id, &question(principal, false)))
        .collect();
    let Look::Found(registry) = registry? else {
        return Ok(Vec::new());
    };
    let needed = roles::needed(input.mode(registry), &input.permissions);
    let mut found = Vec::new();
    for ((key, principal), list) in principals.iter().zip(lists) {
        let list = list?.found().unwrap_or_default();
        for role in &needed {
            let mut grant = Grant {
                key: key.clone(),
                principal: principal.clone(),
                role,
                condition: roles::condition(role, input.repositories.as_ref()),
                standing: Standing::Missing,
            };
            grant.standing = standing(input, &grant, list, seen, owns);
            found.push(grant);
        }
    }
    // What was not read shows in the next round, together with what the other grants need.
    let unread = found
        .iter()
        .any(|grant| definitions_missing(input, grant, seen));
    if unread { Err(Unread) } else { Ok(found) }
}

/// Asks for the definitions of roles that this code does not know, for all grants at once.
fn definitions_missing(input: &Input, grant: &Grant, seen: &Seen) -> bool {
    let list = seen.list(&input.registry_id, &question(&grant.principal, false));
    let list = list.ok().and_then(Look::found).unwrap_or_default();
    matches!(grant.standing, Standing::Missing | Standing::InTheWay(_))
        && input.existing == Existing::Accept
        && list
            .iter()
            .any(|assignment| suffices(input, grant, assignment, seen).is_err())
}

fn standing(
    input: &Input,
    grant: &Grant,
    list: &[Json],
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Standing {
    let mut theirs = None;
    let mut in_the_way = None;
    for assignment in list {
        let Some(id) = id_of(assignment) else {
            continue;
        };
        let same = is_at(assignment, &input.registry_id) && has_role(assignment, grant.role);
        if owns(&id) {
            if same {
                return Standing::Ours(id);
            }
            continue;
        }
        let counts = input.existing == Existing::Accept
            && suffices(input, grant, assignment, seen) == Ok(true);
        if counts {
            theirs.get_or_insert(id);
        } else if same {
            in_the_way = Some(id);
        }
    }
    match (theirs, in_the_way) {
        (Some(id), _) => Standing::Theirs(id),
        (None, Some(id)) => Standing::InTheWay(id),
        (None, None) => Standing::Missing,
    }
}

/// Whether an assignment, at the registry or above, gives what the grant is to give.
fn suffices(input: &Input, grant: &Grant, assignment: &Json, seen: &Seen) -> Result<bool, Unread> {
    let condition = assignment["properties"]["condition"].as_str();
    let whole = condition.is_none_or(str::is_empty);
    if !whole && !roles::same_condition(condition, grant.condition.as_deref()) {
        return Ok(false);
    }
    if has_role(assignment, grant.role) {
        return Ok(true);
    }
    let guid = guid_of(
        assignment["properties"]["roleDefinitionId"]
            .as_str()
            .unwrap_or_default(),
    );
    if !whole {
        return Ok(false);
    }
    if let Some(known) = roles::with_guid(&guid) {
        let within = |all: &[&str], some: &[&str]| some.iter().all(|one| all.contains(one));
        return Ok(within(known.actions, grant.role.actions)
            && within(known.data_actions, grant.role.data_actions));
    }
    let definition =
        ArmId::subscription(input.registry_id.subscription_id()).resource(DEFINITION, &guid);
    Ok(match seen.look(&definition)? {
        Look::Found(definition) => roles::covers(definition, grant.role),
        Look::Absent | Look::Denied(_) => false,
    })
}

/// What is still missing, a sentence for each grant that not both lists show.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn lacking(
    input: &Input,
    seen: &Seen,
    owns: &dyn Fn(&ArmId) -> bool,
) -> Result<Vec<String>, Unread> {
    let found = grants(input, seen, owns)?;
    let name = input.registry_id.name();
    if found.is_empty() {
        return Ok(nobody(input, seen)?.into_iter().collect());
    }
    let second: Vec<_> = found
        .iter()
        .map(|grant| seen.list(&input.registry_id, &question(&grant.principal, true)))
        .collect();
    let mut lacking = Vec::new();
    for (grant, list) in found.iter().zip(second) {
        let who = format!("{} ({})", grant.key, grant.principal);
        let first = seen.list(&input.registry_id, &question(&grant.principal, false))?;
        let list = match (first, list?) {
            // Whoever may not list them takes Azure's answers to the writes as evidence.
            (Look::Denied(_), _) | (_, Look::Denied(_)) => continue,
            (_, list) => list.found().unwrap_or_default(),
        };
        let again = standing(input, grant, list, seen, owns);
        let gives =
            |standing: &Standing| matches!(standing, Standing::Ours(_) | Standing::Theirs(_));
        match (gives(&grant.standing), gives(&again)) {
            (true, true) => {}
            (false, false) => lacking.push(format!(
                "{who} does not have the role {} on registry {name}{}",
                grant.role.name,
                useless(grant, list)
            )),
            _ => lacking.push(format!(
                "the role {} of {who} on registry {name} shows in one of two lists only",
                grant.role.name
            )),
        }
    }
    Ok(lacking)
}

/// Why there is no grant at all, where there should be some.
fn nobody(input: &Input, seen: &Seen) -> Result<Option<String>, Unread> {
    let registry = match seen.look(&input.registry_id)? {
        Look::Found(_) => None,
        Look::Absent => Some(format!("registry {} does not exist", input.registry_id)),
        Look::Denied(_) => Some(format!("registry {} cannot be read", input.registry_id)),
    };
    if registry.is_some() {
        return Ok(registry);
    }
    let Some(cluster) = &input.cluster_id else {
        return Ok(None);
    };
    Ok(Some(match seen.look(cluster)? {
        Look::Found(_) => format!("cluster {cluster} shows no kubelet identity yet"),
        Look::Absent => format!("cluster {cluster} does not exist"),
        Look::Denied(_) => {
            format!("cluster {cluster} cannot be read, so its identities are unknown")
        }
    }))
}

/// A role for images that the principal has and that does not count in the registry's mode.
pub fn useless(grant: &Grant, list: &[Json]) -> String {
    let other_mode = |role: &Role| {
        role.narrows != grant.role.narrows && role.gives.contains(&roles::Permission::Pull)
    };
    let found = list.iter().find_map(|assignment| {
        let role = roles::ROLES
            .iter()
            .find(|role| has_role(assignment, role))?;
        (grant.role.gives.contains(&roles::Permission::Pull) && other_mode(role))
            .then(|| (role.name, id_of(assignment)))
    });
    match found {
        Some((name, Some(id))) => {
            format!("; its {name} opens no image in the registry's role assignment mode ({id})")
        }
        _ => String::new(),
    }
}

/// The role assignments of a principal that count at a registry.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn assignments_of<'a>(
    registry_id: &ArmId,
    principal: &str,
    seen: &'a Seen,
) -> Result<Look<&'a [Json]>, Unread> {
    seen.list(registry_id, &question(principal, false))
}

/// An assignment that lets its principal pull under a condition, in the registry's mode.
pub fn narrowed_pull(grant: &Grant, list: &[Json]) -> Option<ArmId> {
    let pulls = |role: &Role| {
        role.narrows == grant.role.narrows && role.gives.contains(&roles::Permission::Pull)
    };
    let narrowed = list.iter().find(|assignment| {
        let condition = assignment["properties"]["condition"].as_str();
        let mut known = roles::ROLES.iter();
        condition.is_some_and(|condition| !condition.is_empty())
            && known.any(|role| pulls(role) && has_role(assignment, role))
    });
    narrowed.and_then(id_of)
}

/// The first list by principal, as far as it is known.
pub fn listed<'a>(input: &Input, principal: &str, seen: &'a Seen) -> Result<&'a [Json], Unread> {
    let list = assignments_of(&input.registry_id, principal, seen)?;
    Ok(list.found().unwrap_or_default())
}

/// The id of an assignment in a list.
pub fn id_of(assignment: &Json) -> Option<ArmId> {
    ArmId::parse(assignment["id"].as_str()?).ok()
}

/// Whether an assignment hangs on that scope itself.
pub fn is_at(assignment: &Json, scope: &ArmId) -> bool {
    id_of(assignment)
        .and_then(|id| id.parent())
        .is_some_and(|at| at == *scope)
}

fn has_role(assignment: &Json, role: &Role) -> bool {
    let id = assignment["properties"]["roleDefinitionId"].as_str();
    id.is_some_and(|id| guid_of(id) == role.guid)
}

/// The GUID at the end of a role definition's id, in lower case.
pub fn guid_of(role: &str) -> String {
    role.rsplit('/').next().unwrap_or_default().to_lowercase()
}
