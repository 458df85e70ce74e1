//! Microsoft.Security/pricings. Every plan is always there, `Free` until a PUT turns it on; what is stored
//! is only what is on. The first 30 days of a plan are free. A plan of a subscription cannot be deleted:
//! that is for resources alone.

use serde_json::{Value, json};

use super::VERSIONS;
use super::plans::{PLANS, Plan, find};
use crate::errors::{ArmError, ArmResult, invalid_content};
use crate::exchange::Request;
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.Security/pricings";

/// The row.
pub const PRICINGS: Type = Type {
    place: Place::None,
    put: Style::Replaced,
    creating: None,
    deletable: false,
    properties: &[
        "pricingTier",
        "subPlan",
        "freeTrialRemainingTime",
        "enablementTime",
        "enforce",
        "inherited",
        "inheritedFrom",
        "resourcesCoverageStatus",
        "extensions",
        "deprecated",
        "replacedBy",
    ],
    read_only: &[
        "freeTrialRemainingTime",
        "enablementTime",
        "inherited",
        "inheritedFrom",
        "resourcesCoverageStatus",
        "deprecated",
        "replacedBy",
    ],
    check,
    fill,
    vanishes: |pricing| pricing.text(TIER) == Some("Free"),
    render,
    provided,
    collection: Some(list),
    ..Type::new(NAME, VERSIONS)
};

const TIER: &str = "/properties/pricingTier";
const SUB_PLAN: &str = "/properties/subPlan";
const ENFORCE: &str = "/properties/enforce";
const EXTENSIONS: &str = "/properties/extensions";
const ENABLED: &str = "/properties/enablementTime";
/// The free trial (pricing page of Defender for Cloud).
const TRIAL_MS: u64 = 30 * 24 * 3600 * 1000;

fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    let name = new.id.name();
    let plan = find(name).ok_or_else(|| unknown_plan(name))?;
    let scope = new.id.parent().map(|scope| scope.type_name());
    if scope.as_deref() != Some("Microsoft.Resources/subscriptions") {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "The plan '{name}' can be set on a subscription only. Resource level pricing is for virtual machines."
            ),
        ));
    }
    let tier = new.text(TIER).ok_or_else(|| {
        invalid_content("Required property 'pricingTier' not found in JSON. Path 'properties'")
    })?;
    if spelled(&["Free", "Standard"], tier).is_none() {
        return Err(ArmError::bad(
            "InvalidPricingTier",
            format!("The pricing tier '{tier}' is invalid. The tiers are Free, Standard."),
        ));
    }
    if let Some(sub_plan) = new.text(SUB_PLAN)
        && spelled(plan.sub_plans, sub_plan).is_none()
    {
        return Err(ArmError::bad(
            "InvalidSubPlan",
            format!(
                "The sub plan '{sub_plan}' is invalid for the plan '{name}'. Its sub plans are: {}.",
                plan.sub_plans.join(", ")
            ),
        ));
    }
    switch(new.at(ENFORCE), "enforce")?;
    for extension in new.items(EXTENSIONS) {
        let given = extension["name"].as_str().unwrap_or_default();
        if extension_of(plan, given).is_none() {
            return Err(ArmError::bad(
                "InvalidExtension",
                format!("The extension '{given}' is not supported for the plan '{name}'."),
            ));
        }
        if extension["isEnabled"].is_null() {
            return Err(invalid_content(
                "Required property 'isEnabled' not found in JSON. Path 'properties.extensions'",
            ));
        }
        switch(Some(&extension["isEnabled"]), "extensions.isEnabled")?;
    }
    Ok(())
}

/// `True` and `False` are words here.
fn switch(value: Option<&Value>, name: &str) -> ArmResult<()> {
    match value {
        None => Ok(()),
        Some(value)
            if value
                .as_str()
                .is_some_and(|text| spelled(&["True", "False"], text).is_some()) =>
        {
            Ok(())
        }
        Some(value) => Err(invalid_content(format!(
            "Error converting value {value}. Path 'properties.{name}'"
        ))),
    }
}

