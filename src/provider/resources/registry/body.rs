//! The body of a registry, and what of it says nothing: Azure's own defaults, data endpoints that
//! come with private endpoints, and spellings.

use serde_json::{Map, json};

use super::{CustomerManagedKey, Identity, Input, STANDARD, connections, tier};
use crate::arm::{Json, normalize};

/// The body of the registry: every property that an argument has, as far as its tier has it.
/// Zone redundancy is none of them: Azure decides it.
pub fn of(input: &Input, found: Option<&Json>, prior: Option<&Json>) -> Json {
    let status = |enabled: bool| json!({"status": if enabled { "enabled" } else { "disabled" }});
    let mut properties = json!({
        "adminUserEnabled": input.admin_enabled,
        "networkRuleBypassOptions": if input.trusted_services_enabled { "AzureServices" } else { "None" },
        "roleAssignmentMode": input.role_assignment_mode,
        "policies": {
            "azureADAuthenticationAsArmPolicy": status(input.arm_audience_authentication_enabled),
        },
    });
    if tier(&input.sku) >= STANDARD {
        properties["anonymousPullEnabled"] = input.anonymous_pull_enabled.into();
    }
    if input.is_premium() {
        let (public_access, default_action) = input.exposure.switches();
        let rules = rules(input, found, prior).into_iter();
        let rules = rules.map(|range| json!({"action": "Allow", "value": range}));
        properties["publicNetworkAccess"] = public_access.into();
        properties["networkRuleSet"] = json!({
            "defaultAction": default_action,
            "ipRules": rules.collect::<Vec<_>>(),
        });
        properties["networkRuleBypassAllowedForTasks"] = input.tasks_bypass_enabled.into();
        if !data_endpoints_are_forced(input.data_endpoint_enabled, found, prior) {
            properties["dataEndpointEnabled"] = input.data_endpoint_enabled.into();
        }
        let policies = &mut properties["policies"];
        policies["exportPolicy"] = status(input.export_policy_enabled);
        policies["quarantinePolicy"] = status(input.quarantine_policy_enabled);
        policies["retentionPolicy"] = status(input.retention_policy_in_days.is_some());
        if let Some(days) = input.retention_policy_in_days {
            policies["retentionPolicy"]["days"] = days.into();
        }
        if let Some(key) = &input.customer_managed_key {
            let found = found.map(|found| &found["properties"]["encryption"]["keyVaultProperties"]);
            properties["encryption"] = json!({
                "status": "enabled",
                "keyVaultProperties": {
                    "keyIdentifier": key.sent(found),
                    "identity": key.identity_client_id,
                },
            });
        }
    }
    let mut body = json!({
        "location": normalize(&input.location),
        "sku": {"name": input.sku},
        "properties": properties,
    });
    if let Some(identity) = identity_body(input.identity.as_ref(), found) {
        body["identity"] = identity;
    }
    if let Some(found) = found {
        leave_out(&defaults(), &mut body, found);
    }
    body
}

/// What Azure has where it says nothing: older API versions and lower tiers leave these out, and
/// that is no difference.
fn defaults() -> Json {
    json!({"properties": {
        "adminUserEnabled": false,
        "anonymousPullEnabled": false,
        "dataEndpointEnabled": false,
        "networkRuleBypassAllowedForTasks": false,
        "networkRuleBypassOptions": "AzureServices",
        "networkRuleSet": {"defaultAction": "Allow"},
        "policies": {
            "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            "exportPolicy": {"status": "enabled"},
            "quarantinePolicy": {"status": "disabled"},
            "retentionPolicy": {"status": "disabled"},
        },
        "publicNetworkAccess": "Enabled",
        "roleAssignmentMode": "LegacyRegistryPermissions",
    }})
}

/// Leaves out of a body what is Azure's default where it says nothing.
pub fn leave_out(defaults: &Json, body: &mut Json, found: &Json) {
    let Some(members) = body.as_object_mut() else {
        return;
    };
    for (name, default) in defaults.as_object().into_iter().flatten() {
        let found = &found[name.as_str()];
        match members.get_mut(name) {
            Some(wanted) if default.is_object() => leave_out(default, wanted, found),
            Some(wanted) if found.is_null() && wanted == default => {
                members.remove(name);
            }
            _ => {}
        }
    }
}

