//! The rows of a workspace: what diagnostic settings sent to it when it happened. A setting that comes later
//! brings nothing of before, and one that goes takes nothing away.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::workspaces;
use crate::store::{World, timestamp};
use crate::types::insights::diagnostic_settings;

/// Rows kept; older ones are dropped.
const LIMIT: usize = 100_000;

/// One row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The `customerId` of the workspace.
    pub customer: String,
    /// The table: the category of the event.
    pub table: String,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The id of the resource in lower case.
    pub resource: String,
    /// The other columns.
    pub columns: Value,
}

impl Row {
    /// The text of a column; empty when the row has none.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.columns[column].as_str().unwrap_or_default()
    }
}

/// Sends an event of a resource to every workspace that its diagnostic settings name for the category now.
/// `columns` are those of the table besides `TimeGenerated` and `_ResourceId`.
pub fn send(world: &mut World, resource: &str, category: &str, columns: &Value, time: u64) {
    let Some(source) = world.get(resource) else {
        return;
    };
    let customers: Vec<String> = diagnostic_settings::workspaces(world, source, category)
        .iter()
        .filter_map(|id| world.get(id))
        .filter_map(workspaces::customer)
        .map(ToOwned::to_owned)
        .collect();
    let resource = source.id.key();
    for customer in customers {
        let mut columns = columns.clone();
        columns["TimeGenerated"] = json!(timestamp(time));
        columns["_ResourceId"] = json!(resource);
        world.log_rows.push(Row {
            customer,
            table: category.to_owned(),
            time,
            resource: resource.clone(),
            columns,
        });
    }
    let surplus = world.log_rows.len().saturating_sub(LIMIT);
    world.log_rows.drain(..surplus);
}
