//! Microsoft.Network/networkSecurityGroups/securityRules.

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Type, Verb};

/// The row.
pub const SECURITY_RULES: Type = Type {
    properties: &[
        "description",
        "protocol",
        "sourcePortRange",
        "destinationPortRange",
        "sourceAddressPrefix",
        "sourceAddressPrefixes",
        "sourceApplicationSecurityGroups",
        "destinationAddressPrefix",
        "destinationAddressPrefixes",
        "destinationApplicationSecurityGroups",
        "sourcePortRanges",
        "destinationPortRanges",
        "access",
        "priority",
        "direction",
    ],
    check,
    fill,
    locks: super::parent_lock,
    ..super::child("Microsoft.Network/networkSecurityGroups/securityRules")
};

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    super::check_name(change, 80)?;
    valid(world, change.new)?;
    let group = change
        .new
        .id
        .parent()
        .unwrap_or_else(|| change.new.id.clone());
    let mut all: Vec<Resource> = world
        .list(group.as_str(), SECURITY_RULES.name)
        .filter(|other| !other.id.same(change.new.id.as_str()))
        .cloned()
        .collect();
    all.push(change.new.clone());
    apart(&all)
}

/// Checks one rule for itself.
///
/// # Errors
/// `SecurityRuleInvalidPriority`, `SecurityRuleParameterInvalid` and the like.
pub fn valid(world: &World, rule: &Resource) -> ArmResult<()> {
    let name = rule.id.name();
    for member in ["protocol", "access", "direction", "priority"] {
        if rule.at(&format!("/properties/{member}")).is_none() {
            return Err(ArmError::bad(
                "SecurityRuleParameterMissing",
                format!("Security rule {name} must specify '{member}'."),
            ));
        }
    }
    super::one_of(rule, "/properties/access", &["Allow", "Deny"])?;
    super::one_of(rule, "/properties/direction", &["Inbound", "Outbound"])?;
    super::one_of(
        rule,
        "/properties/protocol",
        &["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"],
    )?;
    let priority = rule
        .at("/properties/priority")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    if !(100..=4096).contains(&priority) {
        return Err(ArmError::bad(
            "SecurityRuleInvalidPriority",
            format!(
                "Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096."
            ),
        ));
    }
    for (one, many) in [
        ("sourcePortRange", "sourcePortRanges"),
        ("destinationPortRange", "destinationPortRanges"),
        ("sourceAddressPrefix", "sourceAddressPrefixes"),
        ("destinationAddressPrefix", "destinationAddressPrefixes"),
    ] {
        let single = rule
            .text(&format!("/properties/{one}"))
            .is_some_and(|text| !text.is_empty());
        let several = !rule.items(&format!("/properties/{many}")).is_empty();
        let groups = one.strip_suffix("AddressPrefix").is_some_and(|side| {
            !rule
                .items(&format!("/properties/{side}ApplicationSecurityGroups"))
                .is_empty()
        });
        if [single, several, groups]
            .into_iter()
            .filter(|given| *given)
            .count()
            != 1
        {
            return Err(ArmError::bad(
                "SecurityRuleParameterInvalid",
                format!(
                    "Security rule {name} must specify exactly one of '{one}', '{many}' and application security groups."
                ),
            ));
        }
    }
    for side in ["source", "destination"] {
        for at in 0..rule
            .items(&format!("/properties/{side}ApplicationSecurityGroups"))
            .len()
        {
            super::reference(
                world,
                rule,
                &format!("/properties/{side}ApplicationSecurityGroups/{at}/id"),
                "Microsoft.Network/applicationSecurityGroups",
                None,
            )?;
        }
    }
    Ok(())
}

/// Two rules of a direction may not have the same priority.
///
/// # Errors
/// `SecurityRuleConflict`.
pub fn apart(rules: &[Resource]) -> ArmResult<()> {
    let key = |rule: &Resource| {
        (
            rule.text("/properties/direction")
                .unwrap_or_default()
                .to_lowercase(),
            rule.at("/properties/priority").and_then(Value::as_i64),
        )
    };
    for (at, rule) in rules.iter().enumerate() {
        if let Some(other) = rules[..at].iter().find(|other| key(other) == key(rule)) {
            return Err(ArmError::bad(
                "SecurityRuleConflict",
                format!(
                    "Security rule {} conflicts with rule {}. Rules cannot have the same Priority and Direction.",
                    rule.id.name(),
                    other.id.name()
                ),
            ));
        }
    }
    Ok(())
}

fn fill(_: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    for member in [
        "sourcePortRanges",
        "destinationPortRanges",
        "sourceAddressPrefixes",
        "destinationAddressPrefixes",
    ] {
        new.default(&format!("/properties/{member}"), json!([]));
    }
    Ok(())
}
