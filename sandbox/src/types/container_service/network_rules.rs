//! What a cluster's network profile may be, and what of it can change.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::defaults::{Plugin, plugin};
use super::pool_rules::same;
use super::{agent_pools, change_not_allowed, invalid, number};
use crate::errors::{ArmError, ArmResult};
use crate::store::Resource;
use crate::types::network::addresses::overlap;

const PROFILE: &str = "/properties/networkProfile";

/// Ranges that AKS uses itself (AKS documentation, "Prerequisites" of each network plugin).
const RESERVED: &[&str] = &[
    "169.254.0.0/16",
    "172.30.0.0/16",
    "172.31.0.0/16",
    "192.0.2.0/24",
];

/// Ports that one outbound address has for all nodes (AKS documentation, outbound ports).
const PORTS_OF_ADDRESS: i64 = 64_000;

fn at(name: &str) -> String {
    format!("{PROFILE}/{name}")
}

fn bad(code: &str, target: &str, message: impl Into<String>) -> ArmError {
    ArmError::bad(code, message).at(format!("networkProfile.{target}"))
}

/// Checks the profile of a completed cluster on its own.
///
/// # Errors
/// Azure's code for each rule.
pub fn valid(new: &Resource, pools: &[Resource]) -> ArmResult<()> {
    plugins(new)?;
    ranges(new)?;
    outbound(new)?;
    load_balancer(new, pools)?;
    let count = number(
        new,
        &at("natGatewayProfile/managedOutboundIPProfile/count"),
        1,
    );
    if !(1..=16).contains(&count) {
        return Err(bad(
            "InvalidNATGatewayProfileManagedOutboundIPCount",
            "natGatewayProfile.managedOutboundIPProfile.count",
            format!("The number of managed outbound IPs {count} is not between 1 and 16."),
        ));
    }
    Ok(())
}

fn plugins(new: &Resource) -> ArmResult<()> {
    let text = |name: &str| new.text(&at(name)).unwrap_or_default().to_owned();
    let (name, mode, policy, plane) = (
        text("networkPlugin"),
        text("networkPluginMode"),
        text("networkPolicy"),
        text("networkDataplane"),
    );
    if !["azure", "kubenet", "none"].contains(&name.as_str()) {
        return Err(bad(
            "UnknownNetworkPlugin",
            "networkPlugin",
            format!("The network plugin {name} is none of azure, kubenet, none."),
        ));
    }
    if !mode.is_empty() && (mode != "overlay" || name != "azure") {
        return Err(invalid(
            "networkProfile.networkPluginMode",
            format!(
                "The mode {mode} is not supported with the network plugin {name}; overlay needs azure"
            ),
        ));
    }
    let unsupported = |why: String| Err(bad("NetworkPolicyNotSupported", "networkPolicy", why));
    match (policy.as_str(), name.as_str()) {
        ("none", _) | ("calico", "azure" | "kubenet") => {}
        ("azure", "kubenet") => {
            return Err(bad(
                "NetworkPolicyAzureNotSupportedForKubenet",
                "networkPolicy",
                "Network policy azure is not supported for the network plugin kubenet.",
            ));
        }
        (_, "none") => {
            return Err(bad(
                "NetworkPolicyNotSupportedForNone",
                "networkPolicy",
                format!("Network policy {policy} is not supported for the network plugin none."),
            ));
        }
        ("azure", "azure") if plane != "cilium" => {}
        ("cilium", "azure") if plane == "cilium" => {}
        ("azure" | "calico" | "cilium", _) => {
            return unsupported(format!(
                "Network policy {policy} is not supported with the network plugin {name} and the dataplane {plane}: cilium needs the plugin azure and the dataplane cilium."
            ));
        }
        _ => {
            return unsupported(format!(
                "The network policy {policy} is none of none, calico, azure, cilium."
            ));
        }
    }
    if plane == "cilium" && policy == "calico" {
        return unsupported(
            "Network policy calico is not supported with the dataplane cilium.".into(),
        );
    }
    // In an overlay, with pod subnets and, since April 2025, in the node subnet.
    if plane == "cilium" && name != "azure" {
        return Err(invalid(
            "networkProfile.networkDataplane",
            "The dataplane cilium needs the network plugin azure",
        ));
    }
    Ok(())
}

/// A range of the profile; host bits do not matter to AKS.
fn range(new: &Resource, name: &str) -> ArmResult<Option<IpNet>> {
    let Some(text) = new.text(&at(name)) else {
        return Ok(None);
    };
    let net: IpNet = text.parse().map_err(|_| {
        bad(
            "CidrStringParseError",
            name,
            format!("The CIDR {text} of {name} cannot be parsed."),
        )
    })?;
    Ok(Some(net.trunc()))
}

/// The ranges of services and pods, for comparison with those of networks.
///
/// # Errors
/// `CidrStringParseError`.
pub fn own_ranges(new: &Resource) -> ArmResult<(Option<IpNet>, Option<IpNet>)> {
    Ok((range(new, "serviceCidr")?, range(new, "podCidr")?))
}

