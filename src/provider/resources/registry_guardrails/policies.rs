//! The built-in policies for registries, and what each of them asks of a registry.
//!
//! Source: the repository Azure/azure-policy, `built-in-policies/policyDefinitions/Container Registry`.

use crate::arm::Json;

/// A built-in policy, by the argument that assigns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No registry that everyone on the internet reaches.
    UnrestrictedNetworkAccess,
    /// A private endpoint that is approved.
    PrivateLink,
    /// No public address at all.
    PublicNetworkAccess,
    /// No admin user.
    AdminAccount,
    /// The admin user is turned off.
    AdminAccountOff,
    /// Nothing leaves by export or import.
    Exports,
}

/// What is known of a policy.
#[derive(Debug)]
pub struct Facts {
    /// The argument that assigns it.
    pub argument: &'static str,
    /// What its assignment's name ends with.
    pub suffix: &'static str,
    /// The name of its definition, the same in all tenants.
    pub definition: &'static str,
    /// Its name in the portal.
    pub title: &'static str,
    /// The role that its identity needs to change registries, where it changes them.
    pub role: Option<&'static str>,
}

/// Contributor.
pub const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";

/// The longest of the suffixes, with the hyphen before it.
pub const LONGEST_SUFFIX: usize = 13;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UnrestrictedNetworkAccess,
        Self::PrivateLink,
        Self::PublicNetworkAccess,
        Self::AdminAccount,
        Self::AdminAccountOff,
        Self::Exports,
    ];

    /// The policy that an argument assigns.
    pub fn of(argument: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.facts().argument == argument)
    }

    /// What is known of it.
    pub const fn facts(self) -> &'static Facts {
        match self {
            Self::UnrestrictedNetworkAccess => &Facts {
                argument: "unrestricted_network_access",
                suffix: "network",
                definition: "d0793b48-0edc-4296-a390-4c75d1bdfd71",
                title: "Container registries should not allow unrestricted network access",
                role: None,
            },
            Self::PrivateLink => &Facts {
                argument: "private_link",
                suffix: "private-link",
                definition: "e8eef0a8-67cf-4eb4-9386-14b0e78733d4",
                title: "Container registries should use private link",
                role: None,
            },
            Self::PublicNetworkAccess => &Facts {
                argument: "public_network_access",
                suffix: "public",
                definition: "0fdf0491-d080-4575-b627-ad0e843cba0f",
                title: "Public network access should be disabled for Container registries",
                role: None,
            },
            Self::AdminAccount => &Facts {
                argument: "admin_account",
                suffix: "admin",
                definition: "dc921057-6b28-4fbe-9b83-f7bec05db6c2",
                title: "Container registries should have local admin account disabled",
                role: None,
            },
            Self::AdminAccountOff => &Facts {
                argument: "admin_account_off",
                suffix: "admin-off",
                definition: "79fdfe03-ffcb-4e55-b4d0-b925b8241759",
                title: "Configure container registries to disable local admin account",
                role: Some(CONTRIBUTOR),
            },
            Self::Exports => &Facts {
                argument: "exports",
                suffix: "exports",
                definition: "524b0254-c285-4903-bee6-bb8126cde579",
                title: "Container registries should have exports disabled",
                role: None,
            },
        }
    }

    /// The id of its definition.
    pub fn definition_id(self) -> String {
        let name = self.facts().definition;
        format!("/providers/Microsoft.Authorization/policyDefinitions/{name}")
    }

    /// Whether an assignment assigns it.
    pub fn is_assigned_by(self, assignment: &Json) -> bool {
        let id = assignment["properties"]["policyDefinitionId"].as_str();
        id.is_some_and(|id| id.eq_ignore_ascii_case(&self.definition_id()))
    }

    /// Whether a registry is as the policy wants it: the rule of its definition.
    pub fn is_met_by(self, registry: &Json) -> bool {
        let properties = &registry["properties"];
        let is = |json: &Json, value: &str| {
            json.as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        let public = &properties["publicNetworkAccess"];
        match self {
            Self::UnrestrictedNetworkAccess => {
                let default = &properties["networkRuleSet"]["defaultAction"];
                let open = |json: &Json, value: &str| json.is_null() || is(json, value);
                !(open(default, "Allow") && open(public, "Enabled"))
            }
            Self::PrivateLink => {
                let connections = properties["privateEndpointConnections"].as_array();
                connections.into_iter().flatten().any(|connection| {
                    let state = &connection["properties"]["privateLinkServiceConnectionState"];
                    is(&state["status"], "Approved")
                })
            }
            Self::PublicNetworkAccess => is(public, "Disabled"),
            Self::AdminAccount | Self::AdminAccountOff => properties["adminUserEnabled"] != true,
            Self::Exports => {
                is(public, "Disabled")
                    && is(
                        &properties["policies"]["exportPolicy"]["status"],
                        "disabled",
                    )
            }
        }
    }

    /// What makes a registry meet it, as an argument of `fkaks_registry`.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::UnrestrictedNetworkAccess => "exposure = \"allowlist\"",
            Self::PrivateLink => "exposure = \"private\", with an fkaks_private_registry_link",
            Self::PublicNetworkAccess => "exposure = \"private\"",
            Self::AdminAccount | Self::AdminAccountOff => "admin_enabled = false",
            Self::Exports => "exposure = \"private\" and export_policy_enabled = false",
        }
    }
}
