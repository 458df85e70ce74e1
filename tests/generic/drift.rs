//! What others delete or change is seen, with a reason, and one apply repairs it.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tfplugin_rs::testing::{Action, Instance};

use crate::cases::Case;
use crate::fixtures::{Fixture, concerned};
use crate::lab::Lab;
use crate::life::{
    Clean, Phase, changes, clean_run, gone, run_all_cleanly, settled, shown_changes,
};
use crate::shapes::{differences, shape_of, steady};
use crate::told::{Verdict, json_of, ledger, no_errors};

/// What someone else does to an object.
#[derive(Debug, Clone)]
enum Deed {
    Deletes,
    /// Sets what stands at this JSON pointer to that.
    Sets(String, Json),
}

/// Each object of each fixture deleted, and each property that was written changed.
pub async fn cases() -> Vec<Case> {
    run_all_cleanly(&[Phase::Create]).await;
    let mut cases = Vec::new();
    for fixture in concerned() {
        let lab = Lab::of(fixture).await;
        let made = lab.apply(&(fixture.config)(), None).await;
        no_errors("the creation", &made.diagnostics)
            .unwrap_or_else(|what| panic!("{fixture}: {what}"));
        let (owned, _) = ledger(made.instance.as_ref());
        let clean = clean_run(fixture, Phase::Create).await;
        let requests = lab.requests();
        for id in owned {
            let mut deeds = vec![Deed::Deletes];
            let sent = requests.iter().filter(|request| {
                matches!(request.method.as_str(), "PUT" | "PATCH")
                    && request.path.to_lowercase() == id
            });
            let stored = lab.body(&id).unwrap_or_default();
            for request in sent {
                deeds.extend(changes_of("", &request.body, &stored));
            }
            for deed in deeds {
                let what = match &deed {
                    Deed::Deletes => "deletes it".to_owned(),
                    Deed::Sets(pointer, value) => format!("sets {pointer} to {value}"),
                };
                let short = id.rsplit('/').take(2).collect::<Vec<_>>();
                let short = format!("{}/{}", short[1], short[0]);
                if fixture
                    .not_drift
                    .iter()
                    .any(|(part, _)| format!("{short} {what}").contains(part))
                {
                    continue;
                }
                let name = format!("{fixture}: {short}: someone {what}");
                cases.push(Case::new(
                    name,
                    repaired(fixture, id.clone(), deed, clean.clone()),
                ));
            }
        }
    }
    cases
}

/// A change of each value in a body that was sent, where Azure keeps it.
fn changes_of(at: &str, sent: &Json, stored: &Json) -> Vec<Deed> {
    match sent {
        Json::Object(members) => {
            let mut deeds: Vec<Deed> = members
                .iter()
                .flat_map(|(name, value)| changes_of(&format!("{at}/{name}"), value, &stored[name]))
                .collect();
            if at == "/tags" {
                deeds.push(Deed::Sets(format!("{at}/of-another"), json!("x")));
            }
            deeds
        }
        Json::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(position, item)| {
                changes_of(&format!("{at}/{position}"), item, &stored[position])
            })
            .collect(),
        sent => other_value(at, sent)
            .filter(|_| !stored.is_null())
            .map(|value| Deed::Sets(at.to_owned(), value))
            .into_iter()
            .collect(),
    }
}

fn other_value(at: &str, value: &Json) -> Option<Json> {
    // The name of an element tells it apart; another name is another element.
    if at.ends_with("/name") {
        return None;
    }
    Some(match value {
        Json::Bool(value) => json!(!value),
        Json::Number(number) => json!(number.as_i64()? + 1),
        Json::String(text) if at.ends_with("/location") => match text.as_str() {
            "global" => return None,
            "northeurope" => json!("westeurope"),
            _ => json!("northeurope"),
        },
        Json::String(text) => json!(format!("{text}x")),
        _ => return None,
    })
}

async fn repaired(fixture: &'static Fixture, id: String, deed: Deed, clean: Arc<Clean>) -> Verdict {
    let (mut lab, instance) = Lab::standing(fixture, false).await?;
    let config = (fixture.config)();
    let target = format!("/_sandbox/resources{id}");
    match &deed {
        Deed::Deletes => {
            lab.control("DELETE", &target, &json!({}));
        }
        Deed::Sets(pointer, value) => {
            let mut body = lab.body(&id).unwrap_or_default();
            set(&mut body, pointer, value);
            lab.control("PUT", &target, &body);
        }
    }
    lab.restart().await;
    let seen = seen(&lab, &config, &instance).await?;
    let end = lab.apply(&config, seen).await;
    no_errors("the apply that repairs", &end.diagnostics)?;
    let Some(instance) = end.instance else {
        return Err("the apply that repairs left no state".to_owned());
    };
    let found = lab.made_shapes();
    if found != clean.shapes {
        return Err(format!(
            "there should be what a clean run makes:\n  {}\nand there is\n  {}",
            clean.shapes.join("\n  "),
            found.join("\n  ")
        ));
    }
    let id = shape_of(&id);
    let before = clean
        .bodies
        .iter()
        .find_map(|(other, body)| (shape_of(other) == id).then(|| steady(body)));
    let now = lab.made_bodies().remove(&id).unwrap_or_default();
    let left = differences(&before.unwrap_or_default(), &now);
    if !left.is_empty() {
        return Err(format!("one apply should repair it:\n{}", left.join("\n")));
    }
    settled(&lab, &config, &instance).await?;
    gone(&lab, instance).await
}

/// Reads, and plans: the plan repairs, and says why.
async fn seen(lab: &Lab, config: &Json, instance: &Instance) -> Result<Option<Instance>, String> {
    let read = lab.core.refresh(instance.clone()).await;
    no_errors("reading", &read.diagnostics)?;
    let Some(read) = read.instance else {
        let (owned, _) = ledger(Some(instance));
        let left: Vec<&String> = owned.iter().filter(|id| lab.body(id).is_some()).collect();
        return if left.is_empty() {
            Ok(None)
        } else {
            Err(format!("reading finds nothing, and these exist: {left:?}"))
        };
    };
    let name = lab.fixture.resource;
    let planned = lab.core.plan(name, &lab.config(config), Some(&read)).await;
    no_errors("the plan", &planned.diagnostics)?;
    if planned.action == Action::Nothing {
        let found = differences(&json_of(instance), &json_of(&read));
        return Err(format!(
            "the plan should repair it, and changes nothing; reading found:\n{}",
            found.join("\n")
        ));
    }
    // A change of `drift` has its reason in it; of any other argument, in its values. Changes of
    // computed values alone would tell nobody why.
    let told = changes(&planned, &read);
    let drift = json_of(&read)["drift"].clone();
    let arguments = told.iter().any(|(path, _)| {
        let name = path.split('/').nth(1).unwrap_or_default();
        let attribute = lab.fixture.schema().attribute(name);
        attribute.is_some_and(|attribute| !attribute.is_computed() || attribute.is_optional())
    });
    if drift == json!([]) && !arguments {
        return Err(format!(
            "the plan says no reason:\n{}",
            shown_changes(&planned, &read)
        ));
    }
    Ok(Some(read))
}

fn set(body: &mut Json, pointer: &str, value: &Json) {
    let mut at = body;
    for step in pointer.split('/').skip(1) {
        at = match at {
            Json::Array(items) => {
                let Some(item) = step
                    .parse()
                    .ok()
                    .and_then(|step: usize| items.get_mut(step))
                else {
                    return;
                };
                item
            }
            other => &mut other[step],
        };
    }
    *at = value.clone();
}
