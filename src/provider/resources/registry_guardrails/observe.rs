//! What there is, in the user's terms: each policy as it is assigned, and how registries meet it. The
//! exemptions are what the user wrote, because each may be several objects: where one differs, it is drift.

use std::collections::{BTreeMap, BTreeSet};

use super::compliance::Compliance;
use super::objects::{principal, remediation_id};
use super::policies::Kind;
use super::{
    ASSIGNMENT, EXEMPTION, Exemption, Input, NAME, Output, PART, Policy, RegistryGuardrails,
};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled, spelled_id};

/// Observes the guardrails at the scope of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<RegistryGuardrails>, Unread> {
    let (mut input, warnings) = match prior {
        Some(prior) => (prior.clone(), Vec::new()),
        None => imported(id, seen)?,
    };
    // Asked for together, so that they are read at the same time.
    let looks: Vec<_> = input
        .policies()
        .map(|(kind, _)| (kind, seen.look(&input.assignment_id(kind))))
        .collect();
    let states: Vec<_> = looks
        .iter()
        .map(|(kind, _)| (*kind, seen.ask(&super::compliance::question(&input, *kind))))
        .collect();
    for (kind, look) in looks {
        if let Look::Found(found) = look? {
            let prior = input.policy(kind);
            let policy = observed(prior, found);
            *input.policy_mut(kind) = Some(policy);
            if kind.facts().role.is_some() {
                place(&mut input, found);
            }
        }
    }
    let mut compliance = BTreeMap::new();
    for (kind, states) in states {
        if let Look::Found(states) = states? {
            compliance.insert(kind.facts().argument, Compliance::of(states));
        }
    }
    let changes = input
        .policies()
        .find(|(kind, _)| kind.facts().role.is_some());
    let principal = match changes {
        Some((kind, _)) => principal(&input, kind, seen)?,
        None => None,
    };
    let assigned = input.policies();
    let output = Output {
        assignment_ids: assigned
            .map(|(kind, _)| (kind.facts().argument, input.assignment_id(kind)))
            .collect(),
        principal_id: principal,
        compliance,
    };
    let mut observed = Observed::new(input, output);
    observed.warnings = warnings;
    Ok(observed)
}

/// A policy as it is assigned, in the user's spelling.
fn observed(prior: Option<&Policy>, found: &Json) -> Policy {
    let properties = &found["properties"];
    let effect = properties["parameters"]["effect"]["value"].as_str();
    let message = properties["nonComplianceMessages"][0]["message"].as_str();
    let written = prior.and_then(|prior| prior.excluded_scope_ids.as_ref());
    let excluded = properties["notScopes"].as_array().into_iter().flatten();
    let excluded: BTreeSet<ArmId> = excluded
        .filter_map(|id| ArmId::parse(id.as_str()?).ok())
        .map(|id| {
            let own = written.into_iter().flatten().find(|own| **own == id);
            own.cloned().unwrap_or(id)
        })
        .collect();
    Policy {
        effect: effect
            .or(prior.map(|prior| prior.effect.as_str()))
            .unwrap_or_default()
            .to_owned(),
        enforcement_enabled: properties["enforcementMode"] != "DoNotEnforce",
        message: message.map(str::to_owned),
        excluded_scope_ids: (!excluded.is_empty() || written.is_some()).then_some(excluded),
        remediate: prior.and_then(|prior| prior.remediate),
    }
}

/// Where and with which identity the policy that changes registries acts, where the user said so.
fn place(input: &mut Input, found: &Json) {
    if let Some(location) = &input.location {
        input.location = Some(spelled(Some(location), &found["location"]));
    }
    let users = found["identity"]["userAssignedIdentities"].as_object();
    let mut users = users
        .into_iter()
        .flatten()
        .map(|(id, _)| Json::from(id.as_str()));
    if let Some(own) = input.identity_id.take() {
        let all: Vec<Json> = users.collect();
        let same = all
            .iter()
            .find(|id| spelled_id(Some(&own), id).as_ref() == Some(&own));
        let shown = same
            .or(all.first())
            .and_then(|id| spelled_id(Some(&own), id));
        // Without one it is a system-assigned identity, which the object itself shows as drift.
        input.identity_id = Some(shown.unwrap_or(own));
    } else if let Some(theirs) = users.next() {
        input.identity_id = spelled_id(None, &theirs);
    }
}

type Warnings = Vec<(String, String)>;

