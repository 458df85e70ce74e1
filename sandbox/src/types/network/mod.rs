//! Microsoft.Network: virtual networks and what lives in them.

pub mod addresses;
pub mod application_security_groups;
mod inline;
pub mod load_balancers;
pub mod nat_gateways;
pub mod network_interfaces;
pub mod network_security_groups;
pub mod private_dns_zone_groups;
mod private_endpoint_checks;
pub mod private_endpoints;
pub mod public_ip_addresses;
pub mod public_ip_prefixes;
pub mod route_tables;
pub mod security_rules;
pub mod subnets;
pub mod virtual_network_gateways;
mod virtual_network_peering_checks;
pub mod virtual_network_peerings;
pub mod virtual_networks;

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult, another_operation, invalid_reference, retryable};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::regions;
use crate::store::{Resource, World};
use crate::table::{Change, Etags, NamespaceAction, Patch, Place, Style, Type, Verb};

/// API versions of Microsoft.Network (private DNS apart) that clients send.
pub const VERSIONS: &[&str] = &[
    "2018-01-01",
    "2018-02-01",
    "2018-04-01",
    "2018-06-01",
    "2018-07-01",
    "2018-08-01",
    "2018-10-01",
    "2018-11-01",
    "2018-12-01",
    "2019-02-01",
    "2019-04-01",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-09-01",
    "2019-11-01",
    "2019-12-01",
    "2020-03-01",
    "2020-04-01",
    "2020-05-01",
    "2020-06-01",
    "2020-07-01",
    "2020-08-01",
    "2020-11-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2022-01-01",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
    "2025-07-01",
    "2025-09-01",
    "2026-01-01",
    "2026-03-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    application_security_groups::APPLICATION_SECURITY_GROUPS,
    load_balancers::LOAD_BALANCERS,
    nat_gateways::NAT_GATEWAYS,
    network_interfaces::NETWORK_INTERFACES,
    network_interfaces::IP_CONFIGURATIONS,
    network_security_groups::NETWORK_SECURITY_GROUPS,
    network_security_groups::DEFAULT_SECURITY_RULES,
    security_rules::SECURITY_RULES,
    private_endpoints::PRIVATE_ENDPOINTS,
    private_dns_zone_groups::PRIVATE_DNS_ZONE_GROUPS,
    public_ip_addresses::PUBLIC_IP_ADDRESSES,
    public_ip_prefixes::PUBLIC_IP_PREFIXES,
    route_tables::ROUTE_TABLES,
    route_tables::ROUTES,
    virtual_networks::VIRTUAL_NETWORKS,
    subnets::SUBNETS,
    virtual_network_gateways::VIRTUAL_NETWORK_GATEWAYS,
    virtual_network_peerings::PEERINGS,
];

/// Actions of the namespace.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[NamespaceAction {
    method: "GET",
    namespace: "Microsoft.Network",
    path: &["locations", "*", "usages"],
    versions: VERSIONS,
    run: usages,
}];

/// How much of a subscription's network quotas a region has in use.
fn usages(
    world: &mut World,
    subscription: &str,
    path: &[String],
    _: &Request,
) -> ArmResult<Answer> {
    let region = path
        .get(1)
        .map(|region| regions::normalize(region))
        .unwrap_or_default();
    let scope = format!("/subscriptions/{subscription}");
    let quotas = [
        (
            "VirtualNetworks",
            "Virtual Networks",
            "Microsoft.Network/virtualNetworks",
            1000,
        ),
        (
            "NetworkSecurityGroups",
            "Network Security Groups",
            "Microsoft.Network/networkSecurityGroups",
            5000,
        ),
        (
            "PublicIPAddresses",
            "Public IP Addresses",
            "Microsoft.Network/publicIPAddresses",
            1000,
        ),
        (
            "NetworkInterfaces",
            "Network Interfaces",
            "Microsoft.Network/networkInterfaces",
            65_536,
        ),
        (
            "RouteTables",
            "Route Tables",
            "Microsoft.Network/routeTables",
            200,
        ),
        (
            "PrivateEndpoints",
            "Private Endpoints",
            "Microsoft.Network/privateEndpoints",
            65_536,
        ),
        (
            "NatGateways",
            "NAT Gateways",
            "Microsoft.Network/natGateways",
            1000,
        ),
    ];
    let value: Vec<Value> = quotas
        .into_iter()
        .map(|(name, title, kind, limit)| {
            let used = world.list(&scope, kind).filter(|resource| resource.text("/location") == Some(&region)).count();
            json!({
                "id": format!("{scope}/providers/Microsoft.Network/locations/{region}/usages/{name}"),
                "name": { "value": name, "localizedValue": title }, "currentValue": used, "limit": limit, "unit": "Count",
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "value": value })))
}

/// A type of the network provider that stands for itself: PUT with `Azure-AsyncOperation`, PATCH of
/// tags, DELETE with `Location`, etags that are shown and not checked.
#[must_use]
pub const fn top_level(name: &'static str) -> Type {
    Type {
        put: Style::AsyncOperation,
        patch: Patch::Tags,
        delete: Style::Location,
        etags: Etags::Shown,
        members: &["extendedLocation"],
        busy,
        ..Type::new(name, VERSIONS)
    }
}

