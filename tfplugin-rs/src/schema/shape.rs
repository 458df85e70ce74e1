//! What a schema, a block and a nested attribute have in common, and how the elements of their values are walked.

use super::{Attribute, Block, Kind, Nesting, Schema};
use crate::value::{Path, Value};

/// The members of one object: that of a schema, of a block, or of a nested attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) attributes: &'static [Attribute],
    pub(crate) blocks: &'static [Block],
}

impl From<&Schema> for Shape {
    fn from(schema: &Schema) -> Self {
        Self {
            attributes: schema.attributes,
            blocks: schema.blocks,
        }
    }
}

impl From<&Block> for Shape {
    fn from(block: &Block) -> Self {
        Self {
            attributes: block.attributes,
            blocks: block.blocks,
        }
    }
}

impl Shape {
    /// The shape of an attribute's objects, where it has such.
    pub(crate) fn nested(kind: &Kind) -> Option<(Nesting, Self)> {
        match kind {
            Kind::Nested(nesting, attributes) => Some((
                *nesting,
                Self {
                    attributes,
                    blocks: &[],
                },
            )),
            _ => None,
        }
    }

    /// Whether a rule holds for any attribute here or further inside.
    pub(crate) fn any(&self, rule: &dyn Fn(&Attribute) -> bool) -> bool {
        self.attributes.iter().any(|attribute| {
            rule(attribute)
                || Self::nested(&attribute.kind).is_some_and(|(_, shape)| shape.any(rule))
        }) || self.blocks.iter().any(|block| Self::from(block).any(rule))
    }
}

/// The known elements of nested objects or blocks, each with its path. Elements of sets have none of their own, so
/// theirs is the set's.
pub(crate) fn elements<'v>(
    nesting: Nesting,
    value: &'v Value,
    path: &Path,
) -> Vec<(&'v Value, Path)> {
    match (nesting, value) {
        (_, Value::Dynamic(inner)) => elements(nesting, &inner.1, path),
        (Nesting::Single, Value::Map(_)) => vec![(value, path.clone())],
        (Nesting::Map, Value::Map(members)) => members
            .iter()
            .map(|(key, element)| (element, path.key(key)))
            .collect(),
        (_, Value::List(items)) => items
            .iter()
            .enumerate()
            .map(|(index, element)| (element, path.index(index)))
            .collect(),
        (_, Value::Set(items)) => items
            .iter()
            .map(|element| (element, path.clone()))
            .collect(),
        _ => Vec::new(),
    }
}
