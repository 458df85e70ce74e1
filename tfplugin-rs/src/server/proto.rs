//! The generated messages and services: the provider protocol itself, and the services of go-plugin beside it.

#![allow(missing_docs, unused_qualifications, rust_2018_idioms, clippy::all)]

/// Package `tfplugin6`: what Terraform and OpenTofu ask of a provider.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// Package `plugin`: what go-plugin asks of any plugin.
pub mod plugin {
    tonic::include_proto!("plugin");
}
