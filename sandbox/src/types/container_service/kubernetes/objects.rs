//! The objects of a cluster by `Kind/namespace/name`. Secrets are checked and kept as the API server does;
//! other kinds are kept as they come.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Namespaces that every cluster has.
const NAMESPACES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Kinds without a namespace.
const CLUSTER_WIDE: &[&str] = &[
    "Namespace",
    "Node",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolume",
    "StorageClass",
];

/// The objects of one cluster.
pub struct Objects<'a> {
    map: &'a mut Map<String, Value>,
    /// The time that new objects get.
    now: String,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was not there.
    Created,
    /// It is another now.
    Configured,
    /// It was so already.
    Unchanged,
}

impl<'a> Objects<'a> {
    /// The objects in a map.
    pub fn new(map: &'a mut Map<String, Value>, now: &str) -> Self {
        Self {
            map,
            now: now.to_owned(),
        }
    }

    /// The object, when it is there.
    #[must_use]
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let found = self.map.get(&key(kind, namespace, name)).cloned();
        found.or_else(|| {
            let own = kind == "Namespace" && NAMESPACES.contains(&name);
            let account =
                kind == "ServiceAccount" && name == "default" && self.has_namespace(namespace);
            (own || account).then(|| self.stamped(kind, namespace, name))
        })
    }

    /// All objects of a kind, in one namespace or in all.
    #[must_use]
    pub fn list(&self, kind: &str, namespace: Option<&str>) -> Vec<Value> {
        let mut found: BTreeMap<String, Value> = self
            .map
            .iter()
            .filter(|(key, _)| {
                let mut parts = key.split('/');
                parts.next() == Some(kind)
                    && namespace.is_none_or(|namespace| parts.next() == Some(namespace))
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if kind == "Namespace" {
            for name in NAMESPACES {
                found
                    .entry(key(kind, "", name))
                    .or_insert_with(|| self.stamped(kind, "", name));
            }
        }
        found.into_values().collect()
    }

    /// Makes an object, or changes it when `update`.
    ///
    /// # Errors
    /// What the API server refuses, in its words.
    pub fn put(
        &mut self,
        mut object: Value,
        namespace: &str,
        update: bool,
    ) -> Result<(Value, Applied), String> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if kind.is_empty() || object["apiVersion"].as_str().is_none() {
            return Err("error: error validating data: [apiVersion not set, kind not set]".into());
        }
        if name.is_empty() {
            return Err("error: error when retrieving current configuration: resource name may not be empty".into());
        }
        let namespace = match object["metadata"]["namespace"].as_str() {
            Some(given) => given.to_owned(),
            None => namespace.to_owned(),
        };
        let wide = CLUSTER_WIDE.contains(&kind.as_str());
        if !wide && !self.has_namespace(&namespace) {
            return Err(format!(
                "Error from server (NotFound): namespaces \"{namespace}\" not found"
            ));
        }
        if kind == "Secret" {
            secret(&mut object)?;
        }
        let key = key(&kind, if wide { "" } else { &namespace }, &name);
        let Some(old) = self.get(&kind, &namespace, &name) else {
            let mut fresh = self.stamped(&kind, &namespace, &name);
            // What is made anew under an old name is another object.
            let born = format!("{key} at {}", self.now);
            let uid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, born.as_bytes());
            fresh["metadata"]["uid"] = json!(uid.to_string());
            merge(&mut fresh, object);
            self.map.insert(key, fresh.clone());
            return Ok((fresh, Applied::Created));
        };
        if !update {
            return Err(format!(
                "Error from server (AlreadyExists): {} \"{name}\" already exists",
                plural(&kind)
            ));
        }
        if kind == "Secret" && old["type"] != object["type"] {
            return Err(format!(
                "The Secret \"{name}\" is invalid: type: Invalid value: {}: field is immutable",
                object["type"]
            ));
        }
        let mut new = old.clone();
        for (member, value) in object.as_object().into_iter().flatten() {
            if member != "metadata" {
                new[member] = value.clone();
            }
        }
        // Labels and annotations of others stay.
        merge(&mut new["metadata"], object["metadata"].clone());
        if new == old {
            return Ok((new, Applied::Unchanged));
        }
        self.touch(&mut new);
        self.map.insert(key, new.clone());
        Ok((new, Applied::Configured))
    }

    /// Merges a patch into an object.
    ///
    /// # Errors
    /// It is not there.
    pub fn patch(
        &mut self,
        kind: &str,
        namespace: &str,
        name: &str,
        patch: Value,
    ) -> Result<Applied, String> {
        let old = self
            .get(kind, namespace, name)
            .ok_or_else(|| missing(kind, name))?;
        let mut new = old.clone();
        merge(&mut new, patch);
        if new == old {
            return Ok(Applied::Unchanged);
        }
        self.touch(&mut new);
        self.map.insert(key(kind, namespace, name), new);
        Ok(Applied::Configured)
    }

    /// Removes an object; a namespace with everything in it. False when it is not there.
    pub fn delete(&mut self, kind: &str, namespace: &str, name: &str) -> bool {
        if kind == "Namespace" {
            self.map
                .retain(|key, _| key.split('/').nth(1) != Some(name));
        }
        self.map.remove(&key(kind, namespace, name)).is_some()
    }

    fn has_namespace(&self, name: &str) -> bool {
        NAMESPACES.contains(&name) || self.map.contains_key(&key("Namespace", "", name))
    }

    fn stamped(&self, kind: &str, namespace: &str, name: &str) -> Value {
        let uid = uuid::Uuid::new_v5(
            &uuid::Uuid::NAMESPACE_OID,
            format!("{kind}/{namespace}/{name}").as_bytes(),
        );
        let mut metadata = json!({ "name": name, "uid": uid.to_string(), "resourceVersion": "1", "creationTimestamp": self.now });
        if !CLUSTER_WIDE.contains(&kind) {
            metadata["namespace"] = json!(namespace);
        }
        json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata })
    }

    fn touch(&self, object: &mut Value) {
        let version: u64 = object["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        object["metadata"]["resourceVersion"] = json!((version + 1).to_string());
    }
}

