//! Microsoft.PolicyInsights/policyStates: `queryResults` and `summarize` at a management group, a
//! subscription, a group, a resource, a definition or an assignment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::compliance::{self, State, Verdict};
use super::{assignments, definitions};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::odata;
use crate::store::World;
use crate::types::management::{groups, reaches, scope_exists};

const COMPUTED: &str = "/providers/microsoft.policyinsights/";

/// The states that a request asks for, filtered.
fn asked<'a>(world: &'a World, request: &Request) -> ArmResult<(String, Vec<(State<'a>, Value)>)> {
    let lower = request.path.to_lowercase();
    let end = lower.rfind(COMPUTED).unwrap_or(0);
    let scope = request.path.get(..end).unwrap_or_default().to_owned();
    let Some(id) = ResourceId::parse(&scope) else {
        return Err(ArmError::bad(
            "InvalidScope",
            format!("The scope '{scope}' is not valid."),
        ));
    };
    let kind = id.type_name().to_lowercase();
    let by_assignment = kind == assignments::NAME.to_lowercase();
    let by_definition = kind == definitions::NAME.to_lowercase();
    if by_assignment {
        assignments::find(world, id.as_str())?;
    } else if by_definition {
        // A built-in definition is named below a subscription here.
    } else {
        scope_exists(world, &id)?;
    }
    let within = match (by_assignment || by_definition, id.parent()) {
        (true, Some(parent)) => parent,
        _ => id.clone(),
    };
    let mut states = compliance::states(world, &|resource| {
        reaches(world, within.as_str(), resource.id.as_str())
    });
    if by_assignment {
        states.retain(|state| state.applied.assignment.id.same(id.as_str()));
    }
    if by_definition {
        states.retain(|state| state.applied.definition["name"] == json!(id.name()));
    }
    let filter = Filter::parse(&request.param("$filter").unwrap_or_default())?;
    let states = states
        .into_iter()
        .map(|state| {
            let body = record(world, &state);
            (state, body)
        })
        .filter(|(_, body)| filter.matches(body))
        .collect();
    Ok((scope, states))
}

/// `POST {scope}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults`.
///
/// # Errors
/// The scope is not there, or the filter is not understood.
pub fn query(world: &mut World, _: &str, _: &[String], request: &Request) -> ArmResult<Answer> {
    let (scope, states) = asked(world, request)?;
    let top = request
        .param("$top")
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(1000);
    let value: Vec<Value> = states.into_iter().map(|(_, body)| body).take(top).collect();
    let context = format!(
        "{}{scope}/providers/Microsoft.PolicyInsights/policyStates/$metadata#latest",
        request.base
    );
    Ok(Answer::json(
        200,
        json!({
            "@odata.nextLink": null,
            "@odata.context": context,
            "@odata.count": value.len(),
            "value": value,
        }),
    ))
}

fn record(world: &World, state: &State<'_>) -> Value {
    let resource = state.resource;
    let assignment = state.applied.assignment;
    let definition = &state.applied.definition;
    let groups: Vec<String> = groups::above(world, resource.id.as_str())
        .iter()
        .filter_map(|key| key.rsplit('/').next().map(ToOwned::to_owned))
        .collect();
    let parameters = assignment
        .at("/properties/parameters")
        .map(ToString::to_string)
        .unwrap_or_default();
    json!({
        "@odata.id": null,
        "@odata.context": null,
        "timestamp": world.timestamp(),
        "resourceId": resource.id.as_str(),
        "policyAssignmentId": assignment.id.as_str(),
        "policyDefinitionId": definition["id"],
        "effectiveParameters": "",
        "isCompliant": state.verdict != Verdict::NonCompliant,
        "subscriptionId": resource.id.subscription(),
        "resourceType": resource.type_name,
        "resourceLocation": resource.text("/location"),
        "resourceGroup": resource.id.group(),
        "resourceTags": "tbd",
        "policyAssignmentName": assignment.id.name(),
        "policyAssignmentOwner": "tbd",
        "policyAssignmentParameters": parameters,
        "policyAssignmentScope": assignment.text("/properties/scope"),
        "policyDefinitionName": definition["name"],
        "policyDefinitionAction": state.applied.effect.to_lowercase(),
        "policyDefinitionCategory": definition["properties"]["metadata"]["category"],
        "policySetDefinitionId": "",
        "policySetDefinitionName": "",
        "policySetDefinitionOwner": "",
        "policySetDefinitionCategory": "",
        "policySetDefinitionParameters": "",
        "managementGroupIds": groups.join(","),
        "policyDefinitionReferenceId": "",
        "complianceState": state.verdict.text(),
        "policyDefinitionVersion": definition["properties"]["version"],
    })
}

/// A conjunction of `member eq value` and `member ne value`.
struct Filter(Vec<(String, bool, Value)>);

impl Filter {
    fn parse(text: &str) -> ArmResult<Self> {
        let invalid = || odata::invalid(text);
        let mut terms = Vec::new();
        for part in odata::terms(text) {
            let part = part.trim_start_matches('(').trim_end_matches(')');
            let mut words = part.splitn(3, ' ');
            let (Some(name), Some(operator), Some(value)) =
                (words.next(), words.next(), words.next())
            else {
                return Err(invalid());
            };
            let equal = match operator {
                "eq" => true,
                "ne" => false,
                _ => return Err(invalid()),
            };
            let value = match value.trim() {
                "true" => json!(true),
                "false" => json!(false),
                text => json!(text.trim_matches('\'').to_lowercase()),
            };
            terms.push((name.to_lowercase(), equal, value));
        }
        Ok(Self(terms))
    }

    fn matches(&self, record: &Value) -> bool {
        self.0.iter().all(|(name, equal, value)| {
            let have = record
                .as_object()
                .and_then(|map| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
                .map(|(_, have)| {
                    have.as_str()
                        .map_or_else(|| have.clone(), |text| json!(text.to_lowercase()))
                });
            (have.as_ref() == Some(value)) == *equal
        })
    }
}

/// `POST {scope}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize`.
///
/// # Errors
/// The scope is not there, or the filter is not understood.
pub fn summarize(world: &mut World, _: &str, _: &[String], request: &Request) -> ArmResult<Answer> {
    let (scope, states) = asked(world, request)?;
    let states: Vec<&State<'_>> = states.iter().map(|(state, _)| state).collect();
    let root = format!(
        "{}{scope}/providers/Microsoft.PolicyInsights/policyStates",
        request.base
    );
    let mut by_assignment: BTreeMap<String, Vec<&State<'_>>> = BTreeMap::new();
    for state in &states {
        let key = state.applied.assignment.id.key();
        by_assignment.entry(key).or_default().push(state);
    }
    let policies: Vec<Value> = by_assignment
        .iter()
        .map(|(id, states)| {
            let uri = format!("{root}/latest/queryResults?$filter=IsCompliant eq false and PolicyAssignmentId eq '{id}'");
            let results = results(states, &uri);
            let first = states.first();
            let definition = first.map(|state| state.applied.definition["id"].clone());
            let effect = first.map(|state| state.applied.effect.to_lowercase());
            json!({
                "policyAssignmentId": id,
                "policySetDefinitionId": "",
                "results": results,
                "policyDefinitions": [{
                    "policyDefinitionId": definition,
                    "policyDefinitionReferenceId": "",
                    "effect": effect,
                    "policyDefinitionGroupNames": [""],
                    "results": results,
                }],
                "policyGroups": [],
            })
        })
        .collect();
    let uri = format!("{root}/latest/queryResults?$filter=IsCompliant eq false");
    Ok(Answer::json(
        200,
        json!({
            "@odata.context": format!("{root}/$metadata#summary"),
            "@odata.count": 1,
            "value": [{
                "@odata.id": null,
                "@odata.context": format!("{root}/$metadata#summary/$entity"),
                "results": results(&states, &uri),
                "policyAssignments": policies,
            }],
        }),
    ))
}

/// `POST {scope}/providers/Microsoft.PolicyInsights/policyStates/latest/triggerEvaluation`: what it would bring
/// about is always so here, and its answer waits at a `Location`.
///
/// # Errors
/// The scope is not there.
pub fn evaluate(world: &mut World, _: &str, _: &[String], request: &Request) -> ArmResult<Answer> {
    let (scope, _) = asked(world, request)?;
    let mut answer = Answer::empty(202);
    answer.started = ResourceId::parse(&format!(
        "{scope}/providers/Microsoft.PolicyInsights/policyStates/latest"
    ));
    Ok(answer)
}

fn results(states: &[&State<'_>], uri: &str) -> Value {
    // A resource is what its worst state is, and so is a policy.
    let worst = |key: &dyn Fn(&State<'_>) -> String| {
        let mut all: BTreeMap<String, Verdict> = BTreeMap::new();
        for state in states {
            let entry = all.entry(key(state)).or_insert(state.verdict);
            if rank(state.verdict) > rank(*entry) {
                *entry = state.verdict;
            }
        }
        all
    };
    let resources = worst(&|state| state.resource.id.key());
    let policies = worst(&|state| state.applied.assignment.id.key());
    let count = |all: &BTreeMap<String, Verdict>, verdict: Verdict| {
        all.values().filter(|one| **one == verdict).count()
    };
    let details = |all: &BTreeMap<String, Verdict>| -> Vec<Value> {
        let seen: BTreeSet<usize> = all.values().map(|verdict| rank(*verdict)).collect();
        [Verdict::Compliant, Verdict::Exempt, Verdict::NonCompliant]
            .into_iter()
            .filter(|verdict| seen.contains(&rank(*verdict)))
            .map(|verdict| {
                json!({
                    "complianceState": verdict.text().to_lowercase(),
                    "count": count(all, verdict),
                })
            })
            .collect()
    };
    json!({
        "queryResultsUri": uri,
        "nonCompliantResources": count(&resources, Verdict::NonCompliant),
        "nonCompliantPolicies": count(&policies, Verdict::NonCompliant),
        "resourceDetails": details(&resources),
        "policyDetails": details(&policies),
        "policyGroupDetails": [],
    })
}

fn rank(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Compliant => 0,
        Verdict::Exempt => 1,
        Verdict::NonCompliant => 2,
    }
}
