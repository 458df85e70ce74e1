//! The rules across the properties of a registry: what needs Premium, what cannot change, and what
//! excludes what. Pure functions over the registry as it shall be. Codes and texts are Azure's where a
//! public report shows them (network rules, public access, exports); the others follow their pattern.

use serde_json::Value;

use super::{connections, replications};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::store::{Resource, World};

/// SKUs that can be made today; `Classic` is gone.
const SKUS: &[&str] = &["Basic", "Standard", "Premium"];
/// Most IP rules of a registry (documentation of IP access rules).
const MAX_IP_RULES: usize = 100;

/// The SKU in Azure's spelling; the text itself when it is none.
#[must_use]
pub fn sku(registry: &Resource) -> &str {
    let text = registry.text("/sku/name").unwrap_or_default();
    SKUS.iter()
        .find(|sku| sku.eq_ignore_ascii_case(text))
        .copied()
        .unwrap_or(text)
}

/// True for Premium.
#[must_use]
pub fn premium(registry: &Resource) -> bool {
    sku(registry) == "Premium"
}

/// Checks the registry as it shall be.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    check_sku(world, new, old)?;
    check_features(new)?;
    check_exports(new, old)?;
    check_network_rules(new)?;
    check_zones(new, old)?;
    check_encryption(new, old)
}

fn check_sku(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let name = new
        .text("/sku/name")
        .ok_or_else(|| invalid_content("Required property 'sku' not found in JSON. Path ''"))?;
    if !SKUS.contains(&sku(new)) {
        return Err(ArmError::bad(
            "InvalidSku",
            format!(
                "The SKU '{name}' is invalid. The SKUs are {}.",
                SKUS.join(", ")
            ),
        ));
    }
    let Some(old) = old.filter(|old| premium(old) && !premium(new)) else {
        return Ok(());
    };
    let replicas = replications::count(world, old);
    let endpoints = world.list(old.id.as_str(), connections::NAME).count();
    for (count, what) in [
        (replicas, "replications"),
        (endpoints, "private endpoint connections"),
    ] {
        if count > 0 {
            return Err(ArmError::conflict(
                "SkuDowngradeNotSupported",
                format!(
                    "The SKU of the registry '{}' cannot be changed from Premium to {}: it has {count} {what}. Delete them first.",
                    old.id.name(),
                    sku(new)
                ),
            ));
        }
    }
    Ok(())
}

/// What a registry uses, the code and the words of the refusal, and the least SKU.
fn check_features(new: &Resource) -> ArmResult<()> {
    let sku = sku(new);
    let network_rules = is(new, "networkRuleSet/defaultAction", "Deny")
        || !new.items("/properties/networkRuleSet/ipRules").is_empty();
    let on = |path: &str| is(new, path, "enabled");
    let switched = |path: &str| new.at(&format!("/properties/{path}")) == Some(&Value::Bool(true));
    if sku != "Premium" && is(new, "publicNetworkAccess", "Disabled") {
        return Err(ArmError::bad(
            "DisablingPublicNetworkAccessNotSupported",
            format!(
                "Disabling public network access is not supported for the SKU {sku}. For more information, please visit https://aka.ms/acr/private-link."
            ),
        ));
    }
    let features = [
        (
            network_rules,
            "NetworkRuleNotSupported",
            "virtual network rule",
        ),
        (
            switched("dataEndpointEnabled"),
            "DataEndpointNotSupported",
            "data endpoint rule",
        ),
        (
            on("policies/retentionPolicy/status"),
            "RetentionPolicyNotSupported",
            "retention policy",
        ),
        (
            on("policies/quarantinePolicy/status"),
            "QuarantinePolicyNotSupported",
            "quarantine policy",
        ),
        (
            on("policies/trustPolicy/status"),
            "TrustPolicyNotSupported",
            "content trust policy",
        ),
        (
            is(new, "policies/exportPolicy/status", "disabled"),
            "ExportPolicyNotSupported",
            "export policy",
        ),
        (
            on("encryption/status"),
            "EncryptionNotSupported",
            "customer managed key",
        ),
        (
            on("zoneRedundancy"),
            "ZoneRedundancyNotSupported",
            "zone redundancy",
        ),
        (
            on("regionalEndpoints"),
            "RegionalEndpointsNotSupported",
            "regional endpoints",
        ),
    ];
    for (used, code, what) in features {
        if used && sku != "Premium" {
            return Err(unsupported(code, what, sku));
        }
    }
    if switched("anonymousPullEnabled") && sku == "Basic" {
        return Err(unsupported(
            "AnonymousPullNotSupported",
            "anonymous pull",
            sku,
        ));
    }
    Ok(())
}

