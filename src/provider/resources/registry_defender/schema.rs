//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::PREVIOUS;
use crate::provider::parts::{Page, drift, objects};

const GUID: Check = Check::Text(
    "a subscription id, a GUID",
    |text| match uuid::Uuid::parse_str(text) {
        Ok(_) if text.len() == 36 => Ok(()),
        _ => Err(format!(
            "{text:?} is no subscription id such as 00000000-0000-0000-0000-000000000000"
        )),
    },
);

const ALL: Computed = Computed::Follows(&[
    "subscription_id",
    "sub_plan",
    "registry_vulnerability_assessment_enabled",
    "kubernetes_discovery_enabled",
    "machine_scanning_enabled",
    "sensor_enabled",
    "existing",
    "drift",
]);

const BEFORE: &[Attribute] = &[
    Attribute::computed("pricing_tier", Kind::String, ALL)
        .describe("The tier: `Free` or `Standard`."),
    Attribute::computed("sub_plan", Kind::String, ALL)
        .describe("The sub-plan, where there was one."),
    Attribute::computed("extensions", Kind::Map(&Kind::Bool), ALL)
        .describe("The extensions, by Azure's names, and whether each was on."),
];

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "The plan of Microsoft Defender for Cloud that covers the containers of a subscription: its registries and \
     its clusters. Every subscription has exactly one. It is turned on knowingly: what it was is shown, and put \
     back in the end; a plan that someone else turned on counts, and is never turned off.",
    &[
        Attribute::optional_computed("subscription_id", Kind::String, Computed::Fixed)
            .describe("The subscription; the provider's by default.")
            .checked(&[GUID])
            .replaces(),
        Attribute::optional("sub_plan", Kind::String)
            .describe("The sub-plan, where Azure offers more than one; by default as it is.")
            .checked(&[Check::Length(1, 64)]),
        Attribute::optional("registry_vulnerability_assessment_enabled", Kind::Bool)
            .describe(
                "Whether images in registries are scanned (`ContainerRegistriesVulnerabilityAssessments`). A registry \
                 behind a firewall needs `trusted_services_enabled`.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("kubernetes_discovery_enabled", Kind::Bool).describe(
            "Whether clusters are looked at through their API (`AgentlessDiscoveryForKubernetes`); by default as it \
             is, or as Azure turns it on with the plan.",
        ),
        Attribute::optional("machine_scanning_enabled", Kind::Bool).describe(
            "Whether nodes are scanned without an agent (`AgentlessVmScanning`); by default as it is, or as Azure \
             turns it on with the plan.",
        ),
        Attribute::optional("sensor_enabled", Kind::Bool).describe(
            "Whether clusters get the sensor that sees threats as they run (`ContainerSensor`); by default as it is, \
             or as Azure turns it on with the plan.",
        ),
        Attribute::optional("existing", Kind::String)
            .describe(
                "What is done about a plan that someone else turned on: `accept` lets it count and leaves it as it \
                 is, and refuses the plan where it is not as asked for; `adopt` changes what differs.",
            )
            .checked(&[Check::OneOf(&["accept", "adopt"])])
            .default_to(Literal::String("accept")),
        Attribute::optional("on_destroy", Kind::String)
            .describe(
                "What becomes of the plan in the end, where this resource has changed it: `restore` puts it back to \
                 `previous`, `leave` leaves it as it is.",
            )
            .checked(&[Check::OneOf(&["restore", "leave"])])
            .default_to(Literal::String("restore")),
        Attribute::computed("id", Kind::String, Computed::Fixed)
            .describe("The ARM id of the subscription's plan."),
        Attribute::computed("pricing_tier", Kind::String, ALL).describe("The tier: `Free` or `Standard`."),
        Attribute::computed(PREVIOUS, Kind::Nested(Nesting::Single, BEFORE), ALL).describe(
            "What the plan was before this resource changed it; null where it has changed nothing, because it was \
             as asked for.",
        ),
        objects(),
        drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Governance",
    permissions: &[
        (
            "Microsoft.Security/pricings/read",
            "to see what the plan is",
        ),
        (
            "Microsoft.Security/pricings/write",
            "to turn it on and to put it back; `Security Admin` has it",
        ),
    ],
    failures: &[
        (
            "someone else's Defender plan for containers is not as it is asked for here",
            "It is on already, perhaps by a policy, and an extension differs. Leave out what differs, or change it \
             knowingly with `existing = \"adopt\"`. A policy that sets the plan would change it back: then the \
             extension belongs into the policy's parameters.",
        ),
        (
            "the plan shows drift: it is Free",
            "Someone turned it off. The next apply turns it on again, and `previous` stays what it was in the \
             beginning.",
        ),
        (
            "images of a registry are not scanned although the plan is on",
            "Its firewall keeps Defender out: trusted services must be allowed (`trusted_services_enabled = true` \
             in `fkaks_registry`).",
        ),
        (
            "the plan cannot be changed: a management group enforces it",
            "A plan that a parent enforces (`enforce`) is changed there. Let it count with `existing = \"accept\"`.",
        ),
    ],
    notes: "## Whose plan it is\n\n\
            | Before the first apply | `existing` | What is done | In the end |\n\
            |---|---|---|---|\n\
            | `Free` | any | it is turned on, and the plan warns of it | `Free` again, or left |\n\
            | `Standard`, as asked for | any | nothing | nothing |\n\
            | `Standard`, an extension differs | `accept` | the plan is refused | |\n\
            | `Standard`, an extension differs | `adopt` | what differs is changed | as it was, or left |\n\n\
            Extensions that are not named stay as they are; the plan's own settings of an extension are kept. One \
            resource for each subscription: two would put back what the other one made.\n\n\
            ## Import\n\nBy the id of the plan, \
            `/subscriptions/<id>/providers/Microsoft.Security/pricings/Containers`. Nothing shows what it was before, \
            so that an imported plan counts as someone else's, and stays as it is in the end.",
};
