//! The world: every resource, subscription and operation that the sandbox knows, in one value.
//! A change is made on a copy (`World` is cheap to clone: resources are shared) and the copy replaces
//! the original only when the whole change went well, so a hook may touch as many resources as it likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::errors::{ArmResult, not_found};
use crate::id::ResourceId;
use crate::operations::Operation;
use crate::settings::RolePace;
use crate::table;
use crate::types;
use crate::types::authorization::principals::Principal;
use crate::types::operational_insights::tables::Row;

/// One stored resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// The id as its creator spelled it.
    pub id: ResourceId,
    /// The type in Azure's spelling, `Microsoft.Network/virtualNetworks`.
    pub type_name: String,
    /// Everything except `id`, `name` and `type`: `location`, `tags`, `sku`, `properties`...
    pub body: Value,
    /// Milliseconds since 1970 of the creation.
    pub created: u64,
    /// Milliseconds since 1970 of the last change.
    pub changed: u64,
    /// Grows with each creation, so that children can be shown in the order in which they were made.
    #[serde(default)]
    pub order: u64,
    /// How many reads still answer 404, as regional caches do right after a creation.
    #[serde(default)]
    pub hidden_reads: u32,
}

impl Resource {
    /// A resource with this body; the times are set when it is stored.
    #[must_use]
    pub fn new(id: ResourceId, type_name: &str, body: Value) -> Self {
        let body = if body.is_object() { body } else { json!({}) };
        Self {
            id,
            type_name: type_name.to_owned(),
            body,
            created: 0,
            changed: 0,
            order: 0,
            hidden_reads: 0,
        }
    }

    /// The value at a JSON pointer of the body, such as `/properties/subnet/id`.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The text at a JSON pointer.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// The elements of the array at a JSON pointer; none when it is absent.
    #[must_use]
    pub fn items(&self, pointer: &str) -> &[Value] {
        self.at(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// Sets the value at a JSON pointer, making the objects on the way.
    pub fn set(&mut self, pointer: &str, value: impl Into<Value>) {
        set(&mut self.body, pointer, value.into());
    }

    /// Sets a value only where the body has none: a default of the service.
    pub fn default(&mut self, pointer: &str, value: impl Into<Value>) {
        if self.at(pointer).is_none() {
            self.set(pointer, value);
        }
    }

    /// Removes the value at a JSON pointer.
    pub fn unset(&mut self, pointer: &str) {
        let Some((parent, last)) = pointer.rsplit_once('/') else {
            return;
        };
        if let Some(Value::Object(map)) = self.body.pointer_mut(parent) {
            map.remove(last);
        }
    }

    /// `properties.provisioningState`, empty when the type has none.
    #[must_use]
    pub fn state(&self) -> &str {
        self.text("/properties/provisioningState")
            .unwrap_or_default()
    }
}

/// Sets the value at a JSON pointer of any value, making the objects on the way.
pub fn set(target: &mut Value, pointer: &str, value: Value) {
    let mut at = target;
    for part in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(part.to_owned()).or_insert(Value::Null);
    }
    *at = value;
}

/// The registration of one provider namespace in one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Nobody registered it: writes answer `MissingSubscriptionRegistration`.
    NotRegistered,
    /// Registering; this many reads still say so.
    Registering(u8),
    /// In use.
    Registered,
    /// It was registered once and is no longer.
    Unregistered,
}

