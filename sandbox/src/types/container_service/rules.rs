//! What a cluster's body must hold, and what of it cannot change. The network has a file of its own.

use serde_json::Value;

use super::agent_pools::of;
use super::pool_rules::same;
use super::{
    api_server_rules, capacity, change_not_allowed, identities, invalid, network_rules, node_group,
    on, outbound, pool_defaults, pool_rules, subnet_rules, versions,
};
use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Verb};

/// Paths under `properties` that never change. `networkProfile` and the API server have rules of their own.
const IMMUTABLE: &[&str] = &[
    "dnsPrefix",
    "fqdnSubdomain",
    "nodeResourceGroup",
    "enableRBAC",
    "diskEncryptionSetID",
    "linuxProfile.adminUsername",
    "linuxProfile.ssh.publicKeys",
    "windowsProfile.adminUsername",
    "servicePrincipalProfile.clientId",
];

/// The row's check.
///
/// # Errors
/// What Azure refuses at once.
pub fn check(world: &World, change: &Change<'_>) -> ArmResult<()> {
    if change.verb != Verb::Put {
        return Ok(());
    }
    let mut new = change.new.clone();
    super::defaults::complete(&mut new, change.old);
    check_names(&new)?;
    if change.old.is_none() {
        own_group(world, &new)?;
    }
    check_tier(&new)?;
    versions::check_cluster(
        new.text("/properties/kubernetesVersion")
            .unwrap_or_default(),
        change
            .old
            .and_then(|old| old.text("/properties/currentKubernetesVersion")),
        new.text("/properties/supportPlan").unwrap_or_default(),
    )?;
    if let Some(old) = change.old {
        running(old)?;
        unchanged(old, &new)?;
    }
    access(&new)?;
    identities::check(world, &new, change.old)?;
    let pools = pools(world, &new, change.old)?;
    network_rules::valid(&new, &pools)?;
    if let Some(old) = change.old {
        network_rules::unchanged(old, &new, network_rules::own_network(&pools))?;
        api_server_rules::unchanged(old, &new)?;
    }
    api_server_rules::valid(world, &new, change.old)?;
    subnet_rules::valid(world, &new, &pools)?;
    outbound::check(world, &new)?;
    capacity::check(world, &new, &pools)
}

fn check_names(new: &Resource) -> ArmResult<()> {
    let name = new.id.name();
    let word = |c: char| c.is_ascii_alphanumeric();
    let inside = name.chars().all(|c| word(c) || matches!(c, '-' | '_'));
    if !inside || !name.starts_with(word) || !name.ends_with(word) || name.len() > 63 {
        return Err(invalid(
            "managedCluster.name",
            format!(
                "The name {name} has up to 63 letters, digits, '-' and '_', and starts and ends with a letter or digit"
            ),
        ));
    }
    let prefix = new.text("/properties/dnsPrefix");
    let subdomain = new.text("/properties/fqdnSubdomain");
    match (prefix, subdomain) {
        (None, None) => Err(invalid(
            "dnsPrefix",
            "A dnsPrefix is required, or a fqdnSubdomain for a private cluster with a zone of its own",
        )),
        (Some(_), Some(_)) => Err(invalid(
            "fqdnSubdomain",
            "dnsPrefix and fqdnSubdomain exclude each other",
        )),
        (Some(prefix), None) => label(prefix, "dnsPrefix", 54),
        (None, Some(subdomain)) => label(subdomain, "fqdnSubdomain", 54),
    }?;
    let group = new
        .text("/properties/nodeResourceGroup")
        .unwrap_or_default();
    let own_group = new.id.group().unwrap_or_default();
    if group.eq_ignore_ascii_case(own_group) || group.is_empty() || group.len() > 80 {
        return Err(invalid(
            "nodeResourceGroup",
            format!(
                "The node resource group {group} must have a name of its own of up to 80 characters"
            ),
        ));
    }
    Ok(())
}

/// The service makes the node resource group itself and takes no group that is there.
fn own_group(world: &World, new: &Resource) -> ArmResult<()> {
    let group = node_group::id(new);
    if world.get(group.as_str()).is_none() {
        return Ok(());
    }
    Err(invalid(
        "nodeResourceGroup",
        format!(
            "The node resource group {} exists already; the service makes it itself",
            group.name()
        ),
    ))
}

fn label(text: &str, target: &str, longest: usize) -> ArmResult<()> {
    let word = |c: char| c.is_ascii_alphanumeric();
    let right = text.starts_with(word)
        && text.ends_with(word)
        && text.len() <= longest
        && text.chars().all(|c| word(c) || c == '-');
    if right {
        return Ok(());
    }
    Err(invalid(
        target,
        format!(
            "{text} has up to {longest} letters, digits and '-', and starts and ends with a letter or digit"
        ),
    ))
}

