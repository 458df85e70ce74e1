//! Azure's roles for images, and which of them a set of permissions needs in each role assignment
//! mode of a registry (Microsoft Learn, "Azure Container Registry permissions and role assignments
//! overview" and "Azure ABAC repository permissions").

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arm::Json;
use crate::provider::roles::permits;

/// What may be done with images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read images.
    Pull,
    /// Write images; reading goes with it.
    Push,
    /// Delete images.
    Delete,
    /// Sign images (content trust).
    Sign,
    /// List the repositories.
    Catalog,
}

/// How a registry takes role assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Actions count: `AcrPull` and the like.
    Legacy,
    /// Data actions count, and conditions narrow them to repositories.
    Abac,
}

impl Mode {
    /// The mode of a registry, as Azure has it.
    pub fn of(registry: &Json) -> Self {
        let mode = registry["properties"]["roleAssignmentMode"].as_str();
        Self::named(mode.unwrap_or_default())
    }

    /// The mode of that name.
    pub fn named(name: &str) -> Self {
        if name.eq_ignore_ascii_case("AbacRepositoryPermissions") {
            Self::Abac
        } else {
            Self::Legacy
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "LegacyRegistryPermissions",
            Self::Abac => "AbacRepositoryPermissions",
        })
    }
}

/// One of Azure's roles.
#[derive(Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// Its GUID, the same in every tenant.
    pub guid: &'static str,
    /// The actions that make it what it is here.
    pub actions: &'static [&'static str],
    /// The same of the data plane.
    pub data_actions: &'static [&'static str],
    /// What it means in terms of permissions.
    pub gives: &'static [Permission],
    /// Whether a condition may narrow it to repositories.
    pub narrows: bool,
}

use Permission::{Catalog, Delete, Pull, Push, Sign};

const CONTENT_READ: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";
const METADATA_READ: &str = "Microsoft.ContainerRegistry/registries/repositories/metadata/read";
const CONTENT_WRITE: &str = "Microsoft.ContainerRegistry/registries/repositories/content/write";
const METADATA_WRITE: &str = "Microsoft.ContainerRegistry/registries/repositories/metadata/write";
const CONTENT_DELETE: &str = "Microsoft.ContainerRegistry/registries/repositories/content/delete";
const METADATA_DELETE: &str = "Microsoft.ContainerRegistry/registries/repositories/metadata/delete";

/// All of them.
pub static ROLES: &[Role] = &[
    Role {
        name: "AcrPull",
        guid: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        actions: &["Microsoft.ContainerRegistry/registries/pull/read"],
        data_actions: &[],
        gives: &[Pull],
        narrows: false,
    },
    Role {
        name: "AcrPush",
        guid: "8311e382-0749-4cb8-b61a-304f252e45ec",
        actions: &[
            "Microsoft.ContainerRegistry/registries/pull/read",
            "Microsoft.ContainerRegistry/registries/push/write",
        ],
        data_actions: &[],
        gives: &[Pull, Push],
        narrows: false,
    },
    Role {
        name: "AcrDelete",
        guid: "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        actions: &["Microsoft.ContainerRegistry/registries/artifacts/delete"],
        data_actions: &[],
        gives: &[Delete],
        narrows: false,
    },
    Role {
        name: "AcrImageSigner",
        guid: "6cef56e8-d556-48e5-a04f-b8e64114680f",
        actions: &["Microsoft.ContainerRegistry/registries/sign/write"],
        data_actions: &[],
        gives: &[Sign],
        narrows: false,
    },
    Role {
        name: "Container Registry Repository Reader",
        guid: "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        actions: &[],
        data_actions: &[CONTENT_READ, METADATA_READ],
        gives: &[Pull],
        narrows: true,
    },
    Role {
        name: "Container Registry Repository Writer",
        guid: "2a1e307c-b015-4ebd-883e-5b7698a07328",
        actions: &[],
        data_actions: &[CONTENT_READ, METADATA_READ, CONTENT_WRITE, METADATA_WRITE],
        gives: &[Pull, Push],
        narrows: true,
    },
    Role {
        name: "Container Registry Repository Contributor",
        guid: "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
        actions: &[],
        data_actions: &[
            CONTENT_READ,
            METADATA_READ,
            CONTENT_WRITE,
            METADATA_WRITE,
            CONTENT_DELETE,
            METADATA_DELETE,
        ],
        gives: &[Pull, Push, Delete],
        narrows: true,
    },
    Role {
        name: "Container Registry Repository Catalog Lister",
        guid: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
        actions: &[],
        data_actions: &["Microsoft.ContainerRegistry/registries/catalog/read"],
        gives: &[Catalog],
        narrows: false,
    },
];

/// The role of that name.
pub fn named(name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.name == name)
}

/// The role with that GUID.
pub fn with_guid(guid: &str) -> Option<&'static Role> {
    ROLES
        .iter()
        .find(|role| role.guid.eq_ignore_ascii_case(guid))
}

/// The roles that give these permissions and as little more as Azure's roles allow.
pub fn needed(mode: Mode, permissions: &BTreeSet<Permission>) -> Vec<&'static Role> {
    let asked = |permission| permissions.contains(&permission);
    let mut names = Vec::new();
    match mode {
        Mode::Legacy => {
            if asked(Push) {
                names.push("AcrPush");
            } else if asked(Pull) || asked(Catalog) {
                names.push("AcrPull");
            }
            if asked(Delete) {
                names.push("AcrDelete");
            }
            if asked(Sign) {
                names.push("AcrImageSigner");
            }
        }
        Mode::Abac => {
            if asked(Delete) {
                names.push("Container Registry Repository Contributor");
            } else if asked(Push) {
                names.push("Container Registry Repository Writer");
            } else if asked(Pull) {
                names.push("Container Registry Repository Reader");
            }
            if asked(Catalog) {
                names.push("Container Registry Repository Catalog Lister");
            }
        }
    }
    names.into_iter().filter_map(named).collect()
}

