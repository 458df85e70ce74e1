//! What the drain of a node pool meets inside the cluster: pods on its nodes, and the disruption budgets that
//! keep them there.
//!
//! AKS cordons and drains the nodes of a pool that is deleted, within the `PodDisruptionBudget`s, unless the request
//! says `ignore-pod-disruption-budget=true` (Microsoft Learn, "Delete an Azure Kubernetes Service (AKS) node pool";
//! Azure/AKS issues 2090 and 3996). A pod that a budget without allowed disruptions keeps fails the deletion in the
//! end with `DeleteVMSSAgentPoolFailed`, which carries `PodDrainFailure` in its message (issue 10411 of azurerm);
//! the words about pod and budget are those of Microsoft Learn, "Troubleshoot UpgradeFailed errors due to eviction
//! failures caused by PDBs".

use serde_json::{Value, json};

use super::STORE;
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::types::container_service::agent_pools;

/// Evicts the pods of a pool, whose controllers then have them on a node of another pool.
///
/// # Errors
/// A disruption budget lets one of them not go.
pub fn pool(world: &mut World, pool: &Resource, within_budgets: bool) -> ArmResult<()> {
    let Ok(cluster) = agent_pools::cluster(world, &pool.id).cloned() else {
        return Ok(());
    };
    let Some(objects) = cluster.at(STORE).and_then(|store| store.get("objects")) else {
        return Ok(());
    };
    let nodes = format!("aks-{}-", pool.id.name());
    let all = || objects.as_object().into_iter().flatten();
    let leaving: Vec<(&String, &Value)> = all()
        .filter(|(key, pod)| key.starts_with("Pod/") && node(pod).starts_with(&nodes))
        .filter(|(_, pod)| !stays_with_its_node(pod))
        .collect();
    for (key, pod) in leaving.iter().filter(|_| within_budgets) {
        let mut budgets = all().filter(|(_, budget)| guards(budget, key, pod));
        if let Some((budget, _)) = budgets.find(|(_, budget)| allows_none(budget)) {
            return Err(undrained(node(pod), key, budget));
        }
    }
    let others = agent_pools::of(world, &cluster.id);
    let other = others
        .into_iter()
        .find(|other| !other.id.same(pool.id.as_str()));
    let Some(other) = other else {
        return Ok(());
    };
    let elsewhere = format!("aks-{}-", other.id.name());
    let mut changed = objects.clone();
    for (key, pod) in leaving {
        let there = node(pod).replacen(&nodes, &elsewhere, 1);
        changed[key.as_str()]["spec"]["nodeName"] = json!(there);
    }
    if let Some(cluster) = world.get_mut(cluster.id.as_str()) {
        cluster.set(&format!("{STORE}/objects"), changed);
    }
    Ok(())
}

fn node(pod: &Value) -> &str {
    pod["spec"]["nodeName"].as_str().unwrap_or_default()
}

/// A drain leaves the pods of daemon sets where they are.
fn stays_with_its_node(pod: &Value) -> bool {
    let owners = pod["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    owners.any(|owner| owner["kind"] == "DaemonSet")
}

/// A budget guards the pods of its namespace that have all of the labels which its selector names.
fn guards(budget: &Value, pod_key: &str, pod: &Value) -> bool {
    if budget["kind"] != "PodDisruptionBudget" {
        return false;
    }
    let namespace = pod_key.split('/').nth(1).unwrap_or_default();
    let own = budget["metadata"]["namespace"].as_str();
    let selector = &budget["spec"]["selector"];
    let labels = selector["matchLabels"].as_object();
    let fits = |(name, value): (&String, &Value)| pod["metadata"]["labels"][name] == *value;
    own == Some(namespace) && selector.is_object() && labels.into_iter().flatten().all(fits)
}

/// As long as no controller has counted its pods, a budget allows nothing.
fn allows_none(budget: &Value) -> bool {
    budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) < 1
}

fn undrained(node: &str, pod: &str, budget: &str) -> ArmError {
    let mut names = pod.splitn(3, '/').skip(1);
    let (namespace, pod) = (
        names.next().unwrap_or_default(),
        names.next().unwrap_or_default(),
    );
    let budget = budget.rsplit('/').next().unwrap_or_default();
    let why = format!(
        "Drain node {node} failed when evicting pod {pod} failed with Too Many Requests error. This is often caused \
         by a restrictive Pod Disruption Budget (PDB) policy. See https://aka.ms/aks/debugdrainfailures. Original \
         error: Cannot evict pod as it would violate the pod's disruption budget.. PDB debug info: {namespace}/{pod} \
         blocked by pdb {budget} with 0 unready pods."
    );
    let inner = json!({ "code": "PodDrainFailure", "message": why });
    ArmError::conflict(
        "DeleteVMSSAgentPoolFailed",
        format!("VMSSAgentPoolReconciler retry failed: {inner:#}"),
    )
}
