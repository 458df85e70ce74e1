//! Microsoft.Network/virtualNetworks: address space, and the subnets and peerings that come with the
//! body. A PUT without a subnet that is there deletes it, or is refused when the subnet is in use;
//! one without a peering leaves the peering, which goes by a DELETE of its own or with a network.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{addresses, inline, subnets, virtual_network_peerings as peerings};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::store::{Resource, World};
use crate::table::{Action, Change, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Network/virtualNetworks";

/// The row.
pub const VIRTUAL_NETWORKS: Type = Type {
    properties: &[
        "addressSpace",
        "dhcpOptions",
        "flowTimeoutInMinutes",
        "subnets",
        "virtualNetworkPeerings",
        "enableDdosProtection",
        "enableVmProtection",
        "ddosProtectionPlan",
        "bgpCommunities",
        "encryption",
        "ipAllocations",
        "privateEndpointVNetPolicies",
        "summarizedGatewayPrefixes",
    ],
    read_only: &["resourceGuid", "flowLogs", "defaultPublicNatGateway"],
    check,
    fill,
    on_delete: peerings::network_gone,
    render,
    actions: &[
        Action {
            method: "GET",
            name: "checkIPAddressAvailability",
            style: Style::Immediate,
            run: check_address,
        },
        Action {
            method: "GET",
            name: "usages",
            style: Style::Immediate,
            run: usages,
        },
    ],
    ..super::top_level(NAME)
};

/// Ranges that Azure keeps for itself (Microsoft Learn: virtual networks FAQ).
const AZURES_OWN: &[&str] = &[
    "224.0.0.0/4",
    "255.255.255.255/32",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "168.63.129.16/32",
];

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let stored = || world.list(new.id.as_str(), subnets::NAME);
    if change.verb == Verb::Delete {
        return stored().try_for_each(|subnet| subnets::unused(world, subnet));
    }
    super::check_name(change, 64)?;
    let space = subnets::space(new)?;
    let pools = new.items("/properties/addressSpace/ipamPoolPrefixAllocations");
    if space.is_empty() && pools.is_empty() {
        return Err(ArmError::bad(
            "NoAddressPrefixOrPoolProvided",
            format!(
                "Virtual network {} must have an address prefix or an IPAM pool.",
                new.id.name()
            ),
        ));
    }
    check_space(new, &space)?;
    for server in new
        .items("/properties/dhcpOptions/dnsServers")
        .iter()
        .filter_map(Value::as_str)
    {
        if server.parse::<IpAddr>().is_err() {
            return Err(ArmError::bad(
                "InvalidDnsServerAddress",
                format!("The DNS server address '{server}' is not a valid IP address."),
            ));
        }
    }
    super::one_of(
        new,
        "/properties/privateEndpointVNetPolicies",
        &["Disabled", "Basic"],
    )?;
    if let Some(minutes) = new
        .at("/properties/flowTimeoutInMinutes")
        .and_then(Value::as_i64)
        .filter(|minutes| !(4..=30).contains(minutes))
    {
        return Err(ArmError::bad(
            "InvalidFlowTimeout",
            format!("The flow timeout of {minutes} minutes is not between 4 and 30."),
        ));
    }
    peerings::check_network(world, change)?;
    let wanted = inline::read(new, &subnets::SUBNETS)?;
    subnets::placed(new, &wanted)?;
    for subnet in &wanted {
        let each = Change {
            verb: Verb::Put,
            old: None,
            new: subnet,
        };
        super::check_name(&each, 80)?;
        subnets::valid(
            world,
            subnet,
            world.get(subnet.id.as_str()),
            new.text("/location").unwrap_or_default(),
        )?;
    }
    stored()
        .filter(|old| !wanted.iter().any(|subnet| subnet.id.same(old.id.as_str())))
        .try_for_each(|old| subnets::unused(world, old))
}

fn check_space(network: &Resource, space: &[IpNet]) -> ArmResult<()> {
    let refuse = |why: String| {
        Err(ArmError::bad(
            "NetcfgInvalidVirtualNetworkAddressPrefixes",
            format!(
                "Virtual network {} has invalid address prefixes: {why}.",
                network.id.name()
            ),
        ))
    };
    for (at, net) in space.iter().enumerate() {
        if let Some(other) = space[..at]
            .iter()
            .find(|other| addresses::overlap(other, net))
        {
            return refuse(format!("{other} and {net} overlap"));
        }
        for own in AZURES_OWN {
            if own
                .parse::<IpNet>()
                .is_ok_and(|own| addresses::overlap(&own, net))
            {
                return refuse(format!("{net} overlaps with {own}, which Azure reserves"));
            }
        }
        if matches!(net, IpNet::V4(_)) && !(2..=29).contains(&net.prefix_len()) {
            return refuse(format!("{net} is not between /2 and /29"));
        }
    }
    Ok(())
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    super::resource_guid(world, new, old)?;
    new.default("/properties/enableDdosProtection", false);
    new.default("/properties/privateEndpointVNetPolicies", "Disabled");
    inline::add(world, new, &peerings::PEERINGS)?;
    inline::replace(world, new, &subnets::SUBNETS)
}

fn render(world: &World, network: &Resource, body: &mut Value) {
    inline::show(world, network, &subnets::SUBNETS, body);
    inline::show(world, network, &peerings::PEERINGS, body);
}

fn check_address(world: &mut World, network: &Resource, request: &Request) -> ArmResult<Answer> {
    let text = request.param("ipAddress").unwrap_or_default();
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err(ArmError::bad(
            "InvalidIPAddressFormat",
            format!("'{text}' is not a valid IP address."),
        ));
    };
    let home = world
        .list(network.id.as_str(), subnets::NAME)
        .find(|subnet| {
            addresses::of_subnet(subnet)
                .unwrap_or_default()
                .iter()
                .any(|net| net.contains(&address))
        });
    let Some(subnet) = home else {
        return Err(ArmError::bad(
            "PrivateIPAddressNotInAnySubnet",
            format!(
                "Private static IP address {address} does not belong to the range of any subnet in the virtual network {}.",
                network.id
            ),
        ));
    };
    let available = addresses::free(world, subnet).any(|free| IpAddr::V4(free) == address);
    let mut body = json!({ "available": available, "isPlatformReserved": false });
    if !available {
        body["isPlatformReserved"] = json!(!addresses::used(world, &subnet.id).contains(&address));
        let others: Vec<String> = addresses::free(world, subnet)
            .take(5)
            .map(|free| free.to_string())
            .collect();
        body["availableIPAddresses"] = json!(others);
    }
    Ok(Answer::json(200, body))
}

fn usages(world: &mut World, network: &Resource, _: &Request) -> ArmResult<Answer> {
    let value: Vec<Value> = world
        .list(network.id.as_str(), subnets::NAME)
        .map(|subnet| {
            json!({
                "id": subnet.id.as_str(),
                "name": { "value": "SubnetSpace", "localizedValue": "Subnet size and usage" },
                "currentValue": addresses::used(world, &subnet.id).len(),
                "limit": addresses::capacity(subnet),
                "unit": "Count",
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "value": value })))
}
