//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Nesting, Schema};

use super::NAME;
use super::check::{instant, scope_id, word};
use crate::provider::parts::{ARM_ID, Page, drift, objects, same_id, same_region};
use crate::provider::resources::network::schema::id_of;

const SCOPE_ID: Check = Check::Text("the id of a scope", scope_id);
const IDENTITY_ID: Check = Check::Text("the id of a user-assigned identity", |text| {
    id_of("Microsoft.ManagedIdentity/userAssignedIdentities", text)
});
const fn effect(allowed: &'static [Check], usual: &'static str, says: &'static str) -> Attribute {
    Attribute::optional("effect", Kind::String)
        .describe(says)
        .checked(allowed)
        .default_to(Literal::String(usual))
}

const ENFORCEMENT: Attribute = Attribute::optional("enforcement_enabled", Kind::Bool)
    .describe("Whether the effect is enforced. Without it registries are only evaluated.")
    .default_to(Literal::Bool(true));
const MESSAGE: Attribute = Attribute::optional("message", Kind::String)
    .describe("What is said to those whose registry does not meet it.")
    .checked(&[Check::Length(1, 1000)]);
const EXCLUDED: Attribute = Attribute::optional("excluded_scope_ids", Kind::Set(&Kind::String))
    .describe("Scopes below for which it does not hold at all; an exemption keeps them in sight.")
    .checked(&[Check::Each(&ARM_ID)])
    .same_when(same_id);

const AUDIT_OR_DENY: &[Attribute] = &[
    effect(
        &[Check::OneOf(&["Audit", "Deny", "Disabled"])],
        "Audit",
        "`Audit` tells of registries that do not meet it, `Deny` refuses to make or change them, `Disabled` does \
         nothing.",
    ),
    ENFORCEMENT,
    MESSAGE,
    EXCLUDED,
];

const AUDIT: &[Attribute] = &[
    effect(
        &[Check::OneOf(&["Audit", "Disabled"])],
        "Audit",
        "`Audit` tells of registries that do not meet it, `Disabled` does nothing. Azure has no `Deny` here: an \
         endpoint is made after its registry.",
    ),
    ENFORCEMENT,
    MESSAGE,
    EXCLUDED,
];

const MODIFY: &[Attribute] = &[
    effect(
        &[Check::OneOf(&["Modify", "Disabled"])],
        "Modify",
        "`Modify` turns the admin user off whenever a registry is written, `Disabled` does nothing.",
    ),
    ENFORCEMENT,
    MESSAGE,
    EXCLUDED,
    Attribute::optional("remediate", Kind::Bool)
        .describe("Whether the registries that stand already are changed too, once.")
        .default_to(Literal::Bool(false)),
];

const EXEMPTION: &[Attribute] = &[
    Attribute::required("scope_id", Kind::String)
        .describe("What is exempt: a registry, a group or a subscription within the scope.")
        .checked(&[ARM_ID])
        .same_when(same_id),
    Attribute::optional("policies", Kind::Set(&Kind::String))
        .describe("The policies from which it is exempt, by the names of their arguments; by default all.")
        .checked(&[
            Check::Items(1, 6),
            Check::Each(&Check::OneOf(&[
                "unrestricted_network_access",
                "private_link",
                "public_network_access",
                "admin_account",
                "admin_account_off",
                "exports",
            ])),
        ]),
    Attribute::required("category", Kind::String)
        .describe("`Waiver` accepts that the policy is not met, `Mitigated` says that its aim is met otherwise.")
        .checked(&[Check::OneOf(&["Waiver", "Mitigated"])]),
    Attribute::optional("expires_on", Kind::String)
        .describe("When it ends, in UTC, such as `2027-01-31T00:00:00Z`. Azure keeps it and no longer honours it.")
        .checked(&[Check::Text("a point in time in UTC", instant)]),
    Attribute::required("reason", Kind::String)
        .describe("Why, for those who review it.")
        .checked(&[Check::Length(1, 512)]),
];

const COMPLIANCE: &[Attribute] = &[
    Attribute::computed("compliant", Kind::Integer, EVALUATED)
        .describe("How many registries meet it."),
    Attribute::computed("non_compliant", Kind::Integer, EVALUATED).describe("How many do not."),
    Attribute::computed("exempt", Kind::Integer, EVALUATED).describe("How many are exempt."),
    Attribute::computed("non_compliant_ids", Kind::Set(&Kind::String), EVALUATED)
        .describe("The registries that do not meet it."),
];

