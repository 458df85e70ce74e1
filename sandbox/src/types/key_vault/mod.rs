//! Microsoft.KeyVault through Resource Manager: vaults, what was deleted of them, secrets, and private
//! endpoints. Of the data plane there is what a pod in a cluster reads, see `data_plane.rs`.

pub mod access_policies;
pub mod connections;
pub mod data_plane;
pub mod deleted;
pub mod names;
pub mod rules;
pub mod secrets;
pub mod vaults;

use crate::errors::ArmError;
use crate::store::World;
use crate::table::{NamespaceAction, Type};

/// API versions of Microsoft.KeyVault that clients send.
pub const VERSIONS: &[&str] = &[
    "2015-06-01",
    "2016-10-01",
    "2018-02-14",
    "2019-09-01",
    "2020-04-01-preview",
    "2021-04-01-preview",
    "2021-06-01-preview",
    "2021-10-01",
    "2021-11-01-preview",
    "2022-02-01-preview",
    "2022-07-01",
    "2022-11-01",
    "2023-02-01",
    "2023-07-01",
    "2024-04-01-preview",
    "2024-11-01",
    "2024-12-01-preview",
    "2025-05-01",
    "2026-02-01",
    "2026-05-15",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    vaults::VAULTS,
    secrets::SECRETS,
    access_policies::ACCESS_POLICIES,
    connections::CONNECTIONS,
];

const NAMESPACE: &str = "Microsoft.KeyVault";

/// Actions of the namespace.
pub static NAMESPACE_ACTIONS: &[NamespaceAction] = &[
    NamespaceAction {
        method: "POST",
        namespace: NAMESPACE,
        path: &["checkNameAvailability"],
        versions: VERSIONS,
        run: names::check_name_availability,
    },
    NamespaceAction {
        method: "GET",
        namespace: NAMESPACE,
        path: &["deletedVaults"],
        versions: VERSIONS,
        run: deleted::list,
    },
    NamespaceAction {
        method: "GET",
        namespace: NAMESPACE,
        path: &["deletedManagedHSMs"],
        versions: VERSIONS,
        // There are no managed HSMs here; the Azure CLI asks for both kinds.
        run: |_, _, _, request| Ok(crate::resources::cut(Vec::new(), request, None)),
    },
    NamespaceAction {
        method: "GET",
        namespace: NAMESPACE,
        path: &["locations", "*", "deletedVaults", "*"],
        versions: VERSIONS,
        run: deleted::get,
    },
    NamespaceAction {
        method: "POST",
        namespace: NAMESPACE,
        path: &["locations", "*", "deletedVaults", "*", "purge"],
        versions: VERSIONS,
        run: deleted::purge,
    },
];

/// The value of a secret (its id), while it is enabled and in force.
#[must_use]
pub fn secret_value<'a>(world: &'a World, id: &str) -> Option<&'a str> {
    let secret = world
        .get(id)
        .filter(|found| found.type_name == secrets::NAME)?;
    secrets::in_force(world, secret).then(|| secrets::value(secret))?
}

fn bad(message: impl Into<String>) -> ArmError {
    ArmError::bad("BadRequest", message)
}
