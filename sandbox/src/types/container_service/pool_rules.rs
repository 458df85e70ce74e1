//! What an agent pool's body must hold, what of it cannot change, and which pool cannot go.

use serde_json::Value;

use super::agent_pools::{is_system, of};
use super::defaults::{Plugin, plugin};
use super::{change_not_allowed, invalid, not_allowed, number, on, versions};
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};

/// What never changes once a pool is made (AKS documentation, node pools; azurerm's users meet each of them).
const IMMUTABLE: &[&str] = &[
    "vmSize",
    "osDiskSizeGB",
    "osDiskType",
    "osType",
    "kubeletDiskType",
    "vnetSubnetID",
    "podSubnetID",
    "podIPAllocationMode",
    "maxPods",
    "type",
    "availabilityZones",
    "enableNodePublicIP",
    "nodePublicIPPrefixID",
    "scaleSetPriority",
    "scaleSetEvictionPolicy",
    "spotMaxPrice",
    "proximityPlacementGroupID",
    "enableEncryptionAtHost",
    "enableUltraSSD",
    "gpuInstanceProfile",
    "hostGroupID",
    "capacityReservationGroupID",
    "workloadRuntime",
];

/// Most nodes of one pool and of one cluster (AKS documentation, quotas and limits).
const MOST_NODES: i64 = 1000;
const MOST_NODES_OF_CLUSTER: i64 = 5000;

/// Checks that a completed pool keeps what it cannot change. `path` is how the request names a pool.
///
/// # Errors
/// `PropertyChangeNotAllowed`.
pub fn unchanged(old: &Resource, new: &Resource, path: &str) -> ArmResult<()> {
    for name in IMMUTABLE {
        let pointer = format!("/properties/{name}");
        if !same(old.at(&pointer), new.at(&pointer)) {
            return Err(change_not_allowed(&format!("{path}.{name}")));
        }
    }
    for name in ["kubeletConfig", "linuxOSConfig"] {
        let pointer = format!("/properties/{name}");
        if !same(old.at(&pointer), new.at(&pointer)) {
            return Err(ArmError::bad(
                "CustomKubeletConfigOrCustomLinuxOSConfigCanNotBeChanged",
                format!("Custom kubelet config or custom Linux OS config of agent pool {} cannot be changed.", new.id.name()),
            )
            .at(format!("{path}.{name}")));
        }
    }
    Ok(())
}

/// Ids compare without case; an empty value is one that is not there.
pub fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let there = |value: Option<&Value>| {
        value
            .filter(|value| match value {
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                _ => true,
            })
            .cloned()
    };
    match (there(a), there(b)) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.eq_ignore_ascii_case(&b),
        (a, b) => a == b,
    }
}

/// Checks one completed pool.
///
/// # Errors
/// `InvalidParameter` and the codes of the single rules.
pub fn valid(cluster: &Resource, pool: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    check_name(pool)?;
    one_of(pool, "mode", &["System", "User", "Gateway"])?;
    one_of(pool, "osType", &["Linux", "Windows"])?;
    one_of(pool, "osDiskType", &["Managed", "Ephemeral"])?;
    one_of(
        pool,
        "type",
        &[
            "VirtualMachineScaleSets",
            "AvailabilitySet",
            "VirtualMachines",
        ],
    )?;
    one_of(pool, "scaleDownMode", &["Delete", "Deallocate"])?;
    one_of(pool, "scaleSetPriority", &["Spot", "Regular"])?;
    let windows = pool.text("/properties/osType") == Some("Windows");
    let name = pool.id.name();
    if is_system(pool) && windows {
        return Err(ArmError::bad(
            "SystemPoolMustBeLinux",
            format!("System agent pool {name} must be Linux."),
        )
        .at("agentPoolProfile.osType"));
    }
    if is_system(pool) && pool.at("/properties/scaleSetPriority").is_some() {
        return Err(ArmError::bad(
            "SystemPoolMustBeRegular",
            format!("System agent pool {name} must use regular virtual machines."),
        )
        .at("agentPoolProfile.scaleSetPriority"));
    }
    if windows && plugin(cluster) == Plugin::Kubenet {
        return Err(invalid(
            "agentPoolProfile.osType",
            "Windows agent pools need the network plugin azure",
        ));
    }
    counts(pool)?;
    pods(pool)?;
    zones(pool)?;
    surge(pool)?;
    labels(pool, old)?;
    if pool.at("/properties/podSubnetID").is_some() && plugin(cluster) != Plugin::Flat {
        return Err(invalid(
            "agentPoolProfile.podSubnetID",
            "A pod subnet needs the network plugin azure without overlay",
        ));
    }
    let outbound = cluster.text("/properties/networkProfile/outboundType");
    if on(pool, "/properties/enableNodePublicIP") && outbound == Some("userDefinedRouting") {
        return Err(ArmError::bad(
            "UDRWithNodePublicIPNotAllowed",
            "Node public IP addresses are not allowed with the outbound type userDefinedRouting.",
        )
        .at("agentPoolProfile.enableNodePublicIP"));
    }
    versions::check_pool(
        pool.text("/properties/orchestratorVersion")
            .unwrap_or_default(),
        old.and_then(|old| old.text("/properties/currentOrchestratorVersion")),
        cluster
            .text("/properties/currentKubernetesVersion")
            .unwrap_or_default(),
    )
}

