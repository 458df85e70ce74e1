//! The example providers as binaries, built when a test first asks for one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of an example provider's binary.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                env!("CARGO_PKG_NAME"),
                "--examples",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo does not start");
        assert!(status.success(), "the example providers do not build");
        let test = std::env::current_exe().expect("this test has no path");
        test.ancestors()
            .nth(2)
            .map(Path::to_owned)
            .expect("this test is in no target folder")
            .join("examples")
    });
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not there", path.display());
    path
}
