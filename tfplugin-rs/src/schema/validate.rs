//! What a configuration must satisfy before anything is asked of the provider's author: every problem at once, each on
//! its attribute. Unknown values are not judged.

use super::shape::{Shape, elements};
use super::{Attribute, Block, Check, Diagnostics, Kind, Schema};
use crate::value::{Path, Value};

/// Checks a configuration against its schema. `write_only_allowed`: whether the CLI keeps write-only values out of its
/// state; older ones would store them.
pub fn validate(
    schema: &Schema,
    config: &Value,
    write_only_allowed: bool,
    diagnostics: &mut Diagnostics,
) {
    if let Some(instead) = schema.deprecated {
        diagnostics.warning(Path::root(), "This is deprecated", instead);
    }
    Validator {
        write_only_allowed,
        diagnostics,
    }
    .object(schema.into(), config, &Path::root());
}

struct Validator<'d> {
    write_only_allowed: bool,
    diagnostics: &'d mut Diagnostics,
}

impl Validator<'_> {
    fn object(&mut self, shape: Shape, value: &Value, path: &Path) {
        if !matches!(value, Value::Map(_)) {
            return;
        }
        for attribute in shape.attributes {
            self.attribute(
                attribute,
                value.get(attribute.name),
                &path.then(attribute.name),
            );
        }
        for block in shape.blocks {
            self.blocks(block, value.get(block.name), &path.then(block.name));
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, path: &Path) {
        let name = attribute.name;
        if value.is_null() {
            if attribute.is_required() {
                self.diagnostics.error(
                    path.clone(),
                    format!("`{path}` is missing"),
                    format!("The argument `{name}` is required, and no value is given for it."),
                );
            }
            return;
        }
        if !attribute.is_required() && !attribute.is_optional() && attribute.default.is_none() {
            self.diagnostics.error(
                path.clone(),
                format!("`{path}` cannot be set"),
                format!("The provider sets `{name}`; remove it from the configuration."),
            );
            return;
        }
        if attribute.write_only && !self.write_only_allowed {
            self.diagnostics.error(
                path.clone(),
                format!("`{path}` cannot be used with this version of the command line tool"),
                format!(
                    "`{name}` is write-only, so that it is never stored. Terraform and OpenTofu know such arguments \
                     from version 1.11 on; this one would write the value into its state."
                ),
            );
        }
        if let Some(instead) = attribute.deprecated {
            self.diagnostics
                .warning(path.clone(), format!("`{path}` is deprecated"), instead);
        }
        if value.is_unknown() {
            return;
        }
        if let (Kind::Integer, Value::Number(number)) = (attribute.kind, value)
            && number.as_i64().is_none()
        {
            self.invalid(path, format!("It must be a whole number, and is {number}."));
        }
        for check in attribute.checks {
            self.check(
                check,
                value,
                path,
                attribute.sensitive || attribute.write_only,
            );
        }
        if let Some((nesting, shape)) = Shape::nested(&attribute.kind) {
            for (element, path) in elements(nesting, value, path) {
                self.object(shape, element, &path);
            }
        }
    }

    fn blocks(&mut self, block: &Block, value: &Value, path: &Path) {
        if value.is_unknown() {
            return;
        }
        let blocks = elements(block.nesting, value, path);
        let (name, count) = (block.name, blocks.len());
        let (least, most) = (block.min_items as usize, block.max_items as usize);
        if count < least {
            self.diagnostics.error(
                path.clone(),
                format!("Too few `{name}` blocks"),
                format!("At least {least} are required, and there are {count}."),
            );
        }
        if most > 0 && count > most {
            self.diagnostics.error(
                path.clone(),
                format!("Too many `{name}` blocks"),
                format!("No more than {most} are allowed, and there are {count}."),
            );
        }
        for (element, path) in blocks {
            self.object(block.into(), element, &path);
        }
    }

    fn check(&mut self, check: &Check, value: &Value, path: &Path, secret: bool) {
        let shown = |text: &str| {
            if secret {
                String::new()
            } else {
                format!(", and is \"{text}\"")
            }
        };
        match (check, value) {
            (Check::OneOf(choices), Value::String(text)) if !choices.contains(&text.as_str()) => {
                let meant = choices
                    .iter()
                    .find(|choice| choice.eq_ignore_ascii_case(text));
                let fix = meant
                    .map(|choice| format!("\n\nFix: write it as \"{choice}\"."))
                    .unwrap_or_default();
                let choices = choices
                    .iter()
                    .map(|choice| format!("\"{choice}\""))
                    .collect::<Vec<_>>()
                    .join(", ");
                self.invalid(
                    path,
                    format!("It must be one of {choices}{}.{fix}", shown(text)),
                );
            }
            (Check::Range(least, most), Value::Number(number)) => {
                let inside = number
                    .as_i64()
                    .is_some_and(|number| (*least..=*most).contains(&number));
                if !inside {
                    let text = shown(&number.to_string()).replace('"', "");
                    self.invalid(
                        path,
                        format!("It must be a whole number from {least} to {most}{text}."),
                    );
                }
            }
            (Check::Length(least, most), Value::String(text)) => {
                let length = text.chars().count();
                if !(*least..=*most).contains(&length) {
                    let text = shown(text);
                    self.invalid(
                        path,
                        format!(
                            "It must have {}, has {length}{text}.",
                            range(*least, *most, "character")
                        ),
                    );
                }
            }
            (Check::Items(least, most), Value::List(_) | Value::Set(_) | Value::Map(_)) => {
                let count = value
                    .as_items()
                    .map_or_else(|| value.as_map().map_or(0, |map| map.len()), <[_]>::len);
                if !(*least..=*most).contains(&count) {
                    self.invalid(
                        path,
                        format!(
                            "It must have {}, and has {count}.",
                            range(*least, *most, "element")
                        ),
                    );
                }
            }
            (Check::Text(_, rule), Value::String(text)) => {
                if let Err(problem) = rule(text) {
                    self.invalid(path, problem);
                }
            }
            (Check::Each(check), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.check(check, item, &path.index(index), secret);
                }
            }
            (Check::Each(check), Value::Set(items)) => {
                for item in items {
                    self.check(check, item, path, secret);
                }
            }
            (Check::Each(check), Value::Map(members)) => {
                for (key, member) in members {
                    self.check(check, member, &path.key(key), secret);
                }
            }
            (Check::Keys(check), Value::Map(members)) => {
                for key in members.keys() {
                    self.check(check, &Value::from(key.as_str()), &path.key(key), secret);
                }
            }
            _ => {}
        }
    }

    fn invalid(&mut self, path: &Path, detail: impl Into<String>) {
        self.diagnostics
            .error(path.clone(), format!("`{path}` is not valid"), detail);
    }
}

