//! How things stand with a token's password: what its slots hold, what the places say that keep it,
//! whether all of that fits together, and which slot may be renewed.
//!
//! Azure shows of a password when it was made, and nothing else. So a password is known by its slot
//! and that time; the secret that keeps it carries both in its tags.

use time::OffsetDateTime;
use uuid::Uuid;

use super::copies::{Copy, Found, copy};
use super::times::{duration, moment, same_moment};
use super::{Input, Known};
use crate::arm::{ArmId, Json, Secret};
use crate::provider::parts::{Seen, Unread};

/// The names of the two slots.
pub const SLOTS: [&str; 2] = ["password1", "password2"];

/// What this operation has noted: the slots that a password was asked for, Azure's answers, and the
/// secrets that were written.
pub const ASKED: &str = "asked";
/// Azure's answers.
pub const MADE: &str = "made";
/// The secrets that were written.
pub const STORED: &str = "stored";

/// A password in its slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// When it was made, in Azure's words.
    pub made: String,
    /// When it ends, where it does.
    pub expiry: Option<String>,
}

/// Which password it is, and what it was made for.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The slot.
    pub slot: String,
    /// When it was made, in Azure's words.
    pub made: String,
    /// The digest of the user's reasons.
    pub reasons: String,
}

/// Everything about a token's password.
pub struct Standing<'a> {
    input: &'a Input,
    /// The token's passwords.
    pub slots: Vec<Slot>,
    /// The secrets that should keep the active one.
    pub copies: Vec<Copy>,
    /// What the state says.
    pub known: Known,
    fresh: Option<(Record, Secret)>,
    asked: Option<String>,
    now: OffsetDateTime,
}

/// Where the next password is made.
#[derive(Debug, PartialEq)]
pub struct Target {
    /// The slot.
    pub slot: String,
    /// Until when what is in it is still used, where it is.
    pub used_until: Option<OffsetDateTime>,
}

/// Why a new password is needed.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// No place has a password that opens anything.
    Lost,
    /// The user's reasons are others now.
    Reasons,
    /// It is older than it should get.
    Age,
}

impl<'a> Standing<'a> {
    /// How things stand. `prior` is the state before, where a change of it is planned.
    ///
    /// # Errors
    /// [`Unread`] when more must be read first.
    pub fn of(input: &'a Input, prior: Option<&Json>, seen: &Seen) -> Result<Self, Unread> {
        // Ask for everything first.
        let token = seen.look(&input.token_id());
        let looks: Vec<_> = input
            .copies()
            .into_iter()
            .map(|(kind, id)| {
                let look = seen.look(&id);
                (kind, id, look)
            })
            .collect();
        let slots = slots(token?.found());
        let state = prior.or(seen.prior());
        let known = state.map_or_else(|| input.known.clone(), Known::of);
        let asked = seen.noted(ASKED).last().and_then(Json::as_str);
        let fresh = seen
            .noted(MADE)
            .last()
            .zip(asked)
            .and_then(|(answer, slot)| fresh(answer, slot, &slots, reasons(input)));
        let stored = |id: &ArmId| {
            let all = seen.noted(STORED).iter().filter_map(Json::as_str);
            all.filter_map(|text| ArmId::parse(text).ok())
                .any(|stored| stored == *id)
        };
        let copies: Result<Vec<Copy>, Unread> = looks
            .into_iter()
            .map(|(kind, id, look)| Ok(copy(input, kind, &id, &look?, &known, stored(&id))))
            .collect();
        Ok(Self {
            input,
            slots,
            copies: copies?,
            known,
            fresh,
            asked: asked.map(ToOwned::to_owned),
            now: seen.now(),
        })
    }

    /// The password that every place has that should, and that opens the registry.
    pub fn whole(&self) -> Option<Record> {
        let mut records = self
            .copies
            .iter()
            .map(|copy| self.sound(copy))
            .collect::<Vec<_>>();
        if self.input.password_in_state {
            records.push(self.at_hand().map(|(record, _)| record));
        }
        let first = records.first().cloned().flatten()?;
        let agree = records
            .iter()
            .all(|other| other.as_ref().is_some_and(|other| other.is(&first)));
        agree.then_some(first)
    }

