//! What the access profile of an API server may be, and what of it can change.

use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::pool_rules::same;
use super::private_cluster::{integrated, is_private};
use super::{change_not_allowed, invalid, on, subnet_rules};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::network::{addresses, network_of};
use crate::types::private_dns::zones;

const ACCESS: &str = "/properties/apiServerAccessProfile";
/// Most authorized ranges of a cluster (AKS documentation, "API server authorized IP ranges").
const MOST_RANGES: usize = 200;

fn bad(code: &str, target: &str, message: String) -> ArmError {
    ArmError::bad(code, message).at(format!("apiServerAccessProfile.{target}"))
}

/// Checks the profile of a completed cluster.
///
/// # Errors
/// Azure's code for each rule.
pub fn valid(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    ranges(new)?;
    integration(world, new)?;
    let private = is_private(new);
    let subdomain = new.text("/properties/fqdnSubdomain");
    let zone = new
        .text(&format!("{ACCESS}/privateDNSZone"))
        .unwrap_or("system");
    if !private {
        return match subdomain {
            Some(_) => Err(invalid(
                "fqdnSubdomain",
                "A fqdnSubdomain is for private clusters with a zone of their own",
            )),
            None => Ok(()),
        };
    }
    match zone {
        "system" => {}
        "none" if !on(new, &format!("{ACCESS}/enablePrivateClusterPublicFQDN")) => {
            return Err(bad(
                "NonePrivateDNSZonePublicFQDNDisabledError",
                "enablePrivateClusterPublicFQDN",
                "The public FQDN cannot be disabled when the private DNS zone is none.".into(),
            ));
        }
        "none" => {}
        id if id.starts_with('/') => return custom_zone(world, new, id, old),
        other => {
            return Err(bad(
                "InvalidPrivateDNSZoneMode",
                "privateDNSZone",
                format!(
                    "The private DNS zone {other} is none of system, none, or the id of a private DNS zone."
                ),
            ));
        }
    }
    match subdomain {
        Some(_) => Err(invalid(
            "fqdnSubdomain",
            "A fqdnSubdomain needs the id of a private DNS zone",
        )),
        None => Ok(()),
    }
}

fn ranges(new: &Resource) -> ArmResult<()> {
    let target = "apiServerAccessProfile.authorizedIPRanges";
    let ranges = new.items(&format!("{ACCESS}/authorizedIPRanges"));
    if ranges.is_empty() {
        return Ok(());
    }
    if is_private(new) {
        return Err(invalid(
            target,
            "Authorized IP ranges are not for private clusters",
        ));
    }
    if ranges.len() > MOST_RANGES {
        return Err(invalid(
            target,
            format!("{} ranges are more than {MOST_RANGES}", ranges.len()),
        ));
    }
    for range in ranges {
        let text = range.as_str().unwrap_or_default();
        if text.parse::<IpNet>().is_err() && text.parse::<Ipv4Addr>().is_err() {
            return Err(invalid(
                target,
                format!("{range} is neither an IP address nor a CIDR"),
            ));
        }
    }
    Ok(())
}

/// An API server in the network needs a delegated subnet of its own.
fn integration(world: &World, new: &Resource) -> ArmResult<()> {
    let Some(text) = new.text(&format!("{ACCESS}/subnetId")) else {
        return Ok(());
    };
    let target = "apiServerAccessProfile.subnetId";
    if !integrated(new) {
        return Err(invalid(
            target,
            "A subnet of the API server needs enableVnetIntegration",
        ));
    }
    let subnet = subnet_rules::find(world, new, text, target)?;
    let delegated = subnet
        .items("/properties/delegations")
        .iter()
        .any(|delegation| {
            delegation
                .pointer("/properties/serviceName")
                .and_then(|name| name.as_str())
                .is_some_and(|name| name.eq_ignore_ascii_case(subnet_rules::SERVICE))
        });
    let refuse = |why: String| Err(ArmError::bad("ApiserverSubnetConfigError", why).at(target));
    if !delegated {
        return refuse(format!(
            "The API server subnet {text} must be delegated to {}.",
            subnet_rules::SERVICE
        ));
    }
    let smallest = addresses::of_subnet(subnet)?
        .iter()
        .map(IpNet::prefix_len)
        .max()
        .unwrap_or(32);
    if smallest > 28 {
        return refuse(format!(
            "The API server subnet {text} must be a /28 or larger."
        ));
    }
    let network = network_of(&subnet.id);
    let elsewhere = new
        .items("/properties/agentPoolProfiles")
        .iter()
        .filter_map(|pool| pool["vnetSubnetID"].as_str().and_then(ResourceId::parse))
        .any(|nodes| nodes.same(text) || !network_of(&nodes).same(network.as_str()));
    if elsewhere {
        return refuse(format!(
            "The API server subnet {text} must be in the network of the nodes and not one of their subnets."
        ));
    }
    Ok(())
}

