//! What the configured provider shares among its resources: the client, the locks, the tags.

use std::sync::{Arc, PoisonError, RwLock};

use super::parts::{Locks, Surroundings};
use crate::arm::{Call, Client};

/// A configured provider.
#[derive(Debug)]
pub struct Session {
    /// Speaks to Azure.
    pub client: Client,
    /// Facts about where the provider runs, as far as the configuration tells them.
    pub surroundings: Arc<Surroundings>,
    /// The locks of this process.
    pub locks: Locks,
}

impl Session {
    /// Facts about where the provider runs. The names of a cloud of one's own come from its
    /// metadata, which is read when it is first needed; where it cannot be read, the request that
    /// follows says why.
    pub async fn surroundings(&self, call: &Call) -> Arc<Surroundings> {
        let mut surroundings = (*self.surroundings).clone();
        if let Ok(cloud) = self.client.discover(call).await {
            surroundings.cloud = cloud.clone();
        }
        surroundings.now = time::OffsetDateTime::now_utc();
        Arc::new(surroundings)
    }
}

/// Why there is no session.
#[derive(Debug, Clone)]
pub struct NoSession {
    /// One line.
    pub summary: String,
    /// What to do.
    pub detail: String,
}

/// Where the session will be once the provider is configured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SessionSlot(Arc<RwLock<Slot>>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Unconfigured,
    /// The configuration has values that are known only after apply.
    Unknown(Vec<String>),
    Ready(Arc<Session>),
}

impl SessionSlot {
    /// The session is there.
    pub fn fill(&self, session: Session) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Slot::Ready(Arc::new(session));
    }

    /// These arguments of the provider block are known only after apply.
    pub fn defer(&self, unknown: Vec<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Slot::Unknown(unknown);
    }

    /// The session.
    ///
    /// # Errors
    /// When the provider is not configured, or not with values that are known.
    pub fn get(&self) -> Result<Arc<Session>, NoSession> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Ready(session) => Ok(Arc::clone(session)),
            Slot::Unconfigured => Err(NoSession {
                summary: "the provider fkaks is not configured".to_owned(),
                detail:
                    "Azure is needed here, and the provider has not been configured. This is a \
                         mistake in the provider or in the CLI; please report it."
                        .to_owned(),
            }),
            Slot::Unknown(arguments) => Err(NoSession {
                summary: "the provider's configuration is not known yet".to_owned(),
                detail: format!(
                    "Azure is needed here, and these arguments of the provider block are known \
                     only after apply:\n- {}\n\nFix: give them values that do not depend on \
                     resources, or apply those resources first, with `-target`.",
                    arguments.join("\n- ")
                ),
            }),
        }
    }
}
