//! Microsoft.Network/routeTables with the routes of the body, and the routes as resources of their own.

use serde_json::Value;

use super::{addresses, inline};
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The row of the tables.
pub const ROUTE_TABLES: Type = Type {
    properties: &[
        "routes",
        "disableBgpRoutePropagation",
        "disablePeeringRoute",
    ],
    read_only: &["subnets", "resourceGuid"],
    check,
    fill,
    render,
    ..super::top_level("Microsoft.Network/routeTables")
};

/// The row of the routes.
pub const ROUTES: Type = Type {
    properties: &[
        "addressPrefix",
        "nextHopType",
        "nextHopIpAddress",
        "nextHop",
    ],
    read_only: &["hasBgpOverride"],
    check: check_route,
    fill: |_, route, _| {
        route.set("/properties/hasBgpOverride", false);
        Ok(())
    },
    locks: super::parent_lock,
    ..super::child("Microsoft.Network/routeTables/routes")
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        let user = super::users(world, &change.new.id).next();
        return user.map_or(Ok(()), |user| {
            Err(ArmError::bad(
                "InUseRouteTableCannotBeDeleted",
                format!(
                    "Route table {} is in use and cannot be deleted. It is associated with {}.",
                    change.new.id.name(),
                    user.id
                ),
            ))
        });
    }
    super::check_name(change, 80)?;
    let routes = inline::read(change.new, &ROUTES)?;
    routes.iter().try_for_each(valid)?;
    apart(&routes)
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/properties/disableBgpRoutePropagation", false);
    inline::replace(world, new, &ROUTES)
}

fn render(world: &World, table: &Resource, body: &mut Value) {
    inline::show(world, table, &ROUTES, body);
    super::back_references(world, table, body, &[("subnets", super::subnets::NAME)]);
}

fn check_route(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    super::check_name(change, 80)?;
    valid(change.new)?;
    let table = change
        .new
        .id
        .parent()
        .unwrap_or_else(|| change.new.id.clone());
    let mut all: Vec<Resource> = world
        .list(table.as_str(), ROUTES.name)
        .filter(|other| !other.id.same(change.new.id.as_str()))
        .cloned()
        .collect();
    all.push(change.new.clone());
    apart(&all)
}

fn valid(route: &Resource) -> ArmResult<()> {
    let name = route.id.name();
    super::one_of(
        route,
        "/properties/nextHopType",
        &[
            "VirtualNetworkGateway",
            "VnetLocal",
            "Internet",
            "VirtualAppliance",
            "VirtualApplianceEcmp",
            "None",
        ],
    )?;
    let hop = route
        .text("/properties/nextHopType")
        .ok_or_else(|| super::cannot_parse("Required property 'nextHopType' not found in JSON."))?;
    let prefix = route.text("/properties/addressPrefix").unwrap_or_default();
    // A service tag such as AzureCloud may stand for a prefix.
    if prefix.contains(['.', ':', '/']) && prefix.contains('/') {
        addresses::prefix(prefix, route.id.as_str())?;
    }
    let address = route.text("/properties/nextHopIpAddress");
    match (hop.eq_ignore_ascii_case("VirtualAppliance"), address) {
        (true, None) => Err(ArmError::bad(
            "NextHopIpAddressMissing",
            format!(
                "Route {name} must specify 'nextHopIpAddress' for next hop type VirtualAppliance."
            ),
        )),
        (true, Some(text)) if text.parse::<std::net::IpAddr>().is_err() => Err(ArmError::bad(
            "InvalidIPAddressFormat",
            format!("'{text}' of route {name} is not a valid IP address."),
        )),
        (false, Some(text))
            if !text.is_empty() && !hop.eq_ignore_ascii_case("VirtualApplianceEcmp") =>
        {
            Err(ArmError::bad(
                "NextHopIpAddressNotAllowed",
                format!("Route {name} has next hop type {hop}, which takes no 'nextHopIpAddress'."),
            ))
        }
        _ => Ok(()),
    }
}

fn apart(routes: &[Resource]) -> ArmResult<()> {
    let key = |route: &Resource| {
        route
            .text("/properties/addressPrefix")
            .unwrap_or_default()
            .to_lowercase()
    };
    for (at, route) in routes.iter().enumerate() {
        if let Some(other) = routes[..at].iter().find(|other| key(other) == key(route)) {
            return Err(ArmError::bad(
                "RouteConflict",
                format!(
                    "Route {} conflicts with {}: both have the prefix {}.",
                    route.id.name(),
                    other.id.name(),
                    key(route)
                ),
            ));
        }
    }
    Ok(())
}