/// A zone of the user's: it exists, has the right name, and the control plane is an identity of the user's.
fn custom_zone(world: &World, new: &Resource, text: &str, old: Option<&Resource>) -> ArmResult<()> {
    let target = "privateDNSZone";
    let id = ResourceId::parse(text).filter(|id| id.type_name().eq_ignore_ascii_case(zones::NAME));
    let Some(id) = id.filter(|id| fits(id.name(), new)) else {
        let region = new.text("/location").unwrap_or_default();
        return Err(bad(
            "InvalidPrivateDNSZoneResourceID",
            target,
            format!(
                "{text} is not the id of a private DNS zone with a name like privatelink.{region}.azmk8s.io or <subzone>.privatelink.{region}.azmk8s.io."
            ),
        ));
    };
    if world.get(id.as_str()).is_none() {
        return Err(bad(
            "PrivateDNSZoneResourceNotFoundError",
            target,
            format!("The private DNS zone {text} was not found."),
        ));
    }
    if new.text("/identity/type") == Some("SystemAssigned") {
        return Err(bad(
            "SystemAssignedIdentityNotSupportedForCustomPrivateDNSZone",
            target,
            "System-assigned identity is not supported for a custom private DNS zone: it needs a user-assigned identity with rights on the zone.".into(),
        ));
    }
    let record = new
        .text("/properties/fqdnSubdomain")
        .map(|name| id.child("A", name));
    if old.is_none()
        && let Some(record) = record.filter(|record| world.get(record.as_str()).is_some())
    {
        return Err(bad(
            "FQDNSubdomainRecordAlreadyExistsError",
            target,
            format!("The record {record} exists already."),
        ));
    }
    Ok(())
}

fn fits(zone: &str, cluster: &Resource) -> bool {
    let region = cluster.text("/location").unwrap_or_default();
    let word = if integrated(cluster) {
        "private"
    } else {
        "privatelink"
    };
    let base = format!("{word}.{region}.azmk8s.io");
    let zone = zone.to_lowercase();
    zone == base
        || zone
            .strip_suffix(&format!(".{base}"))
            .is_some_and(|sub| !sub.is_empty() && sub.len() <= 32 && !sub.contains('.'))
}

/// What of the profile can change: the public name, the ranges, run command; the private mode only with
/// network integration, which can be turned on and not off.
///
/// # Errors
/// `PropertyChangeNotAllowed`.
pub fn unchanged(old: &Resource, new: &Resource) -> ArmResult<()> {
    let refuse = |name: &str| {
        Err(change_not_allowed(&format!(
            "apiServerAccessProfile.{name}"
        )))
    };
    let toggled = is_private(old) != is_private(new);
    if toggled && !(integrated(old) || integrated(new)) {
        return refuse("enablePrivateCluster");
    }
    if integrated(old) && !integrated(new) {
        return refuse("enableVnetIntegration");
    }
    let pointer = |name: &str| format!("{ACCESS}/{name}");
    let differs = |name: &str| !same(old.at(&pointer(name)), new.at(&pointer(name)));
    if is_private(old) && is_private(new) && differs("privateDNSZone") {
        return refuse("privateDNSZone");
    }
    if integrated(old) && differs("subnetId") {
        return refuse("subnetId");
    }
    Ok(())
}
