//! What a subnet is for, and what Azure asks of a subnet by its use: size, name, delegation,
//! and what may not be attached to it. One table; schema, documentation, plan and checks read it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a subnet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Nodes of an AKS cluster (and its pods, with node-subnet networking).
    AksNodes,
    /// Pods of an AKS cluster with a subnet of their own.
    AksPods,
    /// The API server of an AKS cluster with VNet integration.
    AksApiServer,
    /// Private endpoints.
    PrivateEndpoints,
    /// Azure Bastion.
    Bastion,
    /// Virtual machines to work from.
    Jumpbox,
    /// Build agents.
    Agents,
    /// Azure Firewall.
    Firewall,
    /// VPN and `ExpressRoute` gateways.
    Gateway,
    /// Inbound endpoints of a DNS private resolver.
    DnsResolverInbound,
    /// Outbound endpoints of a DNS private resolver.
    DnsResolverOutbound,
    /// Anything else.
    General,
}

/// What Azure asks of a subnet of one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// As users write it.
    pub name: &'static str,
    /// As messages call what lives there.
    pub title: &'static str,
    /// One sentence for the documentation.
    pub summary: &'static str,
    /// The longest IPv4 prefix that it can have.
    pub longest: u8,
    /// Why it may not be longer.
    pub longest_because: &'static str,
    /// The shortest IPv4 prefix that it can have, where Azure sets a limit.
    pub shortest: Option<u8>,
    /// The name that Azure demands, where it does.
    pub subnet_name: Option<&'static str>,
    /// The services that the subnet is delegated to unless the user says otherwise.
    pub delegations: &'static [&'static str],
    /// Who else writes delegations on it, which then are left alone.
    pub delegated_by: Option<&'static str>,
    /// What may not be attached to it.
    pub refuses: &'static [Refusal],
}

/// Something that a subnet of some purpose may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What.
    pub attachment: Attachment,
    /// Why, as the end of a sentence that begins with "because".
    pub because: &'static str,
}

/// What can be attached to a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attachment {
    /// A network security group.
    NetworkSecurityGroup,
    /// A route table.
    RouteTable,
    /// A NAT gateway.
    NatGateway,
    /// A delegation to a service.
    Delegation,
}

/// The service that AKS subnets are delegated to.
pub const AKS_SERVICE: &str = "Microsoft.ContainerService/managedClusters";

/// The service that the subnets of a DNS private resolver are delegated to.
pub const DNS_RESOLVER_SERVICE: &str = "Microsoft.Network/dnsResolvers";

/// What Azure assumes for a subnet's `privateEndpointNetworkPolicies` (Microsoft Learn, "Manage
/// network policies for private endpoints"): security groups and route tables do not apply to
/// private endpoints.
pub const DEFAULT_NETWORK_POLICIES: &str = "Disabled";

const AZURE_MINIMUM: &str = "Azure has no smaller subnets: it keeps five addresses of each";

const NOT_DELEGATED: Refusal = Refusal {
    attachment: Attachment::Delegation,
    because: "Azure refuses it in a delegated subnet",
};

/// A subnet that Azure asks nothing of.
const PLAIN: Rules = Rules {
    name: "general",
    title: "anything",
    summary: "Anything that Azure asks nothing special for.",
    longest: super::cidr::SMALLEST_SUBNET,
    longest_because: AZURE_MINIMUM,
    shortest: None,
    subnet_name: None,
    delegations: &[],
    delegated_by: None,
    refuses: &[],
};

// Sources, all Microsoft Learn: "Configure Azure CNI networking in AKS" and "Azure CNI Pod
// Subnet" (nodes, pods), "API Server VNet Integration", "What is a private endpoint?", "About
// Azure Bastion configuration settings", "Azure Firewall FAQ", "About VPN Gateway configuration
// settings", "What is Azure DNS Private Resolver?" (subnet restrictions).
const AKS_NODES: Rules = Rules {
    name: "aks_nodes",
    title: "the nodes of an AKS cluster",
    summary: "Nodes of an AKS cluster, and its pods where these have no network of their own. \
              Not delegated, and not shared with private endpoints.",
    refuses: &[NOT_DELEGATED],
    ..PLAIN
};

