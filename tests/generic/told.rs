//! What a case finds, what the user is told, and what is in the state.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::testing::Instance;
use tfplugin_rs::value::to_json;

/// What a case finds: nothing wrong, or what was expected and what was found.
pub type Verdict = Result<(), String>;

/// A secret that must show nowhere.
pub const SECRET: &str = "generic-tests-hunter2";

/// Diagnostics as a person reads them.
pub fn shown(told: &Diagnostics) -> String {
    told.iter()
        .map(|one| {
            format!(
                "{:?}: {} [{}]\n{}",
                one.severity, one.summary, one.path, one.detail
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Errors among diagnostics are not expected; secrets never are.
pub fn no_errors(what: &str, told: &Diagnostics) -> Verdict {
    no_secrets(told)?;
    if told.has_errors() {
        return Err(format!("{what} should succeed, and said:\n{}", shown(told)));
    }
    Ok(())
}

/// Nothing that logs in shows in what the user is told.
pub fn no_secrets(told: &Diagnostics) -> Verdict {
    let text = shown(told);
    // Every JSON web token begins like this.
    if text.contains(SECRET) || text.contains("eyJ") || text.contains("Bearer ") {
        return Err(format!(
            "a secret or a token is in what the user is told:\n{text}"
        ));
    }
    Ok(())
}

/// The state as JSON.
pub fn json_of(instance: &Instance) -> Json {
    to_json(&instance.state).unwrap_or_else(|error| panic!("the state: {error}"))
}

/// The ids of the ledger in a state, in lower case: those that are owned, and those attempted.
pub fn ledger(instance: Option<&Instance>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut owned, mut attempted) = (BTreeSet::new(), BTreeSet::new());
    let state = instance.map(json_of).unwrap_or_default();
    for (part, ids) in state["objects"].as_object().into_iter().flatten() {
        let ids = ids.as_array().into_iter().flatten();
        let ids = ids.filter_map(|id| Some(id.as_str()?.to_lowercase()));
        if part.ends_with(" (attempted)") {
            attempted.extend(ids);
        } else {
            owned.extend(ids);
        }
    }
    (owned, attempted)
}
