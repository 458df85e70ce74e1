//! What there is, in the user's terms: exposure instead of switches, and the user's spelling of ranges, ids
//! and regions.

use std::collections::BTreeSet;

use super::{Input, KeyVault, Output, exposure_of, rules, vault_uri};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Look, Observed, Seen, Unread, spelled};
use crate::provider::resources::registry::body::stripped;

/// Observes the vault of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<KeyVault>, Unread> {
    let found = match (seen.look(id)?, prior) {
        (Look::Found(found), _) => found,
        (_, Some(prior)) => return Ok(Observed::new(prior.clone(), output(id, &Json::Null, seen))),
        (_, None) => &Json::Null,
    };
    Ok(Observed::new(
        arguments(id, found, prior, seen),
        output(id, found, seen),
    ))
}

fn output(id: &ArmId, found: &Json, seen: &Seen) -> Output {
    let properties = &found["properties"];
    Output {
        vault_uri: properties["vaultUri"].as_str().map_or_else(
            || vault_uri(id.name(), &seen.cloud().key_vault_suffix),
            str::to_owned,
        ),
        tenant_id: properties["tenantId"].as_str().map(str::to_owned),
    }
}

fn arguments(id: &ArmId, found: &Json, prior: Option<&Input>, seen: &Seen) -> Input {
    let properties = &found["properties"];
    let group = prior
        .map(|prior| prior.resource_group_id.clone())
        .or_else(|| id.resource_group_id());
    let sku = properties["sku"]["name"].as_str().unwrap_or("standard");
    let days = &properties["softDeleteRetentionInDays"];
    Input {
        name: prior.map_or_else(
            || found["name"].as_str().unwrap_or(id.name()).to_owned(),
            |prior| prior.name.clone(),
        ),
        resource_group_id: group.unwrap_or_else(|| ArmId::subscription(id.subscription_id())),
        location: spelled(
            prior.map(|prior| prior.location.as_str()),
            &found["location"],
        ),
        sku: sku.to_lowercase(),
        exposure: exposure_of(found),
        allowed_ip_ranges: own_spelling(
            prior.map(|prior| prior.allowed_ip_ranges.as_ref()),
            rules(found, "ipRules", "value")
                .into_iter()
                .map(|range| stripped(range).to_owned()),
            |own, range| stripped(own) == stripped(range),
        ),
        allowed_subnet_ids: own_spelling(
            prior.map(|prior| prior.allowed_subnet_ids.as_ref()),
            rules(found, "virtualNetworkRules", "id")
                .into_iter()
                .filter_map(|id| ArmId::parse(id).ok()),
            |own, id| own == id,
        ),
        trusted_services_enabled: properties["networkAcls"]["bypass"] != "None",
        soft_delete_retention_days: days.as_i64().unwrap_or(90),
        purge_protection_enabled: properties["enablePurgeProtection"] == true,
        recover_deleted: prior.is_none_or(|prior| prior.recover_deleted),
        deletion_protection: prior.is_none_or(|prior| prior.deletion_protection),
        tags: seen
            .tag_policy()
            .observed(found, prior.and_then(|prior| prior.tags.as_ref())),
    }
}

/// What is there, as the user wrote it where it is the same; nothing where he wrote nothing and nothing is
/// there.
fn own_spelling<T: Clone + Ord>(
    prior: Option<Option<&BTreeSet<T>>>,
    found: impl Iterator<Item = T>,
    same: fn(&T, &T) -> bool,
) -> Option<BTreeSet<T>> {
    let written = prior.flatten();
    let found = found.map(|item| {
        let mut own = written.into_iter().flatten();
        own.find(|own| same(own, &item)).cloned().unwrap_or(item)
    });
    let found: BTreeSet<T> = found.collect();
    (!found.is_empty() || written.is_some()).then_some(found)
}
