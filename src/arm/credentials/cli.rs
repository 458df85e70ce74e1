//! The account of the Azure CLI, what a developer's machine has: `AzureCliCredential` of
//! `azure_identity`, with a way of our own to run the program.

use std::ffi::OsStr;
use std::io;
use std::process::{Output, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use tokio::process::Command;

use super::{Ask, Failure, Token, words};

/// How to ask the Azure CLI.
pub(super) struct Cli {
    /// Where the program is looked for, instead of in the directories of PATH.
    pub search_path: Option<String>,
    pub tenant_id: Option<String>,
    pub subscription_id: Option<String>,
}

impl Cli {
    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<Token, Failure> {
        let tenant_id = ask.tenant(self.tenant_id.as_deref()).map(str::to_owned);
        let options = AzureCliCredentialOptions {
            // The CLI knows the tenant of each subscription, but takes only one of the two.
            subscription: self.subscription_id.clone().filter(|_| tenant_id.is_none()),
            tenant_id,
            executor: Some(Arc::new(Shell {
                search_path: self.search_path.clone(),
            })),
        };
        let credential = AzureCliCredential::new(Some(options)).map_err(|error| refusal(&error))?;
        let scopes = [ask.scope];
        let asked = credential.get_token(&scopes, None);
        match ask.call.bound(asked).await? {
            Ok(token) if token.token.secret().is_empty() => {
                Err(Failure::reason("az answered without an access token"))
            }
            Ok(token) => Ok(ask.received(&token)),
            Err(error) => Err(refusal(&error)),
        }
    }
}

/// What the CLI said, in one line.
fn refusal(error: &azure_core::Error) -> Failure {
    let words = words(error);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words
        .trim_start_matches("ERROR: ")
        .chars()
        .take(600)
        .collect();
    Failure::reason(match words.as_str() {
        "" => "az account get-access-token failed without a word".to_owned(),
        words => format!("az account get-access-token: {words}"),
    })
}

/// Runs the shell's command line that the credential gives. It reads nothing from the terminal,
/// which belongs to Terraform, and ends when nobody waits for it any more.
#[derive(Debug)]
struct Shell {
    search_path: Option<String>,
}

#[async_trait]
impl Executor for Shell {
    async fn run(&self, program: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(path) = &self.search_path {
            command.env("PATH", path);
        }
        command.output().await
    }
}
