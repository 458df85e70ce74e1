//! What can be found wrong before anything is made: at validate without Azure, at plan with the
//! subnets that others have and with who uses ours.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::{addresses, peers, planned_id, someone_elses_subnet, subnets_within, users};
use crate::arm::{ArmId, Json, same_location};
use crate::network::cidr;
use crate::network::plan::{self, Place, Problem};
use crate::provider::parts::{Check, Unread};

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let question = addresses::question(config, None, BTreeMap::new());
    for problem in plan::plan(&question).problems {
        tell(&problem, &path(&problem.place), diagnostics);
    }
}

/// Tells one problem of the address plan.
pub fn tell(problem: &Problem, path: &Path, diagnostics: &mut Diagnostics) {
    diagnostics.error(path.clone(), problem.summary(), problem.detail());
}

fn path(place: &Place) -> Path {
    match place {
        Place::AddressSpace => Path::attribute("address_space"),
        Place::ReservedPrefixes => Path::attribute("reserved_prefixes"),
        Place::Subnet { key, argument } => {
            Path::attribute("subnets").key(key.as_str()).then(*argument)
        }
    }
}

/// The network before a change, and what Azure has in it.
struct Standing<'a> {
    prior: &'a Value,
    /// What the resource owns.
    owned: BTreeSet<ArmId>,
    /// Its body; none while it is not there.
    network: Option<&'a Json>,
    /// All subnets of the network; none while it is not there.
    found: Vec<(ArmId, Json)>,
}

/// Checks with Azure's facts.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let standing = standing(check)?;
    let owned = |id: &ArmId| standing.as_ref().is_some_and(|is| is.owned.contains(id));
    let found = standing.as_ref().map_or(&[][..], |is| is.found.as_slice());
    let others = found
        .iter()
        .filter(|(id, _)| !owned(id))
        .map(|(id, subnet)| {
            let prefixes = addresses::parsed(&addresses::found_prefixes(subnet));
            (id.name().to_owned(), prefixes)
        });
    let others: addresses::Others = others.collect();
    let question = addresses::question(check.config, check.prior, others.clone());
    let layout = plan::plan(&question);
    for problem in &layout.problems {
        tell(problem, &path(&problem.place), check.diagnostics);
    }
    let Some(standing) = standing else {
        return Ok(());
    };
    left_out(check, &question, &others);
    peers::overlaps(check, &question, standing.network);
    names_of_others(check, &question, &standing);
    circles(check, &layout.prefixes, &question, &standing);
    let results = [
        removed_in_use(check, &question, &standing),
        moved_in_use(check, &layout.prefixes, &question, &standing),
    ];
    results.into_iter().collect()
}

/// Checks an address space that the plan could not know, and a network whose peers have changed since.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
    if let Some(standing) = standing(check)? {
        let question = addresses::question(check.config, check.prior, BTreeMap::new());
        peers::overlaps(check, &question, standing.network);
    }
    Ok(())
}

/// What there is, when the plan is a change in place: at a creation or a replacement, what stands
/// under the id is about to go, or is not ours and refused when it is written.
fn standing<'a>(check: &Check<'a>) -> Result<Option<Standing<'a>>, Unread> {
    let Some(prior) = check.prior else {
        return Ok(None);
    };
    let id = prior
        .get("id")
        .as_str()
        .and_then(|id| ArmId::parse(id).ok());
    let Some(id) = id.filter(|id| planned_id(check.planned).as_ref() == Some(id)) else {
        return Ok(None);
    };
    let region = |value: &Value| {
        value
            .get("location")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    if !same_location(&region(prior), &region(check.planned)) {
        return Ok(None);
    }
    let objects = prior.get("objects").as_map().into_iter().flatten();
    let owned = objects
        .flat_map(|(_, ids)| ids.as_items().unwrap_or_default())
        .filter_map(|id| ArmId::parse(id.as_str()?).ok())
        .collect();
    let network = check.look(&id)?;
    Ok(Some(Standing {
        prior,
        owned,
        network,
        found: network
            .map(|body| subnets_within(&id, body))
            .unwrap_or_default(),
    }))
}

