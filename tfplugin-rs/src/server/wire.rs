//! Between the messages of the protocol and the framework's own types.

use crate::framework::{FunctionSignature, IdentitySchema, Parameter};
use crate::schema::{Attribute, Block, Diagnostic, Diagnostics, Kind, Nesting, Schema, Severity};
use crate::value::{Path, Step, Type, Value, json, msgpack};

use super::proto::tfplugin6 as pb;

const MARKDOWN: i32 = pb::StringKind::Markdown as i32;

/// The value in a message; none at all is null, which is how OpenTofu sends null arguments of functions.
///
/// A mistake is the CLI's or ours and never the user's, and told as an error all the same.
pub(crate) fn decode(
    kind: &Type,
    message: Option<&pb::DynamicValue>,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    let decoded = match message {
        Some(message) if !message.msgpack.is_empty() => {
            msgpack::decode(kind, &message.msgpack).map_err(|error| error.to_string())
        }
        Some(message) if !message.json.is_empty() => from_json(kind, &message.json),
        _ => Ok(Value::Null),
    };
    decoded
        .map_err(|problem| {
            let summary =
                format!("The {what} that came from the command line tool does not fit the schema");
            diagnostics.error(Path::root(), summary, problem);
        })
        .ok()
}

/// The value that stored JSON stands for.
pub(crate) fn from_json(kind: &Type, bytes: &[u8]) -> Result<Value, String> {
    let parsed = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    json::decode(kind, &parsed).map_err(|error| error.to_string())
}

/// The message for a value.
pub(crate) fn encode(
    kind: &Type,
    value: &Value,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> Option<pb::DynamicValue> {
    match msgpack::encode(kind, value) {
        Ok(msgpack) => Some(pb::DynamicValue {
            msgpack,
            json: Vec::new(),
        }),
        Err(error) => {
            diagnostics.error(
                Path::root(),
                format!("The {what} does not fit the provider's own schema"),
                format!("{error}\n\nThis is a bug in the provider; please report it."),
            );
            None
        }
    }
}

/// The messages for what the user is told.
pub(crate) fn diagnostics(diagnostics: Diagnostics) -> Vec<pb::Diagnostic> {
    diagnostics.into_iter().map(diagnostic).collect()
}

fn diagnostic(diagnostic: Diagnostic) -> pb::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => pb::diagnostic::Severity::Error,
        Severity::Warning => pb::diagnostic::Severity::Warning,
    };
    pb::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary,
        detail: kept_whole(&diagnostic.detail),
        attribute: (!diagnostic.path.steps().is_empty()).then(|| path(&diagnostic.path)),
    }
}

