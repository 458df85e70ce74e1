//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

mod conflicts;

use std::net::IpAddr;

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::own_zone;
use crate::arm::{ArmId, Json, same_location};
use crate::network::cidr;
use crate::network::private_link::{self, GROUP_ID, Member};
use crate::provider::parts::{Check, Look, Unread, is_of};
use crate::provider::zones::{self, ZONE};

const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
const NETWORK: &str = "Microsoft.Network/virtualNetworks";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let dns = config.get("dns");
    let dns_path = Path::attribute("dns");
    is_of(
        "Microsoft.Resources/resourceGroups",
        config.get("resource_group_id"),
        Path::attribute("resource_group_id"),
        diagnostics,
    );
    is_of(
        REGISTRY,
        config.get("registry_id"),
        Path::attribute("registry_id"),
        diagnostics,
    );
    is_of(
        SUBNET,
        config.get("subnet_id"),
        Path::attribute("subnet_id"),
        diagnostics,
    );
    let networks = dns.get("virtual_network_ids").as_map();
    for (key, network) in networks.into_iter().flatten() {
        let path = dns_path.then("virtual_network_ids").key(key);
        is_of(NETWORK, network, path, diagnostics);
    }
    duplicate_networks(config, diagnostics);
    zones::of_registries(dns.get("zone_id"), dns_path.then("zone_id"), diagnostics);
    static_ips(config.get("static_ips"), diagnostics);
    if dns.get("records").as_str() == Some("policy") && !config.get("manual_approval").is_null() {
        diagnostics.warning(
            dns_path.then("records"),
            "policies pass over endpoints with manual approval",
            "The built-in policies that attach zone groups look at automatic connections only, so no \
             group may ever come.\n\nFix: use records = \"zone_group\", or leave manual_approval out.",
        );
    }
}

fn duplicate_networks(config: &Value, diagnostics: &mut Diagnostics) {
    let Some(networks) = config.get("dns").get("virtual_network_ids").as_map() else {
        return;
    };
    let mut seen: Vec<(&str, ArmId)> = Vec::new();
    for (key, network) in networks {
        let Some(network) = id(network) else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, other)| *other == network) {
            diagnostics.error(
                Path::attribute("dns").then("virtual_network_ids").key(key),
                "a network is linked once",
                format!("{key:?} and {other:?} are the same network:\n- {network}\n\nFix: remove one of them."),
            );
        }
        seen.push((key, network));
    }
}

fn static_ips(value: &Value, diagnostics: &mut Diagnostics) {
    let Some(addresses) = value.as_map() else {
        return;
    };
    let path = Path::attribute("static_ips");
    for (member, ip) in addresses {
        if Member::parse(member).is_none() {
            diagnostics.error(
                path.key(member),
                format!("{member:?} is no member of a registry"),
                "The members are `registry` and, for the registry's own region and each replica, \
                 `registry_data_<region>`, such as `registry_data_westeurope`.",
            );
        }
        if let Some(text) = ip.as_str()
            && text.parse::<IpAddr>().is_err()
        {
            diagnostics.error(path.key(member), format!("{text:?} is no address"), "");
        }
    }
    let complete = addresses.contains_key(GROUP_ID) && addresses.len() >= 2;
    if !complete {
        diagnostics.error(
            path,
            "static addresses are needed for every member of the registry",
            "Azure refuses an endpoint that has some of its addresses fixed.\n\nFix: give at least\n\n  \
             static_ips = {\n    registry                   = \"10.0.0.4\"\n    \
             registry_data_<its region> = \"10.0.0.5\"\n  }",
        );
    }
}

fn id(value: &Value) -> Option<ArmId> {
    ArmId::parse(value.as_str()?).ok()
}

/// Checks that ask Azure. Everything that is needed is asked for first, so that it is read at
/// the same time.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let results = [
        registry(check),
        subnet(check),
        conflicts::records_of_others(check),
        conflicts::other_links(check),
    ];
    conflicts::moving_zone(check);
    results.into_iter().collect()
}

fn registry(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(id) = check.id("registry_id").filter(|id| id.is(REGISTRY)) else {
        return Ok(());
    };
    let Some(registry) = check.look(&id)? else {
        return Ok(());
    };
    let sku = registry["sku"]["name"].as_str().unwrap_or_default();
    if sku != "Premium" && !sku.is_empty() {
        check.error(
            Path::attribute("registry_id"),
            format!("a {sku} registry has no private endpoints"),
            format!(
                "- {id} is {sku}\n\nFix: make it Premium first:\n\n  resource \"fkaks_registry\" \"example\" {{\n    \
                 sku = \"Premium\"\n  }}"
            ),
        );
    }
    let Some(given) = check.planned.get("static_ips").as_map() else {
        return Ok(());
    };
    let group = id.child("privateLinkResources", GROUP_ID);
    let Some(resource) = check.look(&group)? else {
        return Ok(());
    };
    let members = resource["properties"]["requiredMembers"].as_array();
    let missing: Vec<&str> = members
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .filter(|member| !given.keys().any(|key| key.eq_ignore_ascii_case(member)))
        .collect();
    if !missing.is_empty() {
        let lines: Vec<String> = missing
            .iter()
            .map(|member| format!("    {member} = \"<address>\""))
            .collect();
        check.error(
            Path::attribute("static_ips"),
            "static addresses are needed for every member of the registry",
            format!(
                "- {id}\n- missing: {}\n\nFix: add\n\n  static_ips = {{\n{}\n  }}",
                missing.join(", "),
                lines.join("\n")
            ),
        );
    }
    Ok(())
}

