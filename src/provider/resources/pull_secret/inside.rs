//! What is inside the cluster, as far as a run command can tell, and what should be.

use sha2::{Digest as _, Sha256};

use super::{Input, Known, script};
use crate::arm::{ArmId, Command, Json};
use crate::provider::parts::{Look, Question, Seen, Unread};

/// Who wrote a secret, in its label `app.kubernetes.io/managed-by`.
pub const OWNER: &str = "fkaks";
/// The annotation that says what a secret was written from.
pub const SOURCE: &str = "fkaks.io/source";
/// The beginning of the lines that a look prints.
pub const PREFIX: &str = "fkaks.";

/// What to do about complaints of a cluster.
pub const COMPLAINED: &str = "mend what the cluster complains of (`Forbidden`: give the caller a right in Kubernetes, \
     `Azure Kubernetes Service RBAC Writer` in the namespace for example)";

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inside {
    /// Whether the namespace is there.
    pub has_namespace: bool,
    /// The secret, when it is there.
    pub secret: Option<Held>,
}

/// A secret in the cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// Kubernetes' own id of it.
    pub uid: String,
    /// Its type.
    pub kind: String,
    /// Who manages it, by its label.
    pub owner: String,
    /// What it was written from.
    pub source: String,
    /// The checksum of what it has.
    pub checksum: String,
}

/// Why nobody could look inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// In a few words.
    pub why: String,
    /// The way out.
    pub fix: String,
}

/// Looks inside.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn look(input: &Input, seen: &Seen) -> Result<Result<Inside, Closed>, Unread> {
    let Look::Found(cluster) = seen.look(&input.cluster_id)? else {
        return Ok(Err(Closed {
            why: "the cluster is not there, or may not be read".to_owned(),
            fix: "give the id of a cluster that there is, and the caller a role that reads it."
                .to_owned(),
        }));
    };
    if let Some(closed) = closed(cluster) {
        return Ok(Err(closed));
    }
    let question = Question::Command(command(input, cluster, script::look(input, &salt(input))));
    Ok(match seen.ask(&question)? {
        Look::Found(result) => of_result(result),
        Look::Absent => Err(Closed {
            why: "the result of the command in the cluster was not found".to_owned(),
            fix: "try again.".to_owned(),
        }),
        Look::Denied(error) => Err(Closed {
            why: format!("Azure did not run a command in the cluster: {error}"),
            fix: "give the caller a role with the actions `Microsoft.ContainerService/managedClusters/runCommand/action` \
                  and `Microsoft.ContainerService/managedClusters/commandResults/read`, and see that the cluster has \
                  a node that is ready; then try again."
                .to_owned(),
        }),
    })
}

/// A command in the cluster. One with Entra for its users runs it as the caller.
pub fn command(input: &Input, cluster: &Json, text: String) -> Command {
    Command {
        cluster: input.cluster_id.clone(),
        text,
        as_caller: cluster["properties"]["aadProfile"]["managed"] == true,
    }
}

/// What stands before the data when its checksum is made, so that the same password in two places has not
/// the same checksum.
fn salt(input: &Input) -> String {
    input.id().as_str().to_lowercase()
}

/// Why a cluster runs no commands, as Resource Manager shows it.
pub fn closed(cluster: &Json) -> Option<Closed> {
    let properties = &cluster["properties"];
    if properties["apiServerAccessProfile"]["disableRunCommand"] == true {
        return Some(Closed {
            why: "run command is disabled for the cluster".to_owned(),
            fix: "allow it; whoever may use it is a matter of the action `Microsoft.ContainerService/\
                  managedClusters/runCommand/action`:\n\n  run_command_enabled = true\n\nWhere the \
                  configuration of the cluster has that already, let the cluster be repaired first:\n\n  tofu apply \
                  -target=fkaks_cluster.example"
                .to_owned(),
        });
    }
    if properties["powerState"]["code"] == "Stopped" {
        return Some(Closed {
            why: "the cluster is stopped".to_owned(),
            fix: "start it, and apply again:\n\n  az aks start --ids <id of the cluster>"
                .to_owned(),
        });
    }
    None
}

fn of_result(result: &Json) -> Result<Inside, Closed> {
    let properties = &result["properties"];
    let logs = properties["logs"].as_str().unwrap_or_default();
    if exit_code(result) != Some(0) {
        return Err(Closed {
            why: format!(
                "the command in the cluster failed: {}",
                complaints(result).join("; ")
            ),
            fix: format!("{COMPLAINED}, and try again."),
        });
    }
    let field = |name: &str| {
        let start = format!("{PREFIX}{name}=");
        let mut values = logs.lines().filter_map(|line| line.strip_prefix(&start));
        values.next().map(ToOwned::to_owned)
    };
    let mut last_first = logs.lines().rev();
    let checksum = last_first.find_map(|line| line.strip_suffix("  -"));
    let secret = field("uid").map(|uid| Held {
        uid,
        kind: field("type").unwrap_or_default(),
        owner: field("owner").unwrap_or_default(),
        source: field("source").unwrap_or_default(),
        checksum: checksum.unwrap_or_default().to_owned(),
    });
    // The second look at the same secret has seen nothing at all, not even an empty one.
    if secret
        .as_ref()
        .is_some_and(|held| held.checksum.is_empty() || held.checksum == checksum_of(""))
    {
        return Err(Closed {
            why: "the secret changed while it was looked at".to_owned(),
            fix: "try again.".to_owned(),
        });
    }
    Ok(Inside {
        has_namespace: field("namespace").is_some(),
        secret,
    })
}

