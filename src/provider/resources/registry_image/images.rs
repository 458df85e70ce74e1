//! What remains to be imported and deleted, over what the data plane shows, where it shows anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::reference::Reference;
use super::{Image, Input, Source};
use crate::arm::{ArmId, Error, Images, Json};
use crate::provider::parts::{Deed, Evidence, Look, Question, Seen, Unread};

/// The notes of what this operation has imported, found at an import, and deleted.
const IMPORTED: &str = "imported";
const PRESENT: &str = "present";
const DELETED: &str = "deleted";

/// Azure's modes of an import.
const NO_FORCE: &str = "NoForce";
const FORCE: &str = "Force";

/// What is known of the registry now.
pub struct Sight {
    /// Its login server, where it is there.
    pub login_server: Option<String>,
    /// Why its images cannot be seen, where they cannot.
    pub unseen: Option<String>,
    digests: BTreeMap<String, Option<String>>,
}

impl Sight {
    /// The digest of what is there under a reference; `None` where nothing can be seen.
    pub fn of(&self, reference: &str) -> Option<Option<&str>> {
        self.digests.get(reference).map(Option::as_deref)
    }
}

/// Looks at the registry: at these references.
///
/// # Errors
/// [`Unread`] when it has not been looked at yet.
pub fn look(registry: &ArmId, references: BTreeSet<String>, seen: &Seen) -> Result<Sight, Unread> {
    let blind = |login_server: Option<String>, why: String| Sight {
        login_server,
        unseen: Some(why),
        digests: BTreeMap::new(),
    };
    let found = match seen.look(registry)? {
        Look::Found(found) => found,
        Look::Absent => return Ok(blind(None, format!("{registry} is not there"))),
        Look::Denied(error) => return Ok(blind(None, error.to_string())),
    };
    let Some(host) = found["properties"]["loginServer"].as_str() else {
        return Ok(blind(None, format!("{registry} has no login server yet")));
    };
    let host = host.to_lowercase();
    if !seen.cloud().is_registry(&host) {
        let why = format!("{host} is no registry of this cloud, so that no token is sent there");
        return Ok(blind(Some(host), why));
    }
    if references.is_empty() {
        return Ok(Sight {
            login_server: Some(host),
            unseen: None,
            digests: BTreeMap::new(),
        });
    }
    let question = Question::Images {
        login_server: host.clone(),
        references,
    };
    let answer = match seen.ask(&question)? {
        Look::Found(answer) => serde_json::from_value::<Images>(answer.clone()).ok(),
        Look::Absent | Look::Denied(_) => None,
    };
    Ok(match answer {
        Some(Images { unseen, digests }) => Sight {
            login_server: Some(host),
            unseen,
            digests,
        },
        None => blind(Some(host), "the registry did not say".to_owned()),
    })
}

/// Looks at all that the input wants and at all that is known.
///
/// # Errors
/// [`Unread`] when it has not been looked at yet.
pub fn sight(input: &Input, seen: &Seen) -> Result<Sight, Unread> {
    let known = known(input, seen);
    let targets = input.targets();
    let mut references: BTreeSet<String> = targets
        .iter()
        .filter_map(|target| visible(target, expected(input, target, &known)))
        .collect();
    if input.delete_on_destroy == Some(true) {
        references.extend(deletable(dropped(input, &known)));
    }
    look(&input.registry_id, references, seen)
}

/// What is known and wanted no more.
fn dropped<'a>(
    input: &Input,
    known: &'a BTreeMap<String, Image>,
) -> impl Iterator<Item = (&'a String, &'a Image)> {
    let targets: BTreeSet<String> = input.targets().into_iter().map(str::to_owned).collect();
    known
        .iter()
        .filter(move |(target, _)| !targets.contains(*target))
}

/// What could be deleted of images: their tags and manifests, where this resource imported them.
fn deletable<'a>(
    images: impl Iterator<Item = (&'a String, &'a Image)>,
) -> impl Iterator<Item = String> {
    images
        .filter(|(_, image)| image.imported)
        .flat_map(|(target, image)| {
            let tag = visible(target, image.digest.as_deref());
            tag.into_iter().chain(manifest(target, image))
        })
}

/// What can be looked for of a target: a tag by itself, an untagged image by its digest.
pub fn visible(target: &str, digest: Option<&str>) -> Option<String> {
    if Reference::of(target).tag.is_some() {
        return Some(target.to_owned());
    }
    digest.map(|digest| format!("{target}@{digest}"))
}

