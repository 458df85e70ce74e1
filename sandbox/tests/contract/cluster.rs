//! Managed clusters over sockets: create, read, list, update, delete, and what of a cluster cannot change.

use crate::support::{Arm, Reply, SUB, id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

const AKS: &str = "2026-05-01";

fn cluster() -> String {
    id("Microsoft.ContainerService/managedClusters/aks")
}

/// A body that Azure takes: one system pool, everything else by default.
fn body(properties: Value) -> Value {
    let mut body = json!({
        "location": "West Europe",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk-aks",
            "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4ds_v5" }],
        },
    });
    for (name, value) in properties.as_object().unwrap() {
        body["properties"][name] = value.clone();
    }
    body
}

async fn made() -> (Arm, Value) {
    let arm = Arm::with_group().await;
    let made = arm.create(&cluster(), AKS, body(json!({}))).await;
    (arm, made)
}

/// PUT of a changed cluster and the end of its operation.
async fn update(arm: &Arm, body: Value) -> Reply {
    let reply = arm.put(&cluster(), AKS, body).await.expect(200);
    let end = arm.finish(&reply).await;
    assert_eq!(end.body["status"], "Succeeded", "{}", end.body);
    reply
}

#[tokio::test]
async fn a_cluster_is_made_with_the_defaults_of_the_service() {
    let arm = Arm::with_group().await;
    let reply = arm.put(&cluster(), AKS, body(json!({}))).await.expect(201);
    assert!(!reply.header("azure-asyncoperation").is_empty());
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.state(), "Creating");
    assert_eq!(
        reply.body["properties"]["agentPoolProfiles"][0]["provisioningState"],
        "Creating"
    );
    arm.finish(&reply).await;
    let made = arm.get(&cluster(), AKS).await.expect(200).body;
    let properties = &made["properties"];
    assert_eq!(made["location"], "westeurope");
    assert_eq!(made["sku"], json!({ "name": "Base", "tier": "Free" }));
    assert!(made["eTag"].is_string() && made.get("etag").is_none());
    assert!(made["identity"]["principalId"].is_string());
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["powerState"]["code"], "Running");
    assert_eq!(properties["kubernetesVersion"], "1.34");
    assert_eq!(properties["currentKubernetesVersion"], "1.34.2");
    assert_eq!(properties["nodeResourceGroup"], "MC_rg_aks_westeurope");
    let fqdn = properties["fqdn"].as_str().unwrap();
    assert!(
        fqdn.starts_with("fk-aks-") && fqdn.ends_with(".hcp.westeurope.azmk8s.io"),
        "{fqdn}"
    );
    let mut network = properties["networkProfile"].clone();
    network["loadBalancerProfile"]
        .as_object_mut()
        .unwrap()
        .remove("effectiveOutboundIPs");
    assert_eq!(
        network,
        json!({
            "networkPlugin": "kubenet", "networkPolicy": "none", "loadBalancerSku": "standard", "outboundType": "loadBalancer",
            "ipFamilies": ["IPv4"], "serviceCidr": "10.0.0.0/16", "serviceCidrs": ["10.0.0.0/16"], "dnsServiceIP": "10.0.0.10",
            "podCidr": "10.244.0.0/16", "podCidrs": ["10.244.0.0/16"],
            "loadBalancerProfile": {
                "managedOutboundIPs": { "count": 1 }, "backendPoolType": "nodeIPConfiguration",
                "allocatedOutboundPorts": 0, "idleTimeoutInMinutes": 30,
            },
        })
    );
    let pool = &properties["agentPoolProfiles"][0];
    for (name, value) in [
        ("name", json!("system")),
        ("count", json!(2)),
        ("maxPods", json!(110)),
        ("osDiskSizeGB", json!(128)),
        ("type", json!("VirtualMachineScaleSets")),
        ("orchestratorVersion", json!("1.34")),
        ("currentOrchestratorVersion", json!("1.34.2")),
        ("provisioningState", json!("Succeeded")),
        ("powerState", json!({ "code": "Running" })),
    ] {
        assert_eq!(pool[name], value, "{name}");
    }
    assert!(pool["eTag"].is_string() && pool["nodeImageVersion"].is_string());
}

#[tokio::test]
async fn clusters_are_listed_in_their_group_and_subscription() {
    let (arm, _) = made().await;
    let in_group = id("Microsoft.ContainerService/managedClusters");
    let everywhere =
        format!("/subscriptions/{SUB}/providers/Microsoft.ContainerService/managedClusters");
    for list in [in_group, everywhere] {
        let reply = arm.get(&list, AKS).await.expect(200);
        assert_eq!(reply.body["value"][0]["name"], "aks", "{list}");
    }
    arm.get(&id("Microsoft.ContainerService/managedClusters/other"), AKS)
        .await
        .refused(404, "ResourceNotFound");
}

