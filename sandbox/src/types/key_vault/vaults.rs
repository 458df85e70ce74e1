//! Microsoft.KeyVault/vaults. A new vault answers at once and is `RegisteringDns` for a while. A deleted one
//! keeps its name until it is recovered or purged.

use serde_json::{Value, json};

use super::{VERSIONS, connections, deleted, names, rules};
use crate::errors::ArmResult;
use crate::exchange::Request;
use crate::store::{Resource, World};
use crate::table::{Change, Patch, Style, Type, Verb};

/// The type's name.
pub const NAME: &str = "Microsoft.KeyVault/vaults";
/// `createMode` of a vault that brings a deleted one back.
pub const RECOVER: &str = "recover";
/// Never goes back to false.
pub const PURGE_PROTECTION: &str = "/properties/enablePurgeProtection";
/// Days for which a deleted vault can be recovered.
pub const RETENTION: &str = "/properties/softDeleteRetentionInDays";
/// Roles instead of access policies.
pub const RBAC: &str = "/properties/enableRbacAuthorization";

/// The row.
pub const VAULTS: Type = Type {
    put: Style::Unannounced,
    patch: Patch::Merge(Style::Immediate),
    creating: Some("RegisteringDns"),
    properties: &[
        "tenantId",
        "sku",
        "accessPolicies",
        "vaultUri",
        "hsmPoolResourceId",
        "enabledForDeployment",
        "enabledForDiskEncryption",
        "enabledForTemplateDeployment",
        "enableSoftDelete",
        "softDeleteRetentionInDays",
        "enableRbacAuthorization",
        "createMode",
        "enablePurgeProtection",
        "networkAcls",
        "provisioningState",
        "privateEndpointConnections",
        "publicNetworkAccess",
    ],
    read_only: &[
        "vaultUri",
        "hsmPoolResourceId",
        "privateEndpointConnections",
    ],
    query,
    check,
    fill,
    on_delete,
    locks: |_, _| Vec::new(),
    private_link: Some(connections::LINK),
    render,
    ..Type::new(NAME, VERSIONS)
};

/// Shows the private endpoints, once there are any.
fn render(world: &World, vault: &Resource, body: &mut Value) {
    let connections: Vec<Value> = world
        .list(vault.id.as_str(), connections::NAME)
        .map(|connection| world.view(connection))
        .collect();
    if !connections.is_empty() {
        body["properties"]["privateEndpointConnections"] = json!(connections);
    }
}

const MODE: &str = "/properties/createMode";

/// Since 2026-02-01 a new vault has roles unless its body says otherwise.
fn query(request: &Request, new: &mut Resource) {
    let roles_first = request
        .api_version()
        .is_some_and(|version| version.as_str() >= "2026-02-01");
    if request.method == "PUT" && roles_first {
        new.default(RBAC, true);
    }
}

fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let new = change.new;
    if change.old.is_none() {
        names::check(world, &new.id, new.text(MODE) == Some(RECOVER))?;
    }
    rules::check(world, new, change.old)
}

fn fill(world: &mut World, new: &mut Resource, old: Option<&Resource>) -> ArmResult<()> {
    if old.is_none() && new.text(MODE) == Some(RECOVER) {
        bring_back(world, new);
    } else if old.is_none() {
        // One whose retention is over.
        world.deleted.remove(&new.id.key());
    }
    new.unset(MODE);
    let name = new.id.name().to_lowercase();
    new.set(
        "/properties/vaultUri",
        format!("https://{name}.vault.azure.net/"),
    );
    let kept = |pointer: &str| old.and_then(|old| old.at(pointer)).cloned();
    if let Some(protected) = kept(PURGE_PROTECTION) {
        new.set(PURGE_PROTECTION, protected);
    }
    let days = kept(RETENTION).unwrap_or_else(|| json!(90));
    new.default(RETENTION, days);
    for (pointer, value) in [
        ("/properties/sku/family", json!("A")),
        ("/properties/enableSoftDelete", json!(true)),
        ("/properties/enabledForDeployment", json!(false)),
        (RBAC, json!(false)),
        ("/properties/accessPolicies", json!([])),
    ] {
        new.default(pointer, value);
    }
    let access = new
        .text("/properties/publicNetworkAccess")
        .map_or("Enabled", |text| {
            match text.eq_ignore_ascii_case("disabled") {
                true => "Disabled",
                false => "Enabled",
            }
        });
    new.set("/properties/publicNetworkAccess", access);
    fill_network(new);
    Ok(())
}

fn fill_network(new: &mut Resource) {
    const ACLS: &str = "/properties/networkAcls";
    if new.at(ACLS).is_none() {
        return;
    }
    let ranges: Vec<Value> = new
        .items(&format!("{ACLS}/ipRules"))
        .iter()
        .filter_map(|rule| rules::range(rule["value"].as_str()?))
        .map(|range| json!({ "value": range }))
        .collect();
    new.set(&format!("{ACLS}/ipRules"), ranges);
    new.default(&format!("{ACLS}/virtualNetworkRules"), json!([]));
}

/// The properties of the deleted vault and its secrets; what the request gives besides counts for nothing.
fn bring_back(world: &mut World, new: &mut Resource) {
    let key = deleted::by_name(world, new.id.name()).map(|gone| gone.id.key());
    let Some(gone) = key.and_then(|key| world.deleted.remove(&key)) else {
        return;
    };
    for (at, resource) in gone.into_iter().enumerate() {
        match at {
            0 => new.body = resource.body,
            _ => world.insert(resource),
        }
    }
}

fn on_delete(world: &mut World, vault: &Resource) -> ArmResult<()> {
    // The secrets went first, each into the list that the vault's entry is now put before.
    let key = vault.id.key();
    let mut gone = vault.clone();
    gone.changed = world.now;
    gone.unset("/properties/provisioningState");
    world.deleted.entry(key).or_default().insert(0, gone);
    Ok(())
}
