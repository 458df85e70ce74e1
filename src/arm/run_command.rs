//! Commands in a cluster (`runCommand`): Azure starts a pod in it, runs the command there, and answers
//! what it printed. So a private cluster needs no way in.
//! (Microsoft.ContainerService `managedClusters/runCommand`, API version 2026-05-01.)

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{ArmId, Call, Client, Error, Json, Pending, Secret};

/// The server application of all clusters that have Entra for their users, the same in every cloud
/// (Microsoft Learn, "Use kubelogin to authenticate in AKS").
const SERVER_APPLICATION: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// A command for a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    /// The cluster.
    pub cluster: ArmId,
    /// The text. Whoever may read the pods of the cluster may read it.
    pub text: String,
    /// Whether it acts in the cluster as the caller, as one with Entra for its users demands.
    pub as_caller: bool,
}

/// How long a command that changes something is waited for after a stop or a timeout. It takes some seconds
/// and nothing in Azure shows that it is under way, so whoever looks before its end finds what it is about
/// to change.
const LAST_WAIT: Duration = Duration::from_secs(60);

impl Client {
    /// Runs a command that only looks. Gives the `commandResults` that Azure ends with.
    ///
    /// # Errors
    /// Azure's, also where there is no token for the cluster; not that the command itself has failed.
    pub async fn ask_cluster(&self, call: &Call, command: &Command) -> Result<Json, Error> {
        let pending = self.start(call, command, &Secret::default()).await?;
        pending.wait(call).await
    }

    /// Runs a command that changes something and does the same when it runs twice, so that it is sent again when
    /// its answer is lost. `context` is a zip file in base64 that is unpacked beside it; empty for none.
    ///
    /// # Errors
    /// As [`Client::ask_cluster`].
    pub async fn run_command(
        &self,
        call: &Call,
        command: &Command,
        context: &Secret,
    ) -> Result<Json, Error> {
        let pending = self.start(call, command, context).await?;
        let clock = call.clock();
        let longer = Call::new(
            clock,
            call.remaining() + LAST_WAIT,
            CancellationToken::new(),
        );
        let given_up = async {
            let ended = call.ended().await;
            clock.sleep(LAST_WAIT).await;
            ended
        };
        tokio::select! {
            end = pending.wait(&longer) => end,
            ended = given_up => Err(ended),
        }
    }

    async fn start(
        &self,
        call: &Call,
        command: &Command,
        context: &Secret,
    ) -> Result<Pending, Error> {
        let mut body = json!({ "command": command.text, "context": context.expose() });
        if command.as_caller {
            let inner = &self.0;
            let cloud = self.discover(call).await?;
            let token = inner
                .tokens
                .token_for(call, &inner.http, cloud, SERVER_APPLICATION)
                .await?;
            body["clusterToken"] = token.expose().into();
        }
        self.ask(call, &command.cluster, "runCommand", &body).await
    }
}
