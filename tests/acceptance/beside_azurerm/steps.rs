//! The link beside objects of others: bad input, drift and its repair, import, handing over.

use serde_json::json;

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "all_problems_are_found_at_plan_and_nothing_is_made",
        run: bad_input,
    },
    Step {
        name: "an_overwritten_record_is_drift_with_its_reason",
        run: overwritten_record,
    },
    Step {
        name: "a_deleted_record_is_drift_with_its_reason",
        run: deleted_record,
    },
    Step {
        name: "a_removed_link_is_drift_with_its_reason",
        run: removed_link,
    },
    Step {
        name: "a_disconnected_endpoint_is_replaced_in_place",
        run: disconnected,
    },
    Step {
        name: "a_rejected_connection_is_reported_and_not_fought",
        run: rejected,
    },
    Step {
        name: "a_new_replica_shows_as_new_endpoints",
        run: new_replica,
    },
    Step {
        name: "a_link_is_imported_by_its_endpoints_id",
        run: import,
    },
    Step {
        name: "a_policys_zone_group_is_accepted_and_kept",
        run: handed_over,
    },
    Step {
        name: "another_subnet_replaces_the_endpoint_alone",
        run: another_subnet,
    },
    Step {
        name: "a_killed_apply_is_finished_by_the_next",
        run: killed,
    },
];

const LINK: &str = "fkaks_private_registry_link.acr";
const APP: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/app/providers";
const HUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io";
const DNS: &str = "2024-06-01";
const NETWORK: &str = "2025-05-01";
const REGISTRIES: &str = "2025-11-01";

fn registry() -> String {
    format!("{APP}/Microsoft.ContainerRegistry/registries/theirregistry")
}

fn endpoint() -> String {
    format!("{APP}/Microsoft.Network/privateEndpoints/pe-acr")
}

fn record(name: &str) -> String {
    format!("{HUB}/A/{name}")
}

/// A plan that repairs in place, names the reason, and is followed by an apply after which
/// nothing is left to do.
fn repaired(session: &Session, reason: &[&str]) {
    let plan = session.plan();
    plan.must(action::UPDATE, LINK);
    for words in reason {
        assert!(
            plan.words().contains(words),
            "the plan should say {words:?}: {}",
            plan.words()
        );
    }
    session.apply();
    session.plan().must_be_empty("what was repaired");
}

fn bad_input(session: &mut Session) {
    let before = session.sandbox.writes();
    session.set("registry", "basicregistry");
    session.set("subnet", "delegated");
    session.run(&["plan"]).must_fail_saying(&[
        "a Basic registry has no private endpoints",
        "the subnet delegated is delegated, and so not for endpoints",
        "sku = \"Premium\"",
    ]);
    session.set("registry", "theirregistry");
    session.set("subnet", "tight");
    session.set(
        "static_ips",
        r#"{ registry = "10.10.21.4", registry_data_northeurope = "10.10.21.5" }"#,
    );
    session
        .run(&["plan"])
        .must_fail_saying(&["missing: registry_data_westeurope"]);
    session.set("static_ips", r#"{ registry = "10.10.21.4" }"#);
    session.run(&["validate"]).must_succeed();
    session
        .run(&["plan"])
        .must_fail_saying(&["static addresses are needed for every member"]);
    session.set("static_ips", "null");
    session.set("zone_id", &HUB.replace("azurecr", "westeurope.azurecr"));
    session
        .run(&["plan"])
        .must_fail_saying(&["is not the zone of private registries"]);
    session.set("zone_id", HUB);
    // Two of the three addresses of a /29 are taken.
    for name in ["one", "two"] {
        let nic = format!("{APP}/Microsoft.Network/networkInterfaces/{name}");
        let subnet = format!("{APP}/Microsoft.Network/virtualNetworks/vnet/subnets/tight");
        let body = json!({ "location": "westeurope", "properties": { "ipConfigurations": [
            { "name": "ip", "properties": { "subnet": { "id": subnet } } }
        ] } });
        session.sandbox.put(&nic, NETWORK, &body);
    }
    session
        .run(&["plan"])
        .must_fail_saying(&["the subnet tight has too few free addresses", "free: 1"]);
    for name in ["one", "two"] {
        session.sandbox.delete(
            &format!("{APP}/Microsoft.Network/networkInterfaces/{name}"),
            NETWORK,
        );
    }
    session.set("subnet", "endpoints");
    let other = HUB.replace("/hub/", "/app/");
    let link = format!("{other}/virtualNetworkLinks/theirs");
    session
        .sandbox
        .put(&other, DNS, &json!({ "location": "global" }));
    let body = json!({ "location": "global", "properties": {
        "virtualNetwork": { "id": format!("{APP}/Microsoft.Network/virtualNetworks/vnet") },
        "registrationEnabled": false
    } });
    session.sandbox.put(&link, DNS, &body);
    session.run(&["plan"]).must_fail_saying(&[
        "the network vnet is already linked to a zone named privatelink.azurecr.io",
        &link,
    ]);
    session.sandbox.delete(&link, DNS);
    session.sandbox.delete(&other, DNS);
    let ours = session.sandbox.resources();
    assert!(
        !ours.contains(&endpoint()),
        "nothing may be made by a plan; writes before: {before}"
    );
}

fn overwritten_record(session: &mut Session) {
    session.apply();
    let body =
        json!({ "properties": { "ttl": 10, "aRecords": [{ "ipv4Address": "10.99.99.99" }] } });
    session.sandbox.put(&record("theirregistry"), DNS, &body);
    repaired(
        session,
        &["A record theirregistry in privatelink.azurecr.io leads to 10.99.99.99"],
    );
}

fn deleted_record(session: &mut Session) {
    session.set("records", "explicit");
    session.apply();
    session.sandbox.delete(&record("theirregistry"), DNS);
    repaired(session, &["A record was deleted outside"]);
}

fn removed_link(session: &mut Session) {
    session.apply();
    session
        .sandbox
        .delete(&format!("{HUB}/virtualNetworkLinks/pe-acr-aks"), DNS);
    repaired(session, &["network link was deleted outside"]);
}

fn disconnected(session: &mut Session) {
    session.apply();
    let connections = session.sandbox.get(&registry(), REGISTRIES);
    let connection = connections["properties"]["privateEndpointConnections"][0]["id"]
        .as_str()
        .unwrap();
    session.sandbox.delete(connection, REGISTRIES);
    repaired(session, &["its connection to the registry is Disconnected"]);
    assert_eq!(session.state(LINK)["connection_state"], "Approved");
}

fn rejected(session: &mut Session) {
    session.set("manual", "true");
    session.apply();
    assert_eq!(session.state(LINK)["connection_state"], "Pending");
    let connections = session.sandbox.get(&registry(), REGISTRIES);
    let connection = &connections["properties"]["privateEndpointConnections"][0];
    let body = json!({ "properties": {
        "privateEndpoint": { "id": endpoint() },
        "privateLinkServiceConnectionState": { "status": "Rejected", "description": "no" }
    } });
    session
        .sandbox
        .put(connection["id"].as_str().unwrap(), REGISTRIES, &body);
    let ran = session.run(&["plan"]).must_succeed();
    ran.must_say(&["has rejected private endpoint pe-acr", "is not fought"]);
}

fn new_replica(session: &mut Session) {
    session.set("records", "explicit");
    session.apply();
    let replica = format!("{}/replications/northeurope", registry());
    session
        .sandbox
        .put(&replica, REGISTRIES, &json!({ "location": "northeurope" }));
    let plan = session.plan();
    plan.must(action::UPDATE, LINK);
    session.apply();
    let endpoints = session.state(LINK)["endpoints"].clone();
    let name = "theirregistry.northeurope.data.azurecr.io";
    assert_eq!(endpoints[name]["region"], "northeurope", "{endpoints}");
    assert!(
        session
            .sandbox
            .resources()
            .contains(&record("theirregistry.northeurope.data"))
    );
    session.plan().must_be_empty("a link with the new replica");
    session.destroy();
    session.sandbox.delete(&replica, REGISTRIES);
}

fn import(session: &mut Session) {
    session.apply();
    session.forget(LINK);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "private endpoint pe-acr cannot be created: it exists already",
        "import {",
    ]);
    session.import(LINK, &endpoint());
    // The plan names the link to the network, which lies in the hub's zone, as owned from now on.
    session.apply();
    session.plan().must_be_empty("an imported link");
}

