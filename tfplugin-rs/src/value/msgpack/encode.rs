//! Writes values. The bytes depend on the value alone: attributes and keys are sorted, and so are the elements of sets.

use std::collections::BTreeMap;

use rmp::encode::{
    ByteBuf, write_array_len, write_bin, write_bool, write_ext_meta, write_f64, write_map_len,
    write_nil, write_sint, write_str, write_uint,
};

use super::{REFINED, REFINEMENT_LIMIT, UNKNOWN, key};
use crate::value::{Number, Path, Refinement, Type, Value};

/// The value is not of the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Another kind of value than the schema has there.
    #[error("`{path}` should be {expected}, and the value there is of another kind")]
    Mismatch {
        /// Where in the value.
        path: Path,
        /// The type that the schema has there.
        expected: String,
    },
    /// An attribute that the schema does not have.
    #[error("`{0}` is not in the schema")]
    Surplus(Path),
    /// More than the format can count.
    #[error("`{0}` is too long for the wire")]
    TooLong(Path),
}

/// The bytes of a value of a type. Every attribute of an object is written, as nil where the value has none.
///
/// # Errors
/// When the value is not of the type.
pub fn encode(kind: &Type, value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut out = ByteBuf::new();
    write(&mut out, kind, value, &Path::root())?;
    Ok(out.into_vec())
}

fn write(out: &mut ByteBuf, kind: &Type, value: &Value, path: &Path) -> Result<(), EncodeError> {
    let too_long = |_| EncodeError::TooLong(path.clone());
    let length =
        |length: usize| u32::try_from(length).map_err(|_| EncodeError::TooLong(path.clone()));
    match (kind, value) {
        (_, Value::Null) => {
            let Ok(()) = write_nil(out);
        }
        (_, Value::Unknown(refinement)) => write_unknown(out, refinement),
        (Type::Dynamic, Value::Dynamic(inner)) => {
            let (kind, value) = inner.as_ref();
            if value.is_null() {
                let Ok(()) = write_nil(out);
            } else if let Value::Unknown(refinement) = value {
                write_unknown(out, refinement);
            } else {
                write_array_len(out, 2).map_err(too_long)?;
                write_bin(out, kind.to_json().to_string().as_bytes()).map_err(too_long)?;
                write(out, kind, value, path)?;
            }
        }
        (Type::Bool, Value::Bool(truth)) => {
            let Ok(()) = write_bool(out, *truth);
        }
        (Type::Number, Value::Number(number)) => write_number(out, number),
        (Type::String, Value::String(text)) => write_str(out, text).map_err(too_long)?,
        (Type::List(element), Value::List(items)) => {
            write_array_len(out, length(items.len())?).map_err(too_long)?;
            for (index, item) in items.iter().enumerate() {
                write(out, element, item, &path.index(index))?;
            }
        }
        (Type::Set(element), Value::Set(items)) => {
            let mut encoded = items
                .iter()
                .map(|item| {
                    let mut bytes = ByteBuf::new();
                    write(&mut bytes, element, item, path)?;
                    Ok(bytes.into_vec())
                })
                .collect::<Result<Vec<_>, _>>()?;
            encoded.sort();
            write_array_len(out, length(encoded.len())?).map_err(too_long)?;
            for bytes in encoded {
                out.as_mut_vec().extend_from_slice(&bytes);
            }
        }
        (Type::Tuple(kinds), Value::List(items)) if kinds.len() == items.len() => {
            write_array_len(out, length(items.len())?).map_err(too_long)?;
            for (index, (kind, item)) in kinds.iter().zip(items).enumerate() {
                write(out, kind, item, &path.index(index))?;
            }
        }
        (Type::Map(element), Value::Map(members)) => {
            write_map_len(out, length(members.len())?).map_err(too_long)?;
            for (name, member) in members {
                write_str(out, name).map_err(too_long)?;
                write(out, element, member, &path.key(name))?;
            }
        }
        (Type::Object(attributes), Value::Map(members)) => {
            write_object(out, attributes, members, path)?;
        }
        _ => {
            return Err(EncodeError::Mismatch {
                path: path.clone(),
                expected: kind.to_json().to_string(),
            });
        }
    }
    Ok(())
}

