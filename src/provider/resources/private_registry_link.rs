//! The private way to a registry: an endpoint with its addresses, the DNS zone that answers with
//! them, the networks that ask that zone, and the records in it. Four ARM types
//! (`privateEndpoints` with `privateDnsZoneGroups`, `privateDnsZones`, `virtualNetworkLinks`,
//! `A`), and one resource, because only together do they make a pull private, and because each of
//! them can be right while the whole is not.

mod check;
mod evidence;
mod observe;
mod schema;
pub mod way;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

pub(super) use self::check::free_addresses;
use self::evidence::{disagreement, endpoint_stands, records_agree};
use self::way::owner_elsewhere;
use crate::arm::{ArmId, Json, normalize};
use crate::network::private_link::{GROUP_ID, ZONE_GROUP_TTL};
use crate::provider::parts::{
    Check, Composite, Ledger, Lock, Look, Observed, Page, Part, Removal, Seen, Surroundings, Tags,
    Unread, Wanted,
};

const ZONE_GROUP: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";

/// `fkaks_private_registry_link`
pub struct PrivateRegistryLink;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    name: String,
    resource_group_id: ArmId,
    location: Option<String>,
    registry_id: ArmId,
    subnet_id: ArmId,
    dns: Dns,
    static_ips: Option<BTreeMap<String, String>>,
    network_interface_name: Option<String>,
    manual_approval: Option<ManualApproval>,
    application_security_group_ids: Option<BTreeSet<ArmId>>,
    #[serde(default)]
    allow_shared_subnet: Option<bool>,
    tags: Option<Tags>,
}

/// Where the registry's private names are, and who asks there.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Dns {
    virtual_network_ids: BTreeMap<String, ArmId>,
    zone_id: Option<ArmId>,
    records: Records,
    zone_group_name: String,
    resolution_policy: String,
}

/// Who writes the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Records {
    /// Azure, through the endpoint's zone group.
    ZoneGroup,
    /// This resource.
    Explicit,
    /// An Azure Policy, which attaches a zone group of its own.
    Policy,
}

/// The registry's owner approves by hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ManualApproval {
    message: Option<String>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    connection_state: String,
    network_interface_id: Option<ArmId>,
    zone_id: Option<ArmId>,
    endpoints: BTreeMap<String, Endpoint>,
}

/// One name of the registry, and where it leads.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Endpoint {
    ip: String,
    member: String,
    region: Option<String>,
    record_id: Option<ArmId>,
}

impl Composite for PrivateRegistryLink {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_private_registry_link";
    const ANCHOR: &'static str = "Microsoft.Network/privateEndpoints";
    const TIMEOUTS: Timeouts = Timeouts::minutes(60, 5, 60, 60);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("endpoint", endpoint)
            .until(endpoint_stands)
            .locks(endpoint_locks),
        Part::new("zone", zone)
            .keep(zone_is_used)
            .existing(use_the_zone),
        // Only while the zone changes: the new one answers before any network asks it.
        Part::new("bridge", bridge)
            .after(&["endpoint", "zone"])
            .leaves(handed_over)
            .transient(),
        Part::new("zone_links", zone_links)
            .after(&["zone"])
            .existing(a_link_of_others),
        Part::new("records", records)
            .after(&["endpoint", "zone"])
            .until(records_agree)
            .leaves(handed_over),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn known_by(state: &Value) -> Vec<ArmId> {
        let endpoints = state.get("endpoints").as_map().into_iter().flatten();
        endpoints
            .map(|(_, endpoint)| endpoint.get("record_id"))
            .chain([state.get("network_interface_id")])
            .filter_map(|id| ArmId::parse(id.as_str()?).ok())
            .collect()
    }

