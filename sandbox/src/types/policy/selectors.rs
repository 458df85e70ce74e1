//! Resource selectors and overrides of assignments and exemptions: which resources, by location and type.

use serde_json::Value;

use crate::store::Resource;

/// True when one of the selectors chooses the resource, or there are none.
#[must_use]
pub fn chosen(selectors: &[Value], resource: &Resource) -> bool {
    selectors.is_empty()
        || selectors.iter().any(|selector| {
            let terms = selector["selectors"].as_array();
            terms.into_iter().flatten().all(|term| fits(term, resource))
        })
}

/// The effect that an override of the kind `policyEffect` puts in place for the resource.
#[must_use]
pub fn effect(overrides: &[Value], resource: &Resource) -> Option<String> {
    let fitting = overrides.iter().find(|one| {
        let terms = one["selectors"].as_array();
        one["kind"] == "policyEffect"
            && terms.into_iter().flatten().all(|term| fits(term, resource))
    })?;
    fitting["value"].as_str().map(ToOwned::to_owned)
}

fn fits(term: &Value, resource: &Resource) -> bool {
    let have = match term["kind"].as_str() {
        Some("resourceLocation") => resource.text("/location").unwrap_or_default(),
        Some("resourceType") => &resource.type_name,
        // A single definition has no references, and every resource here has a location.
        _ => return true,
    };
    let listed = |name: &str| {
        term[name].as_array().map(|words| {
            words
                .iter()
                .filter_map(Value::as_str)
                .any(|word| word.replace(' ', "").eq_ignore_ascii_case(have))
        })
    };
    listed("in").unwrap_or(true) && !listed("notIn").unwrap_or(false)
}