const AKS_PODS: Rules = Rules {
    name: "aks_pods",
    title: "the pods of an AKS cluster",
    summary: "Pods of an AKS cluster with a subnet of their own. AKS delegates it to itself; \
              that delegation is left alone.",
    longest: 27,
    longest_because: "AKS hands addresses to each node in batches of 16, and a /28 has only 11",
    delegated_by: Some("AKS"),
    ..PLAIN
};

const AKS_API_SERVER: Rules = Rules {
    name: "aks_api_server",
    title: "the API server of an AKS cluster",
    summary: "The API server of an AKS cluster with VNet integration. At least /28, for this \
              alone, delegated to `Microsoft.ContainerService/managedClusters`.",
    longest: 28,
    longest_because: "API Server VNet Integration reserves at least 9 addresses of its subnet",
    delegations: &[AKS_SERVICE],
    ..PLAIN
};

const PRIVATE_ENDPOINTS: Rules = Rules {
    name: "private_endpoints",
    title: "private endpoints",
    summary: "Private endpoints. A registry takes one address, and one more for each region that \
              it is in. Not delegated.",
    refuses: &[NOT_DELEGATED],
    ..PLAIN
};

const BASTION: Rules = Rules {
    name: "bastion",
    title: "Azure Bastion",
    summary: "Azure Bastion. At least /26; Azure demands the name `AzureBastionSubnet` and takes \
              no route table there.",
    longest: 26,
    longest_because: "Azure Bastion needs at least a /26 to scale out",
    subnet_name: Some("AzureBastionSubnet"),
    refuses: &[
        Refusal {
            attachment: Attachment::RouteTable,
            because: "user-defined routes break the traffic of Azure Bastion",
        },
        NOT_DELEGATED,
    ],
    ..PLAIN
};

const JUMPBOX: Rules = Rules {
    name: "jumpbox",
    title: "jumpboxes",
    summary: "Virtual machines to work from inside the network.",
    ..PLAIN
};

const AGENTS: Rules = Rules {
    name: "agents",
    title: "build agents",
    summary: "Build agents that reach a private registry from inside the network.",
    ..PLAIN
};

const FIREWALL: Rules = Rules {
    name: "firewall",
    title: "Azure Firewall",
    summary: "Azure Firewall. At least /26; Azure demands the name `AzureFirewallSubnet` and \
              takes no network security group there.",
    longest: 26,
    longest_because: "Azure Firewall needs at least a /26 to scale out",
    subnet_name: Some("AzureFirewallSubnet"),
    refuses: &[
        Refusal {
            attachment: Attachment::NetworkSecurityGroup,
            because: "Azure protects the firewall's subnet itself and refuses security groups",
        },
        NOT_DELEGATED,
    ],
    ..PLAIN
};

const GATEWAY: Rules = Rules {
    name: "gateway",
    title: "VPN and ExpressRoute gateways",
    summary: "VPN and ExpressRoute gateways. At least /27; Azure demands the name \
              `GatewaySubnet` and takes neither a network security group nor a NAT gateway there.",
    longest: 27,
    longest_because: "gateways of today's sizes, and coexisting ones, need at least a /27",
    subnet_name: Some("GatewaySubnet"),
    refuses: &[
        Refusal {
            attachment: Attachment::NetworkSecurityGroup,
            because: "a gateway may stop working behind a security group",
        },
        Refusal {
            attachment: Attachment::NatGateway,
            because: "Azure has no NAT gateways on a gateway's subnet",
        },
        NOT_DELEGATED,
    ],
    ..PLAIN
};

const DNS_RESOLVER_INBOUND: Rules = Rules {
    name: "dns_resolver_inbound",
    title: "an inbound endpoint of a DNS private resolver",
    summary: "Inbound endpoints of a DNS private resolver. /28 to /24, for this alone, delegated \
              to `Microsoft.Network/dnsResolvers`.",
    longest: 28,
    longest_because: "DNS private resolvers take subnets from /28 to /24",
    shortest: Some(24),
    delegations: &[DNS_RESOLVER_SERVICE],
    ..PLAIN
};

const DNS_RESOLVER_OUTBOUND: Rules = Rules {
    name: "dns_resolver_outbound",
    title: "an outbound endpoint of a DNS private resolver",
    summary: "Outbound endpoints of a DNS private resolver. /28 to /24, for this alone, \
              delegated to `Microsoft.Network/dnsResolvers`.",
    ..DNS_RESOLVER_INBOUND
};

