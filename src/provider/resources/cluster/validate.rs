//! What can be found wrong without Azure. All of it at once, each on its argument; values may be
//! unknown.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::IDENTITY;
use super::version::Version;
use super::{api_server_check, network_check};
use crate::arm::ArmId;

const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
const ZONE: &str = "Microsoft.Network/privateDnsZones";

/// Checks across arguments.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    kinds_of_ids(config, diagnostics);
    pools(config, diagnostics);
    network_check::plugin(config, diagnostics);
    network_check::own_ranges(config, diagnostics);
    api_server_check::check(config, diagnostics);
    outbound(config, diagnostics);
    identities(config, diagnostics);
    windows(config, diagnostics);
}

/// The text of an argument with a default; `None` while it is unknown.
pub fn text<'a>(config: &'a Value, name: &str, default: &'a str) -> Option<&'a str> {
    match config.get(name) {
        Value::Null => Some(default),
        value => value.as_str(),
    }
}

/// The truth of an argument with a default; `None` while it is unknown.
pub fn truth(config: &Value, name: &str, default: bool) -> Option<bool> {
    match config.get(name) {
        Value::Null => Some(default),
        value => value.as_bool(),
    }
}

fn number(config: &Value, name: &str, default: i64) -> Option<i64> {
    match config.get(name) {
        Value::Null => Some(default),
        value => value.as_i64(),
    }
}

/// Whether an argument is set and known.
pub fn is_set(config: &Value, name: &str) -> bool {
    let value = config.get(name);
    !value.is_null() && !value.is_unknown()
}

fn kinds_of_ids(config: &Value, diagnostics: &mut Diagnostics) {
    let mut check = |path: Path, value: &Value, kind: &str| {
        if let Some(id) = value.as_str().and_then(|id| ArmId::parse(id).ok())
            && !id.is(kind)
        {
            diagnostics.error(
                path,
                format!("an id of {kind} is needed here"),
                format!("- {id} is an id of {}", id.resource_type()),
            );
        }
    };
    let mut top = |name: &str, kind: &str| check(Path::attribute(name), config.get(name), kind);
    top("resource_group_id", "Microsoft.Resources/resourceGroups");
    top("identity_id", IDENTITY);
    top("kubelet_identity_id", IDENTITY);
    top("private_dns_zone_id", ZONE);
    for (name, pool) in config.get("node_pools").as_map().into_iter().flatten() {
        let path = Path::attribute("node_pools").key(name.as_str());
        for argument in ["vnet_subnet_id", "pod_subnet_id"] {
            check(path.clone().then(argument), pool.get(argument), SUBNET);
        }
    }
    let profile = config.get("api_server_access_profile");
    check(
        Path::attribute("api_server_access_profile").then("subnet_id"),
        profile.get("subnet_id"),
        SUBNET,
    );
}

fn pools(config: &Value, diagnostics: &mut Diagnostics) {
    let pools = config.get("node_pools");
    let Some(pools) = pools.as_map().filter(|_| !pools.is_unknown()) else {
        return;
    };
    let modes = pools.values().map(|pool| text(pool, "mode", "User"));
    if !modes
        .clone()
        .any(|mode| mode.is_none() || mode == Some("System"))
    {
        let example = pools.keys().next().map_or("system", String::as_str);
        diagnostics.error(
            Path::attribute("node_pools"),
            "the cluster has no system pool",
            format!(
                "Its own pods, such as cluster DNS, need one.\n\nFix:\n\n  node_pools = {{\n    {example} = {{\n      \
                 mode = \"System\"\n    }}\n  }}"
            ),
        );
    }
    for (name, pool) in pools {
        let path = Path::attribute("node_pools").key(name.as_str());
        scaling(name, pool, &path, diagnostics);
        spot(name, pool, &path, diagnostics);
    }
    one_network(pools, diagnostics);
}

