//! Where cases begin. What a fixture stands on, and what its creation makes, is made once for all cases: each then
//! gets a sandbox with a world of its own, and a provider that remembers nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use fkaks_sandbox::World;
use tfplugin_rs::testing::Instance;
use tokio::sync::OnceCell;

use crate::fixtures::Fixture;
use crate::lab::Lab;
use crate::told::no_errors;

/// A world, and what was in it before the resource: ids in lower case.
pub struct Scene {
    pub world: World,
    pub before: BTreeSet<String>,
}

/// The same with the state that a creation left, or why it failed.
type Standing = Result<(Arc<Scene>, Instance), String>;

/// Values of which each is made once in a process, when it is first asked for.
pub struct Once<K, T>(Mutex<BTreeMap<K, Arc<OnceCell<T>>>>);

impl<K: Ord, T: Clone> Once<K, T> {
    /// Nothing is made yet.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The value of that key.
    pub async fn get(&self, key: K, make: impl Future<Output = T>) -> T {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key).or_default())
        };
        // On the heap, since these are deep, and each holds the next.
        cell.get_or_init(|| Box::pin(make)).await.clone()
    }
}

/// What the fixture stands on.
pub async fn surroundings(fixture: &'static Fixture) -> Arc<Scene> {
    static MADE: Once<usize, Arc<Scene>> = Once::new();
    let make = async {
        let lab = Lab::bare(fixture).await;
        lab.prepare().await;
        Arc::new(lab.scene(lab.all_ids()))
    };
    MADE.get(which(fixture), make).await
}

/// The same with what a creation makes, and the state that it leaves: with short timeouts in it, where the case waits
/// for them.
///
/// # Errors
/// The creation fails.
pub async fn standing(fixture: &'static Fixture, hurried: bool) -> Standing {
    static MADE: Once<(usize, bool), Standing> = Once::new();
    let make = async {
        let mut lab = Lab::of(fixture).await;
        lab.hurried = hurried;
        let before = lab.all_ids();
        let made = lab.apply(&(fixture.config)(), None).await;
        no_errors("the creation before", &made.diagnostics)?;
        let instance = made.instance.ok_or("the creation before left no state")?;
        Ok((Arc::new(lab.scene(before)), instance))
    };
    MADE.get((which(fixture), hurried), make).await
}

/// A fixture by its place: a resource and a data source may have one name.
fn which(fixture: &'static Fixture) -> usize {
    std::ptr::from_ref(fixture).addr()
}
