//! Parameters of policies: what a definition declares, and what an assignment may give. Codes and texts are
//! Azure's where public reports show them.

use serde_json::{Map, Value, json};

use crate::errors::{ArmError, ArmResult};

const KINDS: &[&str] = &[
    "String", "Array", "Object", "Boolean", "Integer", "Float", "DateTime",
];

/// Checks the parameters that a definition declares.
///
/// # Errors
/// `InvalidPolicyParameterType`, `PolicyParameterAllowedAndDefaultValuesMismatch`.
pub fn check_declared(name: &str, declared: Option<&Value>) -> ArmResult<()> {
    for (parameter, declaration) in declared.and_then(Value::as_object).into_iter().flatten() {
        let kind = declaration["type"].as_str().unwrap_or_default();
        if !KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            return Err(ArmError::bad(
                "InvalidPolicyParameterType",
                format!(
                    "The type '{kind}' of the parameter '{parameter}' of the policy definition '{name}' is invalid."
                ),
            ));
        }
        let default = &declaration["defaultValue"];
        if !default.is_null() && !allowed(declaration, default) {
            return Err(ArmError::bad(
                "PolicyParameterAllowedAndDefaultValuesMismatch",
                format!(
                    "The policy '{name}' defined parameter '{parameter}' with a default value that is not one of the allowed values."
                ),
            ));
        }
    }
    Ok(())
}

/// Checks the values that an assignment gives.
///
/// # Errors
/// `UndefinedPolicyParameter`, `MissingPolicyParameter`, `InvalidPolicyParameters`,
/// `PolicyParameterValueNotAllowed`.
pub fn check_given(assignment: &str, given: Option<&Value>, definition: &Value) -> ArmResult<()> {
    let name = definition["name"].as_str().unwrap_or_default();
    let empty = Map::new();
    let declared = definition["properties"]["parameters"]
        .as_object()
        .unwrap_or(&empty);
    let given = given.and_then(Value::as_object).unwrap_or(&empty);
    let find = |parameter: &str| {
        declared
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(parameter))
            .map(|(_, declaration)| declaration)
    };
    let undefined: Vec<&str> = given
        .keys()
        .map(String::as_str)
        .filter(|parameter| find(parameter).is_none())
        .collect();
    if !undefined.is_empty() {
        return Err(ArmError::bad(
            "UndefinedPolicyParameter",
            format!(
                "The policy assignment '{assignment}' is attempting to assign the parameter(s) '{}' which are not defined in the policy definition '{name}'.",
                undefined.join(",")
            ),
        ));
    }
    let missing: Vec<&str> = declared
        .iter()
        .filter(|(parameter, declaration)| {
            declaration["defaultValue"].is_null()
                && !given
                    .keys()
                    .any(|have| have.eq_ignore_ascii_case(parameter))
        })
        .map(|(parameter, _)| parameter.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(ArmError::bad(
            "MissingPolicyParameter",
            format!(
                "The policy assignment '{assignment}' is missing the parameter(s) '{}' as defined in the policy definition '{name}'.",
                missing.join(",")
            ),
        ));
    }
    for (parameter, value) in given {
        let Some(declaration) = find(parameter) else {
            continue;
        };
        let Some(value) = value.get("value") else {
            return Err(ArmError::bad(
                "InvalidPolicyParameters",
                format!(
                    "The parameter '{parameter}' of the policy assignment '{assignment}' has no value."
                ),
            ));
        };
        let kind = declaration["type"].as_str().unwrap_or_default();
        if !is(kind, value) {
            return Err(ArmError::bad(
                "InvalidPolicyParameters",
                format!(
                    "The value of the parameter '{parameter}' of the policy assignment '{assignment}' is not of the type '{kind}' that the policy definition '{name}' declares."
                ),
            ));
        }
        if !allowed(declaration, value) {
            let words: Vec<String> = declaration["allowedValues"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|word| {
                    word.as_str()
                        .map_or_else(|| word.to_string(), ToOwned::to_owned)
                })
                .collect();
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            return Err(ArmError::bad(
                "PolicyParameterValueNotAllowed",
                format!(
                    "The value '{value}' is not allowed for policy parameter '{parameter}' in policy definition '{name}'. The allowed values are '{}'.",
                    words.join(", ")
                ),
            ));
        }
    }
    Ok(())
}

/// The values in force: what is given, and the defaults of the rest.
#[must_use]
pub fn in_force(given: Option<&Value>, definition: &Value) -> Value {
    let declared = definition["properties"]["parameters"].as_object();
    let mut values = Map::new();
    for (name, declaration) in declared.into_iter().flatten() {
        let given = given
            .and_then(Value::as_object)
            .and_then(|given| {
                given
                    .iter()
                    .find(|(have, _)| have.eq_ignore_ascii_case(name))
            })
            .map(|(_, value)| value["value"].clone());
        let value = given.unwrap_or_else(|| declaration["defaultValue"].clone());
        values.insert(name.clone(), value);
    }
    json!(values)
}

/// The allowed values of a string are compared with case, as Azure does.
fn allowed(declaration: &Value, value: &Value) -> bool {
    match declaration["allowedValues"].as_array() {
        None => true,
        Some(words) => match value.as_array() {
            Some(list) => list.iter().all(|one| words.contains(one)),
            None => words.contains(value),
        },
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind.to_lowercase().as_str() {
        "string" | "datetime" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_number(),
    }
}
