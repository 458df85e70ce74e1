//! What there is, in the user's terms: the arguments as Azure has them, and the endpoint map.

use std::collections::{BTreeMap, BTreeSet};

use super::way::{self, owner_elsewhere};
use super::{Dns, Endpoint, Input, ManualApproval, Output, PrivateRegistryLink, Records, own_zone};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled, spelled_id};

/// Observes the link of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<PrivateRegistryLink>, Unread> {
    let endpoint = match (seen.look(id)?, prior) {
        (Look::Found(endpoint), _) => endpoint,
        (_, Some(prior)) => {
            let output = Output {
                connection_state: String::new(),
                network_interface_id: None,
                zone_id: Some(prior.zone_id(seen)),
                endpoints: BTreeMap::new(),
            };
            return Ok(Observed::new(prior.clone(), output));
        }
        (_, None) => &Json::Null,
    };
    let input = match prior {
        Some(prior) => refreshed(prior, endpoint, seen),
        None => imported(id, endpoint, seen)?,
    };
    let records = way::records(&input, seen)?;
    let zone = input.zone_id(seen);
    let endpoints = records
        .iter()
        .map(|record| {
            let endpoint = Endpoint {
                ip: record.ip.clone(),
                member: record.address.member.clone(),
                region: record.address.region.clone(),
                record_id: Some(record.id.clone()),
            };
            (record.fqdn.clone(), endpoint)
        })
        .collect();
    let mut observed: Observed<PrivateRegistryLink> = Observed::new(
        input,
        Output {
            connection_state: way::connection_state(endpoint).to_owned(),
            network_interface_id: way::interface_id(endpoint),
            zone_id: Some(zone.clone()),
            endpoints,
        },
    );
    if way::connection_state(endpoint) == "Rejected" {
        observed.warnings.push((
            format!("the owner of the registry has rejected private endpoint {}", id.name()),
            format!(
                "A person decided so, and it is not fought.\n- {}\n\nFix: talk to the owner. A \
                 rejected connection cannot be approved any more (Azure: \"Approving rejected private \
                 endpoint connections is not supported\"); when it is to be approved after all, \
                 replace the endpoint:\n\n  tofu apply -replace=ADDRESS",
                observed.input.registry_id
            ),
        ));
    }
    for record in &records {
        match seen.look(&record.id)? {
            Look::Denied(_) => {
                observed.warnings.push(unreadable_zone(&zone));
                break;
            }
            Look::Absent => {}
            Look::Found(_) => {
                if let Some(other) = owner_elsewhere(record, &observed.input, seen)? {
                    observed.released.push(record.id.clone());
                    observed.warnings.push((
                        format!("A record {} belongs to another endpoint", record.name),
                        format!(
                            "- record: {}\n- its endpoint: {other}\n\nIt is not taken back, because \
                             that endpoint lives: whichever is written last wins, and all networks of \
                             the zone follow it.\n\nFix: give one of the two links a zone of its own, \
                             in another resource group, with `dns.zone_id`.",
                            record.id
                        ),
                    ));
                }
            }
        }
    }
    Ok(observed)
}

fn unreadable_zone(zone: &ArmId) -> (String, String) {
    (
        format!("the records in {} cannot be read", zone.name()),
        format!(
            "The DNS zone group's own list is taken as evidence instead, which shows no record that \
             was changed by others.\n- {zone}\n\nFix: give the caller the action \
             `Microsoft.Network/privateDnsZones/A/read` there, for example with the role Reader."
        ),
    )
}

/// Azure's value over each argument that has a counterpart there, in the user's spelling.
fn refreshed(prior: &Input, endpoint: &Json, seen: &Seen) -> Input {
    let fresh = arguments(&prior.id(), endpoint, Some(prior), seen);
    let mut dns = prior.dns.clone();
    // A link that is there and leads to another network shows as that network; one that is
    // missing is drift with its own reason.
    let zone = prior.zone_id(seen);
    for (key, network) in &mut dns.virtual_network_ids {
        if let Ok(Look::Found(link)) = seen.look(&prior.link_id(&zone, key))
            && let Some(found) =
                spelled_id(Some(network), &link["properties"]["virtualNetwork"]["id"])
        {
            *network = found;
        }
    }
    Input { dns, ..fresh }
}