fn write_object(
    out: &mut ByteBuf,
    attributes: &BTreeMap<String, Type>,
    members: &BTreeMap<String, Value>,
    path: &Path,
) -> Result<(), EncodeError> {
    if let Some(surplus) = members.keys().find(|name| !attributes.contains_key(*name)) {
        return Err(EncodeError::Surplus(path.then(surplus)));
    }
    let length = u32::try_from(attributes.len()).map_err(|_| EncodeError::TooLong(path.clone()))?;
    write_map_len(out, length).map_err(|_| EncodeError::TooLong(path.clone()))?;
    for (name, kind) in attributes {
        let path = path.then(name);
        write_str(out, name).map_err(|_| EncodeError::TooLong(path.clone()))?;
        write(out, kind, members.get(name).unwrap_or(&Value::Null), &path)?;
    }
    Ok(())
}

/// As core does: an integer where it fits, a float where it says exactly the same, and else every digit as text.
fn write_number(out: &mut ByteBuf, number: &Number) {
    if let Some(integer) = number.as_i64() {
        let Ok(_) = write_sint(out, integer).map_err(infallible);
    } else if let Some(float) = number.as_exact_f64().filter(|float| float.fract() != 0.0) {
        let Ok(()) = write_f64(out, float).map_err(infallible);
    } else {
        let Ok(()) = write_str(out, &number.to_string()).map_err(infallible);
    }
}

fn write_unknown(out: &mut ByteBuf, refinement: &Refinement) {
    match refinement_body(refinement).filter(|body| body.len() <= REFINEMENT_LIMIT) {
        None => out.as_mut_vec().extend_from_slice(&UNKNOWN),
        Some(body) => {
            // The limit above is far below what a length may be.
            let length = u32::try_from(body.len()).unwrap_or_default();
            let Ok(_) = write_ext_meta(out, length, REFINED).map_err(infallible);
            out.as_mut_vec().extend_from_slice(&body);
        }
    }
}

fn refinement_body(refinement: &Refinement) -> Option<Vec<u8>> {
    let Refinement {
        not_null,
        prefix,
        minimum,
        maximum,
        min_length,
        max_length,
    } = refinement;
    let mut body = ByteBuf::new();
    let mut entries = 0;
    let mut start = |body: &mut ByteBuf, key: i64| {
        entries += 1;
        let Ok(_) = write_sint(body, key).map_err(infallible);
    };
    if *not_null {
        start(&mut body, key::NULLNESS);
        let Ok(()) = write_bool(&mut body, false);
    }
    if let Some(prefix) = prefix {
        start(&mut body, key::PREFIX);
        let Ok(()) = write_str(&mut body, prefix).map_err(infallible);
    }
    for (key, bound) in [(key::MINIMUM, minimum), (key::MAXIMUM, maximum)] {
        if let Some((number, inclusive)) = bound {
            start(&mut body, key);
            let Ok(_) = write_array_len(&mut body, 2).map_err(infallible);
            write_number(&mut body, number);
            let Ok(()) = write_bool(&mut body, *inclusive);
        }
    }
    for (key, length) in [(key::MIN_LENGTH, min_length), (key::MAX_LENGTH, max_length)] {
        if let Some(length) = length {
            start(&mut body, key);
            let Ok(_) = write_uint(&mut body, *length).map_err(infallible);
        }
    }
    if entries == 0 {
        return None;
    }
    let mut out = ByteBuf::new();
    let Ok(_) = write_map_len(&mut out, entries).map_err(infallible);
    out.as_mut_vec().extend_from_slice(body.as_slice());
    Some(out.into_vec())
}

/// Writing to memory cannot fail; the type says so, and this lets the compiler see it.
#[allow(clippy::needless_pass_by_value)] // It stands where `map_err` wants a function of a value.
fn infallible(
    error: rmp::encode::ValueWriteError<std::convert::Infallible>,
) -> std::convert::Infallible {
    match error {
        rmp::encode::ValueWriteError::InvalidMarkerWrite(never)
        | rmp::encode::ValueWriteError::InvalidDataWrite(never) => never,
    }
}
