//! The `if` of a policy rule: conditions on fields, counts and values, joined by `allOf`, `anyOf` and
//! `not` (documentation of the policy definition structure). Of template functions, rules may use
//! `parameters()`; a rule with another one is refused when its definition is written.

use serde_json::{Value, json};

use super::fields;

const OPERATORS: &[&str] = &[
    "equals",
    "notEquals",
    "in",
    "notIn",
    "exists",
    "like",
    "notLike",
    "contains",
    "notContains",
    "less",
    "lessOrEquals",
    "greater",
    "greaterOrEquals",
];

/// One condition that was looked at, for the details of a violation.
#[derive(Clone, Debug)]
pub struct Looked {
    field: String,
    value: Value,
    target: Value,
    operator: &'static str,
}

impl Looked {
    /// As `evaluatedExpressions` shows it.
    #[must_use]
    pub fn body(&self) -> Value {
        let (first, rest) = self.operator.split_at(1);
        let mut body = json!({
            "result": "True",
            "expressionKind": "Field",
            "expression": self.field,
            "path": self.field.rsplit('/').next(),
            "targetValue": self.target,
            "operator": format!("{}{rest}", first.to_uppercase()),
        });
        if !self.value.is_null() {
            body["expressionValue"] = self.value.clone();
        }
        body
    }
}

/// The resource that is looked at, the parameters, and the element inside a `count`.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The resource with id, name and type.
    pub resource: &'a Value,
    /// The values of the parameters.
    pub parameters: &'a Value,
    element: Option<(&'a str, &'a Value)>,
}

impl<'a> Subject<'a> {
    /// A resource under the parameters of an assignment.
    #[must_use]
    pub fn new(resource: &'a Value, parameters: &'a Value) -> Self {
        Self {
            resource,
            parameters,
            element: None,
        }
    }

    /// True when the condition holds; the conditions that made it hold are noted.
    pub fn holds(&self, condition: &Value, looked: &mut Vec<Looked>) -> bool {
        let of = |name: &str| get(condition, name);
        if let Some(all) = of("allOf").and_then(Value::as_array) {
            return all.iter().all(|one| self.holds(one, looked));
        }
        if let Some(any) = of("anyOf").and_then(Value::as_array) {
            return any.iter().any(|one| self.holds(one, looked));
        }
        if let Some(not) = of("not") {
            return !self.holds(not, &mut Vec::new());
        }
        let Some((operator, target)) = operator(condition) else {
            return false;
        };
        let target = resolved(target, self.parameters);
        if let Some(count) = of("count") {
            let number = json!(self.count(count));
            return compare(operator, Some(&number), &target);
        }
        if let Some(value) = of("value") {
            let value = resolved(value, self.parameters);
            return compare(operator, Some(&value), &target);
        }
        let field = of("field").and_then(Value::as_str).unwrap_or_default();
        let values = self.values(field);
        let held = match field.contains("[*]") && self.element.is_none() {
            true => values
                .iter()
                .all(|value| compare(operator, Some(value), &target)),
            false => compare(operator, values.first(), &target),
        };
        if held {
            looked.push(Looked {
                field: field.to_owned(),
                value: values.first().cloned().unwrap_or_default(),
                target,
                operator,
            });
        }
        held
    }

    fn count(&self, count: &Value) -> usize {
        let field = get(count, "field")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let elements = fields::values(self.resource, field);
        let Some(condition) = get(count, "where") else {
            return elements.len();
        };
        elements
            .iter()
            .filter(|element| {
                let inside = Subject {
                    element: Some((field, element)),
                    ..*self
                };
                inside.holds(condition, &mut Vec::new())
            })
            .count()
    }

    fn values(&self, field: &str) -> Vec<Value> {
        if let Some((counted, element)) = self.element
            && let Some(path) = fields::below(field, counted)
        {
            return fields::inside(element, path);
        }
        fields::values(self.resource, field)
    }
}

/// What is wrong with a condition that cannot be evaluated.
#[must_use]
pub fn problem(condition: &Value) -> Option<String> {
    for name in ["allOf", "anyOf"] {
        if let Some(parts) = get(condition, name) {
            let Some(parts) = parts.as_array().filter(|parts| !parts.is_empty()) else {
                return Some(format!("'{name}' is not a list of conditions"));
            };
            return parts.iter().find_map(problem);
        }
    }
    if let Some(not) = get(condition, "not") {
        return problem(not);
    }
    let Some((_, target)) = operator(condition) else {
        return Some(format!("the condition {condition} has no known operator"));
    };
    let subject = ["field", "value", "count"]
        .iter()
        .find_map(|name| get(condition, name));
    let Some(subject) = subject else {
        return Some(format!(
            "the condition {condition} has no field, value or count"
        ));
    };
    if let Some(inner) = get(subject, "where")
        && let Some(problem) = problem(inner)
    {
        return Some(problem);
    }
    [subject, target]
        .iter()
        .filter_map(|value| value.as_str())
        .find(|text| text.starts_with('[') && !text.starts_with("[[") && parameter(text).is_none())
        .map(|text| format!("the template expression '{text}' is not one that is evaluated here"))
}

/// The type that a rule is about, when it names one.
#[must_use]
pub fn kind_of(condition: &Value) -> Option<&str> {
    if let Some(all) = get(condition, "allOf").and_then(Value::as_array) {
        return all.iter().find_map(kind_of);
    }
    let field = get(condition, "field")?.as_str()?;
    match field.eq_ignore_ascii_case("type") {
        true => get(condition, "equals")?.as_str(),
        false => None,
    }
}

