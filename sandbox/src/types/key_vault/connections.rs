//! Microsoft.KeyVault/vaults/privateEndpointConnections: private endpoints to a vault, by the group `vault`.

use super::VERSIONS;
use crate::errors::ArmError;
use crate::table::{Member, Place, PrivateLink, Style, Type};
use crate::types::container_registry::connections;

/// The type's name.
pub const NAME: &str = "Microsoft.KeyVault/vaults/privateEndpointConnections";

/// The row.
pub const CONNECTIONS: Type = Type {
    place: Place::None,
    delete: Style::AsyncOperation,
    creating: None,
    properties: &["privateEndpoint", "privateLinkServiceConnectionState"],
    check: connections::check,
    fill: connections::fill,
    ..Type::new(NAME, VERSIONS)
};

/// What private endpoints connect to (Microsoft Learn, "Azure Private Endpoint private DNS zone values").
pub const LINK: PrivateLink = PrivateLink {
    members: |_, vault, group| {
        if !group.eq_ignore_ascii_case("vault") {
            return Err(ArmError::bad(
                "PrivateLinkServiceGroupIdInvalid",
                format!(
                    "The group id '{group}' is invalid for {}. The group ids are 'vault'.",
                    vault.id
                ),
            ));
        }
        let record = vault.id.name().to_lowercase();
        Ok(vec![Member {
            name: "default".into(),
            fqdn: format!("{record}.vault.azure.net"),
            zone: "privatelink.vaultcore.azure.net".into(),
            record,
        }])
    },
    connections: NAME,
};
