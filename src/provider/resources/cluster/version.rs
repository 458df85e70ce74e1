//! Kubernetes versions: what a user writes (`1.33` or `1.33.2`), what Azure answers, and which of
//! the two leads while an upgrade channel moves it.

use std::cmp::Ordering;

use crate::arm::Json;

/// A version of Kubernetes, with or without its patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1
    pub major: u32,
    /// 33
    pub minor: u32,
    /// 2, where it was said.
    pub patch: Option<u32>,
}

impl Version {
    /// Reads `1.33` or `1.33.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let mut number = || parts.next().map(|part| part.parse::<u32>().ok());
        let version = Self {
            major: number()??,
            minor: number()??,
            patch: match number() {
                None => None,
                Some(patch) => Some(patch?),
            },
        };
        parts.next().is_none().then_some(version)
    }

    /// Whether what runs is what was written: an alias such as `1.33` stands for each of its
    /// patches.
    fn stands_for(self, running: Self) -> bool {
        (self.major, self.minor) == (running.major, running.minor)
            && self.patch.is_none_or(|patch| running.patch == Some(patch))
    }

    fn at_least(self, other: Self) -> bool {
        (self.major, self.minor, self.patch.unwrap_or(u32::MAX))
            >= (other.major, other.minor, other.patch.unwrap_or(0))
    }
}

/// The rule of [`check`], for documentation.
pub const RULE: &str = "a version such as `1.33` (its newest patch) or `1.33.2`";

/// Checks what a user wrote.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str) -> Result<(), String> {
    Version::parse(text)
        .map(drop)
        .ok_or_else(|| format!("{text:?} is no version; write one such as \"1.33\" or \"1.33.2\""))
}

/// Whether what is there satisfies what was written: the same version, or a later one that an
/// upgrade channel has brought.
pub fn satisfied(wanted: &str, specified: &Json, current: &Json, upgrades_itself: bool) -> bool {
    let Some(wanted_version) = Version::parse(wanted) else {
        return specified.as_str() == Some(wanted);
    };
    let there = [specified, current];
    let mut there = there
        .iter()
        .filter_map(|json| Version::parse(json.as_str()?));
    there.any(|version| {
        wanted_version.stands_for(version) || (upgrades_itself && version.at_least(wanted_version))
    })
}

/// The version to write: what is there where that satisfies, else what was written. `None` when
/// nothing was written: then it is left to Azure.
pub fn to_write(
    wanted: Option<&str>,
    specified: &Json,
    current: &Json,
    upgrades_itself: bool,
) -> Option<String> {
    let wanted = wanted?;
    match specified.as_str().or(current.as_str()) {
        Some(there) if satisfied(wanted, specified, current, upgrades_itself) => {
            Some(there.to_owned())
        }
        _ => Some(wanted.to_owned()),
    }
}

/// What to show for what was written: that, where it is satisfied.
pub fn to_show(
    written: Option<&str>,
    specified: &Json,
    current: &Json,
    upgrades_itself: bool,
) -> Option<String> {
    let written = written?;
    if specified.is_null() || satisfied(written, specified, current, upgrades_itself) {
        return Some(written.to_owned());
    }
    specified.as_str().map(str::to_owned)
}

/// Whether one version is above another, as far as both are said: an alias stands for any of its patches.
pub fn is_newer(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (Version::parse(one), Version::parse(other)) else {
        return false;
    };
    match (one.major, one.minor).cmp(&(other.major, other.minor)) {
        Ordering::Equal => one
            .patch
            .zip(other.patch)
            .is_some_and(|(one, other)| one > other),
        order => order == Ordering::Greater,
    }
}

/// Why Azure does not go from one version to another, if it does not (Microsoft Learn, "Upgrade
/// options for AKS clusters": no downgrade, one minor version at a time).
pub fn step_problem(from: &str, to: &str) -> Option<String> {
    let (from, to) = (Version::parse(from)?, Version::parse(to)?);
    let minor = |version: Version| (version.major, version.minor);
    if minor(to) < minor(from)
        || (minor(to) == minor(from) && to.patch.is_some_and(|patch| Some(patch) < from.patch))
    {
        return Some("AKS never goes back to an earlier version".to_owned());
    }
    (to.major == from.major && to.minor > from.minor + 1).then(|| {
        format!(
            "AKS goes one minor version at a time: {}.{} comes next",
            from.major,
            from.minor + 1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_alias_stands_for_each_of_its_patches_and_a_patch_for_itself() {
        let there = (json!("1.33.2"), json!("1.33.2"));
        assert!(satisfied("1.33", &there.0, &there.1, false));
        assert!(satisfied("1.33.2", &there.0, &there.1, false));
        assert!(!satisfied("1.33.3", &there.0, &there.1, false));
        assert!(!satisfied("1.34", &there.0, &there.1, false));
        // The alias was written to Azure, and its patch runs.
        assert!(satisfied("1.33.2", &json!("1.33"), &json!("1.33.2"), false));
    }

    #[test]
    fn a_version_that_a_channel_brought_is_no_drift_and_is_not_taken_back() {
        let (spec, current) = (json!("1.34.1"), json!("1.34.1"));
        assert!(satisfied("1.33", &spec, &current, true));
        assert_eq!(
            to_write(Some("1.33"), &spec, &current, true).as_deref(),
            Some("1.34.1")
        );
        assert_eq!(
            to_show(Some("1.33"), &spec, &current, true).as_deref(),
            Some("1.33")
        );
        assert!(!satisfied("1.35", &spec, &current, true));
        assert_eq!(to_write(None, &spec, &current, true), None);
    }

    #[test]
    fn without_a_channel_another_version_is_drift() {
        let there = json!("1.34.1");
        assert_eq!(
            to_show(Some("1.33"), &there, &there, false).as_deref(),
            Some("1.34.1")
        );
        assert_eq!(
            to_write(Some("1.33"), &there, &there, false).as_deref(),
            Some("1.33")
        );
    }

    #[test]
    fn aks_goes_up_one_minor_version_at_a_time() {
        assert_eq!(step_problem("1.33.2", "1.34"), None);
        assert_eq!(step_problem("1.33.2", "1.33"), None);
        assert_eq!(step_problem("1.33.2", "1.33.4"), None);
        assert!(step_problem("1.33.2", "1.35").is_some_and(|why| why.contains("1.34 comes next")));
        for back in ["1.32", "1.33.1"] {
            assert!(
                step_problem("1.33.2", back).is_some_and(|why| why.contains("never goes back"))
            );
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "v1.33", "1.33.2.1", "latest", "1.x"] {
            assert!(check(text).is_err(), "{text}");
        }
        assert_eq!(check("1.33"), Ok(()));
    }
}