fn scaling(name: &str, pool: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    let Some(scales) = truth(pool, "auto_scaling_enabled", false) else {
        return;
    };
    let system = text(pool, "mode", "User") == Some("System");
    if !scales {
        for argument in ["min_count", "max_count"] {
            if is_set(pool, argument) {
                diagnostics.error(
                    path.clone().then(argument),
                    format!("pool {name:?} does not scale by itself, so it has no {argument}"),
                    "Fix: set\n\n      auto_scaling_enabled = true\n\nor give node_count alone.",
                );
            }
        }
        if system && number(pool, "node_count", 1) == Some(0) {
            diagnostics.error(
                path.clone().then("node_count"),
                format!("pool {name:?} is a system pool and needs a node"),
                "Only user pools can be empty.\n\nFix: set node_count to 1 or more.",
            );
        }
        return;
    }
    for argument in ["min_count", "max_count"] {
        if pool.get(argument).is_null() {
            diagnostics.error(
                path.clone().then(argument),
                format!("pool {name:?} scales by itself and needs {argument}"),
                "Fix: say between which counts, such as\n\n      min_count = 1\n      max_count = 5",
            );
        }
    }
    let (least, most) = (
        pool.get("min_count").as_i64(),
        pool.get("max_count").as_i64(),
    );
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        diagnostics.error(
            path.clone().then("min_count"),
            format!("pool {name:?}: min_count {least} is more than max_count {most}"),
            "",
        );
    }
    if system && least == Some(0) {
        diagnostics.error(
            path.clone().then("min_count"),
            format!("pool {name:?} is a system pool and needs a node"),
            "Only user pools can be empty.\n\nFix: set min_count to 1 or more.",
        );
    }
}

fn spot(name: &str, pool: &Value, path: &Path, diagnostics: &mut Diagnostics) {
    let Some(priority) = text(pool, "priority", "Regular") else {
        return;
    };
    if priority != "Spot" {
        if is_set(pool, "eviction_policy") {
            diagnostics.error(
                path.clone().then("eviction_policy"),
                format!("pool {name:?} has regular nodes, which nobody evicts"),
                "Fix: leave eviction_policy out, or set priority = \"Spot\".",
            );
        }
        return;
    }
    if text(pool, "mode", "User") == Some("System") {
        diagnostics.error(
            path.clone().then("priority"),
            format!("pool {name:?} cannot be a system pool of spot nodes"),
            "Azure may take spot nodes away at any time, and with them the cluster's own pods.\n\nFix: make it \
             a user pool beside a system pool of regular nodes.",
        );
    }
    if is_set(pool, "upgrade_settings") {
        diagnostics.error(
            path.clone().then("upgrade_settings"),
            format!("pool {name:?} has spot nodes, which AKS does not upgrade with a surge"),
            "Fix: leave upgrade_settings out.",
        );
    }
}

/// Azure wants all subnets of a cluster in one network.
fn one_network(pools: &std::collections::BTreeMap<String, Value>, diagnostics: &mut Diagnostics) {
    let subnets = pools.iter().flat_map(|(name, pool)| {
        ["vnet_subnet_id", "pod_subnet_id"].map(|argument| {
            let id = ArmId::parse(pool.get(argument).as_str()?).ok()?;
            Some((name, argument, id.parent()?))
        })
    });
    let subnets: Vec<_> = subnets.flatten().collect();
    let Some((first, _, network)) = subnets.first() else {
        return;
    };
    for (name, argument, other) in subnets.iter().filter(|(.., other)| other != network) {
        diagnostics.error(
            Path::attribute("node_pools")
                .key(name.as_str())
                .then(*argument),
            "all subnets of a cluster lie in one network",
            format!("- pool {first:?}: {network}\n- pool {name:?}: {other}"),
        );
    }
}

fn outbound(config: &Value, diagnostics: &mut Diagnostics) {
    let Some(outbound) = text(config, "outbound_type", "load_balancer") else {
        return;
    };
    let profile = config.get("load_balancer_profile");
    let path = Path::attribute("load_balancer_profile");
    if outbound != "load_balancer" && is_set(config, "load_balancer_profile") {
        diagnostics.error(
            path.clone(),
            format!("with outbound_type = {outbound:?} there are no addresses of a load balancer"),
            "Fix: leave load_balancer_profile out, or set outbound_type = \"load_balancer\".",
        );
    }
    let has = |name: &str| {
        let value = profile.get(name);
        value.as_i64().is_some() || value.as_items().is_some_and(|items| !items.is_empty())
    };
    let kinds = [
        "managed_outbound_ip_count",
        "outbound_ip_address_ids",
        "outbound_ip_prefix_ids",
    ];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| has(kind)).collect();
    if given.len() > 1 {
        diagnostics.error(
            path.clone(),
            "a load balancer has one kind of outbound addresses",
            format!("- given: {}", given.join(", ")),
        );
    }
    if let Some(ports) = profile.get("outbound_ports_allocated").as_i64()
        && ports % 8 != 0
    {
        diagnostics.error(
            path.then("outbound_ports_allocated"),
            format!("{ports} is no multiple of 8"),
            format!("Fix: {} or {}.", ports / 8 * 8, ports / 8 * 8 + 8),
        );
    }
    bootstrap(config, outbound, diagnostics);
}