/// A child of a network resource: no location, no PATCH, and 404 is `NotFound`.
#[must_use]
pub const fn child(name: &'static str) -> Type {
    Type {
        place: Place::None,
        patch: Patch::No,
        not_found: "NotFound",
        ..top_level(name)
    }
}

/// Gives the resource the `resourceGuid` of its life.
pub fn resource_guid(
    world: &mut World,
    new: &mut Resource,
    old: Option<&Resource>,
) -> ArmResult<()> {
    let guid = match old.and_then(|old| old.text("/properties/resourceGuid")) {
        Some(guid) => guid.to_owned(),
        None => world.guid(),
    };
    new.set("/properties/resourceGuid", guid);
    Ok(())
}

/// Names of network resources: up to `limit` characters, letters, digits, `.`, `_`, `-`.
///
/// # Errors
/// `InvalidResourceName`.
pub fn check_name(change: &Change<'_>, limit: usize) -> ArmResult<()> {
    let name = change.new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inside = name.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    let ends = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(word);
    if change.verb == Verb::Delete || (inside && ends && name.len() <= limit) {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to {limit} characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    ))
}

/// The resources whose bodies refer to `id`, whatever the property: back references are found, not stored.
pub fn users<'a>(world: &'a World, id: &'a ResourceId) -> impl Iterator<Item = &'a Resource> {
    world
        .all()
        .filter(move |other| !other.id.same(id.as_str()) && refers(&other.body, id))
}

/// True when some member `id` of the value names the resource.
#[must_use]
pub fn refers(value: &Value, id: &ResourceId) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| match value {
            Value::String(text) => name == "id" && id.same(text),
            other => refers(other, id),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, id)),
        _ => false,
    }
}

/// The refusal of a write while another one runs on the same network: PUT may be sent again at once
/// (429 `RetryableError`), DELETE meets 409 `AnotherOperationInProgress`.
#[must_use]
pub fn busy(busy: &ResourceId, change: &Change<'_>) -> ArmError {
    if change.verb == Verb::Delete {
        another_operation(busy)
    } else {
        retryable(busy, &change.new.id)
    }
}

/// The write of a child holds its parent.
#[must_use]
pub fn parent_lock(_: &World, child: &Resource) -> Vec<String> {
    vec![child.id.parent().unwrap_or_else(|| child.id.clone()).key()]
}

/// The network of a subnet.
#[must_use]
pub fn network_of(subnet: &ResourceId) -> ResourceId {
    subnet.parent().unwrap_or_else(|| subnet.clone())
}

/// Checks that a reference, when there is one, names an existing resource of the type, in `region` when given.
///
/// # Errors
/// `InvalidResourceReference`, or `InvalidRequestFormat` for what is no such id.
pub fn reference(
    world: &World,
    by: &Resource,
    pointer: &str,
    type_name: &str,
    region: Option<&str>,
) -> ArmResult<()> {
    let Some(text) = by.text(pointer) else {
        return Ok(());
    };
    let id = ResourceId::parse(text).filter(|id| id.type_name().eq_ignore_ascii_case(type_name)).ok_or_else(|| {
        cannot_parse(&format!("Value for reference id is invalid: '{text}' is not the id of a {type_name}. Path '{}'.", pointer[1..].replace('/', ".")))
    })?;
    let found = world
        .get(id.as_str())
        .ok_or_else(|| invalid_reference(id.as_str(), &by.id))?;
    match (found.text("/location"), region) {
        (Some(there), Some(here)) if there != here => Err(invalid_reference(id.as_str(), &by.id)),
        _ => Ok(()),
    }
}

/// Checks that a text, when there is one, is one of the values of an enumeration, in any case.
///
/// # Errors
/// `InvalidRequestFormat`.
pub fn one_of(resource: &Resource, pointer: &str, values: &[&str]) -> ArmResult<()> {
    let Some(value) = resource.at(pointer) else {
        return Ok(());
    };
    let known = value
        .as_str()
        .is_some_and(|text| values.iter().any(|value| value.eq_ignore_ascii_case(text)));
    if known {
        return Ok(());
    }
    Err(cannot_parse(&format!(
        "Error converting value {value} at path '{}'. Possible values are {}.",
        pointer[1..].replace('/', "."),
        values.join(", ")
    )))
}

/// The network provider's answer to a body that it does not understand.
#[must_use]
pub fn cannot_parse(why: &str) -> ArmError {
    ArmError::bad("InvalidRequestFormat", "Cannot parse the request.")
        .with(ArmError::bad("InvalidJson", why))
}

/// Shows who refers to the resource: a list of ids for each type that has users.
pub fn back_references(
    world: &World,
    resource: &Resource,
    body: &mut Value,
    members: &[(&str, &str)],
) {
    for (member, type_name) in members {
        let ids: Vec<Value> = world
            .of_type(type_name)
            .filter(|user| refers(&user.body, &resource.id))
            .map(|user| json!({ "id": user.id.as_str() }))
            .collect();
        if !ids.is_empty() {
            body["properties"][*member] = json!(ids);
        }
    }
}
