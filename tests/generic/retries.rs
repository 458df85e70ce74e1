//! What passes by itself is no error: each call answered once with 409, 412, 429, 500, 503 or not
//! at all converges, with no duplicate and no orphan.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::cases::{Case, in_turn};
use crate::fixtures::{Fixture, concerned};
use crate::life::{Clean, Phase, clean_run, gone, run_all_cleanly, settled};
use crate::requests::Point;
use crate::shapes::differences;
use crate::told::{Verdict, json_of, no_errors};

/// Every fixture, phase and request with some of these effects in turn, once.
pub async fn cases(effects: &[(&str, Json)], some: usize, only_writes: bool) -> Vec<Case> {
    run_all_cleanly(&Phase::ALL).await;
    let mut cases = Vec::new();
    for fixture in concerned() {
        for phase in Phase::ALL {
            let clean = clean_run(fixture, phase).await;
            for (place, point) in clean.points.iter().enumerate() {
                if only_writes && !point.writes() {
                    continue;
                }
                for (what, effect) in in_turn(effects, place, fixture.share(some)) {
                    let name = format!("{fixture}: {phase}: {point}: {what}");
                    let (point, clean) = (point.clone(), clean.clone());
                    cases.push(Case::new(
                        name,
                        converges(fixture, phase, point, effect, clean),
                    ));
                }
            }
        }
    }
    cases
}

/// Answers that say "not now".
pub fn answers() -> Vec<(&'static str, Json)> {
    let answer = |status: u16, code: &str, retry_after: Option<u32>| {
        json!({ "answer": {
            "status": status, "code": code, "message": "The test said so.", "retryAfter": retry_after,
        } })
    };
    vec![
        ("409", answer(409, "AnotherOperationInProgress", None)),
        ("412", answer(412, "PreconditionFailed", None)),
        ("429", answer(429, "TooManyRequests", Some(1))),
        ("429 of contention", answer(429, "RetryableError", None)),
        ("500", answer(500, "InternalServerError", None)),
        ("503", answer(503, "ServiceUnavailable", Some(1))),
        ("a reset", json!("dropConnection")),
    ]
}

async fn converges(
    fixture: &'static Fixture,
    phase: Phase,
    point: Point,
    effect: Json,
    clean: Arc<Clean>,
) -> Verdict {
    let (lab, prior) = phase.begin(fixture, false).await?;
    lab.forget_requests();
    lab.fault(&point, point.nth, Some(1), &effect);
    let end = phase.run(&lab, prior.clone()).await;
    no_errors("the operation", &end.diagnostics)?;
    lab.clear_faults();
    if phase == Phase::Delete {
        let left = lab.made();
        return match end.instance {
            None if left.is_empty() => Ok(()),
            _ => Err(format!("the destroy left {left:?}")),
        };
    }
    let Some(instance) = end.instance else {
        return Err("nothing is in the state".to_owned());
    };
    if let (Phase::Read, Some(prior)) = (phase, &prior) {
        let found = differences(&json_of(prior), &json_of(&instance));
        if !found.is_empty() {
            return Err(format!("the read found a change:\n{}", found.join("\n")));
        }
    }
    let found = lab.made_shapes();
    if found != clean.shapes {
        return Err(format!(
            "there should be what a clean run makes:\n  {}\nand there is\n  {}",
            clean.shapes.join("\n  "),
            found.join("\n  ")
        ));
    }
    settled(&lab, &phase.config(fixture), &instance).await?;
    gone(&lab, instance).await
}
