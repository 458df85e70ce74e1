//! What can be found wrong before anything is imported: at validate without Azure, at plan with it.

use serde_json::json;
use tfplugin_rs::framework::Diagnostics;
use tfplugin_rs::value::{Path, Value};

use super::reference::Reference;
use super::{REGISTRY, images};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Check, Look, Question, Unread, is_of};

/// Checks that need no Azure.
pub fn validate(config: &Value, diagnostics: &mut Diagnostics) {
    let source = config.get("source");
    let registries = [
        (Path::attribute("registry_id"), config.get("registry_id")),
        (
            Path::attribute("source").then("registry_id"),
            source.get("registry_id"),
        ),
    ];
    for (path, value) in registries {
        is_of(REGISTRY, value, path, diagnostics);
    }
    if config.get("target_tags").is_null() && config.get("untagged_target_repositories").is_null() {
        diagnostics.error(
            Path::attribute("target_tags"),
            "the image is given no place",
            "Fix: name the tags that it gets:\n\n  target_tags = [\"team/app:1.2\"]\n\nor repositories, to pull \
             it by its digest:\n\n  untagged_target_repositories = [\"team/app\"]",
        );
    }
    if let Some(image) = source.get("image").as_str() {
        host(image, source, diagnostics);
        itself(image, config, diagnostics);
    }
    login(source, diagnostics);
}

/// The registry of a source is named once: by its id, or in the reference.
fn host(image: &str, source: &Value, diagnostics: &mut Diagnostics) {
    if image.contains("://") {
        return;
    }
    let reference = Reference::of(image);
    let path = Path::attribute("source").then("image");
    match (reference.host, source.get("registry_id").is_null()) {
        (None, true) => diagnostics.error(
            path,
            format!("{image} names no registry"),
            format!(
                "No registry is assumed, not even Docker Hub.\n\nFix: write it in front of the image, for \
                 example\n\n  image = \"{}\"\n\nor give the id of another Azure Container Registry:\n\n  \
                 registry_id = azurerm_container_registry.example.id",
                hub(image)
            ),
        ),
        (Some(host), false) => diagnostics.error(
            path,
            format!("{image} names its registry twice"),
            format!(
                "`source.registry_id` names it already, and here is {host}.\n\nFix: leave the host out:\n\n  \
                 image = \"{}\"",
                reference.within()
            ),
        ),
        (Some("docker.io"), true) if !reference.repository.contains('/') => diagnostics.error(
            path,
            format!("{image} is no image of Docker Hub"),
            format!(
                "Official images are in `library/`, which `docker pull` adds by itself and Azure does not.\n\n\
                 Fix:\n\n  image = \"{}\"",
                hub(&reference.within())
            ),
        ),
        (Some(host), true) if matches!(host, "index.docker.io" | "registry-1.docker.io") => {
            diagnostics.error(
                path,
                format!("{host} is not what Azure calls Docker Hub"),
                format!("Fix:\n\n  image = \"{}\"", hub(&reference.within())),
            );
        }
        _ => {}
    }
}

fn hub(image: &str) -> String {
    let library = if image.contains('/') { "" } else { "library/" };
    format!("docker.io/{library}{image}")
}

/// An import of an image onto itself.
fn itself(image: &str, config: &Value, diagnostics: &mut Diagnostics) {
    let reference = Reference::of(image);
    let Some(Ok(target)) = config.get("registry_id").as_str().map(ArmId::parse) else {
        return;
    };
    let source = config.get("source").get("registry_id").as_str();
    let same = match (source.map(ArmId::parse), reference.host) {
        (Some(Ok(id)), _) => id == target,
        (None, Some(host)) => host.split_once('.').is_some_and(|(name, rest)| {
            name.eq_ignore_ascii_case(target.name()) && rest.to_lowercase().starts_with("azurecr.")
        }),
        _ => false,
    };
    let within = reference.within();
    let tags = config.get("target_tags").as_items().unwrap_or_default();
    if same && tags.iter().any(|tag| tag.as_str() == Some(&within)) {
        diagnostics.error(
            Path::attribute("target_tags"),
            format!("{within} would be imported onto itself"),
            format!(
                "The source is this tag of the same registry:\n- {target}\n\nFix: give the source by its digest, \
                 or another tag:\n\n  image = \"{}@sha256:...\"",
                reference.repository
            ),
        );
    }
}

/// How one logs in to the source.
fn login(source: &Value, diagnostics: &mut Diagnostics) {
    let (user, password) = (source.get("username"), source.get("password_wo"));
    let path = Path::attribute("source");
    if !user.is_null() && password.is_null() {
        diagnostics.error(
            path.then("password_wo"),
            "a user name without a password logs nobody in",
            "Fix: give the password, from a variable that is ephemeral:\n\n  password_wo = var.docker_token",
        );
    }
    let logs_in = !user.is_null() || !password.is_null();
    if logs_in && !source.get("registry_id").is_null() {
        diagnostics.error(
            path.then("registry_id"),
            "a registry by its id and a password do not go together",
            "Azure imports from a registry by its id with the caller's own rights.\n\nFix: leave out `username` \
             and `password_wo`; or leave out `registry_id` and write the registry in front of the image.",
        );
    }
    if password.is_null() && !source.get("password_wo_version").is_null() {
        diagnostics.warning(
            path.then("password_wo_version"),
            "a version of no password",
            "Nothing is done with it while `password_wo` is not set.",
        );
    }
}

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let Some(target) = check.id("registry_id").filter(|id| id.is(REGISTRY)) else {
        return Ok(());
    };
    // Ask for everything first.
    let source = source(&target, check);
    let taken = taken(&target, check);
    if let Some((path, found)) = source? {
        match found {
            Found::Registry(registry) => refusals(&path, &registry, check),
            Found::Nowhere(why) => check.error(
                path,
                "the source registry does not exist",
                format!("{why}\n\nFix: correct its name. An image is imported from a registry that stands and has it."),
            ),
        }
    }
    for (tag, found, should) in taken? {
        check.error(
            Path::attribute("target_tags"),
            format!("{tag} is there already, and another image"),
            format!(
                "- {target}\n- {tag} leads to {found}\n- the source is      {should}\n\nAn existing tag counts as \
                 present, but this one does not lead to what is asked for.\n\nFix: give another tag, or import over \
                 it:\n\n  force = true"
            ),
        );
    }
    Ok(())
}

