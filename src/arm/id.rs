//! ARM resource ids: parse, build, compare.
//!
//! Azure compares ids without case and answers with varying case (`resourcegroups`,
//! `Microsoft.network`), so equality, order and hash ignore it, while the user's spelling is kept.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::id_error::{IdError, problem};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a subscription, a resource group, a resource, a child, an extension resource, or a
/// management group.
#[derive(Clone)]
pub struct ArmId(Arc<str>);

pub(super) const SUBSCRIPTIONS: &str = "subscriptions";
pub(super) const GROUPS: &str = "resourceGroups";
pub(super) const PROVIDERS: &str = "providers";

impl ArmId {
    /// Parses an id and keeps its spelling.
    ///
    /// # Errors
    /// [`IdError`] with what is wrong and the expected form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match problem(text) {
            None => Ok(Self(Arc::from(text))),
            Some(problem) => Err(IdError {
                id: text.to_owned(),
                problem,
            }),
        }
    }

    /// The id of a subscription.
    pub fn subscription(subscription_id: &str) -> Self {
        Self(format!("/{SUBSCRIPTIONS}/{subscription_id}").into())
    }

    /// The id of a resource group.
    pub fn group(subscription_id: &str, name: &str) -> Self {
        Self(format!("/{SUBSCRIPTIONS}/{subscription_id}/{GROUPS}/{name}").into())
    }

    /// A resource in this group or subscription, or an extension resource of this resource.
    /// `resource_type` is the namespace and one type: `Microsoft.Network/privateEndpoints`.
    pub fn resource(&self, resource_type: &str, name: &str) -> Self {
        Self(format!("{}/{PROVIDERS}/{resource_type}/{name}", self.0).into())
    }

    /// A child of this resource: `network.child("subnets", "nodes")`.
    pub fn child(&self, child_type: &str, name: &str) -> Self {
        Self(format!("{}/{child_type}/{name}", self.0).into())
    }

    /// The id as the user spelled it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The subscription that the id lies in; empty for a management group and what extends it.
    pub fn subscription_id(&self) -> &str {
        let mut segments = self.segments();
        let first = segments.next().unwrap_or_default();
        if first.eq_ignore_ascii_case(SUBSCRIPTIONS) {
            segments.next().unwrap_or_default()
        } else {
            ""
        }
    }

    /// The name of the resource group, if the id lies in one.
    pub fn resource_group(&self) -> Option<&str> {
        let mut segments = self.segments().skip(2);
        segments
            .next()
            .filter(|word| word.eq_ignore_ascii_case(GROUPS))?;
        segments.next()
    }

    /// The resource provider of the resource itself: `Microsoft.Network`. None for groups and
    /// subscriptions.
    pub fn namespace(&self) -> Option<&str> {
        self.tail().and_then(|tail| tail.split('/').next())
    }

    /// The full type: `Microsoft.Network/privateDnsZones/A`; `Microsoft.Resources/resourceGroups`
    /// and `Microsoft.Resources/subscriptions` for what has no provider in its id.
    pub fn resource_type(&self) -> String {
        match self.tail() {
            Some(tail) => {
                let mut parts = tail.split('/');
                let mut full = parts.next().unwrap_or_default().to_owned();
                for kind in parts.step_by(2) {
                    full.push('/');
                    full.push_str(kind);
                }
                full
            }
            None if self.resource_group().is_some() => "Microsoft.Resources/resourceGroups".into(),
            None => "Microsoft.Resources/subscriptions".into(),
        }
    }

    /// The last name in the id.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What the resource lies in: the parent resource of a child, the target of an extension
    /// resource, the group of a resource, the subscription of a group.
    pub fn parent(&self) -> Option<Self> {
        let cut = |segments: usize| {
            let mut rest: &str = &self.0;
            for _ in 0..segments {
                rest = &rest[..rest.rfind('/')?];
            }
            (!rest.is_empty()).then(|| Self(Arc::from(rest)))
        };
        match self.tail() {
            // namespace/type/name is the whole tail: the parent lies before `/providers/`.
            Some(tail) if tail.split('/').count() == 3 => cut(4),
            _ => cut(2),
        }
    }

    /// The id of the resource group, if the id lies in one; the group's own id is itself.
    pub fn resource_group_id(&self) -> Option<Self> {
        self.resource_group()?;
        let end = self
            .0
            .match_indices('/')
            .nth(4)
            .map_or(self.0.len(), |(at, _)| at);
        Some(Self(Arc::from(&self.0[..end])))
    }

    /// Whether the resource has this full type, in any case.
    pub fn is(&self, resource_type: &str) -> bool {
        self.resource_type().eq_ignore_ascii_case(resource_type)
    }

    /// Whether this lies below `other`, at any depth: a subnet is within its network and its
    /// group. Nothing is within itself.
    pub fn is_within(&self, other: &Self) -> bool {
        let (inner, outer) = (self.0.as_bytes(), other.0.as_bytes());
        inner.len() > outer.len()
            && inner[outer.len()] == b'/'
            && inner[..outer.len()].eq_ignore_ascii_case(outer)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }

    /// What follows the last `/providers/`: `Microsoft.Network/virtualNetworks/a/subnets/b`.
    fn tail(&self) -> Option<&str> {
        // Keys and names alternate from the first slash on, so that a group or zone that is itself
        // named "providers" is no key; after a key `providers` the namespace takes the name's place.
        let mut tail = None;
        let mut offset = 0;
        let mut key = true;
        for segment in self.segments() {
            offset += 1;
            if key && segment.eq_ignore_ascii_case(PROVIDERS) {
                tail = Some(offset + segment.len() + 1);
            }
            key = !key;
            offset += segment.len();
        }
        tail.and_then(|start| self.0.get(start..))
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArmId({})", self.0)
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ArmId {}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.0.bytes().map(lower).cmp(other.0.bytes().map(lower))
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for ArmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl FromStr for ArmId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl AsRef<str> for ArmId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for ArmId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArmId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    fn record() -> ArmId {
        ArmId::group(SUB, "dns")
            .resource(
                "Microsoft.Network/privateDnsZones",
                "privatelink.azurecr.io",
            )
            .child("A", "reg")
    }

    #[test]
    fn a_child_knows_its_type_its_name_and_all_it_lies_in() {
        let id = ArmId::parse(record().as_str()).unwrap();
        assert_eq!(id.resource_type(), "Microsoft.Network/privateDnsZones/A");
        assert!(id.is("microsoft.network/PRIVATEDNSZONES/a"));
        assert_eq!(
            (id.name(), id.namespace(), id.resource_group()),
            ("reg", Some("Microsoft.Network"), Some("dns"))
        );
        assert_eq!(id.subscription_id(), SUB);
        let zone = id.parent().unwrap();
        assert_eq!(zone.name(), "privatelink.azurecr.io");
        let group = zone.parent().unwrap();
        assert_eq!(group, id.resource_group_id().unwrap());
        assert_eq!(group.resource_type(), "Microsoft.Resources/resourceGroups");
        assert_eq!(group.name(), "dns");
        let subscription = group.parent().unwrap();
        assert_eq!(
            subscription.resource_type(),
            "Microsoft.Resources/subscriptions"
        );
        assert_eq!(subscription.parent(), None);
        assert!(id.is_within(&zone) && id.is_within(&group) && id.is_within(&subscription));
        assert!(!id.is_within(&id) && !zone.is_within(&id));
    }

    #[test]
    fn an_extension_resource_lies_in_what_it_extends() {
        let zone = record().parent().unwrap();
        let role = zone.resource("Microsoft.Authorization/roleAssignments", "r1");
        let role = ArmId::parse(role.as_str()).unwrap();
        assert_eq!(
            role.resource_type(),
            "Microsoft.Authorization/roleAssignments"
        );
        assert_eq!(role.parent().unwrap(), zone);
        let lock = ArmId::subscription(SUB).resource("Microsoft.Authorization/locks", "l");
        assert_eq!(
            ArmId::parse(lock.as_str()).unwrap().parent().unwrap(),
            ArmId::subscription(SUB)
        );
    }

    #[test]
    fn a_management_group_lies_in_no_subscription() {
        let text = "/providers/Microsoft.Management/managementGroups/corp";
        let group = ArmId::parse(text).unwrap();
        assert!(group.is("Microsoft.Management/managementGroups"));
        assert_eq!((group.name(), group.subscription_id()), ("corp", ""));
        assert_eq!((group.parent(), group.resource_group()), (None, None));
        let policy = group.resource("Microsoft.Authorization/policyAssignments", "p");
        let policy = ArmId::parse(policy.as_str()).unwrap();
        assert!(policy.is("Microsoft.Authorization/policyAssignments"));
        assert_eq!(policy.parent(), Some(group));
        assert_eq!(policy.subscription_id(), "");
    }

    #[test]
    fn a_name_that_sounds_like_a_key_is_still_a_name() {
        let id = ArmId::group(SUB, "providers")
            .resource("Microsoft.Network/virtualNetworks", "providers");
        let id = ArmId::parse(id.as_str()).unwrap();
        assert_eq!(id.resource_type(), "Microsoft.Network/virtualNetworks");
        assert_eq!(id.parent().unwrap().name(), "providers");
        assert_eq!(id.resource_group(), Some("providers"));
    }

    #[test]
    fn a_group_of_a_similar_name_is_not_the_container() {
        let id = ArmId::group(SUB, "app2").resource("Microsoft.Network/virtualNetworks", "n");
        assert!(!id.is_within(&ArmId::group(SUB, "app")));
        assert!(id.is_within(&ArmId::group(SUB, "APP2")));
    }

    #[test]
    fn ids_that_differ_in_case_are_one_and_keep_their_spelling() {
        let (a, b) = (
            record(),
            ArmId::parse(&record().as_str().to_uppercase()).unwrap(),
        );
        assert_eq!(a, b);
        assert_eq!(a.cmp(&b), Ordering::Equal);
        assert_eq!(HashSet::from([a.clone(), b.clone()]).len(), 1);
        assert_ne!(a.to_string(), b.to_string());
        assert_eq!(
            serde_json::to_value(&b).unwrap(),
            serde_json::json!(b.as_str())
        );
        assert_eq!(
            serde_json::from_value::<ArmId>(serde_json::json!(b.as_str()))
                .unwrap()
                .as_str(),
            b.as_str()
        );
    }

    fn name() -> impl Strategy<Value = String> {
        "[A-Za-z0-9][A-Za-z0-9._()-]{0,20}"
    }

    proptest! {
        #[test]
        fn what_is_built_is_parsed_and_taken_apart_again(
            group in name(), net in name(), subnet in name(), role in name()
        ) {
            let built = ArmId::group(SUB, &group)
                .resource("Microsoft.Network/virtualNetworks", &net)
                .child("subnets", &subnet);
            let id = ArmId::parse(built.as_str()).unwrap();
            prop_assert_eq!(id.name(), &subnet);
            prop_assert_eq!(id.resource_group(), Some(group.as_str()));
            prop_assert_eq!(id.parent().unwrap().child("subnets", &subnet), id.clone());
            let extension = id.resource("Microsoft.Authorization/roleAssignments", &role);
            let extension = ArmId::parse(extension.as_str()).unwrap();
            prop_assert_eq!(extension.parent().unwrap(), id.clone());
            prop_assert!(extension.is_within(&id));
            let swapped: String = id.as_str().chars()
                .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect();
            prop_assert_eq!(ArmId::parse(&swapped).unwrap(), id);
        }

        #[test]
        fn no_text_makes_the_parser_or_its_accessors_panic(text in "(/[a-zA-Z./]{0,12}){0,9}", any in ".{0,80}") {
            for text in [text.clone(), any, format!("/subscriptions/{SUB}{text}")] {
                if let Ok(id) = ArmId::parse(&text) {
                    let _ = (id.resource_type(), id.name(), id.parent(), id.resource_group_id(), id.namespace());
                    prop_assert_eq!(id.as_str(), text);
                }
            }
        }
    }
}