fn check_tier(new: &Resource) -> ArmResult<()> {
    let tier = new.text("/sku/tier").unwrap_or_default();
    let name = new.text("/sku/name").unwrap_or_default();
    if !["Free", "Standard", "Premium"].contains(&tier) {
        return Err(invalid(
            "sku.tier",
            format!("{tier} is none of Free, Standard, Premium"),
        ));
    }
    if !["Base", "Automatic"].contains(&name) {
        return Err(invalid(
            "sku.name",
            format!("{name} is none of Base, Automatic"),
        ));
    }
    let support = new.text("/properties/supportPlan") == Some("AKSLongTermSupport");
    if support && tier != "Premium" {
        return Err(invalid(
            "supportPlan",
            "AKSLongTermSupport needs the tier Premium",
        ));
    }
    Ok(())
}

/// A stopped cluster must be started before it changes.
fn running(old: &Resource) -> ArmResult<()> {
    if old.text("/properties/powerState/code") == Some("Stopped") {
        return Err(super::not_allowed(format!(
            "The managed cluster is in (Stopped) power state, managed cluster {} must be started before it is changed.",
            old.id.name()
        )));
    }
    Ok(())
}

fn unchanged(old: &Resource, new: &Resource) -> ArmResult<()> {
    for path in IMMUTABLE {
        let pointer = format!("/properties/{}", path.replace('.', "/"));
        if !same(old.at(&pointer), new.at(&pointer)) {
            return Err(change_not_allowed(path));
        }
    }
    if on(old, "/properties/oidcIssuerProfile/enabled")
        && !on(new, "/properties/oidcIssuerProfile/enabled")
    {
        return Err(ArmError::bad(
            "OIDCIssuerFeatureCannotBeDisabled",
            "The OIDC issuer feature cannot be disabled.",
        )
        .at("oidcIssuerProfile.enabled"));
    }
    if on(old, "/properties/aadProfile/managed") && !on(new, "/properties/aadProfile/managed") {
        return Err(change_not_allowed("aadProfile.managed"));
    }
    Ok(())
}

/// Who may use the cluster.
fn access(new: &Resource) -> ArmResult<()> {
    let directory = on(new, "/properties/aadProfile/managed");
    if directory && !on(new, "/properties/enableRBAC") {
        return Err(ArmError::bad(
            "RBACNotEnabledForAAD",
            "Microsoft Entra integration needs Kubernetes RBAC.",
        )
        .at("enableRBAC"));
    }
    if on(new, "/properties/disableLocalAccounts") && !directory {
        return Err(invalid(
            "disableLocalAccounts",
            "Local accounts can be disabled on clusters with Microsoft Entra integration only",
        ));
    }
    if on(new, "/properties/securityProfile/workloadIdentity/enabled")
        && !on(new, "/properties/oidcIssuerProfile/enabled")
    {
        return Err(invalid(
            "securityProfile.workloadIdentity",
            "Workload identity needs the OIDC issuer",
        ));
    }
    let groups = new.items("/properties/aadProfile/adminGroupObjectIDs");
    if let Some(bad) = groups.iter().find(|id| {
        id.as_str()
            .is_none_or(|id| uuid::Uuid::parse_str(id).is_err())
    }) {
        return Err(ArmError::bad(
            "InvalidAdminGroupObjectID",
            format!("The admin group object id {bad} is no object id."),
        )
        .at("aadProfile.adminGroupObjectIDs"));
    }
    Ok(())
}

/// The pools of the body, completed and checked against the stored ones.
fn pools(world: &World, new: &Resource, old: Option<&Resource>) -> ArmResult<Vec<Resource>> {
    let given = new.at("/properties/agentPoolProfiles").is_some();
    let stored = of(world, &new.id);
    if old.is_some() && !given {
        return Ok(stored.into_iter().cloned().collect());
    }
    let mut wanted = pool_defaults::read(new)?;
    for pool in &mut wanted {
        let before = stored
            .iter()
            .find(|other| other.id.same(pool.id.as_str()))
            .copied();
        if old.is_some() && before.is_none() {
            return Err(ArmError::bad(
                "BadRequest",
                "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
            )
            .at("agentPoolProfiles"));
        }
        upgraded_with_cluster(pool, new, old, before);
        pool_defaults::complete(pool, new, before);
        if let Some(before) = before {
            pool_rules::unchanged(before, pool, "agentPoolProfile")?;
        }
        pool_rules::valid(new, pool, before)?;
    }
    if let Some(gone) = stored
        .iter()
        .find(|pool| !wanted.iter().any(|other| other.id.same(pool.id.as_str())))
    {
        return Err(ArmError::bad(
            "BadRequest",
            format!(
                "Agent pool {} is missing. Removing agent pools from an existing cluster is not allowed through managed cluster operations. For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
                gone.id.name()
            ),
        )
        .at("agentPoolProfiles"));
    }
    pool_rules::together(&wanted)?;
    Ok(wanted)
}

/// A cluster that gets another version takes those of its pools along whose version the body leaves out.
pub fn upgraded_with_cluster(
    pool: &mut Resource,
    new: &Resource,
    old: Option<&Resource>,
    before: Option<&Resource>,
) {
    let pointer = "/properties/kubernetesVersion";
    let moved = old.is_some_and(|old| !same(old.at(pointer), new.at(pointer)));
    if moved && before.is_some() && pool.at("/properties/orchestratorVersion").is_none() {
        pool.set(
            "/properties/orchestratorVersion",
            new.at(pointer).cloned().unwrap_or(Value::Null),
        );
    }
}
