//! What the identities of a cluster must be allowed before it is made: its control plane joins
//! nodes to subnets, changes route tables, writes into a given zone, and hands out the kubelet's
//! identity.
//!
//! Sources, all Microsoft Learn: "Use a managed identity in AKS", "Create a private AKS cluster"
//! (custom private DNS zone), "Customize cluster egress with a user-defined routing table".

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::{Input, Outbound};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread, Wanted};

/// The ARM type of a role assignment.
const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its name in the portal.
    pub name: &'static str,
    /// Its definition's id, the same in all tenants.
    pub definition: &'static str,
}

pub const NETWORK_CONTRIBUTOR: Role = Role {
    name: "Network Contributor",
    definition: "4d97b98b-1d4f-4787-a291-c67834d212e7",
};

pub const ZONE_CONTRIBUTOR: Role = Role {
    name: "Private DNS Zone Contributor",
    definition: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
};

pub const IDENTITY_OPERATOR: Role = Role {
    name: "Managed Identity Operator",
    definition: "f1a07417-d97a-45cb-824c-7a7467783830",
};

/// Owner and Contributor, which include the others.
const BROADER: [&str; 2] = [
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
];

/// Something that the control plane must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Where.
    pub scope: ArmId,
    /// As what.
    pub role: Role,
    /// For what, in a few words.
    pub why: &'static str,
}

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
    if !input.manage_role_assignments {
        return Ok(Vec::new());
    }
    let identity = input.control_plane_id();
    let look = seen.look(&identity).map(Look::found);
    let principal = look.map(|found| principal(found).map(str::to_owned));
    let needs = needs(input, seen)?;
    let mut wants = Vec::new();
    // What was given may be allowed already; what we make is new to everyone.
    let others: Vec<_> = match (&input.identity_id, &principal) {
        (Some(_), Err(Unread)) => return Err(Unread),
        (Some(_), Ok(Some(principal))) => needs
            .iter()
            .map(|need| grants_of_others(need, &identity, principal, seen))
            .collect(),
        _ => needs.iter().map(|_| Ok(false)).collect(),
    };
    for (need, covered) in needs.iter().zip(others) {
        if covered? {
            continue;
        }
        let body = principal.clone().map(|principal| {
            json!({"properties": {
                "roleDefinitionId": need.role.id(&need.scope),
                "principalId": principal,
                "principalType": "ServicePrincipal",
            }})
        });
        let wanted = Wanted::new(need.id(&identity), body).immutable(&[
            "/properties/principalId",
            "/properties/principalType",
            "/properties/roleDefinitionId",
        ]);
        wants.push(wanted.argument("manage_role_assignments"));
    }
    Ok(wants)
}

/// The object id of an identity.
pub fn principal(identity: Option<&Json>) -> Option<&str> {
    identity?["properties"]["principalId"].as_str()
}

impl Role {
    /// The id of its definition, as assignments at that scope name it.
    fn id(self, scope: &ArmId) -> String {
        let subscription = ArmId::subscription(scope.subscription_id());
        subscription
            .resource("Microsoft.Authorization/roleDefinitions", self.definition)
            .to_string()
    }

    /// Whether an assignment's role includes it; `None` for a role that is not known here.
    fn is_within(self, definition: &str) -> Option<bool> {
        let name = definition.rsplit('/').next().unwrap_or_default();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is(self.definition) || BROADER.iter().any(|broader| is(broader)) {
            return Some(true);
        }
        let known = [NETWORK_CONTRIBUTOR, ZONE_CONTRIBUTOR, IDENTITY_OPERATOR];
        known
            .iter()
            .any(|role| is(role.definition))
            .then_some(false)
    }
}

impl Need {
    /// The id of the assignment that we make: the same need of the same identity has the same
    /// name at every apply, so that an answer that was lost does no harm.
    pub fn id(&self, identity: &ArmId) -> ArmId {
        let text = format!("{}|{identity}|{}", self.scope, self.role.definition).to_lowercase();
        let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes());
        self.scope.resource(ASSIGNMENT, &name.to_string())
    }

    /// The command that meets it.
    pub fn command(&self, principal: &str) -> String {
        format!(
            "az role assignment create --role {:?} --assignee-object-id {principal} \
             --assignee-principal-type ServicePrincipal --scope {}",
            self.role.name, self.scope
        )
    }
}

/// How an assignment of others meets a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// One with a sufficient role is there.
    Yes,
    /// There is one with a role of the user's own, of which nothing is known.
    Perhaps,
    /// None is there.
    No,
    /// The assignments may not be read.
    Unreadable,
}

/// How the assignments of others, at the scope and above it, meet a need.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn covered(
    need: &Need,
    identity: &ArmId,
    principal: &str,
    seen: &Seen,
) -> Result<Covered, Unread> {
    let own = need.id(identity);
    let list = format!("providers/{ASSIGNMENT}?$filter=principalId%20eq%20'{principal}'");
    let assignments = match seen.list(&need.scope, &list)? {
        Look::Found(assignments) => assignments,
        Look::Absent => return Ok(Covered::No),
        Look::Denied(_) => return Ok(Covered::Unreadable),
    };
    let mut answer = Covered::No;
    for assignment in assignments {
        let properties = &assignment["properties"];
        let is_own = assignment["id"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(own.as_str()));
        let to_us = properties["principalId"]
            .as_str()
            .is_some_and(|to| to.eq_ignore_ascii_case(principal));
        let scope = properties["scope"].as_str().unwrap_or_default();
        let conditional = properties["condition"].as_str().is_some();
        if is_own || !to_us || conditional || !reaches(scope, &need.scope) {
            continue;
        }
        let definition = properties["roleDefinitionId"].as_str().unwrap_or_default();
        match need.role.is_within(definition) {
            Some(true) => return Ok(Covered::Yes),
            Some(false) => {}
            None => answer = Covered::Perhaps,
        }
    }
    Ok(answer)
}

/// Whether an assignment at that scope counts here: at the same object, above it, or at a
/// management group, which is above everything.
fn reaches(scope: &str, here: &ArmId) -> bool {
    match ArmId::parse(scope) {
        Ok(scope) => {
            let above_all = scope.is("Microsoft.Management/managementGroups");
            above_all || scope == *here || here.is_within(&scope)
        }
        Err(_) => scope == "/",
    }
}

fn grants_of_others(
    need: &Need,
    identity: &ArmId,
    principal: &str,
    seen: &Seen,
) -> Result<bool, Unread> {
    let own = seen.look(&need.id(identity));
    let covered = covered(need, identity, principal, seen)?;
    // One that we made stays ours, whatever others add later.
    Ok(covered == Covered::Yes && !matches!(own?, Look::Found(_)))
}

/// What to do about an assignment of our name that we do not own.
pub fn left_over(id: &ArmId) -> Option<String> {
    Some(format!(
        "it was left by an earlier cluster of this name. If nothing needs it any more, delete it:\n\n  az \
         role assignment delete --ids {id}"
    ))
}
