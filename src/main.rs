//! The provider's binary, which Terraform and OpenTofu start.

use std::process::ExitCode;

use terraform_provider_fkaks::provider::Fkaks;

fn main() -> ExitCode {
    tfplugin_rs::serve(Fkaks::new())
}
