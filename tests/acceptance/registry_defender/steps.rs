//! The plan for containers: turned on and put back, beside someone else's, and turned off by someone.

use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_plan_that_someone_turns_off_is_drift_and_is_put_back_in_the_end",
        run: drift,
    },
    Step {
        name: "a_plan_of_someone_else_counts_and_is_never_turned_off",
        run: accepted,
    },
    Step {
        name: "a_plan_of_someone_else_is_changed_only_knowingly_and_put_back",
        run: adopted,
    },
    Step {
        name: "the_plan_is_imported_by_its_id_and_stays",
        run: import,
    },
];

const PLAN: &str = "fkaks_registry_defender.containers";
const ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/pricings/Containers";
const VERSION: &str = "2024-01-01";

fn turn(session: &Session, tier: &str, sensor: &str) {
    let mut body = json!({ "properties": { "pricingTier": tier } });
    if tier == "Standard" {
        body["properties"]["extensions"] =
            json!([{ "name": "ContainerSensor", "isEnabled": sensor }]);
    }
    session.sandbox.put(ID, VERSION, &body);
}

fn tier(session: &Session) -> Value {
    session.sandbox.get(ID, VERSION)["properties"]["pricingTier"].clone()
}

fn sensor(session: &Session) -> Value {
    let found = session.sandbox.get(ID, VERSION);
    let all = found["properties"]["extensions"].as_array().unwrap();
    let sensor = all.iter().find(|one| one["name"] == "ContainerSensor");
    sensor.unwrap()["isEnabled"].clone()
}

fn drift(session: &mut Session) {
    session
        .run(&["plan"])
        .must_say(&["Defender for Containers is turned on", "it is Free now"]);
    session.apply();
    session.plan().must_be_empty("a plan that is on");
    turn(session, "Free", "False");
    session.plan().must(action::UPDATE, PLAN);
    session
        .run(&["plan"])
        .must_say(&["is Free, and should be Standard"]);
    session.apply();
    assert_eq!(tier(session), "Standard");
    assert_eq!(session.state(PLAN)["previous"]["pricing_tier"], "Free");
    session.plan().must_be_empty("a plan that is on again");
    session.destroy();
    assert_eq!(tier(session), "Free");
}

fn accepted(session: &mut Session) {
    turn(session, "Standard", "True");
    session.apply();
    assert_eq!(session.state(PLAN)["previous"], Value::Null);
    session.plan().must_be_empty("a plan of someone else");
    session.destroy();
    assert_eq!(tier(session), "Standard", "it is never turned off");
    turn(session, "Free", "False");
}

fn adopted(session: &mut Session) {
    turn(session, "Standard", "True");
    session.set("sensor", "false");
    session.run(&["plan"]).must_fail_saying(&[
        "someone else's Defender plan for containers",
        "sensor_enabled is true",
        "existing = \"adopt\"",
    ]);
    session.set("existing", "adopt");
    session.apply();
    assert_eq!(sensor(session), "False");
    assert_eq!(session.state(PLAN)["previous"]["pricing_tier"], "Standard");
    session.plan().must_be_empty("a plan that was adopted");
    session.destroy();
    assert_eq!(
        (tier(session), sensor(session)),
        (json!("Standard"), json!("True"))
    );
    turn(session, "Free", "False");
    session.set("existing", "accept");
    session.set("sensor", "null");
}

fn import(session: &mut Session) {
    turn(session, "Standard", "True");
    session.import(PLAN, ID);
    assert_eq!(session.state(PLAN)["pricing_tier"], "Standard");
    session.apply();
    session.plan().must_be_empty("a plan that was imported");
    session.destroy();
    assert_eq!(tier(session), "Standard");
    turn(session, "Free", "False");
}
