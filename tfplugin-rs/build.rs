//! Compiles the protocol definitions with a compiler written in Rust, so that nobody needs `protoc`.

use std::error::Error;
use std::path::Path;

/// In the repository the definitions stand at its root; a published package carries them beside this file.
const PLACES: [&str; 2] = ["proto", "../proto"];
const FILES: [&str; 2] = ["tfplugin6.proto", "go_plugin.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PLACES
        .into_iter()
        .find(|place| Path::new(place).join(FILES[0]).is_file())
        .ok_or_else(|| format!("neither {} nor {} holds {}", PLACES[0], PLACES[1], FILES[0]))?;
    for file in FILES {
        println!("cargo:rerun-if-changed={folder}/{file}");
    }
    let descriptors = protox::compile(FILES, [folder])?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .generate_default_stubs(true)
        .btree_map(".")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
