//! A login of a registry that is confined to repositories: a scope map
//! (`Microsoft.ContainerRegistry/registries/scopeMaps`), a token (`.../tokens`) and one of its two
//! passwords. One resource, because Azure shows a password once, when it is made: whoever makes it has
//! to put it where it is used in the same breath, and to know later which of the two slots is whose.
//!
//! The password goes to a Key Vault secret through Resource Manager, or, by the user's choice, into
//! the state. What is known of it later is in the secret's tags: the token, the slot, and when it was
//! made; never a part of it.

mod bodies;
mod check;
mod copies;
mod observe;
mod password;
mod schema;
mod scope;
mod standing;
mod times;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use tfplugin_rs::framework::{Diagnostics, Timeouts};
use tfplugin_rs::schema::Schema;
use tfplugin_rs::value::Value;

use crate::arm::{ArmId, Secret};
use crate::provider::parts::{
    Change, Check, Composite, Gap, Lock, Observed, Page, Part, Seen, Surroundings, Unread, Wanted,
};

const REGISTRY: &str = "Microsoft.ContainerRegistry/registries";
const TOKEN: &str = "Microsoft.ContainerRegistry/registries/tokens";
const SCOPE_MAP: &str = "Microsoft.ContainerRegistry/registries/scopeMaps";
const VAULT: &str = "Microsoft.KeyVault/vaults";

/// `fkaks_registry_token`
pub struct RegistryToken;

/// What the user wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    registry_id: ArmId,
    name: String,
    scope: Option<BTreeMap<String, BTreeSet<String>>>,
    scope_map_id: Option<ArmId>,
    description: Option<String>,
    status: String,
    key_vault_secret: Option<Place>,
    password_in_state: bool,
    rotate_when_changed: Option<BTreeMap<String, String>>,
    rotate_after: Option<String>,
    overlap: String,
    /// What the state knows of the password.
    #[serde(flatten, skip_serializing)]
    known: Known,
}

/// Where the password is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    vault_id: ArmId,
    name: String,
    docker_config_name: Option<String>,
}

/// The computed attributes about the password, as a state has them.
#[derive(Debug, Clone, Default, Deserialize)]
struct Known {
    active_slot: Option<String>,
    rotated_at: Option<String>,
    rotated_for: Option<String>,
    rotation_due: Option<bool>,
    pending_slot: Option<String>,
    #[serde(default)]
    password: Option<Secret>,
    secrets: Option<BTreeMap<String, Stored>>,
}

/// A Key Vault secret as the state shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    id: ArmId,
    uri: Option<String>,
    versioned_uri: Option<String>,
}

/// What Azure answers.
#[derive(Debug, Serialize)]
pub struct Output {
    user_name: String,
    login_server: Option<String>,
    active_slot: Option<String>,
    rotated_at: Option<String>,
    rotated_for: Option<String>,
    rotation_due: bool,
    previous_password_until: Option<String>,
    pending_slot: Option<String>,
    #[serde(serialize_with = "exposed")]
    password: Option<Secret>,
    secrets: BTreeMap<String, Stored>,
}

/// The one way of a password into the state: by `password_in_state`.
fn exposed<S: Serializer>(password: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    password.as_ref().map(Secret::expose).serialize(serializer)
}

impl Composite for RegistryToken {
    type Input = Input;
    type Output = Output;

    const NAME: &'static str = "fkaks_registry_token";
    const ANCHOR: &'static str = TOKEN;
    const TIMEOUTS: Timeouts = Timeouts::minutes(15, 5, 15, 15);
    const SCHEMA: Schema = schema::SCHEMA;
    const PAGE: Page = schema::PAGE;

