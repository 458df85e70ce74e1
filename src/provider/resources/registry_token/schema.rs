//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::times::duration;
use crate::provider::parts::{DRIFT, OBJECTS, Page, same_id};

/// How long a password lives beside the one that follows it, by default.
pub const OVERLAP: &str = "24h";

const ARM_ID: Check = Check::Text("an ARM id", |text| {
    crate::arm::ArmId::parse(text)
        .map(drop)
        .map_err(|error| error.to_string())
});

const NAME: Check = Check::Text("5 to 50 letters, digits and `-`", |text| {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (5..=50).contains(&text.len()) && text.chars().all(word) {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name of a token: 5 to 50 letters, digits and `-`"
        ))
    }
});

const SECRET_NAME: Check = Check::Text("1 to 127 letters, digits and `-`", |text| {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=127).contains(&text.len()) && text.chars().all(word) {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name of a key vault secret: 1 to 127 letters, digits and `-`"
        ))
    }
});

const DURATION: Check = Check::Text("a duration such as `720h` or `30m`", |text| {
    duration(text).map(drop)
});

const PLACE: &[Attribute] = &[
    Attribute::required("vault_id", Kind::String)
        .describe("The key vault, in any subscription. It may be a private one.")
        .checked(&[ARM_ID])
        .same_when(same_id),
    Attribute::required("name", Kind::String)
        .describe("The secret that has the password. It must be free, or written by this token.")
        .checked(&[SECRET_NAME]),
    Attribute::optional("docker_config_name", Kind::String)
        .describe(
            "A second secret, which has the password as a pull secret needs it, with login server and user \
             name: the content of `.dockerconfigjson`.",
        )
        .checked(&[SECRET_NAME]),
];

const STORED: &[Attribute] = &[
    Attribute::computed("id", Kind::String, PASSWORD).describe("The ARM id."),
    Attribute::computed("uri", Kind::String, PASSWORD)
        .describe("The address of the newest version in the vault."),
    Attribute::computed("versioned_uri", Kind::String, PASSWORD)
        .describe("The address of this very version: it changes with each rotation."),
];

