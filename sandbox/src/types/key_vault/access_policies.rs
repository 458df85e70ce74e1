//! Microsoft.KeyVault/vaults/accessPolicies: `PUT .../accessPolicies/{add,replace,remove}` changes the policies of
//! a vault and leaves nothing behind.

use serde_json::{Value, json};

use super::{VERSIONS, bad, rules};
use crate::errors::ArmResult;
use crate::store::{Resource, World};
use crate::table::{Change, Place, Style, Type, Verb};

const POLICIES: &str = "/properties/accessPolicies";

/// The row.
pub const ACCESS_POLICIES: Type = Type {
    place: Place::None,
    put: Style::Replaced,
    creating: None,
    deletable: false,
    properties: &["accessPolicies"],
    vanishes: |_| true,
    check,
    fill,
    ..Type::new("Microsoft.KeyVault/vaults/accessPolicies", VERSIONS)
};

fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb == Verb::Delete {
        return Ok(());
    }
    let name = change.new.id.name();
    if !["add", "replace", "remove"].contains(&name) {
        return Err(bad(format!(
            "The operation '{name}' on access policies is none of add, replace, remove."
        )));
    }
    rules::check_policies(change.new.items(POLICIES))
}

fn fill(world: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    let Some(vault) = new.id.parent() else {
        return Ok(());
    };
    let given = new.items(POLICIES).to_vec();
    let vault = world.require(&vault)?.clone();
    let mut policies = vault.items(POLICIES).to_vec();
    let same = |a: &Value, b: &Value| {
        ["objectId", "applicationId"]
            .iter()
            .all(|name| a[*name] == b[*name])
    };
    policies.retain(|have| new.id.name() == "add" || !given.iter().any(|one| same(have, one)));
    if new.id.name() != "remove" {
        for one in given {
            match policies.iter_mut().find(|have| same(have, &one)) {
                Some(have) => join(have, &one),
                None => policies.push(one),
            }
        }
    }
    new.set(POLICIES, policies.clone());
    if let Some(vault) = world.get_mut(vault.id.as_str()) {
        vault.set(POLICIES, policies);
    }
    Ok(())
}

/// Adds the permissions of the second policy to the first.
fn join(have: &mut Value, more: &Value) {
    let kinds = more["permissions"].as_object();
    for (kind, words) in kinds.into_iter().flatten() {
        let mut all = have["permissions"][kind]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for word in words.as_array().into_iter().flatten() {
            if !all.contains(word) {
                all.push(word.clone());
            }
        }
        have["permissions"][kind] = json!(all);
    }
}