fn check_name(pool: &Resource) -> ArmResult<()> {
    let name = pool.id.name();
    let shape = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let longest = if pool.text("/properties/osType") == Some("Windows") {
        6
    } else {
        12
    };
    if shape && name.len() <= longest {
        return Ok(());
    }
    Err(invalid(
        "agentPoolProfile.name",
        format!(
            "The name {name} must match ^[a-z][a-z0-9]{{0,11}}$: it starts with a lower-case letter, has only lower-case letters and digits, and is at most {longest} characters long"
        ),
    ))
}

fn one_of(pool: &Resource, name: &str, values: &[&str]) -> ArmResult<()> {
    let Some(value) = pool.at(&format!("/properties/{name}")) else {
        return Ok(());
    };
    if value.as_str().is_some_and(|text| values.contains(&text)) {
        return Ok(());
    }
    Err(invalid(
        &format!("agentPoolProfile.{name}"),
        format!("{value} is none of {}", values.join(", ")),
    ))
}

fn counts(pool: &Resource) -> ArmResult<()> {
    let count = number(pool, "/properties/count", 1);
    let fewest = i64::from(is_system(pool));
    if !(fewest..=MOST_NODES).contains(&count) {
        return Err(invalid(
            "agentPoolProfile.count",
            format!(
                "{count} is not between {fewest} and {MOST_NODES}, the bounds of a {} pool",
                pool.text("/properties/mode").unwrap_or("User")
            ),
        ));
    }
    let bounds = ["minCount", "maxCount"].map(|name| {
        pool.at(&format!("/properties/{name}"))
            .and_then(Value::as_i64)
    });
    if !on(pool, "/properties/enableAutoScaling") {
        return if bounds.iter().any(Option::is_some) {
            Err(invalid(
                "agentPoolProfile.enableAutoScaling",
                "minCount and maxCount are for pools with autoscaling only",
            ))
        } else {
            Ok(())
        };
    }
    let [Some(least), Some(most)] = bounds else {
        return Err(invalid(
            "agentPoolProfile.minCount",
            "minCount and maxCount are required when autoscaling is enabled",
        ));
    };
    if least < fewest || most > MOST_NODES || least > most || most < 1 {
        return Err(invalid(
            "agentPoolProfile.maxCount",
            format!(
                "minCount {least} and maxCount {most} must hold {fewest} <= minCount <= maxCount <= {MOST_NODES}"
            ),
        ));
    }
    Ok(())
}

fn pods(pool: &Resource) -> ArmResult<()> {
    let pods = number(pool, "/properties/maxPods", 30);
    let refuse = |code: &str| {
        Err(ArmError::bad(code, format!("The maximum number of pods on each node of agent pool {} is {pods}; it must be between 10 and 250.", pool.id.name()))
            .at("agentPoolProfile.maxPods"))
    };
    match pods {
        ..10 => refuse("InsufficientMaxPods"),
        10..=250 => Ok(()),
        _ => refuse("MaxPodsLimitExceeded"),
    }
}

