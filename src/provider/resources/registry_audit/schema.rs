//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::check::{setting_name, workspace_id, workspace_name};
use super::{NAME, REGISTRY};
use crate::provider::parts::{DRIFT, OBJECTS, Page, same_id, same_region};
use crate::provider::resources::network::schema::id_of;

const REGISTRY_ID: Check = Check::Text("the id of a registry", |text| id_of(REGISTRY, text));
const GROUP_ID: Check = Check::Text("the id of a resource group", |text| {
    id_of("Microsoft.Resources/resourceGroups", text)
});

const WORKSPACE: &[Attribute] = &[
    Attribute::required("name", Kind::String)
        .describe("Its name. Another name is another workspace.")
        .checked(&[Check::Text("the name of a workspace", workspace_name)]),
    Attribute::optional("resource_group_id", Kind::String)
        .describe("Its group; by default that of the registry.")
        .checked(&[GROUP_ID])
        .same_when(same_id),
    Attribute::optional("location", Kind::String)
        .describe("Its region; by default that of the registry. A workspace cannot move.")
        .same_when(same_region),
    Attribute::optional("sku", Kind::String)
        .describe(
            "How it is billed: `PerGB2018` by what comes in, `CapacityReservation` by a daily amount that is \
             reserved, and cannot be left for 31 days.",
        )
        .checked(&[Check::OneOf(&["PerGB2018", "CapacityReservation"])])
        .default_to(Literal::String("PerGB2018")),
    Attribute::optional("capacity_reservation_gb_per_day", Kind::Integer)
        .describe("The amount that is reserved, in gigabytes a day, for `CapacityReservation`.")
        .checked(&[Check::Range(100, 50_000)]),
    Attribute::optional("retention_in_days", Kind::Integer)
        .describe("How long events are kept, 30 to 730 days.")
        .checked(&[Check::Range(30, 730)])
        .default_to(Literal::Integer(30)),
    Attribute::optional("internet_ingestion_enabled", Kind::Bool)
        .describe(
            "Whether data is taken in over the internet. What diagnostic settings send does not go that way.",
        )
        .default_to(Literal::Bool(true)),
    Attribute::optional("internet_query_enabled", Kind::Bool)
        .describe(
            "Whether queries are answered over the internet. Without it they need an Azure Monitor Private \
             Link Scope.",
        )
        .default_to(Literal::Bool(true)),
    Attribute::optional("local_authentication_enabled", Kind::Bool)
        .describe("Whether the workspace takes its keys instead of Entra ID; no diagnostic setting needs it.")
        .default_to(Literal::Bool(false)),
    Attribute::optional("soft_deleted", Kind::String)
        .describe(
            "What is done when a workspace of the name was deleted less than two weeks ago: `restore` lets it \
             come back with its data, and the plan says so; `refuse` refuses the plan.",
        )
        .checked(&[Check::OneOf(&["restore", "refuse"])])
        .default_to(Literal::String("restore")),
    Attribute::optional("tags", Kind::Map(&Kind::String)).describe("Its tags."),
];

const COLLECTED: &[Attribute] = &[
    Attribute::computed("setting_id", Kind::String, SENT)
        .describe("The diagnostic setting that sends it."),
    Attribute::computed("owned", Kind::Bool, SENT)
        .describe("Whether this resource made the setting, and not someone else."),
];

