//! The rules that both CLIs check when they load a schema, and that a mistake in would take the whole provider down.
//! A provider's test calls [`audit`] over all of its schemas.

use std::collections::BTreeSet;

use super::shape::Shape;
use super::{Attribute, Kind, Nesting, Schema, Usage};

/// Names that mean something else in every resource block (Terraform's own framework refuses them too).
const RESERVED: &[&str] = &[
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "provider",
    "provisioner",
];
/// Names that mean something else in a `provider` block.
const RESERVED_IN_PROVIDER: &[&str] = &["alias", "version"];

/// What is wrong with the schema of a resource, data source, ephemeral resource or action. Empty: nothing.
#[must_use]
pub fn audit(place: &str, schema: &Schema) -> Vec<String> {
    audit_root(place, schema, RESERVED)
}

/// What is wrong with the schema of a `provider` block. Empty: nothing.
#[must_use]
pub fn audit_provider(place: &str, schema: &Schema) -> Vec<String> {
    audit_root(place, schema, RESERVED_IN_PROVIDER)
}

fn audit_root(place: &str, schema: &Schema, reserved: &[&str]) -> Vec<String> {
    let mut audit = Audit {
        problems: Vec::new(),
    };
    if schema.version < 0 {
        audit.problem(place, "the version is negative");
    }
    let names = schema.attributes.iter().map(|attribute| attribute.name);
    for name in names.chain(schema.blocks.iter().map(|block| block.name)) {
        if reserved.contains(&name) {
            audit.problem(
                place,
                &format!("`{name}` means something else to Terraform"),
            );
        }
    }
    audit.shape(place, schema.into(), false);
    let names: BTreeSet<&str> = schema
        .attributes
        .iter()
        .map(|attribute| attribute.name)
        .chain(schema.blocks.iter().map(|block| block.name))
        .collect();
    audit.follows(place, schema.into(), &names);
    audit.problems
}

struct Audit {
    problems: Vec<String>,
}

impl Audit {
    fn problem(&mut self, place: &str, problem: &str) {
        self.problems.push(format!("{place}: {problem}"));
    }

    fn shape(&mut self, place: &str, shape: Shape, in_set: bool) {
        let mut names = BTreeSet::new();
        for attribute in shape.attributes {
            let place = format!("{place}.{}", attribute.name);
            if !names.insert(attribute.name) {
                self.problem(&place, "there are two of that name");
            }
            if !good_name(attribute.name, true) {
                self.problem(&place, "a name has small letters, digits and underscores, and does not begin with a digit");
            }
            self.attribute(&place, attribute, in_set);
        }
        for block in shape.blocks {
            let place = format!("{place}.{}", block.name);
            if !names.insert(block.name) {
                self.problem(&place, "there are two of that name");
            }
            if !good_name(block.name, false) {
                self.problem(
                    &place,
                    "the name of a block has small letters, digits and underscores",
                );
            }
            let (least, most) = (block.min_items, block.max_items);
            let counts = match block.nesting {
                Nesting::Single => (least, most) == (0, 0) || (least, most) == (1, 1),
                Nesting::Map => (least, most) == (0, 0),
                Nesting::List | Nesting::Set => most == 0 || least <= most,
            };
            if !counts {
                self.problem(
                    &place,
                    "these least and greatest numbers do not go with this nesting",
                );
            }
            self.shape(
                &place,
                block.into(),
                in_set || block.nesting == Nesting::Set,
            );
        }
    }

    fn attribute(&mut self, place: &str, attribute: &Attribute, in_set: bool) {
        let computed_only = matches!(attribute.usage, Usage::Computed(_));
        if attribute.default.is_some() && !matches!(attribute.usage, Usage::Optional) {
            self.problem(place, "a default goes with an optional argument alone");
        }
        if attribute.write_only && (attribute.is_computed() || in_set) {
            self.problem(
                place,
                "write-only goes with arguments outside of sets, without default or computed value",
            );
        }
        if computed_only
            && (!attribute.checks.is_empty() || attribute.deprecated.is_some_and(str::is_empty))
        {
            self.problem(place, "nobody sets it, so there is nothing to check");
        }
        if attribute.deprecated.is_some_and(str::is_empty) {
            self.problem(place, "the deprecation does not say what to use instead");
        }
        if attribute.description.is_empty() {
            self.problem(place, "it has no description");
        }
        let dynamic = attribute.kind.value_type().has_dynamic();
        if dynamic
            && (in_set || matches!(attribute.kind, Kind::Set(_) | Kind::Nested(Nesting::Set, _)))
        {
            self.problem(place, "sets hold nothing dynamic");
        }
        match attribute.kind {
            Kind::List(element) | Kind::Set(element) | Kind::Map(element)
                if holds_objects(element) =>
            {
                self.problem(place, "objects in a collection are a nested attribute");
            }
            Kind::Nested(nesting, attributes) => {
                let shape = Shape {
                    attributes,
                    blocks: &[],
                };
                if computed_only && shape.any(&|inner| !matches!(inner.usage, Usage::Computed(_))) {
                    self.problem(
                        place,
                        "nobody sets it, so all of its attributes are computed",
                    );
                }
                self.shape(place, shape, in_set || nesting == Nesting::Set);
            }
            _ => {}
        }
    }

