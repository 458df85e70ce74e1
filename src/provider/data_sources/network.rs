//! A virtual network that exists, in the terms of the resource `fkaks_network`: what is in it, what
//! it is peered with, and which private DNS zones it asks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Kind, Nesting, Schema};
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Answer, BY_GROUP, BY_ID, BY_NAME, BY_SUBSCRIPTION, Composite, Inquiry, Named, Page, Seen, Tags,
    Unanswered, answer, of_kind, refused,
};
use crate::provider::resources::{self, network, network_peering};
use crate::provider::zones::{self, Zones};

const NETWORK: &str = resources::Network::ANCHOR;

/// `fkaks_network`
pub struct Network;

/// What the user wrote.
#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(flatten)]
    named: Named,
    private_dns_zone_links_enabled: Option<bool>,
}

/// What is answered.
#[derive(Debug, Serialize)]
pub struct Output {
    id: ArmId,
    name: String,
    resource_group_id: Option<ArmId>,
    location: String,
    address_space: Vec<String>,
    dns_servers: Vec<String>,
    subnets: BTreeMap<String, Json>,
    subnet_ids: BTreeMap<String, ArmId>,
    peerings: BTreeMap<String, Json>,
    private_dns_zone_links: Option<Vec<ZoneLink>>,
    tags: Tags,
}

/// A zone that the network asks.
#[derive(Debug, Serialize)]
struct ZoneLink {
    zone_id: ArmId,
    link_id: ArmId,
    state: Option<String>,
    registration_enabled: bool,
    resolution_policy: Option<String>,
}

impl Inquiry for Network {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_network";
    const SCHEMA: Schema = SCHEMA;
    const PAGE: Page = PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        of_kind(NETWORK, config, diagnostics);
    }

    fn answer(input: &Input, seen: &Seen) -> Result<Answer<Output>, Unanswered> {
        let (id, found) = input.named.find(NETWORK, seen)?;
        let links = match input.private_dns_zone_links_enabled {
            Some(true) => Some(zone_links(&id, seen)?),
            _ => None,
        };
        let properties = &found["properties"];
        let own = network::subnets_within(&id, found);
        let subnets = own
            .iter()
            .map(|(id, subnet)| (id.name().to_owned(), shown(id, subnet)));
        let peerings = network_peering::peerings_of(found).map(|(id, leads_to, peering)| {
            let shown = network_peering::shown(&id, leads_to.as_ref(), peering);
            (id.name().to_owned(), shown)
        });
        Ok(Answer::of(Output {
            name: found["name"].as_str().unwrap_or(id.name()).to_owned(),
            resource_group_id: id.resource_group_id(),
            location: found["location"].as_str().unwrap_or_default().to_owned(),
            address_space: network::texts(&properties["addressSpace"]["addressPrefixes"]),
            dns_servers: network::texts(&properties["dhcpOptions"]["dnsServers"]),
            subnets: subnets.collect(),
            subnet_ids: own
                .iter()
                .map(|(id, _)| (id.name().to_owned(), id.clone()))
                .collect(),
            peerings: peerings.collect(),
            private_dns_zone_links: links,
            tags: serde_json::from_value(found["tags"].clone()).unwrap_or_default(),
            id,
        }))
    }
}

/// A subnet in the terms of the resource, with how many addresses are free, and what it is used for
/// where its name and delegation do not say.
fn shown(id: &ArmId, subnet: &Json) -> Json {
    let mut shown = network::subnet_shown(id.name(), subnet);
    let properties = &subnet["properties"];
    let endpoints: BTreeSet<&str> = properties["privateEndpoints"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|endpoint| endpoint["id"].as_str())
        .collect();
    if shown["purpose"] == "general" {
        shown["purpose"] = match used_for(properties) {
            Some(purpose) => json!(purpose),
            None => Json::Null,
        };
    }
    shown["id"] = json!(id);
    shown["private_endpoint_ids"] = json!(endpoints);
    shown
}

