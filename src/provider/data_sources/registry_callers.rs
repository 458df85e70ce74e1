//! Who has called a registry: its login and repository events, as Log Analytics has them, and whether
//! each caller was expected. The query is the published one, over a window; what is expected is told
//! by clusters, ranges of addresses and identities.

mod expected;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Nesting, Schema};
use tfplugin_rs::value::{Path, Value};

use self::expected::Expectations;
use crate::arm::{ArmId, Json};
use crate::provider::parts::{
    ARM_ID, Answer, Inquiry, Look, Page, Question, Seen, Unanswered, is_of, lacking, need,
    need_list, refused,
};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const WINDOW: &str = "24h";

/// The published query, with a place for the registry's id. The empty table stands for the tables of
/// the events until the first of them has come.
const QUERY: &str = include_str!("registry_callers/query.kql");
const PLACE: &str = "<id of the registry in lower case>";

/// `fkaks_registry_callers`
pub struct RegistryCallers;

/// What the user wrote.
#[derive(Debug, Clone, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    workspace_id: Option<ArmId>,
    window: Option<String>,
    expected: Option<Expected>,
}

/// Who is expected to call.
#[derive(Debug, Clone, Default, Deserialize)]
struct Expected {
    cluster_ids: Option<BTreeSet<ArmId>>,
    ip_ranges: Option<BTreeSet<String>>,
    trusted_services: Option<BTreeSet<String>>,
}

/// What is answered.
#[derive(Debug, Serialize)]
pub struct Output {
    registry_id: ArmId,
    workspace_id: ArmId,
    window: String,
    query: String,
    callers: Vec<Caller>,
    unexpected: Vec<Caller>,
    unknown: Vec<String>,
}

/// Events that are alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Caller {
    ip_address: Option<String>,
    artifact_type: Option<String>,
    operation: Option<String>,
    identity: Option<String>,
    count: u64,
    last_seen: Option<String>,
    expected: bool,
    reason: String,
}

impl Inquiry for RegistryCallers {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_callers";
    const SCHEMA: Schema = SCHEMA;
    const PAGE: Page = PAGE;

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        for (name, kind) in [("registry_id", REGISTRY), ("workspace_id", WORKSPACE)] {
            is_of(kind, config.get(name), Path::attribute(name), diagnostics);
        }
        let clusters = config.get("expected").get("cluster_ids").as_items();
        for cluster in clusters.unwrap_or_default() {
            let path = Path::attribute("expected").then("cluster_ids");
            is_of(CLUSTER, cluster, path, diagnostics);
        }
    }

    fn answer(input: &Input, seen: &Seen) -> Result<Answer<Output>, Unanswered> {
        // Ask for everything first.
        let expectations = Expectations::of(input.expected.as_ref(), seen);
        let workspace = workspace(input, seen)?;
        let customer = need(seen, &workspace, "workspace_id")?["properties"]["customerId"].as_str();
        let Some(customer) = customer else {
            return Err(refused(
                workspace,
                "workspace_id",
                "it has no customer id yet, by which it is asked",
                Vec::new(),
                "wait until the workspace has been made.",
            ));
        };
        let window = input.window.as_deref().unwrap_or(WINDOW);
        let query = query(&input.registry_id);
        let question = Question::Logs {
            workspace: customer.to_owned(),
            query: query.clone(),
            timespan: timespan(window).unwrap_or_default(),
        };
        let answer = match seen.ask(&question)? {
            Look::Found(answer) => answer,
            Look::Denied(error) => return Err(lacking(workspace, "workspace_id", &error)),
            Look::Absent => {
                return Err(refused(
                    workspace,
                    "workspace_id",
                    "Log Analytics does not know it",
                    vec![format!("its customer id is {customer}")],
                    "wait a few minutes where the workspace is new; or give the one that the registry's \
                     events go to:\n\n  workspace_id = azurerm_log_analytics_workspace.example.id",
                ));
            }
        };
        let expectations = expectations?;
        let rows = answer["rows"].as_array().map_or(&[][..], Vec::as_slice);
        let callers: Vec<Caller> = rows.iter().map(|row| expectations.judged(row)).collect();
        let unexpected = callers.iter().filter(|caller| !caller.expected).cloned();
        let output = Output {
            registry_id: input.registry_id.clone(),
            workspace_id: workspace,
            window: window.to_owned(),
            unexpected: unexpected.collect(),
            unknown: expectations.gaps.clone(),
            callers,
            query,
        };
        let mut answered = Answer::of(output);
        if let Some(partial) = answer["partial"].as_str() {
            answered.warnings.push((
                "not all of the registry's events were found".to_owned(),
                format!(
                    "Log Analytics answered in part, so that callers may be missing:\n- {partial}"
                ),
            ));
        }
        answered.warnings.extend(expectations.warnings());
        Ok(answered)
    }
}

