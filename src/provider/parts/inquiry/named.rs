//! How users name what exists: by its id, or by its name and where it is.

use serde::Deserialize;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Computed, Kind};
use tfplugin_rs::value::{Path, Value};

use super::{Unanswered, need, need_list, refused};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{ARM_ID, Seen, is_of};

/// The argument `id`.
pub const BY_ID: Attribute = Attribute::optional_computed("id", Kind::String, Computed::Volatile)
    .describe("The ARM id. Either this is given, or `name`.")
    .checked(&[ARM_ID]);

/// The argument `name`.
pub const BY_NAME: Attribute =
    Attribute::optional_computed("name", Kind::String, Computed::Volatile).describe(
        "The name. With `resource_group_id` it is looked up in that group, with `subscription_id` in a \
         whole subscription, and alone in the provider's own subscription; it must be the only one of \
         that name there.",
    );

/// The argument `resource_group_id`.
pub const BY_GROUP: Attribute =
    Attribute::optional_computed("resource_group_id", Kind::String, Computed::Volatile)
        .describe("The resource group.")
        .checked(&[ARM_ID]);

/// The argument `subscription_id`.
pub const BY_SUBSCRIPTION: Attribute = Attribute::optional("subscription_id", Kind::String)
    .describe("The subscription in which the name is looked up: the GUID alone.");

/// What the user wrote to name an object.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Named {
    id: Option<ArmId>,
    name: Option<String>,
    resource_group_id: Option<ArmId>,
    subscription_id: Option<String>,
}

impl Named {
    /// The object of that type, with its id.
    ///
    /// # Errors
    /// [`Unanswered`] while it is unread, and when there is none, or more than one.
    pub fn find<'a>(&self, kind: &str, seen: &'a Seen) -> Result<(ArmId, &'a Json), Unanswered> {
        let (id, argument) = match (&self.id, &self.resource_group_id) {
            (Some(id), _) => (id.clone(), "id"),
            (None, Some(group)) => (group.resource(kind, self.name()), "name"),
            (None, None) => (self.in_subscription(kind, seen)?, "name"),
        };
        let found = need(seen, &id, argument)?;
        Ok((id, found))
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The only object of that type and name in a subscription.
    fn in_subscription(&self, kind: &str, seen: &Seen) -> Result<ArmId, Unanswered> {
        let given = self.subscription_id.as_deref();
        let Some(subscription) = given.or(seen.subscription_id()) else {
            return Err(refused(
                ArmId::subscription("").resource(kind, self.name()),
                "name",
                "nothing says in which subscription it is",
                Vec::new(),
                "say where the name is looked up:\n\n  subscription_id = \
                 \"00000000-0000-0000-0000-000000000000\" # or resource_group_id",
            ));
        };
        let subscription = ArmId::subscription(subscription);
        let list = format!("providers/{kind}");
        let all = need_list(seen, &subscription, &list, "name")?;
        let mut named: Vec<ArmId> = all
            .iter()
            .filter_map(|item| ArmId::parse(item["id"].as_str()?).ok())
            .filter(|id| id.is(kind) && id.name().eq_ignore_ascii_case(self.name()))
            .collect();
        named.sort();
        let some = subscription.resource(kind, self.name());
        let (Some(first), second) = (named.first(), named.get(1)) else {
            return Err(refused(
                some,
                "name",
                "there is none of that name in the subscription",
                vec![format!(
                    "the caller sees {} of {kind} in {subscription}",
                    all.len()
                )],
                "correct the name, or say where else it is:\n\n  resource_group_id = \
                 \"/subscriptions/.../resourceGroups/...\" # or subscription_id",
            ));
        };
        if second.is_some() {
            let fix = format!("say which one is meant:\n\n  id = \"{first}\"");
            let evidence = named.iter().map(ToString::to_string).collect();
            return Err(refused(
                some,
                "name",
                "there are several of that name",
                evidence,
                fix,
            ));
        }
        Ok(first.clone())
    }
}

/// Checks that the object is named in exactly one way, and by an id of its type. What is not known
/// yet may turn out to be either.
pub fn of_kind(kind: &str, config: &Value, diagnostics: &mut Diagnostics) {
    let given = |name: &str| !config.get(name).is_null() && !config.get(name).is_unknown();
    if config.get("id").is_null() && config.get("name").is_null() {
        diagnostics.error(
            Path::root(),
            "nothing says which one is meant",
            "Fix: give its id, or its name and where it is:\n\n  id = \
             \"/subscriptions/.../resourceGroups/...\"\n\nor\n\n  name              = \"example\"\n  \
             resource_group_id = fkaks_resource_group.example.id",
        );
    }
    for other in ["name", "resource_group_id", "subscription_id"] {
        if given("id") && given(other) {
            diagnostics.error(
                Path::attribute(other),
                format!("the id says it all, and {other} does not go with it"),
                format!("Fix: remove id or {other}."),
            );
        }
    }
    if given("resource_group_id") && given("subscription_id") {
        diagnostics.error(
            Path::attribute("subscription_id"),
            "the resource group says in which subscription it is",
            "Fix: remove subscription_id or resource_group_id.",
        );
    }
    let groups = "Microsoft.Resources/resourceGroups";
    for (kind, argument) in [(kind, "id"), (groups, "resource_group_id")] {
        let path = Path::attribute(argument);
        is_of(kind, config.get(argument), path, diagnostics);
    }
}
