//! The identities of a cluster: the control plane's, the kubelet's with which nodes pull images, and those
//! of add-ons. What the cluster makes lies in its node resource group.

use serde_json::{Value, json};

use super::{invalid, node_group, on};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types::authorization::rights::has_right;
use crate::types::managed_identity::identities::NAME;

const KUBELET: &str = "/properties/identityProfile/kubeletidentity";
const ASSIGNED: &str = "/identity/userAssignedIdentities";

/// The add-ons that run as an identity, and the word its name begins with.
const ADD_ONS: &[(&str, &str)] = &[
    ("azurepolicy", "azurepolicy"),
    ("omsagent", "omsagent"),
    (
        "azureKeyvaultSecretsProvider",
        "azurekeyvaultsecretsprovider",
    ),
    ("ingressApplicationGateway", "ingressapplicationgateway"),
];

/// Checks the identities of a cluster's body.
///
/// # Errors
/// `InvalidIdentityValues`, `FailedIdentityOperation`, `CustomKubeletIdentity...`.
pub fn check(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    match new.text("/identity/type") {
        Some("SystemAssigned" | "UserAssigned" | "None") => {}
        other => {
            return Err(invalid(
                "identity.type",
                format!(
                    "The identity type {} is none of SystemAssigned, UserAssigned, None",
                    other.unwrap_or("(none)")
                ),
            ));
        }
    }
    assigned(world, new)?;
    kubelet(world, new, old)
}

fn assigned(world: &World, new: &Resource) -> ArmResult<()> {
    let user = new.text("/identity/type") == Some("UserAssigned");
    let given = new
        .at(ASSIGNED)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    if user && given.len() != 1 {
        return Err(invalid(
            "identity.userAssignedIdentities",
            format!(
                "A cluster has exactly one user-assigned identity, the body names {}",
                given.len()
            ),
        ));
    }
    for (id, value) in &given {
        if value.as_object().is_none_or(|map| !map.is_empty()) {
            return Err(ArmError::bad(
                "InvalidIdentityValues",
                format!(
                    "Invalid value for the identities '{id}'. The 'UserAssignedIdentities' property keys should only be empty json objects, null or the resource exisiting property."
                ),
            ));
        }
        let found = ResourceId::parse(id).is_some_and(|id| {
            id.type_name().eq_ignore_ascii_case(NAME) && world.get(id.as_str()).is_some()
        });
        if !found {
            return Err(ArmError::bad(
                "FailedIdentityOperation",
                format!(
                    "Identity operation for resource '{}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{{\"error\":{{\"code\":\"BadRequest\",\"message\":\"Resource '{id}' was not found.\"}}}}'.",
                    new.id
                ),
            ));
        }
    }
    Ok(())
}

/// A kubelet identity of the user's needs a control plane of the user's that may assign it.
fn kubelet(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let Some(given) = new.text(&format!("{KUBELET}/resourceId")) else {
        return Ok(());
    };
    let before = old.and_then(|old| old.text(&format!("{KUBELET}/resourceId")));
    if before.is_some_and(|before| before.eq_ignore_ascii_case(given)) {
        return Ok(());
    }
    if new.text("/identity/type") != Some("UserAssigned") {
        return Err(ArmError::bad(
            "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
            "Custom kubelet identity is only supported on user assigned MSI cluster.",
        )
        .at("identityProfile.kubeletidentity"));
    }
    if world.get(given).is_none_or(|found| found.type_name != NAME) {
        return Err(ArmError::bad(
            "GetUserAssignedIdentityResourceError",
            format!("The user-assigned identity {given} was not found."),
        )
        .at("identityProfile.kubeletidentity"));
    }
    let principal = principal(world, new).unwrap_or_default();
    // The role Managed Identity Operator names the action with a `*` before `assign`.
    let actions = ["assign/action", "any/assign/action"];
    let may = actions.iter().any(|action| {
        let action = format!("Microsoft.ManagedIdentity/userAssignedIdentities/{action}");
        has_right(world, &principal, &action, given)
    });
    if may {
        return Ok(());
    }
    Err(ArmError::bad(
        "CustomKubeletIdentityMissingPermissionError",
        "The cluster using user-assigned managed identity must be granted 'Managed Identity Operator' role to assign kubelet identity. You can run 'az role assignment create --assignee <control-plane-identity-principal-id> --role 'Managed Identity Operator' --scope <kubelet-identity-resource-id>' to grant the permission. See https://learn.microsoft.com/en-us/azure/aks/use-managed-identity#add-role-assignment",
    ))
}

