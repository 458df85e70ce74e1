//! What someone keeps in a workspace: Microsoft.OperationalInsights/workspaces/tables of their own, data
//! exports and linked services. Azure's own tables, which every workspace has, are not listed.

use crate::errors::{ArmError, ArmResult};
use crate::store::{Resource, World};
use crate::table::{Change, Place, Type, Verb};

use super::VERSIONS;

/// Tables.
pub const TABLES: Type = Type {
    place: Place::None,
    creating: None,
    properties: &[
        "schema",
        "plan",
        "retentionInDays",
        "totalRetentionInDays",
        "archiveRetentionInDays",
        "searchResults",
        "restoredLogs",
        "resultStatistics",
        "provisioningState",
    ],
    read_only: &["archiveRetentionInDays", "resultStatistics"],
    check,
    fill,
    ..Type::new("Microsoft.OperationalInsights/workspaces/tables", VERSIONS)
};

/// Data exports.
pub const EXPORTS: Type = Type {
    place: Place::None,
    creating: None,
    properties: &[
        "dataExportId",
        "tableNames",
        "destination",
        "enable",
        "createdDate",
        "lastModifiedDate",
    ],
    ..Type::new(
        "Microsoft.OperationalInsights/workspaces/dataExports",
        VERSIONS,
    )
};

/// Linked services.
pub const LINKED: Type = Type {
    place: Place::None,
    creating: None,
    properties: &["resourceId", "writeAccessResourceId", "provisioningState"],
    ..Type::new(
        "Microsoft.OperationalInsights/workspaces/linkedServices",
        VERSIONS,
    )
};

/// Tables of one's own have names that end with `_CL`.
fn check(_: &World, change: &Change<'_>) -> ArmResult<()> {
    let name = change.new.id.name();
    if change.verb == Verb::Delete || name.ends_with("_CL") {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidParameter",
        format!(
            "The name of the table '{name}' is invalid: a custom table's name ends with '_CL'."
        ),
    ))
}

fn fill(_: &mut World, new: &mut Resource, _: Option<&Resource>) -> ArmResult<()> {
    new.set("/properties/schema/tableType", "CustomLog");
    new.default("/properties/plan", "Analytics");
    Ok(())
}
