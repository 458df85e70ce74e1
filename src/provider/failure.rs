//! Turns what went wrong into what a person reads: what cannot be done and why, the evidence,
//! `Fix:` with HCL to paste, then what Azure said with its code and request id.
//!
//! This is the one place where an error of `arm` becomes a diagnostic.

use std::fmt::Write as _;

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::Path;

use crate::arm::{ArmId, Caller, Error};

/// What was being done to an object when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A first PUT.
    Creating,
    /// A later PUT or PATCH.
    Changing,
    /// A DELETE.
    Deleting,
    /// A GET.
    Reading,
    /// An import of an image into a registry.
    ImportingImage,
    /// The deletion of an image in a registry's data plane.
    DeletingImage,
}

/// Something that could not be done.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was being done.
    pub doing: Doing,
    /// To which object.
    pub id: ArmId,
    /// The argument that it is about; empty for the whole resource.
    pub argument: &'static str,
    /// Why it could not be done.
    pub cause: Cause,
}

/// Why something could not be done.
#[derive(Debug, Clone)]
pub enum Cause {
    /// Azure refused, or could not be reached.
    Azure(Error),
    /// It exists, and this resource did not make it.
    Exists {
        /// The resource type that would own it.
        resource: &'static str,
        /// Whether the id is the resource's own, and so can be imported.
        importable: bool,
        /// Another way out, where there is one.
        remedy: Option<String>,
    },
    /// It must be kept, for these reasons.
    Kept(Vec<String>),
    /// A reason of ours.
    Plain {
        /// In a few words.
        why: String,
        /// What shows it, a line each.
        evidence: Vec<String>,
        /// The way out.
        fix: String,
    },
    /// A mistake in this provider.
    Bug(String),
}

impl Failure {
    /// Adds the failure to what the user is told.
    pub fn report(&self, caller: Option<&Caller>, diagnostics: &mut Diagnostics) {
        let path = match self.argument {
            "" => Path::root(),
            argument => argument
                .split('.')
                .fold(Path::root(), |path, step| path.then(step)),
        };
        let (summary, detail) = self.text(caller);
        diagnostics.error(path, summary, detail);
    }

    fn text(&self, caller: Option<&Caller>) -> (String, String) {
        let subject = format!("{} {}", noun(&self.id), self.id.name());
        let cannot = match self.doing {
            Doing::Creating => "cannot be created",
            Doing::Changing => "cannot be changed",
            Doing::Deleting => "cannot be deleted",
            Doing::Reading => "cannot be read",
            Doing::ImportingImage => "cannot import the image",
            Doing::DeletingImage => "cannot delete the image",
        };
        let mut detail = String::new();
        let why = match &self.cause {
            Cause::Exists {
                resource,
                importable,
                remedy,
            } => {
                let _ = writeln!(
                    detail,
                    "It is there already, and this resource did not make it:"
                );
                let _ = writeln!(detail, "- {}", self.id);
                let _ = writeln!(
                    detail,
                    "\nNothing is adopted silently, so that no two configurations fight over it."
                );
                if *importable {
                    let _ = write!(
                        detail,
                        "\nFix: take it over with an import block (and your resource's address):\n\n  \
                         import {{\n    to = {resource}.example\n    id = \"{}\"\n  }}\n",
                        self.id
                    );
                }
                if let Some(remedy) = remedy {
                    let _ = write!(
                        detail,
                        "\n{}: {remedy}\n",
                        if *importable { "Or" } else { "Fix" }
                    );
                }
                "it exists already".to_owned()
            }
            Cause::Kept(reasons) => {
                for reason in reasons {
                    let _ = writeln!(detail, "- {reason}");
                }
                "something else still depends on it".to_owned()
            }
            Cause::Plain { why, evidence, fix } => {
                let _ = writeln!(detail, "- {}", self.id);
                for line in evidence {
                    let _ = writeln!(detail, "- {line}");
                }
                let _ = write!(detail, "\nFix: {fix}\n");
                why.clone()
            }
            Cause::Bug(what) => {
                let _ = writeln!(
                    detail,
                    "{what}\n\nThis is a mistake in the provider, not in your configuration. \
                     Please report it with these lines."
                );
                "the provider made a mistake".to_owned()
            }
            Cause::Azure(error) => {
                let _ = writeln!(detail, "- {}", self.id);
                if let Some(fix) = fix(self, error, caller) {
                    let _ = write!(detail, "\nFix: {fix}\n");
                }
                said(error, &mut detail);
                reason(error)
            }
        };
        (
            format!("{subject} {cannot}: {why}"),
            detail.trim_end().to_owned(),
        )
    }
}

