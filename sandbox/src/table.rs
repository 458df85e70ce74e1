//! What a resource type is: one row with its name, its API versions, how its writes run, and a few
//! small functions. The generic handler (`resources.rs`) does everything else. `types/` holds the rows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::errors::{ArmError, ArmResult, another_operation};
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::types;

/// How a write is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Done when the answer leaves: 201 or 200 (delete: 200).
    Immediate,
    /// Done when the answer leaves, with 201 for creates and updates alike.
    Created,
    /// Done when the answer leaves, with 200 for creates and updates alike.
    Replaced,
    /// 201 (create) or 200 (update) with `Azure-AsyncOperation`.
    AsyncOperation,
    /// 201 for creates and updates alike, with `Azure-AsyncOperation`: the container registry's way.
    AsyncCreated,
    /// 202 with `Azure-AsyncOperation` and the resource in the body.
    AsyncAccepted,
    /// 202 with `Location`; the poll answers 202 until the end.
    Location,
    /// A create is answered with 201, the resource and `Location`; an update is done when the answer leaves.
    LocationOfCreate,
    /// A create is answered with 201 and goes on without a URL: `provisioningState` tells when it has ended.
    /// An update is done when the answer leaves.
    Unannounced,
}

/// What PATCH means for a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// 405.
    No,
    /// Replaces the tags at once, and takes nothing else.
    Tags,
    /// Replaces the tags as an operation: the container service's way.
    TagsLater(Style),
    /// Merges the body into the resource (RFC 7396) and then runs as a PUT of the result would.
    Merge(Style),
}

/// Where resources of the type live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a region: `location` is required and never changes.
    Regional,
    /// `location` is `global`.
    Global,
    /// In a region when the body names one, such as that of an identity.
    Optional,
    /// The type has no location: most children.
    None,
}

/// What `If-Match` and `If-None-Match` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Etags {
    /// No etag in the answer, conditions are ignored.
    None,
    /// An etag in the answer, conditions are ignored: the network provider.
    Shown,
    /// A failed condition answers 412 at once.
    Checked,
    /// A failed `If-Match` answers 409 `EtagMismatch` at once: the container service's way.
    Mismatch,
    /// A failed condition fails the operation with `PreconditionFailed`.
    CheckedLate,
}

/// What happens to a resource whose creation failed after it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedCreate {
    /// It stays with `provisioningState` Failed.
    Stays,
    /// It is rolled back.
    Vanishes,
}

/// Which write a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// PUT.
    Put,
    /// PATCH; `Change::new` is the merged resource.
    Patch,
    /// DELETE; `Change::new` is the stored resource.
    Delete,
}

/// A write that has not happened yet.
pub struct Change<'a> {
    /// PUT, PATCH or DELETE.
    pub verb: Verb,
    /// The stored resource, `None` for a creation.
    pub old: Option<&'a Resource>,
    /// The resource as it shall be.
    pub new: &'a Resource,
}

/// A read-only type whose members follow from their parent, such as `registries/privateLinkResources`.
pub type Computed = fn(&World, &Resource) -> Vec<(String, Value)>;

/// Answers a collection in the type's own way: scope and request.
pub type Collection = fn(&mut World, &str, &Request) -> ArmResult<Vec<Value>>;

/// A POST action or a GET below a resource that is not a type, such as `listUsages`.
pub struct Action {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The last segment of the path.
    pub name: &'static str,
    /// How it is answered; `Immediate`, or `Location` with the result at the poll URL.
    pub style: Style,
    /// Does it. The returned value is the body of the answer.
    pub run: fn(&mut World, &Resource, &Request) -> ArmResult<Answer>,
}

/// What an action of a namespace does: subscription, the segments after the namespace, the request.
pub type RunNamespaceAction = fn(&mut World, &str, &[String], &Request) -> ArmResult<Answer>;