fn handed_over(session: &mut Session) {
    session.apply();
    session.set("records", "policy");
    session.apply();
    let group = format!("{}/privateDnsZoneGroups/default", endpoint());
    assert!(
        session.sandbox.resources().contains(&group),
        "the group stays"
    );
    assert!(
        session.state(LINK)["objects"]["records"].is_null(),
        "and is not ours any more"
    );
    session
        .plan()
        .must_be_empty("a link whose records a policy looks after");
}

fn another_subnet(session: &mut Session) {
    session.apply();
    session.set("subnet", "nodes");
    session.plan().must(action::UPDATE, LINK);
    session.apply();
    let endpoints = session.state(LINK)["endpoints"].clone();
    let ip = endpoints["theirregistry.azurecr.io"]["ip"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(ip.starts_with("10.10.8."), "{ip}");
    session.plan().must_be_empty("a moved endpoint");
}

fn killed(session: &mut Session) {
    for write in 1..=3 {
        assert!(
            session.kill_at_write(&["apply", "-auto-approve"], write),
            "killed at write {write}"
        );
        // Nothing was saved: what was made is refused, with the block that takes it over, or, where the
        // endpoint that would be imported did not come about, with the command that deletes it.
        let made = session.sandbox.resources();
        let link = made
            .iter()
            .find(|id| id.ends_with("/virtualNetworkLinks/pe-acr-aks"));
        if let Some(link) =
            link.filter(|_| session.state(LINK).is_null() && !made.contains(&endpoint()))
        {
            session.sandbox.wait_until("the link stands", || {
                session.sandbox.get(link, DNS)["properties"]["provisioningState"] == "Succeeded"
            });
            session
                .run(&["apply", "-auto-approve"])
                .must_fail_saying(&["exists already", "az resource delete --ids"]);
            session.sandbox.delete(link, DNS);
            // That apply has made the endpoint, and its state knows it.
        } else if session.state(LINK).is_null() && made.contains(&endpoint()) {
            session.sandbox.wait_until("the endpoint stands", || {
                session.sandbox.get(&endpoint(), NETWORK)["properties"]["provisioningState"]
                    == "Succeeded"
            });
            session
                .run(&["apply", "-auto-approve"])
                .must_fail_saying(&["exists already", "import {"]);
            session.import(LINK, &endpoint());
        }
        session.apply();
        session
            .plan()
            .must_be_empty("what a killed apply left, applied again");
        session.destroy();
    }
}
