//! `fkaks_cluster`: pools that come, go and are made anew, what others do to it, what it refuses, and how it
//! gets over a failed creation.

mod pools;
mod rights;

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_is_changed_outside_is_shown_and_repaired",
        run: what_is_changed_outside_is_shown_and_repaired,
    },
    Step {
        name: "counts_versions_and_add_ons_that_azure_moves_are_no_drift",
        run: what_azure_moves_is_no_drift,
    },
    Step {
        name: "a_pool_is_made_anew_beside_itself_and_the_cluster_stays",
        run: pools::a_pool_is_made_anew,
    },
    Step {
        name: "a_pool_that_was_being_made_anew_when_the_machine_was_lost_is_gone_on_with",
        run: pools::a_pool_is_made_anew_in_pieces,
    },
    Step {
        name: "a_disruption_budget_holds_a_pool_up_until_it_is_loosened",
        run: pools::a_budget_holds_a_pool_up,
    },
    Step {
        name: "a_pool_that_is_written_here_no_more_stays_as_long_as_a_budget_holds_it",
        run: pools::a_budget_holds_up_what_is_removed,
    },
    Step {
        name: "a_pool_of_someone_else_is_left_alone",
        run: pools::a_pool_of_someone_else_is_left_alone,
    },
    Step {
        name: "a_failed_creation_is_gone_on_with",
        run: a_failed_creation_is_gone_on_with,
    },
    Step {
        name: "a_cluster_that_fails_later_is_reconciled_and_not_replaced",
        run: a_later_failure,
    },
    Step {
        name: "it_is_protected_from_destroy_and_replacement",
        run: it_is_protected,
    },
    Step {
        name: "one_of_someone_else_is_refused_before_anything_is_made_and_then_imported",
        run: refused_and_imported,
    },
    Step {
        name: "versions_go_up_step_by_step_and_pools_follow",
        run: versions_go_up,
    },
    Step {
        name: "a_subnet_without_room_is_refused_with_the_prefix_that_fits",
        run: no_room,
    },
    Step {
        name: "a_subnet_of_the_same_apply_is_measured_before_anything_is_made_for_the_cluster",
        run: no_room_in_the_same_apply,
    },
    Step {
        name: "ranges_that_meet_the_network_are_refused_with_a_free_block",
        run: ranges_meet,
    },
    Step {
        name: "a_zone_of_ones_own_needs_its_rights",
        run: rights::a_zone_needs_rights,
    },
    Step {
        name: "a_caller_who_may_not_assign_roles_leaves_no_identity_behind",
        run: rights::nothing_is_half_made,
    },
    Step {
        name: "mistakes_are_found_without_azure_and_all_at_once",
        run: mistakes_without_azure,
    },
];

const CLUSTER: &str = "fkaks_cluster.aks";
const API: &str = "2026-04-01";
const GROUP: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks/providers";

fn id() -> String {
    format!("{GROUP}/Microsoft.ContainerService/managedClusters/fk-aks")
}

fn pool(name: &str) -> String {
    format!("{}/agentPools/{name}", id())
}

fn properties(session: &Session) -> Value {
    session.sandbox.get(&id(), API)["properties"].clone()
}

/// Someone changes an object behind Terraform's back.
fn change(session: &Session, id: &str, body: &Value) {
    let path = format!("/resources{id}");
    session.sandbox.control(Method::PATCH, &path, Some(body));
}

fn changes_in_place(session: &Session, sentence: &str) {
    session.plan().must(action::UPDATE, CLUSTER);
    session.apply();
    session.plan().must_be_empty(sentence);
}

fn pool_names(session: &Session) -> Vec<String> {
    let pools = properties(session)["agentPoolProfiles"].clone();
    let pools = pools.as_array().cloned().unwrap_or_default();
    let name = |pool: &Value| pool["name"].as_str().unwrap_or_default().to_owned();
    pools.iter().map(name).collect()
}

fn what_is_changed_outside_is_shown_and_repaired(session: &mut Session) {
    session.set("apps", "true");
    session.apply();
    change(
        session,
        &id(),
        &json!({ "properties": { "disableLocalAccounts": false } }),
    );
    changes_in_place(session, "local accounts are off again");
    assert_eq!(properties(session)["disableLocalAccounts"], true);

    change(
        session,
        &pool("system"),
        &json!({ "properties": { "count": 5 } }),
    );
    changes_in_place(session, "the pool has its count again");
    assert_eq!(
        session.sandbox.get(&pool("system"), API)["properties"]["count"],
        2
    );

    session.sandbox.delete(&pool("apps"), API);
    session.plan().must(action::UPDATE, CLUSTER);
    session.apply();
    session.plan().must_be_empty("the pool is back");

    let grant = session.state(CLUSTER)["objects"]["grants"][0].clone();
    let grant = grant.as_str().unwrap().to_owned();
    session.sandbox.delete(&grant, "2022-04-01");
    changes_in_place(session, "the grant is back");
    assert!(!session.sandbox.get(&grant, "2022-04-01").is_null());
}

