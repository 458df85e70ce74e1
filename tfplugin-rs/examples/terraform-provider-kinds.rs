//! The tests' provider with everything that a schema can have, as a binary that real CLIs start.

use std::process::ExitCode;

#[path = "../tests/support/kinds/mod.rs"]
mod kinds;

fn main() -> ExitCode {
    tfplugin_rs::serve(kinds::Kinds)
}
