//! What is known before anything is done: ids, owned objects, and mistakes.

use tfplugin_rs::framework::{Diagnostics, Plan};
use tfplugin_rs::value::{Path, Type, Value, from_json, to_json};

use super::check::Check;
use super::ledger::Ledger;
use super::seen::{Seen, Surroundings};
use super::world::{Halt, World};
use super::{Composite, Unread};
use crate::arm::{Error, Json};

/// Makes known what can be: what the author foresees, and the ids of the objects that will be
/// owned, which depend on nothing but the input.
pub fn foresee<C: Composite>(plan: &mut Plan, surroundings: &Surroundings) {
    for (name, value) in C::foresee(&plan.planned, plan.prior.as_ref(), surroundings) {
        if plan.planned.get(name).is_unknown() {
            plan.planned.set(name, value);
        }
    }
    let prior = plan
        .prior
        .as_ref()
        .map(|prior| prior.get("objects").clone());
    let objects = objects::<C>(&plan.planned, &plan.config, surroundings);
    match (objects, prior) {
        (Some(objects), _) => plan.planned.set("objects", objects),
        (None, Some(prior)) if plan.planned.get("objects").is_null() => {
            plan.planned.set("objects", prior);
        }
        (None, _) => {}
    }
}

/// The input of a plan: configuration, defaults and what is kept; what is unknown is unset.
pub fn input_of<C: Composite>(planned: &Value, config: &Value) -> Result<C::Input, String> {
    let mut known = without_unknowns(planned);
    // Write-only values are in the configuration alone.
    for attribute in C::SCHEMA
        .attributes
        .iter()
        .filter(|attribute| attribute.write_only)
    {
        known.set(attribute.name, without_unknowns(config.get(attribute.name)));
    }
    let json = to_json(&known).map_err(|error| error.to_string())?;
    serde_json::from_value(json).map_err(|error| error.to_string())
}

fn objects<C: Composite>(
    planned: &Value,
    config: &Value,
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
    let mut ledger = Ledger::default();
    for part in C::PARTS {
        for wanted in (part.wants)(&input, &seen).ok()? {
            ledger.own(part.name, &wanted.id);
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
    planned: &Value,
    prior: Option<&Value>,
    world: &World,
) -> Result<Diagnostics, Error> {
    let decide = |seen: &Seen| -> Result<Diagnostics, Unread> {
        let mut diagnostics = Diagnostics::new();
        C::check(&mut Check {
            planned,
            prior,
            seen,
            diagnostics: &mut diagnostics,
        })?;
        Ok(diagnostics)
    };
    match world.resolve(decide).await {
        Ok(resolved) => Ok(resolved.value),
        Err(Halt::Azure(error)) => Err(error),
        Err(Halt::Skipped | Halt::Stuck) => Ok(Diagnostics::new()),
    }
}

/// Runs the part of the author's check that needs nothing from Azure.
pub fn check_offline<C: Composite>(
    planned: &Value,
    prior: Option<&Value>,
    surroundings: &Surroundings,
) -> Diagnostics {
    let seen = Seen {
        surroundings: surroundings.clone().into(),
        ..Seen::default()
    };
    let mut diagnostics = Diagnostics::new();
    // What was found before the first fact was missing stands.
    let _ = C::check(&mut Check {
        planned,
        prior,
        seen: &seen,
        diagnostics: &mut diagnostics,
    });
    diagnostics
}

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
             go, take the protection off and apply that first:\n\n  deletion_protection = false"
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