/// What was wrong, in a few words.
fn reason(error: &Error) -> String {
    if error.is_not_registered() {
        return "its resource provider is not registered".to_owned();
    }
    if error.is_credentials() {
        return "there is no way to log in to Azure".to_owned();
    }
    if error.is_stopped() {
        return "it was interrupted".to_owned();
    }
    if error.is_timeout() {
        return "its timeout has expired".to_owned();
    }
    if error.is_transport() {
        return "Azure cannot be reached".to_owned();
    }
    if error.is_forbidden() {
        return "a permission is missing, or a policy forbids it".to_owned();
    }
    match error.azure() {
        Some(azure) => {
            let message = azure.message.split(['\n', '\r']).next().unwrap_or_default();
            let sentence = message.split_once(". ").map_or(message, |(first, _)| first);
            let sentence = sentence.trim().trim_end_matches('.');
            if sentence.is_empty() {
                error.code().unwrap_or("Azure refused").to_owned()
            } else {
                sentence.chars().take(160).collect()
            }
        }
        None => error.to_string(),
    }
}

/// The way out, where one is known for the kind of error.
fn fix(failure: &Failure, error: &Error, caller: Option<&Caller>) -> Option<String> {
    if let Error::NotRegistered { command, .. } = error {
        return Some(format!(
            "register the resource provider once:\n\n  {command}\n\nOr let this provider do it:\n\n  \
             provider \"fkaks\" {{\n    resource_provider_registrations = \"core\"\n  }}"
        ));
    }
    let code = error.code().unwrap_or_default();
    if code.eq_ignore_ascii_case("RequestDisallowedByPolicy") {
        return Some(
            "an Azure Policy assignment named below denies this. Change the argument that it is \
             about, or have the assignment exempt this scope."
                .to_owned(),
        );
    }
    if code.eq_ignore_ascii_case("ScopeLocked") {
        return Some(format!(
            "a management lock holds it. List the locks with `az lock list --resource {}` and \
             remove the one that is in the way.",
            failure.id
        ));
    }
    let taken = [
        "AlreadyInUse",
        "NameNotAvailable",
        "RegistryNameNotAvailable",
    ];
    if failure.id.is("Microsoft.ContainerRegistry/registries")
        && taken.iter().any(|taken| code.eq_ignore_ascii_case(taken))
    {
        return Some(format!(
            "choose another name. A registry's name is part of its public host name and so unique in \
             all of Azure; someone has this one, maybe you in another group or subscription:\n\n  \
             az acr check-name --name {0}\n  az resource list --name {0} --resource-type \
             Microsoft.ContainerRegistry/registries",
            failure.id.name()
        ));
    }
    if let Some((_, remedy)) = PEERING_REMEDIES
        .iter()
        .find(|(known, _)| failure.id.is(PEERING) && code.eq_ignore_ascii_case(known))
    {
        return Some((*remedy).to_owned());
    }
    if code.eq_ignore_ascii_case("RoleAssignmentExists")
        && let Some(scope) = failure.id.parent()
    {
        return Some(format!(
            "the principal has this role there already, by a role assignment of another name, which \
             did not show in Azure's list a moment ago. Apply again: it is seen then, and counts with \
             existing = \"accept\". To see it:\n\n  az role assignment list --scope {scope}"
        ));
    }
    if failure.doing == Doing::DeletingImage {
        return Some(
            "destroy from a network that reaches the registry, as a caller with the role `AcrDelete` there \
             (in the mode AbacRepositoryPermissions: `Container Registry Repository Contributor`). Or leave the \
             image where it is, and apply this first:\n\n  delete_on_destroy = false"
                .to_owned(),
        );
    }
    if failure.doing == Doing::ImportingImage
        && (400..=404).contains(&error.status().unwrap_or_default())
    {
        return Some(format!(
            "see that the source has the image, and that it lets it be pulled: a private registry wants \
             `username` and `password_wo`, another Azure Container Registry the caller's right to pull there. \
             The caller ({}) needs a role with the action \
             `Microsoft.ContainerRegistry/registries/importImage/action` here:\n\n  \
             resource \"azurerm_role_assignment\" \"example\" {{\n    \
             scope                = \"{}\"\n    \
             role_definition_name = \"Container Registry Data Importer and Data Reader\"\n    \
             principal_id         = \"{}\"\n  }}",
            principal(caller),
            failure.id,
            principal(caller),
        ));
    }
    if error.is_forbidden() {
        let verb = match failure.doing {
            Doing::Creating | Doing::Changing => "write",
            Doing::Deleting | Doing::DeletingImage => "delete",
            Doing::Reading => "read",
            Doing::ImportingImage => "importImage/action",
        };
        let action = format!("{}/{verb}", failure.id.resource_type());
        let assigned = failure.id.is("Microsoft.Authorization/roleAssignments");
        let scope = match assigned {
            true => failure.id.parent(),
            false => failure.id.resource_group_id(),
        };
        let scope = scope.unwrap_or_else(|| match failure.id.subscription_id() {
            "" => failure.id.clone(),
            subscription => ArmId::subscription(subscription),
        });
        let principal = principal(caller);
        return Some(format!(
            "give the caller ({principal}) a role with the action `{action}`, for example\n\n  \
             resource \"azurerm_role_assignment\" \"example\" {{\n    \
             scope                = \"{scope}\"\n    \
             role_definition_name = \"{}\" # or a custom role with the action\n    \
             principal_id         = \"{principal}\"\n  }}",
            match failure.doing {
                Doing::Reading => "Reader",
                _ => role(&failure.id),
            }
        ));
    }
    if error.is_timeout() && failure.doing == Doing::Reading {
        return Some(
            "try again. If Azure is slow, raise the timeout:\n\n  timeouts = {\n    read = \"15m\"\n  }"
                .to_owned(),
        );
    }
    if error.is_timeout() {
        return Some(
            "apply again; what was begun is in the state and goes on from there. If Azure is \
             slow, raise the timeout:\n\n  timeouts = {\n    create = \"60m\"\n    update = \"60m\"\n    \
             delete = \"60m\"\n  }"
                .to_owned(),
        );
    }
    None
}