    /// The password whose value is at hand: made just now, or in the state.
    pub fn at_hand(&self) -> Option<(Record, &Secret)> {
        if let Some((record, value)) = &self.fresh {
            return Some((record.clone(), value));
        }
        let record = self.by_state().filter(|record| self.lives(record))?;
        Some((record, self.known.password.as_ref()?))
    }

    /// The value of that password, where it is at hand.
    pub fn value_of(&self, record: &Record) -> Option<Secret> {
        let fresh = self.fresh.as_ref().filter(|(fresh, _)| fresh.is(record));
        let stored = || {
            let state = self.by_state().filter(|state| state.is(record))?;
            self.known.password.clone().filter(|_| self.lives(&state))
        };
        fresh.map(|(_, value)| value.clone()).or_else(stored)
    }

    /// The record of a copy that can be used.
    fn sound(&self, copy: &Copy) -> Option<Record> {
        match &copy.found {
            Found::Ours(record) => Some(record.clone()).filter(|record| self.lives(record)),
            // What cannot be seen is as it was.
            Found::Denied => self.by_state().filter(|record| self.lives(record)),
            _ => None,
        }
    }

    /// Whether that very password is still in its slot, and has not ended.
    pub fn lives(&self, record: &Record) -> bool {
        self.slot(&record.slot)
            .is_some_and(|slot| same_moment(&slot.made, &record.made) && !self.ended(slot))
    }

    /// The active password by the state.
    pub fn by_state(&self) -> Option<Record> {
        Some(Record {
            slot: self.known.active_slot.clone()?,
            made: self.known.rotated_at.clone()?,
            reasons: self.known.rotated_for.clone().unwrap_or_default(),
        })
    }

    /// A slot that holds something.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    fn ended(&self, slot: &Slot) -> bool {
        let end = slot.expiry.as_deref().and_then(moment);
        end.is_some_and(|end| end <= self.now)
    }

    /// Why a new password is needed, where one is.
    pub fn need(&self) -> Option<Need> {
        if self.input.key_vault_secret.is_none() && !self.input.password_in_state {
            return None;
        }
        // What has just been made, or is at hand, only has to be stored.
        let fresh = self.fresh.as_ref().map(|(record, _)| record.clone());
        let hand = || self.at_hand().map(|(record, _)| record);
        let Some(record) = fresh.or_else(|| self.whole()).or_else(hand) else {
            return Some(Need::Lost);
        };
        if record.reasons != reasons(self.input) {
            return Some(Need::Reasons);
        }
        // Reading tells whether it is due, so that the plan has shown it.
        let told = self.known.rotation_due == Some(true);
        (told && self.is_due(&record)).then_some(Need::Age)
    }

    /// When a password gets too old.
    pub fn due_at(&self, record: &Record) -> Option<OffsetDateTime> {
        let age = duration(self.input.rotate_after.as_deref()?).ok()?;
        moment(&record.made)?.checked_add(age)
    }

    /// Whether a password is too old by now.
    pub fn is_due(&self, record: &Record) -> bool {
        self.due_at(record).is_some_and(|due| due <= self.now)
    }

    /// The password that users have, most likely: the one that all places have, or had.
    fn in_use(&self) -> Option<Record> {
        self.whole()
            .or_else(|| self.by_state().filter(|record| self.lives(record)))
    }

    /// The slot in which the next password is made: the idle one, or the one whose password nobody
    /// knows.
    pub fn target(&self) -> Target {
        let free = |slot: &str| Target {
            slot: slot.to_owned(),
            used_until: None,
        };
        if let Some(active) = self.in_use() {
            let idle = other(&active.slot);
            let former = self.slot(idle).filter(|slot| !self.ended(slot));
            let used_until = former
                .and_then(|former| self.former_until(former, &active))
                .filter(|until| *until > self.now);
            return Target {
                slot: idle.to_owned(),
                used_until,
            };
        }
        let records = || {
            self.copies.iter().filter_map(|copy| match &copy.found {
                Found::Ours(record) | Found::Spoiled(Some(record), _) => Some(record),
                _ => None,
            })
        };
        // Written to some of the places, or to none: nobody has it yet.
        if let Some(partial) = records().find(|record| self.lives(record)) {
            return free(&partial.slot);
        }
        if let Some(pending) = self.asked.as_deref().or(self.known.pending_slot.as_deref()) {
            return free(pending);
        }
        // Someone made it anew or removed it: what the places have opens nothing.
        let void = records().next().map(|record| record.slot.clone());
        if let Some(void) = void.or_else(|| self.known.active_slot.clone())
            && !self.slots.is_empty()
        {
            return free(&void);
        }
        let empty = SLOTS.into_iter().find(|name| self.slot(name).is_none());
        let oldest = || {
            let oldest = self.slots.iter().min_by_key(|slot| moment(&slot.made));
            oldest.map(|slot| slot.name.as_str())
        };
        free(empty.or_else(oldest).unwrap_or(SLOTS[0]))
    }

    /// Until when the password of the other slot is still used, if it is the one before the active.
    fn former_until(&self, former: &Slot, active: &Record) -> Option<OffsetDateTime> {
        let (before, since) = (moment(&former.made)?, moment(&active.made)?);
        let overlap = duration(&self.input.overlap).ok()?;
        (before <= since && !overlap.is_zero()).then(|| since.checked_add(overlap))?
    }

    /// The password before the active one, and until when it lives.
    pub fn previous(&self) -> Option<(&Slot, Option<OffsetDateTime>)> {
        let active = self.whole()?;
        let slot = self.slot(other(&active.slot))?;
        Some((slot, self.former_until(slot, &active)))
    }

    /// The slot that has outlived its overlap, or holds what nobody knows.
    pub fn outlived(&self) -> Option<&Slot> {
        let (slot, until) = self.previous()?;
        until.is_none_or(|until| until <= self.now).then_some(slot)
    }

    /// The slot whose newest password nobody knows.
    pub fn pending(&self) -> Option<String> {
        let pending = self.asked.clone().or(self.known.pending_slot.clone())?;
        let stays = match self.whole() {
            None => true,
            Some(active) => active.slot != pending && self.slot(&pending).is_some(),
        };
        stays.then_some(pending)
    }
}

