//! What cannot be changed in place, found by comparing what there is with what there will be.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Kind, Nesting, Replace, Shape};
use crate::value::{Path, Value};

/// Collects the paths whose change needs another resource. Elements of sets have no path, so theirs is the set's.
pub(super) fn replacements(
    shape: Shape,
    planned: &Value,
    prior: &Value,
    path: &Path,
    found: &mut Vec<Path>,
) {
    for attribute in shape.attributes {
        let path = path.then(attribute.name);
        let beside = (prior, planned);
        let (planned, prior) = (planned.get(attribute.name), prior.get(attribute.name));
        if planned == prior {
            continue;
        }
        let replaces = match attribute.replace {
            Replace::Never => false,
            Replace::OnChange => true,
            Replace::When(_, condition) => condition(prior, planned),
            Replace::Beside(_, condition) => condition(beside.0, beside.1),
        };
        if replaces {
            found.push(path);
        } else if let Kind::Nested(nesting, attributes) = attribute.kind {
            inner_replacements(
                nesting,
                Shape {
                    attributes,
                    blocks: &[],
                },
                planned,
                prior,
                &path,
                found,
            );
        }
    }
    for block in shape.blocks {
        let path = path.then(block.name);
        let (planned, prior) = (planned.get(block.name), prior.get(block.name));
        inner_replacements(block.nesting, block.into(), planned, prior, &path, found);
    }
}

fn inner_replacements(
    nesting: Nesting,
    shape: Shape,
    planned: &Value,
    prior: &Value,
    path: &Path,
    found: &mut Vec<Path>,
) {
    if planned == prior {
        return;
    }
    match nesting {
        Nesting::Single => replacements(shape, planned, prior, path, found),
        Nesting::Set => {
            if shape.any(&|attribute| matches!(attribute.replace, Replace::OnChange)) {
                found.push(path.clone());
            }
        }
        Nesting::List => {
            let (planned, prior) = (
                planned.as_items().unwrap_or_default(),
                prior.as_items().unwrap_or_default(),
            );
            for index in 0..planned.len().max(prior.len()) {
                let element = |items: &[Value]| items.get(index).cloned().unwrap_or_default();
                replacements(
                    shape,
                    &element(planned),
                    &element(prior),
                    &path.index(index),
                    found,
                );
            }
        }
        Nesting::Map => {
            let keys: BTreeSet<&String> = [planned, prior]
                .iter()
                .filter_map(|value| value.as_map())
                .flat_map(BTreeMap::keys)
                .collect();
            for key in keys {
                replacements(
                    shape,
                    planned.get(key),
                    prior.get(key),
                    &path.key(key),
                    found,
                );
            }
        }
    }
}
