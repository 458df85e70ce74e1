//! What is sent to a vault: the password in its two forms, with the tags that tell which one it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Input;
use super::copies::{Kind, TAG_FOR, TAG_MADE, TAG_RELEASED, TAG_SLOT, TAG_TOKEN, label};
use super::standing::Record;
use crate::arm::{Json, Secret};
use crate::provider::parts::{Seen, Tags};

/// The body of a secret's PUT. A PUT makes a new version (Azure Key Vault REST API, "Secrets - Create
/// Or Update"), which is enabled.
pub fn secret(
    input: &Input,
    kind: Kind,
    record: &Record,
    password: &Secret,
    login_server: &str,
    seen: &Seen,
) -> Json {
    let (value, content) = match kind {
        Kind::Password => (password.expose().to_owned(), "text/plain"),
        Kind::DockerConfig => (
            docker_config(login_server, &input.name, password),
            "application/vnd.docker.config+json",
        ),
    };
    let own: Tags = [
        (TAG_TOKEN, label(input)),
        (TAG_SLOT, record.slot.clone()),
        (TAG_MADE, record.made.clone()),
        (TAG_FOR, record.reasons.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    json!({
        "tags": seen.tag_policy().wanted(Some(&own)),
        "properties": { "value": value, "contentType": content, "attributes": { "enabled": true } },
    })
}

/// The body of a PATCH that leaves a secret to whoever wants its name next. Resource Manager cannot
/// delete a secret, and what it has opens nothing any more.
pub fn released(input: &Input) -> Json {
    json!({
        "tags": { TAG_RELEASED: label(input) },
        "properties": { "attributes": { "enabled": false } },
    })
}

/// What `docker login` would write (Kubernetes, "Pull an Image from a Private Registry").
fn docker_config(login_server: &str, user_name: &str, password: &Secret) -> String {
    let pair = STANDARD.encode(format!("{user_name}:{}", password.expose()));
    json!({ "auths": { login_server: {
        "username": user_name, "password": password.expose(), "auth": pair,
    } } })
    .to_string()
}