/// The published query for a registry.
fn query(registry: &ArmId) -> String {
    QUERY
        .trim_end()
        .replace(PLACE, &registry.as_str().to_lowercase())
}

/// The workspace that the events go to: as given, or by the registry's diagnostic settings.
fn workspace(input: &Input, seen: &Seen) -> Result<ArmId, Unanswered> {
    if let Some(given) = &input.workspace_id {
        return Ok(given.clone());
    }
    let registry = &input.registry_id;
    // Azure lists settings below what does not exist, too.
    let exists = need(seen, registry, "registry_id");
    let list = "providers/Microsoft.Insights/diagnosticSettings";
    let settings = need_list(seen, registry, list, "registry_id");
    exists?;
    let workspaces: BTreeSet<ArmId> = settings?
        .iter()
        .filter(|setting| collects(setting))
        .filter_map(|setting| ArmId::parse(setting["properties"]["workspaceId"].as_str()?).ok())
        .collect();
    let mut found = workspaces.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(refused(
            registry.clone(),
            "registry_id",
            "its events go to no workspace of Log Analytics",
            vec![
                "none of its diagnostic settings sends login or repository events to one"
                    .to_owned(),
            ],
            "collect them, and look again when some have come:\n\n  resource \"fkaks_registry_audit\" \
             \"example\" {\n    registry_id = fkaks_registry.example.id\n  }\n\nOr name the workspace that has \
             them:\n\n  workspace_id = azurerm_log_analytics_workspace.example.id",
        )),
        (Some(first), Some(second)) => {
            let others = found.map(|id| id.to_string());
            let evidence = [first.to_string(), second.to_string()];
            Err(refused(
                registry.clone(),
                "workspace_id",
                "its events go to several workspaces",
                evidence.into_iter().chain(others).collect(),
                format!("say which one is asked:\n\n  workspace_id = \"{first}\""),
            ))
        }
    }
}

