//! The secrets of a vault that keep a token's password, and how each was found: it says by its tags which
//! password it has, since no value is ever read.

use super::standing::Record;
use super::times::same_moment;
use super::{Input, Known};
use crate::arm::{ArmId, Json};
use crate::provider::parts::Look;

/// The tags by which a secret says which password it keeps.
pub const TAG_TOKEN: &str = "fkaks-token";
/// The slot.
pub const TAG_SLOT: &str = "fkaks-slot";
/// When it was made, in Azure's words.
pub const TAG_MADE: &str = "fkaks-made";
/// A digest of what it was made for.
pub const TAG_FOR: &str = "fkaks-for";
/// The token that a secret once was of, which nobody uses any more.
pub const TAG_RELEASED: &str = "fkaks-released";

/// In which form a secret has the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The password and nothing else.
    Password,
    /// As `.dockerconfigjson`: with login server and user name.
    DockerConfig,
}

/// A secret that should keep the password.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Its form.
    pub kind: Kind,
    /// Its id.
    pub id: ArmId,
    /// How it was found.
    pub found: Found,
    /// The address of its current version, where that can be seen.
    pub version: Option<String>,
}

/// How a secret was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It does not exist, or nobody uses it any more.
    Free,
    /// The caller may not read it.
    Denied,
    /// It is someone else's.
    Foreign,
    /// It is of this token, and says which password it keeps.
    Ours(Record),
    /// It should be of this token, and cannot be used, for this reason; with what it says, if it does.
    Spoiled(Option<Record>, &'static str),
}

impl Kind {
    /// Its key in `secrets`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::DockerConfig => "dockerconfigjson",
        }
    }
}

/// How a secret was found, from what is seen of it. `stored` is true when this operation has written it.
pub fn copy(
    input: &Input,
    kind: Kind,
    id: &ArmId,
    look: &Look<&Json>,
    known: &Known,
    stored: bool,
) -> Copy {
    let (found, version) = match look {
        Look::Absent => (Found::Free, None),
        Look::Denied(_) => (Found::Denied, None),
        Look::Found(secret) => {
            let was = known.secrets.as_ref().and_then(|all| all.get(kind.key()));
            let was = was.filter(|was| was.id == *id);
            let version = secret["properties"]["secretUriWithVersion"].as_str();
            let other_version =
                !stored && was.is_some_and(|was| was.versioned_uri.as_deref() != version);
            let found = found(input, secret, known, was.is_some(), other_version);
            (found, version.map(ToOwned::to_owned))
        }
    };
    Copy {
        kind,
        id: id.clone(),
        found,
        version,
    }
}

/// How a secret was found that is there. `kept` is true when the state says that it was ours.
fn found(input: &Input, secret: &Json, known: &Known, kept: bool, other_version: bool) -> Found {
    const OVERWRITTEN: &str = "someone wrote another version of it";
    if is_released(secret) {
        return Found::Free;
    }
    if !is_of(input, secret) {
        return match tag(secret, TAG_TOKEN) {
            None if kept => Found::Spoiled(None, OVERWRITTEN),
            _ => Found::Foreign,
        };
    }
    let text = |name: &str| tag(secret, name).unwrap_or_default().to_owned();
    let record = Record {
        slot: text(TAG_SLOT),
        made: text(TAG_MADE),
        reasons: text(TAG_FOR),
    };
    let of_state = known.active_slot.as_deref() == Some(record.slot.as_str())
        && known
            .rotated_at
            .as_deref()
            .is_some_and(|made| same_moment(made, &record.made));
    if secret["properties"]["attributes"]["enabled"] == false {
        Found::Spoiled(Some(record), "it is disabled")
    } else if of_state && other_version {
        Found::Spoiled(Some(record), OVERWRITTEN)
    } else {
        Found::Ours(record)
    }
}

/// Whether a secret says that it keeps a password of this token.
pub fn is_of(input: &Input, secret: &Json) -> bool {
    let token = tag(secret, TAG_TOKEN);
    token.is_some_and(|token| token.eq_ignore_ascii_case(&label(input))) && !is_released(secret)
}

/// Whether nobody uses it any more.
fn is_released(secret: &Json) -> bool {
    tag(secret, TAG_RELEASED).is_some() && secret["properties"]["attributes"]["enabled"] == false
}

fn tag<'a>(secret: &'a Json, name: &str) -> Option<&'a str> {
    let tags = secret["tags"].as_object().into_iter().flatten();
    let mut tags = tags.filter(|(tag, _)| tag.eq_ignore_ascii_case(name));
    tags.next().and_then(|(_, value)| value.as_str())
}

/// The token in a tag, whose value may have 256 characters: shorter than its id.
pub fn label(input: &Input) -> String {
    let id = &input.registry_id;
    let group = id.resource_group().unwrap_or_default();
    format!(
        "{}/{group}/{}/{}",
        id.subscription_id(),
        id.name(),
        input.name
    )
}
