//! `fkaks_private_registry_link`: what others do to it, what it refuses, and what it survives.

use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_record_that_was_overwritten_is_written_back",
        run: a_record_that_was_overwritten_is_written_back,
    },
    Step {
        name: "a_zone_group_that_was_deleted_comes_back",
        run: a_zone_group_that_was_deleted_comes_back,
    },
    Step {
        name: "a_link_that_was_deleted_comes_back",
        run: a_link_that_was_deleted_comes_back,
    },
    Step {
        name: "an_endpoint_that_was_deleted_comes_back_with_its_records",
        run: an_endpoint_that_was_deleted_comes_back,
    },
    Step {
        name: "a_replica_shows_as_new_endpoints",
        run: a_replica_shows_as_new_endpoints,
    },
    Step {
        name: "another_name_replaces_everything_in_one_apply",
        run: another_name_replaces_everything_in_one_apply,
    },
    Step {
        name: "an_imported_link_converges_in_one_apply",
        run: an_imported_link_converges_in_one_apply,
    },
    Step {
        name: "approval_by_hand_is_waited_for_and_told",
        run: approval_by_hand_is_waited_for_and_told,
    },
    Step {
        name: "a_network_that_asks_another_zone_is_refused_at_plan",
        run: a_network_that_asks_another_zone_is_refused_at_plan,
    },
    Step {
        name: "an_endpoint_that_exists_is_not_adopted",
        run: an_endpoint_that_exists_is_not_adopted,
    },
];

const LINK: &str = "fkaks_private_registry_link.acr";
const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000000";
const NETWORK_API: &str = "2025-05-01";
const DNS_API: &str = "2024-06-01";
const REGISTRY_API: &str = "2025-11-01";
const NAME: &str = "fkacrlink.azurecr.io";

fn ours(rest: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Network/{rest}")
}

fn shared(rest: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/rg-shared/providers/{rest}")
}

fn endpoint() -> String {
    ours("privateEndpoints/fk-acr-pe")
}

fn zone() -> String {
    ours("privateDnsZones/privatelink.azurecr.io")
}

fn registry() -> String {
    shared("Microsoft.ContainerRegistry/registries/fkacrlink")
}

/// The address to which the login server's record leads.
fn recorded(session: &Session) -> Value {
    let record = session
        .sandbox
        .get(&format!("{}/A/fkacrlink", zone()), DNS_API);
    record["properties"]["aRecords"][0]["ipv4Address"].clone()
}

/// The address of the login server in the state.
fn known(session: &Session) -> Value {
    session.state(LINK)["endpoints"][NAME]["ip"].clone()
}

/// Someone changed something: the plan shows it, one apply repairs it, and then all agrees again.
fn is_repaired(session: &Session) {
    session.plan().must(action::UPDATE, LINK);
    session.apply();
    session
        .plan()
        .must_be_empty("drift is repaired in one apply");
    assert_eq!(
        recorded(session),
        known(session),
        "the record and the endpoint agree"
    );
    let group = format!("{}/privateDnsZoneGroups/default", endpoint());
    assert!(
        !session.sandbox.get(&group, NETWORK_API).is_null(),
        "the zone group stands"
    );
    let link = format!("{}/virtualNetworkLinks/fk-acr-pe-vnet-aks", zone());
    assert!(
        !session.sandbox.get(&link, DNS_API).is_null(),
        "the link stands"
    );
}

fn a_record_that_was_overwritten_is_written_back(session: &mut Session) {
    session.apply();
    let wrong =
        json!({ "properties": { "ttl": 10, "aRecords": [{ "ipv4Address": "10.99.0.1" }] } });
    session
        .sandbox
        .put(&format!("{}/A/fkacrlink", zone()), DNS_API, &wrong);
    let said = session.plan().words();
    assert!(
        said.contains("10.99.0.1"),
        "the plan tells where the record leads now:\n{said}"
    );
    is_repaired(session);
}

fn a_zone_group_that_was_deleted_comes_back(session: &mut Session) {
    session.apply();
    session.sandbox.delete(
        &format!("{}/privateDnsZoneGroups/default", endpoint()),
        NETWORK_API,
    );
    is_repaired(session);
}

fn a_link_that_was_deleted_comes_back(session: &mut Session) {
    session.apply();
    session.sandbox.delete(
        &format!("{}/virtualNetworkLinks/fk-acr-pe-vnet-aks", zone()),
        DNS_API,
    );
    is_repaired(session);
}

fn an_endpoint_that_was_deleted_comes_back(session: &mut Session) {
    session.apply();
    session.sandbox.delete(&endpoint(), NETWORK_API);
    is_repaired(session);
}

