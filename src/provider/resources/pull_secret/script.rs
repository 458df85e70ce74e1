//! The commands that run in the cluster. They consist of names that were checked, and are quoted all
//! the same; no secret is ever part of one.
//!
//! The pod of a run command has `kubectl`, `jq` (Azure/AKS issue 3034), `curl`, and the tools of every
//! shell. Which shell it is nobody says, so nothing here needs more than `&&` and `|`. Of a pipe only the
//! last program's end counts: `kubectl apply`, which the API server refuses when what comes is no Docker
//! configuration, so that a failure anywhere before it is one at the end.

use serde_json::json;

use super::Input;
use super::inside::{OWNER, PREFIX, SOURCE};

/// The type of an image pull secret.
pub const TYPE: &str = "kubernetes.io/dockerconfigjson";
/// Writes fields as this provider, over others': what someone else changed comes back.
const APPLY: &str = "kubectl apply --server-side --force-conflicts --field-manager=fkaks -f ";

/// Asks what there is, and prints no data: of the secret its marks, and a checksum of its data behind the
/// salt.
pub fn look(input: &Input, salt: &str) -> String {
    let (namespace, name) = (quoted(&input.namespace), quoted(&input.name));
    let get = format!("kubectl get secret {name} -n {namespace} --ignore-not-found -o jsonpath=");
    let line = |field: &str, path: &str| format!("{PREFIX}{field}={{{path}}}{{\"\\n\"}}");
    let marks: String = [
        ("uid", ".metadata.uid"),
        ("type", ".type"),
        ("owner", ".metadata.labels.app\\.kubernetes\\.io/managed-by"),
        ("source", ".metadata.annotations.fkaks\\.io/source"),
    ]
    .iter()
    .map(|(field, path)| line(field, path))
    .collect();
    format!(
        "kubectl get namespace {namespace} --ignore-not-found -o jsonpath={} && {get}{} && {get}{} | sha256sum",
        quoted(&line("namespace", ".metadata.name")),
        quoted(&marks),
        quoted(&format!("{salt}{{.data.\\.dockerconfigjson}}")),
    )
}

/// Writes the secret from the manifest beside the command.
pub fn from_file(input: &Input, file: &str, makes_namespace: bool) -> String {
    format!(
        "{}{APPLY}{}",
        namespace(input, makes_namespace),
        quoted(file)
    )
}

/// Writes the secret from a vault: a token for the identity of the node, the value by it, and the secret
/// of that. The value goes from one program to the next and into no file, argument or output; `curl` reads
/// the header with the token from its input.
pub fn from_vault(
    input: &Input,
    source: &str,
    client_id: &str,
    audience: &str,
    makes_namespace: bool,
) -> String {
    const CURL: &str = "curl -sSf --connect-timeout 15";
    // A role that the same apply has assigned counts a little later.
    const PATIENTLY: &str = "--retry 10 --retry-delay 12 --retry-all-errors";
    let (namespace_name, name) = (quoted(&input.namespace), quoted(&input.name));
    let token = format!(
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource={audience}&client_id={client_id}"
    );
    let value = format!("{source}?api-version=7.4");
    let local = "--local -f - -o json";
    format!(
        "{namespace}{CURL} --retry 3 -H Metadata:true {token} | jq -r '\"Authorization: Bearer \" + .access_token' \
         | {CURL} {PATIENTLY} -H @- {value} | jq -j .value \
         | kubectl create secret generic {name} -n {namespace_name} --type={TYPE} \
         --from-file=.dockerconfigjson=/dev/stdin --dry-run=client -o json \
         | kubectl label {local} app.kubernetes.io/managed-by={OWNER} \
         | kubectl annotate {local} {source} \
         | {APPLY}-",
        namespace = namespace(input, makes_namespace),
        token = quoted(&token),
        value = quoted(&value),
        source = quoted(&format!("{SOURCE}={source}")),
    )
}

/// Deletes the secret.
pub fn delete(input: &Input) -> String {
    format!(
        "kubectl delete secret {} -n {} --ignore-not-found",
        quoted(&input.name),
        quoted(&input.namespace)
    )
}

/// What comes before a write when the secret that is there has another type, which cannot change.
pub fn after_deletion(input: &Input, command: &str) -> String {
    format!("{} && {command}", delete(input))
}

/// The manifest of the secret, whose data is in base64.
pub fn manifest(input: &Input, source: &str, data: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TYPE,
        "metadata": {
            "name": input.name,
            "namespace": input.namespace,
            "labels": { "app.kubernetes.io/managed-by": OWNER },
            "annotations": { SOURCE: source },
        },
        "data": { ".dockerconfigjson": data },
    })
    .to_string()
}

fn namespace(input: &Input, makes_it: bool) -> String {
    if !makes_it {
        return String::new();
    }
    format!(
        "kubectl create namespace {} --dry-run=client -o json | {APPLY}- && ",
        quoted(&input.namespace)
    )
}

/// A word of the shell, whatever is in it.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