/// What Azure's roles cannot do in that mode: the argument, what is wrong, and the way out.
pub fn problems(
    mode: Mode,
    permissions: &BTreeSet<Permission>,
    repositories: bool,
) -> Vec<(&'static str, String, String)> {
    let asked = |permission| permissions.contains(&permission);
    let mut found = Vec::new();
    match mode {
        Mode::Legacy => {
            if repositories {
                found.push((
                    "repositories",
                    "The registry's roles cannot be narrowed to repositories".to_owned(),
                    format!(
                        "Its role assignment mode is {mode}, where a role counts for the whole registry.\n\n\
                         Fix: leave repositories out, or change the registry first (roles such as AcrPull \
                         open no image after that):\n\n  role_assignment_mode = \"{}\"",
                        Mode::Abac
                    ),
                ));
            }
            if asked(Catalog) && !asked(Pull) && !asked(Push) {
                found.push((
                    "permissions",
                    format!("No role lists the catalog alone while the registry is in mode {mode}"),
                    "The catalog comes with pulling there.\n\nFix: permissions = [\"pull\", \"catalog\"]"
                        .to_owned(),
                ));
            }
        }
        Mode::Abac => {
            if asked(Delete) && !asked(Push) {
                found.push((
                    "permissions",
                    format!("No role deletes without pushing while the registry is in mode {mode}"),
                    "The one role that deletes there, Container Registry Repository Contributor, reads and \
                     writes too.\n\nFix: if it may have them all, say so:\n\n  \
                     permissions = [\"pull\", \"push\", \"delete\"]"
                        .to_owned(),
                ));
            }
            if asked(Sign) {
                found.push((
                    "permissions",
                    format!("No role for content trust counts while the registry is in mode {mode}"),
                    "AcrImageSigner belongs to the legacy mode.\n\nFix: leave \"sign\" out; signatures that \
                     are stored as images (Notation) need \"push\" alone."
                        .to_owned(),
                ));
            }
            if repositories && !asked(Pull) && !asked(Push) && !asked(Delete) {
                found.push((
                    "repositories",
                    "Only permissions on images can be narrowed to repositories".to_owned(),
                    "Listing the catalog is a right on the whole registry.\n\nFix: leave repositories out."
                        .to_owned(),
                ));
            }
        }
    }
    found
}

/// The condition that narrows a role to repositories: whatever is not an action of the role passes,
/// and of its actions those on these repositories. `team/*` stands for all that begin with `team/`.
pub fn condition(role: &Role, repositories: Option<&BTreeSet<String>>) -> Option<String> {
    let repositories = repositories.filter(|names| role.narrows && !names.is_empty())?;
    let others: Vec<String> = role
        .data_actions
        .iter()
        .map(|action| format!("!(ActionMatches{{'{action}'}})"))
        .collect();
    let names: Vec<String> = repositories
        .iter()
        .map(|name| match name.strip_suffix('*') {
            Some(start) => format!("{REPOSITORY} {STARTS} '{start}'"),
            None => format!("{REPOSITORY} {EQUALS} '{name}'"),
        })
        .collect();
    Some(format!(
        "(({}) OR ({}))",
        others.join(" AND "),
        names.join(" OR ")
    ))
}

const REPOSITORY: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]";
const EQUALS: &str = "StringEqualsIgnoreCase";
const STARTS: &str = "StringStartsWithIgnoreCase";

/// The repositories of a condition that this resource could have written; `None` for any other.
pub fn repositories_of(role: &Role, text: &str) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for part in text.split(REPOSITORY).skip(1) {
        let mut words = part.trim_start().splitn(2, ' ');
        let operator = words.next()?;
        let value = words.next()?.trim_start().strip_prefix('\'')?;
        let (value, _) = value.split_once('\'')?;
        names.insert(match operator {
            STARTS => format!("{value}*"),
            EQUALS => value.to_owned(),
            _ => return None,
        });
    }
    same_condition(condition(role, Some(&names)).as_deref(), Some(text)).then_some(names)
}

/// Whether two conditions are the same but for white space.
pub fn same_condition(a: Option<&str>, b: Option<&str>) -> bool {
    let squeezed = |text: Option<&str>| -> String {
        let text = text.unwrap_or_default();
        text.chars().filter(|c| !c.is_whitespace()).collect()
    };
    squeezed(a) == squeezed(b)
}

/// Whether a role definition, as Azure answers it, permits all that the role is needed for.
pub fn covers(definition: &Json, role: &Role) -> bool {
    let blocks = definition["properties"]["permissions"].as_array();
    let permits = |action: &str, allowed: &str, excepted: &str| {
        blocks.is_some_and(|blocks| permits(blocks, action, allowed, excepted))
    };
    let actions = role.actions.iter();
    let data = role.data_actions.iter();
    actions
        .map(|action| permits(action, "actions", "notActions"))
        .chain(data.map(|action| permits(action, "dataActions", "notDataActions")))
        .all(|permitted| permitted)
}
