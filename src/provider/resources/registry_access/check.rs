//! What can be found wrong before anything is made: at validate without Azure, at plan with it.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::grants::{self, Grant, Standing};
use super::roles::{self, Mode, Permission};
use super::{CLUSTER, Existing, Input, REGISTRY};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Unread, is_of};
use crate::provider::roles::may_assign;

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    for (argument, kind) in [("registry_id", REGISTRY), ("cluster_id", CLUSTER)] {
        is_of(
            kind,
            config.get(argument),
            Path::attribute(argument),
            diagnostics,
        );
    }
    let (cluster, given) = (config.get("cluster_id"), config.get("principal_ids"));
    match (cluster.is_null(), given.is_null()) {
        (true, true) => diagnostics.error(
            Path::root(),
            "nobody is given access",
            "Fix: name the cluster whose nodes pull, or principals by their object ids:\n\n  \
             cluster_id = fkaks_cluster.example.id\n\nor\n\n  principal_ids = {\n    ci = \
             azurerm_user_assigned_identity.ci.principal_id\n  }",
        ),
        (false, false) => diagnostics.error(
            Path::attribute("principal_ids"),
            "a cluster and principals do not go together",
            "Fix: use one resource for the cluster and another one for the principals.",
        ),
        _ => {}
    }
    if !cluster.is_null()
        && let Some(kind) = config.get("principal_type").as_str()
        && kind != "ServicePrincipal"
    {
        diagnostics.error(
            Path::attribute("principal_type"),
            format!("the identity of a cluster is no {kind}"),
            "Fix: leave principal_type out.",
        );
    }
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (key, principal) in given.as_map().into_iter().flatten() {
        let Some(principal) = principal.as_str() else {
            continue;
        };
        if let Some(other) = known.insert(principal.to_lowercase(), key) {
            diagnostics.error(
                Path::attribute("principal_ids").key(key),
                "a principal is named once",
                format!("{key:?} and {other:?} are the same principal, {principal}.\n\nFix: remove one of them."),
            );
        }
    }
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(input) = planned(check) else {
        return Ok(());
    };
    // Ask for everything first.
    let registry = check.look(&input.registry_id);
    let identities = identities(&input, check);
    let found = grants::grants(&input, check.seen, &|id| check.is_ours(id));
    let Some(registry) = registry? else {
        return Ok(());
    };
    let mode = input.mode(registry);
    let narrowed = input.repositories.is_some() || check.planned.get("repositories").is_unknown();
    let problems = roles::problems(mode, &input.permissions, narrowed);
    for (argument, summary, detail) in &problems {
        check.error(Path::attribute(*argument), summary, detail);
    }
    client_ids(&input, &identities?, check);
    let found = found?;
    if !problems.is_empty() {
        return Ok(());
    }
    for grant in &found {
        standing(&input, grant, mode, check)?;
    }
    if found
        .iter()
        .any(|grant| grant.standing == Standing::Missing)
    {
        may_assign(
            &[&input.registry_id],
            "registry_id",
            "the caller may not assign roles at the registry",
            "Or have the owner make the grants; they count here with existing = \"accept\".",
            check,
        )?;
    }
    Ok(())
}

/// The input as far as it is known: principals that are not known yet are left out.
fn planned(check: &Check<'_>) -> Option<Input> {
    let texts = |argument: &str| -> Option<BTreeSet<String>> {
        let items = check.planned.get(argument).as_items()?;
        Some(
            items
                .iter()
                .filter_map(|item| Some(item.as_str()?.to_owned()))
                .collect(),
        )
    };
    let permissions: BTreeSet<Permission> = texts("permissions")?
        .into_iter()
        .filter_map(|text| serde_json::from_value(Json::from(text)).ok())
        .collect();
    let given = check.planned.get("principal_ids").as_map();
    Some(Input {
        registry_id: check.id("registry_id").filter(|id| id.is(REGISTRY))?,
        cluster_id: check.id("cluster_id").filter(|id| id.is(CLUSTER)),
        principal_ids: given.map(|given| {
            let known = given
                .iter()
                .filter_map(|(key, id)| Some((key.clone(), id.as_str()?.to_owned())));
            known.collect()
        }),
        principal_type: check.planned.get("principal_type").as_str()?.to_owned(),
        permissions,
        repositories: texts("repositories"),
        existing: match check.planned.get("existing").as_str()? {
            "refuse" => Existing::Refuse,
            _ => Existing::Accept,
        },
        role_assignment_mode: None,
        coming_mode: given_mode(check),
        adopted: BTreeSet::new(),
    })
}

/// The mode that the user gives; what was read before is no such.
fn given_mode(check: &Check<'_>) -> Option<Mode> {
    let given = check.config.get("role_assignment_mode").as_str();
    given.map(Mode::named)
}

