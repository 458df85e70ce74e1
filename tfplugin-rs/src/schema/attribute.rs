//! One attribute of a schema, written as a `const` by a chain of small builders.

use super::Check;
use crate::value::{Type, Value};

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The name in HCL.
    pub name: &'static str,
    /// The shape of its values.
    pub kind: Kind,
    /// Who sets it.
    pub usage: Usage,
    /// What it means, in Markdown.
    pub description: &'static str,
    /// Whether the CLI hides it.
    pub sensitive: bool,
    /// Whether it is only ever read from the configuration, and never stored.
    pub write_only: bool,
    /// What to use instead, where users should.
    pub deprecated: Option<&'static str>,
    /// What an unset argument means.
    pub default: Option<Literal>,
    /// What a value must satisfy.
    pub checks: &'static [Check],
    /// Whether a change needs another resource.
    pub replace: Replace,
    /// Whether two spellings mean the same, where there are several. The plan then keeps the
    /// stored one, so that an import, or a copied id in other letters, is no change. For
    /// collections it is asked of each element.
    pub same: Option<fn(&Value, &Value) -> bool>,
}

/// The shape of an attribute's values.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `number`, any
    Number,
    /// `number`, whole
    Integer,
    /// `string`
    String,
    /// Anything; avoid it.
    Dynamic,
    /// A list of one scalar or collection kind.
    List(&'static Kind),
    /// A set of one scalar or collection kind.
    Set(&'static Kind),
    /// A map of one scalar or collection kind.
    Map(&'static Kind),
    /// Objects whose attributes have schemas of their own.
    Nested(Nesting, &'static [Attribute]),
}

/// How nested objects or blocks are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// One at most.
    Single,
    /// By position.
    List,
    /// By value.
    Set,
    /// By key.
    Map,
}

/// Who sets an attribute.
#[derive(Debug, Clone, Copy)]
pub enum Usage {
    /// The user must.
    Required,
    /// The user may; unset stays null.
    Optional,
    /// The user may; unset is filled in by the provider.
    OptionalComputed(Computed),
    /// Only the provider does.
    Computed(Computed),
}

/// When a value that the provider computes stays known in the plan of an update.
/// (At creation, and so at replacement, all are unknown unless `foresee` knows better.)
#[derive(Debug, Clone, Copy)]
pub enum Computed {
    /// It never changes in the life of the resource.
    Fixed,
    /// It may change when one of these top-level attributes does.
    Follows(&'static [&'static str]),
    /// It may change at every update.
    Volatile,
    /// Every plan promises this value: a non-empty list of drift, say, plans its own repair.
    Always(Literal),
}

/// A constant value in a schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    String(&'static str),
    /// A list without elements.
    EmptyList,
    /// A map without elements.
    EmptyMap,
}

/// Whether a change of an attribute needs another resource.
#[derive(Debug, Clone, Copy)]
pub enum Replace {
    /// It is changed in place.
    Never,
    /// Any change of it replaces the resource.
    OnChange,
    /// A change from the first value (prior) to the second (planned) replaces the resource
    /// when the function says so; either may be unknown. The text says when, for the docs.
    When(&'static str, fn(&Value, &Value) -> bool),
    /// A change of it replaces the resource when the function says so of all that stands beside
    /// it: the object that it is a member of, prior and planned. Values may be unknown.
    Beside(&'static str, fn(&Value, &Value) -> bool),
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, usage: Usage) -> Self {
        Self {
            name,
            kind,
            usage,
            description: "",
            sensitive: false,
            write_only: false,
            deprecated: None,
            default: None,
            checks: &[],
            replace: Replace::Never,
            same: None,
        }
    }

    /// An argument that must be set.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Usage::Required)
    }

