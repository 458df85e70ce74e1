//! The list of the ARM objects that a resource owns: the computed attribute `objects`.
//!
//! An id is *attempted* before its PUT leaves and *owned* once Azure accepts it. Both are
//! stored in state, so that nothing that may exist is ever forgotten; attempted ids stand
//! under the name of their part with ` (attempted)` behind it.

use std::collections::{BTreeMap, BTreeSet};

use crate::arm::{ArmId, Json};

/// Part -> ids, as stored in state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    owned: BTreeMap<String, BTreeSet<ArmId>>,
    attempted: BTreeMap<String, BTreeSet<ArmId>>,
}

const ATTEMPTED: &str = " (attempted)";

impl Ledger {
    /// Notes an id before its PUT leaves.
    pub fn attempt(&mut self, part: &str, id: &ArmId) {
        if !self.owns(id) {
            self.attempted
                .entry(part.to_owned())
                .or_default()
                .insert(id.clone());
        }
    }

    /// Notes an id that Azure has accepted, or that is found to be there.
    pub fn own(&mut self, part: &str, id: &ArmId) {
        remove(&mut self.attempted, id);
        if !self.owns(id) {
            self.owned
                .entry(part.to_owned())
                .or_default()
                .insert(id.clone());
        }
    }

    /// Notes that nobody knows whether an accepted id came into being.
    pub fn doubt(&mut self, part: &str, id: &ArmId) {
        remove(&mut self.owned, id);
        self.attempt(part, id);
    }

    /// Forgets all ids of a part.
    pub fn forget_part(&mut self, part: &str) {
        self.owned.remove(part);
        self.attempted.remove(part);
    }

    /// With what another ledger has attempted, where this one does not know of it.
    #[must_use]
    pub fn with_attempts_of(mut self, other: &Self) -> Self {
        for (part, ids) in &other.attempted {
            ids.iter().for_each(|id| self.attempt(part, id));
        }
        self
    }

    /// Forgets an id that is gone.
    pub fn remove(&mut self, id: &ArmId) {
        remove(&mut self.owned, id);
        remove(&mut self.attempted, id);
    }

    /// Forgets an id that is gone, with all that lay within it.
    pub fn remove_all(&mut self, id: &ArmId) {
        for entries in [&mut self.owned, &mut self.attempted] {
            entries.retain(|_, ids| {
                ids.retain(|other| other != id && !other.is_within(id));
                !ids.is_empty()
            });
        }
    }

    /// Whether the id is in it, attempted or owned.
    #[must_use]
    pub fn contains(&self, id: &ArmId) -> bool {
        self.owns(id) || self.is_attempted(id)
    }

    /// Whether Azure has accepted the id.
    #[must_use]
    pub fn owns(&self, id: &ArmId) -> bool {
        self.owned.values().any(|ids| ids.contains(id))
    }

    /// Whether the id's PUT has left and nothing is known of its fate.
    #[must_use]
    pub fn is_attempted(&self, id: &ArmId) -> bool {
        self.attempted.values().any(|ids| ids.contains(id))
    }

    /// The ids of one part, attempted ones too.
    pub fn of<'a>(&'a self, part: &str) -> impl Iterator<Item = &'a ArmId> + use<'a> {
        let owned = self.owned.get(part).into_iter().flatten();
        owned.chain(self.attempted.get(part).into_iter().flatten())
    }

    /// All ids with the parts that they belong to.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ArmId)> {
        self.owned
            .iter()
            .chain(&self.attempted)
            .flat_map(|(part, ids)| ids.iter().map(move |id| (part.as_str(), id)))
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty() && self.attempted.is_empty()
    }

    /// The attribute's value.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = serde_json::Map::new();
        for (part, ids) in &self.owned {
            members.insert(part.clone(), ids.iter().map(ArmId::as_str).collect());
        }
        for (part, ids) in &self.attempted {
            members.insert(
                format!("{part}{ATTEMPTED}"),
                ids.iter().map(ArmId::as_str).collect(),
            );
        }
        Json::Object(members)
    }

    /// Reads the attribute's value; what is no id is passed over, because only this code
    /// writes it.
    #[must_use]
    pub fn from_json(json: &Json) -> Self {
        let mut ledger = Self::default();
        for (part, ids) in json.as_object().into_iter().flatten() {
            let ids: BTreeSet<ArmId> = ids
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| ArmId::parse(id.as_str()?).ok())
                .collect();
            if ids.is_empty() {
                continue;
            }
            match part.strip_suffix(ATTEMPTED) {
                Some(part) => ledger.attempted.insert(part.to_owned(), ids),
                None => ledger.owned.insert(part.clone(), ids),
            };
        }
        ledger
    }
}

fn remove(entries: &mut BTreeMap<String, BTreeSet<ArmId>>, id: &ArmId) {
    entries.retain(|_, ids| {
        ids.remove(id);
        !ids.is_empty()
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_is_attempted_then_owned_then_gone_and_survives_the_state() {
        let id = ArmId::group("00000000-0000-0000-0000-000000000001", "rg");
        let mut ledger = Ledger::default();
        ledger.attempt("group", &id);
        assert!(ledger.is_attempted(&id));
        assert_eq!(Ledger::from_json(&ledger.to_json()), ledger);
        ledger.own("group", &id);
        assert!(!ledger.is_attempted(&id) && ledger.owns(&id));
        assert_eq!(Ledger::from_json(&ledger.to_json()), ledger);
        ledger.remove(&ArmId::parse(&id.as_str().to_uppercase()).unwrap());
        assert!(ledger.is_empty());
    }

    #[test]
    fn what_lies_within_an_object_goes_with_it() {
        let group = ArmId::group("00000000-0000-0000-0000-000000000001", "rg");
        let network = group.resource("Microsoft.Network/virtualNetworks", "v");
        let beside = group.resource("Microsoft.Network/virtualNetworks", "v2");
        let mut ledger = Ledger::default();
        ledger.own("network", &network);
        ledger.own("subnets", &network.child("subnets", "a"));
        ledger.attempt("subnets", &network.child("subnets", "b"));
        ledger.own("network", &beside);
        ledger.remove_all(&network);
        assert_eq!(ledger.iter().collect::<Vec<_>>(), [("network", &beside)]);
    }
}
