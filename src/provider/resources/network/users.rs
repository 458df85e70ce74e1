//! Who uses a subnet: what has an address in it, and the services that hold it.

use std::collections::BTreeSet;

use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Removal, Seen, Unread};

/// The properties of a subnet that list its users, each an object with an id.
const LISTS: [&str; 4] = [
    "ipConfigurations",
    "privateEndpoints",
    "ipConfigurationProfiles",
    "applicationGatewayIPConfigurations",
];

/// Namespaces whose objects can be looked at by their ids alone.
const READABLE: [&str; 2] = ["Microsoft.Network", "Microsoft.Compute"];

/// The users of a subnet, sorted: the ids of the resources that have addresses in it, and the
/// services that are linked to it. A subnet names its users for a while after they are gone, so
/// those that can be looked at count only while they exist.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn of(subnet: &Json, seen: &Seen) -> Result<Vec<String>, Unread> {
    let properties = &subnet["properties"];
    let entries = LISTS
        .iter()
        .filter_map(|list| properties[*list].as_array())
        .flatten();
    let owners: BTreeSet<ArmId> = entries
        .filter_map(|entry| ArmId::parse(entry["id"].as_str()?).ok())
        .map(owner)
        .collect();
    let mut users = BTreeSet::new();
    let mut unread = false;
    for id in owners {
        if !READABLE.iter().any(|own| {
            id.namespace()
                .is_some_and(|name| name.eq_ignore_ascii_case(own))
        }) {
            users.insert(id.to_string());
            continue;
        }
        match seen.look(&id) {
            Err(Unread) => unread = true,
            Ok(Look::Absent) => {}
            Ok(Look::Denied(_)) => {
                users.insert(id.to_string());
            }
            Ok(Look::Found(found)) => {
                users.insert(behind(found).unwrap_or_else(|| id.to_string()));
            }
        }
    }
    for list in ["serviceAssociationLinks", "resourceNavigationLinks"] {
        let links = properties[list].as_array().into_iter().flatten();
        users.extend(links.filter(|link| !may_go(link)).map(service));
    }
    if unread {
        Err(Unread)
    } else {
        Ok(users.into_iter().collect())
    }
}

/// Why a subnet of ours is kept: its users.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn keep(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    match seen.look(removal.id)? {
        Look::Found(subnet) => of(subnet, seen),
        Look::Absent | Look::Denied(_) => Ok(Vec::new()),
    }
}

/// The resource that an IP configuration belongs to: the outermost one that is no group.
fn owner(mut id: ArmId) -> ArmId {
    while let Some(parent) = id.parent().filter(|parent| parent.namespace().is_some()) {
        id = parent;
    }
    id
}

/// What stands behind a network interface: its endpoint or its machine.
fn behind(interface: &Json) -> Option<String> {
    ["privateEndpoint", "virtualMachine"]
        .iter()
        .find_map(|property| interface["properties"][*property]["id"].as_str())
        .map(str::to_owned)
}

fn may_go(link: &Json) -> bool {
    link["properties"]["allowDelete"] == true
}

fn service(link: &Json) -> String {
    let properties = &link["properties"];
    let kind = properties["linkedResourceType"].as_str();
    let target = properties["link"].as_str().filter(|link| !link.is_empty());
    match (kind, target) {
        (Some(kind), Some(target)) => format!("{target} ({kind})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => link["name"].as_str().unwrap_or("a service").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn users_are_named_once_by_what_stands_behind_their_addresses() {
        let group = ArmId::group("00000000-0000-0000-0000-000000000001", "rg");
        let nic = group.resource("Microsoft.Network/networkInterfaces", "pe.nic");
        let gone = group.resource("Microsoft.Network/networkInterfaces", "gone");
        let nodes = group.resource("Microsoft.Compute/virtualMachineScaleSets", "aks-nodes");
        let address = |nic: &ArmId| json!({"id": nic.child("ipConfigurations", "x")});
        let node = |number: &str| {
            let machine = nodes.child("virtualMachines", number);
            address(&machine.child("networkInterfaces", "nic"))
        };
        let subnet = json!({"properties": {
            "ipConfigurations": [address(&nic), address(&gone), node("0"), node("1")],
            "privateEndpoints": [{"id": group.resource("Microsoft.Network/privateEndpoints", "pe")}],
            "serviceAssociationLinks": [
                {"properties": {"linkedResourceType": "Microsoft.ContainerInstance/containerGroups"}},
                {"properties": {"linkedResourceType": "x", "allowDelete": true}}
            ]
        }});
        assert_eq!(of(&subnet, &Seen::of([])), Err(Unread));
        let endpoint = group.resource("Microsoft.Network/privateEndpoints", "pe");
        let seen = Seen::of([
            (
                nic,
                Some(json!({"properties": {"privateEndpoint": {"id": endpoint}}})),
            ),
            (gone, None),
            (nodes.clone(), Some(json!({}))),
            (endpoint.clone(), Some(json!({}))),
        ]);
        assert_eq!(
            of(&subnet, &seen).unwrap(),
            [
                nodes.to_string(),
                endpoint.to_string(),
                "Microsoft.ContainerInstance/containerGroups".to_owned()
            ]
        );
    }
}
