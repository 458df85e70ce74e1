//! What this client did a moment ago. ARM's caches differ between regions for a while after a
//! write, so "not found" and "still in use" mean less when we ourselves are the cause.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{ArmId, Clock, Json};

/// How long a new object may stay invisible somewhere.
const CREATED: Duration = Duration::from_secs(120);
/// How long a deleted object may be held on to by what it used.
const DELETED: Duration = Duration::from_secs(300);

/// Creations and deletions of the last minutes.
#[derive(Debug)]
pub(super) struct Memory {
    clock: Clock,
    ids: Mutex<HashMap<ArmId, Trace>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Trace {
    /// When our PUT was accepted.
    created: Option<Instant>,
    /// Whether a read has found the object.
    seen: bool,
    /// When we made it where nothing had been.
    made: Option<Instant>,
    /// When our DELETE was done.
    deleted: Option<Instant>,
}

impl Memory {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            ids: Mutex::default(),
        }
    }

    /// Azure accepted a PUT. An object that a read has found before is only changed by it.
    pub(super) fn wrote(&self, id: &ArmId) {
        let mut ids = self.ids();
        let trace = ids.entry(id.clone()).or_default();
        if !trace.seen {
            trace.created = Some(self.clock.now());
        }
        trace.deleted = None;
    }

    /// The object was not there, and our PUT has made it.
    pub(super) fn made(&self, id: &ArmId) {
        self.ids().entry(id.clone()).or_default().made = Some(self.clock.now());
    }

    /// Whether we have made it where nothing had been, at any time.
    pub(super) fn has_made(&self, id: &ArmId) -> bool {
        let ids = self.ids();
        ids.get(id).is_some_and(|trace| trace.made.is_some())
    }

    /// Whether the object lies in something that we made just now, and so can be there only if
    /// somebody knew of that within moments. What Azure itself makes is not meant.
    pub(super) fn lies_in_new(&self, id: &ArmId) -> bool {
        let ids = self.ids();
        let new = |id: &ArmId| {
            let trace = ids.get(id);
            trace.is_some_and(|trace| self.within(trace.made, CREATED))
        };
        let known = ids
            .get(id)
            .is_some_and(|trace| trace.seen || trace.created.is_some());
        let ancestors = std::iter::successors(id.parent(), ArmId::parent);
        !known && ancestors.chain(id.resource_group_id()).any(|id| new(&id))
    }

    /// A read found the object.
    pub(super) fn saw(&self, id: &ArmId) {
        self.ids().entry(id.clone()).or_default().seen = true;
    }

    /// The object is gone, and all that lay in it.
    pub(super) fn deleted(&self, id: &ArmId) {
        let mut ids = self.ids();
        ids.retain(|other, _| !other.is_within(id));
        ids.insert(
            id.clone(),
            Trace {
                deleted: Some(self.clock.now()),
                ..Trace::default()
            },
        );
    }

    /// A read found nothing where something had been seen: a later PUT creates it anew.
    pub(super) fn missed(&self, id: &ArmId) {
        if let Some(trace) = self.ids().get_mut(id) {
            trace.seen = false;
            trace.created = None;
        }
    }

    /// Whether "not found" for this very object may be a cache that lags behind our PUT.
    pub(super) fn may_be_invisible(&self, id: &ArmId) -> bool {
        self.ids()
            .get(id)
            .is_some_and(|trace| !trace.seen && self.within(trace.created, CREATED))
    }

    /// Whether a write refers to something that we made just now: the object itself, what it lies
    /// in, or an id in its body. Its group counts if that is what Azure says is missing.
    pub(super) fn refers_to_new(
        &self,
        id: &ArmId,
        body: Option<&Json>,
        group_missing: bool,
    ) -> bool {
        let ids = self.ids();
        let new = |id: &ArmId| {
            ids.get(id)
                .is_some_and(|trace| self.within(trace.created, CREATED))
        };
        let group = if group_missing {
            id.resource_group_id()
        } else {
            None
        };
        if new(id)
            || id.parent().is_some_and(|parent| new(&parent))
            || group.is_some_and(|group| new(&group))
        {
            return true;
        }
        let mut found = false;
        if let Some(body) = body {
            strings(body, &mut |text| {
                found =
                    found || (text.starts_with('/') && ArmId::parse(text).is_ok_and(|id| new(&id)));
            });
        }
        found
    }

    /// Whether we deleted something in this subscription that may still hold on to others.
    pub(super) fn deleted_lately(&self, subscription_id: &str) -> bool {
        self.ids().iter().any(|(id, trace)| {
            self.within(trace.deleted, DELETED)
                && id.subscription_id().eq_ignore_ascii_case(subscription_id)
        })
    }

    fn within(&self, moment: Option<Instant>, span: Duration) -> bool {
        moment.is_some_and(|moment| self.clock.since(moment) < span)
    }

    fn ids(&self) -> MutexGuard<'_, HashMap<ArmId, Trace>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn strings(value: &Json, visit: &mut impl FnMut(&str)) {
    match value {
        Json::String(text) => visit(text),
        Json::Array(list) => list.iter().for_each(|value| strings(value, visit)),
        Json::Object(fields) => fields.values().for_each(|value| strings(value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    #[tokio::test]
    async fn an_object_may_be_invisible_only_between_our_put_and_the_first_read_that_finds_it() {
        let clock = Clock::fast(1000);
        let memory = Memory::new(&clock);
        let (a, b) = (ArmId::group(SUB, "a"), ArmId::group(SUB, "b"));
        assert!(!memory.may_be_invisible(&a));
        memory.wrote(&a);
        memory.wrote(&b);
        assert!(memory.may_be_invisible(&a) && memory.may_be_invisible(&b));
        memory.saw(&a);
        assert!(!memory.may_be_invisible(&a));
        memory.wrote(&a);
        assert!(
            !memory.may_be_invisible(&a),
            "a change of what was seen is no creation"
        );
        clock.sleep(CREATED).await;
        assert!(!memory.may_be_invisible(&b));
    }

    #[test]
    fn new_things_are_found_among_ancestors_and_in_the_body() {
        let memory = Memory::new(&Clock::real());
        let group = ArmId::group(SUB, "g");
        let network = group.resource("Microsoft.Network/virtualNetworks", "n");
        let other = ArmId::group(SUB, "o").resource("Microsoft.Network/privateEndpoints", "p");
        memory.wrote(&network);
        assert!(memory.refers_to_new(&network.child("subnets", "s"), None, false));
        assert!(!memory.refers_to_new(&other, None, false));
        assert!(memory.refers_to_new(
            &other,
            Some(&json!({"properties": {"links": [{"id": network.as_str().to_uppercase()}]}})),
            false
        ));
        memory.wrote(&ArmId::group(SUB, "o"));
        let child = other.child("privateDnsZoneGroups", "default");
        assert!(
            !memory.refers_to_new(&child, None, false),
            "a new group is no new endpoint"
        );
        assert!(memory.refers_to_new(&child, None, true));
    }

    #[test]
    fn what_lies_in_a_group_that_was_just_made_is_new_until_it_is_written() {
        let memory = Memory::new(&Clock::real());
        let group = ArmId::group(SUB, "g");
        let network = group.resource("Microsoft.Network/virtualNetworks", "n");
        memory.wrote(&group);
        assert!(
            !memory.lies_in_new(&network),
            "it may have been there before our PUT"
        );
        memory.made(&group);
        assert!(memory.lies_in_new(&network) && !memory.lies_in_new(&group));
        memory.wrote(&network);
        assert!(!memory.lies_in_new(&network));
        memory.deleted(&group);
        assert!(!memory.lies_in_new(&network));
    }

    #[test]
    fn what_was_deleted_is_remembered_and_its_children_are_forgotten() {
        let memory = Memory::new(&Clock::real());
        let zone = ArmId::group(SUB, "g").resource("Microsoft.Network/privateDnsZones", "z");
        let link = zone.child("virtualNetworkLinks", "l");
        memory.wrote(&link);
        assert!(!memory.deleted_lately(SUB));
        memory.deleted(&zone);
        assert!(memory.deleted_lately(SUB) && !memory.may_be_invisible(&link));
    }
}
