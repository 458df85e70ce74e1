//! Which versions of Kubernetes there are, what each can be upgraded to, and the reads that tell it.
//! The list is the sandbox's own, in the shape of Azure's: minor versions with patches, one default,
//! one in long-term support, one in preview. A version may be given as `1.34` or as `1.34.2`.

use serde_json::{Map, Value, json};

use super::{VERSIONS, agent_pools, invalid, not_allowed};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};
use crate::table::Type;

/// One minor version.
struct Minor {
    name: &'static str,
    patches: &'static [&'static str],
    plans: &'static [&'static str],
    preview: bool,
}

const OFFICIAL: &[&str] = &["KubernetesOfficial", "AKSLongTermSupport"];

/// Oldest first.
const MINORS: &[Minor] = &[
    Minor {
        name: "1.32",
        patches: &["1.32.9", "1.32.10"],
        plans: &["AKSLongTermSupport"],
        preview: false,
    },
    Minor {
        name: "1.33",
        patches: &["1.33.5", "1.33.6"],
        plans: OFFICIAL,
        preview: false,
    },
    Minor {
        name: "1.34",
        patches: &["1.34.1", "1.34.2"],
        plans: OFFICIAL,
        preview: false,
    },
    Minor {
        name: "1.35",
        patches: &["1.35.0", "1.35.1"],
        plans: OFFICIAL,
        preview: false,
    },
    Minor {
        name: "1.36",
        patches: &["1.36.0"],
        plans: OFFICIAL,
        preview: true,
    },
];

/// The minor version of a cluster whose body names none.
pub const DEFAULT: &str = "1.34";

/// The image of a pool's nodes that is current; `upgradeNodeImageVersion` brings it.
const IMAGE_DATE: &str = "202610.02.0";

/// The patch version that a wanted version means, or `None` for one that there is not.
#[must_use]
pub fn resolve(wanted: &str) -> Option<&'static str> {
    let wanted = if wanted.is_empty() { DEFAULT } else { wanted };
    MINORS.iter().find_map(|minor| {
        if minor.name == wanted {
            return minor.patches.last().copied();
        }
        minor
            .patches
            .iter()
            .find(|patch| **patch == wanted)
            .copied()
    })
}

/// The patch versions to which a version can be upgraded: later patches, and all of the next minor version.
#[must_use]
pub fn upgrades(current: &str) -> Vec<&'static str> {
    let Some(at) = minor_of(current) else {
        return Vec::new();
    };
    let later = MINORS[at]
        .patches
        .iter()
        .skip_while(|patch| **patch != current)
        .skip(1);
    let next = MINORS
        .get(at + 1)
        .map_or(&[] as &[&str], |minor| minor.patches);
    later.chain(next).copied().collect()
}

fn minor_of(patch: &str) -> Option<usize> {
    MINORS
        .iter()
        .position(|minor| minor.patches.contains(&patch))
}

fn preview(patch: &str) -> bool {
    minor_of(patch).is_some_and(|at| MINORS[at].preview)
}

/// Checks the version of a new cluster, or the step from `current` of an old one.
///
/// # Errors
/// `K8sVersionNotSupported` for an unknown version or one that needs long-term support; `OperationNotAllowed` for a step down or over a minor version.
pub fn check_cluster(wanted: &str, current: Option<&str>, plan: &str) -> ArmResult<()> {
    let Some(patch) = resolve(wanted) else {
        return Err(unsupported("K8sVersionNotSupported", wanted));
    };
    match current {
        None => {
            let known = minor_of(patch).is_some_and(|at| MINORS[at].plans.contains(&plan));
            if known {
                Ok(())
            } else {
                Err(unsupported("K8sVersionNotSupported", wanted))
            }
        }
        Some(current) if stays(wanted, current) => Ok(()),
        Some(current) => step(current, patch),
    }
}

/// A minor version that the current patch belongs to asks for nothing new.
fn stays(wanted: &str, current: &str) -> bool {
    wanted == current
        || current
            .rsplit_once('.')
            .is_some_and(|(minor, _)| minor == wanted)
}

/// The patch version that a cluster or pool has after a write: an alias keeps the patch that is there.
#[must_use]
pub fn after(wanted: &str, current: Option<&str>) -> String {
    match current {
        Some(current) if stays(wanted, current) => current.to_owned(),
        _ => resolve(wanted).unwrap_or(wanted).to_owned(),
    }
}