fn ranges(new: &Resource) -> ArmResult<()> {
    let (service, pod) = own_ranges(new)?;
    for (net, name) in [(service, "serviceCidr"), (pod, "podCidr")] {
        let Some(net) = net else { continue };
        for own in RESERVED {
            if own.parse::<IpNet>().is_ok_and(|own| overlap(&own, &net)) {
                return Err(invalid(
                    &format!("networkProfile.{name}"),
                    format!("{net} overlaps with {own}, which AKS uses itself"),
                ));
            }
        }
    }
    let Some(service) = service else {
        return Ok(());
    };
    if service.prefix_len() < 12 {
        return Err(invalid(
            "networkProfile.serviceCidr",
            format!("{service} is larger than /12"),
        ));
    }
    if let Some(pod) = pod.filter(|pod| overlap(pod, &service)) {
        return Err(bad(
            "PodCidrOverlapServiceCidr",
            "podCidr",
            format!("The specified pod CIDR {pod} is conflicted with the service CIDR {service}"),
        ));
    }
    let text = new.text(&at("dnsServiceIP")).unwrap_or_default();
    let Ok(dns) = text.parse::<IpAddr>() else {
        return Err(bad(
            "DnsServiceIpParseError",
            "dnsServiceIP",
            format!("The DNS service IP {text} cannot be parsed."),
        ));
    };
    if !service.contains(&dns) {
        return Err(bad(
            "DnsServiceIpOutOfServiceCidr",
            "dnsServiceIP",
            format!(
                "The specified DNS service IP {dns} is not in the range of service CIDR {service}."
            ),
        ));
    }
    let first = service.hosts().next();
    if dns == service.network() || Some(dns) == first {
        return Err(bad(
            "DnsServiceIpConflicting",
            "dnsServiceIP",
            format!(
                "The specified DNS service IP {dns} is conflicted with the predefined API server IP, the first address of {service}."
            ),
        ));
    }
    if dns == service.broadcast() {
        return Err(bad(
            "DnsBroadcastAddressConflicting",
            "dnsServiceIP",
            format!(
                "The specified DNS service IP {dns} is conflicted with the broadcast address of {service}."
            ),
        ));
    }
    Ok(())
}

fn outbound(new: &Resource) -> ArmResult<()> {
    let outbound = new.text(&at("outboundType")).unwrap_or_default();
    let known = [
        "loadBalancer",
        "userDefinedRouting",
        "managedNATGateway",
        "userAssignedNATGateway",
        "none",
    ];
    if !known.contains(&outbound) {
        return Err(bad(
            "UnsupportedOutboundType",
            "outboundType",
            format!(
                "The outbound type {outbound} is none of {}.",
                known.join(", ")
            ),
        ));
    }
    if new.text(&at("loadBalancerSku")) != Some("standard") {
        return Err(bad(
            "InvalidLoadBalancerSku",
            "loadBalancerSku",
            "The load balancer SKU must be standard: basic load balancers are retired.",
        ));
    }
    let profile = new.at(&at("loadBalancerProfile")).is_some();
    match outbound {
        "userDefinedRouting" if profile => Err(bad(
            "InvalidUserDefinedRoutingWithLoadBalancerProfile",
            "loadBalancerProfile",
            "UserDefinedRouting and load balancer profile are mutually exclusive. Please refer to http://aka.ms/aks/outboundtype for more details.",
        )),
        "loadBalancer" => Ok(()),
        other if profile => Err(bad(
            "InvalidLoadBalancerProfile",
            "loadBalancerProfile",
            format!("A load balancer profile is not allowed with the outbound type {other}."),
        )),
        _ => Ok(()),
    }
}