    /// An argument that may be set, and is null when it is not.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Usage::Optional)
    }

    /// An argument that the provider fills in when it is not set.
    #[must_use]
    pub const fn optional_computed(name: &'static str, kind: Kind, computed: Computed) -> Self {
        Self::new(name, kind, Usage::OptionalComputed(computed))
    }

    /// An attribute that only the provider sets.
    #[must_use]
    pub const fn computed(name: &'static str, kind: Kind, computed: Computed) -> Self {
        Self::new(name, kind, Usage::Computed(computed))
    }

    /// What it means, in Markdown.
    #[must_use]
    pub const fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Hides the value in the CLI's output.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Never stores the value.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Marks the argument as one to move away from.
    #[must_use]
    pub const fn deprecated(mut self, instead: &'static str) -> Self {
        self.deprecated = Some(instead);
        self
    }

    /// The value when the argument is not set. On the wire such an argument is optional and
    /// computed.
    #[must_use]
    pub const fn default_to(mut self, default: Literal) -> Self {
        self.default = Some(default);
        self
    }

    /// What a value must satisfy.
    #[must_use]
    pub const fn checked(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// Another spelling of the same value is no change.
    #[must_use]
    pub const fn same_when(mut self, same: fn(&Value, &Value) -> bool) -> Self {
        self.same = Some(same);
        self
    }

    /// A change replaces the resource.
    #[must_use]
    pub const fn replaces(mut self) -> Self {
        self.replace = Replace::OnChange;
        self
    }

    /// A change replaces the resource under a condition.
    #[must_use]
    pub const fn replaces_when(
        mut self,
        when: &'static str,
        condition: fn(&Value, &Value) -> bool,
    ) -> Self {
        self.replace = Replace::When(when, condition);
        self
    }

    /// A change replaces the resource under a condition on its neighbours.
    #[must_use]
    pub const fn replaces_beside(
        mut self,
        when: &'static str,
        condition: fn(&Value, &Value) -> bool,
    ) -> Self {
        self.replace = Replace::Beside(when, condition);
        self
    }

    /// The value when the argument is not set, where the schema gives one.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        self.default.map(|default| self.literal(default))
    }

    /// A constant as a value of this attribute.
    pub(crate) fn literal(&self, literal: Literal) -> Value {
        match (literal, self.kind) {
            (Literal::EmptyList, Kind::Set(_) | Kind::Nested(Nesting::Set, _)) => {
                Value::Set(Vec::new())
            }
            _ => literal.to_value(),
        }
    }

    /// Whether the user must set it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self.usage, Usage::Required)
    }

    /// Whether the user may set it, as the wire says it.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        matches!(self.usage, Usage::Optional | Usage::OptionalComputed(_))
    }

    /// Whether the provider may set it, as the wire says it.
    #[must_use]
    pub const fn is_computed(&self) -> bool {
        matches!(self.usage, Usage::OptionalComputed(_) | Usage::Computed(_))
            || self.default.is_some()
    }

    /// The rule for its value in plans, where the provider computes it.
    #[must_use]
    pub const fn computed_rule(&self) -> Option<Computed> {
        match self.usage {
            Usage::OptionalComputed(rule) | Usage::Computed(rule) => Some(rule),
            Usage::Required | Usage::Optional => None,
        }
    }
}

impl Kind {
    /// The type that values of this kind have.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Number | Self::Integer => Type::Number,
            Self::String => Type::String,
            Self::Dynamic => Type::Dynamic,
            Self::List(element) => Type::List(Box::new(element.value_type())),
            Self::Set(element) => Type::Set(Box::new(element.value_type())),
            Self::Map(element) => Type::Map(Box::new(element.value_type())),
            Self::Nested(nesting, attributes) => nesting.of(super::block_type(attributes, &[])),
        }
    }
}

impl Nesting {
    /// The type of such objects or blocks together.
    pub(crate) fn of(self, element: Type) -> Type {
        match self {
            Self::Single => element,
            Self::List => Type::List(Box::new(element)),
            Self::Set => Type::Set(Box::new(element)),
            Self::Map => Type::Map(Box::new(element)),
        }
    }
}

impl Literal {
    fn to_value(self) -> Value {
        match self {
            Self::Bool(truth) => Value::Bool(truth),
            Self::Integer(number) => Value::Number(number.into()),
            Self::String(text) => Value::from(text),
            Self::EmptyList => Value::List(Vec::new()),
            Self::EmptyMap => Value::Map(std::collections::BTreeMap::new()),
        }
    }
}