fn unsupported(code: &str, what: &str, sku: &str) -> ArmError {
    ArmError::bad(
        code,
        format!("The requested feature {what} is not supported for the SKU {sku}."),
    )
}

/// Exports can be off only while public access is off.
fn check_exports(new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let exports_off = is(new, "policies/exportPolicy/status", "disabled");
    if !exports_off || is(new, "publicNetworkAccess", "Disabled") {
        return Ok(());
    }
    let name = new.id.name();
    let was_off = old.is_some_and(|old| is(old, "policies/exportPolicy/status", "disabled"));
    Err(ArmError::bad(
        "BadRequest",
        if was_off {
            format!(
                "Enabling public network access is not supported because the registry '{name}' has exports disabled."
            )
        } else {
            format!(
                "Disabling exports is not supported because the registry '{name}' has public network access enabled."
            )
        },
    ))
}

fn check_network_rules(new: &Resource) -> ArmResult<()> {
    let rules = new.at("/properties/networkRuleSet/ipRules");
    if rules.is_some_and(|rules| !rules.is_array()) {
        return Err(invalid_content(
            "Error converting value to a list. Path 'properties.networkRuleSet.ipRules'",
        ));
    }
    let rules = new.items("/properties/networkRuleSet/ipRules");
    if rules.len() > MAX_IP_RULES {
        return Err(ArmError::bad(
            "TooManyIPRules",
            format!(
                "The registry '{}' would have {} IP rules; the limit is {MAX_IP_RULES}.",
                new.id.name(),
                rules.len()
            ),
        ));
    }
    for rule in rules {
        let allows = rule.get("action").is_none_or(|action| {
            action
                .as_str()
                .is_some_and(|word| word.eq_ignore_ascii_case("Allow"))
        });
        let range = rule["value"].as_str().unwrap_or_default();
        let valid =
            range.parse::<std::net::IpAddr>().is_ok() || range.parse::<ipnet::IpNet>().is_ok();
        if !allows || !valid {
            return Err(ArmError::bad(
                "InvalidIPRule",
                format!(
                    "The IP rule {rule} is invalid: the value is an address or a range in CIDR notation, the action 'Allow'."
                ),
            ));
        }
    }
    Ok(())
}

/// Zones are chosen once: `RegistryUpdateParameters` has no such member.
fn check_zones(new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let Some(old) = old else { return Ok(()) };
    let wanted = new.text("/properties/zoneRedundancy");
    let same = wanted.is_none_or(|word| is(old, "zoneRedundancy", word));
    if same {
        return Ok(());
    }
    Err(ArmError::bad(
        "ZoneRedundancyCannotBeChanged",
        format!(
            "The zone redundancy of the registry '{}' cannot be changed after it was created.",
            new.id.name()
        ),
    ))
}

/// A customer's key is chosen at creation, needs a user-assigned identity, and stays.
fn check_encryption(new: &Resource, old: Option<&Resource>) -> ArmResult<()> {
    let on = is(new, "encryption/status", "enabled");
    let was_on = old.is_some_and(|old| is(old, "encryption/status", "enabled"));
    let refuse = |message: &str| Err(ArmError::bad("InvalidEncryption", message));
    if let Some(old) = old.filter(|_| on != was_on) {
        return refuse(&format!(
            "Encryption with a customer managed key can be chosen only when a registry is created, and not be taken back: '{}'.",
            old.id.name()
        ));
    }
    if !on {
        return Ok(());
    }
    let key = new.text("/properties/encryption/keyVaultProperties/keyIdentifier");
    if !key.is_some_and(|key| key.starts_with("https://") && key.contains("/keys/")) {
        return refuse("Encryption needs the identifier of a key, https://VAULT/keys/NAME.");
    }
    if new
        .text("/properties/encryption/keyVaultProperties/identity")
        .is_none()
        || !new
            .text("/identity/type")
            .is_some_and(|kind| kind.to_lowercase().contains("userassigned"))
    {
        return refuse(
            "Encryption needs the client id of a user-assigned identity of the registry.",
        );
    }
    Ok(())
}

