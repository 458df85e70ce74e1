//! What holds for every data source: it changes nothing, answers the same to the same question, and
//! says what it could not read.

use serde_json::{Value as Json, json};

use crate::cases::Case;
use crate::fixtures::{DATA_SOURCES, Fixture};
use crate::lab::Lab;
use crate::requests::Point;
use crate::shapes::differences;
use crate::told::{Verdict, no_errors, no_secrets, shown};

/// Every fixture, asked three times: by the same process, by another, and of lists in small pages.
pub fn steady() -> Vec<Case> {
    let case = |fixture: &&'static Fixture| Case::new(fixture.to_string(), is_steady(fixture));
    DATA_SOURCES.iter().map(case).collect()
}

async fn is_steady(fixture: &'static Fixture) -> Verdict {
    let mut lab = Lab::of(fixture).await;
    let stood = lab.bodies();
    let first = answer(&lab).await?;
    same("asked again", &first, &answer(&lab).await?)?;
    lab.restart().await;
    same("asked by another process", &first, &answer(&lab).await?)?;
    lab.settings(&json!({ "pageSize": 1 }));
    same("with lists in pages of one", &first, &answer(&lab).await?)?;
    let writes = lab.writes();
    if !writes.is_empty() {
        return Err(format!("it wrote: {}", writes.join(", ")));
    }
    let changed = differences(&json!(stood), &json!(lab.bodies()));
    if changed.is_empty() {
        Ok(())
    } else {
        Err(format!("it changed Azure:\n{}", changed.join("\n")))
    }
}

/// Every fixture and each of its requests, refused, not found, wrong, and late.
pub async fn failures() -> Vec<Case> {
    let mut cases = Vec::new();
    for fixture in DATA_SOURCES {
        let lab = Lab::of(fixture).await;
        lab.forget_requests();
        lab.read_data().await;
        for point in lab.points() {
            for trouble in [
                Trouble::Forbidden,
                Trouble::Wrong,
                Trouble::Absent,
                Trouble::Late,
            ] {
                let name = format!("{fixture}: {point}: {trouble:?}");
                cases.push(Case::new(name, is_told(fixture, point.clone(), trouble)));
            }
        }
    }
    cases
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// 403 for ever.
    Forbidden,
    /// An answer for ever that nobody expects.
    Wrong,
    /// 404 for ever.
    Absent,
    /// 503, once.
    Late,
}

impl Trouble {
    fn effect(self) -> Json {
        let (status, code) = match self {
            Self::Forbidden => (403, "AuthorizationFailed"),
            Self::Wrong => (400, "TestRefusal"),
            Self::Absent => (404, "ResourceNotFound"),
            Self::Late => (503, "ServiceUnavailable"),
        };
        json!({ "answer": { "status": status, "code": code, "message": "The test said so." } })
    }
}

async fn is_told(fixture: &'static Fixture, point: Point, trouble: Trouble) -> Verdict {
    let lab = Lab::of(fixture).await;
    let clean = answer(&lab).await?;
    let count = (trouble == Trouble::Late).then_some(1);
    lab.forget_requests();
    lab.fault(&point, point.nth, count, &trouble.effect());
    let (found, told) = lab.read_data().await;
    if lab.hits() == 0 {
        return Err("the fault was not met".to_owned());
    }
    no_secrets(&told)?;
    let text = shown(&told);
    if text.contains("made a mistake") {
        return Err(format!("the provider blames itself:\n{text}"));
    }
    if trouble == Trouble::Late {
        no_errors("what comes a little later", &told)?;
        return same(
            "after an answer of not now",
            &clean,
            &found.unwrap_or_default(),
        );
    }
    // What is said to whom asked: an error, or a finding within the answer that it is unknown.
    let said = match &found {
        None => text,
        // What is known otherwise is no half an answer.
        Some(found) if trouble == Trouble::Forbidden && *found == clean => return Ok(()),
        // What is not there is a fact, and another answer.
        Some(_) if trouble == Trouble::Absent => return Ok(()),
        Some(found) => found.to_string(),
    };
    let object = object_of(&point);
    let named = said.to_lowercase().contains(&object.to_lowercase());
    let complete = match trouble {
        Trouble::Forbidden => said.contains("/read`"),
        Trouble::Absent => said.contains("Fix:"),
        Trouble::Wrong => found.is_none() && said.contains("TestRefusal"),
        Trouble::Late => true,
    };
    if named && complete {
        Ok(())
    } else {
        Err(format!(
            "{object} was not to be had, and this was said:\n{said}"
        ))
    }
}

/// What a request is about: the last name in its path, which for a list is that of the parent.
fn object_of(point: &Point) -> String {
    let path = point.path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let at = segments
        .iter()
        .rposition(|word| word.eq_ignore_ascii_case("providers"));
    let pairs = at.map_or(&segments[..], |at| &segments[at + 2..]);
    let named = pairs.chunks(2).filter_map(|pair| pair.get(1)).next_back();
    // A list below nothing is of a subscription or a group.
    let whole = at.and_then(|at| segments[..at].last());
    let name = named.or(whole).copied().unwrap_or_default();
    // A random name is known by its type alone.
    let kind = segments.iter().rev().find(|word| !word.contains('*'));
    match name.contains('*') {
        true => kind.copied().unwrap_or_default().to_owned(),
        false => name.to_owned(),
    }
}

async fn answer(lab: &Lab) -> Result<Json, String> {
    let (found, told) = lab.read_data().await;
    no_errors("the question", &told)?;
    found.ok_or_else(|| "there is no answer, and no error".to_owned())
}

fn same(what: &str, first: &Json, second: &Json) -> Verdict {
    let found = differences(first, second);
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{what}, it answers otherwise:\n{}",
            found.join("\n")
        ))
    }
}
