//! What is not ours: it is never adopted, and never touched.

use std::sync::Arc;

use serde_json::Value as Json;
use terraform_provider_fkaks::arm::ArmId;

use crate::cases::Case;
use crate::fixtures::{Fixture, concerned};
use crate::lab::Lab;
use crate::life::{Clean, Phase, clean_run, gone, run_all_cleanly};
use crate::shapes::{differences, shape_of};
use crate::told::{Verdict, ledger, no_secrets, shown};

/// Each object that a fixture makes, standing there already.
pub async fn cases() -> Vec<Case> {
    run_all_cleanly(&[Phase::Create]).await;
    let mut cases = Vec::new();
    for fixture in concerned() {
        let clean = clean_run(fixture, Phase::Create).await;
        let before: Vec<String> = (fixture.stands_on)()
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        for point in clean.points.clone() {
            // What stands before is changed and not made.
            let stands = before.iter().any(|id| id.eq_ignore_ascii_case(&point.path));
            if point.method != "PUT" || point.nth > 0 || stands {
                continue;
            }
            let name = format!("{fixture}: create where {} is someone else's", point.path);
            // A GUID that follows from the configuration is a name like any other.
            let stood = clean.bodies.iter().find(|(id, _)| {
                point.path.contains('*') && shape_of(id).eq_ignore_ascii_case(&point.path)
            });
            let path = stood.and_then(|(_, body)| body["id"].as_str());
            let path = path.unwrap_or(&point.path).to_owned();
            cases.push(Case::new(name, left_alone(fixture, path, clean.clone())));
        }
    }
    cases
}

async fn left_alone(fixture: &'static Fixture, path: String, clean: Arc<Clean>) -> Verdict {
    let lab = Lab::of(fixture).await;
    let id = ArmId::parse(&path).map_err(|error| error.to_string())?;
    // A child stands in its parent, which then is someone else's too.
    let mut family = vec![id.clone()];
    while let Some(parent) = family.last().and_then(ArmId::parent) {
        if parent.namespace().is_none() || lab.body(parent.as_str()).is_some() {
            break;
        }
        family.push(parent);
    }
    let mut before: Vec<(ArmId, Json)> = Vec::new();
    for id in family.iter().rev() {
        let body = clean.bodies.get(&id.as_str().to_lowercase());
        let body = body.ok_or_else(|| format!("{id} does not stand after a clean run"))?;
        let stored = lab.control("PUT", &format!("/_sandbox/resources{id}"), body);
        before.push((id.clone(), stored));
    }
    let stood = lab.bodies();

    let end = lab.apply(&(fixture.config)(), None).await;
    no_secrets(&end.diagnostics)?;
    let told = shown(&end.diagnostics);
    if !end.diagnostics.has_errors() {
        return Err(format!("the creation should be refused, and said:\n{told}"));
    }
    let named = |id: &ArmId| told.to_lowercase().contains(&id.as_str().to_lowercase());
    if !family.iter().any(named) {
        return Err(format!(
            "the refusal should name one of {family:?}, and says:\n{told}"
        ));
    }
    let is_anchor = |id: &ArmId| id.is(fixture.anchor());
    if family.iter().any(is_anchor) && !told.contains("import {") {
        return Err(format!("the refusal should show the import block:\n{told}"));
    }
    untouched(&lab, &stood, &family)?;
    let (owned, attempted) = ledger(end.instance.as_ref());
    if let Some(id) = family.iter().find(|id| {
        let id = id.as_str().to_lowercase();
        owned.contains(&id) || attempted.contains(&id)
    }) {
        return Err(format!("{id} is in the ledger: {owned:?} {attempted:?}"));
    }
    // What was made beside it goes; the stranger stays.
    if let Some(instance) = end.instance {
        match gone(&lab, instance).await {
            Ok(()) => return Err("the destroy took the stranger along".to_owned()),
            Err(left) if left.contains("left in Azure") => {}
            // What the stranger uses of ours is kept for it, which is as right.
            Err(kept) if kept.contains("something else still depends on it") => {
                let kept = kept.to_lowercase();
                let names = |id: &ArmId| kept.contains(&id.as_str().to_lowercase());
                if !family.iter().any(names) {
                    return Err(format!("kept for another reason than {family:?}:\n{kept}"));
                }
                return untouched(&lab, &stood, &family);
            }
            Err(other) => return Err(other),
        }
    }
    untouched(&lab, &stood, &family)?;
    let left: Vec<String> = lab
        .bodies()
        .into_keys()
        .filter(|id| !stood.contains_key(id))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("these are left of ours: {left:?}"))
    }
}

fn untouched(
    lab: &Lab,
    stood: &std::collections::BTreeMap<String, Json>,
    family: &[ArmId],
) -> Verdict {
    for id in family {
        let key = id.as_str().to_lowercase();
        let (before, now) = (&stood[&key], lab.body(&key).unwrap_or_default());
        let found = differences(before, &now);
        if !found.is_empty() {
            return Err(format!("{id} was touched:\n{}", found.join("\n")));
        }
    }
    Ok(())
}
