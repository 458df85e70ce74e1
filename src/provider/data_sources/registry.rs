//! A container registry that exists, in the terms of the resource `fkaks_registry`.

use serde_json::json;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Kind, Nesting, Schema};
use tfplugin_rs::value::Value;

use crate::arm::Json;
use crate::provider::parts::{
    Answer, Attributes, BY_GROUP, BY_ID, BY_NAME, BY_SUBSCRIPTION, Composite, Inquiry, Named, Page,
    Seen, Unanswered, answer, need_list, of_kind,
};
use crate::provider::resources;

const REGISTRY: &str = resources::Registry::ANCHOR;

/// `fkaks_registry`
pub struct Registry;

impl Inquiry for Registry {
    type Input = Named;
    type Output = Attributes;

    const NAME: &'static str = "fkaks_registry";
    const SCHEMA: Schema = SCHEMA;
    const PAGE: Page = PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        of_kind(REGISTRY, config, diagnostics);
    }

    fn answer(input: &Named, seen: &Seen) -> Result<Answer<Attributes>, Unanswered> {
        let (id, found) = input.find(REGISTRY, seen)?;
        if found["sku"]["name"] == "Premium" {
            // A refusal must not read as "no replicas".
            need_list(seen, &id, "replications", "")?;
        }
        let mut output = resources::Registry::observe(&id, None, seen)?.attributes();
        for (name, value) in [
            ("id", json!(id)),
            ("tags", found["tags"].clone()),
            (
                "zone_redundancy_enabled",
                json!(found["properties"]["zoneRedundancy"] == "Enabled"),
            ),
        ] {
            output.insert(name.to_owned(), value);
        }
        // What has nothing is empty here, so that it can be counted and looped over.
        for (name, nothing) in [
            ("allowed_ip_ranges", json!([])),
            ("georeplications", json!({})),
            ("tags", json!({})),
        ] {
            let value = output.entry(name.to_owned()).or_insert(Json::Null);
            if value.is_null() {
                *value = nothing;
            }
        }
        Ok(Answer::of(output))
    }
}

const GEOREPLICATION: &[Attribute] = &[
    answer("regional_endpoint_enabled", Kind::Bool)
        .describe("Whether pulls and pushes are routed to this replica."),
    answer("tags", Kind::Map(&Kind::String)).describe("The tags of the replica."),
];

const CONNECTION: &[Attribute] = &[
    answer("private_endpoint_id", Kind::String).describe("The private endpoint."),
    answer("state", Kind::String).describe("`Approved`, `Pending`, `Rejected` or `Disconnected`."),
    answer("name", Kind::String).describe("The name of the connection."),
];

const IDENTITY: &[Attribute] = &[
    answer("type", Kind::String)
        .describe("`SystemAssigned`, `UserAssigned` or `SystemAssigned, UserAssigned`."),
    answer("identity_ids", Kind::Set(&Kind::String)).describe("The user-assigned identities."),
    answer("principal_id", Kind::String).describe("The object id of the system-assigned identity."),
    answer("tenant_id", Kind::String).describe("Its tenant."),
];

const KEY: &[Attribute] = &[
    answer("key_vault_key_id", Kind::String).describe("The key."),
    answer("identity_client_id", Kind::String)
        .describe("The client id of the identity that reads the key."),
    answer("versioned_key_id", Kind::String).describe("The key with the version in use."),
];

