//! What there is, in the user's terms: exposure instead of switches, the user's spelling of
//! ranges, regions and keys, and the endpoints that are connected.

use std::collections::{BTreeMap, BTreeSet};

use super::body::{data_endpoints_are_forced, ip_rules, same_key, stripped, versionless};
use super::{
    CustomerManagedKey, Exposure, Georeplication, Identity, Input, Output, Registry, connections,
    is_home, login_server, replication_id, tier,
};
use crate::arm::{ArmId, Json, normalize};
use crate::provider::parts::{Look, Observed, Seen, Surroundings, Tags, Unread, spelled};

/// Observes the registry of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<Registry>, Unread> {
    // Asked for together, so that they are read at the same time.
    let replicas = seen.list(id, "replications");
    let found = match (seen.look(id)?, prior) {
        (Look::Found(found), _) => found,
        (_, Some(prior)) => {
            let output = Output {
                login_server: login_server(id.name(), &surroundings(seen)),
                data_endpoint_host_names: BTreeSet::new(),
                private_endpoint_connections: Vec::new(),
            };
            return Ok(Observed::new(prior.clone(), output));
        }
        (_, None) => &Json::Null,
    };
    let is_premium = found["sku"]["name"]
        .as_str()
        .is_some_and(|sku| tier(sku) == super::PREMIUM);
    let replicas = if is_premium {
        replicas?.found().unwrap_or_default()
    } else {
        &[]
    };
    let mut input = arguments(id, found, prior, seen);
    input.georeplications = georeplications(id, found, prior, replicas, seen);
    let output = Output {
        login_server: found["properties"]["loginServer"].as_str().map_or_else(
            || login_server(id.name(), &surroundings(seen)),
            str::to_lowercase,
        ),
        data_endpoint_host_names: host_names(found),
        private_endpoint_connections: connections(found),
    };
    let mut observed: Observed<Registry> = Observed::new(input, output);
    observed
        .warnings
        .extend(others(id, found, &observed.input, replicas));
    Ok(observed)
}

/// The names of the data endpoints.
pub fn host_names(registry: &Json) -> BTreeSet<String> {
    let names = registry["properties"]["dataEndpointHostNames"].as_array();
    let names = names.into_iter().flatten().filter_map(Json::as_str);
    names.map(str::to_lowercase).collect()
}

fn surroundings(seen: &Seen) -> Surroundings {
    Surroundings {
        cloud: seen.cloud().clone(),
        ..Surroundings::default()
    }
}

/// The arguments that the registry itself shows.
fn arguments(id: &ArmId, found: &Json, prior: Option<&Input>, seen: &Seen) -> Input {
    let properties = &found["properties"];
    let policies = &properties["policies"];
    let text = |json: &Json, default: &str| json.as_str().unwrap_or(default).to_owned();
    let group = prior
        .map(|prior| prior.resource_group_id.clone())
        .or_else(|| id.resource_group_id());
    let data_endpoints = properties["dataEndpointEnabled"] == true;
    let forced = prior.is_some_and(|prior| {
        data_endpoints_are_forced(prior.data_endpoint_enabled, Some(found), None)
    });
    let retention = &policies["retentionPolicy"];
    Input {
        name: prior.map_or_else(
            || text(&found["name"], id.name()),
            |prior| prior.name.clone(),
        ),
        resource_group_id: group.unwrap_or_else(|| ArmId::subscription(id.subscription_id())),
        location: spelled(
            prior.map(|prior| prior.location.as_str()),
            &found["location"],
        ),
        sku: text(&found["sku"]["name"], "Premium"),
        exposure: Exposure::of(found),
        allowed_ip_ranges: allowed_ip_ranges(found, prior),
        trusted_services_enabled: properties["networkRuleBypassOptions"] != "None",
        tasks_bypass_enabled: properties["networkRuleBypassAllowedForTasks"] == true,
        tighten_unverified: prior.is_some_and(|prior| prior.tighten_unverified),
        admin_enabled: properties["adminUserEnabled"] == true,
        anonymous_pull_enabled: properties["anonymousPullEnabled"] == true,
        arm_audience_authentication_enabled: policies["azureADAuthenticationAsArmPolicy"]["status"]
            != "disabled",
        role_assignment_mode: text(
            &properties["roleAssignmentMode"],
            "LegacyRegistryPermissions",
        ),
        export_policy_enabled: policies["exportPolicy"]["status"] != "disabled",
        quarantine_policy_enabled: policies["quarantinePolicy"]["status"] == "enabled",
        retention_policy_in_days: (retention["status"] == "enabled")
            .then(|| retention["days"].as_i64().unwrap_or(7)),
        data_endpoint_enabled: data_endpoints && !forced,
        georeplications: None,
        identity: identity(found, prior.and_then(|prior| prior.identity.as_ref())),
        customer_managed_key: key(
            found,
            prior.and_then(|prior| prior.customer_managed_key.as_ref()),
        ),
        deletion_protection: prior.is_none_or(|prior| prior.deletion_protection),
        tags: tags(found, prior.and_then(|prior| prior.tags.as_ref()), seen),
    }
}

fn tags(found: &Json, prior: Option<&Tags>, seen: &Seen) -> Option<Tags> {
    seen.tag_policy().observed(found, prior)
}

