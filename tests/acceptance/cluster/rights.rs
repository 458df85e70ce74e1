//! The roles that the control plane needs, and a caller who may not assign them.

use reqwest::Method;
use serde_json::json;

use super::CLUSTER;
use crate::driver::Session;

const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";

/// What the caller may not do from now on.
fn taken_from_caller(session: &Session, actions: &[&str]) {
    let settings = json!({ "callerNotActions": actions });
    let sandbox = &session.sandbox;
    sandbox.control(Method::PATCH, "/settings", Some(&settings));
}

pub fn a_zone_needs_rights(session: &mut Session) {
    let group =
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-theirs".to_owned();
    let identity =
        format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/theirs");
    let zone = |name: &str| format!("{group}/providers/Microsoft.Network/privateDnsZones/{name}");
    session
        .sandbox
        .put(&group, "2025-04-01", &json!({ "location": "westeurope" }));
    session
        .run(&["apply", "-auto-approve", "-target=fkaks_network.aks"])
        .must_succeed();
    session.sandbox.put(
        &identity,
        "2024-11-30",
        &json!({ "location": "westeurope" }),
    );
    let right = zone("privatelink.westeurope.azmk8s.io");
    session
        .sandbox
        .put(&right, "2024-06-01", &json!({ "location": "global" }));
    session.set("identity_id", &identity);
    session.set("manage_role_assignments", "false");
    session.set(
        "private_dns_zone_id",
        &zone("privatelink.northeurope.azmk8s.io"),
    );
    session
        .run(&["plan"])
        .must_fail_saying(&["cannot serve a cluster in westeurope"]);
    session.set("private_dns_zone_id", &right);
    session.run(&["plan"]).must_fail_saying(&[
        "identity theirs may not do what the cluster needs",
        "Private DNS Zone Contributor on",
        "Network Contributor on",
        "az role assignment create",
    ]);
    session.set("manage_role_assignments", "true");
    taken_from_caller(session, &[ASSIGN]);
    session.run(&["plan"]).must_fail_saying(&[
        "the caller may not assign the roles that the cluster needs",
        &right,
        "--role \"Private DNS Zone Contributor\"",
        "Role Based Access Control Administrator",
        "manage_role_assignments = false",
    ]);
    taken_from_caller(session, &[]);
    session.apply();
    session.plan().must_be_empty("the roles are assigned");
    assert_eq!(session.state(CLUSTER)["private_zone_id"], right.as_str());
    session.destroy();
    session.sandbox.delete(&right, "2024-06-01");
    session.sandbox.delete(&identity, "2024-11-30");
    session.sandbox.delete(&group, "2025-04-01");
}

/// The network is made in the same apply, and so nobody can be asked about it before.
pub fn nothing_is_half_made(session: &mut Session) {
    taken_from_caller(session, &[ASSIGN]);
    session.run(&["plan"]).must_succeed();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "the caller may not assign the roles that the cluster needs",
        "/subnets/fk-subnet-aks",
        "identity_id",
    ]);
    let made = session.sandbox.resources();
    let is_made = |part: &str| made.iter().any(|id| id.contains(part));
    assert!(
        is_made("/subnets/fk-subnet-aks"),
        "the network was made: {made:?}"
    );
    assert!(
        !is_made("/userAssignedIdentities/"),
        "nothing was made for the cluster: {made:?}"
    );
    taken_from_caller(session, &[]);
    session.apply();
    session.plan().must_be_empty("the roles are assigned");
}