/// What a subnet is used for, as far as its users show it. The endpoint of a private API server
/// stands among the nodes, so that these count first.
fn used_for(properties: &Json) -> Option<&'static str> {
    let users = properties["ipConfigurations"]
        .as_array()
        .into_iter()
        .flatten();
    let mut users = users.filter_map(|user| user["id"].as_str());
    // AKS names its scale sets `aks-<pool>-<number>-vmss`.
    if users.any(|user| {
        user.to_lowercase()
            .contains("/virtualmachinescalesets/aks-")
    }) {
        return Some("aks_nodes");
    }
    let endpoints = properties["privateEndpoints"].as_array();
    endpoints
        .is_some_and(|list| !list.is_empty())
        .then_some("private_endpoints")
}

/// The zones that the network asks, among those of its own and the provider's subscription.
fn zone_links(id: &ArmId, seen: &Seen) -> Result<Vec<ZoneLink>, Unanswered> {
    let subscriptions: BTreeSet<String> = [Some(id.subscription_id()), seen.subscription_id()]
        .into_iter()
        .flatten()
        .map(str::to_lowercase)
        .collect();
    let Zones { links, hidden, .. } =
        zones::find(&subscriptions, BTreeSet::new(), &|_| true, seen)?;
    if !hidden.is_empty() {
        return Err(refused(
            id.clone(),
            "private_dns_zone_links_enabled",
            "not all private DNS zones may be listed, so that its links are not known",
            hidden,
            "give the caller the role Reader there, or leave private_dns_zone_links_enabled out",
        ));
    }
    let mut own: Vec<ZoneLink> = links
        .into_iter()
        .filter(|link| link.network == *id)
        .map(|link| {
            let properties = &link.body["properties"];
            let text = |name: &str| properties[name].as_str().map(str::to_owned);
            ZoneLink {
                zone_id: link.zone,
                link_id: link.id,
                state: text("virtualNetworkLinkState"),
                registration_enabled: properties["registrationEnabled"] == true,
                resolution_policy: text("resolutionPolicy"),
            }
        })
        .collect();
    own.sort_by(|a, b| a.link_id.cmp(&b.link_id));
    Ok(own)
}

const SUBNET: &[Attribute] = &[
    answer("id", Kind::String).describe("The ARM id."),
    answer("address_prefixes", Kind::List(&Kind::String)).describe("The ranges."),
    answer("purpose", Kind::String).describe(
        "What it is for, in the words of `fkaks_network`, as far as its name, its delegation and its users \
         show it; null where they do not.",
    ),
    answer("usable_addresses", Kind::Integer)
        .describe("How many IPv4 addresses Azure gives out there: all but five of each range."),
    answer("free_addresses", Kind::Integer).describe("How many of them nobody has."),
    answer("delegations", Kind::Set(&Kind::String)).describe("The services that it is delegated to."),
    answer("service_endpoints", Kind::Set(&Kind::String)).describe("The service endpoints."),
    answer("private_endpoint_network_policies", Kind::String).describe(
        "Whether network security groups and route tables count for private endpoints in it: `Disabled`, \
         `Enabled`, `NetworkSecurityGroupEnabled` or `RouteTableEnabled`.",
    ),
    answer("private_endpoint_ids", Kind::Set(&Kind::String)).describe("The private endpoints in it."),
    answer("network_security_group_id", Kind::String).describe("The network security group."),
    answer("route_table_id", Kind::String).describe("The route table."),
    answer("nat_gateway_id", Kind::String).describe("The NAT gateway."),
    answer("default_outbound_access_enabled", Kind::Bool)
        .describe("Whether Azure lends outbound addresses to what has none."),
];

