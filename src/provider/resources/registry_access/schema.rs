//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use crate::provider::parts::{ARM_ID, DRIFT, OBJECTS, Page, same_id};

const OBJECT_ID: Check = Check::Text("an object id, a GUID", |text| {
    match uuid::Uuid::parse_str(text) {
        Ok(_) if text.len() == 36 => Ok(()),
        _ => Err(format!(
            "{text:?} is no object id. Give the `principal_id` of an identity, or the object id that \
             `az ad sp show` tells; names and client ids are not taken."
        )),
    }
});

const KEY: Check = Check::Text("1 to 64 letters, digits, `-`, `_` and `.`", |text| {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&text.len()) && text.chars().all(word) {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no key: 1 to 64 letters, digits, `-`, `_` and `.`"
        ))
    }
});

const REPOSITORY: Check = Check::Text(
    "a repository such as `team/web`, or all that begin alike: `team/*`",
    repository,
);

/// What is wrong with the name of a repository, or of all that begin alike, if something is.
///
/// # Errors
/// What is wrong.
pub fn repository(text: &str) -> Result<(), String> {
    let name = text.strip_suffix("/*").unwrap_or(text);
    let part = |part: &str| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !part.is_empty()
            && part
                .chars()
                .all(|c| word(c) || matches!(c, '.' | '_' | '-'))
            && part.starts_with(word)
            && part.ends_with(word)
    };
    if name.split('/').all(part) && text.len() <= 255 {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no repository: lower-case letters, digits, `.`, `_` and `-` in parts between \
             slashes, without registry and tag; `/*` at the end stands for all below"
        ))
    }
}

const GRANT: &[Attribute] = &[
    Attribute::computed("principal_id", Kind::String, GRANTS)
        .describe("The object id of the principal."),
    Attribute::computed("role", Kind::String, GRANTS).describe("The role that it needs."),
    Attribute::computed("role_assignment_id", Kind::String, GRANTS)
        .describe("The role assignment that gives it."),
    Attribute::computed("owned", Kind::Bool, GRANTS)
        .describe("Whether this resource made it, and not someone else."),
];

