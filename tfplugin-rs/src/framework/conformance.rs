//! The rules that Terraform's core checks on every answer of a provider, checked here first: in debug builds and tests
//! a mistake then shows as an error that names the rule, before core says "inconsistent result".
//!
//! The numbers are those of the project's own list: P for plans, F for the second plan, A for what apply stores, R for
//! what read and import find. The rules themselves are those of Terraform's `plans/objchange` and of its graph nodes.

use crate::schema::{Attribute, Block, Diagnostics, Nesting, Schema, Shape, elements};
use crate::value::{Path, Refinement, Step, Value};

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

    fn planned_object(
        &mut self,
        shape: Shape,
        config: &Value,
        prior: &Value,
        planned: &Value,
        path: &Path,
    ) {
        for attribute in shape.attributes {
            let name = attribute.name;
            let (config, prior, planned) = (config.get(name), prior.get(name), planned.get(name));
            self.planned_attribute(attribute, config, prior, planned, &path.then(name));
        }
        for block in shape.blocks {
            let name = block.name;
            let (config, prior, planned) = (config.get(name), prior.get(name), planned.get(name));
            self.planned_blocks(block, config, prior, planned, &path.then(name));
        }
    }

    fn planned_attribute(
        &mut self,
        attribute: &Attribute,
        config: &Value,
        prior: &Value,
        planned: &Value,
        path: &Path,
    ) {
        if attribute.write_only {
            if !planned.is_null() {
                self.add("P8", path, "a write-only value is in the plan".to_owned());
            }
            return;
        }
        let kept = planned == prior && !prior.is_null() && !config.is_null();
        if planned == config || kept || (attribute.is_computed() && config.is_null()) {
            return;
        }
        if config.is_null() {
            let value = self.show(path, planned);
            self.add(
                "P4",
                path,
                format!("it is not set and not computed, and planned as {value}"),
            );
            return;
        }
        match Shape::nested(&attribute.kind) {
            Some(_) if planned.is_unknown() && !config.is_unknown() => {
                self.add("P5", path, "it is set, and planned as unknown".to_owned());
            }
            Some((nesting, shape)) if !config.is_unknown() => {
                self.planned_elements("P5", nesting, shape, [config, prior, planned], path);
            }
            _ => {
                let (planned, config) = (self.show(path, planned), self.show(path, config));
                self.add(
                    "P3",
                    path,
                    format!("it is set to {config}, and planned as {planned}"),
                );
            }
        }
    }

    fn planned_blocks(
        &mut self,
        block: &Block,
        config: &Value,
        prior: &Value,
        planned: &Value,
        path: &Path,
    ) {
        if planned.is_null() && block.nesting != Nesting::Single {
            self.add(
                "P6",
                path,
                "no blocks are planned as null, and should be an empty collection".to_owned(),
            );
        } else if config.is_unknown() != planned.is_unknown() {
            self.add(
                "P6",
                path,
                "blocks are unknown in only one of configuration and plan".to_owned(),
            );
        } else if !config.is_unknown() {
            self.planned_elements(
                "P6",
                block.nesting,
                block.into(),
                [config, prior, planned],
                path,
            );
        }
    }

    /// Elements of sets cannot be told apart, so that core only counts them here.
    fn planned_elements(
        &mut self,
        rule: &'static str,
        nesting: Nesting,
        shape: Shape,
        [config, prior, planned]: [&Value; 3],
        path: &Path,
    ) {
        let wanted = elements(nesting, config, path);
        let found = elements(nesting, planned, path);
        let same_keys = wanted
            .iter()
            .map(|(_, path)| path)
            .eq(found.iter().map(|(_, path)| path));
        if !same_keys || config.is_null() != planned.is_null() {
            let (wanted, found) = (wanted.len(), found.len());
            self.add(
                rule,
                path,
                format!(
                    "the plan does not have the {wanted} elements of the configuration but {found}"
                ),
            );
            return;
        }
        if nesting == Nesting::Set {
            return;
        }
        let before = elements(nesting, prior, path);
        let null = Value::Null;
        for ((wanted, path), (found, _)) in wanted.iter().zip(found) {
            let before = before
                .iter()
                .find(|(_, before)| before == path)
                .map_or(&null, |(before, _)| *before);
            if wanted.is_unknown() || wanted.is_null() {
                if *wanted != found {
                    self.add(
                        rule,
                        path,
                        "an element that is null or unknown is planned as something else"
                            .to_owned(),
                    );
                }
            } else {
                self.planned_object(shape, wanted, before, found, path);
            }
        }
    }

    /// Whether what came is what was promised, where anything was.
    fn compatible(&mut self, rule: &'static str, promised: &Value, came: &Value, path: &Path) {
        match (promised, came) {
            (Value::Unknown(refinement), came) => {
                if !fits(refinement, came) {
                    let came = self.show(path, came);
                    self.add(
                        rule,
                        path,
                        format!("{came} is not what was known of it: {refinement:?}"),
                    );
                }
            }
            (Value::Map(promised), Value::Map(came)) if promised.keys().eq(came.keys()) => {
                for (name, promised) in promised {
                    let path = if path.steps().is_empty() {
                        path.then(name)
                    } else {
                        path.key(name)
                    };
                    self.compatible(rule, promised, &came[name], &path);
                }
            }
            (Value::List(promised), Value::List(came)) if promised.len() == came.len() => {
                for (index, (promised, came)) in promised.iter().zip(came).enumerate() {
                    self.compatible(rule, promised, came, &path.index(index));
                }
            }
            (Value::Set(promised_items), Value::Set(came_items)) => {
                let unsure = promised_items
                    .iter()
                    .filter(|item| !item.is_wholly_known())
                    .count();
                let kept = promised_items
                    .iter()
                    .filter(|item| came_items.contains(item))
                    .count();
                let lost = kept + unsure < promised_items.len();
                if lost
                    || came_items.len() > promised_items.len()
                    || (unsure == 0 && promised != came)
                {
                    self.differ(rule, promised, came, path);
                }
            }
            (Value::Dynamic(promised), Value::Dynamic(came)) if promised.0 == came.0 => {
                self.compatible(rule, &promised.1, &came.1, path);
            }
            (promised, came) if promised == came => {}
            (promised, came) => self.differ(rule, promised, came, path),
        }
    }

    fn differ(&mut self, rule: &'static str, promised: &Value, came: &Value, path: &Path) {
        let (promised, came) = (self.show(path, promised), self.show(path, came));
        self.add(
            rule,
            path,
            format!("it was planned as {promised}, and now is {came}"),
        );
    }

    fn known(&mut self, rule: &'static str, value: &Value, path: &Path) {
        match value {
            Value::Unknown(_) => self.add(rule, path, "it is still unknown".to_owned()),
            Value::Map(members) => {
                for (name, member) in members {
                    self.known(rule, member, &path.then(name));
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.known(rule, item, &path.index(index));
                }
            }
            other if !other.is_wholly_known() => {
                self.add(rule, path, "a part of it is still unknown".to_owned());
            }
            _ => {}
        }
    }

    fn write_only(&mut self, rule: &'static str, shape: Shape, value: &Value, path: &Path) {
        for attribute in shape.attributes {
            let (member, path) = (value.get(attribute.name), path.then(attribute.name));
            if attribute.write_only && !member.is_null() {
                self.add(rule, &path, "a write-only value would be stored".to_owned());
            }
            if let Some((nesting, shape)) = Shape::nested(&attribute.kind) {
                for (element, path) in elements(nesting, member, &path) {
                    self.write_only(rule, shape, element, &path);
                }
            }
        }
        for block in shape.blocks {
            for (element, path) in
                elements(block.nesting, value.get(block.name), &path.then(block.name))
            {
                self.write_only(rule, block.into(), element, &path);
            }
        }
    }
}

