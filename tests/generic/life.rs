//! The steps of a resource's life, and what must hold after each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::{Value as Json, json};
use tfplugin_rs::testing::{Action, Instance, Outcome, Planned};
use tfplugin_rs::value::Value;

use crate::cases::BUSY;
use crate::fixtures::{Fixture, concerned};
use crate::lab::Lab;
use crate::requests::Point;
use crate::scenes::Once;
use crate::shapes::{differences, shape_of};
use crate::told::{Verdict, json_of, ledger, no_errors, no_secrets, shown};

/// What is done when something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Create,
    Read,
    /// The first apply after an import.
    Adopt,
    Update,
    Delete,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Adopt => "first apply after an import",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

impl Phase {
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Adopt,
        Self::Update,
        Self::Delete,
    ];

    /// Where it begins, and what is in the state then.
    ///
    /// # Errors
    /// What is before it fails.
    pub async fn begin(
        self,
        fixture: &'static Fixture,
        hurried: bool,
    ) -> Result<(Lab, Option<Instance>), String> {
        if self == Self::Create {
            let mut lab = Lab::of(fixture).await;
            lab.hurried = hurried;
            return Ok((lab, None));
        }
        let (lab, made) = Lab::standing(fixture, hurried).await?;
        if self != Self::Adopt {
            return Ok((lab, Some(made)));
        }
        let id = json_of(&made)["id"].as_str().unwrap_or_default().to_owned();
        let imported = lab.core.import(fixture.resource, &id).await;
        no_errors("the import before", &imported.diagnostics)?;
        Ok((lab, imported.instance))
    }

    /// The configuration that it is about.
    pub fn config(self, fixture: &Fixture) -> Json {
        match self {
            Self::Update => (fixture.changed)(),
            Self::Create | Self::Read | Self::Adopt | Self::Delete => (fixture.config)(),
        }
    }

    /// Does it.
    pub async fn run(self, lab: &Lab, prior: Option<Instance>) -> Outcome {
        match (self, prior) {
            (Self::Create | Self::Adopt | Self::Update, prior) => {
                lab.apply(&self.config(lab.fixture), prior).await
            }
            (Self::Read, Some(prior)) => lab.core.refresh(prior).await,
            (Self::Delete, Some(prior)) => lab.core.destroy(prior).await,
            (Self::Read | Self::Delete, None) => unreachable!("there is something before"),
        }
    }
}

/// A run without faults: its requests, and what stood at its end.
#[derive(Debug, Clone)]
pub struct Clean {
    /// Every request.
    pub points: Vec<Point>,
    /// What the configuration leads to, with `*` for random ids.
    pub shapes: Vec<String>,
    /// What is there and in no ledger, because Azure makes and deletes it with what is.
    pub consequences: BTreeSet<String>,
    /// The bodies at the end, as stored.
    pub bodies: BTreeMap<String, Json>,
}

/// A run of a phase without faults, made once for all tests of the process.
pub async fn clean_run(fixture: &'static Fixture, phase: Phase) -> Arc<Clean> {
    static RUNS: Once<(String, Phase), Arc<Clean>> = Once::new();
    let run = async { Arc::new(run_cleanly(fixture, phase).await) };
    RUNS.get((fixture.to_string(), phase), run).await
}

/// Makes these runs of all fixtures that are concerned, several at a time: the cases that follow from them are then
/// written down without waiting.
pub async fn run_all_cleanly(phases: &[Phase]) {
    let runs = concerned().flat_map(|fixture| phases.iter().map(move |phase| (fixture, *phase)));
    stream::iter(runs)
        .for_each_concurrent(BUSY, |(fixture, phase)| async move {
            clean_run(fixture, phase).await;
        })
        .await;
}

