//! Runs many cases at once and tells all that failed, each by the resource, the step, the request
//! and the fault, with what was expected.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;

use crate::told::Verdict;

/// A case: its name and its work.
pub struct Case {
    pub name: String,
    work: Pin<Box<dyn Future<Output = Verdict> + Send>>,
}

impl Case {
    /// A case of that name.
    pub fn new(name: String, work: impl Future<Output = Verdict> + Send + 'static) -> Self {
        Self {
            name,
            work: Box::pin(work),
        }
    }
}

/// How many run at a time. Most of a case is work for the processor, the rest is waiting for operations.
pub const BUSY: usize = 6;
/// The same for cases that mostly wait for a timeout.
pub const IDLE: usize = 64;

/// Longer than this, on the wall, means that something waits for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// How many failures are shown in full.
const SHOWN: usize = 12;

/// Some of all kinds for the case at that place, in turn, so that neighbours meet different ones
/// and a run stays short; all of them where `FKAKS_GENERIC_ALL` is set.
pub fn in_turn<T: Clone>(all: &[T], place: usize, some: usize) -> Vec<T> {
    if some >= all.len() || std::env::var_os("FKAKS_GENERIC_ALL").is_some() {
        return all.to_vec();
    }
    let turned = all.iter().cycle().skip(place * some % all.len());
    turned.take(some).cloned().collect()
}

/// Runs the cases whose names contain `FKAKS_GENERIC`, where that is set.
///
/// # Panics
/// When one fails: with all of them.
pub async fn run(cases: Vec<Case>, at_once: usize) {
    let only = std::env::var("FKAKS_GENERIC").unwrap_or_default();
    let all = cases.len();
    assert!(all > 0 || !only.is_empty(), "there is no case");
    let ends: Vec<(String, Verdict)> = futures::stream::iter(cases)
        .filter(|case| std::future::ready(case.name.contains(&only)))
        .map(|case| async move {
            let Case { name, work } = case;
            let mut task = tokio::spawn(work);
            let verdict = match tokio::time::timeout(LIMIT, &mut task).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(panic)) => Err(panicked(panic)),
                Err(_) => {
                    task.abort();
                    Err(format!("it did not end within {LIMIT:?}"))
                }
            };
            (name, verdict)
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    println!("{} of {all} cases were run", ends.len());
    let mut failures: Vec<String> = ends
        .into_iter()
        .filter_map(|(name, verdict)| Some(format!("== {name}\n{}\n", verdict.err()?)))
        .collect();
    failures.sort();
    let names: Vec<&str> = failures
        .iter()
        .filter_map(|failure| failure.lines().next())
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {all} cases failed:\n{}\n\n{}\n(one alone: FKAKS_GENERIC=<part of its name>)",
        failures.len(),
        names.join("\n"),
        failures
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

fn panicked(error: tokio::task::JoinError) -> String {
    let text = match error.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())),
        Err(_) => None,
    };
    format!("it panicked: {}", text.unwrap_or_default())
}
