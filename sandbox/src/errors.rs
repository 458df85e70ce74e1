//! Errors in Azure Resource Manager's shapes and codes: `{"error": {"code", "message", "target", "details"}}`.
//! One constructor for each error that more than one type raises; a type's own errors are made with `ArmError::new`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::id::ResourceId;

/// An error as Azure Resource Manager would answer it.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct ArmError {
    /// The HTTP status.
    pub status: u16,
    /// Azure's code, such as `ResourceNotFound`.
    pub code: String,
    /// What Azure says.
    pub message: String,
    /// The property or namespace at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Further errors: code and message.
    #[serde(default)]
    pub details: Vec<ArmError>,
    /// What Azure Policy adds: a list of `{"type", "info"}`, one for each policy.
    #[serde(default)]
    pub additional_info: Option<Box<Value>>,
    /// True when the answer carries the configured `Retry-After`.
    #[serde(default)]
    pub retry: bool,
    /// True when the answer is the error itself, without the member `error` around it: Azure Monitor's way.
    #[serde(default)]
    pub bare: bool,
}

/// What hooks and handlers return.
pub type ArmResult<T> = Result<T, ArmError>;

impl ArmError {
    /// An error with its status, code and message.
    #[must_use]
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            target: None,
            details: Vec::new(),
            additional_info: None,
            retry: false,
            bare: false,
        }
    }

    /// A 400 with this code.
    #[must_use]
    pub fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A 409 with this code.
    #[must_use]
    pub fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    /// The same error with the property at fault.
    #[must_use]
    pub fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The same error with one more detail.
    #[must_use]
    pub fn with(mut self, detail: Self) -> Self {
        self.details.push(detail);
        self
    }

    /// The same error, answered without the member `error` around it.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The member `error` of the answer's body.
    #[must_use]
    pub fn inner(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(target) = &self.target {
            error["target"] = json!(target);
        }
        if !self.details.is_empty() {
            error["details"] = self.details.iter().map(Self::inner).collect();
        }
        if let Some(info) = &self.additional_info {
            error["additionalInfo"] = (**info).clone();
        }
        error
    }
}

/// 404 for a resource that is not there. Children of network resources use `NotFound`.
#[must_use]
pub fn not_found(id: &ResourceId, code: &str) -> ArmError {
    if code == "NotFound" {
        return ArmError::new(404, code, format!("Resource {id} not found."));
    }
    if id.type_name() == "Microsoft.Resources/resourceGroups" {
        return group_not_found(id.name());
    }
    let short = id.names().join("/");
    ArmError::new(
        404,
        code,
        format!(
            "The Resource '{}/{short}' under resource group '{}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            id.type_name(),
            id.group().unwrap_or("<null>"),
        ),
    )
}

/// 404 for a missing resource group.
#[must_use]
pub fn group_not_found(group: &str) -> ArmError {
    ArmError::new(
        404,
        "ResourceGroupNotFound",
        format!("Resource group '{group}' could not be found."),
    )
}

/// 404 for a write below a resource that is not there.
#[must_use]
pub fn parent_not_found(id: &ResourceId, parent: &ResourceId) -> ArmError {
    ArmError::new(
        404,
        "ParentResourceNotFound",
        format!(
            "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{parent}' could not be found.",
            id.type_name().split_once('/').map_or("", |(_, kind)| kind),
        ),
    )
}

/// 400 for a body that is not what the type takes.
#[must_use]
pub fn invalid_content(message: impl AsRef<str>) -> ArmError {
    ArmError::bad(
        "InvalidRequestContent",
        format!(
            "The request content was invalid and could not be deserialized: '{}'.",
            message.as_ref()
        ),
    )
}

/// 400 for a reference to a resource that does not exist, as the network provider words it.
#[must_use]
pub fn invalid_reference(referenced: &str, by: &ResourceId) -> ArmError {
    ArmError::bad(
        "InvalidResourceReference",
        format!(
            "Resource {referenced} referenced by resource {by} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region."
        ),
    )
}

/// 429 of the network provider for a write while another one runs on the same network.
#[must_use]
pub fn retryable(busy: &ResourceId, by: &ResourceId) -> ArmError {
    let mut error = ArmError::new(429, "RetryableError", "A retryable error occurred.").with(ArmError::new(
        429, "ReferencedResourceNotProvisioned", format!(
            "Cannot proceed with operation because resource {busy} used by resource {by} is not in Succeeded state. Resource is in Updating state and the last operation that updated/is updating the resource is still running.")));
    error.retry = true;
    error
}

/// 409 for a write or delete while another operation runs on the same or a dependent resource.
#[must_use]
pub fn another_operation(busy: &ResourceId) -> ArmError {
    let mut error = ArmError::conflict(
        "AnotherOperationInProgress",
        format!(
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri of the operation that runs on {busy}."
        ),
    );
    error.retry = true;
    error
}