enum Found {
    Registry(Json),
    Nowhere(String),
}

/// The source registry, where it is an Azure Container Registry that can be found; and the argument
/// that names it.
fn source(target: &ArmId, check: &Check<'_>) -> Result<Option<(Path, Found)>, Unread> {
    let source = check.planned.get("source");
    let path = Path::attribute("source");
    if let Some(Ok(id)) = source.get("registry_id").as_str().map(ArmId::parse) {
        if !id.is(REGISTRY) {
            return Ok(None);
        }
        let found = match check.seen.look(&id)? {
            Look::Found(registry) => Found::Registry(registry.clone()),
            Look::Absent => Found::Nowhere(format!("- {id}")),
            Look::Denied(_) => return Ok(None),
        };
        return Ok(Some((path.then("registry_id"), found)));
    }
    let Some(image) = source.get("image").as_str() else {
        return Ok(None);
    };
    let host = Reference::of(image).host.map(str::to_lowercase);
    let Some(host) = host.filter(|host| check.seen.cloud().is_registry(host)) else {
        return Ok(None);
    };
    // One of this subscription can be looked at; of others only the name says that there is none.
    let subscription = ArmId::subscription(target.subscription_id());
    let list = check
        .seen
        .list(&subscription, &format!("providers/{REGISTRY}"));
    let name = host.split('.').next().unwrap_or_default();
    let body = json!({ "name": name, "type": REGISTRY });
    let action = "providers/Microsoft.ContainerRegistry/checkNameAvailability";
    let free = check
        .seen
        .ask(&Question::action(&subscription, action, &body));
    let registries = list?.found().unwrap_or_default();
    let named = registries.iter().find(|registry| {
        registry["properties"]["loginServer"]
            .as_str()
            .is_some_and(|server| server.eq_ignore_ascii_case(&host))
    });
    let path = path.then("image");
    if let Some(registry) = named {
        return Ok(Some((path, Found::Registry(registry.clone()))));
    }
    let free = free?
        .found()
        .is_some_and(|answer| answer["nameAvailable"] == true);
    // A name with a hash in its host is not the registry's whole name.
    Ok((free && !name.contains('-')).then(|| {
        let why = format!("- {host}: nobody in Azure has a registry of that name");
        (path, Found::Nowhere(why))
    }))
}

/// Why a source registry would refuse the import. (Microsoft Learn, "Import container images", on
/// network-restricted registries; "Disable export of artifacts".)
fn refusals(path: &Path, registry: &Json, check: &mut Check<'_>) {
    let properties = &registry["properties"];
    let id = registry["id"].as_str().unwrap_or_default();
    let closed = properties["publicNetworkAccess"] == "Disabled";
    let denies = properties["networkRuleSet"]["defaultAction"] == "Deny";
    if (closed || denies) && properties["networkRuleBypassOptions"] == "None" {
        let how = if closed {
            "it has no public network access"
        } else {
            "its firewall denies what no rule allows"
        };
        check.error(
            path.clone(),
            "the source registry lets no import in",
            format!(
                "- {id}: {how}, and trusted services may not bypass that\n\nAzure's import is a trusted service, \
                 and comes from no address that could be allowed.\n\nFix: let trusted services in there:\n\n  \
                 trusted_services_enabled = true # fkaks_registry\n\nor\n\n  network_rule_bypass_option = \
                 \"AzureServices\" # azurerm_container_registry"
            ),
        );
    }
    if properties["policies"]["exportPolicy"]["status"] == "disabled" {
        check.error(
            path.clone(),
            "the source registry lets nothing be imported from it",
            format!(
                "- {id}: its export policy is disabled\n\nFix: enable it there (`az acr update --name {} \
                 --allow-exports true`), which needs public access to be on; or push the image instead.",
                registry["name"].as_str().unwrap_or_default()
            ),
        );
    }
}

/// Tags that lead to another image than the source's digest, before anything of this resource is there:
/// tag, digest found, digest wanted.
fn taken(target: &ArmId, check: &Check<'_>) -> Result<Vec<(String, String, String)>, Unread> {
    let planned = check.planned;
    let image = planned.get("source").get("image").as_str();
    let digest = image.and_then(|image| Reference::of(image).digest);
    let tags = planned.get("target_tags").as_items();
    let (Some(digest), Some(tags)) = (digest, tags) else {
        return Ok(Vec::new());
    };
    if planned.get("force").as_bool() != Some(false) {
        return Ok(Vec::new());
    }
    // What is known already is drift when it moves, and repaired.
    let known = check.prior.map(|prior| prior.get("images"));
    let is_known = |tag: &str| known.is_some_and(|known| !known.get(tag).is_null());
    let tags: Vec<&str> = tags
        .iter()
        .filter_map(Value::as_str)
        .filter(|tag| !is_known(tag))
        .collect();
    let references = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let sight = images::look(target, references, check.seen)?;
    let others = tags.into_iter().filter_map(|tag| {
        let found = sight.of(tag)??;
        (found != digest).then(|| (tag.to_owned(), found.to_owned(), digest.to_owned()))
    });
    Ok(others.collect())
}
