//! Which registries are as the policies want them, as Azure has evaluated it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Input;
use super::policies::Kind;
use crate::arm::{ArmId, Json};
use crate::provider::parts::Question;

/// How a policy is met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compliance {
    /// How many registries meet it.
    pub compliant: usize,
    /// How many do not.
    pub non_compliant: usize,
    /// How many are exempt.
    pub exempt: usize,
    /// Those that do not meet it.
    pub non_compliant_ids: BTreeSet<ArmId>,
}

impl Compliance {
    /// The latest states of an assignment, as `policyStates/latest/queryResults` lists them.
    pub fn of(states: &Json) -> Self {
        let mut all = Self::default();
        for state in states["value"].as_array().into_iter().flatten() {
            let id = state["resourceId"].as_str();
            let Some(id) = id.and_then(|id| ArmId::parse(id).ok()) else {
                continue;
            };
            if !id.is(super::REGISTRY) {
                continue;
            }
            match state["complianceState"].as_str().unwrap_or_default() {
                "Compliant" => all.compliant += 1,
                "NonCompliant" => {
                    all.non_compliant += 1;
                    all.non_compliant_ids.insert(id);
                }
                "Exempt" => all.exempt += 1,
                _ => {}
            }
        }
        all
    }
}

/// The question for the latest states of an assignment (Microsoft.PolicyInsights 2024-10-01,
/// `policyStates/latest/queryResults`).
pub fn question(input: &Input, kind: Kind) -> Question {
    let assignment = input.assignment_id(kind);
    let filter = format!("policyAssignmentId%20eq%20'{assignment}'");
    let action = format!(
        "providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?$filter={filter}"
    );
    Question::action(&input.scope_id, action, &Json::Null)
}
