//! Azure Policy: definitions, assignments and exemptions of Microsoft.Authorization, and what
//! Microsoft.PolicyInsights says about compliance. `enforcement.rs` is asked by every write.

pub mod assignments;
pub mod built_in;
pub mod compliance;
pub mod definitions;
pub mod effects;
pub mod enforcement;
pub mod exemptions;
pub mod fields;
pub mod parameters;
pub mod remediation;
pub mod remediations;
pub mod rules;
pub mod selectors;
pub mod states;

use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::store::{Resource, World};
use crate::table::{NamespaceAction, RunNamespaceAction, Type};

/// API versions of policy definitions and assignments that clients send.
pub const VERSIONS: &[&str] = &[
    "2016-12-01",
    "2018-03-01",
    "2018-05-01",
    "2019-01-01",
    "2019-06-01",
    "2019-09-01",
    "2020-03-01",
    "2020-08-01",
    "2020-09-01",
    "2021-06-01",
    "2022-06-01",
    "2023-04-01",
    "2024-04-01",
    "2024-05-01",
    "2025-01-01",
    "2025-03-01",
    "2025-11-01",
    "2026-07-01",
];

/// API versions of Microsoft.PolicyInsights that clients send.
pub const INSIGHTS_VERSIONS: &[&str] = &[
    "2018-04-04",
    "2018-07-01-preview",
    "2019-07-01",
    "2019-10-01",
    "2021-10-01",
    "2024-10-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    definitions::DEFINITIONS,
    assignments::ASSIGNMENTS,
    exemptions::EXEMPTIONS,
    remediations::REMEDIATIONS,
];

/// Actions of the namespace, below any scope.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[
    action(&["policyStates", "latest", "queryResults"], states::query),
    action(&["policyStates", "latest", "summarize"], states::summarize),
    action(
        &["policyStates", "latest", "triggerEvaluation"],
        states::evaluate,
    ),
];

const fn action(path: &'static [&'static str], run: RunNamespaceAction) -> NamespaceAction {
    NamespaceAction {
        method: "POST",
        namespace: "Microsoft.PolicyInsights",
        path,
        versions: INSIGHTS_VERSIONS,
        run,
    }
}

/// A word of a closed list, when there is one at the pointer.
fn word(resource: &Resource, pointer: &str, words: &[&str]) -> ArmResult<()> {
    match resource.at(pointer) {
        None => Ok(()),
        Some(value) if value.as_str().is_some_and(|text| words.contains(&text)) => Ok(()),
        Some(value) => Err(invalid_content(format!(
            "Error converting value {value}. Path '{}'",
            pointer.trim_start_matches('/').replace('/', ".")
        ))),
    }
}

/// Who wrote it and when, in the member `metadata`, as Azure Policy keeps it.
fn stamp(world: &World, new: &mut Resource, old: Option<&Resource>) {
    let by = uuid::Uuid::new_v5(&world.seed, b"object of the caller").to_string();
    for name in ["createdBy", "createdOn"] {
        let pointer = format!("/properties/metadata/{name}");
        let first = match name {
            "createdBy" => by.clone(),
            _ => world.timestamp(),
        };
        let kept = old
            .and_then(|old| old.text(&pointer))
            .map(ToOwned::to_owned);
        new.set(&pointer, kept.unwrap_or(first));
    }
    let (by, on) = match old {
        Some(_) => (serde_json::json!(by), serde_json::json!(world.timestamp())),
        None => (serde_json::Value::Null, serde_json::Value::Null),
    };
    new.set("/properties/metadata/updatedBy", by);
    new.set("/properties/metadata/updatedOn", on);
}

fn not_found(code: &str, what: &str, id: &str) -> ArmError {
    ArmError::new(404, code, format!("The {what} '{id}' could not be found."))
}
