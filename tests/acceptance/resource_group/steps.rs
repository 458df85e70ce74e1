//! A resource group's life that values cannot tell: import, foreign objects, drift, bad input.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_group_of_someone_else_is_refused_and_then_imported",
        run: import,
    },
    Step {
        name: "a_group_with_something_in_it_is_kept",
        run: kept,
    },
    Step {
        name: "what_is_changed_outside_is_shown_and_repaired",
        run: drift,
    },
    Step {
        name: "a_moved_group_is_replaced_in_one_apply",
        run: replaced,
    },
    Step {
        name: "bad_names_are_refused_without_azure",
        run: bad_input,
    },
];

const GROUP: &str = "fkaks_resource_group.app";
const VERSION: &str = "2025-04-01";

fn id(session: &Session) -> String {
    session.state(GROUP)["id"].as_str().unwrap().to_owned()
}

fn import(session: &mut Session) {
    session.apply();
    let id = id(session);
    session.forget(GROUP);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "resource group rg-app cannot be created: it exists already",
        &id,
        "to = fkaks_resource_group.example",
    ]);
    session.import(GROUP, &id);
    session
        .plan()
        .must_be_empty("an imported group that is as configured");
    session.apply();
}

fn kept(session: &mut Session) {
    session.apply();
    let foreign = format!(
        "{}/providers/Microsoft.Network/routeTables/theirs",
        id(session)
    );
    session
        .sandbox
        .put(&foreign, "2025-05-01", &json!({ "location": "westeurope" }));
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&[
            "resource group rg-app cannot be deleted: something else still depends on it",
            &foreign,
        ]);
    session.sandbox.delete(&foreign, "2025-05-01");
    session.destroy();
}

fn drift(session: &mut Session) {
    session.apply();
    let id = id(session);
    let tags = json!({ "location": "westeurope", "tags": { "env": "test", "hidden-x": "y", "other": "z" } });
    session.sandbox.put(&id, VERSION, &tags);
    let plan = session.plan();
    plan.must(action::UPDATE, GROUP);
    assert!(
        plan.words().contains("managed_by"),
        "the missing default tag should be named"
    );
    session.apply();
    let tags = session.sandbox.get(&id, VERSION)["tags"].clone();
    assert_eq!(
        tags,
        json!({ "env": "test", "managed_by": "opentofu", "hidden-x": "y" })
    );
    session.sandbox.delete(&id, VERSION);
    session.plan().must(action::CREATE, GROUP);
    session.apply();
}

fn replaced(session: &mut Session) {
    session.apply();
    session.set("location", "westeurope");
    session
        .plan()
        .must_be_empty("another spelling of the same region");
    session.set("location", "northeurope");
    session.plan().must(action::REPLACE, GROUP);
    session.apply();
    session.plan().must_be_empty("a replaced group");
}

fn bad_input(session: &mut Session) {
    session.set("name", "ends-with-a-period.");
    session.run(&["plan"]).must_fail_saying(&["period"]);
    session.set("name", "rg-app");
    session.apply();
}
