//! What there is, in the user's terms. Of the events the arguments are what the user wrote, because
//! several settings may send them together: what does not get to the workspace is drift. Of the workspace
//! that was made here, they are what Azure has.

use std::collections::BTreeSet;

use super::settings::{self, Stream};
use super::{Collected, Existing, Input, NAME, Output, PART, RegistryAudit};
use crate::arm::{ArmId, Json};
use crate::provider::parts::{Observed, Seen, Unread};

/// Observes the audit of the registry of that id.
///
/// # Errors
/// [`Unread`] when more must be read first.
pub fn observe(
    id: &ArmId,
    prior: Option<&Input>,
    seen: &Seen,
) -> Result<Observed<RegistryAudit>, Unread> {
    // Asked for together, so that they are read at the same time.
    let registry = seen.look(id).map(drop);
    let target = prior.and_then(Input::target);
    let workspace = target.as_ref().map(|target| seen.look(target));
    let (mut input, warnings) = match prior {
        Some(prior) => {
            let senders = settings::senders(prior, seen, &|id| prior.owns(seen, id));
            registry?;
            senders?;
            (prior.clone(), Vec::new())
        }
        None => imported(id, seen)?,
    };
    let workspace = match (workspace, input.target()) {
        (Some(look), _) => look?.found(),
        (None, Some(target)) => seen.look(&target)?.found(),
        (None, None) => None,
    };
    if let (Some(own), Some(found)) = (&mut input.workspace, workspace) {
        *own = own.observed(found, seen);
    }
    input.workspace_id = input.target();
    let senders = settings::senders(&input, seen, &|id| input.owns(seen, id))?;
    let customer = workspace.and_then(|found| found["properties"]["customerId"].as_str());
    let shown = senders.into_iter().map(|(stream, sender)| {
        let shown = Collected {
            setting_id: sender.id.to_string(),
            owned: sender.owned,
        };
        (stream, shown)
    });
    let output = Output {
        workspace_customer_id: customer.map(str::to_owned),
        collected: shown.collect(),
    };
    let mut observed = Observed::new(input, output);
    observed.warnings = warnings;
    Ok(observed)
}

type Warnings = Vec<(String, String)>;

/// What an import takes over: the setting that it was given, or, by the registry's id, the one of this
/// resource's usual name, or the only one that sends events to a workspace.
fn imported(registry: &ArmId, seen: &Seen) -> Result<(Input, Warnings), Unread> {
    let mut input = Input {
        registry_id: registry.clone(),
        name: NAME.to_owned(),
        workspace_id: None,
        workspace: None,
        events: None,
        metrics_enabled: false,
        existing: Existing::Accept,
        adopted: None,
    };
    let given = seen
        .prior()
        .and_then(|start| start["objects"][PART][0].as_str());
    let given = given.and_then(|id| ArmId::parse(id).ok());
    let list = settings::all(&input, seen);
    let found = match given {
        Some(id) => seen.look(&id)?.found().map(|found| (id, found)),
        None => chosen(list?),
    };
    let Some((id, setting)) = found else {
        let many = list?.len();
        let warning = (
            "no diagnostic setting of the registry can be told to be this resource's".to_owned(),
            format!(
                "- {registry}\n- it has {many} settings, none of them named {NAME:?}\n\nFix: import by the id \
                 of the setting:\n\n  {registry}/providers/{}/<name>",
                settings::SETTING
            ),
        );
        return Ok((input, vec![warning]));
    };
    id.name().clone_into(&mut input.name);
    let workspace = setting["properties"]["workspaceId"].as_str();
    input.workspace_id = workspace.and_then(|id| ArmId::parse(id).ok());
    input.adopted = Some(id.clone());
    let own: BTreeSet<Stream> = settings::senders(&input, seen, &|other| *other == id)?
        .into_iter()
        .filter(|(_, sender)| sender.owned)
        .map(|(stream, _)| stream)
        .collect();
    input.metrics_enabled = own.contains(&Stream::Metrics);
    let events: BTreeSet<Stream> = own
        .into_iter()
        .filter(|stream| *stream != Stream::Metrics)
        .collect();
    input.events = (events.len() == 1).then_some(events);
    Ok((input, Vec::new()))
}

fn chosen(list: &[Json]) -> Option<(ArmId, &Json)> {
    let to_workspaces = list
        .iter()
        .filter(|setting| setting["properties"]["workspaceId"].is_string())
        .filter_map(|setting| Some((settings::id_of(setting)?, setting)));
    let all: Vec<_> = to_workspaces.collect();
    let usual = all
        .iter()
        .find(|(id, _)| id.name().eq_ignore_ascii_case(NAME));
    match (usual, all.as_slice()) {
        (Some(usual), _) | (None, [usual]) => Some(usual.clone()),
        _ => None,
    }
}