/// RFC 7396, for objects of Kubernetes: null removes.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn key(kind: &str, namespace: &str, name: &str) -> String {
    let namespace = if CLUSTER_WIDE.contains(&kind) {
        ""
    } else {
        namespace
    };
    format!("{kind}/{namespace}/{name}")
}

/// `Error from server (NotFound): secrets "x" not found`.
#[must_use]
pub fn missing(kind: &str, name: &str) -> String {
    format!(
        "Error from server (NotFound): {} \"{name}\" not found",
        plural(kind)
    )
}

/// The word of a kind in messages, `secrets`.
#[must_use]
pub fn plural(kind: &str) -> String {
    format!("{}s", kind.to_lowercase())
}

/// The kind that a word of a command means, with its short forms.
#[must_use]
pub fn kind_of(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    Some(match word.as_str() {
        "secret" | "secrets" => "Secret",
        "namespace" | "namespaces" | "ns" => "Namespace",
        "serviceaccount" | "serviceaccounts" | "sa" => "ServiceAccount",
        "configmap" | "configmaps" | "cm" => "ConfigMap",
        "pod" | "pods" | "po" => "Pod",
        "deployment" | "deployments" | "deploy" => "Deployment",
        "service" | "services" | "svc" => "Service",
        "node" | "nodes" | "no" => "Node",
        "poddisruptionbudget" | "poddisruptionbudgets" | "pdb" => "PodDisruptionBudget",
        _ => return None,
    })
}

/// Completes and checks a secret: `stringData` goes into `data`, values are base64, and what a registry's
/// secret must hold is there.
fn secret(object: &mut Value) -> Result<(), String> {
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let texts = object
        .as_object_mut()
        .and_then(|map| map.remove("stringData"));
    if object.get("data").is_none_or(Value::is_null) {
        object["data"] = json!({});
    }
    for (member, text) in texts
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        object["data"][member] = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
    }
    if object["type"].as_str().is_none() {
        object["type"] = json!("Opaque");
    }
    for (member, value) in object["data"].as_object().into_iter().flatten() {
        if value
            .as_str()
            .is_none_or(|text| STANDARD.decode(text).is_err())
        {
            return Err(format!(
                "Error from server (BadRequest): Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data in data.{member}"
            ));
        }
    }
    if object["type"] == "kubernetes.io/dockerconfigjson" {
        let held = object["data"][".dockerconfigjson"]
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok());
        if held.is_none_or(|bytes| serde_json::from_slice::<Value>(&bytes).is_err()) {
            return Err(format!(
                "The Secret \"{name}\" is invalid: data[.dockerconfigjson]: Required value"
            ));
        }
    }
    Ok(())
}