async fn run_cleanly(fixture: &'static Fixture, phase: Phase) -> Clean {
    let fail = |what: String| -> ! { panic!("{fixture}: {phase} without faults: {what}") };
    let begun = phase.begin(fixture, false).await;
    let (lab, prior) = begun.unwrap_or_else(|what| fail(what));
    let mut consequences = consequences_of(&lab, prior.as_ref());
    lab.forget_requests();
    let mut end = phase.run(&lab, prior).await;
    no_errors("it", &end.diagnostics).unwrap_or_else(|what| fail(what));
    let points = lab.points();
    if phase == Phase::Delete {
        // What stands after a clean end is the same as after a creation.
        end = lab.apply(&(fixture.config)(), None).await;
        no_errors("a creation", &end.diagnostics).unwrap_or_else(|what| fail(what));
    }
    consequences.extend(consequences_of(&lab, end.instance.as_ref()));
    Clean {
        points,
        shapes: lab.made_shapes(),
        consequences,
        bodies: lab.bodies(),
    }
}

/// What is there and in no ledger: Azure made it with what is.
fn consequences_of(lab: &Lab, instance: Option<&Instance>) -> BTreeSet<String> {
    let (owned, _) = ledger(instance);
    let made = lab.made();
    made.difference(&owned).map(|id| shape_of(id)).collect()
}

/// What a plan would change: the path of each value, and how.
pub fn changes(planned: &Planned, prior: &Instance) -> Vec<(String, String)> {
    fn walk(at: &str, prior: &Value, planned: &Value, found: &mut Vec<(String, String)>) {
        match (prior, planned) {
            (prior, planned) if prior == planned => {}
            (Value::Map(a), Value::Map(b)) => {
                let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for name in names {
                    walk(
                        &format!("{at}/{name}"),
                        prior.get(name),
                        planned.get(name),
                        found,
                    );
                }
            }
            (a, b) => found.push((at.to_owned(), format!("{at}: {a:?} -> {b:?}"))),
        }
    }
    let mut found = Vec::new();
    walk("", &prior.state, &planned.planned, &mut found);
    found
}

/// The same, for people.
pub fn shown_changes(planned: &Planned, prior: &Instance) -> String {
    let lines = changes(planned, prior).into_iter().map(|(_, line)| line);
    lines.collect::<Vec<_>>().join("\n")
}

/// A plan of that configuration changes nothing, reading finds what is in the state, and nothing
/// is written by either.
pub async fn settled(lab: &Lab, config: &Json, instance: &Instance) -> Verdict {
    lab.forget_requests();
    let state = json_of(instance);
    if state["drift"] != json!([]) {
        return Err(format!("drift should be empty, and is {}", state["drift"]));
    }
    let read = lab.core.refresh(instance.clone()).await;
    no_errors("reading", &read.diagnostics)?;
    let Some(read) = read.instance else {
        return Err("reading finds nothing, and it was just applied".to_owned());
    };
    let found = differences(&state, &json_of(&read));
    if !found.is_empty() {
        return Err(format!(
            "reading should find what was applied:\n{}",
            found.join("\n")
        ));
    }
    let name = lab.fixture.resource;
    let planned = lab.core.plan(name, &lab.config(config), Some(&read)).await;
    no_errors("a plan", &planned.diagnostics)?;
    if planned.action != Action::Nothing {
        return Err(format!(
            "a second plan should change nothing, and is {:?}:\n{}",
            planned.action,
            shown_changes(&planned, &read)
        ));
    }
    let writes = lab.writes();
    if !writes.is_empty() {
        return Err(format!("reading and planning wrote: {}", writes.join(", ")));
    }
    Ok(())
}

/// Destroys it; nothing is left that was not there before.
pub async fn gone(lab: &Lab, instance: Instance) -> Verdict {
    let end = lab.core.destroy(instance).await;
    no_errors("the destroy", &end.diagnostics)?;
    if let Some(left) = &end.instance {
        return Err(format!("something is left in the state: {}", json_of(left)));
    }
    let left = lab.made();
    if !left.is_empty() {
        return Err(format!("the destroy left in Azure: {left:?}"));
    }
    bodies_are_writable(lab)
}

