//! Which properties of each ARM type may be written, from the committed table.
//!
//! The table is generated from Azure's published type definitions. It reduces what is read
//! before it is written back, and proves of every body that nothing read-only or unknown
//! leaves.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::arm::{ArmId, Json};

static TABLE: &str = include_str!("writable.txt");

/// The writable properties of one object: by name, with what lies below.
#[derive(Debug, Default)]
struct Node {
    members: BTreeMap<String, Node>,
    /// Any member is allowed, as in tags.
    open: bool,
    /// What lies below each member where any is allowed; `None` if that may be anything, too.
    each: Option<Box<Node>>,
}

/// What of a body may be written back: the body without read-only and unknown properties.
pub fn reduced(id: &ArmId, body: &Json) -> Json {
    match table().get(&id.resource_type().to_lowercase()) {
        Some(node) => reduce(node, body),
        None => body.clone(),
    }
}

/// Whether a body has nothing but writable properties.
///
/// # Errors
/// The pointer of the first property that may not leave.
pub fn check(id: &ArmId, body: &Json) -> Result<(), String> {
    let kind = id.resource_type();
    let Some(node) = table().get(&kind.to_lowercase()) else {
        return Err(format!(
            "the type {kind} is not in the table of writable properties"
        ));
    };
    match stray(node, body, "") {
        None => Ok(()),
        Some(pointer) => Err(format!(
            "{pointer} of {kind} is not writable, and was to be written"
        )),
    }
}

fn reduce(node: &Node, body: &Json) -> Json {
    match body {
        Json::Object(members) if node.open => Json::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let each = node.each.as_deref();
                    (
                        name.clone(),
                        each.map_or_else(|| value.clone(), |each| reduce(each, value)),
                    )
                })
                .collect(),
        ),
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter_map(|(name, value)| {
                    node.members
                        .get(name)
                        .map(|node| (name.clone(), reduce(node, value)))
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(|item| reduce(node, item)).collect()),
        other => other.clone(),
    }
}

fn stray(node: &Node, body: &Json, at: &str) -> Option<String> {
    match body {
        Json::Object(members) if node.open => {
            let each = node.each.as_deref()?;
            members
                .iter()
                .find_map(|(name, value)| stray(each, value, &format!("{at}/{name}")))
        }
        Json::Object(members) => members.iter().find_map(|(name, value)| {
            let at = format!("{at}/{name}");
            match node.members.get(name) {
                Some(node) => stray(node, value, &at),
                None => Some(at),
            }
        }),
        Json::Array(items) => items.iter().find_map(|item| stray(node, item, at)),
        _ => None,
    }
}

/// The table by type in lower case. The file has a line `# <type>@<version>` before the paths
/// of each type; `*` at the end of a path allows any member there. `*` within a path stands for
/// each of them, of which only what is named below may be written, and nothing where that is `-`.
fn table() -> &'static BTreeMap<String, Node> {
    static PARSED: OnceLock<BTreeMap<String, Node>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let mut types: BTreeMap<String, Node> = BTreeMap::new();
        let mut current = String::new();
        for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(header) = line.strip_prefix("# ") {
                current = header.split('@').next().unwrap_or_default().to_lowercase();
                types.entry(current.clone()).or_default();
            } else if let Some(mut node) = types.get_mut(&current) {
                let mut steps = line.split('.').peekable();
                while let Some(step) = steps.next() {
                    if step == "*" {
                        node.open = true;
                        if steps.peek().is_some() {
                            node = node.each.get_or_insert_default();
                        }
                    } else if step != "-" {
                        node = node.members.entry(step.to_owned()).or_default();
                    }
                }
            }
        }
        types
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn endpoint() -> ArmId {
        ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
            .resource("Microsoft.Network/privateEndpoints", "pe")
    }

    #[test]
    fn read_only_properties_are_left_out_of_what_is_written_back() {
        let body = json!({
            "id": "x", "etag": "y", "location": "westeurope", "tags": {"any": "tag"},
            "properties": {"provisioningState": "Succeeded", "subnet": {"id": "s"}}
        });
        assert_eq!(
            reduced(&endpoint(), &body),
            json!({
                "location": "westeurope", "tags": {"any": "tag"},
                "properties": {"subnet": {"id": "s"}}
            })
        );
        assert!(check(&endpoint(), &reduced(&endpoint(), &body)).is_ok());
    }

    #[test]
    fn the_members_of_a_map_are_reduced_to_what_is_known_of_them() {
        let cluster = ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
            .resource("Microsoft.ContainerService/managedClusters", "aks");
        let body = json!({
            "identity": {"userAssignedIdentities": {"/x": {"clientId": "c", "principalId": "p"}}},
            "properties": {"addonProfiles": {"azurepolicy": {
                "enabled": true, "config": {"any": "thing"}, "identity": {"objectId": "o"}
            }}}
        });
        assert_eq!(
            reduced(&cluster, &body),
            json!({
                "identity": {"userAssignedIdentities": {"/x": {}}},
                "properties": {"addonProfiles": {"azurepolicy": {
                    "enabled": true, "config": {"any": "thing"}
                }}}
            })
        );
        assert!(check(&cluster, &body).is_err());
        assert!(check(&cluster, &reduced(&cluster, &body)).is_ok());
    }

    #[test]
    fn a_read_only_property_that_would_leave_is_named() {
        let body = json!({"properties": {"networkInterfaces": [{"id": "n"}]}});
        assert_eq!(
            check(&endpoint(), &body).unwrap_err(),
            "/properties/networkInterfaces of Microsoft.Network/privateEndpoints is not writable, \
             and was to be written"
        );
    }
}