/// The digest that a target should have: that of the source, or the one that it had.
pub fn expected<'a>(
    input: &'a Input,
    target: &str,
    known: &'a BTreeMap<String, Image>,
) -> Option<&'a str> {
    let recorded = || known.get(target)?.digest.as_deref();
    input.source_digest().or_else(recorded)
}

/// What was known of the images before: by the state before a change, or by the state itself.
pub fn known(input: &Input, seen: &Seen) -> BTreeMap<String, Image> {
    let before = seen.prior().map(|prior| prior["images"].clone());
    match before {
        Some(before) => serde_json::from_value(before).unwrap_or_default(),
        None => input.images.clone().unwrap_or_default(),
    }
}

/// Whether this operation has imported a target.
pub fn is_imported(target: &str, seen: &Seen) -> bool {
    noted(seen, IMPORTED).contains(target)
}

/// Whether this operation has met a target that was there already.
pub fn is_present(target: &str, seen: &Seen) -> bool {
    noted(seen, PRESENT).contains(target)
}

fn noted<'a>(seen: &'a Seen, name: &str) -> BTreeSet<&'a str> {
    let notes = seen.noted(name).iter();
    notes
        .filter_map(Json::as_array)
        .flatten()
        .filter_map(Json::as_str)
        .collect()
}

/// The next request that remains to be made: an import, or the deletion of what is wanted no more.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn remaining(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    let sight = sight(input, seen)?;
    let known = known(input, seen);
    let (mut gentle, mut forced) = (Vec::new(), Vec::new());
    for target in input.targets() {
        // Where a request of several was refused, those that are not there still want one.
        let reference = visible(target, expected(input, target, &known));
        let is_missing = reference.and_then(|reference| sight.of(&reference)) == Some(None);
        let present = is_present(target, seen) && !is_missing;
        if present || is_imported(target, seen) {
            continue;
        }
        match need(input, target, &known, &sight, seen) {
            Need::Nothing => {}
            Need::Import => gentle.push(target),
            Need::Overwrite => forced.push(target),
        }
    }
    if let Some(source) = &input.source {
        // Azure refuses the whole request when one of its tags is taken: where that cannot be seen
        // before, each target has a request of its own.
        if sight.unseen.is_some() {
            gentle.truncate(1);
        }
        if !gentle.is_empty() {
            return Ok(Some(import(input, source, &gentle, NO_FORCE)));
        }
        if !forced.is_empty() {
            return Ok(Some(import(input, source, &forced, FORCE)));
        }
    }
    Ok(deletion(input, dropped(input, &known), &sight, seen))
}

/// What has to be done about a target.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Import,
    Overwrite,
}

fn need(
    input: &Input,
    target: &str,
    known: &BTreeMap<String, Image>,
    sight: &Sight,
    seen: &Seen,
) -> Need {
    if input.force == Some(true) {
        return Need::Overwrite;
    }
    let recorded = known.get(target);
    if recorded.is_some() && source_changed(input, seen) {
        return Need::Overwrite;
    }
    let expected = expected(input, target, known);
    let found = visible(target, expected).and_then(|reference| sight.of(&reference));
    match (found, recorded) {
        (Some(None), _) | (None, None) => Need::Import,
        (Some(Some(found)), Some(_)) if expected.is_some_and(|digest| digest != found) => {
            Need::Overwrite
        }
        // An existing tag counts as present.
        (Some(Some(_)), _) | (None, Some(_)) => Need::Nothing,
    }
}

/// Whether another image is asked for than before; what an import left open is no other one.
fn source_changed(input: &Input, seen: &Seen) -> bool {
    let before = seen.prior().map(|prior| prior["source"].clone());
    let before = before.and_then(|source| serde_json::from_value::<Source>(source).ok());
    before.is_some_and(|before| input.source.as_ref() != Some(&before))
}

fn import(input: &Input, source: &Source, targets: &[&str], mode: &str) -> Deed {
    let reference = Reference::of(&source.image);
    let mut from = json!({ "sourceImage": reference.within() });
    match (&source.registry_id, reference.host) {
        (Some(id), _) => from["resourceId"] = json!(id),
        (None, host) => from["registryUri"] = json!(host.unwrap_or_default()),
    }
    if let Some(password) = &source.password_wo {
        from["credentials"] = json!({ "password": password.expose() });
        if let Some(username) = &source.username {
            from["credentials"]["username"] = json!(username);
        }
    }
    let (tags, untagged): (Vec<&str>, Vec<&str>) = targets
        .iter()
        .partition(|target| Reference::of(target).tag.is_some());
    let mut body = json!({ "source": from, "mode": mode });
    if !tags.is_empty() {
        body["targetTags"] = json!(tags);
    }
    if !untagged.is_empty() {
        body["untaggedTargetRepositories"] = json!(untagged);
    }
    let deed = Deed::import_image(input.registry_id.clone(), body)
        .argument("source.image")
        .done(IMPORTED, json!(targets));
    if mode == FORCE {
        return deed;
    }
    // Without force, a tag that is there is refused with 409, and is what was wanted.
    deed.needless(taken, PRESENT, json!(targets))
}