const EVALUATED: Computed = Computed::Follows(&[
    "scope_id",
    "name",
    "unrestricted_network_access",
    "private_link",
    "public_network_access",
    "admin_account",
    "admin_account_off",
    "exports",
    "exemptions",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "Built-in Azure policies for registries at a scope, each with its own effect, with exemptions, with the role \
     that the one that changes registries needs, and with what Azure finds of their being met. The plan warns of \
     registries whose next change would be denied.",
    &[
        Attribute::required("scope_id", Kind::String)
            .describe(
                "Where the policies hold: the id of a management group, a subscription, a resource group or a \
                 registry.",
            )
            .checked(&[SCOPE_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::optional("name", Kind::String)
            .describe("What the names of the assignments begin with.")
            .checked(&[Check::Text("letters, digits and hyphens", word)])
            .default_to(Literal::String(NAME))
            .replaces(),
        Attribute::optional(
            "unrestricted_network_access",
            Kind::Nested(Nesting::Single, AUDIT_OR_DENY),
        )
        .describe(
            "\"Container registries should not allow unrestricted network access\": the firewall denies by \
             default, or there is no public access. Under `Deny` that must be so in the very first request.",
        ),
        Attribute::optional("private_link", Kind::Nested(Nesting::Single, AUDIT)).describe(
            "\"Container registries should use private link\": at least one private endpoint is approved.",
        ),
        Attribute::optional(
            "public_network_access",
            Kind::Nested(Nesting::Single, AUDIT_OR_DENY),
        )
        .describe("\"Public network access should be disabled for Container registries\"."),
        Attribute::optional("admin_account", Kind::Nested(Nesting::Single, AUDIT_OR_DENY))
            .describe("\"Container registries should have local admin account disabled\"."),
        Attribute::optional("admin_account_off", Kind::Nested(Nesting::Single, MODIFY)).describe(
            "\"Configure container registries to disable local admin account\": Azure turns it off. The assignment \
             has an identity, with the role Contributor at the scope.",
        ),
        Attribute::optional("exports", Kind::Nested(Nesting::Single, AUDIT_OR_DENY)).describe(
            "\"Container registries should have exports disabled\": neither export nor import out of the registry, \
             and no public access.",
        ),
        Attribute::optional("exemptions", Kind::Nested(Nesting::Map, EXEMPTION))
            .describe("What the policies do not hold for, by a key of your own.")
            .checked(&[Check::Keys(&Check::Text("letters, digits and hyphens", word))]),
        Attribute::optional("identity_id", Kind::String)
            .describe(
                "The user-assigned identity with which `admin_account_off` changes registries; by default one that \
                 Azure makes with the assignment.",
            )
            .checked(&[IDENTITY_ID])
            .same_when(same_id),
        Attribute::optional("location", Kind::String)
            .describe(
                "The region of the identity of `admin_account_off`; by default that of the group or registry. \
                 Another one makes that assignment anew.",
            )
            .same_when(same_region),
        Attribute::optional("role_assignment_enabled", Kind::Bool)
            .describe(
                "Whether the identity is given Contributor at the scope, which is exactly what the policy's \
                 definition asks for. A given identity that has it already is left alone.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(
            "The scope's id: no object in Azure stands for all policies together. The assignments are in \
             `objects`.",
        ),
        Attribute::computed("assignment_ids", Kind::Map(&Kind::String), EVALUATED)
            .describe("The policy assignments, by the names of their arguments."),
        Attribute::computed(
            "principal_id",
            Kind::String,
            Computed::Follows(&["admin_account_off", "identity_id", "location", "drift"]),
        )
        .describe("The object id of the identity that changes registries; null without `admin_account_off`."),
        Attribute::computed("compliance", Kind::Nested(Nesting::Map, COMPLIANCE), EVALUATED).describe(
            "How the registries meet each policy, as Azure evaluated them last: some minutes after a change, and \
             every day.",
        ),
        objects(),
        drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Governance",
    permissions: &[
        (
            "Microsoft.Authorization/policyAssignments/read",
            "to see what is assigned",
        ),
        (
            "Microsoft.Authorization/policyAssignments/write",
            "to assign policies; `Resource Policy Contributor` has it, `Contributor` has not",
        ),
        (
            "Microsoft.Authorization/policyAssignments/delete",
            "to take them back",
        ),
        (
            "Microsoft.Authorization/policyAssignments/exempt/action",
            "to exempt from an assignment",
        ),
        (
            "Microsoft.Authorization/policyExemptions/read",
            "to see exemptions",
        ),
        (
            "Microsoft.Authorization/policyExemptions/write",
            "to make them",
        ),
        (
            "Microsoft.Authorization/policyExemptions/delete",
            "to take them back",
        ),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "to see the role of the policy's identity, for `admin_account_off`",
        ),
        (
            "Microsoft.Authorization/roleAssignments/write",
            "to give it; `Role Based Access Control Administrator` has it",
        ),
        (
            "Microsoft.Authorization/roleAssignments/delete",
            "to take it back",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "to use a given identity",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "to find the object id of a given identity",
        ),
        (
            "Microsoft.PolicyInsights/policyStates/queryResults/action",
            "to read compliance",
        ),
        (
            "Microsoft.PolicyInsights/remediations/read",
            "to wait for the remediation",
        ),
        (
            "Microsoft.PolicyInsights/remediations/write",
            "to start it, for `remediate`",
        ),
        (
            "Microsoft.PolicyInsights/remediations/delete",
            "to remove it",
        ),
        (
            "Microsoft.ContainerRegistry/registries/read",
            "to find registries whose next change would be denied, while planning",
        ),
    ],
    failures: &[
        (
            "`RequestDisallowedByPolicy` where a registry is made or changed",
            "A policy with `Deny` holds there, and the registry does not meet it in the request itself. Change the \
             argument that the error names, or exempt the registry. The plan that chose `Deny` warned of the \
             registries that stood then.",
        ),
        (
            "compliance is empty, or old",
            "A new assignment takes up to half an hour until Azure has evaluated it; after that once a day. `az \
             policy state trigger-scan` hurries it.",
        ),
        (
            "the remediation failed",
            "It shows as drift, and the next apply starts it again. Its deployments need the role of the policy's \
             identity, which takes some minutes until it counts everywhere.",
        ),
        (
            "the admin user of a registry shows drift again and again",
            "`admin_account_off` turns it off at each write, and `admin_enabled = true` turns it on. Exempt the \
             registry, or leave it off.",
        ),
        (
            "an exemption has expired",
            "Azure keeps it and no longer honours it. Remove it, or set another `expires_on`.",
        ),
    ],
    notes: "## Policies and effects\n\n\
            | Argument | Built-in policy | Effects |\n\
            |---|---|---|\n\
            | `unrestricted_network_access` | `d0793b48-0edc-4296-a390-4c75d1bdfd71` | Audit, Deny, Disabled |\n\
            | `private_link` | `e8eef0a8-67cf-4eb4-9386-14b0e78733d4` | Audit, Disabled |\n\
            | `public_network_access` | `0fdf0491-d080-4575-b627-ad0e843cba0f` | Audit, Deny, Disabled |\n\
            | `admin_account` | `dc921057-6b28-4fbe-9b83-f7bec05db6c2` | Audit, Deny, Disabled |\n\
            | `admin_account_off` | `79fdfe03-ffcb-4e55-b4d0-b925b8241759` | Modify, Disabled |\n\
            | `exports` | `524b0254-c285-4903-bee6-bb8126cde579` | Audit, Deny, Disabled |\n\n\
            ## What the plan looks at\n\n\
            At a subscription, a group or a registry the plan evaluates the rules on the registries that stand \
            there and warns of those that `Deny` would stop, and of admin users that a remediation would turn off. \
            Registries below a management group are not listed by Azure Resource Manager, and so are not looked at; \
            registries that another part of the same plan is about to make are not known to this resource.\n\n\
            ## Import\n\nBy the id of one of the assignments: all at the scope whose names begin alike are taken \
            over, with their exemptions, role and remediation; or by the scope's id, which takes those that begin \
            with `fkaks`, or the only ones. The names must end as this resource ends them: `-network`, \
            `-private-link`, `-public`, `-admin`, `-admin-off`, `-exports`.",
};
