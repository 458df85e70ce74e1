//! How far a resource has taken over what its import found: kept in its private data, since
//! neither the state nor Azure tells.

use tfplugin_rs::framework::Private;

use crate::arm::Json;

/// Private data of a resource whose import has not come to its end.
const IMPORTED: &str = "imported";

/// How far a resource has taken over what its import found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// It was not imported, or an apply has taken over all of it.
    Done,
    /// It was imported and not applied since.
    Open,
    /// An apply has come through, and was refused a fact: what depends on it was not taken over.
    Lacking,
}

impl Takeover {
    /// What the private data say.
    pub fn of(private: &Private) -> Self {
        match private.get(IMPORTED) {
            None => Self::Done,
            Some(Json::Bool(true)) => Self::Open,
            Some(_) => Self::Lacking,
        }
    }

    /// Notes it in the private data.
    pub fn note(self, private: &mut Private) {
        match self {
            Self::Done => drop(private.remove(IMPORTED)),
            Self::Open => private.set(IMPORTED, Json::Bool(true)),
            Self::Lacking => private.set(IMPORTED, "lacking".into()),
        }
    }

    /// How far it is after an apply that has come through.
    #[must_use]
    pub fn applied(self, was_refused_a_fact: bool) -> Self {
        match self {
            Self::Open | Self::Lacking if was_refused_a_fact => Self::Lacking,
            Self::Done | Self::Open | Self::Lacking => Self::Done,
        }
    }

    /// Whether anything is left to take over.
    pub fn is_under_way(self) -> bool {
        self != Self::Done
    }

    /// Whether an apply has come through since the import, or there was none: what is wanted and
    /// missing was forgotten then.
    pub fn was_applied(self) -> bool {
        self != Self::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apply_that_was_refused_a_fact_does_not_end_an_import() {
        let mut private = Private::default();
        assert_eq!(Takeover::of(&private), Takeover::Done);
        for (before, refused, after) in [
            (Takeover::Open, true, Takeover::Lacking),
            (Takeover::Lacking, true, Takeover::Lacking),
            (Takeover::Lacking, false, Takeover::Done),
            (Takeover::Open, false, Takeover::Done),
            (Takeover::Done, true, Takeover::Done),
        ] {
            before.note(&mut private);
            assert_eq!(Takeover::of(&private), before);
            assert_eq!(
                before.applied(refused),
                after,
                "{before:?}, refused: {refused}"
            );
        }
    }
}
