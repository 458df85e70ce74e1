//! An error, a timeout or Stop at every request: the state is true, and a plain apply or a destroy
//! then ends clean.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tfplugin_rs::testing::{Instance, Outcome};

use crate::cases::{Case, in_turn};
use crate::fixtures::{Fixture, concerned};
use crate::lab::Lab;
use crate::life::{
    Clean, Phase, clean_run, ends_clean, gone, is_true, nothing_is_forgotten, run_all_cleanly,
};
use crate::requests::Point;
use crate::told::{Verdict, json_of, ledger, no_errors};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Azure refuses once.
    Refused(u16, &'static str),
    /// Azure accepts, and the operation fails.
    Fails,
    /// Azure accepts and nobody hears of it, and the next attempt is refused.
    LostThenRefused,
    /// Azure answers 500 from then on.
    Broken,
    /// Azure answers no more, until the timeout.
    Hangs,
    /// The user stops, and the request is answered a moment later.
    Stops,
    /// The user stops, and the request is never answered.
    StopsUnanswered,
    /// The user stops, and the write is answered when nobody listens any more.
    LandsLate,
}

impl Trouble {
    pub const QUICK: [Self; 5] = [
        Self::Refused(400, "InvalidRequestFormat"),
        Self::Refused(403, "AuthorizationFailed"),
        Self::Refused(409, "Conflict"),
        Self::Fails,
        Self::LostThenRefused,
    ];
    pub const STOPS: [Self; 3] = [Self::Stops, Self::StopsUnanswered, Self::LandsLate];
    pub const SLOW: [Self; 2] = [Self::Broken, Self::Hangs];

    /// Whether it can befall that request.
    fn befalls(self, point: &Point) -> bool {
        match self {
            Self::Fails | Self::LostThenRefused | Self::LandsLate => point.writes(),
            _ => true,
        }
    }

    /// Whether Azure is at rest afterwards, so that another look finds the same.
    fn ends_at_once(self, point: &Point, outcome: &Outcome) -> bool {
        match self {
            // Whoever may not read a single time sees less than the next time.
            Self::Refused(403, _) => {
                outcome.diagnostics.has_errors() && (point.writes() || !point.polls())
            }
            Self::Refused(..) | Self::Broken | Self::Hangs => !point.polls(),
            Self::Fails => true,
            Self::LostThenRefused | Self::Stops | Self::StopsUnanswered | Self::LandsLate => false,
        }
    }

    /// Whether what is there cannot be read afterwards: then the state keeps the attributes of
    /// before, and only its ledger is of today.
    fn hides(self, point: &Point) -> bool {
        // What is inside a cluster is read as it is written.
        let looks = !point.writes() || point.path.ends_with("/runCommand");
        matches!(self, Self::Broken | Self::Hangs) && looks
    }

    /// Runs the phase with it.
    async fn befall(
        self,
        lab: &Lab,
        phase: Phase,
        point: &Point,
        prior: Option<Instance>,
    ) -> Outcome {
        // Ten minutes on the wall, which no case lasts.
        let never = json!({ "delay": { "ms": 600_000 } });
        let effect = match self {
            Self::Refused(status, code) => {
                json!({ "answer": { "status": status, "code": code, "message": "The test said so." } })
            }
            Self::Fails => {
                json!({ "failedOperation": { "code": "InternalServerError", "message": "The test said so." } })
            }
            Self::LostThenRefused => {
                let refusal = json!({ "answer": { "status": 403, "code": "AuthorizationFailed", "message": "The test said so." } });
                lab.fault(point, point.nth + 1, Some(1), &refusal);
                json!("lostAnswer")
            }
            Self::Broken => {
                json!({ "answer": { "status": 500, "code": "InternalServerError", "message": "The test said so." } })
            }
            Self::Stops => json!({ "delay": { "ms": 40 } }),
            // Six times as long as the provider waits for a write's answer after a stop.
            Self::LandsLate => json!({ "delay": { "ms": 600 } }),
            Self::Hangs | Self::StopsUnanswered => never,
        };
        let count = match self {
            Self::Broken | Self::Hangs => None,
            _ => Some(1),
        };
        lab.fault(point, point.nth, count, &effect);
        match self {
            Self::Stops | Self::StopsUnanswered | Self::LandsLate => {
                let run = phase.run(lab, prior);
                tokio::pin!(run);
                let stop = async {
                    while lab.hits() == 0 {
                        tokio::time::sleep(Duration::from_millis(4)).await;
                    }
                    lab.core.stop().await
                };
                tokio::select! {
                    // It may end before, when the requests come in another order.
                    outcome = &mut run => outcome,
                    _ = stop => run.await,
                }
            }
            _ => phase.run(lab, prior).await,
        }
    }
}

