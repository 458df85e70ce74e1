//! The driver itself, on the resource that is built into every command.

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_change_is_planned_and_applied",
        run: a_change_is_planned_and_applied,
    },
    Step {
        name: "errors_are_read_across_line_breaks",
        run: errors_are_read_across_line_breaks,
    },
    Step {
        name: "someone_elses_objects_are_there_and_can_change",
        run: someone_elses_objects_are_there_and_can_change,
    },
    Step {
        name: "a_command_that_ends_first_is_not_killed",
        run: a_command_that_ends_first_is_not_killed,
    },
];

const GREETING: &str = "terraform_data.greeting";

fn a_change_is_planned_and_applied(session: &mut Session) {
    session.plan().must(action::CREATE, GREETING);
    session.apply();
    session.set("greeting", "good evening");
    session.plan().must(action::UPDATE, GREETING);
    session.apply();
    assert_eq!(session.state(GREETING)["output"], "good evening");
    session.forget(GREETING);
    assert!(session.state(GREETING).is_null());
}

fn errors_are_read_across_line_breaks(session: &mut Session) {
    session.set("greeting", "a very good evening to all of you");
    session
        .run(&["plan"])
        .must_fail_saying(&["fits on a card; this one is longer", "condition"]);
}

fn someone_elses_objects_are_there_and_can_change(session: &mut Session) {
    let group = session.sandbox.resources().first().unwrap().clone();
    assert_eq!(
        session.sandbox.get(&group, "2025-04-01")["tags"]["owner"],
        "someone else"
    );
    let other = group.replace("someone-elses", "another");
    session.sandbox.put(
        &other,
        "2025-04-01",
        &serde_json::json!({ "location": "westeurope" }),
    );
    assert!(session.sandbox.resources().contains(&other));
    session.sandbox.delete(&other, "2025-04-01");
    assert!(!session.sandbox.resources().contains(&other));
}

fn a_command_that_ends_first_is_not_killed(session: &mut Session) {
    assert!(!session.kill_at_write(&["apply", "-auto-approve"], 1));
    assert_eq!(session.state(GREETING)["output"], "hello");
}
