//! How an existing registry gets from what it is to what is wanted, in the order that Azure
//! demands: to a higher tier first, to a lower one last, and export policy, public access and
//! network rules together in between. All of it is PATCH, which leaves what others set alone.

use serde_json::{Map, json};

use super::{PREMIUM, STANDARD, tier};
use crate::arm::Json;
use crate::provider::parts::{Change, Gap};

/// Properties that stand for themselves.
const PLAIN: &[&str] = &[
    "adminUserEnabled",
    "anonymousPullEnabled",
    "dataEndpointEnabled",
    "networkRuleBypassAllowedForTasks",
    "networkRuleBypassOptions",
    "publicNetworkAccess",
    "roleAssignmentMode",
];

/// The requests, in their order. Where nothing differs, as after a failed operation, the whole
/// body is written again.
pub fn changes(gap: &Gap<'_>) -> Vec<Change> {
    let sku = |json: &Json| json["sku"]["name"].as_str().unwrap_or_default().to_owned();
    let (from, to) = (tier(&sku(gap.found)), tier(&sku(gap.wanted)));
    let tier_alone = || Change::Patch(json!({"sku": {"name": sku(gap.wanted)}}));

    let mut properties = wanted_properties(gap, to);
    if to < from {
        give_up(gap.found, to, &mut properties);
    }
    let mut patch = Map::new();
    if !properties.is_empty() {
        patch.insert("properties".to_owned(), Json::Object(properties));
    }
    if gap.touches("/identity") || lacks_identity(gap) {
        patch.insert("identity".to_owned(), gap.wanted["identity"].clone());
    }
    if gap.touches("/tags") {
        patch.insert("tags".to_owned(), gap.wanted["tags"].clone());
    }

    let mut changes = Vec::new();
    if to > from {
        changes.push(tier_alone());
    }
    if !patch.is_empty() {
        changes.push(Change::Patch(Json::Object(patch)));
    }
    if to < from {
        changes.push(tier_alone());
    }
    if changes.is_empty() {
        changes.push(Change::Put(Vec::new()));
    }
    changes
}

fn wanted_properties(gap: &Gap<'_>, to: u8) -> Map<String, Json> {
    let (found, wanted) = (&gap.found["properties"], &gap.wanted["properties"]);
    let differs = |name: &str| gap.touches(&format!("/properties/{name}"));
    let mut properties = Map::new();
    for name in PLAIN.iter().filter(|name| differs(name)) {
        properties.insert((*name).to_owned(), wanted[name].clone());
    }
    if differs("networkRuleSet") {
        let (found, wanted) = (&found["networkRuleSet"], &wanted["networkRuleSet"]);
        let either = |name: &str, differs: bool| match (differs, wanted.get(name)) {
            (true, Some(wanted)) => wanted.clone(),
            _ => found[name].clone(),
        };
        let mut rules = json!({
            "defaultAction": either("defaultAction", differs("networkRuleSet/defaultAction")),
            // Rules that others made make no difference, and stay.
            "ipRules": either("ipRules", differs("networkRuleSet/ipRules")),
        });
        if rules["defaultAction"].is_null() {
            rules["defaultAction"] = "Allow".into();
        }
        if rules["ipRules"].is_null() {
            rules["ipRules"] = json!([]);
        }
        properties.insert("networkRuleSet".to_owned(), rules);
    }
    if differs("policies") {
        // The policies go together, those that this resource has no argument for as they are.
        let mut policies = match to {
            PREMIUM => found["policies"].as_object().cloned().unwrap_or_default(),
            _ => Map::new(),
        };
        for (name, wanted) in wanted["policies"].as_object().into_iter().flatten() {
            policies.insert(name.clone(), wanted.clone());
        }
        off_means_default_days(&mut policies);
        properties.insert("policies".to_owned(), Json::Object(policies));
    }
    // Azure takes the end of exports only in the same request as the end of public access.
    if differs("policies/exportPolicy") && !wanted["publicNetworkAccess"].is_null() {
        let access = wanted["publicNetworkAccess"].clone();
        properties.insert("publicNetworkAccess".to_owned(), access);
    }
    if differs("encryption") {
        properties.insert("encryption".to_owned(), wanted["encryption"].clone());
    }
    properties
}

/// Turns off what a lower tier does not have, so that Azure lets the registry go there.
fn give_up(found: &Json, to: u8, properties: &mut Map<String, Json>) {
    let found = &found["properties"];
    let mut set = |name: &str, value: Json| {
        properties.insert(name.to_owned(), value);
    };
    if to < STANDARD && found["anonymousPullEnabled"] == true {
        set("anonymousPullEnabled", false.into());
    }
    if to >= PREMIUM {
        return;
    }
    for name in ["dataEndpointEnabled", "networkRuleBypassAllowedForTasks"] {
        if found[name] == true {
            set(name, false.into());
        }
    }
    if found["publicNetworkAccess"] == "Disabled" {
        set("publicNetworkAccess", "Enabled".into());
    }
    let rules = &found["networkRuleSet"];
    let has_rules = rules["ipRules"]
        .as_array()
        .is_some_and(|rules| !rules.is_empty());
    if rules["defaultAction"] == "Deny" || has_rules {
        set(
            "networkRuleSet",
            json!({"defaultAction": "Allow", "ipRules": []}),
        );
    }
    let mut policies = properties
        .get("policies")
        .and_then(Json::as_object)
        .cloned()
        .unwrap_or_default();
    for (name, default) in [
        ("exportPolicy", "enabled"),
        ("quarantinePolicy", "disabled"),
        ("retentionPolicy", "disabled"),
    ] {
        let status = &found["policies"][name]["status"];
        if !status.is_null() && status != default {
            policies.insert(name.to_owned(), json!({"status": default}));
            // Exports come back with public access, in one request.
            if name == "exportPolicy" {
                properties.insert("publicNetworkAccess".to_owned(), "Enabled".into());
            }
        }
    }
    if !policies.is_empty() {
        off_means_default_days(&mut policies);
        properties.insert("policies".to_owned(), Json::Object(policies));
    }
}

/// A retention policy that is off leaves none of its days behind: Azure's default is 7.
fn off_means_default_days(policies: &mut Map<String, Json>) {
    if let Some(retention) = policies.get_mut("retentionPolicy")
        && retention["status"] == "disabled"
    {
        retention["days"] = 7.into();
    }
}

fn lacks_identity(gap: &Gap<'_>) -> bool {
    let ids = |json: &Json| -> Vec<String> {
        let members = json["identity"]["userAssignedIdentities"].as_object();
        let members = members.into_iter().flatten();
        members.map(|(id, _)| id.to_lowercase()).collect()
    };
    let there = ids(gap.found);
    ids(gap.wanted).iter().any(|id| !there.contains(id))
}
