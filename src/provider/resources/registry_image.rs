//! An image in a registry, imported from another one (`importImage` of
//! `Microsoft.ContainerRegistry/registries`): Azure copies it itself, so that also a registry without
//! public access gets it, and nobody needs Docker. The import leaves no object in Resource Manager:
//! what has become of it shows in the data plane alone, which may not be reachable from where this
//! runs. Then what is known is kept, and says so. The registry is the anchor, and someone else's.

mod check;
mod images;
mod observe;
mod reference;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Secret};
use crate::provider::parts::{Check, Composite, Observed, Page, Part, Seen, Surroundings, Unread};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";

/// `fkaks_registry_image`
pub struct RegistryImage;

/// What the user wrote, and what the state knows of the images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    /// Unknown after an import.
    source: Option<Source>,
    target_tags: Option<BTreeSet<String>>,
    untagged_target_repositories: Option<BTreeSet<String>>,
    #[serde(default)]
    force: Option<bool>,
    #[serde(default)]
    delete_on_destroy: Option<bool>,
    /// Computed: what was found or made before.
    #[serde(skip_serializing)]
    images: Option<BTreeMap<String, Image>>,
}

/// Where the image comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Source {
    image: String,
    registry_id: Option<ArmId>,
    username: Option<String>,
    #[serde(default, skip_serializing)]
    password_wo: Option<Secret>,
    password_wo_version: Option<i64>,
}

impl PartialEq for Source {
    /// Whether the same image is meant, however one logs in.
    fn eq(&self, other: &Self) -> bool {
        self.image == other.image && self.registry_id == other.registry_id
    }
}

/// An image at one of its targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Image {
    /// Its digest, where the data plane or the source told it.
    digest: Option<String>,
    /// Whether this resource imported it, and did not find it there.
    imported: bool,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    login_server: Option<String>,
    images: BTreeMap<String, Image>,
    verified: bool,
    verified_reason: String,
}

impl Composite for RegistryImage {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_image";
    const ANCHOR: &'static str = REGISTRY;
    const ANCHOR_IS_GIVEN: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::minutes(60, 5, 60, 30);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] =
        &[Part::deeds("images", images::remaining, images::left).until(images::there)];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.registry_id.clone())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let registry = plan.get("registry_id").as_str().map(Value::from);
        registry.map(|id| ("id", id)).into_iter().collect()
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }
}

impl Input {
    /// Where the image should be: `repository:tag`, or a repository alone.
    fn targets(&self) -> BTreeSet<&str> {
        let tags = self.target_tags.iter().flatten();
        let untagged = self.untagged_target_repositories.iter().flatten();
        tags.chain(untagged).map(String::as_str).collect()
    }

    /// The digest that the source names, if it does.
    fn source_digest(&self) -> Option<&str> {
        let source = self.source.as_ref()?;
        reference::Reference::of(&source.image).digest
    }
}

#[cfg(test)]
mod tests;
