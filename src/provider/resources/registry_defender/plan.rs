//! The plan's tier, sub-plan and extensions, as they are, as they are asked for, and as they were.
//!
//! Source: Microsoft.Security 2024-01-01, `pricings`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Input;
use crate::arm::Json;

/// What a subscription pays for.
pub const ON: &str = "Standard";
/// What every subscription has.
pub const OFF: &str = "Free";

/// Parts of the plan that are turned on and off by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions {
    registry_vulnerability_assessment_enabled: Option<bool>,
    kubernetes_discovery_enabled: Option<bool>,
    machine_scanning_enabled: Option<bool>,
    sensor_enabled: Option<bool>,
}

/// The arguments of the extensions, and Azure's names.
pub const NAMES: [(&str, &str); 4] = [
    (
        "registry_vulnerability_assessment_enabled",
        "ContainerRegistriesVulnerabilityAssessments",
    ),
    (
        "kubernetes_discovery_enabled",
        "AgentlessDiscoveryForKubernetes",
    ),
    ("machine_scanning_enabled", "AgentlessVmScanning"),
    ("sensor_enabled", "ContainerSensor"),
];

impl Extensions {
    fn values(&self) -> [Option<bool>; 4] {
        [
            self.registry_vulnerability_assessment_enabled,
            self.kubernetes_discovery_enabled,
            self.machine_scanning_enabled,
            self.sensor_enabled,
        ]
    }

    fn of_values([assessment, discovery, scanning, sensor]: [Option<bool>; 4]) -> Self {
        Self {
            registry_vulnerability_assessment_enabled: assessment,
            kubernetes_discovery_enabled: discovery,
            machine_scanning_enabled: scanning,
            sensor_enabled: sensor,
        }
    }

    /// What is asked for, by Azure's names.
    fn asked(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let values = NAMES.into_iter().zip(self.values());
        values.filter_map(|((_, name), value)| Some((name, value?)))
    }

    /// What there is of those that the user wrote, or of all.
    pub fn observed(&self, found: &Json, all: bool) -> Self {
        let values = self.values();
        let mut shown = [None; 4];
        for (position, (_, name)) in NAMES.iter().enumerate() {
            if all || values[position].is_some() {
                shown[position] = Some(has(found, name));
            }
        }
        Self::of_values(shown)
    }
}

/// What was there before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pricing_tier: String,
    sub_plan: Option<String>,
    extensions: BTreeMap<String, bool>,
}

impl Snapshot {
    /// The plan as it is.
    pub fn of(found: &Json) -> Self {
        let extensions = extensions(found).filter_map(|extension| {
            let name = extension["name"].as_str()?;
            Some((name.to_owned(), has(found, name)))
        });
        Self {
            pricing_tier: tier(found).unwrap_or(OFF).to_owned(),
            sub_plan: sub_plan(found).map(str::to_owned),
            extensions: extensions.collect(),
        }
    }

    /// Whether the plan is as it was.
    pub fn is_met_by(&self, found: &Json) -> bool {
        let is = |name: &String, on: bool| has(found, name) == on;
        tier(found) == Some(self.pricing_tier.as_str())
            && (self.pricing_tier == OFF
                || (sub_plan(found) == self.sub_plan.as_deref()
                    && self.extensions.iter().all(|(name, on)| is(name, *on))))
    }

    /// The body that makes it so again.
    pub fn body(&self, found: &Json) -> Json {
        if self.pricing_tier == OFF {
            return properties(OFF, None, found, Vec::new());
        }
        let own = self.extensions.iter();
        let own = own.map(|(name, on)| extension(found, name, *on)).collect();
        properties(&self.pricing_tier, self.sub_plan.as_deref(), found, own)
    }
}

/// What the user asks for.
pub struct Asked<'a>(&'a Input);

impl<'a> Asked<'a> {
    /// Of these arguments.
    pub fn of(input: &'a Input) -> Self {
        Self(input)
    }

    /// Whether a plan is on and has everything.
    pub fn is_met_by(&self, found: &Json) -> bool {
        is_on(found) && self.differences(found).is_empty()
    }

    /// Where a plan that is on is not as asked for, a line each.
    pub fn differences(&self, found: &Json) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(own) = &self.0.sub_plan
            && sub_plan(found) != Some(own)
        {
            let is = sub_plan(found).unwrap_or("not set");
            lines.push(format!("sub_plan is {is}, and should be {own}"));
        }
        for ((argument, name), value) in NAMES.iter().zip(self.0.extensions.values()) {
            if let Some(own) = value.filter(|own| has(found, name) != *own) {
                lines.push(format!("{argument} is {}, and should be {own}", !own));
            }
        }
        lines
    }

    /// The body that makes it so. Of a plan that is on, everything else stays; of one that is off, Azure
    /// decides what else is turned on with it.
    pub fn body(&self, found: &Json) -> Json {
        let mut all: BTreeMap<String, bool> = BTreeMap::new();
        if is_on(found) {
            all = Snapshot::of(found).extensions;
        }
        for (name, on) in self.0.extensions.asked() {
            all.retain(|other, _| !other.eq_ignore_ascii_case(name));
            all.insert(name.to_owned(), on);
        }
        let all = all.iter().map(|(name, on)| extension(found, name, *on));
        let own = self.0.sub_plan.as_deref().or(sub_plan(found));
        properties(ON, own, found, all.collect())
    }
}

/// Whether the plan is on.
pub fn is_on(found: &Json) -> bool {
    tier(found).is_some_and(|tier| tier.eq_ignore_ascii_case(ON))
}

/// The tier.
pub fn tier(found: &Json) -> Option<&str> {
    found["properties"]["pricingTier"].as_str()
}

/// The sub-plan, where there is one.
pub fn sub_plan(found: &Json) -> Option<&str> {
    found["properties"]["subPlan"].as_str()
}

fn extensions(found: &Json) -> impl Iterator<Item = &Json> {
    let list = found["properties"]["extensions"].as_array();
    list.into_iter().flatten()
}

fn found_extension<'a>(found: &'a Json, name: &str) -> Option<&'a Json> {
    extensions(found).find(|extension| {
        extension["name"]
            .as_str()
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// Whether an extension is on. Azure writes truth as a word here.
fn has(found: &Json, name: &str) -> bool {
    found_extension(found, name).is_some_and(|extension| {
        extension["isEnabled"]
            .as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case("True"))
    })
}

/// An extension as it is sent, with the settings of its own that it has.
fn extension(found: &Json, name: &str, on: bool) -> Json {
    let mut body = json!({"name": name, "isEnabled": if on { "True" } else { "False" }});
    let more = found_extension(found, name).map(|there| &there["additionalExtensionProperties"]);
    if let Some(more) = more.filter(|more| on && !more.is_null()) {
        body["additionalExtensionProperties"] = more.clone();
    }
    body
}

fn properties(tier: &str, sub_plan: Option<&str>, found: &Json, extensions: Vec<Json>) -> Json {
    let mut body = json!({"properties": {"pricingTier": tier}});
    if let Some(sub_plan) = sub_plan {
        body["properties"]["subPlan"] = json!(sub_plan);
    }
    if !extensions.is_empty() {
        body["properties"]["extensions"] = Json::Array(extensions);
    }
    let enforce = &found["properties"]["enforce"];
    if enforce.is_string() {
        body["properties"]["enforce"] = enforce.clone();
    }
    body
}
