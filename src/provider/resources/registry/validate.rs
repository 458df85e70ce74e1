//! What can be found wrong without Azure. All of it at once, each on its argument.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::body::stripped;
use super::{PREMIUM, tier};
use crate::arm::{ArmId, normalize, same_location};
use crate::network::cidr::{self, CidrError};

/// Checks across arguments; values may be unknown.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let group = config.get("resource_group_id").as_str();
    if let Some(id) = group.and_then(|id| ArmId::parse(id).ok())
        && !id.is("Microsoft.Resources/resourceGroups")
    {
        diagnostics.error(
            Path::attribute("resource_group_id"),
            "an id of Microsoft.Resources/resourceGroups is needed here",
            format!("- {id} is an id of {}", id.resource_type()),
        );
    }
    tiers(config, diagnostics);
    exports(config, diagnostics);
    ranges(config, diagnostics);
    replicas(config, diagnostics);
    identity(config, diagnostics);
}

/// The text of an argument with a default; `None` while it is unknown.
fn text<'a>(config: &'a Value, name: &str, default: &'a str) -> Option<&'a str> {
    match config.get(name) {
        Value::Null => Some(default),
        value => value.as_str(),
    }
}

/// What a tier below Premium does not have (Azure Container Registry service tiers).
fn tiers(config: &Value, diagnostics: &mut Diagnostics) {
    let Some(sku) = text(config, "sku", "Premium").filter(|sku| tier(sku) < PREMIUM) else {
        return;
    };
    if let Some(exposure) = text(config, "exposure", "private")
        && exposure != "public"
    {
        let default = if config.get("exposure").is_null() {
            " (the default)"
        } else {
            ""
        };
        diagnostics.error(
            Path::attribute("exposure"),
            format!("a {sku} registry is always public"),
            format!(
                "- exposure is {exposure}{default}\n- private endpoints and address rules need Premium\n\n\
                 Fix: make it\n\n  sku = \"Premium\"\n\nor, if everyone may reach it:\n\n  exposure = \"public\""
            ),
        );
    }
    let is = |name: &str, truth: bool| config.get(name).as_bool() == Some(truth);
    let has_any = |name: &str| {
        let value = config.get(name);
        value.as_items().is_some_and(|items| !items.is_empty())
            || value.as_map().is_some_and(|members| !members.is_empty())
    };
    let used = [
        ("allowed_ip_ranges", has_any("allowed_ip_ranges")),
        ("tasks_bypass_enabled", is("tasks_bypass_enabled", true)),
        (
            "quarantine_policy_enabled",
            is("quarantine_policy_enabled", true),
        ),
        (
            "retention_policy_in_days",
            config.get("retention_policy_in_days").as_i64().is_some(),
        ),
        ("data_endpoint_enabled", is("data_endpoint_enabled", true)),
        ("georeplications", has_any("georeplications")),
        ("customer_managed_key", has_any("customer_managed_key")),
    ];
    for (argument, _) in used.into_iter().filter(|(_, used)| *used) {
        diagnostics.error(
            Path::attribute(argument),
            format!("a {sku} registry has no {argument}"),
            format!(
                "It needs Premium.\n\nFix: leave {argument} out, or set\n\n  sku = \"Premium\""
            ),
        );
    }
    if tier(sku) < super::STANDARD && is("anonymous_pull_enabled", true) {
        diagnostics.error(
            Path::attribute("anonymous_pull_enabled"),
            format!("a {sku} registry has no anonymous pulls"),
            "They need Standard or Premium.",
        );
    }
}

/// Azure refuses to end exports while the registry is open to anyone.
fn exports(config: &Value, diagnostics: &mut Diagnostics) {
    if config.get("export_policy_enabled").as_bool() == Some(false)
        && let Some(exposure) = text(config, "exposure", "private")
        && exposure != "private"
    {
        diagnostics.error(
            Path::attribute("export_policy_enabled"),
            "exports can be disabled only while the registry is private",
            format!(
                "- exposure is {exposure}\n\nAzure takes the end of exports only together with the end of \
                 public access.\n\nFix: set\n\n  exposure = \"private\"\n\nor leave export_policy_enabled out."
            ),
        );
    }
}

fn ranges(config: &Value, diagnostics: &mut Diagnostics) {
    allowed_once(config, diagnostics);
    let path = Path::attribute("allowed_ip_ranges");
    let Some(ranges) = config.get("allowed_ip_ranges").as_items() else {
        return;
    };
    if ranges.is_empty() && config.get("exposure").as_str() == Some("allowlist") {
        diagnostics.warning(
            path,
            "the allowlist allows no address",
            "Only private endpoints and trusted services reach the registry, as with exposure = \"private\".\n\n\
             Fix: name the addresses that may reach it, leave allowed_ip_ranges out if others manage them, or \
             say what it is:\n\n  exposure = \"private\"",
        );
    }
}

/// Refuses an address that `allowed_ip_ranges` has in two spellings.
pub fn allowed_once(config: &Value, diagnostics: &mut Diagnostics) {
    let mut seen = BTreeMap::new();
    let ranges = config.get("allowed_ip_ranges").as_items();
    for range in ranges.into_iter().flatten().filter_map(Value::as_str) {
        if let Some(other) = seen.insert(stripped(range), range) {
            diagnostics.error(
                Path::attribute("allowed_ip_ranges"),
                "an address is allowed once",
                format!("{other:?} and {range:?} are the same.\n\nFix: remove one of them."),
            );
        }
    }
}