/// Everything that the sandbox remembers; saved by `--state`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    /// The Entra tenant.
    pub tenant: String,
    /// What was deleted and can be recovered, by its id in lower case: the resource, and what lay below it.
    #[serde(default)]
    pub deleted: BTreeMap<String, Vec<Resource>>,
    /// What diagnostic settings sent to workspaces, oldest first.
    #[serde(default)]
    pub log_rows: Vec<Row>,
    /// The subscriptions, in the order in which they are listed.
    pub subscriptions: Vec<String>,
    /// The state of each namespace by `subscription/namespace` in lower case; absent means registered.
    pub registrations: BTreeMap<String, Registration>,
    /// Resources by lower-case id, so that what lies below one resource is one range.
    resources: BTreeMap<String, Arc<Resource>>,
    /// Long-running operations by id.
    pub operations: BTreeMap<String, Operation>,
    /// Namespace of generated GUIDs; also signs tokens.
    pub seed: Uuid,
    /// Counts generated values, so that a resource made again gets other GUIDs.
    counter: u64,
    /// How often each thing of the directory was made.
    #[serde(default)]
    directory_ids: BTreeMap<String, u64>,
    /// Tokens of an older generation have expired.
    pub token_generation: u64,
    /// Objects of the directory that a test declared, by lower-case object id.
    #[serde(default)]
    pub principals: BTreeMap<String, Principal>,
    /// Milliseconds since 1970, set at each request.
    #[serde(skip)]
    pub now: u64,
    /// What the caller may not do, set at each request.
    #[serde(skip)]
    pub caller_not_actions: Vec<String>,
    /// How far the authorization service lags behind, set at each request.
    #[serde(skip)]
    pub roles: RolePace,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(tenant: &str, subscriptions: &[String], seed: Uuid) -> Self {
        Self {
            tenant: tenant.to_owned(),
            deleted: BTreeMap::new(),
            log_rows: Vec::new(),
            subscriptions: subscriptions.to_vec(),
            registrations: BTreeMap::new(),
            resources: BTreeMap::new(),
            operations: BTreeMap::new(),
            seed,
            counter: 0,
            directory_ids: BTreeMap::new(),
            token_generation: 0,
            principals: BTreeMap::new(),
            now: 0,
            caller_not_actions: Vec::new(),
            roles: RolePace::default(),
        }
    }

    /// The resource with this id, in any spelling.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Resource> {
        self.resources
            .get(&id.trim_end_matches('/').to_lowercase())
            .map(AsRef::as_ref)
    }

    /// The resource for changing.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Resource> {
        let now = self.now;
        let resource = Arc::make_mut(
            self.resources
                .get_mut(&id.trim_end_matches('/').to_lowercase())?,
        );
        resource.changed = now;
        Some(resource)
    }

    /// The resource, or the error of its type for one that is not there.
    pub fn require(&self, id: &ResourceId) -> ArmResult<&Resource> {
        self.get(id.as_str()).ok_or_else(|| {
            not_found(
                id,
                table::find(&id.type_name()).map_or("ResourceNotFound", |kind| kind.not_found),
            )
        })
    }

    /// Every resource in the order of the ids.
    pub fn all(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values().map(AsRef::as_ref)
    }

    /// Every resource whose id lies below `scope`, of whatever type.
    pub fn below(&self, scope: &str) -> impl Iterator<Item = &Resource> {
        let prefix = format!("{}/", scope.trim_end_matches('/').to_lowercase());
        self.resources
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, resource)| resource.as_ref())
    }

    /// The resources of one type below `scope`: the subnets of a network, the networks of a group or subscription.
    pub fn list<'a>(
        &'a self,
        scope: &str,
        type_name: &'a str,
    ) -> impl Iterator<Item = &'a Resource> {
        self.below(scope)
            .filter(move |resource| resource.type_name.eq_ignore_ascii_case(type_name))
    }

    /// The resources of one type in every subscription.
    pub fn of_type<'a>(&'a self, type_name: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.all()
            .filter(move |resource| resource.type_name.eq_ignore_ascii_case(type_name))
    }

    /// Stores a resource. One that is already there keeps its spelling and its creation time.
    pub fn insert(&mut self, mut resource: Resource) {
        let key = resource.id.key();
        resource.changed = self.now;
        resource.created = self.now;
        if let Some(old) = self.resources.get(&key) {
            resource.created = old.created;
            resource.order = old.order;
            resource.id = old.id.clone();
        } else {
            resource.order = self.number();
        }
        self.resources.insert(key, Arc::new(resource));
    }

    /// Removes the resource and all below it, without asking any hook. True when it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let key = id.trim_end_matches('/').to_lowercase();
        let below = format!("{key}/");
        self.resources.retain(|other, _| !other.starts_with(&below));
        self.resources.remove(&key).is_some()
    }

    /// Deletes the resource and all below it, deepest first, with the effects of each type's `on_delete`.
    pub fn delete(&mut self, id: &ResourceId) -> ArmResult<()> {
        if id.type_name() == "Microsoft.Resources/resourceGroups" {
            types::resources::groups::empty(self, id)?;
        }
        // What goes with its parent can tell by the parent's state.
        if let Some(root) = self.get_mut(id.as_str()) {
            root.set("/properties/provisioningState", "Deleting");
        }
        let mut doomed: Vec<ResourceId> = self
            .below(id.as_str())
            .map(|resource| resource.id.clone())
            .collect();
        doomed.sort_by_key(|id| std::cmp::Reverse(id.as_str().len()));
        doomed.push(id.clone());
        for id in doomed {
            let Some(resource) = self.get(id.as_str()).cloned() else {
                continue;
            };
            if let Some(kind) = table::find(&resource.type_name) {
                (kind.on_delete)(self, &resource)?;
            }
            self.remove(id.as_str());
        }
        Ok(())
    }

    /// A GUID that no one got before.
    pub fn guid(&mut self) -> String {
        self.counter += 1;
        Uuid::new_v5(&self.seed, format!("guid {}", self.counter).as_bytes()).to_string()
    }

    /// What the directory calls something at its making: the same for the same thing in every
    /// sandbox, whatever else was made before, and another one when it is made again.
    pub fn directory_id(&mut self, id: &str, what: &str) -> String {
        let key = format!("{what} of {}", id.to_lowercase());
        let times = self.directory_ids.entry(key.clone()).or_insert(0);
        *times += 1;
        let name = format!("{key} in {}, time {times}", self.tenant);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
    }

    /// A number that no one got before.
    pub fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The present time as Azure writes it: `2026-01-02T03:04:05.678Z`.
    #[must_use]
    pub fn timestamp(&self) -> String {
        timestamp(self.now)
    }

    /// What a GET of the resource answers.
    #[must_use]
    pub fn view(&self, resource: &Resource) -> Value {
        let mut view = resource.body.clone();
        view["id"] = json!(resource.id.as_str());
        view["name"] = json!(resource.id.name());
        view["type"] = json!(resource.type_name);
        if let Some(kind) = table::find(&resource.type_name) {
            (kind.render)(self, resource, &mut view);
        }
        view
    }

    /// Forgets resources, operations and declared principals; subscriptions stay.
    pub fn clear(&mut self) {
        self.principals.clear();
        self.resources.clear();
        self.deleted.clear();
        self.log_rows.clear();
        self.operations.clear();
    }
}

