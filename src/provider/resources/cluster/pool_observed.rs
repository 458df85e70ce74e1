//! One node pool as Azure shows it, in the user's terms.

use std::collections::{BTreeMap, BTreeSet};

use super::pool::{Pool, SPOT, SPOT_TAINT, UpgradeSettings};
use super::{Input, version};
use crate::arm::{ArmId, Json};
use crate::network::aks::DEFAULT_SURGE;
use crate::provider::parts::spelled_id;

impl Pool {
    /// The pool as it is, in the user's terms.
    pub fn observed(prior: Option<&Self>, found: &Json, input: Option<&Input>) -> Self {
        let properties = &found["properties"];
        let text = |name: &str| properties[name].as_str().map(str::to_owned);
        let is = |name: &str| properties[name] == true;
        let id = |name: &str, prior: Option<&ArmId>| spelled_id(prior, &properties[name]);
        // Azure's choice stays unwritten.
        let chosen =
            |name: &str, written: bool| (written || prior.is_none()).then(|| text(name)).flatten();
        let number = |name: &str, written: bool| {
            (written || prior.is_none())
                .then(|| properties[name].as_i64())
                .flatten()
        };
        let spot = properties["scaleSetPriority"] == "Spot";
        let labels: BTreeMap<String, String> = texts_of(&properties["nodeLabels"])
            .into_iter()
            .filter(|(name, _)| !(spot && name == SPOT))
            .collect();
        let taints: BTreeSet<String> = strings(&properties["nodeTaints"])
            .filter(|taint| !(spot && taint == SPOT_TAINT))
            .collect();
        let tags = texts_of(&properties["tags"]);
        let zones: BTreeSet<String> = strings(&properties["availabilityZones"]).collect();
        let scales = is("enableAutoScaling");
        let count = properties["count"].as_i64();
        let count = match prior {
            Some(prior) if scales => Some(prior.node_count),
            _ => count,
        };
        let version = match prior {
            None => text("orchestratorVersion"),
            Some(prior) => version::to_show(
                prior.orchestrator_version.as_deref(),
                &properties["orchestratorVersion"],
                &properties["currentOrchestratorVersion"],
                input.is_some_and(Input::upgrades_itself),
            ),
        };
        let kept = |empty: bool, written: bool| !empty || written;
        Self {
            mode: text("mode").unwrap_or_else(|| "User".to_owned()),
            vm_size: text("vmSize")
                .map(|found| match prior {
                    Some(prior) if prior.vm_size.eq_ignore_ascii_case(&found) => {
                        prior.vm_size.clone()
                    }
                    _ => found,
                })
                .unwrap_or_default(),
            node_count: count.unwrap_or_default(),
            auto_scaling_enabled: scales,
            min_count: properties["minCount"].as_i64().filter(|_| scales),
            max_count: properties["maxCount"].as_i64().filter(|_| scales),
            vnet_subnet_id: id("vnetSubnetID", prior.map(|prior| &prior.vnet_subnet_id))
                .or_else(|| prior.map(|prior| prior.vnet_subnet_id.clone()))
                .unwrap_or_else(|| ArmId::subscription("")),
            pod_subnet_id: id(
                "podSubnetID",
                prior.and_then(|prior| prior.pod_subnet_id.as_ref()),
            ),
            max_pods: number(
                "maxPods",
                prior.is_some_and(|prior| prior.max_pods.is_some()),
            ),
            zones: kept(
                zones.is_empty(),
                prior.is_some_and(|prior| prior.zones.is_some()),
            )
            .then_some(zones),
            node_labels: kept(
                labels.is_empty(),
                prior.is_some_and(|prior| prior.node_labels.is_some()),
            )
            .then_some(labels),
            node_taints: kept(
                taints.is_empty(),
                prior.is_some_and(|prior| prior.node_taints.is_some()),
            )
            .then_some(taints),
            os_disk_size_gb: number(
                "osDiskSizeGB",
                prior.is_some_and(|prior| prior.os_disk_size_gb.is_some()),
            ),
            os_disk_type: chosen(
                "osDiskType",
                prior.is_some_and(|prior| prior.os_disk_type.is_some()),
            ),
            os_sku: chosen("osSKU", prior.is_some_and(|prior| prior.os_sku.is_some())),
            orchestrator_version: version,
            priority: text("scaleSetPriority").unwrap_or_else(|| "Regular".to_owned()),
            eviction_policy: spot
                .then(|| {
                    chosen(
                        "scaleSetEvictionPolicy",
                        prior.is_some_and(|prior| prior.eviction_policy.is_some()),
                    )
                })
                .flatten(),
            host_encryption_enabled: is("enableEncryptionAtHost"),
            fips_enabled: is("enableFIPS"),
            node_public_ip_enabled: is("enableNodePublicIP"),
            upgrade_settings: observed_upgrade_settings(prior, &properties["upgradeSettings"]),
            tags: kept(
                tags.is_empty(),
                prior.is_some_and(|prior| prior.tags.is_some()),
            )
            .then_some(tags),
        }
    }
}

fn observed_upgrade_settings(prior: Option<&Pool>, found: &Json) -> Option<UpgradeSettings> {
    let surge = found["maxSurge"].as_str().map(str::to_owned);
    let minutes = |name: &str| found[name].as_i64();
    let there = UpgradeSettings {
        max_surge: surge,
        drain_timeout_in_minutes: minutes("drainTimeoutInMinutes"),
        node_soak_duration_in_minutes: minutes("nodeSoakDurationInMinutes"),
    };
    let Some(prior) = prior else {
        let is_set = there.drain_timeout_in_minutes.is_some()
            || there.node_soak_duration_in_minutes.is_some()
            || there
                .max_surge
                .as_deref()
                .is_some_and(|surge| surge != DEFAULT_SURGE);
        return is_set.then_some(there);
    };
    let prior = prior.upgrade_settings.as_ref()?;
    Some(UpgradeSettings {
        max_surge: prior.max_surge.as_ref().and(there.max_surge),
        drain_timeout_in_minutes: prior
            .drain_timeout_in_minutes
            .and(there.drain_timeout_in_minutes),
        node_soak_duration_in_minutes: prior
            .node_soak_duration_in_minutes
            .and(there.node_soak_duration_in_minutes),
    })
}

fn texts_of(json: &Json) -> BTreeMap<String, String> {
    let members = json.as_object().into_iter().flatten();
    members
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn strings(json: &Json) -> impl Iterator<Item = String> {
    let items = json.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned))
}
