//! One node pool: its body, and what of it cannot change in place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{Input, version};
use crate::arm::{ArmId, Json};
use crate::network::aks::{self, DEFAULT_SURGE};
use crate::provider::parts::Tags;

/// What AKS puts on the nodes of a spot pool ("Add an Azure Spot node pool to an AKS cluster").
pub const SPOT: &str = "kubernetes.azure.com/scalesetpriority";
pub const SPOT_TAINT: &str = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule";

/// A pool as the user wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    pub mode: String,
    pub vm_size: String,
    pub node_count: i64,
    pub auto_scaling_enabled: bool,
    pub min_count: Option<i64>,
    pub max_count: Option<i64>,
    pub vnet_subnet_id: ArmId,
    pub pod_subnet_id: Option<ArmId>,
    pub max_pods: Option<i64>,
    pub zones: Option<BTreeSet<String>>,
    pub node_labels: Option<BTreeMap<String, String>>,
    pub node_taints: Option<BTreeSet<String>>,
    pub os_disk_size_gb: Option<i64>,
    pub os_disk_type: Option<String>,
    pub os_sku: Option<String>,
    pub orchestrator_version: Option<String>,
    pub priority: String,
    pub eviction_policy: Option<String>,
    pub host_encryption_enabled: bool,
    pub fips_enabled: bool,
    pub node_public_ip_enabled: bool,
    pub upgrade_settings: Option<UpgradeSettings>,
    pub tags: Option<Tags>,
}

/// How a pool is upgraded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpgradeSettings {
    pub max_surge: Option<String>,
    pub drain_timeout_in_minutes: Option<i64>,
    pub node_soak_duration_in_minutes: Option<i64>,
}

impl Pool {
    pub fn is_system(&self) -> bool {
        self.mode == "System"
    }

    fn is_spot(&self) -> bool {
        self.priority == "Spot"
    }

    /// The most nodes that it may have.
    pub fn most_nodes(&self) -> i64 {
        match self.max_count {
            Some(most) if self.auto_scaling_enabled => most,
            _ => self.node_count,
        }
    }

    fn max_surge(&self) -> &str {
        let settings = self.upgrade_settings.as_ref();
        let surge = settings.and_then(|settings| settings.max_surge.as_deref());
        surge.unwrap_or(DEFAULT_SURGE)
    }

    /// The pool as far as addresses go.
    pub fn sizes(&self, name: &str) -> aks::Pool {
        let number = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        aks::Pool {
            name: name.to_owned(),
            nodes: number(self.most_nodes()),
            max_pods: self.max_pods.map(number),
            max_surge: self.max_surge().to_owned(),
        }
    }

    /// How many nodes to ask for: left out where the autoscaler decides within its limits.
    fn count(&self, found: Option<&Json>) -> Option<i64> {
        if !self.auto_scaling_enabled {
            return Some(self.node_count);
        }
        let (least, most) = (
            self.min_count.unwrap_or(self.node_count),
            self.max_count.unwrap_or(self.node_count),
        );
        match found.and_then(|found| found["properties"]["count"].as_i64()) {
            Some(count) if (least..=most).contains(&count) => None,
            Some(count) => Some(count.clamp(least, most.max(least))),
            None => Some(self.node_count.clamp(least, most.max(least))),
        }
    }

