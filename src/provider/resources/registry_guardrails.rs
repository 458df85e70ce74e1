//! Rules for registries that hold whoever makes them: built-in policies (`policyAssignments`), with the
//! role of the one that changes registries (`roleAssignments`), exemptions (`policyExemptions`) and a
//! remediation of what stood before (`Microsoft.PolicyInsights/remediations`). One resource, because a
//! policy that changes something does nothing without its role, and one that denies something surprises
//! those who are not exempt. The scope is its anchor, and someone else's: it is only read.

mod check;
mod compliance;
mod objects;
mod observe;
mod policies;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::compliance::Compliance;
use self::policies::Kind;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Composite, Observed, Page, Part, Seen, Surroundings, Unread};

const ASSIGNMENT: &str = "Microsoft.Authorization/policyAssignments";
const EXEMPTION: &str = "Microsoft.Authorization/policyExemptions";
const MANAGEMENT_GROUP: &str = "Microsoft.Management/managementGroups";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const PART: &str = "assignments";

/// What the names of the assignments begin with, unless the user gives another.
const NAME: &str = "fkaks";

/// `fkaks_registry_guardrails`
pub struct RegistryGuardrails;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    scope_id: ArmId,
    name: String,
    unrestricted_network_access: Option<Policy>,
    private_link: Option<Policy>,
    public_network_access: Option<Policy>,
    admin_account: Option<Policy>,
    admin_account_off: Option<Policy>,
    exports: Option<Policy>,
    exemptions: Option<BTreeMap<String, Exemption>>,
    identity_id: Option<ArmId>,
    location: Option<String>,
    role_assignment_enabled: bool,
}

/// How a policy is assigned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Policy {
    effect: String,
    enforcement_enabled: bool,
    message: Option<String>,
    excluded_scope_ids: Option<BTreeSet<ArmId>>,
    /// Of the policy that changes registries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remediate: Option<bool>,
}

/// What a policy does not hold for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Exemption {
    scope_id: ArmId,
    policies: Option<BTreeSet<String>>,
    category: String,
    expires_on: Option<String>,
    reason: String,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    assignment_ids: BTreeMap<&'static str, ArmId>,
    principal_id: Option<String>,
    compliance: BTreeMap<&'static str, Compliance>,
}

impl Composite for RegistryGuardrails {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_guardrails";
    const ANCHOR: &'static str = ASSIGNMENT;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(60, 5, 60, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new(PART, objects::assignments).existing(objects::another_name),
        Part::new("grants", objects::grants)
            .after(&[PART])
            .existing(objects::another_name),
        Part::new("exemptions", objects::exemptions)
            .after(&[PART])
            .existing(objects::another_name),
        Part::new("remediations", objects::remediations)
            .after(&["grants", "exemptions"])
            .until(objects::remediated)
            .existing(objects::another_name),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.scope_id.clone())
    }

    fn imported(id: &ArmId) -> Option<Json> {
        if is_scope(id) {
            return Some(json!({ "id": id }));
        }
        let scope = id.parent().filter(is_scope)?;
        id.is(ASSIGNMENT)
            .then(|| json!({ "id": scope, "objects": { PART: [id] } }))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let scope = plan.get("scope_id").as_str();
        let Some((scope, id)) = scope.and_then(|text| Some((text, ArmId::parse(text).ok()?)))
        else {
            return Vec::new();
        };
        let mut known = vec![("id", Value::from(scope))];
        if let Some(name) = plan.get("name").as_str() {
            let assigned = Kind::ALL.into_iter().filter(|kind| {
                let policy = plan.get(kind.facts().argument);
                !policy.is_null() && !policy.is_unknown()
            });
            let ids = assigned.map(|kind| {
                let id = assignment_id(&id, name, kind);
                (kind.facts().argument.to_owned(), Value::from(id.as_str()))
            });
            known.push(("assignment_ids", Value::Map(ids.collect())));
        }
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    /// The policies that are assigned.
    fn policies(&self) -> impl Iterator<Item = (Kind, &Policy)> {
        let all = Kind::ALL.into_iter();
        all.filter_map(|kind| Some((kind, self.policy(kind)?)))
    }

    fn policy(&self, kind: Kind) -> Option<&Policy> {
        match kind {
            Kind::UnrestrictedNetworkAccess => self.unrestricted_network_access.as_ref(),
            Kind::PrivateLink => self.private_link.as_ref(),
            Kind::PublicNetworkAccess => self.public_network_access.as_ref(),
            Kind::AdminAccount => self.admin_account.as_ref(),
            Kind::AdminAccountOff => self.admin_account_off.as_ref(),
            Kind::Exports => self.exports.as_ref(),
        }
    }

    fn policy_mut(&mut self, kind: Kind) -> &mut Option<Policy> {
        match kind {
            Kind::UnrestrictedNetworkAccess => &mut self.unrestricted_network_access,
            Kind::PrivateLink => &mut self.private_link,
            Kind::PublicNetworkAccess => &mut self.public_network_access,
            Kind::AdminAccount => &mut self.admin_account,
            Kind::AdminAccountOff => &mut self.admin_account_off,
            Kind::Exports => &mut self.exports,
        }
    }

    fn assignment_name(&self, kind: Kind) -> String {
        assignment_name(&self.name, kind)
    }

    fn assignment_id(&self, kind: Kind) -> ArmId {
        assignment_id(&self.scope_id, &self.name, kind)
    }

    /// The policies from which an exemption exempts: those it names, or all.
    fn exempted(&self, exemption: &Exemption) -> Vec<Kind> {
        let named = |kind: &Kind| {
            let policies = exemption.policies.as_ref();
            policies.is_none_or(|names| names.contains(kind.facts().argument))
        };
        let all = self.policies().map(|(kind, _)| kind);
        all.filter(named).collect()
    }

    fn exemption_id(&self, key: &str, exemption: &Exemption, kind: Kind) -> ArmId {
        let name = format!("{}-{key}", self.assignment_name(kind));
        exemption.scope_id.resource(EXEMPTION, &name)
    }
}

impl Policy {
    fn remediates(&self) -> bool {
        self.remediate == Some(true)
    }
}

fn assignment_name(name: &str, kind: Kind) -> String {
    format!("{name}-{}", kind.facts().suffix)
}

fn assignment_id(scope: &ArmId, name: &str, kind: Kind) -> ArmId {
    scope.resource(ASSIGNMENT, &assignment_name(name, kind))
}

/// Whether policies can be assigned here: at a management group, a subscription, a group, a registry.
fn is_scope(id: &ArmId) -> bool {
    [
        MANAGEMENT_GROUP,
        "Microsoft.Resources/subscriptions",
        "Microsoft.Resources/resourceGroups",
        REGISTRY,
    ]
    .iter()
    .any(|kind| id.is(kind))
}

#[cfg(test)]
mod tests;
