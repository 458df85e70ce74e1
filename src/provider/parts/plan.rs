//! What is known before anything is done: ids, owned objects, and mistakes.

use std::collections::BTreeSet;

use tfplugin_rs::framework::{Diagnostics, Plan};
use tfplugin_rs::schema::{Attribute, Computed, Kind, Nesting};
use tfplugin_rs::value::{Path, Type, Value, from_json, to_json};

use super::apply::ids_in;
use super::check::Check;
use super::ledger::Ledger;
use super::seen::{Seen, Surroundings};
use super::world::{Halt, World};
use super::{Composite, Unread};
use crate::arm::{ArmId, Error, Json};

/// Makes known what can be: what the author foresees, and the ids of the objects that will be
/// owned, which depend on nothing but the input.
pub fn foresee<C: Composite>(plan: &mut Plan, surroundings: &Surroundings) {
    if plan.prior.as_ref() != Some(&plan.planned) {
        let prior = plan.prior.as_ref();
        C::complete(&plan.config, &mut plan.planned, prior, surroundings);
    }
    for (name, value) in C::foresee(&plan.planned, plan.prior.as_ref(), surroundings) {
        if plan.planned.get(name).is_unknown() {
            plan.planned.set(name, value);
        }
    }
    let prior = plan
        .prior
        .as_ref()
        .map(|prior| prior.get("objects").clone());
    let objects = objects::<C>(&plan.planned, &plan.config, prior.as_ref(), surroundings);
    match (objects, prior) {
        (Some(objects), _) => plan.planned.set("objects", objects),
        (None, Some(prior)) if plan.planned.get("objects").is_null() => {
            plan.planned.set("objects", prior);
        }
        (None, _) => {}
    }
}

/// Makes unknown what follows from an object that this very apply has made anew: it has the id of the one
/// before, so that nothing in the configuration has changed, and still is another one.
pub fn follow<C: Composite>(plan: &mut Plan, is_new: &dyn Fn(&ArmId) -> bool) {
    if plan.prior.is_none() {
        return;
    }
    let names_new = |argument: &str| {
        let argument = to_json(&without_unknowns(plan.config.get(argument)));
        argument.is_ok_and(|argument| ids_in(&argument).iter().any(is_new))
    };
    let new: BTreeSet<&str> = C::SCHEMA
        .attributes
        .iter()
        .map(|attribute| attribute.name)
        .filter(|name| names_new(name))
        .collect();
    if new.is_empty() {
        return;
    }
    for attribute in C::SCHEMA.attributes {
        let follows = match attribute.computed_rule() {
            Some(Computed::Follows(names)) => names.iter().any(|name| new.contains(name)),
            Some(Computed::Volatile) => true,
            Some(Computed::Fixed | Computed::Always(_)) | None => false,
        };
        if follows && plan.config.get(attribute.name).is_null() {
            plan.planned.set(attribute.name, Value::unknown());
        }
    }
}

/// Makes the id of a successor unknown, and the ids below it, although they are those of its predecessor:
/// whatever refers to it is of another object now, and is planned anew in the same plan.
pub fn renew_identity<C: Composite>(plan: &mut Plan, surroundings: &Surroundings) {
    let Ok(input) = input_of::<C>(&plan.planned, &plan.config) else {
        return;
    };
    let Some(id) = C::id(&input, surroundings) else {
        return;
    };
    let computed = C::SCHEMA
        .attributes
        .iter()
        .filter(|attribute| attribute.is_computed());
    for attribute in computed.filter(|attribute| attribute.name != "objects") {
        if plan.config.get(attribute.name).is_null() {
            let renewed = without_ids_of(&id, plan.planned.get(attribute.name));
            plan.planned.set(attribute.name, renewed);
        }
    }
}

