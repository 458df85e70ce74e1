//! Microsoft.OperationalInsights/workspaces. A deleted workspace can be recovered for 14 days: a PUT of the
//! same name in the same group brings it back with its `customerId`; `?force=true` deletes for good.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::VERSIONS;
use crate::errors::{ArmError, ArmResult};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World, set, timestamp};
use crate::table::{Action, Change, Patch, Place, Style, Type, Verb};
use crate::types::managed_identity::assigned;

/// The type's name.
pub const NAME: &str = "Microsoft.OperationalInsights/workspaces";

/// The row.
pub const WORKSPACES: Type = Type {
    put: Style::LocationOfCreate,
    patch: Patch::Merge(Style::Immediate),
    delete: Style::Location,
    creating: Some("Creating"),
    members: &["identity", "eTag"],
    properties: &[
        "provisioningState",
        "customerId",
        "sku",
        "retentionInDays",
        "workspaceCapping",
        "createdDate",
        "modifiedDate",
        "publicNetworkAccessForIngestion",
        "publicNetworkAccessForQuery",
        "forceCmkForQuery",
        "privateLinkScopedResources",
        "features",
        "defaultDataCollectionRuleResourceId",
        "replication",
        "failover",
        // Of older versions; ignored.
        "source",
        "portalUrl",
    ],
    read_only: &[
        "customerId",
        "createdDate",
        "modifiedDate",
        "privateLinkScopedResources",
        "failover",
        "source",
        "portalUrl",
    ],
    query,
    check,
    fill,
    on_delete,
    render,
    actions: &[Action {
        method: "POST",
        name: "sharedKeys",
        style: Style::Immediate,
        run: shared_keys,
    }],
    ..Type::new(NAME, VERSIONS)
};

/// Workspaces that can be recovered.
pub const DELETED: Type = Type {
    place: Place::None,
    writable: false,
    collection: Some(list_deleted),
    ..Type::new("Microsoft.OperationalInsights/deletedWorkspaces", VERSIONS)
};

/// How long a deleted workspace can be recovered (documentation of deleting and recovering workspaces).
const RECOVERABLE_MS: u64 = 14 * 24 * 3600 * 1000;
/// Asked for with `?force=true`; never shown.
const FORCE: &str = "/forceDelete";

const SKUS: &[&str] = &[
    "Free",
    "Standard",
    "Premium",
    "PerNode",
    "PerGB2018",
    "Standalone",
    "CapacityReservation",
    "LACluster",
];
const ACCESS: &[&str] = &["Enabled", "Disabled", "SecuredByPerimeter"];
const SKU: &str = "/properties/sku/name";
const RETENTION: &str = "/properties/retentionInDays";
const QUOTA: &str = "/properties/workspaceCapping/dailyQuotaGb";
const CUSTOMER: &str = "/properties/customerId";
const INGESTION: &str = "/properties/publicNetworkAccessForIngestion";
const QUERY: &str = "/properties/publicNetworkAccessForQuery";

/// The workspace with this `customerId`.
#[must_use]
pub fn by_customer<'a>(world: &'a World, customer: &str) -> Option<&'a Resource> {
    world.of_type(NAME).find(|workspace| {
        workspace
            .text(CUSTOMER)
            .is_some_and(|id| id.eq_ignore_ascii_case(customer))
    })
}

/// The `customerId` of a workspace.
#[must_use]
pub fn customer(workspace: &Resource) -> Option<&str> {
    workspace.text(CUSTOMER)
}

fn query(request: &Request, new: &mut Resource) {
    let forced = request
        .param("force")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if request.method == "DELETE" && forced {
        new.set(FORCE, true);
    }
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    check_name(new.id.name())?;
    assigned::check(new)?;
    check_sku(new)?;
    for pointer in [INGESTION, QUERY] {
        if let Some(value) = new.at(pointer) {
            word(value, ACCESS).ok_or_else(|| invalid(pointer, value))?;
        }
    }
    if let Some(deleted) = recoverable(world, &new.id).filter(|_| change.old.is_none())
        && deleted.text("/location") != new.text("/location")
    {
        return Err(ArmError::conflict(
            "Conflict",
            format!(
                "The workspace '{}' was deleted in the location '{}' and can be recovered there. Recover it or delete it with force before the name is used in another location.",
                new.id.name(),
                deleted.text("/location").unwrap_or_default()
            ),
        ));
    }
    Ok(())
}

/// 4 to 63 letters, digits and hyphens, no hyphen at the ends (the pattern of API version 2025-07-01).
fn check_name(name: &str) -> ArmResult<()> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let right = (4..=63).contains(&name.len())
        && name.chars().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-');
    match right {
        true => Ok(()),
        false => Err(ArmError::bad(
            "InvalidResourceName",
            format!(
                "The workspace name '{name}' is invalid. It has 4 to 63 letters, digits and hyphens, and begins and ends with a letter or a digit."
            ),
        )),
    }
}