fn what_azure_moves_is_no_drift(session: &mut Session) {
    session.set("apps", "true");
    session.set("kubernetes_version", "1.33");
    session.set("automatic_upgrade_channel", "stable");
    session.apply();
    change(
        session,
        &pool("apps"),
        &json!({ "properties": { "count": 4, "currentOrchestratorVersion": "1.34.2", "orchestratorVersion": "1.34.2" } }),
    );
    change(
        session,
        &id(),
        &json!({ "properties": {
            "currentKubernetesVersion": "1.34.2", "kubernetesVersion": "1.34.2",
            "addonProfiles": { "azurepolicy": { "enabled": true } },
        } }),
    );
    session
        .plan()
        .must_be_empty("Azure and a policy moved these");
    session.set("node_count", "3");
    changes_in_place(session, "a change takes none of it back");
    let after = properties(session);
    assert_eq!(after["kubernetesVersion"], "1.34.2");
    assert_eq!(after["addonProfiles"]["azurepolicy"]["enabled"], true);
    assert_eq!(
        session.sandbox.get(&pool("apps"), API)["properties"]["count"],
        4
    );
    session.set("azure_policy", "on");
    session.apply();
    session.set("azure_policy", "as it is");
    changes_in_place(session, "what was written here is turned off here");
    assert_eq!(
        properties(session)["addonProfiles"]["azurepolicy"]["enabled"],
        false
    );
}

fn a_failed_creation_is_gone_on_with(session: &mut Session) {
    let fault = |count: u32| {
        json!({
            "match": { "method": "PUT", "path": "*/managedClusters/fk-aks" },
            "count": count,
            "effect": { "failedOperation": {
                "code": "VMExtensionProvisioningError", "message": "exit status=50",
            } },
        })
    };
    session.sandbox.fault(&fault(1));
    session.apply();
    session.plan().must_be_empty("it was written once more");
    assert_eq!(properties(session)["provisioningState"], "Succeeded");
    session.destroy();

    session.sandbox.fault(&fault(2));
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&["VMExtensionProvisioningError", "untaint"]);
    let uid = properties(session)["resourceUID"].clone();
    session.run(&["untaint", CLUSTER]).must_succeed();
    changes_in_place(session, "the failed cluster is reconciled");
    assert_eq!(properties(session)["resourceUID"], uid, "and not replaced");
    assert_eq!(properties(session)["provisioningState"], "Succeeded");
}

fn a_later_failure(session: &mut Session) {
    session.apply();
    let uid = properties(session)["resourceUID"].clone();
    change(
        session,
        &id(),
        &json!({ "properties": { "provisioningState": "Failed" } }),
    );
    changes_in_place(session, "the failed cluster is reconciled");
    assert_eq!(properties(session)["resourceUID"], uid, "and not replaced");
    assert_eq!(properties(session)["provisioningState"], "Succeeded");
}

fn it_is_protected(session: &mut Session) {
    session.set("deletion_protection", "true");
    session.apply();
    let refusal = [
        "fkaks_cluster is protected from deletion",
        "deletion_protection = false",
    ];
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&refusal);
    session.set("service_cidr", "10.20.0.0/16");
    session.run(&["plan"]).must_fail_saying(&refusal);
    session.set("service_cidr", "10.0.0.0/16");

    // Core plans these without the state, so that the plan cannot tell; the apply deletes nothing.
    let before = session.sandbox.resources();
    let kept = "terraform untaint <its address>";
    session
        .run(&["apply", "-auto-approve", &format!("-replace={CLUSTER}")])
        .must_fail_saying(&[refusal[0], refusal[1], kept]);
    assert_eq!(session.sandbox.resources(), before, "nothing was deleted");
    session.plan().must_be_empty("it is as it was");
    session.run(&["taint", CLUSTER]).must_succeed();
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&[refusal[0], refusal[1], kept]);
    assert_eq!(session.sandbox.resources(), before, "nothing was deleted");
    session.run(&["untaint", CLUSTER]).must_succeed();
    session.plan().must_be_empty("it is as it was");

    session.set("deletion_protection", "false");
    session.apply();
    let uid = properties(session)["resourceUID"].clone();
    session
        .run(&["apply", "-auto-approve", &format!("-replace={CLUSTER}")])
        .must_succeed();
    assert_ne!(properties(session)["resourceUID"], uid, "it is another now");
}