const GRANTS: Computed = Computed::Follows(&[
    "registry_id",
    "cluster_id",
    "principal_ids",
    "principal_type",
    "permissions",
    "repositories",
    "existing",
    "role_assignment_mode",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "Who may pull, push or delete the images of a registry. The roles are those that count in the \
     registry's role assignment mode, and for a cluster they go to the identity that pulls.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry, in any subscription.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("cluster_id", Kind::String)
            .describe(
                "The cluster whose nodes get access: the identity of its kubelets is found, which is another \
                 one than the cluster's own. Either this or `principal_ids`.",
            )
            .checked(&[ARM_ID])
            .same_when(same_id),
        Attribute::optional("principal_ids", Kind::Map(&Kind::String))
            .describe(
                "The principals that get access, by a key of your own: object ids, such as the `principal_id` \
                 of an identity. They need not be known while planning.",
            )
            .checked(&[Check::Each(&OBJECT_ID), Check::Keys(&KEY)])
            .same_when(same_id),
        Attribute::optional("principal_type", Kind::String)
            .describe(
                "What the principals are: `ServicePrincipal` (managed identities are service principals too), \
                 `User` or `Group`. It is always sent, so that Azure does not look for a principal that is too \
                 new to be found.",
            )
            .checked(&[Check::OneOf(&["ServicePrincipal", "User", "Group"])])
            .default_to(Literal::String("ServicePrincipal")),
        Attribute::required("permissions", Kind::Set(&Kind::String))
            .describe(
                "What they may do: `pull`, `push` (pulling goes with it), `delete`, `sign` (content trust, in the \
                 legacy mode only) and `catalog` (list the repositories).",
            )
            .checked(&[
                Check::Items(1, 5),
                Check::Each(&Check::OneOf(&["pull", "push", "delete", "sign", "catalog"])),
            ]),
        Attribute::optional("repositories", Kind::Set(&Kind::String))
            .describe(
                "Narrows the access to these repositories, `team/web`, or to all that begin alike, `team/*`. Needs \
                 a registry in the mode `AbacRepositoryPermissions`. Without it, all repositories.",
            )
            .checked(&[Check::Items(1, 50), Check::Each(&REPOSITORY)]),
        Attribute::optional("existing", Kind::String)
            .describe(
                "What is done about a grant that someone else made: `accept` lets it count when it suffices, at \
                 the registry or inherited from above, and never deletes it; `refuse` counts only grants of this \
                 resource.",
            )
            .checked(&[Check::OneOf(&["accept", "refuse"])])
            .default_to(Literal::String("accept")),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(
            "The registry's id: no object in Azure stands for all grants together. The grants themselves \
             are in `objects`.",
        ),
        Attribute::optional_computed(
            "role_assignment_mode",
            Kind::String,
            Computed::Follows(&["registry_id", "drift"]),
        )
        .describe(
            "The registry's mode, which decides the roles. Give it where the same configuration sets it, \
             `fkaks_registry.example.role_assignment_mode`: a change of it then swaps the roles in the same \
             apply, after the registry. Unless set, the registry is asked.",
        )
        .checked(&[Check::OneOf(&["AbacRepositoryPermissions", "LegacyRegistryPermissions"])]),
        Attribute::computed(
            "principals",
            Kind::Map(&Kind::String),
            Computed::Follows(&["registry_id", "cluster_id", "principal_ids", "drift"]),
        )
        .describe("The object ids that are to have access, by key; `kubelet` for the nodes of a cluster. Whether they have it is in `grants`."),
        Attribute::computed("grants", Kind::Nested(Nesting::Map, GRANT), GRANTS)
            .describe("Each role of each principal, `<key>/<role>`, and what gives it."),
        Attribute::computed("objects", Kind::Map(&Kind::List(&Kind::String)), Computed::Volatile)
            .describe(OBJECTS),
        Attribute::computed(
            "drift",
            Kind::List(&Kind::String),
            Computed::Always(Literal::EmptyList),
        )
        .describe(DRIFT),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Registry",
    permissions: &[
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to read the registry's role assignment mode",
        ),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "to see which grants there are",
        ),
        (
            "Microsoft.Authorization/roleAssignments/write",
            "to make them; `Role Based Access Control Administrator` has it, `Contributor` has not",
        ),
        (
            "Microsoft.Authorization/roleAssignments/delete",
            "to take them back",
        ),
        (
            "Microsoft.Authorization/roleDefinitions/read",
            "to see whether another role of a principal suffices",
        ),
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to find the kubelet identity, for `cluster_id`",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "to tell client ids from object ids while planning",
        ),
    ],
    failures: &[
        (
            "a client id is given where an object id belongs",
            "The plan names the identity and its principal id. Azure itself accepts any GUID, and the pull \
             fails with 401 later.",
        ),
        (
            "the caller may not assign roles at the registry",
            "The plan shows the command for an owner. Or the owner makes the grants: they count with \
             `existing = \"accept\"`.",
        ),
        (
            "the principal has the role already, under another condition",
            "Azure assigns a role to a principal once at a scope. Change the other assignment, delete it, or \
             import it.",
        ),
        (
            "`AcrPull` does not open images",
            "The registry is in the mode `AbacRepositoryPermissions`, where only data actions count. This \
             resource assigns `Container Registry Repository Reader` there. When the mode is changed, the next \
             plan shows it as drift and swaps the roles.",
        ),
        (
            "a pull still fails with 401 although the apply has ended",
            "The apply ends when two lists by principal show the grant. The registry's own caches may lag a \
             few minutes behind.",
        ),
    ],
    notes: "## Roles\n\n\
            | Permission | `LegacyRegistryPermissions` | `AbacRepositoryPermissions` |\n\
            |---|---|---|\n\
            | `pull` | AcrPull | Container Registry Repository Reader |\n\
            | `push` | AcrPush | Container Registry Repository Writer |\n\
            | `delete` | AcrDelete | Container Registry Repository Contributor, with `push` |\n\
            | `sign` | AcrImageSigner | none |\n\
            | `catalog` | comes with `pull` | Container Registry Repository Catalog Lister |\n\n\
            ## Grants of others\n\n\
            With `existing = \"accept\"` a grant counts when its role permits what is asked for, built-in or \
            custom, at the registry or above it, without a condition (or with the very one that would be \
            written here). What counts today and is taken away tomorrow is drift, and the next apply makes a \
            grant of this resource's own.\n\n\
            Grants that a principal has as a member of a group are not seen: who is in a group only Microsoft \
            Graph tells, which this provider does not ask. Such a principal gets a grant of its own, which does \
            no harm; where the group's grant should be the only one, give the group itself, with \
            `principal_type = \"Group\"`.\n\n\
            ## A change of the registry's mode\n\n\
            In the plan in which `fkaks_registry` changes its `role_assignment_mode`, Azure still has the old \
            one, and Terraform plans a change of this resource only where an argument of it changes. So name \
            the mode:\n\n\
            ```terraform\n\
            role_assignment_mode = fkaks_registry.example.role_assignment_mode\n\
            ```\n\n\
            and the roles are swapped in the same apply, the new one before the old one goes. Without it, the next \
            plan shows the change as drift.\n\n\
            ## A cluster that is replaced\n\n\
            Its new kubelet identity gets its grant in the same apply: the cluster's id is not known in that \
            plan, so this resource is planned as a change. The old grant goes last. After `-replace` or a taint the \
            plan of the cluster does not tell, and the grant comes with the next apply.\n\n\
            ## Import\n\nBy the id of one role assignment at the registry, whoever made it; or by the registry's \
            id, which takes all that carry this resource's mark in their description. The first apply after it \
            takes over the other role assignments that the configuration asks for and that do not count as \
            grants of others.",
};
