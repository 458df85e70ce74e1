//! Tags: the provider's `default_tags` are added, those of `ignore_tags` are left to others.

use std::collections::{BTreeMap, BTreeSet};

use crate::arm::Json;

/// A resource's tags.
pub type Tags = BTreeMap<String, String>;

/// Which tags the provider adds to everything, and which it never looks at. Azure compares tag
/// names without case (Azure Resource Manager, "Use tags to organize your Azure resources").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagPolicy {
    /// Added to every resource that has tags; a resource's own tag of the name wins.
    pub defaults: Tags,
    /// Names that others own.
    pub ignored: BTreeSet<String>,
    /// Beginnings of names that others own.
    pub ignored_prefixes: BTreeSet<String>,
}

impl TagPolicy {
    /// Whether others own the tag of that name.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        let lower = name.to_lowercase();
        self.ignored
            .iter()
            .any(|ignored| ignored.to_lowercase() == lower)
            || self
                .ignored_prefixes
                .iter()
                .any(|prefix| lower.starts_with(&prefix.to_lowercase()))
    }

    /// The tags that a resource should have: its own over the provider's defaults.
    #[must_use]
    pub fn wanted(&self, own: Option<&Tags>) -> Tags {
        let mut tags = self.defaults.clone();
        for (name, value) in own.into_iter().flatten() {
            tags.retain(|other, _| !other.eq_ignore_ascii_case(name));
            tags.insert(name.clone(), value.clone());
        }
        tags
    }

    /// The tags as the user would have to write them: what Azure has, without the ignored ones
    /// and without defaults that are as they should be. `None` stays where nothing is left.
    #[must_use]
    pub fn observed(&self, found: &Json, prior: Option<&Tags>) -> Option<Tags> {
        let mut tags = Tags::new();
        for (name, value) in found["tags"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            let written = prior
                .into_iter()
                .flatten()
                .find(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(own, _)| own.clone());
            let default = self
                .defaults
                .iter()
                .any(|(own, set)| own.eq_ignore_ascii_case(name) && set == value);
            match written {
                Some(own) => {
                    tags.insert(own, value.to_owned());
                }
                None if default || self.ignores(name) => {}
                None => {
                    tags.insert(name.clone(), value.to_owned());
                }
            }
        }
        if tags.is_empty() && prior.is_none() {
            None
        } else {
            Some(tags)
        }
    }
}

/// What was found, without the tags that others own.
pub fn without_ignored_tags(found: &Json, policy: &TagPolicy) -> Json {
    let mut found = found.clone();
    if let Some(tags) = found.get_mut("tags").and_then(Json::as_object_mut) {
        tags.retain(|name, _| !policy.ignores(name));
    }
    found
}

/// Adds the tags that others own to a body that is about to be written, because a write of tags
/// writes all of them.
pub fn keep_ignored_tags(body: &mut Json, found: &Json, policy: &TagPolicy) {
    let Some(tags) = body.get_mut("tags").and_then(Json::as_object_mut) else {
        return;
    };
    for (name, value) in found["tags"].as_object().into_iter().flatten() {
        if policy.ignores(name) && !tags.keys().any(|own| own.eq_ignore_ascii_case(name)) {
            tags.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn policy() -> TagPolicy {
        TagPolicy {
            defaults: tags(&[("team", "platform"), ("env", "test")]),
            ignored: ["CreatedBy".to_owned()].into(),
            ignored_prefixes: ["hidden-".to_owned()].into(),
        }
    }

    #[test]
    fn a_resources_own_tag_wins_over_the_default_of_that_name() {
        assert_eq!(
            policy().wanted(Some(&tags(&[("Env", "prod")]))),
            tags(&[("Env", "prod"), ("team", "platform")])
        );
    }

    #[test]
    fn defaults_and_ignored_tags_do_not_show_as_the_users() {
        let found = json!({"tags": {
            "team": "platform", "env": "test", "createdby": "someone", "hidden-link": "x"
        }});
        assert_eq!(policy().observed(&found, None), None);
        assert_eq!(policy().observed(&found, Some(&tags(&[]))), Some(tags(&[])));
    }

    #[test]
    fn a_tag_of_anothers_making_shows_as_drift_and_the_users_spelling_stays() {
        let found = json!({"tags": {"COST": "7", "extra": "y"}});
        assert_eq!(
            policy().observed(&found, Some(&tags(&[("cost", "7")]))),
            Some(tags(&[("cost", "7"), ("extra", "y")]))
        );
    }

    #[test]
    fn what_is_written_keeps_the_tags_that_others_own() {
        let found = json!({"tags": {"createdby": "someone", "old": "x", "Hidden-Link": "y"}});
        let mut body = json!({"tags": {"env": "prod"}});
        keep_ignored_tags(&mut body, &found, &policy());
        assert_eq!(
            body,
            json!({"tags": {"env": "prod", "createdby": "someone", "Hidden-Link": "y"}})
        );
        assert_eq!(
            without_ignored_tags(&found, &policy()),
            json!({"tags": {"old": "x"}})
        );
    }
}
