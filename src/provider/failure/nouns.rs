//! What people call the objects of Azure.

use crate::arm::ArmId;

/// What people call an object of that type.
#[must_use]
pub fn noun(id: &ArmId) -> &'static str {
    let kind = id.resource_type();
    NOUNS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&kind))
        .map_or("object", |(_, noun)| noun)
}

const NOUNS: &[(&str, &str)] = &[
    ("Microsoft.Resources/resourceGroups", "resource group"),
    ("Microsoft.Resources/subscriptions", "subscription"),
    ("Microsoft.Network/virtualNetworks", "virtual network"),
    ("Microsoft.Network/virtualNetworks/subnets", "subnet"),
    (
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "peering",
    ),
    ("Microsoft.Network/networkInterfaces", "network interface"),
    ("Microsoft.Network/privateEndpoints", "private endpoint"),
    (
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "DNS zone group",
    ),
    ("Microsoft.Network/privateDnsZones", "private DNS zone"),
    (
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "network link",
    ),
    ("Microsoft.Network/privateDnsZones/A", "A record"),
    ("Microsoft.Network/networkSecurityGroups", "security group"),
    ("Microsoft.Network/routeTables", "route table"),
    ("Microsoft.Network/natGateways", "NAT gateway"),
    ("Microsoft.Network/publicIPAddresses", "public IP address"),
    ("Microsoft.Network/publicIPPrefixes", "public IP prefix"),
    ("Microsoft.ContainerRegistry/registries", "registry"),
    ("Microsoft.ContainerService/managedClusters", "cluster"),
    (
        "Microsoft.ContainerService/managedClusters/agentPools",
        "node pool",
    ),
    (
        "Microsoft.ContainerService/managedClusters/namespaces/secrets",
        "pull secret",
    ),
    ("Microsoft.Authorization/roleAssignments", "role assignment"),
    ("Microsoft.ContainerRegistry/registries/tokens", "token"),
    (
        "Microsoft.ContainerRegistry/registries/scopeMaps",
        "scope map",
    ),
    ("Microsoft.KeyVault/vaults", "key vault"),
    ("Microsoft.KeyVault/vaults/secrets", "key vault secret"),
    (
        "Microsoft.Authorization/policyAssignments",
        "policy assignment",
    ),
    (
        "Microsoft.Authorization/policyExemptions",
        "policy exemption",
    ),
    ("Microsoft.PolicyInsights/remediations", "remediation"),
    ("Microsoft.Security/pricings", "Defender plan"),
    (
        "Microsoft.Insights/diagnosticSettings",
        "diagnostic setting",
    ),
    ("Microsoft.OperationalInsights/workspaces", "workspace"),
    (
        "Microsoft.ContainerRegistry/registries/replications",
        "replication",
    ),
    (
        "Microsoft.ContainerRegistry/registries/privateEndpointConnections",
        "endpoint connection",
    ),
];