const SENT: Computed = Computed::Follows(&[
    "registry_id",
    "name",
    "workspace_id",
    "workspace",
    "events",
    "metrics_enabled",
    "existing",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "Login and repository events of a registry, sent to a Log Analytics workspace that is given or made. What \
     a policy or someone else sends there already counts, and is never deleted; a workspace that others use \
     stays.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry, in any subscription.")
            .checked(&[REGISTRY_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("name", Kind::String)
            .describe("The name of the diagnostic setting.")
            .checked(&[Check::Text("the name of a diagnostic setting", setting_name)])
            .default_to(Literal::String(NAME))
            .replaces(),
        Attribute::optional_computed(
            "workspace_id",
            Kind::String,
            Computed::Follows(&["workspace", "registry_id"]),
        )
        .describe(
            "The workspace to which the events go, in any subscription of the tenant. Either this or \
             `workspace`, whose id it then shows.",
        )
        .checked(&[Check::Text("the id of a workspace", workspace_id)])
        .same_when(same_id),
        Attribute::optional("workspace", Kind::Nested(Nesting::Single, WORKSPACE))
            .describe("A workspace that is made for the events, and deleted when nobody else uses it."),
        Attribute::optional("events", Kind::Set(&Kind::String))
            .describe("What is sent: `login`, `repository`; by default both.")
            .checked(&[
                Check::Items(1, 2),
                Check::Each(&Check::OneOf(&["login", "repository"])),
            ]),
        Attribute::optional("metrics_enabled", Kind::Bool)
            .describe("Whether the registry's metrics are sent too.")
            .default_to(Literal::Bool(false)),
        Attribute::optional("existing", Kind::String)
            .describe(
                "What is done about a setting that someone else made, a policy say: `accept` lets count what it \
                 sends to the same workspace; `refuse` takes only this resource's setting.",
            )
            .checked(&[Check::OneOf(&["accept", "refuse"])])
            .default_to(Literal::String("accept")),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(
            "The registry's id: where others send everything, no object of this resource exists. Its setting is \
             in `objects`.",
        ),
        Attribute::computed(
            "workspace_customer_id",
            Kind::String,
            Computed::Follows(&["workspace_id", "workspace", "drift"]),
        )
        .describe("The id by which queries name the workspace, a GUID."),
        Attribute::computed("collected", Kind::Nested(Nesting::Map, COLLECTED), SENT).describe(
            "What gets to the workspace, `login`, `repository` and `metrics`, and by which setting.",
        ),
        Attribute::computed("objects", Kind::Map(&Kind::List(&Kind::String)), Computed::Volatile)
            .describe(OBJECTS),
        Attribute::computed(
            "drift",
            Kind::List(&Kind::String),
            Computed::Always(Literal::EmptyList),
        )
        .describe(DRIFT),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Governance",
    permissions: &[
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to find the registry, and others that send to the workspace",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/read",
            "to see what is sent already, and what else sends to a workspace before it goes",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/write",
            "to send the events",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/delete",
            "to stop sending them",
        ),
        (
            "Microsoft.Insights/diagnosticSettingsCategories/read",
            "to see what a group of categories of someone else's setting sends",
        ),
        (
            "Microsoft.OperationalInsights/workspaces/read",
            "to read its customer id and what stands in it",
        ),
        (
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "which Azure asks of whoever sends events to a workspace",
        ),
        (
            "Microsoft.OperationalInsights/workspaces/write",
            "to make the workspace, for `workspace`",
        ),
        (
            "Microsoft.OperationalInsights/workspaces/delete",
            "to delete the one that was made",
        ),
        (
            "Microsoft.OperationalInsights/deletedWorkspaces/read",
            "to see whether a deleted one of the name would come back",
        ),
        (
            "Microsoft.Resources/subscriptions/resources/read",
            "to find what else sends to the workspace before it goes",
        ),
    ],
    failures: &[
        (
            "a policy makes its own setting after this one",
            "Azure refuses the second setting for the same events and workspace, and the policy shows the \
             registry as not compliant only when it asks for the setting by name. Let the policy act first and \
             keep `existing = \"accept\"`: then this resource makes nothing, and shows the policy's setting.",
        ),
        (
            "the workspace cannot be deleted: something else still depends on it",
            "Other diagnostic settings send to it, a cluster reports to it, or someone keeps data of their own in \
             it; each is listed. Leave it to them with `workspace_id` in place of `workspace`, and apply.",
        ),
        (
            "a workspace of the name was deleted before",
            "Azure keeps a deleted workspace for 14 days and restores it when one of its name is made. The plan \
             warns; `soft_deleted = \"refuse\"` refuses instead.",
        ),
        (
            "the registry was deleted and made anew under the same name",
            "Its settings are gone, or come back with it. The next plan shows what is not sent any more. To have \
             the setting made in the same apply, name the registry in `lifecycle { replace_triggered_by }`.",
        ),
        (
            "a query finds nothing right after the apply",
            "Azure needs some minutes for the first events, and has no table before them. The apply ends when \
             the registry's settings show what is sent.",
        ),
    ],
    notes: "## What counts\n\n\
            With `existing = \"accept\"` this resource sends only what no other setting sends to the same \
            workspace, by category, by the group `allLogs`, or by another group that Azure says has the category \
            in it. `collected` shows who sends what. When the other setting goes, what it sent is drift, and the \
            next apply sends it from a setting of this resource's own.\n\n\
            ## Order\n\n\
            Because the setting names the registry, it is deleted before the registry: a setting that outlives \
            its registry comes back with the next one of that name.\n\n\
            ## What keeps a workspace\n\n\
            A workspace that was made here goes with its events, for 14 days recoverable, and only when nothing \
            else is found to use it: diagnostic settings of the subscription and of its registries, clusters, key \
            vaults, storage accounts, networks, gateways, firewalls and sites, clusters that report to it, data \
            exports, linked services and tables of someone's own. What sends to it from other subscriptions is \
            not seen.\n\n\
            ## Import\n\nBy the id of the diagnostic setting; or by the registry's id, which takes the setting \
            `fkaks-audit`, or the only one that sends to a workspace. A workspace that the configuration has in \
            `workspace` is taken over by the first apply after it.",
};
