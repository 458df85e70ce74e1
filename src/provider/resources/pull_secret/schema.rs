//! What users may write, and what its page says beyond that.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal, Schema};

use crate::provider::parts::{ARM_ID, Page, drift, objects, same_id};

const NAMESPACE: Check = Check::Text("1 to 63 lower-case letters, digits and `-`", namespace);

const NAME: Check = Check::Text("1 to 253 lower-case letters, digits, `-` and `.`", name);

const GUID: Check = Check::Text("a client id, a GUID", |text| {
    match uuid::Uuid::parse_str(text) {
        Ok(_) if text.len() == 36 => Ok(()),
        _ => Err(format!(
            "{text:?} is no client id: give the `client_id` of an identity."
        )),
    }
});

/// Checks the name of a namespace (Kubernetes, "Object Names and IDs": RFC 1123 label names).
///
/// # Errors
/// What is wrong with it.
pub fn namespace(text: &str) -> Result<(), String> {
    if text.len() <= 63 && is_label(text) {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no namespace: 1 to 63 lower-case letters, digits and `-`, without `-` at either end"
        ))
    }
}

/// Checks the name of a secret (RFC 1123 subdomain names).
///
/// # Errors
/// What is wrong with it.
pub fn name(text: &str) -> Result<(), String> {
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name of a secret: 1 to 253 lower-case letters, digits, `-` and `.`, which begins and ends with \
             a letter or digit"
        ))
    }
}

fn is_label(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !text.is_empty()
        && text.chars().all(|c| word(c) || c == '-')
        && text.starts_with(word)
        && text.ends_with(word)
}

const CONTENT: Computed = Computed::Follows(&[
    "cluster_id",
    "namespace",
    "name",
    "key_vault_secret_id",
    "key_vault_secret_uri",
    "docker_config_json_wo_version",
    "drift",
]);

/// The schema.
pub const SCHEMA: Schema = Schema::new(
    "An image pull secret in a namespace of a cluster, private ones too: written from within, by run command.",
    &[
        Attribute::required("cluster_id", Kind::String)
            .describe("The cluster, in any subscription. Run command must be allowed.")
            .checked(&[ARM_ID])
            .same_when(same_id)
            .replaces(),
        Attribute::required("namespace", Kind::String)
            .describe("The namespace in which pods pull with it.")
            .checked(&[NAMESPACE])
            .replaces(),
        Attribute::required("name", Kind::String)
            .describe("The secret's name, for `imagePullSecrets`.")
            .checked(&[NAME])
            .replaces(),
        Attribute::optional("create_namespace", Kind::Bool)
            .describe(
                "Whether a missing namespace is made. It stays when the secret goes, since others may use it.",
            )
            .default_to(Literal::Bool(false)),
        Attribute::optional("key_vault_secret_id", Kind::String)
            .describe(
                "The ARM id of the Key Vault secret that has the Docker configuration, such as \
                 `fkaks_registry_token.example.secrets[\"dockerconfigjson\"].id`. A pod in the cluster fetches it with \
                 an identity of the node; a newer version is drift. Either this or `docker_config_json_wo`.",
            )
            .checked(&[ARM_ID])
            .same_when(same_id),
        Attribute::optional("key_vault_secret_uri", Kind::String)
            .describe(
                "The address of the version that is wanted, such as \
                 `fkaks_registry_token.example.secrets[\"dockerconfigjson\"].versioned_uri`: with it, an apply that \
                 rotates the token writes the secret, too. Without it the newest version is wanted, which \
                 the plan after a rotation finds.",
            ),
        Attribute::optional("identity_client_id", Kind::String)
            .describe(
                "The client id of the identity that reads the vault. The nodes must have it. By default that of \
                 the kubelets. Another one's role is left to you.",
            )
            .checked(&[GUID]),
        Attribute::optional("manage_role_assignments", Kind::Bool)
            .describe(
                "Whether the kubelets' identity gets the role `Key Vault Secrets User` on the vault's secret here, \
                 unless somebody else has given it. With `false` the plan only looks whether it has one.",
            )
            .default_to(Literal::Bool(true)),
        Attribute::optional("docker_config_json_wo", Kind::String)
            .describe(
                "The Docker configuration itself, the content of `.dockerconfigjson`. It is in no state and no plan, and \
                 goes to Azure in the context of the run command, not in its text. Either this or \
                 `key_vault_secret_id`.",
            )
            .sensitive()
            .write_only(),
        Attribute::optional("docker_config_json_wo_version", Kind::Integer)
            .describe("Another number says that the value is another one. Goes with `docker_config_json_wo`.")
            .checked(&[Check::Range(0, 1_000_000_000)]),
        Attribute::computed("id", Kind::String, Computed::Fixed).describe(
            "The cluster's id with namespace and name behind it. It imports the secret; Resource Manager \
             itself does not know it.",
        ),
        Attribute::computed("uid", Kind::String, CONTENT).describe("Kubernetes' own id of the secret."),
        Attribute::computed("source", Kind::String, CONTENT)
            .describe("What it was written from: the version in the vault, or that of the value."),
        Attribute::computed("checksum", Kind::String, CONTENT)
            .describe("A checksum of the data that was written, made in the cluster."),
        objects(),
        drift(),
    ],
);

