//! A network and clusters in it, for the tests of both.

use serde_json::{Value, json};

use super::{Arm, NETWORK, Reply, SUB, id};

pub const AKS: &str = "2026-05-01";
pub const MSI: &str = "2024-11-30";
pub const NODES: &str = "MC_rg_aks_westeurope";

pub fn cluster() -> String {
    id("Microsoft.ContainerService/managedClusters/aks")
}

pub fn subnet(name: &str) -> String {
    id(&format!(
        "Microsoft.Network/virtualNetworks/net/subnets/{name}"
    ))
}

pub fn in_nodes(rest: &str) -> String {
    format!("/subscriptions/{SUB}/resourceGroups/{NODES}/providers/{rest}")
}

/// A network 10.10.0.0/16 with `nodes` 10.10.8.0/24, `pods` 10.10.12.0/24 and `tiny` 10.10.20.0/28.
pub async fn network() -> Arm {
    let arm = Arm::with_group().await;
    let subnets: Vec<Value> = [
        ("nodes", "10.10.8.0/24"),
        ("pods", "10.10.12.0/24"),
        ("tiny", "10.10.20.0/28"),
    ]
    .iter()
    .map(|(name, prefix)| json!({ "name": name, "properties": { "addressPrefix": prefix } }))
    .collect();
    arm.create(
        &id("Microsoft.Network/virtualNetworks/net"),
        NETWORK,
        json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.10.0.0/16"] }, "subnets": subnets } }),
    )
    .await;
    arm
}

/// A body with one system pool; `pool` and `profile` are merged into pool and network profile.
pub fn body(pool: Value, profile: Value) -> Value {
    let mut body = json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk",
            "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": subnet("nodes") }],
            "networkProfile": { "networkPlugin": "azure" },
        },
    });
    for (name, value) in pool.as_object().unwrap() {
        body["properties"]["agentPoolProfiles"][0][name] = value.clone();
    }
    for (name, value) in profile.as_object().unwrap() {
        body["properties"]["networkProfile"][name] = value.clone();
    }
    body
}

pub async fn put(arm: &Arm, pool: Value, profile: Value) -> Reply {
    arm.put(&cluster(), AKS, body(pool, profile)).await
}

pub async fn used(arm: &Arm, name: &str) -> usize {
    let body = arm.get(&subnet(name), NETWORK).await.expect(200).body;
    body["properties"]["ipConfigurations"]
        .as_array()
        .map_or(0, Vec::len)
}