/// A registry with private endpoints has data endpoints, whether they were asked for or not.
/// Only one that we turned on is ours to turn off.
pub fn data_endpoints_are_forced(wanted: bool, found: Option<&Json>, prior: Option<&Json>) -> bool {
    let ours = prior.is_some_and(|prior| prior["data_endpoint_enabled"] == true);
    let forced = found.is_some_and(|found| {
        found["properties"]["dataEndpointEnabled"] == true && !connections(found).is_empty()
    });
    !wanted && forced && !ours
}

fn identity_body(identity: Option<&Identity>, found: Option<&Json>) -> Option<Json> {
    let there = found.map(|found| &found["identity"]);
    let assigned = || {
        let members = there.and_then(|there| there["userAssignedIdentities"].as_object());
        members.into_iter().flatten().map(|(id, _)| id)
    };
    let Some(identity) = identity else {
        let has_one = there
            .and_then(|there| there["type"].as_str())
            .is_some_and(|kind| kind != "None");
        return has_one.then(|| json!({"type": "None"}));
    };
    let mut body = json!({"type": identity.kind});
    let mut users = Map::new();
    for id in identity.identity_ids.iter().flatten() {
        let spelled = assigned().find(|there| there.eq_ignore_ascii_case(id.as_str()));
        users.insert(
            spelled.map_or_else(|| id.to_string(), Clone::clone),
            json!({}),
        );
    }
    // In a PATCH an identity goes when it is null, and stays when it is left out.
    for there in assigned()
        .filter(|there| !users.contains_key(*there))
        .collect::<Vec<_>>()
    {
        users.insert(there.clone(), Json::Null);
    }
    if !users.is_empty() {
        body["userAssignedIdentities"] = Json::Object(users);
    }
    Some(body)
}

/// Why the identities must be written, where one of them is missing. An identity's body is empty,
/// so that comparing bodies cannot tell.
pub fn unassigned_identity(input: &Input, found: &Json) -> Option<String> {
    let there = found["identity"]["userAssignedIdentities"].as_object();
    let wanted = input.identity.as_ref()?.identity_ids.iter().flatten();
    wanted
        .filter(|id| {
            let mut there = there.into_iter().flatten();
            !there.any(|(there, _)| there.eq_ignore_ascii_case(id.as_str()))
        })
        .map(|id| format!("registry {}: the identity {id} is not assigned", input.name))
        .next()
}

impl CustomerManagedKey {
    /// The key as Azure is told it: without a version, so that it rotates by itself, unless it is
    /// pinned; in Azure's spelling where it is the same.
    pub fn sent(&self, found: Option<&Json>) -> String {
        let wanted = if self.version_pinned {
            self.key_vault_key_id.trim_end_matches('/').to_owned()
        } else {
            versionless(&self.key_vault_key_id)
        };
        match found.and_then(|found| found["keyIdentifier"].as_str()) {
            Some(found) if same_key(found, &wanted) => found.to_owned(),
            _ => wanted,
        }
    }
}

pub fn same_key(a: &str, b: &str) -> bool {
    a.trim_end_matches('/')
        .eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// `https://<vault>/keys/<name>`, without the version that may follow.
pub fn versionless(key: &str) -> String {
    key.split('/').take(5).collect::<Vec<_>>().join("/")
}

/// The ranges to allow: those of the argument; without it, what is there but for those that it
/// had before, where it had any.
fn rules<'a>(input: &'a Input, found: Option<&'a Json>, prior: Option<&Json>) -> Vec<&'a str> {
    if let Some(ranges) = &input.allowed_ip_ranges {
        return ranges.iter().map(|range| stripped(range)).collect();
    }
    let former = former_rules(prior);
    if former.is_empty() {
        return Vec::new();
    }
    let there = found.map(ip_rules).unwrap_or_default().into_iter();
    there
        .filter(|rule| !former.contains(&stripped(rule)))
        .collect()
}

/// The ranges that the argument had before.
pub fn former_rules(prior: Option<&Json>) -> Vec<&str> {
    let ranges = prior.and_then(|prior| prior["allowed_ip_ranges"].as_array());
    let ranges = ranges.into_iter().flatten().filter_map(Json::as_str);
    ranges.map(stripped).collect()
}

/// A range as Azure stores it: it leaves out the length of a single address.
pub fn stripped(range: &str) -> &str {
    range.strip_suffix("/32").unwrap_or(range)
}

/// The addresses and ranges of the registry's firewall, as Azure writes them.
pub fn ip_rules(registry: &Json) -> Vec<&str> {
    let rules = registry["properties"]["networkRuleSet"]["ipRules"].as_array();
    let rules = rules.into_iter().flatten();
    rules.filter_map(|rule| rule["value"].as_str()).collect()
}
