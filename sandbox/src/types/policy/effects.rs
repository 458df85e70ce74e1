//! What an assignment does to a resource: its effect with the parameters in force, and whether it
//! concerns the resource at all.

use serde_json::Value;

use super::{assignments, definitions, exemptions, parameters, rules, selectors};
use crate::store::{Resource, World};
use crate::types::management::reaches;

/// An assignment that concerns a resource.
pub struct Applied<'a> {
    /// The assignment.
    pub assignment: &'a Resource,
    /// Its definition.
    pub definition: Value,
    /// The values of its parameters.
    pub parameters: Value,
    /// Its effect on the resource, as it is spelled.
    pub effect: String,
}

impl Applied<'_> {
    /// The condition of the rule.
    #[must_use]
    pub fn condition(&self) -> Value {
        let rule = &self.definition["properties"]["policyRule"];
        rules::get(rule, "if").cloned().unwrap_or_default()
    }

    /// The `details` of the rule's effect.
    #[must_use]
    pub fn details(&self) -> Value {
        let rule = &self.definition["properties"]["policyRule"];
        rules::get(rule, "then")
            .and_then(|then| rules::get(then, "details"))
            .cloned()
            .unwrap_or_default()
    }

    /// True for this effect, in any case.
    #[must_use]
    pub fn is(&self, effect: &str) -> bool {
        self.effect.eq_ignore_ascii_case(effect)
    }

    /// True when the rule's condition holds for the resource as rules see it.
    pub fn holds(&self, seen: &Value, looked: &mut Vec<rules::Looked>) -> bool {
        rules::Subject::new(seen, &self.parameters).holds(&self.condition(), looked)
    }

    /// True when the assignment acts on writes.
    #[must_use]
    pub fn enforced(&self) -> bool {
        self.assignment.text("/properties/enforcementMode") != Some("DoNotEnforce")
    }
}

/// The effect of an assignment before any override.
#[must_use]
pub fn of(assignment: &Resource, definition: &Value) -> String {
    let values = parameters::in_force(assignment.at("/properties/parameters"), definition);
    let rule = &definition["properties"]["policyRule"];
    rules::get(rule, "then")
        .and_then(|then| rules::get(then, "effect"))
        .map(|effect| rules::resolved(effect, &values))
        .and_then(|effect| effect.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// True for effects that write with the assignment's identity.
#[must_use]
pub fn writes(effect: &str) -> bool {
    ["modify", "deployIfNotExists"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(effect))
}

/// Every assignment that concerns the resource: assigned at or above it, not excluded, of its type, not
/// disabled. Exemptions are for the caller to ask about.
#[must_use]
pub fn on<'a>(world: &'a World, resource: &Resource) -> Vec<Applied<'a>> {
    let id = resource.id.as_str();
    world
        .of_type(assignments::NAME)
        .filter(|assignment| {
            let scope = assignment.id.parent();
            let excluded = assignment
                .items("/properties/notScopes")
                .iter()
                .filter_map(Value::as_str)
                .any(|not| reaches(world, not, id));
            scope.is_some_and(|scope| reaches(world, scope.as_str(), id))
                && !excluded
                && selectors::chosen(assignment.items("/properties/resourceSelectors"), resource)
        })
        .filter_map(|assignment| {
            let definition =
                definitions::find(world, assignments::definition_id(assignment)).ok()?;
            let given = assignment.at("/properties/parameters");
            let effect = selectors::effect(assignment.items("/properties/overrides"), resource)
                .unwrap_or_else(|| of(assignment, &definition));
            Some(Applied {
                assignment,
                parameters: parameters::in_force(given, &definition),
                definition,
                effect,
            })
        })
        .filter(|applied| !applied.is("disabled"))
        .filter(|applied| {
            let condition = applied.condition();
            let kind = rules::kind_of(&condition);
            kind.is_none_or(|kind| kind.eq_ignore_ascii_case(&resource.type_name))
        })
        .collect()
}

/// Those of `on` that no exemption takes from the resource.
#[must_use]
pub fn in_force<'a>(world: &'a World, resource: &Resource) -> Vec<Applied<'a>> {
    let mut applied = on(world, resource);
    applied.retain(|applied| exemptions::of(world, applied.assignment, resource).is_none());
    applied
}
