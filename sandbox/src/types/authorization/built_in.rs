//! The built-in roles that this sandbox's types meet, with Azure's GUIDs and permissions (Microsoft Learn,
//! "Azure built-in roles"; the reference of the container registry's roles). Others are not known here:
//! assigning one answers `RoleDefinitionDoesNotExist`.

use serde_json::{Value, json};

use super::definitions::Permissions;

/// One built-in role.
pub struct Role {
    /// Its name, `AcrPull`.
    pub name: &'static str,
    /// Its GUID, the same in every tenant.
    pub guid: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
}

/// The role with this GUID, in any case.
#[must_use]
pub fn find(guid: &str) -> Option<&'static Role> {
    ROLES
        .iter()
        .find(|role| role.guid.eq_ignore_ascii_case(guid))
}

impl Role {
    /// What it permits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Permissions {
            actions: texts(self.actions),
            not_actions: texts(self.not_actions),
            data_actions: texts(self.data_actions),
            not_data_actions: Vec::new(),
        }
    }

    /// What a GET answers, seen from a subscription; without one when that is empty.
    #[must_use]
    pub fn body(&self, subscription: &str) -> Value {
        let scope = match subscription {
            "" => String::new(),
            id => format!("/subscriptions/{id}"),
        };
        json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", self.guid),
            "name": self.guid,
            "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": self.description,
                "assignableScopes": ["/"],
                "permissions": [{
                    "actions": self.actions,
                    "notActions": self.not_actions,
                    "dataActions": self.data_actions,
                    "notDataActions": [],
                }],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2021-11-11T20:13:07.4993029Z",
                "createdBy": null,
                "updatedBy": null,
            },
        })
    }
}

