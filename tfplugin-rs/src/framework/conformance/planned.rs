//! The rules for plans: P3 to P8.

use super::Checker;
use crate::schema::{Attribute, Block, Nesting, Shape, elements};
use crate::value::{Path, Value};

impl Checker<'_> {
    pub(super) fn planned_object(
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
}
