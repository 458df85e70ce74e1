//! The only code that knows gRPC and go-plugin: how a host starts, trusts, asks and ends a provider. It translates
//! between the messages of the protocol and the framework, and holds no rule of its own.

mod debug;
mod go_plugin;
mod handshake;
mod lifecycle;
mod listener;
mod log;
mod panics;
pub mod proto;
mod serve;
mod tls;
