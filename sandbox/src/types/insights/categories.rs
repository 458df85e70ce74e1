//! What each type can send: the categories of its logs and metrics, and the groups of the logs, as Azure
//! Monitor's reference of supported resource logs lists them.

use serde_json::{Value, json};

use crate::store::{Resource, World};

/// A category of logs, and whether it belongs to the group `audit` besides `allLogs`.
pub type Log = (&'static str, bool);

/// The groups that a setting may name.
pub const GROUPS: &[&str] = &["allLogs", "audit"];

/// What a type sends.
pub struct Sends {
    kind: &'static str,
    /// The categories of its logs.
    pub logs: &'static [Log],
    /// The categories of its metrics.
    pub metrics: &'static [&'static str],
}

const ALL_METRICS: &[&str] = &["AllMetrics"];

const TABLE: &[Sends] = &[
    Sends {
        kind: "Microsoft.ContainerRegistry/registries",
        logs: &[
            ("ContainerRegistryLoginEvents", true),
            ("ContainerRegistryRepositoryEvents", true),
        ],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.ContainerService/managedClusters",
        logs: &[
            ("kube-apiserver", false),
            ("kube-audit", true),
            ("kube-audit-admin", true),
            ("kube-controller-manager", false),
            ("kube-scheduler", false),
            ("cluster-autoscaler", false),
            ("cloud-controller-manager", false),
            ("guard", true),
            ("csi-azuredisk-controller", false),
            ("csi-azurefile-controller", false),
            ("csi-snapshot-controller", false),
        ],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.KeyVault/vaults",
        logs: &[
            ("AuditEvent", true),
            ("AzurePolicyEvaluationDetails", false),
        ],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.OperationalInsights/workspaces",
        logs: &[("Audit", true), ("SummaryLogs", false)],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Network/virtualNetworks",
        logs: &[("VMProtectionAlerts", false)],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Network/networkSecurityGroups",
        logs: &[
            ("NetworkSecurityGroupEvent", false),
            ("NetworkSecurityGroupRuleCounter", false),
        ],
        metrics: &[],
    },
    Sends {
        kind: "Microsoft.Network/publicIPAddresses",
        logs: &[
            ("DDoSProtectionNotifications", true),
            ("DDoSMitigationFlowLogs", true),
            ("DDoSMitigationReports", true),
        ],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Network/loadBalancers",
        logs: &[("LoadBalancerHealthEvent", false)],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Network/natGateways",
        logs: &[],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Network/privateEndpoints",
        logs: &[],
        metrics: ALL_METRICS,
    },
    Sends {
        kind: "Microsoft.Resources/subscriptions",
        logs: &[
            ("Administrative", false),
            ("Security", false),
            ("ServiceHealth", false),
            ("Alert", false),
            ("Recommendation", false),
            ("Policy", false),
            ("Autoscale", false),
            ("ResourceHealth", false),
        ],
        metrics: &[],
    },
];

/// What resources of the type send; `None` when they have no diagnostic settings.
#[must_use]
pub fn of(kind: &str) -> Option<&'static Sends> {
    TABLE
        .iter()
        .find(|sends| sends.kind.eq_ignore_ascii_case(kind))
}

impl Sends {
    /// The categories that an entry of a setting means: one of the logs, or those of a group.
    #[must_use]
    pub fn expanded(&self, category: Option<&str>, group: Option<&str>) -> Vec<&'static str> {
        let named =
            |name: &str| category.is_some_and(|category| category.eq_ignore_ascii_case(name));
        let grouped = |audit: bool| match group {
            Some(group) if group.eq_ignore_ascii_case("allLogs") => true,
            Some(group) if group.eq_ignore_ascii_case("audit") => audit,
            _ => false,
        };
        self.logs
            .iter()
            .filter(|(name, audit)| named(name) || grouped(*audit))
            .map(|(name, _)| *name)
            .collect()
    }
}

/// `GET {resource}/providers/Microsoft.Insights/diagnosticSettingsCategories`.
pub fn list(_: &World, target: &Resource) -> Vec<(String, Value)> {
    let Some(sends) = of(&target.type_name) else {
        return Vec::new();
    };
    let entry = |name: &str, properties: Value| {
        let id = format!(
            "{}/providers/microsoft.insights/diagnosticSettingsCategories/{name}",
            target.id
        );
        let body = json!({
            "id": id,
            "type": "Microsoft.Insights/diagnosticSettingsCategories",
            "name": name,
            "location": null,
            "kind": null,
            "tags": null,
            "properties": properties,
            "identity": null,
        });
        (name.to_owned(), body)
    };
    let logs = sends.logs.iter().map(|(name, audit)| {
        let groups: &[&str] = match audit {
            true => &["audit", "allLogs"],
            false => &["allLogs"],
        };
        entry(
            name,
            json!({ "categoryType": "Logs", "categoryGroups": groups }),
        )
    });
    let metrics = sends
        .metrics
        .iter()
        .map(|name| entry(name, json!({ "categoryType": "Metrics" })));
    metrics.chain(logs).collect()
}