/// An action below a namespace of a subscription or of any scope, such as `checkNameAvailability`.
pub struct NamespaceAction {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The namespace.
    pub namespace: &'static str,
    /// The segments after the namespace; `*` stands for any.
    pub path: &'static [&'static str],
    /// Accepted API versions.
    pub versions: &'static [&'static str],
    /// Does it.
    pub run: RunNamespaceAction,
}

/// What a type offers to private endpoints.
pub struct PrivateLink {
    /// The members that every endpoint of the group needs, or why the resource takes no endpoint.
    pub members: fn(&World, &Resource, &str) -> ArmResult<Vec<Member>>,
    /// The type of the connections, a child of the target.
    pub connections: &'static str,
}

/// One address that a private endpoint takes for its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `registry`, `registry_data_westeurope`.
    pub name: String,
    /// The public host name, `shop.westeurope.data.azurecr.io`.
    pub fqdn: String,
    /// The zone that the record belongs to, `privatelink.azurecr.io`.
    pub zone: String,
    /// The record set in that zone, `shop.westeurope.data`.
    pub record: String,
}

/// One resource type. Start from `Type::new` and set what differs.
pub struct Type {
    /// `Microsoft.Network/virtualNetworks/subnets`.
    pub name: &'static str,
    /// Accepted API versions.
    pub versions: &'static [&'static str],
    /// Regional unless the type is a child.
    pub place: Place,
    /// How a PUT runs.
    pub put: Style,
    /// What PATCH does.
    pub patch: Patch,
    /// How a DELETE runs.
    pub delete: Style,
    /// False for read-only types: PUT and DELETE answer 405.
    pub writable: bool,
    /// False for types that Resource Manager never deletes: DELETE answers 405.
    pub deletable: bool,
    /// True for types that live at management groups or in the tenant, too.
    pub tenant: bool,
    /// Etags and conditions.
    pub etags: Etags,
    /// The code of a 404.
    pub not_found: &'static str,
    /// `provisioningState` while a creation runs; `None` when the type has no such property.
    pub creating: Option<&'static str>,
    /// `provisioningState` while a change from the first to the second resource runs.
    pub updating: fn(&Resource, &Resource) -> &'static str,
    /// What remains of a creation that failed.
    pub failed_create: FailedCreate,
    /// Top-level members that a body may have besides `location`, `tags` and `properties`.
    pub members: &'static [&'static str],
    /// Names under `properties` that a body may have, read-only ones included; empty means any.
    pub properties: &'static [&'static str],
    /// Names under `properties` that the service sets: dropped from bodies.
    pub read_only: &'static [&'static str],
    /// Takes into the resource what a PUT says outside its body, in its query; `fill` takes it out again.
    /// A DELETE asks it, too, for what `on_delete` wants to know.
    pub query: fn(&Request, &mut Resource),
    /// Refuses a write that Azure refuses at once. Nothing is changed here.
    pub check: fn(&World, &Change<'_>) -> ArmResult<()>,
    /// Completes the resource when the write is accepted: defaults, read-only values, inline children.
    pub fill: fn(&mut World, &mut Resource, Option<&Resource>) -> ArmResult<()>,
    /// Effects on other resources when the write completes. An error fails the operation.
    pub settle: fn(&mut World, &ResourceId) -> ArmResult<()>,
    /// Effects on other resources when the resource goes.
    pub on_delete: fn(&mut World, &Resource) -> ArmResult<()>,
    /// A write that leaves the resource like this is answered, and the resource is not there.
    pub vanishes: fn(&Resource) -> bool,
    /// A GET answers 202 with its own URL as `Location` while this holds.
    pub pending: fn(&Resource) -> bool,
    /// Adds to an answer what follows from other resources, such as back references.
    pub render: fn(&World, &Resource, &mut Value),
    /// The ids that a write holds until it completes; a second write on one of them is refused.
    pub locks: fn(&World, &Resource) -> Vec<String>,
    /// The refusal: who is busy, who asked.
    pub busy: fn(&ResourceId, &Change<'_>) -> ArmError,
    /// Members that follow from the parent; then nothing is stored.
    pub computed: Option<Computed>,
    /// Where a resource is kept, when that is not where the request says.
    pub home: fn(&ResourceId) -> ResourceId,
    /// A member that Azure itself provides, such as a built-in role.
    pub provided: fn(&World, &ResourceId) -> Option<Value>,
    /// The collection, when it is not simply what is stored below the scope.
    pub collection: Option<Collection>,
    /// A DELETE answers with what was deleted.
    pub deleted_body: bool,
    /// POST actions and GETs that are no type.
    pub actions: &'static [Action],
    /// Set when private endpoints can connect to the type.
    pub private_link: Option<PrivateLink>,
}

impl Type {
    /// A regional, immediate type without rules of its own.
    #[must_use]
    pub const fn new(name: &'static str, versions: &'static [&'static str]) -> Self {
        Self {
            name,
            versions,
            place: Place::Regional,
            put: Style::Immediate,
            patch: Patch::No,
            delete: Style::Immediate,
            writable: true,
            deletable: true,
            tenant: false,
            etags: Etags::None,
            not_found: "ResourceNotFound",
            creating: Some("Updating"),
            updating: |_, _| "Updating",
            failed_create: FailedCreate::Stays,
            members: &[],
            properties: &[],
            read_only: &[],
            query: |_, _| (),
            check: |_, _| Ok(()),
            fill: |_, _, _| Ok(()),
            settle: |_, _| Ok(()),
            on_delete: |_, _| Ok(()),
            vanishes: |_| false,
            pending: |_| false,
            render: |_, _, _| (),
            locks: |_, resource| vec![resource.id.key()],
            busy: |busy, _| another_operation(busy),
            computed: None,
            home: ResourceId::clone,
            provided: |_, _| None,
            collection: None,
            deleted_body: false,
            actions: &[],
            private_link: None,
        }
    }

    /// A read-only child whose members follow from the parent.
    #[must_use]
    pub const fn computed(
        name: &'static str,
        versions: &'static [&'static str],
        members: Computed,
    ) -> Self {
        let mut kind = Self::new(name, versions);
        kind.place = Place::None;
        kind.writable = false;
        kind.computed = Some(members);
        kind
    }

    /// The namespace, `Microsoft.Network`.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        self.name
            .split_once('/')
            .map_or(self.name, |(namespace, _)| namespace)
    }

    /// The type without its namespace, `virtualNetworks/subnets`.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.name
            .split_once('/')
            .map_or(self.name, |(_, short)| short)
    }
}

