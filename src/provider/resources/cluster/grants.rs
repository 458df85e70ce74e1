//! What the identities of a cluster must be allowed before it is made: its control plane joins
//! nodes to subnets, changes route tables, writes into a given zone, and hands out the kubelet's
//! identity.
//!
//! Sources, all Microsoft Learn: "Use a managed identity in AKS", "Create a private AKS cluster"
//! (custom private DNS zone), "Customize cluster egress with a user-defined routing table".

use std::collections::BTreeSet;

use super::{Input, Outbound};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread, Wanted};
use crate::provider::roles::{
    IDENTITY_OPERATOR, NETWORK_CONTRIBUTOR, Need, Role, ZONE_CONTRIBUTOR, is_served,
};

/// Everything that the control plane must be allowed, sorted.
///
/// # Errors
/// [`Unread`] when the route tables of the subnets are not known yet.
pub fn needs(input: &Input, seen: &Seen) -> Result<Vec<Need>, Unread> {
    let mut needs = BTreeSet::new();
    let mut need = |scope: &ArmId, role: Role, why: &'static str| {
        needs.insert(Need {
            scope: scope.clone(),
            role,
            why,
        });
    };
    if let Some(zone) = input.zone_id() {
        need(&zone, ZONE_CONTRIBUTOR, "to write the API server's record");
        let networks = input.subnets().into_iter().filter_map(ArmId::parent);
        for network in networks {
            need(
                &network,
                NETWORK_CONTRIBUTOR,
                "to link the zone with it, and to join nodes to its subnets",
            );
        }
    } else {
        for subnet in input.subnets() {
            need(
                subnet,
                NETWORK_CONTRIBUTOR,
                "to join nodes and load balancers to it",
            );
        }
    }
    if input.outbound_type == Outbound::UserDefinedRouting || input.network_plugin == "kubenet" {
        let looks: Vec<_> = input
            .node_subnets()
            .into_iter()
            .map(|subnet| seen.look(subnet))
            .collect();
        for look in looks {
            let Look::Found(subnet) = look? else { continue };
            let table = subnet["properties"]["routeTable"]["id"].as_str();
            if let Some(table) = table.and_then(|id| ArmId::parse(id).ok()) {
                need(&table, NETWORK_CONTRIBUTOR, "to read and write its routes");
            }
        }
    }
    if let Some(profile) = &input.load_balancer_profile {
        let addresses = profile.outbound_ip_address_ids.iter().flatten();
        let prefixes = profile.outbound_ip_prefix_ids.iter().flatten();
        for address in addresses.chain(prefixes) {
            need(
                address,
                NETWORK_CONTRIBUTOR,
                "to give it to the load balancer",
            );
        }
    }
    if let Some(kubelet) = &input.kubelet_identity_id {
        need(kubelet, IDENTITY_OPERATOR, "to hand it out to the nodes");
    }
    Ok(needs.into_iter().collect())
}

/// The part of the grants.
pub fn grants(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let identity = input.control_plane_id();
    let look = seen.look(&identity).map(Look::found);
    let principal = look.map(|found| principal(found).map(str::to_owned));
    let wants = unserved(input, seen)?.into_iter();
    Ok(wants
        .map(|need| need.wanted(&identity, principal.clone()))
        .collect())
}

/// What the control plane is to be allowed by assignments of ours: nobody else's allow it.
///
/// # Errors
/// [`Unread`] when the assignments of others must be read first.
pub fn unserved(input: &Input, seen: &Seen) -> Result<Vec<Need>, Unread> {
    if !input.manage_role_assignments {
        return Ok(Vec::new());
    }
    // What was given may be allowed already; what we make is new to everyone.
    let given = input.identity_id.as_ref();
    let look = given.map(|identity| (identity, seen.look(identity)));
    let needs = needs(input, seen)?;
    let Some((identity, look)) = look else {
        return Ok(needs);
    };
    let Some(principal) = principal(look?.found()) else {
        return Ok(needs);
    };
    let served: Vec<_> = needs
        .iter()
        .map(|need| is_served(need, identity, principal, seen))
        .collect();
    let mut unserved = Vec::new();
    for (need, served) in needs.into_iter().zip(served) {
        if !served? {
            unserved.push(need);
        }
    }
    Ok(unserved)
}

/// The object id of an identity.
pub fn principal(identity: Option<&Json>) -> Option<&str> {
    identity?["properties"]["principalId"].as_str()
}

/// What to do about an assignment of our name that we do not own.
pub fn left_over(id: &ArmId) -> Option<String> {
    Some(format!(
        "it was left by an earlier cluster of this name. If nothing needs it any more, delete it:\n\n  az \
         role assignment delete --ids {id}"
    ))
}
