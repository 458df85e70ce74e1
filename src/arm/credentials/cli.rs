//! The account of the Azure CLI: what a developer's machine has.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::{Ask, Failure, Token, number, seconds_until};

/// How to ask the Azure CLI.
pub(super) struct Cli {
    /// `az`; tests put another program here.
    pub program: String,
    pub tenant_id: Option<String>,
    pub subscription_id: Option<String>,
}

impl Cli {
    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Token, Failure> {
        let mut arguments = vec![
            "account",
            "get-access-token",
            "--output",
            "json",
            "--scope",
            ask.scope,
        ];
        // The CLI knows the tenant of each subscription, but takes only one of the two.
        match (ask.tenant(self.tenant_id.as_deref()), &self.subscription_id) {
            (Some(tenant), _) => arguments.extend(["--tenant", tenant]),
            (None, Some(subscription)) => arguments.extend(["--subscription", subscription]),
            (None, None) => {}
        }
        // On Windows the CLI is a batch file, whose arguments the shell would interpret.
        if let Some(odd) = arguments.iter().find(|a| {
            !a.chars()
                .all(|c| c.is_alphanumeric() || "-_./: ".contains(c))
        }) {
            return Err(Failure::reason(format!(
                "{odd:?} cannot be passed to the Azure CLI"
            )));
        }
        let mut command = if cfg!(windows) {
            let mut shell = Command::new("cmd");
            shell.args(["/C", &self.program]);
            shell
        } else {
            Command::new(&self.program)
        };
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output =
            ask.call
                .bound(command.output())
                .await?
                .map_err(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => {
                        Failure::reason("the program az is not installed, or not on PATH")
                    }
                    _ => Failure::reason(format!("az cannot be started: {error}")),
                })?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let words: String = words
                .trim_start_matches("ERROR: ")
                .chars()
                .take(600)
                .collect();
            return Err(Failure::reason(match words.as_str() {
                "" => format!("az ended with {}", output.status),
                words => format!("az account get-access-token: {words}"),
            }));
        }
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let Some(token) = said["accessToken"].as_str() else {
            return Err(Failure::reason("az answered without an access token"));
        };
        // `expiresOn` is in local time and ambiguous; `expires_on` came with version 2.54.
        let Some(expires_on) = number(said.get("expires_on")) else {
            return Err(Failure::reason(
                "az is too old: version 2.54 or newer is needed",
            ));
        };
        Ok(ask.token(token, seconds_until(expires_on)))
    }
}
