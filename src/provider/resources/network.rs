//! A virtual network and its subnets as one intent: each subnet says what it is for, and gets its
//! place, its delegations and its checks from that. Two ARM types (`virtualNetworks`, `subnets`),
//! and one resource, because addresses are planned together or not at all. Subnets that others
//! add to the network are left alone and reported.

pub(super) mod addresses;
pub(super) mod check;
mod observe;
mod peers;
pub(super) mod schema;
pub(super) mod subnets;
#[cfg(test)]
mod tests;
pub(super) mod users;

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

pub use self::addresses::texts;
use self::subnets::{SUBNET, Subnet};
use crate::arm::{ArmId, Json, normalize};
use crate::network::{cidr, plan};
use crate::provider::parts::{
    Check, Composite, Lock, Look, Observed, Page, Part, Removal, Seen, Surroundings, Tags, Unread,
    Wanted,
};

/// `fkaks_network`
pub struct Network;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    name: String,
    resource_group_id: ArmId,
    location: String,
    address_space: Vec<String>,
    dns_servers: Option<Vec<String>>,
    ddos_protection_plan_id: Option<ArmId>,
    reserved_prefixes: Option<Vec<String>>,
    subnets: Option<BTreeMap<String, Subnet>>,
    tags: Option<Tags>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    subnet_ids: BTreeMap<String, ArmId>,
    subnet_address_prefixes: BTreeMap<String, Vec<String>>,
    subnet_addresses: BTreeMap<String, Addresses>,
    other_subnets: BTreeMap<String, Other>,
}

/// How many IPv4 addresses a subnet has.
#[derive(Debug, PartialEq, Serialize)]
struct Addresses {
    usable: u64,
    free: u64,
}

/// A subnet that others added.
#[derive(Debug, PartialEq, Serialize)]
struct Other {
    id: ArmId,
    address_prefixes: Vec<String>,
}

impl Composite for Network {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_network";
    const ANCHOR: &'static str = "Microsoft.Network/virtualNetworks";
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("network", network)
            .keep(holds_others)
            .locks(one_at_a_time),
        // A subnet that goes makes room for one that comes.
        Part::new("subnets", subnets)
            .after(&["network"])
            .keep(users::keep)
            .existing(someone_elses_subnet)
            .locks(one_at_a_time)
            .clears_first()
            .goes_with_parent(),
        // A prefix leaves the network only when its subnets have left the prefix.
        Part::new("address_space", address_space)
            .after(&["subnets"])
            .locks(one_at_a_time),
    ];

    const EMBEDDED: &'static [&'static str] = &[SUBNET];

    fn embedded(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
        subnets_within(id, body)
    }

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn complete(config: &Value, planned: &mut Value, prior: Option<&Value>, _: &Surroundings) {
        let question = addresses::question(config, prior, addresses::reported(prior));
        let layout = plan::plan(&question);
        let subnets = planned
            .as_map_mut()
            .and_then(|planned| planned.get_mut("subnets"));
        let Some(subnets) = subnets.and_then(Value::as_map_mut) else {
            return;
        };
        for (key, subnet) in subnets {
            let placed = layout.prefixes.get(key).and_then(Option::as_deref);
            addresses::fill(subnet, config.get("subnets").get(key), placed);
        }
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        let id = planned_id(plan);
        if let Some(id) = &id {
            known.push(("id", Value::from(id.as_str())));
        }
        let subnets = plan.get("subnets");
        if subnets.is_unknown() {
            return known;
        }
        let each = |of: &dyn Fn(&str, &Value) -> Value| {
            let subnets = subnets.as_map().into_iter().flatten();
            Value::object(subnets.map(|(key, subnet)| (key.clone(), of(key, subnet))))
        };
        known.push((
            "subnet_ids",
            each(
                &|key, subnet| match (&id, addresses::known_name(key, subnet)) {
                    (Some(id), Some(name)) => Value::from(id.child("subnets", &name).as_str()),
                    _ => Value::unknown(),
                },
            ),
        ));
        known.push((
            "subnet_address_prefixes",
            each(&|_, subnet| subnet.get("address_prefixes").clone()),
        ));
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::before_writing(check)
    }
}

impl Input {
    fn id(&self) -> ArmId {
        self.resource_group_id.resource(Network::ANCHOR, &self.name)
    }

    /// The subnets with their ids, by key.
    fn subnets(&self) -> BTreeMap<&str, (ArmId, &Subnet)> {
        let network = self.id();
        let subnets = self.subnets.iter().flatten();
        subnets
            .map(|(key, subnet)| {
                let id = network.child("subnets", subnet.name(key));
                (key.as_str(), (id, subnet))
            })
            .collect()
    }
}

/// The id of a planned network, where it is known.
fn planned_id(plan: &Value) -> Option<ArmId> {
    let group = ArmId::parse(plan.get("resource_group_id").as_str()?).ok()?;
    Some(group.resource(Network::ANCHOR, plan.get("name").as_str()?))
}

