//! Compliance, computed from the resources as they are: one state for each resource and assignment.

use serde_json::Value;

use super::{effects, exemptions, fields};
use crate::store::{Resource, World};
use crate::types::resources::lists::tracked;

/// What a resource is under an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule's condition does not hold.
    Compliant,
    /// It holds.
    NonCompliant,
    /// An exemption takes the resource out.
    Exempt,
}

impl Verdict {
    /// As `complianceState` shows it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Compliant => "Compliant",
            Self::NonCompliant => "NonCompliant",
            Self::Exempt => "Exempt",
        }
    }
}

/// One state.
pub struct State<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// The assignment on it.
    pub applied: effects::Applied<'a>,
    /// The verdict.
    pub verdict: Verdict,
}

/// The states of everything at and below a scope (an id).
#[must_use]
pub fn states<'a>(world: &'a World, concerned: &dyn Fn(&Resource) -> bool) -> Vec<State<'a>> {
    world
        .all()
        // Of mode Indexed: what has a location.
        .filter(|resource| tracked(resource))
        .filter(|resource| resource.state() != "Creating" && resource.state() != "Deleting")
        .filter(|resource| concerned(resource))
        .flat_map(|resource| {
            effects::on(world, resource)
                .into_iter()
                .map(move |applied| {
                    let verdict = judge(world, resource, &applied);
                    State {
                        resource,
                        applied,
                        verdict,
                    }
                })
        })
        .collect()
}

/// The verdict on one resource under one assignment.
#[must_use]
pub fn judge(world: &World, resource: &Resource, applied: &effects::Applied<'_>) -> Verdict {
    if exemptions::of(world, applied.assignment, resource).is_some() {
        return Verdict::Exempt;
    }
    match applied.holds(&shown(world, resource), &mut Vec::new()) {
        true => Verdict::NonCompliant,
        false => Verdict::Compliant,
    }
}

/// A stored resource as a GET shows it, with what follows from others.
fn shown(world: &World, resource: &Resource) -> Value {
    let mut seen = world.view(resource);
    for (name, value) in fields::seen(resource).as_object().into_iter().flatten() {
        if seen.get(name).is_none() {
            seen[name] = value.clone();
        }
    }
    seen
}