/// One kind of outbound address, and numbers in their bounds.
fn load_balancer(new: &Resource, pools: &[Resource]) -> ArmResult<()> {
    let profile = at("loadBalancerProfile");
    if new.at(&profile).is_none() {
        return Ok(());
    }
    let has = |name: &str| new.at(&format!("{profile}/{name}")).is_some();
    let kinds = ["managedOutboundIPs", "outboundIPs", "outboundIPPrefixes"];
    if kinds.iter().filter(|kind| has(kind)).count() != 1 {
        return Err(bad(
            "InvalidLoadBalancerProfile",
            "loadBalancerProfile",
            "Load balancer profile must specify exactly one of ManagedOutboundIPs, OutboundIPPrefixes and OutboundIPs.",
        ));
    }
    for (kind, list, code) in [
        (
            "outboundIPs",
            "publicIPs",
            "InvalidLoadBalancerProfileOutboundIPs",
        ),
        (
            "outboundIPPrefixes",
            "publicIPPrefixes",
            "InvalidLoadBalancerProfileOutboundIPPrefixes",
        ),
    ] {
        if has(kind) && new.items(&format!("{profile}/{kind}/{list}")).is_empty() {
            return Err(bad(
                code,
                &format!("loadBalancerProfile.{kind}"),
                format!("{kind} must name at least one of {list}."),
            ));
        }
    }
    let count = number(new, &format!("{profile}/managedOutboundIPs/count"), 1);
    if has("managedOutboundIPs") && !(1..=100).contains(&count) {
        return Err(bad(
            "InvalidLoadBalancerProfileManagedOutboundIPCount",
            "loadBalancerProfile.managedOutboundIPs.count",
            format!("The number of managed outbound IPs {count} is not between 1 and 100."),
        ));
    }
    let idle = number(new, &format!("{profile}/idleTimeoutInMinutes"), 30);
    if !(4..=120).contains(&idle) {
        return Err(bad(
            "InvalidLoadBalancerProfileIdleTimeoutInMinutes",
            "loadBalancerProfile.idleTimeoutInMinutes",
            format!("The idle timeout of {idle} minutes is not between 4 and 120."),
        ));
    }
    let ports = number(new, &format!("{profile}/allocatedOutboundPorts"), 0);
    if !(0..=PORTS_OF_ADDRESS).contains(&ports) || ports % 8 != 0 {
        return Err(bad(
            "LoadBalancerProfileAllocatedOutboundPortsMustBeMultipleOfEight",
            "loadBalancerProfile.allocatedOutboundPorts",
            format!(
                "The allocated outbound ports {ports} must be a multiple of 8 between 0 and {PORTS_OF_ADDRESS}."
            ),
        ));
    }
    let own = new.items(&format!("{profile}/outboundIPs/publicIPs")).len();
    let addresses = if has("managedOutboundIPs") {
        count
    } else {
        i64::try_from(own).unwrap_or(1)
    };
    let nodes: i64 = pools.iter().map(agent_pools::most_nodes).sum();
    if !has("outboundIPPrefixes") && ports * nodes > addresses * PORTS_OF_ADDRESS {
        return Err(bad(
            "InsufficientOutboundPorts",
            "loadBalancerProfile.allocatedOutboundPorts",
            format!(
                "{nodes} nodes with {ports} outbound ports each need more than the {} ports of {addresses} outbound addresses.",
                addresses * PORTS_OF_ADDRESS
            ),
        ));
    }
    Ok(())
}

/// What of a network profile can change: the plugin into an overlay, the policy and dataplane to cilium,
/// the way out as the migrations of the documentation allow.
///
/// # Errors
/// `PropertyChangeNotAllowed`, `UpdatingOutboundTypeNotAllowed`.
pub fn unchanged(old: &Resource, new: &Resource, own_network: bool) -> ArmResult<()> {
    let differs = |name: &str| !same(old.at(&at(name)), new.at(&at(name)));
    let refuse = |name: &str| Err(change_not_allowed(&format!("networkProfile.{name}")));
    let into_overlay =
        plugin(new) == Plugin::Overlay && matches!(plugin(old), Plugin::Kubenet | Plugin::Flat);
    if differs("networkPlugin") && !into_overlay {
        return refuse("networkPlugin");
    }
    if differs("networkPluginMode") && !into_overlay {
        return refuse("networkPluginMode");
    }
    for name in ["podCidr", "podCidrs"] {
        if differs(name) && !(into_overlay && plugin(old) == Plugin::Flat) {
            return refuse(name);
        }
    }
    for name in [
        "serviceCidr",
        "serviceCidrs",
        "dnsServiceIP",
        "loadBalancerSku",
        "ipFamilies",
        "networkMode",
    ] {
        if differs(name) {
            return refuse(name);
        }
    }
    let text =
        |resource: &Resource, name: &str| resource.text(&at(name)).unwrap_or("none").to_owned();
    let policies = (text(old, "networkPolicy"), text(new, "networkPolicy"));
    match (policies.0.as_str(), policies.1.as_str()) {
        (a, b) if a == b => {}
        ("none", _) | (_, "none") | ("azure" | "calico", "cilium") => {}
        _ => return refuse("networkPolicy"),
    }
    if differs("networkDataplane")
        && text(new, "networkDataplane") != "cilium"
        && plugin(old) != Plugin::Kubenet
    {
        return refuse("networkDataplane");
    }
    ways(
        &text(old, "outboundType"),
        &text(new, "outboundType"),
        own_network,
    )
}

/// Supported migrations (AKS documentation, "Customize cluster egress with outbound types", update paths).
fn ways(old: &str, new: &str, own_network: bool) -> ArmResult<()> {
    let possible: &[&str] = if own_network {
        &[
            "loadBalancer",
            "userAssignedNATGateway",
            "userDefinedRouting",
            "none",
        ]
    } else {
        &["loadBalancer", "managedNATGateway", "none"]
    };
    if old == new || (possible.contains(&old) && possible.contains(&new)) {
        return Ok(());
    }
    Err(bad(
        "UpdatingOutboundTypeNotAllowed",
        "outboundType",
        format!("Updating the outbound type from {old} to {new} is not allowed for this cluster."),
    ))
}

/// True when the pools have a subnet of the user's.
#[must_use]
pub fn own_network(pools: &[Resource]) -> bool {
    pools.iter().any(|pool| {
        pool.at("/properties/vnetSubnetID")
            .is_some_and(Value::is_string)
    })
}
