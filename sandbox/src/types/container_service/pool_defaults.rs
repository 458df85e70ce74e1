//! Completes an agent pool as the service does, and reads pools from a cluster's body.

use serde_json::{Value, json};

use super::agent_pools::NAME;
use super::defaults::{Plugin, plugin};
use super::{invalid, on, schema, versions};
use crate::bodies::without_nulls;
use crate::errors::{ArmResult, invalid_content};
use crate::store::Resource;

/// What an update keeps when its body does not mention it.
const KEPT: &[&str] = &[
    "count",
    "vmSize",
    "osDiskSizeGB",
    "osDiskType",
    "kubeletDiskType",
    "workloadRuntime",
    "maxPods",
    "osType",
    "osSKU",
    "scaleDownMode",
    "type",
    "mode",
    "orchestratorVersion",
    "upgradeSettings",
    "powerState",
    "enableNodePublicIP",
    "enableEncryptionAtHost",
    "enableUltraSSD",
    "enableFIPS",
    "securityProfile",
    "podIPAllocationMode",
    "nodeImageVersion",
    "vnetSubnetID",
    "podSubnetID",
];

/// The size of the machines of a pool that names none.
const DEFAULT_SIZE: &str = "Standard_D4ds_v5";

/// The pools that a cluster's body names, as resources below the cluster.
///
/// # Errors
/// A pool without a name, twice the same name, an unknown member.
pub fn read(cluster: &Resource) -> ArmResult<Vec<Resource>> {
    let mut pools: Vec<Resource> = Vec::new();
    for profile in cluster.items("/properties/agentPoolProfiles") {
        let Some(name) = profile["name"].as_str().filter(|name| !name.is_empty()) else {
            return Err(invalid("agentPoolProfile.name", "A name is required"));
        };
        let mut properties = profile.clone();
        without_nulls(&mut properties);
        if let Value::Object(map) = &mut properties {
            map.remove("name");
            for read_only in schema::POOL_READ_ONLY {
                map.remove(*read_only);
            }
            if let Some(unknown) = map.keys().find(|key| !schema::POOL.contains(&key.as_str())) {
                return Err(invalid_content(format!(
                    "Could not find member '{unknown}' on object of type 'AgentPoolProfile'. Path 'properties.agentPoolProfiles.{unknown}'"
                )));
            }
        }
        let id = cluster.id.child("agentPools", name);
        if pools.iter().any(|other| other.id.same(id.as_str())) {
            return Err(invalid(
                "agentPoolProfile.name",
                format!("The name {name} is there twice"),
            ));
        }
        pools.push(Resource::new(id, NAME, json!({ "properties": properties })));
    }
    Ok(pools)
}

/// Fills in everything that follows from the body, the completed cluster and the stored pool.
pub fn complete(pool: &mut Resource, cluster: &Resource, old: Option<&Resource>) {
    if let Some(old) = old {
        for name in KEPT {
            let pointer = format!("/properties/{name}");
            if let Some(value) = old.at(&pointer) {
                pool.default(&pointer, value.clone());
            }
        }
        for pointer in ["/ipConfigurations", "/properties/nodeImageVersion"] {
            if let Some(value) = old.at(pointer) {
                pool.set(pointer, value.clone());
            }
        }
    }
    version(pool, cluster, old);
    pool.default("/properties/vmSize", DEFAULT_SIZE);
    pool.default("/properties/type", "VirtualMachineScaleSets");
    pool.default("/properties/mode", "User");
    pool.default("/properties/osType", "Linux");
    let windows = pool.text("/properties/osType") == Some("Windows");
    pool.default(
        "/properties/osSKU",
        if windows { "Windows2022" } else { "Ubuntu" },
    );
    let size = cores(pool.text("/properties/vmSize").unwrap_or_default());
    if crate::types::container_service::number(pool, "/properties/osDiskSizeGB", 0) == 0 {
        pool.set("/properties/osDiskSizeGB", disk(size));
    }
    pool.default("/properties/osDiskType", "Managed");
    pool.default("/properties/kubeletDiskType", "OS");
    pool.default("/properties/workloadRuntime", "OCIContainer");
    let dynamic = pool.at("/properties/podSubnetID").is_some();
    pool.default(
        "/properties/maxPods",
        match plugin(cluster) {
            Plugin::Kubenet => 110,
            Plugin::Flat if !dynamic => 30,
            _ => 250,
        },
    );
    if dynamic {
        pool.default("/properties/podIPAllocationMode", "DynamicIndividual");
    }
    pool.default("/properties/enableAutoScaling", false);
    let fewest = crate::types::container_service::number(pool, "/properties/minCount", 1);
    let count = if on(pool, "/properties/enableAutoScaling") {
        fewest
    } else {
        1
    };
    pool.default("/properties/count", count);
    pool.default("/properties/scaleDownMode", "Delete");
    pool.default("/properties/enableNodePublicIP", false);
    pool.default("/properties/enableEncryptionAtHost", false);
    pool.default("/properties/enableUltraSSD", false);
    pool.default("/properties/enableFIPS", false);
    pool.default("/properties/powerState", json!({ "code": "Running" }));
    pool.default("/properties/upgradeSettings/maxSurge", "10%");
    pool.default("/properties/upgradeSettings/maxUnavailable", "0");
    for (name, value) in [
        ("enableVTPM", json!(false)),
        ("enableSecureBoot", json!(false)),
        ("sshAccess", json!("LocalUser")),
    ] {
        pool.default(&format!("/properties/securityProfile/{name}"), value);
    }
    let image = versions::node_image(pool.text("/properties/osSKU").unwrap_or_default());
    pool.default("/properties/nodeImageVersion", image);
    spot(pool);
}

