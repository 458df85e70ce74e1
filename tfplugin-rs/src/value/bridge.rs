//! Known values to and from plain JSON, which is how typed structs are filled and read.

use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

use super::{Number, Path, Type, Value};

/// Why a value and a piece of JSON do not fit each other.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// A part of the value is known only after apply.
    #[error("`{0}` is not known yet")]
    Unknown(Path),
    /// The JSON is not of the type.
    #[error("`{path}` should be {expected}, and is {found}")]
    Mismatch {
        /// Where in the value.
        path: Path,
        /// The type that the schema has there.
        expected: String,
        /// The start of what the JSON has there.
        found: String,
    },
}

/// The JSON of a wholly known value. Sets become arrays in their stored order; a value of a
/// dynamic attribute becomes the plain JSON of what it holds.
///
/// # Errors
/// When a part is unknown.
pub fn to_json(value: &Value) -> Result<Json, BridgeError> {
    write(value, &Path::root(), Form::Plain)
}

/// How JSON holds the value of a dynamic attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is; its type is that of the JSON.
    Plain,
    /// As `{"value": ..., "type": ...}`, which is how state files keep the type. They may also hold scalars as another
    /// version of the schema stored them.
    State,
}

pub(super) fn write(value: &Value, path: &Path, form: Form) -> Result<Json, BridgeError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Unknown(_) => return Err(BridgeError::Unknown(path.clone())),
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => json_number(number),
        Value::String(text) => Json::String(text.clone()),
        Value::List(items) | Value::Set(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| write(item, &path.index(index), form))
            .collect::<Result<_, _>>()
            .map(Json::Array)?,
        Value::Map(members) => members
            .iter()
            .map(|(name, member)| Ok((name.clone(), write(member, &path.then(name), form)?)))
            .collect::<Result<_, _>>()
            .map(Json::Object)?,
        Value::Dynamic(inner) if form == Form::State => {
            let held = write(&inner.1, path, form)?;
            serde_json::json!({"value": held, "type": inner.0.to_json()})
        }
        Value::Dynamic(inner) => write(&inner.1, path, form)?,
    })
}

fn json_number(number: &Number) -> Json {
    // Every decimal that `Number` writes is a JSON number; `arbitrary_precision` keeps its digits.
    serde_json::from_str(&number.to_string()).unwrap_or(Json::Null)
}

/// The value of a type from plain JSON. Attributes that are missing become null and ones that
/// the type does not have are passed over. Values of dynamic type take the type of the JSON.
///
/// # Errors
/// When the JSON has another shape than the type.
pub fn from_json(kind: &Type, json: &Json) -> Result<Value, BridgeError> {
    read(kind, json, &Path::root(), Form::Plain)
}

pub(super) fn read(
    kind: &Type,
    json: &Json,
    path: &Path,
    form: Form,
) -> Result<Value, BridgeError> {
    let items = |element: &Type, items: &[Json]| {
        items
            .iter()
            .enumerate()
            .map(|(index, item)| read(element, item, &path.index(index), form))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match (kind, json) {
        (_, Json::Null) => Value::Null,
        (Type::Bool, Json::Bool(truth)) => Value::Bool(*truth),
        (Type::Number, Json::Number(number)) => number
            .to_string()
            .parse()
            .map(Value::Number)
            .map_err(|_| mismatch(kind, json, path))?,
        (Type::String, Json::String(text)) => Value::String(text.nfc().collect()),
        (Type::List(element), Json::Array(array)) => Value::List(items(element, array)?),
        (Type::Set(element), Json::Array(array)) => Value::Set(items(element, array)?),
        (Type::Map(element), Json::Object(members)) => members
            .iter()
            .map(|(key, member)| {
                Ok((
                    key.nfc().collect(),
                    read(element, member, &path.key(key), form)?,
                ))
            })
            .collect::<Result<_, _>>()
            .map(Value::Map)?,
        (Type::Object(attributes), Json::Object(members)) => attributes
            .iter()
            .map(|(name, kind)| {
                let member = members.get(name).unwrap_or(&Json::Null);
                Ok((name.clone(), read(kind, member, &path.then(name), form)?))
            })
            .collect::<Result<_, _>>()
            .map(Value::Map)?,
        (Type::Tuple(kinds), Json::Array(array)) if kinds.len() == array.len() => kinds
            .iter()
            .zip(array)
            .enumerate()
            .map(|(index, (kind, item))| read(kind, item, &path.index(index), form))
            .collect::<Result<_, _>>()
            .map(Value::List)?,
        (Type::Dynamic, Json::Object(typed)) if form == Form::State => {
            let kind = typed.get("type").map(Type::from_json);
            let (Some(Ok(kind)), Some(held)) = (kind, typed.get("value")) else {
                return Err(mismatch(&Type::Dynamic, json, path));
            };
            let value = read(&kind, held, path, form)?;
            Value::Dynamic(Box::new((kind, value)))
        }
        (Type::Number, Json::String(text)) if form == Form::State => text
            .parse()
            .map(Value::Number)
            .map_err(|_| mismatch(kind, json, path))?,
        (Type::String, Json::Number(number)) if form == Form::State => {
            Value::String(number.to_string())
        }
        (Type::String, Json::Bool(truth)) if form == Form::State => {
            Value::String(truth.to_string())
        }
        (Type::Bool, Json::String(text)) if form == Form::State => text
            .parse()
            .map(Value::Bool)
            .map_err(|_| mismatch(kind, json, path))?,
        (Type::Dynamic, json) if form == Form::Plain => {
            let kind = type_of(json);
            let value = read(&kind, json, path, form)?;
            Value::Dynamic(Box::new((kind, value)))
        }
        _ => return Err(mismatch(kind, json, path)),
    })
}

/// The type that a piece of JSON has by itself: arrays are tuples and objects are objects.
fn type_of(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(items) => Type::Tuple(items.iter().map(type_of).collect()),
        Json::Object(members) => Type::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), type_of(member)))
                .collect(),
        ),
    }
}

fn mismatch(kind: &Type, json: &Json, path: &Path) -> BridgeError {
    BridgeError::Mismatch {
        path: path.clone(),
        expected: kind.to_json().to_string(),
        found: json.to_string().chars().take(80).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn json_goes_to_a_value_and_back_with_every_digit() {
        let kind = Type::Object(
            [
                ("n".to_owned(), Type::Number),
                ("s".to_owned(), Type::Set(Box::new(Type::String))),
                ("absent".to_owned(), Type::Bool),
            ]
            .into(),
        );
        let json: Json = serde_json::from_str(
            r#"{"n": 123456789012345678901234567890.5, "s": ["a"], "other": 1}"#,
        )
        .unwrap();
        let value = from_json(&kind, &json).unwrap();
        let back = to_json(&value).unwrap();
        assert_eq!(back["n"].to_string(), "123456789012345678901234567890.5");
        assert_eq!(back["s"], json!(["a"]));
        assert_eq!(back["absent"], Json::Null);
        assert_eq!(back.get("other"), None);
    }

    #[test]
    fn an_unknown_part_is_named_by_its_path() {
        let value = Value::object([("a", Value::List(vec![Value::unknown()]))]);
        assert_eq!(
            to_json(&value).unwrap_err().to_string(),
            "`a[0]` is not known yet"
        );
    }
}