    fn foresee(
        plan: &Value,
        _: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let group = plan
            .get("resource_group_id")
            .as_str()
            .and_then(|id| ArmId::parse(id).ok());
        let mut known = Vec::new();
        if let (Some(group), Some(name)) = (&group, plan.get("name").as_str()) {
            let id = group.resource(Self::ANCHOR, name);
            known.push(("id", Value::from(id.as_str())));
        }
        let given = plan.get("dns").get("zone_id");
        if let Some(zone) = given.as_str() {
            known.push(("zone_id", Value::from(zone)));
        } else if let (Some(group), true) = (&group, given.is_null()) {
            let zone = own_zone(group, &surroundings.cloud.registry_zone());
            known.push(("zone_id", Value::from(zone.as_str())));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.resource_group_id
            .resource(PrivateRegistryLink::ANCHOR, &self.name)
    }

    /// The zone of the records: the given one, or ours beside the endpoint.
    fn zone_id(&self, seen: &Seen) -> ArmId {
        let own = || own_zone(&self.resource_group_id, &seen.cloud().registry_zone());
        self.dns.zone_id.clone().unwrap_or_else(own)
    }

    fn zone_group_id(&self) -> ArmId {
        self.id()
            .child("privateDnsZoneGroups", &self.dns.zone_group_name)
    }

    fn link_id(&self, zone: &ArmId, key: &str) -> ArmId {
        zone.child("virtualNetworkLinks", &format!("{}-{key}", self.name))
    }
}

fn own_zone(group: &ArmId, name: &str) -> ArmId {
    group.resource("Microsoft.Network/privateDnsZones", name)
}

fn endpoint(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let look = seen.look(&id).map(Look::found);
    let remake = look
        .ok()
        .flatten()
        .filter(|found| way::connection_state(found) == "Disconnected")
        .map(|_| {
            format!(
                "private endpoint {}: its connection to the registry is Disconnected, because the \
             registry was deleted and made anew, or its owner removed the connection; only a new \
             endpoint can connect again",
                input.name
            )
        });
    Ok(vec![
        Wanted::new(id, look.and_then(|found| endpoint_body(input, found, seen)))
            .tagged(input.tags.as_ref())
            .immutable(&[
                "/location",
                "/properties/subnet",
                "/properties/privateLinkServiceConnections",
                "/properties/manualPrivateLinkServiceConnections",
                "/properties/customNetworkInterfaceName",
                "/properties/ipConfigurations",
            ])
            .remake(remake)
            .argument("subnet_id"),
    ])
}

fn endpoint_body(input: &Input, found: Option<&Json>, seen: &Seen) -> Result<Json, Unread> {
    let location = match (&input.location, input.subnet_id.parent()) {
        (Some(location), _) => normalize(location),
        (None, Some(network)) => match seen.look(&network)? {
            Look::Found(network) => normalize(network["location"].as_str().unwrap_or_default()),
            Look::Absent | Look::Denied(_) => String::new(),
        },
        (None, None) => String::new(),
    };
    // The connection of an endpoint that someone else made keeps its name.
    let name = found
        .and_then(way::connection)
        .and_then(|connection| connection["name"].as_str())
        .unwrap_or(&input.name);
    let connection = json!([{
        "name": name,
        "properties": {
            "privateLinkServiceId": input.registry_id,
            "groupIds": [GROUP_ID],
            "requestMessage": input.manual_approval.as_ref().and_then(|manual| manual.message.clone()),
        }
    }]);
    let (automatic, manual) = match input.manual_approval {
        None => (connection, json!([])),
        Some(_) => (json!([]), connection),
    };
    let addresses = input.static_ips.as_ref().map(|addresses| {
        let configurations = addresses.iter().map(|(member, ip)| {
            json!({
                "name": member,
                "properties": {"groupId": GROUP_ID, "memberName": member, "privateIPAddress": ip}
            })
        });
        configurations.collect::<Vec<_>>()
    });
    let groups = input.application_security_group_ids.iter().flatten();
    Ok(json!({
        "location": location,
        "properties": {
            "subnet": {"id": input.subnet_id},
            "privateLinkServiceConnections": automatic,
            "manualPrivateLinkServiceConnections": manual,
            "customNetworkInterfaceName": input.network_interface_name,
            "ipConfigurations": addresses,
            "applicationSecurityGroups": groups.map(|id| json!({"id": id})).collect::<Vec<_>>(),
        }
    }))
}

/// One write at a time for a registry's connections, and a few for a subnet's addresses.
fn endpoint_locks(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![
        Lock::on(&input.registry_id, "connections", 1),
        Lock::on(&input.subnet_id, "addresses", 4),
    ]
}

fn zone(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    if input.dns.zone_id.is_some() {
        return Ok(Vec::new());
    }
    let body = json!({"location": "global"});
    let wanted = Wanted::new(input.zone_id(seen), Ok(body)).tagged(input.tags.as_ref());
    Ok(vec![wanted.argument("dns")])
}

/// A zone goes with its records and takes the names of every registry in it along, so it is
/// kept while anything in it is not ours.
fn zone_is_used(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    let links = seen.list(removal.id, "virtualNetworkLinks");
    let records = seen.list(removal.id, "A");
    let ours = way::records_of_groups(removal.ledger, seen)?;
    let ids = |look: Look<&[Json]>| -> Vec<ArmId> {
        let items = look.found().unwrap_or_default().iter();
        items
            .filter_map(|item| ArmId::parse(item["id"].as_str()?).ok())
            .collect()
    };
    let (links, records) = (ids(links?), ids(records?));
    Ok(links
        .into_iter()
        .chain(records.into_iter().filter(|record| {
            !ours
                .iter()
                .any(|own| own.eq_ignore_ascii_case(record.name()))
        }))
        .filter(|id| !removal.ledger.contains(id))
        .map(|id| id.to_string())
        .collect())
}

fn use_the_zone(id: &ArmId) -> Option<String> {
    Some(format!(
        "use it, without owning it:\n\n  dns = {{\n    zone_id = \"{id}\"\n  }}"
    ))
}

fn a_link_of_others(id: &ArmId) -> Option<String> {
    Some(format!(
        "if someone else looks after this link, take its network out of `dns.virtual_network_ids`. If an \
         apply of yours was lost before it could save its state, delete the link and apply again:\n\n  \
         az resource delete --ids {id}"
    ))
}

fn zone_links(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let zone = input.zone_id(seen);
    let former = former_zone(&zone, seen);
    let mut wants = Vec::new();
    for (key, network) in &input.dns.virtual_network_ids {
        let id = input.link_id(&zone, key);
        let body = json!({
            "location": "global",
            "properties": {
                "virtualNetwork": {"id": network},
                "registrationEnabled": false,
                "resolutionPolicy": input.dns.resolution_policy,
            }
        });
        let mut wanted = Wanted::new(id, Ok(body))
            .tagged(input.tags.as_ref())
            .immutable(&["/properties/virtualNetwork"])
            .argument("dns.virtual_network_ids");
        if let Some(former) = &former {
            // A network asks one zone of a name: the records come first, then the old link goes.
            seen.after("bridge")?;
            wanted = wanted.instead_of(vec![input.link_id(former, key)]);
        }
        wants.push(wanted);
    }
    Ok(wants)
}

/// The zone before this change, when it is another one.
fn former_zone(zone: &ArmId, seen: &Seen) -> Option<ArmId> {
    let former = ArmId::parse(seen.prior()?["zone_id"].as_str()?).ok()?;
    (former != *zone).then_some(former)
}

fn records(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    match input.dns.records {
        Records::Policy => Ok(Vec::new()),
        Records::Explicit => explicit_records(input, seen),
        Records::ZoneGroup => {
            let group = input.zone_group_id();
            let zone = input.zone_id(seen);
            if former_zone(&zone, seen).is_some() {
                // The group withdraws the old zone's records when it goes, so all networks must
                // have moved before.
                seen.after("zone_links")?;
            }
            let look = seen.look(&group).map(Look::found);
            let found = look.ok().flatten();
            let remake = found
                .filter(|found| !way::names_zone(found, &zone))
                .map(|_| {
                    format!(
                        "DNS zone group {}: it writes into another zone",
                        group.name()
                    )
                });
            let rewrite = match found {
                Some(_) if remake.is_none() => disagreement(input, seen)?,
                _ => None,
            };
            let body = look.map(|found| group_body(found, &zone));
            Ok(vec![
                Wanted::new(group.clone(), body)
                    .instead_of(groups_but(Some(&group), seen))
                    .remake(remake)
                    .rewrite(rewrite)
                    .argument("dns"),
            ])
        }
    }
}

fn explicit_records(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    // A group withdraws its records when it goes, so it goes first where it is not to stay.
    let groups = match input.dns.records {
        Records::Explicit => groups_but(None, seen),
        Records::ZoneGroup | Records::Policy => Vec::new(),
    };
    let mut wants = Vec::new();
    for record in way::records(input, seen)? {
        if owner_elsewhere(&record, input, seen)?.is_some() {
            continue;
        }
        let body = json!({"properties": {
            "ttl": ZONE_GROUP_TTL,
            "aRecords": [{"ipv4Address": record.ip}],
            "metadata": {"endpoint": input.id()},
        }});
        let wanted = Wanted::new(record.id, Ok(body)).instead_of(groups.clone());
        wants.push(wanted.argument("dns"));
    }
    Ok(wants)
}

/// The zone groups that we owned before this change, but for the one that is wanted. An endpoint
/// has one group at a time.
fn groups_but(wanted: Option<&ArmId>, seen: &Seen) -> Vec<ArmId> {
    let before = seen
        .prior()
        .map(|prior| Ledger::from_json(&prior["objects"]))
        .unwrap_or_default();
    let groups = before.of("records").filter(|id| id.is(ZONE_GROUP));
    groups.filter(|id| Some(*id) != wanted).cloned().collect()
}

/// The records of a changed zone, until the zone group writes them itself.
fn bridge(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let moves = former_zone(&input.zone_id(seen), seen).is_some();
    if moves && input.dns.records == Records::ZoneGroup {
        explicit_records(input, seen)
    } else {
        Ok(Vec::new())
    }
}

/// The group with this zone, whose configuration keeps the name that it has in Azure.
fn group_body(found: Option<&Json>, zone: &ArmId) -> Json {
    let name = found
        .and_then(|found| way::configuration_of(found, zone)?["name"].as_str())
        .map_or_else(|| zone.name().replace('.', "-"), str::to_owned);
    json!({"properties": {
        "privateDnsZoneConfigs": [{"name": name, "properties": {"privateDnsZoneId": zone}}]
    }})
}

/// A group that a policy is to look after from now on stays, and so do the records that a group
/// writes from now on.
fn handed_over(input: &Input, id: &ArmId) -> bool {
    let by_group = input.dns.records != Records::Explicit;
    let same_zone = || match (&input.dns.zone_id, id.parent()) {
        (Some(zone), parent) => parent.as_ref() == Some(zone),
        (None, Some(parent)) => {
            parent.resource_group_id().as_ref() == Some(&input.resource_group_id)
        }
        (None, None) => false,
    };
    (input.dns.records == Records::Policy && id.is_within(&input.id()))
        || (by_group && id.is("Microsoft.Network/privateDnsZones/A") && same_zone())
}

#[cfg(test)]
mod tests;
