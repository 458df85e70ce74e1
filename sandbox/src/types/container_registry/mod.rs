//! Microsoft.ContainerRegistry: registries, their replications, and the connections of private endpoints.

pub mod connections;
pub mod contents;
pub mod credentials;
pub mod images;
pub mod import;
pub mod names;
pub mod registries;
pub mod replications;
pub mod rights;
pub mod rules;
pub mod schema;
pub mod scope_maps;
pub mod tokens;

use serde_json::{Value, json};

use crate::errors::{ArmError, ArmResult};
use crate::id::ResourceId;
use crate::store::{Resource, World};
use crate::table::{Member, NamespaceAction, Type};

/// API versions of Microsoft.ContainerRegistry that clients send.
pub const VERSIONS: &[&str] = &[
    "2017-03-01",
    "2017-06-01-preview",
    "2017-10-01",
    "2018-02-01-preview",
    "2019-05-01",
    "2019-05-01-preview",
    "2019-06-01-preview",
    "2019-12-01-preview",
    "2020-11-01-preview",
    "2021-06-01-preview",
    "2021-08-01-preview",
    "2021-09-01",
    "2021-12-01-preview",
    "2022-02-01-preview",
    "2022-12-01",
    "2023-01-01-preview",
    "2023-06-01-preview",
    "2023-07-01",
    "2023-08-01-preview",
    "2023-11-01-preview",
    "2024-11-01-preview",
    "2025-03-01-preview",
    "2025-04-01",
    "2025-05-01-preview",
    "2025-06-01-preview",
    "2025-11-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    "2026-09-01-preview",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    registries::REGISTRIES,
    replications::REPLICATIONS,
    connections::CONNECTIONS,
    scope_maps::SCOPE_MAPS,
    tokens::TOKENS,
    Type::computed(
        "Microsoft.ContainerRegistry/registries/privateLinkResources",
        VERSIONS,
        private_link_resources,
    ),
];

/// Actions of the namespace.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[NamespaceAction {
    method: "POST",
    namespace: "Microsoft.ContainerRegistry",
    path: &["checkNameAvailability"],
    versions: VERSIONS,
    run: names::check_name_availability,
}];

/// The domain below which login servers live in the public cloud, and the zone for private endpoints.
const DOMAIN: &str = "azurecr.io";
const ZONE: &str = "privatelink.azurecr.io";

/// The members of the group `registry`: the registry, and the data endpoint of every region.
///
/// # Errors
/// The registry is not Premium, or the group is another one.
pub fn members(world: &World, registry: &Resource, group: &str) -> ArmResult<Vec<Member>> {
    if !rules::premium(registry) {
        return Err(ArmError::bad(
            "PrivateEndpointNotSupported",
            format!(
                "Private endpoints are not supported for the SKU {} of the registry '{}'. For more information, please visit https://aka.ms/acr/private-link.",
                rules::sku(registry),
                registry.id.name()
            ),
        ));
    }
    if !group.eq_ignore_ascii_case("registry") {
        return Err(ArmError::bad(
            "PrivateLinkServiceGroupIdInvalid",
            format!(
                "The group id '{group}' is invalid for the resource {}. The group ids are 'registry'.",
                registry.id
            ),
        ));
    }
    let host = host(registry);
    let member = |name: String, record: String| Member {
        name,
        fqdn: format!("{record}.{DOMAIN}"),
        zone: ZONE.to_owned(),
        record,
    };
    let mut members = vec![member("registry".into(), host.to_owned())];
    members.extend(regions(world, registry).iter().map(|region| {
        member(
            format!("registry_data_{region}"),
            format!("{host}.{region}.data"),
        )
    }));
    Ok(members)
}

/// The home region, then the regions of the replications that are up, sorted.
#[must_use]
pub fn regions(world: &World, registry: &Resource) -> Vec<String> {
    let home = registry.text("/location").unwrap_or_default();
    let mut others: Vec<String> = world
        .list(registry.id.as_str(), replications::NAME)
        .filter(|replication| replication.state() != "Creating")
        .filter_map(|replication| replication.text("/location"))
        .filter(|region| *region != home)
        .map(ToOwned::to_owned)
        .collect();
    others.sort();
    others.insert(0, home.to_owned());
    others
}

/// The login server without its domain: the name, with a hash when the name's scope is limited.
fn host(registry: &Resource) -> &str {
    let server = registry.text("/properties/loginServer").unwrap_or_default();
    server.strip_suffix(".azurecr.io").unwrap_or(server)
}

fn private_link_resources(world: &World, registry: &Resource) -> Vec<(String, Value)> {
    let required: Vec<String> = members(world, registry, "registry")
        .unwrap_or_default()
        .into_iter()
        .map(|member| member.name)
        .collect();
    let id = registry.id.child("privateLinkResources", "registry");
    let body = json!({
        "id": id.as_str(),
        "name": "registry",
        "type": "Microsoft.ContainerRegistry/registries/privateLinkResources",
        "properties": { "groupId": "registry", "requiredMembers": required, "requiredZoneNames": [ZONE] },
    });
    vec![("registry".into(), body)]
}

/// Writes below a registry hold the registry: it takes one at a time.
fn registry_lock(_: &World, child: &Resource) -> Vec<String> {
    child.id.parent().iter().map(ResourceId::key).collect()
}
