//! What there is of the images. The arguments are what the user wrote: nothing in Azure shows them.

use std::collections::BTreeMap;

use super::{Image, Input, Output, RegistryImage, images};
use crate::arm::ArmId;
use crate::provider::parts::{Observed, Seen, Unread};

/// Observes the images of the registry of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<RegistryImage>, Unread> {
    // An import of the resource knows the registry, and nothing of what once came from where.
    let input = prior.cloned().unwrap_or_else(|| Input {
        registry_id: id.clone(),
        source: None,
        target_tags: None,
        untagged_target_repositories: None,
        force: Some(false),
        delete_on_destroy: Some(false),
        images: None,
    });
    let sight = images::sight(&input, seen)?;
    let known = images::known(&input, seen);
    let mut found = BTreeMap::new();
    let mut unseen = sight.unseen.clone();
    for target in input.targets() {
        let expected = images::expected(&input, target, &known);
        let reference = images::visible(target, expected);
        let now = reference
            .as_deref()
            .and_then(|reference| sight.of(reference))
            .flatten();
        let image = if images::is_imported(target, seen) {
            // By its digest only what was there before is seen.
            let tagged = reference.as_deref() == Some(target);
            let digest = now.filter(|_| tagged).or_else(|| input.source_digest());
            Some(Image {
                digest: digest.map(str::to_owned),
                imported: true,
            })
        } else if let Some(known) = known.get(target) {
            let digest = known.digest.as_deref().or(now);
            Some(Image {
                digest: digest.map(str::to_owned),
                imported: known.imported,
            })
        } else if now.is_some() || images::is_present(target, seen) {
            Some(Image {
                digest: now.map(str::to_owned),
                imported: false,
            })
        } else {
            None
        };
        if reference.is_none() && sight.unseen.is_none() {
            let why = format!(
                "{target}: an image without a tag is seen by its digest, which the source does not name"
            );
            unseen.get_or_insert(why);
        }
        found.extend(image.map(|image| (target.to_owned(), image)));
    }
    let drift = images::drift(&input, seen)?;
    let host = sight.login_server.clone();
    let shown = host.as_deref().unwrap_or("the registry");
    let output = Output {
        images: found,
        verified: unseen.is_none(),
        verified_reason: match unseen {
            None => format!("{shown} was asked"),
            Some(why) => format!("what is known is kept, since it cannot be seen: {why}"),
        },
        login_server: host,
    };
    let mut observed = Observed::new(input, output);
    observed.drift = drift;
    Ok(observed)
}
