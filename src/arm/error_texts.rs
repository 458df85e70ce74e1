//! The one table of error codes that are worth another try, and the only place that reads the text
//! of a message, where Azure gives one code for two causes. A miss here only ends a retry early, or
//! leaves evidence in Azure's own words.
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

/// A pod that a disruption budget does not let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPod {
    /// The namespace of both.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The budget's name.
    pub budget: String,
}

/// The pods that kept nodes of AKS from being drained, where that is why an operation failed; the
/// list is empty where Azure names none.
///
/// The code is that of the operation (`UpgradeFailed`, `DeleteVMSSAgentPoolFailed`) and stands for
/// other failures too. What says it is `PodDrainFailure` in the text, or `NAMESPACE/POD blocked by
/// pdb BUDGET` (Microsoft Learn, "Troubleshoot UpgradeFailed errors due to eviction failures caused
/// by PDBs"; issues 2090 and 3384 of Azure/AKS, 10411 of azurerm).
pub(super) fn undrained(error: &AzureError) -> Option<Vec<HeldPod>> {
    const HELD: &str = " blocked by pdb ";
    let below = error.details.iter();
    let below = below.flat_map(|detail| [detail.code.as_deref(), Some(detail.message.as_str())]);
    let texts = [error.code.as_deref(), Some(error.message.as_str())];
    let text = texts.into_iter().chain(below).flatten();
    let text = text.collect::<Vec<_>>().join("\n");
    let mut held = Vec::new();
    for (at, _) in text.match_indices(HELD) {
        let before = text[..at].split_whitespace().next_back();
        let after = text[at + HELD.len()..].split_whitespace().next();
        let name = |text: &str| {
            let is_no_name = |c: char| !c.is_ascii_alphanumeric();
            text.trim_matches(is_no_name).to_owned()
        };
        if let Some(((namespace, pod), budget)) = before.and_then(|b| b.split_once('/')).zip(after)
        {
            let found = HeldPod {
                namespace: name(namespace),
                pod: name(pod),
                budget: name(budget),
            };
            if !held.contains(&found) {
                held.push(found);
            }
        }
    }
    (!held.is_empty() || text.contains(HELD) || text.contains("PodDrainFailure")).then_some(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::Detail;

    fn held(namespace: &str, pod: &str, budget: &str) -> HeldPod {
        let (namespace, pod, budget) = (namespace.into(), pod.into(), budget.into());
        HeldPod {
            namespace,
            pod,
            budget,
        }
    }

    #[test]
    fn who_keeps_a_node_from_being_drained_is_found_in_each_of_azures_wordings() {
        let of = |code: &str, message: &str| {
            undrained(&AzureError {
                code: Some(code.into()),
                message: message.into(),
                ..AzureError::default()
            })
        };
        let learn = "Original error: Cannot evict pod as it would violate the pod's disruption budget.. PDB debug \
                     info: shop/web-0 blocked by pdb web with 0 unready pods.";
        let one = vec![held("shop", "web-0", "web")];
        assert_eq!(of("UpgradeFailed", learn), Some(one.clone()));
        let wrapped = format!(
            "retry failed: {{\n  \"code\": \"PodDrainFailure\",\n  \"message\": \"{learn}\"\n}}"
        );
        assert_eq!(of("DeleteVMSSAgentPoolFailed", &wrapped), Some(one));
        let several = "Drain of akswin1000002 did not complete:\n  Too many req pod api-1 on node akswin1000002: \
                       apps/api-1 blocked by pdb api with unready pods []. apps/api-1 blocked by pdb api with \
                       unready pods []. blog/b-0 blocked by pdb b (MinAvailable: 1)";
        assert_eq!(
            of("CreateVMSSAgentPoolFailed", several),
            Some(vec![held("apps", "api-1", "api"), held("blog", "b-0", "b")])
        );
        let unnamed = "{ \"code\": \"PodDrainFailure\", \"message\": \"Drain did not complete pods [web-0] within 10m0s\" }";
        assert_eq!(of("DeleteVMSSAgentPoolFailed", unnamed), Some(Vec::new()));
        assert_eq!(
            of("DeleteVMSSAgentPoolFailed", "The quota is used up."),
            None
        );
    }

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
