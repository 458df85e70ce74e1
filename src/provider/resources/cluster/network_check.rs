//! Plugins, policies and ranges: what goes together, and what meets something else.

use ipnet::IpNet;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::validate::text;
use crate::network::aks::{self, Conflict, Networking, Range};
use crate::network::cidr;

/// Which policies and data planes a plugin has (Microsoft Learn, "Secure traffic between pods by
/// using network policies in AKS", "Configure Azure CNI Powered by Cilium"). Since April 2025 cilium goes
/// with every mode of the plugin azure, the node subnet too ("Azure CNI Powered by Cilium with Node
/// Subnet").
pub fn plugin(config: &Value, diagnostics: &mut Diagnostics) {
    let (Some(plugin), Some(mode), Some(policy), Some(plane)) = (
        text(config, "network_plugin", "azure"),
        text(config, "network_plugin_mode", "overlay"),
        text(config, "network_policy", "none"),
        text(config, "network_data_plane", "azure"),
    ) else {
        return;
    };
    let mut refuse = |argument: &str, what: String, fix: &str| {
        diagnostics.error(Path::attribute(argument), what, format!("Fix: {fix}"));
    };
    match (plugin, policy) {
        ("kubenet", "azure" | "cilium") => refuse(
            "network_policy",
            format!("kubenet has no network policy {policy:?}"),
            "set network_policy = \"calico\", or network_plugin = \"azure\".",
        ),
        ("none", "azure" | "calico" | "cilium") => refuse(
            "network_policy",
            "a plugin of the user's own brings its network policy along".to_owned(),
            "leave network_policy out.",
        ),
        _ => {}
    }
    if plugin != "azure" && mode == "pod_subnet" {
        refuse(
            "network_plugin_mode",
            format!("{plugin:?} has no pod subnets"),
            "set network_plugin = \"azure\".",
        );
    }
    match (policy, plane) {
        ("cilium", "azure") => refuse(
            "network_data_plane",
            "the network policy cilium needs the data plane cilium".to_owned(),
            "set\n\n  network_data_plane = \"cilium\"",
        ),
        ("azure" | "calico", "cilium") => refuse(
            "network_policy",
            format!("the data plane cilium does not enforce the network policy {policy:?}"),
            "set\n\n  network_policy = \"cilium\"",
        ),
        _ => {}
    }
    if plane == "cilium" && plugin != "azure" {
        refuse(
            "network_data_plane",
            format!("the data plane cilium does not go with the plugin {plugin:?}"),
            "set network_plugin = \"azure\".",
        );
    }
    pod_subnets(config, mode, diagnostics);
}

fn pod_subnets(config: &Value, mode: &str, diagnostics: &mut Diagnostics) {
    for (name, pool) in config.get("node_pools").as_map().into_iter().flatten() {
        let subnet = pool.get("pod_subnet_id");
        let path = Path::attribute("node_pools")
            .key(name.as_str())
            .then("pod_subnet_id");
        if mode == "pod_subnet" && subnet.is_null() {
            diagnostics.error(
                path,
                format!("pool {name:?} needs a subnet for its pods"),
                "With network_plugin_mode = \"pod_subnet\" every pool has one.",
            );
        } else if mode != "pod_subnet" && subnet.as_str().is_some() {
            diagnostics.error(
                path,
                format!(
                    "the pods of pool {name:?} have no subnet with network_plugin_mode = {mode:?}"
                ),
                "Fix: leave pod_subnet_id out, or set\n\n  network_plugin_mode = \"pod_subnet\"",
            );
        }
    }
}

/// The arguments of the cluster's own ranges, in the order of [`ranges`].
const ARGUMENTS: [&str; 2] = ["service_cidr", "pod_cidr"];

/// The ranges of services and pods, as far as they are known and say something.
fn ranges(config: &Value) -> Option<Vec<Range>> {
    let mut ranges = Vec::new();
    let services = text(config, "service_cidr", "10.0.0.0/16")?;
    ranges.push(Range {
        what: "the services".to_owned(),
        prefix: cidr::parse(services).ok()?,
    });
    let networking = Networking::of(
        text(config, "network_plugin", "azure")?,
        Some(text(config, "network_plugin_mode", "overlay")?),
        false,
    );
    if networking.has_pod_range() {
        let pods = text(config, "pod_cidr", "10.244.0.0/16")?;
        ranges.push(Range {
            what: "the pods".to_owned(),
            prefix: cidr::parse(pods).ok()?,
        });
    }
    Some(ranges)
}

/// The ranges among themselves, and cluster DNS in its range.
pub fn own_ranges(config: &Value, diagnostics: &mut Diagnostics) {
    if let Some(own) = ranges(config) {
        for conflict in aks::conflicts(&own, &[]) {
            tell(&own, &conflict, diagnostics);
        }
    }
    let services = text(config, "service_cidr", "10.0.0.0/16");
    let Some(services) = services.and_then(|text| cidr::parse(text).ok()) else {
        return;
    };
    if services.prefix_len() < 12 || !cidr::is_ipv4(&services) {
        diagnostics.error(
            Path::attribute("service_cidr"),
            format!("the range of services {services} is too large"),
            "AKS takes /12 or smaller.",
        );
    }
    let address = config.get("dns_service_ip").as_str();
    let Some(address) = address else { return };
    let path = Path::attribute("dns_service_ip");
    let problem = match address.parse() {
        Ok(address) => aks::dns_service_ip_problem(&services, &address),
        Err(_) => Some(format!("{address:?} is no IP address")),
    };
    if let Some(problem) = problem {
        let instead = aks::default_dns_service_ip(&services)
            .map(|address| format!("\n\nFix: set\n\n  dns_service_ip = \"{address}\""))
            .unwrap_or_default();
        diagnostics.error(
            path,
            format!("cluster DNS cannot have that address: {problem}"),
            format!("- service_cidr = {services}{instead}"),
        );
    }
}

/// The ranges against those of networks.
pub fn others(planned: &Value, networks: &[Range], diagnostics: &mut Diagnostics) {
    let Some(own) = ranges(planned) else { return };
    for conflict in aks::conflicts(&own, networks) {
        if networks.contains(&conflict.with) {
            tell(&own, &conflict, diagnostics);
        }
    }
}

fn tell(own: &[Range], conflict: &Conflict, diagnostics: &mut Diagnostics) {
    let (Some(range), Some(argument)) = (own.get(conflict.own), ARGUMENTS.get(conflict.own)) else {
        return;
    };
    let instead = match conflict.instead {
        Some(block) => format!("\n\nFix: take a free block:\n\n  {argument} = \"{block}\""),
        None => "\n\nNo private block of that size is free: take a smaller one.".to_owned(),
    };
    diagnostics.error(
        Path::attribute(*argument),
        format!(
            "{argument} {} overlaps {} of {}",
            range.prefix, conflict.with.prefix, conflict.with.what
        ),
        format!(
            "- {}: {} ({})\n- {}: {} ({}){instead}",
            range.what,
            range.prefix,
            ends(&range.prefix),
            conflict.with.what,
            conflict.with.prefix,
            ends(&conflict.with.prefix),
        ),
    );
}

fn ends(prefix: &IpNet) -> String {
    format!("{} to {}", prefix.network(), prefix.broadcast())
}
