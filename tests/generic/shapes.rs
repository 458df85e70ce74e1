//! What two runs have in common: paths and bodies without what is random in them, and where two documents differ.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// A path with `*` for what is random in it, but for subscriptions and tenants.
pub fn shape_of(path: &str) -> String {
    let mut after_subscriptions = false;
    let segments = path.split('/').map(|segment| {
        let fixed = std::mem::replace(
            &mut after_subscriptions,
            segment.eq_ignore_ascii_case("subscriptions"),
        );
        if fixed {
            segment.to_owned()
        } else {
            without_hashes(&without_guids(segment))
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The text with `*` for each word in it of eight hexadecimal digits, as Azure adds to names, or of
/// thirty-two, as it numbers the results of commands.
fn without_hashes(text: &str) -> String {
    let is_hash = |word: &str| {
        matches!(word.len(), 8 | 32) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let words = text.split_inclusive(['-', '.']).map(|word| {
        let end = word.len() - word.len().min(1) * usize::from(word.ends_with(['-', '.']));
        let (word, separator) = word.split_at(end);
        let word = if is_hash(word) { "*" } else { word };
        format!("{word}{separator}")
    });
    words.collect()
}

/// The text with `*` for each GUID in it.
fn without_guids(text: &str) -> String {
    const LENGTH: usize = 36;
    let is_guid = |at: usize| {
        text.get(at..at + LENGTH).is_some_and(|part| {
            part.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        })
    };
    let mut shape = String::new();
    let mut at = 0;
    while at < text.len() {
        if is_guid(at) {
            shape.push('*');
            at += LENGTH;
        } else {
            let next = text[at..].chars().next().map_or(1, char::len_utf8);
            shape.push_str(&text[at..at + next]);
            at += next;
        }
    }
    shape
}

/// A body without what differs between two runs: etags, times, random ids.
pub fn steady(body: &Json) -> Json {
    match body {
        Json::String(text) => Json::String(if text.starts_with('/') {
            shape_of(text)
        } else {
            without_hashes(&without_guids(text))
        }),
        Json::Array(items) => items.iter().map(steady).collect(),
        Json::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                let name = name.to_lowercase();
                !matches!(
                    name.as_str(),
                    "etag"
                        | "systemdata"
                        | "creationdate"
                        | "updatedby"
                        | "createddate"
                        | "modifieddate"
                        | "lastskuupdate"
                        | "quotanextresettime"
                        | "enablementtime"
                        | "freetrialremainingtime"
                        | "lastupdatedon"
                        | "creationtime"
                        | "createdon"
                        | "updatedon"
                        | "lastupdatedtime"
                        | "lastkeyrotationtimestamp"
                        | "timestamp"
                        | "resourceguid"
                        | "internalid"
                        | "resourceuid"
                )
            })
            .map(|(name, value)| (name.clone(), steady(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Where two documents differ: a line for each place.
pub fn differences(expected: &Json, found: &Json) -> Vec<String> {
    fn walk(at: &str, expected: &Json, found: &Json, lines: &mut Vec<String>) {
        match (expected, found) {
            (Json::Object(a), Json::Object(b)) => {
                let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for name in names {
                    walk(
                        &format!("{at}.{name}"),
                        &expected[name],
                        &found[name],
                        lines,
                    );
                }
            }
            (a, b) if a == b => {}
            (a, b) => lines.push(format!(
                "{}: expected {a}, found {b}",
                at.trim_start_matches('.')
            )),
        }
    }
    let mut lines = Vec::new();
    walk("", expected, found, &mut lines);
    lines
}
