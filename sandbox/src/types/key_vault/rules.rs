//! The rules of a vault's properties. Texts are Azure's where public reports show them.

use serde_json::Value;
use uuid::Uuid;

use super::vaults::{PURGE_PROTECTION, RBAC, RECOVER, RETENTION};
use super::{NAMESPACE, bad};
use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};

const POLICIES: &str = "/properties/accessPolicies";
const SOFT_DELETE: &str = "/properties/enableSoftDelete";
/// Most access policies of a vault (documentation of access policies).
const MOST_POLICIES: usize = 1024;

/// Checks the vault as it shall be.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let tenant = new.text("/properties/tenantId").unwrap_or_default();
    if Uuid::parse_str(tenant).is_err() {
        return Err(bad("The parameter tenantId has an invalid value."));
    }
    one_of(new, "sku.family", &["A"])?;
    one_of(new, "sku.name", &["standard", "premium"])?;
    switches(new)?;
    check_deletion(new, old)?;
    let recover = new.text("/properties/createMode") == Some(RECOVER);
    if new.at(POLICIES).is_none() && new.at(RBAC) != Some(&Value::Bool(true)) && !recover {
        return Err(bad("The parameter accessPolicies is not specified."));
    }
    check_policies(new.items(POLICIES))?;
    check_network(world, new)
}

fn one_of(new: &Resource, path: &str, words: &[&str]) -> ArmResult<()> {
    let pointer = format!("/properties/{}", path.replace('.', "/"));
    let text = new.text(&pointer).unwrap_or_default();
    match words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        true => Ok(()),
        false => Err(bad(format!(
            "Invalid value found at properties.{path}: '{text}'. The values are {}.",
            words.join(", ")
        ))),
    }
}

fn switches(new: &Resource) -> ArmResult<()> {
    for name in [
        "enabledForDeployment",
        "enabledForDiskEncryption",
        "enabledForTemplateDeployment",
        "enableSoftDelete",
        "enableRbacAuthorization",
        "enablePurgeProtection",
    ] {
        if new
            .at(&format!("/properties/{name}"))
            .is_some_and(|value| !value.is_boolean())
        {
            return Err(bad(format!("Invalid value found at properties.{name}.")));
        }
    }
    let access = new.text("/properties/publicNetworkAccess");
    match access.is_none_or(|text| ["enabled", "disabled"].contains(&text.to_lowercase().as_str()))
    {
        true => Ok(()),
        false => one_of(new, "publicNetworkAccess", &["Enabled", "Disabled"]),
    }
}

fn check_deletion(new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let no = Some(&Value::Bool(false));
    if new.at(SOFT_DELETE) == no {
        return Err(bad(
            "The property \"enableSoftDelete\" cannot be set to false. Soft delete is mandatory for every vault.",
        ));
    }
    if new.at(PURGE_PROTECTION) == no {
        return Err(bad(
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.",
        ));
    }
    let days = new.at(RETENTION);
    if days.is_some_and(|days| !days.as_i64().is_some_and(|days| (7..=90).contains(&days))) {
        return Err(bad(
            "The property \"softDeleteRetentionInDays\" must be between 7 and 90.",
        ));
    }
    match old.and_then(|old| old.at(RETENTION)) {
        Some(before) if days.is_some_and(|days| days != before) => Err(bad(
            "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.",
        )),
        _ => Ok(()),
    }
}

/// Checks access policies wherever they are given.
///
/// # Errors
/// `BadRequest`.
pub fn check_policies(policies: &[Value]) -> ArmResult<()> {
    if policies.len() > MOST_POLICIES {
        return Err(bad(format!(
            "A vault has at most {MOST_POLICIES} access policies."
        )));
    }
    for (at, policy) in policies.iter().enumerate() {
        for name in ["tenantId", "objectId"] {
            let text = policy[name].as_str().unwrap_or_default();
            if Uuid::parse_str(text).is_err() {
                return Err(bad(format!(
                    "Invalid value found at accessPolicies[{at}].{name}: {text}"
                )));
            }
        }
        if !policy["permissions"].is_object() {
            return Err(bad(format!(
                "Invalid value found at accessPolicies[{at}].permissions."
            )));
        }
    }
    Ok(())
}

fn check_network(world: &World, new: &Resource) -> ArmResult<()> {
    const ACLS: &str = "/properties/networkAcls";
    if new.at(ACLS).is_none() {
        return Ok(());
    }
    one_of(new, "networkAcls.bypass", &["AzureServices", "None"])?;
    one_of(new, "networkAcls.defaultAction", &["Allow", "Deny"])?;
    for rule in new.items(&format!("{ACLS}/ipRules")) {
        let text = rule["value"].as_str().unwrap_or_default();
        let range = range(text);
        if range.is_none() {
            return Err(bad(format!(
                "Invalid IP rule '{text}': a public IPv4 address or a range in CIDR notation."
            )));
        }
    }
    for rule in new.items(&format!("{ACLS}/virtualNetworkRules")) {
        let id = rule["id"].as_str().unwrap_or_default();
        let subnet = ResourceId::parse(id).and_then(|id| world.get(id.as_str()));
        let Some(subnet) = subnet else {
            return Err(bad(format!(
                "The virtual network rule names the subnet '{id}', which was not found."
            )));
        };
        if rule["ignoreMissingVnetServiceEndpoint"] != true {
            check_service_endpoint(subnet)?;
        }
    }
    Ok(())
}

/// The subnet must have the service endpoint, unless the rule says not to look (public reports, such as
/// Azure/avdaccelerator issue 818).
fn check_service_endpoint(subnet: &Resource) -> ArmResult<()> {
    let mut endpoints = subnet.items("/properties/serviceEndpoints").iter();
    let is_ours = |endpoint: &Value| {
        let service = endpoint["service"].as_str().unwrap_or_default();
        service.eq_ignore_ascii_case(NAMESPACE)
    };
    match endpoints.any(is_ours) {
        true => Ok(()),
        false => Err(ArmError::bad(
            "VirtualNetworkNotValid",
            format!(
                "Operation on Virtual Network could not be performed. StatusCode: 400 (BadRequest). Error Code: SubnetsHaveNoServiceEndpointsConfigured. Error Message: Subnets {} of virtual network {} do not have ServiceEndpoints for {NAMESPACE} resources configured. Add {NAMESPACE} to subnet's ServiceEndpoints collection before trying to ACL {NAMESPACE} resources to these subnets.",
                subnet.id.name(),
                subnet
                    .id
                    .parent()
                    .map_or_else(String::new, |network| network.as_str().to_owned()),
            ),
        )),
    }
}

/// An address or a range with its length, as the service shows it.
#[must_use]
pub fn range(text: &str) -> Option<String> {
    let with_length = match text.contains('/') {
        true => text.to_owned(),
        false => format!("{text}/32"),
    };
    with_length
        .parse::<ipnet::Ipv4Net>()
        .ok()
        .map(|_| with_length)
}