/// The exit code of a command, when it ran.
pub fn exit_code(result: &Json) -> Option<i64> {
    result["properties"]["exitCode"].as_i64()
}

/// What the programs of a command complained of: only lines that are known to be complaints, since
/// nothing else needs to be shown.
pub fn complaints(result: &Json) -> Vec<String> {
    const STARTS: &[&str] = &[
        "curl: ",
        "error",
        "Error",
        "jq: error",
        "The Secret",
        "sh: ",
        "bash: ",
    ];
    let properties = &result["properties"];
    let logs = properties["logs"].as_str().unwrap_or_default();
    let complains = |line: &&str| STARTS.iter().any(|start| line.starts_with(start));
    let mut lines: Vec<String> = logs
        .lines()
        .filter(complains)
        .take(8)
        .map(|line| line.chars().take(300).collect())
        .collect();
    lines.extend(properties["reason"].as_str().map(ToOwned::to_owned));
    if lines.is_empty() {
        lines.push(match exit_code(result) {
            Some(code) => format!("exit code {code}"),
            None => "it did not run".to_owned(),
        });
    }
    lines
}

impl Held {
    /// Whether this provider wrote it: by its label, or because it is the very object that is known.
    pub fn is_ours(&self, known: &Known) -> bool {
        self.owner == OWNER || known.uid.as_deref() == Some(self.uid.as_str())
    }

    /// What of it is not as it was written, and as it should be: a line for each reason.
    pub fn faults(&self, known: &Known, source: Option<&str>) -> Vec<String> {
        let mut faults = Vec::new();
        if self.owner != OWNER {
            faults.push("the secret's label app.kubernetes.io/managed-by is not fkaks".to_owned());
        }
        if self.kind != script::TYPE {
            faults.push(format!(
                "the secret is of the type {}, and should be {}",
                self.kind,
                script::TYPE
            ));
        }
        let other =
            |known: &Option<String>, now: &str| known.as_deref().is_some_and(|known| known != now);
        if other(&known.uid, &self.uid) {
            faults.push("the secret was deleted, and made anew by someone".to_owned());
        }
        if other(&known.checksum, &self.checksum) {
            faults.push(
                "the secret's data is not what was written: its checksum is another one".to_owned(),
            );
        }
        if let Some(source) = source.filter(|source| *source != self.source) {
            let from = match self.source.as_str() {
                "" => "elsewhere",
                from => from,
            };
            faults.push(format!(
                "the secret was written from {from}, and should be from {source}"
            ));
        }
        faults
    }
}

/// What the secret should be written from: `None` where that cannot be seen.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn source(input: &Input, seen: &Seen) -> Result<Option<String>, Unread> {
    if let Some(uri) = &input.key_vault_secret_uri {
        return Ok(Some(uri.clone()));
    }
    let Some(id) = &input.key_vault_secret_id else {
        return Ok(input
            .docker_config_json_wo_version
            .map(|version| format!("version {version}")));
    };
    let secret = seen.look(id)?.found();
    let version = secret.and_then(|secret| secret["properties"]["secretUriWithVersion"].as_str());
    Ok(version.map(ToOwned::to_owned))
}

fn checksum_of(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an address is that of a version of a secret, in a vault of any cloud:
/// `https://<vault>.vault.<domain>/secrets/<name>/<version>`. The token of the node goes there.
pub fn is_version_of(uri: &str, secret: &ArmId) -> bool {
    let Some(vault) = secret.parent() else {
        return false;
    };
    let parts: Vec<&str> = uri.split('/').collect();
    let ["https:", "", host, "secrets", name, version] = parts[..] else {
        return false;
    };
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    let of_vault = host.split_once('.').is_some_and(|(label, domain)| {
        label.eq_ignore_ascii_case(vault.name()) && domain.starts_with("vault.")
    });
    of_vault && plain(host) && name.eq_ignore_ascii_case(secret.name()) && plain(version)
}

/// The client id of the identity that the nodes have for their kubelets.
pub fn kubelet(cluster: &Json) -> Option<&str> {
    cluster["properties"]["identityProfile"]["kubeletidentity"]["clientId"].as_str()
}

/// The audience of a vault's tokens, for an address: the vault's without its own name, such as
/// `https://vault.azure.net` in the public cloud.
pub fn audience(secret_uri: &str) -> Option<String> {
    let host = secret_uri.strip_prefix("https://")?.split('/').next()?;
    let (_, domain) = host.split_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    domain
        .chars()
        .all(plain)
        .then(|| format!("https%3A%2F%2F{domain}"))
}

/// The cluster of an input, for whoever reads it besides.
pub fn cluster<'a>(id: &ArmId, seen: &'a Seen) -> Result<Option<&'a Json>, Unread> {
    Ok(seen.look(id)?.found())
}