/// The caller's object id, where its token tells it.
fn principal(caller: Option<&Caller>) -> String {
    caller
        .and_then(|caller| caller.object_id.clone())
        .unwrap_or_else(|| "<object id of the caller>".to_owned())
}

const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";

/// Azure's codes for what is wrong with the other network of a peering, and the way out.
const PEERING_REMEDIES: &[(&str, &str)] = &[
    (
        "RemotePeeringIsDisconnected",
        "the peering that Azure names below is Disconnected and stands in the way. Have it deleted where \
         it is managed (`az network vnet peering delete --ids <its id>`), then apply again.",
    ),
    (
        "AnotherPeeringAlreadyReferencesRemoteVnet",
        "two networks have one peering. Import the one that Azure names below, or have it deleted where \
         it is managed.",
    ),
    (
        "VnetAddressSpacesOverlap",
        "give one of the two networks another range; Azure names the prefixes below.",
    ),
    (
        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
        "one of the two networks is peered with a third that has these addresses already. Give one of \
         them another range; or, if the peering with the third is Disconnected, have that deleted.",
    ),
    (
        "RemoteVnetHasNoGateways",
        "the other network needs a virtual network gateway that stands. If it is made in the same \
         configuration, wait for it:\n\n  depends_on = [azurerm_virtual_network_gateway.example]",
    ),
    (
        "LinkedAuthorizationFailed",
        "give the caller a role with the action `Microsoft.Network/virtualNetworks/peer/action` on the \
         other network too, Network Contributor for example; if that is in another tenant, add the \
         tenant to `auxiliary_tenant_ids` of the provider.",
    ),
];

