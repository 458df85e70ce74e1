//! What the plan of a configuration tells: what is turned on and billed, and what is someone else's.

use tfplugin_rs::value::{Path, Value, to_json};

use super::plan::{Asked, is_on};
use super::{Existing, Input, PREVIOUS};
use crate::provider::parts::{Check, Unread, without_unknowns};

/// Checks with Azure's help.
pub fn check(check: &mut Check<'_>) -> Result<(), Unread> {
    let (Some(input), Some(id)) = (planned(check), check.id("id")) else {
        return Ok(());
    };
    let Some(found) = check.look(&id)? else {
        return Ok(());
    };
    let ours = check
        .prior
        .is_some_and(|prior| !prior.get(PREVIOUS).is_null());
    let subscription = id.subscription_id();
    if !is_on(found) {
        if !ours {
            check.warning(
                Path::root(),
                format!("Defender for Containers is turned on in subscription {subscription}"),
                format!(
                    "- {id}\n- it is Free now, and will be Standard\n\nAzure bills it for every registry and cluster \
                     of the subscription. What it was is kept in `previous`, and on_destroy says whether it is put \
                     back in the end."
                ),
            );
        }
        return Ok(());
    }
    let differences = Asked::of(&input).differences(found);
    if ours || differences.is_empty() {
        return Ok(());
    }
    let list = differences.join("\n- ");
    match input.existing {
        Existing::Accept => check.error(
            Path::attribute("existing"),
            "someone else's Defender plan for containers is not as it is asked for here",
            format!(
                "- {id}\n- {list}\n\nIt is on already, so that it counts here and is left as it is.\n\nFix: leave out what \
                 differs, have whoever turned it on change it, or change it knowingly; it is put back in the end:\n\n  \
                 existing = \"adopt\""
            ),
        ),
        Existing::Adopt => check.warning(
            Path::attribute("existing"),
            format!("the Defender plan for containers of subscription {subscription} is someone else's"),
            format!(
                "- {id}\n- {list}\n\nIt is changed, and where on_destroy is \"restore\" it is put back in the end to what \
                 it is now."
            ),
        ),
    }
    Ok(())
}

/// The input as far as it is known.
fn planned(check: &Check<'_>) -> Option<Input> {
    let mut known = without_unknowns(check.planned);
    known.set(PREVIOUS, Value::Null);
    let json = to_json(&known).ok()?;
    serde_json::from_value(json).ok()
}