/// The row of a type, in any spelling.
#[must_use]
pub fn find(name: &str) -> Option<&'static Type> {
    static INDEX: OnceLock<BTreeMap<String, &'static Type>> = OnceLock::new();
    INDEX
        .get_or_init(|| all().map(|kind| (kind.name.to_lowercase(), kind)).collect())
        .get(&name.to_lowercase())
        .copied()
}

/// Every row.
pub fn all() -> impl Iterator<Item = &'static Type> {
    types::TYPES.iter().flat_map(|rows| rows.iter())
}

/// The rows of a namespace, in any spelling.
pub fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static Type> {
    all().filter(move |kind| kind.namespace().eq_ignore_ascii_case(namespace))
}

/// The namespaces in Azure's spelling, sorted.
#[must_use]
pub fn namespaces() -> Vec<&'static str> {
    let mut names: Vec<_> = all().map(Type::namespace).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_type_has_one_row_and_its_parent_has_one_too() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in all() {
            assert!(
                seen.insert(kind.name.to_lowercase()),
                "{} has two rows",
                kind.name
            );
            let (parent, _) = kind.name.rsplit_once('/').unwrap();
            assert!(
                !parent.contains('/') || find(parent).is_some(),
                "{} has no parent row",
                kind.name
            );
            assert!(
                kind.versions.is_sorted(),
                "{}: sort the versions",
                kind.name
            );
            assert!(
                !kind.versions.is_empty(),
                "{}: no version is accepted",
                kind.name
            );
        }
        assert!(seen.len() >= 3, "the table is nearly empty");
    }
}
