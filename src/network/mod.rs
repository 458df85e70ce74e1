//! Pure rules of Azure networking: no I/O, nothing of ours beneath it.
//!
//! `cidr` is address arithmetic, `purpose` what Azure asks of a subnet by its use, `plan` places
//! subnets and finds what is wrong with them, `aks` is what clusters ask of networks,
//! `private_link` holds the facts of private endpoints of registries, and `names` the naming rules
//! of the resource types.

pub mod aks;
pub mod cidr;
pub mod names;
pub mod plan;
pub mod private_link;
pub mod purpose;

pub use purpose::Purpose;