/// Whether a diagnostic setting sends login or repository events. (Categories and groups of
/// `Microsoft.ContainerRegistry/registries`, Microsoft Learn, "Supported logs".)
fn collects(setting: &Json) -> bool {
    let logs = setting["properties"]["logs"].as_array();
    logs.into_iter().flatten().any(|log| {
        let named = |field: &str, names: &[&str]| {
            let name = log[field].as_str().unwrap_or_default();
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let category = named(
            "category",
            &[
                "ContainerRegistryLoginEvents",
                "ContainerRegistryRepositoryEvents",
            ],
        );
        log["enabled"] == true && (category || named("categoryGroup", &["allLogs", "audit"]))
    })
}

/// A window in ISO 8601: `90m` is `PT90M`, `24h` is `PT24H`, `7d` is `P7D`.
fn timespan(window: &str) -> Option<String> {
    let (number, unit) = window.split_at_checked(window.len().checked_sub(1)?)?;
    let count: u32 = number
        .parse()
        .ok()
        .filter(|count| (1..=99_999).contains(count))?;
    match unit {
        "m" => Some(format!("PT{count}M")),
        "h" => Some(format!("PT{count}H")),
        "d" => Some(format!("P{count}D")),
        _ => None,
    }
}

const RANGE: Check = Check::Text("an address or a range, `203.0.113.0/24`", |text| {
    expected::range(text).map(drop).ok_or_else(|| {
        format!("{text:?} is no address and no range, such as 203.0.113.7 or 203.0.113.0/24")
    })
});

const fn answer(name: &'static str, kind: Kind) -> Attribute {
    Attribute::computed(name, kind, Computed::Volatile)
}

const EXPECTED: &[Attribute] = &[
    Attribute::optional("cluster_ids", Kind::Set(&Kind::String))
        .describe(
            "Clusters that pull: from the addresses by which they reach the world, and as the identities of \
             their kubelets.",
        )
        .checked(&[Check::Each(&ARM_ID)]),
    Attribute::optional("ip_ranges", Kind::Set(&Kind::String))
        .describe(
            "Addresses and ranges of others who may call; private ones, too, for those who come over a private \
             endpoint.",
        )
        .checked(&[Check::Each(&RANGE)]),
    Attribute::optional("trusted_services", Kind::Set(&Kind::String)).describe(
        "Services of Microsoft, by the identity with which their events come; and `defender` for identities \
         as Microsoft documents them for Defender, which are alphanumeric and no object ids.",
    ),
];

const CALLER: &[Attribute] = &[
    answer("ip_address", Kind::String).describe(
        "The caller's address: a private one for those who come over a private endpoint.",
    ),
    answer("artifact_type", Kind::String)
        .describe("What was called for, such as `DockerImage`; null for logins."),
    answer("operation", Kind::String).describe("What was done: `Login`, `Pull`, `Push`, ..."),
    answer("identity", Kind::String)
        .describe("Who the caller said to be: an object id, a token's name, a service's id."),
    answer("count", Kind::Integer).describe("How many events there were."),
    answer("last_seen", Kind::String).describe("The time of the last one, RFC 3339."),
    answer("expected", Kind::Bool).describe("Whether `expected` covers the caller."),
    answer("reason", Kind::String).describe("What covers it, or that nothing does."),
];

const SCHEMA: Schema = Schema::new(
    "Who has called a registry within a window: distinct addresses, artifact types, operations and identities \
     in its login and repository events, and whether each was expected. It runs the published query in the \
     workspace of Log Analytics that collects the events.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry.")
            .checked(&[ARM_ID]),
        Attribute::optional_computed("workspace_id", Kind::String, Computed::Volatile)
            .describe(
                "The workspace of Log Analytics that has the events. Without it, the one that the registry's \
                 diagnostic settings name.",
            )
            .checked(&[ARM_ID]),
        Attribute::optional_computed("window", Kind::String, Computed::Volatile)
            .describe("How far to look back: `90m`, `24h` (without it) or `7d`.")
            .checked(&[Check::Text("a number and `m`, `h` or `d`", |text| {
                timespan(text).map(drop).ok_or_else(|| {
                    format!("{text:?} is no window: a number and `m`, `h` or `d`, such as 24h")
                })
            })]),
        Attribute::optional("expected", Kind::Nested(Nesting::Single, EXPECTED))
            .describe("Who is expected to call. Without it, nobody is."),
        answer("query", Kind::String)
            .describe("The query that was run, to be run by hand or made an alert of."),
        answer("callers", Kind::Nested(Nesting::List, CALLER))
            .describe("Everyone who called, sorted by address, artifact type, operation and identity."),
        answer("unexpected", Kind::Nested(Nesting::List, CALLER))
            .describe("Those of them whom nothing covers: what a `check` block wants to be empty."),
        answer("unknown", Kind::List(&Kind::String)).describe(
            "What of `expected` could not be found out, each with its reason: callers from there may be told as \
             unexpected.",
        ),
    ],
);

const PAGE: Page = Page {
    subcategory: "Registry",
    permissions: &[
        (
            "Microsoft.OperationalInsights/workspaces/read",
            "to find the workspace's customer id",
        ),
        (
            "Microsoft.OperationalInsights/workspaces/query/read",
            "to query it; with the tables' own read actions where access to them is granted one by one",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/read",
            "to find the workspace by the registry, without `workspace_id`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to tell a registry without settings from none",
        ),
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to know a cluster's identities, for `cluster_ids`",
        ),
        (
            "Microsoft.Network/publicIPAddresses/read",
            "to know a cluster's addresses, often in its node resource group",
        ),
    ],
    failures: &[
        (
            "its events go to no workspace of Log Analytics",
            "No diagnostic setting collects them. `fkaks_registry_audit` makes one; events count from then on.",
        ),
        (
            "there are no callers although images were pulled",
            "Events take some minutes from the registry to the workspace. Until the first has come its tables do \
             not exist, which the query takes for empty.",
        ),
        (
            "a cluster's pulls are unexpected",
            "Its addresses are not known where its route table leads to a firewall: give that one's public address \
             in `ip_ranges`. Over a private endpoint the addresses are those of its nodes.",
        ),
        (
            "a permission is missing",
            "Reading the workspace in Resource Manager and querying it are two permissions; `Log Analytics Reader` \
             has both.",
        ),
    ],
    notes: "## In a check\n\n```hcl\ncheck \"nobody_else_calls\" {\n  assert {\n    condition     = \
            length(data.fkaks_registry_callers.example.unexpected) == 0\n    error_message = \
            jsonencode(data.fkaks_registry_callers.example.unexpected)\n  }\n}\n```\n\n\
            ## Defender\n\nMicrosoft Defender for Containers logs in to pull what it scans, from addresses of \
            Microsoft's. Its events come with an alphanumeric id that is no object id of the tenant (Microsoft \
            Learn, \"Scan registry images with Microsoft Defender for Cloud\"), so that `defender` covers those \
            and no object id. A service whose events come with an object id is named by it.",
};

#[cfg(test)]
mod tests;
