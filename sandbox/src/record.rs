//! `--record`: one JSON file for each exchange, in the form that OpenAPI validators of Azure read
//! (`liveRequest`, `liveResponse`). Tokens, secrets and passwords are replaced before anything is written.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::exchange::Request;

/// Names of members whose values are secrets, in bodies and forms.
const SECRETS: &[&str] = &[
    "client_secret",
    "client_assertion",
    "access_token",
    "refresh_token",
    "id_token",
    "assertion",
    "password",
    "admin_password",
    "adminpassword",
    "secret",
    "oidctoken",
    "primarysharedkey",
    "secondarysharedkey",
    "clustertoken",
    // What lies beside a command in a cluster.
    "context",
];
/// Headers whose values are secrets.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "x-ms-authorization-auxiliary",
    "x-identity-header",
    "cookie",
    "set-cookie",
];

/// Writes exchanges into a folder.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
}

impl Recorder {
    /// Makes the folder.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    /// Writes one exchange.
    pub fn write(
        &self,
        number: u64,
        request: &Request,
        status: u16,
        headers: &[(String, String)],
        body: Option<&Value>,
    ) {
        let slug: String = request
            .path
            .chars()
            .rev()
            .take(60)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let path = self
            .folder
            .join(format!("{number:06}-{}{slug}.json", request.method));
        let text = exchange(request, status, headers, body).to_string();
        if let Err(error) = std::fs::write(&path, text) {
            tracing::error!(path = %path.display(), %error, "cannot record an exchange");
        }
    }
}

fn exchange(
    request: &Request,
    status: u16,
    headers: &[(String, String)],
    body: Option<&Value>,
) -> Value {
    let sent: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                json!(header(name.as_str(), value.to_str().unwrap_or_default())),
            )
        })
        .collect();
    let received: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(header(name, value))))
        .collect();
    let query: Map<String, Value> = form_urlencoded::parse(request.query.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    let mut url = request.path.clone();
    if !request.query.is_empty() {
        url = format!("{url}?{}", request.query);
    }
    json!({
        "liveRequest": { "method": request.method, "url": url, "headers": sent, "query": query, "body": sent_body(request) },
        "liveResponse": { "statusCode": status.to_string(), "headers": received, "body": body.map_or(Value::Null, redacted) },
    })
}

fn header(name: &str, value: &str) -> String {
    if SECRET_HEADERS.contains(&name.to_lowercase().as_str()) {
        "REDACTED".into()
    } else {
        value.to_owned()
    }
}

fn sent_body(request: &Request) -> Value {
    if request.body.is_empty() {
        return Value::Null;
    }
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        let fields: Map<String, Value> = form_urlencoded::parse(&request.body)
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        return redacted(&Value::Object(fields));
    }
    serde_json::from_slice::<Value>(&request.body).map_or(Value::Null, |body| redacted(&body))
}

/// A body without its secrets.
#[must_use]
pub fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            // `{"name": "password", "value": "..."}` is how a registry hands out its passwords.
            let password = map
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| name.to_lowercase().starts_with("password"));
            map.iter()
                .map(|(name, value)| {
                    let secret = SECRETS.contains(&name.to_lowercase().as_str())
                        || (password && name == "value");
                    (
                        name.clone(),
                        if secret && !value.is_object() && !value.is_array() {
                            json!("REDACTED")
                        } else if name == "properties" && value["value"].is_string() {
                            // A secret of a key vault.
                            let mut properties = redacted(value);
                            properties["value"] = json!("REDACTED");
                            properties
                        } else {
                            redacted(value)
                        },
                    )
                })
                .collect()
        }
        Value::Array(items) => items.iter().map(redacted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_secret_reaches_a_file() {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("authorization", "Bearer s3cret".parse().unwrap());
        headers.insert(
            "content-type",
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let request = Request {
            method: "POST".into(),
            path: "/t/oauth2/token".into(),
            query: "a=b".into(),
            headers,
            body: "client_id=app&client_secret=s3cret&client_assertion=s3cret".into(),
            base: "http://x".into(),
            place: None,
        };
        let answer = json!({ "access_token": "s3cret", "passwords": [{ "name": "password", "value": "s3cret" }] });
        let text = exchange(&request, 200, &[], Some(&answer)).to_string();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(
            text.contains("\"client_id\":\"app\"") && text.contains("\"statusCode\":\"200\""),
            "{text}"
        );
    }
}
