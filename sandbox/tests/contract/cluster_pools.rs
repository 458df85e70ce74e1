//! Agent pools over sockets: add, scale, upgrade, delete, and what of a pool cannot change.

use crate::support::{Arm, Reply, id};
use serde_json::{Value, json};

const AKS: &str = "2026-05-01";

fn cluster() -> String {
    id("Microsoft.ContainerService/managedClusters/aks")
}

fn pool(name: &str) -> String {
    format!("{}/agentPools/{name}", cluster())
}

async fn made() -> Arm {
    let arm = Arm::with_group().await;
    let body = json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk", "kubernetesVersion": "1.34.1",
            "agentPoolProfiles": [{ "name": "system", "mode": "System", "vmSize": "Standard_D4ds_v5" }],
        },
    });
    arm.create(&cluster(), AKS, body).await;
    arm
}

fn user() -> Value {
    json!({ "properties": { "mode": "User", "vmSize": "Standard_D4ds_v5", "count": 1 } })
}

async fn change(arm: &Arm, name: &str, edit: impl Fn(&mut Value)) -> Reply {
    let mut body = arm.get(&pool(name), AKS).await.expect(200).body;
    edit(&mut body["properties"]);
    arm.put(&pool(name), AKS, body).await
}

#[tokio::test]
async fn a_pool_is_added_shown_in_the_cluster_and_deleted() {
    let arm = made().await;
    let reply = arm.put(&pool("work"), AKS, user()).await.expect(201);
    assert_eq!(reply.state(), "Creating");
    assert!(!reply.header("azure-asyncoperation").is_empty());
    arm.put(&pool("more"), AKS, user())
        .await
        .refused(409, "OperationNotAllowed");
    arm.finish(&reply).await;
    let made = arm.get(&pool("work"), AKS).await.expect(200).body;
    assert_eq!(
        made["type"],
        "Microsoft.ContainerService/managedClusters/agentPools"
    );
    assert!(made["properties"]["eTag"].is_string() && made.get("etag").is_none());
    let body = arm.get(&cluster(), AKS).await.body;
    let names: Vec<&str> = body["properties"]["agentPoolProfiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["system", "work"]);
    let list = arm
        .get(&format!("{}/agentPools", cluster()), AKS)
        .await
        .expect(200);
    assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
    let gone = arm
        .delete(
            &format!("{}?ignore-pod-disruption-budget=true", pool("work")),
            AKS,
        )
        .await
        .expect(202);
    assert!(!gone.header("azure-asyncoperation").is_empty());
    arm.finish(&gone).await;
    arm.get(&pool("work"), AKS).await.expect(404);
    arm.delete(&pool("work"), AKS).await.expect(204);
}

#[tokio::test]
async fn the_last_system_pool_stays() {
    let arm = made().await;
    arm.delete(&pool("system"), AKS)
        .await
        .refused(400, "OperationNotAllowed");
    arm.create(&pool("work"), AKS, user()).await;
    let reply = arm.delete(&pool("system"), AKS).await;
    assert!(
        reply.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("at least one system agent pool"),
        "{}",
        reply.body
    );
    change(&arm, "system", |pool| pool["mode"] = json!("User"))
        .await
        .refused(400, "InvalidParameter");
    let reply = change(&arm, "work", |pool| pool["mode"] = json!("System"))
        .await
        .expect(200);
    arm.finish(&reply).await;
    arm.remove(&pool("system"), AKS).await;
}

#[tokio::test]
async fn what_cannot_change_is_refused_by_name_and_the_rest_changes() {
    let arm = made().await;
    arm.create(&pool("work"), AKS, user()).await;
    for (name, value) in [
        ("vmSize", json!("Standard_D8ds_v5")),
        ("osDiskType", json!("Ephemeral")),
        ("maxPods", json!(60)),
        ("availabilityZones", json!(["1"])),
        ("vnetSubnetID", json!("/subscriptions/x")),
        ("enableNodePublicIP", json!(true)),
    ] {
        let reply = change(&arm, "work", |pool| pool[name] = value.clone()).await;
        assert_eq!(
            reply.code(),
            "PropertyChangeNotAllowed",
            "{name}: {}",
            reply.body
        );
        assert_eq!(
            reply.body["error"]["target"],
            format!("properties.{name}").as_str()
        );
    }
    let reply = change(&arm, "work", |pool| {
        pool["nodeLabels"] = json!({ "team": "fk" });
        pool["nodeTaints"] = json!(["a=b:NoSchedule"]);
        pool["count"] = json!(3);
    })
    .await
    .expect(200);
    assert_eq!(reply.state(), "Scaling");
    arm.finish(&reply).await;
    let after = arm.get(&pool("work"), AKS).await.body;
    assert_eq!(after["properties"]["count"], 3);
    assert_eq!(after["properties"]["nodeLabels"], json!({ "team": "fk" }));
    let reply = change(&arm, "work", |pool| {
        pool.as_object_mut().unwrap().remove("nodeTaints");
        pool["enableAutoScaling"] = json!(true);
        pool["minCount"] = json!(1);
        pool["maxCount"] = json!(5);
    })
    .await
    .expect(200);
    arm.finish(&reply).await;
    let after = arm.get(&pool("work"), AKS).await.body;
    assert!(after["properties"].get("nodeTaints").is_none());
    change(&arm, "work", |pool| pool["maxCount"] = json!(0))
        .await
        .refused(400, "InvalidParameter");
}

/// A budget in `shop` that guards the pod `web-0`, which runs in the pool `work`.
fn guarded(allowed: u32) -> Value {
    json!({ "objects": {
        "PodDisruptionBudget/shop/web": {
            "kind": "PodDisruptionBudget", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "selector": { "matchLabels": { "app": "web" } } },
            "status": { "disruptionsAllowed": allowed },
        },
        "Pod/shop/web-0": {
            "kind": "Pod", "metadata": { "name": "web-0", "namespace": "shop", "labels": { "app": "web", "tier": "front" } },
            "spec": { "nodeName": "aks-work-12345678-vmss000000" },
        },
    } })
}

