//! Resource ids: `/subscriptions/{s}/resourceGroups/{g}/providers/{ns}/{type}/{name}...`, and those of the
//! tenant, `/providers/{ns}/{type}/{name}...`.
//! Ids compare without case and keep the spelling of whoever created the resource; the fixed words
//! (`resourceGroups`, the namespace, the type) are always shown in Azure's own spelling.

use serde::{Deserialize, Serialize};

/// The full id of one resource, a resource group or a subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// Reads an id. `None` when the text is not the id of one thing: a name is missing, or the path starts elsewhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let segments: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) || segments.len() < 2 {
            return None;
        }
        let mut rest = segments.as_slice();
        if rest[0].eq_ignore_ascii_case("subscriptions") {
            rest = &rest[2..];
            if rest
                .first()
                .is_some_and(|word| word.eq_ignore_ascii_case("resourceGroups"))
            {
                rest = rest.get(2..)?;
            }
        } else if !rest[0].eq_ignore_ascii_case("providers") {
            return None;
        }
        let mut positions = rest.iter();
        let mut expect_type = false;
        while let Some(word) = positions.next() {
            if word.eq_ignore_ascii_case("providers") {
                positions.next()?;
                expect_type = true;
            } else if rest[0].eq_ignore_ascii_case("providers") {
                positions.next()?;
                expect_type = false;
            } else {
                return None;
            }
        }
        (!expect_type).then(|| Self(text.to_owned()))
    }

    /// The id of a resource group.
    #[must_use]
    pub fn group_of(subscription: &str, group: &str) -> Self {
        Self(format!(
            "/subscriptions/{subscription}/resourceGroups/{group}"
        ))
    }

    /// The id of a subscription.
    #[must_use]
    pub fn subscription_of(subscription: &str) -> Self {
        Self(format!("/subscriptions/{subscription}"))
    }

    /// The id as its creator spelled it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case: what ids are compared by.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The subscription's id; empty for what belongs to the tenant or to a management group.
    #[must_use]
    pub fn subscription(&self) -> &str {
        let mut segments = self.segments();
        let first = segments.next().unwrap_or_default();
        if first.eq_ignore_ascii_case("subscriptions") {
            segments.next().unwrap_or_default()
        } else {
            ""
        }
    }

    /// The resource group's name; `None` for a subscription and for what lies directly below one.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let mut segments = self.segments().skip(2);
        segments
            .next()
            .filter(|word| word.eq_ignore_ascii_case("resourceGroups"))?;
        segments.next()
    }

    /// The last name in the id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.segments().next_back().unwrap_or_default()
    }

    /// The resource provider's namespace, `Microsoft.Resources` for groups and subscriptions.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.provider_part().0
    }

    /// The full type name, such as `Microsoft.Network/virtualNetworks/subnets`, in the spelling of the id.
    #[must_use]
    pub fn type_name(&self) -> String {
        let (namespace, pairs) = self.provider_part();
        if pairs.is_empty() {
            let last = if self.group().is_some() {
                "resourceGroups"
            } else {
                "subscriptions"
            };
            return format!("Microsoft.Resources/{last}");
        }
        pairs
            .iter()
            .step_by(2)
            .fold(namespace.to_owned(), |name, word| format!("{name}/{word}"))
    }

    /// The names in the provider part, outermost first: network and subnet for a subnet.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.provider_part()
            .1
            .iter()
            .skip(1)
            .step_by(2)
            .copied()
            .collect()
    }

    /// The resource that holds this one; the group (or scope) for a resource without a parent resource,
    /// the subscription for a group.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let segments: Vec<&str> = self.segments().collect();
        let (_, pairs) = self.provider_part();
        let cut = match pairs.len() {
            0 | 3.. => 2,
            _ => 4, // the namespace goes too
        };
        if segments.len() <= 2 {
            return None;
        }
        let kept = &segments[..segments.len().saturating_sub(cut)];
        (kept.len() >= 2).then(|| Self(format!("/{}", kept.join("/"))))
    }

    /// True when the parent is itself a resource of the same provider, as a network is to its subnets.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.provider_part().1.len() > 2
    }

    /// The id of a child of this resource.
    #[must_use]
    pub fn child(&self, kind: &str, name: &str) -> Self {
        Self(format!("{}/{kind}/{name}", self.0))
    }

    /// The id of a resource of `type_name` (without a parent resource) in this id's resource group.
    #[must_use]
    pub fn sibling(&self, type_name: &str, name: &str) -> Self {
        let group = self.group().unwrap_or_default();
        Self(format!(
            "{}/providers/{type_name}/{name}",
            Self::group_of(self.subscription(), group).0
        ))
    }

    /// True when both name the same resource.
    #[must_use]
    pub fn same(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other.trim_end_matches('/'))
    }

    fn segments(&self) -> std::str::Split<'_, char> {
        self.0[1..].split('/')
    }

    /// The last `providers` part: namespace and the types and names that follow it in turn.
    fn provider_part(&self) -> (&str, Vec<&str>) {
        let segments: Vec<&str> = self.segments().collect();
        let start = match (self.subscription(), self.group()) {
            ("", _) => 0,
            (_, None) => 2,
            (_, Some(_)) => 4,
        };
        let mut found = None;
        let mut at = start;
        while at < segments.len() {
            if segments[at].eq_ignore_ascii_case("providers") {
                found = Some(at);
            }
            at += 2;
        }
        match found {
            Some(at) if at + 1 < segments.len() => (segments[at + 1], segments[at + 2..].to_vec()),
            _ => ("Microsoft.Resources", Vec::new()),
        }
    }
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const SUBNET: &str = "/subscriptions/s/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks/Net/subnets/a";

    #[test]
    fn a_subnet_id_is_taken_apart() {
        let id = ResourceId::parse(SUBNET).unwrap();
        assert_eq!(id.type_name(), "Microsoft.Network/virtualNetworks/subnets");
        assert_eq!(
            (id.subscription(), id.group(), id.name()),
            ("s", Some("Rg"), "a")
        );
        assert_eq!(id.names(), ["Net", "a"]);
        let network = id.parent().unwrap();
        assert!(network.as_str().ends_with("/virtualNetworks/Net"));
        let group = network.parent().unwrap();
        assert_eq!(group.as_str(), "/subscriptions/s/resourceGroups/Rg");
        assert_eq!(group.type_name(), "Microsoft.Resources/resourceGroups");
        assert_eq!(group.parent().unwrap().as_str(), "/subscriptions/s");
        assert!(group.parent().unwrap().parent().is_none());
    }

    #[test]
    fn a_lock_on_a_resource_has_that_resource_as_parent() {
        let text = format!("{SUBNET}/providers/Microsoft.Authorization/locks/l");
        let lock = ResourceId::parse(&text).unwrap();
        assert_eq!(lock.type_name(), "Microsoft.Authorization/locks");
        assert_eq!(lock.parent().unwrap().as_str(), SUBNET);
        assert!(!lock.is_child());
    }

    #[test]
    fn what_is_assigned_at_a_management_group_has_the_group_as_parent() {
        let group = "/providers/Microsoft.Management/managementGroups/root";
        let text = format!("{group}/providers/Microsoft.Authorization/policyAssignments/a");
        let id = ResourceId::parse(&text).unwrap();
        assert_eq!(id.type_name(), "Microsoft.Authorization/policyAssignments");
        assert_eq!((id.subscription(), id.group()), ("", None));
        let parent = id.parent().unwrap();
        assert_eq!(parent.as_str(), group);
        assert_eq!(parent.type_name(), "Microsoft.Management/managementGroups");
        assert!(parent.parent().is_none());
    }

    #[test]
    fn collections_and_foreign_paths_are_no_ids() {
        for text in [
            "/",
            "",
            "/subscriptions",
            "/tenants/x",
            "/subscriptions/s/resourceGroups",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks",
            "/subscriptions//resourceGroups/g",
        ] {
            assert!(
                ResourceId::parse(text).is_none(),
                "{text} was taken for an id"
            );
        }
    }

    proptest! {
        #[test]
        fn a_child_leads_back_to_its_parent(name in "[a-zA-Z0-9._-]{1,20}", kind in "[a-zA-Z]{1,12}") {
            prop_assume!(!kind.eq_ignore_ascii_case("providers"));
            let parent = ResourceId::parse(SUBNET).unwrap();
            let child = parent.child(&kind, &name);
            prop_assert_eq!(child.name(), name.as_str());
            prop_assert!(child.parent().unwrap().same(SUBNET));
            prop_assert!(ResourceId::parse(child.as_str()).is_some());
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in "(/[a-zA-Z./]{0,12}){0,9}") {
            if let Some(id) = ResourceId::parse(&text) {
                let _ = (id.type_name(), id.parent(), id.names(), id.group());
            }
        }
    }
}
