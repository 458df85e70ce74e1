//! A resource group. One ARM object, `Microsoft.Resources/resourceGroups`; a resource of its own
//! so that a configuration needs no second provider for the place where everything stands.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplugin_rs::framework::Timeouts;
use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Schema};
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, normalize};
use crate::network::names;
use crate::provider::parts::{
    Composite, DRIFT, ID, Look, OBJECTS, Observed, Page, Part, Removal, Seen, Surroundings, Tags,
    Unread, Wanted, same_region, spelled,
};

/// `fkaks_resource_group`
pub struct ResourceGroup;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    name: String,
    location: String,
    subscription_id: Option<String>,
    tags: Option<Tags>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {}

impl Composite for ResourceGroup {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_resource_group";
    const ANCHOR: &'static str = "Microsoft.Resources/resourceGroups";
    const TIMEOUTS: Timeouts = Timeouts::minutes(30, 5, 30, 90);
    const PARTS: &'static [Part<Input>] = &[Part::new("group", group).keep(still_used)];

    const SCHEMA: Schema = Schema::new(
        "A resource group. It is deleted only when nothing is left in it.",
        &[
            Attribute::required("name", Kind::String)
                .describe("The name.")
                .checked(&[Check::Text(names::RESOURCE_GROUP, names::resource_group)])
                .replaces(),
            Attribute::required("location", Kind::String)
                .describe("The region, such as `westeurope`.")
                .same_when(same_region)
                .replaces(),
            Attribute::optional_computed("subscription_id", Kind::String, Computed::Fixed)
                .describe("The subscription; the provider's by default.")
                .replaces(),
            Attribute::optional("tags", Kind::Map(&Kind::String)).describe("The tags."),
            Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
            Attribute::computed(
                "objects",
                Kind::Map(&Kind::List(&Kind::String)),
                Computed::Volatile,
            )
            .describe(OBJECTS),
            Attribute::computed(
                "drift",
                Kind::List(&Kind::String),
                Computed::Always(Literal::EmptyList),
            )
            .describe(DRIFT),
        ],
    );

    const PAGE: Page = Page {
        subcategory: "Base",
        permissions: &[
            (
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "to read it",
            ),
            (
                "Microsoft.Resources/subscriptions/resourceGroups/write",
                "to create and tag it",
            ),
            (
                "Microsoft.Resources/subscriptions/resourceGroups/delete",
                "to delete it",
            ),
            (
                "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
                "to see what is left in it before it is deleted",
            ),
        ],
        failures: &[
            (
                "the group cannot be deleted: something else still depends on it",
                "Something is in the group that this resource did not make. The message lists it. \
                 Delete it, move it, or keep the group.",
            ),
            (
                "the group cannot be created: it exists already",
                "Import it, with the block that the message shows.",
            ),
        ],
        notes: "",
    };

    fn id(input: &Input, surroundings: &Surroundings) -> Option<ArmId> {
        let subscription = input
            .subscription_id
            .as_deref()
            .or(surroundings.subscription_id.as_deref())?;
        Some(ArmId::group(subscription, &input.name))
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        let input = match (seen.look(id)?, prior) {
            (Look::Found(found), prior) => Input {
                name: prior.map_or_else(|| id.name().to_owned(), |prior| prior.name.clone()),
                location: spelled(
                    prior.map(|prior| prior.location.as_str()),
                    &found["location"],
                ),
                subscription_id: Some(
                    prior
                        .and_then(|prior| prior.subscription_id.clone())
                        .unwrap_or_else(|| id.subscription_id().to_owned()),
                ),
                tags: seen
                    .tag_policy()
                    .observed(found, prior.and_then(|prior| prior.tags.as_ref())),
            },
            (_, Some(prior)) => prior.clone(),
            (_, None) => Input {
                name: id.name().to_owned(),
                location: String::new(),
                subscription_id: Some(id.subscription_id().to_owned()),
                tags: None,
            },
        };
        Ok(Observed::new(input, Output {}))
    }

    fn foresee(
        plan: &Value,
        _: Option<&Value>,
        surroundings: &Surroundings,
    ) -> Vec<(&'static str, Value)> {
        let own = plan.get("subscription_id").as_str().map(str::to_owned);
        let Some(subscription) = own.or_else(|| surroundings.subscription_id.clone()) else {
            return Vec::new();
        };
        let mut known = vec![("subscription_id", Value::from(subscription.as_str()))];
        if let Some(name) = plan.get("name").as_str() {
            known.push((
                "id",
                Value::from(ArmId::group(&subscription, name).as_str()),
            ));
        }
        known
    }
}

fn group(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let subscription = input.subscription_id.as_deref().or(seen.subscription_id());
    let id = ArmId::group(subscription.unwrap_or_default(), &input.name);
    let body = json!({ "location": normalize(&input.location) });
    Ok(vec![
        Wanted::new(id, Ok(body))
            .tagged(input.tags.as_ref())
            .immutable(&["/location"]),
    ])
}

/// A group goes with all that is in it, so it is kept while anything is.
fn still_used(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    let Look::Found(resources) = seen.list(removal.id, "resources")? else {
        return Ok(Vec::new());
    };
    let mut ids: Vec<&str> = resources
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    ids.sort_unstable();
    Ok(ids.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg-app")
    }

    #[test]
    fn the_users_spelling_of_the_region_stays_while_it_is_the_same() {
        let prior = Input {
            name: "rg-app".into(),
            location: "West Europe".into(),
            subscription_id: None,
            tags: None,
        };
        let seen = Seen::of([(id(), Some(json!({"location": "westeurope"})))]);
        let observed = ResourceGroup::observe(&id(), Some(&prior), &seen).unwrap();
        assert_eq!(observed.input.location, "West Europe");
        let seen = Seen::of([(id(), Some(json!({"location": "northeurope"})))]);
        let observed = ResourceGroup::observe(&id(), Some(&prior), &seen).unwrap();
        assert_eq!(observed.input.location, "northeurope");
    }

    #[test]
    fn a_group_is_kept_while_something_is_in_it() {
        let seen = Seen::of([]).with_list(
            &id(),
            "resources",
            vec![json!({"id": "/x/b"}), json!({"id": "/x/a"})],
        );
        let removal = Removal {
            id: &id(),
            ledger: &Default::default(),
        };
        assert_eq!(still_used(&removal, &seen).unwrap(), ["/x/a", "/x/b"]);
    }
}
