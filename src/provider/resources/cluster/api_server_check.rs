//! What goes together of the arguments of the API server: private or public, its zone, its subnet.

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::validate::{is_set, text, truth};
use crate::arm::ArmId;

/// Checks the arguments of the API server against each other.
pub fn check(config: &Value, diagnostics: &mut Diagnostics) {
    let Some(private) = truth(config, "private_cluster_enabled", true) else {
        return;
    };
    let profile = config.get("api_server_access_profile");
    let path = Path::attribute("api_server_access_profile");
    let ranges = profile.get("authorized_ip_ranges");
    if private && ranges.as_items().is_some_and(|ranges| !ranges.is_empty()) {
        diagnostics.error(
            path.clone().then("authorized_ip_ranges"),
            "a private API server has no public address that ranges could be authorized for",
            "Fix: leave authorized_ip_ranges out, or, if the API server should be public for these \
             ranges:\n\n  private_cluster_enabled = false",
        );
    }
    let zone = text(config, "private_dns_zone_id", "system");
    if private
        && zone.is_some_and(|zone| zone.eq_ignore_ascii_case("none"))
        && truth(config, "private_cluster_public_fqdn_enabled", false) == Some(false)
    {
        diagnostics.error(
            Path::attribute("private_dns_zone_id"),
            "without a private zone and without a public name nobody finds the API server",
            "Fix: set\n\n  private_cluster_public_fqdn_enabled = true\n\nwhich has a public name lead to the \
             private address, or use private_dns_zone_id = \"system\".",
        );
    }
    own_api_subnet(config, diagnostics);
    match truth(profile, "virtual_network_integration_enabled", false) {
        Some(true) if profile.get("subnet_id").is_null() => diagnostics.error(
            path.then("subnet_id"),
            "an API server in the network needs a subnet of its own",
            "It is at least a /28, delegated to Microsoft.ContainerService/managedClusters: in fkaks_network a \
             subnet with purpose = \"aks_api_server\".",
        ),
        Some(false) if is_set(profile, "subnet_id") => diagnostics.error(
            path.then("subnet_id"),
            "an API server has a subnet only with VNet integration",
            "Fix: leave subnet_id out, or set\n\n    virtual_network_integration_enabled = true",
        ),
        _ => {}
    }
}

/// The API server's subnet is in the network of the nodes, and none of theirs.
fn own_api_subnet(config: &Value, diagnostics: &mut Diagnostics) {
    let parsed = |value: &Value| ArmId::parse(value.as_str()?).ok();
    let profile = config.get("api_server_access_profile");
    let Some(own) = parsed(profile.get("subnet_id")) else {
        return;
    };
    let path = Path::attribute("api_server_access_profile").then("subnet_id");
    let pools = config.get("node_pools");
    for (name, pool) in pools.as_map().into_iter().flatten() {
        for argument in ["vnet_subnet_id", "pod_subnet_id"] {
            let Some(other) = parsed(pool.get(argument)) else {
                continue;
            };
            let what = if other == own {
                format!("the API server shares no subnet with pool {name:?}")
            } else if other.parent() != own.parent() {
                "the API server's subnet lies in the network of the nodes".to_owned()
            } else {
                continue;
            };
            diagnostics.error(
                path.clone(),
                what,
                format!("- {own}\n- pool {name:?}, {argument}: {other}\n\nFix: give it a subnet of its own in that network."),
            );
            return;
        }
    }
}