/// Azure's answer to an import without force to a tag that exists, at once or as the end of the
/// operation.
fn taken(error: &Error) -> bool {
    error.is_conflict() || (error.is_failed_operation() && error.has_code("Conflict"))
}

/// What is left of the images when the resource goes: nothing, unless it is to be deleted.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn left(input: &Input, seen: &Seen) -> Result<Option<Deed>, Unread> {
    if input.delete_on_destroy != Some(true) {
        return Ok(None);
    }
    let known = known(input, seen);
    let references = deletable(known.iter()).collect();
    let sight = look(&input.registry_id, references, seen)?;
    Ok(deletion(input, known.iter(), &sight, seen))
}

/// The next deletion of images that this resource has imported: their tags first, unless they lead to
/// something else by now, and then their manifests, unless those have tags of others.
fn deletion<'a>(
    input: &Input,
    images: impl Iterator<Item = (&'a String, &'a Image)>,
    sight: &Sight,
    seen: &Seen,
) -> Option<Deed> {
    if input.delete_on_destroy != Some(true) {
        return None;
    }
    let host = sight.login_server.as_deref()?;
    let done = noted(seen, DELETED);
    let (mut tags, mut manifests) = (Vec::new(), Vec::new());
    for (target, image) in images.filter(|(_, image)| image.imported) {
        let is_there = |reference: &str| match sight.of(reference) {
            Some(found) => found
                .is_some_and(|found| image.digest.as_deref().is_none_or(|digest| digest == found)),
            // What cannot be seen has to be tried, and its failure says why.
            None => sight.unseen.is_some(),
        };
        if Reference::of(target).tag.is_some() && is_there(target) {
            tags.push(target.clone());
        }
        manifests.extend(manifest(target, image).filter(|reference| is_there(reference)));
    }
    let next = tags
        .into_iter()
        .chain(manifests)
        .find(|reference| !done.contains(reference.as_str()))?;
    let registry = input.registry_id.clone();
    Some(
        Deed::delete_image(registry, host, &next)
            .argument("delete_on_destroy")
            .done(DELETED, json!([next])),
    )
}

/// The manifest of an image, where its digest is known.
fn manifest(target: &str, image: &Image) -> Option<String> {
    let repository = Reference::of(target).repository;
    let digest = image.digest.as_deref()?;
    Some(format!("{repository}@{digest}"))
}

/// Why a target is not as it should be, where that can be seen.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn drift(input: &Input, seen: &Seen) -> Result<Vec<String>, Unread> {
    let sight = sight(input, seen)?;
    let known = known(input, seen);
    let host = sight.login_server.as_deref().unwrap_or("the registry");
    let mut lines = Vec::new();
    for target in input.targets() {
        let expected = expected(input, target, &known);
        let found = visible(target, expected).and_then(|reference| sight.of(&reference));
        // What this operation has imported is as it should be, whatever was there before, unless the
        // source says otherwise: a change that has failed leaves the source of before.
        let fresh = is_imported(target, seen);
        let should = if fresh {
            input.source_digest()
        } else {
            expected
        };
        match found {
            Some(None) => lines.push(format!("{target} is not in {host}")),
            Some(Some(found)) if should.is_some_and(|digest| digest != found) => {
                let should = should.unwrap_or_default();
                lines.push(format!(
                    "{target} in {host} has moved: it leads to {found}, and should lead to {should}"
                ));
            }
            Some(Some(_)) => {}
            None if !fresh && !is_present(target, seen) && !known.contains_key(target) => {
                lines.push(format!("{target} has not been imported yet"));
            }
            None => {}
        }
    }
    Ok(lines)
}

/// An import has come about when what can be seen of it is there.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn there(input: &Input, seen: &Seen) -> Result<Evidence, Unread> {
    let sight = sight(input, seen)?;
    let known = known(input, seen);
    let host = sight.login_server.as_deref().unwrap_or("the registry");
    let missing = input.targets().into_iter().find(|target| {
        let reference = visible(target, expected(input, target, &known));
        reference.and_then(|reference| sight.of(&reference)) == Some(None)
    });
    Ok(match missing {
        None => Evidence::Done,
        Some(target) => Evidence::Waiting(format!("{target} is not in {host}")),
    })
}
