//! Lives without faults: twice the same, import, arguments that are taken away, late reads.

use serde_json::{Value as Json, json};
use terraform_provider_fkaks::arm::ArmId;
use tfplugin_rs::schema::{Attribute, Kind, Nesting};
use tfplugin_rs::testing::{Action, Instance};

use crate::cases::Case;
use crate::fixtures::{Fixture, concerned};
use crate::lab::Lab;
use crate::life::{changes, gone, settled, shown_changes};
use crate::shapes::differences;
use crate::told::{Verdict, json_of, ledger, no_errors};

/// Each fixture, with that step.
pub fn cases<F>(step: fn(&'static Fixture) -> F) -> Vec<Case>
where
    F: Future<Output = Verdict> + Send + 'static,
{
    concerned()
        .map(|fixture| Case::new(fixture.to_string(), step(fixture)))
        .collect()
}

/// Creation, nothing, change, nothing, destroy.
pub async fn lives(fixture: &'static Fixture) -> Verdict {
    let mut lab = Lab::of(fixture).await;
    live(&mut lab).await
}

/// The same where a first read after a creation may not find it yet.
pub async fn lives_with_late_reads(fixture: &'static Fixture) -> Verdict {
    let mut lab = Lab::of(fixture).await;
    lab.settings(&json!({ "eventualConsistency": true }));
    live(&mut lab).await
}

/// The same where Azure suggests no interval, and answers lists in pages of one.
pub async fn lives_without_suggestions(fixture: &'static Fixture) -> Verdict {
    let mut lab = Lab::of(fixture).await;
    lab.settings(&json!({ "retryAfter": null, "pageSize": 1 }));
    live(&mut lab).await
}

async fn live(lab: &mut Lab) -> Verdict {
    let (config, changed) = ((lab.fixture.config)(), (lab.fixture.changed)());
    let instance = stands(lab, &config, None).await?;
    lab.restart().await;
    let instance = stands(lab, &changed, Some(instance))
        .await
        .map_err(|what| format!("changed: {what}"))?;
    lab.restart().await;
    let instance = stands(lab, &config, Some(instance))
        .await
        .map_err(|what| format!("changed back: {what}"))?;
    lab.restart().await;
    gone(lab, instance).await
}

/// Applies, and finds it settled.
async fn stands(lab: &Lab, config: &Json, prior: Option<Instance>) -> Result<Instance, String> {
    let update = prior.is_some();
    let end = lab.whole_apply(config, prior).await;
    no_errors("the apply", &end.diagnostics)?;
    if update && end.action != Action::Update {
        return Err(format!("it should change in place: {:?}", end.action));
    }
    let instance = end.instance.ok_or("the apply left no state")?;
    crate::life::bodies_are_writable(lab)?;
    settled(lab, config, &instance).await?;
    // What exists is ours, or goes with what is.
    Ok(instance)
}

/// What was made here is imported in another workspace: nothing is planned but ownership.
pub async fn imports(fixture: &'static Fixture) -> Verdict {
    let mut lab = Lab::of(fixture).await;
    let config = (fixture.config)();
    let made = stands(&lab, &config, None).await?;
    let stood = lab.bodies();
    lab.restart().await;
    lab.forget_requests();
    let id = json_of(&made)["id"].as_str().unwrap_or_default().to_owned();
    let upper = ArmId::parse(&id).map_err(|error| error.to_string())?;
    let imported = lab.core.import(fixture.resource, upper.as_str()).await;
    no_errors("the import", &imported.diagnostics)?;
    let imported = imported.instance.ok_or("the import found nothing")?;
    let planned = lab
        .core
        .plan(fixture.resource, &lab.config(&config), Some(&imported))
        .await;
    no_errors("the plan after the import", &planned.diagnostics)?;
    let unexpected: Vec<String> = changes(&planned, &imported)
        .into_iter()
        .filter(|(path, _)| {
            let name = path.split('/').nth(1).unwrap_or_default();
            let excused = fixture
                .not_imported
                .iter()
                .any(|(known, _)| path.starts_with(known));
            let computed = fixture
                .schema()
                .attribute(name)
                .is_some_and(|attribute| attribute.is_computed() && !attribute.is_optional());
            !(excused || computed)
        })
        .map(|(_, line)| line)
        .collect();
    if !unexpected.is_empty() || planned.action == Action::Replace {
        return Err(format!(
            "after the import nothing should be planned but ownership, and this is:\n{}",
            unexpected.join("\n")
        ));
    }
    let (owned, _) = ledger(Some(&made));
    let (known, _) = ledger(Some(&imported));
    if known == owned && fixture.not_imported.is_empty() && planned.action != Action::Nothing {
        return Err(format!(
            "the import knows all that is owned, and still this is planned:\n{}",
            shown_changes(&planned, &imported)
        ));
    }
    let end = lab.apply(&config, Some(imported)).await;
    no_errors("the apply after the import", &end.diagnostics)?;
    let writes = lab.writes();
    if !writes.is_empty() {
        return Err(format!(
            "everything stood as it should, and this was written: {}",
            writes.join(", ")
        ));
    }
    let left = differences(&json!(stood), &json!(lab.bodies()));
    if !left.is_empty() {
        return Err(format!("the import changed Azure:\n{}", left.join("\n")));
    }
    let instance = end.instance.ok_or("the apply left no state")?;
    settled(&lab, &config, &instance).await?;
    gone(&lab, instance).await
}

/// Each optional argument of a fixture's configuration, taken away.
pub fn removals() -> Vec<Case> {
    let mut cases = Vec::new();
    for fixture in concerned() {
        let config = (fixture.config)();
        for path in optional_arguments(fixture.schema().attributes, &config, "") {
            if fixture.not_alone.iter().any(|(known, _)| *known == path) {
                continue;
            }
            let name = format!("{fixture}: without {path}");
            let mut less = config.clone();
            remove(&mut less, &path);
            let attribute = path.split('/').nth(1).unwrap_or_default();
            // What Azure or the provider chose stays when the argument goes.
            let kept = fixture
                .schema()
                .attribute(attribute)
                .is_some_and(|attribute| attribute.is_optional() && attribute.is_computed());
            cases.push(Case::new(name, lands(fixture, config.clone(), less, !kept)));
        }
    }
    cases
}

/// Each change from a fixture's configuration to another way of the same resource, and back.
pub fn transitions() -> Vec<Case> {
    let mut cases = Vec::new();
    for fixture in concerned() {
        let config = || (fixture.config)();
        for (what, other) in fixture.ways {
            let there = format!("{fixture}: to {what}");
            cases.push(Case::new(there, lands(fixture, config(), other(), true)));
            let back = format!("{fixture}: from {what}");
            cases.push(Case::new(back, lands(fixture, other(), config(), true)));
        }
    }
    cases
}

/// JSON pointers of the optional arguments that a configuration sets.
fn optional_arguments(attributes: &[Attribute], config: &Json, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in attributes {
        let value = &config[attribute.name];
        if value.is_null() {
            continue;
        }
        let at = format!("{at}/{}", attribute.name);
        if attribute.is_optional() {
            found.push(at.clone());
        }
        match attribute.kind {
            Kind::Nested(Nesting::Single, inner) => {
                found.extend(optional_arguments(inner, value, &at));
            }
            Kind::Nested(Nesting::Map, inner) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    found.extend(optional_arguments(inner, value, &format!("{at}/{key}")));
                }
            }
            _ => {}
        }
    }
    found
}

/// A change leads to the same as a creation of what it leads to.
async fn lands(fixture: &'static Fixture, from: Json, to: Json, same: bool) -> Verdict {
    let lab = Lab::of(fixture).await;
    let never = lab.apply(&to, None).await;
    no_errors("a creation of what it leads to", &never.diagnostics)?;
    let expected = lab.made_bodies();

    let lab = Lab::of(fixture).await;
    let made = stands(&lab, &from, None).await?;
    let end = lab.whole_apply(&to, Some(made)).await;
    no_errors("the change", &end.diagnostics)?;
    let instance = end.instance.ok_or("the change left no state")?;
    let left = differences(&json!(expected), &json!(lab.made_bodies()));
    if same && !left.is_empty() {
        return Err(format!(
            "Azure should be as if it had been created so:\n{}",
            left.join("\n")
        ));
    }
    settled(&lab, &to, &instance).await?;
    gone(&lab, instance).await
}

fn remove(config: &mut Json, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    if let Some(members) = config.pointer_mut(parent).and_then(Json::as_object_mut) {
        members.remove(name);
    }
}
