//! What is wrong with a text that should be an ARM id, in words that help to correct it.

use super::id::{GROUPS, PROVIDERS, SUBSCRIPTIONS};

/// Why a text is no ARM id, and what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id:?} is not an Azure resource id: {problem}. Expected a form like {EXPECTED}")]
pub struct IdError {
    /// The text as it was given.
    pub id: String,
    /// What is wrong with it.
    pub problem: String,
}

const EXPECTED: &str =
    "/subscriptions/{subscription id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}";
/// What is wrong with a text that should be an ARM id.
pub(super) fn problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if text.trim() != text {
        return Some("it begins or ends with white space".into());
    }
    if !text.starts_with('/') {
        return Some("it must start with \"/subscriptions/\"".into());
    }
    if text.ends_with('/') {
        return Some("it ends with a slash".into());
    }
    if let Some(c) = text
        .chars()
        .find(|c| c.is_control() || matches!(c, '?' | '#' | '%' | '\\' | '<' | '>' | '"'))
    {
        return Some(format!("the character {c:?} cannot occur in an id"));
    }
    let segments: Vec<&str> = text.split('/').skip(1).collect();
    if segments.iter().any(|s| s.is_empty()) {
        return Some("it has an empty segment (two slashes in a row)".into());
    }
    if segments.iter().any(|s| *s == "." || *s == "..") {
        return Some("\".\" and \"..\" are no names".into());
    }
    let mut rest = if is_management_group(&segments) {
        &segments[4..]
    } else {
        if !segments[0].eq_ignore_ascii_case(SUBSCRIPTIONS) {
            return Some("it must start with \"/subscriptions/\"".into());
        }
        match segments.get(1) {
            None => return Some("the subscription id is missing".into()),
            Some(id) if !is_guid(id) => {
                return Some(format!(
                    "the subscription id {id:?} is not a UUID such as 00000000-0000-0000-0000-000000000000"
                ));
            }
            Some(_) => &segments[2..],
        }
    };
    if rest.first().is_some_and(|s| s.eq_ignore_ascii_case(GROUPS)) {
        if rest.len() < 2 {
            return Some("the name of the resource group is missing".into());
        }
        rest = &rest[2..];
    }
    while !rest.is_empty() {
        if !rest[0].eq_ignore_ascii_case(PROVIDERS) {
            return Some(format!(
                "expected \"{PROVIDERS}\" where it says {:?}",
                rest[0]
            ));
        }
        let Some(namespace) = rest.get(1) else {
            return Some("the resource provider (such as Microsoft.Network) is missing".into());
        };
        if !namespace.contains('.') {
            return Some(format!(
                "{namespace:?} is no resource provider: those are named like Microsoft.Network"
            ));
        }
        rest = &rest[2..];
        if rest.is_empty() {
            return Some(format!("the resource type after {namespace:?} is missing"));
        }
        while !rest.is_empty() && !rest[0].eq_ignore_ascii_case(PROVIDERS) {
            if rest.len() < 2 {
                return Some(format!("the name after {:?} is missing", rest[0]));
            }
            rest = &rest[2..];
        }
    }
    None
}

/// Whether the id begins with a management group, which lies in no subscription.
fn is_management_group(segments: &[&str]) -> bool {
    let keys = [PROVIDERS, "Microsoft.Management", "managementGroups"];
    segments.len() > keys.len()
        && segments
            .iter()
            .zip(keys)
            .all(|(segment, key)| segment.eq_ignore_ascii_case(key))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use super::*;
    use crate::arm::ArmId;

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    #[test]
    fn every_mistake_is_named_with_the_expected_form() {
        let group = ArmId::group(SUB, "g").to_string();
        for (text, problem) in [
            (String::new(), "empty"),
            (format!(" {group}"), "white space"),
            ("subscriptions/x".into(), "start with"),
            (
                "/providers/Microsoft.Management/managementGroups".into(),
                "start with",
            ),
            (
                "/providers/Microsoft.Authorization/policyDefinitions/d".into(),
                "start with",
            ),
            (format!("{group}/"), "ends with a slash"),
            (format!("/subscriptions/{SUB}//g"), "empty segment"),
            ("/subscriptions".into(), "subscription id is missing"),
            ("/subscriptions/prod/resourceGroups/g".into(), "UUID"),
            (
                format!("/subscriptions/{SUB}/resourceGroups"),
                "name of the resource group",
            ),
            (
                format!("{group}/virtualNetworks/n"),
                "expected \"providers\"",
            ),
            (format!("{group}/providers"), "resource provider"),
            (
                format!("{group}/providers/network/virtualNetworks/n"),
                "no resource provider",
            ),
            (
                format!("{group}/providers/Microsoft.Network"),
                "resource type",
            ),
            (
                format!("{group}/providers/Microsoft.Network/virtualNetworks"),
                "name after",
            ),
            (
                format!("{group}/providers/Microsoft.Network/virtualNetworks/n/subnets"),
                "name after",
            ),
            (format!("{group}?api-version=1"), "'?'"),
            (
                format!("{group}/providers/Microsoft.Network/virtualNetworks/.."),
                "no names",
            ),
        ] {
            let error = ArmId::parse(&text).expect_err(&text).to_string();
            assert!(
                error.contains(problem) && error.contains(EXPECTED),
                "{text}: {error}"
            );
        }
    }
}
