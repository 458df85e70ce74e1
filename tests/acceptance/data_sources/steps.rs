//! What is asked wrongly or may not be read, and what a cluster's pulls look like as things break.

use serde_json::json;

use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_does_not_exist_is_an_error_with_a_fix",
        run: absent,
    },
    Step {
        name: "what_may_not_be_read_is_an_error_with_the_missing_permission",
        run: forbidden,
    },
    Step {
        name: "two_ways_to_name_something_are_refused",
        run: two_ways,
    },
    Step {
        name: "a_read_has_a_time_that_the_user_may_set",
        run: slow,
    },
];

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks";

fn absent(session: &mut Session) {
    session.apply();
    session.set("registry_name", "elsewhere");
    session.run(&["plan"]).must_fail_saying(&[
        "registry elsewhere cannot be read: it does not exist",
        &format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/elsewhere"),
        "Fix:",
    ]);
    session.set("registry_name", "fkacrread");
    session.plan().must_be_empty("the right name");
}

fn forbidden(session: &mut Session) {
    session.apply();
    session.sandbox.fault(&json!({
        "match": { "method": "GET", "path": format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrread/replications") },
        "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "No." } },
    }));
    let refused = session.run(&["plan", "-refresh=false"]);
    refused.must_fail_saying(&[
        "cannot be read: a permission is missing",
        "Microsoft.ContainerRegistry/registries/replications/read",
        "role_definition_name = \"Reader\"",
        "Azure said:",
    ]);
    session
        .sandbox
        .control(reqwest::Method::DELETE, "/faults", None);
}

fn two_ways(session: &mut Session) {
    session.apply();
    session.set(
        "registry_id",
        &format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/fkacrread"),
    );
    session.run(&["plan"]).must_fail_saying(&[
        "the id says it all, and name does not go with it",
        "the id says it all, and resource_group_id does not go with it",
    ]);
    session.set("registry_id", "");
}

fn slow(session: &mut Session) {
    session.set("timeout", "2s");
    session.apply();
    session.sandbox.control(
        reqwest::Method::PATCH,
        "/settings",
        Some(&json!({ "latencyMs": 3000 })),
    );
    session.run(&["plan", "-refresh=false"]).must_fail_saying(&[
        "registry fkacrread cannot be read: its timeout has expired",
        "read = \"15m\"",
    ]);
    session.sandbox.control(
        reqwest::Method::PATCH,
        "/settings",
        Some(&json!({ "latencyMs": 0 })),
    );
}
