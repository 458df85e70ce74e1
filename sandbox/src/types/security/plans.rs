//! The plans of Microsoft Defender for Cloud with their sub-plans and extensions, as the documentation of
//! `Pricings - Update` (2024-01-01) lists them.

/// One plan.
pub struct Plan {
    /// `Containers`.
    pub name: &'static str,
    /// The sub-plans; the first is taken when none is given. Empty when the plan has none.
    pub sub_plans: &'static [&'static str],
    /// The extensions, and whether they are on when the plan is turned on without naming them.
    pub extensions: &'static [(&'static str, bool)],
    /// The plans that took its place.
    pub replaced_by: &'static [&'static str],
}

const fn plan(name: &'static str) -> Plan {
    Plan {
        name,
        sub_plans: &[],
        extensions: &[],
        replaced_by: &[],
    }
}

/// Every plan, in the order of the list.
pub const PLANS: &[Plan] = &[
    Plan {
        sub_plans: &["P2", "P1"],
        extensions: &[
            ("MdeDesignatedSubscription", false),
            ("AgentlessVmScanning", true),
            ("FileIntegrityMonitoring", false),
        ],
        ..plan("VirtualMachines")
    },
    plan("SqlServers"),
    plan("AppServices"),
    Plan {
        sub_plans: &[
            "DefenderForStorageV2",
            "PerStorageAccount",
            "PerTransaction",
        ],
        extensions: &[
            ("OnUploadMalwareScanning", true),
            ("SensitiveDataDiscovery", true),
        ],
        ..plan("StorageAccounts")
    },
    plan("SqlServerVirtualMachines"),
    Plan {
        replaced_by: &["Containers"],
        ..plan("KubernetesService")
    },
    Plan {
        replaced_by: &["Containers"],
        ..plan("ContainerRegistry")
    },
    Plan {
        sub_plans: &["PerKeyVault", "PerTransaction"],
        ..plan("KeyVaults")
    },
    Plan {
        replaced_by: &["VirtualMachines"],
        ..plan("Dns")
    },
    Plan {
        sub_plans: &["PerSubscription", "PerApiCall"],
        ..plan("Arm")
    },
    plan("OpenSourceRelationalDatabases"),
    plan("CosmosDbs"),
    Plan {
        extensions: &[
            ("ContainerRegistriesVulnerabilityAssessments", true),
            ("AgentlessDiscoveryForKubernetes", true),
            ("AgentlessVmScanning", true),
            ("ContainerSensor", true),
            ("ContainerIntegrityContribution", false),
        ],
        ..plan("Containers")
    },
    Plan {
        extensions: &[
            ("SensitiveDataDiscovery", true),
            ("ContainerRegistriesVulnerabilityAssessments", true),
            ("AgentlessDiscoveryForKubernetes", true),
            ("AgentlessVmScanning", true),
            ("EntraPermissionsManagement", false),
            ("ApiPosture", false),
        ],
        ..plan("CloudPosture")
    },
    Plan {
        sub_plans: &["P1", "P2", "P3", "P4", "P5"],
        ..plan("Api")
    },
    Plan {
        extensions: &[("AIPromptEvidence", true)],
        ..plan("AI")
    },
];

/// The plan of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Plan> {
    PLANS
        .iter()
        .find(|plan| plan.name.eq_ignore_ascii_case(name))
}
