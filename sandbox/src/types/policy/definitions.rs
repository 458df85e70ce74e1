//! Microsoft.Authorization/policyDefinitions: the built-in ones of `built_in.rs`, which belong to the tenant
//! and are seen in every subscription, and custom ones of a subscription or a management group.

use serde_json::{Value, json};

use super::{VERSIONS, assignments, built_in, not_found, parameters, rules, stamp};
use crate::errors::{ArmError, ArmResult};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::odata;
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};
use crate::types::management::scope_exists;

/// The type's name.
pub const NAME: &str = "Microsoft.Authorization/policyDefinitions";

/// The row.
pub const DEFINITIONS: Type = Type {
    place: Place::None,
    tenant: true,
    put: Style::Created,
    creating: None,
    not_found: "PolicyDefinitionNotFound",
    properties: &[
        "policyType",
        "mode",
        "displayName",
        "description",
        "policyRule",
        "metadata",
        "parameters",
        "version",
        "versions",
        "externalEvaluationEnforcementSettings",
    ],
    check,
    fill: |world, new, old| {
        new.set("/properties/policyType", "Custom");
        new.default("/properties/mode", "Indexed");
        new.default("/properties/version", "1.0.0");
        let version = new.at("/properties/version").cloned();
        new.set("/properties/versions", json!([version]));
        stamp(world, new, old);
        Ok(())
    },
    provided: |_, id| {
        let found = built_in::find(id.name())?;
        let mut body = found.body();
        body["id"] = json!(id.as_str());
        Some(body)
    },
    collection: Some(list),
    ..Type::new(NAME, VERSIONS)
};

/// The definition with this id.
///
/// # Errors
/// 404 `PolicyDefinitionNotFound`.
pub fn find(world: &World, id: &str) -> ArmResult<Value> {
    let missing = || not_found("PolicyDefinitionNotFound", "policy definition", id);
    let parsed = ResourceId::parse(id)
        .filter(|id| id.type_name().eq_ignore_ascii_case(NAME))
        .ok_or_else(missing)?;
    if parsed.parent().is_none() {
        return built_in::find(parsed.name())
            .map(built_in::BuiltIn::body)
            .ok_or_else(missing);
    }
    world
        .get(id)
        .map(|definition| world.view(definition))
        .ok_or_else(missing)
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    let new = change.new;
    let name = new.id.name();
    if change.verb == Verb::Delete {
        let used = world.of_type(assignments::NAME).any(|assignment| {
            assignment
                .text("/properties/policyDefinitionId")
                .is_some_and(|id| new.id.same(id))
        });
        return match used {
            false => Ok(()),
            true => Err(ArmError::conflict(
                "PolicyDefinitionInUse",
                format!(
                    "The policy definition '{name}' cannot be deleted: it is used by a policy assignment."
                ),
            )),
        };
    }
    let invalid = |problem: String| {
        ArmError::bad(
            "InvalidPolicyRule",
            format!("The policy rule of the policy definition '{name}' is invalid: {problem}."),
        )
    };
    let scope = new.id.parent().filter(|scope| scope.group().is_none());
    let Some(scope) = scope.filter(|_| built_in::find(name).is_none()) else {
        return Err(ArmError::bad(
            "InvalidCreatePolicyDefinitionRequest",
            format!(
                "The policy definition '{name}' cannot be written here: a custom definition belongs to a subscription or a management group."
            ),
        ));
    };
    scope_exists(world, &scope)?;
    parameters::check_declared(name, new.at("/properties/parameters"))?;
    let rule = new
        .at("/properties/policyRule")
        .cloned()
        .unwrap_or_default();
    let condition = rules::get(&rule, "if").ok_or_else(|| invalid("it has no 'if'".into()))?;
    if let Some(problem) = rules::problem(condition) {
        return Err(invalid(problem));
    }
    let effect = rules::get(&rule, "then").and_then(|then| rules::get(then, "effect"));
    match effect.and_then(Value::as_str) {
        Some(_) => Ok(()),
        None => Err(invalid("its 'then' has no 'effect'".into())),
    }
}

fn list(world: &mut World, scope: &str, request: &Request) -> ArmResult<Vec<Value>> {
    let filter = request.param("$filter").unwrap_or_default();
    let kind = odata::equals(&filter, "policyType");
    if kind.is_none() && !filter.is_empty() {
        return Err(odata::invalid(&filter));
    }
    let mut values: Vec<Value> = built_in::DEFINITIONS
        .iter()
        .map(built_in::BuiltIn::body)
        .collect();
    if !scope.is_empty() {
        values.extend(
            world
                .of_type(NAME)
                .filter(|definition| is_below(definition, scope))
                .map(|definition| world.view(definition)),
        );
    }
    values.retain(|value| {
        let have = value["properties"]["policyType"]
            .as_str()
            .unwrap_or_default();
        kind.as_ref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case(have))
    });
    Ok(values)
}

fn is_below(definition: &Resource, scope: &str) -> bool {
    definition.id.parent().is_some_and(|at| at.same(scope))
}