    const PARTS: &'static [Part<Input>] = &[
        Part::new("scope_map", scope_map).existing(name_another),
        Part::new("token", token)
            .after(&["scope_map"])
            .locks(credentials),
        Part::deeds("password", password::next, password::release)
            .after(&["token"])
            .locks(credentials),
    ];

    fn id(input: &Input, _: &Surroundings) -> Option<ArmId> {
        Some(input.token_id())
    }

    fn observe(id: &ArmId, prior: Option<&Input>, seen: &Seen) -> Result<Observed<Self>, Unread> {
        observe::observe(id, prior, seen)
    }

    fn known_by(state: &Value) -> Vec<ArmId> {
        let id = |value: &Value| ArmId::parse(value.as_str()?).ok();
        let secrets = state.get("secrets").as_map().into_iter().flatten();
        let secrets = secrets.filter_map(|(_, secret)| id(secret.get("id")));
        secrets.chain(id(state.get("registry_id"))).collect()
    }

    fn foresee(plan: &Value, _: Option<&Value>, _: &Surroundings) -> Vec<(&'static str, Value)> {
        let registry = plan.get("registry_id").as_str().map(ArmId::parse);
        let (Some(Ok(registry)), Some(name)) = (registry, plan.get("name").as_str()) else {
            return Vec::new();
        };
        let mut known = vec![
            ("id", Value::from(registry.child("tokens", name).as_str())),
            ("user_name", Value::from(name)),
        ];
        if !plan.get("scope").is_null() {
            let own = registry.child("scopeMaps", name);
            known.push(("scope_map_id", Value::from(own.as_str())));
        }
        known.extend(secrets_of(plan.get("key_vault_secret")).map(|secrets| ("secrets", secrets)));
        known
    }

    fn validate(config: &Value, diagnostics: &mut Diagnostics) {
        check::validate(config, diagnostics);
    }

    fn check(check: &mut Check<'_>) -> Result<(), Unread> {
        check::check(check)
    }

    fn check_before_writing(check: &mut Check<'_>) -> Result<(), Unread> {
        check::has_vault(check)
    }
}

impl Input {
    fn token_id(&self) -> ArmId {
        self.registry_id.child("tokens", &self.name)
    }

    /// The scope map of this resource's own, which has the token's name.
    fn own_scope_map_id(&self) -> ArmId {
        self.registry_id.child("scopeMaps", &self.name)
    }

    /// The secrets that hold the password.
    fn copies(&self) -> Vec<(copies::Kind, ArmId)> {
        self.key_vault_secret
            .as_ref()
            .map(Place::copies)
            .unwrap_or_default()
    }
}

/// The secrets that a place will have, of which the ids are known before they are written, so that who
/// refers to one can be checked at plan.
fn secrets_of(place: &Value) -> Option<Value> {
    let vault = ArmId::parse(place.get("vault_id").as_str()?).ok()?;
    let (name, docker) = (place.get("name"), place.get("docker_config_name"));
    if docker.is_unknown() {
        return None;
    }
    let docker_config_name = docker.as_str().map(ToOwned::to_owned);
    let place = Place {
        vault_id: vault,
        name: name.as_str()?.to_owned(),
        docker_config_name,
    };
    let stored = |(kind, id): (copies::Kind, ArmId)| {
        let unknown = |name: &str| (name.to_owned(), Value::unknown());
        let id = ("id".to_owned(), Value::from(id.as_str()));
        let stored = Value::object([id, unknown("uri"), unknown("versioned_uri")]);
        (kind.key().to_owned(), stored)
    };
    Some(Value::object(place.copies().into_iter().map(stored)))
}

impl Place {
    fn copies(&self) -> Vec<(copies::Kind, ArmId)> {
        let secret = |name: &str| self.vault_id.child("secrets", name);
        let docker = self.docker_config_name.as_deref();
        let docker = docker.map(|name| (copies::Kind::DockerConfig, secret(name)));
        std::iter::once((copies::Kind::Password, secret(&self.name)))
            .chain(docker)
            .collect()
    }
}

fn scope_map(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    let wanted = input.scope.as_ref().map(|scope| {
        let body = json!({ "properties": {
            "description": input.description, "actions": scope::actions(scope),
        } });
        Wanted::new(input.own_scope_map_id(), Ok(body)).argument("scope")
    });
    Ok(wanted.into_iter().collect())
}

fn token(input: &Input, _: &Seen) -> Result<Vec<Wanted>, Unread> {
    let map = match &input.scope {
        Some(_) => Some(input.own_scope_map_id()),
        None => input.scope_map_id.clone(),
    };
    let body = json!({ "properties": { "scopeMapId": map, "status": input.status } });
    Ok(vec![
        Wanted::new(input.token_id(), Ok(body))
            .changed_by(in_place)
            .argument("name"),
    ])
}

/// A token is changed by PATCH, so that its passwords are not a matter of that request.
fn in_place(gap: &Gap<'_>) -> Vec<Change> {
    vec![Change::Patch(gap.wanted.clone())]
}

/// Two writers of one token's passwords undo each other's work (azurerm locks by the token, too).
fn credentials(input: &Input, _: &ArmId) -> Vec<Lock> {
    vec![Lock::on(&input.token_id(), "credentials", 1)]
}

fn name_another(id: &ArmId) -> Option<String> {
    if id.is(RegistryToken::ANCHOR) {
        return Some("give the token another name.".to_owned());
    }
    Some(format!(
        "the scope map of a token has the token's name, and this one is someone else's. Let the token use \
         it as it is, without owning it:\n\n  scope_map_id = \"{id}\"\n\nOr give the token another name."
    ))
}

#[cfg(test)]
mod tests;
