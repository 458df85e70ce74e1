//! Pools that are made anew, one at a time, and those of others.

use reqwest::Method;
use serde_json::json;

use super::{API, CLUSTER, GROUP, id, pool, pool_names, properties};
use crate::driver::Session;
use crate::driver::session::action;

pub fn a_pool_is_made_anew(session: &mut Session) {
    session.apply();
    let uid = properties(session)["resourceUID"].clone();
    session.sandbox.forget_requests();
    session.set("vm_size", "Standard_D8ds_v5");
    session.plan().must(action::UPDATE, CLUSTER);
    session.apply();
    session.plan().must_be_empty("the pool is made anew");
    assert_eq!(properties(session)["resourceUID"], uid, "the cluster stays");
    assert_eq!(pool_names(session), ["system"]);
    let size = session.sandbox.get(&pool("system"), API)["properties"]["vmSize"].clone();
    assert_eq!(size, "Standard_D8ds_v5");
    assert_eq!(
        pool_writes(session),
        ["PUT tmp", "DELETE system", "PUT system", "DELETE tmp"],
        "a new pool first, and one at a time"
    );
    let forced = session.sandbox.requests().iter().any(|request| {
        let path = request["path"].as_str().unwrap_or_default();
        path.contains("ignore-pod-disruption-budget")
    });
    assert!(!forced, "pods are drained within their disruption budgets");
}

/// What was written, with `tmp` for the pool that stands in.
fn pool_writes(session: &Session) -> Vec<String> {
    let requests = session.sandbox.requests();
    let writes = requests
        .iter()
        .filter(|request| matches!(request["method"].as_str(), Some("PUT" | "DELETE")));
    writes
        .map(|request| {
            let path = request["path"].as_str().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            let name = if name.starts_with("tmp") { "tmp" } else { name };
            format!("{} {name}", request["method"].as_str().unwrap_or_default())
        })
        .collect()
}

/// A machine that is lost in the middle of a step has saved nothing of it. Whatever step it was, the
/// next apply goes on from there, and at no time is the cluster without a system pool.
pub fn a_pool_is_made_anew_in_pieces(session: &mut Session) {
    let steps = ["PUT tmp", "DELETE system", "PUT system", "DELETE tmp"];
    for lost in 1..=steps.len() {
        session.set("vm_size", "Standard_D4ds_v5");
        session.apply();
        session.set("vm_size", "Standard_D8ds_v5");
        session.sandbox.forget_requests();
        assert!(
            session.kill_at_write(&["apply", "-auto-approve"], lost),
            "killed at {}",
            steps[lost - 1]
        );
        assert!(!pool_names(session).is_empty(), "there is a system pool");
        session.apply();
        session
            .plan()
            .must_be_empty(&format!("gone on with after {}", steps[lost - 1]));
        assert_eq!(pool_names(session), ["system"]);
        let size = session.sandbox.get(&pool("system"), API)["properties"]["vmSize"].clone();
        assert_eq!(size, "Standard_D8ds_v5");
        let mut done = pool_writes(session);
        done.dedup();
        assert_eq!(done, steps, "lost at {}", steps[lost - 1]);
    }
    session.set("vm_size", "Standard_D4ds_v5");
    session.apply();
}

/// A pod in a pool, and a budget that lets so many of its kind go.
fn guard(session: &Session, pool: &str, allowed: u32) {
    let objects = json!({
        "PodDisruptionBudget/shop/web": {
            "kind": "PodDisruptionBudget", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "selector": { "matchLabels": { "app": "web" } } },
            "status": { "disruptionsAllowed": allowed },
        },
        "Pod/shop/web-0": {
            "kind": "Pod", "metadata": { "name": "web-0", "labels": { "app": "web" } },
            "spec": { "nodeName": format!("aks-{pool}-12345678-vmss000000") },
        },
    });
    let path = format!("/kubernetes{}", id());
    let held = json!({ "objects": objects });
    session.sandbox.control(Method::PATCH, &path, Some(&held));
}