/// What an import takes over: the assignments at the scope whose names begin as the given one does, or as
/// this resource's usually do.
fn imported(scope: &ArmId, seen: &Seen) -> Result<(Input, Warnings), Unread> {
    let mut input = Input {
        scope_id: scope.clone(),
        name: NAME.to_owned(),
        unrestricted_network_access: None,
        private_link: None,
        public_network_access: None,
        admin_account: None,
        admin_account_off: None,
        exports: None,
        exemptions: None,
        identity_id: None,
        location: None,
        role_assignment_enabled: true,
    };
    let given = seen
        .prior()
        .and_then(|start| start["objects"][PART][0].as_str());
    let given = given.and_then(|id| ArmId::parse(id).ok());
    let assignments = seen.list(
        scope,
        &format!("providers/{ASSIGNMENT}?$filter=atExactScope()"),
    );
    let exemptions = seen.list(scope, &format!("providers/{EXEMPTION}"));
    let assignments = assignments?.found().unwrap_or_default();
    let names: BTreeSet<String> = assignments.iter().filter_map(beginning).collect();
    let of_given = |id: &ArmId| {
        let is = |found: &&Json| {
            found["id"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(id.as_str()))
        };
        assignments.iter().find(is).and_then(beginning)
    };
    let name = match &given {
        Some(id) => of_given(id),
        None if names.contains(NAME) => Some(NAME.to_owned()),
        None => names.first().cloned().filter(|_| names.len() == 1),
    };
    let Some(name) = name else {
        let what = given.as_ref().unwrap_or(scope);
        let warning = (
            "no policy assignment can be told to be this resource's".to_owned(),
            format!(
                "- {what}\n- at the scope, the assignments of policies for registries begin with: {}\n\nFix: \
                 import by the id of an assignment of one of the policies of this resource, named as this \
                 resource names them: <name>-network, say.",
                names.into_iter().collect::<Vec<_>>().join(", ")
            ),
        );
        return Ok((input, vec![warning]));
    };
    input.name = name;
    for assignment in assignments {
        let Some(kind) = kind_of(assignment) else {
            continue;
        };
        let is_ours = id_of(assignment).is_some_and(|id| id == input.assignment_id(kind));
        if !is_ours {
            continue;
        }
        let mut policy = observed(None, assignment);
        if kind.facts().role.is_some() {
            let remediation = seen.look(&remediation_id(&input, kind))?;
            policy.remediate = Some(matches!(remediation, Look::Found(_)));
            input.location = assignment["location"].as_str().map(str::to_owned);
        }
        *input.policy_mut(kind) = Some(policy);
    }
    let exemptions = exemptions?.found().unwrap_or_default();
    input.exemptions = exempt(&input, exemptions);
    Ok((input, Vec::new()))
}

/// The exemptions from the policies of this resource, by the keys in their names.
fn exempt(input: &Input, list: &[Json]) -> Option<BTreeMap<String, Exemption>> {
    let mut all: BTreeMap<String, Exemption> = BTreeMap::new();
    for found in list {
        let Some(id) = id_of(found) else { continue };
        let properties = &found["properties"];
        let text = |name: &str| properties[name].as_str().map(str::to_owned);
        let named = input.policies().find_map(|(kind, _)| {
            let own = properties["policyAssignmentId"].as_str()?;
            let own = own.eq_ignore_ascii_case(input.assignment_id(kind).as_str());
            let key = id
                .name()
                .strip_prefix(&format!("{}-", input.assignment_name(kind)))?;
            own.then(|| (kind, key.to_owned()))
        });
        let (Some((kind, key)), Some(scope_id)) = (named, id.parent()) else {
            continue;
        };
        let exemption = all.entry(key).or_insert_with(|| Exemption {
            scope_id,
            policies: Some(BTreeSet::new()),
            category: text("exemptionCategory").unwrap_or_default(),
            expires_on: text("expiresOn"),
            reason: text("description").unwrap_or_default(),
        });
        let policies = exemption.policies.get_or_insert_default();
        policies.insert(kind.facts().argument.to_owned());
    }
    let count = input.policies().count();
    for exemption in all.values_mut() {
        exemption.policies.take_if(|named| named.len() == count);
    }
    (!all.is_empty()).then_some(all)
}

fn id_of(object: &Json) -> Option<ArmId> {
    ArmId::parse(object["id"].as_str()?).ok()
}

fn kind_of(assignment: &Json) -> Option<Kind> {
    let mut all = Kind::ALL.into_iter();
    all.find(|kind| kind.is_assigned_by(assignment))
}

/// What the name of an assignment of one of the policies begins with.
fn beginning(assignment: &Json) -> Option<String> {
    let suffix = kind_of(assignment)?.facts().suffix;
    let id = id_of(assignment)?;
    let name = id.name().strip_suffix(suffix)?.strip_suffix('-')?;
    Some(name.to_owned())
}