/// The value, unknown where it is that id or one below it.
fn without_ids_of(id: &ArmId, value: &Value) -> Value {
    let names_it =
        |text: &str| ArmId::parse(text).is_ok_and(|named| named == *id || named.is_within(id));
    match value {
        Value::String(text) if names_it(text) => Value::unknown(),
        Value::Map(members) => Value::Map(
            members
                .iter()
                .map(|(key, member)| (key.clone(), without_ids_of(id, member)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Makes unknown again what a creation that failed or is still under way, or something that was
/// deleted outside, has left as null: it is kept from the prior state otherwise, as if Azure had
/// said so.
pub fn reopen<C: Composite>(plan: &mut Plan) {
    let Some(prior) = plan.prior.as_ref().filter(|prior| **prior != plan.planned) else {
        return;
    };
    let ledger = to_json(prior.get("objects")).map(|json| Ledger::from_json(&json));
    let id = prior
        .get("id")
        .as_str()
        .and_then(|id| ArmId::parse(id).ok());
    let drift = prior.get("drift").as_items();
    if let (Ok(ledger), Some(id)) = (ledger, id)
        && ledger.owns(&id)
        && drift.is_none_or(<[_]>::is_empty)
    {
        return;
    }
    for attribute in C::SCHEMA.attributes {
        let name = attribute.name;
        if attribute.is_computed()
            && plan.config.get(name).is_null()
            && plan.planned.get(name).is_null()
        {
            plan.planned.set(name, Value::unknown());
        }
    }
}

/// The input of a plan: configuration, defaults and what is kept; what is unknown is unset.
pub fn input_of<C: Composite>(planned: &Value, config: &Value) -> Result<C::Input, String> {
    let mut known = without_unknowns(planned);
    fill_write_only(C::SCHEMA.attributes, &mut known, config);
    let json = to_json(&known).map_err(|error| error.to_string())?;
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// Takes the write-only values from the configuration, where alone they are; single nested objects may
/// have some, too.
fn fill_write_only(attributes: &[Attribute], known: &mut Value, config: &Value) {
    for attribute in attributes {
        let (name, written) = (attribute.name, config.get(attribute.name));
        match attribute.kind {
            _ if attribute.write_only => known.set(name, without_unknowns(written)),
            Kind::Nested(Nesting::Single, members) if !known.get(name).is_null() => {
                let mut nested = known.get(name).clone();
                fill_write_only(members, &mut nested, written);
                known.set(name, nested);
            }
            _ => {}
        }
    }
}

/// The resource's id: as it was planned, in the spelling that an import may have given it, or as
/// the input makes it.
pub fn id_of<C: Composite>(
    input: &C::Input,
    planned: &Value,
    surroundings: &Surroundings,
) -> Option<ArmId> {
    let id = C::id(input, surroundings)?;
    let planned = planned.get("id").as_str();
    let planned = planned.and_then(|id| ArmId::parse(id).ok());
    Some(planned.filter(|planned| *planned == id).unwrap_or(id))
}

fn objects<C: Composite>(
    planned: &Value,
    config: &Value,
    prior: Option<&Value>,
    surroundings: &Surroundings,
) -> Option<Value> {
    if !config.is_wholly_known() {
        return None;
    }
    let input = input_of::<C>(planned, config).ok()?;
    let seen = Seen {
        surroundings: surroundings.clone().into(),
        ..Seen::default()
    };
    // An id stays in the spelling in which it came to be owned.
    let owned = prior.and_then(|prior| to_json(prior).ok());
    let owned = owned
        .map(|json| Ledger::from_json(&json))
        .unwrap_or_default();
    let mut ledger = Ledger::default();
    for part in C::PARTS {
        for wanted in (part.wants)(&input, &seen).ok()? {
            let spelled = owned.of(part.name).find(|id| **id == wanted.id);
            ledger.own(part.name, spelled.unwrap_or(&wanted.id));
        }
    }
    let kind = Type::Map(Box::new(Type::List(Box::new(Type::String))));
    from_json(&kind, &ledger.to_json()).ok()
}

/// Runs the author's check until it has all that it asks for.
///
/// # Errors
/// When Azure cannot be read.
pub async fn check<C: Composite>(
    plan: &Plan,
    replaced: Option<&Ledger>,
    world: &World,
) -> Result<Diagnostics, Error> {
    let decide = |seen: &Seen| -> Result<Diagnostics, Unread> {
        let mut diagnostics = Diagnostics::new();
        C::check(&mut Check {
            config: &plan.config,
            planned: &plan.planned,
            prior: plan.prior.as_ref(),
            replaced: replaced.cloned(),
            seen,
            diagnostics: &mut diagnostics,
        })?;
        Ok(diagnostics)
    };
    match world.resolve(decide).await {
        Ok(resolved) => Ok(resolved.value),
        Err(Halt::Azure(error)) => Err(error),
        Err(Halt::Skipped | Halt::Stuck | Halt::Endless(_)) => Ok(Diagnostics::new()),
    }
}

/// Runs the author's check of what only an apply can know, before its first write. Where Azure
/// cannot be read, the apply itself says so.
pub async fn check_before_writing<C: Composite>(
    config: &Value,
    planned: &Value,
    prior: Option<&Value>,
    world: &World,
) -> Diagnostics {
    let decide = |seen: &Seen| -> Result<Diagnostics, Unread> {
        let mut diagnostics = Diagnostics::new();
        C::check_before_writing(&mut Check {
            config,
            planned,
            prior,
            replaced: None,
            seen,
            diagnostics: &mut diagnostics,
        })?;
        Ok(diagnostics)
    };
    let found = world.resolve(decide).await;
    found.map(|found| found.value).unwrap_or_default()
}

/// Runs the part of the author's check that needs nothing from Azure.
pub fn check_offline<C: Composite>(plan: &Plan, surroundings: &Surroundings) -> Diagnostics {
    let seen = Seen {
        surroundings: surroundings.clone().into(),
        ..Seen::default()
    };
    let mut diagnostics = Diagnostics::new();
    // What was found before the first fact was missing stands.
    let _ = C::check(&mut Check {
        config: &plan.config,
        planned: &plan.planned,
        prior: plan.prior.as_ref(),
        replaced: None,
        seen: &seen,
        diagnostics: &mut diagnostics,
    });
    diagnostics
}

/// Why something is about to be deleted of which no plan told.
pub const REPLACED: &str = "It was about to be deleted, because it is tainted or `-replace` names it. To keep it, leave \
                            `-replace` out, or apply after\n\n  terraform untaint <its address>\n\nNothing was deleted:";

/// Objects to the deletion of what cannot be restored.
pub fn protect<C: Composite>(prior: &Value, why: &str, diagnostics: &mut Diagnostics) {
    if prior.get("deletion_protection").as_bool() != Some(true) {
        return;
    }
    let id = prior.get("id").as_str().unwrap_or("the object");
    diagnostics.error(
        Path::attribute("deletion_protection"),
        format!("{} is protected from deletion", C::NAME),
        format!(
            "{why}\n- {id}\n\nIt cannot be restored once it is deleted.\n\nFix: if it really should \
             go, take the protection off and apply that first, in place:\n\n  deletion_protection = false"
        ),
    );
}

/// The state after an apply or a read, for a schema.
pub fn state_of<C: Composite>(
    attributes: &super::Attributes,
    ledger: &Ledger,
    drift: &[String],
    keep: &Value,
) -> Result<Value, String> {
    let mut json = to_json(&without_unknowns(keep)).map_err(|error| error.to_string())?;
    if let Some(members) = json.as_object_mut() {
        members.extend(
            attributes
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        members.insert("objects".to_owned(), ledger.to_json());
        members.insert(
            "drift".to_owned(),
            drift.iter().map(|line| Json::from(line.as_str())).collect(),
        );
    }
    let mut state = C::SCHEMA
        .value_from_json(&json)
        .map_err(|error| format!("{}: {error}", C::NAME))?;
    // What the framework keeps beside the schema's own attributes, such as `timeouts`.
    for (name, value) in keep.as_map().into_iter().flatten() {
        if C::SCHEMA.attribute(name).is_none() {
            state.set(name, value.clone());
        }
    }
    Ok(state)
}

/// The state with what its plan knew already. Whatever changed between the plan and now is for the
/// next reading to show: core takes no other value than the one that it was promised. What is
/// owned is the truth all the same.
pub fn as_promised(mut state: Value, planned: &Value) -> Value {
    for (name, promise) in planned.as_map().into_iter().flatten() {
        if name != "objects" {
            let kept = promised(state.get(name), promise);
            state.set(name, kept);
        }
    }
    state
}

fn promised(found: &Value, promise: &Value) -> Value {
    match (found, promise) {
        (_, promise) if promise.is_wholly_known() => promise.clone(),
        (Value::Map(found), Value::Map(promise)) if found.keys().eq(promise.keys()) => {
            let members = found.iter().zip(promise.values());
            Value::Map(
                members
                    .map(|((name, found), promise)| (name.clone(), promised(found, promise)))
                    .collect(),
            )
        }
        (found, _) => found.clone(),
    }
}

/// The value with null in place of everything that is unknown.
pub fn without_unknowns(value: &Value) -> Value {
    match value {
        Value::Unknown(_) => Value::Null,
        Value::List(items) => Value::List(items.iter().map(without_unknowns).collect()),
        Value::Set(items) => Value::Set(items.iter().map(without_unknowns).collect()),
        Value::Map(members) => Value::Map(
            members
                .iter()
                .map(|(name, value)| (name.clone(), without_unknowns(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use tfplugin_rs::framework::Private;

    use super::*;
    use crate::provider::resources::ResourceGroup;

    #[test]
    fn what_was_imported_in_another_spelling_keeps_it() {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/RG-APP";
        let state = json!({
            "name": "rg-app", "location": "westeurope", "id": id,
            "subscription_id": "00000000-0000-0000-0000-000000000001",
            "objects": {"group": [id]}, "drift": []
        });
        let state = ResourceGroup::SCHEMA.value_from_json(&state).unwrap();
        let mut plan = Plan {
            config: state.clone(),
            prior: Some(state.clone()),
            planned: state.clone(),
            requires_replace: Vec::new(),
            private: Private::default(),
        };
        let surroundings = Surroundings::default();
        foresee::<ResourceGroup>(&mut plan, &surroundings);
        assert_eq!(plan.planned, state);

        let input = input_of::<ResourceGroup>(&state, &state).unwrap();
        let of = |planned: &Value| id_of::<ResourceGroup>(&input, planned, &surroundings).unwrap();
        assert_eq!(of(&state).as_str(), id);
        let mut unknown = state.clone();
        unknown.set("id", Value::unknown());
        assert!(of(&unknown).as_str().ends_with("/resourceGroups/rg-app"));
    }
}
