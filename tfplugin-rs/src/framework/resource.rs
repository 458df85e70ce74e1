//! A managed resource, and what its calls take and give.

use async_trait::async_trait;

use super::{Context, Diagnostics, Private};
use crate::schema::{Schema, Timeouts};
use crate::value::{Path, Value};

/// The schema of a resource's identity.
#[derive(Debug, Clone, Copy)]
pub struct IdentitySchema {
    /// Raised when stored identities change their shape.
    pub version: i64,
    /// Its attributes: strings, numbers, booleans or lists of them.
    pub attributes: &'static [IdentityAttribute],
}

/// One attribute of an identity.
#[derive(Debug, Clone, Copy)]
pub struct IdentityAttribute {
    /// The name in HCL.
    pub name: &'static str,
    /// The shape of its values.
    pub kind: crate::schema::Kind,
    /// Whether an import by identity must give it.
    pub required: bool,
    /// What it means.
    pub description: &'static str,
}

impl IdentitySchema {
    /// The identity of things that one id names: `{ id }`.
    pub const ID: Self = Self {
        version: 0,
        attributes: &[IdentityAttribute {
            name: "id",
            kind: crate::schema::Kind::String,
            required: true,
            description: "The id of the resource.",
        }],
    };

    /// The object type that identities have.
    #[must_use]
    pub fn value_type(&self) -> crate::value::Type {
        crate::value::Type::Object(
            self.attributes
                .iter()
                .map(|attribute| (attribute.name.to_owned(), attribute.kind.value_type()))
                .collect(),
        )
    }
}

/// What a plan is made of. The framework has applied defaults, marked computed values as
/// unknown and found the replacements that the schema asks for; `plan` may improve on it.
#[derive(Debug)]
pub struct Plan {
    /// What the user wrote; may have unknown values.
    pub config: Value,
    /// What there is; `None` at creation, and in the second round of a replacement.
    pub prior: Option<Value>,
    /// What there will be. Computed values may be made known here, and known ones unknown.
    pub planned: Value,
    /// What asks for replacement, beside the schema's own rules.
    pub requires_replace: Vec<Path>,
    /// What goes to apply beside the plan.
    pub private: Private,
}

/// A creation or a change in place.
#[derive(Debug)]
pub struct Change {
    /// What the user wrote; wholly known, with write-only values.
    pub config: Value,
    /// What there is; `None` at creation.
    pub prior: Option<Value>,
    /// What was planned, with values that are still to be found out.
    pub planned: Value,
    /// What the plan handed over.
    pub private: Private,
}

/// A resource as it is stored: at read, and before deletion.
#[derive(Debug)]
pub struct Stored {
    /// The state.
    pub state: Value,
    /// The private data.
    pub private: Private,
}

/// What a call leaves behind.
#[derive(Debug)]
pub struct Applied {
    /// The state to store; `None` where nothing is left of the resource.
    pub state: Option<Value>,
    /// The private data to store.
    pub private: Private,
}

/// What a user imports by.
#[derive(Debug, Clone)]
pub enum Import {
    /// The text of `import { id }` or of the import command.
    Id(String),
    /// The object of `import { identity }`.
    Identity(Value),
}

/// What an import found: enough of the state that reading can fill in the rest.
#[derive(Debug)]
pub struct Imported {
    /// The state.
    pub state: Value,
    /// The private data to store.
    pub private: Private,
}

/// A `moved` block from a resource of another type.
#[derive(Debug, Clone)]
pub struct Move {
    /// The other provider, `host/namespace/type`.
    pub source_provider: String,
    /// The other resource type.
    pub source_type: String,
    /// The version of its schema.
    pub source_version: i64,
    /// Its state.
    pub source_state: serde_json::Value,
}

/// A managed resource.
///
/// Failure is told through the diagnostics; what a failed create, update or delete returns is
/// still stored, so return what is true.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// The whole type name, such as `fkaks_network`.
    fn type_name(&self) -> &'static str;

    /// The schema, without `timeouts`, which the framework adds.
    fn schema(&self) -> Schema;

    /// The schema of its identity.
    fn identity_schema(&self) -> IdentitySchema {
        IdentitySchema::ID
    }

    /// The default timeouts.
    fn timeouts(&self) -> Timeouts {
        Timeouts::minutes(30, 5, 30, 30)
    }

    /// The identity of a state: by default the attributes of the same names.
    fn identity(&self, state: &Value) -> Value {
        Value::object(
            self.identity_schema()
                .attributes
                .iter()
                .map(|attribute| (attribute.name, state.get(attribute.name).clone())),
        )
    }

    /// Checks across attributes; values may be unknown. Needs no provider configuration.
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Improves on the framework's plan of a creation or a change.
    async fn plan(&self, cx: &Context, plan: &mut Plan, diagnostics: &mut Diagnostics) {
        let _ = (cx, plan, diagnostics);
    }

    /// Objects to a deletion while it is planned.
    async fn plan_delete(&self, cx: &Context, stored: &Stored, diagnostics: &mut Diagnostics) {
        let _ = (cx, stored, diagnostics);
    }

    /// Makes it.
    async fn create(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied;

    /// Finds out what there is.
    async fn read(&self, cx: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied;

    /// Changes it in place.
    async fn update(&self, cx: &Context, change: Change, diagnostics: &mut Diagnostics) -> Applied;

    /// Removes it. The state that is left is `None` when all of it is gone.
    async fn delete(&self, cx: &Context, stored: Stored, diagnostics: &mut Diagnostics) -> Applied;

    /// Finds what a user names. The framework calls `read` on the result, as core does.
    async fn import(
        &self,
        cx: &Context,
        import: Import,
        diagnostics: &mut Diagnostics,
    ) -> Option<Imported>;

    /// Brings a stored state of an older schema version to today's shape.
    ///
    /// # Errors
    /// When there is no way from that version.
    fn upgrade(&self, version: i64, state: serde_json::Value) -> Result<serde_json::Value, String> {
        let _ = state;
        Err(format!(
            "{} has no upgrade from schema version {version}",
            self.type_name()
        ))
    }

    /// Takes over the state of a resource of another type. `Ok(None)`: not from there.
    ///
    /// # Errors
    /// When it is the right type and its state cannot be taken over.
    fn move_from(&self, source: &Move) -> Result<Option<Imported>, String> {
        let _ = source;
        Ok(None)
    }
}