const PASSWORD: Computed = Computed::Follows(&[
    "registry_id",
    "name",
    "key_vault_secret",
    "password_in_state",
    "rotate_when_changed",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "A login of a registry that opens some repositories, with its password in a key vault and a rotation \
     that locks nobody out.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry, in any subscription.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("name", Kind::String)
            .describe("The token's name, and the user name of the login.")
            .checked(&[NAME])
            .replaces(),
        Attribute::optional("scope", Kind::Map(&Kind::Set(&Kind::String))).describe(
            "What the token may do, by repository: `content/read`, `content/write`, `content/delete`, \
             `metadata/read` and `metadata/write`. `team/*` stands for all repositories below `team`, `*` for \
             all. Makes a scope map with the token's name. Either this or `scope_map_id`.",
        ),
        Attribute::optional_computed(
            "scope_map_id",
            Kind::String,
            Computed::Follows(&["registry_id", "name", "scope", "drift"]),
        )
        .describe(
            "A scope map that there is, of this registry: someone else's, or one that every registry has, such as \
             `_repositories_pull`. With `scope`, the one of this resource's own.",
        )
        .checked(&[ARM_ID])
        .same_when(same_id),
        Attribute::optional("description", Kind::String)
            .describe("What the scope map is for.")
            .checked(&[Check::Length(1, 256)]),
        Attribute::optional("status", Kind::String)
            .describe("`enabled`, or `disabled`: then no password opens anything.")
            .checked(&[Check::OneOf(&["enabled", "disabled"])])
            .default_to(Literal::String("enabled")),
        Attribute::optional("key_vault_secret", Kind::Nested(Nesting::Single, PLACE)).describe(
            "Where the password is kept. It is written through Resource Manager, so that a vault without public \
             access does, too. Another place needs another password, since Azure does not show this one again.",
        ),
        Attribute::optional("password_in_state", Kind::Bool)
            .describe(
                "Whether the password is an attribute of this resource, and so in the state, where everybody can \
                 read it who can read the state.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("rotate_when_changed", Kind::Map(&Kind::String)).describe(
            "Any values: a change of one makes a new password. They are kept as a digest.",
        ),
        Attribute::optional("rotate_after", Kind::String)
            .describe(
                "How old a password gets. Reading finds that it is too old, which is drift and so plans the \
                 rotation; nothing rotates by itself.",
            )
            .checked(&[DURATION]),
        Attribute::optional("overlap", Kind::String)
            .describe(
                "How long the password before lives beside the one that follows it. The first apply after \
                 that removes it; until then a second rotation is refused. `0s` removes it at once.",
            )
            .checked(&[DURATION])
            .default_to(Literal::String(OVERLAP)),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe("The ARM id of the token."),
        Attribute::computed("user_name", Kind::String, Computed::Fixed)
            .describe("The user name of the login: the token's name."),
        Attribute::computed("login_server", Kind::String, Computed::Follows(&["registry_id"]))
            .describe("Where to log in."),
        Attribute::computed("active_slot", Kind::String, PASSWORD)
            .describe("The slot of the password that is kept: `password1` or `password2`."),
        Attribute::computed("rotated_at", Kind::String, PASSWORD).describe("When that password was made."),
        Attribute::computed("rotated_for", Kind::String, PASSWORD)
            .describe("A digest of the `rotate_when_changed` that it was made for."),
        Attribute::computed(
            "rotation_due",
            Kind::Bool,
            Computed::Follows(&[
                "rotate_after",
                "rotate_when_changed",
                "key_vault_secret",
                "password_in_state",
                "drift",
            ]),
        )
        .describe("Whether the password was older than `rotate_after` when it was read."),
        Attribute::computed("previous_password_until", Kind::String, Computed::Volatile)
            .describe("Until when the password before lives, while it does."),
        Attribute::computed("pending_slot", Kind::String, Computed::Volatile).describe(
            "The slot whose password nobody knows, because its making did not come to its end: the next apply \
             makes it anew.",
        ),
        Attribute::computed("password", Kind::String, PASSWORD)
            .describe("The password, with `password_in_state`.")
            .sensitive(),
        Attribute::computed("secrets", Kind::Nested(Nesting::Map, STORED), PASSWORD).describe(
            "The secrets in the vault: `password` and `dockerconfigjson`.",
        ),
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
            "to find the login server",
        ),
        (
            "Microsoft.ContainerRegistry/registries/scopeMaps/read",
            "to see what a token may do",
        ),
        (
            "Microsoft.ContainerRegistry/registries/scopeMaps/write",
            "to make and change the scope map, for `scope`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/scopeMaps/delete",
            "to delete it",
        ),
        (
            "Microsoft.ContainerRegistry/registries/tokens/read",
            "to see the token, and when its passwords were made",
        ),
        (
            "Microsoft.ContainerRegistry/registries/tokens/write",
            "to make and change the token, and to remove a password that has outlived its overlap",
        ),
        (
            "Microsoft.ContainerRegistry/registries/tokens/delete",
            "to delete it",
        ),
        (
            "Microsoft.ContainerRegistry/registries/generateCredentials/action",
            "to make a password",
        ),
        (
            "Microsoft.ContainerRegistry/registries/operationStatuses/read",
            "to follow what takes longer",
        ),
        (
            "Microsoft.KeyVault/vaults/read",
            "to find that a vault is not there before a password is made, for `key_vault_secret`",
        ),
        (
            "Microsoft.KeyVault/vaults/secrets/read",
            "to see which password a secret keeps; not its value",
        ),
        (
            "Microsoft.KeyVault/vaults/secrets/write",
            "to store the password",
        ),
    ],
    failures: &[
        (
            "a second rotation is possible from ... on",
            "The slot for the new password still has the one before, which lives for `overlap`. Apply then, or set \
             `overlap = \"0s\"` when nobody uses that one any more.",
        ),
        (
            "the secret is someone else's",
            "Only a secret that is free, or that this token has written, is written. Choose another name.",
        ),
        (
            "the secret cannot be written: `ObjectIsDeletedButRecoverable`",
            "Someone deleted a secret of that name, and the vault keeps it for a while. Recover it with `az keyvault \
             secret recover`, or purge it.",
        ),
        (
            "an apply failed after the password was made and before it was stored",
            "The vault still has the password before, which still opens the registry. Apply again: the password \
             that nobody knows is made anew in the same slot.",
        ),
        (
            "someone regenerated the password, or wrote, disabled or deleted the secret",
            "It is drift, with its reason, and the next apply makes a new password where that takes nothing from \
             anybody.",
        ),
        (
            "the drift of the secret is not seen",
            "The caller may not read it. The state is kept, and a warning says so.",
        ),
    ],
    notes: "## Rotation\n\n\
            A token has two slots. The one that is active is in the vault; the other one is idle, or has the \
            password before. A rotation, by `rotate_when_changed` or `rotate_after`, makes a new password in the \
            idle slot and stores it; the password before lives on for `overlap`, so that whoever still has it \
            goes on. Azure lets nobody set the end of a password that exists, so the first apply after the overlap \
            removes it, which the plan before it shows as drift.\n\n\
            ## What the vault shows\n\n\
            The secret's tags say of which token and slot the password is, and when it was made; none says anything \
            of the password. So everything that goes wrong is seen through Resource Manager, which never answers \
            a secret's value.\n\n\
            Resource Manager cannot delete a secret. When the token is destroyed, or its secret gets another name, \
            the secret is disabled and marked as free; a later token may take its name.\n\n\
            ## Import\n\n\
            By the token's id. A scope map of the token's name that the token uses comes with it. Azure shows no \
            password again, so an imported token has none that is known: where `key_vault_secret` names the secret \
            that an earlier life of this resource has written, the first apply uses its password on; otherwise it \
            makes a new one, in an empty slot or instead of the older password, and the other one is removed after \
            `overlap`.",
};