fn bootstrap(config: &Value, outbound: &str, diagnostics: &mut Diagnostics) {
    let profile = config.get("bootstrap_profile");
    let source = if profile.is_null() {
        Some(if outbound == "none" {
            "Cache"
        } else {
            "Direct"
        })
    } else {
        text(profile, "artifact_source", "Cache")
    };
    let path = Path::attribute("bootstrap_profile");
    if outbound == "none" && source == Some("Direct") {
        diagnostics.error(
            path.clone().then("artifact_source"),
            "a cluster without a way out cannot fetch its images from Microsoft",
            "Fix: set artifact_source = \"Cache\".",
        );
    }
    if source == Some("Direct") && is_set(profile, "container_registry_id") {
        diagnostics.error(
            path.clone().then("container_registry_id"),
            "a registry serves system images only as a cache",
            "Fix: set artifact_source = \"Cache\", or leave container_registry_id out.",
        );
    }
    if source == Some("Cache") {
        if is_set(profile, "container_registry_id") && config.get("kubelet_identity_id").is_null() {
            diagnostics.error(
                Path::attribute("kubelet_identity_id"),
                "nodes that start from a registry of the user's own need an identity that may pull before",
                "Fix: make a user-assigned identity, let it pull from the registry, and give it as \
                 kubelet_identity_id.",
            );
        }
        let version = config.get("kubernetes_version");
        if let Some(version) = version.as_str().and_then(Version::parse)
            && (version.major, version.minor) < (1, 30)
        {
            diagnostics.error(
                Path::attribute("kubernetes_version"),
                "a cluster that takes its images from a cache has Kubernetes 1.30 or later",
                "",
            );
        }
    }
}

fn identities(config: &Value, diagnostics: &mut Diagnostics) {
    if truth(config, "manage_role_assignments", true) == Some(false)
        && config.get("identity_id").is_null()
    {
        diagnostics.error(
            Path::attribute("manage_role_assignments"),
            "an identity that is made for the cluster has only the roles that are assigned here",
            "Nobody else can assign it roles between its making and the cluster's.\n\nFix: give an identity that \
             has its roles:\n\n  identity_id             = azurerm_user_assigned_identity.aks.id\n  \
             manage_role_assignments = false",
        );
    }
    if truth(config, "workload_identity_enabled", true) == Some(true)
        && truth(config, "oidc_issuer_enabled", true) == Some(false)
    {
        diagnostics.error(
            Path::attribute("oidc_issuer_enabled"),
            "workload identity needs the OIDC issuer",
            "Fix: set oidc_issuer_enabled = true, or workload_identity_enabled = false.",
        );
    }
    if is_set(config, "image_cleaner_interval_hours")
        && truth(config, "image_cleaner_enabled", false) == Some(false)
    {
        diagnostics.error(
            Path::attribute("image_cleaner_interval_hours"),
            "an image cleaner that does not run has no interval",
            "Fix: set image_cleaner_enabled = true.",
        );
    }
}

/// What each frequency needs and takes.
fn windows(config: &Value, diagnostics: &mut Diagnostics) {
    for argument in [
        "maintenance_window_auto_upgrade",
        "maintenance_window_node_os",
    ] {
        let window = config.get(argument);
        let Some(frequency) = window.get("frequency").as_str() else {
            continue;
        };
        let needed: &[&str] = match frequency {
            "Weekly" => &["day_of_week"],
            "AbsoluteMonthly" => &["day_of_month"],
            "RelativeMonthly" => &["week_index", "day_of_week"],
            _ => &[],
        };
        for name in ["day_of_week", "day_of_month", "week_index"] {
            let (needs, has) = (needed.contains(&name), is_set(window, name));
            let path = Path::attribute(argument).then(name);
            if needs && window.get(name).is_null() {
                diagnostics.error(
                    path,
                    format!("a window that is {frequency} needs {name}"),
                    "",
                );
            } else if !needs && has {
                diagnostics.error(
                    path,
                    format!("a window that is {frequency} has no {name}"),
                    "",
                );
            }
        }
        if frequency == "Daily" && argument == "maintenance_window_auto_upgrade" {
            diagnostics.error(
                Path::attribute(argument).then("frequency"),
                "upgrades of Kubernetes do not come daily",
                "Daily windows are for the nodes' images.\n\nFix: frequency = \"Weekly\", with day_of_week.",
            );
        }
        let most = match frequency {
            "Daily" => 7,
            "Weekly" => 4,
            _ => 6,
        };
        if let Some(interval) = window
            .get("interval")
            .as_i64()
            .filter(|interval| *interval > most)
        {
            diagnostics.error(
                Path::attribute(argument).then("interval"),
                format!("a window that is {frequency} comes at least every {most} times, not every {interval}"),
                "",
            );
        }
    }
}