fn subnet(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(id) = check.id("subnet_id").filter(|id| id.is(SUBNET)) else {
        return Ok(());
    };
    let registry = check.id("registry_id").filter(|id| id.is(REGISTRY));
    let replicas = match &registry {
        Some(registry) => check.seen.list(registry, "replications"),
        None => Ok(Look::Absent),
    };
    let network = id.parent().map(|network| check.look(&network));
    let Some(subnet) = check.look(&id)? else {
        return Ok(());
    };
    let path = || Path::attribute("subnet_id");
    let properties = &subnet["properties"];
    let users: Vec<&str> = properties["ipConfigurations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|configuration| configuration["id"].as_str())
        .collect();
    let allowed = check.planned.get("allow_shared_subnet").as_bool() == Some(true);
    let delegations: Vec<&str> = properties["delegations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|delegation| delegation["properties"]["serviceName"].as_str())
        .collect();
    if !delegations.is_empty() && !allowed {
        check.error(
            path(),
            format!(
                "the subnet {} is delegated, and so not for endpoints",
                id.name()
            ),
            format!(
                "- {id}\n- delegated to {}\n\n{OTHER_SUBNET}",
                delegations.join(", ")
            ),
        );
    }
    let nodes = users.iter().filter(|user| is_node(user)).count();
    if nodes > 0 && !allowed {
        check.error(
            path(),
            format!("the subnet {} holds cluster nodes", id.name()),
            format!(
                "- {id}\n- {nodes} addresses belong to virtual machine scale sets\n\nNodes and endpoints \
                 compete for addresses there, and rules for nodes hit the endpoint.\n\n{OTHER_SUBNET}"
            ),
        );
    }
    if check.is_creation() || check.changes("subnet_id") {
        let replicas = replicas?.found().map_or(0, |items| items.len());
        // The list of replications has the registry's own region too.
        let needed =
            private_link::addresses_needed(u32::try_from(replicas.saturating_sub(1)).unwrap_or(0));
        if let Some(free) = free_addresses(properties)
            && free < u128::from(needed)
        {
            check.error(
                path(),
                format!("the subnet {} has too few free addresses", id.name()),
                format!(
                    "- {id}\n- free: {free}\n- needed: {needed} (the registry, and a data endpoint for each \
                     region)\n\nFix: use another subnet, or add a prefix to this one. Azure keeps five \
                     addresses of each subnet for itself."
                ),
            );
        }
    }
    let Some(network) = network.transpose()?.flatten() else {
        return Ok(());
    };
    let own = network["location"].as_str().unwrap_or_default();
    if let Some(location) = check.planned.get("location").as_str()
        && !same_location(location, own)
    {
        check.error(
            Path::attribute("location"),
            "an endpoint stands in the region of its network",
            format!(
                "- the network is in {own}\n- location is {location}\n\nFix: leave location out."
            ),
        );
    }
    Ok(())
}

const OTHER_SUBNET: &str = "Fix: use a subnet of its own:\n\n  subnets = {\n    endpoints = { purpose = \
     \"private_endpoints\", prefix_length = 27 }\n  }\n\nor, if it must be shared:\n\n  \
     allow_shared_subnet = true";

fn is_node(configuration: &str) -> bool {
    configuration
        .to_lowercase()
        .contains("/virtualmachinescalesets/")
}

/// How many addresses of a subnet, given by its `properties`, nobody has; `None` where it shows no
/// prefix.
pub fn free_addresses(subnet: &Json) -> Option<u128> {
    let used = subnet["ipConfigurations"].as_array().map_or(0, Vec::len);
    let single = subnet["addressPrefix"].as_str();
    let many = subnet["addressPrefixes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str);
    let prefixes: Vec<&str> = match single {
        Some(prefix) => vec![prefix],
        None => many.collect(),
    };
    let prefixes: Vec<_> = prefixes
        .into_iter()
        .filter_map(|prefix| cidr::parse(prefix).ok())
        .collect();
    if prefixes.is_empty() {
        return None;
    }
    let usable: u128 = prefixes
        .iter()
        .filter(|prefix| cidr::is_ipv4(prefix))
        .map(cidr::usable_addresses)
        .sum();
    Some(usable.saturating_sub(used as u128))
}

/// The zone of this plan, when it is known.
fn zone(check: &Check<'_>) -> Option<ArmId> {
    let given = check.planned.get("dns").get("zone_id");
    match given {
        Value::Null => {
            let group = check.id("resource_group_id")?;
            Some(own_zone(&group, &check.seen.cloud().registry_zone()))
        }
        given => id(given).filter(|zone| zone.is(ZONE)),
    }
}