/// The object id of the control plane.
#[must_use]
pub fn principal(world: &World, cluster: &Resource) -> Option<String> {
    if cluster.text("/identity/type") == Some("SystemAssigned") {
        return cluster.text("/identity/principalId").map(ToOwned::to_owned);
    }
    let id = cluster.at(ASSIGNED)?.as_object()?.keys().next()?;
    world
        .get(id)?
        .text("/properties/principalId")
        .map(ToOwned::to_owned)
}

/// The control plane's identity when a write is accepted: a principal of its own for `SystemAssigned`.
pub fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) {
    for name in ["principalId", "tenantId"] {
        new.unset(&format!("/identity/{name}"));
    }
    if new.text("/identity/type") != Some("SystemAssigned") {
        return;
    }
    let before = old
        .and_then(|old| old.text("/identity/principalId"))
        .map(ToOwned::to_owned);
    let principal = before.unwrap_or_else(|| world.guid());
    new.set("/identity/principalId", principal);
    new.set("/identity/tenantId", world.tenant.clone());
    new.unset(ASSIGNED);
}

/// Makes the identities of kubelet and add-ons and notes them in the cluster.
///
/// # Errors
/// The identity type refuses the name.
pub fn make(world: &mut World, cluster: &Resource) -> ArmResult<()> {
    let kubelet = match cluster.text(&format!("{KUBELET}/resourceId")) {
        Some(given) => given.to_owned(),
        None => own(world, cluster, &format!("{}-agentpool", cluster.id.name()))?,
    };
    note(world, cluster, KUBELET, &kubelet);
    for (add_on, word) in ADD_ONS {
        let pointer = format!("/properties/addonProfiles/{add_on}");
        if on(cluster, &format!("{pointer}/enabled")) {
            let id = own(world, cluster, &format!("{word}-{}", cluster.id.name()))?;
            note(world, cluster, &format!("{pointer}/identity"), &id);
        }
    }
    Ok(())
}

fn own(world: &mut World, cluster: &Resource, name: &str) -> ArmResult<String> {
    let id = node_group::member(cluster, NAME, name);
    if world.get(id.as_str()).is_none() {
        node_group::put(
            world,
            &id,
            NAME,
            json!({ "location": cluster.text("/location") }),
        )?;
    }
    Ok(id.as_str().to_owned())
}

fn note(world: &mut World, cluster: &Resource, pointer: &str, id: &str) {
    let text = |world: &World, name: &str| {
        world
            .get(id)
            .and_then(|found| found.text(&format!("/properties/{name}")))
            .map(ToOwned::to_owned)
    };
    let value = json!({ "resourceId": id, "clientId": text(world, "clientId"), "objectId": text(world, "principalId") });
    if let Some(cluster) = world.get_mut(cluster.id.as_str()) {
        cluster.set(pointer, value);
    }
}

/// Shows the ids of user-assigned identities with what they are in the directory.
pub fn render(world: &World, body: &mut Value) {
    if let Some(Value::Object(given)) = body.pointer_mut(ASSIGNED) {
        for (id, value) in given {
            if let Some(found) = world.get(id) {
                *value = json!({
                    "clientId": found.text("/properties/clientId"),
                    "principalId": found.text("/properties/principalId"),
                });
            }
        }
    }
}