/// Whether a value keeps the promise of a refinement. One that is unknown itself may still do so.
fn fits(refinement: &Refinement, value: &Value) -> bool {
    let Refinement {
        not_null,
        prefix,
        minimum,
        maximum,
        min_length,
        max_length,
    } = refinement;
    let length = match value {
        Value::List(items) | Value::Set(items) => Some(items.len() as u64),
        Value::Map(members) => Some(members.len() as u64),
        _ => None,
    };
    let long_enough = min_length
        .zip(length)
        .is_none_or(|(least, length)| length >= least);
    let short_enough = max_length
        .zip(length)
        .is_none_or(|(most, length)| length <= most);
    let number = match value {
        Value::Null => return !not_null,
        Value::String(text) => {
            return prefix
                .as_ref()
                .is_none_or(|prefix| text.starts_with(prefix));
        }
        Value::Number(number) => number,
        _ => return long_enough && short_enough,
    };
    let above = |(least, itself): &(_, bool)| number > least || (*itself && number == least);
    let below = |(most, itself): &(_, bool)| number < most || (*itself && number == most);
    minimum.as_ref().is_none_or(above) && maximum.as_ref().is_none_or(below)
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
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::schema::{Computed, Kind, normalize, plan};

    const SCHEMA: Schema = Schema {
        blocks: &[Block {
            name: "rule",
            nesting: Nesting::List,
            attributes: &[Attribute::optional("port", Kind::Integer)],
            blocks: &[],
            min_items: 0,
            max_items: 0,
            description: "",
        }],
        ..Schema::new(
            "",
            &[
                Attribute::required("name", Kind::String),
                Attribute::optional("sku", Kind::String),
                Attribute::optional("key", Kind::String).sensitive(),
                Attribute::optional("secret", Kind::String).write_only(),
                Attribute::computed("id", Kind::String, Computed::Fixed),
                Attribute::optional("zones", Kind::Set(&Kind::String)),
                Attribute::optional(
                    "parts",
                    Kind::Nested(
                        Nesting::Map,
                        &[
                            Attribute::required("size", Kind::Integer),
                            Attribute::computed("ip", Kind::String, Computed::Fixed),
                        ],
                    ),
                ),
            ],
        )
    };

    fn value(members: Vec<(&str, Value)>) -> Value {
        normalize(&SCHEMA, Value::object(members))
    }

    fn parts(size: i64, ip: Value) -> Value {
        Value::object([(
            "a",
            Value::object([("size", Value::from(size)), ("ip", ip)]),
        )])
    }

    fn rules(violations: &[Violation]) -> Vec<String> {
        violations
            .iter()
            .map(|violation| format!("{} {}", violation.rule, violation.path))
            .collect()
    }

    #[test]
    fn the_frameworks_own_plans_keep_the_rules() {
        let zones = Value::Set(vec![Value::from("1"), Value::unknown()]);
        let config = value(vec![
            ("name", Value::unknown()),
            ("zones", zones),
            ("parts", parts(1, Value::Null)),
            (
                "rule",
                Value::List(vec![Value::object([("port", Value::from(1))])]),
            ),
        ]);
        let first = plan(&SCHEMA, &config, None).planned;
        assert_eq!(check_plan(&SCHEMA, &config, None, &first, &[]), []);
        let prior = value(vec![
            ("name", "a".into()),
            ("id", "/a".into()),
            ("sku", "x".into()),
        ]);
        let second = plan(&SCHEMA, &config, Some(&prior));
        assert_eq!(
            check_plan(
                &SCHEMA,
                &config,
                Some(&prior),
                &second.planned,
                &second.requires_replace
            ),
            []
        );
    }

    #[test]
    fn plans_that_core_would_refuse_are_named() {
        let config = value(vec![("name", "a".into()), ("parts", parts(1, Value::Null))]);
        let good = plan(&SCHEMA, &config, None).planned;
        for (name, planned, expected) in [
            ("name", Value::from("b"), "P3 name"),
            ("sku", Value::from("b"), "P4 sku"),
            ("secret", Value::from("b"), "P8 secret"),
            ("parts", Value::unknown(), "P5 parts"),
            ("parts", Value::object([("b", Value::Null)]), "P5 parts"),
            ("parts", parts(2, Value::unknown()), "P3 parts[\"a\"].size"),
            ("rule", Value::Null, "P6 rule"),
            ("rule", Value::List(vec![Value::Null]), "P6 rule"),
        ] {
            let mut bad = good.clone();
            bad.set(name, planned);
            assert_eq!(
                rules(&check_plan(&SCHEMA, &config, None, &bad, &[])),
                [expected],
                "{name}"
            );
        }
        let nowhere = [Path::attribute("nowhere")];
        assert_eq!(
            rules(&check_plan(&SCHEMA, &config, None, &good, &nowhere)),
            ["P9 nowhere"]
        );
    }

    #[test]
    fn results_that_core_would_refuse_are_named() {
        let zones =
            |zones: &[&str]| Value::Set(zones.iter().map(|zone| Value::from(*zone)).collect());
        let refined = Refinement {
            prefix: Some("/sub".to_owned()),
            not_null: true,
            ..Refinement::default()
        };
        let mut planned = value(vec![
            ("name", "a".into()),
            ("zones", zones(&["1", "2"])),
            ("key", "k".into()),
        ]);
        planned.set("id", Value::Unknown(refined));
        let mut good = planned.clone();
        good.set("id", "/sub/1".into());
        assert_eq!(check_applied(&SCHEMA, &planned, Some(&good)), []);
        for (name, came, expected) in [
            ("name", Value::from("b"), "A2 name"),
            ("sku", Value::from("b"), "A2 sku"),
            ("id", Value::from("other"), "A2 id"),
            ("id", Value::Null, "A2 id"),
            ("zones", zones(&["1", "2", "3"]), "A2 zones"),
            ("zones", zones(&["1", "3"]), "A2 zones"),
            ("zones", zones(&["1"]), "A2 zones"),
        ] {
            let mut bad = good.clone();
            bad.set(name, came);
            assert_eq!(
                rules(&check_applied(&SCHEMA, &planned, Some(&bad))),
                [expected],
                "{name}"
            );
        }
        let mut bad = good.clone();
        bad.set("secret", "x".into());
        assert_eq!(
            rules(&check_applied(&SCHEMA, &planned, Some(&bad))),
            ["A4 secret", "A2 secret"]
        );
        assert_eq!(rules(&check_applied(&SCHEMA, &planned, None)), ["A3 "]);
        let mut unknown = good.clone();
        unknown.set("id", Value::unknown());
        assert_eq!(
            rules(&check_applied(&SCHEMA, &planned, Some(&unknown))),
            ["A1 id"]
        );
        assert_eq!(rules(&check_state(&SCHEMA, &unknown)), ["R1 id"]);
    }

    #[test]
    fn secrets_are_not_shown() {
        let planned = value(vec![("name", "a".into()), ("key", "hunter2".into())]);
        let came = value(vec![("name", "a".into()), ("key", "hunter3".into())]);
        let found = check_applied(&SCHEMA, &planned, Some(&came));
        assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
    }

    #[test]
    fn a_second_plan_may_know_more_and_must_not_know_otherwise() {
        let first = value(vec![("name", "a".into()), ("id", Value::unknown())]);
        assert_eq!(check_second_plan(&SCHEMA, &first, &first), []);
        let known = value(vec![("name", "a".into()), ("id", "/a".into())]);
        assert_eq!(check_second_plan(&SCHEMA, &first, &known), []);
        assert_eq!(
            rules(&check_second_plan(&SCHEMA, &known, &first)),
            ["F1 id"]
        );
    }
}