#[tokio::test]
async fn the_whole_body_can_be_sent_back_and_changes_nothing() {
    let (arm, made) = made().await;
    update(&arm, made.clone()).await;
    let mut after = arm.get(&cluster(), AKS).await.body;
    let mut before = made;
    for body in [&mut before, &mut after] {
        body["eTag"] = Value::Null;
        body["properties"]["agentPoolProfiles"][0]["eTag"] = Value::Null;
    }
    assert_eq!(before, after);
}

#[tokio::test]
async fn tags_are_patched_as_an_operation() {
    let (arm, _) = made().await;
    let reply = arm
        .patch(&cluster(), AKS, json!({ "tags": { "a": "1" } }))
        .await
        .expect(202);
    assert_eq!(reply.state(), "Updating");
    arm.finish(&reply).await;
    let after = arm.get(&cluster(), AKS).await.body;
    assert_eq!(after["tags"], json!({ "a": "1" }));
    assert_eq!(after["properties"]["provisioningState"], "Succeeded");
    arm.patch(&cluster(), AKS, json!({ "properties": {} }))
        .await
        .refused(400, "InvalidRequestContent");
}

#[tokio::test]
async fn one_operation_runs_at_a_time() {
    let arm = Arm::with_group().await;
    let reply = arm.put(&cluster(), AKS, body(json!({}))).await.expect(201);
    let second = arm.put(&cluster(), AKS, body(json!({}))).await;
    assert!(
        second.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("is in progress"),
        "{}",
        second.body
    );
    second.refused(409, "OperationNotAllowed");
    arm.delete(&cluster(), AKS)
        .await
        .refused(409, "OperationNotAllowed");
    arm.finish(&reply).await;
    let gone = arm.delete(&cluster(), AKS).await.expect(202);
    assert!(!gone.header("azure-asyncoperation").is_empty());
    assert_eq!(arm.get(&cluster(), AKS).await.state(), "Deleting");
    arm.finish(&gone).await;
    arm.get(&cluster(), AKS).await.expect(404);
    arm.delete(&cluster(), AKS).await.expect(204);
}

#[tokio::test]
async fn an_etag_of_before_is_refused() {
    let (arm, made) = made().await;
    let url = format!("{}{}?api-version={AKS}", arm.sandbox.base_url, cluster());
    let put = |name: &'static str, value: String| {
        arm.http
            .request(Method::PUT, &url)
            .bearer_auth(&arm.token)
            .header(name, value)
            .json(&made)
            .send()
    };
    let stale = put("if-match", "old".into()).await.unwrap();
    assert_eq!(stale.status(), 409);
    let stale: Value = stale.json().await.unwrap();
    assert_eq!(stale["error"]["code"], "EtagMismatch");
    assert_eq!(
        put("if-none-match", "*".into()).await.unwrap().status(),
        412
    );
    let right = made["eTag"].as_str().unwrap().to_owned();
    assert_eq!(put("if-match", right).await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_cannot_change_is_refused_by_name() {
    let (arm, made) = made().await;
    for (pointer, value) in [
        ("/properties/dnsPrefix", json!("other")),
        ("/properties/nodeResourceGroup", json!("other")),
        ("/properties/enableRBAC", json!(false)),
        (
            "/properties/agentPoolProfiles/0/vmSize",
            json!("Standard_D8ds_v5"),
        ),
        ("/properties/agentPoolProfiles/0/maxPods", json!(50)),
    ] {
        let mut body = made.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let reply = arm.put(&cluster(), AKS, body).await;
        assert_eq!(
            reply.code(),
            "PropertyChangeNotAllowed",
            "{pointer}: {}",
            reply.body
        );
    }
    let mut body = made.clone();
    body["properties"]["oidcIssuerProfile"] = json!({ "enabled": false });
    arm.put(&cluster(), AKS, body)
        .await
        .refused(400, "OIDCIssuerFeatureCannotBeDisabled");
    let mut body = made;
    body["properties"]["agentPoolProfiles"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "user", "mode": "User", "vmSize": "Standard_D4ds_v5" }));
    arm.put(&cluster(), AKS, body)
        .await
        .refused(400, "BadRequest");
}