impl Purpose {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::AksNodes,
        Self::AksPods,
        Self::AksApiServer,
        Self::PrivateEndpoints,
        Self::Bastion,
        Self::Jumpbox,
        Self::Agents,
        Self::Firewall,
        Self::Gateway,
        Self::DnsResolverInbound,
        Self::DnsResolverOutbound,
        Self::General,
    ];

    /// The names of all of them, as users write them.
    pub const NAMES: [&str; 12] = {
        let mut names = [""; 12];
        let mut i = 0;
        while i < names.len() {
            names[i] = Self::ALL[i].rules().name;
            i += 1;
        }
        names
    };

    /// What Azure asks of such a subnet.
    #[must_use]
    pub const fn rules(self) -> &'static Rules {
        match self {
            Self::AksNodes => &AKS_NODES,
            Self::AksPods => &AKS_PODS,
            Self::AksApiServer => &AKS_API_SERVER,
            Self::PrivateEndpoints => &PRIVATE_ENDPOINTS,
            Self::Bastion => &BASTION,
            Self::Jumpbox => &JUMPBOX,
            Self::Agents => &AGENTS,
            Self::Firewall => &FIREWALL,
            Self::Gateway => &GATEWAY,
            Self::DnsResolverInbound => &DNS_RESOLVER_INBOUND,
            Self::DnsResolverOutbound => &DNS_RESOLVER_OUTBOUND,
            Self::General => &PLAIN,
        }
    }

    /// The purpose for which Azure demands this subnet name. Names are compared without case.
    #[must_use]
    pub fn of_subnet_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| {
            purpose
                .rules()
                .subnet_name
                .is_some_and(|demanded| demanded.eq_ignore_ascii_case(name))
        })
    }

    /// Whether an AKS cluster lives there.
    #[must_use]
    pub const fn is_aks(self) -> bool {
        matches!(self, Self::AksNodes | Self::AksPods | Self::AksApiServer)
    }

    /// Why such a subnet may not have that, where it may not.
    #[must_use]
    pub fn refuses(self, attachment: Attachment) -> Option<&'static Refusal> {
        self.rules()
            .refuses
            .iter()
            .find(|refusal| refusal.attachment == attachment)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rules().name)
    }
}

impl FromStr for Purpose {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.rules().name == text)
            .ok_or_else(|| {
                format!(
                    "{text:?} is no purpose of a subnet; there are {}",
                    Self::NAMES.join(", ")
                )
            })
    }
}

impl Attachment {
    /// The argument that attaches it.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::NetworkSecurityGroup => "network_security_group_id",
            Self::RouteTable => "route_table_id",
            Self::NatGateway => "nat_gateway_id",
            Self::Delegation => "delegations",
        }
    }

    /// As messages call it, with its article.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NetworkSecurityGroup => "a network security group",
            Self::RouteTable => "a route table",
            Self::NatGateway => "a NAT gateway",
            Self::Delegation => "a delegation",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn every_purpose_is_written_as_its_table_names_it() {
        for (purpose, name) in Purpose::ALL.into_iter().zip(Purpose::NAMES) {
            assert_eq!(name.parse(), Ok(purpose));
            assert_eq!(
                serde_json::to_value(purpose).unwrap(),
                serde_json::Value::String(name.to_owned()),
                "the enum's name and the table's name differ"
            );
        }
        assert!(
            "nodes"
                .parse::<Purpose>()
                .unwrap_err()
                .contains("aks_nodes, aks_pods")
        );
    }

    #[test]
    fn demanded_names_lead_back_to_their_purpose() {
        assert_eq!(
            Purpose::of_subnet_name("azurebastionsubnet"),
            Some(Purpose::Bastion)
        );
        assert_eq!(
            Purpose::of_subnet_name("GatewaySubnet"),
            Some(Purpose::Gateway)
        );
        assert_eq!(Purpose::of_subnet_name("bastion"), None);
    }

    #[test]
    fn limits_of_size_leave_room_and_default_delegations_are_not_refused() {
        for purpose in Purpose::ALL {
            let rules = purpose.rules();
            assert!(rules.longest <= super::super::cidr::SMALLEST_SUBNET);
            assert!(
                rules
                    .shortest
                    .is_none_or(|shortest| shortest <= rules.longest)
            );
            assert!(
                rules.delegations.is_empty() || purpose.refuses(Attachment::Delegation).is_none(),
                "{purpose} refuses its own default"
            );
            assert!(rules.summary.ends_with('.'), "{purpose}");
        }
    }
}
