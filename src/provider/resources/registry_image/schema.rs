//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::reference;
use crate::provider::parts::{ARM_ID, Page, drift, objects, same_id};

const SOURCE_IMAGE: Check = Check::Text(
    "an image with a tag or a digest: `docker.io/library/nginx:1.27`, or `team/app@sha256:...`",
    |text| told(text, &reference::source_problems(text)),
);

const TARGET_TAG: Check = Check::Text("a repository and a tag: `team/app:1.2`", |text| {
    told(text, &reference::target_problems(text))
});

const TARGET_REPOSITORY: Check = Check::Text("a repository: `team/app`", |text| {
    told(text, &reference::target_repository_problems(text))
});

/// Everything that is wrong about a text, at once.
fn told(text: &str, problems: &[String]) -> Result<(), String> {
    match problems {
        [] => Ok(()),
        [one] => Err(format!("{text:?}: {one}.")),
        several => Err(format!("{text:?}:\n- {}", several.join("\n- "))),
    }
}

const SOURCE: &[Attribute] = &[
    Attribute::required("image", Kind::String)
        .describe(
            "The image: with its registry, `docker.io/library/nginx:1.27` or \
             `mcr.microsoft.com/dotnet/runtime@sha256:...`; within `registry_id` without it, `team/app:1.2`. A \
             digest says which image it is for good, a tag may move.",
        )
        .checked(&[SOURCE_IMAGE]),
    Attribute::optional("registry_id", Kind::String)
        .describe(
            "Another Azure Container Registry to import from, with the caller's own rights there; also one \
             without public access, when it lets trusted services in.",
        )
        .checked(&[ARM_ID])
        .same_when(same_id),
    Attribute::optional("username", Kind::String)
        .describe("The user who may pull from a private registry. Leave it out for a registry's access token."),
    Attribute::optional("password_wo", Kind::String)
        .describe("The password or access token for it. It is sent with the import and stored nowhere.")
        .write_only(),
    Attribute::optional("password_wo_version", Kind::Integer).describe(
        "A number of your own for the password. What is imported already is not imported again for another \
         password, so it needs no change with it.",
    ),
];

const IMAGE: &[Attribute] = &[
    Attribute::computed("digest", Kind::String, IMAGES)
        .describe("Its digest, where the data plane or the source told it."),
    Attribute::computed("imported", Kind::Bool, IMAGES)
        .describe("Whether this resource imported it, and did not find it there."),
];

const IMAGES: Computed = Computed::Follows(&[
    "registry_id",
    "source",
    "target_tags",
    "untagged_target_repositories",
    "force",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "An image in a registry, imported from a public or private one. Azure copies it itself, so it works for \
     registries without public access, and nobody needs Docker. Where the registry can be reached, missing and \
     moved tags are drift.",
    &[
        Attribute::required("registry_id", Kind::String)
            .describe("The registry that gets the image, in any subscription.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("source", Kind::Nested(Nesting::Single, SOURCE))
            .describe("Where the image comes from. Another image replaces the one under the same tags."),
        Attribute::optional("target_tags", Kind::Set(&Kind::String))
            .describe(
                "The tags that the image gets, `team/app:1.2`. A tag that is there already counts as present.",
            )
            .checked(&[Check::Items(1, 100), Check::Each(&TARGET_TAG)]),
        Attribute::optional("untagged_target_repositories", Kind::Set(&Kind::String))
            .describe(
                "Repositories that get the image without a tag, `team/app`, to be pulled by its digest.",
            )
            .checked(&[Check::Items(1, 100), Check::Each(&TARGET_REPOSITORY)]),
        Attribute::optional("force", Kind::Bool)
            .describe(
                "Whether tags that are there already are imported over, whoever made them: at the creation, and \
                 at every change of this resource.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("delete_on_destroy", Kind::Bool)
            .describe(
                "Whether tags that this resource imported are deleted when it is destroyed or they are wanted \
                 no more, and their manifests, unless others have tags on them. Without it they stay. The \
                 registry must be reachable for it.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::computed("id", Kind::String, Computed::Fixed)
            .describe("The registry's id: an image is no object of Resource Manager."),
        Attribute::computed("login_server", Kind::String, Computed::Follows(&["registry_id", "drift"]))
            .describe("The registry's host name, which images are pulled from."),
        Attribute::computed("images", Kind::Nested(Nesting::Map, IMAGE), IMAGES)
            .describe("What is known of the image at each target, by tag or by repository."),
        Attribute::computed("verified", Kind::Bool, IMAGES).describe(
            "Whether the registry's data plane was asked for all of it. Where it cannot be reached, or the caller \
             may not pull, what is known is kept.",
        ),
        Attribute::computed("verified_reason", Kind::String, IMAGES)
            .describe("Who was asked, or why nobody could be."),
        objects(),
        drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Registry",
    permissions: &[
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to find the registry's login server, and what a source registry permits",
        ),
        (
            "Microsoft.ContainerRegistry/registries/importImage/action",
            "to import; `Container Registry Data Importer and Data Reader` has it, `AcrPush` has not",
        ),
        (
            "Microsoft.ContainerRegistry/registries/pull/read",
            "to see tags in the data plane, and on the source for `source.registry_id`",
        ),
        (
            "Microsoft.ContainerRegistry/registries/artifacts/delete",
            "to delete tags and manifests, for `delete_on_destroy`",
        ),
        (
            "Microsoft.ContainerRegistry/checkNameAvailability/read",
            "to tell while planning that a source registry does not exist",
        ),
    ],
    failures: &[
        (
            "`verified` is false",
            "`verified_reason` says why: the registry's firewall, no public access, no route, or a caller who may \
             not pull. State is kept as it is, without drift. Run from a network that reaches the registry to \
             have its tags compared.",
        ),
        (
            "a tag exists already",
            "It counts as present. With a source by digest the plan tells when the tag leads to another image; \
             `force = true` imports over it.",
        ),
        (
            "the source refuses the import",
            "A source with a firewall or without public access must let trusted services in \
             (`network_rule_bypass_option = \"AzureServices\"` with azurerm), its export policy must be on, and \
             the caller needs the right to pull from it.",
        ),
        (
            "Docker Hub refuses with too many requests",
            "Azure's addresses are shared by many who do not log in. Give `username` and `password_wo`.",
        ),
        (
            "`delete_on_destroy` fails because the registry cannot be reached",
            "Destroy from a network that reaches it, or apply `delete_on_destroy = false` first, which forgets \
             the image and leaves it there.",
        ),
    ],
    notes: "## What is seen, and what is not\n\nThe import goes through Resource Manager and works from anywhere. \
            What has become of it shows only in the registry's data plane, `<name>.azurecr.io`: there the caller's \
            token is exchanged for the registry's own, and each tag is looked up. It is sent to no host but \
            registries of the configured cloud, through `HTTPS_PROXY` where that is set. An image without a tag is \
            seen by its digest, so only when the source names one.\n\n\
            A tag that has moved, or is gone, is drift with its reason; the next apply imports it again, over what \
            is there.\n\n\
            ## Import\n\nBy the id of the registry. Nothing in Azure says what was imported from where, so \
            `source` and the targets come from the configuration at the next apply. Tags that are there then count \
            as present and not as imported by this resource: `delete_on_destroy` leaves them alone.",
};