fn zones(pool: &Resource) -> ArmResult<()> {
    for zone in pool.items("/properties/availabilityZones") {
        if !zone
            .as_str()
            .is_some_and(|text| ["1", "2", "3"].contains(&text))
        {
            return Err(ArmError::bad(
                "InvalidAvailabilityZoneFormat",
                format!(
                    "The availability zone {zone} of agent pool {} is none of \"1\", \"2\", \"3\".",
                    pool.id.name()
                ),
            )
            .at("agentPoolProfile.availabilityZones"));
        }
    }
    Ok(())
}

fn surge(pool: &Resource) -> ArmResult<()> {
    for name in ["maxSurge", "maxUnavailable"] {
        let Some(text) = pool.text(&format!("/properties/upgradeSettings/{name}")) else {
            continue;
        };
        let digits = text.strip_suffix('%').unwrap_or(text);
        let number: Option<i64> = digits.parse().ok();
        let right =
            number.is_some_and(|number| number >= 0 && (!text.ends_with('%') || number <= 100));
        if !right {
            return Err(invalid(
                &format!("agentPoolProfile.upgradeSettings.{name}"),
                format!("{text} is neither a number of nodes nor a percentage"),
            ));
        }
    }
    Ok(())
}

/// How many nodes an upgrade of a pool adds: a number, or a share of the nodes rounded up; one at least
/// unless unavailable nodes take its place.
pub fn surge_nodes(pool: &Resource, nodes: i64) -> i64 {
    let share = |name: &str| {
        let text = pool
            .text(&format!("/properties/upgradeSettings/{name}"))
            .unwrap_or("0");
        match text.strip_suffix('%') {
            Some(percent) => (percent.parse::<i64>().unwrap_or(0) * nodes + 99) / 100,
            None => text.parse().unwrap_or(0),
        }
    };
    match (share("maxSurge"), share("maxUnavailable")) {
        (0, 1..) => 0,
        (surge, _) => surge.max(1),
    }
}

/// Labels of the service are not for users (those that the service itself set may come back).
fn labels(pool: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let Some(Value::Object(labels)) = pool.at("/properties/nodeLabels") else {
        return Ok(());
    };
    let had = |key: &str| {
        old.and_then(|old| old.at("/properties/nodeLabels"))
            .is_some_and(|labels| labels.get(key).is_some())
    };
    for key in labels.keys() {
        let own = key == "kubernetes.azure.com/scalesetpriority";
        let reserved =
            key.starts_with("kubernetes.azure.com/") || key.starts_with("kubernetes.io/");
        if reserved && !own && !had(key) {
            return Err(ArmError::bad(
                "NodeLabelKeyNotAllowed",
                format!("The node label key {key} of agent pool {} has a prefix that the service keeps for itself.", pool.id.name()),
            )
            .at("agentPoolProfile.nodeLabels"));
        }
    }
    Ok(())
}

/// Checks all pools of a cluster as they shall be.
///
/// # Errors
/// No system pool, too many nodes.
pub fn together(pools: &[Resource]) -> ArmResult<()> {
    if pools.is_empty() {
        return Err(not_allowed("There has to be at least one agent pool.").at("agentPoolProfiles"));
    }
    if !pools.iter().any(is_system) {
        return Err(
            ArmError::bad("InvalidParameter", "Must define at least one system pool.")
                .at("agentPoolProfile.mode"),
        );
    }
    let nodes: i64 = pools.iter().map(super::agent_pools::most_nodes).sum();
    if nodes > MOST_NODES_OF_CLUSTER {
        return Err(invalid(
            "agentPoolProfile.count",
            format!(
                "The pools together have up to {nodes} nodes; a cluster has at most {MOST_NODES_OF_CLUSTER}"
            ),
        ));
    }
    Ok(())
}

/// Refuses the deletion of a cluster's last pool and of its last system pool.
///
/// # Errors
/// `OperationNotAllowed`.
pub fn removable(world: &World, cluster: &Resource, pool: &Resource) -> ArmResult<()> {
    if cluster.state() == "Deleting" {
        return Ok(());
    }
    let others: Vec<&Resource> = of(world, &cluster.id)
        .into_iter()
        .filter(|other| !other.id.same(pool.id.as_str()))
        .collect();
    if others.is_empty() {
        return Err(not_allowed("There has to be at least one agent pool."));
    }
    if is_system(pool) && !others.into_iter().any(is_system) {
        return Err(not_allowed(
            "There has to be at least one system agent pool.",
        ));
    }
    Ok(())
}
