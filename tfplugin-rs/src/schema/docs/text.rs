//! Words for types, rules and constants.

use crate::schema::{Check, Kind, Literal, Nesting};

/// The type of an attribute's values, as people say it.
pub(super) fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "Boolean".to_owned(),
        Kind::Number => "Number".to_owned(),
        Kind::Integer => "Whole number".to_owned(),
        Kind::String => "String".to_owned(),
        Kind::Dynamic => "Any type".to_owned(),
        Kind::List(element) => format!("List of {}", type_name(element)),
        Kind::Set(element) => format!("Set of {}", type_name(element)),
        Kind::Map(element) => format!("Map of {}", type_name(element)),
        Kind::Nested(Nesting::Single, _) => "Object".to_owned(),
        Kind::Nested(Nesting::List, _) => "List of objects".to_owned(),
        Kind::Nested(Nesting::Set, _) => "Set of objects".to_owned(),
        Kind::Nested(Nesting::Map, _) => "Map of objects".to_owned(),
    }
}

/// What values must satisfy, a sentence for each rule.
pub(super) fn rules(checks: &[Check]) -> Vec<String> {
    checks
        .iter()
        .map(|check| format!("{}.", rule(check)))
        .collect()
}

fn rule(check: &Check) -> String {
    match check {
        Check::OneOf(choices) => {
            let choices: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
            format!("One of {}", choices.join(", "))
        }
        Check::Range(least, most) => format!("From {least} to {most}"),
        Check::Length(least, most) => format!("{} characters", range(*least, *most)),
        Check::Items(least, most) => format!("{} elements", range(*least, *most)),
        Check::Text(rule, _) => format!("Must be {}", rule.trim_end_matches('.')),
        Check::Each(check) => format!("Each element: {}", lower_first(&rule(check))),
        Check::Keys(check) => format!("Each key: {}", lower_first(&rule(check))),
    }
}

fn range(least: usize, most: usize) -> String {
    match (least, most) {
        (least, usize::MAX) => format!("At least {least}"),
        (0, most) => format!("At most {most}"),
        (least, most) if least == most => format!("Exactly {least}"),
        (least, most) => format!("{least} to {most}"),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A constant as one writes it in HCL.
pub(super) fn default_text(default: Literal) -> String {
    match default {
        Literal::Bool(truth) => format!("`{truth}`"),
        Literal::Integer(number) => format!("`{number}`"),
        Literal::String(text) => format!("`{text:?}`"),
        Literal::EmptyList => "`[]`".to_owned(),
        Literal::EmptyMap => "`{}`".to_owned(),
    }
}

/// Text for one bullet of a list: on one line, and ended like a sentence.
pub(super) fn cell(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() || text.ends_with(['.', '!', '?', ':', '`', ')']) {
        text
    } else {
        format!("{text}.")
    }
}

/// Text without line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
