//! What Azure's answers mean: JSON bodies, and errors in all the shapes that services use.

use serde_json::Value;

use super::azure_error::{AzureError, Detail};
use super::http::Answer;
use super::{Error, Json};

/// The body as JSON; `Null` when there is none.
pub(super) fn json(method: &str, about: &str, answer: &Answer) -> Result<Json, Error> {
    let body = trimmed(&answer.body);
    if body.is_empty() {
        return Ok(Json::Null);
    }
    serde_json::from_slice(body).map_err(|error| Error::Protocol {
        method: method.to_owned(),
        about: about.to_owned(),
        message: format!("the answer (status {}) is no JSON: {error}", answer.status),
    })
}

/// The error that an answer with an error status carries.
pub(super) fn error(method: &str, about: &str, answer: &Answer) -> AzureError {
    let body = trimmed(&answer.body);
    let mut error = match serde_json::from_slice::<Json>(body) {
        Ok(body) => error_in(&body).unwrap_or_default(),
        // A gateway's HTML page, most often: its beginning is enough to recognise it.
        Err(_) => AzureError {
            message: beginning(&String::from_utf8_lossy(body)),
            ..AzureError::default()
        },
    };
    error.method = method.to_owned();
    error.about = about.to_owned();
    error.status = answer.status;
    error.request_id = answer.header("x-ms-request-id").map(str::to_owned);
    error.correlation_id = answer
        .header("x-ms-correlation-request-id")
        .map(str::to_owned);
    if error.code.is_none() {
        error.code = answer.header("x-ms-error-code").map(str::to_owned);
    }
    error
}

/// The error in a body, if there is one: `{error:{..}}`, `{code,message}`, `{odata.error:{..}}`,
/// `{status,error}` of an operation, or `{errors:[{..}]}` of a registry (OCI distribution
/// specification, "Error codes").
pub(super) fn error_in(body: &Json) -> Option<AzureError> {
    let object = body.as_object()?;
    let field = |name: &str| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let first = || field("errors").and_then(|errors| errors.as_array()?.first());
    let error = match field("error")
        .or_else(|| field("odata.error"))
        .or_else(first)
    {
        Some(error) if !error.is_null() => error,
        _ if field("code").is_some() || field("message").is_some() => body,
        _ => return None,
    };
    if let Some(text) = error.as_str() {
        // Entra's shape: {"error": "invalid_client", "error_description": "..."}.
        let message = field("error_description").map(words).unwrap_or_default();
        return Some(AzureError {
            code: Some(text.to_owned()),
            message,
            ..AzureError::default()
        });
    }
    let mut found = AzureError {
        code: text(error, "code"),
        message: get(error, "message").map(words).unwrap_or_default(),
        target: text(error, "target"),
        ..AzureError::default()
    };
    collect_details(error, &mut found.details, 0);
    collect_policies(error, &mut found.policies);
    Some(found)
}

/// `properties.provisioningState` of a resource; some types have it at the top.
pub(super) fn provisioning_state(body: &Json) -> Option<&str> {
    let properties = get(body, "properties");
    properties
        .and_then(|p| get(p, "provisioningState"))
        .or_else(|| get(body, "provisioningState"))
        .and_then(Value::as_str)
        .filter(|state| !state.is_empty())
}

/// A field of an object, its name in any case.
pub(super) fn get<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Whether an object has all that was wanted of it; it may have more.
pub(super) fn covers(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (_, Json::Null) => true,
        (Json::Object(found), Json::Object(wanted)) => wanted.iter().all(|(name, value)| {
            found
                .get(name)
                .map_or(value.is_null(), |found| covers(found, value))
        }),
        (Json::Array(found), Json::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| covers(found, wanted))
        }
        (Json::String(found), Json::String(wanted)) => found.eq_ignore_ascii_case(wanted),
        (found, wanted) => found == wanted,
    }
}

fn text(value: &Json, name: &str) -> Option<String> {
    get(value, name).and_then(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A message: mostly a string, in legacy shapes `{"lang": "en-us", "value": "..."}`.
fn words(value: &Json) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        other => match get(other, "value").and_then(Value::as_str) {
            Some(text) => text.trim().to_owned(),
            None => other.to_string(),
        },
    }
}

fn collect_details(error: &Json, details: &mut Vec<Detail>, depth: u8) {
    // Services nest causes; beyond a few levels they only repeat themselves.
    if depth > 4 {
        return;
    }
    let mut below = Vec::new();
    match get(error, "details") {
        Some(Value::Array(list)) => below.extend(list),
        Some(one @ (Value::Object(_) | Value::String(_))) => below.push(one),
        _ => {}
    }
    if let Some(inner @ Value::Object(_)) = get(error, "innererror") {
        below.push(inner);
    }
    for value in below {
        let detail = Detail {
            code: text(value, "code"),
            message: get(value, "message")
                .map(words)
                .unwrap_or_else(|| value.as_str().unwrap_or_default().to_owned()),
            target: text(value, "target"),
        };
        if (detail.code.is_some() || !detail.message.is_empty()) && !details.contains(&detail) {
            details.push(detail);
        }
        collect_details(value, details, depth + 1);
    }
}