fn step(current: &str, patch: &str) -> ArmResult<()> {
    let possible = upgrades(current);
    if current == patch || possible.contains(&patch) {
        return Ok(());
    }
    Err(not_allowed(format!(
        "Upgrading Kubernetes version {current} to {patch} is not allowed. Available upgrades: [{}]. Please see https://aka.ms/aks-supported-k8s-ver for version details.",
        possible.join(" ")
    )))
}

/// Checks the version of a pool against its cluster's (version skew: never newer, at most three minors older).
///
/// # Errors
/// `AgentPoolK8sVersionNotSupported`, `NodePoolMcVersionIncompatible`, `OperationNotAllowed`.
pub fn check_pool(wanted: &str, current: Option<&str>, cluster: &str) -> ArmResult<()> {
    let patch = match current {
        Some(current) if stays(wanted, current) => return Ok(()),
        _ => {
            resolve(wanted).ok_or_else(|| unsupported("AgentPoolK8sVersionNotSupported", wanted))?
        }
    };
    // `1.34` below a cluster of 1.34.1 means that patch.
    let patch = if stays(wanted, cluster) {
        cluster
    } else {
        patch
    };
    if newer(patch, cluster) {
        return Err(ArmError::bad(
            "NodePoolMcVersionIncompatible",
            format!(
                "Node pool version {patch} and control plane version {cluster} are incompatible. Minor version of node pool cannot be bigger than control plane's version. For more information, please check https://aka.ms/aks/UpgradeVersionRules"
            ),
        ));
    }
    match current {
        Some(current) if newer(current, patch) => step(current, patch),
        _ => Ok(()),
    }
}