fn imported(id: &ArmId, endpoint: &Json, seen: &Seen) -> Result<Input, Unread> {
    let groups = seen
        .list(id, "privateDnsZoneGroups")?
        .found()
        .unwrap_or_default();
    let group = groups.first();
    let mut input = arguments(id, endpoint, None, seen);
    let Some(group) = group else { return Ok(input) };
    input.dns.zone_group_name = group["name"].as_str().unwrap_or("default").to_owned();
    input.dns.records = Records::ZoneGroup;
    let zone = group["properties"]["privateDnsZoneConfigs"]
        .as_array()
        .and_then(|configs| configs.first())
        .and_then(|config| spelled_id(None, &config["properties"]["privateDnsZoneId"]));
    let Some(zone) = zone else { return Ok(input) };
    let own = own_zone(&input.resource_group_id, &seen.cloud().registry_zone());
    input.dns.zone_id = (zone != own).then_some(zone.clone());
    let links = seen
        .list(&zone, "virtualNetworkLinks")?
        .found()
        .unwrap_or_default();
    let beginning = format!("{}-", input.name);
    for link in links {
        let key = link["name"]
            .as_str()
            .and_then(|name| name.strip_prefix(&beginning));
        let network = spelled_id(None, &link["properties"]["virtualNetwork"]["id"]);
        if let (Some(key), Some(network)) = (key, network) {
            if let Some(policy) = link["properties"]["resolutionPolicy"].as_str() {
                input.dns.resolution_policy = policy.to_owned();
            }
            input
                .dns
                .virtual_network_ids
                .insert(key.to_owned(), network);
        }
    }
    Ok(input)
}

/// The arguments that the endpoint itself shows.
fn arguments(id: &ArmId, endpoint: &Json, prior: Option<&Input>, seen: &Seen) -> Input {
    let properties = &endpoint["properties"];
    let unknown = || ArmId::subscription(id.subscription_id());
    let connection = way::connection(endpoint).cloned().unwrap_or_default();
    let manual = properties["manualPrivateLinkServiceConnections"]
        .as_array()
        .is_some_and(|connections| !connections.is_empty());
    let group = prior
        .map(|prior| prior.resource_group_id.clone())
        .or_else(|| id.resource_group_id());
    let registry = &connection["properties"]["privateLinkServiceId"];
    let message = connection["properties"]["requestMessage"]
        .as_str()
        .filter(|message| !message.is_empty())
        .map(str::to_owned);
    let interface_name = properties["customNetworkInterfaceName"]
        .as_str()
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let static_ips: BTreeMap<String, String> = properties["ipConfigurations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|configuration| {
            let properties = &configuration["properties"];
            Some((
                properties["memberName"].as_str()?.to_owned(),
                properties["privateIPAddress"].as_str()?.to_owned(),
            ))
        })
        .collect();
    let groups: BTreeSet<ArmId> = properties["applicationSecurityGroups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| spelled_id(None, &group["id"]))
        .collect();
    let prior_groups = prior.and_then(|prior| prior.application_security_group_ids.clone());
    Input {
        name: prior.map_or_else(|| id.name().to_owned(), |prior| prior.name.clone()),
        resource_group_id: group.unwrap_or_else(unknown),
        location: Some(spelled(
            prior.and_then(|prior| prior.location.as_deref()),
            &endpoint["location"],
        )),
        registry_id: spelled_id(prior.map(|prior| &prior.registry_id), registry)
            .or_else(|| prior.map(|prior| prior.registry_id.clone()))
            .unwrap_or_else(unknown),
        subnet_id: spelled_id(
            prior.map(|prior| &prior.subnet_id),
            &properties["subnet"]["id"],
        )
        .or_else(|| prior.map(|prior| prior.subnet_id.clone()))
        .unwrap_or_else(unknown),
        dns: prior.map_or_else(
            || Dns {
                virtual_network_ids: BTreeMap::new(),
                zone_id: None,
                records: Records::Explicit,
                zone_group_name: "default".to_owned(),
                resolution_policy: "Default".to_owned(),
            },
            |prior| prior.dns.clone(),
        ),
        static_ips: if static_ips.is_empty() && prior.is_none_or(|p| p.static_ips.is_none()) {
            None
        } else {
            Some(static_ips)
        },
        network_interface_name: interface_name,
        manual_approval: manual.then_some(ManualApproval { message }),
        application_security_group_ids: match prior_groups {
            Some(prior) if prior == groups => Some(prior),
            None if groups.is_empty() => None,
            _ => Some(groups),
        },
        // No property of the endpoint; after an import it is what it is by default.
        allow_shared_subnet: prior.map_or(Some(false), |prior| prior.allow_shared_subnet),
        tags: seen
            .tag_policy()
            .observed(endpoint, prior.and_then(|prior| prior.tags.as_ref())),
    }
}
