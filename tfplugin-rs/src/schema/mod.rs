//! What users may write, as data: attributes, their kinds, checks, defaults and replace rules.
//!
//! Everything here is `const`: a resource's schema is a table in its source file, and the wire
//! schema, validation, the plan algorithm and the documentation pages all read that one table.

mod attribute;
mod audit;
mod check;
mod diagnostics;
pub mod docs;
mod normalize;
mod plan;
mod shape;
mod timeouts;
mod validate;

pub use attribute::{Attribute, Computed, Kind, Literal, Nesting, Replace, Usage};
pub use audit::{audit, audit_provider};
pub use check::Check;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use normalize::{configuration_of, normalize};
pub use plan::{Planned, plan};
pub(crate) use shape::{Shape, elements};
pub use timeouts::{Timeouts, parse_duration};
pub use validate::validate;

use std::collections::BTreeMap;

use crate::value::{BridgeError, Type, Value, from_json};

/// The schema of a resource, a data source, a provider's configuration, and so on.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Raised when stored state changes its shape and needs an upgrade.
    pub version: i64,
    /// The attributes, in the order in which the documentation shows them.
    pub attributes: &'static [Attribute],
    /// The nested blocks. New schemas use nested attributes instead; `timeouts` is added to
    /// resources by the framework.
    pub blocks: &'static [Block],
    /// What it is, in Markdown.
    pub description: &'static str,
    /// Why users should move away from it, where they should.
    pub deprecated: Option<&'static str>,
}

/// A nested block type.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The block's keyword.
    pub name: &'static str,
    /// How many there may be, and how they are told apart.
    pub nesting: Nesting,
    /// The attributes of one block.
    pub attributes: &'static [Attribute],
    /// The blocks within one block.
    pub blocks: &'static [Block],
    /// The least number of blocks.
    pub min_items: u32,
    /// The greatest number of blocks; 0 sets no limit.
    pub max_items: u32,
    /// What it is, in Markdown.
    pub description: &'static str,
}

impl Schema {
    /// A schema of version 0 with these attributes.
    #[must_use]
    pub const fn new(description: &'static str, attributes: &'static [Attribute]) -> Self {
        Self {
            version: 0,
            attributes,
            blocks: &[],
            description,
            deprecated: None,
        }
    }

    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The object type that values of this schema have.
    #[must_use]
    pub fn value_type(&self) -> Type {
        block_type(self.attributes, self.blocks)
    }

    /// The value that plain JSON stands for; what is missing is null.
    ///
    /// # Errors
    /// When the JSON has another shape than the schema.
    pub fn value_from_json(&self, json: &serde_json::Value) -> Result<Value, BridgeError> {
        from_json(&self.value_type(), json).map(|value| normalize::complete(self, value))
    }
}

fn block_type(attributes: &[Attribute], blocks: &[Block]) -> Type {
    let mut members: BTreeMap<String, Type> = attributes
        .iter()
        .map(|attribute| (attribute.name.to_owned(), attribute.kind.value_type()))
        .collect();
    for block in blocks {
        let element = block_type(block.attributes, block.blocks);
        // Blocks that may differ in type cannot share one: core carries them as a tuple or an
        // object, and so names their type in each message.
        let mixed = matches!(block.nesting, Nesting::List | Nesting::Map) && element.has_dynamic();
        let kind = if mixed {
            Type::Dynamic
        } else {
            block.nesting.of(element)
        };
        members.insert(block.name.to_owned(), kind);
    }
    Type::Object(members)
}