fn refused_and_imported(session: &mut Session) {
    session.set("apps", "true");
    session.set("tags", "{ env = \"test\" }");
    session.apply();
    session.forget(CLUSTER);
    let writes = session.sandbox.writes();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "cannot be created: it exists already",
        "to = fkaks_cluster.example",
        &id(),
    ]);
    assert_eq!(session.sandbox.writes(), writes, "nothing was made for it");
    session.import(CLUSTER, &id().replace("resourceGroups", "resourcegroups"));
    let owned = session.state(CLUSTER)["objects"].clone();
    assert_eq!(
        owned["pools"].as_array().map(Vec::len),
        Some(2),
        "an import owns the pools: {owned}"
    );
    session.apply();
    session
        .plan()
        .must_be_empty("an import converges in one apply");
}

fn versions_go_up(session: &mut Session) {
    session.set("kubernetes_version", "1.33");
    session.apply();
    session.set("kubernetes_version", "1.35");
    session
        .run(&["plan"])
        .must_fail_saying(&["cannot go from Kubernetes 1.33", "1.34 comes next"]);
    session.set("kubernetes_version", "1.34");
    changes_in_place(session, "one minor version up");
    let at = |json: &Value, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    assert!(at(&properties(session), "currentKubernetesVersion").starts_with("1.34."));
    let nodes = session.sandbox.get(&pool("system"), API)["properties"].clone();
    assert!(at(&nodes, "currentOrchestratorVersion").starts_with("1.34."));
    session.set("kubernetes_version", "1.33");
    session
        .run(&["plan"])
        .must_fail_saying(&["never goes back to an earlier version"]);
    session.set("kubernetes_version", "1.34");
}

fn no_room(session: &mut Session) {
    session.write(
        "network_only.tf",
        "# The network stands before the cluster is planned.\n",
    );
    session
        .run(&["apply", "-auto-approve", "-target=fkaks_network.aks"])
        .must_succeed();
    session.set("network_plugin_mode", "node_subnet");
    session.set("node_count", "40");
    session.run(&["plan"]).must_fail_saying(&[
        "subnet fk-subnet-aks is too small",
        "(40 nodes + 4 for upgrades) x (30 pods + 1) = 1364",
        "the private endpoint of the API server: 1",
        "the smallest prefix that fits is a /21",
    ]);
    session.set("network_plugin_mode", "overlay");
    session.set("node_count", "300");
    session
        .run(&["plan"])
        .must_fail_saying(&["pod_cidr 10.244.0.0/16 has room for 256 nodes", "is a /15"]);
    session.set("node_count", "2");
    session.apply();
}

fn no_room_in_the_same_apply(session: &mut Session) {
    session.set("network_plugin_mode", "node_subnet");
    session.set("node_count", "40");
    session.run(&["plan"]).must_succeed();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "subnet fk-subnet-aks is too small",
        "the smallest prefix that fits is a /21",
    ]);
    let made = session.sandbox.resources();
    assert!(
        made.iter().any(|id| id.contains("/subnets/fk-subnet-aks")),
        "the network was made: {made:?}"
    );
    let left = |part: &str| made.iter().any(|id| id.contains(part));
    assert!(
        !left("/managedClusters/") && !left("/userAssignedIdentities/"),
        "nothing was made for the cluster: {made:?}"
    );
    session.set("network_plugin_mode", "overlay");
    session.set("node_count", "2");
    session.apply();
}

fn ranges_meet(session: &mut Session) {
    session
        .run(&["apply", "-auto-approve", "-target=fkaks_network.aks"])
        .must_succeed();
    session.set("service_cidr", "10.10.0.0/18");
    session.run(&["plan"]).must_fail_saying(&[
        "service_cidr 10.10.0.0/18 overlaps 10.10.0.0/16 of the network fk-vnet-aks",
        "service_cidr = \"10.0.0.0/18\"",
    ]);
    session.set("service_cidr", "10.0.0.0/16");
    session.apply();
}

fn mistakes_without_azure(session: &mut Session) {
    session.set("network_policy", "cilium");
    session.set("dns_service_ip", "10.0.0.1");
    session.set("private_dns_zone_id", "none");
    session.set(
        "api_server_access_profile",
        "{ authorized_ip_ranges = [\"203.0.113.0/24\"] }",
    );
    session.set("manage_role_assignments", "false");
    session.set("node_count", "0");
    session.run(&["plan"]).must_fail_saying(&[
        "the network policy cilium needs the data plane cilium",
        "which is the API server's",
        "nobody finds the API server",
        "a private API server has no public address",
        "has only the roles that are assigned here",
        "is a system pool and needs a node",
    ]);
    assert_eq!(session.sandbox.writes(), 0, "nothing was written");
}