/// The ids of the wanted subnets by key; `None` while one of them is not known.
fn wanted_names(question: &plan::Wanted) -> Option<BTreeMap<&str, String>> {
    let subnets = question.subnets.iter();
    subnets
        .map(|(key, subnet)| Some((key.as_str(), subnet.name.as_ref()?.to_lowercase())))
        .collect()
}

/// The address space cannot shrink below what others live in.
fn left_out(check: &mut Check<'_>, question: &plan::Wanted, others: &addresses::Others) {
    let Some(space) = &question.address_space else {
        return;
    };
    let space = addresses::parsed(space);
    for (name, prefixes) in others {
        for prefix in prefixes
            .iter()
            .filter(|prefix| !cidr::within(&space, prefix))
        {
            check.error(
                Path::attribute("address_space"),
                format!("The address space leaves out {prefix} of subnet {name:?}, which is managed elsewhere"),
                format!(
                    "- subnet {name:?}: {prefix}\n\nAzure does not take a prefix away while a subnet is in \
                     it.\n\nFix: keep a prefix that holds it, or have that subnet deleted where it is \
                     managed first."
                ),
            );
        }
    }
}

fn names_of_others(check: &mut Check<'_>, question: &plan::Wanted, standing: &Standing<'_>) {
    for (key, subnet) in &question.subnets {
        let Some(name) = &subnet.name else { continue };
        let other = standing
            .found
            .iter()
            .find(|(id, _)| id.name().eq_ignore_ascii_case(name) && !standing.owned.contains(id));
        if let Some((id, _)) = other {
            check.error(
                Path::attribute("subnets").key(key.as_str()),
                format!("Subnet {key:?} cannot be made: the network has a subnet of that name, which is managed elsewhere"),
                format!(
                    "- {id}\n\nNothing is adopted silently, so that no two configurations fight over it.\n\n\
                     Fix: {}",
                    someone_elses_subnet(id).unwrap_or_default()
                ),
            );
        }
    }
}

fn removed_in_use(
    check: &mut Check<'_>,
    question: &plan::Wanted,
    standing: &Standing<'_>,
) -> Result<(), Unread> {
    if check.config.get("subnets").is_unknown() {
        return Ok(());
    }
    let Some(wanted) = wanted_names(question) else {
        return Ok(());
    };
    let going = standing.found.iter().filter(|(id, _)| {
        let name = id.name().to_lowercase();
        standing.owned.contains(id) && wanted.values().all(|wanted| *wanted != name)
    });
    let uses: Vec<_> = going
        .map(|(id, subnet)| (id, users::of(subnet, check.seen)))
        .collect();
    for (id, users) in uses {
        let users = users?;
        if users.is_empty() {
            continue;
        }
        let key = key_before(standing.prior, id.name());
        let renamed = key.as_deref().and_then(|key| wanted.get(key));
        let path = Path::attribute("subnets");
        let (path, what, way) = match (&key, renamed) {
            (Some(key), Some(new)) => (
                path.key(key.as_str()).then("name"),
                format!("cannot be renamed to {new:?}"),
                "A subnet has one name for life: renaming it would delete and recreate it.",
            ),
            _ => (path, "cannot be removed".to_owned(), ""),
        };
        let back = match (&key, renamed) {
            (Some(key), Some(_)) => format!(
                "take the old name back, and move its users to a new subnet first:\n\n  subnets = \
                 {{\n    {key} = {{\n      name = {:?}\n    }}\n  }}",
                id.name()
            ),
            _ => "keep it in `subnets` until its users are gone or have moved to another \
                  subnet, then remove it."
                .to_owned(),
        };
        check.error(
            path,
            format!("Subnet {:?} {what}: it is in use", id.name()),
            format!(
                "- {id}\n{}\n{}Fix: {back}",
                bullets(&users),
                if way.is_empty() {
                    String::new()
                } else {
                    format!("{way}\n\n")
                },
            ),
        );
    }
    Ok(())
}