/// True when the property has this word, in any case.
#[must_use]
pub fn is(registry: &Resource, path: &str, word: &str) -> bool {
    registry
        .text(&format!("/properties/{path}"))
        .is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
    use super::*;
    use crate::id::ResourceId;
    use serde_json::json;
    use uuid::Uuid;

    fn registry(sku: &str, properties: Value) -> Resource {
        let id = ResourceId::parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/shop1").unwrap();
        Resource::new(
            id,
            super::super::registries::NAME,
            json!({ "location": "westeurope", "sku": { "name": sku }, "properties": properties }),
        )
    }

    fn code(sku: &str, properties: Value, old: Option<&Resource>) -> String {
        let world = World::new("t", &["s".into()], Uuid::nil());
        check(&world, &registry(sku, properties), old)
            .err()
            .map_or_else(String::new, |error| error.code)
    }

    #[test]
    fn premium_features_are_refused_elsewhere_and_taken_by_premium() {
        let off = json!({ "publicNetworkAccess": "Disabled", "policies": { "exportPolicy": { "status": "disabled" } } });
        let features = [
            (
                json!({ "networkRuleSet": { "defaultAction": "deny" } }),
                "NetworkRuleNotSupported",
            ),
            (
                json!({ "networkRuleSet": { "defaultAction": "Allow", "ipRules": [{ "value": "1.2.3.4" }] } }),
                "NetworkRuleNotSupported",
            ),
            (
                json!({ "publicNetworkAccess": "disabled" }),
                "DisablingPublicNetworkAccessNotSupported",
            ),
            (
                json!({ "dataEndpointEnabled": true }),
                "DataEndpointNotSupported",
            ),
            (
                json!({ "policies": { "retentionPolicy": { "status": "enabled" } } }),
                "RetentionPolicyNotSupported",
            ),
            (
                json!({ "policies": { "quarantinePolicy": { "status": "enabled" } } }),
                "QuarantinePolicyNotSupported",
            ),
            (off, "DisablingPublicNetworkAccessNotSupported"),
            (
                json!({ "zoneRedundancy": "Enabled" }),
                "ZoneRedundancyNotSupported",
            ),
        ];
        for (properties, expected) in features {
            for sku in ["Basic", "Standard"] {
                assert_eq!(
                    code(sku, properties.clone(), None),
                    expected,
                    "{sku} {properties}"
                );
            }
            assert_eq!(
                code("premium", properties.clone(), None),
                "",
                "{properties}"
            );
        }
        assert_eq!(
            code(
                "Basic",
                json!({ "networkRuleSet": { "defaultAction": "Allow", "ipRules": [] } }),
                None
            ),
            ""
        );
        assert_eq!(
            code("Basic", json!({ "anonymousPullEnabled": true }), None),
            "AnonymousPullNotSupported"
        );
        assert_eq!(
            code("Standard", json!({ "anonymousPullEnabled": true }), None),
            ""
        );
        assert_eq!(code("Gold", json!({}), None), "InvalidSku");
    }

    #[test]
    fn exports_are_off_only_while_public_access_is() {
        let off = json!({ "policies": { "exportPolicy": { "status": "disabled" } } });
        assert_eq!(code("Premium", off.clone(), None), "BadRequest");
        let private = registry(
            "Premium",
            json!({ "publicNetworkAccess": "Disabled", "policies": { "exportPolicy": { "status": "disabled" } } }),
        );
        assert_eq!(code("Premium", off, Some(&private)), "BadRequest");
        let reopened = json!({ "publicNetworkAccess": "Enabled", "policies": { "exportPolicy": { "status": "enabled" } } });
        assert_eq!(code("Premium", reopened, Some(&private)), "");
    }

    #[test]
    fn ip_rules_are_addresses_or_ranges() {
        let rules = |value: Value| json!({ "networkRuleSet": { "defaultAction": "Deny", "ipRules": value } });
        assert_eq!(
            code(
                "Premium",
                rules(json!([{ "value": "1.2.3.0/24", "action": "Allow" }])),
                None
            ),
            ""
        );
        assert_eq!(
            code("Premium", rules(json!([{ "value": "here" }])), None),
            "InvalidIPRule"
        );
        assert_eq!(
            code(
                "Premium",
                rules(json!([{ "value": "1.2.3.4", "action": "Deny" }])),
                None
            ),
            "InvalidIPRule"
        );
        let many: Vec<Value> = (0..101)
            .map(|n| json!({ "value": format!("1.2.3.{n}") }))
            .collect();
        assert_eq!(code("Premium", rules(json!(many)), None), "TooManyIPRules");
    }
}
