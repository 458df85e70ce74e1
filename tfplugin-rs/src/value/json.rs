//! Values as state files hold them: JSON directed by a type, in which a dynamic value says its own type.

use serde_json::Value as Json;

use super::bridge::{BridgeError, Form, read, write};
use super::{Path, Type, Value};

/// The value of a type from the JSON of a state file. Attributes that are missing become null and ones that the type
/// does not have are passed over, since states of other versions of a schema come here too.
///
/// # Errors
/// When the JSON has another shape than the type.
pub fn decode(kind: &Type, json: &Json) -> Result<Value, BridgeError> {
    read(kind, json, &Path::root(), Form::State)
}

/// The JSON of a wholly known value, as a state file holds it.
///
/// # Errors
/// When a part is unknown.
pub fn encode(value: &Value) -> Result<Json, BridgeError> {
    write(value, &Path::root(), Form::State)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::value::samples::{typed_values, wire_type};
    use proptest::prelude::*;

    /// Captured from Terraform 1.11.4.
    #[test]
    fn a_state_of_terraform_is_read_and_written_back() {
        let json: Json = serde_json::from_str(
            r#"{"blk":[{"x":"1"}],"dyn":{"value":{"a":1,"b":[true,"x"]},"type":["object",{"a":"number","b":["tuple",["bool","string"]]}]},"id":"the-id","name":null,"nested":[{"a":"1","b":null}],"num":0.1,"set":["a"],"wo":null}"#,
        )
        .unwrap();
        let value = decode(&wire_type(), &json).unwrap();
        assert_eq!(value.get("num"), &Value::Number("0.1".parse().unwrap()));
        let Value::Dynamic(inner) = value.get("dyn") else {
            panic!("no dynamic value")
        };
        assert_eq!(inner.1.get("a"), &Value::from(1));
        assert_eq!(encode(&value).unwrap(), json);
    }

    #[test]
    fn scalars_that_another_version_stored_differently_are_taken() {
        let kind = |kind: Type| Type::Object([("a".to_owned(), kind)].into());
        for (kind, json, expected) in [
            (
                kind(Type::Number),
                r#"{"a":"12","gone":[]}"#,
                Value::from(12),
            ),
            (kind(Type::String), r#"{"a":12}"#, Value::from("12")),
            (kind(Type::String), r#"{"a":true}"#, Value::from("true")),
            (kind(Type::Bool), r#"{"a":"false"}"#, Value::from(false)),
            (kind(Type::Bool), "{}", Value::Null),
        ] {
            let value = decode(&kind, &serde_json::from_str(json).unwrap()).unwrap();
            assert_eq!(value.get("a"), &expected, "{json}");
        }
    }

    #[test]
    fn a_mistake_is_named_by_its_path() {
        let json = serde_json::json!({"nested": [{"a": []}]});
        let error = decode(&wire_type(), &json).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`nested[0].a` should be \"string\", and is []"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back((kind, value) in typed_values()) {
            prop_assume!(value.is_wholly_known());
            let text = encode(&value).unwrap().to_string();
            let json: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(decode(&kind, &json).unwrap(), value);
        }
    }
}