fn inside() -> String {
    format!("/_sandbox/kubernetes{}", cluster())
}

#[tokio::test]
async fn a_pool_whose_pods_a_disruption_budget_keeps_stays_and_has_failed() {
    let arm = made().await;
    arm.create(&pool("work"), AKS, user()).await;
    arm.control("PATCH", &inside(), guarded(0));
    let reply = arm.delete(&pool("work"), AKS).await.expect(202);
    let end = arm.finish(&reply).await.body;
    assert_eq!(end["status"], "Failed");
    assert_eq!(end["error"]["code"], "DeleteVMSSAgentPoolFailed");
    let message = end["error"]["message"].as_str().unwrap();
    for part in [
        "\"code\": \"PodDrainFailure\"",
        "Drain node aks-work-12345678-vmss000000 failed when evicting pod web-0",
        "shop/web-0 blocked by pdb web with 0 unready pods",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let kept = arm.get(&pool("work"), AKS).await.expect(200);
    assert_eq!(kept.state(), "Failed");
    // It is still in the way of a second deletion, and a write of the pool reconciles it.
    let reply = arm.delete(&pool("work"), AKS).await.expect(202);
    assert_eq!(arm.finish(&reply).await.body["status"], "Failed");
    let reply = change(&arm, "work", |_| ()).await.expect(200);
    arm.finish(&reply).await;
    assert_eq!(arm.get(&pool("work"), AKS).await.state(), "Succeeded");
    // A budget that allows one lets it go, and the pod is elsewhere then.
    arm.control("PATCH", &inside(), guarded(1));
    arm.remove(&pool("work"), AKS).await;
    let held = arm.control("GET", &inside(), Value::Null);
    let node = held["objects"]["Pod/shop/web-0"]["spec"]["nodeName"].clone();
    assert_eq!(node, "aks-system-12345678-vmss000000");
}

#[tokio::test]
async fn a_budget_counts_only_for_its_own_pods_and_only_where_it_is_asked() {
    let arm = made().await;
    let others = [
        ("other labels", "Pod/shop/web-0/metadata/labels/app", "api"),
        (
            "another pool",
            "Pod/shop/web-0/spec/nodeName",
            "aks-system-12345678-vmss000000",
        ),
        (
            "another namespace",
            "PodDisruptionBudget/shop/web/metadata/namespace",
            "blog",
        ),
    ];
    for (why, path, value) in others {
        arm.create(&pool("work"), AKS, user()).await;
        let mut held = guarded(0);
        let (key, rest) = path
            .match_indices('/')
            .nth(2)
            .map_or((path, ""), |(at, _)| path.split_at(at));
        let object = held["objects"][key].pointer_mut(rest);
        *object.unwrap_or_else(|| panic!("{why}")) = json!(value);
        arm.control("PATCH", &inside(), held);
        arm.remove(&pool("work"), AKS).await;
    }
    arm.create(&pool("work"), AKS, user()).await;
    arm.control("PATCH", &inside(), guarded(0));
    let owner = json!({ "objects": { "Pod/shop/web-0": { "metadata": { "ownerReferences": [{ "kind": "DaemonSet" }] } } } });
    arm.control("PATCH", &inside(), owner);
    arm.remove(&pool("work"), AKS).await;
    let nobody =
        json!({ "objects": { "Pod/shop/web-0": { "metadata": { "ownerReferences": null } } } });
    arm.control("PATCH", &inside(), nobody);
    arm.create(&pool("work"), AKS, user()).await;
    let whatever = format!("{}?ignore-pod-disruption-budget=true", pool("work"));
    arm.remove(&whatever, AKS).await;
    arm.get(&pool("work"), AKS).await.expect(404);
    // A cluster goes with its pods, budgets or not.
    arm.create(&pool("work"), AKS, user()).await;
    arm.control("PATCH", &inside(), guarded(0));
    arm.remove(&cluster(), AKS).await;
}

#[tokio::test]
async fn a_pool_follows_its_cluster_in_versions() {
    let arm = made().await;
    let mut old = user();
    old["properties"]["orchestratorVersion"] = json!("1.33");
    let made = arm.create(&pool("old"), AKS, old).await;
    assert_eq!(made["properties"]["currentOrchestratorVersion"], "1.33.6");
    let profile = arm
        .get(&format!("{}/upgradeProfiles/default", pool("old")), AKS)
        .await
        .expect(200)
        .body;
    assert_eq!(profile["properties"]["kubernetesVersion"], "1.33.6");
    let reply = change(&arm, "old", |pool| {
        pool["orchestratorVersion"] = json!("1.34.1");
    })
    .await
    .expect(200);
    assert_eq!(reply.state(), "Upgrading");
    arm.finish(&reply).await;
    change(&arm, "old", |pool| {
        pool["orchestratorVersion"] = json!("1.34.2");
    })
    .await
    .refused(400, "NodePoolMcVersionIncompatible");
    change(&arm, "old", |pool| {
        pool["orchestratorVersion"] = json!("1.33.6");
    })
    .await
    .refused(400, "OperationNotAllowed");
}

#[tokio::test]
async fn a_spot_pool_carries_its_mark() {
    let arm = made().await;
    let mut spot = user();
    spot["properties"]["scaleSetPriority"] = json!("Spot");
    let made = arm.create(&pool("spot"), AKS, spot).await;
    assert_eq!(made["properties"]["scaleSetEvictionPolicy"], "Delete");
    assert_eq!(
        made["properties"]["nodeTaints"],
        json!(["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"])
    );
}

#[tokio::test]
async fn a_pool_without_its_cluster_is_refused() {
    let arm = Arm::with_group().await;
    arm.put(&pool("work"), AKS, user())
        .await
        .refused(404, "ParentResourceNotFound");
}