fn version(pool: &mut Resource, cluster: &Resource, old: Option<&Resource>) {
    let of_cluster = cluster
        .text("/properties/currentKubernetesVersion")
        .unwrap_or_default()
        .to_owned();
    let wanted = match pool.text("/properties/orchestratorVersion") {
        None | Some("") => cluster
            .text("/properties/kubernetesVersion")
            .unwrap_or_default()
            .to_owned(),
        Some(text) => text.to_owned(),
    };
    let before = old.and_then(|old| old.text("/properties/currentOrchestratorVersion"));
    let alias = of_cluster
        .rsplit_once('.')
        .is_some_and(|(minor, _)| minor == wanted);
    // The cluster's own minor version means the cluster's own patch.
    let current = match before {
        None if alias => of_cluster,
        _ => versions::after(&wanted, before),
    };
    pool.set("/properties/orchestratorVersion", wanted);
    pool.set("/properties/currentOrchestratorVersion", current);
}

/// Spot pools carry a label and a taint that keep ordinary pods away.
fn spot(pool: &mut Resource) {
    const MARK: &str = "kubernetes.azure.com/scalesetpriority";
    if pool.text("/properties/scaleSetPriority") != Some("Spot") {
        pool.unset("/properties/scaleSetPriority");
        return;
    }
    pool.default("/properties/scaleSetEvictionPolicy", "Delete");
    pool.default("/properties/spotMaxPrice", -1);
    let mut labels = pool
        .at("/properties/nodeLabels")
        .cloned()
        .unwrap_or_else(|| json!({}));
    labels[MARK] = json!("spot");
    pool.set("/properties/nodeLabels", labels);
    let mut taints = pool.items("/properties/nodeTaints").to_vec();
    let taint = json!(format!("{MARK}=spot:NoSchedule"));
    if !taints.contains(&taint) {
        taints.push(taint);
    }
    pool.set("/properties/nodeTaints", taints);
}

/// The number of processors in the name of a machine size: 4 for `Standard_D4ds_v5`.
fn cores(size: &str) -> u32 {
    size.split('_')
        .nth(1)
        .unwrap_or_default()
        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap_or(2)
}

/// The size of an operating system disk in GB by processors (AKS documentation, "OS disk sizing").
fn disk(cores: u32) -> u32 {
    match cores {
        0..=7 => 128,
        8..=15 => 256,
        16..=63 => 512,
        _ => 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_follows_from_the_size_of_the_machine() {
        let sizes = [
            "Standard_DS2_v2",
            "Standard_D8ds_v5",
            "Standard_E16s_v5",
            "Standard_M128s",
        ];
        let disks: Vec<u32> = sizes.iter().map(|size| disk(cores(size))).collect();
        assert_eq!(disks, [128, 256, 512, 1024]);
    }
}