fn newer(a: &str, b: &str) -> bool {
    let parts = |text: &str| -> Vec<u32> {
        text.split('.')
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    parts(a) > parts(b)
}

fn unsupported(code: &str, version: &str) -> ArmError {
    ArmError::bad(
        code,
        format!(
            "Version {version} is not supported in this region. Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list"
        ),
    )
}

/// The image that nodes of an operating system get today.
#[must_use]
pub fn node_image(sku: &str) -> String {
    let family = match sku {
        "AzureLinux" | "AzureLinux3" | "CBLMariner" => "AKSAzureLinux-V3gen2",
        "Windows2019" => "AKSWindows-2019-containerd",
        "Windows2022" => "AKSWindows-2022-containerd",
        "Windows2025" => "AKSWindows-2025-gen2",
        "Ubuntu2404" => "AKSUbuntu-2404gen2containerd",
        _ => "AKSUbuntu-2204gen2containerd",
    };
    format!("{family}-{IMAGE_DATE}")
}

/// `GET .../locations/{location}/kubernetesVersions`.
///
/// # Errors
/// None.
pub fn kubernetes_versions(_: &mut World, _: &str, _: &[String], _: &Request) -> ArmResult<Answer> {
    let values: Vec<Value> = MINORS
        .iter()
        .map(|minor| {
            let patches: Map<String, Value> = minor
                .patches
                .iter()
                .map(|patch| ((*patch).to_owned(), json!({ "upgrades": upgrades(patch) })))
                .collect();
            let mut value = json!({
                "version": minor.name,
                "capabilities": { "supportPlan": minor.plans },
                "patchVersions": patches,
            });
            if minor.name == DEFAULT {
                value["isDefault"] = json!(true);
            }
            if minor.preview {
                value["isPreview"] = json!(true);
            }
            value
        })
        .collect();
    Ok(Answer::json(200, json!({ "values": values })))
}

/// `GET .../managedClusters/{name}/upgradeProfiles/default`.
pub const UPGRADE_PROFILES: Type = Type::computed(
    "Microsoft.ContainerService/managedClusters/upgradeProfiles",
    VERSIONS,
    |world, cluster| {
        let profile = |name: &str, version: &str, os: &str| json!({ "kubernetesVersion": version, "name": name, "osType": os, "upgrades": offered(version) });
        let pools: Vec<Value> = agent_pools::of(world, &cluster.id)
            .into_iter()
            .map(|pool| {
                profile(
                    pool.id.name(),
                    pool.text("/properties/currentOrchestratorVersion")
                        .unwrap_or_default(),
                    pool.text("/properties/osType").unwrap_or("Linux"),
                )
            })
            .collect();
        let current = cluster
            .text("/properties/currentKubernetesVersion")
            .unwrap_or_default();
        let body = json!({
            "id": cluster.id.child("upgradeprofiles", "default").as_str(),
            "name": "default",
            "type": "Microsoft.ContainerService/managedClusters/upgradeprofiles",
            "properties": { "controlPlaneProfile": profile("master", current, "Linux"), "agentPoolProfiles": pools },
        });
        vec![("default".to_owned(), body)]
    },
);

/// `GET .../agentPools/{pool}/upgradeProfiles/default`.
pub const POOL_UPGRADE_PROFILES: Type = Type::computed(
    "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
    VERSIONS,
    |_, pool| {
        let version = pool
            .text("/properties/currentOrchestratorVersion")
            .unwrap_or_default();
        let sku = pool.text("/properties/osSKU").unwrap_or_default();
        let body = json!({
            "id": pool.id.child("upgradeprofiles", "default").as_str(),
            "name": "default",
            "type": "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
            "properties": {
                "kubernetesVersion": version, "osType": pool.text("/properties/osType").unwrap_or("Linux"),
                "upgrades": offered(version), "latestNodeImageVersion": node_image(sku),
            },
        });
        vec![("default".to_owned(), body)]
    },
);

fn offered(version: &str) -> Vec<Value> {
    upgrades(version)
        .into_iter()
        .map(|patch| {
            let mut value = json!({ "kubernetesVersion": patch });
            if preview(patch) {
                value["isPreview"] = json!(true);
            }
            value
        })
        .collect()
}

/// `GET .../managedClusters/{name}/availableAgentPoolVersions`.
///
/// # Errors
/// The cluster has no version yet.
pub fn available_pool_versions(
    _: &mut World,
    cluster: &Resource,
    _: &Request,
) -> ArmResult<Answer> {
    let current = cluster
        .text("/properties/currentKubernetesVersion")
        .ok_or_else(|| invalid("kubernetesVersion", "The cluster has no version yet"))?;
    let versions: Vec<Value> = MINORS
        .iter()
        .flat_map(|minor| minor.patches)
        .filter(|patch| !newer(patch, current))
        .map(|patch| {
            let mut value = json!({ "kubernetesVersion": patch });
            if *patch == current {
                value["default"] = json!(true);
            }
            value
        })
        .collect();
    Ok(Answer::json(
        200,
        json!({
            "id": cluster.id.child("availableagentpoolversions", "default").as_str(),
            "name": "default",
            "type": "Microsoft.ContainerService/managedClusters/availableAgentpoolVersions",
            "properties": { "agentPoolVersions": versions },
        }),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_minor_version_means_its_last_patch_and_stays_at_the_patch_that_is_there() {
        assert_eq!(resolve("1.34"), Some("1.34.2"));
        assert_eq!(resolve(""), Some("1.34.2"));
        assert_eq!(resolve("1.34.1"), Some("1.34.1"));
        assert_eq!(resolve("1.21"), None);
        assert_eq!(after("1.34", Some("1.34.1")), "1.34.1");
        assert_eq!(after("1.35", Some("1.34.1")), "1.35.1");
    }

    #[test]
    fn a_cluster_goes_one_minor_version_at_a_time_and_never_back() {
        check_cluster("1.34", Some("1.33.6"), "KubernetesOfficial").unwrap();
        let code = |wanted: &str| {
            check_cluster(wanted, Some("1.33.6"), "KubernetesOfficial")
                .unwrap_err()
                .code
        };
        assert_eq!(code("1.35"), "OperationNotAllowed");
        assert_eq!(code("1.33.5"), "OperationNotAllowed");
        assert_eq!(code("2.0"), "K8sVersionNotSupported");
    }

    #[test]
    fn a_pool_is_never_newer_than_its_cluster() {
        check_pool("1.34", None, "1.34.1").unwrap();
        check_pool("1.33.6", None, "1.34.1").unwrap();
        assert_eq!(
            check_pool("1.35", None, "1.34.1").unwrap_err().code,
            "NodePoolMcVersionIncompatible"
        );
        assert_eq!(
            check_pool("1.33.5", Some("1.33.6"), "1.34.1")
                .unwrap_err()
                .code,
            "OperationNotAllowed"
        );
    }
}