    fn follows(&mut self, place: &str, shape: Shape, names: &BTreeSet<&str>) {
        for attribute in shape.attributes {
            let place = format!("{place}.{}", attribute.name);
            if let Some(super::Computed::Follows(followed)) = attribute.computed_rule() {
                for name in followed.iter().filter(|name| !names.contains(*name)) {
                    self.problem(
                        &place,
                        &format!("it follows `{name}`, which is no top-level attribute"),
                    );
                }
            }
            if let Some((_, shape)) = Shape::nested(&attribute.kind) {
                self.follows(&place, shape, names);
            }
        }
    }
}

fn holds_objects(kind: &Kind) -> bool {
    match kind {
        Kind::Nested(..) => true,
        Kind::List(element) | Kind::Set(element) | Kind::Map(element) => holds_objects(element),
        _ => false,
    }
}

fn good_name(name: &str, of_attribute: bool) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty()
        && name.chars().all(letters)
        && !(of_attribute && name.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::schema::{Block, Computed, Literal};

    #[test]
    fn a_good_schema_has_no_problems() {
        const GOOD: Schema = Schema::new(
            "",
            &[
                Attribute::required("name", Kind::String).describe("A name."),
                Attribute::computed("id", Kind::String, Computed::Follows(&["name"]))
                    .describe("The id."),
            ],
        );
        assert_eq!(audit("x", &GOOD), [""; 0]);
    }

    #[test]
    fn every_rule_is_seen() {
        const BAD: Schema = Schema {
            version: -1,
            blocks: &[Block {
                name: "Rule",
                nesting: Nesting::Map,
                attributes: &[],
                blocks: &[],
                min_items: 1,
                max_items: 0,
                description: "",
            }],
            ..Schema::new(
                "",
                &[
                    Attribute::required("count", Kind::Number).describe("c"),
                    Attribute::required("1st", Kind::String).describe("c"),
                    Attribute::required("twice", Kind::String).describe("c"),
                    Attribute::required("twice", Kind::String).describe("c"),
                    Attribute::required("default", Kind::String)
                        .describe("c")
                        .default_to(Literal::Bool(true)),
                    Attribute::optional("dynamic", Kind::Set(&Kind::Dynamic)).describe("c"),
                    Attribute::optional("old", Kind::String)
                        .describe("c")
                        .deprecated(""),
                    Attribute::optional("silent", Kind::String),
                    Attribute::optional("objects", Kind::List(&Kind::Nested(Nesting::Single, &[])))
                        .describe("c"),
                    Attribute::computed(
                        "made",
                        Kind::Nested(
                            Nesting::Single,
                            &[Attribute::optional("by_user", Kind::String).describe("c")],
                        ),
                        Computed::Follows(&["nothing"]),
                    )
                    .describe("c"),
                    Attribute::optional(
                        "set",
                        Kind::Nested(
                            Nesting::Set,
                            &[Attribute::optional("secret", Kind::String)
                                .describe("c")
                                .write_only()],
                        ),
                    )
                    .describe("c"),
                ],
            )
        };
        let problems = audit("x", &BAD);
        for place in [
            "x:",
            "x.1st:",
            "x.twice:",
            "x.default:",
            "x.dynamic:",
            "x.old:",
            "x.silent:",
            "x.objects:",
            "x.made:",
            "x.set.secret:",
            "x.Rule:",
        ] {
            assert!(
                problems.iter().any(|problem| problem.starts_with(place)),
                "nothing about {place} {problems:#?}"
            );
        }
        assert_eq!(
            problems
                .iter()
                .filter(|problem| problem.starts_with("x.Rule:"))
                .count(),
            2
        );
        assert_eq!(
            problems
                .iter()
                .filter(|problem| problem.starts_with("x.made:"))
                .count(),
            2
        );
        assert_eq!(
            audit_provider("p", &BAD)
                .iter()
                .filter(|problem| problem.contains("`count`"))
                .count(),
            0
        );
    }
}