const SCHEMA: Schema = Schema::new(
    "A container registry that exists, by its id or its name, in the terms of the resource `fkaks_registry`: \
     its exposure instead of separate switches, its hosts, and the private endpoints that are connected.",
    &[
        BY_ID,
        BY_NAME,
        BY_GROUP,
        BY_SUBSCRIPTION,
        answer("location", Kind::String).describe("The registry's own region."),
        answer("sku", Kind::String).describe("The tier: `Basic`, `Standard` or `Premium`."),
        answer("login_server", Kind::String)
            .describe("The host to log in to and to name images by, such as `images.azurecr.io`."),
        answer("data_endpoint_enabled", Kind::Bool)
            .describe("Whether layers are served from hosts of the registry's own."),
        answer("data_endpoint_host_names", Kind::Set(&Kind::String))
            .describe("Those hosts, one for each region."),
        answer("exposure", Kind::String).describe(
            "Who can reach the registry: `private` (private endpoints alone), `allowlist` (allowed addresses \
             too) or `public` (everyone).",
        ),
        answer("allowed_ip_ranges", Kind::Set(&Kind::String)).describe(
            "The public addresses and ranges of its firewall, as Azure writes them. They count while the \
             exposure is `allowlist`.",
        ),
        answer("trusted_services_enabled", Kind::Bool)
            .describe("Whether trusted Microsoft services pass the network rules."),
        answer("tasks_bypass_enabled", Kind::Bool)
            .describe("Whether ACR Tasks pass the network rules."),
        answer("admin_enabled", Kind::Bool).describe("Whether the admin user may log in."),
        answer("anonymous_pull_enabled", Kind::Bool)
            .describe("Whether everyone who reaches the registry may pull without logging in."),
        answer("arm_audience_authentication_enabled", Kind::Bool)
            .describe("Whether tokens that were made for Azure Resource Manager are accepted."),
        answer("role_assignment_mode", Kind::String).describe(
            "`LegacyRegistryPermissions` (AcrPull and its like count) or `AbacRepositoryPermissions` \
             (Container Registry Repository Reader and its like do).",
        ),
        answer("export_policy_enabled", Kind::Bool).describe("Whether images may be exported."),
        answer("quarantine_policy_enabled", Kind::Bool)
            .describe("Whether pushed images stay in quarantine until a scanner releases them."),
        answer("retention_policy_in_days", Kind::Integer).describe(
            "After how many days untagged manifests are deleted; null where they are kept.",
        ),
        answer("zone_redundancy_enabled", Kind::Bool).describe(
            "What the property says. Azure uses a region's zones whatever it says.",
        ),
        answer("georeplications", Kind::Nested(Nesting::Map, GEOREPLICATION))
            .describe("The replicas in other regions, by region."),
        answer(
            "private_endpoint_connections",
            Kind::Nested(Nesting::List, CONNECTION),
        )
        .describe("The private endpoints that are connected or want to be, sorted by their ids."),
        answer("identity", Kind::Nested(Nesting::Single, IDENTITY))
            .describe("The managed identities of the registry; null where it has none."),
        answer("customer_managed_key", Kind::Nested(Nesting::Single, KEY))
            .describe("The key of one's own that encrypts it; null where Azure's does."),
        answer("tags", Kind::Map(&Kind::String)).describe("The tags."),
    ],
);

