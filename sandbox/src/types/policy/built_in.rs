//! The built-in definitions for container registries: their rules, parameters and effects as the public
//! repository of Azure Policy has them (category Container Registry).

use serde_json::{Value, json};

/// A built-in definition.
pub struct BuiltIn {
    /// Its name.
    pub guid: &'static str,
    version: &'static str,
    title: &'static str,
    description: &'static str,
    /// The effects that an assignment may choose, the default first.
    effects: &'static [&'static str],
    /// The condition besides the type.
    rule: fn() -> Value,
    details: Option<fn() -> Value>,
}

const REGISTRIES: &str = "Microsoft.ContainerRegistry/registries";

/// The definitions.
pub const DEFINITIONS: &[BuiltIn] = &[
    BuiltIn {
        guid: "d0793b48-0edc-4296-a390-4c75d1bdfd71",
        version: "2.0.0",
        title: "Container registries should not allow unrestricted network access",
        description: "A registry accepts connections from everywhere until it has network rules.",
        effects: &["Audit", "Deny", "Disabled"],
        rule: || {
            let open = |field: &str, value: &str| {
                json!({ "anyOf": [
                    { "field": format!("{REGISTRIES}/{field}"), "exists": "false" },
                    { "field": format!("{REGISTRIES}/{field}"), "equals": value },
                ] })
            };
            json!({ "allOf": [
                open("networkRuleSet.defaultAction", "Allow"),
                open("publicNetworkAccess", "Enabled"),
            ] })
        },
        details: None,
    },
    BuiltIn {
        guid: "e8eef0a8-67cf-4eb4-9386-14b0e78733d4",
        version: "1.0.1",
        title: "Container registries should use private link",
        description: "A registry has at least one approved private endpoint connection.",
        effects: &["Audit", "Disabled"],
        rule: || {
            let all = format!("{REGISTRIES}/privateEndpointConnections[*]");
            json!({
                "count": {
                    "field": all,
                    "where": {
                        "field": format!("{all}.privateLinkServiceConnectionState.status"),
                        "equals": "Approved",
                    },
                },
                "less": 1,
            })
        },
        details: None,
    },
    BuiltIn {
        guid: "79fdfe03-ffcb-4e55-b4d0-b925b8241759",
        version: "1.0.1",
        title: "Configure container registries to disable local admin account.",
        description: "Switches off the admin account of registries.",
        effects: &["Modify", "Disabled"],
        rule: admin_on,
        details: Some(|| {
            json!({
                "conflictEffect": "audit",
                "roleDefinitionIds": [
                    "/providers/microsoft.authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c",
                ],
                "operations": [{
                    "operation": "addOrReplace",
                    "field": format!("{REGISTRIES}/adminUserEnabled"),
                    "value": false,
                }],
            })
        }),
    },
    BuiltIn {
        guid: "dc921057-6b28-4fbe-9b83-f7bec05db6c2",
        version: "1.0.1",
        title: "Container registries should have local admin account disabled.",
        description: "The admin account of a registry is off, so that identities alone sign in.",
        effects: &["Audit", "Deny", "Disabled"],
        rule: admin_on,
        details: None,
    },
    BuiltIn {
        guid: "0fdf0491-d080-4575-b627-ad0e843cba0f",
        version: "1.0.0",
        title: "Public network access should be disabled for Container registries",
        description: "A registry is not reached from the public internet.",
        effects: &["Audit", "Deny", "Disabled"],
        rule: || json!({ "field": format!("{REGISTRIES}/publicNetworkAccess"), "notEquals": "Disabled" }),
        details: None,
    },
    BuiltIn {
        guid: "524b0254-c285-4903-bee6-bb8126cde579",
        version: "1.0.0",
        title: "Container registries should have exports disabled",
        description: "Images leave a registry by pulls alone; exports and public network access are off.",
        effects: &["Audit", "Deny", "Disabled"],
        rule: || {
            let not_disabled = |field: &str| json!({ "field": format!("{REGISTRIES}/{field}"), "notEquals": "Disabled" });
            json!({ "anyOf": [
                not_disabled("policies.exportPolicy.status"),
                not_disabled("publicNetworkAccess"),
            ] })
        },
        details: None,
    },
];

fn admin_on() -> Value {
    json!({ "field": format!("{REGISTRIES}/adminUserEnabled"), "equals": true })
}

/// The definition with this name.
#[must_use]
pub fn find(guid: &str) -> Option<&'static BuiltIn> {
    DEFINITIONS
        .iter()
        .find(|definition| definition.guid.eq_ignore_ascii_case(guid))
}

impl BuiltIn {
    /// What a GET answers.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut then = json!({ "effect": "[parameters('effect')]" });
        if let Some(details) = self.details {
            then["details"] = details();
        }
        json!({
            "id": format!("/providers/Microsoft.Authorization/policyDefinitions/{}", self.guid),
            "type": "Microsoft.Authorization/policyDefinitions",
            "name": self.guid,
            "properties": {
                "displayName": self.title,
                "policyType": "BuiltIn",
                "mode": "Indexed",
                "description": self.description,
                "metadata": { "version": self.version, "category": "Container Registry" },
                "version": self.version,
                "parameters": {
                    "effect": {
                        "type": "String",
                        "metadata": {
                            "displayName": "Effect",
                            "description": "Enable or disable the execution of the policy",
                        },
                        "allowedValues": self.effects,
                        "defaultValue": self.effects[0],
                    },
                },
                "policyRule": {
                    "if": { "allOf": [{ "field": "type", "equals": REGISTRIES }, (self.rule)()] },
                    "then": then,
                },
                "versions": [self.version],
            },
        })
    }
}