/// Whatever the budget holds up, the pool that was made first stands and is known, and nothing is made twice.
pub fn a_budget_holds_a_pool_up(session: &mut Session) {
    session.apply();
    let uid = properties(session)["resourceUID"].clone();
    guard(session, "system", 0);
    session.sandbox.forget_requests();
    session.set("vm_size", "Standard_D8ds_v5");
    let told = [
        "node pool system cannot be deleted: its nodes could not be drained",
        "the disruption budget shop/web lets the pod shop/web-0 not go",
        "Fix: have the budget allow a disruption",
        "kubectl --namespace shop patch pdb web",
        "az aks command invoke --resource-group rg-aks --name fk-aks",
        "the operation failed with DeleteVMSSAgentPoolFailed",
        "PodDrainFailure",
    ];
    let tries = |session: &Session| {
        let ran = session.run(&["apply", "-auto-approve"]);
        ran.must_fail_saying(&told);
        assert_eq!(pool_names(session).len(), 2, "both pools stay");
        let system = session.sandbox.get(&pool("system"), API)["properties"].clone();
        assert_eq!(system["vmSize"], "Standard_D4ds_v5", "the old one, too");
        let owned = session.state(CLUSTER)["objects"].clone();
        assert_eq!(owned["pools"].as_array().map(Vec::len), Some(1), "{owned}");
        let standing_in = owned["temporary_pools"].as_array().map(Vec::len);
        assert_eq!(standing_in, Some(1), "{owned}");
    };
    tries(session);
    assert_eq!(pool_writes(session), ["PUT tmp", "DELETE system"]);
    // As long as it holds, every apply says so and makes nothing more.
    tries(session);
    assert_eq!(
        pool_writes(session),
        ["PUT tmp", "DELETE system", "DELETE system"]
    );
    session.sandbox.forget_requests();
    guard(session, "system", 1);
    session.plan().must(action::UPDATE, CLUSTER);
    session.apply();
    session
        .plan()
        .must_be_empty("the change has come to its end");
    assert_eq!(
        pool_writes(session),
        ["DELETE system", "PUT system", "DELETE tmp"],
        "it goes on where it stopped"
    );
    assert_eq!(pool_names(session), ["system"]);
    let system = session.sandbox.get(&pool("system"), API)["properties"].clone();
    assert_eq!(system["vmSize"], "Standard_D8ds_v5");
    assert_eq!(properties(session)["resourceUID"], uid, "the cluster stays");
}

pub fn a_budget_holds_up_what_is_removed(session: &mut Session) {
    session.set("apps", "true");
    session.apply();
    guard(session, "apps", 0);
    session.set("apps", "false");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "node pool apps cannot be deleted: its nodes could not be drained",
        "the disruption budget shop/web lets the pod shop/web-0 not go",
    ]);
    let owned = session.state(CLUSTER)["objects"].clone();
    assert_eq!(owned["pools"].as_array().map(Vec::len), Some(2), "{owned}");
    // Who writes it again has it back, whole.
    session.set("apps", "true");
    session.apply();
    session.plan().must_be_empty("the pool stays after all");
    let apps = session.sandbox.get(&pool("apps"), API)["properties"].clone();
    assert_eq!(apps["provisioningState"], "Succeeded");
    session.set("apps", "false");
    guard(session, "apps", 1);
    session.apply();
    session.plan().must_be_empty("the pool is gone");
    assert_eq!(pool_names(session), ["system"]);
}

pub fn a_pool_of_someone_else_is_left_alone(session: &mut Session) {
    session.apply();
    let subnet =
        format!("{GROUP}/Microsoft.Network/virtualNetworks/fk-vnet-aks/subnets/fk-subnet-aks");
    let theirs = json!({ "properties": { "count": 1, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": subnet } });
    session.sandbox.put(&pool("theirs"), API, &theirs);
    session.plan().must_be_empty("it is not ours");
    session.set("tags", "{ env = \"test\" }");
    session.apply();
    assert_eq!(pool_names(session), ["system", "theirs"]);
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&["something else still depends on it", &pool("theirs")]);
    session.sandbox.delete(&pool("theirs"), API);
}
