//! The rules that Terraform's core checks on every answer of a provider, checked here first: in debug builds and tests
//! a mistake then shows as an error that names the rule, before core says "inconsistent result".
//!
//! The numbers are those of the project's own list: P for plans, F for the second plan, A for what apply stores, R for
//! what read and import find. The rules themselves are those of Terraform's `plans/objchange` and of its graph nodes.

mod planned;
mod result;

use crate::schema::{Diagnostics, Schema, Shape};
use crate::value::{Path, Step, Value};

/// Whether answers are checked: in debug builds, and so in tests.
pub const CHECKED: bool = cfg!(debug_assertions);

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, such as `A2`.
    pub rule: &'static str,
    /// Where in the answer.
    pub path: Path,
    /// What is wrong there.
    pub problem: String,
}

/// Adds broken rules to what the user is told.
pub fn report(type_name: &str, violations: Vec<Violation>, diagnostics: &mut Diagnostics) {
    for Violation {
        rule,
        path,
        problem,
    } in violations
    {
        diagnostics.error(
            path,
            format!("{type_name} breaks rule {rule} of Terraform's core"),
            format!("{problem}\n\nThis is a bug in the provider, found by its own checks; please report it."),
        );
    }
}

/// P3 to P9: the plan of a creation or a change.
#[must_use]
pub fn check_plan(
    schema: &Schema,
    config: &Value,
    prior: Option<&Value>,
    planned: &Value,
    requires_replace: &[Path],
) -> Vec<Violation> {
    let mut checker = Checker::new(schema);
    let null = Value::Null;
    checker.planned_object(
        schema.into(),
        config,
        prior.unwrap_or(&null),
        planned,
        &Path::root(),
    );
    for path in requires_replace {
        let exists =
            planned.at(path).is_some() || prior.is_some_and(|prior| prior.at(path).is_some());
        if !exists {
            checker.add(
                "P9",
                path,
                "replacement is asked for, and there is no such attribute".to_owned(),
            );
        }
    }
    checker.violations
}

/// F1: a second plan of the same change, made with more of the configuration known, keeps all that the first one knew.
#[must_use]
pub fn check_second_plan(schema: &Schema, first: &Value, second: &Value) -> Vec<Violation> {
    let mut checker = Checker::new(schema);
    checker.compatible("F1", first, second, &Path::root());
    checker.violations
}

/// A1 to A4: what a creation or a change without an error leaves.
#[must_use]
pub fn check_applied(schema: &Schema, planned: &Value, state: Option<&Value>) -> Vec<Violation> {
    let mut checker = Checker::new(schema);
    let Some(state) = state else {
        checker.add(
            "A3",
            &Path::root(),
            "nothing is left, and there is no error".to_owned(),
        );
        return checker.violations;
    };
    checker.known("A1", state, &Path::root());
    checker.write_only("A4", schema.into(), state, &Path::root());
    checker.compatible("A2", planned, state, &Path::root());
    checker.violations
}

/// R1 and R2: what reading or importing found, or what a data source or an upgrade answers.
#[must_use]
pub fn check_state(schema: &Schema, state: &Value) -> Vec<Violation> {
    let mut checker = Checker::new(schema);
    checker.known("R1", state, &Path::root());
    checker.write_only("R2", schema.into(), state, &Path::root());
    checker.violations
}

struct Checker<'s> {
    schema: &'s Schema,
    violations: Vec<Violation>,
}

impl<'s> Checker<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            violations: Vec::new(),
        }
    }

    fn add(&mut self, rule: &'static str, path: &Path, problem: String) {
        self.violations.push(Violation {
            rule,
            path: path.clone(),
            problem,
        });
    }

    /// A value for people, unless it is a secret.
    fn show(&self, path: &Path, value: &Value) -> String {
        if is_secret(self.schema.into(), path) {
            "(a secret)".to_owned()
        } else {
            format!("{value:?}")
        }
    }
}

/// Whether the schema hides what is at a path.
fn is_secret(mut shape: Shape, path: &Path) -> bool {
    for step in path.steps() {
        let Step::Attribute(name) = step else {
            continue;
        };
        if let Some(attribute) = shape
            .attributes
            .iter()
            .find(|attribute| attribute.name == name)
        {
            if attribute.sensitive || attribute.write_only {
                return true;
            }
            match Shape::nested(&attribute.kind) {
                Some((_, inner)) => shape = inner,
                None => return false,
            }
        } else if let Some(block) = shape.blocks.iter().find(|block| block.name == name) {
            shape = block.into();
        }
    }
    shape.any(&|attribute| attribute.sensitive || attribute.write_only)
}

#[cfg(test)]
mod tests;
