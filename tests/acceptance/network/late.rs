//! What no plan can know of a network.

use serde_json::json;

use super::{VERSION, id};
use crate::driver::Session;

/// What is only known when it is applied is checked then, before the first write.
pub fn known_late(session: &mut Session) {
    session.set("subnets", "{}");
    session.apply();
    let group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared";
    let hub = format!("{group}/providers/Microsoft.Network/virtualNetworks/hub");
    let body = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.30.0.0/16"] }
    } });
    session.sandbox.put(&hub, VERSION, &body);
    for (from, to) in [(id(session), hub.clone()), (hub.clone(), id(session))] {
        let side = json!({ "properties": { "remoteVirtualNetwork": { "id": to } } });
        let name = format!("{from}/virtualNetworkPeerings/side");
        session.sandbox.put(&name, VERSION, &side);
    }
    let late = |session: &Session, space: &str| {
        let known = format!("resource \"terraform_data\" \"space\" {{\n  input = {space}\n}}\n");
        session.write("space.tf", &known);
    };
    session.write(
        "late_override.tf",
        "resource \"fkaks_network\" \"aks\" {\n  address_space = terraform_data.space.output\n}\n",
    );
    late(session, r#"["10.10.0.0/16", "10.30.0.0/17"]"#);
    session.run(&["plan"]).must_succeed();
    let before = session.sandbox.writes();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "address_space 10.30.0.0/17 overlaps 10.30.0.0/16 of the peered network hub",
        "Fix: take a free block",
        "address_space = [\"10.10.0.0/16\", \"10.0.0.0/17\"]",
    ]);
    assert_eq!(session.sandbox.writes(), before, "nothing was written");
    late(session, r#"["10.10.0.0/16", "10.0.0.0/17"]"#);
    session.apply();
    let network = session.sandbox.get(&id(session), VERSION);
    assert_eq!(
        network["properties"]["addressSpace"]["addressPrefixes"],
        json!(["10.10.0.0/16", "10.0.0.0/17"])
    );
    for network in [id(session), hub.clone()] {
        let side = format!("{network}/virtualNetworkPeerings/side");
        session.sandbox.delete(&side, VERSION);
    }
    session.sandbox.delete(&hub, VERSION);
}
