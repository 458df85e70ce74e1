//! Built-in roles that an identity must have somewhere: the assignment that this provider makes, and
//! whether one of others serves already; and what the caller may do itself.

mod caller;

use serde_json::json;
use uuid::Uuid;

pub use self::caller::{caller_may, may_assign, permits};
use super::parts::{Look, Seen, Unread, Wanted};
use crate::arm::{ArmId, Error};

/// The ARM type of a role assignment.
const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its name in the portal.
    pub name: &'static str,
    /// Its definition's id, the same in all tenants.
    pub definition: &'static str,
    /// The definitions of other built-in roles that include it.
    broader: &'static [&'static str],
}

/// For subnets, route tables and addresses.
pub const NETWORK_CONTRIBUTOR: Role = Role {
    name: "Network Contributor",
    definition: "4d97b98b-1d4f-4787-a291-c67834d212e7",
    broader: &[OWNER, CONTRIBUTOR],
};

/// For private zones and their records.
pub const ZONE_CONTRIBUTOR: Role = Role {
    name: "Private DNS Zone Contributor",
    definition: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    broader: &[OWNER, CONTRIBUTOR],
};

/// For handing out an identity.
pub const IDENTITY_OPERATOR: Role = Role {
    name: "Managed Identity Operator",
    definition: "f1a07417-d97a-45cb-824c-7a7467783830",
    broader: &[OWNER, CONTRIBUTOR],
};

/// For reading the secrets of a key vault. It is a matter of data actions, which no owner or contributor
/// has.
pub const SECRETS_USER: Role = Role {
    name: "Key Vault Secrets User",
    definition: "4633458b-17de-408a-b874-0445c86b69e6",
    broader: &[VAULT_ADMINISTRATOR, SECRETS_OFFICER],
};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const VAULT_ADMINISTRATOR: &str = "00482a5a-887f-4fb3-b363-3b7fe8e74483";
const SECRETS_OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

/// The roles of which it is known what they include.
const KNOWN: [Role; 4] = [
    NETWORK_CONTRIBUTOR,
    ZONE_CONTRIBUTOR,
    IDENTITY_OPERATOR,
    SECRETS_USER,
];

/// Something that an identity must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Where.
    pub scope: ArmId,
    /// As what.
    pub role: Role,
    /// For what, in a few words.
    pub why: &'static str,
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
        if is(self.definition) || self.broader.iter().any(|broader| is(broader)) {
            return Some(true);
        }
        let mut known = KNOWN.iter();
        known
            .any(|role| is(role.definition) || role.broader.iter().any(|broader| is(broader)))
            .then_some(false)
    }
}

impl Need {
    /// The id of the assignment that we make: the same need of the same holder, an identity or the
    /// resource that owns the assignment, has the same name at every apply, so that an answer that was
    /// lost does no harm.
    pub fn id(&self, holder: &ArmId) -> ArmId {
        let text = format!("{}|{holder}|{}", self.scope, self.role.definition).to_lowercase();
        let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes());
        self.scope.resource(ASSIGNMENT, &name.to_string())
    }

    /// The assignment that meets it, for the identity with that object id, as far as it has one yet.
    pub fn wanted(&self, holder: &ArmId, principal: Result<Option<String>, Unread>) -> Wanted {
        let body = principal.map(|principal| {
            json!({"properties": {
                "roleDefinitionId": self.role.id(&self.scope),
                "principalId": principal,
                "principalType": "ServicePrincipal",
            }})
        });
        let wanted = Wanted::new(self.id(holder), body).immutable(&[
            "/properties/principalId",
            "/properties/principalType",
            "/properties/roleDefinitionId",
        ]);
        wanted.argument("manage_role_assignments")
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
    holder: &ArmId,
    principal: &str,
    seen: &Seen,
) -> Result<Covered, Unread> {
    let own = need.id(holder);
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

/// Whether Azure refuses an assignment because the principal has the role there by another one.
pub fn is_assigned(error: &Error) -> bool {
    error.has_code("RoleAssignmentExists")
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

/// Whether an assignment of others meets the need, so that none of ours is wanted.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn is_served(
    need: &Need,
    holder: &ArmId,
    principal: &str,
    seen: &Seen,
) -> Result<bool, Unread> {
    let own = seen.look(&need.id(holder));
    let covered = covered(need, holder, principal, seen)?;
    // One that we made stays ours, whatever others add later.
    Ok(covered == Covered::Yes && !matches!(own?, Look::Found(_)))
}
