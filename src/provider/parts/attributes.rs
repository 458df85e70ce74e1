//! The attributes and rules that resources share.

use tfplugin_rs::schema::{Attribute, Check, Computed, Kind, Literal};

use super::{DRIFT, OBJECTS};
use crate::arm::ArmId;

/// A text that is an ARM id.
pub const ARM_ID: Check = Check::Text("an ARM id", |text| {
    ArmId::parse(text)
        .map(drop)
        .map_err(|error| error.to_string())
});

/// The computed attribute `objects`.
#[must_use]
pub const fn objects() -> Attribute {
    let kind = Kind::Map(&Kind::List(&Kind::String));
    Attribute::computed("objects", kind, Computed::Volatile).describe(OBJECTS)
}

/// The computed attribute `drift`.
#[must_use]
pub const fn drift() -> Attribute {
    let promise = Computed::Always(Literal::EmptyList);
    Attribute::computed("drift", Kind::List(&Kind::String), promise).describe(DRIFT)
}