/// The smallest of Azure's own roles that may manage objects of that type.
fn role(id: &ArmId) -> &'static str {
    let kind = id.resource_type().to_lowercase();
    if kind.starts_with("microsoft.network/privatednszones") {
        "Private DNS Zone Contributor"
    } else if kind.starts_with("microsoft.network/") {
        "Network Contributor"
    } else if kind.starts_with("microsoft.authorization/role") {
        "Role Based Access Control Administrator"
    } else {
        "Contributor"
    }
}

/// Azure's own words, with its code and request ids.
fn said(error: &Error, detail: &mut String) {
    let Some(azure) = error.azure() else {
        let _ = write!(detail, "\n{error}\n");
        return;
    };
    let _ = write!(detail, "\nAzure said: {azure}\n");
}

/// What people call an object of that type.
#[must_use]
pub fn noun(id: &ArmId) -> &'static str {
    let kind = id.resource_type();
    NOUNS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&kind))
        .map_or("object", |(_, noun)| noun)
}

const NOUNS: &[(&str, &str)] = &[
    ("Microsoft.Resources/resourceGroups", "resource group"),
    ("Microsoft.Resources/subscriptions", "subscription"),
    ("Microsoft.Network/virtualNetworks", "virtual network"),
    ("Microsoft.Network/virtualNetworks/subnets", "subnet"),
    (PEERING, "peering"),
    ("Microsoft.Network/networkInterfaces", "network interface"),
    ("Microsoft.Network/privateEndpoints", "private endpoint"),
    (
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "DNS zone group",
    ),
    ("Microsoft.Network/privateDnsZones", "private DNS zone"),
    (
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "network link",
    ),
    ("Microsoft.Network/privateDnsZones/A", "A record"),
    ("Microsoft.Network/networkSecurityGroups", "security group"),
    ("Microsoft.Network/routeTables", "route table"),
    ("Microsoft.Network/natGateways", "NAT gateway"),
    ("Microsoft.Network/publicIPAddresses", "public IP address"),
    ("Microsoft.Network/publicIPPrefixes", "public IP prefix"),
    ("Microsoft.ContainerRegistry/registries", "registry"),
    ("Microsoft.ContainerService/managedClusters", "cluster"),
    ("Microsoft.Authorization/roleAssignments", "role assignment"),
    ("Microsoft.ContainerRegistry/registries/tokens", "token"),
    (
        "Microsoft.ContainerRegistry/registries/scopeMaps",
        "scope map",
    ),
    ("Microsoft.KeyVault/vaults", "key vault"),
    ("Microsoft.KeyVault/vaults/secrets", "key vault secret"),
    (
        "Microsoft.Authorization/policyAssignments",
        "policy assignment",
    ),
    (
        "Microsoft.Authorization/policyExemptions",
        "policy exemption",
    ),
    ("Microsoft.PolicyInsights/remediations", "remediation"),
    ("Microsoft.Security/pricings", "Defender plan"),
    (
        "Microsoft.Insights/diagnosticSettings",
        "diagnostic setting",
    ),
    ("Microsoft.OperationalInsights/workspaces", "workspace"),
    (
        "Microsoft.ContainerRegistry/registries/replications",
        "replication",
    ),
    (
        "Microsoft.ContainerRegistry/registries/privateEndpointConnections",
        "endpoint connection",
    ),
];