/// The value of `[parameters('name')]`, or the value itself.
#[must_use]
pub fn resolved(value: &Value, parameters: &Value) -> Value {
    match value.as_str().and_then(parameter) {
        Some(name) => get(parameters, name).cloned().unwrap_or_default(),
        None => value.clone(),
    }
}

fn parameter(text: &str) -> Option<&str> {
    let inner = text
        .trim()
        .strip_prefix("[parameters(")?
        .strip_suffix(")]")?;
    Some(inner.trim().trim_matches(|c| c == '\'' || c == '"'))
}

/// A member by its name in any case.
#[must_use]
pub fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn operator(condition: &Value) -> Option<(&'static str, &Value)> {
    OPERATORS
        .iter()
        .find_map(|name| get(condition, name).map(|target| (*name, target)))
}

fn compare(operator: &str, value: Option<&Value>, target: &Value) -> bool {
    let equals = |target: &Value| value.is_some_and(|value| same(value, target));
    let within = || {
        target
            .as_array()
            .is_some_and(|list| list.iter().any(equals))
    };
    let text = value
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_lowercase();
    let pattern = target.as_str().unwrap_or_default().to_lowercase();
    let contains = || match value {
        Some(Value::Array(items)) => items.iter().any(|item| same(item, target)),
        _ => text.contains(&pattern),
    };
    let like = || match pattern.split_once('*') {
        Some((before, after)) => {
            text.len() >= before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after)
        }
        None => text == pattern,
    };
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    let order = || number(value)?.partial_cmp(&number(Some(target))?);
    match operator {
        "equals" => equals(target),
        "notEquals" => !equals(target),
        "in" => within(),
        "notIn" => !within(),
        "exists" => value.is_some() == same(target, &json!(true)),
        "like" => like(),
        "notLike" => !like(),
        "contains" => contains(),
        "notContains" => !contains(),
        "less" => order().is_some_and(std::cmp::Ordering::is_lt),
        "lessOrEquals" => order().is_some_and(std::cmp::Ordering::is_le),
        "greater" => order().is_some_and(std::cmp::Ordering::is_gt),
        "greaterOrEquals" => order().is_some_and(std::cmp::Ordering::is_ge),
        _ => false,
    }
}

/// Texts are equal in any case, and `"true"` is true.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (Value::String(text), Value::Bool(flag)) | (Value::Bool(flag), Value::String(text)) => {
            text.eq_ignore_ascii_case(&flag.to_string())
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(rule: &Value) -> bool {
        let resource = json!({
            "type": "Microsoft.X/things", "location": "westeurope",
            "properties": { "on": true, "level": 3, "list": [{ "state": "Approved" }, { "state": "Pending" }] },
        });
        let parameters = json!({ "places": ["WestEurope"], "level": 2 });
        Subject::new(&resource, &parameters).holds(rule, &mut Vec::new())
    }

    #[test]
    fn conditions_hold_as_the_documentation_says() {
        let field = |name: &str| format!("Microsoft.X/things/{name}");
        for (rule, expected) in [
            (
                json!({ "field": "type", "equals": "microsoft.x/THINGS" }),
                true,
            ),
            (json!({ "field": field("on"), "equals": "true" }), true),
            (json!({ "field": field("none"), "equals": "x" }), false),
            (json!({ "field": field("none"), "notEquals": "x" }), true),
            (json!({ "field": field("none"), "exists": "false" }), true),
            (json!({ "field": field("on"), "exists": true }), true),
            (
                json!({ "field": "location", "in": "[parameters('places')]" }),
                true,
            ),
            (json!({ "field": "location", "like": "west*" }), true),
            (
                json!({ "field": field("level"), "greater": "[parameters('level')]" }),
                true,
            ),
            (
                json!({ "value": "[parameters('level')]", "less": 2 }),
                false,
            ),
            (
                json!({ "not": { "field": "location", "notIn": ["westeurope"] } }),
                true,
            ),
            (
                json!({ "anyof": [{ "field": field("none"), "equals": 1 }, { "field": field("level"), "equals": 3 }] }),
                true,
            ),
            (
                json!({ "field": field("list[*].state"), "equals": "Approved" }),
                false,
            ),
            (
                json!({ "count": { "field": field("list[*]"), "where": { "field": field("list[*].state"), "equals": "Approved" } }, "less": 1 }),
                false,
            ),
            (
                json!({ "count": { "field": field("list[*]") }, "equals": 2 }),
                true,
            ),
        ] {
            assert_eq!(holds(&rule), expected, "{rule}");
            assert_eq!(problem(&rule), None);
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_named() {
        for rule in [
            json!({ "allOf": [] }),
            json!({ "field": "type" }),
            json!({ "equals": "x" }),
            json!({ "field": "[concat('a', 'b')]", "equals": "x" }),
            json!({ "not": { "value": "[field('tags')]", "exists": true } }),
        ] {
            assert!(problem(&rule).is_some(), "{rule}");
        }
    }

    #[test]
    fn every_built_in_names_its_type_and_can_be_evaluated() {
        for definition in super::super::built_in::DEFINITIONS {
            let body = definition.body();
            let rule = &body["properties"]["policyRule"]["if"];
            assert_eq!(
                kind_of(rule),
                Some("Microsoft.ContainerRegistry/registries")
            );
            assert_eq!(problem(rule), None);
        }
    }
}
