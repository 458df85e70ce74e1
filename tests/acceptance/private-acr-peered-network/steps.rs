//! The architecture `private-acr-peered-network` under what others do to it.

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[Step {
    name: "a_peering_that_lost_a_side_is_shown_with_the_broken_path_and_repaired",
    run: drift,
}];

const PEERING: &str = "fkaks_network_peering.registry";
const PATH: &str = "data.fkaks_image_path.nginx";

fn drift(session: &mut Session) {
    session.apply();
    assert_eq!(session.state(PATH)["privately"], true);
    // Someone deletes the side of the registry's network: no packet passes any more.
    let remote = session.state(PEERING)["remote_id"].clone();
    session
        .sandbox
        .delete(remote.as_str().unwrap(), "2025-05-01");
    let plan = session.plan();
    plan.must(action::UPDATE, PEERING);
    session.apply();
    session
        .plan()
        .must_be_empty("a peering that had lost a side");
    assert_eq!(session.state(PATH)["privately"], true);
}