/// Once everything that the resource depends on has been applied, the registry has the mode that
/// the user gives. Roles of another one would open nothing.
///
/// # Errors
/// [`Unread`] when the registry must be read first.
pub fn mode_is_as_given(check: &mut Check<'_>) -> Result<(), Unread> {
    let (Some(given), Some(id)) = (given_mode(check), check.id("registry_id")) else {
        return Ok(());
    };
    let Some(registry) = check.look(&id)? else {
        return Ok(());
    };
    let mode = Mode::of(registry);
    if mode != given {
        check.error(
            Path::attribute("role_assignment_mode"),
            format!("registry {} is in the mode {mode}, and not in {given}", id.name()),
            format!(
                "- {id}\n\nThe roles of one mode open no image in the other.\n\nFix: take the mode from the \
                 registry where it is set:\n\n  role_assignment_mode = \
                 fkaks_registry.example.role_assignment_mode\n\nor leave role_assignment_mode out, and the \
                 registry is asked."
            ),
        );
    }
    Ok(())
}

/// The user-assigned identities that can be seen where the registry and the provider are, when there
/// is a principal that might be one of them by a wrong id.
fn identities(input: &Input, check: &Check<'_>) -> Result<Vec<Json>, Unread> {
    if input.principal_ids.as_ref().is_none_or(BTreeMap::is_empty)
        || input.principal_type != "ServicePrincipal"
        || !check.changes("principal_ids")
    {
        return Ok(Vec::new());
    }
    let mut subscriptions = vec![ArmId::subscription(input.registry_id.subscription_id())];
    let own = check.seen.subscription_id().map(ArmId::subscription);
    subscriptions.extend(own.filter(|own| *own != subscriptions[0]));
    let lists: Vec<_> = subscriptions
        .iter()
        .map(|subscription| {
            let identities = "providers/Microsoft.ManagedIdentity/userAssignedIdentities";
            check.seen.list(subscription, identities)
        })
        .collect();
    let mut all = Vec::new();
    for list in lists {
        all.extend_from_slice(list?.found().unwrap_or_default());
    }
    Ok(all)
}

/// A client id is what an identity logs in with; roles go to its object id. Azure takes any GUID once
/// a principal type is given, and the pull fails later.
fn client_ids(input: &Input, identities: &[Json], check: &mut Check<'_>) {
    for (key, principal) in input.principal_ids.iter().flatten() {
        let is = |identity: &&Json, name: &str| {
            identity["properties"][name]
                .as_str()
                .is_some_and(|id| id.eq_ignore_ascii_case(principal))
        };
        let Some(identity) = identities.iter().find(|identity| is(identity, "clientId")) else {
            continue;
        };
        let object = identity["properties"]["principalId"]
            .as_str()
            .unwrap_or_default();
        check.error(
            Path::attribute("principal_ids").key(key),
            format!("{principal} is a client id, and an object id belongs here"),
            format!(
                "It is the client id of\n- {}\n\nAzure would accept it, and nobody could pull with it.\n\n\
                 Fix: give the identity's principal id:\n\n  principal_ids = {{\n    {key} = \"{object}\"\n  }}",
                identity["id"].as_str().unwrap_or_default()
            ),
        );
    }
}

fn standing(input: &Input, grant: &Grant, mode: Mode, check: &mut Check<'_>) -> Result<(), Unread> {
    let list = grants::listed(input, &grant.principal, check.seen)?;
    let useless = grants::useless(grant, list);
    match &grant.standing {
        // The very assignment that this resource would make is perhaps its own, of an earlier life that
        // failed and is replaced now, which a plan cannot tell. The apply can.
        Standing::InTheWay(id) if *id == grant.own_id(input) => {}
        Standing::InTheWay(id) => {
            let (summary, why, fix) = if input.existing == Existing::Refuse {
                (
                    format!("{} has the role {} already", grant.key, grant.role.name),
                    "someone else assigned it, and existing = \"refuse\" counts only what this resource makes",
                    format!(
                        "let it count:\n\n  existing = \"accept\"\n\nOr take it over:\n\n  import {{\n    to = \
                         fkaks_registry_access.example\n    id = \"{id}\"\n  }}"
                    ),
                )
            } else {
                (
                    format!(
                        "{} has the role {} already, under another condition",
                        grant.key, grant.role.name
                    ),
                    "Azure assigns a role to a principal once at a scope, and this assignment of someone \
                     else does not give what is asked for",
                    format!(
                        "change its condition where it is managed, delete it, or take it over:\n\n  import {{\n    \
                         to = fkaks_registry_access.example\n    id = \"{id}\"\n  }}"
                    ),
                )
            };
            check.error(
                Path::attribute(input.argument()),
                summary,
                format!("- {id}\n- principal: {}\n\nHere {why}.\n\nFix: {fix}", grant.principal),
            );
        }
        Standing::Missing if !useless.is_empty() => check.warning(
            Path::attribute(input.argument()),
            format!("{} has a role that opens no image here", grant.key),
            format!(
                "The registry's role assignment mode is {mode}{useless}. It is given {} instead; the other \
                 assignment is left alone.",
                grant.role.name
            ),
        ),
        _ => {}
    }
    Ok(())
}
