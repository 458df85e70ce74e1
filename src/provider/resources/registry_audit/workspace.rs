//! The workspace that is made here: its body, and why it may have to stay.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Input, REGISTRY, settings};
use crate::arm::{ArmId, Json, normalize};
use crate::provider::parts::{Look, Removal, Seen, Tags, Unread, Wanted, spelled, spelled_id};

/// The ARM type of workspaces.
pub const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";

/// The usual plan, paid by what comes in.
pub const PER_GB: &str = "PerGB2018";
/// A daily amount that is paid in any case, for less.
pub const RESERVATION: &str = "CapacityReservation";

/// A workspace as the user wrote it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workspace {
    pub name: String,
    pub resource_group_id: Option<ArmId>,
    pub location: Option<String>,
    pub sku: String,
    pub capacity_reservation_gb_per_day: Option<i64>,
    pub retention_in_days: i64,
    pub internet_ingestion_enabled: bool,
    pub internet_query_enabled: bool,
    pub local_authentication_enabled: bool,
    pub soft_deleted: SoftDeleted,
    pub tags: Option<Tags>,
}

/// What is done about a workspace of the same name that was deleted less than two weeks ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoftDeleted {
    /// It comes back, with its data.
    Restore,
    /// Nothing is made in its name.
    Refuse,
}

impl Workspace {
    /// Its id: in the registry's group unless the user names another.
    pub fn id(&self, registry: &ArmId) -> Option<ArmId> {
        let group = self.resource_group_id.clone();
        let group = group.or_else(|| registry.resource_group_id())?;
        Some(group.resource(WORKSPACE, &self.name))
    }

    /// What there is, in the user's spelling.
    pub fn observed(&self, found: &Json, seen: &Seen) -> Self {
        let properties = &found["properties"];
        let own = found["id"].as_str().and_then(|id| ArmId::parse(id).ok());
        let group = own.and_then(|id| id.resource_group_id());
        let group = json!(group);
        let sku = properties["sku"]["name"].as_str().unwrap_or_default();
        let known = [PER_GB, RESERVATION].into_iter();
        let known = known.chain([self.sku.as_str()]);
        let on = |name: &str| {
            properties[name]
                .as_str()
                .is_none_or(|text| text == "Enabled")
        };
        Self {
            name: self.name.clone(),
            resource_group_id: self
                .resource_group_id
                .as_ref()
                .and_then(|prior| spelled_id(Some(prior), &group)),
            location: self
                .location
                .as_ref()
                .map(|prior| spelled(Some(prior), &found["location"])),
            sku: known
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(sku))
                .unwrap_or(sku)
                .to_owned(),
            capacity_reservation_gb_per_day: properties["sku"]["capacityReservationLevel"].as_i64(),
            retention_in_days: properties["retentionInDays"]
                .as_i64()
                .unwrap_or(self.retention_in_days),
            internet_ingestion_enabled: on("publicNetworkAccessForIngestion"),
            internet_query_enabled: on("publicNetworkAccessForQuery"),
            local_authentication_enabled: properties["features"]["disableLocalAuth"] != true,
            soft_deleted: self.soft_deleted,
            tags: seen.tag_policy().observed(found, self.tags.as_ref()),
        }
    }

    /// Its body. A workspace stays in its region; the check says so before.
    fn body(&self, registry: &Json, found: Option<&Json>) -> Json {
        let location = match (found, &self.location) {
            (Some(found), _) => found["location"].clone(),
            (None, Some(location)) => json!(normalize(location)),
            (None, None) => json!(normalize(registry["location"].as_str().unwrap_or_default())),
        };
        let access = |name: &str, enabled: bool| {
            let is = found.and_then(|found| found["properties"][name].as_str());
            match (enabled, is) {
                (true, _) => "Enabled",
                // A network security perimeter decides, which is closed to the internet as well.
                (false, Some("SecuredByPerimeter")) => "SecuredByPerimeter",
                (false, _) => "Disabled",
            }
        };
        json!({
            "location": location,
            "properties": {
                "sku": {
                    "name": self.sku,
                    "capacityReservationLevel": self.capacity_reservation_gb_per_day,
                },
                "retentionInDays": self.retention_in_days,
                "publicNetworkAccessForIngestion":
                    access("publicNetworkAccessForIngestion", self.internet_ingestion_enabled),
                "publicNetworkAccessForQuery":
                    access("publicNetworkAccessForQuery", self.internet_query_enabled),
                "features": { "disableLocalAuth": !self.local_authentication_enabled },
            },
        })
    }
}