/// How the user goes on.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// Applies again, which replaces what is tainted.
    Apply,
    /// Takes the taint off and applies again.
    Untaint,
    /// Gives up.
    Destroy,
}

impl Ending {
    const ALL: [Self; 3] = [Self::Apply, Self::Untaint, Self::Destroy];
}

/// Every fixture, phase and request with some of these troubles in turn, and in turn one of the
/// endings.
pub async fn cases(troubles: &[Trouble], some: usize) -> Vec<Case> {
    run_all_cleanly(&Phase::ALL).await;
    let mut cases = Vec::new();
    for fixture in concerned() {
        for phase in Phase::ALL {
            let clean = clean_run(fixture, phase).await;
            for (place, point) in clean.points.iter().enumerate() {
                let fitting: Vec<Trouble> = troubles
                    .iter()
                    .copied()
                    .filter(|trouble| trouble.befalls(point))
                    .collect();
                for (kind, trouble) in in_turn(&fitting, place, fixture.share(some))
                    .into_iter()
                    .enumerate()
                {
                    let endings = match phase {
                        Phase::Adopt => &Ending::ALL[..1],
                        _ => &Ending::ALL[..],
                    };
                    let ending = endings[(place + kind) % endings.len()];
                    let name = format!("{fixture}: {phase}: {point}: {trouble:?}, then {ending:?}");
                    let (point, clean) = (point.clone(), clean.clone());
                    cases.push(Case::new(
                        name,
                        interrupted(fixture, phase, point, trouble, ending, clean),
                    ));
                }
            }
        }
    }
    cases
}

async fn interrupted(
    fixture: &'static Fixture,
    phase: Phase,
    point: Point,
    trouble: Trouble,
    ending: Ending,
    clean: Arc<Clean>,
) -> Verdict {
    let hurried = Trouble::SLOW.contains(&trouble);
    let (mut lab, prior) = phase.begin(fixture, hurried).await?;
    lab.forget_requests();
    let outcome = trouble.befall(&lab, phase, &point, prior.clone()).await;
    let late = trouble == Trouble::LandsLate && lab.hits() > 0;
    lab.clear_faults();
    // The operations that follow take the time that they need.
    lab.hurried = false;
    if late {
        lab.until_answered(&point).await;
    }
    lab.restart().await;
    if phase == Phase::Adopt && !outcome.diagnostics.has_errors() {
        // It came through all the same, and so it stands as after any apply.
    } else if phase == Phase::Adopt {
        // What an import cannot know is owned only when its first apply is through.
        let (before, _) = ledger(prior.as_ref());
        let (owned, attempted) = ledger(outcome.instance.as_ref());
        if let Some(id) = before
            .iter()
            .find(|id| !owned.contains(*id) && !attempted.contains(*id))
        {
            return Err(format!("{id} was owned before and is not now: {owned:?}"));
        }
    } else {
        nothing_is_forgotten(&lab, &outcome, &clean)?;
    }
    if trouble.ends_at_once(&point, &outcome) {
        is_true(&lab, &outcome, !trouble.hides(&point)).await?;
    }
    if phase == Phase::Read && outcome.diagnostics.has_errors() {
        let before = prior.map(|prior| prior.state);
        if outcome.instance.as_ref().map(|left| &left.state) != before.as_ref() {
            return Err("a read that failed should leave the state as it was".to_owned());
        }
    }
    let state = outcome.instance.as_ref().map(json_of).unwrap_or_default();
    let writes = lab.writes();
    goes_on(&lab, phase, ending, outcome.instance, &clean)
        .await
        .map_err(|what| {
            format!(
                "{what}\nafter the fault: objects: {}, drift: {}\nwrites until then:\n{}",
                state["objects"],
                state["drift"],
                writes.join("\n")
            )
        })
}

async fn goes_on(
    lab: &Lab,
    phase: Phase,
    ending: Ending,
    mut left: Option<Instance>,
    clean: &Clean,
) -> Verdict {
    let config = phase.config(lab.fixture);
    match (ending, &mut left) {
        (Ending::Apply, _) | (Ending::Untaint, None) => {}
        (Ending::Untaint, Some(left)) => left.tainted = false,
        (Ending::Destroy, Some(left)) => {
            let read = lab.core.refresh(left.clone()).await;
            no_errors("reading before the destroy", &read.diagnostics)?;
            return match read.instance {
                Some(found) => gone(lab, found).await,
                None => nothing_is_left(lab),
            };
        }
        (Ending::Destroy, None) => return nothing_is_left(lab),
    }
    ends_clean(lab, &config, left, &clean.shapes).await
}

fn nothing_is_left(lab: &Lab) -> Verdict {
    let left = lab.made();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("the state is empty, and these exist: {left:?}"))
    }
}