/// A subnet that is in use can grow, but not leave its place.
fn moved_in_use(
    check: &mut Check<'_>,
    layout: &BTreeMap<String, Option<Vec<IpNet>>>,
    question: &plan::Wanted,
    standing: &Standing<'_>,
) -> Result<(), Unread> {
    let mut moving = Vec::new();
    for (key, subnet) in &question.subnets {
        let (Some(name), Some(Some(new))) = (&subnet.name, layout.get(key)) else {
            continue;
        };
        let found = standing.found.iter();
        let found = found
            .into_iter()
            .find(|(id, _)| standing.owned.contains(id) && id.name().eq_ignore_ascii_case(name));
        let Some((id, found)) = found else { continue };
        let old = addresses::found_prefixes(found);
        let stays = |old: &IpNet| new.iter().any(|new| cidr::overlap(old, new));
        if !addresses::parsed(&old).iter().any(stays) {
            moving.push((key, id, old, new, users::of(found, check.seen)));
        }
    }
    for (key, id, old, new, users) in moving {
        let users = users?;
        if users.is_empty() {
            continue;
        }
        let new: Vec<String> = new.iter().map(ToString::to_string).collect();
        check.error(
            Path::attribute("subnets").key(key.as_str()),
            format!("Subnet {key:?} cannot move to {}: it is in use", new.join(", ")),
            format!(
                "- {id}\n- it has {}\n{}\nFix: keep its prefixes, and add a new subnet under another key \
                 for what is to move:\n\n  subnets = {{\n    {key} = {{\n      address_prefixes = {old:?}\n    \
                 }}\n  }}",
                old.join(", "),
                bullets(&users)
            ),
        );
    }
    Ok(())
}

/// Two subnets cannot change places: one would have to be where the other still is.
fn circles(
    check: &mut Check<'_>,
    layout: &BTreeMap<String, Option<Vec<IpNet>>>,
    question: &plan::Wanted,
    standing: &Standing<'_>,
) {
    let new: BTreeMap<String, Vec<IpNet>> = layout
        .iter()
        .filter_map(|(key, prefixes)| Some((key.clone(), prefixes.clone()?)))
        .collect();
    let current = question.subnets.iter().filter_map(|(key, subnet)| {
        let name = subnet.name.as_deref()?;
        let (_, found) = standing
            .found
            .iter()
            .find(|(id, _)| id.name().eq_ignore_ascii_case(name))?;
        let prefixes = addresses::found_prefixes(found);
        Some((key.clone(), addresses::parsed(&prefixes)))
    });
    let (_, circle) = addresses::order(&new, &current.collect());
    let Some(first) = circle.first() else { return };
    check.error(
        Path::attribute("subnets").key(first.as_str()),
        format!(
            "Subnets {} cannot change places in one apply",
            circle.join(", ")
        ),
        "Azure changes one subnet at a time, and each of them would come where another still \
         is.\n\nFix: move one of them to free addresses, apply, and then do the rest.",
    );
}

fn key_before(prior: &Value, name: &str) -> Option<String> {
    let subnets = prior.get("subnets").as_map()?.iter();
    let mut named = subnets.filter(|(key, subnet)| {
        addresses::known_name(key, subnet).is_some_and(|own| own.eq_ignore_ascii_case(name))
    });
    named.next().map(|(key, _)| key.clone())
}

/// A line for each user of a subnet.
pub fn bullets(users: &[String]) -> String {
    const MOST: usize = 20;
    let mut lines: String = users
        .iter()
        .take(MOST)
        .map(|user| format!("- used by {user}\n"))
        .collect();
    if users.len() > MOST {
        lines.push_str(&format!("- and {} more\n", users.len() - MOST));
    }
    lines
}
