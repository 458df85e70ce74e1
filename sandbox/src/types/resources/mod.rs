//! Resource Manager's own: resource groups, locks, subscriptions, providers and lists across types.

pub mod groups;
pub mod lists;
pub mod locks;
pub mod providers;
pub mod subscriptions;

use crate::table::Type;

/// API versions of Microsoft.Resources that clients send for groups, subscriptions, providers and resource lists.
pub const VERSIONS: &[&str] = &[
    "2014-04-01",
    "2015-11-01",
    "2016-02-01",
    "2016-06-01",
    "2016-07-01",
    "2016-09-01",
    "2017-05-10",
    "2018-01-01",
    "2018-02-01",
    "2018-05-01",
    "2018-06-01",
    "2019-03-01",
    "2019-05-01",
    "2019-05-10",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-10-01",
    "2019-11-01",
    "2020-01-01",
    "2020-06-01",
    "2020-08-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2021-10-01",
    "2022-01-01",
    "2022-06-01",
    "2022-09-01",
    "2022-12-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-08-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];

/// The rows of this folder.
pub static TYPES: &[Type] = &[groups::GROUPS, locks::LOCKS];