#[tokio::test]
async fn names_versions_and_pools_are_checked() {
    let arm = Arm::with_group().await;
    for (properties, code) in [
        (json!({ "dnsPrefix": "-x" }), "InvalidParameter"),
        (
            json!({ "kubernetesVersion": "1.12" }),
            "K8sVersionNotSupported",
        ),
        (
            json!({ "kubernetesVersion": "1.32" }),
            "K8sVersionNotSupported",
        ),
        (json!({ "nodeResourceGroup": "rg" }), "InvalidParameter"),
        (json!({ "disableLocalAccounts": true }), "InvalidParameter"),
        (json!({ "agentPoolProfiles": [] }), "OperationNotAllowed"),
        (
            json!({ "agentPoolProfiles": [{ "name": "u", "mode": "User" }] }),
            "InvalidParameter",
        ),
        (
            json!({ "agentPoolProfiles": [{ "name": "System", "mode": "System" }] }),
            "InvalidParameter",
        ),
        (
            json!({ "agentPoolProfiles": [{ "name": "s", "mode": "System", "scaleSetPriority": "Spot" }] }),
            "SystemPoolMustBeRegular",
        ),
        (
            json!({ "agentPoolProfiles": [{ "name": "s", "mode": "System", "orchestratorVersion": "1.35" }] }),
            "NodePoolMcVersionIncompatible",
        ),
    ] {
        let reply = arm.put(&cluster(), AKS, body(properties.clone())).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, code),
            "{properties}: {}",
            reply.body
        );
    }
}

#[tokio::test]
async fn a_cluster_is_upgraded_one_minor_version_at_a_time() {
    let arm = Arm::with_group().await;
    let mut made = arm
        .create(
            &cluster(),
            AKS,
            body(json!({ "kubernetesVersion": "1.33" })),
        )
        .await;
    let profile = arm
        .get(&format!("{}/upgradeProfiles/default", cluster()), AKS)
        .await
        .expect(200)
        .body;
    assert_eq!(
        profile["properties"]["controlPlaneProfile"]["upgrades"],
        json!([{ "kubernetesVersion": "1.34.1" }, { "kubernetesVersion": "1.34.2" }])
    );
    made["properties"]["kubernetesVersion"] = json!("1.35");
    arm.put(&cluster(), AKS, made.clone())
        .await
        .refused(400, "OperationNotAllowed");
    made["properties"]["kubernetesVersion"] = json!("1.34.1");
    let reply = update(&arm, made).await;
    assert_eq!(reply.state(), "Upgrading");
    let after = arm.get(&cluster(), AKS).await.body;
    assert_eq!(after["properties"]["currentKubernetesVersion"], "1.34.1");
    // The pool's own version was sent back, so it stays.
    assert_eq!(
        after["properties"]["agentPoolProfiles"][0]["currentOrchestratorVersion"],
        "1.33.6"
    );
    let versions = arm
        .get(&format!("{}/availableAgentPoolVersions", cluster()), AKS)
        .await
        .expect(200)
        .body;
    let versions = versions["properties"]["agentPoolVersions"]
        .as_array()
        .unwrap()
        .clone();
    assert!(versions.contains(&json!({ "kubernetesVersion": "1.34.1", "default": true })));
    assert!(!versions.contains(&json!({ "kubernetesVersion": "1.34.2" })));
    let list = format!(
        "/subscriptions/{SUB}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions"
    );
    let list = arm.get(&list, AKS).await.expect(200).body;
    assert_eq!(list["values"][2]["isDefault"], true);
}

#[tokio::test]
async fn kubeconfigs_name_the_api_server_and_static_ones_obey_local_accounts() {
    let arm = Arm::with_group().await;
    let mut made = arm.create(&cluster(), AKS, body(json!({}))).await;
    let read = |reply: Reply| {
        let value = reply.expect(200).body["kubeconfigs"][0]["value"]
            .as_str()
            .unwrap()
            .to_owned();
        String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
    };
    let user = format!("{}/listClusterUserCredential", cluster());
    let admin = format!("{}/listClusterAdminCredential", cluster());
    let config = read(arm.post(&user, AKS, json!({})).await);
    let host = made["properties"]["fqdn"].as_str().unwrap();
    assert!(config.contains(&format!("https://{host}:443")), "{config}");
    assert!(config.contains("client-key-data"));
    read(arm.post(&admin, AKS, json!({})).await);
    made["properties"]["aadProfile"] = json!({ "managed": true, "enableAzureRBAC": true });
    made["properties"]["disableLocalAccounts"] = json!(true);
    update(&arm, made).await;
    arm.post(&admin, AKS, json!({}))
        .await
        .refused(400, "BadRequest");
    let config = read(arm.post(&user, AKS, json!({})).await);
    assert!(config.contains("kubelogin") && !config.contains("client-key-data"));
}

#[tokio::test]
async fn an_unregistered_subscription_is_told_so() {
    let arm = Arm::with_group().await;
    arm.control(
        "PUT",
        &format!("/_sandbox/registrations/{SUB}/Microsoft.ContainerService"),
        json!({ "state": "NotRegistered" }),
    );
    arm.put(&cluster(), AKS, body(json!({})))
        .await
        .refused(409, "MissingSubscriptionRegistration");
}