/// Milliseconds since 1970 as Azure writes a time.
#[must_use]
pub fn timestamp(millis: u64) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    time::OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| {
            time.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn world() -> World {
        World::new("t", &["s".into()], Uuid::nil())
    }

    fn resource(id: &str) -> Resource {
        let id = ResourceId::parse(id).unwrap();
        let kind = id.type_name();
        Resource::new(id, &kind, json!({}))
    }

    const NET: &str =
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/Net";

    #[test]
    fn the_first_spelling_of_an_id_stays() {
        let mut world = world();
        world.insert(resource(NET));
        world.insert(resource(&NET.to_lowercase()));
        assert_eq!(world.all().count(), 1);
        assert_eq!(world.get(&NET.to_uppercase()).unwrap().id.as_str(), NET);
    }

    #[test]
    fn removing_a_network_removes_its_subnets_and_not_its_neighbour() {
        let mut world = world();
        world.insert(resource(NET));
        world.insert(resource(&format!("{NET}/subnets/a")));
        world.insert(resource(&format!("{NET}2")));
        assert!(world.remove(NET));
        assert_eq!(
            world.all().map(|r| r.id.name()).collect::<Vec<_>>(),
            ["Net2"]
        );
    }

    #[test]
    fn values_are_set_on_the_way() {
        let mut r = resource(NET);
        r.set("/properties/a/b", 1);
        r.default("/properties/a/b", 2);
        r.default("/properties/c", 3);
        assert_eq!(r.body, json!({"properties": {"a": {"b": 1}, "c": 3}}));
        r.unset("/properties/a");
        assert_eq!(r.body, json!({"properties": {"c": 3}}));
    }

    #[test]
    fn generated_guids_differ_and_are_the_same_in_the_next_run() {
        let (mut a, mut b) = (world(), world());
        let first = a.guid();
        assert_eq!(first, b.guid());
        assert_ne!(first, a.guid());
    }
}