/// A subnet that exists in the terms of the resource, with how many addresses it has and are free.
pub fn subnet_shown(name: &str, found: &Json) -> Json {
    let prefixes = addresses::found_prefixes(found);
    let (usable, free) = addresses::counts(&prefixes, found);
    let there = &found["properties"];
    let mut shown = json!(Subnet::observed(None, name, found));
    shown["usable_addresses"] = json!(usable);
    shown["free_addresses"] = json!(free);
    shown["delegations"] = json!(subnets::listed(
        &there["delegations"],
        "/properties/serviceName"
    ));
    shown["service_endpoints"] = json!(subnets::listed(&there["serviceEndpoints"], "/service"));
    shown
}

/// The subnets in the body of a network.
pub fn subnets_within(id: &ArmId, body: &Json) -> Vec<(ArmId, Json)> {
    if !id.is(Network::ANCHOR) {
        return Vec::new();
    }
    let subnets = body["properties"]["subnets"]
        .as_array()
        .into_iter()
        .flatten();
    subnets
        .filter_map(|subnet| {
            let name = subnet["name"].as_str()?;
            Some((id.child("subnets", name), subnet.clone()))
        })
        .collect()
}

/// The lock of a network's addresses, which are planned and written by one at a time: Azure
/// refuses a second write in a network while the first goes on.
pub(super) fn address_lock(network: &ArmId) -> Lock {
    Lock::on(network, "addresses", 1)
}

fn one_at_a_time(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![address_lock(&input.id())]
}

fn network(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let look = seen.look(&id).map(Look::found);
    let placed = placed(input, seen);
    let body = look.and_then(|found| {
        placed.as_ref().map_err(|unread| *unread)?;
        let space = roomy(&input.address_space, found);
        Ok(network_body(input, &space, found))
    });
    // A new network goes with its subnets in one request.
    let placed = placed.unwrap_or_default();
    let inline = input.subnets().into_iter().map(|(key, (id, subnet))| {
        let prefixes = placed.get(key).map_or(&[][..], Vec::as_slice);
        let mut inline = subnet.body(prefixes, None, None);
        inline["name"] = id.name().into();
        inline
    });
    let creation = json!({"properties": {"subnets": inline.collect::<Vec<_>>()}});
    let brings = input.subnets().into_values().map(|(id, _)| ("subnets", id));
    Ok(vec![
        Wanted::new(id, body)
            .tagged(input.tags.as_ref())
            .shared(&["/properties/subnets"])
            .ordered(&["/properties/dhcpOptions/dnsServers"])
            .creating(creation, brings.collect())
            .argument("address_space"),
    ])
}

fn network_body(input: &Input, space: &[String], found: Option<&Json>) -> Json {
    let none = Json::Null;
    let there = found.map_or(&none, |found| &found["properties"]);
    let mut properties = Map::new();
    let standing = texts(&there["addressSpace"]["addressPrefixes"]);
    if found.is_none() || !addresses::same(space, &standing) {
        properties.insert("addressSpace".into(), json!({ "addressPrefixes": space }));
    }
    let servers = input.dns_servers.as_deref().unwrap_or_default();
    properties.insert("dhcpOptions".into(), json!({ "dnsServers": servers }));
    let plan = input.ddos_protection_plan_id.as_ref();
    properties.insert(
        "ddosProtectionPlan".into(),
        plan.map_or(Json::Null, |id| json!({ "id": id })),
    );
    if plan.is_some() || there["enableDdosProtection"] == true {
        properties.insert("enableDdosProtection".into(), plan.is_some().into());
    }
    json!({"location": normalize(&input.location), "properties": properties})
}

/// The wanted address space, and what of the standing one subnets still live in: they move, or
/// go, before their prefix does.
fn roomy(wanted: &[String], found: Option<&Json>) -> Vec<String> {
    let Some(found) = found else {
        return wanted.to_vec();
    };
    let space = addresses::parsed(wanted);
    let subnets = found["properties"]["subnets"]
        .as_array()
        .into_iter()
        .flatten();
    let outside: Vec<IpNet> = subnets
        .flat_map(|subnet| addresses::parsed(&addresses::found_prefixes(subnet)))
        .filter(|prefix| !cidr::within(&space, prefix))
        .collect();
    let standing = texts(&found["properties"]["addressSpace"]["addressPrefixes"]);
    let kept: Vec<IpNet> = addresses::parsed(&standing)
        .into_iter()
        .filter(|part| outside.iter().any(|prefix| part.contains(prefix)))
        .collect();
    if kept.is_empty() {
        return wanted.to_vec();
    }
    let new = space.iter().filter(|part| !cidr::within(&kept, part));
    kept.iter().chain(new).map(ToString::to_string).collect()
}

