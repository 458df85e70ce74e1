//! The one table of error codes that are worth another try, and the only place that reads the text
//! of a message, where Azure gives one code for two causes. A miss here only ends a retry early.
//!
//! Sources: Microsoft Learn, "Resolve errors for resource not found" and "Throttling Resource
//! Manager requests"; issues of azurerm and of the REST specifications that name the codes.

use super::azure_error::AzureError;

/// Why a request failed that may succeed when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Another operation holds the object or one that it depends on. Passes by itself.
    Contention,
    /// Something that the request refers to is not visible yet, though we made it a moment ago.
    NotYet,
    /// Something that used the object, and that we deleted a moment ago, has not let go yet.
    Releasing,
    /// Entra or role assignments have not reached every region yet.
    Replication,
    /// The subscription has not registered the resource provider.
    NotRegistered,
}

/// A code, words that the message must contain (lower case; empty for any), and the cause.
/// A `*` at the place of the object's name stands for any text.
const TABLE: &[(&str, &str, Cause)] = &[
    ("RetryableError", "", Cause::Contention),
    ("RetryableErrorDueToAnotherOperation", "", Cause::Contention),
    ("AnotherOperationInProgress", "", Cause::Contention),
    ("ReferencedResourceNotProvisioned", "", Cause::Contention),
    ("StorageAccountOperationInProgress", "", Cause::Contention),
    (
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        "",
        Cause::Contention,
    ),
    // A registry that is being updated, and any service that has no code of its own for it.
    ("Conflict", "another operation", Cause::Contention),
    ("Conflict", "in progress", Cause::Contention),
    // AKS: "Another operation (Updating) is in progress". Otherwise the code means "never".
    ("OperationNotAllowed", "in progress", Cause::Contention),
    // A remediation that runs can be neither written nor deleted until it has ended.
    ("InvalidDeleteRemediationRequest", "", Cause::Contention),
    ("ResourceNotFound", "", Cause::NotYet),
    ("ResourceGroupNotFound", "", Cause::NotYet),
    ("ParentResourceNotFound", "", Cause::NotYet),
    ("RoleAssignmentNotFound", "", Cause::NotYet),
    ("PolicyAssignmentNotFound", "", Cause::NotYet),
    ("PolicyExemptionNotFound", "", Cause::NotYet),
    ("NotFound", "", Cause::NotYet),
    ("InvalidResourceReference", "", Cause::NotYet),
    ("LinkedInvalidPropertyId", "", Cause::NotYet),
    ("ResourceGroupBeingDeleted", "", Cause::Releasing),
    ("InUse*CannotBeDeleted", "", Cause::Releasing),
    ("PublicIPAddressCannotBeDeleted", "", Cause::Releasing),
    ("NicReservedForAnotherVm", "", Cause::Releasing),
    // A zone whose links were deleted just now still counts them.
    ("CannotDeleteResource", "", Cause::Releasing),
    ("PrincipalNotFound", "", Cause::Replication),
    (
        "CustomPrivateDNSZoneMissingPermissionError",
        "",
        Cause::Replication,
    ),
    ("MissingSubscriptionRegistration", "", Cause::NotRegistered),
];

/// The cause that the table gives for an error, looking at its details too: a failed operation
/// often wraps the code that matters.
pub(super) fn cause(error: &AzureError) -> Option<Cause> {
    let own = error
        .code
        .as_deref()
        .and_then(|code| find(code, &error.message));
    own.or_else(|| {
        error
            .details
            .iter()
            .find_map(|d| d.code.as_deref().and_then(|code| find(code, &d.message)))
    })
}

fn find(code: &str, message: &str) -> Option<Cause> {
    let message = message.to_lowercase();
    TABLE
        .iter()
        .find(|(pattern, words, _)| matches(pattern, code) && message.contains(words))
        .map(|(.., cause)| *cause)
}

fn matches(pattern: &str, code: &str) -> bool {
    match pattern.split_once('*') {
        None => code.eq_ignore_ascii_case(pattern),
        Some((start, end)) => {
            let (code, start, end) = (
                code.to_ascii_lowercase(),
                start.to_ascii_lowercase(),
                end.to_ascii_lowercase(),
            );
            code.strip_prefix(&start)
                .is_some_and(|rest| rest.ends_with(&end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::Detail;

    fn of(code: &str, message: &str) -> Option<Cause> {
        cause(&AzureError {
            code: Some(code.into()),
            message: message.into(),
            ..AzureError::default()
        })
    }

    #[test]
    fn a_code_with_two_causes_is_told_apart_by_its_words() {
        assert_eq!(
            of("Conflict", "Another operation is running."),
            Some(Cause::Contention)
        );
        assert_eq!(of("Conflict", "The network is already linked."), None);
        assert_eq!(
            of(
                "OperationNotAllowed",
                "Another operation (Updating) is in progress"
            ),
            Some(Cause::Contention)
        );
        assert_eq!(of("OperationNotAllowed", "Quota exceeded"), None);
    }

    #[test]
    fn codes_match_in_any_case_and_with_the_kind_of_object_left_open() {
        assert_eq!(of("retryableerror", ""), Some(Cause::Contention));
        assert_eq!(of("InUseSubnetCannotBeDeleted", ""), Some(Cause::Releasing));
        assert_eq!(
            of("InUseNetworkSecurityGroupCannotBeDeleted", ""),
            Some(Cause::Releasing)
        );
        assert_eq!(of("ScopeLocked", ""), None);
    }

    #[test]
    fn the_code_that_matters_may_be_in_the_details() {
        let error = AzureError {
            code: Some("DeploymentFailed".into()),
            details: vec![Detail {
                code: Some("RetryableError".into()),
                ..Detail::default()
            }],
            ..AzureError::default()
        };
        assert_eq!(cause(&error), Some(Cause::Contention));
    }
}
