//! The private endpoints of the registry, as far as the caller sees them: state, place, addresses,
//! and the zones that their zone groups write to.

use std::collections::BTreeSet;

use super::finding::{Check, Finding, hidden};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::private_registry_link::way::{self, Address};
use crate::provider::resources::registry;

/// A private endpoint that is connected to the registry, or wants to be.
#[derive(Debug, Clone, Default)]
pub struct Endpoint {
    /// Its id, where the connection shows it.
    pub id: Option<ArmId>,
    /// `Approved`, `Pending`, `Rejected` or `Disconnected`.
    pub state: String,
    /// The subnet that it stands in.
    pub subnet: Option<ArmId>,
    /// Its addresses, by member.
    pub addresses: Vec<Address>,
    /// The zone groups of it.
    pub groups: Vec<Json>,
    /// What of it may not be read: a line each, with the missing action.
    pub hidden: Vec<String>,
}

impl Endpoint {
    /// The network that it stands in.
    pub fn network(&self) -> Option<ArmId> {
        self.subnet.as_ref().and_then(ArmId::parent)
    }

    /// Its address for the registry's own API.
    pub fn address(&self) -> Option<&str> {
        let own = self
            .addresses
            .iter()
            .find(|address| address.region.is_none());
        own.map(|address| address.ip.as_str())
    }

    /// Whether one of its addresses is that one.
    pub fn has(&self, ip: &str) -> bool {
        self.addresses.iter().any(|address| address.ip == ip)
    }

    /// Whether traffic through it is let in.
    pub fn is_approved(&self) -> bool {
        self.state == "Approved"
    }

    /// The zones that its zone groups write to.
    pub fn zones(&self) -> BTreeSet<ArmId> {
        let configurations = self
            .groups
            .iter()
            .filter_map(|group| group["properties"]["privateDnsZoneConfigs"].as_array())
            .flatten();
        configurations
            .filter_map(|one| ArmId::parse(one["properties"]["privateDnsZoneId"].as_str()?).ok())
            .collect()
    }

    /// In a line: who it is and how it stands.
    pub fn line(&self) -> String {
        let id = self
            .id
            .as_ref()
            .map_or("an endpoint without an id", ArmId::as_str);
        let addresses: Vec<&str> = self.addresses.iter().map(|one| one.ip.as_str()).collect();
        match addresses.is_empty() {
            true => format!("{id}: {}", self.state),
            false => format!("{id}: {}, with {}", self.state, addresses.join(", ")),
        }
    }
}

/// All endpoints of the registry.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn endpoints(registry: &Json, seen: &Seen) -> Result<Vec<Endpoint>, Unread> {
    let connections = registry::connections(registry).into_iter();
    // All are asked before any is waited for.
    let all: Vec<_> = connections
        .map(|connection| {
            let endpoint = Endpoint {
                id: connection.private_endpoint_id,
                state: connection.state,
                ..Endpoint::default()
            };
            seen_from_inside(endpoint, seen)
        })
        .collect();
    all.into_iter().collect()
}

fn seen_from_inside(mut endpoint: Endpoint, seen: &Seen) -> Result<Endpoint, Unread> {
    let Some(id) = endpoint.id.clone() else {
        return Ok(endpoint);
    };
    let groups = seen.list(&id, "privateDnsZoneGroups");
    match seen.look(&id)? {
        Look::Found(body) => {
            let subnet = body["properties"]["subnet"]["id"].as_str();
            endpoint.subnet = subnet.and_then(|id| ArmId::parse(id).ok());
            // The endpoint itself knows first that its registry is gone.
            if way::connection_state(body) == "Disconnected" {
                endpoint.state = "Disconnected".to_owned();
            }
            if let Some(interface) = way::interface_id(body) {
                match seen.look(&interface)? {
                    Look::Found(interface) => endpoint.addresses = way::addresses(interface),
                    Look::Denied(_) => endpoint.hidden.push(hidden(&interface)),
                    Look::Absent => {}
                }
            }
        }
        Look::Denied(_) => endpoint.hidden.push(hidden(&id)),
        Look::Absent => {}
    }
    match groups? {
        Look::Found(groups) => endpoint.groups = groups.to_vec(),
        Look::Denied(_) => {
            endpoint
                .hidden
                .push(hidden(&id.child("privateDnsZoneGroups", "*")));
        }
        Look::Absent => {}
    }
    Ok(endpoint)
}

/// How the endpoint stands that the name leads to; or all of them, where it leads to none.
pub fn finding(all: &[Endpoint], chosen: Option<&Endpoint>, registry_id: &ArmId) -> Finding {
    let check = Check::Endpoint;
    let lines = || all.iter().map(Endpoint::line);
    let approved = all.iter().any(Endpoint::is_approved);
    match chosen {
        Some(chosen) if chosen.is_approved() => {
            let finding = Finding::ok(check, "The private endpoint is approved.");
            finding.evidence([chosen.line()])
        }
        Some(chosen) => {
            let (summary, fix) = in_state(&chosen.state);
            Finding::problem(check, summary, fix).evidence([chosen.line()])
        }
        None if all.is_empty() => Finding::problem(
            check,
            "The registry has no private endpoint.",
            format!(
                "resource \"fkaks_private_registry_link\" \"example\" {{\n  registry_id = \
                 \"{registry_id}\"\n  # name, resource_group_id, subnet_id, and in dns the networks that ask\n}}"
            ),
        )
        .evidence([registry_id]),
        None if approved => {
            let summary = "An approved private endpoint stands, and no name is seen to lead to it.";
            Finding::ok(check, summary).evidence(lines())
        }
        None => {
            let state = all.first().map(|one| one.state.as_str()).unwrap_or_default();
            let (summary, fix) = in_state(state);
            Finding::problem(check, summary, fix).evidence(lines())
        }
    }
    .evidence(all.iter().flat_map(|one| one.hidden.clone()))
}

fn in_state(state: &str) -> (String, &'static str) {
    match state {
        "Disconnected" => (
            "The endpoint is Disconnected: the registry was deleted and made anew, or its owner removed the \
             connection. It leads nowhere."
                .to_owned(),
            "Only a new endpoint connects again; fkaks_private_registry_link replaces it with the next apply. \
             Of another one:\n\n  tofu apply -replace=<its address>",
        ),
        "Pending" => (
            "The endpoint waits for the approval of the registry's owner.".to_owned(),
            "az network private-endpoint-connection approve --id <the connection> --description \"...\"",
        ),
        "Rejected" => (
            "The owner of the registry has rejected the endpoint.".to_owned(),
            "A rejected connection cannot be approved any more: talk to the owner, then make the endpoint anew.",
        ),
        other => (
            format!("The endpoint's connection is {other:?} and not Approved."),
            "Look at the connection in the registry: az acr private-endpoint-connection list",
        ),
    }
}
