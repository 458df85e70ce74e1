//! A subnet in someone else's network: its checks, its place, import, and who uses it.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "the_place_is_checked_against_the_network_before_the_first_write",
        run: checked,
    },
    Step {
        name: "a_subnet_of_someone_else_is_refused_and_then_imported",
        run: import,
    },
    Step {
        name: "what_follows_an_imported_subnet_adopts_nothing",
        run: import_then_replace,
    },
    Step {
        name: "a_subnet_in_use_is_kept",
        run: in_use,
    },
    Step {
        name: "a_renamed_subnet_is_replaced_in_one_apply",
        run: replaced,
    },
];

const SUBNET: &str = "fkaks_subnet.endpoints";
const HUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub";
const VERSION: &str = "2025-05-01";

fn checked(session: &mut Session) {
    let before = session.sandbox.writes();
    session.set("prefix", "10.0.0.32/27");
    session.run(&["plan"]).must_fail_saying(&[
        "10.0.0.32/27 overlaps 10.0.0.0/26 of subnet \"theirs\", which is managed elsewhere",
        "address_prefixes = [\"10.0.0.64/27\"]",
    ]);
    session.set("prefix", "10.0.1.0/27");
    session
        .run(&["plan"])
        .must_fail_saying(&["10.0.1.0/27 is outside the network's address space"]);
    session.set("prefix", "10.0.0.65/27");
    session
        .run(&["plan"])
        .must_fail_saying(&["has host bits set"]);
    assert_eq!(session.sandbox.writes(), before, "nothing was written");
}

fn import(session: &mut Session) {
    session.apply();
    let id = format!("{HUB}/subnets/endpoints");
    session.forget(SUBNET);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "subnet endpoints cannot be created: it exists already",
        &id,
        "to = fkaks_subnet.example",
    ]);
    session.import(SUBNET, &id);
    assert_eq!(session.state(SUBNET)["virtual_network_id"], HUB);
    assert_eq!(
        session.state(SUBNET)["address_prefixes"],
        json!(["10.0.0.64/27"])
    );
    let before = session.sandbox.writes();
    session.apply();
    assert_eq!(session.sandbox.writes(), before, "an import writes nothing");
    session.plan().must_be_empty("an imported subnet");
}

fn import_then_replace(session: &mut Session) {
    session.apply();
    let id = format!("{HUB}/subnets/endpoints");
    session.forget(SUBNET);
    session.import(SUBNET, &id);
    session.set("name", "theirs");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "subnet theirs cannot be created: it exists already",
        "Nothing is adopted silently",
    ]);
    session.set("name", "endpoints");
    session.apply();
}

fn in_use(session: &mut Session) {
    session.apply();
    let nic = HUB.replace("/virtualNetworks/hub", "/networkInterfaces/nic");
    let subnet = format!("{HUB}/subnets/endpoints");
    let body = json!({
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "x", "properties": {"subnet": {"id": subnet}}}]}
    });
    session.sandbox.put(&nic, VERSION, &body);
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&[
            "subnet endpoints cannot be deleted: something else still depends on it",
            &nic,
        ]);
    session.set("name", "other");
    session.run(&["plan"]).must_say(&[
        "Subnet \"endpoints\" is to be replaced while it is in use",
        "create_before_destroy = true",
    ]);
    session.set("name", "endpoints");
    session.sandbox.delete(&nic, VERSION);
    session.apply();
}

fn replaced(session: &mut Session) {
    session.apply();
    session.set("name", "other");
    session.plan().must(action::REPLACE, SUBNET);
    session.apply();
    session.plan().must_be_empty("a replaced subnet");
}
