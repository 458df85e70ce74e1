//! The rules for what is stored, and for second plans: A1 to A4, F1, R1 and R2.

use super::Checker;
use crate::schema::{Shape, elements};
use crate::value::{Path, Refinement, Value};

impl Checker<'_> {
    /// Whether what came is what was promised, where anything was.
    pub(super) fn compatible(
        &mut self,
        rule: &'static str,
        promised: &Value,
        came: &Value,
        path: &Path,
    ) {
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

    pub(super) fn known(&mut self, rule: &'static str, value: &Value, path: &Path) {
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

    pub(super) fn write_only(
        &mut self,
        rule: &'static str,
        shape: Shape,
        value: &Value,
        path: &Path,
    ) {
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