/// The CLIs wrap every line that does not begin with a space, which tears ids in lists from their dashes.
fn kept_whole(detail: &str) -> String {
    let lines = detail.split('\n').map(|line| {
        if line.starts_with("- ") {
            format!("  {line}")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The message for a path.
pub(crate) fn path(path: &Path) -> pb::AttributePath {
    use pb::attribute_path::step::Selector;
    let steps = path.steps().iter().map(|step| {
        let selector = match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(*index),
        };
        pb::attribute_path::Step {
            selector: Some(selector),
        }
    });
    pb::AttributePath {
        steps: steps.collect(),
    }
}

/// What the user is told, from the messages.
pub(crate) fn heard(messages: Vec<pb::Diagnostic>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for message in messages {
        let warning = message.severity == i32::from(pb::diagnostic::Severity::Warning);
        diagnostics.push(Diagnostic {
            severity: if warning {
                Severity::Warning
            } else {
                Severity::Error
            },
            summary: message.summary,
            detail: message.detail,
            path: message.attribute.as_ref().map(path_of).unwrap_or_default(),
        });
    }
    diagnostics
}

/// The path that a message names.
pub(crate) fn path_of(message: &pb::AttributePath) -> Path {
    use pb::attribute_path::step::Selector;
    let steps = message
        .steps
        .iter()
        .filter_map(|step| step.selector.as_ref());
    steps.fold(Path::root(), |path, selector| {
        path.step(match selector {
            Selector::AttributeName(name) => Step::Attribute(name.clone()),
            Selector::ElementKeyString(key) => Step::Key(key.clone()),
            Selector::ElementKeyInt(index) => Step::Index(*index),
        })
    })
}

/// The message for a schema.
pub(crate) fn schema(schema: &Schema) -> pb::Schema {
    let block = pb::schema::Block {
        description: schema.description.to_owned(),
        deprecated: schema.deprecated.is_some(),
        deprecation_message: schema.deprecated.unwrap_or_default().to_owned(),
        ..block(schema.attributes, schema.blocks)
    };
    pb::Schema {
        version: schema.version,
        block: Some(block),
    }
}

fn block(attributes: &[Attribute], blocks: &[Block]) -> pb::schema::Block {
    pb::schema::Block {
        attributes: attributes.iter().map(attribute).collect(),
        block_types: blocks.iter().map(nested_block).collect(),
        description_kind: MARKDOWN,
        ..pb::schema::Block::default()
    }
}

fn nested_block(nested: &Block) -> pb::schema::NestedBlock {
    use pb::schema::nested_block::NestingMode;
    let nesting = match nested.nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    pb::schema::NestedBlock {
        type_name: nested.name.to_owned(),
        block: Some(pb::schema::Block {
            description: nested.description.to_owned(),
            ..block(nested.attributes, nested.blocks)
        }),
        nesting: nesting.into(),
        min_items: nested.min_items.into(),
        max_items: nested.max_items.into(),
    }
}

/// A nested attribute says its objects and leaves the type empty: with both the schema would be refused.
fn attribute(attribute: &Attribute) -> pb::schema::Attribute {
    use pb::schema::object::NestingMode;
    let (kind, nested_type) = match attribute.kind {
        Kind::Nested(nesting, attributes) => {
            let nesting = match nesting {
                Nesting::Single => NestingMode::Single,
                Nesting::List => NestingMode::List,
                Nesting::Set => NestingMode::Set,
                Nesting::Map => NestingMode::Map,
            };
            let attributes = attributes.iter().map(self::attribute).collect();
            let object = pb::schema::Object {
                attributes,
                nesting: nesting.into(),
                ..Default::default()
            };
            (Vec::new(), Some(object))
        }
        kind => (type_bytes(&kind.value_type()), None),
    };
    pb::schema::Attribute {
        name: attribute.name.to_owned(),
        r#type: kind,
        nested_type,
        description: attribute.description.to_owned(),
        required: attribute.is_required(),
        optional: attribute.is_optional(),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        description_kind: MARKDOWN,
        deprecated: attribute.deprecated.is_some(),
        write_only: attribute.write_only,
        deprecation_message: attribute.deprecated.unwrap_or_default().to_owned(),
    }
}

fn type_bytes(kind: &Type) -> Vec<u8> {
    kind.to_json().to_string().into_bytes()
}

/// The message for the schema of an identity.
pub(crate) fn identity_schema(identity: &IdentitySchema) -> pb::ResourceIdentitySchema {
    let attributes = identity.attributes.iter().map(|attribute| {
        pb::resource_identity_schema::IdentityAttribute {
            name: attribute.name.to_owned(),
            r#type: type_bytes(&attribute.kind.value_type()),
            required_for_import: attribute.required,
            optional_for_import: !attribute.required,
            description: attribute.description.to_owned(),
        }
    });
    pb::ResourceIdentitySchema {
        version: identity.version,
        identity_attributes: attributes.collect(),
    }
}

/// The message for a function.
pub(crate) fn function(signature: &FunctionSignature) -> pb::Function {
    let parameter = |parameter: &Parameter| pb::function::Parameter {
        name: parameter.name.to_owned(),
        r#type: type_bytes(&parameter.kind),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: false,
        description: parameter.description.to_owned(),
        description_kind: MARKDOWN,
    };
    pb::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        variadic_parameter: signature.variadic.as_ref().map(parameter),
        r#return: Some(pb::function::Return {
            r#type: type_bytes(&signature.returns),
        }),
        summary: signature.summary.to_owned(),
        description: signature.description.to_owned(),
        description_kind: MARKDOWN,
        deprecation_message: String::new(),
    }
}