fn replicas(config: &Value, diagnostics: &mut Diagnostics) {
    let Some(replicas) = config.get("georeplications").as_map() else {
        return;
    };
    let home = config.get("location").as_str();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for region in replicas.keys() {
        let path = Path::attribute("georeplications").key(region);
        if home.is_some_and(|home| same_location(home, region)) {
            diagnostics.error(
                path.clone(),
                format!("{region:?} is the registry's own region"),
                "A registry is in its own region without a replica.\n\nFix: remove it from georeplications.",
            );
        }
        if let Some(other) = seen.insert(normalize(region), region) {
            diagnostics.error(
                path.clone(),
                "a region has one replica",
                format!(
                    "{other:?} and {region:?} are the same region.\n\nFix: remove one of them."
                ),
            );
        }
        let name = normalize(region);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            diagnostics.error(
                path,
                format!("{region:?} is no region"),
                "The keys of georeplications are regions, such as `northeurope`.",
            );
        }
    }
}

fn identity(config: &Value, diagnostics: &mut Diagnostics) {
    let identity = config.get("identity");
    let path = Path::attribute("identity");
    let users = identity.get("identity_ids");
    let has_users = match users {
        Value::Null => Some(false),
        users => users.as_items().map(|users| !users.is_empty()),
    };
    if let Some(kind) = identity.get("type").as_str() {
        let takes_users = kind.contains("UserAssigned");
        match has_users {
            Some(true) if !takes_users => diagnostics.error(
                path.then("identity_ids"),
                format!("an identity of the type {kind} has no identity_ids"),
                "Fix: remove them, or set\n\n  type = \"SystemAssigned, UserAssigned\"",
            ),
            Some(false) if takes_users => diagnostics.error(
                path.then("identity_ids"),
                format!("an identity of the type {kind} needs identity_ids"),
                "Fix: name at least one user-assigned identity.",
            ),
            _ => {}
        }
    }
    let key = config.get("customer_managed_key");
    let takes_users = match identity {
        Value::Null => Some(false),
        identity => identity
            .get("type")
            .as_str()
            .map(|kind| kind.contains("UserAssigned")),
    };
    if key.as_map().is_some() && takes_users == Some(false) {
        diagnostics.error(
            Path::attribute("customer_managed_key"),
            "a customer-managed key needs a user-assigned identity that reads it",
            "Azure asks for the key with it before the registry exists, so that a system-assigned identity \
             comes too late.\n\nFix: add\n\n  identity = {\n    type         = \"UserAssigned\"\n    identity_ids = \
             [<the id of an identity with the role Key Vault Crypto Service Encryption User>]\n  }",
        );
    }
    if key.get("version_pinned").as_bool() == Some(true)
        && let Some(address) = key.get("key_vault_key_id").as_str()
        && address.trim_end_matches('/').split('/').count() < 6
    {
        diagnostics.error(
            Path::attribute("customer_managed_key").then("version_pinned"),
            "there is no version to pin",
            format!(
                "- {address}\n\nFix: write the key with its version, or leave version_pinned out."
            ),
        );
    }
}

/// Checks the address of a key, with or without a version.
///
/// # Errors
/// What is wrong with it.
pub fn key_address(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["https:", "", host, "keys", name] | ["https:", "", host, "keys", name, _]
            if !host.is_empty() && !name.is_empty() =>
        {
            Ok(())
        }
        _ => Err(format!(
            "{text:?} is no key; its address is such as \"https://vault.vault.azure.net/keys/images\""
        )),
    }
}

/// Checks an address or range that may be allowed. Azure takes IPv4 alone.
///
/// # Errors
/// What is wrong with it, and which range was probably meant.
pub fn ip_range(text: &str) -> Result<(), String> {
    let net = match cidr::parse(text) {
        Ok(net) => net,
        Err(CidrError::NoLength { meant, .. }) => meant,
        Err(CidrError::NotAPrefix(_)) => {
            return Err(format!(
                "{text:?} is no address or range; write one such as \"203.0.113.7\" or \"203.0.113.0/24\""
            ));
        }
        Err(error) => return Err(error.to_string()),
    };
    let ipnet::IpNet::V4(net) = net else {
        return Err(format!(
            "{text:?} is IPv6, and only IPv4 addresses can be allowed"
        ));
    };
    if net.addr().is_private() {
        return Err(format!(
            "{text:?} is a private range, which never reaches a public address: allow the address that its \
             network has on the internet, or use a private endpoint"
        ));
    }
    Ok(())
}

/// Whether two sets allow the same addresses, however they are written.
pub fn same_ranges(a: &Value, b: &Value) -> bool {
    let ranges = |value: &Value| -> Option<BTreeSet<String>> {
        let ranges = value.as_items()?.iter();
        ranges
            .map(|range| Some(stripped(range.as_str()?).to_owned()))
            .collect()
    };
    a == b || ranges(a).is_some_and(|a| ranges(b) == Some(a))
}
