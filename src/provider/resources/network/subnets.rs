//! One subnet, of a network of ours or of someone else's: what the user writes of it, the body
//! that comes of that, and what Azure's answer says in the user's terms.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::addresses;
use crate::arm::{ArmId, Json};
use crate::network::Purpose;
use crate::network::plan::subnet_name;
use crate::network::purpose::DEFAULT_NETWORK_POLICIES;
use crate::provider::parts::spelled_id;

/// The ARM type.
pub const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";

/// What the user wrote of a subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subnet {
    pub purpose: Purpose,
    pub name: Option<String>,
    /// As written, or as placed.
    pub address_prefixes: Option<Vec<String>>,
    /// As written, or that of the one prefix.
    pub prefix_length: Option<u8>,
    pub service_endpoints: Option<BTreeSet<String>>,
    pub delegations: Option<BTreeSet<String>>,
    pub private_endpoint_network_policies: String,
    pub network_security_group_id: Option<ArmId>,
    pub route_table_id: Option<ArmId>,
    pub nat_gateway_id: Option<ArmId>,
    pub default_outbound_access_enabled: bool,
}

/// What an argument attaches, and the property that holds it.
const ATTACHMENTS: [(&str, &str); 3] = [
    ("network_security_group_id", "networkSecurityGroup"),
    ("route_table_id", "routeTable"),
    ("nat_gateway_id", "natGateway"),
];

impl Subnet {
    /// Its name in Azure.
    pub fn name<'a>(&'a self, key: &'a str) -> &'a str {
        subnet_name(key, self.name.as_deref(), self.purpose)
    }

    fn attached(&self, argument: &str) -> Option<&ArmId> {
        match argument {
            "network_security_group_id" => self.network_security_group_id.as_ref(),
            "route_table_id" => self.route_table_id.as_ref(),
            _ => self.nat_gateway_id.as_ref(),
        }
    }

    /// The body of its PUT. `found` is what Azure has, whose own spelling and names are used
    /// where they say the same. `before` is the subnet in the state before this change: what it
    /// had attached and is not wanted any more is detached, and what others attached stays.
    pub fn body(&self, prefixes: &[String], found: Option<&Json>, before: Option<&Json>) -> Json {
        let none = Json::Null;
        let there = found.map_or(&none, |found| &found["properties"]);
        let mut properties = Map::new();
        self.addresses(prefixes, found, &mut properties);
        let endpoints = self.service_endpoints.iter().flatten().map(|service| {
            let spelled = spelling(service, there["serviceEndpoints"].as_array(), "/service");
            json!({ "service": spelled })
        });
        properties.insert("serviceEndpoints".into(), endpoints.collect());
        if let Some(services) = self.services() {
            let delegations = services.iter().map(|service| delegation(service, there));
            properties.insert("delegations".into(), delegations.collect());
        }
        // What Azure assumes when it does not say is no difference.
        let policies = &self.private_endpoint_network_policies;
        let key = "privateEndpointNetworkPolicies";
        if !(found.is_some() && there[key].is_null() && policies == DEFAULT_NETWORK_POLICIES) {
            properties.insert(key.into(), json!(policies));
        }
        let key = "defaultOutboundAccess";
        let outbound = self.default_outbound_access_enabled;
        if !(found.is_some() && there[key].is_null() && outbound) {
            properties.insert(key.into(), json!(outbound));
        }
        for (argument, property) in ATTACHMENTS {
            let had = before.is_some_and(|before| before[argument].is_string());
            match self.attached(argument) {
                Some(id) => properties.insert(property.into(), json!({ "id": id })),
                None if had => properties.insert(property.into(), Json::Null),
                None => None,
            };
        }
        json!({ "properties": properties })
    }

    /// One prefix goes alone and several as a list, as Azure's own tools write them: what reads
    /// subnets often knows only the first form.
    fn addresses(&self, prefixes: &[String], found: Option<&Json>, into: &mut Map<String, Json>) {
        if found.is_some_and(|found| addresses::same(prefixes, &addresses::found_prefixes(found))) {
            return;
        }
        let (this, other, value) = match prefixes {
            [one] => ("addressPrefix", "addressPrefixes", json!(one)),
            many => ("addressPrefixes", "addressPrefix", json!(many)),
        };
        into.insert(this.to_owned(), value);
        if found.is_some() {
            into.insert(other.to_owned(), Json::Null);
        }
    }

    /// The services that it is delegated to; `None` where others see to that.
    fn services(&self) -> Option<BTreeSet<String>> {
        let rules = self.purpose.rules();
        match &self.delegations {
            Some(services) => Some(services.clone()),
            None if rules.delegated_by.is_some() => None,
            None => Some(defaults(self.purpose)),
        }
    }

