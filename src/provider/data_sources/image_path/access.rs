//! Who pulls, and whether the registry lets him: identity, role and mode, and the kind of token.

use std::collections::BTreeSet;

use super::finding::{Check, Finding};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Seen, Unread};
use crate::provider::resources::registry_access::{self, Standing};

/// The identity, its role, and the kind of token.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn findings(
    cluster_id: &ArmId,
    cluster: &Json,
    registry_id: &ArmId,
    registry: &Json,
    repositories: Option<&BTreeSet<String>>,
    seen: &Seen,
) -> Result<Vec<Finding>, Unread> {
    Ok(vec![
        identity(cluster_id, cluster),
        role(cluster_id, registry_id, registry, repositories, seen)?,
        token_audience(registry_id, registry),
    ])
}

fn identity(cluster_id: &ArmId, cluster: &Json) -> Finding {
    let check = Check::KubeletIdentity;
    let kubelet = &cluster["properties"]["identityProfile"]["kubeletidentity"];
    let client = cluster["properties"]["servicePrincipalProfile"]["clientId"].as_str();
    if let Some(object) = kubelet["objectId"].as_str() {
        return Finding::ok(check, "The nodes pull with the cluster's kubelet identity.").evidence(
            [
                format!("object id {object}"),
                kubelet["resourceId"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            ],
        );
    }
    match client.filter(|client| *client != "msi") {
        Some(client) => Finding::unknown(
            check,
            "The cluster logs in with a service principal, whose object id Azure Resource Manager does not \
             show.",
        )
        .evidence([format!("client id {client}")])
        .fix("Give the cluster a managed identity: az aks update --enable-managed-identity"),
        None => Finding::problem(
            check,
            "The cluster shows no kubelet identity, so that nothing can pull with it.",
            "Wait until the cluster has been created; one whose creation failed is reconciled with az \
             resource update or the next apply.",
        )
        .evidence([cluster_id]),
    }
}

fn role(
    cluster_id: &ArmId,
    registry_id: &ArmId,
    registry: &Json,
    repositories: Option<&BTreeSet<String>>,
    seen: &Seen,
) -> Result<Finding, Unread> {
    let check = Check::Role;
    let mode = registry_access::mode(registry);
    if registry["properties"]["anonymousPullEnabled"] == true {
        let summary = "Nobody needs a role: the registry lets everyone pull who reaches it.";
        return Ok(Finding::ok(check, summary).evidence([registry_id]));
    }
    let pulls = registry_access::pulls(registry_id, cluster_id, repositories, seen)?;
    if pulls.is_empty() {
        return Ok(Finding::unknown(
            check,
            "Without an identity there is nobody whose roles could be looked up.",
        ));
    }
    let mut worst = None::<Finding>;
    for grant in pulls {
        let who = format!("{} ({})", grant.key, grant.principal);
        let principal = format!("object id {}", grant.principal);
        let role = grant.role.name;
        let finding = match registry_access::assignments_of(registry_id, &grant.principal, seen)? {
            Look::Denied(_) | Look::Absent => Finding::unknown(
                check,
                format!("Whether {who} has the role {role} may not be looked up."),
            )
            .evidence([format!(
                "{registry_id}: the caller may not list its role assignments, which takes the action \
                 `Microsoft.Authorization/roleAssignments/read`"
            )]),
            Look::Found(list) => match &grant.standing {
                Standing::Ours(id) | Standing::Theirs(id) => {
                    Finding::ok(check, format!("{who} may pull, in the registry's mode {mode}."))
                        .evidence([id.to_string(), principal])
                }
                Standing::InTheWay(id) => narrowed(&who, &principal, id.as_str(), list),
                Standing::Missing => match registry_access::narrowed_pull(&grant, list) {
                    Some(id) => narrowed(&who, &principal, id.as_str(), list),
                    None => Finding::problem(
                        check,
                        format!(
                            "{who} does not have the role {role}, which pulls take in the registry's mode \
                             {mode}{}. Roles that it has through a group are not seen.",
                            registry_access::useless(&grant, list)
                        ),
                        format!(
                            "resource \"fkaks_registry_access\" \"example\" {{\n  registry_id = \
                             \"{registry_id}\"\n  cluster_id  = \"{cluster_id}\"\n  permissions = \
                             [\"pull\"]\n}}"
                        ),
                    )
                    .evidence([principal, format!("role assignment mode {mode}")]),
                },
            },
        };
        worst = match worst {
            Some(worst) if worst.verdict <= finding.verdict => Some(worst),
            _ => Some(finding),
        };
    }
    Ok(worst.unwrap_or_else(|| Finding::unknown(check, "No role is needed.")))
}

/// A grant with a condition opens some repositories, and which ones is nothing that is guessed here.
fn narrowed(who: &str, principal: &str, id: &str, list: &[Json]) -> Finding {
    let condition = list
        .iter()
        .find(|assignment| {
            assignment["id"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        })
        .and_then(|assignment| assignment["properties"]["condition"].as_str());
    Finding::unknown(
        Check::Role,
        format!("{who} may pull under a condition, which opens some repositories and not all."),
    )
    .evidence([id.to_owned(), principal.to_owned()])
    .evidence(condition.map(|condition| format!("condition: {condition}")))
    .fix(
        "Compare the condition with the repositories that are pulled, or give repositories here, as they \
         stand in fkaks_registry_access.",
    )
}

fn token_audience(registry_id: &ArmId, registry: &Json) -> Finding {
    let policy = &registry["properties"]["policies"]["azureADAuthenticationAsArmPolicy"];
    if policy["status"] == "disabled" {
        return Finding::unknown(
            Check::TokenAudience,
            "The registry refuses tokens that were made for Azure Resource Manager. Nodes with an older image \
             log in with such tokens.",
        )
        .evidence([registry_id])
        .fix("Upgrade the node images, or allow them:\n\n  arm_audience_authentication_enabled = true");
    }
    let summary = "The registry takes the tokens that nodes log in with.";
    Finding::ok(Check::TokenAudience, summary)
}