/// The page.
pub const PAGE: Page = Page {
    subcategory: "Cluster",
    permissions: &[
        (
            "Microsoft.ContainerService/managedClusters/read",
            "to see whether the cluster runs commands, and which identity its nodes have",
        ),
        (
            "Microsoft.ContainerService/managedClusters/runCommand/action",
            "to look into the cluster, and to write",
        ),
        (
            "Microsoft.ContainerService/managedClusters/commandResults/read",
            "to read how a command ended",
        ),
        (
            "Microsoft.KeyVault/vaults/secrets/read",
            "to see which version the vault has, not its value; for `key_vault_secret_id` alone",
        ),
        (
            "Microsoft.KeyVault/vaults/read",
            "to see whether the vault asks for roles",
        ),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "to see whether the nodes may read the secret",
        ),
        (
            "Microsoft.Authorization/roleAssignments/write",
            "to let them, with `manage_role_assignments`",
        ),
        (
            "Microsoft.Authorization/roleAssignments/delete",
            "to take that back",
        ),
    ],
    failures: &[
        (
            "run command is disabled for the cluster, or the cluster is stopped",
            "The plan of a change says so, and so does a destroy. Reading keeps the state, and a warning says that \
             nobody looked. Allow run command (`run_command_enabled`), or start the cluster.",
        ),
        (
            "the secret exists already, and is someone else's",
            "Nothing is overwritten that this resource has not written. Choose another name, or import it.",
        ),
        (
            "the cluster has no namespace of that name",
            "Set `create_namespace = true`, or make the namespace before.",
        ),
        (
            "the command in the cluster failed: `curl: (22) ... 403`",
            "The identity may not read the vault's secret, or the vault's firewall keeps the nodes out. With \
             `manage_role_assignments = false`, or another identity than the kubelets', assign `Key Vault Secrets User` \
             to it. A new role takes some minutes to count; the pod tries for two of them, and the next apply again.",
        ),
        (
            "the caller may not assign the role with which the nodes read the secret",
            "Have an owner give the caller `Role Based Access Control Administrator` on the vault, or the nodes \
             the role, with `manage_role_assignments = false`.",
        ),
        (
            "the vault has access policies, and none lets the nodes read its secrets",
            "Role assignments do not count in such a vault: turn it to roles, or add a policy.",
        ),
        (
            "the command in the cluster failed: `curl: (22) ... 400`",
            "The nodes do not have the identity: name one that they have in `identity_client_id`.",
        ),
        (
            "the command in the cluster failed: `curl: (28)` or `(6)`",
            "The pod does not reach the vault, or the nodes' identity endpoint: a private endpoint or the link of \
             the zone `privatelink.vaultcore.azure.net` is missing, or a network policy or the restriction of IMDS \
             is in the way.",
        ),
        (
            "the command in the cluster failed: `Error from server (Forbidden)`",
            "The cluster has Entra for its users, so the command runs as the caller of this provider, who needs \
             `Azure Kubernetes Service RBAC Writer` in the namespace, or `Azure Kubernetes Service RBAC Cluster Admin` \
             for `create_namespace`.",
        ),
    ],
    notes: "## Where the value goes\n\n\
            With `key_vault_secret_id` it goes from the vault to a pod in the cluster, and from there to the cluster's \
            API: neither this provider nor Resource Manager has it, and the vault may be private. The pod is that of the \
            run command. It asks the node's identity endpoint (IMDS) for a token of the kubelet identity, or of \
            `identity_client_id`, and the vault for the secret. The kubelets' identity gets the role `Key \
            Vault Secrets User` for that, on this one secret; it goes when the pull secret does. Whatever runs on a node \
            and reaches that endpoint may then read this secret, which is in the cluster anyway. Another identity must \
            have the role already:\n\n\
            ```terraform\n\
            resource \"azurerm_role_assignment\" \"pull_secret\" {\n  \
            scope                = fkaks_registry_token.team.secrets[\"dockerconfigjson\"].id\n  \
            role_definition_name = \"Key Vault Secrets User\"\n  \
            principal_id         = azurerm_user_assigned_identity.reader.principal_id\n\
            }\n\
            ```\n\n\
            Several pull secrets of one vault's secret in one cluster share the role: the first one makes it, and when \
            that one goes, the next plan of another gives it again.\n\n\
            With `docker_config_json_wo` it goes through Resource Manager, in the context of the run command (a zip file \
            in the request's body), and so through Azure's hands. It is in no command text, log, plan or state.\n\n\
            In the cluster it is a secret like any other: whoever may read secrets of the namespace, or run commands as \
            an administrator, may read it.\n\n\
            ## Who acts in the cluster\n\n\
            Where the cluster has Entra for its users, Azure wants a token for the cluster with each command, and the \
            command runs as the caller: he needs rights in Kubernetes, too. Elsewhere it runs as an administrator \
            of the cluster.\n\n\
            ## Drift\n\n\
            Each read runs a command in the cluster, which takes some seconds. It prints the secret's type, label and \
            annotation, and a checksum of its data, so that no data leaves the cluster. A secret that is missing, \
            has other data, another type or no label, or was made of an older version, is drift. Where no command \
            can be run, the state is kept, and a warning says why.\n\n\
            ## Import\n\n\
            By the cluster's id with namespace and name behind it. The first apply writes the secret, unless it was \
            written from what is wanted already.",
};
