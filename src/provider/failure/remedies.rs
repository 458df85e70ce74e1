//! The ways out of what Azure refuses, as one table: the first that fits is told.

use super::{Doing, Failure};
use crate::arm::{ArmId, Caller, Error};

/// A refusal, and who met it.
struct Trouble<'a> {
    failure: &'a Failure,
    error: &'a Error,
    caller: Option<&'a Caller>,
}

/// When a remedy fits.
enum When {
    /// Azure's code is one of these.
    Code(&'static [&'static str]),
    /// The same, of an object of that type.
    On(&'static str, &'static [&'static str]),
    /// This says so.
    Case(fn(&Trouble<'_>) -> bool),
}

/// What is said after `Fix:`.
enum Way {
    /// Always the same.
    Said(&'static str),
    /// What depends on the refusal.
    Told(fn(&Trouble<'_>) -> String),
}

use Way::{Said, Told};
use When::{Case, Code, On};

const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const VAULT: &str = "Microsoft.KeyVault/vaults";

const REMEDIES: &[(When, Way)] = &[
    (
        Case(|trouble| matches!(trouble.error, Error::NotRegistered { .. })),
        Told(register),
    ),
    (
        Code(&["RequestDisallowedByPolicy"]),
        Said(
            "an Azure Policy assignment named below denies this. Change the argument that it is about, or have the \
             assignment exempt this scope.",
        ),
    ),
    (Code(&["ScopeLocked"]), Told(unlock)),
    (
        On(
            REGISTRY,
            &[
                "AlreadyInUse",
                "NameNotAvailable",
                "RegistryNameNotAvailable",
            ],
        ),
        Told(another_registry_name),
    ),
    (On(VAULT, &["VaultAlreadyExists"]), Told(another_vault_name)),
    (On(VAULT, &["ConflictError"]), Told(recover_the_vault)),
    (
        On(PEERING, &["RemotePeeringIsDisconnected"]),
        Said(
            "the peering that Azure names below is Disconnected and stands in the way. Have it deleted where it is \
             managed (`az network vnet peering delete --ids <its id>`), then apply again.",
        ),
    ),
    (
        On(PEERING, &["AnotherPeeringAlreadyReferencesRemoteVnet"]),
        Said(
            "two networks have one peering. Import the one that Azure names below, or have it deleted where it is \
             managed.",
        ),
    ),
    (
        On(PEERING, &["VnetAddressSpacesOverlap"]),
        Said("give one of the two networks another range; Azure names the prefixes below."),
    ),
    (
        On(PEERING, &["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"]),
        Said(
            "one of the two networks is peered with a third that has these addresses already. Give one of them \
             another range; or, if the peering with the third is Disconnected, have that deleted.",
        ),
    ),
    (
        On(PEERING, &["RemoteVnetHasNoGateways"]),
        Said(
            "the other network needs a virtual network gateway that stands. If it is made in the same \
             configuration, wait for it:\n\n  depends_on = [azurerm_virtual_network_gateway.example]",
        ),
    ),
    (
        On(PEERING, &["LinkedAuthorizationFailed"]),
        Said(
            "give the caller a role with the action `Microsoft.Network/virtualNetworks/peer/action` on the other \
             network too, Network Contributor for example; if that is in another tenant, add the tenant to \
             `auxiliary_tenant_ids` of the provider.",
        ),
    ),
    (Code(&["RoleAssignmentExists"]), Told(look_again)),
    (
        Case(|trouble| trouble.error.undrained().is_some()),
        Told(let_pods_go),
    ),
    (
        Case(|trouble| trouble.failure.doing == Doing::DeletingImage),
        Said(
            "destroy from a network that reaches the registry, as a caller with the role `AcrDelete` there (in the \
             mode AbacRepositoryPermissions: `Container Registry Repository Contributor`). Or leave the image where \
             it is, and apply this first:\n\n  delete_on_destroy = false",
        ),
    ),
    (
        Case(|trouble| {
            let status = trouble.error.status().unwrap_or_default();
            trouble.failure.doing == Doing::ImportingImage && (400..=404).contains(&status)
        }),
        Told(let_it_import),
    ),
    (Code(&["SubscriptionNotFound"]), Told(another_subscription)),
    (Code(&["ResourceGroupNotFound"]), Told(make_the_group)),
    (
        Code(&["ParentResourceNotFound"]),
        Told(make_what_it_is_part_of),
    ),
    (Case(|trouble| trouble.error.is_forbidden()), Told(permit)),
    (
        Case(|trouble| trouble.error.is_timeout() && trouble.failure.doing == Doing::Reading),
        Said(
            "try again. If Azure is slow, raise the timeout:\n\n  timeouts = {\n    read = \"15m\"\n  }",
        ),
    ),
    (
        Case(|trouble| trouble.error.is_timeout()),
        Said(
            "apply again; what was begun is in the state and goes on from there. If Azure is slow, raise the \
             timeout:\n\n  timeouts = {\n    create = \"60m\"\n    update = \"60m\"\n    delete = \"60m\"\n  }",
        ),
    ),
];

/// The way out, where one is known for the kind of error.
pub fn of(failure: &Failure, error: &Error, caller: Option<&Caller>) -> Option<String> {
    let trouble = Trouble {
        failure,
        error,
        caller,
    };
    let mut remedies = REMEDIES.iter();
    let (_, way) = remedies.find(|(when, _)| when.fits(&trouble))?;
    Some(match way {
        Said(text) => (*text).to_owned(),
        Told(tell) => tell(&trouble),
    })
}

impl When {
    fn fits(&self, trouble: &Trouble<'_>) -> bool {
        match self {
            Code(codes) => trouble.has_one_of(codes),
            On(kind, codes) => trouble.failure.id.is(kind) && trouble.has_one_of(codes),
            Case(is) => is(trouble),
        }
    }
}

impl Trouble<'_> {
    fn has_one_of(&self, codes: &[&str]) -> bool {
        let own = self.error.code().unwrap_or_default();
        codes.iter().any(|code| own.eq_ignore_ascii_case(code))
    }

    /// The caller's object id, where its token tells it.
    fn principal(&self) -> String {
        self.caller
            .and_then(|caller| caller.object_id.clone())
            .unwrap_or_else(|| "<object id of the caller>".to_owned())
    }
}

fn register(trouble: &Trouble<'_>) -> String {
    let command = match trouble.error {
        Error::NotRegistered { command, .. } => command.as_str(),
        _ => "az provider register --namespace <its namespace>",
    };
    format!(
        "register the resource provider once:\n\n  {command}\n\nOr let this provider do it:\n\n  provider \"fkaks\" {{\n    \
         resource_provider_registrations = \"core\"\n  }}"
    )
}

fn unlock(trouble: &Trouble<'_>) -> String {
    format!(
        "a management lock holds it. List the locks with `az lock list --resource {}` and remove the one that is \
         in the way.",
        trouble.failure.id
    )
}

fn another_registry_name(trouble: &Trouble<'_>) -> String {
    format!(
        "choose another name. A registry's name is part of its public host name and so unique in all of Azure; \
         someone has this one, maybe you in another group or subscription:\n\n  az acr check-name --name {0}\n  az \
         resource list --name {0} --resource-type {REGISTRY}",
        trouble.failure.id.name()
    )
}

fn another_vault_name(trouble: &Trouble<'_>) -> String {
    format!(
        "choose another name. A vault's name is part of its host name and so unique in all of Azure; someone has \
         this one, maybe you in another group or subscription, maybe as a deleted vault:\n\n  az resource list --name \
         {0} --resource-type {VAULT}\n  az keyvault list-deleted --query \"[?name=='{0}']\"",
        trouble.failure.id.name()
    )
}

fn recover_the_vault(trouble: &Trouble<'_>) -> String {
    format!(
        "if Azure speaks of a deleted vault, look at it:\n\n  az keyvault list-deleted --query \
         \"[?name=='{0}']\"\n\nWith recover_deleted = true it is recovered when it was in the same group and region, and \
         when the caller may find it: that takes a role with the action `Microsoft.KeyVault/deletedVaults/read` on \
         the subscription. Otherwise choose another name, or have it purged, for ever:\n\n  az keyvault purge --name \
         {0}",
        trouble.failure.id.name()
    )
}

fn look_again(trouble: &Trouble<'_>) -> String {
    format!(
        "the principal has this role there already, by a role assignment of another name, which did not show in \
         Azure's list a moment ago. Apply again: it is seen then, and counts with existing = \"accept\". To see \
         it:\n\n  az role assignment list --scope {}",
        scope(&trouble.failure.id)
    )
}

/// What is drained goes on by itself: the ledger has all that was made, and the next apply deletes what is left.
fn let_pods_go(trouble: &Trouble<'_>) -> String {
    let held = trouble.error.undrained().unwrap_or_default();
    let mut budgets: Vec<_> = held
        .iter()
        .map(|pod| (&pod.namespace, &pod.budget))
        .collect();
    budgets.dedup();
    let commands: String = budgets
        .into_iter()
        .map(|(namespace, budget)| {
            format!(
                "\n  kubectl --namespace {namespace} get pdb {budget}\n  kubectl --namespace {namespace} patch pdb \
                 {budget} --type merge --patch \\\n    \
                 '{{\"spec\":{{\"minAvailable\":null,\"maxUnavailable\":1}}}}'\n"
            )
        })
        .collect();
    let commands = match commands.as_str() {
        "" => {
            "\n  kubectl get pdb --all-namespaces # those with ALLOWED DISRUPTIONS 0\n".to_owned()
        }
        _ => commands,
    };
    let id = &trouble.failure.id;
    let cluster = id.parent().filter(|_| !id.is(CLUSTER));
    let cluster = cluster.as_ref().unwrap_or(id);
    format!(
        "have the budget allow a disruption, or give its workload one replica more:\n{commands}\nThen apply again. \
         Nothing is lost: what was made for this change stands and is in the state, and the next apply goes on where \
         this one stopped. A private cluster takes the commands by `az aks command invoke --resource-group {} --name \
         {} --command \"...\"`.",
        cluster.resource_group().unwrap_or_default(),
        cluster.name(),
    )
}

fn another_subscription(trouble: &Trouble<'_>) -> String {
    format!(
        "see that {} is the id of a subscription, and that it is in the tenant in which the caller signs in. It is \
         that of the given ids, or `subscription_id` of the provider. To list those that there are:\n\n  az account \
         list --all --output table",
        trouble.failure.id.subscription_id()
    )
}

fn make_the_group(trouble: &Trouble<'_>) -> String {
    let id = &trouble.failure.id;
    let group = id.resource_group_id();
    format!(
        "{} does not exist. See that its name and subscription are right; where the same configuration makes it, \
         take the id from there, so that it is made before:\n\n  resource_group_id = fkaks_resource_group.example.id",
        group.as_ref().unwrap_or(id)
    )
}

fn make_what_it_is_part_of(trouble: &Trouble<'_>) -> String {
    let id = &trouble.failure.id;
    let parent = id.parent();
    format!(
        "{} does not exist. See that the id is right; where the same configuration makes it, take its id from there \
         instead of writing it out, so that it is made before.",
        parent.as_ref().unwrap_or(id)
    )
}

fn let_it_import(trouble: &Trouble<'_>) -> String {
    let principal = trouble.principal();
    format!(
        "see that the source has the image, and that it lets it be pulled: a private registry wants `username` and \
         `password_wo`, another Azure Container Registry the caller's right to pull there. The caller ({principal}) \
         needs a role with the action `{REGISTRY}/importImage/action` here:\n\n{}",
        assignment(
            &trouble.failure.id,
            "\"Container Registry Data Importer and Data Reader\"",
            &principal
        )
    )
}

fn permit(trouble: &Trouble<'_>) -> String {
    let id = &trouble.failure.id;
    let (verb, role) = match trouble.failure.doing {
        Doing::Creating | Doing::Changing => ("write", role(id)),
        Doing::Deleting | Doing::DeletingImage => ("delete", role(id)),
        Doing::Reading => ("read", "Reader"),
        Doing::ImportingImage => ("importImage/action", role(id)),
        Doing::RunningCommand => ("runCommand/action", role(id)),
    };
    let principal = trouble.principal();
    format!(
        "give the caller ({principal}) a role with the action `{}/{verb}`, for example\n\n{}",
        id.resource_type(),
        assignment(
            &scope(id),
            &format!("\"{role}\" # or a custom role with the action"),
            &principal
        )
    )
}

fn assignment(scope: &ArmId, role: &str, principal: &str) -> String {
    format!(
        "  resource \"azurerm_role_assignment\" \"example\" {{\n    scope                = \"{scope}\"\n    \
         role_definition_name = {role}\n    principal_id         = \"{principal}\"\n  }}"
    )
}

/// Where a role must hold so that an object may be written: at what it is assigned to, at its group, or at its
/// subscription.
fn scope(id: &ArmId) -> ArmId {
    let extends = id
        .resource_type()
        .to_lowercase()
        .starts_with("microsoft.authorization/");
    let around = match extends {
        true => id.parent(),
        false => id.resource_group_id(),
    };
    around.unwrap_or_else(|| match id.subscription_id() {
        "" => id.parent().unwrap_or_else(|| id.clone()),
        subscription => ArmId::subscription(subscription),
    })
}

/// The smallest of Azure's own roles that may manage objects of a type, by what the type's name begins with
/// (Microsoft Learn, "Azure built-in roles").
const ROLES: &[(&str, &str)] = &[
    (
        "microsoft.network/privatednszones",
        "Private DNS Zone Contributor",
    ),
    ("microsoft.network/", "Network Contributor"),
    (
        "microsoft.authorization/role",
        "Role Based Access Control Administrator",
    ),
    (
        "microsoft.authorization/policy",
        "Resource Policy Contributor",
    ),
    ("microsoft.keyvault/", "Key Vault Contributor"),
    ("microsoft.policyinsights/", "Resource Policy Contributor"),
    ("microsoft.security/", "Security Admin"),
];

fn role(id: &ArmId) -> &'static str {
    let kind = id.resource_type().to_lowercase();
    let mut roles = ROLES.iter();
    let found = roles.find(|(beginning, _)| kind.starts_with(beginning));
    found.map_or("Contributor", |(_, role)| role)
}

#[cfg(test)]
mod tests;
