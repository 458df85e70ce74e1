//! `fkaks-sandbox`: see `command.rs` of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fkaks_sandbox::main(std::env::args_os())
}