fn subnets(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let placed = placed(input, seen);
    let own = input.subnets();
    let mut wants = BTreeMap::new();
    let (mut new, mut current) = (BTreeMap::new(), BTreeMap::new());
    for (key, (id, subnet)) in &own {
        let look = seen.look(id).map(Look::found);
        let body = look.and_then(|found| {
            let prefixes = placed.as_ref().map_err(|unread| *unread)?.get(*key);
            let prefixes = prefixes.map_or(&[][..], Vec::as_slice);
            new.insert((*key).to_owned(), addresses::parsed(prefixes));
            let standing = found.map(addresses::found_prefixes).unwrap_or_default();
            current.insert((*key).to_owned(), addresses::parsed(&standing));
            Ok(subnet.body(prefixes, found, before(seen, id.name())))
        });
        let wanted = Wanted::new(id.clone(), body)
            .shared(&["/properties"])
            .argument("subnets");
        wants.insert(*key, wanted);
    }
    // The order is that of the writes, since one goes at a time.
    let (mut order, circle) = addresses::order(&new, &current);
    order.extend(circle);
    let mut ordered: Vec<Wanted> = order
        .iter()
        .filter_map(|key| wants.remove(key.as_str()))
        .collect();
    ordered.extend(wants.into_values());
    Ok(ordered)
}

/// A subnet in the state before this change, by its name in Azure.
fn before<'a>(seen: &'a Seen, name: &str) -> Option<&'a Json> {
    let subnets = seen.prior()?["subnets"].as_object()?;
    let mut subnets = subnets.iter();
    let named = |key: &str, json: &Json| {
        let subnet = Subnet::deserialize(json).ok();
        subnet.is_some_and(|subnet| subnet.name(key).eq_ignore_ascii_case(name))
    };
    subnets
        .find(|(key, json)| named(key, json))
        .map(|(_, json)| json)
}

/// The prefixes of all subnets: as planned, or placed now where the plan could not say.
fn placed(input: &Input, seen: &Seen) -> Result<BTreeMap<String, Vec<String>>, Unread> {
    let subnets = || input.subnets.iter().flatten();
    let mut placed: BTreeMap<String, Vec<String>> = subnets()
        .filter_map(|(key, subnet)| Some((key.clone(), subnet.address_prefixes.clone()?)))
        .collect();
    if subnets().all(|(key, _)| placed.contains_key(key)) {
        return Ok(placed);
    }
    let network = input.id();
    let found = seen.look(&network)?.found();
    let standing: BTreeMap<String, Vec<IpNet>> = found
        .map(|found| subnets_within(&network, found))
        .unwrap_or_default()
        .iter()
        .map(|(id, subnet)| {
            let prefixes = addresses::parsed(&addresses::found_prefixes(subnet));
            (id.name().to_lowercase(), prefixes)
        })
        .collect();
    let question = plan::Wanted {
        address_space: Some(input.address_space.clone()),
        reserved: Some(input.reserved_prefixes.clone().unwrap_or_default()),
        subnets: subnets()
            .map(|(key, subnet)| {
                let name = subnet.name(key).to_owned();
                let previous = standing.get(&name.to_lowercase()).cloned();
                let size = match (&subnet.address_prefixes, subnet.prefix_length) {
                    (Some(prefixes), _) => plan::Size::Prefixes(prefixes.clone()),
                    (None, Some(length)) => plan::Size::Length(length),
                    (None, None) => plan::Size::Missing,
                };
                let question = plan::Subnet {
                    name: Some(name),
                    purpose: Some(subnet.purpose),
                    size,
                    previous: previous.unwrap_or_default(),
                    attachments: Default::default(),
                };
                (key.clone(), question)
            })
            .collect(),
        others: standing,
    };
    for (key, prefixes) in plan::plan(&question).prefixes {
        let texts = prefixes.iter().flatten().map(ToString::to_string);
        placed.entry(key).or_insert_with(|| texts.collect());
    }
    Ok(placed)
}

/// Takes prefixes away that no subnet lives in any more.
fn address_space(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let id = input.id();
    let Ok(Look::Found(found)) = seen.look(&id) else {
        return Ok(Vec::new());
    };
    let standing = texts(&found["properties"]["addressSpace"]["addressPrefixes"]);
    if addresses::same(&standing, &input.address_space) {
        return Ok(Vec::new());
    }
    let body = network_body(input, &input.address_space, Some(found));
    Ok(vec![
        Wanted::new(id, Ok(body))
            .tagged(input.tags.as_ref())
            .shared(&["/properties/subnets"])
            .ordered(&["/properties/dhcpOptions/dnsServers"])
            .argument("address_space"),
    ])
}

/// A network goes with all that is in it, so it is kept while anything in it is not ours.
fn holds_others(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    let Look::Found(network) = seen.look(removal.id)? else {
        return Ok(Vec::new());
    };
    let peerings = network["properties"]["virtualNetworkPeerings"].as_array();
    let peerings = peerings
        .into_iter()
        .flatten()
        .filter_map(|peering| ArmId::parse(peering["id"].as_str()?).ok());
    let inside = subnets_within(removal.id, network).into_iter();
    Ok(inside
        .map(|(id, _)| id)
        .chain(peerings)
        .filter(|id| !removal.ledger.contains(id))
        .map(|id| id.to_string())
        .collect())
}

fn someone_elses_subnet(id: &ArmId) -> Option<String> {
    Some(format!(
        "give yours another key or `name`. Or, if {} should be managed here, import the whole \
         network: take this resource out of the state (`tofu state rm`, `terraform state rm`) and \
         import it by the network's id; an import takes over every subnet.",
        id.name()
    ))
}