const PAGE: Page = Page {
    subcategory: "Private registry",
    permissions: &[
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to read it, and to find it by its name",
        ),
        (
            "Microsoft.ContainerRegistry/registries/replications/read",
            "to read the replicas of a Premium registry",
        ),
    ],
    failures: &[
        (
            "it does not exist",
            "The id or the name is another, or it is made in the same configuration: refer to the resource's \
             `id`, and it is read after it was made.",
        ),
        (
            "a permission is missing",
            "The message names the action, the scope and the caller. Azure answers 403 also for what does not \
             exist in a group that the caller may not see.",
        ),
    ],
    notes: "## What is not here\n\nNo password: neither the admin user's, nor a token's.",
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::arm::ArmId;

    fn group() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
    }

    fn id(group: &ArmId) -> ArmId {
        group.resource(REGISTRY, "images")
    }

    fn named(json: Json) -> Named {
        serde_json::from_value(json).unwrap()
    }

    fn registry(sku: &str) -> Json {
        json!({
            "id": id(&group()), "name": "images", "location": "westeurope", "sku": {"name": sku},
            "properties": {
                "loginServer": "Images.azurecr.io", "publicNetworkAccess": "Enabled",
                "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7"}]},
            },
        })
    }

    fn why(error: &Unanswered) -> String {
        format!("{error:?}")
    }

    #[test]
    fn it_answers_in_the_terms_of_the_resource() {
        let replicas = vec![json!({
            "name": "northeurope", "location": "northeurope",
            "properties": {"regionEndpointEnabled": true},
        })];
        let seen = Seen::of([(id(&group()), Some(registry("Premium")))]).with_list(
            &id(&group()),
            "replications",
            replicas,
        );
        let output = Registry::answer(&named(json!({"id": id(&group())})), &seen)
            .unwrap()
            .output;
        assert_eq!(output["exposure"], "allowlist");
        assert_eq!(output["allowed_ip_ranges"], json!(["203.0.113.7"]));
        assert_eq!(output["login_server"], "images.azurecr.io");
        assert_eq!(output["resource_group_id"], json!(group()));
        assert!(output["georeplications"].get("northeurope").is_some());
        assert_eq!(output["tags"], json!({}));
        for attribute in SCHEMA.attributes {
            let known = output.contains_key(attribute.name) || attribute.name == "subscription_id";
            assert!(known, "nothing fills in {}", attribute.name);
        }
    }

    #[test]
    fn replicas_are_asked_for_where_there_can_be_some() {
        let look = |sku| {
            let seen = Seen::of([(id(&group()), Some(registry(sku)))]);
            Registry::answer(&named(json!({"id": id(&group())})), &seen).is_ok()
        };
        assert!(!look("Premium"));
    }

    #[test]
    fn a_name_is_looked_up_in_a_group_or_in_a_subscription_where_it_is_the_only_one() {
        let subscription = ArmId::subscription(group().subscription_id());
        let list = format!("providers/{REGISTRY}");
        let in_group = named(json!({"name": "images", "resource_group_id": group()}));
        let seen = Seen::of([(id(&group()), Some(registry("Basic")))]).with_list(
            &id(&group()),
            "replications",
            Vec::new(),
        );
        assert!(Registry::answer(&in_group, &seen).is_ok());
        let written = json!({"name": "Images", "subscription_id": group().subscription_id()});
        let by_name = named(written);
        let other = ArmId::group(group().subscription_id(), "other");
        let all = |ids: &[ArmId]| ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
        let seen = |ids: &[ArmId]| {
            Seen::of([(id(&group()), Some(registry("Basic")))])
                .with_list(&subscription, &list, all(ids))
                .with_list(&id(&group()), "replications", Vec::new())
        };
        let found = Registry::answer(&by_name, &seen(&[id(&group())])).unwrap();
        assert_eq!(found.output["id"], json!(id(&group())));
        let two = seen(&[id(&group()), id(&other)]);
        let several = Registry::answer(&by_name, &two).unwrap_err();
        assert!(
            why(&several).contains("there are several of that name"),
            "{several:?}"
        );
        let none = Registry::answer(&by_name, &seen(&[])).unwrap_err();
        assert!(
            why(&none).contains("there is none of that name"),
            "{none:?}"
        );
        let nowhere = named(json!({"name": "images"}));
        let unsaid = Registry::answer(&nowhere, &two).unwrap_err();
        assert!(why(&unsaid).contains("in which subscription"), "{unsaid:?}");
    }

    #[test]
    fn it_is_named_in_exactly_one_way() {
        let mistakes = |config: Json| {
            let mut diagnostics = Diagnostics::new();
            let config = SCHEMA.value_from_json(&config).unwrap();
            Registry::validate(&config, &mut diagnostics);
            diagnostics
                .iter()
                .map(|one| one.summary.clone())
                .collect::<Vec<_>>()
        };
        assert!(mistakes(json!({"id": id(&group())})).is_empty());
        assert!(mistakes(json!({"name": "images"})).is_empty());
        assert_eq!(mistakes(json!({})), ["nothing says which one is meant"]);
        assert_eq!(
            mistakes(json!({"id": id(&group()), "name": "images"})),
            ["the id says it all, and name does not go with it"]
        );
        assert_eq!(
            mistakes(
                json!({"name": "images", "resource_group_id": group(), "subscription_id": "x"})
            ),
            ["the resource group says in which subscription it is"]
        );
        assert_eq!(
            mistakes(json!({"id": group()})),
            [format!("an id of {REGISTRY} is needed here")]
        );
    }
}