/// The ranges in the user's spelling. Where the user manages none, those that are there are
/// someone else's; an import takes them over.
fn allowed_ip_ranges(found: &Json, prior: Option<&Input>) -> Option<BTreeSet<String>> {
    let rules = ip_rules(found);
    let written = match prior {
        Some(prior) => prior.allowed_ip_ranges.as_ref()?,
        None if rules.is_empty() => return None,
        None => &BTreeSet::new(),
    };
    let ranges = rules.into_iter().map(|rule| {
        let own = written.iter().find(|own| stripped(own) == stripped(rule));
        own.cloned().unwrap_or_else(|| rule.to_owned())
    });
    Some(ranges.collect())
}

/// The replicas that the user wrote, as they are; an import takes over all.
fn georeplications(
    id: &ArmId,
    found: &Json,
    prior: Option<&Input>,
    replicas: &[Json],
    seen: &Seen,
) -> Option<BTreeMap<String, Georeplication>> {
    let read = |replica: &Json, prior: Option<&Georeplication>| Georeplication {
        regional_endpoint_enabled: replica["properties"]["regionEndpointEnabled"] != false,
        tags: tags(replica, prior.and_then(|prior| prior.tags.as_ref()), seen),
    };
    let region = |replica: &Json| normalize(replica["location"].as_str().unwrap_or_default());
    if let Some(prior) = prior {
        let written = prior.georeplications.as_ref()?;
        let entries = written.iter().map(|(key, written)| {
            let wanted = replication_id(id, key);
            let listed = replicas.iter().find(|replica| {
                replica["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(wanted.name()))
            });
            // One that is not there stays as it was written: its absence is drift of its own.
            let entry =
                listed.map_or_else(|| written.clone(), |listed| read(listed, Some(written)));
            (key.clone(), entry)
        });
        return Some(entries.collect());
    }
    let entries: BTreeMap<String, Georeplication> = replicas
        .iter()
        .filter(|replica| !is_home(found, &region(replica)))
        .map(|replica| (region(replica), read(replica, None)))
        .collect();
    (!entries.is_empty()).then_some(entries)
}

/// Replicas that this resource did not make are left alone, and told of.
fn others(id: &ArmId, found: &Json, input: &Input, replicas: &[Json]) -> Option<(String, String)> {
    let regions: BTreeSet<String> = replicas
        .iter()
        .filter_map(|replica| replica["location"].as_str())
        .map(normalize)
        .filter(|region| !is_home(found, region))
        .filter(|region| {
            let mut own = input.georeplications.iter().flatten();
            !own.any(|(own, _)| normalize(own) == *region)
        })
        .collect();
    if regions.is_empty() {
        return None;
    }
    let lines: Vec<String> = regions.iter().map(|region| format!("- {region}")).collect();
    Some((
        format!(
            "registry {} has replicas that this resource did not make",
            id.name()
        ),
        format!(
            "They are left alone:\n{}\n\nEach takes an address in the subnet of every private endpoint, and \
             its region serves the registry's images.",
            lines.join("\n")
        ),
    ))
}

fn identity(found: &Json, prior: Option<&Identity>) -> Option<Identity> {
    let found = &found["identity"];
    let kind = found["type"].as_str().filter(|kind| *kind != "None")?;
    let same = |written: &&Identity| without_spaces(&written.kind) == without_spaces(kind);
    let kind = prior.filter(same).map_or_else(
        || {
            kind.split(',')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(", ")
        },
        |prior| prior.kind.clone(),
    );
    let written = prior.and_then(|prior| prior.identity_ids.as_ref());
    let users: BTreeSet<ArmId> = found["userAssignedIdentities"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(id, _)| {
            let own = ArmId::parse(id).ok()?;
            let own = written
                .and_then(|written| written.get(&own))
                .cloned()
                .or(Some(own))?;
            Some(own)
        })
        .collect();
    let text = |name: &str| found[name].as_str().map(str::to_owned);
    Some(Identity {
        kind,
        identity_ids: (!users.is_empty() || written.is_some()).then_some(users),
        principal_id: text("principalId"),
        tenant_id: text("tenantId"),
    })
}

fn without_spaces(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

fn key(found: &Json, prior: Option<&CustomerManagedKey>) -> Option<CustomerManagedKey> {
    let encryption = &found["properties"]["encryption"];
    let key = &encryption["keyVaultProperties"];
    let id = key["keyIdentifier"].as_str()?;
    if encryption["status"] == "disabled" {
        return None;
    }
    let same = |prior: &&CustomerManagedKey| same_key(&prior.sent(None), id);
    let client = key["identity"].as_str().unwrap_or_default();
    Some(CustomerManagedKey {
        key_vault_key_id: prior
            .filter(same)
            .map_or_else(|| id.to_owned(), |prior| prior.key_vault_key_id.clone()),
        identity_client_id: match prior {
            Some(prior) if prior.identity_client_id.eq_ignore_ascii_case(client) => {
                prior.identity_client_id.clone()
            }
            _ => client.to_owned(),
        },
        version_pinned: prior.map_or_else(
            || !same_key(id, &versionless(id)),
            |prior| prior.version_pinned,
        ),
        versioned_key_id: key["versionedKeyIdentifier"].as_str().map(str::to_owned),
    })
}
