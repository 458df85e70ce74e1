//! The one table of API versions. A row is a resource type or a whole namespace; the longest row
//! that is a prefix of a type wins, and the user's overrides win over the table, because sovereign
//! clouds lag behind by months.

use std::collections::BTreeMap;

use super::Error;

/// Lower-case type or namespace, and its version. Chosen so that the body of each type is known
/// (OpenAPI and type files of that version), and new enough for what the provider offers.
const PINNED: &[(&str, &str)] = &[
    ("microsoft.authorization/locks", "2020-05-01"),
    ("microsoft.authorization/permissions", "2022-04-01"),
    ("microsoft.authorization/policyassignments", "2025-03-01"),
    ("microsoft.authorization/policydefinitions", "2025-03-01"),
    (
        "microsoft.authorization/policyexemptions",
        "2022-07-01-preview",
    ),
    ("microsoft.authorization/roleassignments", "2022-04-01"),
    ("microsoft.authorization/roledefinitions", "2022-04-01"),
    ("microsoft.compute", "2025-04-01"),
    ("microsoft.containerregistry", "2025-11-01"),
    ("microsoft.containerservice", "2026-04-01"),
    // The resource-scoped type has no stable version with these fields.
    (
        "microsoft.insights/diagnosticsettings",
        "2021-05-01-preview",
    ),
    (
        "microsoft.insights/diagnosticsettingscategories",
        "2021-05-01-preview",
    ),
    ("microsoft.keyvault", "2026-02-01"),
    ("microsoft.managedidentity", "2024-11-30"),
    ("microsoft.management", "2023-04-01"),
    ("microsoft.network", "2025-05-01"),
    ("microsoft.network/privatednszones", "2024-06-01"),
    ("microsoft.operationalinsights", "2025-07-01"),
    ("microsoft.policyinsights", "2024-10-01"),
    ("microsoft.resources", "2025-04-01"),
    ("microsoft.resources/locations", "2022-12-01"),
    ("microsoft.resources/subscriptions", "2022-12-01"),
    ("microsoft.resources/validateresources", "2022-06-01"),
    ("microsoft.security", "2024-01-01"),
    ("microsoft.storage", "2025-08-01"),
];

/// The table together with the user's overrides.
#[derive(Clone, Debug, Default)]
pub(super) struct ApiVersions(BTreeMap<String, String>);

impl ApiVersions {
    /// Checks the overrides: the shape of a version is known, and a type has a namespace.
    pub(super) fn new(overrides: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut rows = BTreeMap::new();
        for (kind, version) in overrides {
            if !kind
                .split('/')
                .next()
                .is_some_and(|namespace| namespace.contains('.'))
                || kind.ends_with('/')
            {
                return Err(Error::Settings(format!(
                    "api_versions: {kind:?} is neither a resource type such as \
                     Microsoft.Network/privateEndpoints nor a namespace such as Microsoft.Network"
                )));
            }
            if !is_version(version) {
                return Err(Error::Settings(format!(
                    "api_versions: {version:?}, given for {kind}, is no API version such as 2025-05-01 or 2025-05-01-preview"
                )));
            }
            rows.insert(kind.to_ascii_lowercase(), version.clone());
        }
        Ok(Self(rows))
    }

    /// The version for a resource type.
    pub(super) fn of(&self, resource_type: &str) -> Option<&str> {
        let mut prefix: &str = &resource_type.to_ascii_lowercase();
        loop {
            if let Some(version) = self.0.get(prefix) {
                return Some(version);
            }
            if let Some((_, version)) = PINNED.iter().find(|(kind, _)| *kind == prefix) {
                return Some(version);
            }
            prefix = &prefix[..prefix.rfind('/')?];
        }
    }
}

fn is_version(text: &str) -> bool {
    let (date, suffix) = text.split_at_checked(10).unwrap_or((text, ""));
    date.len() == 10
        && date.bytes().enumerate().all(|(i, b)| {
            if matches!(i, 4 | 7) {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        })
        && (suffix.is_empty()
            || suffix
                .strip_prefix('-')
                .is_some_and(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with(kind: &str, version: &str) -> Result<ApiVersions, Error> {
        ApiVersions::new(&BTreeMap::from([(kind.to_owned(), version.to_owned())]))
    }

    #[test]
    fn the_longest_row_wins() {
        let versions = ApiVersions::default();
        assert_eq!(
            versions.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"),
            Some("2025-05-01")
        );
        assert_eq!(
            versions.of("Microsoft.Network/privateDnsZones/A"),
            Some("2024-06-01")
        );
        assert_eq!(
            versions.of("microsoft.resources/resourcegroups"),
            Some("2025-04-01")
        );
        assert_eq!(versions.of("Microsoft.Unknown/things"), None);
    }

    #[test]
    fn an_override_of_a_namespace_loses_only_to_a_longer_row() {
        let versions = with("Microsoft.Network", "2024-05-01").unwrap();
        assert_eq!(
            versions.of("Microsoft.Network/virtualNetworks/subnets"),
            Some("2024-05-01")
        );
        assert_eq!(
            versions.of("Microsoft.Network/privateDnsZones"),
            Some("2024-06-01")
        );
        let versions = with("Microsoft.Network/PRIVATEDNSZONES", "2020-06-01").unwrap();
        assert_eq!(
            versions.of("Microsoft.Network/privateDnsZones/A"),
            Some("2020-06-01")
        );
    }

    #[test]
    fn a_wrong_override_is_an_error_that_names_it() {
        for (kind, version) in [
            ("network", "2024-05-01"),
            ("Microsoft.Network/", "2024-05-01"),
            ("A.B", "latest"),
            ("A.B", "2024-05-01-"),
        ] {
            let error = with(kind, version).unwrap_err().to_string();
            assert!(
                error.contains(kind) && error.contains("api_versions"),
                "{error}"
            );
        }
        assert!(with("A.B/c", "2024-05-01-preview").is_ok());
    }

    #[test]
    fn the_table_is_sorted_and_holds_only_versions() {
        assert!(PINNED.is_sorted());
        assert!(
            PINNED
                .iter()
                .all(|(kind, version)| is_version(version) && kind.to_lowercase() == *kind)
        );
    }
}