fn a_replica_shows_as_new_endpoints(session: &mut Session) {
    session.set("records", "explicit");
    session.apply();
    let replica = format!("{}/replications/northeurope", registry());
    session.sandbox.put(
        &replica,
        REGISTRY_API,
        &json!({ "location": "northeurope" }),
    );
    session.apply();
    let endpoints = session.state(LINK)["endpoints"].clone();
    let new = &endpoints["fkacrlink.northeurope.data.azurecr.io"];
    assert_eq!(new["member"], "registry_data_northeurope", "{endpoints}");
    let record = session
        .sandbox
        .get(&format!("{}/A/fkacrlink.northeurope.data", zone()), DNS_API);
    assert_eq!(
        record["properties"]["aRecords"][0]["ipv4Address"],
        new["ip"]
    );
    session
        .plan()
        .must_be_empty("one apply writes the new records");
    session.destroy();
    session.sandbox.delete(&replica, REGISTRY_API);
}

fn another_name_replaces_everything_in_one_apply(session: &mut Session) {
    session.apply();
    session.set("name", "pe-other");
    session.plan().must(action::REPLACE, LINK);
    session.apply();
    session
        .plan()
        .must_be_empty("a replacement needs one apply");
    assert!(
        session.sandbox.get(&endpoint(), NETWORK_API).is_null(),
        "the old endpoint is gone"
    );
    assert_eq!(recorded(session), known(session));
}

fn an_imported_link_converges_in_one_apply(session: &mut Session) {
    session.apply();
    let before = session.state(LINK);
    session.forget(LINK);
    session.import(LINK, &endpoint());
    session.apply();
    session
        .plan()
        .must_be_empty("after an import one apply takes over the rest");
    assert_eq!(session.state(LINK)["objects"], before["objects"]);
    assert_eq!(session.state(LINK)["endpoints"], before["endpoints"]);
}

fn approval_by_hand_is_waited_for_and_told(session: &mut Session) {
    session.set("manual_approval", r#"{ message = "the images team asks" }"#);
    session.apply();
    assert_eq!(session.state(LINK)["connection_state"], "Pending");
    let found = session.sandbox.get(&registry(), REGISTRY_API);
    let connection = found["properties"]["privateEndpointConnections"][0].clone();
    let approved = json!({ "properties": {
        "privateEndpoint": { "id": endpoint() },
        "privateLinkServiceConnectionState": { "status": "Approved", "description": "yes" },
    } });
    session
        .sandbox
        .put(connection["id"].as_str().unwrap(), REGISTRY_API, &approved);
    session.apply();
    assert_eq!(session.state(LINK)["connection_state"], "Approved");
    session.plan().must_be_empty("approval is not drift");
}

fn a_network_that_asks_another_zone_is_refused_at_plan(session: &mut Session) {
    let theirs = shared("Microsoft.Network/privateDnsZones/privatelink.azurecr.io");
    session
        .sandbox
        .put(&theirs, DNS_API, &json!({ "location": "global" }));
    let link = format!("{theirs}/virtualNetworkLinks/theirs");
    let network = shared("Microsoft.Network/virtualNetworks/vnet-aks");
    let body = json!({ "location": "global", "properties": { "registrationEnabled": false, "virtualNetwork": { "id": network } } });
    session.sandbox.put(&link, DNS_API, &body);
    session.run(&["plan"]).must_fail_saying(&[
        "vnet-aks is already linked",
        &theirs,
        "virtual_network_ids = {}",
    ]);
    session.sandbox.delete(&link, DNS_API);
    session.sandbox.delete(&theirs, DNS_API);
}

fn an_endpoint_that_exists_is_not_adopted(session: &mut Session) {
    session
        .run(&["apply", "-auto-approve", "-target=fkaks_resource_group.app"])
        .must_succeed();
    let theirs = json!({ "location": "westeurope", "tags": { "owner": "someone else" }, "properties": {
        "subnet": { "id": shared("Microsoft.Network/virtualNetworks/vnet-aks/subnets/endpoints") },
        "privateLinkServiceConnections": [{
            "name": "theirs",
            "properties": { "privateLinkServiceId": registry(), "groupIds": ["registry"] },
        }],
    } });
    session.sandbox.put(&endpoint(), NETWORK_API, &theirs);
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&["import {", &endpoint()]);
    assert_eq!(
        session.sandbox.get(&endpoint(), NETWORK_API)["tags"],
        theirs["tags"]
    );
    session.sandbox.delete(&endpoint(), NETWORK_API);
}