    /// Azure's value over each argument, in the user's spelling. Without a prior it is an import.
    pub fn observed(prior: Option<&Self>, name: &str, found: &Json) -> Self {
        let there = &found["properties"];
        let prefixes = addresses::spelled(
            prior.and_then(|prior| prior.address_prefixes.as_ref()),
            addresses::found_prefixes(found),
        );
        let delegated = listed(&there["delegations"], "/properties/serviceName");
        let purpose = prior.map_or_else(|| inferred(name, &delegated), |prior| prior.purpose);
        let endpoints = listed(&there["serviceEndpoints"], "/service");
        let left_alone = |set: &BTreeSet<String>| {
            purpose.rules().delegated_by.is_some() || same(set, &defaults(purpose))
        };
        let policies = there["privateEndpointNetworkPolicies"].as_str();
        let attached = |argument: &str, property: &str| match prior {
            // What was never set is left alone, and so does not show.
            Some(prior) => prior
                .attached(argument)
                .and_then(|own| spelled_id(Some(own), &there[property]["id"])),
            None => spelled_id(None, &there[property]["id"]),
        };
        let [security, routes, gateway] =
            ATTACHMENTS.map(|(argument, property)| attached(argument, property));
        Self {
            purpose,
            name: prior.and_then(|prior| prior.name.clone()),
            prefix_length: addresses::length_of(&prefixes),
            address_prefixes: Some(prefixes),
            service_endpoints: spelled_set(
                prior.and_then(|prior| prior.service_endpoints.as_ref()),
                endpoints,
                BTreeSet::is_empty,
            ),
            delegations: spelled_set(
                prior.and_then(|prior| prior.delegations.as_ref()),
                delegated,
                left_alone,
            ),
            private_endpoint_network_policies: policies.unwrap_or(DEFAULT_NETWORK_POLICIES).into(),
            network_security_group_id: security,
            route_table_id: routes,
            nat_gateway_id: gateway,
            default_outbound_access_enabled: there["defaultOutboundAccess"]
                .as_bool()
                .unwrap_or(true),
        }
    }
}

fn defaults(purpose: Purpose) -> BTreeSet<String> {
    let services = purpose.rules().delegations.iter();
    services.map(|service| (*service).to_owned()).collect()
}

/// A delegation keeps the name that it has in Azure; a new one is named by its service.
fn delegation(service: &str, there: &Json) -> Json {
    let standing = there["delegations"].as_array().into_iter().flatten();
    let standing = standing.into_iter().find(|delegation| {
        delegation["properties"]["serviceName"]
            .as_str()
            .is_some_and(|found| found.eq_ignore_ascii_case(service))
    });
    match standing {
        Some(found) => json!({
            "name": found["name"],
            "properties": {"serviceName": found["properties"]["serviceName"]}
        }),
        None => json!({
            "name": service.replace('/', "."),
            "properties": {"serviceName": service}
        }),
    }
}

/// Azure's spelling of a text, where it stands at that pointer of one of the items.
fn spelling(text: &str, items: Option<&Vec<Json>>, pointer: &str) -> String {
    let texts = items.into_iter().flatten();
    let mut texts = texts.filter_map(|item| item.pointer(pointer)?.as_str());
    texts
        .find(|found| found.eq_ignore_ascii_case(text))
        .unwrap_or(text)
        .to_owned()
}

/// The texts at that pointer of each item.
pub fn listed(items: &Json, pointer: &str) -> BTreeSet<String> {
    let items = items.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.pointer(pointer)?.as_str())
        .map(str::to_owned)
        .collect()
}

fn same(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let lower = |set: &BTreeSet<String>| -> BTreeSet<String> {
        set.iter().map(|text| text.to_lowercase()).collect()
    };
    lower(a) == lower(b)
}

/// The user's set while it is the same; unset stays unset while what was found means that.
fn spelled_set(
    prior: Option<&BTreeSet<String>>,
    found: BTreeSet<String>,
    means_unset: impl Fn(&BTreeSet<String>) -> bool,
) -> Option<BTreeSet<String>> {
    match prior {
        Some(prior) if same(prior, &found) => Some(prior.clone()),
        None if means_unset(&found) => None,
        _ => Some(found),
    }
}

/// What a subnet is for, as far as Azure shows it: by the name that Azure demands, or by the
/// delegation that the purpose has by default.
fn inferred(name: &str, delegated: &BTreeSet<String>) -> Purpose {
    let by_delegation = || {
        Purpose::ALL
            .into_iter()
            .find(|purpose| !delegated.is_empty() && same(delegated, &defaults(*purpose)))
    };
    Purpose::of_subnet_name(name)
        .or_else(by_delegation)
        .unwrap_or(Purpose::General)
}
