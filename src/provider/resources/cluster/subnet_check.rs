//! Whether the subnets of nodes, pods and API server can serve: delegations, ways out, sizes.

use std::collections::BTreeMap;

use tfplugin_rs::value::Path;

use super::{Input, Outbound};
use crate::arm::{ArmId, Json};
use crate::network::cidr;
use crate::provider::parts::{Check, Look, Unread};
use crate::provider::resources::network::addresses;

/// The service that subnets of pods and of the API server are delegated to.
const SERVICE: &str = "Microsoft.ContainerService/managedClusters";

/// The most that the prefix of an API server's subnet may be long (Microsoft Learn, "Create an AKS
/// cluster with API Server VNet Integration").
const API_SERVER_PREFIX: u8 = 28;

/// Checks the subnets that exist.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let findings = [
        nodes(check, input),
        pods(check, input),
        api_server(check, input),
    ];
    findings.into_iter().collect()
}

/// Each subnet once, with the argument that names it first.
fn named<'a>(
    input: &'a Input,
    argument: &'static str,
    of: fn(&super::pool::Pool) -> Option<&ArmId>,
) -> BTreeMap<&'a ArmId, Path> {
    let mut subnets = BTreeMap::new();
    for (name, pool) in &input.node_pools {
        if let Some(id) = of(pool) {
            subnets.entry(id).or_insert_with(|| {
                Path::attribute("node_pools")
                    .key(name.as_str())
                    .then(argument)
            });
        }
    }
    subnets
}

fn nodes(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let subnets = named(input, "vnet_subnet_id", |pool| Some(&pool.vnet_subnet_id));
    let looks: Vec<_> = subnets
        .into_iter()
        .map(|(id, path)| (id, path, check.seen.look(id)))
        .collect();
    let mut gateways = BTreeMap::new();
    for (id, path, look) in looks {
        let Look::Found(subnet) = look? else { continue };
        let properties = &subnet["properties"];
        if let Some(service) = delegations(subnet).next() {
            check.error(
                path.clone(),
                format!("subnet {} is delegated to {service} and takes no nodes", id.name()),
                format!("- {id}\n\nFix: use a subnet without a delegation, in fkaks_network one with purpose = \"aks_nodes\"."),
            );
        }
        let has = |name: &str| properties[name]["id"].as_str();
        if input.outbound_type == Outbound::UserDefinedRouting && has("routeTable").is_none() {
            check.error(
                path.clone(),
                format!("subnet {} has no route table, and outbound_type = \"user_defined_routing\" needs one", id.name()),
                format!("- {id}\n\nAzure wants it before the cluster is made, with a route for 0.0.0.0/0.\n\nFix: give the subnet its route_table_id."),
            );
        }
        if input.outbound_type == Outbound::NatGateway {
            match has("natGateway").and_then(|id| ArmId::parse(id).ok()) {
                Some(gateway) => drop(gateways.entry(gateway).or_insert((id, path))),
                None => check.error(
                    path,
                    format!(
                        "subnet {} has no NAT gateway, and outbound_type = \"nat_gateway\" needs one",
                        id.name()
                    ),
                    format!("- {id}\n\nFix: give the subnet its nat_gateway_id."),
                ),
            }
        }
    }
    let looks: Vec<_> = gateways
        .into_iter()
        .map(|(gateway, at)| (check.seen.look(&gateway), gateway, at))
        .collect();
    for (look, gateway, (subnet, path)) in looks {
        let Look::Found(found) = look? else { continue };
        if !leads_out(found) {
            check.error(
                path,
                format!("NAT gateway {} has no public address, and leads nowhere", gateway.name()),
                format!(
                    "- {gateway}\n- of the subnet {subnet}\n\nFix: give the gateway a public IP address or \
                     prefix before the cluster is made."
                ),
            );
        }
    }
    Ok(())
}

fn leads_out(gateway: &Json) -> bool {
    let lists = ["publicIpAddresses", "publicIpPrefixes"]
        .into_iter()
        .chain(["publicIpAddressesV6", "publicIpPrefixesV6"]);
    let mut lists = lists.map(|list| gateway["properties"][list].as_array());
    lists.any(|list| list.is_some_and(|list| !list.is_empty()))
}

fn pods(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let subnets = named(input, "pod_subnet_id", |pool| pool.pod_subnet_id.as_ref());
    let looks: Vec<_> = subnets
        .into_iter()
        .map(|(id, path)| (id, path, check.seen.look(id)))
        .collect();
    for (id, path, look) in looks {
        let Look::Found(subnet) = look? else { continue };
        let other = delegations(subnet).find(|service| !service.eq_ignore_ascii_case(SERVICE));
        if let Some(service) = other {
            check.error(
                path,
                format!("subnet {} is delegated to {service} and takes no pods", id.name()),
                format!("- {id}\n\nFix: use a subnet without a delegation, or with one to {SERVICE}: in fkaks_network one with purpose = \"aks_pods\"."),
            );
        }
    }
    Ok(())
}

fn api_server(check: &mut Check<'_>, input: &Input) -> Result<(), Unread> {
    let profile = input.api_server_access_profile.as_ref();
    let Some(id) = profile.and_then(|profile| profile.subnet_id.as_ref()) else {
        return Ok(());
    };
    let Look::Found(subnet) = check.seen.look(id)? else {
        return Ok(());
    };
    let path = Path::attribute("api_server_access_profile").then("subnet_id");
    let fix =
        "Fix: use a subnet of its own, in fkaks_network one with purpose = \"aks_api_server\".";
    if !delegations(subnet).any(|service| service.eq_ignore_ascii_case(SERVICE)) {
        let there: Vec<&str> = delegations(subnet).collect();
        let there = match there.as_slice() {
            [] => "it has no delegation".to_owned(),
            others => format!("it is delegated to {}", others.join(", ")),
        };
        check.error(
            path.clone(),
            format!(
                "subnet {} takes no API server: it is not delegated to {SERVICE}",
                id.name()
            ),
            format!("- {id}\n- {there}\n\n{fix}"),
        );
    }
    let prefixes = addresses::found_prefixes(subnet);
    let small = addresses::parsed(&prefixes)
        .into_iter()
        .find(|prefix| cidr::is_ipv4(prefix) && prefix.prefix_len() > API_SERVER_PREFIX);
    if let Some(prefix) = small {
        check.error(
            path,
            format!(
                "subnet {} is too small for an API server: {prefix}",
                id.name()
            ),
            format!("- {id}\n\nFix: the smallest prefix that fits is a /{API_SERVER_PREFIX}."),
        );
    }
    Ok(())
}

fn delegations(subnet: &Json) -> impl Iterator<Item = &str> {
    let delegations = subnet["properties"]["delegations"].as_array();
    delegations
        .into_iter()
        .flatten()
        .filter_map(|delegation| delegation["properties"]["serviceName"].as_str())
}