/// The workspace, where it is made here.
pub fn wanted(input: &Input, seen: &Seen) -> Result<Vec<Wanted>, Unread> {
    let Some(workspace) = &input.workspace else {
        return Ok(Vec::new());
    };
    let Some(id) = workspace.id(&input.registry_id) else {
        return Ok(Vec::new());
    };
    let (look, registry) = (seen.look(&id), seen.look(&input.registry_id));
    let body = match (look, registry) {
        (Ok(look), Ok(registry)) => {
            let registry = registry.found().unwrap_or(&Json::Null);
            Ok(workspace.body(registry, look.found()))
        }
        _ => Err(Unread),
    };
    let wanted = Wanted::new(id, body).tagged(workspace.tags.as_ref());
    Ok(vec![wanted.argument("workspace")])
}

/// Types whose diagnostic settings are looked at before a workspace goes. Azure keeps no list of what sends
/// to a workspace, so that each sender has to be asked.
const SENDERS: &[&str] = &[
    REGISTRY,
    CLUSTER,
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/bastionHosts",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Web/sites",
];

/// What in a workspace belongs to others: its child types that nobody but a user makes.
const CONTENTS: &[&str] = &["dataExports", "linkedServices"];

/// Why the workspace has to stay: what else sends to it, and what else stands in it. What its own setting
/// sent goes with it; Azure keeps it for two weeks.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn is_used(removal: &Removal<'_>, seen: &Seen) -> Result<Vec<String>, Unread> {
    let id = removal.id;
    let subscription = ArmId::subscription(id.subscription_id());
    // Ask for everything at once; only then see what is still missing.
    let own = seen.look(id);
    let contents: Vec<_> = CONTENTS
        .iter()
        .map(|kind| (kind, seen.list(id, kind)))
        .collect();
    let tables = seen.list(id, "tables");
    let resources = seen.list(&subscription, "resources");
    let clusters = seen.list(&subscription, &format!("providers/{CLUSTER}"));
    let activity = settings::of(&subscription, seen);
    let Look::Found(_) = own? else {
        return Ok(Vec::new());
    };
    let mut reasons = Vec::new();
    for (kind, list) in contents {
        for item in list?.found().unwrap_or_default() {
            reasons.push(format!(
                "it has {kind}: {}",
                item["id"].as_str().unwrap_or_default()
            ));
        }
    }
    for table in tables?.found().unwrap_or_default() {
        // Only what someone made has this type; Azure's own tables are always there.
        if table["properties"]["schema"]["tableType"] == "CustomLog" {
            let name = table["id"].as_str().unwrap_or_default();
            reasons.push(format!("it has a table of someone's own: {name}"));
        }
    }
    for cluster in clusters?.found().unwrap_or_default() {
        if names(cluster, id) {
            let name = cluster["id"].as_str().unwrap_or_default();
            reasons.push(format!("a cluster reports to it: {name}"));
        }
    }
    let mut senders = vec![(subscription.clone(), activity)];
    let resources = resources?.found().unwrap_or_default().iter();
    let objects = resources.filter_map(|item| ArmId::parse(item["id"].as_str()?).ok());
    for object in objects.filter(|id| SENDERS.iter().any(|kind| id.is(kind))) {
        let list = settings::of(&object, seen);
        senders.push((object, list));
    }
    for (object, list) in senders {
        match list? {
            Look::Found(list) => {
                let others = list.iter().filter(|setting| settings::goes_to(setting, id));
                let others = others.filter_map(settings::id_of);
                let others = others.filter(|setting| !removal.ledger.contains(setting));
                reasons.extend(others.map(|setting| format!("a diagnostic setting sends to it: {setting}")));
            }
            Look::Denied(_) => reasons.push(format!(
                "it cannot be seen whether this sends to it, because its diagnostic settings may not be read: \
                 {object}"
            )),
            Look::Absent => {}
        }
    }
    // Some lists have what stands below, too.
    let mut told = BTreeSet::new();
    reasons.retain(|reason| told.insert(reason.to_lowercase()));
    if !reasons.is_empty() {
        reasons.push(format!(
            "Fix: leave it to the others, in place of `workspace`, and apply that first:\n\n    workspace_id = \"{id}\""
        ));
    }
    Ok(reasons)
}

/// Whether an id stands somewhere in a document, by itself.
fn names(json: &Json, id: &ArmId) -> bool {
    match json {
        Json::String(text) => text.eq_ignore_ascii_case(id.as_str()),
        Json::Array(items) => items.iter().any(|item| names(item, id)),
        Json::Object(members) => members.values().any(|value| names(value, id)),
        _ => false,
    }
}