fn check_sku(new: &Resource) -> ArmResult<()> {
    let sku = match new.at("/properties/sku").map(|sku| &sku["name"]) {
        None => "PerGB2018",
        Some(name) => word(name, SKUS).ok_or_else(|| invalid(SKU, name))?,
    };
    if sku == "CapacityReservation" {
        let level = new
            .at("/properties/sku/capacityReservationLevel")
            .and_then(Value::as_u64);
        if level.is_none_or(|level| level < 100 || level % 100 != 0) {
            return Err(invalid(
                "/properties/sku/capacityReservationLevel",
                &json!(level),
            ));
        }
    }
    let days = new.at(RETENTION);
    let right = days.and_then(Value::as_i64).map(|days| match sku {
        "Free" => days == 7,
        _ => (30..=730).contains(&days),
    });
    if days.is_some() && right != Some(true) {
        return Err(ArmError::bad(
            "InvalidParameter",
            "'RetentionInDays' property doesn't match the SKU limits.",
        ));
    }
    Ok(())
}

fn word(value: &Value, words: &[&'static str]) -> Option<&'static str> {
    let text = value.as_str()?;
    words
        .iter()
        .copied()
        .find(|word| word.eq_ignore_ascii_case(text))
}

fn invalid(pointer: &str, value: &Value) -> ArmError {
    ArmError::bad(
        "InvalidParameter",
        format!(
            "The value {value} of '{}' is invalid.",
            pointer.trim_start_matches('/').replace('/', ".")
        ),
    )
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    assigned::fill(world, new, old);
    let now = world.timestamp();
    let before = old.cloned().or_else(|| {
        let deleted = recoverable(world, &new.id).cloned();
        world.deleted.remove(&new.id.key());
        deleted
    });
    let kept = |pointer: &str| before.as_ref().and_then(|old| old.at(pointer)).cloned();
    let customer = kept(CUSTOMER).unwrap_or_else(|| json!(world.guid()));
    new.set(CUSTOMER, customer);
    let created = kept("/properties/createdDate").unwrap_or_else(|| json!(now));
    new.set("/properties/createdDate", created);
    new.set("/properties/modifiedDate", now.clone());
    let sku = new
        .at(SKU)
        .and_then(|name| word(name, SKUS))
        .unwrap_or("PerGB2018");
    let changed = before.as_ref().and_then(|old| old.text(SKU)) != Some(sku);
    let updated = kept("/properties/sku/lastSkuUpdate").filter(|_| !changed);
    new.set(SKU, sku);
    new.set(
        "/properties/sku/lastSkuUpdate",
        updated.unwrap_or_else(|| json!(now)),
    );
    new.default(RETENTION, if sku == "Free" { 7 } else { 30 });
    new.default(QUOTA, -1.0);
    new.set(
        "/properties/workspaceCapping/dataIngestionStatus",
        "RespectQuota",
    );
    new.set("/properties/workspaceCapping/quotaNextResetTime", now);
    for pointer in [INGESTION, QUERY] {
        let value = new
            .at(pointer)
            .and_then(|value| word(value, ACCESS))
            .unwrap_or("Enabled");
        new.set(pointer, value);
    }
    for (name, value) in [("legacy", json!(0)), ("searchVersion", json!(1))] {
        new.set(&format!("/properties/features/{name}"), value);
    }
    new.default(
        "/properties/features/enableLogAccessUsingOnlyResourcePermissions",
        true,
    );
    Ok(())
}

fn on_delete(world: &mut World, workspace: &Resource) -> ArmResult<()> {
    let mut deleted = workspace.clone();
    deleted.changed = world.now;
    if deleted.at(FORCE).is_none() && !deleted.state().eq("Creating") {
        world.deleted.insert(deleted.id.key(), vec![deleted]);
    }
    Ok(())
}

/// The deleted workspace of this id, while it can be recovered.
fn recoverable<'a>(world: &'a World, id: &ResourceId) -> Option<&'a Resource> {
    let deleted = world.deleted.get(&id.key())?.first()?;
    (world.now < deleted.changed.saturating_add(RECOVERABLE_MS)).then_some(deleted)
}

fn list_deleted(world: &mut World, scope: &str, _: &Request) -> ArmResult<Vec<Value>> {
    let below = format!("{}/", scope.to_lowercase());
    Ok(world
        .deleted
        .values()
        .filter_map(|gone| gone.first())
        .filter(|gone| gone.type_name == NAME && gone.id.key().starts_with(&below))
        .filter(|gone| recoverable(world, &gone.id).is_some())
        .map(|gone| {
            let mut view = world.view(gone);
            set(
                &mut view,
                "/properties/deletedDate",
                json!(timestamp(gone.changed)),
            );
            view
        })
        .collect())
}

fn render(_: &World, _: &Resource, body: &mut Value) {
    if let Value::Object(map) = body {
        map.remove(FORCE.trim_start_matches('/'));
    }
}

/// Two keys of 64 bytes, the same for as long as the workspace keeps its `customerId`.
fn shared_keys(world: &mut World, workspace: &Resource, _: &Request) -> ArmResult<Answer> {
    let key = |name: &str| {
        let customer = workspace.text(CUSTOMER).unwrap_or_default();
        let bytes: Vec<u8> = (0..4)
            .flat_map(|part| {
                let text = format!("shared key {customer} {name} {part}");
                *Uuid::new_v5(&world.seed, text.as_bytes()).as_bytes()
            })
            .collect();
        STANDARD.encode(bytes)
    };
    let keys =
        json!({ "primarySharedKey": key("primary"), "secondarySharedKey": key("secondary") });
    Ok(Answer::json(200, keys))
}
