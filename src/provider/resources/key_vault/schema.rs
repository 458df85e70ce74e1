//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Schema};

use crate::network::names;
use crate::provider::parts::{ARM_ID, ID, Page, drift, objects, same_id, same_region};
use crate::provider::resources::registry::validate::{ip_range, same_ranges};

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "A key vault by its exposure: `private`, `allowlist` or `public`, where a registry token keeps its password. \
     Roles alone say who may read in it.",
    &[
        Attribute::required("name", Kind::String)
            .describe("The name, unique in all of Azure: it becomes the host `<name>.vault.azure.net`.")
            .checked(&[Check::Text(names::KEY_VAULT, names::key_vault)])
            .same_when(same_id)
            .replaces(),
        Attribute::required("resource_group_id", Kind::String)
            .describe("The resource group.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("location", Kind::String)
            .describe("The region, such as `westeurope`.")
            .same_when(same_region)
            .replaces(),
        Attribute::optional("sku", Kind::String)
            .describe("The tier: `standard`, or `premium` for keys in hardware security modules.")
            .checked(&[Check::OneOf(&["standard", "premium"])])
            .default_to(Literal::String("standard")),
        Attribute::optional("exposure", Kind::String)
            .describe(
                "Who can reach the vault: `private` (private endpoints alone: public access is off, and the \
                 default action is to deny), `allowlist` (the addresses of `allowed_ip_ranges` and the subnets of \
                 `allowed_subnet_ids` too) or `public` (everyone; they still need a role). It is `private` by default, \
                 because that costs an apply nothing: network rules hold for reading in the vault, and a registry \
                 token's password is written through Azure Resource Manager, which they do not concern.",
            )
            .checked(&[Check::OneOf(&["private", "allowlist", "public"])])
            .default_to(Literal::String("private")),
        Attribute::optional("allowed_ip_ranges", Kind::Set(&Kind::String))
            .describe(
                "The public IPv4 addresses and ranges that may reach the vault; only with the exposure \
                 `allowlist`, up to 1000. Rules that others add are removed.",
            )
            .checked(&[
                Check::Items(0, 1000),
                Check::Each(&Check::Text(
                    "a public IPv4 address or range, such as `203.0.113.7` or `203.0.113.0/24`",
                    ip_range,
                )),
            ])
            .same_when(same_ranges),
        Attribute::optional("allowed_subnet_ids", Kind::Set(&Kind::String))
            .describe(
                "The subnets that may reach the vault; only with the exposure `allowlist`, up to 200. Each needs \
                 the service endpoint `Microsoft.KeyVault`.",
            )
            .checked(&[Check::Items(0, 200), Check::Each(&ARM_ID)]),
        Attribute::optional("trusted_services_enabled", Kind::Bool)
            .describe("Whether trusted Microsoft services pass the network rules.")
            .default_to(Literal::Bool(true)),
        Attribute::optional("soft_delete_retention_days", Kind::Integer)
            .describe(
                "For how many days the vault can be recovered once it is deleted, 7 to 90. Azure fixes it when the \
                 vault is created, so that another number is refused.",
            )
            .checked(&[Check::Range(7, 90)])
            .default_to(Literal::Integer(90)),
        Attribute::optional("purge_protection_enabled", Kind::Bool)
            .describe(
                "Whether nobody can purge the deleted vault, or what is deleted in it, before its retention is \
                 over. It can never be turned off again, so that `false` after `true` is refused.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("recover_deleted", Kind::Bool)
            .describe(
                "Whether a deleted vault of this name, group and region is recovered, with all that is in it, and \
                 changed to what is configured. With `false` it is an error that says until when the name is held.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("deletion_protection", Kind::Bool)
            .describe(
                "Refuses to delete or replace the vault, whose secrets others read. To delete it, apply `false` \
                 first.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("tags", Kind::Map(&Kind::String)).describe("The tags of the vault."),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(ID),
        Attribute::computed("vault_uri", Kind::String, Computed::Fixed)
            .describe("The address at which secrets are read, such as `https://images.vault.azure.net/`."),
        Attribute::computed("tenant_id", Kind::String, Computed::Fixed)
            .describe("The tenant whose identities may be given roles in it: that of the subscription."),
        objects(),
        drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Private registry",
    permissions: &[
        ("Microsoft.KeyVault/vaults/read", "to read it"),
        ("Microsoft.KeyVault/vaults/write", "to create and change it"),
        ("Microsoft.KeyVault/vaults/delete", "to delete it"),
        (
            "Microsoft.Resources/subscriptions/read",
            "to know the subscription's tenant",
        ),
        (
            "Microsoft.KeyVault/checkNameAvailability/read",
            "on the subscription, to know at plan whether the name is free",
        ),
        (
            "Microsoft.KeyVault/deletedVaults/read",
            "on the subscription, to find the deleted vault that is recovered",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/read",
            "on each of `allowed_subnet_ids`, to look for its service endpoint",
        ),
        (
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
            "on each of `allowed_subnet_ids`",
        ),
    ],
    failures: &[
        (
            "the name is taken",
            "A vault's name is unique in all of Azure, since it becomes a host name. The plan asks Azure, and says \
             which vault has it where the caller may see it.",
        ),
        (
            "the name is held by a deleted vault",
            "A deleted vault keeps its name until it is recovered or purged. It is recovered only to its own group \
             and region; the message says which these are, and when Azure purges it.",
        ),
        (
            "purge protection can never be turned off again",
            "Keep `purge_protection_enabled = true`. The vault can still be deleted, and recovered.",
        ),
        (
            "the retention of a vault is fixed when it is created",
            "Keep the number that it has, which the message says.",
        ),
        (
            "a vault cannot be moved under its name",
            "Another group or region means another vault, and the deleted one holds the name. Give it another.",
        ),
        (
            "subnets cannot be allowed yet",
            "Add the service endpoint `Microsoft.KeyVault` to each subnet that the message names.",
        ),
        (
            "the vault is protected from deletion",
            "Set `deletion_protection = false` and apply, then destroy or replace it.",
        ),
    ],
    notes: "## Exposure\n\n\
            | `exposure` | `publicNetworkAccess` | `networkAcls.defaultAction` | who gets in |\n\
            |---|---|---|---|\n\
            | `private` | `Disabled` | `Deny` | private endpoints |\n\
            | `allowlist` | `Enabled` | `Deny` | private endpoints, `allowed_ip_ranges`, `allowed_subnet_ids` |\n\
            | `public` | `Enabled` | `Allow` | everyone |\n\n\
            Trusted Microsoft services pass in addition, where their switch is on.\n\n\
            ## Roles\n\n\
            The vault always has `enableRbacAuthorization`, and no access policies: an access policy that someone \
            adds is drift, as is the switch that someone turns. Whoever reads in the vault needs a role there, such \
            as Key Vault Secrets User.\n\n\
            ## Deletion\n\n\
            Azure keeps a deleted vault for `soft_delete_retention_days`, and nothing here purges it. An apply of the \
            same configuration brings it back.",
};
