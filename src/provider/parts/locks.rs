//! Locks by name within this process: one network's address plan, one registry's connections.
//!
//! They save needless conflicts; other processes are kept off by Azure's own answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::arm::{ArmId, Call, Error};

/// Something that few may do at a time, in this process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// What is locked: an id in lower case, and the aspect of it.
    pub key: String,
    /// How many may hold it at a time.
    pub width: u32,
}

impl Lock {
    /// A lock on one aspect of an object, which that many may hold at a time.
    #[must_use]
    pub fn on(id: &ArmId, aspect: &str, width: u32) -> Self {
        Self {
            key: format!("{}#{aspect}", id.as_str().to_lowercase()),
            width,
        }
    }
}

/// All locks of the process.
#[derive(Debug, Default, Clone)]
pub struct Locks(Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>);

impl Locks {
    /// Takes all of these, in sorted order so that nobody waits for each other in a circle.
    /// Waiting does not use up the call's timeout.
    ///
    /// # Errors
    /// When the call is stopped meanwhile.
    pub async fn take(
        &self,
        call: &Call,
        locks: &[Lock],
    ) -> Result<Vec<OwnedSemaphorePermit>, Error> {
        let mut sorted: Vec<&Lock> = locks.iter().collect();
        sorted.sort();
        sorted.dedup();
        let mut held = Vec::with_capacity(sorted.len());
        for lock in sorted {
            let semaphore = Arc::clone(
                self.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(lock.key.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(lock.width as usize))),
            );
            // A semaphore fails only when it is closed, and these never are.
            if let Ok(permit) = call.paused(semaphore.acquire_owned()).await? {
                held.push(permit);
            }
        }
        Ok(held)
    }
}
