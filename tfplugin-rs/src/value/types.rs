//! Terraform's types, and the JSON in which the wire and the state name them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A type of Terraform's type system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// Any type, decided by the value.
    Dynamic,
    /// A list of one element type.
    List(Box<Type>),
    /// A set of one element type.
    Set(Box<Type>),
    /// A map of one element type.
    Map(Box<Type>),
    /// An object with these attributes.
    Object(BTreeMap<String, Type>),
    /// A tuple of these types.
    Tuple(Vec<Type>),
}

/// The JSON does not name a type.
#[derive(Debug, thiserror::Error)]
#[error("not a Terraform type: {0}")]
pub struct TypeError(String);

impl Type {
    /// The type as the wire names it, such as `["list","string"]`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(element) => vec!["list".into(), element.to_json()].into(),
            Self::Set(element) => vec!["set".into(), element.to_json()].into(),
            Self::Map(element) => vec!["map".into(), element.to_json()].into(),
            Self::Object(attributes) => {
                let members: serde_json::Map<String, Json> = attributes
                    .iter()
                    .map(|(name, kind)| (name.clone(), kind.to_json()))
                    .collect();
                vec!["object".into(), Json::Object(members)].into()
            }
            Self::Tuple(elements) => {
                let elements: Vec<Json> = elements.iter().map(Self::to_json).collect();
                vec!["tuple".into(), Json::Array(elements)].into()
            }
        }
    }

    /// Whether a value of this type has a part whose type only the value decides.
    #[must_use]
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Bool | Self::Number | Self::String => false,
            Self::Dynamic => true,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Object(attributes) => attributes.values().any(Self::has_dynamic),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
        }
    }

    /// Reads a type as the wire names it.
    ///
    /// # Errors
    /// When the JSON is not a type, or is nested more deeply than anybody writes.
    pub fn from_json(json: &Json) -> Result<Self, TypeError> {
        Self::parse(json, 64)
    }

    fn parse(json: &Json, depth: u32) -> Result<Self, TypeError> {
        let error = || TypeError(json.to_string().chars().take(200).collect());
        let depth = depth.checked_sub(1).ok_or_else(error)?;
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(error()),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(name), element] => match (name.as_str(), element) {
                    ("list", _) => Ok(Self::List(Box::new(Self::parse(element, depth)?))),
                    ("set", _) => Ok(Self::Set(Box::new(Self::parse(element, depth)?))),
                    ("map", _) => Ok(Self::Map(Box::new(Self::parse(element, depth)?))),
                    ("object", Json::Object(members)) => members
                        .iter()
                        .map(|(name, kind)| Ok((name.clone(), Self::parse(kind, depth)?)))
                        .collect::<Result<_, _>>()
                        .map(Self::Object),
                    ("tuple", Json::Array(elements)) => elements
                        .iter()
                        .map(|kind| Self::parse(kind, depth))
                        .collect::<Result<_, _>>()
                        .map(Self::Tuple),
                    _ => Err(error()),
                },
                _ => Err(error()),
            },
            _ => Err(error()),
        }
    }
}