    /// What Azure takes only when a pool is made: JSON name and wanted value, for those that the
    /// user decides.
    fn fixed(&self) -> Vec<(&'static str, Json)> {
        let mut fixed = vec![
            ("vmSize", json!(self.vm_size)),
            ("vnetSubnetID", json!(self.vnet_subnet_id)),
            ("scaleSetPriority", json!(self.priority)),
            (
                "enableEncryptionAtHost",
                json!(self.host_encryption_enabled),
            ),
            ("enableFIPS", json!(self.fips_enabled)),
            ("enableNodePublicIP", json!(self.node_public_ip_enabled)),
            (
                "availabilityZones",
                json!(self.zones.clone().unwrap_or_default()),
            ),
            ("podSubnetID", json!(self.pod_subnet_id)),
        ];
        let chosen = [
            ("maxPods", self.max_pods.map(Json::from)),
            ("osDiskSizeGB", self.os_disk_size_gb.map(Json::from)),
            ("osDiskType", self.os_disk_type.clone().map(Json::from)),
        ];
        // What nobody chose is Azure's choice, and stays.
        fixed.extend(
            chosen
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if self.is_spot() {
            let policy = self.eviction_policy.as_deref().unwrap_or("Delete");
            fixed.push(("scaleSetEvictionPolicy", json!(policy)));
        }
        fixed
    }

    /// Why the pool must be made anew to become what is wanted: a line for each reason.
    pub fn anew(&self, name: &str, found: &Json) -> Vec<String> {
        let found = &found["properties"];
        let differs = |wanted: &Json, found: &Json| match (wanted, found) {
            (Json::String(wanted), Json::String(found)) => !wanted.eq_ignore_ascii_case(found),
            (Json::String(wanted), Json::Null) => !wanted.is_empty() && wanted != "Regular",
            (Json::Array(wanted), found) => {
                let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
                wanted.len() != found.len() || wanted.iter().any(|one| !found.contains(one))
            }
            (Json::Bool(wanted), found) => *wanted != (*found == true),
            (wanted, found) => wanted != found,
        };
        let reasons = self.fixed().into_iter();
        reasons
            .filter(|(property, wanted)| differs(wanted, &found[*property]))
            .map(|(property, wanted)| {
                let found = &found[property];
                let found = if found.is_null() {
                    "not set".to_owned()
                } else {
                    found.to_string()
                };
                let wanted = if wanted.is_null() {
                    "not set".to_owned()
                } else {
                    wanted.to_string()
                };
                format!(
                    "node pool {name}: {property} is {found}, and should be {wanted}, which only a new \
                     pool can be"
                )
            })
            .collect()
    }

    /// The properties of the pool, over what was found.
    pub fn properties(
        &self,
        input: &Input,
        found: Option<&Json>,
        before: Option<&Json>,
    ) -> Map<String, Json> {
        let none = Json::Null;
        let there = found.map_or(&none, |found| &found["properties"]);
        let mut properties = Map::new();
        let mut set = |name: &str, value: Json| {
            properties.insert(name.to_owned(), value);
        };
        if found.is_none() {
            set("osType", "Linux".into());
            set("type", "VirtualMachineScaleSets".into());
            for (name, value) in self.fixed() {
                set(name, value);
            }
        }
        set("mode", self.mode.as_str().into());
        if let Some(sku) = &self.os_sku {
            set("osSKU", sku.as_str().into());
        }
        if let Some(count) = self.count(found) {
            set("count", count.into());
        }
        if self.auto_scaling_enabled || there["enableAutoScaling"] == true {
            set("enableAutoScaling", self.auto_scaling_enabled.into());
        }
        let limit = |limit: Option<i64>| json!(limit.filter(|_| self.auto_scaling_enabled));
        set("minCount", limit(self.min_count));
        set("maxCount", limit(self.max_count));
        let version = self
            .orchestrator_version
            .as_deref()
            .or(input.kubernetes_version.as_deref());
        let version = version::to_write(
            version,
            &there["orchestratorVersion"],
            &there["currentOrchestratorVersion"],
            input.upgrades_itself(),
        );
        if let Some(version) = version {
            set("orchestratorVersion", version.into());
        }
        let mut labels = self.node_labels.clone().unwrap_or_default();
        let mut taints = self.node_taints.clone().unwrap_or_default();
        if self.is_spot() {
            labels.insert(SPOT.to_owned(), "spot".to_owned());
            taints.insert(SPOT_TAINT.to_owned());
        }
        set("nodeLabels", whole_map(&labels, &there["nodeLabels"]));
        set("nodeTaints", json!(taints));
        set(
            "tags",
            whole_map(self.tags.as_ref().unwrap_or(&Tags::new()), &there["tags"]),
        );
        if let Some(settings) = self.upgrade_settings(there, before) {
            set("upgradeSettings", settings);
        }
        properties
    }

    /// The upgrade settings that are ours: those that were written, or were before. AKS upgrades
    /// no spot pools.
    fn upgrade_settings(&self, there: &Json, before: Option<&Json>) -> Option<Json> {
        if self.is_spot() {
            return None;
        }
        let before = before.map_or(&Json::Null, |before| &before["upgrade_settings"]);
        let settings = self.upgrade_settings.as_ref();
        let mut body = Map::new();
        let surge = settings.and_then(|settings| settings.max_surge.as_deref());
        match surge {
            Some(surge) => {
                body.insert("maxSurge".into(), surge.into());
            }
            None if !before["max_surge"].is_null() || there.is_null() => {
                body.insert("maxSurge".into(), DEFAULT_SURGE.into());
            }
            None => {}
        }
        let minutes = [
            (
                "drainTimeoutInMinutes",
                "drain_timeout_in_minutes",
                settings.and_then(|settings| settings.drain_timeout_in_minutes),
            ),
            (
                "nodeSoakDurationInMinutes",
                "node_soak_duration_in_minutes",
                settings.and_then(|settings| settings.node_soak_duration_in_minutes),
            ),
        ];
        for (name, argument, wanted) in minutes {
            if wanted.is_some() || !before[argument].is_null() {
                body.insert(name.into(), json!(wanted));
            }
        }
        (!body.is_empty()).then_some(Json::Object(body))
    }
}

/// A map that is ours as a whole: what is there and not wanted is named as null.
fn whole_map(wanted: &BTreeMap<String, String>, found: &Json) -> Json {
    let mut members: Map<String, Json> = wanted
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    for (name, _) in found.as_object().into_iter().flatten() {
        members.entry(name.clone()).or_insert(Json::Null);
    }
    Json::Object(members)
}
