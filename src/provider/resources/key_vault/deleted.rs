//! Deleted vaults: they keep their name, and all that is in them, until they are recovered or purged.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::VAULT;
use crate::arm::{ArmId, Json, same_location};
use crate::provider::parts::{Seen, Unread};

/// A deleted vault, as Azure lists it.
#[derive(Debug, Clone, Copy)]
pub struct Deleted<'a>(&'a Json);

/// The deleted vault of that name in a subscription. Azure lists those of other subscriptions to nobody,
/// and to callers without the permission none.
///
/// # Errors
/// [`Unread`] when they have not been listed yet.
pub fn of_name<'a>(
    name: &str,
    subscription: &ArmId,
    seen: &'a Seen,
) -> Result<Option<Deleted<'a>>, Unread> {
    let list = seen.list(subscription, "providers/Microsoft.KeyVault/deletedVaults")?;
    let mut deleted = list.found().unwrap_or_default().iter().map(Deleted);
    Ok(deleted.find(|deleted| {
        let id = deleted.vault_id();
        id.is_some_and(|id| id.is(VAULT) && id.name().eq_ignore_ascii_case(name))
    }))
}

impl<'a> Deleted<'a> {
    /// The id that it had.
    pub fn vault_id(self) -> Option<ArmId> {
        ArmId::parse(self.text("vaultId")).ok()
    }

    /// Its region.
    pub fn location(self) -> &'a str {
        self.text("location")
    }

    /// When it was deleted.
    pub fn since(self) -> &'a str {
        self.text("deletionDate")
    }

    /// When Azure purges it.
    pub fn until(self) -> &'a str {
        self.text("scheduledPurgeDate")
    }

    /// Whether nobody can purge it before that.
    pub fn is_protected(self) -> bool {
        self.0["properties"]["purgeProtectionEnabled"] == true
    }

    /// For how many days it is kept, which it keeps when it is recovered.
    pub fn retention_days(self) -> Option<i64> {
        let time = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        let kept = time(self.until())? - time(self.since())?;
        // The two differ by the seconds that the deletion took.
        let days = (kept.whole_hours() + 12) / 24;
        (7..=90).contains(&days).then_some(days)
    }

    /// Whether a vault of that id in that region would be this one, recovered. Azure recovers a vault only to
    /// where it was.
    pub fn comes_back_as(self, id: &ArmId, location: &str) -> bool {
        self.vault_id().is_some_and(|gone| gone == *id) && same_location(self.location(), location)
    }

    /// What tells a person about it, in one line.
    pub fn evidence(self) -> String {
        let id = self.vault_id().map(|id| id.to_string()).unwrap_or_default();
        let protected = match self.is_protected() {
            true => ", with purge protection",
            false => "",
        };
        format!(
            "- {id} in {}{protected}: deleted {}, kept until {}",
            self.location(),
            self.since(),
            self.until()
        )
    }

    fn text(self, member: &str) -> &'a str {
        self.0["properties"][member].as_str().unwrap_or_default()
    }
}