/// The roles, those with rights over everything first.
#[rustfmt::skip]
pub static ROLES: &[Role] = &[
    Role {
        name: "Owner", guid: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        description: "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        actions: &["*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Contributor", guid: "b24988ac-6180-42a0-ab88-20f7382dd24c",
        description: "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.",
        actions: &["*"],
        not_actions: &["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action", "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete", "Microsoft.Resources/deploymentStacks/manageDenySetting/action", "Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action"],
        data_actions: &[],
    },
    Role {
        name: "Reader", guid: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        description: "View all resources, but does not allow you to make any changes.",
        actions: &["*/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "User Access Administrator", guid: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        description: "Lets you manage user access to Azure resources.",
        actions: &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Role Based Access Control Administrator", guid: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        description: "Manage access to Azure resources by assigning roles using Azure RBAC.",
        actions: &["Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "AcrPull", guid: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        description: "acr pull",
        actions: &["Microsoft.ContainerRegistry/registries/pull/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "AcrPush", guid: "8311e382-0749-4cb8-b61a-304f252e45ec",
        description: "acr push",
        actions: &["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "AcrDelete", guid: "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        description: "acr delete",
        actions: &["Microsoft.ContainerRegistry/registries/artifacts/delete"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "AcrImageSigner", guid: "6cef56e8-d556-48e5-a04f-b8e64114680f",
        description: "acr image signer",
        actions: &["Microsoft.ContainerRegistry/registries/sign/write"],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/trustedCollections/write"],
    },
    Role {
        name: "AcrQuarantineReader", guid: "cdda3590-29a3-44f6-95f2-9f980659eb04",
        description: "acr quarantine data reader",
        actions: &["Microsoft.ContainerRegistry/registries/quarantine/read"],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read"],
    },
    Role {
        name: "AcrQuarantineWriter", guid: "c8d4ff99-41c3-41a8-9f60-21dfdad59608",
        description: "acr quarantine data writer",
        actions: &["Microsoft.ContainerRegistry/registries/quarantine/read", "Microsoft.ContainerRegistry/registries/quarantine/write"],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read", "Microsoft.ContainerRegistry/registries/quarantinedArtifacts/write"],
    },
    Role {
        name: "Container Registry Repository Reader", guid: "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        description: "Allows for read access to Azure Container Registry repositories, but excluding catalog listing.",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/repositories/metadata/read", "Microsoft.ContainerRegistry/registries/repositories/content/read"],
    },
    Role {
        name: "Container Registry Repository Writer", guid: "2a1e307c-b015-4ebd-883e-5b7698a07328",
        description: "Allows for read and write access to Azure Container Registry repositories, but excluding catalog listing.",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/repositories/metadata/read", "Microsoft.ContainerRegistry/registries/repositories/content/read", "Microsoft.ContainerRegistry/registries/repositories/metadata/write", "Microsoft.ContainerRegistry/registries/repositories/content/write"],
    },
    Role {
        name: "Container Registry Repository Contributor", guid: "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
        description: "Allows for read, write, and delete access to Azure Container Registry repositories, but excluding catalog listing.",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/repositories/metadata/read", "Microsoft.ContainerRegistry/registries/repositories/content/read", "Microsoft.ContainerRegistry/registries/repositories/metadata/write", "Microsoft.ContainerRegistry/registries/repositories/content/write", "Microsoft.ContainerRegistry/registries/repositories/metadata/delete", "Microsoft.ContainerRegistry/registries/repositories/content/delete"],
    },
    Role {
        name: "Container Registry Repository Catalog Lister", guid: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
        description: "Allows for listing all repositories in an Azure Container Registry.",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/catalog/read"],
    },
    Role {
        name: "Container Registry Data Importer and Data Reader", guid: "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
        description: "Provides the ability to import images into a registry through the registry import operation. Provides the ability to list repositories, view images and tags, get manifests, and pull images.",
        actions: &["Microsoft.ContainerRegistry/registries/importImage/action", "Microsoft.ContainerRegistry/registries/read", "Microsoft.ContainerRegistry/registries/pull/read"],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/repositories/metadata/read", "Microsoft.ContainerRegistry/registries/repositories/content/read", "Microsoft.ContainerRegistry/registries/catalog/read"],
    },
    Role {
        name: "Container Registry Contributor and Data Access Configuration Administrator", guid: "3bc748fc-213d-45c1-8d91-9da5725539b9",
        description: "Provides permissions to create, list, and update container registries and registry configuration properties, and to configure data access, without data plane permissions.",
        actions: &["Microsoft.ContainerRegistry/registries/*/read", "Microsoft.ContainerRegistry/registries/read", "Microsoft.ContainerRegistry/registries/write", "Microsoft.ContainerRegistry/registries/delete", "Microsoft.ContainerRegistry/registries/listCredentials/action", "Microsoft.ContainerRegistry/registries/regenerateCredential/action", "Microsoft.ContainerRegistry/registries/generateCredentials/action", "Microsoft.ContainerRegistry/registries/replications/*", "Microsoft.ContainerRegistry/registries/webhooks/*", "Microsoft.ContainerRegistry/registries/scopeMaps/*", "Microsoft.ContainerRegistry/registries/tokens/*", "Microsoft.ContainerRegistry/registries/cacheRules/*", "Microsoft.ContainerRegistry/registries/credentialSets/*", "Microsoft.ContainerRegistry/registries/privateEndpointConnections/*", "Microsoft.ContainerRegistry/registries/privateEndpointConnectionsApproval/action", "Microsoft.ContainerRegistry/locations/operationResults/read", "Microsoft.ContainerRegistry/checkNameAvailability/read", "Microsoft.Authorization/*/read", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read"],
        not_actions: &["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/quarantine/read"],
        data_actions: &[],
    },
    Role {
        name: "Container Registry Configuration Reader and Data Access Configuration Reader", guid: "69b07be0-09bf-439a-b9a6-e73de851bd59",
        description: "Provides permissions to list container registries and registry configuration properties, and data access configuration, without data plane permissions.",
        actions: &["Microsoft.ContainerRegistry/registries/*/read", "Microsoft.ContainerRegistry/registries/read", "Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read"],
        not_actions: &["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/quarantine/read"],
        data_actions: &[],
    },
    Role {
        name: "Network Contributor", guid: "4d97b98b-1d4f-4787-a291-c67834d212e7",
        description: "Lets you manage networks, but not access to them.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Network/*", "Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Private DNS Zone Contributor", guid: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        description: "Lets you manage private DNS zone resources, but not the virtual networks they are linked to.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.Network/privateDnsZones/*", "Microsoft.Network/privateDnsOperationResults/*", "Microsoft.Network/privateDnsOperationStatuses/*", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/join/action"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "DNS Zone Contributor", guid: "befefa01-2a29-4197-83a8-272ff33ce314",
        description: "Lets you manage DNS zones and record sets in Azure DNS, but does not let you control who has access to them.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.Network/dnsZones/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Managed Identity Operator", guid: "f1a07417-d97a-45cb-824c-7a7467783830",
        description: "Read and Assign User Assigned Identity.",
        actions: &["Microsoft.ManagedIdentity/userAssignedIdentities/*/read", "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action", "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Managed Identity Contributor", guid: "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        description: "Create, Read, Update, and Delete User Assigned Identity.",
        actions: &["Microsoft.ManagedIdentity/userAssignedIdentities/read", "Microsoft.ManagedIdentity/userAssignedIdentities/write", "Microsoft.ManagedIdentity/userAssignedIdentities/delete", "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Key Vault Administrator", guid: "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        description: "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and secrets.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*"],
    },
    Role {
        name: "Key Vault Contributor", guid: "f25e0fa2-a7c8-4377-a976-54943a77a395",
        description: "Lets you manage key vaults, but not access to them.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.KeyVault/*"],
        not_actions: &["Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*", "Microsoft.KeyVault/managedHsms/*"],
        data_actions: &[],
    },
    Role {
        name: "Key Vault Reader", guid: "21090545-7ca7-4776-b22c-e363652d74d2",
        description: "Read metadata of key vaults and its certificates, keys, and secrets.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    },
    Role {
        name: "Key Vault Secrets Officer", guid: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        description: "Perform any action on the secrets of a key vault, except manage permissions.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*", "Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/secrets/*"],
    },
    Role {
        name: "Key Vault Secrets User", guid: "4633458b-17de-408a-b874-0445c86b69e6",
        description: "Read secret contents.",
        actions: &[],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    },
    Role {
        name: "Key Vault Crypto Service Encryption User", guid: "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        description: "Read metadata of keys and perform wrap/unwrap operations.",
        actions: &["Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read", "Microsoft.EventGrid/eventSubscriptions/delete"],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/wrap/action", "Microsoft.KeyVault/vaults/keys/unwrap/action"],
    },
    Role {
        name: "Monitoring Contributor", guid: "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        description: "Can read all monitoring data and update monitoring settings.",
        actions: &["*/read", "Microsoft.Insights/*", "Microsoft.OperationalInsights/workspaces/write", "Microsoft.OperationalInsights/workspaces/intelligencepacks/*", "Microsoft.OperationalInsights/workspaces/savedSearches/*", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.OperationalInsights/workspaces/sharedKeys/action", "Microsoft.OperationalInsights/workspaces/storageinsightconfigs/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Monitoring Reader", guid: "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        description: "Can read all monitoring data.",
        actions: &["*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Monitoring Metrics Publisher", guid: "3913510d-42f4-4e42-8a64-420c390055eb",
        description: "Enables publishing metrics against Azure resources",
        actions: &["Microsoft.Insights/Register/Action", "Microsoft.Support/*", "Microsoft.Resources/subscriptions/resourceGroups/read"],
        not_actions: &[],
        data_actions: &["Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"],
    },
    Role {
        name: "Log Analytics Contributor", guid: "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
        description: "Log Analytics Contributor can read all monitoring data and edit monitoring settings.",
        actions: &["*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Insights/diagnosticSettings/*", "Microsoft.OperationalInsights/*", "Microsoft.OperationsManagement/*", "Microsoft.Resources/deployments/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Log Analytics Reader", guid: "73c42c96-874c-492b-b04d-ab87d138a893",
        description: "Log Analytics Reader can view and search all monitoring data as well as and view monitoring settings.",
        actions: &["*/read", "Microsoft.OperationalInsights/workspaces/analytics/query/action", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"],
        not_actions: &["Microsoft.OperationalInsights/workspaces/sharedKeys/read"],
        data_actions: &[],
    },
    Role {
        name: "Security Reader", guid: "39bc4728-0917-49c7-9d2c-d95423bc2eb4",
        description: "View permissions for Microsoft Defender for Cloud.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/read", "Microsoft.operationalInsights/workspaces/*/read", "Microsoft.Resources/deployments/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Security/*/read", "Microsoft.Support/*/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Security Admin", guid: "fb1c8493-542b-48eb-b624-b4c8fea62acd",
        description: "View and update permissions for Microsoft Defender for Cloud.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Authorization/policyAssignments/*", "Microsoft.Authorization/policyDefinitions/*", "Microsoft.Authorization/policyExemptions/*", "Microsoft.Authorization/policySetDefinitions/*", "Microsoft.Insights/alertRules/*", "Microsoft.Management/managementGroups/read", "Microsoft.operationalInsights/workspaces/*/read", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Security/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Resource Policy Contributor", guid: "36243c78-bf99-498c-9df9-86d9f8d28608",
        description: "Users with rights to create/modify resource policy, create support ticket and read resources/hierarchy.",
        actions: &["*/read", "Microsoft.Authorization/policyassignments/*", "Microsoft.Authorization/policydefinitions/*", "Microsoft.Authorization/policyexemptions/*", "Microsoft.Authorization/policysetdefinitions/*", "Microsoft.PolicyInsights/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Azure Kubernetes Service Contributor Role", guid: "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        description: "Grants access to read and write Azure Kubernetes Service clusters",
        actions: &["Microsoft.ContainerService/locations/*", "Microsoft.ContainerService/managedClusters/*", "Microsoft.ContainerService/managedclustersnapshots/*", "Microsoft.ContainerService/snapshots/*", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Azure Kubernetes Service Cluster Admin Role", guid: "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
        description: "List cluster admin credential action.",
        actions: &["Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action", "Microsoft.ContainerService/managedClusters/read", "Microsoft.ContainerService/managedClusters/runcommand/action"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Azure Kubernetes Service Cluster User Role", guid: "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        description: "List cluster user credential action.",
        actions: &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", "Microsoft.ContainerService/managedClusters/read"],
        not_actions: &[],
        data_actions: &[],
    },
    Role {
        name: "Azure Kubernetes Service RBAC Cluster Admin", guid: "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        description: "Lets you manage all resources in the cluster.",
        actions: &["Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/operationresults/read", "Microsoft.Resources/subscriptions/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"],
        not_actions: &[],
        data_actions: &["Microsoft.ContainerService/managedClusters/*"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_guid_and_a_name_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for role in ROLES {
            assert!(uuid::Uuid::parse_str(role.guid).is_ok(), "{}", role.name);
            assert!(
                seen.insert(role.guid) && seen.insert(role.name),
                "{} is there twice",
                role.name
            );
            assert!(
                role.actions.len() + role.data_actions.len() > 0,
                "{} permits nothing",
                role.name
            );
        }
    }
}