impl Known {
    /// What a state knows.
    pub fn of(state: &Json) -> Self {
        serde_json::from_value(state.clone()).unwrap_or_default()
    }
}

impl Record {
    /// Whether it is the same password.
    pub fn is(&self, other: &Self) -> bool {
        self.slot == other.slot && same_moment(&self.made, &other.made)
    }
}

fn slots(token: Option<&Json>) -> Vec<Slot> {
    let passwords = token.map(|token| &token["properties"]["credentials"]["passwords"]);
    let passwords = passwords.and_then(Json::as_array).into_iter().flatten();
    let text = |json: &Json| json.as_str().map(ToOwned::to_owned);
    passwords
        .filter_map(|password| {
            Some(Slot {
                name: text(&password["name"])?,
                made: text(&password["creationTime"])?,
                expiry: text(&password["expiry"]),
            })
        })
        .collect()
}

/// The password that Azure answered, if it is the one that its slot holds.
fn fresh(answer: &Json, slot: &str, slots: &[Slot], reasons: String) -> Option<(Record, Secret)> {
    let passwords = answer["passwords"].as_array()?;
    let password = passwords.iter().find(|password| password["name"] == slot)?;
    let value = Secret::new(password["value"].as_str()?);
    let held = slots.iter().find(|held| held.name == slot)?;
    let made = password["creationTime"].as_str().unwrap_or(&held.made);
    same_moment(made, &held.made).then(|| {
        let record = Record {
            slot: slot.to_owned(),
            made: held.made.clone(),
            reasons,
        };
        (record, value)
    })
}

/// A digest of the user's reasons to rotate; none have none.
pub fn reasons(input: &Input) -> String {
    let given = input
        .rotate_when_changed
        .as_ref()
        .filter(|given| !given.is_empty());
    given.map_or_else(String::new, |given| {
        let text = Json::from_iter(
            given
                .iter()
                .map(|(key, value)| (key.clone(), Json::from(value.as_str()))),
        );
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.to_string().as_bytes()).to_string()
    })
}

/// The other slot.
pub fn other(slot: &str) -> &'static str {
    if slot == SLOTS[0] { SLOTS[1] } else { SLOTS[0] }
}