const PEERING: &[Attribute] = &[
    answer("id", Kind::String).describe("The ARM id of this network's side."),
    answer("remote_virtual_network_id", Kind::String).describe("The other network."),
    answer("peering_state", Kind::String).describe("`Initiated`, `Connected` or `Disconnected`."),
    answer("peering_sync_level", Kind::String).describe(
        "Whether both sides know each other's address space: `FullyInSync` where they do.",
    ),
    answer("remote_address_space", Kind::List(&Kind::String))
        .describe("The address space of the other network."),
    answer("allow_virtual_network_access", Kind::Bool)
        .describe("Whether the two networks reach each other."),
    answer("allow_forwarded_traffic", Kind::Bool)
        .describe("Whether traffic that does not come from the other network itself is let in."),
    answer("allow_gateway_transit", Kind::Bool)
        .describe("Whether the other network may use this one's gateway."),
    answer("use_remote_gateways", Kind::Bool)
        .describe("Whether this network uses the other one's gateway."),
];

const ZONE_LINK: &[Attribute] = &[
    answer("zone_id", Kind::String).describe("The zone."),
    answer("link_id", Kind::String).describe("The link."),
    answer("state", Kind::String).describe("`InProgress` or `Completed`."),
    answer("registration_enabled", Kind::Bool)
        .describe("Whether the network's machines are entered there."),
    answer("resolution_policy", Kind::String)
        .describe("`NxDomainRedirect` where a name that is missing is asked for in public."),
];

const SCHEMA: Schema = Schema::new(
    "A virtual network that exists, by its id or its name: its address space, its subnets with their free \
     addresses and what they are for, its peerings, and the private DNS zones that it asks.",
    &[
        BY_ID,
        BY_NAME,
        BY_GROUP,
        BY_SUBSCRIPTION,
        Attribute::optional("private_dns_zone_links_enabled", Kind::Bool).describe(
            "Whether the private DNS zones are looked for that the network asks: all zones of its own \
             subscription and the provider's, with one read for each zone.",
        ),
        answer("location", Kind::String).describe("The region."),
        answer("address_space", Kind::List(&Kind::String)).describe("The ranges of the network."),
        answer("dns_servers", Kind::List(&Kind::String))
            .describe("The DNS servers that it asks; empty where it asks Azure."),
        answer("subnets", Kind::Nested(Nesting::Map, SUBNET)).describe("The subnets, by name."),
        answer("subnet_ids", Kind::Map(&Kind::String)).describe("Their ids, by name."),
        answer("peerings", Kind::Nested(Nesting::Map, PEERING))
            .describe("The peerings, by the name of this side."),
        answer("private_dns_zone_links", Kind::Nested(Nesting::List, ZONE_LINK)).describe(
            "The private DNS zones that the network asks; null without \
             `private_dns_zone_links_enabled`.",
        ),
        answer("tags", Kind::Map(&Kind::String)).describe("The tags."),
    ],
);

