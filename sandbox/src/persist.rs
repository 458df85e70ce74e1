//! `--state`: the world as one JSON file. It is written before an answer leaves, into a second file
//! that then takes the first one's place, so a killed sandbox loses nothing that it accepted.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use crate::store::World;

/// Reads the world; `None` when there is no file yet.
///
/// # Errors
/// The file cannot be read or is not a world.
pub fn load(path: &Path) -> Result<Option<World>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::new(
                ErrorKind::InvalidData,
                format!("{} is not a state of the sandbox: {error}", path.display()),
            )
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )),
    }
}

/// The world as the file holds it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn bytes(world: &World) -> Result<Vec<u8>> {
    serde_json::to_vec(world).map_err(Error::other)
}

/// Replaces the file.
///
/// # Errors
/// The folder cannot be written.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    std::fs::write(&next, bytes)?;
    std::fs::rename(&next, path)
}