fn spelled(words: &[&'static str], text: &str) -> Option<&'static str> {
    words
        .iter()
        .copied()
        .find(|word| word.eq_ignore_ascii_case(text))
}

fn extension_of(plan: &Plan, name: &str) -> Option<&'static str> {
    plan.extensions
        .iter()
        .map(|(known, _)| *known)
        .find(|known| known.eq_ignore_ascii_case(name))
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    let Some(plan) = find(new.id.name()) else {
        return Ok(());
    };
    let word = |pointer: &str, words: &[&'static str]| {
        new.text(pointer).and_then(|text| spelled(words, text))
    };
    let standard = word(TIER, &["Standard"]).is_some();
    let sub_plan = word(SUB_PLAN, plan.sub_plans)
        .map(ToOwned::to_owned)
        .or_else(|| {
            old.and_then(|old| old.text(SUB_PLAN))
                .map(ToOwned::to_owned)
        })
        .or_else(|| plan.sub_plans.first().map(|first| (*first).to_owned()))
        .filter(|_| standard);
    let enforce = word(ENFORCE, &["True"]).unwrap_or("False");
    let extensions = extensions(plan, new, old, standard);
    let enabled = old
        .and_then(|old| old.text(ENABLED))
        .map_or_else(|| world.timestamp(), ToOwned::to_owned);
    let mut properties = json!({
        "pricingTier": if standard { "Standard" } else { "Free" },
        "enforce": enforce,
        "extensions": extensions,
    });
    if let Some(sub_plan) = sub_plan {
        properties["subPlan"] = json!(sub_plan);
    }
    if standard {
        properties["enablementTime"] = json!(enabled);
        properties["resourcesCoverageStatus"] = json!("FullyCovered");
    }
    new.set("/properties", properties);
    Ok(())
}

/// What is named is as it was named; the others stay as they are, or are what the plan turns on by itself.
fn extensions(plan: &Plan, new: &Resource, old: Option<&Resource>, standard: bool) -> Vec<Value> {
    let find = |resource: &Resource, name: &str| {
        resource
            .items(EXTENSIONS)
            .iter()
            .find(|extension| {
                extension["name"]
                    .as_str()
                    .is_some_and(|given| given.eq_ignore_ascii_case(name))
            })
            .cloned()
    };
    let one = |(name, default): &(&str, bool)| {
        let given = find(new, name).or_else(|| old.and_then(|old| find(old, name)));
        let on = given
            .as_ref()
            .and_then(|given| given["isEnabled"].as_str())
            .map_or(*default, |text| text.eq_ignore_ascii_case("true"));
        let mut extension = json!({
            "name": name,
            "isEnabled": if on && standard { "True" } else { "False" },
        });
        let more = given.map(|given| given["additionalExtensionProperties"].clone());
        if let Some(more) = more.filter(|more| !more.is_null() && standard) {
            extension["additionalExtensionProperties"] = more;
        }
        extension
    };
    plan.extensions.iter().map(one).collect()
}

fn render(world: &World, pricing: &Resource, body: &mut Value) {
    let since = pricing
        .text(ENABLED)
        .and_then(|text| {
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
        })
        .and_then(|time| u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok())
        .unwrap_or(world.now);
    let left = (since + TRIAL_MS).saturating_sub(world.now) / 1000;
    body["properties"]["freeTrialRemainingTime"] = json!(duration(left));
    if let Some(plan) = find(pricing.id.name()) {
        body["name"] = json!(plan.name);
        if plan.extensions.is_empty()
            && let Some(Value::Object(properties)) = body.get_mut("properties")
        {
            properties.remove("extensions");
        }
        if !plan.replaced_by.is_empty() {
            body["properties"]["deprecated"] = json!(true);
            body["properties"]["replacedBy"] = json!(plan.replaced_by);
        }
    }
}

/// ISO 8601, as Azure writes a duration: `P29DT23H59M8S`, `PT0S`.
fn duration(seconds: u64) -> String {
    let (days, rest) = (seconds / 86400, seconds % 86400);
    let parts = [
        (rest / 3600, 'H'),
        (rest % 3600 / 60, 'M'),
        (rest % 60, 'S'),
    ];
    let time: String = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    match (days, time.as_str()) {
        (0, "") => "PT0S".to_owned(),
        (0, time) => format!("PT{time}"),
        (days, "") => format!("P{days}D"),
        (days, time) => format!("P{days}DT{time}"),
    }
}

/// A plan that nobody turned on.
fn provided(world: &World, id: &ResourceId) -> Option<Value> {
    let plan = find(id.name()).filter(|_| world.get(id.as_str()).is_none())?;
    let extensions: Vec<Value> = plan
        .extensions
        .iter()
        .map(|(name, _)| json!({ "name": name, "isEnabled": "False" }))
        .collect();
    let body = json!({
        "properties": { "pricingTier": "Free", "enforce": "False", "extensions": extensions },
    });
    let subscription = ResourceId::subscription_of(id.subscription());
    let at = subscription.child("providers/Microsoft.Security/pricings", plan.name);
    Some(world.view(&Resource::new(at, NAME, body)))
}

fn list(world: &mut World, scope: &str, _: &Request) -> ArmResult<Vec<Value>> {
    Ok(PLANS
        .iter()
        .filter_map(|plan| {
            let id = ResourceId::parse(&format!("{scope}/providers/{NAME}/{}", plan.name))?;
            provided(world, &id).or_else(|| world.get(id.as_str()).map(|found| world.view(found)))
        })
        .collect())
}

fn unknown_plan(name: &str) -> ArmError {
    ArmError::bad(
        "InvalidPricingName",
        format!("The pricing name '{name}' is invalid."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_only_the_parts_that_are_not_zero() {
        for (seconds, text) in [
            (0, "PT0S"),
            (59, "PT59S"),
            (30 * 86400, "P30D"),
            (30 * 86400 - 1, "P29DT23H59M59S"),
            (86400 + 60, "P1DT1M"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
