//! Microsoft.Insights: diagnostic settings of any resource, and the categories that it can send.

pub mod categories;
pub mod diagnostic_settings;

use crate::table::Type;

/// API versions of diagnostic settings that clients send.
pub const VERSIONS: &[&str] = &["2016-09-01", "2017-05-01-preview", "2021-05-01-preview"];

/// The rows of this folder.
pub static TYPES: &[Type] = &[
    diagnostic_settings::SETTINGS,
    Type::computed(
        "Microsoft.Insights/diagnosticSettingsCategories",
        VERSIONS,
        categories::list,
    ),
];