const PAGE: Page = Page {
    subcategory: "Network",
    permissions: &[
        (
            "Microsoft.Network/virtualNetworks/read",
            "to read it, and to find it by its name",
        ),
        (
            "Microsoft.Network/privateDnsZones/read",
            "on the subscriptions, for `private_dns_zone_links_enabled`",
        ),
        (
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
            "likewise",
        ),
    ],
    failures: &[
        (
            "not all private DNS zones may be listed",
            "A list with holes would say that the network does not ask a zone which it does ask. Give the \
             caller the role Reader on the zones, or leave `private_dns_zone_links_enabled` out.",
        ),
        (
            "`free_addresses` is more than what can be used",
            "It counts what nobody has. Nodes that an autoscaler may still add, and the surge of an upgrade, \
             are not there yet.",
        ),
    ],
    notes: "## Purposes\n\nThe name shows it where Azure demands one (`AzureBastionSubnet`), the delegation for \
            subnets of the API server and of DNS resolvers, and the users elsewhere: private endpoints, and the \
            scale sets of AKS.",
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::provider::zones::ZONE;

    fn group() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
    }

    fn id() -> ArmId {
        group().resource(NETWORK, "vnet")
    }

    fn network() -> Json {
        let subnet = |name: &str, properties: Json| json!({"id": id().child("subnets", name), "name": name, "properties": properties});
        let hub = group().resource(NETWORK, "hub");
        let nodes = group().resource(
            "Microsoft.Compute/virtualMachineScaleSets",
            "aks-system-1-vmss",
        );
        json!({
            "name": "vnet", "location": "westeurope",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.10.0.0/16"]},
                "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
                "subnets": [
                    subnet("nodes", json!({"addressPrefix": "10.10.8.0/22", "ipConfigurations": [{"id": nodes}]})),
                    subnet("endpoints", json!({
                        "addressPrefix": "10.10.20.0/24", "ipConfigurations": [{"id": "a"}],
                        "privateEndpoints": [{"id": group().resource("Microsoft.Network/privateEndpoints", "pe")}],
                    })),
                    subnet("AzureBastionSubnet", json!({"addressPrefix": "10.10.21.0/26"})),
                    subnet("spare", json!({"addressPrefix": "10.10.22.0/24"})),
                ],
                "virtualNetworkPeerings": [{
                    "id": id().child("virtualNetworkPeerings", "hub"), "name": "hub",
                    "properties": {
                        "peeringState": "Connected", "remoteVirtualNetwork": {"id": hub},
                        "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                        "allowVirtualNetworkAccess": true,
                    },
                }],
            },
        })
    }

    fn ask(config: Json, seen: &Seen) -> Result<Json, Unanswered> {
        let input = serde_json::from_value(config).unwrap();
        let output = Network::answer(&input, seen)?.output;
        Ok(serde_json::to_value(output).unwrap())
    }

    #[test]
    fn subnets_show_their_purpose_their_room_and_their_endpoints() {
        let seen = Seen::of([(id(), Some(network()))]);
        let output = ask(json!({"id": id()}), &seen).unwrap();
        let purpose = |name: &str| output["subnets"][name]["purpose"].clone();
        assert_eq!(purpose("nodes"), "aks_nodes");
        assert_eq!(purpose("endpoints"), "private_endpoints");
        assert_eq!(purpose("AzureBastionSubnet"), "bastion");
        assert_eq!(purpose("spare"), Json::Null);
        assert_eq!(output["subnets"]["endpoints"]["usable_addresses"], 251);
        assert_eq!(output["subnets"]["endpoints"]["free_addresses"], 250);
        assert_eq!(output["dns_servers"], json!(["10.0.0.4"]));
        assert_eq!(output["peerings"]["hub"]["peering_state"], "Connected");
        assert_eq!(
            output["peerings"]["hub"]["remote_address_space"],
            json!(["10.0.0.0/16"])
        );
        assert_eq!(
            output["peerings"]["hub"]["allow_virtual_network_access"],
            true
        );
        assert_eq!(output["private_dns_zone_links"], Json::Null);
        let filled = |attributes: &[Attribute], object: &Json| {
            for attribute in attributes {
                let known = object.get(attribute.name).is_some();
                assert!(known, "nothing fills in {}", attribute.name);
            }
        };
        filled(SUBNET, &output["subnets"]["spare"]);
        filled(PEERING, &output["peerings"]["hub"]);
    }

    #[test]
    fn zones_that_it_asks_are_looked_for_when_wanted() {
        let subscription = ArmId::subscription(group().subscription_id());
        let zone = group().resource(ZONE, "privatelink.azurecr.io");
        let link = |name: &str, network: &ArmId| {
            json!({"id": zone.child("virtualNetworkLinks", name), "properties": {
                "virtualNetwork": {"id": network}, "virtualNetworkLinkState": "Completed",
            }})
        };
        let ours = link("ours", &id());
        let other = link("other", &group().resource(NETWORK, "other"));
        let seen = Seen::of([(id(), Some(network()))])
            .with_list(
                &subscription,
                &format!("providers/{ZONE}"),
                vec![json!({"id": zone})],
            )
            .with_list(&zone, "virtualNetworkLinks", vec![ours, other]);
        let config = json!({"id": id(), "private_dns_zone_links_enabled": true});
        let output = ask(config, &seen).unwrap();
        assert_eq!(
            output["private_dns_zone_links"].as_array().unwrap().len(),
            1
        );
        assert_eq!(output["private_dns_zone_links"][0]["zone_id"], json!(zone));
    }
}
