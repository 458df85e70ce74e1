//! Write Terraform and OpenTofu providers in Rust: plugin protocol 6 with schemas as data.
//!
//! The layers, each leaning only on those before it: `value` (Terraform's values and codecs),
//! `schema` (what users may write, and the plan algorithm), `framework` (the traits that a
//! provider implements) and `server` (gRPC, go-plugin's handshake and mutual TLS).

pub mod framework;
pub mod schema;
pub mod server;
pub mod testing;
pub mod value;

pub use async_trait::async_trait;
pub use server::serve;