fn range(least: usize, most: usize, thing: &str) -> String {
    match (least, most) {
        (least, usize::MAX) => format!("at least {least} {thing}s"),
        (least, most) if least == most => format!("{least} {thing}s"),
        (least, most) => format!("{least} to {most} {thing}s"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::schema::{Computed, Nesting, Severity};

    const SCHEMA: Schema = Schema {
        blocks: &[Block {
            name: "rule",
            nesting: Nesting::List,
            attributes: &[
                Attribute::required("port", Kind::Integer).checked(&[Check::Range(1, 65_535)])
            ],
            blocks: &[],
            min_items: 1,
            max_items: 2,
            description: "",
        }],
        ..Schema::new(
            "",
            &[
                Attribute::required("name", Kind::String).checked(&[Check::Length(3, 5)]),
                Attribute::optional("sku", Kind::String)
                    .checked(&[Check::OneOf(&["Basic", "Premium"])]),
                Attribute::optional("old", Kind::Bool).deprecated("Use `sku`."),
                Attribute::optional("password", Kind::String)
                    .write_only()
                    .checked(&[Check::OneOf(&["correct horse"])]),
                Attribute::computed("id", Kind::String, Computed::Fixed),
                Attribute::optional("zones", Kind::Set(&Kind::String)).checked(&[
                    Check::Items(1, 2),
                    Check::Each(&Check::Text("a digit", |text| match text {
                        "1" | "2" | "3" => Ok(()),
                        other => Err(format!("There is no zone {other}.")),
                    })),
                ]),
                Attribute::optional(
                    "subnets",
                    Kind::Nested(
                        Nesting::Map,
                        &[Attribute::required("purpose", Kind::String)],
                    ),
                ),
            ],
        )
    };

    fn problems(members: Vec<(&str, Value)>) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        let config = crate::schema::normalize(
            &Schema {
                attributes: &[],
                ..SCHEMA
            },
            Value::object(members),
        );
        validate(&SCHEMA, &config, false, &mut diagnostics);
        diagnostics
            .iter()
            .map(|diagnostic| {
                let kind = if diagnostic.severity == Severity::Error {
                    "E"
                } else {
                    "W"
                };
                format!(
                    "{kind} {}: {} {}",
                    diagnostic.path, diagnostic.summary, diagnostic.detail
                )
            })
            .collect()
    }

    fn rule(port: Value) -> (&'static str, Value) {
        ("rule", Value::List(vec![Value::object([("port", port)])]))
    }

    #[test]
    fn a_good_configuration_has_no_problems() {
        let zones = Value::Set(vec![Value::from("1")]);
        assert_eq!(
            problems(vec![
                ("name", "abc".into()),
                ("zones", zones),
                rule(Value::from(80))
            ]),
            [""; 0]
        );
    }

    #[test]
    fn all_problems_are_found_at_once_each_on_its_path() {
        let subnets = Value::object([("a", Value::object([("purpose", Value::Null)]))]);
        let zones = Value::Set(vec![Value::from("1"), Value::from("2"), Value::from("9")]);
        let found = problems(vec![
            ("sku", "premium".into()),
            ("old", Value::Bool(true)),
            ("password", "hunter2".into()),
            ("id", "x".into()),
            ("zones", zones),
            ("subnets", subnets),
            rule(Value::Number("0.5".parse().unwrap())),
        ]);
        let starts: Vec<&str> = found
            .iter()
            .map(|text| text.split(' ').take(2).last().unwrap())
            .collect();
        assert_eq!(
            starts,
            [
                "name:",
                "sku:",
                "old:",
                "password:",
                "password:",
                "id:",
                "zones:",
                "zones:",
                "subnets[\"a\"].purpose:",
                "rule[0].port:",
                "rule[0].port:"
            ],
            "{found:#?}"
        );
        assert!(
            found[1].contains("Fix: write it as \"Premium\""),
            "{}",
            found[1]
        );
        assert!(found[2].starts_with('W'));
        assert!(
            !found.join("").contains("hunter2"),
            "a secret is shown: {found:#?}"
        );
    }

    #[test]
    fn unknown_values_are_not_judged() {
        let found = problems(vec![
            ("name", Value::unknown()),
            ("sku", Value::unknown()),
            ("zones", Value::Set(vec![Value::unknown()])),
            ("subnets", Value::object([("a", Value::unknown())])),
            ("rule", Value::unknown()),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn blocks_are_counted() {
        assert!(problems(vec![("name", "abc".into())])[0].contains("Too few"));
        let port = || Value::object([("port", Value::from(1))]);
        let found = problems(vec![
            ("name", "abc".into()),
            ("rule", Value::List(vec![port(), port(), port()])),
        ]);
        assert!(found[0].contains("Too many"), "{found:?}");
    }
}