/// Applied to that configuration, it stands as after a clean run, and goes clean.
pub async fn ends_clean(
    lab: &Lab,
    config: &Json,
    prior: Option<Instance>,
    shapes: &[String],
) -> Verdict {
    let end = lab.whole_apply(config, prior).await;
    no_errors("the apply after it", &end.diagnostics)?;
    let Some(instance) = end.instance else {
        return Err("the apply after it left no state".to_owned());
    };
    let found = lab.made_shapes();
    if found != shapes {
        return Err(format!(
            "after the next apply there should be what a clean run makes:\n  {}\nand there is\n  {}",
            shapes.join("\n  "),
            found.join("\n  ")
        ));
    }
    settled(lab, config, &instance)
        .await
        .map_err(|what| format!("after the next apply: {what}"))?;
    gone(lab, instance)
        .await
        .map_err(|what| format!("after the next apply, destroyed: {what}"))
}

/// Whatever exists is in the ledger, so that the state is null only if nothing does.
pub fn nothing_is_forgotten(lab: &Lab, outcome: &Outcome, clean: &Clean) -> Verdict {
    no_secrets(&outcome.diagnostics)?;
    let (owned, attempted) = ledger(outcome.instance.as_ref());
    let forgotten: Vec<String> = lab
        .made()
        .into_iter()
        .filter(|id| !owned.contains(id) && !attempted.contains(id))
        .filter(|id| !clean.consequences.contains(&shape_of(id)))
        .collect();
    if !forgotten.is_empty() {
        return Err(format!(
            "these exist and are not in the ledger: {forgotten:?}\nowned: {owned:?}\nattempted: {attempted:?}\n{}",
            shown(&outcome.diagnostics)
        ));
    }
    bodies_are_writable(lab)
}

/// The state is what reading finds: its ledger, and, where they could be read, its attributes.
pub async fn is_true(lab: &Lab, outcome: &Outcome, attributes: bool) -> Verdict {
    let told = || shown(&outcome.diagnostics);
    let (owned, attempted) = ledger(outcome.instance.as_ref());
    let Some(instance) = &outcome.instance else {
        return Ok(());
    };
    // What is still under way will look different by the time of another look.
    if lab.is_busy() {
        return Ok(());
    }
    let read = lab.core.refresh(instance.clone()).await;
    no_errors("reading after it", &read.diagnostics)?;
    let (found, _) = ledger(read.instance.as_ref());
    let all: BTreeSet<String> = owned.union(&attempted).cloned().collect();
    if !(owned.is_subset(&found) && found.is_subset(&all)) {
        return Err(format!(
            "the ledger should be what reading finds:\nowned: {owned:?}\nattempted: {attempted:?}\nfound: {found:?}\n{}",
            told()
        ));
    }
    let Some(read) = read.instance.filter(|_| attributes) else {
        return Ok(());
    };
    let (mut state, mut read) = (json_of(instance), json_of(&read));
    for json in [&mut state, &mut read] {
        json["objects"] = Json::Null;
    }
    let found = differences(&read, &state);
    if !found.is_empty() {
        return Err(format!(
            "the state should be what reading finds:\n{}\n{}",
            found.join("\n"),
            told()
        ));
    }
    Ok(())
}

/// No request since the log was emptied carries a property that may not be written.
pub fn bodies_are_writable(lab: &Lab) -> Verdict {
    let strays: Vec<String> = lab
        .requests()
        .iter()
        .filter(|request| matches!(request.method.as_str(), "PUT" | "PATCH"))
        .filter_map(|request| {
            let stray = crate::writable::stray(&request.path, &request.body)?;
            Some(format!("{} {}: {stray}", request.method, request.path))
        })
        .collect();
    if strays.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "read-only or unknown properties were sent:\n{}",
            strays.join("\n")
        ))
    }
}