fn collect_policies(error: &Json, policies: &mut Vec<String>) {
    let lists = std::iter::once(error)
        .chain(
            get(error, "details")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        )
        .filter_map(|e| get(e, "additionalInfo").and_then(Value::as_array));
    for info in lists.flatten() {
        if !text(info, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("PolicyViolation")) {
            continue;
        }
        let Some(info) = get(info, "info") else {
            continue;
        };
        let name = |kind: &str| {
            text(info, &format!("{kind}DisplayName")).or_else(|| text(info, &format!("{kind}Name")))
        };
        let line = match (name("policyAssignment"), name("policyDefinition")) {
            (Some(assignment), Some(definition)) => {
                format!("{definition:?}, assigned as {assignment:?}")
            }
            (Some(one), None) | (None, Some(one)) => format!("{one:?}"),
            (None, None) => continue,
        };
        if !policies.contains(&line) {
            policies.push(line);
        }
    }
}

/// Some services put a byte order mark before their JSON.
fn trimmed(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii()
}

fn beginning(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reqwest::header::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-request-id", HeaderValue::from_static("r-1"));
        Answer {
            status,
            headers,
            body: body.to_vec(),
        }
    }

    #[test]
    fn every_shape_of_error_gives_its_code_and_message() {
        for body in [
            json!({"error": {"code": "C", "message": "M"}}),
            json!({"code": "C", "message": "M"}),
            json!({"Code": "C", "Message": "M"}),
            json!({"id": "/x", "status": "Failed", "error": {"code": "C", "message": {"lang": "en-us", "value": "M"}}}),
            json!({"odata.error": {"code": "C", "message": {"value": " M "}}}),
            json!({"error": "C", "error_description": "M"}),
            json!({"errors": [{"code": "C", "message": "M"}, {"code": "D"}]}),
        ] {
            let with_mark = [b"\xef\xbb\xbf".as_slice(), body.to_string().as_bytes()].concat();
            let error = error("GET", "/x", &answer(409, &with_mark));
            assert_eq!(
                (error.code.as_deref(), error.message.as_str(), error.status),
                (Some("C"), "M", 409),
                "{body}"
            );
            assert_eq!(error.request_id.as_deref(), Some("r-1"));
        }
        assert_eq!(error_in(&json!({"status": "Succeeded"})), None);
    }

    #[test]
    fn details_are_found_as_list_object_text_and_inner_error() {
        let body = json!({"error": {"code": "C", "message": "M",
            "details": [{"code": "D1", "message": "one", "target": "Microsoft.Network", "details": [{"code": "D2", "message": "two"}]}],
            "innererror": {"code": "D3", "message": "three"}}});
        let codes: Vec<_> = error_in(&body)
            .unwrap()
            .details
            .into_iter()
            .filter_map(|d| d.code)
            .collect();
        assert_eq!(codes, ["D1", "D2", "D3"]);
        let body = json!({"error": {"code": "C", "details": "a sentence"}});
        assert_eq!(error_in(&body).unwrap().details[0].message, "a sentence");
    }

    #[test]
    fn a_refusal_by_policy_names_the_policy() {
        let body = json!({"error": {"code": "RequestDisallowedByPolicy", "message": "M", "additionalInfo": [
            {"type": "PolicyViolation", "info": {"policyAssignmentName": "a1", "policyDefinitionDisplayName": "No public registries"}}]}});
        assert_eq!(
            error_in(&body).unwrap().policies,
            ["\"No public registries\", assigned as \"a1\""]
        );
    }

    #[test]
    fn an_object_covers_what_was_wanted_if_it_only_has_more() {
        let wanted = json!({"location": "Global", "properties": {"ttl": 10, "list": [{"ip": "10.0.0.4"}], "unset": null}});
        let mut found = json!({"location": "global", "etag": "x", "properties": {"ttl": 10, "list": [{"ip": "10.0.0.4", "n": 1}]}});
        assert!(covers(&found, &wanted));
        found["properties"]["list"][0]["ip"] = json!("10.0.0.5");
        assert!(!covers(&found, &wanted));
        assert!(!covers(&json!({}), &wanted));
    }

    #[test]
    fn a_page_of_html_is_cut_to_its_beginning() {
        let error = error(
            "GET",
            "/x",
            &answer(502, format!("<html>{}", "x ".repeat(400)).as_bytes()),
        );
        assert!(error.message.len() < 320 && error.message.starts_with("<html>"));
        assert_eq!(error.code, None);
    }
}
