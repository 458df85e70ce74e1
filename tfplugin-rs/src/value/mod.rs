//! Terraform's values: null, unknown (perhaps refined) and known, with exact numbers.
//!
//! A [`Value`] does not carry its type; the codecs are directed by a [`Type`] or a schema.

mod bridge;
pub mod json;
pub mod msgpack;
mod number;
mod path;
#[cfg(test)]
pub(crate) mod samples;
mod types;

use std::collections::BTreeMap;

pub use bridge::{BridgeError, from_json, to_json};
pub use number::{Number, NumberError};
pub use path::{Path, Step};
pub use types::{Type, TypeError};

/// One value of Terraform's type system.
///
/// Equality follows Terraform: the order of a set does not matter, numbers are equal when
/// their exact values are, and two unknown values are equal when they are refined alike.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// No value: the attribute is not set.
    #[default]
    Null,
    /// A value that is known only after apply.
    Unknown(Refinement),
    /// A truth value.
    Bool(bool),
    /// An exact decimal number.
    Number(Number),
    /// Text, in Unicode normalisation form C.
    String(String),
    /// The elements of a list or of a tuple.
    List(Vec<Value>),
    /// The elements of a set, in no particular order.
    Set(Vec<Value>),
    /// The elements of a map, or the attributes of an object.
    Map(BTreeMap<String, Value>),
    /// A value of an attribute of dynamic type, with the type that it has.
    Dynamic(Box<(Type, Value)>),
}

/// What is known of an unknown value. The default says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refinement {
    /// `Some(true)`: it will not be null.
    pub not_null: bool,
    /// The text that the string will start with.
    pub prefix: Option<String>,
    /// The least number, and whether it is possible itself.
    pub minimum: Option<(Number, bool)>,
    /// The greatest number, and whether it is possible itself.
    pub maximum: Option<(Number, bool)>,
    /// The least number of elements.
    pub min_length: Option<u64>,
    /// The greatest number of elements.
    pub max_length: Option<u64>,
}

impl Value {
    /// An unknown value of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Unknown(Refinement::default())
    }

    /// Text.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An object or map from its members.
    pub fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this very value is unknown; its parts are not looked at.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Dynamic(inner) => inner.1.is_unknown(),
            _ => false,
        }
    }

    /// Whether this value and all of its parts are known.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::List(items) | Self::Set(items) => items.iter().all(Self::is_wholly_known),
            Self::Map(members) => members.values().all(Self::is_wholly_known),
            Self::Dynamic(inner) => inner.1.is_wholly_known(),
            _ => true,
        }
    }

    /// The text, when this is a known string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when this is a known one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number, when this is a known integer that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The elements, when this is a known list, tuple or set.
    #[must_use]
    pub fn as_items(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }

    /// The members, when this is a known map or object.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The members for changing, when this is a known map or object.
    pub fn as_map_mut(&mut self) -> Option<&mut BTreeMap<String, Value>> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The member of that name; null where there is none, unknown within an unknown object.
    #[must_use]
    pub fn get(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        match self {
            Self::Map(members) => members.get(name).unwrap_or(&NULL),
            Self::Unknown(_) => self,
            _ => &NULL,
        }
    }

    /// Sets the member of that name; nothing happens where this is no map or object.
    pub fn set(&mut self, name: &str, value: Value) {
        if let Self::Map(members) = self {
            members.insert(name.to_owned(), value);
        }
    }

    /// The value at a path; `None` where the path leads nowhere.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.steps()
            .iter()
            .try_fold(self, |value, step| match (step, value) {
                (Step::Attribute(name) | Step::Key(name), Self::Map(members)) => members.get(name),
                (Step::Index(index), Self::List(items)) => usize::try_from(*index)
                    .ok()
                    .and_then(|index| items.get(index)),
                _ => None,
            })
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Unknown(a), Self::Unknown(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => same_elements(a, b),
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Dynamic(a), Self::Dynamic(b)) => a == b,
            _ => false,
        }
    }
}

/// Whether each element of one set has its own equal in the other.
fn same_elements(a: &[Value], b: &[Value]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut unmatched: Vec<&Value> = b.iter().collect();
    a.iter().all(|item| {
        unmatched
            .iter()
            .position(|candidate| *candidate == item)
            .map(|found| unmatched.swap_remove(found))
            .is_some()
    })
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_in_any_order_and_count_their_elements() {
        let set =
            |items: &[&str]| Value::Set(items.iter().map(|item| Value::from(*item)).collect());
        assert_eq!(set(&["a", "b"]), set(&["b", "a"]));
        assert_ne!(set(&["a", "a"]), set(&["a", "b"]));
        assert_ne!(set(&["a"]), set(&["a", "b"]));
    }

    #[test]
    fn a_member_of_an_unknown_object_is_unknown_and_of_null_is_null() {
        assert!(Value::unknown().get("id").is_unknown());
        assert!(Value::Null.get("id").is_null());
    }
}
