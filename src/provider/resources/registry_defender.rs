//! The Defender plan for containers of a subscription (`Microsoft.Security/pricings`, `Containers`), which
//! scans the images of registries. There is exactly one in each subscription; it always exists, is never
//! made and cannot be deleted. So this resource owns no object: it turns the plan on, remembers what it
//! found, and puts that back. The plan is its anchor.

mod check;
mod plan;
mod schema;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::Timeouts;
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use self::plan::{Extensions, Snapshot};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    Check, Composite, Deed, Lock, Look, Observed, Page, Part, Seen, Surroundings, Unread,
};

const PRICING: &str = "Microsoft.Security/pricings";
const CONTAINERS: &str = "Containers";

/// The name under which a deed notes what it found.
const PREVIOUS: &str = "previous";

/// `fkaks_registry_defender`
pub struct RegistryDefender;

/// What the user wrote, and what the plan was before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    subscription_id: Option<String>,
    sub_plan: Option<String>,
    #[serde(flatten)]
    extensions: Extensions,
    existing: Existing,
    on_destroy: OnDestroy,
    /// Computed: what this resource has changed, as it was before. None where it has changed nothing.
    #[serde(default)]
    previous: Option<Snapshot>,
}

/// What is done about a plan that someone else turned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Existing {
    /// It counts, and is left as it is.
    Accept,
    /// What differs is changed, and put back in the end.
    Adopt,
}

/// What becomes of the plan in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnDestroy {
    /// It is put back to what it was before.
    Restore,
    /// It stays as it is.
    Leave,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    pricing_tier: Option<String>,
}

impl Composite for RegistryDefender {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_defender";
    const ANCHOR: &'static str = PRICING;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(15, 5, 15, 15);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] =
        &[Part::deeds("plan", turn_on, put_back).locks(one_at_a_time)];

    fn id(input: &Input, surroundings: &Surroundings) -> Option<ArmId> {
        let own = input.subscription_id.as_deref();
        own.or(surroundings.subscription_id.as_deref()).map(plan_of)
    }

    fn imported(id: &ArmId) -> Option<Json> {
        let is_it = id.is(PRICING) && id.name().eq_ignore_ascii_case(CONTAINERS);
        is_it.then(|| json!({ "id": id }))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        let found = seen.look(id)?.found();
        let mut input = prior.cloned().unwrap_or_else(|| Input {
            subscription_id: None,
            sub_plan: None,
            extensions: Extensions::default(),
            existing: Existing::Accept,
            on_destroy: OnDestroy::Restore,
            previous: None,
        });
        let subscription = id.subscription_id();
        let own = input.subscription_id.take();
        input.subscription_id = Some(own.unwrap_or_else(|| subscription.to_owned()));
        input.previous = before(&input, seen);
        let tier = found.and_then(plan::tier);
        let output = Output {
            pricing_tier: tier.map(str::to_owned),
        };
        let mut drift = Vec::new();
        match found {
            Some(found) if plan::is_on(found) => {
                if prior.is_none_or(|prior| prior.sub_plan.is_some()) {
                    input.sub_plan = plan::sub_plan(found).map(str::to_owned);
                }
                input.extensions = input.extensions.observed(found, prior.is_none());
            }
            Some(_) if prior.is_some() => drift.push(format!(
                "the Defender plan for containers of subscription {subscription} is {}, and should be Standard",
                tier.unwrap_or("off")
            )),
            _ => {}
        }
        let mut observed = Observed::new(input, output);
        observed.drift = drift;
        Ok(observed)
    }

    fn foresee(
        plan: &Value,
        prior: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let mut known = Vec::new();
        let own = plan.get("subscription_id").as_str().map(str::to_owned);
        if let Some(subscription) = own.or_else(|| surroundings.subscription_id.clone()) {
            known.push(("subscription_id", Value::from(subscription.as_str())));
            known.push(("id", Value::from(plan_of(&subscription).as_str())));
        }
        // What it was before stays what it was before.
        if let Some(previous) = prior.map(|prior| prior.get(PREVIOUS))
            && !previous.is_null()
        {
            known.push((PREVIOUS, previous.clone()));
        }
        known
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

/// The id of a subscription's plan.
fn plan_of(subscription: &str) -> ArmId {
    ArmId::subscription(subscription).resource(PRICING, CONTAINERS)
}

fn id_of(input: &Input, seen: &Seen) -> Option<ArmId> {
    let own = input.subscription_id.as_deref();
    own.or(seen.subscription_id()).map(plan_of)
}

/// What the plan was before this resource changed it: as the state has it, or as the deed has noted.
fn before(input: &Input, seen: &Seen) -> Option<Snapshot> {
    let read = |json: &Json| serde_json::from_value(json.clone()).ok().flatten();
    let of_state = || seen.prior().and_then(|prior| read(&prior[PREVIOUS]));
    let noted = || seen.noted(PREVIOUS).first().and_then(read);
    input.previous.clone().or_else(of_state).or_else(noted)
}

/// Turns the plan on, or changes it where it is ours to change.
fn turn_on(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let Some(id) = id_of(input, seen) else {
        return Ok(None);
    };
    let Look::Found(found) = seen.look(&id)? else {
        return Ok(None);
    };
    let before = before(input, seen);
    let theirs = plan::is_on(found) && before.is_none();
    let asked = plan::Asked::of(input);
    if asked.is_met_by(found) || (theirs && input.existing == Existing::Accept) {
        return Ok(None);
    }
    let deed = Deed::put(id, asked.body(found)).argument("existing");
    Ok(Some(match before {
        Some(_) => deed,
        None => deed.noting(PREVIOUS, json!(Snapshot::of(found))),
    }))
}

/// Puts the plan back to what it was before.
fn put_back(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let (Some(previous), Some(id)) = (&input.previous, id_of(input, seen)) else {
        return Ok(None);
    };
    if input.on_destroy == OnDestroy::Leave {
        return Ok(None);
    }
    // Whoever may not read it may perhaps write it: nothing is taken for put back that was not seen so.
    let found = match seen.look(&id)? {
        Look::Found(found) => found,
        Look::Denied(_) => &Json::Null,
        Look::Absent => return Ok(None),
    };
    let same = previous.is_met_by(found);
    Ok((!same).then(|| Deed::put(id, previous.body(found))))
}

fn one_at_a_time(_: &Input, id: &ArmId) -> Vec<Lock> {
    vec![Lock::on(id, "plan", 1)]
}

#[cfg(test)]
mod tests;
